"""Membranes over a step: where in the tables V lies, gates, and what a row of them gives to D and b."""

from __future__ import annotations

import numpy as np

from axon.engine import history
from axon.engine.simd import (
    GATES_PER_CHUNK,
    LANES,
    advance,
    advance_twice,
    inlined_late,
    kernel,
    load,
    locate,
    look,
    splat,
)
from axon.engine.state import (
    ADDED,
    CAPACITY,
    CHANNELS,
    ENDS,
    EXPONENT,
    EXTRA,
    EXTRAS,
    FIRST,
    FIRST_ENTRY,
    FIRST_SLOT,
    FROM_HELD,
    INJECTED,
    LAST_ENTRY,
    LEAK,
    LEAK_CURRENT,
    LINEAR,
    PROGRAM,
    REST,
    ROW,
    SLOPE,
    SQUID,
    START,
)


@inlined_late
def cells_of(plan):
    """How many cells the tables have."""
    return np.int64((plan.table_high - plan.table_low) * plan.table_density + 0.5)


@inlined_late
def find_cells(plan, state, row):
    """Where in the tables the row's voltages lie."""
    if plan.third:
        v = load(state.v, row * LANES)
        valid_1, valid_2 = load(state.valid, 0), load(state.valid, LANES)
        history.find_cells(plan, state, valid_1, valid_2, cells_of(plan), row, v)
        return
    s = (load(state.v, row * LANES) - plan.table_start) * plan.table_density
    locate(s, cells_of(plan), state.cell, state.fraction, row * LANES)


@inlined_late
def _power(x, exponent):
    y = x
    if exponent >= 4:
        y = x * x
        y = y * y
        for _ in range(4, exponent):
            y = y * x
    elif exponent == 3:
        y = x * x * x
    elif exponent == 2:
        y = x * x
    return y


@inlined_late
def _slot(plan, x, slot, fraction, d, b, pair):
    """What one slot, a gate or the like, makes of a channel's open fraction, and the channel of D and b."""
    code = look(plan.slots, slot)
    exponent = code >> EXPONENT
    if exponent:
        y = _power(x, exponent)
        fraction = y if code & FIRST else fraction * y
    end = code & ENDS
    if end == LINEAR:
        d = d + load(plan.params, pair) * fraction
        b = b + load(plan.params, pair + LANES) * fraction
        pair += 2 * LANES
    elif end == SLOPE:
        d = d + load(plan.params, pair) * (fraction * x)
    elif end == REST:
        b = b + load(plan.params, pair + LANES) * (fraction * x)
        pair += 2 * LANES
    return fraction, d, b, pair


@inlined_late
def _four_slots(plan, x0, x1, x2, x3, slot, fraction, d, b, pair):
    fraction, d, b, pair = _slot(plan, x0, slot, fraction, d, b, pair)
    fraction, d, b, pair = _slot(plan, x1, slot + 1, fraction, d, b, pair)
    fraction, d, b, pair = _slot(plan, x2, slot + 2, fraction, d, b, pair)
    return _slot(plan, x3, slot + 3, fraction, d, b, pair)


@inlined_late
def _gates(plan, state, start, origin, entry, cell, row):
    """Four gates of every lane over one step."""
    at, gates, table, fraction = row * LANES, state.gates, plan.table, state.fraction
    if plan.third:
        second = at + plan.rows * LANES
        return advance_twice(gates, start, table, origin, entry, cell, fraction, at, second)
    return advance(gates, start, table, origin, entry, cell, fraction, at)


@inlined_late
def _passive(plan, state, row):
    """D and b without gates and stimuli."""
    params, at = plan.params, look(plan.row, row * ROW + START)
    capacity = load(params, at + CAPACITY * LANES)
    v, size = load(state.v, row * LANES), plan.rows * LANES
    if plan.third:
        v = history.departure(state.valid, state.differences, row * LANES, size, v)
    d = capacity + load(params, at + LEAK * LANES)
    return d, capacity * v + load(params, at + LEAK_CURRENT * LANES)


@inlined_late
def _by_program(plan, state, origin, cell, row, d, b):
    """What gates and stimuli of any kind make of D and b, and what comes from held neighbours."""
    facts = row * ROW
    program = look(plan.row, facts + PROGRAM)
    slot = look(plan.programs, program + FIRST_SLOT)
    first, last = look(plan.programs, program + FIRST_ENTRY), look(plan.programs, program + LAST_ENTRY)
    pair = look(plan.row, facts + START) + CHANNELS * LANES
    width, fraction, from_held = GATES_PER_CHUNK * LANES, d, splat(0.0)
    for entry in range(first, last):
        start = (row * plan.chunks + look(plan.entry_chunk, entry)) * width
        x0, x1, x2, x3 = _gates(plan, state, start, origin, entry * LANES, cell, row)
        fraction, d, b, pair = _four_slots(plan, x0, x1, x2, x3, slot, fraction, d, b, pair)
        slot += GATES_PER_CHUNK
    extra = look(plan.row, facts + EXTRA)
    if extra:
        own = (extra - 1) * (EXTRAS * LANES)
        d = d + load(state.extras, own + ADDED * LANES)
        b = b + load(state.extras, own + INJECTED * LANES)
        from_held = load(state.extras, own + FROM_HELD * LANES)
    return d, b, from_held


@kernel
def membrane_apart(plan, state, origin, cell, row):
    """As ``membrane``, for a row or two of a step: it is the slower, and not compiled into every caller."""
    d, b = _passive(plan, state, row)
    return _by_program(plan, state, origin, cell, row, d, b)


@inlined_late
def membrane(plan, state, origin, cell, row):
    """The row's gates over one step; D, b, and what comes from held neighbours."""
    params = plan.params
    d, b = _passive(plan, state, row)
    from_held = splat(0.0)
    if look(plan.row, row * ROW + SQUID):
        # The channels of most axons, without a program: a step costs a fifth less.
        start, pair = row * GATES_PER_CHUNK * LANES, look(plan.row, row * ROW + START) + CHANNELS * LANES
        m, h, n, _ = _gates(plan, state, start, origin, 0, cell, row)
        squared = n * n
        opened, other = m * m * m * h, squared * squared
        d = d + load(params, pair) * opened + load(params, pair + 2 * LANES) * other
        b = b + load(params, pair + LANES) * opened + load(params, pair + 3 * LANES) * other
    else:
        d, b, from_held = _by_program(plan, state, origin, cell, row, d, b)
    return d, b, from_held


@inlined_late
def field(plan, row, field):
    return load(plan.params, look(plan.row, row * ROW + START) + field * LANES)

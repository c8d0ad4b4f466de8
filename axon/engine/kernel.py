"""The time step: gates, cable and spikes of a group of lanes, second order in dt, second or fourth in dx.

The state is [row, lane]: a lane is a whole axon, or one piece of a long axon whose pieces lie side by side
and are joined exactly. V lives at t_k, gates at t_k + dt/2 (Hines 1984; Mascagni 1989). One step:

    x      <- A(V) x + B(V)                                      each gate, exact for V constant over the step
    D_i    =  2 C_i/dt + sum g                                   g = conductance of each channel, uS
    b_i    =  2 C_i/dt V_i + sum g E + I_stim,i                  nA
    F_i    =  D_i V*_i - b_i                                     what membrane and stimulus take at midtime
    k_(i+1/2) (V*_(i+1) - V*_i) - w (F_(i+1) - F_i)  summed over both faces  =  F_i
    V_i    <- 2 V*_i - V_i

with w = 0 (second order in dx) or w = 1/12 on faces inside a uniform stretch (the compact Numerov operator in
flux form, fourth order; the fluxes still cancel in the sum, so charge is conserved either way). The matrix
stays tridiagonal. Rows are eliminated downwards in the same sweep that advances the gates.
"""

from __future__ import annotations

import numpy as np

from axon.engine.samples import sample
from axon.engine.simd import (
    GATES_PER_CHUNK,
    LANES,
    advance,
    inlined,
    kernel,
    load,
    locate,
    outside,
    rises,
    splat,
    store,
    turned,
)
from axon.engine.state import (
    ADDED,
    CAPACITY,
    CHANNELS,
    COMPACT,
    COUPLING,
    DAMPED_STEPS,
    EXTRAS,
    FINISHED,
    FIRST_ENTRY,
    FIRST_SLOT,
    FREE,
    FROM_HELD,
    HELD,
    INJECTED,
    LAST_ENTRY,
    LEAK,
    LEAK_CURRENT,
    LEFT_TABLE,
    LEVEL,
    LINEAR,
    NOTHING,
    REST,
    SINGLE,
    SLOPE,
    SLOT,
    SPIKES_FULL,
)

_before, _after, _twice_before, _twice_after = turned[1], turned[-1], turned[2], turned[-2]
_across = turned[LANES // 2]


@inlined
def _find_cells(plan, state, row):
    """Where in the tables the row's voltages lie."""
    s = (load(state.v, row * LANES) - plan.table_start) * plan.table_density
    locate(s, state.cell, state.fraction, row * LANES)


@inlined
def _power(x, exponent):
    y = x
    if exponent >= np.uint64(4):
        y = x * x
        y = y * y
        for _ in range(np.uint64(4), exponent):
            y = y * x
    elif exponent == np.uint64(3):
        y = x * x * x
    elif exponent == np.uint64(2):
        y = x * x
    return y


@inlined
def _slot(plan, x, slot, fraction, d, b, pair):
    """What one slot, a gate or the like, makes of a channel's open fraction, and the channel of D and b."""
    exponent = plan.slots[slot]
    if exponent:
        y = _power(x, exponent)
        fraction = y if plan.slots[slot + np.uint64(1)] else fraction * y
    end = plan.slots[slot + np.uint64(2)]
    if end == LINEAR:
        d = d + load(plan.params, np.int64(pair)) * fraction
        b = b + load(plan.params, np.int64(pair) + LANES) * fraction
        pair += np.uint64(2 * LANES)
    elif end == SLOPE:
        d = d + load(plan.params, np.int64(pair)) * (fraction * x)
    elif end == REST:
        b = b + load(plan.params, np.int64(pair) + LANES) * (fraction * x)
        pair += np.uint64(2 * LANES)
    return fraction, d, b, pair


@inlined
def _four_slots(plan, x0, x1, x2, x3, slot, fraction, d, b, pair):
    fraction, d, b, pair = _slot(plan, x0, slot, fraction, d, b, pair)
    fraction, d, b, pair = _slot(plan, x1, slot + SLOT, fraction, d, b, pair)
    fraction, d, b, pair = _slot(plan, x2, slot + SLOT + SLOT, fraction, d, b, pair)
    return _slot(plan, x3, slot + SLOT + SLOT + SLOT, fraction, d, b, pair)


@inlined
def _membrane(plan, state, origin, stride, row):
    """The row's gates over one step, and D and b from them and from stimuli."""
    params, kinds = plan.params, plan.kinds
    kind = plan.row_kind[row]
    at = kinds[kind]
    capacity = load(params, np.int64(at + np.uint64(CAPACITY * LANES)))
    d = capacity + load(params, np.int64(at + np.uint64(LEAK * LANES)))
    b = capacity * load(state.v, row * LANES) + load(params, np.int64(at + np.uint64(LEAK_CURRENT * LANES)))
    pair = at + np.uint64(CHANNELS * LANES)
    gates, table, cell, offset = state.gates, plan.table, state.cell, state.offset
    width = GATES_PER_CHUNK * LANES
    fraction = d
    if kinds[kind + SINGLE]:
        # As below, but without a loop or an address to look up: a step costs a seventh less.
        x0, x1, x2, x3 = advance(
            gates, row * width, table, origin, stride, 0, cell, state.fraction, row * LANES, offset
        )
        _, d, b, _ = _four_slots(plan, x0, x1, x2, x3, np.uint64(0), fraction, d, b, pair)
    else:
        slot = kinds[kind + FIRST_SLOT]
        for entry in range(kinds[kind + FIRST_ENTRY], kinds[kind + LAST_ENTRY]):
            start = (row * plan.chunks + np.int64(plan.entry_chunk[entry])) * width
            lane = np.int64(entry) * LANES
            x0, x1, x2, x3 = advance(
                gates, start, table, origin, stride, lane, cell, state.fraction, row * LANES, offset
            )
            fraction, d, b, pair = _four_slots(plan, x0, x1, x2, x3, slot, fraction, d, b, pair)
            slot += np.uint64(GATES_PER_CHUNK) * SLOT
    extra = plan.extra_of_row[row]
    if extra:
        own = np.int64(extra - np.uint64(1)) * (EXTRAS * LANES)
        d = d + load(state.extras, own + ADDED * LANES)
        b = b + load(state.extras, own + INJECTED * LANES)
    return d, b


@inlined
def _field(plan, row, field):
    return load(plan.params, np.int64(plan.kinds[plan.row_kind[row]] + np.uint64(field * LANES)))


@inlined
def _join(diagonal, lower, upper, right):
    """Solve the separators' ring of equations: diagonal x_j - lower x_(j-1) - upper x_(j+1) = right.

    Cyclic reduction of all lanes at once (Hockney 1965): every equation takes in its neighbours' until it
    holds, of all others, only the unknown half a turn away. An open chain is a ring with two zeros.
    """
    inverse = 1.0 / diagonal
    low, high = lower * _before(inverse), upper * _after(inverse)
    diagonal = diagonal - low * _before(upper) - high * _after(lower)
    right = right + low * _before(right) + high * _after(right)
    lower, upper = low * _before(lower), high * _after(upper)
    inverse = 1.0 / diagonal
    low, high = lower * _twice_before(inverse), upper * _twice_after(inverse)
    diagonal = diagonal - low * _twice_before(upper) - high * _twice_after(lower)
    right = right + low * _twice_before(right) + high * _twice_after(right)
    both = low * _twice_before(lower) + high * _twice_after(upper)
    across = _across(diagonal)
    return (right * across + both * _across(right)) / (diagonal * across - both * _across(both))


@inlined
def _eliminate(plan, state, origin, stride):
    """Gates and forward elimination of all rows; returns V* of the last row."""
    rows = plan.rows
    nothing = splat(0.0)
    d_here, b_here, d_before, b_before = nothing, nothing, nothing, nothing
    d_end, b_end, d_first, b_first = nothing, nothing, nothing, nothing
    d_next, b_next = nothing, nothing
    k_first = _after(_field(plan, 0, COUPLING))
    w_first = _after(_field(plan, 0, COMPACT))
    k_left = _field(plan, 0, COUPLING)
    w_left = _field(plan, 0, COMPACT)
    ahead, known, behind = nothing, nothing, nothing
    carry = splat(1.0)
    sum_known, sum_behind = nothing, nothing
    upper, right, pivot = nothing, nothing, carry
    # The membrane runs one row ahead of the elimination, whose compact operator wants both neighbours; the
    # last row comes first, because it is a neighbour of the next lane's first row.
    for turn_of in range(rows + 2):
        if turn_of < rows:
            row = turn_of - 1 if turn_of > 0 else rows - 1
            d_next, b_next = _membrane(plan, state, origin, stride, row)
            if turn_of == 0:
                d_end, b_end = d_next, b_next
                d_before = _before(d_end)
                b_before = _before(b_end)
                continue
        elif turn_of == rows:
            d_next, b_next = d_end, b_end
        else:
            d_next, b_next = d_first, b_first
        if turn_of == 1:
            d_first = _after(d_next)
            b_first = _after(b_next)
            d_here, b_here = d_next, b_next
            continue
        row = turn_of - 2
        k_right = _field(plan, row + 1, COUPLING) if row + 1 < rows else k_first
        diagonal = d_here + k_left + k_right
        right = b_here
        upper = k_right
        lower = k_left
        if plan.fourth:
            w_right = _field(plan, row + 1, COMPACT) if row + 1 < rows else w_first
            diagonal = diagonal - (w_left + w_right) * d_here
            right = right + w_left * (b_before - b_here) + w_right * (b_next - b_here)
            upper = k_right - w_right * d_next
            lower = k_left - w_left * d_before
            w_left = w_right
            d_before, b_before = d_here, b_here
        extra = plan.extra_of_row[row]
        if extra:
            right = right + load(
                state.extras, np.int64(extra - np.uint64(1)) * (EXTRAS * LANES) + FROM_HELD * LANES
            )
        if row == 0:
            behind = lower
            pivot = diagonal
        else:
            pivot = diagonal - lower * ahead
            right = right + lower * known
            # What reaches across a long piece shrinks row by row; what has become nothing is made nothing, or
            # the processor would crawl through denormal numbers.
            carry = (carry * ahead + NOTHING) - NOTHING
            behind = (lower * behind + NOTHING) - NOTHING
        if row < rows - 1:
            inverse = 1.0 / pivot
            ahead = upper * inverse
            known = right * inverse
            store(state.ahead, row * LANES, ahead)
            store(state.known, row * LANES, known)
            if plan.joined:
                behind = behind * inverse
                store(state.behind, row * LANES, behind)
                sum_known = sum_known + carry * known
                sum_behind = sum_behind + carry * behind
        k_left = k_right
        d_here, b_here = d_next, b_next
    midpoint = right / pivot
    if plan.joined:
        reach = _after(carry)
        near_known = _after(sum_known)
        near_behind = _after(sum_behind)
        midpoint = _join(pivot - upper * near_behind, behind, upper * reach, right + upper * near_known)
    return midpoint


@kernel
def _note(plan, state, spikes, row, step, before):
    """Write down which lanes of this row crossed threshold."""
    store(state.scratch, 0, before)
    for lane in range(LANES):
        v0, v1 = state.scratch[lane], state.v[row * LANES + lane]
        if v0 < plan.threshold and v1 >= plan.threshold:
            n = spikes.found[0]
            spikes.place[n] = row * LANES + lane
            spikes.step[n] = step
            spikes.v0[n] = v0
            spikes.v1[n] = v1
            spikes.v2[n] = np.nan
            spikes.found[0] = n + 1


@inlined
def _substitute(plan, state, spikes, step, midpoint, half, halves):
    """Back substitution, new V, crossings; returns whether any V left the table.

    Of a whole step the new V is 2 V* - V; of a backward Euler half it is V* itself, and crossings are looked
    for at the end of the second half, against V at the start of the first.
    """
    left = midpoint
    if plan.joined:
        left = _before(midpoint)
    x = midpoint
    lost = False
    for row in range(plan.rows - 1, -1, -1):
        at = row * LANES
        if row < plan.rows - 1:
            x = load(state.known, at) + load(state.ahead, at) * x
            if plan.joined:
                x = x + load(state.behind, at) * left
        before = load(state.v, at)
        middle = x
        extra = plan.extra_of_row[row]
        if extra:
            own = np.int64(extra - np.uint64(1)) * (EXTRAS * LANES)
            middle = x * load(state.extras, own + FREE * LANES) + load(state.extras, own + LEVEL * LANES)
        after = middle
        if halves == 1:
            after = 2.0 * middle - before
        elif half == 0:
            store(state.earlier, at, before)
        else:
            before = load(state.earlier, at)
        store(state.v, at, after)
        # Here, where V is at hand: looked up when the gates want it, it would keep them waiting.
        locate((after - plan.table_start) * plan.table_density, state.cell, state.fraction, at)
        if half == halves - 1 and rises(before, after, plan.threshold):
            _note(plan, state, spikes, row, step, before)
        if outside(after, plan.table_low, plan.table_high):
            lost = True
    return lost


@kernel
def _half_step(plan, place, chunk_entry, lane, v, gate):
    """Steady state and half-step decay of one gate at v."""
    s = (v - plan.table_start) * plan.table_density
    cell = np.int64(s)
    f = s - cell
    item = chunk_entry * LANES + lane
    at = plan.origin[item] + cell * plan.stride[item] + gate
    a = plan.table[at] + f * (plan.table[at + 8] + f * plan.table[at + 16])
    b = plan.table[at + 4] + f * (plan.table[at + 12] + f * plan.table[at + 20])
    decay = np.sqrt(max(a, 0.0))
    return (b / (1.0 - a) if a < 1.0 else 0.0), decay


@kernel
def _impose(plan, state, place, level):
    """Set V of a clamped compartment; where it jumps, its gates see half a step of each voltage."""
    before = state.v[place]
    if before == level:
        return
    state.v[place] = level
    s = (level - plan.table_start) * plan.table_density
    state.cell[place] = np.int32(s)
    state.fraction[place] = s - state.cell[place]
    state.damped[0] = DAMPED_STEPS
    row, lane = place // LANES, place % LANES
    kind = plan.row_kind[row]
    for entry in range(np.int64(plan.kinds[kind + FIRST_ENTRY]), np.int64(plan.kinds[kind + LAST_ENTRY])):
        chunk = np.int64(plan.entry_chunk[entry])
        for gate in range(GATES_PER_CHUNK):
            steady0, decay0 = _half_step(plan, place, entry, lane, before, gate)
            steady1, decay1 = _half_step(plan, place, entry, lane, level, gate)
            if decay1 > 1e-100:
                item = ((row * plan.chunks + chunk) * LANES + lane) * GATES_PER_CHUNK + gate
                halfway = steady0 + (state.gates[item] - steady0) * decay0
                # The sweep makes a whole step at the new voltage; take half of it back beforehand.
                state.gates[item] = steady1 + (halfway - steady1) / decay1


@inlined
def _stimulate(plan, state, strengths, levels, step):
    """Put the currents, conductances and clamps of this step into the extras."""
    for own in range(0, state.extras.size, EXTRAS * LANES):
        for field in range(EXTRAS):
            store(state.extras, own + field * LANES, splat(0.0))
        store(state.extras, own + FREE * LANES, splat(1.0))
    for s in range(plan.source_place.size):
        state.extras[plan.source_place[s]] += plan.source_weight[s] * strengths[plan.source_row[s], step]
    for c in range(plan.clamp_place.size):
        level = levels[c, step]
        if not np.isnan(level):
            _impose(plan, state, plan.clamp_place[c], level)
            state.extras[plan.clamp_extra[c]] = HELD
            state.extras[plan.clamp_extra[c] + FREE * LANES] = 0.0
            state.extras[plan.clamp_extra[c] + LEVEL * LANES] = level
    for k in range(plan.neighbour_clamp.size):
        level = levels[plan.neighbour_clamp[k], step]
        if not np.isnan(level):
            state.extras[plan.neighbour_extra[k]] += plan.neighbour_coupling[k] * level


@kernel
def run_steps(plan, state, spikes, samples, strengths, levels, first_step, steps):
    """Advance a group by up to ``steps`` steps.

    Parameters
    ----------
    plan, state, spikes, samples : Plan, State, Spikes, Samples
    strengths : (rows, steps) float64
        Mean current (nA) or conductance (uS) of each stimulus over each step.
    levels : (clamps, steps) float64
        Imposed voltage at the start of each step, nan where free, mV.
    first_step : int
        Number of the first step, for times and the sampling rhythm.
    steps : int

    Returns
    -------
    done, frames, reason : int
        Steps made, samples taken, and FINISHED, LEFT_TABLE or SPIKES_FULL.
    """
    frame = 0
    for row in range(plan.rows):
        _find_cells(plan, state, row)
    for i in range(steps):
        step = first_step + i
        _stimulate(plan, state, strengths, levels, i)
        if samples.stride > 0 and step % samples.stride == 0:
            sample(state, samples, frame)
            frame += 1
        waiting = spikes.found[0]
        halves = 2 if state.damped[0] > 0 else 1
        state.damped[0] -= halves - 1
        lost = False
        for half in range(halves):
            origin = plan.origin if half == 0 else plan.still
            stride = plan.stride if half == 0 else plan.still
            midpoint = _eliminate(plan, state, origin, stride)
            lost |= _substitute(plan, state, spikes, step, midpoint, half, halves)
        for n in range(spikes.found[1], waiting):
            spikes.v2[n] = state.v[spikes.place[n]]
        spikes.found[1] = waiting
        if lost:
            return i + 1, frame, LEFT_TABLE
        if spikes.found[0] + plan.rows * LANES > spikes.place.size:
            return i + 1, frame, SPIKES_FULL
    return steps, frame, FINISHED

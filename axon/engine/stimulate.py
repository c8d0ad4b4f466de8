"""Stimuli of a step: currents, conductances and clamps, put where the rows that have any look for them."""

from __future__ import annotations

import numpy as np

from axon.engine import history
from axon.engine.simd import GATES_PER_CHUNK, LANES, TABLE_WIDTH, inlined, kernel, splat, store
from axon.engine.state import DAMPED_STEPS, EXTRAS, FIRST_ENTRY, FREE, HELD, LAST_ENTRY, LEVEL, PROGRAM, ROW


@kernel
def _half_step(plan, place, chunk_entry, lane, v, gate):
    """Steady state and half-step decay of one gate at v."""
    s = (v - plan.table_start) * plan.table_density
    cell = np.int64(s)
    f = s - cell
    item = chunk_entry * LANES + lane
    at = plan.origin[item] + cell * TABLE_WIDTH + gate
    a = plan.table[at] + f * (plan.table[at + 8] + f * plan.table[at + 16])
    b = plan.table[at + 4] + f * (plan.table[at + 12] + f * plan.table[at + 20])
    decay = a if plan.third else np.sqrt(max(a, 0.0))
    return (b / (1.0 - a) if a < 1.0 else 0.0), decay


@kernel
def impose(plan, state, place, level):
    """Set V of a clamped compartment; where it jumps, its gates see half a step of each voltage."""
    before = state.v[place]
    if before == level:
        return
    state.v[place] = level
    s = (level - plan.table_start) * plan.table_density
    cell = np.int32(s)
    for at in range(place, state.cell.size, state.v.size):
        state.cell[at] = cell * TABLE_WIDTH
        state.fraction[at] = s - cell
    state.damped[0] = DAMPED_STEPS
    row, lane = place // LANES, place % LANES
    program = plan.row[row * ROW + PROGRAM]
    for entry in range(plan.programs[program + FIRST_ENTRY], plan.programs[program + LAST_ENTRY]):
        chunk = plan.entry_chunk[entry]
        for gate in range(GATES_PER_CHUNK):
            steady0, decay0 = _half_step(plan, place, entry, lane, before, gate)
            steady1, decay1 = _half_step(plan, place, entry, lane, level, gate)
            if decay1 > 1e-100:
                item = ((row * plan.chunks + chunk) * LANES + lane) * GATES_PER_CHUNK + gate
                halfway = steady0 + (state.gates[item] - steady0) * decay0
                # The sweep makes a whole step at the new voltage; take half of it back beforehand.
                state.gates[item] = steady1 + (halfway - steady1) / decay1


@inlined
def hold(plan, state, levels, step):
    """Put the clamps of this step into the extras, and V where they hold it; all else there begins at 0."""
    for own in range(0, state.extras.size, EXTRAS * LANES):
        for field in range(EXTRAS):
            store(state.extras, own + field * LANES, splat(0.0))
        store(state.extras, own + FREE * LANES, splat(1.0))
    for c in range(plan.clamp_place.size):
        level = levels[c, step]
        if not np.isnan(level):
            impose(plan, state, plan.clamp_place[c], level)
            state.extras[plan.clamp_extra[c]] = HELD
            state.extras[plan.clamp_extra[c] + FREE * LANES] = 0.0
            state.extras[plan.clamp_extra[c] + LEVEL * LANES] = level
    for k in range(plan.neighbour_clamp.size):
        level = levels[plan.neighbour_clamp[k], step]
        if not np.isnan(level):
            state.extras[plan.neighbour_extra[k]] += plan.neighbour_coupling[k] * level


@inlined
def strength(plan, state, strengths, source, step):
    """What a source gives in this step: its share of the mean.

    In a step of third order, less what d3 moves on its account (see ``history``), as the means of the three
    steps before tell: so the charge stays exact, and in place of the mean stands the strength at midtime.
    """
    row = plan.source_row[source]
    if not plan.third:
        return plan.source_weight[source] * strengths[row, step]
    lane = plan.source_place[source] % LANES
    first, second, third = strengths[row, step], strengths[row, step + 1], strengths[row, step + 2]
    bend = state.valid[2 * LANES + lane] * (third - 2.0 * second + first)
    return plan.source_weight[source] * (strengths[row, step + history.STEPS] - bend / 24.0)


@inlined
def feed(plan, state, strengths, step):
    """Add the currents and conductances of this step to the extras."""
    for source in range(plan.source_place.size):
        state.extras[plan.source_place[source]] += strength(plan, state, strengths, source, step)

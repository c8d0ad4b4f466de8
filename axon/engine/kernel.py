"""The time step: gates, cable and spikes of a group of lanes.

Second order in dt, or third (see ``history``); second in dx, or fourth.

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

from axon.engine import history
from axon.engine.crossings import note, settle
from axon.engine.membrane import cells_of, field, find_cells, membrane, membrane_apart
from axon.engine.samples import sample
from axon.engine.simd import LANES, inlined, kernel, load, locate, look, rises, splat, store, turned
from axon.engine.state import (
    COMPACT,
    COUPLING,
    EXTRA,
    EXTRAS,
    FINISHED,
    FREE,
    LEFT_TABLE,
    LEVEL,
    NOTHING,
    ROW,
    SPIKES_FULL,
)
from axon.engine.stimulate import feed, hold

_before, _after, _twice_before, _twice_after = turned[1], turned[-1], turned[2], turned[-2]
_across = turned[LANES // 2]


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
def _eliminate(plan, state, origin, cell):
    """Gates and forward elimination of all rows; returns V* of the last row."""
    last = plan.rows - 1
    nothing, one = splat(0.0), splat(1.0)
    # The membrane runs one row ahead of the elimination, whose compact operator wants both neighbours; the
    # last row comes first, because it is a neighbour of the next lane's first row.
    d_end, b_end, held_end = membrane_apart(plan, state, origin, cell, last)
    d_here, b_here, held = d_end, b_end, held_end
    if last > 0:
        d_here, b_here, held = membrane_apart(plan, state, origin, cell, 0)
    d_before, b_before = _before(d_end), _before(b_end)
    d_first, b_first = _after(d_here), _after(b_here)
    k_left, w_left = field(plan, 0, COUPLING), field(plan, 0, COMPACT)
    k_first, w_first = _after(k_left), _after(w_left)
    ahead, known, behind, carry = nothing, nothing, one, one
    sum_known, sum_behind = nothing, nothing
    for row in range(last):
        if row + 1 < last:
            d_next, b_next, held_next = membrane(plan, state, origin, cell, row + 1)
        else:
            d_next, b_next, held_next = d_end, b_end, held_end
        k_right = field(plan, row + 1, COUPLING)
        diagonal = d_here + k_left + k_right
        right = b_here + held
        upper, lower = k_right, k_left
        if plan.fourth:
            w_right = field(plan, row + 1, COMPACT)
            diagonal = diagonal - (w_left + w_right) * d_here
            right = right + w_left * (b_before - b_here) + w_right * (b_next - b_here)
            upper = k_right - w_right * d_next
            lower = k_left - w_left * d_before
            w_left = w_right
            d_before, b_before = d_here, b_here
        inverse = 1.0 / (diagonal - lower * ahead)
        known = (right + lower * known) * inverse
        ahead = upper * inverse
        store(state.ahead, row * LANES, ahead)
        store(state.known, row * LANES, known)
        if plan.joined:
            # What reaches across a long piece shrinks row by row; what has become nothing is made nothing, or
            # the processor would crawl through denormal numbers.
            behind = ((lower * behind + NOTHING) - NOTHING) * inverse
            store(state.behind, row * LANES, behind)
            sum_known = sum_known + carry * known
            sum_behind = sum_behind + carry * behind
            carry = (carry * ahead + NOTHING) - NOTHING
        k_left = k_right
        d_here, b_here, held = d_next, b_next, held_next
    diagonal = d_here + k_left + k_first
    right = b_here + held
    upper, lower = k_first, k_left
    if plan.fourth:
        diagonal = diagonal - (w_left + w_first) * d_here
        right = right + w_left * (b_before - b_here) + w_first * (b_first - b_here)
        upper = k_first - w_first * d_first
        lower = k_left - w_left * d_before
    pivot = diagonal - lower * ahead
    right = right + lower * known
    if not plan.joined:
        return right / pivot
    behind = lower * behind
    reach = _after(carry)
    near_known, near_behind = _after(sum_known), _after(sum_behind)
    return _join(pivot - upper * near_behind, behind, upper * reach, right + upper * near_known)


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
    last, cells, clamped, size = plan.rows - 1, cells_of(plan), plan.clamp_place.size > 0, plan.rows * LANES
    # Of the differences as this step leaves them.
    valid_1, valid_2 = splat(0.0), splat(0.0)
    if halves == 1:
        valid_1, valid_2 = splat(1.0), load(state.valid, 0)
    for row in range(last, -1, -1):
        at = row * LANES
        if row < last:
            x = load(state.known, at) + load(state.ahead, at) * x
            if plan.joined:
                x = x + load(state.behind, at) * left
        before = load(state.v, at)
        middle = x
        if clamped:
            extra = look(plan.row, row * ROW + EXTRA)
            if extra:
                own = (extra - 1) * (EXTRAS * LANES)
                middle = x * load(state.extras, own + FREE * LANES) + load(state.extras, own + LEVEL * LANES)
        after = middle
        if halves == 1:
            if plan.third:
                after = history.arrival(state.valid, state.differences, at, size, before, middle)
            else:
                after = 2.0 * middle - before
        elif half == 0:
            store(state.earlier, at, before)
        else:
            before = load(state.earlier, at)
        store(state.v, at, after)
        # Here, where V is at hand: looked up when the gates want it, it would keep them waiting.
        if plan.third:
            left_table = history.find_cells(plan, state, valid_1, valid_2, cells, row, after)
        else:
            s = (after - plan.table_start) * plan.table_density
            left_table = locate(s, cells, state.cell, state.fraction, at)
        risen = rises(before, after, plan.threshold)
        if left_table | risen:
            if risen and half == halves - 1:
                note(plan, state, spikes, row, step, before)
            if left_table:
                lost = True
    return lost


@kernel
def run_steps(plan, state, spikes, samples, strengths, levels, first_step, steps):
    """Advance a group by up to ``steps`` steps.

    Parameters
    ----------
    plan, state, spikes, samples : Plan, State, Spikes, Samples
    strengths : (rows, steps) float64
        Mean current (nA) or conductance (uS) of each stimulus over each step; in steps of third order over
        the ``history.STEPS`` steps before these as well.
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
        find_cells(plan, state, row)
    for i in range(steps):
        step = first_step + i
        hold(plan, state, levels, i)
        if samples.stride > 0 and step % samples.stride == 0:
            sample(state, samples, frame)
            frame += 1
        if plan.third:
            history.kinks(state, step)
        waiting = spikes.found[0]
        halves = 2 if state.damped[0] > 0 else 1
        state.damped[0] -= halves - 1
        if halves == 2:
            history.forget(state)
        feed(plan, state, strengths, i)
        lost = False
        for half in range(halves):
            origin = plan.origin if half == 0 else plan.still
            cell = state.cell if half == 0 else plan.nowhere
            midpoint = _eliminate(plan, state, origin, cell)
            lost |= _substitute(plan, state, spikes, step, midpoint, half, halves)
        history.step_made(state, 1.0 if halves == 1 else 0.0)
        settle(spikes, waiting, state.v, plan.threshold)
        if lost:
            return i + 1, frame, LEFT_TABLE
        if spikes.found[0] + plan.rows * LANES > spikes.place.size:
            return i + 1, frame, SPIKES_FULL
    return steps, frame, FINISHED

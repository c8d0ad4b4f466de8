"""The time step on a tree of compartments, with one voltage in each or, under myelin, two.

Membranes step as in ``kernel``, in vectors; then one sweep up the tree and one down solve the cable (Hines,
Int. J. Bio-Med. Comput. 15:69, 1984). Rows are ordered so that every row's parent comes before it. With D, b
of the axon's membrane as in ``kernel``, E = 2 C_m/dt + g_m of the myelin, and the potentials f inside the
axon and p under the myelin,

    D (f - p) + sum g (f - f_j)                =  b + I_stim        inside
   -D (f - p) + E p + sum q (p - p_j)          =  -b + 2 C_m/dt p_k  under the myelin, p = 0 where it is open
    V, p  <-  2 (f - p) - V,  2 p* - p

both at midtime: Crank-Nicolson, second order in dt for both. The 2 x 2 block of a row is kept as

    ( B + a    -B  )
    (  -B    B + c )      det = B (a + c) + a c

whose terms are all positive, so that a stiff membrane between two loose conductors costs no digits. Without
myelin p is 0 and a row has one unknown. The same source makes the solve for vectors, one axon in every lane,
and for plain numbers, a single axon whose compartments fill the lanes.
"""

from __future__ import annotations

import numpy as np

from axon.engine import history
from axon.engine.crossings import note, settle
from axon.engine.membrane import cells_of, find_cells, membrane
from axon.engine.samples import sample
from axon.engine.simd import LANES, kernel, load, look, outside, rises, splat, store
from axon.engine.state import (
    ADDED,
    FINISHED,
    FIRST_ENTRY,
    INJECTED,
    LAST_ENTRY,
    LEFT_TABLE,
    PROGRAM,
    ROW,
    SPIKES_FULL,
)
from axon.engine.stimulate import feed, hold, strength


@kernel
def _number(x):
    return x


@kernel
def _take(array, at):
    return array[at]


@kernel
def _put(array, at, value):
    array[at] = value


def _made(name, take, put, number, width):
    """The two solves for rows of ``width`` numbers."""
    departure, arrival = history.made(take, put)

    def one_voltage(tree, state):
        """V* of every row into ``state.right``, from D and b."""
        nothing = number(0.0)
        total, known = nothing, nothing
        for row in range(tree.rows - 1, -1, -1):
            at, own = tree.place[row], row * width
            pivot = take(state.diagonal, at) + take(tree.inside, own) - total
            right = take(state.right, at) + known
            slot = tree.gathers[row]
            if slot >= 0:
                pivot = pivot - take(state.gathered, slot)
                right = right + take(state.gathered, slot + width)
                put(state.gathered, slot, nothing)
                put(state.gathered, slot + width, nothing)
            g = take(tree.axial, own)
            ahead = g / pivot
            right = right / pivot
            put(state.s11, own, ahead)
            put(state.k1, own, right)
            total, known = g * ahead, g * right
            parent = tree.parent[row]
            if parent != row - 1 and parent >= 0:
                slot = tree.gathers[parent]
                put(state.gathered, slot, take(state.gathered, slot) + total)
                put(state.gathered, slot + width, take(state.gathered, slot + width) + known)
                total, known = nothing, nothing
        x = nothing
        for row in range(tree.rows):
            own, parent = row * width, tree.parent[row]
            if parent != row - 1 and parent >= 0:
                x = take(state.right, tree.place[parent])
            x = take(state.k1, own) + take(state.s11, own) * x
            put(state.right, tree.place[row], x)

    def two_voltages(tree, state, whole, third, valid):
        """V* of every row into ``state.right``, and p moved on by a whole step or a half."""
        nothing, size = number(0.0), tree.rows * width
        more, less_a, less_c, more_1, more_2 = nothing, nothing, nothing, nothing, nothing
        for row in range(tree.rows - 1, -1, -1):
            at, own = tree.place[row], row * width
            b = take(state.diagonal, at)
            r1 = take(state.right, at)
            p = take(state.around, own)
            if third:
                p = departure(valid, state.differences, own, size, p)
            r2 = take(state.electrode, own) - r1 + take(tree.sheath, own) * p + more_2
            r1 = r1 + more_1
            a = take(tree.inside, own) - less_a
            c = take(tree.outside, own) - less_c
            b = b + more
            slot = tree.gathers[row]
            if slot >= 0:
                b = b + take(state.gathered, slot)
                a = a - take(state.gathered, slot + width)
                c = c - take(state.gathered, slot + 2 * width)
                r1 = r1 + take(state.gathered, slot + 3 * width)
                r2 = r2 + take(state.gathered, slot + 4 * width)
                for k in range(5):
                    put(state.gathered, slot + k * width, nothing)
            inverse = 1.0 / (b * (a + c) + a * c)
            s11, s12, s22 = (b + c) * inverse, b * inverse, (b + a) * inverse
            k1, k2 = s11 * r1 + s12 * r2, s12 * r1 + s22 * r2
            put(state.s11, own, s11)
            put(state.s12, own, s12)
            put(state.s22, own, s22)
            put(state.k1, own, k1)
            put(state.k2, own, k2)
            g, q = take(tree.axial, own), take(tree.along, own)
            more = g * q * s12
            less_a = g * g * s11 + more
            less_c = q * q * s22 + more
            more_1, more_2 = g * k1, q * k2
            parent = tree.parent[row]
            if parent != row - 1 and parent >= 0:
                slot = tree.gathers[parent]
                for k, x in enumerate((more, less_a, less_c, more_1, more_2)):
                    put(state.gathered, slot + k * width, take(state.gathered, slot + k * width) + x)
                more, less_a, less_c, more_1, more_2 = nothing, nothing, nothing, nothing, nothing
        f, p = nothing, nothing
        for row in range(tree.rows):
            own, parent = row * width, tree.parent[row]
            if parent != row - 1 and parent >= 0:
                f, p = take(state.k1, parent * width), take(state.k2, parent * width)
            f, p = take(tree.axial, own) * f, take(tree.along, own) * p
            s12 = take(state.s12, own)
            f, p = (
                take(state.k1, own) + take(state.s11, own) * f + s12 * p,
                take(state.k2, own) + s12 * f + take(state.s22, own) * p,
            )
            # f and p take the place of k1 and k2, where branches that begin here will look for them.
            put(state.k1, own, f)
            put(state.k2, own, p)
            put(state.right, tree.place[row], f - p)
            before, after = take(state.around, own), p
            if third and whole:
                after = arrival(valid, state.differences, own, size, before, p)
            elif whole:
                after = 2.0 * p - before
            put(state.around, own, after)

    # Kernels that are kept on disk are linked by their names: two of one name would be taken for each other.
    for solve in (one_voltage, two_voltages):
        solve.__qualname__ += f"_{name}"
    return kernel(one_voltage), kernel(two_voltages)


_one_wide, _two_wide = _made("wide", load, store, splat, LANES)
_one_plain, _two_plain = _made("plain", _take, _put, _number, 1)


@kernel
def _feed(plan, state, tree, branches, strengths, levels, step):
    """Stimuli of this step into the extras, clamps as stiff currents, electrodes for the outer equation."""
    feed(plan, state, strengths, step)
    for c in range(plan.clamp_place.size):
        level = levels[c, step]
        if not np.isnan(level):
            state.extras[plan.clamp_extra[c] + ADDED * LANES] = tree.held
            state.extras[plan.clamp_extra[c] + INJECTED * LANES] = tree.held * level
    for s in range(tree.electrode_place.size):
        branches.electrode[tree.electrode_place[s]] = 0.0
    for s in range(tree.electrode_place.size):
        branches.electrode[tree.electrode_place[s]] += strength(plan, state, strengths, s, step)


@kernel
def _gated(plan, row):
    """Whether some gate stands in the row."""
    program = look(plan.row, row * ROW + PROGRAM)
    return look(plan.programs, program + LAST_ENTRY) > look(plan.programs, program + FIRST_ENTRY)


@kernel
def _membranes(plan, state, branches, origin, cell):
    """Gates moved on, D and b of every row."""
    for row in range(plan.rows):
        if not plan.third and _gated(plan, row):
            find_cells(plan, state, row)
        d, b, _ = membrane(plan, state, origin, cell, row)
        store(branches.diagonal, row * LANES, d)
        store(branches.right, row * LANES, b)


@kernel
def _settle(plan, state, branches, spikes, step, half, halves):
    """New V and crossings of threshold; returns whether any V left the table."""
    lost, size = False, plan.rows * LANES
    valid_1, valid_2 = splat(0.0), splat(0.0)
    if halves == 1:
        valid_1, valid_2 = splat(1.0), load(state.valid, 0)
    for row in range(plan.rows):
        at = row * LANES
        before, middle = load(state.v, at), load(branches.right, at)
        after = middle
        if halves == 1 and plan.third:
            after = history.arrival(state.valid, state.differences, at, size, before, middle)
        elif halves == 1:
            after = 2.0 * middle - before
        elif half == 0:
            store(state.earlier, at, before)
        else:
            before = load(state.earlier, at)
        store(state.v, at, after)
        if half == halves - 1 and rises(before, after, plan.threshold):
            note(plan, state, spikes, row, step, before)
        if outside(after, plan.table_low, plan.table_high):
            lost = True
        elif plan.third and half == halves - 1 and _gated(plan, row):
            # For the next step, which may begin with a kink: its gates are still half a step before it.
            cells = cells_of(plan)
            lost |= history.find_cells(plan, state, valid_1, valid_2, cells, row, after) != 0
    return lost


@kernel
def run_steps(plan, state, tree, branches, spikes, samples, strengths, levels, first_step, steps):
    """Advance a group of trees by up to ``steps`` steps.

    Parameters
    ----------
    tree, branches : Tree, Branches
    plan, state, spikes, samples, strengths, levels, first_step, steps
        As for ``kernel.run_steps``, whose answer this gives as well.
    """
    frame = 0
    for row in range(plan.rows if plan.third else 0):
        if _gated(plan, row):
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
        _feed(plan, state, tree, branches, strengths, levels, i)
        lost = False
        for half in range(halves):
            if half == 0:
                _membranes(plan, state, branches, plan.origin, state.cell)
            else:
                _membranes(plan, state, branches, plan.still, plan.nowhere)
            if tree.double and tree.wide:
                _two_wide(tree, branches, halves == 1, plan.third, state.valid)
            elif tree.double:
                _two_plain(tree, branches, halves == 1, plan.third, state.valid)
            elif tree.wide:
                _one_wide(tree, branches)
            else:
                _one_plain(tree, branches)
            lost |= _settle(plan, state, branches, spikes, step, half, halves)
        history.step_made(state, 1.0 if halves == 1 else 0.0)
        settle(spikes, waiting, state.v, plan.threshold)
        if lost:
            return i + 1, frame, LEFT_TABLE
        if spikes.found[0] + plan.rows * LANES > spikes.place.size:
            return i + 1, frame, SPIKES_FULL
    return steps, frame, FINISHED

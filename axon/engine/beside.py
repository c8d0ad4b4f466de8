"""Steps in which concentrations, and what depends on them, go along beside the lanes.

Per step and block of compartments:

    conduct     gates to the middle of the step, and what flows there as a line in V: I = g V - b
    the step    of lanes or limbs, for which g and b are a stimulus like others
    move        concentrations through the step with the mean voltage that it found

Both halves are formulas, see ``formula``; which ones, ``axon.stepping.pools`` says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine import kernel as lanes
from axon.engine import tree as limbs
from axon.engine.formula import BLOCK, evaluate
from axon.engine.samples import sample
from axon.engine.simd import inlined, kernel
from axon.engine.state import FINISHED
from axon.engine.stimulate import impose

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The first rows of every block: V at the start of the step, later its mean; V one step earlier; V carried on
# from both to the middle of the step; g and b.
VOLTAGE, BEFORE, AHEAD, CONDUCTANCE, CURRENT, OWN = range(6)
# Why a stretch of steps ended before a step was made, beside those of ``state``.
NO_TABLE, NO_IONS = 10, 11


class Blocks(NamedTuple):
    """Compartments whose concentrations move, in blocks of one kind each; ``state.gates`` is their memory."""

    conduct: Ints  # (kinds, 2) first and last instruction
    move: Ints  # (kinds, 2)
    kind: Ints  # (blocks,)
    base: Ints  # (blocks,) where in memory a block begins
    width: Ints  # (blocks,) compartments, a multiple of LANES
    place: Ints  # (blocks * BLOCK,) where in V a compartment is; room to spare goes along with another
    line: Ints  # (2, blocks * BLOCK) rows of the stimuli that give the engine g and b
    fed: Ints  # (stimuli,) rows of the stimuli that come from outside
    strengths: Floats  # (rows, 1) of all stimuli in the step at hand
    levels: Floats  # (clamps, 1) in the step at hand


@kernel
def _look_ahead(blocks, formulas, v, memory):
    """Voltages of all compartments into their blocks; False where one is outside the tables."""
    inside = True
    for block in range(blocks.base.size):
        at, first = blocks.base[block], block * BLOCK
        for k in range(blocks.width[block]):
            now = v[blocks.place[first + k]]
            ahead = 1.5 * now - 0.5 * memory[at + BEFORE * BLOCK + k]
            memory[at + VOLTAGE * BLOCK + k] = now
            memory[at + AHEAD * BLOCK + k] = ahead
            inside &= (now >= formulas.low) & (now < formulas.high)
            inside &= (ahead >= formulas.low) & (ahead < formulas.high)
    return inside


@kernel
def _conduct(blocks, formulas, memory):
    """Lines in V of all compartments into the strengths; False where a program ended early."""
    for block in range(blocks.base.size):
        kind, at, width = blocks.kind[block], blocks.base[block], blocks.width[block]
        first = block * BLOCK
        begin, end = blocks.conduct[kind, 0], blocks.conduct[kind, 1]
        if not evaluate(formulas, memory, begin, end, at, width):
            return False
        for k in range(width):
            blocks.strengths[blocks.line[0, first + k], 0] = memory[at + CONDUCTANCE * BLOCK + k]
            blocks.strengths[blocks.line[1, first + k], 0] = memory[at + CURRENT * BLOCK + k]
    return True


@kernel
def _move(blocks, formulas, v, memory):
    """Concentrations of all compartments through the step that took V to what it is."""
    for block in range(blocks.base.size):
        kind, at, width = blocks.kind[block], blocks.base[block], blocks.width[block]
        first = block * BLOCK
        for k in range(width):
            memory[at + k] = 0.5 * (memory[at + k] + v[blocks.place[first + k]])
        begin, end = blocks.move[kind, 0], blocks.move[kind, 1]
        evaluate(formulas, memory, begin, end, at, width)


@inlined
def _advance(step, blocks, formulas, group, output, strengths, levels, first_step, steps):
    spikes, samples, silent, frame = output
    plan, state = group[0], group[1]
    memory, taken = state.gates, 0
    for i in range(steps):
        for c in range(plan.clamp_place.size):
            blocks.levels[c, 0] = levels[c, i]
            if not np.isnan(levels[c, i]):
                impose(plan, state, plan.clamp_place[c], levels[c, i])
        if not _look_ahead(blocks, formulas, state.v, memory):
            return i, taken, NO_TABLE
        if samples.stride > 0 and (first_step + i) % samples.stride == 0:
            sample(state, samples, frame + taken)
            taken += 1
        if not _conduct(blocks, formulas, memory):
            return i, taken, NO_IONS
        for row in range(blocks.fed.size):
            blocks.strengths[blocks.fed[row], 0] = strengths[row, i]
        now = first_step + i
        _, _, reason = step(*group, spikes, silent, blocks.strengths, blocks.levels, now, 1)
        _move(blocks, formulas, state.v, memory)
        if reason != FINISHED:
            return i + 1, taken, reason
    return steps, taken, FINISHED


@kernel
def run_lanes(blocks, formulas, group, output, strengths, levels, first_step, steps):
    """Advance a group of lanes by up to ``steps`` steps.

    Parameters
    ----------
    blocks : Blocks
    formulas : Formulas
    group : tuple
        What the kernel of the group takes first: plan and state; of limbs tree and branches besides.
    output : tuple
        Spikes and samples; again samples, but with a stride of 0; and how many samples were taken before.
    strengths, levels, first_step, steps
        As for ``kernel.run_steps``, whose answer this gives as well, or NO_TABLE or NO_IONS.
    """
    return _advance(lanes.run_steps, blocks, formulas, group, output, strengths, levels, first_step, steps)


@kernel
def run_limbs(blocks, formulas, group, output, strengths, levels, first_step, steps):
    """Advance a group of limbs by up to ``steps`` steps, as ``run_lanes``."""
    return _advance(limbs.run_steps, blocks, formulas, group, output, strengths, levels, first_step, steps)

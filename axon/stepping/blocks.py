"""Compartments whose concentrations move, laid out in blocks: their memory, and formulas as programs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.discretise.slots import US_PER_S
from axon.engine.beside import Blocks
from axon.engine.formula import BLOCK, Formulas
from axon.engine.simd import LANES
from axon.engine.tables import CELL, aligned
from axon.geometry import CM_PER_UM
from axon.membranes import Membrane
from axon.membranes.constants import FARADAY, thermal_voltage
from axon.stepping.pools import STIFF, Drift, drifting_gates
from axon.stepping.programs import Program, table

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROWS = ("v", "pool_before", "ahead", "conductance", "current")  # as ``engine.beside`` has them


class Course(NamedTuple):
    """The formulas of a kind of compartments as programs, and the rows that they have."""

    drift: Drift
    rows: tuple[str, ...]
    conduct: Program
    move: Program


@lru_cache(maxsize=64)
def course(membrane: Membrane, celsius: float, dt: float) -> Course:
    """How the concentrations of a membrane take their course, worked out once."""
    drift = Drift(membrane, celsius, dt)
    rows = tuple(dict.fromkeys([*_ROWS, *drift.rows, *drift.conduct, *drift.move]))
    numbers = {term: i for i, term in enumerate(drift.midway.values())}
    return Course(drift, rows, Program(drift.conduct, rows, numbers), Program(drift.move, rows, {}))


class Kind(NamedTuple):
    """Compartments of one kind: their numbers, areas (cm2), diameters (um) and voltages at the start (mV)."""

    course: Course
    here: Ints
    area: Array
    diameter: Array
    v: Array


class Layout:
    """Where the rows of all compartments lie, and what the engine wants to know of them.

    Parameters
    ----------
    kinds : sequence of Kind
    gates : flat float64
        Of the group of lanes or limbs, behind which they are put.
    n : int
        How many compartments there are, with those that have no pools.

    Attributes
    ----------
    memory : flat float64
        The gates, rows to work in, and the rows of the compartments at the start.
    at : dict of str to (n,) int
        Where in memory a row of every compartment is, -1 where there is none.
    pools : list of str
        Names of what can run out, by the number that it has in the programs.
    """

    def __init__(self, kinds: Sequence[Kind], gates: Array, n: int) -> None:
        self.kinds = kinds
        self.programs = [program for kind in kinds for program in (kind.course.conduct, kind.course.move)]
        self.functions = [function for program in self.programs for function in program.tables]
        self.pools = [name for kind in kinds for name in kind.course.drift.midway]
        self.work = -(-len(gates) // LANES) * LANES
        self.own = self.work + max(program.work for program in self.programs) * BLOCK
        self.at: dict[str, Ints] = {}
        self.base: list[Ints] = []
        self._spare: list[tuple[Ints, Ints]] = []
        parts, end = [gates, np.zeros(self.own - len(gates))], self.own
        for kind in kinds:
            rows = _rows_at_start(kind)  # (blocks, rows, BLOCK)
            parts.append(rows.reshape(-1))
            place = end + np.arange(rows.size).reshape(rows.shape)
            self.base.append(place[:, 0, 0])
            for row, name in enumerate(kind.course.rows):
                of_row = self.at.setdefault(name, np.full(n, -1))
                of_row[kind.here] = place[:, row].reshape(-1)[: len(kind.here)]
            last = (len(kind.here) - 1) % BLOCK
            self._spare.append((place[-1, :, last + 1 :], place[-1, :, last : last + 1]))
            end += rows.size
        self.memory = aligned(np.concatenate(parts))

    def fill(self, memory: Array) -> None:
        """Let the room to spare in the last block of every kind go along with its last compartment."""
        for spare, last in self._spare:
            memory[spare] = memory[last]

    def blocks(self, place: Ints, lines: Ints, fed: Ints, clamps: int) -> Blocks:
        """The blocks of all compartments.

        Parameters
        ----------
        place : (n,) int
            Where in V they are.
        lines : (2, n) int
            Rows of the stimuli that give the engine their conductance and current.
        fed : (stimuli,) int
            Rows of all others.
        clamps : int
        """
        ends = np.cumsum([0, *(len(program.code) for program in self.programs)])
        halves = np.stack([ends[:-1], ends[1:]], axis=1).reshape(-1, 2, 2)
        every = np.concatenate([kind.here[_filled(len(kind.here))] for kind in self.kinds])
        counts = [np.diff(_edges(len(kind.here))) for kind in self.kinds]
        return Blocks(
            conduct=np.ascontiguousarray(halves[:, 0]),
            move=np.ascontiguousarray(halves[:, 1]),
            kind=np.repeat(np.arange(len(counts)), [len(own) for own in counts]),
            base=np.concatenate(self.base),
            width=-(-np.concatenate(counts) // LANES) * LANES,
            place=place[every],
            line=np.ascontiguousarray(lines[:, every]),
            fed=fed,
            strengths=np.zeros((len(fed) + 2 * np.count_nonzero(lines[0] >= 0), 1)),
            levels=np.zeros((clamps, 1)),
        )

    def formulas(self, low: float, high: float) -> Formulas:
        """All programs end to end, with tables from ``low`` to ``high`` (mV)."""
        code, numbers, tables, pools = [], [0.0], 0, 0
        for i, program in enumerate(self.programs):
            code.append(program.coded(self.work, self.own, len(numbers), tables, pools))
            numbers += program.numbers
            tables += len(program.tables)
            pools += len(self.kinds[i // 2].course.drift.midway) if i % 2 else 0
        return Formulas(
            code=np.concatenate(code).reshape(-1),
            numbers=np.array(numbers),
            shared=self.own,
            cell=np.zeros(LANES),
            fraction=np.zeros(LANES),
            trouble=np.zeros(1, np.int64),
            **self.tables(low, high),
        )

    def tables(self, low: float, high: float) -> dict[str, Any]:
        """What formulas say of their tables from ``low`` to ``high`` (mV)."""
        every = [table(function, round(low / CELL), round(high / CELL)) for function in self.functions]
        return {
            "table": aligned(np.concatenate([*every, np.zeros(LANES)])),
            "origin": np.cumsum([0, *(len(one) for one in every)])[:-1],
            "columns": np.array([function.width for function in self.functions], np.int64),
            "start": low,
            "density": 1.0 / CELL,
            "low": low,
            "high": high,
        }


def _edges(count: int) -> Ints:
    """Where the blocks of so many compartments begin and end."""
    return np.append(np.arange(0, count, BLOCK), count)


def _filled(count: int) -> Ints:
    """So many compartments, and in the room to spare behind them the last again."""
    return np.minimum(np.arange(-(-count // BLOCK) * BLOCK), count - 1)


def _rows_at_start(kind: Kind) -> Array:
    """Rows of compartments at the start, (blocks, rows, BLOCK); what is not known before a step is 0."""
    known, nothing, filled = _at_start(kind), np.zeros(len(kind.here)), _filled(len(kind.here))
    rows = [known.get(name, nothing)[filled].reshape(-1, BLOCK) for name in kind.course.rows]
    return np.stack(rows, axis=1)


def _at_start(kind: Kind) -> dict[str, Array]:
    """Pools at rest, gates at their steady state, and what stays as it is, by row."""
    drift, count = kind.course.drift, len(kind.here)
    rows = {"scale": kind.area * US_PER_S, "pool_before": kind.v}
    for name, gate in drifting_gates(drift.membrane).items():
        rows[f"pool_gate_{name}"] = gate.steady_state(kind.v, drift.celsius)
    for pool in drift.membrane.pools:
        rows[f"pool_{pool.name}"] = rows[f"pool_earlier_{pool.name}"] = np.full(count, pool.concentration)
        if pool.buffer is not None:
            rows[f"pool_bound_{pool.name}"] = np.full(count, pool.buffer.resting(pool.concentration))
        # What a current that leaves the axon as this ion, in mA/cm2, adds to the concentration in a step.
        layer = np.array([pool.layer(float(d)) for d in kind.diameter]) * CM_PER_UM
        added = drift.dt / (FARADAY * pool.valence * layer)
        rows[f"per_current_{pool.name}"] = added if pool.side == "outside" else -added
        per_volt = thermal_voltage(drift.celsius) / (STIFF * abs(pool.valence))
        rows[f"stiffness_{pool.name}"] = np.abs(added) * per_volt
    return rows

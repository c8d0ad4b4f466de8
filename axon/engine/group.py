"""Cables laid out in lanes: a plan, a state, and where in it every compartment is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine import tables
from axon.engine.cables import Floats, Ints
from axon.engine.simd import LANES, TABLE_WIDTH
from axon.engine.state import Plan, State
from axon.engine.tables import StepCoefficients


@dataclass
class Group:
    """Cables laid out in lanes, ready to step.

    ``number`` is that of the compartment at a flat index, counted on from cable to cable; -1 where none is.
    ``place[i]`` holds the flat index of every compartment of cable i; ``gate_place[i]`` those of its gates,
    -1 for none: the last of all gates, which is always 0.
    """

    plan: Plan
    state: State
    place: list[Ints]
    gate_place: list[Ints]
    coefficients: tuple[StepCoefficients, ...]
    table_cells: tuple[int, int]
    number: Ints

    def advance(self, *arguments: Any) -> tuple[int, int, int]:
        """Make steps: the arguments and answer of ``kernel.run_steps`` after plan and state."""
        from axon.engine.kernel import run_steps

        return run_steps(self.plan, self.state, *arguments)

    def lasting(self, number: int) -> dict[str, tuple[NDArray, Any]]:
        """What of a cable lasts from step to step: arrays, and where in them its values lie (-1: none)."""
        state = self.state
        place = self.place[number]
        out = {
            "v": (state.v, place),
            "gates": (state.gates, self.gate_place[number]),
            "damped": (state.damped, slice(None)),
        }
        if self.plan.third:
            for order in range(3):
                out[f"difference_{order + 1}"] = (state.differences, place + order * state.v.size)
            out["valid"] = (state.valid, slice(None))
        return out

    def expect_kinks(self, kinks: Sequence[Mapping[int, bool]], first: int) -> None:
        """At which steps from ``first`` on the voltage of every cable goes on in another way.

        And whether right between two steps; see ``Job.kinks``.
        """
        lanes = [-1] if len(kinks) == 1 else range(len(kinks))
        ahead = sorted(
            (k, lane, between)
            for lane, own in zip(lanes, kinks, strict=True)
            for k, between in own.items()
            if k >= first
        )
        if ahead:
            step, lane, between = (np.array(column, np.int64) for column in zip(*ahead, strict=True))
            self.state = self.state._replace(kink_step=step, kink_lane=lane, kink_between=between)

    def before(self, place: Ints, v: Floats) -> Floats:
        """V at these places one step before it was ``v``, which was one step before now; nan if not known."""
        out, state = np.full(len(place), np.nan), self.state
        if self.plan.third:
            known = state.valid[LANES + place % LANES] > 0
            differences = state.differences[place] - state.differences[state.v.size + place]
            out[known] = (v - differences)[known]
        return out

    def span(self) -> tuple[float, float]:
        """Lowest and highest voltage at which tables are read for steps of third order, mV."""
        v, state = self.state.v, self.state
        d1, d2, _ = np.abs(state.differences).reshape(3, -1)
        reach = 0.5 * (d1 + d2)  # the Gauss points lie nearer
        return float((v - reach).min()), float((v + reach).max())

    def widen(self, low_cell: int, high_cell: int) -> None:
        """Extend the tables to cover ``low_cell``..``high_cell``; what was there stays bit for bit."""
        low, high = min(low_cell, self.table_cells[0]), max(high_cell, self.table_cells[1])
        table, starts = tables.join_chunks(self.coefficients, low, high)
        old_starts = tables.join_chunks(self.coefficients, *self.table_cells)[1]
        old = np.searchsorted(old_starts, self.plan.origin, "right") - 1
        chunk = (self.plan.origin - old_starts[old]) // chunk_size(*self.table_cells)
        origin = tables.aligned(starts[old] + chunk * chunk_size(low, high))
        self.plan = self.plan._replace(table=table, origin=origin, **tables.bounds(low, high))
        self.table_cells = (low, high)


def chunk_size(low: int, high: int) -> int:
    """Of the table of a chunk of gates, in doubles."""
    return (high - low) * TABLE_WIDTH

"""A group of lanes or limbs, and beside it the compartments whose concentrations move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine import beside
from axon.engine.beside import NO_IONS, NO_TABLE
from axon.engine.group import Group
from axon.engine.limbs import LimbGroup
from axon.engine.samples import Samples
from axon.engine.state import FINISHED, Plan, State
from axon.membranes.limits import evaluate
from axon.stepping.blocks import Kind, Layout
from axon.stepping.pools import Drift, drifting_gates

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_REACH = 250.0  # mV, of the first tables


class RanOut(Exception):
    """A pool is empty: which, in what compartment, and in what step."""

    def __init__(self, pool: str, place: int, step: int) -> None:
        super().__init__(pool)
        self.pool, self.place, self.step = pool, place, step


class PoolGroup:
    """A group of lanes or limbs with compartments whose concentrations move.

    It steps like a group. The rows of the compartments lie behind the gates and are sampled like them.

    Parameters
    ----------
    group : Group
        In which stimuli give every such compartment a conductance and a current.
    kinds : sequence of Kind
    names : sequence of sequence of str
        Of every axon the rows that are sampled, behind its own gates.
    lines : (2, n) int
        Rows of those stimuli by the number of the compartment, -1 where it has no pool.
    fed : (stimuli,) int
        Rows of all others.
    """

    def __init__(
        self, group: Group, kinds: Sequence[Kind], names: Sequence[Sequence[str]], lines: Ints, fed: Ints
    ) -> None:
        self.group, self.kinds = group, kinds
        self.place, self.number = group.place, group.number
        self.every = np.concatenate(group.place)
        self.low, self.high = -_REACH, _REACH
        self.layout = Layout(kinds, group.state.gates, len(self.every))
        self.at = self.layout.at
        group.state = group.state._replace(gates=self.layout.memory)
        self.blocks = self.layout.blocks(self.every, lines, fed, len(group.plan.clamp_place))
        self.formulas = self.layout.formulas(self.low, self.high)
        ends = np.cumsum([len(place) for place in group.place])
        self.gate_place = [
            np.concatenate([own, *(self.at[name][end - len(own) : end, None] for name in rows)], axis=1)
            for own, end, rows in zip(group.gate_place, ends, names, strict=True)
        ]

    @property
    def plan(self) -> Plan:
        """Of the group."""
        return self.group.plan

    @property
    def state(self) -> State:
        """Of the group; its gates are the memory of the compartments too."""
        return self.group.state

    @property
    def table_cells(self) -> tuple[int, int]:
        """Of the group's own tables."""
        return self.group.table_cells

    def lasting(self, number: int) -> dict[str, tuple[Array, Any]]:
        """As of the group; for the compartments see ``save``."""
        return self.group.lasting(number)

    def widen(self, low_cell: int, high_cell: int) -> None:
        """Extend the group's own tables."""
        self.group.widen(low_cell, high_cell)

    def advance(
        self, spikes: Any, samples: Samples, strengths: Array, levels: Array, first: int, count: int
    ) -> tuple[int, int, int]:
        """Make steps: the arguments and answer of ``kernel.run_steps`` after plan and state.

        Raises
        ------
        RanOut
            Where a pool has run out.
        """
        done, frame, reason = 0, 0, FINISHED
        silent = samples._replace(stride=0)
        while done < count and reason in (FINISHED, NO_TABLE):
            self._take_jumps(levels[:, done])
            end = self._changes(levels, done)
            if self._give(levels[:, done]):
                end = done + 1
            self.layout.fill(self.state.gates)
            now, held = (np.ascontiguousarray(part[:, done:end]) for part in (strengths, levels))
            made, taken, reason = self._run(
                (spikes, samples, silent, frame), now, held, first + done, end - done
            )
            done, frame = done + made, frame + taken
            if reason == NO_TABLE:
                self._widen()
            elif reason == NO_IONS:
                pool = self.layout.pools[int(self.formulas.trouble[0])]
                raise RanOut(pool, self._emptiest(pool), first + done)
        return done, frame, reason

    def _run(self, *arguments: Any) -> tuple[int, int, int]:
        if isinstance(self.group, LimbGroup):
            limbs = (self.plan, self.state, self.group.tree, self.group.branches)
            return beside.run_limbs(self.blocks, self.formulas, limbs, *arguments)
        return beside.run_lanes(self.blocks, self.formulas, (self.plan, self.state), *arguments)

    def _emptiest(self, pool: str) -> int:
        """The compartment in which there is least of a pool at the middle of the step."""
        return int(np.nanargmin(self._midway(pool)))

    def _midway(self, pool: str, here: Any = slice(None)) -> Array:
        return 1.5 * self._row(f"pool_{pool}", here) - 0.5 * self._row(f"pool_earlier_{pool}", here)

    def _row(self, name: str, here: Any = slice(None)) -> Array:
        """A row of the compartments ``here``, nan where there is none."""
        at = self.at[name][here]
        return np.where(at >= 0, self.state.gates[at], np.nan)

    def _widen(self) -> None:
        """Extend the tables to where V has gone, or would go in half a step."""
        v = self.state.v[self.every]
        ahead = 1.5 * v - 0.5 * self._row("pool_before")
        size = np.nanmax(np.abs([v, ahead]))
        while size >= self.high:
            self.low, self.high = 2 * self.low, 2 * self.high
        self.formulas = self.formulas._replace(**self.layout.tables(self.low, self.high))

    def _give(self, levels: Array) -> bool:
        """Let NumPy evaluate what cannot be traced, for the step that comes; whether there is any."""
        some, voltages = False, self.state.v.copy()
        held = ~np.isnan(levels)
        voltages[self.plan.clamp_place[held]] = levels[held]
        for kind in self.kinds:
            for row, rate, reads, midway in kind.course.drift.given:
                some, here = True, kind.here
                v = voltages[self.every[here]]
                around = [self._row(f"pool_{pool.name}", here) for pool in reads]
                if midway:
                    v = 1.5 * v - 0.5 * self._row("pool_before", here)
                    around = [self._midway(pool.name, here) for pool in reads]
                self.state.gates[self.at[row][here]] = evaluate(rate, v, *around)
        return some

    def save(self) -> dict[str, Array]:
        """What of the compartments lasts from one step to the next, nan where there is none."""
        rows = {name: self._row(name) for name in self.at if name.startswith("pool_")}
        some = self.at["scale"] >= 0
        reach = {"pool_low": self.low, "pool_high": self.high}
        return rows | {name: np.where(some, value, np.nan) for name, value in reach.items()}

    def restore(self, saved: Mapping[str, Array]) -> None:
        """Go on from what was saved; what that does not name stays, also where it is nan."""
        for name in self.at.keys() & saved.keys():
            known = (self.at[name] >= 0) & ~np.isnan(saved[name])
            self.state.gates[self.at[name][known]] = saved[name][known]
        if "pool_low" in saved:
            self.low, self.high = np.nanmin(saved["pool_low"]), np.nanmax(saved["pool_high"])
            self.formulas = self.formulas._replace(**self.layout.tables(self.low, self.high))

    def _changes(self, levels: Array, done: int) -> int:
        """The step before which a clamp next changes its level, or the last."""
        ahead = levels[:, done:]
        same = (ahead == ahead[:, :1]) | (np.isnan(ahead) & np.isnan(ahead[:, :1]))
        return done + int(np.argmin(np.append(same.all(axis=0), False)))

    def _take_jumps(self, levels: Array) -> None:
        """Let gates take up that clamps set the voltage of compartments to new levels.

        A gate then sees half a step of each voltage. The step makes a whole one at the new voltage; half of
        it is taken back beforehand.
        """
        for flat, level in zip(self.plan.clamp_place, levels, strict=True):
            if np.isnan(level) or self.state.v[flat] == level:
                continue
            for drift, here, *_ in ((kind.course.drift, kind.here) for kind in self.kinds):
                for at in here[self.every[here] == flat]:
                    self._jump(drift, int(at), float(level))

    def _jump(self, drift: Drift, at: int, level: float) -> None:
        gates, old = self.state.gates, float(self.state.v[self.every[at]])
        around = {pool.name: gates[self.at[f"pool_{pool.name}"][at]] for pool in drift.membrane.pools}
        for name, gate in drifting_gates(drift.membrane).items():
            if not gate.instantaneous:
                x = self.at[f"pool_gate_{name}"][at]
                steady0, rate0 = gate.kinetics(old, drift.celsius, around)
                steady1, rate1 = gate.kinetics(level, drift.celsius, around)
                decay0, decay1 = np.exp(-0.5 * drift.dt * rate0), np.exp(-0.5 * drift.dt * rate1)
                if decay1 > 0:
                    halfway = steady0 + (gates[x] - steady0) * decay0
                    gates[x] = steady1 + (halfway - steady1) / decay1
        gates[self.at["pool_before"][at]] = level

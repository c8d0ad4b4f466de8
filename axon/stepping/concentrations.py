"""Runs in which concentrations follow the currents: membranes with pools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine.cables import Cable
from axon.errors import Unstable
from axon.membranes import Membrane
from axon.record import Record
from axon.stepping.blocks import Kind, course
from axon.stepping.collect import Collector
from axon.stepping.pool_group import PoolGroup, RanOut
from axon.stepping.pools import drifting_gates
from axon.stepping.stepper import Stepper
from axon.stepping.tape import Rows, Tape

Array = NDArray[Any]


class PoolCollector(Collector):
    """Keeps besides what every run keeps the concentrations, and the gates that depend on them.

    Their samples stand behind those of the other gates.
    """

    raw: Array

    @property
    def rows(self) -> list[str]:
        """The rows of these gates and pools, which are the last ones among the samples."""
        membranes = self.job.compartments.membranes
        gates = {name: gate for m in membranes for name, gate in drifting_gates(m).items()}
        rows = [f"pool_gate_{name}" for name, gate in gates.items() if not gate.instantaneous]
        return rows + list(dict.fromkeys(f"pool_{pool.name}" for m in membranes for pool in m.pools))

    def _sampled(self, row: str, here: NDArray[np.intp]) -> Array:
        """A row of the sampled compartments ``here``, (frames, n)."""
        sampled: Array = self.raw[:, here, self.rows.index(row) - len(self.rows)]
        return sampled

    def _keep_derived(self, tape: Tape, v: Array, raw: Array) -> None:
        self.raw = raw
        super()._keep_derived(tape, v, raw)

    def _keep(self, tape: Tape, rows: Rows) -> None:
        super()._keep(tape, rows)
        self.raw = rows.raw
        if "concentrations" in tape.kinds:
            for name in self.record.concentration_names(self.job.axon):
                every = np.full(rows.v.shape, np.nan)
                for k in range(len(self.kinds)):
                    every[:, self.which == k] = self._concentrations(k).get(name, np.nan)
                self.sink.append(f"concentrations/{name}", every)

    def _concentrations(self, k: int) -> Mapping[str, Array]:
        here = np.flatnonzero(self.which == k)
        return {pool.name: self._sampled(f"pool_{pool.name}", here) for pool in self.kinds[k][0].pools}

    def _gates_in_time(self, v: Array, raw: Array) -> dict[str, Array]:
        out = super()._gates_in_time(v, raw)
        for k, (membrane, celsius) in enumerate(self.kinds):
            here, around = np.flatnonzero(self.which == k), self._concentrations(k)
            for name, gate in drifting_gates(membrane).items():
                steady, rate = gate.kinetics(v[:, here], celsius, around)
                out[name][:, here] = steady
                if not gate.instantaneous:
                    late = self._sampled(f"pool_gate_{name}", here) - steady
                    out[name][:, here] += late * np.exp(-0.5 * self.job.dt * rate)
        return out


class PoolStepper(Stepper):
    """Steps axons with what depends on concentrations beside the lanes.

    To these that is a conductance and a current in every compartment, new in every step. Compartments are
    numbered on from axon to axon, so that those with the same membrane are worked out together.

    Parameters
    ----------
    collectors : list of PoolCollector
    cables : list of Cable
    order : int
        2 or 4.
    record : Record
    """

    seconds_per_step = 4e-8

    def __init__(self, collectors: list[Collector], cables: list[Cable], order: int, record: Record) -> None:
        every = [collector.job.compartments for collector in collectors]
        self.first = np.cumsum([0, *map(len, every)])
        area, diameter = (np.concatenate([getattr(c, name) for c in every]) for name in ("area", "diameter"))
        v = np.concatenate([np.asarray(collector.job.v, float) for collector in collectors])
        alike: dict[tuple[Membrane, float], list[NDArray[np.intp]]] = {}
        for first, compartments in zip(self.first, every, strict=False):
            kinds, which = compartments.patches()
            for k, kind in enumerate(kinds):
                if kind[0].drifts:
                    alike.setdefault(kind, []).append(first + np.flatnonzero(which == k))
        self.kinds = []
        for (membrane, celsius), parts in alike.items():
            here, own = np.concatenate(parts), course(membrane, celsius, collectors[0].job.dt)
            self.kinds.append(Kind(own, here, area[here], diameter[here], v[here]))
        super().__init__(collectors, cables, order, record)

    def _laid_out(self, cables: list[Cable], order: int, cells: tuple[int, int]) -> PoolGroup:
        """The cables with a conductance and a current for every compartment with pools, as by stimuli."""
        here = np.sort(np.concatenate([kind.here for kind in self.kinds]))
        fed, rows = [], 0
        own: list[NDArray[np.intp]] = []
        lines = np.full((2, self.first[-1]), -1)
        for cable, sources, first, end in zip(
            cables, self.sources, self.first[:-1], self.first[1:], strict=True
        ):
            mine = here[(here >= first) & (here < end)]
            stimuli, n = len(sources.stimuli) + len(sources.synapses), len(mine)
            own.append(rows + np.arange(stimuli))
            lines[:, mine] = rows + stimuli + np.arange(2 * n).reshape(2, n)
            fed.append(_fed(cable, mine - first, stimuli + np.arange(2 * n)))
            rows += stimuli + 2 * n
        group = super()._laid_out(fed, order, cells)
        names = [collector.rows for collector in self.collectors if isinstance(collector, PoolCollector)]
        return PoolGroup(group, self.kinds, names, lines, np.concatenate(own))

    def _advance(self, talk: bool, *arguments: Any) -> tuple[int, int, int]:
        try:
            return super()._advance(talk, *arguments)
        except RanOut as trouble:
            i = int(np.searchsorted(self.first, trouble.place, "right")) - 1
            x = self.jobs[i].compartments.position[trouble.place - self.first[i]]
            raise Unstable(
                f"pool {trouble.pool!r} has run out at t = {trouble.step * self.dt:g} ms, x = {x:g} um; try "
                f"a smaller dt than {self.dt:g} ms, a weaker stimulus, or a wider pool",
                run=self.collectors[i].result(self.done),
            ) from None

    def _beside(self) -> dict[str, Array]:
        return self.group.save()

    def _restore(self, start: Mapping[str, Array]) -> None:
        super()._restore(start)
        self.group.restore(start)


def _fed(cable: Cable, here: NDArray[np.intp], rows: NDArray[np.intp]) -> Cable:
    """The cable with two more stimuli in the compartments ``here``: conductances, then currents."""
    return replace(
        cable,
        frame=None,
        source_place=np.concatenate([cable.source_place, here, here]),
        source_weight=np.concatenate([cable.source_weight, np.ones(len(rows))]),
        source_row=np.concatenate([cable.source_row, rows]),
        source_opens=np.concatenate([cable.source_opens, np.repeat([True, False], len(here))]),
        source_crosses=np.concatenate([cable.source_crosses, np.ones(len(rows), bool)]),
    )

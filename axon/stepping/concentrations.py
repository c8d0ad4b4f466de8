"""Runs in which concentrations follow the currents: membranes with pools, a step at a time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine.cables import Cable
from axon.engine.state import FINISHED
from axon.errors import Unstable
from axon.membranes import Membrane
from axon.record import Record
from axon.stepping.collect import Collector
from axon.stepping.pools import Drift, RanOut, drifting_gates
from axon.stepping.stepper import Stepper

Array = NDArray[Any]


class PoolCollector(Collector):
    """Keeps besides what every run keeps the gates and concentrations that are not in the engine.

    ``beside`` holds, for the samples that come next, (frames, n, names): the gates of channels that depend on
    pools, half a step behind, and concentrations; nan where a compartment has no such.
    """

    beside: Array
    at_once = sys.maxsize  # since ``beside`` is of all samples

    @property
    def drifting(self) -> dict[str, int]:
        """Names of these gates and of the pools, and their places in ``beside``."""
        membranes = self.job.compartments.membranes
        names = dict.fromkeys(name for m in membranes for name in drifting_gates(m))
        names |= dict.fromkeys(pool.name for m in membranes for pool in m.pools)
        return {name: i for i, name in enumerate(names)}

    def samples(self, steps: NDArray[np.int64], v: Array, raw: Array) -> None:
        super().samples(steps, v, raw)
        for name in self.record.concentration_names(self.job.axon):
            self.sink.append(f"concentrations/{name}", self.beside[:, :, self.drifting[name]])

    def _concentrations(self, k: int) -> Mapping[str, Array]:
        here, places = np.flatnonzero(self.which == k), self.drifting
        return {pool.name: self.beside[:, here, places[pool.name]] for pool in self.kinds[k][0].pools}

    def _gates_in_time(self, v: Array, raw: Array) -> dict[str, Array]:
        out, places = super()._gates_in_time(v, raw), self.drifting
        for k, (membrane, celsius) in enumerate(self.kinds):
            here, around = np.flatnonzero(self.which == k), self._concentrations(k)
            for name, gate in drifting_gates(membrane).items():
                steady, rate = gate.kinetics(v[:, here], celsius, around)
                late = (self.beside[:, here, places[name]] - steady) * np.exp(-0.5 * self.job.dt * rate)
                out[name][:, here] = steady + late
        return out


class PoolStepper(Stepper):
    """Steps axons with what depends on concentrations beside the engine.

    To the engine that is a conductance and a current in every compartment, new in every step. Compartments
    are numbered on from axon to axon, so that those with the same membrane are worked out together.

    Parameters
    ----------
    collectors : list of PoolCollector
    cables : list of Cable
    order : int
        2 or 4.
    record : Record
    """

    seconds_per_step = 6e-7

    def __init__(self, collectors: list[Collector], cables: list[Cable], order: int, record: Record) -> None:
        self.pooled = [collector for collector in collectors if isinstance(collector, PoolCollector)]
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
        self.drifts = []
        for kind, parts in alike.items():
            here = np.concatenate(parts)
            self.drifts.append(Drift(*kind, collectors[0].job.dt, here, area[here], diameter[here], v[here]))
        self.here = np.concatenate([drift.here for drift in self.drifts])
        self._seen: list[list[Array]] = []
        super().__init__(collectors, cables, order, record)
        self.place = np.concatenate(self.group.place)[self.here]

    def _laid_out(self, cables: list[Cable], order: int, cells: tuple[int, int]) -> Any:
        """The cables with a conductance and a current for every compartment with pools, as by stimuli."""
        owner = np.searchsorted(self.first, self.here, "right") - 1
        fed, rows = [], 0
        own_rows: list[NDArray[np.intp]] = []
        self.line_rows = np.zeros((2, len(self.here)), np.intp)
        for i, (cable, sources) in enumerate(zip(cables, self.sources, strict=True)):
            mine = np.flatnonzero(owner == i)
            stimuli, n = len(sources.stimuli) + len(sources.synapses), len(mine)
            lines = stimuli + np.arange(2 * n)
            own_rows.append(rows + np.arange(stimuli))
            self.line_rows[:, mine] = rows + lines.reshape(2, n)
            rows += stimuli + 2 * n
            fed.append(_fed(cable, self.here[mine] - self.first[i], lines))
        self.stimulus_rows = np.concatenate(own_rows)
        return super()._laid_out(fed, order, cells)

    def _advance(self, talk: bool, *arguments: Any) -> tuple[int, int, int]:
        spikes, samples, strengths, levels, first, count = arguments
        state, frame = self.group.state, 0
        fed = np.zeros((len(self.stimulus_rows) + self.line_rows.size, 1))
        for i in range(count):
            if samples.stride and (first + i) % samples.stride == 0:
                self._seen.append(self._now())
            v = self._clamped(state.v[self.place], levels[:, i])
            fed[self.stimulus_rows, 0] = strengths[:, i]
            fed[self.line_rows, 0] = self._conduct(v, first + i)
            into = samples._replace(first=samples.first + frame * samples.width, gates=samples.gates[frame:])
            done, taken, reason = super()._advance(
                talk, spikes, into, fed, levels[:, i : i + 1], first + i, 1
            )
            frame += taken
            self._move((v + state.v[self.place]) / 2)
            if reason != FINISHED:
                return i + done, frame, reason
        return count, frame, FINISHED

    def _beside(self) -> dict[str, Array]:
        n = int(self.first[-1])
        out: dict[str, Array] = {}
        for drift in self.drifts:
            for name, values in drift.state().items():
                out.setdefault(name, np.full(n, np.nan))[drift.here] = values
        return out

    def _restore(self, start: Mapping[str, Array]) -> None:
        super()._restore(start)
        for drift in self.drifts:
            drift.restore({name: start[name][drift.here] for name in drift.state() if name in start})

    def _parts(self, v: Array) -> list[Array]:
        """Values of all compartments with pools, parted by their drifts."""
        ends = np.cumsum([len(drift.here) for drift in self.drifts])
        return [v[end - len(drift.here) : end] for end, drift in zip(ends, self.drifts, strict=True)]

    def _clamped(self, v: Array, levels: Array) -> Array:
        """The voltages with those that clamps impose in this step; gates take up what jumps."""
        compartments = self.jobs[0].compartments  # an axon with clamps is alone
        for clamp, level in zip(self.clamps, levels, strict=True):
            at = np.flatnonzero(self.here == compartments.nearest(clamp.at))
            if len(at) and not np.isnan(level) and v[at[0]] != level:
                v[at[0]] = level
                first = 0
                for drift in self.drifts:
                    if first <= at[0] < first + len(drift.here):
                        drift.jump(int(at[0]) - first, float(level))
                    first += len(drift.here)
        return v

    def _conduct(self, v: Array, step: int) -> tuple[Array, Array]:
        """Conductance (uS) and current (nA) of all compartments with pools at the middle of a step."""
        try:
            lines = [drift.conduct(part) for drift, part in zip(self.drifts, self._parts(v), strict=True)]
        except RanOut as trouble:
            i = int(np.searchsorted(self.first, trouble.place, "right")) - 1
            x = self.jobs[i].compartments.position[trouble.place - self.first[i]]
            raise Unstable(
                f"pool {trouble.pool!r} has run out at t = {step * self.dt:g} ms, x = {x:g} um; try a "
                f"smaller dt than {self.dt:g} ms, a weaker stimulus, or a wider pool",
                run=self.collectors[i].result(self.done),
            ) from None
        conductance, current = (np.concatenate(parts) for parts in zip(*lines, strict=True))
        return conductance, current

    def _move(self, v: Array) -> None:
        for drift, part in zip(self.drifts, self._parts(v), strict=True):
            drift.move(part)

    def _now(self) -> list[Array]:
        """Gates and concentrations of the sampled compartments of every axon, (n, names) each."""
        known = [{**drift.gates, **drift.concentration} for drift in self.drifts]
        every = {name: np.full(int(self.first[-1]), np.nan) for own in known for name in own}
        for drift, own in zip(self.drifts, known, strict=True):
            for name, values in own.items():
                every[name][drift.here] = values
        now = []
        for first, collector in zip(self.first, self.pooled, strict=False):
            seen = [every[name][first + collector.own] for name in collector.drifting]
            now.append(np.reshape(seen, (len(seen), len(collector.own))).T)
        return now

    def _keep(self, steps: NDArray[np.int64]) -> None:
        if len(self._seen) < len(steps):  # the last sample, of what no step follows
            self._seen.append(self._now())
        for collector, seen in zip(self.pooled, zip(*self._seen, strict=True), strict=True):
            collector.beside = np.stack(seen)
        self._seen = []
        super()._keep(steps)


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

"""Runs in which concentrations follow the currents: membranes with pools, a step at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.collect import Collector
from axon.engine.lanes import Cable
from axon.engine.state import FINISHED
from axon.errors import Unstable
from axon.pools import Drift, RanOut, drifting_gates
from axon.record import Record
from axon.stepping import Stepper

Array = NDArray[Any]


class PoolCollector(Collector):
    """Keeps besides what every run keeps the gates and concentrations that are not in the engine.

    ``beside`` holds, for the samples that come next, (frames, n, names): the gates of channels that depend on
    pools, half a step behind, and concentrations; nan where a compartment has no such.
    """

    beside: Array

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
    """Steps one axon with what depends on concentrations beside the engine.

    To the engine that is a conductance and a current in every compartment, new in every step.

    Parameters
    ----------
    collectors : list of one PoolCollector
    cables : list of one Cable
    order : int
        2 or 4.
    record : Record
    """

    seconds_per_step = 6e-7

    def __init__(self, collectors: list[Collector], cables: list[Cable], order: int, record: Record) -> None:
        (only,) = collectors
        assert isinstance(only, PoolCollector)
        self._collector, job = only, only.job
        kinds, which = job.compartments.patches()
        self.drifts = [
            Drift(membrane, celsius, job.dt, job.compartments, here, np.asarray(job.v[here], float))
            for k, (membrane, celsius) in enumerate(kinds)
            if membrane.pools
            for here in [np.flatnonzero(which == k)]
        ]
        self.here = np.concatenate([drift.here for drift in self.drifts])
        self._seen: list[Array] = []
        super().__init__(collectors, cables, order, record)

    def _laid_out(self, cables: list[Cable], order: int, cells: tuple[int, int]) -> Any:
        (cable,), n = cables, len(self.here)
        rows = len(self.sources[0].stimuli) + len(self.sources[0].synapses)
        fed = replace(
            cable,
            frame=None,
            source_place=np.concatenate([cable.source_place, self.here, self.here]),
            source_weight=np.concatenate([cable.source_weight, np.ones(2 * n)]),
            source_row=np.concatenate([cable.source_row, rows + np.arange(2 * n)]),
            source_opens=np.concatenate([cable.source_opens, np.repeat([True, False], n)]),
        )
        return super()._laid_out([fed], order, cells)

    def _advance(self, talk: bool, *arguments: Any) -> tuple[int, int, int]:
        spikes, samples, strengths, levels, first, count = arguments
        state, frame, place = self.group.state, 0, self.group.place[0][self.here]
        for i in range(count):
            if samples.stride and (first + i) % samples.stride == 0:
                self._seen.append(self._now())
            v = self._clamped(state.v[place], levels[:, i])
            fed = np.concatenate([strengths[:, i], *self._conduct(v, first + i)])[:, None]
            into = samples._replace(v=samples.v[frame:], gates=samples.gates[frame:])
            done, taken, reason = super()._advance(
                talk, spikes, into, fed, levels[:, i : i + 1], first + i, 1
            )
            frame += taken
            self._move((v + state.v[place]) / 2)
            if reason != FINISHED:
                return i + done, frame, reason
        return count, frame, FINISHED

    def _beside(self) -> dict[str, Array]:
        n = len(self._collector.job.compartments)
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
        compartments = self._collector.job.compartments
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
        job = self._collector.job
        try:
            lines = [drift.conduct(part) for drift, part in zip(self.drifts, self._parts(v), strict=True)]
        except RanOut as trouble:
            x = job.compartments.position[trouble.place]
            raise Unstable(
                f"pool {trouble.pool!r} has run out at t = {step * self.dt:g} ms, x = {x:g} um; try a "
                f"smaller dt than {self.dt:g} ms, a weaker stimulus, or a wider pool",
                run=self._collector.result(self.done),
            ) from None
        conductance, current = (np.concatenate(parts) for parts in zip(*lines, strict=True))
        return conductance, current

    def _move(self, v: Array) -> None:
        for drift, part in zip(self.drifts, self._parts(v), strict=True):
            drift.move(part)

    def _now(self) -> Array:
        """Gates and concentrations of the sampled compartments, (n, names)."""
        names, own = self._collector.drifting, self._collector.own
        out = np.full((len(self._collector.job.compartments), len(names)), np.nan)
        for drift in self.drifts:
            for name, values in {**drift.gates, **drift.concentration}.items():
                out[drift.here, names[name]] = values
        return out[own]

    def _keep(self, steps: NDArray[np.int64], v: Array, gates: Array) -> None:
        if len(self._seen) < len(steps):  # the last sample, of what no step follows
            self._seen.append(self._now())
        self._collector.beside, self._seen = np.stack(self._seen), []
        super()._keep(steps, v, gates)

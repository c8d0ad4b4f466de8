"""One group of lanes through time: chunks of steps, samples and spikes collected, trouble named."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.cable import gated_channels, patch_kinds
from axon.engine.lanes import Cable, lay_out
from axon.engine.simd import LANES
from axon.engine.tables import CELL
from axon.errors import Unstable
from axon.job import Job
from axon.progress import CompileNotice, Progress
from axon.record import Record
from axon.run import Run
from axon.stimuli import Clamp

Array = NDArray[Any]

_CHUNK_SECONDS = 0.1
_SECONDS_PER_COMPARTMENT_STEP = 8e-9
_CHUNK_SAMPLES = 4_000_000  # values
_RUNAWAY = 20_000.0  # mV; no current that leaves an axon whole takes it there
_compiling = threading.Lock()
_compiled = False


class Stepper:
    """Steps the axons of one group and makes their runs.

    Parameters
    ----------
    members : list of int
        The caller's numbers of the axons.
    cables : list of Cable
    jobs : list
        Their axons, compartments, stimuli and steps.
    order : int
        2 or 4.
    record : Record
    """

    def __init__(
        self, members: list[int], cables: list[Cable], jobs: Sequence[Job], order: int, record: Record
    ) -> None:
        self.members, self.jobs, self.order, self.record = members, list(jobs), order, record
        self.dt, self.steps = jobs[0].dt, jobs[0].steps
        levels = [s.voltage for job in jobs for s in job.stimuli if isinstance(s, Clamp)]
        voltages = np.concatenate([cable.v for cable in cables] + [np.array(levels)])
        self.group = lay_out(
            cables, dt=self.dt, threshold=record.threshold, fourth=order == 4, table_cells=_cells(voltages)
        )
        self.currents = [s for job in jobs for s in job.stimuli if not isinstance(s, Clamp)]
        self.clamps = [s for job in jobs for s in job.stimuli if isinstance(s, Clamp)]
        self.done = 0
        self.complete = False
        self.sampled = [record.indices(job.compartments) for job in jobs]
        self.v_parts: list[Array] = []
        self.gate_parts: list[Array] = []
        self.times: list[Array] = []
        self.crossings: list[tuple[NDArray[np.int64], Array]] = []
        self._index_samples()

    @property
    def work(self) -> float:
        """Model time to step through, ms."""
        return self.steps * self.dt

    def _index_samples(self) -> None:
        group, record = self.group, self.record
        none = np.zeros(0, np.int64)
        places = [group.place[i][own] for i, own in enumerate(self.sampled)]
        self.v_index = np.concatenate(places) if record.samples else none
        self.gate_shape = [group.gate_place[i][own].shape for i, own in enumerate(self.sampled)]
        wanted = bool(record.gates or record.currents)
        flat = [group.gate_place[i][own].reshape(-1) for i, own in enumerate(self.sampled)]
        self.gate_index = np.maximum(np.concatenate(flat), 0) if wanted else none

    def run(self, bar: Progress, stop: threading.Event) -> None:
        """Step to the end, or until ``stop`` is set between two chunks."""
        import axon.engine.kernel as kernel

        stride = self.record.stride(self.dt) if self.record.samples else 0
        flat = self.group.plan.rows * LANES
        chunk = max(1, int(_CHUNK_SECONDS / (_SECONDS_PER_COMPARTMENT_STEP * flat)))
        if stride:
            width = len(self.v_index) + len(self.gate_index)
            chunk = min(chunk, stride * max(1, _CHUNK_SAMPLES // max(width, 1)))
        room = 8 * flat + 1024
        spikes = kernel.Spikes(
            np.zeros(room, np.int64),
            np.zeros(room, np.int64),
            np.zeros(room),
            np.zeros(room),
            np.zeros(room),
            np.zeros(2, np.int64),
        )
        while self.done < self.steps and not stop.is_set():
            self._chunk(kernel, spikes, stride, min(chunk, self.steps - self.done), bar)
        self.complete = self.done == self.steps
        self._drain(spikes, everything=True)
        if stride and self.done % stride == 0:
            state = self.group.state
            self._keep(np.array([self.done]), state.v[self.v_index][None], state.gates[self.gate_index][None])

    def _chunk(self, kernel: Any, spikes: Any, stride: int, count: int, bar: Progress) -> None:
        first = self.done
        step = np.arange(first, first + count)
        edges = np.arange(first, first + count + 1) * self.dt
        currents = np.array([np.diff(s.charge(edges)) / self.dt for s in self.currents]).reshape(-1, count)
        levels = np.array([s.level(step, self.dt) for s in self.clamps]).reshape(-1, count)
        frames = (first + count - 1) // stride - (first - 1) // stride if stride else 0
        samples = kernel.Samples(
            stride,
            self.v_index,
            self.gate_index,
            np.empty((frames, len(self.v_index))),
            np.empty((frames, len(self.gate_index))),
        )
        done, taken, reason = _call(kernel.run_steps, bar.enabled)(
            self.group.plan, self.group.state, spikes, samples, currents, levels, first, count
        )
        self.done += int(done)
        if taken:
            sampled = step[step % stride == 0][:taken]
            self._keep(sampled, samples.v[:taken], samples.gates[:taken])
        self._drain(spikes, everything=False)
        bar.advance(done * self.dt)
        if reason == kernel.LEFT_TABLE:
            self._recover()

    def _recover(self) -> None:
        """Widen the tables to where V has gone, or say that it is nowhere sensible."""
        v = self.group.state.v
        lost = ~(np.abs(v) < _RUNAWAY)
        if lost.any():
            self._unstable(int(np.flatnonzero(lost)[0]))
        self.group.widen(*_cells(v))

    def _unstable(self, flat: int) -> None:
        for place, job in zip(self.group.place, self.jobs, strict=True):
            found = np.flatnonzero(place == flat)
            if len(found):
                x = job.compartments.position[found[0]]
                raise Unstable(
                    f"voltage is {self.group.state.v[flat]:g} mV at t = {self.done * self.dt:g} ms, "
                    f"x = {x:g} um; try a smaller dt than {self.dt:g} ms, or a weaker stimulus there"
                )
        raise Unstable(f"voltage is not finite at t = {self.done * self.dt:g} ms")

    def _keep(self, steps: NDArray[np.int64], v: Array, gates: Array) -> None:
        self.times.append(steps * self.dt)
        self.v_parts.append(v)
        self.gate_parts.append(gates)

    def _drain(self, spikes: Any, *, everything: bool) -> None:
        """Turn the crossings found so far into times, but for those that wait for one more step."""
        total, settled = int(spikes.found[0]), int(spikes.found[1])
        n = total if everything else settled
        fields = (spikes.place, spikes.step, spikes.v0, spikes.v1, spikes.v2)
        place, step, v0, v1, v2 = (field[:n].copy() for field in fields)
        time = (step + crossing(v0, v1, v2, self.record.threshold)) * self.dt
        self.crossings.append((place, time))
        for field in fields:
            field[: total - n] = field[n:total]
        spikes.found[:] = total - n, 0

    def results(self, origin: dict[str, str]) -> Iterator[tuple[int, Run]]:
        """The runs, each with the number of its axon."""
        time = np.concatenate(self.times) if self.times else np.zeros(0)
        width = np.cumsum([0] + [len(own) for own in self.sampled])
        gate_width = np.cumsum([0] + [math.prod(shape) for shape in self.gate_shape])
        empty = np.zeros((len(time), 0))
        v_all = np.concatenate(self.v_parts) if self.v_parts and len(self.v_index) else empty
        gates_all = np.concatenate(self.gate_parts) if self.gate_parts and len(self.gate_index) else empty
        place = np.concatenate([p for p, _ in self.crossings])
        when = np.concatenate([t for _, t in self.crossings])
        for i, (number, job) in enumerate(zip(self.members, self.jobs, strict=True)):
            gates = gates_all[:, gate_width[i] : gate_width[i + 1]] if len(self.gate_index) else None
            v = v_all[:, width[i] : width[i + 1]]
            yield number, self._run_of(i, job, time, v, gates, place, when, origin)

    def _run_of(
        self,
        i: int,
        job: Job,
        time: Array,
        v: Array,
        gates: Array | None,
        place: NDArray[np.int64],
        when: Array,
        origin: dict[str, str],
    ) -> Run:
        record, own = self.record, self.sampled[i]
        compartment_of = np.full(self.group.plan.rows * LANES, -1)
        compartment_of[self.group.place[i]] = np.arange(len(job.compartments))
        who = compartment_of[place]
        order = np.lexsort((who, when))
        order = order[who[order] >= 0]
        kept_gates, kept_currents = {}, {}
        if gates is not None:
            named = self._gates_in_time(job, own, v, gates.reshape(len(time), *self.gate_shape[i]))
            kept_gates = {name: named[name] for name in record.gate_names(job.axon)}
            kept_currents = _currents(job, own, v, named, record.current_names(job.axon))
        elif record.currents:
            kept_currents = _currents(job, own, v, {}, record.current_names(job.axon))
        voltage = v.astype(np.float32 if record.voltage == "float32" else float) if record.voltage else None
        return Run(
            axon=job.axon,
            stimuli=job.stimuli,
            record=record,
            numerics={
                "dt": job.dt,
                "dx": None if job.dx is None else float(job.dx),
                "order": self.order,
                "duration": self.done * self.dt,
                "steps": self.done,
                "compartments": len(job.compartments),
            },
            time=time if record.samples else np.zeros(0),
            position=job.compartments.position[own] if record.samples else np.zeros(0),
            voltage=voltage,
            gates=kept_gates,
            currents=kept_currents,
            spike_time=when[order],
            spike_position=job.compartments.position[who[order]],
            spike_compartment=who[order].astype(np.int64),
            provenance=dict(origin),
            complete=self.complete,
        )

    def _gates_in_time(self, job: Job, own: NDArray[np.intp], v: Array, raw: Array) -> dict[str, Array]:
        """Gates at the sampled times: the engine holds them half a step earlier, nan where there is none."""
        kinds, which = patch_kinds(job.compartments)
        names = dict.fromkeys(g for m in job.compartments.membranes for g in m.gates)
        out = {name: np.full(v.shape, np.nan) for name in names}
        for k, (membrane_index, celsius) in enumerate(kinds):
            here = np.flatnonzero(which[own] == k)
            membrane = job.compartments.membranes[membrane_index]
            gates = [gate for channel in gated_channels(membrane) for gate in channel.gates]
            for j, gate in enumerate(gates):
                steady, rate = gate.kinetics(v[:, here], celsius)
                out[gate.name][:, here] = steady + (raw[:, here, j] - steady) * np.exp(-0.5 * self.dt * rate)
        return out


def _currents(
    job: Job, own: NDArray[np.intp], v: Array, gates: dict[str, Array], names: Sequence[str]
) -> dict[str, Array]:
    """Outward current densities (mA/cm2) of the named channels, nan where a membrane lacks one."""
    out = {name: np.full(v.shape, np.nan) for name in names}
    for index, membrane in enumerate(job.compartments.membranes):
        here = np.flatnonzero(job.compartments.membrane[own] == index)
        current = membrane.currents(v[:, here], {name: x[:, here] for name, x in gates.items()})
        for name in names:
            if name in current:
                out[name][:, here] = current[name]
    return out


def _cells(v: Array) -> tuple[int, int]:
    """A table range, in whole cells, that covers ``v`` (mV) with room around it."""
    block = 150.0
    low = min(-block, block * math.floor(v.min(initial=0.0) / block - 0.1))
    high = max(block, block * math.ceil(v.max(initial=0.0) / block + 0.1))
    return round(low / CELL), round(high / CELL)


def crossing(v0: Array, v1: Array, v2: Array, threshold: float) -> Array:
    """Where in a step V crosses ``threshold``, 0..1, from V at its start and end and one step later.

    The parabola through the three; the straight line where the third is not known (nan).

    Parameters
    ----------
    v0, v1, v2 : (n,) ndarray
        mV, with v0 < threshold <= v1.
    threshold : float
        mV.
    """
    slope = v1 - v0
    bend = np.where(np.isnan(v2), 0.0, 0.5 * (v2 - 2 * v1 + v0))
    # V(s) = v0 + (slope - bend) s + bend s^2; the root in (0, 1], in the form that survives bend = 0.
    linear = slope - bend
    root = np.sqrt(np.maximum(linear**2 + 4 * bend * (threshold - v0), 0.0))
    return 2 * (threshold - v0) / (linear + root)


def _call(function: Any, talk: bool) -> Any:
    """The engine's function; the first call of a process may compile and then says so."""
    global _compiled
    if _compiled:
        return function

    def first(*arguments: Any) -> Any:
        global _compiled
        with _compiling, CompileNotice(enabled=talk and not _compiled):
            answer = function(*arguments)
        _compiled = True
        return answer

    return first

"""What a run keeps of one axon, gathered while it steps: in memory, or straight into a file."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.discretise.job import Job
from axon.discretise.slots import slots
from axon.record import Record
from axon.run import Run, arrays, axes, described, file_attributes, load, velocity_dataset
from axon.schedule import Every
from axon.stepping.memory import Memory, States
from axon.stepping.tape import Rows, Tape

Array = NDArray[Any]

_BLOCK_ROWS = 256  # of an earlier run, copied at a time
_CHECKPOINT_SECONDS = 30.0  # of wall time, between checkpoints of a stream that were not asked for


class Collector:
    """Turns what the engine hands out for one axon into a run.

    Parameters
    ----------
    job : Job
    order : int
        2 or 4, of the mesh.
    record : Record
    origin : dict
        Provenance.
    to : path, optional
        File to write while stepping; in memory by default.
    resumable : bool
        Whether the start and the end of the run are kept as checkpoints.
    before : Run, optional
        What the job continues, up to its first step.
    """

    # Values of V from which gates and currents are worked out at once, so that all stays in the caches.
    at_once = 32_768

    def __init__(
        self,
        job: Job,
        order: int,
        record: Record,
        origin: dict[str, str],
        to: str | os.PathLike[str] | None = None,
        *,
        resumable: bool = True,
        before: Run | None = None,
    ) -> None:
        self.job, self.order, self.record, self.origin, self.to = job, order, record, origin, to
        self.resumable, self.before = resumable or record.checkpoints is not None, before
        self.own = record.indices(job.compartments)
        self.gate_names = self._gate_names()
        self.kinds = job.compartments.patches()[0]
        self.arrival = np.full(len(job.compartments), np.nan)
        # What a sample is may hang on what was before it: the earlier run's are kept beyond the seam.
        anew = before is None or job.first == int(before.checkpoints["step"][0])
        margin = 0 if anew else record.reach(job.dt)
        self.tapes = [
            Tape(axis, kinds, schedule, job.dt, job.first + margin)
            for axis, (kinds, schedule) in record.axes().items()
        ]
        self.held = 0  # bytes of samples
        self.known = -np.inf  # time (ms) up to which all crossings are
        self.closed = False
        self.memory = Memory({})
        self.sink: Any = None
        self.states = States()
        self.checkpointed = -1
        self.checkpoint_time = time.monotonic()

    @cached_property
    def which(self) -> NDArray[np.intp]:
        """Of what kind each sampled compartment is."""
        return self.job.compartments.patches()[1][self.own]

    @property
    def keeps_voltage(self) -> bool:
        """Whether all voltages that the engine hands out are kept in memory as they are."""
        tape, dt = self.tapes[0], self.job.dt
        in_memory = self.to is None and self.before is None
        whole = "voltage" in tape.kinds and self.record.voltage != "float32"
        plain = isinstance(tape.schedule, Every) and not tape.schedule.envelope
        return in_memory and whole and plain and tape.stride == self.record.stride(dt)

    @property
    def checkpoint_due(self) -> bool:
        """Whether the last checkpoint of a stream is long ago."""
        return self.to is not None and time.monotonic() - self.checkpoint_time > _CHECKPOINT_SECONDS

    def checkpoint(self, state: Mapping[str, Array]) -> None:
        """Take the state of the engine after the step that it names; the first one opens the run."""
        if self.sink is None:
            self._open(state)
        step = int(state["step"])
        if self.resumable and step > self.checkpointed:
            if self.to is None:
                self.states.append(state)
            else:
                for name, values in state.items():
                    self.sink.append(f"checkpoints/{name}", values[None])
        self.checkpointed, self.checkpoint_time = step, time.monotonic()

    def _open(self, state: Mapping[str, Array]) -> None:
        """Make room for everything, in memory or in a file, and put there what the job continues."""
        self.memory = self.sink = Memory(self._empty(), self._rows() if self.to is None else None)
        if self.to is not None:
            from axon.storage import Writer

            blank = self._run(self.memory, self.job.steps, complete=True)
            if self.resumable:
                none = {name: np.zeros((0, *values.shape), values.dtype) for name, values in state.items()}
                blank = replace(blank, checkpoints=none)
            self.sink = Writer(self.to, described(blank), file_attributes(blank), stream=True)
        if self.before is not None:
            self._continue(self.before)
        if self.to is not None:
            self.sink.publish()

    def _continue(self, before: Run) -> None:
        first, dt = self.job.first, self.job.dt
        held = arrays(before)
        known = {t.axis: np.count_nonzero(np.rint(held[t.axis] / dt) < t.first) for t in self.tapes}
        known["checkpoint"] = np.count_nonzero(np.asarray(before.checkpoints["step"]) <= first)
        for name, array in held.items():
            rows = known.get(axes(name, before)[0], 0)
            if self.to is None and name.startswith("checkpoints/"):
                continue
            for start in range(0, rows, _BLOCK_ROWS):
                self.sink.append(name, array[start : min(start + _BLOCK_ROWS, rows)])
        if self.to is None:
            kept = before.checkpoints
            self.states = States(
                {name: kept[name][row] for name in kept} for row in range(known["checkpoint"])
            )
        assert self.job.start is not None
        # Crossings of the last step before are those that wait in the checkpoint.
        rising = ~np.isnan(self.job.start["rising"])[before.spike_compartment]
        old = before.spike_time <= (first - np.where(rising, 1.5, 1.0)) * dt
        self.spikes(before.spike_compartment[old], before.spike_time[old])
        self.checkpointed = first

    def samples(self, steps: NDArray[np.int64], v: Array, raw: Array) -> None:
        """Take the voltages (frames, n) of the sampled compartments, and their gates half a step earlier.

        Parameters
        ----------
        steps : (frames,) ndarray
            Number of the time step.
        v : (frames, n) ndarray
            mV.
        raw : (frames, n, gates) ndarray
            In the order of each compartment's own membrane; no gates when none are wanted.
        """
        # Once the crossings of these steps have come, they are known up to here.
        self.known = (int(steps[-1]) - 2) * self.job.dt
        for tape in self.tapes:
            for rows in tape.take(steps, v, raw):
                self._keep(tape, rows)

    def _keep(self, tape: Tape, rows: Rows) -> None:
        self.sink.append(tape.axis, rows.steps * self.job.dt)
        self.held += rows.v.nbytes * len(tape.kinds)
        if "voltage" in tape.kinds:
            self.sink.append("voltage", rows.v)
        if rows.lowest is not None:
            self.sink.append("voltage_lowest", rows.lowest)
            self.sink.append("voltage_highest", rows.highest)
        if "gates" in tape.kinds or "currents" in tape.kinds:
            frames = max(1, self.at_once // max(len(self.own), 1))
            for start in range(0, len(rows.steps), frames):
                part = slice(start, start + frames)
                self._keep_derived(tape, rows.v[part], rows.raw[part])

    def _keep_derived(self, tape: Tape, v: Array, raw: Array) -> None:
        """Keep gates and currents of some samples."""
        gates = self._gates_in_time(v, raw)
        for name in self.gate_names if "gates" in tape.kinds else ():
            self.sink.append(f"gates/{name}", gates[name])
        currents = self._currents(v, gates) if "currents" in tape.kinds else {}
        for name, values in currents.items():
            self.sink.append(f"currents/{name}", values)

    def spikes(self, compartment: NDArray[np.int64], time: Array) -> None:
        """Take crossings, in any order: compartment and time (ms)."""
        if len(time):
            self._crossings(compartment, time)
        self._release(self.known)
        self.sink.flush_when_due()

    def _release(self, until: float) -> None:
        """Keep what waited for the crossings up to a time, ms."""
        most = np.inf if self.record.max_size is None else self.record.max_size
        for tape in self.tapes:
            width = 8 * max(len(self.own) * len(tape.kinds), 1)
            for rows in tape.release(until, (most - self.held) / width):
                self._keep(tape, rows)

    def _crossings(self, compartment: NDArray[np.int64], time: Array) -> None:
        order = np.lexsort((compartment, time))
        compartment, time = compartment[order], time[order]
        self.sink.append("spikes/time", time)
        self.sink.append("spikes/position", self.job.compartments.position[compartment])
        self.sink.append("spikes/compartment", compartment)
        for tape in self.tapes:
            tape.hear(time[np.isin(compartment, self.own)] if not self.record.plain else time)
        # Backwards, so that of several crossings of a compartment the first is what stays.
        compartment = compartment[::-1]
        self.arrival[compartment] = np.fmin(self.arrival[compartment], time[::-1])

    def result(self, steps: int) -> Run:
        """The run after ``steps`` steps; a file is finished, or left marked incomplete when cut short."""
        complete = steps == self.job.steps
        self._release(np.inf)
        if self.to is None:
            return self._run(self.memory, steps, complete)
        if complete:
            found = velocity_dataset(self._run(self.memory, steps, complete), self.arrival)
            self.sink.finish(found)
            self.closed = True
        else:
            self.abandon()
        return load(self.to, lazy=True)

    def abandon(self) -> None:
        """Close a stream that an error ends, readable and marked incomplete."""
        if self.to is not None and self.sink is not None and not self.closed:
            self.closed = True
            self.sink.close()

    def _gate_names(self) -> tuple[str, ...]:
        return self.record.gate_names(self.job.axon)

    def _numerics(self) -> dict[str, Any]:
        """What the run was computed with, besides what every run has."""
        if self.before is not None:
            return {key: value for key, value in self.before.numerics.items() if key == "start"}
        return {"start": self.job.first * self.job.dt} if self.job.first else {}

    def _empty(self) -> dict[str, Array]:
        n, record, axon = len(self.own), self.record, self.job.axon
        empty = {"time": np.zeros(0), "spikes/time": np.zeros(0), "spikes/position": np.zeros(0)}
        empty["spikes/compartment"] = np.zeros(0, np.int64)
        empty |= {tape.axis: np.zeros(0) for tape in self.tapes}
        empty |= {name: np.zeros((0, n)) for name in self._envelope}
        if record.voltage:
            empty["voltage"] = np.zeros((0, n), np.float32 if record.voltage == "float32" else float)
        names = [f"gates/{g}" for g in self.gate_names]
        names += [f"currents/{c}" for c in record.current_names(axon)]
        names += [f"concentrations/{c}" for c in record.concentration_names(axon)]
        return empty | {name: np.zeros((0, n)) for name in names}

    @property
    def _envelope(self) -> tuple[str, ...]:
        return ("voltage_lowest", "voltage_highest") if self.tapes[0].schedule.envelope else ()

    def _rows(self) -> dict[str, int]:
        """How many rows the run will hold at most, by name, of what is sampled at equal intervals.

        Not of voltages for which there is a place already.
        """
        record, axon = self.record, self.job.axon
        if not record.samples:
            return {}
        names = {
            "voltage": () if self.keeps_voltage else ("voltage", *self._envelope),
            "gates": [f"gates/{name}" for name in self.gate_names],
            "currents": [f"currents/{name}" for name in record.current_names(axon)],
            "concentrations": [f"concentrations/{name}" for name in record.concentration_names(axon)],
        }
        begins = self.job.first if self.before is None else 0
        rows: dict[str, int] = {}
        for tape in self.tapes:
            if isinstance(tape.schedule, Every):
                most = self.job.steps // tape.stride - (begins - 1) // tape.stride
                rows |= dict.fromkeys(
                    [tape.axis, *(name for kind in tape.kinds for name in names[kind])], most
                )
        return rows

    def _run(self, memory: Memory, steps: int, complete: bool) -> Run:
        job, record, alike = self.job, self.record, self.tapes[0].kinds
        run = Run(
            axon=job.axon,
            stimuli=job.stimuli,
            record=record,
            numerics={
                "dt": job.dt,
                "dx": None if job.dx is None else float(job.dx),
                "order": self.order,
                "order_in_dt": 3 if job.third else 2,
                "duration": steps * job.dt,
                "steps": steps,
                "compartments": len(job.compartments),
                **self._numerics(),
            },
            time=memory.array("time"),
            position=job.compartments.position[self.own] if record.samples else np.zeros(0),
            voltage=memory.array("voltage") if record.voltage else None,
            gates={name: memory.array(f"gates/{name}") for name in self.gate_names if "gates" in alike},
            currents={
                name: memory.array(f"currents/{name}")
                for name in record.current_names(job.axon)
                if "currents" in alike
            },
            beside={path: memory.array(path) for path in self._paths_beside()},
            concentrations={
                name: memory.array(f"concentrations/{name}")
                for name in record.concentration_names(job.axon)
                if "concentrations" in alike
            },
            spike_time=memory.array("spikes/time"),
            spike_position=memory.array("spikes/position"),
            spike_compartment=memory.array("spikes/compartment"),
            provenance=dict(self.origin),
            complete=complete,
            checkpoints=self.states,
        )
        # What the run would work out again is here already.
        run.__dict__["compartments"] = job.compartments
        if self.to is None:
            run.__dict__["_first_arrivals"] = self.arrival
        return run

    def _paths_beside(self) -> list[str]:
        """What is not sampled at the times of the voltage, and the envelope, by its path in the file."""
        paths = list(self._envelope)
        names = {
            "gates": self.gate_names,
            "currents": self.record.current_names(self.job.axon),
            "concentrations": self.record.concentration_names(self.job.axon),
        }
        for tape in self.tapes[1:]:
            paths += [tape.axis, *(f"{kind}/{name}" for kind in tape.kinds for name in names[kind])]
        return paths

    def _concentrations(self, k: int) -> Mapping[str, Array] | None:
        """Concentrations (frames, n) of samples where the axon is of kind ``k``, by pool; None as at rest."""
        return None

    def _here(self, k: int) -> slice | NDArray[np.intp]:
        """Where the axon is of kind ``k``, as an index."""
        return slice(None) if len(self.kinds) == 1 else np.flatnonzero(self.which == k)

    def _gates_in_time(self, v: Array, raw: Array) -> dict[str, Array]:
        """Gates at the sampled times: the engine holds them half a step earlier, nan where there is none.

        Of second order in dt whatever that of the run: V is taken as it is at the sample for the half step.
        """
        job = self.job
        names = dict.fromkeys(g for m in job.compartments.membranes for g in m.gates)
        wanted = names if self.record.currents else self.gate_names
        out = {name: np.full(v.shape, np.nan) for name in names}
        for k, (membrane, celsius) in enumerate(self.kinds):
            here = self._here(k)
            for j, slot in enumerate(slots(membrane)):
                if slot.gate is not None and slot.gate.name in wanted:
                    steady, rate = slot.gate.kinetics(v[:, here], celsius)
                    late = (raw[:, here, j] - steady) * np.exp(-0.5 * job.dt * rate)
                    out[slot.gate.name][:, here] = steady + late
            for name, gate in membrane.gates.items():
                if gate.instantaneous:
                    out[name][:, here] = gate.steady_state(v[:, here], celsius)
        return out

    def _currents(self, v: Array, gates: dict[str, Array]) -> dict[str, Array]:
        """Outward current densities (mA/cm2) of the wanted channels, nan where a membrane lacks one."""
        names: Sequence[str] = self.record.current_names(self.job.axon)
        out = {name: np.full(v.shape, np.nan) for name in names}
        if not names:
            return out
        for k, (membrane, celsius) in enumerate(self.kinds):
            here = self._here(k)
            own = {name: x[:, here] for name, x in gates.items()}
            current = membrane.currents(v[:, here], own, celsius, self._concentrations(k))
            for name in names:
                if name in current:
                    out[name][:, here] = current[name]
        return out

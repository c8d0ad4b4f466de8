"""An axon whose ions move: accumulation, the pump, run-down, and death without it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.discretise.job import Job, prepare
from axon.discretise.slots import US_PER_S, step_coefficients
from axon.errors import Unstable
from axon.geometry import CM_PER_UM, Axon, Compartments, Section
from axon.ions import (
    FARADAY,
    POTASSIUM_PER_TURN,
    SODIUM_PER_TURN,
    Ions,
    RestingFluxes,
    ohmic_channels,
    resting_fluxes,
    thermal_voltage,
)
from axon.progress import CompileNotice, Progress, stop_on_interrupt
from axon.protocols.ion_run import IonRun, space_depth
from axon.record import Record
from axon.stimuli import Pulse, Ramp, Stimulus, Train

Array = NDArray[np.float64]

REACH = 250.0  # mV: how far the rate tables go
_CHUNK = 400_000  # compartment-steps between two looks around


def simulate_ions(
    axon: Axon,
    stimuli: Stimulus | Iterable[Stimulus] = (),
    *,
    duration: float,
    ions: Ions | None = None,
    dt: float | None = None,
    dx: float | None = None,
    record: Record | None = None,
    progress: bool = True,
) -> IonRun:
    """Simulate an axon from rest, with its concentrations.

    Reversal potentials follow the concentrations, and these follow the charge that flows: Na+ and K+ through
    channels, leak and pump, and between a thin space outside and the bath. The currents stay ohmic in V - E,
    as Hodgkin and Huxley have them. At rest the pump balances every flux, so an axon that is left alone stays
    as it is. Injected and axial currents are taken to be carried by ions that are not counted; the axial ones
    come back behind the spike. Nothing diffuses along the axon.

    Parameters
    ----------
    axon : Axon
        Uniform, not a ring.
    stimuli : Pulse, Train or Ramp, or several
    duration : float
        ms; rounded up to whole steps.
    ions : Ions, optional
    dt, dx : float, optional
        ms and um, as for ``simulate``.
    record : Record, optional
        How often and where; every 0.05 ms everywhere by default. Voltage and concentrations are always kept.
    progress : bool
        Show a progress bar where standard error is a terminal.

    Returns
    -------
    IonRun

    Raises
    ------
    ValueError
        For arguments that cannot be meant.
    NoRest
        When the pump cannot balance the membrane at rest.
    Unstable
        When the voltage runs away or a concentration reaches 0; the message says which, when and where.
    """
    ions, record = Ions() if ions is None else ions, Record() if record is None else record
    sources = _checked(axon, stimuli, ions, record)
    job = prepare(axon, sources, duration, dt, dx, 2, record, None)
    return _Stepper(job, sources, ions, record).run(progress)


def _checked(
    axon: Axon, stimuli: Stimulus | Iterable[Stimulus], ions: Ions, record: Record
) -> tuple[Pulse | Train | Ramp, ...]:
    if not isinstance(axon, Axon):
        raise ValueError(f"axon must be an Axon, got {axon!r}")
    if not axon.uniform or axon.ring:
        raise ValueError(f"moving ions need a uniform axon with two ends, got {axon!r}")
    if not isinstance(ions, Ions):
        raise ValueError(f"ions must be Ions(...), got {ions!r}")
    if record.gates or record.currents:
        raise ValueError(
            "a run with moving ions keeps voltage and concentrations; leave gates and currents out of Record"
        )
    ohmic_channels(axon.sections[0].membrane)
    if axon.sections[0].membrane.pools:
        raise ValueError("a membrane with pools moves its ions by itself; use simulate")
    own = []
    for stimulus in (stimuli,) if isinstance(stimuli, Stimulus) else stimuli:
        if not isinstance(stimulus, Pulse | Train | Ramp):
            raise ValueError(f"with moving ions stimuli must be Pulse, Train or Ramp, got {stimulus!r}")
        own.append(stimulus)
    return tuple(own)


class _Stepper:
    """One axon through time: chunks of engine steps, samples and spikes collected."""

    def __init__(
        self, job: Job, sources: tuple[Pulse | Train | Ramp, ...], ions: Ions, record: Record
    ) -> None:
        import axon.engine.ions as engine

        self.engine, self.job, self.ions, self.record = engine, job, ions, record
        self.sources = sources
        self.section = job.axon.sections[0]
        self.area = float(job.compartments.area[0])
        n = len(job.compartments)
        table = _Table(self.section, job.dt)
        gates = table.resting_gates(self.section.membrane.resting_potential(self.section.celsius))
        self.rest = resting_fluxes(self.section.membrane, ions, self.section.celsius, gates)
        self.patch = _patch(engine, job, ions, self.rest, table, record.threshold)
        self.state = engine.State(
            np.full(n, self.rest.voltage),
            np.tile(np.array(list(gates.values())), (n, 1)),
            np.zeros((n, engine.CHARGES)),
            np.zeros((n, engine.CHARGES)),
            np.zeros((n, engine.ROOM)),
        )
        self.weights = np.zeros((len(sources), n))
        for row, source in zip(self.weights, sources, strict=True):
            place, share = job.compartments.shares(source.at)
            row[place] = share
        self.own = record.indices(job.compartments)
        self.stride = record.stride(job.dt)
        self.done = 0
        self.voltages: list[Array] = []
        self.charges: list[Array] = []
        self.spikes: list[tuple[Array, NDArray[np.int64]]] = [(np.zeros(0), np.zeros(0, np.int64))]

    def run(self, progress: bool) -> IonRun:
        """Step to the end, or until Ctrl-C."""
        job = self.job
        length = max(1, _CHUNK // len(job.compartments))
        talk = CompileNotice(enabled=progress)
        with Progress(job.steps * job.dt, enabled=progress) as bar, stop_on_interrupt() as stop, talk:
            while self.done < job.steps and not stop.is_set():
                count = min(length, job.steps - self.done)
                self._chunk(count)
                bar.advance(count * job.dt)
        if self.done % self.stride == 0:
            self.voltages.append(self.state.v[self.own][None])
            self.charges.append(self.state.charge[self.own][None])
        return self._result(self.done == job.steps)

    def _chunk(self, count: int) -> None:
        first, dt, engine = self.done, self.job.dt, self.engine
        edges = np.arange(first, first + count + 1) * dt
        strengths = np.zeros((len(self.sources), count))
        for row, source in zip(strengths, self.sources, strict=True):
            row[:] = np.diff(source.charge(edges)) / dt
        n, n_x = len(self.state.v), len(self.own)
        frames = count // self.stride + 1
        # A crossing needs a step below and a step above.
        room = n * (count // 2 + 1)
        output = engine.Output(
            self.stride,
            self.own.astype(np.int64),
            np.empty((frames, n_x)),
            np.empty((frames, n_x, engine.CHARGES)),
            np.empty(room),
            np.empty(room, np.int64),
            np.zeros(1, np.int64),
        )
        done, taken, reason, place = engine.run_steps(
            self.patch, self.state, output, self.weights, strengths, np.zeros(n), first
        )
        self.done += int(done)
        self.voltages.append(output.v[:taken])
        self.charges.append(output.charge[:taken])
        found = int(output.spikes[0])
        self.spikes.append((output.spike_time[:found].copy(), output.spike_place[:found].copy()))
        if reason != engine.FINISHED:
            raise Unstable(self._trouble(int(reason), int(place)), run=self._result(False))

    def _trouble(self, reason: int, place: int) -> str:
        where = f"at t = {self.done * self.job.dt:g} ms, x = {self.job.compartments.position[place]:g} um"
        advice = f"try a smaller dt than {self.job.dt:g} ms or a weaker stimulus"
        if reason == self.engine.LEFT_TABLE:
            return f"voltage is {self.state.v[place]:g} mV {where}; {advice}"
        return f"an ion has run out on one side of the membrane {where}; {advice}, or a wider Ions.space"

    def _result(self, complete: bool) -> IonRun:
        job, rest = self.job, self.rest
        voltage, charge = np.concatenate(self.voltages), np.concatenate(self.charges)
        entered, left, pumped, bath_sodium, bath_potassium = np.moveaxis(charge, -1, 0)
        sodium = entered - SODIUM_PER_TURN * pumped
        potassium = POTASSIUM_PER_TURN * pumped - left
        if self.patch.outside == 0:
            bath_sodium, bath_potassium = sodium, potassium
        inside, outside = self.patch.inside, self.patch.outside
        sodium_in = rest.sodium_in + inside * sodium
        potassium_out = rest.potassium_out + outside * (bath_potassium - potassium)
        time = np.arange(len(voltage)) * np.float64(self.stride * job.dt)
        working = np.round(time / job.dt) < self.patch.pump_stops
        activity = self.ions.pump.activity(sodium_in, potassium_out)
        amount = 1.0 / (FARADAY * self.area)  # pC -> pmol/cm2
        spike_time, place = (np.concatenate(parts) for parts in zip(*self.spikes, strict=True))
        order = np.argsort(spike_time, kind="stable")
        return IonRun(
            axon=job.axon,
            stimuli=self.sources,
            ions=self.ions,
            record=self.record,
            rest=rest,
            numerics={
                "dt": job.dt,
                "dx": job.dx,
                "duration": self.done * job.dt,
                "steps": self.done,
                "compartments": len(job.compartments),
            },
            time=time,
            position=job.compartments.position[self.own],
            voltage=voltage,
            sodium_in=sodium_in,
            potassium_in=rest.potassium_in + inside * potassium,
            sodium_out=rest.sodium_out + outside * (bath_sodium - sodium),
            potassium_out=potassium_out,
            pump_current=rest.pump_maximum * activity * working[:, None],
            sodium_entry=amount * entered,
            potassium_loss=amount * left,
            atp=amount * pumped,
            from_bath={"Na": amount * bath_sodium, "K": amount * bath_potassium},
            spike_time=spike_time[order],
            spike_position=job.compartments.position[place[order]],
            spike_compartment=place[order],
            complete=complete,
        )


class _Table:
    """The step coefficients of one membrane over all voltages it may reach."""

    def __init__(self, section: Section, dt: float) -> None:
        from axon.engine.tables import CELL, build

        self.gates = [gate for channel in section.membrane.channels for gate in channel.gates]
        low, high = round(-REACH / CELL), round(REACH / CELL)
        self.start, self.density, self.cells = low * CELL, 1.0 / CELL, high - low
        self.values = build(partial(step_coefficients, section.membrane, section.celsius, dt), low, high)

    def resting_gates(self, v: float) -> dict[str, float]:
        """Where the tabulated gates stay at ``v`` (mV): their steady state, to the error of the table."""
        from axon.engine.simd import GATES_PER_CHUNK

        if not self.gates:
            return {}
        cell = math.floor((v - self.start) * self.density)
        f = (v - self.start) * self.density - cell
        constant, linear, quadratic = (
            self.values[cell].reshape(-1, 3, 2, GATES_PER_CHUNK).transpose(1, 0, 2, 3)
        )
        decay, gain = (constant + f * (linear + f * quadratic)).transpose(1, 0, 2).reshape(2, -1)
        own = range(len(self.gates))
        return {self.gates[j].name: float(gain[j] / (1.0 - decay[j])) for j in own}


def _patch(engine: Any, job: Job, ions: Ions, rest: RestingFluxes, table: _Table, threshold: float) -> Any:
    """Everything the engine wants to know of one compartment."""
    compartments, section = job.compartments, job.axon.sections[0]
    channels = [channel for channel in ohmic_channels(section.membrane) if channel.gates]
    area = float(compartments.area[0])
    scale = area * US_PER_S  # S/cm2 -> uS, mA/cm2 -> nA
    space = math.isfinite(ions.space)
    depth = space_depth(ions.space, section.diameter) if space else 0.0
    stops = ions.pump.stops / job.dt
    return engine.Patch(
        dt=job.dt,
        capacity=2.0 * float(compartments.capacitance[0]) / job.dt,
        coupling=_coupling(compartments),
        leak=scale * np.array([rest.sodium_leak, rest.potassium_leak]),
        conductance=scale * np.array([channel.density(section.celsius) for channel in channels], float),
        carrier=np.array([("Na", "K").index(ions.carrier(c)) for c in channels], np.int64),
        first_gate=np.cumsum([0] + [len(channel.gates) for channel in channels]).astype(np.int64),
        exponent=np.array([gate.exponent for gate in table.gates], np.int64),
        table=table.values.reshape(-1),
        table_start=table.start,
        table_density=table.density,
        cells=table.cells,
        thermal=thermal_voltage(section.celsius),
        sodium=np.array([rest.sodium_in, rest.sodium_out]),
        potassium=np.array([rest.potassium_in, rest.potassium_out]),
        inside=_millimolar(area, section.diameter / 4),
        outside=_millimolar(area, depth) if space else 0.0,
        # cm/s * mM * cm2: 1 mM is 1e-6 mol/cm3, C/s -> pC/ms is 1e9.
        exchange=ions.exchange * area * FARADAY * 1e3 if space else 0.0,
        pump=scale * rest.pump_maximum,
        half_sodium=ions.pump.sodium,
        half_potassium=ions.pump.potassium,
        pump_stops=round(stops) if math.isfinite(stops) else job.steps + 1,
        threshold=threshold,
    )


def _coupling(compartments: Compartments) -> float:
    return float(compartments.axial_conductance[0]) if len(compartments) > 1 else 0.0


def _millimolar(area: float, depth: float) -> float:
    """Concentration (mM) of 1 pC of monovalent ions under ``area`` (cm2) in a layer of ``depth`` (um)."""
    return 1e-6 / (FARADAY * area * depth * CM_PER_UM)

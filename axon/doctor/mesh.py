"""Whether mesh and time step are fine enough for the membrane and for the spike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from axon.discretise.job import default_dt, fastest_time_constant
from axon.doctor.finding import Finding
from axon.errors import NoPropagation
from axon.geometry import length_constant
from axon.geometry.mesh import MESH_FREQUENCY_HZ
from axon.record import Record
from axon.run import Run
from axon.simulate import simulate

# On the squid axon at 18.5 degC, whose spike rises over 4 mm and whose length constant at 1 kHz is 3.3 mm, a
# mesh of 500 um leaves an error of velocity of 0.20 % (study ``convergence``), and of fourth order 0.001 %.
PER_LENGTH_CONSTANT = {2: 8.0, 4: 3.0}
PER_RISE = {2: 8.0, 4: 3.0}
# dt = 0.01 ms, a fifth to a half of the fastest time constant, leaves 0.08 % there.
PER_TIME_CONSTANT = 2.0
WANTED = 1e-3  # relative error of velocity


def coarse_for_length_constant(run: Run) -> Iterator[Finding]:
    """Compartments against the length constant at the frequency of a spike's foot."""
    cut = run.compartments
    parts = PER_LENGTH_CONSTANT[run.numerics["order"]]
    for number, section in enumerate(run.axon.sections):
        own = cut.length[cut.section == number]
        if not len(own) or section.myelin is not None:
            continue
        reach = length_constant(section, MESH_FREQUENCY_HZ)
        if own.max() > reach / parts:
            yield Finding(
                "mesh",
                f"compartments of section {number} are {own.max():.3g} um long, {own.max() / reach:.2f} of "
                f"its length constant of {reach:.3g} um at {MESH_FREQUENCY_HZ:g} Hz; use dx of at most "
                f"{reach / parts:.2g} um",
            )
            return


def coarse_for_spike(run: Run) -> Iterator[Finding]:
    """Compartments against the length over which the spike rises."""
    velocity = run.velocity()
    if run.axon.myelinated or run.voltage is None or len(run.time) < 3:
        return
    low, high = sorted((velocity.first_position, velocity.last_position))
    here = np.flatnonzero((run.position >= low) & (run.position <= high))
    if not len(here):
        return
    v = np.asarray(run.voltage[:, here], float)
    rise = (v.max(axis=0) - v[0]) / np.max(np.diff(v, axis=0) / np.diff(run.time)[:, None], axis=0)  # ms
    length = float(np.median(rise)) * abs(velocity.value) * 1e3  # um
    cut = run.compartments
    longest = cut.length[(cut.position >= low) & (cut.position <= high)].max()
    parts = PER_RISE[run.numerics["order"]]
    if longest > length / parts:
        yield Finding(
            "mesh",
            f"the spike rises over {length:.3g} um, and compartments of {longest:.3g} um cut that into "
            f"{length / longest:.1f}; use dx of at most {length / parts:.2g} um",
        )


def slow_for_gates(run: Run) -> Iterator[Finding]:
    """The time step against the fastest gate."""
    dt, fastest = float(run.numerics["dt"]), fastest_time_constant(run.axon)
    if dt > fastest / PER_TIME_CONSTANT * (1 + 1e-9):
        yield Finding(
            "time step",
            f"dt is {dt:g} ms, {dt / fastest:.2g} of the fastest gate's time constant of {fastest:.3g} ms; "
            f"use dt of at most {fastest / PER_TIME_CONSTANT:.2g} ms (the default is "
            f"{default_dt(run.axon):g} ms)",
        )


def slow_by_measurement(run: Run) -> Iterator[Finding]:
    """The error of velocity, from the run once more at half the time step."""
    how = run.numerics
    if "noise" in how or "start" in how:
        return
    velocity, dt = run.velocity().value, float(how["dt"])
    finer = simulate(
        run.axon,
        run.stimuli,
        duration=float(how["duration"]),
        dt=dt / 2,
        dx=how["dx"],
        order=how["order"],
        record=Record(voltage=None, threshold=run.record.threshold),
        initial_voltage=_initial(run),
        progress=False,
    )
    order = int(finer.numerics["order_in_dt"])
    try:
        error = abs(finer.velocity().value - velocity) / velocity / (1 - 0.5**order)
    except NoPropagation as none:
        yield Finding(
            "time step", f"at half the time step there is no spike: {none.reason}; use dt {dt / 4:g} ms"
        )
        return
    if error > WANTED:
        least = dt * (WANTED / error) ** (1 / order)
        yield Finding(
            "time step",
            f"dt of {dt:g} ms makes the velocity wrong by {100 * error:.2g} %, as half of it shows; "
            f"use dt of at most {least:.2g} ms for {100 * WANTED:g} %",
        )


def _initial(run: Run) -> np.ndarray | None:
    """The voltage at which the run began; None where only rest can be assumed."""
    return np.asarray(run.checkpoints["v"][0]) if run.checkpoints else None

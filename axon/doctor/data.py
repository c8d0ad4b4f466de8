"""Whether what a run holds can be true: finite, at rest at first, dense enough, conserving charge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from axon.discretise.rest import resting_voltage
from axon.doctor.finding import Finding
from axon.onward import window
from axon.run import Run
from axon.stimuli import Clamp, Pulse, Ramp, Train

Array = NDArray[np.float64]

FROM_REST = 0.5  # mV
LOST = 3.0  # mV of a peak, between samples
CHARGE = 0.02  # of what crossed the membrane
DIFFERENCE = 1e-3  # mV, between recorded and computed once more
WINDOW_STEPS = 400
FEWEST = 8  # sites whose peaks are compared


def broken(run: Run) -> Iterator[Finding]:
    """Values that are not numbers, and open fractions that are none."""
    arrays: dict[str, Array] = {} if run.voltage is None else {"voltage": np.asarray(run.voltage)}
    arrays |= {"time": run.time, "spike times": run.spike_time}
    for name, values in arrays.items():
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            where = _where(run, bad[0]) if name == "voltage" else f"row {bad[0][0]}"
            yield Finding(
                "data",
                f"{name} is not finite in {len(bad)} places, first at {where}; simulate again with a smaller "
                f"dt than {run.numerics['dt']:g} ms, or copy the file again",
            )
    for name, gate in run.gates.items():
        wrong = np.argwhere((np.asarray(gate) < -1e-6) | (np.asarray(gate) > 1 + 1e-6))
        if len(wrong):
            yield Finding(
                "data",
                f"gate {name} leaves 0..1 in {len(wrong)} places, first at {_where(run, wrong[0])}; use a "
                f"smaller dt than {run.numerics['dt']:g} ms",
            )
    if np.any(np.diff(run.time) <= 0):
        row = int(np.argmax(np.diff(run.time) <= 0))
        yield Finding(
            "data", f"time does not increase after row {row}; the file was not written by axon alone"
        )


def cut_short(run: Run) -> Iterator[Finding]:
    if not run.complete:
        reached = float(run.numerics["duration"])
        yield Finding(
            "incomplete",
            f"the run was stopped at {reached:g} ms; `axon resume FILE --until MS` carries it on from there",
        )


def away_from_rest(run: Run) -> Iterator[Finding]:
    """The potential at the start against the resting potential, solved for."""
    if run.voltage is None or not len(run.time) or run.time[0] > 0 or "start" in run.numerics:
        return
    cut = run.compartments
    own = run.record.indices(cut)
    free = ~np.isin(own, [cut.nearest(s.at) for s in run.stimuli if isinstance(s, Clamp)])
    away = np.abs(np.asarray(run.voltage[0], float) - resting_voltage(cut)[own]) * free
    worst = int(np.argmax(away))
    if away[worst] > FROM_REST:
        rest = resting_voltage(cut)[own][worst]
        yield Finding(
            "rest",
            f"the run begins {away[worst]:.2g} mV away from rest at {run.position[worst]:g} um and drifts "
            f"towards it; begin at {rest:.5g} mV there, by leaving out initial_voltage",
        )


def sampled_too_seldom(run: Run) -> Iterator[Finding]:
    """How much of the peak falls between two samples, from how it differs along the axon."""
    velocity = run.velocity()
    if run.voltage is None or len(run.time) < 3:
        return
    low, high = sorted((velocity.first_position, velocity.last_position))
    measured = np.isin(run.record.indices(run.compartments), run.sites())
    here = np.flatnonzero((run.position >= low) & (run.position <= high) & measured)
    if len(here) < FEWEST:
        return
    x, peaks = run.position[here] - low, np.asarray(run.voltage[:, here], float).max(axis=0)
    ragged = peaks - np.polyval(np.polyfit(x, peaks, 3), x)  # a spike's own peak changes smoothly
    lost = float(np.percentile(ragged, 95) - np.percentile(ragged, 5))
    if lost > LOST:
        every = float(np.median(np.diff(run.time)))
        yield Finding(
            "sampling",
            f"samples every {every:.3g} ms miss up to {lost:.3g} mV of the spike's peak; record every "
            f"{every * np.sqrt(1.0 / lost):.2g} ms",
        )


def charge_not_conserved(run: Run) -> Iterator[Finding]:
    """What stimuli inject against what leaves through the membrane and what loads it."""
    cut = run.compartments
    currents = [s for s in run.stimuli if isinstance(s, Pulse | Train | Ramp)]
    channels = {channel.name for membrane in cut.membranes for channel in membrane.channels}
    whole = run.voltage is not None and len(run.position) == len(cut) and channels == set(run.currents)
    if (
        len(currents) < len(run.stimuli)
        or not whole
        or cut.sheath is not None
        or np.any(cut.end_conductance)
        or len(run.time) < 3
    ):
        return
    assert run.voltage is not None
    outward = sum(np.nan_to_num(np.asarray(current)) for current in run.currents.values()) * cut.area * 1e6
    crossed = float(np.trapezoid(np.abs(outward).sum(axis=1), run.time))  # pC
    left = float(np.trapezoid(outward.sum(axis=1), run.time))
    v = np.asarray(run.voltage, float)
    loaded = float(cut.capacitance @ (v[-1] - v[0]))
    ends = run.time[[0, -1]]
    given = sum(float(np.diff(stimulus.charge(ends))[0]) for stimulus in currents)
    missing = given - left - loaded
    if abs(missing) > CHARGE * (crossed + abs(given)):
        yield Finding(
            "charge",
            f"{missing:.3g} pC of {crossed:.3g} pC that crossed the membrane are not accounted for "
            f"({100 * abs(missing) / crossed:.2g} %); record every {np.diff(run.time)[0] / 2:.2g} ms, and if "
            "that does not help, the currents are not those of this axon",
        )


def not_of_this_model(run: Run) -> Iterator[Finding]:
    """Recorded voltage against the model, computed once more from a checkpoint."""
    if run.voltage is None or len(run.time) < 3 or not run.checkpoints or not run.record.plain:
        return
    dt = float(run.numerics["dt"])
    first = float(run.time[0])
    if len(run.spike_time):
        first = max(first, float(run.spike_time[0]) - 50 * dt)
    last = min(float(run.time[-1]), max(first + WINDOW_STEPS * dt, run.time[run.time > first][1]))
    again = window(run, (first, last), record=run.record, progress=False)
    rows = np.searchsorted(run.time, again.time - dt / 2)
    assert again.voltage is not None
    apart = np.abs(np.asarray(run.voltage, float)[rows] - again.voltage)
    worst = np.unravel_index(int(np.argmax(apart)), apart.shape)
    if apart[worst] > DIFFERENCE:
        yield Finding(
            "model",
            f"the recorded voltage is {apart[worst]:.3g} mV away from what the model gives at "
            f"t = {again.time[worst[0]]:g} ms, x = {again.position[worst[1]]:g} um; simulate again, or find "
            "out what changed the file",
        )


def _where(run: Run, place: Array) -> str:
    return f"t = {run.time[place[0]]:g} ms, x = {run.position[place[1]]:g} um"

"""How soon after a spike another can follow it, and how short a ring therefore sustains one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.errors import NoPropagation
from axon.geometry import Axon
from axon.measure.excitability import instantaneous_curve, slow_gates, thresholds
from axon.membranes import Gate, Membrane
from axon.protocols.bracket import narrow
from axon.protocols.stimulus import suprathreshold_pulse
from axon.record import Record
from axon.run import Run
from axon.simulate import simulate_many

Array = NDArray[np.float64]

_CURVE = np.arange(-150.0, 60.0, 0.1)  # mV
_STRONGER = 4.0  # times a pulse that suffices at rest


@dataclass(frozen=True)
class _Held:
    """Steady state of a slow gate that stays where it is until the membrane is depolarised."""

    gate: Gate
    value: float
    edge: float  # mV
    celsius: float

    __name__ = "held"

    def __call__(self, v: Array) -> Array:
        return np.where(np.asarray(v) < self.edge, self.value, self.gate.steady_state(v, self.celsius))


@dataclass(frozen=True)
class _Tau:
    gate: Gate
    celsius: float

    __name__ = "tau"

    def __call__(self, v: Array) -> Array:
        return self.gate.time_constant(v, self.celsius)


def arrested(membrane: Membrane, celsius: float, gates: Mapping[str, float]) -> Membrane:
    """The membrane whose recovery stands still: its rest is the state that the slow gates are in.

    Below the middle between its stable zero and its threshold (see ``axon.measure.excitability``) the slow
    gates keep the values given; above they obey their own kinetics. So a spike meets a uniform medium as
    refractory as the wake is at one instant, and inactivates it as it would.

    Parameters
    ----------
    membrane : Membrane
    celsius : float
        degC.
    gates : mapping of str to float
        The slow gates.

    Raises
    ------
    ValueError
        When the membrane has no threshold in that state.
    """
    slow = slow_gates(membrane, celsius)
    state = {name: np.atleast_1d(float(gates[name])) for name in slow}
    threshold = float(thresholds(membrane, celsius, state)[0][0])
    if not np.isfinite(threshold):
        raise ValueError(
            f"membrane {membrane.name!r} has no threshold where its slow gates are {dict(gates)}"
        )
    curve = instantaneous_curve(membrane, celsius, state, _CURVE)[0]
    stable = float(_CURVE[np.flatnonzero((curve >= 0) & (threshold > _CURVE))[0]])
    edge = (stable + threshold) / 2

    def held(gate: Gate) -> Gate:
        if gate.name not in slow:
            return gate
        value = float(gates[gate.name])
        inf, tau = _Held(gate, value, edge, celsius), _Tau(gate, celsius)
        return replace(gate, alpha=None, beta=None, inf=inf, tau=tau, q10=1.0)

    def arrest(channel: Any) -> Any:
        return replace(channel, gates=tuple(map(held, channel.gates))) if channel.gates else channel

    channels = map(arrest, membrane.channels)
    return replace(membrane, name=f"{membrane.name}, arrested", channels=tuple(channels))


def velocity_in_wake(run: Run, since: ArrayLike, *, at: float, progress: bool = True) -> Array:
    """Velocity of a spike in a medium that stays as the wake of a run is some time after the spike.

    Parameters
    ----------
    run : Run
        Of a spike on a uniform axon, with its gates recorded at ``at``.
    since : (k,) array_like
        ms after the first spike passed ``at``.
    at : float
        um.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    (k,) ndarray
        m/s; nan where no spike is carried.
    """
    axon, column = run.axon, run.at(at)
    section = axon.sections[0]
    passed = run.arrivals()[run.compartments.nearest(float(run.position[column]))]
    since = np.atleast_1d(np.asarray(since, float))
    slow = slow_gates(section.membrane, section.celsius)
    state = {name: np.interp(passed + since, run.time, run.gates[name][:, column]) for name in slow}
    finite = np.isfinite(thresholds(section.membrane, section.celsius, state)[0])
    axons = [
        Axon(
            sections=[
                replace(
                    section,
                    membrane=arrested(section.membrane, section.celsius, {n: x[k] for n, x in state.items()}),
                )
            ]
        )
        for k in np.flatnonzero(finite)
    ]
    pulse = suprathreshold_pulse(axon)
    pulse = replace(pulse, amplitude=_STRONGER * pulse.amplitude)
    runs = simulate_many(
        axons,
        [pulse] * len(axons),
        duration=4 * float(np.nanmax(run.arrivals())),
        dt=2 * run.numerics["dt"],
        record=Record(voltage=None),
        progress=progress,
    )
    velocity = np.full(since.size, np.nan)
    velocity[finite] = [_velocity(one) for one in runs]
    return velocity


def _velocity(run: Run) -> float:
    try:
        return float(run.velocity())
    except NoPropagation:
        return float("nan")


def refractory_wake(run: Run, *, at: float, accuracy: float = 1e-3, progress: bool = True) -> float:
    """Time (ms) after a spike from which another can be carried by what it has left behind.

    The shortest ring on which a spike started from rest lives is the velocity of the lone spike times this.

    Parameters
    ----------
    run : Run
        Of a spike on a uniform axon, with its gates recorded at ``at``.
    at : float
        um.
    accuracy : float
        Relative.
    progress : bool
        Show a progress bar on a terminal.

    Raises
    ------
    ValueError
        When the wake was not recorded until the membrane was as excitable as at rest.
    """
    wake = run.wake()
    here = wake.site == run.at(at)
    low, high = float(wake.absolute_end[here][0]), float(wake.relative_end[here][0])
    start = float(wake.start[here][0])
    if not np.isfinite(high):
        raise ValueError("the run ended before the membrane recovered; make its duration longer")

    def carried(which: Any, since: Array) -> NDArray[np.bool_]:
        return np.isfinite(velocity_in_wake(run, since, at=at, progress=False))

    ends = narrow(
        carried, [low - start], [high - start], accuracy=accuracy, progress=progress, what="the wake's end"
    )
    return float((ends[0] + ends[1])[0] / 2)

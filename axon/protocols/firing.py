"""Repetitive firing under a steady current: its rate, where it begins, and where it is blocked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, finite, positive
from axon.geometry import DEFAULT_CELSIUS, Axon
from axon.membranes import Gate, Membrane
from axon.protocols.bracket import TRIALS, ladder, narrow
from axon.protocols.threshold import NoThreshold
from axon.protocols.trials import How, Trials, rounded
from axon.stimuli import Pulse

Array = NDArray[np.float64]

_LATE = 2.0  # intervals before the end of the current within which the last spike of sustained firing came
_SCAN = 4 * TRIALS  # currents tried at first
_DECADES = 3.0
_GRID = 0.25  # mV
_SMALL, _TINY = 1e-4, 1e-7  # mV and gates, of the difference quotients


@dataclass(frozen=True)
class FiringCurve:
    """The answer to steady currents.

    Attributes
    ----------
    amplitude : (n,) nA
    rate : (n,) /s
        From the mean of the last intervals; 0 where the firing does not last to the end of the current.
    period : (n,) ms
        The same mean; nan where the firing does not last.
    spikes : (n,) int
    latency : (n,) ms
        Of the first spike; nan where there is none.
    duration : float
        ms that the current was on.
    """

    amplitude: Array
    rate: Array
    period: Array
    spikes: NDArray[np.int64]
    latency: Array
    duration: float

    @property
    def sustained(self) -> NDArray[np.bool_]:
        """Whether the firing lasts, (n,)."""
        return self.rate > 0

    def __str__(self) -> str:
        lines = [f"{'current (nA)':>14}{'rate (/s)':>12}{'spikes':>9}{'latency (ms)':>15}"]
        for i, f, n, t in zip(self.amplitude, self.rate, self.spikes, self.latency, strict=True):
            lines.append(f"{i:14.6g}{f:12.4g}{n:9d}{t:15.4g}")
        return "\n".join(lines)


@dataclass(frozen=True)
class FiringRange:
    """The steady currents between which the firing lasts.

    Attributes
    ----------
    onset, onset_error : float
        nA; the least current whose firing lasts, and half the bracket around it.
    block, block_error : float
        nA; the greatest, beyond which the depolarisation blocks it.
    duration : float
        ms that it had to last.
    """

    onset: float
    onset_error: float
    block: float
    block_error: float
    duration: float

    def __str__(self) -> str:
        return (
            f"fires for {self.duration:g} ms from {rounded(self.onset, self.onset_error)} to "
            f"{rounded(self.block, self.block_error)} nA"
        )


def firing_curve(
    axon: Axon,
    amplitudes: Sequence[float],
    *,
    at: Place = 0.0,
    duration: float = 1000.0,
    **how: Unpack[How],
) -> FiringCurve:
    """Switch on steady currents from rest and count spikes.

    Parameters
    ----------
    axon : Axon
    amplitudes : sequence of float
        nA.
    at : float
        Position of the current, um. Spikes are upward crossings at the far end, or there when ``spike`` is
        local.
    duration : float
        ms.
    **how
        ``spike``, ``crossing``, ``dt``, ``dx``, ``order`` and ``progress``, as for ``find_threshold``.

    Returns
    -------
    FiringCurve
    """
    currents = np.array([finite("amplitudes", amplitude, "nA") for amplitude in amplitudes])
    if not currents.size:
        raise ValueError("amplitudes must name at least one current, got none")
    return _fired(Trials(axon, at, **how), currents, positive("duration", duration, "ms"))


def _fired(trials: Trials, currents: Array, duration: float) -> FiringCurve:
    times = trials.crossings(
        [(Pulse(amplitude=float(i), duration=np.inf, at=trials.at),) for i in currents], duration
    )
    period = np.array([_period(spikes, duration) for spikes in times])
    return FiringCurve(
        amplitude=currents,
        rate=np.where(np.isnan(period), 0.0, 1e3 / period),
        period=period,
        spikes=np.array([spikes.size for spikes in times], np.int64),
        latency=np.array([spikes[0] if spikes.size else np.nan for spikes in times]),
        duration=duration,
    )


def _period(spikes: Array, duration: float) -> float:
    """Mean of the later half of the intervals (ms); nan for fewer than three or a last spike too early."""
    gaps = np.diff(spikes)
    if gaps.size < 3 or duration - spikes[-1] > _LATE * gaps[-1]:
        return float("nan")
    return float(gaps[gaps.size // 2 :].mean())


def firing_range(
    axon: Axon,
    *,
    ceiling: float,
    at: Place = 0.0,
    duration: float = 2000.0,
    accuracy: float = 1e-4,
    **how: Unpack[How],
) -> FiringRange:
    """Find the least and the greatest steady current, switched on from rest, whose firing lasts.

    Just below the onset firing dies out after a number of spikes that grows without bound towards it, so a
    longer duration finds it a little higher.

    Parameters
    ----------
    axon : Axon
    ceiling : float
        The greatest current tried, nA; firing must have ended there.
    at : float
        Position of the current, um.
    duration : float
        ms that the firing must last.
    accuracy : float
        Relative, of both currents.
    **how
        ``spike``, ``crossing``, ``dt``, ``dx``, ``order`` and ``progress``, as for ``find_threshold``.

    Returns
    -------
    FiringRange

    Raises
    ------
    NoThreshold
        When no current up to the ceiling makes the firing last, or firing still lasts at the ceiling.
    """
    positive("accuracy", accuracy, "(relative)")
    positive("duration", duration, "ms")
    trials = Trials(axon, at, **how)
    scan = ladder(positive("ceiling", ceiling, "nA") * 10**-_DECADES, ceiling, _SCAN)
    lasts = _fired(trials, scan, duration).sustained
    if not lasts.any():
        raise NoThreshold(
            f"no steady current of {scan[0]:.3g} to {ceiling:g} nA makes the axon fire for {duration:g} ms"
        )
    if lasts[-1]:
        raise NoThreshold(f"the axon still fires at the ceiling of {ceiling:g} nA; give a higher one")
    found = np.flatnonzero(lasts)
    first, last = int(found[0]), int(found[-1])
    # The block is an onset on the way down: with 1 / current the greater end is the one that works.
    low = [scan[first - 1] if first else 0.0, 1.0 / scan[last + 1]]
    high = [scan[first], 1.0 / scan[last]]

    def works(which: NDArray[np.intp], value: Array) -> NDArray[np.bool_]:
        return _fired(trials, np.where(which == 0, value, 1.0 / value), duration).sustained

    progress = how.get("progress", True)
    lows, highs = narrow(works, low, high, accuracy=accuracy, progress=progress, what="current")
    block = 1.0 / highs[1], 1.0 / lows[1]
    return FiringRange(
        onset=float(lows[0] + highs[0]) / 2,
        onset_error=float(highs[0] - lows[0]) / 2,
        block=float(sum(block)) / 2,
        block_error=float(block[1] - block[0]) / 2,
        duration=duration,
    )


def hopf_currents(
    membrane: Membrane, *, celsius: float = DEFAULT_CELSIUS, span: float = 100.0
) -> tuple[float, ...]:
    """Find the steady currents at which the rest of a space-clamped membrane loses or regains its stability.

    They follow from the membrane's equations alone: the Jacobian of (V, gates) at the steady state has a
    pair of eigenvalues on the imaginary axis (Hopf), or one at 0. Between the currents it spirals away from
    rest.

    Parameters
    ----------
    membrane : Membrane
    celsius : float
        degC.
    span : float
        mV above the resting potential up to which steady states are looked at.

    Returns
    -------
    tuple of float
        uA/cm2, in order of the steady voltage; empty when the rest stays stable.

    Raises
    ------
    NoRest
        When the membrane does not rest without current.
    """
    from scipy.optimize import brentq

    positive("span", span, "mV")
    rest = membrane.resting_potential(celsius)
    v = np.arange(rest, rest + span, _GRID)
    growth = np.array([_growth(membrane, celsius, x) for x in v])
    turns = np.flatnonzero((growth[:-1] < 0) != (growth[1:] < 0))
    voltages = [brentq(lambda x: _growth(membrane, celsius, x), v[k], v[k + 1], xtol=1e-10) for k in turns]
    return tuple(1e3 * float(membrane.steady_current(x, celsius)) for x in voltages)  # mA -> uA


def _growth(membrane: Membrane, celsius: float, v: float) -> float:
    """Greatest real part (1/ms) of the eigenvalues at the steady state of voltage ``v`` (mV)."""
    steady = membrane.steady_gates(v, celsius)
    gates = {name: steady[name] for name in membrane.lasting_gates}
    names = list(gates)
    matrix = np.zeros((1 + len(names), 1 + len(names)))

    def slope(function: Callable[[float], Any], step: float = _SMALL) -> float:
        return float(function(step) - function(-step)) / (2 * step)

    per_ms = 1e3 / membrane.capacitance  # mA/cm2 over uF/cm2 is 1e3 mV/ms
    matrix[0, 0] = -per_ms * slope(lambda h: membrane.current(v + h, gates, celsius))
    for i, name in enumerate(names, 1):
        gate = membrane.gates[name]
        rate = float(gate.kinetics(v, celsius)[1])
        moved = partial(_moved, membrane, celsius, v, gates, name)
        matrix[0, i] = -per_ms * slope(moved, _TINY)
        matrix[i, 0] = rate * slope(partial(_steady, gate, celsius, v))
        matrix[i, i] = -rate
    return float(np.linalg.eigvals(matrix).real.max())


def _moved(
    membrane: Membrane, celsius: float, v: float, gates: dict[str, Array], name: str, by: float
) -> Array:
    return membrane.current(v, gates | {name: gates[name] + by}, celsius)


def _steady(gate: Gate, celsius: float, v: float, by: float) -> Array:
    return gate.steady_state(v + by, celsius)

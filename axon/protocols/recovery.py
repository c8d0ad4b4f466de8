"""The recovery cycle: threshold and velocity of a second spike over the interval since the first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import Place, positive
from axon.geometry import Axon
from axon.protocols.bracket import ladder
from axon.protocols.trials import How, Spike
from axon.protocols.twins import Twins, above

Array = NDArray[np.float64]

_SURE = 2.5  # times the end of the relative period: how far a cycle reaches by default
_INTERVALS = 32


@dataclass(frozen=True)
class RecoveryCycle:
    """Threshold and velocity of a second spike over the interval since the first.

    Attributes
    ----------
    interval : (n,) ms
        From the first pulse to the second.
    threshold : (n,) nA
        Of the second pulse; nan where none up to the ceiling makes a spike.
    resting_threshold : float
        nA.
    velocity : (n,) m/s
        Of the second spike, made by a pulse of ``strength``; nan where there is none, and
        for local spikes.
    resting_velocity : float
        m/s, of the first.
    strength, ceiling, conditioning : float
        Of the second pulse for the velocity, of the strongest tried, and of the first pulse, in units of the
        resting threshold.
    spike : str
        ``"propagated"`` or ``"local"``.
    """

    interval: Array
    threshold: Array
    resting_threshold: float
    velocity: Array
    resting_velocity: float
    strength: float
    ceiling: float
    conditioning: float
    spike: Spike

    @property
    def threshold_ratio(self) -> Array:
        """Threshold over that at rest, (n,); nan while absolutely refractory."""
        return self.threshold / self.resting_threshold

    @property
    def velocity_ratio(self) -> Array:
        """Velocity over that of the first spike, (n,)."""
        return self.velocity / self.resting_velocity

    def phases(self) -> list[tuple[str, float, float]]:
        """The phases in order, each with the intervals (ms) at which it begins and ends, interpolated.

        ``"absolute"``, then ``"relative"`` while the threshold is above that at rest, ``"supernormal"``
        while it is below, ``"subnormal"`` when it is above again, and ``"recovered"`` once it stays within
        1 %.
        """
        return recovery_phases(self.interval, self.threshold_ratio)

    def __str__(self) -> str:
        parts = [f"{name} {start:.2f} to {stop:.2f} ms" for name, start, stop in self.phases()]
        return f"{self.spike} spike: " + ", ".join(parts)


def recovery_phases(
    interval: ArrayLike, ratio: ArrayLike, *, tolerance: float = 0.01
) -> list[tuple[str, float, float]]:
    """The phases of a recovery cycle from its threshold ratios; see ``RecoveryCycle.phases``.

    Parameters
    ----------
    interval : (n,) array_like
        ms, increasing.
    ratio : (n,) array_like
        Threshold over that at rest; nan while absolutely refractory.
    tolerance : float
        How near to 1 the ratio must stay to the end to count as recovered.
    """
    t, r = np.asarray(interval, float), np.asarray(ratio, float)
    found: list[tuple[str, float, float]] = []
    first = int(np.argmax(np.isfinite(r))) if np.isfinite(r).any() else t.size
    if first:
        found.append(("absolute", 0.0, float(t[min(first, t.size - 1)])))
    if first == t.size:
        return found
    above = r[first:] > 1.0
    turns = first + np.flatnonzero(above[1:] != above[:-1])
    # Where the straight line between two intervals crosses 1.
    crossings = t[turns] + (1.0 - r[turns]) / (r[turns + 1] - r[turns]) * (t[turns + 1] - t[turns])
    edges = [float(t[first]), *crossings.tolist(), float(t[-1])]
    parts = np.split(r[first:], turns + 1 - first)
    while parts and np.abs(parts[-1] - 1.0).max() <= tolerance:
        parts.pop()
    for k, part in enumerate(parts):
        name = "supernormal" if part[0] <= 1.0 else "relative" if k == 0 else "subnormal"
        found.append((name, edges[k], edges[k + 1]))
    start = edges[len(parts)]
    if start == edges[-1]:  # it may come near without crossing 1
        k = int(np.flatnonzero(np.abs(r - 1.0) > tolerance)[-1])
        if k < t.size - 1:
            near = 1.0 + math.copysign(tolerance, r[k] - 1.0)
            start = float(t[k] + (near - r[k]) / (r[k + 1] - r[k]) * (t[k + 1] - t[k]))
            found[-1] = (*found[-1][:2], start)
    if start < edges[-1]:
        found.append(("recovered", start, edges[-1]))
    return found


def recovery_cycle(
    axon: Axon,
    intervals: Sequence[float] | None = None,
    *,
    at: Place = 0.0,
    pulse_duration: float = 0.2,
    conditioning: float = 2.0,
    strength: float = 10.0,
    ceiling: float = 50.0,
    between: tuple[float, float] | None = None,
    accuracy: float = 1e-3,
    **how: Unpack[How],
) -> RecoveryCycle:
    """Find threshold and velocity of a second spike over the interval since the first.

    Parameters
    ----------
    axon : Axon
    intervals : sequence of float, optional
        ms from the first pulse to the second, increasing; by default 32 from the end of the absolute
        refractory period to 2.5 times the end of the relative one.
    strength : float
        Of the second pulse whose spike is measured, in units of the resting threshold.
    between : (float, float), optional
        Positions (um) between which the velocity is measured. By default the middle 60 % of the axon: where
        it is measured matters, since a slow spike falls behind and recovers on its way.
    at, pulse_duration, conditioning, ceiling, accuracy, **how
        As for ``refractory_period``; here `accuracy` is that of the thresholds.

    Returns
    -------
    RecoveryCycle

    Raises
    ------
    NoThreshold, ValueError
        As ``refractory_period``.
    """
    above("strength", strength, 1.0)
    above("ceiling", ceiling, 1.0)
    twins = Twins(axon, at, pulse_duration, conditioning, accuracy, how)
    if intervals is None:
        start = twins.absolute(ceiling)
        stop = _SURE * twins.least_interval((1.01,), start, "the relative period")
        times = ladder(start, stop, _INTERVALS)
    else:
        times = np.array([positive("intervals", interval, "ms") for interval in intervals])
        if times.size < 2 or not (np.diff(times) > 0).all():
            raise ValueError(f"intervals must be two or more, increasing, got {list(intervals)}")
    length = axon.total_length
    velocity, resting = twins.velocities(times, strength, between or (0.2 * length, 0.8 * length))
    return RecoveryCycle(
        interval=times,
        threshold=twins.thresholds(times, ceiling),
        resting_threshold=twins.threshold,
        velocity=velocity,
        resting_velocity=resting,
        strength=strength,
        ceiling=ceiling,
        conditioning=conditioning,
        spike=twins.trials.spike,
    )

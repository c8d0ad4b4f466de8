"""Refractoriness: after a spike no stimulus makes another for a while, and then only a stronger one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from axon.checks import Place
from axon.geometry import Axon
from axon.protocols.trials import How, Spike
from axon.protocols.twins import Twins, above


@dataclass(frozen=True)
class RefractoryPeriod:
    """How long after a spike none, and then only a stronger stimulus, makes another.

    Attributes
    ----------
    absolute : float
        ms from the first pulse to the second, below which no second pulse up to the ceiling makes a spike.
    recovered : float
        ms from the first pulse to the second, from which on one at threshold does.
    error : float
        ms, of both.
    threshold : float
        nA, of the resting axon.
    ceiling : float
        The strongest second pulse that was tried, in units of threshold.
    conditioning : float
        Strength of the first pulse, in the same unit.
    spike : str
        ``"propagated"`` or ``"local"``, as for ``find_threshold``.
    """

    absolute: float
    recovered: float
    error: float
    threshold: float
    ceiling: float
    conditioning: float
    spike: Spike

    @property
    def relative(self) -> float:
        """Length of the relative refractory period, ms: from the absolute one to recovery."""
        return self.recovered - self.absolute

    def __str__(self) -> str:
        return (
            f"absolute {self.absolute:.3f} ms (no {self.spike} spike up to {self.ceiling:g} x threshold), "
            f"relative {self.relative:.3f} ms more, until {self.recovered:.3f} ms"
        )


def refractory_period(
    axon: Axon,
    *,
    at: Place = 0.0,
    pulse_duration: float = 0.2,
    conditioning: float = 2.0,
    ceiling: float = 50.0,
    recovery: float = 1.01,
    accuracy: float = 1e-3,
    **how: Unpack[How],
) -> RefractoryPeriod:
    """Find the absolute and the relative refractory period with two pulses at one place.

    Both pulses are rectangular and equally long; intervals count from start to start. A second propagated
    spike is one more that arrives at the far end. A second local spike is one whose pulse comes when the
    first spike is over, and finds membrane whose own current drives it on.

    Parameters
    ----------
    axon : Axon
    at : float
        Position of the pulses, um.
    pulse_duration : float
        ms, of each.
    conditioning : float
        Strength of the first pulse, in units of the resting threshold, > 1.
    ceiling : float
        The strongest second pulse, in the same unit; seven weaker ones are tried too, since the strongest
        is not always the one that works first.
    recovery : float
        The second pulse that marks the end of the relative period, in the same unit.
    accuracy : float
        Relative, of the intervals.
    **how
        ``spike``, ``crossing``, ``dt``, ``dx``, ``order`` and ``progress``, as for ``find_threshold``.

    Returns
    -------
    RefractoryPeriod

    Raises
    ------
    NoThreshold
        When the resting axon cannot be made to fire, or never again.
    ValueError
        For arguments that cannot be meant.
    """
    above("recovery", recovery, 1.0)
    above("ceiling", ceiling, recovery)
    twins = Twins(axon, at, pulse_duration, conditioning, accuracy, how)
    absolute = twins.absolute(ceiling)
    recovered = twins.least_interval((recovery,), absolute, "the relative period")
    return RefractoryPeriod(
        absolute=absolute,
        recovered=recovered,
        error=accuracy * recovered,
        threshold=twins.threshold,
        ceiling=ceiling,
        conditioning=conditioning,
        spike=twins.trials.spike,
    )


def least_interval(
    axon: Axon,
    strength: float,
    *,
    at: Place = 0.0,
    pulse_duration: float = 0.2,
    conditioning: float = 2.0,
    accuracy: float = 1e-3,
    **how: Unpack[How],
) -> float:
    """Find the least interval (ms) after which a second pulse makes a second spike.

    Parameters
    ----------
    axon : Axon
    strength : float
        Of the second pulse, in units of the resting threshold, > 1.
    at, pulse_duration, conditioning, accuracy, **how
        As for ``refractory_period``.

    Raises
    ------
    NoThreshold, ValueError
        As ``refractory_period``.
    """
    above("strength", strength, 1.0)
    twins = Twins(axon, at, pulse_duration, conditioning, accuracy, how)
    return twins.least_interval((strength,), 0.0, "the least interval")

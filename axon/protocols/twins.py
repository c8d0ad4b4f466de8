"""Two pulses at one place: whether the second one makes another spike, and how fast that travels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, positive
from axon.errors import NoPropagation
from axon.geometry import Axon
from axon.protocols.bracket import TRIALS, first_success, ladder, narrow
from axon.protocols.threshold import NoThreshold, find_threshold
from axon.protocols.trials import How, Outcome, Stimuli, Trials
from axon.stimuli import Pulse

Array = NDArray[np.float64]

_SHORTEST = 0.1  # ms between the two pulses, where a search begins
_LONGEST = 1000.0  # ms, where it gives up
_CLIMB = 1.25  # factor between the intervals tried on the way
_WEAKEST = 0.4  # x threshold: no membrane is more excitable than that after a spike


class Twins:
    """Trials of two pulses, the first of a fixed strength, once the resting threshold is known."""

    def __init__(
        self,
        axon: Axon,
        at: Place,
        pulse_duration: float,
        conditioning: float,
        accuracy: float,
        how: How,
    ) -> None:
        positive("accuracy", accuracy, "(relative)")
        positive("pulse_duration", pulse_duration, "ms")
        above("conditioning", conditioning, 1.0)
        self.accuracy, self.progress = accuracy, how.get("progress", True)
        self.trials = Trials(axon, at, **how)
        self.shape = Pulse(amplitude=1.0, duration=pulse_duration, at=at)
        self.threshold = find_threshold(axon, self.shape, accuracy=accuracy / 10, **how).value
        self.first = self._pulse(0.0, conditioning)
        self.alone = self.trials.run([(self.first,)], _complete)[0]

    def _pulse(self, start: float, strength: float) -> Pulse:
        """A pulse of so many thresholds."""
        amplitude = float(strength * self.threshold)
        return Pulse(amplitude=amplitude, start=float(start), duration=self.shape.duration, at=self.shape.at)

    def outcomes(self, interval: Array, strength: Array) -> list[Outcome]:
        """Second pulses after these intervals, in units of threshold."""
        pairs: list[Stimuli] = [
            (self.first, self._pulse(t, s)) for t, s in zip(interval, strength, strict=True)
        ]
        return self.trials.run(pairs, self.second)

    def second(self, outcome: Outcome) -> bool:
        """Whether there was a second spike; locally, one that arose when the first was over."""
        if self.trials.spike == "propagated":
            return outcome.arrivals.size >= 2
        start = outcome.stimuli[1].start
        return bool(start > self.alone.over and (outcome.arrivals >= start).any())

    def works(self, interval: Array, strength: Array) -> NDArray[np.bool_]:
        """Whether they make a second spike."""
        return np.array([self.second(outcome) for outcome in self.outcomes(interval, strength)])

    def absolute(self, ceiling: float) -> float:
        """The least interval (ms) at which any second pulse up to the ceiling works."""
        return self.least_interval(tuple(ladder(2.0, max(ceiling, 2.0), TRIALS)), 0.0, "the absolute period")

    def least_interval(self, strengths: tuple[float, ...], shortest: float, what: str) -> float:
        """The least interval (ms) at which a pulse of one of the strengths works."""

        def works(which: NDArray[np.intp], interval: Array) -> NDArray[np.bool_]:
            success = self.works(np.repeat(interval, len(strengths)), np.tile(strengths, interval.size))
            return np.asarray(success.reshape(interval.size, len(strengths)).any(axis=1))

        start = max(shortest, _SHORTEST)
        if self.trials.spike == "local":
            start = max(start, self.alone.over)
        found = first_success(works, start, _LONGEST, step=_CLIMB, cost=len(strengths))
        if found is None:
            raise NoThreshold(
                f"no second {self.trials.spike} spike up to {_LONGEST:g} ms after the first, with a second "
                f"pulse of {max(strengths):g} x threshold"
            )
        low, high = narrow(
            works,
            [found[0]],
            [found[1]],
            accuracy=self.accuracy,
            cost=len(strengths),
            progress=self.progress,
            what=what,
        )
        return float(low[0] + high[0]) / 2

    def thresholds(self, interval: Array, ceiling: float) -> Array:
        """Threshold (nA) of the second pulse after each interval; nan where none works up to the ceiling."""
        strengths = ladder(_WEAKEST, ceiling, TRIALS)
        repeated = np.repeat(interval, strengths.size), np.tile(strengths, interval.size)
        success = self.works(*repeated).reshape(interval.size, strengths.size)
        some = np.flatnonzero(success.any(axis=1))
        first = np.argmax(success[some], axis=1)
        low, high = np.where(first > 0, strengths[first - 1], 0.0), strengths[first]

        def works(which: NDArray[np.intp], strength: Array) -> NDArray[np.bool_]:
            return self.works(interval[some][which], strength)

        low, high = narrow(
            works, low, high, accuracy=self.accuracy, progress=self.progress, what="thresholds"
        )
        found = np.full(interval.size, np.nan)
        found[some] = (low + high) / 2 * self.threshold
        return found

    def velocities(
        self, interval: Array, strength: float, between: tuple[float, float]
    ) -> tuple[Array, float]:
        """Velocity (m/s) of the second spike after each interval, nan where none is; and of the first."""
        if self.trials.spike == "local":
            return np.full(interval.size, np.nan), float("nan")
        outcomes = self.outcomes(interval, np.full(interval.size, strength))
        second = np.array([_velocity(outcome, between, 1) for outcome in outcomes])
        return second, _velocity(self.alone, between, 0)


def _complete(outcome: Outcome) -> bool:
    """Whether a spike came and went at the place of arrival."""
    return outcome.arrivals.size > 0 and outcome.voltage[-1] < outcome.run.record.threshold


def _velocity(outcome: Outcome, between: tuple[float, float], spike: int) -> float:
    """m/s, or nan where that spike did not travel all the way."""
    if outcome.arrivals.size <= spike:
        return float("nan")
    try:
        return outcome.run.velocity(between=between, spike=spike).value
    except NoPropagation:
        return float("nan")


def above(name: str, value: float, least: float) -> None:
    if positive(name, value, "x threshold") <= least:
        raise ValueError(f"{name} must be > {least:g} x threshold, got {value!r}")

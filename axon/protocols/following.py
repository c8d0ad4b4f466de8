"""Trains: up to which rate an axon follows pulse for pulse, and in which pattern above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from axon.checks import positive
from axon.geometry import Axon
from axon.protocols.bracket import TRIALS, first_success, narrow
from axon.protocols.threshold import NoThreshold
from axon.protocols.trials import How, Trials, arrived
from axon.stimuli import Pulse, Train

Array = NDArray[np.float64]

_LONGEST = 1000.0  # ms
_CLIMB = 1.25
_ALIKE = 0.01  # of the pulses' interval, by which arrivals that repeat may differ


@dataclass(frozen=True, eq=False)
class Following:
    """What an axon made of a train.

    Attributes
    ----------
    interval : float
        Between the pulses, ms.
    pulses : int
    arrivals : (k,) ndarray
        Of spikes, ms.
    latency : float
        From the first pulse to the first arrival, ms; nan without one.
    pattern : (int, int) or None
        ``(q, p)``: for every q pulses p spikes, over and over, once settled. (1, 1) follows, (2, 1) skips
        every other pulse, and (q, q - 1) with q > 2 is a Wenckebach period. None when no pattern repeats in
        the second half of the train.
    """

    interval: float
    pulses: int
    arrivals: Array
    latency: float
    pattern: tuple[int, int] | None

    @property
    def ratio(self) -> float:
        """Spikes per pulse: of the pattern, or over the second half of the train where none repeats."""
        if self.pattern is not None:
            return self.pattern[1] / self.pattern[0]
        half = self.pulses // 2
        return float(_arrived(self, half).size / (self.pulses - half))

    @property
    def rate(self) -> float:
        """Spikes per second that arrive."""
        return 1e3 * self.ratio / self.interval

    @property
    def delays(self) -> Array:
        """Of each arrival after the last pulse that can have caused it, less the latency, ms; a Wenckebach
        period shows as delays that grow until a pulse is dropped."""
        since = self.arrivals - self.latency + _ALIKE * self.interval
        return np.asarray(since % self.interval - _ALIKE * self.interval)

    def __str__(self) -> str:
        pattern = "no pattern" if self.pattern is None else "{}:{}".format(*self.pattern)
        asked = 1e3 / self.interval
        return f"every {self.interval:.4g} ms: {pattern}, {self.rate:.4g} spikes/s of {asked:.4g} /s"


def _arrived(train: Following, first: int) -> Array:
    """Arrivals that pulse number ``first`` or a later one can have caused."""
    begin = train.latency + (first - 0.5) * train.interval
    return train.arrivals[train.arrivals >= begin]


def follow_train(
    axon: Axon, pulse: Pulse, intervals: Sequence[float], *, count: int = 40, **how: Unpack[How]
) -> list[Following]:
    """Give an axon trains of equal pulses at several intervals, and see which spikes arrive.

    Parameters
    ----------
    axon : Axon
    pulse : Pulse
        The first of every train.
    intervals : sequence of float
        ms from one pulse to the next, each not shorter than the pulse.
    count : int
        Pulses in each train, at least 8; patterns are looked for in the second half.
    **how
        ``crossing``, ``dt``, ``dx``, ``order`` and ``progress``, as for ``find_threshold``.

    Returns
    -------
    list of Following
        In the order of the intervals.

    Raises
    ------
    NoThreshold
        When not even the first pulse makes a spike.
    ValueError
        For arguments that cannot be meant, such as an axon of one compartment.
    """
    times = np.array([positive("intervals", interval, "ms") for interval in intervals])
    return _followed(_trials(axon, pulse, how), pulse, times, _counted(count))


def following_limit(
    axon: Axon, pulse: Pulse, *, count: int = 40, accuracy: float = 1e-3, **how: Unpack[How]
) -> float:
    """Find the least interval (ms) at which an axon follows a train pulse for pulse.

    1000 over it is the highest rate (/s) that the axon can carry without loss, for this pulse.

    Parameters
    ----------
    axon, pulse, count, **how
        As for ``follow_train``.
    accuracy : float
        Relative.

    Raises
    ------
    NoThreshold
        When not even the first pulse makes a spike, or trains are not followed at any interval up to 1 s.
    """
    positive("accuracy", accuracy, "(relative)")
    trials, pulses = _trials(axon, pulse, how), _counted(count)

    def works(which: NDArray[np.intp], interval: Array) -> NDArray[np.bool_]:
        return np.array([train.pattern == (1, 1) for train in _followed(trials, pulse, interval, pulses)])

    shortest = max(2 * pulse.duration, 0.1)
    found = first_success(works, shortest, _LONGEST, step=_CLIMB)
    if found is None:
        raise NoThreshold(f"no train of this pulse is followed at intervals up to {_LONGEST:g} ms")
    progress = how.get("progress", True)
    low, high = narrow(works, [found[0]], [found[1]], accuracy=accuracy, progress=progress, what="interval")
    return float(low[0] + high[0]) / 2


def _trials(axon: Axon, pulse: Pulse, how: How) -> Trials:
    if not isinstance(pulse, Pulse):
        raise ValueError(f"pulse must be a Pulse, the first of the train, got {pulse!r}")
    trials = Trials(axon, pulse.at, **how)
    if trials.spike == "local":
        raise ValueError(
            "a train is followed by the spikes that arrive at the far end; it needs an axon of more than one "
            'compartment, and not spike="local"'
        )
    return trials


def _counted(count: int) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 8:
        raise ValueError(f"count must be a whole number >= 8, got {count!r}")
    return count


def _followed(trials: Trials, pulse: Pulse, intervals: Array, count: int) -> list[Following]:
    latency = _latency(trials, pulse)
    found = []
    # Trains of similar length together, for all runs of one call are as long as the longest.
    order = np.argsort(intervals, kind="stable")
    for k in range(0, order.size, TRIALS):
        own = intervals[order[k : k + TRIALS]]
        trains = [_train(pulse, float(interval), count) for interval in own]
        duration = pulse.start + float(own.max()) * (count + 1) + 2 * latency
        times = trials.crossings([(train,) for train in trains], duration)
        found += [
            _settled(t, float(interval), count, latency, pulse.start)
            for t, interval in zip(times, own, strict=True)
        ]
    return [found[i] for i in np.argsort(order)]


def _latency(trials: Trials, pulse: Pulse) -> float:
    alone = trials.run([(pulse,)], arrived(1))[0]
    if not alone.arrivals.size:
        raise NoThreshold(f"the first pulse makes no {trials.spike} spike: {pulse!r}; use a stronger one")
    return float(alone.arrivals[0]) - pulse.start


def _train(pulse: Pulse, interval: float, count: int) -> Train:
    return Train(
        amplitude=pulse.amplitude,
        start=pulse.start,
        duration=pulse.duration,
        interval=interval,
        count=count,
        at=pulse.at,
    )


def _settled(times: Array, interval: float, count: int, latency: float, start: float) -> Following:
    """The pattern of the arrivals in the second half of a train that began at ``start``."""
    arrivals = times - start
    train = Following(interval, count, arrivals, latency, None)
    late = _arrived(train, count // 2)
    return Following(interval, count, arrivals, latency, find_pattern(late, interval, count - count // 2))


def find_pattern(arrivals: Array, interval: float, pulses: int) -> tuple[int, int] | None:
    """The shortest pattern ``(q, p)``, for every q pulses p arrivals, that repeats at least twice.

    Parameters
    ----------
    arrivals : (k,) array
        ms.
    interval : float
        Between the pulses, ms.
    pulses : int
        How many pulses the arrivals belong to.
    """
    for q in range(1, pulses // 2 + 1):
        for p in range(1, q + 1):
            if arrivals.size < 2 * p or abs(arrivals.size / pulses - p / q) > 1.0 / pulses + 1e-9:
                continue
            if (np.abs(arrivals[p:] - arrivals[:-p] - q * interval) < _ALIKE * interval).all():
                return q, p
    return None

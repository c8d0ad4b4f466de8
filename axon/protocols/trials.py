"""Trials of one axon under many stimuli side by side, each run for as long as its outcome needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, finite, place, positive
from axon.discretise.job import default_dt
from axon.errors import AxonError, unknown_name
from axon.geometry import Axon
from axon.record import Record
from axon.run import Run
from axon.simulate import simulate_many
from axon.stimuli import Stimulus, Train

Array = NDArray[np.float64]
Spike = Literal["propagated", "local"]
Stimuli = tuple[Stimulus, ...]

_KINDS = ("propagated", "local")
# An outcome is decided when the spike came, or when for this long after the stimulus nothing has stirred: no
# crossing anywhere, and V within this band around its start.
_QUIET_STEPS = 300  # default steps: 3 ms in squid axon at 6.3 degC
_QUIET_LEAST = 2.0  # ms; the membrane's own time constant does not shorten with warmth
_BAND = 3.0  # mV
_PATIENCE = 1.5  # factor by which a run is made longer
_LONGEST = 2000.0  # ms after the stimulus
_WATCHED = 32  # places along the axon
_TOGETHER = 16  # trials in one simulation: more would wait for the longest of them


class Undecided(AxonError):
    """A trial whose outcome is still open after a very long time."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one trial came to.

    Attributes
    ----------
    run : Run
        Samples at the place of arrival and at places along the axon.
    place : int
        Index of the place of arrival among the recorded positions.
    arrivals : (k,) ndarray
        When spikes arrived or arose there, ms.
    """

    run: Run
    place: int
    arrivals: Array

    @property
    def stimuli(self) -> Stimuli:
        """What was done to the axon."""
        return self.run.stimuli

    @property
    def voltage(self) -> Array:
        """V at the place of arrival at the times ``run.time``, mV."""
        assert self.run.voltage is not None
        return np.asarray(self.run.voltage[:, self.place], float)

    @property
    def depolarisation(self) -> float:
        """The greatest at the place of arrival, mV above its start."""
        return float(self.voltage.max() - self.voltage[0])

    @property
    def over(self) -> float:
        """When V at the place of arrival was last above the crossing, ms; -inf if never."""
        above = self.voltage >= self.run.record.threshold
        return float(self.run.time[above][-1]) if above.any() else -math.inf


Success = Callable[[Outcome], bool]


class How(TypedDict, total=False):
    """The arguments that every protocol hands on to its trials; see ``Trials``."""

    spike: str | None
    crossing: float
    dt: float | None
    dx: float | None
    order: int
    progress: bool


class Trials:
    """The place where the answer is read, the numerics, and how long runs have had to be so far.

    Parameters
    ----------
    axon : Axon
    at : float
        Position of the stimulus, um.
    spike : {"propagated", "local"}, optional
        ``"propagated"``: V crosses upwards at the end of the axon that is farther from ``at``; on a ring,
        opposite. ``"local"``: at ``at`` V rises above the crossing while the membrane's own net current is
        inward, for a strong stimulus drives V across in a membrane that cannot fire. By default propagated,
        but local in a single compartment.
    crossing : float
        mV.
    duration : float, optional
        ms of every run; by default each is as long as its outcome needs.
    dt, dx, order
        As for ``simulate``.
    progress : bool
        Whether the engine may say on a terminal that it compiles.
    """

    def __init__(
        self,
        axon: Axon,
        at: Place,
        *,
        spike: str | None = None,
        crossing: float = -20.0,
        duration: float | None = None,
        dt: float | None = None,
        dx: float | None = None,
        order: int = 2,
        progress: bool = True,
    ) -> None:
        if not isinstance(axon, Axon):
            raise ValueError(f"axon must be an Axon, got {axon!r}")
        distance = axon.distance("at", place("at", at))
        if spike is not None and spike not in _KINDS:
            raise ValueError(unknown_name("kind of spike", spike, _KINDS))
        self.compartments = axon.compartments(dx)
        self.axon, self.at, self.progress = axon, at, progress
        one = len(self.compartments) == 1
        if one and spike == "propagated":
            raise ValueError(
                'spike="propagated" needs somewhere to go, got an axon of one compartment; use spike="local"'
            )
        self.spike: Spike = "local" if one or spike == "local" else "propagated"
        self.arrival = at if self.spike == "local" else _far_end(axon, distance)
        self.goal = self.compartments.nearest(self.arrival)
        self.crossing = finite("crossing", crossing, "mV")
        self.duration = None if duration is None else positive("duration", duration, "ms")
        step = default_dt(axon) if dt is None else positive("dt", dt, "ms")
        self.numerics: dict[str, Any] = {"dt": step, "dx": dx, "order": order}
        self.quiet = max(_QUIET_LEAST, _QUIET_STEPS * default_dt(axon))
        self.allowance = 2 * self.quiet  # ms after the stimulus, which earlier trials have needed

    def run(self, stimuli: Sequence[Stimuli], success: Success) -> list[Outcome]:
        """Make every trial until ``success`` holds of its outcome, or until it can no more.

        Parameters
        ----------
        stimuli : sequence of tuple of Stimulus
            One entry for each trial.
        success : callable
            Once true of an outcome it must stay true if the run goes on.

        Raises
        ------
        Undecided
            When the axon does not come to rest.
        ValueError
            When a stimulus does not end and no ``duration`` is given.
        """
        stimuli = [tuple(own) for own in stimuli]
        if self.duration is not None:
            return self._simulated(stimuli, self.duration)
        ends = np.array([max((end_of(one) for one in own), default=0.0) for own in stimuli])
        if not np.isfinite(ends).all():
            raise ValueError("a stimulus that never ends needs a duration (ms) after which to look")
        order = np.argsort(ends, kind="stable").tolist()
        found: dict[int, Outcome] = {}
        for k in range(0, len(order), _TOGETHER):
            found |= self._decided(order[k : k + _TOGETHER], stimuli, ends, success)
        return [found[i] for i in range(len(stimuli))]

    def _decided(
        self, pending: list[int], stimuli: list[Stimuli], ends: Array, success: Success
    ) -> dict[int, Outcome]:
        """The outcomes of some trials that end at similar times, by number."""
        found: dict[int, Outcome] = {}
        allowance = self.allowance
        while pending:
            duration = float(ends[pending].max()) + allowance
            outcomes = self._simulated([stimuli[i] for i in pending], duration)
            late = []
            for i, outcome in zip(pending, outcomes, strict=True):
                if success(outcome) or self._settled(outcome, ends[i]):
                    found[i] = outcome
                else:
                    late.append(i)
            self.allowance = max(self.allowance, allowance)
            pending, allowance = late, allowance * _PATIENCE
            if pending and allowance > _LONGEST:
                raise Undecided(
                    f"the axon still stirs {allowance / _PATIENCE:.0f} ms after {stimuli[pending[0]]!r}; "
                    "give the duration (ms) after which a spike no longer counts"
                )
        return found

    def crossings(self, stimuli: Sequence[Stimuli], duration: float) -> list[Array]:
        """Upward crossings (ms) at the place of arrival in runs of ``duration`` ms, whatever drove them."""
        runs = self._runs(list(stimuli), duration, Record(voltage=None, threshold=self.crossing))
        return [run.spike_time[run.spike_compartment == self.goal] for run in runs]

    def _simulated(self, stimuli: list[Stimuli], duration: float) -> list[Outcome]:
        local = self.spike == "local"
        record = Record(
            every=self.numerics["dt"] if local else 0.1,
            where=[self.arrival] if local else self._watched(),
            currents=local,
            threshold=self.crossing,
        )
        return [self._outcome(run) for run in self._runs(stimuli, duration, record)]

    def _runs(self, stimuli: list[Stimuli], duration: float, record: Record) -> list[Run]:
        runs = simulate_many(
            [self.axon] * len(stimuli),
            stimuli,
            duration=duration,
            record=record,
            progress=self.progress,
            **self.numerics,
        )
        if not all(run.complete for run in runs):
            raise KeyboardInterrupt
        self.progress = False  # the engine is compiled by now
        return runs

    def _outcome(self, run: Run) -> Outcome:
        there = run.at(self.arrival)
        if self.spike == "propagated":
            return Outcome(run, there, run.spike_time[run.spike_compartment == self.goal])
        assert run.voltage is not None
        v = _smooth(np.asarray(run.voltage[:, there], float))
        own = _smooth(np.sum([current[:, there] for current in run.currents.values()], axis=0))
        firing = (own < 0) & (v > self.crossing) & (np.diff(v, append=v[-1]) > 0)
        return Outcome(run, there, run.time[1:][firing[1:] & ~firing[:-1]])

    def _watched(self) -> list[Place]:
        along = np.linspace(0.0, self.axon.main_length, _WATCHED)
        return [self.at, self.arrival, *along.tolist()]

    def _settled(self, outcome: Outcome, end: float) -> bool:
        """Whether nothing more can come: quiet for a while, after the stimulus."""
        run = outcome.run
        assert run.voltage is not None
        since = run.time[-1] - self.quiet
        if since < end:
            return False
        crossings = outcome.arrivals if self.spike == "local" else run.spike_time
        if crossings.size and crossings[-1] > since:
            return False
        late = run.voltage[run.time >= since] - run.voltage[0]
        return bool(np.abs(late).max() < _BAND)


def _smooth(values: Array) -> Array:
    """Values in time without the part that alternates from step to step, which a point source rings with."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4


def arrived(count: int) -> Success:
    """At least so many spikes at the place of arrival."""
    return lambda outcome: outcome.arrivals.size >= count


def end_of(stimulus: Stimulus) -> float:
    """When a stimulus is over, ms."""
    if isinstance(stimulus, Train):
        return stimulus.start + (stimulus.count - 1) * stimulus.interval + stimulus.duration
    return stimulus.start + stimulus.duration


def _far_end(axon: Axon, at: float) -> float:
    length = axon.main_length
    if axon.ring:
        return (at + length / 2) % length
    return length if at <= length / 2 else 0.0


def rounded(value: float, error: float) -> str:
    """A number with the digits that its error leaves it, and the error: ``4480.0 ± 0.2``."""
    decimals = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 6
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"

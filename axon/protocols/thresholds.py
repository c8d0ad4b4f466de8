"""Thresholds of many axons, one trial of each at a time, side by side in the lanes of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from axon.checks import positive
from axon.discretise.job import default_dt
from axon.errors import AxonError
from axon.geometry import Axon
from axon.protocols.bracket import narrow
from axon.protocols.passage import Numerics, arrival_times
from axon.protocols.stimulus import suprathreshold_pulse
from axon.protocols.threshold import NoThreshold
from axon.protocols.trials import Undecided
from axon.record import Record
from axon.simulate import simulate_many
from axon.stimuli import Pulse

Array = NDArray[np.float64]

_FACTOR = 4.0  # between the strengths tried on the way to a bracket
_CEILING = 30.0  # x suprathreshold_pulse, itself some four thresholds; as for ``find_threshold``
_FLOOR = 1e-4  # x that ceiling
_LATENCY = 300.0  # default steps by which a spike at threshold may be late, as in ``Trials``
_LEAST_LATENCY = 2.0  # ms
_PATIENCE = 2.0  # factor by which runs are made longer where that brings a spike after all
_LONGEST = 2000.0  # ms


@dataclass(frozen=True)
class Bracketed:
    """The strengths around a threshold, nA: the one makes no spike that arrives, the other does."""

    fails: float
    fires: float

    @property
    def value(self) -> float:
        """Midway between the two, nA."""
        return (self.fails + self.fires) / 2

    @property
    def error(self) -> float:
        """Half the distance between them, nA."""
        return abs(self.fires - self.fails) / 2


def thresholds(
    axons: Sequence[Axon],
    pulses: Sequence[Pulse],
    *,
    accuracy: float = 1e-3,
    threshold: float = -20.0,
    numerics: Numerics | None = None,
    threads: int | None = None,
) -> list[Bracketed | AxonError]:
    """Find the least amplitudes with which pulses make spikes that arrive at the far end of their axons.

    As ``find_threshold`` of each with a propagated spike; but every simulation tries one strength of every
    axon, where ``find_threshold`` tries eight of one, and so needs less than half the work.

    Parameters
    ----------
    axons : sequence of Axon
    pulses : sequence of Pulse
        One for each; their amplitudes give no more than the sign.
    accuracy : float
        Relative.
    threshold : float
        mV, whose upward crossing at the far end is an arrival.
    numerics : Numerics, optional
    threads : int, optional
        As for ``simulate_many``.

    Returns
    -------
    list of Bracketed, or of NoThreshold or Undecided where there is none
    """
    positive("accuracy", accuracy, "(relative)")
    cohort = _Cohort(axons, pulses, threshold, numerics or Numerics(), threads)
    every = np.arange(len(axons))
    low, high, why = cohort.brackets()
    sound = every[[error is None for error in why]]
    while sound.size:
        works = partial(cohort.works_of, sound)
        below, above = narrow(works, low[sound], high[sound], accuracy=accuracy, progress=False)
        low[sound], high[sound] = below, above
        sound = cohort.late(sound, below, why)
        high[sound] = low[sound]  # which makes a spike, only later than runs had lasted
        low[sound] /= _FACTOR
    sign = [-1.0 if pulse.amplitude < 0 else 1.0 for pulse in pulses]
    return [why[k] or Bracketed(sign[k] * float(low[k]), sign[k] * float(high[k])) for k in every]


class _Cohort:
    """Trials of many axons."""

    def __init__(
        self,
        axons: Sequence[Axon],
        pulses: Sequence[Pulse],
        threshold: float,
        numerics: Numerics,
        threads: int | None,
    ) -> None:
        self.axons, self.pulses, self.how, self.threads = axons, pulses, numerics, threads
        self.record = Record(voltage=None, threshold=threshold)
        self.scale = np.array(
            [
                suprathreshold_pulse(
                    axon, at=pulse.at, duration=min(pulse.duration, 0.2), dx=numerics.dx
                ).amplitude
                for axon, pulse in zip(axons, pulses, strict=True)
            ]
        )
        late = [max(_LEAST_LATENCY, _LATENCY * default_dt(axon)) for axon in axons]
        ends = [pulse.start + pulse.duration for pulse in pulses]
        self.duration = np.array(arrival_times(axons)) + late + ends
        self.step = np.array([numerics.step(axon) for axon in axons])
        self.far = [
            0.0 if a.distance("at", p.at) > a.main_length / 2 else a.main_length
            for a, p in zip(axons, pulses, strict=True)
        ]

    def works(self, which: NDArray[np.intp], strength: Array) -> NDArray[np.bool_]:
        """Whether these axons conduct a spike with these strengths (nA)."""
        success = np.zeros(which.size, bool)
        for step in np.unique(self.step[which]):  # axons with different steps share no lanes anyway
            here = np.flatnonzero(self.step[which] == step)
            success[here] = self._arrived(
                which[here], strength[here], float(self.duration[which[here]].max())
            )
        return success

    def works_of(
        self, members: NDArray[np.intp], which: NDArray[np.intp], strength: Array
    ) -> NDArray[np.bool_]:
        """The same of axons given by their number among some of them."""
        return self.works(members[which], strength)

    def _arrived(self, which: NDArray[np.intp], strength: Array, duration: float) -> NDArray[np.bool_]:
        trials = [self._pulse(k, s) for k, s in zip(which, strength, strict=True)]
        runs = simulate_many(
            [self.axons[k] for k in which],
            trials,
            duration=duration,
            dt=self.how.dt,
            dx=self.how.dx,
            order=self.how.order,
            record=self.record,
            threads=self.threads,
            progress=False,
        )
        if not all(run.complete for run in runs):
            raise KeyboardInterrupt
        goals = [run.compartments.nearest(self.far[k]) for k, run in zip(which, runs, strict=True)]
        return np.array(
            [(run.spike_compartment == goal).any() for run, goal in zip(runs, goals, strict=True)]
        )

    def _pulse(self, number: int, strength: float) -> Pulse:
        pulse = self.pulses[number]
        return replace(pulse, amplitude=float(-strength if pulse.amplitude < 0 else strength))

    def brackets(self) -> tuple[Array, Array, list[AxonError | None]]:
        """For every axon a strength that fails, one that fires, or the reason why there are none."""
        high, low = self.scale.copy(), np.zeros(self.scale.size)
        why: list[AxonError | None] = [None] * high.size
        silent = np.arange(high.size)
        while (silent := silent[~self.works(silent, high[silent])]).size:
            low[silent] = high[silent]
            spent = high[silent] >= _CEILING * self.scale[silent]
            for k in silent[spent]:
                why[k] = NoThreshold(
                    f"no propagated spike with a pulse of {self.pulses[k].duration:g} ms up to "
                    f"{high[k]:.4g} nA"
                )
            silent = silent[~spent]
            high[silent] = np.minimum(high[silent] * _FACTOR, _CEILING * self.scale[silent])
        firing = np.flatnonzero([error is None for error in why] & (low == 0))
        low[firing] = high[firing] / _FACTOR
        while (firing := firing[self.works(firing, low[firing])]).size:
            high[firing] = low[firing]
            low[firing] /= _FACTOR
            for k in firing[low[firing] < _FLOOR * self.scale[firing]]:
                why[k] = NoThreshold("the axon fires without a stimulus, so there is no threshold to find")
            firing = firing[[why[k] is None for k in firing]]
        return low, high, why

    def late(self, which: NDArray[np.intp], fails: Array, why: list[AxonError | None]) -> NDArray[np.intp]:
        """Of which axons a strength that failed makes a spike in longer runs, which they then get."""
        self.duration[which] *= _PATIENCE
        found = which[self.works(which, fails)]
        self.duration[which] /= _PATIENCE
        self.duration[found] *= _PATIENCE
        for k in found[self.duration[found] > _LONGEST]:
            why[k] = Undecided(f"a spike still comes after {self.duration[k]:.0f} ms")
        return found[self.duration[found] <= _LONGEST]

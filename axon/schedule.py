"""When samples are taken: at equal intervals, or densely around spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.checks import positive

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Every:
    """Samples at equal intervals.

    Parameters
    ----------
    interval : float
        ms, rounded to whole time steps (at least one).
    only : sequence of str, optional
        Of gates, currents or concentrations, the names of those to keep; all by default.
    envelope : bool
        Of voltage: keep besides every sample the lowest and the highest value since the one before, so that
        no peak falls between two: ``run.beside["voltage_lowest"]`` and ``["voltage_highest"]``.
    """

    interval: float
    only: Sequence[str] | None = None
    envelope: bool = False

    def __post_init__(self) -> None:
        positive("Every.interval", self.interval, "ms")
        _keep_names(self)

    def strides(self, dt: float) -> tuple[int, ...]:
        """Time steps between samples of each kind that it takes."""
        return (1,) if self.envelope else (self.stride(dt),)

    def stride(self, dt: float) -> int:
        return max(1, round(self.interval / dt))

    def reach(self, dt: float) -> int:
        """How many steps around a sample decide on it."""
        return self.stride(dt) if self.envelope else 0


@dataclass(frozen=True)
class AroundSpikes:
    """Dense samples while a spike passes a recorded position, thin ones otherwise.

    Parameters
    ----------
    around : float
        ms before and after a crossing of threshold at any recorded position.
    every : float
        ms between the dense samples, rounded to whole time steps.
    elsewhere : float, optional
        ms between the thin ones, rounded to a multiple of ``every``; by default there are none.
    only : sequence of str, optional
        Of gates, currents or concentrations, the names of those to keep; all by default.
    """

    around: float
    every: float = 0.01
    elsewhere: float | None = None
    only: Sequence[str] | None = None
    envelope = False

    def __post_init__(self) -> None:
        positive("AroundSpikes.around", self.around, "ms")
        positive("AroundSpikes.every", self.every, "ms")
        if self.elsewhere is not None:
            positive("AroundSpikes.elsewhere", self.elsewhere, "ms")
        _keep_names(self)

    def strides(self, dt: float) -> tuple[int, ...]:
        """Time steps between the dense samples, of which the thin ones are some."""
        return (max(1, round(self.every / dt)),)

    def stride(self, dt: float) -> int:
        """Time steps between thin samples; 0 for none."""
        dense = self.strides(dt)[0]
        return 0 if self.elsewhere is None else max(1, round(self.elsewhere / dt / dense)) * dense

    def reach(self, dt: float) -> int:
        """How many steps around a sample decide on it, and some for the crossing's own time."""
        return round(self.around / dt) + 4


Schedule = Every | AroundSpikes


def _keep_names(schedule: Schedule) -> None:
    only = schedule.only
    if only is not None:
        object.__setattr__(schedule, "only", (only,) if isinstance(only, str) else tuple(only))


def near(times: Array, spikes: Array, around: float) -> NDArray[np.bool_]:
    """Which of the times lie within ``around`` of a spike; all in ms, spikes in order."""
    if not len(spikes):
        return np.zeros(len(times), bool)
    after = np.searchsorted(spikes, times)
    before = np.maximum(after - 1, 0)
    after = np.minimum(after, len(spikes) - 1)
    return np.minimum(np.abs(times - spikes[before]), np.abs(times - spikes[after])) <= around

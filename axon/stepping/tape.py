"""Rows of samples on their way from the engine to a run: which are kept, and what happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.schedule import AroundSpikes, Schedule, near

Array = NDArray[Any]


class Rows(NamedTuple):
    """Samples: numbers of their steps, V, raw gates, and V's envelope since the sample before."""

    steps: NDArray[np.int64]
    v: Array
    raw: Array
    lowest: Array | None = None
    highest: Array | None = None


class Tape:
    """Keeps of all samples those that a schedule wants.

    Parameters
    ----------
    axis : str
        Name of its axis of time in the file.
    kinds : tuple of str
        What is kept at these times: ``"voltage"``, ``"gates"``, ``"currents"``.
    schedule : Every or AroundSpikes
    dt : float
        ms.
    first : int
        Step before which nothing is kept.
    """

    def __init__(self, axis: str, kinds: tuple[str, ...], schedule: Schedule, dt: float, first: int) -> None:
        self.axis, self.kinds, self.schedule, self.dt, self.first = axis, kinds, schedule, dt, first
        self.stride = schedule.stride(dt)
        self.waiting: list[Rows] = []
        self.spikes = np.zeros(0)
        self.envelope: tuple[Array, Array] | None = None

    def take(self, steps: NDArray[np.int64], v: Array, raw: Array) -> Iterator[Rows]:
        """What is to be kept of these samples at once; those whose spikes are not known yet wait."""
        if isinstance(self.schedule, AroundSpikes):
            dense = steps % self.schedule.strides(self.dt)[0] == 0
            self.waiting.append(Rows(steps[dense], v[dense], raw[dense]))
        elif self.schedule.envelope:
            yield from self._enveloped(steps, v, raw)
        else:
            due = (steps % self.stride == 0) & (steps >= self.first)
            if due.all():
                yield Rows(steps, v, raw)
            elif due.any():
                yield Rows(steps[due], v[due], raw[due])

    def _enveloped(self, steps: NDArray[np.int64], v: Array, raw: Array) -> Iterator[Rows]:
        """Of samples of every step those that are due, with the extremes since the last one."""
        due = np.flatnonzero(steps % self.stride == 0)
        low, high = [], []
        start = 0
        for row in due:
            part = v[start : row + 1]
            lowest, highest = part.min(axis=0), part.max(axis=0)
            if self.envelope is not None:
                lowest = np.minimum(lowest, self.envelope[0])
                highest = np.maximum(highest, self.envelope[1])
            low.append(lowest)
            high.append(highest)
            self.envelope, start = None, int(row) + 1
        rest = v[start:]
        if len(rest):
            lowest, highest = rest.min(axis=0), rest.max(axis=0)
            if self.envelope is not None:
                lowest = np.minimum(lowest, self.envelope[0])
                highest = np.maximum(highest, self.envelope[1])
            self.envelope = lowest, highest
        kept = steps[due] >= self.first
        if kept.any():
            due = due[kept]
            yield Rows(steps[due], v[due], raw[due], np.array(low)[kept], np.array(high)[kept])

    def hear(self, spikes: Array) -> None:
        """Take crossings (ms, in order) at the recorded positions."""
        if isinstance(self.schedule, AroundSpikes):
            self.spikes = np.concatenate([self.spikes, spikes])

    def release(self, until: float, room: float) -> Iterator[Rows]:
        """Waiting samples about which all is known, given that all spikes up to ``until`` (ms) are.

        Of those around spikes as many as there is ``room`` for; those due anyway besides.
        """
        if not isinstance(self.schedule, AroundSpikes):
            return
        around = self.schedule.around
        while self.waiting:
            rows = self.waiting.pop(0)
            ready = int(np.searchsorted(rows.steps * self.dt, until - around))
            steps = rows.steps[:ready]
            wanted = near(steps * self.dt, self.spikes, around) & (steps >= self.first)
            wanted &= np.cumsum(wanted) <= room
            room -= np.count_nonzero(wanted)
            if self.stride:
                wanted |= (steps % self.stride == 0) & (steps >= self.first)
            if wanted.any():
                yield Rows(*(part[:ready][wanted] for part in (rows.steps, rows.v, rows.raw)))
            if ready < len(rows.steps):
                self.waiting.insert(0, Rows(rows.steps[ready:], rows.v[ready:], rows.raw[ready:]))
                break
        self.spikes = self.spikes[self.spikes > until - 2 * around - self.dt]

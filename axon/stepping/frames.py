"""Frames: where the samples of a group of axons lie until its collectors have taken them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine.samples import Samples, copied
from axon.record import Record
from axon.stepping.collect import Collector

Array = NDArray[Any]


@lru_cache(maxsize=16)
def _nowhere(axons: int) -> Samples:
    """Where no samples go, of so many axons."""
    none, nothing = np.zeros(axons, np.int64), np.zeros(0)
    places = np.zeros(0, np.int64)
    return Samples(0, copied(places, 0), places, nothing, none, none, nothing, np.zeros((0, 0)))


class NoFrames:
    """What stands in for frames where nothing but spikes is kept."""

    values = 0

    def __init__(self, axons: int) -> None:
        self.axons = axons

    def make_room(self, chunk: int, whole: int) -> None:
        """Nothing: none is needed."""

    def samples(self, stride: int) -> Samples:
        """What the engine wants to know: that there is nothing to be done."""
        return _nowhere(self.axons)

    def sample(self, frame: int) -> None:
        """Nothing."""

    def hand_out(self, steps: NDArray[np.int64]) -> None:
        """Nothing."""


class Frames:
    """Room for samples, filled by the engine chunk by chunk.

    Voltages that are kept in memory as they come are written to where they stay; everything else lies in a
    buffer that the next chunk fills anew.

    Parameters
    ----------
    collectors : list of Collector
    group : engine group
        Whose state is sampled.
    size : int
        Compartments in that state.
    record : Record
    """

    def __init__(self, collectors: Sequence[Collector], group: Any, size: int, record: Record) -> None:
        self.collectors, self.group = collectors, group
        none = np.zeros(0, np.int64)
        owns = [c.own if record.samples else none for c in collectors]
        v_index = [place[own] for place, own in zip(group.place, owns, strict=True)]
        self.v_index = np.concatenate([none, *v_index])
        self.width = np.array([len(index) for index in v_index])
        wanted = bool(record.gates or record.currents or record.concentrations)
        gates = [place[own if wanted else none] for place, own in zip(group.gate_place, owns, strict=True)]
        self.gate_shape = [place.shape for place in gates]
        # Where a membrane has fewer gates than another, any place will do: nobody looks.
        self.gate_index = np.maximum(np.concatenate([none, *(place.reshape(-1) for place in gates)]), 0)
        self.copy = copied(self.v_index, size)
        self.row = np.empty(len(self.v_index))
        self.begin = 0

    @property
    def values(self) -> int:
        """Numbers in a frame that go through a buffer."""
        return len(self.gate_index) + (0 if self._stay else len(self.v_index))

    @property
    def _stay(self) -> bool:
        return all(collector.keeps_voltage for collector in self.collectors)

    def make_room(self, chunk: int, whole: int) -> None:
        """Make room for the frames of any chunk, and of the whole run where they stay."""
        room = whole if self._stay else chunk
        self.first = np.cumsum(self.width * room) - self.width * room
        self.v = np.empty(int(self.width.sum()) * room)
        self.parts = [
            self.v[first : first + room * width].reshape(room, width)
            for first, width in zip(self.first, self.width, strict=True)
        ]
        self.gates = np.empty((chunk, len(self.gate_index)))
        if self._stay:
            for collector, part in zip(self.collectors, self.parts, strict=True):
                collector.memory.hold("voltage", part)

    def samples(self, stride: int) -> Samples:
        """What the engine wants to know to fill the frames of the next chunk."""
        first = self.first + self.begin * self.width
        return Samples(stride, self.copy, self.gate_index, self.row, self.width, first, self.v, self.gates)

    def sample(self, frame: int) -> None:
        """Sample the state as it is now, as the chunk's frame of that number."""
        state, at = self.group.state, 0
        for part in self.parts:
            width = part.shape[1]
            part[self.begin + frame] = state.v[self.v_index[at : at + width]]
            at += width
        self.gates[frame] = state.gates[self.gate_index]

    def hand_out(self, steps: NDArray[np.int64]) -> None:
        """Give the collectors the chunk's frames, which are of these steps."""
        at, begin, count = 0, self.begin, len(steps)
        for collector, part, shape in zip(self.collectors, self.parts, self.gate_shape, strict=True):
            size = math.prod(shape)
            raw = self.gates[:count, at : at + size].reshape(count, part.shape[1], -1 if size else 0)
            collector.samples(steps, part[begin : begin + count], raw)
            at += size
        if self._stay:
            self.begin += count

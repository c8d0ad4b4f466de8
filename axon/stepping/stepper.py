"""One group of lanes through time: chunks of steps, samples and spikes collected, trouble named."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.discretise.sources import Sources
from axon.engine import history, limbs
from axon.engine.cables import Cable
from axon.engine.crossings import settle
from axon.engine.lanes import lay_out
from axon.engine.simd import LANES
from axon.engine.state import DAMPED_STEPS, LEFT_TABLE, Spikes
from axon.engine.tables import CELL
from axon.errors import Unstable
from axon.measure.velocity import front_velocity
from axon.progress import CompileNotice, Glimpse, Progress
from axon.record import Record
from axon.stepping.collect import Collector
from axon.stepping.frames import Frames, NoFrames
from axon.stimuli import Clamp

Array = NDArray[Any]

_CHUNK_SECONDS = 0.1
_CHUNK_SAMPLES = 4_000_000  # values
_SPIKES = 8192  # at least for so many there is room in a chunk
_RUNAWAY = 20_000.0  # mV; no current that leaves an axon whole takes it there
_compiling = threading.Lock()
_compiled: set[type] = set()


class Stepper:
    """Steps the axons of one group and hands what they do to their collectors.

    Parameters
    ----------
    collectors : list of Collector
        One per axon, in the order of the cables.
    cables : list of Cable
    order : int
        2 or 4.
    record : Record
    """

    lanes = LANES
    seconds_per_step = 8e-9  # of a compartment, about

    def __init__(self, collectors: list[Collector], cables: list[Cable], order: int, record: Record) -> None:
        self.collectors, self.record = collectors, record
        self.jobs = [collector.job for collector in collectors]
        self.dt, self.steps = self.jobs[0].dt, self.jobs[0].steps
        self.sources = [
            Sources(job.compartments, [s for s in job.stimuli if not isinstance(s, Clamp)])
            for job in self.jobs
        ]
        self.clamps = [s for job in self.jobs for s in job.stimuli if isinstance(s, Clamp)]
        voltages = [end for cable in cables for end in cable.span] + [s.voltage for s in self.clamps]
        start = self.jobs[0].start  # a job that goes on from a checkpoint is alone
        # Where the tables begin shows in the last bit of what is read from them.
        low, high = _cells(min(voltages), max(voltages))
        if start is not None and "cells" in start:
            low, high = start["cells"]
        self.group: Any = self._laid_out(cables, order, (int(low), int(high)))
        self.done = self.jobs[0].first
        if self.jobs[0].third:
            self.group.expect_kinks([job.kinks for job in self.jobs], self.done)
        self.size = self.group.plan.rows * self.lanes
        self.begins = np.array([0, *accumulate(map(len, cables))])
        self.jointed = cables[0].limbs is not None
        self.stride = record.stride(self.dt) if record.samples else 0
        self.frames: Frames | NoFrames = NoFrames(len(collectors))
        if record.samples:
            self.frames = Frames(collectors, self.group, self.size, record)
        if start is not None:
            self._restore(start)

    def _laid_out(self, cables: list[Cable], order: int, cells: tuple[int, int]) -> Any:
        if cables[0].limbs is not None:
            return limbs.lay_out(cables, threshold=self.record.threshold, table_cells=cells)
        return lay_out(cables, threshold=self.record.threshold, fourth=order == 4, table_cells=cells)

    @property
    def work(self) -> float:
        """Model time to step through, ms."""
        return (self.steps - self.done) * self.dt

    @property
    def brief(self) -> bool:
        """Whether a single chunk, of a tenth of a second, is all that there is to do, and none to a file."""
        alone = not self.jobs[0].jumps and self.record.checkpoints is None
        return alone and self.steps - self.done <= self._longest() and self.collectors[0].to is None

    def _longest(self) -> int:
        """Steps in a chunk at most."""
        chunk = max(1, int(_CHUNK_SECONDS / (self.seconds_per_step * self.size)))
        if self.stride:
            chunk = min(chunk, self.stride * max(1, _CHUNK_SAMPLES // max(self.frames.values, 1)))
        return chunk

    def run(self, bar: Progress, stop: threading.Event) -> None:
        """Step to the end, or until ``stop`` is set between two chunks."""
        stride, chunk = self.stride, self._longest()
        room = max(_SPIKES, 8 * self.size)
        when, earlier, v0, v1 = (np.empty(room) for _ in range(4))
        spikes = Spikes(np.empty(room, np.int64), when, earlier, v0, v1, np.zeros(2, np.int64))
        self._await(spikes)
        jumps = self.jobs[0].jumps  # the same for all of a group
        rhythm = self.record.rhythm(self.dt)
        if len(self.collectors) == 1:
            bar.watch(self._glimpse)
        self._checkpoint(self._states(spikes))
        whole = self.steps // stride - (self.done - 1) // stride if stride else 0
        self.frames.make_room(min(whole, chunk // max(stride, 1) + 2), whole)
        while self.done < self.steps and not stop.is_set():
            if self.done in jumps:
                self.group.state.damped[0] = DAMPED_STEPS
            upcoming = next((step for step in jumps if step > self.done), self.steps)
            if rhythm:
                upcoming = min(upcoming, (self.done // rhythm + 1) * rhythm)
            self._chunk(spikes, stride, min(chunk, self.steps - self.done, upcoming - self.done), bar)
            due = self.done % rhythm == 0 if rhythm else self.collectors[0].checkpoint_due
            if due and self.done < self.steps:
                self._checkpoint(self._states(spikes))
        reached = self._states(spikes)
        self._drain(spikes, everything=True)
        if self.done < self.steps and stride and self.done % stride == 0:
            self.frames.sample(0)
            self._keep(np.array([self.done]))
        self._checkpoint(reached)  # last: what it rests on is in the file

    def _chunk(self, spikes: Any, stride: int, count: int, bar: Progress) -> None:
        first = self.done
        past = history.STEPS if self.jobs[0].third else 0
        step = np.arange(first - past, first + count + 1)
        strengths = self._strengths(step * self.dt)
        step = step[past:-1]
        levels = np.empty((len(self.clamps), count))
        for number, clamp in enumerate(self.clamps):
            levels[number] = clamp.level(step, self.dt)
        samples = self.frames.samples(stride)
        done, taken, reason = self._advance(bar.enabled, spikes, samples, strengths, levels, first, count)
        self.done += int(done)
        if stride and self.done == self.steps and self.done % stride == 0:
            step = np.append(step, self.done)
            self.frames.sample(taken)
            taken += 1
        if taken:
            self._keep(step[step % stride == 0][:taken])
        if self.done < self.steps or reason == LEFT_TABLE:
            self._drain(spikes, everything=False)
        bar.advance(done * self.dt)
        if reason == LEFT_TABLE:
            self._recover()

    def _advance(self, talk: bool, *arguments: Any) -> tuple[int, int, int]:
        """Make steps: the arguments and answer of ``kernel.run_steps`` after plan and state."""
        return _advanced(self.group, talk, *arguments)

    def _strengths(self, edges: Array) -> Array:
        """Of all sources, one after the other; those that many axons share are worked out once."""
        if len(self.sources) == 1:
            return self.sources[0].strengths(edges)
        known: dict[Any, Array] = {}
        for sources in self.sources:
            if sources.alike not in known:
                known[sources.alike] = sources.strengths(edges)
        return np.concatenate([known[sources.alike] for sources in self.sources])

    def _glimpse(self) -> Glimpse:
        collector, voltage = self.collectors[0], self.group.state.v[self.group.place[0]]
        return Glimpse(voltage, front_velocity(collector.job.compartments.position, collector.arrival))

    def _restore(self, start: Mapping[str, Array]) -> None:
        """Put the state of a checkpoint in place of the initial one."""
        for name, (array, place) in self.group.lasting(0).items():
            if isinstance(place, slice):
                array[place] = start.get(name, array)
            elif name in start:
                array[place[place >= 0]] = start[name][place >= 0]

    def _beside(self) -> dict[str, Array]:
        """What lasts from step to step and is not in the engine."""
        return {}

    def _await(self, spikes: Any) -> None:
        """Of a job that goes on from a checkpoint: the crossings of the step before it, still to be timed."""
        start = self.jobs[0].start
        if start is None:
            return
        rising = np.flatnonzero(~np.isnan(start["rising"]))
        count = len(rising)
        spikes.place[:count] = self.group.place[0][rising]
        spikes.when[:count] = self.done - 1
        spikes.v0[:count], spikes.v1[:count] = start["rising"][rising], start["v"][rising]
        spikes.earlier[:count] = np.nan
        if self.jobs[0].third:
            spikes.earlier[:count] = self.group.before(spikes.place[:count], spikes.v0[:count])
        spikes.found[0] = count

    def _states(self, spikes: Any) -> list[dict[str, Array]]:
        """The state of every axon that is to be continued some day, bit for bit; of others the step alone."""
        when = {"step": np.array(self.done), "cells": np.array(self.group.table_cells)}
        if not any(collector.resumable for collector in self.collectors):
            return [when] * len(self.collectors)
        found, settled = spikes.found.tolist()
        rising = np.full(self.size, np.nan)
        if settled < found:
            rising[spikes.place[settled:found]] = spikes.v0[settled:found]
        return [
            {name: _read(*where) for name, where in self.group.lasting(i).items()}
            | {**when, **self._beside(), "rising": rising[place]}
            for i, place in enumerate(self.group.place)
        ]

    def _checkpoint(self, states: list[dict[str, Array]]) -> None:
        for collector, state in zip(self.collectors, states, strict=True):
            collector.checkpoint(state)

    def _recover(self) -> None:
        """Widen the tables to where V has gone, or say that it is nowhere sensible."""
        v = self.group.state.v
        size = np.where(np.isnan(v), np.inf, np.abs(v))
        worst = int(np.argmax(size))
        if size[worst] >= _RUNAWAY:
            self._unstable(worst)
        ends = self.group.span() if self.jobs[0].third else (float(v.min()), float(v.max()))
        self.group.widen(*_cells(*ends))

    def _whose(self, place: Any) -> tuple[Any, Any]:
        """Which axon a place in the state belongs to, and which of its compartments, or joints behind."""
        number = self.group.number[place]
        owner = self.begins.searchsorted(number, "right") - 1
        return owner, number - self.begins[owner]

    def _unstable(self, flat: int) -> None:
        owner, compartment = self._whose(flat)
        job = self.jobs[owner]
        x = job.compartments.position[min(compartment, len(job.compartments) - 1)]
        raise Unstable(
            f"voltage is {self.group.state.v[flat]:g} mV at t = {self.done * self.dt:g} ms, x = {x:g} um; "
            f"try a smaller dt than {self.dt:g} ms, or a weaker stimulus there",
            run=self.collectors[owner].result(self.done),
        )

    def _keep(self, steps: NDArray[np.int64]) -> None:
        """Hand out the chunk's samples, which are of these steps."""
        self.frames.hand_out(steps)

    def _drain(self, spikes: Any, *, everything: bool) -> None:
        """Turn the crossings found so far into times, but for those that wait for one more step."""
        total, settled = spikes.found.tolist()
        if everything and settled < total:
            settle(spikes, total, np.zeros(0), self.record.threshold)
            settled = total
        self._hand_over(spikes.place[:settled], spikes.when[:settled] * self.dt)
        if settled < total:
            for field in spikes[:-1]:
                field[: total - settled] = field[settled:total]
        spikes.found[:] = total - settled, 0

    def _hand_over(self, place: NDArray[np.int64], time: Array) -> None:
        """Give every collector its crossings, by their places in the state and times (ms)."""
        if len(self.collectors) == 1 and not self.jointed:
            self.collectors[0].spikes(self.group.number[place], time)
            return
        owner, compartment = self._whose(place)
        if self.jointed:
            inside = compartment < np.array([len(job.compartments) for job in self.jobs])[owner]
            owner, compartment, time = owner[inside], compartment[inside], time[inside]
        order = owner.astype(np.int16).argsort(kind="stable")  # of few small numbers: a radix sort
        owner, compartment, time = owner[order], compartment[order], time[order]
        ends = owner.searchsorted(np.arange(len(self.collectors)), "right").tolist()
        for begin, end, collector in zip([0, *ends], ends, self.collectors, strict=False):
            collector.spikes(compartment[begin:end], time[begin:end])


def _read(array: Array, place: Any) -> Array:
    """A copy of the values at ``place``."""
    return array[place].copy() if isinstance(place, slice) else array[place]


def _cells(lowest: float, highest: float) -> tuple[int, int]:
    """A table range, in whole cells, that covers these voltages (mV) with room around them."""
    block = 150.0
    low = min(-block, block * math.floor(lowest / block - 0.1))
    high = max(block, block * math.ceil(highest / block + 0.1))
    return round(low / CELL), round(high / CELL)


def _advanced(group: Any, talk: bool, *arguments: Any) -> tuple[int, int, int]:
    """The group's steps; the first of its kind in a process may compile and then says so."""
    if type(group) in _compiled:
        return group.advance(*arguments)
    with _compiling, CompileNotice(enabled=talk and type(group) not in _compiled):
        answer = group.advance(*arguments)
    _compiled.add(type(group))
    return answer

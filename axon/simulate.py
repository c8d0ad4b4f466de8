"""Run axons: checks at the door, then chunks of engine steps between which Python looks around."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import positive
from axon.geometry import Axon
from axon.job import Job, prepare
from axon.progress import Progress, stop_on_interrupt
from axon.provenance import provenance
from axon.record import Record
from axon.run import Run
from axon.stimuli import Clamp, Stimulus

Array = NDArray[np.floating]


def simulate(
    axon: Axon,
    stimuli: Stimulus | Iterable[Stimulus] = (),
    *,
    duration: float,
    dt: float | None = None,
    dx: float | None = None,
    order: int = 2,
    record: Record | None = None,
    initial_voltage: ArrayLike | None = None,
    to: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> Run:
    """Simulate one axon from rest.

    Parameters
    ----------
    axon : Axon
    stimuli : Pulse, Train or Clamp, or several
        What is done to it.
    duration : float
        ms; rounded up to whole steps.
    dt : float, optional
        Time step, ms; by default ``default_dt(axon)``.
    dx : float, optional
        Longest compartment, um; by default ``default_dx`` of each section.
    order : {2, 4}
        Order of accuracy in dx: 4 uses the compact operator inside uniform stretches. It is of fourth order
        but near joins of sections and clamps (second) and right at a stimulus.
    record : Record, optional
        What to keep; by default the voltage everywhere every 0.05 ms.
    initial_voltage : float or (n,) array_like, optional
        mV, with the gates at their steady state there; by default the resting state, solved for.
    to : path, optional
        Write the run to this file while it is computed, in memory that does not grow with its length. The run
        returned then leaves its large arrays in the file. A run that is killed leaves a file that opens and
        holds all but the last second or so.
    threads : int, optional
        As for ``simulate_many``; a single axon steps in one.
    progress : bool
        Show a progress bar where standard error is a terminal.

    Returns
    -------
    Run
        Not ``complete`` when Ctrl-C stopped it early; it then holds what was computed.

    Raises
    ------
    ValueError
        For arguments that cannot be meant.
    NoRest
        When the axon has no resting state and no ``initial_voltage`` is given.
    Unstable
        When a value becomes non-finite or runs away; the message says which, when and where.
    """
    record = Record() if record is None else record
    _check(duration, order, threads)
    own = _stimuli_of_each([axon], [stimuli])[0]
    job = prepare(axon, own, duration, dt, dx, order, record, initial_voltage)
    return _run([job], order, record, threads or 1, progress, to)[0]


def simulate_many(
    axons: Sequence[Axon],
    stimuli: Stimulus | Sequence[Stimulus | Iterable[Stimulus]],
    *,
    duration: float,
    dt: float | None = None,
    dx: float | None = None,
    order: int = 2,
    record: Record | None = None,
    initial_voltage: ArrayLike | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> list[Run]:
    """Simulate many axons at once, side by side in the lanes of the engine.

    Parameters
    ----------
    axons : sequence of Axon
        They may differ in everything.
    stimuli : Stimulus, or a sequence with one entry (one stimulus, or several) for each axon
        A single stimulus is given to all.
    threads : int, optional
        How many groups of axons step at the same time; by default one per processor. The answers do not
        depend on it.
    duration, dt, dx, order, record, initial_voltage, progress
        As for ``simulate``. By default each axon gets its own ``dt`` and ``dx``.

    Returns
    -------
    list of Run
        In the order of ``axons``.
    """
    axons = list(axons)
    per_axon = _stimuli_of_each(axons, stimuli)
    record = Record() if record is None else record
    _check(duration, order, threads)
    jobs = [
        prepare(axon, own, duration, dt, dx, order, record, initial_voltage)
        for axon, own in zip(axons, per_axon, strict=True)
    ]
    return _run(jobs, order, record, threads or os.cpu_count() or 1, progress)


def _check(duration: float, order: int, threads: int | None) -> None:
    positive("duration", duration, "ms")
    if order not in (2, 4):
        raise ValueError(f"order must be 2 or 4, got {order!r}")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads must be a whole number >= 1, got {threads!r}")


def _stimuli_of_each(axons: list[Axon], stimuli: Any) -> list[tuple[Stimulus, ...]]:
    for axon in axons:
        if not isinstance(axon, Axon):
            raise ValueError(f"axon must be an Axon, got {axon!r}")
    if isinstance(stimuli, Stimulus):
        return [(stimuli,)] * len(axons)
    entries = list(stimuli) if isinstance(stimuli, Iterable) else [stimuli]
    if len(entries) != len(axons):
        raise ValueError(
            f"stimuli must be one stimulus for all axons or one entry for each of the {len(axons)}, "
            f"got {len(entries)} entries"
        )
    return [_several(entry) for entry in entries]


def _several(entry: Any) -> tuple[Stimulus, ...]:
    own = tuple(entry) if isinstance(entry, Iterable) else (entry,)
    for stimulus in own:
        if not isinstance(stimulus, Stimulus):
            raise ValueError(f"stimuli must be Pulse, Train or Clamp, got {stimulus!r}")
    return own


def _run(
    jobs: list[Job],
    order: int,
    record: Record,
    threads: int,
    progress: bool,
    to: str | os.PathLike[str] | None = None,
) -> list[Run]:
    # The engine brings Numba with it: imported here, so that ``import axon`` stays light.
    from axon.cable import build_cable
    from axon.collect import Collector
    from axon.stepping import Stepper

    origin = provenance()
    batches = _batches(jobs)
    cables = [
        build_cable(
            job.compartments,
            [s for s in job.stimuli if not isinstance(s, Clamp)],
            [s for s in job.stimuli if isinstance(s, Clamp)],
            job.v,
            dt=job.dt,
            order=order,
        )
        for job in jobs
    ]
    collectors = [Collector(job, order, record, origin, to) for job in jobs]
    steppers = [
        Stepper([collectors[i] for i in members], [cables[i] for i in members], order, record)
        for members in batches
    ]
    work = sum(stepper.work for stepper in steppers)
    try:
        with Progress(work, enabled=progress) as bar, stop_on_interrupt() as stop:
            workers = min(threads, len(steppers))
            if workers <= 1:
                for stepper in steppers:
                    stepper.run(bar, stop)
            else:
                with ThreadPoolExecutor(workers) as pool:
                    for future in [pool.submit(stepper.run, bar, stop) for stepper in steppers]:
                        future.result()
    except BaseException:
        for collector in collectors:
            collector.abandon()
        raise
    done = {i: stepper.done for members, stepper in zip(batches, steppers, strict=True) for i in members}
    return [collector.result(done[i]) for i, collector in enumerate(collectors)]


def _batches(jobs: list[Job]) -> list[list[int]]:
    """Which axons share a group: full sets of lanes with the same steps and similar lengths."""
    from axon.engine.simd import LANES

    alike: dict[tuple[float, int], list[int]] = {}
    batches = []
    for i, job in enumerate(jobs):
        # A ring is joined to itself, and a clamp's jump changes how the whole group steps.
        if job.axon.ring or any(isinstance(stimulus, Clamp) for stimulus in job.stimuli):
            batches.append([i])
        else:
            alike.setdefault((job.dt, job.steps), []).append(i)
    for members in alike.values():
        members.sort(key=lambda i: len(jobs[i].compartments))
        full = len(members) // LANES * LANES
        batches.extend(members[k : k + LANES] for k in range(0, full, LANES))
        rest = members[full:]
        # A group costs the same however many lanes it fills; a split axon costs about a LANES-th of that.
        batches.extend([rest] if len(rest) > LANES // 2 else [[i] for i in rest])
    return batches

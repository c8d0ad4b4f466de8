"""Run axons: checks at the door, then chunks of engine steps between which Python looks around."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache, partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import positive
from axon.discretise.job import NOISES, Job, prepare
from axon.errors import unknown_name
from axon.geometry import Axon, Compartments
from axon.progress import Progress, stop_on_interrupt
from axon.provenance import provenance
from axon.record import Record
from axon.run import Run
from axon.stimuli import Clamp, Stimulus

if TYPE_CHECKING:
    from axon.engine.cables import Cable
    from axon.stepping.collect import Collector
    from axon.stepping.stepper import Stepper

Array = NDArray[np.floating]

_NEVER = threading.Event()  # nobody sets it


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
    noise: str | None = None,
    seed: int | None = None,
    to: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> Run:
    """Simulate one axon from rest.

    Parameters
    ----------
    axon : Axon
    stimuli : Pulse, Train, Ramp, Synapse or Clamp, or several
        What is done to it.
    duration : float
        ms; rounded up to whole steps.
    dt : float, optional
        Time step, ms; by default ``default_dt(axon)``.
    dx : float, optional
        Longest compartment, um; by default ``default_dx`` of each section.
    order : {2, 4}
        Order of accuracy in dx: 4 uses the compact operator inside uniform stretches. It is of fourth order
        but near joins of sections, clamps and synapses (second) and right at a stimulus. With it, and on
        fibres with nodes, the step is of third order in dt, else of second (staggered Crank-Nicolson), as it
        is where concentrations drift or channels are noisy; ``numerics["order_in_dt"]`` of the run tells.
        A stimulus that jumps inside a step, or at a node, leaves an error of second order in what follows at
        once.
    record : Record, optional
        What to keep; by default the voltage everywhere every 0.05 ms.
    initial_voltage : float or (n,) array_like, optional
        mV, with the gates at their steady state there; by default the resting state, solved for.
    noise : {"markov", "langevin"}, optional
        Let the channels that have a ``unitary`` conductance open and close by chance: exactly, each by itself
        (Markov chains), or with Gaussian noise of the same covariance, which is good for a thousand channels
        in a compartment and more, and costs the same however many there are (Fox & Lu 1994, as written by
        Orio & Soudry 2012; recommended by Goldwyn & Shea-Brown 2011). Not on a ring, nor with ``order`` 4.
        By default channels are smooth.
    seed : int, optional
        Of the random numbers, >= 0; the same seed gives the same run. By default one is drawn; the run keeps
        it in its ``numerics``.
    to : path, optional
        Write the run to this file while it is computed, in memory that does not grow with its length. The run
        returned then leaves its large arrays in the file; its ``save`` writes them compressed. A run that is
        killed leaves a file that opens and holds all but the last second or so.
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
    seed = _checked_seed(noise, seed, order)
    own = _stimuli_of_each([axon], [stimuli])[0]
    job = prepare(axon, own, duration, dt, dx, order, record, initial_voltage, noise)
    record = _within(record, [job], noise)
    return run_one(job, order, record, noise=noise, seed=seed, to=to, progress=progress)


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
    noise: str | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> list[Run]:
    """Simulate many axons at once, side by side in the lanes of the engine.

    Parameters
    ----------
    axons : sequence of Axon
        They may differ in everything.
    stimuli : Stimulus, or a sequence with one entry (one stimulus, or several) for each axon
        A single stimulus is given to all; an empty sequence gives none to any.
    threads : int, optional
        How many groups of axons step at the same time; by default one per processor. The answers do not
        depend on it.
    seed : int, optional
        From which each run gets a seed of its own by its number; the answers do not depend on how many others
        there are. The run keeps its own, with which ``simulate`` repeats it alone.
    duration, dt, dx, order, record, initial_voltage, noise, progress
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
    seed = _checked_seed(noise, seed, order)
    # The same axon many times, as in trials of chance, is one job.
    known: dict[tuple[int, ...], Job] = {}
    jobs = []
    for axon, own in zip(axons, per_axon, strict=True):
        key = (id(axon), *map(id, own))
        if key not in known:
            known[key] = prepare(axon, own, duration, dt, dx, order, record, initial_voltage, noise)
        jobs.append(known[key])
    record = _within(record, jobs, noise)
    threads = threads or os.cpu_count() or 1
    if noise is not None:
        from axon.stepping.chance import trial_seeds

        return _run_noisy(jobs, noise, trial_seeds(seed, len(jobs)), record, threads, progress)
    return _run(jobs, order, record, threads, progress)


def _within(record: Record, jobs: list[Job], noise: str | None) -> Record:
    """The record, thinned or refused where all runs together would hold more than it allows."""
    if record.max_size is None:
        return record
    sizes = [
        record.predicted_size(job.axon, duration=job.steps * job.dt, dt=job.dt, dx=job.dx, noise=noise)
        for job in jobs
    ]
    return record.within(sum(sizes))


def _check(duration: float, order: int, threads: int | None) -> None:
    positive("duration", duration, "ms")
    if order not in (2, 4):
        raise ValueError(f"order must be 2 or 4, got {order!r}")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads must be a whole number >= 1, got {threads!r}")


def _checked_seed(noise: str | None, seed: int | None, order: int) -> int:
    if noise is None:
        if seed is not None:
            raise ValueError(f'seed needs noise="markov" or "langevin", got seed={seed!r} without noise')
        return 0
    if noise not in NOISES:
        raise ValueError(unknown_name("noise", str(noise), NOISES))
    if order != 2:
        raise ValueError(f"order must be 2 with noise: the compact operator is not available, got {order!r}")
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed must be a whole number >= 0, got {seed!r}")
    return int(seed)


def _stimuli_of_each(axons: list[Axon], stimuli: Any) -> list[tuple[Stimulus, ...]]:
    for axon in axons:
        if not isinstance(axon, Axon):
            raise ValueError(f"axon must be an Axon, got {axon!r}")
    if isinstance(stimuli, Stimulus):
        return [(stimuli,)] * len(axons)
    entries = list(stimuli) if isinstance(stimuli, Iterable) else [stimuli]
    if not entries:
        return [()] * len(axons)
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
            raise ValueError(f"stimuli must be Pulse, Train, Ramp, Synapse or Clamp, got {stimulus!r}")
    return own


def run_one(
    job: Job,
    order: int,
    record: Record,
    *,
    noise: str | None = None,
    seed: int = 0,
    to: str | os.PathLike[str] | None = None,
    before: Run | None = None,
    progress: bool = True,
) -> Run:
    """Step one axon from where its job begins to its end; see ``simulate``.

    Parameters
    ----------
    before : Run, optional
        What the job continues: it comes first in the run returned.
    """
    collector: Collector
    stepper: Stepper
    if noise is None:
        make = _engine(_has_pools(job))
        collector = make.collector(job, order, record, provenance(), to, before=before)
        stepper = make.stepper([collector], [make.cable(job, order)], order, record)
    else:
        from axon.stepping.chance import ChanceCollector, ChanceStepper

        collector = ChanceCollector(job, record, provenance(), noise, seed, to, before=before)
        stepper = ChanceStepper(collector, _engine(False).cable(job, 2), record)
    _step([stepper], [collector], 1, progress)
    return collector.result(stepper.done)


def _run(jobs: list[Job], order: int, record: Record, threads: int, progress: bool) -> list[Run]:
    origin = provenance()
    runs: list[Any] = [None] * len(jobs)

    # Threads that are in Python at once hold each other up, and stay in step from then on: one at a time.
    turn = threading.Lock()

    def step(members: list[int], bar: Progress, stop: threading.Event) -> None:
        """All of a group, from laying out to its runs, so that of several threads none waits for another."""
        with turn:
            make = _engine(_has_pools(jobs[members[0]]))
            own = [make.collector(jobs[i], order, record, origin, resumable=False) for i in members]
            stepper = make.stepper(own, [make.cable(jobs[i], order) for i in members], order, record)
        stepper.run(bar, stop)
        with turn:
            for i, collector in zip(members, own, strict=True):
                runs[i] = collector.result(stepper.done)

    batches = _batches(jobs)
    work = sum((jobs[i].steps - jobs[i].first) * jobs[i].dt for i, *_ in batches)
    _side_by_side([partial(step, members) for members in batches], work, threads, progress)
    return runs


class _Engine(NamedTuple):
    collector: type[Collector]
    stepper: type[Stepper]
    cable: Callable[[Job, int], Cable]


@cache
def _engine(pools: bool) -> _Engine:
    """What makes the engine's view of axons with or without pools, steps them, and keeps what they do."""
    # The engine brings Numba with it: imported here, so that ``import axon`` stays light.
    from axon.discretise.cable import cable_of

    if pools:
        from axon.stepping.concentrations import PoolCollector, PoolStepper

        return _Engine(PoolCollector, PoolStepper, cable_of)
    from axon.stepping.collect import Collector
    from axon.stepping.stepper import Stepper

    return _Engine(Collector, Stepper, cable_of)


def _run_noisy(
    jobs: list[Job],
    noise: str,
    seeds: list[int],
    record: Record,
    threads: int,
    progress: bool,
) -> list[Run]:
    from axon.stepping.chance import ChanceCollector, ChanceStepper

    origin = provenance()
    cables = {id(job): _engine(False).cable(job, 2) for job in {id(job): job for job in jobs}.values()}
    collectors = [
        ChanceCollector(job, record, origin, noise, seed, resumable=False)
        for job, seed in zip(jobs, seeds, strict=True)
    ]
    steppers = [ChanceStepper(collector, cables[id(collector.job)], record) for collector in collectors]
    _step(steppers, collectors, threads, progress)
    return [collector.result(stepper.done) for collector, stepper in zip(collectors, steppers, strict=True)]


def _step(steppers: Sequence[Stepper], collectors: Sequence[Collector], threads: int, progress: bool) -> None:
    """Let all steppers run to their end, or until Ctrl-C."""
    work = sum(stepper.work for stepper in steppers)
    brief = len(steppers) == 1 and steppers[0].brief
    try:
        _side_by_side([stepper.run for stepper in steppers], work, threads, progress, brief=brief)
    except BaseException:
        for collector in collectors:
            collector.abandon()
        raise


def _side_by_side(
    tasks: Sequence[Callable[[Progress, threading.Event], None]],
    work: float,
    threads: int,
    progress: bool,
    *,
    brief: bool = False,
) -> None:
    """Do all tasks in some threads; they tell the progress of their work, and stop after Ctrl-C.

    A ``brief`` one is over before anybody looks for Ctrl-C, and ends by it as any other work does.
    """
    listening = nullcontext(_NEVER) if brief else stop_on_interrupt()
    with Progress(work, enabled=progress) as bar, listening as stop:
        workers = min(threads, len(tasks))
        if workers <= 1:
            for task in tasks:
                task(bar, stop)
        else:
            with ThreadPoolExecutor(workers) as pool:
                for future in [pool.submit(task, bar, stop) for task in tasks]:
                    future.result()


def _has_pools(job: Job) -> bool:
    """Whether something depends on concentrations, or is a transporter's, somewhere along an axon."""
    return any(membrane.drifts for membrane in job.compartments.membranes)


def _batches(jobs: list[Job]) -> list[list[int]]:
    """Which axons share a group: full sets of lanes with the same steps and similar lengths."""
    from axon.engine.simd import LANES

    alike: dict[tuple, list[int]] = {}
    batches = []
    for i, job in enumerate(jobs):
        # A ring is joined to itself, and a clamp's jump changes how the whole group steps.
        if job.axon.ring or any(isinstance(stimulus, Clamp) for stimulus in job.stimuli):
            batches.append([i])
        else:
            key = (_has_pools(job), job.dt, job.steps, job.jumps, job.third, _shape(job.compartments))
            alike.setdefault(key, []).append(i)
    for members in alike.values():
        members.sort(key=lambda i: len(jobs[i].compartments))
        full = len(members) // LANES * LANES
        batches.extend(members[k : k + LANES] for k in range(0, full, LANES))
        rest = members[full:]
        # A group costs the same however many lanes it fills; a split axon costs about a LANES-th of that.
        together = len(rest) > LANES // 2
        batches.extend([rest] if together else [[i] for i in rest])
    return batches


def _shape(compartments: Compartments) -> tuple[bool, bytes] | None:
    """What the axons of a group have in common if they branch or have myelin; None for chains."""
    if not compartments.branched and compartments.sheath is None:
        return None
    return compartments.sheath is not None, compartments.parent.tobytes()

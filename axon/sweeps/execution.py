"""Points to workers and rows back, by any ``concurrent.futures.Executor``.

Nothing here schedules: units of points are handed to an executor and collected as they are done. What is
looked after is what an executor cannot know: a worker that died takes all that it held with it, and only one
of those points may be to blame, so each of them is then asked alone.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import suppress

from axon.errors import AxonError, unknown_name
from axon.sweeps.limits import GRACE_S, serve
from axon.sweeps.points import Point, Row
from axon.sweeps.questions import Function, Question, reason_of

Done = Callable[[list[Point], list[Row]], None]

_KINDS = ("threads", "processes")
_UNIT_S = 0.2  # what a unit of a plain function should last, so that handing it over costs nothing beside it
_MOST = 500  # points in such a unit
_LOOK_S = 0.1  # between looks at Ctrl-C and at what hangs
_AHEAD = 256  # units handed to an executor whose number of workers is not known


def work(question: Question, points: list[Point], limit: float | None, attempt: int) -> list[Row]:
    """What runs in the worker; ``attempt`` tells a scheduler that remembers answers that this is another."""
    return question.answer(points, limit)


class Crew:
    """The workers of a sweep: threads or processes of its own, or somebody's executor.

    Parameters
    ----------
    question : Question
    executor : {"threads", "processes"}, Executor or None
        By default processes for a plain function that can be handed to another process, else threads.
    workers : int, optional
        How many of its own; by default one per processor.
    limit : float, optional
        s that a point may take.
    """

    def __init__(
        self,
        question: Question,
        executor: str | Executor | None,
        workers: int | None,
        limit: float | None,
    ) -> None:
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise ValueError(f"workers must be a whole number >= 1, got {workers!r}")
        self.pool: Executor | None = None
        if isinstance(executor, Executor):
            if workers is not None:
                raise ValueError("workers is for threads and processes; an executor has its own")
            self.kind = "executor"
            self.pool = executor
        elif executor is None or executor in _KINDS:
            self.kind = executor or _default_kind(question)
        elif isinstance(executor, str):
            raise ValueError(unknown_name("executor", executor, _KINDS))
        else:
            raise ValueError(f'executor must be "threads", "processes" or an Executor, got {executor!r}')
        if self.kind == "threads" and limit is not None and isinstance(question, Function):
            portable = question.portable()
            instead = 'leave executor="threads" out' if portable else f"define {question.name!r} in a module"
            raise ValueError(
                "a thread that hangs cannot be ended, so time_limit needs a function that is handed to "
                f"another process; {instead}"
            )
        self.question, self.limit = question, limit
        self.workers = workers or os.cpu_count() or 1
        self.ahead = self.workers
        if self.kind == "executor":
            self.ahead = 2 * getattr(executor, "_max_workers", _AHEAD // 2)

    def submit(self, points: list[Point], attempt: int) -> Future[list[Row]]:
        """Hand points over."""
        if self.pool is None:
            self.pool = self._hired()
        try:
            return self.pool.submit(work, self.question, points, self.limit, attempt)
        except BrokenExecutor:  # between two units
            if self.kind == "executor":
                raise
            self.dismiss()
            return self.submit(points, attempt)
        except RuntimeError as error:
            raise AxonError(f"the executor takes no work: {error}; what was computed is kept") from error

    def _hired(self) -> Executor:
        if self.kind == "threads":
            return ThreadPoolExecutor(self.workers)
        # A forked worker knows the functions of the main script, which need not guard against being imported.
        method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
        context = multiprocessing.get_context(method)
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=serve)

    def dismiss(self) -> None:
        """End its own workers, whatever they do; somebody's executor is left alone."""
        if self.kind == "executor" or self.pool is None:
            return
        pool, self.pool = self.pool, None
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=self.kind == "threads", cancel_futures=True)
        for process in processes:
            with suppress(OSError, ValueError):
                process.kill()


def _default_kind(question: Question) -> str:
    return "processes" if isinstance(question, Function) and question.portable() else "threads"


class Units:
    """Cuts points into units: of the question's own size, or as many as fill a fifth of a second."""

    def __init__(self, question: Question, points: list[Point], workers: int) -> None:
        self.size, self.points, self.next = question.sizes(len(points)), points, 0
        self.workers = workers
        self.seconds, self.counted = 0.0, 0

    def learn(self, rows: list[Row]) -> None:
        """How long points take."""
        self.seconds += sum(row.seconds for row in rows)
        self.counted += len(rows)

    def take(self) -> list[Point]:
        """The next unit; empty when none is left."""
        size = self.size or self._by_clock()
        unit = self.points[self.next : self.next + size]
        self.next += len(unit)
        return unit

    def _by_clock(self) -> int:
        if not self.counted:
            return 1
        left = len(self.points) - self.next
        wanted = _UNIT_S * self.counted / max(self.seconds, 1e-9)
        return int(max(1, min(wanted, _MOST, left / (2 * self.workers))))


def execute(crew: Crew, points: list[Point], stop: threading.Event, done: Done) -> None:
    """Answer points, in any order, and call ``done`` with every unit's points and rows.

    Returns early once ``stop`` is set; what was not answered then is simply missing.

    Raises
    ------
    AxonError
        When the executor cannot be used.
    """
    _Execution(crew, points, stop, done).run()


class _Execution:
    def __init__(self, crew: Crew, points: list[Point], stop: threading.Event, done: Done) -> None:
        self.crew, self.stop, self.done = crew, stop, done
        self.units = Units(crew.question, points, crew.workers)
        self.flying: dict[Future[list[Row]], tuple[list[Point], int, float]] = {}
        self.suspects: deque[tuple[Point, int]] = deque()
        self.heard = time.monotonic()

    def run(self) -> None:
        try:
            while self._refill():
                if self.stop.is_set():
                    return
                finished, _ = wait(self.flying, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._collect(future, *self.flying.pop(future))
                if not finished:
                    self._look_for_silence()
        finally:
            for future in self.flying:
                future.cancel()

    def _refill(self) -> bool:
        """Keep the workers busy; whether there is anything left to wait for."""
        if self.suspects:
            if not self.flying:
                point, attempt = self.suspects.popleft()
                self._submit([point], attempt)
        else:
            while len(self.flying) < self.crew.ahead and (unit := self.units.take()):
                self._submit(unit, 0)
        return bool(self.flying)

    def _submit(self, points: list[Point], attempt: int) -> None:
        if not self.flying:
            self.heard = time.monotonic()
        self.flying[self.crew.submit(points, attempt)] = points, attempt, time.monotonic()

    def _collect(self, future: Future[list[Row]], points: list[Point], attempt: int, began: float) -> None:
        self.heard = time.monotonic()
        try:
            rows = future.result()
        except (Exception, CancelledError) as error:
            if not _worker_lost(error):
                raise AxonError(
                    f"the workers cannot answer {self.crew.question.name!r}: {reason_of(error)}; "
                    "what was computed is kept"
                ) from error
            self._lost(points, attempt, error, self.heard - began)
            return
        self.units.learn(rows)
        self.done(points, rows)

    def _lost(self, points: list[Point], attempt: int, error: BaseException, seconds: float) -> None:
        """A worker died with these points: ask each again, alone; a single one that was alone is to blame."""
        if self.crew.kind == "executor" and isinstance(error, BrokenExecutor):
            raise AxonError(
                f"the executor is broken: {reason_of(error)}; what was computed is kept"
            ) from error
        if self.crew.kind != "executor":
            self.crew.dismiss()
        if isinstance(error, CancelledError):
            raise AxonError(
                "the executor has cancelled its work, as Dask does when its scheduler is gone; "
                "what was computed is kept"
            ) from error
        alone = len(points) == 1 and attempt > 0 and not self.flying
        if alone:
            self.done(points, [Row({}, self._blame(error, seconds), seconds)])
            return
        self.suspects += [(point, attempt + 1) for point in points]

    def _blame(self, error: BaseException, seconds: float) -> str:
        limit = self.crew.limit
        if limit is not None and seconds >= limit:
            return f"took longer than the time limit of {limit:g} s; its worker was ended"
        return f"its worker died ({reason_of(error)})"

    def _look_for_silence(self) -> None:
        """Give up on what an executor still holds once nothing can be going on there any more."""
        limit = self.crew.limit
        if limit is None or self.crew.kind == "processes":  # which end themselves
            return
        longest = max(len(points) for points, _, _ in self.flying.values())
        silence = time.monotonic() - self.heard
        if silence < longest * limit + 5 * GRACE_S:
            return
        for future, (points, _, _) in list(self.flying.items()):
            future.cancel()
            reason = f"no answer from its worker for {silence:.3g} s, beyond the time limit of {limit:g} s"
            self.done(points, [Row({}, reason, silence)] * len(points))
        self.flying.clear()


def _worker_lost(error: BaseException) -> bool:
    """Whether an error says that a worker is gone, rather than that the work cannot be done."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, BrokenExecutor | CancelledError) or bool(
        names & {"KilledWorker", "CommClosedError"}
    )

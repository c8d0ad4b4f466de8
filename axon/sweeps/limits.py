"""A time limit on a piece of Python, in whatever thread or process it runs."""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

# Beyond the limit, after which a worker process that no exception can reach ends itself.
GRACE_S = 2.0

_watched: list[IO[str]] = []  # the null device of a process that may end itself; empty in all others


class OutOfTime(BaseException):
    """The limit has passed. No ``Exception``, so that a question's own handlers let it through."""


def serve() -> None:
    """Make this process a worker: deaf to Ctrl-C, gone with its parent or when a point hangs for good."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not _watched:
        _watched.append(open(os.devnull, "w"))  # noqa: SIM115 - as long as the process lives
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed takes its workers along; they would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise ``OutOfTime`` inside the block once it has taken so many seconds; None never does.

    Python code is interrupted wherever it is, a call into C only where it returns. In the main thread a
    signal also ends waiting and sleeping.
    """
    if seconds is None:
        yield
        return
    if _watched:
        faulthandler.dump_traceback_later(seconds + GRACE_S, exit=True, file=_watched[0])
    try:
        main = threading.current_thread() is threading.main_thread()
        with _by_signal(seconds) if main and hasattr(signal, "setitimer") else _by_thread(seconds):
            yield
    finally:
        if _watched:
            faulthandler.cancel_dump_traceback_later()


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    def ring(number: int, frame: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    here, over, lock = threading.get_ident(), threading.Event(), threading.Lock()

    def ring() -> None:
        with lock:
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(here), ctypes.py_object(OutOfTime))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(here), None)
        timer.cancel()

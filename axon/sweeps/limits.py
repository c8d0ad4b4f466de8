"""A time limit on a piece of Python, in whatever thread or process it runs."""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO

# Beyond the limit, after which a worker process that no exception can reach ends itself.
GRACE_S = 2.0

_AGAIN_S = 0.01  # between looks at whether an import is done
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

    Python code is interrupted wherever it is, a call into C only where it returns, and an import only when it
    is done: one that breaks off may leave its lock behind. In the main thread a signal also ends waiting and
    sleeping.
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
    def ring(number: int, frame: FrameType | None) -> None:
        if _importing(frame):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
            return
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
        wait = seconds
        while not over.wait(wait):
            with lock:
                if over.is_set():
                    return
                if not _importing(sys._current_frames().get(here)):
                    _raise_in(here, ctypes.py_object(OutOfTime))
                    return
            wait = _AGAIN_S

    threading.Thread(target=ring, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            over.set()
            _raise_in(here, None)


def _raise_in(thread: int, error: object) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error)


def _importing(frame: FrameType | None) -> bool:
    """Whether some import is going on in a frame or in what called it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False

"""What long work shows and hears: progress on a terminal or as JSON, a line while compiling, Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TextIO

import numpy as np

# A cached engine loads faster than this; compiling takes several seconds.
_PATIENCE_S = 1.5
_PATIENCE_BAR_S = 0.5  # shorter work shows no bar
_REFRESH_S, _LINE_S = 0.1, 1.0
_FLAT = 40.0  # mV; a smaller range does not fill the height of a sparkline
BARS = "▁▂▃▄▅▆▇█"

_json_lines: ContextVar[TextIO | None] = ContextVar("json_lines", default=None)


@dataclass(frozen=True, eq=False)
class Glimpse:
    """What a simulation looks like at this moment.

    Attributes
    ----------
    voltage : (n,) ndarray
        Along the axon, mV.
    velocity : float or None
        Of the spike so far, m/s; None while there is none to measure.
    """

    voltage: np.ndarray[Any, np.dtype[np.float64]]
    velocity: float | None


class Progress:
    """Counts work done and shows it on a terminal; a context manager. With ``enabled=False`` it does nothing.

    Parameters
    ----------
    total : float
        Amount of work.
    enabled : bool
        Whether to show anything at all. Without a terminal nothing is shown, but see `as_json_lines`.
    unit : str
        What is counted.
    """

    def __init__(self, total: float, *, enabled: bool, unit: str = "ms") -> None:
        self.total, self.enabled, self.unit = total, enabled, unit
        self._lock = threading.Lock()
        self._look: Callable[[], Glimpse] | None = None
        self._note = ""
        self._display: _Bar | _Lines | None = None

    def __enter__(self) -> Progress:
        lines = _json_lines.get()
        if self.enabled and lines is not None:
            self._display = _Lines(self.total, self.unit, lines)
        elif self.enabled and sys.stderr.isatty():
            self._display = _Bar(self.total, self.unit)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.close()

    def watch(self, look: Callable[[], Glimpse]) -> None:
        """From now on show what ``look`` returns too; it is called between two advances."""
        self._look = look

    def advance(self, amount: float) -> None:
        """Add ``amount`` to what is done; may be called from any thread."""
        if self._display is not None:
            with self._lock:
                self._display.advance(amount, self._look, self._note)

    def note(self, text: str) -> None:
        """Show ``text`` beside it; may be called from any thread."""
        self._note = text


class _Bar:
    """A line on the terminal: bar, work done, time left, velocity so far, voltage along the axon."""

    def __init__(self, total: float, unit: str) -> None:
        self.total, self.unit = total, unit
        self.done, self.began, self.drawn = 0.0, time.monotonic(), 0.0
        self.bar: Any = None

    def advance(self, amount: float, look: Callable[[], Glimpse] | None, note: str) -> None:
        self.done += amount
        now = time.monotonic()
        if self.bar is None and now - self.began > _PATIENCE_BAR_S:
            self._start()
        if self.bar is not None and now - self.drawn > _REFRESH_S:
            self.drawn = now
            words = [note, glimpse_in_words(look()) if look is not None and self.wide else ""]
            self.bar.update(self.task, completed=self.done, words="  ".join(filter(None, words)))

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self.wide = not console.options.ascii_only
        count = f"{{task.completed:.2f}}/{round(self.total, 6):g} {self.unit}"
        columns = (
            BarColumn(24),
            TaskProgressColumn(),
            TextColumn(count),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}"),
        )
        # What the user prints meanwhile is theirs: it is not redirected.
        quiet: dict[str, Any] = {"transient": True, "redirect_stdout": False, "redirect_stderr": False}
        self.bar = Progress(*columns, console=console, **quiet)
        self.task = self.bar.add_task("", total=self.total, completed=self.done, words="")
        self.bar.start()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()


class _Lines:
    """The same as one JSON object a line, every second."""

    def __init__(self, total: float, unit: str, stream: TextIO) -> None:
        self.total, self.unit, self.stream = total, unit, stream
        self.done, self.began = 0.0, time.monotonic()
        self.told = self.began

    def advance(self, amount: float, look: Callable[[], Glimpse] | None, note: str) -> None:
        self.done += amount
        now = time.monotonic()
        if now - self.told < _LINE_S:
            return
        self.told = now
        elapsed = now - self.began
        facts: dict[str, Any] = {"done": self.done, "total": self.total, "unit": self.unit}
        facts |= {
            "elapsed_s": elapsed,
            "left_s": elapsed * (self.total / self.done - 1) if self.done else None,
        }
        if look is not None:
            facts["velocity_m_per_s"] = look().velocity
        if note:
            facts["note"] = note
        self.stream.write(json.dumps({"progress": facts}) + "\n")
        self.stream.flush()

    def close(self) -> None:
        """Nothing: every line is whole."""


@contextmanager
def as_json_lines(stream: TextIO) -> Iterator[None]:
    """Inside, progress is told on ``stream`` as JSON, one object a line, whether it is a terminal or not."""
    token = _json_lines.set(stream)
    try:
        yield
    finally:
        _json_lines.reset(token)


def glimpse_in_words(seen: Glimpse) -> str:
    """The velocity so far, and the voltage along the axon as a line of bars."""
    velocity = "" if seen.velocity is None else f"{seen.velocity:.4g} m/s  "
    return velocity + sparkline(seen.voltage)


def sparkline(values: np.ndarray[Any, np.dtype[np.float64]], width: int = 30) -> str:
    """Values (mV) as a line of bars, the highest in each part; flat where they differ by little."""
    parts = [part.max() for part in np.array_split(values, min(width, len(values)))]
    low, high = float(np.min(values)), float(np.max(values))
    steps = (np.array(parts) - low) / max(high - low, _FLAT) * (len(BARS) - 1)
    return "".join(BARS[round(float(step))] for step in steps)


class CompileNotice:
    """Says in one line, on a terminal, that the engine compiles, if loading it takes long."""

    def __init__(self, *, enabled: bool) -> None:
        talk = enabled and sys.stderr.isatty()
        self._timer = threading.Timer(_PATIENCE_S, self._say) if talk else None

    @staticmethod
    def _say() -> None:
        sys.stderr.write("axon: compiling the engine; this happens once and is kept on disk\n")
        sys.stderr.flush()

    def __enter__(self) -> CompileNotice:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that work can end in good order; the second one interrupts.

    Outside the main thread, where no signal arrives, the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    previous = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if previous is not signal.default_int_handler:  # somebody else listens: theirs
        yield stop
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous)

"""What a long simulation shows and hears: a progress bar on a terminal, a line while compiling, Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

# A cached engine loads faster than this; compiling takes several seconds.
_PATIENCE_S = 1.5


class Progress:
    """Counts work done; a context manager. With ``enabled=False`` it does nothing.

    Parameters
    ----------
    total : float
        Amount of work.
    enabled : bool
        Whether to show anything at all.
    unit : str
        What is counted.
    """

    def __init__(self, total: float, *, enabled: bool, unit: str = "ms") -> None:
        self.total, self.enabled, self.unit = total, enabled, unit
        self._lock = threading.Lock()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self.enabled and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=round(self.total, 6),
                unit=self.unit,
                delay=0.5,
                leave=False,
                file=sys.stderr,
                bar_format="{l_bar}{bar}| {n:.2f}/{total:g} {unit} [{elapsed}<{remaining}{postfix}]",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, amount: float) -> None:
        """Add ``amount`` to what is done; may be called from any thread."""
        if self._bar is not None:
            with self._lock:
                self._bar.update(amount)

    def note(self, text: str) -> None:
        """Show ``text`` behind the bar; may be called from any thread."""
        if self._bar is not None:
            with self._lock:
                self._bar.set_postfix_str(text, refresh=False)


class CompileNotice:
    """Says in one line on standard error that the engine compiles, if loading it takes long."""

    def __init__(self, *, enabled: bool) -> None:
        self._timer = threading.Timer(_PATIENCE_S, self._say) if enabled else None

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

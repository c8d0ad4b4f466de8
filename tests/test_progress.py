"""What is shown while work is done: on a terminal a line that moves, as JSON a line a second, or nothing."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pytest

import axon.progress
import axon.stepping.stepper
from axon.measure.velocity import front_velocity
from axon.progress import CompileNotice, Glimpse, Progress, as_json_lines, sparkline


@contextmanager
def terminal() -> Iterator[Callable[[], str]]:
    """Makes standard error a terminal; gives what was written to it so far."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    termios = pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    os.set_blocking(ours, False)

    def seen() -> str:
        found = b""
        with suppress(BlockingIOError):
            while True:
                found += os.read(ours, 65536)
        return found.decode("utf-8", "replace")

    with pytest.MonkeyPatch.context() as patch, os.fdopen(theirs, "w", encoding="utf-8") as screen:
        patch.setattr(sys, "stderr", screen)
        patch.setenv("TERM", "xterm")
        yield seen
    os.close(ours)


def glimpse() -> Glimpse:
    return Glimpse(np.where(np.arange(300) // 10 == 20, 30.0, -65.0), 18.7312)


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axon.progress, "_PATIENCE_BAR_S", -1.0)
    monkeypatch.setattr(axon.progress, "_REFRESH_S", -1.0)


def test_terminal_shows_share_done_time_left_velocity_and_voltage(monkeypatch: pytest.MonkeyPatch) -> None:
    patient(monkeypatch)
    with terminal() as seen, Progress(10.0, enabled=True) as bar:
        bar.watch(glimpse)
        for _ in range(4):
            bar.advance(1.0)
        bar._display.bar.refresh()
        words = seen()
    for part in ("40%", "4.00/10 ms", "18.73 m/s", "▁" * 20 + "█" + "▁" * 9):
        assert part in words
    assert re.search(r"-:--:--|\d:\d\d:\d\d", words)


def test_compiling_is_told_on_a_terminal_alone(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(axon.progress, "_PATIENCE_S", 0.0)
    for enabled, words in ((True, "compiling the engine"), (False, "")):
        with terminal() as seen:
            with CompileNotice(enabled=enabled):
                time.sleep(0.05)
            assert words in seen() if words else seen() == ""
    with CompileNotice(enabled=True):
        time.sleep(0.05)
    assert capfd.readouterr() == ("", "")


def test_short_work_shows_nothing() -> None:
    with terminal() as seen:
        with Progress(10.0, enabled=True) as bar:
            bar.advance(10.0)
        assert seen() == ""


def test_without_a_terminal_or_when_silenced_nothing_is_shown(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient(monkeypatch)
    with Progress(10.0, enabled=True) as bar:
        bar.watch(lambda: pytest.fail("nobody looks"))
        bar.advance(5.0)
    with as_json_lines(sys.stderr), Progress(10.0, enabled=False) as bar:
        bar.advance(5.0)
    assert capfd.readouterr() == ("", "")


def test_json_lines_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axon.progress, "_LINE_S", -1.0)
    out = io.StringIO()
    with as_json_lines(out), Progress(10.0, enabled=True) as bar:
        bar.watch(glimpse)
        bar.advance(1.0)
        bar.advance(1.5)
    lines = [json.loads(line)["progress"] for line in out.getvalue().splitlines()]
    assert [line["done"] for line in lines] == [1.0, 2.5]
    assert lines[1]["total"] == 10.0 and lines[1]["unit"] == "ms" and lines[1]["velocity_m_per_s"] == 18.7312
    assert lines[1]["left_s"] == pytest.approx(3 * lines[1]["elapsed_s"])


def test_json_lines_come_once_a_second() -> None:
    out = io.StringIO()
    with as_json_lines(out), Progress(10.0, enabled=True) as bar:
        for _ in range(10):
            bar.advance(1.0)
    assert out.getvalue() == ""


def test_sparkline_keeps_a_spike_narrower_than_a_bar_and_is_flat_at_rest() -> None:
    v = np.full(1000, -65.0)
    assert sparkline(v) == "▁" * 30
    v[500] = 40.0
    assert sparkline(v).count("█") == 1
    assert sparkline(np.array([-65.0, 0.0])) == "▁█"
    assert sparkline(v - 1e-3 * np.arange(1000)).count("▁") == 29


@pytest.mark.parametrize("speed", [2.0, 20.0])
def test_velocity_so_far_is_that_of_the_front(speed: float) -> None:
    x = (np.arange(200) + 0.5) * 100.0
    arrival = 0.5 + np.abs(x - 10_000) / (1e3 * speed)
    assert front_velocity(x, arrival) == pytest.approx(speed)
    assert front_velocity(x, np.where(arrival < 0.5 + 3.0 / speed, arrival, np.nan)) == pytest.approx(speed)
    arrival[:100] = np.nan
    assert front_velocity(x, np.where(x < 10_200, arrival, np.nan)) is None
    assert front_velocity(x, np.full(200, np.nan)) is None


def test_simulation_tells_the_velocity_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axon.progress, "_LINE_S", -1.0)
    monkeypatch.setattr(axon.stepping.stepper, "_CHUNK_SECONDS", 200 * 300 * 8e-9)  # about two hundred steps
    squid = axon.Axon(length=60_000, diameter=476, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4)
    pulse = axon.Pulse(amplitude=400_000, start=0.1, duration=0.2, at=0)
    out = io.StringIO()
    with as_json_lines(out):
        run = axon.simulate(squid, pulse, duration=6.0, dx=200)
    told = [json.loads(line)["progress"] for line in out.getvalue().splitlines()]
    assert told[0]["velocity_m_per_s"] is None
    assert told[-1]["done"] == pytest.approx(6.0)
    assert told[len(told) // 2]["velocity_m_per_s"] == pytest.approx(float(run.velocity()), rel=0.05)

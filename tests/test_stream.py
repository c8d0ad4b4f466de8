"""Runs written while they are computed: whatever kills them, the file opens and holds what was flushed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import axon

SETUP = """
import json, os, signal, sys, time
import numpy as np
import axon
from axon.storage import writing

squid = axon.Axon(length=20_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
pulse = axon.Pulse(amplitude=400_000, start=0.1, duration=0.2)

def simulate(**how):
    return axon.simulate(squid, pulse, dt=0.0025, dx=200, progress=False, **how)
"""

# Forked, so that fifty runs need not load the engine fifty times.
KILLS = (
    SETUP
    + """
record = axon.Record(every=0.0025, gates=True)
began = time.monotonic()
simulate(duration=120, record=record, to=sys.argv[1])
usual = time.monotonic() - began
began = time.monotonic()
simulate(duration=120, record=record, to=sys.argv[1])
usual = min(usual, time.monotonic() - began)
random = np.random.default_rng(5)
writing._FLUSH = 0.01
for number, part in enumerate(random.uniform(0.05, 1.1, 50)):
    path = f"{sys.argv[1]}.{number}"
    child = os.fork()
    if child == 0:
        simulate(duration=120, record=record, to=path)
        os._exit(0)
    time.sleep(part * usual)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills need a POSIX system")
def test_a_run_killed_at_fifty_random_moments_leaves_files_that_open(tmp_path: Path) -> None:
    whole = tmp_path / "whole.h5"
    subprocess.run([sys.executable, "-c", KILLS, str(whole)], check=True, timeout=200)
    full = axon.load(whole)
    kept = []
    for number in range(50):
        path = Path(f"{whole}.{number}")
        if not path.exists():  # killed before the file had its name
            kept.append(0.0)
            continue
        with h5py.File(path) as plain:  # as any other program opens it
            assert set(plain) >= {"time", "position", "voltage", "gates", "spikes"}
        run = axon.load(path)
        rows = len(run.time)
        kept.append(rows / len(full.time))
        assert run.complete == (kept[-1] == 1.0 and "velocity" in h5py.File(path))
        np.testing.assert_array_equal(run.time, full.time[:rows])
        np.testing.assert_array_equal(run.voltage, full.voltage[:rows])
        for gate in full.gates:
            np.testing.assert_array_equal(run.gates[gate], full.gates[gate][:rows])
        spikes = len(run.spike_time)
        np.testing.assert_array_equal(run.spike_time, full.spike_time[:spikes])
        np.testing.assert_array_equal(run.spike_compartment, full.spike_compartment[:spikes])
    assert len([part for part in kept if 0 < part < 1]) > 25
    assert not list(tmp_path.glob("*.tmp")) or kept.count(0.0)


WATCHED = (
    SETUP
    + """
from axon.stepping.collect import Collector

known = Collector.samples

def samples(self, steps, v, raw):
    known(self, steps, v, raw)
    print(json.dumps([time.time(), int(steps[-1])]), flush=True)

Collector.samples = samples
simulate(duration=1e6, record=axon.Record(every=0.05), to=sys.argv[1])
"""
)


def test_a_kill_loses_two_seconds_at_most(tmp_path: Path) -> None:
    import time

    path = tmp_path / "run.h5"
    command = [sys.executable, "-c", WATCHED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = [json.loads(process.stdout.readline())]
        while seen[-1][0] < seen[0][0] + 3.0:
            seen.append(json.loads(process.stdout.readline()))
        process.kill()
        killed = time.time()
    held = axon.load(path).numerics["steps"]
    owed = [step for at, step in seen if at < killed - 2.0]
    assert len(owed) > 1
    assert held >= owed[-1]


GROWS = (
    SETUP
    + """
writing._FLUSH = 0.1
simulate(duration=float(sys.argv[2]), record=axon.Record(every=0.01), to=sys.argv[1])
"""
)


def test_inspect_follows_a_growing_run_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from axon.__main__ import main
    from axon.commands import inspect

    monkeypatch.setattr(inspect, "INTERVAL", 0.1)
    path = tmp_path / "run.h5"
    with subprocess.Popen([sys.executable, "-c", GROWS, str(path), "1000"]):
        while not path.exists():
            pass
        assert main(["inspect", str(path), "--follow", "--json"]) == 0
    news = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    reached = [facts["reached"] for facts in news]
    assert len(news) > 3 and reached == sorted(reached) and reached[0] < 1000
    assert all(facts["duration"] == pytest.approx(1000) for facts in news)
    assert [facts["complete"] for facts in news] == [False] * (len(news) - 1) + [True]


def test_inspect_notices_that_nothing_more_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from axon.__main__ import main
    from axon.commands import inspect

    monkeypatch.setattr(inspect, "INTERVAL", 0.05)
    monkeypatch.setattr(inspect, "PATIENCE", 0.3)
    path = tmp_path / "run.h5"
    with subprocess.Popen([sys.executable, "-c", GROWS, str(path), "1e6"]) as process:
        while not path.exists():
            pass
        process.kill()
    assert main(["inspect", str(path), "--follow"]) == 2
    shown = capsys.readouterr()
    assert " of 1e+06 ms, " in shown.out
    assert "nothing was added for 0.3 s; `axon resume" in shown.err

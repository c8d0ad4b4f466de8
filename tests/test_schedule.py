"""Samples as they are asked for: at equal intervals, with envelope, around spikes, within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from numpy.testing import assert_allclose, assert_array_equal

import axon
from axon import AroundSpikes, Axon, Every, Pulse, Record, Train
from axon.model import from_json, to_json
from axon.run import results

SQUID = Axon(length=6_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
TRAIN = Train(amplitude=60_000, start=1.0, duration=0.2, interval=8.0, count=2)
DT = 0.01


def run(record: Record, duration: float = 20.0, **how: Any) -> axon.Run:
    how = {"stimuli": TRAIN, "dt": DT, "dx": 500, "progress": False, **how}
    return axon.simulate(SQUID, duration=duration, record=record, **how)


DENSE = run(Record(every=DT, gates=True, currents=True))


def steps(time: np.ndarray) -> np.ndarray:
    return np.rint(time / DT).astype(int)


def wanted(around: float, every: int, elsewhere: int = 0) -> np.ndarray:
    """Steps that lie around the spikes of the dense run, by brute force."""
    every_step = np.arange(len(DENSE.time))
    close = np.abs(every_step[:, None] * DT - DENSE.spike_time).min(axis=1) <= around
    kept = close & (every_step % every == 0)
    return np.flatnonzero(kept | (every_step % elsewhere == 0) if elsewhere else kept)


@pytest.mark.parametrize("chunk", [0.1, 1e-5])
def test_samples_around_spikes_are_those_and_no_others(chunk: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.stepping.stepper._CHUNK_SECONDS", chunk)
    sparse = run(Record(voltage=AroundSpikes(1.0, every=0.02, elsewhere=0.5), gates=("m",)))
    assert_array_equal(steps(sparse.time), wanted(1.0, 2, 50))
    assert_array_equal(sparse.voltage, DENSE.voltage[wanted(1.0, 2, 50)])
    assert 0.1 < len(sparse.time) / (len(DENSE.time) / 2) < 0.5
    assert_array_equal(sparse.voltage.max(axis=0), DENSE.voltage[::2].max(axis=0))
    assert sparse.gates == {}  # every 0.05 ms, so not with this voltage
    assert_array_equal(steps(sparse.beside["gates_time"]), np.arange(0, 2001, 5))


def test_what_has_times_of_its_own_has_an_axis_of_its_own(tmp_path: Path) -> None:
    record = Record(voltage=Every(0.1), gates=AroundSpikes(0.5, every=0.01, only=("m", "h")), currents="Na")
    asked = run(record, to=tmp_path / "run.h5")
    assert_array_equal(steps(asked.time), np.arange(0, 2001, 10))
    assert_array_equal(asked.voltage, DENSE.voltage[::10])
    rows = wanted(0.5, 1)
    assert_array_equal(steps(asked.beside["gates_time"]), rows)
    for gate in ("m", "h"):
        assert_allclose(asked.beside[f"gates/{gate}"], DENSE.gates[gate][rows], rtol=1e-12, atol=0)
    assert "gates/n" not in asked.beside and asked.gates == {}
    assert_allclose(asked.beside["currents/Na"], DENSE.currents["Na"][::5], rtol=1e-9, atol=1e-12)
    with xarray.open_dataset(tmp_path / "run.h5", engine="h5netcdf") as data:
        assert data.voltage.dims == ("time", "position") and data.gates_time.attrs["units"] == "ms"
    with xarray.open_dataset(tmp_path / "run.h5", engine="h5netcdf", group="gates") as gates:
        assert gates.m.dims == ("gates_time", "position")
    again = axon.load(tmp_path / "run.h5")
    again.save(tmp_path / "again.h5")
    assert axon.load(tmp_path / "again.h5") == again
    assert from_json(to_json(record)) == record


def test_alike_times_share_the_axis_of_the_voltage() -> None:
    asked = run(Record(voltage=Every(0.1, envelope=True), gates=Every(0.1), currents=Every(0.2)), 3.0)
    assert set(asked.gates) == {"m", "h", "n"}
    assert set(asked.beside) == {
        *("voltage_lowest", "voltage_highest", "currents_time"),
        *("currents/Na", "currents/K", "currents/leak"),
    }
    assert_array_equal(asked.gates["m"], DENSE.gates["m"][:301:10])


@pytest.mark.parametrize("chunk", [0.1, 1e-6])
def test_the_peak_survives_between_samples(chunk: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.stepping.stepper._CHUNK_SECONDS", chunk)
    asked = run(Record(voltage=Every(1.0, envelope=True)))
    assert_array_equal(asked.voltage, DENSE.voltage[::100])
    lowest, highest = asked.beside["voltage_lowest"], asked.beside["voltage_highest"]
    for row in range(1, 21):
        between = DENSE.voltage[100 * row - 99 : 100 * row + 1]
        assert_array_equal(highest[row], between.max(axis=0))
        assert_array_equal(lowest[row], between.min(axis=0))
    assert_array_equal(highest.max(axis=0), DENSE.voltage.max(axis=0))
    assert highest.max() > asked.voltage.max() + 5


@pytest.mark.parametrize(
    "record",
    [
        Record(voltage=AroundSpikes(0.7, every=0.02, elsewhere=0.4)),
        Record(voltage=Every(0.3, envelope=True), gates=AroundSpikes(0.5)),
        Record(voltage=Every(0.1), currents=AroundSpikes(1.0), checkpoints=1.0),
    ],
)
@pytest.mark.parametrize("seam", [1.5, 9.3, 12.0])
def test_resumed_run_keeps_the_same_samples(record: Record, seam: float) -> None:
    whole, part = run(record), run(record, seam)
    resumed = axon.resume(part, until=20.0, progress=False)
    mine, theirs = results(resumed), results(whole)
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        assert_array_equal(array, theirs[name], err_msg=name)


def test_the_predicted_size_is_that_of_the_run() -> None:
    record = Record(voltage=Every(0.1, envelope=True), gates=Every(0.3, only=("m",)), currents=True)
    asked = run(record, 5.0)
    held = [asked.voltage, *asked.currents.values()]
    held += [array for name, array in asked.beside.items() if not name.endswith("_time")]
    assert record.predicted_size(SQUID, duration=5.0, dt=DT, dx=500) == sum(a.nbytes for a in held)


def test_a_run_beyond_its_budget_is_refused_or_thinned() -> None:
    size = Record(every=0.01).predicted_size(SQUID, duration=20, dt=DT, dx=500)
    with pytest.raises(ValueError, match=r"would hold 0.192 MB of samples, more than Record.max_size of"):
        run(Record(every=0.01, max_size=50_000))
    with pytest.raises(ValueError, match="sample 4 times more thinly, or set thin=True"):
        axon.simulate_many(
            [SQUID], TRAIN, duration=20, dt=DT, dx=500, record=Record(every=0.01, max_size=50_000)
        )
    thinned = run(Record(every=0.01, max_size=50_000, thin=True))
    assert thinned.voltage.nbytes <= 50_000 < size
    assert_array_equal(thinned.voltage, DENSE.voltage[::4])
    assert thinned.record.every == pytest.approx(0.04)
    assert run(Record(every=0.01, max_size=size)).voltage.nbytes == size
    budget = Record(voltage=AroundSpikes(1.0, elsewhere=0.5), max_size=10_000)
    used_up = run(budget)
    assert 10_000 <= used_up.voltage.nbytes < 14_000  # and then the thin ones alone
    assert_array_equal(steps(used_up.time)[-10:], np.arange(1550, 2001, 50))
    both = Record(voltage=Every(0.01), gates=AroundSpikes(1.0, elsewhere=0.05), max_size=50_000, thin=True)
    assert both.within(500_000).voltage == Every(0.11)
    assert both.within(500_000).gates.elsewhere == pytest.approx(0.55)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Every(0), "Every.interval must be > 0 ms, got 0"),
        (lambda: AroundSpikes(-1), "AroundSpikes.around must be > 0 ms"),
        (lambda: AroundSpikes(1, every=0), "AroundSpikes.every must be > 0 ms"),
        (lambda: AroundSpikes(1, elsewhere=0), "AroundSpikes.elsewhere must be > 0 ms"),
        (lambda: Record(max_size=0), "Record.max_size must be > 0 bytes"),
        (lambda: Record(voltage=Every(1, only=("m",))), "Every or AroundSpikes without only"),
        (lambda: Record(gates=Every(1, envelope=True)), "envelopes are of voltage alone"),
        (lambda: Record(gates=Every(1, only="M")).gate_names(SQUID), "unknown gate 'M'; known: h, m, n"),
    ],
)
def test_schedules_that_cannot_be_meant_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_chance_is_sampled_around_its_spikes_too() -> None:
    from dataclasses import replace

    own = SQUID.membrane
    channels = [replace(c, unitary=20.0) if c.gates else c for c in own.channels]
    cable = Axon(length=300, diameter=2, membrane=replace(own, channels=channels), celsius=18.5)
    how = {"duration": 4.0, "dt": DT, "dx": 50, "noise": "markov", "seed": 2, "progress": False}
    pulse = Pulse(amplitude=1.0, start=0.5, duration=0.2)
    dense = axon.simulate(cable, pulse, record=Record(every=DT), **how)
    some = axon.simulate(cable, pulse, record=Record(voltage=AroundSpikes(0.3)), **how)
    assert 0 < len(some.time) < len(dense.time) / 2
    assert_array_equal(some.voltage, dense.voltage[steps(some.time)])

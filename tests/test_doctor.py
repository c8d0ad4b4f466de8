"""`axon check`: every planted fault is found, told plainly and with a number; a good run meets silence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import axon
from axon import Axon, Pulse, Record, Section
from axon.__main__ import main

HH = axon.hodgkin_huxley()
SQUID = Axon(length=60_000, diameter=476, membrane=HH, axial_resistivity=35.4, celsius=18.5)
PULSE = Pulse(amplitude=100_000, start=0.5, duration=0.2)
GOOD = axon.simulate(SQUID, PULSE, duration=6, record=Record(gates=True, currents=True), progress=False)


def run(cable: Axon = SQUID, stimuli: Any = PULSE, duration: float = 6, **how: Any) -> axon.Run:
    return axon.simulate(cable, stimuli, duration=duration, progress=False, **how)


def spoiled(group: str, name: str, change: Callable[[np.ndarray], np.ndarray]) -> axon.Run:
    return replace(
        GOOD, **{group: {**getattr(GOOD, group), name: change(np.array(getattr(GOOD, group)[name]))}}
    )


def with_nan(values: np.ndarray) -> np.ndarray:
    values[30, 20] = np.nan
    return values


THIN = Axon(sections=[Section(50_000, 476, HH, 35.4, 18.5), Section(5_000, 1, axon.passive(), 35.4, 18.5)])
FAULTS: dict[str, tuple[str, Callable[[], axon.Run], str]] = {
    "a mesh too coarse for the spike": (
        "mesh",
        lambda: run(dx=800),
        r"rises over 4e\+03 um, and compartments of 800 um cut that into 5.0; use dx of at most 5e\+02 um",
    ),
    "a mesh too coarse for a thin branch": (
        "mesh",
        lambda: run(THIN, dx=150),
        r"section 1 are 147 um long, 0.98 of its length constant of 150 um .*; use dx of at most 19 um",
    ),
    "a step too long for the fastest gate": (
        "time step",
        lambda: run(dt=0.02),
        r"0.69 of the fastest gate's time constant of 0.0291 ms; use dt of at most 0.015 ms",
    ),
    "a step that the velocity feels": (
        "time step",
        lambda: run(dt=0.0125),
        r"makes the velocity wrong by 0.19 %, as half of it shows; use dt of at most 0.0091 ms for 0.1 %",
    ),
    "a start away from rest": (
        "rest",
        lambda: run(initial_voltage=-60.0),
        r"begins 5 mV away from rest at .* begin at -64.996 mV there",
    ),
    "an axon too short for its window": (
        "end",
        lambda: run(replace(SQUID, length=12_000, sections=()), duration=3),
        r"near 9486 um the spike is 9.5 % faster .*the end of the axon at 1.2e\+04 um is felt",
    ),
    "a stimulus that reaches into the window": (
        "stimulus",
        lambda: run(stimuli=[PULSE, Pulse(amplitude=15_000, start=0.5, duration=3, at=25_000)], duration=5),
        r"near .* um the spike is .* % (faster|slower) .*the stimulus at .* um reaches into it; measure",
    ),
    "a recording too sparse for the spike": (
        "sampling",
        lambda: run(record=Record(every=0.5)),
        r"samples every 0.5 ms miss up to 4\d.* mV of the spike's peak; record every 0.0\d+ ms",
    ),
    "currents of another axon": (
        "charge",
        lambda: spoiled("currents", "Na", lambda values: 0.7 * values),
        r"that crossed the membrane are not accounted for \(\d+ %\); record every 0.025 ms",
    ),
    "voltages of another model": (
        "model",
        lambda: replace(GOOD, voltage=np.array(GOOD.voltage) + 0.1),
        r"voltage is 0.1 mV away from what the model gives at t = .* ms, x = .* um",
    ),
    "a value that is no number": (
        "data",
        lambda: replace(GOOD, voltage=with_nan(np.array(GOOD.voltage))),
        r"voltage is not finite in 1 places, first at t = 1.5 ms, x = 33.* um",
    ),
    "an open fraction above 1": (
        "data",
        lambda: spoiled("gates", "m", lambda values: values + 0.5),
        r"gate m leaves 0..1 in \d+ places, first at t = .* ms",
    ),
    "a run stopped early": (
        "incomplete",
        lambda: replace(GOOD, complete=False),
        r"stopped at 6 ms; `axon resume FILE --until MS` carries it on",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_found(fault: str) -> None:
    kind, plant, message = FAULTS[fault]
    found = axon.check(plant())
    assert [one.message for one in found if one.kind == kind and re.search(message, one.message)], found
    assert all(re.search(r"\d", one.message) for one in found)


@pytest.mark.parametrize(
    "good",
    [
        lambda: GOOD,
        lambda: run(replace(SQUID, celsius=6.3, sections=()), duration=10),
        lambda: run(dx=500, order=4),
        lambda: run(stimuli=Pulse(amplitude=100_000, start=0.5, duration=0.2, at=60_000)),
        lambda: run(stimuli=(), duration=1),
        lambda: run(record=Record(voltage=None)),
        lambda: axon.fork(GOOD, at=2.0, change=lambda cable: cable, progress=False),
        lambda: run(axon.myelinated(10), axon.suprathreshold_pulse(axon.myelinated(10), duration=0.1), 2),
        lambda: axon.simulate_many([SQUID], PULSE, duration=6, progress=False)[0],
    ],
)
def test_a_good_run_meets_silence(good: Callable[[], axon.Run]) -> None:
    assert axon.check(good()) == []


def test_nothing_is_computed_without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    tampered, slow = replace(GOOD, voltage=np.array(GOOD.voltage) + 0.1), run(dt=0.0125)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("axon.doctor.data.window", never)
    monkeypatch.setattr("axon.doctor.mesh.simulate", never)
    assert axon.check(tampered, patience=0) == [] == axon.check(slow, patience=0)


def test_the_command_tells_and_exits_by_what_it_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "good.h5"
    GOOD.save(path)
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["check", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(path), "findings": []}
    with h5py.File(path, "r+") as file:
        file["voltage"][3, 7] = np.inf
    assert main(["check", str(path)]) == 1
    assert "data: voltage is not finite in 1 places" in capsys.readouterr().out
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert main(["check", str(path)]) == 1
    assert re.match(r"file: .*good.h5 is truncated: \d+ of \d+ bytes", capsys.readouterr().out)
    path.write_text("t,v\n0,-65\n")
    assert main(["check", str(path)]) == 1
    assert "is not an HDF5 file" in capsys.readouterr().out

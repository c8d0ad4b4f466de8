"""Two runs side by side: what was asked differently, and where what came out parts ways."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import axon
from axon import Axon, Pulse, Record
from axon.__main__ import main
from axon.record import Every

SQUID = Axon(length=30_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
PULSE = Pulse(amplitude=60_000, start=0.1, duration=0.2)
RECORD = Record(every=0.05, gates=("h",))


def run(cable: Axon = SQUID, pulse: Pulse = PULSE, dx: float = 250, record: Record = RECORD) -> axon.Run:
    return axon.simulate(cable, pulse, duration=2.5, dt=0.01, dx=dx, record=record, progress=False)


BASE = run()


def test_a_run_does_not_differ_from_itself_or_its_file(tmp_path: Path) -> None:
    BASE.save(tmp_path / "a.h5")
    found = axon.diff(BASE, tmp_path / "a.h5")
    assert not found and str(found) == ""
    assert found.parameters == {} and found.partings == ()


def test_what_was_asked_differently_is_named_with_both_values() -> None:
    warm = run(replace(SQUID, celsius=20.0, sections=()), replace(PULSE, amplitude=70_000))
    found = axon.diff(BASE, warm)
    assert found.parameters == {
        "axon.celsius": (18.5, 20.0),
        "stimuli[0].amplitude": (60_000, 70_000),
    }
    a, b = found.velocities
    assert a == BASE.velocity().value and b == warm.velocity().value and b > 1.03 * a
    assert "axon.celsius: 18.5 | 20.0\n" in str(found)
    assert f"velocity: {a:.6g} m/s | {b:.6g} m/s (+" in str(found)


def test_the_first_divergence_is_where_it_was_planted() -> None:
    voltage = np.array(BASE.voltage)
    voltage[20, 7] += 0.25
    voltage[31, 11] -= 4.0
    (parting,) = axon.diff(BASE, replace(BASE, voltage=voltage)).partings
    assert parting.name == "voltage"
    assert (parting.first_time, parting.first_position) == (BASE.time[20], BASE.position[7])
    assert (parting.largest_time, parting.largest_position) == (BASE.time[31], BASE.position[11])
    assert parting.largest == pytest.approx(4.0)
    (tolerant,) = axon.diff(BASE, replace(BASE, voltage=voltage), tolerance=0.3).partings
    assert tolerant.first_time == BASE.time[31]
    assert not axon.diff(BASE, replace(BASE, voltage=voltage), tolerance=5.0)


def test_runs_on_other_meshes_and_times_are_compared_where_both_are() -> None:
    finer = run(dx=125, record=Record(every=0.02))
    found = axon.diff(BASE, finer, tolerance=1.0)
    assert found.parameters["numerics.dx"] == (250.0, 125.0)
    (parting,) = found.partings
    assert parting.name == "voltage" and 1.0 < parting.largest < 40.0
    assert not axon.diff(BASE, finer, tolerance=40.0).partings


def test_what_is_straight_in_time_and_place_is_the_same_on_other_meshes() -> None:
    def straight(of: axon.Run) -> axon.Run:
        return replace(of, voltage=3.0 * of.time[:, None] - 2e-3 * of.position, gates={})

    finer = straight(run(dx=100, record=Record(every=0.02)))
    assert not axon.diff(straight(BASE), finer, tolerance=1e-9).partings
    assert not axon.diff(finer, straight(BASE), tolerance=1e-9).partings


def test_what_has_times_of_its_own_parts_at_these() -> None:
    one = run(record=Record(every=0.05, currents=Every(0.1)))
    assert not axon.diff(one, one)
    sodium = np.array(one.beside["currents/Na"])
    sodium[5, 3] += 1.0
    (parting,) = axon.diff(one, replace(one, beside={**one.beside, "currents/Na": sodium})).partings
    assert (parting.name, parting.first_time, parting.largest_time) == ("currents/Na", 0.5, 0.5)
    often = run(record=Record(every=0.05, currents=Every(0.05)))
    assert not axon.diff(one, often, tolerance=1e-12).partings


def test_a_spike_that_died_differs_from_one_that_did_not() -> None:
    dead = run(pulse=replace(PULSE, amplitude=100.0))
    found = axon.diff(BASE, dead)
    assert found.velocities[1] is None and found.crossings[1] == 0
    assert "| no propagation" in str(found) and f"crossings: {found.crossings[0]} | 0" in str(found)


def test_the_command_exits_by_whether_there_is_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = tmp_path / "a.h5", tmp_path / "b.h5"
    BASE.save(a)
    run(pulse=replace(PULSE, amplitude=70_000)).save(b)
    assert main(["diff", str(a), str(a)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["diff", str(a), str(b)]) == 1
    text = capsys.readouterr().out
    assert "stimuli[0].amplitude: 60000 | 70000" in text and "voltage: apart from t = " in text
    assert main(["diff", str(a), str(b), "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["parameters"]["stimuli[0].amplitude"] == [60_000, 70_000]
    assert {parting["name"] for parting in facts["partings"]} == {"voltage", "gates/h"}
    assert main(["diff", str(a), str(tmp_path / "c.h5")]) == 2

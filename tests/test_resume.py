"""Runs that go on: the same to the last bit as if they had never stopped; forks and windows."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import axon
from axon import Axon, Clamp, Pulse, Record, Section, Synapse
from axon.__main__ import main
from axon.run import results

HH = axon.hodgkin_huxley()
SQUID = Axon(length=20_000, diameter=476, membrane=HH, celsius=18.5)
SHORT = Axon(length=2_000, diameter=476, membrane=HH, celsius=18.5)
MIXED = Axon(sections=[Section(8_000, 476, HH, 35.4, 18.5), Section(6_000, 200, axon.passive(), 35.4, 18.5)])
RING = Axon(length=16_000, diameter=476, membrane=HH, celsius=18.5, ring=True)
FROG = Axon(length=4_000, diameter=10, membrane=axon.frankenhaeuser_huxley(), celsius=20)
TREE = Axon(
    sections=[
        Section(length, diameter, HH, 35.4, 18.5)
        for length, diameter in ((4_000, 476), (3_000, 300), (2_000, 300))
    ],
    parents=[None, 0, 0],
)
POTASSIUM = dataclasses.replace(
    HH,
    channels=[dataclasses.replace(c, ion="K") if c.name == "K" else c for c in HH.channels],
    pools=[axon.Pool("K_out", "K", 5.6, valence=1, depth=0.03, side="outside", tau=0.5)],
)
POOLED = dataclasses.replace(SHORT, membrane=POTASSIUM, sections=())
MYELINATED = axon.myelinated(10, nodes=7)
PULSE = Pulse(amplitude=60_000, start=0.1, duration=0.2)
HOW: dict[str, Any] = {"dt": 0.01, "dx": 200, "progress": False}


def block(beyond: float, part: float = 1.0) -> Callable[[Axon], Axon]:
    """TTX from a place on."""
    return lambda cable: axon.altered(
        cable, (beyond, cable.main_length), membrane=lambda own: own.block("Na", part)
    )


def cool(celsius: float) -> Callable[[Axon], Axon]:
    return lambda cable: axon.altered(cable, (0.0, cable.main_length), celsius=celsius)


def assert_same(run: axon.Run, other: axon.Run) -> None:
    mine, theirs = results(run), results(other)
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        assert_array_equal(array, theirs[name], err_msg=name)
    assert dict(run.numerics) == dict(other.numerics)
    assert run.record == other.record and run.complete and other.complete


CASES: dict[str, tuple[Axon, Any, dict[str, Any]]] = {
    "long, in pieces": (SQUID, PULSE, {}),
    "short, in one lane": (SHORT, PULSE, {}),
    "fourth order": (SQUID, PULSE, {"order": 4}),
    "a kink at the seam": (SQUID, Pulse(amplitude=60_000, start=0.1, duration=0.19), {"order": 4}),
    "two membranes": (MIXED, PULSE, {}),
    "ring": (RING, PULSE, {}),
    "permeability": (FROG, Pulse(amplitude=20, start=0.1, duration=0.2), {"dt": 0.005, "dx": 50}),
    "clamps that jump": (
        SQUID,
        [
            Clamp(voltage=-20, start=0.47, duration=0.3),
            Clamp(voltage=-90, start=0.49, duration=0.02, at=9_000),
        ],
        {},
    ),
    "synapse": (SHORT, Synapse(conductance=500, reversal=0, onset=0.2, tau=0.5, at=700), {}),
    "voltages beyond the first tables": (SHORT, Pulse(amplitude=5e6, start=0.1, duration=0.3), {}),
    "pools": (POOLED, PULSE, {"record": Record(every=0.01, gates=True, currents=True, concentrations=True)}),
    "a tree": (TREE, PULSE, {}),
    "myelin": (MYELINATED, Pulse(amplitude=5, duration=0.1), {"dt": 0.005, "dx": None}),
    "sampled seldom": (SQUID, PULSE, {"record": Record(every=0.13, where=[0, 5_000], voltage="float32")}),
    "spikes alone": (SQUID, PULSE, {"record": Record(voltage=None)}),
    "given voltage": (SHORT, (), {"initial_voltage": -50.0}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seam", [0.3, 0.5])
def test_resumed_run_equals_the_uninterrupted_one(case: str, seam: float) -> None:
    cable, stimuli, how = CASES[case]
    how = {**HOW, "record": Record(every=0.01, gates=True, currents=True), **how}
    whole = axon.simulate(cable, stimuli, duration=1.2, **how)
    part = axon.simulate(cable, stimuli, duration=seam, **how)
    assert_same(axon.resume(part, until=1.2, progress=False), whole)


@pytest.mark.parametrize("noise", ["markov", "langevin"])
def test_chance_goes_on_where_it_stopped(noise: str) -> None:
    how = {
        **HOW,
        "dx": 50,
        "noise": noise,
        "seed": 3,
        "record": Record(every=0.02, gates=True, currents=True),
    }
    channels = [dataclasses.replace(c, unitary=20.0) if c.gates else c for c in HH.channels]
    cable = Axon(length=500, diameter=2, membrane=dataclasses.replace(HH, channels=channels), celsius=18.5)
    pulse = Pulse(amplitude=1, start=0.1, duration=0.2)
    whole = axon.simulate(cable, pulse, duration=1.5, **how)
    assert np.ptp(whole.voltage[-1]) > 0
    part = axon.simulate(cable, pulse, duration=0.5, **how)
    assert_same(axon.resume(part, until=1.5, progress=False), whole)
    middle = axon.window(whole, (0.4, 1.0), record=whole.record, progress=False)
    assert_array_equal(middle.voltage, whole.voltage[20:51])


def test_a_crossing_is_timed_alike_on_either_side_of_the_seam() -> None:
    how = {**HOW, "dt": 0.02, "record": Record(voltage=None)}
    whole = axon.simulate(SQUID, PULSE, duration=1.0, **how)
    first = int(whole.spike_time[0] / 0.02)
    for step in range(first, first + 8):  # the first compartments cross in these steps
        part = axon.simulate(SQUID, PULSE, duration=step * 0.02, **how)
        assert_same(axon.resume(part, until=1.0, progress=False), whole)


def test_a_run_may_be_resumed_again_and_from_files(tmp_path: Path) -> None:
    record = Record(every=0.05, gates=True)
    whole = axon.simulate(SQUID, PULSE, duration=3, record=record, **HOW)
    path = tmp_path / "run.h5"
    axon.simulate(SQUID, PULSE, duration=0.7, record=record, **HOW).save(path)
    for until in (0.71, 1.4, 3):
        run = axon.resume(path, until=until, to=path, progress=False)
        assert run.numerics["duration"] == pytest.approx(until)
    assert_same(axon.load(path), whole)
    assert_same(run, whole)
    assert os.listdir(tmp_path) == ["run.h5"]
    assert_allclose(axon.load(path).velocity().value, whole.velocity().value, rtol=0, atol=0)


KILLED = """
import sys
import axon
from axon.stepping import collect
from axon.storage import writing

writing._FLUSH = collect._CHECKPOINT_SECONDS = 0.05
squid = axon.Axon(length=20_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
axon.simulate(
    squid, axon.Train(amplitude=60_000, start=0.1, duration=0.2, interval=10, count=10**6), duration=1e6,
    dt=0.01, dx=200, record=axon.Record(every=0.05, gates=("h",)), to=sys.argv[1], progress=False,
)
"""


def test_a_killed_stream_is_resumed_from_its_last_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)]) as process:
        while not path.exists() or len(axon.load(path, lazy=True).checkpoints["step"]) < 4:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    killed = axon.load(path)
    assert not killed.complete
    end = killed.numerics["duration"] + 1.0
    axon.resume(path, until=end, to=path, progress=False)
    whole = axon.simulate(killed.axon, killed.stimuli, duration=end, record=killed.record, **HOW)
    assert_same(axon.load(path), whole)


def test_checkpoints_come_as_often_as_asked_for(tmp_path: Path) -> None:
    run = axon.simulate(SHORT, PULSE, duration=1.0, record=Record(checkpoints=0.3), **HOW)
    assert_array_equal(run.checkpoints["step"], [0, 30, 60, 90, 100])
    assert run.checkpoints["v"].shape == (5, len(run.compartments))
    again = axon.simulate(SHORT, PULSE, duration=1.0, record=Record(), to=tmp_path / "a.h5", **HOW)
    assert_array_equal(again.checkpoints["step"], [0, 100])
    assert axon.simulate_many([SHORT], PULSE, duration=0.1, **HOW)[0].checkpoints == {}
    many = axon.simulate_many([SHORT], PULSE, duration=0.5, record=Record(checkpoints=1.0), **HOW)[0]
    whole = axon.simulate(SHORT, PULSE, duration=1.0, **HOW)
    assert_allclose(axon.resume(many, until=1.0, progress=False).voltage, whole.voltage, rtol=0, atol=1e-9)


def test_runs_that_cannot_go_on_say_why(tmp_path: Path) -> None:
    run = axon.simulate(SHORT, PULSE, duration=1.0, **HOW)
    with pytest.raises(ValueError, match=r"until must be after the end of the run at 1 ms, got 0.5"):
        axon.resume(run, until=0.5)
    with pytest.raises(axon.AxonError, match="this run holds no checkpoint to go on from; simulate it again"):
        axon.resume(axon.simulate_many([SHORT], PULSE, duration=0.1, **HOW)[0], until=1)
    with pytest.raises(ValueError, match=r"at must be a time within the run \(0..1 ms\), got 2"):
        axon.fork(run, at=2, change=cool(6.3))
    with pytest.raises(ValueError, match=r"until must be after the change at 0.5 ms, got 0.5"):
        axon.fork(run, at=0.5, change=cool(6.3), until=0.5)
    with pytest.raises(ValueError, match="change must return an Axon, got None"):
        axon.fork(run, at=0.5, change=lambda cable: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(ValueError, match=r"between must be two times within the run \(0..1 ms\)"):
        axon.window(run, (0.5, 1.5))
    late = axon.fork(run, at=0.5, change=cool(6.3), progress=False)
    with pytest.raises(axon.AxonError, match="the first checkpoint of this run is at 0.5 ms, after 0.2 ms"):
        axon.window(late, (0.2, 0.7))


# windows and forks


def test_a_window_is_what_a_dense_recording_would_have_been() -> None:
    dense = axon.simulate(
        SQUID, PULSE, duration=2, record=Record(every=0.01, gates=True, currents=True), **HOW
    )
    thin = axon.simulate(SQUID, PULSE, duration=2, record=Record(every=1.0, checkpoints=0.5), **HOW)
    seen = axon.window(thin, (0.73, 0.95), progress=False)
    inside = slice(73, 96)
    assert_array_equal(seen.time, dense.time[inside])
    assert_array_equal(seen.voltage, dense.voltage[inside])
    assert_array_equal(seen.currents["Na"], dense.currents["Na"][inside])
    crossings = dense.spike_time[(dense.spike_time > 0.73) & (dense.spike_time <= 0.95)]
    assert_allclose(seen.spike_time, crossings, rtol=0, atol=1e-3)
    assert_array_equal(seen.spike_time[:-2], crossings[:-2])


def test_a_fork_that_changes_nothing_is_the_run_itself() -> None:
    run = axon.simulate(SQUID, PULSE, duration=1.5, record=Record(every=0.01, gates=True), **HOW)
    fork = axon.fork(run, at=0.6, change=lambda cable: cable, progress=False)
    assert fork.numerics["start"] == pytest.approx(0.6)
    assert_array_equal(fork.voltage, run.voltage[60:])
    assert_array_equal(fork.gates["n"], run.gates["n"][60:])
    assert_same(
        axon.resume(fork, until=2, progress=False), axon.fork(fork, at=0.6, change=lambda a: a, until=2)
    )


def test_a_spike_dies_where_its_sodium_channels_are_blocked(tmp_path: Path) -> None:
    run = axon.simulate(SQUID, PULSE, duration=2.5, **HOW)
    path = tmp_path / "blocked.h5"
    blocked = axon.fork(run, at=0.5, change=block(15_000), to=path, progress=False)
    assert run.spike_position.max() > 19_000
    assert 14_000 < blocked.spike_position.max() < 17_000
    assert [section.length for section in blocked.axon.sections] == [15_000, 5_000]
    assert axon.load(path) == blocked
    with pytest.raises(axon.NoPropagation, match="blocked at x = 15000 um"):
        blocked.velocity()


def test_a_cooled_axon_conducts_as_slowly_as_one_that_was_always_cold() -> None:
    long = dataclasses.replace(SQUID, length=60_000)
    run = axon.simulate(long, PULSE, duration=4, **HOW)
    cooled = axon.fork(run, at=0.5, change=cool(6.3), until=6, progress=False)
    cold = axon.simulate(
        dataclasses.replace(long, celsius=6.3), Pulse(amplitude=60_000, duration=0.3), duration=6, **HOW
    )
    stretch = (35_000.0, 50_000.0)
    found, wanted = (r.velocity(between=stretch).value for r in (cooled, cold))
    assert found == pytest.approx(wanted, rel=2e-3)
    assert found < 0.7 * run.velocity(between=stretch).value


def test_a_cut_axon_ends_at_the_cut_and_its_spike_speeds_up_there() -> None:
    run = axon.simulate(SQUID, PULSE, duration=1.5, **HOW)
    cut = axon.fork(run, at=0.3, change=lambda a: axon.cut(a, 12_000), progress=False)
    assert cut.axon.total_length == 12_000
    assert_array_equal(cut.compartments.position, run.compartments.position[:60])
    assert cut.voltage[:, 59].max() > run.voltage[:, 59].max() + 1  # a sealed end reflects
    assert cut.arrivals()[59] < run.arrivals()[59]
    assert_array_equal(cut.voltage[0], run.voltage[6, :60])


def test_state_on_another_mesh_lies_between_that_of_the_old_one() -> None:
    run = axon.simulate(SQUID, PULSE, duration=1, **HOW)
    fork = axon.fork(run, at=0.6, change=block(5_070, part=0.0), progress=False)
    x = fork.compartments.position
    before = axon.window(run, (0.6, 0.61), progress=False)
    assert_array_equal(fork.checkpoints["v"][0], np.interp(x, run.compartments.position, before.voltage[0]))
    assert_allclose(fork.voltage[-1], np.interp(x, run.position, run.voltage[-1]), rtol=0, atol=1.5)


def test_gates_that_were_not_there_begin_at_their_steady_state() -> None:
    cable = Axon(length=2_000, diameter=100, membrane=axon.passive(), celsius=18.5)
    run = axon.simulate(cable, duration=0.5, **HOW)
    fork = axon.fork(
        run, at=0.3, change=lambda a: dataclasses.replace(a, membrane=HH, sections=()), until=0.4
    )
    v = fork.checkpoints["v"][0]
    steady = np.stack([gate.steady_state(v, 18.5) for gate in HH.gates.values()], axis=1)
    assert_allclose(fork.checkpoints["gates"][0], steady, rtol=1e-12, atol=0)


def test_chance_is_not_moved_to_another_mesh() -> None:
    channels = [dataclasses.replace(c, unitary=20.0) if c.gates else c for c in HH.channels]
    cable = Axon(length=500, diameter=2, membrane=dataclasses.replace(HH, channels=channels), celsius=18.5)
    run = axon.simulate(cable, duration=0.1, noise="markov", seed=1, **{**HOW, "dx": 50})
    with pytest.raises(ValueError, match="only be forked to an axon with the same mesh and channels"):
        axon.fork(run, at=0.05, change=lambda a: axon.cut(a, 250), progress=False)
    warm = axon.fork(run, at=0.05, change=cool(25.0), progress=False)
    assert warm.numerics["seed"] == 1 and warm.axon.sections[0].celsius == 25.0


def test_a_tree_and_a_fibre_are_changed_branch_by_branch_and_node_by_node() -> None:
    run = axon.simulate(TREE, PULSE, duration=1.5, **HOW)

    def blocked(tree: Axon) -> Axon:
        return axon.altered(tree, ((2, 0.0), (2, 2_000.0)), membrane=lambda own: own.block("Na", 1))

    dead = axon.fork(run, at=0.2, change=blocked, until=3, progress=False)
    assert run.voltage.max(axis=0)[-1] > dead.voltage.max(axis=0)[-1] + 30
    with pytest.raises(ValueError, match="only be forked to one with the same compartments"):
        axon.fork(run, at=0.2, change=block(2_050), progress=False)
    fibre = axon.simulate(MYELINATED, Pulse(amplitude=5, duration=0.1), duration=0.3, progress=False)
    node = MYELINATED.nodes[3]

    def numb(cable: Axon) -> Axon:
        sections = list(cable.sections)
        membrane = sections[node].membrane.block("Na", 1)
        for number in cable.nodes[3:]:
            sections[number] = dataclasses.replace(sections[number], membrane=membrane)
        return dataclasses.replace(cable, length=None, sections=sections)

    shut = axon.fork(fibre, at=0.05, change=numb, progress=False)
    assert_array_equal(shut.compartments.position, fibre.compartments.position)
    assert fibre.voltage.max(axis=0)[-1] > shut.voltage.max(axis=0)[-1] + 20


def test_the_command_resumes_a_file_in_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.h5"
    base = ["run", "--length", "4000", "--celsius", "18.5", "--quiet", "--duration"]
    assert main([*base, "1", "-o", str(path)]) == 0
    assert main(["resume", str(path), "--until", "2", "--quiet", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["duration"] == pytest.approx(2) and facts["file"] == str(path)
    assert main([*base, "2", "-o", str(tmp_path / "b.h5")]) == 0
    assert_same(axon.load(path), axon.load(tmp_path / "b.h5"))
    assert main(["resume", str(path), "--until", "1"]) == 2
    assert "until must be after the end of the run at 2 ms" in capsys.readouterr().err

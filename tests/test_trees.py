"""Axons that branch, and what stands at their ends: against equivalent cylinders and closed forms."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray
from numpy.testing import assert_allclose, assert_array_equal

from axon import (
    Axon,
    Clamp,
    End,
    Pulse,
    Record,
    Section,
    Synapse,
    animate,
    hodgkin_huxley,
    measure_velocity,
    passive,
    phases,
    plot_kymograph,
    plot_traces,
    simulate,
    simulate_many,
    suprathreshold_pulse,
    view,
)
from axon.describe import lines
from axon.discretise.rest import resting_voltage
from axon.draw.scene import stimulated
from axon.geometry import Compartments
from axon.model import from_json, to_json
from axon.run import Run, load
from axon.storage import contents

HH = hodgkin_huxley()
EVERYTHING = Record(every=0.05, gates=True)


def cylinder(length: float, diameter: float, nseg: int) -> Section:
    return Section(length, diameter, HH, celsius=18.5, nseg=nseg)


def rall_tree(levels: int, nseg: int = 20) -> Axon:
    """Branches of equal electrotonic length whose diameters keep the sum of d^(3/2): Rall's cylinder."""
    sections, parents = [], []
    for level in range(levels):
        shrink = 2.0 ** (-level * 2 / 3)
        for k in range(2**level):
            sections.append(cylinder(4000 * math.sqrt(shrink), 100 * shrink, nseg))
            parents.append(None if level == 0 else 2 ** (level - 1) - 1 + k // 2)
    return Axon(sections=sections, parents=parents)


PULSE = Pulse(amplitude=8000, start=0.1, duration=0.2)


def test_a_tree_that_keeps_rall_s_rule_carries_the_spike_of_its_cylinder() -> None:
    # Compartment by compartment the sums over the branches are those of the cylinder, so to rounding.
    tree = simulate(rall_tree(4), PULSE, duration=3, dt=0.01, record=EVERYTHING)
    straight = simulate(
        Axon(sections=[cylinder(4000, 100, 20)] * 4), PULSE, duration=3, dt=0.01, record=EVERYTHING
    )
    assert straight.voltage is not None and tree.voltage is not None
    assert np.ptp(straight.voltage[:, -1]) > 90  # the spike arrives
    for level in range(4):
        for branch in (2**level - 1, 2 ** (level + 1) - 2):
            own = tree.compartments.section == branch
            assert_allclose(
                tree.voltage[:, own], straight.voltage[:, 20 * level : 20 * level + 20], rtol=0, atol=1e-6
            )


def test_trees_side_by_side_give_what_each_gives_alone() -> None:
    trees = [
        Axon(
            sections=[cylinder(2000, d, 8), cylinder(1000, d / 2, 5), cylinder(1500, d / 3, 6)],
            parents=[None, 0, 0],
        )
        for d in (40, 50, 60, 70, 80, 90)
    ]
    together = simulate_many(
        trees, Pulse(amplitude=3000, duration=0.2), duration=2, dt=0.01, record=EVERYTHING
    )
    for tree, run in zip(trees, together, strict=True):
        alone = simulate(tree, Pulse(amplitude=3000, duration=0.2), duration=2, dt=0.01, record=EVERYTHING)
        assert len(alone.spike_time)
        assert_allclose(run.voltage, alone.voltage, rtol=0, atol=1e-9)
        assert_allclose(run.gates["h"], alone.gates["h"], rtol=0, atol=1e-12)


def test_order_in_dt_is_two_at_a_fork() -> None:
    tree = Axon(
        sections=[cylinder(3000, 100, 15), cylinder(2000, 60, 12), cylinder(2500, 40, 14)],
        parents=[None, 0, 0],
    )
    runs = [
        simulate(
            tree,
            Pulse(amplitude=6000, duration=0.2),
            duration=2.0,
            dt=dt,
            record=Record(every=2.0, threshold=0),
        )
        for dt in (0.02, 0.01, 0.005, 0.0025, 0.00125)
    ]
    arrivals = np.array([[run.arrivals()[26], run.arrivals()[-1]] for run in runs])
    orders = np.log2(np.diff(arrivals[:-1], axis=0) / np.diff(arrivals[1:], axis=0))
    assert_allclose(orders[-1], 2.0, rtol=0, atol=0.1)


def test_rallpack_2() -> None:
    # Bhalla, Bilitch & Bower 1992: ten levels, 1023 compartments; exact values at 250 ms.
    membrane = passive(conductance=0.25e-4, reversal=-65.0, capacitance=1.0)
    sections, parents = [], []
    for level in range(10):
        size = {"length": 32 / 2 ** (level / 3), "diameter": 16 / 2 ** (2 * level / 3)}
        for k in range(2**level):
            sections.append(Section(membrane=membrane, axial_resistivity=100.0, nseg=1, **size))
            parents.append(None if level == 0 else 2 ** (level - 1) - 1 + k // 2)
    tree = Axon(sections=sections, parents=parents)
    step = Pulse(amplitude=0.1, duration=math.inf)
    run = simulate(tree, step, duration=250, dt=0.05, record=Record(every=1, threshold=50))
    assert run.voltage is not None
    # From the centre of the first compartment to x = 0 the electrode's current drops this much (mV).
    drop = 0.1 * sections[0].axial_resistance() / 2
    root, tip = -40.12701757, -40.20655263
    assert_allclose(run.voltage[-1, 0] + drop, root, rtol=0, atol=1e-3 * (root + 65))
    assert_allclose(run.voltage[-1, -1], tip, rtol=0, atol=1e-3 * (tip + 65))


@pytest.mark.parametrize(
    "load", [End(conductance=0.01, reversal=-20.0), End(conductance=math.inf, reversal=-30.0)]
)
def test_a_loaded_end_draws_what_cable_theory_says(load: End) -> None:
    # V'' = (V - E) / lambda^2 with V'(0) = 0 and the current g (V(L) - E_load) out at the end.
    membrane = passive(conductance=1e-3, reversal=-70.0)
    axon = Axon(length=1000, diameter=10, membrane=membrane, axial_resistivity=100.0, ends=("sealed", load))
    errors = []
    for dx in (100, 50, 25):
        v = resting_voltage(axon.compartments(dx))
        x = axon.compartments(dx).position
        scale = math.sqrt(10e-4 / (4 * 100.0 * 1e-3)) * 1e4  # um
        infinite = math.pi * (10e-4) ** 1.5 / 2 * math.sqrt(1e-3 / 100.0) * 1e6  # uS
        inner = infinite * math.tanh(1000 / scale)
        share = 1.0 if math.isinf(load.conductance) else load.conductance / (load.conductance + inner)
        exact = -70.0 + share * (load.reversal + 70.0) * np.cosh(x / scale) / math.cosh(1000 / scale)
        errors.append(float(np.abs(v - exact).max()))
    assert errors[-1] < 2e-2
    assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2.0, rtol=0, atol=0.15)


def test_an_open_end_is_open_in_the_steps_as_well_as_at_rest() -> None:
    axon = Axon(length=1000, diameter=10, membrane=passive(), ends=("open", "sealed"))
    run = simulate(axon, duration=5, dt=0.01, dx=50, record=Record(threshold=50))
    assert run.voltage is not None
    assert run.voltage[0, 0] > -30  # rest -65, the bath 0
    assert_allclose(run.voltage[-1], run.voltage[0], rtol=0, atol=1e-6)


def test_a_clamp_on_a_branch_holds_and_its_spike_goes_up_and_down() -> None:
    tree = Axon(
        sections=[cylinder(3000, 60, 12), cylinder(3000, 60, 12), cylinder(3000, 40, 12)],
        parents=[None, 0, 0],
    )
    hold = Clamp(voltage=20.0, start=0.2, duration=0.5, at=(2, 2900))
    run = simulate(tree, hold, duration=3, dt=0.01, record=Record(every=0.01))
    held = run.at((2, 2900))
    assert run.voltage is not None and run.compartments.section[held] == 2
    assert_allclose(run.voltage[21:70, held], 20.0, rtol=0, atol=1e-9)
    assert np.isfinite(np.delete(run.arrivals(), held)).all()  # the clamp jumps, it does not cross
    assert run.velocity(along=1).value > 5
    assert run.velocity(along=2, direction="antidromic").value > 5


def test_a_charge_put_into_a_tree_is_all_there() -> None:
    tree = Axon(
        sections=[
            Section(500, 10, passive(conductance=0.0), nseg=5),
            Section(300, 5, passive(conductance=0.0), nseg=4),
        ]
        * 2,
        parents=[None, 0, 0, 1],
    )
    pulse = Pulse(amplitude=0.5, start=0.123, duration=0.333, at=(2, 100))
    run = simulate(tree, pulse, duration=2, dt=0.01, initial_voltage=-60.0, record=Record(threshold=50))
    assert run.voltage is not None
    charge = float((run.voltage[-1] + 60.0) @ run.compartments.capacitance)  # pC
    assert_allclose(charge, 0.5 * 0.333, rtol=1e-9)


def cut(axon: Axon) -> Compartments:
    return axon.compartments()


def test_places_on_a_tree() -> None:
    tree = Axon(
        sections=[cylinder(1000, 10, 10), cylinder(500, 5, 5), cylinder(800, 5, 8)], parents=[None, 0, 0]
    )
    own = cut(tree)
    assert own.nearest(1250) == 12  # along the first branch
    assert own.nearest((2, 250)) == 17
    assert own.position[17] == 1250
    assert tree.path() == (0, 1) and tree.path(2) == (0, 2)
    assert tree.main_length == 1500 and tree.total_length == 1800
    assert list(own.shares((2, 300))[0]) == [17, 18]
    assert len(own.parent) == len(own) + 1  # one joint


def test_sections_in_a_row_said_with_parents_are_the_same_axon() -> None:
    sections = [cylinder(1000, 10, 4), cylinder(500, 5, 2)]
    assert Axon(sections=sections, parents=[None, 0]) == Axon(sections=sections)


def test_a_tree_comes_back_equal_from_its_file(tmp_path: Path) -> None:
    tree = Axon(
        sections=[cylinder(1000, 30, 5), cylinder(500, 20, 3), cylinder(800, 10, 4)],
        parents=[None, 0, 0],
        ends=("open", End(conductance=0.1, reversal=-60.0, capacitance=0.2)),
    )
    assert from_json(to_json(tree)) == tree
    assert eval(repr(tree), vars(__import__("axon"))) == tree
    run = simulate(tree, Pulse(amplitude=1.0, duration=0.1, at=(2, 100.0)), duration=0.5, dt=0.01)
    run.save(tmp_path / "tree.h5")
    assert load(tmp_path / "tree.h5") == run


SCRIPT = """
import sys
import numpy as np
import axon
from axon.fibres import myelinated
hh = axon.hodgkin_huxley()
tree = axon.Axon(sections=[axon.Section(300, 50, hh, nseg=3), axon.Section(200, 20, hh, nseg=2),
                           axon.Section(100, 30, axon.passive(), nseg=2)], parents=[None, 0, 0])
pulse = axon.Pulse(amplitude=300, start=0.1, duration=0.2, at=(1, 50))
clamp = axon.Clamp(voltage=-30.0, start=0.5, duration=0.3, at=(2, 80))
how = dict(dt=0.02, record=axon.Record(every=0.02, gates=True))
runs = [axon.simulate(tree, [pulse, clamp], duration=1, **how)]
runs += axon.simulate_many([tree] * 5, pulse, duration=0.6, **how)[:1]
fibre = myelinated(10, nodes=2)
how |= dict(dt=0.005)
runs.append(axon.simulate(fibre, axon.Pulse(amplitude=2, duration=0.1), duration=0.2, **how))
runs += axon.simulate_many([fibre] * 5, axon.Pulse(amplitude=2, duration=0.1), duration=0.2, **how)[:1]
np.savez(sys.argv[1], *[a for run in runs for a in (run.voltage, run.gates["m"], run.spike_time)])
"""


def test_the_solve_gives_the_same_answers_without_the_compiler(tmp_path: Path) -> None:
    answers = []
    for disabled in ("0", "1"):
        env = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        path = tmp_path / f"{disabled}.npz"
        subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True, env=env, timeout=200)
        with np.load(path) as arrays:
            answers.append([arrays[name] for name in arrays.files])
    assert len(answers[0]) == 12 and all(len(spikes) for spikes in answers[0][2::3])
    for compiled, plain in zip(*answers, strict=True):
        assert_allclose(compiled, plain, rtol=0, atol=1e-10, equal_nan=True)


A, B = cylinder(1000, 10, 4), cylinder(500, 5, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Axon(sections=[A, B], parents=[None]), "one parent for each of the 2 sections, got 1"),
        (lambda: Axon(sections=[A, B], parents=[None, 1]), "parent of section 1 must be None or .* got 1"),
        (lambda: Axon(sections=[A, B], parents=[None, "0"]), "got '0'"),
        (lambda: Axon(length=10, diameter=1, membrane=HH, parents=[None]), "belongs to sections"),
        (lambda: Axon(sections=[A, B, B], parents=[None, 0, 0], ring=True), "ring cannot branch"),
        (lambda: Axon(sections=[A], ends=("sealed",)), "must be two"),
        (lambda: Axon(sections=[A], ends="open"), "must be two"),
        (lambda: Axon(sections=[A], ends=("sealed", "opne")), "opne.*did you mean.*open"),
        (lambda: Axon(sections=[A], ends=("sealed", 3)), "got 3"),
        (lambda: Axon(sections=[A], ring=True, ends=("open", "open")), "ring has no ends"),
        (lambda: End(conductance=-1.0), "End.conductance must be >= 0"),
        (
            lambda: Axon(sections=[A, A], parents=[None, None], ends=("open", "sealed")).compartments(),
            "x = 0",
        ),
        (lambda: Pulse(amplitude=1, duration=1, at=(0.5, 1)), "Pulse.at must be a distance"),
        (lambda: Pulse(amplitude=1, duration=1, at=(0, -1)), "Pulse.at must be >= 0"),
        (
            lambda: simulate(Axon(sections=[A, B]), Pulse(amplitude=1, duration=1, at=(2, 1)), duration=1),
            "must lie on one of the 2 sections",
        ),
        (
            lambda: simulate(Axon(sections=[A, B, B], parents=[None, 0, 0]), duration=1, order=4),
            "order must be 2 on an axon that branches",
        ),
        (
            lambda: simulate(
                Axon(sections=[A, B, B], parents=[None, 0, 0]), duration=1, noise="markov", seed=1
            ),
            "not available on a ring, on a tree",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_a_synapse_on_a_branch_depolarises_that_branch_most() -> None:
    tree = Axon(
        sections=[cylinder(1000, 10, 10), cylinder(500, 5, 5), cylinder(500, 5, 5)], parents=[None, 0, 0]
    )
    synapse = Synapse(conductance=1e-3, reversal=0, onset=0.1, tau=0.5, at=(2, 450))
    run = simulate(tree, synapse, duration=1, dt=0.01)
    assert run.voltage is not None
    rise = run.voltage.max(axis=0) - run.voltage[0]
    assert np.argmax(rise) == run.at((2, 450)) and rise.max() > 0.1
    assert_array_equal(np.argsort(rise[15:]), np.arange(5))


def test_a_run_seen_along_one_way_is_that_branch_alone() -> None:
    tree = Axon(
        sections=[cylinder(1000, 30, 6), cylinder(500, 20, 4), cylinder(800, 20, 5)], parents=[None, 0, 0]
    )
    run = simulate(tree, Pulse(amplitude=500, duration=0.2), duration=2, dt=0.01, record=EVERYTHING)
    assert run.voltage is not None
    for branch, columns in ((None, np.arange(10)), (2, np.r_[0:6, 10:15])):
        seen = run.along(branch)
        assert_array_equal(seen.voltage, run.voltage[:, columns])
        assert_array_equal(seen.gates["n"], run.gates["n"][:, columns])
        assert (np.diff(seen.position) > 0).all()
        assert_array_equal(seen.record.indices(seen.compartments), columns)
        assert seen.along(branch) is seen
    straight = simulate(Axon(sections=[A, B]), duration=0.1)
    assert straight.along() is straight


# What looks at a run of a tree

FORKED = Axon(
    sections=[
        cylinder(6000, 100, 24),
        cylinder(5000, 63, 25),
        cylinder(4000, 40, 25),
        cylinder(8000, 63, 40),
    ],
    parents=[None, 0, 1, 0],
)


@pytest.fixture(scope="module")
def forked() -> Run:
    return simulate(FORKED, suprathreshold_pulse(FORKED), duration=4, dt=0.01, record=Record(gates=True))


def test_the_file_says_on_which_section_a_position_lies(forked: Run, tmp_path: Path) -> None:
    forked.save(tmp_path / "tree.h5")
    with xarray.open_dataset(tmp_path / "tree.h5", engine="h5netcdf") as stored:
        assert_array_equal(stored["section"], np.repeat([0, 1, 2, 3], [24, 25, 25, 40]))
        assert stored["section"].dims == ("position",)
        assert stored["section"].attrs["units"] == "1" and "section" in stored["section"].attrs["long_name"]
    again = load(tmp_path / "tree.h5")
    assert again == forked
    assert_array_equal(again.section, forked.section)
    straight = simulate(Axon(sections=[A]), duration=0.1)
    straight.save(tmp_path / "straight.h5")
    assert "section" not in contents(tmp_path / "straight.h5")[0]


def test_a_tree_written_while_it_runs_is_the_tree_kept_in_memory(forked: Run, tmp_path: Path) -> None:
    streamed = simulate(
        FORKED, forked.stimuli, duration=4, dt=0.01, record=forked.record, to=tmp_path / "a.h5"
    )
    assert_array_equal(streamed.voltage, forked.voltage)
    assert_array_equal(streamed.section, forked.section)


def test_one_way_seen_stays_that_way(forked: Run) -> None:
    for section, ends in ((2, [0, 1, 2]), (3, [0, 3])):
        seen = forked.along(section)
        assert sorted(set(seen.section)) == ends
        assert seen.along() is seen
        assert np.all(np.diff(seen.position) > 0)
    assert sorted(set(forked.along().section)) == [0, 1, 2]


def test_phases_and_wake_are_those_of_the_branch_asked_for(forked: Run) -> None:
    thin, wide = (phases(forked, at=(section, 2500.0)) for section in (2, 3))
    assert thin.position == pytest.approx(13_500, abs=100) and wide.position == pytest.approx(8500, abs=110)
    assert thin.shape.peak_time == pytest.approx(
        forked.arrivals()[forked.recorded[forked.at((2, 2500.0))]], abs=0.3
    )
    assert phases(forked, at=8500.0).position == pytest.approx(8500, abs=100)  # along the first branch
    with pytest.raises(ValueError, match="at must lie on one of the 4 sections"):
        phases(forked, at=(4, 1.0))
    wake = forked.wake()
    assert wake.absolute.shape == forked.voltage.shape  # type: ignore[union-attr]
    assert wake.absolute.any(axis=0).all()


def test_velocity_differs_between_the_branches(forked: Run) -> None:
    inside = (
        forked.velocity(along=2, between=(11_500, 14_000)),
        forked.velocity(along=3, between=(8000, 12_000)),
    )
    assert inside[1].value / inside[0].value == pytest.approx(math.sqrt(63 / 40), rel=0.02)
    middle, speed = forked.local_velocity(along=3)
    assert speed[np.argmin(np.abs(middle - 10_000))] == pytest.approx(inside[1].value, rel=0.02)


def test_velocity_of_a_tree_is_measured_with_its_error() -> None:
    tree = Axon(
        sections=[
            Section(length, d, HH, celsius=18.5) for length, d in ((12_000, 100), (3000, 50), (3000, 50))
        ],
        parents=[None, 0, 0],
    )
    found = measure_velocity(tree, between=(4000, 9000), dt=0.01, progress=False)
    assert found.order == 2 and found.legitimate
    straight = measure_velocity(
        Axon(length=15_000, diameter=100, membrane=HH, celsius=18.5), between=(4000, 9000), progress=False
    )
    assert float(found) == pytest.approx(float(straight), rel=1e-3)


def test_inspect_says_that_an_axon_branches(forked: Run) -> None:
    text = "\n".join(lines(forked))
    assert "a tree of 4 sections with 2 ends" in text and "after section 0" in text


def test_pictures_show_the_way_asked_for(forked: Run, tmp_path: Path) -> None:
    axes = plot_kymograph(forked.along(3))
    assert axes.images[0].get_array().shape[1] == 64
    assert plot_traces(forked, at=[14_500.0]).lines[0].get_ydata().max() > 0
    assert view(forked.along(3), tmp_path / "tree.html", progress=False).stat().st_size > 1000
    animate([forked.along(2), forked.along(3)], tmp_path / "ways.gif", duration_s=0.2, progress=False)


def test_a_way_that_is_shown_is_measured_and_drawn_to_its_own_end(forked: Run) -> None:
    seen = forked.along(3)
    assert seen.velocity() == forked.velocity(along=3)
    assert seen.velocity() != forked.velocity()
    assert plot_kymograph(seen).get_xlim() == (0.0, 14.0)  # mm
    assert plot_kymograph(forked).get_xlim() == (0.0, 15.0)
    elsewhere = simulate(
        FORKED,
        Pulse(amplitude=2000, duration=0.2, at=(3, 7900.0)),
        duration=0.5,
        dt=0.01,
        record=Record(currents=True),
    )
    assert [len(list(stimulated(elsewhere.along(section)))) for section in (2, 3)] == [0, 1]

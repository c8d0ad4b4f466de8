"""Published fibres: their velocity with its error bar, their dimensions, and one's own; `axon run mrg`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from axon import MeasuredVelocity, measure_velocity, myelinated
from axon.__main__ import main
from axon.fibres import FIBRES
from axon.job import default_dt

LIMIT = 56.23  # m/s, MRG of 10 um at 37 degC: NEURON's `extracellular` extrapolated to dt -> 0


# Velocity


def measured(diameter: float, **how: float) -> MeasuredVelocity:
    found = measure_velocity(myelinated(diameter), progress=False, **how)  # type: ignore[arg-type]
    assert isinstance(found, MeasuredVelocity)
    return found


def test_velocity_is_right_at_the_customary_step() -> None:
    # Backward Euler is 9 % slow there.
    found = measured(10, dt=0.005)
    assert found.legitimate and abs(found.value - LIMIT) < found.error < 0.005 * LIMIT
    assert_allclose(found.value, LIMIT, rtol=0.005)


def test_velocity_has_an_error_bar_and_leaves_the_published_mesh_alone() -> None:
    found = measured(10)
    assert_allclose(found.value, LIMIT, rtol=5e-4)
    assert found.error < 1e-5 * LIMIT
    assert_allclose(found.step_order, 2.0, rtol=0, atol=0.1)
    assert found.dx is None and found.mesh_error == 0
    assert "mesh the model's own" in str(found) and "in dx" not in str(found)


def test_a_mesh_asked_for_is_extrapolated_too() -> None:
    found = measured(10, dt=0.005, dx=6.0)
    assert found.dx == 6.0 and {dx for _, dx, _ in found.runs} == {6.0, 12.0, 24.0}
    assert found.mesh_error > 0 and "in dx" in str(found)


def test_accuracy_asked_for_is_reached() -> None:
    found = measured(10, accuracy=1e-3)
    assert abs(found.value - measured(10).value) < found.error < 1e-3 * LIMIT


@pytest.mark.parametrize("model", sorted(FIBRES))
def test_default_step_is_within_half_a_percent_of_the_limit(model: str) -> None:
    fibre = myelinated(10, model, nodes=31)
    found = measure_velocity(fibre, progress=False)
    assert isinstance(found, MeasuredVelocity) and found.legitimate
    dt, _, finest = found.runs[0]
    assert dt == default_dt(fibre)
    assert_allclose(finest, found.value, rtol=0.005)


# The command


def test_run_mrg_and_velocity_print_56(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "mrg.h5")
    assert main(["run", "mrg", "--diameter", "10", "-o", file, "--quiet"]) == 0
    assert main(["velocity", file]) == 0
    assert_allclose(float(capsys.readouterr().out.splitlines()[-1].split()[0]), LIMIT, rtol=1e-3)
    assert main(["velocity", file, "--error", "--quiet", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert_allclose(facts["value"], LIMIT, rtol=5e-4)
    assert facts["dx"] is None and facts["mesh_order"] is None


def test_run_takes_nodes_and_temperature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "a.h5")
    assert main(["run", "mrg", "--nodes", "7", "--celsius", "30", "-o", file, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["inspect", file, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["axon"]["compartments"] == 6 * 11 + 1
    assert facts["axon"]["sections"][0]["celsius"] == 30
    assert facts["numerics"]["duration"] == pytest.approx(1.35)


def test_name_of_fibre_and_membrane_is_the_fibre_unless_length_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, compartments = str(tmp_path / "a.h5"), []
    for options in ([], ["--length", "5000", "--celsius", "37"]):
        assert main(["run", "sweeney", *options, "--duration", "0.1", "-o", file, "--quiet"]) == 0
        capsys.readouterr()
        assert main(["inspect", file, "--json"]) == 0
        compartments.append(len(json.loads(capsys.readouterr().out)["axon"]["sections"]))
    assert compartments == [81, 1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("mrg --length 5000", "--length says nothing of the myelinated fibre mrg, which takes --diameter, "),
        ("mrg --axial-resistivity 70", "--axial-resistivity says nothing of the myelinated fibre mrg"),
        ("sundt --nodes 4", "--nodes says nothing of a uniform axon of sundt, which takes --length, "),
        ("mrg --nodes 1", "nodes must be a whole number >= 2, got 1"),
        ("mrg --diameter 40", "diameter must be 1 to 16 um for an MRG fibre, got 40"),
        ("mgr", "unknown model 'mgr'; did you mean 'mrg'"),
    ],
)
def test_what_does_not_apply_is_refused_in_one_line(
    options: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *options.split(), "-o", str(tmp_path / "a.h5")]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []

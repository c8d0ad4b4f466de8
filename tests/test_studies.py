"""Every study finds what it expects, writes what it promises; committed results are whole and small."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from axon.study import comparisons

ROOT = Path(__file__).resolve().parent.parent
STUDIES = {
    path.stem: path for path in sorted((ROOT / "studies").glob("*.py")) if not path.stem.startswith("_")
}
# Measures how fast this machine is, for minutes: no claim a test could hold. CI runs its quick version.
TIMED = {"benchmark", "sweep_speed"}
TESTED = sorted(STUDIES.keys() - TIMED)
LARGEST = 1_000_000  # bytes of a committed file

every_study = pytest.mark.parametrize("name", TESTED)


@dataclass
class Trial:
    """What ``python studies/<name>.py --quick --out FOLDER`` gave."""

    folder: Path
    printed: str
    answer: dict[str, Any]


def snapshot(folder: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of change of every file below a folder."""
    return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}


def load_study(name: str) -> Any:
    """A study as a module; beside it stand the modules it may share with others."""
    spec = importlib.util.spec_from_file_location(f"study_{name}", STUDIES[name])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(STUDIES[name].parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(STUDIES[name].parent))
    return module


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Runs each study once, in a quick version, when it is first asked for."""
    done: dict[str, Trial] = {}

    def trial(name: str) -> Trial:
        if name not in done:
            folder = tmp_path_factory.mktemp(name) / "results"
            before, printed = snapshot(ROOT / "results" / name), io.StringIO()
            with contextlib.redirect_stdout(printed):
                load_study(name).main(["--quick", "--out", str(folder)])
            assert snapshot(ROOT / "results" / name) == before, "a study with --out wrote to results/"
            answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
            done[name] = Trial(folder, printed.getvalue(), answer)
        return done[name]

    yield trial


@every_study
def test_docstring_states_question_and_expected_answer_before_the_code(name: str) -> None:
    docstring = ast.get_docstring(ast.parse(STUDIES[name].read_text(encoding="utf-8"))) or ""
    assert docstring.split("\n")[0].endswith("?")
    for part in ("Theory", "Expected"):
        assert part in docstring


@every_study
def test_study_finds_what_it_expects(name: str, trials: Any) -> None:
    answer = trials(name).answer
    judged = {label: entry for label, entry in comparisons(answer) if "agrees" in entry}
    assert answer["quick"] is True
    assert judged, "a study compares at least one number with an expected one"
    assert {label: entry for label, entry in judged.items() if not entry["agrees"]} == {}


@every_study
def test_study_writes_its_files_and_prints_its_answer(name: str, trials: Any) -> None:
    trial = trials(name)
    with Image.open(trial.folder / "figure.png") as picture:
        assert min(picture.size) > 200
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20, "an empty picture"
    words = trial.answer["answer"]
    assert trial.printed.rstrip().endswith(words if isinstance(words, str) else words[-1])
    assert {path.suffix for path in trial.folder.iterdir()} <= {".json", ".png", ".gif", ".html", ".h5"}


@every_study
def test_committed_results_are_whole_and_small(name: str) -> None:
    folder = ROOT / "results" / name
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    assert all(entry.get("agrees", True) for _, entry in comparisons(answer))
    assert (folder / "figure.png").is_file()
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.suffix != ".h5"}
    assert max(sizes.values()) < LARGEST, sizes


def test_study_runs_as_a_script_from_anywhere(tmp_path: Path) -> None:
    command = [sys.executable, str(STUDIES["propagation"]), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert "--quick" in done.stdout and "--out" in done.stdout


# What the issue asks of these three, beside what they ask of themselves


def test_propagation_reaches_the_velocity_of_1952_and_of_the_travelling_wave(trials: Any) -> None:
    trial = trials("propagation")
    answer = trial.answer
    assert answer["velocity"]["value"] == pytest.approx(18.7319, rel=1e-3)
    exact = answer["velocity_extrapolated"]
    assert abs(exact["value"] - 18.7318882479) < exact["standard_error"] < 1e-5 * 18.73
    assert answer["velocity_other_leak"]["value"] == pytest.approx(18.7302, abs=1e-4)
    assert answer["velocity"]["value"] == pytest.approx(18.8, rel=0.005)  # HH 1952
    assert answer["K"]["value"] == pytest.approx(10.438, abs=1e-3)
    assert answer["overshoot_mV"] == pytest.approx(90.578 - 65, abs=0.05)
    assert answer["amplitude_mV"] == pytest.approx(90.575, abs=0.05)  # rest lies 3.6 uV above -65 mV
    with Image.open(trial.folder / "movie.gif") as film:
        assert film.n_frames >= 10  # type: ignore[attr-defined]


def test_propagation_keeps_a_run_whose_stored_velocity_is_the_measured_one(trials: Any) -> None:
    import h5py

    import axon

    trial = trials("propagation")
    with h5py.File(trial.folder / "run.h5") as file:
        stored = float(file["velocity"][()])
    assert stored == axon.load(trial.folder / "run.h5").velocity().value
    assert stored == pytest.approx(trial.answer["velocity"]["value"], rel=1e-9, abs=0)


def test_velocity_follows_the_root_of_diameter_and_ends_at_the_heat_block(trials: Any) -> None:
    answer = trials("velocity_vs_diameter").answer
    assert answer["exponent_of_diameter"]["value"] == pytest.approx(0.5, abs=1e-6)
    assert answer["exponent_of_axial_resistivity"]["value"] == pytest.approx(-0.5, abs=1e-6)
    diameter = np.array(answer["diameter_um"])
    assert diameter[0] == 1 and diameter[-1] == 1000
    theta = 18.7318882479 * np.sqrt(diameter / 476)
    np.testing.assert_allclose(answer["velocity_over_diameter_m_per_s"], theta, rtol=1e-3, atol=0)
    assert 33.6 < answer["heat_block_degC"]["value"] < 33.7
    assert 33.6 <= answer["hottest_that_propagates_degC"] < answer["coolest_that_fails_degC"] <= 33.8


def test_errors_vanish_with_the_orders_of_theory(trials: Any) -> None:
    answer = trials("convergence").answer
    assert answer["order_dt"]["value"] == pytest.approx(2, abs=0.1)
    assert answer["order_dx"]["value"] == pytest.approx(2, abs=0.1)
    assert answer["order_dx_compact"]["value"] == pytest.approx(4, abs=0.2)
    assert answer["order_dt_order_4"]["value"] == pytest.approx(3, abs=0.1)
    # An order can be had at any error; these levels: from other Crank-Nicolson solvers
    by_dt = dict(zip(answer["dt_ms"], answer["error_dt_order_2"], strict=True))
    assert by_dt[0.00125] == pytest.approx(-1.9e-5, rel=0.1)
    by_dt = dict(zip(answer["dt_ms"], answer["error_dt_order_4"], strict=True))
    assert max(abs(by_dt[dt]) for dt in (0.01, 0.005, 0.0025, 0.00125)) < 3e-5
    by_dx = dict(zip(answer["dx_um"], answer["error_dx_order_4"], strict=True))
    assert by_dx[1250.0] == pytest.approx(-5.3e-4, rel=0.1)
    for row in answer["choices"]:
        assert abs(row["error"]["value"]) <= row["target"]

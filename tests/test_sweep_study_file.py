"""Study files and the command line of sweeps: read, refused, run, stopped, inspected, drawn."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import axon
from axon.__main__ import main

VELOCITY = """
question = "velocity"
[axon]
model = "hodgkin-huxley"
axial_resistivity = 35.4
celsius = 18.5
[over]
diameter = { from = 119, to = 476, points = 3, scale = "log" }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str) -> str:
    path = folder / "study.toml"
    path.write_text(text)
    return str(path)


def test_study_file_and_python_are_the_same_object(folder: Path) -> None:
    read = axon.read_study(written(folder, VELOCITY))
    made = axon.Study(
        "velocity",
        axon={"model": "hodgkin-huxley", "axial_resistivity": 35.4, "celsius": 18.5},
        over={"diameter": {"from": 119, "to": 476, "points": 3, "scale": "log"}},
    )
    assert read == made
    squid = axon.Axon(
        length=1e5, diameter=1, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4, celsius=18.5
    )
    found = read.run(progress=False)
    assert found["diameter"].tolist() == [119.0, 238.0, 476.0]
    by_hand = axon.sweep("velocity", {"diameter": [119, 238, 476]}, axon=squid, progress=False)
    np.testing.assert_array_equal(found["velocity"], by_hand["velocity"])


def test_command_runs_inspects_and_draws_a_study(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = written(folder, VELOCITY)
    assert main(["sweep", study, "-o", "a.h5", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["points"] == facts["computed"] == 3 and facts["failed"] == 0
    assert main(["sweep", study, "-o", "a.h5"]) == 0
    assert "computed" not in capsys.readouterr().out  # it was all there
    assert main(["inspect", "a.h5"]) == 0
    said = capsys.readouterr().out
    assert "velocity at 3 points" in said and "119 to 476 um" in said
    assert main(["plot", "a.h5", "-o", "a.png"]) == 0
    with Image.open("a.png") as page:
        assert page.size[0] > 300


def test_names_with_dots_and_settings_of_the_question(folder: Path) -> None:
    text = """
        question = "threshold"
        [axon]
        accuracy = 0.02
        pulse_duration = 0.5
        [over]
        Na.conductance = [0.12, 0.18]
        celsius = [18.5]
    """
    found = axon.read_study(written(folder, text)).run(progress=False)
    assert found["threshold"][1] < found["threshold"][0]
    assert found.fixed == {"accuracy": 0.02, "pulse_duration": 0.5}


def test_stimulus_and_fibre_have_their_place(folder: Path) -> None:
    text = """
        question = "block"
        [axon]
        fibre = "mrg"
        nodes = 21
        dt = 0.005
        [stimulus]
        duration = 0.1
        [over]
        diameter = [10.0]
        amplitude = [0.05, 5.0]
    """
    found = axon.read_study(written(folder, text)).run(progress=False)
    assert found["conducts"].tolist() == [0.0, 1.0]
    assert found.fixed == {"nodes": 21, "dt": 0.005, "pulse_duration": 0.1}


@pytest.mark.parametrize(
    ("plan", "points"),
    [
        ('kind = "random"\npoints = 5\nseed = 2', 5),
        ('kind = "latin_hypercube"\npoints = 6', 6),
        ('kind = "sobol"\npoints = 8', 8),
        ('kind = "boundary"\nalong = "celsius"\naccuracy = 0.1', 2),
    ],
)
def test_every_kind_of_plan_can_be_written_down(folder: Path, plan: str, points: int) -> None:
    over = "[over]\ncelsius = { from = 20, to = 40 }\n"
    study = axon.read_study(written(folder, f'question = "block"\n{over}[plan]\n{plan}\n'))
    assert len(study.points().points()) == points


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("question = ", "is no TOML"),
        ("[over]\ndiameter = [1]\n", "question is missing"),
        ('question = "velocty"\n[over]\ndiameter = [1]\n', "did you mean 'velocity'"),
        ('question = "velocity"\n[ovr]\ndiameter = [1]\n', "did you mean 'over'"),
        ('question = "velocity"\nover = 3\n', "over must be a table"),
        ('question = "velocity"\n[stimulus]\namplitud = 3\n', "did you mean 'amplitude'"),
        ('question = "velocity"\n[axon]\nfibre = "mrg"\nnods = 3\n[over]\ndiameter = [9]\n', "'nodes'"),
        ('question = "velocity"\n[axon]\nfibre = "mrg"\n[plan]\nkind = "sensitivity"\n', "a fibre"),
        ('question = "velocity"\n', "at least one parameter"),
        (
            'question = "velocity"\n[over]\ndiameter = { from = 0, to = 9, points = 3, scale = "log" }\n',
            r"diameter: Span.low must be > 0",
        ),
        ('question = "velocity"\n[over]\ndiametr = [1]\n', "did you mean 'diameter'"),
        ('question = "velocity"\n[over]\ndiameter = 3\n', "list of values"),
        ('question = "velocity"\n[over]\ndiameter = { from = 1 }\n', "needs from and to"),
        ('question = "velocity"\n[over]\ndiameter = { from = 1, to = 2 }\n', "needs points"),
        (
            'question = "velocity"\n[over]\ndiameter = { from = 1, to = 2, pionts = 3 }\n',
            "did you mean 'points'",
        ),
        ('question = "velocity"\n[axon]\nmodel = "hogkin"\n[over]\ndiameter = [1]\n', "did you mean"),
        ('question = "velocity"\n[axon]\nlenght = 3\n[over]\ndiameter = [1]\n', "did you mean 'length'"),
        ('question = "velocity"\n[axon]\ncelsius = "warm"\n[over]\ndiameter = [1]\n', "'warm'"),
        ('question = "velocity"\n[over]\ndiameter = [1]\n[plan]\nkind = "gird"\n', "did you mean 'grid'"),
        ('question = "velocity"\n[over]\ndiameter = [1]\n[plan]\npoints = 3\n', "option of a grid plan"),
        ('question = "velocity"\n[over]\ndiameter = [1, 2]\n[plan]\nkind = "sobol"\n', "needs points"),
        ('question = "block"\n[over]\ndiameter = [1, 2]\n[plan]\nkind = "boundary"\n', "needs along"),
        ('question = "velocity"\n[over]\ndiameter = [1]\n[plan]\nkind = "sensitivity"\n', "leave [over] out"),
    ],
)
def test_study_that_cannot_be_meant_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    assert main(["sweep", written(folder, text), "-o", "out.h5"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("axon: ") and error.count("\n") == 1
    assert words in error and "study.toml" in error
    assert not (folder / "out.h5").exists()


def test_missing_study_and_missing_folder_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "none.toml", "-o", "a.h5"]) == 2
    assert "none.toml: No such file" in capsys.readouterr().err
    assert main(["sweep", written(folder, VELOCITY), "-o", "no/a.h5"]) == 2
    assert "there is no folder no" in capsys.readouterr().err


def test_interrupted_command_keeps_a_good_file_and_goes_on(folder: Path) -> None:
    study = written(folder, VELOCITY.replace("points = 3", "points = 3000"))
    command = [sys.executable, "-m", "axon", "sweep", study, "-o", "a.h5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while not Path("a.h5").exists():
            time.sleep(0.02)
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 130
    kept = axon.load_sweep("a.h5")
    assert 0 < len(kept) < 3000 and not kept.complete and not kept.failed.any()
    assert main(["inspect", "a.h5"]) == 0


def test_sensitivity_can_be_asked_for_in_a_study_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = 'question = "velocity"\n[axon]\ncelsius = 18.5\n[plan]\nkind = "sensitivity"\n'
    assert main(["sweep", written(folder, study), "-o", "a.h5", "--quiet"]) == 0
    assert main(["plot", "a.h5", "-o", "a.png"]) == 0
    assert main(["inspect", "a.h5"]) == 0
    assert "diameter             +0.5000" in capsys.readouterr().out

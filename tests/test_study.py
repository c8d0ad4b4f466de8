"""What studies share: compared numbers, the command line, the files and the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axon.study import Answer, compared, comparisons, conduct, table

QUESTION = "How long is a piece of string?\n\nAs long as expected."


def measure(quick: bool = False) -> Answer:
    length = compared(2.001, 2.0, "m", tolerance=0.01, standard_error=0.002, source="a ruler")
    return {"length": length, "samples_m": np.arange(2 if quick else 4) / 3, "answer": "2 m"}


def script(tmp_path: Path) -> str:
    (tmp_path / "studies").mkdir()
    return str(tmp_path / "studies" / "string.py")


def note(answer: Answer, path: Path) -> None:
    path.write_text(f"{len(answer['samples_m'])} samples")


def test_results_go_beside_the_studies_folder_by_the_name_of_the_study(tmp_path: Path) -> None:
    conduct(script(tmp_path), QUESTION, measure, {"note.txt": note}, [])
    folder = tmp_path / "results" / "string"
    answer = json.loads((folder / "answer.json").read_text())
    assert (answer["study"], answer["quick"]) == ("string", False)
    assert answer["samples_m"] == [0.0, 0.3333333333, 0.6666666667, 1.0]
    assert (folder / "note.txt").read_text() == "4 samples"


def test_quick_and_out_are_obeyed(tmp_path: Path) -> None:
    printed = conduct(
        script(tmp_path),
        QUESTION,
        measure,
        {"note.txt": note},
        ["--quick", "--out", str(tmp_path / "a" / "b")],
    )
    assert (tmp_path / "a" / "b" / "note.txt").read_text() == "2 samples"
    assert not (tmp_path / "results").exists()
    assert printed.endswith("answer: 2 m")


def test_folder_that_cannot_be_made_is_one_line_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    def never(quick: bool = False) -> Answer:
        raise AssertionError("ran")

    with pytest.raises(SystemExit) as end:
        conduct(script(tmp_path), QUESTION, never, {}, ["--out", str(tmp_path / "file" / "b")])
    assert end.value.code == 2
    assert capsys.readouterr().err.strip().endswith("Not a directory")


def test_help_names_the_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        conduct(script(tmp_path), QUESTION, measure, {}, ["--help"])
    assert "How long is a piece of string?" in capsys.readouterr().out


def test_number_that_is_not_one_is_refused(tmp_path: Path) -> None:
    def lost(quick: bool = False) -> Answer:
        return {"length_m": float("nan"), "answer": "lost"}

    with pytest.raises(ValueError, match="nan"):
        conduct(script(tmp_path), QUESTION, lost, {}, [])
    assert not (tmp_path / "results" / "string" / "answer.json").exists()


def test_compared_numbers_tell_their_difference() -> None:
    entry = compared(9.0, 10.0, "mV", tolerance=2.0, source="theory")
    assert (entry["difference"], entry["relative_difference"], entry["agrees"]) == (-1.0, -0.1, True)
    assert compared(9.0, 10.0, "mV", tolerance=0.5, source="theory")["agrees"] is False


def test_agreement_is_not_judged_without_a_tolerance() -> None:
    entry = compared(9.0, 0.0, "mV", source="theory")
    assert "agrees" not in entry and "relative_difference" not in entry


def test_comparisons_are_found_at_any_depth() -> None:
    one = compared(1.0, 1.0, "1", source="")
    answer: dict[str, Any] = {"a": one, "b": {"c": one}, "d": [{"e": one}], "f": 1.0}
    assert [name for name, _ in comparisons(answer)] == ["a", "b.c", "d[0].e"]


def test_table_has_a_row_per_number_and_says_which_differ() -> None:
    wrong = compared(18.7, 21.2, "m/s", tolerance=0.1, source="HH 1952")
    far = compared(1.0, 1.0, "1", source="a list")
    text = table({"velocity_measured": wrong, "rows": [far], "answer": ["one", "two"]})
    row = next(line for line in text.splitlines() if "velocity" in line)
    words = "velocity measured 18.7 m/s 21.2 -2.5 (-12 %) DIFFERS HH 1952"
    assert row.replace("18.700", "18.7").replace("21.200", "21.2").split() == words.split()
    assert "a list" not in text
    assert text.endswith("one\ntwo")


def test_table_shows_digits_enough_to_see_the_difference() -> None:
    close = compared(18.7318882, 18.7318881, "m/s", tolerance=1.0, standard_error=2e-6, source="wave")
    text = table({"velocity": close, "answer": ""})
    assert "18.73188820 ± 2e-06 m/s" in text and "18.73188810" in text

"""README's Python, as it stands there and in its order, and the commands of its shell block."""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import pytest

import axon
from axon.__main__ import main

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|bash|toml)\n(.*?)```", README, re.DOTALL)
ELSEWHERE = "mpi4py", "dask_jobqueue"  # for many machines
FOUND = 1  # exit code of `axon diff` where two runs differ


def square(x: float) -> float:
    return x * x


def test_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        client = SimpleNamespace(get_executor=lambda: executor)
        session = {"axon": axon, "my_function": square, "dask_client": client}
        for kind, text in BLOCKS:
            if kind == "python" and not any(word in text for word in ELSEWHERE):
                exec(compile(text, "README.md", "exec"), session)
    for name in ("squid.h5", "squid.gif", "map.h5", "branch.png"):
        assert (tmp_path / name).stat().st_size > 1000


def test_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (study,) = (text for kind, text in BLOCKS if kind == "toml")
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    (shell,) = (text for kind, text in BLOCKS if kind == "bash" and text.startswith("axon "))
    for line in shell.splitlines():
        axon_, *words = (word for word in shlex.split(line, comments=True) if word != "--open")
        assert axon_ == "axon"
        if words != ["study"]:  # which looks for a checkout in the working folder
            assert main(words) == (FOUND if words[0] == "diff" else 0), line

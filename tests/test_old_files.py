"""Files written by every released version of the format keep opening."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray

import axon

FILES = sorted((Path(__file__).parent / "data").glob("run_v*.h5"))


def test_there_is_a_file_of_every_version():
    from axon.storage import FORMAT_VERSION

    assert [path.name for path in FILES] == [f"run_v{n}.h5" for n in range(1, FORMAT_VERSION + 1)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_old_run_opens_with_everything_in_it(path):
    run = axon.load(path)
    assert run.complete
    assert [section.length for section in run.axon.sections] == [3000, 1000]
    assert run.axon.sections[1].membrane == axon.passive()
    assert [type(stimulus).__name__ for stimulus in run.stimuli] == ["Pulse", "Clamp"]
    assert run.voltage.shape == (len(run.time), len(run.position)) == (21, 20)
    assert set(run.gates) == {"m", "h", "n"}
    assert set(run.currents) == {"Na"}
    # the clamp held -65 mV at the far end from 1.0 to 1.5 ms
    held = run.voltage[(run.time >= 1.0) & (run.time < 1.5), run.at(3900)]
    np.testing.assert_array_equal(held, -65.0)
    assert len(run.spike_time) == 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_old_run_goes_through_a_file_of_today_unchanged(path, tmp_path):
    run = axon.load(path)
    run.save(tmp_path / "today.h5")
    assert axon.load(tmp_path / "today.h5") == run


@pytest.mark.parametrize("path", FILES[1:], ids=lambda path: path.stem)
def test_old_run_goes_on_from_its_checkpoints(path):
    run = axon.load(path)
    assert len(run.checkpoints["step"]) > 2
    later = axon.resume(run, until=run.numerics["duration"] + 0.5, progress=False)
    np.testing.assert_array_equal(later.voltage[: len(run.time) - 1], run.voltage[:-1])
    assert np.isfinite(later.voltage).all()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_old_run_opens_in_xarray_with_labelled_axes(path):
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data["voltage"].dims == ("time", "position")
        assert data["voltage"].attrs["units"] == "mV"

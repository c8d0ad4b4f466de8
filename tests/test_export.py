"""Runs in formats of others hold the very numbers, under names and units that their readers know."""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray

import axon
from axon import Axon, Pulse, Record
from axon.__main__ import main
from axon.membranes import model
from axon.protocols.space_clamp import space_clamp
from axon.record import Every

SQUID = Axon(length=5_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
RUN = axon.simulate(
    SQUID,
    Pulse(amplitude=60_000, start=0.1, duration=0.2),
    duration=1,
    dt=0.01,
    dx=500,
    record=Record(gates=("m",), currents=("Na",)),
    progress=False,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    RUN.save(tmp_path / "run.h5")
    return tmp_path / "run.h5"


def test_csv_tables_hold_every_value(path: Path) -> None:
    assert main(["export", str(path), "--to", "csv"]) == 0
    folder = path.with_name("run_csv")
    names = {file.name for file in folder.iterdir()}
    assert names == {"voltage.csv", "gates_m.csv", "currents_Na.csv", "spikes.csv", "model.json"}
    with open(folder / "voltage.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:2] == ["time (ms)", "250 um"]
    table = np.array(rows, float)
    np.testing.assert_array_equal(table[:, 0], RUN.time)
    np.testing.assert_array_equal(table[:, 1:], RUN.voltage)
    with open(folder / "spikes.csv", newline="") as file:
        header, *rows = csv.reader(file)
    np.testing.assert_array_equal(np.array(rows, float)[:, 0], RUN.spike_time)


def test_zarr_opens_in_xarray_with_labelled_axes(path: Path) -> None:
    pytest.importorskip("zarr", reason="zarr is not installed: pip install 'axon[export]'")
    assert main(["export", str(path), "--to", "zarr"]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries
        data = xarray.open_zarr(path.with_suffix(".zarr"), consolidated=False)
    assert data.voltage.dims == ("time", "position") and data.voltage.attrs["units"] == "mV"
    np.testing.assert_array_equal(data.voltage.values, RUN.voltage)
    np.testing.assert_array_equal(data.gates_m.values, RUN.gates["m"])
    np.testing.assert_array_equal(data.spikes_time.values, RUN.spike_time)


def test_nwb_holds_series_in_seconds_and_spikes_by_compartment(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries
        pynwb = pytest.importorskip("pynwb", reason="pynwb is not installed: pip install 'axon[export]'")
        assert main(["export", str(path), "--to", "nwb"]) == 0
        with pynwb.NWBHDF5IO(str(path.with_suffix(".nwb")), "r") as stream:
            file = stream.read()
            series = file.acquisition["voltage"]
            assert (series.unit, series.conversion) == ("volts", 1e-3)
            np.testing.assert_array_equal(series.data[:], RUN.voltage)
            np.testing.assert_array_equal(series.timestamps[:], RUN.time * 1e-3)
            assert len(file.units) == len(np.unique(RUN.spike_compartment))
            assert file.units["spike_times"][0][0] == RUN.arrivals()[0] * 1e-3
            assert file.units["position"][0] == RUN.compartments.position[0]


def test_what_has_times_of_its_own_keeps_them_and_every_unit_is_named(tmp_path: Path) -> None:
    patch = space_clamp(model("schild_1994"), celsius=37.0)
    record = Record(voltage=Every(0.1, envelope=True), currents=Every(0.25), concentrations=True, every=0.1)
    run = axon.simulate(patch, [], duration=1, dt=0.01, record=record, progress=False)
    own = [0.0, 0.25, 0.5, 0.75, 1.0]
    (name,) = [name for name in run.beside if name.startswith("currents/")][:1]
    axon.export_run(run, tmp_path / "tables", to="csv")
    with open(tmp_path / "tables" / f"{name.replace('/', '_')}.csv", newline="") as file:
        assert [float(row[0]) for row in list(csv.reader(file))[1:]] == pytest.approx(own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries
        pynwb = pytest.importorskip("pynwb", reason="pynwb is not installed: pip install 'axon[export]'")
        axon.export_run(run, tmp_path / "run.nwb")
        with pynwb.NWBHDF5IO(str(tmp_path / "run.nwb"), "r") as stream:
            kept = stream.read().acquisition
            currents, lowest = kept[name.replace("/", "_")], kept["voltage_lowest"]
            assert currents.timestamps[:] == pytest.approx(1e-3 * np.array(own))
            assert (currents.unit, currents.conversion) == ("amperes per square metre", 10.0)
            assert (lowest.unit, lowest.conversion) == ("volts", 1e-3)
            pools = {one.unit for key, one in kept.items() if key.startswith("concentrations")}
            assert pools == {"moles per cubic metre"}


def test_exports_that_cannot_be_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="unknown format 'mat'"):
        axon.export_run(path, path.with_suffix(".mat"))
    path.with_suffix(".zarr").mkdir()
    with pytest.raises(axon.AxonError, match=r"run.zarr exists already; remove it, or give another name"):
        axon.export_run(path, path.with_suffix(".zarr"))
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(ImportError, match=r"needs pynwb; install it with: pip install 'axon\[export\]'"):
        axon.export_run(path, path.with_suffix(".nwb"))
    assert sorted(file.name for file in path.parent.iterdir()) == ["run.h5", "run.zarr"]

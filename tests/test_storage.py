"""Run files: bit for bit, readable by others, safe from kills and full disks, clear about what is wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray

from axon import storage
from axon.errors import AxonError, FileFormatError
from axon.storage import Dataset, disk, layout, writing

N_TIME, N_POSITION = 7, 5


def example(n_spikes: int = 4, n_time: int = N_TIME) -> dict[str, Dataset]:
    """A small run with everything a run file can hold."""
    random = np.random.default_rng(0)
    voltage = random.normal(size=(n_time, N_POSITION))
    voltage[n_time // 2, 1:3] = np.nan, -0.0
    spikes = random.uniform(size=n_spikes)
    return {
        "time": Dataset(np.arange(n_time) * 0.1, "ms", "time", ("time",)),
        "position": Dataset(np.arange(N_POSITION) * 100.0 + 50, "um", "position", ("position",)),
        "voltage": Dataset(voltage, "mV", "membrane potential", ("time", "position")),
        "gates/m": Dataset(voltage.astype(np.float32), "1", "gate m", ("time", "position")),
        "spikes/time": Dataset(spikes, "ms", "time of crossing", ("spike",)),
        "spikes/position": Dataset(spikes * 100, "um", "position of crossing", ("spike",)),
        "spikes/compartment": Dataset(np.arange(n_spikes), "1", "compartment that crossed", ("spike",)),
        "velocity": Dataset(18.73, "m/s", "velocity", (), {"direction": "orthodromic", "n_sites": 9}),
    }


ATTRS: dict[str, layout.Attribute] = {"model": '{"axon": "\\u00b5"}', "axon_version": "0.1.0", "dt": 0.005}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.h5"


# round trip


@pytest.mark.parametrize("n_spikes", [0, 1, 4])
def test_every_array_comes_back_bit_for_bit(path: Path, n_spikes: int) -> None:
    written = example(n_spikes)
    storage.write(path, written, ATTRS)
    found, _ = storage.read(path)
    assert set(found) == set(written)
    for name, dataset in written.items():
        wanted = np.asarray(dataset.values)
        assert found[name].dtype == wanted.dtype, name
        assert found[name].shape == wanted.shape, name
        assert found[name].tobytes() == wanted.tobytes(), name


def test_array_written_in_blocks_comes_back_bit_for_bit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "BLOCK", 2**18)
    voltage = np.random.default_rng(1).normal(size=(1001, 333))
    storage.write(path, {"voltage": Dataset(voltage, "mV", "potential", ("time", "position"))}, {})
    found, _ = storage.read(path)
    assert found["voltage"].tobytes() == voltage.tobytes()


def test_non_contiguous_array_comes_back(path: Path) -> None:
    voltage = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    storage.write(path, {"voltage": Dataset(voltage, "mV", "potential", ("time", "position"))}, {})
    np.testing.assert_array_equal(storage.read(path)[0]["voltage"], voltage)


def test_attributes_come_back_with_format_and_version(path: Path) -> None:
    long = "x" * 200_000  # beyond the 64 KiB of a plain HDF5 attribute
    storage.write(path, example(), {**ATTRS, "long": long, "yes": True, "n": 3})
    _, attrs = storage.read(path)
    assert attrs == {
        **ATTRS,
        "long": long,
        "yes": 1,
        "n": 3,
        "format": "axon-run",
        "format_version": layout.FORMAT_VERSION,
        "complete": True,
    }
    assert type(attrs["n"]) is int


def test_attributes_that_were_read_can_be_written_again(path: Path) -> None:
    storage.write(path, example(), {**ATTRS, "complete": False})
    _, attrs = storage.read(path)
    assert attrs["complete"] is False
    storage.write(path, example(), attrs)
    assert storage.read(path)[1] == attrs


def test_read_can_be_limited_to_some_datasets(path: Path) -> None:
    storage.write(path, example(), ATTRS)
    found, attrs = storage.read(path, ["spikes/time"])
    assert list(found) == ["spikes/time"]
    assert attrs["dt"] == 0.005
    with pytest.raises(ValueError, match=r"unknown dataset 'volt'; did you mean 'voltage'"):
        storage.read(path, ["volt"])


def test_contents_describe_a_file_without_its_arrays(path: Path) -> None:
    storage.write(path, example(), ATTRS)
    entries, attrs = storage.contents(path)
    voltage = entries["voltage"]
    assert voltage.shape == (N_TIME, N_POSITION)
    assert voltage.dtype == np.float64
    assert voltage.units == "mV"
    assert voltage.dims == ("time", "position")
    assert voltage.long_name == "membrane potential"
    assert voltage.stored == 8 * N_TIME * N_POSITION
    assert entries["velocity"].attrs == {"direction": "orthodromic", "n_sites": 9}
    assert entries["time"].dims == ("time",)
    assert entries["spikes/time"].dims == ("spike",)
    assert attrs["axon_version"] == "0.1.0"


# what others see


def test_xarray_opens_labelled_arrays(path: Path) -> None:
    written = example()
    storage.write(path, written, ATTRS)
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data.voltage.dims == ("time", "position")
        assert set(data.coords) == {"time", "position"}
        assert data.time.dtype == np.float64
        assert data.time.attrs["units"] == "ms"
        np.testing.assert_array_equal(data.voltage.values, written["voltage"].values)
        assert data.voltage.sel(position=250, time=0.3, method="nearest").ndim == 0
        assert float(data.velocity) == 18.73
        assert data.velocity.attrs["direction"] == "orthodromic"
        assert data.attrs["format"] == "axon-run"


@pytest.mark.parametrize("n_spikes", [0, 4])
def test_xarray_opens_groups(path: Path, n_spikes: int) -> None:
    storage.write(path, example(n_spikes), ATTRS)
    with xarray.open_dataset(path, engine="h5netcdf", group="spikes") as spikes:
        assert dict(spikes.sizes) == {"spike": n_spikes}
        assert set(spikes.variables) == {"time", "position", "compartment"}
    with xarray.open_dataset(path, engine="h5netcdf", group="gates") as gates:
        assert gates.m.dims == ("time", "position")
        assert gates.m.dtype == np.float32


def test_xarray_opens_a_run_without_voltage(path: Path) -> None:
    spikes = {name: dataset for name, dataset in example().items() if name.startswith("spikes/")}
    storage.write(path, spikes, ATTRS)
    with xarray.open_dataset(path, engine="h5netcdf", group="spikes") as data:
        assert data.time.dims == ("spike",)


def test_xarray_opens_axes_of_no_length(path: Path) -> None:
    nothing = {name: Dataset(np.empty(0), "1", name, (name,)) for name in ("time", "position")}
    voltage = Dataset(np.empty((0, 0)), "mV", "potential", ("time", "position"))
    storage.write(path, {**nothing, "voltage": voltage}, {})
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert dict(data.sizes) == {"time": 0, "position": 0}
    assert storage.read(path)[0]["voltage"].shape == (0, 0)


def test_every_dataset_has_units_and_a_name(path: Path) -> None:
    storage.write(path, example(), ATTRS)
    with h5py.File(path) as file:
        for name in example():
            assert file[name].attrs["units"], name
            assert file[name].attrs["long_name"], name


@pytest.mark.parametrize("shape", [(2000, 1000), (40, 100_000), (100_000, 3), (5000, 1), (300, 300)])
@pytest.mark.parametrize("grows", [False, True])
def test_chunks_are_near_half_a_mebibyte(shape: tuple[int, int], grows: bool) -> None:
    values = np.broadcast_to(np.zeros(1), (0, shape[1]) if grows else shape)
    chunks = layout.storage_options(values, grows, swift=grows)["chunks"]
    whole = 8 * min(shape[0] * shape[1], 65_536)
    least = 0.99 * 2**16 if grows and shape[1] < 256 else 0.4 * whole
    assert least <= 8 * chunks[0] * chunks[1] <= 2**19
    assert chunks[0] * shape[1] * 8 <= max(layout.BLOCK, 2**20)


def test_samples_of_a_stream_are_not_compressed_and_all_else_is(path: Path) -> None:
    with stream(path, growing(), ATTRS) as writer:
        append_all(writer)
    with h5py.File(path) as file:
        packed = {name: file[name].compression for name in growing() if name != "position"}
    assert packed.pop("voltage") is None and packed.pop("gates/m") is None
    assert set(packed.values()) == {"gzip"}


def test_smooth_voltage_is_compressed(path: Path) -> None:
    behind = np.arange(400.0) - np.sqrt(97) * np.arange(300.0)[:, None]
    voltage = -65 + 100 / np.cosh(behind / 100)
    storage.write(path, {"voltage": Dataset(voltage, "mV", "potential", ("time", "position"))}, {})
    assert path.stat().st_size < 0.6 * voltage.nbytes  # 0.53; without shuffling 0.67
    assert storage.contents(path)[0]["voltage"].stored < path.stat().st_size


def test_file_holds_nothing_of_the_reserve(path: Path) -> None:
    storage.write(path, example(), ATTRS)
    assert path.stat().st_size < 40_000


# bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"voltage": Dataset(["a"], "mV", "", ("time",))}, "'voltage' must hold integers or floats"),
        ({"voltage": Dataset([1.0], "mV", "")}, r"one dim for each axis, got shape \(1,\) and dims \(\)"),
        ({"gates/h": Dataset([0.5], "1", "", ("time",))}, "'time' must have one length, got 7"),
        ({"spikes/x": Dataset([0.5], "1", "", ("spike",))}, "'spike' must have one length, got 4"),
    ],
)
def test_what_does_not_fit_is_refused(path: Path, changes: dict[str, Dataset], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        storage.write(path, {**example(), **changes}, {})
    assert not os.listdir(path.parent)


@pytest.mark.parametrize("value", [None, {"a": 1}, [1, 2]])
def test_attribute_that_is_no_scalar_is_refused(path: Path, value: Any) -> None:
    with pytest.raises(ValueError, match="attribute 'model' must be a string or a number, got"):
        storage.write(path, {}, {"model": value})
    assert not os.listdir(path.parent)


# writing that fails


def test_earlier_file_is_replaced_and_nothing_else_is_left(path: Path) -> None:
    storage.write(path, example(), {"run": 1})
    storage.write(path, example(), {"run": 2})
    assert storage.read(path)[1]["run"] == 2
    assert os.listdir(path.parent) == ["run.h5"]


def test_failed_write_keeps_the_earlier_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.write(path, example(), {"run": 1})

    def full(handle: int, start: int, size: int) -> None:
        if start > 0:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "allocate", full)
    with pytest.raises(AxonError, match=r"^cannot write .*\.h5: no space left on device; the file of that"):
        storage.write(path, example(), {"run": 2})
    assert storage.read(path)[1]["run"] == 1
    assert os.listdir(path.parent) == ["run.h5"]


def test_file_is_on_the_disk_before_it_replaces_the_earlier_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def watch(name: str) -> None:
        original = getattr(os, name)

        def call(*arguments: Any) -> None:
            calls.append(name)
            original(*arguments)

        monkeypatch.setattr(os, name, call)

    watch("fsync")
    watch("replace")
    storage.write(path, example(), {})
    assert calls == ["fsync", "replace", "fsync"]


def test_interrupted_write_keeps_the_earlier_file(path: Path) -> None:
    storage.write(path, example(), {"run": 1})
    with pytest.raises(KeyboardInterrupt), storage.Writer(path, example(), {"run": 2}):
        raise KeyboardInterrupt
    assert storage.read(path)[1]["run"] == 1
    assert os.listdir(path.parent) == ["run.h5"]


LIMITED = """
import resource, sys
import numpy as np
from axon import storage
from axon.errors import AxonError
from axon.storage import Dataset, layout

layout.BLOCK = 2**20
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
noise = np.random.default_rng(0).normal(size=(4000, 300))
time = Dataset(np.empty(0), "ms", "time", ("time",))
voltage = Dataset(np.empty((0, 300)), "mV", "potential", ("time", "position"))
try:
    if sys.argv[1] == "once":
        storage.write(sys.argv[2], {"voltage": Dataset(noise, "mV", "potential", ("time", "position"))}, {})
    else:
        with storage.Writer(sys.argv[2], {"time": time, "voltage": voltage}, {}, stream=True) as writer:
            writer.publish()
            for row in range(0, 4000, 200):
                writer.append("time", np.arange(row, row + 200))
                writer.append("voltage", noise[row : row + 200])
                writer.flush()
except AxonError as error:
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize("limit", [10, 1_200_000, 2_500_000, 6_000_000])
@pytest.mark.parametrize("how", ["once", "stream"])
def test_full_disk_is_one_clear_error(path: Path, how: str, limit: int) -> None:
    """A limit on the size of files stands for a full disk: the system refuses to write beyond it as well."""
    pytest.importorskip("resource", reason="limits on the size of files need a POSIX system")
    storage.write(path, example(), {"run": 1})
    command = [sys.executable, "-c", LIMITED, how, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (2, "")
    assert re.fullmatch(r"cannot write .*\.h5: file too large; the file of that name is kept\n", done.stdout)
    assert os.listdir(path.parent) == ["run.h5"]
    found, attrs = storage.read(path)
    if how == "once" or limit < 1_500_000:
        assert attrs["run"] == 1
    else:
        assert attrs["complete"] is False
        assert len(found["time"]) == len(found["voltage"])
    if how == "stream" and limit > 5_000_000:
        assert len(found["time"]) > 0


def test_full_device_is_one_clear_error(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(tmp_path)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root on Linux")
    try:
        noise = Dataset(np.random.default_rng(0).normal(size=(4000, 300)), "mV", "", ("time", "position"))
        with pytest.raises(AxonError, match=r"no space left on device; nothing was written$"):
            storage.write(tmp_path / "run.h5", {"voltage": noise}, {})
        assert os.listdir(tmp_path) == []
        storage.write(tmp_path / "run.h5", example(), {})
        assert set(storage.read(tmp_path / "run.h5")[0]) == set(example())
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AxonError, match=r"^cannot write .*run\.h5: no such file or directory; nothing was"):
        storage.write(tmp_path / "nowhere" / "run.h5", example(), {})


def test_folder_in_place_of_the_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AxonError, match=r"is a directory; nothing was written$"):
        storage.write(tmp_path, example(), {})
    assert os.listdir(tmp_path) == []


def test_write_protected_file_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.write(path, example(), {"run": 1})
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    with pytest.raises(AxonError, match=r"permission denied; the file of that name is kept$"):
        storage.write(path, example(), {"run": 2})
    assert storage.read(path)[1]["run"] == 1


def test_link_is_followed(path: Path) -> None:
    link = path.with_name("link.h5")
    link.symlink_to(path)
    storage.write(link, example(), {})
    assert link.is_symlink()
    assert path.is_file()


# files that are no good


def test_missing_file_is_named(path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"run\.h5: there is no such file$"):
        storage.read(path)


@pytest.mark.parametrize("content", [b"", b"t,v\n0,-65\n" * 100, b"\x89HD"])
def test_foreign_file_is_not_hdf5(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"run\.h5 is not an HDF5 file"):
        storage.read(path)


def test_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"^cannot read .*: is a directory$"):
        storage.read(tmp_path)


def test_foreign_hdf5_file_is_not_a_run(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["voltage"] = [1.0]
    with pytest.raises(FileFormatError, match=r"but not a run: format must be 'axon-run', got None$"):
        storage.read(path)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (7, r"was written by a newer axon, format 7; this one reads up to 2; upgrade axon to open it$"),
        (0, r"is damaged: format_version must be 1 to 2, got 0$"),
        ("one", r"is damaged: format_version must be 1 to 2, got 'one'$"),
    ],
)
def test_unknown_version_is_refused(path: Path, version: int | str, message: str) -> None:
    storage.write(path, example(), ATTRS)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = version
    for opening in (storage.read, storage.contents):
        with pytest.raises(FileFormatError, match=message):
            opening(path)


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.999])
def test_truncated_file_is_refused(path: Path, part: float) -> None:
    storage.write(path, example(n_time=3000), ATTRS)
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.truncate(int(part * size))
    with pytest.raises(FileFormatError, match=r"run\.h5 is truncated") as raised:
        storage.read(path)
    assert part < 0.01 or f"{int(part * size)} of {size} bytes" in str(raised.value)


def test_damaged_values_are_refused(path: Path) -> None:
    storage.write(path, example(n_time=3000), ATTRS)
    with h5py.File(path) as file:
        chunk = file["voltage"].id.get_chunk_info(0)
    with open(path, "r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(b"\xff" * chunk.size)
    with pytest.raises(FileFormatError, match=r"is damaged: dataset 'voltage' cannot be read"):
        storage.read(path)
    assert set(storage.read(path, ["time"])[0]) == {"time"}


# streams


def growing() -> dict[str, Dataset]:
    """The datasets of a run before its first row."""
    fixed = {"position": example()["position"]}
    return fixed | {
        name: Dataset(np.asarray(dataset.values)[:0], dataset.units, dataset.long_name, dataset.dims)
        for name, dataset in example().items()
        if dataset.dims and name != "position"
    }


def stream(path: Path, datasets: dict[str, Dataset], attrs: dict[str, Any]) -> storage.Writer:
    writer = storage.Writer(path, datasets, attrs, stream=True)
    writer.publish()
    return writer


def append_all(writer: storage.Writer) -> None:
    for name in growing():
        if name != "position":
            values = np.asarray(example()[name].values)
            for part in np.array_split(values, 3):
                writer.append(name, part)


def test_stream_equals_the_file_written_at_once(path: Path, tmp_path: Path) -> None:
    with stream(path, growing(), ATTRS) as writer:
        append_all(writer)
        writer.finish({"velocity": example()["velocity"]})
    storage.write(tmp_path / "once.h5", example(), ATTRS)
    (streamed, streamed_attrs), (once, once_attrs) = storage.read(path), storage.read(tmp_path / "once.h5")
    assert streamed_attrs == once_attrs
    assert set(streamed) == set(once)
    for name, values in once.items():
        assert streamed[name].tobytes() == values.tobytes(), name
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data.voltage.dims == ("time", "position")
    with xarray.open_dataset(path, engine="h5netcdf", group="spikes") as spikes:
        assert dict(spikes.sizes) == {"spike": 4}
    assert path.stat().st_size < 600_000
    with h5py.File(path) as file:
        assert file["spikes/spike"].shape == (4,)


def test_stream_can_be_read_while_it_grows(path: Path) -> None:
    with stream(path, growing(), ATTRS) as writer:
        assert storage.read(path)[1]["complete"] is False
        writer.append("time", [0.0, 0.1, 0.2])
        writer.append("voltage", np.ones((2, N_POSITION)))
        writer.flush()
        entries, _ = storage.contents(path)
        assert entries["time"].shape == (0,)  # gate m, on the same axis, has no row yet
        writer.append("gates/m", np.ones((2, N_POSITION)))
        writer.flush()
        found, attrs = storage.read(path)
        assert attrs["complete"] is False
        np.testing.assert_array_equal(found["time"], [0.0, 0.1])
        assert found["voltage"].shape == (2, N_POSITION)
        assert found["spikes/time"].shape == (0,)


def test_stream_keeps_its_own_copy_of_what_is_appended(path: Path) -> None:
    buffer = np.zeros(2)
    with stream(path, {"time": growing()["time"]}, {}) as writer:
        for step in range(3):
            buffer[:] = 2 * step, 2 * step + 1
            writer.append("time", buffer)
    np.testing.assert_array_equal(storage.read(path)[0]["time"], np.arange(6))


def test_stream_flushes_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stream(path, {"time": growing()["time"]}, {}) as writer:
        writer.append("time", [0.0])
        assert len(storage.read(path)[0]["time"]) == 0
        monkeypatch.setattr(writing, "_FLUSH", 0.0)
        writer.append("time", [0.1])
        assert len(storage.read(path)[0]["time"]) == 2
        monkeypatch.setattr(writing, "_FLUSH", 1e9)
        monkeypatch.setattr(writing, "BLOCK", 16)
        writer.append("time", [0.2, 0.3])
        assert len(storage.read(path)[0]["time"]) == 2
        writer.append("time", [0.4])
        assert len(storage.read(path)[0]["time"]) == 5


def test_stream_is_open_to_any_reader_while_it_grows(path: Path) -> None:
    look = "import h5py, sys; print(len(h5py.File(sys.argv[1], swmr=sys.argv[2] == 'swmr')['time']))"
    with stream(path, {"time": growing()["time"]}, {}) as writer:
        for rows in (3, 2):
            writer.append("time", np.arange(rows))
            writer.flush()
        for how in ("plain", "swmr"):
            command = [sys.executable, "-c", look, str(path), how]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            assert done.stdout == "5\n"


def test_stream_ends_well_although_someone_reads_it(path: Path) -> None:
    look = "import h5py, sys; file = h5py.File(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    writer = stream(path, {"time": growing()["time"]}, {})
    command = [sys.executable, "-c", look, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None and reader.stdout.readline() == b"open\n"
        writer.append("time", [0.0, 0.1])
        writer.finish()
        reader.communicate(timeout=60)
    assert len(storage.read(path)[0]["time"]) == 2


def test_stream_left_by_an_exception_keeps_what_it_had(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), stream(path, growing(), ATTRS) as writer:
        append_all(writer)
        raise KeyboardInterrupt
    found, attrs = storage.read(path)
    assert attrs["complete"] is False
    assert found["voltage"].shape == (N_TIME, N_POSITION)
    with xarray.open_dataset(path, engine="h5netcdf") as data:  # closed in order: any reader opens it
        assert data.sizes["time"] == N_TIME


def test_stream_can_be_closed_unfinished(path: Path) -> None:
    with stream(path, growing(), ATTRS) as writer:
        append_all(writer)
        writer.close()
    found, attrs = storage.read(path)
    assert attrs["complete"] is False
    assert found["voltage"].shape == (N_TIME, N_POSITION)


def test_rows_of_another_shape_or_name_are_refused(path: Path) -> None:
    with stream(path, growing(), ATTRS) as writer:
        with pytest.raises(ValueError, match=r"rows of 'voltage' must have shape \(n, 5\), got \(2, 4\)"):
            writer.append("voltage", np.zeros((2, 4)))
        with pytest.raises(ValueError, match=r"rows of 'time' must have shape \(n\), got \(\)"):
            writer.append("time", 0.0)
        with pytest.raises(ValueError, match="unknown growing dataset 'position'"):
            writer.append("position", [1.0])


STREAM = """
import sys
import numpy as np
from axon import storage
from axon.storage import Dataset, writing

writing._FLUSH = 0.01
datasets = {
    "time": Dataset(np.empty(0), "ms", "time", ("time",)),
    "voltage": Dataset(np.empty((0, 300)), "mV", "potential", ("time", "position")),
    "spikes/time": Dataset(np.empty(0), "ms", "time of crossing", ("spike",)),
}
writer = storage.Writer(sys.argv[1], datasets, {"model": "{}"}, stream=True)
writer.publish()
print("started", flush=True)
row = 0
while True:
    time = np.arange(row, row + 20.0)
    writer.append("time", time)
    writer.append("voltage", np.sin(time[:, None] * np.arange(300)))
    writer.append("spikes/time", time[:7])
    row += 20
"""


def test_stream_killed_at_any_moment_opens(path: Path) -> None:
    random = np.random.default_rng(2)
    lengths = []
    for _ in range(6):
        with subprocess.Popen([sys.executable, "-c", STREAM, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            time.sleep(random.uniform(0, 0.4))
            process.send_signal(signal.SIGKILL)
        with xarray.open_dataset(path, engine="h5netcdf") as plain:  # with no flag, and no h5clear
            assert plain.voltage.dims == ("time", "position")
            assert plain.voltage.shape[0] == len(plain.time)
        found, attrs = storage.read(path)
        assert attrs["complete"] is False
        rows = np.arange(len(found["time"]))
        np.testing.assert_array_equal(found["time"], rows)
        np.testing.assert_array_equal(found["voltage"], np.sin(rows[:, None] * np.arange(300)))
        lengths.append(len(rows))
    assert max(lengths) > 0


def test_a_kill_between_two_blocks_leaves_no_row_that_was_never_written(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve, found = writing.Writer._reserve, []

    def copied(self: writing.Writer, size: int) -> None:
        reserve(self, size)
        if path.exists():  # the copy is what a kill would leave
            shutil.copy(path, tmp_path / "killed.h5")
            found.append(storage.read(tmp_path / "killed.h5")[0]["time"])

    monkeypatch.setattr(layout, "BLOCK", 2**14)
    monkeypatch.setattr(writing.Writer, "_reserve", copied)
    datasets = {"time": Dataset(np.empty(0), "ms", "time", ("time",))}
    with stream(path, datasets, {}) as writer:
        writer.append("time", np.arange(10_000.0))
        writer.flush()
    assert len({len(held) for held in found}) > 3
    for held in found:
        np.testing.assert_array_equal(held, np.arange(len(held)))


CUT = """
import os, sys
import h5py
file = h5py.File(sys.argv[1], "r+", libver=("v110", "v110"))
os._exit(0)
"""


def test_file_cut_off_while_closing_says_what_to_do(path: Path) -> None:
    with stream(path, growing(), ATTRS):
        pass
    subprocess.run([sys.executable, "-c", CUT, str(path)], check=True)
    with pytest.raises(FileFormatError, match=r"was cut off while it was being closed; 'h5clear -s .*\.h5'"):
        storage.read(path)

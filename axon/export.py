"""Runs in formats of others: CSV tables, Zarr, Neurodata Without Borders."""

from __future__ import annotations

import csv
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from axon.errors import AxonError, unknown_name
from axon.run import Run, axes, described, file_attributes, load, results


def export_run(
    run: Run | str | os.PathLike[str], path: str | os.PathLike[str], *, to: str | None = None
) -> Path:
    """Write a run in a format of others.

    Parameters
    ----------
    run : Run or path
    path : path
        ``"csv"``: a folder with one table for each quantity, times downwards and positions across, and one of
        the spikes. ``"zarr"``: a group that ``xarray.open_zarr`` reads with labelled axes. ``"nwb"``: a file
        of Neurodata Without Borders, with the quantities as time series and the spikes as units.
    to : {"csv", "zarr", "nwb"}, optional
        By default what the ending of ``path`` says.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    ValueError
        For an unknown format.
    ImportError
        When the format's library is not installed; the message says how to.
    AxonError
        When there is already something under that name.
    """
    target = Path(path)
    kind = target.suffix.removeprefix(".") if to is None else to
    if kind not in _WRITERS:
        raise ValueError(unknown_name("format", kind, _WRITERS))
    if target.exists():
        raise AxonError(f"{target} exists already; remove it, or give another name")
    source = run if isinstance(run, Run) else load(run, lazy=True)
    work = target.with_name(f".{target.name}.tmp")
    with _replacing(work, target):
        _WRITERS[kind](source, work)
    return target


@contextmanager
def _replacing(work: Path, target: Path) -> Iterator[None]:
    """Give what was written its name when it is whole; leave nothing otherwise."""
    import shutil

    try:
        yield
        os.replace(work, target)
    finally:
        if work.is_dir():
            shutil.rmtree(work)
        else:
            work.unlink(missing_ok=True)


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"this format needs {name}; install it with: pip install 'axon[export]'") from error


def _to_csv(run: Run, folder: Path) -> None:
    folder.mkdir()
    for name, values in results(run).items():
        if values.ndim == 2:
            columns = ["time (ms)", *(f"{x:g} um" for x in run.position)]
            rows = ([t, *row] for t, row in zip(_times(run, name), _rows(values), strict=True))
            _table(folder / f"{name.replace('/', '_')}.csv", columns, rows)
    spikes = zip(run.spike_time, run.spike_position, run.spike_compartment, strict=True)
    _table(folder / "spikes.csv", ["time (ms)", "position (um)", "compartment"], spikes)
    (folder / "model.json").write_text(str(file_attributes(run)["model"]), encoding="utf-8")


def _times(run: Run, name: str) -> Any:
    """When a quantity was sampled, ms: with the voltage or at times of its own."""
    return np.asarray(results(run)[axes(name, run)[0]])


def _rows(values: Any, block: int = 256) -> Iterator[Any]:
    """Row after row, read from a file in blocks."""
    for start in range(0, len(values), block):
        yield from np.asarray(values[start : start + block])


def _table(path: Path, columns: list[str], rows: Any) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _to_zarr(run: Run, folder: Path) -> None:
    zarr = _library("zarr")
    group = zarr.open_group(str(folder), mode="w")
    group.attrs.update(file_attributes(run))
    for name, dataset in described(run).items():
        values = np.asarray(dataset.values)
        if name.startswith("checkpoints/"):
            continue
        # In one group, as xarray wants it: the spikes have an axis and coordinates of their own.
        flat = name.replace("/", "_")
        array = group.create_array(
            flat, shape=values.shape, dtype=values.dtype, dimension_names=list(dataset.dims)
        )
        array[...] = values
        array.attrs.update({"units": dataset.units, "long_name": dataset.long_name})


# Names of SI units, and how many of them is one of ours.
_SI = {
    "1": ("1", 1.0),
    "mV": ("volts", 1e-3),
    "mA/cm2": ("amperes per square metre", 10.0),
    "mM": ("moles per cubic metre", 1.0),
}


def _to_nwb(run: Run, path: Path) -> None:
    pynwb = _library("pynwb")
    created = run.provenance.get("created") or datetime.now(UTC).isoformat()
    file = pynwb.NWBFile(
        session_description=f"simulated axon: {run!r}",
        identifier=f"axon {created}",
        session_start_time=datetime.fromisoformat(created),
        notes=str(file_attributes(run)["model"]),
        source_script=run.provenance.get("command") or "axon",
        source_script_file_name="axon",
    )
    places = ", ".join(f"{x:g}" for x in run.position)
    everything = described(run)
    for name, values in results(run).items():
        if values.ndim != 2:
            continue
        unit, conversion = _SI[everything[name].units]
        series = pynwb.TimeSeries(
            name=name.replace("/", "_"),
            data=np.asarray(values),
            unit=unit,
            conversion=conversion,
            timestamps=_times(run, name) * 1e-3,
            description=f"{name} at the positions (um): {places}",
        )
        file.add_acquisition(series)
    if len(run.spike_time):
        file.add_unit_column("position", "position of the compartment along the axon, um")
        for compartment in np.unique(run.spike_compartment):
            own = run.spike_compartment == compartment
            x = float(run.compartments.position[compartment])
            file.add_unit(spike_times=run.spike_time[own] * 1e-3, position=x)
    with pynwb.NWBHDF5IO(str(path), "w") as stream:
        stream.write(file)


_WRITERS = {"csv": _to_csv, "zarr": _to_zarr, "nwb": _to_nwb}

"""The kept runs of a sweep as one array: a virtual dataset over the files of the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What a stack adds to a table, besides its columns.
NAMES = ("voltage", "time", "position", "frame", "compartment")
ROLE = "run"  # attribute of these datasets, which are no columns


@dataclass(frozen=True)
class _Kept:
    """Of one run's file: name, shape and type of its voltage, and its axes."""

    name: str
    shape: tuple[int, int]
    dtype: np.dtype
    axes: Mapping[str, NDArray[np.float64]]


def add_stack(file: Any, folder: Path, runs: Mapping[int, str], rows: int) -> None:
    """Add ``voltage`` (point, time, position) of all kept runs to a table, where their shapes agree.

    Nothing is copied: the dataset is a view of the runs' files, nan where a point has none. Where all runs
    share their times or positions these are axes; where they differ, ``time`` or ``position`` has a row for
    every point, along an axis ``frame`` or ``compartment``.

    Parameters
    ----------
    file : h5py.File
        A table, open for writing.
    folder : path
        What the names are relative to.
    runs : mapping of int to str
        The run file of a row.
    rows : int
        Of the table.
    """
    import h5py

    kept = {row: one for row, name in runs.items() if (one := _kept(folder, name)) is not None}
    if len({(one.shape, one.dtype) for one in kept.values()}) != 1:
        return
    first = next(iter(kept.values()))
    layout = h5py.VirtualLayout((rows, *first.shape), first.dtype)
    for row, one in kept.items():
        layout[row] = h5py.VirtualSource(one.name, "voltage", shape=one.shape, dtype=one.dtype)
    axes = [
        _axis(file, kept, rows, name, other, unit)
        for name, other, unit in (("time", "frame", "ms"), ("position", "compartment", "um"))
    ]
    voltage = file.create_virtual_dataset("voltage", layout, fillvalue=np.nan)
    about = {"units": "mV", "long_name": "membrane potential of every point's run"}
    varied = [name for name, (_, scale) in zip(("time", "position"), axes, strict=True) if scale != name]
    parameters = [name for name, column in file.items() if column.attrs.get("role") == "parameter"]
    voltage.attrs.update({**about, "role": ROLE, "coordinates": " ".join([*parameters, *varied])})
    for number, (scale, _) in enumerate([(file["point"], ""), *axes]):
        voltage.dims[number].attach_scale(scale)


def _kept(folder: Path, name: str) -> _Kept | None:
    """What stands in a run's file; None where it cannot be read, or holds no voltage."""
    import h5py

    try:
        with h5py.File(folder / name, "r") as run:
            if "voltage" not in run:
                return None
            axes = {axis: run[axis][()] for axis in ("time", "position")}
            return _Kept(name, run["voltage"].shape, run["voltage"].dtype, axes)
    except OSError:
        return None


def _axis(
    file: Any, kept: Mapping[int, _Kept], rows: int, name: str, other: str, unit: str
) -> tuple[Any, str]:
    """An axis of the voltage, and what it is called: coordinates that all share, or numbers."""
    each = {row: one.axes[name] for row, one in kept.items()}
    first = next(iter(each.values()))
    about = {"units": unit, "long_name": f"{name} in every point's run", "role": ROLE}
    if all(np.array_equal(values, first) for values in each.values()):
        scale = file.create_dataset(name, data=first)
        scale.attrs.update(about)
        scale.make_scale(name)
        return scale, name
    scale = file.create_dataset(other, data=np.arange(len(first)))
    scale.attrs.update({"units": "1", "long_name": f"number of the {other}", "role": ROLE})
    scale.make_scale(other)
    table = np.full((rows, len(first)), np.nan)
    for row, values in each.items():
        table[row] = values
    own = file.create_dataset(name, data=table)
    own.attrs.update(about)
    own.dims[0].attach_scale(file["point"])
    own.dims[1].attach_scale(scale)
    return scale, other

"""What lies where in a run file: datasets, their axes, and the chunks their values are cut into."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FORMAT = "axon-run"
FORMAT_VERSION = 2

Attribute = str | int | float

BLOCK = 32 * 2**20  # bytes written, or held back while streaming, at a time

# Measured on squid-axon voltages (16 MB of float64): gzip level 1 writes 60 MB/s and saves 37 %, level 4
# writes 53 MB/s and saves 37.5 %; not compressed they are written at 2 GB/s. With chunks of 256 x 256 a trace
# and a snapshot take the same time within a factor of two.
_COMPRESSION: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
_CHUNK = 65_536  # values: 512 KiB of float64
_CHUNK_ROWS = 256
_FEW = 1024  # values
_SMALL = 16_384  # bytes; below, a chunk index costs more than compression saves


@dataclass(frozen=True)
class Dataset:
    """An array on its way to a file.

    Parameters
    ----------
    values : array_like
        Numbers of any shape; a scalar has no axes. Stored with the type they have.
    units : str
        Unit of the values, for example ``"mV"``.
    long_name : str
        What the values are, for a reader of the file.
    dims : tuple of str
        Name of each axis. A dataset that bears the name of its only axis holds that axis' coordinates.
    attrs : mapping, optional
        Further attributes. Default: none.
    """

    values: ArrayLike
    units: str
    long_name: str
    dims: tuple[str, ...] = ()
    attrs: Mapping[str, Attribute] = field(default_factory=dict)


def checked_values(name: str, dataset: Dataset) -> NDArray[Any]:
    """Return the values as an array; raise ``ValueError`` where they are no numbers or do not fit dims."""
    values = np.asarray(dataset.values)
    if values.dtype.kind not in "iuf":
        raise ValueError(f"dataset {name!r} must hold integers or floats, got {values.dtype}")
    if values.ndim != len(dataset.dims):
        given = f"shape {values.shape} and dims {dataset.dims}"
        raise ValueError(f"dataset {name!r} must have one dim for each axis, got {given}")
    return values


def checked_attribute(name: str, value: object) -> Attribute:
    """Return an attribute as it is stored, or raise ``ValueError`` where it is no string or number."""
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (np.integer, np.floating)):
        return value.item()
    raise ValueError(f"attribute {name!r} must be a string or a number, got {value!r}; put it into JSON")


def check_axes(datasets: Mapping[str, Dataset], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise ``ValueError`` where two datasets disagree on the length of an axis they share."""
    lengths: dict[str, tuple[int, str]] = {}
    for name, dataset in datasets.items():
        for dim, length in zip(dataset.dims, arrays[name].shape, strict=True):
            known, first = lengths.setdefault(axis_path(name, dim, datasets), (length, name))
            if known != length:
                given = f"{known} in {first!r} and {length} in {name!r}"
                raise ValueError(f"axis {dim!r} must have one length, got {given}")


def is_axis(name: str, dims: Sequence[str]) -> bool:
    """Whether a dataset holds the coordinates of its own axis."""
    return tuple(dims) == (name.rpartition("/")[2],)


def axis_path(name: str, dim: str, known: Container[str]) -> str:
    """Return where the coordinates of an axis lie: at the top of the file if known there, else beside."""
    group, slash, _ = name.rpartition("/")
    return dim if dim in known else f"{group}{slash}{dim}"


def storage_options(values: NDArray[Any], grows: bool, *, swift: bool = False) -> dict[str, Any]:
    """Return h5py's options for a dataset: chunks near 512 KiB that serve slices in time and in position.

    A row of chunks takes at most one block of memory, so that a stream completes most chunks in one go. What
    is ``swift`` is not compressed, because it comes as fast as a simulation runs.
    """
    if values.ndim == 0 or (values.nbytes < _SMALL and not grows):
        return {}
    width = max(1, int(np.prod(values.shape[1:])))
    if grows and not swift:
        height = max(1, _FEW // width)  # packed anew whenever rows are added
    elif values.ndim == 1:
        height = _CHUNK // 8
    else:
        rows = max(1, BLOCK // (width * values.itemsize))
        # Of few columns a chunk need not be as large where it will not shrink: the last one may hold little.
        least = _CHUNK // 8 if swift else _CHUNK
        height = max(min(_CHUNK_ROWS, 2 ** (rows.bit_length() - 1)), least // width)
    if values.ndim > 2:
        height = 1  # a table in every row, wanted whole
    height = height if grows else min(height, len(values))
    options: dict[str, Any] = {} if swift else dict(_COMPRESSION)
    if grows:
        options["maxshape"] = (None, *values.shape[1:])
    if values.ndim == 1:
        return {"chunks": (height,), **options}
    columns = max(1, min(values.shape[1], _CHUNK // height))
    return {"chunks": (height, columns, *values.shape[2:]), **options}


def block_rows(stored: Any) -> int:
    """Return how many rows of a stored dataset make up one block, in whole chunks."""
    width = max(1, int(np.prod(stored.shape[1:]))) * stored.dtype.itemsize
    height = stored.chunks[0] if stored.chunks else 1
    return int(max(1, BLOCK // (width * height)) * height)


def footprint(stored: Any, start: int, stop: int) -> int:
    """Return the bytes that rows start to stop can take at most: all their chunks, not compressed."""
    if not stored.chunks:
        return int(stored.nbytes)
    height, *others = stored.chunks
    rows = (-(-stop // height) - start // height) * height
    width = np.prod([-(-n // c) * c for n, c in zip(stored.shape[1:], others, strict=True)])
    return int(rows * width * stored.dtype.itemsize)

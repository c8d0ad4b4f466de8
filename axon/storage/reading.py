"""Reading run files: whole, in part, still growing, or cut short by a kill."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.errors import FileFormatError, unknown_name
from axon.storage.layout import FORMAT, FORMAT_VERSION
from axon.storage.writing import HIDDEN

_INNER = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "units", "long_name"}


class Entry(NamedTuple):
    """What a file says of a dataset without its values; `stored` is the size in the file, bytes."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    units: str
    long_name: str
    dims: tuple[str, ...]
    attrs: dict[str, Any]
    stored: int


def read(
    path: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    *,
    lazy: Callable[[str], bool] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read arrays and attributes; a file that still grows, or was cut short, gives the rows that are whole.

    Parameters
    ----------
    path : path
        Name of the file.
    names : sequence of str, optional
        Datasets to read; a name the file lacks is an error. Default: all.
    lazy : callable, optional
        Tells by name which datasets to leave in the file, as `StoredArray`. Default: none.

    Returns
    -------
    datasets : dict of str to array
        Under the names they were written with; a scalar has shape ().
    attrs : dict
        Attributes of the file; ``complete`` is a bool, False while a stream is unfinished.

    Raises
    ------
    FileFormatError
        When there is no such file, or it is not a run file, damaged, or of a newer format.
    ValueError
        When `names` asks for something the file does not hold.
    """
    with _opened(path) as file:
        found = _datasets(file)
        for name in names or ():
            if name not in found:
                raise ValueError(f"{path}: {unknown_name('dataset', name, found)}")
        rows = _whole_rows(found)
        wanted = found if names is None else {name: found[name] for name in names}
        out: dict[str, Any] = {}
        for name, stored in wanted.items():
            if lazy is not None and lazy(name):
                out[name] = StoredArray(path, name, tuple(rows[axis] for axis in _axes(stored)), stored.dtype)
            else:
                out[name] = _values(path, name, stored, rows)
        return out, _file_attrs(file)


def contents(path: str | os.PathLike[str]) -> tuple[dict[str, Entry], dict[str, Any]]:
    """Describe what a file holds without reading its arrays; raises as `read` does.

    Returns
    -------
    entries : dict of str to Entry
        Shape, type, units, name, axes, attributes and stored bytes of each dataset.
    attrs : dict
        Attributes of the file, as from `read`.
    """
    with _opened(path) as file:
        found = _datasets(file)
        rows = _whole_rows(found)
        return {name: _entry(stored, rows) for name, stored in found.items()}, _file_attrs(file)


class StoredArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that stays in its file: an index reads just what it names, anything else reads it all.

    Parameters
    ----------
    path : path
    name : str
        Of the dataset.
    shape : tuple of int
    dtype : dtype
    """

    def __init__(
        self, path: str | os.PathLike[str], name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.path, self.name, self.shape, self.dtype = Path(path), name, shape, dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        first, *others = key if isinstance(key, tuple) else (key,)
        rows = np.arange(self.shape[0])[first]  # negative, boolean and out of range as NumPy has them
        with _opened(self.path) as file:
            if np.ndim(rows) == 0:
                part = file[self.name][int(rows)]
                return part[tuple(others)] if others else part
            if not len(rows):
                return np.zeros((0, *self.shape[1:]), self.dtype)[(slice(None), *others)]
            start, stop = int(rows.min()), int(rows.max()) + 1
            return file[self.name][start:stop][rows - start][(slice(None), *others)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(x) if isinstance(x, StoredArray) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __repr__(self) -> str:
        return f"<{self.name} {self.shape} {self.dtype} in {self.path}>"


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    try:
        with open(path, "rb") as raw:
            start = raw.read(8)
    except FileNotFoundError:
        raise FileFormatError(f"{path}: there is no such file") from None
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    if start != b"\x89HDF\r\n\x1a\n":
        raise FileFormatError(f"{path} is not an HDF5 file" + ("; it is empty" if not start else ""))
    with _hdf5(path) as file:
        _check_format(path, file.attrs)
        yield file


def _hdf5(path: str | os.PathLike[str]) -> Any:
    import h5py

    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        if "already open" in str(error):
            return _growing(path)
        sizes = re.search(r"truncated file: eof = (\d+),.*stored_eof = (\d+)", str(error))
        if sizes:
            have, want = sizes.groups()
            message = f"{path} is truncated: {have} of {want} bytes are there; copy it again from its source"
            raise FileFormatError(message) from error
        message = f"{path} is truncated or damaged; copy it again from its source ({error})"
        raise FileFormatError(message) from error
    if file.attrs.get("complete", 1):
        return file
    file.close()  # its writer may be at work: read beside it as HDF5 wants that done, where it can be
    try:
        return h5py.File(path, "r", swmr=True, locking=False)
    except OSError:
        return h5py.File(path, "r", locking=False)


def _growing(path: str | os.PathLike[str]) -> Any:
    """Open a stream whose writer has it marked as open, as it does for an instant at every flush."""
    import h5py

    try:
        return h5py.File(path, "r", swmr=True, locking=False)
    except OSError as error:
        message = f"{path} was cut off while it was being closed; 'h5clear -s {path}' makes it readable again"
        raise FileFormatError(message) from error


def _check_format(path: str | os.PathLike[str], attrs: Mapping[str, Any]) -> None:
    known = _attributes(attrs)
    kind, version = known.get("format"), known.get("format_version")
    if kind != FORMAT:
        given = f"format must be {FORMAT!r}, got {kind!r}"
        raise FileFormatError(f"{path} is an HDF5 file but not a run: {given}")
    if not isinstance(version, int) or version < 1:
        given = f"format_version must be 1 to {FORMAT_VERSION}, got {version!r}"
        raise FileFormatError(f"{path} is damaged: {given}")
    if version > FORMAT_VERSION:
        raise FileFormatError(
            f"{path} was written by a newer axon, format {version}; this one reads up to {FORMAT_VERSION}; "
            "upgrade axon to open it"
        )


def _file_attrs(file: Any) -> dict[str, Any]:
    attrs = _attributes(file.attrs)
    return attrs | {"complete": bool(attrs["complete"])}


def _attributes(attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in attrs.items()}


def _datasets(file: Any) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}

    def visit(name: str, node: Any) -> None:
        hidden = bytes(node.attrs.get("NAME", b"")).startswith(HIDDEN.encode())
        if isinstance(node, h5py.Dataset) and not hidden:
            found[name] = node

    file.visititems(visit)
    return found


def _axes(stored: Any) -> tuple[str, ...]:
    """Return where in the file the coordinates of each axis lie."""
    if stored.is_scale:
        return (stored.name.lstrip("/"),)
    return tuple(axis[0].name.lstrip("/") for axis in stored.dims)


def _whole_rows(found: Mapping[str, Any]) -> dict[str, int]:
    """Return the length of each axis that all its datasets have: a kill may fall between one and the next."""
    rows: dict[str, int] = {}
    for stored in found.values():
        for axis, length in zip(_axes(stored), stored.shape, strict=True):
            rows[axis] = min(length, rows.get(axis, length))
    return rows


def _values(path: str | os.PathLike[str], name: str, stored: Any, rows: Mapping[str, int]) -> NDArray[Any]:
    whole = tuple(slice(rows[axis]) for axis in _axes(stored))
    try:
        return np.asarray(stored[whole])
    except OSError as error:
        raise FileFormatError(f"{path} is damaged: dataset {name!r} cannot be read ({error})") from error


def _entry(stored: Any, rows: Mapping[str, int]) -> Entry:
    attrs = _attributes(stored.attrs)
    axes = _axes(stored)
    return Entry(
        shape=tuple(rows[axis] for axis in axes),
        dtype=stored.dtype,
        units=attrs["units"],
        long_name=attrs["long_name"],
        dims=tuple(axis.rpartition("/")[2] for axis in axes),
        attrs={key: value for key, value in attrs.items() if key not in _INNER},
        stored=stored.id.get_storage_size(),
    )

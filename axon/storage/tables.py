"""Tables: files with one row per point of a sweep, with links to runs kept beside them, and these as one.

A table is small beside the work that fills it, so it is always written whole under a temporary name and then
renamed: whenever its writer is killed, the file of that name is a whole one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.errors import AxonError, FileFormatError
from axon.storage import disk
from axon.storage.layout import Attribute, checked_attribute
from axon.storage.stack import ROLE, add_stack

TABLE_FORMAT = "axon-sweep"
TABLE_VERSION = 1

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ROWS = "point"  # the axis of every column
_CHUNK = 8192  # rows


def kind_of(path: str | os.PathLike[str]) -> str:
    """What a file of axon says it is: its ``format``, such as ``"axon-run"``; ``""`` when it does not say.

    Whatever is wrong with the file is left to whoever reads it.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs.get("format", ""))
    except OSError:
        return ""


def write_table(
    path: str | os.PathLike[str],
    columns: Mapping[str, tuple[NDArray[Any], Mapping[str, Attribute]]],
    attrs: Mapping[str, Attribute],
    *,
    runs: Mapping[int, str] | None = None,
    stacked: bool = False,
) -> None:
    """Write a whole table in one step; whatever fails, an earlier file of that name stays as it was.

    Parameters
    ----------
    path : path
    columns : mapping of str to (values, attributes)
        Of equal length; numbers, or strings. The column ``point`` is the axis of all others.
    attrs : mapping
        Attributes of the file; ``format`` and ``format_version`` are added.
    runs : mapping of int to str, optional
        Run files of some rows, relative to this one: they stand at ``runs/12`` and so on.
    stacked : bool
        Whether the voltages of these runs also stand as one dataset; see ``add_stack``.

    Raises
    ------
    AxonError
        When the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    work = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    size = sum(values.nbytes for values, _ in columns.values())
    try:
        disk.allocate_new(work, 2**20 + 4 * size)  # a full disk shows here, where nothing is open yet
        _fill(work, columns, attrs, runs or {}, stacked)
        disk.trim(work)
        disk.sync(work)
        os.replace(work, target)
        disk.sync(target.parent)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        kept = "the file of that name is kept" if target.is_file() else "nothing was written"
        raise AxonError(f"cannot write {path}: {reason}; {kept}") from error
    finally:
        work.unlink(missing_ok=True)


def _fill(
    work: Path,
    columns: Mapping[str, tuple[NDArray[Any], Mapping[str, Attribute]]],
    attrs: Mapping[str, Attribute],
    runs: Mapping[int, str],
    stacked: bool,
) -> None:
    import h5py

    with h5py.File(work, "w", libver=("v108", "v110")) as file:
        file.attrs.update({name: checked_attribute(name, value) for name, value in attrs.items()})
        file.attrs.update({"format": TABLE_FORMAT, "format_version": TABLE_VERSION})
        for name, (values, about) in columns.items():
            text = values.dtype.kind == "U"
            options = {"chunks": (_CHUNK,), "compression": "gzip", "shuffle": True}
            column = file.create_dataset(
                name,
                data=values.astype(object) if text else values,
                dtype=h5py.string_dtype() if text else values.dtype,
                **(options if len(values) > _CHUNK else {}),
            )
            column.attrs.update({key: checked_attribute(key, value) for key, value in about.items()})
        file[_ROWS].make_scale(_ROWS)
        for name in columns:
            if name != _ROWS:
                file[name].dims[0].attach_scale(file[_ROWS])
        for row, run in runs.items():
            file[f"runs/{row}"] = h5py.ExternalLink(run, "/")
        if stacked and runs:
            add_stack(file, work.parent, runs, len(file[_ROWS]))


def read_table(
    path: str | os.PathLike[str],
) -> tuple[dict[str, NDArray[Any]], dict[str, dict[str, Any]], dict[str, Any]]:
    """Read a table.

    Returns
    -------
    columns : dict of str to array
        Numbers, or strings.
    about : dict of str to dict
        Attributes of each column.
    attrs : dict
        Attributes of the file.

    Raises
    ------
    FileFormatError
        When there is no such file, or it is no table, damaged, or of a newer format.
    """
    import h5py

    try:
        with open(path, "rb") as raw:
            start = raw.read(len(_SIGNATURE))
    except FileNotFoundError:
        raise FileFormatError(f"{path}: there is no such file") from None
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    if start != _SIGNATURE:
        raise FileFormatError(f"{path} is not an HDF5 file" + ("; it is empty" if not start else ""))
    try:
        with h5py.File(path, "r") as file:
            attrs = _plain(file.attrs)
            _check_format(path, attrs)
            stored = {name: node for name, node in file.items() if _is_column(node)}
            about = {name: _plain(node.attrs) for name, node in stored.items()}
            return {name: _values(node) for name, node in stored.items()}, about, attrs
    except OSError as error:
        message = f"{path} is truncated or damaged; copy it again from its source ({error})"
        raise FileFormatError(message) from error


def _check_format(path: str | os.PathLike[str], attrs: Mapping[str, Any]) -> None:
    kind, version = attrs.get("format"), attrs.get("format_version")
    if kind != TABLE_FORMAT:
        raise FileFormatError(
            f"{path} is an HDF5 file but not a sweep: format must be {TABLE_FORMAT!r}, got {kind!r}"
        )
    if not isinstance(version, int) or not 1 <= version <= TABLE_VERSION:
        raise FileFormatError(
            f"{path} has format_version {version!r}; this axon reads 1 to {TABLE_VERSION}; "
            "upgrade axon to open a newer one"
        )


def _is_column(node: Any) -> bool:
    import h5py

    return isinstance(node, h5py.Dataset) and node.attrs.get("role") != ROLE


def _values(stored: Any) -> NDArray[Any]:
    import h5py

    if h5py.check_string_dtype(stored.dtype) is None:
        return np.asarray(stored[()])
    return np.array(stored.asstr()[()], dtype=str)


def _plain(attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in attrs.items()}

"""Writing run files: at once, or row by row while a simulation runs."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.errors import AxonError, unknown_name
from axon.storage import disk
from axon.storage.layout import (
    BLOCK,
    FORMAT,
    FORMAT_VERSION,
    Attribute,
    Dataset,
    axis_path,
    block_rows,
    check_axes,
    checked_attribute,
    checked_values,
    footprint,
    is_axis,
    storage_options,
)

HIDDEN = "This is a netCDF dimension but not a netCDF variable."  # netCDF-4's mark of an axis without values

_MARGIN = 2**20  # bytes kept reserved, so that what HDF5 writes when it closes a file always fits
_FLUSH = 1.0  # s of wall time between flushes of a stream
_AT_ONCE = 2**20  # bytes of one dataset that are written without waiting for more


def write(
    path: str | os.PathLike[str], datasets: Mapping[str, Dataset], attrs: Mapping[str, Attribute]
) -> None:
    """Write a whole file; whatever fails, an earlier file of that name stays as it was.

    Parameters
    ----------
    path : path
        Name of the file; an existing one is replaced in one step.
    datasets : mapping of str to Dataset
        Keys are paths in the file, such as ``"voltage"`` or ``"gates/m"``.
    attrs : mapping
        Attributes of the file: strings and numbers. ``format`` and ``format_version`` are added; ``complete``
        is 1 unless given.

    Raises
    ------
    AxonError
        When the file cannot be written (no such folder, no permission, no space).
    ValueError
        When something is not a number, or an axis has two lengths.
    """
    with Writer(path, datasets, attrs):
        pass


class Writer:
    """Writes a run file, at once or while a simulation runs; use it in a ``with`` statement.

    Leaving the statement finishes the file. Leaving it by an exception removes a file that was to be written
    at once and keeps, readable and marked incomplete, one that was streamed.

    Parameters
    ----------
    path, datasets, attrs
        As for `write`.
    stream : bool
        Whether datasets given without rows (first axis of length 0) grow by `append`. The file stands under
        its final name from `publish` on, with attribute ``complete`` 0 until it is finished, and may be read
        while it grows. Default: the file is written at once.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        datasets: Mapping[str, Dataset],
        attrs: Mapping[str, Attribute],
        *,
        stream: bool = False,
    ) -> None:
        self.path = Path(path)
        self._target = Path(os.path.realpath(path))
        self._work = self._target.with_name(f".{self._target.name}.{secrets.token_hex(4)}.tmp")
        self._stream, self._guarded = stream, False
        self._pending: dict[str, list[NDArray[Any]]] = {}
        self._growing: dict[str, Any] = {}
        self._hidden_axes: dict[str, Any] = {}
        self._flushed = time.monotonic()
        self._file: Any = None
        given = {name: checked_attribute(name, value) for name, value in attrs.items()}
        self._complete = given.get("complete", 1)
        arrays = {name: checked_values(name, dataset) for name, dataset in datasets.items()}
        check_axes(datasets, arrays)
        with self._abandoning(), self._explaining():
            self._create(given)
            self._add(datasets, arrays)
            if stream:
                self._guard()

    def publish(self) -> None:
        """Give a stream its final name, with the rows appended so far."""
        self.flush()
        with self._abandoning(), self._explaining():
            os.replace(self._work, self._target)
            self._work = self._target

    def append(self, name: str, rows: ArrayLike) -> None:
        """Add rows to a dataset of a stream; few are written when 1 s has gone by since the last flush.

        Parameters
        ----------
        name : str
            One of the datasets that were given without rows.
        rows : array_like, (n, ...)
            Values in the units of the dataset.

        Raises
        ------
        AxonError
            When the disk is full; the file keeps what it held and opens.
        ValueError
            When there is no such growing dataset, or the rows do not have its shape.
        """
        if name not in self._pending:
            raise ValueError(unknown_name("growing dataset", name, self._pending))
        stored = self._growing[name]
        block = np.asarray(rows, dtype=stored.dtype)
        if block.ndim != stored.ndim or block.shape[1:] != stored.shape[1:]:
            wanted = ", ".join(["n", *map(str, stored.shape[1:])])
            raise ValueError(f"rows of {name!r} must have shape ({wanted}), got {block.shape}")
        if block.nbytes >= _AT_ONCE:
            waiting, self._pending[name] = self._pending[name], []
            self._lengthen(name, [*waiting, block])
        else:
            self._pending[name].append(block.copy())  # the caller may put the next rows in the same place
            held = sum(part.nbytes for parts in self._pending.values() for part in parts)
            if held > BLOCK:
                self.flush()
        self.flush_when_due()

    def flush_when_due(self) -> None:
        """Flush if the last flush is long ago: to be called now and then, also when there is no new row."""
        if time.monotonic() - self._flushed > _FLUSH:
            self.flush()

    def flush(self) -> None:
        """Put every appended row into the file; what is flushed survives a kill. Raises as `append` does."""
        waiting = self._pending
        self._pending = {name: [] for name in waiting}  # rows that do not fit are not tried again
        for name, parts in waiting.items():
            self._lengthen(name, parts)
        self._flushed = time.monotonic()

    def _lengthen(self, name: str, parts: list[NDArray[Any]]) -> None:
        if not parts:
            return
        rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        stored = self._growing[name]
        with self._explaining():
            self._put(stored, len(stored), rows)
            self._lengthen_hidden_axis(name, len(stored))

    def finish(self, datasets: Mapping[str, Dataset] | None = None) -> None:
        """Add what is known only at the end, mark the file complete and close it.

        Parameters
        ----------
        datasets : mapping of str to Dataset, optional
            What to add, for example ``"velocity"``. Default: nothing.
        """
        datasets = datasets or {}
        arrays = {name: checked_values(name, dataset) for name, dataset in datasets.items()}
        with self._abandoning(), self._explaining():
            if self._stream:
                self.flush()
            self._add(datasets, arrays)
            self._file.attrs.modify("complete", self._complete)
            self._close()
            disk.sync(self._work)
            os.replace(self._work, self._target)
            disk.sync(self._target.parent)

    def close(self) -> None:
        """Close a stream unfinished: it holds what was appended and stays marked incomplete."""
        with self._abandoning():
            self.flush()
        self._abandon()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        if error is None:
            self.finish()
            return
        with suppress(AxonError):  # the error on its way out says more, and a full disk may be its cause
            self.flush()
        self._abandon()

    def _create(self, attrs: Mapping[str, Attribute]) -> None:
        if self._target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if self._target.exists() and not os.access(self._target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        room = _MARGIN + sum(len(str(value).encode()) for value in attrs.values())
        disk.allocate_new(self._work, room)  # a full disk shows here, where nothing is open yet
        self._open()
        self._reserve(room)
        self._file.attrs.update({**attrs, "format": FORMAT, "format_version": FORMAT_VERSION, "complete": 0})

    def _open(self) -> None:
        import h5py

        # v110 brings single-writer mode; v108 is read everywhere
        versions = ("v110", "v110") if self._stream else ("v108", "v110")
        # Under a name of our own or in single-writer mode: no reader's lock need stop us.
        self._file = h5py.File(self._work, "w", libver=versions, locking=False)

    def _guard(self) -> None:
        self._file.swmr_mode = True  # from here on no kill makes the file unreadable
        self._guarded = True
        self._reserve(0)

    def _add(self, datasets: Mapping[str, Dataset], arrays: Mapping[str, NDArray[Any]]) -> None:
        for name, dataset in datasets.items():
            values = arrays[name]
            grows = self._stream and values.ndim > 0 and len(values) == 0
            samples = grows and values.ndim > 1 and "position" in dataset.dims
            options = storage_options(values, grows, swift=samples)
            stored = self._file.create_dataset(None, shape=values.shape, dtype=values.dtype, **options)
            attrs = {"units": dataset.units, "long_name": dataset.long_name, **dataset.attrs}
            stored.attrs.update({key: checked_attribute(key, value) for key, value in attrs.items()})
            self._put(stored, 0, values)
            self._file[name] = stored  # once it is whole: a kill leaves no name without its values
            if grows:
                self._growing[name], self._pending[name] = stored, []
        self._label(datasets)

    def _label(self, datasets: Mapping[str, Dataset]) -> None:
        for name, dataset in datasets.items():
            if is_axis(name, dataset.dims):
                self._file[name].make_scale(dataset.dims[0])
        for name, dataset in datasets.items():
            if not is_axis(name, dataset.dims):
                _attach_axes(self._file, name, dataset.dims)

    def _put(self, stored: Any, start: int, values: NDArray[Any]) -> None:
        if values.ndim == 0:
            stored[()] = values
            stored.flush()
            return
        rows = block_rows(stored)
        stop = start + len(values)
        first = start
        while first < stop:
            last = min(stop, (first // rows + 1) * rows)
            self._reserve(footprint(stored, first, last))
            if last > len(stored):  # block by block, so that a kill leaves no row that was never written
                stored.resize(last, axis=0)
            stored[first:last] = values[first - start : last - start]
            stored.flush()  # nothing stays in HDF5's caches for which no room was reserved
            first = last

    def _lengthen_hidden_axis(self, name: str, length: int) -> None:
        if name not in self._hidden_axes:
            stored = self._growing[name]
            scale = None if stored.is_scale else stored.dims[0][0]
            hidden = scale is not None and scale.attrs["NAME"].startswith(HIDDEN.encode())
            self._hidden_axes[name] = scale if hidden else None
        scale = self._hidden_axes[name]
        if scale is not None and len(scale) < length:
            scale.resize(length, axis=0)
            scale.flush()

    def _reserve(self, size: int) -> None:
        # A write that fails inside HDF5 2.0 corrupts memory and ends in a segmentation fault, so none may
        # fail: the room is taken from the disk before HDF5 is asked to write.
        used = self._file.id.get_filesize()
        disk.allocate(self._file.id.get_vfd_handle(), used, size + _MARGIN)
        if self._guarded:
            # HDF5 itself would mark the file as open, and refuse it when we are dead.
            disk.mark_closed(self._work, used + size + _MARGIN)

    def _close(self) -> None:
        if self._guarded:  # HDF5 cuts the file to what is used, and only then says so in it
            disk.mark_closed(self._work, self._file.id.get_filesize())
        self._file.close()
        self._file = None
        disk.trim(self._work)

    def _abandon(self) -> None:
        if self._file is not None:
            self._close()
        if self._work != self._target:
            self._work.unlink(missing_ok=True)

    @contextmanager
    def _abandoning(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._abandon()
            raise

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            kept = "the file of that name is kept" if self._target.is_file() else "nothing was written"
            raise AxonError(f"cannot write {self.path}: {reason}; {kept}") from error


def _attach_axes(file: Any, name: str, dims: Sequence[str]) -> None:
    stored = file[name]
    for axis, dim in enumerate(dims):
        path = axis_path(name, dim, file)
        if path not in file:  # an axis without values of its own, such as the running number of the spikes
            growing = {"maxshape": (None,), "chunks": (1024,)} if stored.maxshape[axis] is None else {}
            scale = file.create_dataset(path, shape=(stored.shape[axis],), dtype="f4", **growing)
            scale.make_scale(f"{HIDDEN}{stored.shape[axis]:10d}")
        stored.dims[axis].attach_scale(file[path])

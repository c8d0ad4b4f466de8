"""The run file: named arrays with units and labelled axes, plus attributes, in HDF5.

This package knows no run. It writes `Dataset` objects under their path in the file (``"voltage"``,
``"gates/m"``, ``"spikes/time"``) and reads them back bit for bit. Axes are HDF5 dimension scales laid out as
netCDF-4 expects them, so ``xarray.open_dataset(path, engine="h5netcdf")`` gives labelled dimensions.

A file written at once appears under its name only when it is whole. A streamed one (`Writer` with
``stream=True``) grows under its final name in HDF5's single-writer mode, and opens even if its writer is
killed, in any HDF5 library and with no option.
"""

from __future__ import annotations

from axon.storage.layout import FORMAT, FORMAT_VERSION, Dataset
from axon.storage.reading import Entry, StoredArray, contents, read
from axon.storage.writing import Writer, write

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "Dataset",
    "Entry",
    "StoredArray",
    "Writer",
    "contents",
    "read",
    "write",
]

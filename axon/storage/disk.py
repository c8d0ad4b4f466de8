"""Room on the disk, taken before it is needed, and bytes known to have reached it."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path


def allocate(handle: int, start: int, size: int) -> None:
    """Take `size` bytes of disk for an open file, from byte `start` on; an OSError says why not."""
    try:
        os.posix_fallocate(handle, start, size)
        return
    except AttributeError:
        pass  # macOS has no such call
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    free = os.fstatvfs(handle)
    if free.f_bavail * free.f_frsize < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def allocate_new(path: Path, size: int) -> None:
    """Create a file that must not exist yet and take `size` bytes for it; without them there is no file."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    try:
        allocate(handle, 0, size)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(handle)


def allocate_more(path: Path, size: int) -> None:
    """Take `size` bytes beyond the end of a closed file."""
    handle = os.open(path, os.O_RDWR)
    try:
        allocate(handle, os.fstat(handle).st_size, size)
    finally:
        os.close(handle)


def trim(path: Path) -> None:
    """Give back what lies beyond the end of a closed HDF5 file, as its superblock states it."""
    with open(path, "r+b") as raw:
        superblock = raw.read(36)
        (end,) = struct.unpack_from("<Q", superblock, 28)  # HDF5 file format 3.0, II.A, versions 2 and 3
        raw.truncate(end)


def sync(path: Path) -> None:
    """Return when the file, or the folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

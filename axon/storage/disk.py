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
    os.truncate(handle, max(start + size, os.fstat(handle).st_size))


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


def trim(path: Path) -> None:
    """Give back what lies beyond the end of a closed HDF5 file, as its superblock states it."""
    with open(path, "r+b") as raw:
        superblock = raw.read(36)
        (end,) = struct.unpack_from("<Q", superblock, 28)  # HDF5 file format 3.0, II.A, versions 2 and 3
        raw.truncate(end)


def mark_closed(path: Path, end: int) -> None:
    """State the end of an HDF5 file, and that nobody has it open for writing.

    HDF5 refuses to open a file that is marked as open, also when its writer is dead. A file whose datasets
    have been flushed one by one is consistent, and this is all it takes for anyone to read it.

    Parameters
    ----------
    path : Path
    end : int
        Bytes of the file that may be in use.
    """
    with open(path, "r+b") as raw:
        superblock = bytearray(raw.read(48))  # HDF5 file format 3.0, II.A, version 3
        superblock[11] = 0
        struct.pack_into("<Q", superblock, 28, end)
        superblock[44:] = struct.pack("<I", _lookup3(bytes(superblock[:44])))
        raw.seek(0)
        raw.write(superblock)


def _lookup3(key: bytes) -> int:
    """Checksum of HDF5's metadata: lookup3 (Jenkins 2006, public domain), `hashlittle` from 0."""
    a = b = c = (0xDEADBEEF + len(key)) & 0xFFFFFFFF
    words = struct.unpack(f"<{-(-len(key) // 12) * 3}I", key.ljust(-(-len(key) // 12) * 12, b"\0"))
    for at in range(0, len(words) - 3, 3):
        a, b, c = (_wrap(x + y) for x, y in zip((a, b, c), words[at : at + 3], strict=True))
        for turn in (4, 6, 8, 16, 19, 4):
            a, c = _wrap(a - c) ^ _rotated(c, turn), _wrap(c + b)
            a, b, c = b, c, a
    a, b, c = (_wrap(x + y) for x, y in zip((a, b, c), words[-3:], strict=True))
    for turn in (14, 11, 25, 16, 4, 14, 24):
        c = _wrap((c ^ b) - _rotated(b, turn))
        a, b, c = b, c, a
    return b


def _wrap(x: int) -> int:
    return x & 0xFFFFFFFF


def _rotated(x: int, turn: int) -> int:
    return _wrap(x << turn) | x >> (32 - turn)


def sync(path: Path) -> None:
    """Return when the file, or the folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

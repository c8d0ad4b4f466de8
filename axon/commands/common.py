"""What several verbs share: answers, tables, files to read and to write."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

INTERRUPTED = 130


def answer(arguments: argparse.Namespace, facts: Any, *lines: str) -> None:
    """Print one JSON object for a machine, or else the lines for a person."""
    print(json.dumps(facts) if arguments.json else "\n".join(lines))


def table(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows), default=0) + 2
    return [f"{name:<{width}}{text}" for name, text in rows.items()]


def file_argument(one: argparse.ArgumentParser) -> None:
    one.add_argument("file", metavar="FILE", help="a run file, as `axon run` writes it")


def quiet_argument(one: argparse.ArgumentParser) -> None:
    one.add_argument("--quiet", action="store_true", help="no progress bar")


def check_writable(path: str) -> None:
    """Raise OSError unless a file can be made at `path`: better now than after the simulation."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(0, "is a folder; give a file name", path)
    if not target.parent.is_dir():
        raise FileNotFoundError(0, f"there is no folder {target.parent}; make it first", path)
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror}", path) from error


def say_written(arguments: argparse.Namespace) -> None:
    size = os.path.getsize(arguments.output)
    answer(arguments, {"file": arguments.output, "bytes": size}, f"{arguments.output}: {size / 1e6:.3g} MB")

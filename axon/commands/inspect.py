"""Tell what a run or a sweep holds: what was asked, what came out, and where it came from."""

from __future__ import annotations

import argparse
import os
from typing import Any

from axon.commands.common import answer, file_argument


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)


def command(arguments: argparse.Namespace) -> None:
    facts, lines = _described(arguments.file)
    size = os.path.getsize(arguments.file)
    facts = {"file": arguments.file, "bytes": size, **facts}
    answer(arguments, facts, f"{'file':<12}{arguments.file}, {size / 1e6:.3g} MB", *lines)


def _described(path: str) -> tuple[dict[str, Any], list[str]]:
    from axon.storage.tables import TABLE_FORMAT, kind_of

    if kind_of(path) == TABLE_FORMAT:
        from axon.sweeps.describe import describe_sweep, sweep_lines
        from axon.sweeps.result import load_sweep

        sweep = load_sweep(path)
        return describe_sweep(sweep), sweep_lines(sweep)
    from axon.describe import describe, lines
    from axon.run import load

    run = load(path)
    return describe(run), lines(run)

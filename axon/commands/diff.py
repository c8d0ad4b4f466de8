"""Compare two runs: parameters, velocities, the largest difference, and where they first part ways."""

from __future__ import annotations

import argparse
import dataclasses

from axon.commands.common import answer

DIFFERENT = 1  # exit code, as of `diff`


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", metavar="A", help="a run file")
    parser.add_argument("second", metavar="B", help="another")
    parser.add_argument(
        "--tolerance", type=float, default=0.0, metavar="X", help="up to which values count as equal"
    )


def command(arguments: argparse.Namespace) -> int:
    from axon.compare import diff

    found = diff(arguments.first, arguments.second, tolerance=arguments.tolerance)
    if found or arguments.json:
        answer(arguments, dataclasses.asdict(found), str(found))
    return DIFFERENT if found else 0

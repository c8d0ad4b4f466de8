"""Look a run over: mesh, time step, rest, ends, stimulus, sampling, charge, damage; silent if all is well."""

from __future__ import annotations

import argparse
import dataclasses

from axon.commands.common import answer, file_argument

FOUND = 1  # exit code


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument(
        "--patience",
        type=float,
        default=5.0,
        metavar="S",
        help="compute parts of the run once more if that takes no longer (default: %(default)g s)",
    )


def command(arguments: argparse.Namespace) -> int:
    from axon.doctor import check

    found = check(arguments.file, patience=arguments.patience)
    if found or arguments.json:
        facts = {"file": arguments.file, "findings": [dataclasses.asdict(one) for one in found]}
        answer(arguments, facts, *map(str, found))
    return FOUND if found else 0

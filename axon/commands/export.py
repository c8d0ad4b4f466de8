"""Write a run in a format of others: CSV tables, Zarr, or Neurodata Without Borders."""

from __future__ import annotations

import argparse
from pathlib import Path

from axon.commands.common import answer, file_argument

ENDINGS = {"csv": "_csv", "zarr": ".zarr", "nwb": ".nwb"}


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument("--to", required=True, choices=tuple(ENDINGS), help="the format")
    parser.add_argument("-o", "--output", metavar="OUT", help="where it goes (default: beside FILE)")


def command(arguments: argparse.Namespace) -> None:
    from axon.export import export_run

    beside = Path(arguments.file).with_suffix("")
    output = arguments.output or f"{beside}{ENDINGS[arguments.to]}"
    written = export_run(arguments.file, output, to=arguments.to)
    answer(arguments, {"file": str(written)}, f"{written}")

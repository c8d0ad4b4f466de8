"""Draw a run on one page: kymograph, traces and snapshots."""

from __future__ import annotations

import argparse

from axon.commands.common import check_writable, file_argument, say_written


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="OUT.png, OUT.pdf or OUT.svg")


def command(arguments: argparse.Namespace) -> None:
    from axon.draw import plot_run
    from axon.run import load

    outcome = load(arguments.file)
    check_writable(arguments.output)
    plot_run(outcome, arguments.output)
    say_written(arguments)

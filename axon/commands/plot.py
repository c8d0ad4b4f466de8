"""Draw a run or a sweep on one page: kymograph, traces and snapshots; curve, map, boundary or tornado."""

from __future__ import annotations

import argparse

from axon.commands.common import check_writable, file_argument, say_written


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="OUT.png, OUT.pdf or OUT.svg")


def command(arguments: argparse.Namespace) -> None:
    from axon.storage.tables import TABLE_FORMAT, kind_of

    if kind_of(arguments.file) == TABLE_FORMAT:
        from axon.draw.sweep import plot_sweep
        from axon.sweeps.result import load_sweep

        sweep = load_sweep(arguments.file)
        check_writable(arguments.output)
        plot_sweep(sweep, arguments.output)
    else:
        from axon.draw import plot_run
        from axon.run import load

        run = load(arguments.file)
        check_writable(arguments.output)
        plot_run(run, arguments.output)
    say_written(arguments)

"""Draw the spike in motion: GIF, MP4 (needs the extra `video`) or HTML, by the name's ending."""

from __future__ import annotations

import argparse

from axon.commands.common import check_writable, file_argument, quiet_argument, say_written


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="OUT.gif, OUT.mp4 or OUT.html")
    quiet_argument(parser)


def command(arguments: argparse.Namespace) -> None:
    from axon.draw import animate
    from axon.run import load

    outcome = load(arguments.file)
    check_writable(arguments.output)
    animate(outcome, arguments.output, progress=not arguments.quiet)
    say_written(arguments)

"""Write a run as one HTML page to look at in a browser: play, point, take traces; --open shows it."""

from __future__ import annotations

import argparse
from pathlib import Path

from axon.commands.common import check_writable, file_argument, quiet_argument, say_written


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument("-o", "--output", metavar="OUT.html", help="default: FILE's name, ending in .html")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    quiet_argument(parser)


def command(arguments: argparse.Namespace) -> None:
    from axon.draw.viewer import view
    from axon.run import load

    if arguments.output is None:
        arguments.output = str(Path(arguments.file).with_suffix(".html"))
    outcome = load(arguments.file, lazy=True)
    check_writable(arguments.output)
    page = view(outcome, arguments.output, progress=not arguments.quiet)
    say_written(arguments)
    if arguments.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())

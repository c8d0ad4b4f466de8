"""Draw spikes in motion: GIF, MP4 or WebM (these need the extra `video`) or HTML, by the name's ending."""

from __future__ import annotations

import argparse

from axon.commands.common import check_writable, quiet_argument, say_written


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="run files, as `axon run` writes them; all on one clock"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="OUT.gif, OUT.mp4, OUT.webm or OUT.html"
    )
    parser.add_argument(
        "--panels",
        metavar="A,B",
        help="some of voltage,gates,currents,kymograph (default: what was recorded)",
    )
    parser.add_argument("--labels", metavar="A,B", help="what to call each run (default: what differs)")
    parser.add_argument("--fps", type=float, default=20.0, help="frames per second (default: %(default)g)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, metavar="S", help="how long it plays (default: 4)")
    length.add_argument(
        "--pixels", type=float, metavar="N", help="by how many the fastest spike moves from frame to frame"
    )
    quiet_argument(parser)


def command(arguments: argparse.Namespace) -> None:
    from axon.draw import animate
    from axon.run import load

    runs = [load(file) for file in arguments.files]
    check_writable(arguments.output)
    animate(
        runs,
        arguments.output,
        panels=_listed(arguments.panels),
        labels=_listed(arguments.labels),
        fps=arguments.fps,
        duration_s=arguments.seconds,
        pixels_per_frame=arguments.pixels,
        progress=not arguments.quiet,
    )
    say_written(arguments)


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]

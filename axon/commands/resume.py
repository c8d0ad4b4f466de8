"""Carry a run on to a later end, as if it had never stopped; also one that was interrupted or killed."""

from __future__ import annotations

import argparse
import sys
import time

from axon.commands.common import INTERRUPTED, answer, check_writable, file_argument, quiet_argument


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument("--until", type=float, required=True, metavar="MS", help="the new end")
    parser.add_argument("-o", "--output", metavar="FILE.h5", help="where the run goes (default: FILE itself)")
    quiet_argument(parser)


def command(arguments: argparse.Namespace) -> int:
    from axon.describe import velocity_facts, velocity_line
    from axon.onward import resume

    to = arguments.output or arguments.file
    check_writable(to)
    began = time.perf_counter()
    outcome = resume(arguments.file, until=arguments.until, to=to, progress=not arguments.quiet)
    reached = float(outcome.numerics["duration"])
    facts = {
        "file": to,
        "complete": outcome.complete,
        "duration": reached,
        "seconds": time.perf_counter() - began,
        **velocity_facts(outcome),
    }
    taken = f"{facts['seconds']:.2g} s"
    answer(arguments, facts, f"{to}: up to {reached:g} ms; {velocity_line(outcome)}; took {taken}")
    if outcome.complete:
        return 0
    print(f"axon: interrupted; {to} holds the run up to {reached:g} ms", file=sys.stderr)
    return INTERRUPTED

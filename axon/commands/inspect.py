"""Tell what a run or a sweep holds; with --follow, how far a run has come that is still being written."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

from axon.commands.common import answer, file_argument

INTERVAL, PATIENCE = 0.5, 10.0  # s between looks, and without news until a writer counts as gone


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    parser.add_argument(
        "--follow", action="store_true", help="show the progress of a growing run until it is complete"
    )


def command(arguments: argparse.Namespace) -> int:
    if arguments.follow:
        return _follow(arguments)
    facts, lines = _described(arguments.file)
    size = os.path.getsize(arguments.file)
    facts = {"file": arguments.file, "bytes": size, **facts}
    answer(arguments, facts, f"{'file':<12}{arguments.file}, {size / 1e6:.3g} MB", *lines)
    return 0


def _follow(arguments: argparse.Namespace) -> int:
    """One line for every piece of news, until the run is complete or nothing more comes."""
    from axon.describe import growth

    known: dict[str, Any] = {}
    news = time.monotonic()
    while True:
        facts = growth(arguments.file)
        if facts != known:
            known, news = facts, time.monotonic()
            line = "{reached:g} of {duration:g} ms, {crossings} crossings, {megabytes:.3g} MB".format(
                **facts, megabytes=facts["bytes"] / 1e6
            )
            print(json.dumps(facts) if arguments.json else line, flush=True)
        if facts["complete"]:
            return 0
        if time.monotonic() - news > PATIENCE:
            raise TimeoutError(
                f"{arguments.file}: nothing was added for {PATIENCE:g} s; `axon resume {arguments.file} "
                f"--until {facts['duration']:g}` carries the run on if its writer is dead"
            )
        time.sleep(INTERVAL)


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

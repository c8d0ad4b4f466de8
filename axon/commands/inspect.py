"""Tell what a run holds: model, numerics, what was recorded, spikes, velocity, provenance."""

from __future__ import annotations

import argparse
import os

from axon.commands.common import answer, file_argument


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)


def command(arguments: argparse.Namespace) -> None:
    from axon.describe import describe, lines
    from axon.run import load

    outcome = load(arguments.file)
    size = os.path.getsize(arguments.file)
    facts = {"file": arguments.file, "bytes": size, **describe(outcome)}
    answer(arguments, facts, f"{'file':<12}{arguments.file}, {size / 1e6:.3g} MB", *lines(outcome))

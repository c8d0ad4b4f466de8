"""Measure the conduction velocity in a run; --error runs its axon again for an error bar."""

from __future__ import annotations

import argparse
import dataclasses

from axon.commands.common import answer, file_argument, quiet_argument


def arguments(parser: argparse.ArgumentParser) -> None:
    file_argument(parser)
    quiet_argument(parser)
    parser.add_argument(
        "--error", action="store_true", help="extrapolate from further runs of the same axon, with error bar"
    )
    parser.add_argument(
        "--accuracy", type=float, metavar="REL", help="the same, as cheaply as this relative accuracy allows"
    )


def command(arguments: argparse.Namespace) -> None:
    from axon.describe import velocity_facts
    from axon.run import load

    outcome = load(arguments.file)
    found = outcome.velocity()  # where there is none, that is an error
    if not arguments.error and arguments.accuracy is None:
        text = f"{found}; errors of step and mesh: --error"
        answer(arguments, {"file": arguments.file, **velocity_facts(outcome)}, text)
        return
    from axon.protocols.velocity import measure_velocity

    measured = measure_velocity(
        outcome.axon,
        outcome.stimuli,
        accuracy=arguments.accuracy,
        threshold=outcome.record.threshold,
        progress=not arguments.quiet,
    )
    facts = {"file": arguments.file, **dataclasses.asdict(measured)}
    facts |= {key: None for key, value in facts.items() if value != value}  # JSON has no nan
    answer(arguments, facts, str(measured), f"of this file alone: {found}")

"""List the membrane models."""

from __future__ import annotations

import argparse

from axon.commands.common import answer, table


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def command(arguments: argparse.Namespace) -> None:
    from axon.membranes import MODELS

    first_lines = {name: (model.__doc__ or "").strip().split("\n")[0] for name, model in MODELS.items()}
    answer(arguments, first_lines, *table(first_lines))

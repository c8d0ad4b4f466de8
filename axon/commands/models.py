"""List the membrane models, or print the validation card of one."""

from __future__ import annotations

import argparse
import dataclasses

from axon.commands.common import answer, table


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="whose card; without it, a list of all")
    parser.add_argument("--measure", action="store_true", help="measure the card now, which takes a minute")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def command(arguments: argparse.Namespace) -> None:
    if arguments.name is None:
        listing(arguments)
    else:
        card(arguments)


def listing(arguments: argparse.Namespace) -> None:
    """Every model: what it is, how fast its spike is, and where it is from."""
    from axon.cards import CARDS
    from axon.cards.stored import stored
    from axon.cards.text import velocity_of
    from axon.membranes import MODELS

    facts, rows = {}, {}
    for name, model in MODELS.items():
        line = (model.__doc__ or "").strip().split("\n")[0]
        known = CARDS.get(name)
        velocity = "" if known is None else velocity_of(known, stored(known))
        source = "" if known is None else known.paper
        facts[name] = {"model": line, "velocity": velocity, "paper": source}
        rows[name] = f"{line} {velocity}".rstrip()
    answer(arguments, facts, *table(rows))


def card(arguments: argparse.Namespace) -> None:
    """The card of one model, with our numbers as the study left them, or measured now."""
    from axon.cards import CARDS
    from axon.cards.measure import measure
    from axon.cards.stored import stored
    from axon.cards.text import lines_of
    from axon.errors import unknown_name

    name = arguments.name.replace("-", "_").lower()
    if name not in CARDS:
        raise ValueError(unknown_name("card of a model", arguments.name, CARDS))
    known = CARDS[name]
    ours = measure(known, progress=not arguments.quiet) if arguments.measure else stored(known)
    facts = dataclasses.asdict(known) | {"here": {key: dataclasses.asdict(one) for key, one in ours.items()}}
    facts["fibre"] = known.fibre is not None
    hint = (
        [] if ours else ["", "not measured here yet: --measure does it now, `axon study model_cards` for all"]
    )
    answer(arguments, facts, *lines_of(known, ours), *hint)

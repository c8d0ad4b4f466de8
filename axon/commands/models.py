"""List the membrane models, or print the validation card of one."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

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
    """Every model: how fast its spike is, what it is, and where it is from."""
    from axon.cards import CARDS
    from axon.cards.stored import stored
    from axon.cards.text import velocity_of
    from axon.membranes import MODELS

    facts, rows = {}, {}
    for name, known in CARDS.items():
        velocity = velocity_of(known, stored(known))
        facts[name] = {"model": known.animal, "velocity": velocity, "paper": known.paper}
        rows[name] = f"{velocity:<30}{known.animal}; {known.paper}"
    for name in [name for name in MODELS if name not in CARDS]:
        words = (MODELS[name].__doc__ or "").strip().split("\n")[0]
        facts[name] = {"model": words, "velocity": "", "paper": ""}
        rows[name] = f"{'-':<30}{words}"
    answer(arguments, facts, *table(rows))


def card(arguments: argparse.Namespace) -> None:
    """The card of one model, with our numbers as the study left them, or measured now."""
    from axon.cards import CARDS
    from axon.cards.measure import measure
    from axon.cards.stored import stored
    from axon.cards.text import lines_of
    from axon.errors import unknown_name
    from axon.membranes import MODELS

    name = arguments.name.replace("-", "_").lower()
    if name not in {**CARDS, **MODELS}:
        raise ValueError(unknown_name("model", arguments.name, {**CARDS, **MODELS}))
    if name not in CARDS:
        membrane(arguments, name)
        return
    known = CARDS[name]
    ours = measure(known, progress=not arguments.quiet) if arguments.measure else stored(known)
    facts: dict[str, Any] = {"lines": [dataclasses.asdict(line) for line in known.lines]}
    facts |= {
        part: getattr(known, part) for part in ("name", "animal", "paper", "numbers", "celsius", "diameter")
    }
    facts |= {"here": {key: dataclasses.asdict(one) for key, one in ours.items()}}
    hint = (
        [] if ours else ["", "not measured here yet: --measure does it now, `axon study model_cards` for all"]
    )
    answer(arguments, facts, *lines_of(known, ours), *hint)


def membrane(arguments: argparse.Namespace, name: str) -> None:
    """What a membrane without a card is made of."""
    from axon.membranes import MODELS

    own = MODELS[name]()
    words = (MODELS[name].__doc__ or "").strip().split("\n")[0]
    channels = {channel.name: _channel(channel) for channel in own.channels}
    fibre = name.removesuffix("_node")
    hint = [] if fibre == name else ["", f"the card of its fibre: axon models {fibre}"]
    facts = {"name": name, "model": words, "capacitance": own.capacitance, "channels": channels}
    answer(arguments, facts, f"{name}: {words}", f"{own.capacitance:g} uF/cm2", *table(channels), *hint)


def _channel(channel: Any) -> str:
    """A channel that conducts, in words; of others what they say of themselves."""
    if not hasattr(channel, "conductance"):
        return repr(channel)
    gates = [f"{gate.name}{gate.exponent if gate.exponent > 1 else ''}" for gate in channel.gates]
    return ", ".join(
        [
            f"{channel.conductance:g} S/cm2",
            f"reverses at {channel.reversal:g} mV",
            *([" ".join(gates)] if gates else []),
        ]
    )

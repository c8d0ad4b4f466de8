"""A card in words, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping

from axon.cards.card import Card, Figure
from axon.cards.measure import Measured

EXACT = 1e-8  # an error that needs no telling, in any unit
MOST = 6  # decimals


def lines_of(card: Card, ours: Mapping[str, Measured]) -> list[str]:
    """The card as lines: what it is of, its numbers side by side, and the reasons where they differ."""
    rows = [("", "here", "paper", "another program")]
    for line in card.lines:
        name, unit = card.meaning(line)
        mine = ours.get(card.key(line))
        rows.append((f"{name} ({unit})", with_error(mine), _number(line.paper), _number(line.other)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    where = f"a fibre of {card.diameter:g} um" if card.patch is None else "a patch"
    head = [f"{card.name}: {card.animal}, {where} at {card.celsius:g} degC", f"paper: {card.paper}"]
    reasons = [f"{card.key(line)} differs: {line.why}" for line in card.lines if line.why]
    return [*head, f"numbers: {card.numbers}", "", *table, "", *_sources(card), *reasons]


def with_error(measured: Measured | None) -> str:
    """Value and error, with as many decimals as the error allows."""
    if measured is None:
        return "-"
    if measured.error < EXACT:
        return f"{measured.value:.6f}"
    decimals = min(MOST, max(0, 1 - math.floor(math.log10(measured.error))))
    error = (
        f"{measured.error:.{decimals}f}" if measured.error >= 0.5 * 10**-MOST else f"<{10**-MOST:.{MOST}f}"
    )
    return f"{measured.value:.{decimals}f} ± {error}"


def velocity_of(card: Card, ours: Mapping[str, Measured]) -> str:
    """The first velocity of a card in words, ours where it is known, else the other program's."""
    for line in card.lines:
        if line.quantity != "velocity":
            continue
        mine, known = ours.get(card.key(line)), line.other or line.paper
        value = mine.value if mine is not None else known.value if known is not None else None
        if value is not None:
            return f"{value:.3g} m/s at {line.diameter or card.diameter:g} um, {card.celsius:g} degC"
    return ""


def _number(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:g}"


def _sources(card: Card) -> list[str]:
    """Where the figures that are not ours are from, each source once."""
    seen: dict[str, list[str]] = {}
    for line in card.lines:
        for figure in (line.paper, line.other):
            if figure is not None:
                seen.setdefault(figure.source, []).append(card.key(line))
    return [f"{', '.join(dict.fromkeys(names))}: {source}" for source, names in seen.items()]

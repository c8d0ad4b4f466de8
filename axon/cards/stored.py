"""What ``studies/model_cards.py`` measured: from the results of a checkout, or the copy in a wheel."""

from __future__ import annotations

import json
from pathlib import Path

from axon.cards.card import Card
from axon.cards.measure import Measured

COPY = Path(__file__).resolve().with_name("measured.json")
RESULTS = COPY if COPY.is_file() else COPY.parents[2] / "results" / "model_cards" / "answer.json"


def stored(card: Card, path: Path = RESULTS) -> dict[str, Measured]:
    """The lines of a card as the study left them; empty before it was run."""
    if not path.is_file():
        return {}
    lines = json.loads(path.read_text(encoding="utf-8"))["cards"].get(card.name, {})
    return {key: Measured(line["value"], line["error"]) for key, line in lines.items()}

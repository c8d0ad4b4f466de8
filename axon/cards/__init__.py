"""Validation cards of the published models: ours, the paper's and another program's numbers side by side."""

from __future__ import annotations

from axon.cards.c_fibres import RATTAY_ABERHAM, SCHILD_1994, SCHILD_1997, SUNDT, TIGERHOLM
from axon.cards.card import Card, Figure, Line
from axon.cards.myelinated import GAINES_MOTOR, GAINES_SENSORY, MRG, SWEENEY
from axon.cards.nodes import FRANKENHAEUSER_HUXLEY, SCHWARZ_EIKHOF, SCHWARZ_REID_BOSTOCK
from axon.cards.squid import HODGKIN_HUXLEY

CARDS: dict[str, Card] = {
    card.name: card
    for card in (
        HODGKIN_HUXLEY,
        FRANKENHAEUSER_HUXLEY,
        SWEENEY,
        SCHWARZ_EIKHOF,
        SCHWARZ_REID_BOSTOCK,
        MRG,
        GAINES_MOTOR,
        GAINES_SENSORY,
        RATTAY_ABERHAM,
        SUNDT,
        SCHILD_1994,
        SCHILD_1997,
        TIGERHOLM,
    )
}

__all__ = ["CARDS", "Card", "Figure", "Line"]

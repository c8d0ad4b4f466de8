"""Validation cards of the published models: ours, the paper's and another program's numbers side by side."""

from __future__ import annotations

from axon.cards.c_fibres import RATTAY_ABERHAM, SUNDT
from axon.cards.card import Card, Figure, Line
from axon.cards.nodes import (
    FRANKENHAEUSER_HUXLEY,
    GAINES_MOTOR_NODE,
    GAINES_SENSORY_NODE,
    MRG_NODE,
    SCHWARZ_EIKHOF,
    SCHWARZ_REID_BOSTOCK,
    SWEENEY,
)
from axon.cards.squid import HODGKIN_HUXLEY

CARDS: dict[str, Card] = {
    card.model: card
    for card in (
        HODGKIN_HUXLEY,
        FRANKENHAEUSER_HUXLEY,
        SWEENEY,
        SCHWARZ_EIKHOF,
        SCHWARZ_REID_BOSTOCK,
        MRG_NODE,
        GAINES_MOTOR_NODE,
        GAINES_SENSORY_NODE,
        RATTAY_ABERHAM,
        SUNDT,
    )
}

__all__ = ["CARDS", "Card", "Figure", "Line"]

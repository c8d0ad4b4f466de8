"""What a patch of membrane does: gates, channels, membranes, and one published model per file."""

from __future__ import annotations

from collections.abc import Callable

from axon.errors import unknown_name
from axon.membranes.frankenhaeuser_huxley import frankenhaeuser_huxley
from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.hodgkin_huxley import hodgkin_huxley
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.passive import passive

MODELS: dict[str, Callable[[], Membrane]] = {
    "hodgkin_huxley": hodgkin_huxley,
    "frankenhaeuser_huxley": frankenhaeuser_huxley,
    "passive": passive,
}


def model(name: str) -> Membrane:
    """The published membrane called ``name``; dashes and underscores are the same.

    Raises
    ------
    ValueError
        For a name that is not known, with the near ones.
    """
    key = name.replace("-", "_").lower()
    if key not in MODELS:
        raise ValueError(unknown_name("model", name, MODELS))
    return MODELS[key]()


__all__ = [
    "MODELS",
    "Channel",
    "Gate",
    "Membrane",
    "PermeableChannel",
    "frankenhaeuser_huxley",
    "hodgkin_huxley",
    "model",
    "passive",
]

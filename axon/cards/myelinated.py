"""Myelinated fibres of 10 um at 37 degC, beside NEURON with the same compartments."""

from __future__ import annotations

from typing import Any

from axon.cards.card import Card, Said, lines
from axon.cards.nodes import fibre

STEPS = "backward Euler at 2, 1 and 0.5 us, extrapolated to dt -> 0"
PYFIBERS = f"NEURON 9.0.2 with PyFibers' fibre, {STEPS}"
AUTHORS = f"NEURON 9.0.2 with the authors' mechanisms (ModelDB 243841), {STEPS}"
SHORT = "fibre of 21 nodes"


def myelinated_fibre(name: str, **facts: Any) -> Card:
    """The card of a fibre of 10 um."""
    return Card(name=name, celsius=37.0, fibre=fibre(name), diameter=10.0, duration=4.0, **facts)


SWEENEY = myelinated_fibre(
    "sweeney",
    animal="rabbit fibre",
    paper="Sweeney, Mortimer & Durand, IEEE/EMBS 9th Ann. Conf., 1577-1578, 1987",
    numbers="sweeney.mod and models/sweeney.py of PyFibers",
    dt=0.001,
    lines=lines(
        Said(
            rest=(-79.9992646, 1e-6),
            height=(90.3707, 0.05),
            width=0.167790,
            threshold=1.2543,
            velocity=(56.8996, 0.06),
        ),
        {"velocity": PYFIBERS, "threshold": "the same, bisected at 2 and 1 us"},
        paper=Said(rest=(-80.0, 0.01), velocity=57.0),
        also={5.0: None, 20.0: None},
    ),
)

MRG = myelinated_fibre(
    "mrg",
    animal="mammalian motor fibre",
    paper="McIntyre, Richardson & Grill, J. Neurophysiol. 87:995-1006, 2002",
    numbers="AXNODE.mod and MRGaxon.hoc of ModelDB 3810",
    dt=0.001,
    lines=lines(
        Said(
            rest=(-79.9593434, 1e-4),
            height=(109.0893, 0.05),
            width=0.299860,
            threshold=0.29993,
            velocity=(56.2450, 0.06),
        ),
        {"velocity": PYFIBERS, "threshold": f"the same, bisected at 2 and 1 us, {SHORT}"},
        paper=Said(rest=(-80.0, 0.05)),
        also={5.7: (25.7999, 0.03), 16.0: None},
    ),
)

GAINES: dict[str, Any] = {
    "paper": "Gaines et al., J. Comput. Neurosci. 45:29-43, 2018",
    "numbers": "ModelDB 243841",
    "dt": 0.0005,
}
BY_GAINES: dict[str, Any] = {
    "source": {"velocity": AUTHORS, "threshold": f"the same, bisected at 4 and 2 us, {SHORT}"},
    "paper_source": "ModelDB 243841, its start",
    "also": {5.7: None, 16.0: None},
}

GAINES_MOTOR = myelinated_fibre(
    "gaines_motor",
    animal="human motor fibre",
    **GAINES,
    lines=lines(
        Said(
            rest=(-85.923177, 1e-3),
            height=(117.2893, 0.05),
            width=0.235233,
            threshold=0.7075,
            velocity=(50.8678, 0.05),
        ),
        **BY_GAINES,
        paper=Said(rest=(-85.9411, 0.02)),
    ),
)

GAINES_SENSORY = myelinated_fibre(
    "gaines_sensory",
    animal="human sensory fibre",
    **GAINES,
    lines=lines(
        Said(
            rest=(-79.3518494, 1e-3),
            height=(106.0867, 0.05),
            width=0.191783,
            threshold=0.3657,
            velocity=(54.0939, 0.05),
        ),
        **BY_GAINES,
        paper=Said(rest=(-79.3565, 0.02)),
    ),
)

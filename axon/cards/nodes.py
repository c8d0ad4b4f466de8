"""Nodes of Ranvier whose papers give no fibre: a patch, beside the same patch integrated by SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axon.cards.card import Card, Said, lines
from axon.fibres import myelinated
from axon.geometry import Axon
from axon.membranes import Membrane, frankenhaeuser_huxley, schwarz_eikhof, schwarz_reid_bostock

SCIPY = "the same patch by SciPy's LSODA, relative tolerance 1e-9"
NODES = 41


def fibre(model: str) -> Callable[[float], Axon]:
    """Myelinated fibres of one model, by diameter."""
    return lambda diameter: myelinated(diameter, model, nodes=NODES)


def node(
    membrane: Callable[[], Membrane], paper_rest: tuple[float, float], scipy: Said, **facts: Any
) -> Card:
    """The card of a node, its spike that of a patch; its fibre is of 10 um."""
    return Card(
        name=membrane.__name__,
        fibre=fibre(membrane.__name__),
        diameter=10.0,
        patch=membrane(),
        lines=lines(scipy, SCIPY, paper=Said(rest=paper_rest), also={20.0: None}),
        **facts,
    )


FRANKENHAEUSER_HUXLEY = node(
    frankenhaeuser_huxley,
    (-70.0, 0.25),
    Said((-69.7668516, 1e-6), (114.861509, 0.005), (0.622502, 1e-4), (349.4886, 3e-4 * 349.4886)),
    animal="frog node (Xenopus laevis); fibre of McNeal 1976",
    paper="Frankenhaeuser & Huxley, J. Physiol. 171:302-315, 1964",
    numbers="table 1 of the paper; Q10 as in NEURON's fh mechanism",
    celsius=20.0,
    density=2000.0,
)

SCHWARZ_EIKHOF = node(
    schwarz_eikhof,
    (-78.0, 0.01),
    Said((-78.0002461, 1e-6), (99.766328, 0.005), (0.1397229, 1e-4), (1540.194, 3e-4 * 1540.194)),
    animal="rat node; fibre of Sweeney 1987",
    paper="Schwarz & Eikhof, Pflugers Arch. 409:569-577, 1987",
    numbers="Rattay & Aberham 1993 by way of se.mod of JimHokanson/matlab_NEURON",
    celsius=37.0,
    density=4000.0,
)

SCHWARZ_REID_BOSTOCK = node(
    schwarz_reid_bostock,
    (-84.0, 0.25),
    Said((-83.8088838, 1e-6), (112.6375, 0.005), (0.2401747, 1e-4), (676.7169, 3e-4 * 676.7169)),
    animal="human node; fibre of Sweeney 1987",
    paper="Schwarz, Reid & Bostock, Pflugers Arch. 430:283-292, 1995",
    numbers="srb.mod of JimHokanson/matlab_NEURON, per area of 50 um2",
    celsius=37.0,
    density=3500.0,
)

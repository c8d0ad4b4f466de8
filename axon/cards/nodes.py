"""Nodes of Ranvier whose papers give no fibre: a patch, beside the same patch integrated by SciPy."""

from __future__ import annotations

from collections.abc import Callable

from axon.cards.card import Card, Figure, Line
from axon.fibres import myelinated
from axon.geometry import Axon
from axon.membranes import frankenhaeuser_huxley, schwarz_eikhof, schwarz_reid_bostock

SCIPY = "the same patch by SciPy's LSODA, relative tolerance 1e-9"
NODES = 41


def fibre(model: str) -> Callable[[float], Axon]:
    """Myelinated fibres of one model, by diameter."""
    return lambda diameter: myelinated(diameter, model, nodes=NODES)


def patch(rest: float, nominal: Figure, height: float, width: float, threshold: float) -> tuple[Line, ...]:
    """The lines of a node: its paper's rest, and what SciPy finds for the patch."""
    return (
        Line("rest", nominal, Figure(rest, SCIPY, 1e-6)),
        Line("height", None, Figure(height, SCIPY, 0.005)),
        Line("width", None, Figure(width, SCIPY, 1e-4)),
        Line("threshold", None, Figure(threshold, SCIPY, 3e-4 * threshold)),
        Line("refractory"),
        Line("velocity"),
        Line("velocity", diameter=20.0),
    )


FRANKENHAEUSER_HUXLEY = Card(
    name="frankenhaeuser_huxley",
    animal="frog node (Xenopus laevis); fibre of McNeal 1976",
    paper="Frankenhaeuser & Huxley, J. Physiol. 171:302-315, 1964",
    numbers="table 1 of the paper; Q10 as in NEURON's fh mechanism",
    celsius=20.0,
    fibre=fibre("frankenhaeuser_huxley"),
    diameter=10.0,
    patch=frankenhaeuser_huxley(),
    density=2000.0,
    lines=patch(-69.7668516, Figure(-70.0, "the paper", 0.25), 114.861509, 0.622502, 349.4886),
)
SCHWARZ_EIKHOF = Card(
    name="schwarz_eikhof",
    animal="rat node; fibre of Sweeney 1987",
    paper="Schwarz & Eikhof, Pflugers Arch. 409:569-577, 1987",
    numbers="Rattay & Aberham 1993 by way of se.mod of JimHokanson/matlab_NEURON",
    celsius=37.0,
    fibre=fibre("schwarz_eikhof"),
    diameter=10.0,
    patch=schwarz_eikhof(),
    density=4000.0,
    lines=patch(-78.0002461, Figure(-78.0, "the paper", 0.01), 99.766328, 0.1397229, 1540.194),
)
SCHWARZ_REID_BOSTOCK = Card(
    name="schwarz_reid_bostock",
    animal="human node; fibre of Sweeney 1987",
    paper="Schwarz, Reid & Bostock, Pflugers Arch. 430:283-292, 1995",
    numbers="srb.mod of JimHokanson/matlab_NEURON, per area of 50 um2",
    celsius=37.0,
    fibre=fibre("schwarz_reid_bostock"),
    diameter=10.0,
    patch=schwarz_reid_bostock(),
    density=3500.0,
    lines=patch(-83.8088838, Figure(-84.0, "the paper", 0.25), 112.6375, 0.2401747, 676.7169),
)

"""Myelinated fibres as a single cable: nodes joined by internodes that nothing leaks from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from axon.checks import positive
from axon.fibres.building import fibre
from axon.geometry import Axon, Section
from axon.membranes import (
    Membrane,
    frankenhaeuser_huxley,
    insulator,
    schwarz_eikhof,
    schwarz_reid_bostock,
    sweeney,
)


class Plan(NamedTuple):
    """How a fibre follows from its diameter."""

    membrane: Callable[[], Membrane]
    celsius: float  # degC
    node: float  # length of a node, um
    ratio: float  # diameter of the axon over that of the fibre
    spacing: float  # from node to node, in diameters of the fibre
    resistivity: float  # of axoplasm, ohm cm


# Sweeney, Mortimer & Durand 1987, by way of PyFibers.
SWEENEY = Plan(sweeney, 37.0, 1.5, 0.6, 100.0, 54.7)
# D. R. McNeal, IEEE Trans. Biomed. Eng. 23:329, 1976, with the frog's node.
MCNEAL = Plan(frankenhaeuser_huxley, 20.0, 2.5, 0.7, 100.0, 110.0)
# Of the rat's and the human node the papers give no fibre. They stand in the rabbit's: in McNeal's, with its
# larger nodes and twice the resistivity, the rat's node does not conduct.
RAT = SWEENEY._replace(membrane=schwarz_eikhof)
HUMAN = SWEENEY._replace(membrane=schwarz_reid_bostock)


def single_cable(plan: Plan) -> Callable[..., Axon]:
    """The builder of a plan's fibres: ``builder(diameter, nodes=41)``."""

    def build(diameter: float, *, nodes: int) -> Axon:
        axon = plan.ratio * positive("diameter", diameter, "um")
        node = Section(plan.node, axon, plan.membrane(), plan.resistivity, plan.celsius, nseg=1)
        length = plan.spacing * diameter - plan.node
        internode = Section(length, axon, insulator(), plan.resistivity, plan.celsius)
        return fibre(node, internode, nodes=nodes)

    return build

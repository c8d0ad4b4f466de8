"""Human motor and sensory fibre: J. L. Gaines et al., J. Comput. Neurosci. 45:29-43, 2018.

Geometry of the authors' own program (ModelDB 243841, motor_final.hoc): straight lines and logarithms through
the table of MRG, 5.7 to 16 um. Its conductances under the myelin count per area of the fibre's outer surface,
its capacitances per area of the axolemma.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from axon.checks import positive
from axon.fibres.building import CELSIUS, MYSA_SPACE, RESISTIVITY, double_cable_internode, fibre
from axon.fibres.mrg import INTERNODE_SPACE, NODE_LENGTH
from axon.geometry import Axon, Myelin, Section
from axon.membranes import (
    Membrane,
    gaines_motor_internode,
    gaines_motor_node,
    gaines_motor_paranode,
    gaines_sensory_internode,
    gaines_sensory_node,
    gaines_sensory_paranode,
)

SMALLEST, LARGEST = 5.7, 16.0  # um


def gaines_motor(diameter: float, *, nodes: int) -> Axon:
    """A human motor fibre of a diameter (um), from its first node to its last, with the published mesh."""
    return _fibre(diameter, nodes, gaines_motor_node, gaines_motor_paranode, gaines_motor_internode)


def gaines_sensory(diameter: float, *, nodes: int) -> Axon:
    """A human sensory fibre of a diameter (um), from its first node to its last, with the published mesh."""
    return _fibre(diameter, nodes, gaines_sensory_node, gaines_sensory_paranode, gaines_sensory_internode)


def _fibre(
    diameter: float,
    nodes: int,
    node_membrane: Callable[[], Membrane],
    paranode_membrane: Callable[[], Membrane],
    internode_membrane: Callable[[], Membrane],
) -> Axon:
    positive("diameter", diameter, "um")
    if not SMALLEST <= diameter <= LARGEST:
        raise ValueError(
            f"diameter must be {SMALLEST:g} to {LARGEST:g} um for a fibre of Gaines 2018, got {diameter!r}"
        )
    axon, node, paranode = 0.889 * diameter - 1.9104, 0.3449 * diameter - 0.1484, 0.3527 * diameter - 0.1804
    spacing, flut = 969.3 * math.log(diameter) - 1144.6, 2.5811 * diameter + 19.59
    wrap = Myelin(
        lamellae=65.897 * math.log(diameter) - 32.666,
        space=INTERNODE_SPACE,
        diameter=diameter,
        resistivity=RESISTIVITY,
    )
    bare = replace(wrap, lamellae=0, space=MYSA_SPACE)

    def dense(membrane: Membrane, width: float) -> Membrane:
        return membrane.scaled(**{channel.name: diameter / width for channel in membrane.channels})

    internode = double_cable_internode(
        spacing - NODE_LENGTH,
        diameter=axon,
        myelin=wrap,
        internode=dense(internode_membrane(), axon),
        paranode=dense(paranode_membrane(), paranode),
        paranode_diameter=paranode,
        flut_length=flut,
    )
    return fibre(
        Section(NODE_LENGTH, node, node_membrane(), RESISTIVITY, CELSIUS, bare, nseg=1),
        internode,
        nodes=nodes,
    )

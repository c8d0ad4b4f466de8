"""Mammalian motor fibre: McIntyre, Richardson and Grill, J. Neurophysiol. 87:995-1006, 2002 (MRG).

Geometry of the authors' own program (ModelDB 3810, MRGaxon.hoc), which the paper's table 1 rounds.
"""

from __future__ import annotations

from dataclasses import replace

from axon.fibres.building import CELSIUS, MYSA_SPACE, RESISTIVITY, double_cable_internode, fibre
from axon.fibres.mrg_dimensions import INTERPOLATIONS, dimensions
from axon.geometry import Axon, Myelin, Section
from axon.membranes import mrg_internode, mrg_node, mrg_paranode

NODE_LENGTH = 1.0  # um
INTERNODE_SPACE = 0.004  # um, periaxonal


def mrg(diameter: float, *, nodes: int, interpolation: str = "linear") -> Axon:
    """A fibre of the MRG model, from its first node to its last, with the published mesh.

    Parameters
    ----------
    diameter : float
        Of the fibre with its myelin, um.
    nodes : int
    interpolation : str
        A name in ``INTERPOLATIONS``, which finds the dimensions from the diameter.
    """
    row = dimensions(diameter, interpolation)
    wrap = Myelin(lamellae=row.lamellae, space=INTERNODE_SPACE, diameter=row.fibre, resistivity=RESISTIVITY)
    bare = replace(wrap, lamellae=0, space=MYSA_SPACE)
    membrane = mrg_node()
    densities = INTERPOLATIONS[interpolation].node
    if densities:
        membrane = membrane.scaled(**densities)
    node = Section(NODE_LENGTH, row.node, membrane, RESISTIVITY, CELSIUS, bare, nseg=1)
    internode = double_cable_internode(
        row.spacing - NODE_LENGTH,
        diameter=row.axon,
        myelin=wrap,
        internode=mrg_internode(),
        paranode=mrg_paranode(),
        paranode_diameter=row.node,
        flut_length=row.flut,
    )
    return fibre(node, internode, nodes=nodes)

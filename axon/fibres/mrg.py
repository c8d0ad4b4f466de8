"""Mammalian motor fibre: McIntyre, Richardson and Grill, J. Neurophysiol. 87:995-1006, 2002 (MRG).

Geometry of the authors' own program (ModelDB 3810, MRGaxon.hoc), which the paper's table 1 rounds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from axon.checks import positive
from axon.geometry import Axon, Myelin, Section
from axon.membranes import Membrane, mrg_internode, mrg_node, mrg_paranode

RESISTIVITY = 70.0  # ohm cm, of axoplasm and of the fluid under the myelin
NODE_LENGTH, MYSA_LENGTH = 1.0, 3.0  # um
NODE_SPACE, INTERNODE_SPACE = 0.002, 0.004  # um, periaxonal
STIN_PER_INTERNODE = 6
CELSIUS = 37.0


class Row(NamedTuple):
    """A fibre of the published table, um (but for the number of lamellae)."""

    fibre: float
    axon: float
    node: float
    spacing: float  # from node to node
    flut: float  # length
    lamellae: float


# MRGaxon.hoc, and for 1 and 2 um PyFibers (wmglab-duke/pyfibers, models/mrg.py).
TABLE = (
    Row(1.0, 0.8, 0.7, 100.0, 5.0, 15.0),
    Row(2.0, 1.6, 1.4, 200.0, 10.0, 30.0),
    Row(5.7, 3.4, 1.9, 500.0, 35.0, 80.0),
    Row(7.3, 4.6, 2.4, 750.0, 38.0, 100.0),
    Row(8.7, 5.8, 2.8, 1000.0, 40.0, 110.0),
    Row(10.0, 6.9, 3.3, 1150.0, 46.0, 120.0),
    Row(11.5, 8.1, 3.7, 1250.0, 50.0, 130.0),
    Row(12.8, 9.2, 4.2, 1350.0, 54.0, 135.0),
    Row(14.0, 10.4, 4.7, 1400.0, 56.0, 140.0),
    Row(15.0, 11.5, 5.0, 1450.0, 58.0, 145.0),
    Row(16.0, 12.7, 5.5, 1500.0, 60.0, 150.0),
)


def dimensions(diameter: float) -> Row:
    """The fibre of one diameter (um): a row of the table, or between two of them by straight lines.

    Raises
    ------
    ValueError
        Outside the table, 1 to 16 um.
    """
    positive("diameter", diameter, "um")
    fibres = [row.fibre for row in TABLE]
    if not fibres[0] <= diameter <= fibres[-1]:
        raise ValueError(
            f"diameter must be {fibres[0]:g} to {fibres[-1]:g} um for an MRG fibre, got {diameter!r}"
        )
    return Row(*(float(np.interp(diameter, fibres, column)) for column in np.array(TABLE).T))


def mrg(diameter: float, *, nodes: int) -> Axon:
    """A fibre of the MRG model, from its first node to its last, with the published mesh.

    Parameters
    ----------
    diameter : float
        Of the fibre with its myelin, um.
    nodes : int
    """
    row = dimensions(diameter)
    wrap = Myelin(lamellae=row.lamellae, space=INTERNODE_SPACE, diameter=row.fibre, resistivity=RESISTIVITY)
    bare = replace(wrap, lamellae=0, space=NODE_SPACE)
    stin_length = (row.spacing - NODE_LENGTH - 2 * MYSA_LENGTH - 2 * row.flut) / STIN_PER_INTERNODE

    def section(length: float, diameter: float, membrane: Membrane, myelin: Myelin) -> Section:
        return Section(length, diameter, membrane, RESISTIVITY, CELSIUS, myelin, nseg=1)

    node = section(NODE_LENGTH, row.node, mrg_node(), bare)
    mysa = section(MYSA_LENGTH, row.node, mrg_paranode(), replace(wrap, space=NODE_SPACE))
    flut = section(row.flut, row.axon, mrg_internode(), wrap)
    stin = section(stin_length, row.axon, mrg_internode(), wrap)
    internode = [mysa, flut, *[stin] * STIN_PER_INTERNODE, flut, mysa]
    return Axon(sections=[node, *[part for _ in range(nodes - 1) for part in (*internode, node)]])

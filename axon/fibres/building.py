"""Fibres of one's own: nodes, and internodes as a single cable or a double one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from axon.checks import positive
from axon.geometry import Axon, Myelin, Section
from axon.membranes import Channel, Membrane, passive

CELSIUS = 37.0
RESISTIVITY = 70.0  # ohm cm, of axoplasm and of the fluid under the myelin
MYSA_LENGTH, MYSA_SPACE = 3.0, 0.002  # um, where the myelin is attached beside a node
STIN_PER_INTERNODE = 6


def fibre(node: Section, internode: Section | Sequence[Section], *, nodes: int = 41) -> Axon:
    """Nodes and internodes in turn, from the first node to the last.

    Parameters
    ----------
    node : Section
    internode : Section, or several from one node to the next
        ``Section(length, diameter, insulator())`` is a perfectly insulated one; others are made by
        ``single_cable_internode`` and ``double_cable_internode``.
    nodes : int
        Number of nodes, at least 2.

    Raises
    ------
    ValueError
        For fewer than two nodes, or parts that are no sections.
    """
    if isinstance(nodes, bool) or not isinstance(nodes, int) or nodes < 2:
        raise ValueError(f"nodes must be a whole number >= 2, got {nodes!r}")
    between = (internode,) if isinstance(internode, Section) else tuple(internode)
    return Axon(sections=[node, *(between + (node,)) * (nodes - 1)])


def single_cable_internode(
    length: float,
    *,
    diameter: float,
    myelin: Myelin,
    membrane: Membrane | None = None,
    resistivity: float = RESISTIVITY,
    celsius: float = CELSIUS,
) -> Section:
    """An internode with one voltage: axolemma and myelin in series, as one leaky and capacitive layer.

    That is the double cable whose periaxonal space does not conduct along its length.

    Parameters
    ----------
    length, diameter : float
        um; the diameter is that of the axon under the myelin.
    myelin : Myelin
        Its space is of no account.
    membrane : Membrane, optional
        The axolemma, without gates; by default that of McIntyre, Richardson & Grill 2002: 0.1 mS/cm2 to
        -80 mV, 2 uF/cm2.
    resistivity : float
        ohm cm, of axoplasm.
    celsius : float
        degC.

    Raises
    ------
    ValueError
        For an axolemma with gates, or numbers that cannot be meant.
    """
    axolemma = passive(conductance=1e-4, reversal=-80.0, capacitance=2.0) if membrane is None else membrane
    leaks = [channel for channel in axolemma.channels if isinstance(channel, Channel)]
    if axolemma.gates or len(leaks) < len(axolemma.channels):
        raise ValueError(f"membrane of a single-cable internode must be passive, got {axolemma!r}")
    conductance = sum(leak.density(celsius) for leak in leaks)
    drive = sum(leak.density(celsius) * leak.reversal for leak in leaks)
    wider = myelin.diameter / positive("diameter", diameter, "um")  # the sheath than the axolemma
    layer = passive(
        conductance=_series(conductance, myelin.through(myelin.conductance) * wider),
        reversal=drive / conductance if conductance else -80.0,
        capacitance=_series(axolemma.capacitance, myelin.through(myelin.capacitance) * wider),
    )
    return Section(length, diameter, layer, resistivity, celsius)


def double_cable_internode(
    length: float,
    *,
    diameter: float,
    myelin: Myelin,
    internode: Membrane,
    paranode: Membrane,
    paranode_diameter: float,
    flut_length: float,
    mysa_length: float = MYSA_LENGTH,
    mysa_space: float = MYSA_SPACE,
    stin: int = STIN_PER_INTERNODE,
    resistivity: float = RESISTIVITY,
    celsius: float = CELSIUS,
) -> tuple[Section, ...]:
    """An internode with two voltages, from node to node: MYSA, FLUT, several STIN, FLUT, MYSA.

    Names and order are those of McIntyre, Richardson & Grill 2002: the myelin's attachment, the main segment
    of the paranode, the internode proper. Every part is one compartment.

    Parameters
    ----------
    length : float
        um, between the edges of two nodes.
    diameter, paranode_diameter : float
        um, of the axon in the internode and FLUT, and in the MYSA.
    myelin : Myelin
        Around the internode and FLUT; around the MYSA too, but for its space.
    internode, paranode : Membrane
        The axolemma of internode and FLUT, and of the MYSA; with channels of any kind.
    flut_length, mysa_length, mysa_space : float
        um.
    stin : int
        Number of parts of the internode proper.
    resistivity : float
        ohm cm, of axoplasm.
    celsius : float
        degC.

    Raises
    ------
    ValueError
        When no length is left for the internode proper, or for numbers that cannot be meant.
    """
    left = length - 2 * (
        positive("mysa_length", mysa_length, "um") + positive("flut_length", flut_length, "um")
    )
    if left <= 0:
        raise ValueError(
            f"length must be more than {length - left:g} um, that of both paranodes, got {length!r} um"
        )

    def part(length: float, width: float, membrane: Membrane, sheath: Myelin) -> Section:
        return Section(length, width, membrane, resistivity, celsius, sheath, nseg=1)

    mysa = part(mysa_length, paranode_diameter, paranode, replace(myelin, space=mysa_space))
    flut = part(flut_length, diameter, internode, myelin)
    middle = part(left / stin, diameter, internode, myelin)
    return (mysa, flut, *[middle] * stin, flut, mysa)


def _series(one: float, other: float) -> float:
    return one * other / (one + other) if one + other else 0.0

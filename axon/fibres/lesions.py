"""Fibres that lost myelin, and fibres that grew some again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from axon.checks import not_negative, positive
from axon.fibres.building import double_cable_internode
from axon.geometry import Axon, Section


def demyelinated(fibre: Axon, internodes: Sequence[int], lost: float) -> Axon:
    """The fibre with the myelin of some internodes thinned.

    Lamellae and thickness shrink together; axon, periaxonal space and nodes stay as they are.

    Parameters
    ----------
    fibre : Axon
        With myelin between its nodes.
    internodes : sequence of int
        Which, counted from 0.
    lost : float
        Part of the myelin's thickness that is gone, 0 to less than 1.

    Raises
    ------
    ValueError
        For a part outside this range, or an internode that is not there or has no myelin.
    """
    if not 0.0 <= not_negative("lost", lost, "(of the myelin's thickness)") < 1.0:
        raise ValueError(f"lost must be 0 to less than 1, of the myelin's thickness, got {lost!r}")
    sections = list(fibre.sections)
    thinner: dict[int, Section] = {}
    for number in internodes:
        for at in _between(fibre, number):
            key = id(fibre.sections[at])
            if key not in thinner:
                thinner[key] = _thinned(fibre.sections[at], 1.0 - lost)
            sections[at] = thinner[key]
    return Axon(sections=sections, ends=fibre.ends)


def remyelinated(
    fibre: Axon, internodes: Sequence[int], *, pieces: int = 3, lamellae: float | None = None
) -> Axon:
    """The fibre with some internodes replaced by several short ones of thin myelin, new nodes between.

    Parameters
    ----------
    fibre : Axon
        A double cable.
    internodes : sequence of int
        Which, counted from 0.
    pieces : int
        Short internodes in place of each one, at least 2.
    lamellae : float, optional
        Of the new myelin, whose thickness is in proportion; by default a third of the old.

    Raises
    ------
    ValueError
        For an internode that is not there or is no double cable, or numbers that cannot be meant.
    """
    if isinstance(pieces, bool) or not isinstance(pieces, int) or pieces < 2:
        raise ValueError(f"pieces must be a whole number >= 2, got {pieces!r}")
    replaced: dict[int, list[Section]] = {}
    for number in internodes:
        places = _between(fibre, number)
        old = [fibre.sections[at] for at in places]
        node = fibre.sections[fibre.nodes[number]]
        length = (sum(part.length for part in old) - (pieces - 1) * node.length) / pieces
        mysa, flut = old[0], old[1]
        myelin = flut.myelin
        if myelin is None or mysa.myelin is None or len(old) < 5:
            raise ValueError(
                f"internode {number} must be a double cable with paranodes, got {len(old)} parts"
            )
        new = myelin.lamellae / 3 if lamellae is None else positive("lamellae", lamellae, "")
        thin = _thinned(flut, new / myelin.lamellae).myelin
        assert thin is not None
        scale = (length + node.length) / (sum(part.length for part in old) + node.length)
        short = double_cable_internode(
            length,
            diameter=flut.diameter,
            myelin=thin,
            internode=flut.membrane,
            paranode=mysa.membrane,
            paranode_diameter=mysa.diameter,
            flut_length=flut.length * scale,
            mysa_length=mysa.length,
            mysa_space=mysa.myelin.space,
            stin=len(old) - 4,
            resistivity=flut.axial_resistivity,
            celsius=flut.celsius,
        )
        replaced[places[0]] = [*short, *((node, *short) * (pieces - 1))]
        replaced |= {at: [] for at in places[1:]}
    sections = [part for at, section in enumerate(fibre.sections) for part in replaced.get(at, [section])]
    return Axon(sections=sections, ends=fibre.ends)


def _between(fibre: Axon, number: int) -> range:
    """Sections of an internode."""
    count = len(fibre.nodes) - 1
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
        raise ValueError(f"internodes must be numbers from 0 to {count - 1} on this fibre, got {number!r}")
    return range(fibre.nodes[number] + 1, fibre.nodes[number + 1])


def _thinned(section: Section, left: float) -> Section:
    """A section of whose myelin a part is left."""
    myelin = section.myelin
    if myelin is None or not myelin.lamellae:
        raise ValueError(f"there is no myelin to thin around a section of {section.membrane.name}")
    thickness = (myelin.diameter - section.diameter) * left
    thin = replace(myelin, lamellae=myelin.lamellae * left, diameter=section.diameter + thickness)
    return replace(section, myelin=thin)

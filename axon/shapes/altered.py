"""A stretch of an axon made different: cooled, warmed, blocked, thinned."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from axon.checks import Place, place
from axon.geometry import Axon, Section
from axon.membranes import Membrane

_SLIVER = 1e-9  # of a section: what is left beside a stretch that ends where the section does


def altered(
    axon: Axon,
    between: tuple[Place, Place],
    *,
    celsius: float | None = None,
    membrane: Membrane | Callable[[Membrane], Membrane] | None = None,
    diameter: float | None = None,
    axial_resistivity: float | None = None,
) -> Axon:
    """The axon with a stretch of it made different.

    >>> import axon
    >>> squid = axon.Axon(length=50_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
    >>> cold = axon.altered(squid, (20_000, 30_000), celsius=5.0)
    >>> numb = axon.altered(squid, (20_000, 30_000), membrane=lambda m: m.block("Na", 0.9))

    Parameters
    ----------
    axon : Axon
    between : (place, place)
        Where the stretch begins and ends, um; on a tree also (section, um from its beginning), both on one
        way from x = 0.
    celsius : float, optional
        degC.
    membrane : Membrane, or function of the membrane there that gives another, optional
    diameter : float, optional
        um.
    axial_resistivity : float, optional
        ohm cm.

    Returns
    -------
    Axon
        With one section for each stretch that differs. Sections keep the fineness of a mesh of their own.

    Raises
    ------
    ValueError
        When nothing is to be changed, or the places are not on the axon, on one way and in this order.
    """
    given = {"celsius": celsius, "diameter": diameter, "axial_resistivity": axial_resistivity}
    numbers: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if membrane is None and not numbers:
        raise ValueError(
            "altered needs something to change: celsius, membrane, diameter or axial_resistivity"
        )

    def changed(section: Section) -> Section:
        own = section.membrane if membrane is None else membrane
        return replace(
            section, **numbers, membrane=own if isinstance(own, Membrane) else own(section.membrane)
        )

    first, start = _place(axon, between[0])
    last, stop = _place(axon, between[1])
    way = axon.path(last)
    if first not in way or (first == last and stop <= start):
        raise ValueError(
            f"between must be two places, the second further from x = 0 on the same way, got {between!r}"
        )
    sections: list[Section] = []
    parents: list[int | None] = []
    end_of: list[int] = []  # of every old section, the new one that stands at its far end
    inside = set(way[way.index(first) :])
    for number, section in enumerate(axon.sections):
        low = start if number == first else 0.0
        high = stop if number == last else float(section.length)
        parts = _parts(section, low, high, changed(section)) if number in inside else [section]
        before = axon.parent(number)
        joined = None if before is None else end_of[before]
        for part in parts:
            parents.append(joined)
            sections.append(part)
            joined = len(sections) - 1
        end_of.append(len(sections) - 1)
    return Axon(sections=sections, ring=axon.ring, parents=() if axon.ring else parents, ends=axon.ends)


def cut(axon: Axon, at: float) -> Axon:
    """The axon cut through: what lies beyond ``at`` (um) is gone, and the new end is sealed.

    Raises
    ------
    ValueError
        For a ring or a tree, or when nothing would be left on one side.
    """
    if axon.ring or axon.parents or not 0 < at < axon.total_length:
        raise ValueError(
            f"a cut needs an axon with two ends and a place between them (0..{axon.total_length:g} um), "
            f"got {at!r}"
        )
    last, x = _place(axon, at)
    own = axon.sections[last]
    end = _parts(own, 0.0, x, own)[:1] if x > _SLIVER * own.length else []
    return Axon(sections=[*axon.sections[:last], *end], ends=(axon.ends[0], "sealed"))


def _place(axon: Axon, at: Place) -> tuple[int, float]:
    """A place as section and distance from its beginning, um."""
    at = place("between", at)
    x = axon.distance("between", at)
    if isinstance(at, tuple):
        return at
    way = axon.path()
    number = next((i for i in way if x <= axon.starts[i] + axon.sections[i].length * (1 - _SLIVER)), way[-1])
    return number, x - axon.starts[number]


def _parts(section: Section, low: float, high: float, changed: Section) -> list[Section]:
    """A section of which the part from low to high (um) is the changed one."""
    whole = float(section.length)
    cuts = [(low, section), (high - low, changed), (whole - high, section)]
    return [
        replace(kind, length=length, nseg=kind.nseg and math.ceil(kind.nseg * length / whole - 1e-9))
        for length, kind in cuts
        if length > _SLIVER * whole
    ]

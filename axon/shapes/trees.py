"""Axons that fork, cell bodies at their ends, and the cylinder that stands for a tree (Rall)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from axon.checks import positive
from axon.geometry import (
    CM_PER_UM,
    DEFAULT_AXIAL_RESISTIVITY,
    DEFAULT_CELSIUS,
    Axon,
    End,
    Section,
)
from axon.membranes import Membrane

Part = Section | Sequence[Section] | Axon

_BESIDE = 0.01  # mV, from which the slope of the current at rest is taken
ALIKE = 0.01  # relative: how well a tree must keep Rall's rules


def forked(trunk: Part, *branches: Part, ends: tuple[str | End, str | End] = ("sealed", "sealed")) -> Axon:
    """An axon that begins with ``trunk`` and divides at its far end; branches may fork again.

    >>> import axon
    >>> hh = axon.hodgkin_huxley()
    >>> y = axon.forked(axon.Section(5000, 100, hh), axon.Section(5000, 63, hh), axon.Section(5000, 63, hh))
    >>> y.parents
    (None, 0, 0)

    A T is a Y with a stimulus on one of its branches: ``Pulse(..., at=(1, 4000))``.

    Parameters
    ----------
    trunk : Section, several in a row, or an Axon that does not branch
    *branches : Section, several in a row, or an Axon
        One continues the trunk, two or more make a fork.
    ends : (start, far), each "sealed", "open" or an End
        As for ``Axon``.

    Returns
    -------
    Axon
        Its sections are those of the trunk, then those of each branch; the first branch is the way that
        plain distances go.

    Raises
    ------
    ValueError
        Without branches, or for a part that is a ring, has ends of its own, or a trunk that branches.
    """
    if not branches:
        raise ValueError("forked needs at least one branch: forked(trunk, left, right)")
    whole = [_as_axon(part) for part in (trunk, *branches)]
    if whole[0].parents:
        raise ValueError("forked: the trunk must not branch; put forks into the branches")
    sections: list[Section] = []
    parents: list[int | None] = []
    for part in whole:
        before, root = len(sections), len(whole[0].sections) - 1
        for number in range(len(part.sections)):
            parent = part.parent(number)
            joined = root if before else None
            parents.append(joined if parent is None else parent + before)
        sections += part.sections
    return Axon(sections=sections, parents=parents, ends=ends)


def _as_axon(part: Part) -> Axon:
    if not isinstance(part, Axon):
        return Axon(sections=[part] if isinstance(part, Section) else part)
    if part.ring or part.ends != ("sealed", "sealed"):
        raise ValueError("forked: a part must be no ring and leave its ends to forked(..., ends=...)")
    return part


def soma(
    diameter: float,
    *,
    membrane: Membrane,
    celsius: float = DEFAULT_CELSIUS,
    axial_resistivity: float = DEFAULT_AXIAL_RESISTIVITY,
) -> Section:
    """A cell body: one compartment with the membrane of a sphere (a cylinder as long as it is wide).

    Parameters
    ----------
    diameter : float
        um.
    membrane : Membrane
    celsius, axial_resistivity : float
        degC, ohm cm.
    """
    return Section(diameter, diameter, membrane, axial_resistivity, celsius, nseg=1)


def soma_load(diameter: float, *, membrane: Membrane, celsius: float = DEFAULT_CELSIUS) -> End:
    """A cell body that does not fire, to stand at an end: its conductance at rest and its capacitance.

    Parameters
    ----------
    diameter : float
        Of the sphere, um.
    membrane : Membrane
    celsius : float
        degC.

    Raises
    ------
    NoRest
        For a membrane without a resting potential.
    """
    area = math.pi * (positive("diameter", diameter, "um") * CM_PER_UM) ** 2  # cm2
    rest = membrane.resting_potential(celsius)
    gates = membrane.steady_gates(rest, celsius)
    beside = np.array([rest - _BESIDE, rest + _BESIDE])
    slope = np.diff(membrane.current(beside, gates, celsius))[0] / (2 * _BESIDE)  # S/cm2
    return End(
        conductance=float(slope) * area * 1e6, reversal=rest, capacitance=membrane.capacitance * area * 1e3
    )


def geometric_ratio(axon: Axon, section: int = 0) -> float:
    """What a spike meets at the far end of a section: sum of d^(3/2) of what follows, over its own d^(3/2).

    1 is an impedance match: with the same membrane and length constants long enough nothing changes
    (Goldstein & Rall, Biophys. J. 14:731, 1974). Above it the spike is delayed and may fail.

    Raises
    ------
    ValueError
        When there is no such section, or nothing follows it.
    """
    own = axon.sections[axon.path(section)[-1]]
    after = [axon.sections[i] for i in range(len(axon.sections)) if axon.parent(i) == section]
    if not after:
        raise ValueError(f"section {section} ends the axon: nothing follows it")
    return sum((float(other.diameter) / float(own.diameter)) ** 1.5 for other in after)


def equivalent_cylinder(tree: Axon) -> Section:
    """The cylinder that a tree looks like from x = 0 (Rall, Exp. Neurol. 1:491, 1959).

    Parameters
    ----------
    tree : Axon
        One membrane, temperature and resistivity; d^(3/2) kept at every fork; and every end as many length
        constants from x = 0, each to 1 %.

    Returns
    -------
    Section
        With the diameter of the trunk (or, of several, that of all together), and as many of its own length
        constants long as the tree.

    Raises
    ------
    ValueError
        For a tree that has no equivalent cylinder, saying where.
    """
    first, sections = tree.sections[0], tree.sections
    for number, section in enumerate(sections):
        if replace(section, length=first.length, diameter=first.diameter, nseg=first.nseg) != first:
            raise ValueError(f"section {number} differs from section 0 in more than length and diameter")
    children = {tree.parent(i) for i in range(len(sections))} - {None}
    for number in sorted(n for n in children if n is not None):
        ratio = geometric_ratio(tree, number)
        if abs(ratio - 1) > ALIKE:
            raise ValueError(f"the sum of d^(3/2) after section {number} is {ratio:.4g} times its own, not 1")
    roots = [float(s.diameter) for i, s in enumerate(sections) if tree.parent(i) is None]
    width = sum(d**1.5 for d in roots) ** (2 / 3)
    # Lengths in units of the length constant, which goes as the square root of the diameter.
    far: list[float] = []
    for number, section in enumerate(sections):
        parent = tree.parent(number)
        before = 0.0 if parent is None else far[parent]
        far.append(before + float(section.length) * math.sqrt(width / float(section.diameter)))
    tips = {i: far[i] for i in range(len(sections)) if i not in children}
    length = float(np.mean(list(tips.values())))
    for number, value in tips.items():
        if abs(value / length - 1) > ALIKE:
            raise ValueError(
                f"section {number} ends {value / length:.4g} times as many length constants away as the rest"
            )
    return replace(first, length=length, diameter=width, nseg=None)

"""Cut the sections of an axon into compartments and join them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from axon.geometry.compartments import Array, Compartments, Sheath
from axon.geometry.section import CM_PER_UM, ENDS, End, Section

if TYPE_CHECKING:
    from axon.geometry.axon import Axon
    from axon.membranes import Membrane

Ints = NDArray[np.intp]
Links = tuple[Ints, Array, Array]


def cut(axon: Axon, counts: list[int]) -> Compartments:
    """Cut every section into so many equal compartments, 0 for a perfectly insulated one."""
    sections = axon.sections
    if len(sections) == 1 and sections[0].myelin is None and axon.ends == ("sealed", "sealed"):
        return _uniform(axon, counts[0])
    # A fibre is made of a few sections many times over: what each says is worked out once.
    kinds = list({id(section): section for section in sections}.values())
    number = {id(section): k for k, section in enumerate(kinds)}
    kind = np.array([number[id(section)] for section in sections])
    n_of = np.array(counts)
    n = int(n_of.sum())
    index = np.repeat(np.arange(len(counts)), n_of)

    def each(values: list[float]) -> Array:
        return np.array(values)[kind][index]

    length = (np.array([float(s.length) for s in kinds])[kind] / np.maximum(n_of, 1))[index]
    diameter = each([float(s.diameter) for s in kinds])
    resistivity = each([float(s.axial_resistivity) for s in kinds])
    starts = np.array(axon.starts)
    within = np.arange(n) - np.repeat(np.cumsum(n_of) - n_of, n_of)
    membranes = tuple(dict.fromkeys(s.membrane for s in kinds if not s.insulated))
    area = _area(diameter, length)
    capacitance = each([s.membrane.capacitance for s in kinds]) * area * 1e3  # uF -> nF
    half = _half_resistance(resistivity, length, diameter)
    around = each([s.periaxonal_resistance() for s in kinds]) / np.repeat(np.maximum(n_of, 1), n_of) / 2
    parent, axial, along = (_tree if axon.parents else _chain)(axon, n_of, half, around)
    last = np.cumsum(n_of) - 1
    end_conductance, end_current = np.zeros(n), np.zeros(n)
    for end, at, resistance in _ends(axon, n_of, last):
        g = 1.0 / (half[at] + resistance + (1.0 / end.conductance if end.conductance else math.inf))
        end_conductance[at] += g
        end_current[at] += g * end.reversal
        capacitance[at] += end.capacitance
    main = np.isin(index, axon.path()) if axon.parents else np.ones(n, bool)
    return Compartments(
        position=starts[index] + (within + 0.5) * length,
        length=length,
        diameter=diameter,
        resistivity=resistivity,
        area=area,
        capacitance=capacitance,
        parent=parent,
        axial_conductance=axial,
        end_conductance=end_conductance,
        end_current=end_current,
        celsius=each([float(s.celsius) for s in kinds]),
        section=index,
        starts=starts,
        main=main,
        membrane=np.array([-1 if s.insulated else membranes.index(s.membrane) for s in kinds])[kind][index],
        membranes=tuple(map(_one_of_equals, membranes)),
        ring=axon.ring,
        sheath=_sheath(kinds, kind[index], length, along),
    )


def _uniform(axon: Axon, n: int) -> Compartments:
    """The same of a single bare section with sealed ends, or of a ring: what most axons are, sooner."""
    (section,) = axon.sections
    length, diameter, resistivity = section.length / n, float(section.diameter), section.axial_resistivity
    area = _area(diameter, length)
    half = _half_resistance(resistivity, length, diameter)
    return Compartments(
        position=(np.arange(n, dtype=float) + 0.5) * length,
        length=np.full(n, length),
        diameter=np.full(n, diameter),
        resistivity=np.full(n, float(resistivity)),
        area=np.full(n, area),
        capacitance=np.full(n, section.membrane.capacitance * area * 1e3),  # uF -> nF
        parent=np.arange(-1, n - 1),
        axial_conductance=np.full(n if axon.ring else n - 1, 1.0 / (half + half)),
        end_conductance=np.zeros(n),
        end_current=np.zeros(n),
        celsius=np.full(n, float(section.celsius)),
        section=np.zeros(n, np.intp),
        starts=np.zeros(1),
        main=np.ones(n, bool),
        membrane=np.zeros(n, np.intp),
        membranes=(_one_of_equals(section.membrane),),
        ring=axon.ring,
        even=True,
    )


@lru_cache(maxsize=256)
def _one_of_equals(membrane: Membrane) -> Membrane:
    """The same object for equal membranes: what is known of it is then found without comparing rates."""
    return membrane


def _area(diameter: Any, length: Any) -> Any:
    """Of membrane, cm2, from um."""
    return math.pi * diameter * length * CM_PER_UM**2


def _half_resistance(resistivity: Any, length: Any, diameter: Any) -> Any:
    """Axial resistance of half a compartment (Mohm): ohm cm * cm / cm2 * 1e-6."""
    return resistivity * (length / 2) / (math.pi * (diameter * diameter) / 4) / CM_PER_UM * 1e-6


def _chain(axon: Axon, counts: Ints, half: Array, around: Array) -> Links:
    """Parents, axial and periaxonal conductance (uS) of sections end to end, or of a ring."""
    n = len(half)
    parent = np.arange(-1, n - 1)
    if axon.ring:
        return parent, 1.0 / (half + np.roll(half, -1)), np.zeros(n)
    insulation = np.zeros(n + 1)  # MOhm, before each compartment
    if not counts.all():
        before = np.cumsum(counts)
        for number in np.flatnonzero(counts == 0).tolist():
            insulation[before[number]] += axon.sections[number].axial_resistance()
    insulation = insulation[1:-1]
    return (
        parent,
        1.0 / (half[:-1] + half[1:] + insulation),
        _joined(around[:-1] + around[1:], insulation > 0),
    )


def _joined(resistance: Array, apart: NDArray[np.bool_]) -> Array:
    """Periaxonal conductance, uS: none between two open places, nor across a perfect insulator."""
    return np.where((resistance > 0) & ~apart, 1.0 / np.where(resistance > 0, resistance, 1.0), 0.0)


def _tree(axon: Axon, counts: Ints, half: Array, around: Array) -> Links:
    """Parents, axial and periaxonal conductance (uS) of sections that branch.

    Every section has a terminal at each end: an unknown, and the resistances (MOhm) from there to the end.
    Two terminals that meet are joined by their sum; three or more at a joint, and so are the two halves of a
    perfect insulator.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    stop = np.cumsum(counts)
    size = int(stop[-1])
    near, far = [], []
    for number, section in enumerate(axon.sections):
        if counts[number]:
            first, last = stop[number] - counts[number], stop[number] - 1
            near.append((first, half[first], around[first]))
            far.append((last, half[last], around[last]))
        else:
            near.append((size, section.axial_resistance() / 2, math.inf))
            far.append(near[-1])
            size += 1
    own = np.setdiff1d(np.arange(stop[-1]), stop - 1)
    links = [(u, u + 1, half[u] + half[u + 1], around[u] + around[u + 1]) for u in own]
    meetings: dict[int | None, list] = {number: [far[number]] for number in range(len(counts))} | {None: []}
    for number in range(len(counts)):
        meetings[axon.parent(number)].append(near[number])
    for terminals in meetings.values():
        if len(terminals) == 2:
            (a, r, p), (b, s, q) = terminals
            links.append((a, b, r + s, p + q))
        elif len(terminals) > 2:
            links += [(u, size, r, p) for u, r, p in terminals]
            size += 1
    one, other, resistance, space = (np.array(part) for part in zip(*links, strict=True))
    graph = coo_array((np.ones(len(links)), (one, other)), shape=(size, size)).tocsr()
    parent = breadth_first_order(graph, 0, directed=False)[1].astype(np.intp)
    parent[0] = -1
    child = np.where(parent[one] == other, one, other)
    axial, along = np.zeros(size - 1), np.zeros(size - 1)
    axial[child - 1] = 1.0 / resistance
    along[child - 1] = _joined(space, ~np.isfinite(space))
    return parent, axial, along


def _ends(axon: Axon, counts: Ints, last: Ints) -> list[tuple[End, int, float]]:
    """What stands at an end, beside which compartment, and the resistance (MOhm) of insulators between."""
    start, far = (ENDS[end] if isinstance(end, str) else end for end in axon.ends)
    nothing = ENDS["sealed"]
    out = []
    if far != nothing:
        inner = {axon.parent(i) for i in range(len(counts))}
        for number in range(len(counts)):
            if number not in inner:
                at, resistance = number, 0.0
                while not counts[at]:
                    resistance += axon.sections[at].axial_resistance()
                    at = _membrane_before(axon, at)
                out.append((far, int(last[at]), resistance))
    if start != nothing:
        roots = [i for i in range(len(counts)) if axon.parent(i) is None]
        if len(roots) > 1 or not counts[0]:
            raise ValueError(
                "Axon.ends: the end at x = 0 must be sealed where an insulator or several sections begin"
            )
        out.append((start, 0, 0.0))
    return out


def _membrane_before(axon: Axon, number: int) -> int:
    parent = axon.parent(number)
    if parent is None:
        raise ValueError("Axon.ends: an end must not be joined to an axon through insulators alone")
    return parent


def _sheath(sections: Sequence[Section], index: Ints, length: Array, along: Array) -> Sheath | None:
    """The myelin around the compartments; None where no section has a lamella."""
    covered = [s.myelin is not None and s.myelin.lamellae > 0 for s in sections]
    if not any(covered):
        return None
    # Capacitance (nF) and conductance (uS) of the sheath around each um of a section.
    per_um = np.zeros((len(sections), 2))
    for number, section in enumerate(sections):
        if covered[number] and section.myelin is not None:
            myelin = section.myelin
            surface = math.pi * myelin.diameter * CM_PER_UM**2  # cm2
            per_um[number] = (
                surface * 1e3 * myelin.through(myelin.capacitance),
                surface * 1e6 * myelin.through(myelin.conductance),
            )
    capacitance, conductance = (per_um[index] * length[:, None]).T
    return Sheath(~np.array(covered)[index], capacitance, conductance, along)

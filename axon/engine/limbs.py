"""Lay trees and axons with myelin out: one axon in every lane, or one whose compartments fill the lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine import tables
from axon.engine.cables import Cable, Ints
from axon.engine.group import Group
from axon.engine.lanes import Layout
from axon.engine.simd import LANES
from axon.engine.state import HELD, Branches, Tree

SUMS = 5  # that a branch leaves at the row where it begins
# Holds a clamp, or the bath's 0 mV under no myelin, where two voltages of a row would drown in a larger one.
HELD_BESIDE = 1e9


@dataclass
class LimbGroup(Group):
    """Trees laid out and ready to step."""

    tree: Tree
    branches: Branches
    around_place: list[Ints]  # of every compartment of a cable in ``branches.around``
    joint_place: list[Ints]  # of the joints of a cable in ``state.v``
    joint_around_place: list[Ints]

    def advance(self, *arguments: Any) -> tuple[int, int, int]:
        from axon.engine.tree import run_steps

        return run_steps(self.plan, self.state, self.tree, self.branches, *arguments)

    def lasting(self, number: int) -> dict[str, tuple[NDArray, Any]]:
        """As of ``Group``, with the potential under the myelin, and both at the joints."""
        around = self.branches.around
        joints, own, own_joints = (
            p[number] for p in (self.joint_place, self.around_place, self.joint_around_place)
        )
        out = {
            **super().lasting(number),
            "around": (around, own),
            "joints": (self.state.v, joints),
            "joints_around": (around, own_joints),
        }
        if self.plan.third:
            beside = self.branches.differences
            for order in range(3):
                at, beside_at = order * self.state.v.size, order * self.tree.axial.size
                out[f"joints_difference_{order + 1}"] = (self.state.differences, joints + at)
                out[f"around_difference_{order + 1}"] = (beside, own + beside_at)
                out[f"joints_around_difference_{order + 1}"] = (beside, own_joints + beside_at)
        return out


def lay_out(cables: Sequence[Cable], *, threshold: float, table_cells: tuple[int, int]) -> LimbGroup:
    """Lay one cable out over all lanes, or 2 to LANES that branch alike side by side.

    Parameters
    ----------
    cables : sequence of Cable
        With limbs; of one topology.
    threshold : float
        mV, of a spike.
    table_cells : (int, int)
        Range of the tables in whole cells.
    """
    frames = tuple(cable if cable.frame is None else cable.frame for cable in cables)
    kept = all(cable.frame is not None for cable in cables)
    return (_limbed if kept else _limbed.__wrapped__)(frames, threshold, table_cells).group(cables)


@lru_cache(maxsize=32)
def _limbed(cables: tuple[Cable, ...], threshold: float, table_cells: tuple[int, int]) -> LimbLayout:
    return LimbLayout(cables, threshold, table_cells)


class LimbLayout:
    """The work of laying out: all but what changes from step to step."""

    def __init__(self, cables: Sequence[Cable], threshold: float, table_cells: tuple[int, int]) -> None:
        self.limbs = [cable.limbs for cable in cables if cable.limbs is not None]
        self.order = solving_order(self.limbs[0].parent)
        self.size, self.wide = len(self.order), len(cables) > 1
        self.width = LANES if self.wide else 1
        row_of = np.empty(self.size, np.int64)
        row_of[self.order] = np.arange(self.size)
        if self.wide:
            places = [row_of * LANES + lane for lane in range(len(cables))]
            rows = self.size
        else:
            places = [_beside_their_like(cables[0].patch)]
            rows = -(-int(places[0].max() + 1) // LANES)
        self.layout = Layout(cables, rows, places, False, threshold, False, table_cells)
        electrodes = [
            np.where(cable.source_crosses, self.size, row_of[cable.source_place]) * self.width + lane
            for lane, cable in enumerate(cables)
        ]
        self.around_places = [row_of * self.width + lane for lane in range(len(cables))]
        place = np.arange(self.size) * LANES if self.wide else places[0][self.order]
        self.tree = self._tree(row_of, place, np.concatenate(electrodes))

    def group(self, cables: Sequence[Cable]) -> LimbGroup:
        """These cables, or others that differ from them in nothing but their start, at their start."""
        group, n = self.layout.group(cables), self.limbs[0].compartments
        around = np.zeros((self.size, self.width))
        for lane, cable in enumerate(cables):
            if cable.around is not None:
                around[:, lane] = np.append(cable.around, np.zeros(self.size - n))[self.order]
        flat, own = self.layout.rows * LANES, self.size * self.width
        gathered = (int(self.tree.gathers.max(initial=-1)) // (SUMS * self.width) + 1) * SUMS * self.width
        rooms = tables.blank(
            *(3 * own if self.layout.third else 0, flat, flat, own, own, own, own, own),
            *(max(gathered, 1), own + self.width),
        )
        return LimbGroup(
            group.plan,
            group.state,
            [place[:n] for place in group.place],
            [place[:n] for place in group.gate_place],
            group.coefficients,
            group.table_cells,
            group.number,
            self.tree,
            Branches(tables.aligned(around), *rooms),
            [place[:n] for place in self.around_places],
            [place[n:] for place in group.place],
            [place[n:] for place in self.around_places],
        )

    def _tree(self, row_of: Ints, place: Ints, electrodes: Ints) -> Tree:
        size, width, aligned = self.size, self.width, tables.aligned
        above = self.limbs[0].parent[self.order]
        parent = np.where(above >= 0, row_of[above], -1)
        axial, along, sheath = (self._spread(name) for name in ("axial", "along", "sheath"))
        outside = sheath + self._spread("sheath_leak") + _total(along, parent)
        # Held at 0 mV: where the space is open, in lanes that hold no axon, and at joints of open places.
        outside += np.where(self._spread("open") != 0, HELD_BESIDE, 0.0)
        outside[outside == 0] = HELD_BESIDE
        gathering = np.unique(parent[(parent >= 0) & (parent != np.arange(size) - 1)])
        gathers = np.full(size, -1)
        gathers[gathering] = np.arange(len(gathering)) * SUMS * width
        double = any(one.double for one in self.limbs)
        return Tree(
            rows=size,
            wide=self.wide,
            double=double,
            place=aligned(place.astype(np.int64)),
            parent=aligned(parent.astype(np.int64)),
            gathers=aligned(gathers.astype(np.int64)),
            axial=aligned(axial),
            inside=aligned(_total(axial, parent)),
            along=aligned(along),
            outside=aligned(outside),
            sheath=aligned(sheath),
            held=HELD_BESIDE if double else HELD,
            electrode_place=electrodes.astype(np.int64) if double else np.zeros(0, np.int64),
        )

    def _spread(self, name: str) -> Any:
        """A field of the limbs as [row, lane]."""
        out = np.zeros((self.size, self.width))
        for lane, limbs in enumerate(self.limbs):
            out[:, lane] = getattr(limbs, name)[self.order]
        return out


def solving_order(parent: Ints) -> Ints:
    """Unknowns so that every one comes after its parent, right after it where possible (depth first)."""
    size = len(parent)
    if (parent == np.arange(-1, size - 1)).all():
        return np.arange(size)
    children: list[list[int]] = [[] for _ in range(size)]
    for unknown in range(size - 1, 0, -1):
        children[parent[unknown]].append(unknown)
    order, waiting = [], [0]
    while waiting:
        unknown = waiting.pop()
        order.append(unknown)
        waiting += children[unknown]
    return np.array(order)


def _beside_their_like(patch: Ints) -> Ints:
    """Places that put compartments of one membrane into the same vectors."""
    place = np.empty(len(patch), np.int64)
    start = 0
    for kind in np.unique(patch):
        here = np.flatnonzero(patch == kind)
        place[here] = start + np.arange(len(here))
        start += -(-len(here) // LANES) * LANES
    return place


def _total(conductance: Any, parent: Ints) -> Any:
    """Sum of every row's conductances, that to its parent and those of its children."""
    total = conductance.copy()
    np.add.at(total, parent[1:], conductance[1:])
    return total

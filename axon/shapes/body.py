"""The cell body in an SWC file: a sphere, or cylinders from sample to sample, and what grows where."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

SOMA = 1  # the type of its samples


@dataclass(frozen=True)
class Sample:
    """A line of the file: type, place (um), radius (um) and the number of the sample before it, or -1."""

    kind: int
    place: tuple[float, float, float]
    radius: float
    parent: int


@dataclass(frozen=True)
class Cylinder:
    """A piece of the cell body, um, between two samples; of no length where both lie at one place."""

    start: int
    end: int
    length: float
    diameter: float


class Body:
    """The samples of a cell body and the neurites that begin at them.

    A sphere, written as one sample or as NeuroMorpho's three, is a cylinder as long as it is wide, from pole
    to pole through its centre; any other body is laid in cylinders with the surface between two samples.

    Parameters
    ----------
    path : path
        A file that MorphIO has found good.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        table = np.loadtxt(path, comments="#", ndmin=2, usecols=range(7))
        self.samples = {
            int(row[0]): Sample(int(row[1]), (row[2], row[3], row[4]), row[5], int(row[6]))
            for row in table.tolist()
        }
        inside = {number: one for number, one in self.samples.items() if one.kind == SOMA}
        self.sprouts = {
            number: one.parent
            for number, one in self.samples.items()
            if one.kind != SOMA and one.parent in inside
        }
        if len(inside) == 1:
            ((centre, one),) = inside.items()
            x, y, z = one.place
            for pole, side in ((-2, -one.radius), (-3, one.radius)):
                inside[pole] = replace(one, place=(x, y + side, z), parent=centre)
        self.inside = inside
        self.first = self._first()

    def cylinders(self) -> tuple[list[Cylinder], list[Cylinder]]:
        """Those on the way to some neurite, then those that lead nowhere; each after the one before it."""
        if not self.inside:
            return [], []
        came: dict[int, int] = {self.first: self.first}
        order = [self.first]
        for number in order:
            ahead = [n for n in self._beside(number) if n not in came]
            came |= dict.fromkeys(ahead, number)
            order += ahead
        leading = set()
        for at in self.sprouts.values():
            while at != self.first and at not in leading:
                leading.add(at)
                at = came[at]
        all_of_them = [self._cylinder(came[number], number) for number in order[1:]]
        return [c for c in all_of_them if c.end in leading], [c for c in all_of_them if c.end not in leading]

    def sprout(self, place: NDArray[np.float64], kind: int) -> int | None:
        """The sample of the body from which the neurite that begins at a place (um) grows; None: no body."""
        own = [number for number in self.sprouts if self.samples[number].kind == kind]
        if not self.inside:
            return None
        if not own:
            return self.first
        apart = [math.dist(self.samples[number].place, place) for number in own]
        return self.sprouts[own[int(np.argmin(apart))]]

    def _first(self) -> int:
        """The sample to begin with: an end of the body where nothing grows, or the first in the file."""
        ends = [n for n in self.inside if len(self._beside(n)) == 1 and n not in self.sprouts.values()]
        return next(iter([*ends, *self.inside]), 0)

    def _beside(self, number: int) -> list[int]:
        """Samples of the body next to one of it."""
        own = self.inside[number].parent
        return [n for n, one in self.inside.items() if one.parent == number or n == own]

    def _cylinder(self, start: int, end: int) -> Cylinder:
        a, b = self.inside[start], self.inside[end]
        length = math.dist(a.place, b.place)
        slant = math.hypot(length, a.radius - b.radius)
        return Cylinder(start, end, length, (a.radius + b.radius) * slant / length if length else 0.0)

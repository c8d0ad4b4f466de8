"""What became of a spike on each way it took: arrived, under way, blocked, or died, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.measure.arrivals import Branch, leaving, way

_FOOT = 0.2  # ms: about as long as a spike depolarises what lies ahead; a change there can block it
_NEAR = 3  # sites within which a block, or the end of a run, is no coincidence
_COVERED = 0.6  # of the way: a spike under way that came that far is measured on what it covered


@dataclass(frozen=True, eq=False)
class Journey:
    """A branch and the way it could have gone.

    Parameters
    ----------
    branch : Branch
        What it covered.
    ahead : array, (n,)
        Positions it did not come to, um, the next one first; none unless it was lost.
    gap : float
        Distance to the first of these, um; 0 where there is none.
    reach : float
        How far it could have gone from its origin, um.
    """

    branch: Branch
    ahead: NDArray[np.float64]
    gap: float
    reach: float

    @property
    def covered(self) -> float:
        """Distance travelled, um."""
        return float(self.branch.distance[-1])

    @property
    def speed(self) -> float:
        """Speed over the last ten sites, um/ms; inf where they fired at once, 0 after a single site."""
        distance, arrival = self.branch.distance[-10:], self.branch.arrival[-10:]
        if distance.size < 2:
            return 0.0
        delay = float(arrival[-1] - arrival[0])
        return float(distance[-1] - distance[0]) / delay if delay > 0 else math.inf

    def under_way(self, end_time: float | None) -> bool:
        """Whether the run ended before the next compartment's turn, by the local speed."""
        if end_time is None or self.branch.end != "gone" or self.speed == 0:
            return False
        return bool(end_time - self.branch.arrival[-1] < _NEAR * self.gap / self.speed)

    def arrived(self, between: tuple[float, float] | None, end_time: float | None) -> bool:
        """Whether it came far enough to be measured, everywhere or in the stretch that is asked for, um."""
        if self.branch.end != "gone":
            return True
        if between is not None:
            return not np.any((self.ahead >= between[0]) & (self.ahead <= between[1]))
        return self.under_way(end_time) and self.covered >= _COVERED * self.reach

    def failure(self, position: NDArray[np.float64], breaks: Sequence[float], end_time: float | None) -> str:
        """Return the sentence that says where the spike ended and why it is not measured."""
        last = float(position[self.branch.sites[-1]])
        if self.under_way(end_time):
            return (
                f"the spike was still under way at x = {micrometres(last)} when the run ended "
                f"at {end_time:g} ms; make the duration longer"
            )
        block = self._block(last, breaks)
        if block is not None:
            return f"the spike was blocked at {block}"
        if self.covered == 0:
            return f"the spike died where it started, at x = {micrometres(last)}"
        part = math.floor(100 * self.covered / self.reach)
        return f"the spike died at x = {micrometres(last)}, {part} % of the way"

    def _block(self, last: float, breaks: Sequence[float]) -> str | None:
        near = _NEAR * self.gap
        if self.covered > 2 * _FOOT * self.speed:
            near = max(near, _FOOT * self.speed)
        joins = sorted(breaks)
        found = [(abs(join - last), number) for number, join in enumerate(joins) if abs(join - last) <= near]
        if not found:
            return None
        number = min(found)[1]
        where = f"section {number + 2} begins" if self.branch.heading > 0 else f"section {number + 1} ends"
        return f"x = {micrometres(joins[number])}, where {where}"


def journeys(
    position: NDArray[np.float64],
    arrival: NDArray[np.float64],
    origin: int,
    *,
    ring: bool,
    length: float | None,
) -> list[Journey]:
    """Return the ways of a spike from the compartment where it started, up to two."""
    branches = leaving(position, arrival, origin, ring=ring, length=length)
    total = sum(float(branch.distance[-1]) for branch in branches)
    found = []
    for branch in branches:
        covered = float(branch.distance[-1])
        if branch.end != "gone":
            found.append(Journey(branch, position[:0], 0.0, covered))
            continue
        sites, distance = way(position, origin, branch.heading, ring=ring, length=length)
        n = int(np.searchsorted(distance, covered, side="right"))
        elsewhere = total - covered if ring else 0.0  # in a ring, the other way takes from this one
        gap = float(distance[n] - distance[n - 1])
        found.append(Journey(branch, position[sites[n:]], gap, float(distance[-1]) - elsewhere))
    return found


def micrometres(x: float) -> str:
    """Return a position for people, to a tenth of a um."""
    return f"{x:.1f}".removesuffix(".0") + " um"

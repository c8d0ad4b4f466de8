"""What became of a spike on each way it took: arrived, under way, blocked, or died, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.measure.arrivals import Branch, leaving, origins, way

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

    @property
    def _usual_speed(self) -> float:
        """Median speed on its way, um/ms: a spike may have stood before what blocked it."""
        delay, step = np.diff(self.branch.arrival), np.diff(self.branch.distance)
        moving = delay > 0
        return float(np.median(step[moving] / delay[moving])) if moving.any() else 0.0

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
            return not np.count_nonzero((self.ahead >= between[0]) & (self.ahead <= between[1]))
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
        if self.covered > 2 * _FOOT * self._usual_speed:
            near = max(near, _FOOT * self._usual_speed)
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
    # In a ring, the other way takes from this one.
    return [
        _journey(branch, position, total - float(branch.distance[-1]) if ring else 0.0, ring, length)
        for branch in branches
    ]


def onward(journey: Journey, position: NDArray[np.float64], arrival: NDArray[np.float64]) -> list[Journey]:
    """Return how a spike went on, on an axon that is no ring, from where it formed again after a standstill.

    Where an axon widens by almost as much as a spike can pass, the thin part stops it while the thick part
    still charges; the spike then forms again some way ahead, and from there also runs back, so that arrivals
    between the two places fall.
    """
    if journey.branch.end != "collision":
        return []
    heading, last = journey.branch.heading, position[journey.branch.sites[-1]]
    found = []
    for origin in origins(position, arrival)[::heading]:
        if heading * (position[origin] - last) > 0:
            on = leaving(position, arrival, origin, ring=False, length=None)
            found += [branch for branch in on if branch.heading == heading]
    return [_journey(branch, position, 0.0, False, None) for branch in found]


def _journey(
    branch: Branch, position: NDArray[np.float64], elsewhere: float, ring: bool, length: float | None
) -> Journey:
    covered = float(branch.distance[-1])
    if branch.end != "gone":
        return Journey(branch, position[:0], 0.0, covered)
    sites, distance = way(position, int(branch.sites[0]), branch.heading, ring=ring, length=length)
    n = int(distance.searchsorted(covered, side="right"))
    gap = float(distance[n] - distance[n - 1])
    return Journey(branch, position[sites[n:]], gap, float(distance[-1]) - elsewhere)


def micrometres(x: float) -> str:
    """Return a position for people, to a tenth of a um."""
    return f"{x:.1f}".removesuffix(".0") + " um"

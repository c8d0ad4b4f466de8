"""Conduction velocity from arrival times, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.errors import NoPropagation, unknown_name
from axon.measure.arrivals import checked_arrivals, earliest
from axon.measure.journey import Journey, journeys, micrometres, onward

Direction = Literal["orthodromic", "antidromic", "both"]

_HEADINGS = {"orthodromic": 1, "antidromic": -1}
_NAMES: dict[int, Direction] = {1: "orthodromic", -1: "antidromic"}
_FEWEST = 3  # sites; two always lie on a line and say nothing of the error
_SIDE = 0.25  # of the longest way; a shorter one leads from the stimulus to a near end and is not measured
_SURE = 3.0  # standard errors that a slope must differ from 0 to be a travel
_INSTANT = 1e-6  # ms; a shorter time over the whole stretch is no travel
_M_PER_S = 1e-3  # m/s in 1 um/ms


@dataclass(frozen=True)
class Velocity:
    """A conduction velocity; ``float()`` gives it in m/s.

    Parameters
    ----------
    value : float
        Speed, m/s, positive in every direction.
    standard_error : float
        Standard error of the fit, m/s.
    direction : str
        ``"orthodromic"`` towards larger positions, ``"antidromic"`` towards smaller ones, ``"both"`` for a
        common speed of two spikes that left a place between the ends.
    first_position, last_position : float
        Where the spike entered and left the stretch that was measured, um; for ``"both"`` the outermost
        sites.
    n_sites : int
        Number of sites used.
    threshold : float or None
        Potential whose upward crossing is the arrival, mV; None where unknown.
    """

    value: float
    standard_error: float
    direction: Direction
    first_position: float
    last_position: float
    n_sites: int
    threshold: float | None = None

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        stretch = _stretch(self.first_position, self.last_position)
        direction = "in both directions" if self.direction == "both" else self.direction
        value, error = _with_error(self.value, self.standard_error)
        return f"{value} m/s {direction}, fit error {error}, {self.n_sites} sites from {stretch}"


def conduction_velocity(
    position: ArrayLike,
    arrival: ArrayLike,
    *,
    window: tuple[float, float] = (0.4, 0.8),
    between: tuple[float, float] | None = None,
    direction: Literal["orthodromic", "antidromic"] | None = None,
    ring: bool = False,
    length: float | None = None,
    breaks: Sequence[float] = (),
    end_time: float | None = None,
    threshold: float | None = None,
) -> Velocity:
    """Fit the speed of the earliest spike: least squares of arrival on position, clear of stimulus and ends.

    The spike starts at the earliest arrival. Of each way it took from there the middle is used, because a
    strong stimulus and a sealed end both make it faster (0.45 % if the whole axon is fitted). Two ways from
    a place between the ends are fitted with one speed and an intercept each; one that is much shorter than
    the other, or on which the spike failed while it arrived on the other, is left out.

    A spike that stands before a widening may form again some way beyond it. Between two given positions it
    is then measured on that side where it covers more of the stretch, in the direction that it came.

    Parameters
    ----------
    position : array_like, (n,)
        Positions of the compartments, um, increasing.
    arrival : array_like, (n,)
        Arrival times, ms; nan where there was no crossing.
    window : tuple of float
        Part of each way that is used, as fractions from the origin. Default: 40 to 80 %.
    between : tuple of float, optional
        Positions, um, between which sites are used, in place of the window. Default: the window.
    direction : str, optional
        ``"orthodromic"`` or ``"antidromic"``: measure this way alone. Default: what there is.
    ring : bool
        Whether the last compartment is joined to the first one. Default: no.
    length : float, optional
        Circumference of a ring, um. Default: see `branches`.
    breaks : sequence of float
        Where a section ends and the next one begins, um; names the place of a block. Default: one section.
    end_time : float, optional
        Time at which the simulation ended, ms; tells a spike under way from one that died. Default: unknown.
    threshold : float, optional
        Potential whose crossing is the arrival, mV; stated in the result and in errors. Default: unknown.

    Returns
    -------
    Velocity

    Raises
    ------
    NoPropagation
        When nothing fired, the spike died, was blocked or still under way, no three sites are left, or all
        fired at once; its `reason` is one sentence that says which and where.
    ValueError
        When an argument cannot be meant.
    """
    x, t = checked_arrivals(position, arrival)
    _check(window, between, direction)
    if not np.count_nonzero(np.isfinite(t)):
        what = "fired" if threshold is None else f"crossed {threshold:g} mV"
        raise NoPropagation(f"no compartment {what}")
    origin = earliest(t)
    ways = _chosen(journeys(x, t, origin, ring=ring, length=length), direction, float(x[origin]))
    pieces = {journey: [journey] for journey in ways}
    if between is not None and not ring:
        pieces = {journey: [journey, *onward(journey, x, t)] for journey in ways}
        ways = [
            max(own, key=lambda piece: _span(piece, x, window, between)) if len(own) > 1 else own[0]
            for own in pieces.values()
        ]
    arrived = [journey for journey in ways if journey.arrived(between, end_time)]
    used = {journey: _used(journey, x, window, between) for journey in arrived}
    measured = [journey for journey in arrived if used[journey].size >= _FEWEST]
    failed = [journey for journey in ways if journey not in arrived]
    if not measured and failed:
        worst = max(failed, key=lambda journey: (journey.under_way(end_time), journey.covered))
        raise NoPropagation(worst.failure(x, breaks, end_time))
    if not measured:
        most = max((sites.size for sites in used.values()), default=0)
        raise NoPropagation(_backwards(pieces.values(), x, between) or _too_few(most, between))
    return _fitted({journey: used[journey] for journey in measured}, x, threshold)


def local_velocity(
    position: ArrayLike, arrival: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the velocity between neighbouring compartments, negative towards smaller positions.

    Parameters
    ----------
    position : array_like, (n,)
        Positions, um, increasing.
    arrival : array_like, (n,)
        Arrival times, ms; nan where there was no crossing.

    Returns
    -------
    middle : array, (n - 1,)
        Midpoints between compartments, um.
    velocity : array, (n - 1,)
        m/s; nan where one of the two was not crossed, or both at the same instant.
    """
    x, t = checked_arrivals(position, arrival)
    delay = np.diff(t)
    delay[delay == 0] = np.nan
    return (x[1:] + x[:-1]) / 2, _M_PER_S * np.diff(x) / delay


def front_velocity(position: ArrayLike, arrival: ArrayLike) -> float | None:
    """Return the speed of a spike that is still under way, by where it has been last.

    Parameters
    ----------
    position : array_like, (n,)
        Positions, um; of a tree, branch after branch.
    arrival : array_like, (n,)
        Arrival times, ms; nan where there was no crossing yet.

    Returns
    -------
    float or None
        Median speed between neighbours in the later half of the time since the first arrival, m/s; None
        where there are fewer than 3 such pairs.
    """
    t = np.asarray(arrival, float)
    way, delay, reached = np.abs(np.diff(position)), np.abs(np.diff(t)), np.fmax(t[1:], t[:-1])
    there = delay > 0
    if not there.any():
        return None
    late = there & (reached >= (reached[there].min() + reached[there].max()) / 2)
    if np.count_nonzero(late) < _FEWEST:
        return None
    return float(_M_PER_S * np.median(way[late] / delay[late]))


def _check(window: tuple[float, float], between: tuple[float, float] | None, direction: str | None) -> None:
    low, high = window
    if not 0 <= low < high <= 1:
        raise ValueError(f"window must be two fractions of the way, 0 <= first < second <= 1, got {window}")
    if between is not None and not between[0] < between[1]:
        raise ValueError(f"between must be two positions in um, the smaller first, got {between}")
    if direction is not None and direction not in _HEADINGS:
        raise ValueError(unknown_name("direction", direction, _HEADINGS))


def _chosen(ways: list[Journey], direction: str | None, start: float) -> list[Journey]:
    """Return the ways that are asked for; if none is, those that are not much shorter than the longest."""
    if direction is None:
        longest = max((journey.reach for journey in ways), default=0.0)
        return [journey for journey in ways if journey.reach >= _SIDE * longest]
    chosen = [journey for journey in ways if journey.branch.heading == _HEADINGS[direction]]
    if not chosen:
        raise NoPropagation(
            f"no spike travelled {direction}: it started at x = {micrometres(start)}, the end of the axon"
        )
    return chosen


def _used(
    journey: Journey, x: NDArray[np.float64], window: tuple[float, float], between: tuple[float, float] | None
) -> NDArray[np.intp]:
    """Return which sites of a branch are fitted, as indices into it."""
    branch = journey.branch
    if between is not None:
        there = x[branch.sites]
        return ((there >= between[0]) & (there <= between[1])).nonzero()[0]
    part = branch.distance / journey.covered
    rounding = 1e-9
    return np.flatnonzero((part >= window[0] - rounding) & (part <= window[1] + rounding))


def _span(
    journey: Journey, x: NDArray[np.float64], window: tuple[float, float], between: tuple[float, float]
) -> float:
    """Return how much of a stretch a spike passed in order, um."""
    sites = _used(journey, x, window, between)
    return float(np.ptp(journey.branch.distance[sites])) if sites.size >= _FEWEST else 0.0


def _fit(stretches: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> tuple[float, float]:
    """Fit t = a_k + b s, one intercept for each stretch k; return b and its standard error, ms/um."""
    centred = [(_centred(distance), _centred(time)) for distance, time in stretches]
    s, t = centred[0] if len(centred) == 1 else map(np.concatenate, zip(*centred, strict=True))
    size = float(s @ s)
    slope = float(s @ t) / size
    residual = t - slope * s
    freedom = s.size - len(stretches) - 1
    return slope, math.sqrt(float(residual @ residual) / freedom / size)


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values less their mean, without what ``mean`` does for arrays of other kinds."""
    return values - values.sum() / values.size


def _fitted(
    used: dict[Journey, NDArray[np.intp]], x: NDArray[np.float64], threshold: float | None
) -> Velocity:
    branches = [(journey.branch, sites) for journey, sites in used.items()]
    stretches = [(branch.distance[sites], branch.arrival[sites]) for branch, sites in branches]
    positions = [x[branch.sites[sites]] for branch, sites in branches]
    slope, error = _fit(stretches)
    first, last = float(positions[0][0]), float(positions[0][-1])
    direction = _NAMES[branches[0][0].heading]
    if len(used) > 1:
        direction, first, last = "both", float(positions[1][-1]), last
    span = max(float(distance[-1] - distance[0]) for distance, _ in stretches)
    if slope * span < _INSTANT or slope < _SURE * error:
        raise NoPropagation(_at_once(stretches, first, last))
    value = _M_PER_S / slope
    return Velocity(
        value=value,
        standard_error=value * error / slope,
        direction=direction,
        first_position=first,
        last_position=last,
        n_sites=sum(sites.size for sites in used.values()),
        threshold=threshold,
    )


def _at_once(
    stretches: list[tuple[NDArray[np.float64], NDArray[np.float64]]], first: float, last: float
) -> str:
    within = max(float(np.ptp(time)) for _, time in stretches)
    where = f"from x = {micrometres(first)} to x = {micrometres(last)}"
    return f"the sites {where} fired at once or in no order, within {within:.2g} ms: nothing travelled"


def _too_few(most: int, between: tuple[float, float] | None) -> str:
    stretch = "window" if between is None else "stretch between"
    return f"a velocity needs {_FEWEST} sites, got {most}; take a wider {stretch} or a smaller dx"


def _backwards(
    ways: Iterable[list[Journey]], x: NDArray[np.float64], between: tuple[float, float] | None
) -> str | None:
    """Return why a stretch has no velocity, if it lies where a spike that formed again ran back."""
    if between is None:
        return None
    for pieces in ways:
        for before, after in pairwise(pieces):
            stood, formed = float(x[before.branch.sites[-1]]), float(x[after.branch.sites[0]])
            low, high = sorted((stood, formed))
            if low < between[1] and between[0] < high:
                return (
                    f"arrivals run backwards between x = {micrometres(low)} and x = {micrometres(high)}: "
                    f"a spike formed at x = {micrometres(formed)} and ran back; measure beyond"
                )
    return None


def _with_error(value: float, error: float) -> tuple[str, str]:
    """Return value and error with the decimals that reach the error's first digit, six digits at most."""
    most = 6 - max(0, math.floor(math.log10(value)))
    decimals = most if error == 0 else min(most, max(0, -math.floor(math.log10(error))))
    least = 10.0**-decimals
    shown = f"{error:.{decimals}f}" if error >= least / 2 else f"<{least:.{decimals}f}"
    return f"{value:.{decimals}f}", shown


def _stretch(first: float, last: float) -> str:
    largest = max(abs(first), abs(last))
    if largest < 1000:
        return f"{first:.1f} to {last:.1f} um"
    decimals = 1 if largest >= 10_000 else 2
    return f"{first / 1000:.{decimals}f} to {last / 1000:.{decimals}f} mm"

"""When a spike came by: from threshold crossings to arrival times, and from those to the ways it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SURE = 8.0  # standard deviations of jitter by which arrivals must fall to count as another spike's


@dataclass(frozen=True, eq=False)
class Branch:
    """One way of a spike, from where it started to where it ended.

    Parameters
    ----------
    sites : array of int, (n,)
        Compartments in the order of travel, the origin first.
    distance : array, (n,)
        Way from the origin, um.
    arrival : array, (n,)
        Arrival times, ms.
    heading : int
        1 towards larger positions, -1 towards smaller ones.
    end : str
        ``"end"``: it reached the end of the axon; ``"collision"``: it met another spike (or, in a ring, the
        place it came from); ``"gone"``: no compartment further on was crossed by it.
    """

    sites: NDArray[np.intp]
    distance: NDArray[np.float64]
    arrival: NDArray[np.float64]
    heading: Literal[1, -1]
    end: Literal["end", "collision", "gone"]


def first_arrivals(
    spike_time: ArrayLike, spike_compartment: ArrayLike, n_compartments: int, *, spike: int = 0
) -> NDArray[np.float64]:
    """Return when each compartment was first crossed, or crossed for the k-th time.

    Parameters
    ----------
    spike_time : array_like, (n_spikes,)
        Times of upward crossings, ms, in any order.
    spike_compartment : array_like of int, (n_spikes,)
        Compartment of each crossing, 0 to `n_compartments` - 1.
    n_compartments : int
        Number of compartments.
    spike : int
        Which crossing of each compartment, counted from 0. Default: the first.

    Returns
    -------
    array, (n_compartments,)
        Times, ms; nan where there was no such crossing.

    Raises
    ------
    ValueError
        When a compartment lies outside the axon, `spike` is negative, or the two arrays differ in length.
    """
    time = np.asarray(spike_time, dtype=np.float64)
    compartment = np.asarray(spike_compartment, dtype=np.intp)
    if time.ndim != 1 or time.shape != compartment.shape:
        given = f"{time.shape} and {compartment.shape}"
        raise ValueError(f"spike_time and spike_compartment must have one shape (n,), got {given}")
    if spike < 0:
        raise ValueError(f"spike must be >= 0, counted from the first, got {spike}")
    if time.size and not 0 <= compartment.min() <= compartment.max() < n_compartments:
        given = f"{compartment.min()} to {compartment.max()}"
        raise ValueError(f"spike_compartment must be 0 to {n_compartments - 1}, got {given}")
    arrival = np.full(n_compartments, np.nan)
    if spike == 0 and (time[1:] >= time[:-1]).all():
        # Backwards, so that of several crossings of a compartment the first is what stays.
        arrival[compartment[::-1]] = time[::-1]
        return arrival
    order = np.lexsort((time, compartment))
    number = np.bincount(compartment, minlength=n_compartments)
    wanted = np.cumsum(number) - number + spike  # where in this order the wanted crossings lie
    there = number > spike
    arrival[there] = time[order[wanted[there]]]
    return arrival


def branches(
    position: ArrayLike, arrival: ArrayLike, *, ring: bool = False, length: float | None = None
) -> list[Branch]:
    """Follow every spike from where it started: the places with later arrivals on both sides.

    A branch goes on while arrivals get later: until two spikes met, the axon ends, or nothing further on was
    crossed. No end of a branch are compartments that the spike jumped over, crossing later ones in order, nor
    jitter of the arrivals, estimated from their scatter about straight lines.

    Parameters
    ----------
    position : array_like, (n,)
        Positions of the compartments, um, increasing.
    arrival : array_like, (n,)
        Arrival times, ms; nan where there was no crossing.
    ring : bool
        Whether the last compartment is joined to the first one. Default: no.
    length : float, optional
        Circumference of a ring, um. Default: from 0 to as far beyond the last position as the first lies
        from 0, which is exact for equal compartments.

    Returns
    -------
    list of Branch
        Up to two for each origin, in the order of its position; none where the axon ends at the origin.
    """
    x, t = checked_arrivals(position, arrival)
    found = []
    for origin in origins(x, t, ring=ring):
        found += leaving(x, t, origin, ring=ring, length=length)
    return found


def origins(position: NDArray[np.float64], arrival: NDArray[np.float64], *, ring: bool = False) -> list[int]:
    """Return the compartments with later arrivals on both sides, from checked arrays."""
    crossed = np.flatnonzero(np.isfinite(arrival))
    if not crossed.size:
        return []
    time, tolerance = arrival[crossed], jitter(position, arrival)
    if not ring:
        return [int(crossed[site]) for site in _minima(time, tolerance)]
    first, n = int(np.argmin(time)), time.size
    around = np.concatenate([time[first:], time[: first + 1]])  # from the earliest once round to itself
    return sorted(int(crossed[(first + site) % n]) for site in _minima(around, tolerance) if site < n)


def leaving(
    position: NDArray[np.float64],
    arrival: NDArray[np.float64],
    origin: int,
    *,
    ring: bool,
    length: float | None,
) -> list[Branch]:
    """Return the branches that leave a compartment, towards larger positions first, from checked arrays."""
    found = []
    headings: tuple[tuple[Literal[1, -1], int], ...] = ((1, position.size - 1), (-1, 0))
    for heading, end in headings:
        if position.size > 1 and (ring or origin != end):
            sites, distance = way(position, origin, heading, ring=ring, length=length)
            found.append(_followed(sites, distance, position, arrival, heading, ring))
    return found


def way(
    position: NDArray[np.float64], origin: int, heading: int, *, ring: bool, length: float | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return all compartments from an origin on in one direction, and how far away they are, um."""
    n = position.size
    if not ring:
        sites = np.arange(origin, n if heading > 0 else -1, heading)
        return sites, np.abs(position[sites] - position[origin])
    sites = (origin + heading * np.arange(n)) % n
    around = position[0] + position[-1] if length is None else length
    return sites, (heading * (position[sites] - position[origin])) % around


def checked_arrivals(
    position: ArrayLike, arrival: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions and arrivals as arrays of float; raise ``ValueError`` where they do not fit."""
    x = np.asarray(position, dtype=np.float64)
    t = np.asarray(arrival, dtype=np.float64)
    if x.ndim != 1 or x.shape != t.shape:
        raise ValueError(f"position and arrival must have one shape (n,), got {x.shape} and {t.shape}")
    if np.count_nonzero(x[1:] > x[:-1]) < x.size - 1:
        raise ValueError("position must increase from one compartment to the next; sort position and arrival")
    return x, t


def earliest(arrival: NDArray[np.float64]) -> int:
    """Return which compartment was crossed first; there must be an arrival."""
    return int((arrival == np.fmin.reduce(arrival)).argmax())


def jitter(position: NDArray[np.float64], arrival: NDArray[np.float64]) -> float:
    """Return by how much, ms, arrivals of one spike may be out of order by noise alone; near 0 if smooth.

    The scatter is that of each arrival about the straight line between its neighbours, by its median, which
    neither an origin nor a collision moves.
    """
    there = np.isfinite(arrival)
    x, t = position[there], arrival[there]
    if x.size < 5:
        return 0.0
    left = (x[2:] - x[1:-1]) / (x[2:] - x[:-2])
    residual = t[1:-1] - left * t[:-2] - (1 - left) * t[2:]
    scatter = residual / np.sqrt(1 + left**2 + (1 - left) ** 2)
    return _SURE * 1.4826 * _median(np.abs(scatter))


def _median(values: NDArray[np.float64]) -> float:
    """``np.median``, without what that does for arrays of other kinds, which here takes most of its time."""
    high = values.size // 2
    low = (values.size - 1) // 2
    middle = np.partition(values, (low, high))
    return float(middle[low] + middle[high]) / 2


def _followed(
    sites: NDArray[np.intp],
    distance: NDArray[np.float64],
    position: NDArray[np.float64],
    arrival: NDArray[np.float64],
    heading: Literal[1, -1],
    ring: bool,
) -> Branch:
    end: Literal["end", "collision", "gone"] = "collision" if ring else "end"
    time = arrival[sites]
    crossed = _connected(time)
    if crossed[-1] < sites.size - 1:
        end = "gone"
    met = time[crossed]
    if np.count_nonzero(met[1:] < met[:-1]):  # by more than noise can?
        fallen = np.maximum.accumulate(met) - met
        falls = np.flatnonzero(fallen > jitter(position, arrival))
        if falls.size:
            crossed = crossed[: int(np.argmax(time[crossed[: falls[0]]])) + 1]
            end = "collision"
    return Branch(sites[crossed], distance[crossed], time[crossed], heading, end)


def _connected(arrival: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the crossed sites from the first one on, over gaps beyond which the same spike went on."""
    (crossed,) = np.isfinite(arrival).nonzero()
    if crossed[-1] - crossed[0] < crossed.size:
        return crossed
    for before in np.flatnonzero(np.diff(crossed) > 1):
        beyond = arrival[crossed[before + 1 : before + 4]]
        if not arrival[crossed[before]] < beyond[0] < beyond[-1]:  # nor is one lone crossing
            return crossed[: before + 1]
    return crossed


def _minima(arrival: NDArray[np.float64], tolerance: float) -> list[int]:
    """Return the lowest points between rises of more than the tolerance."""
    found = []
    low, high, falling = 0, 0, True
    for site, time in enumerate(arrival.tolist()):
        if falling:
            if time < arrival[low]:
                low = site
            elif time > arrival[low] + tolerance:
                found.append(low)
                high, falling = site, False
        elif time >= arrival[high]:
            high = site
        elif time < arrival[high] - tolerance:
            low, falling = site, True
    return [*found, low] if falling else found

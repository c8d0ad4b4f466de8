"""What every simulator is asked, and what it answers: one problem, trials of it, arrivals of the spike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from _benchmark import squid

Array = NDArray[np.float64]

SITES = (0.4, 0.5, 0.6, 0.7, 0.8)  # where arrivals are looked for, as fractions of the length


@dataclass(frozen=True)
class Problem:
    """Axons of one length that differ in diameter at most, and how finely to step them."""

    diameters: tuple[float, ...]  # um, one per axon
    length: float  # um
    celsius: float
    amplitude: float  # nA, from `start`
    pulse: float  # ms
    duration: float  # ms
    compartments: int  # per axon
    dt: float  # ms
    start: float = 0.1  # ms

    @property
    def work(self) -> float:
        """Compartment-steps."""
        return len(self.diameters) * self.compartments * self.duration / self.dt

    @property
    def stop(self) -> float:
        """End of the pulse, ms; a pulse longer than the run ends with it."""
        return min(self.start + self.pulse, self.duration)

    @property
    def watched(self) -> list[int]:
        """Compartments nearest to SITES."""
        return [min(int(site * self.compartments), self.compartments - 1) for site in SITES]

    def speed(self, arrivals: Array) -> float:
        """Velocity (m/s) of the first axon from its arrivals (ms) where watched; nan if it failed."""
        position = (np.array(self.watched) + 0.5) * self.length / self.compartments
        if not np.isfinite(arrivals[0]).all():
            return np.nan
        return 1e-3 / float(np.polyfit(position, arrivals[0], 1)[0])


# One trial: seconds of the time loop, and the arrivals (axons, sites) in ms, empty where not watched.
Trial = Callable[[], tuple[float, Array]]
Prepare = Callable[[Problem, bool], Trial]
NOT_WATCHED = np.zeros((0, 0))


@dataclass(frozen=True)
class Peer:
    """A simulator in one setting.

    ``prepare(problem, watch)`` gives the trial; ``many`` says whether it takes several axons, and ``scan``
    whether it is worth running at many steps, each of which some tools compile anew.
    """

    name: str
    setting: str
    version: str
    prepare: Prepare
    many: bool = True
    scan: bool = True


def first_crossing(v: Array, dt: float) -> float:
    """When v (mV, one value per step) first rises through the threshold, ms: the cubic through four steps."""
    above = np.flatnonzero((v[:-1] < squid.THRESHOLD) & (v[1:] >= squid.THRESHOLD))
    if not len(above):
        return np.nan
    k = int(np.clip(above[0], 1, len(v) - 3))
    cubic = np.polynomial.Polynomial.fit(np.arange(4.0), v[k - 1 : k + 3] - squid.THRESHOLD, 3)
    roots = cubic.roots()
    inside = roots[
        (abs(roots.imag) < 1e-9) & (roots.real >= above[0] - k + 1) & (roots.real <= above[0] - k + 2)
    ]
    return float(k - 1 + inside[0].real) * dt

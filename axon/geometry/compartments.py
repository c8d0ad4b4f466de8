"""An axon cut up: arrays with one value per compartment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place
from axon.membranes import Membrane

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Compartments:
    """An axon cut up: arrays with one value per compartment, section by section in order of position.

    Where more than two compartments meet stands a joint besides, a point without membrane. Unknown number u
    of the cable is compartment u, or joint u - n.

    Attributes
    ----------
    position : (n,) um
        Distance of the centres from x = 0.
    length, diameter : (n,) um
    resistivity : (n,) ohm cm
    area : (n,) cm2
        Of membrane.
    capacitance : (n,) nF
        Of membrane, and of what stands at an end.
    parent : (n + joints,) int
        The unknown next to each on the way to compartment 0, which has -1.
    axial_conductance : (n + joints - 1,) uS, or (n,) for a ring
        Between unknown u + 1 and its parent; the last of a ring joins the last compartment to the first.
    end_conductance, end_current : (n,) uS, nA
        To ground, and into the compartment at V = 0, through what stands at an end.
    celsius : (n,) degC
    section : (n,) int
        Which section a compartment belongs to.
    starts : (sections,) um
        Distance of the sections' beginnings from x = 0.
    main : (n,) bool
        Whether a compartment lies on the way that takes the first branch at every fork.
    membrane : (n,) int
        Index into ``membranes``.
    membranes : tuple of Membrane
        The different ones.
    ring : bool
    sheath : Sheath or None
        The myelin around the compartments; None where there is none at all.
    even : bool
        Whether all compartments are known to be alike, and nothing stands at the ends.
    """

    position: Array
    length: Array
    diameter: Array
    resistivity: Array
    area: Array
    capacitance: Array
    parent: NDArray[np.intp]
    axial_conductance: Array
    end_conductance: Array
    end_current: Array
    celsius: Array
    section: NDArray[np.intp]
    starts: Array
    main: NDArray[np.bool_]
    membrane: NDArray[np.intp]
    membranes: tuple[Membrane, ...]
    ring: bool
    sheath: Sheath | None = None
    even: bool = False

    def __len__(self) -> int:
        return len(self.position)

    @cached_property
    def branched(self) -> bool:
        """Whether anything but a chain or ring: then ``parent`` is not simply the compartment before."""
        if self.even:
            return False
        return len(self.parent) > len(self) or bool((self.parent != np.arange(-1, len(self) - 1)).any())

    def nearest(self, at: Place) -> int:
        """Index of the compartment whose centre is nearest to a place, um or (section, um from its start)."""
        number, x = self._along(at)
        return int(number[np.argmin(np.abs(self.position[number] - x))])

    def all_nearest(self, places: Sequence[Place]) -> NDArray[np.intp]:
        """``nearest`` of many places, in order and each once."""
        plain = np.array([at for at in places if not isinstance(at, tuple)], float)
        others = [self.nearest(at) for at in places if isinstance(at, tuple)]
        number = self._along(0.0)[0]
        position = self.position[number]
        after = np.clip(np.searchsorted(position, plain), 1, max(len(position) - 1, 1))
        before = after - 1
        after = np.minimum(after, len(position) - 1)
        first = np.abs(position[before] - plain) <= np.abs(position[after] - plain)
        return np.unique([*number[np.where(first, before, after)], *others]).astype(np.intp)

    def distance(self, at: Place) -> float:
        """Distance of a place from x = 0, um."""
        return self._along(at)[1]

    def _along(self, at: Place) -> tuple[NDArray[np.intp], float]:
        """The compartments among which a place lies, in order of position, and its distance from x = 0."""
        if isinstance(at, tuple):
            section, x = at
            own = np.flatnonzero(self.section == section)
            x += self.starts[section]
            # A perfectly insulated section has no compartments: its neighbours stand in.
            return (own, x) if len(own) else (np.arange(len(self)), x)
        return (np.flatnonzero(self.main) if self.branched else np.arange(len(self))), at

    def patches(self) -> tuple[list[tuple[Membrane, float]], NDArray[np.intp]]:
        """The different (membrane, celsius) along the axon, and which one each compartment is."""
        return self._patches

    @cached_property
    def _patches(self) -> tuple[list[tuple[Membrane, float]], NDArray[np.intp]]:
        if self.even or len(self.membranes) == 1 and np.ptp(self.celsius) == 0:
            return [(self.membranes[0], float(self.celsius[0]))], np.zeros(len(self), np.intp)
        kinds, which = np.unique(self.membrane + 1j * self.celsius, return_inverse=True)
        return [(self.membranes[int(k.real)], float(k.imag)) for k in kinds], np.reshape(which, -1)

    def shares(self, at: Place, order: int = 2) -> tuple[NDArray[np.intp], Array]:
        """Compartments that a point source at a place feeds, and its shares, which add up to 1.

        The shares keep the source's moments, so that far from it a point source costs no order of accuracy:
        between two centres they are linear for ``order`` 2 and cubic over four for 4, where those four are
        alike; a sealed end mirrors them. Across a fork, or beside myelin, the nearest compartment takes all.
        """
        if at == 0.0 and self.even and not self.ring:
            return _shares_at_start(len(self), order)
        along, x = self._along(at)
        position = self.position[along]
        right = int(position.searchsorted(x))
        if order == 4 and len(self) >= 4 and len(along) == len(self):
            places = self._mirrored(np.arange(right - 2, right + 2))
            step, width = self.length[places[0]], self.diameter[places[0]]
            if (self.length[places] == step).all() and (self.diameter[places] == width).all():
                left = self.position[right - 1] if right > 0 else self.position[0] - step
                weights = _cubic_shares((x - left) / step)
                if 2 <= right <= len(self) - 2:
                    return places, weights
                shares: dict[int, float] = {}
                for place, weight in zip(places.tolist(), weights.tolist(), strict=True):
                    shares[place] = shares.get(place, 0.0) + weight
                unique = sorted(shares)
                return np.array(unique, np.intp), np.array([shares[place] for place in unique])
        if right == 0 or right == len(along):
            return along[[min(right, len(along) - 1)]], np.array([1.0])
        pair = along[[right - 1, right]]
        share = (x - position[right - 1]) / (position[right] - position[right - 1])
        if self.sheath is not None or self.parent[pair[1]] != pair[0]:
            return pair[[int(share >= 0.5)]], np.array([1.0])
        if share == 0.0:
            return pair[:1], np.array([1.0])
        return pair, np.array([1.0 - share, share])

    def _mirrored(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Compartment numbers beyond the ends folded back at a sealed end, or carried on round a ring."""
        n = len(self)
        if self.ring:
            return places % n
        return np.where(places < 0, -1 - places, np.where(places >= n, 2 * n - 1 - places, places))


@dataclass(frozen=True, eq=False)
class Sheath:
    """Myelin around compartments, and the periaxonal space beneath it, open to the bath where there is none.

    Attributes
    ----------
    open : (n,) bool
        Where no myelin separates the space from the bath, which holds it at 0 mV.
    capacitance : (n,) nF
        Across the sheath; 0 where it is open.
    conductance : (n,) uS
        Across the sheath; 0 where it is open.
    along : (n + joints - 1,) uS
        Through the periaxonal space, between unknown u + 1 and its parent.
    """

    open: NDArray[np.bool_]
    capacitance: Array
    conductance: Array
    along: Array


@lru_cache(maxsize=64)
def _shares_at_start(n: int, order: int) -> tuple[NDArray[np.intp], Array]:
    """The shares at x = 0, half a compartment before the first centre, of compartments that are alike."""
    if order == 4 and n >= 4:
        beyond, mirrored, first, second = _cubic_shares(0.5)
        return np.arange(2), np.array([mirrored + first, beyond + second])
    return np.zeros(1, np.intp), np.ones(1)


def _cubic_shares(s: float) -> Array:
    """Lagrange's weights of the points -1, 0, 1, 2 at ``s``."""
    return np.array(
        [
            -s * (s - 1) * (s - 2) / 6,
            (s + 1) * (s - 1) * (s - 2) / 2,
            -(s + 1) * s * (s - 2) / 2,
            (s + 1) * s * (s - 1) / 6,
        ]
    )

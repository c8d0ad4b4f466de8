"""Transporters: pumps and exchangers, whose current is any function of voltage and concentrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import clear_keywords, finite, not_negative
from axon.membranes.door import checked_current
from axon.membranes.gate import Gate
from axon.membranes.limits import Array, Rate, evaluate
from axon.membranes.pool import Pool, pools_read, resting
from axon.membranes.sampled import samples


@clear_keywords
@dataclass(frozen=True, eq=False)
class Transporter:
    """A pump or exchanger that moves ions at a rate set by voltage and concentrations.

    >>> from axon import Pool, Transporter
    >>> sodium = Pool("Na_in", "Na", 10.0)
    >>> pump = Transporter("pump", lambda v, na: 1e-3 * (na / (na + 10.0)) ** 3, reads=sodium,
    ...                    carries={"Na": 3, "K": -2})

    Parameters
    ----------
    name : str
        Unique among the channels of a membrane.
    outward : callable
        Net outward current density (mA/cm2) as a NumPy function of V (mV) and of the concentrations (mM) that
        it reads, in that order; for how it is best written see ``Gate``.
    reads : Pool or tuple of Pool
    carries : mapping of str to float
        How much of the net current each ion carries, for the pools: ``{"Na": 3, "K": -2}`` for a pump that
        takes three Na+ out for two K+ in, ``{"Ca": 1}`` for one of calcium alone.
    density : float
        Factor of the current.

    Raises
    ------
    ValueError
        For a function that fails or is not finite between -150 and 150 mV with concentrations as at rest, a
        negative density, or something that is no pool.
    """

    name: str
    outward: Rate
    reads: tuple[Pool, ...] = ()
    carries: Mapping[str, float] | tuple[tuple[str, float], ...] = ()
    density: float = 1.0

    gates: ClassVar[tuple[Gate, ...]] = ()
    ion: ClassVar[None] = None

    def __post_init__(self) -> None:
        me = f"Transporter {self.name!r}"
        not_negative(f"{me}: density", self.density, "(1 is as written)")
        object.__setattr__(self, "reads", pools_read(self.reads, me))
        carries = self.carries.items() if isinstance(self.carries, Mapping) else self.carries
        shares = tuple((str(ion), finite(f"{me}: carries {ion!r}", part, "charges")) for ion, part in carries)
        object.__setattr__(self, "carries", shares)
        checked_current(me, self.outward, resting(self.reads))

    @property
    def shares(self) -> dict[str, float]:
        """How much of the net current each ion carries."""
        return dict(self.carries)

    def scaled(self, factor: float) -> Transporter:
        """The same transporter, ``factor`` times as dense."""
        return replace(self, density=self.density * factor)

    def current(
        self,
        v: ArrayLike,
        gates: Mapping[str, ArrayLike],
        celsius: float | None = None,
        concentrations: Mapping[str, ArrayLike] | None = None,
    ) -> Array:
        """Net outward current density (mA/cm2); without ``concentrations`` (mM, by pool) as at rest."""
        known = concentrations or {}
        read = [known.get(pool.name, pool.concentration) for pool in self.reads]
        return self.density * evaluate(self.outward, v, *read)

    def _plain(self) -> tuple[object, ...]:
        return (self.name, self.reads, self.carries, self.density)

    def __eq__(self, other: object) -> bool:
        """Equal when the numbers are and the functions agree at every sample."""
        if not isinstance(other, Transporter):
            return NotImplemented
        rest = resting(self.reads)
        return self._plain() == other._plain() and (
            self.outward is other.outward
            or np.array_equal(samples(self.outward, rest), samples(other.outward, rest), equal_nan=True)
        )

    def __hash__(self) -> int:
        return hash(self._plain())

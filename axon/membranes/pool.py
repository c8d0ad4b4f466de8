"""Pools: concentrations that follow the currents, on either side of the membrane."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import clear_keywords, not_negative, positive
from axon.membranes.constants import thermal_voltage
from axon.membranes.limits import Array

Side = Literal["inside", "outside"]


@clear_keywords
@dataclass(frozen=True)
class Buffer:
    """Sites that bind the ions of a pool: d(bound)/dt = on * free * (total - bound) - off * bound.

    Parameters
    ----------
    total : float
        Concentration of binding sites, mM.
    on, off : float
        Rates of binding and of letting go, 1/(mM ms) and 1/ms.
    """

    total: float
    on: float
    off: float

    def __post_init__(self) -> None:
        not_negative("Buffer.total", self.total, "mM")
        positive("Buffer.on", self.on, "/(mM ms)")
        positive("Buffer.off", self.off, "/ms")

    def resting(self, free: float) -> float:
        """Bound ions (mM) in equilibrium with ``free`` ones (mM)."""
        return self.total * self.on * free / (self.on * free + self.off)


@clear_keywords
@dataclass(frozen=True)
class Pool:
    """Ions of one kind in a layer along one side of the membrane.

    Every channel and transporter that carries the ion fills or empties it, and every channel that carries the
    ion has its reversal potential shifted by the concentration as Nernst's equation says. Gates and
    transporters may read it. Nothing diffuses along the axon.

    >>> from axon import Pool
    >>> calcium = Pool("Ca_in", "Ca", 1e-4, valence=2, depth=0.1, tau=20.0)

    Parameters
    ----------
    name : str
        Unique within a membrane, for example ``"Ca_in"``.
    ion : str
        What it is, as the channels name it that carry it, for example ``"Ca"``.
    concentration : float
        At rest and at the start, mM.
    side : {"inside", "outside"}
    valence : int
        Charges of the ion; not 0.
    depth : float, optional
        Thickness of the layer, um: a cylindrical shell under or around the membrane.
    volume : float, optional
        Instead of the depth: volume of the layer over the area of membrane, um3/um2. With neither, a pool
        inside is the whole axon (a quarter of its diameter).
    tau : float
        Time constant with which the concentration returns to rest, by diffusion or by pumps that are not
        described, ms; infinite by default.
    buffer : Buffer, optional
        At the start in equilibrium.

    Raises
    ------
    ValueError
        For numbers that cannot be meant, or a pool outside without depth or volume.
    """

    name: str
    ion: str
    concentration: float
    side: Side = "inside"
    valence: int = 1
    depth: float | None = None
    volume: float | None = None
    tau: float = math.inf
    buffer: Buffer | None = None

    def __post_init__(self) -> None:
        me = f"Pool {self.name!r}"
        positive(f"{me}: concentration", self.concentration, "mM")
        if self.side not in ("inside", "outside"):
            raise ValueError(f'{me}: side must be "inside" or "outside", got {self.side!r}')
        if isinstance(self.valence, bool) or not isinstance(self.valence, int) or self.valence == 0:
            raise ValueError(f"{me}: valence must be a whole number other than 0, got {self.valence!r}")
        for name in ("depth", "volume"):
            if getattr(self, name) is not None:
                positive(f"{me}: {name}", getattr(self, name), "um")
        if self.depth is not None and self.volume is not None:
            raise ValueError(f"{me}: give depth or volume, not both")
        if self.side == "outside" and self.depth is None and self.volume is None:
            raise ValueError(
                f"{me}: a pool outside needs a depth or a volume, um; what never changes is no pool"
            )
        if self.tau != math.inf:
            positive(f"{me}: tau", self.tau, "ms")
        if self.buffer is not None and not isinstance(self.buffer, Buffer):
            raise ValueError(f"{me}: buffer must be a Buffer, got {self.buffer!r}")

    def layer(self, diameter: float) -> float:
        """Volume over area of membrane (um) on an axon of a diameter (um).

        Raises
        ------
        ValueError
            For a shell that is thicker than the axon's radius.
        """
        if self.volume is not None:
            return self.volume
        if self.depth is None:
            return diameter / 4
        if self.side == "outside":
            return self.depth * (1 + self.depth / diameter)
        if self.depth > diameter / 2:
            raise ValueError(
                f"Pool {self.name!r}: depth must be at most the radius of the axon, {diameter / 2:g} um, got "
                f"{self.depth!r}"
            )
        return self.depth * (1 - self.depth / diameter)


def pools_read(reads: object, owner: str) -> tuple[Pool, ...]:
    """What a gate or transporter reads, as a tuple.

    Raises
    ------
    ValueError
        For something that is no pool.
    """
    pools = (
        (reads,) if isinstance(reads, Pool) else tuple(reads) if isinstance(reads, list | tuple) else (reads,)
    )
    for pool in pools:
        if not isinstance(pool, Pool):
            raise ValueError(f"{owner}: reads must be a Pool or several, got {pool!r}")
    return pools


def resting(pools: tuple[Pool, ...]) -> tuple[float, ...]:
    """Their concentrations at rest, mM."""
    return tuple(pool.concentration for pool in pools)


def reversal_shift(
    pools: Iterable[Pool], concentrations: Mapping[str, ArrayLike], celsius: float
) -> Array | float:
    """By how much the Nernst potential of an ion has moved from rest, mV.

    Parameters
    ----------
    pools : iterable of Pool
        Of the ion.
    concentrations : mapping of str to array_like
        Of each pool by name, mM, > 0.
    celsius : float
        degC.
    """
    shift: Array | float = 0.0
    for pool in pools:
        side = 1.0 if pool.side == "outside" else -1.0
        grown = np.log(np.asarray(concentrations[pool.name], float) / pool.concentration)
        shift = shift + side * thermal_voltage(celsius) / pool.valence * grown
    return shift


def checked_pools(membrane: str, pools: Any, channels: Iterable[Any]) -> tuple[Pool, ...]:
    """The pools of a membrane as a tuple, if its channels get along with them.

    Raises
    ------
    ValueError
        For something that is no pool, two pools of an ion on one side or with different valences, a channel
        by permeability with other concentrations at rest, or one that reads a pool which is not there.
    """
    me = f"Membrane {membrane!r}"
    if isinstance(pools, Pool) or not isinstance(pools, Iterable):
        raise ValueError(f"{me}: pools must be a tuple of Pool, got {pools!r}")
    pools = tuple(pools)
    known: dict[tuple[str, str], Pool] = {}
    for pool in pools:
        if not isinstance(pool, Pool):
            raise ValueError(f"{me}: pools must hold Pool objects, got {pool!r}")
        if (pool.ion, pool.side) in known:
            raise ValueError(f"{me}: there are two pools of {pool.ion} {pool.side}; join them to one")
        known[pool.ion, pool.side] = pool
        if any(other.valence != pool.valence for other in pools if other.ion == pool.ion):
            raise ValueError(f"{me}: the pools of {pool.ion} have different valences")
    for channel in channels:
        for reader in (*channel.gates, channel):
            for pool in getattr(reader, "reads", ()):
                if pool not in pools:
                    raise ValueError(
                        f"{me}: {reader.name!r} reads pool {pool.name!r}, which the membrane does not have; "
                        "give it among pools=(...)"
                    )
        for side in ("inside", "outside"):
            pool, own = known.get((channel.ion, side)), getattr(channel, side, None)
            if pool is not None and own is not None and own != pool.concentration:
                raise ValueError(
                    f"{me}: channel {channel.name!r} has {own:g} mM {side} and pool {pool.name!r} has "
                    f"{pool.concentration:g} mM at rest; make them equal"
                )
    return pools

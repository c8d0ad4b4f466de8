"""A patch of membrane: a capacitance with channels side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import clear_keywords, finite, not_negative, positive
from axon.errors import NoRest, unknown_name
from axon.membranes.door import checked_gates
from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.limits import Array
from axon.membranes.pool import Pool, checked_pools, reversal_shift
from axon.membranes.transporter import Transporter


@clear_keywords
@dataclass(frozen=True)
class Channel:
    """A population of channels: I = conductance * product(gate ** exponent) * (V - reversal).

    >>> from axon import Channel, Gate, hodgkin_huxley
    >>> a = Gate("a", 4, inf=lambda v: 1 / (1 + np.exp(-(v + 50) / 20)), tau=lambda v: 0.5 + 0 * v)
    >>> membrane = hodgkin_huxley() + Channel("A", 0.047, -75.0, (a,))

    Parameters
    ----------
    name : str
        Unique within a membrane, for example ``"Na"``.
    conductance : float
        Density with every gate open, S/cm2.
    reversal : float
        Reversal potential, mV.
    gates : tuple of Gate
        None for a leak.
    unitary : float, optional
        Conductance of a single open channel, pS: how many channels ``conductance`` stands for, which matters
        where their noise is simulated. Without it they are taken to be very many.
    ion : str, optional
        Which ion passes, where a membrane has pools of it: they take it up, and the reversal potential, given
        for their concentrations at rest, moves with them as Nernst's equation says.
    q10, q10_celsius : float
        Factor by which the conductance grows for 10 degC, and the temperature (degC) at which it holds as
        written. The default is a conductance that is the same at every temperature.

    Raises
    ------
    ValueError
        For a negative or non-finite density, a non-finite reversal, gates whose functions cannot be meant
        (see ``axon.membranes.door``), or a single-channel conductance that is not > 0 or belongs to a leak.
    """

    name: str
    conductance: float
    reversal: float
    gates: tuple[Gate, ...] = ()
    unitary: float | None = None
    q10: float = 1.0
    q10_celsius: float = 6.3
    ion: str | None = None

    def __post_init__(self) -> None:
        not_negative(f"Channel {self.name!r}: conductance", self.conductance, "S/cm2")
        finite(f"Channel {self.name!r}: reversal", self.reversal, "mV")
        positive(f"Channel {self.name!r}: q10", self.q10, "")
        finite(f"Channel {self.name!r}: q10_celsius", self.q10_celsius, "degC")
        object.__setattr__(self, "gates", checked_gates(f"Channel {self.name!r}", self.gates))
        if self.unitary is not None:
            positive(f"Channel {self.name!r}: unitary", self.unitary, "pS")
            if not self.gates:
                raise ValueError(
                    f"Channel {self.name!r}: unitary must be None for a leak, which has no gates to open and "
                    f"close by chance, got {self.unitary!r}"
                )

    def scaled(self, factor: float) -> Channel:
        """The same channel, ``factor`` times as dense."""
        return replace(self, conductance=self.conductance * factor)

    def density(self, celsius: float | None = None) -> float:
        """Conductance with every gate open at ``celsius`` (degC), S/cm2."""
        if self.q10 == 1.0:
            return self.conductance
        if celsius is None:
            raise ValueError(
                f"channel {self.name!r} conducts more when warm (q10 = {self.q10:g}): its current needs "
                "celsius=..., degC"
            )
        return self.conductance * self.q10 ** ((celsius - self.q10_celsius) / 10.0)

    def open_fraction(self, gates: Mapping[str, ArrayLike]) -> Array:
        """Fraction of the channels that conduct, from the gate values by name."""
        fraction = np.ones(())
        for gate in self.gates:
            fraction = fraction * np.asarray(gates[gate.name], float) ** gate.exponent
        return fraction

    def open_current(self, v: ArrayLike, celsius: float | None = None) -> Array:
        """Outward current density with every gate open at ``v`` (mV), mA/cm2."""
        return self.density(celsius) * (np.asarray(v, float) - self.reversal)

    def open_slope(self, v: ArrayLike, celsius: float | None = None) -> Array:
        """Derivative of ``open_current`` with respect to V, S/cm2."""
        return np.full(np.shape(v), self.density(celsius))

    def current(
        self,
        v: ArrayLike,
        gates: Mapping[str, ArrayLike],
        celsius: float | None = None,
        shift: ArrayLike = 0.0,
    ) -> Array:
        """Outward current density at ``v`` (mV), mA/cm2, with the reversal potential ``shift`` mV off."""
        away = np.asarray(v, float) - self.reversal - np.asarray(shift, float)
        return self.density(celsius) * self.open_fraction(gates) * away


AnyChannel = Channel | PermeableChannel | Transporter


@clear_keywords
@dataclass(frozen=True, repr=False)
class Membrane:
    """Channels in parallel with a capacitance.

    Membranes are varied as one speaks of them: ``membrane + channel``, ``membrane.without("K")``,
    ``membrane.scaled(Na=0.5)``, ``membrane.block("Na", 0.9)``. The name stays.

    Parameters
    ----------
    name : str
        For messages and files.
    channels : tuple of Channel, PermeableChannel or Transporter
        Their names, and the names of all their gates, must differ.
    capacitance : float
        uF/cm2; 0 only without channels.
    pools : tuple of Pool
        The concentrations that change: by what channels carry of an ion, and of transporters.

    Raises
    ------
    ValueError
        For a capacitance <= 0, something that is no channel, a name that occurs twice, a gate or transporter
        that reads a pool which is not there, or pools of one ion that do not agree.
    """

    name: str
    channels: tuple[AnyChannel, ...]
    capacitance: float = 1.0
    pools: tuple[Pool, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.channels, Iterable):
            raise ValueError(
                f"Membrane {self.name!r}: channels must be a tuple of Channel, got {self.channels!r}"
            )
        object.__setattr__(self, "channels", tuple(self.channels))
        for channel in self.channels:
            if not isinstance(channel, AnyChannel):
                raise ValueError(
                    f"Membrane {self.name!r}: channels must hold Channel, PermeableChannel or Transporter "
                    f"objects, got {channel!r}"
                )
        check = positive if self.channels else not_negative  # without any of both it is an insulator
        check(f"Membrane {self.name!r}: capacitance", self.capacitance, "uF/cm2")
        for kind, names in (
            ("channel", [channel.name for channel in self.channels]),
            ("pool", [pool.name for pool in self.pools if isinstance(pool, Pool)]),
            ("gate", [gate.name for channel in self.channels for gate in channel.gates]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(
                    f"Membrane {self.name!r}: {kind} {twice[0]!r} occurs twice; names must differ"
                )
        object.__setattr__(self, "pools", checked_pools(self.name, self.pools, self.channels))

    def __add__(self, part: AnyChannel | Pool) -> Membrane:
        """The membrane with one more channel, transporter or pool (which comes before what reads it)."""
        if isinstance(part, Pool):
            return replace(self, pools=(*self.pools, part))
        if not isinstance(part, AnyChannel):
            return NotImplemented
        return replace(self, channels=(*self.channels, part))

    def without(self, *names: str) -> Membrane:
        """The membrane without these channels.

        Raises
        ------
        ValueError
            For a channel that it does not have.
        """
        self._require(names)
        return replace(self, channels=tuple(c for c in self.channels if c.name not in names))

    def scaled(self, **factors: float) -> Membrane:
        """The membrane with the density of these channels multiplied: ``membrane.scaled(Na=0.5, K=2)``.

        Raises
        ------
        ValueError
            For a channel that it does not have, or a factor that is not >= 0.
        """
        self._require(factors)
        for name, factor in factors.items():
            not_negative(f"Membrane {self.name!r}: factor of {name!r}", factor, "(1 changes nothing)")
        return replace(self, channels=tuple(c.scaled(factors.get(c.name, 1.0)) for c in self.channels))

    def block(self, name: str, part: float) -> Membrane:
        """The membrane with a part of one channel blocked, as TTX does to Na and TEA to K.

        Parameters
        ----------
        name : str
            Of the channel.
        part : float
            0 (none) to 1 (all): a blocker at concentration c that binds one to one blocks c / (c + K_d).

        Raises
        ------
        ValueError
            For a channel that it does not have, or a part outside 0..1.
        """
        if not 0.0 <= not_negative("part", part, "(of the channels that are blocked)") <= 1.0:
            raise ValueError(f"part must be 0..1, of the channels that are blocked, got {part!r}")
        return self.scaled(**{name: 1.0 - part})

    def _require(self, names: Iterable[str]) -> None:
        known = [channel.name for channel in self.channels]
        for name in names:
            if name not in known:
                raise ValueError(f"membrane {self.name!r}: " + unknown_name("channel", str(name), known))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Looked for by every run, so worked out once."""
        return hash((self.name, self.channels, self.capacitance))

    def __getstate__(self) -> dict[str, object]:
        # Another process hashes names differently.
        return {name: value for name, value in vars(self).items() if name != "_hash"}

    @property
    def gates(self) -> dict[str, Gate]:
        """All gates by name, in the order of the channels."""
        return {gate.name: gate for channel in self.channels for gate in channel.gates}

    @property
    def lasting_gates(self) -> dict[str, Gate]:
        """The gates that are not instantaneous: with V, the state of a patch."""
        return {name: gate for name, gate in self.gates.items() if not gate.instantaneous}

    @property
    def reversals(self) -> list[float]:
        """Reversal potentials (mV) of the channels, at rest."""
        return [c.reversal for c in self.channels if not isinstance(c, Transporter)]

    @cached_property
    def drifts(self) -> bool:
        """Whether any of its currents has to be worked out anew in every step: see ``drifting``."""
        return bool(self.pools) or any(self.drifting(channel) for channel in self.channels)

    def drifting(self, channel: AnyChannel) -> bool:
        """Whether the current of a channel depends on anything in a pool, or is that of a transporter."""
        if isinstance(channel, Transporter) or any(gate.reads for gate in channel.gates):
            return True
        return any(pool.ion == channel.ion for pool in self.pools)

    def steady_gates(self, v: ArrayLike, celsius: float | None = None) -> dict[str, Array]:
        """Steady state of every gate at ``v`` (mV) and ``celsius`` (degC; see ``Gate.steady_state``)."""
        return {name: gate.steady_state(v, celsius) for name, gate in self.gates.items()}

    def conductances(self, gates: Mapping[str, ArrayLike], celsius: float | None = None) -> dict[str, Array]:
        """Conductance density of every ohmic channel, S/cm2, from the values of all gates by name."""
        ohmic = (c for c in self.channels if isinstance(c, Channel))
        return {c.name: c.density(celsius) * c.open_fraction(gates) for c in ohmic}

    def currents(
        self,
        v: ArrayLike,
        gates: Mapping[str, ArrayLike],
        celsius: float | None = None,
        concentrations: Mapping[str, ArrayLike] | None = None,
    ) -> dict[str, Array]:
        """Outward current density of every channel, mA/cm2, at ``v`` (mV).

        Instantaneous gates that are not among ``gates`` are where ``v`` puts them. ``celsius`` (degC) is
        needed where a channel conducts by permeability or has a ``q10``. ``concentrations`` (mM, by pool) are
        by default those at rest.
        """
        at_once = {
            name: gate.steady_state(v, celsius, concentrations)
            for name, gate in self.gates.items()
            if gate.instantaneous and name not in gates
        }
        known = {**gates, **at_once}
        return {
            c.name: c.current(v, known, celsius, **self.around(c, concentrations, celsius))
            for c in self.channels
        }

    def around(
        self,
        channel: AnyChannel,
        concentrations: Mapping[str, ArrayLike] | None,
        celsius: float | None,
    ) -> dict[str, Any]:
        """What concentrations mean to a channel, as the keywords that its ``current`` takes."""
        if not concentrations:
            return {}
        if isinstance(channel, Transporter):
            return {"concentrations": concentrations}
        own = [pool for pool in self.pools if pool.ion == channel.ion]
        if isinstance(channel, PermeableChannel):
            return {pool.side: concentrations[pool.name] for pool in own}
        if not own:
            return {}
        if celsius is None:
            raise ValueError(f"the reversal potential of channel {channel.name!r} needs celsius=..., degC")
        return {"shift": reversal_shift(own, concentrations, celsius)}

    def current(self, v: ArrayLike, gates: Mapping[str, ArrayLike], celsius: float | None = None) -> Array:
        """Total outward ionic current density, mA/cm2."""
        return sum(self.currents(v, gates, celsius).values(), np.zeros(np.shape(v)))

    def steady_current(self, v: ArrayLike, celsius: float | None = None) -> Array:
        """Total outward ionic current density with every gate at its steady state, mA/cm2."""
        return self.current(v, self.steady_gates(v, celsius), celsius)

    def resting_potential(self, celsius: float | None = None) -> float:
        """The most negative voltage (mV) where the steady current vanishes with a positive slope.

        Raises
        ------
        NoRest
            When the steady current has no such zero between -200 and 100 mV.
        """
        return _resting_potential(self, celsius)

    def fastest_time_constant(self, celsius: float, below: float = 50.0) -> float:
        """Shortest time constant (ms) of a gate, -70 to ``below`` mV; infinite without lasting gates."""
        return _fastest_time_constant(self, celsius, below)

    def __repr__(self) -> str:
        from axon.membranes import MODELS

        if self.name in MODELS and MODELS[self.name]() == self:
            return f"{self.name}()"
        pools = f", pools={self.pools!r}" if self.pools else ""
        return f"Membrane({self.name!r}, {self.channels!r}, capacitance={self.capacitance!r}{pools})"


# Asked for by every run of the same membrane, so kept.
@lru_cache(maxsize=256)
def _resting_potential(membrane: Membrane, celsius: float | None) -> float:
    from scipy.optimize import brentq

    v = np.arange(-200.0, 100.5, 0.5)
    current = membrane.steady_current(v, celsius)
    upward = np.flatnonzero((current[:-1] < 0) & (current[1:] >= 0))
    if not len(upward):
        raise NoRest(
            f"membrane {membrane.name!r} has no resting potential between -200 and 100 mV: "
            f"its steady current does not change sign from inward to outward; add a leak"
        )
    low, high = v[upward[0]], v[upward[0] + 1]
    return float(
        brentq(lambda x: float(membrane.steady_current(x, celsius)), low, high, xtol=1e-13, rtol=1e-15)
    )


@lru_cache(maxsize=256)
def _fastest_time_constant(membrane: Membrane, celsius: float, below: float) -> float:
    v = np.arange(-70.0, below + 0.5, 1.0)
    lasting = membrane.lasting_gates.values()
    return min((float(g.time_constant(v, celsius).min()) for g in lasting), default=np.inf)

"""A patch of membrane: a capacitance with channels side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import finite, not_negative, positive
from axon.errors import NoRest
from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.rates import Array


@dataclass(frozen=True)
class Channel:
    """A population of channels: I = conductance * product(gate ** exponent) * (V - reversal).

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

    Raises
    ------
    ValueError
        For a negative or non-finite density, a non-finite reversal, or a single-channel conductance that is
        not > 0 or belongs to a leak.
    """

    name: str
    conductance: float
    reversal: float
    gates: tuple[Gate, ...] = ()
    unitary: float | None = None

    def __post_init__(self) -> None:
        not_negative(f"Channel {self.name!r}: conductance", self.conductance, "S/cm2")
        finite(f"Channel {self.name!r}: reversal", self.reversal, "mV")
        object.__setattr__(self, "gates", tuple(self.gates))
        if self.unitary is not None:
            positive(f"Channel {self.name!r}: unitary", self.unitary, "pS")
            if not self.gates:
                raise ValueError(
                    f"Channel {self.name!r}: unitary must be None for a leak, which has no gates to open and "
                    f"close by chance, got {self.unitary!r}"
                )

    def open_fraction(self, gates: Mapping[str, ArrayLike]) -> Array:
        """Fraction of the channels that conduct, from the gate values by name."""
        fraction = np.ones(())
        for gate in self.gates:
            fraction = fraction * np.asarray(gates[gate.name], float) ** gate.exponent
        return fraction

    def current(self, v: ArrayLike, gates: Mapping[str, ArrayLike], celsius: float | None = None) -> Array:
        """Outward current density at ``v`` (mV), mA/cm2; an ohmic one, whatever the temperature."""
        return self.conductance * self.open_fraction(gates) * (np.asarray(v, float) - self.reversal)


@dataclass(frozen=True, repr=False)
class Membrane:
    """Channels in parallel with a capacitance.

    Parameters
    ----------
    name : str
        For messages and files.
    channels : tuple of Channel or PermeableChannel
        Their names, and the names of all their gates, must differ.
    capacitance : float
        uF/cm2.

    Raises
    ------
    ValueError
        For a capacitance <= 0 or a name that occurs twice.
    """

    name: str
    channels: tuple[Channel | PermeableChannel, ...]
    capacitance: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        positive(f"Membrane {self.name!r}: capacitance", self.capacitance, "uF/cm2")
        for kind, names in (
            ("channel", [channel.name for channel in self.channels]),
            ("gate", [gate.name for channel in self.channels for gate in channel.gates]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(
                    f"Membrane {self.name!r}: {kind} {twice[0]!r} occurs twice; names must differ"
                )

    @property
    def gates(self) -> dict[str, Gate]:
        """All gates by name, in the order of the channels."""
        return {gate.name: gate for channel in self.channels for gate in channel.gates}

    def steady_gates(self, v: ArrayLike) -> dict[str, Array]:
        """Steady state of every gate at ``v`` (mV)."""
        return {name: gate.steady_state(v) for name, gate in self.gates.items()}

    def conductances(self, gates: Mapping[str, ArrayLike]) -> dict[str, Array]:
        """Conductance density of every ohmic channel, S/cm2, from the gate values by name."""
        ohmic = (c for c in self.channels if isinstance(c, Channel))
        return {c.name: c.conductance * c.open_fraction(gates) for c in ohmic}

    def currents(
        self, v: ArrayLike, gates: Mapping[str, ArrayLike], celsius: float | None = None
    ) -> dict[str, Array]:
        """Outward current density of every channel, mA/cm2, at ``v`` (mV).

        ``celsius`` (degC) is needed where a channel conducts by permeability.
        """
        return {c.name: c.current(v, gates, celsius) for c in self.channels}

    def current(self, v: ArrayLike, gates: Mapping[str, ArrayLike], celsius: float | None = None) -> Array:
        """Total outward ionic current density, mA/cm2."""
        return sum(self.currents(v, gates, celsius).values(), np.zeros(np.shape(v)))

    def steady_current(self, v: ArrayLike, celsius: float | None = None) -> Array:
        """Total outward ionic current density with every gate at its steady state, mA/cm2."""
        return self.current(v, self.steady_gates(v), celsius)

    def resting_potential(self, celsius: float | None = None) -> float:
        """The most negative voltage (mV) where the steady current vanishes with a positive slope.

        Raises
        ------
        NoRest
            When the steady current has no such zero between -200 and 100 mV.
        """
        return _resting_potential(self, celsius)

    def fastest_time_constant(self, celsius: float) -> float:
        """Shortest gate time constant (ms) between -70 and +50 mV; infinite without gates."""
        return _fastest_time_constant(self, celsius)

    def __repr__(self) -> str:
        from axon.membranes import MODELS

        if self.name in MODELS and MODELS[self.name]() == self:
            return f"{self.name}()"
        return f"Membrane({self.name!r}, {self.channels!r}, capacitance={self.capacitance!r})"


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
def _fastest_time_constant(membrane: Membrane, celsius: float) -> float:
    v = np.arange(-70.0, 50.5, 1.0)
    return min((float(g.time_constant(v, celsius).min()) for g in membrane.gates.values()), default=np.inf)

"""What the engine tabulates of a membrane: its slots, and what a step makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine.cables import Signature
from axon.membranes import Channel, Gate, Membrane, PermeableChannel, Transporter

Array = NDArray[Any]

US_PER_S = 1e6
_BESIDE = 0.01  # mV, from which an instantaneous gate's slope is taken, to 1e-10 of it


class Slot(NamedTuple):
    """A place for one number per compartment that the engine tabulates and advances like a gate.

    A gate; or, of a channel whose current is not linear in V, the slope of what flows with its other gates
    open (``"slope"``) and what the line through V leaves (``"rest"``), which depend on V alone: a gate with
    no memory. Such are channels that conduct by permeability, and those with instantaneous gates.
    """

    channel: Channel | PermeableChannel
    gate: Gate | None
    role: str


@lru_cache(maxsize=256)
def slots(membrane: Membrane) -> tuple[Slot, ...]:
    """Everything that the engine tabulates of a membrane, channel by channel; see ``axon.stepping.pools``."""
    out: list[Slot] = []
    for channel in stepped_channels(membrane):
        lasting = [Slot(channel, gate, "gate") for gate in channel.gates if not gate.instantaneous]
        out += lasting
        if not linear(channel):
            out += [] if lasting else [Slot(channel, None, "open")]
            out += [Slot(channel, None, "slope"), Slot(channel, None, "rest")]
    return tuple(out)


def stepped_channels(membrane: Membrane) -> list[Channel | PermeableChannel]:
    """The channels that are more than a constant leak, in order, but for those that depend on pools."""
    return [c for c in own_channels(membrane) if c.gates or isinstance(c, PermeableChannel)]


def own_channels(membrane: Membrane) -> list[Channel | PermeableChannel]:
    """The channels that the engine steps by itself."""
    return [c for c in membrane.channels if not (isinstance(c, Transporter) or membrane.drifting(c))]


def linear(channel: Channel | PermeableChannel) -> bool:
    """Whether the current with all gates that take time held still is linear in V."""
    return isinstance(channel, Channel) and not any(gate.instantaneous for gate in channel.gates)


@lru_cache(maxsize=256)
def signature(membrane: Membrane) -> Signature:
    """Shape of a membrane for the engine: per channel the exponents of its slots, 0 for slope and rest."""
    return tuple(
        tuple(
            slot.gate.exponent if slot.gate is not None else int(slot.role == "open")
            for slot in slots(membrane)
            if slot.channel is channel
        )
        for channel in stepped_channels(membrane)
    )


def step_coefficients(membrane: Membrane, celsius: float, dt: float, v: Array) -> tuple[Array, Array]:
    """Decay A and gain B of every slot over a step at the voltages ``v``: x <- A x + B.

    Parameters
    ----------
    membrane : Membrane
    celsius, dt : float
        degC, ms.
    v : (n,) ndarray
        mV.

    Returns
    -------
    decay, gain : (n, slots) ndarray
    """
    places = slots(membrane)
    decay, gain = np.zeros((len(v), len(places))), np.zeros((len(v), len(places)))
    for i, (channel, gate, role) in enumerate(places):
        if gate is not None:
            steady, rate = gate.kinetics(v, celsius)
            decay[:, i] = np.exp(-dt * rate)
            gain[:, i] = -steady * np.expm1(-dt * rate)
        elif role == "open":
            gain[:, i] = 1.0
        else:
            # I(V*) = I(V) + slope (V* - V): slope goes to D, and slope V - I(V) to b.
            current, slope = _at_once(channel, v, celsius)
            gain[:, i] = slope if role == "slope" else slope * v - current
    return decay, gain


def _at_once(channel: Channel | PermeableChannel, v: Array, celsius: float) -> tuple[Array, Array]:
    """Current density (mA/cm2) that follows V at once, and its slope (S/cm2): all other gates are open."""

    def part(v: Array) -> Array:
        at_once = [gate for gate in channel.gates if gate.instantaneous]
        return np.prod(
            [g.steady_state(v, celsius) ** g.exponent for g in at_once] or [np.ones_like(v)], axis=0
        )

    beside = [part(v + k * _BESIDE) for k in (-2, -1, 1, 2)]
    part_slope = np.array([1.0, -8.0, 8.0, -1.0]) @ beside / (12.0 * _BESIDE)
    current, slope = channel.open_current(v, celsius), channel.open_slope(v, celsius)
    return part(v) * current, part(v) * slope + part_slope * current


@dataclass(frozen=True)
class Coefficients:
    """``step_coefficients`` of one membrane, temperature and step; equal ones compare equal."""

    membrane: Membrane
    celsius: float
    dt: float

    def __call__(self, v: Array) -> tuple[Array, Array]:
        return step_coefficients(self.membrane, self.celsius, self.dt, v)

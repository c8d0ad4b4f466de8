"""The kinetics of a membrane in numbers: half-voltages, time constants, fast and slow, window currents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array
from axon.membranes.roles import ROOM, Role, gate_roles
from axon.membranes.transporter import Transporter

Speed = Literal["fast", "slow", ""]

APART = 3.0  # gates whose time constants differ by less than this factor are of one speed
_STEP = 0.05  # mV, of the grid from which extremes are interpolated


@dataclass(frozen=True)
class GateKinetics:
    """What one gate's curves say.

    Attributes
    ----------
    gate, channel : str
    role : {"activation", "inactivation"}
    exponent : int
    half_voltage : float
        Where the steady state is 1/2, mV; nan where it is nowhere.
    slope : float
        mV for an e-fold change of open to closed gates there: 1 / (4 dx_inf/dV); negative for a gate that
        depolarisation closes.
    at_rest : float
        Steady state at the resting potential.
    tau_at_rest : float
        Time constant there, ms.
    slowest, slowest_at : float
        Largest time constant, ms, and where, mV.
    typical : float
        Geometric mean of the time constant from rest to the highest reversal potential, through which a spike
        runs, ms.
    speed : {"fast", "slow", ""}
        The gates of a membrane in order of ``typical`` are parted at the widest gap, if it is at least a
        factor of 3; empty where there is no such gap. An instantaneous gate, whose times are 0, is fast.
    """

    gate: str
    channel: str
    role: Role
    exponent: int
    half_voltage: float
    slope: float
    at_rest: float
    tau_at_rest: float
    slowest: float
    slowest_at: float
    typical: float
    speed: Speed

    def __str__(self) -> str:
        speed = f", {self.speed}" if self.speed else ""
        return (
            f"{self.gate}: {self.channel} {self.role}{speed}; half at {self.half_voltage:.1f} mV (slope "
            f"{self.slope:.1f} mV), tau {self.tau_at_rest:.3g} ms at rest, typically {self.typical:.3g} ms, "
            f"at most {self.slowest:.3g} ms at {self.slowest_at:.1f} mV"
        )


@dataclass(frozen=True)
class Window:
    """The steady current of a channel that both activates and inactivates.

    Attributes
    ----------
    channel : str
    open_fraction, voltage : float
        Largest part of the channels open for good, and where, mV.
    current, current_at : float
        Largest steady current, mA/cm2 (negative inwards), and where, mV.
    """

    channel: str
    open_fraction: float
    voltage: float
    current: float
    current_at: float


def gate_kinetics(membrane: Membrane, celsius: float) -> dict[str, GateKinetics]:
    """Half-voltage, time constants, role and speed of every gate, by name.

    Parameters
    ----------
    membrane : Membrane
    celsius : float
        degC.

    Raises
    ------
    NoRest
        When the membrane has no resting potential.
    """
    rest, roles = membrane.resting_potential(celsius), gate_roles(membrane)
    way = np.linspace(rest, max(membrane.reversals), 401)
    typical = {
        name: 0.0 if gate.instantaneous else float(np.exp(np.log(gate.time_constant(way, celsius)).mean()))
        for name, gate in membrane.gates.items()
    }
    speeds, v = _speeds(typical), voltages(membrane)
    found = {}
    for name, gate in membrane.gates.items():
        half = _half_voltage(gate, v, celsius)
        slowest_at, slowest = _top(v, gate.time_constant(v, celsius))
        found[name] = GateKinetics(
            gate=name,
            channel=roles[name].channel,
            role=roles[name].role,
            exponent=gate.exponent,
            half_voltage=half,
            slope=_slope_factor(gate, half, celsius),
            at_rest=float(gate.steady_state(rest, celsius)),
            tau_at_rest=float(gate.time_constant(rest, celsius)),
            slowest=slowest,
            slowest_at=slowest_at,
            typical=typical[name],
            speed=speeds[name],
        )
    return found


def windows(membrane: Membrane, celsius: float) -> dict[str, Window]:
    """The window currents of the channels that both activate and inactivate, by name; ``celsius`` in degC."""
    v = voltages(membrane)
    return {channel.name: _window(channel, v, celsius) for channel in inactivating(membrane)}


def inactivating(membrane: Membrane) -> tuple[Channel | PermeableChannel, ...]:
    """The channels that have both an activating and an inactivating gate."""
    roles = gate_roles(membrane)
    return tuple(
        channel
        for channel in membrane.channels
        if not isinstance(channel, Transporter)
        and len({roles[gate.name].role for gate in channel.gates}) == 2
    )


def voltages(membrane: Membrane) -> Array:
    """Where a membrane can be, mV: from the lowest to the highest reversal potential and 20 mV beyond."""
    reversals = membrane.reversals
    low, high = min(reversals) - ROOM, max(reversals) + ROOM
    return np.linspace(low, high, round((high - low) / _STEP) + 1)


def _speeds(typical: dict[str, float]) -> dict[str, Speed]:
    order = sorted((name for name in typical if typical[name] > 0), key=lambda name: typical[name])
    gaps = [typical[b] / typical[a] for a, b in zip(order[:-1], order[1:], strict=True)]
    if gaps and max(gaps) >= APART:
        fast, slow = order[: int(np.argmax(gaps)) + 1], order[int(np.argmax(gaps)) + 1 :]
    else:
        fast, slow = [], []
    at_once = [name for name in typical if typical[name] == 0]
    return {name: "slow" if name in slow else "fast" if name in fast + at_once else "" for name in typical}


def _half_voltage(gate: Gate, v: Array, celsius: float) -> float:
    from scipy.optimize import brentq

    above = gate.steady_state(v, celsius) > 0.5
    crossings = np.flatnonzero(above[1:] != above[:-1])
    if not len(crossings):
        return float("nan")
    low, high = v[crossings[0]], v[crossings[0] + 1]
    return float(brentq(lambda x: float(gate.steady_state(x, celsius)) - 0.5, low, high, xtol=1e-12))


def _slope_factor(gate: Gate, half: float, celsius: float) -> float:
    small = 1e-3  # mV
    below, above = gate.steady_state([half - small, half + small], celsius)
    return float(small / (2.0 * (above - below)))


def _window(channel: Channel | PermeableChannel, v: Array, celsius: float) -> Window:
    steady = {gate.name: gate.steady_state(v, celsius) for gate in channel.gates}
    fraction, current = channel.open_fraction(steady), channel.current(v, steady, celsius)
    voltage, open_fraction = _top(v, fraction)
    # The largest current on the side of the reversal potential where the window is; beyond, the driving
    # force grows without bound.
    side = float(np.sign(channel.current(voltage, {gate.name: 1.0 for gate in channel.gates}, celsius)))
    current_at, size = _top(v, side * current)
    return Window(channel.name, open_fraction, voltage, side * size, current_at)


def _top(v: Array, values: Array) -> tuple[float, float]:
    """Where the values are greatest, and how great: the top of the parabola through the three around it."""
    top = int(np.argmax(values))
    if top in (0, len(v) - 1):
        return float(v[top]), float(values[top])
    left, middle, right = values[top - 1 : top + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return float(v[top] + shift * (v[1] - v[0])), float(middle - 0.25 * (left - right) * shift)

"""What of a membrane depends on concentrations, as formulas of a step; second order in dt.

V and concentrations live at t_k, gates at t_k + dt/2. Per compartment, with starred values at midtime:

    x     <- A(V_k, c_k) x + B(V_k, c_k)            each gate that takes time
    c*     = c_k + (c_k - c_(k-1)) / 2              every concentration, and V* for what follows V at once
    g, g E*                                         of every channel, its reversal potential moved with c*;
                                                    of what is not linear in V the line through V or V*
    V_k+1                                           by the engine, for which these are one line in V
    c     <- c + dt (I(V*) / (z F layer), decay to rest) - what a buffer takes

The current that moves the concentrations is the very one that moves V, so that what one side of the membrane
gains the other has lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.membranes import Channel, Gate, Membrane, PermeableChannel, Pool, Transporter
from axon.membranes.constants import thermal_voltage
from axon.membranes.limits import Rate, evaluate
from axon.stepping.slopes import slope
from axon.stepping.terms import Term, Untraceable, as_term, product, where
from axon.stepping.tracing import traced

Array = NDArray[np.float64]

_NOTHING = 1e-300  # 1/ms, so that a gate which nothing moves stays
_MOST = 0.95  # of a concentration, that can go in a step
STIFF = 0.5  # steps in which a concentration may relax to what the voltage makes it, at least 2


def drifting_channels(membrane: Membrane) -> list[Any]:
    """The channels and transporters that depend on pools, in order."""
    return [channel for channel in membrane.channels if membrane.drifting(channel)]


def drifting_gates(membrane: Membrane) -> dict[str, Gate]:
    """Their gates, by name."""
    return {gate.name: gate for channel in drifting_channels(membrane) for gate in channel.gates}


class Given(NamedTuple):
    """A function of voltage and concentrations that cannot be traced: NumPy evaluates it in every step."""

    row: str  # that gets the values
    rate: Rate
    reads: tuple[Pool, ...]
    midway: bool  # at the middle of the step, not at its start


class Flow(NamedTuple):
    """A current outwards per area as g V - b, in S/cm2 and mA/cm2, and which part of it each ion carries."""

    shares: Mapping[Any, float]
    g: Any
    b: Any
    through_channels: bool = True  # in equilibrium at the Nernst potential


class Drift:
    """The formulas of a membrane at one temperature, for one time step.

    Parameters
    ----------
    membrane : Membrane
        With pools, or transporters.
    celsius, dt : float
        degC, ms.

    Attributes
    ----------
    conduct : dict of str to Term
        The rows that the first half of a step gives new values: gates, ``conductance`` and ``current`` of the
        compartment (uS, nA), and what of that carries each ion of a pool.
    move : dict of str to Term
        Those that the second half does, with ``v`` now the mean voltage: concentrations.
    midway : dict of str to Term
        Concentrations in the middle of the step, of the first half, by pool: they must be positive.
    given : list of Given
    rows : dict of str to Term
        The rows that a compartment has for all that.
    """

    def __init__(self, membrane: Membrane, celsius: float, dt: float) -> None:
        self.membrane, self.celsius, self.dt = membrane, celsius, dt
        self.given: list[Given] = []
        self.rows: dict[str, Term] = {}
        self._v, self._ahead = Term("v", voltage=True), Term("ahead", voltage=True)
        self._now = {pool.name: self._row(f"pool_{pool.name}") for pool in membrane.pools}
        self.midway = {pool.name: self._midway(pool) for pool in membrane.pools}
        self.conduct = self._conduct()
        self.move = self._move()

    def _row(self, name: str) -> Term:
        return self.rows.setdefault(name, Term(name))

    def _midway(self, pool: Pool) -> Term:
        return 1.5 * self._now[pool.name] - 0.5 * self._row(f"pool_earlier_{pool.name}")

    # The first half

    def _conduct(self) -> dict[str, Term]:
        gates = {name: self._moved_gate(gate) for name, gate in drifting_gates(self.membrane).items()}
        flows = self._flows(gates)
        scale = self._row("scale")
        out = {
            f"pool_gate_{name}": gates[name]
            for name, gate in drifting_gates(self.membrane).items()
            if not gate.instantaneous
        }
        out |= {
            "pool_before": self._v,
            "conductance": scale * sum(flow.g for flow in flows),
            "current": scale * sum(flow.b for flow in flows),
        }
        for ion in dict.fromkeys(pool.ion for pool in self.membrane.pools):
            own = [(flow.shares[ion], flow) for flow in flows if ion in flow.shares]
            out[f"carrying_{ion}"] = as_term(sum(share * flow.g for share, flow in own))
            out[f"open_{ion}"] = as_term(sum(flow.g for _, flow in own if flow.through_channels))
            out[f"carried_{ion}"] = as_term(sum(share * flow.b for share, flow in own))
        return out

    def _moved_gate(self, gate: Gate) -> Term:
        """A gate in the middle of the step."""
        if gate.instantaneous:
            (inf,) = gate.functions.values()
            return self._function(f"{gate.name}_inf", inf, gate.reads, midway=True)
        x = self._row(f"pool_gate_{gate.name}")
        if not gate.reads:
            decay, gain = (
                Term(partial(part, gate, self.celsius, self.dt), (self._v,)) for part in (_decay, _gain)
            )
            return x * decay + gain
        first, second = (
            self._function(f"{gate.name}_{kind}", rate, gate.reads) for kind, rate in gate.functions.items()
        )
        speed = gate.speeds(self.celsius)
        if gate.alpha is None:
            steady, rate = first, speed[0] / second
        else:
            opening, closing = speed[0] * first, speed[-1] * second
            rate = opening + closing + _NOTHING
            steady = opening / rate
        return steady + (x - steady) * np.exp(-self.dt * rate)

    def _function(self, name: str, rate: Rate, reads: tuple[Pool, ...], *, midway: bool = False) -> Term:
        """A user's function of V and of what it reads, at the start of the step or in its middle."""
        v, around = (self._ahead, self.midway) if midway else (self._v, self._now)
        if not reads:
            return Term(partial(evaluate, rate), (v,))
        try:
            return traced(rate, v, [around[pool.name] for pool in reads], reads)
        except Untraceable:
            row = f"given_{name}"
            self.given.append(Given(row, rate, reads, midway))
            return self._row(row)

    def _flows(self, gates: Mapping[str, Term]) -> list[Flow]:
        """For every ion what channels with a conductance let through; then of each other channel."""
        channels = drifting_channels(self.membrane)
        ohmic = [channel for channel in channels if isinstance(channel, Channel)]
        flows = []
        for ion in dict.fromkeys(channel.ion for channel in ohmic):
            shift = self._shift(ion)
            alike: dict[float, Any] = {}
            for channel in ohmic:
                if channel.ion == ion:
                    opened = channel.density(self.celsius) * _opened(channel, gates)
                    alike[channel.reversal] = alike.get(channel.reversal, 0.0) + opened
            b = sum(g * (reversal + shift) for reversal, g in alike.items())
            flows.append(Flow({ion: 1.0}, sum(alike.values()), b))
        return flows + [self._line(c, gates) for c in channels if not isinstance(c, Channel)]

    def _shift(self, ion: str | None) -> Any:
        """By how much the Nernst potential of an ion has moved from rest, mV."""
        own = [pool for pool in self.membrane.pools if pool.ion == ion]
        if not own:
            return 0.0
        ratio: Any = 1.0
        at_rest = 1.0
        for pool in sorted(own, key=lambda pool: pool.side, reverse=True):  # the outside first
            if pool.side == "outside":
                ratio, at_rest = self.midway[pool.name], pool.concentration
            else:
                ratio, at_rest = ratio / self.midway[pool.name], at_rest / pool.concentration
        volts = thermal_voltage(self.celsius) / own[0].valence
        return volts * np.log(ratio) + -volts * np.log(at_rest)

    def _line(self, channel: Transporter | PermeableChannel, gates: Mapping[str, Term]) -> Flow:
        """The current of a transporter, or of a channel that conducts by permeability."""
        if isinstance(channel, Transporter):
            current = self._function(channel.name, channel.outward, channel.reads, midway=True)
            current = channel.density * current
            g = slope(current, self._ahead)
            return Flow(channel.shares, g, g * self._ahead - current, through_channels=False)
        own = [pool for pool in self.membrane.pools if pool.ion == channel.ion]
        around: dict[str, Any] = {pool.side: self.midway[pool.name] for pool in own}
        # Current and slope are linear in the concentrations: so much per mM of either side.
        sides = ("inside", (1.0, 0.0)), ("outside", (0.0, 1.0))
        parts = [(around.get(side, getattr(channel, side)), one) for side, one in sides]
        steepness, current = (
            sum(c * Term(partial(_per_mM, function, self.celsius, *one), (self._v,)) for c, one in parts)
            for function in (channel.open_slope, channel.open_current)
        )
        opened = _opened(channel, gates)
        return Flow({channel.ion: 1.0}, opened * steepness, opened * (steepness * self._v - current))

    # The second half

    def _move(self) -> dict[str, Term]:
        out: dict[str, Term] = {}
        v = Term("v")  # the mean, at which nothing is looked up
        for pool in self.membrane.pools:
            name, now = pool.name, self._now[pool.name]
            g, b = self._row(f"carrying_{pool.ion}"), self._row(f"carried_{pool.ion}")
            change = self._row(f"per_current_{name}") * (g * v - b)
            if pool.buffer is not None:
                taken = self._bound(pool)
                out[f"pool_bound_{name}"] = self._row(f"pool_bound_{name}") + taken
                change = change - taken
            relaxing, change = self._kept_positive(pool, change)
            if pool.tau != np.inf:
                # Exact while what flows in is constant: it settles at rest + change tau / dt.
                away = pool.concentration + change * (pool.tau / self.dt) - now
                change = away * -np.expm1(-self.dt / pool.tau)
            out[f"pool_{name}"] = now + change
            # One that relaxes is not carried on to the middle of the next step.
            out[f"pool_earlier_{name}"] = where(relaxing, now + change, now)
        return out

    def _bound(self, pool: Pool) -> Term:
        """What a buffer takes in a step, mM."""
        assert pool.buffer is not None
        midway = self.midway[pool.name]
        binding = pool.buffer.on * midway + pool.buffer.off
        full = pool.buffer.total * pool.buffer.on * midway / binding
        return (self._row(f"pool_bound_{pool.name}") - full) * np.expm1(-self.dt * binding)

    def _kept_positive(self, pool: Pool, change: Term) -> tuple[Term, Term]:
        """Whether a concentration is so low that it has to relax (else 0), and how it changes.

        Where so little is left that its reversal potential follows the voltage within a step, the logarithm
        of the concentration relaxes to that equilibrium; mass is then conserved to first order alone.
        """
        c, midway, g = self._now[pool.name], self.midway[pool.name], self._row(f"open_{pool.ion}")
        relaxed = self._row(f"stiffness_{pool.name}") * g
        relaxing = (midway < relaxed) + (change < -0.5 * c) * (g > 0.0)
        fallen = c * np.expm1(change / c / (1.0 + STIFF * relaxed / midway))
        return relaxing, where(relaxing, np.maximum(fallen, -_MOST * c), change)


def _opened(channel: Channel | PermeableChannel, gates: Mapping[str, Term]) -> Any:
    fraction: Any = 1.0
    for gate in channel.gates:
        fraction = fraction * product(gates[gate.name], gate.exponent)
    return fraction


def _decay(gate: Gate, celsius: float, dt: float, v: Array) -> Array:
    return np.exp(-dt * gate.kinetics(v, celsius)[1])


def _gain(gate: Gate, celsius: float, dt: float, v: Array) -> Array:
    steady, rate = gate.kinetics(v, celsius)
    return -steady * np.expm1(-dt * rate)


def _per_mM(function: Callable[..., Array], celsius: float, inside: float, outside: float, v: Array) -> Array:
    return function(v, celsius, inside, outside)

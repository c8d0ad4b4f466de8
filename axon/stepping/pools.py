"""What of a membrane depends on concentrations, stepped beside the rest; second order in dt.

V and concentrations live at t_k, gates at t_k + dt/2. Per compartment, with starred values at midtime:

    x     <- A(V_k, c_k) x + B(V_k, c_k)            each gate that takes time
    c*     = c_k + (c_k - c_(k-1)) / 2              every concentration, and V* for what follows V at once
    g, g E*                                         of every channel, its reversal potential moved with c*
    V_k+1                                           by the engine, for which these are one line in V
    c     <- c + dt (I(V*) / (z F layer), decay to rest) - what a buffer takes

The current that moves the concentrations is the very one that moves V, so that what one side of the membrane
gains the other has lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.discretise.slots import US_PER_S
from axon.engine import beside, tables
from axon.geometry import CM_PER_UM
from axon.membranes import Channel, Gate, Membrane, Pool, Transporter
from axon.membranes.constants import FARADAY, thermal_voltage
from axon.membranes.pool import reversal_shift

Array = NDArray[np.float64]

# Which part of a current each ion carries, and the current outwards as g V - b, in uS and nA.
Flow = tuple[Mapping[Any, float], Array, Array]

_REACH = 250.0  # mV, of the first tables
_STIFF = 0.5  # steps in which a concentration may relax to what the voltage makes it, at least 2


def drifting_channels(membrane: Membrane) -> list[Any]:
    """The channels and transporters that depend on pools, in order."""
    return [channel for channel in membrane.channels if membrane.drifting(channel)]


def drifting_gates(membrane: Membrane) -> dict[str, Gate]:
    """Their gates, by name."""
    return {gate.name: gate for channel in drifting_channels(membrane) for gate in channel.gates}


@dataclass(frozen=True)
class _Coefficients:
    """Decay and gain over a step of the gates that depend on V alone; equal ones compare equal."""

    membrane: Membrane
    celsius: float
    dt: float

    @property
    def gates(self) -> list[Gate]:
        gates = drifting_gates(self.membrane).values()
        return [gate for gate in gates if not gate.reads and not gate.instantaneous]

    def __call__(self, v: Array) -> tuple[Array, Array]:
        kinetics = [gate.kinetics(v, self.celsius) for gate in self.gates]
        steady = np.stack([steady for steady, _ in kinetics], axis=1)
        passed = -self.dt * np.stack([rate for _, rate in kinetics], axis=1)
        return np.exp(passed), -steady * np.expm1(passed)


class Drift:
    """Concentrations, and what depends on them, in all compartments of one membrane at one temperature.

    Parameters
    ----------
    membrane : Membrane
        With pools.
    celsius, dt : float
        degC, ms.
    here : (n,) int
        Numbers of the compartments that have this membrane.
    area, diameter, v : (n,) ndarray
        Theirs, cm2 and um, and their initial voltage, mV; gates start at their steady state there.

    Attributes
    ----------
    concentration, bound : dict of str to (n,) ndarray
        Free and bound ions of every pool, mM, at the time of V.
    """

    def __init__(
        self,
        membrane: Membrane,
        celsius: float,
        dt: float,
        here: NDArray[np.intp],
        area: Array,
        diameter: Array,
        v: Array,
    ) -> None:
        self.membrane, self.celsius, self.dt, self.here = membrane, celsius, dt, here
        channels = drifting_channels(membrane)
        self.ohmic = [channel for channel in channels if isinstance(channel, Channel)]
        self.others = [channel for channel in channels if not isinstance(channel, Channel)]
        self.scale = area * US_PER_S  # S/cm2 -> uS, mA/cm2 -> nA
        self.concentration = {p.name: np.full(len(here), p.concentration) for p in membrane.pools}
        self.earlier = self.midway = self.concentration
        self.bound = {p.name: _resting_bound(p, len(here)) for p in membrane.pools}
        self.relaxing = {p.name: np.zeros(len(here), bool) for p in membrane.pools}
        self.per_charge = {p.name: _per_charge(p, area, diameter) for p in membrane.pools}
        gates = drifting_gates(membrane)
        steady = {name: gate.steady_state(v, celsius) for name, gate in gates.items()}
        self.coefficients = _Coefficients(membrane, celsius, dt)
        self.by_table = [gate.name for gate in self.coefficients.gates]
        self.table_gates = np.zeros((len(here), len(self.by_table)))
        self.by_hand = {name: gate for name, gate in gates.items() if name not in self.by_table}
        self.gates = steady | {name: self.table_gates[:, j] for j, name in enumerate(self.by_table)}
        for name in self.by_table:
            self.gates[name][:] = steady[name]
        self.ions = list(dict.fromkeys(channel.ion for channel in self.ohmic))
        self.channels = _for_the_engine(self.ohmic, self.by_table, self.ions)
        self.full = np.stack(
            [c.density(celsius) * self.scale for c in self.ohmic] or [self.scale * 0], axis=1
        )
        self.lines = np.zeros((2, max(len(self.ions), 1), len(here)))
        self.low, self.high = -_REACH, _REACH
        self.before = v.copy()
        self.flows: list[Flow] = []

    def conduct(self, v: Array) -> tuple[Array, Array]:
        """What flows in the step that begins at ``v`` (n,) mV, as a line in V; gates go to its middle.

        Returns
        -------
        conductance, current : (n,) uS, nA
            What flows outwards is conductance * V - current.

        Raises
        ------
        RanOut
            Where a pool has run out.
        """
        midway = {
            name: np.where(self.relaxing[name], c, 1.5 * c - 0.5 * self.earlier[name])
            for name, c in self.concentration.items()
        }
        for name, c in midway.items():
            if not c.min() > 0:
                raise RanOut(name, int(self.here[np.argmin(c)]))
        self.midway, ahead = midway, 1.5 * v - 0.5 * self.before
        self._advance_gates(v, ahead, midway)
        self.before = v.copy()
        self.flows = self._by_ion(midway) + [self._line(other, v, ahead, midway) for other in self.others]
        conductance, current = np.zeros(len(v)), np.zeros(len(v))
        for _, g, b in self.flows:
            conductance += g
            current += b
        return conductance, current

    def move(self, v: Array) -> None:
        """Let the concentrations go through the step whose mean voltage was ``v`` (n,) mV."""
        carried = {pool.ion: (np.zeros(len(v)), np.zeros(len(v))) for pool in self.membrane.pools}
        for shares, g, b in self.flows:
            for ion, share in shares.items():
                if ion in carried:
                    outward, conductance = carried[ion]
                    outward += share * (g * v - b)
                    conductance += share * g
        self.earlier = self.concentration
        self.concentration = {
            pool.name: self._filled(pool, *carried[pool.ion], self.midway[pool.name])
            for pool in self.membrane.pools
        }

    def state(self) -> dict[str, Array]:
        """What lasts from one step to the next, each (n,)."""
        groups = {
            "pool": self.concentration,
            "pool_earlier": self.earlier,
            "pool_bound": self.bound,
            "pool_relaxing": {name: x.astype(float) for name, x in self.relaxing.items()},
            "pool_gate": self.gates,
        }
        named = {f"{group}_{name}": x for group, own in groups.items() for name, x in own.items()}
        reach = {"pool_low": self.low, "pool_high": self.high}
        whole = {name: np.full(len(self.here), value) for name, value in reach.items()}
        return {**named, **whole, "pool_before": self.before}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what ``state`` said; what it does not name stays, also where it is nan."""
        known = self.state()
        new = {name: np.where(np.isnan(x), known[name], x) for name, x in state.items()}
        for group, own in (("pool", self.concentration), ("pool_bound", self.bound)):
            own |= {name: new.get(f"{group}_{name}", x) for name, x in own.items()}
        self.earlier = {name: new.get(f"pool_earlier_{name}", x) for name, x in self.concentration.items()}
        self.relaxing = {name: new.get(f"pool_relaxing_{name}", x) > 0 for name, x in self.relaxing.items()}
        for name, x in self.gates.items():
            x[:] = new.get(f"pool_gate_{name}", x)
        self.before = new.get("pool_before", self.before)
        self.low, self.high = (float(new.get(name, known[name])[0]) for name in ("pool_low", "pool_high"))

    def jump(self, place: int, level: float) -> None:
        """Take up that the voltage of one of its compartments is set to ``level`` (mV) at once.

        A gate then sees half a step of each voltage. The sweep makes a whole one at the new voltage; half of
        it is taken back beforehand.
        """
        old = self.before[place]
        here = {name: float(c[place]) for name, c in self.concentration.items()}
        for name, gate in drifting_gates(self.membrane).items():
            if not gate.instantaneous:
                steady0, rate0 = gate.kinetics(old, self.celsius, here)
                steady1, rate1 = gate.kinetics(level, self.celsius, here)
                decay0, decay1 = np.exp(-0.5 * self.dt * rate0), np.exp(-0.5 * self.dt * rate1)
                if decay1 > 0:
                    halfway = steady0 + (self.gates[name][place] - steady0) * decay0
                    self.gates[name][place] = steady1 + (halfway - steady1) / decay1
        self.before[place] = level

    def _advance_gates(self, v: Array, ahead: Array, midway: dict[str, Array]) -> None:
        if self.by_table:
            while v.min() <= self.low or v.max() >= self.high:
                self.low, self.high = 2 * self.low, 2 * self.high
            cells = round(self.low / tables.CELL), round(self.high / tables.CELL)
            table = tables.build(self.coefficients, *cells).reshape(-1)
            beside.advance(table, self.low, 1.0 / tables.CELL, v, self.table_gates)
        for name, gate in self.by_hand.items():
            if gate.instantaneous:
                self.gates[name] = gate.steady_state(ahead, self.celsius, midway)
            else:
                steady, rate = gate.kinetics(v, self.celsius, self.concentration)
                self.gates[name] = steady + (self.gates[name] - steady) * np.exp(-self.dt * rate)

    def _by_ion(self, midway: dict[str, Array]) -> list[Flow]:
        """For every ion what channels with a conductance let through, as g V - b in uS and nA."""
        full = self.full
        if self.by_hand:
            full = full.copy()
            for c, channel in enumerate(self.ohmic):
                for gate in channel.gates:
                    if gate.name in self.by_hand:
                        full[:, c] *= self.gates[gate.name] ** gate.exponent
        if not self.ohmic:
            return []
        beside.conduct(self.channels, self.table_gates, full, self.lines)
        lines: list[Flow] = []
        for ion, g, b in zip(self.ions, *self.lines, strict=True):
            own = [pool for pool in self.membrane.pools if pool.ion == ion]
            moved = b + g * reversal_shift(own, midway, self.celsius) if own else b
            lines.append(({ion: 1.0}, g, moved))
        return lines

    def _line(self, channel: Any, v: Array, ahead: Array, midway: dict[str, Array]) -> Flow:
        """The same of a transporter, or of a channel that conducts by permeability."""
        around = self.membrane.around(channel, midway, self.celsius)
        if isinstance(channel, Transporter):
            current = self.scale * channel.current(ahead, {}, self.celsius, **around)
            return channel.shares, np.zeros(len(v)), -current
        opened = self.scale * channel.open_fraction(self.gates)
        slope = channel.open_slope(v, self.celsius, **around)
        rest = slope * v - channel.open_current(v, self.celsius, **around)
        return {channel.ion: 1.0}, opened * slope, opened * rest

    def _filled(self, pool: Pool, outward: Array, conductance: Array, midway: Array) -> Array:
        """A concentration after the step, from the current (nA) that carried its ion outwards.

        Where so little is left that its reversal potential follows the voltage within a step, the logarithm
        of the concentration relaxes to that equilibrium; mass is then conserved to first order alone.
        """
        change = self.dt * self.per_charge[pool.name] * outward
        if pool.buffer is not None:
            binding = pool.buffer.on * midway + pool.buffer.off
            full = pool.buffer.total * pool.buffer.on * midway / binding
            taken = (full - self.bound[pool.name]) * -np.expm1(-self.dt * binding)
            self.bound[pool.name] = self.bound[pool.name] + taken
            change = change - taken
        c = self.concentration[pool.name]
        per_volt = abs(self.per_charge[pool.name]) * thermal_voltage(self.celsius) / abs(pool.valence)
        stiff = self.dt * per_volt * conductance / midway
        falls = (change < -0.5 * c) & (stiff > 0)
        relaxing = self.relaxing[pool.name] = falls | (stiff > _STIFF)
        if relaxing.any():
            change = np.where(relaxing, c * np.expm1(change / c / (1.0 + stiff)), change)
        if pool.tau == np.inf:
            return c + change
        # Exact while what flows in is constant: it settles at rest + change tau / dt.
        return c + (pool.concentration + change * (pool.tau / self.dt) - c) * -np.expm1(-self.dt / pool.tau)


class RanOut(Exception):
    """A pool is empty: which, and in what compartment."""

    def __init__(self, pool: str, place: int) -> None:
        super().__init__(pool)
        self.pool, self.place = pool, place


def _resting_bound(pool: Pool, n: int) -> Array:
    return np.full(n, 0.0 if pool.buffer is None else pool.buffer.resting(pool.concentration))


def _per_charge(pool: Pool, area: Array, diameter: Array) -> Array:
    """What a charge that leaves the axon as this ion adds to its concentration, mM/pC."""
    layer = np.array([pool.layer(float(d)) for d in diameter])
    side = 1.0 if pool.side == "outside" else -1.0
    return side * 1e-6 / (FARADAY * pool.valence * area * layer * CM_PER_UM)


def _for_the_engine(channels: list[Channel], gates: list[str], ions: list[str | None]) -> beside.Channels:
    """The channels with those of their gates that are tabulated."""
    factors = [[gate for gate in channel.gates if gate.name in gates] for channel in channels]
    return beside.Channels(
        first=np.cumsum([0] + [len(own) for own in factors]).astype(np.int64),
        gate=np.array([gates.index(gate.name) for own in factors for gate in own], np.int64),
        exponent=np.array([gate.exponent for own in factors for gate in own], np.int64),
        group=np.array([ions.index(channel.ion) for channel in channels], np.int64),
        reversal=np.array([channel.reversal for channel in channels], float),
    )

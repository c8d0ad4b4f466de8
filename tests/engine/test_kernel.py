"""The engine against the same scheme written out with dense matrices and exact rates, and its bookkeeping."""

from __future__ import annotations

import math
import pkgutil
from collections.abc import Sequence
from importlib import import_module

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from axon import (
    Axon,
    Channel,
    Clamp,
    Gate,
    Membrane,
    Pulse,
    Record,
    Section,
    Train,
    engine,
    hodgkin_huxley,
    passive,
    simulate,
)
from axon.geometry import Compartments
from axon.stimuli import Stimulus

Array = NDArray[np.float64]

HH = hodgkin_huxley()
EVERY_STEP = 1e-9  # ms: as often as there are steps
SQUID = Axon(length=10_000, diameter=476, membrane=HH, celsius=18.5)
PATCHWORK = Axon(
    sections=[
        Section(4_000, 476, HH, celsius=18.5),
        Section(1_000, 200, passive(reversal=-60.0)),
        Section(5_000, 600, hodgkin_huxley(g_na=0.1), celsius=10.0),
    ]
)


def axial_matrix(cut: Compartments, weight: Array | None = None) -> Array:
    """Sum over neighbours of weight (x_j - x_i), the weights by default the axial conductances."""
    n = len(cut)
    out = np.zeros((n, n))
    weight = cut.axial_conductance if weight is None else weight
    for i, w in enumerate(weight):
        j = (i + 1) % n
        out[i, j] += w
        out[j, i] += w
        out[i, i] -= w
        out[j, j] -= w
    return out


def compact_weights(cut: Compartments, held: Sequence[int]) -> Array:
    """1/12 on every face between equal compartments, none of them clamped."""
    faces = len(cut.axial_conductance)
    out = np.zeros(faces)
    for i in range(faces):
        j = (i + 1) % len(cut)
        same = cut.section[i] == cut.section[j] and i not in held and j not in held
        out[i] = 1 / 12 if same else 0.0
    return out


def shares(cut: Compartments, x: float, order: int) -> Array:
    """A point source's share of every compartment: linear between two centres, or cubic among four."""
    n, dx = len(cut), cut.length[0]
    nodes = 2 if order == 2 else 4
    first = int(np.searchsorted(cut.position, x)) - nodes // 2
    if order == 2:
        first = min(max(first, 0), n - 2)
        x = min(max(x, cut.position[0]), cut.position[-1])
    out = np.zeros(n)
    places = range(first, first + nodes)
    for i in places:
        factors = [(x / dx - 0.5 - j) / (i - j) for j in places if j != i]
        ghost = (
            i % n if cut.ring else -1 - i if i < 0 else 2 * n - 1 - i if i >= n else i
        )  # beyond a sealed end
        out[ghost] += np.prod(factors)
    return out


class DenseScheme:
    """The schemes as the engine's docstrings state them, without tables, lanes or sweeps.

    Staggered Crank-Nicolson; with ``order`` 4 on the compact mesh, and of third order in dt.
    """

    def __init__(self, axon: Axon, stimuli: Sequence[Stimulus], *, dt: float, dx: float, order: int) -> None:
        self.cut, self.dt, self.third = axon.compartments(dx), dt, order == 4
        jumps = [t / dt for s in stimuli if not isinstance(s, Clamp) for t in s.jumps if t < math.inf]
        inside = {math.floor(t) for t in jumps if abs(t - round(t)) > 1e-6}
        self.kinks = inside | {k + 1 for k in inside}
        self.between = {round(t) for t in jumps if abs(t - round(t)) <= 1e-6} - self.kinks
        self.capacity = 2 * self.cut.capacitance / dt
        self.currents = [(s, shares(self.cut, s.at, order)) for s in stimuli if not isinstance(s, Clamp)]
        self.clamps = [(s, self.cut.nearest(s.at)) for s in stimuli if isinstance(s, Clamp)]
        self.axial = axial_matrix(self.cut)
        compact = compact_weights(self.cut, [place for _, place in self.clamps])
        self.compact = axial_matrix(self.cut, compact if order == 4 else 0 * compact)
        # One stretch per section: its compartments, membrane and temperature.
        self.stretches = [
            (np.flatnonzero(self.cut.section == i), section.membrane, section.celsius)
            for i, section in enumerate(axon.sections)
        ]

    def advance(self, gates: list[dict[str, Array]], v: Array, dt: float) -> list[dict[str, Array]]:
        """Gates after ``dt`` at constant ``v``."""
        out = []
        for (here, membrane, celsius), own in zip(self.stretches, gates, strict=True):
            steady = membrane.steady_gates(v[here])
            tau = {name: gate.time_constant(v[here], celsius) for name, gate in membrane.gates.items()}
            out.append({x: steady[x] + (own[x] - steady[x]) * np.exp(-dt / tau[x]) for x in own})
        return out

    def held(self, step: int) -> dict[int, float]:
        """Clamped compartments and their voltages at the start of a step."""
        out = {}
        for clamp, place in self.clamps:
            first, last = round(clamp.start / self.dt), round((clamp.start + clamp.duration) / self.dt)
            if first <= step < last:
                out[place] = clamp.voltage
        return out

    def gauss(self, gates: list[dict[str, Array]], early: Array, late: Array) -> list[dict[str, Array]]:
        """Gates after a step through both Gauss points: two half-steps there, the order of which counts."""
        h, root = 0.5 * self.dt, np.sqrt(1 / 3)
        there = self.advance(self.advance(gates, early, h), late, h)
        back = self.advance(self.advance(gates, late, h), early, h)
        return [
            {x: 0.5 * (one[x] + two[x]) + root * (one[x] - two[x]) for x in one}
            for one, two in zip(there, back, strict=True)
        ]

    def replace(
        self, gates: list[dict[str, Array]], others: list[dict[str, Array]], places: list[int]
    ) -> None:
        """Put other values in at some compartments."""
        for (here, _, _), own, other in zip(self.stretches, gates, others, strict=True):
            at = np.isin(here, places)
            for x in own:
                own[x][at] = other[x][at]

    def differences(self, frames: list[Array], since: int) -> list[Array]:
        """First to third backward difference of V; 0 where they reach back beyond the step ``since``."""
        out = []
        for order in (1, 2, 3):
            reach = len(frames) - 1 - order >= since
            out.append(np.diff(np.array(frames[-order - 1 :]), order, axis=0)[0] if reach else 0 * frames[-1])
        return out

    def run(self, v: Array, steps: int) -> Array:
        """Voltage at every step, (steps + 1, n); gates go half a step before and half a step after t_k."""
        v, damped, since, right_after = v.copy(), 0, 0, True
        gates = [membrane.steady_gates(v[here]) for here, membrane, _ in self.stretches]
        frames: list[Array] = []
        for step in range(steps + 1):
            held = self.held(step)
            jumped = [place for place, level in held.items() if v[place] != level]
            before, v = v, v.copy()
            v[list(held)] = list(held.values())
            frames.append(before)
            d1, d2, d3 = self.differences(frames, since) if self.third else [0 * v] * 3
            frames[-1] = v.copy()
            # Half a step before t_k, half a step after: what jumps is constant over each.
            halves = self.advance(gates, before, 0.5 * self.dt) if step > 0 else gates
            halves = self.advance(halves, v, 0.5 * self.dt)
            if self.third and step > 0:
                middle, slope = v + d2 / 24, (d1 + d2 / 2) / np.sqrt(12)
                if right_after:
                    middle = middle + (frames[-1] - 2 * frames[-2] + frames[max(-3, -step - 1)]) / 8
                gates = self.gauss(gates, middle - slope, middle + slope)
                self.replace(gates, halves, jumped)
            else:
                gates = halves
            right_after = (since < step or step == 0) and (step in self.between or step == 0)
            if step in self.kinks | self.between:
                since = step
                d2, d3 = 0 * v, 0 * v
            damped = 2 if jumped else damped
            if damped > 0:  # the steps after a jump are two backward Euler halves each
                damped, since = damped - 1, step + 1
                v = self.midpoint(self.midpoint(v, gates, step, held), gates, step, held)
            else:
                v = 2 * self.midpoint(v - d2 / 8 + d3 / 48, gates, step, held) - v + d2 / 4
        return np.array(frames)

    def midpoint(self, v: Array, gates: list[dict[str, Array]], step: int, held: dict[int, float]) -> Array:
        """Voltage half a step after ``v``, by backward Euler."""
        d, b = self.capacity.copy(), self.capacity * v
        for (here, membrane, _), own in zip(self.stretches, gates, strict=True):
            for channel, density in zip(membrane.channels, membrane.conductances(own).values(), strict=True):
                total = density * self.cut.area[here] * 1e6  # uS
                d[here] += total
                b[here] += total * channel.reversal
        for stimulus, share in self.currents:
            charge = stimulus.charge(np.array([step, step + 1]) * self.dt)
            b += share * (charge[1] - charge[0]) / self.dt
        matrix = np.diag(d) + self.compact * d - self.axial
        right = b + self.compact @ b
        for place, level in held.items():
            matrix[place], right[place] = 0.0, level
            matrix[place, place] = 1.0
        middle = np.linalg.solve(matrix, right)
        middle[list(held)] = list(held.values())  # to the last bit
        return middle


def opening(v: Array) -> Array:
    return 1 / (1 + np.exp(-(v + 45) / 12))


def slow(v: Array) -> Array:
    return 1.5 + 0 * v


def many_gates() -> Membrane:
    """Squid and three more channels: every way to raise to a power, more gates than a table row holds."""
    more = (
        Channel(
            "A",
            0.01,
            -80.0,
            (Gate("a", 2, inf=opening, tau=slow, q10=2.0), Gate("b", 1, inf=opening, tau=slow)),
        ),
        Channel("B", 0.002, 30.0, (Gate("c", 5, inf=opening, tau=slow),)),
        Channel(
            "C", 0.003, -90.0, (Gate("d", 8, inf=opening, tau=slow), Gate("e", 6, inf=opening, tau=slow))
        ),
    )
    return Membrane("many gates", (*HH.channels, *more), capacitance=1.3)


# Edges inside steps, between two centres.
PULSE = Pulse(amplitude=30_000, start=0.1037, duration=0.2, at=3_210)
CASES = {
    "pulse": (SQUID, [PULSE]),
    "two at once": (
        SQUID,
        [
            Pulse(amplitude=30_000, start=0.1, duration=0.2),
            Train(amplitude=9e3, duration=0.1, interval=0.5, count=3, at=1e4),
        ],
    ),
    "patchwork": (PATCHWORK, [Pulse(amplitude=60_000, start=0.1, duration=0.2, at=0)]),
    "ring": (Axon(length=10_000, diameter=476, membrane=HH, celsius=18.5, ring=True), [PULSE]),
    "many gates": (Axon(length=10_000, diameter=476, membrane=many_gates(), celsius=18.5), [PULSE]),
    "far beyond the first tables": (
        SQUID,
        [Pulse(amplitude=-1e6, start=0.2, duration=0.3), Pulse(amplitude=1e6, start=0.6, duration=0.3)],
    ),
}


def voltage(
    axon: Axon, stimuli: Sequence[Stimulus], *, dt: float, dx: float, order: int, steps: int
) -> Array:
    run = simulate(
        axon, stimuli, duration=steps * dt, dt=dt, dx=dx, order=order, record=Record(every=EVERY_STEP)
    )
    assert run.voltage is not None
    return run.voltage


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("case", CASES)
def test_engine_follows_the_dense_scheme_with_exact_rates(case: str, order: int) -> None:
    axon, stimuli = CASES[case]
    ours = voltage(axon, stimuli, dt=0.02, dx=250, order=order, steps=150)
    exact = DenseScheme(axon, stimuli, dt=0.02, dx=250, order=order).run(ours[0], 150)
    assert np.ptp(exact) > 50.0  # mV: something happened
    # The whole difference is the rate tables': measured 6e-8 to 3e-7 mV.
    assert_allclose(ours, exact, rtol=0, atol=5e-7)


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("held", [0, 1, 4, 5, 19, 38, 39])  # the pieces of the axon meet at 4 | 5
def test_clamped_engine_follows_the_dense_scheme(held: int, order: int) -> None:
    at = float(SQUID.compartments(250).position[held])
    stimuli = [
        Clamp(voltage=-10.0, start=0.2, duration=0.6, at=at),
        Pulse(amplitude=20_000, start=0.1, duration=0.2, at=5_000),
        Pulse(amplitude=20_000, start=0.24, duration=0.1, at=3_000),  # right after the damped steps
    ]
    ours = voltage(SQUID, stimuli, dt=0.02, dx=250, order=order, steps=60)
    exact = DenseScheme(SQUID, stimuli, dt=0.02, dx=250, order=order).run(ours[0], 60)
    assert_allclose(ours, exact, rtol=0, atol=5e-7)


def test_no_spike_is_lost_when_their_buffer_fills_up() -> None:
    # There is room for some thousand crossings in a stretch of steps; here there are more than that.
    patch = Axon(length=100, diameter=100, membrane=HH, celsius=18.5)
    step = Pulse(amplitude=10.0, duration=np.inf)
    run = simulate(patch, step, duration=8_000, dt=0.02, dx=100, record=Record(voltage=None))
    interval = np.diff(run.spike_time)[5:]
    assert len(interval) > 2_000
    assert_allclose(interval, interval[-1], rtol=1e-4, atol=0)


def test_no_two_kernels_have_one_name() -> None:
    # Machine code kept on disk is linked by name: of two solves by one name, one was run for the other.
    modules = [import_module(f"axon.engine.{found.name}") for found in pkgutil.iter_modules(engine.__path__)]
    named: dict[str, set[int]] = {}
    for kernel in (value for module in modules for value in vars(module).values()):
        function = getattr(kernel, "py_func", None)
        if function is not None and kernel.targetoptions.get("inline") != "always":
            named.setdefault(f"{function.__module__}.{function.__qualname__}", set()).add(id(function))
    assert len(named) > 20
    assert [name for name, functions in named.items() if len(functions) > 1] == []

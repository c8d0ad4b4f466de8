"""What makes the next spike wait: the equations of the space clamp, restarted with gates held at rest.

A simulation starts from rest, so the second pulse is asked of the equations themselves, with the membrane's
own rate functions: the state at an interval after a first pulse, gates put to their resting value and held
there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

import axon
from axon.protocols.space_clamp import space_clamp
from axon.protocols.threshold import find_threshold

Array = NDArray[np.float64]

CELSIUS = 6.3
WIDTH, FIRST = 0.2, 2.0  # ms of both pulses; x threshold
STEP, AFTER = 0.02, 8.0  # ms; a spike must arise within the latter
LONGEST = 60.0  # ms, interval
WEAKEST = 0.2  # x threshold


def advance(
    v: Array, gates: dict[str, Array], current: Array, moves: dict[str, Array]
) -> tuple[Array, dict[str, Array]]:
    """One step: gates for half of it, V for all of it, gates for the other half, each exactly (Strang)."""
    membrane = axon.hodgkin_huxley()
    gates = relaxed(v, gates, moves)
    conductance = membrane.conductances(gates)
    total = sum(conductance.values(), np.zeros_like(v))
    driven = sum((conductance[c.name] * c.reversal for c in membrane.channels), 1e-3 * current)
    goal = driven / total
    v = goal + (v - goal) * np.exp(-1e3 * STEP * total / membrane.capacitance)
    return v, relaxed(v, gates, moves)


def relaxed(v: Array, gates: dict[str, Array], moves: dict[str, Array]) -> dict[str, Array]:
    """Gates half a step later; one that is held stays."""
    later = {}
    for name, gate in axon.hodgkin_huxley().gates.items():
        steady, rate = gate.kinetics(v, CELSIUS)
        later[name] = steady + (gates[name] - steady) * np.exp(-0.5 * STEP * rate * moves[name])
    return later


@cache
def afterwards() -> tuple[Array, dict[str, Array], float]:
    """V and gates at every step after a pulse of twice the threshold, and the threshold (uA/cm2)."""
    membrane = axon.hodgkin_huxley()
    single = find_threshold(
        space_clamp(membrane, celsius=CELSIUS), axon.Pulse(amplitude=1, duration=WIDTH)
    ).value
    v = np.array([membrane.resting_potential()])
    gates = membrane.steady_gates(v)
    moves = {name: np.ones(1) for name in gates}
    states = [(v, gates)]
    for k in range(round(LONGEST / STEP)):
        v, gates = advance(v, gates, np.array([FIRST * single * (k * STEP < WIDTH - 1e-9)]), moves)
        states.append((v, gates))
    voltage = np.array([float(v[0]) for v, _ in states])
    return voltage, {name: np.array([float(g[name][0]) for _, g in states]) for name in gates}, single


def fires(v: Array, gates: dict[str, Array], moves: dict[str, Array], strength: Array) -> NDArray[np.bool_]:
    """Whether pulses of these strengths (x threshold) make V rise above -20 mV on inward current."""
    membrane, single = axon.hodgkin_huxley(), afterwards()[2]
    fired = np.zeros(strength.shape, bool)
    for k in range(round(AFTER / STEP)):
        before = v
        v, gates = advance(v, gates, strength * single * (k * STEP < WIDTH - 1e-9), moves)
        fired |= (v > before) & (v > -20.0) & (membrane.current(v, gates) < 0)
    return fired


def threshold_ratios(
    intervals: Sequence[float], held: Mapping[str, Sequence[str]], ceiling: float
) -> dict[str, Array]:
    """Threshold after each interval (ms) over that at rest, nan where it is above ``ceiling`` of these.

    Each entry of ``held`` names gates that are put to their resting value and held there, during the second
    pulse, after it, and likewise in the resting membrane it is compared with. ``"V"`` among them puts the
    voltage back to rest and lets it go.
    """
    voltage, gates, _ = afterwards()
    here = np.round(np.array([0.0, *intervals]) / STEP).astype(int)  # step 0 is rest
    v, x, moves = np.tile(voltage[here], (len(held), 1)), {}, {}
    v[["V" in names for names in held.values()]] = voltage[0]
    for name, gate in gates.items():
        fixed = np.array([[name in names] for names in held.values()])
        x[name], moves[name] = np.where(fixed, gate[0], gate[here]), 1.0 - fixed
    rungs = np.geomspace(WEAKEST, ceiling, 10)[:, None, None]
    success = fires(v, x, moves, rungs + np.zeros_like(v))
    first = np.maximum(np.argmax(success, axis=0), 1)
    low, high = rungs[first - 1, 0, 0], rungs[first, 0, 0]
    for _ in range(8):
        middle = np.sqrt(low * high)
        works = fires(v, x, moves, middle)
        low, high = np.where(works, low, middle), np.where(works, middle, high)
    found = np.where(success.any(axis=0), np.sqrt(low * high), np.nan)
    return dict(zip(held, found[:, 1:] / found[:, :1], strict=True))

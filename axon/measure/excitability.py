"""How excitable a membrane is at an instant, from its gates: the threshold of its fast part.

Gates are fast or slow. Held where the slow ones are just now, and with the fast ones always at their steady
state, the membrane has an instantaneous current-voltage curve. Where that crosses from outward to inward with
rising V lies the threshold of its fast part (the saddle of the reduced system of FitzHugh, J Gen Physiol
43:867, 1960, with activation at once): pushed beyond, V rises by itself. Where there is no such crossing,
because all current above the stable zero is outward, no push makes it rise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.membranes.roles import gate_roles

Array = NDArray[np.float64]

_STEP = 0.25  # mV, of the curve
_STATES = 2000  # at once
_RANGE = np.arange(-100.0, 50.5, 0.5)  # mV, where time constants are compared
_APART = 2.0  # least ratio of time constants between slow and fast


def fast_gates(membrane: Any, celsius: float) -> tuple[str, ...]:
    """Names of the fast gates: those on the short side of the widest gap between time constants.

    Gates are ordered by their longest time constant between -100 and 50 mV; the widest gap is the greatest
    ratio of neighbours. Of the squid membrane m is fast (0.5 ms at 6.3 degC), n and h are slow (6 and 9 ms).
    Instantaneous gates are fast, and where there are such, others only if one of them activates a channel.

    Parameters
    ----------
    membrane : Membrane
    celsius : float
        degC.

    Raises
    ------
    ValueError
        When there is no instantaneous gate, and no gap of at least 2 between others.
    """
    at_once = [name for name, gate in membrane.gates.items() if gate.instantaneous]
    longest = {
        name: float(gate.time_constant(_RANGE, celsius).max())
        for name, gate in membrane.lasting_gates.items()
    }
    names = sorted(longest, key=lambda name: longest[name])
    ratios = [longest[slow] / longest[fast] for fast, slow in zip(names[:-1], names[1:], strict=True)]
    apart = bool(ratios) and max(ratios) >= _APART
    fast = names[: 1 + int(np.argmax(ratios))] if apart else []
    if not at_once and not fast:
        raise ValueError(
            f"membrane {membrane.name!r} has no gates that are fast against others, so no threshold at an "
            f"instant; longest time constants (ms): {_listed(longest)}"
        )
    roles = gate_roles(membrane)
    if at_once and all(roles[name].role == "inactivation" for name in fast):
        return tuple(at_once)
    return (*at_once, *fast)


def slow_gates(membrane: Any, celsius: float) -> tuple[str, ...]:
    """Names of the gates that are not fast, see ``fast_gates``."""
    fast = fast_gates(membrane, celsius)
    return tuple(name for name in membrane.gates if name not in fast)


def instantaneous_curve(membrane: Any, celsius: float, gates: Mapping[str, Array], v: Array) -> Array:
    """Ionic current (mA/cm2, outward) with the slow gates as given and the fast ones at their steady state.

    Parameters
    ----------
    membrane : Membrane
    celsius : float
        degC.
    gates : mapping of str to (n,) ndarray
        The slow gates.
    v : (k,) ndarray
        mV.

    Returns
    -------
    (n, k) ndarray
    """
    fast = fast_gates(membrane, celsius)
    steady = {
        name: gate.steady_state(v, celsius) if name in fast else np.ones_like(v)
        for name, gate in membrane.gates.items()
    }
    total = 0.0
    for channel in membrane.channels:
        part: Any = 1.0
        for gate in channel.gates:
            if gate.name not in fast:
                part = part * np.asarray(gates[gate.name], float) ** gate.exponent
        total = total + np.multiply.outer(part, channel.current(v, steady, celsius))
    n = next((np.size(gates[name]) for name in slow_gates(membrane, celsius)), 1)
    return np.broadcast_to(total, (n, len(v)))


def thresholds(membrane: Any, celsius: float, gates: Mapping[str, Array]) -> tuple[Array, Array]:
    """Threshold of the fast part, and by how far the membrane has one, for many states of the slow gates.

    Parameters
    ----------
    membrane : Membrane
    celsius : float
        degC.
    gates : mapping of str to ndarray
        The slow gates, of any one shape.

    Returns
    -------
    threshold : ndarray
        mV: the lowest V at which the curve crosses from outward to inward. inf where it never does, because
        no current above the stable zero is inward; -inf where there is nothing to cross, because current is
        inward from the lowest reversal on: such a membrane would fire by itself if its gates stayed so.
    margin : ndarray
        mA/cm2: the least current in a dip of the curve above the stable zero; not negative exactly where the
        threshold is inf, and inf itself where the curve only rises.
    """
    slow = slow_gates(membrane, celsius)
    shape = np.shape(gates[slow[0]])
    flat = {name: np.asarray(gates[name], float).reshape(-1) for name in slow}
    reversals = membrane.reversals
    v = np.arange(min(reversals), max(reversals) + _STEP, _STEP)
    size = flat[slow[0]].size
    threshold, margin = np.empty(size), np.empty(size)
    for start in range(0, size, _STATES):
        part = slice(start, start + _STATES)
        current = instantaneous_curve(membrane, celsius, {name: x[part] for name, x in flat.items()}, v)
        threshold[part], margin[part] = _crossing(current, v)
    return threshold.reshape(shape), margin.reshape(shape)


def resting_threshold(membrane: Any, celsius: float) -> float:
    """Threshold (mV) of the fast part with the slow gates where they are at rest."""
    v = membrane.resting_potential(celsius)
    at_rest = {name: np.atleast_1d(x) for name, x in membrane.steady_gates(v, celsius).items()}
    return float(thresholds(membrane, celsius, at_rest)[0][0])


def _crossing(current: Array, v: Array) -> tuple[Array, Array]:
    """First crossing from outward to inward of every row, and the least of its dips above the stable zero."""
    outward = current >= 0
    inside = current[:, 1:-1]
    dips = np.maximum.accumulate(outward, axis=1)[:, 1:-1]
    dips &= (inside < current[:, :-2]) & (inside <= current[:, 2:])
    margin = np.where(dips, inside, np.inf).min(axis=1)
    down = outward[:, :-1] & ~outward[:, 1:]
    first = np.argmax(down, axis=1)
    rows = np.arange(len(current))
    before, after = current[rows, first], current[rows, first + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        at = v[first] + (v[1] - v[0]) * before / (before - after)
    # Without a crossing, current is inward only below the stable zero, or all the way up to the upper one.
    alone = ~down.any(axis=1)
    upward = np.count_nonzero(~outward, axis=1) > 0.5 * len(v)
    margin = np.where(alone & upward, current.min(axis=1), margin)
    return np.where(alone, np.where(upward, -np.inf, np.inf), at), margin


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items()) or "none"

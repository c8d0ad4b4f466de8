"""Functions checked before they are trusted: one clear line that names channel, gate and voltage."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.membranes.gate import Gate
from axon.membranes.limits import LOOKED_AT, Array, Rate, evaluate
from axon.membranes.pool import resting

# Where a membrane may be carried, and where every rate must make sense: mV.
TRUSTED = LOOKED_AT[np.abs(LOOKED_AT) <= 150.0]
_NEAR_REST = np.argsort(np.abs(TRUSTED + 65.0), kind="stable")
_ROUNDING = 1e-9

# What the values of each function must be, in words and as a test of what they may not be.
_MEANT = {
    "alpha": ("a rate >= 0 /ms", lambda values: values < 0),
    "beta": ("a rate >= 0 /ms", lambda values: values < 0),
    "inf": ("a fraction 0..1", lambda values: (values < -_ROUNDING) | (values > 1 + _ROUNDING)),
    "tau": ("a time > 0 ms", lambda values: values <= 0),
    "outward": ("a finite current in mA/cm2", lambda values: np.zeros(values.shape, bool)),
}


def checked_gates(owner: str, gates: Any) -> tuple[Gate, ...]:
    """The gates as a tuple, every function of theirs looked at between -150 and 150 mV.

    Those that read concentrations are looked at with a tenth, once and ten times what is there at rest.

    Parameters
    ----------
    owner : str
        Whose gates they are, for the message: ``"Channel 'Na'"``.
    gates : sequence of Gate

    Raises
    ------
    ValueError
        For something that is no gate; for a function that fails, takes one voltage at a time, gives another
        number of values than voltages, or gives any that is not finite; for a rate that is negative, a steady
        state outside 0..1, a time constant that is not positive, or a gate that nothing moves.
    """
    if isinstance(gates, Gate) or not isinstance(gates, Iterable):
        raise ValueError(f"{owner}: gates must be a tuple of Gate, such as (m, h) or (n,), got {gates!r}")
    gates = tuple(gates)
    for gate in gates:
        if not isinstance(gate, Gate):
            raise ValueError(f"{owner}: gates must hold Gate objects, got {gate!r}")
        for part in (1.0, 0.1, 10.0) if gate.reads else (1.0,):
            trouble = _trouble_of(gate, tuple(part * c for c in resting(gate.reads)))
            if trouble:
                away = "" if part == 1.0 else f" with concentrations {part:g} times those at rest"
                raise ValueError(f"{owner}, gate {gate.name!r}: {trouble}{away}")
    return gates


def _trouble_of(gate: Gate, concentrations: tuple[float, ...]) -> str:
    """What is wrong with a gate at these concentrations (mM), in words; nothing when all is well."""
    for kind, function in gate.functions.items():
        trouble = _trouble(kind, function, concentrations)
        if trouble:
            return trouble
    return "" if gate.alpha is None else _standstill(*gate.functions.values(), concentrations)


def checked_current(owner: str, current: Rate, rest: tuple[float, ...]) -> None:
    """Look at the current of a transporter between -150 and 150 mV, concentrations (mM) as at rest.

    Raises
    ------
    ValueError
        For something that is no function, one that fails, or one that is not finite.
    """
    if not callable(current):
        raise ValueError(f"{owner}: outward must be a function of V and what it reads, got {current!r}")
    trouble = _trouble("outward", current, rest)
    if trouble:
        raise ValueError(f"{owner}: {trouble}")


# The same functions come again with every variation of a membrane.
@lru_cache(maxsize=1024)
def _standstill(alpha: Rate, beta: Rate, rest: tuple[float, ...]) -> str:
    """Where neither rate moves the gate, in words; nothing where one always does."""
    still = _worst(evaluate(alpha, TRUSTED, *rest) + evaluate(beta, TRUSTED, *rest) == 0)
    if still is None:
        return ""
    return f"alpha and beta are both 0 at V = {TRUSTED[still]:g} mV, where the gate then has no steady state"


@lru_cache(maxsize=1024)
def _trouble(kind: str, function: Rate, rest: tuple[float, ...]) -> str:
    """What is wrong with a function, in words; nothing when all is well."""
    arrays = "an array of voltages" if not rest else f"arrays of voltages and {len(rest)} concentrations"
    try:
        with np.errstate(all="ignore"):
            given = np.asarray(function(TRUSTED.copy(), *(np.full_like(TRUSTED, c) for c in rest)))
    except Exception as error:  # whatever a user's function may raise
        return (
            f"{kind} must take {arrays}, and failed with {type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'no reason given'}; "
            "write it with NumPy (np.exp, np.where), or wrap it in np.vectorize"
        )
    if given.dtype.kind not in "fiub":
        return f"{kind} must give real numbers, got {given.dtype} values"
    if given.shape not in ((), TRUSTED.shape):
        return (
            f"{kind} must give one value for each voltage, got an array of shape {given.shape} for voltages "
            f"of shape {TRUSTED.shape}"
        )
    return _about(kind, evaluate(function, TRUSTED, *rest))


def _about(kind: str, values: Array) -> str:
    meant, wrong = _MEANT[kind]
    for found in (~np.isfinite(values), wrong(values)):
        worst = _worst(found)
        if worst is not None:
            return f"{kind} must be {meant}, got {values[worst] + 0.0:g} at V = {TRUSTED[worst]:g} mV"
    return ""


def _worst(found: NDArray[np.bool_]) -> int | None:
    """Of the voltages where something was found the number of the one nearest to -65 mV."""
    places = _NEAR_REST[found[_NEAR_REST]]
    return int(places[0]) if len(places) else None

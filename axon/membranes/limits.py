"""Rate functions where they are 0/0: found from the function itself, and filled there by its limit.

``0.1 * (v + 40) / (1 - np.exp(-(v + 40) / 10))`` is nan at -40 mV, and a billionth of a millivolt beside it
has lost most of its digits. Whoever writes it so means the smooth curve, and gets it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
# Of V (mV), and of the concentrations (mM) that a gate reads.
Rate = Callable[..., ArrayLike]

# Where rates are looked at before they are trusted: tenths of a mV, written as a user writes them.
LOOKED_AT = np.arange(-2500, 2501) / 10.0
# mV around a singular voltage. There the curve is drawn through six points beside it: beyond, what is lost to
# cancellation is 1e-13 of the rate, and between, the polynomial misses a curve that changes by e in 1 mV by
# less.
REACH = 0.02
_NODES = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
# Limits taken from points twice as near must agree to this part, or there is none.
_AGREES = 1e-3


def evaluate(rate: Rate, v: ArrayLike, *concentrations: ArrayLike) -> Array:
    """The rate at ``v``, with its limit where it is 0/0.

    Parameters
    ----------
    rate : callable
    v : array_like
        mV, any shape.
    *concentrations : array_like
        mM, of what the rate reads besides; broadcast against ``v``.

    Returns
    -------
    ndarray
        Of the shape of ``v`` and the concentrations together; nan or infinite where the rate has no limit.
    """
    v, read = np.asarray(v, float), [np.asarray(c, float) for c in concentrations]
    if read:
        v, *read = np.broadcast_arrays(v, *read)
    values = _called(rate, v, *read)
    for singular in singular_voltages(rate, len(read)):
        near = np.abs(v - singular) < REACH
        if near.any():
            values[near] = _through_neighbours(rate, singular, v[near], [c[near] for c in read])
    lost = np.isnan(values)
    if lost.any() and (lost := lost & np.isfinite(v)).any():
        values[lost] = _through_neighbours(rate, v[lost], v[lost], [c[lost] for c in read])
    return values


@lru_cache(maxsize=1024)
def singular_voltages(rate: Rate, reads: int = 0) -> tuple[float, ...]:
    """Voltages (mV) from -250 to 250 where a quotient in ``rate`` is 0/0 and its limit is finite.

    Parameters
    ----------
    rate : callable
    reads : int
        Of how many concentrations it is a function besides. Where a quotient is 0/0 in V is taken not to
        depend on them.
    """
    found, concentrations = [], (1.0,) * reads
    for v in _zero_denominators(rate, concentrations):
        once, twice = (_limit(rate, v, concentrations, reach) for reach in (REACH, REACH / 2))
        if abs(once - twice) <= _AGREES * max(abs(once), abs(twice)):
            found.append(v)
    return tuple(found)


def _called(rate: Rate, v: Array, *concentrations: ArrayLike) -> Array:
    values = np.empty(v.shape)
    with np.errstate(all="ignore"):
        values[...] = rate(v.copy(), *concentrations)  # a copy, for functions that change what they get
    return values


def _through_neighbours(rate: Rate, centre: float | Array, v: Array, concentrations: list[Array]) -> Array:
    """The rate at ``v``, (n,), by the polynomial through six points around ``centre``."""
    s = (v - centre) / REACH
    values = np.zeros_like(v)
    for node in _NODES:
        others = _NODES[node != _NODES]
        weight = np.prod([(s - other) / (node - other) for other in others], axis=0)
        values += weight * _called(rate, centre + REACH * node * np.ones_like(v), *concentrations)
    return values


def _limit(rate: Rate, v: float, concentrations: tuple[float, ...], reach: float) -> float:
    """What the rate tends to at ``v`` from both sides, nan where they do not agree."""
    beside = reach * np.arange(1.0, 4.0)
    parabola = np.array([3.0, -3.0, 1.0])
    left, right = (
        float(parabola @ _called(rate, v + side * beside, *concentrations)) for side in (-1.0, 1.0)
    )
    agree = abs(left - right) <= _AGREES * max(abs(left), abs(right))
    return (left + right) / 2 if agree else float("nan")


class _Watched(np.ndarray):
    """Voltages that note whatever a rate function divides by on its way."""

    seen: list[Array]

    @classmethod
    def of(cls, v: Array) -> _Watched:
        watched = v.view(cls)
        watched.seen = []
        return watched

    def __array_finalize__(self, source: Any) -> None:
        self.seen = getattr(source, "seen", [])

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kw: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, _Watched) else x for x in inputs]
        divisor = _divisor(ufunc, plain) if method == "__call__" else None
        if divisor is not None and np.shape(divisor) == self.shape:
            self.seen.append(np.array(divisor, float))
        if out is not None:
            kw["out"] = tuple(x.view(np.ndarray) if isinstance(x, _Watched) else x for x in out)
        answer = getattr(ufunc, method)(*plain, **kw)
        if not isinstance(answer, np.ndarray):
            return answer
        watched = answer.view(_Watched)
        watched.seen = self.seen
        return watched


def _divisor(ufunc: np.ufunc, inputs: list[Any]) -> Any:
    if ufunc is np.divide:
        return inputs[1]
    if ufunc is np.reciprocal or (ufunc is np.power and np.all(np.asarray(inputs[1]) < 0)):
        return inputs[0]
    return None


def _denominators(rate: Rate, v: Array, concentrations: tuple[float, ...]) -> list[Array]:
    """Everything that the rate divides by at the voltages ``v``, in the order in which it does."""
    watched = _Watched.of(np.array(v))
    # What takes plain arrays alone, compiled code for one, keeps its denominators to itself.
    with np.errstate(all="ignore"), contextlib.suppress(TypeError):
        rate(watched, *concentrations)
    return watched.seen


def _zero_denominators(rate: Rate, concentrations: tuple[float, ...]) -> list[float]:
    """Where something that the rate divides by is 0, or the rate is nan, in order."""
    v = LOOKED_AT
    found = set(v[np.isnan(_called(rate, v, *concentrations))].tolist())
    for number, d in enumerate(_denominators(rate, v, concentrations)):
        found.update(v[d == 0].tolist())
        for k in np.flatnonzero(np.sign(d[:-1]) * np.sign(d[1:]) < 0):
            found.add(_zero(rate, number, concentrations, float(v[k]), float(v[k + 1])))
    return sorted(found)


def _zero(rate: Rate, number: int, concentrations: tuple[float, ...], low: float, high: float) -> float:
    """Where denominator ``number`` is 0 between two voltages at which it has opposite signs, by halving."""

    def denominator(v: float) -> float:
        # In an array of a length that no constant of the rate has: see what counts as a denominator.
        return float(_denominators(rate, np.full(7, v), concentrations)[number][0])

    rising = denominator(high) > 0
    while (middle := (low + high) / 2) not in (low, high):
        value = denominator(middle)
        if value == 0:
            return middle
        low, high = (low, middle) if (value > 0) == rising else (middle, high)
    return middle

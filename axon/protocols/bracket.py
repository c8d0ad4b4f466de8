"""Brackets between what fails and what works, narrowed by many trials side by side."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.progress import Progress

Array = NDArray[np.float64]
# Which of the brackets, and the values to try in them, (n,) each; the answer says which of them work.
Works = Callable[[NDArray[np.intp], Array], NDArray[np.bool_]]

TRIALS = 8  # side by side: the lanes of the engine, which cost the same whether one is filled or all
WIDE = 2.0  # a bracket whose ends differ by more than this factor is divided by ratios


def narrow(
    works: Works,
    low: ArrayLike,
    high: ArrayLike,
    *,
    accuracy: float,
    cost: int = 1,
    progress: bool = True,
    what: str = "",
) -> tuple[Array, Array]:
    """Narrow brackets until their halves are no longer than ``accuracy`` times their middle.

    A single bracket is cut into nine by eight trials at once; of many brackets each is halved.

    Parameters
    ----------
    works : callable
        ``works(which, value)``: whether the values work, each in the bracket of that number.
    low, high : (k,) array_like
        Values that fail, and larger ones that work; low may be 0. Known already, and not tried again.
    accuracy : float
        Relative.
    cost : int
        Trials that it takes to know whether a value works.
    progress : bool
        Show a progress bar on a terminal.
    what : str
        What is searched for, for the progress bar.

    Returns
    -------
    low, high : (k,) ndarray
    """
    low, high = np.array(low, float), np.array(high, float)
    needed = _bits(low, high, accuracy)
    with Progress(float(needed.sum()), enabled=progress, unit=f"bits of {what}" if what else "bits") as bar:
        while (left := np.flatnonzero(needed > 0)).size:
            cuts = max(1, TRIALS // (cost * left.size))
            value = _divided(low[left], high[left], cuts)
            success = works(np.repeat(left, cuts), value.ravel()).reshape(left.size, cuts)
            first = np.where(success.any(axis=1), np.argmax(success, axis=1), cuts)
            ends = np.concatenate([low[left, None], value, high[left, None]], axis=1)
            here = np.arange(left.size)
            low[left], high[left] = ends[here, first], ends[here, first + 1]
            before, needed = needed, _bits(low, high, accuracy)
            bar.advance(float((before - needed).sum()))
    return low, high


def _bits(low: Array, high: Array, accuracy: float) -> Array:
    """How many halvings the brackets still need, (k,)."""
    middle = (low + high) / 2
    return np.maximum(np.log2((high - low) / 2 / (accuracy * middle)), 0.0)


def _divided(low: Array, high: Array, cuts: int) -> Array:
    """Values inside the brackets, evenly apart, or in ratio where a bracket is wide; (k, cuts)."""
    part = np.arange(1, cuts + 1) / (cuts + 1)
    even = low[:, None] + (high - low)[:, None] * part
    wide = (low > 0) & (high > WIDE * low)
    ratio = np.where(wide, high / np.where(wide, low, 1.0), 1.0)
    return np.where(wide[:, None], low[:, None] * ratio[:, None] ** part, even)


def ladder(low: float, high: float, rungs: int) -> Array:
    """``rungs`` values from ``low`` to ``high``, in equal ratios."""
    return np.geomspace(low, high, rungs)


def first_success(
    works: Works, low: float, high: float, *, step: float, cost: int = 1
) -> tuple[float, float] | None:
    """Climb from ``low`` by factors of ``step``, eight trials at a time, up to the first value that works.

    Parameters
    ----------
    works, cost
        As for ``narrow``.
    low, high : float
        First and last value; > 0.
    step : float
        Factor from one value to the next, or a little less; > 1.

    Returns
    -------
    (float, float) or None
        The value that works and the one before it (0 where the first works already); None when none does up
        to ``high``.
    """
    rungs = max(2, math.ceil(math.log(high / low) / math.log(step)) + 1)
    values = ladder(low, high, rungs)
    before, together = 0.0, max(1, TRIALS // cost)
    for k in range(0, rungs, together):
        block = values[k : k + together]
        success = works(np.zeros(block.size, np.intp), block)
        if success.any():
            first = int(np.argmax(success))
            return (float(block[first - 1]) if first else before), float(block[first])
        before = float(block[-1])
    return None

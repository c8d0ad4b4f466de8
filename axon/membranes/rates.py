"""Shapes that rate functions are written in, safe at their removable singularities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def linoid(x: ArrayLike) -> Array:
    """x / (exp(x) - 1), with its limit 1 at x = 0 and full precision around it.

    Parameters
    ----------
    x : array_like
        Dimensionless argument, any shape.
    """
    x = np.asarray(x, dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(x == 0.0, 1.0, x / np.where(x == 0.0, 1.0, np.expm1(x)))


def logistic(x: ArrayLike) -> Array:
    """1 / (1 + exp(-x)), which rises from 0 to 1, safe where the exponential overflows.

    Parameters
    ----------
    x : array_like
        Dimensionless argument, any shape.
    """
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(x, dtype=float))))

"""Shapes that rate functions are written in, safe at their removable singularities."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass(frozen=True, eq=False)
class SampledRate:
    """A rate function known by its samples, as a run file keeps the ones written by a user.

    Between samples it is a cubic spline; outside it is continued by its last value.

    Parameters
    ----------
    start, step : float
        First voltage and spacing of the samples, mV.
    values : tuple of float
        The rate at ``start + i * step``.
    name : str
        Name of the function that was sampled.
    """

    start: float
    step: float
    values: tuple[float, ...]
    name: str = "rate"
    __name__: str = field(init=False, repr=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "__name__", self.name)

    def __call__(self, v: ArrayLike) -> Array:
        from scipy.interpolate import CubicSpline

        grid = self.start + self.step * np.arange(len(self.values))
        inside = np.clip(np.asarray(v, dtype=float), grid[0], grid[-1])
        exact = np.asarray(self.values)[np.rint((inside - self.start) / self.step).astype(int)]
        return np.where(np.isin(inside, grid), exact, CubicSpline(grid, self.values)(inside))

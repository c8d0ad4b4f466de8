"""Functions known by samples: how two are compared, and what a run file keeps of a user's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from axon.membranes.limits import Array, Rate, evaluate

# mV. Of a function of V alone; of V and concentrations, by how many of these it reads, coarser.
SAMPLES = np.arange(-250.0, 250.25, 0.5)
_COARSER = {1: np.arange(-150.0, 151.0, 2.0), 2: np.arange(-150.0, 151.0, 10.0)}
# Of each concentration: as parts of what it is at rest.
_PARTS = {1: np.logspace(-2, 2, 25), 2: np.logspace(-2, 2, 13)}


def grid(rest: tuple[float, ...]) -> tuple[Array, ...]:
    """Voltages (mV) and concentrations (mM) that a function is sampled at; ``rest`` in mM."""
    if not rest:
        return (SAMPLES,)
    reads = min(len(rest), 2)
    return (_COARSER[reads], *(c * _PARTS[reads] for c in rest))


def samples(rate: Rate, rest: tuple[float, ...] = ()) -> Array:
    """The function at every point of its ``grid``, one axis for V and one for each concentration."""
    return evaluate(rate, *np.meshgrid(*grid(rest), indexing="ij"))


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

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import CubicSpline

        finite = np.isfinite(self.values)  # what is not lies beyond where rates are checked
        return CubicSpline(self._grid[finite], np.asarray(self.values)[finite])

    @property
    def _grid(self) -> Array:
        return np.asarray(self.start + self.step * np.arange(len(self.values)), float)

    def __call__(self, v: ArrayLike) -> Array:
        grid = self._grid
        inside = np.clip(np.asarray(v, dtype=float), grid[0], grid[-1])
        exact = np.asarray(self.values)[np.rint((inside - self.start) / self.step).astype(int)]
        return np.where(np.isin(inside, grid), exact, self._spline(inside))


@dataclass(frozen=True, eq=False)
class SampledSurface:
    """A function of V and concentrations known by its samples, as a run file keeps a user's own.

    Between samples it is a cubic spline in V and the logarithms of the concentrations; outside it is
    continued by its last values.

    Parameters
    ----------
    rest : tuple of float
        The concentrations (mM) that the samples were taken around, see ``grid``.
    values : tuple of float
        The function at every point of the grid, the last axis first to change.
    name : str
        Name of the function that was sampled.
    """

    rest: tuple[float, ...]
    values: tuple[float, ...]
    name: str = "rate"
    __name__: str = field(init=False, repr=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "__name__", self.name)

    @cached_property
    def _table(self) -> Array:
        return np.reshape(self.values, [len(axis) for axis in grid(self.rest)])

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import RegularGridInterpolator

        v, *concentrations = grid(self.rest)
        finite = np.nan_to_num(self._table)  # what is not is far from rest
        return RegularGridInterpolator([v, *map(np.log, concentrations)], finite, method="cubic")

    def __call__(self, v: ArrayLike, *concentrations: ArrayLike) -> Array:
        axes = grid(self.rest)
        given = np.broadcast_arrays(*(np.asarray(x, float) for x in (v, *concentrations)))
        inside = [np.clip(x, axis[0], axis[-1]) for x, axis in zip(given, axes, strict=True)]
        values = np.asarray(self._spline(np.stack([inside[0], *map(np.log, inside[1:])], axis=-1)), float)
        at = [np.searchsorted(axis, x) for x, axis in zip(inside, axes, strict=True)]
        exact = np.all([axis[i] == x for x, axis, i in zip(inside, axes, at, strict=True)], axis=0)
        return np.where(exact, self._table[tuple(at)], values)

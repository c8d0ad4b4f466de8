"""A recorded trace as the smooth curve it was sampled from, so that nothing is read off the sampling grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

ORDER = 5  # of the spline: a spike sampled 10 times in its half-width comes out to 1e-4 of its size
_ON_SAMPLE = 1e-6  # of the sampling interval: a kink this near to a sample is on it
_NOISE = 1e-13  # of a trace's size, and over the sampling interval to the order of a derivative: rounding
_BETWEEN = 3  # points per sampling interval at which signs are compared


class Curve:
    """The quintic spline through the samples of a trace, cut at its kinks.

    Parameters
    ----------
    time : array_like, (n,)
        ms, increasing; at least 2.
    values : array_like, (n,)
        In any unit.
    kinks : sequence of float
        Times (ms) where the slope jumps, such as the edges of a stimulus: no spline runs across them. Inside
        the sampling interval that holds a kink the curve is a straight line.

    Raises
    ------
    ValueError
        When the times do not increase, the shapes differ, or a sample is not finite.
    """

    def __init__(self, time: ArrayLike, values: ArrayLike, kinks: Sequence[float] = ()) -> None:
        self.time, self.samples = np.asarray(time, float), np.asarray(values, float)
        if self.time.ndim != 1 or self.time.shape != self.samples.shape or self.time.size < 2:
            raise ValueError(
                f"time and values must be (n,) with n >= 2, got {self.time.shape} and {self.samples.shape}"
            )
        if not (np.diff(self.time) > 0).all():
            raise ValueError("time must increase from sample to sample, in ms")
        if not np.isfinite(self.samples).all():
            raise ValueError("a trace must be finite, got nan or inf among its samples")
        self.start, self.stop = float(self.time[0]), float(self.time[-1])
        self.kinks = tuple(sorted(float(t) for t in kinks if self.start < t < self.stop))
        self._pieces = [self._spline(i, j) for i, j in self._stretches()]

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """First and last sample of every piece."""
        first = 0
        for kink in self.kinks:
            after = int(np.searchsorted(self.time, kink))
            near = _ON_SAMPLE * (self.time[after] - self.time[after - 1])
            before = after - 1
            if self.time[after] - kink <= near:
                before = after
            elif kink - self.time[before] <= near:
                after = before
            if before > first:
                yield first, before
            if after > max(before, first):
                yield max(before, first), after
            first = max(first, after)
        if first < self.time.size - 1:
            yield first, self.time.size - 1

    def _spline(self, first: int, last: int) -> Any:
        from scipy.interpolate import make_interp_spline

        part = slice(first, last + 1)
        return make_interp_spline(self.time[part], self.samples[part], k=min(ORDER, last - first))

    def __call__(self, t: float, order: int = 0) -> float:
        """Value, or derivative of that order (per ms each), at one time; after a kink at the kink."""
        ends = [piece.t[-1] for piece in self._pieces]
        piece = self._pieces[min(int(np.searchsorted(ends, t, side="right")), len(ends) - 1)]
        return float(piece(t, nu=order)) if order <= piece.k else 0.0

    def sampled(self, order: int = 0) -> Array:
        """Value, or derivative of that order, at every sample; after a kink at the kink."""
        values = np.zeros_like(self.samples)
        for piece in self._pieces:
            here = (self.time >= piece.t[0]) & (self.time <= piece.t[-1])
            values[here] = piece(self.time[here], nu=order) if order <= piece.k else 0.0
        return values

    def rises(self, level: float, start: float, stop: float) -> Array:
        """Times between ``start`` and ``stop`` at which the curve passes ``level`` upwards."""
        return self._signs(start, stop, 0, level, upwards=True)

    def falls(self, level: float, start: float, stop: float) -> Array:
        """Times between ``start`` and ``stop`` at which the curve passes ``level`` downwards."""
        return self._signs(start, stop, 0, level, upwards=False)

    def maxima(self, start: float, stop: float, order: int = 0) -> Array:
        """Times of the local maxima, inside the pieces, of the derivative of that order."""
        return self._signs(start, stop, order + 1, 0.0, upwards=False)

    def minima(self, start: float, stop: float, order: int = 0) -> Array:
        """Times of the local minima, inside the pieces, of the derivative of that order."""
        return self._signs(start, stop, order + 1, 0.0, upwards=True)

    def highest(self, start: float, stop: float, order: int = 0) -> tuple[float, float] | None:
        """Time and value of the highest local maximum, or None where there is none."""
        times = self.maxima(start, stop, order)
        return max(((float(t), self(t, order)) for t in times), key=lambda point: point[1], default=None)

    def lowest(self, start: float, stop: float, order: int = 0) -> tuple[float, float] | None:
        """Time and value of the lowest local minimum, or None where there is none."""
        times = self.minima(start, stop, order)
        return min(((float(t), self(t, order)) for t in times), key=lambda point: point[1], default=None)

    def integral(self, start: float, stop: float) -> float:
        """Integral over time, in the curve's unit times ms."""
        total = 0.0
        for piece in self._pieces:
            low, high = max(start, piece.t[0]), min(stop, piece.t[-1])
            if high > low:
                total += float(piece.integrate(low, high))
        return total

    def _signs(self, start: float, stop: float, order: int, level: float, *, upwards: bool) -> Array:
        found: list[float] = []
        for piece in self._pieces:
            low, high = max(start, piece.t[0]), min(stop, piece.t[-1])
            if high > low and order <= piece.k:
                grid = _grid(self.time, low, high)
                noise = _NOISE * np.abs(piece.c).max() / np.diff(grid).max() ** order
                function = piece.derivative(order) if order else piece
                found += _sign_changes(function, level, grid, noise, upwards)
        return np.array(found)


def _grid(time: Array, low: float, high: float) -> Array:
    inside = time[(time > low) & (time < high)]
    knots = np.concatenate([[low], inside, [high]])
    part = np.arange(_BETWEEN) / _BETWEEN
    return np.append((knots[:-1, None] + np.diff(knots)[:, None] * part).ravel(), high)


def _sign_changes(
    function: Callable[..., Any], level: float, grid: Array, noise: float, upwards: bool
) -> list[float]:
    """Where the function passes ``level`` one way; values within ``noise`` of it are on neither side."""
    from scipy.optimize import brentq

    above = function(grid) - level
    sure = np.flatnonzero(np.abs(above) > noise)
    side = np.sign(above[sure]) if upwards else -np.sign(above[sure])
    places = np.flatnonzero((side[:-1] < 0) & (side[1:] > 0))
    return [
        float(brentq(lambda t: float(function(t)) - level, grid[i], grid[j], xtol=1e-13, rtol=1e-14))
        for i, j in zip(sure[places], sure[places + 1], strict=True)
    ]

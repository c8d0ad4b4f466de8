"""The instants that divide one action potential: peak, onset, threshold, half-way, trough, return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.errors import AxonError
from axon.measure.curve import Curve

Array = NDArray[np.float64]
Point = tuple[float, float]  # ms, and mV or mV/ms

HALF_WIDTH_SAMPLES = 8.0  # fewer in the half-width do not tell the slopes of a spike (10 give 0.3 %)


class NoSpike(AxonError):
    """There is no whole spike to measure; the message says why."""


@dataclass(frozen=True)
class Peak:
    """The peak of one spike, and the stretch of time in which nothing else peaks.

    Attributes
    ----------
    time, height : float
        ms and mV.
    start, stop : float
        ms: the peak before and the peak after, or the ends of the trace.
    last : bool
        Whether no other spike follows.
    """

    time: float
    height: float
    start: float
    stop: float
    last: bool


def chosen_peak(curve: Curve, spike: int, level: float) -> Peak:
    """The peak of spike number ``spike``, one for each stretch of the trace above ``level`` (mV).

    Raises
    ------
    NoSpike
        With the reason.
    """
    found = _peaks(curve, level)
    if not found:
        raise NoSpike(_why_none(curve, level))
    if not -len(found) <= spike < len(found):
        count = "1 spike" if len(found) == 1 else f"{len(found)} spikes"
        raise NoSpike(f"there is no spike {spike}: the trace has {count} above {level:g} mV, counted from 0")
    spike %= len(found)
    last = spike == len(found) - 1
    start = curve.start if spike == 0 else found[spike - 1][0]
    return Peak(*found[spike], start, curve.stop if last else found[spike + 1][0], last)


def _peaks(curve: Curve, level: float) -> list[Point]:
    above = curve.samples > level
    changes = np.flatnonzero(above[1:] != above[:-1]) + 1
    ends = np.concatenate([[0], changes, [len(above)]])
    found = []
    for begin, end in zip(ends[:-1], ends[1:], strict=True):
        if above[begin]:
            around = curve.time[[max(begin - 1, 0), min(end, len(above) - 1)]]
            top = curve.highest(float(around[0]), float(around[1]))
            if top is not None and top[1] > level:
                found.append(top)
    return found


def _why_none(curve: Curve, level: float) -> str:
    top = int(np.argmax(curve.samples))
    height, when = curve.samples[top], curve.time[top]
    if height <= level:
        span = f"from {curve.start:g} to {curve.stop:g} ms"
        return f"no spike: the voltage never rose above {level:g} mV (highest {height:.4g} mV, {span})"
    if top == curve.samples.size - 1:
        return f"the spike was still rising when the trace ended at {when:g} ms; make the duration longer"
    return (
        f"no spike: the voltage was above {level:g} mV, but without a peak of its own "
        f"(highest {height:.4g} mV at {when:g} ms): the stimulus "
        "took it there; measure farther from it, or use a weaker one"
    )


class Landmarks:
    """One spike of a curve. What is not there is None, and ``missing`` says why.

    Parameters
    ----------
    curve : Curve
        The voltage, mV, its kinks the edges of stimuli.
    rest : float
        mV.
    peak : Peak
    margin : float
        Part of the amplitude that still counts as at rest.

    Raises
    ------
    NoSpike
        When the peak lies below rest.
    ValueError
        When the trace is too sparse for a half-width.
    """

    def __init__(self, curve: Curve, rest: float, peak: Peak, margin: float) -> None:
        self.curve, self.rest, self.peak = curve, rest, peak
        self.amplitude = peak.height - rest
        if self.amplitude <= 0:
            raise NoSpike(f"no spike: the peak at {peak.height:g} mV lies below rest at {rest:g} mV")
        self.near = margin * self.amplitude
        self.half = rest + self.amplitude / 2
        # From here on no stimulus begins or ends before the peak.
        self.clear = max([peak.start, *(t for t in curve.kinks if t < peak.time)])
        self.missing: dict[str, str] = {}
        self.stop = self._stop()
        self.onset = last(curve.rises(rest + self.near, peak.start, peak.time))
        if self.onset is None:
            self.missing["onset"] = (
                f"the voltage was not at rest before the spike, from {peak.start:.4g} ms on"
            )
        self.half_way = self._half_way()
        self.steepest_rise = curve.highest(self.clear, peak.time, order=1)
        if self.steepest_rise is None:
            self.missing["maximal_rise"] = self._hidden()
        self.steepest_fall = self._steepest_fall()
        self.fallen = self._fallen()
        self.trough, self.back = self._undershoot()

    def threshold(self, method: str, current: Curve | None) -> float | None:
        """Time of the threshold, found by ``method``; ``current`` is the net outward ionic current."""
        found = None
        if self.steepest_rise is None:
            reason = self._hidden()
        elif method == "inward_current":
            assert current is not None
            start = self.peak.start if self.onset is None else self.onset
            found = last(current.falls(0.0, start, self.steepest_rise[0]))
            reason = "the net ionic current does not turn inward between rest and the steepest rise"
        elif method == "phase_plane":
            found = _bend(self.curve, self._rising_from(), self.steepest_rise[0])
            reason = "dV/dt over V bends upwards nowhere on the way up"
        else:
            top = self.curve.highest(self._rising_from(), self.steepest_rise[0], order=2)
            found, reason = None if top is None else top[0], self._hidden()
        if found is None:
            self.missing["threshold"] = self.missing["threshold_time"] = reason
        return found

    def ended(self) -> str:
        """What ends the time that belongs to this spike, and when."""
        what = "the record ended" if self.peak.last else "the next spike began"
        return f"when {what} at {self.stop:.4g} ms"

    def _hidden(self) -> str:
        if self.clear > self.peak.start:
            return f"hidden by the stimulus, which changed at {self.clear:.4g} ms"
        return f"the trace begins too late, at {self.peak.start:.4g} ms"

    def _rising_from(self) -> float:
        """From when the voltage rises to the peak, undisturbed by a stimulus and without a dip."""
        before = max(self.clear, self.peak.start if self.onset is None else self.onset)
        return max([before, *self.curve.minima(before, self.peak.time)])

    def _stop(self) -> float:
        """Where the next spike begins: its onset, or else the lowest point before it."""
        if self.peak.last:
            return self.peak.stop
        span = (self.peak.time, self.peak.stop)
        onset = last(self.curve.rises(self.rest + self.near, *span))
        lowest = self.curve.lowest(*span)
        return onset if onset is not None else self.peak.stop if lowest is None else lowest[0]

    def _half_way(self) -> tuple[float, float] | None:
        """When the voltage rises and when it falls through half the amplitude."""
        up = last(self.curve.rises(self.half, self.peak.start, self.peak.time))
        down = first(self.curve.falls(self.half, self.peak.time, self.stop))
        if up is not None and down is not None:
            self._check_sampling(up, down)
            if up >= self.clear:
                return up, down
        reason = f"still falling {self.ended()}" if down is None else self._hidden()
        self.missing |= dict.fromkeys(("half_width", "half_time"), reason)
        return None

    def _check_sampling(self, up: float, down: float) -> None:
        time = self.curve.time
        around = np.searchsorted(time, [up, down])
        interval = float(np.diff(time[max(around[0] - 1, 0) : around[1] + 1]).max())
        if down - up < HALF_WIDTH_SAMPLES * interval:
            every = 0.9 * (down - up) / HALF_WIDTH_SAMPLES
            raise ValueError(
                f"the recording is too sparse for a half-width: {(down - up) / interval:.1f} samples in "
                f"{down - up:.2g} ms, and {HALF_WIDTH_SAMPLES:g} are needed; record every {every:.1g} ms, "
                f"not every {interval:.2g} ms"
            )

    def _steepest_fall(self) -> Point | None:
        slope = self.curve.lowest(self.peak.time, self.stop, order=1)
        if slope is None or not self.curve.falls(self.half, self.peak.time, self.stop).size:
            self.missing["maximal_fall"] = f"still falling {self.ended()}"
            return None
        return slope

    def _fallen(self) -> float | None:
        """When the fall was over: through rest, or only near it where there is no undershoot."""
        span = (self.peak.time, self.stop)
        under = self.curve.falls(self.rest - self.near, *span).size
        return first(self.curve.falls(self.rest if under else self.rest + self.near, *span))

    def _undershoot(self) -> tuple[Point | None, float | None]:
        """The lowest point below rest, and when the voltage was back near rest."""
        down = first(self.curve.falls(self.rest - self.near, self.peak.time, self.stop))
        if down is None:
            reason = f"the voltage fell no lower than {self.near:.2g} mV below rest"
            if self.fallen is None:
                reason = f"still falling {self.ended()}"
            self.missing |= dict.fromkeys(("undershoot", "trough_time", "undershoot_duration"), reason)
            return None, None
        back = first(self.curve.rises(self.rest - self.near, down, self.stop))
        trough = self.curve.lowest(down, self.stop if back is None else back)
        below = f"still {self.rest - self.curve(self.stop):.2g} mV below rest {self.ended()}"
        if trough is None:
            self.missing |= dict.fromkeys(("undershoot", "trough_time"), below)
        if back is None:
            self.missing["undershoot_duration"] = below
        return trough, back


def first(times: Array) -> float | None:
    """The first of some times."""
    return float(times[0]) if times.size else None


def last(times: Array) -> float | None:
    """The last of some times."""
    return float(times[-1]) if times.size else None


def _bend(curve: Curve, start: float, stop: float) -> float | None:
    """Where d2(dV/dt)/dV2 = (V' V''' - V''^2) / V'^3 is greatest, if upwards and not at an end."""
    from scipy.optimize import minimize_scalar

    def straightness(t: float) -> float:
        slope, second, third = (curve(t, order) for order in (1, 2, 3))
        return (second**2 - slope * third) / slope**3 if slope > 0 else np.inf

    inside = np.sum((curve.time > start) & (curve.time < stop))
    grid = np.linspace(start, stop, max(64, 4 * int(inside)))
    values = [straightness(t) for t in grid]
    top = int(np.argmin(values))
    if top in (0, grid.size - 1) or values[top] >= 0:
        return None
    bounds = (grid[top - 1], grid[top + 1])
    return float(minimize_scalar(straightness, bounds=bounds, method="bounded", options={"xatol": 1e-9}).x)

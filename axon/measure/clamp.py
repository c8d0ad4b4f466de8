"""A family of voltage-clamp records, and its current-voltage curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.errors import AxonError, unknown_name
from axon.measure.curve import Curve

Array = NDArray[np.float64]


class PeakCurrents(NamedTuple):
    """The extreme of the current at each level: mA/cm2 and ms after the step, (n_levels,) each."""

    current: Array
    time: Array


@dataclass(frozen=True, eq=False)
class ClampFamily:
    """Currents of a patch of membrane stepped from one voltage to many.

    Attributes
    ----------
    holding : float
        Voltage before the step, mV, held for ever.
    celsius : float
        degC.
    levels : (n_levels,) mV
        Voltages after the step.
    time : (n_t,) ms
        Since the step.
    currents : mapping of channel name to (n_t, n_levels)
        Outward ionic current densities, mA/cm2; the capacitive spike at the step is not among them.
    conductances : mapping of channel name to (n_t, n_levels)
        Of the ohmic channels, S/cm2.
    gates : mapping of gate name to (n_t, n_levels)
    """

    holding: float
    celsius: float
    levels: Array
    time: Array
    currents: Mapping[str, Array]
    conductances: Mapping[str, Array]
    gates: Mapping[str, Array]

    @property
    def total(self) -> Array:
        """Total outward ionic current, (n_t, n_levels) mA/cm2."""
        return np.sum([current for current in self.currents.values()], axis=0)

    def current(self, channel: str | None = None) -> Array:
        """The current of one channel, or the total, (n_t, n_levels) mA/cm2."""
        if channel is None:
            return self.total
        if channel not in self.currents:
            raise ValueError(unknown_name("channel", channel, self.currents))
        return np.asarray(self.currents[channel], float)

    def peak(self, channel: str | None = None) -> PeakCurrents:
        """Largest current of a channel, inwards or outwards, at each level, between the samples.

        Of the total current it is the lowest point that the record passes through, the early inward current
        of HH 1952; nan at levels where the current only rises or only falls.
        """
        current = self.current(channel)
        found = [self._extreme(current[:, i], channel is None) for i in range(len(self.levels))]
        return PeakCurrents(np.array([value for _, value in found]), np.array([time for time, _ in found]))

    def steady(self, channel: str | None = None) -> Array:
        """Current at the end of the record, (n_levels,) mA/cm2."""
        return self.current(channel)[-1]

    def at(self, time: float, channel: str | None = None) -> Array:
        """Current at a time after the step (ms), (n_levels,) mA/cm2."""
        if not self.time[0] <= time <= self.time[-1]:
            raise ValueError(f"time must lie in the record, 0 to {self.time[-1]:g} ms, got {time!r}")
        current = self.current(channel)
        return np.array([Curve(self.time, current[:, i])(time) for i in range(len(self.levels))])

    def reversal(self, channel: str) -> float:
        """Voltage (mV) at which the channel's peak current turns from inward to outward.

        Interpolated between the levels.

        Raises
        ------
        AxonError
            When it turns nowhere between them.
        """
        peak = self.peak(channel).current
        order = np.argsort(self.levels)
        levels = self.levels[order]
        turns = Curve(levels, peak[order]).rises(0.0, float(levels[0]), float(levels[-1]))
        if not turns.size:
            raise AxonError(
                f"the current of {channel!r} does not reverse between {levels[0]:g} and {levels[-1]:g} mV; "
                "clamp to levels on both sides of its reversal potential"
            )
        return float(turns[-1])

    def _extreme(self, current: Array, lowest: bool) -> tuple[float, float]:
        curve = Curve(self.time, current)
        start, stop = curve.start, curve.stop
        low = curve.lowest(start, stop)
        if lowest:
            return low or (float("nan"), float("nan"))
        ends = [(start, curve(start)), (stop, curve(stop))]
        turns = [point for point in (low, curve.highest(start, stop)) if point is not None]
        return max(ends + turns, key=lambda point: abs(point[1]))

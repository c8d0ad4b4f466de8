"""The refractory wake behind a spike: where and when the membrane cannot fire, and how long that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.measure.excitability import resting_threshold, slow_gates, thresholds

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Wake:
    """What spikes leave behind them, at every recorded compartment.

    Told by the threshold of the membrane's fast part at each instant (``axon.measure.excitability``), found
    from the slow gates alone:

    - absolutely refractory: from the arrival of the spike until there is a threshold again. Before that no
      current, however strong, makes the membrane drive itself up. (During the upstroke there still is a
      threshold, but the membrane is beyond it.)
    - relatively refractory: from then until the threshold is down to the one at rest.

    It is the membrane's own recovery, with activation at once. Activation takes time, in which the slow gates
    go on, and a spike that is to travel needs more than one that stays: both come later (study ``wake``).

    Attributes
    ----------
    time : (n_t,) ms
    position : (n_x,) um
    threshold : (n_t, n_x) mV
        inf where there is none, -inf where nothing is left to cross, nan where the membrane has no fast part.
    resting_threshold : (n_x,) mV
    absolute, relative : (n_t, n_x) bool
        Where and when the membrane is refractory.
    site : (n_s,) int
        Which position each spike passed.
    start, absolute_end, relative_end : (n_s,) ms
        Of each passage; nan where not reached before the run, or the site's next spike, put an end to it.
    velocity : float
        Of the first spike, m/s; nan where none propagated.
    clear : (n_x,) bool
        Positions clear of the stimulus and of the ends, over which the medians below are taken.
    """

    time: Array
    position: Array
    threshold: Array
    resting_threshold: Array
    absolute: Mask
    relative: Mask
    site: NDArray[np.intp]
    start: Array
    absolute_end: Array
    relative_end: Array
    velocity: float
    clear: Mask

    @property
    def absolute_ms(self) -> float:
        """How long the membrane is absolutely refractory, ms; nan when its end was not reached."""
        return self._median(self.absolute_end - self.start)

    @property
    def relative_ms(self) -> float:
        """How long after that it is relatively refractory, ms; nan when its end was not reached."""
        return self._median(self.relative_end - self.absolute_end)

    @property
    def absolute_mm(self) -> float:
        """How far behind the spike the absolutely refractory stretch reaches, mm."""
        return self.absolute_ms * self.velocity

    @property
    def relative_mm(self) -> float:
        """How far from there the relatively refractory stretch reaches, mm."""
        return self.relative_ms * self.velocity

    def _median(self, duration: Array) -> float:
        reached = duration[self.clear[self.site] & np.isfinite(duration)]
        return float(np.median(reached)) if reached.size else math.nan

    def __str__(self) -> str:
        lines = [
            f"{name} refractory for {_number(ms, 'ms')}, {_number(mm, 'mm')} behind the spike"
            for name, ms, mm in (
                ("absolutely", self.absolute_ms, self.absolute_mm),
                ("then relatively", self.relative_ms, self.relative_mm),
            )
        ]
        rest = np.unique(np.round(self.resting_threshold[np.isfinite(self.resting_threshold)], 2))
        if rest.size == 1:
            lines.append(f"threshold of the fast part at rest {rest[0]:.2f} mV")
        return "\n".join(lines)

    def __repr__(self) -> str:
        told = "; ".join(str(self).splitlines())
        return f"<Wake of {len(self.start)} passages at {len(self.position)} positions: {told}>"


def wake(
    *,
    time: Array,
    position: Array,
    gates: Mapping[str, Array],
    membranes: Sequence[tuple[Any, float]],
    which: NDArray[np.intp],
    spike_time: Array,
    spike_site: NDArray[np.intp],
    velocity: float = math.nan,
    clear: Mask | None = None,
) -> Wake:
    """Find the refractory wake from recorded gates and arrivals.

    Parameters
    ----------
    time : (n_t,) ndarray
        ms.
    position : (n_x,) ndarray
        um.
    gates : mapping of str to (n_t, n_x) ndarray
        At least the slow gates of the membranes.
    membranes : sequence of (Membrane, float)
        With their temperatures, degC.
    which : (n_x,) ndarray
        Index into ``membranes``.
    spike_time, spike_site : (n_s,) ndarray
        Arrivals (ms), and the index of the position that each came to.
    velocity : float
        m/s, for the lengths in mm.
    clear : (n_x,) ndarray, optional
        Positions over which medians are taken; by default all.

    Raises
    ------
    ValueError
        When a slow gate was not recorded, there is no spike, or no membrane has a threshold.
    """
    if not len(spike_time):
        raise ValueError("there is no wake without a spike: none of the recorded positions was crossed")
    shape = (len(time), len(position))
    threshold, margin, rest = np.full(shape, np.nan), np.full(shape, np.nan), np.full(len(position), np.nan)
    for index, (membrane, celsius) in enumerate(membranes):
        here = np.flatnonzero(which == index)
        if not here.size or not membrane.gates:
            continue
        own = {name: gates[name][:, here] for name in _recorded(membrane, celsius, gates)}
        threshold[:, here], margin[:, here] = thresholds(membrane, celsius, own)
        rest[here] = resting_threshold(membrane, celsius)
    if np.isnan(rest).all():
        raise ValueError("there is no wake: no membrane along the axon has gates")
    order = np.lexsort((spike_time, spike_site))
    site, start = np.asarray(spike_site)[order], np.asarray(spike_time, float)[order]
    follows = np.append(site[1:] == site[:-1], False)
    until = np.where(follows, np.append(start[1:], np.inf), np.inf)
    ends = np.array(
        [
            _ends(time, threshold[:, x] - rest[x], margin[:, x], t, stop)
            for x, t, stop in zip(site, start, until, strict=True)
        ]
    ).reshape(-1, 2)
    absolute, relative = np.zeros(shape, bool), np.zeros(shape, bool)
    for x, t, stop, (first, second) in zip(site, start, until, ends, strict=True):
        if np.isnan(rest[x]):
            continue
        first, second = (stop if np.isnan(end) else end for end in (first, second))
        absolute[:, x] |= (time >= t) & (time < first)
        relative[:, x] |= (time >= first) & (time < second)
    everywhere = np.ones(len(position), bool)
    return Wake(
        time=np.asarray(time, float),
        position=np.asarray(position, float),
        threshold=threshold,
        resting_threshold=rest,
        absolute=absolute,
        relative=relative,
        site=site,
        start=start,
        absolute_end=ends[:, 0],
        relative_end=ends[:, 1],
        velocity=float(velocity),
        clear=everywhere if clear is None else clear,
    )


def _recorded(membrane: Any, celsius: float, gates: Mapping[str, Array]) -> tuple[str, ...]:
    """The slow gates of a membrane, all of which must have been recorded."""
    slow = slow_gates(membrane, celsius)
    missing = [name for name in slow if name not in gates]
    if missing:
        raise ValueError(
            f"the wake of {membrane.name!r} needs its slow gates {', '.join(slow)}, and this run did not "
            f"record {', '.join(missing)}; simulate with Record(gates=True)"
        )
    return slow


def _ends(time: Array, above: Array, margin: Array, start: float, stop: float) -> tuple[float, float]:
    """When a site has a threshold again, and when that is down to rest; nan where not before ``stop``."""
    inside = np.flatnonzero((time >= start) & (time < stop))
    lost = inside[np.isposinf(above[inside])]
    if not lost.size:
        return math.nan, math.nan
    # The last sample without a threshold before one that is as at rest: later losses have other causes.
    recovered = inside[(inside > lost[0]) & (above[inside] <= 0)]
    last = lost[lost < recovered[0]][-1] if recovered.size else lost[-1]
    if last + 1 >= len(time) or time[last + 1] >= stop:
        return math.nan, math.nan
    first = _zero(time, margin, last)
    if not recovered.size:
        return first, math.nan
    return first, _zero(time, above, recovered[0] - 1)


def _zero(time: Array, values: Array, before: int) -> float:
    """When values change sign between a sample and the next: on the straight line, if there is one."""
    a, b = values[before], values[before + 1]
    part = a / (a - b) if np.isfinite(a) and np.isfinite(b) else 0.5
    return float(time[before] + (time[before + 1] - time[before]) * part)


def _number(value: float, unit: str) -> str:
    return "(not reached)" if math.isnan(value) else f"{value:.3g} {unit}"

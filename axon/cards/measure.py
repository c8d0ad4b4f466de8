"""The lines of a card measured by this program, at converged steps and with error bars."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from axon.cards.card import Card, Line
from axon.discretise.job import default_dt, order_in_dt
from axon.geometry import Axon
from axon.measure.spike import SpikeShape, spike_shape
from axon.protocols.space_clamp import microamperes_per_cm2, nanoamperes, space_clamp
from axon.protocols.stimulus import suprathreshold_pulse
from axon.protocols.threshold import Threshold, find_threshold
from axon.protocols.trials import How
from axon.protocols.twins import Twins
from axon.protocols.velocity import MeasuredVelocity, measure_velocity
from axon.record import Record
from axon.simulate import simulate
from axon.stimuli import Pulse

Array = NDArray[np.float64]

PATCH_PULSE, THRESHOLD_PULSE, TWIN_PULSE = 0.05, 1.0, 0.2  # ms
CONDITIONING, CEILING = 2.0, 10.0  # x threshold: the first pulse, and the strongest second one
ACCURACY = 1e-3  # relative, of a refractory period and of a coarse threshold
EXACT = 1e-9  # mV: a rest is solved to the last digits


@dataclass(frozen=True)
class Measured:
    """A number of ours: value and error, in the unit of its line."""

    value: float
    error: float


def measure(
    card: Card, *, quantities: tuple[str, ...] | None = None, progress: bool = True
) -> dict[str, Measured]:
    """Measure a card.

    Parameters
    ----------
    card : Card
    quantities : tuple of str, optional
        Those wanted; all by default.
    progress : bool
        Show progress bars on a terminal.

    Returns
    -------
    dict
        By ``card.key(line)``.
    """
    bench = _Bench(card, progress)
    return {
        card.key(line): bench.measured(line)
        for line in card.lines
        if quantities is None or line.quantity in quantities
    }


class _Bench:
    """The axon of a card, on its default mesh, and its spike at two step lengths, made once."""

    def __init__(self, card: Card, progress: bool) -> None:
        self.card, self.progress = card, progress
        if card.patch is None:
            self.axon = card.fibre(card.diameter)
        else:
            self.axon = space_clamp(card.patch, celsius=card.celsius)
        self.dt = min(card.dt, 4 * default_dt(self.axon))
        self.spikes: dict[float, SpikeShape] = {}

    @property
    def middle(self) -> float:
        return self.axon.total_length / 2

    def measured(self, line: Line) -> Measured:
        """One line."""
        found: Measured = getattr(self, f"_{line.quantity}")(line)
        return found

    def _rest(self, line: Line) -> Measured:
        start = self._trace(self.dt, self.dt)[1][0]
        return Measured(float(start), EXACT)

    def _height(self, line: Line) -> Measured:
        return self._converged(lambda spike: spike.amplitude)

    def _width(self, line: Line) -> Measured:
        return self._converged(lambda spike: float(spike.half_width or math.nan))

    def _converged(self, value: Callable[[SpikeShape], float]) -> Measured:
        """Richardson's extrapolation over dt; the error is all of what it adds."""
        fine, coarse = (value(self._spike(self.dt / k)) for k in (2, 1))
        step = (fine - coarse) / self._gain
        return Measured(fine + step, abs(step))

    def _spike(self, dt: float) -> SpikeShape:
        if dt not in self.spikes:
            time, voltage = self._trace(dt, self.card.duration)
            self.spikes[dt] = spike_shape(time, voltage, rest=float(voltage[0]))
        return self.spikes[dt]

    def _trace(self, dt: float, duration: float) -> tuple[Array, Array]:
        """Time (ms) and V (mV) in the middle of the axon, every step."""
        run = simulate(
            self.axon,
            self._start(),
            duration=duration,
            dt=dt,
            order=self._order,
            record=Record(every=dt, where=[self.middle]),
            progress=self.progress,
        )
        assert run.voltage is not None
        return run.time, np.asarray(run.voltage[:, 0], float)

    @property
    def _order(self) -> int:
        return order_of(self.axon) if self.card.patch is None else 2

    @property
    def _gain(self) -> int:
        """What half the step changes, in parts of what is left of the error."""
        return 2 ** order_in_dt(self.axon, self._order) - 1

    def _start(self) -> Pulse:
        if self.card.patch is None:
            return suprathreshold_pulse(self.axon)
        current = float(nanoamperes(self.axon, self.card.density))
        return Pulse(amplitude=current, start=0.1, duration=PATCH_PULSE)

    def _velocity(self, line: Line) -> Measured:
        axon = self.card.fibre(line.diameter or self.card.diameter)
        dt = None if self.card.trial is None else self.dt
        if axon.myelinated:
            dt = default_dt(axon) / 2
        found = measure_velocity(axon, dt=dt, progress=self.progress)
        assert isinstance(found, MeasuredVelocity)
        return Measured(found.value, found.error)

    def _threshold(self, line: Line) -> Measured:
        fine, coarse = self._thresholds()
        step = (fine.value - coarse.value) / self._gain
        found = Measured(fine.value + step, math.hypot(fine.error, step))
        if self.card.patch is None:
            return found
        value, error = microamperes_per_cm2(self.axon, [found.value, found.error])
        return Measured(float(value), float(error))

    def _thresholds(self) -> tuple[Threshold, Threshold]:
        """At the finest steps and at steps twice as long; on a coarse mesh where the card says so.

        There trials have a fixed length, for where concentrations drift an axon is never quite at rest again.
        """
        pulse = Pulse(amplitude=1.0, start=0.5, duration=THRESHOLD_PULSE, at=self.middle)
        find = partial(find_threshold, self.axon, pulse, order=self._order, progress=self.progress)
        if self.card.trial is None:
            return find(dt=self.dt / 2), find(dt=self.dt)
        dt, dx = self.card.trial
        ceiling = suprathreshold_pulse(self.axon, at=self.middle).amplitude / 2
        find = partial(find, accuracy=ACCURACY, ceiling=ceiling, duration=self.card.duration / 2)
        return find(dt=dt, dx=dx), find(dt=2 * dt, dx=2 * dx)

    def _refractory(self, line: Line) -> Measured:
        if self.card.trial is None:
            absolute = self._absolute(self.dt, None)
            return Measured(absolute, ACCURACY * absolute)
        # It takes hundreds of trials: on a coarser mesh than thresholds.
        dt, dx = self.card.trial
        fine, coarse = self._absolute(dt / 2, 2 * dx), self._absolute(dt, 4 * dx)
        step = (fine - coarse) / self._gain
        return Measured(fine + step, math.hypot(ACCURACY * fine, step))

    def _absolute(self, dt: float, dx: float | None) -> float:
        how: How = {"dt": dt, "dx": dx, "order": self._order, "progress": self.progress}
        return Twins(self.axon, 0.0, TWIN_PULSE, CONDITIONING, ACCURACY, how).absolute(CEILING)


def order_of(axon: Axon) -> int:
    """Order of the mesh: 4 where one diameter and membrane hold all along."""
    return 4 if axon.uniform else 2

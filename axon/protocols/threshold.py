"""The threshold: the least stimulus that makes a spike, all or none, located by bracketing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, positive
from axon.errors import AxonError
from axon.geometry import Axon
from axon.protocols.bracket import TRIALS, ladder, narrow
from axon.protocols.stimulus import suprathreshold_pulse
from axon.protocols.trials import Spike, Stimuli, Trials, arrived, rounded
from axon.stimuli import Pulse, Ramp, Stimulus, Train

Array = NDArray[np.float64]
Make = Callable[[float], Stimulus | Iterable[Stimulus]]

# The default ceiling in units of ``suprathreshold_pulse``, itself some four thresholds; of pulses longer
# than it charges with, up to 10 ms, the charge is kept.
_CEILING = 30.0
_SHORT, _LONG = 0.2, 10.0  # ms
_DECADES = 4.0  # below the ceiling, in which a threshold is looked for first
# How many times as fast as the stimulus the response must grow where it crosses the threshold. A passive
# membrane answers in proportion, which is 1.
_STEEP = 3.0


class NoThreshold(AxonError):
    """No stimulus makes a spike, or the response is graded; the message says which."""


@dataclass(frozen=True)
class Threshold:
    """The least strength of a stimulus that makes a spike; ``float()`` gives it.

    Attributes
    ----------
    fails, fires : float
        The strengths around it, in ``unit``: the one makes no spike, the other does.
    below, above : float
        The greatest depolarisation that they cause at the place of arrival, mV above rest.
    steepness : float
        How many times as fast as the stimulus the response grows between the two, d ln V / d ln I: 1 for a
        passive membrane, without bound for all or none.
    spike : str
        ``"propagated"`` when it had to arrive at the far end, ``"local"`` when it had to arise where the
        stimulus is.
    unit : str
        Of the strengths.
    trials : tuple of (strength, depolarisation)
        Of every trial that was made, in order of strength; mV.
    """

    fails: float
    fires: float
    below: float
    above: float
    steepness: float
    spike: Spike
    unit: str = "nA"
    trials: tuple[tuple[float, float], ...] = field(default=(), repr=False)

    @property
    def value(self) -> float:
        """Midway between the two strengths."""
        return (self.fails + self.fires) / 2

    @property
    def error(self) -> float:
        """Half the distance between them."""
        return abs(self.fires - self.fails) / 2

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return (
            f"{rounded(self.value, self.error)} {self.unit} for a {self.spike} spike "
            f"({self.below:.1f} mV above rest just below, {self.above:.1f} mV just above)"
        )


def find_threshold(
    axon: Axon,
    stimulus: Stimulus | Make,
    *,
    accuracy: float = 1e-4,
    ceiling: float | None = None,
    spike: str | None = None,
    crossing: float = -20.0,
    unit: str = "nA",
    duration: float | None = None,
    dt: float | None = None,
    dx: float | None = None,
    order: int = 2,
    progress: bool = True,
) -> Threshold:
    """Find the least strength of a stimulus that makes a spike.

    Eight strengths are tried at once, first over four decades and then inside the bracket that the last
    decided, until its half is shorter than ``accuracy``. Runs are as long as their outcome needs.

    Parameters
    ----------
    axon : Axon
    stimulus : Pulse, Train, Ramp, or callable
        What is made stronger: of a stimulus its ``amplitude``, whose given size does not matter but whose
        sign does; or a function that returns the stimulus, or several, for a strength > 0.
    accuracy : float
        Relative error of the threshold.
    ceiling : float, optional
        The greatest strength tried, > 0. By default 30 times ``suprathreshold_pulse`` at the place; a
        function needs one.
    spike : {"propagated", "local"}, optional
        Whether it must arrive at the end farther from the stimulus, or arise there. By default propagated,
        but local in a space clamp.
    crossing : float
        mV, whose upward crossing is a spike.
    unit : str
        Of the strength that a function takes.
    duration : float, optional
        ms of every run; by default each lasts until its outcome is decided. A stimulus without end needs one.
    dt, dx, order
        As for ``simulate``.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    Threshold

    Raises
    ------
    NoThreshold
        When no strength up to the ceiling makes a spike, when the axon fires by itself, or when the response
        grows hardly faster than the stimulus: then it is graded, and what crosses is no spike.
    Undecided
        When the axon does not come to rest after the stimulus and no ``duration`` is given.
    ValueError
        For arguments that cannot be meant.
    """
    positive("accuracy", accuracy, "(relative)")
    make, at = _maker(stimulus)
    trials = Trials(
        axon,
        at,
        spike=spike,
        crossing=crossing,
        duration=duration,
        dt=dt,
        dx=dx,
        order=order,
        progress=progress,
    )
    if ceiling is None:
        ceiling = _default_ceiling(axon, stimulus, dx)
    search = _Search(trials, make, positive("ceiling", ceiling, unit), unit)
    low, high = search.scan()
    lows, highs = narrow(search.works, [low], [high], accuracy=accuracy, progress=progress, what="threshold")
    sign = -1.0 if isinstance(stimulus, Pulse | Train | Ramp) and stimulus.amplitude < 0 else 1.0
    return search.result(float(lows[0]), float(highs[0]), sign)


class _Search:
    """Trials of one stimulus at many strengths, each remembered."""

    def __init__(self, trials: Trials, make: Callable[[float], Stimuli], ceiling: float, unit: str) -> None:
        self.trials, self.make, self.ceiling, self.unit = trials, make, ceiling, unit
        self.peaks: dict[float, float] = {}

    def works(self, which: NDArray[np.intp], strength: Array) -> NDArray[np.bool_]:
        """Whether these strengths make a spike; there is but one bracket."""
        spike = arrived(1)
        outcomes = self.trials.run([self.make(float(s)) for s in strength], spike)
        self.peaks |= {
            float(s): outcome.depolarisation for s, outcome in zip(strength, outcomes, strict=True)
        }
        return np.array([spike(outcome) for outcome in outcomes])

    def scan(self) -> tuple[float, float]:
        """A first bracket."""
        values = np.append(0.0, ladder(self.ceiling * 10**-_DECADES, self.ceiling, TRIALS - 1))
        success = self.works(np.zeros(TRIALS, np.intp), values)
        if success[0]:
            raise NoThreshold("the axon fires without a stimulus, so there is no threshold to find")
        if not success.any():
            raise NoThreshold(
                f"no {self.trials.spike} spike with a stimulus of {values[1]:.3g} to {self.ceiling:.6g} "
                f"{self.unit}; if that ceiling is too low give a higher one"
            )
        first = int(np.argmax(success))
        return float(values[first - 1]), float(values[first])

    def result(self, fails: float, fires: float, sign: float) -> Threshold:
        """The threshold between two strengths, if the response leaps there."""
        below, above = self.peaks[fails], self.peaks[fires]
        steepness = math.log(above / max(below, 1e-9)) / math.log(fires / max(fails, 1e-300))
        if steepness < _STEEP:
            raise NoThreshold(
                f"the response is graded: around {fires:.6g} {self.unit}, where it crosses "
                f"{self.trials.crossing:g} mV, it grows only {steepness:.2g} times as fast as the stimulus; "
                "that is no spike"
            )
        return Threshold(
            fails=sign * fails,
            fires=sign * fires,
            below=below,
            above=above,
            steepness=steepness,
            spike=self.trials.spike,
            unit=self.unit,
            trials=tuple(sorted((sign * strength, peak) for strength, peak in self.peaks.items())),
        )


def _maker(stimulus: Stimulus | Make) -> tuple[Callable[[float], Stimuli], Place]:
    """A function from the strength to the stimuli, and where the first of them is."""
    if isinstance(stimulus, Pulse | Train | Ramp):
        shape, sign = stimulus, -1.0 if stimulus.amplitude < 0 else 1.0
        return lambda strength: (replace(shape, amplitude=sign * strength),), shape.at
    if not callable(stimulus):
        raise ValueError(
            "stimulus must be a Pulse, Train, Ramp, or a function that makes one from a strength, got "
            f"{stimulus!r}"
        )
    function = stimulus

    def make(strength: float) -> Stimuli:
        made = function(strength)
        own = (made,) if isinstance(made, Stimulus) else tuple(made)
        if not own or not all(isinstance(one, Stimulus) for one in own):
            raise ValueError(f"the function must return a stimulus or several, got {made!r} for {strength!r}")
        return own

    return make, make(1.0)[0].at


def _default_ceiling(axon: Axon, stimulus: Stimulus | Make, dx: float | None) -> float:
    if not isinstance(stimulus, Pulse | Train | Ramp):
        raise ValueError("a function needs a ceiling: the greatest strength to try")
    charging = max(min(stimulus.duration, _SHORT), 1e-3)
    strong = suprathreshold_pulse(axon, at=stimulus.at, duration=charging, dx=dx)
    return _CEILING * strong.amplitude * _SHORT / min(max(stimulus.duration, _SHORT), _LONG)

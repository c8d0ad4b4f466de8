"""Strength and duration: how the threshold falls as pulses grow longer, and the two classical laws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import Place, positive
from axon.geometry import Axon
from axon.progress import Progress
from axon.protocols.threshold import Threshold, find_threshold
from axon.protocols.trials import How
from axon.stimuli import Pulse

Array = NDArray[np.float64]

_LN2 = math.log(2.0)
# Accuracies on the way to the chronaxie, of the one asked for: there ln threshold falls half as fast as ln
# duration rises in Weiss's law, a little faster in Lapicque's, and the rheobase counts as well.
_FINE, _ROOT = 1 / 8, 1 / 4


@dataclass(frozen=True)
class Law:
    """A strength-duration law with two constants, fitted.

    Attributes
    ----------
    name : {"Weiss", "Lapicque"}
        Weiss (1901): I = rheobase (1 + chronaxie / d), which is a charge linear in d. Lapicque (1907) in
        the form of Blair (1932), a leaky capacitor charged to a fixed voltage: I = rheobase / (1 - 2^(-d /
        chronaxie)).
    rheobase : float
        nA; the threshold of a pulse without end.
    chronaxie : float
        ms; the duration whose threshold is twice the rheobase.
    misfit : float
        Root mean square of the relative deviations of the thresholds from the law.
    """

    name: str
    rheobase: float
    chronaxie: float
    misfit: float

    def __call__(self, duration: ArrayLike) -> Array:
        """Threshold (nA) of pulses of this duration (ms, any shape)."""
        return self.rheobase * _SHAPES[self.name](np.asarray(duration, float) / self.chronaxie)

    def __str__(self) -> str:
        return (
            f"{self.name}: rheobase {self.rheobase:.4g} nA, chronaxie {self.chronaxie:.4g} ms, "
            f"{100 * self.misfit:.2g} % rms off"
        )


# I / rheobase over d / chronaxie.
_SHAPES: dict[str, Callable[[Array], Array]] = {
    "Weiss": lambda x: 1.0 + 1.0 / x,
    "Lapicque": lambda x: -1.0 / np.expm1(-_LN2 * x),
}


@dataclass(frozen=True)
class StrengthDuration:
    """Thresholds over the duration of the pulse.

    Attributes
    ----------
    durations : tuple of float
        ms, increasing.
    thresholds : tuple of Threshold
    rheobase : Threshold
        Of the longest pulse that was asked for.
    chronaxie : float
        ms; the duration whose threshold is twice the rheobase, searched for and not fitted.
    weiss, lapicque : Law
        Fitted to the thresholds, each counted with its relative deviation.
    """

    durations: tuple[float, ...]
    thresholds: tuple[Threshold, ...]
    rheobase: Threshold
    chronaxie: float
    weiss: Law
    lapicque: Law

    @property
    def amplitudes(self) -> Array:
        """The thresholds, nA, (n,)."""
        return np.array([threshold.value for threshold in self.thresholds])

    @property
    def charges(self) -> Array:
        """Charge that a pulse at threshold carries, pC, (n,)."""
        return self.amplitudes * np.array(self.durations)

    def __str__(self) -> str:
        lines = [f"{'duration (ms)':>14}{'threshold (nA)':>16}{'charge (pC)':>14}"]
        for d, i, q in zip(self.durations, self.amplitudes, self.charges, strict=True):
            lines.append(f"{d:14.4g}{i:16.6g}{q:14.6g}")
        lines.append(f"rheobase {self.rheobase.value:.6g} nA, chronaxie {self.chronaxie:.4g} ms")
        return "\n".join([*lines, str(self.weiss), str(self.lapicque)])


def strength_duration(
    axon: Axon,
    durations: Sequence[float] = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0),
    *,
    at: Place = 0.0,
    accuracy: float = 1e-4,
    **how: Unpack[How],
) -> StrengthDuration:
    """Find the threshold of pulses from short to long, rheobase and chronaxie, and fit the two laws.

    Parameters
    ----------
    axon : Axon
    durations : sequence of float
        ms, at least three, increasing; the longest stands for a pulse without end.
    at : float
        Position of the pulses, um.
    accuracy : float
        Relative error of every threshold, and of the chronaxie.
    **how
        ``spike``, ``crossing``, ``dt``, ``dx``, ``order`` and ``progress``, as for ``find_threshold``.

    Returns
    -------
    StrengthDuration

    Raises
    ------
    NoThreshold
        When some pulse makes no spike.
    ValueError
        For durations that cannot be meant, or so long that no threshold is twice the rheobase.
    """
    spans = _checked(durations)
    quiet = how.copy()
    quiet["progress"] = False

    def find(duration: float, accuracy: float) -> Threshold:
        return find_threshold(
            axon, Pulse(amplitude=1.0, duration=duration, at=at), accuracy=accuracy, **quiet
        )

    with Progress(len(spans) + 1, enabled=how.get("progress", True), unit="durations") as bar:
        found = []
        for span in spans:
            found.append(find(span, accuracy * (_FINE if span == spans[-1] else 1.0)))
            bar.advance(1)
        strength = np.array([threshold.value for threshold in found])
        if strength[0] <= 2 * strength[-1]:
            raise ValueError(
                f"durations must begin below the chronaxie, where the threshold is twice the rheobase of "
                f"{strength[-1]:.4g} nA; got {strength[0]:.4g} nA at {spans[0]:g} ms"
            )
        chronaxie = _chronaxie(spans, strength, lambda d: find(d, _FINE * accuracy).value, _ROOT * accuracy)
    return StrengthDuration(
        durations=spans,
        thresholds=tuple(found),
        rheobase=found[-1],
        chronaxie=chronaxie,
        weiss=fit_law("Weiss", spans, strength),
        lapicque=fit_law("Lapicque", spans, strength),
    )


def _checked(durations: Sequence[float]) -> tuple[float, ...]:
    spans = tuple(positive("durations", d, "ms") for d in durations)
    if len(spans) < 3 or not all(a < b for a, b in zip(spans[:-1], spans[1:], strict=True)):
        raise ValueError(f"durations must be three or more, increasing, got {list(durations)}")
    return spans


def _chronaxie(
    spans: Sequence[float], strength: Array, threshold: Callable[[float], float], accuracy: float
) -> float:
    """Duration (ms) whose threshold is twice the last one, by Brent's method in logarithms."""
    from scipy.optimize import brentq

    wanted = math.log(2 * strength[-1])
    known = dict(zip(np.log(spans), np.log(strength) - wanted, strict=True))

    def excess(x: float) -> float:
        if x not in known:
            known[x] = math.log(threshold(math.exp(x))) - wanted
        return known[x]

    short = int(np.flatnonzero(strength > 2 * strength[-1])[-1])
    low, high = (float(np.log(spans[k])) for k in (short, short + 1))
    return math.exp(brentq(excess, low, high, xtol=accuracy, rtol=1e-12))


def fit_law(name: str, durations: ArrayLike, thresholds: ArrayLike) -> Law:
    """Fit ``"Weiss"`` or ``"Lapicque"`` to thresholds (nA) over durations (ms): least relative deviations."""
    from scipy.optimize import minimize_scalar

    d, strength = np.asarray(durations, float), np.asarray(thresholds, float)

    def fitted(log_chronaxie: float) -> tuple[float, float]:
        """The best rheobase for a chronaxie, and the misfit."""
        shape = _SHAPES[name](d / math.exp(log_chronaxie)) / strength
        # Least sum of (r shape - 1)^2 over r.
        rheobase = float(shape.sum() / (shape**2).sum())
        return rheobase, float(np.sqrt(np.mean((rheobase * shape - 1.0) ** 2)))

    grid = np.linspace(math.log(d.min()) - 7.0, math.log(d.max()) + 7.0, 200)
    best = int(np.argmin([fitted(x)[1] for x in grid]))
    around = (float(grid[max(best - 1, 0)]), float(grid[min(best + 1, grid.size - 1)]))
    x = float(
        minimize_scalar(lambda x: fitted(x)[1], bounds=around, method="bounded", options={"xatol": 1e-10}).x
    )
    return Law(name, fitted(x)[0], math.exp(x), fitted(x)[1])

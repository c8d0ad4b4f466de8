"""A gate: the part of a channel that opens and closes with the voltage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import finite, positive
from axon.membranes.rates import Array

Rate = Callable[[Array], ArrayLike]

# Where two rate functions are held to be the same, and what a file keeps of a user's own (mV).
SAMPLES = np.arange(-250.0, 250.25, 0.5)


def samples(rate: Rate) -> Array:
    """The rate at every voltage of ``SAMPLES``."""
    with np.errstate(over="ignore"):
        return np.asarray(rate(SAMPLES), float) + np.zeros_like(SAMPLES)


@dataclass(frozen=True, eq=False)
class Gate:
    """A two-state gate with voltage-dependent kinetics, dx/dt = (x_inf(V) - x) / tau(V).

    Give either ``alpha`` and ``beta`` (opening and closing rate) or ``inf`` and ``tau``.

    Parameters
    ----------
    name : str
        Unique within a membrane, for example ``"m"``.
    exponent : int
        Number of such gates in series in one channel, 1 to 8.
    alpha, beta : callable
        Opening and closing rate in 1/ms as NumPy functions of V (mV) at ``q10_celsius``.
    inf, tau : callable
        Steady state (0..1) and time constant in ms as NumPy functions of V (mV) at ``q10_celsius``.
    q10 : float
        Factor by which the rates grow for 10 degC; 1 means no temperature dependence.
    q10_celsius : float
        Temperature at which the rates hold as written, degC.

    Raises
    ------
    ValueError
        For an exponent that is no small whole number, or not exactly one pair of functions.
    """

    name: str
    exponent: int = 1
    alpha: Rate | None = None
    beta: Rate | None = None
    inf: Rate | None = None
    tau: Rate | None = None
    q10: float = 1.0
    q10_celsius: float = 6.3

    def __post_init__(self) -> None:
        if self.exponent not in range(1, 9):
            raise ValueError(
                f"Gate {self.name!r}: exponent must be a whole number 1..8, got {self.exponent!r}"
            )
        pairs = [self.alpha is not None, self.beta is not None, self.inf is not None, self.tau is not None]
        if pairs not in ([True, True, False, False], [False, False, True, True]):
            raise ValueError(f"Gate {self.name!r}: give either alpha and beta, or inf and tau")
        positive(f"Gate {self.name!r}: q10", self.q10, "")
        finite(f"Gate {self.name!r}: q10_celsius", self.q10_celsius, "degC")

    def kinetics(self, v: ArrayLike, celsius: float) -> tuple[Array, Array]:
        """Steady state (0..1) and rate 1/tau (1/ms) at the voltages ``v`` (mV, any shape)."""
        v = np.asarray(v, dtype=float)
        speed = self.q10 ** ((celsius - self.q10_celsius) / 10.0)
        with np.errstate(over="ignore", invalid="ignore"):
            if self.alpha is not None and self.beta is not None:
                opening, closing = np.asarray(self.alpha(v), float), np.asarray(self.beta(v), float)
                total = opening + closing
                # Where one rate overflows, the gate sits at the end that rate pulls to.
                steady = np.where(np.isinf(opening), 1.0, opening / np.where(total == 0, 1.0, total))
                return steady + np.zeros_like(v), speed * total + np.zeros_like(v)
            assert self.inf is not None and self.tau is not None
            tau = np.asarray(self.tau(v), float)
            return np.asarray(self.inf(v), float) + np.zeros_like(v), speed / tau + np.zeros_like(v)

    def steady_state(self, v: ArrayLike) -> Array:
        """Fraction of open gates after a long time at ``v`` (mV); same shape."""
        return self.kinetics(v, self.q10_celsius)[0]

    def time_constant(self, v: ArrayLike, celsius: float) -> Array:
        """Time constant in ms at ``v`` (mV) and ``celsius`` (degC); same shape."""
        return 1.0 / self.kinetics(v, celsius)[1]

    def _functions(self) -> tuple[Rate, Rate]:
        first, second = (self.alpha, self.beta) if self.alpha is not None else (self.inf, self.tau)
        assert first is not None and second is not None
        return first, second

    def _plain(self) -> tuple[object, ...]:
        return (self.name, self.exponent, self.q10, self.q10_celsius, self.alpha is None)

    def __eq__(self, other: object) -> bool:
        """Gates are equal when their numbers are and their rates agree at every sample voltage."""
        if not isinstance(other, Gate):
            return NotImplemented
        if self._plain() != other._plain():
            return False
        pairs = zip(self._functions(), other._functions(), strict=True)
        return all(f is g or np.array_equal(samples(f), samples(g), equal_nan=True) for f, g in pairs)

    def __hash__(self) -> int:
        return hash(self._plain())

    def __repr__(self) -> str:
        first, second = (getattr(f, "__name__", "rate") for f in self._functions())
        kinds = ("alpha", "beta") if self.alpha is not None else ("inf", "tau")
        return (
            f"Gate({self.name!r}, {self.exponent}, {kinds[0]}={first}, {kinds[1]}={second}, "
            f"q10={self.q10!r}, q10_celsius={self.q10_celsius!r})"
        )

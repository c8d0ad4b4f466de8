"""A gate: the part of a channel that opens and closes with the voltage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import clear_keywords, finite, positive
from axon.membranes.limits import Array, Rate, evaluate
from axon.membranes.pool import Pool, pools_read, resting
from axon.membranes.sampled import samples


@clear_keywords
@dataclass(frozen=True, eq=False)
class Gate:
    """A two-state gate with voltage-dependent kinetics, dx/dt = (x_inf(V) - x) / tau(V).

    Give ``alpha`` and ``beta`` (opening and closing rate), or ``inf`` and ``tau``, or for a gate that follows
    the voltage at once ``inf`` alone and ``instantaneous=True``. They are plain NumPy functions; where one is
    0/0, as ``(v + 40) / (1 - np.exp(-(v + 40) / 10))`` at -40 mV, its limit is taken. The channel that gets
    the gate checks them.

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
    q10 : float or (float, float)
        Factor by which the rates grow for 10 degC; 1 means no temperature dependence. A pair holds for alpha
        and beta, which then move the steady state too.
    q10_celsius : float
        Temperature at which the rates hold as written, degC.
    instantaneous : bool
        Whether the gate is always at its steady state: x = inf(V), with no time constant.
    reads : Pool or tuple of Pool
        Concentrations on which the functions depend besides V: they are then functions of V and of these
        (mM), in that order. Written with NumPy's arithmetic, powers, ``exp``, ``log``, ``sqrt``, ``tanh`` and
        ``where`` they run in the engine; others, such as interpolations, NumPy evaluates in every step, which
        takes many times as long.

    Raises
    ------
    ValueError
        For an exponent that is no small whole number, functions that are none, or not exactly one of the
        three ways to give them.
    """

    name: str
    exponent: int = 1
    alpha: Rate | None = None
    beta: Rate | None = None
    inf: Rate | None = None
    tau: Rate | None = None
    q10: float | tuple[float, float] = 1.0
    q10_celsius: float = 6.3
    instantaneous: bool = False
    reads: tuple[Pool, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.exponent, bool) or self.exponent not in range(1, 9):
            raise ValueError(
                f"Gate {self.name!r}: exponent must be a whole number 1..8, got {self.exponent!r}"
            )
        if tuple(self.functions) not in (("alpha", "beta"), ("inf", "tau"), ("inf",)):
            raise ValueError(
                f"Gate {self.name!r}: give either alpha and beta, or inf and tau, or inf alone and "
                f"instantaneous=True; got {' and '.join(self.functions) or 'none of them'}"
            )
        if self.instantaneous != (tuple(self.functions) == ("inf",)):
            raise ValueError(
                f"Gate {self.name!r}: a gate is instantaneous=True exactly when it has inf alone, got "
                f"instantaneous={self.instantaneous!r} with {' and '.join(self.functions)}"
            )
        for kind, function in self.functions.items():
            if not callable(function):
                raise ValueError(
                    f"Gate {self.name!r}: {kind} must be a function of V in mV, got {function!r}; a constant "
                    f"is {kind}=lambda v: {function!r}"
                )
        object.__setattr__(self, "reads", pools_read(self.reads, f"Gate {self.name!r}"))
        self._check_temperature()

    def _check_temperature(self) -> None:
        if isinstance(self.q10, list | tuple):
            object.__setattr__(self, "q10", tuple(self.q10))
            if self.alpha is None or len(self._factors) != 2:
                raise ValueError(
                    f"Gate {self.name!r}: q10 must be one number, or one each for alpha and beta, got "
                    f"{self.q10!r}"
                )
        for factor in self._factors:
            positive(f"Gate {self.name!r}: q10", factor, "")
        finite(f"Gate {self.name!r}: q10_celsius", self.q10_celsius, "degC")

    @cached_property
    def functions(self) -> dict[str, Rate]:
        """The functions it was given, by what they are: alpha and beta, inf and tau, or inf."""
        given = {"alpha": self.alpha, "beta": self.beta, "inf": self.inf, "tau": self.tau}
        return {kind: function for kind, function in given.items() if function is not None}

    @property
    def _factors(self) -> tuple[float, ...]:
        return self.q10 if isinstance(self.q10, tuple) else (self.q10,)

    def speeds(self, celsius: float) -> list[float]:
        """Factors by which a temperature (degC) speeds the gate up: one, or one each for alpha and beta."""
        return [factor ** ((celsius - self.q10_celsius) / 10.0) for factor in self._factors]

    def kinetics(
        self, v: ArrayLike, celsius: float, concentrations: Mapping[str, ArrayLike] | None = None
    ) -> tuple[Array, Array]:
        """Steady state (0..1) and rate 1/tau (1/ms) at the voltages ``v`` (mV, any shape).

        The rate of an instantaneous gate is infinite. ``concentrations`` (mM, by pool) are those at rest
        where they are not given.
        """
        known = concentrations or {}
        read = [known.get(pool.name, pool.concentration) for pool in self.reads]
        first, *second = (evaluate(function, v, *read) for function in self.functions.values())
        if not second:
            return first, np.full_like(first, np.inf)
        speed = self.speeds(celsius)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if self.alpha is None:
                return first, speed[0] / second[0]
            # A common factor comes last, so that the steady state is the same to the bit at any temperature.
            opening, closing = (
                (first, second[0]) if len(speed) == 1 else (first * speed[0], second[0] * speed[1])
            )
            total = opening + closing
            # Where one rate overflows, the gate sits at the end that rate pulls to.
            steady = np.where(np.isinf(opening), 1.0, opening / np.where(total == 0, 1.0, total))
            return steady, total * speed[0] if len(speed) == 1 else total

    def steady_state(
        self,
        v: ArrayLike,
        celsius: float | None = None,
        concentrations: Mapping[str, ArrayLike] | None = None,
    ) -> Array:
        """Fraction of open gates after a long time at ``v`` (mV); same shape.

        ``celsius`` (degC) matters where alpha and beta have each a ``q10`` of its own; by default it is
        ``q10_celsius``. ``concentrations`` as for ``kinetics``.
        """
        return self.kinetics(v, self.q10_celsius if celsius is None else celsius, concentrations)[0]

    def time_constant(self, v: ArrayLike, celsius: float) -> Array:
        """Time constant in ms at ``v`` (mV) and ``celsius`` (degC); same shape; 0 of one instantaneous."""
        return 1.0 / self.kinetics(v, celsius)[1]

    @cached_property
    def _plain(self) -> tuple[object, ...]:
        return (self.name, self.exponent, self.q10, self.q10_celsius, tuple(self.functions), self.reads)

    def __eq__(self, other: object) -> bool:
        """Gates are equal when their numbers are and their rates agree at every sample voltage."""
        if not isinstance(other, Gate):
            return NotImplemented
        if self._plain != other._plain:
            return False
        pairs, rest = zip(self.functions.values(), other.functions.values(), strict=True), resting(self.reads)
        return all(
            f is g or np.array_equal(samples(f, rest), samples(g, rest), equal_nan=True) for f, g in pairs
        )

    def __hash__(self) -> int:
        return hash(self._plain)

    def __repr__(self) -> str:
        given = ", ".join(f"{kind}={getattr(f, '__name__', 'rate')}" for kind, f in self.functions.items())
        more = ", instantaneous=True" if self.instantaneous else ""
        more += f", reads={self.reads!r}" if self.reads else ""
        return (
            f"Gate({self.name!r}, {self.exponent}, {given}, q10={self.q10!r}, "
            f"q10_celsius={self.q10_celsius!r}{more})"
        )

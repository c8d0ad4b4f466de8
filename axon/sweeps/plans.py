"""Which points a sweep asks for: every combination, lists side by side, or samples of a box."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import finite
from axon.errors import unknown_name
from axon.sweeps.points import Point, Row, Value, check_name, plain

Ask = Callable[[list[Point]], list[Row]]

_SCALES = ("linear", "log")


@dataclass(frozen=True)
class Span:
    """A range of a parameter.

    Parameters
    ----------
    low, high : float
        In the parameter's unit; low < high, and > 0 on a logarithmic scale.
    scale : {"linear", "log"}
        Where "in between" is.
    """

    low: float
    high: float
    scale: str = "linear"

    def __post_init__(self) -> None:
        if self.scale not in _SCALES:
            raise ValueError(unknown_name("scale", str(self.scale), _SCALES))
        if not finite("Span.low", self.low, "") < finite("Span.high", self.high, ""):
            raise ValueError(f"Span must have low < high, got {self.low!r} and {self.high!r}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"Span.low must be > 0 on a logarithmic scale, got {self.low!r}")

    def ppf(self, part: ArrayLike) -> NDArray[np.float64]:
        """Values at these parts (0 to 1) of the way from low to high."""
        u = np.asarray(part, float)
        if self.scale == "log":
            return np.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        return self.low + u * (self.high - self.low)


class Plan(ABC):
    """The points of a sweep. ``drive`` asks for them, all at once or as answers come in."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The parameters that it varies."""

    @abstractmethod
    def points(self) -> list[Point]:
        """The points that are known beforehand, in their order."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""

    def drive(self, ask: Ask) -> None:
        """Ask for every point; ``ask`` takes points and gives their rows, in order."""
        ask(self.points())


class _Lists(Plan):
    """A plan made of one list of values for each parameter."""

    def __init__(self, values: Mapping[str, Iterable[Any]] | None = None, /, **named: Iterable[Any]) -> None:
        given = {**(values or {}), **named}
        if not given:
            raise ValueError(f"{type(self).__name__} needs at least one parameter, got none")
        self.values: dict[str, tuple[Value, ...]] = {
            check_name(name): _listed(name, own) for name, own in given.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.values)

    def facts(self) -> dict[str, Any]:
        return {"kind": self.kind, "values": {name: list(own) for name, own in self.values.items()}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.values!r})"


class Grid(_Lists):
    """Every combination of the values; the last parameter varies fastest.

    ``Grid(diameter=[1, 2], celsius=[6.3, 18.5])``; names that are no Python words go into a mapping,
    ``Grid({"Na.conductance": [0.06, 0.12]})``.
    """

    kind = "grid"

    def points(self) -> list[Point]:
        return [
            dict(zip(self.values, combination, strict=True))
            for combination in itertools.product(*self.values.values())
        ]


class Zipped(_Lists):
    """Lists of equal length taken side by side: the first values together, the second, and so on."""

    kind = "zipped"

    def __init__(self, values: Mapping[str, Iterable[Any]] | None = None, /, **named: Iterable[Any]) -> None:
        super().__init__(values, **named)
        lengths = {name: len(own) for name, own in self.values.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Zipped needs lists of equal length, got {lengths}")

    def points(self) -> list[Point]:
        return [
            dict(zip(self.values, together, strict=True))
            for together in zip(*self.values.values(), strict=True)
        ]


class _Samples(Plan):
    """A plan that draws points from a box.

    Parameters
    ----------
    points : int
        How many.
    ranges : mapping
        For each parameter ``(low, high)``, a ``Span``, or a distribution of SciPy (anything with ``ppf``).
    seed : int
        The same seed draws the same points.
    """

    def __init__(
        self, points: int, ranges: Mapping[str, Any] | None = None, /, *, seed: int = 0, **named: Any
    ) -> None:
        if isinstance(points, bool) or not isinstance(points, int) or points < 1:
            raise ValueError(f"{type(self).__name__}: points must be a whole number >= 1, got {points!r}")
        given = {**(ranges or {}), **named}
        if not given:
            raise ValueError(f"{type(self).__name__} needs at least one parameter with its range, got none")
        self.count, self.seed = points, seed
        self.ranges = {check_name(name): _range(name, own) for name, own in given.items()}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.ranges)

    def points(self) -> list[Point]:
        drawn = self.draw(len(self.ranges))
        columns = [own.ppf(drawn[:, k]) for k, own in enumerate(self.ranges.values())]
        return [
            {name: plain(value) for name, value in zip(self.ranges, row, strict=True)}
            for row in zip(*columns, strict=True)
        ]

    @abstractmethod
    def draw(self, dimensions: int) -> NDArray[np.float64]:
        """Points of the unit cube, (count, dimensions)."""

    def facts(self) -> dict[str, Any]:
        ranges = {name: repr(own) for name, own in self.ranges.items()}
        return {"kind": self.kind, "points": self.count, "seed": self.seed, "ranges": ranges}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.count}, {self.ranges!r}, seed={self.seed})"


class Random(_Samples):
    """Points drawn independently: ``Random(100, diameter=(1, 20), celsius=Span(6, 30))``."""

    kind = "random"

    def draw(self, dimensions: int) -> NDArray[np.float64]:
        return np.random.default_rng(self.seed).random((self.count, dimensions))


class LatinHypercube(_Samples):
    """Points that divide the range of every parameter evenly (McKay, Beckman & Conover 1979)."""

    kind = "latin_hypercube"

    def draw(self, dimensions: int) -> NDArray[np.float64]:
        from scipy.stats import qmc

        generator = np.random.default_rng(self.seed)
        return np.asarray(qmc.LatinHypercube(dimensions, seed=generator).random(self.count))


class Sobol(_Samples):
    """Points of a scrambled Sobol sequence, a power of two of them; twice as many contain the first half."""

    kind = "sobol"

    def draw(self, dimensions: int) -> NDArray[np.float64]:
        from scipy.stats import qmc

        power = self.count.bit_length() - 1
        if self.count != 2**power:
            raise ValueError(
                f"Sobol: points must be a power of two, got {self.count}; "
                f"use {2**power} or {2 ** (power + 1)}"
            )
        return np.asarray(qmc.Sobol(dimensions, seed=np.random.default_rng(self.seed)).random(self.count))


def plan_of(over: Plan | Mapping[str, Iterable[Any]]) -> Plan:
    """The plan itself, or the grid that a mapping of lists stands for."""
    if isinstance(over, Plan):
        return over
    if isinstance(over, Mapping):
        return Grid(over)
    raise ValueError(
        "over must be a mapping of parameters to lists, or a Grid, Zipped, Random, LatinHypercube, Sobol or "
        f"Boundary, got {over!r}"
    )


def _listed(name: str, values: Iterable[Any]) -> tuple[Value, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a list of values, got {values!r}; put a single one into [ ]")
    own = tuple(plain(value) for value in values)
    if not own:
        raise ValueError(f"{name} must have at least one value, got none")
    if len({isinstance(value, str) for value in own}) > 1:
        raise ValueError(f"{name} must be all numbers or all strings, got {own!r}")
    return own


def _range(name: str, given: Any) -> Any:
    if hasattr(given, "ppf"):
        return given
    if isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 2:
        return span_of(name, *given)
    raise ValueError(f"{name} must be a range (low, high), a Span or a distribution, got {given!r}")


def span_of(name: str, low: Any, high: Any, scale: str = "linear") -> Span:
    """The range of a parameter, which is named where the range cannot be meant."""
    try:
        return Span(low, high, scale)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None

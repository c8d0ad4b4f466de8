"""The boundary between what works and what does not: bisected, and refined where it bends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.checks import positive
from axon.errors import AxonError
from axon.sweeps.plans import Ask, Grid, Plan, Span
from axon.sweeps.points import Point, Row, check_name, plain

# So many points at least are asked for at a time, to fill the lanes of the engine; the answer does not depend
# on who computes them, so the number is fixed.
_TOGETHER = 8
_DEEPEST = 6  # halvings of the distance between two values of the other parameter


class Boundary(Plan):
    """Where along one parameter the answer turns from failing to working, for every value of the others.

    The question's first answer counts as working when it is > 0 (True, or a count, or 1 for a spike that
    arrived).

    Parameters
    ----------
    along : str
        The parameter that is bisected.
    between : (float, float) or Span
        Where to look; on a logarithmic ``Span`` the halving is by ratio.
    over : mapping of str to list, optional
        The other parameters; every combination has a boundary of its own.
    accuracy : float
        Half of the bracket that remains, as a part of ``between``.
    refine : float, optional
        Of one other parameter, numeric: put further values between its values until the boundary is straight
        to this part of ``between``.
    """

    kind = "boundary"

    def __init__(
        self,
        along: str,
        between: tuple[float, float] | Span,
        *,
        over: Mapping[str, Iterable[Any]] | None = None,
        accuracy: float = 1e-3,
        refine: float | None = None,
    ) -> None:
        self.along = check_name(along)
        self.span = between if isinstance(between, Span) else Span(*between)
        self.others = Grid(over) if over else None
        self.accuracy = positive("Boundary.accuracy", accuracy, "(part of between)")
        self.refine = None if refine is None else positive("Boundary.refine", refine, "(part of between)")
        if self.others is not None and along in self.others.names:
            raise ValueError(f"Boundary: {along!r} cannot be bisected and listed at once")
        if refine is not None and (self.others is None or len(self.others.names) != 1 or self._worded()):
            raise ValueError("Boundary: refine needs exactly one other parameter, with numbers as values")

    def _worded(self) -> bool:
        assert self.others is not None
        return any(isinstance(value, str) for own in self.others.values.values() for value in own)

    @property
    def names(self) -> tuple[str, ...]:
        return (*(self.others.names if self.others else ()), self.along)

    def points(self) -> list[Point]:
        """The two ends of every bracket; the points between follow from the answers."""
        return [self._at(base, u) for base in self._bases() for u in (0.0, 1.0)]

    def facts(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "along": self.along,
            "between": [self.span.low, self.span.high, self.span.scale],
            "over": {} if self.others is None else self.others.facts()["values"],
            "accuracy": self.accuracy,
            "refine": self.refine,
        }

    def __repr__(self) -> str:
        return f"Boundary({self.along!r}, {self.span!r}, over={self.facts()['over']!r})"

    def drive(self, ask: Ask) -> None:
        """Bisect every bracket at once, then put values between those where the boundary bends."""
        bases = self._bases()
        found = self._bisected(bases, ask)
        if self.refine is None:
            return
        (name,) = self.names[:-1]
        order = np.argsort([float(base[name]) for base in bases], kind="stable")
        x = [float(bases[k][name]) for k in order]
        self._refined(name, x, [found[k] for k in order], ask)

    def _refined(self, name: str, x: list[float], u: list[float], ask: Ask) -> None:
        assert self.refine is not None
        gaps = [(x[k], x[k + 1], u[k], u[k + 1]) for k in range(len(x) - 1)]
        for _ in range(_DEEPEST):
            gaps = [gap for gap in gaps if not math.isnan(gap[2] + gap[3])]
            if not gaps:
                return
            middle = [(low + high) / 2 for low, high, _, _ in gaps]
            found = self._bisected([{name: value} for value in middle], ask)
            bent = []
            for (low, high, left, right), mid, u_mid in zip(gaps, middle, found, strict=True):
                if abs(u_mid - (left + right) / 2) > self.refine:
                    bent += [(low, mid, left, u_mid), (mid, high, u_mid, right)]
            gaps = bent

    def _bases(self) -> list[Point]:
        return [{}] if self.others is None else self.others.points()

    def _at(self, base: Point, u: float) -> Point:
        return {**base, self.along: plain(float(self.span.ppf(u)))}

    def _bisected(self, bases: list[Point], ask: Ask) -> list[float]:
        """The part of the span at which each boundary lies; nan where there is none or it is not known."""
        ends = ask([self._at(base, u) for base in bases for u in (0.0, 1.0)])
        first, last = ends[::2], ends[1::2]
        low, high = np.zeros(len(bases)), np.ones(len(bases))
        at_low = [works(row) for row in first]
        lost = np.array(
            [a is None or b is None or a == b for a, b in zip(at_low, map(works, last), strict=True)]
        )
        while (open_ := np.flatnonzero(~lost & ((high - low) / 2 > self.accuracy))).size:
            cuts = max(1, _TOGETHER // open_.size)
            part = np.arange(1, cuts + 1) / (cuts + 1)
            u = low[open_, None] + (high - low)[open_, None] * part
            rows = ask([self._at(bases[k], v) for k, own in zip(open_, u, strict=True) for v in own])
            for i, k in enumerate(open_):
                own = [works(row) for row in rows[i * cuts : (i + 1) * cuts]]
                if None in own:
                    lost[k] = True
                    continue
                turned = [answer != at_low[k] for answer in own]
                first_turned = turned.index(True) if any(turned) else cuts
                edges = [low[k], *u[i], high[k]]
                low[k], high[k] = edges[first_turned], edges[first_turned + 1]
        return np.where(lost, np.nan, (low + high) / 2).tolist()


def works(row: Row) -> bool | None:
    """Whether a point works; None where it failed and so nothing is known."""
    if row.reason:
        return None
    return next(iter(row.answers.values())) > 0


def boundary_of(
    plan: Mapping[str, Any], parameters: Mapping[str, NDArray[Any]], answer: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """The boundaries that the rows of a ``Boundary`` sweep hold.

    Parameters
    ----------
    plan : mapping
        ``Boundary.facts()``.
    parameters : mapping of str to (rows,) array
    answer : (rows,) array
        Of which > 0 works; nan where a point failed.

    Returns
    -------
    dict
        One column for each other parameter, ``plan["along"]`` with the boundary, and ``"half_width"`` of its
        bracket; nan where nothing turns.
    """
    if plan.get("kind") != "boundary":
        raise AxonError(f"this sweep has no boundary: its plan is a {plan.get('kind')!r}")
    along = plan["along"]
    others = [name for name in parameters if name != along]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for k in range(len(answer)):
        groups.setdefault(tuple(parameters[name][k].item() for name in others), []).append(k)
    found: dict[str, list[Any]] = {name: [] for name in (*others, along, "half_width")}
    for key in sorted(groups):
        at, half = _turn(parameters[along][groups[key]].astype(float), answer[groups[key]])
        for name, value in zip((*others, along, "half_width"), (*key, at, half), strict=True):
            found[name].append(value)
    return {name: np.array(own) for name, own in found.items()}


def _turn(x: NDArray[np.float64], answer: NDArray[np.float64]) -> tuple[float, float]:
    """Middle and half width of the narrowest bracket whose ends differ."""
    known = ~np.isnan(answer)
    order = np.argsort(x[known], kind="stable")
    x, good = x[known][order], answer[known][order] > 0
    turns = np.flatnonzero(good[1:] != good[:-1])
    if not turns.size:
        return math.nan, math.nan
    narrowest = turns[np.argmin(np.diff(x)[turns])]
    low, high = float(x[narrowest]), float(x[narrowest + 1])
    return (low + high) / 2, (high - low) / 2

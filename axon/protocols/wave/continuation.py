"""A family of waves followed along a parameter, around the fold where the fast and the slow wave meet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import get_args

import numpy as np

from axon.checks import finite
from axon.errors import NoPropagation, NoRest, unknown_name
from axon.geometry import Axon
from axon.membranes.rates import Array
from axon.protocols.wave.collocation import Border, Family, Tangent, solve_wave
from axon.protocols.wave.equations import WaveEquations
from axon.protocols.wave.mesh import NotConverged, Path, adapted, doubled, extended, halved, without_foot
from axon.protocols.wave.travelling import (
    DEFAULT_RTOL,
    ROUNDING,
    Branch,
    TravellingWave,
    described,
    mesh_tolerance,
    path_of,
    travelling_wave,
    uniform_section,
)

# Steps along the family, in units of (change of ln K, change of the parameter / its range).
_FIRST_STEP, _LONGEST_STEP, _SHORTEST_STEP = 0.05, 0.15, 1e-4
_MOST_STEPS = 500
_PARAMETER_STEP = 1e-6  # of the span: differences in the parameter
_STRAIGHT = 0.8  # least cosine between the directions of two neighbours
_TOO_NEAR = 1e-2  # to the fold, of the distance between it and its neighbour
_FOLD_XTOL = 1e-7  # of the step that leads to the fold; the fold's parameter is off by its square


@dataclass(frozen=True, eq=False)
class WaveBranch:
    """One branch of a family, in the order in which it was followed.

    Attributes
    ----------
    parameter : (n,)
        Value of the parameter of each wave.
    waves : tuple of TravellingWave
    end : str
        Why it ends: ``"limit"`` of the asked range, ``"fold"``, or what stopped the search; of an empty
        branch, why there is none.
    """

    parameter: Array
    waves: tuple[TravellingWave, ...] = field(repr=False)
    end: str

    @property
    def velocity(self) -> Array:
        """Velocities (n,), m/s."""
        return np.array([wave.velocity for wave in self.waves])

    def nearest(self, value: float) -> TravellingWave:
        """The wave whose parameter is nearest to a value."""
        return self.waves[int(np.argmin(np.abs(self.parameter - value)))]


@dataclass(frozen=True, eq=False)
class WaveFamily:
    """The waves of an axon over a parameter, such as its temperature.

    Attributes
    ----------
    axon_at : callable
        The axon at a value of the parameter.
    fast, slow : WaveBranch
        The stable and the unstable wave; a fold is the last of the one and the first of the other.
    fold : float or None
        Value of the parameter where both merge, beyond which there is none; None when the range ends first.
    fold_error : float or None
        Its estimated numerical error: the change of the fold when every mesh element was halved.
    """

    axon_at: Callable[[float], Axon] = field(repr=False)
    fast: WaveBranch
    slow: WaveBranch
    fold: float | None
    fold_error: float | None

    def at(self, value: float, *, branch: Branch = "fast", rtol: float = DEFAULT_RTOL) -> TravellingWave:
        """The wave at one value of the parameter, from the nearest one of the family.

        Raises
        ------
        ValueError
            For a value outside the range that was followed, or an unknown branch.
        NoPropagation
            Beyond the fold, or where there is no slow wave.
        NotConverged
            So near the fold that the two waves cannot be told apart.
        """
        followed = self._branch_over(value, branch)
        if self.fold is None:
            return followed.nearest(value).follow(self.axon_at(value), rtol=rtol)
        # the fold itself belongs to both branches, its neighbours do not
        beside = -2 if branch == "fast" else 1
        distance = (value - self.fold) / (followed.parameter[beside] - self.fold)
        if distance < _TOO_NEAR:
            raise NotConverged(
                f"{value!r} is too near the fold at {self.fold:.9g} to tell the two waves apart; "
                "take a value further from it"
            )
        nearest = followed.waves[beside] if distance < 1 else followed.nearest(value)
        return nearest.follow(self.axon_at(value), rtol=rtol)

    def _branch_over(self, value: float, branch: Branch) -> WaveBranch:
        """The branch, which must have been followed past the value."""
        if branch not in get_args(Branch):
            raise ValueError(unknown_name("branch", branch, get_args(Branch)))
        followed = self.fast if branch == "fast" else self.slow
        if not followed.waves:
            raise NoPropagation(followed.end)
        low, high = float(followed.parameter.min()), float(followed.parameter.max())
        if self.fold is not None and (value - self.fold) * (self.fold - self.fast.parameter[0]) > 0:
            raise NoPropagation(f"no wave exists at {value:g}: conduction ends at the fold, {self.fold:.6g}")
        if not low <= value <= high:
            raise ValueError(f"the {branch} waves were followed from {low:.6g} to {high:.6g}, got {value!r}")
        return followed


@dataclass(frozen=True)
class _Point:
    path: Path
    tangent: Tangent


def wave_speeds(
    axon: Axon, *, celsius: tuple[float, float] = (6.3, 50.0), rtol: float = DEFAULT_RTOL
) -> WaveFamily:
    """Fast and slow waves of a uniform axon over its temperature, to the heat block.

    Parameters
    ----------
    axon : Axon
        Uniform, and no ring; its own temperature plays no part.
    celsius : (float, float)
        Temperatures, degC, from which and towards which the waves are followed.
    rtol : float
        Relative tolerance, as in `travelling_wave`; every wave tells its own error.

    Returns
    -------
    WaveFamily
        Its ``fold`` is the temperature of the heat block, degC.

    Raises
    ------
    ValueError, NoPropagation, NotConverged
        As `travelling_wave` at the first temperature.
    """
    section = uniform_section(axon)

    def axon_at(degrees: float) -> Axon:
        return Axon(
            length=section.length,
            diameter=section.diameter,
            membrane=section.membrane,
            axial_resistivity=section.axial_resistivity,
            celsius=degrees,
        )

    return wave_family(axon_at, *celsius, rtol=rtol)


def wave_family(
    axon_at: Callable[[float], Axon], start: float, stop: float, *, rtol: float = DEFAULT_RTOL
) -> WaveFamily:
    """Fast and slow waves over any parameter, by pseudo-arclength continuation (Keller 1977).

    The fast wave is followed from `start` towards `stop`; if it comes to a fold, it is followed around it and
    back as the slow wave. If not, the slow wave is sought at `start` by itself; there may be none.

    Parameters
    ----------
    axon_at : callable
        Makes the uniform axon for a value of the parameter: for example
        ``lambda g: Axon(..., membrane=hodgkin_huxley(g_na=g))``. It must be smooth in it, and keep the gates.
    start, stop : float
        Range of the parameter, in either order, in its own unit.
    rtol : float
        Relative tolerance, as in `travelling_wave`; every wave tells its own error.

    Raises
    ------
    ValueError, NoPropagation, NotConverged
        As `travelling_wave` at `start`.
    """
    finite("start", start, "")
    finite("stop", stop, "")
    if start == stop:
        raise ValueError(f"the range of the parameter must not be empty, got start = stop = {start!r}")
    walk = _Walk(axon_at, start, stop, rtol)
    points, end = walk.follow(walk.first("fast"))
    forward = points[0].tangent.parameter
    turned = [i for i, point in enumerate(points) if point.tangent.parameter * forward < 0]
    if not turned:
        return WaveFamily(axon_at, walk.branch(points, end), walk.slow_branch(), None, None)
    fold, fold_error = walk.fold(points[turned[0] - 1], points[turned[0]])
    fast = walk.branch([*points[: turned[0]], fold], "fold")
    slow = walk.branch([fold, *points[turned[0] :]], end)
    slow = replace(slow, waves=(fast.waves[-1], *slow.waves[1:]))
    return WaveFamily(axon_at, fast, slow, fold.path.parameter, fold_error)


class _Walk:
    """Steps along a family of waves, measured by (ln K, parameter / span)."""

    def __init__(self, axon_at: Callable[[float], Axon], start: float, stop: float, rtol: float) -> None:
        self.axon_at = axon_at
        self.start, self.stop, self.rtol = start, stop, rtol
        self.span = abs(stop - start)
        self.family: Family = lru_cache(maxsize=64)(self._equations)

    def _equations(self, value: float) -> WaveEquations:
        section = uniform_section(self.axon_at(value))
        return WaveEquations(section.membrane, section.celsius)

    def first(self, branch: Branch) -> _Point:
        """The wave at the start, its tangent towards the stop."""
        wave = travelling_wave(self.axon_at(self.start), branch=branch, rtol=self.rtol)
        path = replace(path_of(wave, self.family(self.start)), parameter=self.start)
        return self._at(path, self.start)

    def _at(self, path: Path, value: float) -> _Point:
        """The wave at a value of the parameter from one nearby, its tangent from start to stop."""
        return self._solve(path, (0.0, math.copysign(1.0, self.stop - self.start)), (0.0, value))

    def _solve(self, guess: Path, direction: tuple[float, float], origin: tuple[float, float]) -> _Point:
        border = Border(direction, origin, parameter_step=_PARAMETER_STEP * self.span)
        return _Point(*solve_wave(self.family, guess, border))

    def _unit(self, tangent: Tangent) -> Array:
        """A tangent's direction in (ln K, parameter / span), of length 1."""
        direction = np.array([tangent.log_rate, tangent.parameter / self.span])
        return direction / np.hypot(*direction)

    def step(self, point: _Point, length: float) -> _Point:
        """The wave one step further along the family.

        Raises
        ------
        NotConverged
            Also when the family bends too much for this step, or the new wave belongs to another one.
        """
        old, tangent = point.path, point.tangent
        unit = self._unit(tangent)
        factor = length / np.hypot(tangent.log_rate, tangent.parameter / self.span)
        log_rate = math.log(old.rate) + factor * tangent.log_rate
        parameter = old.parameter + factor * tangent.parameter
        moved = replace(
            adapted(old, mesh_tolerance(self.rtol)),
            states=old.states + factor * tangent.states,
            rate=math.exp(log_rate),
            parameter=parameter,
        )
        equations = self.family(parameter)
        equations.require_stable_rest()
        guess = extended(without_foot(moved, equations), equations)
        new = self._solve(guess, (unit[0], unit[1] / self.span), (log_rate, parameter))
        if unit @ self._unit(new.tangent) < _STRAIGHT:
            raise NotConverged(f"the waves bend too much at {parameter:.6g} for a step of {length:.2g}")
        return new

    def follow(self, point: _Point) -> tuple[list[_Point], str]:
        """All waves from a point on until the parameter leaves its range, and why it ended."""
        points, length = [point], _FIRST_STEP
        while len(points) < _MOST_STEPS:
            try:
                new = self.step(points[-1], length)
                for limit in (self.start, self.stop):
                    if (new.path.parameter - limit) * (2 * limit - self.start - self.stop) > 0:
                        near = min(points[-1], new, key=lambda side: abs(side.path.parameter - limit))
                        return [*points, self._at(near.path, limit)], "limit"
            except (NotConverged, NoPropagation, NoRest) as reason:
                length /= 4
                if length < _SHORTEST_STEP:
                    return points, str(reason)
                continue
            points.append(new)
            length = min(1.5 * length, _LONGEST_STEP)
        return points, f"more than {_MOST_STEPS} steps"

    def fold(self, before: _Point, after: _Point) -> tuple[_Point, float]:
        """The wave at which the parameter turns, between two points, and the error of its parameter."""
        from scipy.optimize import brentq

        start, end = before.path, after.path
        chord = math.log(end.rate / start.rate), (end.parameter - start.parameter) / self.span
        length = float(self._unit(before.tangent) @ chord)

        def turning(part: float) -> float:
            return float(self._unit(self.step(before, part * length).tangent)[1])

        path = self.step(before, length * brentq(turning, 0.0, 1.0, xtol=_FOLD_XTOL)).path
        finer = self._solve(halved(path), (1.0, 0.0), (math.log(path.rate), 0.0))
        change = abs(finer.path.parameter - path.parameter)
        return finer, max(change, ROUNDING * abs(path.parameter))

    def branch(self, points: list[_Point], end: str) -> WaveBranch:
        """Public description of some points."""
        waves = [self._described(point) for point in points]
        return WaveBranch(np.array([point.path.parameter for point in points]), tuple(waves), end)

    def slow_branch(self) -> WaveBranch:
        """The slow waves from the start on; none, with the reason as its end, where there is none."""
        try:
            first = self.first("slow")
        except NoPropagation as none:
            return WaveBranch(np.array([]), (), none.reason)
        return self.branch(*self.follow(first))

    def _described(self, point: _Point) -> TravellingWave:
        """A wave with the error of its K: what a mesh twice as coarse would change."""
        path = point.path
        unit = self._unit(point.tangent)
        direction = unit[0], unit[1] / self.span
        coarser = self._solve(doubled(path), direction, (math.log(path.rate), path.parameter)).path
        change = math.log(coarser.rate / path.rate), (coarser.parameter - path.parameter) / self.span
        # at a given parameter; where the family turns, K is known as well as the turn was found
        error = abs(change[0] - change[1] * unit[0] / max(abs(unit[1]), _FOLD_XTOL))
        equations = self.family(path.parameter)
        return described(self.axon_at(path.parameter), equations, path, max(error, ROUNDING))

"""The steady conduction velocity of a uniform axon, from the travelling-wave problem itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from axon.checks import positive
from axon.errors import NoPropagation, unknown_name
from axon.geometry import CM_PER_UM, Axon, Section
from axon.membranes.rates import Array
from axon.protocols.wave.collocation import solve_wave
from axon.protocols.wave.equations import WaveEquations
from axon.protocols.wave.mesh import STAGES, NotConverged, Path, adapted, extended, halved, without_foot
from axon.protocols.wave.shooting import Search, search, zoom

Branch = Literal["fast", "slow"]

DEFAULT_RTOL = 1e-9
ROUNDING = 1e-12  # relative error of K that no mesh removes
_REFINEMENTS = 5


@dataclass(frozen=True, eq=False)
class TravellingWave:
    """A spike of unchanging shape on an infinite uniform axon.

    ``float(wave)`` is its velocity. A place x sees ``voltage`` at the times ``time + x / velocity``.

    Attributes
    ----------
    axon : Axon
    velocity : float
        m/s.
    error : float
        Estimated numerical error of the velocity, m/s: what halving every mesh element and moving both ends
        of the line ten times nearer to rest changed, and never less than rounding.
    rate : float
        K = 2 Ra C velocity**2 / a in 1/ms (HH 1952, eq. 30), which knows nothing of the geometry.
    rest, peak, trough : float
        Membrane potential before the spike, at its top, and at the lowest point after it, mV.
    foot_growth : float
        The foot of the spike rises as exp(foot_growth * time), 1/ms.
    time : (points,) ms
        0 at the peak; the points crowd where the wave is steep.
    voltage : (points,) mV
    slope : (points,) mV/ms
        dV/dt.
    gates : dict of (points,)
        Every gate of the membrane by name.
    """

    axon: Axon
    velocity: float
    error: float
    rate: float
    rest: float
    peak: float
    trough: float
    foot_growth: float
    time: Array = field(repr=False)
    voltage: Array = field(repr=False)
    slope: Array = field(repr=False)
    gates: dict[str, Array] = field(repr=False)

    def __float__(self) -> float:
        return self.velocity

    def __str__(self) -> str:
        return f"{self.velocity:.10g} m/s +- {self.error:.1g} (K = {self.rate:.10g} /ms)"

    def follow(self, axon: Axon, *, rtol: float = DEFAULT_RTOL) -> TravellingWave:
        """The same wave on a slightly different axon: quicker than `travelling_wave`, and on the same branch.

        Parameters
        ----------
        axon : Axon
            Uniform, its membrane with the same gates.
        rtol : float
            Relative tolerance of the velocity.

        Raises
        ------
        ValueError
            When the gates differ, or as `travelling_wave`.
        NotConverged
            When the axon is too different, or carries no wave.
        """
        equations = wave_equations(axon)
        if list(equations.gates) != list(self.gates):
            raise ValueError(
                f"the membrane must have the gates {list(self.gates)} of the wave to follow, "
                f"got {list(equations.gates)}; use travelling_wave"
            )
        guess = without_foot(path_of(self, equations), equations)
        return described(axon, equations, *refined(equations, guess, rtol))


def travelling_wave(axon: Axon, *, branch: Branch = "fast", rtol: float = DEFAULT_RTOL) -> TravellingWave:
    """The steady wave of a uniform axon, without time stepping: its velocity to eight digits, and its shape.

    The wave is the solution of (1/K) V'' = V' + I_ion/C that leaves the rest and comes back to it (HH 1952,
    eq. 30), or to another rest if the membrane has one. It is found by shooting at many K and made precise by
    collocation. The axon's length and ends play no part.

    Parameters
    ----------
    axon : Axon
        Uniform, and no ring.
    branch : {"fast", "slow"}
        The stable wave, which is the one that axons conduct; or the unstable one, which divides the
        disturbances that grow into a spike from those that die (Huxley, J. Physiol. 148:80, 1959).
    rtol : float
        Relative tolerance of the velocity; the error found is in the result.

    Raises
    ------
    ValueError
        For an axon that is not uniform or is a ring, or an unknown branch.
    NoPropagation
        When there is no such wave; its ``reason`` says which velocities were searched.
    NotConverged
        When `rtol` cannot be reached, for example with rates that are not smooth.

    Examples
    --------
    >>> import axon
    >>> squid = axon.Axon(length=1e5, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
    >>> print(f"{axon.travelling_wave(squid).velocity:.6f} m/s")
    18.731888 m/s
    """
    if branch not in get_args(Branch):
        raise ValueError(unknown_name("branch", branch, get_args(Branch)))
    equations = wave_equations(axon)
    seen = search(equations, slowest=branch == "slow")
    if not seen.brackets or (branch == "slow" and len(seen.brackets) == 1):
        raise NoPropagation(_why_not(uniform_section(axon), seen))
    bracket = seen.brackets[-1 if branch == "fast" else 0]
    guess = zoom(equations, bracket)
    return described(axon, equations, *refined(equations, guess, rtol))


def _why_not(section: Section, seen: Search) -> str:
    low, high = velocity_of(seen.low, section), velocity_of(seen.high, section)
    which, instead = "travelling", "the membrane potential runs away"
    if seen.brackets:
        which, instead = "slow", "only one wave was found"
    return (
        f"no {which} wave exists on an axon of membrane {section.membrane.name!r}, {section.diameter:g} um "
        f"wide, at {section.celsius:g} degC: {instead} at all velocities from {low:.2g} to {high:.2g} m/s"
    )


def uniform_section(axon: Axon) -> Section:
    """The section that stands for a uniform axon; ValueError for any other axon."""
    if not isinstance(axon, Axon):
        raise ValueError(f"axon must be an Axon, got {axon!r}")
    if axon.ring:
        raise ValueError("a travelling wave needs an infinite line, got an axon with ring=True; unset it")
    if not axon.uniform:
        raise ValueError(
            f"a travelling wave needs an axon that is the same all along, got {len(axon.sections)} sections "
            "that differ; give a uniform axon, or simulate() this one"
        )
    return axon.sections[0]


def wave_equations(axon: Axon) -> WaveEquations:
    """The travelling-wave equations of a uniform axon, whose rest must be stable."""
    section = uniform_section(axon)
    equations = WaveEquations(section.membrane, section.celsius)
    equations.require_stable_rest()
    return equations


def velocity_of(rate: float, section: Section) -> float:
    """Velocity in m/s of a wave of K = `rate` 1/ms: theta**2 = K a / (2 Ra C) (HH 1952, eq. 30)."""
    radius = section.diameter / 2 * CM_PER_UM
    farad_per_cm2 = section.membrane.capacitance * 1e-6
    squared = rate * 1e3 * radius / (2 * section.axial_resistivity * farad_per_cm2)  # cm2/s2
    return math.sqrt(squared) / 100


def path_of(wave: TravellingWave, equations: WaveEquations) -> Path:
    """A wave as the points, and the mesh, that it was solved on."""
    states = np.column_stack([wave.voltage, wave.slope, *wave.gates.values()])
    slopes = equations.slope(states.T, wave.rate).T
    return Path(wave.time, states, slopes, wave.time[:: STAGES + 1], wave.rate)


def mesh_tolerance(rtol: float) -> float:
    """Tolerance of each element for a relative tolerance of the velocity, which converges twice as fast."""
    return 0.03 * math.sqrt(positive("rtol", rtol, ""))


def refined(equations: WaveEquations, guess: Path, rtol: float) -> tuple[Path, float]:
    """The wave near a guess, and the estimated relative error of its K, at most 2 rtol."""
    tolerance = mesh_tolerance(rtol)
    path, error = solve_wave(lambda _: equations, extended(guess, equations))[0], math.inf
    for _ in range(_REFINEMENTS):
        path = solve_wave(lambda _: equations, extended(adapted(path, tolerance), equations))[0]
        finer = solve_wave(lambda _: equations, extended(halved(path), equations, closeness=0.1))[0]
        error = max(abs(finer.rate / path.rate - 1), ROUNDING)
        if error <= 2 * rtol:
            return finer, error
        path, tolerance = finer, tolerance / 4
    raise NotConverged(
        f"the wave's velocity is known to {error / 2:.1g} only, not to rtol = {rtol:g}; "
        "give a larger rtol, or smoother rate functions"
    )


def described(axon: Axon, equations: WaveEquations, path: Path, error: float) -> TravellingWave:
    """The public description of a solved path; `error` is the relative error of its K."""
    velocity = velocity_of(path.rate, uniform_section(axon))
    voltage = path.states[:, 0]
    top = int(np.argmax(voltage))
    when, peak = _turning_point(path, top)
    _, trough = _turning_point(path, top + int(np.argmin(voltage[top:])))
    return TravellingWave(
        axon=axon,
        velocity=velocity,
        error=velocity * error / 2,
        rate=path.rate,
        rest=float(equations.rest[0]),
        peak=peak,
        trough=trough,
        foot_growth=equations.unstable_direction(equations.rest, path.rate)[0],
        time=path.time - when,
        voltage=voltage,
        slope=path.states[:, 1],
        gates={name: path.states[:, i] for i, name in enumerate(equations.gates, start=2)},
    )


def _turning_point(path: Path, index: int) -> tuple[float, float]:
    """Time and voltage of the extremum at or beside a point, from V, V' and V'' at the points around it."""
    from scipy.interpolate import BPoly, PPoly

    around = slice(max(index - 1, 0), index + 2)
    jets = np.stack([path.states[around, 0], path.slopes[around, 0], path.slopes[around, 1]], axis=1)
    shape = PPoly.from_bernstein_basis(BPoly.from_derivatives(path.time[around], jets))
    turns = shape.derivative().roots(extrapolate=False)
    if not len(turns):  # the wave ends at its extremum
        return float(path.time[index]), float(path.states[index, 0])
    nearest = turns[np.argmin(np.abs(turns - path.time[index]))]
    return float(nearest), float(shape(nearest))

"""A wave as points in time, and the mesh on which it is to be solved: its ends and its density."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from axon.errors import AxonError, NoPropagation
from axon.membranes.rates import Array
from axon.protocols.wave.equations import WaveEquations

STAGES = 6  # Gauss points per element: order 12 at the element ends
_FEWEST = 8  # elements


class NotConverged(AxonError):
    """Newton's method did not settle on a wave, or the wave did not settle as the mesh was refined."""


@dataclass(frozen=True)
class Path:
    """A wave, or a guess of one.

    Attributes
    ----------
    time : (points,) ms
    states, slopes : (points, size)
        y = (V, V', gates) and dy/dt.
    mesh : (elements + 1,) ms
        Element ends to solve on.
    rate : float
        K, 1/ms.
    parameter : float
        Value of the parameter that is varied along a family of waves; 0 when none is.
    """

    time: Array
    states: Array
    slopes: Array
    mesh: Array
    rate: float
    parameter: float = 0.0

    def at(self, time: Array) -> Array:
        """States at other times, shape time.shape + (size,), by cubic Hermite interpolation."""
        from scipy.interpolate import CubicHermiteSpline

        return np.asarray(CubicHermiteSpline(self.time, self.states, self.slopes)(time))

    def sizes(self) -> Array:
        """Range of V and of V', and 1 for every gate, shape (size,)."""
        return np.concatenate([np.ptp(self.states[:, :2], axis=0), np.ones(self.states.shape[1] - 2)])


def gauss_points(mesh: Array) -> Array:
    """Times of the Gauss points, shape (elements, STAGES), of a mesh (elements + 1,)."""
    c = (np.polynomial.legendre.leggauss(STAGES)[0] + 1) / 2
    return np.asarray(mesh[:-1, None] + np.diff(mesh)[:, None] * c)


def halved(path: Path) -> Path:
    """The same path with every element cut in two."""
    return replace(path, mesh=np.sort(np.concatenate([path.mesh, (path.mesh[1:] + path.mesh[:-1]) / 2])))


def doubled(path: Path) -> Path:
    """The same path with every two elements made one."""
    return replace(path, mesh=np.union1d(path.mesh[::2], path.mesh[-1]))


def adapted(path: Path, tolerance: float) -> Path:
    """A solved path with the mesh whose elements would each err by `tolerance` of each component's size.

    The highest Legendre coefficient of y' on an element falls as width ** STAGES and measures its error.
    """
    elements = len(path.mesh) - 1
    slopes = path.slopes[:-1].reshape(elements, STAGES + 1, -1)[:, 1:]
    c = gauss_points(np.array([-1.0, 1.0]))[0]
    highest = np.linalg.inv(np.polynomial.legendre.legvander(c, STAGES - 1))[-1]
    error = np.abs(np.einsum("k,ekn->en", highest, slopes) / path.sizes()).max(axis=1) * np.diff(path.mesh)
    # one old element becomes at most 20 new ones, and five become at least one
    wanted = np.concatenate([[0.0], np.cumsum(np.clip((error / tolerance) ** (1 / STAGES), 0.2, 20.0))])
    count = max(_FEWEST, int(np.ceil(wanted[-1])))
    return replace(path, mesh=np.interp(np.linspace(0.0, wanted[-1], count + 1), wanted, path.mesh))


def without_foot(path: Path, equations: WaveEquations) -> Path:
    """The path from where it first is 0.01 mV above rest: a guess knows less of its foot than `extended`."""
    above = path.states[:, 0] - equations.rest[0] > 0.01
    if not above.any():
        raise NotConverged(
            f"the wave lies below the rest of {equations.rest[0]:.4g} mV; start from a nearer one"
        )
    first = int(np.argmax(above))
    time = path.time[first:]
    mesh = np.concatenate([time[:1], path.mesh[path.mesh > time[0]]])
    return replace(path, time=time, states=path.states[first:], slopes=path.slopes[first:], mesh=mesh)


def extended(path: Path, equations: WaveEquations, *, closeness: float = 1.0) -> Path:
    """The same path with both ends so near to rest that the wave is linear there.

    Parameters
    ----------
    path : Path
        Its foot may be cut; its tail is continued as a patch without axial current.
    equations : WaveEquations
    closeness : float
        Factor on how far from rest the ends may be: 1e-5 mV in front, 1e-4 of the wave's size behind.
    """
    return _with_tail(_with_foot(path, equations, 1e-5 * closeness), equations, 1e-4 * closeness)


def _with_foot(path: Path, equations: WaveEquations, amplitude: float) -> Path:
    growth, direction, _ = equations.unstable_direction(equations.rest, path.rate)
    above = path.states[0, 0] - equations.rest[0]
    missing = np.log(above / amplitude) / growth
    start = path.time[0] - missing
    if missing <= 0:
        first = path.mesh[1] - path.mesh[0]
        return replace(path, mesh=np.concatenate([[start], path.mesh[path.mesh > start + 0.3 * first]]))
    time = np.linspace(start, path.time[0], 3 + int(3 * missing * growth))[:-1]
    rise = above * np.exp(growth * (time - path.time[0]))[:, None] * direction
    return replace(
        path,
        time=np.concatenate([time, path.time]),
        states=np.concatenate([equations.rest + rise, path.states]),
        slopes=np.concatenate([growth * rise, path.slopes]),
        mesh=np.concatenate([np.linspace(start, path.mesh[0], 2 + int(missing * growth))[:-1], path.mesh]),
    )


def _with_tail(path: Path, equations: WaveEquations, distance: float) -> Path:
    from scipy.integrate import solve_ivp

    patch = [0, *range(2, equations.size)]  # V and gates
    rests, sizes = equations.rests[:, patch], path.sizes()[patch]
    halfway = (equations.rest[0] + path.states[:, 0].max()) / 2

    def unsettled(_: float, state: Array) -> float:
        return float(np.log(np.abs((state - rests) / sizes).max(axis=1).min() / distance))

    def firing(_: float, state: Array) -> float:
        return float(state[0] - halfway)

    if unsettled(0.0, path.states[-1, patch]) <= 0:
        return path
    unsettled.terminal = firing.terminal = True  # type: ignore[attr-defined]
    firing.direction = 1.0  # type: ignore[attr-defined]
    longest = 40 / min(equations.slowest_decay(rest) for rest in equations.rests)
    tail = solve_ivp(
        lambda _, state: equations.patch_slope(state),
        (path.time[-1], path.time[-1] + longest),
        path.states[-1, patch],
        method="LSODA",
        rtol=1e-4,
        atol=1e-7,
        events=[unsettled, firing],
    )
    settled = tail.t_events is not None and len(tail.t_events[0])
    if not settled:
        raise NoPropagation(
            f"membrane {equations.membrane.name!r} fires on after a spike at {equations.celsius:g} degC "
            "instead of coming back to rest, so no single spike travels; add potassium conductance or leak"
        )
    time, states = tail.t[1:], tail.y.T[1:]
    slopes = np.array([equations.patch_slope(state) for state in states])
    bend = np.gradient(slopes[:, 0], time) if len(time) > 1 else np.zeros(1)
    return replace(
        path,
        time=np.concatenate([path.time, time]),
        states=np.concatenate([path.states, np.insert(states, 1, slopes[:, 0], axis=1)]),
        slopes=np.concatenate([path.slopes, np.insert(slopes, 1, bend, axis=1)]),
        mesh=np.concatenate([path.mesh, time[:0:-2][::-1] if len(time) > 1 else time]),
    )

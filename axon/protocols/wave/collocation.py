"""Gauss collocation for the travelling wave: Newton's method on a given mesh.

On each element the state is the polynomial that meets the equations at the Gauss points; at the element ends
it is accurate to order 2 STAGES. The line is cut where the wave is still: there it leaves the rest along the
unstable direction, and comes to rest with nothing along it (projection boundary conditions: Beyn, IMA J.
Numer. Anal. 10:379, 1990).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from axon.membranes.rates import Array
from axon.protocols.wave.equations import WaveEquations
from axon.protocols.wave.mesh import STAGES, NotConverged, Path, gauss_points

# The equations at a value of the parameter that is varied (ignored by a single wave).
Family = Callable[[float], WaveEquations]

_MAX_ITERATIONS = 15
_SMALL = 1e-8  # relative Newton step, after which the quadratic method is at rounding


@dataclass(frozen=True)
class Border:
    """The condition that closes the system: direction . ((ln K, parameter) - origin) = 0, two numbers each.

    `parameter_step` is the step of the differences in the parameter, in its own unit.
    """

    direction: tuple[float, float] = (0.0, 1.0)
    origin: tuple[float, float] = (0.0, 0.0)
    parameter_step: float = 1.0


_SINGLE = Border()  # a wave by itself, of no family


@dataclass(frozen=True)
class Tangent:
    """Change of a wave per unit of its border condition: of states (points, size), ln K and parameter."""

    states: Array
    log_rate: float
    parameter: float


@dataclass(frozen=True)
class _Unknowns:
    """What Newton's method moves, or a change of it."""

    nodes: Array  # (elements + 1, size)
    stages: Array  # (elements, STAGES, size)
    scalars: Array  # (2,): ln K, parameter


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # of a guess that diverges
def solve_wave(family: Family, guess: Path, border: Border = _SINGLE) -> tuple[Path, Tangent]:
    """The wave nearest to a guess, on the guess's mesh, with the Gauss points among its times.

    Raises
    ------
    NotConverged
        When Newton's steps do not become small.
    """
    scalars = np.array([np.log(guess.rate), guess.parameter])
    now = _Unknowns(guess.at(guess.mesh), guess.at(gauss_points(guess.mesh)), scalars)
    sizes = guess.sizes()
    for _ in range(_MAX_ITERATIONS):
        try:
            step, tangent = _newton_step(family, guess.mesh, now, border)
        except np.linalg.LinAlgError:
            break
        length = float(np.abs(step.nodes / sizes).max() + abs(step.scalars[0]))
        if not np.isfinite(length):
            break
        damping = min(1.0, 0.5 / max(length, 1e-300))
        now = _Unknowns(
            now.nodes + damping * step.nodes,
            now.stages + damping * step.stages,
            now.scalars + damping * step.scalars,
        )
        if length < _SMALL:
            path = _path(family(float(now.scalars[1])), guess, now)
            return path, Tangent(_in_order(tangent), *map(float, tangent.scalars))
    raise NotConverged(f"no wave was reached from one of K = {guess.rate:.6g} /ms; start from a nearer one")


def _in_order(unknowns: _Unknowns) -> Array:
    """States by time, (points, size): each node followed by the Gauss points of its element."""
    inner = np.concatenate([unknowns.nodes[:-1, None], unknowns.stages], axis=1)
    return np.concatenate([inner.reshape(-1, inner.shape[2]), unknowns.nodes[-1:]])


def _path(equations: WaveEquations, guess: Path, solved: _Unknowns) -> Path:
    mesh, rate = guess.mesh, float(np.exp(solved.scalars[0]))
    time = np.append(np.column_stack([mesh[:-1], gauss_points(mesh)]).ravel(), mesh[-1])
    states = _in_order(solved)
    slopes = equations.slope(states.T, rate).T
    return replace(
        guess, time=time, states=states, slopes=slopes, rate=rate, parameter=float(solved.scalars[1])
    )


def _newton_step(family: Family, mesh: Array, now: _Unknowns, border: Border) -> tuple[_Unknowns, _Unknowns]:
    """The Newton step, and the tangent: the solution of the same linear system with only the border 1."""
    equations = family(float(now.scalars[1]))
    rest_slope, parameter_slopes = _parameter_slopes(family, now, border.parameter_step)
    inner, across = _condensed(equations, np.diff(mesh), now, parameter_slopes)
    step, tangent = _bordered(equations, now, across, rest_slope, border)
    changes = []
    for (nodes, scalars), known in ((step, 1.0), (tangent, 0.0)):
        weights = np.column_stack([nodes[:-1], np.broadcast_to([*scalars, known], (len(nodes) - 1, 3))])
        changes.append(_Unknowns(nodes, np.einsum("ejac,ec->eja", inner, weights), scalars))
    return changes[0], changes[1]


def _parameter_slopes(family: Family, now: _Unknowns, step: float) -> tuple[Array, Array]:
    """d(rest)/dp at the two ends, (2, size), and dy'/dp at the Gauss points, (elements, STAGES, size)."""
    rate, parameter = float(np.exp(now.scalars[0])), float(now.scalars[1])
    flat = now.stages.reshape(-1, now.stages.shape[2]).T
    slopes, rests = [], []
    for equations in (family(parameter), family(parameter + step)):
        slopes.append(equations.slope(flat, rate).T.reshape(now.stages.shape))
        rests.append([equations.rest, equations.nearest_rest(now.nodes[-1, 0])])
    return np.diff(rests, axis=0)[0] / step, np.diff(slopes, axis=0)[0] / step


def _condensed(
    equations: WaveEquations, widths: Array, now: _Unknowns, parameter_slopes: Array
) -> tuple[Array, Array]:
    """Each element's inner states solved for: linear in its first node, in ln K, in the parameter, and 1.

    With h the width, f = y' and Lagrange integrals A, b, the discrete equations are
    Y_j = y_i + h sum_k A_jk f(Y_k) and y_(i+1) = y_i + h sum_k b_k f(Y_k).

    Returns
    -------
    inner : (elements, STAGES, size, size + 3)
        Change of the inner states per change of (first node, ln K, parameter), and for none of them.
    across : (elements, size, size + 3)
        The same of the second node.
    """
    count, n = len(widths), equations.size
    rate = float(np.exp(now.scalars[0]))
    flat = now.stages.reshape(-1, n).T
    slopes = equations.slope(flat, rate).T.reshape(now.stages.shape)
    jacobian = equations.jacobian(flat, rate).reshape(count, STAGES, n, n)
    forcing = np.zeros((count, STAGES, n, 2))
    forcing[:, :, 1, 0] = slopes[:, :, 1]  # only V'' knows K, and is proportional to it
    forcing[..., 1] = parameter_slopes

    integrals, weights = _lagrange_integrals()
    h_a, h_b = widths[:, None, None] * integrals, widths[:, None] * weights
    matrix = np.einsum("ejk,ekab->ejakb", h_a, jacobian).reshape(count, STAGES * n, STAGES * n)
    right = np.empty((count, STAGES, n, n + 3))
    right[..., :n] = np.eye(n)
    right[..., n : n + 2] = np.einsum("ejk,ekac->ejac", h_a, forcing)
    right[..., n + 2] = now.nodes[:-1, None] - now.stages + np.einsum("ejk,eka->eja", h_a, slopes)
    inner = np.linalg.solve(np.eye(STAGES * n) - matrix, right.reshape(count, STAGES * n, n + 3))
    inner = inner.reshape(right.shape)

    across = np.einsum("ekab,ekbc->eac", h_b[:, :, None, None] * jacobian, inner, optimize=True)
    across[..., :n] += np.eye(n)
    across[..., n : n + 2] += np.einsum("ek,ekac->eac", h_b, forcing)
    across[..., n + 2] += now.nodes[:-1] - now.nodes[1:] + np.einsum("ek,eka->ea", h_b, slopes)
    return inner, across


def _lagrange_integrals() -> tuple[Array, Array]:
    """Integrals of the Lagrange polynomials: A (STAGES, STAGES) from 0 to each point, b (STAGES,) to 1."""
    c = gauss_points(np.array([0.0, 1.0]))[0]
    powers = np.arange(STAGES)
    inverse = np.linalg.inv(c[:, None] ** powers)
    return (c[:, None] ** (powers + 1) / (powers + 1)) @ inverse, (1 / (powers + 1)) @ inverse


def _bordered(
    equations: WaveEquations, now: _Unknowns, across: Array, rest_slope: Array, border: Border
) -> list[tuple[Array, Array]]:
    """Changes of (nodes, scalars): first the Newton step, then the tangent.

    Unknowns: nodes, amplitude of the foot, ln K, parameter. Rows: the foot, one block per element, the end,
    the phase (V stays where the upstroke is steepest), the border.
    """
    count, n = len(across), equations.size
    rate = float(np.exp(now.scalars[0]))
    nodes = n * (count + 1)
    amplitude, log_rate, parameter = nodes, nodes + 1, nodes + 2
    _, direction, _ = equations.unstable_direction(equations.rest, rate)
    last = equations.nearest_rest(now.nodes[-1, 0])
    _, _, normal = equations.unstable_direction(last, rate)
    steepest = int(np.argmax(now.nodes[:, 1]))
    foot, end = np.arange(n), n * count + np.arange(n)
    block = n * np.arange(count)[:, None]
    rows = n + block + np.arange(n)

    entries: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = [
        (foot, foot, 1.0),
        (foot, amplitude, -direction),
        (foot, parameter, -rest_slope[0]),
        (rows[..., None], (block + np.arange(n))[:, None, :], -across[..., :n]),
        (rows, rows, 1.0),
        (rows, log_rate, -across[..., n]),
        (rows, parameter, -across[..., n + 1]),
        (nodes, end, normal),
        (nodes, parameter, -normal @ rest_slope[1]),
        (nodes + 1, n * steepest, 1.0),
        (nodes + 2, [log_rate, parameter], border.direction),
    ]
    sides = np.zeros((nodes + 3, 2))
    rise = now.nodes[0] - equations.rest
    sides[foot, 0] = rise[0] * direction - rise
    sides[rows, 0] = across[..., n + 2]
    sides[nodes, 0] = -normal @ (now.nodes[-1] - last)
    sides[nodes + 2] = np.dot(border.direction, border.origin - now.scalars), 1.0
    return [(x[:nodes].reshape(-1, n), x[-2:]) for x in _sparse_solve(entries, sides).T]


def _sparse_solve(entries: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]], sides: Array) -> Array:
    """Solution of a sparse system given by (rows, columns, values), each broadcast to a common shape."""
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    flat = [[array.ravel() for array in np.broadcast_arrays(*entry)] for entry in entries]
    row, column, value = (np.concatenate(parts) for parts in zip(*flat, strict=True))
    try:
        return np.asarray(splu(csc_array((value, (row, column)), shape=(len(sides),) * 2)).solve(sides))
    except RuntimeError as singular:
        raise np.linalg.LinAlgError(str(singular)) from singular

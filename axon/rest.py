"""The resting state of a whole cable, solved for and not assumed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axon.errors import NoRest
from axon.geometry import Compartments

Array = NDArray[np.floating]

_TOLERANCE = 1e-8  # mV, of the last Newton step, which leaves its square; rounding is near 1e-10
_MOST_STEPS = 50
_SHORTEST = 1e-3  # of a full Newton step


def resting_voltage(compartments: Compartments) -> Array:
    """Voltage at which no current flows into any compartment, gates at their steady states.

    Newton's method on the whole cable, started from every membrane's own resting potential.

    Parameters
    ----------
    compartments : Compartments

    Returns
    -------
    (n,) ndarray
        mV.

    Raises
    ------
    NoRest
        When a membrane has no resting potential, or joined ones find none together.
    """
    patches, which = compartments.patches()
    v = np.array([membrane.resting_potential(celsius) for membrane, celsius in patches])[which]
    if len(patches) == 1:
        return v
    from scipy.sparse import csc_array, diags_array
    from scipy.sparse.linalg import spsolve

    axial = _axial_matrix(compartments)
    residual, slope = _current(compartments, v)
    for _ in range(_MOST_STEPS):
        step = spsolve(csc_array(axial + diags_array(slope)), -residual)
        if not np.isfinite(step).all():
            break
        if np.abs(step).max() < _TOLERANCE:
            return v + step
        # A steep current can send Newton to and fro: shorten the step until it brings the currents down.
        before, scale = float(residual @ residual), 1.0
        while scale > _SHORTEST:
            residual, slope = _current(compartments, v + scale * step)
            if float(residual @ residual) < before:
                break
            scale /= 2
        v = v + scale * step
    raise NoRest(
        f"the axon finds no resting state: Newton's method did not settle in {_MOST_STEPS} steps; "
        "check that neighbouring membranes can rest together"
    )


def _faces(compartments: Compartments) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The compartments on either side of every axial conductance."""
    left = np.arange(len(compartments.axial_conductance))
    return left, (left + 1) % len(compartments)


def _axial_matrix(compartments: Compartments):  # type: ignore[no-untyped-def]
    """Sum over neighbours of g (V_i - V_j), as a sparse matrix in uS."""
    from scipy.sparse import coo_array

    n, g = len(compartments), compartments.axial_conductance
    left, right = _faces(compartments)
    rows = np.concatenate([left, right, left, right])
    columns = np.concatenate([left, right, right, left])
    return coo_array((np.concatenate([g, g, -g, -g]), (rows, columns)), shape=(n, n)).tocsc()


def _current(compartments: Compartments, v: Array) -> tuple[Array, Array]:
    """Current (nA) out of every compartment, and the slope (uS) of the part through its membrane."""
    current, slope = _membrane_current(compartments, v)
    left, right = _faces(compartments)
    # From differences, not by the matrix: thick neighbours of a thin stretch would drown it in rounding.
    along = compartments.axial_conductance * (v[left] - v[right])
    np.add.at(current, left, along)
    np.subtract.at(current, right, along)
    return current, slope


def _membrane_current(compartments: Compartments, v: Array) -> tuple[Array, Array]:
    """Steady ionic current (nA) of every compartment and its slope (uS)."""
    current, slope = np.zeros_like(v), np.zeros_like(v)
    small = 1e-4  # mV
    patches, which = compartments.patches()
    for k, (membrane, celsius) in enumerate(patches):
        here = which == k
        above, below = (membrane.steady_current(v[here] + h, celsius) for h in (small, -small))
        scale = compartments.area[here] * 1e6  # mA/cm2 * cm2 -> nA
        current[here] = membrane.steady_current(v[here], celsius) * scale
        slope[here] = (above - below) / (2 * small) * scale
    return current, slope

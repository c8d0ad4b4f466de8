"""The resting state of a whole cable, solved for and not assumed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.errors import NoRest
from axon.geometry import Compartments

Array = NDArray[np.floating]

_TOLERANCE = 1e-8  # mV, of the last Newton step, which leaves its square; rounding is near 1e-10
_MOST_STEPS = 50
_SHORTEST = 1e-3  # of a full Newton step
_TO_BATH = 1e6  # uS, in place of no resistance at all between the bath and an open periaxonal space


def resting_voltage(compartments: Compartments) -> Array:
    """Voltage (n,) mV at which no current flows; the first part of ``resting_state``."""
    return resting_state(compartments)[0]


def resting_state(compartments: Compartments) -> tuple[Array, Array]:
    """Voltages at which no current flows into any compartment, gates at their steady states.

    Newton's method on the whole cable, started from every membrane's own resting potential.

    Parameters
    ----------
    compartments : Compartments

    Returns
    -------
    v, periaxonal : (n,) ndarray
        mV, across the axon's membrane and across the myelin, where there is any.

    Raises
    ------
    NoRest
        When a membrane has no resting potential, or joined ones find none together.
    """
    patches, which = compartments.patches()
    alone = [membrane.resting_potential(celsius) for membrane, celsius in patches]
    if len(patches) == 1 and not compartments.end_conductance.any():
        return np.full(len(compartments), alone[0]), np.zeros(len(compartments))
    v = np.array(alone)[which]
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import spsolve

    cable = _Cable(compartments)
    state = np.concatenate([v, np.full(cable.size - len(v), v.mean()), np.zeros(cable.around)])
    residual, slope = cable.current(state)
    for _ in range(_MOST_STEPS):
        step = spsolve(csc_array(cable.jacobian(slope)), -residual)
        if not np.isfinite(step).all():
            break
        if np.abs(step).max() < _TOLERANCE:
            return cable.voltages(state + step)
        # A steep current can send Newton to and fro: shorten the step until it brings the currents down.
        before, scale = float(residual @ residual), 1.0
        while scale > _SHORTEST:
            residual, slope = cable.current(state + scale * step)
            if float(residual @ residual) < before:
                break
            scale /= 2
        state = state + scale * step
    raise NoRest(
        f"the axon finds no resting state: Newton's method did not settle in {_MOST_STEPS} steps; "
        "check that neighbouring membranes can rest together"
    )


class _Cable:
    """Currents out of every unknown: inside the axon (compartments, joints), and under the myelin if any."""

    def __init__(self, compartments: Compartments) -> None:
        self.compartments, self.n = compartments, len(compartments)
        self.size = self.n if compartments.ring else len(compartments.axial_conductance) + 1
        self.around = self.size if compartments.sheath is not None else 0
        child = np.arange(1, self.size)
        self.one, self.other = child, compartments.parent[child]
        self.along = compartments.axial_conductance
        if compartments.ring:
            self.one, self.other = (np.arange(self.n) + 1) % self.n, np.arange(self.n)
        self.out = np.zeros(self.around)
        if compartments.sheath is not None:
            sheath = compartments.sheath
            self.one, self.other = (
                np.concatenate([part, part + self.size]) for part in (self.one, self.other)
            )
            self.along = np.concatenate([self.along, sheath.along])
            self.out[:] = _TO_BATH
            self.out[: self.n] = np.where(sheath.open, _TO_BATH, sheath.conductance)

    def voltages(self, state: Array) -> tuple[Array, Array]:
        """Across the membrane, and under the myelin, of every compartment."""
        inside = state[: self.n]
        outside = state[self.size : self.size + self.n] if self.around else np.zeros(self.n)
        return inside - outside, outside

    def current(self, state: Array) -> tuple[Array, Array]:
        """Current (nA) out of every unknown, and the slope (uS) of the part through its membrane."""
        v, _ = self.voltages(state)
        membrane, slope = _membrane_current(self.compartments, v)
        current = np.zeros(self.size + self.around)
        ends = self.compartments.end_conductance * state[: self.n] - self.compartments.end_current
        current[: self.n] = membrane + ends
        if self.around:
            current[self.size : self.size + self.n] -= membrane
            current[self.size :] += self.out * state[self.size :]
        # From differences, not by the matrix: thick neighbours of a thin stretch would drown it in rounding.
        along = self.along * (state[self.one] - state[self.other])
        np.add.at(current, self.one, along)
        np.subtract.at(current, self.other, along)
        return current, slope

    def jacobian(self, slope: Array):  # type: ignore[no-untyped-def]
        """Derivative of ``current``, as a sparse matrix in uS."""
        from scipy.sparse import coo_array

        one, other, g, here = self.one, self.other, self.along, np.arange(self.n)
        parts: list[tuple[Any, Any, Any]] = [
            (one, one, g),
            (other, other, g),
            (one, other, -g),
            (other, one, -g),
        ]
        parts.append((here, here, slope + self.compartments.end_conductance))
        if self.around:
            there, every = here + self.size, np.arange(self.size, 2 * self.size)
            parts += [
                (here, there, -slope),
                (there, here, -slope),
                (there, there, slope),
                (every, every, self.out),
            ]
        rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        total = self.size + self.around
        return coo_array((values, (rows, columns)), shape=(total, total)).tocsc()


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

"""The travelling-wave equations of a uniform axon, for any membrane made of gates and channels.

A wave of constant velocity theta obeys V(x, t) = V(t - x/theta), so the cable equation becomes ordinary
(HH 1952, eq. 30):

    (1/K) V'' = V' + I_ion(V, gates) / C,    gate' = (gate_inf(V) - gate) / tau(V),    K = 2 Ra C theta^2 / a

The state is y = (V, V', gates); only K is unknown, and geometry enters nowhere but in its definition.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from axon.errors import NoPropagation
from axon.membranes.rates import Array

if TYPE_CHECKING:
    from axon.membranes import Membrane

# Steps of the central differences: truncation and rounding both near 1e-10 of the derivative.
_VOLTAGE_STEP = 1e-3  # mV
_GATE_STEP = 1e-5


class WaveEquations:
    """y' = f(y; K) in the moving frame, its Jacobian, and its linearisation about a rest.

    Parameters
    ----------
    membrane : Membrane
        The membrane; its gates and currents are evaluated exactly (no tables).
    celsius : float
        Temperature, degC.

    Raises
    ------
    NoRest
        When the membrane has no resting potential.
    ValueError
        When it has pools, whose slow changes no wave of constant shape has.
    """

    def __init__(self, membrane: Membrane, celsius: float) -> None:
        if membrane.pools:
            raise ValueError(
                f"a travelling wave keeps its shape, but membrane {membrane.name!r} has pools, whose "
                "concentrations change with every spike; simulate it, or measure_velocity"
            )
        self.membrane = membrane
        self.celsius = celsius
        self.gates = membrane.lasting_gates
        self.size = 2 + len(self.gates)
        self.rest = self.resting_state(membrane.resting_potential(celsius))

    def resting_state(self, voltage: float) -> Array:
        """State (V, 0, steady gates), shape (size,), at a potential in mV."""
        gates = self.membrane.steady_gates(voltage, self.celsius)
        return np.array([voltage, 0.0, *(float(gates[name]) for name in self.gates)])

    def ionic_slope(self, y: Array) -> Array:
        """I_ion / C in mV/ms for states of shape (size, ...)."""
        gates = dict(zip(self.gates, y[2:], strict=True))
        current = self.membrane.current(y[0], gates, self.celsius)
        return 1e3 * current / self.membrane.capacitance  # mA/cm2 over uF/cm2 is 1000 mV/ms

    def gate_slopes(self, voltage: Array, gates: Array) -> Array:
        """d(gate)/dt in 1/ms, shape (size - 2, ...)."""
        out = np.empty_like(gates)
        for i, gate in enumerate(self.gates.values()):
            steady, speed = gate.kinetics(voltage, self.celsius)
            out[i] = speed * (steady - gates[i])
        return out

    def slope(self, y: Array, rate: float | Array) -> Array:
        """y' for states y of shape (size, ...); rate is K in 1/ms, one number or one per state."""
        out = np.empty_like(y)
        out[0] = y[1]
        out[1] = rate * (y[1] + self.ionic_slope(y))
        out[2:] = self.gate_slopes(y[0], y[2:])
        return out

    def patch_slope(self, patch: Array) -> Array:
        """Slope of (V, gates), shape (size - 1,), of the same membrane without axial current."""
        state = np.concatenate([patch[:1], [0.0], patch[1:]])
        return np.concatenate([[-float(self.ionic_slope(state))], self.gate_slopes(patch[0], patch[1:])])

    def jacobian(self, y: Array, rate: float) -> Array:
        """d(slope)/dy by central differences, shape (points, size, size), for y of shape (size, points)."""
        out = np.zeros((y.shape[1], self.size, self.size))
        out[:, 0, 1] = 1.0
        out[:, 1, 1] = rate
        for j in (0, *range(2, self.size)):
            step = _GATE_STEP if j else _VOLTAGE_STEP
            above, below = y.copy(), y.copy()
            above[j] += step
            below[j] -= step
            out[:, 1, j] = rate * (self.ionic_slope(above) - self.ionic_slope(below)) / (2 * step)
            if j == 0:
                gates = self.gate_slopes(above[0], y[2:]) - self.gate_slopes(below[0], y[2:])
                out[:, 2:, 0] = (gates / (2 * step)).T
        for j, gate in enumerate(self.gates.values(), start=2):
            out[:, j, j] = -gate.kinetics(y[0], self.celsius)[1]
        return out

    def unstable_direction(self, state: Array, rate: float) -> tuple[float, Array, Array]:
        """Growth rate (1/ms), right eigenvector (its V is 1) and left eigenvector of the one unstable mode.

        A wave leaves its rest along the right eigenvector and settles where the left one vanishes. There is
        one such mode at every stable rest and every K.
        """
        jacobian = self.jacobian(state[:, None], rate)[0]
        growths, rights = np.linalg.eig(jacobian)
        fastest = int(np.argmax(growths.real))
        growths_left, lefts = np.linalg.eig(jacobian.T)
        left = lefts[:, int(np.argmax(growths_left.real))].real
        right = rights[:, fastest].real
        return float(growths[fastest].real), right / right[0], left / np.abs(left).max()

    def slowest_decay(self, state: Array) -> float:
        """Rate (1/ms) of a patch's return to a rest once all faster modes are gone; <= 0 for no return."""
        jacobian = self.jacobian(state[:, None], 1.0)[0]
        keep = [0, *range(2, self.size)]
        patch = jacobian[np.ix_(keep, keep)]
        patch[0] = -jacobian[1, keep]  # row 1 holds K I/C with K = 1, and without axial current V' = -I/C
        return -float(np.linalg.eigvals(patch).real.max())

    def require_stable_rest(self) -> None:
        """Raise NoPropagation when the rest is unstable: such a membrane fires by itself."""
        if self.slowest_decay(self.rest) <= 0:
            raise NoPropagation(
                f"membrane {self.membrane.name!r} does not stay at its rest of {self.rest[0]:.4g} mV at "
                f"{self.celsius:g} degC: it fires by itself, so no single spike travels; "
                "make the rest stable (more leak or potassium conductance)"
            )

    @cached_property
    def rests(self) -> Array:
        """States, shape (rests, size), where a patch can stay: `rest` first. A wave ends in one of them."""
        from scipy.optimize import brentq

        v = np.arange(-200.0, 200.5, 0.5)

        def steady(v: ArrayLike) -> Array:
            return self.membrane.steady_current(v, self.celsius)

        current = steady(v)
        upward = np.flatnonzero((current[:-1] < 0) & (current[1:] >= 0))
        brackets = [(v[i], v[i + 1]) for i in upward if not v[i] <= self.rest[0] <= v[i + 1]]
        roots = [brentq(lambda x: float(steady(x)), *ends, xtol=1e-13) for ends in brackets]
        others = [self.resting_state(root) for root in roots]
        return np.array([self.rest, *(state for state in others if self.slowest_decay(state) > 0)])

    def nearest_rest(self, voltage: float) -> Array:
        """The one of `rests`, shape (size,), nearest to a potential in mV."""
        return np.asarray(self.rests[np.argmin(np.abs(self.rests[:, 0] - voltage))])

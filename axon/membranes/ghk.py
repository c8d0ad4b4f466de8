"""Currents by constant field: Goldman 1943; Hodgkin & Katz, J. Physiol. 108:37, 1949."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import clear_keywords, finite, not_negative, positive
from axon.membranes.constants import FARADAY, GAS, KELVIN
from axon.membranes.door import checked_gates
from axon.membranes.gate import Gate
from axon.membranes.rates import Array, linoid


@clear_keywords
@dataclass(frozen=True)
class PermeableChannel:
    """A population of channels whose open current follows the Goldman-Hodgkin-Katz equation.

    I = P z F x (c_in - c_out exp(-x)) / (1 - exp(-x)) * product(gate ** exponent), x = z F V / (R T)

    Parameters
    ----------
    name : str
        Unique within a membrane.
    permeability : float
        With every gate open, cm/s.
    inside, outside : float
        Concentrations, mM.
    gates : tuple of Gate
        None for a leak.
    valence : int
        Of the ion; not 0.
    ion : str, optional
        Which ion passes, where a membrane has a pool of it: the concentration on that side is then the
        pool's.
    q10, q10_celsius : float
        Factor by which the permeability grows for 10 degC, and the temperature (degC) at which it holds as
        written.

    Raises
    ------
    ValueError
        For a negative permeability, a concentration that is not > 0, a valence of 0, or gates whose functions
        cannot be meant.
    """

    name: str
    permeability: float
    inside: float
    outside: float
    gates: tuple[Gate, ...] = ()
    valence: int = 1
    q10: float = 1.0
    q10_celsius: float = 6.3
    ion: str | None = None

    def __post_init__(self) -> None:
        not_negative(f"PermeableChannel {self.name!r}: permeability", self.permeability, "cm/s")
        positive(f"PermeableChannel {self.name!r}: inside", self.inside, "mM")
        positive(f"PermeableChannel {self.name!r}: outside", self.outside, "mM")
        if isinstance(self.valence, bool) or not isinstance(self.valence, int) or self.valence == 0:
            raise ValueError(
                f"PermeableChannel {self.name!r}: valence must be a whole number other than 0, "
                f"got {self.valence!r}"
            )
        positive(f"PermeableChannel {self.name!r}: q10", self.q10, "")
        finite(f"PermeableChannel {self.name!r}: q10_celsius", self.q10_celsius, "degC")
        object.__setattr__(self, "gates", checked_gates(f"PermeableChannel {self.name!r}", self.gates))

    def scaled(self, factor: float) -> PermeableChannel:
        """The same channel, ``factor`` times as dense."""
        return replace(self, permeability=self.permeability * factor)

    @property
    def reversal(self) -> float:
        """Nernst potential at 20 degC, mV: enough to tell an inward current from an outward one."""
        thermal = GAS * (20.0 + KELVIN) / FARADAY * 1e3
        return float(thermal / self.valence * np.log(self.outside / self.inside))

    def open_fraction(self, gates: Mapping[str, ArrayLike]) -> Array:
        """Fraction of the channels that conduct, from the gate values by name."""
        fraction = np.ones(())
        for gate in self.gates:
            fraction = fraction * np.asarray(gates[gate.name], float) ** gate.exponent
        return fraction

    def open_current(
        self, v: ArrayLike, celsius: float, inside: ArrayLike | None = None, outside: ArrayLike | None = None
    ) -> Array:
        """Outward current density with every gate open at ``v`` (mV), mA/cm2.

        ``inside`` and ``outside`` (mM) are the channel's own where they are not given.
        """
        within, beyond = self._sides(inside, outside)
        x, scale = self._reduced(v, celsius), self._scale(celsius)
        # x / (1 - exp(-x)) and x / (exp(x) - 1) are safe at 0.
        return scale * (within * linoid(-x) - beyond * linoid(x))

    def open_slope(
        self, v: ArrayLike, celsius: float, inside: ArrayLike | None = None, outside: ArrayLike | None = None
    ) -> Array:
        """Derivative of ``open_current`` with respect to V, S/cm2 (mA/cm2 per mV)."""
        within, beyond = self._sides(inside, outside)
        x, scale = self._reduced(v, celsius), self._scale(celsius)
        by_x = -within * _linoid_slope(-x) - beyond * _linoid_slope(x)
        return scale * by_x * self._reduced(1.0, celsius)

    def current(
        self,
        v: ArrayLike,
        gates: Mapping[str, ArrayLike],
        celsius: float | None,
        inside: ArrayLike | None = None,
        outside: ArrayLike | None = None,
    ) -> Array:
        """Outward current density, mA/cm2; ``inside`` and ``outside`` as for ``open_current``."""
        if celsius is None:
            raise ValueError(
                f"channel {self.name!r} conducts by permeability: its current needs celsius=..., degC"
            )
        return self.open_current(v, celsius, inside, outside) * self.open_fraction(gates)

    def _sides(self, inside: ArrayLike | None, outside: ArrayLike | None) -> tuple[Array, Array]:
        given = (self.inside if inside is None else inside, self.outside if outside is None else outside)
        within, beyond = (np.asarray(c, float) for c in given)
        return within, beyond

    def _scale(self, celsius: float) -> float:
        """P z F in mA/cm2 per mM."""
        warmed = self.permeability * self.q10 ** ((celsius - self.q10_celsius) / 10.0)
        # mM is 1e-6 mol/cm3; A is 1e3 mA.
        return warmed * self.valence * FARADAY * 1e-6 * 1e3

    def _reduced(self, v: ArrayLike, celsius: float) -> Array:
        return np.asarray(v, float) * (self.valence * FARADAY * 1e-3 / (GAS * (celsius + KELVIN)))


def _linoid_slope(x: Array) -> Array:
    """Derivative of x / (exp(x) - 1); its series near 0, where the quotient loses its digits."""
    near = np.abs(x) < 1e-2
    safe = np.where(near, 1.0, x)
    with np.errstate(over="ignore", invalid="ignore"):
        grown = np.expm1(safe)
        # d/dx x/(e^x - 1) = (1 - x e^x/(e^x - 1)) / (e^x - 1), and x e^x/(e^x - 1) = linoid(-x)
        far = np.where(safe > 500.0, 0.0, (1.0 - linoid(-safe)) / grown)
    square = x * x
    return np.where(near, -0.5 + x * (1.0 / 6.0 - square * (1.0 / 180.0 - square / 5040.0)), far)

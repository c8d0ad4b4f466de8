"""The space clamp: a patch of membrane without an axon, as one compartment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import positive
from axon.geometry import DEFAULT_CELSIUS, Axon
from axon.membranes import Membrane

AREA = 1e-3  # cm2: of this much membrane, 1 uA/cm2 is 1 nA
_DIAMETER = 1000.0  # um
_WIRE = 1e-6  # ohm cm: with a wire along the axis the default mesh is one compartment, up to 40 cm2


def space_clamp(membrane: Membrane, *, celsius: float = DEFAULT_CELSIUS, area: float = AREA) -> Axon:
    """Return an axon so short that all its membrane has one voltage, as with a wire inside.

    Parameters
    ----------
    membrane : Membrane
    celsius : float
        degC.
    area : float
        Of membrane, cm2. The default makes 1 nA the same as 1 uA/cm2.

    Returns
    -------
    Axon
        One compartment.
    """
    length = positive("area", area, "cm2") * 1e8 / (math.pi * _DIAMETER)
    return Axon(
        length=length, diameter=_DIAMETER, membrane=membrane, axial_resistivity=_WIRE, celsius=celsius
    )


def nanoamperes(axon: Axon, density: ArrayLike) -> NDArray[np.float64]:
    """Return the current (nA) that is ``density`` (uA/cm2, any shape) through all membrane of a space clamp.

    Raises
    ------
    ValueError
        When the axon is more than one compartment, whose membrane shares no one current density.
    """
    return np.asarray(density, float) * area_of(axon) * 1e3  # uA -> nA


def microamperes_per_cm2(axon: Axon, current: ArrayLike) -> NDArray[np.float64]:
    """Return the density (uA/cm2) of a current (nA, any shape) through all membrane of a space clamp.

    Raises
    ------
    ValueError
        When the axon is more than one compartment.
    """
    return np.asarray(current, float) / area_of(axon) * 1e-3


def area_of(axon: Axon) -> float:
    """Membrane of a space clamp, cm2."""
    compartments = axon.compartments()
    if len(compartments) != 1:
        raise ValueError(
            f"a current density needs a space clamp, got an axon of {len(compartments)} compartments; "
            "use space_clamp(membrane)"
        )
    return float(compartments.area[0])

"""From an axon as one describes it to compartments as the engine wants them.

This is the one place where micrometres become centimetres and densities become totals.
"""

from __future__ import annotations

from axon.geometry.axon import Axon
from axon.geometry.compartments import Compartments
from axon.geometry.mesh import MESH_FREQUENCY_HZ, default_dx, length_constant
from axon.geometry.section import (
    CM_PER_UM,
    DEFAULT_AXIAL_RESISTIVITY,
    DEFAULT_CELSIUS,
    End,
    Myelin,
    Section,
)

__all__ = [
    "CM_PER_UM",
    "DEFAULT_AXIAL_RESISTIVITY",
    "DEFAULT_CELSIUS",
    "MESH_FREQUENCY_HZ",
    "Axon",
    "Compartments",
    "End",
    "Myelin",
    "Section",
    "default_dx",
    "length_constant",
]

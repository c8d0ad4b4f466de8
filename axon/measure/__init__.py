"""From arrays to numbers: when the spike came by, and how fast it travelled."""

from __future__ import annotations

from axon.measure.arrivals import Branch, branches, first_arrivals
from axon.measure.velocity import Velocity, conduction_velocity, local_velocity

__all__ = ["Branch", "Velocity", "branches", "conduction_velocity", "first_arrivals", "local_velocity"]

"""Steady waves of uniform axons: the velocity without time stepping, both branches, and where they end."""

from __future__ import annotations

from axon.protocols.wave.continuation import WaveBranch, WaveFamily, wave_family, wave_speeds
from axon.protocols.wave.mesh import NotConverged
from axon.protocols.wave.travelling import TravellingWave, travelling_wave

__all__ = [
    "NotConverged",
    "TravellingWave",
    "WaveBranch",
    "WaveFamily",
    "travelling_wave",
    "wave_family",
    "wave_speeds",
]

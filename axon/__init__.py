"""Action potentials travelling down an axon: a cable-equation simulator.

>>> import axon
>>> squid = axon.Axon(length=100_000, diameter=476, membrane=axon.hodgkin_huxley(),
...                   axial_resistivity=35.4, celsius=18.5)
>>> run = axon.simulate(squid, axon.Pulse(amplitude=400_000, start=0.5, duration=0.2, at=0), duration=10)
>>> print(f"{run.velocity().value:.2f} m/s")
18.73 m/s

Units everywhere: ms, mV, um, nA, S/cm2, uF/cm2, ohm cm, degC, m/s.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from axon.errors import AxonError, FileFormatError, NoPropagation, NoRest, Unstable, unknown_name
from axon.geometry import Axon, Section
from axon.job import default_dt
from axon.measure.velocity import Velocity
from axon.membranes import Channel, Gate, Membrane, hodgkin_huxley, passive
from axon.record import Record
from axon.run import Run, load
from axon.simulate import simulate, simulate_many
from axon.stimuli import Clamp, Pulse, Train

if TYPE_CHECKING:
    from axon.draw import animate, plot_kymograph, plot_run, plot_snapshots, plot_traces
    from axon.protocols.stimulus import suprathreshold_pulse
    from axon.protocols.velocity import MeasuredVelocity, measure_velocity
    from axon.protocols.wave import travelling_wave, wave_speeds

# Names whose home is imported when they are first used, so that ``import axon`` stays light.
_LATER = {
    "animate": "draw",
    "measure_velocity": "protocols.velocity",
    "MeasuredVelocity": "protocols.velocity",
    "travelling_wave": "protocols.wave",
    "wave_speeds": "protocols.wave",
    "plot_kymograph": "draw",
    "plot_run": "draw",
    "plot_snapshots": "draw",
    "plot_traces": "draw",
    "suprathreshold_pulse": "protocols.stimulus",
}

__all__ = [
    "Axon",
    "AxonError",
    "Channel",
    "Clamp",
    "FileFormatError",
    "Gate",
    "MeasuredVelocity",
    "Membrane",
    "NoPropagation",
    "NoRest",
    "Pulse",
    "Record",
    "Run",
    "Section",
    "Train",
    "Unstable",
    "Velocity",
    "animate",
    "default_dt",
    "hodgkin_huxley",
    "load",
    "measure_velocity",
    "passive",
    "plot_kymograph",
    "plot_run",
    "plot_snapshots",
    "plot_traces",
    "simulate",
    "simulate_many",
    "suprathreshold_pulse",
    "travelling_wave",
    "wave_speeds",
]

logging.getLogger("axon").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        # A dunder asked for by Python itself is no misspelling.
        known = __all__ if not name.startswith("__") else ()
        raise AttributeError(unknown_name("name in axon", name, known))
    value = getattr(importlib.import_module(f"axon.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

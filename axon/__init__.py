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

from axon.discretise.job import default_dt
from axon.errors import AxonError, FileFormatError, NoPropagation, NoRest, Unstable, unknown_name
from axon.geometry import Axon, End, Myelin, Section
from axon.measure.velocity import Velocity
from axon.membranes import (
    Buffer,
    Channel,
    Gate,
    Membrane,
    PermeableChannel,
    Pool,
    Transporter,
    frankenhaeuser_huxley,
    gaines_motor_internode,
    gaines_motor_node,
    gaines_motor_paranode,
    gaines_sensory_internode,
    gaines_sensory_node,
    gaines_sensory_paranode,
    hodgkin_huxley,
    insulator,
    mrg_internode,
    mrg_node,
    mrg_paranode,
    passive,
    rattay_aberham,
    schild_1994,
    schild_1997,
    schwarz_eikhof,
    schwarz_reid_bostock,
    sundt,
    sweeney,
    tigerholm,
)
from axon.record import Record
from axon.run import Run, load
from axon.schedule import AroundSpikes, Every
from axon.simulate import simulate, simulate_many
from axon.stimuli import Clamp, Pulse, Ramp, Synapse, Train

if TYPE_CHECKING:
    from axon.action_potential import phases
    from axon.compare import Difference, Parting, diff
    from axon.doctor import Finding, check
    from axon.draw import animate, plot_kymograph, plot_run, plot_snapshots, plot_traces
    from axon.draw.clamp import plot_clamp
    from axon.draw.kinetics import plot_kinetics
    from axon.draw.nerve import plot_volley
    from axon.draw.phases import plot_phases
    from axon.draw.sweep import plot_sweep
    from axon.draw.tornado import plot_tornado
    from axon.draw.viewer import view
    from axon.export import export_run
    from axon.fibres import (
        demyelinated,
        double_cable_internode,
        fibre,
        myelinated,
        remyelinated,
        single_cable_internode,
    )
    from axon.ions import Ions, Pump, ghk_voltage, nernst, sodium_permeability
    from axon.measure.landmarks import NoSpike
    from axon.measure.spike import spike_shape
    from axon.measure.wake import Wake
    from axon.membranes.kinetics import gate_kinetics
    from axon.membranes.shift import shifted
    from axon.onward import fork, resume, window
    from axon.protocols.clamp import voltage_clamp
    from axon.protocols.demyelination import FailingLoss, find_failing_loss
    from axon.protocols.firing import FiringCurve, FiringRange, firing_curve, firing_range, hopf_currents
    from axon.protocols.following import Following, follow_train, following_limit
    from axon.protocols.ion_run import IonRun, SpikeCost, spike_cost
    from axon.protocols.ions import simulate_ions
    from axon.protocols.recovery import RecoveryCycle, recovery_cycle
    from axon.protocols.reentry import refractory_wake, velocity_in_wake
    from axon.protocols.refractory import RefractoryPeriod, least_interval, refractory_period
    from axon.protocols.space_clamp import microamperes_per_cm2, nanoamperes, space_clamp
    from axon.protocols.stimulus import suprathreshold_pulse
    from axon.protocols.strength_duration import StrengthDuration, strength_duration
    from axon.protocols.threshold import NoThreshold, Threshold, find_threshold
    from axon.protocols.trials import Undecided
    from axon.protocols.velocity import MeasuredVelocity, measure_velocity
    from axon.protocols.wave import TravellingWave, travelling_wave, wave_family, wave_speeds
    from axon.shapes.altered import altered, cut
    from axon.shapes.morphology import read_swc
    from axon.shapes.trees import equivalent_cylinder, forked, geometric_ratio, soma, soma_load
    from axon.shapes.varying import beaded, taper, varying
    from axon.sweeps.asking import sweep
    from axon.sweeps.boundary import Boundary
    from axon.sweeps.plans import Grid, LatinHypercube, Random, Sobol, Span, Zipped
    from axon.sweeps.population import Fibres, Population, Volley
    from axon.sweeps.result import Sweep, load_sweep
    from axon.sweeps.sensitivity import Sensitivity, sensitivity, wave_sensitivity
    from axon.sweeps.study_file import Study, read_study

# Names whose home is imported when they are first used, so that ``import axon`` stays light.
_LATER = {
    "Boundary": "sweeps.boundary",
    "Fibres": "sweeps.population",
    "FiringCurve": "protocols.firing",
    "FiringRange": "protocols.firing",
    "Following": "protocols.following",
    "FailingLoss": "protocols.demyelination",
    "Finding": "doctor",
    "Parting": "compare",
    "Difference": "compare",
    "Grid": "sweeps.plans",
    "IonRun": "protocols.ion_run",
    "Ions": "ions",
    "LatinHypercube": "sweeps.plans",
    "MeasuredVelocity": "protocols.velocity",
    "NoSpike": "measure.landmarks",
    "NoThreshold": "protocols.threshold",
    "Population": "sweeps.population",
    "Pump": "ions",
    "Random": "sweeps.plans",
    "RecoveryCycle": "protocols.recovery",
    "RefractoryPeriod": "protocols.refractory",
    "Sensitivity": "sweeps.sensitivity",
    "Sobol": "sweeps.plans",
    "Span": "sweeps.plans",
    "SpikeCost": "protocols.ion_run",
    "StrengthDuration": "protocols.strength_duration",
    "Study": "sweeps.study_file",
    "Sweep": "sweeps.result",
    "Threshold": "protocols.threshold",
    "TravellingWave": "protocols.wave",
    "Undecided": "protocols.trials",
    "Volley": "sweeps.population",
    "Wake": "measure.wake",
    "Zipped": "sweeps.plans",
    "altered": "shapes.altered",
    "animate": "draw",
    "beaded": "shapes.varying",
    "check": "doctor",
    "cut": "shapes.altered",
    "export_run": "export",
    "diff": "compare",
    "demyelinated": "fibres",
    "double_cable_internode": "fibres",
    "equivalent_cylinder": "shapes.trees",
    "fibre": "fibres",
    "find_failing_loss": "protocols.demyelination",
    "find_threshold": "protocols.threshold",
    "firing_curve": "protocols.firing",
    "firing_range": "protocols.firing",
    "follow_train": "protocols.following",
    "following_limit": "protocols.following",
    "fork": "onward",
    "forked": "shapes.trees",
    "gate_kinetics": "membranes.kinetics",
    "geometric_ratio": "shapes.trees",
    "ghk_voltage": "ions",
    "hopf_currents": "protocols.firing",
    "least_interval": "protocols.refractory",
    "load_sweep": "sweeps.result",
    "measure_velocity": "protocols.velocity",
    "microamperes_per_cm2": "protocols.space_clamp",
    "myelinated": "fibres",
    "nanoamperes": "protocols.space_clamp",
    "nernst": "ions",
    "phases": "action_potential",
    "plot_clamp": "draw.clamp",
    "plot_kinetics": "draw.kinetics",
    "plot_kymograph": "draw",
    "plot_phases": "draw.phases",
    "plot_run": "draw",
    "plot_snapshots": "draw",
    "plot_sweep": "draw.sweep",
    "plot_tornado": "draw.tornado",
    "plot_traces": "draw",
    "plot_volley": "draw.nerve",
    "read_study": "sweeps.study_file",
    "read_swc": "shapes.morphology",
    "recovery_cycle": "protocols.recovery",
    "refractory_period": "protocols.refractory",
    "refractory_wake": "protocols.reentry",
    "remyelinated": "fibres",
    "resume": "onward",
    "sensitivity": "sweeps.sensitivity",
    "shifted": "membranes.shift",
    "simulate_ions": "protocols.ions",
    "single_cable_internode": "fibres",
    "sodium_permeability": "ions",
    "soma": "shapes.trees",
    "soma_load": "shapes.trees",
    "space_clamp": "protocols.space_clamp",
    "spike_cost": "protocols.ion_run",
    "spike_shape": "measure.spike",
    "strength_duration": "protocols.strength_duration",
    "suprathreshold_pulse": "protocols.stimulus",
    "sweep": "sweeps.asking",
    "taper": "shapes.varying",
    "travelling_wave": "protocols.wave",
    "varying": "shapes.varying",
    "velocity_in_wake": "protocols.reentry",
    "view": "draw.viewer",
    "voltage_clamp": "protocols.clamp",
    "wave_family": "protocols.wave",
    "wave_sensitivity": "sweeps.sensitivity",
    "wave_speeds": "protocols.wave",
    "window": "onward",
}

__all__ = [
    "AroundSpikes",
    "Axon",
    "AxonError",
    "Boundary",
    "Buffer",
    "Channel",
    "Clamp",
    "Difference",
    "End",
    "Every",
    "FailingLoss",
    "Fibres",
    "FileFormatError",
    "Finding",
    "FiringCurve",
    "FiringRange",
    "Following",
    "Gate",
    "Grid",
    "IonRun",
    "Ions",
    "LatinHypercube",
    "MeasuredVelocity",
    "Membrane",
    "Myelin",
    "NoPropagation",
    "NoRest",
    "NoSpike",
    "NoThreshold",
    "Parting",
    "PermeableChannel",
    "Pool",
    "Population",
    "Pulse",
    "Pump",
    "Ramp",
    "Random",
    "Record",
    "RecoveryCycle",
    "RefractoryPeriod",
    "Run",
    "Section",
    "Sensitivity",
    "Sobol",
    "Span",
    "SpikeCost",
    "StrengthDuration",
    "Study",
    "Sweep",
    "Synapse",
    "Threshold",
    "Train",
    "Transporter",
    "TravellingWave",
    "Undecided",
    "Unstable",
    "Velocity",
    "Volley",
    "Wake",
    "Zipped",
    "altered",
    "animate",
    "beaded",
    "check",
    "cut",
    "default_dt",
    "demyelinated",
    "diff",
    "double_cable_internode",
    "equivalent_cylinder",
    "export_run",
    "fibre",
    "find_failing_loss",
    "find_threshold",
    "firing_curve",
    "firing_range",
    "follow_train",
    "following_limit",
    "fork",
    "forked",
    "frankenhaeuser_huxley",
    "gaines_motor_internode",
    "gaines_motor_node",
    "gaines_motor_paranode",
    "gaines_sensory_internode",
    "gaines_sensory_node",
    "gaines_sensory_paranode",
    "gate_kinetics",
    "geometric_ratio",
    "ghk_voltage",
    "hodgkin_huxley",
    "hopf_currents",
    "insulator",
    "least_interval",
    "load",
    "load_sweep",
    "measure_velocity",
    "microamperes_per_cm2",
    "mrg_internode",
    "mrg_node",
    "mrg_paranode",
    "myelinated",
    "nanoamperes",
    "nernst",
    "passive",
    "phases",
    "plot_clamp",
    "plot_kinetics",
    "plot_kymograph",
    "plot_phases",
    "plot_run",
    "plot_snapshots",
    "plot_sweep",
    "plot_tornado",
    "plot_traces",
    "plot_volley",
    "rattay_aberham",
    "read_study",
    "read_swc",
    "recovery_cycle",
    "refractory_period",
    "refractory_wake",
    "remyelinated",
    "resume",
    "schild_1994",
    "schild_1997",
    "schwarz_eikhof",
    "schwarz_reid_bostock",
    "sensitivity",
    "shifted",
    "simulate",
    "simulate_ions",
    "simulate_many",
    "single_cable_internode",
    "sodium_permeability",
    "soma",
    "soma_load",
    "space_clamp",
    "spike_cost",
    "spike_shape",
    "strength_duration",
    "sundt",
    "suprathreshold_pulse",
    "sweeney",
    "sweep",
    "taper",
    "tigerholm",
    "travelling_wave",
    "varying",
    "velocity_in_wake",
    "view",
    "voltage_clamp",
    "wave_family",
    "wave_sensitivity",
    "wave_speeds",
    "window",
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

"""One simulation asked for: checked at the door, discretised, ready to step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import positive
from axon.discretise.keep import compartments_of, kept
from axon.discretise.rest import resting_state
from axon.geometry import Axon, Compartments
from axon.membranes import Channel
from axon.record import Record
from axon.stimuli import Clamp, Stimulus

Array = NDArray[np.floating]

# The default step is this part of the fastest gate's time constant (between -70 and +50 mV), and never longer
# than LONGEST_STEP; a step longer than COARSEST of those time constants gives no spike worth the name.
# At nodes it is read up to NODE_VOLTAGE: current from the node before carries them past threshold, and how
# fast gates are at the peak, where those of a mammal take 2 us, moves the velocity no more.
STEPS_PER_TIME_CONSTANT = 8.0
LONGEST_STEP = 0.025  # ms
NODE_VOLTAGE = -20.0  # mV
COARSEST = 4.0
# A compartment that its neighbours charge this many times over in a step rings when its stimulus jumps.
STIFF = 20.0
NOISES = ("markov", "langevin")
# The Langevin step splits mean and noise, and wants steps shorter than this part of that time constant.
COARSEST_LANGEVIN = 0.5


def default_dt(axon: Axon) -> float:
    """Time step (ms) used when none is given: an eighth of the fastest gate's time constant, rounded down.

    On the squid axon this is 0.0025 ms at 18.5 degC and 0.01 ms at 6.3 degC, and leaves an error of velocity
    near 0.01 %, or with ``order=4`` below 0.0003 % (study ``convergence``). On an MRG fibre it is 0.001 ms,
    and the error 0.0004 %.
    """
    fastest = fastest_time_constant(axon)
    if not math.isfinite(fastest):
        return LONGEST_STEP
    wanted = min(fastest / STEPS_PER_TIME_CONSTANT, LONGEST_STEP)
    decade = 10.0 ** math.floor(math.log10(wanted))
    return max(m * decade for m in (1.0, 2.0, 2.5, 5.0) if m * decade <= wanted * (1 + 1e-12))


def fastest_time_constant(axon: Axon) -> float:
    """Shortest time constant (ms) of any gate along the axon between -70 and +50 mV, or at nodes -20 mV."""
    if len(axon.sections) == 1:
        return axon.sections[0].membrane.fastest_time_constant(axon.sections[0].celsius)
    nodes = axon.nodes if axon.myelinated else ()
    sections = [axon.sections[node] for node in nodes] or axon.sections
    different = {(id(section.membrane), section.celsius): section.membrane for section in sections}
    below = (NODE_VOLTAGE,) if nodes else ()
    return min(patch.fastest_time_constant(celsius, *below) for (_, celsius), patch in different.items())


_resting_state = kept(resting_state)


@dataclass
class Job:
    """One axon, checked and discretised.

    Steps are counted from time 0 whether the job begins there, at rest or at a given voltage, or later, from
    a checkpoint (``start``).
    """

    axon: Axon
    stimuli: tuple[Stimulus, ...]
    compartments: Compartments
    dx: float | None
    dt: float
    steps: int
    v: Array  # mV, at the start
    periaxonal: Array  # mV under the myelin, at the start
    jumps: tuple[int, ...] = ()  # steps at which a stimulus jumps that would make a stiff place ring
    third: bool = False  # of third order in dt
    kinks: Mapping[int, bool] = field(default_factory=dict)  # if so; see _kinks
    start: Mapping[str, NDArray[Any]] | None = None

    @property
    def first(self) -> int:
        """The step with which the job begins."""
        return 0 if self.start is None else int(self.start["step"])


def prepare(
    axon: Axon,
    stimuli: tuple[Stimulus, ...],
    duration: float,
    dt: float | None,
    dx: float | None,
    order: int,
    record: Record,
    initial_voltage: ArrayLike | None,
    noise: str | None = None,
) -> Job:
    """Check everything asked of one axon, cut it up and find its initial voltage; see ``simulate``."""
    step = default_dt(axon) if dt is None else positive("dt", dt, "ms")
    if step > duration:
        raise ValueError(f"duration must be at least one time step of {step:g} ms, got {duration!r}")
    coarsest = COARSEST * fastest_time_constant(axon)
    if step > coarsest:
        raise ValueError(
            f"dt = {dt!r} ms is too large for a stable answer: the fastest gate has a time constant of "
            f"{coarsest / COARSEST:.3g} ms; use at most {coarsest:.2g} ms "
            f"({default_dt(axon):g} ms is the default)"
        )
    if noise is not None:
        _check_noise(axon, noise, step)
    compartments = compartments_of(axon, dx)
    if order == 4 and (compartments.branched or compartments.sheath is not None):
        raise ValueError("order must be 2 on an axon that branches or has myelin, got 4")
    for stimulus in stimuli:
        axon.distance(f"{type(stimulus).__name__}.at", stimulus.at)
    held = [compartments.nearest(s.at) for s in stimuli if isinstance(s, Clamp)]
    if len(set(held)) < len(held):
        raise ValueError("two Clamps hold the same compartment; move one of them or make dx smaller")
    if initial_voltage is None:
        v, periaxonal = _resting_state(compartments)
    else:
        given = np.asarray(initial_voltage, float)
        if given.shape not in ((), (len(compartments),)):
            raise ValueError(
                f"initial_voltage must be one number or one for each of the {len(compartments)} "
                f"compartments, got an array of shape {given.shape}"
            )
        v, periaxonal = np.array(np.broadcast_to(given, (len(compartments),))), np.zeros(len(compartments))
        if not np.isfinite(v).all():
            raise ValueError("initial_voltage must be finite mV, got a value that is not")
    record.indices(compartments)
    record.gate_names(axon, noise=noise)
    record.current_names(axon)
    record.concentration_names(axon)
    steps = math.ceil(duration / step - 1e-9)
    jumps = _ringing(compartments, stimuli, step) if axon.myelinated or axon.nodes else ()
    third = noise is None and order_in_dt(axon, order) == 3
    kinks = _kinks(stimuli, step) if third else {}
    return Job(axon, stimuli, compartments, dx, step, steps, v, periaxonal, jumps, third, kinks)


def order_in_dt(axon: Axon, order: int) -> int:
    """Order of accuracy in dt of a run without noise on a mesh of ``order``.

    Third with the mesh of fourth order, and on fibres with nodes, between which a spike is a few steps under
    way; second otherwise, and where concentrations, which step beside the voltage by second order, drift.
    """
    drifting = any(section.membrane.drifts for section in axon.sections)
    return 3 if (order == 4 or axon.myelinated) and not drifting else 2


def _kinks(stimuli: tuple[Stimulus, ...], dt: float) -> dict[int, bool]:
    """Steps that go on in another way than those before, and whether a stimulus jumps right between the two.

    Where it jumps inside a step, that one and the next do.
    """
    out: dict[int, bool] = {}
    for one in stimuli:
        for time in () if isinstance(one, Clamp) else one.jumps:
            if time < math.inf:
                step = math.floor(time / dt + 1e-9)
                between = time - step * dt < 1e-6 * dt
                for k in (step,) if between else (step, step + 1):
                    out[k] = between and out.get(k, True)
    return out


def _ringing(compartments: Compartments, stimuli: tuple[Stimulus, ...], dt: float) -> tuple[int, ...]:
    """Steps in which a stimulus jumps at a node so small that Crank-Nicolson would let it ring for long."""
    steps: set[int] = set()
    for stimulus in stimuli:
        if not isinstance(stimulus, Clamp):  # whose jumps the engine sees by itself
            at = compartments.nearest(stimulus.at)
            g = compartments.axial_conductance[max(at - 1, 0) : at + 1].sum()
            if dt * g > STIFF * compartments.capacitance[at]:
                steps.update(math.floor(time / dt + 1e-9) for time in stimulus.jumps if time < math.inf)
    return tuple(sorted(steps))


def _check_noise(axon: Axon, noise: str, dt: float) -> None:
    """Whether the channels of this axon can be left to chance."""
    if any(section.membrane.drifts for section in axon.sections):
        raise ValueError(f"noise={noise!r} is not available with membranes that have pools or transporters")
    if axon.ring or axon.parents or any(section.myelin for section in axon.sections):
        raise ValueError(
            f"noise={noise!r} is not available on a ring, on a tree or under myelin; leave them out"
        )
    channels = [channel for membrane in axon.membranes for channel in membrane.channels]
    for channel in channels:
        if not isinstance(channel, Channel):
            raise ValueError(
                f"noise={noise!r} is not available with channel {channel.name!r}, which conducts by "
                "permeability; describe it by a conductance, as a Channel"
            )
        if any(gate.instantaneous for gate in channel.gates):
            raise ValueError(
                f"noise={noise!r} is not available with channel {channel.name!r}, which has instantaneous "
                "gates; give them a tau"
            )
    if all(channel.unitary is None for channel in channels if isinstance(channel, Channel)):
        raise ValueError(
            f"noise={noise!r} needs a channel with a unitary conductance; give one, for example "
            "Channel(..., unitary=20.0) for 20 pS"
        )
    gates = {gate for membrane in axon.membranes for gate in membrane.gates}
    both = sorted(gates & {channel.name for channel in channels})
    if both:
        raise ValueError(f"noise={noise!r} needs names that differ, but {both[0]!r} is a gate and a channel")
    coarsest = COARSEST_LANGEVIN * fastest_time_constant(axon)
    if noise == "langevin" and dt > coarsest:
        raise ValueError(
            f'dt = {dt:g} ms is too large for noise="langevin": use at most {coarsest:.2g} ms '
            f"({default_dt(axon):g} ms is the default)"
        )

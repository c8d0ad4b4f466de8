"""From compartments, membranes and stimuli to the arrays that the engine steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place
from axon.discretise.even import even_frame
from axon.discretise.job import Job
from axon.discretise.keep import LONGEST, kept
from axon.discretise.slots import (
    US_PER_S,
    Coefficients,
    Slot,
    linear,
    own_channels,
    signature,
    slots,
    stepped_channels,
)
from axon.discretise.sources import feeds
from axon.engine.cables import Cable, Limbs, Patch
from axon.geometry import Compartments
from axon.membranes import Channel, Membrane
from axon.stimuli import Clamp, Pulse, Ramp, Synapse, Train

Array = NDArray[Any]


def cable_of(job: Job, order: int) -> Cable:
    """The engine's view of the axon of a job, on a mesh of order 2 or 4."""
    currents = [stimulus for stimulus in job.stimuli if not isinstance(stimulus, Clamp)]
    clamps = [stimulus for stimulus in job.stimuli if isinstance(stimulus, Clamp)]
    return build_cable(
        job.compartments, currents, clamps, job.v, job.periaxonal, dt=job.dt, order=order, third=job.third
    )


def build_cable(
    compartments: Compartments,
    sources: Sequence[Pulse | Train | Ramp | Synapse],
    clamps: Sequence[Clamp],
    v: Array,
    periaxonal: Array,
    *,
    dt: float,
    order: int,
    third: bool = False,
) -> Cable:
    """The engine's view of one axon.

    Parameters
    ----------
    compartments : Compartments
    sources, clamps : sequence
        Stimuli that inject current or open a conductance, and those that impose voltage.
    v : (n,) ndarray
        Initial voltage, mV; the gates start at their steady state there.
    periaxonal : (n,) ndarray
        Initial voltage across the myelin, mV; of no account where there is none.
    dt : float
        ms.
    order : int
        2 or 4, of the mesh.
    third : bool
        Of third order in dt, instead of second.
    """
    sites = tuple((source.at, isinstance(source, Synapse)) for source in sources)
    described = (sites, tuple(clamp.at for clamp in clamps), dt, order, third)
    plain = not compartments.branched and compartments.sheath is None
    if plain and len(v) <= LONGEST and v.min() == v.max():
        return _at_one_voltage(compartments, float(v[0]), *described)
    frame = _frame(compartments, *described)
    return _started(frame, compartments, v, periaxonal)


@kept
def _at_one_voltage(compartments: Compartments, v: float, *described: Any) -> Cable:
    """The cable of an axon that starts at ``v`` (mV) everywhere, as a uniform one does from rest."""
    return _started(_frame(compartments, *described), compartments, np.full(len(compartments), v))


def _started(frame: Cable, compartments: Compartments, v: Array, around: Array | None = None) -> Cable:
    gates = _steady_gates(compartments, v)
    joints = len(frame) - len(v)
    if joints:
        v = np.append(v, np.full(joints, v.mean()))
        gates = np.append(gates, np.zeros((joints, gates.shape[1])), axis=0)
    kept_frame = frame if len(frame) <= LONGEST else None
    return replace(frame, v=v, gates=gates, around=around, frame=kept_frame)


@kept
def _frame(
    compartments: Compartments,
    sites: tuple[tuple[Place, bool], ...],
    held: tuple[Place, ...],
    dt: float,
    order: int,
    third: bool,
) -> Cable:
    """The cable of an axon but for its start, with stimuli at ``sites`` (whether a synapse) and clamps."""
    if compartments.even and not held and not any(synapse for _, synapse in sites):
        return even_frame(compartments, sites, dt, order, third)
    n = len(compartments)
    kinds, which = compartments.patches()
    membranes = [membrane for membrane, _ in kinds]
    signatures = [signature(membrane) for membrane in membranes]
    patches = [
        Patch(shape, Coefficients(membrane, celsius, dt / 2 if third else dt))
        for shape, (membrane, celsius) in zip(signatures, kinds, strict=True)
    ]
    conductance = np.zeros((n, max((len(s) for s in signatures), default=0)))
    reversal = np.zeros_like(conductance)
    leak, leak_current = compartments.end_conductance.copy(), compartments.end_current.copy()
    scale = compartments.area * US_PER_S
    for k, (membrane, celsius) in enumerate(kinds):
        here = slice(None) if len(kinds) == 1 else np.flatnonzero(which == k)
        for j, channel in enumerate(stepped_channels(membrane)):
            # Slope and rest are tabulated whole: nothing is left to multiply but the area.
            conductance[here, j] = scale[here]
            reversal[here, j] = 1.0
            if isinstance(channel, Channel) and linear(channel):
                conductance[here, j] *= channel.density(celsius)
                reversal[here, j] = channel.reversal
        for channel in own_channels(membrane):
            if isinstance(channel, Channel) and not channel.gates:
                leak[here] += channel.density(celsius) * scale[here]
                leak_current[here] += channel.density(celsius) * channel.reversal * scale[here]
    place, weight, row, opens = feeds(compartments, sites, order)
    clamped = np.array([compartments.nearest(at) for at in held], dtype=np.intp)
    rough = np.concatenate([clamped, place[opens], np.flatnonzero(compartments.end_conductance)])
    cable = Cable(
        capacity=2.0 * compartments.capacitance / dt,
        leak=leak,
        leak_current=leak_current,
        coupling=_coupling(compartments),
        smooth=_smooth(compartments, rough) if order == 4 else np.zeros(n, bool),
        patch=which,
        conductance=conductance,
        reversal=reversal,
        v=np.zeros(n),
        gates=np.zeros((n, max(sum(len(c) for c in s) for s in signatures))),
        patches=patches,
        source_place=place,
        source_weight=weight,
        source_row=row,
        source_opens=opens,
        source_crosses=np.array([synapse for _, synapse in sites] + [True] * len(sites), bool)[row],
        clamp_place=clamped,
        third=third,
    )
    if compartments.branched or compartments.sheath is not None:
        return _on_limbs(cable, compartments, dt)
    return cable


def _on_limbs(cable: Cable, compartments: Compartments, dt: float) -> Cable:
    """The cable of a tree or with myelin: its joints behind the compartments, and how all hang together."""
    n, size = len(compartments), len(compartments.parent)
    joints = size - n

    def behind(values: Array, fill: float = 0.0) -> Array:
        return np.concatenate([values, np.full((joints, *values.shape[1:]), fill)])

    def to_parent(values: Array) -> Array:
        return np.concatenate([[0.0], values])

    sheath = compartments.sheath
    nothing = np.zeros(n)
    limbs = Limbs(
        compartments=n,
        parent=compartments.parent,
        axial=to_parent(compartments.axial_conductance),
        along=np.zeros(size) if sheath is None else to_parent(sheath.along),
        sheath=behind(nothing if sheath is None else 2.0 * sheath.capacitance / dt),
        sheath_leak=behind(nothing if sheath is None else sheath.conductance),
        open=behind(np.ones(n, bool) if sheath is None else sheath.open, sheath is None),
    )
    no_membrane = Patch((), _nothing)
    return replace(
        cable,
        capacity=behind(cable.capacity),
        leak=behind(cable.leak),
        leak_current=behind(cable.leak_current),
        coupling=np.zeros(size),
        smooth=np.zeros(size, bool),
        patch=behind(cable.patch, len(cable.patches)).astype(np.intp),
        conductance=behind(cable.conductance),
        reversal=behind(cable.reversal),
        v=behind(cable.v),
        gates=behind(cable.gates),
        patches=[*cable.patches, no_membrane] if joints else cable.patches,
        limbs=limbs,
    )


def _nothing(v: Array) -> tuple[Array, Array]:
    """Step coefficients of no gates."""
    return np.zeros((len(v), 0)), np.zeros((len(v), 0))


def _steady_gates(compartments: Compartments, v: Array) -> Array:
    """Gates (n, gates) in their steady state at the voltages ``v`` (n,) mV."""
    kinds, which = compartments.patches()
    gates = np.zeros((len(v), max(len(slots(membrane)) for membrane, _ in kinds)))
    if len(kinds) == 1 and v.min() == v.max():
        gates[:] = _steady_slots(*kinds[0], v[:1].tobytes())
        return gates
    steady = _steady_slots if len(v) <= LONGEST else _steady_slots.__wrapped__
    for k, (membrane, celsius) in enumerate(kinds):
        here = slice(None) if len(kinds) == 1 else np.flatnonzero(which == k)
        gates[here, : len(slots(membrane))] = steady(membrane, celsius, v[here].tobytes())
    return gates


@lru_cache(maxsize=256)
def _steady_slots(membrane: Membrane, celsius: float, voltages: bytes) -> Array:
    """The same of one membrane, (n, slots), at the bytes of (n,) voltages: axons of one kind start alike."""
    v = np.frombuffer(voltages)
    steady = [_steady(slot, celsius, v) for slot in slots(membrane)]
    return np.stack(steady, axis=1) if steady else np.zeros((len(v), 0))


def _steady(slot: Slot, celsius: float, v: Array) -> Array:
    if slot.gate is not None:
        return slot.gate.steady_state(v, celsius)
    return np.full_like(v, slot.role == "open")


def _coupling(compartments: Compartments) -> Array:
    if compartments.branched:
        return np.zeros(len(compartments))  # its limbs say it
    if compartments.ring:
        return np.roll(compartments.axial_conductance, 1)
    return np.concatenate([[0.0], compartments.axial_conductance])


def _smooth(compartments: Compartments, rough: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Faces to the compartment before where the compact operator holds: both sides equal, none ``rough``.

    Rough are compartments whose V has a kink that depends on V: clamped ones, those with synapses, and ends
    through which current flows.
    """
    same = np.ones(len(compartments), bool)
    for name in ("length", "diameter", "resistivity", "membrane", "celsius", "capacitance"):
        values = getattr(compartments, name)
        same[1:] &= values[1:] == values[:-1]
        same[0] &= values[0] == values[-1]
    if not compartments.ring:
        same[0] = False
    for at in rough:
        same[at] = same[(at + 1) % len(same)] = False
    return same

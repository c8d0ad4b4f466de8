"""From compartments, membranes and stimuli to the arrays that the engine steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine.lanes import Cable, Patch
from axon.geometry import Compartments
from axon.membranes import Channel, Membrane
from axon.stimuli import Clamp, Pulse, Ramp, Train

Array = NDArray[Any]

US_PER_S = 1e6


def gated_channels(membrane: Membrane) -> tuple[Channel, ...]:
    """The channels that have gates, in order."""
    return tuple(channel for channel in membrane.channels if channel.gates)


def step_coefficients(membrane: Membrane, celsius: float, dt: float, v: Array) -> tuple[Array, Array]:
    """Decay A and gain B of every gate over a step at the voltages ``v``: x <- A x + B.

    Parameters
    ----------
    membrane : Membrane
    celsius, dt : float
        degC, ms.
    v : (n,) ndarray
        mV.

    Returns
    -------
    decay, gain : (n, gates) ndarray
    """
    gates = [gate for channel in gated_channels(membrane) for gate in channel.gates]
    decay, gain = np.zeros((len(v), len(gates))), np.zeros((len(v), len(gates)))
    for i, gate in enumerate(gates):
        steady, rate = gate.kinetics(v, celsius)
        decay[:, i] = np.exp(-dt * rate)
        gain[:, i] = -steady * np.expm1(-dt * rate)
    return decay, gain


@dataclass(frozen=True)
class _Coefficients:
    """``step_coefficients`` of one membrane, temperature and step; equal ones compare equal."""

    membrane: Membrane
    celsius: float
    dt: float

    def __call__(self, v: Array) -> tuple[Array, Array]:
        return step_coefficients(self.membrane, self.celsius, self.dt, v)


def patch_kinds(compartments: Compartments) -> tuple[list[tuple[int, float]], NDArray[np.intp]]:
    """The different (membrane index, celsius) along the axon, and which one each compartment is."""
    if len(compartments.membranes) == 1 and np.ptp(compartments.celsius) == 0:
        return [(0, float(compartments.celsius[0]))], np.zeros(len(compartments), np.intp)
    both = compartments.membrane + 1j * compartments.celsius
    kinds, which = np.unique(both, return_inverse=True)
    return [(int(kind.real), float(kind.imag)) for kind in kinds], np.reshape(which, -1)


def build_cable(
    compartments: Compartments,
    currents: Sequence[Pulse | Train | Ramp],
    clamps: Sequence[Clamp],
    v: Array,
    *,
    dt: float,
    order: int,
) -> Cable:
    """The engine's view of one axon.

    Parameters
    ----------
    compartments : Compartments
    currents, clamps : sequence
        Stimuli that inject current, and those that impose voltage.
    v : (n,) ndarray
        Initial voltage, mV; the gates start at their steady state there.
    dt : float
        ms.
    order : int
        2 or 4, of the mesh.
    """
    n = len(compartments)
    kinds, which = patch_kinds(compartments)
    membranes = [compartments.membranes[m] for m, _ in kinds]
    signatures = [tuple(tuple(g.exponent for g in c.gates) for c in gated_channels(m)) for m in membranes]
    patches = [
        Patch(signature, _Coefficients(membrane, celsius, dt))
        for signature, membrane, (_, celsius) in zip(signatures, membranes, kinds, strict=True)
    ]
    conductance = np.zeros((n, max((len(s) for s in signatures), default=0)))
    reversal = np.zeros_like(conductance)
    gates = np.zeros((n, max(sum(len(c) for c in s) for s in signatures)))
    leak, leak_current = np.zeros(n), np.zeros(n)
    scale = compartments.area * US_PER_S
    for k, membrane in enumerate(membranes):
        here = which == k
        for j, channel in enumerate(gated_channels(membrane)):
            conductance[here, j] = channel.conductance * scale[here]
            reversal[here, j] = channel.reversal
        for channel in membrane.channels:
            if not channel.gates:
                leak[here] += channel.conductance * scale[here]
                leak_current[here] += channel.conductance * channel.reversal * scale[here]
        for i, gate in enumerate(gate for c in gated_channels(membrane) for gate in c.gates):
            gates[here, i] = gate.steady_state(np.unique(v[here]) if np.ptp(v[here]) == 0 else v[here])
    sources = [compartments.shares(stimulus.at, order) for stimulus in currents]
    held = np.array([compartments.nearest(clamp.at) for clamp in clamps], dtype=np.intp)
    return Cable(
        capacity=2.0 * compartments.capacitance / dt,
        leak=leak,
        leak_current=leak_current,
        coupling=_coupling(compartments),
        smooth=_smooth(compartments, held) if order == 4 else np.zeros(n, bool),
        patch=which,
        conductance=conductance,
        reversal=reversal,
        v=np.asarray(v, float),
        gates=gates,
        patches=patches,
        source_place=np.concatenate([np.zeros(0, np.intp), *(place for place, _ in sources)]),
        source_weight=np.concatenate([np.zeros(0), *(weight for _, weight in sources)]),
        source_stimulus=np.repeat(np.arange(len(sources)), [len(place) for place, _ in sources]),
        clamp_place=held,
    )


def _coupling(compartments: Compartments) -> Array:
    if compartments.ring:
        return np.roll(compartments.axial_conductance, 1)
    return np.concatenate([[0.0], compartments.axial_conductance])


def _smooth(compartments: Compartments, held: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Faces to the compartment before where the compact operator holds: both sides equal, none clamped."""
    before = np.arange(len(compartments)) - 1
    same = np.ones(len(compartments), bool)
    for name in ("length", "diameter", "resistivity", "membrane", "celsius"):
        values = getattr(compartments, name)
        same &= values == values[before]
    if not compartments.ring:
        same[0] = False
    for at in held:
        same[at] = same[(at + 1) % len(same)] = False
    return same

"""Cables of axons whose compartments are all alike: what most axons are, and what a sweep makes thousands of.

Everything that the general way works out compartment by compartment is here one number, and what does not
depend on the size of the axon is shared by all of a shape. The numbers are the same to the last bit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place
from axon.discretise.slots import (
    US_PER_S,
    Coefficients,
    linear,
    own_channels,
    signature,
    stepped_channels,
)
from axon.discretise.sources import feeds
from axon.engine.cables import Cable, Patch
from axon.geometry import Compartments
from axon.membranes import Channel, Membrane

Array = NDArray[Any]


class _Shape(NamedTuple):
    """What cables of so many compartments of one membrane share."""

    patches: list[Patch]
    densities: Array  # (channels,) S/cm2; 1 of what is tabulated whole
    leaks: list[tuple[float, float]]  # density, S/cm2, and reversal, mV, of each constant leak
    reversal: Array  # (n, channels)
    smooth: NDArray[np.bool_]
    like: NDArray[np.int64]
    patch: NDArray[np.intp]
    v: Array
    gates: Array


@lru_cache(maxsize=64)
def _shape(n: int, ring: bool, order: int, membrane: Membrane, celsius: float, dt: float) -> _Shape:
    own, exponents = stepped_channels(membrane), signature(membrane)
    ohmic = [channel if isinstance(channel, Channel) and linear(channel) else None for channel in own]
    leaks = [c for c in own_channels(membrane) if isinstance(c, Channel) and not c.gates]
    joined = np.ones(n, bool)
    joined[0] = ring
    shape = _Shape(
        patches=[Patch(exponents, Coefficients(membrane, celsius, dt))],
        densities=np.array([1.0 if channel is None else channel.density(celsius) for channel in ohmic]),
        leaks=[(channel.density(celsius), channel.reversal) for channel in leaks],
        reversal=np.tile([1.0 if c is None else float(c.reversal) for c in ohmic], (n, 1)),
        smooth=joined if order == 4 else np.zeros(n, bool),
        like=np.minimum(np.arange(n), int(not ring)),
        patch=np.zeros(n, np.intp),
        v=np.zeros(n),
        gates=np.zeros((n, sum(len(channel) for channel in exponents))),
    )
    for values in shape:
        if isinstance(values, np.ndarray):
            values.setflags(write=False)
    return shape


def even_frame(
    compartments: Compartments,
    sites: tuple[tuple[Place, bool], ...],
    dt: float,
    order: int,
    third: bool,
) -> Cable:
    """The cable of alike compartments but for its start, with currents at ``sites``.

    Parameters
    ----------
    compartments : Compartments
        All alike.
    sites : tuple of (place, False)
        Where each stimulus is, none of them a synapse.
    dt : float
        ms.
    order : int
        2 or 4, of the mesh.
    third : bool
        Of third order in dt, instead of second.
    """
    n = len(compartments)
    ((membrane, celsius),) = compartments.patches()[0]
    shape = _shape(n, compartments.ring, order, membrane, celsius, dt / 2 if third else dt)
    scale = float(compartments.area[0]) * US_PER_S
    leak = leak_current = 0.0
    for density, reversal in shape.leaks:
        leak += density * scale
        leak_current += density * reversal * scale
    conductance = np.empty_like(shape.reversal)
    conductance[:] = scale * shape.densities
    coupling = np.full(n, compartments.axial_conductance[0] if n > 1 or compartments.ring else 0.0)
    if not compartments.ring:
        coupling[0] = 0.0
    place, weight, row, opens = feeds(compartments, sites, order)
    cable = Cable(
        capacity=np.full(n, 2.0 * compartments.capacitance[0] / dt),
        leak=np.full(n, leak),
        leak_current=np.full(n, leak_current),
        coupling=coupling,
        smooth=shape.smooth,
        patch=shape.patch,
        conductance=conductance,
        reversal=shape.reversal,
        v=shape.v,
        gates=shape.gates,
        patches=shape.patches,
        source_place=place,
        source_weight=weight,
        source_row=row,
        source_opens=opens,
        source_crosses=opens,
        clamp_place=place[:0],
        third=third,
    )
    cable.__dict__["like"] = shape.like
    return cable

"""Gates and conductances that step beside the lanes, one compartment after another, from the same tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine.simd import GATES_PER_CHUNK, TABLE_WIDTH, kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Channels(NamedTuple):
    """Channels whose current is linear in V while their gates stand still, grouped by what they carry."""

    first: Ints  # (channels + 1,) place of a channel's first factor
    gate: Ints  # (factors,) which gate
    exponent: Ints  # (factors,)
    group: Ints  # (channels,)
    reversal: Floats  # (channels,) mV


@kernel
def advance(table: Floats, start: float, density: float, v: Floats, gates: Floats) -> None:
    """Every gate of every compartment over one step, in place.

    Parameters
    ----------
    table : flat float64
        Of one patch, see ``axon.engine.tables``.
    start, density : float
        Its first voltage (mV), and cells per mV.
    v : (n,) float64
        mV, inside the table.
    gates : (n, gates) float64
    """
    count = gates.shape[1]
    chunks = (count + GATES_PER_CHUNK - 1) // GATES_PER_CHUNK
    pair = 2 * GATES_PER_CHUNK
    for i in range(len(v)):
        place = (v[i] - start) * density
        cell = int(place)
        f = place - cell
        for j in range(count):
            a = (cell * chunks + j // GATES_PER_CHUNK) * TABLE_WIDTH + j % GATES_PER_CHUNK
            b = a + GATES_PER_CHUNK
            decay = table[a] + f * (table[a + pair] + f * table[a + 2 * pair])
            gain = table[b] + f * (table[b + pair] + f * table[b + 2 * pair])
            gates[i, j] = decay * gates[i, j] + gain


@kernel
def conduct(channels: Channels, gates: Floats, full: Floats, lines: Floats) -> None:
    """Conductance of every group of channels, and its product with their reversal potentials.

    Parameters
    ----------
    channels : Channels
    gates : (n, gates) float64
    full : (n, channels) float64
        Conductance with all these gates open, uS.
    lines : (2, groups, n) float64
        Gets both, uS and nA.
    """
    lines[:] = 0.0
    for i in range(full.shape[0]):
        for c in range(full.shape[1]):
            g = full[i, c]
            for f in range(channels.first[c], channels.first[c + 1]):
                x = gates[i, channels.gate[f]]
                for _ in range(channels.exponent[f]):
                    g *= x
            lines[0, channels.group[c], i] += g
            lines[1, channels.group[c], i] += g * channels.reversal[c]

"""Gates that step beside the lanes, one compartment after another, from the same tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axon.engine.simd import GATES_PER_CHUNK, TABLE_WIDTH, kernel

Floats = NDArray[np.float64]


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

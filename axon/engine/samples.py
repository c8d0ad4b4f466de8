"""Samples: copied from the state of a group into frames, in which every axon's compartments are in order.

In the lanes, compartments that follow one another lie LANES numbers apart. A block of LANES rows is turned in
registers, so that LANES neighbours are written at a time; and what is written is not read again soon, so it
goes past the caches, which the state wants for itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine.simd import LANES, askew, inlined, kernel, load, store_past, turn_block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Copy(NamedTuple):
    """Which numbers of the state go where in a row."""

    block: Ints  # (blocks,) where in the state LANES rows of LANES numbers begin
    column: Ints  # (blocks * LANES,) where in the row each of their columns goes
    source: Ints  # (others,) where in the state those are that go one by one
    target: Ints  # (others,) and where in the row they go


class Samples(NamedTuple):
    """Where samples go, one frame per sampled step: of V for every axon by itself, of gates side by side."""

    stride: int
    v_copy: Copy
    gate_index: Ints
    row: Floats  # V of a frame, before it is parted
    width: Ints  # (axons,) how many numbers of it are whose
    first: Ints  # (axons,) where in v an axon's frames begin
    v: Floats  # flat
    gates: Floats  # (frames, len(gate_index))


def copied(index: Ints, size: int) -> Copy:
    """How the numbers at ``index``, all different, of ``size`` are copied: in blocks where that can be."""
    target = np.full(size, -1)
    target[index] = np.arange(len(index))
    # Room to spare lies at the top, where it would break a block: they are counted from the end.
    first = size % (LANES * LANES)
    blocks = target[first:].reshape(-1, LANES, LANES)
    column = blocks[:, 0].copy()
    whole = (blocks == column[:, None] + np.arange(LANES)[:, None]).all(axis=(1, 2))
    whole &= (column >= 0).all(axis=1)
    blocks[whole] = -1
    source = np.flatnonzero(target >= 0)
    block = first + np.flatnonzero(whole) * (LANES * LANES)
    return Copy(block, column[whole].reshape(-1), source, target[source])


@kernel
def _write(row: Floats, begin: int, size: int, out: Floats, start: int) -> None:
    """``row[begin : begin + size]`` to ``out[start]`` and on, past the caches but for broken cache lines."""
    head = min((LANES - askew(out, start)) % LANES, size)
    whole = head + (size - head) // LANES * LANES
    for i in range(head):
        out[start + i] = row[begin + i]
    for i in range(head, whole, LANES):
        store_past(out, start + i, load(row, begin + i))
    for i in range(whole, size):
        out[start + i] = row[begin + i]


@inlined
def sample(state: Any, samples: Samples, frame: int) -> None:
    """Copy what is sampled of the state into a frame."""
    copy, row = samples.v_copy, samples.row
    for b in range(copy.block.size):
        turn_block(state.v, copy.block[b], row, copy.column, b * LANES)
    for i in range(copy.source.size):
        row[copy.target[i]] = state.v[copy.source[i]]
    begin = 0
    for axon in range(samples.width.size):
        width = samples.width[axon]
        _write(row, begin, width, samples.v, samples.first[axon] + frame * width)
        begin += width
    for i in range(samples.gate_index.size):
        samples.gates[frame, i] = state.gates[samples.gate_index[i]]

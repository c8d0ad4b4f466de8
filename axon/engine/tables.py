"""Rate tables: what a step needs of four gates, as local parabolas on a uniform grid of voltages."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, c_char
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine.simd import GATES_PER_CHUNK, TABLE_WIDTH

Array = NDArray[np.floating]

CELL = 0.25  # mV; the interpolation error of A and B falls as its cube (tests/engine/test_tables.py)

# Decay A and gain B of every gate over a step, x <- A x + B: voltages (n,) to two (n, gates) arrays.
StepCoefficients = Callable[[Array], tuple[Array, Array]]


@lru_cache(maxsize=64)
def build(coefficients: StepCoefficients, low_cell: int, high_cell: int) -> Array:
    """Tabulate the step coefficients from ``low_cell * CELL`` to ``high_cell * CELL`` mV.

    Parameters
    ----------
    coefficients : callable
        Hashable; tables of equal ones are built once and kept for the next run.
    low_cell, high_cell : int
        The range in whole cells, so that a wider table repeats a narrower one to the last bit.

    Returns
    -------
    (cells, chunks, TABLE_WIDTH) ndarray
        Per cell and chunk of four gates: A0..A3 B0..B3 of the constant, linear and quadratic term in the
        fraction of the cell. The parabola is exact at both ends and in the middle of the cell.
    """
    half = np.arange(2 * low_cell, 2 * high_cell + 1) * (CELL / 2)
    a, b = coefficients(half)
    gates = a.shape[1]
    chunks = -(-gates // GATES_PER_CHUNK)
    values = np.zeros((len(half), chunks, 2, GATES_PER_CHUNK))
    padded = np.zeros((len(half), chunks * GATES_PER_CHUNK))
    for part, coefficient in enumerate((a, b)):
        padded[:, :gates] = coefficient
        values[:, :, part] = padded.reshape(len(half), chunks, GATES_PER_CHUNK)
    left, middle, right = values[:-1:2], values[1::2], values[2::2]
    slope = 4 * middle - 3 * left - right
    curvature = 2 * left - 4 * middle + 2 * right
    table = np.stack([left, slope, curvature], axis=2).reshape(len(left), chunks, TABLE_WIDTH)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=64)
def join(coefficients: tuple[StepCoefficients, ...], low: int, high: int) -> tuple[Any, NDArray[np.int64]]:
    """All patches' tables end to end behind one row that leaves gates alone, and where each begins.

    Kept, because the next run of the same membranes wants the same ones; nobody writes into them.
    """
    still = np.zeros(TABLE_WIDTH)
    still[:GATES_PER_CHUNK] = 1.0
    parts = [still] + [build(one, low, high).reshape(-1) for one in coefficients]
    starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
    return aligned(np.concatenate(parts + [np.zeros(TABLE_WIDTH)])), starts


@lru_cache(maxsize=64)
def join_chunks(
    coefficients: tuple[StepCoefficients, ...], low: int, high: int
) -> tuple[Any, NDArray[np.int64]]:
    """As ``join``, but with every patch's chunks one after the other, each a table by itself.

    So the place of a voltage is the same in all of them: its cell times TABLE_WIDTH.
    """
    still = np.zeros(TABLE_WIDTH)
    still[:GATES_PER_CHUNK] = 1.0
    parts = [still] + [build(one, low, high).swapaxes(0, 1).reshape(-1) for one in coefficients]
    starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
    return aligned(np.concatenate(parts + [np.zeros(TABLE_WIDTH)])), starts


def bounds(low: int, high: int) -> dict[str, Any]:
    """What a plan says of its tables' range, given in whole cells."""
    return {
        "table_start": low * CELL,
        "table_density": 1.0 / CELL,
        "table_low": low * CELL,
        "table_high": high * CELL,
    }


def aligned(array: NDArray) -> NDArray:
    """The same values, flat, starting on a cache line."""
    flat = np.ascontiguousarray(array).reshape(-1)
    (room,) = blank(-(-flat.nbytes // 8))
    out = room.view(flat.dtype)[: flat.size]
    out[:] = flat
    return out


def blank(*sizes: int) -> list[NDArray[np.float64]]:
    """Arrays of zeros, each starting on a cache line."""
    line = 8
    steps = [-(-size // line) * line for size in sizes]
    room = np.zeros(sum(steps) + line)
    start = -(addressof(c_char.from_buffer(room.data)) // 8) % line
    out = []
    for size, step in zip(sizes, steps, strict=True):
        out.append(room[start : start + size])
        start += step
    return out

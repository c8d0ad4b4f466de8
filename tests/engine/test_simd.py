"""The vector instructions against what their plain NumPy twins say they mean, compiled or not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from axon.engine import simd
from axon.engine.simd import GATES_PER_CHUNK, LANES, TABLE_WIDTH
from axon.engine.tables import aligned

RANDOM = np.random.default_rng(20)


@simd.kernel
def arithmetic(x, y, out):  # type: ignore[no-untyped-def]
    a, b = simd.load(x, 0), simd.load(y, 0)
    simd.store(out, 0, a + b)
    simd.store(out, LANES, a - b)
    simd.store(out, 2 * LANES, a * b)
    simd.store(out, 3 * LANES, a / b)
    simd.store(out, 4 * LANES, 1.5 - a)
    simd.store(out, 5 * LANES, a / 3.0)
    simd.store(out, 6 * LANES, simd.splat(7.0) * a)


@simd.kernel
def comparisons(x, y, low, high):  # type: ignore[no-untyped-def]
    return simd.outside(simd.load(x, 0), low, high), simd.rises(simd.load(x, 0), simd.load(y, 0), low)


@simd.kernel
def located(s, cells, cell, fraction):  # type: ignore[no-untyped-def]
    return simd.locate(simd.load(s, 0), cells, cell, fraction, 0)


@simd.kernel
def one_advance(gates, table, origin, s, cell, fraction, out):  # type: ignore[no-untyped-def]
    simd.locate(simd.load(s, 0), 100, cell, fraction, 0)
    columns = simd.advance(gates, GATES_PER_CHUNK * LANES, table, origin, LANES, cell, fraction, 0)
    simd.store(out, 0, columns[0])
    simd.store(out, LANES, columns[1])
    simd.store(out, 2 * LANES, columns[2])
    simd.store(out, 3 * LANES, columns[3])


def test_vectors_compute_like_arrays() -> None:
    x, y = RANDOM.normal(size=LANES), RANDOM.normal(size=LANES) + 5
    out = np.zeros(7 * LANES)
    arithmetic(x, y, out)
    expected = np.concatenate([x + y, x - y, x * y, x / y, 1.5 - x, x / 3.0, 7.0 * x])
    assert_allclose(out, expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("lane", [0, 3, LANES - 1])
@pytest.mark.parametrize(
    ("value", "is_outside"),
    [
        (-1.0, False),
        (np.nextafter(-1, -2), True),
        (np.nextafter(2.0, 0), False),
        (2.0, True),
        (np.nan, True),
        (-np.inf, True),
    ],
)
def test_a_single_lane_outside_the_half_open_range_is_seen(value: float, is_outside: bool, lane: int) -> None:
    x = np.zeros(LANES)
    x[lane] = value
    assert comparisons(x, x, -1.0, 2.0)[0] == (is_outside << lane)


@pytest.mark.parametrize("lane", [0, 5, LANES - 1])
@pytest.mark.parametrize(
    ("before", "after", "rises"),
    [
        (-1.5, -0.5, True),
        (-1.5, -1.0, True),
        (-1.0, 0.0, False),
        (-0.5, -1.5, False),
        (-2.0, -1.5, False),
        (np.nan, 0, False),
    ],
)
def test_a_single_lane_that_reaches_threshold_is_seen(
    before: float, after: float, rises: bool, lane: int
) -> None:
    x, y = np.full(LANES, -9.0), np.full(LANES, -9.0)
    x[lane], y[lane] = before, after
    assert comparisons(x, y, -1.0, 2.0)[1] == (rises << lane)


@pytest.mark.parametrize(
    ("value", "is_outside"),
    [(1.0, False), (9.99, False), (0.99, True), (-3.0, True), (10.0, True), (1e300, True)],
)
def test_voltages_are_split_into_cells_and_fractions_and_those_off_the_table_seen(
    value: float, is_outside: bool
) -> None:
    s = aligned(RANDOM.uniform(1, 10, LANES))
    s[5] = value
    cell, fraction = aligned(np.zeros(LANES, np.int32)), aligned(np.zeros(LANES))
    assert located(s, 10, cell, fraction) == (is_outside << 5)
    inside = np.arange(LANES) != 5 if is_outside else np.arange(LANES)
    assert_array_equal(cell[inside], TABLE_WIDTH * np.floor(s[inside]).astype(int))
    assert_array_equal(fraction[inside], s[inside] - np.floor(s[inside]))


def test_nan_lies_in_no_cell() -> None:
    s = np.full(LANES, np.nan)
    assert located(s, 10, np.zeros(LANES, np.int32), np.zeros(LANES)) == (1 << LANES) - 1


def test_gates_advance_by_the_parabola_of_their_own_table_row() -> None:
    rows, entries = 11, 2 * LANES
    table = aligned(RANDOM.normal(size=3 * rows * TABLE_WIDTH))
    gates = aligned(RANDOM.uniform(size=GATES_PER_CHUNK * entries))
    origin = aligned(np.zeros(entries, np.int64))
    origin[LANES:] = TABLE_WIDTH * RANDOM.integers(0, 2 * rows, LANES)
    s = aligned(RANDOM.uniform(0, rows - 1, LANES))
    before, out = gates.copy(), aligned(np.zeros(GATES_PER_CHUNK * LANES))
    one_advance(gates, table, origin, s, aligned(np.zeros(LANES, np.int32)), aligned(np.zeros(LANES)), out)
    expected = np.zeros((GATES_PER_CHUNK, LANES))
    for lane in range(LANES):
        at = origin[LANES + lane] + int(s[lane]) * TABLE_WIDTH
        constant, linear, quadratic = table[at : at + TABLE_WIDTH].reshape(3, 2, GATES_PER_CHUNK)
        f = s[lane] - int(s[lane])
        decay, gain = constant + linear * f + quadratic * f**2
        own = before[GATES_PER_CHUNK * (LANES + lane) :][:GATES_PER_CHUNK]
        expected[:, lane] = own * decay + gain
    assert_allclose(out.reshape(GATES_PER_CHUNK, LANES), expected, rtol=1e-13, atol=1e-13)
    assert_array_equal(gates[: GATES_PER_CHUNK * LANES], before[: GATES_PER_CHUNK * LANES])
    assert_array_equal(gates[GATES_PER_CHUNK * LANES :].reshape(LANES, GATES_PER_CHUNK).T.reshape(-1), out)

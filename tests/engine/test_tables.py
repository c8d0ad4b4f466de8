"""Rate tables: exact at their nodes, cubic in the cell between them, and without a say in the velocity."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import axon
from axon.discretise.slots import step_coefficients
from axon.engine import tables
from axon.engine.simd import GATES_PER_CHUNK, TABLE_WIDTH
from axon.engine.tables import CELL, build
from axon.membranes.rates import Array

HH = axon.hodgkin_huxley()


def exact(v: Array) -> tuple[Array, Array]:
    return step_coefficients(HH, 18.5, 0.01, v)


def interpolated(table: Array, low_cell: int, v: Array, cell: float) -> tuple[Array, Array]:
    """Decay and gain of the first four gates at ``v``, read off the table as the engine does."""
    s = v / cell - low_cell
    row = table[s.astype(int), 0].reshape(len(v), 3, 2, GATES_PER_CHUNK)
    f = (s - s.astype(int))[:, None]
    both = [row[:, 0, k] + f * (row[:, 1, k] + f * row[:, 2, k]) for k in (0, 1)]
    return both[0], both[1]


def test_a_table_holds_one_row_per_cell_and_chunk_of_gates() -> None:
    assert build(exact, -10, 30).shape == (40, 1, TABLE_WIDTH)


def test_a_table_is_exact_at_both_ends_and_in_the_middle_of_every_cell() -> None:
    table = build(exact, -400, 400)
    v = np.arange(-800, 800) * CELL / 2
    for ours, true in zip(interpolated(table, -400, v, CELL), exact(v), strict=True):
        assert_allclose(ours[:, :3], true, rtol=0, atol=1e-15)


def test_table_error_falls_with_the_cube_of_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    v = np.linspace(-99.0, 59.0, 20_001)
    cells, errors = np.array([2.0, 1.0, 0.5, 0.25, 0.125]), []
    for cell in cells:
        monkeypatch.setattr(tables, "CELL", cell)
        decay, gain = interpolated(
            build(exact, round(-100 / cell), round(60 / cell)), round(-100 / cell), v, cell
        )
        true = exact(v)
        errors.append(max(np.abs(decay[:, :3] - true[0]).max(), np.abs(gain[:, :3] - true[1]).max()))
    assert errors[3] < 1e-8  # of the gates' 0..1, at the cell in use
    order = np.polyfit(np.log(cells), np.log(errors), 1)[0]
    assert abs(order - 3.0) < 0.1


def test_a_wider_table_repeats_the_narrower_one_bit_for_bit() -> None:
    narrow, wide = build(exact, -300, 200), build(exact, -900, 1_000)
    assert_array_equal(wide[600:1_100], narrow)


def test_unused_gates_of_a_chunk_stand_still_at_nought() -> None:
    table = build(exact, -5, 5).reshape(10, 3, 2, GATES_PER_CHUNK)
    assert_array_equal(table[..., 3], 0.0)


def test_velocity_does_not_depend_on_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    def velocity() -> float:
        fibre = axon.Axon(length=30_000, diameter=476, membrane=HH, celsius=18.5)
        pulse = axon.Pulse(amplitude=30_000, start=0.1, duration=0.2)
        record = axon.Record(voltage=None)
        return axon.simulate(fibre, pulse, duration=3, dt=0.01, dx=500, record=record).velocity().value

    here = velocity()
    for module in (tables, stepping()):
        monkeypatch.setattr(module, "CELL", CELL / 8)
    assert here != velocity()
    assert_allclose(here, velocity(), rtol=1e-8, atol=0)


def stepping() -> object:
    import axon.stepping.stepper

    return axon.stepping.stepper

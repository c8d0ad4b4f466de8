"""A curve through samples knows its crossings, turns and area between them, and where it may bend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from axon.measure.curve import Curve

TIME = np.linspace(0.0, 10.0, 201)
SINE = Curve(TIME, np.sin(TIME))


def test_value_and_slope_are_those_of_the_function() -> None:
    for t in (0.0, 0.123, 5.4321, 10.0):
        assert_allclose(SINE(t), np.sin(t), rtol=0, atol=1e-9)
        assert_allclose(SINE(t, 1), np.cos(t), rtol=0, atol=1e-6)
        assert_allclose(SINE(t, 2), -np.sin(t), rtol=0, atol=1e-4)


def test_samples_are_hit_and_their_slopes_given() -> None:
    assert_allclose(SINE.sampled(), np.sin(TIME), rtol=0, atol=1e-14)
    assert_allclose(SINE.sampled(order=1), np.cos(TIME), rtol=0, atol=1e-6)


def test_crossings_have_a_direction() -> None:
    assert_allclose(SINE.rises(0.5, 0, 10), [np.pi / 6, np.pi / 6 + 2 * np.pi], rtol=0, atol=1e-8)
    assert_allclose(SINE.falls(0.5, 0, 10), [5 * np.pi / 6, 5 * np.pi / 6 + 2 * np.pi], rtol=0, atol=1e-8)
    assert SINE.rises(1.5, 0, 10).size == SINE.rises(0.5, 1, 6).size == 0


def test_turns_are_found_between_samples_at_any_order() -> None:
    assert_allclose(SINE.maxima(0, 10), [np.pi / 2, 5 * np.pi / 2], rtol=0, atol=1e-7)
    assert_allclose(SINE.minima(0, 10), [3 * np.pi / 2], rtol=0, atol=1e-7)
    assert_allclose(SINE.maxima(1, 9, order=1), [2 * np.pi], rtol=0, atol=1e-5)
    highest = SINE.highest(0, 10)
    assert highest is not None
    assert_allclose(highest[1], 1.0, rtol=0, atol=1e-10)
    assert SINE.lowest(0, 4) is None


def test_area_is_the_integral() -> None:
    assert_allclose(SINE.integral(0.3, 7.7), np.cos(0.3) - np.cos(7.7), rtol=1e-9, atol=0)
    assert_allclose(SINE.integral(2, 2), 0.0, rtol=0, atol=0)


def test_noise_of_rounding_is_no_turn_and_no_crossing() -> None:
    flat = Curve(TIME, -65.0 + 1e-14 * np.sin(1e3 * TIME))
    assert flat.maxima(0, 10).size == flat.rises(-65.0, 0, 10).size == 0


def test_no_spline_runs_across_a_kink() -> None:
    tent = 1.0 - np.abs(TIME - 4.0)
    assert_allclose(Curve(TIME, tent, [4.0])(3.99), 0.99, rtol=0, atol=1e-12)
    assert Curve(TIME, tent)(3.975) != pytest.approx(0.975, abs=1e-3)
    assert Curve(TIME, tent, [4.0]).maxima(0, 10).size == 0  # a corner is no turn
    assert Curve(TIME, tent, [4.0])(4.0, 1) == pytest.approx(-1.0)  # after the kink


def test_kink_between_samples_is_bridged_by_a_line() -> None:
    late = np.where(TIME < 4.02, 0.0, TIME - 4.02)
    curve = Curve(TIME, late, [4.02])
    assert_allclose(curve(3.9), 0.0, rtol=0, atol=1e-14)
    assert_allclose(curve(4.3), 0.28, rtol=0, atol=1e-12)
    assert_allclose(curve(4.025), 0.015, rtol=0, atol=1e-12)
    assert_allclose(curve.integral(4.0, 4.05), 0.5 * 0.05 * 0.03, rtol=1e-9, atol=0)


@pytest.mark.parametrize("off", [-1e-12, 0.0, 1e-12])
def test_kink_at_a_sample_but_for_rounding_is_at_it(off: float) -> None:
    bent = np.maximum(TIME - 4.0, 0.0) + (TIME - 4.0) ** 2
    curve = Curve(TIME, bent, [4.0 + off])
    assert_allclose(curve(3.975), 0.025**2, rtol=0, atol=1e-12)
    assert_allclose(curve(4.025), 0.025 + 0.025**2, rtol=0, atol=1e-12)  # and no straight line


@given(st.lists(st.floats(-1.0, 11.0), max_size=6))
def test_any_kinks_leave_a_smooth_curve_what_it_is(kinks: list[float]) -> None:
    curve = Curve(TIME, TIME**2, kinks)
    grid = np.linspace(0.0, 10.0, 37)
    assert_allclose([curve(float(t)) for t in grid], grid**2, rtol=0, atol=1e-3)
    assert_allclose(curve.integral(0, 10), 1000 / 3, rtol=1e-5, atol=0)


def test_two_samples_make_a_line() -> None:
    line = Curve([0.0, 1.0], [0.0, 2.0])
    assert_allclose([line(0.5), line(0.5, 1), line(0.5, 2)], [1.0, 2.0, 0.0], rtol=0, atol=1e-14)
    assert_allclose(line.rises(1.0, 0, 1), [0.5], rtol=0, atol=1e-12)


def test_what_is_no_trace_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(n,\) with n >= 2, got \(1,\)"):
        Curve([0.0], [1.0])
    with pytest.raises(ValueError, match=r"got \(3,\) and \(2,\)"):
        Curve([0.0, 1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="time must increase"):
        Curve([0.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="got nan or inf"):
        Curve([0.0, 1.0], [1.0, np.nan])

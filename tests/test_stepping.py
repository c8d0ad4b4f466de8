"""Crossings between steps, and the ranges of the tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from axon import Axon, Clamp, Pulse, Record, hodgkin_huxley, passive, simulate
from axon.engine.crossings import crossing


@given(st.floats(0.01, 1.0), st.floats(0.5, 50.0), st.floats(-0.24, 0.24))
def test_a_crossing_of_a_parabola_is_found_exactly(s: float, slope: float, bend: float) -> None:
    # V(s) = slope (s - s0) + bend slope (s^2 - s0^2), rising on [0, 2], crosses 0 at s0.
    def v(x: float) -> float:
        return slope * (x - s) + bend * slope * (x**2 - s**2)

    assert_allclose(crossing(v(0.0), v(1.0), v(2.0), np.nan, 0.0), s, rtol=1e-9, atol=0)


@given(st.floats(0.05, 1.0), st.floats(0.5, 50.0), st.floats(-0.1, 0.1), st.floats(-0.05, 0.05))
def test_with_four_voltages_the_crossing_is_that_of_their_cubic(
    s: float, slope: float, bend: float, twist: float
) -> None:
    def v(x: float) -> float:
        return slope * (x - s + bend * (x**2 - s**2) + twist * (x**3 - s**3))

    assert_allclose(crossing(v(0.0), v(1.0), v(2.0), v(-1.0), 0.0), s, rtol=0, atol=1e-7)


def test_without_a_third_voltage_the_crossing_is_on_the_straight_line() -> None:
    assert_allclose(crossing(-30.0, -10.0, np.nan, np.nan, -25.0), 0.25, rtol=1e-14, atol=0)


@pytest.mark.parametrize("after", [-1e3, -20.0, -19.0, 50.0, 1e3])
def test_a_crossing_stays_inside_its_step_whatever_comes_after(after: float) -> None:
    for v0, v1 in ((-21.0, -19.0), (-20.000001, -20.0), (-90.0, 60.0)):
        where = crossing(v0, v1, after, np.nan, -20.0)
        assert 0.0 < where <= 1.0 + 1e-8


def test_a_threshold_reached_at_the_end_of_a_step_is_crossed_there() -> None:
    assert_allclose(crossing(-30.0, -20.0, -15.0, np.nan, -20.0), 1.0, rtol=1e-14, atol=0)


def test_crossings_right_after_the_jump_of_a_clamp_belong_to_whole_steps() -> None:
    # These steps are made in two halves each, which must not show.
    cable = Axon(length=20_000, diameter=476, membrane=passive())
    record = Record(every=0.02)
    run = simulate(
        cable, Clamp(voltage=20.0, start=0.1, at=10_000), duration=0.4, dt=0.02, dx=100, record=record
    )
    assert run.voltage is not None
    early = run.spike_time < 0.18  # the clamp comes on at the start of step 5
    time, place = run.spike_time[early], run.spike_compartment[early]
    step = (time / 0.02).astype(int)
    assert np.count_nonzero((step == 5) | (step == 6)) > 4
    v0, v1, v2 = (run.voltage[step + i, place] for i in range(3))
    assert np.all((v0 < -20) & (v1 >= -20))
    inside = [crossing(*voltages, np.nan, -20.0) for voltages in zip(v0, v1, v2, strict=True)]
    assert_allclose(time, (step + inside) * 0.02, rtol=1e-12, atol=0)


def test_crossings_of_third_order_are_those_of_the_cubic_through_four_steps() -> None:
    squid = Axon(length=20_000, diameter=476, membrane=hodgkin_huxley(), celsius=18.5)
    pulse, record = Pulse(amplitude=30_000, start=0.1, duration=0.21), Record(every=0.01)
    run = simulate(squid, pulse, duration=2, dt=0.01, dx=250, order=4, record=record)
    assert run.voltage is not None
    step, place = (run.spike_time / 0.01).astype(int), run.spike_compartment
    before, v0, v1, v2 = (run.voltage[step + i, place] for i in (-1, 0, 1, 2))
    ends = step == 31  # the pulse, and with it what the voltage was before
    assert 0 < np.count_nonzero(ends) < len(step) - 40
    before[ends] = np.nan
    inside = [crossing(*four, -20.0) for four in zip(v0, v1, v2, before, strict=True)]
    assert_allclose(run.spike_time, (step + inside) * 0.01, rtol=1e-12, atol=0)


def test_the_last_crossing_of_a_run_is_kept() -> None:
    squid = Axon(length=5_000, diameter=476, membrane=hodgkin_huxley(), celsius=18.5)
    pulse = Pulse(amplitude=30_000, start=0.1, duration=0.2)
    whole = simulate(squid, pulse, duration=2, dt=0.01, dx=250)
    steps = int(whole.spike_time[-1] / 0.01) + 1  # the run ends with the very step that crosses
    short = simulate(squid, pulse, duration=steps * 0.01, dt=0.01, dx=250)
    assert len(short.spike_time) == len(whole.spike_time)
    assert_allclose(short.spike_time, whole.spike_time, rtol=0, atol=3e-4)

"""The shape of an action potential, on invented waves whose shape is known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.interpolate import BPoly

from axon.measure.landmarks import NoSpike
from axon.measure.spike import METHODS, spike_shape

Array = NDArray[np.float64]

REST, HEIGHT, WIDTH, CENTRE = -65.0, 100.0, 0.3, 4.0  # mV, mV, ms, ms
TROUGH, DEPTH, SPREAD = 7.0, 12.0, 0.8  # ms, mV, ms
HALF = 2 * np.sqrt(2 * np.log(2))  # full width at half height of exp(-u^2 / 2)
SAMPLES_PER_HALF_WIDTH = {8.5: 2e-3, 10.0: 1e-3, 20.0: 1e-5, 80.0: 1e-8}  # and the relative error they leave


def grid(every: float = 0.01, stop: float = 14.0) -> Array:
    return np.arange(0.0, stop + every / 2, every)


def bell(t: Array, centre: float = CENTRE) -> Array:
    """A Gaussian spike."""
    return REST + HEIGHT * np.exp(-(((t - centre) / WIDTH) ** 2) / 2)


def sagging(t: Array) -> Array:
    """A Gaussian spike with a Gaussian undershoot long after it."""
    return bell(t) - DEPTH * np.exp(-(((t - TROUGH) / SPREAD) ** 2) / 2)


def shape(t: Array, v: Array, **arguments: Any) -> Any:
    """The SpikeShape, any number of which may be None."""
    return spike_shape(t, v, **({"rest": REST} | arguments))


@pytest.mark.parametrize(("samples", "error"), SAMPLES_PER_HALF_WIDTH.items())
def test_gaussian_has_its_closed_form(samples: float, error: float) -> None:
    t = grid(HALF * WIDTH / samples)
    found = shape(t, bell(t))
    assert_allclose(found.peak, REST + HEIGHT, rtol=0, atol=error * HEIGHT)
    assert_allclose(found.peak_time, CENTRE, rtol=0, atol=error * WIDTH)
    assert_allclose(found.amplitude, HEIGHT, rtol=error, atol=0)
    assert_allclose(found.half_width, HALF * WIDTH, rtol=error, atol=0)
    steepest = HEIGHT / WIDTH * np.exp(-0.5)
    assert_allclose([found.maximal_rise, found.maximal_fall], steepest, rtol=3 * error, atol=0)
    # d2V/dt2 ~ (u^2 - 1) exp(-u^2 / 2) is greatest at u = -sqrt(3)
    assert_allclose(found.threshold_time, CENTRE - np.sqrt(3) * WIDTH, rtol=0, atol=100 * error * WIDTH)
    assert_allclose(found.threshold, REST + HEIGHT * np.exp(-1.5), rtol=0, atol=100 * error * HEIGHT)


@given(st.floats(0.0, 1.0))
def test_it_does_not_matter_where_the_samples_fall(part: float) -> None:
    t = grid(0.04)
    found = shape(t, bell(t, CENTRE + 0.04 * part))
    assert_allclose(found.peak_time, CENTRE + 0.04 * part, rtol=0, atol=1e-5)
    assert_allclose(found.half_width, HALF * WIDTH, rtol=1e-5, atol=0)
    assert_allclose(found.maximal_rise, HEIGHT / WIDTH * np.exp(-0.5), rtol=1e-4, atol=0)


def test_triangle_is_half_its_base_wide_but_for_the_corner_that_a_spline_rounds() -> None:
    t = grid()
    corners = [2.0, 3.0, 6.0]
    v = np.interp(t, corners, [0.0, HEIGHT, 0.0], left=0.0, right=0.0) + REST
    found = shape(t, v)
    assert_allclose(found.peak, REST + HEIGHT, rtol=0, atol=0.04)
    assert_allclose(found.half_width, 2.0, rtol=5e-4, atol=0)
    assert_allclose(found.onset, 2.01, rtol=0, atol=2e-3)


def test_undershoot_has_its_depth_and_duration() -> None:
    t = grid()
    found = shape(t, sagging(t))
    assert_allclose(found.undershoot, DEPTH, rtol=1e-9, atol=0)
    assert_allclose(found.trough_time, TROUGH, rtol=0, atol=1e-7)
    # through rest where both Gaussians are equal: a quadratic in t
    a, b = 1 / (2 * WIDTH**2), 1 / (2 * SPREAD**2)
    log = np.log(HEIGHT / DEPTH)
    terms = [b - a, 2 * (a * CENTRE - b * TROUGH), b * TROUGH**2 - a * CENTRE**2 + log]
    crossing = next(r for r in np.roots(terms) if CENTRE < r < TROUGH)
    back = TROUGH + SPREAD * np.sqrt(2 * np.log(DEPTH / (0.01 * found.amplitude)))
    assert_allclose(found.undershoot_duration, back - crossing, rtol=1e-6, atol=0)


def test_margin_moves_onset_and_return() -> None:
    t = grid()
    near, far = (shape(t, sagging(t), margin=margin) for margin in (0.001, 0.05))
    assert_allclose(near.onset, CENTRE - WIDTH * np.sqrt(2 * np.log(1000)), rtol=0, atol=1e-4)
    assert_allclose(far.onset, CENTRE - WIDTH * np.sqrt(2 * np.log(20)), rtol=0, atol=1e-4)
    assert near.undershoot_duration > far.undershoot_duration


def test_no_undershoot_is_said() -> None:
    t = grid()
    found = shape(t, bell(t))
    assert found.undershoot is None and found.trough_time is None and found.undershoot_duration is None
    assert found.missing["undershoot"] == "the voltage fell no lower than 1 mV below rest"
    assert "undershoot          not reached: the voltage fell no lower than" in str(found)


def test_spikes_are_counted_by_their_peaks() -> None:
    t = grid()
    v = bell(t) + bell(t, 9.0) - REST
    assert_allclose([shape(t, v, spike=k).peak_time for k in (0, 1, -1)], [4.0, 9.0, 9.0], rtol=0, atol=1e-6)
    assert_allclose(shape(t, v, spike=1).amplitude, HEIGHT, rtol=1e-6, atol=0)
    with pytest.raises(NoSpike, match="no spike 2: the trace has 2 spikes above -20 mV"):
        shape(t, v, spike=2)


def test_level_decides_what_a_spike_is() -> None:
    t = grid()
    small = REST + 0.3 * (bell(t) - REST)  # peaks at -35 mV
    with pytest.raises(NoSpike, match=r"never rose above -20 mV \(highest -35 mV, from 0 to 14 ms\)"):
        shape(t, small)
    assert_allclose(shape(t, small, level=-40.0).peak, -35.0, rtol=0, atol=1e-6)


def test_inward_current_marks_the_threshold() -> None:
    t = grid()
    found = shape(t, bell(t), method="inward_current", ionic_current=3.456 - t)
    assert_allclose(found.threshold_time, 3.456, rtol=0, atol=1e-9)
    assert_allclose(found.threshold, bell(np.array(3.456)), rtol=1e-9, atol=0)
    twice = -(t - 3.2) * (t - 3.3) * (t - 3.456)  # inward, outward and inward again on the way up
    last = shape(t, bell(t), method="inward_current", ionic_current=twice)
    assert_allclose(last.threshold_time, 3.456, rtol=0, atol=1e-9)
    early = shape(t, bell(t), method="inward_current", ionic_current=1.0 - t)  # long before the spike
    assert early.threshold is None
    outward = shape(t, bell(t), method="inward_current", ionic_current=np.ones_like(t))
    assert outward.threshold is None
    assert "does not turn inward" in outward.missing["threshold"]


def test_phase_plane_finds_the_kink_of_a_known_phase_plane() -> None:
    # dV/dt = F(V) = a V + b s softplus((V - V0) / s) bends most at V0: F'' = b / (4 s) sech^2((V - V0) / 2 s)
    a, b, s, kink = 3.0, 20.0, 1.5, 15.0

    def slope(v: float) -> float:
        return a * v + b * s * float(np.logaddexp(0.0, (v - kink) / s))

    rising: Any = solve_ivp(
        lambda _, v: [slope(v[0])], (0.0, 2.0), [0.05], rtol=1e-11, atol=1e-13, dense_output=True
    )
    end = float(np.interp(50.0, rising.y[0], rising.t))
    v = float(rising.sol(end)[0])
    bent = (slope(v + 1e-4) - slope(v - 1e-4)) / 2e-4 * slope(v)
    rest = BPoly.from_derivatives(
        [end, end + 0.08, end + 2.0], [[v, slope(v), bent], [100.0, 0.0, -5e3], [0.0, 0.0]]
    )
    t = np.arange(0.0, end + 2.0, 0.002)
    wave = np.where(t < end, rising.sol(np.minimum(t, end))[0], rest(np.maximum(t, end)))
    found = shape(t, REST + wave, method="phase_plane", level=0.0)
    assert_allclose(found.threshold, REST + kink, rtol=0, atol=0.01)
    assert found.method == "phase_plane"


def test_exponential_foot_has_no_kink_in_the_phase_plane() -> None:
    t = grid()
    found = shape(t, bell(t), method="phase_plane")  # dV/dt over V of a Gaussian bends downwards everywhere
    assert found.threshold is None and found.threshold_time is None
    assert "bends upwards nowhere" in found.missing["threshold"]


def test_unknown_method_lists_the_known_and_a_current_is_asked_for() -> None:
    t = grid()
    with pytest.raises(ValueError, match="unknown method 'curvatur'; did you mean 'curvature'"):
        shape(t, bell(t), method="curvatur")
    with pytest.raises(ValueError, match='"inward_current" needs the ionic currents'):
        shape(t, bell(t), method="inward_current")
    with pytest.raises(ValueError, match="rest must be a finite number of mV"):
        shape(t, bell(t), rest=float("nan"))
    with pytest.raises(ValueError, match="margin must be > 0"):
        shape(t, bell(t), margin=0.0)
    assert set(METHODS) == {"curvature", "inward_current", "phase_plane"}


def test_too_sparse_a_recording_says_how_dense_it_must_be() -> None:
    t = grid(0.1)
    with pytest.raises(ValueError, match=r"too sparse .*: 7\.1 samples in 0\.71 ms, and 8 .* every 0\.08 ms"):
        shape(t, bell(t))
    advised = grid(0.08)
    assert shape(advised, bell(advised)).half_width is not None


def test_spike_cut_while_it_rises_is_no_spike() -> None:
    t = grid(stop=CENTRE - 0.1)
    with pytest.raises(
        NoSpike, match=r"still rising when the trace ended at 3\.9 ms; make the duration longer"
    ):
        shape(t, bell(t))


def test_spike_cut_while_it_falls_has_no_half_width() -> None:
    t = grid(stop=CENTRE + 0.2)
    found = shape(t, bell(t))
    assert_allclose(found.peak, REST + HEIGHT, rtol=0, atol=1e-6)
    assert found.threshold is not None
    for name in ("half_width", "maximal_fall", "undershoot", "undershoot_duration"):
        assert getattr(found, name) is None
        assert found.missing[name] == "still falling when the record ended at 4.2 ms"


def test_spike_cut_in_its_undershoot_has_no_duration_of_it() -> None:
    t = grid(stop=TROUGH + 0.5)
    found = shape(t, sagging(t))
    assert_allclose(found.undershoot, DEPTH, rtol=1e-6, atol=0)
    assert found.undershoot_duration is None
    assert found.missing["undershoot_duration"].endswith("mV below rest when the record ended at 7.5 ms")
    early = shape(grid(stop=TROUGH - 0.5), sagging(grid(stop=TROUGH - 0.5)))
    assert early.undershoot is None and early.half_width is not None


def test_next_spike_cuts_the_one_before_it() -> None:
    t = grid()
    found = shape(t, bell(t) + bell(t, 5.2) - REST)  # between them the voltage stays 27 mV above rest
    assert found.undershoot is None
    assert found.missing["undershoot"] == "still falling when the next spike began at 4.6 ms"
    under = shape(t, sagging(t) + bell(t, 7.5) - REST)
    assert under.undershoot is not None and under.undershoot < DEPTH
    assert_allclose(shape(t, sagging(t) + bell(t, 7.5) - REST, spike=1).half_width, 0.68, rtol=0, atol=0.02)


def test_trace_that_begins_in_the_spike_has_no_onset() -> None:
    t = grid() + CENTRE - 0.2
    found = shape(t, bell(t))
    assert found.onset is None and found.half_width is None
    assert "not at rest before the spike" in found.missing["onset"]


def test_stimulus_artefact_is_no_spike() -> None:
    t = grid()
    pulse = np.where(
        t < 1.0, 0.0, np.where(t < 1.2, 500 * (t - 1.0), 100 * np.exp(-np.maximum(t - 1.2, 0) / 0.5))
    )
    with pytest.raises(NoSpike, match=r"without a peak of its own .* 1\.2 ms\): the stimulus took it there"):
        shape(t, REST + pulse, kinks=[1.0, 1.2])


def test_spike_behind_its_stimulus_is_measured_where_it_is_clear_of_it() -> None:
    t = grid()
    edge = 3.45  # the stimulus ends on the rise, past the threshold and below half-way
    pulse = np.clip((t - 3.0) / (edge - 3.0), 0.0, 1.0) * 5.0
    free = shape(t, bell(t) + pulse, rest=REST)
    found = shape(t, bell(t) + pulse, kinks=[3.0, edge])
    assert free.threshold_time is not None and abs(free.threshold_time - edge) < 0.2
    assert found.half_width is not None and found.maximal_rise is not None
    late = shape(t, bell(t), kinks=[3.0, 3.8])  # changed on the way up, above half
    assert late.half_width is None and late.threshold is None
    assert late.missing["half_width"] == "hidden by the stimulus, which changed at 3.8 ms"


def test_spike_before_and_its_stimulus_do_not_count() -> None:
    t = grid()
    v = REST + 2.0 * (bell(t, 3.0) - REST) + bell(t, 9.0) - REST  # the first is twice as high and as steep
    found = shape(t, v, spike=1, kinks=[1.5])
    assert_allclose(found.maximal_rise, HEIGHT / WIDTH * np.exp(-0.5), rtol=1e-5, atol=0)
    assert_allclose(found.threshold, REST + HEIGHT * np.exp(-1.5), rtol=0, atol=0.01)


def test_peak_below_rest_is_no_spike() -> None:
    t = grid()
    with pytest.raises(NoSpike, match="lies below rest"):
        shape(t, bell(t), rest=60.0)


def test_shape_prints_every_number_with_its_unit() -> None:
    t = grid()
    words = str(shape(t, sagging(t)))
    assert "rest                -65.00 mV" in words
    assert "(where d2V/dt2 is greatest)" in words
    assert "amplitude           99.99 mV" in words or "amplitude           100.00 mV" in words
    assert "half-width          0.70" in words

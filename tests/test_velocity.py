"""Velocity on invented waves whose answer is known, and the reason where there is none."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from axon import (
    Axon,
    MeasuredVelocity,
    Record,
    Run,
    Section,
    hodgkin_huxley,
    measure_velocity,
    simulate,
    suprathreshold_pulse,
    travelling_wave,
)
from axon.errors import NoPropagation
from axon.geometry import length_constant
from axon.measure import Velocity, conduction_velocity, local_velocity
from axon.measure.velocity import front_velocity

DX = 250.0
X = np.linspace(DX / 2, 100_000 - DX / 2, 400)  # um, 400 compartments of a 10 cm axon
SPEED = 18.73  # m/s


def wave(origin: float, speed: float = SPEED, start: float = 1.0) -> NDArray[np.float64]:
    """Arrival of a spike that leaves `origin` (um) both ways at `speed` (m/s)."""
    return np.asarray(start + np.abs(X - origin) / (1000 * speed))


def until(last: float, arrival: NDArray[np.float64]) -> NDArray[np.float64]:
    """A spike that crosses nothing beyond `last`, um."""
    return np.where(last < X, np.nan, arrival)


def reason(arrival: NDArray[np.float64], **arguments: Any) -> str:
    with pytest.raises(NoPropagation) as raised:
        conduction_velocity(X, arrival, **arguments)
    assert raised.value.reason == str(raised.value)
    return raised.value.reason


# the speed


@pytest.mark.parametrize("speed", [0.3, 18.73, 120.0])
def test_uniform_wave_has_its_speed_and_no_error(speed: float) -> None:
    found = conduction_velocity(X, wave(0, speed), threshold=-20.0)
    assert found.value == pytest.approx(speed, rel=1e-12)
    assert found.standard_error < 1e-12 * speed
    assert (found.direction, found.threshold) == ("orthodromic", -20.0)
    assert float(found) == found.value


def test_sites_are_those_between_40_and_80_percent_of_the_way() -> None:
    found = conduction_velocity(X, wave(0))
    way = X[-1] - X[0]
    inside = X[(X - X[0] >= 0.4 * way) & (X - X[0] <= 0.8 * way)]
    assert (found.first_position, found.last_position) == (inside[0], inside[-1])
    assert found.n_sites == inside.size


def test_window_can_be_chosen() -> None:
    found = conduction_velocity(X, wave(0), window=(0, 1))
    assert (found.first_position, found.last_position, found.n_sites) == (X[0], X[-1], 400)


def test_fast_ends_do_not_disturb() -> None:
    ends = 0.05 * (np.exp(-X / 5000) - np.exp(-(X[-1] - X) / 3000))
    assert conduction_velocity(X, wave(0) + ends).value == pytest.approx(SPEED, rel=2e-4)
    assert conduction_velocity(X, wave(0) + ends, window=(0, 1)).value != pytest.approx(SPEED, rel=2e-3)


def test_between_takes_the_sites_asked_for() -> None:
    change = np.where(X < 50_000, X / 20, 50_000 / 20 + (X - 50_000) / 10) / 1000
    slow = conduction_velocity(X, change, between=(60_000, 90_000))
    fast = conduction_velocity(X, change, between=(10_000, 40_000))
    assert slow.value == pytest.approx(10, rel=1e-12)
    assert fast.value == pytest.approx(20, rel=1e-12)
    assert (fast.first_position, fast.last_position) == (10_125, 39_875)


def test_unequal_compartments_do_not_matter() -> None:
    position = np.cumsum(np.random.default_rng(0).uniform(10, 500, size=300))
    found = conduction_velocity(position, position / (1000 * SPEED))
    assert found.value == pytest.approx(SPEED, rel=1e-12)


def test_dispersion_shows_in_the_standard_error() -> None:
    smooth = conduction_velocity(X, wave(0))
    slowing = conduction_velocity(X, wave(0) + 1e-11 * X**2)
    middle = X[0] + 0.6 * (X[-1] - X[0])
    expected = 1e-3 / (1 / (1000 * SPEED) + 2e-11 * middle)  # a parabola's chord is parallel to its middle
    assert slowing.value == pytest.approx(expected, rel=1e-4)
    assert slowing.standard_error > 1000 * smooth.standard_error


# directions


def test_wave_from_the_right_end_is_antidromic() -> None:
    found = conduction_velocity(X, wave(100_000))
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert found.direction == "antidromic"
    assert found.first_position > found.last_position


def test_start_in_the_middle_gives_one_speed_for_both_ways() -> None:
    found = conduction_velocity(X, wave(X[200]))
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert found.direction == "both"
    assert found.first_position == pytest.approx(X[200] - 0.8 * (X[200] - X[0]), abs=DX)
    assert found.last_position == pytest.approx(X[200] + 0.8 * (X[-1] - X[200]), abs=DX)


def test_two_ways_have_an_intercept_each() -> None:
    lag = np.where(X[200] > X, 0.1, 0.0)
    found = conduction_velocity(X, wave(X[200]) + lag)
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert found.standard_error < 1e-10


@pytest.mark.parametrize(("direction", "speed"), [("orthodromic", 20.0), ("antidromic", 15.0)])
def test_one_of_two_ways_can_be_asked_for(direction: Any, speed: float) -> None:
    arrival = np.where(X[200] > X, wave(X[200], 15), wave(X[200], 20))
    found = conduction_velocity(X, arrival, direction=direction)
    assert found.value == pytest.approx(speed, rel=1e-12)
    assert found.direction == direction
    common = conduction_velocity(X, arrival)
    assert 15 < common.value < 20
    assert common.standard_error > 0.1


def test_short_way_to_a_near_end_is_left_out() -> None:
    near = conduction_velocity(X, wave(X[40]))
    assert near.direction == "orthodromic"
    assert conduction_velocity(X, wave(X[40]), direction="antidromic").direction == "antidromic"


def test_way_of_a_third_of_the_other_is_long_enough() -> None:
    assert conduction_velocity(X, wave(25_000)).direction == "both"
    assert conduction_velocity(X, wave(19_000)).direction == "orthodromic"  # less than a quarter


def test_front_has_the_speed_of_the_later_half_of_its_way() -> None:
    slow, fast = 10.0, 20.0
    arrival = np.where(X < 40_000, X / (1e3 * slow), 40.0 / slow + (X - 40_000) / (1e3 * fast))
    arrival[X > 65_000] = np.nan  # 4 ms slow, then 1.25 ms fast
    assert front_velocity(X, arrival) == pytest.approx(fast)
    assert front_velocity(X[::-1], arrival[::-1]) == pytest.approx(fast)
    begun = np.where(X < 45_000, arrival, np.nan)
    assert front_velocity(X, begun) == pytest.approx(slow)
    assert front_velocity(X, np.where(X < 2000, arrival, np.nan)) == pytest.approx(slow)
    assert front_velocity(X, np.where(X < 1200, arrival, np.nan)) is None  # two steps in the later half
    assert front_velocity(X, np.full(X.size, np.nan)) is None


def test_direction_that_was_not_taken_is_no_propagation() -> None:
    assert reason(wave(0), direction="antidromic") == (
        "no spike travelled antidromic: it started at x = 125 um, the end of the axon"
    )


def test_way_that_failed_is_left_out_if_the_other_arrived() -> None:
    found = conduction_velocity(X, until(70_000, wave(X[200])))
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert found.direction == "antidromic"


# collisions and rings


def test_earliest_spike_is_measured_up_to_the_collision() -> None:
    arrival = np.minimum(wave(0, 20), wave(100_000, 10, start=1.5))
    found = conduction_velocity(X, arrival)
    meeting = 70_000  # 20 (t - 1) + 10 (t - 1.5) = 100 mm
    assert found.value == pytest.approx(20, rel=1e-12)
    assert found.direction == "orthodromic"
    assert found.last_position == pytest.approx(0.8 * meeting, abs=2 * DX)


def test_ring_is_measured_over_the_join() -> None:
    away = np.minimum((X - X[360]) % 100_000, (X[360] - X) % 100_000)
    found = conduction_velocity(X, 1 + away / (1000 * SPEED), ring=True)
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert found.direction == "both"


def test_one_way_ring_is_measured_all_around() -> None:
    arrival = 1 + ((X - X[360]) % 100_000) / (1000 * SPEED)
    found = conduction_velocity(X, arrival, ring=True)
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert found.direction == "orthodromic"
    assert (found.first_position, found.last_position) == pytest.approx((30_000, 70_000), abs=2 * DX)
    other = conduction_velocity(100_000 - X[::-1], arrival[::-1], ring=True)
    assert other.value == pytest.approx(SPEED, rel=1e-12)
    assert other.direction == "antidromic"


def test_circumference_counts() -> None:
    arrival = 1 + ((X - X[360]) % 100_000) / (1000 * SPEED)
    assert conduction_velocity(X, arrival, ring=True, length=110_000, window=(0, 1)).value > 1.01 * SPEED


def test_spike_that_died_in_a_ring_says_how_far_it_came() -> None:
    forward = (X - X[360]) % 100_000
    arrival = np.where(forward < 50_000, 1 + forward / (1000 * SPEED), np.nan)
    assert reason(arrival, ring=True) == "the spike died at x = 39875 um, 49 % of the way"


def test_spike_that_died_both_ways_in_a_ring_could_not_have_met_itself() -> None:
    forward, backward = (X - X[360]) % 100_000, (X[360] - X) % 100_000
    away = np.where(forward <= 48_000, forward, np.where(backward <= 20_000, backward, np.nan))
    assert reason(1 + away / (1000 * SPEED), ring=True) == "the spike died at x = 38125 um, 60 % of the way"


# the standard error


def test_standard_error_is_that_of_the_textbook() -> None:
    random = np.random.default_rng(6)
    arrival = wave(0)[:6] + random.normal(scale=1e-4, size=6)
    fit = stats.linregress(X[:6], arrival)
    found = conduction_velocity(X[:6], arrival, window=(0, 1))
    assert found.value == pytest.approx(1e-3 / fit.slope, rel=1e-9)
    assert found.standard_error == pytest.approx(1e-3 * fit.stderr / fit.slope**2, rel=1e-9)


def test_standard_error_of_two_ways_counts_both_intercepts() -> None:
    random = np.random.default_rng(7)
    arrival = wave(X[3])[:7] + random.normal(scale=1e-4, size=7)
    arrival[3] = 0.999
    found = conduction_velocity(X[:7], arrival, window=(0, 1))
    sites = [3, 4, 5, 6, 3, 2, 1, 0]
    design = np.array([[abs(X[site] - X[3]), k < 4, k >= 4] for k, site in enumerate(sites)], dtype=float)
    solution, squares, *_ = np.linalg.lstsq(design, arrival[sites])
    error = np.sqrt(squares[0] / (8 - 3) * np.linalg.inv(design.T @ design)[0, 0])
    assert found.direction == "both"
    assert found.value == pytest.approx(1e-3 / solution[0], rel=1e-9)
    assert found.standard_error == pytest.approx(1e-3 * error / solution[0] ** 2, rel=1e-6)


@pytest.mark.parametrize("origin", [0.0, 50_125.0])
def test_standard_error_is_the_scatter_of_many_draws(origin: float) -> None:
    random = np.random.default_rng(1)
    noise = 0.002  # ms
    found = [
        conduction_velocity(X, wave(origin) + random.normal(scale=noise, size=X.size)) for _ in range(400)
    ]
    scatter = float(np.std([velocity.value for velocity in found], ddof=1))
    stated = np.sqrt(np.mean([velocity.standard_error**2 for velocity in found]))
    assert stated == pytest.approx(scatter, rel=0.15)  # 400 draws: 3.5 % standard deviation
    assert np.mean([velocity.value for velocity in found]) == pytest.approx(SPEED, abs=4 * scatter / 20)


def test_heavy_jitter_biases_nothing() -> None:
    random = np.random.default_rng(2)
    arrivals = [wave(0) + random.normal(scale=0.02, size=X.size) for _ in range(100)]  # 1.5 sites
    off = [(v.value - SPEED) / v.standard_error for v in (conduction_velocity(X, t) for t in arrivals)]
    assert abs(np.mean(off)) < 0.4
    assert 0.8 < np.std(off) < 1.25


# no propagation


def test_nothing_fired() -> None:
    silent = np.full(X.size, np.nan)
    assert reason(silent, threshold=-20.0) == "no compartment crossed -20 mV"
    assert reason(silent) == "no compartment fired"


def test_spike_died() -> None:
    assert reason(until(59_000, wave(0))) == "the spike died at x = 58875 um, 58 % of the way"
    assert reason(until(99_000, wave(0)), end_time=50) == "the spike died at x = 98875 um, 98 % of the way"
    mirror = reason(np.asarray(until(59_000, wave(0))[::-1]))
    assert mirror == "the spike died at x = 41125 um, 58 % of the way"


def test_spike_died_at_its_start() -> None:
    lone = np.where(X[200] == X, 1.0, np.nan)
    assert reason(lone, end_time=50) == "the spike died where it started, at x = 50125 um"


def test_spike_died_both_ways_names_the_farther() -> None:
    arrival = np.where(X < 30_000, np.nan, until(60_000, wave(X[200])))
    assert reason(arrival) == "the spike died at x = 30125 um, 40 % of the way"


def test_spike_that_died_beyond_the_stretch_asked_for_is_measured_there() -> None:
    found = conduction_velocity(X, until(60_000, wave(0)), between=(20_000, 50_000))
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert "died at x = 59875 um" in reason(until(60_000, wave(0)), between=(20_000, 61_000))


def formed_again(speed: float) -> NDArray[np.float64]:
    """A spike that comes to 40 mm, stands 2 ms, and forms again at 45.1 mm, from where it also runs back."""
    beyond = 1 + 40_000 / (1000 * SPEED) + 2 + np.abs(X - X[180]) / (1000 * speed)
    return np.where(X < 40_000, wave(0), beyond)


@pytest.mark.parametrize("mirrored", [False, True])
def test_spike_that_formed_again_is_measured_on_either_side(mirrored: bool) -> None:
    arrival = formed_again(speed=30.0)
    heading, arrival = ("antidromic", arrival[::-1]) if mirrored else ("orthodromic", arrival)

    def found(low: float, high: float) -> Velocity:
        return conduction_velocity(
            X, arrival, between=(100_000 - high, 100_000 - low) if mirrored else (low, high)
        )

    for stretch, speed in (((5_000, 35_000), SPEED), ((46_000, 99_000), 30.0), ((30_000, 99_000), 30.0)):
        assert found(*stretch).value == pytest.approx(speed, rel=1e-9)
        assert found(*stretch).direction == heading
    with pytest.raises(NoPropagation, match="arrivals run backwards between x = .* formed .* measure beyond"):
        found(40_500, 44_500)


def test_spike_that_formed_again_and_died_says_so() -> None:
    said = reason(until(70_000, formed_again(30.0)), between=(46_000, 99_000), end_time=50)
    assert said == "the spike died at x = 69875 um, 45 % of the way"


WIDENED = {"membrane": hodgkin_huxley(), "axial_resistivity": 35.4}


def widening(ratio: float, celsius: float) -> Run:
    """A spike on a 100 um axon that becomes ``ratio`` times as thick, 10 and 20 length constants long."""
    parts = []
    for diameter, long in ((100.0, 10), (100.0 * ratio, 20)):
        part = Section(1.0, diameter, **WIDENED, celsius=celsius)
        parts.append(replace(part, length=long * length_constant(part, 1000.0), nseg=20 * long))
    axon = Axon(sections=parts)
    pulse = suprathreshold_pulse(axon, start=0.1)
    return simulate(axon, pulse, duration=30, record=Record(voltage=None), progress=False)


@pytest.mark.parametrize(("ratio", "celsius"), [(5.4, 18.5), (10.59, 6.3)])
def test_velocity_beyond_a_widening_that_is_barely_passed(ratio: float, celsius: float) -> None:
    run = widening(ratio, celsius)
    begins, ends = run.axon.boundaries[0], run.axon.total_length
    assert np.nanmin(np.diff(run.arrivals())) < 0  # near the widening arrivals run backwards
    beyond = run.velocity(between=(begins + 0.5 * (ends - begins), begins + 0.8 * (ends - begins)))
    assert beyond.direction == "orthodromic"
    before = run.velocity(between=(0.3 * begins, 0.7 * begins))
    assert beyond.value / before.value == pytest.approx(math.sqrt(ratio), rel=0.01)
    with pytest.raises(NoPropagation, match="run backwards"):
        run.velocity(between=(begins, begins + 300))


def test_a_spike_that_stood_long_before_a_widening_is_blocked_by_it() -> None:
    run = widening(10.6, 6.3)
    with pytest.raises(NoPropagation, match=r"blocked at x = 14993.2 um, where section 2 begins"):
        run.velocity()


@pytest.mark.parametrize("last", [48_000, 49_875, 50_125, 50_625])
def test_block_names_the_section(last: float) -> None:
    said = reason(until(last, wave(0)), breaks=(80_000, 20_000, 50_000), end_time=50)
    assert said == "the spike was blocked at x = 50000 um, where section 3 begins"


def test_antidromic_block_names_the_section_that_ends() -> None:
    arrival = np.where(X < 50_100, np.nan, wave(100_000))
    assert reason(arrival, breaks=(50_000,)) == "the spike was blocked at x = 50000 um, where section 1 ends"


@pytest.mark.parametrize("last", [40_000, 60_000])
def test_death_far_from_a_join_is_no_block(last: float) -> None:
    assert "died at" in reason(until(last, wave(0)), breaks=(50_000,))


def test_death_near_the_stimulus_is_no_block_by_a_join_beyond_reach() -> None:
    assert "died at" in reason(until(700, wave(0)), breaks=(2_000,))


def test_spike_still_under_way_asks_for_a_longer_run() -> None:
    end_time = 1 + 45_000 / (1000 * SPEED)
    arrival = np.where(wave(0) > end_time, np.nan, wave(0))
    assert reason(arrival, end_time=end_time, breaks=(45_000,)) == (
        f"the spike was still under way at x = 44875 um when the run ended at {end_time:g} ms; "
        "make the duration longer"
    )
    assert "blocked" in reason(arrival, end_time=end_time + 1, breaks=(45_000,))


def test_spike_under_way_is_measured_once_it_covered_most_of_the_way() -> None:
    end_time = 1 + 65_000 / (1000 * SPEED)
    arrival = np.where(wave(0) > end_time, np.nan, wave(0))
    found = conduction_velocity(X, arrival, end_time=end_time)
    assert found.value == pytest.approx(SPEED, rel=1e-12)
    assert found.last_position == pytest.approx(0.8 * 65_000, abs=2 * DX)
    assert "died" in reason(arrival)


def test_under_way_counts_more_than_dead() -> None:
    end_time = 5.0
    arrival = np.where(X[200] > X, wave(X[200], speed=5), wave(X[200], speed=40))
    arrival[(arrival > end_time) | (X[200] + 30_000 < X)] = np.nan
    assert "still under way at x = 30125 um" in reason(arrival, end_time=end_time)
    assert reason(arrival) == "the spike died at x = 80125 um, 60 % of the way"


def test_all_at_once_is_no_travel() -> None:
    said = reason(np.full(X.size, 1.0))
    assert said == (
        "the sites from x = 40125 um to x = 79875 um fired at once or in no order, within 0 ms: "
        "nothing travelled"
    )


@pytest.mark.parametrize("seed", range(20))
def test_noise_without_a_wave_is_no_travel(seed: int) -> None:
    random = np.random.default_rng(seed)
    assert "fired at once or in no order" in reason(1 + random.normal(scale=0.1, size=X.size))


def test_two_sites_are_too_few() -> None:
    with pytest.raises(NoPropagation, match="needs 3 sites, got 2; take a wider window or a smaller dx"):
        conduction_velocity(X[:5], wave(0)[:5])
    assert "got 0; take a wider stretch between" in reason(wave(0), between=(101_000, 102_000))
    with pytest.raises(NoPropagation, match="a velocity needs 3 sites, got 0"):
        conduction_velocity([50.0], [1.0])


def test_passive_gap_that_the_spike_jumps_is_no_death() -> None:
    arrival = np.where((X > 50_000) & (X < 51_000), np.nan, wave(0))
    found = conduction_velocity(X, arrival, breaks=(50_000, 51_000))
    assert found.value == pytest.approx(SPEED, rel=1e-12)


# bad arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": (0.8, 0.4)}, r"window must be two fractions of the way, .* got \(0\.8, 0\.4\)"),
        ({"window": (0.4, 1.4)}, r"window must be two fractions"),
        ({"between": (5.0, 5.0)}, r"between must be two positions in um, .* got \(5\.0, 5\.0\)"),
        ({"direction": "orthodromik"}, r"unknown direction 'orthodromik'; did you mean 'orthodromic'"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conduction_velocity(X, wave(0), **arguments)


# what is printed


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "18.734 m/s orthodromic, fit error 0.001, 244 sites from 40.1 to 79.9 mm"),
        (
            {"direction": "both"},
            "18.734 m/s in both directions, fit error 0.001, 244 sites from 40.1 to 79.9 mm",
        ),
        (
            {"standard_error": 0.0},
            "18.73420 m/s orthodromic, fit error <0.00001, 244 sites from 40.1 to 79.9 mm",
        ),
        ({"standard_error": 2.3}, "19 m/s orthodromic, fit error 2, 244 sites from 40.1 to 79.9 mm"),
        (
            {"value": 0.51237, "standard_error": 4e-4, "first_position": 2005.0, "last_position": 3995.0},
            "0.5124 m/s orthodromic, fit error 0.0004, 244 sites from 2.00 to 4.00 mm",
        ),
        (
            {"first_position": 600.5, "last_position": 401.0},
            "18.734 m/s orthodromic, fit error 0.001, 244 sites from 600.5 to 401.0 um",
        ),
    ],
)
def test_velocity_reads_well(changes: dict[str, Any], text: str) -> None:
    velocity = Velocity(18.7342, 0.0012, "orthodromic", 40_125.0, 79_875.0, 244, -20.0)
    assert str(replace(velocity, **changes)) == text


# local velocity


def test_local_velocity_is_signed_and_placed_between_the_sites() -> None:
    middle, velocity = local_velocity(X, wave(X[200]))
    np.testing.assert_allclose(middle, X[:-1] + DX / 2, rtol=1e-15, atol=0)
    np.testing.assert_allclose(velocity[:200], -SPEED, rtol=1e-9, atol=0)
    np.testing.assert_allclose(velocity[200:], SPEED, rtol=1e-9, atol=0)


def test_local_velocity_is_nan_where_there_is_none() -> None:
    _, velocity = local_velocity([0.0, 1.0, 2.0, 3.0], [1.0, 1.0, np.nan, 2.0])
    assert np.isnan(velocity).all()


# invariances


sites = st.integers(0, X.size - 1)
waves = st.tuples(sites, st.floats(0.2, 150), sites, st.sampled_from([0, 0.01, 0.3, 3]))


def two_waves(what: tuple[int, float, int, float]) -> NDArray[np.float64]:
    origin, speed, other, delay = what
    return np.minimum(wave(X[origin], speed), wave(X[other], speed, start=1 + delay))


def measured(position: NDArray[np.float64], arrival: NDArray[np.float64]) -> Velocity:
    try:
        return conduction_velocity(position, arrival)
    except NoPropagation:
        assume(False)
        raise


@given(waves, st.floats(-1e3, 1e3))
def test_shift_in_time_changes_nothing(what: tuple[int, float, int, float], shift: float) -> None:
    velocity, shifted = measured(X, two_waves(what)), measured(X, two_waves(what) + shift)
    assert shifted.value == pytest.approx(velocity.value, rel=1e-7)
    assert shifted.direction == velocity.direction
    assert abs(shifted.n_sites - velocity.n_sites) <= 1  # rounding may move the site of a collision by one


@given(waves)
def test_mirror_image_flips_the_direction_alone(what: tuple[int, float, int, float]) -> None:
    assume(what[2] == what[0] or what[3] > 0)  # of two simultaneous spikes either may be the earliest
    flip = {"orthodromic": "antidromic", "antidromic": "orthodromic", "both": "both"}
    velocity, mirror = measured(X, two_waves(what)), measured(100_000 - X[::-1], two_waves(what)[::-1])
    assert mirror.value == pytest.approx(velocity.value, rel=1e-9)
    assert (mirror.direction, mirror.n_sites) == (flip[velocity.direction], velocity.n_sites)
    ends = {100_000 - velocity.first_position, 100_000 - velocity.last_position}
    assert {mirror.first_position, mirror.last_position} == ends


@given(waves, st.sampled_from([0.001, 0.5, 2.0, 1024.0]))
def test_scale_of_positions_scales_the_velocity(what: tuple[int, float, int, float], scale: float) -> None:
    velocity, scaled = measured(X, two_waves(what)), measured(scale * X, two_waves(what))
    assert scaled.value == pytest.approx(scale * velocity.value, rel=1e-9)
    assert scaled.n_sites == velocity.n_sites
    assert math.isclose(scaled.last_position, scale * velocity.last_position, rel_tol=1e-12)


@pytest.mark.parametrize("celsius", [12.0, 18.5, 25.0])
@pytest.mark.parametrize("accuracy", [1e-3, 1e-4])
def test_an_accuracy_asked_for_is_stated_and_true(celsius: float, accuracy: float) -> None:
    squid = Axon(length=150_000, diameter=476, membrane=hodgkin_huxley(), celsius=celsius)
    found = measure_velocity(squid, accuracy=accuracy, between=(90_000, 120_000), progress=False)
    assert isinstance(found, MeasuredVelocity) and len(found.runs) <= 8
    truth = travelling_wave(squid).velocity
    assert abs(found.value - truth) <= found.error <= accuracy * truth


def test_a_mesh_too_coarse_for_its_order_says_so_and_covers_the_truth() -> None:
    squid = Axon(length=150_000, diameter=476, membrane=hodgkin_huxley(), celsius=18.5)
    found = measure_velocity(squid, dt=0.01, dx=1300, between=(90_000, 120_000), progress=False)
    assert isinstance(found, MeasuredVelocity) and not found.legitimate
    assert "show order" in found.note
    assert abs(found.value - travelling_wave(squid).velocity) <= found.error


@pytest.mark.parametrize(("part", "length"), [(0.0, 50_000), (0.5, 100_000), (0.4, 100_000)])
def test_the_error_covers_what_a_near_stimulus_leaves_on_every_way(part: float, length: float) -> None:
    """From an end 2e-5 too slow, from the middle 1e-4: more than dt and dx leave."""
    squid = Axon(length=length, diameter=476, membrane=hodgkin_huxley(), celsius=12.0)
    found = measure_velocity(squid, suprathreshold_pulse(squid, at=part * length), progress=False)
    assert isinstance(found, MeasuredVelocity)
    assert found.direction == ("both" if part else "orthodromic")
    truth = travelling_wave(squid).velocity
    assert math.hypot(found.step_error, found.mesh_error) < abs(found.value - truth) <= found.error

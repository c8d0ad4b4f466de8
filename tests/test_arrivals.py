"""Arrivals and branches on invented spikes whose ways are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axon.measure import branches, first_arrivals
from axon.measure.arrivals import jitter

X = np.arange(100) * 100.0 + 50  # um, 100 compartments of a 10 mm axon


def wave(origin: float, speed: float = 20.0, start: float = 1.0) -> np.ndarray:
    """Arrival of a spike that leaves `origin` (um) both ways at `speed` (m/s)."""
    return np.asarray(start + np.abs(X - origin) / (1000 * speed))


# first_arrivals


def test_first_crossing_of_each_compartment_in_any_order() -> None:
    arrival = first_arrivals([3.0, 1.0, 2.0, 5.0], [2, 0, 2, 0], 4)
    np.testing.assert_array_equal(arrival, [1.0, np.nan, 2.0, np.nan])


def test_later_crossings_are_counted_from_zero() -> None:
    time, compartment = [3.0, 1.0, 2.0, 5.0, 9.0], [2, 0, 2, 0, 0]
    np.testing.assert_array_equal(first_arrivals(time, compartment, 3, spike=1), [5.0, np.nan, 3.0])
    np.testing.assert_array_equal(first_arrivals(time, compartment, 3, spike=2), [9.0, np.nan, np.nan])


def test_no_spikes_give_no_arrivals() -> None:
    assert np.isnan(first_arrivals([], [], 3)).all()


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 4)), max_size=30), st.integers(0, 3))
def test_arrivals_agree_with_sorting_each_compartment(spikes: list[tuple[float, int]], k: int) -> None:
    arrival = first_arrivals([time for time, _ in spikes], [site for _, site in spikes], 5, spike=k)
    for site in range(5):
        times = sorted(time for time, where in spikes if where == site)
        np.testing.assert_equal(arrival[site], times[k] if len(times) > k else np.nan)


@pytest.mark.parametrize(
    ("arguments", "spike", "message"),
    [
        (([1.0], [5], 5), 0, r"spike_compartment must be 0 to 4, got 5 to 5"),
        (([1.0, 1.0], [-1, 2], 5), 0, r"spike_compartment must be 0 to 4, got -1 to 2"),
        (([1.0], [1, 2], 5), 0, r"must have one shape \(n,\), got \(1,\) and \(2,\)"),
        (([1.0], [1], 5), -1, r"spike must be >= 0, counted from the first, got -1"),
    ],
)
def test_spikes_that_do_not_fit_are_refused(
    arguments: tuple[list[float], list[int], int], spike: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        first_arrivals(*arguments, spike=spike)


# branches


def test_spike_from_the_left_end_is_one_branch() -> None:
    (branch,) = branches(X, wave(0))
    np.testing.assert_array_equal(branch.sites, np.arange(100))
    np.testing.assert_array_equal(branch.distance, X - 50)
    np.testing.assert_array_equal(branch.arrival, wave(0))
    assert (branch.heading, branch.end) == (1, "end")


def test_spike_from_the_right_end_is_one_branch_in_its_own_order() -> None:
    (branch,) = branches(X, wave(10_000))
    np.testing.assert_array_equal(branch.sites, np.arange(100)[::-1])
    np.testing.assert_array_equal(branch.distance, 9950 - X[::-1])
    assert (branch.heading, branch.end) == (-1, "end")


def test_spike_from_the_middle_leaves_both_ways() -> None:
    right, left = branches(X, wave(3050))
    np.testing.assert_array_equal(right.sites, np.arange(30, 100))
    np.testing.assert_array_equal(left.sites, np.arange(30, -1, -1))
    assert (right.heading, left.heading) == (1, -1)
    assert right.distance[0] == left.distance[0] == 0


def test_spikes_from_both_ends_meet_in_a_collision() -> None:
    right, left = branches(X, np.minimum(wave(50), wave(9950, start=1.1)))
    assert (right.end, left.end) == ("collision", "collision")
    # 0.1 ms ahead is 2 mm ahead at 20 m/s: they meet 1 mm beyond the middle
    assert X[right.sites[-1]] == pytest.approx(6000, abs=60)
    assert X[left.sites[-1]] == pytest.approx(6000, abs=60)


def test_three_spikes_make_five_branches() -> None:
    arrival = np.minimum.reduce([wave(50), wave(5050), wave(8050)])
    found = branches(X, arrival)
    assert [(int(branch.sites[0]), branch.heading) for branch in found] == [
        (0, 1),
        (50, 1),
        (50, -1),
        (80, 1),
        (80, -1),
    ]
    assert [branch.end for branch in found] == ["collision", "collision", "collision", "end", "collision"]


def test_branch_ends_where_nothing_was_crossed() -> None:
    arrival = np.where(X < 6000, wave(0), np.nan)
    (branch,) = branches(X, arrival)
    assert (branch.sites[-1], branch.end) == (59, "gone")


def test_lone_site_is_a_branch_that_is_gone() -> None:
    right, left = branches(X, np.where(X == 3050, 1.0, np.nan))
    assert right.sites.tolist() == left.sites.tolist() == [30]
    assert right.end == left.end == "gone"


def test_spike_that_jumps_a_gap_goes_on() -> None:
    arrival = np.where((X > 4000) & (X < 4500), np.nan, wave(0))
    (branch,) = branches(X, arrival)
    assert branch.sites.size == 95
    assert branch.end == "end"


def test_other_spike_beyond_a_gap_is_not_taken_for_the_same() -> None:
    arrival = np.where(X < 4000, wave(0), np.where(X > 4500, wave(9950, start=3), np.nan))
    first, second = branches(X, arrival)
    assert (first.sites[-1], first.end) == (39, "gone")
    assert (second.sites[0], second.sites[-1], second.end) == (99, 45, "gone")


def test_lone_crossing_beyond_a_gap_is_not_taken_for_the_spike() -> None:
    arrival = np.where(X < 4000, wave(0), np.nan)
    arrival[70] = 9.0
    assert branches(X, arrival)[0].sites[-1] == 39


def test_nothing_crossed_is_no_branch() -> None:
    assert branches(X, np.full(100, np.nan)) == []
    assert branches(X, np.full(100, np.nan), ring=True) == []


def test_jitter_is_no_origin_and_no_collision() -> None:
    random = np.random.default_rng(3)
    arrival = wave(0) + random.normal(scale=0.01, size=100)  # sites follow each other every 0.005 ms
    assert np.any(np.diff(arrival) < 0)
    (branch,) = [branch for branch in branches(X, arrival) if branch.distance[-1] > 2000]
    assert branch.sites[-1] > 90
    assert branch.sites[0] < 10


def test_collision_is_found_under_jitter() -> None:
    random = np.random.default_rng(4)
    arrival = np.minimum(wave(50), wave(9950)) + random.normal(scale=0.003, size=100)
    long = [branch for branch in branches(X, arrival) if branch.distance[-1] > 2000]
    assert [branch.end for branch in long] == ["collision", "collision"]
    assert [X[branch.sites[-1]] for branch in long] == pytest.approx([5000, 5000], abs=500)


# rings


def test_ring_branches_wrap_around() -> None:
    away = np.minimum((X - 8050) % 10_000, (8050 - X) % 10_000)
    right, left = branches(X, 1 + away / 20_000, ring=True)
    assert right.sites[:25].tolist() == [*range(80, 100), 0, 1, 2, 3, 4]
    np.testing.assert_allclose(right.distance, np.arange(right.sites.size) * 100.0, rtol=0, atol=1e-9)
    assert (right.end, left.end) == ("collision", "collision")
    assert {int(right.sites[-1]), int(left.sites[-1])} <= {29, 30, 31}


def test_one_way_ring_is_one_long_branch() -> None:
    arrival = 1 + ((X - 3050) % 10_000) / 20_000
    found = branches(X, arrival, ring=True)
    assert [int(branch.sites[0]) for branch in found] == [30, 30]
    assert sorted(branch.sites.size for branch in found) == [2, 100]
    long = max(found, key=lambda branch: branch.sites.size)
    assert (long.heading, long.end) == (1, "collision")
    assert long.distance[-1] == pytest.approx(9900)


def test_circumference_of_a_ring_can_be_given() -> None:
    arrival = 1 + ((X - 9950) % 10_000) / 20_000
    default, wider = (
        max(branches(X, arrival, ring=True, length=length), key=lambda branch: branch.sites.size)
        for length in (None, 10_300.0)
    )
    assert default.distance[1] == pytest.approx(100)
    assert wider.distance[1] == pytest.approx(400)


def test_open_axon_does_not_wrap() -> None:
    arrival = 1 + ((X - 3050) % 10_000) / 20_000
    assert sorted(int(branch.sites[0]) for branch in branches(X, arrival)) == [0, 30, 30]


# invariances


# delays at which no two neighbours are crossed at the same instant: either might then be the origin
@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from([-0.0713, 0.0023, 0.0171, 0.2013]))
def test_mirror_image_has_mirrored_branches(one: int, other: int, delay: float) -> None:
    arrival = np.minimum(wave(X[one]), wave(X[other], start=1 + delay))
    straight = [(branch.sites.size, branch.heading, branch.end) for branch in branches(X, arrival)]
    mirror = branches(10_000 - X[::-1], arrival[::-1])
    assert sorted(straight) == sorted((branch.sites.size, -branch.heading, branch.end) for branch in mirror)


@given(st.integers(0, 99), st.floats(-1e3, 1e3))
def test_shift_in_time_changes_no_branch(origin: int, shift: float) -> None:
    before, after = branches(X, wave(X[origin])), branches(X, wave(X[origin]) + shift)
    assert [branch.sites.tolist() for branch in before] == [branch.sites.tolist() for branch in after]


@pytest.mark.parametrize(
    ("position", "arrival", "message"),
    [
        ([1.0, 3.0, 2.0], [0.0, 0.0, 0.0], "position must increase from one compartment to the next"),
        ([1.0, 2.0], [0.0, 0.0, 0.0], r"must have one shape \(n,\), got \(2,\) and \(3,\)"),
    ],
)
def test_positions_that_do_not_fit_are_refused(
    position: list[float], arrival: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        branches(position, arrival)


def test_jitter_is_eight_standard_deviations_of_the_arrivals_on_any_mesh() -> None:
    random = np.random.default_rng(4)
    position = np.cumsum(random.uniform(50.0, 500.0, size=4001))
    assert jitter(position, position / 20_000) < 1e-12  # a smooth wave has none
    arrival = position / 20_000 + random.normal(scale=1e-3, size=position.size)
    assert jitter(position, arrival) == pytest.approx(8e-3, rel=0.06)  # the median of 4000 scatters by 2 %
    few = np.array([0.0, 100.0, 200.0, 300.0, 400.0, 500.0])  # four residuals: the mean of the middle two
    bent = np.array([0.0, 0.0, 0.0, -1.0, -4.0, -10.0])  # 0, 0.5, 1 and 1.5 off the lines
    assert jitter(few, bent) == pytest.approx(8 * 1.4826 * 0.75 / np.sqrt(1.5))

"""Refractoriness: phases and patterns on invented data, two pulses and trains on the squid axon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import axon
from axon.membranes import Membrane
from axon.protocols import twins
from axon.protocols.following import find_pattern, follow_train, following_limit
from axon.protocols.recovery import RecoveryCycle, recovery_cycle, recovery_phases
from axon.protocols.refractory import RefractoryPeriod, least_interval, refractory_period
from axon.protocols.space_clamp import space_clamp
from axon.protocols.threshold import NoThreshold, find_threshold

HH = axon.hodgkin_huxley()
PATCH = space_clamp(HH)
SQUID = axon.Axon(length=80_000, diameter=476, membrane=HH, axial_resistivity=35.4)
CABLE = replace(SQUID, length=40_000, sections=())
COARSE: dict[str, Any] = {"dx": 400.0, "dt": 0.02}


@cache
def threshold(cable: axon.Axon) -> float:
    """nA, of pulses of 0.2 ms at x = 0."""
    numerics = {} if cable == PATCH else COARSE
    return find_threshold(cable, axon.Pulse(amplitude=1, duration=0.2), **numerics).value


def two(cable: axon.Axon, interval: float, second: float, first: float = 2.0) -> axon.Run:
    """A run with two pulses, in units of the threshold."""
    pulses = [
        axon.Pulse(amplitude=strength * threshold(cable), start=start, duration=0.2)
        for start, strength in ((0.0, first), (interval, second))
    ]
    numerics = {} if cable == PATCH else COARSE
    return axon.simulate(cable, pulses, duration=interval + 40.0, progress=False, **numerics)


@cache
def period_of_the_patch() -> RefractoryPeriod:
    return refractory_period(PATCH)


@cache
def cycle_of_the_patch() -> RecoveryCycle:
    return recovery_cycle(PATCH)


# Invented data


def test_phases_are_told_apart_and_interpolated() -> None:
    t = [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0]
    ratio = [np.nan, 5.0, 2.0, 0.8, 0.9, 1.1, 1.001, 0.999]
    assert recovery_phases(t, ratio) == [
        ("absolute", 0.0, 6.0),
        ("relative", 6.0, pytest.approx(8.0 + 2.0 * 1.0 / 1.2)),
        ("supernormal", pytest.approx(9.6666667), pytest.approx(13.0)),
        ("subnormal", pytest.approx(13.0), pytest.approx(17.0)),
        ("recovered", pytest.approx(17.0), 18.0),
    ]
    assert [name for name, _, _ in recovery_phases(t, ratio, tolerance=0.0001)][-2:] == [
        "subnormal",
        "supernormal",
    ]


def test_a_cycle_that_comes_home_without_crossing_1_has_recovered() -> None:
    for side, name in ((1, "relative"), (-1, "supernormal")):
        ratio = 1 + side * np.array([0.5, 0.03, 0.005, 0.001])
        (first, begin, end), recovered = recovery_phases([1.0, 2.0, 3.0, 4.0], ratio)
        assert first == name and begin == 1.0 and recovered == ("recovered", end, 4.0)
        assert end == pytest.approx(2.8, abs=1e-12)  # where the straight line comes within 1 %


def test_phases_of_cycles_that_are_cut_short() -> None:
    assert recovery_phases([1.0, 2.0], [np.nan, np.nan]) == [("absolute", 0.0, 2.0)]
    assert recovery_phases([1.0, 2.0], [3.0, 2.0]) == [("relative", 1.0, 2.0)]
    assert recovery_phases([1.0, 2.0], [0.9, 0.8]) == [("supernormal", 1.0, 2.0)]
    assert recovery_phases([1.0, 2.0], [1.0, 1.001]) == [("recovered", 1.0, 2.0)]


@pytest.mark.parametrize("pattern", [(1, 1), (2, 1), (3, 2), (4, 3), (5, 2), (7, 6), (3, 1)])
def test_a_pattern_is_found_in_arrivals_that_repeat(pattern: tuple[int, int]) -> None:
    q, p = pattern
    interval, repeats = 10.0, 4
    within = np.arange(p) * interval + np.linspace(0.0, 2.0, p)  # later and later, then dropped
    arrivals = (np.arange(repeats)[:, None] * q * interval + within).ravel()
    assert find_pattern(arrivals, interval, q * repeats) == pattern
    shaken = arrivals + np.where(np.arange(arrivals.size) == arrivals.size // 2, 1.0, 0.0)
    assert find_pattern(shaken, interval, q * repeats) != pattern


def test_no_arrivals_are_no_pattern() -> None:
    assert find_pattern(np.zeros(0), 10.0, 20) is None


# Two pulses


@pytest.mark.parametrize("edge", np.geomspace(0.2, 200.0, 40))
@pytest.mark.parametrize("accuracy", [1e-2, 1.4e-3])  # the latter is just what two rounds leave
def test_intervals_and_thresholds_are_as_accurate_as_asked_for(edge: float, accuracy: float) -> None:
    """A second pulse works from an interval on, and from a strength that falls with the interval."""
    two: Any = object.__new__(twins.Twins)
    two.accuracy, two.progress, two.threshold = accuracy, False, 50.0
    two.trials = SimpleNamespace(spike="propagated")
    two.works = lambda interval, strength: interval * strength >= 2 * edge
    assert two.least_interval((2.0,), 0.0, "") == pytest.approx(edge, rel=accuracy)
    assert two.least_interval((1.0, 2.0, 1.5), 0.0, "") == pytest.approx(edge, rel=accuracy)
    found = two.thresholds(np.array([edge / 99, edge, 2 * edge]), ceiling=50.0)
    assert np.isnan(found[0]) and found[1:] == pytest.approx([100.0, 50.0], rel=accuracy)


@pytest.mark.parametrize(("strength", "expected"), [(2.0, 10.298), (10.0, 5.643)])
def test_least_interval_of_a_second_propagated_spike_is_that_of_neuron(
    strength: float, expected: float
) -> None:
    assert least_interval(SQUID, strength, **COARSE) == pytest.approx(expected, rel=0.01)


def test_second_spikes_are_slow_then_fast_as_in_neuron() -> None:
    found = recovery_cycle(SQUID, [8.0, 14.0, 20.0], accuracy=0.02, **COARSE)
    assert_allclose(found.velocity_ratio, [0.731, 0.955, 1.017], rtol=0.01, atol=0)
    assert found.resting_velocity == pytest.approx(12.3138, rel=3e-3)  # the travelling wave, coarse steps
    assert found.threshold_ratio[0] > found.threshold_ratio[1] > 1.0 > found.threshold_ratio[2]
    late = recovery_cycle(SQUID, [8.0, 14.0], accuracy=0.5, between=(60_000, 75_000), **COARSE)
    assert late.velocity_ratio[0] > found.velocity_ratio[0] + 0.02  # it recovers on its way
    weak = recovery_cycle(SQUID, [8.0, 14.0], accuracy=0.5, strength=1.5, **COARSE)
    assert np.isnan(weak.velocity[0]) and np.isfinite(weak.velocity[1])


def test_no_pulse_makes_a_spike_in_the_absolute_period_and_a_weak_one_does_after_recovery() -> None:
    found = period_of_the_patch()
    assert found.spike == "local" and found.threshold == pytest.approx(threshold(PATCH), rel=1e-3)
    before, after = found.absolute * 0.98, found.recovered * 1.02

    def rises(run: axon.Run, since: float) -> bool:
        """Whether V rises to above -20 mV by itself, with no current on."""
        assert run.voltage is not None
        v = run.voltage[run.time > since + 0.25, 0]
        return bool(((np.diff(v) > 0) & (v[1:] > -20)).any())

    for strength in (2.0, 5.0, 10.0, 20.0, 50.0):
        assert not rises(two(PATCH, before, strength), before)
    assert rises(two(PATCH, found.absolute * 1.1, 20.0), found.absolute * 1.1)
    assert rises(two(PATCH, after, 1.01), after)
    assert not rises(two(PATCH, found.recovered * 0.98, 1.01), found.recovered)
    assert found.relative == found.recovered - found.absolute > 0
    assert found.error == pytest.approx(1e-3 * found.recovered)  # of the default accuracy
    assert "no local spike up to 50 x threshold" in str(found)


def test_every_argument_moves_the_periods() -> None:
    usual = period_of_the_patch()
    weak = refractory_period(PATCH, ceiling=5.0)
    assert weak.absolute > usual.absolute + 1.0 and weak.recovered == pytest.approx(usual.recovered, rel=2e-3)
    lax = refractory_period(PATCH, recovery=1.5, accuracy=1e-2)
    assert lax.recovered < usual.recovered - 1.0 and lax.error > usual.error
    early = refractory_period(PATCH, conditioning=20.0)  # the first spike comes sooner
    assert early.recovered < usual.recovered - 0.3
    long = refractory_period(PATCH, pulse_duration=1.0)
    assert long.threshold < usual.threshold / 4 and abs(long.absolute - usual.absolute) > 0.3
    assert refractory_period(PATCH, crossing=20.0).absolute > usual.absolute


def test_a_spike_must_travel_to_count_unless_it_may_be_local() -> None:
    far = refractory_period(CABLE, accuracy=1e-2, **COARSE)
    near = refractory_period(CABLE, accuracy=1e-2, spike="local", **COARSE)
    assert near.absolute < 0.95 * far.absolute
    assert near.recovered == pytest.approx(far.recovered, rel=0.02)
    fine = refractory_period(CABLE, accuracy=1e-2, spike="local", dx=100.0, dt=0.02)
    assert fine.absolute == pytest.approx(near.absolute, rel=0.02)  # although a point source rings there
    run = two(CABLE, (near.absolute + far.absolute) / 2, 8.0)
    assert np.isnan(run.arrivals(1)[-1])


def test_periods_shorten_with_warmth_by_less_than_the_gates_q10() -> None:
    warm = refractory_period(space_clamp(HH, celsius=16.3))
    cold = period_of_the_patch()
    assert 1.5 < cold.absolute / warm.absolute < 3.0
    assert 1.5 < cold.recovered / warm.recovered < 3.0


def test_the_recovery_cycle_goes_through_its_phases() -> None:
    found, period = cycle_of_the_patch(), period_of_the_patch()
    names = [name for name, _, _ in found.phases()]
    assert names[-4:] == ["relative", "supernormal", "subnormal", "recovered"]
    stops = dict((name, stop) for name, _, stop in found.phases())
    assert stops["relative"] == pytest.approx(period.recovered, abs=0.3)
    assert found.interval[0] == pytest.approx(period.absolute, rel=1e-2)
    assert found.interval[-1] == pytest.approx(2.5 * period.recovered, rel=1e-2)
    assert np.nanmin(found.threshold_ratio) == pytest.approx(0.845, abs=0.01)
    assert np.isnan(found.velocity).all() and np.isnan(found.resting_velocity)
    assert str(found).startswith("local spike: ") and "supernormal 16." in str(found)


def test_thresholds_of_the_cycle_are_edges() -> None:
    found = recovery_cycle(CABLE, [5.0, 9.0, 20.0], **COARSE)
    assert np.isnan(found.threshold[0]) and np.isnan(found.threshold_ratio[0])
    for interval, ratio in zip(found.interval[1:], found.threshold_ratio[1:], strict=True):
        assert np.isnan(two(CABLE, interval, 0.99 * ratio).arrivals(1)[-1])
        assert np.isfinite(two(CABLE, interval, 1.01 * ratio).arrivals(1)[-1])
    capped = recovery_cycle(CABLE, [9.0, 20.0], ceiling=2.0, strength=1.5, **COARSE)
    assert np.isnan(capped.threshold[0]) and np.isfinite(capped.threshold[1])


def test_a_first_spike_under_way_is_no_second_one() -> None:
    found = recovery_cycle(PATCH, [0.3, 1.5, 20.0])
    assert np.isnan(found.threshold).tolist() == [True, True, False]


def test_an_axon_that_cannot_fire_or_not_again_has_no_period(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoThreshold, match="no local spike"):
        refractory_period(space_clamp(axon.passive()))
    monkeypatch.setattr(twins, "_LONGEST", 30.0)
    with pytest.raises(NoThreshold, match="no second local spike up to 30 ms after the first"):
        refractory_period(space_clamp(once_only()))


def once_only() -> Membrane:
    """Squid membrane whose sodium channels recover a thousand times too slowly."""
    na, k, leak = HH.channels
    m, h = na.gates

    def slow(v: Any) -> Any:
        tau = h.time_constant(v, 6.3)
        return np.where(np.asarray(v) < -50, 1e3 * tau, tau)

    once = replace(h, alpha=None, beta=None, inf=h.steady_state, tau=slow)
    return Membrane("once_only", (replace(na, gates=(m, once)), k, leak))


# Trains


def train(strength: float, intervals: list[float], count: int = 40) -> list[Any]:
    pulse = axon.Pulse(amplitude=strength * threshold(CABLE), start=0.3, duration=0.2)
    return follow_train(CABLE, pulse, intervals, count=count, **COARSE)


def test_fast_trains_are_followed_in_steps() -> None:
    found = train(2.0, [12.0, 5.0, 11.0, 8.0, 10.6])
    assert [one.pattern for one in found] == [(1, 1), (3, 1), (4, 3), (2, 1), (3, 2)]
    assert [one.interval for one in found] == [12.0, 5.0, 11.0, 8.0, 10.6]
    assert_allclose([one.ratio for one in found], [1, 1 / 3, 3 / 4, 1 / 2, 2 / 3], rtol=1e-12, atol=0)
    assert found[0].rate == pytest.approx(1000 / 12) and found[0].arrivals.size == found[0].pulses == 40
    assert str(found[2]) == "every 11 ms: 4:3, 68.18 spikes/s of 90.91 /s"


def test_delays_grow_until_a_pulse_is_dropped() -> None:
    wenckebach = train(2.0, [11.2])[0]
    q, p = wenckebach.pattern
    assert q == p + 1 > 4
    late = wenckebach.delays[-2 * p :]
    falls = np.flatnonzero(np.diff(late) < 0)
    assert falls.size == 2 or falls.size == 1
    assert late.min() < 0.05 and 1.0 < late.max() < wenckebach.interval
    steady = train(2.0, [30.0])[0]
    assert np.abs(steady.delays).max() < 0.1


def test_a_ratio_is_counted_where_no_pattern_repeats() -> None:
    open_ended = train(2.0, [11.3], count=16)[0]
    assert open_ended.pattern is None and "no pattern" in str(open_ended)
    assert 0.7 < open_ended.ratio < 1.0


def test_the_following_limit_divides_followed_from_not() -> None:
    pulse = axon.Pulse(amplitude=2.0 * threshold(CABLE), duration=0.2)
    limit = following_limit(CABLE, pulse, count=24, accuracy=2e-3, **COARSE)
    assert limit == pytest.approx(11.35, abs=0.1)
    above, below = follow_train(CABLE, pulse, [1.01 * limit, 0.99 * limit], count=24, **COARSE)
    assert above.pattern == (1, 1) and below.ratio < 1
    strong = replace(pulse, amplitude=2 * pulse.amplitude)
    assert following_limit(CABLE, strong, count=12, accuracy=2e-2, **COARSE) < 0.7 * limit


PULSE = axon.Pulse(amplitude=1e4, duration=0.2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: refractory_period(PATCH, conditioning=1.0), "conditioning must be > 1 x threshold, got 1.0"),
        (lambda: refractory_period(PATCH, recovery=0.9), "recovery must be > 1 x threshold, got 0.9"),
        (lambda: refractory_period(PATCH, ceiling=1.0), "ceiling must be > 1.01 x threshold"),
        (lambda: refractory_period(PATCH, pulse_duration=0), "pulse_duration must be > 0 ms"),
        (lambda: refractory_period(PATCH, accuracy=-1), "accuracy must be > 0"),
        (lambda: refractory_period(PATCH, at=1e9), "at must lie on the axon"),
        (lambda: least_interval(PATCH, 0.5), "strength must be > 1 x threshold"),
        (lambda: recovery_cycle(PATCH, [5.0]), "two or more, increasing"),
        (lambda: recovery_cycle(PATCH, [6.0, 5.0]), "two or more, increasing"),
        (lambda: recovery_cycle(PATCH, [-1.0, 5.0]), "intervals must be > 0 ms"),
        (lambda: recovery_cycle(PATCH, strength=1.0), "strength must be > 1 x threshold"),
        (lambda: follow_train(PATCH, PULSE, [5.0]), "needs an axon of more than one compartment"),
        (lambda: follow_train(CABLE, PULSE, [5.0], spike="local"), 'and not spike="local"'),
        (lambda: follow_train(CABLE, PULSE, [5.0], count=3), "count must be a whole number >= 8, got 3"),
        (lambda: follow_train(CABLE, PULSE, [0.0]), "intervals must be > 0 ms"),
        (lambda: follow_train(CABLE, PULSE, [0.1]), "interval must not be shorter than its duration"),
        (lambda: follow_train(CABLE, 3.0, [5.0]), "pulse must be a Pulse"),  # type: ignore[arg-type]
        (lambda: following_limit(CABLE, PULSE, accuracy=0), "accuracy must be > 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_train_whose_first_pulse_fails_is_an_error() -> None:
    with pytest.raises(NoThreshold, match="the first pulse makes no propagated spike: .*use a stronger one"):
        follow_train(CABLE, replace(PULSE, amplitude=100.0), [20.0], **COARSE)

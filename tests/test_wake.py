"""The refractory wake: thresholds at an instant, intervals on invented gates, a squid axon, errors."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import axon
from axon import Axon, Gate, Record, Run, Section, hodgkin_huxley, passive, simulate
from axon.measure.excitability import (
    fast_gates,
    instantaneous_curve,
    resting_threshold,
    slow_gates,
    thresholds,
)
from axon.measure.wake import wake
from axon.protocols.reentry import arrested, refractory_wake, velocity_in_wake

HH = hodgkin_huxley()
REST = {name: float(x) for name, x in HH.steady_gates(HH.resting_potential()).items()}
SQUID = Axon(length=40_000, diameter=476, membrane=HH, celsius=18.5)


@cache
def spike(duration: float = 8.0, **record: Any) -> Run:
    how = Record(**{"gates": ("h", "n"), "every": 0.05, **record})
    return simulate(SQUID, axon.suprathreshold_pulse(SQUID), duration=duration, dx=400, record=how)


# ----- thresholds at an instant


def test_activation_is_fast_and_the_others_are_slow_at_any_temperature() -> None:
    for celsius in (6.3, 18.5, 30.0):
        assert fast_gates(HH, celsius) == ("m",)
        assert slow_gates(HH, celsius) == ("h", "n")


def test_the_threshold_is_a_zero_of_the_curve_where_current_turns_inward() -> None:
    h, n = np.meshgrid(np.linspace(0.15, 0.6, 8), np.linspace(0.3, 0.65, 7))
    found, margin = thresholds(HH, 18.5, {"h": h, "n": n})
    assert found.shape == (7, 8)
    there = np.isfinite(found)
    assert there.sum() > 20
    for v, one, other in zip(found[there], h[there], n[there], strict=True):
        gates = {"h": np.array([one]), "n": np.array([other])}
        before, at, after = instantaneous_curve(HH, 18.5, gates, v + np.array([-0.5, 0.0, 0.5]))[0]
        assert before > 0 > after
        assert abs(at) < 0.02 * (before - after)
    assert_array_equal(margin >= 0, np.isposinf(found))


def test_there_is_no_threshold_without_sodium_channels_and_nothing_to_cross_without_potassium_channels() -> (
    None
):
    states = {"h": np.array([0.0, 0.6, REST["h"]]), "n": np.array([REST["n"], 0.0, REST["n"]])}
    found, margin = thresholds(HH, 18.5, states)
    assert_array_equal(np.sign(margin), [1, -1, -1])
    assert found[0] == np.inf and found[1] == -np.inf
    assert found[2] == resting_threshold(HH, 18.5) == pytest.approx(-62.39, abs=0.02)


def test_the_threshold_rises_as_sodium_channels_are_lost_and_potassium_channels_open() -> None:
    h, n = np.linspace(0.55, 0.2, 15), np.linspace(0.34, 0.6, 15)
    by_h, _ = thresholds(HH, 18.5, {"h": h, "n": np.full(15, 0.4)})
    by_n, _ = thresholds(HH, 18.5, {"h": np.full(15, 0.4), "n": n})
    assert np.all(np.diff(by_h) > 0) and np.all(np.diff(by_n) > 0)


def test_a_membrane_whose_gates_are_alike_has_no_fast_part() -> None:
    def half(v: Any) -> Any:
        return 0.5 + 0 * np.asarray(v)

    sodium = replace(HH.channels[0], gates=(Gate("a", inf=half, tau=half), Gate("b", inf=half, tau=half)))
    alike = replace(HH, name="alike", channels=(sodium, *HH.channels[2:]))
    with pytest.raises(ValueError, match=r"membrane 'alike' has no gates that are fast against others"):
        fast_gates(alike, 18.5)


# ----- intervals on invented gates

TIME = np.arange(0.0, 10.001, 0.05)


def line(part: Any) -> tuple[Any, Any]:
    """Gates on their way from a spike, 0, to rest, 1."""
    return REST["h"] * part, 0.75 + (REST["n"] - 0.75) * part


def invented(arrival: list[float], recover: float = 2.0, **changes: Any) -> dict[str, Any]:
    """At every arrival h is lost and n there at once; both recover in straight lines, in ``recover`` ms."""
    since = (TIME[:, None] - np.array(arrival)) / recover
    h, n = line(np.where(since < 0, 1.0, np.clip(since, 0.0, 1.05)))
    known = {
        "time": TIME,
        "position": 1000.0 * (1 + np.arange(len(arrival))),
        "gates": {"h": h, "n": n},
        "membranes": [(HH, 18.5)],
        "which": np.zeros(len(arrival), int),
        "spike_time": np.array(arrival),
        "spike_site": np.arange(len(arrival)),
        "velocity": 10.0,
    }
    return known | changes


def test_wake_of_a_recovery_in_a_straight_line_ends_where_its_gates_say() -> None:
    found = wake(**invented([1.0, 1.1, 1.2]))
    # The same line, far more densely
    fine, _ = thresholds(HH, 18.5, dict(zip("hn", line(np.linspace(0, 1.05, 20_001)), strict=True)))
    lost = 2.1 * np.isposinf(fine).mean()
    assert_allclose(found.absolute_end - found.start, lost, rtol=0, atol=0.01)
    assert_allclose(found.relative_end - found.start, 2.0, rtol=0, atol=0.01)
    assert found.absolute_ms == pytest.approx(lost, abs=0.01)
    assert found.absolute_mm == pytest.approx(10 * lost, abs=0.1)
    assert found.relative_mm == pytest.approx(10 * (2.0 - lost), abs=0.2)
    step = 0.05
    assert_allclose(found.absolute.sum(axis=0) * step, lost, rtol=0, atol=step)
    assert_allclose((found.absolute | found.relative).sum(axis=0) * step, 2.0, rtol=0, atol=1.1 * step)
    assert not (found.absolute & found.relative).any()


def test_an_end_that_was_not_reached_is_said_so() -> None:
    cut = wake(**invented([9.0, 9.1]))
    assert np.isfinite(cut.absolute_ms) and np.isnan(cut.relative_ms)
    assert "then relatively refractory for (not reached)" in str(cut)
    assert cut.relative[-1].all()
    at_once = wake(**invented([9.9]))
    assert np.isnan(at_once.absolute_ms) and np.isnan(at_once.absolute_mm)
    assert at_once.absolute[-1].all()


def test_the_next_spike_ends_the_wake_of_the_one_before() -> None:
    found = wake(**invented([1.0], spike_time=np.array([1.0, 2.5]), spike_site=np.array([0, 0])))
    assert_array_equal(found.start, [1.0, 2.5])
    assert np.isnan(found.relative_end[0])


def test_without_a_velocity_there_is_no_length() -> None:
    found = wake(**invented([1.0], velocity=np.nan))
    assert np.isfinite(found.absolute_ms) and np.isnan(found.absolute_mm)
    assert "(not reached)" in str(found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"spike_time": np.zeros(0), "spike_site": np.zeros(0, int)},
            r"there is no wake without a spike",
        ),
        (
            {"gates": {"h": np.zeros((len(TIME), 1))}},
            r"needs its slow gates h, n, and this run did not record n; simulate with Record\(gates=True\)",
        ),
        ({"membranes": [(passive(), 6.3)]}, r"no membrane along the axon has gates"),
    ],
)
def test_wakes_that_cannot_be_found_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wake(**invented([1.0], **changes))


# ----- a squid axon


def test_wake_of_a_squid_axon() -> None:
    run = spike()
    found = run.wake()
    assert found.absolute_ms == pytest.approx(0.86, abs=0.03)
    assert found.relative_ms == pytest.approx(2.33, abs=0.04)
    assert found.absolute_mm == pytest.approx(found.absolute_ms * float(run.velocity()), rel=1e-12)
    assert found.threshold.shape == found.absolute.shape == (len(run.time), len(run.position))
    clear = found.clear[found.site]
    assert 20 < clear.sum() < len(run.position)
    assert np.ptp((found.relative_end - found.start)[clear]) < 0.06  # the wake travels along
    assert "absolutely refractory for 0.8" in str(found) and "mm behind the spike" in str(found)
    assert "passages" in repr(found)


def test_wake_scales_with_the_rates_of_the_gates() -> None:
    cold_squid = replace(SQUID, celsius=6.3)
    cold = simulate(
        cold_squid,
        axon.suprathreshold_pulse(cold_squid),
        duration=30,
        dx=400,
        record=Record(gates=True, every=0.1, where=[15_000, 20_000]),
    ).wake()
    assert cold.absolute_ms / spike().wake().absolute_ms == pytest.approx(3**1.22, rel=0.2)


def test_wake_is_the_same_of_a_run_read_back(tmp_path: Any) -> None:
    run = spike()
    run.save(tmp_path / "run.h5")
    assert_array_equal(axon.load(tmp_path / "run.h5").wake().absolute, run.wake().absolute)


def test_positions_recorded_sparsely_and_a_passive_section_are_no_trouble() -> None:
    some = spike(where=(5_000.0, 20_000.0)).wake()
    assert some.threshold.shape[1] == 2 and len(some.start) == 2
    joined = Axon(sections=[Section(10_000, 476, HH, celsius=18.5), Section(2_000, 476, passive())])
    run = simulate(joined, axon.suprathreshold_pulse(joined), duration=5, dx=500, record=Record(gates=True))
    found = run.wake()
    assert np.isnan(found.threshold[:, -1]).all() and not found.absolute[:, -1].any()
    assert np.isfinite(found.absolute_ms)


def test_a_run_without_gates_or_spike_has_no_wake() -> None:
    with pytest.raises(ValueError, match=r"did not record h, n; simulate with Record\(gates=True\)"):
        spike(gates=False).wake()
    silent = simulate(SQUID, (), duration=1, dx=400, record=Record(gates=True))
    with pytest.raises(ValueError, match=r"there is no wake without a spike"):
        silent.wake()


# ----- what it tells of a spike that follows


def test_an_arrested_membrane_rests_with_its_gates_as_given() -> None:
    still = arrested(HH, 18.5, {"h": 0.4, "n": 0.45})
    v = still.resting_potential()
    assert still.gates["h"].steady_state(v) == 0.4 and still.gates["n"].steady_state(v) == 0.45
    assert still.gates["h"].steady_state(0.0) == HH.gates["h"].steady_state(0.0)
    assert_allclose(still.gates["n"].time_constant(v, 18.5), HH.gates["n"].time_constant(v, 18.5), rtol=1e-12)
    with pytest.raises(ValueError, match=r"has no threshold where its slow gates are"):
        arrested(HH, 18.5, {"h": 0.0, "n": 0.45})


def test_a_spike_is_carried_again_from_a_time_on_and_then_the_faster_the_later() -> None:
    since = refractory_wake(spike(), at=20_000, accuracy=0.01, progress=False)
    assert since == pytest.approx(1.73, abs=0.04)
    velocity = velocity_in_wake(spike(), np.array([0.95, 1.05, 1.3, 1.7]) * since, at=20_000, progress=False)
    assert np.isnan(velocity[0]) and np.all(np.diff(velocity[1:]) > 0)
    assert velocity[-1] < float(spike().velocity())


def test_a_run_that_ends_too_early_cannot_tell_when_a_spike_is_carried() -> None:
    with pytest.raises(ValueError, match=r"make its duration longer"):
        refractory_wake(spike(3.0), at=20_000, progress=False)

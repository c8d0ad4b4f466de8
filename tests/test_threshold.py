"""Thresholds: brackets and laws on invented edges and curves, squid membrane against other simulators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import axon
from axon.membranes import Channel, Gate, Membrane
from axon.protocols import bracket, trials
from axon.protocols.bracket import first_success, narrow
from axon.protocols.firing import firing_curve, firing_range, hopf_currents
from axon.protocols.space_clamp import microamperes_per_cm2, nanoamperes, space_clamp
from axon.protocols.strength_duration import Law, fit_law, strength_duration
from axon.protocols.threshold import NoThreshold, Threshold, find_threshold
from axon.protocols.trials import Trials, Undecided, arrived
from axon.stimuli import Ramp, Synapse

HH = axon.hodgkin_huxley()
PATCH = space_clamp(HH)
CABLE = axon.Axon(length=40_000, diameter=476, membrane=HH, axial_resistivity=35.4)
COARSE: dict[str, Any] = {"dx": 400.0, "dt": 0.02}


def pulse(duration: float, amplitude: float = 1.0, **rest: float) -> axon.Pulse:
    return axon.Pulse(amplitude=amplitude, duration=duration, **rest)


# Brackets, on invented edges


class Edges:
    """Values work from their own edge on; counts how many were tried in how many rounds."""

    def __init__(self, *edges: float) -> None:
        self.edges, self.tried, self.rounds = np.array(edges), 0, 0

    def __call__(self, which: Any, value: Any) -> Any:
        self.tried, self.rounds = self.tried + value.size, self.rounds + 1
        return value >= self.edges[which]


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20), st.sampled_from([1e-2, 1e-4, 1e-6]))
def test_brackets_close_in_on_every_edge(edges: list[float], accuracy: float) -> None:
    works = Edges(*edges)
    low, high = narrow(works, np.zeros(len(edges)), np.full(len(edges), 2e3), accuracy=accuracy)
    assert (low < works.edges).all() and (works.edges <= high).all()
    assert (high - low <= 2 * accuracy * (low + high) / 2).all()


def test_one_bracket_is_cut_into_nine_and_many_are_halved() -> None:
    one, many = Edges(1.5), Edges(*np.linspace(1.1, 1.9, 8))
    narrow(one, [1.0], [2.0], accuracy=1e-6)
    narrow(many, np.ones(8), np.full(8, 2.0), accuracy=1e-6)
    assert one.rounds == 6 and one.tried == 48  # 9^6 > 2^18.3 > 9^5
    assert many.rounds in (18, 19)


def test_a_value_that_takes_eight_trials_is_tried_alone() -> None:
    works = Edges(1.5)
    narrow(works, [1.0], [2.0], accuracy=1e-3, cost=8)
    assert works.tried == works.rounds == 9


def test_the_first_success_ends_the_climb() -> None:
    works = Edges(5.0)
    found = first_success(works, 1.0, 1000.0, step=1.1)
    assert found is not None and found[0] < 5.0 <= found[1] < 1.11 * found[0]
    assert works.tried <= 24
    assert first_success(Edges(0.5), 1.0, 10.0, step=2.0) == (0.0, 1.0)
    assert first_success(Edges(20.0), 1.0, 10.0, step=2.0) is None


def test_the_progress_bar_reaches_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Any] = []

    class Bar(bracket.Progress):
        def __init__(self, total: float, **rest: Any) -> None:
            super().__init__(total, **rest)
            self.done = 0.0
            bars.append(self)

        def advance(self, amount: float) -> None:
            self.done += amount

    monkeypatch.setattr(bracket, "Progress", Bar)
    narrow(Edges(1.5), [1.0], [2.0], accuracy=1e-4, progress=False, what="threshold")
    assert [bar.enabled for bar in bars] == [False] and "threshold" in bars[0].unit
    assert bars[0].done == pytest.approx(bars[0].total) and bars[0].total == pytest.approx(
        np.log2(1 / 3e-4), abs=1
    )


# The space clamp


@pytest.mark.parametrize("area", [1e-8, 1e-3, 1.0])
def test_space_clamp_is_one_compartment_of_the_area_asked_for(area: float) -> None:
    clamp = space_clamp(HH, celsius=12.0, area=area)
    compartments = clamp.compartments()
    assert len(compartments) == 1 and clamp.celsius == 12.0
    assert compartments.area[0] == pytest.approx(area, rel=1e-12)
    assert_allclose(
        microamperes_per_cm2(clamp, nanoamperes(clamp, [1.0, 2.5])), [1.0, 2.5], rtol=1e-12, atol=0
    )


def test_a_nanoampere_is_a_microampere_per_cm2_in_the_default_space_clamp() -> None:
    assert nanoamperes(PATCH, 6.5) == pytest.approx(6.5, rel=1e-12)
    with pytest.raises(ValueError, match="needs a space clamp, got an axon of 245 compartments"):
        nanoamperes(CABLE, 1.0)
    with pytest.raises(ValueError, match="area must be > 0 cm2, got -1"):
        space_clamp(HH, area=-1)


def test_a_ramp_charges_a_passive_membrane_as_the_closed_form_says() -> None:
    slope, duration, tau = 0.5, 8.0, 1.0 / 0.3  # nA/ms, ms, ms; 0.3 mS/cm2 under 1 uF/cm2, of 1 nF
    clamp = space_clamp(axon.passive())
    run = axon.simulate(
        clamp, Ramp(amplitude=slope * duration, start=1.0, duration=duration), duration=9.0, dt=0.01
    )
    s = run.time - 1.0
    expected = np.where(s > 0, slope * tau * (s - tau * -np.expm1(-s / tau)), 0.0)
    assert run.voltage is not None
    assert_allclose(run.voltage[:, 0] + 65.0, expected, rtol=0, atol=1e-4)


# Thresholds of the squid membrane; other simulators' numbers


@pytest.mark.parametrize(
    ("duration", "amplitude"),
    [(0.1, 65.127), (1.0, 6.9189), (50.0, 2.2403)],
    ids=["0.1 ms", "1 ms", "rheobase"],
)
def test_membrane_threshold_is_that_of_neuron_and_scipy(duration: float, amplitude: float) -> None:
    found = find_threshold(PATCH, pulse(duration), dt=0.005)
    assert found.value == pytest.approx(amplitude, rel=1e-4)
    assert found.error <= 1e-4 * found.value
    assert found.spike == "local" and found.steepness > 1e4


def test_cable_threshold_is_that_of_neuron() -> None:
    found = find_threshold(
        replace(CABLE, length=80_000, sections=()), pulse(0.2), accuracy=1e-3, dt=0.02, dx=320
    )
    assert found.value == pytest.approx(4481, rel=2e-3)
    assert found.spike == "propagated" and found.below < 1.0 and found.above > 100.0


def test_anode_break_excites_in_the_cold_and_not_at_18_degrees() -> None:
    found = find_threshold(PATCH, pulse(10.0, -1.0))
    assert found.value == pytest.approx(-2.819, rel=1e-3)
    assert found.fires < found.fails < 0
    with pytest.raises(NoThreshold, match="no local spike with a stimulus of 0.02 to 200 nA"):
        find_threshold(space_clamp(HH, celsius=18.5), pulse(10.0, -1.0), ceiling=200)


@pytest.mark.parametrize(
    "stimulus", [pulse(0.1), pulse(20.0), pulse(10.0, -1.0), Ramp(amplitude=1.0, duration=40.0)]
)
def test_runs_are_long_enough_for_their_outcome(stimulus: Any) -> None:
    found = find_threshold(PATCH, stimulus)
    for amplitude, count in ((found.fails, 0), (found.fires, 1)):
        run = axon.simulate(PATCH, replace(stimulus, amplitude=amplitude), duration=150.0, progress=False)
        assert min(len(run.spike_time), 1) == count


def test_a_slow_ramp_needs_several_times_the_rheobase() -> None:
    ramps = [
        find_threshold(PATCH, Ramp(amplitude=1.0, duration=d), accuracy=1e-2).value
        for d in (8.0, 30.0, 100.0)
    ]
    assert ramps == sorted(ramps)
    assert ramps[0] < 2 * 2.2403 and ramps[-1] > 5 * 2.2403


def test_local_and_propagated_spike_have_one_threshold_on_a_uniform_cable() -> None:
    far, near = (
        find_threshold(CABLE, pulse(0.2), spike=kind, accuracy=1e-3, **COARSE)
        for kind in ("propagated", "local")
    )
    assert far.value == pytest.approx(near.value, rel=2e-3)
    assert (far.spike, near.spike) == ("propagated", "local")
    assert far.below < 5.0 < near.below


def test_the_spike_must_come_to_the_end_farther_from_the_stimulus() -> None:
    thin = axon.Section(20_000, 100, HH)
    joined = axon.Axon(sections=(thin, replace(thin, diameter=2000)))  # blocks from thin to thick
    back = find_threshold(joined, pulse(0.2, at=20_100), accuracy=1e-2, ceiling=1e6, **COARSE)
    assert back.spike == "propagated"
    with pytest.raises(NoThreshold, match="no propagated spike"):
        find_threshold(joined, pulse(0.2, at=0), accuracy=1e-2, ceiling=1e4, **COARSE)


def test_a_function_may_scale_anything() -> None:
    def twice(strength: float) -> list[axon.Pulse]:
        return [pulse(0.1, strength), pulse(0.1, strength, start=0.5)]

    two = find_threshold(PATCH, twice, ceiling=1e3, accuracy=1e-3)
    assert 0.5 < two.value / 65.127 < 0.55  # charges add up, but for what has leaked away
    synapse = find_threshold(
        PATCH, lambda g: Synapse(conductance=g, reversal=0.0, tau=1.0), ceiling=10.0, unit="uS", accuracy=1e-3
    )
    assert synapse.unit == "uS" and "uS for a local spike" in str(synapse)
    assert 0.05 < synapse.value < 0.2


def test_accuracy_crossing_and_duration_are_what_they_say() -> None:
    rough, fine = (find_threshold(PATCH, pulse(1.0), accuracy=a) for a in (1e-1, 1e-6))
    assert 1e-3 < rough.error / rough.value <= 1e-1 and fine.error / fine.value <= 1e-6
    assert len(rough.trials) < len(fine.trials)
    with pytest.raises(NoThreshold, match="no local spike"):
        find_threshold(PATCH, pulse(1.0), crossing=60.0)
    # In three milliseconds only what is well above threshold has risen to -20 mV.
    assert find_threshold(PATCH, pulse(1.0), duration=3.0).value > 1.05 * fine.value


def test_result_tells_what_was_tried() -> None:
    found = find_threshold(PATCH, pulse(1.0, -1e9 * -1.0), accuracy=1e-3)
    strengths, peaks = np.array(found.trials).T
    assert (np.diff(strengths) > 0).all() and {found.fails, found.fires} <= set(strengths)
    assert (peaks[strengths <= found.fails] <= found.below).all()
    assert float(found) == found.value == (found.fails + found.fires) / 2
    assert str(found).startswith("6.91") and "nA for a local spike" in str(found)
    assert replace(found, trials=()) == Threshold(**{**found.__dict__, "trials": ()})


# Where there is none


def test_a_passive_membrane_has_no_threshold_however_strong_the_pulse() -> None:
    with pytest.raises(NoThreshold, match="no local spike with a stimulus of 1.5 to 15000 nA"):
        find_threshold(space_clamp(axon.passive()), pulse(0.2))
    passive = replace(CABLE, length=2000, membrane=axon.passive(), sections=())
    with pytest.raises(NoThreshold, match="graded: .* crosses -20 mV, it grows only 1 times as fast"):
        find_threshold(passive, pulse(0.2), **COARSE)


def test_a_hot_membrane_answers_by_degrees() -> None:
    with pytest.raises(NoThreshold, match="the response is graded"):
        find_threshold(space_clamp(HH, celsius=35.0), pulse(1.0))


def test_a_ceiling_below_the_threshold_is_reached() -> None:
    with pytest.raises(NoThreshold, match="up to|0.0006 to 6 nA; if that ceiling is too low"):
        find_threshold(PATCH, pulse(1.0), ceiling=6.0)


def test_an_axon_that_fires_anyway_has_no_threshold() -> None:
    with pytest.raises(NoThreshold, match="fires without a stimulus"):
        find_threshold(PATCH, lambda s: [pulse(1.0, s), pulse(1.0, 50.0)], ceiling=10.0)


def bistable() -> Membrane:
    """A leak against a persistent inward current: rests at -65 mV, or once kicked near -10 mV for ever."""
    gate = Gate("p", 1, inf=lambda v: 1 / (1 + np.exp(-(v + 40) / 2)), tau=lambda v: 1.0 + 0 * v)
    return Membrane("bistable", (Channel("P", 1e-3, 0.0, (gate,)), Channel("leak", 3e-4, -65.0)))


def test_an_axon_that_never_comes_to_rest_is_undecided_unless_told_when_to_look() -> None:
    stuck = space_clamp(bistable())
    with pytest.raises(Undecided, match="still stirs .* ms after .*Pulse.*; give the duration"):
        find_threshold(stuck, pulse(1.0), crossing=20.0, ceiling=1e3)
    with pytest.raises(NoThreshold):
        find_threshold(stuck, pulse(1.0), crossing=20.0, ceiling=40.0, duration=20.0)


def test_an_interrupted_search_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*given: Any, **named: Any) -> list[axon.Run]:
        return [replace(run, complete=False) for run in axon.simulate_many(*given, **named)]

    monkeypatch.setattr(trials, "simulate_many", stopped)
    with pytest.raises(KeyboardInterrupt):
        find_threshold(PATCH, pulse(1.0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: find_threshold(PATCH, "pulse"), "stimulus must be a Pulse, Train, Ramp, or a function"),  # type: ignore[arg-type]
        (lambda: find_threshold("axon", pulse(1.0)), "axon must be an Axon, got 'axon'"),  # type: ignore[arg-type]
        (lambda: find_threshold(PATCH, pulse(1.0), accuracy=0), r"accuracy must be > 0 \(relative\), got 0"),
        (lambda: find_threshold(PATCH, pulse(1.0), ceiling=-3), "ceiling must be > 0 nA, got -3"),
        (lambda: find_threshold(PATCH, pulse(1.0), spike="loca"), "did you mean 'local'"),
        (lambda: find_threshold(PATCH, pulse(1.0), spike="propagated"), 'use spike="local"'),
        (lambda: find_threshold(PATCH, pulse(1.0), duration=-1), "duration must be > 0 ms, got -1"),
        (lambda: find_threshold(PATCH, pulse(1.0, at=1e6)), "at must lie on the axon"),
        (lambda: find_threshold(PATCH, pulse(np.inf)), "a stimulus that never ends needs a duration"),
        (lambda: find_threshold(PATCH, lambda s: pulse(1.0, s)), "a function needs a ceiling"),
        (
            lambda: find_threshold(PATCH, lambda s: [3.0], ceiling=1),  # type: ignore[list-item]
            r"must return a stimulus or several, got \[3.0\]",
        ),
        (lambda: find_threshold(PATCH, lambda s: [], ceiling=1), "must return a stimulus or several"),
        (lambda: strength_duration(PATCH, (1.0, 2.0)), "three or more, increasing"),
        (lambda: strength_duration(PATCH, (1.0, 3.0, 2.0)), "three or more, increasing"),
        (lambda: strength_duration(PATCH, (1.0, -3.0, 2.0)), "durations must be > 0 ms, got -3"),
        (lambda: strength_duration(PATCH, (5.0, 10.0, 20.0)), "must begin below the chronaxie"),
        (lambda: firing_curve(PATCH, []), "at least one current"),
        (lambda: firing_curve(PATCH, [np.nan]), "amplitudes must be a finite number of nA"),
        (lambda: firing_curve(PATCH, [1.0], duration=0), "duration must be > 0 ms"),
        (lambda: firing_range(PATCH, ceiling=0), "ceiling must be > 0 nA"),
        (lambda: hopf_currents(HH, span=-1), "span must be > 0 mV"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


# Outcomes


def test_a_local_spike_is_the_membranes_own_and_not_the_stimulus() -> None:
    driven = Trials(space_clamp(axon.passive()), 0.0).run([(pulse(1.0, 500.0),)], arrived(1))[0]
    assert driven.voltage.max() > 100.0 and not driven.arrivals.size
    own = Trials(PATCH, 0.0).run([(pulse(1.0, 20.0),)], arrived(1))[0]
    assert own.arrivals.size == 1 and 0.5 < own.arrivals[0] < own.over < 5.0


def test_a_spike_between_the_places_watched_is_not_taken_for_rest() -> None:
    cable = Trials(CABLE, 0.0, **COARSE)
    outcome = cable.run([(pulse(0.2, 1000.0),)], arrived(1))[0]
    assert cable._settled(outcome, 0.2) and not cable._settled(outcome, outcome.run.time[-1] - 1.0)
    passing = replace(outcome.run, spike_time=outcome.run.time[-1:] - 1.0)
    assert not cable._settled(replace(outcome, run=passing), 0.2)


def test_searches_learn_how_long_runs_must_be() -> None:
    cable = Trials(CABLE, 0.0, **COARSE)
    begin = cable.allowance
    cable.run([(pulse(0.2, 20_000.0),)], arrived(1))
    assert cable.allowance == begin  # arrives in time
    cable.run([(pulse(0.2, 4500.0),)], arrived(1))
    assert cable.allowance > begin


# Strength and duration


def test_a_climb_takes_no_longer_steps_than_asked_for() -> None:
    tried: list[float] = []

    def works(_: Any, value: Any) -> Any:
        tried.extend(value.tolist())
        return value >= 99.0

    assert first_success(works, 1.0, 100.0, step=1.25) == (pytest.approx(tried[-2]), 100.0)
    ratio = np.divide(tried[1:], tried[:-1])
    assert 1.2 < ratio.min() <= ratio.max() <= 1.25 and (tried[0], tried[-1]) == (1.0, 100.0)


@pytest.mark.parametrize("name", ["Weiss", "Lapicque"])
def test_a_law_is_found_again_in_thresholds_that_follow_it(name: str) -> None:
    d = np.array([0.05, 0.2, 1.0, 5.0, 20.0])
    shape = 1 + 0.7 / d if name == "Weiss" else 1 / (1 - np.exp(-d * np.log(2) / 0.7))
    law = fit_law(name, d, 3.0 * shape)
    assert (law.rheobase, law.chronaxie) == (pytest.approx(3.0, rel=1e-6), pytest.approx(0.7, rel=1e-6))
    assert law.misfit < 1e-6 and law(0.7) == pytest.approx(6.0, rel=1e-6)
    other = fit_law("Lapicque" if name == "Weiss" else "Weiss", d, 3.0 * shape)
    assert other.misfit > 0.05 and name in str(law)


def test_strength_duration_curve_of_the_membrane() -> None:
    found = strength_duration(PATCH, (0.05, 0.2, 1.0, 5.0, 50.0))
    assert (np.diff(found.amplitudes) < 0).all() and (np.diff(found.charges) > 0).all()
    assert found.rheobase.value == pytest.approx(2.2403, rel=1e-3)
    assert found.chronaxie == pytest.approx(1.654, rel=1e-3)  # NEURON and SciPy
    assert found.charges[0] == pytest.approx(6.5, abs=0.1)  # 6.5 mV times 1 uF/cm2
    # The membrane accommodates, which neither law knows; the leaky capacitor is the nearer one.
    assert 0.02 < found.lapicque.misfit < found.weiss.misfit < 0.2
    assert "chronaxie 1.654 ms" in str(found) and "Weiss" in str(found)


@pytest.mark.parametrize("name", ["Weiss", "Lapicque"])
def test_the_chronaxie_is_as_accurate_as_asked_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With the rheobase as much too high and every other threshold as much too low as they may be."""
    law = Law(name, rheobase=3.0, chronaxie=0.7, misfit=0.0)

    def threshold(_: axon.Axon, pulse: axon.Pulse, *, accuracy: float, **how: Any) -> Threshold:
        off = 1 + accuracy if pulse.duration > 100 else 1 - accuracy
        value = off * float(law(pulse.duration))
        return Threshold(value, value, below=10.0, above=90.0, steepness=99.0, spike="local")

    monkeypatch.setattr("axon.protocols.strength_duration.find_threshold", threshold)
    for accuracy in (1e-2, 1e-4):
        found = strength_duration(PATCH, (0.1, 2.0, 1e6), accuracy=accuracy)
        assert found.chronaxie == pytest.approx(0.7, rel=accuracy)


# Steady currents


def test_rest_loses_and_regains_stability_at_the_exact_currents() -> None:
    assert_allclose(hopf_currents(HH), [9.775438, 154.522434], rtol=1e-7, atol=0)
    assert hopf_currents(HH, span=8.0) == pytest.approx((9.775438,), rel=1e-7)
    assert hopf_currents(HH, celsius=30.0) == hopf_currents(axon.passive()) == ()


def test_steady_currents_fire_with_the_exact_periods_or_not_at_all() -> None:
    found = firing_curve(PATCH, [1.0, 5.0, 8.0, 10.0, 170.0], duration=800.0, dt=0.005)
    assert found.spikes[0] == 0 and found.spikes[1] == 1 and found.spikes[-1] == 1
    assert found.sustained.tolist() == [False, False, True, True, False]
    assert_allclose(found.period[2:4], [16.007713, 14.636210], rtol=3e-5, atol=0)
    assert_allclose(found.rate, [0, 0, 1e3 / 16.0078, 1e3 / 14.6363, 0], rtol=1e-4, atol=0)
    assert np.isnan(found.latency[0]) and (np.diff(found.latency[1:]) < 0).all()
    assert "rate (/s)" in str(found)


def test_firing_lasts_between_its_onset_and_depolarisation_block() -> None:
    found = firing_range(PATCH, ceiling=180.0, duration=1000.0, accuracy=1e-3)
    assert found.onset == pytest.approx(6.2603, rel=3e-3)
    assert found.onset_error <= 1e-3 * found.onset
    edges = [found.onset - 0.05, found.onset + 0.05, found.block - 1.0, found.block + 1.0]
    assert firing_curve(PATCH, edges).sustained.tolist() == [False, True, True, False]
    lower = firing_range(PATCH, ceiling=180.0, duration=1000.0, accuracy=1e-3, crossing=-40.0)
    assert lower.block > found.block + 20.0  # oscillations shrink before they end
    assert str(found).startswith("fires for 1000 ms from 6.2")


def test_no_lasting_firing_and_firing_that_never_ends_are_errors() -> None:
    with pytest.raises(NoThreshold, match="no steady current of 0.005 to 5 nA makes the axon fire"):
        firing_range(PATCH, ceiling=5.0, duration=500.0)
    with pytest.raises(NoThreshold, match="still fires at the ceiling of 50 nA"):
        firing_range(PATCH, ceiling=50.0, duration=500.0)


def test_a_cable_fires_at_its_far_end() -> None:
    found = firing_curve(CABLE, [500.0, 2500.0], duration=300.0, **COARSE)
    assert found.sustained.tolist() == [False, True]
    assert found.latency[1] > 3.0  # it must travel

"""A nerve: diameters as measured, arrivals, and a compound action potential that is the sum of its parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import lognorm

import axon
from axon.sweeps.population import core_conductance

SQUID = axon.Axon(
    length=1e4, diameter=476, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4, celsius=18.5
)


@pytest.fixture(scope="module")
def volley() -> axon.Volley:
    cold = axon.Axon(
        length=1e4, diameter=1, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4, celsius=6.3
    )
    nerve = axon.Population(
        axon.Fibres("warm", SQUID, [100.0, 100.0, 400.0]), axon.Fibres("cold", cold, [25.0])
    )
    return nerve.conduct(progress=False)


def test_diameters_follow_a_histogram() -> None:
    counts, edges = [10, 40, 30, 20], [1.0, 2.0, 3.0, 5.0, 9.0]
    fibres = axon.Fibres.drawn("A", SQUID, 1000, histogram=(counts, edges))
    found, _ = np.histogram(fibres.diameters, edges)
    assert found.tolist() == [100, 400, 300, 200]
    drawn = axon.Fibres.drawn("A", SQUID, 1000, histogram=(counts, edges), seed=1)
    assert np.histogram(drawn.diameters, edges)[0] == pytest.approx([100, 400, 300, 200], abs=60)
    assert drawn == axon.Fibres.drawn("A", SQUID, 1000, histogram=(counts, edges), seed=1)
    few = axon.Fibres.drawn("A", SQUID, 4, histogram=([1], [2.0, 4.0]))
    assert few.diameters == pytest.approx([2.25, 2.75, 3.25, 3.75])  # in the middle of their quarters


def test_diameters_follow_a_distribution() -> None:
    fibres = axon.Fibres.drawn("C", SQUID, 501, distribution=lognorm(0.3, scale=2.0))
    assert np.median(fibres.diameters) == pytest.approx(2.0)
    assert np.std(np.log(fibres.diameters)) == pytest.approx(0.3, rel=0.02)


def test_every_axon_has_its_own_velocity_and_arrival(volley: axon.Volley) -> None:
    assert volley.fibre.tolist() == ["warm"] * 3 + ["cold"]
    expected = np.array([18.7319 * np.sqrt(100 / 476)] * 2 + [18.7319 * np.sqrt(400 / 476)])
    np.testing.assert_allclose(volley.velocity[:3], expected, rtol=5e-4, atol=0)
    assert volley.velocity[3] == pytest.approx(12.3138 * np.sqrt(25 / 476), rel=5e-4)
    np.testing.assert_allclose(volley.arrivals(30.0), 30.0 / volley.velocity, rtol=1e-15, atol=0)
    counts, edges = volley.histogram([0, 5, 10, 20])
    assert counts.tolist() == [1, 2, 1] and edges.tolist() == [0, 5, 10, 20]
    assert volley.histogram([0, 5, 10, 20], fibre="cold")[0].tolist() == [1, 0, 0]


def test_compound_at_no_distance_is_the_spike_itself() -> None:
    volley = axon.Population(axon.Fibres("one", SQUID, [100.0] * 5)).conduct(progress=False)
    time, signal = volley.compound(0.0, every=0.005)
    wave = axon.travelling_wave(SQUID)
    assert signal.max() == pytest.approx(wave.peak - wave.rest, abs=0.15)
    assert signal.min() == pytest.approx(wave.trough - wave.rest, abs=0.1)
    ((_, since, recorded),) = volley.spikes["one"]
    assert since[-1] > 20.0 and abs(recorded[-1]) < 0.01  # the afterpotential is over
    time, signal = volley.compound(20.0, every=0.005)
    level = -20.0 - wave.rest  # which the spike crosses when it arrives
    rising = int(np.argmax(signal > level))
    crossing = np.interp(level, signal[rising - 1 : rising + 1], time[rising - 1 : rising + 1])
    assert crossing == pytest.approx(volley.arrivals(20.0)[0], abs=1e-3)


def test_a_core_conducts_by_its_area_over_the_resistivity_of_its_longest_section() -> None:
    fibre = axon.Axon(
        sections=[
            axon.Section(1.0, 1.0, axon.hodgkin_huxley(), axial_resistivity=70.0),
            axon.Section(1000.0, 20.0, axon.hodgkin_huxley(), axial_resistivity=50.0),
        ]
    )
    assert core_conductance(fibre) == pytest.approx(np.pi * 1e-3**2 / 50.0, rel=1e-12)  # radius 10 um, S cm


def test_compound_is_the_sum_of_its_parts_and_moves_with_distance(volley: axon.Volley) -> None:
    time, whole = volley.compound(50.0)
    parts = [volley.compound(50.0, fibre=kind)[1] for kind in ("warm", "cold")]
    np.testing.assert_allclose(whole, np.sum(parts, axis=0), rtol=0, atol=1e-12)
    # Spikes of different axons come apart: the last of them peaks at its own arrival, with its own weight
    share = volley.weight[3] / volley.weight.sum()
    late = time > volley.arrivals(50.0)[3] - 1
    assert whole[late].max() == pytest.approx(share * 103, rel=0.02)
    assert volley.weight[2] / volley.weight[0] == pytest.approx(16)


def test_area_under_the_compound_does_not_change_with_distance(volley: axon.Volley) -> None:
    near, far = (np.trapezoid(*volley.compound(d)[::-1]) for d in (30.0, 90.0))
    assert far == pytest.approx(near, rel=1e-3)


def test_bipolar_recording_is_the_difference_of_two_places(volley: axon.Volley) -> None:
    time, both = volley.compound(50.0, separation=10.0)
    _, near = volley.compound(50.0)
    _, far = volley.compound(60.0)
    n = len(near)
    assert len(time) == len(both) == len(far) > n  # until the last spike has passed both
    np.testing.assert_allclose(both[:n], near - far[:n], rtol=0, atol=1e-12)


def test_axons_that_do_not_conduct_are_silent() -> None:
    hot = axon.Axon(length=1e4, diameter=1, membrane=axon.hodgkin_huxley(), celsius=40)
    volley = axon.Population(axon.Fibres("hot", hot, [50.0]), axon.Fibres("warm", SQUID, [50.0])).conduct(
        progress=False
    )
    assert np.isnan(volley.velocity).tolist() == [True, False]
    assert np.isnan(volley.arrivals(10.0)[0])
    assert not volley.compound(10.0, fibre="hot")[1].any()
    assert volley.compound(10.0)[1].max() == pytest.approx(90.6 / 2, rel=5e-3)  # of two, one is silent
    with pytest.raises(axon.NoPropagation, match="no axon of the nerve conducts"):
        axon.Population(axon.Fibres("hot", hot, [50.0])).conduct(progress=False)


def test_nerve_is_a_sweep_that_can_be_kept_and_drawn(tmp_path: Path) -> None:
    from axon.draw.nerve import plot_volley

    nerve = axon.Population(axon.Fibres("warm", SQUID, [100.0, 200.0]))
    volley = nerve.conduct(to=tmp_path / "nerve.h5", progress=False)
    kept = axon.load_sweep(tmp_path / "nerve.h5")
    np.testing.assert_array_equal(kept["velocity"], volley.velocity)
    page = plot_volley(volley, [10.0, 30.0], tmp_path / "nerve.png")
    assert len(page.subfigs[1].axes[0].lines) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: axon.Population(), "needs Fibres"),
        (lambda: axon.Fibres("A", SQUID, []), "at least one diameter"),
        (lambda: axon.Fibres("A", SQUID, [-1]), "must be > 0 um"),
        (lambda: axon.Fibres("A", 3, [1]), "must be an Axon"),
        (lambda: axon.Fibres.drawn("A", SQUID, 3), "either a histogram or a distribution"),
        (lambda: axon.Fibres.drawn("A", SQUID, 0, histogram=([1], [0, 1])), "size must be"),
        (lambda: axon.Fibres.drawn("A", SQUID, 3, histogram=([1], [0, 1, 2])), "one more edge"),
        (lambda: axon.Population(axon.Fibres("A", SQUID, [1]), axon.Fibres("A", SQUID, [1])), "must differ"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()  # type: ignore[operator]

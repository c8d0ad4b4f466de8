"""Voltage clamp: exponential gates in closed form, current-voltage curves read off between the samples."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

import axon
from axon import AxonError, Channel, Gate, Membrane
from axon.measure.clamp import ClampFamily
from axon.membranes import frankenhaeuser_huxley
from axon.protocols.clamp import voltage_clamp

Array = NDArray[np.float64]
HH = axon.hodgkin_huxley()
LEVELS = np.array([-100.0, -61.0, -40.0, -23.0, -3.0, 17.0, 38.0, 59.0, 83.0])


@cache
def family() -> ClampFamily:
    return voltage_clamp(HH, LEVELS, progress=False)


def relaxed(level: float, time: Array | float, holding: float, celsius: float = 6.3) -> dict[str, Array]:
    """The gates of a clamped patch in closed form."""
    return {
        name: gate.steady_state(level)
        + (gate.steady_state(holding) - gate.steady_state(level))
        * np.exp(-np.asarray(time) / gate.time_constant(level, celsius))
        for name, gate in HH.gates.items()
    }


def sodium(level: float, time: float) -> float:
    return float(HH.currents(level, relaxed(level, time, family().holding))["Na"])


def test_gates_and_currents_follow_the_closed_form() -> None:
    found = family()
    assert_allclose(found.holding, HH.resting_potential(), rtol=0, atol=1e-12)
    for i, level in enumerate(LEVELS):
        gates = relaxed(float(level), found.time, found.holding)
        for name, gate in gates.items():
            assert_allclose(found.gates[name][:, i], gate, rtol=0, atol=1e-7)
        for name, current in HH.currents(level, gates).items():
            assert_allclose(found.currents[name][:, i], current, rtol=0, atol=1e-7)
        assert_allclose(found.conductances["K"][:, i], 0.036 * gates["n"] ** 4, rtol=0, atol=1e-7)
    assert_allclose(found.total, sum(found.currents.values()), rtol=1e-12, atol=0)


@pytest.mark.parametrize("i", range(2, len(LEVELS)))
def test_peak_current_is_that_of_the_closed_form(i: int) -> None:
    level, peak = float(LEVELS[i]), family().peak("Na")
    best = minimize_scalar(lambda t: -abs(sodium(level, t)), bounds=(0.05, 4.0), method="bounded")
    assert_allclose(peak.time[i], best.x, rtol=0, atol=1e-4)
    assert_allclose(peak.current[i], sodium(level, best.x), rtol=1e-6, atol=0)


def test_peak_is_inward_below_the_reversal_potential_and_outward_above() -> None:
    assert_array_equal(np.sign(family().peak("Na").current[1:]), [-1, -1, -1, -1, -1, -1, 1, 1])
    potassium = family().peak("K")
    assert_allclose(potassium.current[3:], family().steady("K")[3:], rtol=1e-3, atol=0)  # it only grows


def test_early_inward_total_current_is_there_only_below_the_reversal_potential() -> None:
    early = family().peak().current
    assert (early[2:7] < 0).all()
    assert np.isnan(early[-2:]).all() and np.isnan(family().peak().time[-1])


def test_steady_current_is_that_of_the_membrane() -> None:
    assert_allclose(family().steady(), HH.steady_current(LEVELS), rtol=1e-3, atol=1e-6)
    assert_allclose(family().steady("leak"), 0.0003 * (LEVELS + 54.387), rtol=1e-9, atol=0)


def test_current_at_a_time_is_interpolated() -> None:
    i = 4
    assert_allclose(family().at(0.6333, "Na")[i], sodium(float(LEVELS[i]), 0.6333), rtol=1e-6, atol=0)
    assert family().at(0.6333).shape == LEVELS.shape
    with pytest.raises(ValueError, match="time must lie in the record, 0 to .* ms, got -1"):
        family().at(-1.0)


def test_sodium_reverses_where_it_should() -> None:
    assert_allclose(family().reversal("Na"), 50.0, rtol=0, atol=0.1)
    dense = voltage_clamp(HH, np.arange(31.0, 75.0, 7.0), duration=2, progress=False)
    assert_allclose(dense.reversal("Na"), 50.0, rtol=0, atol=0.005)
    node = voltage_clamp(
        frankenhaeuser_huxley(), [35.0, 45, 55, 65, 75], celsius=20, duration=2, progress=False
    )
    nernst = 8.314462618 * 293.15 / 96485.33212 * 1e3 * np.log(114.5 / 13.74)
    assert_allclose(node.reversal("Na"), nernst, rtol=0, atol=0.02)
    assert set(node.conductances) == {"leak"}  # permeabilities are no conductances
    with pytest.raises(AxonError, match=r"'leak' does not reverse between -3 and 83 mV"):
        voltage_clamp(HH, LEVELS[4:], duration=1, progress=False).reversal("leak")


def test_holding_is_a_long_prepulse_that_inactivates() -> None:
    peaks = [
        voltage_clamp(HH, [-21.0], holding=v, duration=5, progress=False).peak("Na").current[0]
        for v in (-125, -62.3)
    ]
    assert_allclose(peaks[1] / peaks[0], 0.5, rtol=0, atol=0.03)  # h_inf(-62.3) = 1/2


def test_temperature_and_steps_are_those_asked_for() -> None:
    warm = voltage_clamp(HH, [0.0], celsius=16.3, duration=3, dt=0.005, every=0.01, progress=False)
    assert warm.celsius == 16.3
    assert_allclose(warm.time, np.arange(0, 3.001, 0.01), rtol=0, atol=1e-9)
    gates = relaxed(0.0, warm.time, warm.holding, 16.3)
    assert_allclose(warm.gates["h"][:, 0], gates["h"], rtol=0, atol=1e-7)


def test_default_duration_is_ten_of_the_slowest_time_constants() -> None:
    slowest = max(gate.time_constant(LEVELS, 6.3).max() for gate in HH.gates.values())
    assert_allclose(family().time[-1], 10 * slowest, rtol=0, atol=0.02)


def test_what_cannot_be_clamped_is_refused() -> None:
    with pytest.raises(ValueError, match="levels must name at least one voltage"):
        voltage_clamp(HH, [])
    with pytest.raises(ValueError, match="levels must be a finite number of mV, got nan"):
        voltage_clamp(HH, [0.0, float("nan")])
    with pytest.raises(ValueError, match="'passive' has no gates, .* give a duration"):
        voltage_clamp(axon.passive(), [0.0])
    with pytest.raises(ValueError, match="unknown channel 'na'; did you mean 'Na'"):
        family().peak("na")
    gate = Gate("x", inf=lambda v: 0 * v + 0.5, tau=lambda v: 0 * v + 1.0)
    restless = Membrane("restless", (Channel("A", 0.0, 0.0, (gate,)),))
    with pytest.raises(axon.NoRest):
        voltage_clamp(restless, [0.0])
    assert voltage_clamp(restless, [0.0], holding=-70.0, duration=0.5, progress=False).holding == -70.0


def test_passive_patch_has_a_constant_current() -> None:
    found = voltage_clamp(axon.passive(), [-50.0, -80.0], duration=0.5, progress=False)
    assert_allclose(
        found.currents["leak"], np.tile([0.0045, -0.0045], (len(found.time), 1)), rtol=1e-9, atol=0
    )

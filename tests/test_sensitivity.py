"""Sensitivities of the velocity: against scaling laws, and against the travelling wave itself."""

from __future__ import annotations

import numpy as np
import pytest

import axon

SQUID = axon.Axon(
    length=1e5, diameter=476, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4, celsius=18.5
)


@pytest.fixture(scope="module")
def simulated() -> axon.Sensitivity:
    return axon.sensitivity(SQUID, progress=False)


@pytest.fixture(scope="module")
def wave() -> axon.Sensitivity:
    return axon.wave_sensitivity(SQUID)


def test_diameter_and_resistivity_follow_the_square_root_law(simulated: axon.Sensitivity) -> None:
    assert simulated["diameter"] == pytest.approx(0.5, abs=1e-6)
    assert simulated["axial_resistivity"] == pytest.approx(-0.5, abs=1e-6)
    assert simulated.sums["geometry"] == pytest.approx(0, abs=1e-6)


def test_capacitance_and_conductances_add_up_to_minus_one_half(
    simulated: axon.Sensitivity, wave: axon.Sensitivity
) -> None:
    assert simulated.sums["membrane"] == pytest.approx(-0.5, abs=1e-5)
    assert wave.sums["membrane"] == pytest.approx(-0.5, abs=1e-6)


def test_conductances_and_rates_add_up_to_one_half(wave: axon.Sensitivity) -> None:
    """All conductances and all rates k times as large is time k times as fast: velocity goes as sqrt(k)."""
    conductances = sum(wave[f"{name}.conductance"] for name in ("Na", "K", "leak"))
    rates = wave["celsius"] * 10 / np.log(3)  # Q10 = 3 for every gate
    assert conductances + rates == pytest.approx(0.5, abs=1e-6)


def test_simulated_sensitivities_are_those_of_the_travelling_wave(
    simulated: axon.Sensitivity, wave: axon.Sensitivity
) -> None:
    assert simulated.names == wave.names
    # The mesh and the step shift the velocity by 3e-4, and how it follows a parameter by no more
    np.testing.assert_allclose(simulated.slope, wave.slope, rtol=0, atol=3e-4)


def test_sensitivity_of_one_parameter_is_a_sweep_that_can_be_kept(tmp_path: object) -> None:
    path = f"{tmp_path}/s.h5"
    found = axon.sensitivity(SQUID, ["Na.conductance"], to=path, progress=False)
    again = axon.load_sweep(path).sensitivity()
    assert again.slope == found.slope and again.names == ("Na.conductance",)
    assert again["Na.conductance"] == pytest.approx(0.325, abs=2e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: axon.sensitivity(SQUID, ["diametr"]), "did you mean 'diameter'"),
        (lambda: axon.sensitivity(SQUID, step=0), "step must be > 0"),
        (lambda: axon.sensitivity("squid"), "needs a uniform Axon"),
    ],
)
def test_what_cannot_be_meant_is_refused(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()  # type: ignore[operator]


def test_point_without_an_answer_is_an_error() -> None:
    warm = axon.Axon(length=1e5, diameter=476, membrane=axon.hodgkin_huxley(), celsius=36)
    with pytest.raises(axon.AxonError, match="a point has no answer"):
        axon.sensitivity(warm, ["diameter"], progress=False)

"""Sensitivities of the velocity: against scaling laws, and against the travelling wave itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import axon
from axon.discretise.job import default_dt
from axon.sweeps.result import Sweep
from axon.sweeps.sensitivity import OneAtATime, sensitivity_of, sensitivity_plan

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


@pytest.mark.parametrize("celsius", [3.0, 18.5, 28.0])
def test_errors_cover_the_sensitivities_of_the_travelling_wave(celsius: float) -> None:
    squid = replace(SQUID, celsius=celsius, sections=())
    simulated, wave = axon.sensitivity(squid, progress=False), axon.wave_sensitivity(squid)
    assert (np.abs(simulated.slope - wave.slope) <= simulated.error).all()
    assert (simulated.error < 3e-4).all() and (wave.error < simulated.error).all()


def invented(question: str, name: str, answers: dict[str, Any]) -> axon.Sensitivity:
    """The sensitivity to one parameter of 2, moved by 1 % or 0.5, that a sweep's answers make."""
    plan = OneAtATime({name: 2.0}, {name: 0.5 if name == "celsius" else 0.02})
    points = plan.points()
    return sensitivity_of(
        Sweep(
            question=question,
            parameters={name: np.array([point[name] for point in points])},
            answers=answers,
            units={},
            failed=np.zeros(5, bool),
            reason=np.full(5, ""),
            seconds=np.zeros(5),
            seed=np.zeros(5, np.int64),
            plan=plan.facts(),
            fixed={},
        )
    )


def test_difference_is_of_fourth_order_and_its_error_that_of_the_second() -> None:
    u = np.array([0.0, -0.02, -0.01, 0.01, 0.02])  # relative changes, the base first
    found = invented("wave", "diameter", {"velocity": np.exp(0.7 * u + 5 * u**3)})
    assert found["diameter"] == pytest.approx(0.7, abs=1e-12)
    assert found.error[0] == pytest.approx(5 * 0.01**2, rel=1e-9)
    found = invented("wave", "diameter", {"velocity": np.exp(0.7 * u + 5 * u**5)})
    assert found["diameter"] == pytest.approx(0.7 - 4 * 5 * 0.01**4, abs=1e-12)


def test_errors_of_the_answers_and_of_the_simulation_are_in_those_of_the_slope() -> None:
    u = np.array([0.0, -0.02, -0.01, 0.01, 0.02])
    value, half = np.exp(0.5 * u), 1e-3
    answers = {"threshold": value, "error": half * value}
    expected = half / 0.01 * np.sqrt(2 * (8**2 + 1)) / 12  # (8, 8, 1, 1) / 12 over the step, independent
    assert invented("threshold", "diameter", answers).error[0] == pytest.approx(expected, rel=1e-3)
    plain = {"velocity": value}
    assert invented("velocity", "diameter", plain).error[0] == pytest.approx(2e-4, rel=1e-6)
    assert invented("velocity", "celsius", plain).error[0] == pytest.approx(2e-5, rel=1e-6)
    assert invented("travelling wave", "diameter", plain).error[0] < 1e-12


def test_temperatures_and_potentials_move_by_half_a_unit_for_every_hundredth() -> None:
    plan = sensitivity_plan(SQUID, ["celsius", "K.reversal", "Na.conductance"], step=0.02)
    assert plan.steps == pytest.approx({"celsius": 1.0, "K.reversal": 1.0, "Na.conductance": 0.0024})


def test_all_points_take_the_step_of_the_fastest(tmp_path: object) -> None:
    path = f"{tmp_path}/s.h5"
    warm = replace(SQUID, celsius=16.0, sections=())
    axon.sensitivity(warm, ["celsius"], to=path, progress=False)
    steps = {default_dt(replace(warm, celsius=16.0 + k, sections=())) for k in (-1.0, 1.0)}
    assert len(steps) == 2 and axon.load_sweep(path).fixed["dt"] == min(steps)


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

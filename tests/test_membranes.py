"""Membranes: rates, steady states, currents and rest against the papers and arithmetic done by hand."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from axon import Channel, Gate, Membrane, NoRest, hodgkin_huxley, passive
from axon.membranes import MODELS, model
from axon.membranes.hodgkin_huxley import alpha_h, alpha_m, alpha_n, beta_h, beta_m, beta_n
from axon.membranes.rates import linoid
from axon.membranes.sampled import SampledRate

Array = NDArray[np.float64]

HH = hodgkin_huxley()


def half(v: Array) -> Array:
    return 0.5 + 0.0 * v


def five_ms(v: Array) -> Array:
    return 5.0 + 0.0 * v


def test_rates_are_those_of_table_3() -> None:
    # HH 1952, eqs. 12, 13, 20, 21, 23, 24, with the paper's own depolarisation u = V - rest, upwards.
    u = np.array([-30.0, -7.0, 3.0, 12.0, 33.0, 60.0, 105.0])
    v = u - 65.0
    assert_allclose(alpha_n(v), 0.01 * (10 - u) / (np.exp((10 - u) / 10) - 1), rtol=1e-12, atol=0)
    assert_allclose(beta_n(v), 0.125 * np.exp(-u / 80), rtol=1e-13, atol=0)
    assert_allclose(alpha_m(v), 0.1 * (25 - u) / (np.exp((25 - u) / 10) - 1), rtol=1e-12, atol=0)
    assert_allclose(beta_m(v), 4 * np.exp(-u / 18), rtol=1e-13, atol=0)
    assert_allclose(alpha_h(v), 0.07 * np.exp(-u / 20), rtol=1e-13, atol=0)
    assert_allclose(beta_h(v), 1 / (np.exp((30 - u) / 10) + 1), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("rate", "v", "limit"), [(alpha_m, -40.0, 1.0), (alpha_n, -55.0, 0.1)])
def test_removable_singularities_are_removed(rate: Callable[[Array], Array], v: float, limit: float) -> None:
    assert rate(np.array(v)) == limit
    beside = rate(v + np.array([-1e-6, -1e-9, -1e-13, 1e-13, 1e-9, 1e-6]))
    assert_allclose(beside, limit, rtol=1e-6, atol=0)
    assert np.all(np.diff(beside) >= 0)


@given(st.floats(-30, 30))
def test_linoid_is_x_over_exp_x_minus_one(x: float) -> None:
    # x / (exp(x) - 1) = x / 2 * (coth(x / 2) - 1), which is even but for its linear part: f(x) - f(-x) = -x.
    assert_allclose(linoid(x) - linoid(-x), -x, rtol=1e-12, atol=1e-15)
    assert linoid(x) > 0


def test_linoid_is_safe_where_the_exponential_overflows() -> None:
    assert_array_equal(linoid([1e4, 0.0]), [0.0, 1.0])
    assert_allclose(linoid([-1e4]), [1e4], rtol=1e-15, atol=0)


def test_occupancy_at_the_nominal_rest() -> None:
    # At -65 mV, independently computed: Na channels with all m open and h shut, K channels all open.
    gates = HH.steady_gates(-65.0)
    assert_allclose(gates["m"] ** 3 * (1 - gates["h"]), 5.98988e-5, rtol=2e-6, atol=0)
    assert_allclose(gates["n"] ** 4, 0.0101846, rtol=5e-6, atol=0)


def test_alpha_and_beta_give_steady_state_and_time_constant() -> None:
    gate, v = HH.gates["h"], np.array([-80.0, -65.0, -10.0])
    a, b = alpha_h(v), beta_h(v)
    assert_allclose(gate.steady_state(v), a / (a + b), rtol=1e-14, atol=0)
    assert_allclose(gate.time_constant(v, 6.3), 1 / (a + b), rtol=1e-14, atol=0)


def test_inf_and_tau_are_taken_as_given() -> None:
    gate = Gate("x", inf=half, tau=five_ms, q10=2.0, q10_celsius=20.0)
    assert_array_equal(gate.steady_state(np.zeros(3)), 0.5)
    assert_array_equal(gate.time_constant(np.zeros(3), 20.0), 5.0)
    assert_allclose(gate.time_constant(0.0, 30.0), 2.5, rtol=1e-15, atol=0)


def test_ten_degrees_multiply_the_rates_by_q10() -> None:
    m = HH.gates["m"]
    assert_allclose(m.time_constant(-20.0, 6.3) / m.time_constant(-20.0, 16.3), 3.0, rtol=1e-14, atol=0)
    assert_allclose(m.time_constant(-20.0, 6.3) / m.time_constant(-20.0, 18.5), 3**1.22, rtol=1e-14, atol=0)


def test_a_constant_rate_answers_in_the_shape_of_the_voltages() -> None:
    gate = Gate("x", alpha=lambda v: 1.0, beta=lambda v: 3.0)
    assert gate.steady_state(np.zeros((2, 3))).shape == (2, 3)
    assert_array_equal(gate.time_constant(np.zeros(4), 6.3), 0.25)


@pytest.mark.parametrize("v", [-2e4, -1e3, 1e3, 2e4])
def test_gates_stay_between_shut_and_open_where_rates_overflow(v: float) -> None:
    for gate in HH.gates.values():
        steady, rate = gate.kinetics(v, 6.3)
        assert min(steady, 1 - steady) < 1e-7 and 0 <= steady <= 1
        assert rate > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exponent": 0}, r"Gate 'x': exponent must be a whole number 1\.\.8, got 0"),
        ({"exponent": 9}, r"exponent must be a whole number 1\.\.8, got 9"),
        ({"exponent": 1.5}, r"exponent must be a whole number 1\.\.8, got 1.5"),
        ({"beta": None}, r"Gate 'x': give either alpha and beta, or inf and tau"),
        ({"inf": half}, r"give either alpha and beta, or inf and tau"),
        ({"alpha": None, "beta": None}, r"give either alpha and beta, or inf and tau"),
        ({"q10": 0.0}, r"Gate 'x': q10 must be > 0, got 0.0"),
        ({"q10_celsius": np.inf}, r"Gate 'x': q10_celsius must be a finite number of degC, got inf"),
    ],
)
def test_gates_that_cannot_be_meant_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Gate("x", **({"alpha": alpha_m, "beta": beta_m} | changes))  # type: ignore[arg-type]


def test_gates_are_equal_when_their_rates_are() -> None:
    def same_as_alpha_m(v: Array) -> Array:
        return linoid((-40.0 - v) / 10.0)

    gate = Gate("m", 3, alpha=alpha_m, beta=beta_m)
    twin = Gate("m", 3, alpha=same_as_alpha_m, beta=beta_m)
    assert gate == twin and hash(gate) == hash(twin)
    for other in (replace(gate, exponent=2), replace(gate, beta=beta_n), replace(gate, q10=3.0), "m"):
        assert gate != other


def test_currents_are_conductance_times_gates_times_driving_force() -> None:
    v, gates = np.array([-30.0, 10.0]), {"m": np.array([0.5, 0.9]), "h": 0.4, "n": np.array([0.3, 0.7])}
    assert_allclose(HH.conductances(gates)["Na"], 0.12 * gates["m"] ** 3 * 0.4, rtol=1e-15, atol=0)
    currents = HH.currents(v, gates)
    assert list(currents) == ["Na", "K", "leak"]
    assert_allclose(currents["Na"], 0.12 * gates["m"] ** 3 * 0.4 * (v - 50), rtol=1e-14, atol=0)
    assert_allclose(currents["K"], 0.036 * gates["n"] ** 4 * (v + 77), rtol=1e-14, atol=0)
    assert_allclose(currents["leak"], 0.0003 * (v + 54.387), rtol=1e-14, atol=0)
    assert_allclose(HH.current(v, gates), sum(currents.values()), rtol=1e-14, atol=0)


def test_a_membrane_without_channels_carries_no_current() -> None:
    bare = Membrane("bare", ())
    assert_array_equal(bare.current(np.zeros(3), {}), np.zeros(3))
    assert bare.gates == {} and bare.fastest_time_constant(6.3) == np.inf


@pytest.mark.parametrize(
    ("e_leak", "rest"),
    # The paper's leak, 10.613 mV above nominal rest, puts rest 3.6207e-3 mV above it; 10.5989 mV right there.
    [(-54.387, -65 + 3.6207e-3), (-54.4011, -65.0)],
)
def test_resting_potential_of_the_squid_axon(e_leak: float, rest: float) -> None:
    assert_allclose(hodgkin_huxley(e_leak=e_leak).resting_potential(), rest, rtol=0, atol=1e-5)


def test_rest_carries_no_current() -> None:
    membrane = hodgkin_huxley(g_na=0.1, e_leak=-60)
    assert abs(membrane.steady_current(membrane.resting_potential())) < 1e-15  # mA/cm2
    assert_allclose(passive(reversal=-71.5).resting_potential(), -71.5, rtol=0, atol=1e-12)


def test_of_several_rests_the_most_negative_is_taken() -> None:
    # A window current without inactivation makes a second stable rest.
    bistable = Membrane(
        "bistable",
        (
            Channel("Na", 0.005, 50.0, (Gate("m", 3, alpha=alpha_m, beta=beta_m),)),
            Channel("leak", 0.0003, -70.0),
        ),
    )
    rest = bistable.resting_potential()
    assert -71 < rest < -60
    assert bistable.steady_current(0.0) < 0 < bistable.steady_current(60.0)


@pytest.mark.parametrize(
    "membrane", [passive(conductance=0.0), Membrane("bare", ()), passive(reversal=150.0)]
)
def test_a_membrane_without_a_rest_says_so(membrane: Membrane) -> None:
    with pytest.raises(
        NoRest,
        match=rf"membrane '{membrane.name}' has no resting potential between -200 and 100 mV.*add a leak",
    ):
        membrane.resting_potential()


def test_fastest_time_constant_is_that_of_m() -> None:
    v = np.arange(-70.0, 50.5, 1.0)
    assert_allclose(
        HH.fastest_time_constant(18.5), (1 / (alpha_m(v) + beta_m(v))).min() / 3**1.22, rtol=1e-12, atol=0
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Channel("X", -1e-3, 0.0), r"Channel 'X': conductance must be >= 0 S/cm2, got -0.001"),
        (lambda: Channel("X", np.nan, 0.0), r"Channel 'X': conductance must be >= 0 S/cm2, got nan"),
        (lambda: Channel("X", 0.1, np.inf), r"Channel 'X': reversal must be a finite number of mV, got inf"),
        (
            lambda: Membrane("M", HH.channels, capacitance=0.0),
            r"Membrane 'M': capacitance must be > 0 uF/cm2, got 0.0",
        ),
        (
            lambda: Membrane("M", (*HH.channels, Channel("K", 1e-3, -77.0))),
            r"Membrane 'M': channel 'K' occurs twice",
        ),
        (
            lambda: Membrane("M", (*HH.channels, Channel("K2", 1e-3, -77.0, (HH.gates["n"],)))),
            r"Membrane 'M': gate 'n' occurs twice; names must differ",
        ),
        (lambda: passive(conductance=-1), r"Channel 'leak': conductance must be >= 0 S/cm2, got -1"),
        (
            lambda: model("hodgkin_huxly"),
            r"unknown model 'hodgkin_huxly'; did you mean 'hodgkin_huxley'\? known:",
        ),
    ],
)
def test_membranes_that_cannot_be_meant_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", ["hodgkin_huxley", "hodgkin-huxley", "Hodgkin-Huxley"])
def test_models_are_found_by_name(name: str) -> None:
    assert model(name) == HH


@pytest.mark.parametrize("name", MODELS)
def test_every_shipped_model_has_a_repr_that_makes_it(name: str) -> None:
    membrane = MODELS[name]()
    assert repr(membrane) == f"{name}()"
    assert eval(repr(membrane), dict(MODELS)) == membrane


def test_the_repr_of_a_changed_model_tells_its_channels() -> None:
    assert "Channel(name='Na', conductance=0.2" in repr(hodgkin_huxley(g_na=0.2))


def test_membranes_are_equal_when_their_numbers_are() -> None:
    assert hodgkin_huxley() == hodgkin_huxley() and hash(hodgkin_huxley()) == hash(hodgkin_huxley())
    assert hodgkin_huxley() != hodgkin_huxley(e_leak=-54.3)


def test_a_sampled_rate_repeats_its_samples_and_is_smooth_between() -> None:
    grid = np.arange(-100.0, 60.5, 0.5)
    rate = SampledRate(-100.0, 0.5, tuple(alpha_m(grid)), "alpha_m")
    assert_array_equal(rate(grid), alpha_m(grid))
    between = np.linspace(-99, 59, 997)
    assert_allclose(rate(between), alpha_m(between), rtol=0, atol=1e-7)
    assert_array_equal(rate([-500.0, 500.0]), alpha_m(grid[[0, -1]]))
    assert rate.__name__ == "alpha_m"


def test_a_membrane_sent_to_another_process_is_found_there_by_its_own_hash() -> None:
    sent = "import pickle, sys; membrane = pickle.load(sys.stdin.buffer); "
    code = sent + "from axon import hodgkin_huxley; print({membrane: 1}.get(hodgkin_huxley()))"
    hash(HH)
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(HH), capture_output=True, check=True
    )
    assert done.stdout.strip() == b"1"

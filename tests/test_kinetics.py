"""What a membrane's curves say in numbers: roles, half-voltages, fast and slow, windows; and shifted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import axon
from axon import Channel, Gate, Membrane
from axon.membranes import frankenhaeuser_huxley
from axon.membranes.kinetics import gate_kinetics, inactivating, voltages, windows
from axon.membranes.roles import gate_roles
from axon.membranes.shift import shifted

Array = NDArray[np.float64]
HH = axon.hodgkin_huxley()


def boltzmann(half: float, slope: float, tau: float, name: str = "x", **more: Any) -> Gate:
    """A gate whose half-voltage (mV), slope (mV) and time constant (ms) are these."""
    return Gate(name, inf=lambda v: 1 / (1 + np.exp((half - v) / slope)), tau=lambda v: tau + 0 * v, **more)


def membrane(*gates: Gate, reversal: float = 50.0) -> Membrane:
    return Membrane("invented", (Channel("A", 0.01, reversal, gates), Channel("leak", 1e-4, -70.0)))


def test_squid_gates_have_the_roles_of_the_textbook() -> None:
    roles = gate_roles(HH)
    said = {name: f"{role.channel} {role.role}" for name, role in roles.items()}
    assert said == {"m": "Na activation", "h": "Na inactivation", "n": "K activation"}


def test_roles_come_from_the_curves_and_not_from_the_names() -> None:
    m, h = HH.gates["m"], HH.gates["h"]
    swapped = membrane(replace(m, name="h"), replace(h, name="m"))
    assert {name: role.role for name, role in gate_roles(swapped).items()} == {
        "h": "activation",
        "m": "inactivation",
    }


def test_gate_that_hyperpolarisation_opens_activates_where_it_is_alone() -> None:
    falling = boltzmann(-80.0, -6.0, 50.0)
    assert gate_roles(membrane(falling))["x"].role == "activation"
    beside = gate_roles(membrane(falling, boltzmann(-40.0, 8.0, 0.3, "y")))
    assert (beside["x"].role, beside["y"].role) == ("inactivation", "activation")


def test_boltzmann_gate_has_its_half_voltage_slope_and_time_constant() -> None:
    found = gate_kinetics(membrane(boltzmann(-43.21, 7.5, 2.5, exponent=3)), 6.3)["x"]
    assert_allclose([found.half_voltage, found.slope], [-43.21, 7.5], rtol=1e-6, atol=0)
    assert_allclose([found.typical, found.slowest, found.tau_at_rest], 2.5, rtol=1e-9, atol=0)
    assert (found.gate, found.channel, found.exponent, found.speed) == ("x", "A", 3, "")
    falling = gate_kinetics(membrane(boltzmann(-60.0, -5.0, 1.0)), 6.3)["x"]
    assert_allclose([falling.half_voltage, falling.slope], [-60.0, -5.0], rtol=1e-6, atol=0)
    assert np.isnan(gate_kinetics(membrane(boltzmann(400.0, 5.0, 1.0)), 6.3)["x"].half_voltage)


def test_slowest_time_constant_is_at_the_top_of_the_curve() -> None:
    hump = Gate("x", inf=lambda v: 0 * v + 0.5, tau=lambda v: 1.0 + 3.0 * np.exp(-(((v + 33.33) / 20) ** 2)))
    found = gate_kinetics(membrane(hump), 6.3)["x"]
    assert_allclose([found.slowest, found.slowest_at], [4.0, -33.33], rtol=0, atol=1e-5)


def test_warmth_shortens_every_time_constant_by_its_q10() -> None:
    cold, warm = gate_kinetics(HH, 6.3), gate_kinetics(HH, 16.3)
    for name in HH.gates:
        for what in ("typical", "slowest", "tau_at_rest"):
            assert_allclose(getattr(cold[name], what), 3.0 * getattr(warm[name], what), rtol=1e-9, atol=0)
        assert cold[name].half_voltage == warm[name].half_voltage


def test_squid_m_is_fast_and_h_and_n_are_slow() -> None:
    found = gate_kinetics(HH, 6.3)
    assert {name: gate.speed for name, gate in found.items()} == {"m": "fast", "h": "slow", "n": "slow"}
    assert_allclose(found["m"].tau_at_rest, 0.2368, rtol=1e-3, atol=0)  # 1 / (0.2236 + 4)
    assert_allclose(found["h"].tau_at_rest, 8.516, rtol=1e-3, atol=0)  # 1 / (0.07 + 0.0474)
    assert_allclose(found["n"].tau_at_rest, 5.459, rtol=1e-3, atol=0)  # 1 / (0.0582 + 0.125)
    assert_allclose([found[x].at_rest for x in "mhn"], [0.05293, 0.5961, 0.3177], rtol=1e-3, atol=0)
    assert "m: Na activation, fast; half at -40.0 mV" in str(found["m"])


def test_gates_of_one_speed_are_not_parted() -> None:
    alike = membrane(boltzmann(-40, 8, 1.0), boltzmann(-60, -8, 2.5, "y"))
    assert {gate.speed for gate in gate_kinetics(alike, 6.3).values()} == {""}
    apart = membrane(boltzmann(-40, 8, 1.0), boltzmann(-60, -8, 3.5, "y"))
    assert {name: gate.speed for name, gate in gate_kinetics(apart, 6.3).items()} == {
        "x": "fast",
        "y": "slow",
    }
    assert str(gate_kinetics(alike, 6.3)["x"]).startswith("x: A activation; half")


def test_window_current_is_where_both_gates_are_open() -> None:
    both = membrane(boltzmann(-40, 5, 1.0), boltzmann(-60, -5, 1.0, "y"))
    found = windows(both, 6.3)["A"]
    # 1 / (4 cosh^2) of the middle: the product of two mirrored Boltzmann curves is greatest half-way
    at_middle = (1 / (1 + np.exp(2.0))) ** 2
    assert_allclose([found.voltage, found.open_fraction], [-50.0, at_middle], rtol=1e-6, atol=0)
    assert found.current < 0 and found.current_at < found.voltage  # the driving force is greater below
    v = voltages(both)
    steady = both.currents(v, both.steady_gates(v))["A"]
    assert_allclose(found.current, steady.min(), rtol=1e-5, atol=0)


def test_outward_window_current_is_positive() -> None:
    outward = membrane(boltzmann(-40, 5, 1.0), boltzmann(-60, -5, 1.0, "y"), reversal=-90.0)
    assert windows(outward, 6.3)["A"].current > 0


def test_only_channels_that_inactivate_have_a_window() -> None:
    assert [channel.name for channel in inactivating(HH)] == ["Na"]
    assert windows(axon.passive(), 6.3) == {}
    squid = windows(HH, 6.3)["Na"]
    assert_allclose(squid.open_fraction, 0.00766, rtol=1e-2, atol=0)


def test_permeable_channels_have_kinetics_and_windows() -> None:
    node = frankenhaeuser_huxley()
    assert gate_kinetics(node, 20.0)["m"].speed == "fast"
    assert windows(node, 20.0)["Na"].current < 0


def test_shifted_membrane_rests_and_behaves_elsewhere_as_before() -> None:
    moved = shifted(HH, -15.0)
    v = np.linspace(-120, 80, 41)
    assert_allclose(moved.resting_potential(), HH.resting_potential() - 15.0, rtol=0, atol=1e-9)
    for name, gate in HH.gates.items():
        assert_allclose(moved.gates[name].steady_state(v - 15.0), gate.steady_state(v), rtol=1e-12, atol=0)
        assert_allclose(
            moved.gates[name].time_constant(v - 15, 20), gate.time_constant(v, 20), rtol=1e-12, atol=0
        )
    assert_allclose(moved.steady_current(v - 15.0), HH.steady_current(v), rtol=1e-12, atol=1e-15)
    assert moved.name == "hodgkin_huxley_-15_mV" and shifted(HH, 2.0) != moved == shifted(HH, -15.0)
    assert repr(moved.gates["m"]).startswith("Gate('m', 3, alpha=alpha_m_-15_mV")


def test_shift_of_gates_given_by_steady_state_and_time_constant() -> None:
    moved = shifted(membrane(boltzmann(-40.0, 5.0, 1.0)), 10.0)
    assert_allclose(gate_kinetics(moved, 6.3)["x"].half_voltage, -30.0, rtol=1e-9, atol=0)


def test_what_cannot_be_shifted_says_so() -> None:
    with pytest.raises(ValueError, match="'Na' conducts by permeability and cannot be shifted"):
        shifted(frankenhaeuser_huxley(), 5.0)
    with pytest.raises(ValueError, match="by must be a finite number of mV"):
        shifted(HH, float("inf"))

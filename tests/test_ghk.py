"""Currents by permeability: the equation itself, and the frog node that is built on it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

import axon
from axon.membranes import PermeableChannel, frankenhaeuser_huxley
from axon.model import from_json, to_json

SODIUM = PermeableChannel("Na", 8e-3, inside=13.74, outside=114.5)
CALCIUM = PermeableChannel("Ca", 1e-4, inside=1e-4, outside=2.0, valence=2)
CELSIUS = 20.0
LENGTH = 100.0  # um, of a one-compartment node
DIAMETER = 30.0


def nernst(channel: PermeableChannel) -> float:
    thermal = 8.314462618 * (CELSIUS + 273.15) / 96485.33212 * 1e3
    return thermal / channel.valence * np.log(channel.outside / channel.inside)


@pytest.mark.parametrize("channel", [SODIUM, CALCIUM], ids=["sodium", "calcium"])
def test_no_current_flows_at_the_nernst_potential(channel):
    scale = float(np.abs(channel.open_current(nernst(channel) - 50.0, CELSIUS)))
    assert_allclose(channel.open_current(nernst(channel), CELSIUS), 0.0, rtol=0, atol=1e-12 * scale)


def test_current_at_zero_voltage_is_diffusion_alone():
    # P z F (c_in - c_out), mM to mol/cm3 and A to mA
    expected = SODIUM.permeability * 96485.33212 * (13.74 - 114.5) * 1e-6 * 1e3
    assert_allclose(SODIUM.open_current(0.0, CELSIUS), expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("channel", [SODIUM, CALCIUM], ids=["sodium", "calcium"])
def test_slope_is_the_derivative_of_the_current_everywhere(channel):
    v = np.concatenate([np.linspace(-150, 150, 601), [-1e-3, -1e-9, 0.0, 1e-9, 0.2, 0.26]])
    h = 1e-3
    numeric = (channel.open_current(v + h, CELSIUS) - channel.open_current(v - h, CELSIUS)) / (2 * h)
    slope = channel.open_slope(v, CELSIUS)
    assert_allclose(slope, numeric, rtol=1e-6, atol=1e-9 * np.abs(slope).max())


def test_current_needs_a_temperature():
    with pytest.raises(ValueError, match="channel 'Na' conducts by permeability: its current needs celsius"):
        frankenhaeuser_huxley().currents(-70.0, frankenhaeuser_huxley().steady_gates(-70.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"permeability": -1.0}, r"permeability must be >= 0 cm/s, got -1.0"),
        ({"inside": 0.0}, r"inside must be > 0 mM, got 0.0"),
        ({"outside": float("nan")}, r"outside must be > 0 mM, got nan"),
        ({"valence": 0}, r"valence must be a whole number other than 0, got 0"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SODIUM, **change)


def test_membrane_comes_back_equal_from_a_file(tmp_path):
    assert from_json(to_json(frankenhaeuser_huxley())) == frankenhaeuser_huxley()


def node(amplitude: float, dt: float, duration: float = 1.0, initial_voltage: float | None = -70.0):
    """A space-clamped node given ``amplitude`` mA/cm2 for 0.12 ms; V above -70 mV, and its times."""
    cell = axon.Axon(length=LENGTH, diameter=DIAMETER, membrane=frankenhaeuser_huxley(), celsius=CELSIUS)
    area = cell.compartments(LENGTH).area[0]  # cm2
    run = axon.simulate(
        cell,
        axon.Pulse(amplitude=amplitude * area * 1e6, duration=0.12),
        duration=duration,
        dt=dt,
        dx=LENGTH,
        record=axon.Record(every=dt),
        initial_voltage=initial_voltage,
    )
    return run.voltage[:, 0] + 70.0, run.time


def test_frog_node_fires_as_neuron_says():
    # NEURON 9 (fh mechanism, converged): peak 115.073 mV above -70 at 0.213 ms
    v, t = node(1.0, 0.0005)
    assert_allclose(v.max(), 115.073, rtol=0, atol=0.001)
    assert_allclose(t[v.argmax()], 0.213, rtol=0, atol=0.0006)


def test_frog_node_has_the_threshold_that_neuron_says():
    # NEURON 9, converged: 0.76035 mA/cm2 for 0.12 ms
    assert node(0.7600, 0.001, duration=3.0)[0].max() < 60.0
    assert node(0.7607, 0.001, duration=3.0)[0].max() > 100.0


def test_currents_by_permeability_keep_second_order_in_time():
    steps = np.array([0.008, 0.004, 0.002, 0.001])
    at_end = np.array([node(1.0, dt, duration=0.4)[0][-1] for dt in steps])
    exact = node(1.0, 0.000125, duration=0.4)[0][-1]
    error = np.abs(at_end - exact)
    order = np.polyfit(np.log(steps), np.log(error), 1)[0]
    assert abs(order - 2.0) < 0.1
    assert error[-1] < 2e-3  # mV


def test_rest_is_where_the_solver_puts_it():
    membrane = frankenhaeuser_huxley()
    rest = membrane.resting_potential(CELSIUS)
    assert_allclose(membrane.steady_current(rest, CELSIUS), 0.0, rtol=0, atol=1e-12)
    v, _ = node(0.0, 0.005, initial_voltage=None)
    assert_allclose(v, rest + 70.0, rtol=0, atol=1e-7)  # what the tables leave


def test_permeable_leak_without_gates_rests_at_its_nernst_potential():
    potassium = PermeableChannel("K", 1e-6, inside=120.0, outside=2.5)
    membrane = axon.Membrane("permeable", (potassium,))
    cell = axon.Axon(length=LENGTH, diameter=DIAMETER, membrane=membrane, celsius=CELSIUS)
    run = axon.simulate(cell, duration=600.0, dx=LENGTH, dt=0.02, initial_voltage=-60.0)
    assert_allclose(run.voltage[-1], nernst(potassium), rtol=0, atol=1e-4)

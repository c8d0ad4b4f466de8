"""Synapses: conductances that open by themselves, against closed forms, and what they conserve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scheme import midtime
from scipy.integrate import quad, solve_ivp

from axon import (
    Axon,
    Channel,
    Clamp,
    Myelin,
    Pulse,
    Record,
    Run,
    Section,
    hodgkin_huxley,
    passive,
    simulate,
    simulate_many,
)
from axon.discretise.sources import Sources
from axon.engine.simd import LANES
from axon.model import from_json, to_json
from axon.protocols.space_clamp import space_clamp
from axon.stimuli import Synapse

Array = NDArray[np.float64]

PATCH = space_clamp(passive(conductance=3e-4, reversal=-65.0))  # 0.3 uS, 1 nF
CABLE = Axon(length=4_000, diameter=2, membrane=passive(reversal=-65.0), axial_resistivity=100)
EVERY_STEP = Record(every=1e-9)
shapes = st.sampled_from(["exponential", "alpha"])


def synapse(**changes: Any) -> Synapse:
    return Synapse(
        **{"conductance": 0.2, "reversal": 0.0, "onset": 1.0, "tau": 2.0, "shape": "alpha"} | changes
    )


def voltage(run: Run) -> Array:
    assert run.voltage is not None
    return np.asarray(run.voltage, float)


# ----- the conductance itself


@given(shapes, st.floats(0, 5), st.floats(0.05, 20), st.floats(0, 30))
@settings(max_examples=40)
def test_conducted_is_the_integral_of_opened(shape: str, onset: float, tau: float, t: float) -> None:
    one = synapse(shape=shape, onset=onset, tau=tau)
    expected = quad(lambda s: float(one.opened(np.array(s))), min(onset, t), t, epsabs=1e-13)[0]
    assert_allclose(one.conducted(np.array([t])), expected, rtol=1e-8, atol=1e-12)


def test_the_greatest_conductance_is_the_one_named() -> None:
    t = np.linspace(0, 20, 20_001)
    for shape, at in (("exponential", 1.0), ("alpha", 3.0)):
        g = synapse(shape=shape).opened(t)
        assert g.max() == pytest.approx(0.2, rel=1e-12)
        assert t[np.argmax(g)] == pytest.approx(at)
        assert_array_equal(g[t < 1.0], 0.0)


def test_a_synapse_lasts_until_a_hundredth_is_left() -> None:
    for shape in ("exponential", "alpha"):
        one = synapse(shape=shape)
        assert one.start == 1.0
        assert one.opened(np.array([1.0 + one.duration])) == pytest.approx(0.002, rel=1e-9)


def test_without_end_it_opens_and_stays_open() -> None:
    one = synapse(shape="exponential", tau=np.inf)
    assert_array_equal(one.opened(np.array([0.0, 0.99, 1.0, 1e6])), [0, 0, 0.2, 0.2])
    assert_allclose(one.conducted(np.array([0.5, 2.0])), [0, 0.2], rtol=1e-15)


# ----- one compartment against closed forms


@pytest.mark.parametrize("shape", ["exponential", "alpha"])
def test_potential_of_a_passive_patch_is_the_closed_form_and_of_second_order(shape: str) -> None:
    one = synapse(shape=shape, onset=0.96)

    def slope(t: float, v: Array) -> Array:
        return -0.3 * (v + 65) - one.opened(np.array(t)) * v

    times = [2.08, 4.0, 8.0]
    exact = solve_ivp(slope, (0.96, 8), [-65.0], "DOP853", times, rtol=1e-12, atol=1e-12).y[0]
    errors = []
    for dt in (0.08, 0.04, 0.02):
        v = voltage(simulate(PATCH, one, duration=8, dt=dt, record=EVERY_STEP))[:, 0]
        errors.append(v[np.rint(np.array(times) / dt).astype(int)] - exact)
    assert_allclose(errors[1], 0.0, rtol=0, atol=8e-4)
    assert_allclose(np.log2(np.abs(np.array(errors[:-1]) / errors[1:])), 2.0, rtol=0, atol=0.1)


@pytest.mark.parametrize("onset", [0.9, 0.913, 0.94, 0.9799])
def test_an_onset_inside_a_step_costs_no_conductance(onset: float) -> None:
    one = synapse(shape="exponential", onset=onset)

    def slope(t: float, v: Array) -> Array:
        return -0.3 * (v + 65) - one.opened(np.array(t)) * v

    exact = solve_ivp(slope, (onset, 4), [-65.0], "DOP853", rtol=1e-11, atol=1e-11).y[0, -1]
    v = voltage(simulate(PATCH, one, duration=4, dt=0.04, record=EVERY_STEP))[-1, 0]
    assert v == pytest.approx(exact, abs=1e-3)


def test_steady_conductance_makes_the_steady_potential() -> None:
    open_for_ever = synapse(shape="exponential", tau=np.inf, onset=0.0)
    shunt = synapse(shape="exponential", tau=np.inf, onset=0.0, conductance=0.5, reversal=-65.0)
    runs = simulate_many([PATCH] * 3, [open_for_ever, [open_for_ever, shunt], shunt], duration=80)
    end = [voltage(run)[-1, 0] + 65 for run in runs]
    assert_allclose(end, [0.2 * 65 / 0.5, 0.2 * 65 / 1.0, 0.0], rtol=0, atol=1e-9)


# ----- cables


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("ring", [False, True])
def test_synaptic_charge_is_charge_stored_and_charge_leaked(ring: bool, order: int) -> None:
    cable = Axon(length=3_200, diameter=10, membrane=passive(), ring=ring)
    one, dt = synapse(conductance=0.01, onset=0.123, tau=0.5, at=1_050), 0.02  # at a compartment's centre
    run = simulate(cable, one, duration=3, dt=dt, dx=100, order=order, record=EVERY_STEP)
    v = voltage(run)
    middle, besides = midtime(run, set())  # an alpha function does not jump
    g = np.diff(one.conducted(np.arange(len(v)) * dt))
    if order == 4:  # what the third difference of V moves besides holds that of the conductance already
        g[3:] = g[3:] - np.diff(g, 2)[:-1] / 24
    entered = float(np.sum(g * (0.0 - middle[:, run.at(1_050)])))
    stored = float(run.compartments.capacitance @ (v[-1] - v[0]))
    leaked = dt * 0.0003 * 1e6 * float(np.sum(run.compartments.area * (middle + 65.0)))
    assert entered > 0.1
    assert_allclose(stored + leaked - besides, entered, rtol=1e-11, atol=0)
    assert abs(besides) < 1e-5


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("at", [0.0, 2_000.0])
def test_the_mesh_is_of_second_order_at_a_synapse(at: float, order: int) -> None:
    one = synapse(conductance=0.002, onset=0.1, tau=1.0, at=at)
    stored = []
    for dx in (200, 100, 50, 25):
        run = simulate(CABLE, one, duration=3, dt=0.02, dx=dx, order=order)
        stored.append(run.compartments.capacitance @ (voltage(run)[-1] + 65.0))
    rates = np.log2(np.abs(np.diff(stored)[:-1] / np.diff(stored)[1:]))
    assert_allclose(rates[-1], 2.0, rtol=0, atol=0.2)


@given(st.lists(st.floats(0, 4_000), min_size=1, max_size=4), st.floats(1e-5, 0.05))
@settings(max_examples=15)
def test_two_synapses_at_one_place_are_one_of_twice_the_conductance(at: list[float], g: float) -> None:
    once = [synapse(conductance=2 * g, at=x) for x in at]
    twice = [synapse(conductance=g, at=x) for x in at for _ in range(2)]
    how: dict[str, Any] = {"duration": 3, "dt": 0.05, "dx": 200}
    one, two = (voltage(simulate(CABLE, inputs, **how)) for inputs in (once, twice))
    assert_allclose(two, one, rtol=0, atol=1e-9)
    assert one.max() < 0.0  # no synapse takes V past its reversal


def test_synapses_between_two_centres_are_solved_as_the_network_that_they_are() -> None:
    # Between centres at 0 mV: two nodes on the axial resistance, each with its conductance.
    cable = Axon(length=2_000, diameter=10, membrane=passive())
    cut = cable.compartments(1_000)
    s, g, reversal = np.array([0.2, 0.7]), np.array([0.03, 0.05]), np.array([0.0, -80.0])
    both = [
        synapse(shape="exponential", tau=np.inf, onset=0.0, conductance=gi, reversal=ei, at=500 + 1_000 * si)
        for si, gi, ei in zip(s, g, reversal, strict=True)
    ]
    left, between, right = cut.axial_conductance[0] / np.array([s[0], s[1] - s[0], 1 - s[1]])
    nodes = np.array([[left + between + g[0], -between], [-between, between + right + g[1]]])
    for level in (0.0, 10.0):  # of both centres, mV
        v = np.linalg.solve(nodes, g * reversal + level * np.array([left, right]))
        strengths = Sources(cut, both).strengths(np.array([1.0, 1.1]))[:, 0]
        assert_allclose(strengths[:2] - level * strengths[2:], g * (reversal - v), rtol=1e-12, atol=0)


@given(st.floats(0, 4_000), st.floats(0, 4_000))
@settings(max_examples=15)
def test_the_mirror_image_of_an_axon_answers_in_mirror_image(x: float, y: float) -> None:
    how: dict[str, Any] = {"duration": 2, "dt": 0.05, "dx": 200}
    there = simulate(CABLE, [synapse(at=x), synapse(at=y, reversal=-80.0)], **how)
    back = simulate(CABLE, [synapse(at=4_000 - x), synapse(at=4_000 - y, reversal=-80.0)], **how)
    assert_allclose(voltage(back)[:, ::-1], voltage(there), rtol=0, atol=1e-9)


def test_a_closed_synapse_and_one_that_comes_too_late_change_nothing() -> None:
    squid = Axon(length=10_000, diameter=476, membrane=hodgkin_huxley(), celsius=18.5)
    pulse = Pulse(amplitude=40_000, start=0.1, duration=0.2)
    how: dict[str, Any] = {"duration": 2, "dx": 250}
    plain = voltage(simulate(squid, pulse, **how))
    for one in (synapse(conductance=0.0, at=5_000), synapse(onset=2.5, at=5_000)):
        assert_array_equal(voltage(simulate(squid, [pulse, one], **how)), plain)


def test_a_synapse_reverses_at_its_reversal() -> None:
    cable = Axon(length=1_000, diameter=5, membrane=hodgkin_huxley())
    rest = hodgkin_huxley().resting_potential()
    run = simulate(cable, synapse(conductance=5.0, reversal=rest, at=500), duration=5)
    assert_allclose(voltage(run), rest, rtol=0, atol=1e-7)  # the error of the rate tables


def test_synapses_pulses_and_clamps_on_axons_side_by_side_do_not_mix() -> None:
    stimuli: list[list[Any]] = [
        [synapse(conductance=0.002 * (i + 1), at=400.0 * i), Pulse(amplitude=0.1, duration=1.0, at=100.0 * i)]
        for i in range(LANES)
    ]
    stimuli[2] = []
    stimuli[3].append(synapse(reversal=-80.0, at=1_210.0))
    how: dict[str, Any] = {"duration": 3, "dt": 0.02, "dx": 100}
    together = simulate_many([CABLE] * LANES, stimuli, **how)
    for run, own in zip(together, stimuli, strict=True):
        assert_allclose(voltage(run), voltage(simulate(CABLE, own, **how)), rtol=0, atol=1e-9)
    clamped = simulate(CABLE, [*stimuli[1], Clamp(voltage=-50.0, at=400.0)], **how)
    assert_array_equal(voltage(clamped)[:, clamped.at(400.0)], -50.0)


def test_a_ring_has_no_place_of_its_own() -> None:
    ring = Axon(length=4_000, diameter=2, membrane=passive(), ring=True)
    how: dict[str, Any] = {"duration": 3, "dt": 0.02, "dx": 100}
    here, there = (simulate(ring, synapse(conductance=0.01, at=x), **how) for x in (970.0, 2_470.0))
    shift = round(1_500 / here.compartments.length[0])
    assert_allclose(np.roll(voltage(here), shift, axis=1), voltage(there), rtol=0, atol=1e-10)


# ----- as a noun


def test_a_synapse_has_the_repr_of_the_call_that_made_it_and_survives_a_file() -> None:
    one = synapse(at=3.0)
    assert eval(repr(one), {"Synapse": Synapse}) == one
    assert from_json(to_json(one)) == one
    for_ever = synapse(shape="exponential", tau=np.inf)
    assert from_json(to_json(for_ever)) == for_ever


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: synapse(conductance=-0.1), r"Synapse.conductance must be >= 0 uS, got -0.1"),
        (lambda: synapse(conductance=np.nan), r"Synapse.conductance must be >= 0 uS, got nan"),
        (lambda: synapse(reversal=np.inf), r"Synapse.reversal must be a finite number of mV, got inf"),
        (lambda: synapse(onset=-1), r"Synapse.onset must be >= 0 ms, got -1"),
        (lambda: synapse(tau=0), r"Synapse.tau must be > 0 ms, got 0"),
        (lambda: synapse(tau=np.inf), r"Synapse.tau must be > 0 ms, got inf"),
        (lambda: synapse(shape="alpa"), r"unknown Synapse.shape 'alpa'; did you mean 'alpha'\?"),
        (lambda: synapse(at=-5), r"Synapse.at must be >= 0 um, got -5"),
        (
            lambda: simulate(CABLE, synapse(at=5_000), duration=1),
            r"Synapse.at must lie on the axon \(0..4000 um\), got 5000",
        ),
    ],
)
def test_synapses_that_cannot_be_meant_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_under_myelin_a_synapse_opens_the_membrane_and_is_no_electrode() -> None:
    """The same conductance as part of the membrane in that compartment gives the same voltages."""
    squid, g, reversal = hodgkin_huxley(), 5e-3, 20.0
    bare = Section(20.0, 4.0, squid, nseg=1)
    covered = Section(100.0, 4.0, squid, nseg=1, myelin=Myelin(lamellae=20, space=0.01, diameter=6.0))
    area = np.pi * 4.0 * 100.0 * 1e-8  # cm2
    opened = replace(covered, membrane=squid + Channel("opened", g * 1e-6 / area, reversal))
    numerics: dict[str, Any] = {"duration": 2.0, "dt": 0.005, "initial_voltage": -65.0}
    here = Synapse(conductance=g, reversal=reversal, tau=np.inf, at=70.0)
    by_synapse = simulate(Axon(sections=[bare, covered, bare]), here, **numerics)
    by_membrane = simulate(Axon(sections=[bare, opened, bare]), **numerics)
    assert np.ptp(voltage(by_membrane)) > 10.0
    assert_allclose(voltage(by_synapse), voltage(by_membrane), rtol=0, atol=1e-6)

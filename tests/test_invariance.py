"""Conservation, symmetry, invariance: what must hold whatever the numbers are; and exact voltage clamps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scheme import midtime

from axon import Axon, Clamp, Pulse, Record, Run, Section, Train, hodgkin_huxley, passive, simulate
from axon.stimuli import Ramp, Stimulus

Array = NDArray[np.float64]

HH = hodgkin_huxley()
SQUID = Axon(length=10_000, diameter=476, membrane=HH, celsius=18.5)
PULSE = Pulse(amplitude=30_000, start=0.1, duration=0.2, at=2_000)
EVERY_STEP = Record(every=1e-9)

lengths = st.integers(1, 12).map(lambda n: 100.0 * n)
diameters = st.floats(1.0, 500.0)
membranes = st.sampled_from([HH, passive(), passive(conductance=0.002, reversal=-70.0, capacitance=2.0)])
temperatures = st.sampled_from([6.3, 12.0, 18.5])
sections = st.builds(Section, length=lengths, diameter=diameters, membrane=membranes, celsius=temperatures)
axons = st.lists(sections, min_size=1, max_size=5).map(lambda parts: Axon(sections=parts))


def voltage(run: Run) -> Array:
    assert run.voltage is not None
    return run.voltage


def capacitive_charge(run: Run) -> float:
    """Charge (pC) that went onto the membrane between the first sample and the last."""
    return float(run.compartments.capacitance @ (voltage(run)[-1] - voltage(run)[0]))


@pytest.mark.parametrize("order", [2, 4])
@given(axon=axons, place=st.floats(0, 1), start=st.floats(0, 0.2), width=st.floats(0.01, 0.2))
@settings(max_examples=15)
def test_every_injected_charge_stays_on_a_membrane_that_lets_none_through(
    axon: Axon, place: float, start: float, width: float, order: int
) -> None:
    tight = Axon(sections=[Section(s.length, s.diameter, passive(conductance=0.0)) for s in axon.sections])
    stimuli: list[Stimulus] = [
        Pulse(amplitude=7.0, start=start, duration=width, at=place * axon.total_length),
        Train(amplitude=-2.0, start=start, duration=0.02, interval=0.1, count=3, at=0.0),
        Ramp(amplitude=5.0, start=0.1 + start, duration=width, at=place * axon.total_length),
    ]
    # From 0 mV, so that rounding is relative to what was injected and not to what lay there.
    how = {
        "duration": 0.6,
        "dt": 0.013,
        "dx": 100,
        "order": order,
        "initial_voltage": 0.0,
        "record": EVERY_STEP,
    }
    run = simulate(tight, stimuli, **how)
    assert_allclose(
        run.compartments.capacitance @ voltage(run)[-1], 9.5 * width - 3 * 2.0 * 0.02, rtol=0, atol=1e-11
    )


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("ring", [False, True])
def test_charge_in_is_charge_stored_and_charge_out_through_a_leak(ring: bool, order: int) -> None:
    cable = Axon(length=3_200, diameter=10, membrane=passive(), ring=ring)
    on = Pulse(amplitude=3.0, start=0.123, duration=1.0, at=1_111)
    run = simulate(cable, on, duration=3, dt=0.02, dx=100, order=order, record=EVERY_STEP)
    midway, besides = midtime(run, {6, 7, 56, 57})
    leaked = 0.02 * 0.0003 * 1e6 * np.sum(run.compartments.area * (midway + 65.0))
    assert_allclose(capacitive_charge(run) + leaked - besides, 3.0, rtol=1e-11, atol=0)
    assert abs(besides) < 1e-5


def test_charge_in_is_charge_stored_and_charge_out_through_squid_channels() -> None:
    dt = 0.01
    run = simulate(SQUID, PULSE, duration=3, dt=dt, dx=250, record=EVERY_STEP)
    v, area = voltage(run), run.compartments.area * 1e6
    assert v.max() > 0
    gates = {name: gate.steady_state(v[0]) for name, gate in HH.gates.items()}
    leaked = 0.0
    for before, after in zip(v[:-1], v[1:], strict=True):
        for name, gate in HH.gates.items():
            steady, tau = gate.steady_state(before), gate.time_constant(before, 18.5)
            gates[name] = steady + (gates[name] - steady) * np.exp(-dt / tau)
        leaked += dt * float(area @ HH.current(0.5 * (before + after), gates))
    # To the error of the rate tables; the scheme itself is exact (the two tests above).
    assert_allclose(capacitive_charge(run) + leaked, 6_000.0, rtol=2e-8, atol=0)


@pytest.mark.parametrize("order", [2, 4])
@given(axon=axons, place=st.floats(0, 1))
@settings(max_examples=15)
def test_the_mirror_image_of_an_axon_answers_in_mirror_image(axon: Axon, place: float, order: int) -> None:
    at = place * axon.total_length
    how = {"duration": 1.0, "dt": 0.02, "dx": 100, "order": order}
    run = simulate(axon, Pulse(amplitude=300, duration=0.2, at=at), **how)
    mirror = Axon(sections=list(reversed(axon.sections)))
    back = simulate(mirror, Pulse(amplitude=300, duration=0.2, at=axon.total_length - at), **how)
    scale = np.abs(voltage(run)).max()
    assert_allclose(voltage(back)[:, ::-1], voltage(run), rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize("order", [2, 4])
def test_splitting_a_section_in_two_changes_nothing(order: int) -> None:
    whole = SQUID
    halves = Axon(sections=[Section(4_000, 476, HH, celsius=18.5), Section(6_000, 476, HH, celsius=18.5)])
    how = {"duration": 2, "dt": 0.02, "dx": 250, "order": order, "record": Record(gates=True, currents=True)}
    one, two = simulate(whole, PULSE, **how), simulate(halves, PULSE, **how)
    assert_allclose(voltage(two), voltage(one), rtol=0, atol=1e-11)
    assert_allclose(two.gates["h"], one.gates["h"], rtol=0, atol=1e-13)
    assert_allclose(two.spike_time, one.spike_time, rtol=0, atol=1e-13)


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("shift", [1, 7, 20, 31])
def test_turning_a_ring_turns_its_answer(shift: int, order: int) -> None:
    ring = Axon(length=8_000, diameter=476, membrane=HH, celsius=18.5, ring=True)
    runs = [
        simulate(
            ring, Pulse(amplitude=30_000, duration=0.2, at=at), duration=1.5, dt=0.02, dx=250, order=order
        )
        for at in (125.0 + 250.0 * 3, 125.0 + 250.0 * ((3 + shift) % 32))
    ]
    assert np.ptp(voltage(runs[0])) > 80
    assert_allclose(np.roll(voltage(runs[0]), shift, axis=1), voltage(runs[1]), rtol=0, atol=1e-10)


def test_a_spike_on_a_ring_meets_itself_on_the_far_side() -> None:
    ring = Axon(length=32_000, diameter=476, membrane=HH, celsius=18.5, ring=True)
    run = simulate(ring, Pulse(amplitude=60_000, duration=0.2, at=125.0), duration=4, dt=0.02, dx=250)
    arrivals = run.arrivals()
    assert_allclose(arrivals[1:64], arrivals[:64:-1], rtol=0, atol=1e-9)
    assert int(np.argmax(arrivals)) == 64


def test_several_stimuli_act_together_on_a_passive_cable_as_their_sum() -> None:
    cable = Axon(length=2_000, diameter=4, membrane=passive())
    one, two = (
        Pulse(amplitude=0.5, start=0.1, duration=1, at=300),
        Train(amplitude=-0.2, duration=0.1, interval=0.3, count=5, at=1_900),
    )
    how = {"duration": 2, "dt": 0.02, "dx": 50}
    both, first, second = (voltage(simulate(cable, s, **how)) for s in ([one, two], one, two))
    assert_allclose(both - first, second + 65.0, rtol=0, atol=1e-11)


def test_what_is_recorded_does_not_change_what_happens() -> None:
    how = {"duration": 2, "dt": 0.01, "dx": 250}
    full = simulate(SQUID, PULSE, record=Record(gates=True, currents=True), **how)
    for record in (Record(voltage=None), Record(every=0.01, where=[0]), Record(voltage="float32")):
        run = simulate(SQUID, PULSE, record=record, **how)
        assert_array_equal(run.spike_time, full.spike_time)
        assert_array_equal(run.spike_compartment, full.spike_compartment)


def test_an_axon_without_stimuli_stays_at_rest() -> None:
    mixed = Axon(
        sections=[Section(2_000, 100, HH), Section(500, 20, passive(reversal=-80)), Section(1_000, 50, HH)]
    )
    run = simulate(mixed, duration=5, dt=0.02, dx=100)
    assert np.ptp(voltage(run)[0]) > 0.2  # the passive stretch pulls its neighbours down
    assert_allclose(voltage(run), voltage(run)[:1].repeat(len(run.time), 0), rtol=0, atol=1e-8)
    assert len(run.spike_time) == 0


@pytest.mark.parametrize("level", [0.0, -20.123456789, 37.1, -200.0])
def test_clamp_holds_its_voltage_to_the_last_bit(level: float) -> None:
    clamp = Clamp(voltage=level, start=0.2, duration=0.5, at=3_100)
    run = simulate(SQUID, [clamp, PULSE], duration=1, dt=0.01, dx=250, record=EVERY_STEP)
    held = voltage(run)[:, run.at(3_100)]
    assert_array_equal(held[20:70], level)
    assert np.all(held[:20] != level) and np.all(held[71:] != level)


def test_two_clamps_pin_the_stretch_between_them() -> None:
    cable = Axon(length=2_000, diameter=4, membrane=passive(conductance=0.0))
    clamps = [Clamp(voltage=-80.0, at=0), Clamp(voltage=-20.0, at=2_000)]
    run = simulate(
        cable, clamps, duration=200, dt=0.02, dx=100, initial_voltage=-65, record=Record(every=200)
    )
    # Without a leak the steady potential is a straight line.
    assert_allclose(voltage(run)[-1], np.linspace(-80, -20, 20), rtol=0, atol=1e-9)


def test_clamps_side_by_side_screen_what_lies_behind_them() -> None:
    clamps = [Clamp(voltage=-64.99637933, at=5_125), Clamp(voltage=-64.99637933, at=5_375)]
    run = simulate(SQUID, [PULSE, *clamps], duration=2, dt=0.01, dx=250)
    assert voltage(run)[:, :20].max() > 0
    assert np.ptp(voltage(run)[:, 22:]) < 1e-6


def test_a_clamped_patch_shows_the_gates_of_a_step() -> None:
    # Hodgkin & Huxley's own experiment: at constant V every gate relaxes exponentially.
    patch = Axon(length=100, diameter=100, membrane=HH)
    clamp = Clamp(voltage=0.0, start=0.2)
    run = simulate(
        patch, clamp, duration=3, dt=0.01, dx=100, record=Record(every=0.1, gates=True, currents=True)
    )
    since = run.time[2:] - 0.2
    for name, gate in HH.gates.items():
        start, end = gate.steady_state(HH.resting_potential()), gate.steady_state(0.0)
        exact = end + (start - end) * np.exp(-since / gate.time_constant(0.0, 6.3))
        assert_allclose(run.gates[name][2:, 0], exact, rtol=0, atol=1e-7)
    assert_allclose(
        run.currents["Na"][2:, 0],
        0.12 * (run.gates["m"] ** 3 * run.gates["h"])[2:, 0] * -50,
        rtol=1e-12,
        atol=0,
    )

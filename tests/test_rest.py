"""The resting state of a whole cable."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from axon import Axon, Channel, Gate, Membrane, NoRest, Section, hodgkin_huxley, passive, simulate
from axon.discretise.rest import resting_voltage

Array = NDArray[np.float64]

HH = hodgkin_huxley()


def test_a_uniform_cable_rests_where_its_membrane_does() -> None:
    cut = Axon(length=1_000, diameter=10, membrane=HH).compartments(100)
    assert_array_equal(resting_voltage(cut), np.full(10, HH.resting_potential()))


def test_two_passive_cables_meet_in_the_closed_form() -> None:
    # Both of length constant 1 mm, one resting at -60 and one at -80 mV: a cosh on either side of the join.
    conductance = 4e-4 / (4 * 35.4 * 0.1**2)  # S/cm2
    left, right = (
        passive(conductance=conductance, reversal=-60.0),
        passive(conductance=conductance, reversal=-80.0),
    )
    cut = Axon(sections=[Section(2_000, 4, left), Section(2_000, 4, right)]).compartments(10)
    x = (cut.position - 2_000) * 1e-3  # in length constants
    bend = 10 * np.cosh(2 - np.abs(x)) / np.cosh(2.0)
    exact = np.where(x < 0, -60 - bend, -80 + bend)
    assert_allclose(resting_voltage(cut), exact, rtol=0, atol=2e-4)


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize(
    ("order", "drift"), [(2, 1e-7), (4, 1e-4)]
)  # mV; the table's, and the compact operator's
def test_no_current_flows_at_rest(ring: bool, order: int, drift: float) -> None:
    mixed = Axon(
        sections=[
            Section(800, 30, HH, celsius=18.5),
            Section(400, 5, passive(reversal=-75.0)),
            Section(800, 20, hodgkin_huxley(e_leak=-50.0)),
        ],
        ring=ring,
    )
    run = simulate(mixed, duration=2, dt=0.01, dx=50, order=order)
    assert run.voltage is not None and np.ptp(run.voltage[0]) > 0.2
    assert_allclose(run.voltage, run.voltage[[0]].repeat(len(run.time), 0), rtol=0, atol=drift)


def test_temperature_does_not_move_the_rest() -> None:
    warm, cold = (
        resting_voltage(
            Axon(sections=[Section(500, 9, HH, celsius=c), Section(500, 9, passive())]).compartments(50)
        )
        for c in (30.0, 5.0)
    )
    assert_allclose(warm, cold, rtol=0, atol=1e-10)


def test_a_cable_with_a_membrane_that_has_no_rest_says_so() -> None:
    axon = Axon(sections=[Section(500, 9, HH), Section(500, 9, passive(conductance=0.0))])
    with pytest.raises(NoRest, match="membrane 'passive' has no resting potential between -200 and 100 mV"):
        simulate(axon, duration=1)
    assert simulate(axon, duration=1, initial_voltage=-65.0).complete


def test_thin_stretches_between_thick_ones_find_their_rest() -> None:
    # Conductances along the axon are 10^7 times those through the thin stretch's membrane: rounding matters.
    thick, thin = {"length": 900, "diameter": 500}, {"length": 600, "diameter": 1}
    cool = passive(reversal=-70.0, conductance=0.002)
    axon = Axon(
        sections=[
            Section(membrane=passive(), **thick),
            Section(membrane=HH, **thin),
            Section(membrane=cool, **thick),
            Section(membrane=HH, **thick),
        ]
    )
    v = resting_voltage(axon.compartments(100))
    assert -70 < v.min() < v.max() < -64.9
    run = simulate(axon, duration=1, dt=0.01, dx=100)
    assert_allclose(run.voltage, v[None].repeat(len(run.time), 0), rtol=0, atol=1e-7)


def steep(v_half: float, width: float, conductance: float, reversal: float) -> Membrane:
    """A membrane that rests near -61 mV, with a channel that opens within a fraction of a millivolt."""

    def opening(v: Array) -> Array:
        return 1 / (1 + np.exp(-np.clip((v - v_half) / width, -500, 500)))

    gate = Gate("x", inf=opening, tau=lambda v: 1.0 + 0.0 * v)
    return Membrane("steep", (Channel("X", conductance, reversal, (gate,)), Channel("leak", 1.3e-5, -61.0)))


def test_a_steep_outward_current_does_not_throw_newton_off() -> None:
    # Undamped, Newton's method jumps to and fro across the step for ever.
    held = Section(845, 60, steep(-30.0, 0.5, 0.16, -88.0))
    pulling = Section(845, 60, passive(conductance=0.00126, reversal=-4.0))
    v = resting_voltage(Axon(sections=[held, pulling]).compartments(845))
    run = simulate(Axon(sections=[held, pulling]), duration=1, dt=0.01, dx=845, initial_voltage=v)
    assert -40 < v[0] < v[1] < -4
    # The engine's tables are coarse for so steep a gate.
    assert_allclose(run.voltage, v[None].repeat(len(run.time), 0), rtol=0, atol=1e-3)


def test_a_cable_on_which_newton_does_not_settle_says_so() -> None:
    # The regenerative current of one half has no balance that can be reached from the rests of the two.
    axon = Axon(
        sections=[
            Section(876, 23, steep(-30.5, 0.29, 0.383, 23.7)),
            Section(876, 23, passive(conductance=0.01507, reversal=-29.4)),
        ]
    )
    with pytest.raises(NoRest, match="finds no resting state: Newton's method did not settle in 50 steps"):
        resting_voltage(axon.compartments(876))

"""Lanes lay the state out and change nothing else: alone, in pieces, in a batch, on one thread or two."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from axon import (
    Axon,
    Clamp,
    Gate,
    Membrane,
    Pulse,
    Record,
    Run,
    Section,
    hodgkin_huxley,
    passive,
    simulate,
    simulate_many,
)
from axon.engine.simd import LANES
from axon.engine.tables import aligned
from axon.membranes import Channel
from axon.stimuli import Stimulus, Synapse

HH = hodgkin_huxley()
SIZES = [1, 2, 7, 31, 32, 33, 100]
DX = 100.0  # um
PULSE = Pulse(amplitude=300, start=0.1, duration=0.2)
STRONG = Pulse(amplitude=3_000, start=0.1, duration=0.2)
HOW = {"duration": 1.5, "dt": 0.01, "dx": DX, "record": Record(every=0.1, gates=True, currents=True)}


def slow_inf(v: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(v + 40) / 9))


def slow_tau(v: np.ndarray) -> np.ndarray:
    return 2 + 0 * v


def five_gates() -> Membrane:
    """Squid with two more channels: another signature, and more gates than one row of a table holds."""
    slow = Channel("slow", 0.002, -80.0, (Gate("s", 2, inf=slow_inf, tau=slow_tau, q10=2.0),))
    fast = Channel("fast", 0.001, 20.0, (Gate("f", 5, inf=slow_inf, tau=slow_tau),))
    return Membrane("five gates", (*HH.channels, slow, fast), 1.2)


def axon_of(compartments: int, **changes: object) -> Axon:
    defaults = {"diameter": 100.0, "membrane": HH, "celsius": 18.5}
    return Axon(length=compartments * DX, **(defaults | changes))  # type: ignore[arg-type]


def assert_same(one: Run, other: Run, *, atol: float) -> None:
    assert one.voltage is not None and other.voltage is not None
    assert_allclose(one.voltage, other.voltage, rtol=0, atol=atol)
    for name in one.gates:
        assert_allclose(one.gates[name], other.gates[name], rtol=0, atol=atol)
    for name in one.currents:
        assert_allclose(one.currents[name], other.currents[name], rtol=0, atol=atol)
    assert_array_equal(one.spike_compartment, other.spike_compartment)
    assert_allclose(one.spike_time, other.spike_time, rtol=0, atol=atol)


def mixed_batch() -> tuple[list[Axon], list[list[Stimulus]]]:
    """Eight axons that have little in common."""
    sections = [
        Section(1_500, 80, HH, celsius=12.0),
        Section(1_000, 150, passive(reversal=-62)),
        Section(700, 60, five_gates()),
    ]
    axons = [
        axon_of(40),
        axon_of(33, diameter=30),
        axon_of(1),
        axon_of(25, celsius=6.3),
        axon_of(40, membrane=passive(conductance=1e-3)),
        Axon(sections=sections),
        axon_of(7, membrane=five_gates()),
        axon_of(50, membrane=hodgkin_huxley(g_na=0.15), axial_resistivity=100),
    ]
    stimuli: list[list[Stimulus]] = [
        [Pulse(amplitude=100.0 * (i + 1), start=0.05 * i, duration=0.3, at=min(60.0 * i, axon.total_length))]
        for i, axon in enumerate(axons)
    ]
    stimuli[3].append(Clamp(voltage=-50.0, start=0.3, duration=0.7, at=2_400))
    stimuli[0].append(Synapse(conductance=2.0, reversal=0.0, onset=0.4, tau=0.3, at=3_700))
    stimuli[4] = []
    return axons, stimuli


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("size", SIZES)
def test_an_axon_in_pieces_equals_the_same_axon_in_one_lane(size: int, order: int) -> None:
    axon = axon_of(size)
    pulse = Pulse(amplitude=100 + 20 * size, start=0.1, duration=0.2, at=0.3 * size * DX)
    alone = simulate(axon, pulse, order=order, **HOW)
    batch = simulate_many([axon] * LANES, pulse, order=order, **HOW)
    assert np.ptp(alone.voltage) > 30.0  # mV
    for run in batch:
        assert_same(alone, run, atol=1e-9)


@pytest.mark.parametrize("order", [2, 4])
def test_axons_of_every_kind_share_a_batch_without_noticing(order: int) -> None:
    axons, stimuli = mixed_batch()
    batch = simulate_many(axons, stimuli, order=order, **HOW)
    for axon, own, run in zip(axons, stimuli, batch, strict=True):
        assert run.axon == axon and run.stimuli == tuple(own)
        assert_same(simulate(axon, own, order=order, **HOW), run, atol=1e-9)


def test_the_order_of_the_axons_is_kept_whatever_group_they_go_to() -> None:
    lengths = [3, 90, 12, 45, 7, 60, 33, 21, 5, 80, 11]
    runs = simulate_many([axon_of(n) for n in lengths], PULSE, duration=0.1, dt=0.01, dx=DX)
    assert [run.voltage.shape[1] for run in runs] == lengths
    assert [len(run.compartments) for run in runs] == lengths


def test_threads_change_no_bit() -> None:
    axons = [axon_of(20 + i, diameter=50 + i) for i in range(3 * LANES + 2)]
    one = simulate_many(axons, PULSE, threads=1, **HOW)
    two = simulate_many(axons, PULSE, threads=2, **HOW)
    for a, b in zip(one, two, strict=True):
        assert a.voltage is not None
        assert_array_equal(a.voltage, b.voltage)
        assert_array_equal(a.spike_time, b.spike_time)
        assert_array_equal(a.gates["m"], b.gates["m"])


def test_axons_with_their_own_steps_may_be_given_together() -> None:
    axons = [axon_of(20), axon_of(20, celsius=6.3), axon_of(20, membrane=passive())]
    together = simulate_many(axons, PULSE, duration=1.5)
    assert [run.numerics["dt"] for run in together] == [0.0025, 0.01, 0.025]
    for axon, run in zip(axons, together, strict=True):
        assert_same(simulate(axon, PULSE, duration=1.5), run, atol=1e-9)


def test_aligned_copies_start_on_a_cache_line() -> None:
    for n in (1, 3, 64, 1000):
        values = np.arange(float(n))
        copy = aligned(values)
        assert copy.ctypes.data % 64 == 0
        assert_array_equal(copy, values)


def test_the_straight_way_of_up_to_four_gates_gives_what_the_general_one_does() -> None:
    # Two more gates of a channel that conducts nothing send the same membrane the general way.
    slow, fast = (Gate(name, 2, inf=slow_inf, tau=slow_tau) for name in "sf")
    idle = Channel("idle", 0.0, 0.0, (slow, fast))
    how = {"duration": 2.5, "dt": 0.01, "dx": DX, "record": Record(every=0.1)}
    for order in (2, 4):
        straight = simulate(axon_of(100), STRONG, order=order, **how)  # type: ignore[arg-type]
        general = simulate(axon_of(100, membrane=HH + idle), STRONG, order=order, **how)  # type: ignore[arg-type]
        assert straight.voltage is not None and straight.voltage.max() > 0
        assert_same(straight, general, atol=1e-10)

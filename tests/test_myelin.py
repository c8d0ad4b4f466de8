"""Myelin: double cables against dense solutions and published velocities, and insulators."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from axon import (
    Axon,
    Clamp,
    Myelin,
    Pulse,
    Record,
    Section,
    hodgkin_huxley,
    insulator,
    passive,
    simulate,
    simulate_many,
    suprathreshold_pulse,
    sweeney,
)
from axon.discretise.rest import resting_state
from axon.fibres import FIBRES, myelinated
from axon.model import from_json, to_json
from axon.run import load
from axon.stimuli import Stimulus, Synapse

SPIKES = Record(voltage=None)
WRAP = Myelin(lamellae=20, space=0.01, diameter=4.0)


def double(nseg: int, conductance: float = 1e-3) -> Axon:
    """A uniform double cable between two bare ends, one of which injects."""
    membrane = passive(conductance=conductance, reversal=-70.0)
    bare = Section(1.0, 3.0, membrane, 70.0, 37.0, nseg=1)
    return Axon(sections=[bare, Section(300.0, 3.0, membrane, 70.0, 37.0, myelin=WRAP, nseg=nseg), bare])


def dense(axon: Axon, current: float) -> tuple[np.ndarray, np.ndarray]:
    """Steady V and potential under the myelin with a current into the first compartment: one dense solve."""
    cut = axon.compartments()
    n, sheath = len(cut), cut.sheath
    assert sheath is not None
    inside, under = np.zeros((n, n)), np.zeros((n, n))
    for u in range(1, n):
        for matrix, g in ((inside, cut.axial_conductance[u - 1]), (under, sheath.along[u - 1])):
            matrix[u, u] += g
            matrix[u - 1, u - 1] += g
            matrix[u, u - 1] -= g
            matrix[u - 1, u] -= g
    leak = np.array([c.conductance for c in axon.sections[0].membrane.channels])[0] * cut.area * 1e6
    across = np.diag(leak)
    out = np.diag(np.where(sheath.open, 1e12, sheath.conductance))
    matrix = np.block([[inside + across, -across], [-across, under + across + out]])
    source = np.concatenate([leak * -70.0, leak * 70.0])
    source[0] += current
    both = np.linalg.solve(matrix, source)
    return both[:n] - both[n:], both[n:]


def test_a_double_cable_settles_where_a_dense_solve_says() -> None:
    axon = double(30)
    v, under = dense(axon, 0.05)
    assert np.ptp(v) > 5 and np.abs(under).max() > 1  # mV: there is something to see
    pulse = Pulse(amplitude=0.05, duration=math.inf)
    run = simulate(axon, pulse, duration=30, dt=0.01, record=Record(every=1, threshold=50))
    assert run.voltage is not None
    assert_allclose(run.voltage[-1], v, rtol=0, atol=1e-6)


def test_rest_of_a_fibre_is_where_it_stays() -> None:
    fibre = myelinated(10, nodes=5)
    v, under = resting_state(fibre.compartments())
    assert np.abs(under).max() > 1e-3  # nodes and internodes rest apart, so current flows
    run = simulate(fibre, duration=5, dt=0.005, record=Record(every=1))
    assert run.voltage is not None
    assert_allclose(run.voltage[-1], v, rtol=0, atol=1e-6)


def test_without_gates_a_fibre_is_of_second_order_after_the_jump_of_its_stimulus() -> None:
    # What a jump of the current leaves behind; less, if what is under the myelin went by another scheme.
    fibre = myelinated(10, nodes=5)
    fibre = replace(fibre, sections=[replace(section, membrane=passive()) for section in fibre.sections])
    v = []
    for dt in (0.008, 0.004, 0.002, 0.001):
        run = simulate(
            fibre, Pulse(amplitude=1.0, duration=np.inf), duration=0.4, dt=dt, record=Record(every=0.4)
        )
        assert run.voltage is not None and run.numerics["order_in_dt"] == 3
        v.append(run.voltage[-1])
    error = np.abs(np.diff(v, axis=0)).max(axis=1)
    assert_allclose(np.log2(error[:-1] / error[1:]), 2.0, rtol=0, atol=0.05)


def nodal_pulse(amplitude: float = 2.0) -> Pulse:
    return Pulse(amplitude=amplitude, start=0.1, duration=0.1, at=0.5)


@pytest.mark.parametrize(("diameter", "published"), [(10.0, 56.23), (5.7, 25.79)])
def test_mrg_converges_in_dt_to_what_neuron_does(diameter: float, published: float) -> None:
    # NEURON's `extracellular` extrapolated to dt -> 0; at the customary 5 us it is 9 % slow.
    fibre = myelinated(diameter)
    steps = (0.004, 0.002, 0.001, 0.0005)
    duration = 2.0 if diameter == 10.0 else 2.2
    v = np.array(
        [
            float(simulate(fibre, nodal_pulse(), duration=duration, dt=dt, record=SPIKES).velocity())
            for dt in steps
        ]
    )
    orders = np.log2(np.diff(v[:-1]) / np.diff(v[1:]))
    assert np.all((orders > 2.9) & (orders < 4.1))
    limit = v[-1] + (v[-1] - v[-2]) / 7
    assert_allclose(limit, published, rtol=1e-3)
    assert abs(v[1] / limit - 1) < 1e-4


@pytest.mark.parametrize(
    "stimulus",
    [
        Pulse(amplitude=2.0, start=0.02, duration=0.06, at=0.5),
        Synapse(conductance=0.02, reversal=0.0, onset=0.02, tau=0.1, at=0.5),
        Synapse(conductance=0.02, reversal=0.0, onset=0.02, tau=0.1, shape="alpha", at=0.5),
    ],
    ids=["pulse", "synapse that opens at once", "alpha synapse"],
)
def test_voltages_around_a_stimulus_are_of_third_order(stimulus: Stimulus) -> None:
    # All begin and end on whole steps, of lengths that the node does not ring at.
    fibre, answers = myelinated(10, nodes=5), []
    for dt in (0.0005, 0.00025, 0.000125, 0.0000625):
        run = simulate(fibre, stimulus, duration=0.16, dt=dt, record=Record(every=0.16))
        assert run.voltage is not None
        answers.append(run.voltage[-1])
    changes = [float(np.abs(b - a).max()) for a, b in pairwise(answers)]
    assert 1e-5 < changes[0] < 0.05  # mV
    assert_allclose(np.log2(np.divide(changes[:-1], changes[1:])), 3.0, rtol=0, atol=0.2)


def test_a_node_does_not_ring_after_a_pulse() -> None:
    # At steps in which its neighbours charge it many times over: V would go zigzag through its own course.
    pulse = Pulse(amplitude=0.5, start=0.02, duration=0.06, at=0.5)
    run = simulate(myelinated(10, nodes=3), pulse, duration=0.144, dt=0.004, record=Record(every=0.004))
    assert run.voltage is not None
    assert np.all(np.diff(run.voltage[22:, 0], 2) > 0.0)  # the pulse ends at step 20


def test_fibres_side_by_side_give_what_each_gives_alone() -> None:
    fibres = [myelinated(d, nodes=9) for d in (5.7, 7.3, 8.7, 10.0, 11.5)]
    how = {"duration": 0.8, "dt": 0.0025, "record": Record(every=0.1, gates=True)}
    together = simulate_many(fibres, nodal_pulse(), **how)  # type: ignore[arg-type]
    for fibre, run in zip(fibres, together, strict=True):
        alone = simulate(fibre, nodal_pulse(), **how)  # type: ignore[arg-type]
        assert len(alone.spike_time)
        assert_allclose(run.voltage, alone.voltage, rtol=0, atol=1e-8)
        assert_allclose(run.gates["m"], alone.gates["m"], rtol=0, atol=1e-10, equal_nan=True)


def test_a_clamp_at_a_node_holds_it() -> None:
    fibre = myelinated(10, nodes=5)
    run = simulate(fibre, Clamp(voltage=0.0, start=0.05, duration=0.2, at=0.5), duration=0.6, dt=0.0025)
    fine = replace(run.record, every=0.0025)
    run = simulate(fibre, run.stimuli, duration=0.6, dt=0.0025, record=fine)
    assert run.voltage is not None
    assert_allclose(run.voltage[21:100, 0], 0.0, rtol=0, atol=1e-5)
    assert np.isfinite(run.arrivals()[run.sites()][1:]).all()


def test_velocity_is_measured_at_the_nodes() -> None:
    fibre = myelinated(10, nodes=21)
    run = simulate(fibre, nodal_pulse(), duration=1.5, record=SPIKES)
    assert list(run.compartments.length[run.sites()]) == [1.0] * 21
    assert fibre.nodes == tuple(range(0, 221, 11))
    assert run.velocity().n_sites < 12


def test_the_default_pulse_starts_a_spike_and_is_no_giant() -> None:
    fibre = myelinated(10, nodes=7)
    pulse = suprathreshold_pulse(fibre)
    assert 0.3 < pulse.amplitude < 5  # nA; threshold is near 1 for 0.1 ms
    run = simulate(fibre, pulse, duration=1.5, record=SPIKES)
    assert np.isfinite(run.arrivals()[run.sites()]).all()


def test_perfectly_insulated_internodes_give_the_velocity_that_neuron_gives() -> None:
    # Sweeney 1987: 56.90 m/s (NEURON, dt -> 0; published 57).
    node = Section(1.5, 6.0, sweeney(), 54.7, 37.0, nseg=1)
    internode = Section(998.5, 6.0, insulator(), 54.7, 37.0)
    fibre = Axon(sections=[node, *[internode, node] * 40])
    assert len(fibre.compartments()) == 41
    v = [
        float(
            simulate(
                fibre, Pulse(amplitude=2, start=0.1, duration=0.1), duration=1.2, dt=dt, record=SPIKES
            ).velocity()
        )
        for dt in (0.002, 0.001)
    ]
    assert_allclose(v[1] + (v[1] - v[0]) / 3, 56.90, rtol=5e-4)


def test_an_insulator_is_the_resistance_it_says() -> None:
    patch = Section(1.0, 2.0, passive(reversal=-70), 100.0, nseg=1)
    between = Section(500.0, 2.0, insulator(), 100.0)
    chain = Axon(sections=[patch, between, patch]).compartments()
    assert_allclose(1 / chain.axial_conductance[0], between.axial_resistance() + patch.axial_resistance())
    assert_allclose(between.axial_resistance(), 100.0 * 500e-4 / (math.pi * 1e-8) * 1e-6)
    fork = Axon(sections=[patch, between, patch, patch], parents=[None, 0, 1, 1]).compartments()
    assert len(fork.parent) == 3 + 2  # halves of the insulator, and the fork


def test_a_fibre_comes_back_equal_from_its_file(tmp_path: Path) -> None:
    fibre = myelinated(8.7, nodes=3)
    assert from_json(to_json(fibre)) == fibre
    run = simulate(fibre, nodal_pulse(), duration=0.2, dt=0.005)
    run.save(tmp_path / "fibre.h5")
    assert load(tmp_path / "fibre.h5") == run


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: myelinated(10, "mgr"), "mgr.*did you mean.*mrg"),
        (lambda: myelinated(20.0), "diameter must be 1 to 16 um for an MRG fibre, got 20"),
        (lambda: myelinated(10, nodes=1), "nodes must be a whole number >= 2, got 1"),
        (lambda: Myelin(lamellae=-1, space=1, diameter=1), "Myelin.lamellae must be >= 0"),
        (lambda: Myelin(lamellae=1, space=0, diameter=1), "Myelin.space must be > 0 um"),
        (
            lambda: Section(1, 5.0, passive(), myelin=WRAP),
            "must not be thinner than the axon's diameter of 5",
        ),
        (lambda: Section(1, 1, insulator(), myelin=WRAP), "needs a membrane beneath"),
        (lambda: Section(1, 1, passive(), myelin=3), "must be a Myelin, got 3"),
        (lambda: Section(1, 1, passive(), nseg=0), "nseg must be a whole number >= 1, got 0"),
        (lambda: Axon(sections=[Section(1, 1, insulator())]), "every section is an insulator"),
        (lambda: Axon(sections=[Section(9, 1, passive(), myelin=WRAP)] * 2, ring=True), "a ring takes no"),
        (lambda: simulate(myelinated(10, nodes=2), duration=1, order=4), "order must be 2"),
        (lambda: replace(hodgkin_huxley(), capacitance=0.0), "capacitance must be > 0"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_every_fibre_has_its_nodes() -> None:
    for name in FIBRES:
        assert len(myelinated(10.0, name, nodes=4).nodes) == 4

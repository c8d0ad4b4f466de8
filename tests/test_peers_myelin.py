"""An MRG fibre against NEURON's `extracellular`, whose first-order steps are extrapolated to none."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import axon

os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
neuron = pytest.importorskip("neuron", reason="NEURON is not installed: pip install 'axon[peers]'")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "studies"))

from _myelin.neuron import Outcome, arrivals, run_in_neuron, velocity  # noqa: E402

FIBRE = axon.myelinated(10, nodes=21)
PULSE = axon.Pulse(amplitude=2.0, start=0.1, duration=0.1, at=0.5)
DURATION, REST = 1.0, -80.0  # ms, mV
AROUND = np.arange(-0.1, 0.35, 0.001)  # ms, from the arrival at a node


@pytest.fixture(scope="module")
def theirs() -> tuple[Outcome, Outcome]:
    """At 0.5 and 0.25 us."""
    coarse, fine = (
        run_in_neuron(neuron.h, FIBRE, PULSE, dt=dt, duration=DURATION, initial=REST)
        for dt in (0.0005, 0.00025)
    )
    return coarse, fine


@pytest.fixture(scope="module")
def ours() -> Outcome:
    nodes = [FIBRE.starts[node] + 0.5 for node in FIBRE.nodes]
    record = axon.Record(every=0.00025, where=nodes)
    run = axon.simulate(
        FIBRE, PULSE, duration=DURATION, dt=0.00025, initial_voltage=REST, record=record, progress=False
    )
    return Outcome(run.time, np.asarray(run.voltage), 0.0)


def beside_the_arrival(outcome: Outcome, node: int) -> Any:
    arrival = arrivals(outcome.time, outcome.voltage)[node]
    return np.interp(arrival + AROUND, outcome.time, outcome.voltage[:, node])


@pytest.mark.parametrize("node", [4, 10, 15])
def test_trace_is_neurons(theirs: tuple[Outcome, Outcome], ours: Outcome, node: int) -> None:
    coarse, fine = (beside_the_arrival(outcome, node) for outcome in theirs)
    found = beside_the_arrival(ours, node)
    assert np.ptp(found) > 100  # mV: a spike
    assert_allclose(found, 2 * fine - coarse, rtol=0, atol=0.02)  # wanted: 0.2 mV


def test_velocity_is_neurons(theirs: tuple[Outcome, Outcome], ours: Outcome) -> None:
    coarse, fine = (velocity(FIBRE, outcome) for outcome in theirs)
    assert_allclose(velocity(FIBRE, ours), 2 * fine - coarse, rtol=1e-3)
    assert coarse < fine < velocity(FIBRE, ours)  # first order, and slow

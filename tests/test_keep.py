"""What is kept of an axon between its runs: found again, not for ever, and for nobody to write into."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from axon import Axon, Clamp, Pulse, Record, Run, Synapse, hodgkin_huxley, simulate
from axon.discretise.keep import LONGEST, MOST_ANSWERS, compartments_of, kept
from axon.stimuli import Stimulus

HH = hodgkin_huxley()
SQUID = Axon(length=10_000, diameter=476, membrane=HH, celsius=18.5)
PULSE = Pulse(amplitude=30_000, start=0.1, duration=0.2, at=2_000)


def test_an_equal_axon_with_the_same_dx_is_cut_once() -> None:
    assert compartments_of(replace(SQUID), 250) is compartments_of(SQUID, 250.0)
    assert compartments_of(SQUID, 125) is not compartments_of(SQUID, 250)
    assert compartments_of(replace(SQUID, diameter=400), 250) is not compartments_of(SQUID, 250)


def test_a_long_axon_is_kept_only_while_somebody_holds_it() -> None:
    long = Axon(length=100.0 * (LONGEST + 1), diameter=476, membrane=HH)
    held = compartments_of(long, 100)
    assert compartments_of(long, 100) is held
    gone = weakref.ref(held)
    del held
    gc.collect()
    assert gone() is None


def test_nobody_can_write_into_compartments_that_runs_share() -> None:
    with pytest.raises(ValueError, match="read-only"):
        simulate(SQUID, PULSE, duration=0.1, dx=250).compartments.position[0] = 1.0


def test_answers_are_kept_by_all_arguments_until_there_are_too_many() -> None:
    asked = []

    @kept
    def count(compartments: object, what: float) -> float:
        asked.append(what)
        return what

    here, there = compartments_of(SQUID, 250), compartments_of(SQUID, 125)
    assert [count(here, 1.0), count(here, 1.0), count(there, 1.0), count(here, 2.0)] == [1.0, 1.0, 1.0, 2.0]
    assert asked == [1.0, 1.0, 2.0]
    for what in range(3, 3 + MOST_ANSWERS):
        count(here, float(what))
    count(here, 1.0)
    assert asked[-1] == 1.0


@pytest.mark.parametrize(
    "other",
    [
        {"dt": 0.02},
        {"order": 4},
        {"record": Record(threshold=0.0)},
        {"initial_voltage": -70.0},
        {"stimuli": replace(PULSE, amplitude=40_000)},
        {"stimuli": replace(PULSE, at=4_000)},
        {"stimuli": [PULSE, Clamp(voltage=-50.0, start=0.3, at=6_000)]},
        {"stimuli": Synapse(conductance=50, reversal=0, onset=0.1, tau=1, at=2_000)},
        {"axon": replace(SQUID, celsius=20.0)},
    ],
    ids=lambda other: ", ".join(other),
)
def test_a_run_after_another_is_as_if_it_were_the_first(
    other: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(axon: Axon = SQUID, stimuli: Stimulus = PULSE, **changes: object) -> Run:
        how = {"duration": 1.5, "dt": 0.01, "dx": 250} | changes
        return simulate(axon, stimuli, **how)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("axon.discretise.keep.LONGEST", 0)  # nothing is kept
        first, alone = run(), run(**other)  # type: ignore[arg-type]
    for _ in range(2):
        assert_array_equal(run().voltage, first.voltage)
        after = run(**other)  # type: ignore[arg-type]
        assert_array_equal(after.voltage, alone.voltage)
        assert_array_equal(after.spike_time, alone.spike_time)
    assert not np.array_equal(first.spike_time, alone.spike_time)

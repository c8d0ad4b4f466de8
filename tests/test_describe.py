"""The facts of a run are those of its arrays, and its lines tell them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import axon
from axon.describe import describe, lines


@pytest.fixture(scope="module")
def run() -> axon.Run:
    """Two sections, gates and a current recorded, a spike from end to end."""
    membrane = axon.hodgkin_huxley()
    cable = axon.Axon(
        sections=(
            axon.Section(length=6000, diameter=20, membrane=membrane, celsius=18.5),
            axon.Section(length=6000, diameter=22, membrane=membrane, celsius=18.5),
        )
    )
    return axon.simulate(
        cable,
        axon.suprathreshold_pulse(cable),
        duration=6,
        record=axon.Record(where=(1000, 9000), gates=("m", "h"), currents=("Na",)),
        progress=False,
    )


def test_facts_survive_json(run: axon.Run) -> None:
    facts = describe(run)
    assert json.loads(json.dumps(facts)) == facts


def test_facts_are_those_of_the_arrays(run: axon.Run) -> None:
    facts = describe(run)
    assert run.voltage is not None
    assert facts["recorded"]["voltage"] == {
        "units": "mV",
        "shape": [121, 2],
        "dtype": "float64",
        "least": float(run.voltage.min()),
        "greatest": float(run.voltage.max()),
    }
    assert list(facts["recorded"]) == ["time", "position", "voltage", "gates/m", "gates/h", "currents/Na"]
    assert facts["spikes"]["crossings"] == run.spike_time.size == facts["axon"]["compartments"]
    assert facts["spikes"]["last"] == run.spike_time.max()
    assert facts["velocity"]["velocity"] == float(run.velocity())
    assert [section["diameter"] for section in facts["axon"]["sections"]] == [20, 22]
    assert facts["axon"]["length"] == 12000
    assert facts["complete"] is True


def test_values_that_are_missing_do_not_hide_those_that_are_there(run: axon.Run) -> None:
    gates = {"m": np.array([[np.nan, 0.25], [np.nan, 0.5]]), "none": np.full((2, 2), np.nan)}
    facts = describe(replace(run, gates=gates))["recorded"]
    assert (facts["gates/m"]["least"], facts["gates/m"]["greatest"]) == (0.25, 0.5)
    assert facts["gates/none"]["least"] is None
    assert "gates/none: 2 x 2 float64" in "\n".join(lines(replace(run, gates=gates)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "hodgkin_huxley: 6000 um x 22 um, 35.4 ohm cm, 18.5 degC"),
        ({}, "m/s orthodromic"),
        ({"complete": False}, "incomplete"),
        ({"stimuli": ()}, "stimuli     none"),
        ({"voltage": None, "gates": {}, "currents": {}}, "recorded    time: 121 float64, 0 to 6 ms"),
        ({"spike_time": np.zeros(0), "spike_compartment": np.zeros(0, int)}, "none: nowhere"),
        ({"spike_time": np.zeros(0), "spike_compartment": np.zeros(0, int)}, "no propagation: "),
    ],
)
def test_lines_tell(run: axon.Run, changes: dict[str, Any], words: str) -> None:
    assert words in "\n".join(lines(replace(run, **changes)))


def test_ring_and_many_sections_are_told_briefly(run: axon.Run) -> None:
    sections = run.axon.sections * 50
    text = lines(replace(run, axon=axon.Axon(sections=sections, ring=True)))
    assert any("a ring" in line for line in text)
    assert any("94 sections more" in line for line in text)
    assert len(text) < 40

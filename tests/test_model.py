"""Axons, stimuli and records through JSON and back, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from axon import (
    Axon,
    Channel,
    Clamp,
    FileFormatError,
    Gate,
    Membrane,
    Pulse,
    Record,
    Section,
    Train,
    hodgkin_huxley,
    passive,
)
from axon.membranes.rates import linoid
from axon.membranes.sampled import SampledRate
from axon.model import from_json, to_json
from axon.stimuli import Ramp, Synapse

Array = NDArray[np.float64]

HH = hodgkin_huxley()


def own_rate(v: Array) -> Array:
    return linoid(-(v + 33.0) / 7.0)


def steady(v: Array) -> Array:
    return 1 / (1 + np.exp(-(v + 40) / 5))


OWN = Membrane(
    "own",
    (
        Channel("A", 0.01, -80.0, (Gate("a", 2, alpha=own_rate, beta=lambda v: 0.5 + 0 * v),)),
        Channel("B", 0.001, 40.0, (Gate("b", inf=steady, tau=lambda v: 2.0, q10=2.3, q10_celsius=24.0),)),
        Channel("leak", 1e-4, -65.0),
    ),
    capacitance=0.9,
)
NOUNS = [
    Axon(length=1_000, diameter=20, membrane=HH),
    Axon(length=1_000, diameter=20, membrane=passive(), ring=True),
    Axon(
        sections=[Section(100, 3, HH, celsius=20.0), Section(50, 1, passive(), axial_resistivity=100)],
        ring=True,
    ),
    Axon(sections=[Section(100, 3, HH)]),
    Axon(length=10, diameter=1, membrane=OWN),
    Pulse(amplitude=1 / 3, start=0.1, duration=np.inf, at=5.0),
    Train(amplitude=-1.0, duration=0.2, interval=1.0, count=3),
    Clamp(voltage=-20.5, at=3.0),
    Ramp(amplitude=2.0, duration=3.0),
    Synapse(conductance=0.1, reversal=-70.0, tau=np.inf),
    Record(),
    Record(every=0.1, where=[3.0, 1.0], voltage=None, gates=("m",), currents=True, threshold=-10),
    Record(voltage="float32", gates=True),
]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_a_noun_comes_back_equal(noun: object) -> None:
    back = from_json(to_json(noun))
    assert type(back) is type(noun)
    assert back == noun
    assert from_json(to_json(back)) == noun


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_to_the_last_bit(x: float) -> None:
    assert from_json(to_json({"x": x, "list": [x, np.float64(x)]})) == {"x": x, "list": (x, x)}


def test_shipped_rates_are_kept_by_name() -> None:
    text = to_json(HH)
    assert "hodgkin_huxley:alpha_m" in text and "sampled" not in text
    assert from_json(text).gates["m"].alpha is HH.gates["m"].alpha


def test_a_users_rates_are_kept_as_samples_and_work_again() -> None:
    back = from_json(to_json(OWN))
    gate = back.gates["a"]
    assert isinstance(gate.alpha, SampledRate) and gate.alpha.__name__ == "own_rate"
    v = np.linspace(-120, 60, 777)
    assert_allclose(gate.steady_state(v), OWN.gates["a"].steady_state(v), rtol=0, atol=1e-6)
    assert_allclose(back.gates["b"].time_constant(v, 34.0), 2.0 / 2.3, rtol=1e-12, atol=0)
    assert_array_equal(
        back.gates["b"].steady_state(np.array([-40.0, -39.5])), steady(np.array([-40.0, -39.5]))
    )


def test_what_was_varied_is_what_is_kept() -> None:
    axon = replace(NOUNS[0], diameter=33.3)  # type: ignore[type-var]
    assert from_json(to_json(axon)).sections[0].diameter == 33.3


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        '{"noun": "Path"}',
        '{"noun": "Axon", "length": 3}',
        '{"noun": "Pulse", "amplitude": 1, "duration": 1, "colour": "red"}',
        '{"shipped": "nowhere:alpha_m"}',
        '{"shipped": "hodgkin_huxley:no_such_rate"}',
        '{"noun": "Pulse", "amplitude": "strong", "duration": 1}',
        '{"shipped": "hodgkin_huxley"}',
        '{"sampled": "x"}',
    ],
)
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(FileFormatError, match="the model in the file cannot be read"):
        from_json(text)


@pytest.mark.parametrize(
    "name", ["rates:np.load", "gate:Callable", "membrane:Channel", "hodgkin_huxley:np", "..os:system"]
)
def test_a_file_can_name_nothing_but_rate_functions(name: str) -> None:
    with pytest.raises(FileFormatError, match="the model in the file cannot be read"):
        from_json(json.dumps({"shipped": name}))

"""Validation cards: every model has one, ours is measured afresh, and every difference has its reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from axon.cards import CARDS, Figure, Line
from axon.cards.card import MEANINGS
from axon.cards.measure import Measured, measure
from axon.cards.nodes import SCIPY
from axon.cards.stored import stored
from axon.cards.text import lines_of, velocity_of, with_error
from axon.fibres import FIBRES
from axon.membranes import MODELS, Membrane

Array = NDArray[np.float64]

CHEAP = ("rest", "height", "width")
PATCHES = [name for name, card in CARDS.items() if card.patch is not None]


def scipy_spike(membrane: Membrane, celsius: float, density: float, duration: float) -> Array:
    """Voltage (mV) of a patch from its rest, every 0.1 us, with a current (uA/cm2) from 0.1 to 0.15 ms."""
    gates = list(membrane.gates.items())
    rest = membrane.resting_potential(celsius)

    def slope(t: float, y: Array, current: float) -> list[float]:
        values = dict(zip(membrane.gates, y[1:], strict=True))
        ionic = float(membrane.current(y[0], values, celsius))
        slopes = [(1e-3 * current - ionic) * 1e3 / membrane.capacitance]
        for (_, gate), x in zip(gates, y[1:], strict=True):
            steady, rate = gate.kinetics(y[0], celsius)
            slopes.append(float((steady - x) * rate))
        return slopes

    y = np.array([rest, *(float(gate.steady_state(rest)) for _, gate in gates)])
    traces = []
    for start, end, current in ((0.0, 0.1, 0.0), (0.1, 0.15, density), (0.15, duration, 0.0)):
        part = solve_ivp(
            slope, (start, end), y, "LSODA", args=(current,), rtol=1e-9, atol=1e-11, dense_output=True
        )
        traces.append(part.sol(np.arange(start, end, 1e-4))[0])
        y = part.y[:, -1]
    return np.concatenate(traces)


def test_every_model_that_fires_has_a_card() -> None:
    fibres = {name.removesuffix("_node") for name in MODELS}
    assert set(CARDS) == fibres - {"passive"}
    assert set(FIBRES) <= set(CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_card_has_every_quantity_once(name: str) -> None:
    card = CARDS[name]
    keys = [card.key(line) for line in card.lines]
    assert len(set(keys)) == len(keys)
    assert {line.quantity for line in card.lines} == set(MEANINGS)


@pytest.mark.parametrize("name", CARDS)
def test_stored_card_is_what_this_program_gives_now(name: str) -> None:
    card = CARDS[name]
    kept = stored(card)
    assert set(kept) == {card.key(line) for line in card.lines}
    found = measure(card, quantities=CHEAP if card.trial is None else ("rest",), progress=False)
    for key, ours in found.items():
        assert ours.value == pytest.approx(kept[key].value, rel=1e-6, abs=1e-6)


# Where concentrations move it takes longer; tests/test_published.py has their velocities.
@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card.trial is None])
def test_stored_velocity_is_what_this_program_gives_now(name: str) -> None:
    card = CARDS[name]
    lines = [line for line in card.lines if line.quantity == "velocity"][:1]
    found = measure(replace(card, lines=tuple(lines)), progress=False)
    key = card.key(lines[0])
    assert found[key].value == pytest.approx(stored(card)[key].value, rel=1e-5)
    assert found[key].error < 1e-3 * found[key].value


@pytest.mark.parametrize("name", CARDS)
def test_every_difference_has_its_reason(name: str) -> None:
    card = CARDS[name]
    kept = stored(card)
    for line in card.lines:
        for figure in (line.paper, line.other):
            if figure is not None and not line.why:
                assert abs(kept[card.key(line)].value - figure.value) <= figure.tolerance, card.key(line)


@pytest.mark.parametrize("name", PATCHES)
def test_scipy_finds_the_height_that_the_card_gives_as_its(name: str) -> None:
    card = CARDS[name]
    (height,) = [line.other for line in card.lines if line.quantity == "height"]
    assert height is not None and height.source == SCIPY
    assert card.patch is not None
    trace = scipy_spike(card.patch, card.celsius, card.density, 0.6)
    assert trace.max() - trace[0] == pytest.approx(height.value, abs=2e-4)


def test_card_in_words_puts_three_numbers_side_by_side() -> None:
    line = Line("velocity", Figure(0.5, "a paper"), Figure(0.49, "a program"), "coarse")
    card = replace(CARDS["sundt"], animal="C fibre", lines=(line, Line("rest")))
    lines = lines_of(card, {"velocity at 1 um": Measured(0.495, 0.001)})
    assert lines[0] == "sundt: C fibre, a fibre of 1 um at 37 degC"
    assert "velocity at 1 um (m/s)  0.4950 ± 0.0010  0.5    0.49" in lines
    assert "velocity at 1 um: a program" in lines
    assert lines[-1] == "velocity at 1 um differs: coarse"
    assert velocity_of(card, {}) == "0.49 m/s at 1 um, 37 degC"
    assert with_error(None) == "-"
    assert with_error(Measured(0.7007851, 3e-7)) == "0.700785 ± <0.000001"

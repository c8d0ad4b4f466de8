"""Populations of channels: one step is the product chain's own, whichever way it is drawn."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.linalg import expm

from axon.engine.chain import MANY, diffuse, drift, sweep
from axon.engine.dice import Stream, stream
from axon.engine.populations import open_gates

SHAPES = [(1,), (4,), (3, 1), (2, 1, 2)]
OPENING, CLOSING, DT = 0.9, 2.3, 0.13  # 1/ms, 1/ms, ms
STEADY, DECAY = OPENING / (OPENING + CLOSING), float(np.exp(-(OPENING + CLOSING) * DT))
B = (1 - DECAY) * STEADY
A = (1 - DECAY) * (1 - STEADY) / (1 - B)
TRIALS = 4000

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def transition(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Probabilities of a channel's states (column) after DT from each state (row): matrix exponential."""
    levels = open_gates(shape)
    states = levels.shape[1]
    rate = np.zeros((states, states))
    for one in range(states):
        for other in range(states):
            change = levels[:, other] - levels[:, one]
            if np.abs(change).sum() == 1:
                gate = int(np.abs(change).argmax())
                up = change[gate] > 0
                number = shape[gate] - levels[gate, one] if up else levels[gate, one]
                rate[one, other] = number * (OPENING if up else CLOSING)
    return np.asarray(expm(DT * (rate - np.diag(rate.sum(axis=1)))))


def strides(shape: tuple[int, ...]) -> list[int]:
    return [prod(e + 1 for e in shape[g + 1 :]) for g in range(len(shape))]


@njit
def drawn(dice, out, start, opened, exponents, strides, closing, opening, room):  # type: ignore[no-untyped-def]
    states = start.size
    for trial in range(out.shape[0]):
        counts = out[trial]
        counts[:] = start
        for g in range(exponents.size):
            e, s = exponents[g], strides[g]
            sweep(dice, counts, 0, states, opened, g * states, e, -s, closing, room)
            sweep(dice, counts, 0, states, opened, g * states, e, s, opening, room)


def one_step(shape: tuple[int, ...], start: NDArray[np.float64], dice: Stream) -> NDArray[np.float64]:
    out = np.zeros((TRIALS, len(start)))
    opened = open_gates(shape).reshape(-1)
    sizes = np.array(shape), np.array(strides(shape))
    drawn(dice, out, start, opened, *sizes, A, B, np.zeros(12))
    return out


@every_shape
@pytest.mark.parametrize("number", [3.0, 1e6], ids=["few", "many"])
def test_a_step_draws_from_the_exact_transition_matrix(shape: tuple[int, ...], number: float) -> None:
    exact, dice = transition(shape), stream(11)
    for state in range(len(exact)):
        start = np.zeros(len(exact))
        start[state] = number
        found = one_step(shape, start, dice)
        assert np.all(found >= 0) and np.all(found == np.rint(found))
        assert_allclose(found.sum(axis=1), number, rtol=0, atol=0)
        p = exact[state]
        spread = np.sqrt(number * p * (1 - p) / TRIALS)
        # 4.5: 152 numbers are compared; where hardly one is expected, the count itself has no normal law
        assert np.all(np.abs(found.mean(axis=0) - number * p) < 4.5 * spread + 5 / TRIALS)
        often = number * p > 5
        law = (number * p * (1 - p))[often]
        assert np.all(np.abs(found.var(axis=0)[often] / law - 1) < 4.5 * np.sqrt(2 / TRIALS))


@every_shape
def test_few_and_many_are_the_same_law(shape: tuple[int, ...]) -> None:
    """At the switch both are drawn, the covariances of all states among them compared."""
    states = len(transition(shape))
    start = np.full(states, np.rint(MANY / A / states / max(shape)))
    p = transition(shape)
    covariance = sum(n * (np.diag(row) - np.outer(row, row)) for n, row in zip(start, p, strict=True))
    for factor in (0.5, 4.0):
        found = one_step(shape, np.rint(factor * start), stream(12))
        wanted = np.asarray(covariance) * np.rint(factor * start)[0] / start[0]
        scale = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
        assert np.abs((np.cov(found.T) - wanted) / scale).max() < 5 * np.sqrt(2 / TRIALS)


@every_shape
def test_drift_is_the_exact_mean(shape: tuple[int, ...]) -> None:
    exact = transition(shape)
    opened, states = open_gates(shape).reshape(-1), len(exact)
    start = np.random.default_rng(1).uniform(-1, 5, states)
    x = np.concatenate([[np.nan], start, [np.nan]])
    for g, (exponent, stride) in enumerate(zip(shape, strides(shape), strict=True)):
        drift(x, 1, states, opened, g * states, exponent, stride, A, B)
    assert_allclose(x[1:-1], start @ exact, rtol=0, atol=1e-13)


@every_shape
def test_langevin_noise_keeps_the_number_and_has_the_variance_of_its_edges(shape: tuple[int, ...]) -> None:
    opened, states = open_gates(shape).reshape(-1), prod(e + 1 for e in shape)
    start, dice = np.full(states, 1e4), stream(13)
    step = np.zeros((TRIALS, states))
    for trial in step:
        trial[:] = start
        diffuse(dice, trial, 0, states, opened, 0, shape[0], strides(shape)[0], STEADY, 1e-3)
    assert_allclose(step.sum(axis=1), start.sum(), rtol=1e-12, atol=0)
    levels = open_gates(shape)[0]
    up, down = (shape[0] - levels) * STEADY, levels * (1 - STEADY)
    # A state's two edges, each with both directions' flows
    edge_up = np.where(levels < shape[0], up + (levels + 1) * (1 - STEADY), 0)
    edge_down = np.where(levels > 0, down + (shape[0] - levels + 1) * STEADY, 0)
    wanted = 1e4 * 1e-3 * (edge_up + edge_down)
    assert np.all(np.abs(step.var(axis=0) / wanted - 1) < 4.5 * np.sqrt(2 / TRIALS))
    assert np.all(np.abs(step.mean(axis=0) - 1e4) < 4.5 * np.sqrt(wanted / TRIALS))


def test_certain_flips_flip_all() -> None:
    shape = (3, 1)
    opened = open_gates(shape).reshape(-1)
    for number in (2.0, 1e9):
        counts = np.zeros(8)
        counts[0] = number
        sweep(stream(1), counts, 0, 8, opened, 0, 3, 2, 1.0, np.zeros(12))
        assert counts[6] == number and counts.sum() == number

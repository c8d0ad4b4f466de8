"""Frames against plain indexing: every sampled compartment in its place, whatever the layout."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from axon.engine.samples import Samples, copied, sample
from axon.engine.simd import LANES, kernel

RANDOM = np.random.default_rng(3)
FRAMES = 3


class State(NamedTuple):
    v: NDArray[np.float64]
    gates: NDArray[np.float64]


@kernel
def take(state, samples, frame):  # type: ignore[no-untyped-def]
    sample(state, samples, frame)


def joined(n: int) -> NDArray[np.int64]:
    """Where the compartments of one long axon are, cut into the lanes."""
    rows = -(-n // LANES)
    return np.arange(rows * LANES).reshape(rows, LANES).T.reshape(-1)[rows * LANES - n :]


def beside(*lengths: int) -> list[NDArray[np.int64]]:
    """Where those of several axons are, one in each lane."""
    rows = max(lengths)
    return [np.arange(rows - n, rows) * LANES + lane for lane, n in enumerate(lengths)]


LAYOUTS = {
    "one axon of whole blocks": [joined(128)],
    "one axon with room to spare": [joined(1001)],
    "one axon shorter than a block": [joined(33)],
    "some of an axon": [joined(333)[40:290:3]],
    "eight axons": beside(20, 31, 32, 33, 40, 41, 9, 17),
    "three axons": beside(70, 64, 70),
    "no order": [RANDOM.permutation(200)],
    "nothing": [np.zeros(0, np.int64)],
}


@pytest.mark.parametrize("places", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("skew", range(0, LANES, 3))
def test_frames_hold_every_axon_in_order_and_nothing_else_is_written(
    places: list[NDArray[np.int64]], skew: int
) -> None:
    index = np.concatenate(places)
    size = (int(index.max(initial=0)) // LANES + 1) * LANES
    width = np.array([len(place) for place in places])
    first = skew + np.cumsum(FRAMES * width) - FRAMES * width
    gate_index = np.arange(0, 4 * size, 7)
    out = np.full(skew + FRAMES * len(index) + 1, -1.0)
    gates = np.zeros((FRAMES, len(gate_index)))
    samples = Samples(1, copied(index, size), gate_index, np.empty(len(index)), width, first, out, gates)
    states = [State(RANDOM.normal(size=size), RANDOM.normal(size=4 * size)) for _ in range(FRAMES)]
    for frame, state in enumerate(states):
        take(state, samples, frame)
    expected = [state.v[place] for place in places for state in states]
    assert_array_equal(out, np.concatenate([np.full(skew, -1.0), *expected, [-1.0]]))
    assert_array_equal(gates, [state.gates[gate_index] for state in states])


def test_a_long_axon_goes_in_blocks_and_the_rest_one_by_one() -> None:
    copy = copied(joined(1000), 1000)
    assert len(copy.block) == 15
    assert len(copy.source) == 1000 - 15 * LANES * LANES

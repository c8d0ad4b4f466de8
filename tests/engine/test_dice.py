"""Streams of random numbers: the generator of the paper, and deviates that follow their laws."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy.stats import binom, kstest

from axon.engine.dice import Stream, _next_bits_plain, binomial, next_bits, normal, stream, uniform

DRAWS = 200_000


@njit
def binomials(source, n, p, out):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i] = binomial(source, n, p)


@njit
def normals(source, out):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i] = normal(source)


@njit
def uniforms(source, out):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i] = uniform(source)


def test_bits_are_those_of_xoshiro256_plus_plus() -> None:
    # Reference vector of the rand_xoshiro crate, made with the authors' C code
    expected = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]
    for draw in (next_bits, _next_bits_plain):
        source = Stream(np.array([1, 2, 3, 4], np.uint64), np.full(1, np.nan))
        assert [int(draw(source)) for _ in expected] == expected


def test_streams_of_different_seeds_differ_and_of_equal_seeds_do_not() -> None:
    assert [int(next_bits(stream(seed))) for seed in (1, 1)] == [int(next_bits(stream(1)))] * 2
    assert int(next_bits(stream(1))) != int(next_bits(stream(2)))


def test_uniform_fills_the_unit_interval() -> None:
    out = np.empty(DRAWS)
    uniforms(stream(3), out)
    assert 0 <= out.min() < 1e-4 and 1 - 1e-4 < out.max() < 1
    assert kstest(out, "uniform").pvalue > 1e-4


def test_normal_is_normal() -> None:
    out = np.empty(DRAWS)
    normals(stream(4), out)
    assert kstest(out, "norm").pvalue > 1e-4
    assert abs(np.corrcoef(out[:-1], out[1:])[0, 1]) < 4 / np.sqrt(DRAWS)


@pytest.mark.parametrize(
    ("n", "p"),
    [
        (1, 0.5),
        (3, 0.2),
        (45, 0.002),
        (45, 0.9),
        (200, 0.049),
        (200, 0.06),
        (40, 0.5),
        (1e6, 0.3),
        (1e9, 1e-8),
    ],
)
def test_binomial_follows_its_law(n: float, p: float) -> None:
    out = np.empty(DRAWS)
    binomials(stream(5), float(n), p, out)
    k, found = np.unique(out, return_counts=True)
    assert k.min() >= 0 and k.max() <= n and np.all(k == np.rint(k))
    every = np.arange(k.min(), k.max() + 1)
    expected = binom.pmf(every, n, p) * DRAWS
    counts = np.zeros(len(every))
    counts[np.searchsorted(every, k)] = found
    often = expected > 10
    square = np.sum((counts - expected)[often] ** 2 / expected[often])
    freedom = max(int(often.sum()) - 1, 1)
    assert abs(square - freedom) < 4 * np.sqrt(2 * freedom)
    assert abs(out.mean() - n * p) < 4 * np.sqrt(n * p * (1 - p) / DRAWS)


def test_binomial_at_its_ends_is_certain() -> None:
    source = stream(6)
    assert (binomial(source, 7.0, 0.0), binomial(source, 7.0, 1.0), binomial(source, 0.0, 0.5)) == (0, 7, 0)

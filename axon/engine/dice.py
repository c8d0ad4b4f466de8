"""Random numbers for kernels: a stream of its own for every trial, whose fortune no other trial changes.

xoshiro256++ (Blackman & Vigna 2021) with four words of state; normal deviates by Marsaglia's polar method;
binomial deviates exactly, by inversion where few are expected and else by transformed rejection (BTRS,
Hoermann, J. Stat. Comput. Simul. 46:101, 1993).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import config
from numpy.typing import NDArray

from axon.engine.simd import kernel

_MASK = (1 << 64) - 1
_TO_UNIT = 2.0**-53
# BTRS holds from this many expected on; inversion never needs to look further than _FARTHEST below it.
_FEW = 10.0
_FARTHEST = 120.0
# ln k! less Stirling's formula for it, for k = 0..9; beyond them its series is exact to rounding.
_STIRLING = np.array(
    [
        0.0810614667953272582,
        0.0413406959554092941,
        0.0276779256849983391,
        0.0207906721037650931,
        0.0166446911898211922,
        0.0138761288230707480,
        0.0118967099458917701,
        0.0104112652619720965,
        0.00925546218271273292,
        0.00833056343336287126,
    ]
)


class Stream(NamedTuple):
    """One stream of random numbers."""

    bits: NDArray[np.uint64]  # (4,) state of the generator
    spare: NDArray[np.float64]  # (1,) a normal deviate left over, nan when none is


def stream(seed: int) -> Stream:
    """The stream that belongs to a seed, at its beginning."""
    words = np.random.SeedSequence(seed).generate_state(4, np.uint64).astype(np.uint64)
    return Stream(words, np.full(1, np.nan))


@kernel
def _next_bits(source):
    """The next 64 bits."""
    bits = source.bits
    s0, s1, s2, s3 = bits[0], bits[1], bits[2], bits[3]
    total = s0 + s3
    answer = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    shifted = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    bits[0], bits[1], bits[2], bits[3] = s0, s1, s2, s3
    return answer


def _next_bits_plain(source):
    """The same with the JIT off, where NumPy would warn of every sum that wraps."""
    s0, s1, s2, s3 = (int(word) for word in source.bits)
    total = (s0 + s3) & _MASK
    answer = ((((total << 23) & _MASK) | (total >> 41)) + s0) & _MASK
    shifted = (s1 << 17) & _MASK
    s2, s3 = s2 ^ s0, s3 ^ s1
    s1, s0 = s1 ^ s2, s0 ^ s3
    s2, s3 = s2 ^ shifted, ((s3 << 45) & _MASK) | (s3 >> 19)
    source.bits[:] = [s0, s1, s2, s3]
    return np.uint64(answer)


next_bits = _next_bits_plain if config.DISABLE_JIT else _next_bits


@kernel
def uniform(source):
    """A number in [0, 1), a multiple of 2^-53."""
    return np.float64(next_bits(source) >> np.uint64(11)) * _TO_UNIT


@kernel
def normal(source):
    """A standard normal deviate."""
    spare = source.spare[0]
    if not np.isnan(spare):
        source.spare[0] = np.nan
        return spare
    while True:
        x, y = 2.0 * uniform(source) - 1.0, 2.0 * uniform(source) - 1.0
        square = x * x + y * y
        if 0.0 < square < 1.0:
            scale = np.sqrt(-2.0 * np.log(square) / square)
            source.spare[0] = y * scale
            return x * scale


@kernel
def binomial(source, n, p):
    """How many of ``n`` (a whole number, as a float) succeed when each does with probability ``p``."""
    if n <= 0.0 or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return n
    q = min(p, 1.0 - p)
    few = _inverted(source, n, q) if n * q < _FEW else _rejected(source, n, q)
    return few if p <= 0.5 else n - few


@kernel
def _inverted(source, n, p):
    """Binomial deviate by walking up the distribution; p <= 0.5 and n p < 10."""
    u = uniform(source)
    if u < 1.0 - n * p:  # (1 - p)^n >= 1 - n p: most calls end here
        return 0.0
    none = np.exp(n * np.log1p(-p))
    odds = p / (1.0 - p)
    k, term = 0.0, none
    while u >= term:
        u -= term
        k += 1.0
        term *= (n - k + 1.0) / k * odds
        if k > n or k > _FARTHEST:  # the terms' rounding left a little over
            k, term, u = 0.0, none, uniform(source)
    return k


@kernel
def _beyond_stirling(k):
    if k < 10.0:
        return _STIRLING[int(k)]
    square = (k + 1.0) * (k + 1.0)
    return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / (k + 1.0)


@kernel
def _rejected(source, n, p):
    """Binomial deviate by transformed rejection, Hoermann 1993, algorithm BTRS; p <= 0.5 and n p >= 10."""
    deviation = np.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    enough = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * deviation
    odds = p / (1.0 - p)
    m = np.floor((n + 1.0) * p)
    while True:
        u = uniform(source) - 0.5
        v = uniform(source)
        room = 0.5 - abs(u)
        if room == 0.0:
            continue
        k = np.floor((2.0 * a / room + b) * u + c)
        if room >= 0.07 and v <= enough:
            return k
        if k < 0.0 or k > n or v == 0.0:
            continue
        bound = (
            (m + 0.5) * np.log((m + 1.0) / (odds * (n - m + 1.0)))
            + (n + 1.0) * np.log((n - m + 1.0) / (n - k + 1.0))
            + (k + 0.5) * np.log(odds * (n - k + 1.0) / (k + 1.0))
            + _beyond_stirling(m)
            + _beyond_stirling(n - m)
            - _beyond_stirling(k)
            - _beyond_stirling(n - k)
        )
        if np.log(v * alpha / (a / (room * room) + b)) <= bound:
            return k

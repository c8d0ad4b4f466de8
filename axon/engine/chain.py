"""A population of channels over a step: numbers of channels in every state of the product of their gates.

A channel with gates of multiplicity e_1, e_2, ... is the product of its gates, so a population is the number
of channels with j_1, j_2, ... of them open. Over a step V is constant, and every gate by itself goes

    open   -> closed  with probability  (1 - A)(1 - x_inf),      A = exp(-dt / tau(V))
    closed -> open    with probability  (1 - A) x_inf.

Markov: exact in distribution. A two-state step is a sweep of closings followed by a sweep of openings,

    closings  a = (1 - A)(1 - x_inf) / (1 - b),      openings  b = (1 - A) x_inf,

and in a sweep gates only leave. Few flips: draw how many of all gates flip, then which (each the same chance
among those left). Many: draw of the channels in every state how many lose 1, 2, ... gates (multinomial, as
conditional binomials).

Langevin: the system-size expansion of Fox & Lu (Phys. Rev. E 49:3421, 1994), which Goldwyn & Shea-Brown
(PLoS Comput. Biol. 7:e1002247, 2011) find to agree with the Markov chain where noise in the gates does not;
in the form of Orio & Soudry (PLoS ONE 7:e36670, 2012): one Gaussian for every pair of neighbouring states,
no matrix root. Half a step of the exact mean, the noise, half a step of the mean:

    x_s <- x_s - dz,  x_s' <- x_s' + dz,  dz = sqrt((k_open x_s + k_close x_s') (1 - A^2) / (2 A)) N(0, 1)

with k_open = (e - j) x_inf, k_close = (j + 1)(1 - x_inf): second order in dt, and exact in the variance of
a single gate. Populations may stray below 0, and only the root is guarded: cutting them off would bias the
mean. Where a state holds less than one channel on average its variance comes out too large (open Na channels
of a resting squid patch: 13 % with 600 channels, nothing to be seen with 6000).
"""

from __future__ import annotations

import numpy as np

from axon.engine.dice import binomial, normal, uniform
from axon.engine.simd import kernel

# From so many expected flips in a sweep on, states are drawn one by one instead of flips.
MANY = 80.0


@kernel
def _flip_few(dice, gates, start, states, opened, first, exponent, step, total, p):
    """Each of ``total`` open (step < 0) or closed gates flips with probability p: how many, then which."""
    flips = binomial(dice, total, p)
    while flips > 0.0:
        pick = uniform(dice) * total
        chosen = 0
        for s in range(states):
            weight = opened[first + s] if step < 0 else exponent - opened[first + s]
            amount = gates[start + s] * weight
            if amount > 0.0:
                chosen = s
                if pick < amount:
                    break
                pick -= amount
        gates[start + chosen] -= 1.0
        gates[start + chosen + step] += 1.0
        total -= 1.0
        flips -= 1.0


@kernel
def _flip_many(dice, gates, start, states, opened, first, exponent, step, p, room):
    """The same, drawing of the channels in every state how many have 1, 2, ... gates that flip."""
    for turn in range(states):
        # Towards a sweep's end first, so that who has just come is not asked again.
        s = turn if step < 0 else states - 1 - turn
        channels = gates[start + s]
        count = opened[first + s] if step < 0 else exponent - opened[first + s]
        if channels <= 0.0 or count == 0:
            continue
        term = (1.0 - p) ** count
        for k in range(1, count + 1):
            term *= (count - k + 1.0) / k * p / (1.0 - p)
            room[k] = term
        if p >= 1.0:
            room[1:count] = 0.0
            room[count] = 1.0
        for k in range(count - 1, 0, -1):
            room[k] += room[k + 1]
        room[0] = 1.0
        here = start + s
        for k in range(1, count + 1):
            channels = binomial(dice, channels, room[k] / room[k - 1])
            if channels <= 0.0:
                break
            gates[here] -= channels
            gates[here + step] += channels
            here += step


@kernel
def sweep(dice, gates, start, states, opened, first, exponent, step, p, room):
    """Every open (step < 0) or closed gate of one type flips with probability p.

    Parameters
    ----------
    dice : Stream
    gates : (n,) float64
        Numbers of channels; those of this population in its states begin at ``start``.
    opened : (m,) int64
        From ``first`` on the number of open gates of this type in every state.
    step : int
        From a state to that with one such gate less open (negative) or more.
    room : (11,) float64
        Room to work in.
    """
    total = 0.0
    for s in range(states):
        weight = opened[first + s] if step < 0 else exponent - opened[first + s]
        total += gates[start + s] * weight
    if total * p < MANY:
        _flip_few(dice, gates, start, states, opened, first, exponent, step, total, p)
    else:
        _flip_many(dice, gates, start, states, opened, first, exponent, step, p, room)


@kernel
def drift(gates, start, states, opened, first, exponent, stride, closing, opening):
    """The mean of a sweep of closings and one of openings: x(z) <- x(a + (1 - a) z), and so in 1/z."""
    for base in range(states):
        if opened[first + base] != 0:
            continue
        low = start + base
        for i in range(exponent):
            for j in range(exponent - 1, i - 1, -1):
                gates[low + j * stride] += closing * gates[low + (j + 1) * stride]
        factor = 1.0
        for j in range(1, exponent + 1):
            factor *= 1.0 - closing
            gates[low + j * stride] *= factor
        for i in range(exponent):
            for j in range(1, exponent - i + 1):
                gates[low + j * stride] += opening * gates[low + (j - 1) * stride]
        factor = 1.0
        for j in range(exponent - 1, -1, -1):
            factor *= 1.0 - opening
            gates[low + j * stride] *= factor


@kernel
def diffuse(dice, gates, start, states, opened, first, exponent, stride, steady, size):
    """Gaussian noise between every two states that one gate's opening joins."""
    for s in range(states):
        j = opened[first + s]
        if j == exponent:
            continue
        here, there = start + s, start + s + stride
        rate = (exponent - j) * steady * gates[here] + (j + 1) * (1.0 - steady) * gates[there]
        dz = np.sqrt(max(rate, 0.0) * size) * normal(dice)
        gates[here] -= dz
        gates[there] += dz


@kernel
def scatter(dice, gates, start, states, number, room):
    """Noise with the multinomial's covariance about the means: sqrt(x_s) N_s, less its share of the sum."""
    excess = 0.0
    for s in range(states):
        room[s] = np.sqrt(max(gates[start + s], 0.0)) * normal(dice)
        excess += room[s]
    for s in range(states):
        gates[start + s] += room[s] - gates[start + s] / number * excess

"""The time step with channels as chance: populations of channels in place of smooth gates.

As in ``kernel``, V lives at t_k and the channels at t_k + dt/2, one tridiagonal solve a step, a jump of a
clamp damped; one axon after the other, of second order in dx. ``MARKOV`` draws the numbers of channels
exactly; ``LANGEVIN`` gives them the mean and Gaussian noise: see ``chain``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine.chain import diffuse, drift, scatter, sweep
from axon.engine.crossings import add, settle
from axon.engine.dice import Stream
from axon.engine.samples import Samples, sample
from axon.engine.simd import inlined, kernel
from axon.engine.state import DAMPED_STEPS, FINISHED, LEFT_TABLE, SPIKES_FULL, Spikes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MARKOV, LANGEVIN = range(2)
# Langevin: a gate decays no further in a step; far outside the voltages of life the noise is then too small.
LEAST_DECAY = 0.02
# In a table row, from a gate's decay to its gain, and from the constant to the linear to the quadratic term.
_GAIN, _LINEAR, _QUADRATIC = 4, 8, 16

__all__ = ["FINISHED", "LANGEVIN", "LEFT_TABLE", "MARKOV", "SPIKES_FULL", "Samples", "Spikes", "run_steps"]


class Plan(NamedTuple):
    """What an axon is: unchanged while it runs, but for its tables when V leaves them."""

    rows: int  # compartments
    width: int  # values of state of a compartment
    method: int  # MARKOV or LANGEVIN
    kind: Ints  # (rows,) membrane and temperature
    first_channel: Ints  # (kinds + 1,) gated channels of a kind
    first_gate: Ints  # (channels + 1,) gates of a channel
    states: Ints  # (channels,) of the chain; 0 where the gates are smooth
    place: Ints  # (channels,) of its first value in a compartment's state
    reversal: Floats  # (channels,) mV
    exponent: Ints  # (gates,)
    stride: Ints  # (gates,) in states, from j to j + 1 open gates
    opened: Ints  # (channels' gates * states,) open gates in every state
    first_opened: Ints  # (gates,)
    origin: Ints  # (gates,) of its table
    span: Ints  # (gates,) doubles from one row of its table to the next
    conductance: Floats  # (rows, most channels) of one open channel, or of all smooth ones, uS
    capacity: Floats  # (rows,) 2 C / dt, uS
    leak: Floats  # uS
    leak_current: Floats  # nA
    coupling: Floats  # (rows,) to the compartment before, uS
    table: Floats
    table_start: float
    table_density: float
    table_low: float
    table_high: float
    threshold: float
    source_place: Ints
    source_weight: Floats
    source_row: Ints
    source_opens: NDArray[np.bool_]
    clamp_place: Ints


class State(NamedTuple):
    """What changes from step to step, and room to work in."""

    v: Floats  # (rows,) mV
    gates: Floats  # (rows * width,) channels in every state, or smooth gates
    added: Floats  # (rows,) conductance of stimuli, uS
    injected: Floats  # (rows,) their current, nA
    level: Floats  # (rows,) imposed V, nan where free
    jumped: Floats  # (rows,) V before a clamp's jump, nan where there was none
    total: Floats  # (rows,) D, uS
    drive: Floats  # (rows,) b less its share of capacity, nA
    ahead: Floats
    known: Floats
    earlier: Floats
    damped: Ints  # (1,)
    room: Floats
    begun: Ints  # (1,) 0 until the populations are drawn
    dice: Stream


@inlined
def _read(plan, gate, cell, f):
    """Decay and gain of a gate over a step."""
    at = plan.origin[gate] + cell * plan.span[gate]
    t = plan.table
    decay = t[at] + f * (t[at + _LINEAR] + f * t[at + _QUADRATIC])
    at += _GAIN
    return decay, t[at] + f * (t[at + _LINEAR] + f * t[at + _QUADRATIC])


@inlined
def _halved(decay, gain):
    """Decay and gain of half a step."""
    half = np.sqrt(max(decay, 0.0))
    return half, gain / (1.0 + half)


@inlined
def _probabilities(decay, gain):
    """Closings a and openings b of the sweeps, within 0..1 whatever the tables' rounding."""
    b = min(max(gain, 0.0), 1.0)
    a = min(max((1.0 - decay - b) / (1.0 - b), 0.0), 1.0) if b < 1.0 else 0.0
    return a, b


@inlined
def move(plan, state, row, v, half):
    """All channels and gates of a compartment over a step, or half a step, at v."""
    dice, room = state.dice, state.room
    s = (v - plan.table_start) * plan.table_density
    cell = np.int64(s)
    f = s - cell
    kind = plan.kind[row]
    for channel in range(plan.first_channel[kind], plan.first_channel[kind + 1]):
        start = row * plan.width + plan.place[channel]
        states = plan.states[channel]
        for gate in range(plan.first_gate[channel], plan.first_gate[channel + 1]):
            decay, gain = _read(plan, gate, cell, f)
            if half:
                decay, gain = _halved(decay, gain)
            first, exponent, stride = plan.first_opened[gate], plan.exponent[gate], plan.stride[gate]
            if states == 0:
                at = start + gate - plan.first_gate[channel]
                state.gates[at] = decay * state.gates[at] + gain
            elif plan.method == MARKOV:
                a, b = _probabilities(decay, gain)
                sweep(dice, state.gates, start, states, plan.opened, first, exponent, -stride, a, room)
                sweep(dice, state.gates, start, states, plan.opened, first, exponent, stride, b, room)
            else:
                steady = min(max(gain / (1.0 - decay), 0.0), 1.0)
                half_decay, half_gain = _halved(decay, gain)
                a, b = _probabilities(half_decay, half_gain)
                decay = max(decay, LEAST_DECAY)
                size = (1.0 - decay * decay) / (2.0 * decay)
                drift(state.gates, start, states, plan.opened, first, exponent, stride, a, b)
                diffuse(dice, state.gates, start, states, plan.opened, first, exponent, stride, steady, size)
                drift(state.gates, start, states, plan.opened, first, exponent, stride, a, b)


@inlined
def _conduct(plan, state, row):
    """D and b of a compartment, but for what capacity and coupling add."""
    d = plan.leak[row] + state.added[row]
    b = plan.leak_current[row] + state.injected[row]
    kind = plan.kind[row]
    begin = plan.first_channel[kind]
    for channel in range(begin, plan.first_channel[kind + 1]):
        at = row * plan.width + plan.place[channel]
        states = plan.states[channel]
        g = plan.conductance[row, channel - begin]
        if states > 0:
            g *= state.gates[at + states - 1]
        else:
            for gate in range(plan.first_gate[channel], plan.first_gate[channel + 1]):
                g *= state.gates[at] ** plan.exponent[gate]
                at += 1
        d += g
        b += g * plan.reversal[channel]
    state.total[row] = plan.capacity[row] + d
    state.drive[row] = b


@inlined
def _stimulate(plan, state, strengths, levels, step):
    """Put the currents, conductances and clamps of this step where they act."""
    for row in range(plan.rows):
        state.added[row] = 0.0
        state.injected[row] = 0.0
    for k in range(plan.source_place.size):
        strength = plan.source_weight[k] * strengths[plan.source_row[k], step]
        if plan.source_opens[k]:
            state.added[plan.source_place[k]] += strength
        else:
            state.injected[plan.source_place[k]] += strength
    for c in range(plan.clamp_place.size):
        row, level = plan.clamp_place[c], levels[c, step]
        state.level[row] = level
        state.jumped[row] = np.nan
        if not np.isnan(level) and state.v[row] != level:
            state.jumped[row] = state.v[row]
            state.v[row] = level
            state.damped[0] = DAMPED_STEPS


@inlined
def _solve(plan, state):
    """V* of every compartment, into ``known``; a held one keeps its level."""
    rows = plan.rows
    for row in range(rows):
        left = plan.coupling[row]
        right = plan.coupling[row + 1] if row + 1 < rows else 0.0
        diagonal = state.total[row] + left + right
        known = state.drive[row] + plan.capacity[row] * state.v[row]
        if not np.isnan(state.level[row]):
            diagonal, known, left, right = 1.0, state.level[row], 0.0, 0.0
        if row > 0:
            diagonal -= left * state.ahead[row - 1]
            known += left * state.known[row - 1]
        state.ahead[row] = right / diagonal
        state.known[row] = known / diagonal
    for row in range(rows - 2, -1, -1):
        state.known[row] += state.ahead[row] * state.known[row + 1]


@inlined
def _settle(plan, state, spikes, step, half, halves):
    """New V and the crossings of threshold; returns whether any V left the table."""
    lost = False
    for row in range(plan.rows):
        before, middle = state.v[row], state.known[row]
        after = middle
        if halves == 1:
            after = 2.0 * middle - before
        elif half == 0:
            state.earlier[row] = before
        else:
            before = state.earlier[row]
        state.v[row] = after
        if half == halves - 1 and before < plan.threshold and after >= plan.threshold:
            add(spikes, row, step, before, after, np.nan)
        if not (plan.table_low <= after < plan.table_high):
            lost = True
    return lost


@kernel
def _begin(plan, state):
    """Draw every population from its steady state at V; on entry all of it is in its first state."""
    dice, room = state.dice, state.room
    for row in range(plan.rows):
        s = (state.v[row] - plan.table_start) * plan.table_density
        cell = np.int64(s)
        kind = plan.kind[row]
        for channel in range(plan.first_channel[kind], plan.first_channel[kind + 1]):
            states = plan.states[channel]
            if states == 0:
                continue
            start = row * plan.width + plan.place[channel]
            number = state.gates[start]
            for gate in range(plan.first_gate[channel], plan.first_gate[channel + 1]):
                decay, gain = _read(plan, gate, cell, s - cell)
                steady = min(max(gain / (1.0 - decay), 0.0), 1.0)
                first, exponent, stride = plan.first_opened[gate], plan.exponent[gate], plan.stride[gate]
                if plan.method == MARKOV:
                    sweep(
                        dice, state.gates, start, states, plan.opened, first, exponent, stride, steady, room
                    )
                else:
                    drift(state.gates, start, states, plan.opened, first, exponent, stride, 0.0, steady)
            if plan.method == LANGEVIN and number > 0.0:
                scatter(dice, state.gates, start, states, number, room)


@inlined
def _step(plan, state, spikes, step):
    """Channels, cable, crossings; returns whether any V left the table."""
    for row in range(plan.rows):
        before = state.jumped[row]
        if np.isnan(before):
            move(plan, state, row, state.v[row], False)
        else:
            move(plan, state, row, before, True)
            move(plan, state, row, state.v[row], True)
        _conduct(plan, state, row)
    waiting = spikes.found[0]
    halves = 2 if state.damped[0] > 0 else 1
    state.damped[0] -= halves - 1
    lost = False
    for half in range(halves):
        _solve(plan, state)
        lost |= _settle(plan, state, spikes, step, half, halves)
    settle(spikes, waiting, state.v, plan.threshold)
    return lost


@kernel
def run_steps(plan, state, spikes, samples, strengths, levels, first_step, steps):
    """Advance an axon by up to ``steps`` steps; arguments and answer as in ``kernel.run_steps``."""
    frame = 0
    if state.begun[0] == 0:
        _begin(plan, state)
        state.begun[0] = 1
    for i in range(steps):
        step = first_step + i
        _stimulate(plan, state, strengths, levels, i)
        if samples.stride > 0 and step % samples.stride == 0:
            sample(state, samples, frame)
            frame += 1
        if _step(plan, state, spikes, step):
            return i + 1, frame, LEFT_TABLE
        if spikes.found[0] + plan.rows > spikes.place.size:
            return i + 1, frame, SPIKES_FULL
    return steps, frame, FINISHED

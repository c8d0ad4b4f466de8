"""The time step of a uniform axon whose ions move: voltage, gates, four concentrations; second order in dt.

V and the ions moved live at t_k, gates at t_k + dt/2. One step, per compartment:

    x      <- A(V) x + B(V)                          each gate, exact for V constant over the step
    c*      = c_k + (c_k - c_(k-1)) / 2              every concentration at midtime
    E*      = (RT/F) ln(c*_out / c*_in)              Nernst
    P*      = P_max (Na*_in / (Na*_in + a))^3 (K*_out / (K*_out + b))^2
    (2 C/dt + g_Na + g_K) V* - axial = 2 C/dt V_k + g_Na E*_Na + g_K E*_K - P* + I_stim
    Q      <- Q + dt (g (V* - E*), P*, exchange)     the charges that flowed in this very step
    V      <- 2 V* - V

Concentrations are never stepped: they are read from the charges Q that have crossed the membrane and come
from the bath. So what one side gains the other has lost, however long the run, and the charge on the membrane
is the charge of the ions that crossed it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine.simd import GATES_PER_CHUNK, TABLE_WIDTH, kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Charges (pC) of a compartment: Na+ that entered by channels and leak, K+ that left by them, turns of the
# pump (each 3 Na+ out and 2 K+ in, so one charge), Na+ and K+ that came from the bath.
CHARGES = 5
ENTERED, LEFT, PUMPED, BATH_SODIUM, BATH_POTASSIUM = range(CHARGES)
SODIUM, POTASSIUM = 0, 1
# What one compartment needs of the first half of a step in its second.
ROOM = 9
AHEAD, KNOWN, G_SODIUM, G_POTASSIUM, E_SODIUM, E_POTASSIUM, PUMP, FLOW_SODIUM, FLOW_POTASSIUM = range(ROOM)
# Why a stretch of steps ended.
FINISHED, LEFT_TABLE, EMPTIED = range(3)
SODIUM_PER_TURN, POTASSIUM_PER_TURN = 3.0, 2.0


class Patch(NamedTuple):
    """What every compartment of the axon is."""

    dt: float  # ms
    capacity: float  # 2 C / dt, uS
    coupling: float  # between neighbours, uS
    leak: Floats  # (2,) to Na+ and K+, uS
    conductance: Floats  # (channels,) all gates open, uS
    carrier: Ints  # (channels,) SODIUM or POTASSIUM
    first_gate: Ints  # (channels + 1,)
    exponent: Ints  # (gates,)
    table: Floats  # flat, see axon.engine.tables
    table_start: float  # mV
    table_density: float  # cells per mV
    cells: int
    thermal: float  # RT/F, mV
    sodium: Floats  # (2,) at the start, inside and outside, mM
    potassium: Floats  # (2,)
    inside: float  # mM per pC
    outside: float  # mM per pC; 0 where the outside is the bath
    exchange: float  # from the bath, pC/ms per mM
    pump: float  # at its greatest, nA
    half_sodium: float  # mM
    half_potassium: float  # mM
    pump_stops: int  # step
    threshold: float  # mV


class State(NamedTuple):
    """What changes from step to step, and room to work in."""

    v: Floats  # (n,) mV
    gates: Floats  # (n, gates)
    charge: Floats  # (n, CHARGES) pC
    before: Floats  # (n, CHARGES) one step earlier
    room: Floats  # (n, ROOM)


class Output(NamedTuple):
    """Where samples and spikes go."""

    stride: int  # steps from one sample to the next
    sampled: Ints  # (n_x,) compartments
    v: Floats  # (frames, n_x)
    charge: Floats  # (frames, n_x, CHARGES)
    spike_time: Floats  # (room,)
    spike_place: Ints
    spikes: Ints  # (1,) how many


@kernel
def advance_gates(patch: Patch, v: float, gates: Floats) -> None:
    """The gates of one compartment over one step at ``v`` (mV), which must lie inside the table."""
    chunks = (len(patch.exponent) + GATES_PER_CHUNK - 1) // GATES_PER_CHUNK
    place = (v - patch.table_start) * patch.table_density
    cell = int(place)
    f = place - cell
    for j in range(len(gates)):
        at = (cell * chunks + j // GATES_PER_CHUNK) * TABLE_WIDTH + j % GATES_PER_CHUNK
        b = at + GATES_PER_CHUNK
        pair = 2 * GATES_PER_CHUNK
        decay = patch.table[at] + f * (patch.table[at + pair] + f * patch.table[at + 2 * pair])
        gain = patch.table[b] + f * (patch.table[b + pair] + f * patch.table[b + 2 * pair])
        gates[j] = decay * gates[j] + gain


@kernel
def _conduct(patch: Patch, gates: Floats, room: Floats) -> None:
    """Conductances (uS) to both ions from the gates of one compartment."""
    room[G_SODIUM], room[G_POTASSIUM] = patch.leak[SODIUM], patch.leak[POTASSIUM]
    for c in range(len(patch.conductance)):
        g = patch.conductance[c]
        for j in range(patch.first_gate[c], patch.first_gate[c + 1]):
            for _ in range(patch.exponent[j]):
                g *= gates[j]
        room[G_SODIUM + patch.carrier[c]] += g


@kernel
def _midway(q: Floats, before: Floats, which: int) -> float:
    """A charge half a step ahead, carried on from this step and the one before."""
    return 1.5 * q[which] - 0.5 * before[which]


@kernel
def _drive(patch: Patch, q: Floats, before: Floats, working: bool, room: Floats) -> bool:
    """Reversal potentials, pump and flow from the bath at midtime; False where an ion has run out."""
    pumped = _midway(q, before, PUMPED)
    sodium = _midway(q, before, ENTERED) - SODIUM_PER_TURN * pumped
    potassium = POTASSIUM_PER_TURN * pumped - _midway(q, before, LEFT)
    sodium_in = patch.sodium[0] + patch.inside * sodium
    potassium_in = patch.potassium[0] + patch.inside * potassium
    sodium_out = patch.sodium[1] + patch.outside * (_midway(q, before, BATH_SODIUM) - sodium)
    potassium_out = patch.potassium[1] + patch.outside * (_midway(q, before, BATH_POTASSIUM) - potassium)
    if not (sodium_in > 0.0 and potassium_in > 0.0 and sodium_out > 0.0 and potassium_out > 0.0):
        return False
    room[E_SODIUM] = patch.thermal * math.log(sodium_out / sodium_in)
    room[E_POTASSIUM] = patch.thermal * math.log(potassium_out / potassium_in)
    s = sodium_in / (sodium_in + patch.half_sodium)
    p = potassium_out / (potassium_out + patch.half_potassium)
    room[PUMP] = patch.pump * s * s * s * p * p if working else 0.0
    room[FLOW_SODIUM] = patch.exchange * (patch.sodium[1] - sodium_out)
    room[FLOW_POTASSIUM] = patch.exchange * (patch.potassium[1] - potassium_out)
    return True


@kernel
def _move(patch: Patch, q: Floats, before: Floats, room: Floats, v: float) -> None:
    """Add the charges that flowed in a step with ``v`` (mV) at midtime."""
    for j in range(CHARGES):
        before[j] = q[j]
    q[ENTERED] -= patch.dt * room[G_SODIUM] * (v - room[E_SODIUM])
    q[LEFT] += patch.dt * room[G_POTASSIUM] * (v - room[E_POTASSIUM])
    q[PUMPED] += patch.dt * room[PUMP]
    q[BATH_SODIUM] += patch.dt * room[FLOW_SODIUM]
    q[BATH_POTASSIUM] += patch.dt * room[FLOW_POTASSIUM]


@kernel
def _first_half(patch: Patch, state: State, injected: Floats, working: bool) -> tuple[int, int]:
    """Gates, currents and elimination of all compartments: why it stopped, and where."""
    n = len(state.v)
    for i in range(n):
        room = state.room[i]
        place = (state.v[i] - patch.table_start) * patch.table_density
        if not (place >= 0.0 and place < patch.cells):
            return LEFT_TABLE, i
        advance_gates(patch, state.v[i], state.gates[i])
        _conduct(patch, state.gates[i], room)
        if not _drive(patch, state.charge[i], state.before[i], working, room):
            return EMPTIED, i
        diagonal = patch.capacity + room[G_SODIUM] + room[G_POTASSIUM]
        right = patch.capacity * state.v[i] + injected[i] - room[PUMP]
        right += room[G_SODIUM] * room[E_SODIUM] + room[G_POTASSIUM] * room[E_POTASSIUM]
        if i > 0:
            diagonal += patch.coupling * (1.0 - state.room[i - 1, AHEAD])
            right += patch.coupling * state.room[i - 1, KNOWN]
        if i < n - 1:
            diagonal += patch.coupling
        room[AHEAD] = patch.coupling / diagonal
        room[KNOWN] = right / diagonal
    return FINISHED, 0


@kernel
def _second_half(patch: Patch, state: State, output: Output, step: int) -> None:
    """Back substitution, charges, new V, crossings."""
    n = len(state.v)
    midpoint = 0.0
    for i in range(n - 1, -1, -1):
        room = state.room[i]
        midpoint = room[KNOWN] + (room[AHEAD] * midpoint if i < n - 1 else 0.0)
        _move(patch, state.charge[i], state.before[i], room, midpoint)
        old = state.v[i]
        new = 2.0 * midpoint - old
        state.v[i] = new
        if old < patch.threshold and new >= patch.threshold:
            found = output.spikes[0]
            output.spike_time[found] = (step + (patch.threshold - old) / (new - old)) * patch.dt
            output.spike_place[found] = i
            output.spikes[0] = found + 1


@kernel
def run_steps(
    patch: Patch,
    state: State,
    output: Output,
    weights: Floats,
    strengths: Floats,
    injected: Floats,
    first: int,
) -> tuple[int, int, int, int]:
    """Step on from step ``first``.

    Parameters
    ----------
    patch, state, output
    weights : (stimuli, n) float64
        Share of each compartment in each stimulus.
    strengths : (stimuli, count) float64
        nA, mean over each step.
    injected : (n,) float64
        Room.
    first : int

    Returns
    -------
    done, frames, reason, place
        Steps made, samples taken, why it ended, and in which compartment.
    """
    frames = 0
    for k in range(strengths.shape[1]):
        step = first + k
        if step % output.stride == 0:
            for i in range(len(output.sampled)):
                output.v[frames, i] = state.v[output.sampled[i]]
                for j in range(CHARGES):
                    output.charge[frames, i, j] = state.charge[output.sampled[i], j]
            frames += 1
        for i in range(len(state.v)):
            injected[i] = 0.0
            for s in range(len(weights)):
                injected[i] += weights[s, i] * strengths[s, k]
        reason, place = _first_half(patch, state, injected, step < patch.pump_stops)
        if reason != FINISHED:
            return k, frames, reason, place
        _second_half(patch, state, output, step)
    return strengths.shape[1], frames, FINISHED, 0

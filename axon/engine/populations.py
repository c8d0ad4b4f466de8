"""Lay an axon out for ``chance``: the states of every channel's chain, and numbers of channels in them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine import chance, tables
from axon.engine.cables import Cable, Signature
from axon.engine.dice import stream
from axon.engine.simd import GATES_PER_CHUNK, TABLE_WIDTH
from axon.engine.tables import StepCoefficients

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROOM = 12


def open_gates(exponents: tuple[int, ...]) -> Ints:
    """Open gates of every type, (types, states), in the states of a channel; the last state conducts.

    Parameters
    ----------
    exponents : tuple of int
        How many gates of each type the channel has.
    """
    shape = [exponent + 1 for exponent in exponents]
    return np.array(np.unravel_index(np.arange(prod(shape)), shape))


@dataclass
class Blueprint:
    """A laid-out axon that any number of trials start from.

    Attributes
    ----------
    plan : chance.Plan
    v : (n,) mV
    gates : (n * width,)
        Initial gates; of populations all channels in the first state.
    coefficients : tuple of callable
        Step coefficients of every kind of patch.
    table_cells : (int, int)
    """

    plan: chance.Plan
    v: Floats
    gates: Floats
    coefficients: tuple[StepCoefficients, ...]
    table_cells: tuple[int, int]


def lay_out(
    cable: Cable,
    numbers: Floats,
    unit: Floats,
    *,
    method: int,
    threshold: float,
    table_cells: tuple[int, int],
) -> Blueprint:
    """Lay out one axon, sealed at both ends.

    Parameters
    ----------
    cable : Cable
    numbers : (n, channels) ndarray
        Channels of each kind, nan where they are so many that their gates are smooth.
    unit : (n, channels) ndarray
        Conductance of one open channel, uS.
    method : {MARKOV, LANGEVIN}
    threshold : float
        mV, of a spike.
    table_cells : (int, int)
        Range of the tables in whole cells.
    """
    signatures = [patch.signature for patch in cable.patches]
    coefficients = tuple(patch.coefficients for patch in cable.patches)
    table, (_, *begins) = tables.join(coefficients, *table_cells)
    starts = np.array(begins, np.int64)
    chance_of = [_has_chance(numbers[cable.patch == k], s) for k, s in enumerate(signatures)]
    chains, width = _chains(signatures, chance_of, starts)
    whole = np.isnan(numbers)
    plan = chance.Plan(
        rows=len(cable),
        width=width,
        method=method,
        kind=cable.patch.astype(np.int64),
        **chains,
        reversal=_reversals(cable, signatures),
        conductance=np.where(whole, cable.conductance, unit),
        capacity=cable.capacity,
        leak=cable.leak,
        leak_current=cable.leak_current,
        coupling=cable.coupling,
        table=table,
        **tables.bounds(*table_cells),
        threshold=threshold,
        source_place=cable.source_place.astype(np.int64),
        source_weight=cable.source_weight,
        source_row=cable.source_row.astype(np.int64),
        source_opens=cable.source_opens,
        clamp_place=cable.clamp_place.astype(np.int64),
    )
    return Blueprint(plan, cable.v, _initial(cable, plan, numbers), coefficients, table_cells)


def _has_chance(numbers: Floats, signature: Signature) -> list[bool]:
    return [bool(len(numbers)) and not bool(np.isnan(numbers[0, c])) for c in range(len(signature))]


def _reversals(cable: Cable, signatures: list[Signature]) -> Floats:
    firsts = [int(np.argmax(cable.patch == k)) for k in range(len(signatures))]
    return np.array(
        [cable.reversal[at, c] for at, s in zip(firsts, signatures, strict=True) for c in range(len(s))],
        float,
    )


def _chains(
    signatures: list[Signature], chance_of: list[list[bool]], starts: Ints
) -> tuple[dict[str, Any], int]:
    """States, places and tables of all channels and gates, and the width of a compartment's state."""
    first_channel, first_gate, first_opened = [0], [0], []
    states, place, exponent, stride, origin, span = [], [], [], [], [], []
    opened: list[Ints] = []
    width = 0
    for k, signature in enumerate(signatures):
        at, gate = 0, 0
        row = -(-sum(map(len, signature)) // GATES_PER_CHUNK) * TABLE_WIDTH
        for exponents, by_chance in zip(signature, chance_of[k], strict=True):
            levels = open_gates(exponents)
            states.append(levels.shape[1] if by_chance else 0)
            place.append(at)
            at += levels.shape[1] if by_chance else len(exponents)
            for which, number in enumerate(exponents):
                exponent.append(number)
                stride.append(prod(e + 1 for e in exponents[which + 1 :]))
                first_opened.append(sum(map(len, opened)))
                opened.append(levels[which])
                chunk, slot = divmod(gate, GATES_PER_CHUNK)
                origin.append(int(starts[k]) + chunk * TABLE_WIDTH + slot)
                span.append(row)
                gate += 1
            first_gate.append(len(exponent))
        first_channel.append(len(states))
        width = max(width, at)
    whole: dict[str, Any] = {
        "first_channel": first_channel,
        "first_gate": first_gate,
        "states": states,
        "place": place,
        "exponent": exponent,
        "stride": stride,
        "opened": np.concatenate([np.zeros(0), *opened]),
        "first_opened": first_opened,
        "origin": origin,
        "span": span,
    }
    return {name: np.array(values, np.int64) for name, values in whole.items()}, width


def _initial(cable: Cable, plan: chance.Plan, numbers: Floats) -> Floats:
    gates = np.zeros((len(cable), plan.width))
    for k in range(len(cable.patches)):
        here = np.flatnonzero(cable.patch == k)
        begin, end = plan.first_channel[k], plan.first_channel[k + 1]
        for channel in range(begin, end):
            at = plan.place[channel]
            if plan.states[channel]:
                gates[here, at] = numbers[here, channel - begin]
                continue
            for gate in range(plan.first_gate[channel], plan.first_gate[channel + 1]):
                within = gate - plan.first_gate[channel]
                gates[here, at + within] = cable.gates[here, gate - plan.first_gate[begin]]
    return gates.reshape(-1)


class Trial:
    """One axon on its way: what a ``Group`` is to the deterministic engine.

    Parameters
    ----------
    blueprint : Blueprint
        Left as it is.
    seed : int
        Of its own stream of random numbers.
    """

    def __init__(self, blueprint: Blueprint, seed: int) -> None:
        self.plan = plan = blueprint.plan
        self._coefficients, self.table_cells = blueprint.coefficients, blueprint.table_cells
        n, width = plan.rows, plan.width
        most = int(plan.states.max(initial=0))
        self.state = chance.State(
            v=blueprint.v.copy(),
            gates=blueprint.gates.copy(),
            **{name: np.zeros(n) for name in ("added", "injected", "total", "drive")},
            level=np.full(n, np.nan),
            jumped=np.full(n, np.nan),
            **{name: np.zeros(n) for name in ("ahead", "known", "earlier")},
            damped=np.zeros(1, np.int64),
            room=np.zeros(max(ROOM, most)),
            begun=np.zeros(1, np.int64),
            dice=stream(seed),
        )
        self.number = np.arange(n)
        self.place = [self.number]
        self.gate_place = [np.arange(n * width).reshape(n, width)]

    def advance(self, *arguments: Any) -> tuple[int, int, int]:
        """Make steps: the arguments and answer of ``chance.run_steps`` after plan and state."""
        return chance.run_steps(self.plan, self.state, *arguments)

    def lasting(self, number: int) -> dict[str, tuple[NDArray, Any]]:
        """As of ``Group``; the dice go on where they stopped."""
        state, whole = self.state, slice(None)
        dice = {"bits": (state.dice.bits, whole), "spare": (state.dice.spare, whole)}
        own = {"v": (state.v, self.place[number]), "gates": (state.gates, self.gate_place[number])}
        return {**own, "damped": (state.damped, whole), "begun": (state.begun, whole), **dice}

    def widen(self, low_cell: int, high_cell: int) -> None:
        """Extend the tables to cover ``low_cell``..``high_cell``; what was there stays bit for bit."""
        low, high = min(low_cell, self.table_cells[0]), max(high_cell, self.table_cells[1])
        table, starts = tables.join(self._coefficients, low, high)
        old_starts = tables.join(self._coefficients, *self.table_cells)[1]
        old = np.searchsorted(old_starts, self.plan.origin, "right") - 1
        self.plan = self.plan._replace(
            table=table, origin=self.plan.origin - old_starts[old] + starts[old], **tables.bounds(low, high)
        )
        self.table_cells = (low, high)

"""Lay cables out in lanes: several axons side by side, or one long axon as pieces of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.engine import tables
from axon.engine.simd import GATES_PER_CHUNK, LANES, TABLE_WIDTH
from axon.engine.state import (
    ADDED,
    EXTRAS,
    FACTOR,
    FROM_HELD,
    INJECTED,
    KIND,
    LINEAR,
    NOT_LINEAR,
    Plan,
    State,
)
from axon.engine.tables import StepCoefficients

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Signature = tuple[tuple[int, ...], ...]

# Shorter axons than this stay in one lane: pieces would be too short to pay for their joins.
SHORTEST_SPLIT = 4 * LANES
COMPACT_WEIGHT = 1.0 / 12.0


@dataclass(frozen=True)
class Patch:
    """A membrane at one temperature, as the engine sees it.

    Attributes
    ----------
    signature : tuple of tuple of int
        For every channel that is no constant leak the exponents of its slots. Two last slots of exponent 0
        hold what a current that is not linear in V gives to D and to b, per unit of ``conductance``.
    coefficients : callable
        Voltages (n,) to the step's decay and gain of every gate, two (n, gates) arrays.
    """

    signature: Signature
    coefficients: StepCoefficients


@dataclass(frozen=True)
class Cable:
    """One axon as arrays, n compartments in order.

    Attributes
    ----------
    capacity : (n,) uS
        2 C / dt.
    leak : (n,) uS
        Conductance without gates.
    leak_current : (n,) nA
        Sum of leak conductance times reversal.
    coupling : (n,) uS
        Axial conductance to the compartment before; the first entry joins a ring, else 0.
    smooth : (n,) bool
        Whether the face to the compartment before lies inside a uniform stretch.
    patch : (n,) int
        Index into ``patches``.
    conductance, reversal : (n, channels) uS, mV
        Of the gated channels of the patch, in the order of its signature.
    v : (n,) mV
        Initial voltage.
    gates : (n, gates)
        Initial gates half a step before the start.
    patches : sequence of Patch
    source_place, source_weight, source_row, source_opens : (k,)
        Compartments fed by a stimulus, their share of it, its row of the strengths, and whether that is a
        conductance (uS) instead of a current (nA).
    clamp_place : (c,)
        Clamped compartments.
    """

    capacity: Floats
    leak: Floats
    leak_current: Floats
    coupling: Floats
    smooth: NDArray[np.bool_]
    patch: NDArray[np.intp]
    conductance: Floats
    reversal: Floats
    v: Floats
    gates: Floats
    patches: Sequence[Patch]
    source_place: NDArray[np.intp]
    source_weight: Floats
    source_row: NDArray[np.intp]
    source_opens: NDArray[np.bool_]
    clamp_place: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.v)


@dataclass
class Group:
    """Cables laid out in lanes, ready to step.

    ``place[i]`` holds the flat index of every compartment of cable i; ``gate_place[i]`` those of its gates.
    """

    plan: Plan
    state: State
    place: list[Ints]
    gate_place: list[Ints]
    coefficients: tuple[StepCoefficients, ...]
    table_cells: tuple[int, int]

    def widen(self, low_cell: int, high_cell: int) -> None:
        """Extend the tables to cover ``low_cell``..``high_cell``; what was there stays bit for bit."""
        low, high = min(low_cell, self.table_cells[0]), max(high_cell, self.table_cells[1])
        table, starts = tables.join(self.coefficients, low, high)
        old_starts = tables.join(self.coefficients, *self.table_cells)[1]
        old = np.searchsorted(old_starts, self.plan.origin, "right") - 1
        inside = self.plan.origin - old_starts[old]
        origin = (starts[old] + inside).astype(np.int32)
        self.plan = self.plan._replace(table=table, origin=origin, **tables.bounds(low, high))
        self.table_cells = (low, high)


def lay_out(
    cables: Sequence[Cable], *, threshold: float, fourth: bool, table_cells: tuple[int, int]
) -> Group:
    """Lay one to LANES cables out in lanes; a single long one is cut into LANES pieces.

    Parameters
    ----------
    cables : sequence of Cable
    threshold : float
        mV, of a spike.
    fourth : bool
        Use the compact operator inside uniform stretches.
    table_cells : (int, int)
        Range of the tables in whole cells.
    """
    joined = len(cables) == 1 and (len(cables[0]) >= SHORTEST_SPLIT or cables[0].coupling[0] > 0)
    longest = max(len(cable) for cable in cables)
    rows = -(-longest // LANES) if joined else longest
    places = []
    for lane, cable in enumerate(cables):
        # Room to spare lies at the top: of the first lane when joined, of every shorter lane otherwise.
        number = np.arange(len(cable)) + (rows * LANES if joined else rows) - len(cable)
        places.append(number % rows * LANES + (number // rows if joined else lane))
    return _Layout(cables, rows, places, joined, threshold, fourth, table_cells).group()


class _Layout:
    """The work of laying out: where every compartment sits (row * LANES + lane), and all arrays from it."""

    def __init__(
        self,
        cables: Sequence[Cable],
        rows: int,
        places: list[Ints],
        joined: bool,
        threshold: float,
        fourth: bool,
        table_cells: tuple[int, int],
    ) -> None:
        self.cables, self.rows, self.places, self.joined = cables, rows, places, joined
        self.threshold, self.fourth, self.table_cells = threshold, fourth, table_cells
        self.patches: list[Patch] = []
        self.first_patch = []
        for cable in cables:
            self.first_patch.append(len(self.patches))
            self.patches.extend(cable.patches)
        self.signatures = list(dict.fromkeys(p.signature for p in self.patches if p.signature))
        counts = [sum(len(channel) for channel in s) for s in self.signatures]
        self.sizes = [-(-count // GATES_PER_CHUNK) for count in counts]
        self.first_chunk = np.cumsum([0, *self.sizes])

    def spread(self, name: str, empty: float) -> Floats:
        """An array per compartment as [row, lane], with ``empty`` where no compartment is."""
        out = np.full(self.rows * LANES, empty)
        for cable, place in zip(self.cables, self.places, strict=True):
            out[place] = getattr(cable, name)
        return out.reshape(self.rows, LANES)

    def patch_map(self) -> Ints:
        """Which patch sits at [row, lane]; -1 where no compartment is."""
        out = np.full(self.rows * LANES, -1)
        for first, cable, place in zip(self.first_patch, self.cables, self.places, strict=True):
            out[place] = first + cable.patch
        return out.reshape(self.rows, LANES)

    def group(self) -> Group:
        chunks = int(self.first_chunk[-1])
        patch = self.patch_map()
        tabulated = [i for i, p in enumerate(self.patches) if p.signature]
        coefficients = tuple(self.patches[i].coefficients for i in tabulated)
        table, starts = tables.join(coefficients, *self.table_cells)
        base = np.zeros(len(self.patches) + 1, np.int64)
        base[tabulated] = starts[1:]
        kinds, params, entries, factors, row_kind = self._rows(patch, base)
        extra_of_row, extras, sources, clamps, neighbours = self._extras()
        flat = self.rows * LANES
        plan = Plan(
            rows=self.rows,
            chunks=chunks,
            joined=self.joined,
            fourth=self.fourth,
            row_kind=row_kind,
            kinds=kinds,
            params=tables.aligned(params),
            entry_chunk=entries[0],
            origin=tables.aligned(entries[1]),
            stride=tables.aligned(entries[2]),
            still=tables.aligned(np.zeros_like(entries[2])),
            factors=factors,
            table=table,
            threshold=self.threshold,
            extra_of_row=extra_of_row,
            source_place=sources[0],
            source_weight=sources[1],
            source_row=sources[2],
            clamp_place=clamps[0],
            clamp_extra=clamps[1],
            neighbour_clamp=neighbours[0],
            neighbour_extra=neighbours[1],
            neighbour_coupling=neighbours[2],
            **tables.bounds(*self.table_cells),
        )
        gates, gate_place = self._gates(chunks)
        state = State(
            v=tables.aligned(self.spread("v", 0.0)),
            gates=tables.aligned(gates),
            ahead=tables.aligned(np.zeros(flat)),
            known=tables.aligned(np.zeros(flat)),
            behind=tables.aligned(np.zeros(flat)),
            extras=tables.aligned(np.zeros(extras)),
            damped=np.zeros(1, np.int64),
            earlier=tables.aligned(np.zeros(flat)),
            cell=tables.aligned(np.zeros(flat, np.int32)),
            fraction=tables.aligned(np.zeros(flat)),
            scratch=tables.aligned(np.zeros((chunks * GATES_PER_CHUNK + 7) * LANES)),
            offset=tables.aligned(np.zeros(LANES, np.int32)),
        )
        return Group(plan, state, self.places, gate_place, coefficients, self.table_cells)

    def _rows(self, patch: Ints, base: Ints) -> tuple:
        """Parameters of the different rows, and which row is which."""
        capacity = self.spread("capacity", 1.0)
        smooth = self.spread("smooth", 0.0) * COMPACT_WEIGHT
        common = np.stack(
            [
                capacity,
                self.spread("leak", 0.0),
                self.spread("leak_current", 0.0),
                self.spread("coupling", 0.0),
                smooth,
            ],
            axis=1,
        )
        channels = self._channel_parameters()
        everything = np.concatenate([common, *channels, patch[:, None, :].astype(float)], axis=1)
        changed = np.ones(self.rows, bool)
        changed[1:] = (everything[1:] != everything[:-1]).any(axis=(1, 2))
        seen: dict[bytes, int] = {}
        firsts: list[int] = []
        which = np.zeros(self.rows, np.uint64)
        for start, stop in zip(
            np.flatnonzero(changed), [*np.flatnonzero(changed)[1:], self.rows], strict=True
        ):
            key = everything[start].tobytes()
            if key not in seen:
                seen[key] = len(firsts)
                firsts.append(int(start))
            which[start:stop] = seen[key]
        kinds = np.zeros((len(firsts), KIND), np.uint64)
        params: list[Floats] = []
        entries: tuple[list, list, list] = ([], [], [])
        factors: list[tuple[int, int, int, int]] = []
        size = 0
        for kind, row in enumerate(firsts):
            present = sorted(
                {self.signatures.index(s) for p in patch[row] if p >= 0 and (s := self.patches[p].signature)}
            )
            first_entry, first_factor = len(entries[0]), len(factors)
            blocks = [common[row]]
            for s in present:
                blocks.append(channels[s][row])
                self._add_entries(s, patch[row], base, entries)
                self._add_factors(s, factors)
            block = np.concatenate(blocks)
            per = int(FACTOR)
            kinds[kind] = (size, first_entry, len(entries[0]), per * first_factor, per * len(factors))
            params.append(block.reshape(-1))
            size += block.size
        return (
            kinds.reshape(-1),
            np.concatenate(params),
            (
                np.array(entries[0], np.uint64),
                np.array(entries[1], np.int32).reshape(-1),
                np.array(entries[2], np.int32).reshape(-1),
            ),
            np.array(factors, np.uint64).reshape(-1),
            which * np.uint64(KIND),
        )

    def _channel_parameters(self) -> list[Floats]:
        """Per signature (rows, 2 * channels, LANES): conductance, and conductance times reversal."""
        out = []
        for signature in self.signatures:
            block = np.zeros((self.rows, LANES, len(signature), 2))
            for cable, place in zip(self.cables, self.places, strict=True):
                has = np.array([patch.signature == signature for patch in cable.patches])[cable.patch]
                if not has.any():
                    continue
                conductance = cable.conductance[has, : len(signature)]
                block.reshape(-1, len(signature), 2)[place[has]] = np.stack(
                    [conductance, conductance * cable.reversal[has, : len(signature)]], axis=-1
                )
            out.append(block.reshape(self.rows, LANES, -1).transpose(0, 2, 1))
        return out

    def _add_entries(self, s: int, patch: Ints, base: Ints, entries: tuple[list, list, list]) -> None:
        width = self.sizes[s] * TABLE_WIDTH
        mine = np.array([p >= 0 and self.patches[p].signature == self.signatures[s] for p in patch])
        for chunk in range(self.sizes[s]):
            entries[0].append(int(self.first_chunk[s]) + chunk)
            entries[1].append(np.where(mine, base[patch] + chunk * TABLE_WIDTH, 0))
            entries[2].append(np.where(mine, width, 0))

    def _add_factors(self, s: int, factors: list[tuple[int, int, int, int]]) -> None:
        gate = int(self.first_chunk[s]) * GATES_PER_CHUNK
        for exponents in self.signatures[s]:
            powers = [exponent for exponent in exponents if exponent > 0]
            linear = len(powers) == len(exponents)
            for number, exponent in enumerate(powers):
                last = number == len(powers) - 1
                end = 0 if not last else LINEAR if linear else NOT_LINEAR
                factors.append((gate * LANES, exponent, int(number == 0), end))
                gate += 1
            gate += len(exponents) - len(powers)

    def _gates(self, chunks: int) -> tuple[Floats, list[Ints]]:
        """Initial gates as [row, chunk, lane, 4], and where each compartment's gates are (-1: none)."""
        gates = np.zeros(self.rows * chunks * LANES * GATES_PER_CHUNK)
        gate_places = []
        for cable, place in zip(self.cables, self.places, strict=True):
            row, lane = place // LANES, place % LANES
            at = np.full(cable.gates.shape, -1, np.int64)
            for number, patch in enumerate(cable.patches):
                if not patch.signature:
                    continue
                here = cable.patch == number
                slot = np.arange(sum(len(channel) for channel in patch.signature))
                slot += self.first_chunk[self.signatures.index(patch.signature)] * GATES_PER_CHUNK
                chunk = row[here, None] * chunks + slot // GATES_PER_CHUNK
                own = (chunk * LANES + lane[here, None]) * GATES_PER_CHUNK + slot % GATES_PER_CHUNK
                at[here, : len(slot)] = own
                gates[own] = cable.gates[here, : len(slot)]
            gate_places.append(at)
        return gates, gate_places

    def _extras(self) -> tuple:
        """Rows with stimuli or clamps, and where in the extras each current and clamp goes."""
        number_of_row: dict[int, int] = {}

        def extra(flat: int, part: int) -> int:
            row, lane = divmod(int(flat), LANES)
            number = number_of_row.setdefault(row, len(number_of_row))
            return (EXTRAS * number + part) * LANES + lane

        sources: tuple[list, list, list] = ([], [], [])
        clamps: tuple[list, list] = ([], [])
        neighbours: tuple[list, list, list] = ([], [], [])
        rows, held = 0, 0
        for cable, place in zip(self.cables, self.places, strict=True):
            feeds = (cable.source_place, cable.source_weight, cable.source_row, cable.source_opens)
            for at, weight, row, opens in zip(*feeds, strict=True):
                sources[0].append(extra(place[at], ADDED if opens else INJECTED))
                sources[1].append(weight)
                sources[2].append(rows + row)
            rows += int(cable.source_row.max(initial=-1)) + 1
            n = len(cable)
            for at in cable.clamp_place:
                clamps[0].append(place[at])
                clamps[1].append(extra(place[at], ADDED))
                for other, coupling in (
                    ((at - 1) % n, cable.coupling[at]),
                    ((at + 1) % n, cable.coupling[(at + 1) % n]),
                ):
                    if coupling > 0 and other != at:
                        neighbours[0].append(held)
                        neighbours[1].append(extra(place[other], FROM_HELD))
                        neighbours[2].append(coupling)
                held += 1
        extra_of_row = np.zeros(self.rows, np.uint64)
        for row, number in number_of_row.items():
            extra_of_row[row] = number + 1
        ints, floats = np.int64, np.float64
        return (
            extra_of_row,
            EXTRAS * LANES * len(number_of_row),
            (np.array(sources[0], ints), np.array(sources[1], floats), np.array(sources[2], ints)),
            (np.array(clamps[0], ints), np.array(clamps[1], ints)),
            (np.array(neighbours[0], ints), np.array(neighbours[1], ints), np.array(neighbours[2], floats)),
        )

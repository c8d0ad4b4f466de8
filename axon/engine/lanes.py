"""Lay cables out in lanes: several axons side by side, or one long axon as pieces of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.engine import kernel
from axon.engine.simd import GATES_PER_CHUNK, LANES, TABLE_WIDTH
from axon.engine.tables import CELL, StepCoefficients, build

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
        For every gated channel the exponents of its gates.
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
    source_place, source_weight, source_stimulus : (k,)
        Compartments fed by a stimulus, their share of it, and which stimulus.
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
    source_stimulus: NDArray[np.intp]
    clamp_place: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.v)


@dataclass
class Group:
    """Cables laid out in lanes, ready to step.

    ``place[i]`` holds the flat index of every compartment of cable i; ``gate_place[i]`` those of its gates.
    """

    plan: kernel.Plan
    state: kernel.State
    place: list[Ints]
    gate_place: list[Ints]
    coefficients: tuple[StepCoefficients, ...]
    table_cells: tuple[int, int]

    def widen(self, low_cell: int, high_cell: int) -> None:
        """Extend the tables to cover ``low_cell``..``high_cell``; what was there stays bit for bit."""
        low, high = min(low_cell, self.table_cells[0]), max(high_cell, self.table_cells[1])
        table, starts = _tables(self.coefficients, low, high)
        old_starts = _tables(self.coefficients, *self.table_cells)[1]
        old = np.searchsorted(old_starts, self.plan.origin, "right") - 1
        inside = self.plan.origin - old_starts[old]
        self.plan = self.plan._replace(
            table=table, origin=(starts[old] + inside).astype(np.int32), **_table_range(low, high)
        )
        self.table_cells = (low, high)


@lru_cache(maxsize=16)
def _tables(coefficients: tuple[StepCoefficients, ...], low: int, high: int) -> tuple[Floats, Ints]:
    """All patches' tables end to end behind one row that leaves gates alone, and where each begins.

    Kept, because the next run of the same membranes wants the same ones; nobody writes into them.
    """
    still = np.zeros(TABLE_WIDTH)
    still[:GATES_PER_CHUNK] = 1.0
    parts = [still] + [build(one, low, high).reshape(-1) for one in coefficients]
    starts = np.cumsum([0] + [len(part) for part in parts[:-1]])
    return aligned(np.concatenate(parts + [np.zeros(TABLE_WIDTH)])), starts


def _table_range(low: int, high: int) -> dict[str, Any]:
    return {
        "table_start": low * CELL,
        "table_density": 1.0 / CELL,
        "table_low": low * CELL,
        "table_high": high * CELL,
    }


def aligned(array: NDArray) -> NDArray:
    """The same values, flat, starting on a cache line."""
    flat = np.ascontiguousarray(array).reshape(-1)
    room = np.zeros(flat.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    out = room[start : start + flat.nbytes].view(flat.dtype)
    out[:] = flat
    return out


def lay_out(
    cables: Sequence[Cable], *, dt: float, threshold: float, fourth: bool, table_cells: tuple[int, int]
) -> Group:
    """Lay one to LANES cables out in lanes; a single long one is cut into LANES pieces.

    Parameters
    ----------
    cables : sequence of Cable
    dt : float
        ms.
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
    if joined:
        column = np.arange(rows * LANES).reshape(LANES, rows).T - (rows * LANES - longest)
        owner = np.where(column >= 0, 0, -1)
        column = np.maximum(column, 0)
    else:
        column = np.zeros((rows, LANES), int)
        owner = np.full((rows, LANES), -1)
        for lane, cable in enumerate(cables):
            column[rows - len(cable) :, lane] = np.arange(len(cable))
            owner[rows - len(cable) :, lane] = lane
    return _Layout(cables, owner, column, joined, dt, threshold, fourth, table_cells).group()


class _Layout:
    """The work of laying out: which compartment sits at which row and lane, and all arrays from it."""

    def __init__(
        self,
        cables: Sequence[Cable],
        owner: Ints,
        column: Ints,
        joined: bool,
        dt: float,
        threshold: float,
        fourth: bool,
        table_cells: tuple[int, int],
    ) -> None:
        self.cables, self.owner, self.column, self.joined = cables, owner, column, joined
        self.dt, self.threshold, self.fourth, self.table_cells = dt, threshold, fourth, table_cells
        self.rows = len(owner)
        self.patches: list[Patch] = []
        self.first_patch = []
        for cable in cables:
            self.first_patch.append(len(self.patches))
            self.patches.extend(cable.patches)
        self.signatures = list(dict.fromkeys(p.signature for p in self.patches if p.signature))
        counts = [sum(len(channel) for channel in s) for s in self.signatures]
        sizes = [-(-count // GATES_PER_CHUNK) for count in counts]
        self.first_chunk = np.cumsum([0, *sizes])
        self.sizes = sizes

    def spread(self, name: str, empty: float) -> Floats:
        """An array per compartment as [row, lane], with ``empty`` where no compartment is."""
        out = np.full(self.owner.shape, empty, float)
        for index, cable in enumerate(self.cables):
            mine = self.owner == index
            out[mine] = getattr(cable, name)[self.column[mine]]
        return out

    def patch_map(self) -> Ints:
        out = np.full(self.owner.shape, -1)
        for index, cable in enumerate(self.cables):
            mine = self.owner == index
            out[mine] = self.first_patch[index] + cable.patch[self.column[mine]]
        return out

    def group(self) -> Group:
        chunks = int(self.first_chunk[-1])
        patch = self.patch_map()
        tabulated = [i for i, p in enumerate(self.patches) if p.signature]
        coefficients = tuple(self.patches[i].coefficients for i in tabulated)
        table, starts = _tables(coefficients, *self.table_cells)
        base = np.zeros(len(self.patches) + 1, np.int64)
        base[tabulated] = starts[1:]
        kinds, params, entries, factors, row_kind = self._rows(patch, base)
        extra_of_row, extras, sources, clamps, neighbours = self._extras()
        flat = self.rows * LANES
        plan = kernel.Plan(
            rows=self.rows,
            chunks=chunks,
            joined=self.joined,
            fourth=self.fourth,
            row_kind=row_kind,
            kinds=kinds,
            params=aligned(params),
            entry_chunk=entries[0],
            origin=aligned(entries[1]),
            stride=aligned(entries[2]),
            still=aligned(np.zeros_like(entries[2])),
            factors=factors,
            table=table,
            threshold=self.threshold,
            dt=self.dt,
            extra_of_row=extra_of_row,
            source_place=sources[0],
            source_weight=sources[1],
            source_stimulus=sources[2],
            clamp_place=clamps[0],
            clamp_extra=clamps[1],
            neighbour_clamp=neighbours[0],
            neighbour_extra=neighbours[1],
            neighbour_coupling=neighbours[2],
            **_table_range(*self.table_cells),
        )
        gates, gate_place = self._gates(chunks)
        state = kernel.State(
            v=aligned(self.spread("v", 0.0)),
            gates=aligned(gates),
            ahead=aligned(np.zeros(flat)),
            known=aligned(np.zeros(flat)),
            behind=aligned(np.zeros(flat)),
            extras=aligned(np.zeros(extras)),
            damped=np.zeros(1, np.int64),
            earlier=aligned(np.zeros(flat)),
            scratch=aligned(np.zeros((chunks * GATES_PER_CHUNK + 7) * LANES)),
            cell=aligned(np.zeros(LANES, np.int32)),
            offset=aligned(np.zeros(LANES, np.int32)),
            fraction=aligned(np.zeros(LANES)),
        )
        return Group(plan, state, self._places(), gate_place, coefficients, self.table_cells)

    def _places(self) -> list[Ints]:
        place = [np.zeros(len(cable), np.int64) for cable in self.cables]
        flat = np.arange(self.owner.size).reshape(self.owner.shape)
        for index in range(len(self.cables)):
            mine = self.owner == index
            place[index][self.column[mine]] = flat[mine]
        return place

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
        channels = self._channel_parameters(patch)
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
        kinds = np.zeros((len(firsts), kernel.KIND), np.uint64)
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
            per = int(kernel.FACTOR)
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
            which * np.uint64(kernel.KIND),
        )

    def _channel_parameters(self, patch: Ints) -> list[Floats]:
        """Per signature (rows, 2 * channels, LANES): conductance, and conductance times reversal."""
        out = []
        for signature in self.signatures:
            block = np.zeros((self.rows, 2 * len(signature), LANES))
            has = np.array([p.signature == signature for p in self.patches] + [False])[patch]
            for index, cable in enumerate(self.cables):
                row, lane = np.nonzero((self.owner == index) & has)
                column = self.column[row, lane]
                for channel in range(len(signature)):
                    g = cable.conductance[column, channel]
                    block[row, 2 * channel, lane] = g
                    block[row, 2 * channel + 1, lane] = g * cable.reversal[column, channel]
            out.append(block)
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
            for number, exponent in enumerate(exponents):
                last = number == len(exponents) - 1
                factors.append((gate * LANES, exponent, int(number == 0), int(last)))
                gate += 1

    def _gates(self, chunks: int) -> tuple[Floats, list[Ints]]:
        """Initial gates as [row, chunk, lane, 4], and where each compartment's gates are (-1: none)."""
        gates = np.zeros((self.rows, chunks, LANES, GATES_PER_CHUNK))
        places = []
        for index, cable in enumerate(self.cables):
            place = np.full(cable.gates.shape, -1, np.int64)
            rows, lanes = np.nonzero(self.owner == index)
            column = self.column[rows, lanes]
            for number, patch in enumerate(cable.patches):
                mine = cable.patch[column] == number
                place[column[mine]] = self._gate_places(
                    patch.signature, chunks, cable.gates.shape[1], rows[mine][:, None], lanes[mine][:, None]
                )
            known = place >= 0
            gates.reshape(-1)[place[known]] = cable.gates[known]
            places.append(place)
        return gates, places

    def _gate_places(self, signature: Signature, chunks: int, width: int, row: Ints, lane: Ints) -> Ints:
        count = sum(len(channel) for channel in signature)
        gate = np.arange(width)
        if not signature:
            return np.full(np.broadcast_shapes(np.shape(row), gate.shape), -1)
        slot = self.first_chunk[self.signatures.index(signature)] * GATES_PER_CHUNK + gate
        at = (
            (row * chunks + slot // GATES_PER_CHUNK) * LANES + lane
        ) * GATES_PER_CHUNK + slot % GATES_PER_CHUNK
        return np.where(gate < count, at, -1)

    def _extras(self) -> tuple:
        """Rows with stimuli or clamps, and where in the extras each current and clamp goes."""
        places = self._places()
        number_of_row: dict[int, int] = {}

        def extra(flat: int, part: int) -> int:
            row, lane = divmod(int(flat), LANES)
            number = number_of_row.setdefault(row, len(number_of_row))
            return (kernel.EXTRAS * number + part) * LANES + lane

        sources: tuple[list, list, list] = ([], [], [])
        clamps: tuple[list, list] = ([], [])
        neighbours: tuple[list, list, list] = ([], [], [])
        stimuli, held = 0, 0
        for cable, place in zip(self.cables, places, strict=True):
            for at, weight, which in zip(
                cable.source_place, cable.source_weight, cable.source_stimulus, strict=True
            ):
                sources[0].append(extra(place[at], kernel.INJECTED))
                sources[1].append(weight)
                sources[2].append(stimuli + which)
            stimuli += int(cable.source_stimulus.max(initial=-1)) + 1
            n = len(cable)
            for at in cable.clamp_place:
                clamps[0].append(place[at])
                clamps[1].append(extra(place[at], kernel.ADDED))
                for other, coupling in (
                    ((at - 1) % n, cable.coupling[at]),
                    ((at + 1) % n, cable.coupling[(at + 1) % n]),
                ):
                    if coupling > 0 and other != at:
                        neighbours[0].append(held)
                        neighbours[1].append(extra(place[other], kernel.FROM_HELD))
                        neighbours[2].append(coupling)
                held += 1
        extra_of_row = np.zeros(self.rows, np.uint64)
        for row, number in number_of_row.items():
            extra_of_row[row] = number + 1
        ints, floats = np.int64, np.float64
        return (
            extra_of_row,
            kernel.EXTRAS * LANES * len(number_of_row),
            (np.array(sources[0], ints), np.array(sources[1], floats), np.array(sources[2], ints)),
            (np.array(clamps[0], ints), np.array(clamps[1], ints)),
            (np.array(neighbours[0], ints), np.array(neighbours[1], ints), np.array(neighbours[2], floats)),
        )

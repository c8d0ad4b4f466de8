"""Lay cables out in lanes: several axons side by side, or one long axon as pieces of itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from axon.engine import tables
from axon.engine.cables import Cable, Floats, Ints
from axon.engine.group import Group, chunk_size
from axon.engine.simd import GATES_PER_CHUNK, LANES
from axon.engine.state import (
    ADDED,
    COMPACT,
    EXPONENT,
    EXTRA,
    EXTRAS,
    FIRST,
    FROM_HELD,
    INJECTED,
    LINEAR,
    PROGRAM,
    PROGRAM_SIZE,
    REST,
    ROW,
    SLOPE,
    SQUID,
    START,
    Plan,
    State,
)

# Shorter axons than this stay in one lane: pieces would be too short to pay for their joins.
SHORTEST_SPLIT = 4 * LANES
COMPACT_WEIGHT = 1.0 / 12.0


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
    frames = tuple(cable if cable.frame is None else cable.frame for cable in cables)
    kept = all(cable.frame is not None for cable in cables)
    in_lanes = _in_lanes if kept else _in_lanes.__wrapped__
    return in_lanes(frames, threshold, fourth, table_cells).group(cables)


@lru_cache(maxsize=256)
def _in_lanes(
    cables: tuple[Cable, ...], threshold: float, fourth: bool, table_cells: tuple[int, int]
) -> Layout:
    joined = len(cables) == 1 and (len(cables[0]) >= SHORTEST_SPLIT or cables[0].coupling[0] > 0)
    longest = max(len(cable) for cable in cables)
    rows = -(-longest // LANES) if joined else longest
    flat = np.arange(rows * LANES).reshape(rows, LANES)
    # Room to spare lies at the top: of the first lane when joined, of every shorter lane otherwise.
    if joined:
        places = [flat.T.reshape(-1)[rows * LANES - longest :]]
    else:
        places = [flat[rows - len(cable) :, lane].copy() for lane, cable in enumerate(cables)]
    return Layout(cables, rows, places, joined, threshold, fourth, table_cells)


class Layout:
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
        self.third = cables[0].third
        # Equal ones share one table.
        self.patches = list(dict.fromkeys(patch for cable in cables for patch in cable.patches))
        self.signatures = list(dict.fromkeys(p.signature for p in self.patches if p.signature))
        # Of every patch, and of the -1 that stands where no compartment is.
        self.signature_of = np.array(
            [self.signatures.index(p.signature) if p.signature else -1 for p in self.patches] + [-1]
        )
        counts = [sum(len(channel) for channel in s) for s in self.signatures]
        self.sizes = [-(-count // GATES_PER_CHUNK) for count in counts]
        self.first_chunk = np.cumsum([0, *self.sizes])
        self.coefficients = tuple(p.coefficients for p in self.patches if p.signature)
        self.number = self._numbers()
        self.gate_places = [self._gate_place(i) for i in range(len(cables))]
        self.plan, self.extras = self._plan()

    def group(self, cables: Sequence[Cable] | None = None) -> Group:
        """The cables at their start; or others, that differ from these in nothing but their start."""
        state = self._state(self.cables if cables is None else cables)
        number = self.number.reshape(-1)
        places, gate_places = self.places, self.gate_places
        return Group(self.plan, state, places, gate_places, self.coefficients, self.table_cells, number)

    def _numbers(self) -> Ints:
        """Number of the compartment at [row, lane], counted on from cable to cable; -1 where none is."""
        out, first = np.full(self.rows * LANES, -1), 0
        for place in self.places:
            out[place] = np.arange(first, first + len(place))
            first += len(place)
        return out.reshape(self.rows, LANES)

    def _gate_place(self, i: int) -> Ints:
        """Where in the state the gates of every compartment of a cable are (-1: none)."""
        cable, chunks = self.cables[i], int(self.first_chunk[-1])
        row, lane = np.divmod(self.places[i], LANES)
        first = (row * chunks * LANES + lane) * GATES_PER_CHUNK
        out = np.full(cable.gates.shape, -1, np.int64)
        for number, patch in enumerate(cable.patches):
            if patch.signature:
                here = cable.where(number)
                slot = np.arange(sum(len(channel) for channel in patch.signature))
                slot += self.first_chunk[self.signatures.index(patch.signature)] * GATES_PER_CHUNK
                step = slot // GATES_PER_CHUNK * (LANES * GATES_PER_CHUNK) + slot % GATES_PER_CHUNK
                out[here, : len(slot)] = first[here, None] + step
        return out

    def _state(self, cables: Sequence[Cable]) -> State:
        flat, chunks = self.rows * LANES, self.plan.chunks
        floats = tables.blank(
            *(flat, flat, flat, flat, flat, flat * chunks * GATES_PER_CHUNK + 1, self.extras, LANES),
            *((2 * flat, 2 * flat, 3 * flat) if self.third else (flat, flat, 0)),
        )
        v, ahead, known, behind, earlier, gates, extras, scratch, fraction, cell, differences = floats
        for cable, place, gate_place in zip(cables, self.places, self.gate_places, strict=True):
            v[place] = cable.v
            for number, patch in enumerate(cable.patches):
                here, count = cable.where(number), sum(len(channel) for channel in patch.signature)
                gates[gate_place[here, :count]] = cable.gates[here, :count]
        return State(
            v=v,
            gates=gates,
            ahead=ahead,
            known=known,
            behind=behind,
            extras=extras,
            damped=np.zeros(1, np.int64),
            earlier=earlier,
            cell=cell.view(np.int32)[: len(fraction)],
            fraction=fraction,
            scratch=scratch,
            differences=differences,
            valid=np.zeros(4 * LANES),
            kink_step=np.zeros(0, np.int64),
            kink_lane=np.zeros(0, np.int64),
            kink_between=np.zeros(0, np.int64),
            kinks_met=np.zeros(1, np.int64),
        )

    def _plan(self) -> tuple[Plan, int]:
        """The plan, and how much room the extras want."""
        tabulated = [i for i, p in enumerate(self.patches) if p.signature]
        table, starts = tables.join_chunks(self.coefficients, *self.table_cells)
        base = np.zeros(len(self.patches) + 1, np.int64)
        base[tabulated] = starts[1:]
        row, programs, params, entries, slots = self._rows(base)
        extra_of_row, extras, sources, clamps, neighbours = self._extras()
        row[:, EXTRA] = extra_of_row
        row[:, SQUID] &= extra_of_row == 0
        plan = Plan(
            rows=self.rows,
            chunks=int(self.first_chunk[-1]),
            joined=self.joined,
            fourth=self.fourth,
            third=self.third,
            row=row.reshape(-1),
            programs=programs,
            params=tables.aligned(params),
            entry_chunk=entries[0],
            origin=tables.aligned(entries[1]),
            still=tables.aligned(np.zeros_like(entries[1])),
            nowhere=tables.aligned(np.zeros((1 + self.third) * self.rows * LANES, np.int32)),
            slots=slots,
            table=table,
            threshold=self.threshold,
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
        return plan, extras

    def _at(self, number: Ints, values: Sequence[NDArray], empty: float = 0.0) -> NDArray:
        """The values of compartments by number, as for ``_numbers``; ``empty`` for -1."""
        return np.concatenate([*values, np.full((1, *values[0].shape[1:]), empty)])[number]

    def _rows(self, base: Ints) -> tuple:
        """Parameters of the different rows, and which row is which."""
        like = self._at(self.number, _counted_on([cable.like for cable in self.cables]), -1)
        changed = np.ones(self.rows, bool)
        changed[1:] = (like[1:] != like[:-1]).any(axis=1)
        starts = np.flatnonzero(changed)
        number = self.number[starts]
        number_of = {patch: n for n, patch in enumerate(self.patches)}
        own = [np.array([number_of[p] for p in cable.patches])[cable.patch] for cable in self.cables]
        patch = self._at(number, own, -1)
        fields = {"capacity": 1.0, "leak": 0.0, "leak_current": 0.0, "coupling": 0.0, "smooth": 0.0}
        common = np.stack(
            [
                self._at(number, [getattr(c, name) for c in self.cables], none)
                for name, none in fields.items()
            ],
            axis=1,
        )
        common[:, COMPACT] *= COMPACT_WEIGHT
        channels = self._channel_parameters(number, self.signature_of[patch])
        everything = np.concatenate([common, *channels, patch[:, None, :]], axis=1)
        seen: dict[bytes, int] = {}
        firsts: list[int] = []
        kind_of = np.zeros(len(starts), np.int64)
        for stretch, values in enumerate(everything):
            key = values.tobytes()
            if key not in seen:
                seen[key] = len(firsts)
                firsts.append(stretch)
            kind_of[stretch] = seen[key]
        kinds = np.zeros((len(firsts), ROW), np.int64)
        params: list[Floats] = []
        entries: tuple[list, list] = ([], [])
        slots: list[int] = []
        programs: list[tuple[int, int, int]] = []
        known: dict[bytes, int] = {}
        size = 0
        for kind, stretch in enumerate(firsts):
            present = sorted(set(self.signature_of[patch[stretch]].tolist()) - {-1})
            # A lane without a compartment goes along with another: its gates mean nothing.
            lanes = np.where(patch[stretch] >= 0, patch[stretch], patch[stretch].max())
            if lanes.tobytes() not in known:
                known[lanes.tobytes()] = len(programs)
                first_entry, first_slot = len(entries[0]), len(slots)
                for s in present:
                    self._add_entries(s, lanes, base, entries)
                    self._add_slots(s, slots)
                programs.append((first_entry, len(entries[0]), first_slot))
            program = known[lanes.tobytes()]
            block = np.concatenate([common[stretch], *(channels[s][stretch] for s in present)])
            kinds[kind, START] = size
            alone = programs[program][0] == 0 and self.sizes == [1] and present == [0]
            kinds[kind, SQUID] = alone and self.signatures[0] == ((3, 1), (4,))
            kinds[kind, PROGRAM] = PROGRAM_SIZE * program
            params.append(block.reshape(-1))
            size += block.size
        return (
            kinds[np.repeat(kind_of, np.diff([*starts, self.rows]))],
            np.array(programs, np.int64).reshape(-1),
            np.concatenate(params),
            (
                np.array(entries[0], np.int64),
                np.array(entries[1], np.int64).reshape(-1),
            ),
            np.array(slots, np.int64),
        )

    def _channel_parameters(self, number: Ints, signature_of: Ints) -> list[Floats]:
        """Per signature (rows, 2 * channels, LANES): conductance, and conductance times reversal."""
        out = []
        for s, signature in enumerate(self.signatures):
            width = len(signature)
            block = np.zeros((*number.shape, width, 2))
            each = [_widened(c.conductance, width) for c in self.cables]
            block[..., 0] = np.where((signature_of == s)[..., None], self._at(number, each), 0.0)
            each = [_widened(c.reversal, width) for c in self.cables]
            block[..., 1] = block[..., 0] * self._at(number, each)
            out.append(block.reshape(len(number), LANES, -1).transpose(0, 2, 1))
        return out

    def _add_entries(self, s: int, patch: Ints, base: Ints, entries: tuple[list, list]) -> None:
        # A lane without these gates steps what means nothing there, by the table of a lane that has them.
        mine = self.signature_of[patch] == s
        begins = base[np.where(mine, patch, patch[np.argmax(mine)])]
        for chunk in range(self.sizes[s]):
            entries[0].append(int(self.first_chunk[s]) + chunk)
            entries[1].append(begins + chunk * chunk_size(*self.table_cells))

    def _add_slots(self, s: int, slots: list[int]) -> None:
        """Exponent, whether the first of its channel, and what it ends, of every slot of a signature."""
        unused = self.sizes[s] * GATES_PER_CHUNK
        for exponents in self.signatures[s]:
            unused -= len(exponents)
            linear = all(exponents)
            gates = exponents if linear else exponents[:-2]
            for number, exponent in enumerate(gates, start=1):
                code = (exponent << EXPONENT) + (FIRST if number == 1 else 0)
                slots.append(code + (LINEAR if linear and number == len(gates) else 0))
            slots += [] if linear else [SLOPE, REST]
        slots += [0] * unused

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
        extra_of_row = np.zeros(self.rows, np.int64)
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


def _counted_on(numbers: Sequence[Ints]) -> list[Ints]:
    """The same numbers, made to differ from cable to cable."""
    firsts = np.cumsum([0, *(int(n.max(initial=-1)) + 1 for n in numbers)])
    return [first + n for first, n in zip(firsts, numbers, strict=False)]


def _widened(columns: Floats, width: int) -> Floats:
    """The first ``width`` columns; with nothing in those there are not."""
    missing = width - columns.shape[1]
    return np.pad(columns, ((0, 0), (0, missing))) if missing > 0 else columns[:, :width]

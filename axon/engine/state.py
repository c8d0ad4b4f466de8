"""What the engine steps: the plan of a group of lanes, its state, and where spikes and samples go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Fields of a row's parameters, each a vector over lanes; then conductance and conductance * reversal of
# every channel.
CAPACITY, LEAK, LEAK_CURRENT, COUPLING, COMPACT, CHANNELS = range(6)
# A clamped compartment's diagonal: its own unknown vanishes to rounding, and the clamp is added afterwards.
HELD = 1e30
# Adding and subtracting this leaves a number as it is, or makes it 0 where it is smaller by 1e16.
NOTHING = 1e-200
# What a row is: where its parameters start; whether it has no stimuli, and its gates fill one chunk with the
# channels of the squid axon, m3 h and n4; where its program starts; 0, or 1 + which of the rows with stimuli.
ROW = 4
START, SQUID, PROGRAM, EXTRA = range(ROW)
# Fields of a program, the chunks of gates that a row steps.
PROGRAM_SIZE = 3
FIRST_ENTRY, LAST_ENTRY, FIRST_SLOT = range(PROGRAM_SIZE)
# A slot, a gate or the like, in one number: what it ends in two bits, whether it is the first of its channel
# in the next, then its exponent.
ENDS, FIRST, EXPONENT = 3, 4, 3
# What a slot ends: a channel whose current is linear in V. Or it is itself, of a current that is not, the
# slope, or what the line through V leaves, slope V - I.
LINEAR, SLOPE, REST = 1, 2, 3
# What a row with stimuli has besides, each a vector over lanes: conductance added to D; current, part of b;
# current from a clamped neighbour, no part of b; 0 where V is held, else 1; the level at which it is held.
EXTRAS = 5
ADDED, INJECTED, FROM_HELD, FREE, LEVEL = range(EXTRAS)
# Steps after the jump of a clamp that are made as two backward Euler halves, which damp what Crank-Nicolson
# would let ring, and keep its order (Rannacher 1984).
DAMPED_STEPS = 2
# Why a stretch of steps ended.
FINISHED, LEFT_TABLE, SPIKES_FULL = range(3)


class Plan(NamedTuple):
    """What a group is: unchanged while it runs."""

    rows: int
    chunks: int  # of four gates each, per compartment
    joined: bool  # lanes are consecutive pieces of one axon
    fourth: bool  # compact operator
    third: bool  # of third order in dt: tables are of half a step, see ``history``
    row: Ints  # (rows * ROW,) see the fields above
    programs: Ints  # flat: see the fields above
    params: Floats  # flat: see the fields above
    entry_chunk: Ints  # (entries,)
    origin: Ints  # (entries * LANES,) start of the table of this lane
    still: Ints  # (entries * LANES,) zeros and
    nowhere: NDArray[np.int32]  # as cell, zeros: origin and cell that leave gates alone
    slots: Ints  # flat, four to an entry
    table: Floats
    table_start: float  # mV
    table_density: float  # cells per mV
    table_low: float  # mV, V must stay in [low, high)
    table_high: float
    threshold: float  # mV
    source_place: Ints  # (sources,) place in extras of what a stimulus gives
    source_weight: Floats
    source_row: Ints  # (sources,) which row of the strengths
    clamp_place: Ints  # (clamps,) flat compartment
    clamp_extra: Ints  # (clamps,) place in extras
    neighbour_clamp: Ints  # (neighbours,) whose neighbour
    neighbour_extra: Ints
    neighbour_coupling: Floats  # uS


class Tree(NamedTuple):
    """How the rows of a group of trees hang together: unchanged while it runs.

    A row is of LANES numbers when ``wide`` (an axon in every lane), of one otherwise. Rows are in the order
    of the solve, parents first; their membranes stand where ``place`` says.
    """

    rows: int
    wide: bool
    double: bool  # two voltages in a row
    place: Ints  # (rows,) where a row's membrane begins in V
    parent: Ints  # (rows,) -1 for the first
    gathers: Ints  # (rows,) where branches leave their sums for a row in ``gathered``, or -1
    axial: Floats  # (rows * width,) uS to the parent, inside the axon
    inside: Floats  # sum of all axial conductances of a row
    along: Floats  # uS to the parent, under the myelin
    outside: Floats  # sum of those of a row, and 2 C / dt + g of the myelin
    sheath: Floats  # 2 C / dt of the myelin, uS
    held: float  # uS that hold a clamped compartment
    electrode_place: Ints  # (sources,) where in ``electrode`` a source's current is noted


class Branches(NamedTuple):
    """What changes from step to step besides ``State``, and room to work in."""

    around: Floats  # (rows * width,) potential under the myelin, mV
    differences: Floats  # (3 * rows * width,) if ``third``: of it, as of V
    diagonal: Floats  # D of every membrane
    right: Floats  # b, then V* of every membrane
    s11: Floats  # (rows * width,) of the inverse of a row's block
    s12: Floats
    s22: Floats
    k1: Floats  # known part of the potential inside
    k2: Floats  # known part of the potential under the myelin
    gathered: Floats  # sums that branches leave
    electrode: Floats  # nA from electrodes, which cross no membrane


class State(NamedTuple):
    """What changes from step to step, and room to work in."""

    v: Floats  # (rows * LANES,) mV
    gates: Floats  # (rows * chunks * LANES * 4,)
    ahead: Floats  # p u: weight of the next row's V*
    known: Floats  # p r: V* but for its neighbours
    behind: Floats  # p l: weight of the piece's left separator
    extras: Floats  # (rows with stimuli * EXTRAS * LANES,)
    damped: Ints  # (1,) steps still to be damped
    earlier: Floats  # (rows * LANES,) V at the start of a damped step, mV
    cell: NDArray[np.int32]  # (rows * LANES,) where in a table the cell of V begins; twice that if ``third``
    fraction: Floats  # as cell, how far V is into it
    differences: (
        Floats  # (3 * rows * LANES,) if ``third``: of V over the last steps, then theirs, then theirs
    )
    valid: Floats  # (4 * LANES,) 1 where these saw no kink of V, else 0; then 1 in a step right after one
    kink_step: Ints  # (kinks,) from which V goes on in another way, in order
    kink_lane: Ints  # (kinks,) in which lane, or -1: in all
    kink_between: Ints  # (kinks,) 1 if between two steps, 0 if inside one or the step after
    kinks_met: Ints  # (1,)
    scratch: Floats


class Spikes(NamedTuple):
    """Crossings found: in the step in which V was v0 below and came to v1, at or above threshold."""

    place: Ints
    when: Floats  # the step; once it is settled, where in it as well
    earlier: Floats  # V one step before v0; nan where not known, as in steps of second order
    v0: Floats
    v1: Floats
    found: Ints  # (2,) how many; how many are settled

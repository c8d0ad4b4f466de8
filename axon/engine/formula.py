"""Formulas as programs of small integers, run over blocks of compartments that fit the nearest cache.

A program is a list of instructions (what, into, a, b, c), each a pass over the block: rows of numbers, one
number to a compartment, are added, multiplied, looked up in tables. So what a user writes as a NumPy function
runs here without being compiled, and every membrane runs through the same few loops.

``memory`` holds first rows to work in, the same for all blocks, and then each block's own rows, which last.
An operand is a place in memory; where it lies beyond the rows to work in it counts from the block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine.functions import (
    any_lane,
    choose,
    exp,
    expm1,
    less,
    log,
    not_positive,
    root,
    transposed,
    whole_part,
)
from axon.engine.simd import LANES, inlined, kernel, load, splat, store

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 128  # compartments
FIELDS = 5  # of an instruction
# Of rows a, b and c.
ADD, SUBTRACT, MULTIPLY, DIVIDE, LESS, CHOOSE, MULTIPLY_ADD = range(7)
# Of rows a and c, and number b.
ADD_NUMBER, FROM_NUMBER, TIMES_NUMBER, NUMBER_OVER, LESS_NUMBER, NUMBER_LESS, TIMES_ADD = range(7, 14)
# Of row a; of number b.
COPY, EXP, EXPM1, LOG, ROOT, FILL = range(14, 20)
# Into the first of several rows the columns of table b at the voltages of row a; end if row a is not positive
# everywhere, which is trouble of number b; pass over the next b instructions if row a is 0 everywhere.
TABLE, POSITIVE, SKIP = range(20, 23)
NUMBERED = (ADD_NUMBER, FROM_NUMBER, TIMES_NUMBER, NUMBER_OVER, LESS_NUMBER, NUMBER_LESS, TIMES_ADD, FILL)


class Formulas(NamedTuple):
    """Programs of all kinds of compartments, one after the other, and what they read."""

    code: Ints  # flat, FIELDS to an instruction
    numbers: Floats
    table: Floats  # flat: of a cell the constant, linear and quadratic term of every column
    origin: Ints  # (tables,) where each begins
    columns: Ints  # (tables,) a multiple of LANES
    start: float  # mV, of the tables
    density: float  # cells per mV
    low: float  # mV, a voltage must stay in [low, high)
    high: float
    shared: int  # size of the rows to work in
    cell: Floats  # (LANES,) room
    fraction: Floats  # (LANES,) room
    trouble: Ints  # (1,) what was not positive


@inlined
def _column(table, at, span, fraction):
    return load(table, at) + fraction * (load(table, at + span) + fraction * load(table, at + 2 * span))


@inlined
def _look_up(formulas, memory, number, at, into, width):
    """All columns of a table at the voltages of a row, which lie inside."""
    span = formulas.columns[number]
    table, cell, f = formulas.table, formulas.cell, formulas.fraction
    origin = formulas.origin[number]
    for k in range(0, width, LANES):
        s = (load(memory, at + k) - formulas.start) * formulas.density
        whole = whole_part(s)
        store(cell, 0, whole * (3.0 * span))
        store(f, 0, s - whole)
        for column in range(0, span, LANES):
            first = origin + column
            rows = transposed(
                _column(table, first + int(cell[0]), span, f[0]),
                _column(table, first + int(cell[1]), span, f[1]),
                _column(table, first + int(cell[2]), span, f[2]),
                _column(table, first + int(cell[3]), span, f[3]),
                _column(table, first + int(cell[4]), span, f[4]),
                _column(table, first + int(cell[5]), span, f[5]),
                _column(table, first + int(cell[6]), span, f[6]),
                _column(table, first + int(cell[7]), span, f[7]),
            )
            to = into + column * BLOCK + k
            store(memory, to, rows[0])
            store(memory, to + BLOCK, rows[1])
            store(memory, to + 2 * BLOCK, rows[2])
            store(memory, to + 3 * BLOCK, rows[3])
            store(memory, to + 4 * BLOCK, rows[4])
            store(memory, to + 5 * BLOCK, rows[5])
            store(memory, to + 6 * BLOCK, rows[6])
            store(memory, to + 7 * BLOCK, rows[7])


_sum = inlined(lambda x, y: x + y)
_difference = inlined(lambda x, y: x - y)
_product = inlined(lambda x, y: x * y)
_quotient = inlined(lambda x, y: x / y)
_comparison = inlined(lambda x, y: less(x, y))
_exp, _expm1 = inlined(lambda x: exp(x)), inlined(lambda x: expm1(x))
_log, _root = inlined(lambda x: log(x)), inlined(lambda x: root(x))
_same = inlined(lambda x: x)


@inlined
def _of_one(f, memory, d, a, width):
    for k in range(0, width, LANES):
        store(memory, d + k, f(load(memory, a + k)))


@inlined
def _of_two(f, memory, d, a, b, width):
    for k in range(0, width, LANES):
        store(memory, d + k, f(load(memory, a + k), load(memory, b + k)))


@inlined
def _with_number(f, memory, d, a, x, width):
    for k in range(0, width, LANES):
        store(memory, d + k, f(load(memory, a + k), x))


@inlined
def _of_number(f, memory, d, x, a, width):
    for k in range(0, width, LANES):
        store(memory, d + k, f(x, load(memory, a + k)))


@inlined
def _first_group(memory, what, d, a, b, c, width):
    """Instructions on rows alone."""
    if what == ADD:
        _of_two(_sum, memory, d, a, b, width)
    elif what == SUBTRACT:
        _of_two(_difference, memory, d, a, b, width)
    elif what == MULTIPLY:
        _of_two(_product, memory, d, a, b, width)
    elif what == DIVIDE:
        _of_two(_quotient, memory, d, a, b, width)
    elif what == LESS:
        _of_two(_comparison, memory, d, a, b, width)
    elif what == CHOOSE:
        for k in range(0, width, LANES):
            x, y = load(memory, b + k), load(memory, c + k)
            store(memory, d + k, choose(load(memory, a + k), x, y))
    else:
        for k in range(0, width, LANES):
            store(memory, d + k, load(memory, a + k) * load(memory, b + k) + load(memory, c + k))


@inlined
def _second_group(memory, what, d, a, number, c, width):
    """Instructions on rows and a number."""
    x = splat(number)
    if what == ADD_NUMBER:
        _with_number(_sum, memory, d, a, x, width)
    elif what == FROM_NUMBER:
        _of_number(_difference, memory, d, x, a, width)
    elif what == TIMES_NUMBER:
        _with_number(_product, memory, d, a, x, width)
    elif what == NUMBER_OVER:
        _of_number(_quotient, memory, d, x, a, width)
    elif what == LESS_NUMBER:
        _with_number(_comparison, memory, d, a, x, width)
    elif what == NUMBER_LESS:
        _of_number(_comparison, memory, d, x, a, width)
    else:
        for k in range(0, width, LANES):
            store(memory, d + k, load(memory, a + k) * x + load(memory, c + k))


@inlined
def _third_group(memory, what, d, a, numbers, b, width):
    """Instructions on one row, or on none."""
    if what == COPY:
        _of_one(_same, memory, d, a, width)
    elif what == EXP:
        _of_one(_exp, memory, d, a, width)
    elif what == EXPM1:
        _of_one(_expm1, memory, d, a, width)
    elif what == LOG:
        _of_one(_log, memory, d, a, width)
    elif what == ROOT:
        _of_one(_root, memory, d, a, width)
    else:
        for k in range(0, width, LANES):
            store(memory, d + k, splat(numbers[b]))


@inlined
def _any_row(f, memory, a, width):
    found = False
    for k in range(0, width, LANES):
        found |= f(load(memory, a + k))
    return found


_is_not_positive, _is_not_zero = inlined(lambda x: not_positive(x)), inlined(lambda x: any_lane(x))


@kernel
def evaluate(formulas, memory, first, last, base, width):
    """Run the instructions ``first`` to ``last`` over a block.

    Parameters
    ----------
    formulas : Formulas
    memory : flat float64
    first, last : int
    base : int
        Where in memory the block's own rows begin.
    width : int
        How many compartments it has, a multiple of LANES.

    Returns
    -------
    bool
        False where it ended early, with what was not positive in ``trouble``.
    """
    code, numbers = formulas.code, formulas.numbers
    shared, own = formulas.shared, base - formulas.shared
    i = (first - 1) * FIELDS
    while i < (last - 1) * FIELDS:
        i += FIELDS
        what, d, a, b, c = code[i], code[i + 1], code[i + 2], code[i + 3], code[i + 4]
        d += own if d >= shared else 0
        a += own if a >= shared else 0
        if what < ADD_NUMBER:
            b += own if b >= shared else 0
            c += own if c >= shared else 0
            _first_group(memory, what, d, a, b, c, width)
        elif what < COPY:
            c += own if c >= shared else 0
            _second_group(memory, what, d, a, numbers[b], c, width)
        elif what < TABLE:
            _third_group(memory, what, d, a, numbers, b, width)
        elif what == TABLE:
            _look_up(formulas, memory, b, a, d, width)
        elif what == POSITIVE:
            if _any_row(_is_not_positive, memory, a, width):
                formulas.trouble[0] = b
                return False
        elif not _any_row(_is_not_zero, memory, a, width):
            i += b * FIELDS
    return True

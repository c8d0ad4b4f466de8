"""From formulas to programs that the engine runs: instructions, numbers, tables, and rows to work in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.engine import formula
from axon.engine.formula import BLOCK
from axon.engine.simd import LANES
from axon.engine.tables import CELL
from axon.membranes.limits import evaluate
from axon.stepping.terms import Term, in_order, values

Array = NDArray[np.float64]

_WORTH_SKIPPING = 3  # instructions
_OF_ROWS = {
    np.add: formula.ADD,
    np.subtract: formula.SUBTRACT,
    np.multiply: formula.MULTIPLY,
    np.divide: formula.DIVIDE,
    np.less: formula.LESS,
    np.where: formula.CHOOSE,
    np.exp: formula.EXP,
    np.expm1: formula.EXPM1,
    np.log: formula.LOG,
    np.sqrt: formula.ROOT,
}
_OF_NUMBER_AND_ROW = {
    np.add: formula.ADD_NUMBER,
    np.subtract: formula.FROM_NUMBER,
    np.multiply: formula.TIMES_NUMBER,
    np.divide: formula.NUMBER_OVER,
    np.less: formula.NUMBER_LESS,
}
_OF_ROW_AND_NUMBER: dict[Any, tuple[int, Callable[[float], float]]] = {
    np.add: (formula.ADD_NUMBER, lambda x: x),
    np.subtract: (formula.ADD_NUMBER, lambda x: -x),
    np.multiply: (formula.TIMES_NUMBER, lambda x: x),
    np.divide: (formula.TIMES_NUMBER, lambda x: 1.0 / x),
    np.less: (formula.LESS_NUMBER, lambda x: x),
}


@dataclass(frozen=True, eq=False)
class OfVoltage:
    """Terms that depend on one row of voltages alone, as a function of it, with limits where it is 0/0."""

    row: Term
    columns: tuple[Term, ...]

    @property
    def width(self) -> int:
        """Columns in its table."""
        return -(-len(self.columns) // LANES) * LANES

    def __call__(self, v: Array) -> Array:
        """All columns (n, columns) at the voltages (n,) mV."""
        return np.stack([evaluate(_Column(self.row, column), v) for column in self.columns], axis=1)


@dataclass(frozen=True, eq=False)
class _Column:
    row: Term
    column: Term

    def __call__(self, v: Any) -> Any:
        return values([self.column], {self.row: v})[0]


def of_voltage(terms: Iterable[Term]) -> list[OfVoltage]:
    """Of all that terms are made of, what depends on a voltage alone and is not part of more such."""
    terms = list(terms)
    users = [term for term in in_order(terms) if term.voltage is None]
    wanted = [part for user in users for part in user.of] + terms
    columns: dict[Term, dict[Term, None]] = {}
    for term in wanted:
        if term.voltage is not None and term.voltage is not term:
            columns.setdefault(term.voltage, {})[term] = None
    return [OfVoltage(row, tuple(own)) for row, own in columns.items()]


@lru_cache(maxsize=64)
def table(function: OfVoltage, low_cell: int, high_cell: int) -> Array:
    """A function of voltage from ``low_cell * CELL`` to ``high_cell * CELL`` mV for ``axon.engine.formula``.

    Parabolas as in ``axon.engine.tables``; flat, a multiple of LANES columns.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # where no voltage stays for long
        at = function(np.arange(2 * low_cell, 2 * high_cell + 1, dtype=float) * (CELL / 2))
        at = np.pad(at, ((0, 0), (0, function.width - at.shape[1])))
        left, middle, right = at[:-1:2], at[1::2], at[2::2]
        parts = [left, 4 * middle - 3 * left - right, 2 * left - 4 * middle + 2 * right]
    return np.stack(parts, axis=1).reshape(-1)


class _Step(NamedTuple):
    """What gives a term its value: instruction, the rows that it reads, and a number."""

    term: Term
    what: int
    reads: tuple[Term, ...]
    number: float | None = None


class Program:
    """The instructions that give rows of a block new values.

    Parameters
    ----------
    outputs : mapping of str to Term
        New values by row. All are made of the old ones.
    rows : sequence of str
        The rows that a block has, in order.
    positive : mapping of Term to int
        What must be positive; the number says what is not.

    Attributes
    ----------
    code : list of [what, into, a, b, c]
        Rows of the block count from -1 downwards, rows to work in, numbers and tables from 0 upwards.
    numbers : list of float
    tables : list of OfVoltage
    work : int
        How many rows to work in.
    """

    def __init__(
        self, outputs: Mapping[str, Term], rows: Sequence[str], positive: Mapping[Term, int]
    ) -> None:
        alike = _joined([*outputs.values(), *positive])
        self.outputs = {name: alike[term] for name, term in outputs.items()}
        self.positive = {alike[term]: number for term, number in positive.items()}
        self.code: list[list[int]] = []
        self.numbers: list[float] = []
        self.work = 0
        ends = [*self.outputs.values(), *self.positive]
        self.tables = of_voltage(ends)
        self._own = {name: -1 - i for i, name in enumerate(rows)}
        self._place = {t: self._own[t.does] for t in in_order(ends) if isinstance(t.does, str)}
        self._free: list[int] = []
        for number, one in enumerate(self.tables):
            first = self._room(one.width)
            self._place |= {column: first + i for i, column in enumerate(one.columns)}
            self._add(formula.TABLE, first, self._place[one.row], number)
        self._write(_steps(ends, set(self._place)))

    def _write(self, steps: list[_Step]) -> None:
        """All steps, each into a row to work in that is free, or where its result belongs; then the rest."""
        last = {part: i for i, step in enumerate(steps) for part in step.reads}
        begin = _choices(steps, last, {*self.outputs.values(), *self.positive})
        homes = self._homes(steps, last, begin)
        done: dict[int, list[Term]] = {}
        for term in last.keys() - homes.keys() - self._place.keys() - set(self.outputs.values()):
            done.setdefault(last[term], []).append(term)
        chosen = {i: term for term, i in begin.items()}
        skips: dict[Term, int] = {}
        for i, (term, what, reads, number) in enumerate(steps):
            if i in chosen:
                skips[chosen[i]] = self._skip(chosen[i], homes)
            fields = [self._place[part] for part in reads] or [0]
            if number is not None:
                fields.insert(1, self._number(number))
            self._free += [self._place[part] for part in done.get(i, [])]
            if term not in skips:
                self._place[term] = homes[term] if term in homes else self._room(1)
            else:
                fields[2] = self._place[term]
                self.code[skips[term]][3] = len(self.code) - skips[term]
            self._add(what, self._place[term], *fields)
            if term in self.positive:
                self._add(formula.POSITIVE, 0, self._place[term], self.positive[term])
        copies = [(self._own[name], self._place[term]) for name, term in self.outputs.items()]
        for into, place in sorted(copies, key=lambda copy: copy[1] >= 0):  # old values first
            if into != place:
                self._add(formula.COPY, into, place)

    def _skip(self, choice: Term, homes: Mapping[Term, int]) -> int:
        """Begin with the other value, and pass over what may be chosen; number of that instruction."""
        self._place[choice] = homes[choice] if choice in homes else self._room(1)
        self._add(formula.COPY, self._place[choice], self._place[choice.of[2]])
        self._add(formula.SKIP, 0, self._place[choice.of[0]], 0)
        return len(self.code) - 1

    def _homes(
        self, steps: list[_Step], last: Mapping[Term, int], begin: Mapping[Term, int]
    ) -> dict[Term, int]:
        """Which terms can be put where they belong at once, because nobody wants what stands there."""
        old = {place: term for term, place in self._place.items() if place < 0}
        copied = {term for term in self.outputs.values() if term in self._place}
        made = {step.term: begin.get(step.term, i + 1) - 1 for i, step in enumerate(steps)}
        homes: dict[Term, int] = {}
        for name, term in self.outputs.items():
            before = old.get(self._own[name])
            wanted = before is not None and (before in copied or last.get(before, -1) > made.get(term, -1))
            if term in made and not wanted:
                homes.setdefault(term, self._own[name])
        return homes

    def _room(self, count: int) -> int:
        """The first of so many rows to work in."""
        if count == 1 and self._free:
            return self._free.pop()
        self.work += count
        return self.work - count

    def _number(self, number: float) -> int:
        if number not in self.numbers:
            self.numbers.append(number)
        return self.numbers.index(number)

    def _add(self, what: int, into: int, *fields: int) -> None:
        self.code.append([what, into, *fields, *[0] * (formula.FIELDS - 2 - len(fields))])

    def coded(self, work: int, own: int, number: int, table: int, trouble: int) -> NDArray[np.int64]:
        """The code for a memory with rows to work in from ``work`` on, and those of a block from ``own`` on.

        Parameters
        ----------
        work, own : int
        number, table, trouble : int
            How many numbers, tables and kinds of trouble there are before its own.

        Returns
        -------
        (instructions, FIELDS) int64
        """
        code = np.array(self.code, np.int64).reshape(-1, formula.FIELDS)
        rows = np.where(code >= 0, work + code * BLOCK, own - (1 + code) * BLOCK)
        rows[:, 0] = code[:, 0]
        firsts = {formula.TABLE: table, formula.POSITIVE: trouble, formula.SKIP: 0}
        for what, first in (firsts | dict.fromkeys(formula.NUMBERED, number)).items():
            here = code[:, 0] == what
            rows[here, 3] = first + code[here, 3]
        return rows


def _joined(terms: Iterable[Term]) -> dict[Term, Term]:
    """For every term one that stands for all that are the same operation on the same."""
    known: dict[Any, Term] = {}
    alike: dict[Term, Term] = {}
    for term in in_order(terms):
        of = tuple(alike[part] for part in term.of)
        parts = [id(part) for part in of]
        key = (term.does, *(sorted(parts) if term.does in (np.add, np.multiply) else parts))
        first = known.setdefault(key, term)
        known[key] = alike[term] = Term(term.does, of) if first is term and of else first
    return alike


def _steps(ends: Sequence[Term], known: set[Term]) -> list[_Step]:
    """What computes the terms from those that are known, products and sums joined where they can be."""
    order = [term for term in in_order(ends, known) if term.number is None]
    uses: dict[Term, int] = {}
    for term in [part for user in order for part in user.of] + list(ends):
        uses[term] = uses.get(term, 0) + 1
    steps: dict[Term, _Step] = {}
    for term in order:
        step = _step(term, steps, uses)
        for part in step.reads:
            if part.number is not None:
                steps.setdefault(part, _Step(part, formula.FILL, (), part.number))
        steps[term] = step
    for term in ends:
        if term.number is not None:
            steps.setdefault(term, _Step(term, formula.FILL, (), term.number))
    return list(steps.values())


def _choices(steps: list[_Step], last: Mapping[Term, int], ends: set[Term]) -> dict[Term, int]:
    """The choices of which one part can be passed over where it is chosen nowhere, and where that begins."""
    found = {}
    for i, (term, what, *_) in enumerate(steps):
        if what == formula.CHOOSE:
            condition, chosen, other = term.of
            apart = set(in_order([chosen])) - set(in_order([condition, other])) - ends
            first = i
            while first and steps[first - 1].term in apart and last[steps[first - 1].term] <= i:
                first -= 1
            if i - first >= _WORTH_SKIPPING and other.number is None:
                found[term] = first
    return found


def _step(term: Term, steps: dict[Term, _Step], uses: Mapping[Term, int]) -> _Step:
    does, of = term.does, term.of
    if does in (np.add, np.subtract):
        for one, other in (of, of[::-1]) if does is np.add else (of[::-1],):
            product = steps.get(one)
            if product is None or uses[one] > 1 or other.number is not None:
                continue
            if product.what == formula.MULTIPLY and does is np.add:
                del steps[one]
                return _Step(term, formula.MULTIPLY_ADD, (*product.reads, other))
            if product.what == formula.TIMES_NUMBER and product.number is not None:
                del steps[one]
                number = product.number if does is np.add else -product.number
                return _Step(term, formula.TIMES_ADD, (*product.reads, other), number)
    if does in _OF_NUMBER_AND_ROW:
        first, second = (part.number for part in of)
        if first is not None:
            return _Step(term, _OF_NUMBER_AND_ROW[does], of[1:], first)
        if second is not None:
            what, number_of = _OF_ROW_AND_NUMBER[does]
            return _Step(term, what, of[:1], number_of(second))
    return _Step(term, _OF_ROWS[does], of)

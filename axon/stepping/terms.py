"""Formulas in the making: what a NumPy function does to its arguments, written down instead of done.

A function that is given terms in place of arrays returns a term: a graph of NumPy's own operations. So the
functions that a user writes become data that the engine can run, see ``axon.stepping.programs``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_FACTORS = 16  # of a power that is written as a product


class Untraceable(TypeError):
    """A function that does to its arguments what cannot be written down."""


class Term(NDArrayOperatorsMixin):
    """A value that is not known yet: a number, a row of numbers, or an operation on terms.

    Parameters
    ----------
    does : float, str or callable
        The number; the name of the row; or the operation, a function of arrays.
    of : tuple of Term
        What an operation is done to.

    Attributes
    ----------
    voltage : Term or None
        The row of voltages that it depends on and on nothing else. Such terms are tabulated, so any operation
        will do; others are made of what the engine can do.
    """

    def __init__(self, does: Any, of: tuple[Term, ...] = (), *, voltage: bool = False) -> None:
        self.does, self.of = does, of
        self.voltage: Term | None = self if voltage else _common_voltage(of)

    @property
    def number(self) -> float | None:
        """Its value where that is known."""
        return self.does if isinstance(self.does, float) else None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Term:
        if method != "__call__" or options or ufunc.nout != 1:
            raise Untraceable(f"numpy.{ufunc.__name__} with {method} or options cannot be traced")
        return made(ufunc, *inputs)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Term:
        if function is not np.where or options or len(inputs) != 3:
            raise Untraceable(f"numpy.{function.__name__} cannot be traced")
        return made(np.where, *inputs)

    def __bool__(self) -> bool:
        raise Untraceable("a choice between two courses cannot be traced; write it with np.where")

    def __hash__(self) -> int:
        return id(self)


def where(condition: Any, x: Any, y: Any) -> Term:
    """``numpy.where`` of terms and numbers."""
    return made(np.where, condition, x, y)


def as_term(x: Any) -> Term:
    """A term, or a number as one."""
    if isinstance(x, Term):
        return x
    if np.ndim(x) == 0 and np.asarray(x).dtype.kind in "fiub":
        return Term(float(x))
    raise Untraceable(f"{type(x).__name__} cannot be traced")


def of_voltage(function: Callable[[Array], Array], voltage: Term) -> Term:
    """A function of a row of voltages as it is, to be tabulated."""
    return Term(function, (voltage,))


def made(operation: Any, *inputs: Any) -> Term:
    """An operation on terms and numbers.

    Raises
    ------
    Untraceable
        When it is not one that the engine can do.
    """
    of = tuple(map(as_term, inputs))
    numbers = [part.number for part in of]
    if None not in numbers:
        with np.errstate(all="ignore"):
            return Term(float(operation(*numbers)))
    simple = _simplified(operation, of)
    if simple is not None:
        return simple
    if _common_voltage(of) is not None or operation in PRIMITIVE:
        return Term(operation, of)
    if operation in _WRITTEN:
        return as_term(_WRITTEN[operation](*of))
    raise Untraceable(f"{getattr(operation, '__name__', operation)} cannot be traced")


def values(terms: Iterable[Term], known: Mapping[Term, Any]) -> list[Any]:
    """What terms are, given the values of all rows that they are made of."""
    found = dict(known)
    terms = list(terms)
    for term in in_order(terms, found):
        of = [found[part] for part in term.of]
        found[term] = np.float64(term.does) if term.number is not None else term.does(*of)
    return [found[term] for term in terms]


def in_order(terms: Iterable[Term], known: Iterable[Term] = ()) -> Iterator[Term]:
    """All that terms are made of, and they themselves, each once and after its own parts."""
    seen = set(known)

    def walk(term: Term) -> Iterator[Term]:
        if term not in seen:
            seen.add(term)
            # Of a choice the part that may be passed over comes last.
            for part in term.of if term.does is not np.where else (term.of[0], term.of[2], term.of[1]):
                yield from walk(part)
            yield term

    for term in terms:
        yield from walk(term)


def _common_voltage(of: tuple[Term, ...]) -> Term | None:
    rows = {part.voltage for part in of if part.number is None}
    return rows.pop() if len(rows) == 1 else None


def _simplified(operation: Any, of: tuple[Term, ...]) -> Term | None:
    """The same without sums with 0 and products with 0 or 1; None where there is nothing to leave out."""
    if operation is np.subtract and of[1].number == 0.0:
        return of[0]
    if operation is np.divide and of[0].number == 0.0:
        return of[0]
    if operation is np.where and of[1].number is not None and of[1].number == of[2].number:
        return of[1]
    if operation not in (np.add, np.multiply):
        return None
    for one, other in (of, of[::-1]):
        if one.number == 0.0:
            return other if operation is np.add else one
        if one.number == 1.0 and operation is np.multiply:
            return other
        found = _gathered(operation, one, other)
        if found is not None:
            return found
    return None


def _gathered(operation: Any, one: Term, other: Term) -> Term | None:
    """A sum or product with numbers, and what is tabulated, side by side, where they become one."""
    if other.does is not operation or other.voltage is not None:
        return None
    for part, rest in (other.of, other.of[::-1]):
        if part.number is not None or part.voltage is not None:
            together = made(operation, one, part)
            if together.number is not None or together.voltage is not None:
                return made(operation, together, rest)
    return None


def _power(x: Term, n: Term) -> Term:
    if n.number is None or n.number != round(n.number) or abs(n.number) > _MOST_FACTORS:
        return made(np.exp, n * np.log(x))
    if n.number < 0:
        return made(np.divide, 1.0, _power(x, Term(-n.number)))
    return as_term(product(x, int(n.number)))


def product(x: Any, n: int) -> Any:
    """``x`` to the power of a small whole number, by squaring."""
    if n < 2:
        return x if n else 1.0
    half = product(x * x, n // 2)
    return half * x if n % 2 else half


# What the engine can do, see ``axon.engine.formula``; and how to write other things with that.
PRIMITIVE = (
    *(np.add, np.subtract, np.multiply, np.divide, np.less, np.where),
    *(np.exp, np.expm1, np.log, np.sqrt),
)
_WRITTEN: dict[Any, Callable[..., Any]] = {
    np.positive: lambda x: x,
    np.negative: lambda x: -1.0 * x,
    np.reciprocal: lambda x: 1.0 / x,
    np.square: lambda x: x * x,
    np.power: _power,
    np.float_power: _power,
    np.absolute: lambda x: where(x < 0.0, -1.0 * x, x),
    np.maximum: lambda x, y: where(x < y, y, x),
    np.minimum: lambda x, y: where(y < x, y, x),
    np.greater: lambda x, y: y < x,
    np.less_equal: lambda x, y: 1.0 - (y < x),
    np.greater_equal: lambda x, y: 1.0 - (x < y),
    np.logical_and: lambda x, y: where(x, where(y, 1.0, 0.0), 0.0),
    np.logical_or: lambda x, y: where(x, 1.0, where(y, 1.0, 0.0)),
    np.tanh: lambda x: 1.0 - 2.0 / (np.exp(2.0 * x) + 1.0),
    np.exp2: lambda x: np.exp(np.log(2.0) * x),
    np.log2: lambda x: np.log(x) / np.log(2.0),
    np.log10: lambda x: np.log(x) / np.log(10.0),
}

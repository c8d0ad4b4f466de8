"""Derivatives of formulas with respect to a voltage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.membranes.limits import evaluate
from axon.stepping.terms import Term, as_term, values, where

Array = NDArray[np.float64]

_BESIDE = 0.01  # mV, from which a function's slope is taken, to 1e-10 of it


def slope(term: Term, voltage: Term) -> Term:
    """The derivative of a term with respect to a row of voltages, per mV."""
    if term is voltage:
        return as_term(1.0)
    if term.voltage is voltage:
        return Term(_Slope(term, voltage), (voltage,))
    if not term.of:
        return as_term(0.0)
    return as_term(_RULES[term.does](term, *term.of, *(slope(part, voltage) for part in term.of)))


@dataclass(frozen=True, eq=False)
class _Slope:
    """That of a term that depends on the voltage alone."""

    term: Term
    voltage: Term

    def __call__(self, v: Array) -> Array:
        def value(v: Any) -> Any:
            return values([self.term], {self.voltage: v})[0]

        far, near, nearer, farther = (evaluate(value, v + k * _BESIDE) for k in (-2, -1, 1, 2))
        return (far - 8.0 * near + 8.0 * nearer - farther) / (12.0 * _BESIDE)


# From a term, what it is made of, and the slopes of that.
_RULES: dict[Any, Callable[..., Any]] = {
    np.add: lambda term, x, y, dx, dy: dx + dy,
    np.subtract: lambda term, x, y, dx, dy: dx - dy,
    np.multiply: lambda term, x, y, dx, dy: dx * y + x * dy,
    np.divide: lambda term, x, y, dx, dy: (dx - term * dy) / y,
    np.less: lambda term, *_: 0.0,
    np.where: lambda term, which, x, y, _, dx, dy: where(which, dx, dy),
    np.exp: lambda term, x, dx: term * dx,
    np.expm1: lambda term, x, dx: (term + 1.0) * dx,
    np.log: lambda term, x, dx: dx / x,
    np.sqrt: lambda term, x, dx: dx / (2.0 * term),
}

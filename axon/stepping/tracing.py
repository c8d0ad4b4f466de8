"""Users' functions of voltage and concentrations, traced and compared with what they give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from axon.membranes import Pool
from axon.membranes.limits import Rate, evaluate, singular_voltages
from axon.membranes.pool import resting
from axon.stepping.programs import of_voltage
from axon.stepping.terms import Term, Untraceable, as_term, values

# Where a traced function must be what it was: mV, and parts of the concentrations at rest.
_VOLTAGES = np.linspace(-140.0, 140.0, 57)
_PARTS = (0.1, 1.0, 10.0)
_AGREES = 1e-9


def traced(rate: Rate, v: Term, concentrations: Sequence[Term], pools: tuple[Pool, ...]) -> Term:
    """What a function does to a voltage and to concentrations.

    Raises
    ------
    Untraceable
        When that cannot be written down, or is not what the function does to arrays.
    """
    if not _traceable(rate, resting(pools)):
        raise Untraceable(f"{rate!r} cannot be traced")
    return as_term(rate(v, *concentrations))


@lru_cache(maxsize=1024)
def _traceable(rate: Rate, rest: tuple[float, ...]) -> bool:
    """Whether a function is traced right: compared between -140 and 140 mV, and where it is 0/0."""
    v, read = Term("v", voltage=True), [Term(f"c{i}") for i in range(len(rest))]
    try:
        term = as_term(rate(v, *read))
    except Exception:  # whatever a function may raise that was not meant for this
        return False
    at = np.concatenate([_VOLTAGES, singular_voltages(rate, len(rest))])
    for parts in np.stack(np.meshgrid(*[_PARTS] * len(rest)), axis=-1).reshape(-1, len(rest)):
        known = {v: at} | {row: np.full_like(at, c * p) for row, c, p in zip(read, rest, parts, strict=True)}
        expected = evaluate(rate, at, *(known[row] for row in read))
        for function in of_voltage([term]):
            known |= dict(zip(function.columns, function(at).T, strict=True))
        with np.errstate(all="ignore"):
            (found,) = values([term], known)
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        if not np.allclose(found, expected, rtol=_AGREES, atol=_AGREES * scale, equal_nan=True):
            return False
    return True

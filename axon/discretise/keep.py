"""What is worked out of an axon once, and kept for its next run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

if TYPE_CHECKING:
    from axon.geometry import Axon, Compartments

Answer = TypeVar("Answer")

LONGEST = 2048  # compartments: a longer axon is not kept, since to step it takes longer than to lay it out
MOST_AXONS = 128
MOST_ANSWERS = 32  # of one function for one axon, before all are forgotten

_alive: WeakValueDictionary[tuple[Axon, float | None], Compartments] = WeakValueDictionary()
_recent: deque[Compartments] = deque(maxlen=MOST_AXONS)


def compartments_of(axon: Axon, dx: float | None) -> Compartments:
    """``axon.compartments(dx)``; the same object while anything holds it, and for the axons run last."""
    found = _alive.get((axon, dx))
    if found is None:
        found = _alive[axon, dx] = axon.compartments(dx)
        for values in vars(found).values():
            if isinstance(values, np.ndarray):
                values.setflags(write=False)  # several runs will share it
        if len(found) <= LONGEST:
            _recent.append(found)
    return found


def kept(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Keep the answers of a function of compartments, and of whatever can be hashed, while these live.

    The answer must not hold the compartments, and nobody may write into it.
    """
    answers: WeakKeyDictionary[Any, dict[tuple[Any, ...], Answer]] = WeakKeyDictionary()

    @wraps(function)
    def keeping(compartments: Compartments, *rest: Any) -> Answer:
        if len(compartments) > LONGEST:
            return function(compartments, *rest)
        known = answers.get(compartments)
        if known is None:
            known = answers.setdefault(compartments, {})
        try:
            return known[rest]
        except KeyError:
            answer = function(compartments, *rest)
        if len(known) >= MOST_ANSWERS:
            known.clear()
        known[rest] = answer
        return answer

    return keeping

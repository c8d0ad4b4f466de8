"""Points of a sweep, the rows that answer them, and the content hashes that tell them apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Value = float | int | str | bool
Point = dict[str, Value]

# Columns that every sweep file has, so that no parameter and no answer may bear their names.
RESERVED = ("point", "failed", "reason", "seconds", "seed")


@dataclass(frozen=True)
class Row:
    """What came of one point.

    Attributes
    ----------
    answers : dict of str to float
        Empty where the point failed.
    reason : str
        Why it failed; ``""`` where it did not.
    seconds : float
        Time spent on it; of points answered together, the share of each.
    """

    answers: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0


def plain(value: Any) -> Value:
    """A parameter's value as a file can keep it.

    Raises
    ------
    ValueError
        When it is neither a finite number nor a string.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int) or (isinstance(value, float) and np.isfinite(value)):
        return value
    raise ValueError(f"a parameter's values must be finite numbers or strings, got {value!r}")


def check_name(name: object) -> str:
    """A parameter's name, or ``ValueError`` where it cannot be one."""
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"a parameter's name must be a string without '/', got {name!r}")
    if name in RESERVED:
        raise ValueError(f"a parameter cannot be called {name!r}: every sweep file has that column")
    return name


def key_of(point: Point) -> tuple[tuple[str, Value], ...]:
    """What tells a point from others, whatever the order of its parameters."""
    return tuple(sorted(point.items()))


def content_of(point: Point) -> list[list[str | float]]:
    """A point as JSON can hold it: the same for 1, 1.0 and True, which a file does not tell apart."""
    return [[name, value if isinstance(value, str) else float(value)] for name, value in key_of(point)]


def digest(thing: Any) -> str:
    """Content hash of what JSON can hold."""
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode()).hexdigest()


def seed_of(point: Point, seed: int) -> int:
    """The seed of a point: its own, by content, so that neither order nor neighbours nor workers matter."""
    return int(digest([seed, content_of(point)])[:8], 16)

"""Checks at the door: one clear line for a number that cannot be meant, or a name that is none."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
from typing import Any, TypeVar

from axon.errors import unknown_name

Noun = TypeVar("Noun", bound=type[Any])


def clear_keywords(noun: Noun) -> Noun:
    """Let a class answer a misspelt keyword with one line that lists the near ones.

    Raises
    ------
    TypeError
        From the class, for a keyword that it does not have.
    """
    make = vars(noun)["__init__"]
    known = [name for name in inspect.signature(make).parameters if name != "self"]

    @functools.wraps(make)
    def checked(self: Any, *arguments: Any, **keywords: Any) -> None:
        for name in keywords:
            if name not in known:
                raise TypeError(unknown_name(f"keyword of {noun.__name__}", name, known))
        make(self, *arguments, **keywords)

    setattr(noun, "__init__", checked)  # noqa: B010 - mypy takes no assignment to __init__
    return noun


# Where on an axon: distance from x = 0 in um, or (section, um from its beginning).
Place = float | tuple[int, float]


def _number(name: str, value: object, wanted: str) -> float:
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"{name} must be {wanted.rstrip()}, got {value!r}")
    return float(value)


def positive(name: str, value: object, unit: str) -> float:
    """Return ``value`` as a float, or raise ``ValueError`` unless it is finite and > 0."""
    number = _number(name, value, f"a number > 0 {unit}")
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{f'{name} must be > 0 {unit}'.rstrip()}, got {value!r}")
    return number


def not_negative(name: str, value: object, unit: str) -> float:
    """Return ``value`` as a float, or raise ``ValueError`` unless it is finite and >= 0."""
    number = _number(name, value, f"a number >= 0 {unit}")
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be >= 0 {unit}, got {value!r}")
    return number


def finite(name: str, value: object, unit: str) -> float:
    """Return ``value`` as a float, or raise ``ValueError`` unless it is finite."""
    number = _number(name, value, f"a finite number of {unit}")
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number of {unit}, got {value!r}")
    return number


def place(name: str, value: object) -> Place:
    """Return a place on an axon, um or (section, um from its beginning), or raise ``ValueError``."""
    if not isinstance(value, tuple | list):
        return not_negative(name, value, "um")
    if len(value) != 2 or isinstance(value[0], bool) or not isinstance(value[0], numbers.Integral):
        raise ValueError(f"{name} must be a distance in um, or (section, distance in um), got {value!r}")
    return int(value[0]), not_negative(name, value[1], "um")

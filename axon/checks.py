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


def _number(name: str, value: object, wanted: str) -> float:
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

"""Checks at the door: one clear line for a number that cannot be meant."""

from __future__ import annotations

import math
import numbers


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

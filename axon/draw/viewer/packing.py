"""Arrays as text that a browser unpacks by itself: rounded to a step, differences along time, deflated."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

WIDTHS = {1: "<u1", 2: "<u2", 4: "<u4"}  # bytes in a number, and its type


def pack(values: Array, step: float) -> dict[str, Any]:
    """`values` to the nearest multiple of `step`, in base64.

    Neighbours in time are alike, so their differences are small, and so are all high bytes, which stand
    apart from the low ones: both are what deflate shortens best.

    Parameters
    ----------
    values : (n_t, n_x) ndarray
        May hold nan.
    step : float
        Half of it is the largest error.

    Returns
    -------
    dict
        data, width (bytes in a number), step, low and shape; a number k > 0 stands for
        (k - 1 + low) * step, and 0 for nan.

    Raises
    ------
    ValueError
        If the range is more than 4e9 steps.
    """
    multiples = np.rint(np.asarray(values, float) / step)
    there = np.isfinite(multiples)
    low = float(multiples[there].min()) if there.any() else 0.0
    codes = np.where(there, multiples - low + 1.0, 0.0)
    largest = float(codes.max(initial=0.0))
    width = next((width for width in WIDTHS if largest < 2.0 ** (8 * width)), None)
    if width is None:
        raise ValueError(f"a range of {largest:.3g} steps of {step:g} does not fit into 4 bytes")
    numbers = codes.astype(WIDTHS[width])
    numbers[1:] -= numbers[:-1].copy()  # differences wrap around, and so do their sums
    planes = numbers.reshape(-1, 1).view(np.uint8).T
    return {
        "data": base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii"),
        "width": width,
        "step": step,
        "low": low,
        "shape": list(np.shape(values)),
    }


def unpack(packed: dict[str, Any]) -> Array:
    """The array that `pack` packed, as the page reads it."""
    kind = np.dtype(WIDTHS[packed["width"]])
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8)
    numbers = np.ascontiguousarray(planes.reshape(packed["width"], -1).T).view(kind).reshape(packed["shape"])
    codes = np.cumsum(numbers, axis=0, dtype=kind).astype(float)
    return np.where(codes > 0, (codes - 1.0 + packed["low"]) * packed["step"], np.nan)


def decimal_step(span: float, parts: float) -> float:
    """The largest power of ten that cuts `span` into `parts` or more."""
    return 10.0 ** math.floor(math.log10(span / parts)) if span > 0 else 1.0


def digits(step: float) -> int:
    """Decimals that show a multiple of `step`, a power of ten."""
    return max(0, -round(math.log10(step)))

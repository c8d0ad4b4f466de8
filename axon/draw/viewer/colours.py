"""Colours of the image on the page, on light and on dark paper."""

from __future__ import annotations

import base64

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

from axon.draw.style import COLOURS, voltage_colours

SHADES = 256
# On dark paper rest is dark and both arms grow lighter, by the same hues as on white.
DARK_PAPER = "#16181d"
DARK_ARMS = (
    (DARK_PAPER, "#174a73", "#3d8fc4", "#a6d8f5"),
    (DARK_PAPER, "#5c1a4a", "#a52a3f", "#dd5a26", "#f79c3d", "#fcd78a", "#fffbe8"),
)


def diverging(low: float, middle: float, high: float) -> dict[str, str]:
    """Shades from `low` to `high` that are paper at `middle`."""
    return {
        "light": _shades(voltage_colours(low, middle, high)[0]),
        "dark": _shades(voltage_colours(low, middle, high, arms=DARK_ARMS)[0]),
    }


def sequential(colour: str) -> dict[str, str]:
    """Shades from paper by way of `colour` to ink."""
    light = LinearSegmentedColormap.from_list("light", ["#f7f6f3", colour, COLOURS["black"]])
    red, green, blue = (0.35 * part + 0.65 for part in to_rgb(colour))
    dark = LinearSegmentedColormap.from_list("dark", [DARK_PAPER, colour, to_hex((red, green, blue))])
    return {"light": _shades(light), "dark": _shades(dark)}


def _shades(colours: LinearSegmentedColormap) -> str:
    """`SHADES` colours from the lowest to the highest value, 3 bytes each, in base64."""
    rgb = np.round(255 * colours(np.linspace(0.0, 1.0, SHADES))[:, :3]).astype(np.uint8)
    return base64.b64encode(rgb.tobytes()).decode("ascii")

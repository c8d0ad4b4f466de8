"""One look for every figure: colours, type sizes, and figures that leave the user's Matplotlib alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import matplotlib
import matplotlib.style
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from axon.checks import positive

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

# Okabe & Ito (2008), "Color Universal Design": told apart with every common kind of colour vision.
COLOURS = {
    "black": "#1a1a1a",
    "grey": "#7a7a7a",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}

# Voltage: rest is near white, depolarised goes through orange to near black, hyperpolarised to blue.
# Lightness falls steadily on both arms, and the two hues stay apart for red-green and for blue-yellow
# blindness.
BELOW_REST = ("#f7f6f3", "#a6cde4", "#4a98c9", "#08519c")
ABOVE_REST = ("#f7f6f3", "#fcd78a", "#f79c3d", "#dd5a26", "#a52a3f", "#5c1a4a", "#220a33")
SHORT_ARM = 0.2

# Ordered things (sites, times) take ordered colours, light enough never to be lost on white.
ORDERED = ("#9ccb5b", "#35a07d", "#2a788e", "#3f4f89", "#440154")

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.labelsize": 8.0,
    "axes.labelcolor": COLOURS["black"],
    "axes.edgecolor": COLOURS["black"],
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "white",
    "axes.prop_cycle": cycler(
        color=[COLOURS[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky", "black")]
    ),
    "figure.facecolor": "white",
    "figure.dpi": 150.0,
    "savefig.facecolor": "white",
    "savefig.bbox": None,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.frameon": False,
    "legend.labelspacing": 0.25,
    "legend.handlelength": 1.3,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "lines.linewidth": 1.3,
    "lines.solid_capstyle": "round",
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}

STILL_FORMATS = (".png", ".pdf", ".svg")


@contextlib.contextmanager
def context(scale: float = 1.0) -> Iterator[None]:
    """Apply axon's look inside a ``with`` block; ``matplotlib.rcParams`` is as before afterwards.

    Parameters
    ----------
    scale : float
        By how much to enlarge all type, for a figure that will be shown small.
    """
    type_sizes = {
        key: scale * size
        for key, size in STYLE.items()
        if key.endswith(("font.size", "labelsize", "fontsize"))
    }
    # "default" sets the user's own settings aside, so that a run gives the same picture on every desk.
    with matplotlib.style.context(["default", STYLE, type_sizes]):
        yield


def in_style(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate `function` so that it draws inside `context`."""

    @wraps(function)
    def styled(*args: P.args, **kwargs: P.kwargs) -> T:
        with context():
            return function(*args, **kwargs)

    return styled


@in_style
def figure(width_mm: float = 85.0, height_mm: float = 60.0, *, dpi: float = 150.0) -> Figure:
    """An empty figure of the given size, in axon's look, unknown to pyplot.

    Parameters
    ----------
    width_mm, height_mm : float
        Size in mm. Journals print one column 85 mm wide and two columns 170 mm wide.
    dpi : float
        Pixels per inch when shown or saved as PNG.

    Returns
    -------
    matplotlib.figure.Figure
        With constrained layout and an Agg canvas. Draw on it inside ``with axon.draw.context():``, so that
        axes, ticks and text take the same look, and write it with `save`.

    Raises
    ------
    ValueError
        If a size is not above 0.
    """
    positive("width_mm", width_mm, "mm")
    positive("height_mm", height_mm, "mm")
    positive("dpi", dpi, "pixels per inch")
    drawn = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), dpi=dpi, layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


@in_style
def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write `figure` to `path`, whole or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
        Ends in .png, .pdf or .svg.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ValueError
        If the ending is not one of these.
    FileNotFoundError
        If the folder does not exist.
    """
    path = checked_path(path, STILL_FORMATS)
    with replacing(path) as part:
        figure.savefig(part, format=path.suffix.lower().removeprefix("."), dpi=figure.dpi)
    return path


def checked_path(path: str | os.PathLike[str], known: Sequence[str]) -> Path:
    """`path` as a Path whose ending is one of `known` and whose folder exists."""
    path = Path(path)
    if path.suffix.lower() not in known:
        ending = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        raise ValueError(f"{str(path)!r} {ending}; choose one of {', '.join(known)}")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {str(path)!r}: folder {str(path.parent)!r} does not exist; create it first"
        )
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; it takes the name on success and is removed on failure."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def ordered_colours(count: int) -> list[tuple[float, float, float, float]]:
    """`count` colours from light green to dark violet, for things that have an order."""
    shades = LinearSegmentedColormap.from_list("axon_ordered", ORDERED)
    return [shades(x) for x in (np.linspace(0, 1, count) if count > 1 else [0.6])]


def voltage_colours(
    low: float,
    rest: float,
    high: float,
    *,
    arms: tuple[Sequence[str], Sequence[str]] = (BELOW_REST, ABOVE_REST),
) -> tuple[LinearSegmentedColormap, Normalize]:
    """Colour map and linear scale of voltages from `low` to `high` (mV), near white at `rest`.

    Each arm spends all its colours on its own range, so that the few mV of an afterhyperpolarisation show
    beside the 100 mV of a spike; but an arm shorter than `SHORT_ARM` of the other stays as pale as it is
    short. Other `arms` than these, each from rest outwards, suit other paper than white.
    """
    below, above = max(rest - low, 0.0), max(high - rest, 0.0)
    down = LinearSegmentedColormap.from_list("down", arms[0])
    up = LinearSegmentedColormap.from_list("up", arms[1])
    v = np.linspace(low, high, 512)
    under = np.clip((rest - v) / max(below, SHORT_ARM * above, 1e-9), 0.0, 1.0)
    over = np.clip((v - rest) / max(above, SHORT_ARM * below, 1e-9), 0.0, 1.0)
    colours = np.where((v < rest)[:, None], down(under), up(over))
    return LinearSegmentedColormap.from_list("axon_voltage", list(colours), N=512), Normalize(low, high)

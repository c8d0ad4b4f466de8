"""A sweep on one page, whatever it varied: curves, map, boundary, tornado, or a panel for each parameter."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from axon.draw.style import (
    COLOURS,
    ORDERED,
    STILL_FORMATS,
    checked_path,
    figure,
    in_style,
    ordered_colours,
    save,
)
from axon.draw.tornado import draw_tornado

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEW = 8  # values of a parameter that can have a curve each
_LOG = 8.0  # a parameter whose values span more than this factor, evenly in ratio, has a logarithmic axis


@in_style
def plot_sweep(sweep: Any, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw a sweep the way its points ask for.

    One numeric parameter gives curves; two in a grid a map; a boundary its line between what works and what
    does not; a sensitivity a tornado; anything else the first answer over every parameter. Points that failed
    are crosses.

    Parameters
    ----------
    sweep : Sweep
        With at least one point that was answered.
    path : path-like, optional
        Where to save it (.png, .pdf or .svg).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If no point was answered, or the path has another ending.
    """
    if not sweep.answers:
        raise ValueError(f"there is nothing to draw: none of the {len(sweep)} points has an answer")
    if path is not None:
        checked_path(path, STILL_FORMATS)
    page = _drawn(sweep)
    page.suptitle(_title(sweep), x=0.01, ha="left", fontsize=9, fontweight="bold")
    if path is not None:
        save(page, path)
    return page


def _drawn(sweep: Any) -> Figure:
    if sweep.plan["kind"] == "sensitivity":
        found = sweep.sensitivity()
        page = figure(150, 25 + 7 * len(found.names))
        draw_tornado(found, page.subplots())
        return page
    if sweep.plan["kind"] == "boundary" and len(sweep.parameters) == 2:
        page = figure(120, 90)
        _boundary(sweep, page.subplots())
        return page
    numeric = [name for name, values in sweep.parameters.items() if values.dtype.kind in "if"]
    axis, curves = _curves(sweep, numeric)
    if axis is not None:
        return _page_of_curves(sweep, axis, curves)
    if len(sweep.parameters) == 2 and len(numeric) == 2:
        page = figure(130, 95)
        _map(sweep, page.subplots(), *numeric)
        return page
    return _page_of_scatter(sweep)


def _curves(sweep: Any, numeric: list[str]) -> tuple[str | None, str | None]:
    """The parameter along the axis, and the one with a curve for each value; (None, None) if that is no way
    to see this sweep."""
    names = list(sweep.parameters)
    if len(names) == 1 and numeric:
        return names[0], None
    if len(names) != 2 or sweep.plan["kind"] not in ("grid", "zipped", "boundary"):
        return None, None
    counts = {name: len(np.unique(sweep.parameters[name])) for name in names}
    fewest = min(names, key=lambda name: (name in numeric, counts[name]))
    other = names[1 - names.index(fewest)]
    if other in numeric and counts[fewest] <= _FEW and counts[other] > counts[fewest]:
        return other, fewest
    return None, None


def _page_of_curves(sweep: Any, axis: str, curves: str | None) -> Figure:
    shown = [name for name in sweep.answers if name not in ("standard_error", "error")][:3]
    page = figure(70 + 45 * len(shown), 75)
    for ax, answer in zip(page.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        _curve(sweep, ax, axis, curves, answer)
    return page


def _curve(sweep: Any, ax: Axes, axis: str, curves: str | None, answer: str) -> None:
    x, y = sweep.parameters[axis], sweep.answers[answer]
    kinds = np.unique(sweep.parameters[curves]) if curves else [None]
    colours = ordered_colours(len(kinds))
    for kind, colour in zip(kinds, colours, strict=True):
        mine = np.ones(len(x), bool) if curves is None else sweep.parameters[curves] == kind
        order = np.flatnonzero(mine)[np.argsort(x[mine], kind="stable")]
        marker = "o" if mine.sum() <= 60 else ""
        label = None if curves is None else f"{kind:g}" if isinstance(kind, float | int) else str(kind)
        ax.plot(x[order], y[order], color=colour, marker=marker, markersize=3, label=label)
    _failures(sweep, ax, x)
    _scaled(ax, "x", x)
    ax.set_xlabel(_label(sweep, axis))
    ax.set_ylabel(_label(sweep, answer))
    if curves is not None:
        ax.legend(title=_label(sweep, curves))


def _failures(sweep: Any, ax: Axes, x: Any) -> None:
    """Crosses along the lower edge where points failed."""
    if sweep.failed.any():
        ax.plot(
            x[sweep.failed],
            np.zeros(int(sweep.failed.sum())),
            "x",
            color=COLOURS["vermillion"],
            markersize=4,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
        )


def _map(sweep: Any, ax: Axes, down: str, across: str) -> None:
    x, y, z = sweep.parameters[across], sweep.parameters[down], next(iter(sweep.answers.values()))
    shades = LinearSegmentedColormap.from_list("axon_map", ORDERED[::-1])
    xs, ys = np.unique(x), np.unique(y)
    if sweep.plan["kind"] == "grid" and len(xs) * len(ys) >= len(x):
        table = np.full((len(ys), len(xs)), np.nan)
        table[np.searchsorted(ys, y), np.searchsorted(xs, x)] = z
        drawn: Any = ax.pcolormesh(xs, ys, table, cmap=shades, shading="nearest")
        if min(table.shape) >= 3 and np.isfinite(table).all():
            lines = ax.contour(xs, ys, table, colors="white", linewidths=0.6)
            ax.clabel(lines, fontsize=6)
    else:
        good = ~np.isnan(z)
        drawn = ax.scatter(x[good], y[good], c=z[good], cmap=shades, s=14)
    lost = sweep.failed
    ax.plot(x[lost], y[lost], "x", color=COLOURS["vermillion"], markersize=4)
    _scaled(ax, "x", x)
    _scaled(ax, "y", y)
    ax.set_xlabel(_label(sweep, across))
    ax.set_ylabel(_label(sweep, down))
    ax.figure.colorbar(drawn, ax=ax, label=_label(sweep, next(iter(sweep.answers))))


def _boundary(sweep: Any, ax: Axes) -> None:
    edge, along = sweep.boundary(), sweep.plan["along"]
    (other,) = (name for name in sweep.parameters if name != along)
    good = next(iter(sweep.answers.values())) > 0
    x, y = sweep.parameters[other], sweep.parameters[along]
    for which, colour, label in ((good, "green", "works"), (~good & ~sweep.failed, "grey", "fails")):
        ax.plot(x[which], y[which], ".", color=COLOURS[colour], markersize=3, label=label)
    ax.plot(edge[other], edge[along], color=COLOURS["vermillion"], label="boundary")
    if sweep.plan["between"][2] == "log":
        ax.set_yscale("log")
    ax.set_xlabel(_label(sweep, other))
    ax.set_ylabel(_label(sweep, along))
    ax.legend()


def _page_of_scatter(sweep: Any) -> Figure:
    names, answer = list(sweep.parameters), next(iter(sweep.answers))
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    page = figure(20 + 55 * columns, 15 + 50 * rows)
    axes = page.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax, name in zip(axes, names, strict=False):
        x = sweep.parameters[name]
        ax.plot(x, sweep.answers[answer], "o", color=COLOURS["blue"], markersize=2.5)
        _failures(sweep, ax, x)
        if x.dtype.kind in "if":
            _scaled(ax, "x", x)
        ax.set_xlabel(_label(sweep, name))
    for ax in axes[::columns]:
        ax.set_ylabel(_label(sweep, answer))
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    return page


def _scaled(ax: Axes, side: str, values: Any) -> None:
    """A logarithmic axis for values that are spread by ratio."""
    distinct = np.unique(values)
    if len(distinct) < 3 or distinct[0] <= 0 or distinct[-1] < _LOG * distinct[0]:
        return
    if np.median(distinct) < np.sqrt(distinct[0] * distinct[-1]) * 1.5:
        (ax.set_xscale if side == "x" else ax.set_yscale)("log")
        axis = ax.xaxis if side == "x" else ax.yaxis
        axis.set_major_formatter("{x:g}")


def _label(sweep: Any, name: str) -> str:
    unit = sweep.units.get(name, "1")
    words = name.replace("_", " ")
    return words if unit in ("1", "") else f"{words} ({unit.replace('um', 'µm').replace('degC', '°C')})"


def _title(sweep: Any) -> str:
    failed = f", {int(sweep.failed.sum())} failed (crosses)" if sweep.failed.any() else ""
    state = "" if sweep.complete else ", not finished"
    return f"{sweep.question.replace('_', ' ').capitalize()}: {len(sweep)} points{failed}{state}"

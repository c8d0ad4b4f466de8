"""Space-time image of the voltage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from axon.draw.scene import (
    SPARSE,
    in_step,
    label_position,
    length_scale,
    mark_joins,
    resting_voltage,
    stimulated,
    voltage_limits,
    voltage_of,
    way_length,
)
from axon.draw.style import COLOURS, figure, in_style, voltage_colours
from axon.draw.wake import BORDERS, Wake

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

    from axon.run import Run

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

DASHES = (0, (4, 2))


@in_style
def plot_kymograph(
    run: Run, ax: Axes | None = None, *, arrivals: bool = False, wake: bool = True, key: bool = True
) -> Axes:
    """Draw the voltage as an image over position (to the right) and time (downwards).

    The resting potential is near white, depolarisation orange to near black, hyperpolarisation blue. Stimuli
    are black triangles, joins between sections dotted lines.

    Parameters
    ----------
    run : Run
        With voltage recorded at 2 positions or more.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a figure of its own by default.
    arrivals : bool
        Whether to dot every recorded threshold crossing.
    wake : bool
        Whether to outline where the membrane is absolutely (solid) and relatively (dashed) refractory
        (`Wake`); needs the gates recorded, without them there is no outline.
    key : bool
        Whether to add the colour bar and the legend.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If voltage was not recorded, or at a single position.
    """
    run = in_step(run)
    voltage = voltage_of(run, "a kymograph", positions=2)
    ax = ax or figure(85, 80).add_subplot()
    image = _image(run, voltage, ax)
    mark_joins(run, ax)
    handles = _outline_wake(run, ax) if wake else []
    if arrivals:
        handles += _dot_arrivals(run, ax)
    handles += _mark_stimuli(run, ax)
    label_position(run, ax)
    ax.set_ylim(run.time[-1], run.time[0])
    ax.set_ylabel("time (ms)")
    if key:
        _key(run, voltage, ax, image, handles)
    return ax


def _image(run: Run, voltage: Array, ax: Axes) -> ScalarMappable:
    factor, _ = length_scale(run)
    low, high = voltage_limits(run)
    colours, scale = voltage_colours(low, float(np.median(resting_voltage(run))), high)
    x = _position_edges(run) * factor
    return ax.pcolorfast(x, cell_edges(run.time), voltage, cmap=colours, norm=scale, zorder=0)


def _position_edges(run: Run) -> Array:
    return np.clip(cell_edges(run.position), 0.0, way_length(run))


def cell_edges(centres: Array) -> Array:
    """Edges (n + 1,) of the cells around increasing `centres` (n,), midway between neighbours."""
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def _outline_wake(run: Run, ax: Axes) -> list[Line2D]:
    wake = Wake.of(run)
    if wake is None:
        return []
    factor, _ = length_scale(run)
    x: Array = run.position
    strength = wake.strength(run.gates, voltage_of(run, "a kymograph"))
    if len(x) < SPARSE:  # constant within a cell, like the image: nothing is made up between far positions
        x, strength = np.repeat(_position_edges(run), 2)[1:-1], np.repeat(strength, 2, axis=1)
    outline = ax.contour(
        x * factor, run.time, strength, levels=BORDERS, colors=COLOURS["black"], linewidths=0.8
    )
    outline.set_linestyle([DASHES, "-"])
    outline.set_path_effects([Stroke(linewidth=2.0, foreground="white", alpha=0.7), Normal()])
    look: dict[str, Any] = {"color": COLOURS["black"], "linewidth": 0.8}
    return [
        Line2D([], [], linestyle="-", label="absolute", **look),
        Line2D([], [], linestyle=DASHES, label="relative wake", **look),
    ]


def _dot_arrivals(run: Run, ax: Axes) -> list[Line2D]:
    factor, _ = length_scale(run)
    look: dict[str, Any] = {
        "marker": ".",
        "markersize": 1.2,
        "markeredgewidth": 0,
        "linestyle": "",
        "rasterized": True,
    }
    ax.plot(run.spike_position * factor, run.spike_time, color=COLOURS["green"], **look)
    return [Line2D([], [], color=COLOURS["green"], label="arrival")]


def _mark_stimuli(run: Run, ax: Axes) -> list[Line2D]:
    factor, _ = length_scale(run)
    marks = np.array(list(stimulated(run))).reshape(-1, 3)
    if not len(marks):
        return []
    x, black = marks[:, 0] * factor, COLOURS["black"]
    ax.vlines(x, marks[:, 1], marks[:, 2], color=black, linewidth=2.5, clip_on=False, zorder=4)
    look: dict[str, Any] = {"marker": "v", "markersize": 5.5, "markeredgecolor": "white", "linestyle": ""}
    return ax.plot(x, marks[:, 1], color=black, clip_on=False, zorder=5, label="stimulus", **look)


def _key(run: Run, voltage: Array, ax: Axes, image: ScalarMappable, handles: list[Line2D]) -> None:
    low, high = voltage_limits(run)
    ends = ("neither", "min", "max", "both")
    extend = ends[int(np.nanmin(voltage) < low) + 2 * int(np.nanmax(voltage) > high)]
    bar = ax.figure.colorbar(image, ax=ax, label="voltage (mV)", extend=extend, pad=0.02, aspect=28)
    bar.outline.set_linewidth(0.5)
    if handles:
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.03, 1.0), "borderaxespad": 0.1}
        ax.legend(handles=handles, ncols=3, columnspacing=1.0, **place)

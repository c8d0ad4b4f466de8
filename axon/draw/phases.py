"""The action potential taken apart: voltage with its phases shaded, and what the channels do below."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.action_potential import Recording, phases, recording
from axon.draw.page import description
from axon.draw.scene import length_scale, number
from axon.draw.snapshots import GATE_COLOURS, OTHER_GATES
from axon.draw.style import COLOURS, STILL_FORMATS, checked_path, figure, in_style, save
from axon.draw.traces import key_beside
from axon.measure.curve import Curve
from axon.measure.phases import Phases
from axon.measure.spike import MARGIN, METHODS
from axon.membranes.roles import gate_roles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from axon.membranes import Membrane
    from axon.run import Run

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]
Span = tuple[float, float]  # ms

TINTS = {
    "resting": "grey",
    "stimulation": "yellow",
    "rising": "orange",
    "overshoot": "vermillion",
    "falling": "purple",
    "undershoot": "sky",
    "recovery": "green",
}
OPACITY = 0.25  # of the tints
AROUND = 0.25  # of the spike's length, shown before it and after it
BEYOND = 0.1  # of the wake's length, shown beyond its end
LINE_POINTS = 2000  # in each line: finer than print


@in_style
def plot_phases(
    run: Run,
    at: float | None = None,
    path: str | os.PathLike[str] | None = None,
    *,
    spike: int = 0,
    method: str = "curvature",
    margin: float = MARGIN,
) -> Figure:
    """Draw one action potential with its phases shaded, gates, conductances and currents below.

    The left column is the spike; the right one goes on with its wake, on scales of its own. Below the voltage
    stand the gates, where recorded, and, where all were, the conductances of the channels and the outward
    currents that they carry, beside the inward current that comes along the axon or from an electrode
    (dashed).

    Parameters
    ----------
    run : Run
        With voltage recorded.
    at : float, optional
        Position, um; by default the middle of the axon.
    path : path-like, optional
        Where to save it (.png, .pdf or .svg).
    spike, method, margin
        As for ``axon.phases``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NoSpike, ValueError
        As ``axon.phases``, and for a path with another ending.
    """
    if path is not None:
        checked_path(path, STILL_FORMATS)
    found = phases(run, at, spike=spike, method=method, margin=margin)
    traces = recording(run, at)
    panels = _panels(traces)
    spans = _spans(found, traces)
    page = figure(178, 30 + 34 * len(panels))
    ratios = {"height_ratios": (1.4, *[1.0] * len(panels))[: len(panels)], "width_ratios": (1.3, 1.0)}
    axes = page.subplots(len(panels), 2, squeeze=False, sharex="col", gridspec_kw=ratios)
    for column, span in zip(axes.T, spans, strict=True):
        for (draw, _), ax in zip(panels, column, strict=True):
            draw(traces, ax, span)
            _shade(found, ax, span)
        column[0].set_xlim(*span)
        column[-1].set_xlabel("time (ms)")
    _mark(found, axes[0])
    axes[0, 0].set_title("the spike")
    axes[0, 1].set_title("its wake")
    for (_, label), row in zip(panels, axes, strict=True):
        row[0].set_ylabel(label)
        if row[1].get_legend_handles_labels()[1]:
            key_beside(row[1])
    _key(found, axes[0, 1])
    _title(page, run, found)
    if path is not None:
        save(page, path)
    return page


def channel_colours(membrane: Membrane) -> dict[str, str]:
    """A colour for every channel: that of its first gate, grey for a leak."""
    gates = gate_colours(membrane)
    return {
        channel.name: gates[channel.gates[0].name] if channel.gates else COLOURS["grey"]
        for channel in membrane.channels
    }


def gate_colours(membrane: Membrane) -> dict[str, str]:
    """A colour for every gate, the same as in other pictures."""
    others = iter(OTHER_GATES * len(membrane.gates))
    return {name: COLOURS[GATE_COLOURS.get(name) or next(others)] for name in membrane.gates}


def _panels(traces: Recording) -> list[tuple[Any, str]]:
    """The functions that draw the panels, with their labels, from the top."""
    panels: list[tuple[Any, str]] = [(_voltage, "voltage (mV)")]
    if traces.gates:
        panels.append((_gates, "gates open"))
    if traces.conductances.keys() == traces.currents.keys() and traces.currents:
        panels.append((_conductances, "conductance\n(mS/cm²)"))
    if traces.currents:
        panels.append((_currents, "outward current\n(mA/cm²)"))
    return panels


def _spans(found: Phases, traces: Recording) -> tuple[Span, Span]:
    """Time shown on the left and on the right."""
    begin, end = float(traces.time[0]), float(traces.time[-1])
    peak = found.shape.peak_time
    onset = found.shape.onset
    start = begin if onset is None else onset
    fallen = found["falling"].end or end
    room = AROUND * (fallen - start)
    back = found["recovery"].end or found["undershoot"].end or end
    stop = min(end, back + BEYOND * (back - peak))
    left = (max(begin, start - room), min(end, fallen + room))
    return left, (left[1], max(stop, left[1] + 0.1 * (left[1] - left[0])))


def _line(ax: Axes, time: Array, values: Array, span: Span, **look: Any) -> None:
    inside = np.flatnonzero((time >= span[0]) & (time <= span[1]))
    part = slice(max(inside[0] - 1, 0), inside[-1] + 2)
    step = max(1, (inside[-1] - inside[0]) // LINE_POINTS)
    ax.plot(time[part][::step], np.asarray(values)[part][::step], **look)


def _voltage(traces: Recording, ax: Axes, span: Span) -> None:
    _line(ax, traces.time, traces.voltage, span, color=COLOURS["black"], linewidth=1.6)


def _gates(traces: Recording, ax: Axes, span: Span) -> None:
    colours, roles = gate_colours(traces.membrane), gate_roles(traces.membrane)
    for name, gate in traces.gates.items():
        label = f"{name}, {roles[name].channel} {roles[name].role}"
        _line(ax, traces.time, gate, span, color=colours[name], label=label)
    ax.set_ylim(-0.03, 1.03)
    ax.set_yticks([0.0, 0.5, 1.0])


def _conductances(traces: Recording, ax: Axes, span: Span) -> None:
    _channels(traces, traces.conductances, ax, span, 1e3)


def _currents(traces: Recording, ax: Axes, span: Span) -> None:
    _channels(traces, traces.currents, ax, span, 1.0)
    dashed: dict[str, Any] = {"color": COLOURS["black"], "linestyle": (0, (3, 1.5))}
    _line(ax, traces.time, _outside(traces), span, label="from outside", **dashed)
    _level(ax, 0.0, (1, 2))


def _channels(traces: Recording, values: Mapping[str, Array], ax: Axes, span: Span, factor: float) -> None:
    colours = channel_colours(traces.membrane)
    for name, value in values.items():
        look = {"color": colours[name], "label": name, "linewidth": 1.3 if name in _gated(traces) else 0.9}
        _line(ax, traces.time, factor * np.asarray(value), span, **look)


def _gated(traces: Recording) -> Sequence[str]:
    return [channel.name for channel in traces.membrane.channels if channel.gates]


def _outside(traces: Recording) -> Array:
    """Inward current (mA/cm2) that did not come through the channels: C dV/dt + I_ion."""
    slope = Curve(traces.time, traces.voltage, traces.kinks).sampled(order=1)
    ionic = np.sum(list(traces.currents.values()), axis=0)
    return 1e-3 * traces.membrane.capacitance * slope + ionic


def _shade(found: Phases, ax: Axes, span: Span) -> None:
    for row in found:
        start = row.start if row.start is not None else row.end
        end = row.end if row.end is not None else span[1] if row.start is not None else None
        if start is None or end is None or end <= span[0] or start >= span[1]:
            continue
        ax.axvspan(start, end, color=COLOURS[TINTS[row.name]], alpha=OPACITY, linewidth=0, zorder=0)


def _level(ax: Axes, value: float, dashes: tuple[float, float]) -> None:
    """A thin line at a value, if the panel shows it."""
    low, high = ax.get_ylim()
    if low < value < high:
        ax.axhline(value, color=COLOURS["grey"], linewidth=0.6, linestyle=(0, dashes), zorder=1)


def _mark(found: Phases, row: Sequence[Axes]) -> None:
    """Threshold, peak, half-width and trough in the panels that show them."""
    shape = found.shape
    for ax in row:
        _level(ax, shape.rest, (4, 2))
        _level(ax, 0.0, (1, 2))
    _dot(row, shape.peak_time, shape.peak, f"peak {_signed(shape.peak)} mV", (6, 0))
    if shape.threshold is not None and shape.threshold_time is not None:
        _dot(row, shape.threshold_time, shape.threshold, f"threshold {_signed(shape.threshold)}", (6, -4))
    if shape.trough_time is not None and shape.undershoot is not None:
        trough = shape.rest - shape.undershoot
        _dot(row, shape.trough_time, trough, f"trough {_signed(trough)} mV", (8, -1))
    if shape.half_width is not None and shape.half_time is not None:
        _bar(row[0], shape.half_time, shape.half_width, shape.rest + shape.amplitude / 2)


def _bar(ax: Axes, start: float, lasts: float, voltage: float) -> None:
    """A double arrow across the spike with its length above."""
    ends = ((start, voltage), (start + lasts, voltage))
    ax.annotate("", *ends, arrowprops={"arrowstyle": "<->", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0})
    words: dict[str, Any] = {"xytext": (0, 5), "textcoords": "offset points", "ha": "center", "va": "center"}
    ax.annotate(f"{number(lasts)} ms", (start + lasts / 2, voltage), fontsize=7, **words)


def _dot(row: Sequence[Axes], time: float, voltage: float, words: str, offset: tuple[float, float]) -> None:
    look: dict[str, Any] = {"marker": "o", "markersize": 4, "markeredgecolor": "white", "zorder": 5}
    for ax in row:
        if ax.get_xlim()[0] <= time <= ax.get_xlim()[1]:
            ax.plot(time, voltage, color=COLOURS["black"], **look)
            place: dict[str, Any] = {"xytext": offset, "textcoords": "offset points", "va": "center"}
            ax.annotate(words, (time, voltage), fontsize=7, **place)
            return


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _key(found: Phases, ax: Axes) -> None:
    from matplotlib.patches import Patch

    handles = []
    for row in found:
        lasts = "not reached" if row.duration is None else f"{number(row.duration)} ms"
        colour = COLOURS[TINTS[row.name]]
        handles.append(Patch(facecolor=colour, alpha=2 * OPACITY, linewidth=0, label=f"{row.name}, {lasts}"))
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.02), borderaxespad=0.2)


def _title(page: Figure, run: Run, found: Phases) -> None:
    factor, unit = length_scale(run)
    shape = found.shape
    parts = [f"amplitude {shape.amplitude:.1f} mV"]
    if shape.half_width is not None:
        parts.append(f"half-width {shape.half_width:.3g} ms")
    if shape.maximal_rise is not None and shape.maximal_fall is not None:
        parts.append(f"steepest {shape.maximal_rise:.0f} and −{shape.maximal_fall:.0f} mV/ms")
    if shape.undershoot is not None:
        parts.append(f"undershoot {shape.undershoot:.1f} mV")
    where = f"at {number((found.position or 0.0) * factor)} {unit}"
    page.suptitle(f"Action potential {where}\n\n", x=0.01, ha="left", fontsize=11, fontweight="bold")
    below = f"{', '.join(parts)}\n{description(run)}; threshold {METHODS[shape.method]}"
    height = page.get_figheight()
    page.text(
        0.01,
        1 - 0.3 / height,
        below,
        ha="left",
        va="top",
        fontsize=7.5,
        color=COLOURS["grey"],
        linespacing=1.4,
    )

"""Voltage against position at several times, and the gates below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage

from axon.draw.scene import (
    in_step,
    label_position,
    length_scale,
    mark_joins,
    nearest_times,
    number,
    sparse_marker,
    voltage_of,
    way_length,
)
from axon.draw.style import COLOURS, figure, in_style, ordered_colours
from axon.draw.traces import key_beside, set_voltage_axis
from axon.draw.wake import Wake

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from axon.run import Run

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

DEFAULT_TIMES = 4
GATE_COLOURS = {"m": "vermillion", "h": "blue", "n": "green"}
OTHER_GATES = ("purple", "orange", "sky", "black")
WAKE_OPACITY = 0.6  # of the shading where the wake's strength is 1
WAKE_STEPS = 24  # shades: finer ones cannot be told apart, and make large files


@in_style
def plot_snapshots(
    run: Run, at: Sequence[float] | None = None, axes: Sequence[Axes] | None = None
) -> tuple[Axes, ...]:
    """Draw the voltage along the axon at several times, and the gates, if recorded, at one of them.

    The time whose gates are shown is the middle one of `at`; its voltage is drawn thicker and its refractory
    wake (`Wake`) shaded in proportion to its strength.

    Parameters
    ----------
    run : Run
        With voltage recorded at 2 positions or more.
    at : sequence of float, optional
        Times, ms; each is drawn at the nearest recorded time. By default 4 times spread over the spikes'
        journey, or over the whole run where there was no spike.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw: one for the voltage, and a second for the gates. A figure of its own by default.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        One, or two with gates.

    Raises
    ------
    ValueError
        If voltage was not recorded, a time lies outside the run, or too few axes are given.
    """
    run = in_step(run)
    voltage = voltage_of(run, "a snapshot", positions=2)
    frames = nearest_times(run, at, DEFAULT_TIMES)
    axes = _axes(run, axes)
    shown = frames[len(frames) // 2]
    _draw_voltage(run, voltage, frames, shown, axes[0])
    if len(axes) > 1:
        draw_gates(run, shown, axes[1], f"at {number(run.time[shown])} ms")
        axes[0].tick_params(labelbottom=False)
    for ax in axes:
        mark_joins(run, ax)
        label_position(run, ax)
        if ax is not axes[-1]:
            ax.set_xlabel("")
    return tuple(axes)


def _axes(run: Run, axes: Sequence[Axes] | None) -> list[Axes]:
    needed = 2 if run.gates else 1
    if axes is None:
        ratios = [2, 1][:needed]
        empty = figure(85, 45 * sum(ratios) / 2)
        return list(empty.subplots(needed, squeeze=False, height_ratios=ratios)[:, 0])
    if len(axes) < needed:
        raise ValueError(f"snapshots of this run need {needed} axes (voltage and gates), got {len(axes)}")
    return list(axes[:needed])


def _draw_voltage(run: Run, voltage: Array, frames: list[int], shown: int, ax: Axes) -> None:
    factor, _ = length_scale(run)
    for frame, colour in zip(frames, ordered_colours(len(frames)), strict=True):
        (line,) = ax.plot(run.position * factor, voltage[frame], color=colour, label=number(run.time[frame]))
        line.set(linewidth=2.0 if frame == shown else 1.0, marker=sparse_marker(run), markersize=3.0)
    wake = Wake.of(run)
    if wake is not None:
        shading = WakeShading(run, wake, ax)
        shading.show({name: gate[shown] for name, gate in run.gates.items()}, voltage[shown])
        ax.add_artist(shading.image)
    set_voltage_axis(run, ax)
    key_beside(ax, "at (ms)")


def draw_gates(run: Run, frame: int, ax: Axes, title: str) -> dict[str, Line2D]:
    """Draw every recorded gate along the axon at one frame, keyed under `title`; its lines by name."""
    factor, _ = length_scale(run)
    others = iter(OTHER_GATES * len(run.gates))
    lines = {}
    for name, gate in run.gates.items():
        colour = COLOURS[GATE_COLOURS.get(name) or next(others)]
        (lines[name],) = ax.plot(run.position * factor, gate[frame], color=colour, label=name)
        lines[name].set(marker=sparse_marker(run), markersize=3.0)
    ax.set_ylim(-0.03, 1.03)
    ax.set_yticks([0.0, 0.5, 1.0])
    ax.set_ylabel("gates open")
    key_beside(ax, title)
    return lines


class WakeShading:
    """The refractory wake as a shade behind the voltage, as strong as the wake."""

    columns = 640  # across the axon; evenly spaced, each shows the nearest recorded position

    def __init__(self, run: Run, wake: Wake, ax: Axes) -> None:
        factor, _ = length_scale(run)
        x = (np.arange(self.columns) + 0.5) / self.columns * way_length(run)
        self.nearest = np.searchsorted((run.position[1:] + run.position[:-1]) / 2, x)
        self.wake = wake
        self.pixels = np.ones((1, self.columns, 4))
        self.pixels[..., :3] = to_rgb(COLOURS["purple"])
        # x in the drawn unit of length, y from the floor to the ceiling of the axes whatever their range.
        extent = (0.0, way_length(run) * factor, 0.0, 1.0)
        self.image = AxesImage(ax, interpolation="nearest", extent=extent, zorder=0.5)
        self.image.set_transform(ax.get_xaxis_transform())
        self.image.set_clip_path(ax.patch)
        ax.fill_between([], [], color=COLOURS["purple"], alpha=WAKE_OPACITY, linewidth=0, label="refractory")

    def show(self, gates: dict[str, Array], voltage: Array) -> None:
        """Shade by `gates` and `voltage` (mV), each (n_x,) at the recorded positions."""
        steps = np.round(self.wake.strength(gates, voltage)[self.nearest] * WAKE_STEPS)
        self.pixels[0, :, 3] = WAKE_OPACITY * steps / WAKE_STEPS
        self.image.set_data(self.pixels)

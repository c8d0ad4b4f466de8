"""Voltage against time at several sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from axon.draw.scene import in_step, length_scale, nearest_positions, number, voltage_limits, voltage_of
from axon.draw.style import figure, in_style, ordered_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from axon.run import Run

DEFAULT_SITES = 5


@in_style
def plot_traces(run: Run, at: Sequence[float] | None = None, ax: Axes | None = None) -> Axes:
    """Draw the voltage against time, one line per site.

    Parameters
    ----------
    run : Run
        With voltage recorded.
    at : sequence of float, optional
        Sites, um; each is drawn at the nearest recorded position, which the legend names. By default 5 sites
        spread evenly over the recorded ones.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a figure of its own by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If voltage was not recorded, or a site lies off the axon.
    """
    run = in_step(run)
    voltage = voltage_of(run, "a trace")
    ax = ax or figure(85, 50).add_subplot()
    factor, unit = length_scale(run)
    sites = nearest_positions(run, at, DEFAULT_SITES)
    for site, colour in zip(sites, ordered_colours(len(sites)), strict=True):
        ax.plot(run.time, voltage[:, site], color=colour, label=number(run.position[site] * factor))
    ax.set_xlim(run.time[0], run.time[-1])
    set_voltage_axis(run, ax)
    ax.set_xlabel("time (ms)")
    key_beside(ax, f"at ({unit})")
    return ax


def set_voltage_axis(run: Run, ax: Axes) -> None:
    """Give `ax` the run's voltage range as its y axis, with a little room around."""
    low, high = voltage_limits(run)
    ax.set_ylim(low - 0.04 * (high - low), high + 0.06 * (high - low))
    ax.set_ylabel("voltage (mV)")


def key_beside(ax: Axes, title: str | None = None) -> None:
    """A legend to the right of `ax`, clear of every line."""
    place: dict[str, Any] = {
        "loc": "upper left",
        "bbox_to_anchor": (1.0, 1.02),
        "borderaxespad": 0.2,
        "alignment": "left",
    }
    ax.legend(title=title, **place)

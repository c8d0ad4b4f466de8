"""A family of voltage-clamp records and its current-voltage curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize

from axon.draw.style import COLOURS, ORDERED, figure, in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from axon.measure.clamp import ClampFamily

SAME = 0.01  # of the largest current: a peak this near to the steady current is not drawn beside it
CHANNELS = ("vermillion", "green", "blue", "purple", "orange", "sky")


@in_style
def plot_clamp(
    family: ClampFamily,
    channels: Sequence[str] | None = None,
    axes: Sequence[Axes] | None = None,
    *,
    until: float | None = None,
) -> tuple[Axes, ...]:
    """Draw the currents of a voltage-clamp family over time, and its peak and steady current over voltage.

    Each record has the colour that marks its level on the voltage axis of the last panel.

    Parameters
    ----------
    family : ClampFamily
        From ``axon.voltage_clamp``.
    channels : sequence of str, optional
        Which channels' currents to draw, one panel each; by default those whose conductance changes.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw: one for each channel and one for the current-voltage curves. A figure of its own by
        default.
    until : float, optional
        End of the time shown, ms after the step; by default the whole record.

    Returns
    -------
    tuple of matplotlib.axes.Axes

    Raises
    ------
    ValueError
        For an unknown channel, or too few axes.
    """
    drawn = tuple(channels) if channels is not None else _gated(family)
    records = {name: family.current(name) for name in drawn}
    needed = len(drawn) + 1
    if axes is None:
        axes = figure(60 * needed, 58).subplots(1, needed, squeeze=False)[0]
    if len(axes) < needed:
        raise ValueError(f"this family needs {needed} axes, got {len(axes)}")
    shades = LinearSegmentedColormap.from_list("axon_levels", ORDERED)
    scale = Normalize(family.levels.min(), family.levels.max())
    for (name, current), ax in zip(records.items(), axes, strict=False):
        for i in np.argsort(family.levels):
            ax.plot(family.time, current[:, i], color=shades(scale(family.levels[i])), linewidth=1.0)
        ax.set_xlim(0.0, family.time[-1] if until is None else until)
        ax.set(xlabel="time after the step (ms)", ylabel=f"outward {name} current (mA/cm²)")
    _current_voltage(family, drawn, axes[needed - 1])
    key: dict[str, Any] = {"c": family.levels, "cmap": shades, "norm": scale, "marker": "s", "s": 14}
    on_axis = axes[needed - 1].get_xaxis_transform()
    axes[needed - 1].scatter(
        family.levels, 0.0 * family.levels, transform=on_axis, clip_on=False, zorder=5, **key
    )
    return tuple(axes[:needed])


def _gated(family: ClampFamily) -> tuple[str, ...]:
    """The channels whose current is not proportional to the driving force throughout."""
    return tuple(name for name, current in family.currents.items() if np.ptp(current, axis=0).max() > 0)


def _current_voltage(family: ClampFamily, channels: Sequence[str], ax: Axes) -> None:
    order = np.argsort(family.levels)
    levels = family.levels[order]
    for name, colour in zip(channels, CHANNELS * len(channels), strict=False):
        look: dict[str, Any] = {"color": COLOURS[colour], "markersize": 3, "linewidth": 1.0}
        peak, steady = family.peak(name).current[order], family.steady(name)[order]
        if np.abs(peak - steady).max() > SAME * np.abs(peak).max():
            ax.plot(levels, peak, "o-", label=f"{name}, peak", **look)
        ax.plot(levels, steady, "s--", markerfacecolor="white", label=f"{name}, steady", **look)
    ax.axhline(0.0, color=COLOURS["grey"], linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
    ax.set(xlabel="level (mV)", ylabel="outward current (mA/cm²)")
    ax.legend(loc="upper left")

"""Which knob changes the answer: a bar for each parameter, the longest on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from axon.draw.style import COLOURS, figure, in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TEN_PERCENT = 0.1


@in_style
def plot_tornado(sensitivity: Any, ax: Axes | None = None) -> Axes:
    """Draw what each parameter does to the answer.

    Parameters
    ----------
    sensitivity : Sensitivity
        From ``axon.sensitivity``.
    ax : matplotlib.axes.Axes, optional
        A figure of its own by default.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is None:
        ax = figure(150, 25 + 7 * len(sensitivity.names)).subplots()
    draw_tornado(sensitivity, ax)
    return ax


def draw_tornado(found: Any, ax: Axes) -> None:
    """Bars to both sides: the change in per cent as a parameter grows or falls by 10 %, or by its unit."""
    amount = np.where(found.relative, _TEN_PERCENT, 1.0)
    change = 100 * found.slope * amount
    order = np.argsort(np.abs(change))
    for row, k in enumerate(order):
        for sign, colour in ((1, "vermillion"), (-1, "sky")):
            ax.barh(row, sign * change[k], height=0.7, color=COLOURS[colour])
        number = (
            f"{found.slope[k]:+.3f}"
            if found.relative[k]
            else f"{100 * found.slope[k]:+.2f} %/{_unit(found, k)}"
        )
        ax.annotate(
            number,
            (abs(change[k]), row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    labels = [
        f"{found.names[k].replace('_', ' ')}  ({'±10 %' if found.relative[k] else f'±1 {_unit(found, k)}'})"
        for k in order
    ]
    ax.set_yticks(range(len(order)), labels)
    ax.axvline(0, color=COLOURS["black"], linewidth=0.7)
    reach = 1.25 * float(np.abs(change).max())
    ax.set_xlim(-reach, reach)
    ax.set_xlabel(f"change of {found.answer} (%)")
    for colour, label in (("vermillion", "parameter raised"), ("sky", "lowered")):
        ax.barh(0, 0, color=COLOURS[colour], label=label)
    ax.legend(loc="lower right", title="beside the bars: d ln / d ln, or per unit")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _unit(found: Any, k: int) -> str:
    return str(found.units[k]).replace("degC", "°C")

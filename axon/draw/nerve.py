"""A nerve's volley: who conducts how fast, and what electrodes see of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.draw.style import COLOURS, STILL_FORMATS, checked_path, figure, in_style, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KINDS = ("blue", "vermillion", "green", "purple", "orange", "sky")
_BINS = 30
_FADED = 0.002  # of the largest signal: what comes later than this is cut off


@in_style
def plot_volley(
    volley: Any, distances: Sequence[float], path: str | os.PathLike[str] | None = None
) -> Figure:
    """Draw diameters, velocities, and the compound action potential at several distances.

    Parameters
    ----------
    volley : Volley
        From ``Population.conduct``.
    distances : sequence of float
        mm from the shock.
    path : path-like, optional
        Where to save it (.png, .pdf or .svg).

    Returns
    -------
    matplotlib.figure.Figure
    """
    if path is not None:
        checked_path(path, STILL_FORMATS)
    page = figure(180, 95)
    left, right = page.subfigures(1, 2, squeeze=False, width_ratios=[1, 1.3])[0]
    upper, lower = left.subplots(2, 1)
    colours = dict(zip(volley.spikes, [COLOURS[name] for name in _KINDS], strict=False))
    _stacked(upper, volley, volley.diameter, colours, "diameter (µm)")
    _stacked(lower, volley, volley.velocity, colours, "conduction velocity (m/s)")
    upper.legend()
    _compounds(right.subplots(), volley, distances)
    if path is not None:
        save(page, path)
    return page


def _stacked(ax: Axes, volley: Any, values: Any, colours: dict[str, str], label: str) -> None:
    own = [values[(volley.fibre == kind) & np.isfinite(values)] for kind in colours]
    ax.hist(own, _BINS, stacked=True, color=list(colours.values()), label=list(colours))
    ax.set_xlabel(label)
    ax.set_ylabel("axons")


def _compounds(ax: Axes, volley: Any, distances: Sequence[float]) -> None:
    """One trace above the other, each in its own scale, which its label tells."""
    latest = 0.0
    for row, distance in enumerate(distances):
        time, signal = volley.compound(distance)
        height = float(np.abs(signal).max())
        seen = np.flatnonzero(np.abs(signal) > _FADED * height)
        latest = max(latest, float(time[seen[-1]]))
        ax.plot(time, row + 0.85 * signal / height, color=COLOURS["black"], linewidth=0.9)
        ax.annotate(
            f"{distance:g} mm, peak {height:.3g} mV",
            (1.0, row + 0.12),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=7,
            color=COLOURS["grey"],
        )
    ax.set_xlim(0, latest)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("time after the shock (ms)")
    ax.set_title("compound action potential (each scaled to its peak)")

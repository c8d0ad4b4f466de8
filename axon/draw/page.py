"""The whole run on one page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from axon.draw.kymograph import plot_kymograph
from axon.draw.scene import in_step, length_scale, velocity_in_words, voltage_of
from axon.draw.snapshots import plot_snapshots
from axon.draw.style import COLOURS, STILL_FORMATS, checked_path, figure, in_style, save
from axon.draw.traces import plot_traces

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from axon.run import Run


@in_style
def plot_run(run: Run, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw a run on one page: kymograph, traces, snapshots, gates, and the velocity as title.

    Parameters
    ----------
    run : Run
        With voltage recorded at 2 positions or more; gates add the refractory wake and their own panel.
    path : path-like, optional
        Where to save it (.png, .pdf or .svg).

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If voltage was not recorded, or the path has another ending.
    """
    run = in_step(run)
    voltage_of(run, "a page", positions=2)
    if path is not None:
        checked_path(path, STILL_FORMATS)
    page = figure(190, 110)
    rows = 3 if run.gates else 2
    halves = page.subfigures(1, 2, squeeze=False)[0]
    plot_kymograph(run, halves[0].add_subplot())
    axes = halves[1].subplots(rows, height_ratios=[1.0, 1.0, 0.6][:rows])
    plot_traces(run, ax=axes[0])
    plot_snapshots(run, axes=axes[1:])
    _title(run, page)
    if path is not None:
        save(page, path)
    return page


def _title(run: Run, page: Figure) -> None:
    velocity, reason = velocity_in_words(run)
    title = "No propagation" if reason else f"Conduction velocity {velocity}"
    below = f"{description(run)}\n{reason}".rstrip()
    # Lines are left empty for what stands below the title in its own type.
    page.suptitle(title + "\n" * len(below.splitlines()), x=0.01, ha="left", fontsize=13, fontweight="bold")
    page.text(0.01, 0.945, below, ha="left", va="top", fontsize=8.5, color=COLOURS["grey"], linespacing=1.5)


def description(run: Run) -> str:
    """The axon in one line: membranes, length, diameters, temperatures."""
    factor, unit = length_scale(run)
    sections = run.axon.sections
    membranes = " + ".join(dict.fromkeys(section.membrane.name.replace("_", "-") for section in sections))
    shape = "ring" if run.axon.ring else "axon"
    length, diameters = run.axon.total_length * factor, span(section.diameter for section in sections)
    celsius = span(section.celsius for section in sections)
    return f"{membranes} {shape}, {length:.4g} {unit} long, {diameters} µm in diameter, {celsius} °C"


def span(values: Iterable[float]) -> str:
    """The values as one number, or as the lowest and the highest of them."""
    distinct = sorted(set(values))
    return f"{distinct[0]:g}" if len(distinct) == 1 else f"{distinct[0]:g}–{distinct[-1]:g}"

"""A run as one HTML file to look at in a browser: play it, point at it, take traces from it."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axon.draw.scene import in_step, voltage_of
from axon.draw.style import checked_path, replacing
from axon.draw.viewer.contents import tell
from axon.draw.viewer.thinning import Thinning

if TYPE_CHECKING:
    from axon.run import Run

__all__ = ["view"]

LARGEST = 4_900_000  # bytes of a file
MOST_VALUES = 2_500_000  # of one quantity: about 1100 positions at 2200 times
SCRIPTS = ("data.js", "drawing.js", "panels.js", "page.js")


def view(run: Run, path: str | os.PathLike[str], *, progress: bool = True) -> Path:
    """Write the run as a self-contained page: no server, no network, any browser since 2023.

    The page plays and scrubs the voltage along the axon with its wake shaded, beside the whole run as an
    image; a click there places a trace. It switches between voltage, gates, currents, the phases of the
    action potential and concentrations (those recorded), shows values with units where the mouse points, and
    lists spikes and velocities. Keys are explained on the page.

    Values are rounded (voltage to 0.01 mV, gates to 1e-4) and, where the file would pass 5 MB, taken at every
    second, fourth, ... time or position; the page says so.

    Parameters
    ----------
    run : Run
        With voltage recorded at 2 positions or more. Gates, currents and concentrations add to what can
        be shown: ``Record(gates=True, currents=True)``.
    path : path-like
        Ends in .html.
    progress : bool
        Whether to show a progress bar, if standard error is a terminal.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ValueError
        If voltage was not recorded, or the path has another ending.
    FileNotFoundError
        If the folder does not exist.
    """
    run = in_step(run)
    voltage_of(run, "the viewer", positions=2)
    path = checked_path(path, (".html",))
    thinning = Thinning().until(run, MOST_VALUES)
    page = _page(tell(run, thinning, progress=progress))
    while len(page) > LARGEST and thinning.can_go_on(run):
        thinning = thinning.further(run)
        page = _page(tell(run, thinning, progress=progress))
    with replacing(path) as part:
        part.write_bytes(page)
    return path


def _page(told: dict[str, Any]) -> bytes:
    """The page with everything it needs inside."""
    home = resources.files("axon.draw.viewer")

    def text(name: str) -> str:
        return home.joinpath(name).read_text(encoding="utf-8")

    # Nothing in the data may end the element it stands in.
    data = json.dumps(told, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {
        "STYLE": text("uplot/uPlot.min.css") + text("page.css"),
        "LIBRARY": text("uplot/uPlot.iife.min.js"),
        "SCRIPT": "\n".join(text(name) for name in SCRIPTS),
        "DATA": data,
    }
    page = text("page.html")
    for name, part in parts.items():
        page = page.replace(f"@{name}@", part)
    return page.encode("utf-8")

"""Still and moving pictures of a run.

Everything here reads the documented fields of a `Run` and nothing else, so a run fresh in memory and one
reopened from a file give the same picture. Figures live on their own Agg canvas: neither pyplot's state, the
chosen backend nor ``matplotlib.rcParams`` is touched.
"""

from __future__ import annotations

from axon.draw.animation import animate
from axon.draw.kymograph import plot_kymograph
from axon.draw.page import plot_run
from axon.draw.snapshots import plot_snapshots
from axon.draw.style import COLOURS, context, figure, save
from axon.draw.traces import plot_traces
from axon.draw.wake import Wake

__all__ = [
    "COLOURS",
    "Wake",
    "animate",
    "context",
    "figure",
    "plot_kymograph",
    "plot_run",
    "plot_snapshots",
    "plot_traces",
    "save",
]

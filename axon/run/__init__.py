"""A run: the result of a simulation, and its file. Measuring and drawing start here."""

from __future__ import annotations

from axon.run.file import arrays, axes, described, file_attributes, load, results, velocity_dataset
from axon.run.result import Run

__all__ = [
    "Run",
    "arrays",
    "axes",
    "described",
    "file_attributes",
    "load",
    "results",
    "velocity_dataset",
]

"""Spikes for the page: when each came to each place, how fast it travelled, and its phases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.action_potential import phases
from axon.checks import Place
from axon.draw.phases import TINTS
from axon.draw.style import COLOURS
from axon.draw.viewer.packing import pack
from axon.draw.viewer.thinning import part_of
from axon.errors import NoPropagation
from axon.measure.landmarks import NoSpike
from axon.progress import Progress

if TYPE_CHECKING:
    from axon.run import Run

Array = np.ndarray[Any, np.dtype[Any]]
Told = dict[str, Any]

TIME_STEP = 1e-4  # ms, of arrivals
MOST_ARRIVALS = 200  # at one place
MOST_VELOCITIES = 20
LOCAL = 0.1  # of the compartments: further crossings in fewer of them stayed by their electrode
PHASE_PLACES = 40  # along the axon, for which phases are found


def spikes_of(run: Run, columns: Array) -> Told:
    """Arrivals at the recorded positions `columns`, packed: one row for each spike, nan after the last."""
    here = run.recorded[columns]
    counts = np.bincount(run.spike_compartment, minlength=len(run.compartments))
    most = min(int(counts[here].max(initial=0)), MOST_ARRIVALS)
    rows = [run.arrivals(spike)[here] for spike in range(most)]
    return pack(np.array(rows).reshape(most, len(columns)), TIME_STEP)


def velocities_of(run: Run) -> list[str]:
    """The velocity of every spike that left its place, or why it has none, in words."""
    counts = np.bincount(run.spike_compartment, minlength=len(run.compartments))
    told = []
    for spike in range(min(int(counts.max(initial=0)), MOST_VELOCITIES)):
        if spike and np.mean(counts > spike) < LOCAL:
            break
        try:
            told.append(str(run.velocity(spike=spike)))
        except NoPropagation as failure:
            told.append(f"no velocity: {failure.reason}")
    return told


def phases_of(run: Run, columns: Array, *, progress: bool) -> Told:
    """The phases of every spike at places along the axon, or the reason why there are none."""
    chosen = np.unique(np.linspace(0, len(columns) - 1, min(PHASE_PLACES, len(columns))).round().astype(int))
    few = part_of(run, slice(None), columns[chosen])
    counts = np.bincount(run.spike_compartment, minlength=len(run.compartments))
    places: list[Told] = []
    with Progress(len(chosen), enabled=progress, unit="places") as bar:
        for column, place, site in zip(chosen, few.places(), few.recorded, strict=True):
            try:
                spikes = list(_spikes(few, place, min(counts[site], MOST_ARRIVALS)))
            except ValueError as error:  # recorded too sparsely: it will be so at every place
                return {"missing": str(error), "tints": {}, "places": []}
            if spikes:
                places.append({"column": int(column), "spikes": spikes})
            bar.advance(1)
    missing = "" if places else "no spike at any of the places looked at"
    return {
        "missing": missing,
        "tints": {name: COLOURS[tint] for name, tint in TINTS.items()},
        "places": places,
    }


def _spikes(run: Run, place: Place, count: int) -> Iterator[list[Told]]:
    """The phases of one spike at a place after the other, `count` at most."""
    with contextlib.suppress(NoSpike):
        for spike in range(count):
            yield _rows(run, place, spike)


def _rows(run: Run, place: Place, spike: int) -> list[Told]:
    return [
        {
            "name": row.name,
            "start": _rounded(row.start),
            "end": _rounded(row.end),
            "channel": row.dominant or "",
            "missing": row.missing,
        }
        for row in phases(run, at=place, spike=spike)
    ]


def _rounded(time: float | None) -> float | None:
    return None if time is None else round(float(time), 6)

"""Invented runs to draw: a spike without physics, of known speed, on axons of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import axon
from axon import Axon, Pulse, Record, Run, Section

SPEED = 20_000.0  # um/ms, of the invented wave: 20 m/s
SQUID = Axon(length=40_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
TIMES = np.arange(0.0, 5.01, 0.05)
POSITIONS = (np.arange(100) + 0.5) * 400.0
HIDDEN = {"dx": 400.0, "dt": 0.05, "duration": 5.0, "order": 2, "steps": 100, "compartments": 100}


def invented(
    cable: Axon = SQUID, start: Callable[[Any], Any] = lambda x: 1.0 + x / SPEED, **changes: Any
) -> Run:
    """A spike without physics that reaches x (um) at ``start(x)`` (ms), with a wake of 1.5 ms."""
    arrival = np.asarray(start(POSITIONS), float)
    since = TIMES[:, None] - arrival
    up = np.exp(-((since - 0.2) ** 2) / 0.02)
    late = np.where(since > 0, np.exp(-np.maximum(since, 0) / 1.5), 0.0)
    rest = cable.sections[0].membrane
    v_rest = rest.resting_potential()
    gates = {name: float(value) for name, value in rest.steady_gates(v_rest).items()}
    if gates:
        waves = {
            "m": gates["m"] + 0.9 * up * (1 - gates["m"]),
            "h": gates["h"] * (1 - 0.9 * late),
            "n": gates["n"] + (1 - gates["n"]) * 0.5 * late,
        }
    order = np.argsort(arrival, kind="stable")
    known: dict[str, Any] = {
        "axon": cable,
        "stimuli": (Pulse(amplitude=1000, start=0.5, duration=0.2, at=0),),
        "record": Record(gates=True),
        "numerics": HIDDEN,
        "time": TIMES,
        "position": POSITIONS,
        "voltage": v_rest + 95.0 * up - 8.0 * late,
        "gates": waves if gates else {},
        "currents": {},
        "spike_time": arrival[order],
        "spike_position": POSITIONS[order],
        "spike_compartment": np.arange(100)[order],
        "provenance": {},
    }
    return Run(**{**known, **changes})


RUN = invented()
RING = invented(replace(SQUID, ring=True))
COLLISION = invented(start=lambda x: 1.0 + np.minimum(x, 40_000 - x) / SPEED)
THIRD = Section(10_000, 476, axon.hodgkin_huxley(), celsius=18.5)
JOINED = invented(Axon(sections=(THIRD, replace(THIRD, diameter=300), replace(THIRD, length=20_000))))
PASSIVE = invented(replace(SQUID, membrane=axon.passive()))
SILENT = replace(RUN, spike_time=np.empty(0), spike_position=np.empty(0), spike_compartment=np.empty(0, int))
UNGATED = replace(RUN, gates={})
CURRENTS = replace(
    RUN, currents={"Na": -(RUN.gates["m"] ** 3) / RUN.gates["m"].max() ** 3, "K": RUN.gates["n"] - 1}
)
SPARSE = replace(
    RUN,
    position=POSITIONS[[3, 40, 90]],
    voltage=RUN.voltage[:, [3, 40, 90]],
    gates={name: gate[:, [3, 40, 90]] for name, gate in RUN.gates.items()},
)
RUNS = {
    "plain": RUN,
    "ring": RING,
    "collision": COLLISION,
    "joined": JOINED,
    "passive": PASSIVE,
    "silent": SILENT,
    "ungated": UNGATED,
    "sparse": SPARSE,
}


def opened(path: Path) -> tuple[int, tuple[int, int], float]:
    """Frames, size and seconds of a GIF."""
    with Image.open(path) as film:
        frames, size, total = film.n_frames, film.size, 0
        for k in range(frames):
            film.seek(k)
            total += film.info["duration"]
    return frames, size, total / 1e3

"""What one compartment costs per step, in every tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from statistics import median
from typing import Any

from _benchmark.own import AXON, axons_of
from _benchmark.problem import Peer, Problem
from axon.protocols.wave import travelling_wave

Answer = dict[str, Any]


LOOP = "axon, time loop alone"
BRIEF = 5


def cost(peers: Sequence[Peer], problem: Problem, rounds: int) -> Answer:
    """Nanoseconds per compartment-step of every tool, and ratios to axon's."""
    tools = [AXON, *(peer for peer in peers if peer.many or len(problem.diameters) == 1)]
    trials = {tool.name: tool.prepare(problem, False) for tool in tools}
    longer = dataclasses.replace(problem, duration=3 * problem.duration)
    further = AXON.prepare(longer, False)
    spent: dict[str, list[float]] = {name: [] for name in (AXON.name, LOOP, *trials)}
    for turn in range(rounds + 1):
        seconds = {name: trial()[0] for name, trial in trials.items() if name != AXON.name}
        # So brief that whatever else the machine does shows: several times a turn, like the others' seconds.
        seconds[AXON.name] = median(trials[AXON.name]()[0] for _ in range(BRIEF))
        seconds[LOOP] = (median(further()[0] for _ in range(BRIEF)) - seconds[AXON.name]) / 2
        if turn:  # the first warms up
            for name in spent:
                spent[name].append(seconds[name] / problem.work * 1e9)
    return {
        "axons": len(problem.diameters),
        "compartments": problem.compartments,
        "dt_ms": problem.dt,
        "duration_ms": problem.duration,
        "ns_per_compartment_step": {name: spread(values) for name, values in spent.items()},
        "times_axon": {peer: ratio(spent[peer], spent[AXON.name]) for peer in spent},
        "times_loop": {peer: ratio(spent[peer], spent[LOOP]) for peer in spent},
    }


def velocities(peers: Sequence[Peer], problem: Problem) -> Answer:
    """Velocity (m/s) of every tool at the problem's steps, beside that of the travelling wave."""
    once = dataclasses.replace(problem, duration=12.0)
    wave = travelling_wave(axons_of(problem)[0]).velocity
    found = {tool.name: once.speed(tool.prepare(once, True)()[1]) for tool in [AXON, *peers]}
    return {
        name: {"velocity_m_per_s": velocity, "error": velocity / wave - 1} for name, velocity in found.items()
    }


def spread(values: Sequence[float]) -> Answer:
    return {"median": median(values), "least": min(values), "greatest": max(values)}


def ratio(values: Sequence[float], others: Sequence[float]) -> Answer:
    """Ratio of the medians, and the least and greatest within one turn."""
    each = [a / b for a, b in zip(values, others, strict=True)]
    return {"median": median(values) / median(others), "least": min(each), "greatest": max(each)}

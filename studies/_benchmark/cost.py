"""What one compartment costs per step, in every tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from statistics import median
from typing import Any

from _benchmark.own import AXON
from _benchmark.problem import Peer, Problem

Answer = dict[str, Any]


def cost(peers: Sequence[Peer], problem: Problem, rounds: int) -> Answer:
    """Nanoseconds per compartment-step of every tool, ratios to axon's, and velocities at these steps."""
    tools = [AXON, *(peer for peer in peers if peer.many or len(problem.diameters) == 1)]
    trials = {tool.name: tool.prepare(problem, False) for tool in tools}
    spent: dict[str, list[float]] = {name: [] for name in trials}
    for turn in range(rounds + 1):
        for name, trial in trials.items():
            seconds = trial()[0]
            if turn:  # the first warms up
                spent[name].append(seconds / problem.work * 1e9)
    check = dataclasses.replace(problem, diameters=problem.diameters[:1], duration=12.0)
    return {
        "axons": len(problem.diameters),
        "compartments": problem.compartments,
        "dt_ms": problem.dt,
        "duration_ms": problem.duration,
        "ns_per_compartment_step": {name: spread(values) for name, values in spent.items()},
        "times_axon": {name: ratio(spent[name], spent["axon"]) for name in spent if name != "axon"},
        "velocity_m_per_s": {
            tool.name: check.speed(tool.prepare(check, True)()[1]) for tool in tools if rounds
        },
    }


def spread(values: Sequence[float]) -> Answer:
    return {"median": median(values), "least": min(values), "greatest": max(values)}


def ratio(values: Sequence[float], others: Sequence[float]) -> Answer:
    """Ratio of the medians, and the least and greatest within one turn."""
    each = [a / b for a, b in zip(values, others, strict=True)]
    return {"median": median(values) / median(others), "least": min(each), "greatest": max(each)}

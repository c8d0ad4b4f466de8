"""axon itself, as the peers are measured, except that its clock runs over the complete call."""

from __future__ import annotations

import time

import numpy as np

import axon
from _benchmark import squid
from _benchmark.problem import NOT_WATCHED, Array, Peer, Problem, Trial
from axon import provenance


def axons_of(problem: Problem) -> list[axon.Axon]:
    """The problem's axons."""
    return [
        axon.Axon(
            length=problem.length,
            diameter=diameter,
            membrane=axon.hodgkin_huxley(),
            axial_resistivity=squid.RESISTIVITY,
            celsius=problem.celsius,
        )
        for diameter in problem.diameters
    ]


def pulse_of(problem: Problem) -> axon.Pulse:
    """The problem's pulse."""
    return axon.Pulse(amplitude=problem.amplitude, start=problem.start, duration=problem.pulse, at=0)


def _prepare(problem: Problem, watch: bool) -> Trial:
    axons, pulse = axons_of(problem), pulse_of(problem)

    def trial() -> tuple[float, Array]:
        begun = time.process_time()
        runs = axon.simulate_many(
            axons,
            pulse,
            duration=problem.duration,
            dt=problem.dt,
            dx=problem.length / problem.compartments,
            record=axon.Record(voltage=None),
            threads=1,
            progress=False,
        )
        seconds = time.process_time() - begun
        if not watch:
            return seconds, NOT_WATCHED
        return seconds, np.array([run.arrivals()[problem.watched] for run in runs])

    return trial


AXON = Peer(
    "axon",
    "staggered Crank-Nicolson, order 2; the complete call, with every spike recorded",
    provenance.axon_version(),
    _prepare,
)

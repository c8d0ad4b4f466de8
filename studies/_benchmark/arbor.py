"""Arbor on one thread, with the vector units its wheel was built for."""

from __future__ import annotations

import functools
import time
from importlib import import_module
from typing import Any

import numpy as np

from _benchmark import squid
from _benchmark.problem import NOT_WATCHED, SITES, Array, Peer, Problem, Trial


def look(release: str) -> list[Peer]:
    arbor = import_module("arbor")
    config = arbor.config()
    setting = f"implicit Euler, SIMD {'on' if config['vectorize'] else 'off'} ({config['arch']}), one thread"
    return [Peer("Arbor", setting, release, functools.partial(_prepare, arbor))]


def _prepare(arbor: Any, problem: Problem, watch: bool) -> Trial:
    u = arbor.units
    properties = arbor.neuron_cable_properties()
    properties.catalogue = arbor.default_catalogue()
    cells = [_cell(arbor, problem, diameter, watch) for diameter in problem.diameters]

    class Recipe(arbor.recipe):  # type: ignore[misc, name-defined]
        def num_cells(self) -> int:
            return len(cells)

        def cell_kind(self, gid: int) -> Any:
            return arbor.cell_kind.cable

        def cell_description(self, gid: int) -> Any:
            return cells[gid]

        def global_properties(self, kind: Any) -> Any:
            return properties

    recipe = Recipe()
    simulation = arbor.simulation(recipe, arbor.context(threads=1))
    # "all" collects nothing without MPI (0.12)
    simulation.record(arbor.spike_recording.local if watch else arbor.spike_recording.off)

    def trial() -> tuple[float, Array]:
        simulation.reset()
        begun = time.process_time()
        simulation.run(problem.duration * u.ms, problem.dt * u.ms)
        seconds = time.process_time() - begun
        if not watch:
            return seconds, NOT_WATCHED
        arrivals = np.full((len(cells), len(SITES)), np.nan)
        for (gid, site), when in reversed(simulation.spikes()):
            arrivals[gid, site] = when
        return seconds, arrivals

    return trial


def _cell(arbor: Any, problem: Problem, diameter: float, watch: bool) -> Any:
    u, radius = arbor.units, diameter / 2
    tree = arbor.segment_tree()
    ends = arbor.mpoint(0, 0, 0, radius), arbor.mpoint(problem.length, 0, 0, radius)
    tree.append(arbor.mnpos, *ends, tag=1)
    decor = arbor.decor()
    decor.set_property(
        Vm=squid.REST * u.mV,
        cm=0.01 * squid.CAPACITANCE * u.F / u.m2,
        rL=squid.RESISTIVITY * u.Ohm * u.cm,
        tempK=(problem.celsius + 273.15) * u.Kelvin,
    )
    # concentrations play no part: the reversal potentials are fixed
    decor.set_ion("na", int_con=10 * u.mM, ext_con=140 * u.mM, rev_pot=squid.E_NA * u.mV)
    decor.set_ion("k", int_con=54.4 * u.mM, ext_con=2.5 * u.mM, rev_pot=squid.E_K * u.mV)
    squid_values = {"el": squid.E_LEAK, "gnabar": squid.G_NA, "gkbar": squid.G_K, "gl": squid.G_LEAK}
    decor.paint("(all)", arbor.density("hh", squid_values))
    start, length = problem.start * u.ms, (problem.stop - problem.start) * u.ms
    decor.place("(location 0 0)", arbor.i_clamp(start, length, problem.amplitude * u.nA))
    for site, k in enumerate(problem.watched if watch else []):
        x = (k + 0.5) / problem.compartments
        decor.place(f"(location 0 {x!r})", arbor.threshold_detector(squid.THRESHOLD * u.mV), f"site {site}")
    return arbor.cable_cell(
        tree, decor, arbor.label_dict(), arbor.cv_policy_fixed_per_branch(problem.compartments)
    )

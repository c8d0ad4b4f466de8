"""NEURON (fixed and variable step) and CoreNEURON."""

from __future__ import annotations

import functools
import os
import time
from importlib import import_module
from typing import Any

import numpy as np

from _benchmark import squid
from _benchmark.problem import NOT_WATCHED, SITES, Array, Peer, Prepare, Problem, Trial, first_crossing


def look(release: str) -> list[Peer]:
    cn = "Crank-Nicolson, secondorder=2, cache efficient"
    peers = [
        Peer("NEURON", f"{cn}, rate tables of 1 mV", release, _setting(tables=True)),
        Peer("NEURON, no tables", f"{cn}, exact rates", release, _setting(tables=False)),
    ]
    in_core = _setting(tables=True, in_core=True)
    if _core_works(peers[0].prepare, in_core):
        setting = f"{cn}, rate tables of 1 mV; its set-up is measured and subtracted"
        peers.append(Peer("CoreNEURON", setting, release, in_core))
    return peers


def cvode(tolerance: float) -> Prepare:
    """NEURON's variable step (exact rates) at this absolute tolerance, in place of the problem's dt."""
    return _setting(tables=False, tolerance=tolerance)


def _setting(*, tables: bool, in_core: bool = False, tolerance: float | None = None) -> Prepare:
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    h = import_module("neuron").h
    core = import_module("neuron.coreneuron")
    core.verbose = 0
    return functools.partial(_prepare, h, core, tables=tables, in_core=in_core, tolerance=tolerance)


def _core_works(neuron: Prepare, core: Prepare) -> bool:
    small = Problem((476.0,), 1e5, 6.3, 5000.0, 0.2, 10.0, 100, 0.05)
    try:
        arrivals = core(small, True)()[1]
    except RuntimeError:
        return False
    return bool(np.allclose(arrivals, neuron(small, True)()[1], rtol=1e-6, atol=0.0))


def _prepare(
    h: Any,
    core: Any,
    problem: Problem,
    watch: bool,
    *,
    tables: bool,
    in_core: bool,
    tolerance: float | None,
) -> Trial:
    def trial() -> tuple[float, Array]:
        # NEURON steps whatever exists, so each trial builds its own axons and lets them go.
        axons = [_axon(h, problem, diameter) for diameter in problem.diameters]
        h.celsius, h.secondorder, h.dt, h.usetable_hh = problem.celsius, 2, problem.dt, int(tables)
        solver, parallel = h.CVode(), h.ParallelContext()
        solver.cache_efficient(1)
        solver.active(int(tolerance is not None))
        if tolerance is not None:
            solver.atol(tolerance)
            solver.condition_order(2)
        parallel.set_maxstep(10.0)
        where = [(section, (k + 0.5) / problem.compartments) for section, _ in axons for k in problem.watched]
        watched = [_watch(h, section(x), section, tolerance) for section, x in where] if watch else []
        core.enable = in_core
        try:
            once = _run(h, parallel, problem.dt) if in_core else 0.0
            seconds = _run(h, parallel, problem.duration) - once
        finally:
            core.enable = False
            solver.active(0)
        if not watch:
            return seconds, NOT_WATCHED
        arrivals = [_arrival(record, problem.dt, tolerance) for _, record in watched]
        return seconds, np.reshape(arrivals, (len(axons), len(SITES)))

    return trial


def _axon(h: Any, problem: Problem, diameter: float) -> tuple[Any, Any]:
    section = h.Section()
    section.L, section.diam, section.nseg = problem.length, diameter, problem.compartments
    section.Ra, section.cm = squid.RESISTIVITY, squid.CAPACITANCE
    section.insert("hh")
    section.gnabar_hh, section.gkbar_hh, section.gl_hh = squid.G_NA, squid.G_K, squid.G_LEAK
    section.ena, section.ek, section.el_hh = squid.E_NA, squid.E_K, squid.E_LEAK
    clamp = h.IClamp(section(0))
    clamp.delay, clamp.dur, clamp.amp = problem.start, problem.stop - problem.start, problem.amplitude
    return section, clamp


def _watch(h: Any, segment: Any, section: Any, tolerance: float | None) -> tuple[Any, Any]:
    if tolerance is None:
        return None, h.Vector().record(segment._ref_v)
    detector, times = h.NetCon(segment._ref_v, None, sec=section), h.Vector()
    detector.threshold = squid.THRESHOLD
    detector.record(times)
    return detector, times


def _arrival(record: Any, dt: float, tolerance: float | None) -> float:
    values = np.array(record)
    if tolerance is None:
        return first_crossing(values, dt)
    return float(values[0]) if len(values) else np.nan


def _run(h: Any, parallel: Any, duration: float) -> float:
    h.finitialize(squid.REST)
    begun = time.process_time()
    parallel.psolve(duration)
    return time.process_time() - begun

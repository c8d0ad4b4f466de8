"""The simulators that `benchmark` measures beside axon, each doing the same work in its best honest setting.

Every peer gets the same axons: squid membrane of Hodgkin & Huxley 1952 with the leak at -54.387 mV, 35.4 ohm cm,
1 uF/cm2, rest at -65 mV, a current step into x = 0. What is timed is its time loop alone, on the processor's clock;
building, compiling, initialising and reading results out are free. A peer that cannot be imported is listed, not
guessed at.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

G_NA, G_K, G_LEAK = 0.120, 0.036, 0.0003  # S/cm2
E_NA, E_K, E_LEAK = 50.0, -77.0, -54.387  # mV
REST = -65.0  # mV
RESISTIVITY = 35.4  # ohm cm
THRESHOLD = -20.0  # mV
SITES = (0.4, 0.5, 0.6, 0.7, 0.8)  # where arrivals are looked for, as fractions of the length


@dataclass(frozen=True)
class Problem:
    """Axons of one length that differ in diameter at most, and how finely to step them."""

    diameters: tuple[float, ...]  # um, one per axon
    length: float  # um
    celsius: float
    amplitude: float  # nA, from `start`
    pulse: float  # ms
    duration: float  # ms
    compartments: int  # per axon
    dt: float  # ms
    start: float = 0.1  # ms

    @property
    def work(self) -> float:
        """Compartment-steps."""
        return len(self.diameters) * self.compartments * self.duration / self.dt

    @property
    def stop(self) -> float:
        """End of the pulse, ms; a pulse longer than the run ends with it."""
        return min(self.start + self.pulse, self.duration)

    @property
    def watched(self) -> list[int]:
        """Compartments nearest to SITES."""
        return [min(int(site * self.compartments), self.compartments - 1) for site in SITES]

    def speed(self, arrivals: Array) -> float:
        """Velocity (m/s) of the first axon from its arrivals (ms) at the watched compartments."""
        position = (np.array(self.watched) + 0.5) * self.length / self.compartments
        return 1e-3 / float(np.polyfit(position, arrivals[0], 1)[0])


# One trial: seconds of the time loop, and the arrivals (axons, sites) in ms, empty where not watched.
Trial = Callable[[], tuple[float, Array]]
Prepare = Callable[[Problem, bool], Trial]
NOT_WATCHED = np.zeros((0, 0))


@dataclass(frozen=True)
class Peer:
    """A simulator in one setting.

    ``prepare(problem, watch)`` gives the trial; ``many`` says whether it takes several axons.
    """

    name: str
    setting: str
    version: str
    prepare: Prepare
    many: bool = True


def find_peers() -> tuple[list[Peer], dict[str, str]]:
    """The peers that can be imported here, and why the others cannot."""
    found: list[Peer] = []
    missing: dict[str, str] = {}
    for package, look in (("neuron", _neuron), ("arbor", _arbor), ("brian2", _brian), ("jaxley", _jaxley)):
        try:
            peers = look(version(package))
        except ImportError:
            missing[package] = "not installed"
        except Exception as error:  # an import that breaks is news for the table, not the end of it
            missing[package] = f"installed, but does not import: {error}"
        else:
            found += peers
    return found, missing


def first_crossing(v: Array, dt: float) -> float:
    """When v (mV, one value per step) first rises through THRESHOLD, ms, by the cubic through four steps."""
    above = np.flatnonzero((v[:-1] < THRESHOLD) & (v[1:] >= THRESHOLD))
    if not len(above):
        return np.nan
    k = int(np.clip(above[0], 1, len(v) - 3))
    cubic = np.polynomial.Polynomial.fit(np.arange(4.0), v[k - 1 : k + 3] - THRESHOLD, 3)
    roots = cubic.roots()
    inside = roots[(abs(roots.imag) < 1e-9) & (roots.real >= above[0] - k + 1) & (roots.real <= above[0] - k + 2)]
    return float(k - 1 + inside[0].real) * dt


# NEURON and CoreNEURON


def _neuron(release: str) -> list[Peer]:
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    h = import_module("neuron").h
    core = import_module("neuron.coreneuron")
    core.verbose = 0
    prepare = functools.partial(functools.partial, _prepare_neuron, h, core)
    cn = "Crank-Nicolson, secondorder=2, cache efficient"
    peers = [
        Peer("NEURON", f"{cn}, rate tables of 1 mV", release, prepare(tables=True, in_core=False)),
        Peer("NEURON, no tables", f"{cn}, exact rates", release, prepare(tables=False, in_core=False)),
    ]
    if _core_works(peers[0], prepare(tables=True, in_core=True)):
        setting = f"{cn}, rate tables of 1 mV; its set-up is measured and subtracted"
        peers.append(Peer("CoreNEURON", setting, release, prepare(tables=True, in_core=True)))
    return peers


def cvode(peers: list[Peer]) -> Callable[[float], Prepare] | None:
    """NEURON's variable step as a function of its absolute tolerance, where NEURON is among the peers."""
    if not any(peer.name == "NEURON" for peer in peers):
        return None
    h, core = import_module("neuron").h, import_module("neuron.coreneuron")
    return lambda tolerance: functools.partial(
        _prepare_neuron, h, core, tables=False, in_core=False, tolerance=tolerance
    )


def _core_works(neuron: Peer, prepare: Prepare) -> bool:
    small = Problem((476.0,), 1e5, 6.3, 5000.0, 0.2, 10.0, 100, 0.05)
    try:
        arrivals = prepare(small, True)()[1]
    except RuntimeError:
        return False
    return bool(np.allclose(arrivals, neuron.prepare(small, True)()[1], rtol=1e-6, atol=0.0))


def _prepare_neuron(
    h: Any, core: Any, problem: Problem, watch: bool, *, tables: bool, in_core: bool, tolerance: float | None = None
) -> Trial:
    def trial() -> tuple[float, Array]:
        # NEURON steps whatever exists, so each trial builds its own axons and lets them go.
        axons = [_neuron_axon(h, problem, diameter) for diameter in problem.diameters]
        h.celsius, h.secondorder, h.dt, h.usetable_hh = problem.celsius, 2, problem.dt, int(tables)
        solver, parallel = h.CVode(), h.ParallelContext()
        solver.cache_efficient(1)
        solver.active(int(tolerance is not None))
        if tolerance is not None:
            solver.atol(tolerance)
            solver.condition_order(2)
        parallel.set_maxstep(10.0)
        where = [(section, (k + 0.5) / problem.compartments) for section, _ in axons for k in problem.watched]
        watched = [_neuron_watch(h, section(x), section, tolerance) for section, x in where] if watch else []
        core.enable = in_core
        try:
            once = _neuron_run(h, parallel, problem.dt) if in_core else 0.0
            seconds = _neuron_run(h, parallel, problem.duration) - once
        finally:
            core.enable = False
            solver.active(0)
        if not watch:
            return seconds, NOT_WATCHED
        arrivals = [_neuron_arrival(record, problem.dt, tolerance) for _, record in watched]
        return seconds, np.reshape(arrivals, (len(axons), len(SITES)))

    return trial


def _neuron_axon(h: Any, problem: Problem, diameter: float) -> tuple[Any, Any]:
    section = h.Section()
    section.L, section.diam, section.nseg, section.Ra, section.cm = (
        problem.length,
        diameter,
        problem.compartments,
        RESISTIVITY,
        1.0,
    )
    section.insert("hh")
    section.el_hh, section.gnabar_hh, section.gkbar_hh, section.gl_hh = E_LEAK, G_NA, G_K, G_LEAK
    section.ena, section.ek = E_NA, E_K
    clamp = h.IClamp(section(0))
    clamp.delay, clamp.dur, clamp.amp = problem.start, problem.stop - problem.start, problem.amplitude
    return section, clamp


def _neuron_watch(h: Any, segment: Any, section: Any, tolerance: float | None) -> tuple[Any, Any]:
    if tolerance is None:
        return None, h.Vector().record(segment._ref_v)
    detector, times = h.NetCon(segment._ref_v, None, sec=section), h.Vector()
    detector.threshold = THRESHOLD
    detector.record(times)
    return detector, times


def _neuron_arrival(record: Any, dt: float, tolerance: float | None) -> float:
    values = np.array(record)
    return first_crossing(values, dt) if tolerance is None else float(values[0])


def _neuron_run(h: Any, parallel: Any, duration: float) -> float:
    h.finitialize(REST)
    begun = time.process_time()
    parallel.psolve(duration)
    return time.process_time() - begun


# Arbor


def _arbor(release: str) -> list[Peer]:
    arbor = import_module("arbor")
    config = arbor.config()
    setting = f"implicit Euler, SIMD {'on' if config['vectorize'] else 'off'} ({config['arch']}), one thread"
    return [Peer("Arbor", setting, release, functools.partial(_prepare_arbor, arbor))]


def _prepare_arbor(arbor: Any, problem: Problem, watch: bool) -> Trial:
    u = arbor.units
    properties = arbor.neuron_cable_properties()
    properties.catalogue = arbor.default_catalogue()
    cells = [_arbor_cell(arbor, problem, diameter, watch) for diameter in problem.diameters]

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


def _arbor_cell(arbor: Any, problem: Problem, diameter: float, watch: bool) -> Any:
    u, radius = arbor.units, diameter / 2
    tree = arbor.segment_tree()
    ends = arbor.mpoint(0, 0, 0, radius), arbor.mpoint(problem.length, 0, 0, radius)
    tree.append(arbor.mnpos, *ends, tag=1)
    decor = arbor.decor()
    decor.set_property(
        Vm=REST * u.mV,
        cm=0.01 * u.F / u.m2,
        rL=RESISTIVITY * u.Ohm * u.cm,
        tempK=(problem.celsius + 273.15) * u.Kelvin,
    )
    # concentrations play no part: the reversal potentials are fixed
    decor.set_ion("na", int_con=10 * u.mM, ext_con=140 * u.mM, rev_pot=E_NA * u.mV)
    decor.set_ion("k", int_con=54.4 * u.mM, ext_con=2.5 * u.mM, rev_pot=E_K * u.mV)
    decor.paint("(all)", arbor.density("hh", {"el": E_LEAK, "gnabar": G_NA, "gkbar": G_K, "gl": G_LEAK}))
    length = problem.stop - problem.start
    decor.place("(location 0 0)", arbor.i_clamp(problem.start * u.ms, length * u.ms, problem.amplitude * u.nA))
    for site, k in enumerate(problem.watched if watch else []):
        x = (k + 0.5) / problem.compartments
        decor.place(f"(location 0 {x!r})", arbor.threshold_detector(THRESHOLD * u.mV), f"site {site}")
    return arbor.cable_cell(
        tree, decor, arbor.label_dict(), arbor.cv_policy_fixed_per_branch(problem.compartments)
    )


# Brian2


def _brian(release: str) -> list[Peer]:
    brian = import_module("brian2")
    prepare = functools.partial(_prepare_brian, brian)
    setting = "C++ standalone, exponential Euler, one thread; its own clock of the loop"
    return [Peer("Brian2", setting, release, prepare, many=False)]


_BRIAN_MODEL = """
Im = g_leak*(E_leak - v) + g_na*m**3*h*(E_na - v) + g_k*n**4*(E_k - v) : amp/meter**2
I : amp (point current)
dm/dt = q*(am*(1 - m) - bm*m) : 1
dh/dt = q*(ah*(1 - h) - bh*h) : 1
dn/dt = q*(an*(1 - n) - bn*n) : 1
am = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
bm = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
ah = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
bh = 1/(exp(-(v + 35*mV)/(10*mV)) + 1)/ms : Hz
an = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
bn = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
"""


def _prepare_brian(b: Any, problem: Problem, watch: bool) -> Trial:
    folder = tempfile.TemporaryDirectory()
    b.set_device("cpp_standalone", directory=folder.name, build_on_run=False)
    b.device.reinit()
    b.device.activate(directory=folder.name, build_on_run=False)
    b.defaultclock.dt = problem.dt * b.ms
    density = b.siemens / b.cm**2
    axon = b.SpatialNeuron(
        morphology=b.Cylinder(
            length=problem.length * b.um, diameter=problem.diameters[0] * b.um, n=problem.compartments
        ),
        model=_BRIAN_MODEL,
        Cm=1 * b.uF / b.cm**2,
        Ri=RESISTIVITY * b.ohm * b.cm,
        method="exponential_euler",
        namespace={
            "g_na": G_NA * density,
            "g_k": G_K * density,
            "g_leak": G_LEAK * density,
            "E_na": E_NA * b.mV,
            "E_k": E_K * b.mV,
            "E_leak": E_LEAK * b.mV,
            "q": 3.0 ** ((problem.celsius - 6.3) / 10),
        },
    )
    axon.v = REST * b.mV
    axon.m, axon.h, axon.n = "am/(am + bm)", "ah/(ah + bh)", "an/(an + bn)"
    monitor = b.StateMonitor(axon, "v", record=problem.watched) if watch else None
    parts = [monitor] if watch else []
    network = b.Network(axon, *parts)
    for current, length in (
        (0.0, problem.start),
        (problem.amplitude, problem.stop - problem.start),
        (0.0, problem.duration - problem.stop),
    ):
        axon.I[0] = current * b.nA
        if length > 0:
            network.run(length * b.ms)
    b.device.build(directory=folder.name, compile=True, run=False, debug=False)
    device = b.device

    def trial() -> tuple[float, Array]:
        assert folder.name
        device.run(folder.name, with_output=False, run_args=[])
        if monitor is None:
            return device._last_run_time, NOT_WATCHED
        traces = np.asarray(monitor.v / b.mV)
        return device._last_run_time, np.array([[first_crossing(v, problem.dt) for v in traces]])

    return trial


# Jaxley


def _jaxley(release: str) -> list[Peer]:
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    jaxley = import_module("jaxley")
    setting = "JAX on the CPU, implicit Euler, vmap over axons, jit compiled; processor time of all its threads"
    return [Peer("Jaxley", setting, release, functools.partial(_prepare_jaxley, jax, jaxley))]


def _squid_channel(jnp: Any) -> Any:
    channels = import_module("jaxley.channels")
    relax = import_module("jaxley.solver_gate").solve_gate_exponential

    def linoid(x: Any) -> Any:
        near = jnp.abs(x) < 1e-6
        safe = jnp.where(near, 1.0, x)
        return jnp.where(near, 1.0 + x / 2, safe / (1.0 - jnp.exp(-safe)))

    def rates(v: Any, q: float) -> dict[str, tuple[Any, Any]]:
        return {
            "squid_m": (q * linoid((v + 40) / 10), q * 4 * jnp.exp(-(v + 65) / 18)),
            "squid_h": (q * 0.07 * jnp.exp(-(v + 65) / 20), q / (jnp.exp(-(v + 35) / 10) + 1)),
            "squid_n": (q * 0.1 * linoid((v + 55) / 10), q * 0.125 * jnp.exp(-(v + 65) / 80)),
        }

    class Squid(channels.Channel):  # type: ignore[misc, name-defined]
        def __init__(self, q: float) -> None:
            self.current_is_in_mA_per_cm2 = True
            super().__init__("squid")
            self.q = q
            self.channel_params: dict[str, float] = {}
            self.channel_states = dict.fromkeys(("squid_m", "squid_h", "squid_n"), 0.5)
            self.current_name = "i_squid"

        def update_states(self, states: Any, dt: Any, v: Any, params: Any) -> Any:
            return {name: relax(states[name], dt, *pair) for name, pair in rates(v, self.q).items()}

        def compute_current(self, states: Any, v: Any, params: Any) -> Any:
            m, h, n = (states[f"squid_{gate}"] for gate in "mhn")
            return G_NA * m**3 * h * (v - E_NA) + G_K * n**4 * (v - E_K) + G_LEAK * (v - E_LEAK)

        def init_state(self, states: Any, v: Any, params: Any, dt: Any) -> Any:
            return {name: a / (a + b) for name, (a, b) in rates(v, self.q).items()}

    return Squid


def _prepare_jaxley(jax: Any, jaxley: Any, problem: Problem, watch: bool) -> Trial:
    jnp = jax.numpy
    cell = jaxley.Cell(jaxley.Branch(jaxley.Compartment(), ncomp=problem.compartments), parents=[-1])
    settings = {
        "length": problem.length / problem.compartments,
        "radius": problem.diameters[0] / 2,
        "axial_resistivity": RESISTIVITY,
        "capacitance": 1.0,
        "v": REST,
    }
    for name, value in settings.items():
        cell.set(name, value)
    cell.insert(_squid_channel(jnp)(3.0 ** ((problem.celsius - 6.3) / 10)))
    cell.init_states()
    at = (np.arange(round(problem.duration / problem.dt)) + 0.5) * problem.dt
    on = (at > problem.start) & (at < problem.stop)
    silent, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115
    try:
        cell.branch(0).comp(0).stimulate(jnp.where(on, problem.amplitude, 0.0))
        for k in problem.watched if watch else problem.watched[-1:]:
            cell.branch(0).comp(k).record()
        cell.make_trainable("radius")
    finally:
        sys.stdout.close()
        sys.stdout = silent

    def integrate(radius: Any) -> Any:
        return jaxley.integrate(cell, params=[{"radius": radius}], delta_t=problem.dt, solver="bwd_euler")

    run = jax.jit(jax.vmap(integrate))
    radii = jnp.array(problem.diameters)[:, None] / 2
    run(radii).block_until_ready()

    def trial() -> tuple[float, Array]:
        begun = time.process_time()
        traces = run(radii).block_until_ready()
        seconds = time.process_time() - begun
        if not watch:
            return seconds, NOT_WATCHED
        # its first sample is the initial state
        return seconds, np.array([[first_crossing(v, problem.dt) for v in axon] for axon in np.asarray(traces)])

    return trial

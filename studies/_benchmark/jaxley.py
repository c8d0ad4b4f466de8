"""Jaxley on the CPU, jit compiled."""

from __future__ import annotations

import contextlib
import functools
import io
import time
from importlib import import_module
from typing import Any

import numpy as np

from _benchmark import squid
from _benchmark.problem import NOT_WATCHED, Array, Peer, Problem, Trial, first_crossing


def look(release: str) -> list[Peer]:
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    jaxley = import_module("jaxley")
    setting = (
        "JAX on the CPU, implicit Euler, vmap over axons, jit compiled; processor time of all its threads"
    )
    return [Peer("Jaxley", setting, release, functools.partial(_prepare, jax, jaxley), scan=False)]


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
            return (
                squid.G_NA * m**3 * h * (v - squid.E_NA)
                + squid.G_K * n**4 * (v - squid.E_K)
                + squid.G_LEAK * (v - squid.E_LEAK)
            )

        def init_state(self, states: Any, v: Any, params: Any, dt: Any) -> Any:
            return {name: a / (a + b) for name, (a, b) in rates(v, self.q).items()}

    return Squid


def _prepare(jax: Any, jaxley: Any, problem: Problem, watch: bool) -> Trial:
    jnp = jax.numpy
    cell = jaxley.Cell(jaxley.Branch(jaxley.Compartment(), ncomp=problem.compartments), parents=[-1])
    settings = {
        "length": problem.length / problem.compartments,
        "radius": problem.diameters[0] / 2,
        "axial_resistivity": squid.RESISTIVITY,
        "capacitance": squid.CAPACITANCE,
        "v": squid.REST,
    }
    for name, value in settings.items():
        cell.set(name, value)
    cell.insert(_squid_channel(jnp)(squid.speed_up(problem.celsius)))
    cell.init_states()
    at = (np.arange(round(problem.duration / problem.dt)) + 0.5) * problem.dt
    on = (at > problem.start) & (at < problem.stop)
    with contextlib.redirect_stdout(io.StringIO()):
        cell.branch(0).comp(0).stimulate(jnp.where(on, problem.amplitude, 0.0))
        for k in problem.watched if watch else problem.watched[-1:]:
            cell.branch(0).comp(k).record()
        cell.make_trainable("radius")

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
        return seconds, np.array(
            [[first_crossing(v, problem.dt) for v in axon] for axon in np.asarray(traces)]
        )

    return trial

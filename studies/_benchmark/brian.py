"""Brian2, compiled to C++."""

from __future__ import annotations

import functools
import sys
import tempfile
from importlib import import_module
from typing import Any

import numpy as np

from _benchmark import squid
from _benchmark.problem import NOT_WATCHED, Array, Peer, Problem, Trial, first_crossing


def look(release: str) -> list[Peer]:
    hook = sys.excepthook
    brian = import_module("brian2")
    sys.excepthook = hook  # it would report every later error as its own
    prepare = functools.partial(_prepare, brian)
    setting = "C++ standalone, exponential Euler, one thread; timed by itself, but for the first 0.1 ms"
    return [Peer("Brian2", setting, release, prepare, many=False, scan=False)]


_MODEL = """
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


def _prepare(b: Any, problem: Problem, watch: bool) -> Trial:
    if problem.stop < problem.duration:
        raise ValueError(f"here Brian2 takes pulses that last to the end, got {problem.pulse} ms")
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
        model=_MODEL,
        Cm=squid.CAPACITANCE * b.uF / b.cm**2,
        Ri=squid.RESISTIVITY * b.ohm * b.cm,
        method="exponential_euler",
        namespace={
            "g_na": squid.G_NA * density,
            "g_k": squid.G_K * density,
            "g_leak": squid.G_LEAK * density,
            "E_na": squid.E_NA * b.mV,
            "E_k": squid.E_K * b.mV,
            "E_leak": squid.E_LEAK * b.mV,
            "q": squid.speed_up(problem.celsius),
        },
    )
    axon.v = squid.REST * b.mV
    axon.m, axon.h, axon.n = "am/(am + bm)", "ah/(ah + bh)", "an/(an + bn)"
    monitor = b.StateMonitor(axon, "v", record=problem.watched) if watch else None
    network = b.Network(axon, *([monitor] if watch else []))
    network.run(problem.start * b.ms)
    axon.I[0] = problem.amplitude * b.nA
    network.run((problem.duration - problem.start) * b.ms)
    b.device.build(directory=folder.name, compile=True, run=False, debug=False)
    device = b.device

    def trial() -> tuple[float, Array]:
        assert folder  # which holds the program, and goes when the trial does
        device.run(folder.name, with_output=False, run_args=[])
        if monitor is None:
            return device._last_run_time, NOT_WATCHED
        traces = np.asarray(monitor.v / b.mV)
        return device._last_run_time, np.array([[first_crossing(v, problem.dt) for v in traces]])

    return trial

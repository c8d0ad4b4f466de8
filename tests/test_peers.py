"""axon against NEURON: on one mesh and at one step, the staggered Crank-Nicolson scheme of both agrees."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import axon

os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
neuron = pytest.importorskip("neuron", reason="NEURON is not installed: pip install 'axon[peers]'")

Array = NDArray[np.floating]

REST, THRESHOLD = -65.0, -20.0  # mV
DX, DT, DURATION = (
    250.0,
    0.0025,
    7.0,
)  # um, ms, ms; so short a step that either's error is below 0.03 % of velocity
PULSE = axon.Pulse(amplitude=20_000.0, start=0.1, duration=0.2, at=0)


@dataclass(frozen=True)
class Traces:
    """V of every compartment at every step, and where the compartments are."""

    time: Array  # ms
    position: Array  # um
    voltage: Array  # (time, position) mV

    def arrivals(self) -> Array:
        """First rise through threshold of every compartment, ms, nan where there is none."""
        found = np.full(len(self.position), np.nan)
        for i, v in enumerate(self.voltage.T):
            above = np.flatnonzero((v[:-1] < THRESHOLD) & (v[1:] >= THRESHOLD))
            if len(above):
                k = above[0]
                found[i] = self.time[k] + (THRESHOLD - v[k]) / (v[k + 1] - v[k]) * DT
        return found

    def velocity(self, first: float, last: float) -> float:
        """m/s between two positions (um)."""
        inside = (self.position >= first) & (self.position <= last)
        return 1e-3 / float(np.polyfit(self.position[inside], self.arrivals()[inside], 1)[0])


def by_axon(cable: axon.Axon) -> Traces:
    run = axon.simulate(
        cable, PULSE, duration=DURATION, dt=DT, dx=DX, initial_voltage=REST, record=axon.Record(every=DT)
    )
    assert run.voltage is not None
    return Traces(run.time, run.position, run.voltage)


def by_neuron(cable: axon.Axon) -> Traces:
    """The same compartments in NEURON: Crank-Nicolson, rate tables off, gates steady at REST."""
    h: Any = neuron.h
    sections = [neuron_section(h, section) for section in cable.sections]
    for number, section in enumerate(sections):
        parent = cable.parent(number)
        if parent is not None:
            section.connect(sections[parent](1))
    clamp = h.IClamp(sections[0](0))
    clamp.delay, clamp.dur, clamp.amp = PULSE.start, PULSE.duration, PULSE.amplitude
    records = [h.Vector().record(segment._ref_v) for section in sections for segment in section]
    h.celsius, h.secondorder, h.dt, h.usetable_hh = cable.sections[0].celsius, 2, DT, 0
    h.finitialize(REST)
    while h.t < DURATION - DT / 2:
        h.fadvance()
    voltage = np.array([np.array(record) for record in records]).T
    return Traces(np.arange(len(voltage)) * DT, cable.compartments(DX).position, voltage)


def neuron_section(h: Any, section: axon.Section) -> Any:
    made = h.Section()
    made.L, made.diam, made.nseg = section.length, section.diameter, round(section.length / DX)
    made.Ra, made.cm = section.axial_resistivity, section.membrane.capacitance
    made.insert("hh")
    made.el_hh = next(channel.reversal for channel in section.membrane.channels if channel.name == "leak")
    return made


def squid(length: float = 50_000.0, diameter: float = 476.0, celsius: float = 18.5, **membrane: float) -> Any:
    kind = axon.hodgkin_huxley(**membrane)
    return axon.Section(length=length, diameter=diameter, membrane=kind, celsius=celsius)


CABLES: dict[str, Callable[[], axon.Axon]] = {
    "18.5 degC": lambda: axon.Axon(sections=[squid()]),
    "6.3 degC": lambda: axon.Axon(sections=[squid(celsius=6.3)]),
    "NEURON's leak": lambda: axon.Axon(sections=[squid(e_leak=-54.3)]),
    "a step in diameter": lambda: axon.Axon(
        sections=[squid(length=25_000), squid(length=25_000, diameter=900)]
    ),
    "a tree": lambda: axon.forked(
        squid(length=25_000),
        axon.forked(squid(length=15_000, diameter=300), *[squid(length=10_000, diameter=200)] * 2),
        squid(length=20_000, diameter=400),
    ),
}


@pytest.fixture(scope="module", params=CABLES)
def both(request: pytest.FixtureRequest) -> tuple[Traces, Traces]:
    cable = CABLES[request.param]()
    return by_axon(cable), by_neuron(cable)


def test_voltage_is_neurons_everywhere_at_every_step(both: tuple[Traces, Traces]) -> None:
    ours, theirs = both
    assert theirs.voltage.max() > 40.0
    # what remains is the rounding of the rate tables
    assert_allclose(ours.voltage, theirs.voltage, rtol=0.0, atol=1e-4)


def test_spike_arrives_everywhere_when_it_does_in_neuron(both: tuple[Traces, Traces]) -> None:
    ours, theirs = both
    assert np.isfinite(theirs.arrivals()).all()
    assert_allclose(ours.arrivals(), theirs.arrivals(), rtol=0.0, atol=1e-6)


def test_velocity_is_neurons(both: tuple[Traces, Traces]) -> None:
    ours, theirs = both
    for stretch in ((5_000.0, 20_000.0), (30_000.0, 45_000.0)):
        assert_allclose(ours.velocity(*stretch), theirs.velocity(*stretch), rtol=1e-6, atol=0.0)


def test_a_cell_from_a_file_is_neuron_s() -> None:
    # 0.1 nA into the soma until nothing changes; Import3d too puts neurites on the middle of the soma.
    pytest.importorskip("morphio", reason="MorphIO is not installed: pip install 'axon[swc]'")
    path = Path(__file__).parent / "data" / "small.swc"
    membrane = axon.passive(conductance=1e-4, reversal=REST)
    tree = axon.read_swc(path, membrane, axial_resistivity=150.0, piece=1.0)
    pulse = axon.Pulse(amplitude=0.1, duration=math.inf, at=(0, 10.0))
    run = axon.simulate(tree, pulse, duration=400, dt=0.5, record=axon.Record(every=400, threshold=500))
    assert run.voltage is not None
    inner = {tree.parent(number) for number in range(len(tree.sections))}
    ends = [number for number in range(len(tree.sections)) if number not in inner]
    ours = [float(run.voltage[-1, run.at((number, 0.0))]) for number in (0, *ends[:-1])]  # the last is soma

    h: Any = neuron.h
    h.load_file("stdlib.hoc")
    h.load_file("import3d.hoc")
    reader = h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(str(path))
    h.Import3d_GUI(reader, 0).instantiate(None)
    for section in h.allsec():
        section.insert("pas")
        section.Ra, section.nseg, section.g_pas, section.e_pas = 150.0, 101, 1e-4, REST
    soma = h.soma[0]
    soma.nseg = 1
    clamp = h.IClamp(soma(0.5))
    clamp.dur, clamp.amp, h.secondorder, h.dt = 1e9, 0.1, 0, 1e6
    h.finitialize(REST)
    for _ in range(5):
        h.fadvance()
    theirs = [soma(0.5).v] + [s(1).v for s in h.allsec() if not s.children() and s is not soma]
    assert sorted(ours) == pytest.approx(sorted(theirs), abs=0.01)
    assert max(theirs) > REST + 20

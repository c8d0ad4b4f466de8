"""An MRG fibre in NEURON: its `extracellular` mechanism, and the node's channels by its ChannelBuilder."""

from __future__ import annotations

import time
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import axon

Array = NDArray[np.float64]

LINOID, SIGMOID = 3, 4  # NEURON's forms of a rate, with parameters A, k and d
Form = tuple[int, tuple[float, float, float]]
# MRGaxon's AXNODE (ModelDB 3810): opening, closing, Q10 and its temperature of every gate.
RATES: dict[str, tuple[Form, Form, float, float]] = {
    "m": ((LINOID, (1.86 * 10.3, 1 / 10.3, -21.4)), (LINOID, (0.086 * 9.16, -1 / 9.16, -25.7)), 2.2, 20.0),
    "h": ((LINOID, (0.062 * 11, -1 / 11, -114)), (SIGMOID, (2.3, -1 / 13.4, -31.8)), 2.9, 20.0),
    "p": ((LINOID, (0.01 * 10.2, 1 / 10.2, -27)), (LINOID, (0.00025 * 10, -1 / 10, -34)), 2.2, 20.0),
    "s": ((SIGMOID, (0.3, -1 / 5, -53)), (SIGMOID, (0.03, -1.0, -90)), 3.0, 36.0),
}
CHANNELS: dict[str, tuple[float, float, tuple[tuple[str, int], ...]]] = {
    "mrg_na": (3.0, 50.0, (("m", 3), ("h", 1))),
    "mrg_nap": (0.01, 50.0, (("p", 3),)),
    "mrg_ks": (0.08, -90.0, (("s", 1),)),
}
SHORT_CIRCUIT = 1e10  # S/cm2, from the periaxonal space to the bath where there is no myelin


class Outcome(NamedTuple):
    """What a run gave."""

    time: Array  # ms
    voltage: Array  # (time, nodes) mV, across the membrane
    seconds: float  # of the processor, that stepping took


@cache
def _channels(h: Any, celsius: float) -> list[Any]:
    """The node's channels at one temperature; NEURON knows them as long as they live."""
    made = []
    for name, (density, reversal, gates) in CHANNELS.items():
        channel = h.KSChan(0)
        channel.name(name)
        channel.ion("NonSpecific")
        channel.iv_type(0)
        channel.gmax(density)
        channel.erev(reversal)
        channel.usetable(0)
        for number, (gate, power) in enumerate(gates):
            *forms, q10, reference = RATES[gate]
            warm = q10 ** ((celsius - reference) / 10)
            channel.add_hhstate(gate)
            channel.gate(number).power(power)
            rates = channel.trans(number)
            rates.type(0)
            for direction, (form, (a, k, d)) in enumerate(forms):
                rates.set_f(direction, form, h.Vector([a * warm, k, d]))
        made.append(channel)
    return made


def fibre_in_neuron(h: Any, fibre: axon.Axon) -> list[Any]:
    """The sections of an MRG fibre, one compartment each."""
    _channels(h, fibre.sections[0].celsius)
    made: list[Any] = []
    for section in fibre.sections:
        assert section.myelin is not None
        part, myelin = h.Section(), section.myelin
        part.nseg, part.L, part.diam = 1, section.length, section.diameter
        part.Ra, part.cm = section.axial_resistivity, section.membrane.capacitance
        part.insert("extracellular")
        part.xraxial[0] = section.periaxonal_resistance() / (section.length * 1e-4)  # MOhm/cm
        part.xg[0], part.xc[0] = SHORT_CIRCUIT, 0.0
        if myelin.lamellae:
            wider = myelin.diameter / section.diameter  # NEURON counts per area of the axon
            part.xg[0] = myelin.through(myelin.conductance) * wider
            part.xc[0] = myelin.through(myelin.capacitance) * wider
        part.insert("pas")
        leak = next(channel for channel in section.membrane.channels if channel.name == "leak")
        assert isinstance(leak, axon.Channel)
        part.g_pas, part.e_pas = leak.conductance, leak.reversal
        for name in CHANNELS if section.membrane.gates else ():
            part.insert(name)
        if made:
            part.connect(made[-1](1))
        made.append(part)
    return made


def run_in_neuron(
    h: Any, fibre: axon.Axon, pulse: axon.Pulse, *, dt: float, duration: float, initial: float = -80.0
) -> Outcome:
    """Step a fibre by backward Euler, all that NEURON has beside `extracellular` at a fixed step."""
    sections = fibre_in_neuron(h, fibre)
    clamp = h.IClamp(sections[0](0.5))
    clamp.delay, clamp.dur, clamp.amp = pulse.start, pulse.duration, pulse.amplitude
    records = [h.Vector().record(sections[node](0.5)._ref_v) for node in fibre.nodes]
    h.celsius, h.secondorder, h.dt = fibre.sections[0].celsius, 0, dt
    h.finitialize(initial)
    steps = round(duration / dt)
    began = time.process_time()
    for _ in range(steps):
        h.fadvance()
    seconds = time.process_time() - began
    return Outcome(np.arange(steps + 1) * dt, np.array([np.array(r) for r in records]).T, seconds)


def arrivals(time: Array, voltage: Array, threshold: float = -20.0) -> Array:
    """First rise through threshold at every site, ms, between samples by a straight line."""
    found = np.full(voltage.shape[1], np.nan)
    for site, v in enumerate(voltage.T):
        above = np.flatnonzero((v[:-1] < threshold) & (v[1:] >= threshold))
        if len(above):
            k = above[0]
            found[site] = time[k] + (threshold - v[k]) / (v[k + 1] - v[k]) * (time[k + 1] - time[k])
    return found


def velocity(fibre: axon.Axon, outcome: Outcome) -> float:
    """m/s over the nodes from 40 to 80 % of the way, where axon measures it."""
    x = np.array([fibre.starts[node] for node in fibre.nodes])
    inside = (x >= 0.4 * x[-1] - 1e-6) & (x <= 0.8 * x[-1] + 1e-6)
    return 1e-3 / float(np.polyfit(x[inside], arrivals(outcome.time, outcome.voltage)[inside], 1)[0])

"""A channel of one's own against NEURON: written as NumPy functions here, with the ChannelBuilder there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from test_peers import DT, DURATION, DX, PULSE, REST, Traces, by_axon

import axon
from axon import Channel, Gate, Membrane, hodgkin_huxley

neuron = pytest.importorskip("neuron", reason="NEURON is not installed: pip install 'axon[peers]'")

Array = NDArray[np.float64]

CELSIUS = 18.5
WARM = 3.0 ** ((CELSIUS - 6.3) / 10)
# NEURON's forms: what they are, and their parameters A, k and d.
LINOID, EXPONENTIAL, SIGMOID = 3, 2, 4
DELAYED, A_TYPE = "own_delayed", "own_a"


def alpha_n(v: Array) -> Array:
    return 0.015 * (v + 52) / (1 - np.exp(-(v + 52) / 9))


def beta_n(v: Array) -> Array:
    return 0.2 * np.exp(-(v + 60) / 70)


def alpha_a(v: Array) -> Array:
    return 0.05 * (v + 40) / (1 - np.exp(-(v + 40) / 12))


def beta_a(v: Array) -> Array:
    return 0.3 * np.exp(-(v + 50) / 40)


def b_inf(v: Array) -> Array:
    return 1 / (1 + np.exp((v + 60) / 8))


def tau_b(v: Array) -> Array:
    return 12 / WARM / (1 + np.exp(-(v + 70) / 20))


def own_membrane() -> Membrane:
    """The squid's sodium and leak, another delayed rectifier, and an A current."""
    n = Gate("n", 4, alpha=alpha_n, beta=beta_n, q10=3.0)
    a = Gate("a", 3, alpha=alpha_a, beta=beta_a, q10=3.0)
    b = Gate("b", 1, inf=b_inf, tau=tau_b)
    squid = hodgkin_huxley(e_leak=-54.3).without("K")
    return squid + Channel("K", 0.04, -79.0, (n,)) + Channel("A", 0.02, -75.0, (a, b))


@pytest.fixture(scope="module")
def built() -> Any:
    """Both channels in NEURON."""
    h: Any = neuron.h
    delayed, a_type = h.KSChan(0), h.KSChan(0)
    for channel, name, density, reversal in ((delayed, DELAYED, 0.04, -79.0), (a_type, A_TYPE, 0.02, -75.0)):
        channel.name(name)
        channel.ion("NonSpecific")
        channel.iv_type(0)
        channel.gmax(density)
        channel.erev(reversal)
        channel.usetable(0)
    by_rates(h, delayed, 0, "n", 4, (0.015 * 9, 1 / 9, -52), (0.2, -1 / 70, -60))
    by_rates(h, a_type, 0, "a", 3, (0.05 * 12, 1 / 12, -40), (0.3, -1 / 40, -50))
    a_type.add_hhstate("b")
    b = a_type.trans(1)
    b.type(1)
    b.set_f(0, SIGMOID, h.Vector([1.0, 1 / 8, -60]))
    b.set_f(1, SIGMOID, h.Vector([12 / WARM, -1 / 20, -70]))
    return delayed, a_type


def by_rates(
    h: Any, channel: Any, number: int, name: str, power: int, opening: tuple, closing: tuple
) -> None:
    channel.add_hhstate(name)
    channel.gate(number).power(power)
    rates = channel.trans(number)
    rates.type(0)
    rates.set_f(0, LINOID, h.Vector([opening[0] * WARM, *opening[1:]]))
    rates.set_f(1, EXPONENTIAL, h.Vector([closing[0] * WARM, *closing[1:]]))


def in_neuron(cable: axon.Axon) -> Traces:
    h: Any = neuron.h
    (piece,) = cable.sections
    made = h.Section()
    made.L, made.diam, made.nseg = piece.length, piece.diameter, round(piece.length / DX)
    made.Ra, made.cm = piece.axial_resistivity, piece.membrane.capacitance
    for mechanism in ("hh", DELAYED, A_TYPE):
        made.insert(mechanism)
    made.gkbar_hh, made.el_hh = 0.0, -54.3
    clamp = h.IClamp(made(0))
    clamp.delay, clamp.dur, clamp.amp = PULSE.start, PULSE.duration, PULSE.amplitude
    records = [h.Vector().record(segment._ref_v) for segment in made]
    h.celsius, h.secondorder, h.dt, h.usetable_hh = piece.celsius, 2, DT, 0
    h.finitialize(REST)
    while h.t < DURATION - DT / 2:
        h.fadvance()
    voltage = np.array([np.array(record) for record in records]).T
    return Traces(np.arange(len(voltage)) * DT, cable.compartments(DX).position, voltage)


def test_a_channel_written_both_ways_gives_the_same_spike(built: Any) -> None:
    cable = axon.Axon(sections=[axon.Section(50_000, 476, own_membrane(), celsius=CELSIUS)])
    ours, theirs = by_axon(cable), in_neuron(cable)
    assert theirs.voltage.max() > 20
    # The A current and the other rectifier are no small change of the squid's membrane.
    squid = by_axon(axon.Axon(sections=[axon.Section(50_000, 476, hodgkin_huxley(), celsius=CELSIUS)]))
    assert np.abs(squid.voltage - ours.voltage).max() > 10
    assert_allclose(ours.voltage, theirs.voltage, rtol=0, atol=1e-3)
    assert_allclose(ours.arrivals(), theirs.arrivals(), rtol=0, atol=1e-6)
    stretch = (10_000.0, 40_000.0)
    assert_allclose(ours.velocity(*stretch), theirs.velocity(*stretch), rtol=1e-6, atol=0)

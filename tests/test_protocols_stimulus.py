"""The default stimulus starts a spike in any axon, and is scaled by what it has to charge."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import axon
from axon.geometry import Axon, Section
from axon.membranes import hodgkin_huxley, passive
from axon.protocols.stimulus import suprathreshold_pulse


def squid(diameter: float, celsius: float = 6.3, length: float | None = None) -> Axon:
    """Some 30 length constants of squid axon, unless told."""
    length = 8000 * math.sqrt(diameter / 10) if length is None else length
    return Axon(length=length, diameter=diameter, membrane=hodgkin_huxley(), celsius=celsius)


def spikes(cable: Axon, pulse: axon.Pulse) -> bool:
    """Whether a spike has got as far as three quarters of the axon within 6 ms."""
    run = axon.simulate(cable, pulse, duration=6, record=axon.Record(voltage=None), progress=False)
    return bool(np.any(np.abs(run.spike_position - pulse.at) > 0.75 * (cable.length - pulse.at)))


@pytest.mark.parametrize("celsius", [5.0, 6.3, 18.5, 30.0])
@pytest.mark.parametrize("diameter", [0.5, 20.0, 476.0, 1000.0])
@pytest.mark.parametrize("where", [0.0, 0.5])
def test_starts_a_spike_at_any_diameter_and_temperature(
    diameter: float, celsius: float, where: float
) -> None:
    cable = squid(diameter, celsius, length=2000 * math.sqrt(diameter / 10))
    pulse = suprathreshold_pulse(cable, at=where * cable.length)
    assert spikes(cable, pulse)
    assert spikes(cable, replace(pulse, amplitude=pulse.amplitude / 3))  # with room to spare
    assert not spikes(cable, replace(pulse, amplitude=pulse.amplitude / 7))  # and not by brute force


@pytest.mark.parametrize("duration", [0.01, 0.05, 0.2, 1.0])
def test_starts_a_spike_with_pulses_short_and_long(duration: float) -> None:
    cable = squid(476)
    assert spikes(cable, suprathreshold_pulse(cable, duration=duration))


def test_starts_a_spike_in_an_axon_shorter_than_its_length_constant() -> None:
    cable = squid(476, length=500)
    assert spikes(cable, suprathreshold_pulse(cable))


def test_long_cable_agrees_with_its_input_impedance() -> None:
    d, ra, c, settling = 476e-4, 35.4, 1e-6, 0.2e-3  # cm, ohm cm, F/cm2, s
    r, c = ra / (math.pi * d**2 / 4), c * math.pi * d
    amplitude = 0.1 / math.sqrt(r * settling / c) * 1e9  # 100 mV; A -> nA
    assert suprathreshold_pulse(squid(476), dx=20).amplitude == pytest.approx(amplitude, rel=0.02)


def test_grows_with_diameter_to_the_three_halves() -> None:
    thin, thick = (suprathreshold_pulse(squid(d)).amplitude for d in (1.0, 100.0))
    assert thick / thin == pytest.approx(1000, rel=0.01)


def test_middle_of_the_axon_and_a_ring_need_twice_the_current_of_an_end() -> None:
    end, middle = (suprathreshold_pulse(squid(476), at=x).amplitude for x in (0, squid(476).length / 2))
    section = Section(length=squid(476).length, diameter=476, membrane=hodgkin_huxley())
    ring = suprathreshold_pulse(Axon(sections=(section,), ring=True), at=section.length / 2).amplitude
    assert middle / end == pytest.approx(2, rel=0.05)
    assert ring == pytest.approx(middle, rel=1e-2)


def test_very_short_axon_needs_its_charge_alone() -> None:
    cable = Axon(length=1, diameter=10, membrane=passive())
    capacitance = 1e3 * math.pi * 10e-4 * 1e-4  # nF, at 1 uF/cm2
    assert suprathreshold_pulse(cable).amplitude == pytest.approx(capacitance * 100 / 0.2, rel=1e-2)


def test_short_pulse_carries_the_charge_of_a_long_one() -> None:
    short, long = (suprathreshold_pulse(squid(476), duration=t) for t in (0.05, 0.2))
    assert short.amplitude * short.duration == pytest.approx(long.amplitude * long.duration, rel=1e-2)


def test_timing_and_place_are_those_asked_for() -> None:
    pulse = suprathreshold_pulse(squid(10), start=2.0, duration=0.1, at=300)
    assert (pulse.start, pulse.duration, pulse.at) == (2.0, 0.1, 300)


@pytest.mark.parametrize(
    "wrong", [{"duration": 0.0}, {"duration": -1.0}, {"at": -1.0}, {"at": 1e9}, {"dx": 1e9}]
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        suprathreshold_pulse(squid(10), **wrong)

"""Axons whose compartments are all alike are laid out by a shorter way: it must lead to the same bits."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import axon
from axon import Axon, Pulse
from axon.discretise.cable import build_cable
from axon.geometry import End

HH = axon.hodgkin_huxley()
WHOLE = replace(  # numbers that a user writes without a decimal point
    HH, name="whole", channels=tuple(replace(c, reversal=round(c.reversal)) for c in HH.channels)
)
MEMBRANES = [HH, WHOLE, axon.frankenhaeuser_huxley(), axon.sundt(), axon.passive()]
NEXT_TO_NOTHING = End(conductance=1e-300)  # makes the general way be taken


@pytest.mark.parametrize("membrane", MEMBRANES, ids=lambda membrane: membrane.name)
@pytest.mark.parametrize(("length", "dx"), [(100, 100), (300, 100), (7000, 130.0)])
def test_one_section_is_cut_as_several_are(membrane: axon.Membrane, length: float, dx: float) -> None:
    plain = Axon(length=length, diameter=33.3, membrane=membrane, axial_resistivity=70, celsius=21)
    short = plain.compartments(dx)
    long = replace(plain, ends=("sealed", NEXT_TO_NOTHING)).compartments(dx)
    assert short.even and not long.even
    for field in fields(short):
        if field.name not in ("even", "end_conductance", "membranes"):
            one, other = getattr(short, field.name), getattr(long, field.name)
            assert_array_equal(one, other)
            assert np.asarray(one).dtype == np.asarray(other).dtype
    assert short.membranes == long.membranes


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("at", [(0.0,), (0.0, 0.0), (450.0,), (6990.0, 0.0), ()])
@pytest.mark.parametrize("membrane", MEMBRANES, ids=lambda membrane: membrane.name)
def test_the_cable_is_that_of_the_general_way(
    membrane: axon.Membrane, at: tuple[float, ...], order: int, ring: bool
) -> None:
    whole = Axon(length=7000, diameter=33.3, membrane=membrane, celsius=21, ring=ring)
    even = whole.compartments(130)
    pulses = [Pulse(amplitude=1, duration=1, at=x) for x in at]
    v = np.full(len(even), -63.7)
    short, long = (
        build_cable(compartments, pulses, [], v, np.zeros(len(v)), dt=0.01, order=order)
        for compartments in (even, replace(even, even=False))
    )
    for field in fields(short):
        one, other = getattr(short, field.name), getattr(long, field.name)
        if isinstance(one, np.ndarray):
            assert_array_equal(one, other)
            assert one.dtype == other.dtype
    assert short.patches == long.patches
    assert_array_equal(short.frame.like, long.frame.like)  # type: ignore[union-attr]

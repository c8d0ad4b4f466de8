"""Sections and axons, and the one place where they become compartments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from axon import Axon, Section, hodgkin_huxley, passive
from axon.geometry import default_dx, length_constant

HH, PASSIVE = hodgkin_huxley(), passive(capacitance=2.0)
UNIFORM = Axon(length=1_000, diameter=20, membrane=HH)
MIXED = Axon(
    sections=[
        Section(1_000, 20, HH, axial_resistivity=50, celsius=10),
        Section(300, 4, PASSIVE),
        Section(600, 20, hodgkin_huxley(), axial_resistivity=50, celsius=10),
    ]
)


def test_a_uniform_compartment_has_the_numbers_worked_out_by_hand() -> None:
    cut = UNIFORM.compartments(100)
    assert len(cut) == 10
    assert_allclose(cut.position, np.arange(50.0, 1_000, 100), rtol=1e-14, atol=0)
    assert_allclose(cut.length, 100.0, rtol=1e-14, atol=0)
    # pi * 20 um * 100 um = 6283.2 um2; 1 uF/cm2
    assert_allclose(cut.area, 6.283185307179586e-5, rtol=1e-14, atol=0)
    assert_allclose(cut.capacitance, 6.283185307179586e-2, rtol=1e-14, atol=0)
    # 35.4 ohm cm * 0.01 cm / (pi * (0.001 cm)^2) = 112681.7 ohm
    assert_allclose(cut.axial_conductance, 1e6 / 112_681.69980, rtol=1e-9, atol=0)
    assert cut.axial_conductance.shape == (9,)


def test_sections_meet_through_half_a_compartment_of_each() -> None:
    cut = MIXED.compartments(100)
    assert_array_equal(cut.section, [0] * 10 + [1] * 3 + [2] * 6)
    thick = 50 * 0.005 / (np.pi * 0.001**2)  # ohm
    thin = 35.4 * 0.005 / (np.pi * 0.0002**2)
    assert_allclose(
        cut.axial_conductance[[8, 9, 10, 12]] * 1e-6,
        1 / np.array([2 * thick, thick + thin, 2 * thin, thick + thin]),
        rtol=1e-12,
        atol=0,
    )
    assert_array_equal(cut.diameter, [20.0] * 10 + [4.0] * 3 + [20.0] * 6)
    assert_array_equal(cut.celsius, [10.0] * 10 + [6.3] * 3 + [10.0] * 6)
    assert_array_equal(cut.resistivity, [50.0] * 10 + [35.4] * 3 + [50.0] * 6)
    assert_allclose(cut.capacitance[11], 2.0 * np.pi * 4 * 100 * 1e-8 * 1e3, rtol=1e-14, atol=0)
    assert cut.membranes == (HH, PASSIVE)
    assert_array_equal(cut.membrane, [0] * 10 + [1] * 3 + [0] * 6)


@given(st.lists(st.floats(1, 5_000), min_size=1, max_size=6), st.floats(1, 700), st.booleans())
def test_compartments_tile_the_axon_without_gap(lengths: list[float], dx: float, ring: bool) -> None:
    dx = min(dx, *lengths)
    axon = Axon(sections=[Section(length, 10, PASSIVE) for length in lengths], ring=ring)
    cut = axon.compartments(dx)
    left, right = cut.position - cut.length / 2, cut.position + cut.length / 2
    assert_allclose(left[0], 0.0, rtol=0, atol=1e-9)
    assert_allclose(left[1:], right[:-1], rtol=1e-12, atol=1e-9)
    assert_allclose(right[-1], axon.total_length, rtol=1e-12, atol=0)
    assert cut.length.max() <= dx * (1 + 1e-6)
    assert len(cut.axial_conductance) == len(cut) - (not ring)
    if ring:
        assert np.all(np.bincount(cut.section) % 16 == 0)


def test_axial_resistance_of_the_whole_does_not_depend_on_the_mesh() -> None:
    total = [np.sum(1 / MIXED.compartments(dx).axial_conductance) for dx in (1.0, 0.5)]
    length = np.array([0.1, 0.03, 0.06])
    exact = np.sum([50, 35.4, 50] * length / (np.pi * np.array([1e-3, 2e-4, 1e-3]) ** 2)) * 1e-6  # Mohm
    # The two end compartments contribute their inner halves only.
    assert_allclose(2 * total[1] - total[0], exact, rtol=1e-9, atol=0)


def test_a_ring_joins_its_last_compartment_to_its_first() -> None:
    cut = replace(MIXED, ring=True).compartments(100)
    assert_array_equal(np.bincount(cut.section), [16, 16, 16])
    half = np.array(
        [
            s.axial_resistivity * s.length / 32 * 1e-4 / (np.pi * (s.diameter * 5e-5) ** 2)
            for s in MIXED.sections
        ]
    )
    assert_allclose(cut.axial_conductance[-1], 1e6 / (half[0] + half[2]), rtol=1e-12, atol=0)


def test_length_constants_are_those_of_the_textbook() -> None:
    section = Section(1_000, 4, passive())
    assert_allclose(
        length_constant(section, conductance=0.0003),
        1e4 * np.sqrt(4e-4 / (4 * 35.4 * 0.0003)),
        rtol=1e-12,
        atol=0,
    )
    # Hines & Carnevale 2001: lambda_f = 1/2 sqrt(d / (pi f Ra C))
    assert_allclose(
        length_constant(section, 100.0),
        1e4 * 0.5 * np.sqrt(4e-4 / (np.pi * 100 * 35.4 * 1e-6)),
        rtol=1e-12,
        atol=0,
    )
    with pytest.raises(ValueError, match="needs a frequency > 0 Hz or a conductance > 0 S/cm2, got neither"):
        length_constant(section)


def test_default_dx_goes_with_the_root_of_diameter_over_resistivity_and_capacitance() -> None:
    here = default_dx(Section(1_000, 100, HH))
    assert_allclose(default_dx(Section(1_000, 400, HH)), 2 * here, rtol=1e-12, atol=0)
    assert_allclose(
        default_dx(Section(1_000, 100, HH, axial_resistivity=4 * 35.4)), here / 2, rtol=1e-12, atol=0
    )
    assert_allclose(default_dx(Section(1_000, 100, passive(capacitance=4.0))), here / 2, rtol=1e-12, atol=0)


def test_every_section_gets_its_own_default_mesh() -> None:
    cut = MIXED.compartments()
    for i, section in enumerate(MIXED.sections):
        own = cut.length[cut.section == i]
        assert default_dx(section) / 2 < own[0] <= default_dx(section)


def test_a_section_shorter_than_its_default_dx_is_one_compartment() -> None:
    assert len(Axon(length=1.0, diameter=100, membrane=HH).compartments()) == 1


@pytest.mark.parametrize("n", [1, 3, 7, 10, 49, 1_000])
def test_dx_that_divides_the_length_is_taken_exactly(n: int) -> None:
    assert len(Axon(length=1_000, diameter=1, membrane=PASSIVE).compartments(1_000 / n)) == n


def test_nearest_is_the_closest_centre() -> None:
    cut = UNIFORM.compartments(100)
    assert [cut.nearest(x) for x in (0, 99, 101, 449, 1_000)] == [0, 0, 1, 4, 9]
    assert cut.all_nearest([449, 0, 101, 99, (0, 700.0), 1_000]).tolist() == [0, 1, 4, 6, 9]


def test_many_places_are_taken_as_one_by_one_also_right_between_two_centres() -> None:
    for cut in (UNIFORM.compartments(11), UNIFORM.compartments(UNIFORM.length)):
        between = (cut.position[1:] + cut.position[:-1]) / 2
        places = [*between, *np.random.default_rng(2).uniform(0, UNIFORM.length, 300)]
        assert cut.all_nearest(places).tolist() == sorted({cut.nearest(x) for x in places})


@given(st.floats(0, 1_900))
def test_shares_of_a_point_source_keep_its_place(x: float) -> None:
    cut = MIXED.compartments(100)
    where, share = cut.shares(x)
    assert_allclose(share.sum(), 1.0, rtol=1e-12, atol=0)
    assert np.all(share >= 0) and len(where) <= 2
    inside = np.clip(x, cut.position[0], cut.position[-1])  # up to the outermost centres
    assert_allclose(share @ cut.position[where], inside, rtol=1e-12, atol=1e-9)


def test_sections_and_scalars_say_the_same_of_a_uniform_axon() -> None:
    by_section = Axon(sections=[Section(1_000, 20, HH)])
    assert by_section.sections == tuple(UNIFORM.sections)
    assert by_section.total_length == UNIFORM.total_length == by_section.length == 1_000
    assert by_section.uniform and UNIFORM.uniform and not MIXED.uniform
    assert_array_equal(
        by_section.compartments(100).axial_conductance, UNIFORM.compartments(100).axial_conductance
    )


def test_boundaries_are_where_sections_meet() -> None:
    assert UNIFORM.boundaries == ()
    assert MIXED.boundaries == (1_000.0, 1_300.0)


def test_axons_are_varied_with_replace() -> None:
    thick = replace(UNIFORM, diameter=40.0)
    assert thick.sections[0].diameter == 40.0 and thick.diameter == 40.0
    assert replace(UNIFORM, ring=True).ring
    assert replace(MIXED, ring=True).sections == MIXED.sections


def test_axons_are_equal_and_hash_alike_when_their_numbers_are() -> None:
    twin = Axon(length=1_000, diameter=20, membrane=hodgkin_huxley(), axial_resistivity=35.4, celsius=6.3)
    assert twin == UNIFORM and hash(twin) == hash(UNIFORM)
    assert replace(UNIFORM, celsius=7.0) != UNIFORM
    assert replace(MIXED, ring=True) != MIXED


@pytest.mark.parametrize("axon", [UNIFORM, MIXED, replace(UNIFORM, ring=True), replace(MIXED, ring=True)])
def test_the_repr_is_the_call_that_made_it(axon: Axon) -> None:
    names = {"Axon": Axon, "Section": Section, "hodgkin_huxley": hodgkin_huxley, "Membrane": type(HH)}
    from axon import Channel

    assert eval(repr(axon), names | {"Channel": Channel}) == axon


def test_axons_and_sections_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        UNIFORM.length = 3.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        MIXED.sections[0].length = 3.0  # type: ignore[misc]


def uniform(**changes: object) -> Callable[[], object]:
    return lambda: Axon(**({"length": 1_000.0, "diameter": 20.0, "membrane": HH} | changes))  # type: ignore[arg-type]


def section(**changes: object) -> Callable[[], object]:
    return lambda: Section(**({"length": 1_000.0, "diameter": 20.0, "membrane": HH} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (uniform(diameter=-476), r"Axon.diameter must be > 0 um, got -476"),
        (uniform(diameter=np.nan), r"Axon.diameter must be > 0 um, got nan"),
        (uniform(diameter="476"), r"Axon.diameter must be a number > 0 um, got '476'"),
        (uniform(diameter=True), r"Axon.diameter must be a number > 0 um, got True"),
        (uniform(length=0), r"Axon.length must be > 0 um, got 0"),
        (uniform(length=np.inf), r"Axon.length must be > 0 um, got inf"),
        (uniform(axial_resistivity=0.0), r"Axon.axial_resistivity must be > 0 ohm cm, got 0.0"),
        (uniform(celsius=np.nan), r"Axon.celsius must be a finite number of degC, got nan"),
        (
            uniform(membrane="hodgkin_huxley"),
            r"Axon.membrane must be a Membrane such as hodgkin_huxley\(\), got 'hodgkin_huxley'",
        ),
        (uniform(length=None, membrane=None), r"Axon needs length and membrane \(or sections="),
        (lambda: Axon(sections=[]), r"Axon needs length and diameter and membrane"),
        (lambda: Axon(sections=[Section(1, 1, HH), 3]), r"Axon.sections must hold Section objects, got 3"),  # type: ignore[list-item]
        (
            lambda: Axon(sections=[Section(1, 1, HH)], diameter=3),
            r"give either sections, or length, diameter and membrane",
        ),
        (
            lambda: Axon(sections=[Section(1, 1, HH)], length=3),
            r"give either sections, or length, diameter and membrane",
        ),
        (section(length=-1.0), r"Section.length must be > 0 um, got -1.0"),
        (section(diameter=0.0), r"Section.diameter must be > 0 um, got 0.0"),
        (section(axial_resistivity=np.nan), r"Section.axial_resistivity must be > 0 ohm cm, got nan"),
        (section(celsius=np.inf), r"Section.celsius must be a finite number of degC, got inf"),
        (section(membrane=3), r"Section.membrane must be a Membrane, got 3"),
        (lambda: UNIFORM.compartments(0), r"dx must be > 0 um, got 0"),
        (lambda: UNIFORM.compartments(np.nan), r"dx must be > 0 um, got nan"),
        (lambda: MIXED.compartments(400), r"got 400 um, but section 1 is 300 um long; make dx smaller"),
    ],
)
def test_geometry_that_cannot_be_meant_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

"""Tapers, beads, forks, cell bodies, morphologies: against closed forms and by their own counts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import i0, i1, k0, k1

import axon
from axon import Axon, End, Pulse, Record, Section, hodgkin_huxley, passive, simulate
from axon.discretise.rest import resting_voltage

HH = hodgkin_huxley()
SPIKES = Record(voltage=None, threshold=0.0)


# What a taper, a bead, a gradient is made of


def passive_taper(x: np.ndarray, d: tuple[float, float], length: float, load: End) -> np.ndarray:
    """Exact V (mV from rest) along a passive taper, sealed at its end, that ``load`` drives at x = 0.

    (d^2 V')' = c d V with d linear in x is Bessel's equation: V = Z(2 sqrt(c d) / |d'|) / sqrt(d) with Z of
    order 1.
    """
    g, ra = 1e-3, 100.0
    slope = (d[1] - d[0]) / length
    c = 4 * ra * g * 1e-4  # 1/um
    wide = d[0] + slope * x

    def waves(width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = 2 * np.sqrt(c * width) / abs(slope)
        return i1(z) / np.sqrt(width), k1(z) / np.sqrt(width)

    def slopes(width: float) -> np.ndarray:
        """d/dx of both."""
        z = 2 * math.sqrt(c * width) / abs(slope)
        dz = z / (2 * width)
        rise = i0(z) - i1(z) / z
        fall = -k0(z) - k1(z) / z
        return slope * np.array(
            [
                rise * dz / math.sqrt(width) - i1(z) / (2 * width**1.5),
                fall * dz / math.sqrt(width) - k1(z) / (2 * width**1.5),
            ]
        )

    # Sealed at the far end, and at x = 0 the current g_load (E - V) flows in as -(pi d^2 / 4 Ra) V'.
    axial = math.pi * d[0] ** 2 / (4 * ra) * 1e-4 * 1e6  # uS um
    at_start = np.array(waves(np.array([d[0]])))[:, 0]
    matrix = np.array([slopes(d[1]), load.conductance * at_start - axial * slopes(d[0])])
    weights = np.linalg.solve(matrix, [0.0, load.conductance * load.reversal])
    return weights @ np.array(waves(wide))


@pytest.mark.parametrize("diameters", [(4.0, 16.0), (16.0, 4.0)])
def test_a_taper_is_of_second_order_in_its_pieces(diameters: tuple[float, float]) -> None:
    membrane = passive(conductance=1e-3, reversal=0.0)
    load, errors = End(conductance=0.02, reversal=50.0), []
    for pieces in (40, 80, 160, 320):
        stretch = axon.taper(1000, diameters, membrane=membrane, axial_resistivity=100.0, pieces=pieces)
        cut = Axon(sections=stretch, ends=(load, "sealed")).compartments()
        exact = passive_taper(cut.position, diameters, 1000.0, load)
        errors.append(float(np.abs(resting_voltage(cut) - exact).max()))
    assert_allclose(-np.polyfit(np.log2([40, 80, 160, 320]), np.log2(errors), 1)[0], 2.0, rtol=0, atol=0.1)
    assert errors[-1] < 2e-4  # mV, of 4 to 11 at x = 0


def test_a_spike_arrives_at_the_end_of_a_taper_with_second_order_in_its_pieces() -> None:
    arrivals = []
    for pieces in (40, 80, 160, 320):
        stretch = axon.taper(20_000, (100, 300), membrane=HH, celsius=18.5, pieces=pieces)
        run = simulate(Axon(sections=stretch), Pulse(amplitude=6000, duration=0.2), duration=4, record=SPIKES)
        arrivals.append(np.interp(15_000, run.compartments.position, run.arrivals()))
    steps = np.diff(arrivals)
    assert_allclose(np.log2(steps[-2] / steps[-1]), 2.0, rtol=0, atol=0.15)


def test_a_profile_may_be_a_number_a_function_or_an_array() -> None:
    said = [
        axon.varying(1000, d, membrane=HH, pieces=20)
        for d in ((10, 20), lambda x: 10 + x / 100, [10, 15, 20])
    ]
    assert said[0] == said[1] == said[2] == axon.taper(1000, (10, 20), membrane=HH, pieces=20)
    assert axon.varying(1000, 10, membrane=HH, pieces=20) == (Section(1000, 10.0, HH, nseg=20),)
    assert sum(s.length for s in said[0]) == pytest.approx(1000)
    assert said[0][0].diameter == pytest.approx(10.25)


def test_levels_bound_the_tables_and_the_error() -> None:
    def profile(x: np.ndarray) -> np.ndarray:
        return 20 - 10 * np.exp(-(((x - 5000) / 1000) ** 2))

    stretch = axon.varying(10_000, 100, membrane=HH, celsius=profile, levels=9, pieces=200)
    celsius = np.repeat([s.celsius for s in stretch], [s.nseg for s in stretch])
    assert len(set(celsius)) <= 9
    x = (np.arange(200) + 0.5) * 50
    assert np.abs(celsius - profile(x)).max() <= 10 / 8 / 2 + 1e-9
    assert celsius[0] == pytest.approx(20) and celsius.min() == pytest.approx(10, abs=0.01)
    blocked = axon.varying(10_000, 100, membrane=HH, scaled={"Na": lambda x: 0.5 + x / 20_000}, levels=5)
    densities = [s.membrane.channels[0].conductance / 0.12 for s in blocked]
    assert len(set(densities)) == 5 and np.all(np.diff(densities) > 0)


def test_a_gradient_of_temperature_converges_in_its_levels() -> None:
    arrivals = []
    for levels in (5, 17, 65):
        stretch = axon.varying(20_000, 200, membrane=HH, celsius=(6.0, 20.0), levels=levels, pieces=130)
        run = simulate(
            Axon(sections=stretch), Pulse(amplitude=20_000, duration=0.2), duration=4, dt=0.005, record=SPIKES
        )
        arrivals.append(np.interp(15_000, run.compartments.position, run.arrivals()))
    assert abs(arrivals[1] - arrivals[2]) < 1e-3 * arrivals[2]
    assert abs(arrivals[1] - arrivals[2]) < 0.3 * abs(arrivals[0] - arrivals[2])


def test_beads_slow_a_spike_by_what_they_add() -> None:
    fibre = {"membrane": HH, "celsius": 18.5, "every": 200.0, "bead_length": 40.0}
    plain = Axon(length=6000, diameter=1.0, membrane=HH, celsius=18.5)
    speeds = []
    for bead in (1.0, 2.0, 3.0):
        stretch = axon.beaded(6000, 1.0, bead_diameter=bead, **fibre)
        assert sum(s.length for s in stretch) == pytest.approx(6000) and len(stretch) == 61
        run = simulate(Axon(sections=stretch), Pulse(amplitude=5, duration=0.2), duration=12, record=SPIKES)
        speeds.append(run.velocity().value)
    smooth = simulate(plain, Pulse(amplitude=5, duration=0.2), duration=12, record=SPIKES).velocity().value
    assert speeds[0] == pytest.approx(smooth, rel=2e-3)
    # Beads shorter than a length constant add capacitance and little resistance: averaged along the axon.
    for bead, speed in zip((2.0, 3.0), speeds[1:], strict=True):
        surface = (160 + 40 * bead) / 200
        resistance = (160 + 40 / bead**2) / 200
        assert speed == pytest.approx(smooth / math.sqrt(surface * resistance), rel=0.03)


# Forks, cell bodies, Rall's cylinder


def rall_fork() -> Axon:
    thin = 100 / 2 ** (2 / 3)
    branch = Section(4000 * math.sqrt(thin / 100), thin, HH)
    return axon.forked(Section(3000, 100, HH), branch, branch)


def test_forks_nest_and_number_their_sections_in_order() -> None:
    a, b, c, d, e = (Section(100.0 + i, 10, HH) for i in range(5))
    tree = axon.forked([a, b], axon.forked(c, d, e), e, ends=("open", "sealed"))
    assert tree.sections == (a, b, c, d, e, e)
    assert tree.parents == (None, 0, 1, 2, 2, 1)
    assert tree.ends == ("open", "sealed")
    assert axon.forked(a, b) == Axon(sections=[a, b])


def test_the_geometric_ratio_counts_what_follows() -> None:
    assert axon.geometric_ratio(rall_fork()) == pytest.approx(1.0)
    step = Axon(sections=[Section(100, 10, HH), Section(100, 40, HH)])
    assert axon.geometric_ratio(step) == pytest.approx(8.0)
    with pytest.raises(ValueError, match="section 1 ends the axon"):
        axon.geometric_ratio(step, 1)


def test_the_equivalent_cylinder_is_as_long_in_length_constants_as_the_tree() -> None:
    found = axon.equivalent_cylinder(rall_fork())
    assert (found.length, found.diameter) == (pytest.approx(7000), pytest.approx(100))
    assert found == Section(found.length, found.diameter, HH)
    with pytest.raises(ValueError, match=r"after section 0 is 2 times"):
        axon.equivalent_cylinder(axon.forked(*[Section(100, 10, HH)] * 3))
    uneven = rall_fork()
    longer = replace(uneven.sections[2], length=5000)
    with pytest.raises(ValueError, match="section 1 ends 0.8"):
        axon.equivalent_cylinder(replace(uneven, sections=(*uneven.sections[:2], longer), length=None))
    with pytest.raises(ValueError, match="section 1 differs"):
        axon.equivalent_cylinder(Axon(sections=[Section(10, 1, HH), Section(10, 1, passive())]))


def test_a_cell_body_weighs_the_same_as_a_section_and_as_an_end() -> None:
    membrane = passive(conductance=1e-4, reversal=-70.0)
    body = axon.soma(50, membrane=membrane)
    load = axon.soma_load(50, membrane=membrane)
    assert load.conductance == pytest.approx(1e-4 * math.pi * 50**2 * 1e-8 * 1e6)
    assert load.capacitance == pytest.approx(math.pi * 50**2 * 1e-8 * 1e3)
    cable = Section(500, 5, membrane, nseg=50)
    pulse = Pulse(amplitude=0.5, duration=1.0, at=400)
    as_end = simulate(Axon(sections=[cable], ends=("sealed", load)), pulse, duration=5, dt=0.01)
    as_section = simulate(Axon(sections=[cable, body]), pulse, duration=5, dt=0.01)
    assert as_end.voltage is not None and as_section.voltage is not None
    # The End sits at the cable's last compartment and not a half compartment further.
    assert_allclose(as_end.voltage[:, :45], as_section.voltage[:, :45], rtol=0, atol=0.03)
    assert np.ptp(as_end.voltage[:, 0]) > 2


def test_a_cell_body_of_hh_rests_where_its_membrane_does() -> None:
    load = axon.soma_load(20, membrane=HH)
    assert load.reversal == pytest.approx(HH.resting_potential(6.3))
    assert load.conductance > 0


# A stretch made different


def test_a_stretch_is_cut_out_and_the_rest_stays() -> None:
    plain = Axon(length=50_000, diameter=476, membrane=HH, celsius=18.5)
    cold = axon.altered(plain, (20_000, 30_000), celsius=5.0)
    assert [(s.length, s.celsius) for s in cold.sections] == [(20_000, 18.5), (10_000, 5.0), (20_000, 18.5)]
    numb = axon.altered(cold, (0, 25_000), membrane=lambda m: m.block("Na", 0.9))
    assert [s.length for s in numb.sections] == [20_000, 5000, 5000, 20_000]
    assert [round(s.membrane.channels[0].conductance, 6) for s in numb.sections] == [0.012, 0.012, 0.12, 0.12]
    assert axon.altered(plain, (0, 50_000), diameter=100.0).sections[0].diameter == 100.0


def test_a_stretch_of_a_tree_is_cut_out_of_one_way() -> None:
    tree = axon.forked(
        Section(100, 10, HH, nseg=10),
        axon.forked(Section(100, 8, HH), Section(100, 6, HH), Section(100, 5, HH)),
        Section(100, 7, HH),
    )
    cold = axon.altered(tree, ((0, 50.0), (3, 40.0)), celsius=1.0)
    assert cold.parents == (None, 0, 1, 2, 2, 4, 1)
    assert [s.celsius for s in cold.sections] == [6.3, 1.0, 1.0, 6.3, 1.0, 6.3, 6.3]
    assert [s.length for s in cold.sections] == [50, 50, 100, 100, 40, 60, 100]
    assert cold.sections[0].nseg == cold.sections[1].nseg == 5
    assert cold.total_length == tree.total_length


# Morphologies

SMALL = Path(__file__).parent / "data" / "small.swc"


def test_a_morphology_keeps_lengths_surfaces_and_forks() -> None:
    pytest.importorskip("morphio", reason="MorphIO is not installed: pip install 'axon[swc]'")
    for piece in (20, 7.0, 1000):
        tree = axon.read_swc(SMALL, HH, piece=piece)
        cut = tree.compartments()
        # soma 20 um wide; axon 4 um wide for 50, to 2 over 50, then 2 for 50, to 1 over 50, and to 1 over 50
        surface = 20**2 + 50 * 4 + 50 * 3 + 50 * 2 + 50 * 1.5 + 50 * 1.5 + 60 * 2
        assert float(cut.area.sum()) * 1e8 == pytest.approx(math.pi * surface, rel=1e-6)
        assert tree.total_length == pytest.approx(10 + 100 + 100, rel=1e-6)  # from the pole of the soma
        inner = {tree.parent(i) for i in range(len(tree.sections))}
        assert len(set(range(len(tree.sections))) - inner) == 4  # of three neurites and the soma
    assert len(axon.read_swc(SMALL, HH, piece=1000).sections) == 6  # the soma is two halves


DENDRITE, AXON = "{} 3 10 0 0 1 1\n{} 3 110 0 0 1 {}\n", "{} 2 0 12 0 0.5 1\n{} 2 0 112 0 0.5 {}\n"
SPHERE = [(10, 20, None), (100, 2, 0), (100, 1, 0), (10, 20, 0)]


@pytest.mark.parametrize(
    ("text", "expected", "area"),
    [
        ("1 1 0 0 0 10 -1\n" + DENDRITE.format(2, 3, 2) + AXON.format(4, 5, 4), SPHERE, 1256.637),
        (
            "1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n3 1 0 10 0 10 1\n"
            + DENDRITE.format(4, 5, 4)
            + AXON.format(6, 7, 6),
            SPHERE,
            1256.637,
        ),
        ("1 1 0 0 0 10 -1\n2 3 30 0 0 1 1\n", [(10, 20, None), (30, 2, 0), (10, 20, 0)], 1256.637),
        # a tapering soma from sample to sample, with neurites at its begin, inside and at its end
        (
            "1 1 0 0 0 5 -1\n2 1 10 0 0 8 1\n3 1 20 0 0 6 2\n4 1 30 0 0 3 3\n5 3 10 10 0 1 2\n"
            "6 3 10 110 0 1 5\n7 2 33 0 0 0.5 4\n8 2 133 0 0 0.5 7\n9 3 -5 0 0 0.7 1\n10 3 -105 0 0 0.7 9\n",
            [
                *((10, 13.5724, None), (10, 14.2773, 0), (10, 9.3963, 1)),
                *((100, 1.4, None), (100, 2, 0), (100, 1, 2)),
            ],
            1170.115,
        ),
        # a soma that branches: it begins at an end where nothing grows
        (
            "1 1 0 0 0 5 -1\n2 1 10 0 0 5 1\n3 1 -8 0 0 4 1\n4 1 0 7 0 3 1\n5 3 10 10 0 1 2\n"
            "6 3 10 110 0 1 5\n",
            [(8, 9.07, None), (10, 10, 0), (100, 2, 1), (7, 8.3201, 0)],
            725.08,
        ),
        ("1 3 0 0 0 2 -1\n2 3 100 0 0 1 1\n", [(100, 3, None)], 0.0),
    ],
    ids=["sphere", "three samples", "lone sample", "cylinders", "branched", "no soma"],
)
def test_neurites_grow_from_where_the_file_says(
    text: str, expected: list, area: float, tmp_path: Path
) -> None:
    # Lengths, surfaces of somata and places of neurites as NEURON 9.0 (Import3d) and Arbor 0.12
    # (load_swc_neuron) read these files.
    pytest.importorskip("morphio", reason="MorphIO is not installed: pip install 'axon[swc]'")
    path = tmp_path / "cell.swc"
    path.write_text(text)
    soma, other = replace(passive(), name="soma"), replace(passive(), name="other")
    tree = axon.read_swc(path, {"soma": soma, "axon": other, "dendrite": other}, piece=1000)
    assert tree.sections[0].membrane.name == ("soma" if area else "other")
    for number, (length, diameter, parent) in enumerate(expected):
        section = tree.sections[number]
        assert (section.length, section.diameter) == pytest.approx((length, diameter), rel=1e-5)
        assert tree.parent(number) == parent
    assert len(tree.sections) == len(expected)
    lateral = sum(math.pi * s.length * s.diameter for s in tree.sections if s.membrane.name == "soma")
    assert lateral == pytest.approx(area, rel=1e-5)


def test_parts_of_a_morphology_may_differ_or_be_left_out() -> None:
    pytest.importorskip("morphio", reason="MorphIO is not installed: pip install 'axon[swc]'")
    mixed = axon.read_swc(SMALL, {"soma": HH, "axon": HH, "dendrite": passive()}, piece=1000, celsius=20.0)
    assert [s.membrane.name for s in mixed.sections] == ["hodgkin_huxley"] * 4 + ["passive", "hodgkin_huxley"]
    bare = axon.read_swc(SMALL, {"axon": HH}, piece=1000)
    assert bare.parents == (None, 0, 0)
    with pytest.raises(ValueError, match="axn.*did you mean 'axon'"):
        axon.read_swc(SMALL, {"axn": HH})
    with pytest.raises(ValueError, match="has none of apical"):
        axon.read_swc(SMALL, {"apical": HH})


def test_a_morphology_fires_and_comes_back_from_its_file(tmp_path: Path) -> None:
    pytest.importorskip("morphio", reason="MorphIO is not installed: pip install 'axon[swc]'")
    tree = axon.read_swc(SMALL, HH, celsius=18.5)
    run = simulate(tree, axon.suprathreshold_pulse(tree), duration=3, dt=0.01)
    assert np.isfinite(run.arrivals()).all()
    run.save(tmp_path / "small.h5")
    assert axon.load(tmp_path / "small.h5") == run


def test_what_is_no_morphology_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("morphio", reason="MorphIO is not installed: pip install 'axon[swc]'")
    with pytest.raises(axon.FileFormatError, match="there is no such file"):
        axon.read_swc(tmp_path / "none.swc", HH)
    (tmp_path / "bad.swc").write_text("hello\n1 2\n")
    with pytest.raises(axon.FileFormatError, match="is no morphology.*parse") as caught:
        axon.read_swc(tmp_path / "bad.swc", HH)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_the_shapes_of_the_readme_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    code = page.split("## Any shape")[1].split("```python")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    made: dict[str, object] = {"axon": axon}
    exec(code, made)
    assert (tmp_path / "branch.png").stat().st_size > 1000
    assert made["y"].parents == (None, 0, 0, 2, 2)  # type: ignore[attr-defined]


PLAIN = Axon(length=1000, diameter=10, membrane=HH)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: axon.taper(1000, 5, membrane=HH), "diameters must be two"),
        (lambda: axon.taper(1000, (5, -1), membrane=HH), "diameters must be > 0 um, got -1"),
        (lambda: axon.varying(-1, 5, membrane=HH), "length must be > 0"),
        (lambda: axon.varying(10, lambda x: x - 5, membrane=HH), "diameter must be > 0"),
        (lambda: axon.varying(10, [[1]], membrane=HH), "diameter must be a number, a function"),
        (lambda: axon.varying(10, 1, membrane=HH, scaled={"na": 1}), "did you mean 'Na'"),
        (lambda: axon.varying(10, 1, membrane=HH, pieces=2.5), "pieces must be a whole number >= 1"),
        (lambda: axon.varying(10, 1, membrane=HH, levels=1), "levels must be a whole number >= 2"),
        (
            lambda: axon.beaded(100, 1, membrane=HH, every=10, bead_length=10, bead_diameter=2),
            "shorter than every",
        ),
        (lambda: axon.beaded(5, 1, membrane=HH, every=10, bead_length=1, bead_diameter=2), "room for a bead"),
        (lambda: axon.forked(Section(1, 1, HH)), "at least one branch"),
        (lambda: axon.forked(rall_fork(), Section(1, 1, HH)), "trunk must not branch"),
        (lambda: axon.forked(replace(PLAIN, ends=("open", "sealed")), PLAIN), "leave its ends"),
        (lambda: axon.altered(PLAIN, (1, 2)), "something to change"),
        (lambda: axon.altered(PLAIN, (2, 1), celsius=1.0), "second further"),
        (lambda: axon.altered(PLAIN, (2, 2000), celsius=1.0), "between must lie on the axon"),
        (lambda: axon.altered(rall_fork(), ((1, 1.0), (2, 1.0)), celsius=1.0), "on the same way"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_a_cut_leaves_what_lies_before_it() -> None:
    joined = Axon(sections=[Section(1_000, 10, HH), Section(1_000, 5, HH, nseg=4)])
    assert [s.length for s in axon.cut(joined, 1_500).sections] == [1_000, 500]
    assert axon.cut(joined, 1_500).sections[1].nseg == 2
    assert axon.cut(joined, 1_000) == Axon(sections=[joined.sections[0]])
    for cable, at in ((joined, 2_000), (joined, 0), (rall_fork(), 100)):
        with pytest.raises(ValueError, match="a cut needs an axon with two ends and a place between them"):
            axon.cut(cable, at)

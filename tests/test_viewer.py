"""The page of a run holds its numbers, refers to nothing outside and stays small, whatever the run."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from invented import CURRENTS, PASSIVE, RUN, RUNS, SILENT
from numpy.testing import assert_allclose, assert_array_equal

import axon
from axon.draw.viewer import LARGEST, SCRIPTS
from axon.draw.viewer.contents import tell
from axon.draw.viewer.packing import decimal_step, pack, unpack
from axon.draw.viewer.thinning import Thinning
from axon.draw.wake import ABSOLUTE, RELATIVE, Wake


def told(page: Path) -> dict[str, Any]:
    """What a page was told of its run."""
    found = re.search(
        r'<script type="application/json" id="run">(.*?)</script>', page.read_text("utf-8"), re.S
    )
    assert found is not None
    return json.loads(found[1])


@given(
    arrays.arrays(
        float,
        arrays.array_shapes(min_dims=2, max_dims=2),
        elements=some.floats(-500, 500) | some.just(np.nan),
    ),
    some.sampled_from([0.001, 0.01, 1.0, 10.0]),
)
def test_unpacked_values_are_within_half_a_step(values: Any, step: float) -> None:
    assert_allclose(unpack(pack(values, step)), values, rtol=0, atol=0.5000001 * step)


@pytest.mark.parametrize(("most", "width"), [(254, 1), (255, 2), (65534, 2), (65535, 4), (4e9, 4)])
def test_numbers_take_no_more_bytes_than_they_need(most: float, width: int) -> None:
    values = np.array([[0.0, most], [most, 0.0]])
    assert pack(values, 1.0)["width"] == width
    assert_array_equal(unpack(pack(values, 1.0)), values)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit into 4 bytes"):
        pack(np.array([[0.0, 1e12]]), 1.0)


def test_step_is_a_power_of_ten_fine_enough() -> None:
    assert [decimal_step(span, 1000) for span in (1.0, 0.5, 2.0, 900.0, 0.0)] == [1e-3, 1e-4, 1e-3, 0.1, 1.0]


def test_page_holds_what_was_recorded_rounded(tmp_path: Path) -> None:
    data = told(axon.view(CURRENTS, tmp_path / "a.html"))
    assert_allclose(data["time"], CURRENTS.time, rtol=1e-9, atol=1e-9)
    assert_allclose(data["position"], CURRENTS.position / 1e3, rtol=1e-9, atol=0)
    recorded = {"voltage": CURRENTS.voltage, **CURRENTS.gates, **CURRENTS.currents}
    kinds = [(one["kind"], one["name"], one["unit"]) for one in data["quantities"]]
    assert kinds == [
        ("voltage", "voltage", "mV"),
        *(("gates", name, "") for name in "mhn"),
        *(("currents", name, "mA/cm²") for name in ("Na", "K")),
    ]
    for one in data["quantities"]:
        assert_allclose(unpack(one), recorded[one["name"]], rtol=0, atol=0.5000001 * one["step"])
    assert [one["step"] for one in data["quantities"][:2]] == [0.01, 1e-4]
    assert data["velocity"]["text"] == "20 m/s" and len(data["velocity"]["spikes"]) == 1
    assert_allclose(unpack(data["arrivals"])[0], CURRENTS.arrivals(), rtol=0, atol=0.5001e-4)


def test_concentrations_are_shown_where_recorded(tmp_path: Path) -> None:
    calcium = 1e-4 + 2e-4 * (1 - RUN.gates["h"])
    run = replace(RUN, concentrations={"Ca_in": calcium})
    one = told(axon.view(run, tmp_path / "a.html"))["quantities"][-1]
    assert (one["kind"], one["name"], one["unit"]) == ("concentrations", "Ca_in", "mM")
    assert one["step"] <= 1e-4 * calcium.max()
    assert_allclose(unpack(one), calcium, rtol=0, atol=0.5000001 * one["step"])
    assert Thinning(2, 2)(run).concentrations["Ca_in"].shape == (51, 50)


def test_page_holds_the_wake_as_it_is_drawn_elsewhere(tmp_path: Path) -> None:
    strength = Wake.of(RUN).strength(RUN.gates, RUN.voltage)
    classes = unpack(told(axon.view(RUN, tmp_path / "a.html"))["wake"])
    assert_array_equal(classes == 2, strength == ABSOLUTE)
    assert_array_equal(classes == 1, strength == RELATIVE)


def test_page_holds_the_phases_of_the_spike_at_places_along_the_axon(tmp_path: Path) -> None:
    fine = np.arange(0.0, 5.001, 0.005)
    dense = {
        name: np.array([np.interp(fine, RUN.time, x) for x in gate.T]).T for name, gate in RUN.gates.items()
    }
    voltage = np.array([np.interp(fine, RUN.time, x) for x in RUN.voltage.T]).T
    run = replace(RUN, time=fine, voltage=voltage, gates=dense)
    data = told(axon.view(run, tmp_path / "a.html"))
    assert data["phases"]["missing"] == "" and len(data["phases"]["places"]) == 40
    place = data["phases"]["places"][20]
    expected = axon.phases(run, at=float(run.position[place["column"]]))
    for row, phase in zip(place["spikes"][0], expected, strict=True):
        assert row["name"] == phase.name
        assert row["start"] == (None if phase.start is None else round(phase.start, 6))


def test_page_says_why_there_are_no_phases() -> None:
    sparse = tell(RUN, Thinning(), progress=False)["phases"]
    assert sparse["places"] == [] and "sampl" in sparse["missing"]
    silent = tell(SILENT, Thinning(), progress=False)
    assert silent["phases"]["missing"].startswith("no spike")
    assert silent["velocity"]["text"] == "no propagation" and silent["velocity"]["spikes"] == []
    assert tell(PASSIVE, Thinning(), progress=False)["wake"] is None


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_makes_a_page_that_refers_to_nothing_outside(name: str, tmp_path: Path) -> None:
    page = axon.view(RUNS[name], tmp_path / "a.html", progress=False)
    text = page.read_text(encoding="utf-8")
    for reference in re.findall(r"""(?:src|href)=["']?([^"' >]*)""", text):
        assert reference == "data:,"
    assert not re.search(r"@[A-Z]+@", text)
    assert "fetch(" not in text and "import " not in text.split('type="module"')[1]
    json.dumps(told(page), allow_nan=False)


def test_nothing_in_a_run_can_end_the_script_it_stands_in(tmp_path: Path) -> None:
    sly = replace(RUN, provenance={"created": "</script><b>"})
    page = axon.view(sly, tmp_path / "a.html")
    assert "</script><b>" not in page.read_text(encoding="utf-8")
    assert ["made", "</script><b> axon"] in told(page)["facts"]


def test_a_large_run_is_thinned_until_the_page_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    noisy = replace(RUN, voltage=RUN.voltage + rng.normal(0, 5, RUN.voltage.shape))
    whole = axon.view(noisy, tmp_path / "a.html")
    assert whole.stat().st_size < LARGEST
    assert dict(told(whole)["facts"])["shown"] == "every recorded time and position"
    monkeypatch.setattr("axon.draw.viewer.LARGEST", whole.stat().st_size - 1)
    monkeypatch.setattr("axon.draw.viewer.thinning.FEWEST", 30)
    small = axon.view(noisy, tmp_path / "b.html")
    assert small.stat().st_size < whole.stat().st_size
    assert dict(told(small)["facts"])["shown"] == "every 2nd position"
    one = told(small)["quantities"][0]
    assert_allclose(unpack(one), noisy.voltage[:, ::2], rtol=0, atol=0.00501)


def test_samples_are_left_out_before_the_page_is_made_when_there_are_too_many() -> None:
    thinning = Thinning().until(RUN, 2_600)  # of 101 times at 100 positions
    assert (thinning.time, thinning.position) == (2, 2)
    assert str(thinning) == "every 2nd time and every 2nd position"
    assert thinning(RUN).voltage.shape == (51, 50)


def test_a_run_in_a_file_makes_the_same_page(tmp_path: Path) -> None:
    RUN_FILE = tmp_path / "a.h5"
    run = axon.simulate(
        axon.Axon(length=20_000, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5),
        axon.Pulse(amplitude=100_000, start=0.1, duration=0.2, at=0),
        duration=1.5,
        record=axon.Record(gates=True),
    )
    run.save(RUN_FILE)
    axon.view(run, tmp_path / "a.html")
    axon.view(axon.load(RUN_FILE, lazy=True), tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_tree_is_seen_along_one_way_and_a_fibre_at_its_nodes(tmp_path: Path) -> None:
    branch = axon.Section(4_000, 200, axon.hodgkin_huxley(), celsius=18.5)
    tree = axon.Axon(sections=[branch, branch, replace(branch, length=3_000)], parents=[None, 0, 0])
    record = axon.Record(every=0.02, gates=True)
    pulse = axon.Pulse(amplitude=20_000, start=0.1, duration=0.1, at=0)
    run = axon.simulate(tree, pulse, duration=1.0, record=record)
    data = told(axon.view(run, tmp_path / "a.html"))
    seen = run.along()
    assert_allclose(data["position"], seen.position / 1e3, rtol=1e-9, atol=0)
    assert_allclose(unpack(data["quantities"][0]), seen.voltage, rtol=0, atol=0.00501)
    first = unpack(data["arrivals"])[0]
    assert_allclose(first, run.arrivals()[seen.record.indices(run.compartments)], rtol=0, atol=0.5001e-4)
    thinned = Thinning(1, 2)(seen)
    assert_array_equal(thinned.voltage, seen.voltage[:, ::2])
    assert_allclose(
        tell(seen, Thinning(1, 2), progress=False)["position"], seen.position[::2] / 1e3, rtol=1e-9
    )
    fibre = axon.myelinated(10.0, nodes=5)
    short = axon.simulate(fibre, duration=0.1, record=record)
    data = told(axon.view(short, tmp_path / "b.html"))
    assert len(data["nodes"]) == 5 and data["nodes"] == data["position"]


def test_wrong_paths_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"choose one of \.html"):
        axon.view(RUN, tmp_path / "a.htm")
    with pytest.raises(FileNotFoundError, match="create it first"):
        axon.view(RUN, tmp_path / "nowhere" / "a.html")
    with pytest.raises(ValueError, match="the viewer needs voltage"):
        axon.view(replace(RUN, voltage=None), tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_brings_what_the_page_is_made_of_and_what_cards_tell(tmp_path: Path) -> None:
    hatchling = pytest.importorskip("hatchling.build", reason="hatchling builds the wheel")
    root = Path(axon.__file__).parent.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        wheel = hatchling.build_wheel(str(tmp_path))
    with zipfile.ZipFile(tmp_path / wheel) as archive:
        names, cards = set(archive.namelist()), archive.read("axon/cards/measured.json")
    assert cards == (root / "results" / "model_cards" / "answer.json").read_bytes()
    uplot = ("uplot/uPlot.iife.min.js", "uplot/uPlot.min.css", "uplot/LICENSE")
    assert {f"axon/draw/viewer/{name}" for name in (*SCRIPTS, *uplot, "page.html", "page.css")} <= names

"""Pictures show the run's arrays, leave the user's Matplotlib alone, are written whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from invented import (
    JOINED,
    PASSIVE,
    POSITIONS,
    RING,
    RUN,
    RUNS,
    SILENT,
    SPARSE,
    SQUID,
    THIRD,
    TIMES,
    UNGATED,
    invented,
    opened,
)
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

import axon
from axon import Axon, Pulse, Record, Run, Train, draw
from axon.draw.scene import in_step
from axon.draw.style import voltage_colours
from axon.draw.wake import ABSOLUTE, RELATIVE, Wake


def lines(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.get_lines() if not str(line.get_label()).startswith("_")}


def test_kymograph_shows_the_recorded_voltage_in_place() -> None:
    ax = draw.plot_kymograph(RUN)
    (image,) = ax.get_images()
    assert_array_equal(image.get_array(), RUN.voltage)
    assert_allclose(image.get_extent(), (0.0, 40.0, -0.025, 5.025), rtol=0, atol=1e-9)
    assert ax.get_xlabel() == "position (mm)" and ax.get_ylabel() == "time (ms)"
    assert ax.get_xlim() == (0.0, 40.0) and ax.get_ylim() == (5.0, 0.0)  # time runs down


def test_kymograph_of_unevenly_recorded_positions_puts_each_in_its_own_cell() -> None:
    (image,) = draw.plot_kymograph(SPARSE).get_images()
    assert_allclose(image._Ax, [0.0, 8.8, 26.2, 40.0], rtol=0, atol=1e-9)


def test_rest_is_near_white_and_both_ends_are_dark() -> None:
    colours, scale = voltage_colours(-95.0, -65.0, 40.0)
    light = [float(np.mean(colours(scale(v))[:3])) for v in (-95.0, -75.0, -65.0, -45.0, 0.0, 40.0)]
    assert light[2] > 0.95
    assert light[0] < light[1] < light[2] > light[3] > light[4] > light[5]


def test_a_small_hyperpolarisation_keeps_a_pale_colour() -> None:
    slight, scale = voltage_colours(-66.0, -65.0, 40.0)
    assert float(np.mean(slight(scale(-66.0))[:3])) > 0.9


def test_stimulus_artefact_does_not_set_the_voltage_scale() -> None:
    voltage = RUN.voltage.copy()
    voltage[10, 0], voltage[11, 0] = 500.0, -300.0
    ax = draw.plot_kymograph(replace(RUN, voltage=voltage))
    assert ax.get_images()[0].get_clim() == (-97.0, 50.0)  # E_K - 20 mV, E_Na
    bar = next(other for other in ax.figure.axes if other is not ax)
    assert bar._colorbar.extend == "both"
    passive = draw.plot_kymograph(replace(PASSIVE, voltage=voltage))
    assert passive.get_images()[0].get_clim() == (-300.0, 500.0)  # nothing there to set a better scale


def test_kymograph_arguments_each_add_something() -> None:
    def counts(**arguments: bool) -> tuple[int, int, int]:
        ax = draw.plot_kymograph(RUN, **arguments)
        return len(ax.get_lines()), len(ax.collections), len(ax.figure.axes)

    plain = counts()
    assert counts(arrivals=True) == (plain[0] + 1, plain[1], plain[2])
    assert counts(wake=False) == (plain[0], plain[1] - 1, plain[2])
    assert counts(key=False) == (plain[0], plain[1], plain[2] - 1)
    ax = draw.plot_kymograph(RUN, arrivals=True)
    dots = next(line for line in ax.get_lines() if len(line.get_xdata()) == 100)
    assert_allclose(dots.get_xdata(), RUN.spike_position / 1e3, rtol=1e-12, atol=0)
    assert_array_equal(dots.get_ydata(), RUN.spike_time)


def test_gates_sampled_at_times_of_their_own_are_drawn_at_those_of_the_voltage() -> None:
    own = np.arange(0.0, 5.01, 0.2)
    wave = np.sin(own)[:, None] * np.ones(100)
    run = replace(RUN, gates={}, beside={"gates_time": own, "gates/h": wave, "currents_time": own[:0]})
    run = replace(run, beside={**run.beside, "currents/Na": wave[:0], "voltage_lowest": RUN.voltage})
    seen = in_step(run)
    assert list(seen.gates) == ["h"] and seen.currents == {} and seen.beside == {}
    assert_allclose(seen.gates["h"][::4], wave[: len(seen.time[::4])], rtol=1e-12, atol=1e-12)
    assert_allclose(seen.gates["h"][2], (wave[0] + wave[1]) / 2, rtol=1e-12, atol=1e-12)
    assert len(draw.plot_snapshots(run)) == 2  # voltage and gates
    assert in_step(RUN) is RUN


def test_a_run_recorded_around_spikes_is_drawn(tmp_path: Path) -> None:
    record = Record(voltage=axon.AroundSpikes(0.3, 0.02, 0.5), gates=axon.Every(0.05))
    cable = replace(SQUID, length=20_000)
    pulse = Pulse(amplitude=200_000, start=0.1, duration=0.2, at=0)
    run = axon.simulate(cable, pulse, duration=3, record=record)
    assert np.ptp(np.diff(run.time)) > 0.1 and not run.gates
    draw.plot_run(run, tmp_path / "a.png")
    draw.animate(run, tmp_path / "a.gif", duration_s=0.2, panels=["voltage", "gates", "kymograph"])
    axon.view(run, tmp_path / "a.html")
    assert "gates" in (tmp_path / "a.html").read_text()


def test_every_pulse_of_a_train_is_marked() -> None:
    train = Train(amplitude=1.0, start=0.5, duration=0.1, interval=2.0, count=10, at=8_000)
    ax = draw.plot_kymograph(replace(RUN, stimuli=(train,)))
    mark = lines(ax)["stimulus"]
    assert_allclose(mark.get_ydata(), [0.5, 2.5, 4.5], rtol=1e-12, atol=0)  # the run lasts 5 ms
    assert_allclose(mark.get_xdata(), 8.0, rtol=1e-12, atol=0)


def test_traces_are_the_recorded_columns() -> None:
    ax = draw.plot_traces(RUN, [1_000, 20_100, 39_000])
    drawn = lines(ax)
    assert list(drawn) == ["1", "20.2", "39"]
    for label, x in zip(drawn, (1_000, 20_100, 39_000), strict=True):
        assert_array_equal(drawn[label].get_xdata(), RUN.time)
        assert_array_equal(drawn[label].get_ydata(), RUN.voltage[:, RUN.at(x)])
    assert ax.get_legend().get_title().get_text() == "at (mm)"
    assert ax.get_ylabel() == "voltage (mV)"


def test_traces_choose_five_sites_spread_over_the_axon() -> None:
    assert_allclose(
        [float(label) for label in lines(draw.plot_traces(RUN))], [4, 12, 20, 28, 36], rtol=0, atol=0.3
    )
    assert len(lines(draw.plot_traces(SPARSE))) == 3


def test_snapshots_are_the_recorded_rows_and_the_gates_of_the_middle_one() -> None:
    voltage, gates = draw.plot_snapshots(RUN, [1.5, 2.0, 2.5])
    for label, row in (("1.5", 30), ("2", 40), ("2.5", 50)):
        assert_array_equal(lines(voltage)[label].get_ydata(), RUN.voltage[row])
        assert_allclose(lines(voltage)[label].get_xdata(), RUN.position / 1e3, rtol=1e-12, atol=0)
    assert list(lines(gates)) == ["m", "h", "n"]
    for name, line in lines(gates).items():
        assert_array_equal(line.get_ydata(), RUN.gates[name][40])
    assert gates.get_legend().get_title().get_text() == "at 2 ms"
    widths = [lines(voltage)[label].get_linewidth() for label in ("1.5", "2", "2.5")]
    assert widths[1] > widths[0] == widths[2]


def test_snapshots_by_default_follow_the_spike() -> None:
    times = [float(label) for label in lines(draw.plot_snapshots(RUN)[0])]
    assert len(times) == 4 and RUN.spike_time[0] < times[0] < times[-1] < RUN.spike_time[-1]


def test_snapshots_without_gates_need_one_panel() -> None:
    assert len(draw.plot_snapshots(UNGATED)) == 1
    ax = draw.figure().add_subplot()
    assert draw.plot_snapshots(UNGATED, axes=[ax]) == (ax,)


def test_wake_is_shaded_where_its_strength_is() -> None:
    voltage, _ = draw.plot_snapshots(RUN, [2.0])
    (image,) = voltage.get_images()
    shade = np.asarray(image.get_array())[0, :, 3]
    strength = Wake.of(RUN).strength({name: gate[40] for name, gate in RUN.gates.items()}, RUN.voltage[40])
    nearest = np.argmin(np.abs(POSITIONS[:, None] - (np.arange(640) + 0.5) * 62.5), axis=0)
    assert_allclose(shade / 0.6, strength[nearest], rtol=0, atol=0.5 / 24 + 1e-9)


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_makes_a_page_and_a_film(name: str, tmp_path: Path) -> None:
    page = draw.plot_run(RUNS[name], tmp_path / "page.png")
    assert len(page.axes) == (5 if RUNS[name].gates else 4)
    assert draw.animate(RUNS[name], tmp_path / "film.gif", duration_s=0.2) == tmp_path / "film.gif"
    assert opened(tmp_path / "film.gif")[1] == (640, 400 if RUNS[name].gates else 300)


def test_few_recorded_positions_are_shown_as_dots() -> None:
    assert lines(draw.plot_snapshots(SPARSE, [2.0])[0])["2"].get_marker() == "o"
    assert lines(draw.plot_snapshots(RUN, [2.0])[0])["2"].get_marker() == ""


def test_joins_are_marked_until_they_would_hide_the_picture() -> None:
    def joins(run: Run) -> list[float]:
        ax = draw.plot_kymograph(run)
        return [float(line.get_xdata()[0]) for line in ax.get_lines() if line.get_linestyle() == "--"]

    assert joins(JOINED) == [10.0, 20.0]
    assert joins(RUN) == []
    assert joins(invented(Axon(sections=(replace(THIRD, length=1_000),) * 40))) == []


def test_short_axons_are_drawn_in_micrometres_and_rings_say_so() -> None:
    short = replace(RUN, axon=replace(SQUID, length=400.0), position=POSITIONS / 100, stimuli=())
    ax = draw.plot_kymograph(short)
    assert ax.get_xlabel() == "position (µm)" and ax.get_xlim() == (0.0, 400.0)
    assert draw.plot_kymograph(RING).get_xlabel() == "position along the ring (mm)"


def wake_of(v: float = -65.0, **gates: float) -> float:
    wake = Wake.of(RUN)
    assert wake is not None
    known = {name: np.full(100, value) for name, value in AT_REST.items()}
    changed = known | {name: np.full(100, value) for name, value in gates.items()}
    return float(wake.strength(changed, np.full(100, v))[7])


AT_REST = {
    name: float(value)
    for name, value in axon.hodgkin_huxley().steady_gates(axon.hodgkin_huxley().resting_potential()).items()
}


def test_wake_is_nothing_at_rest_and_absolute_without_sodium_channels() -> None:
    assert wake_of() == 0.0
    assert wake_of(h=0.0) == ABSOLUTE
    assert wake_of(n=1.0) == RELATIVE  # a strong enough push still wins
    assert wake_of(m=1.0) == 0.0  # activation alone makes nothing refractory
    assert wake_of(h=0.9) == 0.0  # more excitable than at rest


def test_wake_is_relative_where_the_threshold_is_higher_than_at_rest() -> None:
    assert wake_of(h=0.5 * AT_REST["h"]) == RELATIVE
    assert wake_of(n=1.2 * AT_REST["n"]) == RELATIVE


def test_membrane_that_fires_is_absolutely_refractory() -> None:
    assert wake_of(v=0.0) == ABSOLUTE
    assert wake_of(v=0.0, h=0.5 * AT_REST["h"]) == ABSOLUTE


def test_wake_needs_the_slow_gates_of_an_excitable_membrane() -> None:
    assert Wake.of(UNGATED) is None
    assert Wake.of(replace(RUN, gates={"m": RUN.gates["m"]})) is None
    assert Wake.of(replace(RUN, gates={"h": RUN.gates["h"]})) is None
    assert Wake.of(PASSIVE) is None
    slow = Wake.of(replace(RUN, gates={"h": RUN.gates["h"], "n": RUN.gates["n"]}))
    assert slow is not None


def test_membrane_without_gates_has_no_wake_beside_one_with() -> None:
    cable = Axon(
        sections=(replace(THIRD, length=20_000), replace(THIRD, length=20_000, membrane=axon.passive()))
    )
    gates = {name: np.where(POSITIONS < 20_000, gate, np.nan) for name, gate in RUN.gates.items()}
    gates["h"] = 0.0 * gates["h"]
    run = replace(invented(cable), gates=gates)
    strength = Wake.of(run).strength(run.gates, run.voltage)
    assert_array_equal(strength[0, :50], ABSOLUTE)
    assert_array_equal(strength[0, 50:], 0.0)


def test_rest_is_the_first_frames_median_where_the_membrane_has_none() -> None:
    bare = axon.Membrane("bare", (axon.Channel("leak", 0.0, -65.0),))
    with pytest.raises(axon.NoRest):
        bare.resting_potential()
    run = replace(UNGATED, axon=replace(SQUID, membrane=bare), voltage=RUN.voltage + 50.0)
    image = draw.plot_kymograph(run).get_images()[0]
    assert float(np.mean(image.cmap(image.norm(np.median(run.voltage[0])))[:3])) > 0.95


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_still_pictures_are_saved_by_their_ending(ending: str, tmp_path: Path) -> None:
    draw.plot_run(RUN, tmp_path / f"page.{ending}")
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending]
    assert (tmp_path / f"page.{ending}").read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [f"page.{ending}"]


def test_figure_has_the_size_asked_for(tmp_path: Path) -> None:
    page = draw.figure(85, 50, dpi=100)
    assert_allclose(page.get_size_inches() * 25.4, (85, 50), rtol=1e-12, atol=0)
    assert draw.save(page, tmp_path / "a.png") == tmp_path / "a.png"
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (334, 196)
    for arguments in ({"width_mm": 0}, {"height_mm": -1}, {"dpi": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            draw.figure(**arguments)


def test_context_scales_type_and_restores_everything() -> None:
    before = dict(matplotlib.rcParams)
    with draw.context():
        plain = matplotlib.rcParams["axes.labelsize"]
    with pytest.raises(RuntimeError), draw.context(2.0):
        assert matplotlib.rcParams["axes.labelsize"] == 2 * plain
        raise RuntimeError
    assert dict(matplotlib.rcParams) == before


def test_unknown_endings_list_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"a\.avi' ends in '\.avi'; choose one of \.gif, \.mp4, \.webm, \.html"
    ):
        draw.animate(RUN, tmp_path / "a.avi")
    with pytest.raises(ValueError, match=r"has no ending; choose one of \.png, \.pdf, \.svg"):
        draw.plot_run(RUN, tmp_path / "page")
    with pytest.raises(ValueError, match=r"choose one of \.png"):
        draw.save(draw.figure(), tmp_path / "a.jpg")


def test_missing_folder_is_named_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist; create it first"):
        draw.animate(RUN, tmp_path / "nowhere" / "a.gif")


@pytest.mark.parametrize(
    "picture",
    [
        draw.plot_kymograph,
        draw.plot_traces,
        draw.plot_snapshots,
        draw.plot_run,
        lambda run: draw.animate(run, "a.gif"),
    ],
)
def test_run_without_voltage_says_what_to_record(picture: Callable[[Run], Any]) -> None:
    with pytest.raises(ValueError, match=r"recorded none; simulate with Record\(voltage=True\)"):
        picture(replace(RUN, voltage=None))
    with pytest.raises(ValueError, match=r"2 times .* recorded 1 and 100"):
        picture(replace(RUN, voltage=RUN.voltage[:1], time=TIMES[:1]))


def test_pictures_along_the_axon_need_two_positions() -> None:
    single = replace(UNGATED, position=POSITIONS[:1], voltage=RUN.voltage[:, :1])
    assert len(lines(draw.plot_traces(single))) == 1
    for picture in (draw.plot_kymograph, draw.plot_snapshots, draw.plot_run):
        with pytest.raises(ValueError, match="2 positions or more, this run recorded 101 and 1"):
            picture(single)


def test_places_and_times_outside_the_run_are_named() -> None:
    with pytest.raises(ValueError, match="on the axon, 0 to 40000 um, got 50000"):
        draw.plot_traces(RUN, [50_000])
    with pytest.raises(ValueError, match="in the recorded time, 0 to 5 ms, got -1"):
        draw.plot_snapshots(RUN, [-1.0])
    with pytest.raises(ValueError, match="need 2 axes .* got 1"):
        draw.plot_snapshots(RUN, axes=[draw.figure().add_subplot()])


def test_page_says_the_velocity_or_why_there_is_none() -> None:
    def words(run: Run) -> str:
        page = draw.plot_run(run)
        return page.get_suptitle() + "".join(text.get_text() for text in page.texts)

    assert "Conduction velocity 20 m/s" in words(RUN)
    assert "hodgkin-huxley axon, 40 mm long, 476 µm in diameter, 18.5 °C" in words(RUN)
    assert "300–476 µm" in words(JOINED) and "ring" in words(RING)
    with pytest.raises(axon.NoPropagation) as failure:
        SILENT.velocity()
    assert "No propagation" in words(SILENT) and failure.value.reason in words(SILENT)


def test_drawing_leaves_settings_as_they_were_and_ignores_the_users_own(tmp_path: Path) -> None:
    draw.plot_run(RUN, tmp_path / "a.png")
    with matplotlib.rc_context({"lines.linewidth": 17.0, "figure.facecolor": "black", "font.size": 30}):
        before = dict(matplotlib.rcParams)
        draw.plot_run(RUN, tmp_path / "b.png")
        draw.animate(RUN, tmp_path / "b.gif", duration_s=0.2)
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_drawing_needs_neither_pyplot_nor_a_backend(tmp_path: Path) -> None:
    code = (
        "import sys, matplotlib; matplotlib.rcParams['backend'] = 'pdf'\n"
        "from axon import draw\n"
        f"draw.save(draw.figure(), {str(tmp_path / 'a.png')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert matplotlib.rcParams['backend'].lower() == 'pdf'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_users_own_axes_are_used() -> None:
    page = draw.figure()
    left, right = page.subplots(1, 2)
    assert draw.plot_kymograph(RUN, left) is left
    assert draw.plot_traces(RUN, ax=right) is right


def test_fresh_and_reloaded_runs_give_the_same_picture(tmp_path: Path) -> None:
    run = axon.simulate(
        replace(SQUID, length=20_000),
        Pulse(amplitude=400_000, start=0.5, duration=0.2, at=0),
        duration=3,
        dx=200,
        record=Record(gates=True),
        progress=False,
    )
    run.save(tmp_path / "run.h5")
    draw.plot_run(run, tmp_path / "fresh.png")
    draw.plot_run(axon.load(tmp_path / "run.h5"), tmp_path / "again.png")
    assert (tmp_path / "fresh.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    wake = Wake.of(run)
    assert wake is not None
    strength = wake.strength(run.gates, run.voltage)
    ahead, behind = run.at(16_000), run.at(2_000)
    row = int(np.argmax(run.voltage[:, run.at(8_000)]))
    assert strength[row, ahead] < 0.01 and strength[row, behind] == ABSOLUTE

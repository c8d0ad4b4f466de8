"""Films have the frames asked for, exact at recorded times, and are written whole or not at all."""

from __future__ import annotations

import base64
import io
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from invented import CURRENTS, RUN, SILENT, SPARSE, SQUID, TIMES, opened
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

import axon
from axon import Pulse, Record, draw
from axon.draw.animation import TYPE_SCALE, Clock, Pace
from axon.draw.palette import EXACT, Palette
from axon.draw.panels import Instant, current_limits
from axon.draw.stage import Stage
from axon.draw.wake import Wake
from axon.progress import Progress


@pytest.fixture(scope="module")
def fibre() -> axon.Run:
    """A spike on a myelinated fibre, recorded everywhere."""
    cable = axon.myelinated(10.0, nodes=11)
    pulse = axon.Pulse(amplitude=5.0, start=0.05, duration=0.1, at=0)
    return axon.simulate(cable, pulse, duration=0.6, record=Record(every=0.02, gates=True))


def test_gif_has_the_frames_size_and_length_asked_for_and_is_small(tmp_path: Path) -> None:
    draw.animate(RUN, tmp_path / "a.gif")
    assert opened(tmp_path / "a.gif") == (80, (640, 400), 4.0)
    assert (tmp_path / "a.gif").stat().st_size < 1_000_000
    draw.animate(RUN, tmp_path / "b.gif", fps=10, duration_s=2, dpi=50)
    assert opened(tmp_path / "b.gif") == (20, (320, 200), 2.0)
    draw.animate(RUN, tmp_path / "c.gif", fps=1000, duration_s=0.2)  # no browser shows more than 50
    assert opened(tmp_path / "c.gif") == (10, (640, 400), 0.2)


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_video_has_the_frames_asked_for(ending: str, tmp_path: Path) -> None:
    path = draw.animate(RUN, tmp_path / f"a.{ending}", fps=25, duration_s=1, dpi=75.3)
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 25
    assert_allclose(seconds, 1.0, rtol=0, atol=0.05)


def test_html_holds_every_frame_and_refers_to_nothing_outside(tmp_path: Path) -> None:
    draw.animate(RUN, tmp_path / "a.html", duration_s=1)
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    pictures = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    assert len(pictures) == 20
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture))) as frame:
            assert frame.size == (640, 400)
    assert "://" not in page
    assert '"0.0 ms"' in page and '"5.0 ms"' in page


def test_film_moves_with_the_spike_and_prints_time_velocity_and_pace() -> None:
    stage, pace = Stage([RUN], dpi=100), Pace(0.1, 20.0, Clock(5.0, 0.1))
    first, second = (stage.picture(t, pace.header(t)) for t in (1.5, 2.0))
    assert first.shape == second.shape == (400, 640, 3) and first.dtype == np.uint8
    assert not np.array_equal(first, second)
    assert stage.text.get_text() == "2.00 ms   slowed 500×"  # 0.1 ms of the axon's time lasts 50 ms
    assert stage.figure.axes[0].get_title(loc="right") == "20 m/s"
    assert_array_equal(stage.picture(1.5, pace.header(1.5)), first)
    assert Stage([SILENT], dpi=50).figure.axes[0].get_title(loc="right") == "no propagation"
    assert Pace(200.0, 20.0, Clock(5000.0, 200.0)).header(400.0) == "0.4 s   sped up 4×"


def test_frames_at_recorded_times_are_exact_and_linear_between() -> None:
    for row in (0, 1, 37, 100):
        now = Instant.of(RUN, float(TIMES[row]))
        assert_array_equal(now.voltage, RUN.voltage[row])
        assert_array_equal(now.gates["h"], RUN.gates["h"][row])
    between = Instant.of(RUN, float(TIMES[37] + 0.25 * (TIMES[38] - TIMES[37])))
    assert_allclose(between.voltage, 0.75 * RUN.voltage[37] + 0.25 * RUN.voltage[38], rtol=1e-12, atol=1e-9)


def test_stimulus_shows_while_it_is_on_and_at_least_one_frame() -> None:
    brief = replace(RUN, stimuli=(Pulse(amplitude=1, start=1.07, duration=0.001, at=20_000),))
    stage = Stage([brief], dpi=50)
    voltage, seen = stage.panels[0][0], []
    for t in np.arange(0.0, 5.0, 0.1):
        stage.picture(float(t), half=0.05)
        seen.append(list(voltage.electrode.get_xdata()))
    assert [x for x in seen if x] == [[20.0]]


def test_panels_are_those_recorded_or_asked_for(tmp_path: Path) -> None:
    def names(**arguments: Any) -> list[str]:
        return [type(panel).__name__ for panel in Stage([CURRENTS], dpi=50, **arguments).panels[0]]

    assert names() == ["VoltagePanel", "GatesPanel", "CurrentsPanel"]
    assert names(panels=["kymograph", "gates"]) == ["KymographPanel", "GatesPanel"]
    for panels, words in ((["gate"], "did you mean 'gates'"), ([], "some of voltage"), ("gates", "some of")):
        with pytest.raises(ValueError, match=words):
            draw.animate(RUN, tmp_path / "a.gif", panels=panels)
    with pytest.raises(ValueError, match=r"simulate with Record\(currents=True\)"):
        draw.animate(RUN, tmp_path / "a.gif", panels=["currents"])


def test_every_panel_shows_the_instant() -> None:
    stage = Stage([CURRENTS], panels=["voltage", "gates", "currents", "kymograph"], dpi=50)
    stage.picture(float(TIMES[37]))
    voltage, gates, currents, kymograph = stage.panels[0]
    assert_array_equal(voltage.line.get_ydata(), CURRENTS.voltage[37])
    assert_array_equal(gates.lines["n"].get_ydata(), CURRENTS.gates["n"][37])
    assert_array_equal(currents.lines["K"].get_ydata(), CURRENTS.currents["K"][37])
    assert_allclose(kymograph.cursor.get_ydata(), TIMES[37], rtol=0, atol=1e-12)
    assert_array_equal(kymograph.cursor.axes.get_images()[0].get_array(), CURRENTS.voltage)


def test_an_electrode_does_not_set_the_scale_of_currents() -> None:
    flow = CURRENTS.currents["Na"].copy()
    flow[12, 0] = 500.0
    low, high = current_limits(replace(CURRENTS, currents={"Na": flow}))
    assert_allclose([low, high], [-1.05, 0.05], rtol=0, atol=1e-3)


def test_runs_of_any_length_share_clock_and_scale(tmp_path: Path) -> None:
    numerics = {**RUN.numerics, "dx": 10.0}
    cable = replace(SQUID, length=1_000)
    short = replace(SPARSE, axon=cable, position=SPARSE.position / 40, numerics=numerics)
    brief = replace(short, time=TIMES[:60], voltage=short.voltage[:60], gates={})
    stage = Stage([RUN, brief], dpi=50)
    first, second = stage.tops
    assert first.get_xlim() == (0.0, 40.0) and second.get_xlim() == (0.0, 40_000.0)  # mm and um
    assert first.get_xlabel() == "" and second.get_xlabel() == "position (µm)"
    stage.picture(4.0)
    assert_array_equal(stage.panels[0][0].line.get_ydata(), Instant.of(RUN, 4.0).voltage)
    assert_array_equal(stage.panels[1][0].line.get_ydata(), brief.voltage[59])  # it had ended
    draw.animate([brief, RUN], tmp_path / "a.gif", fps=10, duration_s=1, dpi=50)
    assert opened(tmp_path / "a.gif")[0] == 10


def test_runs_are_called_what_tells_them_apart() -> None:
    def titles(*cables: Any, **arguments: Any) -> list[str]:
        stage = Stage([replace(RUN, axon=cable) for cable in cables], dpi=50, **arguments)
        return [ax.get_title(loc="right").strip().removesuffix("   20 m/s") for ax in stage.tops]

    cold, thin = replace(SQUID, celsius=6.3), replace(SQUID, celsius=6.3, diameter=100)
    assert titles(SQUID, cold) == ["18.5 °C", "6.3 °C"]
    assert titles(SQUID, cold, thin) == ["476 µm, 18.5 °C", "476 µm, 6.3 °C", "100 µm, 6.3 °C"]
    assert titles(SQUID, SQUID) == ["axon 1", "axon 2"]
    assert titles(SQUID, cold, labels=["warm", "cold"]) == ["warm", "cold"]
    with pytest.raises(ValueError, match="labels must be one for each of 2 runs"):
        draw.animate([RUN, RUN], "a.gif", labels=["warm"])


def test_myelinated_and_bare_are_called_so_and_nodes_are_marked(fibre: axon.Run) -> None:
    stage = Stage([fibre.along(), RUN], panels=["voltage"], dpi=50)
    assert [ax.get_title(loc="right").strip().split("   ")[0] for ax in stage.tops] == [
        "myelinated",
        "without myelin",
    ]
    ticks, none = ([c for c in ax.collections if isinstance(c, LineCollection)] for ax in stage.tops)
    seen = fibre.along()
    marked = [tick[0, 0] for tick in ticks[0].get_segments()]
    assert_allclose(marked, seen.position / 1e3, rtol=1e-9, atol=0)
    assert len(seen.position) == 11 and stage.panels[0][0].line.get_marker() == "o"
    assert none[0].get_segments() == []


def test_no_wake_is_shown_where_the_membrane_rests_beyond_its_threshold(fibre: axon.Run) -> None:
    assert Wake.of(fibre.along()) is None
    assert Stage([fibre.along()], panels=["voltage"], dpi=50).panels[0][0].shading is None


def test_spike_moves_by_the_pixels_asked_for(tmp_path: Path) -> None:
    with draw.context(TYPE_SCALE):
        stage = Stage([RUN], panels=["voltage"], dpi=100)
    width = stage.tops[0].get_window_extent().width
    assert_allclose(stage.pixels_per_ms(), width / 2.0, rtol=1e-6, atol=0)  # 40 mm in 2 ms
    draw.animate(RUN, tmp_path / "a.gif", panels=["voltage"], pixels_per_frame=20)
    frames, _, _ = opened(tmp_path / "a.gif")
    assert abs(5.0 * stage.pixels_per_ms() / (frames - 1) - 20) < 0.2
    for arguments, words in (
        ({"pixels_per_frame": 5, "duration_s": 1}, "not both"),
        ({"pixels_per_frame": 1e-3}, "makes .* frames"),
        ({"pixels_per_frame": 0}, "pixels_per_frame must be > 0"),
    ):
        with pytest.raises(ValueError, match=words):
            draw.animate(RUN, tmp_path / "b.gif", **arguments)
    with pytest.raises(ValueError, match="no compartment crossed -20 mV; give duration_s"):
        draw.animate(SILENT, tmp_path / "b.gif", pixels_per_frame=5)
    with pytest.raises(ValueError, match="got an empty sequence"):
        draw.animate([], tmp_path / "b.gif")


def test_axes_are_drawn_once_however_many_frames(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    draws = []
    original = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: draws.append(1) or original(self, renderer))
    draw.animate(RUN, tmp_path / "a.gif", duration_s=2, dpi=50)
    assert len(draws) == 1


def test_ten_seconds_of_a_thousand_compartments_take_less_than_twenty(tmp_path: Path) -> None:
    fine = (np.arange(1000) + 0.5) * 40.0

    def finer(values: Any) -> Any:
        return np.array([np.interp(fine, RUN.position, row) for row in values])

    run = replace(
        RUN,
        numerics={**RUN.numerics, "dx": 40.0},
        position=fine,
        voltage=finer(RUN.voltage),
        gates={name: finer(gate) for name, gate in RUN.gates.items()},
    )
    began = time.process_time()  # of one core, whatever else the machine does
    draw.animate(run, tmp_path / "a.gif", fps=30, duration_s=10)
    assert time.process_time() - began < 20.0
    assert opened(tmp_path / "a.gif")[0] > 300  # a GIF shows 33 or 50 frames a second, not 30


def test_clock_counts_in_units_that_suit_the_run() -> None:
    assert Clock(0.5, 0.005).label(0.25) == "250 µs"
    assert Clock(10.0, 0.125).label(3.8) == "3.80 ms"
    assert Clock(5000.0, 50.0).label(2500.0) == "2.50 s"


def test_palette_keeps_frequent_colours_exactly() -> None:
    rng = np.random.default_rng(1)
    frame = np.full((200, 200, 3), 255, np.uint8)
    frame[:20] = (204, 121, 167)
    frame[100:105, :, :] = rng.integers(0, 256, (5, 200, 3))  # 1000 colours that must share what is left
    palette = Palette([frame])
    assert len(palette.colours) <= 256
    image = np.array(palette.image(frame).convert("RGB"))
    assert_array_equal(image[:100], frame[:100])
    plain = frame[:100]
    assert len(Palette([plain]).colours) == 2 <= EXACT


@pytest.mark.parametrize("name", ["fps", "duration_s", "dpi"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_film_numbers_must_be_positive(name: str, value: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{name} must be > 0"):
        draw.animate(RUN, tmp_path / "a.gif", **{name: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_video_without_its_package_says_how_to_get_it(
    ending: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match=r'pip install "axon\[video\]", or choose \.gif or \.html'):
        draw.animate(RUN, tmp_path / f"a.{ending}")


@pytest.mark.parametrize("ending", ["gif", "mp4", "html"])
def test_interrupted_film_leaves_the_old_file(
    ending: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_text("old")
    whole = Stage.picture

    def stop(self: Stage, t: float, *clock: Any) -> Any:
        if 3.0 < t < 4.0:
            raise KeyboardInterrupt
        return whole(self, t, *clock)

    monkeypatch.setattr(Stage, "picture", stop)
    monkeypatch.setattr("axon.draw.encode.PALETTE_FRAMES", 2)
    with pytest.raises(KeyboardInterrupt):
        draw.animate(RUN, path, fps=5, dpi=50)
    assert [file.name for file in tmp_path.iterdir()] == [f"a.{ending}"]
    assert path.read_text() == "old"


def test_nothing_is_printed_unless_on_a_terminal(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    draw.animate(RUN, tmp_path / "a.gif", duration_s=0.5)
    assert capfd.readouterr() == ("", "")


def test_progress_is_counted_in_frames_and_can_be_silenced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def watched(total: float, **arguments: Any) -> Progress:
        asked.append((total, arguments))
        return Progress(total, **arguments)

    monkeypatch.setattr("axon.draw.encode.Progress", watched)
    draw.animate(RUN, tmp_path / "a.gif", duration_s=0.2)
    draw.animate(RUN, tmp_path / "a.gif", duration_s=0.2, progress=False)
    assert asked == [(4, {"enabled": True, "unit": "frames"}), (4, {"enabled": False, "unit": "frames"})]

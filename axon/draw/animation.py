"""Moving pictures: the voltage running along the axon, its refractory wake behind it, the gates below."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from axon.checks import positive
from axon.draw.encode import MOVING_FORMATS, Film, playable_speed, require_encoder, write_film
from axon.draw.scene import (
    label_position,
    length_scale,
    mark_joins,
    sparse_marker,
    stimulated,
    velocity_in_words,
    voltage_of,
)
from axon.draw.snapshots import WakeShading, draw_gates
from axon.draw.style import COLOURS, checked_path, context, figure, replacing
from axon.draw.traces import key_beside, set_voltage_axis
from axon.draw.wake import Wake

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from axon.run import Run

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]

WIDTH, HEIGHT = 6.4, 4.0  # inches
TYPE_SCALE = 1.2  # of a film's frame, as it is shown at 100 pixels per inch


def animate(
    run: Run,
    path: str | os.PathLike[str],
    *,
    fps: float = 20.0,
    duration_s: float = 4.0,
    dpi: float = 100.0,
    progress: bool = True,
) -> Path:
    """Write the run as a moving picture: voltage along the axon, refractory wake behind it, gates below.

    Printed on every frame are the model time, the velocity, and how many times slower than life it plays; a
    triangle shows where a stimulus is on. The wake is shaded, dark where absolute and pale where relative,
    see `Wake`; it and the panel of gates need the gates recorded (``Record(gates=True)``) and are left out
    otherwise. Frames are evenly spaced in model time; one that falls between two recorded times is
    interpolated linearly between them. Fewer frames or fewer pixels make a smaller file.

    Parameters
    ----------
    run : Run
        With voltage recorded at 2 positions or more.
    path : path-like
        Ends in .gif (Pillow), .html (one self-contained page with a slider) or .mp4 (needs imageio-ffmpeg).
    fps : float
        Frames per second. A GIF counts in 1/100 s, so it takes the nearest speed it can show, 50 at most.
    duration_s : float
        How long it plays, s.
    dpi : float
        Pixels per inch; the picture is 6.4 x 4 inches, so 100 gives 640 x 400.
    progress : bool
        Whether to show a progress bar, if standard error is a terminal.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ValueError
        If voltage was not recorded, the path has another ending, or a number is not above 0.
    ImportError
        If .mp4 is asked for and imageio-ffmpeg is not installed.
    FileNotFoundError
        If the folder does not exist.
    """
    voltage_of(run, "an animation", positions=2)
    path = checked_path(path, MOVING_FORMATS)
    suffix = path.suffix.lower()
    require_encoder(suffix)
    positive("dpi", dpi, "pixels per inch")
    fps = playable_speed(suffix, positive("fps", fps, "frames per second"))
    count = max(2, round(fps * positive("duration_s", duration_s, "s")))
    times = np.linspace(run.time[0], run.time[-1], count)
    with context(TYPE_SCALE), replacing(path) as part:
        stage = Stage(run, dpi=dpi, frame_step=float(times[1] - times[0]), fps=fps)
        labels = [stage.clock.label(float(t)) for t in times]
        write_film(Film(stage.picture, times, labels, fps, progress), part)
    return path


class Clock:
    """Model time in words, with the unit that suits the span and the digits that tell two frames apart."""

    def __init__(self, span: float, step: float) -> None:
        self.factor, self.unit = (1e3, "µs") if span < 1.0 else (1.0, "ms") if span < 2000.0 else (1e-3, "s")
        self.digits = max(0, math.ceil(math.log10(2.0 / (step * self.factor))))

    def label(self, t: float) -> str:
        """The time `t` (ms) in words."""
        return f"{t * self.factor:.{self.digits}f} {self.unit}"


class Stage:
    """One figure: its axes are drawn once; its lines, shade and clock again for every frame."""

    def __init__(self, run: Run, *, dpi: float, frame_step: float, fps: float) -> None:
        self.run, self.frame_step = run, frame_step
        self.clock = Clock(float(run.time[-1] - run.time[0]), frame_step)
        # Video codecs want an even number of pixels both ways.
        width, height = (2 * max(1, round(inches * dpi / 2)) / dpi * 25.4 for inches in (WIDTH, HEIGHT))
        self.figure = figure(width, height, dpi=dpi)
        self.canvas = FigureCanvasAgg(self.figure)
        rows = 2 if run.gates else 1
        axes = self.figure.subplots(rows, squeeze=False, sharex=True, height_ratios=[1.9, 1.0][:rows])[:, 0]
        self.moving: list[Artist] = []
        self._set_voltage_panel(axes[0])
        self.gates = draw_gates(run, 0, axes[1], "gate") if run.gates else {}
        self.moving += self.gates.values()
        for ax in axes:
            mark_joins(run, ax)
        label_position(run, axes[-1])
        self._set_header(axes[0], 1e3 / (fps * frame_step))
        for artist in self.moving:
            artist.set_animated(True)
            artist.set_in_layout(False)
        self.canvas.draw()
        self.empty = self.canvas.copy_from_bbox(self.figure.bbox)

    def _set_voltage_panel(self, ax: Axes) -> None:
        run = self.run
        self.factor, _ = length_scale(run)
        wake = Wake.of(run)
        self.shading = WakeShading(run, wake, ax) if wake else None
        if self.shading:
            self.moving.append(self.shading.image)
            key_beside(ax)
        x = run.position * self.factor
        (self.line,) = ax.plot(x, np.full_like(x, np.nan), color=COLOURS["black"], linewidth=1.8)
        self.line.set_marker(sparse_marker(run))
        (self.electrode,) = ax.plot([], [], "v", color=COLOURS["vermillion"], markersize=8.0, clip_on=False)
        self.electrode.set_transform(ax.get_xaxis_transform())
        set_voltage_axis(run, ax)
        self.moving += [self.line, self.electrode]

    def _set_header(self, ax: Axes, slowed: float) -> None:
        pace = f"slowed {slowed:.3g}×" if slowed >= 1 else f"sped up {1 / slowed:.3g}×"
        self.text = ax.text(0.0, 1.03, "", transform=ax.transAxes, fontsize=14, va="baseline")
        velocity, _ = velocity_in_words(self.run)
        ax.set_title(f"{velocity}   {pace}", loc="right", fontsize=11, color=COLOURS["grey"])
        self.moving.append(self.text)

    def picture(self, t: float) -> Pixels:
        """The frame at model time `t` (ms), (height, width, 3) uint8."""
        voltage, gates = self.sample(t)
        self.line.set_ydata(voltage)
        for name, line in self.gates.items():
            line.set_ydata(gates[name])
        if self.shading:
            self.shading.show(gates, voltage)
        half = self.frame_step / 2  # so that even the shortest stimulus is seen on one frame
        on = [x * self.factor for x, start, stop in stimulated(self.run) if start - half <= t <= stop + half]
        self.electrode.set_data(on, [0.96] * len(on))
        self.text.set_text(self.clock.label(t))
        self.canvas.restore_region(self.empty)
        for artist in self.moving:
            self.figure.draw_artist(artist)
        return np.array(self.canvas.buffer_rgba())[..., :3]

    def sample(self, t: float) -> tuple[Array, dict[str, Array]]:
        """Voltage (n_x,) and gates at model time `t` (ms), linear between the recorded times around it."""
        time = self.run.time
        after = int(np.clip(np.searchsorted(time, t), 1, len(time) - 1))
        share = (t - time[after - 1]) / (time[after] - time[after - 1])

        def between(recorded: Array) -> Array:
            return (1.0 - share) * recorded[after - 1] + share * recorded[after]

        assert self.run.voltage is not None
        return between(self.run.voltage), {name: between(gate) for name, gate in self.run.gates.items()}

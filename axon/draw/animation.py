"""Moving pictures: spikes running along axons, refractory wakes behind them, gates and currents below."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from axon.checks import positive
from axon.draw.encode import MOVING_FORMATS, Film, playable_speed, require_encoder, write_film
from axon.draw.scene import in_step, number, voltage_of
from axon.draw.stage import Stage
from axon.draw.style import checked_path, context, replacing

if TYPE_CHECKING:
    from axon.run import Run

TYPE_SCALE = 1.2  # of a film's frame, as it is shown at 100 pixels per inch
DEFAULT_S = 4.0
MOST_FRAMES = 10_000  # more are a mistake in pixels_per_frame, and fill the disk


def animate(
    runs: Run | Sequence[Run],
    path: str | os.PathLike[str],
    *,
    panels: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    fps: float = 20.0,
    duration_s: float | None = None,
    pixels_per_frame: float | None = None,
    dpi: float = 100.0,
    progress: bool = True,
) -> Path:
    """Write a run, or several on one clock, as a moving picture.

    Printed on every frame are the model time, how many times slower than life it plays, and the velocity; a
    triangle shows where a stimulus is on. The wake is shaded, dark where absolute and pale where relative,
    see `Wake`; it and the panel of gates need the gates recorded (``Record(gates=True)``), that of currents
    the currents. Frames are evenly spaced in model time; one that falls between two recorded times is
    interpolated linearly between them. Fewer frames or fewer pixels make a smaller file.

    Several runs share the clock and the scale of length, whatever the length of each and wherever it was
    recorded; one that ends before the others stays as it was.

    Parameters
    ----------
    runs : Run, or sequence of Run
        With voltage recorded at 2 positions or more.
    path : path-like
        Ends in .gif (Pillow), .html (one self-contained page with a slider), .mp4 or .webm (both need
        imageio-ffmpeg).
    panels : sequence of str, optional
        Some of "voltage", "gates", "currents" and "kymograph" (the whole run as an image, with a line that
        moves), from top to bottom. By default the voltage, and gates and currents where recorded.
    labels : sequence of str, optional
        What to call each run; by default what tells their axons apart.
    fps : float
        Frames per second. A GIF counts in 1/100 s, so it takes the nearest speed it can show, 50 at most.
    duration_s : float, optional
        How long it plays, s; by default 4.
    pixels_per_frame : float, optional
        By how many pixels the fastest spike moves from frame to frame, in place of ``duration_s``.
    dpi : float
        Pixels per inch; the picture is 6.4 inches wide and, with voltage and gates of one run, 4 high, so 100
        gives 640 x 400.
    progress : bool
        Whether to show a progress bar, if standard error is a terminal.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ValueError
        If voltage was not recorded, the path has another ending, a panel is unknown or was not recorded, both
        duration and pixels are given, a number is not above 0, or ``pixels_per_frame`` is given and nothing
        propagates.
    ImportError
        If .mp4 or .webm is asked for and imageio-ffmpeg is not installed.
    FileNotFoundError
        If the folder does not exist.
    """
    runs = [in_step(run) for run in (runs if isinstance(runs, Sequence) else [runs])]
    _check(runs, labels, duration_s, pixels_per_frame)
    path = checked_path(path, MOVING_FORMATS)
    suffix = path.suffix.lower()
    require_encoder(suffix)
    positive("dpi", dpi, "pixels per inch")
    fps = playable_speed(suffix, positive("fps", fps, "frames per second"))
    start, stop = min(float(run.time[0]) for run in runs), max(float(run.time[-1]) for run in runs)
    with context(TYPE_SCALE), replacing(path) as part:
        stage = Stage(runs, panels=panels, labels=labels, dpi=dpi)
        if pixels_per_frame is None:
            count = max(2, round(fps * (duration_s or DEFAULT_S)))
        else:
            count = _frames(pixels_per_frame, (stop - start) * stage.pixels_per_ms())
        times = np.linspace(start, stop, count)
        pace = Pace(float(times[1] - times[0]), fps, Clock(stop - start, float(times[1] - times[0])))

        def picture(t: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
            return stage.picture(t, pace.header(t), pace.step / 2)

        labels_of_frames = [pace.clock.label(float(t)) for t in times]
        write_film(Film(picture, times, labels_of_frames, fps, progress), part)
    return path


def _check(
    runs: list[Run], labels: Sequence[str] | None, duration_s: float | None, pixels_per_frame: float | None
) -> None:
    if not runs:
        raise ValueError("animate needs a run, got an empty sequence")
    for run in runs:
        voltage_of(run, "an animation", positions=2)
    if labels is not None and (isinstance(labels, str) or len(labels) != len(runs)):
        raise ValueError(f"labels must be one for each of {len(runs)} runs, got {labels!r}")
    if duration_s is not None and pixels_per_frame is not None:
        raise ValueError("give duration_s or pixels_per_frame, not both: each follows from the other")
    if duration_s is not None:
        positive("duration_s", duration_s, "s")
    if pixels_per_frame is not None:
        positive("pixels_per_frame", pixels_per_frame, "pixels")


def _frames(step: float, way: float) -> int:
    """How many frames take the spike along `way` (pixels) in steps of `step`."""
    count = max(2, round(way / step) + 1)
    if count > MOST_FRAMES:
        raise ValueError(
            f"pixels_per_frame {step:g} makes {count} frames; give {way / MOST_FRAMES:.2g} or more"
        )
    return count


class Clock:
    """Model time in words, with the unit that suits the span and the digits that tell two frames apart."""

    def __init__(self, span: float, step: float) -> None:
        self.factor, self.unit = (1e3, "µs") if span < 1.0 else (1.0, "ms") if span < 2000.0 else (1e-3, "s")
        self.digits = max(0, math.ceil(math.log10(2.0 / (step * self.factor))))

    def label(self, t: float) -> str:
        """The time `t` (ms) in words."""
        return f"{t * self.factor:.{self.digits}f} {self.unit}"


@dataclass(frozen=True)
class Pace:
    """How model time passes in a film.

    Attributes
    ----------
    step : float
        Model time from frame to frame, ms.
    fps : float
        Frames per second.
    clock : Clock
    """

    step: float
    fps: float
    clock: Clock

    def header(self, t: float) -> str:
        """Model time `t` (ms) and how many times slower than life it passes."""
        slowed = 1e3 / (self.fps * self.step)
        pace = f"slowed {number(slowed)}×" if slowed >= 1 else f"sped up {number(1 / slowed)}×"
        return f"{self.clock.label(t)}   {pace}"

"""Frames into files: GIF with Pillow, MP4 and WebM with imageio-ffmpeg, HTML with a slider on one page."""

from __future__ import annotations

import base64
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.progress import Progress

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MOVING_FORMATS = (".gif", ".mp4", ".webm", ".html")
# What ffmpeg is told for each ending. Left to itself VP9 takes many times as long as the drawing.
VIDEO: dict[str, dict[str, Any]] = {
    ".mp4": {"quality": 8},
    ".webm": {
        "codec": "libvpx-vp9",
        "quality": None,
        "output_params": [
            "-crf",
            "31",
            "-b:v",
            "0",
            "-deadline",
            "realtime",
            "-cpu-used",
            "6",
            "-row-mt",
            "1",
        ],
    },
}
PALETTE_FRAMES = 8  # of the film, on which the palette is chosen
SHORTEST_DELAY = 2  # 1/100 s; browsers show a GIF with a shorter one at a tenth of the speed


@dataclass(frozen=True, eq=False)
class Film:
    """Frames to be drawn one after the other.

    Attributes
    ----------
    picture : callable
        From a model time (ms) to its frame, (height, width, 3) uint8.
    times : (n,) ndarray
        Model time of each frame, ms.
    labels : list of str
        The same in words.
    fps : float
        Frames per second.
    progress : bool
        Whether to show a progress bar on a terminal.
    """

    picture: Callable[[float], Pixels]
    times: np.ndarray[Any, np.dtype[np.float64]]
    labels: list[str]
    fps: float
    progress: bool

    def frames(self) -> Iterator[Pixels]:
        """All frames in order."""
        with Progress(len(self.times), enabled=self.progress, unit="frames") as bar:
            for t in self.times:
                yield self.picture(float(t))
                bar.advance(1)

    def indexed_frames(self) -> Iterator[Image]:
        """All frames, in one palette that suits the whole film."""
        from axon.draw.palette import Palette

        chosen = np.linspace(0, len(self.times) - 1, min(PALETTE_FRAMES, len(self.times))).round().astype(int)
        palette = Palette([self.picture(float(self.times[i])) for i in chosen])
        for frame in self.frames():
            yield palette.image(frame)


def playable_speed(suffix: str, fps: float) -> float:
    """The frames per second that a file of this ending plays when asked for `fps`."""
    return 100.0 / max(SHORTEST_DELAY, round(100.0 / fps)) if suffix == ".gif" else fps


def require_encoder(suffix: str) -> None:
    """Raise ImportError when the package that writes this kind of file is missing."""
    if suffix in VIDEO:
        try:
            import imageio_ffmpeg  # noqa: F401
        except ImportError:
            raise ImportError(
                f'{suffix} needs imageio-ffmpeg: pip install "axon[video]", or choose .gif or .html'
            ) from None


def write_film(film: Film, path: Path) -> None:
    """Write `film` in the format that the ending of `path` names."""
    suffix = path.suffix.lower()
    if suffix in VIDEO:
        _write_video(film, path, VIDEO[suffix])
    else:
        {".gif": _write_gif, ".html": _write_html}[suffix](film, path)


def _write_gif(film: Film, path: Path) -> None:
    frames = film.indexed_frames()
    delay = round(1000.0 / film.fps)
    # Opened here, so that it is closed when a frame fails.
    with path.open("wb") as file:
        first = next(frames)
        first.save(file, "GIF", save_all=True, append_images=frames, duration=delay, loop=0, optimize=True)


def _write_video(film: Film, path: Path, codec: dict[str, Any]) -> None:
    import imageio_ffmpeg

    frames = film.frames()
    first = next(frames)
    size = (first.shape[1], first.shape[0])
    writer = imageio_ffmpeg.write_frames(str(path), size, fps=film.fps, macro_block_size=2, **codec)
    writer.send(None)
    try:
        for frame in itertools.chain([first], frames):
            writer.send(np.ascontiguousarray(frame))
    finally:
        writer.close()


def _write_html(film: Film, path: Path) -> None:
    pictures = []
    for frame in film.indexed_frames():
        png = io.BytesIO()
        frame.save(png, "PNG")
        pictures.append("data:image/png;base64," + base64.b64encode(png.getvalue()).decode("ascii"))
    page = PAGE.replace("FRAMES", json.dumps(pictures)).replace("LABELS", json.dumps(film.labels))
    path.write_text(page.replace("DELAY", f"{1000.0 / film.fps:.6g}"), encoding="utf-8")


PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>axon</title>
<style>
  body { font: 14px sans-serif; margin: 1em auto; max-width: 60em; text-align: center; color: #1a1a1a; }
  img { max-width: 100%; }
  div { display: flex; gap: 1em; align-items: center; }
  input { flex: 1; }
  output { min-width: 6em; text-align: right; font-variant-numeric: tabular-nums; }
</style>
<img id="picture" alt="voltage along the axon">
<div>
  <button id="play">pause</button>
  <input id="frame" type="range" min="0" value="0" aria-label="frame">
  <output id="time"></output>
</div>
<script type="module">
  const pictures = FRAMES, labels = LABELS, delay = DELAY;
  const [picture, play, frame, time] =
    ["picture", "play", "frame", "time"].map(id => document.getElementById(id));
  let timer = null;
  function show(k) { frame.value = k; picture.src = pictures[k]; time.textContent = labels[k]; }
  function start() {
    timer = setInterval(() => show((+frame.value + 1) % pictures.length), delay);
    play.textContent = "pause";
  }
  function stop() { clearInterval(timer); timer = null; play.textContent = "play"; }
  frame.max = pictures.length - 1;
  frame.oninput = () => { stop(); show(+frame.value); };
  play.onclick = () => timer === null ? start() : stop();
  show(0);
  start();
</script>
</html>
"""

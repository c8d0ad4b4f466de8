"""One palette for a whole film, so that paper stays white and no colour flickers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Codes = np.ndarray[Any, np.dtype[np.uint32]]

EXACT = 48  # the most frequent colours are kept as they are: paper, inks, every step of the shade
BLENDED = 40  # and so many stand for all the rest, the soft edges of lines; fewer colours make smaller files


class Palette:
    """At most 88 colours that suit the sample frames, and frames translated into them.

    Pillow's own translation (``Image.quantize(palette=...)``) looks colours up with 6 bits each, which turns
    white paper grey; this one finds the nearest colour exactly, and each only once.

    Parameters
    ----------
    samples : sequence of (height, width, 3) ndarray of uint8
    """

    def __init__(self, samples: Sequence[Pixels]) -> None:
        codes = np.concatenate([_codes(sample).ravel() for sample in samples])
        found, count = np.unique(codes, return_counts=True)
        order = np.argsort(-count, kind="stable")
        colours = _colours(found[order[:EXACT]])
        rest = codes[np.isin(codes, found[order[EXACT:]])]
        if len(rest):
            image = Image.fromarray(_colours(rest)[None])
            blended = image.quantize(BLENDED, dither=Image.Dither.NONE).getpalette() or []
            # Older Pillows fill up to 256 colours.
            colours = np.concatenate([colours, np.array(blended[: 3 * BLENDED], np.uint8).reshape(-1, 3)])
        self.colours = colours
        self._known = np.full(1 << 24, -1, np.int16)  # colour code -> index, filled as colours turn up

    def image(self, frame: Pixels) -> Image.Image:
        """`frame` in this palette."""
        codes = _codes(frame)
        new = np.unique(codes[self._known[codes] < 0])
        away = _colours(new)[:, None].astype(np.int32) - self.colours[None]
        self._known[new] = np.argmin((away**2).sum(axis=2), axis=1)
        indexed = Image.fromarray(self._known[codes].astype(np.uint8))
        indexed.putpalette(self.colours.tobytes())
        return indexed


def _codes(pixels: Pixels) -> Codes:
    r, g, b = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray(r << 16 | g << 8 | b, np.uint32)


def _colours(codes: Codes) -> Pixels:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)

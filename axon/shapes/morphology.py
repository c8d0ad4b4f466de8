"""Reconstructed morphologies: SWC files, read with MorphIO, as axons."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.checks import positive
from axon.errors import FileFormatError, unknown_name
from axon.geometry import DEFAULT_AXIAL_RESISTIVITY, DEFAULT_CELSIUS, Axon, Section, default_dx
from axon.membranes import Membrane
from axon.shapes.body import Body, Cylinder

Array = NDArray[np.float64]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # MorphIO paints its messages
PARTS = ("soma", "axon", "dendrite", "apical")  # types 1 to 4 of the SWC format


def read_swc(
    path: str | os.PathLike[str],
    membrane: Membrane | Mapping[str, Membrane],
    *,
    celsius: float = DEFAULT_CELSIUS,
    axial_resistivity: float = DEFAULT_AXIAL_RESISTIVITY,
    piece: float | None = None,
) -> Axon:
    """Read a morphology from an SWC file as an axon that branches; needs ``pip install "axon[swc]"``.

    Every unbranched stretch is laid in equal cylinders with the length and the surface of what they stand
    for, so that the membrane is all there whatever their number.

    The soma is read as NEURON's Import3d and Arbor's ``load_swc_neuron`` read it. A sphere, written as one
    sample or as NeuroMorpho's three, is a cylinder as long as it is wide, and neurites grow from its middle;
    a soma of several samples is laid in cylinders between them, and a neurite grows from the sample that the
    file names. Between there and its own first sample lies nothing, unless it has that sample alone. The
    soma comes first, from an end where nothing grows; parts of it that lead nowhere come last.

    Parameters
    ----------
    path : path
    membrane : Membrane, or mapping of "soma", "axon", "dendrite" and "apical" to Membrane
        One for all, or one for each part; parts that are not named are left out, with what grows from them.
    celsius, axial_resistivity : float
        degC, ohm cm.
    piece : float, optional
        Longest cylinder, um; by default what the default mesh takes for the mean diameter.

    Returns
    -------
    Axon
        A section per cylinder, each a compartment by default.

    Raises
    ------
    FileFormatError
        When there is no such file, or it is no morphology.
    ValueError
        For a part that is none, or when nothing is left.
    ImportError
        Without MorphIO.
    """
    kinds = dict.fromkeys(PARTS, membrane) if isinstance(membrane, Membrane) else dict(membrane)
    for part, own in kinds.items():
        if part not in PARTS:
            raise ValueError(unknown_name("part of a morphology", str(part), PARTS))
        if not isinstance(own, Membrane):
            raise ValueError(f"membrane[{part!r}] must be a Membrane, got {own!r}")
    if piece is not None:
        positive("piece", piece, "um")
    morphology = _read(path)
    body, tree = Body(path), _Tree(kinds, celsius, axial_resistivity)
    leading, leaves = body.cylinders() if "soma" in kinds else ([], [])
    tree.lay_soma(leading)
    for stretch in morphology.iter():
        kind = int(stretch.type)
        part = PARTS[kind - 1] if 1 <= kind <= len(PARTS) else "other"
        if part not in kinds or (not stretch.is_root and stretch.parent.id not in tree.ends):
            continue
        points, diameters = np.asarray(stretch.points, float), np.asarray(stretch.diameters, float)
        if not stretch.is_root:
            parent = tree.ends[stretch.parent.id]
        else:
            root = body.sprout(points[0], kind)
            parent = tree.samples.get(root)
            if len(points) == 1 and root is not None:
                points, diameters = np.vstack([body.inside[root].place, points]), diameters[[0, 0]]
        pieces = _cylinders(points, diameters, kinds[part], axial_resistivity, piece)
        tree.ends[stretch.id] = tree.lay(part, parent, pieces)
    tree.lay_soma(leaves)
    if not tree.sections:
        raise ValueError(f"{os.fspath(path)} has none of {', '.join(kinds)}")
    return Axon(sections=tree.sections, parents=tree.parents)


class _Tree:
    """Sections as they are laid, and which one ends at a sample of the soma, and which one a stretch."""

    def __init__(self, kinds: Mapping[str, Membrane], celsius: float, axial_resistivity: float) -> None:
        self.kinds, self.celsius, self.axial_resistivity = kinds, celsius, axial_resistivity
        self.sections: list[Section] = []
        self.parents: list[int | None] = []
        self.samples: dict[int | None, int | None] = {}
        self.ends: dict[int, int | None] = {}

    def lay(self, part: str, parent: int | None, cylinders: Sequence[tuple[float, float]]) -> int | None:
        """Lay cylinders of such lengths and diameters (um) in a row; return the last, or the parent."""
        for length, diameter in cylinders:
            self.parents.append(parent)
            self.sections.append(
                Section(length, diameter, self.kinds[part], self.axial_resistivity, self.celsius, nseg=1)
            )
            parent = len(self.sections) - 1
        return parent

    def lay_soma(self, cylinders: Sequence[Cylinder]) -> None:
        """Lay pieces of the soma."""
        for one in cylinders:
            size = [(one.length, one.diameter)] if one.length else []
            self.samples[one.end] = self.lay("soma", self.samples.get(one.start), size)


def _read(path: str | os.PathLike[str]) -> Any:
    try:
        import morphio
    except ImportError as error:
        raise ImportError('reading SWC needs MorphIO: pip install "axon[swc]"') from error
    if not Path(path).is_file():
        raise FileFormatError(f"{os.fspath(path)}: there is no such file")
    morphio.set_maximum_warnings(0)  # what is wrong enough to matter is an error
    try:
        return morphio.Morphology(str(path))
    except morphio.MorphioError as error:
        reason = " ".join(_COLOUR.sub("", str(error)).split())
        raise FileFormatError(f"{os.fspath(path)} is no morphology that can be read: {reason}") from error


def _cylinders(
    points: Array, diameters: Array, membrane: Membrane, axial_resistivity: float, piece: float | None
) -> list[tuple[float, float]]:
    """Length and diameter (um) of the equal cylinders that stand for an unbranched stretch."""
    along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    length = float(along[-1])
    if length == 0.0:
        return []
    # The surface from the beginning up to every point, over pi.
    surface = np.append(0.0, np.cumsum(np.diff(along) * (diameters[1:] + diameters[:-1]) / 2))
    mean = float(surface[-1]) / length
    step = piece or default_dx(Section(length, mean, membrane, axial_resistivity))
    cuts = np.linspace(0.0, length, max(1, math.ceil(length / step - 1e-9)) + 1)
    return [(length / (len(cuts) - 1), d) for d in _mean_diameters(along, diameters, surface, cuts)]


def _mean_diameters(along: Array, diameters: Array, surface: Array, cuts: Array) -> list[float]:
    """Mean diameter between neighbouring cuts, of a diameter that goes in straight lines between points."""
    at = np.clip(np.searchsorted(along, cuts, side="right") - 1, 0, len(along) - 2)
    width = np.where(np.diff(along) > 0, np.diff(along), 1.0)[at]
    part = cuts - along[at]
    up_to = surface[at] + part * (diameters[at] + (diameters[at + 1] - diameters[at]) * part / (2 * width))
    return (np.diff(up_to) / np.diff(cuts)).tolist()

"""A stretch of axon whose properties depend on the place: tapers, beads, gradients."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import positive
from axon.geometry import DEFAULT_AXIAL_RESISTIVITY, DEFAULT_CELSIUS, Section, default_dx
from axon.membranes import Membrane

Array = NDArray[np.float64]
Profile = float | ArrayLike | Callable[[Array], ArrayLike]

FEWEST_PIECES = 10
LEVELS = 17


def varying(
    length: float,
    diameter: Profile,
    *,
    membrane: Membrane,
    celsius: Profile = DEFAULT_CELSIUS,
    axial_resistivity: Profile = DEFAULT_AXIAL_RESISTIVITY,
    scaled: Mapping[str, Profile] | None = None,
    pieces: int | None = None,
    levels: int = LEVELS,
) -> tuple[Section, ...]:
    """A stretch of axon along which its properties vary, as short uniform sections.

    Each property is a number; a function of the distance x (um, an array) from the beginning of the stretch;
    or an array, of values evenly spaced from its beginning to its end with straight lines between. The
    pieces take the value at their middle, so the error of a smooth profile falls with the square of their
    number. Neighbours that come out alike are one section.

    The engine tabulates the rates of every different membrane and temperature (some 230 kB each), so these
    take only ``levels`` values, evenly from their least to their greatest: nowhere is the temperature, or
    the factor of a density, further from what was asked than half a step, 1/32 of its range by default.

    Parameters
    ----------
    length : float
        um.
    diameter : number, function or array
        um.
    membrane : Membrane
    celsius : number, function or array
        degC.
    axial_resistivity : number, function or array
        ohm cm.
    scaled : mapping of channel to number, function or array, optional
        Factors of densities, as in ``membrane.scaled``.
    pieces : int, optional
        By default as many as the default mesh has compartments where the axon is thinnest, but at least 10.
        The mesh should not be finer: it would resolve the steps between them.
    levels : int
        How many different temperatures, and values of every factor, at least 2.

    Returns
    -------
    tuple of Section

    Raises
    ------
    ValueError
        For values that a Section does not take, an array of other than one axis, a channel that the membrane
        does not have, or counts that are no whole numbers or too small.
    """
    positive("length", length, "um")
    least = positive("diameter", float(np.min(_values("diameter", diameter, _middles(length, 101)))), "um")
    if pieces is None:
        coarse = Section(length, least, membrane, axial_resistivity=_least(axial_resistivity, length))
        pieces = max(FEWEST_PIECES, math.ceil(length / default_dx(coarse) - 1e-9))
    x = _middles(length, _whole("pieces", pieces, 1))
    _whole("levels", levels, 2)
    wide = _values("diameter", diameter, x)
    along = _values("axial_resistivity", axial_resistivity, x)
    warm = _stepped(_values("celsius", celsius, x), levels)
    membranes = _membranes(membrane, scaled or {}, x, levels)
    each = zip(wide.tolist(), membranes, along.tolist(), warm.tolist(), strict=True)
    sections: list[Section] = []
    for values, alike in itertools.groupby(each):
        count = len(list(alike))
        sections.append(Section(count * length / pieces, *values, nseg=count))
    return tuple(sections)


def taper(
    length: float,
    diameters: tuple[float, float],
    *,
    membrane: Membrane,
    celsius: Profile = DEFAULT_CELSIUS,
    axial_resistivity: Profile = DEFAULT_AXIAL_RESISTIVITY,
    pieces: int | None = None,
) -> tuple[Section, ...]:
    """A stretch of axon that widens or narrows evenly: ``Axon(sections=[*taper(...), thick])``.

    Parameters
    ----------
    length : float
        um.
    diameters : (float, float)
        At its beginning and at its end, um.
    membrane, celsius, axial_resistivity, pieces
        As for ``varying``.

    Returns
    -------
    tuple of Section
    """
    if np.shape(diameters) != (2,):
        raise ValueError(f"diameters must be two, at the beginning and at the end in um, got {diameters!r}")
    return varying(
        length,
        np.array([positive("diameters", d, "um") for d in diameters]),
        membrane=membrane,
        celsius=celsius,
        axial_resistivity=axial_resistivity,
        pieces=pieces,
    )


def beaded(
    length: float,
    diameter: float,
    *,
    membrane: Membrane,
    every: float,
    bead_length: float,
    bead_diameter: float,
    celsius: float = DEFAULT_CELSIUS,
    axial_resistivity: float = DEFAULT_AXIAL_RESISTIVITY,
) -> tuple[Section, ...]:
    """An axon with swellings at even distances: varicosities or boutons, as short wide cylinders.

    Parameters
    ----------
    length, diameter : float
        Of the axon, um.
    membrane : Membrane
        Of axon and swellings.
    every : float
        From the middle of a swelling to that of the next, um; the first stands half as far from the
        beginning.
    bead_length, bead_diameter : float
        Of a swelling, um; it must leave room between.
    celsius, axial_resistivity : float
        degC, ohm cm.

    Returns
    -------
    tuple of Section

    Raises
    ------
    ValueError
        For swellings that touch, or fewer than one.
    """
    for name, value in (("length", length), ("every", every), ("bead_length", bead_length)):
        positive(name, value, "um")
    if bead_length >= every:
        raise ValueError(f"bead_length must be shorter than every = {every:g} um, got {bead_length!r}")
    count = math.floor(length / every + 1e-9)
    if not count:
        raise ValueError(f"length must have room for a bead every {every:g} um, got {length!r}")

    def stretch(long: float, wide: float) -> Section:
        section = Section(long, wide, membrane, axial_resistivity, celsius)
        return replace(section, nseg=math.ceil(long / default_dx(section) - 1e-9))

    gap = every - bead_length
    bead = stretch(bead_length, bead_diameter)
    sections = [stretch(gap / 2, diameter), bead]
    sections += [stretch(gap, diameter), bead] * (count - 1)
    return (*sections, stretch(gap / 2 + max(length - count * every, 0.0), diameter))


def _middles(length: float, pieces: int) -> Array:
    return (np.arange(pieces) + 0.5) * length / pieces


def _least(profile: Profile, length: float) -> float:
    return float(np.min(_values("axial_resistivity", profile, _middles(length, 101))))


def _values(name: str, profile: Profile, x: Array) -> Array:
    """A property at the places x (um), which are the middles of equal pieces."""
    if callable(profile):
        return np.broadcast_to(np.asarray(profile(x), float), x.shape)
    given = np.asarray(profile, float)
    if given.ndim == 0:
        return np.full(x.shape, float(given))
    if given.ndim != 1 or not len(given):
        raise ValueError(f"{name} must be a number, a function of x or an array (n,), got {given.shape}")
    return np.interp(x, np.linspace(0.0, x[0] + x[-1], len(given)), given)


def _membranes(membrane: Membrane, scaled: Mapping[str, Profile], x: Array, levels: int) -> list[Membrane]:
    """The membrane of every piece; the same object where factors are the same."""
    values = {name: _values(f"scaled[{name!r}]", own, x) for name, own in scaled.items()}
    columns = [_stepped(own, levels).tolist() for own in values.values()]
    rows = list(zip(*columns, strict=True)) if columns else [()] * len(x)
    made = {row: membrane.scaled(**dict(zip(scaled, row, strict=True))) for row in dict.fromkeys(rows)}
    return [made[row] for row in rows]


def _stepped(values: Array, levels: int) -> Array:
    """Values moved by at most half a step to one of so many, evenly apart."""
    low, span = values.min(), np.ptp(values)
    if span == 0 or not np.isfinite(span):
        return values
    step = span / (levels - 1)
    return low + step * np.round((values - low) / step)


def _whole(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    return value

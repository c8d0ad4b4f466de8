"""What an MRG fibre of some diameter measures: the published table, and what people put between its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from axon.checks import positive
from axon.errors import unknown_name


class Row(NamedTuple):
    """A fibre of the published table, um (but for the number of lamellae)."""

    fibre: float
    axon: float
    node: float
    spacing: float  # from node to node
    flut: float  # length
    lamellae: float


# MRGaxon.hoc (ModelDB 3810); 2 um (doi 10.1152/jn.00989.2003) and 1 um (doi 10.1088/1741-2552/aa6a5f) by
# way of PyFibers (wmglab-duke/pyfibers, models/mrg.py).
TABLE = (
    Row(1.0, 0.8, 0.7, 100.0, 5.0, 15.0),
    Row(2.0, 1.6, 1.4, 200.0, 10.0, 30.0),
    Row(5.7, 3.4, 1.9, 500.0, 35.0, 80.0),
    Row(7.3, 4.6, 2.4, 750.0, 38.0, 100.0),
    Row(8.7, 5.8, 2.8, 1000.0, 40.0, 110.0),
    Row(10.0, 6.9, 3.3, 1150.0, 46.0, 120.0),
    Row(11.5, 8.1, 3.7, 1250.0, 50.0, 130.0),
    Row(12.8, 9.2, 4.2, 1350.0, 54.0, 135.0),
    Row(14.0, 10.4, 4.7, 1400.0, 56.0, 140.0),
    Row(15.0, 11.5, 5.0, 1450.0, 58.0, 145.0),
    Row(16.0, 12.7, 5.5, 1500.0, 60.0, 150.0),
)


def _straight(d: float) -> Row:
    return Row(*(float(np.interp(d, [row.fibre for row in TABLE], column)) for column in np.array(TABLE).T))


def _musselman(d: float) -> Row:
    return Row(
        fibre=d,
        axon=0.02361 * d**2 + 0.3673 * d + 0.7122,
        node=0.01093 * d**2 + 0.1008 * d + 1.099,
        spacing=-8.215 * d**2 + 272.4 * d - 780.2 if d >= 5.643 else 81.08 * d + 37.84,
        flut=-0.1652 * d**2 + 6.354 * d - 0.2862,
        lamellae=-0.4749 * d**2 + 16.85 * d - 0.7648,
    )


def _pena(d: float) -> Row:
    axon = 0.553 * d - 0.024
    return Row(
        fibre=d,
        axon=axon,
        node=0.321 * axon + 0.37,
        spacing=-3.22 * d**2 + 148.0 * d - 128.0,
        flut=-0.171 * d**2 + 6.48 * d - 0.935,
        lamellae=float(int(17.4 * axon - 1.74)),
    )


class Interpolation(NamedTuple):
    """A way to find a fibre's dimensions from its diameter."""

    smallest: float  # um
    largest: float  # um
    row: Callable[[float], Row]
    node: dict[str, float]  # by what the densities of the node's channels are multiplied
    source: str


INTERPOLATIONS = {
    "linear": Interpolation(
        1.0, 16.0, _straight, {}, "the published rows themselves, and straight lines between them"
    ),
    "musselman": Interpolation(
        2.0,
        16.0,
        _musselman,
        {},
        "Musselman et al., PLoS Comput. Biol. 17:e1009285, 2021 (ASCENT, fiber_z.json; PyFibers)",
    ),
    # Sodium 2.333333 instead of 3, slow potassium 0.115556 instead of 0.08 S/cm2.
    "pena": Interpolation(
        1.011,
        5.7,
        _pena,
        {"Na": 2.333333 / 3.0, "Ks": 0.115556 / 0.08},
        "Peña et al., PLoS Comput. Biol. e1011833, 2024 (PyFibers, PENA), for thin fibres",
    ),
}


def dimensions(diameter: float, interpolation: str = "linear") -> Row:
    """The fibre of one diameter (um), by one of ``INTERPOLATIONS``.

    Raises
    ------
    ValueError
        For an interpolation that is not known, or a diameter outside its range.
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError(unknown_name("interpolation", interpolation, INTERPOLATIONS))
    how = INTERPOLATIONS[interpolation]
    if not how.smallest <= positive("diameter", diameter, "um") <= how.largest:
        by = "" if interpolation == "linear" else f" by interpolation={interpolation!r}"
        raise ValueError(
            f"diameter must be {how.smallest:g} to {how.largest:g} um for an MRG fibre{by}, got {diameter!r}"
        )
    return how.row(float(diameter))

"""Hodgkin and Huxley 1952 on the squid giant axon."""

from __future__ import annotations

from axon.cards.card import Card, Figure, Line
from axon.geometry import Axon
from axon.membranes import hodgkin_huxley

WAVE = "exact travelling wave, a boundary-value problem; agrees with an independent shooting to 10 digits"
PAPER = "Hodgkin & Huxley, J. Physiol. 117:500-544, 1952"


def squid_axon(diameter: float) -> Axon:
    """A squid axon long enough for its spike to become steady."""
    return Axon(
        length=60_000 * (diameter / 476) ** 0.5,
        diameter=diameter,
        membrane=hodgkin_huxley(),
        axial_resistivity=35.4,
        celsius=18.5,
    )


HODGKIN_HUXLEY = Card(
    name="hodgkin_huxley",
    animal="squid giant axon",
    paper=PAPER,
    numbers="table 3 of the paper",
    celsius=18.5,
    fibre=squid_axon,
    diameter=476.0,
    duration=8.0,
    dt=0.01,
    lines=(
        Line("rest", None, Figure(-64.9963793, "zero of the steady current", 1e-6)),
        Line("height", None, Figure(90.5747193, WAVE, 0.02)),
        Line("width"),
        Line("threshold"),
        Line(
            "velocity",
            Figure(18.8, f"{PAPER}: computed by hand; 21.2 m/s was measured"),
            Figure(18.7318882479, WAVE, 0.002),
        ),
        Line("refractory"),
    ),
)

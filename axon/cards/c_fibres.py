"""Unmyelinated fibres."""

from __future__ import annotations

from collections.abc import Callable

from axon.cards.card import Card, Figure, Line
from axon.geometry import Axon
from axon.membranes import Membrane, rattay_aberham, sundt

NEURON = (
    "NEURON 9.0.2 with the mechanisms of PyFibers, no rate tables, compartments of 8.33 um, Crank-Nicolson "
    "at 5 and 2.5 us, extrapolated to dt -> 0"
)
THRESHOLD = "the same at 5 us, bisected"


def fibre(membrane: Callable[[], Membrane], axial_resistivity: float) -> Callable[[float], Axon]:
    """Fibres of one membrane at 37 degC, by diameter, long enough for the spike to become steady."""

    def of(diameter: float) -> Axon:
        return Axon(
            length=5000 * diameter**0.5,
            diameter=diameter,
            membrane=membrane(),
            axial_resistivity=axial_resistivity,
            celsius=37.0,
        )

    return of


RATTAY_ABERHAM = Card(
    name="rattay_aberham",
    animal="no animal: squid channels, warm, as a C fibre",
    paper="Rattay & Aberham, IEEE Trans. Biomed. Eng. 40:1201-1209, 1993",
    numbers="RattayAberham.mod of PyFibers; axoplasm of 100 ohm cm",
    celsius=37.0,
    fibre=fibre(rattay_aberham, 100.0),
    diameter=1.0,
    duration=10.0,
    lines=(
        Line("rest", Figure(-70.0, "the paper", 0.01), Figure(-69.9997183, NEURON, 1e-4)),
        Line("height", None, Figure(65.72175, NEURON)),
        Line("width", None, Figure(0.246376, NEURON)),
        Line("threshold", None, Figure(0.186157, THRESHOLD)),
        Line("velocity", None, Figure(0.634858, NEURON)),
        Line("velocity", diameter=0.5),
        Line("velocity", diameter=2.0),
        Line("refractory"),
    ),
)

SUNDT = Card(
    name="sundt",
    animal="C fibre of a dorsal root ganglion",
    paper="Sundt, Gamper & Jaffe, J. Neurophysiol. 114:3140-3153, 2015",
    numbers="nahh.mod and kdr.mod of PyFibers; axoplasm of 100 ohm cm",
    celsius=37.0,
    fibre=fibre(sundt, 100.0),
    diameter=1.0,
    duration=13.0,
    lines=(
        Line(
            "rest",
            Figure(-60.0, "the paper", 0.01),
            Figure(-59.9311245, NEURON, 1e-3),
            "PyFibers computes the leak that balances the rest before its channels have settled",
        ),
        Line("height", None, Figure(75.685, NEURON)),
        Line("width", None, Figure(0.586244, NEURON)),
        Line("threshold", None, Figure(0.16638, THRESHOLD), "it rests 0.07 mV higher in PyFibers"),
        Line("velocity", None, Figure(0.495461, NEURON)),
        Line("velocity", diameter=0.5),
        Line("velocity", diameter=2.0),
        Line("refractory"),
    ),
)

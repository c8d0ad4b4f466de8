"""Unmyelinated fibres."""

from __future__ import annotations

from collections.abc import Callable

from axon.cards.card import Card, Figure, Line
from axon.geometry import Axon
from axon.membranes import Membrane, rattay_aberham, schild_1994, schild_1997, sundt, tigerholm

NEURON = (
    "NEURON 9.0.2 with the mechanisms of PyFibers, no rate tables, compartments of 8.33 um, Crank-Nicolson "
    "at 5 and 2.5 us, extrapolated to dt -> 0"
)
SETTLED = f"{NEURON}, after 20 s at rest"
TRIAL = (0.01, 5.0)  # ms and um
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
            "PyFibers balances its leak before any channel conducts: it reverses at -60.00 and not -60.07 mV",
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

# Of both no refractory period: where second pulses are strong the exchanger of calcium is stiff, and the
# hundreds of trials that a period takes would need steps of 5 us.
SCHILD_1994 = Card(
    name="schild_1994",
    animal="C fibre of the nodose ganglion",
    paper="Schild et al., J. Neurophysiol. 71:2338-2358, 1994",
    numbers="models/schild.py and mechanisms of PyFibers; axoplasm of 100 ohm cm",
    celsius=37.0,
    fibre=fibre(schild_1994, 100.0),
    diameter=1.0,
    duration=25.0,
    trial=TRIAL,
    lines=(
        Line(
            "rest",
            None,
            Figure(-46.4493938, "NEURON 9.0.2 with the mechanisms of PyFibers, after 40 s", 1e-4),
        ),
        Line("height", None, Figure(97.26726, SETTLED)),
        Line("width", None, Figure(3.348182, SETTLED)),
        Line("threshold", None, Figure(0.212524, THRESHOLD)),
        Line("velocity", None, Figure(0.511507, SETTLED)),
    ),
)

SCHILD_1997 = Card(
    name="schild_1997",
    animal="C fibre of the nodose ganglion",
    paper="Schild & Kunze, J. Neurophysiol. 78:3198-3209, 1997",
    numbers="models/schild.py and mechanisms of PyFibers; axoplasm of 100 ohm cm",
    celsius=37.0,
    fibre=fibre(schild_1997, 100.0),
    diameter=1.0,
    duration=35.0,
    trial=TRIAL,
    lines=(
        Line(
            "rest",
            None,
            Figure(-68.4878855, "NEURON 9.0.2 with the mechanisms of PyFibers, after 40 s", 1e-4),
        ),
        Line("height", None, Figure(132.1211, SETTLED)),
        Line("width", None, Figure(3.824678, SETTLED)),
        Line("threshold", None, Figure(0.46106, THRESHOLD)),
        Line("velocity", None, Figure(0.287507, SETTLED)),
    ),
)

TIGERHOLM = Card(
    name="tigerholm",
    animal="C nociceptor of the skin",
    paper="Tigerholm et al., J. Neurophysiol. 111:1721-1735, 2014",
    numbers="models/tigerholm.py and mechanisms of PyFibers; axoplasm of 35.4 ohm cm",
    celsius=37.0,
    fibre=fibre(tigerholm, 35.4),
    diameter=1.0,
    duration=20.0,
    trial=TRIAL,
    lines=(
        Line("rest", Figure(-55.0, "the paper", 0.01), Figure(-55.0, NEURON, 1e-4)),
        Line("height", None, Figure(86.8058, NEURON)),
        Line("width", None, Figure(1.91665, NEURON)),
        Line("threshold", None, Figure(0.41907, THRESHOLD)),
        Line("velocity", Figure(0.69, "the paper", 0.02), Figure(0.704500, NEURON)),
        Line("refractory"),
    ),
)

"""Unmyelinated fibres at 37 degC, beside NEURON with the same mechanisms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axon.cards.card import Card, Said, lines
from axon.geometry import Axon
from axon.membranes import Membrane, rattay_aberham, schild_1994, schild_1997, sundt, tigerholm

MECHANISMS = "NEURON 9.0.2 with the mechanisms of PyFibers"
NEURON = (
    f"{MECHANISMS}, no rate tables, compartments of 8.33 um, Crank-Nicolson at 5 and 2.5 us, extrapolated to "
    "dt -> 0"
)
BY_NEURON = {"velocity": NEURON, "threshold": "the same at 5 us, bisected"}
# Concentrations take long to come to rest.
SETTLED = BY_NEURON | {"velocity": f"{NEURON}, after 20 s at rest", "rest": f"{MECHANISMS}, after 40 s"}
TRIAL = (0.01, 5.0)  # ms and um
HALF_AND_DOUBLE = {0.5: None, 2.0: None}  # um


def c_fibre(membrane: Callable[[], Membrane], axial_resistivity: float = 100.0, **facts: Any) -> Card:
    """The card of a fibre of 1 um; fibres are long enough for the spike to become steady."""

    def fibre(diameter: float) -> Axon:
        return Axon(
            length=5000 * diameter**0.5,
            diameter=diameter,
            membrane=membrane(),
            axial_resistivity=axial_resistivity,
            celsius=37.0,
        )

    return Card(name=membrane.__name__, celsius=37.0, fibre=fibre, diameter=1.0, **facts)


RATTAY_ABERHAM = c_fibre(
    rattay_aberham,
    animal="no animal: squid channels, warm, as a C fibre",
    paper="Rattay & Aberham, IEEE Trans. Biomed. Eng. 40:1201-1209, 1993",
    numbers="RattayAberham.mod of PyFibers; axoplasm of 100 ohm cm",
    duration=10.0,
    lines=lines(
        Said(
            rest=(-69.9997183, 1e-4), height=65.72175, width=0.246376, threshold=0.186157, velocity=0.634858
        ),
        BY_NEURON,
        paper=Said(rest=(-70.0, 0.01)),
        also=HALF_AND_DOUBLE,
    ),
)

SUNDT = c_fibre(
    sundt,
    animal="C fibre of a dorsal root ganglion",
    paper="Sundt, Gamper & Jaffe, J. Neurophysiol. 114:3140-3153, 2015",
    numbers="nahh.mod and kdr.mod of PyFibers; axoplasm of 100 ohm cm",
    duration=13.0,
    lines=lines(
        Said(rest=(-59.9311245, 1e-3), height=75.685, width=0.586244, threshold=0.16638, velocity=0.495461),
        BY_NEURON,
        paper=Said(rest=(-60.0, 0.01)),
        why={
            "rest": "PyFibers balances its leak before any channel conducts: it reverses at -60.00 and not "
            "-60.07 mV",
            "threshold": "it rests 0.07 mV higher in PyFibers",
        },
        also=HALF_AND_DOUBLE,
    ),
)

SCHILD_1994 = c_fibre(
    schild_1994,
    animal="C fibre of the nodose ganglion",
    paper="Schild et al., J. Neurophysiol. 71:2338-2358, 1994",
    numbers="models/schild.py and mechanisms of PyFibers; axoplasm of 100 ohm cm",
    duration=25.0,
    trial=TRIAL,
    lines=lines(
        Said(
            rest=(-46.4493938, 1e-4), height=97.26726, width=3.348182, threshold=0.212524, velocity=0.511507
        ),
        SETTLED,
    ),
)

SCHILD_1997 = c_fibre(
    schild_1997,
    animal="C fibre of the nodose ganglion",
    paper="Schild & Kunze, J. Neurophysiol. 78:3198-3209, 1997",
    numbers="models/schild.py and mechanisms of PyFibers; axoplasm of 100 ohm cm",
    duration=35.0,
    trial=TRIAL,
    lines=lines(
        Said(rest=(-68.4878855, 1e-4), height=132.1211, width=3.824678, threshold=0.46106, velocity=0.287507),
        SETTLED,
    ),
)

TIGERHOLM = c_fibre(
    tigerholm,
    35.4,
    animal="C nociceptor of the skin",
    paper="Tigerholm et al., J. Neurophysiol. 111:1721-1735, 2014",
    numbers="models/tigerholm.py and mechanisms of PyFibers; axoplasm of 35.4 ohm cm",
    duration=20.0,
    trial=TRIAL,
    lines=lines(
        Said(rest=(-55.0, 1e-4), height=86.8058, width=1.91665, threshold=0.41907, velocity=0.704500),
        BY_NEURON,
        paper=Said(rest=(-55.0, 0.01), velocity=(0.69, 0.02)),
    ),
)

"""Myelinated fibres, beside NEURON with the same compartments."""

from __future__ import annotations

from axon.cards.card import Card, Figure, Line
from axon.cards.nodes import fibre

STEPS = "backward Euler at 2, 1 and 0.5 us, extrapolated to dt -> 0"
PYFIBERS = f"NEURON 9.0.2 with PyFibers' fibre, {STEPS}"
GAINES = f"NEURON 9.0.2 with the authors' mechanisms (ModelDB 243841), {STEPS}"
THRESHOLD = "the same, bisected at 2 and 1 us, fibre of 21 nodes"
GAINES_THRESHOLD = "the same, bisected at 4 and 2 us, fibre of 21 nodes"

SWEENEY = Card(
    name="sweeney",
    animal="rabbit fibre",
    paper="Sweeney, Mortimer & Durand, IEEE/EMBS 9th Ann. Conf., 1577-1578, 1987",
    numbers="sweeney.mod and models/sweeney.py of PyFibers",
    celsius=37.0,
    fibre=fibre("sweeney"),
    diameter=10.0,
    duration=4.0,
    dt=0.001,
    lines=(
        Line("rest", Figure(-80.0, "the paper", 0.01), Figure(-79.9992646, PYFIBERS, 1e-6)),
        Line("height", None, Figure(90.3707, PYFIBERS, 0.05)),
        Line("width", None, Figure(0.167790, PYFIBERS)),
        Line("threshold", None, Figure(1.2543, "the same, bisected at 2 and 1 us")),
        Line("velocity", Figure(57.0, "the paper"), Figure(56.8996, PYFIBERS, 0.06)),
        Line("velocity", diameter=5.0),
        Line("velocity", diameter=20.0),
        Line("refractory"),
    ),
)
MRG = Card(
    name="mrg",
    animal="mammalian motor fibre",
    paper="McIntyre, Richardson & Grill, J. Neurophysiol. 87:995-1006, 2002",
    numbers="AXNODE.mod and MRGaxon.hoc of ModelDB 3810",
    celsius=37.0,
    fibre=fibre("mrg"),
    diameter=10.0,
    duration=4.0,
    dt=0.001,
    lines=(
        Line("rest", Figure(-80.0, "the paper", 0.05), Figure(-79.9593434, PYFIBERS, 1e-4)),
        Line("height", None, Figure(109.0893, PYFIBERS, 0.05)),
        Line("width", None, Figure(0.299860, PYFIBERS)),
        Line("threshold", None, Figure(0.29993, THRESHOLD)),
        Line("velocity", None, Figure(56.2450, PYFIBERS, 0.06)),
        Line("velocity", None, Figure(25.7999, PYFIBERS, 0.03), diameter=5.7),
        Line("velocity", diameter=16.0),
        Line("refractory"),
    ),
)
GAINES_MOTOR = Card(
    name="gaines_motor",
    animal="human motor fibre",
    paper="Gaines et al., J. Comput. Neurosci. 45:29-43, 2018",
    numbers="ModelDB 243841",
    celsius=37.0,
    fibre=fibre("gaines_motor"),
    diameter=10.0,
    duration=4.0,
    dt=0.0005,
    lines=(
        Line("rest", Figure(-85.9411, "ModelDB 243841, its start", 0.02), Figure(-85.923177, GAINES, 1e-3)),
        Line("height", None, Figure(117.2893, GAINES, 0.05)),
        Line("width", None, Figure(0.235233, GAINES)),
        Line("threshold", None, Figure(0.7075, GAINES_THRESHOLD)),
        Line("velocity", None, Figure(50.8678, GAINES, 0.05)),
        Line("velocity", diameter=5.7),
        Line("velocity", diameter=16.0),
        Line("refractory"),
    ),
)
GAINES_SENSORY = Card(
    name="gaines_sensory",
    animal="human sensory fibre",
    paper="Gaines et al., J. Comput. Neurosci. 45:29-43, 2018",
    numbers="ModelDB 243841",
    celsius=37.0,
    fibre=fibre("gaines_sensory"),
    diameter=10.0,
    duration=4.0,
    dt=0.0005,
    lines=(
        Line("rest", Figure(-79.3565, "ModelDB 243841, its start", 0.02), Figure(-79.3518494, GAINES, 1e-3)),
        Line("height", None, Figure(106.0867, GAINES, 0.05)),
        Line("width", None, Figure(0.191783, GAINES)),
        Line("threshold", None, Figure(0.3657, GAINES_THRESHOLD)),
        Line("velocity", None, Figure(54.0939, GAINES, 0.05)),
        Line("velocity", diameter=5.7),
        Line("velocity", diameter=16.0),
        Line("refractory"),
    ),
)

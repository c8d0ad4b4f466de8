"""Nodes of Ranvier by themselves: patches of membrane, beside the same patch integrated by SciPy."""

from __future__ import annotations

from axon.cards.card import Card, Figure, Line

SCIPY = "the same patch by SciPy's LSODA, relative tolerance 1e-9"


def patch(
    rest: float, nominal: Figure | None, height: float, width: float, threshold: float
) -> tuple[Line, ...]:
    """The lines of a node: its paper's rest, and what SciPy finds for the patch."""
    why = "" if nominal is None or abs(rest - nominal.value) <= nominal.tolerance else ALONE
    return (
        Line("rest", nominal, Figure(rest, SCIPY, 1e-6), why),
        Line("height", None, Figure(height, SCIPY, 0.005)),
        Line("width", None, Figure(width, SCIPY, 1e-4)),
        Line("threshold", None, Figure(threshold, SCIPY, 3e-4 * threshold)),
    )


# Of the nodes that come to rest by themselves: those of MRG and Gaines need their internodes for that.
REFRACTORY = Line("refractory")
ALONE = "the node alone: in the fibre its internodes, which leak to -80 mV, hold it up"

FRANKENHAEUSER_HUXLEY = Card(
    model="frankenhaeuser_huxley",
    animal="frog node (Xenopus laevis)",
    paper="Frankenhaeuser & Huxley, J. Physiol. 171:302-315, 1964",
    numbers="table 1 of the paper; Q10 as in NEURON's fh mechanism",
    density=2000.0,
    celsius=20.0,
    lines=(*patch(-69.7668516, Figure(-70.0, "the paper", 0.25), 114.861509, 0.622502, 349.4886), REFRACTORY),
)
SWEENEY = Card(
    model="sweeney",
    animal="rabbit node",
    paper="Sweeney, Mortimer & Durand, IEEE/EMBS 9th Ann. Conf., 1577-1578, 1987",
    numbers="sweeney.mod of PyFibers",
    density=3000.0,
    celsius=37.0,
    lines=(*patch(-79.9992646, Figure(-80.0, "the paper", 0.01), 94.097341, 0.158376, 1409.008), REFRACTORY),
)
SCHWARZ_EIKHOF = Card(
    model="schwarz_eikhof",
    animal="rat node",
    paper="Schwarz & Eikhof, Pflugers Arch. 409:569-577, 1987",
    numbers="Rattay & Aberham 1993 by way of se.mod of JimHokanson/matlab_NEURON",
    density=4000.0,
    celsius=37.0,
    lines=(
        *patch(-78.0002461, Figure(-78.0, "the paper", 0.01), 99.766328, 0.1397229, 1540.194),
        REFRACTORY,
    ),
)
SCHWARZ_REID_BOSTOCK = Card(
    model="schwarz_reid_bostock",
    animal="human node",
    paper="Schwarz, Reid & Bostock, Pflugers Arch. 430:283-292, 1995",
    numbers="srb.mod of JimHokanson/matlab_NEURON, per area of 50 um2",
    density=3500.0,
    celsius=37.0,
    lines=(
        *patch(-83.8088838, Figure(-84.0, "the paper", 0.25), 112.6375, 0.2401747, 676.7169),
        REFRACTORY,
    ),
)
MRG_NODE = Card(
    model="mrg_node",
    animal="mammalian motor node",
    paper="McIntyre, Richardson & Grill, J. Neurophysiol. 87:995-1006, 2002",
    numbers="AXNODE.mod of ModelDB 3810",
    density=800.0,
    celsius=37.0,
    duration=8.0,
    dt=0.0005,
    lines=patch(-87.9380069, Figure(-80.0, "the paper, of the fibre", 0.01), 137.24977, 0.4173999, 16.20239),
)
GAINES_MOTOR_NODE = Card(
    model="gaines_motor_node",
    animal="human motor node",
    paper="Gaines et al., J. Comput. Neurosci. 45:29-43, 2018",
    numbers="ModelDB 243841",
    density=800.0,
    celsius=37.0,
    duration=8.0,
    dt=0.0005,
    lines=patch(
        -88.5858245,
        Figure(-85.9411, "ModelDB 243841, v_init of the fibre", 0.01),
        137.892412,
        0.3457489,
        26.79788,
    ),
)
GAINES_SENSORY_NODE = Card(
    model="gaines_sensory_node",
    animal="human sensory node",
    paper="Gaines et al., J. Comput. Neurosci. 45:29-43, 2018",
    numbers="ModelDB 243841",
    density=800.0,
    celsius=37.0,
    duration=8.0,
    dt=0.0005,
    lines=patch(
        -87.9405036,
        Figure(-79.3565, "ModelDB 243841, v_init of the fibre", 0.01),
        137.430037,
        0.3165149,
        14.36435,
    ),
)

"""Rat node: J. R. Schwarz and G. Eikhof, Pflugers Arch. 409:569-577, 1987.

Numbers as tabulated by Rattay and Aberham (IEEE Trans. Biomed. Eng. 40:1201, 1993), read from se.mod of
JimHokanson/matlab_NEURON, at 37 degC; na_schwarz1987.mod of mrkrd/spiral_ganglion has the same rates at
20 degC (1.87 / 2.2^1.7 = 0.49, ...), but ohmic currents and n to the fourth power.
"""

from __future__ import annotations

from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, linoid, logistic

# The paper counts from rest, which is here at -78 mV.
REST = -78.0


def alpha_m(v: Array) -> Array:
    """Sodium activation at 37 degC (1/ms)."""
    return 1.87 * 6.06 * linoid((REST + 25.41 - v) / 6.06)


def beta_m(v: Array) -> Array:
    """Sodium activation at 37 degC (1/ms)."""
    return 3.97 * 9.41 * linoid((v - REST - 21.0) / 9.41)


def alpha_h(v: Array) -> Array:
    """Sodium inactivation at 37 degC (1/ms)."""
    return 0.55 * 9.06 * linoid((v - REST + 27.74) / 9.06)


def beta_h(v: Array) -> Array:
    """Sodium inactivation at 37 degC (1/ms)."""
    return 22.6 * logistic((v - REST - 56.0) / 12.5)


def alpha_n(v: Array) -> Array:
    """Potassium activation at 37 degC (1/ms)."""
    return 0.13 * 10.0 * linoid((REST + 35.0 - v) / 10.0)


def beta_n(v: Array) -> Array:
    """Potassium activation at 37 degC (1/ms)."""
    return 0.32 * 10.0 * linoid((v - REST - 10.0) / 10.0)


def schwarz_eikhof() -> Membrane:
    """Rat node of Ranvier, Schwarz & Eikhof 1987.

    Sodium and a little potassium by permeability (Goldman-Hodgkin-Katz), and a leak. Q10 is 2.2 for m, 2.9
    for h and 3.0 for n.
    """
    m = Gate("m", 3, alpha=alpha_m, beta=beta_m, q10=2.2, q10_celsius=37.0)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=2.9, q10_celsius=37.0)
    n = Gate("n", 2, alpha=alpha_n, beta=beta_n, q10=3.0, q10_celsius=37.0)
    return Membrane(
        "schwarz_eikhof",
        (
            PermeableChannel("Na", 3.28e-3, 8.71, 154.0, (m, h)),
            PermeableChannel("K", 0.134e-3, 155.0, 5.9, (n,)),
            Channel("leak", 0.086, REST),
        ),
        capacitance=2.8,
    )

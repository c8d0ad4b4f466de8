"""C fibre: F. Rattay and M. Aberham, IEEE Trans. Biomed. Eng. 40:1201-1209, 1993.

Hodgkin and Huxley's squid axon moved to a rest of -70 mV, with rates 12 times as fast at 37 degC. Numbers as
in RattayAberham.mod of PyFibers, whose Q10 makes the 12 a law of temperature.
"""

from __future__ import annotations

import numpy as np

from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, linoid, logistic

REST = -70.0
Q10 = 12.0 ** (10.0 / (37.0 - 6.3))


def alpha_m(v: Array) -> Array:
    """HH 1952, eq. 20, about REST (1/ms)."""
    return linoid((REST + 25.0 - v) / 10.0)


def beta_m(v: Array) -> Array:
    """HH 1952, eq. 21, about REST (1/ms)."""
    return 4.0 * np.exp((REST - v) / 18.0)


def alpha_h(v: Array) -> Array:
    """HH 1952, eq. 23, about REST (1/ms)."""
    return 0.07 * np.exp((REST - v) / 20.0)


def beta_h(v: Array) -> Array:
    """HH 1952, eq. 24, about REST (1/ms)."""
    return logistic((v - REST - 30.0) / 10.0)


def alpha_n(v: Array) -> Array:
    """HH 1952, eq. 12, about REST (1/ms)."""
    return 0.1 * linoid((REST + 10.0 - v) / 10.0)


def beta_n(v: Array) -> Array:
    """HH 1952, eq. 13, about REST (1/ms)."""
    return 0.125 * np.exp((REST - v) / 80.0)


def rattay_aberham() -> Membrane:
    """Unmyelinated fibre, Rattay & Aberham 1993: squid channels, warm.

    Rates are those of Hodgkin & Huxley 1952 at 6.3 degC, 12 times as fast at 37 degC.
    """
    m = Gate("m", 3, alpha=alpha_m, beta=beta_m, q10=Q10, q10_celsius=6.3)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=Q10, q10_celsius=6.3)
    n = Gate("n", 4, alpha=alpha_n, beta=beta_n, q10=Q10, q10_celsius=6.3)
    return Membrane(
        "rattay_aberham",
        (
            Channel("Na", 0.120, 45.0, (m, h)),
            Channel("K", 0.036, -82.0, (n,)),
            Channel("leak", 0.0003, -59.4),
        ),
        capacitance=1.0,
    )

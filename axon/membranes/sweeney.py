"""Rabbit node: J. D. Sweeney, J. T. Mortimer and D. Durand, IEEE/EMBS 9th Ann. Conf., 1577-1578, 1987.

The kinetics of Chiu, Ritchie, Rogart and Stagg (J. Physiol. 292:149, 1979) brought to 37 degC, hence also
called CRRSS. Numbers as in PyFibers (sweeney.mod); crrss.mod of JimHokanson/matlab_NEURON has an ENa of 35 mV
and counts from rest, where 126 + 0.363 V becomes 97 + 0.363 V (exactly 96.96); its Q10 is 3.
"""

from __future__ import annotations

import numpy as np

from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, logistic


def alpha_m(v: Array) -> Array:
    """Sodium activation at 37 degC (1/ms)."""
    return (126.0 + 0.363 * v) * logistic((v + 49.0) / 5.3)


def beta_m(v: Array) -> Array:
    """Sodium activation at 37 degC (1/ms)."""
    return alpha_m(v) * np.exp(-(v + 56.2) / 4.17)


def alpha_h(v: Array) -> Array:
    """Sodium inactivation at 37 degC (1/ms)."""
    return beta_h(v) * np.exp(-(v + 74.5) / 5.0)


def beta_h(v: Array) -> Array:
    """Sodium inactivation at 37 degC (1/ms)."""
    return 15.6 * logistic((v + 56.0) / 10.0)


def sweeney() -> Membrane:
    """Rabbit node of Ranvier, Sweeney, Mortimer & Durand 1987 (CRRSS).

    Sodium and a large leak, no potassium channels. Rates hold at 37 degC and grow by Q10 = 3.
    """
    m = Gate("m", 2, alpha=alpha_m, beta=beta_m, q10=3.0, q10_celsius=37.0)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=3.0, q10_celsius=37.0)
    return Membrane(
        "sweeney",
        (Channel("Na", 1.445, 35.64, (m, h)), Channel("leak", 0.128, -80.01)),
        capacitance=2.5,
    )

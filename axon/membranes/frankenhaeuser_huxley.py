"""Frog node: B. Frankenhaeuser and A. F. Huxley, J. Physiol. 171:302-315, 1964."""

from __future__ import annotations

import numpy as np

from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, linoid

# The paper counts from rest, which is here at -70 mV.
REST = -70.0


def alpha_m(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 1.08 * linoid((REST + 22.0 - v) / 3.0)


def beta_m(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 8.0 * linoid((v - REST - 13.0) / 20.0)


def alpha_h(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 0.6 * linoid((v - REST + 10.0) / 6.0)


def beta_h(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 4.5 / (1.0 + np.exp((REST + 45.0 - v) / 10.0))


def alpha_n(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 0.2 * linoid((REST + 35.0 - v) / 10.0)


def beta_n(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 0.5 * linoid((v - REST - 10.0) / 10.0)


def alpha_p(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 0.06 * linoid((REST + 40.0 - v) / 10.0)


def beta_p(v: Array) -> Array:
    """FH 1964, table 1 (1/ms)."""
    return 1.8 * linoid((v - REST + 25.0) / 20.0)


def frankenhaeuser_huxley() -> Membrane:
    """Frog node of Ranvier, Frankenhaeuser & Huxley 1964.

    Sodium, delayed potassium and a small non-specific current by permeability (Goldman-Hodgkin-Katz), and a
    leak. Rates hold at 20 degC; the factor of 3 for 10 degC is the customary one (NEURON's fh mechanism), not
    the paper's.
    """
    m = Gate("m", 2, alpha=alpha_m, beta=beta_m, q10=3.0, q10_celsius=20.0)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=3.0, q10_celsius=20.0)
    n = Gate("n", 2, alpha=alpha_n, beta=beta_n, q10=3.0, q10_celsius=20.0)
    p = Gate("p", 2, alpha=alpha_p, beta=beta_p, q10=3.0, q10_celsius=20.0)
    return Membrane(
        "frankenhaeuser_huxley",
        (
            PermeableChannel("Na", 8e-3, 13.74, 114.5, (m, h)),
            PermeableChannel("K", 1.2e-3, 120.0, 2.5, (n,)),
            PermeableChannel("p", 0.54e-3, 13.74, 114.5, (p,)),
            Channel("leak", 0.0303, REST + 0.26),
        ),
        capacitance=2.0,
    )

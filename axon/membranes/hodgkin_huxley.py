"""Squid giant axon: A. L. Hodgkin and A. F. Huxley, J. Physiol. 117:500-544, 1952, table 3."""

from __future__ import annotations

import numpy as np

from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, linoid

# The paper counts depolarisation from rest, downwards; here V is the membrane potential with rest at -65 mV.
REST = -65.0


def alpha_m(v: Array) -> Array:
    """HH 1952, eq. 20 (1/ms)."""
    return linoid((REST + 25.0 - v) / 10.0)


def beta_m(v: Array) -> Array:
    """HH 1952, eq. 21 (1/ms)."""
    return 4.0 * np.exp((REST - v) / 18.0)


def alpha_h(v: Array) -> Array:
    """HH 1952, eq. 23 (1/ms)."""
    return 0.07 * np.exp((REST - v) / 20.0)


def beta_h(v: Array) -> Array:
    """HH 1952, eq. 24 (1/ms)."""
    return 1.0 / (np.exp((REST + 30.0 - v) / 10.0) + 1.0)


def alpha_n(v: Array) -> Array:
    """HH 1952, eq. 12 (1/ms)."""
    return 0.1 * linoid((REST + 10.0 - v) / 10.0)


def beta_n(v: Array) -> Array:
    """HH 1952, eq. 13 (1/ms)."""
    return 0.125 * np.exp((REST - v) / 80.0)


def hodgkin_huxley(
    *,
    g_na: float = 0.120,
    g_k: float = 0.036,
    g_leak: float = 0.0003,
    e_na: float = 50.0,
    e_k: float = -77.0,
    e_leak: float = -54.387,
    unitary: float = 20.0,
) -> Membrane:
    """Squid giant axon, Hodgkin & Huxley 1952.

    Transient sodium current (activation m, inactivation h), delayed rectifier potassium current
    (activation n) and a leak; rates hold at 6.3 degC and grow by Q10 = 3.

    Parameters
    ----------
    g_na, g_k, g_leak : float
        Conductance densities, S/cm2.
    e_na, e_k, e_leak : float
        Reversal potentials, mV. The paper's leak is 10.613 mV above its nominal rest, so -54.387 mV here,
        which puts the resting potential 0.0036 mV above -65; NEURON and Arbor write -54.3.
    unitary : float
        Conductance of a single sodium or potassium channel, pS; only noise depends on it. 20 pS at the
        standard densities are 60 and 18 channels per um2 (Goldwyn & Shea-Brown, PLoS Comput. Biol.
        7:e1002247, 2011).
    """
    m = Gate("m", 3, alpha=alpha_m, beta=beta_m, q10=3.0, q10_celsius=6.3)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=3.0, q10_celsius=6.3)
    n = Gate("n", 4, alpha=alpha_n, beta=beta_n, q10=3.0, q10_celsius=6.3)
    return Membrane(
        "hodgkin_huxley",
        (
            Channel("Na", g_na, e_na, (m, h), unitary),
            Channel("K", g_k, e_k, (n,), unitary),
            Channel("leak", g_leak, e_leak),
        ),
        capacitance=1.0,
    )

"""Human node: J. R. Schwarz, G. Reid and H. Bostock, Pflugers Arch. 430:283-292, 1995.

The paper gives a whole node (PNa 3.52e-9 cm3/s, fast K 15 nS, slow K 30 nS, leak 30 nS, 1.4 pF); densities
are for its area of 50 um2. Numbers as in srb.mod of JimHokanson/matlab_NEURON, whose rates count from rest,
-84 mV; they agree with an independent transcription in absolute potentials (V0 of alpha_m -18.4 mV, ...).
"""

from __future__ import annotations

from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, linoid, logistic

REST = -84.0  # also the reversal potential of potassium and leak


def alpha_m(v: Array) -> Array:
    """Sodium activation at 20 degC (1/ms)."""
    return 1.86 * 10.3 * linoid(-(v + 18.4) / 10.3)


def beta_m(v: Array) -> Array:
    """Sodium activation at 20 degC (1/ms)."""
    return 0.086 * 9.16 * linoid((v + 22.7) / 9.16)


def alpha_h(v: Array) -> Array:
    """Sodium inactivation at 20 degC (1/ms)."""
    return 0.0336 * 11.0 * linoid((v + 111.0) / 11.0)


def beta_h(v: Array) -> Array:
    """Sodium inactivation at 20 degC (1/ms)."""
    return 2.3 * logistic((v + 28.8) / 13.4)


def alpha_n(v: Array) -> Array:
    """Fast potassium activation at 20 degC (1/ms)."""
    return 0.00798 * 1.1 * linoid(-(v + 93.2) / 1.1)


def beta_n(v: Array) -> Array:
    """Fast potassium activation at 20 degC (1/ms)."""
    return 0.0142 * 10.5 * linoid((v + 76.0) / 10.5)


def alpha_s(v: Array) -> Array:
    """Slow potassium activation at 20 degC (1/ms)."""
    return 0.00122 * 23.6 * linoid(-(v + 12.5) / 23.6)


def beta_s(v: Array) -> Array:
    """Slow potassium activation at 20 degC (1/ms)."""
    return 0.000739 * 21.8 * linoid((v + 80.1) / 21.8)


def schwarz_reid_bostock() -> Membrane:
    """Human node of Ranvier, Schwarz, Reid & Bostock 1995.

    Sodium by permeability (Goldman-Hodgkin-Katz), fast and slow potassium, and a leak. Q10 is 2.2 for m, 2.9
    for h and 3.0 for n and s.
    """
    m = Gate("m", 3, alpha=alpha_m, beta=beta_m, q10=2.2, q10_celsius=20.0)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=2.9, q10_celsius=20.0)
    n = Gate("n", 4, alpha=alpha_n, beta=beta_n, q10=3.0, q10_celsius=20.0)
    s = Gate("s", 1, alpha=alpha_s, beta=beta_s, q10=3.0, q10_celsius=20.0)
    return Membrane(
        "schwarz_reid_bostock",
        (
            PermeableChannel("Na", 7.04e-3, 35.0, 154.0, (m, h)),
            Channel("Kf", 0.030, REST, (n,)),
            Channel("Ks", 0.060, REST, (s,)),
            Channel("leak", 0.060, REST),
        ),
        capacitance=2.8,
    )

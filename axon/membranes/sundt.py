"""C fibre: D. Sundt, N. Gamper and D. B. Jaffe, J. Neurophysiol. 114:3140-3153, 2015.

Numbers as in nahh.mod and kdr.mod (Borg-Graham 1987) of PyFibers. The slopes of the potassium gates are
zeta F / R T: those of 37 degC here, the paper's temperature, and 3 % steeper at 27 degC.
"""

from __future__ import annotations

import numpy as np

from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, linoid, logistic

REST = -60.0
# F / R T at 37 degC with the constants of the original, 1/mV.
THERMAL = 96.48 / (8.315 * (273.16 + 37.0))


def alpha_m(v: Array) -> Array:
    """Sodium activation at 30 degC (1/ms): Traub & Miles 1991, moved by 6 mV."""
    return 0.32 * 4.0 * linoid(-(v + 45.9) / 4.0)


def beta_m(v: Array) -> Array:
    """Sodium activation at 30 degC (1/ms)."""
    return 0.28 * 5.0 * linoid((v + 18.9) / 5.0)


def alpha_h(v: Array) -> Array:
    """Sodium inactivation at 30 degC (1/ms): Traub & Miles 1991, moved by -6 mV."""
    return 0.128 * np.exp(-(v + 54.0) / 18.0)


def beta_h(v: Array) -> Array:
    """Sodium inactivation at 30 degC (1/ms)."""
    return 4.0 * logistic((v + 31.0) / 5.0)


def alpha_n(v: Array) -> Array:
    """Potassium activation at 30 degC (1/ms): valence 5, of which 0.4 in the closing."""
    return 0.03 * np.exp(5.0 * 0.4 * THERMAL * (v + 32.0))


def beta_n(v: Array) -> Array:
    """Potassium activation at 30 degC (1/ms)."""
    return 0.03 * np.exp(-5.0 * 0.6 * THERMAL * (v + 32.0))


def alpha_l(v: Array) -> Array:
    """Potassium inactivation at 30 degC (1/ms): valence 2."""
    return 0.001 * np.exp(-2.0 * THERMAL * (v + 61.0))


def beta_l(v: Array) -> Array:
    """Potassium inactivation at 30 degC (1/ms)."""
    return 0.001 + 0.0 * v


def sundt() -> Membrane:
    """C fibre, Sundt, Gamper & Jaffe 2015.

    Sodium (as of NaV1.7 and 1.8), delayed rectifier potassium, and a leak whose reversal potential is what
    makes -60 mV the rest. All rates grow by Q10 = 3 from 30 degC.
    """
    m = Gate("m", 3, alpha=alpha_m, beta=beta_m, q10=3.0, q10_celsius=30.0)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=3.0, q10_celsius=30.0)
    n = Gate("n", 3, alpha=alpha_n, beta=beta_n, q10=3.0, q10_celsius=30.0)
    inactivation = Gate("l", 1, alpha=alpha_l, beta=beta_l, q10=3.0, q10_celsius=30.0)
    active = Membrane(
        "sundt",
        (Channel("Na", 0.04, 50.0, (m, h)), Channel("K", 0.04, -90.0, (n, inactivation))),
        capacitance=1.0,
    )
    leak = 1e-4
    balanced = REST + float(active.steady_current(REST)) / leak
    return Membrane("sundt", (*active.channels, Channel("leak", leak, balanced)), capacitance=1.0)

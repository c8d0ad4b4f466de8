"""Mammalian motor fibre: McIntyre, Richardson and Grill, J. Neurophysiol. 87:995-1006, 2002 (MRG).

Numbers are those of the authors' own program (ModelDB 3810, AXNODE.mod and MRGaxon.hoc). Its alpha_m turns at
-21.4 mV; the paper's table, and Gaines 2018, have -20.4.
"""

from __future__ import annotations

from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.passive import passive
from axon.membranes.rates import Array, linoid, logistic


def alpha_m(v: Array) -> Array:
    """Fast sodium activation at 20 degC (1/ms)."""
    return 1.86 * 10.3 * linoid(-(v + 21.4) / 10.3)


def beta_m(v: Array) -> Array:
    """Fast sodium activation at 20 degC (1/ms)."""
    return 0.086 * 9.16 * linoid((v + 25.7) / 9.16)


def alpha_h(v: Array) -> Array:
    """Fast sodium inactivation at 20 degC (1/ms)."""
    return 0.062 * 11.0 * linoid((v + 114.0) / 11.0)


def beta_h(v: Array) -> Array:
    """Fast sodium inactivation at 20 degC (1/ms)."""
    return 2.3 * logistic((v + 31.8) / 13.4)


def alpha_p(v: Array) -> Array:
    """Persistent sodium activation at 20 degC (1/ms)."""
    return 0.01 * 10.2 * linoid(-(v + 27.0) / 10.2)


def beta_p(v: Array) -> Array:
    """Persistent sodium activation at 20 degC (1/ms)."""
    return 0.00025 * 10.0 * linoid((v + 34.0) / 10.0)


def alpha_s(v: Array) -> Array:
    """Slow potassium activation at 36 degC (1/ms)."""
    return 0.3 * logistic((v + 53.0) / 5.0)


def beta_s(v: Array) -> Array:
    """Slow potassium activation at 36 degC (1/ms)."""
    return 0.03 * logistic(v + 90.0)


def mrg_node() -> Membrane:
    """Mammalian node of Ranvier, McIntyre, Richardson & Grill 2002.

    Fast and persistent sodium, slow potassium and a leak. Q10 is 2.2 for m and p, 2.9 for h and 3.0 for s.
    """
    m = Gate("m", 3, alpha=alpha_m, beta=beta_m, q10=2.2, q10_celsius=20.0)
    h = Gate("h", 1, alpha=alpha_h, beta=beta_h, q10=2.9, q10_celsius=20.0)
    p = Gate("p", 3, alpha=alpha_p, beta=beta_p, q10=2.2, q10_celsius=20.0)
    s = Gate("s", 1, alpha=alpha_s, beta=beta_s, q10=3.0, q10_celsius=36.0)
    return Membrane(
        "mrg_node",
        (
            Channel("Na", 3.0, 50.0, (m, h)),
            Channel("Nap", 0.01, 50.0, (p,)),
            Channel("Ks", 0.08, -90.0, (s,)),
            Channel("leak", 0.007, -90.0),
        ),
        capacitance=2.0,
    )


def mrg_paranode() -> Membrane:
    """Axolemma under the myelin's attachment (MYSA) of McIntyre, Richardson & Grill 2002: a leak."""
    return passive(conductance=0.001, reversal=-80.0, capacitance=2.0)


def mrg_internode() -> Membrane:
    """Internodal axolemma (FLUT and STIN) of McIntyre, Richardson & Grill 2002: a leak."""
    return passive(conductance=0.0001, reversal=-80.0, capacitance=2.0)

"""Human median nerve, motor and sensory: J. L. Gaines et al., J. Comput. Neurosci. 45:29-43, 2018.

MRG's fibre with fast potassium in the node, and with slow and fast potassium and a current activated by
hyperpolarisation (HCN) in the axolemma under the myelin. Numbers as in the authors' program (ModelDB 243841);
NRV's files have the same. The fast potassium is the one that the paper of MRG describes and leaves out.
"""

from __future__ import annotations

import numpy as np

from axon.membranes import mrg
from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array, linoid, logistic

E_K, E_HCN = -90.0, -54.9  # mV


def motor_alpha_m(v: Array) -> Array:
    """Fast sodium activation at 20 degC (1/ms)."""
    return 1.86 * 10.3 * linoid(-(v + 20.4) / 10.3)


def sensory_alpha_m(v: Array) -> Array:
    """Fast sodium activation at 20 degC (1/ms)."""
    return 1.77753 * 10.3 * linoid(-(v + 20.1795) / 10.3)


def sensory_beta_m(v: Array) -> Array:
    """Fast sodium activation at 20 degC (1/ms)."""
    return 0.0823 * 9.16 * linoid((v + 25.4746) / 9.16)


def sensory_alpha_h(v: Array) -> Array:
    """Fast sodium inactivation at 20 degC (1/ms)."""
    return 0.075286 * 8.391 * linoid((v + 112.7124) / 8.391)


def sensory_beta_h(v: Array) -> Array:
    """Fast sodium inactivation at 20 degC (1/ms)."""
    return 2.8083 * logistic((v + 30.5435) / 10.2263)


def sensory_alpha_p(v: Array) -> Array:
    """Persistent sodium activation at 20 degC (1/ms)."""
    return 0.00957 * 10.2 * linoid(-(v + 26.852) / 10.2)


def sensory_beta_p(v: Array) -> Array:
    """Persistent sodium activation at 20 degC (1/ms)."""
    return 0.0002401 * 10.0 * linoid((v + 33.8333) / 10.0)


def alpha_n(v: Array) -> Array:
    """Fast potassium activation at 36 degC (1/ms)."""
    return 0.0462 * 1.1 * linoid(-(v + 83.2) / 1.1)


def beta_n(v: Array) -> Array:
    """Fast potassium activation at 36 degC (1/ms)."""
    return 0.0824 * 10.5 * linoid((v + 66.0) / 10.5)


def motor_alpha_q(v: Array) -> Array:
    """HCN activation at 36 degC (1/ms)."""
    return 0.00522 * np.exp(-(v + 107.3) / 12.2)


def motor_beta_q(v: Array) -> Array:
    """HCN activation at 36 degC (1/ms)."""
    return 0.00522 * np.exp((v + 107.3) / 12.2)


def sensory_alpha_q(v: Array) -> Array:
    """HCN activation at 36 degC (1/ms)."""
    return 0.00522 * np.exp(-(v + 94.2) / 12.2)


def sensory_beta_q(v: Array) -> Array:
    """HCN activation at 36 degC (1/ms)."""
    return 0.00522 * np.exp((v + 94.2) / 12.2)


def gaines_motor_node() -> Membrane:
    """Node of a human motor fibre, Gaines et al. 2018."""
    m = Gate("m", 3, alpha=motor_alpha_m, beta=mrg.beta_m, q10=2.2, q10_celsius=20.0)
    h = Gate("h", 1, alpha=mrg.alpha_h, beta=mrg.beta_h, q10=2.9, q10_celsius=20.0)
    p = Gate("p", 3, alpha=mrg.alpha_p, beta=mrg.beta_p, q10=2.2, q10_celsius=20.0)
    return _node("gaines_motor_node", (m, h, p), slow=0.08, fast=0.02568, leak=0.007)


def gaines_sensory_node() -> Membrane:
    """Node of a human sensory fibre, Gaines et al. 2018."""
    m = Gate("m", 3, alpha=sensory_alpha_m, beta=sensory_beta_m, q10=2.2, q10_celsius=20.0)
    h = Gate("h", 1, alpha=sensory_alpha_h, beta=sensory_beta_h, q10=2.9, q10_celsius=20.0)
    p = Gate("p", 3, alpha=sensory_alpha_p, beta=sensory_beta_p, q10=2.2, q10_celsius=20.0)
    return _node("gaines_sensory_node", (m, h, p), slow=0.04106, fast=0.02737, leak=0.006005)


def gaines_motor_paranode() -> Membrane:
    """Axolemma under the myelin's attachment (MYSA) of a human motor fibre, Gaines et al. 2018."""
    q = Gate("q", 1, alpha=motor_alpha_q, beta=motor_beta_q, q10=3.0, q10_celsius=36.0)
    return _internode("gaines_motor_paranode", q, slow=0.002581, hcn=0.002232, fast=0.15074, leak=0.002)


def gaines_motor_internode() -> Membrane:
    """Internodal axolemma (FLUT and STIN) of a human motor fibre, Gaines et al. 2018."""
    q = Gate("q", 1, alpha=motor_alpha_q, beta=motor_beta_q, q10=3.0, q10_celsius=36.0)
    return _internode("gaines_motor_internode", q, slow=0.002581, hcn=0.002232, fast=0.02568, leak=0.0002)


def gaines_sensory_paranode() -> Membrane:
    """Axolemma under the myelin's attachment (MYSA) of a human sensory fibre, Gaines et al. 2018."""
    q = Gate("q", 1, alpha=sensory_alpha_q, beta=sensory_beta_q, q10=3.0, q10_celsius=36.0)
    return _internode("gaines_sensory_paranode", q, slow=0.001324, hcn=0.003102, fast=0.1642, leak=0.001716)


def gaines_sensory_internode() -> Membrane:
    """Internodal axolemma (FLUT and STIN) of a human sensory fibre, Gaines et al. 2018."""
    q = Gate("q", 1, alpha=sensory_alpha_q, beta=sensory_beta_q, q10=3.0, q10_celsius=36.0)
    return _internode(
        "gaines_sensory_internode", q, slow=0.001324, hcn=0.003102, fast=0.02737, leak=0.0001716
    )


def _node(name: str, sodium: tuple[Gate, Gate, Gate], *, slow: float, fast: float, leak: float) -> Membrane:
    m, h, p = sodium
    return Membrane(
        name,
        (
            Channel("Na", 3.0, 50.0, (m, h)),
            Channel("Nap", 0.01, 50.0, (p,)),
            *_potassium(slow, fast),
            Channel("leak", leak, E_K),
        ),
        capacitance=2.0,
    )


def _internode(name: str, q: Gate, *, slow: float, hcn: float, fast: float, leak: float) -> Membrane:
    return Membrane(
        name,
        (*_potassium(slow, fast), Channel("HCN", hcn, E_HCN, (q,)), Channel("leak", leak, E_K)),
        capacitance=2.0,
    )


def _potassium(slow: float, fast: float) -> tuple[Channel, Channel]:
    s = Gate("s", 1, alpha=mrg.alpha_s, beta=mrg.beta_s, q10=3.0, q10_celsius=36.0)
    n = Gate("n", 4, alpha=alpha_n, beta=beta_n, q10=3.0, q10_celsius=36.0)
    return Channel("Ks", slow, E_K, (s,)), Channel("Kf", fast, E_K, (n,))

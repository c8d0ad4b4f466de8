"""C fibre of the nodose ganglion: Schild et al., J. Neurophysiol. 71:2338-2358, 1994, and Schild and Kunze,
J. Neurophysiol. 78:3198-3209, 1997, with sodium channels measured anew and the other channels denser.

Numbers as in PyFibers (models/schild.py and its mechanisms; ModelDB 266498 has the same). They depart from
the paper where it cannot be meant: calcium outside relaxes towards the bath, not away from it; sodium and
potassium do not change. Pumps are multiplied by Q10^((Tref - T) / 10), as if warmth slowed them: so here too.
The program starts with 117 nM of calcium and drifts for seconds; here calcium starts where nothing drifts.
"""

from __future__ import annotations

import math

import numpy as np

from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.pool import Buffer, Pool
from axon.membranes.rates import Array, linoid, logistic
from axon.membranes.transporter import Transporter

TABLE_CELSIUS, NEW_CELSIUS = 22.85, 22.0  # degC at which the rates of 1994 and the sodium rates of 1997 hold
CA_OUT, NA_IN, NA_OUT, K_IN, K_OUT = 2.0, 8.9, 154.0, 145.0, 5.4  # mM
CA_IN_LEAST, CA_IN_MOST = 1e-5, 1e-1  # mM, between which calcium inside is at rest
FARADAY, GAS, KELVIN = 96500.0, 8.314, 273.15  # as the program has them
CA_OFFSET = 78.7  # mV: calcium reverses so far below its Nernst potential
THERMAL = FARADAY / (1e3 * GAS * (37.0 + KELVIN))  # 1/mV, of the sodium-calcium exchanger

OUTSIDE = Pool("Ca_out", "Ca", CA_OUT, side="outside", valence=2, depth=0.5, tau=4511.0)

Sodium = tuple[tuple[Gate, ...], tuple[Gate, ...]]  # the gates of the fast and of the slow channel


def bell(v: Array, height: float, width: float, middle: float, floor: float) -> Array:
    """Schild 1994, the form of most time constants: A exp(-B^2 (V - Vp)^2) + C."""
    return height * np.exp(-((width * (v - middle)) ** 2)) + floor


# Fast sodium


def naf_m_inf(v: Array) -> Array:
    return logistic((v + 41.35 - 17.5) / 4.75)


def naf_m_tau(v: Array) -> Array:
    return bell(v, 0.75, 0.0635, -40.35, 0.12)


def naf_h_inf(v: Array) -> Array:
    return logistic(-(v + 62.0 - 17.5) / 4.5)


def naf_h_tau(v: Array) -> Array:
    return bell(v, 6.5, 0.0295, -75.0, 0.55)


def naf_j_inf(v: Array) -> Array:
    return logistic(-(v + 40.0) / 1.5)


def naf_j_tau(v: Array) -> Array:
    return 25.0 * logistic(-(v - 20.0) / 4.5) + 0.01


def new_naf_m_inf(v: Array) -> Array:
    return logistic((v + 31.62) / 6.98)


def new_naf_m_tau(v: Array) -> Array:
    return bell(v, 1.15, 0.06, -40.0, 0.21)


def new_naf_h_inf(v: Array) -> Array:
    return logistic(-(v + 65.99) / 5.97)


def new_naf_h_tau(v: Array) -> Array:
    return bell(v, 18.0, 0.043, -62.5, 1.35)


# Slow sodium


def nas_m_inf(v: Array) -> Array:
    return logistic((v + 20.35 - 20.0) / 4.45)


def nas_m_tau(v: Array) -> Array:
    return bell(v, 1.5, 0.0595, -20.35, 0.15)


def nas_h_inf(v: Array) -> Array:
    return logistic(-(v + 18.0 - 20.0) / 4.5)


def nas_h_tau(v: Array) -> Array:
    return bell(v, 4.95, 0.0335, -20.0, 0.75)


def new_nas_m_inf(v: Array) -> Array:
    return logistic((v + 11.29) / 5.54)


def new_nas_m_tau(v: Array) -> Array:
    return bell(v, 1.45, 0.058, -14.5, 0.26)


def new_nas_h_inf(v: Array) -> Array:
    return logistic(-(v + 31.0) / 5.2)


def new_nas_h_tau(v: Array) -> Array:
    return bell(v, 10.75, 0.067, -13.5, 3.15)


# Potassium: delayed, transient (A), slow (D), and by calcium


def kd_n_inf(v: Array) -> Array:
    return logistic((v + 14.62 + 3.0) / 18.38)


def kd_n_tau(v: Array) -> Array:
    opening = 0.001265 * 10.0 * linoid(-(v + 14.273) / 10.0)
    return 1.0 / (opening + 0.125 * np.exp(-(v + 55.0) / 2.5)) + 1.0


def ka_p_inf(v: Array) -> Array:
    return logistic((v + 28.0 + 3.0) / 28.0)


def ka_p_tau(v: Array) -> Array:
    return bell(v, 5.0, 0.022, -65.0, 2.5)


def ka_q_inf(v: Array) -> Array:
    return logistic(-(v + 58.0 + 3.0) / 7.0)


def ka_q_tau(v: Array) -> Array:
    return bell(v, 100.0, 0.035, -30.0, 10.5)


def kds_x_inf(v: Array) -> Array:
    return logistic((v + 39.59 + 3.0) / 14.68)


def kds_y_inf(v: Array) -> Array:
    return logistic(-(v + 48.0 + 3.0) / 7.0)


def kds_y_tau(v: Array) -> Array:
    return 7500.0 + 0.0 * v


def kca_alpha(v: Array, calcium: Array) -> Array:
    return 750.0 / 4.5 * calcium * np.exp((v - 10.0) / 12.0)


def kca_beta(v: Array, calcium: Array) -> Array:
    return 0.05 / 4.5 * np.exp(-(v - 10.0) / 60.0) + 0.0 * calcium


# Calcium: high threshold (N) and low threshold (T)


def can_d_inf(v: Array) -> Array:
    return logistic((v + 20.0 - 7.0) / 4.5)


def can_d_tau(v: Array) -> Array:
    return bell(v, 3.25, 0.042, -31.0, 0.395)


def can_f1_inf(v: Array) -> Array:
    return logistic(-(v + 20.0 - 7.0) / 25.0)


def can_f1_tau(v: Array) -> Array:
    return bell(v, 33.5, 0.0395, -30.0, 5.0)


def can_f2_inf(v: Array) -> Array:
    return 0.2 * logistic((v + 5.0 - 7.0) / 10.0) + logistic(-(v + 40.0 - 7.0) / 10.0)


def can_f2_tau(v: Array) -> Array:
    return bell(v, 225.0, 0.0275, -40.0, 75.0)


def cat_d_inf(v: Array) -> Array:
    return logistic((v + 54.0 - 7.0) / 5.75)


def cat_d_tau(v: Array) -> Array:
    return bell(v, 22.0, 0.052, -68.0, 2.5)


def cat_f_inf(v: Array) -> Array:
    return logistic(-(v + 68.0 - 7.0) / 6.0)


def cat_f_tau(v: Array) -> Array:
    return bell(v, 103.0, 0.05, -58.0, 12.5)


# Pumps and the exchanger, mA/cm2 at 22 degC


def sodium_pump(v: Array) -> Array:
    """Three sodium ions out for two of potassium in."""
    turnover = (NA_IN / (NA_IN + 5.46)) ** 3 * (K_OUT / (K_OUT + 0.621)) ** 2
    return 0.009726135 * turnover * (v + 150.0) / (v + 200.0)


def calcium_pump(v: Array, calcium: Array) -> Array:
    return 0.000859437 * calcium / (calcium + 0.0005) + 0.0 * v


def exchanger(v: Array, inside: Array, outside: Array) -> Array:
    """Three sodium ions in for one of calcium out, or the reverse."""
    saturation = 1.0 + 0.0036 * (inside * NA_OUT**3 + outside * NA_IN**3)
    inward = NA_IN**3 * outside * np.exp(0.5 * THERMAL * v)
    outward = NA_OUT**3 * inside * np.exp(-0.5 * THERMAL * v)
    return 1.27324e-6 * (inward - outward) / saturation


def schild_1994(*, celsius: float = 37.0) -> Membrane:
    """C fibre of the nodose ganglion, Schild et al. 1994.

    Two sodium, four potassium and two calcium channels, leaks, pumps, an exchanger, calcium on both sides.

    Parameters
    ----------
    celsius : float
        degC at which potentials, pumps and calcium at rest hold; gates follow the axon's own temperature.
    """
    sodium = (
        (
            Gate("nafm", 3, inf=naf_m_inf, tau=naf_m_tau, q10=2.3, q10_celsius=TABLE_CELSIUS),
            Gate("nafh", 1, inf=naf_h_inf, tau=naf_h_tau, q10=1.5, q10_celsius=TABLE_CELSIUS),
            Gate("nafj", 1, inf=naf_j_inf, tau=naf_j_tau),
        ),
        (
            Gate("nasm", 3, inf=nas_m_inf, tau=nas_m_tau, q10=2.3, q10_celsius=TABLE_CELSIUS),
            Gate("nash", 1, inf=nas_h_inf, tau=nas_h_tau, q10=1.5, q10_celsius=TABLE_CELSIUS),
        ),
    )
    densities = {
        "NaF": 0.068967142,
        "NaS": 0.001043349,
        "KD": 0.000180376,
        "KA": 0.000141471,
        "KDS": 0.000106103,
        "KCa": 0.000141471,
        "CaN": 0.000106103,
        "CaT": 1.23787e-05,
        "leak_Na": 1.85681e-05,
        "leak_Ca": 3.00626e-06,
    }
    return _at_rest("schild_1994", sodium, densities, celsius)


def schild_1997(*, celsius: float = 37.0) -> Membrane:
    """C fibre of the nodose ganglion, Schild & Kunze 1997.

    The model of 1994 with sodium channels measured anew, and with other densities.

    Parameters
    ----------
    celsius : float
        degC at which potentials, pumps and calcium at rest hold; gates follow the axon's own temperature.
    """
    sodium = (
        (
            Gate("nafm", 3, inf=new_naf_m_inf, tau=new_naf_m_tau, q10=2.3, q10_celsius=NEW_CELSIUS),
            Gate("nafh", 1, inf=new_naf_h_inf, tau=new_naf_h_tau, q10=1.5, q10_celsius=NEW_CELSIUS),
        ),
        (
            Gate("nasm", 3, inf=new_nas_m_inf, tau=new_nas_m_tau, q10=2.3, q10_celsius=NEW_CELSIUS),
            Gate("nash", 1, inf=new_nas_h_inf, tau=new_nas_h_tau, q10=1.5, q10_celsius=NEW_CELSIUS),
        ),
    )
    densities = {
        "NaF": 0.022434928,
        "NaS": 0.022434928,
        "KD": 0.001956534,
        "KA": 0.001304356,
        "KDS": 0.000782614,
        "KCa": 0.000913049,
        "CaN": 0.000521743,
        "CaT": 0.00018261,
        "leak_Na": 1.8261e-05,
        "leak_Ca": 9.13049e-06,
    }
    return _at_rest("schild_1997", sodium, densities, celsius)


def _at_rest(name: str, sodium: Sodium, density: dict[str, float], celsius: float) -> Membrane:
    """The membrane with the calcium (mM) inside at which, at its resting potential, none comes or goes."""
    from scipy.optimize import brentq

    def membrane(log_calcium: float) -> Membrane:
        return _membrane(name, sodium, density, math.exp(log_calcium), celsius)

    def inflow(log_calcium: float) -> float:
        patch = membrane(log_calcium)
        rest = patch.resting_potential(celsius)
        currents = patch.currents(rest, patch.steady_gates(rest, celsius), celsius)
        parts = {
            c.name: c.shares.get("Ca", 0.0) if isinstance(c, Transporter) else float(c.ion == "Ca")
            for c in patch.channels
        }
        return sum(parts[name] * float(current) for name, current in currents.items())

    return membrane(brentq(inflow, math.log(CA_IN_LEAST), math.log(CA_IN_MOST), xtol=1e-13))


def _membrane(
    name: str, sodium: Sodium, density: dict[str, float], calcium: float, celsius: float
) -> Membrane:
    inside = Pool("Ca_in", "Ca", calcium, valence=2, buffer=Buffer(total=0.004, on=100.0, off=0.238))
    thermal = 1e3 * GAS * (celsius + KELVIN) / FARADAY  # mV
    e_na, e_k = thermal * math.log(NA_OUT / NA_IN), thermal * math.log(K_OUT / K_IN)
    e_ca = thermal / 2 * math.log(CA_OUT / calcium) - CA_OFFSET
    fast, slow = sodium
    return Membrane(
        name,
        (
            Channel("NaF", density["NaF"], e_na, fast),
            Channel("NaS", density["NaS"], e_na, slow),
            *_potassium(density, e_k, inside),
            *_calcium(density, e_ca),
            Channel("leak_Na", density["leak_Na"], e_na),
            Channel("leak_Ca", density["leak_Ca"], e_ca, ion="Ca"),
            *_transporters(inside, celsius),
        ),
        capacitance=1.326291192,
        pools=(inside, OUTSIDE),
    )


def _transporters(inside: Pool, celsius: float) -> tuple[Transporter, ...]:
    both = (inside, OUTSIDE)
    sodium, exchange, calcium = (
        _slowed(q10, reference, celsius) for q10, reference in ((1.16, 22.85), (2.2, 22.85), (2.3, 22.0))
    )
    return (
        Transporter("NaK", sodium_pump, carries={"Na": 3, "K": -2}, density=sodium),
        Transporter("NaCa", exchanger, reads=both, carries={"Na": 3, "Ca": -2}, density=exchange),
        Transporter("CaP", calcium_pump, reads=(inside,), carries={"Ca": 1}, density=calcium),
    )


def _slowed(q10: float, reference: float, celsius: float) -> float:
    """The factor of a pump, which in the program falls with the temperature."""
    return q10 ** ((reference - celsius) / 10.0)


def _potassium(density: dict[str, float], reversal: float, inside: Pool) -> tuple[Channel, ...]:
    n = Gate("n", 1, inf=kd_n_inf, tau=kd_n_tau, q10=1.4, q10_celsius=TABLE_CELSIUS)
    p = Gate("p", 3, inf=ka_p_inf, tau=ka_p_tau, q10=1.93, q10_celsius=TABLE_CELSIUS)
    q = Gate("q", 1, inf=ka_q_inf, tau=ka_q_tau, q10=1.93, q10_celsius=TABLE_CELSIUS)
    x = Gate("x", 3, inf=kds_x_inf, tau=ka_p_tau, q10=1.93, q10_celsius=TABLE_CELSIUS)
    y = Gate("y", 1, inf=kds_y_inf, tau=kds_y_tau, q10=1.93, q10_celsius=TABLE_CELSIUS)
    c = Gate("c", 1, alpha=kca_alpha, beta=kca_beta, reads=(inside,), q10=2.3, q10_celsius=TABLE_CELSIUS)
    gates = {"KD": (n,), "KA": (p, q), "KDS": (x, y), "KCa": (c,)}
    return tuple(Channel(name, density[name], reversal, its) for name, its in gates.items())


def _calcium(density: dict[str, float], reversal: float) -> tuple[Channel, ...]:
    """The N channels are two of one kind of activation: 55 % inactivate fast and 45 % slowly."""
    d1, d2 = (
        Gate(name, 1, inf=can_d_inf, tau=can_d_tau, q10=4.3, q10_celsius=TABLE_CELSIUS)
        for name in ("d1", "d2")
    )
    f1 = Gate("f1", 1, inf=can_f1_inf, tau=can_f1_tau, q10=4.3, q10_celsius=TABLE_CELSIUS)
    f2 = Gate("f2", 1, inf=can_f2_inf, tau=can_f2_tau, q10=4.3, q10_celsius=TABLE_CELSIUS)
    d = Gate("d", 1, inf=cat_d_inf, tau=cat_d_tau, q10=1.9, q10_celsius=TABLE_CELSIUS)
    f = Gate("f", 1, inf=cat_f_inf, tau=cat_f_tau, q10=2.2, q10_celsius=TABLE_CELSIUS)
    return (
        Channel("CaN_fast", 0.55 * density["CaN"], reversal, (d1, f1), ion="Ca"),
        Channel("CaN_slow", 0.45 * density["CaN"], reversal, (d2, f2), ion="Ca"),
        Channel("CaT", density["CaT"], reversal, (d, f), ion="Ca"),
    )

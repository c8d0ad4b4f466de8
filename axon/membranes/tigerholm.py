"""C nociceptor of the skin: J. Tigerholm et al., J. Neurophysiol. 111:1721-1735, 2014.

Ten kinds of channel, a sodium-potassium pump, and sodium and potassium on both sides of the membrane. Numbers
as in PyFibers (models/tigerholm.py and its mechanisms; NRV has the same, but for an axoplasm of 35.5 ohm cm).
What the pump leaves of the sodium and potassium currents at -55 mV is balanced by a leak, or where that would
be negative by a constant current, as there.
"""

from __future__ import annotations

import math

import numpy as np

from axon.membranes.constants import FARADAY, GAS, KELVIN
from axon.membranes.gate import Gate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.pool import Pool
from axon.membranes.rates import Array, logistic
from axon.membranes.transporter import Transporter

REST = -55.0
# A layer of 0.029 um outside, from which ions leave at 1e-5 cm/s: 290 ms.
SODIUM = (
    Pool("Na_in", "Na", 11.4),
    Pool("Na_out", "Na", 154.0, side="outside", volume=0.029, tau=290.0),
)
POTASSIUM = (
    Pool("K_in", "K", 121.7),
    Pool("K_out", "K", 5.6, side="outside", volume=0.029, tau=290.0),
)


# NaV1.7 (TTX-sensitive)


def na17_alpha_m(v: Array) -> Array:
    return 15.5 * logistic((v - 5.0) / 12.08)


def na17_beta_m(v: Array) -> Array:
    return 35.2 * logistic(-(v + 72.7) / 16.7)


def na17_alpha_h(v: Array) -> Array:
    return 0.38685 * logistic(-(v + 122.35) / 15.29)


def na17_beta_h(v: Array) -> Array:
    """As published it turns negative below -89 mV; here it is 0 there."""
    return np.maximum(-0.00283 + 2.00283 * logistic((v + 5.5266) / 12.70195), 0.0)


def na17_alpha_s(v: Array) -> Array:
    return 0.00003 + 0.00092 * logistic(-(v + 93.9) / 16.6)


def na17_beta_s(v: Array) -> Array:
    return 132.05 - 132.05 * logistic(-(v - 384.9) / 28.5)


# NaV1.8


def na18_alpha_m(v: Array) -> Array:
    return 2.85 - 2.839 * logistic(-(v - 1.159) / 13.95)


def na18_beta_m(v: Array) -> Array:
    return 7.6205 * logistic(-(v + 46.463) / 8.8289)


def na18_h_inf(v: Array) -> Array:
    return logistic(-(v + 32.2) / 4.0)


def na18_h_tau(v: Array) -> Array:
    return 1.218 + 42.043 * np.exp(-((v + 38.1) ** 2) / (2 * 15.19**2))


def na18_s_inf(v: Array) -> Array:
    return logistic(-(v + 45.0) / 8.0)


def na18_s_tau(v: Array) -> Array:
    return 1e3 / (5.4203 * logistic(-(v + 79.816) / 16.269) + 5.0757 * logistic((v + 15.968) / 11.542))


def na18_u_inf(v: Array) -> Array:
    return logistic(-(v + 51.0) / 8.0)


def na18_u_tau(v: Array) -> Array:
    return 5e3 / (2.0434 * logistic(-(v + 67.499) / 19.51) + 1.9952 * logistic((v + 30.963) / 14.792))


# NaV1.9


def na19_alpha_m(v: Array) -> Array:
    return 1.032 * logistic((v + 6.99) / 14.87115)


def na19_beta_m(v: Array) -> Array:
    return 5.79 * logistic(-(v + 130.4) / 22.9)


def na19_alpha_h(v: Array) -> Array:
    return 0.06435 * logistic(-(v + 73.26415) / 3.71928)


def na19_beta_h(v: Array) -> Array:
    return 0.13496 * logistic((v + 10.27853) / 9.09334)


def na19_alpha_s(v: Array) -> Array:
    return 1.6e-7 * np.exp(-v / 12.0)


def na19_beta_s(v: Array) -> Array:
    return 0.0005 * logistic((v + 32.0) / 23.0)


# Potassium: delayed rectifier, A, M (slow and fast), and by sodium


def kdr_inf(v: Array) -> Array:
    return logistic((v + 25.0) / 15.4)


def kdr_tau(v: Array) -> Array:
    low = 1e3 * (0.000688 + 1.0 / (np.exp((v + 75.2) / 6.5) + np.exp(-(v - 131.5) / 34.8)))
    return np.where(v < -31.0, low, 0.16 + 0.8 * np.exp(-0.0267 * (v + 11.0)))


def ka_m_inf(v: Array) -> Array:
    return logistic((v + 5.4 - 15.0) / 16.4) ** 4


def ka_m_tau(v: Array) -> Array:
    return 0.25 + 10.04 * np.exp(-((v + 24.67) ** 2) / (2 * 34.8**2))


def ka_h_inf(v: Array) -> Array:
    return logistic(-(v + 49.9 - 15.0) / 4.6)


def ka_h_tau(v: Array) -> Array:
    return 20.0 + 50.0 * np.exp(-((v + 40.0) ** 2) / (2 * 40.0**2))


def km_inf(v: Array) -> Array:
    return logistic((v + 30.0) / 6.0)


def km_slow_tau(v: Array) -> Array:
    return np.where(v < -60.0, 219.0, 13.0 * v + 1000.0)


def km_fast_tau(v: Array) -> Array:
    return 1.0 / (0.00395 * (np.exp((v + 30.0) / 40.0) + np.exp(-(v + 30.0) / 20.0)))


def kna_inf(v: Array, sodium: Array) -> Array:
    return 0.37 / (1.0 + (38.7 / sodium) ** 3.5) + 0.0 * v


# HCN (slow and fast)


def hcn_inf(v: Array) -> Array:
    return logistic(-(v + 87.2) / 9.7)


def hcn_slow_tau(v: Array) -> Array:
    low = 2500.0 + 100.0 * np.exp((v + 240.0) / 50.0)
    return np.where(v < -70.0, low, 300.0 + 542.0 * np.exp(-(v + 25.0) / 20.0))


def hcn_fast_tau(v: Array) -> Array:
    low = 250.0 + 12.0 * np.exp((v + 240.0) / 50.0)
    return np.where(v < -70.0, low, 140.0 + 50.0 * np.exp(-(v + 25.0) / 20.0))


# Transport


def pump(v: Array, sodium: Array, potassium: Array) -> Array:
    """Net current, a third of the sodium's, mA/cm2."""
    inside = 1.62 / (1.0 + (6.7 / (sodium + 8.0)) ** 3) + 1.0 / (1.0 + (67.6 / (sodium + 8.0)) ** 3)
    return 0.5 * 0.0047891 / (1.0 + 1.0 / potassium) ** 2 * inside + 0.0 * v


def outward(v: Array) -> Array:
    """1 mA/cm2, to be scaled."""
    return 1.0 + 0.0 * v


def inward(v: Array) -> Array:
    """-1 mA/cm2, to be scaled."""
    return -1.0 + 0.0 * v


def tigerholm(*, celsius: float = 37.0) -> Membrane:
    """C nociceptor, Tigerholm et al. 2014.

    Ten channels, a pump, and the concentrations of sodium and potassium on both sides.

    Parameters
    ----------
    celsius : float
        degC at which the reversal potentials and the balance at -55 mV hold; gates follow the axon's own
        temperature.
    """
    thermal = 1e3 * GAS * (celsius + KELVIN) / FARADAY  # mV
    e_na = thermal * math.log(SODIUM[1].concentration / SODIUM[0].concentration)
    e_k = thermal * math.log(POTASSIUM[1].concentration / POTASSIUM[0].concentration)
    active = Membrane(
        "tigerholm",
        (
            *_sodium(e_na),
            *_potassium(e_k),
            *_hcn(e_na, e_k),
            Transporter("NaK", pump, reads=(SODIUM[0], POTASSIUM[1]), carries={"Na": 3, "K": -2}),
        ),
        capacitance=1.0,
        pools=(*SODIUM, *POTASSIUM),
    )
    gates = active.steady_gates(REST, celsius)
    currents = {name: float(i) for name, i in active.currents(REST, gates, celsius).items()}
    net = currents.pop("NaK")
    carried = {"Na": 3 * net, "K": -2 * net}
    for channel in active.channels:
        if isinstance(channel, Channel):
            assert channel.ion is not None
            carried[channel.ion] += currents[channel.name]
    rest = (_balance("Na", -carried["Na"], e_na), _balance("K", -carried["K"], e_k))
    return Membrane("tigerholm", (*active.channels, *rest), capacitance=1.0, pools=active.pools)


def _balance(ion: str, current: float, reversal: float) -> Channel | Transporter:
    """What carries a current (mA/cm2) of an ion at rest: a leak if it can, else a constant current."""
    conductance = current / (REST - reversal)
    if conductance >= 0:
        return Channel(f"leak_{ion}", conductance, reversal, ion=ion)
    direction = outward if current > 0 else inward
    return Transporter(f"constant_{ion}", direction, carries={ion: 1}, density=abs(current))


def _sodium(reversal: float) -> tuple[Channel, ...]:
    gates17 = (
        Gate("m17", 3, alpha=na17_alpha_m, beta=na17_beta_m, q10=2.5, q10_celsius=21.0),
        Gate("h17", 1, alpha=na17_alpha_h, beta=na17_beta_h, q10=2.5, q10_celsius=21.0),
        Gate("s17", 1, alpha=na17_alpha_s, beta=na17_beta_s, q10=2.5, q10_celsius=21.0),
    )
    gates18 = (
        Gate("m18", 3, alpha=na18_alpha_m, beta=na18_beta_m, q10=2.5, q10_celsius=22.0),
        Gate("h18", 1, inf=na18_h_inf, tau=na18_h_tau, q10=2.5, q10_celsius=22.0),
        Gate("s18", 1, inf=na18_s_inf, tau=na18_s_tau, q10=2.5, q10_celsius=22.0),
        Gate("u18", 1, inf=na18_u_inf, tau=na18_u_tau, q10=2.5, q10_celsius=22.0),
    )
    gates19 = (
        Gate("m19", 1, alpha=na19_alpha_m, beta=na19_beta_m, q10=2.5, q10_celsius=21.0),
        Gate("h19", 1, alpha=na19_alpha_h, beta=na19_beta_h, q10=2.5, q10_celsius=21.0),
        Gate("s19", 1, alpha=na19_alpha_s, beta=na19_beta_s, q10=2.5, q10_celsius=21.0),
    )
    return (
        Channel("Nav17", 0.10664, reversal, gates17, ion="Na"),
        Channel("Nav18", 0.24271, reversal, gates18, ion="Na"),
        Channel("Nav19", 9.4779e-05, reversal, gates19, ion="Na"),
    )


def _potassium(reversal: float) -> tuple[Channel, ...]:
    n = Gate("n", 4, inf=kdr_inf, tau=kdr_tau, q10=3.3, q10_celsius=22.0)
    a = Gate("a", 1, inf=ka_m_inf, tau=ka_m_tau, q10=3.3, q10_celsius=23.0)
    b = Gate("b", 1, inf=ka_h_inf, tau=ka_h_tau, q10=3.3, q10_celsius=23.0)
    slow = Gate("ms", 1, inf=km_inf, tau=km_slow_tau, q10=3.3, q10_celsius=21.0)
    fast = Gate("mf", 1, inf=km_inf, tau=km_fast_tau, q10=3.3, q10_celsius=21.0)
    w = Gate("w", 1, inf=kna_inf, instantaneous=True, reads=(SODIUM[0],))
    return (
        Channel("Kdr", 0.018002, reversal, (n,), ion="K"),
        Channel("KA", 0.012756, reversal, (a, b), ion="K"),
        Channel("KM_slow", 0.25 * 0.0069733, reversal, (slow,), ion="K"),
        Channel("KM_fast", 0.75 * 0.0069733, reversal, (fast,), ion="K"),
        Channel("KNa", 0.00042, reversal, (w,), ion="K"),
    )


def _hcn(e_na: float, e_k: float) -> tuple[Channel, ...]:
    """Half slow and half fast, and of each half the current is sodium's and half potassium's."""
    channels = []
    for ion, reversal in (("Na", e_na), ("K", e_k)):
        for name, tau in (("slow", hcn_slow_tau), ("fast", hcn_fast_tau)):
            gate = Gate(f"q_{name}_{ion}", 1, inf=hcn_inf, tau=tau, q10=3.0, q10_celsius=22.0)
            channels.append(Channel(f"HCN_{name}_{ion}", 0.25 * 0.0025377, reversal, (gate,), ion=ion))
    return tuple(channels)

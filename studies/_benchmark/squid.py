"""The squid membrane of Hodgkin & Huxley 1952, for simulators that must be told."""

from __future__ import annotations

G_NA, G_K, G_LEAK = 0.120, 0.036, 0.0003  # S/cm2
E_NA, E_K, E_LEAK = 50.0, -77.0, -54.387  # mV
CAPACITANCE = 1.0  # uF/cm2
RESISTIVITY = 35.4  # ohm cm
REST = -65.0  # mV
THRESHOLD = -20.0  # mV, whose upward crossing is the arrival


def speed_up(celsius: float) -> float:
    """By how much all rates grow from 6.3 degC (Q10 = 3)."""
    return 3.0 ** ((celsius - 6.3) / 10)

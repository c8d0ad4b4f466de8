"""Constants of nature that membranes need, and the voltage they make of a temperature."""

from __future__ import annotations

from axon.checks import finite

FARADAY = 96485.33212  # C/mol
GAS = 8.314462618  # J/(mol K)
KELVIN = 273.15


def thermal_voltage(celsius: float) -> float:
    """RT/F in mV at a temperature in degC."""
    kelvin = finite("celsius", celsius, "degC") + KELVIN
    if kelvin <= 0:
        raise ValueError(f"celsius must be above absolute zero (-273.15 degC), got {celsius!r}")
    return 1e3 * GAS * kelvin / FARADAY

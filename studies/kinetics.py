"""How do the gates of the squid membrane depend on the voltage, and what does a voltage clamp see of them?

Question
    Which gates are fast and which slow, by how much, and do the currents of a clamped patch of this membrane
    look as Hodgkin, Huxley & Katz recorded them?

Theory
    At a constant voltage every gate relaxes exponentially, x = x_inf + (x_0 - x_inf) exp(-t / tau), so that
    each current of a clamped patch is a closed formula. The sodium current first grows as m^3 and then dies
    with h (HH 1952, eq. 19); it reverses at V_Na. The ratio of its peaks after and without a long prepulse is
    h_inf (Hodgkin & Huxley, J. Physiol. 116:497, 1952). Where m_inf^3 and h_inf overlap, a little of it never
    dies: the window current.

Membrane
    HH 1952, table 3, at 6.3 degC; a space clamp held at rest and stepped to 30 levels; prepulses end in a
    step to -21 mV, 44 mV from rest as in 1952.

Expected answer
    - Gates and currents of the clamped patch: the closed formulae, to the 1e-7 of the rate tables.
    - Largest inward sodium current, its voltage and time of peak: the minimum of the closed formula.
    - Sodium reverses at +50 mV: 115 mV from rest, the value chosen in table 3.
    - Activation and time constants beside the measured ones of HH 1952, tables 1 and 2 (axon 17, 6 to 7
      degC), through which the formulae were drawn: n_inf, m_inf and tau_n within 10 %, root mean square.
    - Half of the sodium channels are inactivated at -62.5 mV, an e-fold for 7 mV (eq. of the 1952 paper on
      inactivation: h_inf = 1 / (1 + exp((V_h - V) / 7)), V_h = -2.5 mV in their sign).
    - m is fast and h and n are slow, several times slower all along the spike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.draw.clamp import plot_clamp
from axon.draw.kinetics import key_above, plot_kinetics
from axon.measure.clamp import ClampFamily
from axon.measure.curve import Curve
from axon.membranes.kinetics import gate_kinetics, windows
from axon.protocols.clamp import voltage_clamp

Array = NDArray[np.float64]

CELSIUS, REST = 6.3, -65.0
LEVELS = np.arange(-60.0, 96.0, 5.2)  # mV; none of them at a reversal potential
SHOWN = np.arange(-55.0, 100.0, 15.0)  # mV, in the figure
PREPULSES = np.arange(-125.0, -24.0, 5.0)  # mV
TEST = -21.0  # mV
MEMBRANE = axon.hodgkin_huxley()

# HH 1952, tables 1 and 2, axon 17: depolarisation from rest (mV), then what was fitted there (time in ms).
STEP_1952 = np.array([109.0, 100, 88, 76, 63, 51, 38, 32, 26, 19, 10, 6])
MEASURED_1952 = {
    "n_inf": np.array([0.961, 0.953, 0.935, 0.915, 0.891, 0.859, 0.806, 0.772, 0.728, 0.674, 0.496, 0.448]),
    "tau_n": np.array([1.05, 1.10, 1.25, 1.50, 1.70, 2.05, 2.60, 3.20, 3.80, 4.50, 5.25, 5.25]),
    "m_inf": np.array([0.980, 0.997, 1.029, 0.975, 0.963, 0.895, 0.778, 0.709, 0.569, 0.323, 0.145, 0.103]),
    "tau_m": np.array([0.140, 0.160, 0.200, 0.189, 0.252, 0.318, 0.382, 0.520, 0.600, 0.400, 0.220, 0.200]),
}
LIKE_1952 = {"n_inf": 0.1, "tau_n": 0.1, "m_inf": 0.1, "tau_m": None}  # largest rms difference that agrees
HALF_1952, SLOPE_1952 = REST + 2.5, 7.0  # mV
TABLE_3 = "HH 1952, table 3"


@cache
def family() -> ClampFamily:
    """The patch stepped from rest."""
    return voltage_clamp(MEMBRANE, LEVELS, celsius=CELSIUS, progress=False)


def relaxed(levels: Array, time: Array, holding: float) -> dict[str, Array]:
    """Every gate of a clamped patch in closed form, (n_t, n_levels)."""
    gates = {}
    for name, gate in MEMBRANE.gates.items():
        start, end, tau = (
            gate.steady_state(holding),
            gate.steady_state(levels),
            gate.time_constant(levels, CELSIUS),
        )
        gates[name] = end + (start - end) * np.exp(-time[:, None] / tau)
    return gates


def beside_closed_form() -> dict[str, Any]:
    """The worst differences between the simulated family and the closed formulae."""
    found = family()
    gates = relaxed(found.levels, found.time, found.holding)
    currents = MEMBRANE.currents(found.levels, gates)
    gate = max(np.abs(found.gates[name] - gates[name]).max() for name in gates)
    current = max(np.abs(found.currents[name] - currents[name]).max() for name in currents)
    source = "closed form"
    return {
        "worst_gate": study.compared(gate, 0.0, "1", tolerance=1e-7, source=source),
        "worst_current": study.compared(current, 0.0, "mA/cm2", tolerance=1e-7, source=source),
    }


def strongest_sodium() -> tuple[float, float, float]:
    """Voltage (mV), time (ms) and size (mA/cm2) of the largest inward sodium current, in closed form."""

    def current(x: Array) -> float:
        gates = relaxed(np.array([x[0]]), np.array([x[1]]), family().holding)
        return float(MEMBRANE.currents(x[0], gates)["Na"][0, 0])

    found = minimize(current, [0.0, 0.6], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-15})
    return float(found.x[0]), float(found.x[1]), float(found.fun)


def current_voltage() -> dict[str, Any]:
    """The peak sodium current over voltage: its largest, and where it reverses."""
    peak = family().peak("Na")
    lowest = Curve(LEVELS, peak.current).lowest(LEVELS[0], LEVELS[-1])
    assert lowest is not None
    voltage, time, size = strongest_sodium()
    when = Curve(LEVELS, peak.time)(lowest[0])
    source = "closed form"
    return {
        "largest_sodium_current": study.compared(lowest[1], size, "mA/cm2", tolerance=1e-4, source=source),
        "largest_at": study.compared(lowest[0], voltage, "mV", tolerance=0.1, source=source),
        "largest_after": study.compared(when, time, "ms", tolerance=1e-3, source=source),
        "sodium_reverses_at": study.compared(
            family().reversal("Na"), REST + 115.0, "mV", tolerance=0.01, source=TABLE_3
        ),
        "peak_sodium_current_mA_per_cm2": peak.current,
        "steady_potassium_current_mA_per_cm2": family().steady("K"),
        "levels_mV": LEVELS,
    }


def beside_1952() -> dict[str, Any]:
    """Root mean square of the relative difference to what was measured on axon 17."""
    v = STEP_1952 + REST
    answer = {}
    for name, measured in MEASURED_1952.items():
        gate = MEMBRANE.gates[name.removeprefix("tau_").removesuffix("_inf")]
        ours = gate.time_constant(v, CELSIUS) if name.startswith("tau") else gate.steady_state(v)
        apart = float(np.sqrt(np.mean((ours / measured - 1) ** 2)))
        source = f"HH 1952, table {'1' if 'n' in (name[0], name[-1]) else '2'}, axon 17"
        answer[f"{name}_apart"] = study.compared(apart, 0.0, "1", tolerance=LIKE_1952[name], source=source)
    return answer


def inactivation(prepulses: Array) -> dict[str, Any]:
    """Peak sodium currents after long prepulses, as parts of the largest."""
    peaks = []
    for prepulse in prepulses:
        clamped = voltage_clamp(
            MEMBRANE, [TEST], holding=prepulse, duration=8.0, celsius=CELSIUS, progress=False
        )
        peaks.append(float(clamped.peak("Na").current[0]))
    part = np.array(peaks) / peaks[0]
    curve = Curve(prepulses, part)
    half = float(curve.falls(0.5, curve.start, curve.stop)[0])
    slope = -1.0 / (4.0 * curve(half, order=1))
    gate, source = gate_kinetics(MEMBRANE, CELSIUS)["h"], "HH 1952, inactivation"
    return {
        "half_inactivated_at": study.compared(half, HALF_1952, "mV", tolerance=1.0, source=source),
        "inactivation_slope": study.compared(slope, SLOPE_1952, "mV", tolerance=0.5, source=source),
        "half_inactivated_by_the_gate": study.compared(half, gate.half_voltage, "mV", source="h_inf itself"),
        "prepulse_mV": prepulses,
        "peak_after_prepulse": part,
    }


def fast_and_slow() -> dict[str, Any]:
    """Time constants of the gates, and how many times slower than m the others are."""
    kinetics = gate_kinetics(MEMBRANE, CELSIUS)
    window = windows(MEMBRANE, CELSIUS)["Na"]
    return {
        "gates": {
            name: {
                "speed": gate.speed,
                "typical_ms": gate.typical,
                "at_rest_ms": gate.tau_at_rest,
                "slowest_ms": gate.slowest,
                "slowest_at_mV": gate.slowest_at,
                "half_voltage_mV": gate.half_voltage,
                "slope_mV": gate.slope,
                "slower_than_m": gate.typical / kinetics["m"].typical,
            }
            for name, gate in kinetics.items()
        },
        "window": {
            "largest_open_fraction": window.open_fraction,
            "at_mV": window.voltage,
            "largest_current_mA_per_cm2": window.current,
            "largest_current_at_mV": window.current_at,
        },
    }


def run(quick: bool = False) -> dict[str, Any]:
    """Kinetics, clamp families and prepulses; ``quick`` takes every other prepulse."""
    answer = beside_closed_form() | current_voltage() | beside_1952()
    answer |= inactivation(PREPULSES[:: 2 if quick else 1]) | fast_and_slow()
    return answer | {"answer": in_words(answer)}


def in_words(answer: dict[str, Any]) -> list[str]:
    """The gates, one line each, and the answer."""
    kinetics = gate_kinetics(MEMBRANE, CELSIUS)
    most, window = answer["largest_sodium_current"]["value"], answer["window"]
    slower = [kinetics[name].typical / kinetics["m"].typical for name in ("h", "n")]
    return [
        *(str(gate) for gate in kinetics.values()),
        "",
        f"answer: m is fast, h and n are {slower[0]:.1f} and {slower[1]:.1f} times slower; in voltage clamp "
        f"sodium carries at most {-most:.3f} mA/cm2 inwards, at {answer['largest_at']['value']:.1f} mV, "
        f"reverses at {answer['sodium_reverses_at']['value']:.2f} mV, and "
        f"{100 * window['largest_open_fraction']:.2f} % of it stays on at {window['at_mV']:.0f} mV",
    ]


def figure(answer: dict[str, Any], path: Path) -> None:
    """Kinetics with the points of 1952 above, the clamp family below."""
    with context():
        page = empty_figure(178, 112, dpi=200)
        axes = page.subplots(2, 3)
        plot_kinetics(MEMBRANE, CELSIUS, axes[0])
        add_1952(axes[0, 0], ("n_inf", "m_inf"))
        axes[0, 0].plot([], [], "o", color=COLOURS["grey"], markersize=3, label="1952")
        key_above(axes[0, 0])
        add_1952(axes[0, 1], ("tau_n", "tau_m"))
        plot_clamp(voltage_clamp(MEMBRANE, SHOWN, celsius=CELSIUS, progress=False), axes=axes[1], until=12.0)
        for letter, ax in zip("abcdef", axes.flat, strict=True):
            ax.text(-0.2, 1.03, letter, transform=ax.transAxes, fontsize=8.5, fontweight="bold")
        save(page, path)


def add_1952(ax: Any, names: tuple[str, str]) -> None:
    """What was measured on axon 17."""
    for name in names:
        colour = COLOURS["green" if "n" in (name[0], name[-1]) else "vermillion"]
        ax.plot(STEP_1952 + REST, MEASURED_1952[name], "o", color=colour, markersize=3, clip_on=False)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

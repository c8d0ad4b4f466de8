"""How does the velocity depend on diameter, axoplasm and temperature, and where does heat block the spike?

Question
    Squids grow giant axons to conduct fast. How much does a larger diameter buy, what does warmth, and is
    there a temperature at which the spike no longer propagates?

Theory
    The cable equation in units of sqrt(d / 4 Ra) along x holds neither diameter nor axial resistivity:
    with the same membrane, theta = c sqrt(d / Ra), exactly. With temperature the gates speed up (Q10 = 3)
    but the capacitance does not. A fast and a slow travelling wave exist side by side, the slow one
    unstable: what is smaller dies. Where both merge, at the temperature Tb of the heat block, no wave is
    left. Beyond it a spike started by a strong shock still travels past the ghost of the merged pair,
    over a distance that grows as L = L0 + A / sqrt(T - Tb) towards Tb, as the time to pass any
    saddle-node does.

Method
    HH 1952, leak reversal -54.387 mV, 35.4 ohm cm. Diameters 1 um to 1 mm at 18.5 degC, in axons of 10 cm
    at 476 um and of other lengths as sqrt(d). Temperatures at 476 um, fourth-order mesh; a spike is a
    crossing of -40 mV, since near the block it peaks at -25 mV. Beyond the block, axons of 40 cm.

Expected answer
    - Exponent of theta over d 0.5 and over Ra -0.5, exactly; every velocity within 0.1 % of
      18.7318882479 m/s sqrt(d / 476 um).
    - 12.3137567202 m/s at 6.3 degC, and everywhere within 0.1 % of the exact travelling wave, which is a
      boundary-value problem (`axon.travelling_wave`).
    - A travelling wave exists at 33.6 degC and not at 33.7 degC. So a simulated spike goes on for ever at
      the one and dies at the other, and the distances beyond point to the fold of the exact waves.
    - HH 1952 measured 21.2 m/s on the axon of 476 um at 18.5 degC.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.protocols.wave import WaveFamily, wave_speeds

Array = NDArray[np.float64]

WAVE, WAVE_COLD, BLOCK = 18.7318882479, 12.3137567202, (33.6, 33.7)  # m/s at 18.5 and 6.3 degC; degC
DIAMETER, RESISTIVITY, MEASURED_1952 = 476.0, 35.4, 21.2  # um, ohm cm, m/s
SMALL = -40.0  # mV, the threshold that counts small spikes
COLD, HOT = 5.0, 40.0  # degC, between which the exact waves are followed
WARMTH = (5, 6.3, 8, 10, 12, 14, 16, 18.5, 21, 23, 25, 27, 29, 30, 31, 32, 33, 33.3, 33.5, 33.6)  # degC
QUICK_WARMTH = (6.3, 18.5, 26.0, 32.0)
BEYOND = (33.68, 33.7, 33.75, 33.8, 33.9, 34.0, 34.2, 34.5)  # degC
QUICK_BEYOND = (33.6, 33.8, 33.9, 34.0, 34.2, 34.5)


def squid(**changes: float) -> axon.Axon:
    """The axon of HH 1952 with these changes."""
    usual: dict[str, Any] = {"length": 100_000, "diameter": DIAMETER, "celsius": 18.5}
    usual |= {"axial_resistivity": RESISTIVITY, "membrane": axon.hodgkin_huxley()}
    return axon.Axon(**(usual | changes))


def simulate_all(
    axons: list[axon.Axon], duration: float, threshold: float = -20.0, **numerics: Any
) -> list[axon.Run]:
    """Each axon with a suprathreshold pulse of its own; spikes are all that is kept."""
    pulses = [[axon.suprathreshold_pulse(one, dx=numerics.get("dx"))] for one in axons]
    record = axon.Record(voltage=None, threshold=threshold)
    return axon.simulate_many(axons, pulses, duration=duration, record=record, **numerics)


def power_law(x: Array, y: Array, expected: float) -> dict[str, Any]:
    """Exponent of y over x by least squares of the logarithms, beside the expected one."""
    (slope, _), covariance = np.polyfit(np.log(x), np.log(y), 1, cov=True)
    error = float(np.sqrt(covariance[0, 0]))
    return study.compared(slope, expected, "1", tolerance=1e-4, standard_error=error, source="cable theory")


def over_diameter(quick: bool) -> dict[str, Any]:
    """Velocities of thin and thick axons."""
    diameter = np.logspace(0, 3, 7 if quick else 13)
    axons = [squid(diameter=d, length=100_000 * np.sqrt(d / DIAMETER)) for d in diameter]
    theta = np.array([run.velocity().value for run in simulate_all(axons, 8.0)])
    worst = np.abs(theta / (WAVE * np.sqrt(diameter / DIAMETER)) - 1).max()
    return {
        "exponent_of_diameter": power_law(diameter, theta, 0.5),
        "worst_over_diameter": study.compared(
            worst, 0.0, "1", tolerance=1e-3, source="travelling wave x sqrt(d / 476 um)"
        ),
        "diameter_um": diameter,
        "velocity_over_diameter_m_per_s": theta,
    }


def over_resistivity() -> dict[str, Any]:
    """Velocities in well and in badly conducting axoplasm."""
    resistivity = RESISTIVITY * np.array([0.25, 1.0, 4.0, 16.0])
    axons = [squid(axial_resistivity=ra, length=100_000 * np.sqrt(RESISTIVITY / ra)) for ra in resistivity]
    theta = np.array([run.velocity().value for run in simulate_all(axons, 8.0)])
    return {"exponent_of_axial_resistivity": power_law(resistivity, theta, -0.5)}


def over_temperature(quick: bool, waves: WaveFamily) -> dict[str, Any]:
    """Velocities in cold and in warm water, beside the exact waves."""
    celsius = np.array(QUICK_WARMTH if quick else WARMTH, float)
    axons = [squid(celsius=float(t), length=100_000 if quick else 200_000) for t in celsius]
    runs = simulate_all(axons, 10.0 if quick else 19.0, SMALL, order=4)
    theta = np.array([run.velocity().value for run in runs])
    exact = np.array([waves.at(float(t), rtol=1e-7).velocity for t in celsius])
    cold = float(theta[celsius == 6.3][0])
    best, fastest = maximum(waves.fast.parameter, waves.fast.velocity)
    return {
        "velocity_6.3_degC": study.compared(
            cold, WAVE_COLD, "m/s", tolerance=1e-3 * WAVE_COLD, source="travelling wave"
        ),
        "worst_over_temperature": study.compared(
            np.abs(theta / exact - 1).max(), 0.0, "1", tolerance=1e-3, source="travelling waves"
        ),
        "celsius_degC": celsius,
        "velocity_over_celsius_m_per_s": theta,
        "wave_over_celsius_m_per_s": exact,
        "fastest_at_degC": best,
        "fastest_m_per_s": fastest,
    }


def maximum(x: Array, y: Array) -> tuple[float, float]:
    """Place and height of the parabola's top through the three points around the largest y."""
    top = int(np.argmax(y))
    a, b, c = np.polyfit(x[top - 1 : top + 2] - x[top], y[top - 1 : top + 2], 2)
    return float(x[top] - b / (2 * a)), float(c - b**2 / (4 * a))


def heat_block(quick: bool, waves: WaveFamily) -> dict[str, Any]:
    """How far a spike comes where it is too hot, and the temperature to which the distances point."""
    from scipy.optimize import least_squares

    celsius = np.array(QUICK_BEYOND if quick else BEYOND)
    length, dt = (150_000.0, 0.001) if quick else (400_000.0, 0.0005)
    axons = [squid(celsius=float(t), length=length) for t in celsius]
    runs = simulate_all(axons, 10.0 if quick else 24.0, SMALL, dt=dt, dx=400.0, order=4)
    reached = np.array([run.spike_position.max() for run in runs])  # um
    died = reached < 0.98 * length

    def misfit(p: Array) -> Array:
        return (p[0] + p[1] / np.sqrt(np.maximum(celsius[died] - p[2], 1e-9))) / reached[died] - 1

    guess = [0.0, 3e4, celsius[died].min() - 0.05]
    offset, scale, block = least_squares(misfit, guess, x_scale=[1e4, 1e4, 0.1]).x
    fold = float(waves.fold or np.nan)
    return {
        "heat_block_degC": study.compared(
            block, fold, "degC", tolerance=0.01, source="fold of the travelling waves"
        ),
        "fold_degC": study.compared(
            fold, sum(BLOCK) / 2, "degC", tolerance=0.05, source="a wave exists at 33.6, none at 33.7 degC"
        ),
        "hottest_that_propagates_degC": celsius[~died].max(),
        "coolest_that_fails_degC": celsius[died].min(),
        "too_hot_degC": celsius,
        "travelled_mm": np.where(died, reached, length) * 1e-3,
        "died": died.tolist(),
        "travelled_fit_mm": [offset * 1e-3, scale * 1e-3],
    }


@cache
def exact_waves() -> WaveFamily:
    """Fast and slow travelling waves over temperature."""
    return wave_speeds(squid(), celsius=(COLD, HOT), rtol=1e-6)


def run(quick: bool = False) -> dict[str, Any]:
    """Exponents, velocities over temperature, and the heat block; ``quick`` takes fewer and shorter axons."""
    waves = exact_waves()
    answer = {
        **over_diameter(quick),
        **over_resistivity(),
        **over_temperature(quick, waves),
        **heat_block(quick, waves),
        "waves": {
            f"{name}_{what}": values
            for name, branch in (("fast", waves.fast), ("slow", waves.slow))
            for what, values in (("degC", branch.parameter), ("m_per_s", branch.velocity))
        },
    }
    exponent, block = answer["exponent_of_diameter"], answer["heat_block_degC"]
    return answer | {
        "answer": (
            f"velocity grows as diameter^{exponent['value']:.5f}; at 476 um it is greatest at "
            f"{answer['fastest_at_degC']:.1f} degC, {answer['fastest_m_per_s']:.2f} m/s, and spikes die "
            f"above {block['value']:.3f} degC"
        )
    }


def figure(answer: dict[str, Any], path: Path) -> None:
    """Velocity over diameter, over temperature, and how far spikes come beyond the heat block."""
    with context():
        page = empty_figure(178, 66)
        by_diameter, by_warmth, beyond = page.subplots(1, 3)
        draw_diameters(by_diameter, answer)
        draw_temperatures(by_warmth, answer)
        draw_distances(beyond, answer)
        save(page, path)


def draw_diameters(ax: Any, answer: dict[str, Any]) -> None:
    d, theta = answer["diameter_um"], answer["velocity_over_diameter_m_per_s"]
    line = np.array([0.7, 1400.0])
    ax.loglog(line, WAVE * np.sqrt(line / DIAMETER), color=COLOURS["grey"], linewidth=1, label="exact, ∝ √d")
    ax.loglog(d, theta, "o", markersize=4, label="simulated")
    star: dict[str, Any] = {"markersize": 9, "color": COLOURS["vermillion"], "markeredgewidth": 0}
    ax.loglog(DIAMETER, MEASURED_1952, "*", label="squid, measured 1952", **star)
    ax.set(xlabel="diameter (µm)", ylabel="conduction velocity (m/s)", title="a   diameter, 18.5 °C")
    ax.set_ylim(0.5, 200)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper left")


def draw_temperatures(ax: Any, answer: dict[str, Any]) -> None:
    waves, grey = answer["waves"], COLOURS["grey"]
    ax.plot(waves["fast_degC"], waves["fast_m_per_s"], color=grey, linewidth=1, label="exact, stable")
    ax.plot(waves["slow_degC"], waves["slow_m_per_s"], "--", color=grey, linewidth=1, label="exact, unstable")
    theta = answer["velocity_over_celsius_m_per_s"]
    ax.plot(answer["celsius_degC"], theta, "o", markersize=4, label="simulated")
    ax.axvspan(answer["fold_degC"]["value"], HOT, color=COLOURS["vermillion"], alpha=0.15, linewidth=0)
    ax.text(37, 13, "heat block", rotation=90, ha="center", va="center", color=COLOURS["vermillion"])
    ax.set(xlabel="temperature (°C)", ylabel="conduction velocity (m/s)", title="b   temperature, 476 µm")
    ax.set(xlim=(0, HOT), ylim=(0, 33))
    ax.legend(loc="upper left")


def draw_distances(ax: Any, answer: dict[str, Any]) -> None:
    celsius, travelled = np.array(answer["too_hot_degC"]), np.array(answer["travelled_mm"])
    died, (offset, scale) = np.array(answer["died"]), answer["travelled_fit_mm"]
    block, fold = answer["heat_block_degC"]["value"], answer["fold_degC"]["value"]
    t = block + np.logspace(-2.5, 0, 200)
    fit = offset + scale / np.sqrt(t - block)
    ax.plot(t, fit, color=COLOURS["grey"], linewidth=1, label="$L_0 + A\\,(T - T_b)^{-1/2}$")
    ax.plot(celsius[died], travelled[died], "o", markersize=4, label="died there")
    style: dict[str, Any] = {"markersize": 5, "color": COLOURS["green"]}
    ax.plot(celsius[~died], travelled[~died], "^", label="reached the end", **style)
    ax.axvline(
        fold, color=COLOURS["vermillion"], linewidth=0.8, linestyle="--", label="fold of the exact waves"
    )
    ax.set(xlabel="temperature (°C)", ylabel="distance travelled (mm)", title="c   beyond the heat block")
    ax.set(ylim=(0, 1.04 * travelled.max()), xlim=(fold - 0.06, celsius.max() + 0.05))
    ax.legend(loc="upper right")


def movie(answer: dict[str, Any], path: Path) -> None:
    """A spike that is too hot: it travels some centimetres and dies."""
    hot = squid(celsius=33.8)
    record = axon.Record(gates=True, threshold=SMALL)
    run = axon.simulate(hot, axon.suprathreshold_pulse(hot), duration=6, record=record, order=4)
    axon.animate(run, path, duration_s=1.0 if answer["quick"] else 4.0)


def race(answer: dict[str, Any], path: Path) -> None:
    """The same pulse on three axons: thick and warm, thick and cold, thin and warm."""
    axons = [squid(), squid(celsius=6.3), squid(diameter=100.0)]
    record = axon.Record(gates=True)
    runs = [
        axon.simulate(cable, axon.suprathreshold_pulse(cable), duration=8, record=record) for cable in axons
    ]
    seconds = 1.0 if answer["quick"] else 4.0
    axon.animate(runs, path, panels=["voltage"], duration_s=seconds)


def main(argv: Sequence[str] | None = None) -> None:
    files = {"figure.png": figure, "movie.gif": movie, "race.gif": race}
    print(study.conduct(__file__, __doc__, run, files, argv))


if __name__ == "__main__":
    main()

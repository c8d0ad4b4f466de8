"""How fast must a spike travel, is there a second speed, and at which temperature does conduction end?

Question
    A spike of unchanging shape V(t - x / theta) can have only certain velocities theta. Which are they on the
    squid axon, to all digits that the equations define, and what becomes of them as the axon is warmed?

Theory
    (1/K) V'' = V' + I_ion / C with K = 2 R2 C theta^2 / a (HH 1952, eq. 30): an ordinary differential
    equation whose solutions run off to plus or minus infinity unless K is right. As a boundary-value problem
    (leave the rest along its unstable direction, come back along the stable ones) it gives K without a time
    step or a mesh along the axon. There are two waves: the fast one that axons conduct, and a slow, small,
    unstable one that divides the disturbances that grow from those that die (Huxley, J. Physiol. 148:80P,
    1959). Warmth speeds up the gates but not the charging of the membrane: the two waves approach, and where
    they meet, in a fold, conduction ends. That is heat block.

Axon
    That of HH 1952: a = 238 um, R2 = 35.4 ohm cm, C = 1 uF/cm2, Q10 = 3 from 6.3 degC; leak reversal
    10.613 mV above nominal rest, which is -65 mV.

Expected answer
    ==========================  ====================  ====================  ================================
    .                           theta (m/s)           K (1/ms)              from
    18.5 degC                   18.7318882479         10.4380510601         an independent shooting
    6.3 degC                    12.3137567202         4.5106324383          the same
    leak at -54.3 mV            18.7302, 12.3126                            the same, 18.5 and 6.3 degC
    18.5 degC, by hand                                10.47                 HH 1952; 0.3 % high
    peak, trough at 18.5 degC   90.57834, -9.670755 mV above -65            an independent shooting
    heat block                  between 33.6 and 33.7 degC                  wave at the one, none at the other
    ==========================  ====================  ====================  ================================

    Simulations in time, extrapolated to dt -> 0 and dx -> 0, must have the velocity of the fast wave to 1e-6
    at every temperature. The slow wave must be the same whether found by shooting or by following the fast
    one around the fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.protocols.wave import WaveBranch, WaveFamily

SHOOTING, PAPER = "independent shooting", "HH 1952, by hand"
WAVES = {18.5: (18.7318882479, 10.4380510601), 6.3: (12.3137567202, 4.5106324383)}  # degC: m/s, 1/ms
OTHER_LEAK = {18.5: 18.7302, 6.3: 12.3126}  # m/s with -54.3 mV
PEAK, TROUGH = 90.57834, -9.670755  # mV above -65, 18.5 degC
K_1952 = 10.47  # 1/ms
BLOCK = (33.6, 33.7)  # degC
SHOWN = 25.0  # degC of the shapes in the figure
SIMULATED, QUICK = (6.3, 12.0, 18.5, 25.0, 30.0, 32.0), (6.3, 18.5, 30.0)  # degC
STEADY = (80_000.0, 120_000.0)  # um, where a simulated spike has its final shape


def squid(celsius: float, e_leak: float = -54.387) -> axon.Axon:
    """The axon of HH 1952, 15 cm of it."""
    membrane = axon.hodgkin_huxley(e_leak=e_leak)
    return axon.Axon(length=150_000, diameter=476, membrane=membrane, axial_resistivity=35.4, celsius=celsius)


@cache
def family() -> WaveFamily:
    """Both waves from 6.3 degC to the heat block."""
    return axon.wave_speeds(squid(6.3), celsius=(6.3, 40.0))


def simulated(celsius: float) -> axon.MeasuredVelocity:
    """The velocity of a simulated spike, extrapolated."""
    measured = axon.measure_velocity(squid(celsius), dt=0.00125, between=STEADY)
    assert isinstance(measured, axon.MeasuredVelocity)
    return measured


def beside_simulation(celsius: float) -> dict[str, Any]:
    """The fast wave beside the simulation at one temperature."""
    wave, measured = family().at(celsius), simulated(celsius)
    source = f"simulation, +- {measured.error:.1g}"
    return {"celsius": celsius} | study.compared(
        wave.velocity, float(measured), "m/s", tolerance=1e-6 * wave.velocity, source=source
    )


def curve(branch: WaveBranch) -> dict[str, list[float]]:
    """A branch as numbers."""
    return {
        "celsius": branch.parameter.tolist(),
        "velocity_m_per_s": branch.velocity.tolist(),
        "K_per_ms": [wave.rate for wave in branch.waves],
        "peak_above_rest_mV": [wave.peak - wave.rest for wave in branch.waves],
    }


def exact(
    value: float, expected: float, unit: str, source: str = SHOOTING, part: float = 1e-10
) -> dict[str, Any]:
    """A number beside the one that was expected, of which it may differ by this part."""
    return study.compared(value, expected, unit, tolerance=part * abs(expected), source=source)


def run(quick: bool = False) -> dict[str, Any]:
    """All waves beside what they should be; ``quick`` simulates at fewer temperatures."""
    answer: dict[str, Any] = {}
    for celsius, (velocity, rate) in WAVES.items():
        wave = axon.travelling_wave(squid(celsius))
        answer[f"velocity_{celsius:g}_degC"] = exact(wave.velocity, velocity, "m/s") | {"error": wave.error}
        answer[f"K_{celsius:g}_degC"] = exact(wave.rate, rate, "1/ms")
    for celsius, velocity in OTHER_LEAK.items():
        wave = axon.travelling_wave(squid(celsius, e_leak=-54.3))
        answer[f"velocity_other_leak_{celsius:g}_degC"] = exact(wave.velocity, velocity, "m/s", part=3e-6)
    wave = family().at(18.5)
    answer["peak_18.5_degC"] = exact(wave.peak + 65, PEAK, "mV", part=1e-6)
    answer["trough_18.5_degC"] = exact(wave.trough + 65, TROUGH, "mV", part=1e-6)
    answer["K_1952"] = exact(wave.rate, K_1952, "1/ms", source=PAPER, part=4e-3)
    answer["slow_wave_25_degC"] = exact(
        axon.travelling_wave(squid(SHOWN), branch="slow").velocity,
        family().at(SHOWN, branch="slow").velocity,
        "m/s",
        source="around the fold",
        part=1e-9,
    )
    answer["simulated"] = [beside_simulation(celsius) for celsius in (QUICK if quick else SIMULATED)]
    apart = max(abs(entry["relative_difference"]) for entry in answer["simulated"])
    answer["largest_part_apart_from_simulation"] = apart
    words = f"{in_words()}; simulated velocities differ from the exact ones by at most {apart:.1g} of them"
    return answer | block() | {"answer": words} | {"fast": curve(family().fast), "slow": curve(family().slow)}


def best() -> int:
    """Which of the fast waves is the fastest."""
    return int(np.argmax(family().fast.velocity))


def block() -> dict[str, Any]:
    """The heat block and the fastest wave before it."""
    fold, fast, middle = family().fold, family().fast, sum(BLOCK) / 2
    assert fold is not None
    heat = study.compared(
        fold, middle, "degC", tolerance=BLOCK[1] - middle, source="wave at 33.6, none at 33.7"
    )
    return {
        "heat_block": heat | {"error": family().fold_error},
        "velocity_at_block_m_per_s": fast.waves[-1].velocity,
        "velocity_at_best_m_per_s": fast.waves[best()].velocity,
        "best_celsius": fast.parameter[best()],
    }


def in_words() -> str:
    """The answer."""
    fast, slow = family().fast, family().at(SHOWN, branch="slow")
    return (
        f"{family().at(18.5).velocity:.10g} m/s at 18.5 degC; conduction is fastest near "
        f"{fast.parameter[best()]:.0f} degC ({fast.waves[best()].velocity:.2f} m/s) and ends at "
        f"{family().fold:.5f} degC, where it is still {fast.waves[-1].velocity:.2f} m/s; the slow wave at "
        f"{SHOWN:g} degC has {slow.velocity:.7g} m/s and a peak {slow.peak - slow.rest:.1f} mV above rest"
    )


def figure(answer: dict[str, Any], path: Path) -> None:
    """Velocity and peak of both waves against temperature, and their shapes."""
    with context():
        page = empty_figure(178, 68, dpi=200)
        speeds, peaks, shapes = page.subplots(1, 3, gridspec_kw={"width_ratios": (1.15, 1, 1.15)})
        for name, colour, dashes in (("fast", "blue", "-"), ("slow", "vermillion", "--")):
            draw_branch(speeds, answer, name, "velocity_m_per_s", colour, dashes)
            draw_branch(peaks, answer, name, "peak_above_rest_mV", colour, dashes)
            wave = family().at(SHOWN, branch=name)  # type: ignore[arg-type]
            label = f"{name}, {wave.velocity:.2f} m/s"
            shapes.plot(wave.time, wave.voltage, dashes, color=COLOURS[colour], label=label)
        mark_block(speeds, peaks, answer)
        shapes.legend(loc="upper right")
        shapes.set(xlim=(-1.2, 2.4), xlabel="time from the peak (ms)", ylabel="membrane potential (mV)")
        speeds.set(ylim=(0, 26), xlabel="temperature (°C)", ylabel="velocity (m/s)", title="a   two speeds")
        peaks.set(
            ylim=(0, 110), xlabel="temperature (°C)", ylabel="peak above rest (mV)", title="b   two heights"
        )
        shapes.set_title(f"c   shapes at {SHOWN:g} °C")
        save(page, path)


def draw_branch(ax: Any, answer: dict[str, Any], name: str, quantity: str, colour: str, dashes: str) -> None:
    """One branch against temperature, as part of the smooth curve through both."""
    both = [np.array([*answer["fast"][key], *answer["slow"][key][1:]]) for key in ("celsius", quantity)]
    steps = np.hypot(*(np.diff(values) / np.ptp(values) for values in both))
    along = np.append(0.0, np.cumsum(steps))
    turn = along[len(answer["fast"]["celsius"]) - 1]
    start, stop = (0.0, turn) if name == "fast" else (turn, along[-1])
    part = np.linspace(start, stop, 200)
    ax.plot(*(CubicSpline(along, values)(part) for values in both), dashes, color=COLOURS[colour])


def mark_block(speeds: Any, peaks: Any, answer: dict[str, Any]) -> None:
    """The fold in both pictures, and the simulated velocities."""
    fold = answer["heat_block"]["value"]
    for ax, height in (
        (speeds, answer["velocity_at_block_m_per_s"]),
        (peaks, answer["fast"]["peak_above_rest_mV"][-1]),
    ):
        ax.plot(fold, height, "o", color=COLOURS["black"], markersize=4, zorder=4)
        ax.axvspan(fold, 40, color=COLOURS["grey"], alpha=0.15, linewidth=0)
        ax.set_xlim(5, 38)
    speeds.text(
        fold + 2.1, 1.0, f"heat block, {fold:.2f} °C", rotation=90, ha="center", color=COLOURS["black"]
    )
    points = answer["simulated"]
    speeds.plot(
        [point["celsius"] for point in points],
        [point["expected"] for point in points],
        "o",
        color=COLOURS["blue"],
        markerfacecolor="white",
        markersize=4.5,
        label="simulated",
    )
    speeds.text(6.3, 19.0, "fast, stable", ha="left", color=COLOURS["blue"])
    speeds.text(18.5, 2.6, "slow, unstable", ha="left", color=COLOURS["vermillion"])
    speeds.legend(loc="upper left")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

"""Which knob changes the speed of a spike, and what does it take to start one?

Question
    An axon has a dozen parameters. Which of them matter for its conduction velocity, and by how much? How
    does the velocity look over diameter and temperature together? And how does the current that starts a
    spike depend on how far from the end of the axon it is given?

Theory
    Let E_p = d ln(velocity) / d ln(p). In the cable equation (d / 4 Ra) V'' = C V_t + I_ion, with every
    current proportional to a conductance:

    - diameter and axial resistivity come as d / Ra alone, and scaling x leaves only the square root:
      E_d = 1/2, E_Ra = -1/2, at every temperature;
    - multiplying C and all conductances by k is dividing d / Ra by k: E_C + sum of E_g = -1/2;
    - multiplying all conductances and all rates by k is time k times as fast: sum of E_g + E_rates = 1/2,
      where a warming by 1 degC multiplies the rates by 3**(1 / 10).

    A pulse in the middle of a long axon drives two half axons; by symmetry each takes half the current, so
    its threshold is exactly twice that at a sealed end, and comes near to it a few length constants away.

Method
    HH 1952, 476 um, 35.4 ohm cm, 18.5 degC unless said. All sweeps with `axon.sweep`, many axons side by
    side; the map on a mesh of fourth order. Sensitivities by central differences of fourth order, the same
    for the travelling wave itself, which knows no mesh and no time step.

Expected answer
    - E_d = 0.5 and E_Ra = -0.5 within 1e-6, both sum rules within 1e-5; sensitivities of the simulated axon
      within 3e-4 of those of the travelling wave.
    - Every velocity of the map within 0.1 % of the travelling wave at its temperature times
      sqrt(d / 476 um); none at 36 degC, beyond the heat block at 33.69 degC.
    - Threshold 2.00 (1 %) times as high far from the end as at it.
    - More sodium conducts faster, more potassium and leak slower. The largest knob is the capacitance, for
      it is charged ahead of the spike: so channels, which bring gating charge with them, have a best density
      (Hodgkin, Phil. Trans. R. Soc. B 270:297, 1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.draw.style import ORDERED
from axon.draw.tornado import draw_tornado

SQUID = axon.Axon(
    length=1e5, diameter=476.0, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4, celsius=18.5
)
CONDUCTANCES = ("Na.conductance", "K.conductance", "leak.conductance")
WARM = (5.0, 7.0, 9.0, 12.0, 15.0, 18.5, 22.0, 25.0, 27.0, 29.0, 31.0, 32.5, 36.0)  # degC
QUICK_WARM = (6.3, 18.5, 36.0)
LONG = 40_000.0  # um, of the axon whose threshold is sought along it
FAR = 15_000.0  # um from the end
PULSE = axon.Pulse(amplitude=1.0, start=0.5, duration=0.2)


def over_map(quick: bool) -> dict[str, Any]:
    """Velocity over diameter and temperature, beside the travelling waves."""
    celsius = QUICK_WARM if quick else WARM
    diameter = np.geomspace(50, 1000, 4 if quick else 24)
    found = axon.sweep(
        "velocity", axon.Grid(celsius=celsius, diameter=diameter), axon=SQUID, fixed={"order": 4}
    )
    exact = {t: axon.travelling_wave(replace(SQUID, celsius=t, sections=())).velocity for t in celsius[:-1]}
    wave = np.array([exact.get(t, np.nan) for t in found["celsius"]]) * np.sqrt(found["diameter"] / 476)
    conducts = found["celsius"] < celsius[-1]
    worst = np.abs(found["velocity"][conducts] / wave[conducts] - 1).max()
    return {
        "worst_over_map": study.compared(
            worst, 0.0, "1", tolerance=1e-3, source="travelling waves x sqrt(d / 476 um)"
        ),
        "blocked_at_36_degC": study.compared(
            found.failed[~conducts].mean(), 1.0, "1", tolerance=0.0, source="heat block at 33.69 degC"
        ),
        "failed_below": study.compared(
            found.failed[conducts].mean(), 0.0, "1", tolerance=0.0, source="heat block at 33.69 degC"
        ),
        "map": {
            "celsius": celsius,
            "diameter_um": diameter,
            "velocity_m_per_s": np.where(conducts, found["velocity"], 0.0).reshape(len(celsius), -1),
        },
    }


def along_the_axon(quick: bool) -> dict[str, Any]:
    """Threshold over the distance of the pulse from a sealed end."""
    place = np.array([0.0, 2000.0, FAR]) if quick else np.linspace(0, FAR, 31)
    squid = replace(SQUID, length=LONG, sections=())
    over = {"at": place.tolist()}
    found = axon.sweep("threshold", over, axon=squid, stimulus=PULSE, fixed={"accuracy": 1e-4})
    ratio = found["threshold"] / found["threshold"][0]
    return {
        "threshold_far_from_the_end": study.compared(
            ratio[-1], 2.0, "1", tolerance=0.02, source="two half axons take half the current each"
        ),
        "threshold_at_the_end_nA": found["threshold"][0],
        "place_um": place,
        "threshold_ratio": ratio,
    }


def knobs() -> dict[str, Any]:
    """Sensitivities of the simulated axon and of the travelling wave, and their sums."""
    simulated, wave = axon.sensitivity(SQUID), axon.wave_sensitivity(SQUID)
    rates = wave["celsius"] * 10 / np.log(3)
    sums = {
        "of_diameter": (simulated["diameter"], 0.5, 1e-6),
        "of_axial_resistivity": (simulated["axial_resistivity"], -0.5, 1e-6),
        "of_capacitance_and_conductances": (simulated.sums["membrane"], -0.5, 1e-5),
        "of_conductances_and_rates": (sum(wave[name] for name in CONDUCTANCES) + rates, 0.5, 1e-5),
    }
    compared = {
        f"elasticity_{name}": study.compared(value, expected, "1", tolerance=tolerance, source="scaling")
        for name, (value, expected, tolerance) in sums.items()
    }
    apart = np.abs(simulated.slope - wave.slope).max()
    return compared | {
        "worst_sensitivity": study.compared(apart, 0.0, "1", tolerance=3e-4, source="travelling wave"),
        "largest_knob": simulated.names[int(np.argmax(np.abs(simulated.slope) * simulated.relative))],
        "sensitivity": {
            "names": simulated.names,
            "units": simulated.units,
            "values": simulated.values,
            "relative": simulated.relative.tolist(),
            "slope": simulated.slope,
            "error": simulated.error,
            "base": simulated.base,
        },
    }


def run(quick: bool = False) -> dict[str, Any]:
    """The map, the threshold along the axon and the sensitivities; ``quick`` takes fewer points."""
    answer = {**knobs(), **over_map(quick), **along_the_axon(quick)}
    own = dict(zip(answer["sensitivity"]["names"], answer["sensitivity"]["slope"], strict=True))
    return answer | {
        "answer": (
            f"ten per cent more {answer['largest_knob']} slow the spike by {-10 * own['capacitance']:.1f} %, "
            f"of diameter speed it up by 5.0 %, of sodium channels by {10 * own['Na.conductance']:.1f} %; "
            f"1 degC is worth {100 * own['celsius']:.1f} %; a pulse far from the end needs "
            f"{answer['threshold_far_from_the_end']['value']:.3f} times the current"
        )
    }


def figure(answer: dict[str, Any], path: Path) -> None:
    """The tornado, the map, and the threshold along the axon."""
    with context():
        page = empty_figure(190, 150)
        above, below = page.subfigures(2, 1, squeeze=False)[:, 0]
        draw_tornado(_sensitivity(answer["sensitivity"]), above.subplots())
        left, right = below.subplots(1, 2)
        draw_map(left, answer["map"])
        draw_threshold(right, answer)
        save(page, path)


def _sensitivity(facts: dict[str, Any]) -> axon.Sensitivity:
    arrays = {name: np.asarray(facts[name]) for name in ("relative", "slope", "error")}
    words = {name: tuple(facts[name]) for name in ("names", "units", "values")}
    return axon.Sensitivity(answer="velocity", base=facts["base"], **arrays, **words)


def draw_map(ax: Any, facts: dict[str, Any]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("speeds", ORDERED[::-1])
    velocity = np.ma.masked_equal(np.asarray(facts["velocity_m_per_s"]), 0.0)
    x, y = np.asarray(facts["diameter_um"]), np.asarray(facts["celsius"])
    conducts = ~velocity.mask.any(axis=1) if velocity.mask.any() else np.ones(len(y), bool)
    drawn = ax.contourf(x, y[conducts], velocity[conducts], 16, cmap=shades)
    if conducts.sum() > 1:
        lines = ax.contour(x, y[conducts], velocity[conducts], [5, 10, 15, 20, 25, 30], colors="white")
        ax.clabel(lines, fontsize=6)
    ax.axhspan(33.69, y[-1], color=COLOURS["vermillion"], alpha=0.2, linewidth=0)
    ax.annotate("no conduction", (60, 34.3), color=COLOURS["vermillion"], fontsize=7)
    ax.set_xscale("log")
    ax.set_xticks([50, 100, 200, 500, 1000], ["50", "100", "200", "500", "1000"])
    ax.minorticks_off()
    ax.set(xlabel="diameter (µm)", ylabel="temperature (°C)", ylim=(y[0], y[-1]))
    ax.figure.colorbar(drawn, ax=ax, label="velocity (m/s)")


def draw_threshold(ax: Any, answer: dict[str, Any]) -> None:
    place = np.asarray(answer["place_um"]) / 1000
    ax.axhline(2, color=COLOURS["grey"], linewidth=0.8, linestyle="--", label="infinite axon")
    ax.plot(place, answer["threshold_ratio"], "o-", color=COLOURS["blue"], markersize=3, label="simulated")
    ax.set(xlabel="pulse at (mm from the sealed end)", ylabel="threshold / threshold at the end")
    ax.set_ylim(0.9, 2.15)
    ax.legend(loc="lower right")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

"""How much wider may an axon suddenly become before a spike fails, and what happens just before it does?

Question
    A spike runs along a thin axon that all at once becomes r times as thick. Up to which r does it go on,
    how does that depend on temperature, and is going on or failing all that can happen?

Theory
    The thick part draws more current from the last thin stretch than a thin one would. What it draws goes as
    the input conductance, d^(3/2), so the load is the geometric ratio r^(3/2) (Goldstein & Rall, Biophys. J.
    14:731, 1974): at 1 nothing changes, beyond it the spike comes late, beyond a critical ratio it fails.
    Warmth shortens the spike and with it the charge that it can deliver: the critical ratio falls, to 1 at
    the heat block (33.69 degC, see ``travelling_wave``), where not even a uniform axon conducts.

    The critical ratio separates two ends of the run, so near it the spike waits: on the edge lies an
    unstable standing state, which is left exponentially, and the delay grows as -ln(1 - r / r_c) times the
    time constant of leaving it. Once the delay exceeds the refractory period of the thin axon, the thick one
    fires it again: the spike goes on and at the same time comes back (reflection; Goldstein & Rall 1974).
    At which ratios it does, and whether at every temperature, theory does not say.

Axon
    HH 1952; 100 um thin, both parts 10 length constants at 1 kHz long.

Expected answer
    ====================================  ========  ==========================================
    critical ratio of diameters, 6.3      10.60     NEURON; geometric ratio 34.5
    critical ratio of diameters, 18.5     5.43      NEURON; geometric ratio 12.65
    geometric ratio, 6.3 degC             34.2      Ofer et al. 2017, with another program
    reflected within, 6.3 degC            0.218 %   NEURON; of the critical ratio, below it
    reflected within, 18.5 degC           0.269 %   NEURON
    ====================================  ========  ==========================================

    In the other direction, thick to thin, the spike always passes.
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
from axon.draw import COLOURS, context, plot_kymograph, save
from axon.draw import figure as empty_figure
from axon.geometry import length_constant
from axon.protocols.bracket import narrow

NEURON = {6.3: 10.60, 18.5: 5.43}  # critical ratios
OFER = 34.2  # geometric ratio, 6.3 degC
# Part of the critical ratio, below it, within which the spike also comes back: NEURON 9.0.2, Crank-Nicolson,
# 20 compartments in a length constant, 0.01 and 0.0025 ms, bisected to 1e-5; the same at twice the step.
NEURON_REFLECTS = {6.3: 0.0021843, 18.5: 0.0026895}
TEMPERATURES = (2.0, 6.3, 10.0, 14.0, 18.5, 20.0, 22.0, 26.0, 30.0)
THIN = 100.0  # um
LONG = 10.0  # length constants at 1 kHz, of each part
ACCURACY = 2e-5  # relative, of the critical ratio
FINE, COARSE = 40, 20  # compartments in a length constant
REFLECTED = 2e-4  # below the critical ratio, where the spike comes back
FARTHEST, NEAREST = 0.02, 1e-4  # below the critical ratio, where it is looked whether a spike comes back
HH = axon.hodgkin_huxley()
SPIKES = axon.Record(voltage=None)


def part(diameter: float, celsius: float, fine: int, long: float = LONG) -> axon.Section:
    """A stretch of so many length constants."""
    unit = length_constant(axon.Section(1.0, diameter, HH, celsius=celsius), 1000.0)
    return axon.Section(long * unit, diameter, HH, celsius=celsius, nseg=round(long * fine))


def widened(ratio: float, celsius: float, fine: int = FINE) -> axon.Axon:
    """A thin axon that becomes thick."""
    return axon.Axon(sections=[part(THIN, celsius, fine), part(ratio * THIN, celsius, fine)])


def step(celsius: float) -> float:
    """Time step that suits a temperature, ms."""
    return axon.default_dt(widened(2.0, celsius))


def long_enough(celsius: float) -> float:
    """Time for the spike to wait and arrive, ms: kinetics are three times as slow for 10 degC less."""
    return 5.0 + 25.0 * 3.0 ** ((6.3 - celsius) / 10)


def runs(
    ratios: Sequence[float], celsius: float, *, fine: int = FINE, dt: float | None = None
) -> list[axon.Run]:
    """A spike sent into each widening."""
    axons = [widened(float(ratio), celsius, fine) for ratio in ratios]
    pulses = [axon.suprathreshold_pulse(own, start=0.1) for own in axons]
    how = {"duration": long_enough(celsius), "dt": dt or step(celsius), "record": SPIKES}
    return axon.simulate_many(axons, pulses, progress=False, **how)


@cache
def critical(celsius: float, fine: int = FINE, dt: float | None = None) -> float:
    """The ratio of diameters beyond which the spike fails."""

    def fails(_: NDArray[np.intp], ratios: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.array([np.isnan(run.arrivals()[-1]) for run in runs(ratios, celsius, fine=fine, dt=dt)])

    low, high = narrow(fails, [1.0], [20.0], accuracy=ACCURACY, progress=False)
    return float(low[0] + high[0]) / 2


def converged(celsius: float) -> dict[str, Any]:
    """The critical ratio extrapolated in mesh and step, with what that changes as its error."""
    dt = step(celsius)
    best, coarse, hasty = critical(celsius), critical(celsius, COARSE), critical(celsius, FINE, 2 * dt)
    value = best + (best - coarse) / 3 + (best - hasty) / 3
    error = abs(value - best) + 2 * ACCURACY * value
    entry = study.compared(
        value, NEURON[celsius], "1", tolerance=0.006, source="NEURON", standard_error=error
    )
    return entry | {"geometric_ratio": value**1.5}


@cache
def waiting(celsius: float) -> dict[str, Any]:
    """Delay at the widening and crossings in the middle of the thin part, up to the critical ratio."""
    below = np.geomspace(0.5, 1e-4, 16)
    found = runs(critical(celsius) * (1 - below), celsius)
    rows = []
    for part_below, run in zip(below, found, strict=True):
        n, arrival = len(run.compartments) // 2, run.arrivals()
        # From the middle of the thin part to that of the thick one, less what steady spikes would need.
        thin = (arrival[n // 2] - arrival[n // 4]) * 2
        thick = (arrival[n + 3 * n // 4] - arrival[n + n // 2]) * 2
        spikes = np.bincount(run.spike_compartment, minlength=2 * n)
        rows.append((part_below, arrival[n + n // 2] - arrival[n // 2] - thin - thick, spikes[n // 2]))
    below, delay, spikes = (np.array(column) for column in zip(*rows, strict=True))
    near = below < 0.02
    slope = np.polyfit(-np.log(below[near]), delay[near], 1)[0]
    return {"below": below, "delay": delay, "spikes": spikes, "time_constant": float(slope)}


def comes_back(below: NDArray[np.float64], celsius: float, fine: int = FINE) -> NDArray[np.bool_]:
    """Whether a spike also returns to the middle of the thin part, so far below the critical ratio."""
    found = runs(critical(celsius, fine) * (1 - below), celsius, fine=fine)
    return np.array([np.bincount(r.spike_compartment)[len(r.compartments) // 4] > 1 for r in found])


@cache
def reflecting(celsius: float, fine: int = FINE) -> float:
    """How far below the critical ratio reflection begins, as a part of it; 0 where there is none."""
    below = np.geomspace(FARTHEST, NEAREST, 24)
    back = comes_back(below, celsius, fine)
    if not back.any():
        return 0.0
    first = int(np.argmax(back))
    low, high = narrow(
        lambda _, part_below: ~comes_back(part_below, celsius, fine),
        [below[first]],
        [below[first - 1]],
        accuracy=0.002,
        progress=False,
    )
    return float(low[0] + high[0]) / 2


def run(quick: bool = False) -> dict[str, Any]:
    """Critical ratios, delays and reflections; ``quick`` takes two temperatures alone."""
    answer: dict[str, Any] = {}
    for celsius in NEURON:
        answer[f"critical_ratio_{celsius:g}_degC"] = converged(celsius)
    warm, cold = (answer[f"critical_ratio_{celsius:g}_degC"] for celsius in (18.5, 6.3))
    answer["geometric_ratio_6.3_degC"] = study.compared(
        cold["geometric_ratio"], OFER, "1", tolerance=0.5, source="Ofer et al. 2017"
    )
    temperatures = tuple(NEURON) if quick else TEMPERATURES
    answer["celsius"] = list(temperatures)
    answer["critical_ratio"] = [critical(celsius) for celsius in temperatures]
    back = runs([1 / (1.5 * critical(6.3))], 6.3)[0]
    answer["passes_from_thick_to_thin"] = study.compared(
        float(np.isfinite(back.arrivals()).all()), 1.0, "1", tolerance=0.0, source="less load, not more"
    )
    for celsius in NEURON:
        name = f"{celsius:g}_degC"
        seen = waiting(celsius)
        answer[f"delay_{name}"] = {
            "below_critical": seen["below"].tolist(),
            "delay_ms": seen["delay"].tolist(),
            "spikes_in_thin": seen["spikes"].tolist(),
        }
        answer[f"time_constant_of_leaving_ms_{name}"] = seen["time_constant"]
        answer[f"reflected_{name}"] = study.compared(
            float(seen["spikes"][-1]), 2.0, "1", tolerance=0.0, source="delay beyond refractoriness"
        )
        value = reflecting(celsius)
        answer[f"reflection_begins_below_{name}"] = study.compared(
            value,
            NEURON_REFLECTS[celsius],
            "1",
            tolerance=2e-5,
            source="NEURON",
            standard_error=abs(reflecting(celsius) - reflecting(celsius, COARSE)) + 0.002 * value,
        )
    answer["reflection_begins_below"] = [reflecting(celsius) for celsius in temperatures]
    words = (
        f"at 6.3 degC an axon may become {cold['value']:.3f} times as thick (geometric ratio "
        f"{cold['geometric_ratio']:.2f}), at 18.5 degC {warm['value']:.3f} times "
        f"({warm['geometric_ratio']:.2f}); within {100 * reflecting(6.3):.3f} % "
        f"and {100 * reflecting(18.5):.3f} % below that the spike also comes back"
    )
    return answer | {"answer": words}


def three(celsius: float = 6.3) -> list[axon.Run]:
    """One that passes, one that comes back, one that is blocked."""
    found = []
    for ratio in (0.8, 1 - REFLECTED, 1.02):
        own = widened(ratio * critical(celsius, COARSE), celsius, COARSE)
        pulse = axon.suprathreshold_pulse(own, start=0.1)
        found.append(axon.simulate(own, pulse, duration=24, record=axon.Record(every=0.1), progress=False))
    return found


LABELS = ("passes", "comes back", "is blocked")


def figure(answer: dict[str, Any], path: Path) -> None:
    """Critical ratio, delay up to it, range of reflection, and the three things that happen."""
    with context():
        page = empty_figure(178, 125, dpi=170)
        above, below = page.subfigures(2, 1, height_ratios=(1, 1.15))
        ratios, delays, returns = above.subplots(1, 3)
        draw_ratios(ratios, answer)
        draw_delays(delays, answer)
        draw_returns(returns, answer)
        panels = below.subplots(1, 3, sharey=True)
        for ax, run_, label, letter in zip(panels, three(), LABELS, "def", strict=True):
            plot_kymograph(run_, ax, key=False)
            ratio = run_.axon.sections[1].diameter / THIN
            ax.set_title(f"{letter}   {label}: ratio {ratio:.3f}")
            if ax is not panels[0]:
                ax.set_ylabel("")
        save(page, path)


def draw_ratios(ax: Any, answer: dict[str, Any]) -> None:
    ax.plot(answer["celsius"], answer["critical_ratio"], "o-", color=COLOURS["blue"], label="axon")
    ax.plot(list(NEURON), list(NEURON.values()), "x", color=COLOURS["vermillion"], zorder=4, label="NEURON")
    ax.axvline(33.69, color=COLOURS["grey"], linestyle=(0, (1, 2)))
    ax.text(33.2, 6.0, "heat block", rotation=90, ha="right", color=COLOURS["grey"])
    ax.axhline(1.0, color=COLOURS["grey"], linewidth=0.6)
    ax.set(xlim=(0, 36), ylim=(0, None), xlabel="temperature (°C)", ylabel="critical ratio of diameters")
    ax.set_title("a   the widest step it passes")
    ax.legend()


def draw_delays(ax: Any, answer: dict[str, Any]) -> None:
    for celsius, colour in zip(NEURON, ("blue", "vermillion"), strict=True):
        seen = answer[f"delay_{celsius:g}_degC"]
        below, delay = np.array(seen["below_critical"]), np.array(seen["delay_ms"])
        twice = np.array(seen["spikes_in_thin"]) > 1
        ax.semilogx(below, delay, "-", color=COLOURS[colour], label=f"{celsius:g} °C")
        ax.semilogx(below[~twice], delay[~twice], "o", color=COLOURS[colour], markersize=3.5)
        ax.semilogx(
            below[twice], delay[twice], "o", color=COLOURS[colour], markerfacecolor="white", markersize=4.5
        )
    ax.plot([], [], "o", color=COLOURS["black"], markerfacecolor="white", label="comes back")
    ax.invert_xaxis()
    ax.set(xlabel="part below critical", ylabel="delay (ms)")
    ax.set_title("b   near it the spike waits")
    ax.legend()


def draw_returns(ax: Any, answer: dict[str, Any]) -> None:
    celsius, part_below = np.array(answer["celsius"]), 100 * np.array(answer["reflection_begins_below"])
    there = part_below > 0
    ax.plot(celsius[there], part_below[there], "o-", color=COLOURS["blue"], label="axon")
    ax.plot(
        celsius[~there],
        part_below[~there],
        "o",
        color=COLOURS["blue"],
        markerfacecolor="white",
        label="never",
    )
    neuron = 100 * np.array(list(NEURON_REFLECTS.values()))
    ax.plot(list(NEURON_REFLECTS), neuron, "x", color=COLOURS["vermillion"], zorder=4, label="NEURON")
    ax.set(xlim=(0, 36), ylim=(-0.02, 0.5), xlabel="temperature (°C)", ylabel="below critical by up to (%)")
    ax.set_title("c   where it comes back")
    ax.legend()


def movie(answer: dict[str, Any], path: Path) -> None:
    """The three, on one clock."""
    labels = [
        f"ratio {run_.axon.sections[1].diameter / THIN:.3f}: {label}"
        for run_, label in zip(three(), LABELS, strict=True)
    ]
    axon.animate(three(), path, labels=labels, duration_s=6, progress=False)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure, "movie.gif": movie}, argv))


if __name__ == "__main__":
    main()

"""How long must a stretch be cooled or its sodium channels blocked to stop a spike?

Question
    A stretch of an axon is numbed (a part of its Na channels blocked, as by TTX) or cooled. When does a spike
    no longer pass?

Theory
    Numbing. On an endless axon conduction ends where the stable travelling wave and the unstable slow one
    meet, in a fold (``travelling_wave``), at a blocked part p*. A stretch of length L that is blocked
    somewhat more than p* still lets a spike through which needs long to die: near a fold the time to pass
    the ghost of the wave goes as (p - p*)^(-1/2), so the critical part is p* + A / (L + L0)^2. A stretch
    short enough is jumped though all of its Na channels are blocked.

    Cooling. HH's channels become slow in the cold but lose no conductance: a cold axon conducts, and its
    spike is long and high. Yet a warm spike, brief as it is, may end before the slow m gates of a cold
    stretch have opened: it is the border that blocks, and only where the axon is warm and the stretch cold.
    Near that border the spike of the cold stretch outlasts the refractory period of the warm part, which is
    fired again: reflection.

Axon
    HH 1952, 476 um, 18.5 degC (for the cold: from 22 to 33 degC). Lengths in length constants at 1 kHz,
    3.27 mm.

Expected answer
    The limit of the critical part for long stretches is the fold of the waves (0.3 %, extrapolated from
    stretches of 12 to 40 length constants). Uniform axons conduct at every temperature below 33.69 degC,
    down to 0 degC. Long cold stretches stop spikes of warm axons, not of cold ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

import axon
from axon import study
from axon.draw import COLOURS, context, plot_kymograph, save
from axon.draw import figure as empty_figure
from axon.geometry import length_constant
from axon.protocols.bracket import narrow

HH = axon.hodgkin_huxley()
CELSIUS, DIAMETER = 18.5, 476.0
UNIT = length_constant(axon.Section(1.0, DIAMETER, HH, celsius=CELSIUS), 1000.0)  # um
BEFORE = 8.0  # length constants of healthy axon on both sides
LENGTHS = (1.8, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0, 28.0, 40.0)
QUICK_LENGTHS = (2.0, 12.0, 18.0, 26.0)
FITTED = 12.0  # from this length on the ghost of the wave decides
WARM, QUICK_WARM = (22.0, 24.0, 26.0, 28.0, 30.0, 32.0, 33.0), (24.0, 30.0)
COLDEST = -5.0  # degC, as far as the rates are believed
COLD_STRETCH = 10.0  # length constants
SPIKES = axon.Record(voltage=None)
Bools = NDArray[np.bool_]


def plain(stretch: float, celsius: float = CELSIUS) -> axon.Axon:
    """An axon with room for a stretch between two healthy ends."""
    return axon.Axon(length=(2 * BEFORE + stretch) * UNIT, diameter=DIAMETER, membrane=HH, celsius=celsius)


def where(stretch: float) -> tuple[float, float]:
    """Where the stretch begins and ends, um."""
    return BEFORE * UNIT, (BEFORE + stretch) * UNIT


def numbed(stretch: float, part: float) -> axon.Axon:
    """With a part of the Na channels of a stretch blocked."""
    return axon.altered(plain(stretch), where(stretch), membrane=lambda own: own.block("Na", part))


def cooled(stretch: float, celsius: float, cold: float) -> axon.Axon:
    """With a stretch colder than the rest."""
    return axon.altered(plain(stretch, celsius), where(stretch), celsius=cold)


def pass_(axons: Sequence[axon.Axon], duration: float) -> Bools:
    """Whether spikes come to the far end."""
    pulses = [axon.suprathreshold_pulse(own, start=0.1) for own in axons]
    dt = min(axon.default_dt(own) for own in axons)
    how = {"duration": duration, "dt": dt, "record": SPIKES, "progress": False}
    return np.array([np.isfinite(run.arrivals()[-1]) for run in axon.simulate_many(axons, pulses, **how)])


def critical_part(stretch: float) -> float:
    """The part of Na channels whose block stops the spike; 1 and more where none does."""
    duration = 10.0 + 1.5 * stretch

    def stops(_: NDArray[np.intp], parts: NDArray[np.float64]) -> Bools:
        return ~pass_([numbed(stretch, float(part)) for part in parts], duration)

    if not stops(np.zeros(1, np.intp), np.ones(1))[0]:
        return float("nan")
    low, high = narrow(stops, [0.3], [1.0], accuracy=1e-4, progress=False)
    return float(low[0] + high[0]) / 2


def longest_jump() -> float:
    """Length constants of wholly blocked axon that a spike just jumps."""

    def stops(_: NDArray[np.intp], lengths: NDArray[np.float64]) -> Bools:
        return ~pass_([numbed(float(length), 1.0) for length in lengths], 15.0)

    low, high = narrow(stops, [0.5], [4.0], accuracy=1e-3, progress=False)
    return float(low[0] + high[0]) / 2


@cache
def fold() -> float:
    """The blocked part at which the travelling waves end."""

    def at(part: float) -> axon.Axon:
        # By density: the search may look at a part below 0, which is more channels than there were.
        return axon.Axon(length=1e5, diameter=DIAMETER, membrane=HH.scaled(Na=1.0 - part), celsius=CELSIUS)

    family = axon.wave_family(at, 0.0, 0.8)
    assert family.fold is not None
    return float(family.fold)


def endless(lengths: NDArray[np.float64], parts: NDArray[np.float64]) -> tuple[float, float, float]:
    """p*, A and L0 of p* + A / (L + L0)^2, through the long stretches."""
    long = lengths >= FITTED

    def off(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x[0] + x[1] / (lengths[long] + x[2]) ** 2 - parts[long]

    return tuple(least_squares(off, [0.6, 3.0, 0.0], x_scale=[0.1, 1.0, 1.0]).x.tolist())


def coldest(celsius: float) -> float:
    """Temperature of a long stretch at which the spike stops; nan where it passes down to the coldest."""

    def stops(_: NDArray[np.intp], depths: NDArray[np.float64]) -> Bools:
        return ~pass_([cooled(COLD_STRETCH, celsius, celsius - float(depth)) for depth in depths], 40.0)

    most = celsius - COLDEST
    if not stops(np.zeros(1, np.intp), np.array([most]))[0]:
        return float("nan")
    low, high = narrow(stops, [1.0], [most], accuracy=3e-3, progress=False)
    return celsius - float(low[0] + high[0]) / 2


def run(quick: bool = False) -> dict[str, Any]:
    """Critical parts and temperatures; ``quick`` takes fewer lengths and temperatures."""
    lengths = np.array(QUICK_LENGTHS if quick else LENGTHS)
    parts = np.array([critical_part(float(length)) for length in lengths])
    limit, *ghost = endless(lengths, parts)
    answer: dict[str, Any] = {
        "endless_stretch": study.compared(
            limit, fold(), "1", tolerance=0.003 * fold(), source="fold of the travelling waves"
        ),
        "ghost": ghost,
        "longest_jump_length_constants": longest_jump(),
        "stretch_length_constants": lengths.tolist(),
        "critical_part": parts.tolist(),
    }
    warm = QUICK_WARM if quick else WARM
    borders = [coldest(celsius) for celsius in warm]
    answer["warm_celsius"] = list(warm)
    answer["coldest_passed_celsius"] = [None if np.isnan(cold) else cold for cold in borders]
    uniform = pass_([plain(0.0, celsius) for celsius in (0.0, 6.3, 18.5)], 60.0)
    answer["uniform_cold_axons_conduct"] = study.compared(
        float(uniform.sum()), 3.0, "1", tolerance=0.0, source="travelling waves at 0, 6.3 and 18.5 degC"
    )
    still = pass_([cooled(COLD_STRETCH, CELSIUS, 0.0)], 40.0)[0]
    answer["cold_stretch_of_cool_axon_is_passed"] = study.compared(
        float(still), 1.0, "1", tolerance=0.0, source="the spike is long enough"
    )
    stopped = pass_([cooled(COLD_STRETCH, 30.0, 0.0)], 40.0)[0]
    answer["cold_stretch_of_warm_axon_is_passed"] = study.compared(
        float(stopped), 0.0, "1", tolerance=0.0, source="the spike is too brief"
    )
    jump, hot = answer["longest_jump_length_constants"], dict(zip(warm, borders, strict=True))
    words = (
        f"with all Na channels blocked over {jump:.2f} length constants ({jump * UNIT / 1000:.1f} mm) the "
        f"spike just passes; over an endless stretch {100 * fold():.2f} % stop it; the spike of an axon at "
        f"30 degC is stopped by a stretch below {hot[30.0]:.1f} degC, though that would conduct by itself"
    )
    return answer | {"answer": words}


@cache
def shown() -> dict[str, axon.Run]:
    """What the figure and the film show."""
    cases = {
        "numbed, 60 %": (numbed(COLD_STRETCH, 0.60), 7.0),
        "numbed, 70 %": (numbed(COLD_STRETCH, 0.70), 7.0),
        "cooled to 10 °C": (cooled(COLD_STRETCH, 30.0, 10.0), 9.0),
        "cooled to 5 °C": (cooled(COLD_STRETCH, 30.0, 5.0), 9.0),
        "cooled to 0 °C": (cooled(COLD_STRETCH, 30.0, 0.0), 9.0),
    }
    record = axon.Record(every=0.05)
    return {
        name: axon.simulate(
            own, axon.suprathreshold_pulse(own, start=0.1), duration=duration, record=record, progress=False
        )
        for name, (own, duration) in cases.items()
    }


def figure(answer: dict[str, Any], path: Path) -> None:
    """Where numbing and cooling begin to block, and what it looks like."""
    with context():
        page = empty_figure(178, 130, dpi=170)
        above, below = page.subfigures(2, 1)
        parts, colds = above.subplots(1, 2)
        draw_parts(parts, answer)
        draw_colds(colds, answer)
        panels = below.subplots(1, len(shown()), sharey=False)
        for ax, (name, own), letter in zip(panels, shown().items(), "cdefg", strict=True):
            plot_kymograph(own, ax, key=False)
            ax.set_title(f"{letter}   {name}")
            if ax is not panels[0]:
                ax.set_ylabel("")
        save(page, path)


def draw_parts(ax: Any, answer: dict[str, Any]) -> None:
    lengths = np.array(answer["stretch_length_constants"])
    a, l0 = answer["ghost"]
    smooth = np.geomspace(FITTED / 3, 60, 100)
    ax.semilogx(lengths, answer["critical_part"], "o", color=COLOURS["blue"], label="simulated")
    ax.semilogx(
        smooth,
        answer["endless_stretch"]["value"] + a / (smooth + l0) ** 2,
        color=COLOURS["sky"],
        label="ghost of the wave",
    )
    ax.axhline(fold(), color=COLOURS["vermillion"], linestyle=(0, (4, 2)), label="waves end")
    ax.axvspan(1.0, answer["longest_jump_length_constants"], color=COLOURS["grey"], alpha=0.15, linewidth=0)
    ax.text(1.08, 0.7, "always jumped", rotation=90, color=COLOURS["grey"])
    ax.set(xlim=(1.0, 60), ylim=(0.58, 1.02), xlabel="stretch (length constants at 1 kHz)")
    ax.set(ylabel="blocked part of Na channels", title="a   numbing")
    ax.legend()


def draw_colds(ax: Any, answer: dict[str, Any]) -> None:
    warm = np.array(answer["warm_celsius"])
    cold = np.array([np.nan if value is None else value for value in answer["coldest_passed_celsius"]])
    ax.plot(warm, cold, "o-", color=COLOURS["blue"])
    ax.plot([15, 34], [15, 34], color=COLOURS["grey"], linewidth=0.6)
    ax.text(26, 27.5, "not cooled at all", color=COLOURS["grey"], ha="right")
    ax.text(30.5, -1, "stopped", ha="center")
    ax.text(24, 12, "passes", ha="center")
    ax.axvline(33.69, color=COLOURS["vermillion"], linestyle=(0, (1, 2)))
    ax.text(33.9, 13, "heat block", rotation=90, color=COLOURS["vermillion"])
    ax.set(xlim=(20, 35), ylim=(COLDEST, 34), xlabel="temperature of the axon (°C)")
    ax.set(ylabel="temperature of the stretch (°C)", title="b   cooling")


def movie(answer: dict[str, Any], path: Path) -> None:
    """The three cooled ones, on one clock."""
    chosen = {name: own for name, own in shown().items() if name.startswith("cooled")}
    axon.animate(list(chosen.values()), path, labels=list(chosen), duration_s=6, progress=False)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure, "movie.gif": movie}, argv))


if __name__ == "__main__":
    main()

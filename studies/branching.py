"""Does a spike pass a branch point, what does it lose there, and does it matter how the branches look?

Question
    A spike comes to a fork. Which forks does it pass, how late, and how fast does it go on?

Theory
    What counts is the geometric ratio GR = sum of d^(3/2) of the branches over d^(3/2) of the parent
    (Goldstein & Rall, Biophys. J. 14:731, 1974). Measured in length constants, all long branches of a fork
    carry the same V(X, t), whatever their diameters, and together they draw the current of one cylinder with
    d^(3/2) equal to their sum. So a fork is exactly a step of diameter by GR^(2/3):

    - GR = 1 is an impedance match: nothing happens, however many branches there are.
    - GR < 1 is a lighter load: the spike is early. GR > 1: late, and beyond a critical GR it fails, in all
      branches at once. The critical GR is that of a step (``widening``), and just below it the spike also
      comes back along the trunk (reflection).
    - In the branches the spike is as fast as their diameters say: as the square root.
    - A fork that is a match outwards is none inwards: from one of two equal branches GR is 3, and from a
      thin branch beside a thick one it is so large that spikes pass one way only.

    Selective failure, into the thin branch and not the thick one, or the other way round, is not in here: it
    needs branches that are short, differ in membrane, or are still refractory.

Axon
    HH 1952; a trunk of 100 um, all parts 10 length constants at 1 kHz long.

Expected answer
    Arrivals in the branches of a fork equal those in the step of diameter to rounding. Critical GR 12.65 at
    18.5 degC (NEURON, for a step: ratio 5.43), for two equal, two unequal and three branches alike, and
    reflection from 0.403 % below that on (NEURON, for a step: 0.269 % of the ratio of diameters). No delay at
    GR = 1. Velocities as the square root of diameter. From a thin branch into a fork the spike passes
    where GR is below the critical one, and fails where above.
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

CELSIUS = 18.5
NEURON = 12.65  # critical geometric ratio, of a step
NEURON_REFLECTS = 1 - (1 - 0.0026895) ** 1.5  # of it, below it, the range of reflection: see ``widening``
TRUNK = 100.0  # um
LONG, FINE = 10.0, 20  # length constants at 1 kHz, and compartments in each
DURATION = 12.0  # ms
ACCURACY = 2e-5  # of the critical ratio
ROUNDING = 1e-6  # ms, between arrivals that are equal in theory
# Parts of the sum of d^(3/2) that each branch takes.
FORKS = {"step": (1.0,), "two equal": (0.5, 0.5), "four to one": (0.8, 0.2), "three": (1 / 3, 1 / 3, 1 / 3)}
RATIOS = (0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 11.0, 12.0, 12.4, 12.6)
LIGHT = 4.0  # up to here the spike runs through; near the critical ratio it starts anew beyond the fork
NEAREST, FARTHEST = 3e-4, 0.02  # below the critical ratio: there the spike also comes back, here it does not
SHOWN = (1.0, 12.0, 12.64, 14.0)
HH = axon.hodgkin_huxley()
SPIKES = axon.Record(voltage=None)
N = round(LONG * FINE)  # compartments of every part


def part(diameter: float) -> axon.Section:
    """A stretch as long, in length constants, as every other."""
    unit = length_constant(axon.Section(1.0, diameter, HH, celsius=CELSIUS), 1000.0)
    return axon.Section(LONG * unit, diameter, HH, celsius=CELSIUS, nseg=N)


def fork_of(ratio: float, shares: Sequence[float]) -> axon.Axon:
    """A fork of this geometric ratio."""
    return axon.forked(part(TRUNK), *[part(TRUNK * (ratio * share) ** (2 / 3)) for share in shares])


def runs(ratios: Sequence[float], shares: Sequence[float]) -> list[axon.Run]:
    """A spike sent into forks."""
    axons = [fork_of(float(ratio), shares) for ratio in ratios]
    pulses = [axon.suprathreshold_pulse(own, start=0.1) for own in axons]
    return axon.simulate_many(axons, pulses, duration=DURATION, record=SPIKES, progress=False)


@cache
def scanned(name: str) -> list[axon.Run]:
    """The forks of one kind over the geometric ratio."""
    return runs(RATIOS, FORKS[name])


def delay(run_: axon.Run) -> float:
    """By how much the spike comes later to the middle of the first branch than where nothing changes, ms.

    In length constants every diameter is as fast: the time from middle to middle is that of a uniform axon.
    """
    uniform = scanned("step")[RATIOS.index(1.0)].arrivals()
    from_trunk = run_.arrivals() - run_.arrivals()[N // 2]
    return float(from_trunk[N + N // 2] - (uniform - uniform[N // 2])[N + N // 2])


@cache
def critical(name: str) -> float:
    """The geometric ratio beyond which the spike fails."""

    def fails(_: NDArray[np.intp], ratios: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.array([np.isnan(found.arrivals()[-1]) for found in runs(ratios, FORKS[name])])

    low, high = narrow(fails, [2.0], [30.0], accuracy=ACCURACY, progress=False)
    return float(low[0] + high[0]) / 2


def reflecting(name: str) -> float:
    """How far below the critical geometric ratio the spike begins to come back, as a part of it."""
    most = critical(name)

    def once(_: NDArray[np.intp], below: NDArray[np.float64]) -> NDArray[np.bool_]:
        found = runs(most * (1 - below), FORKS[name])
        return np.array([np.bincount(one.spike_compartment)[N // 2] < 2 for one in found])

    low, high = narrow(once, [NEAREST], [FARTHEST], accuracy=0.005, progress=False)
    return float(low[0] + high[0]) / 2


def beside_step() -> float:
    """Largest difference between arrivals in any branch of any fork and in the step of its ratio, ms."""
    worst = 0.0
    for name in FORKS:
        for step, fork in zip(scanned("step"), scanned(name), strict=True):
            straight = step.arrivals()
            for branch in range(len(FORKS[name])):
                own = np.r_[0:N, N * (branch + 1) : N * (branch + 2)]
                worst = max(worst, float(np.abs(fork.arrivals()[own] - straight).max()))
    return worst


def exponent() -> float:
    """Of diameter, from steady velocities in the middle of all branches."""
    points = []
    for ratio, found in zip(RATIOS, scanned("four to one"), strict=True):
        if ratio > LIGHT:
            continue
        for branch in (1, 2):
            section = found.axon.sections[branch]
            start = found.axon.starts[branch]
            stretch = (start + 0.4 * section.length, start + 0.8 * section.length)
            points.append((section.diameter, found.velocity(along=branch, between=stretch).value))
    return float(np.polyfit(*np.log(np.array(points).T), 1)[0])


def inwards(thin_ratio: float) -> tuple[axon.Axon, bool]:
    """A spike sent from a branch into the fork that has this geometric ratio, seen from there."""
    # The trunk and the other branch are alike, so from the thin branch GR = 2 (trunk / thin)^(3/2).
    thin = part(TRUNK * (2 / thin_ratio) ** (2 / 3))
    tree = axon.forked(part(TRUNK), part(TRUNK), thin)
    pulse = axon.suprathreshold_pulse(tree, start=0.1, at=(2, 0.95 * thin.length))
    found = axon.simulate(tree, pulse, duration=DURATION, record=SPIKES, progress=False)
    return tree, bool(np.isfinite(found.arrivals()).all())


def run(quick: bool = False) -> dict[str, Any]:
    """Delays, velocities and critical ratios; ``quick`` finds the critical ratio of two kinds of fork."""
    answer: dict[str, Any] = {}
    for name in ("step", "four to one") if quick else FORKS:
        key = f"critical_ratio_{name.replace(' ', '_')}"
        answer[key] = study.compared(
            critical(name), NEURON, "1", tolerance=0.03, source="NEURON, a step of diameter"
        )
    answer["reflection_begins_below"] = study.compared(
        reflecting("four to one"), NEURON_REFLECTS, "1", tolerance=6e-5, source="NEURON, a step of diameter"
    )
    answer["arrivals_beside_step"] = study.compared(
        beside_step(), 0.0, "ms", tolerance=ROUNDING, source="Goldstein & Rall 1974"
    )
    late = [delay(found) for found in scanned("two equal")]
    answer["delay_at_match"] = study.compared(
        late[RATIOS.index(1.0)], 0.0, "ms", tolerance=ROUNDING, source="impedance match"
    )
    answer["exponent_of_diameter"] = study.compared(
        exponent(), 0.5, "1", tolerance=0.005, source="similarity"
    )
    for ratio, expected in ((11.0, 1.0), (14.0, 0.0)):
        passed = inwards(ratio)[1]
        answer[f"passes_inwards_at_{ratio:g}"] = study.compared(
            float(passed), expected, "1", tolerance=0.0, source="the same critical ratio"
        )
    answer |= {"ratio": list(RATIOS), "delay_ms": late, "delay_of_step_ms": [*map(delay, scanned("step"))]}
    end, apart = answer["critical_ratio_four_to_one"]["value"], answer["arrivals_beside_step"]["value"]
    back = end * (1 - answer["reflection_begins_below"]["value"])
    words = (
        f"a spike passes forks up to a geometric ratio of {end:.2f} at {CELSIUS:g} degC, in all branches or "
        f"in none, however they share it, and from {back:.2f} on it also comes back; it is "
        f"{-1e3 * late[0]:.0f} us early at {RATIOS[0]:g} and {late[-1]:.2f} ms late at {RATIOS[-1]:g}; "
        f"arrivals are those at a step to {apart:.0e} ms"
    )
    return answer | {"answer": words}


def figure(answer: dict[str, Any], path: Path) -> None:
    """Delay against the geometric ratio, and forks that are passed early, late and not at all."""
    with context():
        page = empty_figure(178, 130, dpi=170)
        above, below = page.subfigures(2, 1)
        delays, sketch = above.subplots(1, 2, width_ratios=(1.4, 1))
        draw_delays(delays, answer)
        draw_one_way(sketch)
        panels = below.subplots(1, len(SHOWN), sharey=True)
        for ax, ratio, letter in zip(panels, SHOWN, "cdef", strict=True):
            plot_kymograph(seen(ratio).along(2), ax, key=False)
            ax.set_title(f"{letter}   GR {ratio:g}")
            if ax is not panels[0]:
                ax.set_ylabel("")
        save(page, path)


@cache
def seen(ratio: float) -> axon.Run:
    """A fork with a thick and a thin branch, its voltage recorded."""
    tree = fork_of(ratio, FORKS["four to one"])
    pulse, record = axon.suprathreshold_pulse(tree, start=0.1), axon.Record(every=0.05)
    return axon.simulate(tree, pulse, duration=9, record=record, progress=False)


def draw_delays(ax: Any, answer: dict[str, Any]) -> None:
    ratio = np.array(answer["ratio"])
    ax.semilogx(ratio, answer["delay_of_step_ms"], color=COLOURS["blue"], label="a step of diameter")
    ax.semilogx(
        ratio, answer["delay_ms"], "o", color=COLOURS["vermillion"], markersize=4, label="two equal branches"
    )
    end = answer["critical_ratio_four_to_one"]["value"]
    ax.axvline(end, color=COLOURS["black"], linestyle=(0, (4, 2)), linewidth=0.8)
    ax.text(end * 1.1, 0.7, f"fails beyond {end:.2f}", rotation=90, va="center")
    ax.set_xlim(0.25, 25)
    ax.axhline(0, color=COLOURS["grey"], linewidth=0.6)
    ax.set(xlabel="geometric ratio", ylabel="delay (ms)")
    ax.set_title("a   a fork is a step of diameter")
    ax.legend(loc="upper left")


def draw_one_way(ax: Any) -> None:
    """Passed or not, from a branch into forks."""
    ratios = np.array([3.0, 6.0, 9.0, 11.0, 12.0, 13.0, 14.0, 18.0, 25.0])
    passed = np.array([inwards(float(ratio))[1] for ratio in ratios])
    thin = (2 / ratios) ** (2 / 3) * TRUNK
    for own, colour, label in ((passed, "blue", "passes"), (~passed, "vermillion", "fails")):
        ax.plot(thin[own], ratios[own], "o", color=COLOURS[colour], label=label)
    ax.set(xlabel="diameter of the branch it comes from (µm)", ylabel="geometric ratio from there")
    ax.set_title("b   inwards, trunk and sister 100 µm")
    ax.legend()


def movie(answer: dict[str, Any], path: Path) -> None:
    """One spike along both branches, just before forks are too heavy."""
    tree = seen(SHOWN[2])
    labels = [f"trunk and branch of {tree.axon.sections[i].diameter:.0f} µm" for i in (1, 2)]
    axon.animate([tree.along(1), tree.along(2)], path, labels=labels, duration_s=6, progress=False)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure, "movie.gif": movie}, argv))


if __name__ == "__main__":
    main()

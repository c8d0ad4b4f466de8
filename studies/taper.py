"""How fast is a spike along a taper, and is a taper a one-way street?

Question
    An axon widens from thin to thick not at once but over some length. How fast is the spike on the way, and
    which tapers let a spike through one way and not the other?

Theory
    Where the diameter changes little within a length constant the spike is everywhere nearly as fast as on a
    uniform axon of the diameter there: theta ~ sqrt(d). What remains depends on the direction: into a
    widening axon the spike must charge ever more and is slower than that, into a narrowing one faster
    (Goldstein & Rall, Biophys. J. 14:731, 1974), in proportion to the change of diameter within a length
    constant, so twice as gentle a taper has half the deviation.

    A sudden widening beyond the critical ratio of diameters blocks (``widening``); spread over many length
    constants it does not. Between lies a critical length of the taper. In the other direction the spike
    always passes: a shorter taper of that ratio conducts one way.

Axon
    HH 1952 at 6.3 degC (critical ratio of a step 10.60); tapers in which the logarithm of the diameter rises
    evenly, between uniform parts of 10 length constants at 1 kHz.

Expected answer
    Deviations from sqrt(d) of opposite sign in the two directions, that halve with the slope (exponent 1 in
    the length of the taper). Below the critical length a spike passes from thick to thin alone; a step
    (length 0) of ratio 10 is passed, and the critical length grows from 0 at ratio 10.60.
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

HH = axon.hodgkin_huxley()
CELSIUS, THIN = 6.3, 50.0
FINE, LONG = 20, 10.0  # compartments in a length constant; length constants of the uniform parts
GENTLE = (10.0, 20.0, 40.0)  # length constants of the thin part, over which the diameter doubles twice
WIDE = 4.0  # ratio of diameters of the gentle tapers
RATIOS, QUICK_RATIOS = (10.7, 11.0, 12.0, 14.0, 17.0, 20.0), (12.0, 17.0)
SHOWN = 14.0
STEP = 10.60  # critical ratio of a sudden widening, NEURON
SPIKES = axon.Record(voltage=None)
Array = NDArray[np.float64]


def unit(diameter: float) -> float:
    """Length constant at 1 kHz, um."""
    return length_constant(axon.Section(1.0, diameter, HH, celsius=CELSIUS), 1000.0)


def uniform(diameter: float) -> axon.Section:
    return axon.Section(LONG * unit(diameter), diameter, HH, celsius=CELSIUS, nseg=round(LONG * FINE))


def tapered(ratio: float, length: float) -> axon.Axon:
    """Thin, then wider by a ratio over so many length constants of the thin part, then thick."""
    long = length * unit(THIN)
    middle = axon.varying(
        long,
        lambda x: THIN * ratio ** (x / long),
        membrane=HH,
        celsius=CELSIUS,
        pieces=max(20, round(FINE * length)),
    )
    return axon.Axon(sections=[uniform(THIN), *middle, uniform(ratio * THIN)])


def turned(own: axon.Axon) -> axon.Axon:
    """The same axon from its other end."""
    return axon.Axon(sections=own.sections[::-1])


def send(axons: Sequence[axon.Axon], duration: float = 30.0) -> list[axon.Run]:
    """A spike into each from x = 0."""
    pulses = [axon.suprathreshold_pulse(own, start=0.1) for own in axons]
    return axon.simulate_many(axons, pulses, duration=duration, record=SPIKES, progress=False)


@cache
def along(length: float, narrowing: bool) -> tuple[Array, Array]:
    """Diameter (um) along a gentle taper, and velocity over that of a uniform axon of that diameter."""
    own = tapered(WIDE, length)
    (found,) = send([turned(own) if narrowing else own])
    plain = axon.Axon(length=40 * unit(THIN), diameter=THIN, membrane=HH, celsius=CELSIUS)
    (steady,) = send([plain])
    reference = steady.velocity(between=(20 * unit(THIN), 35 * unit(THIN))).value
    cut = found.compartments
    middle, speed = found.local_velocity()
    diameter = np.interp(middle, cut.position, cut.diameter)
    inside = (diameter > 1.4 * THIN) & (diameter < WIDE * THIN / 1.4)
    # Over several compartments, so that a step of diameter between two of them does not show.
    smooth = np.convolve(1 / speed[inside], np.ones(9) / 9, mode="valid")
    return diameter[inside][4:-4], 1 / smooth / (reference * np.sqrt(diameter[inside][4:-4] / THIN))


def deviations() -> tuple[list[float], list[float]]:
    """Of the velocity from sqrt(d) in the middle of gentle tapers: widening, and narrowing."""
    out: tuple[list[float], list[float]] = ([], [])
    for length in GENTLE:
        for k, narrowing in enumerate((False, True)):
            diameter, ratio = along(length, narrowing)
            out[k].append(float(np.interp(2 * THIN, *sorted_(diameter, ratio))) - 1)
    return out


def sorted_(x: Array, y: Array) -> tuple[Array, Array]:
    order = np.argsort(x)
    return x[order], y[order]


@cache
def critical_length(ratio: float) -> float:
    """Length constants of the thin part below which the taper blocks."""

    def passes(_: NDArray[np.intp], lengths: Array) -> NDArray[np.bool_]:
        found = send([tapered(ratio, float(length)) for length in lengths], 40.0)
        return np.array([np.isfinite(run.arrivals()[-1]) for run in found])

    low, high = narrow(passes, [0.0], [20.0], accuracy=1e-2, progress=False)
    return float(low[0] + high[0]) / 2


def run(quick: bool = False) -> dict[str, Any]:
    """Velocities along tapers and critical lengths; ``quick`` takes fewer ratios."""
    widening, narrowing = deviations()
    answer: dict[str, Any] = {"taper_length_constants": list(GENTLE)}
    answer |= {"deviation_widening": widening, "deviation_narrowing": narrowing}
    for name, values in (("widening", widening), ("narrowing", narrowing)):
        slope = -np.polyfit(np.log(GENTLE[1:]), np.log(np.abs(values[1:])), 1)[0]
        answer[f"exponent_{name}"] = study.compared(
            float(slope), 1.0, "1", tolerance=0.1, source="first order in the slope"
        )
    signs = float(np.sign(widening[-1]) * np.sign(narrowing[-1]))
    answer["signs"] = study.compared(
        signs, -1.0, "1", tolerance=0.0, source="slower into the wide, faster into the narrow"
    )
    ratios = QUICK_RATIOS if quick else RATIOS
    lengths = [critical_length(ratio) for ratio in ratios]
    answer |= {"ratio": list(ratios), "critical_length": lengths}
    back = send([turned(tapered(ratio, 0.5 * length)) for ratio, length in zip(ratios, lengths, strict=True)])
    answer["passes_the_other_way"] = study.compared(
        float(all(np.isfinite(found.arrivals()[-1]) for found in back)),
        1.0,
        "1",
        tolerance=0.0,
        source="less load",
    )
    gentle = send([tapered(10.0, 0.01), tapered(11.2, 0.01)])
    for found, expected, ratio in zip(gentle, (1.0, 0.0), (10, 11.2), strict=True):
        answer[f"step_of_{ratio:g}_is_passed"] = study.compared(
            float(np.isfinite(found.arrivals()[-1])), expected, "1", tolerance=0.0, source=f"NEURON: {STEP:g}"
        )
    slower, faster = -100 * widening[-1], 100 * narrowing[-1]
    words = (
        f"along a taper that widens {WIDE:g} times over {GENTLE[-1]:g} length constants the spike is "
        f"{slower:.1f} % slower than sqrt(d) says, backwards {faster:.1f} % faster; a widening of "
        f"{ratios[-1]:g} times is a one-way street when shorter than {lengths[-1]:.1f} length constants of "
        "the thin part"
    )
    return answer | {"answer": words}


@cache
def both_ways() -> list[axon.Run]:
    """A one-way taper, taken both ways."""
    own = tapered(SHOWN, 0.6 * critical_length(SHOWN))
    return [
        axon.simulate(
            way,
            axon.suprathreshold_pulse(way, start=0.1),
            duration=10,
            record=axon.Record(every=0.1),
            progress=False,
        )
        for way in (own, turned(own))
    ]


LABELS = ("thin to thick", "thick to thin")


def figure(answer: dict[str, Any], path: Path) -> None:
    """Velocity over diameter, critical lengths, and a taper taken both ways."""
    with context():
        page = empty_figure(178, 120, dpi=170)
        above, below = page.subfigures(2, 1)
        speeds, lengths = above.subplots(1, 2)
        for length, colour in zip(GENTLE, ("orange", "green", "blue"), strict=True):
            for narrowing, dashes in ((False, "-"), (True, "--")):
                diameter, ratio = along(length, narrowing)
                label = f"over {length:g} length constants" if not narrowing else None
                speeds.plot(diameter, ratio, dashes, color=COLOURS[colour], label=label)
        speeds.axhline(1.0, color=COLOURS["grey"], linewidth=0.6)
        speeds.set(xlabel="diameter there (µm)", ylabel="velocity / that of a uniform axon")
        speeds.set_ylim(0.78, 1.36)
        speeds.set_title("a   into the wide (solid), into the narrow (dashed)")
        speeds.legend()
        lengths.plot([STEP, *answer["ratio"]], [0.0, *answer["critical_length"]], "o-", color=COLOURS["blue"])
        lengths.set(xlabel="ratio of diameters", ylabel="length of the taper (length const.)")
        lengths.text(0.75, 0.15, "one way", transform=lengths.transAxes)
        lengths.text(0.2, 0.75, "both ways", transform=lengths.transAxes)
        lengths.set_title("b   how long a taper must be")
        panels = below.subplots(1, 2, sharey=True)
        for ax, own, label, letter in zip(panels, both_ways(), LABELS, "cd", strict=True):
            plot_kymograph(own, ax, key=ax is panels[1])
            ax.set_title(f"{letter}   {label}", pad=14)
        save(page, path)


def movie(answer: dict[str, Any], path: Path) -> None:
    """Both ways, on one clock."""
    axon.animate(both_ways(), path, labels=LABELS, duration_s=6, progress=False)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure, "movie.gif": movie}, argv))


if __name__ == "__main__":
    main()

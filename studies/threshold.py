"""How strong must a stimulus be to make a spike, and when does a steady current make it fire on and on?

Question
    A spike comes whole or not at all. Where is the edge, is it sharp, and how does it depend on how long, how
    slowly, and in which direction current flows? What does a current do that is never switched off?

Theory
    - Below the edge sodium current loses against potassium, leak and what flows away; above it wins and
      runs to the peak. In the Hodgkin-Huxley equations the edge is no saddle point: a response halfway is
      possible, but asks for a strength exact to many digits. Warmth takes that away, since inactivation and
      potassium catch up with the charging membrane, and the response becomes graded (Cole, Guttman &
      Bezanilla, PNAS 65:884, 1970).
    - A short pulse must deliver a charge, C times the voltage threshold, a long one the rheobase. Between
      them Weiss (1901) has charge linear in duration and Lapicque (1907) a leaky capacitor charged to a
      fixed voltage. Neither knows that the membrane accommodates: a long pulse also inactivates sodium
      channels.
    - A current that rises slowly therefore needs more than the rheobase. At last the rest itself turns
      unstable, at the current of a Hopf bifurcation, which the Jacobian of the membrane's equations gives
      without a simulation; past it a ramp still goes on quietly for a while (slow passage; Baer, Erneux &
      Rinzel, SIAM J Appl Math 49:55, 1989).
    - Hyperpolarisation takes inactivation off and potassium channels shut: when it ends, rest is above
      threshold.
    - Steady currents make oscillations. They begin beside a stable rest, at a fold of cycles below the Hopf
      current, with a rate that is not small (class 2), and end when the depolarisation keeps the sodium
      channels inactivated.

Method
    HH 1952, leak reversal -54.387 mV, 6.3 degC but where said. Space clamp: one compartment of 1e-3 cm2, so
    that 1 nA is 1 uA/cm2; a spike is V rising above -20 mV on the membrane's own inward current. Cable: 476
    um, 8 cm, pulses at a sealed end; a spike is what arrives at the other. Thresholds are bracketed to
    1e-4.

Expected answer
    ================================  =================================================  ==================
    threshold, 0.1 and 1 ms           65.127, 6.9189 uA/cm2                              NEURON and SciPy
    rheobase, chronaxie               2.2403 uA/cm2, 1.654 ms                            NEURON and SciPy
    anode break, 10 ms                -2.819 uA/cm2; none at 18.5 degC up to -200        NEURON
    cable, 0.2 ms                     4481 nA (1 %)                                      NEURON
    least sustained firing            6.260321 uA/cm2                                    exact
    Hopf bifurcations                 9.775438 and 154.522434 uA/cm2                     exact
    period at 8 and 10 uA/cm2         16.007713, 14.636210 ms                            exact
    instantaneous shock               between 6 and 7 mV                                 HH 1952, fig. 12
    measured in squid                 rheobase Q10 2.35, threshold charge 15 nC/cm2,     Guttman 1966 (J Gen
                                      nearly the same at all temperatures                Physiol 49:1007)
    ================================  =================================================  ==================
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.draw.style import ordered_colours
from axon.protocols.firing import firing_curve, firing_range, hopf_currents
from axon.protocols.space_clamp import space_clamp
from axon.protocols.strength_duration import StrengthDuration, strength_duration
from axon.protocols.threshold import NoThreshold, find_threshold
from axon.stimuli import Ramp

Array = NDArray[np.float64]
Answer = dict[str, Any]

NEURON, EXACT = "NEURON and SciPy", "exact"
SHORT, ONE = 0.1, 1.0  # ms
DURATIONS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # ms
QUICK_DURATIONS = (0.05, 0.2, 1.0, 5.0, 50.0)
RAMPS = (
    0.5,
    1.0,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
    11.0,
    15.0,
    20.0,
    30.0,
    50.0,
    80.0,
    130.0,
    200.0,
    350.0,
    600.0,
)  # ms
QUICK_RAMPS = (1.0, 8.0, 50.0, 200.0)
WARMTH = (6.3, 18.5, 25.0, 30.0, 35.0)  # degC, of the edge
BREAK_WARMTH = (6.3, 8.0, 10.0, 12.0, 14.0, 15.0, 16.0, 16.5, 17.0, 17.5, 18.5)  # degC, of anode break
QUICK_BREAK_WARMTH = (6.3, 12.0, 18.5)
CURRENTS = (*np.arange(1.0, 10.0, 0.5), *np.arange(10.0, 180.0, 4.0))  # uA/cm2
DEEPEST = 200.0  # uA/cm2


def patch(celsius: float = 6.3) -> axon.Axon:
    """1e-3 cm2 of squid membrane under space clamp."""
    return space_clamp(axon.hodgkin_huxley(), celsius=celsius)


def cable() -> axon.Axon:
    """8 cm of the squid axon of 1952."""
    return axon.Axon(length=80_000, diameter=476, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4)


def pulse(duration: float, amplitude: float = 1.0, start: float = 0.0) -> axon.Pulse:
    """A pulse at x = 0."""
    return axon.Pulse(amplitude=amplitude, start=start, duration=duration)


def near(value: float, expected: float, unit: str, part: float, source: str) -> Answer:
    """A number beside the one that was expected, of which it may differ by this part."""
    return study.compared(value, expected, unit, tolerance=part * abs(expected), source=source)


def traces(stimuli: Sequence[axon.Pulse], duration: float, celsius: float = 6.3) -> tuple[Array, list[Array]]:
    """Times (ms) and voltages (mV) of a patch under these stimuli."""
    own = [[stimulus] for stimulus in stimuli]
    record = axon.Record(every=axon.default_dt(patch(celsius)))
    runs = axon.simulate_many([patch(celsius)] * len(own), own, duration=duration, record=record)
    return runs[0].time, [np.asarray(run.voltage[:, 0], float) for run in runs if run.voltage is not None]


# The edge


def edge(quick: bool) -> Answer:
    """How the peak grows with strength, cold and warm; pulses of 1 ms, strengths in thresholds."""
    strength = np.union1d(np.linspace(0.5, 2.0, 16 if quick else 61), (0.999, 1.001))
    curves = []
    for celsius in WARMTH:
        try:
            found = find_threshold(patch(celsius), pulse(ONE))
            unit, steepness = found.value, found.steepness
        except NoThreshold:
            # Graded: the strength that carries the response across -20 mV is no threshold, only a unit.
            unit, steepness = crossing_strength(celsius), 0.0
        _, v = traces([pulse(ONE, float(s * unit)) for s in strength], 8.0, celsius)
        peaks = [float(one.max() - one[0]) for one in v]
        curves.append({"celsius": celsius, "unit_uA_per_cm2": unit, "steepness": steepness, "peak_mV": peaks})
    return {"strength": strength, "curves": curves}


def crossing_strength(celsius: float) -> float:
    """The strength (uA/cm2, pulses of 1 ms) whose response peaks at -20 mV."""
    strength = np.geomspace(5.0, 200.0, 64)
    _, v = traces([pulse(ONE, float(s)) for s in strength], 8.0, celsius)
    return float(np.interp(-20.0, [one.max() for one in v], strength))


# Strength and duration


def durations(quick: bool) -> tuple[StrengthDuration, StrengthDuration]:
    """Of the patch and of the cable."""
    spans = QUICK_DURATIONS if quick else DURATIONS
    coarse = {"dx": 400.0, "dt": 0.02} if quick else {}
    return strength_duration(patch(), spans), strength_duration(cable(), spans, **coarse)  # type: ignore[arg-type]


def warm_rheobase() -> Answer:
    """Q10 of the rheobase, and the threshold charge of a short pulse, between 6.3 and 18.5 degC."""
    cold, warm = ([find_threshold(patch(t), pulse(d)).value for d in (0.02, 100.0)] for t in (6.3, 18.5))
    q10 = (warm[1] / cold[1]) ** (10.0 / (18.5 - 6.3))
    charge = [0.02 * strength for strength in (cold[0], warm[0])]  # nC/cm2
    return {
        "instantaneous_shock": study.compared(
            charge[0], 6.5, "mV", tolerance=0.5, source="HH 1952, fig. 12: 6 fails, 7 fires"
        ),
        "rheobase_Q10": study.compared(q10, 2.35, "1", source="Guttman 1966, measured"),
        "threshold_charge_6.3_degC": study.compared(
            charge[0], 15.0, "nC/cm2", source="Guttman 1966, measured"
        ),
        "threshold_charge_18.5_degC": study.compared(
            charge[1], 15.0, "nC/cm2", source="Guttman 1966, measured"
        ),
    }


# Slow and inward currents


def ramps(quick: bool) -> Answer:
    """The height to which a current must rise, over how long it takes."""
    spans = QUICK_RAMPS if quick else RAMPS
    height = [find_threshold(patch(), Ramp(amplitude=1.0, duration=d), accuracy=1e-3).value for d in spans]
    return {"duration_ms": list(spans), "height_uA_per_cm2": height}


def anode_break(quick: bool) -> Answer:
    """The weakest inward current of 10 ms whose end makes a spike; None where there is none."""
    warmth = QUICK_BREAK_WARMTH if quick else BREAK_WARMTH
    found: list[float | None] = []
    for celsius in warmth:
        try:
            found.append(find_threshold(patch(celsius), pulse(10.0, -1.0), ceiling=DEEPEST).value)
        except NoThreshold:
            found.append(None)
    return {"celsius": list(warmth), "amplitude_uA_per_cm2": found}


# Steady currents


def steady(quick: bool) -> Answer:
    """Rates over current, where firing begins and ends, and where the rest loses its stability."""
    onset = [
        firing_range(patch(), ceiling=180.0, duration=2000.0 if quick else 8000.0, dt=dt, accuracy=2e-6).onset
        for dt in (0.01, 0.005)
    ]
    limit = onset[1] + (onset[1] - onset[0]) / 3.0  # second order in dt
    hopf = hopf_currents(axon.hodgkin_huxley())
    periods = firing_curve(patch(), [8.0, 10.0], duration=2000.0, dt=0.0025).period
    currents = CURRENTS[:: 3 if quick else 1]
    curves = {t: firing_curve(patch(t), currents, duration=1000.0) for t in (6.3, 18.5)}
    return {
        "least_sustained_firing": near(limit, 6.260321, "uA/cm2", 2e-5 if not quick else 5e-5, EXACT),
        "hopf_lower": near(hopf[0], 9.775438, "uA/cm2", 1e-7, EXACT),
        "hopf_upper": near(hopf[1], 154.522434, "uA/cm2", 1e-7, EXACT),
        "period_at_8": near(float(periods[0]), 16.007713, "ms", 1e-5, EXACT),
        "period_at_10": near(float(periods[1]), 14.636210, "ms", 1e-5, EXACT),
        "current_uA_per_cm2": list(currents),
        "rate_per_s": {f"{t:g} degC": curve.rate for t, curve in curves.items()},
        "block_uA_per_cm2": {
            f"{t:g} degC": float(curve.amplitude[curve.sustained].max()) for t, curve in curves.items()
        },
    }


def run(quick: bool = False) -> Answer:
    """All thresholds beside what they should be; ``quick`` takes fewer points and a coarser cable."""
    membrane, axon_ = durations(quick)
    one, short = (find_threshold(patch(), pulse(d)) for d in (ONE, SHORT))
    hyper, on = anode_break(quick), steady(quick)
    long = find_threshold(cable(), pulse(0.2))
    found: Answer = {
        "threshold_0.1_ms": near(short.value, 65.127, "uA/cm2", 1e-4, NEURON),
        "threshold_1_ms": near(one.value, 6.9189, "uA/cm2", 1e-4, NEURON),
        "rheobase": near(membrane.rheobase.value, 2.2403, "uA/cm2", 1e-4, NEURON),
        "chronaxie": near(membrane.chronaxie, 1.654, "ms", 1e-3, NEURON),
        "cable_0.2_ms": near(long.value, 4481.0, "nA", 1e-2, "NEURON"),
        "anode_break_10_ms": near(hyper["amplitude_uA_per_cm2"][0], -2.819, "uA/cm2", 1e-3, "NEURON"),
        **warm_rheobase(),
        "edge": edge(quick),
        "membrane": curve_of(membrane),
        "cable": curve_of(axon_),
        "ramps": ramps(quick),
        "anode_break": hyper,
        "steady": on,
    }
    sharp = [curve["celsius"] for curve in found["edge"]["curves"] if curve["steepness"] > 0]
    heights = found["ramps"]["height_uA_per_cm2"]
    last = [t for t, i in zip(hyper["celsius"], hyper["amplitude_uA_per_cm2"], strict=True) if i is not None]
    return found | {
        "answer": [
            f"all or none up to {max(sharp):g} degC, graded above; "
            f"0.01 % more current adds {short.above - short.below:.0f} mV at 6.3 degC",
            f"Lapicque's law misses the membrane's thresholds by {100 * membrane.lapicque.misfit:.0f} %, "
            f"Weiss's by {100 * membrane.weiss.misfit:.0f} % (cable: {100 * axon_.lapicque.misfit:.0f} and "
            f"{100 * axon_.weiss.misfit:.0f} %)",
            f"a slow ramp must rise to {max(heights) / membrane.rheobase.value:.1f} times the rheobase; "
            f"inward current makes a spike as it ends up to {max(last):g} degC",
            f"firing lasts from {on['least_sustained_firing']['value']:.4f} uA/cm2 to about "
            f"{on['block_uA_per_cm2']['6.3 degC']:.0f} (above -20 mV), beside a rest that is stable up to "
            f"{on['hopf_lower']['value']:.4f}",
        ]
    }


def curve_of(found: StrengthDuration) -> Answer:
    """A strength-duration curve as numbers."""
    laws = {
        law.name: {"rheobase_nA": law.rheobase, "chronaxie_ms": law.chronaxie, "misfit": law.misfit}
        for law in (found.weiss, found.lapicque)
    }
    fitted = np.geomspace(found.durations[0], found.durations[-1], 100)
    return {
        "duration_ms": list(found.durations),
        "threshold_nA": found.amplitudes,
        "rheobase_nA": found.rheobase.value,
        "chronaxie_ms": found.chronaxie,
        "laws": laws,
        "fitted_ms": fitted,
        "weiss_nA": found.weiss(fitted),
        "lapicque_nA": found.lapicque(fitted),
    }


def figure(answer: Answer, path: Path) -> None:
    """Traces at the edge, the edge cold and warm, strength and duration, ramps, anode break, firing."""
    with context():
        page = empty_figure(178, 112, dpi=200)
        axes = page.subplots(2, 3)
        draw_traces(axes[0, 0], answer)
        draw_edge(axes[0, 1], answer["edge"])
        draw_durations(axes[0, 2], answer["membrane"])
        draw_ramps(axes[1, 0], answer)
        draw_break(axes[1, 1], answer)
        draw_rates(axes[1, 2], answer["steady"])
        for letter, ax in zip("abcdef", axes.flat, strict=True):
            ax.set_title(f"$\\bf{{{letter}}}$   {ax.get_title('left')}", loc="left")
        save(page, path)


def draw_traces(ax: Any, answer: Answer) -> None:
    """Responses just below and just above threshold."""
    threshold, parts = answer["threshold_0.1_ms"]["value"], (0.1, 0.01, 1e-3, 1e-4)
    for sign, colour in ((-1, "blue"), (1, "vermillion")):
        strengths = [threshold * (1 + sign * part) for part in parts]
        t, v = traces([pulse(SHORT, s, start=0.5) for s in strengths], 14.0)
        for part, one in zip(parts, v, strict=True):
            name = "below" if sign < 0 else "above"
            label = f"0.01 to 10 % {name}" if part == parts[0] else None
            ax.plot(t, one, color=COLOURS[colour], linewidth=0.9, label=label)
    ax.set(xlabel="time (ms)", ylabel="membrane potential (mV)", title="all or none, 6.3 °C", ylim=(-82, 62))
    ax.legend(loc="upper right", borderaxespad=0.0)


def draw_edge(ax: Any, found: Answer) -> None:
    """Peak over strength at several temperatures."""
    colours = ordered_colours(len(found["curves"]))
    for curve, colour in zip(reversed(found["curves"]), colours, strict=True):
        ax.plot(found["strength"], curve["peak_mV"], color=colour, label=f"{curve['celsius']:g} °C")
    ax.set(xlabel="strength (threshold)", ylabel="peak above rest (mV)", title="the edge blurs with warmth")
    ax.set(xlim=(0.5, 2.0), ylim=(0, 112))
    ax.legend(loc="lower right", borderaxespad=0.2, reverse=True)


def draw_durations(ax: Any, found: Answer) -> None:
    """Thresholds over duration with the two laws, rheobase and chronaxie."""
    grey = COLOURS["grey"]
    ax.loglog(found["fitted_ms"], found["lapicque_nA"], color=COLOURS["orange"], label="Lapicque")
    ax.loglog(found["fitted_ms"], found["weiss_nA"], "--", color=COLOURS["green"], label="Weiss")
    ax.loglog(
        found["duration_ms"], found["threshold_nA"], "o", color=COLOURS["blue"], ms=3.5, label="membrane"
    )
    rheobase, chronaxie = found["rheobase_nA"], found["chronaxie_ms"]
    ax.plot([0.015, chronaxie, chronaxie], [2 * rheobase, 2 * rheobase, 1.0], ":", color=grey, linewidth=0.9)
    ax.text(0.02, 2.2 * rheobase, "2 × rheobase", color=grey, fontsize=7)
    ax.text(1.1 * chronaxie, 1.15, "chronaxie", color=grey, fontsize=7)
    ax.set(xlabel="duration (ms)", ylabel="threshold (µA/cm²)", title="strength and duration")
    ax.set(xlim=(0.015, 70), ylim=(1.0, 600))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")


def draw_ramps(ax: Any, answer: Answer) -> None:
    """The height of ramps at threshold."""
    found, grey = answer["ramps"], COLOURS["grey"]
    ax.loglog(found["duration_ms"], found["height_uA_per_cm2"], "o-", ms=3.5)
    for height, name in (
        (answer["rheobase"]["value"], "rheobase"),
        (answer["steady"]["hopf_lower"]["value"], "Hopf"),
    ):
        ax.axhline(height, color=grey, linewidth=0.8, linestyle="--")
        ax.text(700, 0.95 * height, name, color=grey, fontsize=7, va="top", ha="right")
    ax.set(xlabel="time to rise (ms)", ylabel="height at threshold (µA/cm²)", title="accommodation to ramps")
    ax.set_ylim(1.7, 40)
    ax.set_yticks([2, 5, 10, 20])
    ax.set_yticks([], minor=True)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")


def draw_break(ax: Any, answer: Answer) -> None:
    """A spike at the end of an inward current, and over temperature the weakest that does it."""
    weakest = answer["anode_break_10_ms"]["value"]
    for part, colour, at in ((0.99, "blue", (24, -58)), (1.01, "vermillion", (23, 8))):
        t, v = traces([pulse(10.0, part * weakest, start=2.0)], 40.0)
        ax.plot(t, v[0], color=COLOURS[colour])
        ax.text(*at, f"−{abs(part * weakest):.2f} µA/cm²", color=COLOURS[colour])
    ax.axvspan(2, 12, ymax=0.3, color=COLOURS["grey"], alpha=0.15, linewidth=0)
    ax.text(7, -50, "current on", ha="center", color=COLOURS["grey"], fontsize=7)
    ax.set(xlabel="time (ms)", ylabel="membrane potential (mV)", title="anode break", ylim=(-82, 62))
    found = answer["anode_break"]
    inset = ax.inset_axes((0.14, 0.56, 0.36, 0.36))
    drawn = [i is not None for i in found["amplitude_uA_per_cm2"]]
    warmth = np.array(found["celsius"])[drawn]
    inset.plot(
        warmth, [i for i in found["amplitude_uA_per_cm2"] if i is not None], "o-", ms=2.2, linewidth=0.9
    )
    inset.set(xlim=(5, 20), ylim=(-16, 0), xticks=(6, 12, 18))
    inset.set_title("threshold (µA/cm²)", fontsize=6.5, loc="center", pad=4)
    inset.set_xlabel("°C", fontsize=6.5, labelpad=1)
    inset.tick_params(labelsize=6.5, length=2, pad=1.5)


def draw_rates(ax: Any, found: Answer) -> None:
    """Rate over current at two temperatures, with onset, Hopf currents and block."""
    current, grey = np.array(found["current_uA_per_cm2"]), COLOURS["grey"]
    for (name, rate), colour in zip(found["rate_per_s"].items(), ("blue", "vermillion"), strict=True):
        fires = np.array(rate) > 0
        ax.semilogx(current[fires], np.array(rate)[fires], "o", ms=2.8, color=COLOURS[colour])
        last = int(np.flatnonzero(fires)[-1])
        label = name.replace("degC", "°C")
        ax.text(current[last], rate[last] + 12, label, ha="center", color=COLOURS[colour])
    onset, hopf = found["least_sustained_firing"]["value"], found["hopf_lower"]["value"]
    ax.axvspan(onset, hopf, color=COLOURS["blue"], alpha=0.12, linewidth=0)
    ax.axvspan(found["hopf_upper"]["value"], 400, color=grey, alpha=0.15, linewidth=0)
    ax.text(250, 40, "stable\nrest", color=grey, fontsize=7, ha="center")
    ax.text(1.2, 110, "rests or fires", fontsize=7, color=COLOURS["blue"])
    ax.set(xlabel="steady current (µA/cm²)", ylabel="spikes per second", title="steady currents")
    ax.set(xlim=(1, 400), ylim=(0, 470))
    ax.xaxis.set_major_formatter("{x:g}")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

"""How do graded potentials add up, and when do they make a spike?

Question
    A synapse opens a conductance, it injects no fixed current. What does that do to the sum of several, in
    one place and in different ones, at once and one after another, excitatory and inhibitory? And how does
    a graded potential become a spike?

Theory
    Beside a membrane of conductance G, capacitance C and rest E_m, synapses g_i(t) with reversals E_i obey
    C V' = G (E_m - V) + sum g_i(t) (E_i - V), linear in V, so (Rall, Exp Neurol 1:491, 1959; Koch,
    Biophysics of Computation, Oxford 1999, ch. 1 and 5):

    - V(t) = E_m + integral of [sum g_i(s) (E_i - E_m) / C] exp(-A(s, t)) ds, where A(s, t) is the integral
      of (G + sum g_i) / C from s to t
    - steady: V - E_m = sum g_i (E_i - E_m) / (G + sum g_i). Sums saturate: two equal ones make
      2 (G + g) / (G + 2 g) times one, less than twice.
    - shunting: an inhibitory conductance with E_i = E_m makes no potential of its own, but divides that of
      others, from g / (G + g) to g / (G + g + g_i).
    - on an infinite cable two equal synapses a distance x apart have R = r lambda / 2 and K = R exp(-x /
      lambda) between them: the potential at one is g E (R + K) / (1 + g (R + K)), and falls short of the sum
      of both alone by the factor (1 + g R) / (1 + g (R + K)), which vanishes with distance.
    - weak ones superpose; an exponential one makes a double exponential potential, and the second of two
      rides on what the membrane time constant C / G has left of the first.

    The squid membrane (HH 1952) adds a threshold. Two synapses at once are one of twice the conductance. A
    steady conductance for sodium, a leak, is a synapse that stays open: the patch rests where its steady
    current with that leak vanishes, nearer to threshold, until it fires by itself.

Expected answer
    - passive: closed forms above, to 2e-4 mV (time step), on the cable to 1e-3 (mesh)
    - squid: threshold of each of two simultaneous synapses half of one; rest with a leak that of the
      membrane with one more channel, to 1e-6 mV; threshold rises with shunting and falls with the leak
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.protocols.bracket import narrow
from axon.protocols.space_clamp import space_clamp
from axon.stimuli import Synapse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Answer = dict[str, Any]

REST, LEAK, CAPACITANCE = -65.0, 0.3, 1.0  # mV, uS, nF of the passive patch of 1e-3 cm2
EXCITING, INHIBITING, SODIUM = 0.0, -80.0, 50.0  # mV, reversals
DECAY = 1.0  # ms, of the synapses
CABLE: dict[str, Any] = {"length": 6000.0, "diameter": 2.0, "axial_resistivity": 100.0}  # um, um, ohm cm
TOLERANCE = 1e-3  # of a threshold
FAILS, FIRES = 0.005, 3.0  # uS: thresholds of squid membrane lie between


def excitatory(conductance: float, onset: float = 1.0, **changes: Any) -> Synapse:
    """A fast excitatory synapse; conductance in uS, onset in ms."""
    return Synapse(
        **{"conductance": conductance, "reversal": EXCITING, "onset": onset, "tau": DECAY} | changes
    )


def inhibitory(conductance: float, onset: float = 1.0, reversal: float = INHIBITING) -> Synapse:
    """A slower inhibitory synapse."""
    return excitatory(conductance, onset, reversal=reversal, tau=3.0, shape="alpha")


def steady(conductance: float, reversal: float = EXCITING, onset: float = 0.0, at: float = 0.0) -> Synapse:
    """A conductance that opens and stays open."""
    return Synapse(conductance=conductance, reversal=reversal, onset=onset, tau=np.inf, at=at)


def traces(
    cell: axon.Axon, inputs: Sequence[Sequence[Synapse]], duration: float
) -> tuple[Array, list[Array]]:
    """Time (ms) and voltage (mV) in the first compartment for each set of inputs."""
    record = axon.Record(every=0.01, where=[0.0])
    runs = axon.simulate_many([cell] * len(inputs), inputs, duration=duration, dt=0.01, record=record)
    return runs[0].time, [voltage(run)[:, 0] for run in runs]


def voltage(run: axon.Run) -> Array:
    """Recorded voltage (n_t, n_x), mV."""
    assert run.voltage is not None
    return np.asarray(run.voltage, float)


# The passive patch


def patch() -> axon.Axon:
    """A passive membrane of 1e-3 cm2 as one compartment."""
    return space_clamp(axon.passive(reversal=REST))


def exact(inputs: Sequence[Synapse], t: float) -> float:
    """Potential (mV) of the passive patch at ``t`` ms by quadrature of the closed form."""

    def damping(s: float) -> float:
        between = np.array([s, t])
        return (LEAK * (t - s) + sum(float(np.diff(i.conducted(between))[0]) for i in inputs)) / CAPACITANCE

    def grown(s: float) -> float:
        current = sum(float(i.opened(np.array(s))) * (i.reversal - REST) for i in inputs)
        return current / CAPACITANCE * np.exp(-damping(s))

    kinks = sorted({0.0, t, *(i.onset for i in inputs if i.onset < t)})
    pieces = zip(kinks[:-1], kinks[1:], strict=True)
    return REST + sum(quad(grown, a, b, epsabs=1e-12, epsrel=1e-12)[0] for a, b in pieces)


MIXES: dict[str, tuple[Synapse, ...]] = {
    "EPSP": (excitatory(0.3, 2.0),),
    "IPSP": (inhibitory(0.6),),
    "both": (excitatory(0.3, 2.0), inhibitory(0.6)),
    "shunting alone": (inhibitory(0.6, reversal=REST),),
    "EPSP shunted": (excitatory(0.3, 2.0), inhibitory(0.6, reversal=REST)),
}


def shapes() -> Answer:
    """Potentials of single synapses and mixtures, beside the closed form."""
    time, potentials = traces(patch(), list(MIXES.values()), 15.0)
    at = np.searchsorted(time, [2.5, 4.0, 7.0, 12.0])
    worst = max(
        abs(v[k] - exact(inputs, float(time[k])))
        for v, inputs in zip(potentials, MIXES.values(), strict=True)
        for k in at
    )
    every = slice(None, None, 10)
    return {
        "closed_form": beside(worst, 0.0, 2e-4, "mV", "integral over all inputs"),
        "shunting_alone": beside(
            float(np.abs(potentials[3] - REST).max()), 0.0, 1e-9, "mV", "reverses at rest"
        ),
        "time_ms": time[every].tolist(),
        "potential_mV": {name: (v[every] - REST).tolist() for name, v in zip(MIXES, potentials, strict=True)},
    }


def saturation() -> Answer:
    """Steady potentials of one to eight equal synapses on one patch, with and without shunting."""
    counts, g, shunt = np.arange(1, 9), 0.1, 0.6
    inputs = [[steady(n * g)] for n in counts] + [[steady(n * g), steady(shunt, REST)] for n in counts]
    found = np.array([v[-1] - REST for v in traces(patch(), inputs, 60.0)[1]]).reshape(2, -1)
    total = LEAK + np.array([[0.0], [shunt]]) + counts * g
    theory = counts * g * (EXCITING - REST) / total
    worst = float(np.abs(found / theory - 1).max())
    return {
        "steady_sum": beside(worst, 0.0, 1e-6, "1", "g E / (G + g + g_i)"),
        "two_against_one": beside(
            found[0, 1] / found[0, 0], 2 * (LEAK + g) / (LEAK + 2 * g), 1e-6, "1", "2 (G + g) / (G + 2 g)"
        ),
        "count": counts.tolist(),
        "potential_mV": found[0].tolist(),
        "shunted_mV": found[1].tolist(),
    }


def trains() -> Answer:
    """Five excitatory potentials, one after another: weak ones superpose, strong ones fall short."""
    onsets = 1.0 + 2.0 * np.arange(5)
    time, potentials = traces(patch(), [[excitatory(g, t) for t in onsets] for g in (1e-4, 0.3)], 20.0)
    rate, closing = LEAK / CAPACITANCE, 1 / DECAY
    since = np.maximum(time[:, None] - onsets, 0.0)
    single = (np.exp(-rate * since) - np.exp(-closing * since)) / (closing - rate) / CAPACITANCE
    superposed = single.sum(axis=1) * (EXCITING - REST)  # mV per uS
    weak, strong = (v - REST for v in potentials)
    error = float(np.abs(weak / 1e-4 - superposed).max() / superposed.max())
    every = slice(None, None, 10)
    return {
        "superposition": beside(error, 0.0, 1e-3, "1", "sum of double exponentials"),
        "strong_against_superposed": float(strong.max() / (0.3 * superposed.max())),
        "time_ms": time[every].tolist(),
        "strong_mV": strong[every].tolist(),
        "superposed_mV": (0.3 * superposed)[every].tolist(),
    }


# The passive cable


def apart(quick: bool) -> Answer:
    """Two steady synapses on a cable, nearer and farther: how far below the sum of both alone."""
    membrane = axon.passive(reversal=REST)
    cable = axon.Axon(**CABLE, membrane=membrane)
    constant = 1e4 * np.sqrt(CABLE["diameter"] * 1e-4 / 4 / (CABLE["axial_resistivity"] * 3e-4))  # um
    resistance = 4 * CABLE["axial_resistivity"] * constant / (np.pi * CABLE["diameter"] ** 2) * 1e-2 / 2
    g, middle = 0.5 / resistance, CABLE["length"] / 2
    distance = constant * np.array([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0])
    inputs = [[steady(g, at=middle - x / 2), steady(g, at=middle + x / 2)] for x in distance]
    record = axon.Record(every=1.0)
    runs = axon.simulate_many(
        [cable] * (len(inputs) + 1),
        [*inputs, [steady(g, at=middle)]],
        duration=60.0,
        dt=0.05,
        dx=20.0 if quick else 10.0,
        record=record,
    )
    # Far from both, where the mesh shows no kink, the potential is the sum of what either current does there.
    far = runs[0].at(middle + 3.5 * constant)
    reach = (runs[0].position[far] - middle) / constant
    found = np.array([voltage(run)[-1, far] - REST for run in runs])
    near = np.exp(-distance / constant)
    both = found[:-1] / (2 * found[-1] * np.cosh(distance / 2 / constant))
    theory = (1 + g * resistance) / (1 + g * resistance * (1 + near))
    alone = g * resistance * (EXCITING - REST) / (1 + g * resistance) * np.exp(-reach)
    return {
        "single": beside(found[-1], alone, 1e-3 * alone, "mV", "g E R exp(-x / lambda) / (1 + g R)"),
        "pair_against_sum": beside(
            float(np.abs(both / theory - 1).max()), 0.0, 1e-3, "1", "(1 + g R) / (1 + g (R + K))"
        ),
        "length_constant_um": float(constant),
        "input_resistance_MOhm": float(resistance),
        "distance": (distance / constant).tolist(),
        "part_of_sum": both.tolist(),
    }


# The squid membrane


@cache
def squid() -> axon.Axon:
    """The membrane of HH 1952, 1e-3 cm2 of it at 6.3 degC."""
    return space_clamp(axon.hodgkin_huxley())


Make = Callable[[float], Sequence[Synapse]]


def threshold(make: Make, duration: float = 25.0) -> float:
    """Least conductance (uS) at which these synapses make a spike."""

    def fires(which: Any, values: Array) -> NDArray[np.bool_]:
        inputs = [make(float(g)) for g in values]
        record = axon.Record(voltage=None)
        runs = axon.simulate_many([squid()] * len(inputs), inputs, duration=duration, record=record)
        return np.array([len(run.spike_time) > 0 for run in runs])

    low, high = narrow(fires, [FAILS], [FIRES], accuracy=TOLERANCE, progress=False)
    return float((low + high)[0] / 2)


def leaky(conductance: float) -> axon.Membrane:
    """The squid membrane with one more channel, a sodium leak; uS in all the patch."""
    membrane = axon.hodgkin_huxley()
    leak = axon.Channel("Na leak", conductance * 1e-6 / 1e-3, SODIUM)
    return replace(membrane, name="leaky", channels=(*membrane.channels, leak))


def rests() -> Answer:
    """Where the squid patch comes to rest with a leak for sodium, until it fires by itself."""
    leaks = np.array([0.005, 0.01, 0.02, 0.03, 0.04, 0.06])
    time, potentials = traces(squid(), [[steady(g, SODIUM)] for g in leaks], 150.0)
    calm = [bool(v.max() < -20) for v in potentials]
    end = np.array([v[-1] for v in potentials])
    theory = np.array([leaky(g).resting_potential() for g in leaks])
    settled = np.flatnonzero(calm)[:3]
    return {
        "rest": beside(float(np.abs(end - theory)[settled].max()), 0.0, 1e-6, "mV", "one more channel"),
        "leak_uS": leaks.tolist(),
        "rest_mV": theory.tolist(),
        "silent": calm,
    }


def pair(interval: float) -> Make:
    """Two equal synapses, one after another."""
    return lambda g: [excitatory(g), excitatory(g, 1.0 + interval)]


def beside_open(conductance: Synapse, onset: float = 1.0) -> Make:
    """A synapse beside a conductance that stays open."""
    return lambda g: [excitatory(g, onset), conductance]


def thresholds(quick: bool) -> Answer:
    """Threshold conductance of an excitatory synapse alone, in pairs, shunted, and with a leak."""
    alone = threshold(lambda g: [excitatory(g)])
    intervals = [0.0, 2.0, 6.0] if quick else [0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0]
    pairs = [threshold(pair(wait)) for wait in intervals]
    conductances = [0.0, 1.0] if quick else [0.0, 0.25, 0.5, 0.75, 1.0]
    rest = axon.hodgkin_huxley().resting_potential()
    shunted = [threshold(beside_open(steady(g, rest))) for g in conductances]
    leaks = [0.0, 0.015] if quick else [0.0, 0.005, 0.01, 0.015, 0.02]
    leaked = [threshold(beside_open(steady(g, SODIUM), 60.0), 85.0) for g in leaks]
    return {
        "two_at_once": beside(pairs[0] / alone, 0.5, 0.5 * 2 * TOLERANCE, "1", "conductances add"),
        "alone_uS": alone,
        "interval_ms": intervals,
        "pair_uS": pairs,
        "shunt_uS": conductances,
        "shunted_uS": shunted,
        "shunting_raises": beside(float(np.diff(shunted).min() > 0), 1.0, 0.0, "1", "current is shunted"),
        "leak_uS": leaks,
        "leaked_uS": leaked,
        "leak_lowers": beside(float(np.diff(leaked).max() < 0), 1.0, 0.0, "1", "rest nearer to threshold"),
    }


def to_a_spike(alone: float) -> Answer:
    """One synapse below threshold, two of them, and two with inhibition."""
    g = 0.7 * alone
    inputs: dict[str, list[Synapse]] = {
        "one": [excitatory(g, 2.0)],
        "two": [excitatory(g, 2.0), excitatory(g, 3.0)],
        "two, inhibited": [excitatory(g, 2.0), excitatory(g, 3.0), inhibitory(alone)],
    }
    time, potentials = traces(squid(), list(inputs.values()), 15.0)
    every = slice(None, None, 5)
    spikes = [int(v.max() > 0) for v in potentials]
    return {
        "spikes_of_one": beside(spikes[0], 0, 0.0, "1", "below threshold"),
        "spikes_of_two": beside(spikes[1], 1, 0.0, "1", "they add up"),
        "spikes_of_two_inhibited": beside(spikes[2], 0, 0.0, "1", "vetoed"),
        "time_ms": time[every].tolist(),
        "potential_mV": {name: v[every].tolist() for name, v in zip(inputs, potentials, strict=True)},
    }


def beside(value: float, expected: float, tolerance: float, unit: str, source: str) -> Answer:
    """A number beside the expected one."""
    return study.compared(float(value), expected, unit, tolerance=tolerance, source=source)


def run(quick: bool = False) -> Answer:
    """All of it; ``quick`` takes a coarser cable and fewer thresholds."""
    edges = thresholds(quick)
    on_patch, on_cable, train, rest = saturation(), apart(quick), trains(), rests()
    ratio = on_patch["two_against_one"]["value"]
    return {
        "patch": shapes(),
        "saturation": on_patch,
        "train": train,
        "cable": on_cable,
        "squid": edges,
        "leak": rest,
        "spike": to_a_spike(edges["alone_uS"]),
        "answer": [
            f"Two equal synapses on a patch make {ratio:.3f} times one; on a cable at the same place "
            f"{on_cable['part_of_sum'][0]:.3f} of their sum, {on_cable['distance'][-1]:g} length constants "
            f"apart {on_cable['part_of_sum'][-1]:.3f}.",
            f"One after another strong ones reach {train['strong_against_superposed']:.2f} of their sum.",
            f"On 1e-3 cm2 of squid membrane {1e3 * edges['alone_uS']:.1f} nS make a spike, of two at once "
            f"{1e3 * edges['pair_uS'][0]:.1f} nS each; {edges['shunt_uS'][-1]:g} uS of shunt raise it "
            f"{edges['shunted_uS'][-1] / edges['alone_uS']:.2f}-fold, {1e3 * edges['leak_uS'][-1]:g} nS of "
            f"sodium leak lower it to {100 * edges['leaked_uS'][-1] / edges['alone_uS']:.0f} %.",
        ],
    }


# Pictures


def figure(answer: Answer, path: Path) -> None:
    """Six panels: mixtures, saturation, the cable, trains, the way to a spike, thresholds."""
    with context():
        page = empty_figure(190, 115)
        axes = page.subplots(2, 3)
        for draw, ax in zip(
            (draw_mixes, draw_saturation, draw_cable, draw_train, draw_spike, draw_thresholds),
            axes.flat,
            strict=True,
        ):
            draw(answer, ax)
        for letter, ax in zip("abcdef", axes.flat, strict=True):
            ax.set_title(f"$\\bf{{{letter}}}$  {ax.get_title('left')}")
        save(page, path)


def draw_mixes(answer: Answer, ax: Axes) -> None:
    found = answer["patch"]
    looks = (("vermillion", "-"), ("blue", "-"), ("black", "-"), ("grey", "-"), ("vermillion", "--"))
    for (name, v), (colour, dash) in zip(found["potential_mV"].items(), looks, strict=True):
        ax.plot(found["time_ms"], v, dash, color=COLOURS[colour], label=name)
    ax.set(xlabel="time (ms)", ylabel="above rest (mV)", title="excitation, inhibition", xlim=(0, 15))
    ax.set_ylim(-11, 22)
    ax.legend(loc="upper right", ncols=2)


def draw_saturation(answer: Answer, ax: Axes) -> None:
    found = answer["saturation"]
    n = np.array(found["count"])
    fine, g = np.linspace(0, 8, 81), 0.1
    for name, shunt, below, label in (
        ("potential_mV", 0.0, 4, "alone"),
        ("shunted_mV", 0.6, 24, "with a shunt of 0.6 µS"),
    ):
        line = ax.plot(fine, fine * g * (EXCITING - REST) / (LEAK + shunt + fine * g), lw=0.9)[0]
        ax.plot(n, found[name], "o", ms=3.5, color=line.get_color())
        ax.text(8, found[name][-1] - below, label, color=line.get_color(), ha="right", va="top")
    ax.plot(fine, fine * found["potential_mV"][0], ":", color=COLOURS["grey"], lw=1.0)
    ax.text(4.2, 58, "in proportion", color=COLOURS["grey"])
    ax.set(xlabel="synapses of 0.1 µS", ylabel="above rest (mV)", title="many at one place", ylim=(0, 66))
    ax.axhline(EXCITING - REST, color=COLOURS["grey"], lw=0.6, ls="--")
    ax.text(0.1, EXCITING - REST - 1, "reversal", va="top", color=COLOURS["grey"])


def draw_cable(answer: Answer, ax: Axes) -> None:
    found = answer["cable"]
    x, loaded = np.linspace(0, 3, 61), 0.5
    ax.plot(x, (1 + loaded) / (1 + loaded * (1 + np.exp(-x))), lw=0.9, label="theory")
    ax.plot(found["distance"], found["part_of_sum"], "o", ms=3.5, color=COLOURS["blue"], label="simulated")
    ax.set(xlabel="apart (length constants)", ylabel="together / sum of both alone", ylim=(0.7, 1.01))
    ax.set_title("two on a cable")
    ax.legend(loc="lower right")


def draw_train(answer: Answer, ax: Axes) -> None:
    found = answer["train"]
    ax.plot(
        found["time_ms"], found["superposed_mV"], ":", color=COLOURS["grey"], label="sum of single weak ones"
    )
    ax.plot(found["time_ms"], found["strong_mV"], color=COLOURS["vermillion"], label="five of 0.3 µS")
    ax.set(
        xlabel="time (ms)", ylabel="above rest (mV)", title="one after another", xlim=(0, 20), ylim=(0, 45)
    )
    ax.legend(loc="upper right")


def draw_spike(answer: Answer, ax: Axes) -> None:
    found = answer["spike"]
    for (name, v), colour in zip(
        found["potential_mV"].items(), ("orange", "vermillion", "blue"), strict=True
    ):
        ax.plot(found["time_ms"], v, color=COLOURS[colour], label=name)
    ax.plot([2, 3], [-88, -88], "^", color=COLOURS["black"], ms=4)
    ax.set(xlabel="time (ms)", ylabel="voltage (mV)", title="squid: adding up to a spike", xlim=(0, 15))
    ax.legend(loc="upper right")


def draw_thresholds(answer: Answer, ax: Axes) -> None:
    found = answer["squid"]
    for x, y, scale, label in (
        ("interval_ms", "pair_uS", 1.0, "each of two, ms apart"),
        ("shunt_uS", "shunted_uS", 10.0, "beside a shunt, 0.1 µS"),
        ("leak_uS", "leaked_uS", 200.0, "beside a sodium leak, 5 nS"),
    ):
        ax.plot(scale * np.array(found[x]), 1e3 * np.array(found[y]), "o-", ms=3.0, lw=0.9, label=label)
    ax.set(ylim=(0, 560), xlim=(0, 10.3), xlabel="ms, 0.1 µS or 5 nS", ylabel="threshold (nS)")
    ax.set_title("squid: threshold of a synapse")
    ax.legend(loc="upper left")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

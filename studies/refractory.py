"""After a spike, when can the next one start, travel, and how fast; and what keeps it waiting?

Question
    A second stimulus soon after a first fails, then succeeds if strong, later even if weak. What are these
    periods at the stimulus site and for spikes that must travel, which gates make them, how do they depend on
    temperature, and what becomes of a train of pulses that come too fast?

Theory
    - After a spike sodium channels are inactivated (h is small), potassium channels open (n is large), and
      because of them the membrane is hyperpolarised. All three pass as h and n return, with time constants
      of 8.5 and 5.5 ms at rest and 6.3 degC. They do so in a damped oscillation about rest, so a
      supernormal phase follows, and a faint subnormal one.
    - The second spike must be made and must travel. A long axon asks for both; where it is measured
      matters, as a slow spike falls behind the first and so recovers on its way.
    - What makes the wait is asked of the equations: the same second pulse, from the state that the first
      spike left, but with n, or h, or both put to their resting value and held there. A threshold is
      compared with that of the resting membrane whose same gates are held.
    - Trains faster than the axon can follow are answered by patterns: every spike delays the next one's until
      one is dropped (Wenckebach), later every other pulse fails (2:1). Spikes per pulse fall in steps.
    - Gates are faster by Q10 = 3, the charging of the membrane is not: periods shorten by less.

Method
    HH 1952, leak reversal -54.387 mV, 6.3 degC but where said; cable of 476 um and 8 cm, pulses of 0.2 ms
    at a sealed end, the first of twice the threshold; velocity between 16 and 64 mm. Space clamp: one
    compartment. Runs over temperature and of trains use coarser steps (4 times the default dt, 400 um). The
    gates' part in it is asked of the space-clamped equations (`_refractory/held_gates.py`), stepped there
    from the membrane's own rate functions, since a simulation always starts from rest; with no gate held
    they must give its answer.

Expected answer
    ==============================================  ===========================  ======
    threshold                                       4481 nA (1 %)                NEURON
    least interval of a second propagated spike     10.298 ms at 2 x threshold   NEURON
                                                    5.643 ms at 10 x (1 %)       NEURON
    second / first velocity, second pulse 10 x      0.731, 0.955, 1.017          NEURON
    after 8, 14, 20 ms
    supernormal                                     17 to 25 ms                  NEURON
    ==============================================  ===========================  ======
    The textbooks have the absolute period due to h and the relative one due to h and n.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from _refractory.held_gates import FIRST, WIDTH, threshold_ratios
from numpy.typing import NDArray

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.draw.style import ordered_colours
from axon.protocols.following import follow_train, following_limit
from axon.protocols.recovery import RecoveryCycle, recovery_cycle
from axon.protocols.refractory import least_interval, refractory_period
from axon.protocols.space_clamp import space_clamp
from axon.protocols.threshold import find_threshold

Array = NDArray[np.float64]
Answer = dict[str, Any]

NEURON = "NEURON"
LEAST = {2.0: 10.298, 10.0: 5.643}  # ms at that strength
VELOCITIES = {8.0: 0.731, 14.0: 0.955, 20.0: 1.017}  # second / first at that interval (ms)
SUPERNORMAL = (17.0, 25.0)  # ms
INTERVALS = (*np.arange(4.4, 8.0, 0.2), *np.arange(8.0, 20.0, 0.5), *np.arange(20.0, 41.0, 1.0))  # ms
QUICK_INTERVALS = (5.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 17.0, 18.0, 20.0, 24.0, 25.5, 28.0, 34.0, 40.0)
HELD: dict[str, tuple[str, ...]] = {
    "nothing held": (),
    "h held": ("h",),
    "n held": ("n",),
    "n and h held": ("n", "h"),
    "V back at rest": ("V",),
    "n and h held, V back": ("n", "h", "V"),
}
ASKED = (4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 25.0, 30.0)  # ms
QUICK_ASKED = (4.0, 5.0, 6.0, 8.0, 12.0, 18.0)
CEILING = 50.0  # x threshold
WARMTH = (3.0, 6.3, 10.0, 14.0, 18.5, 22.0, 25.0, 28.0)  # degC
QUICK_WARMTH = (6.3, 18.5)
# x threshold: first and last interval (ms) of trains, and parts of it where steps lie close
TRAINS = {2.0: (5.0, 12.6, (5.3, 5.8), (10.2, 11.4)), 4.0: (3.0, 12.6, (3.1, 3.5), (6.05, 6.85))}
WENCKEBACH = 11.2  # ms, between pulses of twice the threshold
SHOWN = (6.0, 8.0, 11.0, 15.0, 20.0)  # ms, the intervals whose spikes are drawn


def squid(celsius: float = 6.3, length: float = 80_000.0) -> axon.Axon:
    """The squid axon of 1952."""
    membrane = axon.hodgkin_huxley()
    return axon.Axon(length=length, diameter=476, membrane=membrane, axial_resistivity=35.4, celsius=celsius)


def patch() -> axon.Axon:
    """The same membrane under space clamp."""
    return space_clamp(axon.hodgkin_huxley())


def coarse(celsius: float = 6.3) -> dict[str, Any]:
    """Steps for what is asked many times: periods move by less than 0.5 %."""
    return {"dt": 4 * axon.default_dt(squid(celsius)), "dx": 400.0}


@cache
def threshold(celsius: float = 6.3) -> float:
    """Of a resting axon, nA."""
    return find_threshold(squid(celsius), axon.Pulse(amplitude=1, duration=WIDTH)).value


# Two pulses


def cycles(quick: bool) -> dict[str, RecoveryCycle]:
    """Recovery of propagated spikes, of those at the stimulus, and of a space clamp."""
    times = QUICK_INTERVALS if quick else INTERVALS
    how = coarse() if quick else {}
    return {
        "propagated": recovery_cycle(squid(), times, **how),
        "at the stimulus": recovery_cycle(squid(), times, spike="local", **how),
        "space clamp": recovery_cycle(patch(), times),
    }


def against_neuron(quick: bool, cycle: RecoveryCycle) -> Answer:
    """The numbers that are known from another simulator."""
    how = coarse() if quick else {}
    answer: Answer = {
        "threshold": study.compared(threshold(), 4481.0, "nA", tolerance=45.0, source=NEURON),
    }
    for strength, expected in LEAST.items():
        value = least_interval(squid(), strength, **how)
        answer[f"least_interval_{strength:g}x"] = study.compared(
            value, expected, "ms", tolerance=0.01 * expected, source=NEURON
        )
    exact = recovery_cycle(squid(), list(VELOCITIES), accuracy=0.5, **how).velocity_ratio
    for value, (interval, expected) in zip(exact, VELOCITIES.items(), strict=True):
        answer[f"velocity_after_{interval:g}_ms"] = study.compared(
            float(value), expected, "1", tolerance=0.01 * expected, source=NEURON
        )
    fast = np.flatnonzero(np.diff((cycle.velocity_ratio > 1).astype(int)))[:2]
    r, t = cycle.velocity_ratio, cycle.interval
    for name, k, expected in zip(("from", "to"), fast, SUPERNORMAL, strict=True):
        value = float(t[k] + (1 - r[k]) / (r[k + 1] - r[k]) * (t[k + 1] - t[k]))
        answer[f"supernormal_{name}"] = study.compared(value, expected, "ms", tolerance=1.0, source=NEURON)
    return answer


# What keeps it waiting


def attribution(quick: bool) -> Answer:
    """Threshold ratios with gates held, and how the unchanged one agrees with the simulation."""
    times = QUICK_ASKED if quick else ASKED
    ratio = threshold_ratios(times, HELD, CEILING)
    simulated = recovery_cycle(patch(), times, ceiling=CEILING).threshold_ratio
    apart = float(np.nanmax(np.abs(ratio["nothing held"] / simulated - 1)))
    return {
        "equations_against_simulation": study.compared(
            apart, 0.0, "1", tolerance=0.01, source="the same membrane"
        ),
        "interval_ms": list(times),
        # None where no stimulus up to the ceiling works
        "ratio": {name: [None if np.isnan(r) else float(r) for r in own] for name, own in ratio.items()},
    }


def spoken(found: Answer, interval: float) -> str:
    """The ratios at one interval in words."""
    here = found["interval_ms"].index(interval)
    ratios = {name: own[here] for name, own in found["ratio"].items()}
    return ", ".join(f"{'none' if r is None else f'{r:.1f} x'} with {name}" for name, r in ratios.items())


def most_telling(found: Answer, interval: float) -> str:
    """The one gate (of h and n) whose return to rest lowers the threshold most."""
    here = found["interval_ms"].index(interval)
    return min(("h", "n"), key=lambda name: found["ratio"][f"{name} held"][here] or np.inf)


# Trains and temperature


def trains(quick: bool) -> Answer:
    """Spikes per pulse over the interval."""
    found: Answer = {}
    cable, count = squid(length=40_000.0), 24 if quick else 60
    for strength, (shortest, longest, *steps) in TRAINS.items():
        pulse = axon.Pulse(amplitude=strength * threshold(), duration=WIDTH)
        times = np.linspace(shortest, longest, 14 if quick else 40)
        for start, stop in [] if quick else steps:
            times = np.union1d(times, np.linspace(start, stop, 25))
        answers = follow_train(cable, pulse, times.tolist(), count=count, **coarse())
        found[f"{strength:g} x threshold"] = {
            "interval_ms": times,
            "spikes_per_pulse": [one.ratio for one in answers],
            "pattern": [None if one.pattern is None else "{}:{}".format(*one.pattern) for one in answers],
            "limit_ms": following_limit(cable, pulse, count=count, **coarse()),
        }
    pulse = axon.Pulse(amplitude=2.0 * threshold(), duration=WIDTH)
    slow = follow_train(cable, pulse, [WENCKEBACH], count=28, **coarse())[0]
    found["wenckebach"] = {
        "interval_ms": slow.interval,
        "pattern": str(slow),
        "latency_ms": slow.latency,
        "delays_ms": slow.delays,
        "arrivals_ms": slow.arrivals,
    }
    return found


def over_temperature(quick: bool) -> Answer:
    """Absolute and relative period, and the fastest train that is followed, in cold and warm water."""
    warmth = QUICK_WARMTH if quick else WARMTH
    rows = []
    for celsius in warmth:
        cable, how = squid(celsius), coarse(celsius)
        period = refractory_period(cable, accuracy=3e-3, **how)
        pulse = axon.Pulse(amplitude=2.0 * period.threshold, duration=WIDTH)
        limit = following_limit(cable, pulse, count=16, accuracy=3e-3, **how)
        rows.append((period.absolute, period.recovered, limit))
    table = np.array(rows).T
    names = ("absolute_ms", "recovered_ms", "following_limit_ms")
    q10 = {
        name.replace("_ms", "_Q10"): float(np.exp(-10 * np.polyfit(warmth, np.log(row), 1)[0]))
        for name, row in zip(names, table, strict=True)
    }
    return {"celsius": list(warmth), **dict(zip(names, table, strict=True)), **q10}


def run(quick: bool = False) -> Answer:
    """Everything; ``quick`` takes fewer intervals and temperatures, and coarser steps."""
    found = cycles(quick)
    period = refractory_period(squid(), **(coarse() if quick else {}))
    site = refractory_period(patch())
    gates, warm, train = attribution(quick), over_temperature(quick), trains(quick)
    early, six = (spoken(gates, interval) for interval in (4.0, 6.0))
    return {
        **against_neuron(quick, found["propagated"]),
        "absolute_ms": {"propagated": period.absolute, "space clamp": site.absolute},
        "recovered_ms": {"propagated": period.recovered, "space clamp": site.recovered},
        "cycle": {
            name: {
                "interval_ms": cycle.interval,
                "threshold_ratio": [None if np.isnan(r) else float(r) for r in cycle.threshold_ratio],
                "velocity_ratio": [None if np.isnan(r) else float(r) for r in cycle.velocity_ratio],
                "phases_ms": cycle.phases(),
            }
            for name, cycle in found.items()
        },
        "attribution": gates,
        "trains": train,
        "temperature": warm,
        "answer": [
            str(period),
            f"in a space clamp: {site}",
            f"recovery, {found['propagated']}",
            f"threshold 4 ms after the first pulse: {early}",
            f"threshold 6 ms after the first pulse: {six}",
            f"so {most_telling(gates, 4.0)} delays the second spike most at 4 ms, and "
            f"{most_telling(gates, 6.0)} at 6 ms, in the absolute period as in the relative",
            f"Q10 of the absolute period {warm['absolute_Q10']:.2f}, of recovery "
            f"{warm['recovered_Q10']:.2f}, of the fastest train followed {warm['following_limit_Q10']:.2f}",
        ],
    }


def figure(answer: Answer, path: Path) -> None:
    """Second spikes, recovery of threshold and velocity, what makes it wait, trains, and temperature."""
    with context():
        page = empty_figure(178, 116, dpi=200)
        axes = page.subplots(2, 3)
        draw_spikes(axes[0, 0])
        draw_thresholds(axes[0, 1], answer)
        draw_velocities(axes[0, 2], answer)
        draw_attribution(axes[1, 0], answer["attribution"])
        draw_trains(axes[1, 1], answer["trains"])
        draw_temperatures(axes[1, 2], answer["temperature"])
        for letter, ax in zip("abcdef", axes.flat, strict=True):
            ax.set_title(f"$\\bf{{{letter}}}$   {ax.get_title('left')}", loc="left")
        save(page, path)


def draw_spikes(ax: Any) -> None:
    """First and second spike in the middle of the cable, for several intervals."""
    pulses = [
        [
            axon.Pulse(amplitude=s * threshold(), start=t, duration=WIDTH)
            for s, t in ((FIRST, 0.0), (10.0, gap))
        ]
        for gap in SHOWN
    ]
    record = axon.Record(where=[40_000])
    runs = axon.simulate_many([squid()] * len(pulses), pulses, duration=30.0, record=record, **coarse())
    for run, gap, colour in zip(runs, SHOWN, reversed(ordered_colours(len(SHOWN))), strict=True):
        assert run.voltage is not None
        ax.plot(run.time, run.voltage[:, 0], color=colour, linewidth=1.0, label=f"{gap:g}")
    ax.set(xlabel="time (ms)", ylabel="membrane potential (mV)", title="second spikes, 4 cm on")
    ax.set(xlim=(0, 30), ylim=(-82, 92))
    ax.legend(title="interval (ms)", ncol=5, columnspacing=0.7, handlelength=0.8, loc="upper center")


def draw_thresholds(ax: Any, answer: Answer) -> None:
    """Threshold ratios over the interval."""
    looks = (("blue", "-"), ("sky", ":"), ("orange", "-"))
    for (name, cycle), (colour, dashes) in zip(answer["cycle"].items(), looks, strict=True):
        ratio = [np.nan if r is None else r for r in cycle["threshold_ratio"]]
        ax.semilogy(cycle["interval_ms"], ratio, dashes, color=COLOURS[colour], label=name)
    points = [answer[f"least_interval_{strength:g}x"]["expected"] for strength in LEAST]
    ax.semilogy(points, list(LEAST), "o", color=COLOURS["black"], ms=4, mfc="white", zorder=4, label="NEURON")
    ax.axvspan(0, answer["absolute_ms"]["propagated"], color=COLOURS["grey"], alpha=0.2, linewidth=0)
    ax.text(2.8, 4.5, "absolute", rotation=90, ha="center", va="center", color=COLOURS["grey"])
    ax.axhline(1.0, color=COLOURS["grey"], linewidth=0.8, linestyle="--")
    ax.set(xlabel="interval (ms)", ylabel="threshold (of that at rest)", title="threshold recovers")
    ax.set(xlim=(0, 40), ylim=(0.7, 50))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")


def draw_velocities(ax: Any, answer: Answer) -> None:
    """Velocity ratios over the interval."""
    cycle = answer["cycle"]["propagated"]
    ratio = np.array([np.nan if r is None else r for r in cycle["velocity_ratio"]])
    t = np.array(cycle["interval_ms"])
    ax.plot(t, ratio, label="second at 10 ×")
    ax.fill_between(t, 1.0, ratio, where=ratio > 1.0, color=COLOURS["blue"], alpha=0.3, linewidth=0)
    ax.plot(
        list(VELOCITIES),
        list(VELOCITIES.values()),
        "o",
        color=COLOURS["black"],
        ms=4,
        mfc="white",
        label="NEURON",
    )
    ax.axhline(1.0, color=COLOURS["grey"], linewidth=0.8, linestyle="--")
    ax.text(20.5, 1.03, "supernormal", ha="center", color=COLOURS["blue"])
    ax.axvspan(0, answer["absolute_ms"]["propagated"], color=COLOURS["grey"], alpha=0.2, linewidth=0)
    ax.set(xlabel="interval (ms)", ylabel="velocity (of the first)", title="velocity recovers")
    ax.set(xlim=(0, 40), ylim=(0.65, 1.06))
    ax.legend(loc="lower right")


def draw_attribution(ax: Any, found: Answer) -> None:
    """Threshold ratios with gates held."""
    styles = {
        "nothing held": ("black", "-", "as it is"),
        "h held": ("vermillion", "-", "h at rest"),
        "n held": ("blue", "-", "n at rest"),
        "n and h held": ("purple", "-", "both"),
        "n and h held, V back": ("grey", "--", "both, and V"),
    }
    for name, (colour, dashes, label) in styles.items():
        ratio = [np.nan if r is None else r for r in found["ratio"][name]]
        ax.semilogy(found["interval_ms"], ratio, dashes, color=COLOURS[colour], label=label)
    ax.set(xlabel="interval (ms)", ylabel="threshold (of that at rest)", title="what makes it wait")
    ax.set(xlim=(0, 30), ylim=(0.7, 50))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")


def draw_trains(ax: Any, found: Answer) -> None:
    """Spikes per pulse over the interval, and the delays of a Wenckebach period."""
    for strength, colour in zip(TRAINS, ("blue", "vermillion"), strict=True):
        train = found[f"{strength:g} x threshold"]
        ax.plot(
            train["interval_ms"],
            train["spikes_per_pulse"],
            "o-",
            ms=1.8,
            linewidth=0.7,
            color=COLOURS[colour],
        )
        half = np.searchsorted(train["spikes_per_pulse"], 0.7)
        ax.text(train["interval_ms"][half] - 0.3, 0.87, f"{strength:g} ×", ha="right", color=COLOURS[colour])
    for level, name in ((1.0, "1:1"), (3 / 4, "4:3"), (2 / 3, "3:2"), (1 / 2, "2:1"), (1 / 3, "3:1")):
        ax.text(12.9, level, name, va="center", color=COLOURS["grey"], fontsize=7)
    ax.set(xlabel="interval of the pulses (ms)", ylabel="spikes per pulse", title="trains")
    ax.set(xlim=(2.5, 12.8), ylim=(0.28, 1.6), yticks=(0.4, 0.6, 0.8, 1.0))
    slow = found["wenckebach"]
    number = np.round(
        (np.array(slow["arrivals_ms"]) - slow["latency_ms"] - slow["delays_ms"]) / slow["interval_ms"]
    )
    inset = ax.inset_axes((0.25, 0.75, 0.72, 0.22))
    inset.plot(number + 1, slow["delays_ms"], "o", ms=1.8, color=COLOURS["blue"])
    inset.set(xlim=(0, 29), ylim=(-0.3, 2.0), yticks=(0, 1))
    inset.set_xlabel("pulse", fontsize=6.5, labelpad=1)
    inset.set_ylabel("delay (ms)", fontsize=6.5, labelpad=1)
    inset.set_title(f"2 ×, every {slow['interval_ms']:g} ms", fontsize=6.5, loc="center", pad=2)
    inset.tick_params(labelsize=6.5, length=2, pad=1.5)


def draw_temperatures(ax: Any, found: Answer) -> None:
    """Periods over temperature."""
    celsius = np.array(found["celsius"])
    for name, label, colour in (
        ("recovered", "recovered", "blue"),
        ("following_limit", "train at 2 ×", "green"),
        ("absolute", "absolute", "vermillion"),
    ):
        text = f"{found[name + '_Q10']:.1f}  {label}"
        ax.semilogy(celsius, found[name + "_ms"], "o-", ms=3.5, color=COLOURS[colour], label=text)
    ax.set(xlabel="temperature (°C)", ylabel="interval (ms)", title="warmth shortens it")
    ax.set(ylim=(0.6, 90))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right", title="Q$_{10}$", alignment="left")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

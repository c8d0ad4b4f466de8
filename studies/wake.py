"""How long is the refractory wake, and does it tell the shortest ring on which a spike circulates?

Question
    Behind a spike the membrane cannot fire, then only with difficulty. Can both be read from its gates alone,
    without a second stimulus? And does this wake predict how short a ring may be?

Theory
    Activation m of the sodium channels is fast; inactivation h and potassium activation n are slow. With h
    and n as they are at an instant and m always at its steady state, the membrane has a momentary
    current-voltage curve (FitzHugh, J Gen Physiol 43:867, 1960). Its middle zero is the threshold.
    Absolutely refractory is a membrane without one, relatively refractory one whose threshold is above that
    at rest (`Run.wake`).

    - Activation takes some tenths of a millisecond, during which V falls back, h falls and n rises. So a
      shock works later, and must be stronger, than the curve says: the curve is a bound from below, and the
      truth where activation is fast.
    - To be carried on, a spike must do more than stay. Let it run into an axon that is everywhere as
      refractory as the wake is at one time T after a spike (`velocity_in_wake`): it is slow, c(T), and below
      some T* > 0 there is none, at a finite velocity, as at every fold of travelling pulses.
    - A spike started from rest on a ring returns to its own wake after one lap at the velocity c of a lone
      spike. So the shortest ring on which it lives is L = c T* (Mines, J Physiol 46:349, 1913: velocity times
      refractory period). T* scales with the rates of the gates, so L falls with temperature.
    - One that is led there slowly is slow itself and can live on shorter rings, but never on one shorter than
      what is absolutely refractory behind it at its own velocity.

Axon
    Squid, Hodgkin & Huxley (J Physiol 117:500, 1952): 476 um in diameter, at 18.5 and at 6.3 degC.

Expected answer
    - shocks on a patch: none works before the end of the absolute period; the first that does comes later,
      but within 0.1 ms were activation twenty times as fast; the threshold is back to rest within 15 % of the
      time at which the curve's is
    - shortest ring from rest: c T* within 5 % (the spike has not quite the velocity of a lone one when it
      meets its wake, and the wake moves on while it crosses it)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.measure.excitability import instantaneous_curve, resting_threshold
from axon.protocols.reentry import refractory_wake, velocity_in_wake
from axon.protocols.space_clamp import space_clamp

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Answer = dict[str, Any]

WARM, COLD = 18.5, 6.3  # degC
LENGTH, MIDDLE = 60_000.0, 30_000.0  # um
SHOCK = 0.01  # ms
HURRY = 20.0  # times as fast as it is, activation is nearly at once
BEYOND_REST = -50.0  # mV
BLOCK, HOLD = 2000.0, 0.8  # um before the pulse a clamp makes the start one-way, for so long, in units of T*
FAST: dict[str, Any] = {"dx": 160.0, "record": axon.Record(voltage=None)}
SLOWER = 3.0 ** ((WARM - COLD) / 10)  # gates at 6.3 against 18.5 degC


def squid(celsius: float = WARM, length: float = LENGTH, *, ring: bool = False) -> axon.Axon:
    """The squid axon of 1952."""
    membrane = axon.hodgkin_huxley()
    return axon.Axon(
        length=length, diameter=476, membrane=membrane, axial_resistivity=35.4, celsius=celsius, ring=ring
    )


def beside(value: float, expected: float, tolerance: float, unit: str, source: str) -> Answer:
    """A number beside the expected one."""
    return study.compared(float(value), float(expected), unit, tolerance=tolerance, source=source)


@cache
def lone(celsius: float) -> axon.Run:
    """A spike on the straight axon, with gates."""
    cable = squid(celsius)
    scale = 1.0 if celsius == WARM else SLOWER
    record = axon.Record(gates=True, every=0.02 * scale, where=np.arange(500.0, LENGTH, 1000.0).tolist())
    return axon.simulate(cable, axon.suprathreshold_pulse(cable), duration=9 * scale, dx=250.0, record=record)


# Shocks on a patch


@cache
def patch_spike(hurry: float = 1.0) -> axon.Run:
    """A spike of the membrane alone, at 18.5 degC."""
    record = axon.Record(gates=True, every=0.01)
    return axon.simulate(patch(hurry), first_shock(), duration=9.0, dt=0.0025, record=record)


@cache
def patch(hurry: float = 1.0) -> axon.Axon:
    """1e-3 cm2 of membrane, 1 nF; ``hurry`` makes activation so many times as fast as it is."""
    membrane = axon.hodgkin_huxley()
    sodium, *others = membrane.channels
    m, h = sodium.gates
    opening, closing = m.alpha, m.beta
    assert opening is not None and closing is not None

    def alpha(v: Array) -> Array:
        return hurry * np.asarray(opening(v), float)

    def beta(v: Array) -> Array:
        return hurry * np.asarray(closing(v), float)

    hurried = replace(sodium, gates=(replace(m, alpha=alpha, beta=beta), h))
    return space_clamp(replace(membrane, channels=(hurried, *others)), celsius=WARM)


def first_shock() -> axon.Pulse:
    """One that makes the first spike: 15 mV at once."""
    return axon.Pulse(amplitude=15.0 / SHOCK, start=0.1, duration=SHOCK)


def shocks(quick: bool) -> Answer:
    """Which shocks, to which voltage and how long after the first spike, make V rise by itself."""
    wake = patch_spike().wake()
    start, lost, back = float(wake.start[0]), float(wake.absolute_end[0]), float(wake.relative_end[0])
    delays = np.arange(0.6, 4.4, 0.4) if quick else np.arange(0.6, 4.45, 0.1)
    delays = np.unique(np.round(np.append(delays, lost - start + np.arange(0.0, 0.2, 0.02)), 4))
    targets = np.append(np.arange(-70.0, -30.0, 2.0 if quick else 1.0), np.arange(-30.0, 31.0, 5.0))
    outcome = rises(delays + start, targets)
    works = outcome.any(axis=1)
    least = np.array([targets[row][0] if row.any() else np.nan for row in outcome])
    at_rest = targets[rises(np.array([0.05]), targets, first=False)[0]][0]
    above = np.flatnonzero(least > at_rest)
    simulated_end = delays[above[-1] + 1] if above[-1] + 1 < len(delays) else np.nan
    curve = np.interp(delays + start, wake.time, wake.threshold[:, 0])
    return {
        "first_success": study.compared(
            float(delays[works][0]), lost - start, "ms", source="no threshold before, a bound"
        ),
        "first_success_if_fast": in_a_hurry(targets),
        "none_before": beside(
            float((works & (delays < lost - start)).sum()), 0.0, 0.0, "1", "no threshold, no spike"
        ),
        "relative_end": beside(
            simulated_end, back - start, 0.15 * (back - start), "ms", "threshold as at rest"
        ),
        "delay_ms": delays.tolist(),
        "least_mV": [None if np.isnan(x) else float(x) for x in least],
        "resting_least_mV": float(at_rest),
        "curve_mV": [float(x) if np.isfinite(x) else None for x in curve],
        "curve_at_rest_mV": resting_threshold(axon.hodgkin_huxley(), WARM),
    }


def in_a_hurry(targets: Array) -> Answer:
    """The first shock that works where activation is as fast as the momentary curve has it."""
    wake = patch_spike(HURRY).wake()
    start, end = float(wake.start[0]), float(wake.absolute_end[0])
    delays = end - start + np.arange(-0.1, 0.3, 0.02)
    works = rises(delays + start, targets[targets > -40], hurry=HURRY).any(axis=1)
    return beside(delays[works][0], end - start, 0.1, "ms", "a threshold again")


def rises(times: Array, targets: Array, *, first: bool = True, hurry: float = 1.0) -> NDArray[np.bool_]:
    """Whether V rises after it was shocked to a voltage (mV) at a time (ms): (times, targets)."""
    voltage = patch_spike(hurry).voltage
    assert voltage is not None
    rest = float(voltage[0, 0])
    before = np.interp(times, patch_spike(hurry).time, voltage[:, 0]) if first else np.full(len(times), rest)
    stimuli, duration = [], float(times.max() + 1.0)
    for t, v in zip(times, before, strict=True):
        for target in targets:
            shock = axon.Pulse(amplitude=max(float(target - v), 0.0) / SHOCK, start=float(t), duration=SHOCK)
            stimuli.append([first_shock(), shock] if first else [shock])
    record = axon.Record(every=0.0025)
    runs = axon.simulate_many(
        [patch(hurry)] * len(stimuli), stimuli, duration=duration, dt=0.0025, record=record, progress=False
    )
    out = []
    for run, own in zip(runs, stimuli, strict=True):
        assert run.voltage is not None
        v, end = run.voltage[:, 0], own[-1].start + SHOCK
        after = v[run.time >= end - 1e-9]
        # V falls at first, while activation is still on its way; then it rises beyond where the shock put it,
        # and beyond where it would go by itself on its way back to rest.
        out.append(bool(own[-1].amplitude > 0 and after.max() > max(after[0] + 1.0, BEYOND_REST)))
    return np.array(out).reshape(len(times), len(targets))


# Rings


def one_way_start(length: float, celsius: float, hold: float) -> list[Any]:
    """A pulse on a ring, and before it the membrane held at rest (for ms) until its wake has formed."""
    at, rest = 0.25 * length, axon.hodgkin_huxley().resting_potential()
    pulse = axon.suprathreshold_pulse(squid(celsius, length), at=at)
    return [pulse, axon.Clamp(voltage=rest, duration=hold, at=at - BLOCK)]


def shortest_ring(celsius: float, hold: float, low: float, high: float, rounds: int) -> tuple[float, float]:
    """The longest ring (mm) on which a spike started from rest dies, and the shortest on which it lives."""
    scale = 1.0 if celsius == WARM else SLOWER
    duration = 40.0 * scale
    for _ in range(rounds):
        lengths = np.linspace(low, high, 10)[1:-1].tolist()
        runs = axon.simulate_many(
            [squid(celsius, length, ring=True) for length in lengths],
            [one_way_start(length, celsius, hold) for length in lengths],
            duration=duration,
            dt=0.005 * scale,
            **FAST,
        )
        lives = [bool(run.spike_time[-1] > duration - 1.0 * scale) for run in runs]
        low = max([low, *(length for length, alive in zip(lengths, lives, strict=True) if not alive)])
        high = min([high, *(length for length in lengths if length > low)])
    return low / 1e3, high / 1e3


def rings(quick: bool) -> Answer:
    """Predicted and simulated shortest ring at both temperatures."""
    found: Answer = {}
    for celsius, low, high in ((WARM, 25_000.0, 45_000.0), (COLD, 50_000.0, 90_000.0)):
        run = lone(celsius)
        velocity, wait = float(run.velocity()), refractory_wake(run, at=MIDDLE, progress=False)
        dies, lives = shortest_ring(celsius, HOLD * wait, low, high, 1 if quick else 2)
        since = np.array([0.9, 1.002, 1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 1.65, 1.8]) * wait
        carried = velocity_in_wake(run, since, at=MIDDLE, progress=False)
        predicted = velocity * wait
        wake = run.wake()
        found[f"{celsius:g}_degC"] = {
            "shortest": beside((dies + lives) / 2, predicted, 0.05 * predicted, "mm", "c T*"),
            "dies_mm": dies,
            "lives_mm": lives,
            "velocity_m_per_s": velocity,
            "carried_from_ms": wait,
            "since_ms": since.tolist(),
            "carried_m_per_s": [None if np.isnan(x) else float(x) for x in carried],
            "absolute_ms": wake.absolute_ms,
            "absolute_mm": wake.absolute_mm,
            "relative_ms": wake.relative_ms,
            "relative_mm": wake.relative_mm,
        }
    return found


def run(quick: bool = False) -> Answer:
    """All of it; ``quick`` tries fewer shocks and ring lengths."""
    on_rings, on_patch = rings(quick), shocks(quick)
    warm, cold = on_rings["18.5_degC"], on_rings["6.3_degC"]
    return {
        "patch": on_patch,
        "rings": on_rings,
        "answer": [told("18.5 degC", warm), told("6.3 degC", cold)],
    }


def told(where: str, one: Answer) -> str:
    """The wake and the rings at one temperature in words."""
    return (
        f"{where}: absolutely refractory for {one['absolute_ms']:.2f} ms ({one['absolute_mm']:.1f} mm), then "
        f"relatively for {one['relative_ms']:.2f} ms ({one['relative_mm']:.1f} mm); carries a spike from "
        f"{one['carried_from_ms']:.3f} ms on, so rings must be longer than {one['shortest']['expected']:.1f} "
        f"mm; simulated, {one['dies_mm']:.1f} mm is too short and {one['lives_mm']:.1f} mm is not."
    )


# Pictures


def figure(answer: Answer, path: Path) -> None:
    """Curves behind a spike, threshold over time, the wake in space and time, rings."""
    with context():
        page = empty_figure(190, 120)
        axes = page.subplots(2, 2)
        for draw, ax in zip((draw_curves, draw_threshold, draw_wake, draw_rings), axes.flat, strict=True):
            draw(answer, ax)
        for letter, ax in zip("abcd", axes.flat, strict=True):
            ax.set_title(f"$\\bf{{{letter}}}$  {ax.get_title('left')}")
        save(page, path)


def draw_curves(answer: Answer, ax: Axes) -> None:
    run, v = lone(WARM), np.linspace(-80, 60, 281)
    membrane, column = axon.hodgkin_huxley(), lone(WARM).at(MIDDLE)
    passed = run.arrivals()[run.compartments.nearest(float(run.position[column]))]
    shades = ("vermillion", "orange", "green", "blue")
    for since, colour in zip((0.6, 1.0, 1.8, 3.0), shades, strict=True):
        gates = {
            name: np.array([np.interp(passed + since, run.time, run.gates[name][:, column])]) for name in "hn"
        }
        curve = instantaneous_curve(membrane, WARM, gates, v)[0]
        ax.plot(v, 1e3 * curve, color=COLOURS[colour], label=f"{since:g} ms behind the spike")
    rest = {name: np.atleast_1d(x) for name, x in membrane.steady_gates(membrane.resting_potential()).items()}
    ax.plot(v, 1e3 * instantaneous_curve(membrane, WARM, rest, v)[0], color=COLOURS["black"], label="at rest")
    ax.axhline(0, color=COLOURS["grey"], lw=0.6)
    ax.set(ylim=(-600, 1200), xlim=(-80, 60), xlabel="voltage (mV)", ylabel="current (µA/cm²), outward")
    ax.set_title("momentary current-voltage curves")
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 1.02))


def draw_threshold(answer: Answer, ax: Axes) -> None:
    found, wake = answer["patch"], patch_spike().wake()
    voltage = patch_spike().voltage
    assert voltage is not None
    since = wake.time - wake.start[0]
    threshold = np.where(np.isfinite(wake.threshold[:, 0]), wake.threshold[:, 0], np.nan)
    absolute, relative = (float(end[0] - wake.start[0]) for end in (wake.absolute_end, wake.relative_end))
    ax.axvspan(0, absolute, color="#b9b9b9", lw=0)
    ax.axvspan(absolute, relative, color="#e4e4e4", lw=0)
    ax.plot(since, voltage[:, 0], color=COLOURS["black"], lw=0.9, label="voltage")
    ax.plot(since, threshold, color=COLOURS["blue"], label="threshold, from the gates")
    least = np.array([np.nan if x is None else x for x in found["least_mV"]])
    ax.plot(
        found["delay_ms"], least, "o", ms=2.5, color=COLOURS["vermillion"], label="least shock that works"
    )
    ax.axhline(found["resting_least_mV"], color=COLOURS["vermillion"], lw=0.7, ls=":")
    ax.axhline(found["curve_at_rest_mV"], color=COLOURS["blue"], lw=0.7, ls=":")
    ax.set(xlim=(-0.3, 4.4), ylim=(-80, 70), xlabel="after the spike's upstroke (ms)", ylabel="voltage (mV)")
    ax.set_title("a patch: absolutely, relatively refractory")
    ax.legend(loc="upper right")


def draw_wake(answer: Answer, ax: Axes) -> None:
    wake = lone(WARM).wake()
    state = 2.0 * wake.absolute + 1.0 * wake.relative
    x = wake.position / 1e3
    ax.contourf(x, wake.time, state, levels=[0.5, 1.5, 2.5], colors=["#e4e4e4", "#b9b9b9"])
    ax.plot(x[wake.site], wake.start, color=COLOURS["black"], label="spike")
    turned: dict[str, Any] = {"rotation": -14.5, "rotation_mode": "anchor", "ha": "center", "va": "center"}
    for words, since in (("absolutely refractory", 0.45), ("relatively refractory", 2.6)):
        ax.text(25.0, float(np.interp(25.0, x[wake.site], wake.start)) + since, words, **turned)
    carried = answer["rings"]["18.5_degC"]["carried_from_ms"]
    ax.plot(x[wake.site], wake.start + carried, "--", color=COLOURS["green"], label="carries a spike again")
    ax.set(ylim=(9, 0), xlabel="position (mm)", ylabel="time (ms)", title="the wake of a spike")
    ax.legend(loc="lower left")


def draw_rings(answer: Answer, ax: Axes) -> None:
    looks = (("vermillion", (3.3, 13.6)), ("blue", (6.3, 0.5)))
    for (name, one), (colour, place) in zip(answer["rings"].items(), looks, strict=True):
        since = np.array(one["since_ms"])
        carried = np.array([np.nan if x is None else x for x in one["carried_m_per_s"]])
        label = name.replace("_degC", " °C")
        ax.plot(
            since, carried, "o-", ms=3, lw=0.9, color=COLOURS[colour], label=f"carried by the wake, {label}"
        )
        ax.axhline(one["velocity_m_per_s"], color=COLOURS[colour], lw=0.6, ls="--")
        ax.axvline(one["carried_from_ms"], color=COLOURS[colour], lw=0.6, ls=":")
        middle = (one["dies_mm"] + one["lives_mm"]) / 2
        words = f"rings from {one['shortest']['expected']:.1f} mm on\n({middle:.1f} mm simulated)"
        ax.text(*place, words, color=COLOURS[colour], va="bottom")
    ax.set(xlim=(0, 10), ylim=(0, 28), xlabel="after the spike (ms)", ylabel="velocity (m/s)")
    ax.set_title("a spike in the wake")
    ax.legend(loc="upper right")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

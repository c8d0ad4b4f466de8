"""Why does a spike never turn back, and what follows from it?

Question
    A spike excites whatever lies next to it, ahead and behind. Why does it not run backwards, and what
    becomes of two spikes that meet, of a second pulse in the wake of a first, of a spike on an axon
    closed to a ring?

Theory
    Behind the spike sodium channels are inactivated and potassium channels open: for a while no current
    makes the membrane fire. This wake moves with the spike, so seen from the spike the way back is always
    shut.

    - A pulse in the middle finds no wake on either side: two spikes leave, mirror images of each other.
    - Two spikes that meet run into each other's wake and end (Tasaki, Biochim Biophys Acta 3:494, 1949).
      Where they meet no current flows along the axon, by symmetry: to each the other is a sealed end.
    - A second pulse finds the membrane better recovered on the side the spike came from. The later it
      comes, it first fails, then launches a spike backward alone, then both ways, and never forward
      alone. The window between is the wider the stronger the pulse (Gomez-Gesteira et al., Physica D
      76:359, 1994), and since the wake travels with the spike, it depends on the delay after the spike's
      passage and not on the place.
    - On a ring a spike that was started one way meets nothing but its own wake. It lives for ever if the
      ring is longer than the wake, velocity times refractory period (Mines, J Physiol 46:349, 1913), and
      then is as fast as the spikes of a train on a straight axon at intervals of a lap: slower than a
      lone spike, but faster where a lap ends in the supernormal phase.
    - In its own wake a spike slows down, so one that is led there gently can live on shorter rings. If
      local velocity c(T) follows from the time T since the last passage, a small deviation obeys, along
      the path s, u(s) = -k * (integral of u from s - L to s), with k = c'(T) / c^2, and decays while k >
      0. As L = c T, the lap time grows with the ring by dT/dL = 1 / (c + c k L): it ends where k becomes
      infinite, on the ring of the least lap time. On shorter ones laps swing ever more until one fails
      (Courtemanche, Glass & Keener, Phys Rev Lett 70:2182, 1993).

Axon
    Squid, Hodgkin & Huxley (J Physiol 117:500, 1952): 476 um in diameter, 18.5 degC, 100 mm or a ring.

Expected answer
    - two ways: 18.7319 m/s each (travelling wave of these equations), arrivals mirrored to rounding
    - collision of spikes started 1 ms apart: (100 mm + 18.7319 m/s x 1 ms) / 2 = 59.37 mm, one crossing
      at every site; for equal starts, arrivals as at a sealed end, to rounding
    - second pulse: three outcomes in this order, the same at every place, never forward alone
    - ring: velocity constant to rounding of the crossings, and that of a train; shortest ring 18.73 m/s
      times the delay from which a second pulse launches both ways (10 %: what is refractory depends on
      the pulse) for a spike started from rest, and the ring of the least lap time (5 %: a rough theory)
      for one that is led there
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Answer = dict[str, Any]

WAVE = 18.7319  # m/s, the steady travelling wave
LENGTH = 100_000.0  # um, of the straight axon
APART = 1.0  # ms, between the pulses at the two ends
STRENGTH = 10.0  # times threshold: the second pulse wherever its strength is not varied
DELAYS = {"fails": 1.0, "backward": 1.55, "both": 2.5}  # ms after the spike passed

RING = 60_000.0  # um, on which a spike circulates
SHORT_RING = 30_000.0  # um, on which it dies
BLOCK = 2000.0  # um before the pulse lies the clamp that makes it one-way ...
HOLD = 1.5  # ms, ... for so long
PACES, FIRST_INTERVAL, LAST_INTERVAL = 15, 4.0, 2.5  # pulses, ms: leading the spike to a short ring
RELEASES = 1.8 + 0.02 * np.arange(16)  # ms after the last of them, one of which lets the spike through

VIEWED = "collision"

# Searches ask what happens, not exactly when: 0.06 % error of velocity, and the same shortest rings to 0.1 mm
# as with half of both steps.
FAST: dict[str, Any] = {"dt": 0.005, "dx": 160.0, "record": axon.Record(voltage=None)}
OUTCOMES = {"fails": "#dcdcdc", "backward only": "#E69F00", "both ways": "#9ad0f0"}  # and their colours


def squid(length: float = LENGTH, *, ring: bool = False) -> axon.Axon:
    """The squid axon of 1952, ``length`` in um."""
    membrane = axon.hodgkin_huxley()
    return axon.Axon(
        length=length, diameter=476, membrane=membrane, axial_resistivity=35.4, celsius=18.5, ring=ring
    )


@cache
def strong(at: float, start: float = 0.5, length: float = LENGTH) -> axon.Pulse:
    """A pulse that makes a spike in resting membrane, at ``at`` um from ``start`` ms."""
    return axon.suprathreshold_pulse(squid(length), at=at, start=start)


def bisect(low: ArrayLike, high: ArrayLike, works: Callable[[Array], Any], rounds: int) -> Array:
    """Midpoints of brackets, of which ``low`` fails and ``high`` works, after so many halvings."""
    low, high = np.array(low, float), np.array(high, float)
    for _ in range(rounds):
        middle = (low + high) / 2
        success = works(middle)
        low, high = np.where(success, low, middle), np.where(success, middle, high)
    return (low + high) / 2


def beside(value: float, expected: float, tolerance: float, unit: str, source: str) -> Answer:
    """A number beside the expected one."""
    return study.compared(value, expected, unit, tolerance=tolerance, source=source)


@cache
def scene(name: str) -> axon.Run:
    """The runs that are drawn, with gates for the wake and currents for the viewer."""
    scenes: dict[str, tuple[axon.Axon, list[Any], float]] = {
        "two_ways": (squid(), [strong(LENGTH / 2)], 6.0),
        "collision": (squid(), [strong(0.0), strong(LENGTH, 0.5 + APART)], 8.0),
        "ring": (squid(RING, ring=True), one_way_start(RING), 20.0),
        "short_ring": (squid(SHORT_RING, ring=True), one_way_start(SHORT_RING), 6.0),
    }
    if name in DELAYS:
        cable, stimuli, duration = squid(), second_pulse(STRENGTH, DELAYS[name], LENGTH / 2), 11.0
    else:
        cable, stimuli, duration = scenes[name]
    return axon.simulate(cable, stimuli, duration=duration, record=axon.Record(gates=True, currents=True))


# Two ways, and collision


def two_ways() -> Answer:
    """Velocities of the two spikes of a pulse in the middle, and how far they are from mirror images."""
    arrivals, answer = scene("two_ways").arrivals(), {}
    for way in ("orthodromic", "antidromic"):
        speed = scene("two_ways").velocity(direction=way)
        answer[way] = beside(speed.value, WAVE, 1e-3 * WAVE, "m/s", "travelling wave")
    apart = np.abs(arrivals - arrivals[::-1]).max()
    return answer | {"asymmetry": beside(apart, 0.0, 1e-6, "ms", "mirror images")}


def collision() -> Answer:
    """Where two spikes meet, whether anything passes, and whether it is like a sealed end."""
    run = scene("collision")
    crossings = np.bincount(run.spike_compartment, minlength=len(run.compartments))
    met = run.compartments.position[np.argmax(run.arrivals())] / 1e3
    expected, dx = (LENGTH + WAVE * 1e3 * APART) / 2e3, run.compartments.length[0]
    steps = FAST | {"dx": dx}
    two = axon.simulate(squid(), [strong(0.0), strong(LENGTH)], duration=8, **steps)
    half = axon.simulate(squid(LENGTH / 2), strong(0.0), duration=8, **steps)
    apart = np.abs(two.arrivals()[: len(half.compartments)] - half.arrivals()).max()
    passing = np.abs(crossings - 1).max()
    return {
        "place": beside(met, expected, 0.002 * dx, "mm", "(L + velocity x lag) / 2"),
        "crossings_per_site_but_one": beside(passing, 0.0, 0.0, "1", "none passes"),
        "against_sealed_end": beside(apart, 0.0, 1e-6, "ms", "no current where met"),
    }


# A second pulse in the wake


@cache
def passage() -> tuple[Array, Array]:
    """Where the compartments of the straight axon are (um), and when a spike from x = 0 passes them (ms)."""
    run = axon.simulate(squid(), strong(0.0), duration=8, **FAST)
    return run.compartments.position, run.arrivals()


@cache
def threshold() -> float:
    """Least amplitude (nA) of a pulse in the middle of the resting axon whose spike reaches the end."""
    pulse = strong(LENGTH / 2)

    def fires(amplitude: Array) -> bool:
        run = axon.simulate(squid(), replace(pulse, amplitude=float(amplitude)), duration=8, **FAST)
        return bool(np.isfinite(run.arrivals()[-1]))

    return float(bisect(0.0, pulse.amplitude, fires, rounds=14))


def second_pulse(strength: float, delay: float, at: float) -> list[axon.Pulse]:
    """A spike from x = 0, and ``delay`` ms after it passed ``at`` um a pulse there, in units of threshold."""
    start = float(np.interp(at, *passage()) + delay)
    return [
        strong(0.0),
        axon.Pulse(amplitude=strength * threshold(), start=start, duration=0.2, at=float(at)),
    ]


def launched(strength: ArrayLike, delay: ArrayLike, at: ArrayLike) -> NDArray[np.bool_]:
    """Whether second pulses send a spike back to x = 0 and on to the far end, (..., 2)."""
    strength, delay, at = np.broadcast_arrays(strength, delay, at)
    stimuli = [second_pulse(*one) for one in zip(strength.flat, delay.flat, at.flat, strict=True)]
    duration = max(pulse.start for _, pulse in stimuli) + 8.0
    runs = axon.simulate_many([squid()] * len(stimuli), stimuli, duration=duration, **FAST)
    return np.array([np.isfinite(run.arrivals(spike=1)[[0, -1]]) for run in runs]).reshape(*delay.shape, 2)


def wake_map(delays: Array, rounds: int, strength: ArrayLike, at: ArrayLike) -> Answer:
    """Outcome for every delay and strength, or delay and place; and the delays that divide the outcomes."""
    strength, at = np.broadcast_arrays(np.asarray(strength, float), np.asarray(at, float))
    outcome = launched(strength[:, None], delays, at[:, None])
    edges = []
    for way in (0, 1):
        first = np.argmax(outcome[..., way], axis=1)

        def works(delay: Array, way: int = way) -> Any:
            return launched(strength, delay, at)[..., way]

        edges.append(bisect(delays[first - 1], delays[first], works, rounds))
    return {
        "strength": strength.tolist(),  # times threshold
        "at_um": at.tolist(),
        "delay_ms": delays.tolist(),
        "outcome": outcome.sum(axis=-1).tolist(),  # 0 fails, 1 backward only, 2 both ways
        "backward_from_ms": edges[0].tolist(),
        "both_from_ms": edges[1].tolist(),
        "forward_only": int((outcome[..., 1] & ~outcome[..., 0]).sum()),
        "out_of_order": int((outcome != (delays[:, None] >= np.transpose(edges)[:, None])).sum()),
    }


def in_the_wake(quick: bool) -> Answer:
    """What becomes of a second pulse, over delay and strength and over delay and place."""
    step, rounds = (0.5, 4) if quick else (0.1, 6)
    strengths, places = (8, 4) if quick else (24, 16)
    over_strength = np.geomspace(1.0, 40.0, strengths)
    over_place = np.linspace(10_000.0, 90_000.0, places)
    by_strength = wake_map(np.arange(0.0, 6.01, step), rounds, over_strength, LENGTH / 2)
    by_place = wake_map(np.arange(0.0, 4.01, step), rounds, STRENGTH, over_place)
    clear = (over_place > 20_000) & (over_place < 80_000)
    spread = np.ptp(np.array(by_place["both_from_ms"])[clear])
    forward, disorder = (by_strength[n] + by_place[n] for n in ("forward_only", "out_of_order"))
    return {
        "threshold_nA": threshold(),
        "by_strength": by_strength,
        "by_place": by_place,
        "forward_only": beside(forward, 0.0, 0.0, "1", "the wake lies ahead"),
        "out_of_order": beside(disorder, 0.0, 0.0, "1", "recovery only grows"),
        "spread_over_places": beside(spread, 0.0, 0.02, "ms", "the wake travels along"),
    }


# Rings


def one_way_start(length: float) -> list[Any]:
    """A pulse on a ring, and before it the membrane held at rest until the pulse's wake has formed."""
    at, rest = 0.25 * length, axon.hodgkin_huxley().resting_potential()
    return [strong(at, length=length), axon.Clamp(voltage=rest, duration=HOLD, at=at - BLOCK)]


def led_start(length: float, release: float) -> list[Any]:
    """Pulses ever faster; the clamp keeps the ring open until ``release`` ms after the last of them."""
    intervals = LAST_INTERVAL + (FIRST_INTERVAL - LAST_INTERVAL) * np.exp(-np.arange(PACES - 1) / 2.5)
    starts = 0.5 + np.concatenate([[0.0], np.cumsum(intervals)])
    pulse, clamp = one_way_start(length)
    hold = replace(clamp, duration=float(starts[-1] + release))
    return [*(replace(pulse, start=float(t)) for t in starts), hold]


def started(lengths: list[float], duration: float) -> list[axon.Run]:
    """Rings of these lengths (um) after the simple start."""
    rings = [squid(length, ring=True) for length in lengths]
    return axon.simulate_many(rings, [one_way_start(length) for length in lengths], duration=duration, **FAST)


def led(lengths: list[float], duration: float) -> list[axon.Run]:
    """Rings of these lengths (um) after the led start, with the release whose spike lives longest."""
    cases = [(length, release) for length in lengths for release in RELEASES]
    rings = [squid(length, ring=True) for length, _ in cases]
    runs = axon.simulate_many(rings, [led_start(*case) for case in cases], duration=duration, **FAST)
    groups = [runs[k : k + len(RELEASES)] for k in range(0, len(runs), len(RELEASES))]
    return [max(group, key=lambda run: run.spike_time[-1]) for group in groups]


def lap_times(run: axon.Run) -> Array:
    """Times between passages (ms) opposite to the start, after the last pulse."""
    here = run.spike_compartment == run.compartments.nearest(0.75 * run.axon.total_length)
    begun = max(stimulus.start for stimulus in run.stimuli)
    return np.diff(run.spike_time[here & (run.spike_time > begun)])


def circulates(run: axon.Run) -> bool:
    """Whether a spike is still under way at the end."""
    return bool(run.spike_time[-1] > run.numerics["duration"] - 0.5)


Begin = Callable[[list[float], float], list[axon.Run]]


def shortest(begin: Begin, low: float, high: float, duration: float, rounds: int) -> Answer:
    """The shortest ring, between ``low`` and ``high`` um, that sustains a spike so begun; eight at a time."""
    tried: dict[float, axon.Run] = {}
    for _ in range(rounds):
        lengths = np.linspace(low, high, 10)[1:-1].tolist()
        tried |= dict(zip(lengths, begin(lengths, duration), strict=True))
        low = max([low, *(length for length, run in tried.items() if not circulates(run))])
        high = min([high, *(length for length in tried if length > low)])
    alive = sorted(length for length, run in tried.items() if circulates(run))
    return {
        "dies_mm": low / 1e3,
        "lives_mm": high / 1e3,
        "length_mm": [length / 1e3 for length in alive],
        "lap_ms": [lap_times(tried[length])[-10:].mean() for length in alive],
        "laps_where_it_dies_ms": lap_times(tried[low]).tolist() if low in tried else [],
        "laps_where_it_lives_ms": lap_times(tried[high])[:60].tolist() if high in tried else [],
    }


def on_rings(quick: bool, refractory: float) -> Answer:
    """Whether a spike circulates for ever, how fast, and on how short a ring; ``refractory`` in ms."""
    laps = 100 if quick else 1000
    run = axon.simulate(squid(RING, ring=True), one_way_start(RING), duration=3.6 * laps, **FAST)
    lap = lap_times(run)
    velocity = RING / lap * 1e-3
    pulse = strong(0.0)
    train = axon.Train(
        amplitude=pulse.amplitude, start=0.5, duration=pulse.duration, interval=float(lap[-1]), count=12
    )
    followed = axon.simulate(squid(1.5 * LENGTH), train, duration=15 * lap[-1] + 5, **FAST).velocity(spike=11)
    lengths = np.geomspace(36_000.0, 200_000.0, 5 if quick else 14).tolist()
    long = [lap_times(ring)[-1] for ring in started(lengths, 100.0)]
    simple = shortest(started, 25_000.0, 45_000.0, 100.0, 1 if quick else 2)
    gentle = shortest(led, 20_000.0, 30_000.0, 120.0 if quick else 300.0, 1 if quick else 2)
    middle, least = [(one["dies_mm"] + one["lives_mm"]) / 2 for one in (simple, gentle)]
    wake, quickest = WAVE * refractory, gentle["length_mm"][int(np.argmin(gentle["lap_ms"]))]
    return {
        "laps": len(lap),
        "velocity_of_first_laps_m_per_s": velocity[:10].tolist(),
        "drift_over_last_half": beside(
            np.ptp(velocity[len(lap) // 2 :]) / velocity[-1], 0.0, 1e-6, "1", "constant"
        ),
        "velocity": beside(
            velocity[-1], followed.value, 1e-3 * followed.value, "m/s", "train at that interval"
        ),
        "shortest": beside(middle, wake, 0.1 * wake, "mm", "velocity x refractory period"),
        "shortest_led": beside(least, quickest, 0.05 * quickest, "mm", "ring of the least lap time"),
        "longer": {"length_mm": [length / 1e3 for length in lengths], "lap_ms": long},
        "simple_start": simple,
        "led_start": gentle,
    }


def run(quick: bool = False) -> Answer:
    """The four answers; ``quick`` tries fewer delays, strengths, places, lengths and laps."""
    wake = in_the_wake(quick)
    refractory = float(np.median(wake["by_place"]["both_from_ms"]))
    backward = float(np.median(wake["by_place"]["backward_from_ms"]))
    rings = on_rings(quick, refractory)
    simple, gentle = rings["simple_start"], rings["led_start"]
    return {
        "two_ways": two_ways(),
        "collision": collision(),
        "in_the_wake": wake,
        "backward_from_ms": backward,
        "both_from_ms": refractory,
        "rings": rings,
        "answer": [
            "A pulse in the middle sends two spikes outward; two that meet end there, and nothing passes.",
            f"A pulse of {STRENGTH:g} x threshold ({threshold():.0f} nA, 0.2 ms) fails in the wake "
            f"until {backward:.2f} ms after the spike, sends one backward alone until {refractory:.2f} ms, "
            "then both ways.",
            f"On a ring of {RING / 1e3:g} mm a spike went round {rings['laps']} times and settled to "
            f"{rings['velocity']['value']:.3f} m/s.",
            f"From rest it dies on {simple['dies_mm']:.1f} mm and lives on {simple['lives_mm']:.1f} mm; "
            f"led there it dies on {gentle['dies_mm']:.2f} mm and lives on {gentle['lives_mm']:.2f} mm.",
        ],
    }


# Pictures


def figure(answer: Answer, path: Path) -> None:
    """All of it on one page: kymographs, the two maps of the wake, the rings."""
    ring, short, wake = RING / 1e3, SHORT_RING / 1e3, answer["in_the_wake"]
    titles = {
        "two_ways": "pulse in the middle",
        "collision": "pulses at both ends",
        "ring": f"ring of {ring:g} mm, one way",
        "short_ring": f"ring of {short:g} mm",
        "fails": f"pulse {DELAYS['fails']:g} ms later: fails",
        "backward": f"{DELAYS['backward']:g} ms later: backward",
        "both": f"{DELAYS['both']:g} ms later: both ways",
    }
    with context():
        page = empty_figure(190, 205)
        rows = page.subfigures(3, 1, squeeze=False)[:, 0]
        top, middle, bottom = (row.subplots(1, n) for row, n in zip(list(rows), (4, 4, 3), strict=True))
        kymographs = [*top, *middle[:3]]
        for ax, (name, title) in zip(kymographs, titles.items(), strict=True):
            axon.plot_kymograph(scene(name), ax, key=False)
            ax.set_title(title)
            ax.set_xlabel("along the ring (mm)" if scene(name).axon.ring else "position (mm)")
            if ax not in (top[0], middle[0]):
                ax.set_ylabel("")
        top[2].set_yticks(range(0, 21, 5))
        top[1].plot([], [], "-", color=COLOURS["black"], lw=0.8, label="absolute")
        top[1].plot([], [], "--", color=COLOURS["black"], lw=0.8, label="relative wake")
        top[1].legend(loc="lower left", borderaxespad=0.2)
        top[3].text(3.4, 0.85, "held at rest", rotation=90, ha="center", va="center", fontsize=6.5)
        rows[0].colorbar(top[3].images[0], ax=top[3], label="voltage (mV)", aspect=30, pad=0.04)
        draw_places(wake["by_place"], middle[3])
        draw_strengths(wake["by_strength"], bottom[0])
        draw_velocities(answer["rings"], bottom[1])
        draw_laps(answer["rings"]["led_start"], bottom[2])
        for letter, ax in zip("abcdefghijk", [*kymographs, middle[3], *bottom], strict=True):
            ax.set_title(f"$\\bf{{{letter}}}$  {ax.get_title('left')}", fontsize=8.0)
        save(page, path)


def draw_places(found: Answer, ax: Axes) -> None:
    """What a second pulse does where and when, in the frame of the kymographs."""
    x, passed = passage()
    at = np.array(found["at_um"])
    x, passed = (values[(x >= at[0]) & (x <= at[-1])] for values in (x, passed))
    delays = [np.interp(x, at, found[name]) for name in ("backward_from_ms", "both_from_ms")]
    limits = [0.0, *delays, found["delay_ms"][-1]]
    for start, stop, (outcome, shade) in zip(limits[:-1], limits[1:], OUTCOMES.items(), strict=True):
        ax.fill_between(x / 1e3, passed + start, passed + stop, color=shade, linewidth=0, label=outcome)
    ax.plot(x / 1e3, passed, color=COLOURS["black"], label="first spike")
    middle = LENGTH / 2
    times = np.interp(middle, x, passed) + np.array(list(DELAYS.values()))
    ax.plot(np.full(3, middle / 1e3), times, "v", color=COLOURS["black"], ms=5.0, mec="white")
    for letter, t, side in zip("efg", times, (4, -9, 4), strict=True):
        ax.annotate(letter, (middle / 1e3, t), (side, -3), textcoords="offset points", fontweight="bold")
    ax.set(xlim=(0, LENGTH / 1e3), ylim=(11, 0), xlabel="position (mm)")
    ax.set_title(f"outcome by place ({STRENGTH:g} x)")
    ax.legend(loc="lower left", borderaxespad=0.2)


def draw_strengths(found: Answer, ax: Axes) -> None:
    """What a second pulse of which strength does when."""
    strength = np.array(found["strength"])
    limits: list[Any] = [0.0, found["backward_from_ms"], found["both_from_ms"], 6.0]
    for start, stop, shade in zip(limits[:-1], limits[1:], OUTCOMES.values(), strict=True):
        ax.fill_betweenx(strength, start, stop, color=shade, linewidth=0)
    for x, y, outcome in zip((0.65, 3.9, 3.9), (2.0, 22.0, 5.0), OUTCOMES, strict=True):
        ax.text(x, y, outcome, ha="center", va="center")
    ax.annotate("", (1.55, 22.0), (2.6, 22.0), arrowprops={"arrowstyle": "->", "lw": 0.8})
    shown = list(DELAYS.values())
    ax.plot(shown, [STRENGTH] * 3, "v", color=COLOURS["black"], ms=5.0, mec="white")
    for letter, delay in zip("efg", shown, strict=True):
        ax.annotate(letter, (delay, STRENGTH), (-3, 6), textcoords="offset points", fontweight="bold")
    ax.set(yscale="log", xlim=(0, 6), ylim=(1, 40), title="outcome by strength")
    ax.set(xlabel="delay after the spike passed (ms)", ylabel="strength (times threshold)")
    ax.set_yticks([1, 3, 10, 30], ["1", "3", "10", "30"])


def draw_velocities(found: Answer, ax: Axes) -> None:
    """Velocity on rings of every length, and the shortest."""
    for names, label, colour in (
        (("longer", "simple_start"), "from rest", "blue"),
        (("led_start",), "led by pulses", "vermillion"),
    ):
        length = np.concatenate([found[name]["length_mm"] for name in names])
        lap = np.concatenate([found[name]["lap_ms"] for name in names])
        ax.plot(length, length / lap, "o", ms=3.0, color=COLOURS[colour], label=label)
        edge = found[names[-1]]["lives_mm"]
        ax.axvline(edge, color=COLOURS[colour], linewidth=0.8, linestyle=":")
        words = f"not below {edge:.1f} mm"
        ax.text(0.97 * edge, 12.2, words, color=COLOURS[colour], rotation=90, ha="right", va="bottom")
    ax.axhline(WAVE, color=COLOURS["grey"], linewidth=0.8, linestyle="--")
    ax.text(36.0, WAVE, "lone spike", color=COLOURS["grey"], va="bottom")
    ax.set(xscale="log", xlim=(20, 210), ylim=(9, 20.8), title="rings: how fast, how short")
    ax.set(xlabel="length of the ring (mm)", ylabel="velocity (m/s)")
    ax.set_xticks([20, 50, 100, 200], ["20", "50", "100", "200"])
    ax.minorticks_off()
    ax.legend(loc="lower right")


def draw_laps(found: Answer, ax: Axes) -> None:
    """Lap by lap on the shortest ring that lives and the longest that dies."""
    for name, colour, what in (("lives", "blue", "lives on"), ("dies", "vermillion", "dies")):
        laps = np.array(found[f"laps_where_it_{name}_ms"])
        ring = f"{found[f'{name}_mm']:.2f} mm: {what}"
        ax.plot(np.arange(1, len(laps) + 1), laps, "o-", ms=2.0, lw=0.9, color=COLOURS[colour], label=ring)
        if name == "dies" and len(laps):
            ax.plot(len(laps), laps[-1], "X", ms=7.0, color=COLOURS[colour], mec="white")
    ax.set(
        xlabel="lap after the last pulse", ylabel="lap time (ms)", title="rings on either side of the edge"
    )
    ax.set_ylim(bottom=2.33)
    ax.legend(loc="lower right", borderaxespad=0.0)


def movie(name: str) -> Callable[[Answer, Path], object]:
    """What writes a scene as a moving picture."""

    def write(answer: Answer, path: Path) -> None:
        seconds = 1.0 if answer["quick"] else 3.0
        axon.animate(scene(name), path, panels=("voltage", "gates"), duration_s=seconds, dpi=75)

    return write


def viewer(answer: Answer, path: Path) -> None:
    """The collision as a page to play and to point at."""
    axon.view(scene(VIEWED), path)


def main(argv: Sequence[str] | None = None) -> None:
    files: dict[str, Callable[[Answer, Path], object]] = {
        "figure.png": figure,
        "movie.gif": movie("ring"),
        "movie_two_ways.gif": movie("two_ways"),
        "movie_collision.gif": movie("collision"),
        "movie_backward.gif": movie("backward"),
        "movie_short_ring.gif": movie("short_ring"),
        "viewer.html": viewer,
        "run.h5": lambda answer, path: scene("ring").save(path),
    }
    print(study.conduct(__file__, __doc__, run, files, argv))


if __name__ == "__main__":
    main()

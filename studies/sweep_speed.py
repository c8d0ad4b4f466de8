"""How fast is a sweep of many axons, beside its own engine, and beside the same sweep in NEURON?

Question
    The velocity of ten thousand squid axons of different diameters, in one call: how many per second? What do
    plan, workers and file cost on top of the engine, and what does the same sweep cost in NEURON, written as
    its users write it, with a pool of processes?

Theory
    The engine takes some nanoseconds for a step of a compartment. All else is per axon: making it, cutting it
    up, measuring and storing its velocity. An axon of twenty length constants needs the same steps at every
    diameter, so the number of axons is all that matters.

Method
    HH 1952 at 18.5 degC, 35.4 ohm cm, 100 to 1000 um. Rounds of equal batches, interleaved because a
    machine's speed drifts: `axon.sweep("velocity")`; `axon.simulate_many` of the same axons, all of them in
    one call ("raw"); and NEURON (hh with its rate tables, Crank-Nicolson, `multiprocessing.Pool`) on a
    subset, at two settings: A, axon's mesh (120 segments) and step (2.5 us); B, 400 segments and 2.5 us,
    which brings NEURON nearer to axon's accuracy. Medians of ratios over the rounds, quartiles as their
    spread. All use every processor. Apart from that: a function that does nothing, at 10^4 points; a
    finished sweep of 10^4 points asked for again; and one worker of Dask against two.

Expected answer
    - The sweep reaches at least 80 % of the raw speed.
    - At least 20 times as fast as NEURON at no smaller error (B).
    - Less than 1 ms per point on top of the work, less than 2 s to find that nothing is left to do.
    - Two Dask workers at least 1.7 times as fast as one, where two processors are free.

    These are measurements of one machine at one time: what other programs took of it meanwhile is in them.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _benchmark.machine import machine

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.protocols.passage import arrival_times, coarse, end_pulse, long_enough

SQUID = axon.Axon(
    length=1e5, diameter=476.0, membrane=axon.hodgkin_huxley(), axial_resistivity=35.4, celsius=18.5
)
WAVE = 18.7318882479  # m/s at 476 um, exact
SETTINGS = {"A": 120, "B": 400}  # segments in NEURON; the step is axon's
MANY = 10_000


def one_in_neuron(job: tuple[float, int, float]) -> float:
    """Velocity (m/s) of a squid axon (diameter um, segments, step ms), as one writes it in NEURON."""
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    from neuron import h

    diameter, segments, step = job
    length = twenty_length_constants(diameter)
    cable = h.Section()
    cable.L, cable.diam, cable.nseg, cable.Ra, cable.cm = length, diameter, segments, 35.4, 1
    cable.insert("hh")
    cable.ena, cable.ek, cable.el_hh = 50, -77, -54.387
    clamp = h.IClamp(cable(0))
    clamp.delay, clamp.dur, clamp.amp = 0.5, 0.2, end_pulse(axon_of(diameter)).amplitude
    watched = []
    for x in (0.4, 0.8):
        times, detector = h.Vector(), h.NetCon(cable(x)._ref_v, None, sec=cable)
        detector.threshold = -20
        detector.record(times)
        watched.append((detector, times))
    h.celsius, h.secondorder, h.dt, h.usetable_hh = 18.5, 2, step, 1
    parallel = h.ParallelContext()
    parallel.set_maxstep(10)
    h.finitialize(-65)
    parallel.psolve(duration())
    first, last = (float(times[0]) for _, times in watched)
    return float(0.4 * length / (last - first) * 1e-3)


def twenty_length_constants(diameter: float) -> float:
    """Length of the axons, um."""
    return axon_of(diameter).total_length


def axon_of(diameter: float) -> axon.Axon:
    return coarse(
        long_enough(
            axon.Axon(
                length=1.0, diameter=diameter, membrane=SQUID.membrane, axial_resistivity=35.4, celsius=18.5
            )
        )
    )


def duration() -> float:
    """ms that every axon needs, pulse included."""
    return 0.5 + arrival_times([axon_of(476.0)])[0]


def rounds(quick: bool) -> list[dict[str, float]]:
    """Axons per second of each contestant, round by round."""
    count, few, times = (128, 4, 1) if quick else (1024, 16, 5)
    found = []
    with multiprocessing.get_context("spawn").Pool() as pool:
        for number in range(times + 1):
            diameter = np.linspace(100, 1000, count) + 1e-3 * number  # new ones, lest anything be remembered
            rates = {"sweep": rate(lambda d=diameter: swept(d), count)}
            rates["raw"] = rate(lambda d=diameter: simulated(d), count)
            for name, segments in SETTINGS.items() if neuron_is_here() else ():
                jobs = [(float(d), segments, 0.0025) for d in diameter[:: count // few]]
                rates[name] = rate(lambda j=jobs: pool.map(one_in_neuron, j, chunksize=1), len(jobs))
            found.append(rates)
    return found[1:]  # the first one compiles and loads


def rate(work: Any, count: int) -> float:
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def swept(diameter: Any) -> axon.Sweep:
    return axon.sweep("velocity", {"diameter": diameter}, axon=SQUID, progress=False)


def simulated(diameter: Any) -> list[axon.Run]:
    axons = [axon_of(float(d)) for d in diameter]
    pulses = [end_pulse(one) for one in axons]
    record = axon.Record(voltage=None)
    return axon.simulate_many(axons, pulses, duration=duration(), order=4, record=record, progress=False)


def neuron_is_here() -> bool:
    try:
        import neuron  # noqa: F401
    except ImportError:
        return False
    return True


def nothing(x: float) -> float:
    return x


def bookkeeping(quick: bool) -> dict[str, float]:
    """Seconds per point of a function that does nothing, and to find a finished sweep finished."""
    count = 1000 if quick else MANY
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.h5"
        points = np.linspace(0, 1, count)
        per_point = 1 / rate(lambda: axon.sweep(nothing, {"x": points}, to=path, progress=False), count)
        begun = time.perf_counter()
        again = axon.sweep(nothing, {"x": points}, to=path, progress=False)
        assert again.computed == 0
        return {"per_point_ms": 1e3 * per_point, "restart_s": time.perf_counter() - begun}


def on_dask(quick: bool) -> dict[str, float] | None:
    """How many times as fast two workers are as one, by the clock and by the processor time of the busier of
    them, which says what the clock would on an idle machine; None where dask.distributed is not installed."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        return None
    count = 64 if quick else 512
    how: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    clock, busy = [], []
    with LocalCluster(n_workers=2, **how) as cluster, Client(cluster, set_as_default=False) as client:
        names = list(client.scheduler_info()["workers"])
        for number in range(2 if quick else 4):
            diameter = np.linspace(100, 1000, count) + 1e-3 * (number + 1)
            one, two = (timed_on(client, workers, diameter) for workers in (names[:1], names))
            clock.append(one[0] / two[0])
            busy.append(one[1] / two[1])
    return {"by_the_clock": float(np.median(clock[1:])), "by_the_busier_one": float(np.median(busy[1:]))}


def timed_on(client: Any, workers: list[str], diameter: Any) -> tuple[float, float]:
    """Seconds of a sweep on these workers: by the clock, and processor time of the busiest of them."""
    executor = client.get_executor(workers=workers, pure=False)
    before, begun = client.run(time.process_time), time.perf_counter()
    axon.sweep("velocity", {"diameter": diameter}, axon=SQUID, executor=executor, progress=False)
    seconds, after = time.perf_counter() - begun, client.run(time.process_time)
    return seconds, max(after[name] - before[name] for name in workers)


def run(quick: bool = False) -> dict[str, Any]:
    """All measurements; ``quick`` takes fewer axons and one round."""
    found = rounds(quick)
    errors = {"axon": float(np.abs(swept([476.0])["velocity"][0] / WAVE - 1))}
    answer: dict[str, Any] = {"machine": machine(), "rounds": found}
    answer["of_raw_speed"] = ratio(found, "sweep", "raw", 0.8)
    if neuron_is_here():
        for name, segments in SETTINGS.items():
            errors[name] = abs(one_in_neuron((476.0, segments, 0.0025)) / WAVE - 1)
            answer[f"times_neuron_{name}"] = ratio(found, "sweep", name, 20.0 if name == "B" else None)
    answer |= {"relative_error": errors, **bookkeeping(quick), "two_dask_workers_over_one": on_dask(quick)}
    if not quick:
        begun = time.perf_counter()
        swept(np.linspace(100, 1000, MANY))
        answer["ten_thousand_axons_s"] = time.perf_counter() - begun
    return answer | {"answer": words(answer)}


def ratio(found: list[dict[str, float]], one: str, other: str, wanted: float | None) -> dict[str, Any]:
    """Median ratio of two contestants over the rounds, with its quartiles and what was wanted."""
    ratios = [rates[one] / rates[other] for rates in found]
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return {"median": middle, "quartiles": [low, high], "wanted": wanted}


def words(answer: dict[str, Any]) -> str:
    rates = [one["sweep"] for one in answer["rounds"]]
    neuron = ""
    if "times_neuron_B" in answer:
        error = {
            name: own / answer["relative_error"]["axon"] for name, own in answer["relative_error"].items()
        }
        times = {name: answer[f"times_neuron_{name}"]["median"] for name in SETTINGS}
        neuron = (
            f", {times['B']:.0f} times as many as NEURON with {error['B']:.1f} times the error and "
            f"{times['A']:.0f} times as many as NEURON with {error['A']:.0f} times the error"
        )
    return (
        f"{np.median(rates):.0f} axons per second, {100 * answer['of_raw_speed']['median']:.0f} % of the raw "
        f"engine{neuron}; {answer['per_point_ms']:.3f} ms a point on top of the work, "
        f"{answer['restart_s']:.2f} s to find nothing left to do"
    )


def figure(answer: dict[str, Any], path: Path) -> None:
    """Axons per second of each contestant, a dot for each round."""
    names = {
        "sweep": "axon.sweep",
        "raw": "axon.simulate_many",
        "A": "NEURON, 120 segments",
        "B": "NEURON, 400 segments",
    }
    with context():
        page = empty_figure(120, 70)
        ax = page.subplots()
        shown = [name for name in names if name in answer["rounds"][0]]
        for row, name in enumerate(reversed(shown)):
            rates = [one[name] for one in answer["rounds"]]
            ax.plot(rates, np.full(len(rates), row), "o", color=COLOURS["blue"], markersize=4, alpha=0.6)
            ax.plot(np.median(rates), row, "|", color=COLOURS["vermillion"], markersize=16)
        ax.set_yticks(range(len(shown)), [names[name] for name in reversed(shown)])
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_ylim(-0.6, len(shown) - 0.4)
        ax.set_xlabel("squid axons per second (bar: median)")
        save(page, path)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

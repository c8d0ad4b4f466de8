"""What a further step costs as axons grow longer and more numerous, on more threads, and while recording."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import axon
from _benchmark import squid
from _benchmark.cost import ratio, spread

Answer = dict[str, Any]

DX, DT = 100.0, 0.05  # um, ms; the compartments and steps of the cost
LENGTHS = (100, 1000, 10_000, 100_000, 1_000_000)  # compartments
NUMBERS = (1, 4, 16, 64, 256, 1024, 10_000)  # axons, of so many compartments each:
SHORT = 100
THREADED = 64, 1000  # axons and compartments shared out among threads
ENOUGH = 4e7  # compartment-steps that take long enough to time
LEAST_STEPS, MOST_STEPS = 300, 20_000


def squids(count: int, compartments: int) -> list[axon.Axon]:
    """So many axons of different diameters."""
    return [
        axon.Axon(
            length=compartments * DX,
            diameter=diameter,
            membrane=axon.hodgkin_huxley(),
            axial_resistivity=squid.RESISTIVITY,
        )
        for diameter in np.linspace(400.0, 560.0, count)
    ]


def alive(compartments: int) -> NDArray[np.float64]:
    """A start (mV) from which spikes go out everywhere, since a resting axon would flatter the caches."""
    excited = np.arange(compartments) % 800 < 100
    return np.where(excited, 20.0, squid.REST)


def call(
    axons: Sequence[axon.Axon],
    compartments: int,
    steps: int,
    threads: int,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Seconds of one complete call."""
    begun = clock()
    axon.simulate_many(
        axons,
        [()] * len(axons),
        duration=steps * DT,
        dt=DT,
        dx=DX,
        record=axon.Record(voltage=None),
        initial_voltage=alive(compartments),
        threads=threads,
        progress=False,
    )
    return clock() - begun


def further_step(count: int, compartments: int, rounds: int) -> Answer:
    """Nanoseconds per compartment of a further step on one thread, and seconds before the first one."""
    axons, size = squids(count, compartments), count * compartments
    few = 10
    more = few + int(np.clip(ENOUGH / size, LEAST_STEPS, MOST_STEPS))
    begin, end = [], []
    for _ in range(rounds):
        begin.append(call(axons, compartments, few, 1, time.process_time))
        end.append(call(axons, compartments, more, 1, time.process_time))
    step = (min(end) - min(begin)) / (more - few)
    return {
        "axons": count,
        "compartments_each": compartments,
        "ns_per_compartment_step": step / size * 1e9,
        "seconds_before_first_step": min(begin) - few * step,
    }


def threads(rounds: int) -> Answer:
    """Wall-clock cost on one thread, two, and so on to the number of processors.

    Beside each the gain of as many processes that know nothing of one another, each at the one-thread job: no
    more than that is to be had of the machine at that moment.
    """
    count, compartments = THREADED
    axons, steps = squids(count, compartments), 400
    numbers = [n for n in (1, 2, 4, 8, 16, 32, 64) if n <= (os.cpu_count() or 1)]
    spent: dict[int, list[float]] = {n: [] for n in numbers}
    apart: dict[int, list[float]] = {n: [] for n in numbers if n > 1}
    job = axons, compartments, steps, 1
    with ProcessPoolExecutor(numbers[-1], mp_context=get_context("spawn")) as pool:
        for turn in range(rounds + 1):
            for n in numbers:
                seconds = call(axons, compartments, steps, n)
                if turn:
                    spent[n].append(seconds / (count * compartments * steps) * 1e9)
                if n > 1:
                    together = max(done.result() for done in [pool.submit(call, *job) for _ in range(n)])
                    if turn:
                        apart[n].append(together / n / (count * compartments * steps) * 1e9)
    return {
        "axons": count,
        "compartments_each": compartments,
        "ns_per_compartment_step": {str(n): spread(values) for n, values in spent.items()},
        "times_faster_than_one": {str(n): ratio(spent[1], values) for n, values in spent.items() if n > 1},
        "processes_times_faster_than_one": {str(n): ratio(spent[1], v) for n, v in apart.items()},
    }


def scaling(quick: bool, rounds: int) -> Answer:
    """Cost of a further step against length, number of axons and threads."""
    lengths = [n for n in LENGTHS if n <= 10_000 or not quick]
    numbers = [n for n in NUMBERS if n <= 256 or not quick]
    answer: Answer = {
        "length": [further_step(1, n, rounds) for n in lengths],
        "number": [further_step(n, SHORT, rounds) for n in numbers],
        "threads": threads(rounds),
    }
    if not quick:
        answer["memory"] = memory(LENGTHS[-1])
    return answer


def memory(compartments: int) -> Answer | None:
    """Most memory that a process of its own takes for one long axon, spikes recorded; None off Linux."""
    if not sys.platform.startswith("linux"):
        return None
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        before = pool.submit(_peak).result()
        pool.submit(call, squids(1, compartments), compartments, 20, 1).result()
        after = pool.submit(_peak).result()
    return {"compartments": compartments, "megabytes": after, "megabytes_before": before}


def _peak() -> float:
    # not getrusage's ru_maxrss, which a new process inherits from the one that started it
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def recording(quick: bool, rounds: int) -> Answer:
    """What recording adds to one axon of 1000 compartments that fires repetitively."""
    (one,) = squids(1, 1000)
    pulse = axon.Pulse(amplitude=5000.0, start=0.1, duration=np.inf, at=0)
    places = tuple(np.linspace(0.0, 1000 * DX, 100))
    records = {
        "nothing": axon.Record(voltage=None, threshold=1000.0),
        "spikes": axon.Record(voltage=None),
        "voltage at 100 places every 0.5 ms": axon.Record(every=0.5, where=places),
        "voltage everywhere every 0.5 ms": axon.Record(every=0.5),
        "voltage everywhere every 0.05 ms": axon.Record(every=0.05),
        "voltage everywhere every 0.05 ms, to a file": axon.Record(every=0.05),
        "voltage and gates everywhere every 0.5 ms": axon.Record(every=0.5, gates=True),
    }
    duration = 100.0 if quick else 400.0
    spent: dict[str, list[float]] = {name: [] for name in records}
    with TemporaryDirectory() as folder:
        for turn in range(rounds + 1):
            for name, record in records.items():
                to = Path(folder, "run.h5") if name.endswith("to a file") else None
                begun = time.process_time()
                axon.simulate(
                    one, pulse, duration=duration, dt=DT, dx=DX, record=record, to=to, progress=False
                )
                if turn:
                    spent[name].append(time.process_time() - begun)
    return {name: ratio(values, spent["nothing"]) for name, values in spent.items()}

"""How long it takes until a velocity is right to so many digits."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

import axon
from _benchmark.cost import ratio, spread
from _benchmark.neuron import cvode
from _benchmark.own import axons_of, pulse_of
from _benchmark.problem import Peer, Prepare, Problem
from axon import study
from axon.protocols.wave import travelling_wave

Answer = dict[str, Any]

ONE_SPIKE = Problem(
    diameters=(476.0,),
    length=1e5,
    celsius=18.5,
    amplitude=20_000.0,
    pulse=0.2,
    duration=5.0,
    compartments=1000,
    dt=0.05,
)
WINDOW = (0.4, 0.8)  # of the length: where the velocity is measured
ACCURACIES = (5e-3, 1e-3, 1e-4)
CVODE, ASKED = "NEURON, CVODE", "axon.measure_velocity"
ORDER_IN_DT = {"Arbor": 1, "axon, order 4": 3}  # second of all others


@dataclasses.dataclass
class Run:
    """One (dx, dt) of one tool: the velocity it gives (m/s) and the seconds it takes, turn by turn."""

    curve: str
    dx: float  # um
    dt: float  # ms; of a variable step its tolerance (mV), of measure_velocity its accuracy
    measure: Callable[[], tuple[float, float]]
    velocity: float = np.nan
    seconds: list[float] = dataclasses.field(default_factory=list)

    def turn(self) -> None:
        seconds, self.velocity = self.measure()
        self.seconds.append(seconds)


def by_peer(prepare: Prepare, problem: Problem) -> Callable[[], tuple[float, float]]:
    trial = prepare(problem, True)

    def measure() -> tuple[float, float]:
        seconds, arrivals = trial()
        return seconds, problem.speed(arrivals)

    return measure


def by_axon(problem: Problem, order: int) -> Callable[[], tuple[float, float]]:
    (squid,), pulse = axons_of(problem), pulse_of(problem)
    dx, between = problem.length / problem.compartments, tuple(x * problem.length for x in WINDOW)

    def measure() -> tuple[float, float]:
        begun = time.process_time()
        run = axon.simulate(
            squid,
            pulse,
            duration=problem.duration,
            dt=problem.dt,
            dx=dx,
            order=order,
            record=axon.Record(voltage=None),
            progress=False,
        )
        velocity = run.velocity(between=between).value
        return time.process_time() - begun, velocity

    return measure


def grids(quick: bool) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    """(dx in um, dt in ms or tolerance in mV) of every kind of tool; quick: what is near the answer."""
    if quick:
        second, fine = (500.0, 250.0, 125.0), (0.01, 0.005, 0.0025, 0.00125)
        first = (0.0025, 0.00125, 0.000625)
        return {
            "axon, order 2": (second, fine),
            "axon, order 4": ((1000.0, 500.0, 250.0), (0.02, 0.01, 0.005, 0.0025)),
            "NEURON": (second, fine),
            "CVODE": (second, (1e-3, 1e-4)),
            "Arbor": (second, first),
        }
    second = (1000.0, 500.0, 250.0, 125.0, 62.5)
    halvings = tuple(0.04 / 2**k for k in range(6))
    return {
        "axon, order 2": (second, (*halvings, 0.000625)),
        "axon, order 4": (
            (2000.0, 1600.0, 1250.0, 1000.0, 800.0, 700.0, 650.0, 500.0, 400.0, 250.0),
            (*halvings, 0.03, 0.025, 0.015, 0.0125, 0.012, 0.0075),
        ),
        "NEURON": (second, halvings),
        "CVODE": (second, (1e-2, 1e-3, 1e-4, 1e-5)),
        "Arbor": (second[:4], tuple(0.005 / 2**k for k in range(6))),
    }


def runs_of(peers: Sequence[Peer], quick: bool) -> list[Run]:
    """Every run of the scan, ready to take turns."""
    grid = grids(quick)
    settings = [(f"axon, order {order}", f"axon, order {order}", None) for order in (2, 4)]
    settings += [
        (peer.name, "Arbor" if peer.name == "Arbor" else "NEURON", peer.prepare)
        for peer in peers
        if peer.scan
    ]
    runs = []
    for curve, kind, prepare in settings:
        for dx in grid[kind][0]:
            for dt in grid[kind][1]:
                problem = dataclasses.replace(ONE_SPIKE, compartments=round(ONE_SPIKE.length / dx), dt=dt)
                measure = by_axon(problem, int(curve[-1])) if prepare is None else by_peer(prepare, problem)
                runs.append(Run(curve, dx, dt, measure))
    if any(peer.name == "NEURON" for peer in peers):
        for dx in grid["CVODE"][0]:
            for tolerance in grid["CVODE"][1]:
                problem = dataclasses.replace(ONE_SPIKE, compartments=round(ONE_SPIKE.length / dx))
                runs.append(Run(CVODE, dx, tolerance, by_peer(cvode(tolerance), problem)))
    return runs


def extrapolated(runs: Sequence[Run]) -> list[Run]:
    """Richardson's extrapolation in dt of every pair (dt, dt/2), which takes the time of both runs."""
    found = []
    for coarse in runs:
        for fine in runs:
            if (fine.curve, fine.dx) == (coarse.curve, coarse.dx) and np.isclose(
                2 * fine.dt, coarse.dt, rtol=1e-9
            ):
                gain = 2 ** ORDER_IN_DT.get(coarse.curve, 2) - 1
                pair = dataclasses.replace(fine, curve=f"{fine.curve}, extrapolated")
                pair.velocity = fine.velocity + (fine.velocity - coarse.velocity) / gain
                pair.seconds = [a + b for a, b in zip(fine.seconds, coarse.seconds, strict=True)]
                found.append(pair)
    return found


def within(run: Run, accuracy: float, wave: float) -> bool:
    return abs(run.velocity / wave - 1) <= accuracy


def sure(run: Run, runs: Sequence[Run], accuracy: float, wave: float) -> bool:
    """Whether this run and all that are finer are within the accuracy."""
    finer = [r for r in runs if r.curve == run.curve and r.dx <= run.dx and r.dt <= run.dt]
    return all(within(r, accuracy, wave) for r in finer)


def accuracy(peers: Sequence[Peer], quick: bool, rounds: int) -> Answer:
    """Error and time of every run, and the time of the fastest within each accuracy."""
    wave = travelling_wave(axons_of(ONE_SPIKE)[0]).velocity
    asked = [_Asked(part) for part in ACCURACIES]
    runs = runs_of(peers, quick) + [Run(ASKED, 0.0, one.accuracy, one) for one in asked]
    for _ in range(rounds):
        for run in runs:
            run.turn()
    pairs = extrapolated([run for run in runs if run.curve not in (CVODE, ASKED)])
    ours = [pair for pair in pairs if pair.curve.startswith("axon, order 4")]
    finest = min(ours, key=lambda run: (run.dx, run.dt)).velocity
    runs += pairs
    return {
        "travelling_wave_m_per_s": wave,
        "finest": study.compared(finest, wave, "m/s", tolerance=1e-5 * wave, source="travelling wave"),
        "curves": curves(runs, wave),
        "time_to": [time_to(part, runs, wave) for part in ACCURACIES],
        "measure_velocity": [one.found(wave) for one in asked],
    }


def curves(runs: Sequence[Run], wave: float) -> dict[str, list[Answer]]:
    """Every run of every tool, the fastest first."""
    found: dict[str, list[Answer]] = {}
    for run in sorted(runs, key=lambda run: median(run.seconds)):
        found.setdefault(run.curve, []).append(
            {
                "dx_um": run.dx,
                {CVODE: "tolerance_mV", ASKED: "accuracy"}.get(run.curve, "dt_ms"): run.dt,
                "velocity_m_per_s": run.velocity if np.isfinite(run.velocity) else None,
                "error": abs(run.velocity / wave - 1) if np.isfinite(run.velocity) else None,
                "seconds": median(run.seconds),
                "sure": [sure(run, runs, part, wave) for part in ACCURACIES],
            }
        )
    return found


def time_to(part: float, runs: Sequence[Run], wave: float) -> Answer:
    """Fastest run of every tool within an accuracy; how much sooner axon is there than the best peer."""
    fastest: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: median(run.seconds)):
        if run.curve == ASKED:
            right = run.dt == part and within(run, part, wave)
        elif run.curve.startswith("axon"):
            right = sure(run, runs, part, wave)
        else:
            right = within(run, part, wave)
        if right:
            fastest.setdefault(run.curve, run)
    by_hand = [name for name in fastest if name.endswith("extrapolated")]
    axons = [name for name in fastest if name.startswith("axon")]
    peers = [name for name in fastest if name not in axons]
    theirs = {"best peer": [name for name in peers if name not in by_hand], "best peer by hand": peers}
    own = {"axon": axons, ASKED: [name for name in axons if name == ASKED]}
    return {
        "accuracy": part,
        "ms": {
            name: {"dx_um": run.dx, "dt_ms": run.dt, **spread([1e3 * s for s in run.seconds])}
            for name, run in fastest.items()
        },
    } | {
        f"{label} over {name}": _compared(fastest, others, mine)
        for label, others in theirs.items()
        for name, mine in own.items()
        if others and mine
    }


def _compared(fastest: dict[str, Run], peers: list[str], axons: list[str]) -> Answer:
    """The ratio of the fastest of the one to the fastest of the other."""
    peer, own = (min(names, key=lambda name: median(fastest[name].seconds)) for names in (peers, axons))
    return {"peer": peer, "axon": own, **ratio(fastest[peer].seconds, fastest[own].seconds)}


class _Asked:
    """``axon.measure_velocity(..., accuracy=part)``: its time, the error it states and the true one."""

    def __init__(self, part: float) -> None:
        self.accuracy = part
        self.last: Any = None

    def __call__(self) -> tuple[float, float]:
        (squid,), pulse = axons_of(ONE_SPIKE), pulse_of(ONE_SPIKE)
        between = (WINDOW[0] * ONE_SPIKE.length, WINDOW[1] * ONE_SPIKE.length)
        begun = time.process_time()
        self.last = axon.measure_velocity(
            squid,
            pulse,
            duration=ONE_SPIKE.duration,
            accuracy=self.accuracy,
            between=between,
            progress=False,
        )
        return time.process_time() - begun, float(self.last)

    def found(self, wave: float) -> Answer:
        """What the last call said of itself, beside the truth."""
        return {
            "accuracy": self.accuracy,
            "stated_error": self.last.error / wave,
            "error": abs(float(self.last) / wave - 1),
            "runs": len(self.last.runs),
            "legitimate": self.last.legitimate,
        }

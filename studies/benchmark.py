"""How fast is axon beside the simulators that one would take instead, per step and per digit?

Question
    What does one compartment cost per step, how long does it take until a velocity is right to 0.5, 0.1 and
    0.01 %, and do both hold as axons grow longer and more numerous, on more threads, and while recording?

Method
    Everything below is one run on one machine, in double precision; the tools take turns, each number is the
    median of the turns, and each ratio is given with its least and greatest within one turn. What is compared
    runs on one thread and is timed on the processor's clock, which other work on the machine disturbs least
    and which counts any second thread. A peer is timed for its time loop alone and in its best honest setting
    (see ``settings`` in the answer); axon is timed for the complete call, spikes included. It has met the
    axon before, and keeps of it compartments, tables and layout, as the peers keep their models.

    *Cost*: squid axons (HH 1952, 6.3 degC, 10 cm) of 1000 compartments at dt 0.05 ms, firing repetitively
    under a steady current; one axon, then 64 of different diameters in one call. Each tool's velocity at
    these steps is told beside its cost.

    *Time to a velocity*: the same axon at 18.5 degC and 476 um, one pulse, velocity between 4 and 8 cm. Each
    tool runs on a grid of (dx, dt); its error is that against the travelling wave of the same equations, and
    its time to an accuracy is that of its fastest run within it. For a peer this may be luck, two errors
    that cancel; for axon a run counts only if every finer run of its grid is within too. (Between the points
    of its grid CVODE has more luck: 0.003 % in 64 ms at 175 um and 0.01 mV; held to every finer run it needs
    105 ms for 0.01 %, at 125 um and 0.003 mV.) "Extrapolated" is
    Richardson's in dt, from the runs at dt and dt/2 and by the order of each: third for axon on its mesh of
    order 4, first for Arbor, second for all others; it is also done by hand for the peers.

    *Scaling*: cost of a further step, a long run less a short one; threads on the wall clock.

Expected answer
    Of this machine's kind (2 cores, 2.3 GHz, AVX-512) are known, in ns per compartment-step: NEURON 90,
    CoreNEURON 59, Brian2 87, Jaxley 44, Arbor 30; and to 0.1 %: NEURON 49 ms, Arbor 155 ms; to 0.01 %:
    NEURON 203 ms. axon should be 5 times faster per compartment-step than Arbor and 15 times faster than
    NEURON (64 axons: 8 and 20 times), reach 0.1 % 30 times and 0.01 % 100 times sooner than the best peer,
    and gain 1.8 times from a second thread.

What did not pay
    Skipping what rests: of all compartment-steps of the 64 axons 1.0 % lie within 1e-9 mV of rest, of the one
    spike on 10 cm 2.5 %, since the foot of a spike falls by e only every 1.8 mm (18.5 degC), and its wake
    outlasts the axon. Gates of two lanes side by side in one vector: -3 to +2 %. Gates one row ahead of their
    channels: 0 %. A shorter chain from pivot to pivot: 0 %. Every voltage of every step costs 1.3 times a run
    that records nothing: it is the memory that takes 8 bytes for each compartment-step.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _benchmark.accuracy import ASKED, CVODE, accuracy
from _benchmark.cost import cost, velocities
from _benchmark.drawing import draw
from _benchmark.machine import machine
from _benchmark.own import AXON
from _benchmark.peers import find_peers
from _benchmark.problem import Problem
from _benchmark.scaling import recording, scaling

from axon import study

Answer = dict[str, Any]

STEADY_FIRING = Problem(
    diameters=(476.0,),
    length=1e5,
    celsius=6.3,
    amplitude=5000.0,
    pulse=np.inf,
    duration=200.0,
    compartments=1000,
    dt=0.05,
)
MANY = tuple(float(diameter) for diameter in np.linspace(400.0, 560.0, 64))


def run(quick: bool = False) -> Answer:
    """All numbers; ``quick`` leaves out the slow peers, the fine steps and the large sizes."""
    peers, missing = find_peers(slow=not quick)
    one = dataclasses.replace(STEADY_FIRING, duration=50.0 if quick else 200.0)
    many = dataclasses.replace(STEADY_FIRING, diameters=MANY, duration=4.0 if quick else 20.0)
    rounds = 3 if quick else 5
    answer: Answer = {
        "machine": machine(),
        "settings": {tool.name: f"{tool.version}: {tool.setting}" for tool in [AXON, *peers]},
        "missing": missing,
        "cost": {
            "one": cost(peers, one, rounds),
            "many": cost(peers, many, rounds),
            "velocity": velocities(peers, one),
        },
        "accuracy": accuracy(peers, quick, 2 if quick else 3),
        "scaling": scaling(quick, 2),
        "recording": recording(quick, rounds),
    }
    return answer | {"answer": list(words(answer))}


def words(answer: Answer) -> Iterator[str]:
    """The answer as lines of text."""
    facts = answer["machine"]
    yield f"{facts['processor']}, {facts['processors']} processors, {facts['lanes']} lanes"
    yield from cost_in_words(answer["cost"])
    yield from accuracy_in_words(answer["accuracy"])
    yield from scaling_in_words(answer)
    for name, why in answer["missing"].items():
        yield f"{name}: {why}"


def cost_in_words(answer: Answer) -> Iterator[str]:
    for part in (answer["one"], answer["many"]):
        yield ""
        yield (
            f"ns per compartment-step, {part['axons']} x {part['compartments']} compartments"
            f"   velocity {'times axon':<22}times its loop"
        )
        for name, found in part["ns_per_compartment_step"].items():
            checked = answer["velocity"].get(name)
            error = f"{100 * checked['error']:+.2f} %" if checked else ""
            ratios = f"{times(part['times_axon'][name]):<22}{times(part['times_loop'][name])}"
            yield f"    {name:<26}{found['median']:>8.2f} ns   {error:<9}{ratios}"


def times(found: Answer | None) -> str:
    return f"{found['median']:.1f} ({found['least']:.1f}..{found['greatest']:.1f})" if found else ""


def accuracy_in_words(answer: Answer) -> Iterator[str]:
    for entry, asked in zip(answer["time_to"], answer["measure_velocity"], strict=True):
        yield ""
        yield f"velocity within {100 * entry['accuracy']:g} %"
        for name, found in sorted(entry["ms"].items(), key=lambda item: item[1]["median"]):
            how = f"dx {found['dx_um']:g} um, dt {found['dt_ms']:.4g} ms"
            if name == CVODE:
                how = f"dx {found['dx_um']:g} um, tolerance {found['dt_ms']:g} mV"
            elif name == ASKED:
                how = f"states {100 * asked['stated_error']:.2g} %, off by {100 * asked['error']:.2g} %"
            yield f"    {name:<34}{found['median']:>9.2f} ms   {how}"
        ratios = [found for label, found in entry.items() if " over " in label]
        yield from dict.fromkeys(f"    {times(r)} times: {r['peer']} over {r['axon']}" for r in ratios)


def scaling_in_words(answer: Answer) -> Iterator[str]:
    found = answer["scaling"]
    yield ""
    yield "ns per compartment of a further step, one thread (s before the first step)"
    for rows in (found["length"], found["number"]):
        yield "    " + ", ".join(
            f"{row['axons']} x {row['compartments_each']}: {row['ns_per_compartment_step']:.2f} "
            f"({row['seconds_before_first_step']:.2g})"
            for row in rows
        )
    for n, gain in found["threads"]["times_faster_than_one"].items():
        most = found["threads"]["processes_times_faster_than_one"][n]
        yield f"{n} threads, {found['threads']['axons']} axons: {times(gain)} times faster than one"
        yield f"    ({n} processes that share nothing: {times(most)})"
    if found.get("memory"):
        most, before = found["memory"]["megabytes"], found["memory"]["megabytes_before"]
        yield f"memory of {found['memory']['compartments']} compartments: {most:.0f} MB ({before:.0f} before)"
    yield "recording, in times the cost of recording nothing:"
    for name, cost_of in answer["recording"].items():
        yield f"    {name:<45}{times(cost_of)}"


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": draw}, argv))


if __name__ == "__main__":
    main()

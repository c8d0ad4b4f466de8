"""Simulate a spike in a uniform axon or a myelinated fibre and keep the run in a file."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from axon.commands.common import INTERRUPTED, answer, check_writable, quiet_argument

if TYPE_CHECKING:
    from axon.geometry import Axon
    from axon.stimuli import Pulse

# What a uniform axon and a fibre take, and what they are where it is not given.
UNIFORM = {"length": 100_000.0, "diameter": 476.0, "celsius": 6.3, "axial_resistivity": 35.4}
FIBRE = {"diameter": 10.0, "nodes": 41, "celsius": None}
UNIFORM_DURATION = 10.0  # ms
FIBRE_DURATION, FIBRE_DURATION_PER_NODE = 1.0, 0.05  # ms; a spike takes 0.02 to 0.06 from node to node
FIBRE_EVERY = 0.01  # ms between samples, two from node to node


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        default="hodgkin-huxley",
        help="a fibre, such as mrg, or a membrane; of a name that is both, the fibre unless --length is "
        "given (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE.h5", help="where the run goes")
    quiet_argument(parser)
    parser.add_argument("--gates", action="store_true", help="keep the gates too; pictures shade the wake")
    parser.add_argument("--currents", action="store_true", help="keep the currents of the channels too")
    parser.add_argument(
        "--order",
        type=int,
        choices=(2, 4),
        default=2,
        help="order in dx; with 4 the third in dt (default: %(default)d)",
    )
    parser.add_argument(
        "--max-size", type=float, metavar="MB", help="refuse to record more than this, before compression"
    )
    parser.add_argument("--nodes", type=int, metavar="N", help="nodes of a fibre (default: 41)")
    numbers: tuple[tuple[str, str, float | None, str], ...] = (
        ("length", "UM", None, "length of a uniform axon (default: 100000)"),
        ("diameter", "UM", None, "diameter (default: 476; of a fibre, with its myelin: 10)"),
        ("celsius", "C", None, "temperature (default: 6.3; of a fibre: its model's own)"),
        ("axial-resistivity", "OHM_CM", None, "resistivity of a uniform axon's axoplasm (default: 35.4)"),
        ("dx", "UM", None, "longest compartment (default: from the length constant; of a fibre: published)"),
        ("dt", "MS", None, "time step (default: from membrane and temperature)"),
        ("duration", "MS", None, "time simulated (default: 10; of a fibre, by its nodes)"),
        ("amplitude", "NA", None, "current of the pulse (default: scaled to start a spike)"),
        ("pulse-start", "MS", 0.5, "when the pulse begins"),
        ("pulse-duration", "MS", 0.2, "how long it lasts"),
        ("at", "UM", 0.0, "where it is given"),
    )
    for name, unit, default, text in numbers:
        shown = "" if default is None else " (default: %(default)g)"
        parser.add_argument(f"--{name}", type=float, default=default, metavar=unit, help=text + shown)


def command(arguments: argparse.Namespace) -> int:
    from axon.checks import positive
    from axon.describe import velocity_facts, velocity_line
    from axon.discretise.job import default_dt
    from axon.record import Record

    axon = axon_of(arguments)
    pulse = pulse_of(arguments, axon)
    check_writable(arguments.output)
    if not arguments.json:
        print(stimulus_line(pulse, default=arguments.amplitude is None))
    duration = duration_of(arguments, axon)
    most = None if arguments.max_size is None else arguments.max_size * 1e6
    record = Record(gates=arguments.gates, currents=arguments.currents, max_size=most)
    if axon.myelinated:
        record = replace(record, every=FIBRE_EVERY)
    positive("duration", duration, "ms")
    dt = default_dt(axon) if arguments.dt is None else positive("dt", arguments.dt, "ms")
    size = record.predicted_size(axon, duration=duration, dt=dt, dx=arguments.dx)
    if not arguments.json:
        print(f"samples {size / 1e6:.3g} MB before compression", flush=True)
    from axon.simulate import simulate  # slow to import, so only once the arguments have proved good

    began = time.perf_counter()
    outcome = simulate(
        axon,
        pulse,
        duration=duration,
        dt=arguments.dt,
        dx=arguments.dx,
        order=arguments.order,
        record=record,
        progress=not arguments.quiet,
    )
    outcome.save(arguments.output)
    facts = {
        "file": arguments.output,
        "complete": outcome.complete,
        "seconds": time.perf_counter() - began,
        "stimulus": {name: getattr(pulse, name) for name in ("amplitude", "start", "duration", "at")},
        **velocity_facts(outcome),
    }
    answer(arguments, facts, f"{arguments.output}: {velocity_line(outcome)}; took {facts['seconds']:.2g} s")
    if outcome.complete:
        return 0
    reached = outcome.time[-1] if len(outcome.time) else 0.0
    print(f"axon: interrupted; {arguments.output} holds the run up to {reached:g} ms", file=sys.stderr)
    return INTERRUPTED


def axon_of(arguments: argparse.Namespace) -> Axon:
    from axon.errors import unknown_name
    from axon.fibres import FIBRES, myelinated
    from axon.geometry import Axon
    from axon.membranes import MODELS

    name = arguments.model.replace("-", "_").lower()
    if name not in MODELS and name not in FIBRES:
        raise ValueError(unknown_name("model", arguments.model, sorted({*MODELS, *FIBRES})))
    fibre = name in FIBRES and (name not in MODELS or arguments.length is None)
    own, other = (FIBRE, UNIFORM) if fibre else (UNIFORM, FIBRE)
    given = {key: getattr(arguments, key) for key in own | other if getattr(arguments, key) is not None}
    alien = [f"--{key.replace('_', '-')}" for key in given if key not in own]
    if alien:
        kind = "the myelinated fibre" if fibre else "a uniform axon of"
        usable = ", ".join(f"--{key.replace('_', '-')}" for key in own)
        raise ValueError(f"{alien[0]} says nothing of {kind} {name}, which takes {usable}")
    numbers = own | given
    if fibre:
        return myelinated(numbers.pop("diameter"), name, **numbers)
    return Axon(membrane=MODELS[name](), **numbers)


def duration_of(arguments: argparse.Namespace, axon: Axon) -> float:
    if arguments.duration is not None:
        return arguments.duration
    if not axon.myelinated:
        return UNIFORM_DURATION
    return FIBRE_DURATION + FIBRE_DURATION_PER_NODE * len(axon.nodes)


def pulse_of(arguments: argparse.Namespace, axon: Axon) -> Pulse:
    from axon.protocols.stimulus import suprathreshold_pulse
    from axon.stimuli import Pulse

    timing = {"start": arguments.pulse_start, "duration": arguments.pulse_duration, "at": arguments.at}
    if arguments.amplitude is not None:
        return Pulse(amplitude=arguments.amplitude, **timing)
    return suprathreshold_pulse(axon, dx=arguments.dx, **timing)


def stimulus_line(pulse: Pulse, *, default: bool) -> str:
    origin = " (scaled from the input impedance; --amplitude sets it)" if default else ""
    times = f"{pulse.duration:g} ms from {pulse.start:g} ms"
    return f"stimulus {pulse.amplitude:g} nA for {times} at {pulse.at:g} um{origin}"

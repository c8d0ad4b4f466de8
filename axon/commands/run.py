"""Simulate a spike in a uniform axon and keep the run in a file."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from axon.commands.common import INTERRUPTED, answer, check_writable, quiet_argument

if TYPE_CHECKING:
    from axon.geometry import Axon
    from axon.stimuli import Pulse


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", default="hodgkin-huxley", help="membrane model (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE.h5", help="where the run goes")
    quiet_argument(parser)
    parser.add_argument(
        "--gates", action="store_true", help="keep the gates too; `axon animate` shades the wake"
    )
    parser.add_argument(
        "--order", type=int, choices=(2, 4), default=2, help="order of the mesh (default: %(default)d)"
    )
    numbers: tuple[tuple[str, str, float | None, str], ...] = (
        ("length", "UM", 100_000.0, "length of the axon"),
        ("diameter", "UM", 476.0, "its diameter"),
        ("celsius", "C", 6.3, "its temperature"),
        ("axial-resistivity", "OHM_CM", 35.4, "resistivity of the axoplasm"),
        ("dx", "UM", None, "longest compartment (default: from the length constant at high frequency)"),
        ("dt", "MS", None, "time step (default: from membrane and temperature)"),
        ("duration", "MS", 10.0, "time simulated"),
        ("amplitude", "NA", None, "current of the pulse (default: scaled to start a spike)"),
        ("pulse-start", "MS", 0.5, "when the pulse begins"),
        ("pulse-duration", "MS", 0.2, "how long it lasts"),
        ("at", "UM", 0.0, "where it is given"),
    )
    for name, unit, default, text in numbers:
        shown = "" if default is None else " (default: %(default)g)"
        parser.add_argument(f"--{name}", type=float, default=default, metavar=unit, help=text + shown)


def command(arguments: argparse.Namespace) -> int:
    from axon.describe import velocity_facts, velocity_line
    from axon.record import Record

    axon = axon_of(arguments)
    pulse = pulse_of(arguments, axon)
    check_writable(arguments.output)
    if not arguments.json:
        print(stimulus_line(pulse, default=arguments.amplitude is None), flush=True)
    from axon.simulate import simulate  # slow to import, so only once the arguments have proved good

    began = time.perf_counter()
    outcome = simulate(
        axon,
        pulse,
        duration=arguments.duration,
        dt=arguments.dt,
        dx=arguments.dx,
        order=arguments.order,
        record=Record(gates=arguments.gates),
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
    from axon.geometry import Axon
    from axon.membranes import model

    names = ("length", "diameter", "axial_resistivity", "celsius")
    return Axon(membrane=model(arguments.model), **{name: getattr(arguments, name) for name in names})


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

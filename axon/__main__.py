"""The `axon` command: run, velocity, inspect, animate, plot, models, study and warmup, from a shell.

A user's error is one line on standard error and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from axon.errors import AxonError, unknown_name

if TYPE_CHECKING:
    from axon.geometry import Axon
    from axon.stimuli import Pulse

USER_ERROR, INTERRUPTED = 2, 130


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"axon: {one_line(message)}; see `{self.prog} --help`\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one `axon` command line and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.verb(arguments) or 0)
    except (ValueError, AxonError, OSError, MemoryError, ImportError) as error:
        print(f"axon: {one_line(complaint(error))}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("axon: interrupted", file=sys.stderr)
        return INTERRUPTED


def complaint(error: Exception) -> str:
    """What went wrong, in the user's words: an OSError without its number, the file in front."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); use a longer dx or a shorter duration"
    return str(error)


def one_line(text: str) -> str:
    return " ".join(text.split())


def answer(arguments: argparse.Namespace, facts: Any, *lines: str) -> None:
    """Print one JSON object for a machine, or else the lines for a person."""
    print(json.dumps(facts) if arguments.json else "\n".join(lines))


# One function per verb


def run(arguments: argparse.Namespace) -> int:
    """Simulate a spike in a uniform axon and keep the run in a file."""
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


def velocity(arguments: argparse.Namespace) -> None:
    """Measure the conduction velocity in a run; --error runs its axon again for an error bar."""
    from axon.describe import velocity_facts
    from axon.run import load

    outcome = load(arguments.file)
    found = outcome.velocity()  # where there is none, that is an error
    if not arguments.error and arguments.accuracy is None:
        answer(arguments, {"file": arguments.file, **velocity_facts(outcome)}, str(found))
        return
    from axon.protocols.velocity import measure_velocity

    measured = measure_velocity(
        outcome.axon,
        outcome.stimuli,
        accuracy=arguments.accuracy,
        threshold=outcome.record.threshold,
        progress=not arguments.quiet,
    )
    facts = {"file": arguments.file, **dataclasses.asdict(measured)}
    answer(arguments, facts, str(measured), f"of this file alone: {found}")


def inspect(arguments: argparse.Namespace) -> None:
    """Tell what a run holds: model, numerics, what was recorded, spikes, velocity, provenance."""
    from axon.describe import describe, lines
    from axon.run import load

    outcome = load(arguments.file)
    size = os.path.getsize(arguments.file)
    facts = {"file": arguments.file, "bytes": size, **describe(outcome)}
    answer(arguments, facts, f"{'file':<12}{arguments.file}, {size / 1e6:.3g} MB", *lines(outcome))


def animate(arguments: argparse.Namespace) -> None:
    """Draw the spike in motion: GIF, MP4 (needs the extra `video`) or HTML, by the name's ending."""
    from axon.draw import animate
    from axon.run import load

    outcome = load(arguments.file)
    check_writable(arguments.output)
    animate(outcome, arguments.output, progress=not arguments.quiet)
    say_written(arguments)


def plot(arguments: argparse.Namespace) -> None:
    """Draw a run on one page: kymograph, traces and snapshots."""
    from axon.draw import plot_run
    from axon.run import load

    outcome = load(arguments.file)
    check_writable(arguments.output)
    plot_run(outcome, arguments.output)
    say_written(arguments)


def models(arguments: argparse.Namespace) -> None:
    """List the membrane models."""
    from axon.membranes import MODELS

    first_lines = {name: (model.__doc__ or "").strip().split("\n")[0] for name, model in MODELS.items()}
    answer(arguments, first_lines, *table(first_lines))


def study(arguments: argparse.Namespace) -> int:
    """List the studies of a checkout, or run one of them."""
    found = studies_here()
    if arguments.name is None:
        questions = {name: first_docstring_line(path) for name, path in found.items()}
        answer(arguments, questions, *table(questions))
        return 0
    name = arguments.name.replace("-", "_").removesuffix(".py")
    if name not in found:
        raise ValueError(unknown_name("study", arguments.name, found))
    command = [sys.executable, str(found[name]), *(["--quick"] if arguments.quick else [])]
    return subprocess.run(command, check=False).returncode


def warmup(arguments: argparse.Namespace) -> None:
    """Compile the engine and keep it on disk, so that the first simulation starts at once."""
    from axon.geometry import Axon
    from axon.membranes import hodgkin_huxley
    from axon.simulate import simulate
    from axon.stimuli import Pulse

    began = time.perf_counter()
    small = Axon(length=1000, diameter=100, membrane=hodgkin_huxley())
    simulate(small, Pulse(amplitude=1, duration=0.1), duration=0.1, progress=not arguments.quiet)
    seconds = time.perf_counter() - began
    answer(arguments, {"seconds": seconds}, f"the engine is compiled and ready ({seconds:.2g} s)")


# What the verbs need


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


def check_writable(path: str) -> None:
    """Raise OSError unless a file can be made at `path`: better now than after the simulation."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(0, "is a folder; give a file name", path)
    if not target.parent.is_dir():
        raise FileNotFoundError(0, f"there is no folder {target.parent}; make it first", path)
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror}", path) from error


def say_written(arguments: argparse.Namespace) -> None:
    size = os.path.getsize(arguments.output)
    answer(arguments, {"file": arguments.output, "bytes": size}, f"{arguments.output}: {size / 1e6:.3g} MB")


def studies_here() -> dict[str, Path]:
    folder = Path("studies")
    if not folder.is_dir():
        raise FileNotFoundError(0, "no such folder here; run `axon study` in a checkout of axon", str(folder))
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}


def first_docstring_line(path: Path) -> str:
    import ast

    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n")[0]


def table(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows), default=0) + 2
    return [f"{name:<{width}}{text}" for name, text in rows.items()]


# The command line


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = Parser(
        prog="axon", description="Spikes travelling down axons: simulated, measured, stored and drawn."
    )
    verbs = top.add_subparsers(dest="command", required=True, metavar="VERB", parser_class=Parser)
    for verb in (run, velocity, inspect, animate, plot, models, study, warmup):
        text = (verb.__doc__ or "").strip()
        one = verbs.add_parser(verb.__name__, help=text, description=text)
        one.set_defaults(verb=verb)
        one.add_argument("--json", action="store_true", help="print one JSON object")
        ARGUMENTS[verb.__name__](one)
    return top


def run_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "model", nargs="?", default="hodgkin-huxley", help="membrane model (default: %(default)s)"
    )
    one.add_argument("-o", "--output", required=True, metavar="FILE.h5", help="where the run goes")
    one.add_argument("--quiet", action="store_true", help="no progress bar")
    one.add_argument(
        "--gates", action="store_true", help="keep the gates too; `axon animate` shades the wake"
    )
    one.add_argument(
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
        one.add_argument(f"--{name}", type=float, default=default, metavar=unit, help=text + shown)


def file_argument(one: argparse.ArgumentParser) -> None:
    one.add_argument("file", metavar="FILE", help="a run file, as `axon run` writes it")


def velocity_arguments(one: argparse.ArgumentParser) -> None:
    file_argument(one)
    one.add_argument("--quiet", action="store_true", help="no progress bar")
    one.add_argument(
        "--error", action="store_true", help="extrapolate from further runs of the same axon, with error bar"
    )
    one.add_argument(
        "--accuracy", type=float, metavar="REL", help="the same, as cheaply as this relative accuracy allows"
    )


def warmup_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("--quiet", action="store_true", help="no line while it compiles")


def animate_arguments(one: argparse.ArgumentParser) -> None:
    file_argument(one)
    one.add_argument("-o", "--output", required=True, metavar="OUT", help="OUT.gif, OUT.mp4 or OUT.html")
    one.add_argument("--quiet", action="store_true", help="no progress bar")


def plot_arguments(one: argparse.ArgumentParser) -> None:
    file_argument(one)
    one.add_argument("-o", "--output", required=True, metavar="OUT", help="OUT.png, OUT.pdf or OUT.svg")


def study_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("name", nargs="?", metavar="NAME", help="which study; without it, a list")
    one.add_argument("--quick", action="store_true", help="the small version")


ARGUMENTS = {
    "run": run_arguments,
    "velocity": velocity_arguments,
    "inspect": file_argument,
    "animate": animate_arguments,
    "plot": plot_arguments,
    "models": lambda one: None,
    "study": study_arguments,
    "warmup": warmup_arguments,
}

if __name__ == "__main__":
    sys.exit(main())

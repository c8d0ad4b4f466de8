"""Compile the engine and keep it on disk, so that the first simulation starts at once."""

from __future__ import annotations

import argparse
import time

from axon.commands.common import answer


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="no line while it compiles")


def command(arguments: argparse.Namespace) -> None:
    from axon.geometry import Axon
    from axon.membranes import Pool, hodgkin_huxley
    from axon.simulate import simulate
    from axon.stimuli import Pulse

    began = time.perf_counter()
    pulse, progress = Pulse(amplitude=1, duration=0.1), not arguments.quiet
    plain = hodgkin_huxley()
    for membrane in (plain, plain + Pool("K_in", "K", 140.0)):
        small = Axon(length=1000, diameter=100, membrane=membrane)
        simulate(small, pulse, duration=0.1, progress=progress)
    seconds = time.perf_counter() - began
    answer(arguments, {"seconds": seconds}, f"the engine is compiled and ready ({seconds:.2g} s)")

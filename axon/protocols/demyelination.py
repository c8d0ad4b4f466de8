"""How much myelin a patch of a fibre may lose before the spike fails there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from axon.checks import positive
from axon.fibres import demyelinated
from axon.geometry import Axon
from axon.protocols.stimulus import suprathreshold_pulse
from axon.protocols.threshold import NoThreshold
from axon.record import Record
from axon.simulate import simulate
from axon.stimuli import Pulse

PER_NODE, PER_THINNED = 0.1, 1.0  # ms; near failure a thinned internode takes 0.3 ms
LEAST_LEFT = 1e-4  # of the myelin


@dataclass(frozen=True)
class FailingLoss:
    """Where conduction through a patch of thinned myelin ends.

    Attributes
    ----------
    conducts, fails : float
        Part of the myelin's thickness that is lost in the last run that conducted and the first that failed.
    runs : tuple of (lost, conducted)
        Every run that was made, in order.
    """

    conducts: float
    fails: float
    runs: tuple[tuple[float, bool], ...]

    def __float__(self) -> float:
        return (self.conducts + self.fails) / 2


def find_failing_loss(
    fibre: Axon,
    internodes: Sequence[int],
    stimulus: Pulse | None = None,
    *,
    accuracy: float = 0.02,
    dt: float | None = None,
    progress: bool = True,
) -> FailingLoss:
    """Thin the myelin of some internodes until the spike no longer reaches the last node, by bisection.

    Parameters
    ----------
    fibre : Axon
    internodes : sequence of int
        Which, counted from 0.
    stimulus : Pulse, optional
        By default ``suprathreshold_pulse(fibre)``, at the first node.
    accuracy : float
        Of the myelin that is left at failure, relative.
    dt : float, optional
        ms; by default that of ``simulate``.
    progress : bool
        Show a progress bar on a terminal.

    Raises
    ------
    NoThreshold
        When the whole fibre does not conduct, or conducts with a ten-thousandth of its myelin left.
    """
    positive("accuracy", accuracy, "(relative)")
    pulse = suprathreshold_pulse(fibre) if stimulus is None else stimulus
    duration = pulse.start + 1.0 + PER_NODE * len(fibre.nodes) + PER_THINNED * len(internodes)
    runs: list[tuple[float, bool]] = []

    def conducts(left: float) -> bool:
        lost = 1.0 - left
        run = simulate(
            demyelinated(fibre, internodes, lost),
            pulse,
            duration=duration,
            dt=dt,
            record=Record(voltage=None),
            progress=progress,
        )
        if not run.complete:  # Ctrl-C: half a run is no answer
            raise KeyboardInterrupt
        runs.append((lost, bool(np.isfinite(run.arrivals()[run.sites()[-1]]))))
        return runs[-1][1]

    if not conducts(1.0):
        raise NoThreshold("the fibre does not conduct with all its myelin: start it by a stronger stimulus")
    if conducts(LEAST_LEFT):
        raise NoThreshold(f"the fibre still conducts with {LEAST_LEFT:g} of its myelin left there")
    enough, little = 1.0, LEAST_LEFT
    while enough / little > 1.0 + accuracy:
        middle = math.sqrt(enough * little)
        if conducts(middle):
            enough = middle
        else:
            little = middle
    return FailingLoss(1.0 - enough, 1.0 - little, tuple(runs))

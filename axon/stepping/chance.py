"""Runs in which channels open and close by chance: how many there are, what is kept, what seeds trials."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.discretise.job import Job
from axon.discretise.slots import US_PER_S, stepped_channels
from axon.engine import chance
from axon.engine.cables import Cable
from axon.engine.populations import Trial, lay_out, open_gates
from axon.geometry import Compartments
from axon.membranes import Channel
from axon.record import Record
from axon.run import Run
from axon.stepping.collect import Collector
from axon.stepping.stepper import Stepper

Array = NDArray[Any]

METHODS = {"markov": chance.MARKOV, "langevin": chance.LANGEVIN}
US_PER_PS = 1e-6
PS_PER_S = 1e12


def trial_seeds(seed: int, count: int) -> list[int]:
    """A seed for each of ``count`` trials, from one seed and the trial's number, whatever the count."""
    sequences = [np.random.SeedSequence(seed, spawn_key=(i,)) for i in range(count)]
    return [int(sequence.generate_state(1, np.uint64)[0]) for sequence in sequences]


def channel_numbers(compartments: Compartments) -> Array:
    """How many channels of each kind every compartment has.

    Numbers are rounded so that also their sum from x = 0 up to any compartment is right to half a channel:
    the density does not depend on the mesh.

    Parameters
    ----------
    compartments : Compartments

    Returns
    -------
    (n, channels) ndarray
        Of the gated channels of each compartment's membrane, in order; nan where single channels have no
        conductance.
    """
    kinds, which = compartments.patches()
    numbers = np.full((len(compartments), _most(compartments)), np.nan)
    for k, (membrane, _) in enumerate(kinds):
        here = np.flatnonzero(which == k)
        for j, channel in enumerate(stepped_channels(membrane)):
            if isinstance(channel, Channel) and channel.unitary is not None:
                wanted = channel.conductance * compartments.area[here] * PS_PER_S / channel.unitary
                numbers[here, j] = np.diff(np.rint(np.cumsum(wanted)), prepend=0.0)
    return numbers


def _most(compartments: Compartments) -> int:
    return max((len(stepped_channels(membrane)) for membrane in compartments.membranes), default=0)


def _unit_conductances(compartments: Compartments) -> Array:
    """Conductance of one open channel of each kind, (n, channels), uS; nan as in ``channel_numbers``."""
    unit = np.full((len(compartments), _most(compartments)), np.nan)
    for k, (membrane, celsius) in enumerate(compartments.patches()[0]):
        for j, channel in enumerate(stepped_channels(membrane)):
            if isinstance(channel, Channel) and channel.unitary is not None:
                warmed = channel.q10 ** ((celsius - channel.q10_celsius) / 10.0)
                unit[compartments.patches()[1] == k, j] = channel.unitary * warmed * US_PER_PS
    return unit


class ChanceCollector(Collector):
    """Keeps what populations do: fractions of open gates and of open channels, and currents.

    The engine holds channels half a step before V, and so they are kept: chance cannot be carried on.

    Parameters
    ----------
    job, record, origin
        As of ``Collector``.
    noise : {"markov", "langevin"}
    seed : int
    to, resumable, before
        As of ``Collector``.
    """

    def __init__(
        self,
        job: Job,
        record: Record,
        origin: dict[str, str],
        noise: str,
        seed: int,
        to: str | os.PathLike[str] | None = None,
        *,
        resumable: bool = True,
        before: Run | None = None,
    ) -> None:
        self.noise, self.seed = noise, seed
        super().__init__(job, 2, record, origin, to, resumable=resumable, before=before)
        self.numbers = channel_numbers(job.compartments)[self.own]
        self.unit = _unit_conductances(job.compartments)[self.own]
        self.area = job.compartments.area[self.own]

    def _gate_names(self) -> tuple[str, ...]:
        return self.record.gate_names(self.job.axon, noise=self.noise)

    def _numerics(self) -> dict[str, Any]:
        return super()._numerics() | {"noise": self.noise, "seed": self.seed}

    def _gates_in_time(self, v: Array, raw: Array) -> dict[str, Array]:
        """Fractions of open gates, and of open channels by the channels' names; nan where there are none."""
        every = self.job.compartments.membranes
        names = dict.fromkeys(g for m in every for g in m.gates)
        names |= dict.fromkeys(c.name for m in every for c in stepped_channels(m))
        out = {name: np.full(v.shape, np.nan) for name in names}
        for k, (membrane, _) in enumerate(self.kinds):
            here, at = np.flatnonzero(self.which == k), 0
            for j, channel in enumerate(stepped_channels(membrane)):
                exponents = tuple(gate.exponent for gate in channel.gates)
                if np.isnan(self.numbers[here, j]).all():
                    fractions = np.moveaxis(raw[:, here, at : at + len(exponents)], 2, 0)
                    opened = np.prod([x**e for x, e in zip(fractions, exponents, strict=True)], axis=0)
                    at += len(exponents)
                else:
                    levels = open_gates(exponents)
                    counts = raw[:, here, at : at + levels.shape[1]]
                    whole = np.where(self.numbers[here, j] > 0, self.numbers[here, j], np.nan)
                    fractions = (counts @ levels.T / whole[:, None] / exponents).transpose(2, 0, 1)
                    opened = counts[:, :, -1] / whole
                    at += levels.shape[1]
                out[channel.name][:, here] = opened
                for gate, fraction in zip(channel.gates, fractions, strict=True):
                    out[gate.name][:, here] = fraction
        return out

    def _currents(self, v: Array, gates: dict[str, Array]) -> dict[str, Array]:
        out = super()._currents(v, gates)
        for k, (membrane, _) in enumerate(self.kinds):
            here = np.flatnonzero(self.which == k)
            for j, channel in enumerate(stepped_channels(membrane)):
                number = self.numbers[here, j]
                if channel.name in out and not np.isnan(number).all():
                    assert isinstance(channel, Channel)
                    some = np.where(number > 0, gates[channel.name][:, here] * number, 0.0)
                    density = some * self.unit[here, j] / self.area[here] / US_PER_S
                    out[channel.name][:, here] = density * (v[:, here] - channel.reversal)
        return out


class ChanceStepper(Stepper):
    """Steps one axon with channels as chance.

    Parameters
    ----------
    collector : ChanceCollector
    cable : Cable
    record : Record
    """

    lanes = 1
    seconds_per_step = 2e-7

    def __init__(self, collector: ChanceCollector, cable: Cable, record: Record) -> None:
        self._collector = collector
        super().__init__([collector], [cable], 2, record)

    def _laid_out(self, cables: list[Cable], order: int, cells: tuple[int, int]) -> Trial:
        compartments = self._collector.job.compartments
        blueprint = lay_out(
            cables[0],
            channel_numbers(compartments),
            _unit_conductances(compartments),
            method=METHODS[self._collector.noise],
            threshold=self.record.threshold,
            table_cells=cells,
        )
        return Trial(blueprint, self._collector.seed)

"""What to keep of a simulation, and how densely."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, finite, place, positive
from axon.errors import unknown_name
from axon.geometry import Axon, Compartments
from axon.schedule import AroundSpikes, Every, Schedule

KINDS = ("voltage", "gates", "currents", "concentrations")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run keeps. Spikes are always kept: every upward crossing in every compartment.

    Parameters
    ----------
    every : float
        ms between samples, rounded to whole time steps (at least one).
    where : sequence of float, optional
        Where to sample, um (on a tree also (section, um from its beginning)); the nearest compartments are
        taken. Every compartment by default.
    voltage : True, "float32", None, Every or AroundSpikes
        Whether to keep the membrane potential (in double or single precision), and when if not ``every``.
    gates : bool, sequence of str, Every or AroundSpikes
        Which gates to keep: none, all, or those named; or at times of their own. Of a run with noise the
        fraction of gates that is open, half a time step before the sample, and by a channel's name, such as
        ``"Na"``, of channels.
    currents : bool, sequence of str, Every or AroundSpikes
        Which channels' current densities to keep: none, all, or those named; or at times of their own. What
        is not sampled with the voltage lies in ``run.beside``, with an axis of time of its own.
    concentrations : bool, sequence of str, Every or AroundSpikes
        Which pools' concentrations to keep: none, all, or those named; or at times of their own.
    threshold : float
        mV; a spike is an upward crossing of it.
    max_size : float, optional
        Bytes of samples that the run may hold before compression. A run that would hold more is refused, or
        sampled more thinly when ``thin``. Samples around spikes, whose number nobody knows beforehand, are
        kept until the size is reached.
    thin : bool
    checkpoints : float, optional
        ms between states from which the run can be continued, rounded to whole time steps. By default its
        start and its end are kept, and when it is written to a file one every half minute of wall time; of
        many axons at once, none.

    Raises
    ------
    ValueError
        For numbers that cannot be meant.
    """

    every: float = 0.05
    where: Sequence[Place] | None = None
    voltage: bool | str | Schedule | None = True
    gates: bool | Sequence[str] | Schedule = False
    currents: bool | Sequence[str] | Schedule = False
    concentrations: bool | Sequence[str] | Schedule = False
    threshold: float = -20.0
    checkpoints: float | None = None
    max_size: float | None = None
    thin: bool = False

    def __post_init__(self) -> None:
        positive("Record.every", self.every, "ms")
        finite("Record.threshold", self.threshold, "mV")
        if self.checkpoints is not None:
            positive("Record.checkpoints", self.checkpoints, "ms")
        if self.max_size is not None:
            positive("Record.max_size", self.max_size, "bytes")
        known = isinstance(self.voltage, Schedule) or self.voltage in (True, False, None, "float32")
        if not known or (isinstance(self.voltage, Schedule) and self.voltage.only is not None):
            raise ValueError(
                'Record.voltage must be True, "float32", None, Every or AroundSpikes without only, '
                f"got {self.voltage!r}"
            )
        for name in ("gates", "currents", "concentrations"):
            value = getattr(self, name)
            if isinstance(value, Schedule):
                if value.envelope:
                    raise ValueError(f"Record.{name} takes no {value!r}; envelopes are of voltage alone")
            elif isinstance(value, str):
                object.__setattr__(self, name, (value,))
            elif not isinstance(value, bool):
                object.__setattr__(self, name, tuple(value))
        if self.where is not None:
            places = tuple(place("Record.where", x) for x in self.where)
            if not places:
                raise ValueError("Record.where must name at least one position, got none; None means all")
            object.__setattr__(self, "where", places)

    @property
    def samples(self) -> bool:
        """Whether anything besides spikes is kept."""
        return bool(self.voltage or self.gates or self.currents or self.concentrations)

    def schedule(self, kind: str) -> Schedule:
        """When ``"voltage"``, ``"gates"``, ``"currents"`` or ``"concentrations"`` are sampled."""
        value = getattr(self, kind)
        return value if isinstance(value, Schedule) else Every(self.every)

    def axes(self) -> Mapping[str, tuple[tuple[str, ...], Schedule]]:
        """What is sampled at the same times, by the name of the axis: ``"time"`` is that of the voltage."""
        return self._axes

    @cached_property
    def _axes(self) -> Mapping[str, tuple[tuple[str, ...], Schedule]]:
        kinds = [kind for kind in KINDS if getattr(self, kind)]
        if not kinds:
            return {"time": ((), Every(self.every))}
        main = self.schedule("voltage") if self.voltage else Every(self.every)
        beat = _times(main)
        alike = tuple(kind for kind in kinds if _times(self.schedule(kind)) == beat)
        apart = {f"{kind}_time": ((kind,), self.schedule(kind)) for kind in kinds if kind not in alike}
        return {"time": (alike, main), **apart}

    @cached_property
    def plain(self) -> bool:
        """Whether everything is sampled at equal intervals and at the same times."""
        return not any(isinstance(getattr(self, kind), Schedule) for kind in KINDS)

    def stride(self, dt: float) -> int:
        """Time steps between two samples that the engine hands out."""
        return int(np.gcd.reduce([s for _, schedule in self.axes().values() for s in schedule.strides(dt)]))

    def reach(self, dt: float) -> int:
        """How many steps before and after a sample decide on whether and as what it is kept."""
        return max(schedule.reach(dt) for _, schedule in self.axes().values())

    def rhythm(self, dt: float) -> int:
        """Time steps between two checkpoints; 0 for none but the first and the last."""
        return 0 if self.checkpoints is None else max(1, round(self.checkpoints / dt))

    def indices(self, compartments: Compartments) -> NDArray[np.intp]:
        """Sampled compartments, in order of position, each once."""
        if self.where is None:
            return np.arange(len(compartments))
        length = float(np.max((compartments.position + compartments.length / 2)[compartments.main]))
        for x in self.where:
            if not isinstance(x, tuple) and x > length * (1 + 1e-9):
                raise ValueError(f"Record.where must lie on the axon (0..{length:g} um), got {x!r}")
        return compartments.all_nearest(self.where)

    def gate_names(self, axon: Axon, *, noise: str | None = None) -> tuple[str, ...]:
        """Names of the gates that are kept; with ``noise`` also of channels, of which a part is open."""
        if not self.gates:
            return ()
        known = dict.fromkeys(g for membrane in axon.membranes for g in membrane.gates)
        if noise is not None:
            known |= dict.fromkeys(c.name for m in axon.membranes for c in m.channels if c.gates)
        return _chosen("gate", self.gates, tuple(known))

    def current_names(self, axon: Axon) -> tuple[str, ...]:
        """Names of the channels whose currents are kept."""
        if not self.currents:
            return ()
        known = dict.fromkeys(c.name for membrane in axon.membranes for c in membrane.channels)
        return _chosen("channel", self.currents, tuple(known))

    def concentration_names(self, axon: Axon) -> tuple[str, ...]:
        """Names of the pools whose concentrations are kept."""
        if not self.concentrations:
            return ()
        known = dict.fromkeys(pool.name for membrane in axon.membranes for pool in membrane.pools)
        return _chosen("pool", self.concentrations, tuple(known))

    def predicted_size(
        self, axon: Axon, *, duration: float, dt: float, dx: float | None = None, noise: str | None = None
    ) -> int:
        """Bytes of samples that a run will hold before compression; spikes, and samples around them, on top.

        Parameters
        ----------
        axon : Axon
        duration, dt : float
            ms.
        dx : float, optional
            um.
        noise : str, optional
            As for ``simulate``.
        """
        n_x = len(self.indices(axon.compartments(dx)))
        voltage = 0 if not self.voltage else 4 if self.voltage == "float32" else 8
        width = {
            "voltage": voltage * (3 if self.schedule("voltage").envelope else 1),
            "gates": 8 * len(self.gate_names(axon, noise=noise)),
            "currents": 8 * len(self.current_names(axon)),
            "concentrations": 8 * len(self.concentration_names(axon)),
        }
        total = 0
        for kinds, schedule in self.axes().values():
            stride = schedule.stride(dt)
            rows = math.ceil(duration / dt - 1e-9) // stride + 1 if stride else 0
            total += rows * n_x * sum(width[kind] for kind in kinds)
        return total

    def within(self, size: int) -> Record:
        """This record, or with ``thin`` a thinner one, that keeps to ``max_size`` where it would be ``size``.

        Raises
        ------
        ValueError
            When it would not, and is not to be thinned.
        """
        if self.max_size is None or size <= self.max_size:
            return self
        factor = math.ceil(1.01 * size / self.max_size)
        if not self.thin:
            raise ValueError(
                f"the run would hold {size / 1e6:.3g} MB of samples, more than Record.max_size of "
                f"{self.max_size / 1e6:.3g} MB; sample {factor} times more thinly, or set thin=True"
            )
        changed: dict[str, Any] = {"every": self.every * factor}
        for kind in KINDS:
            value = getattr(self, kind)
            if isinstance(value, Every):
                changed[kind] = replace(value, interval=value.interval * factor)
            elif isinstance(value, AroundSpikes) and value.elsewhere is not None:
                changed[kind] = replace(value, elsewhere=value.elsewhere * factor)
        return replace(self, **changed)


def _times(schedule: Schedule) -> Schedule:
    """A schedule without what it says besides its times."""
    return Every(schedule.interval) if isinstance(schedule, Every) else replace(schedule, only=None)


def _chosen(kind: str, wanted: bool | Sequence[str] | Schedule, known: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(wanted, Schedule):
        wanted = True if wanted.only is None else wanted.only
    if wanted is True:
        return known
    for name in wanted or ():
        if name not in known:
            raise ValueError(unknown_name(kind, name, known))
    return tuple(wanted) if wanted else ()

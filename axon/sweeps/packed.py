"""Axon's own questions: many axons side by side in the lanes of the engine instead of one after the other."""

from __future__ import annotations

import inspect
import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from axon.checks import positive
from axon.errors import AxonError, NoPropagation, unknown_name
from axon.geometry import Axon
from axon.protocols.passage import Numerics, coarse, passages
from axon.protocols.refractory import refractory_period
from axon.protocols.thresholds import thresholds
from axon.record import Record
from axon.simulate import simulate_many
from axon.stimuli import Pulse
from axon.sweeps.axons import Axons
from axon.sweeps.limits import OutOfTime, time_limit
from axon.sweeps.points import Point, Row
from axon.sweeps.questions import Question, reason_of, timed

_LANES = 8
_MOST = 64  # axons laid out together: eight full sets of lanes
_SPREAD = 16  # units at least, so that every worker of a small machine has several


class Packed(Question):
    """A question of ours. Its settings are the keywords of ``__init__``.

    Parameters
    ----------
    axons : Axons
    dt, dx, order
        As for ``simulate``.
    crossing : float
        mV, whose upward crossing is a spike.
    """

    seed: int | None = None

    def __init__(
        self,
        axons: Axons,
        *,
        dt: float | None = None,
        dx: float | None = None,
        order: int | None = None,
        crossing: float = -20.0,
    ) -> None:
        self.axons, self.order = axons, order
        self.numerics = Numerics(dt, dx, 2 if order is None else order)
        self.record = Record(voltage=None, threshold=crossing)

    def identity(self) -> Any:
        how = [self.numerics.dt, self.numerics.dx, self.order, self.record.threshold]
        return [self.name, self.axons.identity(), how, self.settings()]

    def settings(self) -> Any:
        """What further makes it this question, as JSON can hold it."""
        return None

    def check(self, names: Iterable[str]) -> None:
        self.axons.check(names)

    def sizes(self, count: int) -> int | None:
        """Whole sets of lanes, by the number of points alone: who shares lanes may change the last digits."""
        return min(max(-(-count // _SPREAD // _LANES) * _LANES, _LANES), _MOST)

    def answer(self, points: list[Point], limit: float | None) -> list[Row]:
        """All together; but where one of them fails, or takes too long, each by itself."""
        if limit is not None:
            self._prepare(points[0])
        began = time.perf_counter()
        try:
            with time_limit(None if limit is None else limit * len(points)):
                made = [self.axons.made(point) for point in points]
                found = self.found([axon for axon, _ in made], [pulse for _, pulse in made])
        except (Exception, OutOfTime):  # of whom, only asking each alone can tell
            return [timed(partial(self._alone, point), limit) for point in points]
        share = (time.perf_counter() - began) / len(points)
        return [_row(one, share) for one in found]

    def _prepare(self, point: Point) -> None:
        """Load the engine and, the first time on a machine, compile it, which is no point's own time."""
        with suppress(Exception):  # which is the point's, and told there
            axon, _ = self.axons.made(point)
            step = self.numerics.step(axon)
            for count in (1, _LANES):
                simulate_many([axon] * count, [], duration=step, dt=step, record=self.record, progress=False)

    def _alone(self, point: Point) -> dict[str, float]:
        axon, pulse = self.axons.made(point)
        (one,) = self.found([axon], [pulse])
        if isinstance(one, AxonError):
            raise one
        return one

    @abstractmethod
    def found(self, axons: list[Axon], pulses: list[Pulse]) -> list[dict[str, float] | AxonError]:
        """The answer of every axon, or the error that stands for it."""


class Velocity(Packed):
    """The conduction velocity of each axon, by one simulation of it.

    Without ``dx`` and ``order`` a uniform axon is on a mesh of fourth order: a third of the compartments, and
    more accurate.
    """

    name: str = "velocity"
    units: Mapping[str, str] = {"velocity": "m/s", "standard_error": "m/s"}

    def found(self, axons: list[Axon], pulses: list[Pulse]) -> list[dict[str, float] | AxonError]:
        if self.numerics.dx is not None or self.order is not None:
            return self._measured(axons, pulses, self.numerics)
        made = [coarse(axon) for axon in axons]
        plain = [new is old for new, old in zip(made, axons, strict=True)]
        found: list[dict[str, float] | AxonError] = [{}] * len(axons)
        for order in (2, 4):
            mine = [k for k, own in enumerate(plain) if own == (order == 2)]
            how = Numerics(self.numerics.dt, None, order)
            measured = self._measured([made[k] for k in mine], [pulses[k] for k in mine], how)
            for k, one in zip(mine, measured, strict=True):
                found[k] = one
        return found

    def _measured(
        self, axons: list[Axon], pulses: list[Pulse], numerics: Numerics
    ) -> list[dict[str, float] | AxonError]:
        answers: list[dict[str, float] | AxonError] = []
        for run in passages(axons, pulses, record=self.record, numerics=numerics, threads=1):
            try:
                velocity = run.velocity()
            except NoPropagation as error:
                answers.append(error)
            else:
                answers.append({"velocity": velocity.value, "standard_error": velocity.standard_error})
        return answers


class Block(Packed):
    """Whether a spike reaches the far end of each axon (1, else 0), and how far it comes.

    One that fades slowly reaches the end of an axon that is not long: the squid axon of 20 length constants
    conducts up to 33.83 degC, while no spike travels for ever beyond 33.69.
    """

    name: str = "block"
    units: Mapping[str, str] = {"conducts": "1", "reach": "um"}

    def found(self, axons: list[Axon], pulses: list[Pulse]) -> list[dict[str, float] | AxonError]:
        answers: list[dict[str, float] | AxonError] = []
        runs = passages(axons, pulses, record=self.record, numerics=self.numerics, threads=1)
        for run, pulse in zip(runs, pulses, strict=True):
            sites = run.sites()
            there = np.isfinite(run.arrivals()[sites])
            away = np.abs(run.compartments.position[sites] - pulse.at)
            reach = float(away[there].max()) if there.any() else 0.0
            answers.append({"conducts": float(there[int(np.argmax(away))]), "reach": reach})
        return answers


class Threshold(Packed):
    """The least pulse that makes a spike which reaches the far end; ``accuracy`` is relative."""

    name: str = "threshold"
    units: Mapping[str, str] = {"threshold": "nA", "error": "nA"}

    def __init__(self, axons: Axons, *, accuracy: float = 1e-3, **how: Any) -> None:
        super().__init__(axons, **how)
        self.accuracy = positive("accuracy", accuracy, "(relative)")

    def settings(self) -> Any:
        return self.accuracy

    def found(self, axons: list[Axon], pulses: list[Pulse]) -> list[dict[str, float] | AxonError]:
        found = thresholds(
            axons,
            pulses,
            accuracy=self.accuracy,
            threshold=self.record.threshold,
            numerics=self.numerics,
            threads=1,
        )
        return [
            one if isinstance(one, AxonError) else {"threshold": one.value, "error": one.error}
            for one in found
        ]


class Refractory(Packed):
    """The absolute and the relative refractory period.

    The lanes are filled by the trials of one axon: see ``refractory_period``, which takes the settings.
    """

    name: str = "refractory"
    units: Mapping[str, str] = {"absolute": "ms", "relative": "ms", "threshold": "nA"}

    def __init__(
        self,
        axons: Axons,
        *,
        conditioning: float = 2.0,
        ceiling: float = 50.0,
        accuracy: float = 1e-3,
        **how: Any,
    ) -> None:
        super().__init__(axons, **how)
        self.how: dict[str, Any] = {"conditioning": conditioning, "ceiling": ceiling, "accuracy": accuracy}

    def settings(self) -> Any:
        return self.how

    def sizes(self, count: int) -> int | None:
        return 1

    def found(self, axons: list[Axon], pulses: list[Pulse]) -> list[dict[str, float] | AxonError]:
        answers: list[dict[str, float] | AxonError] = []
        for axon, pulse in zip(axons, pulses, strict=True):
            period = refractory_period(
                axon,
                at=pulse.at,
                pulse_duration=pulse.duration,
                crossing=self.record.threshold,
                progress=False,
                **vars(self.numerics),
                **self.how,
            )
            answers.append(
                {"absolute": period.absolute, "relative": period.relative, "threshold": period.threshold}
            )
        return answers


QUESTIONS: dict[str, type[Packed]] = {kind.name: kind for kind in (Velocity, Block, Threshold, Refractory)}


def settings_of(name: str) -> set[str]:
    """The settings that one of our questions takes."""
    if name not in QUESTIONS:
        raise ValueError(unknown_name("question", name, QUESTIONS))
    kinds = QUESTIONS[name].__mro__
    parameters = {
        one for kind in kinds if issubclass(kind, Packed) for one in inspect.signature(kind).parameters
    }
    return parameters - {"axons", "how"}


def packed(name: str, axon: Any, stimulus: Any, fixed: Mapping[str, Any]) -> Packed:
    """One of our questions by name; ``fixed`` holds its settings and parameters of the axon alike."""
    known = settings_of(name)
    settings = {key: value for key, value in fixed.items() if key in known}
    others = {key: value for key, value in fixed.items() if key not in known}
    return QUESTIONS[name](Axons(axon, stimulus, others), **settings)


def _row(found: dict[str, float] | AxonError, seconds: float) -> Row:
    if isinstance(found, AxonError):
        return Row({}, reason_of(found), seconds)
    return Row(found, "", seconds)

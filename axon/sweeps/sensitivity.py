"""Which parameter changes the velocity, and by how much: finite differences of many axons in one batch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.checks import positive
from axon.discretise.job import default_dt
from axon.errors import AxonError, unknown_name
from axon.geometry import Axon
from axon.protocols.wave import travelling_wave
from axon.sweeps.asking import sweep
from axon.sweeps.axons import unit_of, varied
from axon.sweeps.plans import Plan
from axon.sweeps.points import Point, Value
from axon.sweeps.result import Sweep

Array = NDArray[np.float64]

# Parameters whose zero means nothing: their steps are in their unit and not relative.
_OFFSET = {"celsius": 0.5, "reversal": 0.5}  # degC, mV
_STEP = 0.01
_AWAY = (-2, -1, 1, 2)  # steps on both sides
_WEIGHTS = (
    1 / 12,
    -8 / 12,
    8 / 12,
    -1 / 12,
)  # of the answers there, over the step, in the central difference
_WAVE_RTOL = 1e-9
# What mesh, time step and the ends of the axon leave in an elasticity of a simulated velocity, against the
# travelling wave: at most 1.4e-4, on squid axons from 3 to 28 degC and C fibres at 37. Of a temperature or
# reversal potential it is for a change that does about as much as an e-fold one of other parameters.
_LEFT = 2e-4
_LIKE_E_FOLD = {"celsius": 10.0, "reversal": 25.0}  # degC, mV


class OneAtATime(Plan):
    """A base point, and around it points that differ in one parameter, by one and two steps to both sides.

    Parameters
    ----------
    base : mapping of str to float
    steps : mapping of str to float
        Of each parameter that is varied, in its own unit.
    """

    kind = "sensitivity"

    def __init__(self, base: Mapping[str, float], steps: Mapping[str, float]) -> None:
        self.base, self.steps = dict(base), dict(steps)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.base)

    def points(self) -> list[Point]:
        base: dict[str, Value] = dict(self.base)
        moved = [
            {**base, name: self.base[name] + k * step} for name, step in self.steps.items() for k in _AWAY
        ]
        return [base, *moved]

    def facts(self) -> dict[str, Any]:
        return {"kind": self.kind, "base": self.base, "steps": self.steps}


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How an answer follows its parameters.

    Attributes
    ----------
    answer : str
        Name of the answer.
    base : float
        The answer with no parameter moved.
    names, units, values : tuple
        Of the parameters, and what they are at the base.
    relative : (n,) bool array
        Whether a parameter's step is relative; of temperatures and reversal potentials it is not.
    slope : (n,) array
        Where relative, the elasticity d ln(answer) / d ln(parameter); else d ln(answer) per unit.
    error : (n,) array
        Of the slope, root of a sum of squares: what the two step lengths make of it differently, what the
        ``error`` of the answers does to it (a threshold's bracket), and, of a simulated velocity, 2e-4 of an
        elasticity for mesh, time step and the ends of the axon.
    """

    answer: str
    base: float
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: tuple[float, ...]
    relative: NDArray[np.bool_]
    slope: Array
    error: Array

    def __getitem__(self, name: str) -> float:
        """The slope of one parameter."""
        if name not in self.names:
            raise KeyError(unknown_name("parameter", name, self.names))
        return float(self.slope[self.names.index(name)])

    @property
    def sums(self) -> dict[str, float]:
        """What scaling demands of an axon's velocity, as far as its parameters are all here.

        ``geometry`` = diameter + axial_resistivity, which is 0 because only their ratio counts; ``membrane``
        = capacitance + all conductances, which is -1/2: more membrane per length is a thinner axon. The
        second holds where every current goes through a conductance.
        """
        own = dict(zip(self.names, self.slope.tolist(), strict=True))
        found = {}
        if {"diameter", "axial_resistivity"} <= own.keys():
            found["geometry"] = own["diameter"] + own["axial_resistivity"]
        if "capacitance" in own:
            found["membrane"] = own["capacitance"] + sum(
                slope for name, slope in own.items() if name.endswith(".conductance")
            )
        return found

    def __str__(self) -> str:
        order = np.argsort(-np.abs(self.slope * np.where(self.relative, 0.1, 1.0)))
        lines = [f"{self.answer} {self.base:.6g}; d ln / d ln of each parameter, or per unit:"]
        for k in order:
            kind = "" if self.relative[k] else f" per {self.units[k]}"
            lines.append(f"{self.names[k]:<20} {self.slope[k]:+.4f} +- {self.error[k]:.1g}{kind}")
        return "\n".join(lines)


def sensitivity(
    axon: Axon,
    parameters: Iterable[str] | None = None,
    *,
    question: str = "velocity",
    step: float = _STEP,
    fixed: Mapping[str, Any] | None = None,
    to: str | os.PathLike[str] | None = None,
    executor: str | Executor | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Sensitivity:
    """Find out which parameter of a uniform axon changes an answer, and by how much.

    Each parameter is moved by one and two steps to both sides; the central difference is of fourth order.

    Parameters
    ----------
    axon : Axon
        Uniform.
    parameters : iterable of str, optional
        As ``sweep`` names them. By default all: diameter, axial_resistivity, capacitance, celsius, and
        conductance (or permeability) and reversal of every channel.
    question : str
        One of ours; its first answer counts.
    step : float
        Relative; temperatures and reversal potentials move by 0.5 degC and 0.5 mV times ``step`` / 0.01.
    fixed, to, executor, workers, progress
        As for ``sweep``. The time step is the same at all points: the default of the fastest of them.

    Returns
    -------
    Sensitivity

    Raises
    ------
    AxonError
        When the answer does not exist at the base or at one of the points around it.
    ValueError
        For arguments that cannot be meant.
    """
    if not isinstance(axon, Axon) or axon.membrane is None:
        raise ValueError(f"sensitivity needs a uniform Axon, got {axon!r:.80}")
    plan = sensitivity_plan(axon, parameters, step)
    finest = min(default_dt(varied(axon, point)) for point in plan.points())
    found = sweep(
        question,
        plan,
        axon=axon,
        fixed={"dt": finest, **(fixed or {})},
        to=to,
        executor=executor,
        workers=workers,
        progress=progress,
    )
    if not found.complete:
        raise KeyboardInterrupt
    return sensitivity_of(found)


def sensitivity_plan(axon: Axon, parameters: Iterable[str] | None, step: float = _STEP) -> OneAtATime:
    """The points around a uniform axon that ``sensitivity`` asks for; see there."""
    positive("step", step, "(relative)")
    known = _values(axon)
    names = list(known) if parameters is None else list(parameters)
    for name in names:
        if name not in known:
            raise ValueError(unknown_name("parameter", name, known))
        if known[name] == 0 and _offset(name) is None:
            raise ValueError(f"{name} is 0, which has no relative step; leave it out")
    base = {name: known[name] for name in names}
    steps = {}
    for name, value in base.items():
        own = _offset(name)
        steps[name] = abs(value) * step if own is None else own * step / _STEP
    return OneAtATime(base, steps)


def _offset(name: str) -> float | None:
    return _OFFSET.get(name.rpartition(".")[2])


def _values(axon: Axon) -> dict[str, float]:
    """Every parameter of a uniform axon that a sweep can vary and that its velocity may depend on."""
    assert axon.membrane is not None
    values = {
        "diameter": axon.diameter,
        "axial_resistivity": axon.axial_resistivity,
        "capacitance": axon.membrane.capacitance,
        "celsius": axon.celsius,
    }
    for channel in axon.membrane.channels:
        for one in fields(channel):
            value = getattr(channel, one.name)
            if one.name in ("conductance", "permeability", "reversal") and value is not None:
                values[f"{channel.name}.{one.name}"] = value
    return {name: float(value) for name, value in values.items() if value is not None}


def sensitivity_of(found: Sweep) -> Sensitivity:
    """The sensitivity that the rows of a sweep over ``OneAtATime`` hold.

    Raises
    ------
    AxonError
        When one of the points failed, or this is no such sweep.
    """
    if found.plan.get("kind") != "sensitivity":
        raise AxonError(f"this sweep is no sensitivity: its plan is a {found.plan.get('kind')!r}")
    if found.failed.any():
        raise AxonError(f"a point has no answer: {found.reason[found.failed][0]}; try a smaller step")
    answer, values = next(iter(found.answers.items()))
    base: dict[str, float] = found.plan["base"]
    steps: dict[str, float] = found.plan["steps"]
    around = np.log(values[1:]).reshape(len(steps), len(_AWAY))
    unit = np.array([1.0 if _offset(name) is not None else base[name] for name in steps])
    h = np.array(list(steps.values())) / unit
    # Both in the parameter's relative change, or in its unit
    near = (around[:, 2] - around[:, 1]) / (2 * h)
    far = (around[:, 3] - around[:, 0]) / (4 * h)
    slope = (4 * near - far) / 3
    stated = found.answers.get("error", np.zeros(values.size))
    relative = (stated / values)[1:].reshape(around.shape)
    scatter = np.sqrt((np.array(_WEIGHTS) ** 2 * relative**2).sum(axis=1)) / h
    left = _LEFT / np.array([_LIKE_E_FOLD.get(name.rpartition(".")[2], 1.0) for name in steps])
    if found.question != "velocity":
        left = np.zeros(len(steps))
    return Sensitivity(
        answer=answer,
        base=float(values[0]),
        names=tuple(steps),
        units=tuple(unit_of(name) for name in steps),
        values=tuple(base[name] for name in steps),
        relative=np.array([_offset(name) is None for name in steps]),
        slope=slope,
        error=np.sqrt((slope - near) ** 2 + scatter**2 + left**2),
    )


def wave_sensitivity(
    axon: Axon, parameters: Iterable[str] | None = None, *, step: float = _STEP
) -> Sensitivity:
    """The same for the velocity of the travelling wave itself, without time steps or mesh: the check.

    Parameters
    ----------
    axon, parameters, step
        As for ``sensitivity``.
    """
    plan = sensitivity_plan(axon, parameters, step)
    wave = travelling_wave(axon, rtol=_WAVE_RTOL)
    points = plan.points()
    velocity = [float(wave.follow(varied(axon, point), rtol=_WAVE_RTOL)) for point in points]
    return sensitivity_of(
        Sweep(
            question="travelling wave",
            parameters={name: np.array([point[name] for point in points]) for name in plan.names},
            answers={"velocity": np.array(velocity)},
            units={"velocity": "m/s"},
            failed=np.zeros(len(points), bool),
            reason=np.full(len(points), ""),
            seconds=np.zeros(len(points)),
            seed=np.zeros(len(points), np.int64),
            plan=plan.facts(),
            fixed={},
        )
    )

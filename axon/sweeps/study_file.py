"""Study files: a sweep written down in TOML, for those who do not write Python.

::

    question = "velocity"            # or threshold, refractory, block

    [axon]                           # what is the same at every point; also numerics: dt, dx, order, ...
    model = "hodgkin-huxley"
    axial_resistivity = 35.4         # ohm cm; instead of a model also a myelinated fibre: fibre = "mrg"

    [stimulus]                       # optional: amplitude (nA), start, duration (ms), at (um)
    duration = 0.2

    [over]                           # what varies: lists, or ranges
    diameter = { from = 100, to = 1000, points = 10, scale = "log" }   # um
    celsius = [6.3, 18.5]

    [plan]                           # optional: grid (the default), zipped, random, latin_hypercube, sobol,
    kind = "grid"                    # boundary or sensitivity, and what these take
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from axon.errors import unknown_name
from axon.fibres import myelinated
from axon.geometry import Axon
from axon.membranes import model
from axon.sweeps.asking import sweep
from axon.sweeps.axons import UNITS
from axon.sweeps.boundary import Boundary
from axon.sweeps.packed import packed, settings_of
from axon.sweeps.plans import Grid, LatinHypercube, Plan, Random, Sobol, Span, Zipped, span_of
from axon.sweeps.result import Sweep
from axon.sweeps.sensitivity import sensitivity_plan

_TABLES = ("question", "axon", "stimulus", "over", "plan")
_STIMULUS = {"amplitude": "amplitude", "start": "pulse_start", "duration": "pulse_duration", "at": "at"}
_CABLE = {"length": 100_000.0, "diameter": 476.0, "axial_resistivity": None, "celsius": None}
_SAMPLED: dict[str, Any] = {"random": Random, "latin_hypercube": LatinHypercube, "sobol": Sobol}
_OPTIONS: dict[str, tuple[str, ...]] = {
    "grid": (),
    "zipped": (),
    "random": ("points", "seed"),
    "latin_hypercube": ("points", "seed"),
    "sobol": ("points", "seed"),
    "boundary": ("along", "accuracy", "refine"),
    "sensitivity": ("step",),
}
_RANGE = ("from", "to", "points", "scale")


@dataclass(frozen=True)
class Study:
    """A sweep written down: the same from a TOML file and from Python.

    Parameters
    ----------
    question : str
        ``"velocity"``, ``"threshold"``, ``"refractory"`` or ``"block"``.
    axon : mapping
        What is the same at every point: ``model`` of the membrane, or ``fibre``, a published one with myelin,
        and what ``axon.myelinated`` takes; parameters of axon and pulse; settings of the question.
    over : mapping
        Lists of values, or ranges: mappings with ``from``, ``to``, and ``points`` for a grid, and ``scale``
        (``"linear"`` or ``"log"``). For a sensitivity, nothing.
    plan : mapping
        ``kind`` and what it takes: see ``axon.Grid`` and its like.

    Raises
    ------
    ValueError
        For anything that cannot be meant; nothing has run then.
    """

    question: str
    axon: Mapping[str, Any] = field(default_factory=dict)
    over: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kind = self.plan.get("kind", "grid")
        if kind not in _OPTIONS:
            raise ValueError(unknown_name("plan.kind", str(kind), _OPTIONS))
        for name in self.plan:
            if name not in ("kind", *_OPTIONS[kind]):
                raise ValueError(unknown_name(f"option of a {kind} plan", name, ("kind", *_OPTIONS[kind])))
        asked = packed(self.question, self._template(), None, self._fixed())
        asked.check(self.points().names)

    def run(
        self,
        to: str | os.PathLike[str] | None = None,
        *,
        executor: str | Executor | None = None,
        workers: int | None = None,
        time_limit: float | None = None,
        retry: bool = False,
        progress: bool = True,
    ) -> Sweep:
        """Conduct the sweep; the arguments are those of ``axon.sweep``."""
        return sweep(
            self.question,
            self.points(),
            axon=self._template(),
            fixed=self._fixed(),
            to=to,
            executor=executor,
            workers=workers,
            time_limit=time_limit,
            retry=retry,
            progress=progress,
        )

    def points(self) -> Plan:
        """The plan that ``over`` and ``plan`` describe."""
        options = {name: value for name, value in self.plan.items() if name != "kind"}
        kind = self.plan.get("kind", "grid")
        if kind == "sensitivity":
            template = self._template()
            if not isinstance(template, Axon):
                raise ValueError("a sensitivity needs a uniform axon, got a fibre; give a model instead")
            if self.over:
                raise ValueError("a sensitivity varies every parameter by itself; leave [over] out")
            return sensitivity_plan(template, None, **options)
        if not self.over:
            raise ValueError("[over] must name at least one parameter and its values, got none")
        if kind in _SAMPLED:
            if "points" not in options:
                raise ValueError(f"a {kind} plan needs points: how many to draw; put it into [plan]")
            return _SAMPLED[kind](options.pop("points"), _ranges(self.over), **options)
        if kind == "boundary":
            return self._boundary(options)
        lists = {name: _values(name, own) for name, own in self.over.items()}
        return Zipped(lists) if kind == "zipped" else Grid(lists)

    def _boundary(self, options: dict[str, Any]) -> Boundary:
        along = options.pop("along", None)
        if along not in self.over:
            known = ", ".join(self.over)
            raise ValueError(
                f"a boundary plan needs along: one of {known}, whose range is bisected; got {along!r}"
            )
        others = {name: _values(name, own) for name, own in self.over.items() if name != along}
        return Boundary(along, _span(along, self.over[along]), over=others or None, **options)

    def _template(self) -> Axon | Callable[..., Axon]:
        if "fibre" in self.axon:
            return partial(myelinated, model=str(self.axon["fibre"]))
        own = {name: self.axon.get(name, default) for name, default in _CABLE.items()}
        return Axon(membrane=model(self.axon.get("model", "hodgkin_huxley")), **own)

    def _fixed(self) -> dict[str, Any]:
        if "fibre" in self.axon:
            return {name: value for name, value in self.axon.items() if name not in {"fibre", *self.over}}
        known = {*settings_of(self.question), *UNITS, "model"}
        for name in self.axon:
            if name not in known and "." not in name:
                raise ValueError(unknown_name("name in [axon]", name, known))
        # What only makes the template is not fixed: a length would be taken as asked for
        made = {"model", "diameter", "axial_resistivity", "celsius"}
        return {name: value for name, value in self.axon.items() if name not in {*made, *self.over}}


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read a study file.

    Raises
    ------
    ValueError
        When it is no TOML, or holds something that cannot be meant; the message names the file.
    FileNotFoundError
        When it is not there.
    """
    with open(path, "rb") as file:
        try:
            tables = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{os.fspath(path)} is no TOML: {error}") from error
    try:
        for name in tables:
            if name not in _TABLES:
                raise ValueError(unknown_name("table or key", name, _TABLES))
        if "question" not in tables:
            raise ValueError('question is missing; write for example question = "velocity"')
        for name in _TABLES[1:]:
            if not isinstance(tables.get(name, {}), dict):
                raise ValueError(f"{name} must be a table, [{name}], got {tables[name]!r}")
        return Study(
            str(tables["question"]),
            {**_flat(tables.get("axon", {})), **_pulse(tables.get("stimulus", {}))},
            _flat(tables.get("over", {})),
            tables.get("plan", {}),
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error


def _pulse(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table of the stimulus, by the names that points have for it."""
    for name in table:
        if name not in _STIMULUS:
            raise ValueError(unknown_name("name in [stimulus]", name, _STIMULUS))
    return {_STIMULUS[name]: value for name, value in table.items()}


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """Names with dots, which TOML reads as tables in tables, put together again."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict) and not set(value) & set(_RANGE):
            flat |= {f"{name}.{inner}": own for inner, own in _flat(value).items()}
        else:
            flat[name] = value
    return flat


def _values(name: str, given: Any) -> Any:
    """A list as it is, or the evenly spaced values of a range."""
    if not isinstance(given, Mapping):
        return given  # which Grid checks
    span, points = _span(name, given), given.get("points")
    if isinstance(points, bool) or not isinstance(points, int) or points < 2:
        raise ValueError(f"{name}: a range in a grid needs points, a whole number >= 2, got {points!r}")
    return [float(f"{value:.12g}") for value in span.ppf(np.linspace(0, 1, points))]


def _ranges(over: Mapping[str, Any]) -> dict[str, Span]:
    return {name: _span(name, given) for name, given in over.items()}


def _span(name: str, given: Any) -> Span:
    if isinstance(given, list) and len(given) == 2:
        return span_of(name, *given)
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} must be a range, {{ from = 1, to = 2 }}, got {given!r}")
    for key in given:
        if key not in _RANGE:
            raise ValueError(f"{name}: {unknown_name('key of a range', key, _RANGE)}")
    if not {"from", "to"} <= set(given):
        raise ValueError(f"{name}: a range needs from and to, got {dict(given)!r}")
    return span_of(name, given["from"], given["to"], given.get("scale", "linear"))

"""Two runs side by side: what was asked differently, and where what came out parts ways."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.errors import NoPropagation
from axon.model import to_json
from axon.run import Run, axes, load, results

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parting:
    """Where a recorded quantity of two runs differs.

    Attributes
    ----------
    name : str
        Its path in the file, such as ``"voltage"`` or ``"gates/m"``.
    largest, largest_time, largest_position : float
        Greatest difference, in the unit of the quantity, and where it is (ms, um).
    first_time, first_position : float
        Where the difference first passes the tolerance.
    """

    name: str
    largest: float
    largest_time: float
    largest_position: float
    first_time: float
    first_position: float

    def __str__(self) -> str:
        return (
            f"{self.name}: apart from t = {self.first_time:g} ms, x = {self.first_position:g} um on; at most "
            f"by {self.largest:.4g} at t = {self.largest_time:g} ms, x = {self.largest_position:g} um"
        )


@dataclass(frozen=True)
class Difference:
    """How two runs differ; false where they do not.

    Attributes
    ----------
    parameters : dict of path to (first, second)
        What was asked differently: axon, stimuli, record, numerics. None where one has no such thing.
    velocities : (float or None, float or None)
        m/s; None where nothing propagated.
    crossings : (int, int)
        Number of spikes in all compartments.
    partings : tuple of Parting
        Of the quantities that both runs recorded.
    """

    parameters: dict[str, tuple[Any, Any]]
    velocities: tuple[float | None, float | None]
    crossings: tuple[int, int]
    partings: tuple[Parting, ...]

    def __bool__(self) -> bool:
        a, b = self.velocities
        return bool(self.parameters or self.partings or a != b or self.crossings[0] != self.crossings[1])

    def __str__(self) -> str:
        lines = [f"{name}: {a!r} | {b!r}" for name, (a, b) in self.parameters.items()]
        a, b = self.velocities
        if a != b:
            shown = " | ".join("no propagation" if v is None else f"{v:.6g} m/s" for v in self.velocities)
            lines.append(f"velocity: {shown}" + (f" ({100 * (b / a - 1):+.3g} %)" if a and b else ""))
        if self.crossings[0] != self.crossings[1]:
            lines.append(f"crossings: {self.crossings[0]} | {self.crossings[1]}")
        return "\n".join([*lines, *map(str, self.partings)])


def diff(
    a: Run | str | os.PathLike[str], b: Run | str | os.PathLike[str], *, tolerance: float = 0.0
) -> Difference:
    """Compare two runs.

    Parameters
    ----------
    a, b : Run or path
    tolerance : float
        Differences of recorded values up to this are none. Where the runs were sampled at other times or
        places, the second is interpolated to those of the first that both cover, and the error of that
        counts as difference.

    Returns
    -------
    Difference
    """
    first, second = (run if isinstance(run, Run) else load(run) for run in (a, b))
    return Difference(
        parameters=_parameters(first, second),
        velocities=(_velocity(first), _velocity(second)),
        crossings=(len(first.spike_time), len(second.spike_time)),
        partings=tuple(_partings(first, second, tolerance)),
    )


def _velocity(run: Run) -> float | None:
    try:
        return run.velocity().value
    except NoPropagation:
        return None


def _parameters(a: Run, b: Run) -> dict[str, tuple[Any, Any]]:
    asked = []
    for run in (a, b):
        whole = {
            "axon": run.axon,
            "stimuli": run.stimuli,
            "record": run.record,
            "numerics": dict(run.numerics),
        }
        asked.append(dict(_flat("", json.loads(to_json(whole)))))
    names = dict.fromkeys([*asked[0], *asked[1]])
    pairs = {name: (asked[0].get(name), asked[1].get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every number and word in nested lists and dicts by its path; long lists of numbers as one."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "noun":
                yield from _flat(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list) and (len(value) < 100 or isinstance(value[0], dict)):
        for number, item in enumerate(value):
            yield from _flat(f"{path}[{number}]", item)
    else:
        yield path, value


def _partings(a: Run, b: Run, tolerance: float) -> Iterator[Parting]:
    mine, theirs = results(a), results(b)
    for name in mine:
        if mine[name].ndim != 2 or name not in theirs:
            continue
        known, other = np.asarray(mine[name], float), np.asarray(theirs[name], float)
        t, x = _times(a, mine, name), a.position
        same = np.array_equal(t, _times(b, theirs, name)) and np.array_equal(x, b.position)
        if not same:
            if a.compartments.branched or b.compartments.branched:
                continue
            rows, columns = _within(t, _times(b, theirs, name)), _within(x, b.position)
            known, t, x = known[rows][:, columns], t[rows], x[columns]
            if not known.size:
                continue
            other = _at(_times(b, theirs, name), b.position, other, t, x)
        found = _parting(name, np.nan_to_num(np.abs(known - other)), t, x, tolerance)
        if found is not None:
            yield found


def _times(run: Run, found: Mapping[str, NDArray[Any]], name: str) -> Array:
    """When a quantity was sampled, ms: with the voltage or at times of its own."""
    return np.asarray(found[axes(name, run)[0]], float)


def _within(values: Array, others: Array) -> NDArray[np.bool_]:
    """Which values lie in the range of the others."""
    return (values >= others.min(initial=np.inf)) & (values <= others.max(initial=-np.inf))


def _at(time: Array, position: Array, values: Array, t: Array, x: Array) -> Array:
    """A quantity recorded at ``time`` and ``position`` at other times and places, by straight lines."""
    in_time = np.stack([np.interp(t, time, column) for column in values.T], axis=1)
    return np.stack([np.interp(x, position, row) for row in in_time])


def _parting(name: str, apart: Array, t: Array, x: Array, tolerance: float) -> Parting | None:
    beyond = apart > tolerance
    if not beyond.any():
        return None
    row = int(np.argmax(beyond.any(axis=1)))
    column = int(np.argmax(apart[row]))
    most = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return Parting(
        name, float(apart[most]), float(t[most[0]]), float(x[most[1]]), float(t[row]), float(x[column])
    )

"""The sweep file: rows kept as they come, and found again when the same sweep is asked once more."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.errors import FileFormatError
from axon.provenance import provenance
from axon.storage.tables import read_table, write_table
from axon.sweeps.points import Point, Row, Value, key_of, seed_of

Array = NDArray[Any]

_EVERY_S = 1.0  # between two writings of the file
_SHARE = 20.0  # writing takes no more than this part of the time


class Sheet:
    """Rows of a sweep in the order in which their points were asked for, and the file that holds them.

    Parameters
    ----------
    path : path or None
        Of the file; without one the rows stay in memory.
    facts : mapping
        ``question``, ``identity`` (a content hash), ``plan``, ``fixed``, ``parameters`` (name to unit),
        ``units`` (of answers), ``seed``; as JSON can hold them.
    retry : bool
        Whether points that failed are asked again.

    Raises
    ------
    FileFormatError
        When the file is no sweep file, or that of another sweep.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        facts: Mapping[str, Any],
        *,
        retry: bool = False,
    ) -> None:
        self.path, self.facts = None if path is None else Path(path), facts
        self.points: list[Point] = []  # in the order asked for
        self.rows: dict[Any, Row] = {}
        self.runs: dict[Any, str] = {}  # file of the run that is kept of a point, relative to this one
        self._asked: set[Any] = set()
        self._written, self._took = time.monotonic(), 0.0
        self.finished = False  # whether the file says so
        if self.path is not None and self.path.exists():
            self._take_up(retry)

    def _take_up(self, retry: bool) -> None:
        assert self.path is not None
        columns, _, attrs = read_table(self.path)
        if attrs.get("identity") != self.facts["identity"]:
            raise FileFormatError(
                f"{self.path} holds another sweep, of question {attrs.get('question')!r} with the parameters "
                f"{', '.join(json.loads(attrs.get('parameters', '{}')))}, or asked in another way; "
                "give this one a file of its own"
            )
        self.finished = bool(attrs["complete"])
        for point, row in rows_of(columns, list(self.facts["parameters"]), json.loads(attrs["answers"])):
            if not (retry and row.reason):
                self.rows[key_of(point)] = row

    def refuse_strangers(self, points: Sequence[Point]) -> None:
        """Raise ``FileFormatError`` when the file holds points that are not among these."""
        strangers = self.rows.keys() - {key_of(point) for point in points}
        if strangers:
            raise FileFormatError(
                f"{self.path} holds {len(strangers)} points that this sweep does not ask for, such as "
                f"{dict(min(strangers, key=repr))}; give this one a file of its own, or ask for them too"
            )

    def ask(self, points: Sequence[Point]) -> list[Point]:
        """Put points down as asked for; those that nobody has answered yet come back."""
        for point in points:
            key = key_of(point)
            if key not in self._asked:
                self._asked.add(key)
                self.points.append(point)
        missing = {key_of(point): point for point in points if key_of(point) not in self.rows}
        return list(missing.values())

    def put(self, points: Sequence[Point], rows: Sequence[Row]) -> None:
        """Keep answers; the first answer of a point stands. About once a second they go into the file."""
        for point, row in zip(points, rows, strict=True):
            self.rows.setdefault(key_of(point), row)
        if time.monotonic() - self._written > max(_EVERY_S, _SHARE * self._took):
            self.write(complete=False)

    def found(self, points: Sequence[Point]) -> list[Row]:
        """The rows of points, all of them answered."""
        return [self.rows[key_of(point)] for point in points]

    def write(self, *, complete: bool, stacked: bool = False) -> None:
        """Write the file, whole, in one step; the last time (``stacked``) with the kept runs as one array."""
        if self.path is None:
            return
        began = time.monotonic()
        answered = [point for point in self.points if key_of(point) in self.rows]
        others = [dict(key) for key in self.rows if key not in self._asked]  # for a later part of this sweep
        everything = [*answered, *others]
        attrs = {
            **provenance(),
            **{name: _text(value) for name, value in self.facts.items()},
            "complete": int(complete),
            "points_asked": len(self.points),
            "answers": json.dumps(self.answer_names(everything)),
        }
        keys = enumerate(map(key_of, everything))
        runs = {number: self.runs[key] for number, key in keys if key in self.runs}
        write_table(self.path, self.columns(everything), attrs, runs=runs, stacked=stacked)
        self._written = time.monotonic()
        self._took = self._written - began

    def answer_names(self, points: Sequence[Point]) -> list[str]:
        """The answers of some points: those with known units in their order, then the others by name."""
        names = {name for row in self.found(points) for name in row.answers}
        known = [name for name in self.facts["units"] if name in names]
        return [*known, *sorted(names - set(known))]

    def columns(self, points: Sequence[Point]) -> dict[str, tuple[Array, dict[str, Any]]]:
        rows, units = self.found(points), self.facts["units"]
        columns: dict[str, tuple[Array, dict[str, Any]]] = {
            "point": (np.arange(len(rows)), {"units": "1", "long_name": "number of the point"})
        }
        for name, unit in self.facts["parameters"].items():
            about = {"units": unit, "long_name": f"parameter {name}", "role": "parameter"}
            values = np.array([point[name] for point in points])
            columns[name] = values.astype(np.int8) if values.dtype == bool else values, about
        for name in self.answer_names(points):
            about = {"units": units.get(name, "1"), "long_name": f"answer {name}", "role": "answer"}
            about["coordinates"] = " ".join(self.facts["parameters"])
            columns[name] = np.array([row.answers.get(name, np.nan) for row in rows], float), about
        seeds = np.array([seed_of(point, self.facts["seed"]) for point in points], np.int64)
        failed = np.array([bool(row.reason) for row in rows], np.int8)
        reason = np.array([row.reason for row in rows], str)
        seconds = np.array([row.seconds for row in rows], float)
        columns["failed"] = failed, {"units": "1", "long_name": "1 where the point failed"}
        columns["reason"] = reason, {"units": "1", "long_name": "why it failed"}
        columns["seconds"] = seconds, {"units": "s", "long_name": "time spent on the point"}
        columns["seed"] = seeds, {"units": "1", "long_name": "seed of the point's random numbers"}
        return columns


def _text(value: Any) -> Any:
    return value if isinstance(value, str | int) else json.dumps(value)


def rows_of(
    columns: Mapping[str, Array], parameters: Sequence[str], answers: Sequence[str]
) -> list[tuple[Point, Row]]:
    """The points of a file with their rows."""
    values = {name: columns[name].tolist() for name in (*parameters, *answers, "reason", "seconds")}
    found = []
    for k in range(len(columns["point"])):
        point: dict[str, Value] = {name: values[name][k] for name in parameters}
        given = {name: values[name][k] for name in answers if values[name][k] == values[name][k]}
        found.append((point, Row(given, values["reason"][k], values["seconds"][k])))
    return found

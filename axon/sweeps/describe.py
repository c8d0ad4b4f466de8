"""A sweep in words, for `axon inspect`."""

from __future__ import annotations

from typing import Any

import numpy as np

from axon.sweeps.result import Sweep

_SHOWN = 6  # reasons, and rows of a boundary


def describe_sweep(sweep: Sweep) -> dict[str, Any]:
    """The facts of a sweep as plain data that JSON can hold.

    Returns
    -------
    dict
        ``question``, ``points``, ``complete``, ``failed``, ``failures`` (reason to count), ``parameters`` and
        ``answers`` (unit, and least, middle and greatest value or the distinct words), ``seconds`` (of all
        points), ``plan``, ``fixed``, ``provenance``; of a boundary sweep also ``boundary``.
    """
    facts: dict[str, Any] = {
        "question": sweep.question,
        "points": len(sweep),
        "complete": sweep.complete,
        "failed": int(sweep.failed.sum()),
        "failures": sweep.failures,
        "parameters": {name: _column(sweep, name) for name in sweep.parameters},
        "answers": {name: _column(sweep, name) for name in sweep.answers},
        "seconds": float(sweep.seconds.sum()),
        "plan": dict(sweep.plan),
        "fixed": dict(sweep.fixed),
        "provenance": dict(sweep.provenance),
    }
    if sweep.plan["kind"] == "boundary" and sweep.answers:
        edge = sweep.boundary()
        facts["boundary"] = {name: _json(values) for name, values in edge.items()}
    return facts


def _column(sweep: Sweep, name: str) -> dict[str, Any]:
    values, unit = sweep[name], sweep.units.get(name, "1")
    if values.dtype.kind not in "iufb":
        return {"units": unit, "values": np.unique(values).tolist()}
    known = values[~np.isnan(values.astype(float))]
    facts: dict[str, Any] = {"units": unit, "distinct": len(np.unique(known))}
    for word, part in (("least", 0.0), ("median", 0.5), ("greatest", 1.0)):
        facts[word] = float(np.quantile(known, part)) if known.size else None
    return facts


def _json(values: Any) -> list[Any]:
    return [None if isinstance(x, float) and np.isnan(x) else x for x in values.tolist()]


def sweep_lines(sweep: Sweep) -> list[str]:
    """The facts of a sweep as lines for a person, a label in front of each group."""
    facts = describe_sweep(sweep)
    groups: list[tuple[str, list[str]]] = [
        ("sweep", [f"{facts['question']} at {facts['points']} points, a {facts['plan']['kind']} plan"]),
        ("over", [_column_line(name, own) for name, own in facts["parameters"].items()]),
        ("answers", [_column_line(name, own) for name, own in facts["answers"].items()] or ["none"]),
        ("failed", _failure_lines(facts)),
        ("boundary", _boundary_lines(facts)),
        ("sensitivity", _sensitivity_lines(sweep)),
        ("fixed", [f"{name} {value}" for name, value in facts["fixed"].items()]),
        ("time", [f"{facts['seconds']:.3g} s of computing, {_each(facts)} a point"]),
        ("provenance", [f"{name}: {value}" for name, value in facts["provenance"].items() if value]),
    ]
    if not facts["complete"]:
        groups.insert(0, ("incomplete", ["it was stopped; the same sweep to this file goes on from here"]))
    return [f"{label if i == 0 else '':<12}{text}" for label, texts in groups for i, text in enumerate(texts)]


def _column_line(name: str, own: dict[str, Any]) -> str:
    unit = "" if own["units"] == "1" else f" {own['units']}"
    if "values" in own:
        return f"{name}: {', '.join(map(str, own['values'][:_SHOWN]))}"
    if own["least"] is None:
        return f"{name}: none"
    return f"{name}: {own['least']:.6g} to {own['greatest']:.6g}{unit}, median {own['median']:.6g}"


def _failure_lines(facts: dict[str, Any]) -> list[str]:
    reasons = list(facts["failures"].items())
    lines = [f"{count} x {reason}" for reason, count in reasons[:_SHOWN]]
    if len(reasons) > _SHOWN:
        lines.append(f"and {len(reasons) - _SHOWN} other reasons")
    return [f"{facts['failed']} of {facts['points']}", *lines] if reasons else ["none"]


def _boundary_lines(facts: dict[str, Any]) -> list[str]:
    edge = facts.get("boundary")
    if edge is None:
        return []
    along = facts["plan"]["along"]
    rows = [dict(zip(edge, row, strict=True)) for row in zip(*edge.values(), strict=True)]
    lines = [_edge_line(row, along) for row in rows[:_SHOWN]]
    return [*lines, f"and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else lines


def _edge_line(row: dict[str, Any], along: str) -> str:
    at, half = row[along], row["half_width"]
    found = "none in the range" if at is None else f"{along} {at:.6g} +- {half:.2g}"
    where = [f"{name} {_word(value)}" for name, value in row.items() if name not in (along, "half_width")]
    return ": ".join([", ".join(where), found] if where else [found])


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sensitivity_lines(sweep: Sweep) -> list[str]:
    whole = sweep.plan["kind"] == "sensitivity" and sweep.complete and not sweep.failed.any()
    return str(sweep.sensitivity()).split("\n") if whole else []


def _each(facts: dict[str, Any]) -> str:
    each = facts["seconds"] / max(facts["points"], 1)
    return f"{1e3 * each:.3g} ms" if each < 1 else f"{each:.3g} s"

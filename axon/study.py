"""What every study shares: its command line, the files it writes, and the table it prints.

A study is a script ``studies/<question>.py`` whose docstring states question, theory, expected answer and
source; it ends with::

    def main(argv: Sequence[str] | None = None) -> None:
        print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Answer = dict[str, Any]
DIGITS = 10  # significant digits in answer.json


class Question(Protocol):
    """The function of a study that finds its answer."""

    def __call__(self, quick: bool = False) -> Answer: ...


def compared(
    value: float,
    expected: float,
    unit: str,
    *,
    source: str,
    tolerance: float | None = None,
    standard_error: float | None = None,
) -> Answer:
    """A number beside the one that was expected.

    Parameters
    ----------
    value, expected : float
        In ``unit``.
    unit : str
        ``"1"`` for a pure number.
    source : str
        Where the expected number comes from.
    tolerance : float, optional
        How far apart they may be, in ``unit``; None where agreement is not expected, only told.
    standard_error : float, optional
        Of the value.

    Returns
    -------
    dict
        The arguments, the difference, absolute and relative, and, where there is a tolerance, whether it
        ``agrees``.
    """
    entry: Answer = {"value": float(value), "unit": unit}
    if standard_error is not None:
        entry["standard_error"] = float(standard_error)
    difference = float(value) - float(expected)
    entry |= {"expected": float(expected), "difference": difference}
    if expected:
        entry["relative_difference"] = difference / float(expected)
    if tolerance is not None:
        entry |= {"tolerance": float(tolerance), "agrees": bool(abs(difference) <= tolerance)}
    return entry | {"source": source}


def conduct(
    script: str,
    question: str | None,
    run: Question,
    files: Mapping[str, Callable[[Answer, Path], object]],
    argv: Sequence[str] | None = None,
) -> str:
    """Run a study from its command line: find the answer, write ``answer.json`` and the other files.

    Parameters
    ----------
    script : str
        ``__file__`` of the study, which names it; results go to ``results/<name>`` beside its folder.
    question : str
        Its docstring; the first line describes it in ``--help``.
    run : callable
        ``run(quick)`` returns a dict of numbers, entries made by `compared`, and ``"answer"``, the answer in
        words: a sentence, or lines.
    files : mapping of str to callable
        Name of each other file, and the function that writes it from the answer to a path.
    argv : sequence of str, optional
        The command line: ``[--quick] [--out DIR]``.

    Returns
    -------
    str
        The table for a person, which ends with the answer.
    """
    name = Path(script).stem
    parser = argparse.ArgumentParser(prog=f"{name}.py", description=(question or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the small version")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"where the results go (default: results/{name})"
    )
    arguments = parser.parse_args(argv)
    folder: Path = arguments.out or Path(script).resolve().parent.parent / "results" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {folder}: {error.strerror}")
    answer = {"study": name, "quick": arguments.quick, **run(arguments.quick)}
    for file, write in files.items():
        write(answer, folder / file)
    (folder / "answer.json").write_text(json.dumps(_plain(answer), indent=2, allow_nan=False) + "\n")
    return table(answer)


def comparisons(answer: Any, name: str = "") -> Iterator[tuple[str, Answer]]:
    """Every entry made by `compared` in an answer, with its name; in a list, with its number in brackets."""
    if isinstance(answer, Mapping):
        if {"value", "expected"} <= answer.keys():
            yield name, dict(answer)
            return
        for key, value in answer.items():
            yield from comparisons(value, f"{name}.{key}" if name else key)
    elif isinstance(answer, list | tuple):
        for index, value in enumerate(answer):
            yield from comparisons(value, f"{name}[{index}]")


def table(answer: Answer) -> str:
    """The compared numbers of an answer (but not lists of them) in columns, and the answer in words below."""
    rows = [("", "found", "expected", "difference", "", "from")]
    for name, entry in comparisons(answer):
        if "[" in name:
            continue
        verdict = {True: "agrees", False: "DIFFERS", None: ""}[entry.get("agrees")]
        rows.append((name.replace("_", " "), *_numbers(entry), verdict, entry["source"]))
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, width, strict=True)).rstrip() for row in rows]
    words = answer["answer"]
    return "\n".join([*lines, "", *([f"answer: {words}"] if isinstance(words, str) else words)])


def _numbers(entry: Answer) -> tuple[str, str, str]:
    """Value, expected value and difference in words, with digits enough to see the difference."""
    unit = "" if entry["unit"] == "1" else f" {entry['unit']}"
    size = max(abs(entry["value"]), abs(entry["expected"]), 1e-300)
    apart = abs(entry["difference"]) or size
    decimals = min(DIGITS, max(0, 4 - math.floor(math.log10(size)), 1 - math.floor(math.log10(apart))))
    error = entry.get("standard_error")
    found = f"{entry['value']:.{decimals}f}" + ("" if error is None else f" ± {error:.1g}")
    difference = f"{entry['difference']:+.2g}"
    if "relative_difference" in entry:
        difference += f" ({100 * entry['relative_difference']:+.2g} %)"
    return found + unit, f"{entry['expected']:.{decimals}f}", difference


def _plain(thing: Any) -> Any:
    """The same in types that JSON knows, floats rounded to `DIGITS`."""
    if isinstance(thing, Mapping):
        return {str(key): _plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple | np.ndarray):
        return [_plain(value) for value in thing]
    if isinstance(thing, float | np.floating):
        return float(f"{thing:.{DIGITS}g}")
    return thing.item() if isinstance(thing, np.generic) else thing

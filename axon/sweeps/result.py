"""A sweep: points, answers and failures as columns, fresh or read from a file."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from axon.errors import unknown_name
from axon.storage.tables import read_table
from axon.sweeps.boundary import boundary_of

if TYPE_CHECKING:
    from axon.sweeps.sensitivity import Sensitivity

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """The answers to one question at many points; one row per point.

    Attributes
    ----------
    question : str
    parameters : dict of str to (rows,) array
        What was varied.
    answers : dict of str to (rows,) array
        nan where the point failed, or has no such answer.
    units : dict of str to str
        Of parameters and answers.
    failed : (rows,) bool array
    reason : (rows,) array of str
        Why; ``""`` where it did not.
    seconds : (rows,) array
        Time spent on each point, s.
    seed : (rows,) int array
        Of each point's random numbers.
    plan, fixed : mapping
        How the points were chosen, and what was the same at all of them.
    provenance : mapping
    complete : bool
        False when the sweep was stopped before its end.
    computed, elapsed : int, float
        How many points this call computed (the others were in the file), and in how many seconds; 0 for a
        sweep read from a file.
    """

    question: str
    parameters: Mapping[str, Array]
    answers: Mapping[str, Array]
    units: Mapping[str, str]
    failed: Array
    reason: Array
    seconds: Array
    seed: Array
    plan: Mapping[str, Any]
    fixed: Mapping[str, Any]
    provenance: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True
    computed: int = 0
    elapsed: float = 0.0

    def __len__(self) -> int:
        return len(self.failed)

    def __getitem__(self, name: str) -> Array:
        """A parameter or an answer by name."""
        known = {**self.answers, **self.parameters}
        if name not in known:
            raise KeyError(unknown_name("column", name, known))
        return known[name]

    @property
    def rate(self) -> float:
        """Points computed per second; nan when none were."""
        return self.computed / self.elapsed if self.computed else float("nan")

    @property
    def failures(self) -> dict[str, int]:
        """Reasons of the points that failed, and how many give each, the commonest first.

        Reasons that differ in numbers alone count as one, and the first stands for all.
        """
        first: dict[str, str] = {}
        reasons = self.reason[self.failed].tolist()
        alike = [first.setdefault(re.sub(r"\d+(\.\d+)?", "#", reason), reason) for reason in reasons]
        return dict(Counter(alike).most_common())

    def boundary(self) -> dict[str, Array]:
        """The boundary that a ``Boundary`` sweep found: one row for each value of its other parameters.

        Returns
        -------
        dict of str to array
            The other parameters, the bisected one at the boundary, and ``"half_width"`` of its last bracket;
            nan where there is no boundary in the range.
        """
        return boundary_of(self.plan, self.parameters, next(iter(self.answers.values())))

    def sensitivity(self) -> Sensitivity:
        """What a sweep of ``axon.sensitivity`` says of every parameter."""
        from axon.sweeps.sensitivity import sensitivity_of

        return sensitivity_of(self)

    def frame(self) -> Any:
        """The rows as a pandas ``DataFrame``, parameters first; needs pandas."""
        import pandas

        columns = {**self.parameters, **self.answers, "failed": self.failed, "reason": self.reason}
        return pandas.DataFrame({**columns, "seconds": self.seconds, "seed": self.seed})

    def __str__(self) -> str:
        count = f"{len(self)} points of {self.question} over {', '.join(self.parameters)}"
        failed = f", {int(self.failed.sum())} failed" if self.failed.any() else ""
        state = "" if self.complete else ", incomplete"
        if not self.computed:
            return f"{count}{failed}{state}"
        return f"{count}{failed}{state}; computed {self.computed} in {self.elapsed:.3g} s, {self.rate:.3g} /s"

    def __repr__(self) -> str:
        return f"<Sweep: {self}>"


def load_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Read a sweep from its file.

    Raises
    ------
    FileFormatError
        For a file that is no sweep, is damaged, or was written by a newer version.
    """
    columns, about, attrs = read_table(path)
    parameters = list(json.loads(attrs["parameters"]))
    answers = json.loads(attrs["answers"])
    return Sweep(
        question=attrs["question"],
        parameters={name: columns[name] for name in parameters},
        answers={name: columns[name] for name in answers},
        units={name: about[name]["units"] for name in (*parameters, *answers)},
        failed=columns["failed"].astype(bool),
        reason=columns["reason"],
        seconds=columns["seconds"],
        seed=columns["seed"],
        plan=json.loads(attrs["plan"]),
        fixed=json.loads(attrs["fixed"]),
        provenance={name: attrs[name] for name in _PROVENANCE if name in attrs},
        complete=bool(attrs["complete"]),
    )


_PROVENANCE = ("axon_version", "created", "command", "git_commit", "platform")

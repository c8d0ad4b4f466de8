"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something wrong with a run.

    Attributes
    ----------
    kind : str
        What was checked, in a word or two.
    message : str
        What is wrong and what to change, with a number.
    """

    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"

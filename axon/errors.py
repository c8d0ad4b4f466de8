"""What can go wrong with the physics, a file or a simulation; a bad argument is a ``ValueError``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class AxonError(Exception):
    """Base of every error that is not simply a bad argument."""


class NoPropagation(AxonError):
    """There is no propagated spike to measure; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoRest(AxonError):
    """The membrane (or the whole cable) has no resting potential."""


class Unstable(AxonError):
    """A variable became non-finite or ran away during a simulation.

    ``run`` is the incomplete run up to that step.
    """

    def __init__(self, message: str, *, run: Any = None) -> None:
        super().__init__(message)
        self.run = run


class FileFormatError(AxonError):
    """A file is not a run file, is damaged, or was written by a newer version."""


def unknown_name(kind: str, given: str, known: Iterable[str]) -> str:
    """Message for a misspelt name: what was given, the nearest known names, and all of them.

    Parameters
    ----------
    kind : str
        What the name stands for, for example ``"model"``.
    given : str
        The name that is not known.
    known : iterable of str
        The names that are.
    """
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else ";"
    return f"unknown {kind} {given!r}{hint} known: {', '.join(names)}"

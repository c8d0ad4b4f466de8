"""Where rows stay that are kept in memory, and states from which a run can be continued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


class Memory:
    """Rows kept in memory.

    Parameters
    ----------
    empty : dict
        Every array by name, without rows.
    rows : dict
        How many rows there will be at most, by name where it is known: these have their place from the start.
    """

    def __init__(self, empty: dict[str, Array], rows: Mapping[str, int] | None = None) -> None:
        self._parts = {name: [array] for name, array in empty.items()}
        self._room: dict[str, Array] = {}
        self._taken = dict.fromkeys(empty, 0)
        for name, most in (rows or {}).items():
            self.hold(name, np.empty((most, *empty[name].shape[1:]), empty[name].dtype))

    def hold(self, name: str, room: Array) -> None:
        """Put the rows into this array, where they may be already when they are appended."""
        self._room[name] = room

    def append(self, name: str, rows: ArrayLike) -> None:
        """Add rows, which stay the caller's."""
        rows = np.asarray(rows)
        if name not in self._room:
            self._parts[name].append(rows.copy())
            return
        room, start = self._room[name], self._taken[name]
        self._taken[name] = stop = start + len(rows)
        if not np.may_share_memory(room, rows):
            room[start:stop] = rows

    def flush_when_due(self) -> None:
        """Nothing: memory needs none."""

    def array(self, name: str) -> Array:
        """All rows so far."""
        if name in self._room:
            return self._room[name][: self._taken[name]]
        parts = self._parts[name]
        return parts[-1] if len(parts) < 3 else np.concatenate(parts)


class States(Mapping[str, Array]):
    """States of the engine by name, (states, ...) each; put together when somebody asks for them.

    Parameters
    ----------
    states : iterable of mapping
        In the order of their steps.
    """

    def __init__(self, states: Iterable[Mapping[str, Array]] = ()) -> None:
        self._states: list[Mapping[str, Array]] = list(states)

    def append(self, state: Mapping[str, Array]) -> None:
        self._states.append(state)

    @cached_property
    def _whole(self) -> dict[str, Array]:
        whole = {name: np.array([state[name] for state in self._states]) for name in self}
        self._states = [{name: values[:0] for name, values in whole.items()}]
        return whole

    def __getitem__(self, name: str) -> Array:
        return self._whole[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._states[0] if self._states else ())

    def __len__(self) -> int:
        return len(self._states[0]) if self._states else 0

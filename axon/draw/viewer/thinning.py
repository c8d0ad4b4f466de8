"""Fewer samples of a run: as many as a page can hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from axon.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

FEWEST = 100  # times or positions that a picture needs


@dataclass(frozen=True)
class Thinning:
    """Which of the recorded samples the page holds: every so many in time and along the axon."""

    time: int = 1
    position: int = 1

    def until(self, run: Run, most: int) -> Thinning:
        """Thinned further until every array of `run` has `most` values at most."""
        thinner = self
        while math.prod(thinner._left(run)) > most:
            thinner = thinner.further(run)
        return thinner

    def further(self, run: Run) -> Thinning:
        """Half as many samples of `run`."""
        times, positions = self._left(run)
        # Times are what a film lives from: they are spared until there are twice as many.
        if times > 2 * positions:
            return Thinning(2 * self.time, self.position)
        return Thinning(self.time, 2 * self.position)

    def can_go_on(self, run: Run) -> bool:
        """Whether half as many samples of `run` are still a picture."""
        return max(self._left(run)) > FEWEST

    def _left(self, run: Run) -> tuple[int, int]:
        return -(-len(run.time) // self.time), -(-len(run.position) // self.position)

    def __call__(self, run: Run) -> Run:
        """`run` with the samples that are left, in memory; of one in a file no more is read."""
        return part_of(run, slice(None, None, self.time), slice(None, None, self.position))

    def __str__(self) -> str:
        steps = ((self.time, "time"), (self.position, "position"))
        words = [f"every {_ordinal(step)} {what}" for step, what in steps if step > 1]
        return " and ".join(words) or "every recorded time and position"


def part_of(run: Run, times: slice, columns: slice | Array) -> Run:
    """`run` at some of its recorded times and positions, in memory."""

    def part(values: Any) -> Array:
        return np.asarray(values[times, columns])

    kept = np.arange(len(run.position))[columns]
    return replace(
        run,
        record=run.record if len(kept) == len(run.position) else run.record_at(kept),
        time=run.time[times],
        position=run.position[kept],
        voltage=part(run.voltage),
        gates={name: part(gate) for name, gate in run.gates.items()},
        currents={name: part(current) for name, current in run.currents.items()},
        concentrations={name: part(values) for name, values in run.concentrations.items()},
    )


def _ordinal(step: int) -> str:
    return f"{step}{'nd' if step % 10 == 2 and step % 100 != 12 else 'th'}"

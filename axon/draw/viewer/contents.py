"""What the page is told of a run: quantities, wake, phases, spikes and velocities, as JSON can hold them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.draw.page import description
from axon.draw.panels import colours_of_channels, current_limits
from axon.draw.scene import (
    joins,
    length_scale,
    nodes,
    position_label,
    resting_voltage,
    sparse_marker,
    stimulated,
    velocity_in_words,
    voltage_limits,
    voltage_of,
)
from axon.draw.snapshots import GATE_COLOURS, OTHER_GATES
from axon.draw.style import COLOURS
from axon.draw.viewer.colours import diverging, sequential
from axon.draw.viewer.packing import decimal_step, digits, pack
from axon.draw.viewer.spikes import phases_of, spikes_of, velocities_of
from axon.draw.wake import ABSOLUTE, RELATIVE, Wake

if TYPE_CHECKING:
    from axon.run import Run

Array = np.ndarray[Any, np.dtype[Any]]
Told = dict[str, Any]

VOLTAGE_STEP, GATE_STEP = 0.01, 1e-4  # mV and open fraction
FEWEST = 100  # times or positions that a picture needs
CURRENT_PARTS = 10_000  # at least so many steps in the range of currents that is drawn


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

        def part(values: Any) -> Array:
            return np.asarray(values[:: self.time, :: self.position])

        columns = np.arange(len(run.position))[:: self.position]
        return replace(
            run,
            record=run.record_at(columns) if self.position > 1 else run.record,
            time=run.time[:: self.time],
            position=run.position[:: self.position],
            voltage=part(run.voltage),
            gates={name: part(gate) for name, gate in run.gates.items()},
            currents={name: part(current) for name, current in run.currents.items()},
        )

    def __str__(self) -> str:
        steps = ((self.time, "time"), (self.position, "position"))
        words = [f"every {_ordinal(step)} {what}" for step, what in steps if step > 1]
        return " and ".join(words) or "every recorded time and position"


def tell(run: Run, thinning: Thinning, *, progress: bool) -> Told:
    """Everything the page is told of `run`."""
    small = thinning(run)
    factor, unit = length_scale(run)
    columns = np.arange(len(run.position))[:: thinning.position]
    velocity, reason = velocity_in_words(run)
    shown = quantities(small)
    return {
        "title": description(run),
        "velocity": {"text": velocity, "reason": reason, "spikes": velocities_of(run)},
        "complete": run.complete,
        "facts": [*_facts(run), ["shown", str(thinning)], ["rounded", _rounded(shown)]],
        "unit": unit,
        "label": position_label(run),
        "length": run.axon.total_length * factor,
        "position": _numbers(small.position * factor),
        "time": _numbers(small.time),
        "nodes": _numbers(np.array(nodes(run)) * factor),
        "dots": bool(sparse_marker(run)),
        "joins": _numbers(np.array(joins(run)) * factor),
        "stimuli": [_numbers([x * factor, start, stop]) for x, start, stop in stimulated(run)],
        "quantities": shown,
        "wake": _wake(small),
        "arrivals": spikes_of(run, columns),
        "crossings": len(run.spike_time),
        "phases": phases_of(run, columns, progress=progress),
    }


def quantities(run: Run) -> list[Told]:
    """Voltage, gates and currents, packed, with units, limits and colours."""
    low, high = voltage_limits(run)
    rest = float(np.median(resting_voltage(run)))
    voltage = voltage_of(run, "the viewer")
    found = [
        _quantity("voltage", "voltage", "mV", voltage, VOLTAGE_STEP, (low, high), COLOURS["black"])
        | {"shades": diverging(low, rest, high)}
    ]
    others = iter(OTHER_GATES * len(run.gates))
    for name, gate in run.gates.items():
        colour = COLOURS[GATE_COLOURS.get(name) or next(others)]
        found.append(
            _quantity("gates", name, "", gate, GATE_STEP, (0.0, 1.0), colour) | {"shades": sequential(colour)}
        )
    if run.currents:
        low, high = current_limits(run)
        step, colours = decimal_step(high - low, CURRENT_PARTS), colours_of_channels(run)
        for name, current in run.currents.items():
            found.append(
                _quantity("currents", name, "mA/cm²", current, step, (low, high), colours[name])
                | {"shades": diverging(low, 0.0, high)}
            )
    return found


def _quantity(
    kind: str, name: str, unit: str, values: Array, step: float, limits: tuple[float, float], colour: str
) -> Told:
    return {
        "kind": kind,
        "name": name,
        "unit": unit,
        "digits": digits(step),
        "limits": _numbers(limits),
        "colour": colour,
        **pack(values, step),
    }


def _wake(run: Run) -> Told | None:
    """How refractory, as 0, 1 (relatively) or 2 (absolutely)."""
    wake = Wake.of(run)
    if wake is None:
        return None
    strength = wake.strength(run.gates, voltage_of(run, "the viewer"))
    return {"colour": COLOURS["purple"], **pack((strength >= RELATIVE) + 1.0 * (strength >= ABSOLUTE), 1.0)}


def _facts(run: Run) -> list[tuple[str, str]]:
    """Name and value of what else a person may want to know."""
    numerics, made = run.numerics, run.provenance
    dx = "default" if numerics["dx"] is None else f"{numerics['dx']:g} µm"
    return [
        ("simulated", f"{numerics['duration']:g} ms in steps of {numerics['dt']:g} ms"),
        ("compartments", f"{numerics['compartments']}, dx {dx}, order {numerics['order']}"),
        ("stimuli", "; ".join(map(repr, run.stimuli)) or "none"),
        ("recorded", f"{len(run.time)} times at {len(run.position)} positions"),
        ("made", f"{made.get('created', '')} axon {made.get('axon_version', '')}".strip()),
    ]


def _rounded(shown: list[Told]) -> str:
    """To what the values are rounded, and what is lost by it."""
    steps = {one["kind"]: f"{one['kind']} to {one['step']:g} {one['unit']}".rstrip() for one in shown}
    return ", ".join(steps.values()) + "; at most half of that is lost"


def _ordinal(step: int) -> str:
    return f"{step}{'nd' if step % 10 == 2 and step % 100 != 12 else 'th'}"


def _numbers(values: Any) -> list[float]:
    """Plain numbers without the digits that only rounding put there."""
    return [float(f"{value:.10g}") for value in np.asarray(values, float).ravel()]

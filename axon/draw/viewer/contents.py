"""What the page is told of a run: quantities, wake, phases, spikes and velocities, as JSON can hold them."""

from __future__ import annotations

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
    way_length,
)
from axon.draw.snapshots import GATE_COLOURS, OTHER_GATES
from axon.draw.style import COLOURS
from axon.draw.viewer.colours import diverging, sequential
from axon.draw.viewer.packing import decimal_step, digits, pack
from axon.draw.viewer.spikes import phases_of, spikes_of, velocities_of
from axon.draw.viewer.thinning import Thinning
from axon.draw.wake import ABSOLUTE, RELATIVE, Wake

if TYPE_CHECKING:
    from axon.run import Run

Array = np.ndarray[Any, np.dtype[Any]]
Told = dict[str, Any]

VOLTAGE_STEP, GATE_STEP = 0.01, 1e-4  # mV and open fraction
CURRENT_PARTS = 10_000  # at least so many steps in the range of currents that is drawn, ...
CONCENTRATION_PARTS = 10_000  # ... and in the largest concentration


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
        "length": way_length(run) * factor,
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
    """Voltage, gates, currents and concentrations, packed, with units, limits and colours."""
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
    pools = [(name, values, float(np.nanmax(values))) for name, values in run.concentrations.items()]
    for (name, values, most), shade in zip(pools, OTHER_GATES * len(pools), strict=False):
        step = decimal_step(most, CONCENTRATION_PARTS)
        found.append(
            _quantity("concentrations", name, "mM", values, step, (0.0, most or 1.0), COLOURS[shade])
            | {"shades": sequential(COLOURS[shade])}
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


def _numbers(values: Any) -> list[float]:
    """Plain numbers without the digits that only rounding put there."""
    return [float(f"{value:.10g}") for value in np.asarray(values, float).ravel()]

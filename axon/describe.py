"""What a person wants to know of a run, as plain data and as lines of text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.errors import NoPropagation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from axon.run import Run

Facts = dict[str, Any]


def describe(run: Run) -> Facts:
    """Return the facts of a run as plain data that JSON can hold.

    Parameters
    ----------
    run : Run
        Fresh in memory or reopened.

    Returns
    -------
    dict
        `axon` (sections with length and diameter in um, axial resistivity in ohm cm, temperature in degC),
        `stimuli`, `numerics`, `complete`, `recorded` (per array unit, shape, type, least and greatest value),
        `spikes` (crossings in all compartments, times in ms), `velocity` (see `velocity_facts`) and
        `provenance`.
    """
    return {
        "axon": axon_facts(run),
        "stimuli": [repr(stimulus) for stimulus in run.stimuli],
        "numerics": {name: plain(value) for name, value in run.numerics.items()},
        "complete": run.complete,
        "recorded": recorded_facts(run),
        "spikes": spike_facts(run),
        "velocity": velocity_facts(run),
        "provenance": {name: plain(value) for name, value in run.provenance.items()},
    }


def growth(path: str | os.PathLike[str]) -> Facts:
    """How far a run has come that may still be written: model time reached and asked for (ms), and size."""
    from axon.model import from_json
    from axon.run import load
    from axon.storage import contents

    run = load(path, lazy=True)
    asked = from_json(contents(path)[1]["model"])["numerics"]
    return {
        "file": os.fspath(path),
        "reached": float(run.numerics["duration"]),
        "duration": float(asked["duration"]),
        "crossings": len(run.spike_time),
        "bytes": os.path.getsize(path),
        "complete": run.complete,
    }


def axon_facts(run: Run) -> Facts:
    sections = [
        {
            "membrane": section.membrane.name,
            "length": section.length,
            "diameter": section.diameter,
            "axial_resistivity": section.axial_resistivity,
            "celsius": section.celsius,
        }
        for section in run.axon.sections
    ]
    axon = run.axon
    return {
        "length": axon.length,
        "ring": axon.ring,
        "parents": list(axon.parents) or None,
        "ends": [end if isinstance(end, str) else repr(end) for end in axon.ends],
        "compartments": len(run.compartments),
        "sections": sections,
    }


def recorded_facts(run: Run) -> dict[str, Facts]:
    arrays = {"time": (run.time, "ms"), "position": (run.position, "um"), "voltage": (run.voltage, "mV")}
    arrays |= {f"gates/{name}": (values, "1") for name, values in run.gates.items()}
    arrays |= {f"currents/{name}": (values, "mA/cm2") for name, values in run.currents.items()}
    arrays |= {f"concentrations/{name}": (values, "mM") for name, values in run.concentrations.items()}
    return {name: array_facts(values, unit) for name, (values, unit) in arrays.items() if values is not None}


def array_facts(values: NDArray[Any], unit: str) -> Facts:
    present = values[~np.isnan(values)]  # a gate is nan where the membrane has none of that name
    least, greatest = (float(present.min()), float(present.max())) if present.size else (None, None)
    return {
        "units": unit,
        "shape": list(values.shape),
        "dtype": str(values.dtype),
        "least": least,
        "greatest": greatest,
    }


def spike_facts(run: Run) -> Facts:
    times = np.asarray(run.spike_time)
    return {
        "crossings": int(times.size),
        "threshold": run.record.threshold,
        "compartments": int(np.unique(run.spike_compartment).size),
        "first": float(times.min()) if times.size else None,
        "last": float(times.max()) if times.size else None,
    }


def velocity_facts(run: Run) -> Facts:
    """Return the conduction velocity, m/s, its error and the sites used, um; or the reason for none."""
    try:
        velocity = run.velocity()
    except NoPropagation as error:
        return {"velocity": None, "reason": error.reason}
    return {
        "velocity": velocity.value,
        "standard_error": velocity.standard_error,
        "direction": velocity.direction,
        "first_position": velocity.first_position,
        "last_position": velocity.last_position,
        "n_sites": velocity.n_sites,
    }


def plain(value: Any) -> Any:
    """A NumPy scalar or array as what JSON can hold."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value


def velocity_line(run: Run) -> str:
    """Return the conduction velocity, or the reason why there is none, as a line for a person."""
    try:
        return str(run.velocity())
    except NoPropagation as error:
        return f"no propagation: {error.reason}"


def lines(run: Run) -> list[str]:
    """Return the facts of a run as lines for a person, a label in front of each group."""
    facts = describe(run)
    groups: list[tuple[str, list[str]]] = [
        ("axon", axon_lines(facts["axon"])),
        ("stimuli", facts["stimuli"] or ["none"]),
        ("numerics", [", ".join(f"{name} {short(value)}" for name, value in facts["numerics"].items())]),
        ("recorded", [array_line(name, array) for name, array in facts["recorded"].items()]),
        ("spikes", [spike_line(facts["spikes"])]),
        ("velocity", [velocity_line(run)]),
        ("provenance", [f"{name}: {value}" for name, value in facts["provenance"].items() if value]),
    ]
    if not facts["complete"]:
        groups.insert(0, ("incomplete", ["the simulation was stopped; this is what it had until then"]))
    return [f"{label if i == 0 else '':<12}{text}" for label, texts in groups for i, text in enumerate(texts)]


def axon_lines(axon: Facts) -> list[str]:
    sections, shown = axon["sections"], 6  # a myelinated axon has hundreds
    parents = axon["parents"] or [None] * len(sections)
    texts = [
        f"{s['membrane']}: {s['length']:g} um x {s['diameter']:g} um, {s['axial_resistivity']:g} ohm cm, "
        f"{s['celsius']:g} degC" + ("" if parent is None else f", after section {parent}")
        for s, parent in zip(sections[:shown], parents, strict=False)
    ]
    if len(sections) > shown:
        texts.append(f"and {len(sections) - shown} sections more")
    kind = ", a ring" if axon["ring"] else ""
    if axon["parents"]:
        tips = len(set(range(len(sections))) - set(axon["parents"]))
        kind += f", a tree of {len(sections)} sections with {tips} ends"
    if axon["ends"] != ["sealed", "sealed"]:
        kind += ", ends " + " and ".join(axon["ends"])
    return [f"{axon['length']:g} um in {axon['compartments']} compartments{kind}", *texts]


def array_line(name: str, array: Facts) -> str:
    shape = " x ".join(str(n) for n in array["shape"])
    text = f"{name}: {shape} {array['dtype']}"
    if array["least"] is None:
        return text
    return f"{text}, {array['least']:g} to {array['greatest']:g} {array['units']}"


def spike_line(spikes: Facts) -> str:
    if not spikes["crossings"]:
        return f"none: nowhere an upward crossing of {spikes['threshold']:g} mV"
    return (
        f"{spikes['crossings']} upward crossings of {spikes['threshold']:g} mV in {spikes['compartments']} "
        f"compartments, {spikes['first']:.4f} to {spikes['last']:.4f} ms"
    )


def short(value: Any) -> str:
    if value is None:
        return "by default"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

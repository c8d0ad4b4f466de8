"""A run as a file: every array by its path, with units and axes; ``Run.save`` writes, ``load`` reads."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.errors import FileFormatError, NoPropagation
from axon.model import from_json, to_json
from axon.run.result import Run, fitted_velocity
from axon.storage import Dataset, read

Array = NDArray[np.float64]


def load(path: str | os.PathLike[str], *, lazy: bool = False) -> Run:
    """Read a run back from a file, equal to the run that was saved.

    Parameters
    ----------
    path : path
    lazy : bool
        Leave voltage, gates and currents in the file and read what is asked of them: for runs larger than
        memory. By default all is read.

    Raises
    ------
    FileFormatError
        For a file that is no run, is damaged, or was written by a newer version.
    """
    found, attrs = read(path, lazy=_is_large if lazy else None)
    try:
        model = from_json(attrs["model"])
        numerics = model["numerics"]
        if not attrs["complete"]:
            reached = max(found["time"][-1:].max(initial=0.0), found["spikes/time"].max(initial=0.0))
            steps = round(float(reached) / numerics["dt"])
            numerics |= {"steps": steps, "duration": steps * numerics["dt"]}
        gates, currents, checkpoints = (
            {name.removeprefix(group): array for name, array in found.items() if name.startswith(group)}
            for group in ("gates/", "currents/", "checkpoints/")
        )
        pools = model.get("recorded_concentrations", ())
        return Run(
            axon=model["axon"],
            stimuli=model["stimuli"],
            record=model["record"],
            numerics=numerics,
            time=found["time"],
            position=found["position"],
            voltage=found.get("voltage"),
            gates={name: gates[name] for name in model["recorded_gates"]},
            currents={name: currents[name] for name in model["recorded_currents"]},
            concentrations={name: found[f"concentrations/{name}"] for name in pools},
            beside={path: found[path] for path in model.get("recorded_beside", ())},
            spike_time=found["spikes/time"],
            spike_position=found["spikes/position"],
            spike_compartment=found["spikes/compartment"],
            provenance={name: str(attrs[name]) for name in _PROVENANCE},
            complete=bool(attrs["complete"]),
            checkpoints=checkpoints,
        )
    except KeyError as error:
        raise FileFormatError(f"{os.fspath(path)} is damaged: it lacks {error}") from error


def _is_large(path: str) -> bool:
    groups = ("gates/", "currents/", "concentrations/", "checkpoints/")
    return path == "voltage" or path.startswith(groups)


_PROVENANCE = ("axon_version", "created", "command", "git_commit", "platform")


def file_attributes(run: Run) -> dict[str, Any]:
    """What a run file says of the run as a whole."""

    model = {
        "axon": run.axon,
        "stimuli": run.stimuli,
        "record": run.record,
        "numerics": dict(run.numerics),
        "recorded_gates": list(run.gates),
        "recorded_currents": list(run.currents),
        "recorded_concentrations": list(run.concentrations),
        "recorded_beside": list(run.beside),
    }
    return {**run.provenance, "model": to_json(model), "complete": int(run.complete)}


def results(run: Run) -> dict[str, NDArray[Any]]:
    """Every array that came out of a run by its path in the file."""
    found: dict[str, NDArray[Any]] = {"time": run.time, "position": run.position}
    if run.axon.parents:
        found["section"] = run.section
    if run.voltage is not None:
        found["voltage"] = run.voltage
    found |= {f"gates/{name}": values for name, values in run.gates.items()}
    found |= {f"currents/{name}": values for name, values in run.currents.items()}
    found |= {f"concentrations/{name}": values for name, values in run.concentrations.items()}
    found |= run.beside
    found["spikes/time"] = run.spike_time
    found["spikes/position"] = run.spike_position
    found["spikes/compartment"] = run.spike_compartment
    return found


def arrays(run: Run) -> dict[str, NDArray[Any]]:
    """Every array of a run by its path in the file, checkpoints last: what they rest on is there before."""
    return results(run) | {f"checkpoints/{name}": values for name, values in run.checkpoints.items()}


def axes(path: str, run: Run) -> tuple[str, ...]:
    """Names of the axes of a dataset of a run."""
    return _describe(path, run)[2]


def _describe(path: str, run: Run) -> tuple[str, str, tuple[str, ...]]:
    """Units, long name and dimensions of a dataset."""
    state = ("checkpoint", "compartment")
    fixed = {
        "time": ("ms", "time", ("time",)),
        "position": ("um", "position of the compartment's centre along the axon", ("position",)),
        "section": ("1", "number of the section that the position lies on", ("position",)),
        "voltage": ("mV", "membrane potential", ("time", "position")),
        "spikes/time": ("ms", "time of the upward threshold crossing", ("spike",)),
        "spikes/position": ("um", "position of the compartment that crossed", ("spike",)),
        "spikes/compartment": ("1", "number of the compartment that crossed", ("spike",)),
        "checkpoints/step": ("1", "number of the time step", ("checkpoint",)),
        "checkpoints/v": ("mV", "membrane potential", state),
        "checkpoints/gates": ("1", "gates as they are stepped, half a step earlier", (*state, "slot")),
        "checkpoints/rising": ("mV", "potential a step earlier, where it has crossed threshold since", state),
        "checkpoints/around": ("mV", "potential under the myelin", state),
    }
    if path in fixed:
        return fixed[path]
    if path.endswith("_time"):
        return "ms", f"time at which {path.removesuffix('_time')} are sampled", (path,)
    if path.startswith("voltage_"):
        edge = path.removeprefix("voltage_")
        return "mV", f"{edge} membrane potential since the sample before", ("time", "position")
    group, name = path.split("/")
    if group == "checkpoints":
        return "1", f"state of the engine: {name}", ("checkpoint", f"{name}_number")
    time = f"{group}_time" if f"{group}_time" in run.beside else "time"
    if group == "gates":
        return "1", f"open fraction of gate {name}", (time, "position")
    if group == "concentrations":
        return "mM", f"concentration in pool {name}", (time, "position")
    return "mA/cm2", f"outward current density of channel {name}", (time, "position")


def described(run: Run) -> dict[str, Dataset]:
    """Every array of a run as a file keeps it, with units and axes."""
    return {path: Dataset(values, *_describe(path, run)) for path, values in arrays(run).items()}


def velocity_dataset(run: Run, arrival: Array) -> dict[str, Dataset]:
    """The velocity as a file keeps it, from the first arrival (ms) in every compartment; empty if none."""
    try:
        velocity = fitted_velocity(run, arrival)
    except NoPropagation:
        return {}
    attributes = {
        "standard_error": velocity.standard_error,
        "direction": velocity.direction,
        "threshold": run.record.threshold,
        "first_position": velocity.first_position,
        "last_position": velocity.last_position,
        "n_sites": velocity.n_sites,
    }
    return {"velocity": Dataset(velocity.value, "m/s", "conduction velocity", (), attributes)}

"""Axons, stimuli and records as JSON and back: how a run file remembers what was asked.

Only the nouns listed here are ever built from a file. A rate function that ships with axon is kept by its
name; a user's own is kept as samples, never as code, so opening a file runs nothing that came with it.
A membrane is written once, however many sections have it; afterwards its number stands for it.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
from typing import Any

import numpy as np

from axon.errors import FileFormatError
from axon.geometry import Axon, End, Myelin, Section
from axon.membranes import Buffer, Channel, Gate, Membrane, PermeableChannel, Pool, Transporter
from axon.membranes.pool import resting
from axon.membranes.sampled import SAMPLES, SampledRate, SampledSurface, samples
from axon.record import Record
from axon.schedule import AroundSpikes, Every
from axon.stimuli import Clamp, Pulse, Ramp, Synapse, Train

_NOUNS: dict[str, type] = {
    noun.__name__: noun
    for noun in (
        Axon,
        Section,
        Myelin,
        End,
        Membrane,
        Channel,
        PermeableChannel,
        Transporter,
        Gate,
        Pool,
        Buffer,
        Pulse,
        Train,
        Ramp,
        Synapse,
        Clamp,
        Record,
        Every,
        AroundSpikes,
    )
}
# What fields were called in older files, which open for ever.
_RENAMED = {"Record": {"positions": "where"}}
_SHIPPED = "axon.membranes."


def to_json(value: Any) -> str:
    """The value, made of numbers, strings, lists, dicts and axon's nouns, as JSON."""
    return json.dumps(_plain(value, {}))


def from_json(text: str) -> Any:
    """What ``to_json`` was given, equal to it.

    Raises
    ------
    FileFormatError
        When the text is not JSON, or names something that is no noun of axon.
    """
    try:
        return _built(json.loads(text), [])
    except (ValueError, LookupError, TypeError, AttributeError, ImportError) as error:
        raise FileFormatError(f"the model in the file cannot be read: {error}") from error


def _plain(value: Any, seen: dict[Membrane, int]) -> Any:
    if isinstance(value, Membrane):
        if value in seen:
            return {"noun": "Membrane", "number": seen[value]}
        seen[value] = len(seen)
    if isinstance(value, Axon) and value.uniform and len(value.sections) == 1 and value.diameter is not None:
        return _noun(value, seen, skip=("sections",))
    if isinstance(value, Axon):
        return _noun(value, seen, only=("sections", "ring", "parents", "ends"))
    if type(value) in _NOUNS.values():
        return _noun(value, seen)
    if callable(value):
        return _function(value, ())
    if isinstance(value, dict):
        return {key: _plain(item, seen) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, seen) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _noun(
    value: Any, seen: dict[Membrane, int], skip: tuple[str, ...] = (), only: tuple[str, ...] = ()
) -> dict[str, Any]:
    names = only or [f.name for f in dataclasses.fields(value) if f.init]
    rest = resting(getattr(value, "reads", ()))
    kept: dict[str, Any] = {"noun": type(value).__name__}
    for name in names:
        if name not in skip:
            item = getattr(value, name)
            kept[name] = _function(item, rest) if callable(item) else _plain(item, seen)
    return kept


def _function(function: Any, rest: tuple[float, ...]) -> dict[str, Any]:
    """A function of V, and of concentrations that are ``rest`` (mM) at rest."""
    if isinstance(function, SampledRate):
        start, step = function.start, function.step
        return {"sampled": function.name, "start": start, "step": step, "values": list(function.values)}
    if isinstance(function, SampledSurface):
        return {"sampled": function.name, "rest": list(function.rest), "values": list(function.values)}
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "rate")
    if module.startswith(_SHIPPED) and getattr(importlib.import_module(module), name, None) is function:
        return {"shipped": f"{module.removeprefix(_SHIPPED)}:{name}"}
    values = samples(function, rest).ravel().tolist()
    if rest:
        return {"sampled": name, "rest": list(rest), "values": values}
    step = float(SAMPLES[1] - SAMPLES[0])
    return {"sampled": name, "start": float(SAMPLES[0]), "step": step, "values": values}


def _built(value: Any, seen: list[Membrane]) -> Any:
    if isinstance(value, list):
        return tuple(_built(item, seen) for item in value)
    if not isinstance(value, dict):
        return value
    if "shipped" in value:
        return _shipped(*value["shipped"].split(":"))
    if "sampled" in value and "rest" in value:
        return SampledSurface(tuple(value["rest"]), tuple(value["values"]), value["sampled"])
    if "sampled" in value:
        return SampledRate(value["start"], value["step"], tuple(value["values"]), value["sampled"])
    if value.get("noun") == "Membrane" and "number" in value:
        return seen[value["number"]]
    if "noun" in value:
        fields = {key: _built(item, seen) for key, item in value.items() if key != "noun"}
        for old, new in _RENAMED.get(value["noun"], {}).items():
            if old in fields:
                fields[new] = fields.pop(old)
        noun = _NOUNS[value["noun"]](**fields)
        if isinstance(noun, Membrane):
            seen.append(noun)
        return noun
    return {key: _built(item, seen) for key, item in value.items()}


def _shipped(module: str, name: str) -> Any:
    """A function that a module of axon's membranes defines itself; a file names nothing else."""
    function = getattr(importlib.import_module(_SHIPPED + module), name)
    if not inspect.isfunction(function) or function.__module__ != _SHIPPED + module:
        raise ValueError(f"{module}:{name} is no rate function of axon")
    return function

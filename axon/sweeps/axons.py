"""From a point of a sweep to the axon and the stimulus that it stands for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from axon.errors import unknown_name
from axon.geometry import Axon
from axon.membranes import Membrane, model
from axon.model import to_json
from axon.protocols.passage import end_pulse, long_enough
from axon.stimuli import Pulse
from axon.sweeps.points import Point
from axon.sweeps.questions import check_parameters, source_of

UNITS = {
    "length": "um",
    "diameter": "um",
    "axial_resistivity": "ohm cm",
    "celsius": "degC",
    "capacitance": "uF/cm2",
    "amplitude": "nA",
    "pulse_start": "ms",
    "pulse_duration": "ms",
    "at": "um",
    "conductance": "S/cm2",
    "reversal": "mV",
    "unitary": "pS",
}

_CABLE = ("length", "diameter", "axial_resistivity", "celsius")
_PULSE = {"amplitude": "amplitude", "pulse_start": "start", "pulse_duration": "duration", "at": "at"}


def unit_of(name: str) -> str:
    """Unit of a parameter by its name; of a channel's, by the name of the field."""
    return UNITS.get(name, UNITS.get(name.rpartition(".")[2], "1"))


@dataclass
class Axons:
    """Makes the axon and the pulse of each point.

    Parameters
    ----------
    axon : Axon or callable, optional
        What is varied: a uniform axon, whose ``length``, ``diameter``, ``axial_resistivity`` and ``celsius``,
        ``capacitance``, ``model`` (the name of a membrane), and channels (``"Na.conductance"``,
        ``"K.reversal"``) points replace; or a function of the parameters that returns an Axon. By default
        Hodgkin and Huxley's axon.
    stimulus : Pulse, optional
        By default one at x = 0 that starts a spike. Points replace its ``amplitude``, ``pulse_start``,
        ``pulse_duration`` and ``at``.
    fixed : mapping
        Parameters that are the same at every point.
    """

    axon: Axon | Callable[..., Axon] | None = None
    stimulus: Pulse | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.axon is None:
            self.axon = Axon(length=1e5, diameter=476.0, membrane=model("hodgkin_huxley"))
        if not isinstance(self.axon, Axon) and not callable(self.axon):
            raise ValueError(f"axon must be an Axon or a function that makes one, got {self.axon!r}")
        if self.stimulus is not None and not isinstance(self.stimulus, Pulse):
            raise ValueError(f"stimulus must be a Pulse, got {self.stimulus!r}")

    def identity(self) -> Any:
        made = to_json(self.axon) if isinstance(self.axon, Axon) else source_of(self.axon)
        return [made, to_json(self.stimulus), to_json(dict(self.fixed))]

    def check(self, names: Iterable[str]) -> None:
        """Raise ``ValueError`` for a parameter that changes nothing, or that is misspelt."""
        names = [*names, *self.fixed]
        if not isinstance(self.axon, Axon):
            made = [name for name in names if name not in _PULSE]
            check_parameters(self.axon, "the function that makes the axon", made)
            return
        known = self._known()
        for name in names:
            if name not in known:
                raise ValueError(unknown_name("parameter", name, known))

    def _known(self) -> set[str]:
        assert isinstance(self.axon, Axon)
        if self.axon.membrane is None:
            return set(_PULSE)
        channels = {
            f"{channel.name}.{one.name}"
            for channel in self.axon.membrane.channels
            for one in dataclasses.fields(channel)
            if one.name not in ("name", "gates") and isinstance(getattr(channel, one.name), float | int)
        }
        return {*_CABLE, *_PULSE, "capacitance", "model", *channels}

    def made(self, point: Point) -> tuple[Axon, Pulse]:
        """The axon and the pulse of a point.

        A uniform axon is as long as a steady velocity needs, unless ``length`` or ``at`` says otherwise: its
        velocity does not depend on it.
        """
        values = {**self.fixed, **point}
        pulse = {name: values.pop(ours) for ours, name in _PULSE.items() if ours in values}
        if isinstance(self.axon, Axon):
            axon = varied(self.axon, values) if values else self.axon
            if "length" not in values and not pulse.get("at") and not (self.stimulus and self.stimulus.at):
                axon = long_enough(axon)
        else:
            assert self.axon is not None
            axon = self.axon(**values)
            if not isinstance(axon, Axon):
                raise ValueError(f"the function must return an Axon, got {axon!r:.80}")
        if self.stimulus is not None:
            return axon, replace(self.stimulus, **pulse)
        return axon, _default_pulse(axon, pulse)


def _default_pulse(axon: Axon, given: Mapping[str, Any]) -> Pulse:
    own = dict(given)
    timing = {"start": own.get("start", 0.5), "duration": own.get("duration", 0.2)}
    if "amplitude" in own:
        return Pulse(**{**timing, **own})
    if own.get("at"):
        from axon.protocols.stimulus import suprathreshold_pulse

        return suprathreshold_pulse(axon, at=float(own["at"]), **timing)
    return end_pulse(axon, **timing)


def varied(axon: Axon, values: Mapping[str, Any]) -> Axon:
    """A uniform axon with some of its parameters replaced, by the names that ``Axons`` lists."""
    membrane = model(values["model"]) if "model" in values else axon.membrane
    assert membrane is not None
    if "capacitance" in values:
        membrane = replace(membrane, capacitance=values["capacitance"])
    for name, value in values.items():
        if "." in name:
            channel, _, what = name.rpartition(".")
            membrane = _with_channel(membrane, channel, what, value)
    cable = {name: values[name] for name in _CABLE if name in values}
    return replace(axon, membrane=membrane, sections=(), **cable)


def _with_channel(membrane: Membrane, channel: str, field_name: str, value: Any) -> Membrane:
    names = [one.name for one in membrane.channels]
    if channel not in names:
        raise ValueError(f"membrane {membrane.name!r}: {unknown_name('channel', channel, names)}")
    changed = tuple(
        replace(one, **{field_name: value}) if one.name == channel else one for one in membrane.channels
    )
    return replace(membrane, channels=changed)

"""A membrane with all its potentials moved: the same kinetics about another resting potential."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import ArrayLike

from axon.checks import finite
from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.limits import Rate
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.rates import Array


@dataclass(frozen=True)
class ShiftedRate:
    """A function of the voltage, moved along it by ``by`` (mV)."""

    rate: Rate
    by: float
    __name__: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "__name__", f"{getattr(self.rate, '__name__', 'rate')}_{self.by:+g}_mV")

    def __call__(self, v: Array) -> ArrayLike:
        return self.rate(v - self.by)


def shifted(membrane: Membrane, by: float) -> Membrane:
    """The same membrane with every reversal potential and every gate moved along the voltage.

    It rests ``by`` mV higher, and does everything else as before about that rest.

    Parameters
    ----------
    membrane : Membrane
        Of ohmic channels.
    by : float
        mV.

    Raises
    ------
    ValueError
        For a channel that conducts by permeability: its reversal potential follows from concentrations.
    """
    finite("by", by, "mV")
    for channel in membrane.channels:
        if isinstance(channel, PermeableChannel):
            raise ValueError(
                f"channel {channel.name!r} conducts by permeability and cannot be shifted; "
                "change its concentrations"
            )
        if membrane.drifting(channel):
            raise ValueError(
                f"channel {channel.name!r} depends on concentrations and cannot be shifted with the voltage"
            )
    channels = tuple(_moved(channel, by) for channel in membrane.channels if isinstance(channel, Channel))
    return replace(membrane, name=f"{membrane.name}_{by:+g}_mV", channels=channels)


def _moved(channel: Channel, by: float) -> Channel:
    gates = tuple(_moved_gate(gate, by) for gate in channel.gates)
    return replace(channel, reversal=channel.reversal + by, gates=gates)


def _moved_gate(gate: Gate, by: float) -> Gate:
    moved: dict[str, Any] = {kind: ShiftedRate(f, by) for kind, f in gate.functions.items()}
    return replace(gate, **moved)

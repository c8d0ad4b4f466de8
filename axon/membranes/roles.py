"""What each gate and channel of a membrane does in a spike, read from its curves and never from its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from axon.membranes.gate import Gate
from axon.membranes.membrane import Membrane

Role = Literal["activation", "inactivation"]

ROOM = 20.0  # mV beyond the reversal potentials: how far a membrane is carried by stimuli


@dataclass(frozen=True)
class GateRole:
    """What a gate does for its channel.

    Parameters
    ----------
    gate, channel : str
        Their names.
    role : str
        ``"activation"`` where depolarisation opens the gate, ``"inactivation"`` where it closes it.
    """

    gate: str
    channel: str
    role: Role


def gate_roles(membrane: Membrane) -> dict[str, GateRole]:
    """The role of every gate, by name.

    A gate whose steady state rises with the voltage activates its channel and one whose steady state falls
    inactivates it, between the lowest and the highest reversal potential and 20 mV beyond. In a channel that
    has falling gates alone, which hyperpolarisation opens, these activate.
    """
    roles: dict[str, GateRole] = {}
    for channel in membrane.channels:
        opening = [opens(gate, membrane) for gate in channel.gates]
        for gate, upwards in zip(channel.gates, opening, strict=True):
            role: Role = "activation" if upwards or not any(opening) else "inactivation"
            roles[gate.name] = GateRole(gate.name, channel.name, role)
    return roles


def opens(gate: Gate, membrane: Membrane) -> bool:
    """Whether depolarisation opens the gate."""
    reversals = membrane.reversals
    low, high = gate.steady_state([min(reversals) - ROOM, max(reversals) + ROOM])
    return bool(high > low)

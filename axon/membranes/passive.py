"""A membrane that only leaks: the textbook cable."""

from __future__ import annotations

from axon.membranes.membrane import Channel, Membrane


def passive(*, conductance: float = 0.0003, reversal: float = -65.0, capacitance: float = 1.0) -> Membrane:
    """A leak beside a capacitance: the passive cable of the textbooks.

    Parameters
    ----------
    conductance : float
        Leak density, S/cm2.
    reversal : float
        Leak reversal, which is the resting potential, mV.
    capacitance : float
        uF/cm2.
    """
    return Membrane("passive", (Channel("leak", conductance, reversal),), capacitance=capacitance)


def insulator() -> Membrane:
    """A membrane that nothing crosses, no current and no charge: a perfectly insulated internode."""
    return Membrane("insulator", (), capacitance=0.0)

"""A stimulus that makes a spike: scaled from the axon's own input impedance, without a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, place, positive
from axon.stimuli import Pulse

if TYPE_CHECKING:
    from axon.geometry import Axon, Compartments

SETTLING = 0.2  # ms: the depolarisation must still be there when sodium channels have had time to open
DEPOLARISATION = 100.0  # mV: the passive answer aimed at, some four times what threshold needs in squid axon


def suprathreshold_pulse(
    axon: Axon,
    *,
    start: float = 0.5,
    duration: float = 0.2,
    at: Place = 0.0,
    dx: float | None = None,
) -> Pulse:
    """Return a pulse strong enough to start a spike in an excitable axon of any diameter and temperature.

    The amplitude is such that the axon with its channels removed, the pure capacitive cable, would stand
    100 mV above rest 0.2 ms after the start of the pulse at its site. It grows with diameter^1.5 on a long
    cable, and is small in a short one, because the same compartments are charged that a simulation would
    charge. In squid axon that is 3.6 to 5.3 times the threshold of a 0.2 ms pulse, from 2 to 33 degC.

    Parameters
    ----------
    axon : Axon
        The axon to be stimulated.
    start, duration : float
        Onset and length of the pulse, ms. Shorter pulses come out proportionally stronger; pulses beyond
        0.2 ms have the amplitude of one of 0.2 ms.
    at : float or (int, float)
        Position along the axon, um; on a tree also (section, um from its beginning).
    dx : float, optional
        Compartment length, um; give what the simulation is given. Default: the axon's own default.

    Returns
    -------
    Pulse
        Amplitude in nA, rounded to three digits.

    Raises
    ------
    ValueError
        When the pulse is not one (duration <= 0) or `at` lies off the axon.
    """
    positive("duration", duration, "ms")
    axon.distance("at", place("at", at))
    amplitude = DEPOLARISATION / charging(axon.compartments(dx), at, duration)
    return Pulse(amplitude=float(f"{amplitude:.3g}"), start=start, duration=duration, at=at)


def charging(compartments: Compartments, at: Place, duration: float) -> float:
    """Return the depolarisation at the site of a pulse when sodium channels have had time to open, mV per nA.

    Only capacitance and axial conductance carry the current, C dV/dt = A V + I, and one backward Euler step
    over the settling time T solves it: (C/T - A) V = I times the part of T the pulse is on. That is the input
    impedance at the real frequency 1/T: sqrt(r T / c) at the end of a long cable with r and c per length,
    against 2 sqrt(r T / (pi c)) of the exact answer.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    g = compartments.axial_conductance  # uS, from every unknown but the first to its parent
    n = g.size if compartments.ring else g.size + 1
    here, there = np.arange(1, n), compartments.parent[1:]
    if compartments.ring:  # the last one joins the ends
        here, there = np.append(here, 0), np.append(there, n - 1)
    every = np.arange(n)
    capacitance = np.zeros(n)
    capacitance[: len(compartments)] = _charged(compartments)
    entries = np.concatenate([capacitance / SETTLING, g, g, -g, -g])  # nF / ms = uS
    rows = np.concatenate([every, here, there, here, there])
    columns = np.concatenate([every, here, there, there, here])
    current = np.zeros(n)  # nA
    fed, share = compartments.shares(at)
    current[fed] = share * min(duration / SETTLING, 1.0)
    matrix = coo_array((entries, (rows, columns)), shape=(n, n)).tocsc()
    v = spsolve(matrix, current, permc_spec=None if compartments.branched else "NATURAL")  # mV
    return float(share @ v[fed])


def _charged(compartments: Compartments) -> NDArray[np.float64]:
    """Capacitance (nF) from inside to the bath, through the axon's membrane and then its myelin."""
    own, sheath = compartments.capacitance, compartments.sheath
    if sheath is None:
        return own
    return np.where(sheath.open, own, own * sheath.capacitance / (own + sheath.capacitance))

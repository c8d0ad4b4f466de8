"""Stimuli that inject current or open a conductance, as the engine takes them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.discretise.keep import kept
from axon.geometry import CM_PER_UM, Compartments
from axon.stimuli import Pulse, Ramp, Synapse, Train

Array = NDArray[Any]

MOHM_PER_OHM = 1e-6


class Sources:
    """What the stimuli of one axon feed to its compartments.

    A stimulus is a point, and its compartments share what it gives. A current is the same wherever it goes,
    but that of a synapse depends on V where it is. Between two centres that is the average of theirs,
    weighted by the shares, plus what its own current, and that of other synapses between them, adds across
    the axial resistance R from one centre to the other (at the fractions s_i of the way):

        I_i = g_i (E_i - V - sum_j r_ij I_j),   r_ij = R min(s_i, s_j) (1 - max(s_i, s_j))

    Left out, these resistances would make the mesh of first order at a synapse. The equations solved, every
    synapse is again a conductance (not negative) and a current.

    Parameters
    ----------
    compartments : Compartments
    stimuli : iterable of Pulse, Train, Ramp or Synapse

    Attributes
    ----------
    alike : hashable
        Equal for sources whose ``strengths`` are equal.
    """

    def __init__(self, compartments: Compartments, stimuli: Iterable[Pulse | Train | Ramp | Synapse]) -> None:
        self.stimuli = list(stimuli)
        self.synapses = [s for s in self.stimuli if isinstance(s, Synapse)]
        self._synaptic_rows = [i for i, s in enumerate(self.stimuli) if isinstance(s, Synapse)]
        self._gaps = _gaps(compartments, self.synapses) if self.synapses else []
        self.alike: Any = self if self.synapses else tuple(self.stimuli)

    def strengths(self, edges: Array) -> Array:
        """Mean over the steps between the times ``edges`` (n + 1,) ms.

        Returns
        -------
        (rows, n) ndarray
            Current (nA) of every stimulus, then conductance (uS) of every synapse.
        """
        step, current = _differences(edges), len(self.stimuli)
        rows = np.zeros((current + len(self.synapses), len(step)))
        for i, stimulus in enumerate(self.stimuli):
            if not isinstance(stimulus, Synapse):
                np.divide(_differences(stimulus.charge(edges)), step, out=rows[i])
        for members, resistance in self._gaps:
            own = [self.synapses[i] for i in members]
            g = np.array([_differences(synapse.conducted(edges)) / step for synapse in own])
            reversal = np.array([synapse.reversal for synapse in own])
            seen, driven = _joined(g, reversal, resistance)
            rows[[current + i for i in members]] = seen
            rows[[self._synaptic_rows[i] for i in members]] = driven
        return rows


def _differences(values: Array) -> Array:
    """``np.diff``, without what that does for arrays of other kinds."""
    return values[1:] - values[:-1]


@kept
def feeds(
    compartments: Compartments, sites: tuple[tuple[Any, bool], ...], order: int
) -> tuple[Array, Array, Array, Array]:
    """Compartments fed by stimuli at ``sites`` (where, and whether a synapse), for a mesh of order 2 or 4.

    A conductance is always shared by two compartments at most, since shares of higher order may be negative.

    Returns
    -------
    place, weight, row, opens : (k,) ndarray
        Compartments, their share, of which row of ``Sources.strengths``, and whether it is a conductance.
    """
    if len(sites) == 1 and not sites[0][1]:
        place, share = compartments.shares(sites[0][0], order)
        return place, share, np.zeros(len(place), np.intp), np.zeros(len(place), bool)
    feeds = []
    for number, (at, synapse) in enumerate(sites):
        feeds.append((number, *compartments.shares(at, 2 if synapse else order), False))
    for number, at in enumerate((at for at, synapse in sites if synapse), start=len(sites)):
        feeds.append((number, *compartments.shares(at), True))
    return (
        np.array([at for _, place, _, _ in feeds for at in place], np.intp),
        np.array([part for _, _, share, _ in feeds for part in share], float),
        np.array([row for row, place, _, _ in feeds for _ in place], np.intp),
        np.array([opens for _, place, _, opens in feeds for _ in place], bool),
    )


def _joined(g: Array, reversal: Array, resistance: Array) -> tuple[Array, Array]:
    """Conductance (uS) and current (nA) at V = 0 of synapses that share a gap, (k, n) each."""
    if len(g) == 1 or not resistance.any():
        seen = g / (1.0 + resistance.diagonal()[:, None] * g)
        return seen, seen * reversal[:, None]
    g = g.T[:, :, None]
    both = np.stack([np.ones_like(reversal), reversal], axis=1)
    seen, driven = np.moveaxis(np.linalg.solve(np.eye(len(reversal)) + g * resistance, g * both), 2, 0)
    return seen.T, driven.T


def _gaps(compartments: Compartments, synapses: list[Synapse]) -> list[tuple[list[int], Array]]:
    """Synapses between the same two centres, and their mutual resistances (MOhm)."""
    shared: dict[tuple[int, ...], list[int]] = {}
    for number, synapse in enumerate(synapses):
        shared.setdefault(tuple(compartments.shares(synapse.at)[0]), []).append(number)
    return [
        (
            members,
            _resistances(
                compartments, place, np.array([compartments.distance(synapses[i].at) for i in members])
            ),
        )
        for place, members in shared.items()
    ]


def _resistances(compartments: Compartments, place: tuple[int, ...], x: Array) -> Array:
    first = place[0]
    if len(place) == 2:
        left, right = compartments.position[list(place)]
        s = (x - left) / (right - left)
        low, high = np.minimum.outer(s, s), np.maximum.outer(s, s)
        return low * (1.0 - high) / compartments.axial_conductance[place[1] - 1]
    if len(compartments) == 1 or compartments.ring or compartments.branched:
        return np.zeros((x.size, x.size))
    # Beyond the last centre there is only the sealed end: all current takes the same way back.
    away = np.abs(x - compartments.position[first]) * CM_PER_UM
    section = math.pi * (compartments.diameter[first] * CM_PER_UM) ** 2 / 4
    return np.minimum.outer(away, away) * compartments.resistivity[first] / section * MOHM_PER_OHM

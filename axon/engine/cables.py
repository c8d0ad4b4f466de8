"""Cables as the engine takes them: compartments, membranes and stimuli of one axon as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from axon.engine.tables import StepCoefficients

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Signature = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Patch:
    """A membrane at one temperature, as the engine sees it.

    Attributes
    ----------
    signature : tuple of tuple of int
        For every channel that is no constant leak the exponents of its slots. Two last slots of exponent 0
        hold what a current that is not linear in V gives to D and to b, per unit of ``conductance``.
    coefficients : callable
        Voltages (n,) to the step's decay and gain of every gate, two (n, gates) arrays.
    """

    signature: Signature
    coefficients: StepCoefficients


@dataclass(frozen=True, eq=False)
class Limbs:
    """How the unknowns of a cable hang together when it is no chain: n compartments, then joints.

    Attributes
    ----------
    compartments : int
        n; the joints have no membrane.
    parent : (n + joints,)
        The unknown next to each on the way to the first, which has -1.
    axial, along : (n + joints,) uS
        Conductance to the parent inside the axon and under the myelin, 0 for the first.
    sheath, sheath_leak : (n + joints,) uS
        2 C / dt and conductance across the myelin.
    open : (n + joints,) bool
        Where the space around the axon is open to the bath.
    """

    compartments: int
    parent: Ints
    axial: Floats
    along: Floats
    sheath: Floats
    sheath_leak: Floats
    open: NDArray[np.bool_]

    @property
    def double(self) -> bool:
        """Whether there are two voltages, because some place has myelin around it."""
        return not self.open.all()


@dataclass(frozen=True, eq=False)
class Cable:
    """One axon as arrays, n compartments in order (of a tree with its joints behind them).

    Attributes
    ----------
    capacity : (n,) uS
        2 C / dt.
    leak : (n,) uS
        Conductance without gates.
    leak_current : (n,) nA
        Sum of leak conductance times reversal.
    coupling : (n,) uS
        Axial conductance to the compartment before; the first entry joins a ring, else 0.
    smooth : (n,) bool
        Whether the face to the compartment before lies inside a uniform stretch.
    patch : (n,) int
        Index into ``patches``.
    conductance, reversal : (n, channels) uS, mV
        Of the gated channels of the patch, in the order of its signature.
    v : (n,) mV
        Initial voltage.
    gates : (n, gates)
        Initial gates half a step before the start.
    patches : sequence of Patch
    source_place, source_weight, source_row, source_opens, source_crosses : (k,)
        Compartments fed by a stimulus, their share of it, its row of the strengths, whether that is a
        conductance (uS) instead of a current (nA), and whether it crosses the membrane instead of coming from
        an electrode.
    clamp_place : (c,)
        Clamped compartments.
    third : bool
        Whether a step is of third order in dt; then the patches' coefficients are those of half a step.
    frame : Cable, optional
        One that differs in nothing but ``v`` and ``gates``: how it is laid out is kept for the next such.
    limbs : Limbs, optional
        For a tree or an axon with myelin; a chain or ring by default.
    around : (n,) mV, optional
        Initial potential under the myelin, where there is any.
    """

    capacity: Floats
    leak: Floats
    leak_current: Floats
    coupling: Floats
    smooth: NDArray[np.bool_]
    patch: NDArray[np.intp]
    conductance: Floats
    reversal: Floats
    v: Floats
    gates: Floats
    patches: Sequence[Patch]
    source_place: NDArray[np.intp]
    source_weight: Floats
    source_row: NDArray[np.intp]
    source_opens: NDArray[np.bool_]
    source_crosses: NDArray[np.bool_]
    clamp_place: NDArray[np.intp]
    third: bool = False
    frame: Cable | None = None
    limbs: Limbs | None = None
    around: Floats | None = None

    def __len__(self) -> int:
        return len(self.v)

    def where(self, patch: int) -> slice | NDArray[np.intp]:
        """The compartments of a patch, as an index."""
        return slice(None) if len(self.patches) == 1 else np.flatnonzero(self.patch == patch)

    @cached_property
    def span(self) -> tuple[float, float]:
        """Lowest and highest initial voltage, mV."""
        return float(self.v.min()), float(self.v.max())

    @cached_property
    def like(self) -> Ints:
        """A number for every compartment, equal where neighbours differ in nothing but their start."""
        columns = (self.capacity, self.leak, self.leak_current, self.coupling, self.smooth, self.patch)
        differs = np.zeros(len(self), bool)
        for values in (*columns, *self.conductance.T, *self.reversal.T):
            differs[1:] |= values[1:] != values[:-1]
        return np.cumsum(differs)

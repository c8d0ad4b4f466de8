"""What to keep of a simulation, and how densely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, finite, place, positive
from axon.errors import unknown_name
from axon.geometry import Axon, Compartments


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run keeps. Spikes are always kept: every upward crossing in every compartment.

    Parameters
    ----------
    every : float
        ms between samples, rounded to whole time steps (at least one).
    positions : sequence of float, optional
        Where to sample, um (on a tree also (section, um from its beginning)); the nearest compartments are
        taken. Every compartment by default.
    voltage : True, "float32" or None
        Whether to keep the membrane potential (in double or single precision).
    gates : bool or sequence of str
        Which gates to keep: none, all, or those named. Of a run with noise the fraction of gates that is
        open, half a time step before the sample, and by a channel's name, such as ``"Na"``, of channels.
    currents : bool or sequence of str
        Which channels' current densities to keep: none, all, or those named.
    concentrations : bool or sequence of str
        Which pools' concentrations to keep: none, all, or those named.
    threshold : float
        mV; a spike is an upward crossing of it.
    checkpoints : float, optional
        ms between states from which the run can be continued, rounded to whole time steps. By default its
        start and its end are kept, and when it is written to a file one every half minute of wall time; of
        many axons at once, none.

    Raises
    ------
    ValueError
        For numbers that cannot be meant.
    """

    every: float = 0.05
    positions: Sequence[Place] | None = None
    voltage: bool | str | None = True
    gates: bool | Sequence[str] = False
    currents: bool | Sequence[str] = False
    concentrations: bool | Sequence[str] = False
    threshold: float = -20.0
    checkpoints: float | None = None

    def __post_init__(self) -> None:
        positive("Record.every", self.every, "ms")
        finite("Record.threshold", self.threshold, "mV")
        if self.checkpoints is not None:
            positive("Record.checkpoints", self.checkpoints, "ms")
        if self.voltage not in (True, False, None, "float32"):
            raise ValueError(f'Record.voltage must be True, "float32" or None, got {self.voltage!r}')
        for name in ("gates", "currents", "concentrations"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, (value,))
            elif not isinstance(value, bool):
                object.__setattr__(self, name, tuple(value))
        if self.positions is not None:
            places = tuple(place("Record.positions", x) for x in self.positions)
            if not places:
                raise ValueError("Record.positions must name at least one position, got none; None means all")
            object.__setattr__(self, "positions", places)

    @property
    def samples(self) -> bool:
        """Whether anything besides spikes is kept."""
        return bool(self.voltage or self.gates or self.currents or self.concentrations)

    def stride(self, dt: float) -> int:
        """Time steps between two samples."""
        return max(1, round(self.every / dt))

    def rhythm(self, dt: float) -> int:
        """Time steps between two checkpoints; 0 for none but the first and the last."""
        return 0 if self.checkpoints is None else max(1, round(self.checkpoints / dt))

    def indices(self, compartments: Compartments) -> NDArray[np.intp]:
        """Sampled compartments, in order of position, each once."""
        if self.positions is None:
            return np.arange(len(compartments))
        length = float(np.max((compartments.position + compartments.length / 2)[compartments.main]))
        for x in self.positions:
            if not isinstance(x, tuple) and x > length * (1 + 1e-9):
                raise ValueError(f"Record.positions must lie on the axon (0..{length:g} um), got {x!r}")
        return np.unique([compartments.nearest(x) for x in self.positions])

    def gate_names(self, axon: Axon, *, noise: str | None = None) -> tuple[str, ...]:
        """Names of the gates that are kept; with ``noise`` also of channels, of which a part is open."""
        known = dict.fromkeys(g for membrane in axon.membranes for g in membrane.gates)
        if noise is not None:
            known |= dict.fromkeys(c.name for m in axon.membranes for c in m.channels if c.gates)
        return _chosen("gate", self.gates, tuple(known))

    def current_names(self, axon: Axon) -> tuple[str, ...]:
        """Names of the channels whose currents are kept."""
        known = dict.fromkeys(c.name for membrane in axon.membranes for c in membrane.channels)
        return _chosen("channel", self.currents, tuple(known))

    def concentration_names(self, axon: Axon) -> tuple[str, ...]:
        """Names of the pools whose concentrations are kept."""
        known = dict.fromkeys(pool.name for section in axon.sections for pool in section.membrane.pools)
        return _chosen("pool", self.concentrations, tuple(known))

    def predicted_size(
        self, axon: Axon, *, duration: float, dt: float, dx: float | None = None, noise: str | None = None
    ) -> int:
        """Bytes of samples that a run will hold before compression (spikes come on top).

        Parameters
        ----------
        axon : Axon
        duration, dt : float
            ms.
        dx : float, optional
            um.
        noise : str, optional
            As for ``simulate``.
        """
        n_x = len(self.indices(axon.compartments(dx)))
        n_t = math.ceil(duration / dt - 1e-9) // self.stride(dt) + 1
        voltage = 0 if not self.voltage else 4 if self.voltage == "float32" else 8
        names = (self.gate_names(axon, noise=noise), self.current_names(axon), self.concentration_names(axon))
        width = voltage + 8 * sum(map(len, names))
        return n_t * n_x * width if self.samples else 0


def _chosen(kind: str, wanted: bool | Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    if wanted is True:
        return known
    for name in wanted or ():
        if name not in known:
            raise ValueError(unknown_name(kind, name, known))
    return tuple(wanted) if wanted else ()

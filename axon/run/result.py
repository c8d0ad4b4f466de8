"""Run: what was asked, what came out, where it came from."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, place
from axon.errors import NoPropagation
from axon.geometry import Axon, Compartments
from axon.measure.arrivals import first_arrivals
from axon.measure.velocity import Velocity, conduction_velocity, local_velocity
from axon.record import Record
from axon.stimuli import Stimulus

if TYPE_CHECKING:
    from axon.measure.wake import Wake

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """The result of a simulation, fresh or read from a file.

    Attributes
    ----------
    axon : Axon
    stimuli : tuple of Pulse, Train, Ramp, Synapse or Clamp
    record : Record
    numerics : mapping
        dt (ms), dx (um, None for the default mesh), order (of the mesh), order_in_dt, duration (ms), steps,
        compartments; with noise also noise and seed; where the run begins later than at 0, start (ms).
    time : (n_t,) ms
    position : (n_x,) um
        Centres of the recorded compartments.
    voltage : (n_t, n_x) mV, or None when not recorded
    gates : dict of name to (n_t, n_x)
        nan where the membrane has no such gate.
    currents : dict of channel to (n_t, n_x) mA/cm2
        Outward; nan where the membrane has no such channel.
    concentrations : dict of pool to (n_t, n_x) mM
        nan where the membrane has no such pool.
    spike_time, spike_position, spike_compartment : (n_s,) ms, um, int
        Upward crossings of ``record.threshold`` in every compartment, in order of time.
    provenance : mapping
        axon_version, created, command, git_commit, platform.
    complete : bool
        False when the run was stopped before its end.
    beside : dict of path in the file to array
        What is not sampled at ``time``: ``"gates_time"`` (n,) with ``"gates/m"`` (n, n_x) and so on, and the
        envelope of the voltage between samples, ``"voltage_lowest"`` and ``"voltage_highest"`` (n_t, n_x).
    checkpoints : dict of name to (n_c, ...)
        States from which the run can be continued: their ``step``, potentials, gates and what else the engine
        keeps. Empty when none were kept.
    """

    axon: Axon
    stimuli: tuple[Stimulus, ...]
    record: Record
    numerics: Mapping[str, Any]
    time: Array
    position: Array
    voltage: NDArray[np.floating] | None
    gates: Mapping[str, Array]
    currents: Mapping[str, Array]
    spike_time: Array
    spike_position: Array
    spike_compartment: NDArray[np.int64]
    provenance: Mapping[str, str]
    complete: bool = True
    concentrations: Mapping[str, Array] = field(default_factory=dict)
    checkpoints: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    beside: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @cached_property
    def compartments(self) -> Compartments:
        """All compartments that were simulated."""
        return self.axon.compartments(self.numerics["dx"])

    @cached_property
    def recorded(self) -> NDArray[np.intp]:
        """The compartment of every recorded position, (n_x,)."""
        cut = self.compartments
        if cut.branched and len(self.position):
            return self.record.indices(cut)
        return np.searchsorted((cut.position[1:] + cut.position[:-1]) / 2, self.position)

    @cached_property
    def section(self) -> NDArray[np.intp]:
        """The section of every recorded position, (n_x,): on a tree a distance may be found on several."""
        return self.compartments.section[self.recorded]

    def places(self) -> tuple[tuple[int, float], ...]:
        """Every recorded position as (section, um from its beginning), as ``Record.where`` takes them."""
        within = self.position - self.compartments.starts[self.section]
        return tuple(zip(self.section.tolist(), np.maximum(within, 0.0).tolist(), strict=True))

    def at(self, x: Place) -> int:
        """Index of the recorded compartment nearest to a place, um or (section, um from its beginning)."""
        if not len(self.position):
            raise ValueError("this run recorded no positions; simulate with Record(voltage=True)")
        if not self.compartments.branched:
            distance = self.axon.distance("x", place("x", x)) if isinstance(x, tuple) else x
            return int(np.argmin(np.abs(self.position - distance)))
        cut, own = self.compartments, self.recorded
        wanted = cut.nearest(x)
        # Among those of the same section if any was recorded, else wherever the distance is nearest.
        apart = np.abs(cut.position[own] - cut.position[wanted])
        beside = cut.section[own] == cut.section[wanted]
        return int(np.argmin(np.where(beside, apart, apart + self.axon.total_length)))

    def arrivals(self, spike: int = 0) -> Array:
        """Time (ms) of crossing number ``spike`` in every compartment, (n,); nan where there was none."""
        if spike == 0:
            return self._first_arrivals.copy()
        return self._crossings(spike)

    @cached_property
    def _first_arrivals(self) -> Array:
        return self._crossings(0)

    def _crossings(self, spike: int) -> Array:
        return first_arrivals(self.spike_time, self.spike_compartment, len(self.compartments), spike=spike)

    def velocity(
        self,
        *,
        between: tuple[float, float] | None = None,
        direction: Literal["orthodromic", "antidromic"] | None = None,
        spike: int = 0,
        along: int | None = None,
    ) -> Velocity:
        """Conduction velocity by least squares over the sites clear of the stimulus and of the ends.

        Parameters
        ----------
        between : (float, float), optional
            Positions (um) between which to measure; by default from 40 to 80 % of the spike's way.
        direction : {"orthodromic", "antidromic"}, optional
            Which way to look when spikes leave both ways.
        spike : int
            Which crossing in every compartment to follow.
        along : int, optional
            On a tree, the section at whose far end the way to measure along ends; by default the way takes
            the first branch at every fork, unless the run shows a single way (``along``).

        Raises
        ------
        NoPropagation
            With the reason: never fired, died on the way, blocked, or still under way.
        """
        return fitted_velocity(self, self.arrivals(spike), between, direction, along)

    def wake(self) -> Wake:
        """Where and when the membrane is absolutely and relatively refractory behind each spike.

        Returns
        -------
        Wake
            Masks over time and position, the ends of every passage, lengths in ms and mm.

        Raises
        ------
        ValueError
            When the slow gates were not recorded, nothing fired at a recorded position, or no membrane along
            the axon has a threshold.
        """
        from axon.measure.wake import wake

        compartments = self.compartments
        recorded = self.recorded
        membranes, which = compartments.patches()
        column = np.full(len(compartments), -1)
        column[recorded] = np.arange(len(recorded))
        site = column[self.spike_compartment]
        velocity, clear = math.nan, np.ones(len(recorded), bool)
        with contextlib.suppress(NoPropagation):
            found = self.velocity()
            velocity = abs(found.value)
            ends = sorted((found.first_position, found.last_position))
            clear = (self.position >= ends[0]) & (self.position <= ends[1])
            clear &= np.isin(self.section, self.axon.path())
        return wake(
            time=self.time,
            position=self.position,
            gates=self.gates,
            membranes=membranes,
            which=which[recorded],
            spike_time=self.spike_time[site >= 0],
            spike_site=site[site >= 0],
            velocity=velocity,
            clear=clear if clear.any() else None,
        )

    def local_velocity(self, spike: int = 0, *, along: int | None = None) -> tuple[Array, Array]:
        """Velocity (m/s, signed) between neighbouring compartments, and the positions (um) between them."""
        sites = self.sites(along)
        return local_velocity(self.compartments.position[sites], self.arrivals(spike)[sites])

    def along(self, section: int | None = None) -> Run:
        """The same run seen along one way: of a tree one branch after the other, of a fibre its nodes.

        Parameters
        ----------
        section : int, optional
            On a tree, the section at whose far end the way ends; by default the way takes the first branch at
            every fork, unless the run shows a single way already.

        Returns
        -------
        Run
            With the recorded compartments on the way alone; this run itself where that is all of them.
        """
        sites, cut = self.sites(section), self.compartments
        kept = np.flatnonzero(np.isin(self.recorded, sites))
        if len(kept) == len(self.recorded):
            return self
        seen = replace(
            self,
            record=self.record_at(kept),
            position=self.position[kept],
            voltage=None if self.voltage is None else self.voltage[:, kept],
            gates={name: values[:, kept] for name, values in self.gates.items()},
            currents={name: values[:, kept] for name, values in self.currents.items()},
            concentrations={name: values[:, kept] for name, values in self.concentrations.items()},
            beside={
                name: values[:, kept] if values.ndim > 1 else values for name, values in self.beside.items()
            },
        )
        seen.__dict__["compartments"] = cut
        return seen

    def record_at(self, columns: NDArray[np.intp]) -> Record:
        """What would have recorded the same at some of the recorded positions alone, given by number."""
        places = self.places()
        return replace(self.record, where=tuple(places[i] for i in columns))

    def sites(self, along: int | None = None) -> NDArray[np.intp]:
        """Compartments where the spike's arrival is measured, in order: all on the way, or only its nodes.

        Parameters
        ----------
        along : int, optional
            As for ``velocity``.
        """
        cut = self.compartments
        if not self.axon.parents and not self.axon.nodes:
            return np.arange(len(cut))
        along = self._shown_way() if along is None else along
        here = np.isin(cut.section, self.axon.path(along)) if self.axon.parents else np.ones(len(cut), bool)
        nodes = self.axon.nodes
        return np.flatnonzero(here & np.isin(cut.section, nodes) if nodes else here)

    def _shown_way(self) -> int | None:
        """The section that ends the only way on which positions are recorded; None where there are more."""
        if not self.axon.parents or not len(self.position):
            return None
        last = int(self.section.max())
        inside = set(self.section.tolist()) <= set(self.axon.path(last))
        return last if inside and last not in self.axon.parents else None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the run to an HDF5 file; an older file of that name is replaced only by a whole one."""
        from axon.run.file import described, file_attributes, velocity_dataset
        from axon.storage import write

        write(path, described(self) | velocity_dataset(self, self.arrivals()), file_attributes(self))

    def __eq__(self, other: object) -> bool:
        """Runs are equal when everything asked and everything that came out is, bit for bit.

        Where checkpoints were taken makes no difference.
        """
        if not isinstance(other, Run):
            return NotImplemented
        plain = ("axon", "stimuli", "record", "complete")
        if any(getattr(self, name) != getattr(other, name) for name in plain):
            return False
        if dict(self.numerics) != dict(other.numerics) or dict(self.provenance) != dict(other.provenance):
            return False
        from axon.run.file import results

        mine, theirs = results(self), results(other)
        return mine.keys() == theirs.keys() and all(
            mine[k].dtype == theirs[k].dtype and np.array_equal(mine[k], theirs[k], equal_nan=True)
            for k in mine
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        state = "" if self.complete else ", incomplete"
        return (
            f"<Run of {self.numerics['duration']:g} ms on {self.numerics['compartments']} compartments: "
            f"{len(self.spike_time)} crossings, {len(self.time)} samples at {len(self.position)} positions"
            f"{state}>"
        )


def fitted_velocity(
    run: Run,
    arrival: Array,
    between: tuple[float, float] | None = None,
    direction: Literal["orthodromic", "antidromic"] | None = None,
    along: int | None = None,
) -> Velocity:
    """The velocity of a run from arrivals (ms) in all its compartments; see ``Run.velocity``."""
    position = run.compartments.position
    if run.axon.parents or run.axon.nodes:
        sites = run.sites(along)
        position, arrival = position[sites], arrival[sites]
    return conduction_velocity(
        position,
        arrival,
        between=between,
        direction=direction,
        ring=run.axon.ring,
        breaks=run.axon.boundaries,
        end_time=float(run.numerics["duration"]),
        threshold=run.record.threshold,
    )

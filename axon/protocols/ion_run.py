"""What comes out of a simulation with moving ions, and what a spike costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.errors import AxonError
from axon.geometry import CM_PER_UM, Axon
from axon.ions import (
    FARADAY,
    POTASSIUM_PER_TURN,
    SODIUM_PER_TURN,
    Ions,
    RestingFluxes,
    nernst,
)
from axon.record import Record
from axon.stimuli import Stimulus

Array = NDArray[np.float64]

AVOGADRO = 6.02214076e23
_AT_REST = 0.5  # mV
_CONVERT = 1e3  # ms -> s


@dataclass(frozen=True, eq=False, repr=False)
class IonRun:
    """Voltage and concentrations of an axon over time.

    Attributes
    ----------
    axon : Axon
    stimuli : tuple of Pulse, Train or Ramp
    ions : Ions
    record : Record
    rest : RestingFluxes
        How the leak was divided and the pump set.
    numerics : mapping
        dt (ms), dx (um or None), duration (ms), steps, compartments.
    time : (n_t,) ms
    position : (n_x,) um
    voltage : (n_t, n_x) mV
    sodium_in, potassium_in, sodium_out, potassium_out : (n_t, n_x) mM
        Outside is the thin space, or the bath where there is none.
    pump_current : (n_t, n_x) mA/cm2
        Outward.
    sodium_entry, potassium_loss, atp : (n_t, n_x) pmol/cm2
        Since the beginning: Na+ that came in and K+ that went out by channels and leak; turns of the pump.
    from_bath : mapping of "Na", "K" to (n_t, n_x) pmol/cm2
        What the bath has given since the beginning; negative where it has gained.
    spike_time, spike_position, spike_compartment : (n_s,) ms, um, int
        Upward crossings of ``record.threshold`` in every compartment, in order of time.
    complete : bool
        False when the run was stopped before its end.
    """

    axon: Axon
    stimuli: tuple[Stimulus, ...]
    ions: Ions
    record: Record
    rest: RestingFluxes
    numerics: Mapping[str, Any]
    time: Array
    position: Array
    voltage: Array
    sodium_in: Array
    potassium_in: Array
    sodium_out: Array
    potassium_out: Array
    pump_current: Array
    sodium_entry: Array
    potassium_loss: Array
    atp: Array
    from_bath: Mapping[str, Array]
    spike_time: Array
    spike_position: Array
    spike_compartment: NDArray[np.int64]
    complete: bool = True

    @property
    def sodium_reversal(self) -> Array:
        """Nernst potential of Na+, (n_t, n_x) mV."""
        return nernst(self.sodium_out, self.sodium_in, self.axon.sections[0].celsius)

    @property
    def potassium_reversal(self) -> Array:
        """Nernst potential of K+, (n_t, n_x) mV."""
        return nernst(self.potassium_out, self.potassium_in, self.axon.sections[0].celsius)

    def at(self, x: float) -> int:
        """Index of the recorded position nearest to ``x`` (um)."""
        return int(np.argmin(np.abs(self.position - x)))

    def amounts(self, ion: str) -> tuple[Array, Array, Array]:
        """Where an ion is, per membrane area: in the axon, in the space, and gained by the bath.

        Parameters
        ----------
        ion : {"Na", "K"}

        Returns
        -------
        inside, space, bath : (n_t, n_x) pmol/cm2
            Their sum does not change.
        """
        if ion not in self.from_bath:
            raise ValueError(f'ion must be "Na" or "K", got {ion!r}')
        within, outside = {
            "Na": (self.sodium_in, self.sodium_out),
            "K": (self.potassium_in, self.potassium_out),
        }[ion]
        diameter = self.axon.sections[0].diameter
        space = space_depth(self.ions.space, diameter) if math.isfinite(self.ions.space) else 0.0
        # 1 mM in a layer of 1 um is 100 pmol/cm2.
        return within * diameter / 4 * 100, outside * space * 100, -self.from_bath[ion]

    def __repr__(self) -> str:
        state = "" if self.complete else ", incomplete"
        return (
            f"<IonRun of {self.numerics['duration']:g} ms on {self.numerics['compartments']} compartments: "
            f"{len(self.spike_time)} crossings, {len(self.time)} samples at {len(self.position)} positions"
            f"{state}>"
        )


def space_depth(thickness: float, diameter: float) -> float:
    """Volume of a space around a cylinder per area of the cylinder, um."""
    return thickness * (1 + thickness / diameter)


@dataclass(frozen=True)
class SpikeCost:
    """What one spike moves across the membrane, beyond what rest would have moved.

    Attributes
    ----------
    amplitude : float
        mV, from rest to peak.
    sodium_entry, potassium_loss : float
        By channels and leak, pmol/cm2.
    minimum : float
        Sodium that would charge the membrane by the amplitude if no other current flowed, C dV / F, pmol/cm2.
    diameter : float
        um.
    """

    amplitude: float
    sodium_entry: float
    potassium_loss: float
    minimum: float
    diameter: float

    @property
    def excess(self) -> float:
        """Sodium entry over the minimum."""
        return self.sodium_entry / self.minimum

    @property
    def atp(self) -> float:
        """ATP that carries the sodium out again, pmol/cm2."""
        return self.sodium_entry / SODIUM_PER_TURN

    @property
    def atp_per_metre(self) -> float:
        """The same along one metre of axon, molecules."""
        return self.atp * 1e-12 * AVOGADRO * math.pi * self.diameter * CM_PER_UM * 100

    def __str__(self) -> str:
        return (
            f"{self.sodium_entry:.2f} pmol/cm2 Na+ in, {self.potassium_loss:.2f} K+ out, "
            f"{self.excess:.2f} times C dV / F for {self.amplitude:.1f} mV; "
            f"{self.atp_per_metre:.3g} ATP per metre"
        )


def spike_cost(run: IonRun, at: float | None = None) -> SpikeCost:
    """Count the ions of the one spike of a run that began at rest.

    Parameters
    ----------
    run : IonRun
        From rest, through one spike, until the voltage is back within 0.5 mV of it.
    at : float, optional
        Position, um; the middle of the axon by default. Keep it clear of the stimulus and of the ends.

    Raises
    ------
    AxonError
        When there is not exactly one spike at the position, or the run ends before the membrane is at rest.
    """
    x = run.axon.total_length / 2 if at is None else at
    if not 0 <= x <= run.axon.total_length:
        raise ValueError(f"at must lie on the axon (0..{run.axon.total_length:g} um), got {at!r}")
    k = run.at(x)
    place = run.axon.compartments(run.numerics["dx"]).nearest(run.position[k])
    spikes = int((run.spike_compartment == place).sum())
    if spikes != 1:
        raise AxonError(f"the cost is that of one spike, but {spikes} passed x = {run.position[k]:g} um")
    v = run.voltage[:, k]
    if abs(v[-1] - v[0]) > _AT_REST:
        raise AxonError(
            f"the run ends {v[-1] - v[0]:+.2f} mV from rest at x = {run.position[k]:g} um, before all ions "
            "of the spike have flowed; simulate longer"
        )
    seconds = (run.time[-1] - run.time[0]) / _CONVERT
    resting = run.rest.sodium_influx * seconds
    section = run.axon.sections[0]
    amplitude = float(v.max() - v[0])
    return SpikeCost(
        amplitude=amplitude,
        sodium_entry=float(run.sodium_entry[-1, k] - run.sodium_entry[0, k] - resting),
        potassium_loss=float(
            run.potassium_loss[-1, k]
            - run.potassium_loss[0, k]
            - resting * POTASSIUM_PER_TURN / SODIUM_PER_TURN
        ),
        minimum=section.membrane.capacitance * amplitude * 1e3 / FARADAY,  # nC/cm2 / F -> pmol/cm2
        diameter=section.diameter,
    )

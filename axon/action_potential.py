"""The action potential of a run at one place: its phases, and what the channels do in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, place
from axon.discretise.rest import resting_voltage
from axon.geometry import length_constant
from axon.measure.landmarks import NoSpike
from axon.measure.phases import Phases, divide
from axon.measure.spike import MARGIN
from axon.membranes import Membrane
from axon.membranes.roles import gate_roles
from axon.run import Run

Array = NDArray[Any]

EDGE_FREQUENCY_HZ = 1000.0  # within the length constant at this frequency the edges of a stimulus are kinks


@dataclass(frozen=True, eq=False)
class Recording:
    """What a run recorded at one place, and what follows from it.

    Attributes
    ----------
    position : float
        um.
    membrane : Membrane
    celsius : float
        degC.
    rest : float
        mV, of the whole axon at rest.
    time, voltage : (n_t,)
        ms and mV.
    gates : mapping of gate name to (n_t,)
        Those that were recorded.
    conductances, currents : mapping of channel name to (n_t,)
        S/cm2, of the ohmic channels, and mA/cm2, outward; empty unless every gate was recorded, or every
        current.
    kinks : tuple of float
        Times (ms) at which a stimulus nearby begins or ends.
    """

    position: float
    membrane: Membrane
    celsius: float
    rest: float
    time: Array
    voltage: Array
    gates: Mapping[str, Array]
    conductances: Mapping[str, Array]
    currents: Mapping[str, Array]
    kinks: tuple[float, ...]


def phases(
    run: Run,
    at: Place | None = None,
    *,
    spike: int = 0,
    method: str = "curvature",
    margin: float = MARGIN,
) -> Phases:
    """Divide the action potential at one place into resting, stimulation, rising, ..., recovery.

    The rest is the solved resting state of the whole axon there. With every gate recorded
    (``Record(gates=True)``) each phase also tells how the gates moved, what the channels conducted and
    carried, and which of them dominated: conductances and currents follow from voltage and gates. Recorded
    currents (``Record(currents=True)``) serve as well for what the channels carried.

    Parameters
    ----------
    run : Run
        With voltage recorded, at least 8 samples in the half-width of the spike.
    at : float or (int, float), optional
        Position, um; on a tree also (section, um from its beginning). The nearest recorded one is taken. By
        default the one nearest to the middle of the axon.
    spike : int
        Which spike there, from 0; -1 is the last. A spike is a stretch above ``run.record.threshold`` with a
        peak of its own.
    method : {"curvature", "inward_current", "phase_plane"}
        What counts as the threshold: see `axon.measure.spike.spike_shape`. ``"inward_current"`` needs the
        gates or the currents.
    margin : float
        Part of the amplitude, and of a gate's whole range, that still counts as at rest.

    Returns
    -------
    Phases
        ``print`` shows the table; ``.rows`` are the phases, ``.shape`` the threshold, peak, half-width,
        slopes and undershoot. What the run does not reach is None, with the reason in words.

    Raises
    ------
    NoSpike
        When there is no such spike there, or the run ends while it rises.
    ValueError
        When voltage was not recorded or too sparsely, the place is off the axon, or the method is unknown.
    """
    here = recording(run, at)
    if not here.membrane.gates:
        raise NoSpike(f"no spike: membrane {here.membrane.name!r} at x = {here.position:g} um has no gates")
    home = here.membrane.steady_gates(here.rest, here.celsius)
    try:
        return divide(
            here.time,
            here.voltage,
            rest=here.rest,
            capacitance=here.membrane.capacitance,
            gates=here.gates,
            resting_gates={name: float(value) for name, value in home.items()},
            conductances=here.conductances,
            currents=here.currents,
            roles={gate: f"{role.channel} {role.role}" for gate, role in gate_roles(here.membrane).items()},
            position=here.position,
            spike=spike,
            level=run.record.threshold,
            method=method,
            kinks=here.kinks,
            margin=margin,
        )
    except NoSpike as error:
        raise NoSpike(f"at x = {here.position:g} um: {error}{_elsewhere(run)}") from None


def recording(run: Run, at: Place | None = None) -> Recording:
    """What ``run`` recorded at the place nearest to ``at``, by default the middle of the axon.

    Raises
    ------
    ValueError
        When voltage was not recorded, or ``at`` lies off the axon.
    """
    if run.voltage is None or len(run.time) < 2:
        raise ValueError("phases need the voltage over time; simulate with Record(voltage=True)")
    if at is not None:
        run.axon.distance("at", place("at", at))
    here = run.at(run.axon.main_length / 2 if at is None else at)
    compartments = run.compartments
    where = int(run.recorded[here])
    membrane = compartments.membranes[compartments.membrane[where]]
    voltage = np.asarray(run.voltage[:, here], float)
    gates = {name: run.gates[name][:, here] for name in membrane.gates if name in run.gates}
    around = {
        pool.name: run.concentrations[pool.name][:, here]
        for pool in membrane.pools
        if pool.name in run.concentrations
    }
    known = len(gates) == len(membrane.gates) and len(around) == len(membrane.pools)
    celsius = float(compartments.celsius[where])
    conductances = membrane.conductances(gates, celsius) if known else {}
    currents = membrane.currents(voltage, gates, celsius, around) if known else {}
    if all(channel.name in run.currents for channel in membrane.channels):
        currents = {channel.name: run.currents[channel.name][:, here] for channel in membrane.channels}
    return Recording(
        position=float(run.position[here]),
        membrane=membrane,
        celsius=celsius,
        rest=float(resting_voltage(compartments)[where]),
        time=run.time,
        voltage=voltage,
        gates=gates,
        conductances={name: np.broadcast_to(g, voltage.shape) for name, g in conductances.items()},
        currents=currents,
        kinks=_edges(run, where),
    )


def _edges(run: Run, where: int) -> tuple[float, ...]:
    """Times (ms) at which a stimulus near a compartment begins or ends."""
    reach = length_constant(run.axon.sections[run.compartments.section[where]], EDGE_FREQUENCY_HZ)
    x, total = run.compartments.position[where], run.axon.total_length
    edges: list[float] = []
    for stimulus in run.stimuli:
        away = abs(run.axon.distance("at", stimulus.at) - x)
        if (min(away, total - away) if run.axon.ring else away) > reach:
            continue
        for k in range(getattr(stimulus, "count", 1)):
            start = stimulus.start + k * getattr(stimulus, "interval", 0.0)
            edges += [start, start + stimulus.duration]
    return tuple(edges)


def _elsewhere(run: Run) -> str:
    """Where the run had spikes, for the message that there is none here."""
    if not len(run.spike_position):
        return "; no compartment fired in this run"
    low, high = run.spike_position.min(), run.spike_position.max()
    return f"; the run has spikes from x = {low:g} to {high:g} um"

"""Voltage clamp: the experiment of Hodgkin, Huxley & Katz (1952) on a space-clamped piece of membrane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import finite, positive
from axon.discretise.job import default_dt
from axon.geometry import DEFAULT_CELSIUS
from axon.measure.clamp import ClampFamily
from axon.membranes import Membrane
from axon.protocols.space_clamp import space_clamp
from axon.record import Record
from axon.run import Run
from axon.simulate import simulate_many
from axon.stimuli import Clamp

SETTLING = 10.0  # slowest time constants until a current counts as steady: 5e-5 of the gates' way is left


def voltage_clamp(
    membrane: Membrane,
    levels: ArrayLike,
    *,
    holding: float | None = None,
    duration: float | None = None,
    celsius: float = DEFAULT_CELSIUS,
    dt: float | None = None,
    every: float | None = None,
    progress: bool = True,
) -> ClampFamily:
    """Step a patch of membrane from a holding voltage to each of several levels and record its currents.

    The patch is a `space_clamp`, one compartment, which is what an axial wire makes of a squid axon.
    Holding at other voltages is the long prepulse that measures inactivation.

    Parameters
    ----------
    membrane : Membrane
    levels : array_like, (n_levels,)
        mV.
    holding : float, optional
        Voltage before the step, mV, where the gates have settled. By default the resting potential.
    duration : float, optional
        Of the step, ms; by default ten of the slowest time constants at the levels.
    celsius : float
        degC.
    dt : float, optional
        Time step, ms; by default that of ``simulate``.
    every : float, optional
        ms between samples; by default every step.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    ClampFamily
        Currents over time, with ``peak()``, ``steady()``, ``at(time)`` and ``reversal(channel)``.

    Raises
    ------
    ValueError
        For levels that are no voltages, or a membrane without gates and no duration given.
    NoRest
        When there is no resting potential to hold at.
    """
    steps = [finite("levels", float(level), "mV") for level in np.atleast_1d(np.asarray(levels, float))]
    if not steps:
        raise ValueError("levels must name at least one voltage in mV, got none")
    start = membrane.resting_potential(celsius) if holding is None else finite("holding", holding, "mV")
    lasts = _settling(membrane, steps, celsius) if duration is None else positive("duration", duration, "ms")
    patch = space_clamp(membrane, celsius=celsius)
    step = default_dt(patch) if dt is None else positive("dt", dt, "ms")
    runs = simulate_many(
        [patch] * len(steps),
        [[Clamp(voltage=level)] for level in steps],
        duration=lasts,
        dt=step,
        record=Record(every=step if every is None else every, gates=True, currents=True),
        initial_voltage=start,
        progress=progress,
    )
    return _family(membrane, runs, np.array(steps), start, celsius)


def _settling(membrane: Membrane, levels: Sequence[float], celsius: float) -> float:
    if not membrane.lasting_gates:
        raise ValueError(
            f"membrane {membrane.name!r} has no gates, so that its currents are steady at once; "
            "give a duration in ms"
        )
    slowest = max(
        float(gate.time_constant(levels, celsius).max()) for gate in membrane.lasting_gates.values()
    )
    return SETTLING * slowest


def _family(
    membrane: Membrane, runs: Sequence[Run], levels: np.ndarray, holding: float, celsius: float
) -> ClampFamily:
    gates = {name: np.concatenate([run.gates[name] for run in runs], axis=1) for name in membrane.gates}
    currents = {
        channel.name: np.concatenate([run.currents[channel.name] for run in runs], axis=1)
        for channel in membrane.channels
    }
    shape = (len(runs[0].time), len(levels))
    conductances = {
        name: np.broadcast_to(g, shape) for name, g in membrane.conductances(gates, celsius).items()
    }
    return ClampFamily(holding, celsius, levels, runs[0].time, currents, conductances, gates)

"""Many axons at once, each simulated for as long as its spike needs to reach the far end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from axon.checks import positive
from axon.discretise.job import default_dt
from axon.geometry import CM_PER_UM, MESH_FREQUENCY_HZ, Axon, Section, length_constant
from axon.membranes import Membrane
from axon.protocols.stimulus import DEPOLARISATION, SETTLING, suprathreshold_pulse
from axon.record import Record
from axon.run import Run
from axon.simulate import simulate_many
from axon.stimuli import Pulse

# A uniform axon this long, in length constants at 1 kHz, has a steady stretch: the squid axon's velocity
# there differs from that of a much longer one by 5e-5 at 6.3 degC and by 6e-6 at 18.5 degC.
LONG = 20.0

_PILOT_MESH = 5.0  # compartments per length constant: coarse, for times that need not be exact
_PILOT_STEPS = 4.0  # default steps in one of the pilot's
_MARGIN = 1.1  # on the pilot's time of arrival, for its error and for other stimuli
_START = 10.0  # ms that a run lasts where nothing is known of the axon
_START_AT_NODES = 3.0  # ms, the same for a fibre with nodes
_STALLED = 20.0  # ms after the stimulus by which a spike has started, or never will
_STALLED_AT_NODES = 5.0
_LONGEST = 2000.0  # ms; no axon of interest needs longer
_LADDER = 1.25  # runs last a power of this, so that similar axons share their lanes
_REMEMBERED = 4096  # membranes
_MESH, _FEWEST = 6.0, 40  # compartments in a length constant of ``coarse``, and in an axon at least

# Time of arrival (ms) at the end of an axon of LONG length constants, by membrane and temperature: it knows
# nothing of the geometry. None where nothing arrives.
_arrivals: dict[tuple[Membrane, float], float | None] = {}


@dataclass(frozen=True)
class Numerics:
    """How axons are simulated: as the arguments of ``simulate``."""

    dt: float | None = None
    dx: float | None = None
    order: int = 2

    def __post_init__(self) -> None:
        if self.dt is not None:
            positive("dt", self.dt, "ms")
        if self.dx is not None:
            positive("dx", self.dx, "um")
        if self.order not in (2, 4):
            raise ValueError(f"order must be 2 or 4, got {self.order!r}")

    def step(self, axon: Axon) -> float:
        """Time step of an axon, ms."""
        return default_dt(axon) if self.dt is None else self.dt


def wave_length(section: Section) -> float:
    """Length constant at 1 kHz (um), the measure of the space that a spike takes in this section."""
    return length_constant(section, MESH_FREQUENCY_HZ)


def end_pulse(axon: Axon, *, start: float = 0.5, duration: float = 0.2) -> Pulse:
    """A pulse at x = 0 that starts a spike; ``suprathreshold_pulse``, but at once where the axon is long.

    The input impedance of a long uniform cable at its sealed end is sqrt(r T / c), with r and c per length.
    """
    if not axon.uniform or axon.ring or axon.total_length < 5 * wave_length(axon.sections[0]):
        return suprathreshold_pulse(axon, start=start, duration=duration)
    section = axon.sections[0]
    d = section.diameter * CM_PER_UM
    r = section.axial_resistivity / (math.pi * d**2 / 4)  # ohm/cm
    c = section.membrane.capacitance * 1e-6 * math.pi * d  # F/cm
    impedance = math.sqrt(r * SETTLING * 1e-3 / c)  # ohm
    amplitude = DEPOLARISATION * 1e6 / impedance / min(positive("duration", duration, "ms") / SETTLING, 1.0)
    return Pulse(amplitude=amplitude, start=start, duration=duration)


def passages(
    axons: Sequence[Axon],
    stimuli: Sequence[Any],
    *,
    record: Record | None = None,
    numerics: Numerics | None = None,
    threads: int | None = None,
) -> list[Run]:
    """Simulate axons side by side, each until its spike has arrived everywhere or can no more.

    Parameters
    ----------
    axons : sequence of Axon
    stimuli : sequence
        For each axon a stimulus or several, which start its spike.
    record : Record, optional
        By default spikes alone.
    numerics : Numerics, optional
        By default those of ``simulate``.
    threads : int, optional
        As for ``simulate_many``.

    Returns
    -------
    list of Run
    """
    how, record = numerics or Numerics(), record or Record(voltage=None)
    starts = [_last_start(own) for own in stimuli]
    durations = [start + time for start, time in zip(starts, arrival_times(axons), strict=True)]
    found: dict[int, Run] = {}
    pending = list(range(len(axons)))
    while pending:
        late = []
        for members, duration in _alike(pending, axons, durations, how):
            own = [axons[i] for i in members], [stimuli[i] for i in members]
            runs = _simulated(*own, duration, record, how, threads)
            for i, run in zip(members, runs, strict=True):
                durations[i] = duration
                if _over(run, duration - starts[i]):
                    found[i] = run
                else:
                    late.append(i)
                    durations[i] = 2 * duration
        pending = late
    return [found[i] for i in range(len(axons))]


def _simulated(
    axons: list[Axon], stimuli: list[Any], duration: float, record: Record, how: Numerics, threads: int | None
) -> list[Run]:
    runs = simulate_many(
        axons,
        stimuli,
        duration=duration,
        dt=how.dt,
        dx=how.dx,
        order=how.order,
        record=record,
        threads=threads,
        progress=False,
    )
    if not all(run.complete for run in runs):  # Ctrl-C: half a run is no answer
        raise KeyboardInterrupt
    return runs


def _alike(
    pending: list[int], axons: Sequence[Axon], durations: list[float], how: Numerics
) -> list[tuple[list[int], float]]:
    """Axons with the same time step and a similar duration, and the duration (ms) that suits them all."""
    groups: dict[tuple[float, int], list[int]] = {}
    for i in pending:
        rung = math.ceil(math.log(durations[i]) / math.log(_LADDER) - 1e-9)
        groups.setdefault((how.step(axons[i]), rung), []).append(i)
    return [(members, max(durations[i] for i in members)) for members in groups.values()]


def _over(run: Run, since: float) -> bool:
    """Whether more time would change nothing: the spike is everywhere, or stands still, or never started.

    ``since`` is the time since the last stimulus began, ms.
    """
    nodes = run.axon.nodes
    arrival = run.arrivals()
    if nodes:
        arrival = arrival[np.isin(run.compartments.section, nodes)]
    there = np.isfinite(arrival)
    if there.all() or since > _LONGEST:
        return True
    stalled = not there.any() or float(arrival[there].max()) < 0.7 * float(run.numerics["duration"])
    return stalled and since > (_STALLED_AT_NODES if nodes else _STALLED)


def arrival_times(axons: Sequence[Axon]) -> list[float]:
    """About how long (ms) a spike from x = 0 needs to cross each axon: where nothing is known, a guess."""
    uniform = [axon for axon in axons if axon.uniform and not axon.ring]
    _pilot({(axon.sections[0].membrane, axon.sections[0].celsius) for axon in uniform})
    return [_arrival_time(axon) for axon in axons]


def _arrival_time(axon: Axon) -> float:
    section = axon.sections[0]
    known = _arrivals.get((section.membrane, section.celsius)) if axon.uniform and not axon.ring else None
    if known is None:
        return _START_AT_NODES if axon.nodes else _START
    return _MARGIN * known * max(axon.total_length / (LONG * wave_length(section)), 0.2)


def _pilot(kinds: set[tuple[Membrane, float]]) -> None:
    """Find out how fast unknown membranes conduct, from short and coarse runs side by side."""
    if len(_arrivals) > _REMEMBERED:
        _arrivals.clear()
    new = [kind for kind in kinds if kind not in _arrivals]
    axons, pulses = [], []
    for membrane, celsius in new:
        section = Section(1.0, 1.0, membrane, celsius=celsius)
        axons.append(
            Axon(length=LONG * wave_length(section), diameter=1.0, membrane=membrane, celsius=celsius)
        )
        pulses.append(end_pulse(axons[-1], start=0.0))
    by_step: dict[float, list[int]] = {}
    for i, axon in enumerate(axons):
        by_step.setdefault(default_dt(axon), []).append(i)
    for step, members in by_step.items():
        dx = min(wave_length(axons[i].sections[0]) for i in members) / _PILOT_MESH
        how = Numerics(dt=_PILOT_STEPS * step if step < 0.02 else step, dx=dx)
        duration, record = 2 * _START, Record(voltage=None)
        runs = _simulated([axons[i] for i in members], [pulses[i] for i in members], duration, record, how, 1)
        for i, run in zip(members, runs, strict=True):
            arrival = run.arrivals()
            # Two digits: the guess must not depend on who else was piloted.
            last = float(f"{arrival[-1]:.2g}") if np.isfinite(arrival).all() else None
            _arrivals[new[i]] = last


def _last_start(stimuli: Any) -> float:
    own = stimuli if isinstance(stimuli, tuple | list) else (stimuli,)
    return max((float(one.start) for one in own), default=0.0)


def coarse(axon: Axon) -> Axon:
    """A plain uniform axon on the mesh that suffices for its velocity at fourth order; any other as it is.

    Six compartments in a length constant at 1 kHz leave an error of 1e-4 on the squid axon at 18.5 degC,
    where the default mesh of second order, of three times as many, leaves 3e-4.
    """
    if not axon.uniform or axon.ring or axon.myelinated:
        return axon
    section = axon.sections[0]
    length = axon.total_length
    count = max(math.ceil(length / wave_length(section) * _MESH - 1e-9), _FEWEST)
    return Axon(sections=[replace(section, length=length, nseg=count)])


def long_enough(axon: Axon) -> Axon:
    """A uniform axon with the length at which its velocity is steady; any other as it is."""
    if not axon.uniform or axon.ring or len(axon.sections) != 1 or axon.diameter is None:
        return axon
    return replace(axon, length=LONG * wave_length(axon.sections[0]), sections=())

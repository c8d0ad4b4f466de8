"""An action potential divided into its phases, and what every channel does in each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from axon.checks import finite, positive
from axon.errors import unknown_name
from axon.measure.curve import Curve
from axon.measure.landmarks import Landmarks, chosen_peak, first, last
from axon.measure.spike import LEVEL, MARGIN, SpikeShape, check_method, shape_of

TURN = 0.5  # mV; a peak or trough inside a phase that stands out by this much is named in the table
PHASES = ("resting", "stimulation", "rising", "overshoot", "falling", "undershoot", "recovery")


@dataclass(frozen=True)
class Course:
    """How a quantity went through a phase: its values at both ends, its extremes and its mean over time."""

    start: float
    end: float
    lowest: float
    highest: float
    mean: float


@dataclass(frozen=True)
class Phase:
    """One phase of an action potential. What was not reached is None, and ``missing`` says why.

    Attributes
    ----------
    name : str
        One of ``PHASES``.
    start, end : float or None
        ms.
    missing : str
        Why there is no start or no end; empty where there are both.
    voltage : Course or None
        mV. This and what follows needs both ends.
    gates : dict of gate name to Course
    conductances : dict of channel name to Course
        Of the ohmic channels, S/cm2.
    currents : dict of channel name to Course
        Outward, mA/cm2.
    outside_charge : float or None
        Charge that came through the axon or from an electrode and not through the channels, nC/cm2: what it
        takes, beside them, to change the voltage of the membrane's capacitance.
    """

    name: str
    start: float | None
    end: float | None
    missing: str = ""
    voltage: Course | None = None
    gates: Mapping[str, Course] = field(default_factory=dict)
    conductances: Mapping[str, Course] = field(default_factory=dict)
    currents: Mapping[str, Course] = field(default_factory=dict)
    outside_charge: float | None = None

    @property
    def duration(self) -> float | None:
        """ms, or None when an end was not reached."""
        return None if self.start is None or self.end is None else self.end - self.start

    @property
    def charge(self) -> dict[str, float]:
        """Charge that each channel carried outwards, nC/cm2."""
        lasted = self.duration or 0.0
        return {name: 1e3 * course.mean * lasted for name, course in self.currents.items()}

    @property
    def dominant(self) -> str | None:
        """The channel that carried the most charge, inwards or outwards; None when none is known to have."""
        most = max(self.charge, key=lambda name: abs(self.charge[name]), default=None)
        return most if most is not None and self.charge[most] else None


@dataclass(frozen=True)
class Phases:
    """The phases of one action potential, in order.

    ``phases["falling"]`` is one of them, ``phases.rows`` all; ``print(phases)`` shows the table.

    Attributes
    ----------
    rows : tuple of Phase
    shape : SpikeShape
        Threshold, peak, half-width and the rest of the spike's shape.
    roles : mapping of gate name to str
        What each gate does, such as ``"Na inactivation"``.
    position : float or None
        Where along the axon, um.
    """

    rows: tuple[Phase, ...]
    shape: SpikeShape
    roles: Mapping[str, str] = field(default_factory=dict)
    position: float | None = None

    def __getitem__(self, name: str) -> Phase:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(unknown_name("phase", name, PHASES))

    def __iter__(self) -> Iterator[Phase]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        where = "" if self.position is None else f" at x = {self.position:g} um"
        blocks = [f"action potential{where}", _table(self), str(self.shape)]
        return "\n\n".join(blocks)


def divide(
    time: ArrayLike,
    voltage: ArrayLike,
    *,
    rest: float,
    capacitance: float = 1.0,
    gates: Mapping[str, ArrayLike] | None = None,
    resting_gates: Mapping[str, float] | None = None,
    conductances: Mapping[str, ArrayLike] | None = None,
    currents: Mapping[str, ArrayLike] | None = None,
    roles: Mapping[str, str] | None = None,
    position: float | None = None,
    spike: int = 0,
    level: float = LEVEL,
    method: str = "curvature",
    kinks: Sequence[float] = (),
    margin: float = MARGIN,
) -> Phases:
    """Divide one action potential of a trace into its phases.

    ============  =========================================================================================
    resting       the voltage is within ``margin`` of rest, until it leaves it for the spike
    stimulation   from there to the threshold
    rising        from the threshold to 0 mV
    overshoot     above 0 mV; the peak lies in it
    falling       from 0 mV to rest
    undershoot    below rest, until the voltage is back within ``margin`` of it
    recovery      from there until voltage and gates are within ``margin`` of rest, and stay there
    ============  =========================================================================================

    A spike that peaks below 0 mV rises up to its peak, has no overshoot, and falls from its peak. One that
    does not undershoot falls until it is within ``margin`` of rest.

    Parameters
    ----------
    time, voltage : array_like, (n,)
        ms and mV.
    rest : float
        mV.
    capacitance : float
        uF/cm2.
    gates, conductances, currents : mapping of name to array_like (n,), optional
        Gates (0..1), conductances (S/cm2) and outward currents (mA/cm2) at the same times. The currents are
        all of the membrane's, or none.
    resting_gates : mapping of gate name to float, optional
        Their values at rest; without them recovery is that of the voltage alone.
    roles : mapping of gate name to str, optional
        What each gate does, for the table.
    position : float, optional
        um, for the table.
    spike, level, method, kinks
        As for `axon.measure.spike.spike_shape`.
    margin : float
        Part of the amplitude, and of a gate's whole range, that still counts as at rest.

    Returns
    -------
    Phases

    Raises
    ------
    NoSpike, ValueError
        As `axon.measure.spike.spike_shape`.
    """
    check_method(method, bool(currents))
    finite("rest", rest, "mV")
    positive("margin", margin, "(part of the amplitude)")
    curve = Curve(time, voltage, kinks)
    gated, conducted, flows = (
        {name: Curve(time, values, kinks) for name, values in (family or {}).items()}
        for family in (gates, conductances, currents)
    )
    landmarks = Landmarks(curve, rest, chosen_peak(curve, spike, level), margin)
    shape = shape_of(landmarks, method, _net(flows, kinks))
    home = {gated[name]: value for name, value in (resting_gates or {}).items() if name in gated}
    rows = []
    for name, start, end, missing in _instants(landmarks, shape, _settled(landmarks, home, margin)):
        whole = start is not None and end is not None
        rows.append(Phase(name, start, end, "" if whole else missing))
        if start is not None and end is not None:
            rows[-1] = replace(
                rows[-1],
                voltage=_course(curve, start, end),
                gates={key: _course(gate, start, end) for key, gate in gated.items()},
                conductances={key: _course(g, start, end) for key, g in conducted.items()},
                currents={key: _course(flow, start, end) for key, flow in flows.items()},
                outside_charge=_outside(curve, flows, capacitance, start, end),
            )
    return Phases(tuple(rows), shape, dict(roles or {}), position)


def _net(flows: Mapping[str, Curve], kinks: Sequence[float]) -> Curve | None:
    """The sum of some curves."""
    if not flows:
        return None
    samples = np.sum([flow.samples for flow in flows.values()], axis=0)
    return Curve(next(iter(flows.values())).time, samples, kinks)


def _outside(
    curve: Curve, flows: Mapping[str, Curve], capacitance: float, start: float, end: float
) -> float | None:
    """Charge (nC/cm2) that the capacitance took up beyond what the channels let in."""
    ionic = 1e3 * sum(flow.integral(start, end) for flow in flows.values())
    return capacitance * (curve(end) - curve(start)) + ionic if flows else None


Instants = tuple[str, float | None, float | None, str]


def _instants(spike: Landmarks, shape: SpikeShape, settled: float | None) -> Iterator[Instants]:
    """Name, start and end of every phase, and why one of them is missing."""
    curve, peak, missing = spike.curve, spike.peak, spike.missing
    onset, breach = shape.onset, shape.threshold_time
    no_onset, no_breach = missing.get("onset", ""), missing.get("threshold", "")
    falling = f"still falling {spike.ended()}"
    over = peak.height > 0
    up = last(curve.rises(0.0, peak.start, peak.time)) if over else peak.time
    down = first(curve.falls(0.0, peak.time, spike.stop)) if over else peak.time
    no_up = "" if up is not None else "the voltage was above 0 mV from the start"
    if up is not None and breach is not None:
        up = max(up, breach)
    yield "resting", _rest_from(spike), onset, no_onset
    yield "stimulation", onset, breach, no_onset or no_breach
    yield "rising", breach, up, no_breach or no_up
    if over:
        yield "overshoot", up, down, no_up or falling
    else:
        yield "overshoot", None, None, f"the peak, {peak.height:.4g} mV, lies below 0 mV"
    yield "falling", down, spike.fallen, falling
    under = "undershoot" not in missing or spike.back is not None
    yield "undershoot", spike.fallen if under else None, spike.back, missing.get("undershoot_duration", "")
    home = spike.back if under else spike.fallen
    done = None if home is None or settled is None else max(home, settled)
    unsettled = f"not yet as at rest {spike.ended()}" if home is not None else falling
    if under and home is None:
        unsettled = missing["undershoot_duration"]
    yield "recovery", home, done, unsettled


def _rest_from(spike: Landmarks) -> float | None:
    """Start of the stretch near rest that ends with the onset."""
    if spike.onset is None:
        return None
    return _entered(spike.curve, spike.rest, spike.near, spike.peak.start, spike.onset)


def _entered(curve: Curve, level: float, near: float, start: float, stop: float) -> float:
    """When the curve last came within ``near`` of ``level``; ``start`` if it was there from then on."""
    times = [*curve.falls(level + near, start, stop), *curve.rises(level - near, start, stop)]
    return float(max(times, default=start))


def _settled(spike: Landmarks, home: Mapping[Curve, float], margin: float) -> float | None:
    """When the voltage and every gate came back near rest for good; None when one of them did not."""
    start, stop = spike.peak.time, spike.stop
    sought = [(spike.curve, spike.rest, spike.near), *((gate, rest, margin) for gate, rest in home.items())]
    rounding = 1 + 1e-9
    if any(abs(curve(stop) - level) > near * rounding for curve, level, near in sought):
        return None
    return max(_entered(curve, level, near, start, stop) for curve, level, near in sought)


def _course(curve: Curve, start: float, end: float) -> Course:
    ends = [curve(start), curve(end)]
    kinks = [t for t in curve.kinks if start < t < end]
    times = [*curve.maxima(start, end), *curve.minima(start, end), *kinks]
    values = ends + [curve(float(t)) for t in times]
    mean = curve.integral(start, end) / (end - start) if end > start else ends[0]
    return Course(ends[0], ends[1], min(values), max(values), mean)


def _table(phases: Phases) -> str:
    """Columns: time, voltage, gates, charge of every channel; the dominant one is starred."""
    gates = list(dict.fromkeys(name for row in phases for name in row.gates))
    channels = list(dict.fromkeys(name for row in phases for name in row.currents))
    heads = [
        ["", "from", "to", "lasts", "voltage", *gates, *channels, *(["outside"] if channels else [])],
        ["", "ms", "ms", "ms", "mV", *(phases.roles.get(name, "") for name in gates)],
    ]
    heads[1] += ["nC/cm2"] * (len(heads[0]) - len(heads[1]))
    rows = [*heads, *(_cells(row, gates, channels) for row in phases)]
    width = [max(len(row[i]) for row in rows if i < len(row)) for i in range(len(heads[0]))]
    notes = ["", "", *(row.missing and f"  not reached: {row.missing}" for row in phases)]
    left = {0, 4}  # columns of words and ranges; numbers stand to the right
    lines = []
    for row, note in zip(rows, notes, strict=True):
        cells = [cell.ljust(width[i]) if i in left else cell.rjust(width[i]) for i, cell in enumerate(row)]
        lines.append("  ".join(cells) + note)
    foot = ["* the channel that carried the most charge, outward positive"] if channels else []
    return "\n".join([*(line.rstrip() for line in lines), *foot])


def _cells(row: Phase, gates: Sequence[str], channels: Sequence[str]) -> list[str]:
    times = ["-" if time is None else f"{time:.3f}" for time in (row.start, row.end, row.duration)]
    if row.voltage is None:
        return [row.name, *times]
    opened = [f"{row.gates[name].start:.3f} → {row.gates[name].end:.3f}" for name in gates]
    star = {row.dominant: "*"}
    charges = [f"{star.get(name, '')}{_rounded(row.charge[name]):+.1f}" for name in channels]
    outside = [] if row.outside_charge is None else [f"{_rounded(row.outside_charge):+.1f}"]
    return [row.name, *times, _path(row.voltage), *opened, *charges, *outside]


def _path(course: Course) -> str:
    """Where the voltage went, by way of its peak or trough where that lies beyond both ends."""
    by = []
    if course.highest > max(course.start, course.end) + TURN:
        by = [course.highest]
    elif course.lowest < min(course.start, course.end) - TURN:
        by = [course.lowest]
    return " → ".join(f"{_rounded(v):.1f}" for v in (course.start, *by, course.end))


def _rounded(value: float) -> float:
    return round(value, 1) + 0.0  # -0.0 becomes 0.0

"""What every picture needs to know of a run: unit of length, rest, limits, joins, stimuli, velocity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.discretise import rest
from axon.draw.style import COLOURS
from axon.errors import NoPropagation, NoRest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from axon.run import Run

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

MM_FROM = 2000.0  # um; axons from this length on are drawn in mm
BELOW_REVERSAL = 20.0  # mV; room for hyperpolarising stimuli below the lowest reversal potential
MOST_NODES = 300
MOST_JOINS = 20  # a myelinated axon has hundreds of joins: lines at each would hide the picture
MOST_DOTS = 150  # nodes are shown one by one up to here
SPARSE = 50  # fewer recorded positions than this are shown one by one


def voltage_of(run: Run, picture: str, *, positions: int = 1) -> Array:
    """The recorded voltage (n_t, n_x), mV.

    Raises
    ------
    ValueError
        If it was not recorded, or at fewer than 2 times or `positions`: too little for this `picture`.
    """
    if run.voltage is None:
        raise ValueError(
            f"{picture} needs voltage, and this run recorded none; simulate with Record(voltage=True)"
        )
    n_t, n_x = run.voltage.shape
    if n_t < 2 or n_x < positions:
        raise ValueError(
            f"{picture} needs voltage at 2 times and {positions} positions or more, this run recorded {n_t} "
            f"and {n_x}; simulate with a shorter Record.every or more Record.where"
        )
    return run.voltage


def in_step(run: Run) -> Run:
    """`run` along one way, all of it at the times of the voltage.

    What was sampled at times of its own is interpolated linearly, and is as first and last sampled before and
    after.
    """
    run = run.along()
    if not run.beside:
        return run
    known: dict[str, Any] = {
        kind: dict(getattr(run, kind)) for kind in ("gates", "currents", "concentrations")
    }
    for path, values in run.beside.items():
        kind, _, name = path.partition("/")
        if name and len(values):
            known[kind][name] = interpolated(run.beside[f"{kind}_time"], np.asarray(values), run.time)
    return replace(run, **known, beside={})


def interpolated(time: Array, values: Array, wanted: Array) -> Array:
    """`values` (n_t, n_x) sampled at `time` (ms), at the `wanted` times, (len(wanted), n_x)."""
    where = np.interp(wanted, time, np.arange(len(time)))
    before = np.minimum(where.astype(np.int64), max(len(time) - 2, 0))
    after = np.minimum(before + 1, len(time) - 1)
    share = (where - before)[:, None]
    return (1.0 - share) * values[before] + share * values[after]


def length_scale(run: Run) -> tuple[float, str]:
    """Factor from um to the drawn unit, and that unit's name."""
    return (1e-3, "mm") if run.axon.total_length >= MM_FROM else (1.0, "µm")


def way_length(run: Run) -> float:
    """Length of what is drawn: the whole axon, or of a tree the way that is shown, um."""
    axon = run.axon
    if not axon.parents:
        return axon.total_length
    return max(axon.starts[i] + float(axon.sections[i].length) for i in set(run.section.tolist()))


def label_position(run: Run, ax: Axes) -> None:
    """Give `ax` the whole axon as its x axis, with unit."""
    factor, _ = length_scale(run)
    ax.set_xlim(0.0, way_length(run) * factor)
    ax.set_xlabel(position_label(run))


def position_label(run: Run) -> str:
    """What stands at the x axis of a picture of the whole axon."""
    _, unit = length_scale(run)
    return f"position along the ring ({unit})" if run.axon.ring else f"position ({unit})"


def joins(run: Run) -> list[float]:
    """Where one section ends and the next begins, um; empty when there are too many to draw."""
    if run.axon.nodes:
        return []
    return list(run.axon.boundaries) if len(run.axon.boundaries) <= MOST_JOINS else []


def nodes(run: Run) -> list[float]:
    """Where the recorded nodes of a myelinated axon are, um; empty when there are too many to draw."""
    own = set(run.axon.nodes)
    found = [float(x) for x, section in zip(run.position, run.section, strict=True) if section in own]
    return found if len(found) <= MOST_NODES else []


def mark_joins(run: Run, ax: Axes) -> None:
    """Thin vertical lines where sections join, and of a myelinated axon a tick at every node."""
    factor, _ = length_scale(run)
    look: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "linewidth": 0.9, "zorder": 1.5}
    ax.vlines([x * factor for x in nodes(run)], 0.0, 0.05, color=COLOURS["black"], **look)
    for x in joins(run):
        ax.axvline(x * factor, color=COLOURS["grey"], linewidth=0.6, linestyle=(0, (1, 2)), zorder=1.5)


def resting_voltage(run: Run) -> Array:
    """Resting potential of the whole axon at each recorded position, mV.

    An axon that has no rest counts from the median voltage of the first recorded frame.
    """
    try:
        return rest.resting_voltage(run.compartments)[run.recorded]
    except NoRest:
        return np.full(len(run.position), np.median(voltage_of(run, "a picture")[0]))


def voltage_limits(run: Run) -> tuple[float, float]:
    """Lowest and highest voltage to draw, mV.

    The recorded range, except that an excitable axon is drawn up to its highest reversal potential and down
    to 20 mV below its lowest: only the stimulus electrode carries the voltage further, often by hundreds of
    mV.
    """
    voltage = voltage_of(run, "a picture")
    low, high = float(np.nanmin(voltage)), float(np.nanmax(voltage))
    membranes = [section.membrane for section in run.axon.sections]
    if any(membrane.gates for membrane in membranes):
        reversals = [e for membrane in membranes for e in membrane.reversals]
        low, high = max(low, min(reversals) - BELOW_REVERSAL), min(high, max(reversals))
    return (low, high) if high - low > 1e-3 else (low - 1.0, high + 1.0)


def stimulated(run: Run) -> Iterator[tuple[float, float, float]]:
    """Place (um), start and stop (ms) of everything done to the axon within the recorded time."""
    for stimulus in run.stimuli:
        if run.axon.parents and isinstance(stimulus.at, tuple) and stimulus.at[0] not in run.section:
            continue  # on another branch than the way that is shown
        interval = getattr(stimulus, "interval", 0.0)  # a Train has an interval and a count
        for k in range(getattr(stimulus, "count", 1)):
            start = stimulus.start + k * interval
            if start <= run.time[-1]:
                yield (
                    run.axon.distance("at", stimulus.at),
                    start,
                    min(start + stimulus.duration, float(run.time[-1])),
                )


def nearest_positions(run: Run, at: Sequence[float] | None, count: int) -> list[int]:
    """Indices of the recorded positions nearest to `at` (um); `count` evenly spread ones when None."""
    if at is None:
        spread = np.linspace(0.0, len(run.position) - 1, min(count, len(run.position)) + 1)
        middles = (spread[1:] + spread[:-1]) / 2
        return sorted({int(round(i)) for i in middles})
    for x in at:
        if not 0 <= x <= way_length(run):
            raise ValueError(f"at must lie on the axon, 0 to {way_length(run):g} um, got {x:g}")
    return list(dict.fromkeys(int(np.argmin(np.abs(run.position - x))) for x in at))


def nearest_times(run: Run, at: Sequence[float] | None, count: int) -> list[int]:
    """Indices of the recorded times nearest to `at` (ms); `count` over the spikes' journey when None."""
    if at is None:
        first, last = float(run.time[0]), float(run.time[-1])
        if len(run.spike_time):
            first, last = float(np.min(run.spike_time)), min(last, float(np.max(run.spike_time)))
        at = [first + (last - first) * (k + 1) / (count + 0.5) for k in range(count)]
    for t in at:
        if not run.time[0] <= t <= run.time[-1]:
            raise ValueError(
                f"at must lie in the recorded time, {run.time[0]:g} to {run.time[-1]:g} ms, got {t:g}"
            )
    return list(dict.fromkeys(int(np.argmin(np.abs(run.time - t))) for t in at))


def number(value: float) -> str:
    """`value` with 3 digits and no exponent, as axes and legends show it."""
    return f"{float(f'{value:.3g}'):.0f}" if abs(value) >= 100 else f"{value:.3g}"


def sparse_marker(run: Run) -> str:
    """Marker for lines along the axon: a dot per recorded position where these are few, or nodes."""
    return "o" if len(run.position) < (MOST_DOTS if run.axon.nodes else SPARSE) else ""


def velocity_in_words(run: Run) -> tuple[str, str]:
    """``("18.73 m/s", "")``, or ``("no propagation", reason)``; on a ring the last whole lap counts."""
    laps = np.bincount(run.spike_compartment, minlength=len(run.compartments)).min() if run.axon.ring else 1
    try:
        return f"{float(run.velocity(spike=max(int(laps) - 1, 0))):.4g} m/s", ""
    except NoPropagation as failure:
        return "no propagation", failure.reason

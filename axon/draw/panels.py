"""Panels of a moving picture: drawn once, told the instant, moved. Each has position as its x axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from axon.draw.kymograph import plot_kymograph
from axon.draw.phases import channel_colours
from axon.draw.scene import length_scale, mark_joins, sparse_marker, stimulated, voltage_of, way_length
from axon.draw.snapshots import WakeShading, draw_gates
from axon.draw.style import COLOURS
from axon.draw.traces import key_beside, set_voltage_axis
from axon.draw.wake import Wake

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from axon.run import Run

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

ROOM = 0.05  # above and below the largest currents, of their range
CLEAR = 0.1  # of the axon's length, on either side of an electrode: there its current drives the channels


@dataclass(frozen=True, eq=False)
class Instant:
    """A run at one time, linear between the recorded times around it; the last one recorded after its end.

    Attributes
    ----------
    time, half : float
        ms: the instant, and half the time until the next frame.
    voltage : (n_x,) mV
    gates, currents : mapping of name to (n_x,)
    """

    time: float
    half: float
    voltage: Array
    gates: dict[str, Array]
    currents: dict[str, Array]

    @classmethod
    def of(cls, run: Run, t: float, half: float = 0.0) -> Instant:
        """`run` at `t` (ms), with frames `half` ms away on either side."""
        time = run.time
        t = float(np.clip(t, time[0], time[-1]))
        after = int(np.clip(np.searchsorted(time, t), 1, len(time) - 1))
        share = (t - time[after - 1]) / (time[after] - time[after - 1])

        def between(recorded: Array) -> Array:
            return (1.0 - share) * recorded[after - 1] + share * recorded[after]

        return cls(
            t,
            half,
            between(voltage_of(run, "a panel")),
            {name: between(gate) for name, gate in run.gates.items()},
            {name: between(current) for name, current in run.currents.items()},
        )


class Panel(Protocol):
    """What a stage asks of its panels."""

    moving: list[Artist]

    def __init__(self, run: Run, ax: Axes) -> None: ...

    def show(self, now: Instant) -> None:
        """Move to an instant."""


class VoltagePanel:
    """Voltage along the axon, the wake shaded behind it, a triangle where a stimulus is on."""

    def __init__(self, run: Run, ax: Axes) -> None:
        self.run, (self.factor, _) = run, length_scale(run)
        wake = Wake.of(run)
        self.shading = WakeShading(run, wake, ax) if wake else None
        x = run.position * self.factor
        (self.line,) = ax.plot(x, np.full_like(x, np.nan), color=COLOURS["black"], linewidth=1.8)
        self.line.set(marker=sparse_marker(run), markersize=4.0)
        (self.electrode,) = ax.plot([], [], "v", color=COLOURS["vermillion"], markersize=8.0, clip_on=False)
        self.electrode.set_transform(ax.get_xaxis_transform())
        set_voltage_axis(run, ax)
        mark_joins(run, ax)
        self.moving: list[Artist] = [self.line, self.electrode]
        if self.shading:
            self.moving.insert(0, self.shading.image)
            key_beside(ax)

    def show(self, now: Instant) -> None:
        """Move to an instant; even the shortest stimulus is seen on one frame."""
        self.line.set_ydata(now.voltage)
        if self.shading:
            self.shading.show(now.gates, now.voltage)
        spans = stimulated(self.run)
        on = [x * self.factor for x, start, stop in spans if start - now.half <= now.time <= stop + now.half]
        self.electrode.set_data(on, [0.96] * len(on))


class GatesPanel:
    """Every recorded gate along the axon."""

    def __init__(self, run: Run, ax: Axes) -> None:
        self.lines = draw_gates(run, 0, ax, "gate")
        self.moving: list[Artist] = [*self.lines.values()]
        mark_joins(run, ax)

    def show(self, now: Instant) -> None:
        """Move to an instant."""
        for name, line in self.lines.items():
            line.set_ydata(now.gates[name])


class CurrentsPanel:
    """Every recorded current along the axon, outward upwards."""

    def __init__(self, run: Run, ax: Axes) -> None:
        factor, _ = length_scale(run)
        self.lines = {}
        colours = colours_of_channels(run)
        for name, current in run.currents.items():
            (self.lines[name],) = ax.plot(run.position * factor, current[0], color=colours[name], label=name)
            self.lines[name].set(marker=sparse_marker(run), markersize=3.0)
        self.moving: list[Artist] = [*self.lines.values()]
        ax.plot([0.0, way_length(run) * factor], [0.0, 0.0], color=COLOURS["grey"], linewidth=0.6)
        ax.set_ylim(*current_limits(run))
        ax.set_ylabel("current\n(mA/cm²)")
        key_beside(ax, "outward")
        mark_joins(run, ax)

    def show(self, now: Instant) -> None:
        """Move to an instant."""
        for name, line in self.lines.items():
            line.set_ydata(now.currents[name])


class KymographPanel:
    """The whole run as an image over position and time, and a line that says how far the film has come."""

    def __init__(self, run: Run, ax: Axes) -> None:
        plot_kymograph(run, ax, key=False)
        self.cursor = ax.axhline(run.time[0], color=COLOURS["blue"], linewidth=1.6)
        self.moving: list[Artist] = [self.cursor]

    def show(self, now: Instant) -> None:
        """Move to an instant."""
        self.cursor.set_ydata([now.time, now.time])


PANELS: dict[str, type[Panel]] = {
    "voltage": VoltagePanel,
    "gates": GatesPanel,
    "currents": CurrentsPanel,
    "kymograph": KymographPanel,
}
HEIGHTS = {"voltage": 1.9, "gates": 1.0, "currents": 1.0, "kymograph": 1.9}  # inches, about


def colours_of_channels(run: Run) -> dict[str, str]:
    """The colour of every channel along the axon."""
    return {
        name: colour
        for section in run.axon.sections
        for name, colour in channel_colours(section.membrane).items()
    }


def current_limits(run: Run) -> tuple[float, float]:
    """Lowest and highest current to draw, mA/cm2: those clear of electrodes, which would hide the spike's."""
    away = np.ones(len(run.position), bool)
    for stimulus in run.stimuli:
        away &= np.abs(run.position - run.axon.distance("at", stimulus.at)) > CLEAR * way_length(run)
    columns = away if away.any() else ~away
    found = [np.asarray(current)[:, columns] for current in run.currents.values()]
    least, most = (float(edge([edge(values) for values in found])) for edge in (np.nanmin, np.nanmax))
    room = ROOM * (most - least) or 1.0
    return least - room, most + room

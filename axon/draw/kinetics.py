"""How a membrane's gates depend on the voltage: steady states, time constants, window currents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from axon.draw.phases import channel_colours, gate_colours
from axon.draw.scene import number
from axon.draw.style import COLOURS, figure, in_style
from axon.membranes.kinetics import gate_kinetics, inactivating, voltages, windows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from axon.membranes import Membrane


SHORT = 10  # characters of a label of which four stand in a row


@in_style
def plot_kinetics(
    membrane: Membrane, celsius: float = 6.3, axes: Sequence[Axes] | None = None
) -> tuple[Axes, ...]:
    """Draw the steady state and the time constant of every gate against voltage, and the window currents.

    Parameters
    ----------
    membrane : Membrane
        With gates, and a resting potential, which is marked.
    celsius : float
        degC, of the time constants.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw: one for the steady states, one for the time constants, and a third for the window
        currents where the membrane has a channel that both activates and inactivates. A figure of its own by
        default.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        Two or three.

    Raises
    ------
    ValueError
        For a membrane without gates, or too few axes.
    NoRest
        For a membrane without a resting potential.
    """
    if not membrane.gates:
        raise ValueError(f"kinetics need gates, and membrane {membrane.name!r} has none")
    rest = membrane.resting_potential(celsius)
    needed = 3 if inactivating(membrane) else 2
    if axes is None:
        axes = figure(60 * needed, 58).subplots(1, needed)
    if len(axes) < needed:
        raise ValueError(f"the kinetics of {membrane.name!r} need {needed} axes, got {len(axes)}")
    shown = tuple(axes[:needed])
    _steady_states(membrane, shown[0])
    _time_constants(membrane, celsius, shown[1])
    if needed == 3:
        _windows(membrane, celsius, shown[2])
    v = voltages(membrane)
    for ax in shown:
        ax.axvline(rest, color=COLOURS["grey"], linewidth=0.6, linestyle=(0, (4, 2)), zorder=1)
        ax.set_xlim(v[0], v[-1])
        ax.set_xlabel("voltage (mV)")
    words: dict[str, Any] = {"fontsize": 7, "color": COLOURS["grey"], "ha": "right", "va": "center"}
    shown[0].text(rest, 0.5, "rest ", transform=shown[0].get_xaxis_transform(), **words)
    return shown


def _steady_states(membrane: Membrane, ax: Axes) -> None:
    v, colours = voltages(membrane), gate_colours(membrane)
    for name, gate in membrane.gates.items():
        ax.plot(v, gate.steady_state(v), color=colours[name], label=f"${name}_∞$")
    ax.set_ylim(-0.03, 1.03)
    ax.set_ylabel("steady state")
    key_above(ax)


def _time_constants(membrane: Membrane, celsius: float, ax: Axes) -> None:
    v, colours, kinetics = voltages(membrane), gate_colours(membrane), gate_kinetics(membrane, celsius)
    for name, gate in membrane.lasting_gates.items():
        speed = kinetics[name].speed
        words = f"$τ_{name}$, {speed}" if speed else f"$τ_{name}$"
        ax.semilogy(v, gate.time_constant(v, celsius), color=colours[name], label=words)
    ax.yaxis.set_major_formatter(lambda x, _: number(x))
    ax.set_ylabel(f"time constant at {celsius:g} °C (ms)")
    key_above(ax)


def _windows(membrane: Membrane, celsius: float, ax: Axes) -> None:
    v, colours = voltages(membrane), channel_colours(membrane)
    for channel in inactivating(membrane):
        steady = {gate.name: gate.steady_state(v, celsius) for gate in channel.gates}
        current = 1e3 * channel.current(v, steady, celsius)
        window = windows(membrane, celsius)[channel.name]
        ax.fill_between(v, 0.0, current, color=colours[channel.name], alpha=0.25, linewidth=0)
        words = f"{channel.name}, at most {number(100 * window.open_fraction)} % open"
        ax.plot(v, current, color=colours[channel.name], label=words)
    ax.set_ylabel("steady current (µA/cm²)")
    key_above(ax)


def key_above(ax: Axes) -> None:
    """A legend above the axes, three entries to a row, clear of every curve."""
    handles, labels = ax.get_legend_handles_labels()
    columns = 4 if len(labels) == 4 and max(map(len, labels)) < SHORT else 3
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "borderaxespad": 0.1}
    key = ax.legend(handles, labels, ncols=columns, columnspacing=0.8, handlelength=0.9, **place)
    key.set_in_layout(False)  # or it would narrow the axes below
    ax.set_title("room for it" + "\n" * ((len(labels) - 1) // columns), color="none")

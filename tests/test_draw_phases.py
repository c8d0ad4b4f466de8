"""Pictures of phases, kinetics and clamp families show the arrays, with the phases in place."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import axon
from axon import Axon, Record, Run
from axon.action_potential import phases
from axon.draw import figure
from axon.draw.clamp import plot_clamp
from axon.draw.kinetics import plot_kinetics
from axon.draw.phases import TINTS, plot_phases
from axon.measure.landmarks import NoSpike
from axon.measure.phases import PHASES
from axon.membranes import frankenhaeuser_huxley
from axon.protocols.clamp import voltage_clamp

HH = axon.hodgkin_huxley()


@cache
def passing(duration: float = 12.0) -> Run:
    cable = Axon(length=30_000, diameter=476, membrane=HH, celsius=18.5)
    record = Record(every=0.01, where=[0.0, 15_000.0], gates=True)
    pulse = axon.suprathreshold_pulse(cable)
    return axon.simulate(cable, pulse, duration=duration, record=record, progress=False)


def lines(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.get_lines() if not str(line.get_label()).startswith("_")}


def shaded(ax: Any) -> Any:
    """Start and end of every shaded span."""
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]


def test_every_phase_is_shaded_in_its_place() -> None:
    page: Any = plot_phases(passing(), 15_000)
    left, right = page.axes[0], page.axes[1]
    found: Any = phases(passing(), 15_000)
    expected: Any = [(row.start, row.end) for row in found]
    assert_allclose(shaded(left), expected[:6], rtol=0, atol=1e-12)  # the recovery comes later
    assert_allclose(shaded(right), expected[5:], rtol=0, atol=1e-12)
    assert set(TINTS) == set(PHASES)
    words = [text.get_text() for text in right.get_legend().get_texts()]
    assert [text.split(",")[0] for text in words] == list(PHASES)
    assert words[3] == f"overshoot, {found['overshoot'].duration:.3g} ms"


def test_left_is_the_spike_and_right_goes_on_with_its_wake() -> None:
    page: Any = plot_phases(passing(), 15_000)
    found: Any = phases(passing(), 15_000)
    (a, b), (c, d) = page.axes[0].get_xlim(), page.axes[1].get_xlim()
    assert a < found["stimulation"].start and found["falling"].end < b == c
    assert d > found["recovery"].end
    assert page.axes[0].get_title(loc="left") == "the spike"


def test_panels_show_voltage_gates_conductances_and_currents() -> None:
    run = passing()
    page: Any = plot_phases(run, 15_000)
    assert len(page.axes) == 8
    voltage, gates, conductances, currents = page.axes[::2]
    assert run.voltage is not None
    drawn = next(line for line in voltage.get_lines() if len(line.get_xdata()) > 50)
    inside = np.isin(run.time, drawn.get_xdata())
    assert_array_equal(drawn.get_ydata(), run.voltage[inside, 1])
    assert list(lines(gates)) == ["m, Na activation", "h, Na inactivation", "n, K activation"]
    assert_array_equal(lines(gates)["h, Na inactivation"].get_ydata(), run.gates["h"][inside, 1])
    assert list(lines(conductances)) == ["Na", "K", "leak"]
    assert_allclose(
        lines(conductances)["K"].get_ydata(), 36.0 * run.gates["n"][inside, 1] ** 4, rtol=1e-12, atol=0
    )
    assert list(lines(currents)) == ["Na", "K", "leak", "from outside"]
    leak = 0.0003 * (run.voltage[inside, 1] + 54.387)
    assert_allclose(lines(currents)["leak"].get_ydata(), leak, rtol=0, atol=1e-12)
    labels = [ax.get_ylabel() for ax in page.axes[::2]]
    assert labels == ["voltage (mV)", "gates open", "conductance\n(mS/cm²)", "outward current\n(mA/cm²)"]


def test_current_from_outside_is_what_the_channels_do_not_carry() -> None:
    page: Any = plot_phases(passing(), 15_000)
    drawn = {name: line.get_ydata() for name, line in lines(page.axes[6]).items()}
    time = lines(page.axes[6])["Na"].get_xdata()
    ionic = drawn["Na"] + drawn["K"] + drawn["leak"]
    voltage = next(line for line in page.axes[0].get_lines() if len(line.get_xdata()) > 50).get_ydata()
    slope = np.gradient(voltage, time)
    assert_allclose(drawn["from outside"][5:-5], (1e-3 * slope + ionic)[5:-5], rtol=0, atol=4e-3)


def test_marks_stand_where_the_shape_says() -> None:
    shape: Any = phases(passing(), 15_000, method="inward_current").shape
    page: Any = plot_phases(passing(), 15_000, method="inward_current")
    dots = [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for ax in page.axes[:2]
        for line in ax.get_lines()
        if line.get_marker() == "o"
    ]
    assert_allclose(
        sorted(dots),
        [
            (shape.threshold_time, shape.threshold),
            (shape.peak_time, shape.peak),
            (shape.trough_time, shape.rest - shape.undershoot),
        ],
        rtol=0,
        atol=1e-9,
    )
    texts = [text.get_text() for ax in page.axes[:2] for text in ax.texts]
    assert f"threshold −{-shape.threshold:.1f}" in texts
    assert f"{shape.half_width:.3g} ms" in texts
    assert "Action potential at 15" in page.get_suptitle()
    assert "half-width 0.49" in page.texts[1].get_text()


def test_without_gates_the_voltage_stands_alone_and_without_all_there_are_no_currents() -> None:
    run = passing()
    assert len(plot_phases(replace(run, gates={}), 15_000).axes) == 2
    assert len(plot_phases(replace(run, gates={"h": run.gates["h"]}), 15_000).axes) == 4


def test_permeable_channels_have_currents_and_no_conductances() -> None:
    node = Axon(length=3_000, diameter=10, membrane=frankenhaeuser_huxley(), celsius=20)
    record = Record(every=0.005, gates=True, where=[1_500.0])
    run = axon.simulate(node, axon.suprathreshold_pulse(node), duration=4, record=record, progress=False)
    page: Any = plot_phases(run)
    assert len(page.axes) == 6
    assert list(lines(page.axes[4])) == ["Na", "K", "p", "leak", "from outside"]


@pytest.mark.parametrize("duration", [1.6, 2.0, 4.0])
def test_cut_run_is_drawn_as_far_as_it_goes(duration: float) -> None:
    page: Any = plot_phases(passing(duration), 15_000)
    words = [text.get_text() for text in page.axes[1].get_legend().get_texts()]
    assert words[-1] == "recovery, not reached"
    assert page.axes[0].get_xlim()[1] <= duration + 1e-9


def test_page_is_saved_whole_and_errors_come_before(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    plot_phases(passing(), 15_000, tmp_path / "phases.png")
    assert (tmp_path / "phases.png").read_bytes().startswith(b"\x89PNG")
    assert dict(matplotlib.rcParams) == before
    with pytest.raises(ValueError, match="choose one of .png"):
        plot_phases(passing(), 15_000, tmp_path / "phases.avi")
    with pytest.raises(NoSpike):
        plot_phases(passing(), 0.0, tmp_path / "none.png")
    assert [file.name for file in tmp_path.iterdir()] == ["phases.png"]


# kinetics


def test_kinetics_are_the_gates_own_curves() -> None:
    panels: tuple[Any, ...] = plot_kinetics(HH, 16.3)
    steady, tau, window = panels
    assert list(lines(steady)) == ["$m_∞$", "$h_∞$", "$n_∞$"]
    assert list(lines(tau)) == ["$τ_m$, fast", "$τ_h$, slow", "$τ_n$, slow"]
    v = lines(steady)["$h_∞$"].get_xdata()
    assert_array_equal(lines(steady)["$h_∞$"].get_ydata(), HH.gates["h"].steady_state(v))
    assert_array_equal(lines(tau)["$τ_n$, slow"].get_ydata(), HH.gates["n"].time_constant(v, 16.3))
    assert tau.get_yscale() == "log" and tau.get_ylabel() == "time constant at 16.3 °C (ms)"
    (current,) = (line for line in window.get_lines() if "open" in str(line.get_label()))
    assert_allclose(
        current.get_ydata(), 1e3 * HH.currents(v, HH.steady_gates(v))["Na"], rtol=1e-12, atol=1e-12
    )
    assert current.get_label() == "Na, at most 0.766 % open"
    assert all(ax.get_xlim() == (v[0], v[-1]) for ax in (steady, tau, window))


def test_kinetics_without_inactivation_need_two_panels() -> None:
    potassium = axon.Membrane("potassium", HH.channels[1:])
    assert len(plot_kinetics(potassium)) == 2
    page = figure(170, 60)
    own = page.subplots(1, 3)
    assert plot_kinetics(HH, 6.3, own) == tuple(own)
    with pytest.raises(ValueError, match="need 3 axes, got 2"):
        plot_kinetics(HH, axes=own[:2])
    with pytest.raises(ValueError, match="kinetics need gates, and membrane 'passive' has none"):
        plot_kinetics(axon.passive())


def test_many_gates_keep_their_key_above_the_panel() -> None:
    tau: Any = plot_kinetics(frankenhaeuser_huxley(), 20.0)[1]
    tau.figure.draw_without_rendering()
    key, panel = tau.get_legend().get_window_extent(), tau.get_window_extent()
    assert key.y0 >= panel.y1 - 1 and key.y1 <= tau.figure.bbox.y1


# clamp


def test_clamp_family_is_drawn_level_by_level() -> None:
    family = voltage_clamp(HH, [40.0, -40.0, 0.0], duration=6, progress=False)
    sodium, potassium, both = plot_clamp(family, until=4.0)
    assert len(sodium.get_lines()) == len(potassium.get_lines()) == 3
    assert_array_equal(
        sodium.get_lines()[0].get_ydata(), family.currents["Na"][:, 1]
    )  # from the lowest level
    assert sodium.get_xlim() == (0.0, 4.0) and plot_clamp(family)[0].get_xlim()[1] == family.time[-1]
    assert sodium.get_ylabel() == "outward Na current (mA/cm²)"
    assert list(lines(both)) == ["Na, peak", "Na, steady", "K, steady"]  # the peak of K is its steady current
    assert_array_equal(lines(both)["Na, peak"].get_xdata(), [-40.0, 0.0, 40.0])
    assert_array_equal(lines(both)["Na, peak"].get_ydata(), family.peak("Na").current[[1, 2, 0]])


def test_channels_and_axes_of_a_clamp_can_be_chosen() -> None:
    family = voltage_clamp(HH, [-40.0, 0.0], duration=3, progress=False)
    axes = figure(100, 50).subplots(1, 2)
    assert plot_clamp(family, ["K"], axes) == tuple(axes)
    with pytest.raises(ValueError, match="unknown channel 'k'"):
        plot_clamp(family, ["k"])
    with pytest.raises(ValueError, match="this family needs 3 axes, got 2"):
        plot_clamp(family, axes=axes)

"""Phases of an action potential: invented waves with known times, and the squid axon refined in dt."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

import axon
from axon import Axon, Pulse, Record, Run, Train
from axon.action_potential import phases, recording
from axon.measure.landmarks import NoSpike
from axon.measure.phases import PHASES, divide
from axon.measure.spike import SpikeShape, spike_shape
from axon.membranes import model
from axon.membranes.shift import shifted
from axon.protocols.space_clamp import nanoamperes, space_clamp

Array = NDArray[np.float64]

HH = axon.hodgkin_huxley()
REST = -65.0

# an invented spike: a Gaussian, then an undershoot far behind it
T = np.arange(0.0, 20.001, 0.01)
HEIGHT, WIDTH, PEAK = 100.0, 0.3, 4.0  # mV, ms, ms
DEPTH, SPREAD, TROUGH = 12.0, 0.8, 9.0
V = (
    REST
    + HEIGHT * np.exp(-(((T - PEAK) / WIDTH) ** 2) / 2)
    - DEPTH * np.exp(-(((T - TROUGH) / SPREAD) ** 2) / 2)
)


def invented(**changes: Any) -> Any:
    """The Phases of the invented spike, any time of which may be None."""
    known: dict[str, Any] = {"rest": REST}
    return divide(T, V, **(known | changes))


def on_gaussian(level: float) -> float:
    """How far from its centre the Gaussian stands at `level` (mV above rest)."""
    return float(WIDTH * np.sqrt(2 * np.log(HEIGHT / level)))


def test_phases_follow_one_another_from_rest_to_rest() -> None:
    rows = invented().rows
    assert tuple(row.name for row in rows) == PHASES
    for before, after in zip(rows[:-1], rows[1:], strict=True):
        assert before.end == after.start
    assert rows[0].start == 0.0
    assert all(row.duration is not None and row.duration > 0 for row in rows[:-1])


def test_phases_begin_and_end_where_the_wave_says() -> None:
    found = invented()
    amplitude = found.shape.amplitude
    near = 0.01 * amplitude
    assert_allclose(found["stimulation"].start, PEAK - on_gaussian(near), rtol=0, atol=1e-4)
    assert_allclose(found["rising"].start, PEAK - np.sqrt(3) * WIDTH, rtol=0, atol=1e-4)
    assert_allclose(found["overshoot"].start, PEAK - on_gaussian(65.0), rtol=0, atol=1e-4)
    assert_allclose(found["overshoot"].end, PEAK + on_gaussian(65.0), rtol=0, atol=1e-4)
    assert_allclose(
        found["undershoot"].end, TROUGH + SPREAD * np.sqrt(2 * np.log(DEPTH / near)), rtol=0, atol=1e-4
    )
    assert_allclose(found["recovery"].duration, 0.0, rtol=0, atol=1e-9)  # there are no gates to wait for
    voltage = found["overshoot"].voltage
    assert voltage is not None
    assert_allclose([voltage.start, voltage.end], 0.0, rtol=0, atol=1e-9)
    assert_allclose(voltage.highest, found.shape.peak, rtol=0, atol=1e-12)
    trough = found["undershoot"].voltage
    assert trough is not None
    assert_allclose(trough.lowest, REST - DEPTH, rtol=0, atol=1e-6)


def test_recovery_waits_for_the_gates() -> None:
    gate = 0.6 - 0.5 * np.where(T > PEAK, np.exp(-np.maximum(T - PEAK, 0) / 3.0), 0.0)
    found = invented(gates={"h": gate}, resting_gates={"h": 0.6})
    assert_allclose(found["recovery"].end, PEAK + 3.0 * np.log(50.0), rtol=0, atol=1e-3)
    assert_allclose(
        invented(gates={"h": gate}, resting_gates={"h": 0.6}, margin=0.02)["recovery"].end,
        PEAK + 3.0 * np.log(25.0),
        rtol=0,
        atol=1e-3,
    )
    above = invented(gates={"n": 0.9 - gate}, resting_gates={"n": 0.3})["recovery"]
    assert_allclose(above.end, PEAK + 3.0 * np.log(50.0), rtol=0, atol=1e-3)
    away = invented(gates={"h": gate}, resting_gates={"h": 0.4})["recovery"]
    assert away.start is not None and away.end is None and away.duration is None
    assert away.missing == "not yet as at rest when the record ended at 20 ms"
    assert invented(gates={"h": gate})["recovery"].end == invented()["recovery"].end


def test_gates_conductances_and_charges_are_those_of_the_phase() -> None:
    found = invented(
        gates={"x": T / 20},
        conductances={"A": 1e-3 * T, "B": 2e-3 + 0 * T},
        currents={"A": -0.5 + 0 * T, "B": 0.2 + 0 * T},
        capacitance=2.0,
    )
    for row in found.rows[:-1]:
        assert row.start is not None and row.end is not None and row.duration is not None
        assert_allclose(row.gates["x"].start, row.start / 20, rtol=1e-9, atol=1e-12)
        assert_allclose(row.gates["x"].end, row.end / 20, rtol=1e-9, atol=1e-12)
        assert_allclose(row.conductances["A"].mean, 1e-3 * (row.start + row.end) / 2, rtol=1e-9, atol=0)
        assert_allclose(row.charge["A"], -500 * row.duration, rtol=1e-9, atol=0)  # mA/cm2 ms = 1000 nC/cm2
        assert row.dominant == "A"
        assert row.voltage is not None and row.outside_charge is not None
        swing = 2.0 * (row.voltage.end - row.voltage.start)
        assert_allclose(row.outside_charge, swing - 300 * row.duration, rtol=1e-9, atol=1e-6)


def test_channels_that_carry_nothing_dominate_nothing() -> None:
    assert invented(currents={"A": 0 * T})["falling"].dominant is None
    assert invented()["falling"].dominant is None and invented()["falling"].outside_charge is None


def test_spike_below_zero_has_no_overshoot() -> None:
    low = divide(T, V - 40.0, rest=REST - 40.0, level=-40.0)
    assert low["overshoot"].start is None
    assert low["overshoot"].missing == "the peak, -5 mV, lies below 0 mV"
    assert low["rising"].end == low["falling"].start == low.shape.peak_time


def test_spike_without_undershoot_falls_to_rest_and_recovers() -> None:
    bell = REST + HEIGHT * np.exp(-(((T - PEAK) / WIDTH) ** 2) / 2)
    found: Any = divide(T, bell, rest=REST)
    assert_allclose(found["falling"].end, PEAK + on_gaussian(1.0), rtol=0, atol=1e-4)
    assert found["undershoot"].missing == "the voltage fell no lower than 1 mV below rest"
    assert found["recovery"].start == found["falling"].end


@pytest.mark.parametrize(
    ("stop", "cut", "reason"),
    [
        (4.1, "overshoot", "still falling when the record ended at 4.1 ms"),
        (4.5, "falling", "still falling when the record ended at 4.5 ms"),
        (9.5, "undershoot", "mV below rest when the record ended at 9.5 ms"),
    ],
)
def test_cut_run_says_what_it_does_not_reach(stop: float, cut: str, reason: str) -> None:
    inside = stop + 0.001 > T
    found = divide(T[inside], V[inside], rest=REST)
    reached = PHASES.index(cut)
    for number, row in enumerate(found.rows):
        if number < reached:
            assert row.duration is not None and not row.missing
        else:
            assert row.duration is None and row.voltage is None and reason in row.missing
    assert f"not reached: {found[cut].missing}" in str(found)


def test_start_away_from_rest_is_said() -> None:
    late = PEAK - 0.5 < T
    found = divide(T[late], V[late], rest=REST)
    assert found["resting"].start is None and found["stimulation"].start is None
    assert "not at rest before the spike" in found["resting"].missing
    assert found["rising"].start is not None or found["rising"].missing


def test_phases_are_found_by_name_and_counted() -> None:
    found = invented()
    assert len(found) == 7 and [row.name for row in found] == list(PHASES)
    with pytest.raises(KeyError, match="unknown phase 'fall'; did you mean 'falling'"):
        found["fall"]


def test_table_has_a_line_for_each_phase_and_stars_the_dominant_channel() -> None:
    found = invented(
        gates={"m": T / 20},
        roles={"m": "Na activation"},
        currents={"Na": -1 + 0 * T, "K": 0.1 + 0 * T},
        position=50.0,
    )
    lines = str(found).splitlines()
    assert lines[0] == "action potential at x = 50 um"
    assert "Na activation" in lines[3]
    falling = next(line for line in lines if line.startswith("falling"))
    assert "*-" in falling and "→" in falling
    overshoot = next(line for line in lines if line.startswith("overshoot"))
    assert "0.0 → 35.0 → 0.0" in overshoot


# the squid axon


def truth(celsius: float, stop: float) -> SpikeShape:
    """A space-clamped HH membrane after 0.2 ms of 80 uA/cm2, by an explicit method of order 8."""
    gates = HH.gates

    def slope(driven: float) -> Any:
        def f(_: float, y: Array) -> Array:
            opened = dict(zip(gates, y[1:], strict=True))
            kinetics = [gate.kinetics(y[0], celsius) for gate in gates.values()]
            dv = driven - 1e3 * float(HH.current(y[0], opened))
            return np.array([dv, *((inf - x) * rate for (inf, rate), x in zip(kinetics, y[1:], strict=True))])

        return f

    rest = HH.resting_potential()
    start = np.array([rest, *(float(x) for x in HH.steady_gates(rest).values())])
    tight: dict[str, Any] = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-12, "dense_output": True}
    first: Any = solve_ivp(slope(80.0), (0.0, 0.2), start, **tight)
    then: Any = solve_ivp(slope(0.0), (0.2, stop), first.y[:, -1], **tight)
    t = np.arange(0.0, stop, 0.004)
    v = np.where(t < 0.2, first.sol(np.minimum(t, 0.2))[0], then.sol(np.maximum(t, 0.2))[0])
    return spike_shape(t, v, rest=rest, kinks=[0.2])


def test_shape_of_the_squid_spike_converges_in_dt_to_an_independent_solution() -> None:
    exact = truth(6.3, 25.0)
    patch = space_clamp(HH, celsius=6.3)
    pulse = Pulse(amplitude=float(nanoamperes(patch, 80.0)), start=0.0, duration=0.2)
    steps = 0.04 / 2.0 ** np.arange(5)
    errors = []
    for dt in steps:
        record = Record(every=0.04, gates=True)
        run = axon.simulate(patch, pulse, duration=25.0, dt=float(dt), record=record, progress=False)
        found = phases(run, 0.0).shape
        names = ("peak", "half_width", "undershoot")
        errors.append([abs(getattr(found, name) - getattr(exact, name)) for name in names])
    size = np.array([exact.amplitude, exact.half_width, exact.undershoot], float)
    relative = np.array(errors) / size
    orders = [np.polyfit(np.log(steps), np.log(column), 1)[0] for column in relative.T]
    assert_allclose(orders, 2.0, rtol=0, atol=0.1)
    assert (relative[-1] < 1e-5).all()


def squid(rest: float = REST, celsius: float = 18.5, length: float = 30_000) -> Axon:
    membrane = HH if rest == REST else shifted(HH, rest - REST)
    return Axon(length=length, diameter=476, membrane=membrane, celsius=celsius)


@cache
def passing(rest: float = REST, every: float = 0.01, duration: float = 12.0) -> Run:
    """A spike that passes the middle of a short squid axon."""
    cable = squid(rest)
    record = Record(every=every, where=[0.0, 15_000.0], gates=True, threshold=-20.0 + rest - REST)
    pulse = axon.suprathreshold_pulse(cable)
    return axon.simulate(cable, pulse, duration=duration, record=record, progress=False)


def shape_there(run: Run, **arguments: Any) -> Any:
    """The SpikeShape in the middle, any number of which may be None."""
    return phases(run, 15_000, **arguments).shape


def test_sodium_makes_the_spike_rise_and_potassium_ends_it() -> None:
    found = phases(passing(), 15_000)
    assert [found[name].dominant for name in PHASES[2:]] == ["Na", "Na", "K", "K", "K"]
    assert found.roles == {"m": "Na activation", "h": "Na inactivation", "n": "K activation"}
    rising, falling = found["rising"], found["falling"]
    assert rising.gates["m"].end > 5 * found["stimulation"].gates["m"].start
    assert falling.gates["h"].end < 0.1 and falling.gates["n"].highest > 0.7
    assert found["overshoot"].conductances["Na"].highest > 0.028
    assert rising.charge["Na"] < 0 < falling.charge["K"]
    stimulation = found["stimulation"]
    assert (
        stimulation.outside_charge is not None and stimulation.outside_charge > 20
    )  # brought along the axon
    assert found["undershoot"].gates["h"].end > 0.6  # the inactivation is gone before the voltage is back


def test_charges_add_up_to_what_the_capacitance_took() -> None:
    for row in phases(passing(), 15_000):
        assert row.voltage is not None and row.outside_charge is not None
        taken = row.outside_charge - sum(row.charge.values())
        assert_allclose(taken, HH.capacitance * (row.voltage.end - row.voltage.start), rtol=0, atol=1e-9)


@pytest.mark.parametrize("rest", [-64.0, -70.0, -80.0])
def test_same_spike_about_another_rest(rest: float) -> None:
    here, there = shape_there(passing()), shape_there(passing(rest))
    assert_allclose(there.rest, here.rest + rest - REST, rtol=0, atol=1e-9)
    same = ("amplitude", "half_width", "maximal_rise", "maximal_fall", "undershoot", "undershoot_duration")
    for name in same:
        assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-7, atol=0)
    assert_allclose(there.threshold - rest, here.threshold - REST, rtol=0, atol=1e-6)
    before: Any = phases(passing(), 15_000)
    after: Any = phases(passing(rest), 15_000)
    assert_allclose(after["recovery"].end, before["recovery"].end, rtol=1e-6, atol=0)
    longer = after["overshoot"].duration > before["overshoot"].duration
    assert longer == (rest > REST)  # 0 mV stays where it was


def test_recording_density_hardly_matters() -> None:
    coarse, fine = (shape_there(passing(every=every)) for every in (0.05, 0.0025))
    assert_allclose(coarse.peak, fine.peak, rtol=0, atol=0.02)
    assert_allclose(coarse.half_width, fine.half_width, rtol=1e-3, atol=0)
    assert_allclose(coarse.maximal_rise, fine.maximal_rise, rtol=0.01, atol=0)


def test_middle_of_the_axon_is_the_default_and_the_nearest_place_is_taken() -> None:
    run = passing()
    assert phases(run).position == phases(run, 14_000).position == run.position[1]
    assert recording(run, 0.0).position == run.position[0]


def test_threshold_where_the_membrane_takes_over_lies_below_that_of_greatest_curvature() -> None:
    bent, inward = (shape_there(passing(), method=method) for method in ("curvature", "inward_current"))
    assert_allclose(inward.threshold, -51.8, rtol=0, atol=0.5)  # -51.82 on the travelling wave
    assert_allclose(bent.threshold, -33.2, rtol=0, atol=0.5)  # -33.18
    assert "bends upwards nowhere" in shape_there(passing(), method="phase_plane").missing["threshold"]


def test_without_gates_there_are_times_and_shape_alone() -> None:
    run = passing()
    plain = phases(replace(run, gates={}))
    assert plain.shape == phases(run).shape
    assert all(not row.gates and not row.currents and row.dominant is None for row in plain)
    some = phases(replace(run, gates={"h": run.gates["h"]}))
    assert list(some["falling"].gates) == ["h"] and not some["falling"].currents
    with pytest.raises(ValueError, match="record the gates"):
        phases(replace(run, gates={}), method="inward_current")


def test_recorded_currents_serve_without_gates() -> None:
    run = passing()
    gated = phases(run)
    here = recording(run)
    currents = {name: np.stack([current, current], axis=1) for name, current in here.currents.items()}
    bare = phases(replace(run, gates={}, currents=currents), method="inward_current")
    assert bare.shape == phases(run, method="inward_current").shape
    assert bare["falling"].charge == gated["falling"].charge and not bare["falling"].conductances
    part = replace(run, gates={}, currents={"Na": currents["Na"]})
    assert phases(part)["falling"].dominant is None


@pytest.mark.parametrize(("name", "celsius"), [("frankenhaeuser_huxley", 30.0), ("schild_1994", 37.0)])
def test_currents_that_follow_from_gates_are_those_recorded(name: str, celsius: float) -> None:
    """Through permeabilities and reversals that move with temperature and concentrations."""
    patch = space_clamp(model(name), celsius=celsius)
    kept = Record(every=0.05, gates=True, currents=True, concentrations=True)
    pulse = Pulse(amplitude=float(nanoamperes(patch, 1000)), start=0.1, duration=0.05)
    run = axon.simulate(patch, pulse, duration=6, record=kept, progress=False)
    recorded, computed = recording(run).currents, recording(replace(run, currents={})).currents
    assert recorded.keys() == computed.keys()
    for channel, current in recorded.items():
        scale = np.abs(current).max()
        assert_allclose(computed[channel], current, rtol=0, atol=1e-6 * scale, err_msg=channel)


def test_gates_come_home_to_where_they_rest_at_their_temperature() -> None:
    """Opening and closing with a Q10 each, they rest elsewhere when warm."""
    apart = [
        replace(one, gates=tuple(replace(gate, q10=(3.0, 2.0)) for gate in one.gates)) for one in HH.channels
    ]
    patch = space_clamp(replace(HH, name="apart", channels=tuple(apart)), celsius=18.5)
    pulse = Pulse(amplitude=float(nanoamperes(patch, 500)), start=1, duration=0.05)
    run = axon.simulate(patch, pulse, duration=40, record=Record(every=0.02, gates=True), progress=False)
    recovery = phases(run)["recovery"]
    assert recovery.end is not None and recovery.end < 30
    for name, gate in recovery.gates.items():
        assert gate.end == pytest.approx(run.gates[name][0, 0], abs=0.0101)


def test_single_precision_voltage_will_do() -> None:
    run = passing()
    assert run.voltage is not None
    single, double = shape_there(replace(run, voltage=run.voltage.astype(np.float32))), shape_there(run)
    assert_allclose(single.peak, double.peak, rtol=0, atol=1e-4)
    assert_allclose(single.threshold, double.threshold, rtol=0, atol=0.05)


def test_stimulated_site_says_what_the_stimulus_hides() -> None:
    with pytest.raises(
        NoSpike, match=r"at x = .* the stimulus took it there; .*; the run has spikes from x = "
    ):
        phases(passing(), 0.0)
    weak = squid(length=15_000, celsius=6.3)
    pulse = Pulse(amplitude=6_000, start=0.5, duration=0.2)
    record = Record(every=0.01, where=[0.0], gates=True)
    found: Any = phases(axon.simulate(weak, pulse, duration=6, record=record, progress=False), 0.0)
    assert recording(axon.simulate(weak, pulse, duration=1, record=record, progress=False)).kinks == (
        0.5,
        0.7,
    )
    stimulation = found["stimulation"]
    assert_allclose(stimulation.start, 0.5, rtol=0, atol=0.02)  # the voltage leaves rest with the pulse
    assert stimulation.end is not None and stimulation.end > 0.7


def test_train_has_a_spike_for_each_pulse_and_one_cuts_the_other() -> None:
    cable = squid()
    one = axon.suprathreshold_pulse(cable)
    train = Train(amplitude=one.amplitude, start=0.5, duration=0.2, interval=5.0, count=2)
    record = Record(every=0.01, where=[15_000.0], gates=True)
    run = axon.simulate(cable, train, duration=16, record=record, progress=False)
    first, second = phases(run, spike=0), phases(run, spike=1)
    assert second.shape.peak_time > first.shape.peak_time + 4
    assert phases(run, spike=-1).shape == second.shape
    assert "when the next spike began at" in first["recovery"].missing
    assert second["recovery"].end is not None
    with pytest.raises(NoSpike, match="there is no spike 2: the trace has 2 spikes"):
        phases(run, spike=2)


def test_run_without_a_spike_there_is_an_error_that_says_where_there_was_one() -> None:
    silent = axon.simulate(squid(), Pulse(amplitude=100, duration=0.2), duration=3, progress=False)
    with pytest.raises(NoSpike, match=r"never rose above -20 mV .*; no compartment fired in this run"):
        phases(silent)
    early = passing(duration=1.2)
    with pytest.raises(NoSpike, match=r"at x = 15.* um: no spike: .*; the run has spikes from x = "):
        phases(early, 15_000)
    leaky = Axon(length=1000, diameter=10, membrane=axon.passive())
    with pytest.raises(NoSpike, match="membrane 'passive' at x = .* has no gates"):
        phases(axon.simulate(leaky, duration=1, progress=False))


def test_unusable_runs_and_places_are_refused() -> None:
    run = passing()
    with pytest.raises(ValueError, match=r"need the voltage .* Record\(voltage=True\)"):
        phases(replace(run, voltage=None))
    with pytest.raises(ValueError, match=r"at must lie on the axon \(0\.\.30000 um\), got 40000"):
        phases(run, 40_000)
    with pytest.raises(ValueError, match="too sparse for a half-width"):
        phases(passing(every=0.2))


def test_reloaded_run_has_the_same_phases(tmp_path: Any) -> None:
    passing().save(tmp_path / "run.h5")
    assert str(phases(axon.load(tmp_path / "run.h5"))) == str(phases(passing()))


def test_rest_is_that_of_the_whole_axon() -> None:
    leaky = axon.Section(3_000, 476, axon.hodgkin_huxley(e_leak=-40.0), celsius=18.5)
    joined = Axon(sections=(leaky, replace(leaky, membrane=HH)))
    run = axon.simulate(joined, duration=0.1, record=Record(gates=True), progress=False)
    assert run.voltage is not None
    for x in (100.0, 2_900.0, 3_100.0, 5_900.0):
        assert_allclose(recording(run, x).rest, run.voltage[0, run.at(x)], rtol=0, atol=1e-9)

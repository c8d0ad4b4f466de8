"""Nernst and Goldman potentials against closed forms; the pump, the rest it keeps, and what a spike costs."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from axon import (
    Axon,
    AxonError,
    Channel,
    Clamp,
    Membrane,
    NoRest,
    Pulse,
    Record,
    Section,
    Train,
    Unstable,
    hodgkin_huxley,
    passive,
    suprathreshold_pulse,
)
from axon.ions import (
    POTASSIUM_PER_TURN,
    SODIUM_PER_TURN,
    SQUID_INSIDE,
    SQUID_OUTSIDE,
    Ions,
    Pump,
    ghk_voltage,
    nernst,
    resting_fluxes,
    sodium_permeability,
    thermal_voltage,
)
from axon.membranes import PermeableChannel
from axon.membranes.ghk import FARADAY
from axon.protocols.ion_run import IonRun, spike_cost
from axon.protocols.ions import simulate_ions

HH = hodgkin_huxley()
THIN = Axon(length=5, diameter=1, membrane=HH)  # one compartment
AREA = float(THIN.compartments().area[0])
KICK = Pulse(amplitude=30e3 * AREA, start=1.0, duration=0.5)  # 30 uA/cm2


# Nernst and Goldman


def test_thermal_voltage_is_that_of_the_textbooks() -> None:
    assert thermal_voltage(20.0) == pytest.approx(25.26, abs=0.005)
    assert thermal_voltage(6.3) * math.log(10) == pytest.approx(55.45, abs=0.005)
    with pytest.raises(ValueError, match="absolute zero"):
        thermal_voltage(-300.0)


def test_nernst_potentials_of_the_squid() -> None:
    assert float(nernst(440, 50, 20)) == pytest.approx(54.94, abs=0.01)
    assert float(nernst(20, 400, 20)) == pytest.approx(-75.68, abs=0.01)
    assert float(nernst(560, 52, 20, valence=-1)) == pytest.approx(-60.04, abs=0.01)
    assert_allclose(nernst([1, 10, 100], 10, 6.3), np.array([-1, 0, 1]) * 55.4492, rtol=0, atol=1e-3)
    assert float(nernst(100, 10, 6.3, valence=2)) == pytest.approx(float(nernst(100, 10, 6.3)) / 2)


def test_nernst_refuses_what_has_no_logarithm() -> None:
    with pytest.raises(ValueError, match=r"outside must be > 0 mM, got 0"):
        nernst(0, 400, 6.3)
    with pytest.raises(ValueError, match=r"inside must be > 0 mM, got nan"):
        nernst(20, math.nan, 6.3)
    with pytest.raises(ValueError, match="valence must be a whole number other than 0, got 0"):
        nernst(20, 400, 6.3, valence=0)


@pytest.mark.parametrize("ion", ["Na", "K", "Cl"])
def test_goldman_with_one_ion_is_nernst(ion: str) -> None:
    wanted = nernst(SQUID_OUTSIDE[ion], SQUID_INSIDE[ion], 18.5, valence=-1 if ion == "Cl" else 1)
    assert ghk_voltage({ion: 0.3}, SQUID_INSIDE, SQUID_OUTSIDE, 18.5) == pytest.approx(float(wanted))


def test_goldman_gives_the_rest_and_the_peak_of_hodgkin_and_katz() -> None:
    def at(sodium: float) -> float:
        return ghk_voltage({"K": 1, "Na": sodium, "Cl": 0.45}, SQUID_INSIDE, SQUID_OUTSIDE, 20)

    assert at(0.04) == pytest.approx(-60, abs=1)
    assert at(20) == pytest.approx(42, abs=3)


@given(st.floats(-71.0, 50.0), st.floats(0.0, 2.0))
def test_sodium_permeability_inverts_goldman(voltage: float, chloride: float) -> None:
    others = {"Cl": chloride}
    at_ends = [
        ghk_voltage({"K": 1, "Cl": chloride}, SQUID_INSIDE, SQUID_OUTSIDE, 6.3),
        ghk_voltage({"Na": 1}, SQUID_INSIDE, SQUID_OUTSIDE, 6.3),
    ]
    if not min(at_ends) < voltage < max(at_ends):
        return
    ratio = sodium_permeability(voltage, SQUID_INSIDE, SQUID_OUTSIDE, 6.3, others=others)
    permeabilities = {"K": 1.0, "Na": ratio, "Cl": chloride}
    assert ghk_voltage(permeabilities, SQUID_INSIDE, SQUID_OUTSIDE, 6.3) == pytest.approx(voltage, abs=1e-6)


def test_permeability_ratios_of_the_usual_resting_potentials() -> None:
    assert sodium_permeability(-64, SQUID_INSIDE, SQUID_OUTSIDE, 6.3) == pytest.approx(0.01843, abs=1e-5)
    assert sodium_permeability(-70, SQUID_INSIDE, SQUID_OUTSIDE, 6.3) == pytest.approx(0.00425, abs=1e-5)
    mammal = {"K": 140.0, "Na": 15.0}, {"K": 5.0, "Na": 145.0}
    assert sodium_permeability(-70, *mammal, 37) == pytest.approx(0.0361, abs=1e-4)


@pytest.mark.parametrize("voltage", [-80.0, 60.0])
def test_no_permeability_ratio_leaves_the_range_of_the_two_ions(voltage: float) -> None:
    with pytest.raises(ValueError, match=r"-72\.14 to 52\.37 mV"):
        sodium_permeability(voltage, SQUID_INSIDE, SQUID_OUTSIDE, 6.3)


def test_goldman_names_what_is_missing() -> None:
    with pytest.raises(ValueError, match="unknown ion 'na'; did you mean 'Na'"):
        ghk_voltage({"na": 1}, SQUID_INSIDE, SQUID_OUTSIDE, 6.3)
    with pytest.raises(ValueError, match="outside must give the concentration of Cl"):
        ghk_voltage({"Cl": 1}, SQUID_INSIDE, {"K": 20}, 6.3)
    with pytest.raises(ValueError, match="permeability to K must be >= 0"):
        ghk_voltage({"K": -1}, SQUID_INSIDE, SQUID_OUTSIDE, 6.3)
    with pytest.raises(ValueError, match="must let an ion through"):
        ghk_voltage({"K": 0}, SQUID_INSIDE, SQUID_OUTSIDE, 6.3)


# The pump and the rest it keeps


def test_pump_is_half_saturated_site_by_site() -> None:
    pump = Pump(sodium=20, potassium=3)
    assert float(pump.activity(20, 1e12)) == pytest.approx(1 / 8)
    assert float(pump.activity(1e12, 3)) == pytest.approx(1 / 4)
    assert_allclose(pump.activity([0.0, 1e12], 1e12), [0, 1], rtol=1e-9, atol=0)


def test_at_rest_the_pump_carries_back_what_leaks() -> None:
    rest = resting_fluxes(HH, Ions(), 6.3)
    v, gates = rest.voltage, HH.steady_gates(rest.voltage)
    g = HH.conductances(gates)
    sodium = (float(g["Na"]) + rest.sodium_leak) * (v - 50.0)
    potassium = (float(g["K"]) + rest.potassium_leak) * (v + 77.0)
    assert sodium == pytest.approx(-3 * rest.pump_current, rel=1e-9)
    assert potassium == pytest.approx(2 * rest.pump_current, rel=1e-9)
    assert rest.sodium_leak + rest.potassium_leak == pytest.approx(0.0003, rel=1e-12)
    activity = float(Pump().activity(rest.sodium_in, rest.potassium_out))
    assert rest.pump_current == pytest.approx(rest.pump_maximum * activity, rel=1e-12)
    assert rest.sodium_influx == pytest.approx(-sodium * 1e-3 / FARADAY * 1e12, rel=1e-9)


def test_leaks_and_pump_carry_the_current_of_the_leak_at_every_voltage() -> None:
    rest = resting_fluxes(HH, Ions(), 6.3)
    v = np.linspace(-120, 80, 21)
    current = rest.sodium_leak * (v - 50) + rest.potassium_leak * (v + 77) + rest.pump_current
    assert_allclose(current, 0.0003 * (v + 54.387), rtol=0, atol=1e-13)


def test_concentrations_outside_come_from_the_membrane_or_from_the_user() -> None:
    rest = resting_fluxes(HH, Ions(), 6.3)
    assert float(nernst(rest.sodium_out, 50, 6.3)) == pytest.approx(50)
    assert float(nernst(rest.potassium_out, 400, 6.3)) == pytest.approx(-77)
    blood = resting_fluxes(HH, Ions(sodium_out=440, potassium_out=20), 6.3)
    assert (blood.sodium_out, blood.potassium_out, blood.voltage) == (440, 20, rest.voltage)
    with pytest.raises(ValueError, match=r"Ions\.sodium_out must be given .*'passive' has none"):
        resting_fluxes(passive(), Ions(), 6.3)
    other = replace(HH.gates["n"], name="s")
    twice = replace(HH, channels=(*HH.channels, Channel("K2", 0.001, -90.0, (other,))))
    with pytest.raises(ValueError, match=r"potassium_out must be given .* 2 with different reversal"):
        resting_fluxes(twice, Ions(), 6.3)


def test_a_rest_that_no_pump_keeps_is_an_error() -> None:
    with pytest.raises(NoRest, match=r"no pump keeps membrane 'hodgkin_huxley' at its -65\.00 mV"):
        resting_fluxes(HH, Ions(potassium_out=60.0), 6.3)


def test_carriers_are_read_from_names_or_told() -> None:
    odd = Membrane("odd", tuple(replace(c, name="fast") if c.name == "Na" else c for c in HH.channels))
    with pytest.raises(ValueError, match=r"channel 'fast' carries which ion\?"):
        resting_fluxes(odd, Ions(), 6.3)
    told = resting_fluxes(odd, Ions(carriers={"fast": "Na"}), 6.3)
    assert told == resting_fluxes(HH, Ions(), 6.3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ions(sodium_in=0), r"Ions\.sodium_in must be > 0 mM, got 0"),
        (lambda: Ions(potassium_out=-1), r"Ions\.potassium_out must be > 0 mM, got -1"),
        (lambda: Ions(space=0), r"Ions\.space must be > 0 um, got 0"),
        (lambda: Ions(exchange=-1), r"Ions\.exchange must be >= 0 cm/s, got -1"),
        (lambda: Ions(pump=None), r"Pump\(stops=0\) is none"),  # type: ignore[arg-type]
        (lambda: Ions(carriers={"Na": "Ca"}), "unknown ion 'Ca'"),
        (lambda: Pump(sodium=0), r"Pump\.sodium must be > 0 mM"),
        (lambda: Pump(potassium=math.inf), r"Pump\.potassium must be > 0 mM"),
        (lambda: Pump(stops=-1), r"Pump\.stops must be >= 0 ms, got -1"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# simulate_ions


@pytest.mark.parametrize("ions", [Ions(), Ions(space=0.03), Ions(sodium_out=440, potassium_out=20)])
def test_an_axon_left_alone_stays_as_it_is(ions: Ions) -> None:
    run = simulate_ions(THIN, duration=2000.0, dt=0.02, ions=ions, record=Record(every=10.0))
    for name in ("voltage", "sodium_in", "potassium_in", "sodium_out", "potassium_out", "pump_current"):
        values = getattr(run, name)
        assert_allclose(values, np.broadcast_to(values[0], values.shape), rtol=0, atol=1e-9, err_msg=name)
    assert len(run.spike_time) == 0
    assert run.atp[-1, 0] == pytest.approx(2 * run.rest.atp, rel=1e-9)  # 2 s


def test_membrane_that_only_leaks_rests_and_moves_ions_too() -> None:
    leaky = Axon(length=5, diameter=1, membrane=passive())
    ions = Ions(sodium_out=440, potassium_out=20)
    run = simulate_ions(leaky, KICK, duration=50.0, ions=ions)
    peak = -65 + 100 * (1 - math.exp(-0.5 * 0.3))  # 30 uA/cm2 over 0.3 mS/cm2, 1 uF/cm2
    assert run.voltage[run.time == 1.5, 0] == pytest.approx(peak, abs=0.02)
    assert run.voltage[-1, 0] == pytest.approx(-65, abs=0.02)
    with pytest.raises(ValueError, match=r"Ions\.sodium_out must be given"):
        simulate_ions(leaky, duration=1.0)


def test_stopped_pump_depolarises_by_the_current_it_carried() -> None:
    run = simulate_ions(THIN, duration=200.0, dt=0.02, ions=Ions(pump=Pump(stops=100.0)))
    before, after = run.time < 100, run.time >= 100
    assert (run.pump_current[before] > 0).all() and (run.pump_current[after] == 0).all()
    assert_allclose(run.voltage[before], run.rest.voltage, rtol=0, atol=1e-9)
    rest = run.rest
    unpumped = hodgkin_huxley(e_leak=(rest.sodium_leak * 50 - rest.potassium_leak * 77) / 0.0003)
    assert run.voltage[-1, 0] == pytest.approx(unpumped.resting_potential(), abs=0.01)
    assert np.ptp(run.atp[after]) == 0


def test_axon_without_a_pump_ends_where_all_potentials_meet() -> None:
    finest = Axon(length=1, diameter=0.05, membrane=HH)
    ions = Ions(pump=Pump(stops=0.0))
    run = simulate_ions(finest, duration=10_000.0, dt=0.02, ions=ions, record=Record(every=100.0))
    v, e_na, e_k = run.voltage[-1, 0], run.sodium_reversal[-1, 0], run.potassium_reversal[-1, 0]
    inside = run.sodium_in[-1, 0] + run.potassium_in[-1, 0]
    outside = run.rest.sodium_out + run.rest.potassium_out
    assert_allclose([e_na, e_k], v, rtol=0, atol=1e-3)
    assert v == pytest.approx(float(nernst(outside, inside, 6.3)), abs=1e-3)
    charge = (v - run.rest.voltage) * 1e-9 / FARADAY / (0.05 / 4 * 1e-4) * 1e6  # mV uF/cm2 -> mM
    assert inside == pytest.approx(450 + charge, abs=1e-6)


def test_a_train_loads_the_axon_and_the_pump_clears_it() -> None:
    train = Train(amplitude=KICK.amplitude, start=10, duration=0.5, interval=50, count=40)
    run = simulate_ions(THIN, train, duration=30_000.0, dt=0.02, record=Record(every=1.0))
    end = int(np.searchsorted(run.time, 2010.0))
    assert len(run.spike_time) == 40
    assert run.sodium_in[end, 0] > 65 and run.potassium_in[end, 0] < 385
    assert run.pump_current[end, 0] > 1.1 * run.rest.pump_current
    assert run.sodium_in[-1, 0] - 50 < 0.5 * (run.sodium_in[end, 0] - 50)


def test_thin_space_fills_with_potassium_and_empties_with_its_time_constant() -> None:
    run = simulate_ions(THIN, KICK, duration=200.0, ions=Ions(space=0.03))
    rise = run.potassium_out[:, 0] - run.rest.potassium_out
    assert rise.max() > 1
    late = (run.time > 60) & (run.time < 160)
    tau = -1 / np.polyfit(run.time[late], np.log(rise[late]), 1)[0]
    assert tau == pytest.approx(0.03e-4 * 1.03 / 6e-5 * 1e3, rel=0.1)
    closed = simulate_ions(THIN, KICK, duration=60.0, ions=Ions(space=0.03, exchange=0.0))
    assert closed.potassium_out[-1, 0] > run.potassium_out[run.time == 60.0, 0]
    assert not any(np.ptp(amount) for amount in closed.from_bath.values())


@pytest.mark.parametrize("space", [0.03, math.inf])
def test_no_ion_is_lost_between_axon_space_and_bath(space: float) -> None:
    run = simulate_ions(THIN, KICK, duration=20.0, ions=Ions(space=space))
    gained = {
        "Na": run.sodium_entry - SODIUM_PER_TURN * run.atp,
        "K": POTASSIUM_PER_TURN * run.atp - run.potassium_loss,
    }
    assert np.ptp(gained["Na"]) > 1 and np.ptp(gained["K"]) > 1  # pmol/cm2
    assert_allclose(run.pump_current[0], run.rest.pump_current, rtol=1e-9, atol=0)
    turned = np.trapezoid(run.pump_current[:, 0], run.time) * 1e6 / FARADAY  # mA/cm2 ms -> pmol/cm2
    assert run.atp[-1, 0] == pytest.approx(turned, rel=1e-5)
    for ion, through in gained.items():
        inside, outside, bath = run.amounts(ion)
        assert_allclose(inside - inside[0], through, rtol=0, atol=1e-8)
        assert_allclose(np.ptp(inside + outside + bath, axis=0), 0, rtol=0, atol=1e-8)
        assert np.ptp(outside) > 0.1 if math.isfinite(space) else not outside.any()


def test_only_what_was_asked_for_is_recorded() -> None:
    cable = Axon(length=2000, diameter=10, membrane=HH)
    record = Record(every=0.5, where=[0, 1000], threshold=0.0)
    run = simulate_ions(cable, suprathreshold_pulse(cable), duration=4.0, record=record, dx=100.0)
    assert run.voltage.shape == run.atp.shape == run.from_bath["Na"].shape == (9, 2)
    assert_allclose(run.time, np.arange(9) * 0.5, rtol=0, atol=1e-12)
    assert run.at(900) == 1 and run.complete
    assert len(run.spike_time) == 20 and (np.diff(run.spike_time) >= 0).all()
    assert "4 ms on 20 compartments: 20 crossings, 9 samples at 2 positions" in repr(run)
    with pytest.raises(ValueError, match='ion must be "Na" or "K", got \'Cl\''):
        run.amounts("Cl")


SECTIONS = Axon(sections=[Section(100, 1, HH), Section(100, 2, HH)])
GOLDMAN = Membrane("goldman", (PermeableChannel("K", 1e-6, 400.0, 20.0), Channel("leak", 0.0003, -60.0)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axon": "squid"}, "axon must be an Axon, got 'squid'"),
        ({"axon": SECTIONS}, "need a uniform axon with two ends"),
        ({"axon": replace(THIN, length=2000, sections=(), ring=True)}, "need a uniform axon with two ends"),
        ({"axon": replace(THIN, membrane=GOLDMAN, sections=())}, "need ohmic channels"),
        ({"ions": {}}, r"ions must be Ions\(...\), got {}"),
        ({"stimuli": Clamp(voltage=0)}, "must be Pulse, Train or Ramp, got Clamp"),
        ({"record": Record(gates=True)}, "leave gates and currents out"),
        ({"duration": 0}, "duration"),
        ({"dt": 3.0, "duration": 9.0}, "too large for a stable answer"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"axon": THIN, "stimuli": (), "duration": 1.0}
    with pytest.raises(ValueError, match=message):
        simulate_ions(**(usual | arguments))


def test_runaway_voltage_stops_the_run_and_keeps_it() -> None:
    strong = replace(KICK, amplitude=3e3 * KICK.amplitude)
    with pytest.raises(Unstable, match=r"voltage is .* mV at t = 1\.\d+ ms, x = 2\.5 um; try") as caught:
        simulate_ions(THIN, strong, duration=5.0)
    run = caught.value.run
    assert isinstance(run, IonRun) and not run.complete and len(run.time) == 21
    assert "incomplete" in repr(run)


def test_interrupted_run_keeps_what_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def interrupted() -> Iterator[threading.Event]:
        event = threading.Event()
        event.set()
        yield event

    monkeypatch.setattr("axon.protocols.ions.stop_on_interrupt", interrupted)
    run = simulate_ions(THIN, KICK, duration=5.0)
    assert not run.complete and len(run.time) == 1 and run.numerics["duration"] == 0
    assert run.voltage[0, 0] == run.rest.voltage and len(run.spike_time) == 0


def test_ion_that_runs_out_stops_the_run() -> None:
    sucked = Pulse(amplitude=-60e3 * AREA, start=0.0, duration=500.0)
    ions = Ions(space=1e-4, exchange=0.0)
    with pytest.raises(Unstable, match=r"an ion has run out .* at t = .* wider Ions\.space"):
        simulate_ions(THIN, sucked, duration=500.0, ions=ions)


# What a spike costs


@pytest.fixture(scope="module")
def spike() -> IonRun:
    """One spike in the middle of a warm squid axon."""
    squid = Axon(length=40_000, diameter=476, membrane=HH, celsius=18.5)
    record = Record(every=0.02, where=[0, 20_000])
    return simulate_ions(squid, suprathreshold_pulse(squid), duration=15.0, record=record)


def test_cost_of_a_spike_is_that_of_hodgkin_and_huxley(spike: IonRun) -> None:
    cost = spike_cost(spike)
    assert cost.sodium_entry == pytest.approx(4.33, abs=0.05)  # HH 1952, 18.5 degC
    assert cost.potassium_loss == pytest.approx(4.26, abs=0.1)
    assert cost.amplitude == pytest.approx(90.58, abs=0.3)
    assert cost.minimum == pytest.approx(cost.amplitude * 1e-9 / FARADAY * 1e12, rel=1e-12)
    assert cost.excess == pytest.approx(cost.sodium_entry / cost.minimum)
    assert cost.atp == pytest.approx(cost.sodium_entry / 3)
    molecules = cost.atp * 1e-12 * 6.02214076e23 * math.pi * 0.0476 * 100
    assert cost.atp_per_metre == pytest.approx(molecules, rel=1e-12)
    assert "pmol/cm2 Na+ in" in str(cost)


def test_cost_does_not_count_what_rest_would_have_moved(spike: IonRun) -> None:
    longer = simulate_ions(spike.axon, spike.stimuli, duration=25.0, record=spike.record)
    assert spike_cost(longer).sodium_entry == pytest.approx(spike_cost(spike).sodium_entry, rel=2e-3)


def test_cost_needs_one_whole_spike(spike: IonRun) -> None:
    silent = simulate_ions(THIN, duration=5.0)
    with pytest.raises(AxonError, match=r"one spike, but 0 passed x = 2\.5 um"):
        spike_cost(silent)
    with pytest.raises(AxonError, match="before all ions of the spike have flowed; simulate longer"):
        spike_cost(simulate_ions(THIN, KICK, duration=5.0))
    with pytest.raises(ValueError, match=r"at must lie on the axon \(0\.\.40000 um\), got 50000"):
        spike_cost(spike, at=50_000)

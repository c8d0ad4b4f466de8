"""Published membranes: their rates against the papers' formulae written out, their rest, their velocity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import axon
from axon.membranes import MODELS
from axon.membranes.gate import Gate
from axon.membranes.rates import Array, logistic
from axon.model import from_json, to_json

V = np.array([-103.7, -81.3, -60.2, -33.1, -8.9, 21.6, 55.3])  # mV, none of them a singularity
exp = np.exp

Rate = Callable[[Array], Array]


def rising(a: float, b: float, c: float) -> Rate:
    """a (V - b) / (1 - exp((b - V) / c)), as most papers write an opening rate."""
    return lambda v: a * (v - b) / (1 - exp((b - v) / c))


def falling(a: float, b: float, c: float) -> Rate:
    """a (b - V) / (1 - exp((V - b) / c)), as most papers write a closing rate."""
    return lambda v: a * (b - v) / (1 - exp((v - b) / c))


def saturating(a: float, b: float, c: float) -> Rate:
    """a / (1 + exp((b - V) / c))."""
    return lambda v: a / (1 + exp((b - v) / c))


def sweeney_m(v: Array) -> Array:
    return (96.96 + 0.363 * (v + 80)) / (1 + exp((31 - (v + 80)) / 5.3))


def borg_n(v: Array) -> Array:
    """exp(zeta (V - V half) F / R T), kdr.mod."""
    return exp(1e-3 * -5 * (v + 32) * 9.648e4 / (8.315 * (273.16 + 37)))


def borg_l(v: Array) -> Array:
    return exp(1e-3 * 2 * (v + 61) * 9.648e4 / (8.315 * (273.16 + 37)))


# Model, gate, opening and closing rate (1/ms) at the temperature of the table; potentials absolute, or with
# the rest of a table that counts from rest written as a sum.
WRITTEN_OUT: list[tuple[str, str, Rate, Rate]] = [
    ("mrg_node", "m", rising(1.86, -21.4, 10.3), falling(0.086, -25.7, 9.16)),
    ("mrg_node", "h", falling(0.062, -114, 11), saturating(2.3, -31.8, 13.4)),
    ("mrg_node", "p", rising(0.01, -27, 10.2), falling(0.00025, -34, 10)),
    ("mrg_node", "s", saturating(0.3, -53, 5), saturating(0.03, -90, 1)),
    ("gaines_motor_node", "m", rising(1.86, -20.4, 10.3), falling(0.086, -25.7, 9.16)),
    ("gaines_motor_node", "n", rising(0.0462, -83.2, 1.1), falling(0.0824, -66, 10.5)),
    ("gaines_sensory_node", "m", rising(1.77753, -20.1795, 10.3), falling(0.0823, -25.4746, 9.16)),
    ("gaines_sensory_node", "h", falling(0.075286, -112.7124, 8.391), saturating(2.8083, -30.5435, 10.2263)),
    ("gaines_sensory_node", "p", rising(0.00957, -26.852, 10.2), falling(0.0002401, -33.8333, 10)),
    ("sweeney", "m", sweeney_m, lambda v: sweeney_m(v) / exp((v + 80 - 23.8) / 4.17)),
    (
        "sweeney",
        "h",
        lambda v: saturating(15.6, 24 - 80, 10)(v) / exp((v + 80 - 5.5) / 5),
        saturating(15.6, 24 - 80, 10),
    ),
    ("schwarz_eikhof", "m", rising(1.87, 25.41 - 78, 6.06), falling(3.97, 21 - 78, 9.41)),
    ("schwarz_eikhof", "h", falling(0.55, -27.74 - 78, 9.06), saturating(22.6, 56 - 78, 12.5)),
    ("schwarz_eikhof", "n", rising(0.13, 35 - 78, 10), falling(0.32, 10 - 78, 10)),
    ("schwarz_reid_bostock", "m", rising(1.86, 65.6 - 84, 10.3), falling(0.086, 61.3 - 84, 9.16)),
    ("schwarz_reid_bostock", "h", falling(0.0336, -27 - 84, 11), saturating(2.3, 55.2 - 84, 13.4)),
    ("schwarz_reid_bostock", "n", rising(0.00798, -9.2 - 84, 1.1), falling(0.0142, 8 - 84, 10.5)),
    ("schwarz_reid_bostock", "s", rising(0.00122, 71.5 - 84, 23.6), falling(0.000739, 3.9 - 84, 21.8)),
    ("rattay_aberham", "m", rising(0.1, 25 - 70, 10), lambda v: 4 * exp(-(v + 70) / 18)),
    ("rattay_aberham", "h", lambda v: 0.07 * exp(-(v + 70) / 20), saturating(1, 30 - 70, 10)),
    ("rattay_aberham", "n", rising(0.01, 10 - 70, 10), lambda v: 0.125 * exp(-(v + 70) / 80)),
    ("sundt", "m", rising(0.32, 13.1 - 65 + 6, 4), falling(0.28, 40.1 - 65 + 6, 5)),
    ("sundt", "h", lambda v: 0.128 * exp((17 - 6 - (v + 65)) / 18), saturating(4, 40 - 65 - 6, 5)),
    ("sundt", "n", lambda v: 0.03 / borg_n(v) ** 0.4, lambda v: 0.03 * borg_n(v) ** 0.6),
    ("sundt", "l", lambda v: 0.001 / borg_l(v), lambda v: 0.001 + 0 * v),
]


@pytest.mark.parametrize(
    ("name", "gate", "alpha", "beta"), WRITTEN_OUT, ids=[f"{row[0]}-{row[1]}" for row in WRITTEN_OUT]
)
def test_rates_are_those_of_the_table(name: str, gate: str, alpha: Rate, beta: Rate) -> None:
    ours = MODELS[name]().gates[gate]
    steady, speed = ours.kinetics(V, ours.q10_celsius)
    assert_allclose(steady * speed, alpha(V), rtol=1e-9, atol=0)
    assert_allclose((1 - steady) * speed, beta(V), rtol=1e-7, atol=1e-14)


@pytest.mark.parametrize("name", MODELS)
def test_gates_are_finite_and_within_0_and_1_everywhere(name: str) -> None:
    v = np.arange(-200.0, 150.0, 0.1)
    for gate in MODELS[name]().gates.values():
        steady, speed = gate.kinetics(v, 37.0)
        assert gate.instantaneous or np.isfinite(speed).all()
        assert (speed > 0).all()
        assert ((steady >= 0) & (steady <= 1)).all()


@pytest.mark.parametrize("name", MODELS)
def test_model_comes_back_equal_from_a_file(name: str) -> None:
    membrane = MODELS[name]()
    assert from_json(to_json(membrane)) == membrane
    assert repr(membrane) == f"{name}()"


# The nominal rest of each paper (mV), and how far the membrane by itself may be from it: of MRG and Gaines
# the node alone is not the fibre, whose internodes pull it up to -80 mV.
@pytest.mark.parametrize(
    ("name", "nominal", "within"),
    [
        ("sweeney", -80.0, 0.01),
        ("schwarz_eikhof", -78.0, 0.01),
        ("schwarz_reid_bostock", -84.0, 0.2),
        ("rattay_aberham", -70.0, 0.01),
        ("sundt", -60.0, 1e-9),
    ],
)
def test_rest_is_the_papers(name: str, nominal: float, within: float) -> None:
    assert MODELS[name]().resting_potential(37.0) == pytest.approx(nominal, abs=within)


def test_logistic_is_safe_where_the_exponential_overflows() -> None:
    assert_allclose(logistic([-1e4, 0.0, 1e4]), [0.0, 0.5, 1.0], rtol=0, atol=0)


def test_rates_follow_the_temperature_gate_by_gate() -> None:
    # MRG 2002: 2.2 for m and p, 2.9 for h, 3.0 for s
    factors = {"m": 2.2, "p": 2.2, "h": 2.9, "s": 3.0}
    gates: dict[str, Gate] = axon.mrg_node().gates
    for name, factor in factors.items():
        ratio = gates[name].kinetics(V, 37.0)[1] / gates[name].kinetics(V, 27.0)[1]
        assert_allclose(ratio, factor, rtol=1e-12, atol=0)


# NEURON 9.0.2 with the mechanisms of PyFibers, a patch left alone for 40 s.
@pytest.mark.parametrize(
    ("name", "calcium", "rest"),
    [("schild_1994", 0.00035680661, -46.4493938), ("schild_1997", 0.0032730919, -68.4878855)],
)
def test_calcium_starts_where_neuron_settles(name: str, calcium: float, rest: float) -> None:
    membrane = MODELS[name]()
    assert membrane.pools[0].concentration == pytest.approx(calcium, rel=1e-6)
    assert membrane.resting_potential(37.0) == pytest.approx(rest, abs=2e-5)


# The same with compartments of 8.333 um and Crank-Nicolson: velocities (m/s) between the same places.
@pytest.mark.parametrize(
    ("name", "resistivity", "dt", "velocity"),
    [("tigerholm", 35.4, 0.01, 0.70385137), ("schild_1997", 100.0, 0.005, 0.28748411)],
)
def test_spike_travels_as_in_neuron_at_the_same_steps(
    name: str, resistivity: float, dt: float, velocity: float
) -> None:
    fibre = axon.Axon(
        length=4000.0,
        diameter=1.0,
        membrane=MODELS[name](),
        axial_resistivity=resistivity,
        celsius=37.0,
    )
    pulse = axon.suprathreshold_pulse(fibre)
    run = axon.simulate(
        fibre, pulse, duration=12.0, dt=dt, dx=8.3334, record=axon.Record(voltage=None), progress=False
    )
    found = run.velocity(between=(1600.0, 2600.0))
    assert found.value == pytest.approx(velocity, rel=3e-4)


def test_tigerholm_balances_sodium_and_potassium_by_themselves() -> None:
    # At rest neither ion comes nor goes, or the concentrations would drift before any spike.
    membrane = axon.tigerholm()
    currents = membrane.currents(-55.0, membrane.steady_gates(-55.0, 37.0), 37.0)
    for ion in ("Na", "K"):
        shares = {
            c.name: c.shares.get(ion, 0.0) if isinstance(c, axon.Transporter) else float(c.ion == ion)
            for c in membrane.channels
        }
        assert sum(share * float(currents[name]) for name, share in shares.items()) == pytest.approx(
            0, abs=1e-12
        )


def with_boundless(membrane: axon.Membrane, name: str) -> axon.Membrane:
    """The membrane with so much room for a pool that its concentration stays as it is."""
    (old,) = [pool for pool in membrane.pools if pool.name == name]
    new = replace(old, volume=1e4, tau=np.inf)

    def moved(reader: Any) -> Any:
        reads = {"reads": tuple(new if p == old else p for p in getattr(reader, "reads", ()))}
        gates = {"gates": tuple(map(moved, getattr(reader, "gates", ())))}
        return replace(reader, **{k: v for k, v in (reads | gates).items() if v})

    pools = tuple(new if p == old else p for p in membrane.pools)
    return replace(membrane, channels=tuple(map(moved, membrane.channels)), pools=pools)


def slowing(membrane: axon.Membrane) -> float:
    """By which part the twelfth spike at 2 Hz takes longer than the first for the middle third of a fibre."""
    fibre = axon.Axon(length=1500, diameter=1, membrane=membrane, axial_resistivity=35.4, celsius=37.0)
    train = axon.Train(amplitude=1.5, start=1.0, duration=0.5, interval=500.0, count=12, at=0)
    record = axon.Record(voltage=None)
    run = axon.simulate(fibre, train, duration=5520.0, dt=0.02, dx=50.0, record=record)
    first, second = (
        run.spike_time[run.spike_compartment == run.compartments.nearest(x)] for x in (500, 1000)
    )
    assert len(first) == len(second) == 12
    latency = second - first
    return float(latency[-1] / latency[0] - 1)


def test_tigerholm_s_fibre_slows_with_activity_because_sodium_piles_up_inside() -> None:
    """Tigerholm et al. 2014, abstract: what goes with the slowing most readily is the sodium inside."""
    membrane = axon.tigerholm()
    usual = slowing(membrane)
    assert usual == pytest.approx(0.0670, abs=2e-4)  # this program at 5 us and 25 um
    assert slowing(with_boundless(membrane, "Na_in")) < usual / 3 + 0.005
    for name in ("K_in", "K_out"):
        assert abs(slowing(with_boundless(membrane, name)) - usual) < 0.25 * usual

"""Membranes with pools: concentrations that follow the currents, and what depends on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

import axon
from axon import Buffer, Channel, Clamp, Gate, Membrane, PermeableChannel, Pool, Record, Transporter
from axon.ions import Ions, nernst, resting_fluxes
from axon.membranes.constants import FARADAY, thermal_voltage
from axon.model import from_json, to_json
from axon.protocols.ions import simulate_ions

Array = NDArray[np.float64]

HH = axon.hodgkin_huxley()


def patch(membrane: Membrane, diameter: float = 1.0, celsius: float = 6.3) -> axon.Axon:
    """One compartment."""
    return axon.Axon(length=diameter, diameter=diameter, membrane=membrane, celsius=celsius)


def simulated(membrane: Membrane, duration: float, dt: float, **changes: Any) -> axon.Run:
    record = Record(every=changes.pop("every", duration / 20), gates=True, currents=True, concentrations=True)
    cell = patch(membrane)
    start = changes.pop("start", None)
    return axon.simulate(
        cell,
        changes.pop("stimuli", ()),
        duration=duration,
        dt=dt,
        dx=cell.length,
        initial_voltage=start,
        record=record,
    )


# A pool alone

CALCIUM = Pool("Ca_in", "Ca", 1e-4, valence=2, depth=0.1, tau=5.0)
LAYER = 0.1 * (1 - 0.1 / 1.0) * 1e-4  # cm, of that shell in an axon of 1 um
INFLUX = 1e-4  # mA/cm2


def constant_influx(pool: Pool) -> Membrane:
    """A steady current of calcium into the pool; a leak keeps the voltage."""
    flow = Transporter("influx", lambda v, c: -INFLUX + 0 * v, reads=pool, carries={"Ca": 1})
    return Membrane("filled", (Channel("leak", 1.0, -65.0), flow), pools=(pool,))


def test_a_pool_that_decays_follows_its_closed_form() -> None:
    run = simulated(constant_influx(CALCIUM), 20.0, 0.1, every=0.5, start=-65.0)
    per_ms = INFLUX / (2 * FARADAY * LAYER)  # mA/cm2 over C/mol cm is mM/ms
    exact = 1e-4 + per_ms * 5.0 * -np.expm1(-run.time / 5.0)
    assert exact[-1] > 3e-4
    assert_allclose(run.concentrations["Ca_in"][:, 0], exact, rtol=1e-10, atol=0)


@pytest.mark.parametrize(
    ("pool", "layer"),
    [
        (replace(CALCIUM, tau=np.inf), LAYER),
        (replace(CALCIUM, depth=None, tau=np.inf), 0.25e-4),
        (replace(CALCIUM, depth=None, volume=0.3, tau=np.inf), 0.3e-4),
        (replace(CALCIUM, depth=0.2, side="outside", tau=np.inf), -0.2e-4 * 1.2),
    ],
)
def test_a_pool_fills_in_proportion_to_its_layer(pool: Pool, layer: float) -> None:
    # A thousandth of the influx: a pool outside is emptied by it, and must not run out.
    run = simulated(constant_influx(replace(pool, concentration=1e-2)), 4.0, 0.1, start=-65.0)
    gained = run.concentrations["Ca_in"][:, 0] - 1e-2
    assert_allclose(gained, INFLUX / (2 * FARADAY * layer) * run.time, rtol=1e-8, atol=1e-15)


def test_a_buffer_takes_what_it_binds_and_mass_is_conserved() -> None:
    buffer = Buffer(total=0.01, on=50.0, off=0.05)
    pool = replace(CALCIUM, tau=np.inf, buffer=buffer)
    errors, steps = [], np.array([0.1, 0.05, 0.025, 0.0125])
    per_ms = INFLUX / (2 * FARADAY * LAYER)

    def slope(_: float, y: Array) -> list[float]:
        bound = 50.0 * y[0] * (0.01 - y[1]) - 0.05 * y[1]
        return [per_ms - bound, bound]

    exact = solve_ivp(slope, (0, 10), [1e-4, buffer.resting(1e-4)], rtol=1e-11, atol=1e-15).y[0, -1]
    for dt in steps:
        run = simulated(constant_influx(pool), 10.0, dt, start=-65.0)
        errors.append(abs(run.concentrations["Ca_in"][-1, 0] - exact))
    assert abs(np.polyfit(np.log(steps), np.log(errors), 1)[0] - 2.0) < 0.1
    assert errors[-1] < 1e-3 * exact
    assert exact < 0.7 * (1e-4 + 10 * per_ms)  # much of it is bound


# Reversal potentials

SODIUM_IN = Pool("Na_in", "Na", 12.0)
POTASSIUM_IN = Pool("K_in", "K", 140.0, volume=0.01)
POTASSIUM_OUT = Pool("K_out", "K", 5.0, side="outside", volume=0.01)


def test_a_reversal_potential_moves_as_nernst_s_equation_says() -> None:
    leak = Channel("K", 1e-3, float(nernst(5.0, 140.0, 6.3)), ion="K")
    membrane = Membrane("one ion", (leak,), pools=(POTASSIUM_IN, POTASSIUM_OUT))
    pulse = axon.Pulse(amplitude=1e-5, duration=200.0)
    run = simulated(membrane, 1000.0, 0.5, stimuli=pulse)
    inside, outside = run.concentrations["K_in"][:, 0], run.concentrations["K_out"][:, 0]
    assert outside[-1] > 5.5 and inside[-1] < 139.6
    # Long after the pulse the voltage is where the ion, which alone can cross, is in equilibrium.
    assert_allclose(run.voltage[-1, 0], nernst(outside[-1], inside[-1], 6.3), rtol=0, atol=1e-3)
    # What left the axon is outside: the two layers are equally thick.
    assert_allclose(inside + outside, 145.0, rtol=1e-13, atol=0)


def test_the_current_kept_is_that_of_the_moved_reversal_potential() -> None:
    leak = Channel("K", 1e-3, -80.0, ion="K")
    other = Channel("leak", 1e-3, -40.0)
    membrane = Membrane("drifting", (leak, other), pools=(POTASSIUM_OUT,))
    run = simulated(membrane, 100.0, 0.05)
    shift = thermal_voltage(6.3) * np.log(run.concentrations["K_out"] / 5.0)
    assert shift.max() > 1.0
    assert_allclose(run.currents["K"], 1e-3 * (run.voltage + 80.0 - shift), rtol=1e-12, atol=0)


# A whole cell, against its differential equations

MIXED_POOL = Pool("Ca_in", "Ca", 1e-4, valence=2, volume=0.05, tau=30.0, buffer=Buffer(0.002, 100.0, 0.2))
BATH_POOL = Pool("Ca_out", "Ca", 2.0, side="outside", valence=2, volume=0.05, tau=80.0)


def d_inf(v: Array) -> Array:
    return 1 / (1 + np.exp(-(v + 30) / 6))


def pumped(v: Array, c: Array) -> Array:
    return 2e-3 * c / (c + 1e-3) * (v + 150) / (v + 200)


def pumped_tau(v: Array, c: Array) -> Array:
    return 1.0 + 0 * v


MIXED = (
    HH
    + MIXED_POOL
    + BATH_POOL
    + Channel("Ca", 4e-4, 125.0, (Gate("d", 2, inf=d_inf, tau=lambda v: 1.0 + 0 * v),), ion="Ca")
    + PermeableChannel("CaL", 2e-5, 1e-4, 2.0, (Gate("e", inf=d_inf, instantaneous=True),), 2, ion="Ca")
    + Channel(
        "KCa",
        0.01,
        -77.0,
        (
            Gate(
                "c",
                2,
                alpha=lambda v, c: 500 * c * np.exp((v - 10) / 24),
                beta=lambda v, c: 0.1 * np.exp(-(v + 20) / 60),
                reads=MIXED_POOL,
            ),
        ),
    )
    + Transporter("pump", pumped, reads=MIXED_POOL, carries={"Ca": 1}, density=0.5)
)
WIDTH, END = 1.0, 12.0  # ms
KICK = axon.Pulse(amplitude=2e-4 * np.pi, duration=WIDTH)  # 20 uA/cm2 of an area of pi um2


def mixed_equations(t: float, y: Array, current: float) -> Array:
    """dV/dt and all else, exact rates; current in uA/cm2."""
    v, m, h, n, d, c, inside, outside, bound = y
    gates = {"m": m, "h": h, "n": n, "d": d, "e": d_inf(v), "c": c}
    around = {"Ca_in": inside, "Ca_out": outside}
    flows = MIXED.currents(v, gates, 6.3, around)
    calcium = flows["Ca"] + flows["CaL"] + flows["pump"]  # mA/cm2
    moved = calcium / (2 * FARADAY * 0.05e-4)
    binding = 100.0 * inside * (0.002 - bound) - 0.2 * bound
    slopes = []
    for name, x in (("m", m), ("h", h), ("n", n), ("d", d), ("c", c)):
        steady, rate = MIXED.gates[name].kinetics(v, 6.3, around)
        slopes.append(rate * (steady - x))
    return np.array(
        [
            current - 1e3 * sum(flows.values()),
            *slopes,
            -moved - binding + (1e-4 - inside) / 30.0,
            moved + (2.0 - outside) / 80.0,
            binding,
        ],
        dtype=float,
    )


@pytest.fixture(scope="module")
def exact_mixed() -> Array:
    rest = MIXED.resting_potential(6.3)
    steady = MIXED.steady_gates(rest, 6.3)
    buffer = MIXED_POOL.buffer
    assert buffer is not None
    y = np.array([rest, *(float(steady[g]) for g in "mhndc"), 1e-4, 2.0, buffer.resting(1e-4)])
    for begin, end, current in ((0.0, WIDTH, 20.0), (WIDTH, END, 0.0)):
        options: dict[str, Any] = {"method": "LSODA", "rtol": 1e-11, "atol": 1e-13, "max_step": 0.1}
        y = solve_ivp(mixed_equations, (begin, end), y, args=(current,), **options).y[:, -1]
    return y


def test_a_cell_with_everything_follows_its_equations_with_order_2_in_dt(exact_mixed: Array) -> None:
    steps = np.array([0.02, 0.01, 0.005, 0.0025])
    found = []
    for dt in steps:
        run = simulated(MIXED, END, dt, stimuli=KICK)
        gates = [run.gates[g][-1, 0] for g in "mhndc"]
        pools = [run.concentrations[p][-1, 0] for p in ("Ca_in", "Ca_out")]
        found.append([run.voltage[-1, 0], *gates, *pools])
    assert run.voltage.max() > 0 and exact_mixed[6] > 3e-4  # a spike, which let calcium in
    errors = np.abs(np.array(found) - exact_mixed[:8])
    for name, error in zip(("V", *"mhndc", "Ca_in", "Ca_out"), errors.T, strict=True):
        assert np.polyfit(np.log(steps), np.log(error), 1)[0] == pytest.approx(2.0, abs=0.15), name
    assert errors[-1, 0] < 5e-3 and errors[-1, 6] < 1e-3 * exact_mixed[6]


STEPS = 0.005, 0.0025  # ms


def far_apart(axons: list[axon.Axon], pulse: axon.Pulse, dt: float, **how: Any) -> float:
    """Root mean square of the difference of two axons' voltages, mV."""
    one, two = (axon.simulate(each, pulse, dt=dt, **how).voltage for each in axons)
    return float(np.sqrt(np.mean((one - two) ** 2)))


def test_what_depends_on_pools_at_rest_stays_at_rest_if_nothing_flows() -> None:
    """Pools that are boundless make the ordinary engine of a membrane that drifts."""
    wide = (
        Membrane("wide", tuple(replace(c, ion={"Na": "Na", "K": "K"}.get(c.name)) for c in HH.channels))
        + Pool("Na_in", "Na", 50.0, volume=1e9)
        + Pool("K_out", "K", 20.0, side="outside", volume=1e9)
    )
    cable = axon.Axon(length=20_000, diameter=476, membrane=HH, celsius=18.5)
    pulse = axon.Pulse(amplitude=2e4, start=0.1, duration=0.2)
    how = {"duration": 2.0, "dx": 250, "record": Record(gates=True, currents=True)}
    runs = [axon.simulate(replace(cable, membrane=m), pulse, dt=0.005, **how) for m in (wide, HH)]
    assert runs[1].voltage.max() > 20
    assert_allclose(runs[0].voltage, runs[1].voltage, rtol=0, atol=1e-6)
    assert_allclose(runs[0].gates["h"], runs[1].gates["h"], rtol=0, atol=1e-8)
    assert_allclose(runs[0].currents["Na"], runs[1].currents["Na"], rtol=0, atol=1e-8)
    assert_allclose(runs[0].spike_time, runs[1].spike_time, rtol=0, atol=1e-6)
    # Of third order in dt where nothing drifts: so far apart as the second is from there.
    apart = [
        far_apart([replace(cable, membrane=m) for m in (wide, HH)], pulse, dt, order=4, **how) for dt in STEPS
    ]
    assert apart[0] / apart[1] == pytest.approx(4.0, rel=0.15) and apart[1] < 0.3


def test_with_sodium_potassium_and_a_pump_it_is_simulate_ions() -> None:
    diameter, space, exchange = 0.2, 0.05, 2e-4
    ions = Ions(space=space, exchange=exchange)
    rest = resting_fluxes(HH, ions, 6.3)
    layer = space * (1 + space / diameter)
    tau = layer * 1e-4 / exchange * 1e3  # ms
    sodium_in, potassium_in = Pool("Na_in", "Na", rest.sodium_in), Pool("K_in", "K", rest.potassium_in)
    potassium_out = Pool("K_out", "K", rest.potassium_out, side="outside", depth=space, tau=tau)
    sodium_out = Pool("Na_out", "Na", rest.sodium_out, side="outside", depth=space, tau=tau)

    def pump(v: Array, na: Array, k: Array) -> Array:
        return rest.pump_maximum * (na / (na + 10.0)) ** 3 * (k / (k + 3.5)) ** 2

    na, k, _ = HH.channels
    e = {
        "Na": float(nernst(rest.sodium_out, rest.sodium_in, 6.3)),
        "K": float(nernst(rest.potassium_out, rest.potassium_in, 6.3)),
    }
    membrane = Membrane(
        "pumped",
        (
            replace(na, ion="Na", reversal=e["Na"]),
            replace(k, ion="K", reversal=e["K"]),
            Channel("Na leak", rest.sodium_leak, e["Na"], ion="Na"),
            Channel("K leak", rest.potassium_leak, e["K"], ion="K"),
            Transporter("pump", pump, reads=(sodium_in, potassium_out), carries={"Na": 3, "K": -2}),
        ),
        pools=(sodium_in, sodium_out, potassium_in, potassium_out),
    )
    cable = axon.Axon(length=1000, diameter=diameter, membrane=HH)
    pulse = axon.Pulse(amplitude=0.1, start=0.5, duration=0.5)
    numerics: dict[str, Any] = {"duration": 10.0, "dt": 0.01, "dx": 20.0}
    theirs = simulate_ions(cable, pulse, ions=ions, record=Record(every=0.5), **numerics)
    ours = axon.simulate(
        replace(cable, membrane=membrane), pulse, record=Record(every=0.5, concentrations=True), **numerics
    )
    assert np.ptp(theirs.sodium_in) > 1.0 and theirs.voltage.max() > 20
    assert_allclose(ours.voltage, theirs.voltage, rtol=0, atol=1e-3)
    for name, pool in (("sodium_in", "Na_in"), ("potassium_out", "K_out"), ("sodium_out", "Na_out")):
        assert_allclose(ours.concentrations[pool], getattr(theirs, name), rtol=0, atol=1e-4)


def test_the_ions_that_cross_are_the_charge_on_the_membrane() -> None:
    """Where every channel carries an ion of a pool, mass and charge are conserved to rounding."""
    pools = [
        Pool(f"{ion}_{s}", ion, 50.0, side=f"{s}side", volume=0.02)
        for ion in ("Na", "K")
        for s in ("in", "out")
    ]
    carries = dict(zip(("Na", "K", "leak"), ("Na", "K", "K"), strict=True))
    membrane = Membrane(
        "closed", tuple(replace(c, ion=carries[c.name]) for c in HH.channels), pools=tuple(pools)
    )
    run = simulated(membrane, 20.0, 0.01, start=-20.0)
    na_in, na_out, k_in, k_out = (run.concentrations[p.name][:, 0] for p in pools)
    assert np.ptp(na_in) > 0.05
    assert_allclose(na_in + na_out, 100.0, rtol=1e-13, atol=0)
    assert_allclose(k_in + k_out, 100.0, rtol=1e-13, atol=0)
    carried = (na_in + k_in - 100.0) * FARADAY * 0.02e-4  # mM C/mol cm = uC/cm2
    assert_allclose(carried, (run.voltage[:, 0] + 20.0) * 1e-3, rtol=0, atol=1e-12)


# Voltage clamp


def test_a_voltage_clamp_that_jumps_keeps_the_second_order() -> None:
    calcium = Pool("Ca_in", "Ca", 1e-4, valence=2, volume=1.0, tau=20.0)
    slow = Gate("d", 2, inf=d_inf, tau=lambda v: 1.0 + 0.5 * np.tanh(v / 50))
    membrane = Membrane(
        "clamped", (Channel("Ca", 1e-4, 125.0, (slow,), ion="Ca"), Channel("leak", 1e-3, -70.0))
    )
    membrane = membrane + calcium
    level, end = 0.0, 2.0

    def slope(_: float, y: Array) -> list[float]:
        steady, rate = slow.kinetics(level, 6.3)
        e = 125.0 - thermal_voltage(6.3) / 2 * np.log(y[1] / 1e-4)
        current = 1e-4 * y[0] ** 2 * (level - e)
        return [float(rate * (steady - y[0])), -current / (2 * FARADAY * 1e-4) + (1e-4 - y[1]) / 20.0]

    start = [float(slow.steady_state(-70.0)), 1e-4]
    d, c = solve_ivp(slope, (0, end), start, rtol=1e-11, atol=1e-14).y[:, -1]
    steps, errors = np.array([0.08, 0.04, 0.02, 0.01]), []
    for dt in steps:
        clamp = Clamp(voltage=level, duration=100.0)
        run = simulated(membrane, end, dt, stimuli=clamp, start=-70.0)
        errors.append([abs(run.gates["d"][-1, 0] - d), abs(run.concentrations["Ca_in"][-1, 0] / c - 1)])
    assert (np.array(errors)[:, 0] < 1e-6).all()  # exact but for the tables: V is constant
    assert np.polyfit(np.log(steps), np.log(np.array(errors)[:, 1]), 1)[0] == pytest.approx(2.0, abs=0.15)


def test_a_transporter_needs_no_pool() -> None:
    """A current that is a function of V alone is that of a leak written as one."""
    leak = Channel("leak", 3e-4, -54.387)
    by_hand = HH.without("leak") + Transporter("leak", lambda v: 3e-4 * (v + 54.387))
    assert_allclose(by_hand.resting_potential(), HH.resting_potential(), rtol=0, atol=1e-9)
    kick = axon.Pulse(amplitude=2e-4 * np.pi, duration=0.5)
    runs = [
        axon.simulate(patch(m), kick, duration=8.0, dt=0.005, dx=1.0, record=Record(currents=True))
        for m in (by_hand, HH.without("leak") + leak)
    ]
    assert runs[1].voltage.max() > 0
    assert_allclose(runs[0].voltage, runs[1].voltage, rtol=0, atol=1e-2)
    assert_allclose(runs[0].currents["leak"], 3e-4 * (runs[0].voltage + 54.387), rtol=1e-12, atol=0)


def test_what_little_is_left_settles_where_it_is_in_equilibrium() -> None:
    """Far above its reversal potential calcium leaves a thin shell within a step, and stays positive."""
    shell = replace(CALCIUM, tau=np.inf)
    membrane = Membrane("open", (Channel("Ca", 0.01, 120.0, ion="Ca"),), pools=(shell,))
    run = simulated(membrane, 1.0, 0.01, stimuli=Clamp(voltage=160.0), start=120.0)
    settled = 1e-4 * np.exp(-40.0 / (thermal_voltage(6.3) / 2))
    assert settled < 0.05 * 1e-4
    assert_allclose(run.concentrations["Ca_in"][-1, 0], settled, rtol=1e-3, atol=0)
    assert (run.concentrations["Ca_in"] > 0).all()


# Running out, and files


def test_a_pool_that_runs_out_says_where_and_when() -> None:
    drain = Transporter("drain", lambda v, c: 0.1 + 0 * v, reads=CALCIUM, carries={"Ca": 1})
    membrane = Membrane("leaky", (Channel("leak", 1.0, -65.0), drain), pools=(CALCIUM,))
    with pytest.raises(
        axon.Unstable, match=r"pool 'Ca_in' has run out at t = 0\.\d+ ms, x = 0.5 um; try"
    ) as trouble:
        simulated(membrane, 5.0, 0.01, start=-65.0)
    assert not trouble.value.run.complete


def test_a_membrane_with_pools_comes_back_equal_and_runs_alike(tmp_path: Any) -> None:
    run = simulated(MIXED, 4.0, 0.01, stimuli=KICK)
    run.save(tmp_path / "run.h5")
    back = axon.load(tmp_path / "run.h5")
    assert back == run and back.axon.membrane == MIXED
    assert from_json(to_json(back.axon)) == run.axon
    again = simulated(back.axon.membrane, 4.0, 0.01, stimuli=KICK)
    assert_allclose(again.voltage, run.voltage, rtol=0, atol=0.05)  # what samples of V and c leave out
    assert_array_equal(again.time, run.time)


def test_a_run_with_pools_can_be_streamed(tmp_path: Any) -> None:
    cable = axon.Axon(length=400, diameter=1, membrane=MIXED)
    numerics: dict[str, Any] = {"duration": 2.0, "dt": 0.01, "dx": 20, "record": Record(concentrations=True)}
    fresh = axon.simulate(cable, KICK, **numerics)
    streamed = axon.simulate(cable, KICK, to=tmp_path / "s.h5", **numerics)
    assert_array_equal(streamed.concentrations["Ca_in"][:], fresh.concentrations["Ca_in"])
    assert set(fresh.concentrations) == {"Ca_in", "Ca_out"}


def test_several_axons_some_with_pools_run_together() -> None:
    plain = axon.Axon(length=400, diameter=1, membrane=HH)
    mixed = replace(plain, membrane=MIXED)
    twofold = axon.Axon(sections=[axon.Section(200, 2, MIXED), axon.Section(200, 1, HH + POTASSIUM_OUT)])
    axons = [plain, mixed, plain, replace(mixed, length=600, diameter=2), twofold, replace(mixed, celsius=9)]
    kicks = [replace(KICK, amplitude=0.05 * (i + 1)) for i in range(len(axons))]
    record = Record(gates=True, currents=True, concentrations=True)
    numerics: dict[str, Any] = {"duration": 2.0, "dt": 0.01, "dx": 20, "record": record}
    together = axon.simulate_many(axons, [[kick] for kick in kicks], **numerics)
    alone = [axon.simulate(one, kick, **numerics) for one, kick in zip(axons, kicks, strict=True)]
    for ours, theirs in zip(together, alone, strict=True):
        assert_allclose(ours.voltage, theirs.voltage, rtol=0, atol=1e-8)
        for kind in ("gates", "currents", "concentrations"):
            mine, others = getattr(ours, kind), getattr(theirs, kind)
            assert mine.keys() == others.keys()
            for name, values in mine.items():
                assert_allclose(values, others[name], rtol=1e-9, atol=1e-10, err_msg=name)
    assert set(together[4].concentrations) == {"Ca_in", "Ca_out", "K_out"}


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "no concentration": (
        lambda: replace(CALCIUM, concentration=0.0),
        "'Ca_in': concentration must be > 0 mM",
    ),
    "no side": (
        lambda: replace(CALCIUM, side="within"),
        'side must be "inside" or "outside", got \'within\'',
    ),
    "no valence": (lambda: replace(CALCIUM, valence=0), "valence must be a whole number other than 0, got 0"),
    "depth and volume": (lambda: replace(CALCIUM, volume=1.0), "'Ca_in': give depth or volume, not both"),
    "a boundless outside": (
        lambda: Pool("K_out", "K", 5.0, side="outside"),
        "'K_out': a pool outside needs a depth or a volume",
    ),
    "no tau": (lambda: replace(CALCIUM, tau=0.0), "'Ca_in': tau must be > 0 ms, got 0.0"),
    "no buffer": (lambda: replace(CALCIUM, buffer=0.1), "buffer must be a Buffer, got 0.1"),
    "a negative buffer": (lambda: Buffer(-1.0, 1.0, 1.0), "Buffer.total must be >= 0 mM, got -1.0"),
    "misspelt": (
        lambda: Pool("K", "K", 5.0, dept=1.0),
        "unknown keyword of Pool 'dept'; did you mean 'depth'",
    ),  # type: ignore[call-arg]
    "two of one kind": (
        lambda: HH + CALCIUM + replace(CALCIUM, name="other"),
        "there are two pools of Ca inside; join them to one",
    ),
    "two valences": (
        lambda: HH + CALCIUM + replace(CALCIUM, name="Ca_out", side="outside", valence=1),
        "the pools of Ca have different valences",
    ),
    "twice": (lambda: HH + CALCIUM + replace(CALCIUM, side="outside"), "pool 'Ca_in' occurs twice"),
    "a pool that is not there": (
        lambda: HH + Transporter("pump", pumped, reads=CALCIUM),
        "'pump' reads pool 'Ca_in', which the membrane does not have",
    ),
    "another concentration": (
        lambda: HH + PermeableChannel("Ca", 1e-5, 1e-3, 2.0, valence=2, ion="Ca") + CALCIUM,
        "channel 'Ca' has 0.001 mM inside and pool 'Ca_in' has 0.0001 mM at rest",
    ),
    "reads a name": (
        lambda: Gate("c", alpha=d_inf, beta=d_inf, reads="Ca_in"),  # type: ignore[arg-type]
        "Gate 'c': reads must be a Pool or several, got 'Ca_in'",
    ),
    "reads too much": (
        lambda: Channel("K", 1.0, -77.0, (Gate("c", alpha=d_inf, beta=d_inf, reads=CALCIUM),)),
        "Channel 'K', gate 'c': alpha must take arrays of voltages and 1 concentrations, and",
    ),
    "negative with more": (
        lambda: Channel(
            "K",
            1.0,
            -77.0,
            (Gate("c", inf=lambda v, c: 0.5 + 3e3 * c + 0 * v, tau=pumped_tau, reads=CALCIUM),),
        ),
        "Channel 'K', gate 'c': inf must be a fraction 0..1, got 3.5 at V = -65 mV with concentrations 10",
    ),
    "infinite current": (
        lambda: Transporter("pump", lambda v, c: c / (v + 40), reads=CALCIUM),
        "Transporter 'pump': outward must be a finite current in mA/cm2, got inf at V = -40 mV",
    ),
    "a current for a function": (lambda: Transporter("pump", 1e-3), "outward must be a function of V"),  # type: ignore[arg-type]
    "too deep": (
        lambda: simulated(constant_influx(replace(CALCIUM, depth=0.6)), 1.0, 0.1),
        "'Ca_in': depth must be at most the radius of the axon, 0.5 um, got 0.6",
    ),
    "noise": (
        lambda: axon.simulate(patch(MIXED), duration=1.0, noise="markov"),
        "noise='markov' is not available with membranes that have pools or transporters",
    ),
    "no such pool": (
        lambda: axon.simulate(patch(MIXED), duration=1.0, record=Record(concentrations=("Na_in",))),
        "unknown pool 'Na_in'; did you mean 'Ca_in'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_meant_gives_one_clear_line(name: str) -> None:
    make, message = WRONG[name]
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_phases_want_the_concentrations_that_were_there() -> None:
    cable = axon.Axon(length=1_000, diameter=10, membrane=MIXED)
    pulse = axon.Pulse(amplitude=20, duration=0.5)
    runs = [
        axon.simulate(
            cable, pulse, duration=12.0, dt=0.01, dx=100, record=Record(gates=True, concentrations=kept)
        )
        for kept in (True, False)
    ]
    course = runs[0]
    known, unknown = (axon.phases(run, at=500.0) for run in runs)
    place = course.at(500.0)
    around = {name: c[:, place] for name, c in course.concentrations.items()}
    gates = {name: x[:, place] for name, x in course.gates.items()}
    flows = MIXED.currents(course.voltage[:, place], gates, 6.3, around)
    assert known["overshoot"].currents["KCa"].highest == pytest.approx(flows["KCa"].max(), rel=0.5)
    assert not unknown["overshoot"].currents


def test_what_wants_fixed_concentrations_refuses_pools() -> None:
    cable = axon.Axon(length=1_000, diameter=10, membrane=MIXED)
    with pytest.raises(
        ValueError, match="a travelling wave keeps its shape, but membrane 'hodgkin_huxley' has"
    ):
        axon.travelling_wave(cable)
    only = Membrane("K", (Channel("K", 1e-3, -80.0, ion="K"),), pools=(POTASSIUM_OUT,))
    with pytest.raises(ValueError, match="a membrane with pools moves its ions by itself; use simulate"):
        axon.simulate_ions(axon.Axon(length=10, diameter=1, membrane=only), duration=1.0)


def wide(membrane: Membrane) -> Membrane:
    """The same with boundless pools: it drifts, and arrives nowhere."""
    ions = {"Na": "Na", "K": "K"}
    return (
        replace(membrane, channels=tuple(replace(c, ion=ions.get(c.name)) for c in membrane.channels))
        + Pool("Na_in", "Na", 50.0, volume=1e9)
        + Pool("K_out", "K", 20.0, side="outside", volume=1e9)
    )


def sheathed(node: Membrane, between: Membrane) -> axon.Axon:
    """Three internodes under myelin, which leaves a second voltage to be found."""
    myelin = axon.Myelin(lamellae=20, space=0.01, diameter=6.0)
    bare = axon.Section(5.0, 4.0, node, celsius=18.5)
    covered = axon.Section(300.0, 4.0, between, celsius=18.5, myelin=myelin)
    return axon.Axon(sections=[bare, covered, bare, covered, bare, covered, bare])


def test_pools_under_myelin_are_those_of_the_membrane_there() -> None:
    fibres = [sheathed(HH.scaled(Na=10, K=5), HH), sheathed(wide(HH.scaled(Na=10, K=5)), wide(HH))]
    pulse = axon.Pulse(amplitude=3.0, start=0.1, duration=0.3, at=0)
    record = Record(every=0.05, gates=True)
    how = {"duration": 4.0, "record": record}
    run = axon.simulate(fibres[0], pulse, dt=0.005, **how)
    assert (run.voltage[:, -1] > 0).any(), "the spike came to the last node"
    # A fibre steps by third order in dt, and by second where something drifts.
    apart = [far_apart(fibres, pulse, dt / 2, **how) for dt in STEPS]
    assert apart[0] / apart[1] == pytest.approx(4.0, rel=0.15) and apart[1] < 0.1


def test_a_tree_may_have_pools() -> None:
    trunk, branch = axon.Section(400, 2, MIXED), axon.Section(400, 1, HH)
    tree = axon.Axon(sections=[trunk, branch, branch], parents=[None, 0, 0])
    kick = axon.Pulse(amplitude=2.0, duration=0.5, at=0)
    run = axon.simulate(tree, kick, duration=8.0, dt=0.01, dx=20, record=Record(concentrations=True))
    calcium = run.concentrations["Ca_in"][:, : run.at(400.0)]
    assert np.isfinite(calcium).all() and calcium[-1].min() > 1.1e-4
    assert np.isnan(run.concentrations["Ca_in"][:, -1]).all()  # of the branches, which have no pool
    assert len(np.unique(run.spike_compartment)) == len(run.compartments)

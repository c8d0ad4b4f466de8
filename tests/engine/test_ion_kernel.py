"""The engine with moving ions against differential equations, the ordinary engine, conservation laws."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from axon import Axon, Pulse, Record, hodgkin_huxley, simulate, suprathreshold_pulse
from axon.ions import Ions, resting_fluxes, thermal_voltage
from axon.membranes.ghk import FARADAY
from axon.protocols.ion_run import IonRun
from axon.protocols.ions import simulate_ions

Array = NDArray[np.floating]

HH = hodgkin_huxley()
DIAMETER, SPACE, EXCHANGE = (
    0.2,
    0.05,
    2e-4,
)  # um, um, cm/s: one spike changes every concentration by per cents
NARROW = Axon(length=3, diameter=DIAMETER, membrane=HH)
CROWDED = Ions(space=SPACE, exchange=EXCHANGE)
ONSET, WIDTH, END = 1.0, 0.5, 12.0  # ms
KICK = Pulse(amplitude=30e3 * float(NARROW.compartments().area[0]), start=ONSET, duration=WIDTH)  # 30 uA/cm2


def equations(t: float, y: Array, current: float) -> Array:
    """dV/dt (mV/ms), gates, and Na and K inside and outside (mM/ms), with exact rates; current in uA/cm2."""
    rest = resting_fluxes(HH, CROWDED, 6.3)
    v, m, h, n, na_in, k_in, na_out, k_out = y
    thermal = thermal_voltage(6.3)
    g = HH.conductances({"m": m, "h": h, "n": n})
    i_na = (float(g["Na"]) + rest.sodium_leak) * (v - thermal * np.log(na_out / na_in))
    i_k = (float(g["K"]) + rest.potassium_leak) * (v - thermal * np.log(k_out / k_in))
    pump = rest.pump_maximum * (na_in / (na_in + 10)) ** 3 * (k_out / (k_out + 3.5)) ** 2
    gates = [
        (gate.steady_state(v) - x) / gate.time_constant(v, 6.3)
        for gate, x in zip(HH.gates.values(), (m, h, n), strict=True)
    ]
    out_na, out_k = i_na + 3 * pump, i_k - 2 * pump  # mA/cm2
    inside = 1 / (FARADAY * DIAMETER / 4 * 1e-4)  # mA/cm2 -> mM/ms
    layer = SPACE * (1 + SPACE / DIAMETER) * 1e-4  # cm
    flow = EXCHANGE / layer * 1e-3  # /ms
    return np.array(
        [
            current - 1e3 * (i_na + i_k + pump),
            *gates,
            -out_na * inside,
            -out_k * inside,
            out_na / (FARADAY * layer) + flow * (rest.sodium_out - na_out),
            out_k / (FARADAY * layer) + flow * (rest.potassium_out - k_out),
        ],
        dtype=float,
    )


@pytest.fixture(scope="module")
def exact() -> Array:
    """V, gates and concentrations at END."""
    rest = resting_fluxes(HH, CROWDED, 6.3)
    gates = [float(x) for x in HH.steady_gates(rest.voltage).values()]
    y = np.array(
        [rest.voltage, *gates, rest.sodium_in, rest.potassium_in, rest.sodium_out, rest.potassium_out]
    )
    for begin, end, current in ((0, ONSET, 0.0), (ONSET, ONSET + WIDTH, 30.0), (ONSET + WIDTH, END, 0.0)):
        done = solve_ivp(equations, (begin, end), y, args=(current,), method="DOP853", rtol=1e-11, atol=1e-11)
        y = done.y[:, -1]
    return y


def final(run: IonRun) -> Array:
    """V and the four concentrations at the end."""
    names = ("voltage", "sodium_in", "potassium_in", "sodium_out", "potassium_out")
    return np.array([getattr(run, name)[-1, 0] for name in names])


def test_one_spike_follows_the_differential_equations_with_order_2_in_dt(exact: Array) -> None:
    steps = np.array([0.02, 0.01, 0.005, 0.0025, 0.00125])
    wanted = exact[[0, 4, 5, 6, 7]]
    record = Record(every=END)
    runs = [simulate_ions(NARROW, KICK, duration=END, ions=CROWDED, dt=dt, record=record) for dt in steps]
    errors = np.abs(np.array([final(run) for run in runs]) - wanted)
    assert wanted[1] - 50 > 2 and wanted[4] - 16.35 > 1, "the spike moved the concentrations"
    for name, error in zip(("V", "Na_in", "K_in", "Na_out", "K_out"), errors.T, strict=True):
        order = np.polyfit(np.log(steps), np.log(error), 1)[0]
        assert order == pytest.approx(2.0, abs=0.1), name
    assert (errors[-1] < [1e-3, 1e-4, 1e-4, 1e-3, 1e-3]).all(), errors[-1]


@pytest.mark.parametrize("celsius", [6.3, 18.5])
def test_with_boundless_volumes_it_is_the_ordinary_engine(celsius: float) -> None:
    # The thicker the axon the less one spike changes; a cable keeps its shape if length goes as sqrt(d).
    cable = Axon(length=3e7, diameter=1e8, membrane=HH, celsius=celsius)
    pulse = suprathreshold_pulse(cable)
    numerics: dict[str, Any] = {"duration": 6.0, "dt": 0.005, "record": Record(every=0.1)}
    moving, fixed = simulate_ions(cable, pulse, **numerics), simulate(cable, pulse, **numerics)
    assert fixed.voltage is not None and len(fixed.spike_time) == len(fixed.compartments) > 20
    assert_allclose(moving.voltage, fixed.voltage, rtol=0, atol=1e-4)
    order = np.lexsort((moving.spike_time, moving.spike_compartment))
    same = np.lexsort((fixed.spike_time, fixed.spike_compartment))
    assert_allclose(moving.spike_time[order], fixed.spike_time[same], rtol=0, atol=3e-4)


def test_ions_carry_exactly_the_charge_on_the_membrane() -> None:
    run = simulate_ions(NARROW, KICK, duration=END, ions=CROWDED)
    (na, _, _), (k, _, _) = run.amounts("Na"), run.amounts("K")
    carried = (na + k - na[0] - k[0])[:, 0] * FARADAY * 1e-6  # pmol/cm2 -> uC/cm2
    injected = 30.0 * np.clip(run.time - ONSET, 0, WIDTH) * 1e-3  # nothing counted carries it
    charge = (run.voltage[:, 0] - run.voltage[0, 0]) * 1e-3  # 1 uF/cm2
    assert_allclose(carried + injected, charge, rtol=0, atol=1e-12)


@pytest.mark.parametrize("ions", [CROWDED, Ions()], ids=["space", "bath"])
def test_mass_is_conserved_to_rounding_over_a_hundred_thousand_steps(ions: Ions) -> None:
    train = [Pulse(amplitude=KICK.amplitude, start=20.0 * i, duration=WIDTH) for i in range(40)]
    run = simulate_ions(NARROW, train, duration=1000.0, dt=0.01, ions=ions, record=Record(every=1.0))
    assert np.ptp(run.sodium_in) > 20
    for ion in ("Na", "K"):
        total = np.sum(run.amounts(ion), axis=0)
        assert_allclose(total, np.broadcast_to(total[0], total.shape), rtol=1e-13, atol=0)


def test_pump_takes_three_sodium_out_and_two_potassium_in_for_one_atp() -> None:
    run = simulate_ions(NARROW, KICK, duration=END, ions=CROWDED)
    (na, _, _), (k, _, _) = run.amounts("Na"), run.amounts("K")
    assert_allclose(na - na[0], run.sodium_entry - 3 * run.atp, rtol=0, atol=1e-10)
    assert_allclose(k - k[0], 2 * run.atp - run.potassium_loss, rtol=0, atol=1e-10)
    charge = np.trapezoid(run.pump_current[:, 0], run.time)  # mA ms/cm2 = uC/cm2
    assert run.atp[-1, 0] == pytest.approx(charge * 1e6 / FARADAY, rel=1e-5)


def test_crossings_are_interpolated_between_steps() -> None:
    record = Record(every=1e-9)
    run = simulate_ions(NARROW, KICK, duration=END, dt=0.01, record=record)
    v, t = run.voltage[:, 0], run.time
    k = int(np.flatnonzero((v[:-1] < -20) & (v[1:] >= -20))[0])
    assert len(run.spike_time) == 1
    assert run.spike_time[0] == pytest.approx(t[k] + 0.01 * (-20 - v[k]) / (v[k + 1] - v[k]), abs=1e-12)


def test_answer_does_not_depend_on_where_chunks_end(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulate_ions(NARROW, KICK, duration=END, ions=CROWDED)
    monkeypatch.setattr("axon.protocols.ions._CHUNK", 7)
    parts = simulate_ions(NARROW, KICK, duration=END, ions=CROWDED)
    for name in ("time", "voltage", "potassium_out", "atp", "spike_time"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name


SCRIPT = """
import sys
import numpy as np
from axon import Axon, Pulse, hodgkin_huxley
from axon.ions import Ions, Pump
from axon.protocols.ions import simulate_ions
cable = Axon(length=60, diameter=0.2, membrane=hodgkin_huxley())
ions = Ions(space=0.05, pump=Pump(stops=2.0))
run = simulate_ions(cable, Pulse(amplitude=0.01, start=0.1, duration=0.5), duration=3.0, dt=0.02, ions=ions)
np.savez(sys.argv[1], run.voltage, run.sodium_in, run.potassium_out, run.atp, run.spike_time)
"""


def test_the_engine_gives_the_same_answers_without_the_compiler(tmp_path: Path) -> None:
    answers = []
    for disabled in ("0", "1"):
        path = tmp_path / f"{disabled}.npz"
        env = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True, env=env, timeout=200)
        with np.load(path) as arrays:
            answers.append([arrays[name] for name in arrays.files])
    assert np.ptp(answers[0][0]) > 80 and answers[0][0].shape[1] > 3 and len(answers[0][-1]) > 3
    for compiled, plain in zip(*answers, strict=True):
        assert_allclose(compiled, plain, rtol=0, atol=1e-10)

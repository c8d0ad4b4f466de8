"""Formulas of concentrations: traced, run by the engine, and the same as NumPy makes them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from test_pools import CALCIUM, HH, MIXED

import axon
from axon import Channel, Gate, Membrane, Record, Transporter
from axon.engine import functions
from axon.engine.formula import BLOCK, evaluate
from axon.engine.simd import kernel, load, store
from axon.membranes.limits import evaluate as limit
from axon.stepping.blocks import Kind, Layout, course
from axon.stepping.slopes import slope
from axon.stepping.terms import Term, Untraceable, in_order, values
from axon.stepping.tracing import traced

Array = NDArray[np.float64]
EPSILON = np.finfo(float).eps
RNG = np.random.default_rng(1)
PULSE = axon.Pulse(amplitude=0.5, duration=0.5)


@kernel
def _apply(x: Any, y: Any) -> None:
    for k in range(0, x.shape[1], 8):
        store(y[0], k, functions.exp(load(x[0], k)))
        store(y[1], k, functions.expm1(load(x[1], k)))
        store(y[2], k, functions.log(load(x[2], k)))


def test_functions_of_vectors_are_numpy_s_to_the_last_digits() -> None:
    near, far = RNG.normal(size=4000) * 1e-3, RNG.uniform(-600, 600, 4000)
    wide = np.concatenate([near, far])
    x = np.stack([wide, wide, np.concatenate([1 + near, np.exp(far)])])
    y = np.empty_like(x)
    _apply(x, y)
    expected = np.stack([np.exp(x[0]), np.expm1(x[1]), np.log(x[2])])
    assert_allclose(y, expected, rtol=3 * EPSILON, atol=0)


def test_functions_of_vectors_have_numpy_s_exceptions() -> None:
    x = np.array([[0.0, -1.0, np.nan, -2000.0, 1.0, np.nan, 0.0, -0.5]] * 3)
    y = np.empty_like(x)
    _apply(x, y)
    with np.errstate(all="ignore"):
        assert_allclose(y[0], np.exp(x[0]), rtol=3 * EPSILON, atol=1e-300)
        assert_allclose(y[1], np.expm1(x[1]), rtol=3 * EPSILON, atol=0)
        assert_array_equal(y[2], np.log(x[2]))


# Whole steps

COUNT = BLOCK + 37  # more than a block, and no multiple of anything


def a_state(kind: Kind) -> dict[str, Array]:
    """Rows that a run might have; concentrations spread from half of those at rest to four times as much."""
    much = RNG.uniform(0.5, 4.0, COUNT)

    def row(name: str) -> Array:
        if name in ("v", "pool_before", "ahead"):
            return RNG.integers(-800, 400, COUNT) * 0.125  # mV, where tables are exact
        if name.startswith("pool_gate_"):
            return RNG.uniform(0, 1, COUNT)
        for pool in kind.course.drift.membrane.pools:
            if name == f"pool_{pool.name}":
                return pool.concentration * much
            if name == f"pool_earlier_{pool.name}":
                return pool.concentration * much * RNG.uniform(0.9, 1.1, COUNT)
        return RNG.uniform(0.5, 1.5, COUNT)

    at_start = {"scale", *(name for name in kind.course.rows if name.startswith(("per_", "stiff")))}
    return {name: row(name) for name in kind.course.rows if name not in at_start}


def by_numpy(outputs: dict[str, Term], rows: dict[str, Array]) -> dict[str, Array]:
    leaves = [term for term in in_order(outputs.values()) if isinstance(term.does, str)]
    found = values(outputs.values(), {leaf: rows[leaf.does] for leaf in leaves})
    return dict(zip(outputs, found, strict=True))


@pytest.mark.parametrize("thinner", [1.0, 1e3], ids=["wide layers", "thin layers"])
@pytest.mark.parametrize("make", [axon.schild_1994, axon.tigerholm, lambda: MIXED])
def test_the_engine_makes_a_step_as_numpy_does(make: Callable[[], Membrane], thinner: float) -> None:
    own = course(make(), 25.0, 0.01)
    ones = np.ones(COUNT)
    kind = Kind(own, np.arange(COUNT), ones * 1e-8, ones, -60.0 * ones)
    layout = Layout([kind], np.zeros(3), COUNT)
    for name, row in a_state(kind).items():
        layout.memory[layout.at[name]] = row
    for name in kind.course.rows:
        if name.startswith(("per_current", "stiffness")):
            layout.memory[layout.at[name]] *= thinner
    known = {name: layout.memory[place] for name, place in layout.at.items()}
    formulas = layout.formulas(-250.0, 250.0)
    blocks = layout.blocks(np.arange(COUNT), np.zeros((2, COUNT), np.int64), np.zeros(0, np.int64), 0)
    for outputs, halves in ((own.drift.conduct, blocks.conduct), (own.drift.move, blocks.move)):
        expected = by_numpy(outputs, known)
        for base, width in zip(blocks.base, blocks.width, strict=True):
            assert evaluate(formulas, layout.memory, *halves[0], base, width)
        for name, row in expected.items():
            found = layout.memory[layout.at[name]]
            scale = np.abs(row).max()
            assert_allclose(found, row, rtol=1e-11, atol=1e-12 * scale, err_msg=name)
            layout.memory[layout.at[name]] = known[name] = np.broadcast_to(row, COUNT) + 0.0
    relaxed = [known[f"pool_{p}"] == known[f"pool_earlier_{p}"] for p in own.drift.midway]
    assert np.any(relaxed) if thinner > 1 else not np.all(relaxed)


SCRIPT = """
import sys
import numpy as np
import axon
schild = axon.schild_1994()
cell = axon.Axon(length=200, diameter=1, membrane=schild, axial_resistivity=100, celsius=37)
trunk, branch = axon.Section(60, 2, schild, celsius=37), axon.Section(60, 1, schild, celsius=37)
tree = axon.Axon(sections=[trunk, branch, branch], parents=[None, 0, 0])
stimuli = [axon.Pulse(amplitude=1, duration=0.3), axon.Clamp(voltage=-20, start=0.5, at=150)]
how = dict(duration=0.8, dt=0.02, dx=20, record=axon.Record(every=0.1, gates=True, concentrations=True))
runs = [axon.simulate(cell, stimuli, **how), axon.simulate(tree, stimuli[0], **how)]
kept = [a for r in runs for a in (r.voltage, r.gates["c"], r.concentrations["Ca_in"])]
np.savez(sys.argv[1], *kept)
"""


def test_the_engine_gives_the_same_answers_without_the_compiler(tmp_path: Any) -> None:
    answers = []
    for disabled in ("0", "1"):
        path = tmp_path / f"{disabled}.npz"
        env = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True, env=env, timeout=200)
        with np.load(path) as arrays:
            answers.append([arrays[name] for name in arrays.files])
    assert np.ptp(answers[0][0]) > 20
    for compiled, plain in zip(*answers, strict=True):
        assert_allclose(compiled, plain, rtol=1e-11, atol=1e-11)


def test_a_steep_exchanger_takes_strong_pulses_at_ordinary_steps() -> None:
    """Ten times threshold takes most calcium from under the electrode, and the steps stay stable."""
    cable = axon.Axon(length=200, diameter=1, membrane=axon.schild_1994(), axial_resistivity=100, celsius=37)
    pulse = axon.Pulse(amplitude=3.3, duration=0.2, at=0)
    record = Record(every=0.1, concentrations=True)
    runs = [axon.simulate(cable, pulse, duration=2.0, dt=dt, dx=20, record=record) for dt in (0.01, 0.00125)]
    assert runs[1].concentrations["Ca_in"].min() < 0.2 * runs[1].concentrations["Ca_in"][0, 0]
    assert runs[0].concentrations["Ca_in"].min() > 0
    assert_allclose(runs[0].voltage[5:], runs[1].voltage[5:], rtol=0, atol=0.5)


# Users' functions


def steep(v: Array, c: Array) -> Array:
    """Shapes that users write: powers, roots, choices, and V-only parts that nothing else could do."""
    shape = np.where(v < -20, np.tanh(v / 50) ** 2, np.arctan(v) ** 2 / 4)
    return shape * (c / 1e-4) ** 2.5 / (1 + np.sqrt(c / 1e-4)) + np.maximum(-c, 1e-5) + np.abs(c - 2e-4) * 0


def shapes(v: Array, c: Array) -> Array:
    """All that the engine can do to a row, to V and c together."""
    both = c * 1e4 + np.exp(v / 50)
    grown = np.log(both) + np.sqrt(both) - np.expm1(-both) * np.exp(-both)
    return np.where(both < 2.0, grown, 1.0 / both) / (1 + both**3)


def zero_over_zero(v: Array, c: Array) -> Array:
    return 1e4 * c * ((v + 40) / (1 - np.exp(-(v + 40) / 10)))


@pytest.mark.parametrize(
    "rate", [steep, shapes, zero_over_zero, lambda v, c: 1e3 * c**3 / (c**3 + 1e-12) + 0 * v]
)
def test_what_numpy_does_is_traced(rate: Callable[..., Array]) -> None:
    v, c = Term("v", voltage=True), Term("c")
    term = traced(rate, v, [c], (CALCIUM,))
    at, much = RNG.uniform(-100, 50, 100), 1e-4 * RNG.uniform(0.1, 10, 100)
    (found,) = values([term], {v: at, c: much})
    assert_allclose(found, limit(rate, at, much), rtol=1e-12, atol=0)


@pytest.mark.parametrize("rate", [steep, zero_over_zero, shapes])
def test_slopes_of_formulas_are_those_of_the_functions(rate: Callable[..., Array]) -> None:
    v, c = Term("v", voltage=True), Term("c")
    at, much, near = RNG.uniform(-100, 50, 100), 1e-4 * RNG.uniform(0.1, 10, 100), 1e-3
    (found,) = values([slope(traced(rate, v, [c], (CALCIUM,)), v)], {v: at, c: much})
    expected = (limit(rate, at + near, much) - limit(rate, at - near, much)) / (2 * near)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(
    "rate",
    [
        np.vectorize(lambda v, c: c),
        lambda v, c: c if c > 1e-4 else v,
        lambda v, c: np.interp(c, [0, 1], [0, 1]) + 0 * v,
        lambda v, c: np.arctan(c) + 0 * v,
        lambda v, c: c * (v + 40) / (1 - np.exp(-(v + 40) / 10)),  # 0/0 between V and c: no table of V has it
        lambda v, c: float(len(np.shape(c))) * c,  # another thing with arrays than with terms
    ],
)
def test_what_cannot_be_traced_says_so(rate: Callable[..., Array]) -> None:
    with pytest.raises(Untraceable, match="cannot be traced"):
        traced(rate, Term("v", voltage=True), [Term("c")], (CALCIUM,))


def gated(opening: Callable[..., Array], outward: Callable[..., Array]) -> Membrane:
    c = Gate("c", 1, alpha=opening, beta=lambda v, c: 0.1 + 0 * v + 0 * c, reads=CALCIUM)
    pump = Transporter("pump", outward, reads=CALCIUM, carries={"Ca": 1})
    return HH + CALCIUM + Channel("KCa", 1e-3, -77.0, (c,)) + pump


def test_a_function_that_cannot_be_traced_runs_like_one_that_can() -> None:
    def opening(v: Array, c: Array) -> Array:
        return 500 * c * np.exp(v / 24)

    def outward(v: Array, c: Array) -> Array:
        return 2e-3 * (c - 1e-4) * (1 + 0.01 * np.exp(v / 30))

    def hidden(rate: Callable[..., Array]) -> Callable[..., Array]:
        return lambda v, c: rate(np.asarray(v, float), np.asarray(c, float))

    # Of another name, or one would be taken for the other, which it equals.
    both = [gated(opening, outward), replace(gated(hidden(opening), hidden(outward)), name="hidden")]
    assert not course(both[0], 6.3, 0.01).drift.given and len(course(both[1], 6.3, 0.01).drift.given) == 2
    cable = axon.Axon(length=300, diameter=1, membrane=both[0])
    record = Record(gates=True, concentrations=True)
    runs = [
        axon.simulate(replace(cable, membrane=m), PULSE, duration=3.0, dt=0.01, dx=20, record=record)
        for m in both
    ]
    assert runs[0].voltage.max() > 0 and np.ptp(runs[0].gates["c"]) > 0.01
    # One reads its functions of V from tables, the other evaluates them.
    assert_allclose(runs[1].voltage, runs[0].voltage, rtol=0, atol=1e-6)
    assert_allclose(runs[1].concentrations["Ca_in"], runs[0].concentrations["Ca_in"], rtol=1e-7, atol=0)


def test_tables_grow_with_the_voltage() -> None:
    """Held at +400 mV, beyond the first tables, gates go where their equations say."""
    slow = Gate("s", alpha=lambda v: 0.1 + 0 * v, beta=lambda v: 0.1 * np.exp(-v / 400))
    leak = Channel("leak", 1e-6, 400.0)
    membrane = Membrane("held", (Channel("Ca", 1e-9, 120.0, (slow,), ion="Ca"), leak), pools=(CALCIUM,))
    cell = axon.Axon(length=1, diameter=1, membrane=membrane)
    record = Record(gates=True, every=0.5)
    run = axon.simulate(
        cell, axon.Clamp(voltage=400.0), duration=2.0, dt=0.01, dx=1, record=record, initial_voltage=-60.0
    )
    steady, rate = slow.kinetics(400.0, 6.3)
    exact = steady + (slow.steady_state(-60.0) - steady) * np.exp(-rate * run.time)
    assert_allclose(run.gates["s"][1:, 0], exact[1:], rtol=1e-7, atol=0)


def at_steps(run: axon.Run, axis: Array, dt: float) -> Iterable[int]:
    return np.rint(np.asarray(axis) / dt).astype(int)


def test_concentrations_are_kept_around_spikes(tmp_path: Any) -> None:
    cable = axon.Axon(length=300, diameter=1, membrane=MIXED)
    numerics: dict[str, Any] = {"duration": 6.0, "dt": 0.01, "dx": 20}
    around = axon.AroundSpikes(0.3, every=0.02, elsewhere=1.0)
    record = Record(
        voltage=around, gates=around, currents=axon.Every(0.5), concentrations=axon.AroundSpikes(0.2)
    )
    full = axon.simulate(
        cable, PULSE, record=Record(every=0.01, gates=True, currents=True, concentrations=True), **numerics
    )
    run = axon.simulate(cable, PULSE, record=record, **numerics)
    beside = run.beside
    assert len(full.spike_time) and 8 < len(run.time) < 0.2 * len(full.time)
    dense = at_steps(run, beside["concentrations_time"], 0.01)
    assert_array_equal(beside["concentrations/Ca_in"], full.concentrations["Ca_in"][dense])
    own = at_steps(run, run.time, 0.01)
    assert_array_equal(run.voltage, full.voltage[own])
    assert_array_equal(run.gates["c"], full.gates["c"][own])
    assert_array_equal(
        beside["currents/KCa"], full.currents["KCa"][at_steps(run, beside["currents_time"], 0.01)]
    )
    run.save(tmp_path / "run.h5")
    assert axon.load(tmp_path / "run.h5") == run
    half = axon.simulate(cable, PULSE, record=record, **{**numerics, "duration": 3.0})
    resumed = axon.resume(half, until=6.0)
    assert_array_equal(resumed.beside["concentrations/Ca_in"], beside["concentrations/Ca_in"])

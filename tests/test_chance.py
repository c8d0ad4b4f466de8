"""Channels as chance: laws in voltage clamp, the smooth limit, and runs that can be had again."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import axon
from axon import Axon, Channel, Clamp, Gate, Membrane, Pulse, Record, Run, Section, simulate, simulate_many
from axon.stepping.chance import channel_numbers

HH = axon.hodgkin_huxley()
PATCH = Axon(length=10, diameter=1 / np.pi, membrane=HH)  # 10 um2: 600 Na and 180 K channels
FIBRE = Axon(length=500, diameter=1.0, membrane=HH, celsius=18.5)
PULSE = Pulse(amplitude=0.4, start=0.2, duration=0.3)
HOW: dict[str, Any] = {"duration": 2.0, "dt": 0.01, "dx": 10.0, "progress": False}
NOISES = ("markov", "langevin")

every_noise = pytest.mark.parametrize("noise", NOISES)


def noisy(axon: Axon = FIBRE, stimuli: Any = PULSE, **changes: Any) -> Run:
    return simulate(axon, stimuli, **{**HOW, "noise": "markov", "seed": 1, **changes})


def voltage(run: Run) -> NDArray[np.floating]:
    assert run.voltage is not None
    return run.voltage


def clamped(level: float, noise: str, trials: int) -> NDArray[np.float64]:
    """Open fraction of Na and K, (trials, 2), 25 ms after a jump from rest to ``level`` mV."""
    step = {"dt": 0.1} if noise == "markov" else {"dt": 0.01, "duration": 12.0}
    record = Record(gates=("Na", "K"), voltage=None, every=25 if noise == "markov" else 12)
    runs = simulate_many(
        [PATCH if noise == "markov" else replace(PATCH, diameter=10 / np.pi)] * trials,
        Clamp(voltage=level),
        **{**HOW, "duration": 25.0, **step},
        noise=noise,
        seed=round(1000 + level),
        record=record,
    )
    return np.array([[run.gates[name][-1, 0] for name in ("Na", "K")] for run in runs])


def expected(level: float, start: float, after: float) -> NDArray[np.float64]:
    """Open probability of Na and K ``after`` ms of ``level`` mV, from the steady state at ``start`` mV."""
    p = {}
    for name, gate in HH.gates.items():
        steady, begin = float(gate.steady_state(level)), float(gate.steady_state(start))
        p[name] = steady + (begin - steady) * np.exp(-after / float(gate.time_constant(level, 6.3)))
    return np.array([p["m"] ** 3 * p["h"], p["n"] ** 4])


@pytest.mark.parametrize("level", np.linspace(-90, 65, 20).tolist())
def test_open_channels_follow_the_binomial_law_at_any_voltage(level: float) -> None:
    trials, number = 150, np.array([600, 180])
    found = clamped(level, "markov", trials)
    p = expected(level, HH.resting_potential(), 25.0)
    counts = found * number
    assert_allclose(counts, np.rint(counts), rtol=0, atol=1e-9)
    variance = number * p * (1 - p)
    assert np.all(np.abs(counts.mean(axis=0) - number * p) < 4 * np.sqrt(variance / trials) + 4 / trials)
    # Fourth moment of the binomial: the spread of a variance found in so many trials
    spread = np.sqrt((3 * variance**2 + variance * (1 - 6 * p * (1 - p)) - variance**2) / trials)
    assert np.all(np.abs(counts.var(axis=0, ddof=1) - variance) < 4 * spread + 4 / trials)


@pytest.mark.parametrize("level", [-65.0, -40.0, 0.0])
def test_langevin_has_the_binomial_mean_and_variance(level: float) -> None:
    trials, number = 200, np.array([6000, 1800])  # of 600 at rest, 0.04 are open: no Gaussian would do
    found = clamped(level, "langevin", trials)
    p = expected(level, HH.resting_potential(), 12.0)
    variance = p * (1 - p) / number
    assert np.all(np.abs(found.mean(axis=0) - p) < 4 * np.sqrt(variance / trials))
    assert np.all(np.abs(found.var(axis=0, ddof=1) / variance - 1) < 4 * np.sqrt(2 / trials) + 0.02)


@every_noise
def test_at_a_jump_of_a_clamp_gates_see_half_a_step_of_each_voltage(noise: str) -> None:
    """With steps that are not small against the gates' own times the mean still follows the exact curve."""
    many = replace(PATCH, membrane=axon.hodgkin_huxley(unitary=2e-6))
    clamp = Clamp(voltage=0.0, start=1.0, duration=1.0)
    run = simulate(
        many, clamp, **{**HOW, "duration": 1.5, "dt": 0.05}, noise=noise, seed=3, record=Record(gates=True)
    )
    after = run.time[run.time > 1.0] - 1.0 - 0.025  # channels are half a step behind V
    p = np.array([expected(0.0, HH.resting_potential(), t) for t in after])
    late = run.time > 1.0
    # the start itself is a resting state, not clamped: V drifts by its own channels' noise of 1e-5
    assert_allclose(run.gates["Na"][late, 0], p[:, 0], rtol=0, atol=2e-4)
    assert_allclose(run.gates["K"][late, 0], p[:, 1], rtol=0, atol=2e-4)


def test_autocovariance_decays_with_the_gates_own_rates() -> None:
    """K at a clamp: cov(s) / N = sum over j of C(4, j) x^(2 (4 - j)) (x (1 - x) e^(-s / tau))^j."""
    run = simulate(
        replace(PATCH, diameter=20 / np.pi),
        Clamp(voltage=-30.0),
        **{**HOW, "duration": 4000.0, "dt": 0.1},
        noise="markov",
        seed=5,
        initial_voltage=-30.0,
        record=Record(gates=("K",), voltage=None, every=0.5),
    )
    x = float(HH.gates["n"].steady_state(-30.0))
    tau = float(HH.gates["n"].time_constant(-30.0, 6.3))
    y = run.gates["K"][:, 0] - x**4
    lags = np.arange(0, 24, 4)
    found = np.array([np.mean(y[: len(y) - lag] * y[lag:]) for lag in lags]) * 3600
    q = x**2 + x * (1 - x) * np.exp(-0.5 * lags / tau)
    wanted = q**4 - x**8
    # Bartlett: the error of an autocovariance of a process with this memory
    long = (x**2 + x * (1 - x) * np.exp(-0.5 * np.arange(1, 200) / tau)) ** 4 - x**8
    memory = 1 + 2 * np.sum((long / wanted[0]) ** 2)
    assert np.all(np.abs(found - wanted) < 4 * wanted[0] * np.sqrt(2 * memory / len(y)))


NA, K, LEAK = (channel for channel in HH.channels if isinstance(channel, Channel))
NOTHING = Gate("z", 2, inf=HH.gates["n"].steady_state, tau=lambda v: 1 + 0 * v)
EMPTY = Channel("empty", 0.0, 0.0, (NOTHING,), 1.0)
SMOOTH = Membrane("smooth", (replace(NA, unitary=None), replace(K, unitary=None), LEAK, EMPTY))
OTHER = Membrane("other", (replace(NA, unitary=None), EMPTY, LEAK), capacitance=1.3)


@pytest.mark.parametrize(
    "stimuli",
    [
        PULSE,
        (PULSE, Clamp(voltage=-20.0, start=0.3, duration=1.0, at=250)),
        (Clamp(voltage=20.0), Clamp(voltage=-90.0, start=1.0, at=500)),
        Pulse(amplitude=2.0, start=0.1, duration=0.1, at=100),  # beyond the first tables
    ],
    ids=["pulse", "pulse and clamp", "clamps at both ends", "wide"],
)
def test_without_channels_by_chance_the_step_is_the_smooth_one(stimuli: Any) -> None:
    """The other engine with nothing but smooth gates: cable, stimuli, clamps, spikes, samples."""
    fibre = Axon(sections=(Section(300, 1, SMOOTH, celsius=18.5), Section(200, 2, OTHER, celsius=10.0)))
    how = {**HOW, "record": Record(currents=("Na", "leak"), every=0.02)}
    smooth, other = simulate(fibre, stimuli, **how), simulate(fibre, stimuli, **how, noise="markov", seed=1)
    assert_allclose(voltage(other), voltage(smooth), rtol=0, atol=1e-7)
    assert_array_equal(other.spike_compartment, smooth.spike_compartment)
    assert_allclose(other.spike_time, smooth.spike_time, rtol=0, atol=1e-9)
    assert len(smooth.spike_time) > 0
    assert_allclose(other.currents["leak"], smooth.currents["leak"], rtol=0, atol=1e-9)


@every_noise
def test_with_very_many_channels_a_spike_is_the_smooth_one(noise: str) -> None:
    many = replace(FIBRE, membrane=axon.hodgkin_huxley(unitary=2e-7), length=1500)
    how = {**HOW, "duration": 5.0, "dt": 0.0025, "dx": 15.0}
    smooth = simulate(replace(many, membrane=HH), PULSE, **how)
    run = simulate(many, PULSE, **how, noise=noise, seed=2)
    assert_allclose(float(run.velocity()), float(smooth.velocity()), rtol=1e-3, atol=0)
    assert np.abs(voltage(run) - voltage(smooth)).max() < 0.01 * np.ptp(voltage(smooth))


def test_noise_of_voltage_grows_with_the_root_of_the_unitary_conductance() -> None:
    def spread(unitary: float) -> float:
        patch = replace(PATCH, membrane=axon.hodgkin_huxley(unitary=unitary), length=1000)
        run = noisy(patch, (), duration=400.0, dt=0.02, dx=1000.0, record=Record(every=0.2))
        return float(voltage(run)[200:].std())

    assert spread(4.0) / spread(0.04) == pytest.approx(10, rel=0.25)


@every_noise
def test_same_seed_same_run_and_other_seed_other_run(noise: str) -> None:
    one, same, other = (noisy(noise=noise, seed=seed) for seed in (7, 7, 8))
    assert_array_equal(voltage(one), voltage(same))
    assert not np.array_equal(voltage(one), voltage(other))
    assert one.numerics["noise"] == noise and one.numerics["seed"] == 7


@every_noise
def test_answers_do_not_depend_on_threads_batches_or_what_is_recorded(noise: str) -> None:
    how = {**HOW, "noise": noise, "seed": 9}
    one, two = (simulate_many([FIBRE] * 5, PULSE, **how, threads=threads) for threads in (1, 2))
    fewer = simulate_many([FIBRE] * 2, PULSE, **how, record=Record(every=0.1, gates=True))
    for a, b in zip(one, two, strict=True):
        assert_array_equal(voltage(a), voltage(b))
        assert dict(a.numerics) == dict(b.numerics)
    for a, b in zip(one[:2], fewer, strict=True):
        assert_array_equal(voltage(a)[::2], voltage(b))
    assert not np.array_equal(voltage(one[0]), voltage(one[1]))


def test_a_run_among_many_is_repeated_alone_with_its_own_seed() -> None:
    run = simulate_many([FIBRE] * 3, PULSE, **HOW, noise="markov", seed=4)[2]
    alone = noisy(seed=run.numerics["seed"])
    assert_array_equal(voltage(alone), voltage(run))


def test_a_seed_is_drawn_and_kept_when_none_is_given() -> None:
    one, other = noisy(seed=None), noisy(seed=None)
    assert one.numerics["seed"] != other.numerics["seed"]
    assert_array_equal(voltage(noisy(seed=one.numerics["seed"])), voltage(one))


def test_a_noisy_run_survives_its_file(tmp_path: Path) -> None:
    record = Record(gates=True, currents=True)
    run = noisy(seed=2**63 + 1, record=record)
    run.save(tmp_path / "run.h5")
    again = axon.load(tmp_path / "run.h5")
    assert again == run
    assert (again.numerics["noise"], again.numerics["seed"]) == ("markov", 2**63 + 1)
    assert again.axon.sections[0].membrane == HH != axon.hodgkin_huxley(unitary=10.0)
    streamed = noisy(seed=2**63 + 1, record=record, to=tmp_path / "streamed.h5")
    assert_array_equal(voltage(streamed), voltage(run))
    assert_array_equal(np.asarray(streamed.gates["Na"]), run.gates["Na"])


def test_smooth_runs_know_nothing_of_noise() -> None:
    run = simulate(FIBRE, PULSE, **HOW)
    assert {"noise", "seed"}.isdisjoint(run.numerics)
    assert axon.hodgkin_huxley() == axon.hodgkin_huxley(unitary=20.0) != axon.hodgkin_huxley(unitary=10.0)


def test_gates_channels_and_currents_are_those_of_whole_channels() -> None:
    run = noisy(record=Record(gates=True, currents=True, where=[100, 300]))
    numbers = channel_numbers(run.compartments)[[run.compartments.nearest(x) for x in run.position]]
    area = run.compartments.area[0]
    assert list(run.gates) == ["m", "h", "n", "Na", "K"]
    for j, (name, gates) in enumerate([("Na", {"m": 3, "h": 1}), ("K", {"n": 4})]):
        channel = (NA, K)[j]
        opened = run.gates[name] * numbers[:, j]
        assert_allclose(opened, np.rint(opened), rtol=0, atol=1e-9)
        for gate, exponent in gates.items():
            each = run.gates[gate] * numbers[:, j] * exponent
            assert_allclose(each, np.rint(each), rtol=0, atol=1e-9)
            assert np.all(run.gates[name] <= run.gates[gate])
        density = opened * 20e-12 / area * (voltage(run) - channel.reversal)
        assert_allclose(run.currents[name], density, rtol=1e-12, atol=1e-15)
    only = noisy(record=Record(gates=("K", "m")))
    assert list(only.gates) == ["K", "m"]


def test_smooth_and_chance_channels_live_side_by_side() -> None:
    only_na = replace(HH, channels=(NA, replace(K, unitary=None), LEAK))
    run = noisy(replace(FIBRE, membrane=only_na), record=Record(gates=True, currents=True, every=0.1))
    assert_allclose(run.gates["K"], run.gates["n"] ** 4, rtol=1e-12, atol=0)
    assert_allclose(run.currents["K"], 0.036 * run.gates["K"] * (voltage(run) + 77.0), rtol=1e-9, atol=0)
    numbers = channel_numbers(run.compartments)
    assert np.isnan(numbers[:, 1]).all()
    assert not np.array_equal(run.gates["Na"], run.gates["m"] ** 3 * run.gates["h"])


def test_density_of_channels_does_not_depend_on_the_mesh() -> None:
    assert channel_numbers(PATCH.compartments(10)).tolist() == [[600, 180]]
    thin = Axon(length=300, diameter=0.1, membrane=HH)
    for dx in (0.5, 2.4, 7.0, 300.0):
        numbers = channel_numbers(thin.compartments(dx))
        assert_allclose(numbers.sum(axis=0), np.array([60, 18]) * np.pi * 30, rtol=0, atol=0.5)
        assert np.all(np.ptp(numbers, axis=0) <= 1)


def test_a_compartment_without_channels_has_no_fraction_and_no_current() -> None:
    few = replace(FIBRE, membrane=axon.hodgkin_huxley(unitary=1e6))
    run = noisy(few, record=Record(gates=True, currents=True))
    without = channel_numbers(few.compartments(10))[:, 1] == 0
    assert without.any()
    assert np.isnan(run.gates["K"][:, without]).all() and np.isnan(run.gates["n"][:, without]).all()
    assert_array_equal(run.currents["K"][:, without], 0.0)


def test_predicted_size_counts_channels_too() -> None:
    record, how = Record(gates=True), {"duration": 2.0, "dt": 0.01, "dx": 10.0}
    run = noisy(record=record)
    arrays = [voltage(run), *run.gates.values()]
    assert record.predicted_size(FIBRE, **how, noise="markov") == sum(a.nbytes for a in arrays)


def test_the_same_kernels_run_without_the_compiler() -> None:
    code = (
        "import axon, numpy as np\n"
        "fibre = axon.Axon(length=50, diameter=1.0, membrane=axon.hodgkin_huxley(), celsius=18.5)\n"
        "for noise in ('markov', 'langevin'):\n"
        "    run = axon.simulate(fibre, duration=0.2, dt=0.01, dx=10, noise=noise, seed=1)\n"
        "    print(repr(run.voltage[-1].tolist()))\n"
    )
    lines = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"NUMBA_DISABLE_JIT": disabled},
            capture_output=True,
            text=True,
            check=True,
            timeout=200,
        ).stdout.splitlines()
        for disabled in ("0", "1")
    ]
    for compiled, plain in zip(*lines, strict=True):
        assert_allclose(eval(compiled), eval(plain), rtol=0, atol=1e-9)


TWICE = Membrane("twice", (Channel("m", 0.1, 50.0, (HH.gates["m"],), 20.0), HH.channels[2]))
RING = replace(FIBRE, ring=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": "markof"}, "unknown noise 'markof'; did you mean 'markov'"),
        ({"noise": None, "seed": 3}, "seed needs noise"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"seed": 1.5}, "seed must be a whole number >= 0, got 1.5"),
        ({"seed": True}, "seed must be a whole number >= 0, got True"),
        ({"order": 4}, "order must be 2 with noise"),
        ({"axon": RING}, "not available on a ring"),
        ({"axon": replace(FIBRE, membrane=axon.passive())}, "needs a channel with a unitary conductance"),
        ({"axon": replace(FIBRE, membrane=TWICE)}, "'m' is a gate and a channel"),
        ({"axon": replace(FIBRE, membrane=axon.membranes.model("frankenhaeuser_huxley"))}, "by permeability"),
        ({"noise": "langevin", "dt": 0.1}, 'dt = 0.1 ms is too large for noise="langevin"'),
        ({"record": Record(gates=("Na", "q"))}, "unknown gate 'q'"),
    ],
    ids=str,
)
def test_bad_noise_is_one_clear_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        noisy(**changes)


def test_names_of_channels_are_no_gates_of_a_smooth_run() -> None:
    with pytest.raises(ValueError, match="unknown gate 'Na'"):
        simulate(FIBRE, PULSE, **HOW, record=Record(gates=("Na",)))


@pytest.mark.parametrize(
    ("unitary", "gates", "message"),
    [
        (0.0, (HH.gates["m"],), "unitary must be > 0 pS, got 0.0"),
        (-20.0, (HH.gates["m"],), "unitary must be > 0 pS, got -20.0"),
        (float("nan"), (HH.gates["m"],), "unitary must be > 0 pS, got nan"),
        (20.0, (), "unitary must be None for a leak"),
    ],
)
def test_bad_unitary_conductance_is_refused(unitary: float, gates: tuple[Gate, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Channel("Na", 0.1, 50.0, gates, unitary)

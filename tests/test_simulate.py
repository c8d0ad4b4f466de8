"""simulate and simulate_many: what they assume, what they refuse, and how they stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import axon.stepping.stepper
from axon import (
    Axon,
    Channel,
    Clamp,
    Gate,
    Membrane,
    Pulse,
    Record,
    Run,
    Unstable,
    default_dt,
    hodgkin_huxley,
    passive,
    simulate,
    simulate_many,
)
from axon.progress import Progress
from axon.stimuli import Stimulus

Array = NDArray[np.float64]

HH = hodgkin_huxley()
SQUID = Axon(length=10_000, diameter=476, membrane=HH, celsius=18.5)
PULSE = Pulse(amplitude=30_000, start=0.1, duration=0.2, at=2_000)
EVERY_STEP = Record(every=1e-9)


def voltage(run: Run) -> Array:
    assert run.voltage is not None
    return run.voltage


@pytest.mark.parametrize(("celsius", "dt"), [(6.3, 0.01), (18.5, 0.0025)])
def test_default_dt_shrinks_as_the_gates_quicken(celsius: float, dt: float) -> None:
    axon = Axon(length=1_000, diameter=100, membrane=HH, celsius=celsius)
    assert default_dt(axon) == dt
    assert simulate(axon, duration=0.1).numerics["dt"] == dt


def test_default_dt_of_a_passive_axon_is_the_longest() -> None:
    assert default_dt(Axon(length=1_000, diameter=100, membrane=passive())) == 0.025


def test_numerics_tell_what_was_done() -> None:
    run = simulate(SQUID, duration=1.005, dt=0.02, dx=250, order=4)
    assert dict(run.numerics) == {
        "dt": 0.02, "dx": 250.0, "order": 4, "order_in_dt": 3, "duration": 51 * 0.02, "steps": 51,
        "compartments": 40,
    }  # fmt: skip
    assert run.complete
    assert simulate(SQUID, duration=0.1).numerics["dx"] is None


@pytest.mark.parametrize(
    ("duration", "dt", "steps"), [(1.0, 0.1, 10), (0.3, 0.1, 3), (1.0, 0.3, 4), (0.7, 0.7, 1)]
)
def test_duration_is_rounded_up_to_whole_steps(duration: float, dt: float, steps: int) -> None:
    cable = Axon(length=1_000, diameter=10, membrane=passive())
    assert simulate(cable, duration=duration, dt=dt).numerics["steps"] == steps


def test_initial_voltage_may_be_one_number_or_one_per_compartment() -> None:
    flat = simulate(SQUID, duration=0.5, dt=0.01, dx=250, initial_voltage=-60.0)
    each = simulate(SQUID, duration=0.5, dt=0.01, dx=250, initial_voltage=np.full(40, -60.0))
    assert_array_equal(voltage(flat), voltage(each))
    assert_array_equal(voltage(flat)[0], -60.0)


def once(**changes: object) -> Callable[[], object]:
    how = {"axon": SQUID, "stimuli": (), "duration": 1.0, "dx": 250.0} | changes
    return lambda: simulate(**how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (once(duration=-1.0), r"duration must be > 0 ms, got -1.0"),
        (once(duration=0), r"duration must be > 0 ms, got 0"),
        (once(duration=np.nan), r"duration must be > 0 ms, got nan"),
        (once(duration="10"), r"duration must be a number > 0 ms, got '10'"),
        (once(dt=0.0), r"dt must be > 0 ms, got 0.0"),
        (once(dt=0.5), r"dt = 0.5 ms is too large for a stable answer: .* use at most 0\.\d+ ms"),
        (once(duration=0.001), r"duration must be at least one time step of 0\.0025 ms, got 0.001"),
        (once(dx=-3), r"dx must be > 0 um, got -3"),
        (
            once(dx=20_000),
            r"dx must not be longer than a section: got 20000 um, but section 0 is 10000 um long",
        ),
        (once(order=3), r"order must be 2 or 4, got 3"),
        (
            once(stimuli=Pulse(amplitude=1, duration=1, at=10_001)),
            r"Pulse.at must lie on the axon \(0..10000 um\), got 10001",
        ),
        (
            once(stimuli=[Clamp(voltage=0, at=2e4)]),
            r"Clamp.at must lie on the axon \(0..10000 um\), got 20000.0",
        ),
        (
            once(stimuli=[Clamp(voltage=0, at=0), Clamp(voltage=1, at=100)]),
            r"two Clamps hold the same compartment; move one of them or make dx smaller",
        ),
        (once(stimuli="pulse"), r"stimuli must be Pulse, Train, Ramp, Synapse or Clamp, got 'p'"),
        (once(stimuli=[400.0]), r"stimuli must be Pulse, Train, Ramp, Synapse or Clamp, got 400.0"),
        (once(axon=HH), r"axon must be an Axon, got hodgkin_huxley\(\)"),
        (
            once(initial_voltage=[-65.0] * 3),
            r"initial_voltage .* each of the 40 compartments, got an array of shape \(3,\)",
        ),
        (once(initial_voltage=np.nan), r"initial_voltage must be finite"),
        (once(record=Record(gates=["q"])), r"unknown gate 'q'; known: h, m, n"),
        (
            once(record=Record(currents=["na"])),
            r"unknown channel 'na'; did you mean 'Na'\? known: K, Na, leak",
        ),
        (
            once(record=Record(where=[2e4])),
            r"Record.where must lie on the axon \(0..10000 um\), got 20000.0",
        ),
        (
            lambda: simulate_many([SQUID], PULSE, duration=1, threads=0),
            r"threads must be a whole number >= 1, got 0",
        ),
        (
            lambda: simulate_many([SQUID], PULSE, duration=1, threads=1.5),
            r"threads must be a whole number >= 1, got 1.5",
        ),  # type: ignore[arg-type]
        (
            lambda: simulate_many([SQUID, SQUID], [PULSE], duration=1),
            r"stimuli must be one stimulus .* of the 2, got 1",
        ),
        (lambda: simulate_many([SQUID, 3], PULSE, duration=1), r"axon must be an Axon, got 3"),  # type: ignore[list-item]
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_clear_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_runaway_voltage_stops_the_run_and_is_named() -> None:
    blow = Pulse(amplitude=1e9, start=0.2, duration=1, at=6_125)
    told = r"voltage is \d+ mV at t = 0\.21 ms, x = 6125 um; try a smaller dt than 0\.01 ms"
    with pytest.raises(Unstable, match=told):
        simulate(SQUID, blow, duration=5, dt=0.01, dx=250)


def broken_rate(v: Array) -> Array:
    return np.where(v > 160.0, np.nan, 1.0)  # beyond where rates are checked


def test_a_rate_that_is_no_number_stops_the_run_and_is_named() -> None:
    gate = Gate("q", 1, alpha=broken_rate, beta=broken_rate)
    membrane = Membrane("broken", (Channel("X", 1e-6, -65.0, (gate,)), Channel("leak", 0.0003, -65.0)))
    axon = Axon(length=1_000, diameter=10, membrane=membrane)
    with pytest.raises(Unstable, match=r"voltage is nan mV at t = 0\.\d+ ms, x = 50 um"):
        simulate(axon, Pulse(amplitude=300, duration=1), duration=5, dt=0.02, dx=100, initial_voltage=-65)


def test_a_voltage_far_outside_the_usual_range_is_no_reason_to_stop() -> None:
    run = simulate(SQUID, Pulse(amplitude=-3e5, start=0.1, duration=1, at=0), duration=2, dt=0.01, dx=250)
    assert voltage(run).min() < -500.0
    assert np.all(np.isfinite(voltage(run)))


class TestInterrupt:
    """Ctrl-C, sent by the progress bar after so many chunks of steps."""

    @pytest.fixture(autouse=True)
    def small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(axon.stepping.stepper, "_CHUNK_SECONDS", 40 * 100 * 8e-9)  # about a hundred steps

    @pytest.fixture
    def interrupt_after(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        def arm(chunks: int) -> None:
            calls = iter(range(10_000))

            def advance(self: Progress, amount: float) -> None:
                if next(calls) == chunks - 1:
                    os.kill(os.getpid(), signal.SIGINT)

            monkeypatch.setattr(Progress, "advance", advance)

        return arm

    def test_it_keeps_what_was_computed(self, interrupt_after: Callable[[int], None]) -> None:
        how = {"dt": 0.01, "dx": 250, "record": Record(every=0.05, gates=True, currents=True)}
        interrupt_after(2)
        run = simulate(SQUID, PULSE, duration=50, **how)
        steps = run.numerics["steps"]
        assert not run.complete and 0 < steps < 1_000
        assert run.numerics["duration"] == steps * 0.01
        whole = simulate(SQUID, PULSE, duration=steps * 0.01, **how)
        assert whole.complete
        assert_array_equal(run.time, whole.time)
        assert_array_equal(voltage(run), voltage(whole))
        assert_array_equal(run.gates["m"], whole.gates["m"])
        assert_array_equal(run.spike_time, whole.spike_time)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_it_ends_every_group_of_axons(self, threads: int, interrupt_after: Callable[[int], None]) -> None:
        interrupt_after(3)
        runs = simulate_many([SQUID] * 16, PULSE, duration=500, dt=0.01, dx=250, threads=threads)
        assert len(runs) == 16
        assert not any(run.complete for run in runs)
        assert all(run.numerics["steps"] < 49_000 for run in runs)

    def test_ctrl_c_means_what_it_did_before_again(self, interrupt_after: Callable[[int], None]) -> None:
        before = signal.getsignal(signal.SIGINT)
        interrupt_after(1)
        simulate(SQUID, PULSE, duration=50, dt=0.01, dx=250)
        assert signal.getsignal(signal.SIGINT) is before

    def test_it_ends_a_loop_of_brief_runs(self, interrupt_after: Callable[[int], None]) -> None:
        interrupt_after(20)
        with pytest.raises(KeyboardInterrupt):
            for _ in range(40):
                simulate(SQUID, PULSE, duration=0.1, dt=0.01, dx=250)


SCRIPT = """
import sys
import numpy as np
import axon
from axon import Axon, Clamp, Pulse, Record, Section
squid = Axon(sections=[Section(300, 50, axon.hodgkin_huxley()), Section(200, 20, axon.passive())])
ring = Axon(length=1600, diameter=50, membrane=axon.hodgkin_huxley(), ring=True)
pulse = Pulse(amplitude=300, start=0.1, duration=0.2)
clamp = Clamp(voltage=-30.0, start=0.5, duration=0.3, at=450)
how = dict(duration=1, dt=0.02, dx=100, record=Record(every=0.02, gates=True))
runs = axon.simulate_many([squid, ring], [[pulse, clamp], pulse], order=4, **how)
kept = [(run.voltage, run.gates["m"], run.spike_time) for run in runs]
np.savez(sys.argv[1], *kept[0], *kept[1])
"""


def test_the_engine_gives_the_same_answers_without_the_compiler(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("engines")
    answers = []
    for disabled in ("0", "1"):
        path = folder / f"{disabled}.npz"
        env = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True, env=env, timeout=200)
        with np.load(path) as arrays:
            answers.append([arrays[name] for name in arrays.files])
    assert np.ptp(answers[0][0]) > 80 and len(answers[0][-1]) == 16
    for compiled, plain in zip(*answers, strict=True):
        assert_allclose(compiled, plain, rtol=0, atol=1e-10, equal_nan=True)


def test_sequence_arguments_may_be_any_iterable() -> None:
    stimuli: Sequence[Stimulus] = [PULSE, Clamp(voltage=-65, at=0)]
    listed = simulate(SQUID, stimuli, duration=0.5, dx=250)
    drawn = simulate(SQUID, iter(stimuli), duration=0.5, dx=250)
    assert drawn.stimuli == listed.stimuli == tuple(stimuli)
    assert_array_equal(voltage(drawn), voltage(listed))

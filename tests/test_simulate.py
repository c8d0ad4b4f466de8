"""simulate and simulate_many: what they conserve, what they refuse, and how they stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import axon.stepping
from axon import (
    Axon,
    Channel,
    Clamp,
    Gate,
    Membrane,
    Pulse,
    Record,
    Run,
    Section,
    Train,
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

lengths = st.integers(1, 12).map(lambda n: 100.0 * n)
diameters = st.floats(1.0, 500.0)
membranes = st.sampled_from([HH, passive(), passive(conductance=0.002, reversal=-70.0, capacitance=2.0)])
temperatures = st.sampled_from([6.3, 12.0, 18.5])
sections = st.builds(Section, length=lengths, diameter=diameters, membrane=membranes, celsius=temperatures)
axons = st.lists(sections, min_size=1, max_size=5).map(lambda parts: Axon(sections=parts))


def voltage(run: Run) -> Array:
    assert run.voltage is not None
    return run.voltage


def run_end(run: Run) -> Array:
    return voltage(run)[-1]


def capacitive_charge(run: Run) -> float:
    """Charge (pC) that went onto the membrane between the first sample and the last."""
    return float(run.compartments.capacitance @ (voltage(run)[-1] - voltage(run)[0]))


# ----- what stays the same


@pytest.mark.parametrize("order", [2, 4])
@given(axon=axons, place=st.floats(0, 1), start=st.floats(0, 0.2), width=st.floats(0.01, 0.2))
@settings(max_examples=15)
def test_every_injected_charge_stays_on_a_membrane_that_lets_none_through(
    axon: Axon, place: float, start: float, width: float, order: int
) -> None:
    tight = Axon(sections=[Section(s.length, s.diameter, passive(conductance=0.0)) for s in axon.sections])
    stimuli: list[Stimulus] = [
        Pulse(amplitude=7.0, start=start, duration=width, at=place * axon.total_length),
        Train(amplitude=-2.0, start=start, duration=0.02, interval=0.1, count=3, at=0.0),
    ]
    # From 0 mV, so that rounding is relative to what was injected and not to what lay there.
    how = {
        "duration": 0.6,
        "dt": 0.013,
        "dx": 100,
        "order": order,
        "initial_voltage": 0.0,
        "record": EVERY_STEP,
    }
    run = simulate(tight, stimuli, **how)
    assert_allclose(
        run.compartments.capacitance @ run_end(run), 7.0 * width - 3 * 2.0 * 0.02, rtol=0, atol=1e-11
    )


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("ring", [False, True])
def test_charge_in_is_charge_stored_and_charge_out_through_a_leak(ring: bool, order: int) -> None:
    cable = Axon(length=3_200, diameter=10, membrane=passive(), ring=ring)
    on = Pulse(amplitude=3.0, start=0.123, duration=1.0, at=1_111)
    run = simulate(cable, on, duration=3, dt=0.02, dx=100, order=order, record=EVERY_STEP)
    v = voltage(run)
    midway = 0.5 * (v[1:] + v[:-1])  # where the scheme takes the ionic current
    leaked = 0.02 * 0.0003 * 1e6 * np.sum(run.compartments.area * (midway + 65.0))
    assert_allclose(capacitive_charge(run) + leaked, 3.0, rtol=1e-11, atol=0)


@pytest.mark.parametrize("order", [2, 4])
def test_charge_in_is_charge_stored_and_charge_out_through_squid_channels(order: int) -> None:
    dt = 0.01
    run = simulate(SQUID, PULSE, duration=3, dt=dt, dx=250, order=order, record=EVERY_STEP)
    v, area = voltage(run), run.compartments.area * 1e6
    assert v.max() > 0
    gates = {name: gate.steady_state(v[0]) for name, gate in HH.gates.items()}
    leaked = 0.0
    for before, after in zip(v[:-1], v[1:], strict=True):
        for name, gate in HH.gates.items():
            steady, tau = gate.steady_state(before), gate.time_constant(before, 18.5)
            gates[name] = steady + (gates[name] - steady) * np.exp(-dt / tau)
        leaked += dt * float(area @ HH.current(0.5 * (before + after), gates))
    # To the error of the rate tables; the scheme itself is exact (the two tests above).
    assert_allclose(capacitive_charge(run) + leaked, 6_000.0, rtol=2e-8, atol=0)


@pytest.mark.parametrize("order", [2, 4])
@given(axon=axons, place=st.floats(0, 1))
@settings(max_examples=15)
def test_the_mirror_image_of_an_axon_answers_in_mirror_image(axon: Axon, place: float, order: int) -> None:
    at = place * axon.total_length
    how = {"duration": 1.0, "dt": 0.02, "dx": 100, "order": order}
    run = simulate(axon, Pulse(amplitude=300, duration=0.2, at=at), **how)
    mirror = Axon(sections=list(reversed(axon.sections)))
    back = simulate(mirror, Pulse(amplitude=300, duration=0.2, at=axon.total_length - at), **how)
    scale = np.abs(voltage(run)).max()
    assert_allclose(voltage(back)[:, ::-1], voltage(run), rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize("order", [2, 4])
def test_splitting_a_section_in_two_changes_nothing(order: int) -> None:
    whole = SQUID
    halves = Axon(sections=[Section(4_000, 476, HH, celsius=18.5), Section(6_000, 476, HH, celsius=18.5)])
    how = {"duration": 2, "dt": 0.02, "dx": 250, "order": order, "record": Record(gates=True, currents=True)}
    one, two = simulate(whole, PULSE, **how), simulate(halves, PULSE, **how)
    assert_allclose(voltage(two), voltage(one), rtol=0, atol=1e-11)
    assert_allclose(two.gates["h"], one.gates["h"], rtol=0, atol=1e-13)
    assert_allclose(two.spike_time, one.spike_time, rtol=0, atol=1e-13)


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("shift", [1, 7, 20, 31])
def test_turning_a_ring_turns_its_answer(shift: int, order: int) -> None:
    ring = Axon(length=8_000, diameter=476, membrane=HH, celsius=18.5, ring=True)
    runs = [
        simulate(
            ring, Pulse(amplitude=30_000, duration=0.2, at=at), duration=1.5, dt=0.02, dx=250, order=order
        )
        for at in (125.0 + 250.0 * 3, 125.0 + 250.0 * ((3 + shift) % 32))
    ]
    assert np.ptp(voltage(runs[0])) > 80
    assert_allclose(np.roll(voltage(runs[0]), shift, axis=1), voltage(runs[1]), rtol=0, atol=1e-10)


def test_a_spike_on_a_ring_meets_itself_on_the_far_side() -> None:
    ring = Axon(length=32_000, diameter=476, membrane=HH, celsius=18.5, ring=True)
    run = simulate(ring, Pulse(amplitude=60_000, duration=0.2, at=125.0), duration=4, dt=0.02, dx=250)
    arrivals = run.arrivals()
    assert_allclose(arrivals[1:64], arrivals[:64:-1], rtol=0, atol=1e-9)
    assert int(np.argmax(arrivals)) == 64


def test_several_stimuli_act_together_on_a_passive_cable_as_their_sum() -> None:
    cable = Axon(length=2_000, diameter=4, membrane=passive())
    one, two = (
        Pulse(amplitude=0.5, start=0.1, duration=1, at=300),
        Train(amplitude=-0.2, duration=0.1, interval=0.3, count=5, at=1_900),
    )
    how = {"duration": 2, "dt": 0.02, "dx": 50}
    both, first, second = (voltage(simulate(cable, s, **how)) for s in ([one, two], one, two))
    assert_allclose(both - first, second + 65.0, rtol=0, atol=1e-11)


def test_what_is_recorded_does_not_change_what_happens() -> None:
    how = {"duration": 2, "dt": 0.01, "dx": 250}
    full = simulate(SQUID, PULSE, record=Record(gates=True, currents=True), **how)
    for record in (Record(voltage=None), Record(every=0.01, positions=[0]), Record(voltage="float32")):
        run = simulate(SQUID, PULSE, record=record, **how)
        assert_array_equal(run.spike_time, full.spike_time)
        assert_array_equal(run.spike_compartment, full.spike_compartment)


def test_an_axon_without_stimuli_stays_at_rest() -> None:
    mixed = Axon(
        sections=[Section(2_000, 100, HH), Section(500, 20, passive(reversal=-80)), Section(1_000, 50, HH)]
    )
    run = simulate(mixed, duration=5, dt=0.02, dx=100)
    assert np.ptp(voltage(run)[0]) > 0.2  # the passive stretch pulls its neighbours down
    assert_allclose(voltage(run), voltage(run)[:1].repeat(len(run.time), 0), rtol=0, atol=1e-8)
    assert len(run.spike_time) == 0


# ----- the voltage clamp


@pytest.mark.parametrize("level", [0.0, -20.123456789, 37.1, -200.0])
def test_clamp_holds_its_voltage_to_the_last_bit(level: float) -> None:
    clamp = Clamp(voltage=level, start=0.2, duration=0.5, at=3_100)
    run = simulate(SQUID, [clamp, PULSE], duration=1, dt=0.01, dx=250, record=EVERY_STEP)
    held = voltage(run)[:, run.at(3_100)]
    assert_array_equal(held[20:70], level)
    assert np.all(held[:20] != level) and np.all(held[71:] != level)


def test_two_clamps_pin_the_stretch_between_them() -> None:
    cable = Axon(length=2_000, diameter=4, membrane=passive(conductance=0.0))
    clamps = [Clamp(voltage=-80.0, at=0), Clamp(voltage=-20.0, at=2_000)]
    run = simulate(
        cable, clamps, duration=200, dt=0.02, dx=100, initial_voltage=-65, record=Record(every=200)
    )
    # Without a leak the steady potential is a straight line.
    assert_allclose(voltage(run)[-1], np.linspace(-80, -20, 20), rtol=0, atol=1e-9)


def test_clamps_side_by_side_screen_what_lies_behind_them() -> None:
    clamps = [Clamp(voltage=-64.99637933, at=5_125), Clamp(voltage=-64.99637933, at=5_375)]
    run = simulate(SQUID, [PULSE, *clamps], duration=2, dt=0.01, dx=250)
    assert voltage(run)[:, :20].max() > 0
    assert np.ptp(voltage(run)[:, 22:]) < 1e-6


def test_a_clamped_patch_shows_the_gates_of_a_step() -> None:
    # Hodgkin & Huxley's own experiment: at constant V every gate relaxes exponentially.
    patch = Axon(length=100, diameter=100, membrane=HH)
    clamp = Clamp(voltage=0.0, start=0.2)
    run = simulate(
        patch, clamp, duration=3, dt=0.01, dx=100, record=Record(every=0.1, gates=True, currents=True)
    )
    since = run.time[2:] - 0.2
    for name, gate in HH.gates.items():
        start, end = gate.steady_state(HH.resting_potential()), gate.steady_state(0.0)
        exact = end + (start - end) * np.exp(-since / gate.time_constant(0.0, 6.3))
        assert_allclose(run.gates[name][2:, 0], exact, rtol=0, atol=1e-7)
    assert_allclose(
        run.currents["Na"][2:, 0],
        0.12 * (run.gates["m"] ** 3 * run.gates["h"])[2:, 0] * -50,
        rtol=1e-12,
        atol=0,
    )


# ----- defaults


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
        "dt": 0.02, "dx": 250.0, "order": 4, "duration": 51 * 0.02, "steps": 51, "compartments": 40,
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


# ----- what is refused, in one clear line


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
        (once(stimuli="pulse"), r"stimuli must be Pulse, Train or Clamp, got 'p'"),
        (once(stimuli=[400.0]), r"stimuli must be Pulse, Train or Clamp, got 400.0"),
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
            once(record=Record(positions=[2e4])),
            r"Record.positions must lie on the axon \(0..10000 um\), got 20000.0",
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


# ----- stopping early


def test_a_runaway_voltage_stops_the_run_and_is_named() -> None:
    blow = Pulse(amplitude=1e9, start=0.2, duration=1, at=6_125)
    told = r"voltage is \d+ mV at t = 0\.21 ms, x = 6125 um; try a smaller dt than 0\.01 ms, or a weaker stimulus there"
    with pytest.raises(Unstable, match=told):
        simulate(SQUID, blow, duration=5, dt=0.01, dx=250)


def broken_rate(v: Array) -> Array:
    return np.where(v > -30.0, np.nan, 1.0)


def test_a_rate_that_is_no_number_stops_the_run_and_is_named() -> None:
    gate = Gate("q", 1, alpha=broken_rate, beta=broken_rate)
    membrane = Membrane("broken", (Channel("X", 1e-6, -65.0, (gate,)), Channel("leak", 0.0003, -65.0)))
    axon = Axon(length=1_000, diameter=10, membrane=membrane)
    with pytest.raises(Unstable, match=r"voltage is nan mV at t = 0\.\d+ ms, x = 50 um"):
        simulate(
            axon, Pulse(amplitude=30, start=0.5, duration=1), duration=5, dt=0.02, dx=100, initial_voltage=-65
        )


def test_a_voltage_far_outside_the_usual_range_is_no_reason_to_stop() -> None:
    run = simulate(SQUID, Pulse(amplitude=-3e5, start=0.1, duration=1, at=0), duration=2, dt=0.01, dx=250)
    assert voltage(run).min() < -500.0
    assert np.all(np.isfinite(voltage(run)))


class TestInterrupt:
    """Ctrl-C, sent by the progress bar after so many chunks of steps."""

    @pytest.fixture(autouse=True)
    def small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(axon.stepping, "_CHUNK_SECONDS", 40 * 100 * 8e-9)  # about a hundred steps

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


SCRIPT = """
import sys
import numpy as np
import axon
squid = axon.Axon(sections=[axon.Section(300, 50, axon.hodgkin_huxley()), axon.Section(200, 20, axon.passive())])
ring = axon.Axon(length=1600, diameter=50, membrane=axon.hodgkin_huxley(), ring=True)
stimuli = [axon.Pulse(amplitude=300, start=0.1, duration=0.2), axon.Clamp(voltage=-30.0, start=0.5, duration=0.3, at=450)]
how = dict(duration=1, dt=0.02, dx=100, record=axon.Record(every=0.02, gates=True))
runs = axon.simulate_many([squid, ring], [stimuli, stimuli[0]], order=4, **how)
np.savez(sys.argv[1], *[run.voltage for run in runs], *[run.gates["m"] for run in runs], *[run.spike_time for run in runs])
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

"""Stimuli: their charge, conductance or level at any time, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad

from axon import Clamp, Pulse, Train
from axon.stimuli import Ramp, Synapse

NAMES = {"Pulse": Pulse, "Train": Train, "Clamp": Clamp, "Ramp": Ramp, "Synapse": Synapse, "inf": np.inf}

times = st.floats(0, 30)


def test_charge_of_a_pulse_grows_while_it_lasts() -> None:
    pulse = Pulse(amplitude=-2.0, start=1.0, duration=0.5)
    t = np.array([[0.0, 1.0, 1.25], [1.5, 9.0, 1e9]])
    assert_allclose(pulse.charge(t), [[0, 0, -0.5], [-1, -1, -1]], rtol=1e-15, atol=0)


def test_a_pulse_of_infinite_duration_stays_on() -> None:
    assert_allclose(
        Pulse(amplitude=3.0, start=2.0, duration=np.inf).charge(np.array([1.0, 2.0, 1e6])),
        [0, 0, 3 * (1e6 - 2)],
        rtol=1e-15,
        atol=0,
    )


@given(
    st.floats(-10, 10), times, st.floats(0, 0.9), st.integers(1, 8), st.lists(times, min_size=1, max_size=9)
)
def test_a_train_is_its_pulses_one_after_another(
    amplitude: float, start: float, duration: float, count: int, t: list[float]
) -> None:
    train = Train(amplitude=amplitude, start=start, duration=duration, interval=1.25, count=count)
    pulses = [Pulse(amplitude=amplitude, start=start + 1.25 * i, duration=duration) for i in range(count)]
    together = sum(pulse.charge(np.array(t)) for pulse in pulses)
    assert_allclose(train.charge(np.array(t)), together, rtol=1e-12, atol=1e-12)


def test_a_train_without_gaps_is_one_pulse() -> None:
    t = np.linspace(0, 6, 61)
    train = Train(amplitude=2.0, start=0.5, duration=1.0, interval=1.0, count=4)
    assert_allclose(
        train.charge(t), Pulse(amplitude=2.0, start=0.5, duration=4.0).charge(t), rtol=1e-12, atol=1e-12
    )


def test_the_mean_current_over_a_step_holds_the_whole_charge_wherever_the_edges_fall() -> None:
    pulse = Pulse(amplitude=7.0, start=0.1037, duration=0.2511)
    edges = np.arange(0, 101) * 0.013
    mean = np.diff(pulse.charge(edges)) / 0.013
    assert_allclose(mean.sum() * 0.013, 7.0 * 0.2511, rtol=1e-13, atol=0)
    assert np.count_nonzero((mean > 0) & (mean < 6.999)) == 2  # the two steps with an edge inside


@pytest.mark.parametrize(
    ("clamp", "on"),
    [
        (Clamp(voltage=-10.0, start=0.2, duration=0.3), range(2, 5)),
        (Clamp(voltage=-10.0, start=0.24, duration=0.3), range(2, 5)),  # edges go to the nearest step
        (Clamp(voltage=-10.0, start=0.26, duration=0.3), range(3, 6)),
        (Clamp(voltage=-10.0, start=0.7), range(7, 10)),
        (Clamp(voltage=-10.0, start=0.2, duration=0.0), range(0)),
        (Clamp(voltage=-10.0), range(10)),
    ],
)
def test_a_clamp_is_on_from_its_first_step_to_its_last(clamp: Clamp, on: range) -> None:
    expected = np.full(10, np.nan)
    expected[list(on)] = -10.0
    assert_array_equal(clamp.level(np.arange(10), 0.1), expected)


def test_a_ramp_has_the_charge_of_a_triangle() -> None:
    ramp = Ramp(amplitude=6.0, start=1.0, duration=2.0)
    t = np.array([0.0, 1.0, 2.0, 3.0, 50.0])
    assert_allclose(ramp.charge(t), [0, 0, 1.5, 6.0, 6.0], rtol=1e-14, atol=0)


@pytest.mark.parametrize("shape", ["exponential", "alpha"])
def test_a_synapse_is_conducted_as_much_as_it_is_open(shape: str) -> None:
    synapse = Synapse(conductance=0.3, reversal=0.0, onset=1.3, tau=0.7, shape=shape)
    t = np.array([0.5, 1.3, 1.7, 2.4, 6.0])
    exact = [quad(lambda s: float(synapse.opened(np.array(s))), 1.3, max(x, 1.3), epsabs=1e-13)[0] for x in t]
    assert_allclose(synapse.conducted(t), exact, rtol=1e-9, atol=1e-12)


def test_a_synapse_is_greatest_where_it_says() -> None:
    t = np.linspace(0, 5, 5_001)
    fast = Synapse(conductance=0.3, reversal=0.0, onset=1.0, tau=0.7).opened(t)
    slow = Synapse(conductance=0.3, reversal=0.0, onset=1.0, tau=0.7, shape="alpha").opened(t)
    assert (fast.max(), t[fast.argmax()]) == (0.3, 1.0) and np.all(fast[t < 1] == 0)
    assert_allclose([slow.max(), t[slow.argmax()]], [0.3, 1.7], rtol=1e-9, atol=0)


def test_a_synapse_of_infinite_tau_stays_open() -> None:
    synapse = Synapse(conductance=0.3, reversal=0.0, onset=1.0, tau=np.inf)
    t = np.array([0.0, 1.0, 3.0])
    assert_array_equal(synapse.opened(t), [0.0, 0.3, 0.3])
    assert_allclose(synapse.conducted(t), [0, 0, 0.6], rtol=1e-14, atol=0)


def test_stimuli_have_the_repr_of_the_call_that_made_them() -> None:
    for stimulus in (
        Pulse(amplitude=1.0, duration=0.2, at=30.0),
        Train(amplitude=1.0, duration=0.2, interval=1.0, count=3),
        Clamp(voltage=-20.0, start=1.0),
        Ramp(amplitude=1.0, duration=2.0),
        Synapse(conductance=0.1, reversal=0.0, tau=1.0, shape="alpha"),
    ):
        assert eval(repr(stimulus), NAMES) == stimulus


SYNAPSE = {"conductance": 0.1, "reversal": 0.0, "tau": 1.0}
PULSE = {"amplitude": 1.0, "duration": 0.2}
TRAIN = {"amplitude": 1.0, "duration": 0.2, "interval": 1.0, "count": 3}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Pulse(**PULSE | {"amplitude": np.nan}),
            r"Pulse.amplitude must be a finite number of nA, got nan",
        ),
        (lambda: Pulse(**PULSE | {"start": -0.1}), r"Pulse.start must be >= 0 ms, got -0.1"),
        (lambda: Pulse(**PULSE | {"start": np.inf}), r"Pulse.start must be >= 0 ms, got inf"),
        (lambda: Pulse(**PULSE | {"duration": -1}), r"Pulse.duration must be >= 0 ms, got -1"),
        (lambda: Pulse(**PULSE | {"duration": np.nan}), r"Pulse.duration must be >= 0 ms, got nan"),
        (lambda: Pulse(**PULSE | {"at": -5}), r"Pulse.at must be >= 0 um, got -5"),
        (lambda: Pulse(**PULSE | {"at": "soma"}), r"Pulse.at must be a number >= 0 um, got 'soma'"),
        (
            lambda: Train(**TRAIN | {"amplitude": np.inf}),
            r"Train.amplitude must be a finite number of nA, got inf",
        ),
        (lambda: Train(**TRAIN | {"start": -1}), r"Train.start must be >= 0 ms, got -1"),
        (lambda: Train(**TRAIN | {"duration": -1}), r"Train.duration must be >= 0 ms, got -1"),
        (lambda: Train(**TRAIN | {"duration": np.inf}), r"Train.duration must be >= 0 ms, got inf"),
        (lambda: Train(**TRAIN | {"interval": 0}), r"Train.interval must be > 0 ms, got 0"),
        (
            lambda: Train(**TRAIN | {"interval": 0.1}),
            r"Train.interval must not be shorter than its duration of 0.2 ms, got 0.1",
        ),
        (lambda: Train(**TRAIN | {"count": 0}), r"Train.count must be a whole number >= 1, got 0"),
        (lambda: Train(**TRAIN | {"count": 2.5}), r"Train.count must be a whole number >= 1, got 2.5"),
        (lambda: Train(**TRAIN | {"count": True}), r"Train.count must be a whole number >= 1, got True"),
        (lambda: Train(**TRAIN | {"count": "3"}), r"Train.count must be a whole number >= 1, got '3'"),
        (lambda: Train(**TRAIN | {"count": np.nan}), r"Train.count must be a whole number >= 1, got nan"),
        (lambda: Train(**TRAIN | {"at": np.nan}), r"Train.at must be >= 0 um, got nan"),
        (
            lambda: Ramp(amplitude=np.nan, duration=1),
            r"Ramp.amplitude must be a finite number of nA, got nan",
        ),
        (lambda: Ramp(amplitude=1, duration=0), r"Ramp.duration must be > 0 ms, got 0"),
        (lambda: Ramp(amplitude=1, duration=1, start=-1), r"Ramp.start must be >= 0 ms, got -1"),
        (lambda: Ramp(amplitude=1, duration=1, at=-1), r"Ramp.at must be >= 0 um, got -1"),
        (lambda: Synapse(**SYNAPSE | {"conductance": -1}), r"Synapse.conductance must be >= 0 uS, got -1"),
        (
            lambda: Synapse(**SYNAPSE | {"reversal": np.nan}),
            r"Synapse.reversal must be a finite .* mV, got nan",
        ),
        (lambda: Synapse(**SYNAPSE | {"onset": -1}), r"Synapse.onset must be >= 0 ms, got -1"),
        (lambda: Synapse(**SYNAPSE | {"tau": 0}), r"Synapse.tau must be > 0 ms, got 0"),
        (
            lambda: Synapse(**SYNAPSE | {"tau": np.inf, "shape": "alpha"}),
            r"Synapse.tau must be > 0 ms, got inf",
        ),
        (
            lambda: Synapse(**SYNAPSE | {"shape": "alfa"}),
            r"unknown Synapse.shape 'alfa'; did you mean 'alpha'\?",
        ),
        (lambda: Synapse(**SYNAPSE | {"at": -1}), r"Synapse.at must be >= 0 um, got -1"),
        (lambda: Clamp(voltage=np.nan), r"Clamp.voltage must be a finite number of mV, got nan"),
        (lambda: Clamp(voltage=0, start=-1), r"Clamp.start must be >= 0 ms, got -1"),
        (lambda: Clamp(voltage=0, duration=-1), r"Clamp.duration must be >= 0 ms, got -1"),
        (lambda: Clamp(voltage=0, at=-1), r"Clamp.at must be >= 0 um, got -1"),
    ],
)
def test_stimuli_that_cannot_be_meant_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

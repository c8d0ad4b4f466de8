"""What a run keeps: when, where, which quantities, and how large it will be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from axon import Axon, Pulse, Record, Run, Section, hodgkin_huxley, passive, simulate

Array = NDArray[np.float64]

HH = hodgkin_huxley()
SQUID = Axon(length=10_000, diameter=476, membrane=HH, celsius=18.5)
MIXED = Axon(sections=[Section(1_000, 100, HH), Section(500, 50, passive())])
PULSE = Pulse(amplitude=30_000, start=0.1, duration=0.2, at=2_000)


def run_with(record: Record, axon: Axon = SQUID, duration: float = 2.0, dt: float = 0.01) -> Run:
    return simulate(axon, PULSE if axon is SQUID else (), duration=duration, dt=dt, dx=250, record=record)


FULL = run_with(Record(every=0.01, gates=True, currents=True))


@pytest.mark.parametrize(
    ("every", "stride"), [(0.01, 1), (0.001, 1), (0.05, 5), (0.014, 1), (0.016, 2), (0.3, 30)]
)
def test_samples_lie_whole_steps_apart(every: float, stride: int) -> None:
    run = run_with(Record(every=every))
    assert_allclose(run.time, np.arange(0, 201, stride) * 0.01, rtol=0, atol=1e-12)
    assert_array_equal(run.voltage, FULL.voltage[::stride])


def test_the_last_sample_is_the_last_that_fits() -> None:
    assert_allclose(run_with(Record(every=0.3)).time[-1], 1.8, rtol=1e-12, atol=0)
    assert_allclose(run_with(Record(every=0.5)).time[-1], 2.0, rtol=1e-12, atol=0)
    assert_array_equal(run_with(Record(every=50.0)).time, [0.0])


def test_samples_do_not_depend_on_the_chunks_between_which_they_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import axon.stepping.stepper

    for seconds in (1e-9, 7 * 40 * 8e-9, 13 * 40 * 8e-9):  # one step, and odd numbers of them
        monkeypatch.setattr(axon.stepping.stepper, "_CHUNK_SECONDS", seconds)
        run = run_with(Record(every=0.04, gates=True))
        assert_array_equal(run.voltage, FULL.voltage[::4])
        assert_array_equal(run.gates["h"], FULL.gates["h"][::4])
        assert_array_equal(run.spike_time, FULL.spike_time)


def test_positions_are_taken_to_the_nearest_compartments_each_once_in_order() -> None:
    run = run_with(Record(where=[9_999, 130, 120, 4_990]))
    assert_allclose(run.position, [125, 4_875, 9_875], rtol=1e-12, atol=0)
    assert_array_equal(run.voltage, FULL.voltage[::5][:, [0, 19, 39]])
    assert_array_equal(run.spike_time, FULL.spike_time)
    assert len(run.compartments) == 40


def test_nothing_but_spikes_is_kept_when_voltage_is_none() -> None:
    run = run_with(Record(voltage=None))
    assert run.voltage is None and run.gates == {} and run.currents == {}
    assert run.time.shape == (0,) and run.position.shape == (0,)
    assert_array_equal(run.spike_time, FULL.spike_time)


def test_gates_may_be_kept_without_the_voltage() -> None:
    run = run_with(Record(every=0.01, voltage=None, gates=["h"]))
    assert run.voltage is None and list(run.gates) == ["h"]
    assert_array_equal(run.gates["h"], FULL.gates["h"])
    assert_array_equal(run.time, FULL.time)


def test_single_precision_is_the_double_rounded() -> None:
    run = run_with(Record(every=0.01, voltage="float32"))
    assert run.voltage is not None and run.voltage.dtype == np.float32
    assert_array_equal(run.voltage, FULL.voltage.astype(np.float32))


def test_gates_and_currents_are_those_named() -> None:
    run = run_with(Record(every=0.01, gates=("n", "m"), currents="K"))
    assert list(run.gates) == ["n", "m"] and list(run.currents) == ["K"]
    for name in run.gates:
        assert_array_equal(run.gates[name], FULL.gates[name])
    assert_array_equal(run.currents["K"], FULL.currents["K"])


def test_currents_are_those_of_the_membrane_at_the_recorded_voltage_and_gates() -> None:
    exact = HH.currents(FULL.voltage, FULL.gates)
    assert list(FULL.currents) == ["Na", "K", "leak"]
    for name in exact:
        assert_allclose(FULL.currents[name], exact[name], rtol=1e-12, atol=1e-15)
    assert FULL.currents["Na"].min() < -0.5 < 0.5 < FULL.currents["K"].max()


def test_the_currents_of_a_passive_axon_need_no_gates() -> None:
    cable = Axon(length=1_000, diameter=10, membrane=passive())
    run = simulate(
        cable, Pulse(amplitude=1, duration=1), duration=1, dt=0.01, dx=100, record=Record(currents=True)
    )
    assert run.gates == {}
    assert_allclose(run.currents["leak"], 0.0003 * (run.voltage + 65.0), rtol=1e-12, atol=1e-18)


def test_a_compartment_without_a_gate_has_nan_there() -> None:
    run = simulate(MIXED, duration=0.1, dt=0.01, dx=250, record=Record(gates=True, currents=True))
    assert np.all(np.isfinite(run.gates["m"][:, :4])) and np.all(np.isnan(run.gates["m"][:, 4:]))
    assert np.all(np.isfinite(run.currents["leak"]))
    assert np.all(np.isnan(run.currents["Na"][:, 4:]))


def test_recorded_gates_belong_to_the_time_of_their_sample() -> None:
    # The engine holds gates half a step away; taken for those at t they would be first order in dt only.
    steps, errors = np.array([0.02, 0.01, 0.005, 0.0025]), []
    record = Record(every=0.02, gates=True)
    fine = run_with(record, duration=1.0, dt=0.000625)
    for dt in steps:
        run = run_with(record, duration=1.0, dt=float(dt))
        errors.append(max(np.abs(run.gates[g] - fine.gates[g]).max() for g in "mhn"))
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] > 1.9
    assert errors[-1] < 1e-3


@pytest.mark.parametrize("threshold", [-40.0, -20.0, 10.0])
def test_spikes_are_upward_crossings_of_the_threshold(threshold: float) -> None:
    run = run_with(Record(every=0.01, threshold=threshold))
    v = run.voltage
    step, place = np.nonzero((v[:-1] < threshold) & (v[1:] >= threshold))
    order = np.lexsort((run.spike_compartment, (run.spike_time / 0.01).astype(int)))
    assert_array_equal(run.spike_compartment[order], place)
    assert_array_equal((run.spike_time / 0.01).astype(int)[order], step)
    assert_array_equal(run.spike_position, run.compartments.position[run.spike_compartment])
    assert np.all(np.diff(run.spike_time) >= 0)


@pytest.mark.parametrize(
    "record",
    [
        Record(),
        Record(voltage="float32", every=0.03),
        Record(voltage=None),
        Record(voltage=None, gates=("m", "h")),
        Record(gates=True, currents=True, where=[0, 5_000]),
        Record(every=0.7),
    ],
)
@pytest.mark.parametrize(("duration", "dt"), [(1.0, 0.01), (1.0, 0.03), (0.7, 0.1)])
def test_size_is_known_before_the_run(record: Record, duration: float, dt: float) -> None:
    run = simulate(SQUID, duration=duration, dt=dt, dx=250, record=record)
    held = [run.voltage, *run.gates.values(), *run.currents.values()]
    size = sum(array.nbytes for array in held if array is not None)
    assert record.predicted_size(SQUID, duration=duration, dt=dt, dx=250) == size


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Record(every=0), r"Record.every must be > 0 ms, got 0"),
        (lambda: Record(every=np.nan), r"Record.every must be > 0 ms, got nan"),
        (lambda: Record(threshold=np.inf), r"Record.threshold must be a finite number of mV, got inf"),
        (
            lambda: Record(voltage="float16"),
            r'Record.voltage must be True, "float32", None, Every .*, got \'float16\'',
        ),
        (
            lambda: Record(where=[]),
            r"Record.where must name at least one position, got none; None means all",
        ),
        (lambda: Record(where=[-1.0]), r"Record.where must be >= 0 um, got -1.0"),
        (lambda: Record(where=["soma"]), r"Record.where must be a number >= 0 um, got 'soma'"),  # type: ignore[list-item]
        (
            lambda: Record(where=[10_001]).indices(SQUID.compartments(250)),
            r"on the axon \(0..10000 um\), got 10001",
        ),
        (lambda: Record(gates=["M"]).gate_names(SQUID), r"unknown gate 'M'; known: h, m, n"),
        (
            lambda: Record(gates="mh").gate_names(SQUID),
            r"unknown gate 'mh'; did you mean 'm' or 'h'\? known: h, m, n",
        ),
        (lambda: Record(currents=["Nb"]).current_names(SQUID), r"unknown channel 'Nb'; did you mean 'Na'\?"),
    ],
)
def test_records_that_cannot_be_meant_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

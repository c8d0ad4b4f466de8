"""Orders of accuracy, fitted over five refinements, each with the level of its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.interpolate import CubicSpline

from axon import Axon, Clamp, Pulse, Record, Section, Train, hodgkin_huxley, passive, simulate
from axon.discretise.job import order_in_dt
from axon.stimuli import Ramp, Stimulus, Synapse

Array = NDArray[np.float64]

HH, PASSIVE = hodgkin_huxley(), passive()
SQUID = Axon(length=20_000, diameter=476, membrane=HH, celsius=18.5)
MIXED = Axon(
    sections=[
        Section(8_000, 476, HH, celsius=18.5),
        Section(4_000, 300, PASSIVE, celsius=10.0),
        Section(8_000, 600, HH, celsius=6.3),
    ]
)
PATCH = Axon(length=250, diameter=476, membrane=HH, celsius=18.5)
RING = Axon(length=20_000, diameter=476, membrane=HH, celsius=18.5, ring=True)
DX = 250.0  # um
STOP = 2.0  # ms

STEPS = 0.02 / 2.0 ** np.arange(6)  # ms
# An edge a third of a coarse step off the grid lies a third or two thirds of every finer step off it, so that
# its part of the error falls as regularly as the rest.
OFF = STEPS[0] * (5 + 1 / 3)


def hump(x: Array) -> Array:
    """A smooth start away from rest, mV."""
    return -65 + 40 * np.exp(-(((x - 4_000) / 2_000) ** 2))


def at_the_end(case: Case, dt: float, order: int) -> Array:
    """Voltage (mV), and gates (per cent), of every compartment at STOP."""
    record = Record(every=STOP, gates=True)
    run = simulate(
        case.axon,
        case.stimuli,
        duration=STOP,
        dt=dt,
        dx=case.dx,
        order=order,
        initial_voltage=case.start,
        record=record,
    )
    assert run.voltage is not None
    return np.concatenate([run.voltage[-1], *(100 * np.nan_to_num(x[-1]) for x in run.gates.values())])


def fitted_order(steps: Array, answers: Sequence[Array]) -> tuple[float, float]:
    """Order in the steps' size, and the last difference, from the rms differences of successive answers."""
    change = [np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(answers[:-1], answers[1:], strict=True)]
    return float(np.polyfit(np.log(steps[:-1]), np.log(change), 1)[0]), float(change[-1])


@dataclass(frozen=True)
class Case:
    """What to simulate, and the rms change by the last halving of the step: 1.5 times the measured one."""

    axon: Axon
    stimuli: Sequence[Stimulus]
    level: float
    start: Array | None = None
    dx: float = DX


CASES = {
    "smooth start away from rest": Case(SQUID, [], 8e-6, start=hump(SQUID.compartments(DX).position)),
    "pulse with edges inside a step": Case(
        SQUID, [Pulse(amplitude=30e3, start=OFF, duration=0.3, at=3_100)], 2.6e-4
    ),
    "train with edges inside a step": Case(
        SQUID, [Train(amplitude=10e3, start=OFF, duration=0.08, interval=0.32, count=4, at=3_100)], 1.8e-3
    ),
    "pulses at both ends": Case(
        SQUID,
        [Pulse(amplitude=10e3, duration=1), Pulse(amplitude=-3e3, start=OFF, duration=1, at=20_000)],
        1.7e-3,
    ),
    "ramp with edges inside a step": Case(
        SQUID, [Ramp(amplitude=60e3, start=OFF, duration=0.32, at=3_100)], 2.7e-4
    ),
    "synapse that opens at once": Case(
        SQUID, [Synapse(conductance=60.0, reversal=0.0, onset=0.1, tau=0.5, at=3_100)], 5e-3
    ),
    "alpha synapse beside an inhibiting one": Case(
        SQUID,
        [
            Synapse(conductance=300.0, reversal=20.0, onset=OFF, tau=0.1, shape="alpha"),
            Synapse(conductance=100.0, reversal=-70.0, tau=0.3, at=6_100),
        ],
        1e-3,
    ),
    "sections": Case(MIXED, [Pulse(amplitude=40e3, start=OFF, duration=0.24, at=2_000)], 4e-5),
    "ring": Case(RING, [Pulse(amplitude=30e3, start=OFF, duration=0.3, at=3_100)], 1.5e-4),
    "one compartment": Case(PATCH, [Pulse(amplitude=200, start=OFF, duration=0.3)], 1.7e-4),
    "clamp on and off": Case(
        SQUID, [Clamp(voltage=-20, start=0.4, duration=0.8, at=4_000)], 2.8e-3, dx=1_000
    ),
    "clamp from the start": Case(SQUID, [Clamp(voltage=-20, at=0)], 6e-4, dx=1_000),
    "clamp at rest beside a spike": Case(
        SQUID, [Clamp(voltage=-64.99637933, at=20_000), Pulse(amplitude=30e3, start=OFF, duration=0.3)], 3e-4
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_second_order_in_dt(name: str) -> None:
    answers = [at_the_end(CASES[name], dt, 2) for dt in STEPS]
    assert np.ptp(answers[-1]) > 20.0
    fitted, last = fitted_order(STEPS, answers)
    assert abs(fitted - 2.0) < 0.1
    assert last < CASES[name].level


@pytest.mark.parametrize("name", CASES)
def test_order_four_is_nearer_in_dt_too(name: str) -> None:
    # What jumps leaves an error of second order behind, which is smaller; all else falls as the third.
    last = {}
    for order in (2, 4):
        answers = [at_the_end(CASES[name], dt, order) for dt in STEPS[-3:]]
        last[order] = fitted_order(STEPS[-3:], answers)[1]
    assert last[4] < 0.6 * last[2]


# All begin, and what ends at once ends, on whole steps of every size.
ON_STEPS: dict[str, Stimulus] = {
    "pulse": Pulse(amplitude=200, start=STEPS[0] * 5, duration=STEPS[0] * 15),
    "ramp": Ramp(amplitude=400, start=STEPS[0] * 5, duration=STEPS[0] * 15),
    "synapse that opens at once": Synapse(conductance=5.0, reversal=0.0, onset=STEPS[0] * 5, tau=0.3),
    "alpha synapse": Synapse(conductance=5.0, reversal=0.0, onset=STEPS[0] * 5, tau=0.3, shape="alpha"),
}


@pytest.mark.parametrize("name", ON_STEPS)
def test_third_order_in_dt_of_what_nothing_disturbs_inside_a_step(name: str) -> None:
    case = Case(PATCH, [ON_STEPS[name]], 2e-6)
    fitted, last = fitted_order(STEPS, [at_the_end(case, dt, 4) for dt in STEPS])
    assert 2.8 < fitted < 3.2
    assert last < case.level


def factor(rate: float, dt: float, steps: int, order: int) -> float:
    """What a mode that falls at ``rate`` (1/ms) is multiplied by in so many steps, from away from rest."""
    x = [1.0]
    for step in range(steps):
        d2 = x[-1] - 2 * x[-2] + x[-3] if order == 4 and step > 1 else 0.0
        d3 = x[-1] - 3 * x[-2] + 3 * x[-3] - x[-4] if order == 4 and step > 2 else 0.0
        y = (x[-1] - d2 / 8 + d3 / 48) / (1 + rate * dt / 2)
        x.append(2 * y - x[-1] + d2 / 4)
    return x[-1]


@pytest.mark.parametrize(("order", "tolerance", "level"), [(2, 0.1, 5e-4), (4, 0.2, 4e-8)])
def test_order_in_dx_on_the_passive_cable(order: int, tolerance: float, level: float) -> None:
    # A cosine keeps its shape; the scheme's factor for it is known: the whole error is the mesh's.
    length, dt, steps, k = 2_000.0, 0.05, 20, 2 * np.pi / 2_000.0
    cable = Axon(length=length, diameter=4, membrane=PASSIVE, axial_resistivity=35.4)
    rate = 0.3 * (1 + 4e-4 / (4 * 35.4 * 0.0003) * (1e4 * k) ** 2)  # 1/ms
    counts, errors = np.array([10, 20, 40, 80, 160]), []
    for n in counts:
        start = -65 + 20 * np.cos(k * cable.compartments(length / n).position)
        record = Record(every=dt * steps)
        run = simulate(
            cable,
            duration=dt * steps,
            dt=dt,
            dx=length / n,
            order=order,
            initial_voltage=start,
            record=record,
        )
        assert run.voltage is not None
        errors.append(np.abs(run.voltage[-1] + 65 - factor(rate, dt, steps, order) * (start + 65)).max())
    fitted = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert abs(fitted - order) < tolerance
    assert errors[-1] < level


@pytest.mark.parametrize(("order", "tolerance", "level"), [(2, 0.1, 1e-4), (4, 0.2, 1e-8)])
def test_order_in_dx_of_a_spike_that_starts_smoothly(order: int, tolerance: float, level: float) -> None:
    counts = np.array([32, 64, 128, 256, 512, 1024])
    modes = []
    for n in counts:
        dx = SQUID.total_length / n
        start = -65 + 80 * np.exp(-((SQUID.compartments(dx).position / 4_000) ** 2))
        run = simulate(
            SQUID, duration=1, dt=0.02, dx=dx, order=order, initial_voltage=start, record=Record(every=1)
        )
        assert run.voltage is not None and run.voltage.max() > 0
        modes.append(dct(run.voltage[-1])[:16] / n)  # cosine modes of a sealed axon, equal on every mesh
    fitted, last = fitted_order(1 / counts, modes)
    assert abs(fitted - order) < tolerance
    assert last < level


def velocity(dt: float, dx: float, order: int) -> float:
    squid = Axon(length=60_000, diameter=476, membrane=HH, celsius=18.5)
    pulse, record = Pulse(amplitude=20_000, duration=0.2), Record(voltage=None)
    run = simulate(squid, pulse, duration=4, dt=dt, dx=dx, order=order, record=record)
    return run.velocity(between=(30_000, 50_000)).value


@pytest.mark.parametrize(
    ("order", "tolerance", "coarse", "fine"), [(2, 0.1, 9e-3, 1.3e-3), (4, 0.2, 3e-4, 5e-6)]
)
def test_order_in_dx_of_the_velocity(order: int, tolerance: float, coarse: float, fine: float) -> None:
    meshes = np.array([1000.0, 750.0, 600.0, 500.0, 375.0])
    # The step of second order costs 2e-5 there, a hundredth of what the finest mesh does.
    dt = 0.00125 if order == 2 else 0.005
    truth = velocity(dt, 62.5, 4)
    errors = np.abs([velocity(dt, dx, order) / truth - 1 for dx in meshes])
    fitted = np.polyfit(np.log(meshes), np.log(errors), 1)[0]
    assert abs(fitted - order) < tolerance
    assert errors[0] < coarse and errors[-1] < fine


@pytest.mark.parametrize(("order", "least", "most", "level"), [(2, 1.9, 2.1, 6e-3), (4, 2.8, 4.2, 4e-4)])
def test_order_in_dt_of_the_velocity(order: int, least: float, most: float, level: float) -> None:
    steps = np.array([0.02, 0.01, 0.005, 0.0025, 0.00125])
    values = np.array([velocity(dt, 250, order) for dt in steps])
    fitted, _ = fitted_order(steps, list(values[:, None]))
    gain = 2 ** order_in_dt(SQUID, order)
    errors = np.abs(values / (values[-1] + (values[-1] - values[-2]) / (gain - 1)) - 1)
    assert least < fitted < most
    assert np.all(errors < level / float(gain) ** np.arange(5))


@pytest.mark.parametrize(("order", "tolerance", "level"), [(2, 0.1, 6e-6), (4, 0.2, 6e-9)])
@pytest.mark.parametrize("source", [0.0, 2_000.0 / 3])
def test_point_source_costs_no_order_away_from_itself(
    source: float, order: int, tolerance: float, level: float
) -> None:
    # At the sealed end, and halfway between two centres on every mesh.
    length = 2_000.0
    cable = Axon(length=length, diameter=4, membrane=PASSIVE, axial_resistivity=35.4)
    scale = 1e4 * np.sqrt(4e-4 / (4 * 35.4 * 0.0003))  # um
    infinite = 35.4 * scale * 1e-4 / (np.pi * 4e-8) * 1e-6  # Mohm
    counts, errors = np.array([12, 24, 48, 96, 192]), []
    for n in counts:
        on = Pulse(amplitude=1, duration=np.inf, at=source)
        record = Record(every=80)
        run = simulate(cable, on, duration=80, dt=0.8 / n, dx=length / n, order=order, record=record)
        assert run.voltage is not None
        near, far = np.minimum(run.position, source), length - np.maximum(run.position, source)
        exact = np.cosh(near / scale) * np.cosh(far / scale) / np.sinh(length / scale)
        away = np.abs(run.position - source) > 450
        errors.append(np.abs((run.voltage[-1] + 65) / infinite - exact)[away].max())
    fitted = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert abs(fitted - order) < tolerance
    assert errors[-1] < level


def test_joins_of_sections_are_second_order_in_dx() -> None:
    # Centres of a mesh are centres of the one three times as fine.
    two = Axon(sections=[Section(9_000, 476, HH, celsius=18.5), Section(9_000, 300, HH, celsius=18.5)])
    counts, answers = np.array([5, 15, 45, 135, 405]), []
    for n in counts:
        dx = 9_000 / n
        start = -65 + 40 * np.exp(-((two.compartments(dx).position / 3_000) ** 2))
        run = simulate(two, duration=1, dt=0.02, dx=dx, initial_voltage=start, record=Record(every=1))
        assert run.voltage is not None
        answers.append(run.voltage[-1][(n // 5) // 2 :: n // 5])
    fitted, last = fitted_order(1 / counts, answers)
    assert abs(fitted - 2.0) < 0.1
    assert last < 1e-4


@pytest.mark.parametrize("dt", [0.01, 0.0025])
def test_spike_times_are_read_off_between_steps(dt: float) -> None:
    # A crossing rounded to its step would be up to dt late; the interpolated ones agree to second order.
    run, fine = (
        simulate(SQUID, Pulse(amplitude=30e3, start=0.1, duration=0.2), duration=STOP, dt=step, dx=DX)
        for step in (dt, dt / 8)
    )
    assert len(fine.spike_time) == len(SQUID.compartments(DX))
    assert_allclose(run.arrivals(), fine.arrivals(), rtol=0, atol=30 * dt**2)


def test_with_order_four_an_open_end_leaves_second_order_in_dx() -> None:
    cable = Axon(sections=[Section(2_000, 10, PASSIVE, 100.0)], ends=("open", "sealed"))
    ramp, far = Ramp(amplitude=5.0, duration=10.0, at=1_900), []
    for dx in (50.0, 25.0, 12.5, 6.25):
        run = simulate(cable, ramp, duration=1, dt=0.01, dx=dx, order=4, record=Record(every=1.0))
        assert run.voltage is not None
        far.append(float(CubicSpline(run.position, run.voltage[-1])(500.0)))
    changes = np.abs(np.diff(far))
    assert np.all(np.log2(changes[:-1] / changes[1:]) > 1.9)
    assert changes[-1] < 1e-3  # mV

"""The travelling wave: exact speeds, closed forms, independent integration, the fold, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.interpolate import CubicSpline

from axon.errors import NoPropagation
from axon.geometry import Axon, Section
from axon.membranes import Channel, Gate, Membrane, hodgkin_huxley, passive
from axon.protocols.wave import (
    NotConverged,
    TravellingWave,
    WaveFamily,
    travelling_wave,
    wave_family,
    wave_speeds,
)
from axon.protocols.wave.collocation import Border, solve_wave
from axon.protocols.wave.equations import WaveEquations
from axon.protocols.wave.travelling import path_of

SQUID = Axon(length=1e5, diameter=476, membrane=hodgkin_huxley(), axial_resistivity=35.4, celsius=18.5)


@lru_cache
def squid_wave(celsius: float = 18.5, branch: str = "fast", e_leak: float = -54.387) -> TravellingWave:
    axon = replace(SQUID, celsius=celsius, membrane=hodgkin_huxley(e_leak=e_leak))
    return travelling_wave(axon, branch=branch)  # type: ignore[arg-type]


@lru_cache
def squid_family() -> WaveFamily:
    return wave_speeds(SQUID, celsius=(18.5, 50.0))


def mixed_membrane() -> Membrane:
    """A spiking membrane unlike the squid's: 2 uF/cm2, a Q10 for every gate, kinetics as inf and tau."""
    m = Gate("m", 2, inf=lambda v: 1 / (1 + np.exp(-(v + 38) / 6)), tau=lambda v: 0.08 + 0 * v, q10=2.2)
    h = Gate(
        "h",
        1,
        inf=lambda v: 1 / (1 + np.exp((v + 62) / 6)),
        tau=lambda v: 1 + 3 / np.cosh((v + 60) / 20),
        q10=2.9,
    )
    w = Gate("w", 1, inf=lambda v: 1 / (1 + np.exp(-(v + 45) / 9)), tau=lambda v: 6 + 0 * v, q10=3.0)
    channels = (Channel("Na", 0.3, 55, (m, h)), Channel("K", 0.02, -90, (w,)), Channel("leak", 0.0006, -70))
    return Membrane("mixed", channels, capacitance=2.0)


# A front whose shape and speed are chosen first, and the membrane made for it afterwards: V rises from E by A
# as a logistic function of RISE * t, and K is FRONT_RATE. One gate carries the current that this needs.
# The leak pulls below E, so that the gate stays between shut and open wherever V may go.
E, A, RISE, FRONT_RATE, E_ION, E_LEAK, G_LEAK, G_ION, TAU = (
    -70.0,
    80.0,
    1.5,
    1.0,
    50.0,
    -80.0,
    1e-3,
    3e-3,
    0.5,
)


def front_membrane() -> Membrane:
    def gate(u: np.ndarray) -> np.ndarray:
        # C V' + I = C V''/K with V = E + A u, u' = RISE u (1 - u), C = 1 uF/cm2; currents in uA/cm2
        ionic = A * RISE * u * (1 - u) * (RISE * (1 - 2 * u) / FRONT_RATE - 1)
        return (ionic - 1e3 * G_LEAK * (E + A * u - E_LEAK)) / (1e3 * G_ION * (E + A * u - E_ION))

    def inf(v: np.ndarray) -> np.ndarray:
        u = np.clip((np.asarray(v, float) - E) / A, -0.1, 1.1)
        step = 1e-4
        slope = (8 * (gate(u + step) - gate(u - step)) - gate(u + 2 * step) + gate(u - 2 * step)) / (
            12 * step
        )
        return gate(u) + TAU * slope * RISE * u * (1 - u)

    m = Gate("m", 1, inf=inf, tau=lambda v: TAU + 0 * v)
    return Membrane("front", (Channel("ion", G_ION, E_ION, (m,)), Channel("leak", G_LEAK, E_LEAK)))


def slope(membrane: Membrane, celsius: float, rate: float, y: np.ndarray) -> np.ndarray:
    """The travelling-wave equations, written a second time."""
    names = list(membrane.gates)
    current = membrane.current(y[0], dict(zip(names, y[2:], strict=True)))
    out = [y[1], rate * (y[1] + 1000 * current / membrane.capacitance)]
    for name, value in zip(names, y[2:], strict=True):
        gate = membrane.gates[name]
        out.append((gate.steady_state(y[0]) - value) / gate.time_constant(y[0], celsius))
    return np.array(out, float)


def escape(wave: TravellingWave, rate: float) -> float:
    """Where V ends (mV) that leaves the rest with another K than the wave's; integrated by SciPy."""
    from scipy.integrate import solve_ivp

    membrane, celsius = wave.axon.sections[0].membrane, wave.axon.sections[0].celsius
    gates = membrane.steady_gates(wave.rest)
    rest = np.array([wave.rest, 0.0, *(float(gates[name]) for name in membrane.gates)])
    steps = 1e-4 * np.eye(len(rest))
    columns = [
        slope(membrane, celsius, rate, rest + h) - slope(membrane, celsius, rate, rest - h) for h in steps
    ]
    growths, directions = np.linalg.eig(np.array(columns).T / 2e-4)
    direction = directions[:, np.argmax(growths.real)].real

    def gone(_: float, y: np.ndarray) -> float:
        return abs(y[0]) - 120.0

    gone.terminal = True  # type: ignore[attr-defined]
    done = solve_ivp(
        lambda _, y: slope(membrane, celsius, rate, y),
        (0.0, 100.0),
        rest + 1e-3 * direction / direction[0],
        method="LSODA",
        rtol=1e-11,
        atol=1e-13,
        events=gone,
    )
    return float(done.y[0, -1])


# --- the squid axon: ../shared/reference, "exact" (agrees with an independent shooting to 10 digits)


@pytest.mark.parametrize(
    ("celsius", "velocity", "rate", "peak", "trough"),
    [
        (18.5, 18.7318882479, 10.4380510601, 90.57834, -9.670755),
        (6.3, 12.3137567202, 4.5106324383, 102.980801, -10.940676),
    ],
)
def test_squid_wave_is_the_exact_one(
    celsius: float, velocity: float, rate: float, peak: float, trough: float
) -> None:
    wave = squid_wave(celsius)
    assert_allclose(wave.velocity, velocity, rtol=1e-11, atol=0)
    assert_allclose(wave.rate, rate, rtol=1e-11, atol=0)
    # the reference counts from the paper's rest, and read its peaks off a grid that misses by up to 2.4e-5 mV
    assert_allclose(wave.peak + 65, peak, rtol=0, atol=3e-5)
    assert_allclose(wave.trough + 65, trough, rtol=0, atol=1e-6)
    assert_allclose(wave.rest + 65, 3.6207e-3, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("celsius", "velocity"), [(18.5, 18.7302), (6.3, 12.3126)])
def test_squid_wave_with_the_leak_of_other_simulators(celsius: float, velocity: float) -> None:
    assert_allclose(squid_wave(celsius, e_leak=-54.3).velocity, velocity, rtol=0, atol=5e-5)


def test_published_rate_is_within_half_a_percent() -> None:
    assert_allclose(squid_wave().rate, 10.47, rtol=5e-3, atol=0)  # HH 1952, p. 525, by hand


@pytest.mark.parametrize(("diameter", "resistivity"), [(1.0, 35.4), (900.0, 141.6)])
def test_velocity_scales_exactly_with_the_square_root_of_diameter_over_resistivity(
    diameter: float, resistivity: float
) -> None:
    axon = replace(SQUID, diameter=diameter, axial_resistivity=resistivity, length=1.0)
    expected = squid_wave().velocity * np.sqrt(diameter / 476 * 35.4 / resistivity)
    assert_allclose(float(travelling_wave(axon)), expected, rtol=1e-14, atol=0)


def test_slow_wave_is_slower_and_smaller_and_rests_at_the_same_potential() -> None:
    fast, slow = squid_wave(25.0), squid_wave(25.0, "slow")
    assert slow.velocity < 0.5 * fast.velocity
    assert slow.rest == fast.rest < slow.peak < fast.peak - 30
    assert slow.error < 1e-9 * slow.velocity


# --- other membranes


def test_front_made_for_a_chosen_speed_has_it() -> None:
    wave = travelling_wave(replace(SQUID, membrane=front_membrane()))
    assert_allclose(wave.rate, FRONT_RATE, rtol=1e-12, atol=0)
    assert_allclose([wave.rest, wave.peak, wave.trough], [E, E + A, E + A], rtol=0, atol=1e-2)
    middle = np.interp(E + A / 2, wave.voltage, wave.time)
    assert_allclose(wave.voltage, E + A / (1 + np.exp(-RISE * (wave.time - middle))), rtol=0, atol=2e-3)


@pytest.mark.parametrize("branch", ["fast", "slow"])
def test_independent_integration_escapes_to_either_side_of_the_rate(branch: str) -> None:
    axon = Axon(length=1e4, diameter=2, membrane=mixed_membrane(), axial_resistivity=100, celsius=22)
    wave = travelling_wave(axon) if branch == "fast" else squid_wave(25.0, "slow")
    side = 1.0 if branch == "fast" else -1.0
    assert np.sign(escape(wave, wave.rate * (1 + 2e-9))) == side
    assert np.sign(escape(wave, wave.rate * (1 - 2e-9))) == -side


@pytest.mark.parametrize("branch", ["fast", "slow"])
def test_foot_obeys_the_linear_cable(branch: str) -> None:
    """K = g**2 / (g + Y(g) / C), with the admittance Y of the resting membrane to exp(g t)."""
    wave = squid_wave(18.5, branch)
    growth, membrane = wave.foot_growth, SQUID.sections[0].membrane
    gates, step = {name: float(value) for name, value in membrane.steady_gates(wave.rest).items()}, 1e-4

    def current(voltage: float, **changed: float) -> float:
        return 1e3 * float(membrane.current(voltage, gates | changed))

    admittance = (current(wave.rest + step) - current(wave.rest - step)) / (2 * step)
    for name, gate in membrane.gates.items():
        steady = [float(gate.steady_state(wave.rest + sign * step)) for sign in (1, -1)]
        gain = (
            (steady[0] - steady[1]) / (2 * step) / (1 + growth * float(gate.time_constant(wave.rest, 18.5)))
        )
        gate_slope = current(wave.rest, **{name: gates[name] + step}) - current(
            wave.rest, **{name: gates[name] - step}
        )
        admittance += gate_slope / (2 * step) * gain
    assert_allclose(growth**2 / (growth + admittance), wave.rate, rtol=1e-6, atol=0)
    early = (wave.voltage - wave.rest < 1e-3) & (wave.time < 0)
    fitted = np.polyfit(wave.time[early], np.log(wave.voltage[early] - wave.rest), 1)[0]
    assert_allclose(fitted, growth, rtol=1e-4, atol=0)


def test_shape_satisfies_the_cable_equation_on_another_grid() -> None:
    wave = squid_wave()
    dt = 5e-3
    time = np.arange(-0.6, 3.0, dt)
    columns = np.column_stack([wave.voltage, *wave.gates.values()])
    v, *gates = CubicSpline(wave.time, columns)(time).T
    current = 1e3 * hodgkin_huxley().current(v, dict(zip(wave.gates, gates, strict=True)))  # over 1 uF/cm2
    first = (8 * (v[3:-1] - v[1:-3]) - (v[4:] - v[:-4])) / (12 * dt)
    second = (16 * (v[3:-1] + v[1:-3]) - (v[4:] + v[:-4]) - 30 * v[2:-2]) / (12 * dt**2)
    residual = second / wave.rate - first - current[2:-2]
    assert np.abs(residual).max() < 1e-4 * first.max()
    assert_allclose(first, CubicSpline(wave.time, wave.slope)(time[2:-2]), rtol=0, atol=1e-4 * first.max())


# --- accuracy


@pytest.mark.parametrize("rtol", [1e-3, 1e-5, 1e-7, 1e-9])
def test_error_covers_the_truth_and_keeps_the_tolerance(rtol: float) -> None:
    wave = squid_wave().follow(SQUID, rtol=rtol)
    assert abs(wave.velocity - 18.7318882479) <= wave.error + 5e-11  # the reference's last digit
    assert wave.error <= rtol * wave.velocity


def test_finer_tolerance_takes_more_points() -> None:
    assert len(squid_wave().follow(SQUID, rtol=1e-4).time) < len(squid_wave().time)


# --- families


def test_fold_lies_where_the_reference_has_it() -> None:
    family = squid_family()
    assert family.fold is not None and family.fold_error is not None
    assert 33.6 < family.fold < 33.7
    assert family.fold_error < 1e-8
    assert (family.fast.end, family.slow.end) == ("fold", "limit")
    assert family.fast.waves[-1] is family.slow.waves[0]
    assert family.slow.parameter[-1] == family.fast.parameter[0] == 18.5


def test_waves_exist_just_below_the_fold_and_not_above() -> None:
    slow = squid_family().at(33.6, branch="slow")
    assert slow.velocity < squid_family().fast.waves[-1].velocity < squid_wave(33.6).velocity
    with pytest.raises(NoPropagation, match=r"no travelling wave exists .* at 33.7 degC: .* runs away"):
        squid_wave(33.7)


@pytest.mark.parametrize(("celsius", "branch"), [(18.5, "slow"), (25.0, "slow"), (33.6, "fast")])
def test_family_and_direct_search_find_the_same_wave(celsius: float, branch: str) -> None:
    followed = squid_family().at(celsius, branch=branch)  # type: ignore[arg-type]
    assert_allclose(followed.velocity, squid_wave(celsius, branch).velocity, rtol=1e-9, atol=0)


def test_velocity_near_the_fold_is_a_parabola() -> None:
    family = squid_family()
    assert family.fold is not None
    below = np.array([0.04, 0.01])
    gaps = [
        family.at(family.fold - x).velocity - family.at(family.fold - x, branch="slow").velocity
        for x in below
    ]
    assert_allclose(gaps[0] / gaps[1], 2.0, rtol=0.02, atol=0)


def test_errors_along_the_family_cover_finer_answers() -> None:
    family = squid_family()
    for branch in (family.fast, family.slow):
        for value, wave in list(zip(branch.parameter, branch.waves, strict=True))[1:-1:6]:
            finer = wave.follow(replace(SQUID, celsius=float(value)))
            assert abs(wave.velocity - finer.velocity) <= wave.error + finer.error
            assert wave.error < 1e-8 * wave.velocity


def test_family_over_any_parameter_in_either_direction() -> None:
    def axon_at(g_na: float) -> Axon:
        return replace(SQUID, celsius=6.3, membrane=hodgkin_huxley(g_na=g_na))

    family = wave_family(axon_at, 0.12, 0.02)
    assert family.fold is not None
    assert_allclose(family.fast.waves[0].velocity, 12.3137567202, rtol=1e-8, atol=0)
    assert family.slow.waves[-1].velocity < family.slow.waves[0].velocity < 12.3
    assert_allclose(family.at(0.08).velocity, travelling_wave(axon_at(0.08)).velocity, rtol=1e-9, atol=0)
    with pytest.raises(NoPropagation, match="conduction ends at the fold"):
        family.at(family.fold - 1e-3)


def test_family_without_a_fold_has_both_branches_from_its_start() -> None:
    family = wave_speeds(SQUID, celsius=(25.0, 22.0))
    assert family.fold is None and family.fold_error is None
    assert (family.fast.end, family.slow.end) == ("limit", "limit")
    assert family.fast.parameter[-1] == family.slow.parameter[-1] == 22.0
    assert (family.slow.velocity < family.fast.velocity.min()).all()
    assert_allclose(
        family.at(22.0, branch="slow").velocity, squid_family().at(22.0, branch="slow").velocity, rtol=1e-9
    )


def test_family_ends_with_the_reason_where_the_rest_becomes_unstable() -> None:
    family = wave_family(
        lambda e: replace(SQUID, celsius=6.3, membrane=hodgkin_huxley(e_leak=e)), -36.0, -20.0
    )
    # between firing on after a spike and firing by itself
    assert "no wave was reached" in family.fast.end
    assert "fires by itself" in family.slow.end
    assert -36 < family.fast.parameter[-1] < family.slow.parameter[-1] < -20


def test_following_a_wave_gives_what_a_search_gives() -> None:
    wave = squid_wave(25.0, "slow").follow(replace(SQUID, celsius=24.0))
    assert_allclose(wave.velocity, squid_family().at(24.0, branch="slow").velocity, rtol=1e-9, atol=0)
    assert float(wave) == wave.velocity
    assert str(wave).startswith(f"{wave.velocity:.10g} m/s +- ")


# --- what it refuses


def test_passive_membrane_has_no_wave() -> None:
    with pytest.raises(NoPropagation, match="no travelling wave exists .* 'passive'") as caught:
        travelling_wave(replace(SQUID, membrane=passive()))
    assert "at all velocities from" in caught.value.reason


def test_front_has_no_slow_wave() -> None:
    family = wave_speeds(replace(SQUID, membrane=front_membrane()), celsius=(20.0, 21.0))
    assert_allclose([wave.rate for wave in family.fast.waves], FRONT_RATE, rtol=1e-8, atol=0)
    assert len(family.slow.waves) == 0
    with pytest.raises(NoPropagation, match="no slow wave exists .* only one wave was found"):
        family.at(20.5, branch="slow")


def test_membrane_that_fires_by_itself_has_no_wave() -> None:
    with pytest.raises(NoPropagation, match="fires by itself"):
        travelling_wave(replace(SQUID, celsius=6.3, membrane=hodgkin_huxley(e_leak=-20)))


def test_membrane_that_fires_on_after_a_spike_has_no_single_wave() -> None:
    # as with 8 uA/cm2, between the least sustained firing (6.26) and the loss of the rest (9.78)
    membrane = hodgkin_huxley(e_leak=-54.387 + 8 / 0.3)
    with pytest.raises(NoPropagation, match="fires on after a spike"):
        travelling_wave(replace(SQUID, celsius=6.3, membrane=membrane))


def test_only_uniform_lines_are_taken() -> None:
    piece = Section(1e4, 476, hodgkin_huxley())
    with pytest.raises(ValueError, match="2 sections that differ"):
        travelling_wave(Axon(sections=[piece, replace(piece, diameter=500)]))
    with pytest.raises(ValueError, match="ring=True"):
        wave_speeds(replace(SQUID, ring=True))
    with pytest.raises(ValueError, match="must be an Axon"):
        travelling_wave("squid")  # type: ignore[arg-type]
    assert_allclose(
        travelling_wave(Axon(sections=[piece, piece])).velocity, 12.3137567202, rtol=1e-10, atol=0
    )


def test_misspelt_branch_is_an_error_with_the_near_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'slow'"):
        travelling_wave(SQUID, branch="slo")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="did you mean 'fast'"):
        squid_family().at(20.0, branch="fats")  # type: ignore[arg-type]


@pytest.mark.parametrize("rtol", [0.0, -1e-9, float("nan")])
def test_tolerance_must_be_positive(rtol: float) -> None:
    with pytest.raises(ValueError, match="rtol must be > 0"):
        squid_wave().follow(SQUID, rtol=rtol)


def test_tolerance_out_of_reach_is_an_error() -> None:
    with pytest.raises(NotConverged, match="not to rtol = 1e-15"):
        squid_wave().follow(SQUID, rtol=1e-15)


def test_following_needs_the_same_gates_and_a_near_axon() -> None:
    with pytest.raises(ValueError, match=r"must have the gates \['m', 'h', 'n'\]"):
        squid_wave().follow(replace(SQUID, membrane=mixed_membrane()))
    with pytest.raises(NotConverged, match="start from a nearer one"):
        squid_wave().follow(replace(SQUID, celsius=36.0))


def test_family_asks_for_a_range_and_for_values_within() -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        wave_speeds(SQUID, celsius=(20.0, 20.0))
    with pytest.raises(ValueError, match="stop must be a finite number"):
        wave_speeds(SQUID, celsius=(20.0, float("inf")))
    with pytest.raises(ValueError, match="followed from 18.5 to"):
        squid_family().at(6.3)
    with pytest.raises(NoPropagation, match="no wave exists at 40"):
        squid_family().at(40.0)


def test_two_waves_near_the_fold_are_not_mistaken_for_each_other() -> None:
    family = squid_family()
    assert family.fold is not None
    for below in (0.1, 0.01, 0.003):
        slow, fast = (family.at(family.fold - below, branch=branch) for branch in ("slow", "fast"))
        assert slow.velocity < family.fast.waves[-1].velocity < fast.velocity
    with pytest.raises(NotConverged, match="too near the fold"):
        family.at(family.fold - 1e-6, branch="slow")


def test_singular_system_is_no_answer() -> None:
    wave, equations = squid_wave(), WaveEquations(hodgkin_huxley(), 18.5)
    with pytest.raises(NotConverged):
        solve_wave(lambda _: equations, path_of(wave, equations), Border(direction=(0.0, 0.0)))

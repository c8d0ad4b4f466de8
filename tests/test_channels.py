"""Channels as a user writes them: rates that are 0/0, wrong ones refused at the door, and their algebra."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

import axon
from axon import Channel, Gate, Membrane, PermeableChannel, Section, hodgkin_huxley
from axon.measure.excitability import fast_gates, resting_threshold
from axon.membranes.hodgkin_huxley import alpha_m, beta_m
from axon.membranes.limits import evaluate, singular_voltages
from axon.membranes.rates import linoid
from axon.model import from_json, to_json

Array = NDArray[np.float64]

HH = hodgkin_huxley()


def naive(v: Array) -> Array:
    return 0.1 * (v + 40) / (1 - np.exp(-(v + 40) / 10))


def from_a_power(v: Array) -> Array:
    return 0.1 * (v + 40) * (1 - np.exp(-(v + 40) / 10)) ** -1


def in_place(v: Array) -> Array:
    v += 40
    below = 1 - np.exp(-v / 10)
    v /= below
    v *= 0.1
    return v


def one_at_a_time(v: Array) -> Array:
    return np.vectorize(lambda x: np.divide(0.1 * (x + 40), 1 - math.exp(-(x + 40) / 10)))(v)


def guarded(v: Array) -> Array:
    x = (v + 40) / 10
    return np.where(np.abs(x) < 1e-6, 1 + x / 2, x / (1 - np.exp(-x)))


WRITTEN = [naive, from_a_power, in_place, one_at_a_time, guarded]


@pytest.mark.parametrize("rate", WRITTEN)
def test_a_rate_that_is_0_by_0_is_found_and_filled_by_its_limit(rate: Callable[[Array], Array]) -> None:
    assert singular_voltages(rate) == (-40.0,)
    assert_allclose(evaluate(rate, -40.0), 1.0, rtol=1e-13, atol=0)
    assert_allclose(evaluate(rate, [-40.0, -30.0]), linoid([0.0, -1.0]), rtol=1e-13, atol=0)


@given(st.floats(-14, 0.7), st.sampled_from([-1.0, 1.0]))
def test_near_a_singular_voltage_nothing_is_lost_to_cancellation(exponent: float, side: float) -> None:
    v = -40.0 + side * 10.0**exponent
    assert_allclose(evaluate(naive, v), linoid(-(v + 40) / 10), rtol=2e-13, atol=0)


def test_as_written_the_rate_is_worthless_there() -> None:
    # What the two tests above would see of the bare function.
    with np.errstate(all="ignore"):
        assert np.isnan(naive(np.array([-40.0])))
        assert abs(naive(np.array([-40.0 + 2e-14]))[0] - 1.0) > 0.01


@pytest.mark.parametrize("at", [-33.3, -33.333, math.pi, -61.0 / 3.0])
def test_a_singular_voltage_may_lie_anywhere(at: float) -> None:
    def rate(v: Array) -> Array:
        return (v - at) / np.expm1((v - at) / 2)

    (found,) = singular_voltages(rate)
    assert_allclose(found, at, rtol=0, atol=1e-13)
    v = at + np.linspace(-0.1, 0.1, 2001)
    assert_allclose(evaluate(rate, v), 2 * linoid((v - at) / 2), rtol=1e-12, atol=0)
    assert_allclose(evaluate(rate, at), 2.0, rtol=1e-12, atol=0)


def test_two_quotients_have_two_singular_voltages() -> None:
    assert singular_voltages(lambda v: naive(v) + v / np.expm1(v / 7)) == (-40.0, 0.0)


@pytest.mark.parametrize(
    "rate",
    [
        lambda v: 1 / (v + 40) ** 2,
        lambda v: 1 / np.abs(v + 40),
        lambda v: np.where(v < -40, 1.0, 2.0) * (v + 40) / np.expm1(v + 40),
        alpha_m,
        beta_m,
    ],
)
def test_what_has_no_limit_or_needs_none_is_left_alone(rate: Callable[[Array], Array]) -> None:
    assert singular_voltages(rate) == ()


def test_a_channel_written_with_0_by_0_is_the_squid_s_sodium_channel() -> None:
    m = Gate("m", 3, alpha=naive, beta=beta_m, q10=3.0)
    v = np.concatenate([np.linspace(-150, 150, 3001), [-40 - 1e-13, -40 + 1e-9]])
    for own, squid in zip(m.kinetics(v, 18.5), HH.gates["m"].kinetics(v, 18.5), strict=True):
        assert_allclose(own, squid, rtol=1e-12, atol=0)


def run_of(membrane: Membrane, **changes: Any) -> axon.Run:
    cable = axon.Axon(length=20_000, diameter=476, membrane=membrane, celsius=18.5)
    pulse = axon.Pulse(amplitude=2e4, start=0.1, duration=0.2)
    return axon.simulate(cable, pulse, duration=2.0, dt=0.01, dx=500, **changes)


def test_a_run_through_a_singular_voltage_is_that_of_the_safe_rate() -> None:
    own = Channel("Na", 0.12, 50.0, (Gate("m", 3, alpha=naive, beta=beta_m, q10=3.0), HH.gates["h"]))
    membrane = Membrane("own", (own, *HH.without("Na").channels))
    for start in (None, -40.0):
        ours, squid = (run_of(m, initial_voltage=start).voltage for m in (membrane, HH))
        assert_allclose(ours, squid, rtol=0, atol=1e-9)


def half(v: Array) -> Array:
    return 0.5 + 0 * v


def gate(**changes: Any) -> Gate:
    return Gate("n", **({"alpha": half, "beta": half} | changes))


def channel(**changes: Any) -> Channel:
    return Channel("K", 0.036, -77.0, (gate(**changes),))


BY_TIME = {"alpha": None, "beta": None, "inf": half, "tau": half}

WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "wrong length": (
        lambda: channel(alpha=lambda v: np.ones(3)),
        r"Channel 'K', gate 'n': alpha must give one value for each voltage, got an array of shape \(3,\)",
    ),
    "nan": (
        lambda: channel(beta=lambda v: np.where(v > -50, np.nan, 1.0)),
        r"Channel 'K', gate 'n': beta must be a rate >= 0 /ms, got nan at V = -49.9 mV",
    ),
    "a pole": (
        lambda: channel(alpha=lambda v: 1 / np.abs(v + 40)),
        r"Channel 'K', gate 'n': alpha must be a rate >= 0 /ms, got inf at V = -40 mV",
    ),
    "infinite rate": (
        lambda: channel(alpha=lambda v: np.exp(v * v)),
        r"Channel 'K', gate 'n': alpha must be a rate >= 0 /ms, got inf at V = -65 mV",
    ),
    "negative rate": (
        lambda: channel(alpha=lambda v: 0.01 * (v + 55)),
        r"Channel 'K', gate 'n': alpha must be a rate >= 0 /ms, got -0.1 at V = -65 mV",
    ),
    "no rate at all": (
        lambda: channel(alpha=lambda v: 0 * v, beta=lambda v: np.where(v < -70, 0, 1)),
        r"Channel 'K', gate 'n': alpha and beta are both 0 at V = -70.1 mV",
    ),
    "inf above 1": (
        lambda: channel(**BY_TIME | {"inf": lambda v: 1.2 / (1 + np.exp(-v))}),
        r"Channel 'K', gate 'n': inf must be a fraction 0..1, got 1.01464 at V = 1.7 mV",
    ),
    "tau = 0": (
        lambda: channel(**BY_TIME | {"tau": lambda v: np.maximum(v + 60, 0)}),
        r"Channel 'K', gate 'n': tau must be a time > 0 ms, got 0 at V = -65 mV",
    ),
    "scalars only": (
        lambda: channel(alpha=lambda v: math.exp(v)),
        r"Channel 'K', gate 'n': alpha must take an array of voltages, and failed with TypeError: .*np\.exp",
    ),
    "a branch": (
        lambda: channel(alpha=lambda v: 1.0 if v < -40 else 2.0),
        r"Channel 'K', gate 'n': alpha must take an array of voltages, .*np\.where.*np\.vectorize",
    ),
    "complex": (
        lambda: channel(alpha=lambda v: 1j * v),
        r"Channel 'K', gate 'n': alpha must give real numbers, got complex128 values",
    ),
    "nothing returned": (
        lambda: channel(alpha=lambda v: None),
        r"Channel 'K', gate 'n': alpha must give real numbers, got object values",
    ),
    "a number for a function": (
        lambda: gate(beta=0.5),
        r"Gate 'n': beta must be a function of V in mV, got 0.5; a constant is beta=lambda v: 0.5",
    ),
    "tau forgotten": (
        lambda: gate(**BY_TIME | {"tau": None}),
        r"Gate 'n': a gate is instantaneous=True exactly when it has inf alone, got instantaneous=False",
    ),
    "misspelt keyword of a gate": (
        lambda: Gate("n", alfa=half, beta=half),  # type: ignore[call-arg]
        r"unknown keyword of Gate 'alfa'; did you mean 'alpha'\? known: alpha, beta, exponent",
    ),
    "misspelt keyword of a channel": (
        lambda: Channel("K", 0.036, reversal_potential=-77),  # type: ignore[call-arg]
        r"unknown keyword of Channel 'reversal_potential'; did you mean 'reversal'\?",
    ),
    "misspelt keyword of a membrane": (
        lambda: Membrane("M", (), capacitence=1.0),  # type: ignore[call-arg]
        r"unknown keyword of Membrane 'capacitence'; did you mean 'capacitance'\?",
    ),
    "a gate for a tuple": (
        lambda: Channel("K", 0.036, -77.0, gate()),  # type: ignore[arg-type]
        r"Channel 'K': gates must be a tuple of Gate, such as \(m, h\) or \(n,\), got Gate\('n'",
    ),
    "no gate": (
        lambda: PermeableChannel("K", 1e-3, 120.0, 2.5, ("n",)),  # type: ignore[arg-type]
        r"PermeableChannel 'K': gates must hold Gate objects, got 'n'",
    ),
    "a channel for a tuple": (
        lambda: Membrane("M", channel()),  # type: ignore[arg-type]
        r"Membrane 'M': channels must be a tuple of Channel, got Channel\(name='K'",
    ),
    "no channel": (
        lambda: Membrane("M", (gate(),)),  # type: ignore[arg-type]
        r"Membrane 'M': channels must hold Channel, PermeableChannel or Transporter objects, got Gate\('n'",
    ),
    "three q10": (
        lambda: gate(q10=(1, 2, 3)),
        r"Gate 'n': q10 must be one number, or one each for alpha and",
    ),
    "two q10 for tau": (
        lambda: gate(**BY_TIME, q10=(1, 2)),
        r"Gate 'n': q10 must be one number, or one each",
    ),
    "misspelt channel": (
        lambda: HH.without("Kv"),
        r"membrane 'hodgkin_huxley': unknown channel 'Kv'; did you mean 'K'\? known: K, Na, leak",
    ),
    "misspelt channel to scale": (lambda: HH.scaled(na=2), r"unknown channel 'na'; did you mean 'Na'\?"),
    "negative factor": (lambda: HH.scaled(Na=-1), r"factor of 'Na' must be >= 0 .*, got -1"),
    "more than all": (lambda: HH.block("Na", 1.2), r"part must be 0\.\.1, .*, got 1.2"),
    "one too many": (lambda: HH + channel(), r"Membrane 'hodgkin_huxley': channel 'K' occurs twice"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_meant_gives_one_clear_line(name: str) -> None:
    make, message = WRONG[name]
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_only_channels_can_be_added() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Membrane' and 'Gate'"):
        HH + gate()  # type: ignore[operator]


A_TYPE = Channel("A", 0.047, -75.0, (Gate("a", 4, inf=half, tau=half),))


def test_membranes_are_varied_as_one_speaks_of_them() -> None:
    more = HH + A_TYPE
    assert [c.name for c in more.channels] == ["Na", "K", "leak", "A"]
    assert more.without("A") == HH
    assert HH.without("Na", "K").channels == (HH.channels[2],)
    assert HH.scaled(Na=0.5, K=2) == hodgkin_huxley(g_na=0.06, g_k=0.072)
    assert HH.block("Na", 1.0) == hodgkin_huxley(g_na=0.0)
    assert HH.block("K", 0.75) == HH.scaled(K=0.25)
    frog = axon.frankenhaeuser_huxley()
    assert frog.scaled(Na=0.5).channels[0].permeability == 0.5 * frog.channels[0].permeability
    for membrane in (more, HH.block("Na", 0.3), frog.scaled(p=3)):
        assert membrane.capacitance in (HH.capacitance, frog.capacitance)
        assert from_json(to_json(membrane)) == membrane


def test_tetrodotoxin_stops_the_spike_and_tetraethylammonium_widens_it() -> None:
    widths = []
    for membrane in (HH, HH.block("K", 0.6)):
        run = run_of(membrane, record=axon.Record(every=0.01))
        v = run.voltage[:, run.at(10_000)]
        assert v.max() > 0
        widths.append(np.count_nonzero(v > -20.0))
    assert widths[1] > 1.2 * widths[0]
    assert not (run_of(HH.block("Na", 0.95)).spike_position > 5_000).any()


def test_a_membrane_is_stored_once_however_many_sections_have_it() -> None:
    own, other = HH + A_TYPE, HH.scaled(K=2) + A_TYPE
    pieces = [Section(100 + i, 1, (own, other, HH + A_TYPE)[i % 3]) for i in range(60)]
    text = to_json(axon.Axon(sections=pieces))
    assert text.count('"sampled"') == 4  # two functions of each of two membranes
    assert len(text) < 2 * len(to_json(own)) + 60 * 200
    back = from_json(text)
    assert back == axon.Axon(sections=pieces)
    assert back.sections[57].membrane is back.sections[0].membrane


def test_a_number_that_stands_for_no_membrane_is_refused() -> None:
    with pytest.raises(axon.FileFormatError, match="the model in the file cannot be read"):
        from_json(json.dumps({"noun": "Membrane", "number": 0}))


def test_a_users_channel_comes_back_equal_from_a_run_file(tmp_path: Any) -> None:
    own = Channel("Na", 0.12, 50.0, (Gate("m", 3, alpha=naive, beta=beta_m, q10=(3.0, 2.9)), HH.gates["h"]))
    at_once = Channel("P", 1e-5, 50.0, (Gate("p", inf=guarded_half, instantaneous=True),), q10=1.4)
    membrane = Membrane("own", (own, at_once, *HH.without("Na").channels))
    run = run_of(membrane, record=axon.Record(gates=True, currents=True))
    run.save(tmp_path / "own.h5")
    back = axon.load(tmp_path / "own.h5")
    assert back == run and back.axon.membrane == membrane
    again = run_of(back.axon.membrane)
    assert_allclose(again.voltage, run.voltage, rtol=0, atol=1e-4)  # what the samples leave out


def guarded_half(v: Array) -> Array:
    return 1 / (1 + np.exp(-(v + 50) / 5))


# Morris & Lecar, Biophys. J. 35:193, 1981, as Rinzel & Ermentrout write it: calcium opens at once.
def m_inf(v: Array) -> Array:
    return 0.5 * (1 + np.tanh((v + 1.2) / 18))


def w_inf(v: Array) -> Array:
    return 0.5 * (1 + np.tanh((v - 2) / 30))


def tau_w(v: Array) -> Array:
    return 1 / (0.04 * np.cosh((v - 2) / 60))


MORRIS_LECAR = Membrane(
    "morris_lecar",
    (
        Channel("Ca", 0.0044, 120.0, (Gate("m", inf=m_inf, instantaneous=True),)),
        Channel("K", 0.008, -84.0, (Gate("w", inf=w_inf, tau=tau_w),)),
        Channel("leak", 0.002, -60.0),
    ),
    capacitance=20.0,
)
CURRENT = 90.0  # uA/cm2


def clamped_morris_lecar(dt: float) -> axon.Run:
    patch = axon.space_clamp(MORRIS_LECAR)
    pulse = axon.Pulse(amplitude=float(axon.nanoamperes(patch, CURRENT)), duration=np.inf)
    every = axon.Record(every=0.4, gates=True, currents=True)
    return axon.simulate(patch, pulse, duration=60.0, dt=dt, record=every, initial_voltage=-20.0)


def exact_morris_lecar(time: Array) -> Array:
    def slope(_: float, y: Array) -> list[float]:
        v, w = y
        current = 4.4 * m_inf(v) * (v - 120) + 8 * w * (v + 84) + 2 * (v + 60)
        return [(CURRENT - current) / 20, (w_inf(v) - w) / tau_w(v)]

    start = [-20.0, float(w_inf(np.array(-20.0)))]
    return solve_ivp(slope, (0, 60), start, t_eval=time, rtol=1e-11, atol=1e-11, method="DOP853").y


def test_an_instantaneous_gate_keeps_the_second_order() -> None:
    steps = np.array([0.2, 0.1, 0.05, 0.025])
    runs = [clamped_morris_lecar(dt) for dt in steps]
    v, w = exact_morris_lecar(runs[0].time)
    error = [np.abs(run.voltage[:, 0] - v).max() for run in runs]
    order = np.polyfit(np.log(steps), np.log(error), 1)[0]
    assert abs(order - 2.0) < 0.1 and error[-1] < 1e-3  # mV
    last = runs[-1]
    assert_allclose(last.gates["w"][:, 0], w, rtol=0, atol=1e-5)
    assert_allclose(last.gates["m"], m_inf(last.voltage), rtol=1e-14, atol=0)
    assert_allclose(
        last.currents["Ca"], 0.0044 * m_inf(last.voltage) * (last.voltage - 120), rtol=1e-12, atol=0
    )


def test_an_instantaneous_gate_costs_no_step() -> None:
    assert MORRIS_LECAR.gates["m"].time_constant(0.0, 6.3) == 0.0
    assert list(MORRIS_LECAR.lasting_gates) == ["w"]
    assert MORRIS_LECAR.fastest_time_constant(6.3) == pytest.approx(tau_w(np.array(-70.0)))
    assert_allclose(MORRIS_LECAR.steady_current(MORRIS_LECAR.resting_potential()), 0.0, rtol=0, atol=1e-12)


def test_alpha_and_beta_may_grow_differently_when_warm() -> None:
    warm = Gate(
        "n", alpha=lambda v: 0.2 + 0 * v, beta=lambda v: 0.6 + 0 * v, q10=(2.0, 3.0), q10_celsius=20.0
    )
    assert_allclose(warm.steady_state(0.0), 0.25, rtol=1e-15, atol=0)
    assert_allclose(warm.steady_state(0.0, 30.0), 0.4 / 2.2, rtol=1e-15, atol=0)
    assert_allclose(warm.time_constant(0.0, 30.0), 1 / 2.2, rtol=1e-15, atol=0)
    same = Gate("n", alpha=warm.alpha, beta=warm.beta, q10=(2.5, 2.5), q10_celsius=20.0)
    one = Gate("n", alpha=warm.alpha, beta=warm.beta, q10=2.5, q10_celsius=20.0)
    for ours, theirs in zip(same.kinetics(0.0, 37.0), one.kinetics(0.0, 37.0), strict=True):
        assert_allclose(ours, theirs, rtol=1e-14, atol=0)


def test_a_conductance_may_grow_when_warm() -> None:
    leak = Channel("leak", 1e-3, -65.0, q10=1.3, q10_celsius=20.0)
    assert leak.density(30.0) == pytest.approx(1.3e-3, rel=1e-15)
    with pytest.raises(ValueError, match=r"channel 'leak' conducts more when warm \(q10 = 1.3\)"):
        leak.current(-60.0, {})
    warm = PermeableChannel("K", 1e-6, 120.0, 2.5, q10=1.3, q10_celsius=20.0)
    cold = PermeableChannel("K", 1.3e-6, 120.0, 2.5)
    assert_allclose(warm.open_current(-30.0, 30.0), cold.open_current(-30.0, 30.0), rtol=1e-14, atol=0)
    assert_allclose(warm.open_slope(-30.0, 30.0), cold.open_slope(-30.0, 30.0), rtol=1e-14, atol=0)


def test_a_run_conducts_as_warm_as_it_is() -> None:
    """Every density of one axon is written at another temperature; nothing else differs."""
    factor = 1.5 ** ((18.5 - 6.3) / 10)
    written = Membrane(
        "cold",
        tuple(Channel(c.name, c.conductance / factor, c.reversal, c.gates, q10=1.5) for c in HH.channels),
    )
    ours, squid = (run_of(m, record=axon.Record(currents=True)) for m in (written, HH))
    assert_allclose(ours.voltage, squid.voltage, rtol=0, atol=1e-9)
    assert_allclose(ours.currents["Na"], squid.currents["Na"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("exponent", range(1, 9))
def test_a_channel_opens_with_any_power_of_its_gate(exponent: int) -> None:
    membrane = Membrane("one", (Channel("K", 1e-3, -80.0, (Gate("n", exponent, inf=w_inf, tau=tau_w),)),))
    patch = axon.space_clamp(membrane)
    run = axon.simulate(patch, duration=5.0, dt=0.01, initial_voltage=0.0, record=axon.Record(every=5.0))

    def slope(_: float, y: Array) -> list[float]:
        return [-(y[1] ** exponent) * (y[0] + 80), (w_inf(y[0]) - y[1]) / tau_w(y[0])]

    exact = solve_ivp(slope, (0, 5), [0.0, float(w_inf(np.array(0.0)))], rtol=1e-10, atol=1e-10).y[0, -1]
    assert_allclose(run.voltage[-1], exact, rtol=0, atol=2e-4)


def test_the_readme_s_channel_works_as_typed(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    code = page.split("## Your own channel")[1].split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    assert singular_voltages(names["opens"].alpha) == (-45.0,)
    # The A current holds back the squid's 18.73 m/s, and an error bar comes with it.
    assert 18.0 < float(capsys.readouterr().out.split()[0]) < 18.7


def test_instantaneous_gates_are_fast_and_do_not_make_fast_ones_slow() -> None:
    squid_m = HH.gates["m"]
    at_once = Gate("m", 3, inf=squid_m.steady_state, instantaneous=True)
    sodium = Channel("Na", 0.12, 50.0, (at_once, HH.gates["h"]))
    instant = Membrane("instant", (sodium, *HH.without("Na").channels))
    assert fast_gates(instant, 6.3) == fast_gates(HH, 6.3) == ("m",)
    # The threshold at an instant takes m at its steady state, so that this membrane has the squid's.
    assert_allclose(resting_threshold(instant, 6.3), resting_threshold(HH, 6.3), rtol=0, atol=1e-3)
    more = HH + Channel("P", 1e-6, 50.0, (Gate("p", inf=guarded_half, instantaneous=True),))
    assert fast_gates(more, 6.3) == ("p", "m")
    assert fast_gates(MORRIS_LECAR, 6.3) == ("m",)

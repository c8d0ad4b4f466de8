"""Does a channel that I write myself do what its equations say?

Question
    A membrane is typed in from a paper, as NumPy functions and as printed there, 0/0 and all. Is what comes
    out the solution of its equations, in a patch and along an axon; and does its extra channel do what such a
    channel is for?

Theory
    (v + 29.7) / (1 - exp(-(v + 29.7) / 10)) is 0/0 at -29.7 mV with the limit 10, and at a distance d from it
    rounding leaves an error of about 1e-15 mV / d. An A current (Connor & Stevens, J. Physiol.
    213:31, 1971) opens below threshold and then inactivates: it holds the membrane back between spikes. The
    steady current-voltage curve then has a fold, and firing begins there, at its local maximum I_0, on an
    orbit that passes the ghost of the rest ever more slowly: the rate starts from zero as sqrt(I - I_0)
    (Rinzel & Ermentrout in Koch & Segev, Methods in Neuronal Modeling, 1989). Without it, at the same rest,
    the rate begins with a jump.

Membrane
    Crab walking-leg axon: Connor, Walter & McKown, Biophys. J. 18:81, 1977, rates and densities as in Dayan &
    Abbott, Theoretical Neuroscience, 2001, section 6.6. Their a_inf exceeds 1 by up to 1 % around +40 mV,
    which the check at the door refuses; it is cut at 1 here.

Expected answer
    - The filled rates: the limits at the very point, 1e-12 beside it where the bare function has lost all.
    - Patch: SciPy's solution (DOP853, tolerance 1e-11) with second order in dt.
    - Axon: velocity within 0.1 % of SciPy's on the same mesh, voltages within 0.2 mV everywhere.
    - Firing begins at the local maximum of the steady current; the rate grows from 0 with the exponent 1/2;
      without the A current, the leak moved so that the rest stays, it begins with a jump of tens of spikes
      a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import minimize_scalar

import axon
from axon import Channel, Gate, Membrane, study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.draw.kinetics import key_above
from axon.membranes.limits import evaluate, singular_voltages
from axon.membranes.rates import linoid

Array = NDArray[np.float64]


def alpha_m(v: Array) -> Array:
    return 0.38 * (v + 29.7) / (1 - np.exp(-0.1 * (v + 29.7)))


def beta_m(v: Array) -> Array:
    return 15.2 * np.exp(-0.0556 * (v + 54.7))


def alpha_h(v: Array) -> Array:
    return 0.266 * np.exp(-0.05 * (v + 48))


def beta_h(v: Array) -> Array:
    return 3.8 / (1 + np.exp(-0.1 * (v + 18)))


def alpha_n(v: Array) -> Array:
    return 0.02 * (v + 45.7) / (1 - np.exp(-0.1 * (v + 45.7)))


def beta_n(v: Array) -> Array:
    return 0.25 * np.exp(-0.0125 * (v + 55.7))


def a_inf(v: Array) -> Array:
    cube = 0.0761 * np.exp(0.0314 * (v + 94.22)) / (1 + np.exp(0.0346 * (v + 1.17)))
    return np.minimum(1.0, cube ** (1 / 3))


def tau_a(v: Array) -> Array:
    return 0.3632 + 1.158 / (1 + np.exp(0.0497 * (v + 55.96)))


def b_inf(v: Array) -> Array:
    return 1 / (1 + np.exp(0.0688 * (v + 53.3))) ** 4


def tau_b(v: Array) -> Array:
    return 1.24 + 2.678 / (1 + np.exp(0.0624 * (v + 50)))


A_CURRENT = Channel("A", 0.0477, -75, (Gate("a", 3, inf=a_inf, tau=tau_a), Gate("b", inf=b_inf, tau=tau_b)))
MEMBRANE = Membrane(
    "crab_axon",
    (
        Channel(
            "Na", 0.120, 55, (Gate("m", 3, alpha=alpha_m, beta=beta_m), Gate("h", alpha=alpha_h, beta=beta_h))
        ),
        Channel("K", 0.020, -72, (Gate("n", 4, alpha=alpha_n, beta=beta_n),)),
        Channel("leak", 0.0003, -17),
        A_CURRENT,
    ),
)
LIMITS = {"alpha_m": (alpha_m, -29.7, 3.8), "alpha_n": (alpha_n, -45.7, 0.2)}  # 1/ms
DISTANCES = np.logspace(-15, 0, 151)  # mV
PATCH_CURRENT, PATCH_TIME = 12.0, 60.0  # uA/cm2, ms
STEPS = np.array([0.02, 0.01, 0.005, 0.0025])  # ms
DIAMETER, DX, COMPARTMENTS, RESISTIVITY, CABLE_TIME = 476.0, 500.0, 100, 35.4, 6.0
KICK = axon.Pulse(amplitude=3e4, start=0.1, duration=0.2, at=0)
SCIPY = "SciPy, same equations"


def without_a_current() -> Membrane:
    """The same membrane without the A current, its leak moved so that it rests where it did."""
    rest, bare = MEMBRANE.resting_potential(), MEMBRANE.without("A", "leak")
    leak = MEMBRANE.channels[2].conductance  # type: ignore[union-attr]
    return bare + Channel("leak", leak, rest + float(bare.steady_current(rest)) / leak)


def singular_points() -> dict[str, Any]:
    """The two rates that are 0/0: at the point, and beside it."""
    found: dict[str, Any] = {}
    for name, (rate, at, limit) in LIMITS.items():
        (where,) = singular_voltages(rate)
        source = "limit by hand"
        found[f"{name}_is_0_by_0_at"] = study.compared(
            where, at, "mV", tolerance=1e-12, source="printed rate"
        )
        found[f"{name}_there"] = study.compared(
            float(evaluate(rate, at)), limit, "1/ms", tolerance=1e-12, source=source
        )
        v = at + np.concatenate([-DISTANCES, DISTANCES])
        exact = limit * linoid(-(v - at) / 10)
        with np.errstate(all="ignore"):
            bare = np.abs(rate(v) / exact - 1)
        ours = np.abs(evaluate(rate, v) / exact - 1)
        found[f"{name}_worst_beside"] = study.compared(
            ours.max(), 0.0, "1", tolerance=1e-12, source="x / (1 - exp(-x))"
        )
        half = len(DISTANCES)
        found[f"{name}_beside"] = {
            "distance_mV": DISTANCES,
            "bare": np.nan_to_num(np.fmax(bare[:half], bare[half:]), nan=1.0, posinf=1.0),
            "filled": np.fmax(ours[:half], ours[half:]),
        }
    return found


def slopes(v: Array, gates: Array, current: Array | float) -> Array:
    """dV/dt (mV/ms) and those of the gates, from the printed equations; ``current`` in uA/cm2."""
    own = dict(zip(MEMBRANE.gates, gates, strict=True))
    out = np.empty((1 + len(gates), *v.shape))
    out[0] = current - 1e3 * MEMBRANE.current(v, own)
    for i, (name, gate) in enumerate(MEMBRANE.gates.items(), 1):
        steady, rate = gate.kinetics(v, 6.3)
        out[i] = rate * (steady - own[name])
    return out


@cache
def exact_patch() -> Array:
    """V of a patch at rest that is given a steady current, every 0.1 ms."""
    rest = MEMBRANE.resting_potential()
    start = [rest, *(float(x) for x in MEMBRANE.steady_gates(rest).values())]
    times = np.arange(0, PATCH_TIME + 0.05, 0.1)
    done = solve_ivp(
        lambda _, y: slopes(y[:1], y[1:, None], PATCH_CURRENT)[:, 0],
        (0, times[-1] + 1e-9),
        start,
        t_eval=times,
        method="DOP853",
        rtol=1e-11,
        atol=1e-11,
    )
    return np.asarray(done.y[0])


def patch(dt: float) -> axon.Run:
    """Ours of the same."""
    cell = axon.space_clamp(MEMBRANE)
    steady = axon.Pulse(amplitude=float(axon.nanoamperes(cell, PATCH_CURRENT)), duration=np.inf)
    return axon.simulate(
        cell, steady, duration=PATCH_TIME, dt=dt, record=axon.Record(every=0.1), progress=False
    )


def beside_scipy() -> dict[str, Any]:
    """The patch: worst difference, and how it falls with the step."""
    errors = [np.abs(patch(dt).voltage[:, 0] - exact_patch()).max() for dt in STEPS]  # type: ignore[index]
    order = float(np.polyfit(np.log(STEPS), np.log(errors), 1)[0])
    return {
        "patch_order_in_dt": study.compared(
            order, 2.0, "1", tolerance=0.1, source="Crank-Nicolson, staggered"
        ),
        "patch_worst_difference": study.compared(errors[-1], 0.0, "mV", tolerance=0.2, source=SCIPY),
        "patch_step_ms": STEPS,
        "patch_differences_mV": errors,
    }


@cache
def exact_cable(every: float = 0.001) -> tuple[Array, Array]:
    """Times (ms) and V (n_t, n_x) along the axon, by the method of lines with a banded implicit solver."""
    cable = crab_axon()
    cut = cable.compartments(DX)
    n, rest = len(cut), MEMBRANE.resting_potential()
    g = cut.axial_conductance / (cut.capacitance[0])  # uS over nF is 1/ms
    size = 1 + len(MEMBRANE.gates)
    kick = KICK.amplitude / cut.capacitance[0]  # mV/ms, at x = 0

    def slope(t: float, y: Array, stimulus: float) -> Array:
        state = y.reshape(n, size).T
        out = slopes(state[0], state[1:], 0.0)
        flow = g * np.diff(state[0])
        out[0, :-1] += flow
        out[0, 1:] -= flow
        out[0, 0] += stimulus
        return out.T.ravel()

    at_rest = np.array([rest, *(float(x) for x in MEMBRANE.steady_gates(rest).values())])
    y, parts = np.tile(at_rest, n), []
    edges = [0.0, KICK.start, KICK.start + KICK.duration, CABLE_TIME]
    for begin, end, stimulus in zip(edges[:-1], edges[1:], (0.0, kick, 0.0), strict=True):
        times = np.linspace(begin, end, round((end - begin) / every) + 1)
        done = solve_ivp(
            slope,
            (begin, end),
            y,
            args=(stimulus,),
            t_eval=times,
            method="LSODA",
            rtol=1e-7,
            atol=1e-8,
            lband=size,
            uband=size,
        )
        y = done.y[:, -1]
        parts.append((times[1:], done.y[::size, 1:].T))
    return np.concatenate([t for t, _ in parts]), np.concatenate([v for _, v in parts])


def crab_axon() -> axon.Axon:
    return axon.Axon(
        length=DX * COMPARTMENTS, diameter=DIAMETER, membrane=MEMBRANE, axial_resistivity=RESISTIVITY
    )


@cache
def our_cable(dt: float = 0.00125) -> axon.Run:
    return axon.simulate(
        crab_axon(), KICK, duration=CABLE_TIME, dt=dt, dx=DX, record=axon.Record(every=0.01), progress=False
    )


def along_an_axon() -> dict[str, Any]:
    """Velocity and voltages beside SciPy's on the same mesh."""
    times, v = exact_cable()
    run = our_cable()
    threshold = run.record.threshold
    rising = np.argmax((v[:-1] < threshold) & (v[1:] >= threshold), axis=0)
    x = np.arange(v.shape[1])
    before, after = v[rising, x], v[rising + 1, x]
    arrival = times[rising] + (threshold - before) / (after - before) * (times[1] - times[0])
    between = (0.4 * crab_axon().total_length, 0.8 * crab_axon().total_length)
    inside = (run.position > between[0]) & (run.position < between[1])
    theirs = 1e-3 / float(np.polyfit(run.position[inside], arrival[inside], 1)[0])
    ours = run.velocity(between=between).value
    assert run.voltage is not None
    shared = np.rint(run.time[1:] / 0.001).astype(int) - 1
    apart = np.abs(run.voltage[1:] - v[shared]).max()
    return {
        "velocity": study.compared(ours, theirs, "m/s", tolerance=1e-3 * theirs, source=f"{SCIPY} and mesh"),
        "axon_worst_difference": study.compared(apart, 0.0, "mV", tolerance=0.2, source=f"{SCIPY} and mesh"),
    }


def fold_current(membrane: Membrane) -> float:
    """Local maximum of the steady current above rest, uA/cm2: beyond it the membrane has no rest."""
    rest = membrane.resting_potential()
    found = minimize_scalar(
        lambda v: -float(membrane.steady_current(v)),
        bounds=(rest, rest + 30),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return -1e3 * float(found.fun)


def rates(membrane: Membrane, currents: Array, duration: float) -> Array:
    """Spikes per second of a patch given steady currents (uA/cm2), once it fires regularly; 0 for none."""
    cell = axon.space_clamp(membrane)
    steady = [axon.Pulse(amplitude=float(i), duration=np.inf) for i in axon.nanoamperes(cell, currents)]
    runs = axon.simulate_many(
        [cell] * len(currents),
        [[s] for s in steady],
        duration=duration,
        dt=0.01,
        record=axon.Record(voltage=None),
        progress=False,
    )
    intervals = [np.diff(run.spike_time[run.spike_time > duration / 4]) for run in runs]
    return np.array([1e3 / gaps.mean() if len(gaps) > 1 else 0.0 for gaps in intervals])


def firing(quick: bool) -> dict[str, Any]:
    """How firing begins, with the A current and without."""
    onset = fold_current(MEMBRANE)
    above = np.array([0.001, 0.002, 0.004, 0.008])
    near = rates(MEMBRANE, onset + above, 2e4 if quick else 6e4)
    exponent = float(np.polyfit(np.log(above), np.log(near), 1)[0])
    slope, offset = np.polyfit(above, near**2, 1)
    currents = np.linspace(0.0, 20.0, 41)
    curve, without = (rates(membrane, currents, 600.0) for membrane in (MEMBRANE, without_a_current()))
    return {
        "firing_begins_at": study.compared(
            onset - offset / slope, onset, "uA/cm2", tolerance=0.001, source="fold of the steady curve"
        ),
        "rate_grows_with_exponent": study.compared(
            exponent, 0.5, "1", tolerance=0.05, source="theory of the fold"
        ),
        "lowest_rate_seen_per_s": float(near.min()),
        "lowest_rate_without_A_per_s": float(without[without > 0].min()),
        "current_uA_per_cm2": currents,
        "rate_per_s": curve,
        "rate_without_A_per_s": without,
        "onset_uA_per_cm2": onset,
    }


def run(quick: bool = False) -> dict[str, Any]:
    """All parts; ``quick`` fires for a shorter time near the onset."""
    answer = singular_points() | beside_scipy() | along_an_axon() | firing(quick)
    speed = answer["velocity"]
    apart, lowest = answer["patch_worst_difference"]["value"], answer["lowest_rate_seen_per_s"]
    without = answer["lowest_rate_without_A_per_s"]
    words = (
        f"yes; typed as printed, its patch is within {apart:.2g} mV of SciPy's and its spike runs at "
        f"{speed['value']:.3f} m/s, {100 * abs(speed['relative_difference']):.1g} % from SciPy's; the A "
        f"current lets it fire as slowly as {lowest:.2g} times a second, and without it, at the same rest, "
        f"never below {without:.0f}"
    )
    return answer | {"answer": words}


def figure(answer: dict[str, Any], path: Path) -> None:
    """Rates beside 0/0, patch, axon and firing."""
    with context():
        page = empty_figure(178, 112, dpi=200)
        axes = page.subplots(2, 2)
        draw_singular(answer, axes[0, 0])
        draw_patch(axes[0, 1])
        draw_axon(axes[1, 0])
        draw_firing(answer, axes[1, 1])
        for letter, ax in zip("abcd", axes.flat, strict=True):
            ax.text(-0.16, 1.03, letter, transform=ax.transAxes, fontsize=8.5, fontweight="bold")
        save(page, path)


def draw_singular(answer: dict[str, Any], ax: Any) -> None:
    beside = answer["alpha_m_beside"]
    for key, colour, words in (("bare", "vermillion", "as printed"), ("filled", "blue", "as evaluated")):
        ax.loglog(beside["distance_mV"], np.maximum(beside[key], 1e-17), color=COLOURS[colour], label=words)
    ax.set_xlabel("distance from −29.7 mV (mV)")
    ax.set_ylabel("relative error of α$_m$")
    key_above(ax)


def draw_patch(ax: Any) -> None:
    ours = patch(float(STEPS[1]))
    assert ours.voltage is not None
    ax.plot(ours.time, ours.voltage[:, 0], color=COLOURS["blue"], label="axon, dt = 0.01 ms")
    ax.plot(ours.time[::4], exact_patch()[::4], ".", color="black", markersize=2, label="SciPy")
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("voltage (mV)")
    key_above(ax)


def draw_axon(ax: Any) -> None:
    times, v = exact_cable()
    ours = our_cable()
    assert ours.voltage is not None
    for number, x in enumerate((5_000, 20_000, 35_000)):
        place = ours.at(x)
        ax.plot(
            ours.time, ours.voltage[:, place], color=COLOURS["blue"], label="axon" if number == 0 else None
        )
        ax.plot(
            times[::60],
            v[::60, place],
            ".",
            color="black",
            markersize=2,
            label="SciPy" if number == 0 else None,
        )
    ax.set_xlabel("time (ms), at 5, 20 and 35 mm")
    ax.set_ylabel("voltage (mV)")
    key_above(ax)


def draw_firing(answer: dict[str, Any], ax: Any) -> None:
    currents = np.array(answer["current_uA_per_cm2"])
    for key, colour, words in (
        ("rate_per_s", "blue", "with the A current"),
        ("rate_without_A_per_s", "vermillion", "without"),
    ):
        ax.plot(currents, answer[key], ".-", color=COLOURS[colour], markersize=3, label=words)
    ax.axvline(answer["onset_uA_per_cm2"], color=COLOURS["grey"], linewidth=0.6, linestyle=(0, (4, 2)))
    ax.set_xlabel("current (µA/cm²)")
    ax.set_ylabel("spikes per second")
    key_above(ax)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

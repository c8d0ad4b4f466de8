"""How large is the error of the velocity at a given step and mesh, and what should one choose?

Question
    A simulated velocity is wrong by the time step dt, by the mesh dx, and by where it is measured. How
    fast does each error vanish, and which dt and dx are the cheapest for 1 %, 0.1 % and 0.01 %?

Theory
    The staggered Crank-Nicolson step is of second order in dt. The usual mesh (``order=2``) is of second
    order in dx, the compact operator (``order=4``) of fourth, at nearly the same price. The errors add,
    e = A dt^2 + B dx^p. For a given |e| the price 1 / (dt dx) is least when the step is given the part
    p / (2 + p) of the error and the mesh the rest: half and half for p = 2, two thirds and one third for
    p = 4. Two runs at dt and dt / 2 give (4 v(dt / 2) - v(dt)) / 3, free of dt^2.

Method
    Squid axon of HH 1952: d = 476 um, 35.4 ohm cm, 18.5 degC, leak reversal -54.387 mV. The velocity is
    the least-squares slope of the arrival times between 8 and 12 cm of 15 cm, clear of the start and of
    the far end. The error in dt is seen with a mesh whose own error is 1e-8 (order 4, 78 um), the error
    in dx with the step extrapolated away. The choices are timed on an everyday axon of 10 cm, measured
    between 4 and 8 cm: the shortest of several runs, one axon on one thread.

Expected answer
    Orders 2, 2 and 4, and in the limit the exact velocity of the travelling wave of the same equations,
    18.7318882479 m/s (a boundary-value problem, solved to 12 digits without any time step). The window of
    the everyday axon is within 1e-5 of it.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure
from axon.geometry import default_dx, length_constant

WAVE = 18.7318882479  # m/s
FULL_DT = (0.04, 0.02, 0.01, 0.005, 0.0025, 0.00125, 0.000625)  # ms
QUICK_DT = FULL_DT[:-1]
DX = tuple(2500.0 / 2**k for k in range(7))  # um
FINE_DX, FINE_DT = DX[5], 0.00125  # um with order 4, ms with extrapolation
ASYMPTOTIC_DT, ASYMPTOTIC_DX = 0.01, 1250.0  # from here on the orders are fitted
FLOOR = 1e-8  # of the velocity: what the extrapolation in dt leaves
TARGETS = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)  # of the velocity
TOLD = (1e-2, 1e-3, 1e-4)  # the targets in the table
PAIR = 1e-5  # target of the extrapolated pair of runs
LONG, LATE = 150_000.0, (80_000.0, 120_000.0)  # um
EVERYDAY, MIDDLE = 100_000.0, (40_000.0, 80_000.0)  # um


def squid(length: float) -> axon.Axon:
    """The axon of HH 1952, this many um of it."""
    membrane = axon.hodgkin_huxley()
    return axon.Axon(length=length, diameter=476, membrane=membrane, axial_resistivity=35.4, celsius=18.5)


def velocity(
    dt: float | None,
    dx: float | None,
    order: int,
    length: float = LONG,
    between: tuple[float, float] = LATE,
) -> float:
    """Simulated velocity, m/s."""
    pulse = axon.suprathreshold_pulse(squid(length))
    duration = 1.5 + between[1] / 17.5e3  # ms: long enough down to 17.5 m/s
    record = axon.Record(voltage=None)
    run = axon.simulate(squid(length), pulse, duration=duration, dt=dt, dx=dx, order=order, record=record)
    return run.velocity(between=between).value


def extrapolated(dt: float, dx: float, order: int, **place: Any) -> float:
    """Velocity at dt = 0, from this step and its half, m/s."""
    return (4 * velocity(dt / 2, dx, order, **place) - velocity(dt, dx, order, **place)) / 3


def error(theta: float) -> float:
    """Relative error of a velocity in m/s."""
    return theta / WAVE - 1


def error_curves(all_dt: Sequence[float]) -> dict[str, Any]:
    """Relative error of the velocity at every step, and at every mesh of both orders."""
    return {
        "dt_ms": list(all_dt),
        "error_dt": [error(velocity(dt, FINE_DX, 4)) for dt in all_dt],
        "dx_um": list(DX),
        "error_dx_order_2": [error(extrapolated(FINE_DT, dx, 2)) for dx in DX],
        "error_dx_order_4": [error(extrapolated(FINE_DT, dx, 4)) for dx in DX],
    }


def fitted_order(
    step: Sequence[float], errors: Sequence[float], coarsest: float, expected: float, tolerance: float
) -> dict[str, Any]:
    """Slope of log |error| against log step, over steps that are fine and errors above the floor."""
    used = [(s, abs(e)) for s, e in zip(step, errors, strict=True) if s <= coarsest and abs(e) > FLOOR]
    x, y = np.log(np.array(used)).T
    slope, covariance = np.polyfit(x, y, 1, cov=True)
    uncertainty = math.sqrt(covariance[0, 0])
    return study.compared(
        slope[0],
        expected,
        "1",
        tolerance=tolerance,
        standard_error=uncertainty,
        source=f"theory, {len(x)} steps",
    )


def step_for(part: float, step: Sequence[float], errors: Sequence[float]) -> float:
    """The step whose error is ``part``, interpolated on the curve, rounded down to 2 digits."""
    assert np.abs(errors).min() <= part <= np.abs(errors).max()
    found = math.exp(np.interp(math.log(part), np.log(np.abs(errors[::-1])), np.log(step[::-1])))
    unit = 10.0 ** (math.floor(math.log10(found)) - 1)
    return round(math.floor(found / unit) * unit, 12)


def choice(target: float, order: int, curves: dict[str, Any], repeats: int) -> dict[str, Any]:
    """The cheapest dt and dx for a target, the error they really have, and how long they take."""
    for_step = order / (2 + order) * target
    dt = step_for(for_step, curves["dt_ms"], curves["error_dt"])
    dx = step_for(target - for_step, curves["dx_um"], curves[f"error_dx_order_{order}"])
    theta, seconds = timed(lambda: velocity(dt, dx, order, EVERYDAY, MIDDLE), repeats)
    reached = study.compared(error(theta), 0.0, "1", tolerance=target, source="travelling wave")
    return {
        "target": target,
        "order": order,
        "dt_ms": dt,
        "dx_um": dx,
        "run_time_s": seconds,
        "error": reached,
    }


def two_runs(repeats: int) -> dict[str, Any]:
    """Two coarse runs extrapolated in dt, which beat one fine run."""
    dt, dx = 0.01, 350.0
    theta, seconds = timed(lambda: extrapolated(dt, dx, 4, length=EVERYDAY, between=MIDDLE), repeats)
    reached = study.compared(error(theta), 0.0, "1", tolerance=PAIR, source="travelling wave")
    return {"target": PAIR, "order": 4, "dt_ms": dt, "dx_um": dx, "run_time_s": seconds, "error": reached}


def timed(measure: Callable[[], float], repeats: int) -> tuple[float, float]:
    """What it returns, and the shortest time it took, s."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        value = measure()
        seconds.append(time.perf_counter() - began)
    return value, min(seconds)


def scales() -> dict[str, float]:
    """What steps and meshes are to be compared with, in any axon."""
    section = squid(EVERYDAY).sections[0]
    return {
        "fastest_time_constant_ms": section.membrane.fastest_time_constant(section.celsius),
        "length_constant_1_kHz_um": length_constant(section, 1000.0),
        "default_dt_ms": axon.default_dt(squid(EVERYDAY)),
        "default_dx_um": default_dx(section),
    }


def run(quick: bool = False) -> dict[str, Any]:
    """Error curves, fitted orders and the cheapest choices; ``quick`` leaves out the finest steps."""
    curves = error_curves(QUICK_DT if quick else FULL_DT)
    repeats = 3 if quick else 15
    choices = [choice(target, order, curves, repeats) for order in (2, 4) for target in TARGETS]
    choices.append(two_runs(repeats))
    dt, dx = curves["dt_ms"], curves["dx_um"]

    def beside(theta: float, tolerance: float) -> dict[str, Any]:
        return study.compared(theta, WAVE, "m/s", tolerance=tolerance * WAVE, source="travelling wave")

    answer = {
        "velocity_default": beside(velocity(None, None, 2, EVERYDAY, MIDDLE), 1e-3),
        "velocity_limit": beside(extrapolated(FINE_DT, dx[-1], 4), 1e-7),
        "velocity_limit_4_to_8_cm": beside(
            extrapolated(FINE_DT, dx[-1], 4, length=EVERYDAY, between=MIDDLE), 1e-5
        ),
        "order_dt": fitted_order(dt, curves["error_dt"], ASYMPTOTIC_DT, 2, 0.1),
        "order_dx": fitted_order(dx, curves["error_dx_order_2"], ASYMPTOTIC_DX, 2, 0.1),
        "order_dx_compact": fitted_order(dx, curves["error_dx_order_4"], ASYMPTOTIC_DX, 4, 0.2),
        **curves,
        **scales(),
        "choices": choices,
        "platform": platform.platform(),
    }
    return answer | {"answer": in_words(answer)}


def in_words(answer: dict[str, Any]) -> list[str]:
    """The table of what to choose."""
    fastest, constant = answer["fastest_time_constant_ms"], answer["length_constant_1_kHz_um"]
    lines = [
        "the cheapest step and mesh for an error of the velocity",
        "   wanted  order      dt (us)   dt / tau   dx (um)   dx / lambda      reached   run time",
    ]
    for row in answer["choices"]:
        if row["target"] not in (*TOLD, PAIR):
            continue
        dt, dx = row["dt_ms"], row["dx_um"]
        steps = f"{1e3 * dt:g}" + (f" and {500 * dt:g}" if row["target"] == PAIR else "")
        lines.append(
            f"{100 * row['target']:>7g} %{row['order']:>7}{steps:>13}{dt / fastest:>11.2f}{dx:>10g}"
            f"{dx / constant:>14.3f}{100 * row['error']['value']:>11.5f} %{1e3 * row['run_time_s']:>8.1f} ms"
        )
    return [
        *lines,
        f"tau = {1e3 * fastest:.3g} us: time constant of the fastest gate; lambda = {constant:.4g} um: "
        "length constant at 1 kHz; with them the table serves other axons",
        "the last line is extrapolated from two runs, as axon.measure_velocity does",
    ]


def figure(answer: dict[str, Any], path: Path) -> None:
    """Error against step, against mesh, and against run time."""
    with context():
        page = empty_figure(178, 72)
        by_step, by_mesh, by_time = page.subplots(1, 3, sharey=True)
        draw_errors(by_step, answer["dt_ms"], answer["error_dt"], 2, "blue", "o")
        draw_errors(by_mesh, answer["dx_um"], answer["error_dx_order_2"], 2, "blue", "o")
        draw_errors(by_mesh, answer["dx_um"], answer["error_dx_order_4"], 4, "vermillion", "s")
        draw_prices(by_time, answer["choices"])
        mark_default(by_step, answer["default_dt_ms"])
        mark_default(by_mesh, answer["default_dx_um"])
        by_step.text(1.1e-3, 8e-5, "∝ dt²", ha="center")
        by_mesh.text(70, 3e-4, "order 2\n∝ dx²", ha="center", color=COLOURS["blue"])
        by_mesh.text(900, 5e-7, "order 4\n∝ dx⁴", ha="center", color=COLOURS["vermillion"])
        by_mesh.axhspan(1e-12, FLOOR, color=COLOURS["grey"], alpha=0.15, linewidth=0)
        by_mesh.text(2800, 5e-10, "not resolved", ha="right", color=COLOURS["grey"])
        by_step.set(xlabel="time step (ms)", title="a   time step")
        by_mesh.set(xlabel="compartment length (µm)", title="b   mesh")
        by_time.set(xlabel="run time (ms)", title="c   price")
        by_step.set_ylabel("relative error of the velocity")
        by_step.set_ylim(3e-10, 1e-1)
        save(page, path)


def draw_errors(
    ax: Any, step: list[float], errors: list[float], order: int, colour: str, marker: str
) -> None:
    """One error curve and, dotted, the power law it should follow."""
    x, y = np.array(step), np.abs(errors)
    middle = len(x) // 2
    ax.loglog(x, y[middle] * (x / x[middle]) ** order, ":", color=COLOURS["grey"], linewidth=1, zorder=1)
    ax.loglog(x, y, color=COLOURS[colour], marker=marker, markersize=4.5, linestyle="none")


def draw_prices(ax: Any, choices: list[dict[str, Any]]) -> None:
    """Error reached against run time, one line per order, and the extrapolated pair of runs."""
    for order, colour, marker in ((2, "blue", "o"), (4, "vermillion", "s")):
        rows = [row for row in choices if row["order"] == order and row["target"] in TARGETS]
        price = [1e3 * row["run_time_s"] for row in rows]
        reached = [abs(row["error"]["value"]) for row in rows]
        ax.loglog(
            price, reached, color=COLOURS[colour], marker=marker, markersize=4.5, label=f"order {order}"
        )
    pair = choices[-1]
    point = (1e3 * pair["run_time_s"], abs(pair["error"]["value"]))
    label = "order 4, two runs\nextrapolated"
    ax.loglog(*point, color=COLOURS["green"], marker="D", markersize=5, linestyle="none", label=label)
    ax.set_xlim(1, 100)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.legend(loc="lower left")


def mark_default(ax: Any, default: float) -> None:
    """Where the library's own choice lies."""
    ax.axvline(default, color=COLOURS["grey"], linewidth=0.8, linestyle="--", zorder=0)
    ax.annotate("default ", (default, 5e-6), rotation=90, ha="right", va="center", color=COLOURS["grey"])


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

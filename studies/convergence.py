"""How large is the error of the velocity at a given step and mesh, and what should one choose?

Question
    A simulated velocity is wrong by the time step dt, by the mesh dx, and by where it is measured. How
    fast does each error vanish, and which dt and dx are the cheapest for 1 %, 0.1 % and 0.01 %?

Theory
    The usual mesh (``order=2``) is of second order in dx and stepped by staggered Crank-Nicolson, of second
    order in dt. The compact operator (``order=4``) is of fourth order in dx and stepped with what the last
    three steps tell of the curvature of the voltage, which leaves e = C dt^3 + D dt^4 + ... The slope of that
    on logarithmic axes is 3 + x / (1 + x) with x = D dt / C: it runs from 4, where steps are so long that the
    second term is the larger one, down to 3. What is left of errors at dt, dt / 2 and dt / 4 when D is taken
    out has the slope 3 sooner.
    The errors of step and mesh add, e = A dt^p + B dx^q. For a given |e| the price 1 / (dt dx) is least when
    the step is given the part q / (p + q) of the error and the mesh the rest: half and half for p = q = 2,
    four sevenths and three for p = 3, q = 4. Two runs at dt and dt / 2 give
    v(dt / 2) + (v(dt / 2) - v(dt)) / (2^p - 1), free of dt^p: they cost as much as one at dt / 3.

Method
    Squid axon of HH 1952: d = 476 um, 35.4 ohm cm, 18.5 degC, leak reversal -54.387 mV. The velocity is
    the least-squares slope of the arrival times between 8 and 12 cm of 15 cm, clear of the start and of
    the far end. The error in dt is seen with a mesh whose own error is 2e-9 (39 um; order 2 extrapolated
    from there and 78 um), the error in dx with the step extrapolated away. The choices are timed on an
    everyday axon of 10 cm, measured between 4 and 8 cm: the shortest of several runs, one axon on one thread.

Expected answer
    With order 2, 2 in dt and 2 in dx; with order 4, slopes between 3 and 4 in dt, 3 when the next term is
    taken out, and 4 in dx; and in the limit the exact velocity of the travelling wave of the same equations,
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
FULL_DT = tuple(0.08 / 2**k for k in range(8))  # ms
QUICK_DT = FULL_DT[:-1]
ORDER_DT = {2: 2, 4: 3}  # by the order of the mesh
DX = tuple(2500.0 / 2**k for k in range(7))  # um
FINE_DT = 0.00125  # ms, with extrapolation
ASYMPTOTIC_DT, ASYMPTOTIC_DX = 0.01, 1250.0  # from here on the orders are fitted
FLOOR = 1e-8  # of the velocity: what the extrapolation in dt leaves
TARGETS = {
    2: (1e-2, 3e-3, 1e-3, 3e-4, 1e-4),
    4: (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5),
}  # of the velocity
TOLD = (1e-2, 1e-3, 1e-4, 3e-5)  # the targets in the table
PAIR = 1e-5  # target of the extrapolated pair of runs
LONG, LATE = 150_000.0, (80_000.0, 120_000.0)  # um
LOOK = {2: ("blue", "o"), 4: ("vermillion", "s")}  # by the order of the mesh
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
    coarse, fine = (velocity(one, dx, order, **place) for one in (dt, dt / 2))
    return fine + (fine - coarse) / (2 ** ORDER_DT[order] - 1)


def on_no_mesh(dt: float, order: int) -> float:
    """Velocity whose mesh leaves no error worth the name, m/s."""
    fine = velocity(dt, DX[-1], order)
    return fine if order == 4 else fine + (fine - velocity(dt, DX[-2], order)) / 3


def error(theta: float) -> float:
    """Relative error of a velocity in m/s."""
    return theta / WAVE - 1


def error_curves(all_dt: Sequence[float]) -> dict[str, Any]:
    """Relative error of the velocity at every step, and at every mesh of both orders."""
    return {
        "dt_ms": list(all_dt),
        "error_dt_order_2": [error(on_no_mesh(dt, 2)) for dt in all_dt],
        "error_dt_order_4": [error(on_no_mesh(dt, 4)) for dt in all_dt],
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


def third_order(errors: Sequence[float]) -> dict[str, Any]:
    """Slopes of errors at halved steps, in dt of third order, as seen and without the term of the fourth.

    Differences from one step to its half do not know how exact the mesh and the wave are.
    """
    changes = -np.diff(errors)
    seen = np.log2(changes[:-1] / changes[1:])
    freed = 16 * changes[1:] - changes[:-1]
    slopes = np.log2(freed[:-1] / freed[1:])
    return {
        "slopes_dt_order_4": seen,
        "slopes_dt_order_4_without_dt4": slopes,
        "slope_dt_order_4": study.compared(
            seen[-1], 3.5, "1", tolerance=0.5, source="theory, between 3 and 4, finest steps"
        ),
        "order_dt_order_4": study.compared(
            slopes[-1], 3, "1", tolerance=0.1, source="theory, without dt^4, finest steps"
        ),
    }


def step_for(part: float, step: Sequence[float], errors: Sequence[float]) -> float:
    """The step whose error is ``part``, interpolated on the curve, rounded down to 2 digits."""
    assert np.abs(errors).min() <= part <= np.abs(errors).max()
    found = math.exp(np.interp(math.log(part), np.log(np.abs(errors[::-1])), np.log(step[::-1])))
    unit = 10.0 ** (math.floor(math.log10(found)) - 1)
    return round(math.floor(found / unit) * unit, 12)


def choice(target: float, order: int, curves: dict[str, Any], repeats: int) -> dict[str, Any]:
    """The cheapest dt and dx for a target, the error they really have, and how long they take."""
    for_step = order / (ORDER_DT[order] + order) * target
    dt = step_for(for_step, curves["dt_ms"], curves[f"error_dt_order_{order}"])
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
    """Two coarse runs extrapolated in dt, beside one fine run."""
    dt, dx = 0.015, 400.0
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
    choices = [choice(target, order, curves, repeats) for order in (2, 4) for target in TARGETS[order]]
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
        "order_dt": fitted_order(dt, curves["error_dt_order_2"], ASYMPTOTIC_DT, 2, 0.1),
        "order_dx": fitted_order(dx, curves["error_dx_order_2"], ASYMPTOTIC_DX, 2, 0.1),
        "order_dx_compact": fitted_order(dx, curves["error_dx_order_4"], ASYMPTOTIC_DX, 4, 0.2),
        **third_order(curves["error_dt_order_4"]),
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
    *choices, pair = answer["choices"]
    for row in [*(row for row in choices if row["target"] in TOLD), pair]:
        dt, dx = row["dt_ms"], row["dx_um"]
        steps = f"{1e3 * dt:g}" + (f" and {500 * dt:g}" if row is pair else "")
        lines.append(
            f"{100 * row['target']:>7g} %{row['order']:>7}{steps:>13}{dt / fastest:>11.2f}{dx:>10g}"
            f"{dx / constant:>14.3f}{100 * row['error']['value']:>11.5f} %{1e3 * row['run_time_s']:>8.1f} ms"
        )
    return [
        *lines,
        f"tau = {1e3 * fastest:.3g} us: time constant of the fastest gate; lambda = {constant:.4g} um: "
        "length constant at 1 kHz; with them the table serves other axons",
        "the last line is extrapolated from two runs, as axon.measure_velocity does for its error bar; "
        "what is left of step and mesh has opposite signs there and nearly cancels",
    ]


def figure(answer: dict[str, Any], path: Path) -> None:
    """Error against step, against mesh, and against run time."""
    with context():
        page = empty_figure(178, 72)
        by_step, by_mesh, by_time = page.subplots(1, 3, sharey=True)
        for order, look in LOOK.items():
            by_dt, by_dx = answer[f"error_dt_order_{order}"], answer[f"error_dx_order_{order}"]
            draw_errors(by_step, answer["dt_ms"], by_dt, ORDER_DT[order], -3, look)
            draw_errors(by_mesh, answer["dx_um"], by_dx, order, len(DX) // 2, look)
        draw_prices(by_time, answer["choices"])
        mark_default(by_step, answer["default_dt_ms"])
        mark_default(by_mesh, answer["default_dx_um"])
        by_step.text(1.1e-3, 2e-4, "order 2\n∝ dt²", ha="center", color=COLOURS["blue"])
        by_step.text(
            1.6e-2, 1.2e-7, "order 4\n∝ dt³, and dt⁴\nfurther up", ha="center", color=COLOURS["vermillion"]
        )
        by_mesh.text(70, 3e-4, "order 2\n∝ dx²", ha="center", color=COLOURS["blue"])
        by_mesh.text(900, 5e-7, "order 4\n∝ dx⁴", ha="center", color=COLOURS["vermillion"])
        for ax in (by_step, by_mesh):
            ax.axhspan(1e-12, FLOOR, color=COLOURS["grey"], alpha=0.15, linewidth=0)
        by_mesh.text(2800, 5e-10, "not resolved", ha="right", color=COLOURS["grey"])
        by_step.set(xlabel="time step (ms)", title="a   time step")
        by_mesh.set(xlabel="compartment length (µm)", title="b   mesh")
        by_time.set(xlabel="run time (ms)", title="c   price")
        by_step.set_ylabel("relative error of the velocity")
        by_step.set_ylim(3e-10, 1e-1)
        save(page, path)


def draw_errors(
    ax: Any, step: list[float], errors: list[float], order: int, anchor: int, look: tuple[str, str]
) -> None:
    """One error curve and, dotted, the power law it should follow, through one of its points."""
    x, y = np.array(step), np.abs(errors)
    colour, marker = look
    ax.loglog(x, y[anchor] * (x / x[anchor]) ** order, ":", color=COLOURS["grey"], linewidth=1, zorder=1)
    ax.loglog(x, y, color=COLOURS[colour], marker=marker, markersize=4.5, linestyle="none")


def draw_prices(ax: Any, choices: list[dict[str, Any]]) -> None:
    """Error reached against run time, one line per order, and the extrapolated pair of runs."""
    for order, (colour, marker) in LOOK.items():
        rows = [row for row in choices[:-1] if row["order"] == order]
        price = [1e3 * row["run_time_s"] for row in rows]
        reached = [abs(row["error"]["value"]) for row in rows]
        ax.loglog(
            price, reached, color=COLOURS[colour], marker=marker, markersize=4.5, label=f"order {order}"
        )
    pair = choices[-1]
    point = (1e3 * pair["run_time_s"], abs(pair["error"]["value"]))
    label = "order 4, two runs\nextrapolated"
    ax.loglog(*point, color=COLOURS["green"], marker="D", markersize=5, linestyle="none", label=label)
    ax.set_xlim(0.5, 50)
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

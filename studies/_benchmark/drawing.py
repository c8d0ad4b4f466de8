"""The figure: error against time, cost of a step, and how both scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axon.draw import COLOURS, context, figure, save

Answer = dict[str, Any]

COLOUR = {
    "axon": "vermillion",
    "NEURON": "blue",
    "NEURON, no tables": "sky",
    "NEURON, CVODE": "black",
    "CoreNEURON": "purple",
    "Arbor": "green",
    "Brian2": "orange",
    "Jaxley": "grey",
}
# bytes of voltage, four gates and three numbers of the solver for each compartment
STATE = 8 * 8


def draw(answer: Answer, path: Path) -> None:
    """Write the figure of the whole answer."""
    with context():
        page = figure(170, 120, dpi=170)
        grid = page.add_gridspec(2, 2, width_ratios=(1.25, 1))
        error_against_time(page.add_subplot(grid[:, 0]), answer["accuracy"])
        cost_of_a_step(page.add_subplot(grid[0, 1]), answer["cost"])
        scaling(page.add_subplot(grid[1, 1]), answer)
        save(page, path)


def colour(name: str) -> str:
    return COLOURS[COLOUR.get(name.removesuffix(", extrapolated"), COLOUR[name.split(",")[0]])]


def error_against_time(ax: Any, answer: Answer) -> None:
    """Every run as a dot, the best of each tool as a line."""
    for name, runs in answer["curves"].items():
        if name == "axon, order 2, extrapolated":
            continue
        shown = [(1e3 * run["seconds"], 100 * run["error"]) for run in runs if run["error"]]
        hand = name.endswith("extrapolated")
        best: list[tuple[float, float]] = []
        for t, e in sorted(shown):
            if not best or e < best[-1][1]:
                best.append((t, e))
        style = {"ls": ":" if hand and not name.startswith("axon") else "--" if "order 2" in name else "-"}
        if not hand:
            ax.plot(*zip(*shown, strict=True), ".", color=colour(name), ms=2.5, alpha=0.35, mew=0)
        ax.plot(
            *zip(*best, strict=True), color=colour(name), drawstyle="steps-post", label=name, lw=1.2, **style
        )
    asked = [(run["ms"]["median"], 100 * run["error"]) for run in answer["measure_velocity"]]
    ax.plot(
        *zip(*asked, strict=True),
        "D",
        color=colour("axon"),
        ms=4,
        label="axon.measure_velocity(accuracy=...)",
    )
    for part in (entry["accuracy"] for entry in answer["time_to"]):
        ax.axhline(100 * part, color=COLOURS["grey"], lw=0.5, zorder=0)
        ax.text(
            0.995,
            100 * part,
            f"{100 * part:g} %",
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="bottom",
        )
    ax.set(xscale="log", yscale="log", xlabel="processor time (ms)", ylabel="error of the velocity (%)")
    ax.set_ylim(2e-4, 5)
    ax.set_title("Time to a conduction velocity")
    ax.legend(loc="lower left", fontsize=6)


def cost_of_a_step(ax: Any, answer: Answer) -> None:
    """Bars for one axon and for many."""
    one = answer["one"]["ns_per_compartment_step"]
    many = answer["many"]["ns_per_compartment_step"]
    names = sorted(one, key=lambda name: -one[name]["median"])
    for shift, (costs, alpha) in enumerate(((one, 1.0), (many, 0.5))):
        for y, name in enumerate(names):
            if name not in costs:
                continue
            bar = costs[name]
            at = y + 0.2 - 0.4 * shift
            ax.barh(at, bar["median"], 0.38, color=colour(name), alpha=alpha)
            ax.plot([bar["least"], bar["greatest"]], [at, at], color=COLOURS["black"], lw=0.8)
            ax.text(bar["greatest"] * 1.05, at, f"{bar['median']:.3g}", va="center", fontsize=6)
    ax.set_yticks(range(len(names)), names)
    ax.set(xscale="log", xlabel="ns per compartment-step")
    ax.set_xlim(1, 600)
    ax.set_title(f"Cost: one axon, and {answer['many']['axons']} (pale)")


def scaling(ax: Any, answer: Answer) -> None:
    """Cost of a further step against size."""
    for key, label, style in (("length", "one axon", "o-"), ("number", "axons of 100 compartments", "s--")):
        rows = answer["scaling"][key]
        size = [row["axons"] * row["compartments_each"] for row in rows]
        cost = [row["ns_per_compartment_step"] for row in rows]
        ax.plot(
            size, cost, style, ms=3, color=colour("axon"), label=label, alpha=1 if key == "length" else 0.6
        )
    for name, size in answer["machine"]["caches"].items():
        ax.axvline(size / STATE, color=COLOURS["grey"], lw=0.5)
        ax.text(size / STATE, 0.98, f" {name}", transform=ax.get_xaxis_transform(), va="top", fontsize=6)
    ax.set(xscale="log", xlabel="compartments in all", ylabel="ns per compartment-step", ylim=(0, None))
    ax.set_title("axon, cost of a further step")
    ax.legend(loc="lower left")

"""The figure: error against time, cost of a step, and how both scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from _benchmark.accuracy import ACCURACIES, ASKED
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
        left, right = page.subfigures(1, 2, width_ratios=(1.2, 1))
        error_against_time(left.subplots(), answer["accuracy"])
        above, below = right.subplots(2)
        cost_of_a_step(above, answer["cost"])
        scaling(below, answer)
        save(page, path)


def colour(name: str) -> str:
    return COLOURS[COLOUR.get(plain(name), COLOUR[name.split(",")[0]])]


def plain(name: str) -> str:
    return name.removesuffix(", extrapolated")


def error_against_time(ax: Any, answer: Answer) -> None:
    """Every run as a dot, the best of each tool as a line; dotted where the user extrapolates by hand."""
    curves = answer["curves"]
    names = [name for name in curves if name != ASKED]
    for name in sorted(names, key=lambda name: (not name.startswith("axon"), name)):
        shown = sorted((1e3 * run["seconds"], 100 * run["error"]) for run in curves[name] if run["error"])
        lowest = np.minimum.accumulate([error for _, error in shown])
        falls = np.flatnonzero(np.diff(lowest, prepend=np.inf) < 0)
        best = [shown[k] for k in falls]
        ours, by_hand = name.startswith("axon"), name != plain(name)
        line = {"ls": "-", "lw": 1.8 if ours else 1.1}
        if by_hand:
            line = {"ls": (0, (1, 1.2)), "lw": 1.8 if ours else 0.9}
        elif "order 2" in name:
            line |= {"ls": "--", "lw": 1.2}
        if not by_hand:
            ax.plot(*zip(*shown, strict=True), "o", color=colour(name), ms=1.6, alpha=0.3, mew=0)
        if name != "axon, order 2, extrapolated":
            label = name if ours or not by_hand else None
            ax.plot(*zip(*best, strict=True), color=colour(name), drawstyle="steps-post", label=label, **line)
    ax.plot([], [], color=COLOURS["grey"], ls=(0, (1, 1.2)), lw=0.9, label="peers, extrapolated by hand")
    asked = [(1e3 * run["seconds"], 100 * run["error"]) for run in curves[ASKED]]
    ax.plot(*zip(*asked, strict=True), "D", color=colour("axon"), ms=4, label=ASKED)
    for part in ACCURACIES:
        ax.axhline(100 * part, color=COLOURS["grey"], lw=0.5, zorder=0)
        name = f"{100 * part:g} %"
        ax.text(0.995, 100 * part, name, transform=ax.get_yaxis_transform(), ha="right", va="bottom")
    ax.set(xscale="log", yscale="log", xlabel="processor time (ms)", ylabel="error of the velocity (%)")
    ax.set_ylim(2e-4, 5)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_title("Time to a conduction velocity")
    ax.legend(loc="upper center", bbox_to_anchor=(0.42, -0.11), ncols=2, fontsize=6.5, columnspacing=1.0)


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
    ax.set(xscale="log", xlabel="ns per compartment-step", xlim=(1, 600))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_title(f"Cost: one axon, {answer['many']['axons']} (pale)")


def scaling(ax: Any, answer: Answer) -> None:
    """Cost of a further step against size."""
    for key, label, style in (("length", "one axon", "o-"), ("number", "axons of 100 compartments", "s--")):
        rows = answer["scaling"][key]
        size = [row["axons"] * row["compartments_each"] for row in rows]
        cost = [row["ns_per_compartment_step"] for row in rows]
        ax.plot(
            size, cost, style, ms=3, color=colour("axon"), label=label, alpha=1 if key == "length" else 0.6
        )
    above = ax.get_xaxis_transform()
    for name, size in answer["machine"]["caches"].items():
        ax.axvline(size / STATE, color=COLOURS["grey"], lw=0.5)
        ax.annotate(f"{name} ", (size / STATE, 1), xycoords=above, ha="right", va="top", fontsize=6)
    ax.set(xscale="log", xlabel="compartments in all", ylabel="ns per compartment-step")
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])
    ax.set_title("axon: cost of a further step")
    ax.legend(loc="lower left", fontsize=6.5)

"""The figure of the study ``ions_and_pump``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure


def figure(answer: dict[str, Any], path: Path) -> None:
    """Goldman potential, costs, train and recovery, death."""
    with context():
        page = empty_figure(178, 130)
        (goldman, price), (train, death) = page.subplots(2, 2)
        draw_goldman(goldman, answer)
        draw_price(price, answer)
        draw_train(train, answer)
        draw_death(death, answer)
        save(page, path)


def draw_goldman(ax: Any, answer: dict[str, Any]) -> None:
    ax.semilogx(answer["goldman_ratio"], answer["goldman_mV"])
    for v, colour in ((-64, "vermillion"), (-70, "green")):
        ratio = answer[f"permeability_ratio_{v}_mV"]["value"]
        ax.plot(ratio, v, "o", color=COLOURS[colour], markersize=5, label=f"{v} mV: {ratio:.4f}")
    for name, level in (("$E_K$", -72.1), ("$E_{Na}$", 52.4)):
        ax.axhline(level, color=COLOURS["grey"], linewidth=0.7, linestyle="--")
        ax.text(1.3e-4, level + 2, name, va="bottom", color=COLOURS["grey"])
    ax.set(
        xlabel="$P_{Na}/P_K$", ylabel="Goldman potential (mV)", title="a   rest and peak from permeabilities"
    )
    ax.set_ylim(-80, 65)
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.12))


def draw_price(ax: Any, answer: dict[str, Any]) -> None:
    least = [answer["minimum_18.5_degC_pmol_per_cm2"], answer["minimum_6.3_degC_pmol_per_cm2"]]
    total = [answer["sodium_entry_18.5_degC"]["value"], answer["sodium_entry_6.3_degC_pmol_per_cm2"]]
    places = np.arange(2)
    ax.bar(places, total, 0.5, color=COLOURS["sky"], label="enters")
    ax.bar(places, least, 0.5, color=COLOURS["blue"], label="least possible, $C\\,\\Delta V/F$")
    for x, low, high in zip(places, least, total, strict=True):
        ax.text(x, high + 0.2, f"{high:.1f} = {high / low:.1f} × {low:.2f}", ha="center")
    ax.plot([-0.25, 0.25], [4.33, 4.33], color=COLOURS["vermillion"], linewidth=1.2, label="HH 1952")
    ax.set_xticks(places, ["18.5 °C", "6.3 °C"])
    ax.set(
        ylabel="Na$^+$ per spike (pmol/cm²)", title="b   what a spike lets in", xlim=(-0.6, 1.6), ylim=(0, 21)
    )
    ax.legend(loc="upper left")


def draw_train(ax: Any, answer: dict[str, Any]) -> None:
    ax.plot(answer["peak_time_s"], answer["peak_mV"], ".", markersize=3, label="peak of spikes")
    start, end = answer["train_s"]
    ax.axvspan(start, end, color=COLOURS["grey"], alpha=0.15, linewidth=0)
    ax.text((start + end) / 2, 2, f"{answer['train_Hz']:g} Hz", ha="center")
    ax.set(xlabel="time (s)", ylabel="peak (mV)", title="c   a train, and recovery (1 µm)", ylim=(0, 42))
    other = ax.twinx()
    other.plot(
        answer["sodium_time_s"], answer["sodium_mM"], color=COLOURS["vermillion"], label="Na$^+$ inside"
    )
    other.set(ylabel="Na$^+$ inside (mM)", ylim=(0, 210))
    other.spines["right"].set_visible(True)
    lines = [*ax.get_lines()[:1], *other.get_lines()]
    ax.legend(lines, [line.get_label() for line in lines], loc="lower right")


def draw_death(ax: Any, answer: dict[str, Any]) -> None:
    t = answer["death_time_s"]
    ax.plot(t, answer["death_sodium_reversal_mV"], color=COLOURS["vermillion"], label="$E_{Na}$")
    ax.plot(t, answer["death_mV"], color=COLOURS["black"], label="$V$")
    ax.plot(t, answer["death_potassium_reversal_mV"], color=COLOURS["blue"], label="$E_K$")
    died = answer["time_to_death"]
    ax.axvline(died["value"], color=COLOURS["grey"], linewidth=1)
    ax.axvline(died["expected"], color=COLOURS["grey"], linewidth=1, linestyle="--")
    ax.text(died["value"] - 1.5, -30, f"last spike, {died['value']:.1f} s", ha="right", color=COLOURS["grey"])
    ax.set(
        xlabel="time since the pump stopped (s)", ylabel="potential (mV)", title="d   without a pump (1 µm)"
    )
    ax.legend(loc="upper right")

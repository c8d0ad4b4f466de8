"""How much myelin may a nerve fibre lose before it fails, and what do short new internodes give back?

Question
    In Guillain-Barre syndrome and multiple sclerosis axons lose myelin over patches. Conduction becomes slow,
    then fails. How thin may the myelin be, of one internode and of many, and what does remyelination with
    short thin internodes restore?

Theory
    A node makes several times the current that the next one needs (its safety factor). Thin myelin has more
    capacitance and leaks more, in inverse proportion to its turns: the internode takes the current that
    should have charged the next node, which is reached later, and finally not at all. Because each node is so
    safe, an internode must lose nearly all its myelin. Of several in a row each weakens the next, so less may
    be lost.
    New internodes are short: less to charge between nodes, but more nodes to pass.

Method
    MRG, 10 um, 37 degC, 31 nodes, published mesh. Myelin is thinned by its lamellae, and in diameter with
    them; axon, periaxonal space and nodes stay as they are (`axon.demyelinated`), so this is the best case:
    real lesions also open the paranodes. `axon.find_failing_loss` bisects the loss. New internodes have a
    third of the lamellae (`axon.remyelinated`).

Expected answer
    - All over a fibre conduction ends when myelin is thinner than 2 % (Reutskiy et al., Biol. Cybern. 89:439,
      2003, another model): for one internode less suffices, for many at most a few times that.
    - From node to node 20 us, up to some hundred us through thin myelin before it fails (Rasminsky & Sears,
      J. Physiol. 227:323, 1972, in rat: up to 600 us).
    - Remyelination brings conduction back at less than its old speed, the slower the more pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure

Array = NDArray[np.float64]

NODES, FIRST = 31, 14  # and the first internode of a patch
DT = 0.002  # ms
PATCHES, QUICK_PATCHES = (1, 2, 3, 5, 8), (1, 3)
LEFT = np.array([1.0, 0.5, 0.2, 0.1, 0.05, 0.03, 0.02, 0.015, 0.012, 0.01])
PIECES = (2, 3, 4, 6, 8)
HEALED = 3  # internodes of the patch that is remyelinated
SPIKES = axon.Record(voltage=None)
REUTSKIY = 0.02  # of the myelin


@cache
def whole() -> axon.Axon:
    return axon.myelinated(10.0, "mrg", nodes=NODES)


def arrivals(fibres: list[axon.Axon]) -> list[Array]:
    """Arrival (ms) at the nodes of each, nan where the spike never came."""
    pulses = [[axon.suprathreshold_pulse(whole())] for _ in fibres]
    runs = axon.simulate_many(fibres, pulses, duration=4.0, dt=DT, record=SPIKES, progress=False)
    return [run.arrivals()[run.sites()] for run in runs]


def internodal_times() -> dict[str, Any]:
    """Time (us) through one internode by what is left of its myelin."""
    thinned = arrivals([axon.demyelinated(whole(), [FIRST], 1.0 - float(left)) for left in LEFT])
    times = np.array([np.diff(arrival)[FIRST] for arrival in thinned]) * 1e3
    own = float(times[0])
    slowest = float(np.nanmax(times))
    return {
        "internodal_time_us": study.compared(own, 20.45, "us", tolerance=0.1, source="1150 um / 56.23 m/s"),
        "slowest_internodal_time_us": study.compared(
            slowest, 600.0, "us", source="Rasminsky & Sears 1972, rat, at most"
        ),
        "left": LEFT,
        "time_through_us": np.nan_to_num(times, nan=0.0),
    }


def failing(quick: bool) -> dict[str, Any]:
    """What is left of the myelin when conduction fails, by the number of internodes."""
    patches = QUICK_PATCHES if quick else PATCHES
    accuracy = 0.1 if quick else 0.02
    found = [
        axon.find_failing_loss(whole(), range(FIRST, FIRST + many), accuracy=accuracy, dt=DT, progress=False)
        for many in patches
    ]
    left = [1.0 - float(one) for one in found]
    assert left == sorted(left), "more internodes need more myelin"
    return {
        "left_at_failure_of_one": study.compared(
            left[0], REUTSKIY, "1", tolerance=REUTSKIY / 2 + 0.005, source="Reutskiy 2003, a whole fibre: 2 %"
        ),
        "left_at_failure_of_most": study.compared(
            left[-1], REUTSKIY, "1", tolerance=2 * REUTSKIY, source="Reutskiy 2003, a whole fibre: 2 %"
        ),
        "patch_internodes": list(patches),
        "left_at_failure": left,
        "lost_at_failure": [float(one) for one in found],
    }


def regrown() -> dict[str, Any]:
    """Time across a patch of short new internodes, over that of the old ones."""
    patch = range(FIRST, FIRST + HEALED)
    own = arrivals([whole()])[0]
    healed = arrivals([axon.remyelinated(whole(), patch, pieces=pieces) for pieces in PIECES])
    across = own[FIRST + HEALED] - own[FIRST]
    ratio = [
        float((after[FIRST + HEALED * pieces] - after[FIRST]) / across)
        for after, pieces in zip(healed, PIECES, strict=True)
    ]
    rises = bool((np.diff(ratio) > 0).all())
    return {
        "remyelinated_conducts": study.compared(
            float(all(np.isfinite(after[-1]) for after in healed)), 1.0, "1", tolerance=0.0, source="theory"
        ),
        "more_pieces_take_longer": study.compared(
            float(rises and ratio[0] > 1), 1.0, "1", tolerance=0.0, source="theory"
        ),
        "pieces": list(PIECES),
        "time_across_over_that_of_old_myelin": ratio,
    }


@cache
def failures() -> tuple[list[axon.Run], list[str]]:
    """A healthy fibre, one that is slowed by a patch, and one that fails there."""
    patch = range(FIRST, FIRST + HEALED)
    lost = (0.0, 0.95, 0.99)
    fibres = [axon.demyelinated(whole(), patch, part) for part in lost]
    fibres.append(axon.remyelinated(whole(), patch, pieces=4))
    pulse = axon.suprathreshold_pulse(whole())
    record = axon.Record(every=0.01)
    runs = [
        axon.simulate(fibre, pulse, duration=2.2, dt=DT, record=record, progress=False) for fibre in fibres
    ]
    return runs, ["whole", "95 % lost", "99 % lost", "regrown"]


def run(quick: bool = False) -> dict[str, Any]:
    """Times, failing losses, remyelination; ``quick`` bisects for fewer patches and less sharply."""
    answer = internodal_times() | failing(quick) | regrown()
    one, most = answer["left_at_failure"][0], answer["left_at_failure"][-1]
    slowest = answer["slowest_internodal_time_us"]["value"]
    return answer | {
        "answer": (
            f"one internode conducts until {100 * one:.2f} % of its myelin is left, taking up to "
            f"{slowest:.0f} us, {answer['patch_internodes'][-1]} in a row until {100 * most:.1f} %; 3 "
            f"internodes regrown as 4 each take {answer['time_across_over_that_of_old_myelin'][2]:.2f} times "
            "as long as before"
        )
    }


def figure(answer: dict[str, Any], path: Path) -> None:
    """Time through one internode, the failing loss, remyelination, and how far spikes come."""
    with context():
        page = empty_figure(178, 66)
        slow, fail, healed = page.subplots(1, 3)
        draw_times(slow, answer)
        draw_failure(fail, answer)
        draw_regrown(healed, answer)
        save(page, path)


def draw_times(ax: Any, answer: dict[str, Any]) -> None:
    left, times = 100 * np.array(answer["left"]), np.array(answer["time_through_us"])
    through = times > 0
    ax.loglog(left[through], times[through], "o-", markersize=4, linewidth=0.8)
    ax.axvspan(0.5, 100 * answer["left_at_failure"][0], color=COLOURS["vermillion"], alpha=0.15, linewidth=0)
    ax.text(0.6, 30, "fails", rotation=90, color=COLOURS["vermillion"], fontsize=7)
    ax.set(xlabel="myelin left (%)", ylabel="time through one internode (µs)", title="a   one thin internode")
    ax.set(xlim=(0.5, 120), ylim=(15, 700))
    ax.set_xticks([1, 10, 100], ["1", "10", "100"])
    ax.set_yticks([20, 50, 100, 200, 500], ["20", "50", "100", "200", "500"])
    ax.minorticks_off()


def draw_failure(ax: Any, answer: dict[str, Any]) -> None:
    many, left = answer["patch_internodes"], 100 * np.array(answer["left_at_failure"])
    ax.plot(many, left, "o-", markersize=4, linewidth=0.8)
    ax.axhline(100 * REUTSKIY, color=COLOURS["grey"], linestyle="--", linewidth=0.7)
    ax.text(
        8.9, 100 * REUTSKIY - 0.2, "whole fibre, Reutskiy 2003", ha="right", fontsize=7, color=COLOURS["grey"]
    )
    ax.set(xlabel="thin internodes in a row", ylabel="myelin left at failure (%)", title="b   where it fails")
    ax.set(xlim=(0, 9), ylim=(0, 1.25 * left.max()))


def draw_regrown(ax: Any, answer: dict[str, Any]) -> None:
    pieces, ratio = answer["pieces"], answer["time_across_over_that_of_old_myelin"]
    ax.plot(pieces, ratio, "o-", markersize=4, linewidth=0.8)
    ax.axhline(1, color=COLOURS["grey"], linestyle="--", linewidth=0.7)
    ax.text(8, 1.02, "old myelin", ha="right", fontsize=7, color=COLOURS["grey"])
    ax.set(xlabel="new internodes for each old one", ylabel="time across, over that before")
    ax.set(title="c   regrown", ylim=(0.9, 1.05 * max(ratio)))


def movie(answer: dict[str, Any], path: Path) -> None:
    """Four fibres on one clock: whole, slowed, blocked, regrown."""
    runs, labels = failures()
    axon.animate(runs, path, labels=labels, duration_s=1.0 if answer["quick"] else 5.0, progress=False)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure, "movie.gif": movie}, argv))


if __name__ == "__main__":
    main()

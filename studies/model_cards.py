"""Do the published membranes do here what their papers and other programs say they do?

Question
    A model taken from a paper is a table of numbers that somebody typed. Does it come out right?

Theory
    A model is right when what follows from it is: where it rests, how high and wide its spike is, what makes
    it fire, how fast the spike travels, how soon the next one can follow. Two programs that solve the same
    equations to the same accuracy must agree; a paper, drawn with a coarse step, only nearly.

Method
    Every model has a card (`axon.cards`): the paper's numbers and another program's, with their sources. Here
    each quantity is measured at steps from which it is extrapolated, with an error bar: velocities by
    `axon.measure_velocity`, the spike in the middle of a fibre, the threshold of 1 ms there, the absolute
    refractory period with second pulses of up to 10 thresholds. Of nodes whose papers give no fibre the spike
    is that of a patch.

Expected answer
    Every number of ours within the doubt of the other program's, 0.5 % where nothing else is said, or a
    reason why not. The papers' numbers differ more, each with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axon import study
from axon.cards import CARDS, Card, Line
from axon.cards.measure import Measured, measure
from axon.cards.text import velocity_of
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure

Answer = dict[str, Any]

QUICK = ("rest", "height", "width")  # cheap, but where concentrations move
LEAST = 1e-6  # %: less is drawn as this


def entry(card: Card, line: Line, ours: Measured) -> Answer:
    """Ours beside the paper's and the other program's number."""
    facts: Answer = {"value": ours.value, "error": ours.error, "unit": card.meaning(line)[1]}
    for name, figure in (("paper", line.paper), ("other", line.other)):
        if figure is not None:
            facts[name] = study.compared(
                ours.value,
                figure.value,
                facts["unit"],
                source=figure.source,
                tolerance=None if line.why else figure.tolerance,
                standard_error=ours.error,
            )
    return facts | ({"why": line.why} if line.why else {})


def measured(card: Card, quick: bool) -> Answer:
    """Every line of one card."""
    cheap = QUICK if card.trial is None else QUICK[:1]
    ours = measure(card, quantities=cheap if quick else None, progress=False)
    lines = {card.key(line): line for line in card.lines}
    return {key: entry(card, lines[key], one) for key, one in ours.items()}


def run(quick: bool = False) -> Answer:
    """Measure every card."""
    cards = {name: measured(card, quick) for name, card in CARDS.items()}
    checked = [e for _, e in study.comparisons(cards) if "agrees" in e]
    agree = sum(e["agrees"] for e in checked)
    speeds = []
    for name, card in CARDS.items():
        ours = {key: Measured(line["value"], line["error"]) for key, line in cards[name].items()}
        speeds += [f"{name}: {words}" for words in [velocity_of(card, ours)] if words]
    return {
        "cards": cards,
        "checked": len(checked),
        "agree": agree,
        "answer": [f"answer: {agree} of {len(checked)} numbers of others agree with ours", *speeds],
    }


def figure(answer: Answer, path: Path) -> None:
    """How far ours is from the other program's, line by line."""
    rows = [
        (name, key, 100 * line["other"]["relative_difference"], bool(line.get("why")))
        for name, lines in answer["cards"].items()
        for key, line in lines.items()
        if "other" in line
    ]
    colours = dict(zip(answer["cards"], _colours(len(answer["cards"])), strict=True))
    with context():
        drawing = empty_figure(170, 30 + 3.4 * len(rows))
        axes = drawing.add_subplot()
        axes.axvspan(LEAST, 0.5, color=COLOURS["grey"], alpha=0.12, lw=0)
        for row, (name, _, apart, reason) in enumerate(rows):
            shown, colour = max(abs(apart), LEAST), colours[name]
            axes.plot([LEAST, shown], [row, row], color=colour, lw=1.2)
            axes.plot(shown, row, "o", ms=4.0, color=colour, mfc="white" if reason else colour, zorder=3)
        axes.set_xscale("log")
        axes.set_xlim(LEAST, 20.0)
        axes.set_yticks(range(len(rows)), [f"{name.replace('_', ' ')}, {key}" for name, key, _, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("difference to the other program (%); shaded: 0.5 %; open: for a reason on the card")
        save(drawing, path)


def _colours(count: int) -> list[str]:
    names = ("blue", "vermillion", "green", "purple", "orange", "sky")
    return [COLOURS[names[k % len(names)]] for k in range(count)]


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

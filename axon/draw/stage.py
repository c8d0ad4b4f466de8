"""The figure of a moving picture: one block of panels for each run, all of them on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from axon.draw.page import span
from axon.draw.panels import HEIGHTS, PANELS, Instant, Panel
from axon.draw.scene import length_scale, position_label, velocity_in_words, way_length
from axon.draw.style import COLOURS, figure
from axon.errors import NoPropagation, unknown_name

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from axon.geometry import Section
    from axon.run import Run

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

WIDTH, MARGINS = 6.4, 1.1  # inches; the margins are those above and below all panels
CLOCK_SIZE, TITLE_SIZE = 14, 11  # points


class Stage:
    """One figure: its axes are drawn once; its lines, shades and clock again for every frame.

    Parameters
    ----------
    runs : sequence of Run
        The longest axon sets the width that a millimetre has in all of them.
    panels : sequence of str, optional
        As for ``animate``.
    labels : sequence of str, optional
        What to call each run; by default what tells them apart.
    dpi : float
    """

    def __init__(
        self,
        runs: Sequence[Run],
        *,
        panels: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        dpi: float,
    ) -> None:
        self.runs = runs
        wanted = [shown_panels(run, panels) for run in runs]
        rows = [(index, name) for index, names in enumerate(wanted) for name in names]
        tall = MARGINS + sum(HEIGHTS[name] for _, name in rows) + 0.35 * (len(runs) - 1)
        # Video codecs want an even number of pixels both ways.
        width, height = (2 * max(1, round(inches * dpi / 2)) / dpi * 25.4 for inches in (WIDTH, tall))
        self.figure = figure(width, height, dpi=dpi)
        self.canvas = FigureCanvasAgg(self.figure)
        axes = self.figure.subplots(
            len(rows), squeeze=False, height_ratios=[HEIGHTS[name] for _, name in rows]
        )[:, 0]
        self.panels: list[list[Panel]] = [[] for _ in runs]
        self.tops: list[Axes] = []
        for (index, name), ax in zip(rows, axes, strict=True):
            if not self.panels[index]:
                self.tops.append(ax)
            self.panels[index].append(PANELS[name](runs[index], ax))
            self._set_position_axis(runs[index], ax, last=name == wanted[index][-1])
        self._set_titles(labels or telling_apart(runs))
        self.moving: list[Artist] = [artist for block in self.panels for p in block for artist in p.moving]
        self.text = self.tops[0].annotate(
            "",
            (0.0, 1.0),
            (0.0, 5.0 if len(runs) == 1 else 5.0 + 1.2 * TITLE_SIZE),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=CLOCK_SIZE,
        )
        self.moving.append(self.text)
        for artist in self.moving:
            artist.set_animated(True)
            artist.set_in_layout(False)
        self.canvas.draw()
        self.empty = self.canvas.copy_from_bbox(self.figure.bbox)

    def _set_position_axis(self, run: Run, ax: Axes, *, last: bool) -> None:
        factor, _ = length_scale(run)
        longest = max(way_length(run) for run in self.runs)
        ax.set_xlim(0.0, longest * factor)
        if way_length(run) < longest:
            ax.axvline(way_length(run) * factor, color=COLOURS["black"], linewidth=0.7)
        ax.set_xlabel(position_label(run) if last else "")
        ax.tick_params(labelbottom=last)

    def _set_titles(self, labels: Sequence[str]) -> None:
        for run, label, ax in zip(self.runs, labels, self.tops, strict=True):
            words = [word for word in (label, velocity_in_words(run)[0]) if word]
            # Of several runs, above the first title stands the clock of all in a line of its own.
            above = "\n" if ax is self.tops[0] and len(self.runs) > 1 else ""
            ax.set_title(above + "   ".join(words), loc="right", fontsize=TITLE_SIZE, color=COLOURS["grey"])

    def pixels_per_ms(self) -> float:
        """By how many pixels the fastest spike moves in a ms.

        Raises
        ------
        ValueError
            If no run has a spike that travels.
        """
        speeds = []
        for run, ax in zip(self.runs, self.tops, strict=True):
            try:
                velocity = float(run.velocity())
            except NoPropagation as failure:
                reason = failure.reason
                continue
            longest = max(way_length(run) for run in self.runs)
            speeds.append(1e3 * velocity * ax.get_window_extent().width / longest)
        if not speeds:
            raise ValueError(
                f"pixels_per_frame needs a spike that travels: {reason}; give duration_s instead"
            )
        return max(speeds)

    def picture(self, t: float, clock: str = "", half: float = 0.0) -> Pixels:
        """The frame at model time `t` (ms), (height, width, 3) uint8.

        Parameters
        ----------
        t : float
        clock : str
            What to print above.
        half : float
            Half the time until the next frame, ms.
        """
        for run, block in zip(self.runs, self.panels, strict=True):
            now = Instant.of(run, t, half)
            for panel in block:
                panel.show(now)
        self.text.set_text(clock)
        self.canvas.restore_region(self.empty)
        for artist in self.moving:
            self.figure.draw_artist(artist)
        return np.array(self.canvas.buffer_rgba())[..., :3]


def shown_panels(run: Run, panels: Sequence[str] | None) -> list[str]:
    """The panels that are drawn of `run`: those asked for, or voltage, and gates and currents if recorded.

    Raises
    ------
    ValueError
        For an unknown panel, none at all, or one of what was not recorded.
    """
    recorded = {"gates": bool(run.gates), "currents": bool(run.currents)}
    if panels is None:
        return ["voltage", *(name for name, there in recorded.items() if there)]
    if not panels or isinstance(panels, str):
        raise ValueError(f"panels must be some of {', '.join(PANELS)}, got {panels!r}")
    for name in panels:
        if name not in PANELS:
            raise ValueError(unknown_name("panel", str(name), PANELS))
        if not recorded.get(name, True):
            raise ValueError(f"panel {name!r}: this run recorded none; simulate with Record({name}=True)")
    return list(panels)


def telling_apart(runs: Sequence[Run]) -> list[str]:
    """What tells the axons of several runs apart, in few words; nothing for a single run."""
    if len(runs) == 1:
        return [""]
    myelin = ["myelinated" if run.axon.myelinated else "without myelin" for run in runs]
    if len(set(myelin)) == len(runs):
        return myelin
    facts = [_facts(run) for run in runs]
    differ = [k for k in range(len(facts[0])) if len({fact[k] for fact in facts}) > 1]
    labels = [", ".join(fact[k] for k in differ if fact[k]) for fact in facts]
    return labels if len(set(labels)) == len(runs) else [f"axon {index + 1}" for index in range(len(runs))]


def _excitable(section: Section) -> str:
    """What a section's membrane is called; nothing where it has no gates."""
    return section.membrane.name.replace("_", "-") if section.membrane.gates else ""


def _facts(run: Run) -> tuple[str, ...]:
    """Membranes, diameters, temperatures and length of an axon."""
    sections, (factor, unit) = run.axon.sections, length_scale(run)
    return (
        " + ".join(dict.fromkeys(name for section in sections if (name := _excitable(section)))),
        f"{span(section.diameter for section in sections)} µm",
        f"{span(section.celsius for section in sections)} °C",
        f"{run.axon.total_length * factor:.4g} {unit} long",
    )

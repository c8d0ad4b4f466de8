"""A validation card: what is known of a published model, beside where it is known from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from axon.geometry import Axon
from axon.membranes import Membrane

Quantity = Literal["rest", "height", "width", "threshold", "velocity", "refractory"]
USUAL: tuple[Quantity, ...] = ("rest", "height", "width", "threshold", "velocity")  # as ``Said`` has them

# What each quantity is, and its unit.
MEANINGS: dict[str, tuple[str, str]] = {
    "rest": ("resting potential", "mV"),
    "height": ("height of the spike above rest", "mV"),
    "width": ("its width at half the height", "ms"),
    "threshold": ("threshold, 1 ms inside the middle", "nA"),
    "velocity": ("velocity", "m/s"),
    "refractory": ("absolute refractory period", "ms"),
}
PATCH_THRESHOLD = ("threshold, 1 ms", "uA/cm2")


@dataclass(frozen=True)
class Figure:
    """A number that is not ours.

    Parameters
    ----------
    value : float
        In the unit of its line.
    source : str
        The paper, or the simulator with version, method and time step.
    doubt : float, optional
        How far from it ours may be before that needs a reason; by default 0.5 % of the value.
    """

    value: float
    source: str
    doubt: float | None = None

    @property
    def tolerance(self) -> float:
        """The doubt, in the unit of the line."""
        return abs(self.value) * 0.005 if self.doubt is None else self.doubt


@dataclass(frozen=True)
class Line:
    """One quantity of a card.

    Parameters
    ----------
    quantity : str
        A key of ``MEANINGS``.
    paper, other : Figure, optional
        What the paper says, and what another program computed.
    why : str
        Why ours differs from them, where it does.
    diameter : float, optional
        Of the fibre, um; by default the card's.
    """

    quantity: Quantity
    paper: Figure | None = None
    other: Figure | None = None
    why: str = ""
    diameter: float | None = None


@dataclass(frozen=True)
class Card:
    """What is known of one model.

    Parameters
    ----------
    name : str
        Of the model.
    animal : str
        What it is of.
    paper, numbers : str
        The publication, and where its numbers were read.
    celsius : float
        degC.
    fibre : callable
        The fibre of a diameter (um).
    diameter : float
        The card's fibre, um.
    lines : tuple of Line
    patch : Membrane, optional
        A patch of membrane to measure the spike in; by default that is the middle of the fibre.
    density : float
        Current that makes the spike of a patch, for 0.05 ms, uA/cm2.
    duration : float
        ms in which the spike of the fibre, or of the patch, has passed its middle and is over.
    dt : float
        The longest step at which its spike and its threshold are measured, ms.
    trial : (float, float), optional
        dt (ms) and dx (um) from which its threshold is extrapolated, where moving concentrations make trials
        slow; by default ``dt`` and the axon's own mesh.
    """

    name: str
    animal: str
    paper: str
    numbers: str
    celsius: float
    fibre: Callable[[float], Axon]
    diameter: float
    lines: tuple[Line, ...]
    patch: Membrane | None = None
    density: float = 1000.0
    duration: float = 5.0
    dt: float = 0.005
    trial: tuple[float, float] | None = None

    def key(self, line: Line) -> str:
        """The name of a line, unique on the card: ``"velocity at 10 um"``."""
        diameter = line.diameter or self.diameter
        at = f" at {diameter:g} um" if line.quantity == "velocity" else ""
        return line.quantity + at

    def meaning(self, line: Line) -> tuple[str, str]:
        """What a line tells, and its unit."""
        if line.quantity == "threshold" and self.patch is not None:
            return PATCH_THRESHOLD
        name, unit = MEANINGS[line.quantity]
        return (self.key(line) if line.quantity == "velocity" else name), unit


# A number in the unit of its line, alone or with its doubt.
Known = float | tuple[float, float]


class Said(NamedTuple):
    """What a paper or a program says of a model, by quantity."""

    rest: Known | None = None
    height: Known | None = None
    width: Known | None = None
    threshold: Known | None = None
    velocity: Known | None = None


def lines(
    other: Said,
    source: str | Mapping[str, str],
    *,
    paper: Said | None = None,
    paper_source: str = "the paper",
    why: Mapping[str, str] | None = None,
    also: Mapping[float, Known | None] | None = None,
) -> tuple[Line, ...]:
    """The lines of a card, one for each quantity.

    Parameters
    ----------
    other, source
        Another program's numbers, and which program; where that differs, by quantity, ``"velocity"`` standing
        for those that are not named.
    paper, paper_source
        The paper's numbers, and where they stand.
    why
        By quantity, why ours differs.
    also
        Further diameters (um), and another program's velocity there.
    """
    by = {"velocity": source} if isinstance(source, str) else source
    found = [
        Line(
            name,
            _figure(said, paper_source),
            _figure(known, by.get(name, by["velocity"])),
            (why or {}).get(name, ""),
        )
        for name, said, known in zip(USUAL, paper or Said(), other, strict=True)
    ]
    found += [Line("velocity", None, _figure(v, by["velocity"]), diameter=d) for d, v in (also or {}).items()]
    return (*found, Line("refractory"))


def _figure(known: Known | None, source: str) -> Figure | None:
    if known is None:
        return None
    value, doubt = known if isinstance(known, tuple) else (known, None)
    return Figure(value, source, doubt)

"""A validation card: what is known of a published model, beside where it is known from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from axon.geometry import Axon
from axon.membranes import MODELS, Membrane

Quantity = Literal["rest", "height", "width", "threshold", "velocity", "refractory"]

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
    model : str
        Its name in ``axon.membranes.MODELS``.
    animal : str
        What it is of.
    paper, numbers : str
        The publication, and where its numbers were read.
    celsius : float
        degC.
    lines : tuple of Line
    fibre : callable, optional
        The fibre of a diameter (um) that spike and velocity are measured in; without it the card is of a
        patch of membrane.
    diameter : float, optional
        The card's fibre, um.
    density : float
        Current that makes the spike of a patch, for 0.05 ms, uA/cm2.
    duration : float
        ms in which the spike of that fibre, or of the patch, has passed its middle and is over.
    dt : float, optional
        The longest step at which its spike and its threshold are measured, ms.
    """

    model: str
    animal: str
    paper: str
    numbers: str
    celsius: float
    lines: tuple[Line, ...]
    fibre: Callable[[float], Axon] | None = None
    diameter: float | None = None
    density: float = 1000.0
    duration: float = 5.0
    dt: float = 0.005

    @property
    def membrane(self) -> Membrane:
        """The model itself."""
        return MODELS[self.model]()

    def key(self, line: Line) -> str:
        """The name of a line, unique on the card: ``"velocity at 10 um"``."""
        diameter = line.diameter or self.diameter
        at = f" at {diameter:g} um" if line.quantity == "velocity" else ""
        return line.quantity + at

    def meaning(self, line: Line) -> tuple[str, str]:
        """What a line tells, and its unit."""
        if line.quantity == "threshold" and self.fibre is None:
            return PATCH_THRESHOLD
        name, unit = MEANINGS[line.quantity]
        return (self.key(line) if line.quantity == "velocity" else name), unit

"""An axon: one uniform piece, sections end to end, or sections that branch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from axon.checks import Place, finite, positive
from axon.errors import unknown_name
from axon.geometry.compartments import Compartments
from axon.geometry.cut import cut
from axon.geometry.mesh import default_dx
from axon.geometry.section import DEFAULT_AXIAL_RESISTIVITY, DEFAULT_CELSIUS, ENDS, End, Section
from axon.membranes import Membrane

# A ring is solved as pieces side by side, which must come out equally long.
RING_MULTIPLE = 16


class _Uniform(tuple):
    """Marks the single section that an Axon made from its own scalars."""


@dataclass(frozen=True, repr=False)
class Axon:
    """A cable: one uniform piece, several sections joined end to end, or a tree of sections.

    A uniform axon is given by its numbers, ``Axon(length=..., diameter=..., membrane=...)``; any other by
    ``Axon(sections=[...])``. Its ends are sealed unless ``ends`` says otherwise, or joined to each other when
    ``ring``. A place on an axon is a distance from x = 0 in um; on a tree along the first branch at every
    fork, or, anywhere, ``(section, distance from its beginning)``.

    Parameters
    ----------
    length, diameter : float
        um, of a uniform axon.
    membrane : Membrane
        Of a uniform axon.
    axial_resistivity : float
        ohm cm; 35.4 (squid axoplasm) when not given.
    celsius : float
        degC; 6.3 when not given.
    sections : sequence of Section
        Instead of all the above.
    ring : bool
        Whether the far end is joined to x = 0.
    parents : sequence of int or None
        Of every section the number of the one at whose far end it begins, which must come before it; None for
        sections that begin at x = 0. By default every section begins where the one before it ends.
    ends : (start, far), each "sealed", "open" or an End
        What stands at x = 0, and at every other end.

    Raises
    ------
    ValueError
        For numbers that cannot be meant, or a mixture of the two ways.
    """

    length: float | None = None  # um; the greatest distance from x = 0 when sections are given
    diameter: float | None = None
    membrane: Membrane | None = None
    axial_resistivity: float | None = None
    celsius: float | None = None
    sections: Sequence[Section] = ()
    ring: bool = False
    parents: Sequence[int | None] = ()
    ends: tuple[str | End, str | End] = ("sealed", "sealed")

    def __post_init__(self) -> None:
        self._check_ends()
        if self.sections and not isinstance(self.sections, _Uniform):
            self._check_sections()
            return
        if self.parents:
            raise ValueError(f"Axon.parents belongs to sections=[...], got {self.parents!r} without them")
        wanted = {"length": self.length, "diameter": self.diameter, "membrane": self.membrane}
        missing = [name for name, value in wanted.items() if value is None]
        if missing:
            raise ValueError(f"Axon needs {' and '.join(missing)} (or sections=[Section(...), ...])")
        positive("Axon.length", self.length, "um")
        positive("Axon.diameter", self.diameter, "um")
        if not isinstance(self.membrane, Membrane):
            raise ValueError(
                f"Axon.membrane must be a Membrane such as hodgkin_huxley(), got {self.membrane!r}"
            )
        ra = DEFAULT_AXIAL_RESISTIVITY if self.axial_resistivity is None else self.axial_resistivity
        celsius = DEFAULT_CELSIUS if self.celsius is None else self.celsius
        positive("Axon.axial_resistivity", ra, "ohm cm")
        finite("Axon.celsius", celsius, "degC")
        assert self.length is not None and self.diameter is not None
        object.__setattr__(self, "axial_resistivity", ra)
        object.__setattr__(self, "celsius", celsius)
        section = Section(self.length, self.diameter, self.membrane, ra, celsius)
        object.__setattr__(self, "sections", _Uniform((section,)))
        self._check_excitable()

    def _check_sections(self) -> None:
        sections = tuple(self.sections)
        for section in sections:
            if not isinstance(section, Section):
                raise ValueError(f"Axon.sections must hold Section objects, got {section!r}")
        object.__setattr__(self, "sections", sections)
        self._check_parents()
        total = max(start + section.length for start, section in zip(self.starts, sections, strict=True))
        scalars = (self.diameter, self.membrane, self.axial_resistivity, self.celsius)
        if any(value is not None for value in scalars) or self.length not in (None, total):
            raise ValueError(
                "Axon: give either sections, or length, diameter and membrane of a uniform axon, not both; "
                "to vary a section use dataclasses.replace on the Section"
            )
        object.__setattr__(self, "length", total)
        self._check_excitable()

    def __hash__(self) -> int:
        """Worked out once: an axon is the key to what is kept of it, and may have hundreds of sections."""
        if "_hash" not in self.__dict__:
            known = {id(section): hash(section) for section in self.sections}
            sections = tuple(known[id(section)] for section in self.sections)
            object.__setattr__(self, "_hash", hash((sections, self.ring, self.parents, self.ends)))
        return self.__dict__["_hash"]

    def _check_parents(self) -> None:
        parents = tuple(self.parents)
        if not parents:
            return
        if len(parents) != len(self.sections):
            raise ValueError(
                f"Axon.parents must name one parent for each of the {len(self.sections)} sections, "
                f"got {len(parents)}"
            )
        for number, parent in enumerate(parents):
            whole = isinstance(parent, int) and not isinstance(parent, bool)
            if parent is not None and not (whole and 0 <= parent < number):
                raise ValueError(
                    f"Axon.parents: the parent of section {number} must be None or the number of a section "
                    f"before it (0..{number - 1}), got {parent!r}"
                )
        if self.ring:
            raise ValueError("Axon: a ring cannot branch; leave out parents or ring")
        # A chain said with parents is the same axon as one said without.
        chain = all(
            (parent is None) == (i == 0) and parent in (None, i - 1) for i, parent in enumerate(parents)
        )
        object.__setattr__(self, "parents", () if chain else parents)

    def _check_ends(self) -> None:
        if self.ends == ("sealed", "sealed"):
            return
        ends = tuple(self.ends) if not isinstance(self.ends, (str, End)) else ()
        if len(ends) != 2:
            raise ValueError(f"Axon.ends must be two, that at x = 0 and that of the rest, got {self.ends!r}")
        for end in ends:
            if isinstance(end, str) and end not in ENDS:
                raise ValueError(unknown_name("end", end, ENDS))
            if not isinstance(end, (str, End)):
                raise ValueError(f'Axon.ends must each be "sealed", "open" or an End, got {end!r}')
        # An End that says the same as a word is the word, so that equal axons compare equal.
        words: dict[str | End, str] = {end: word for word, end in ENDS.items()}
        object.__setattr__(self, "ends", tuple(words.get(end, end) for end in ends))
        if self.ring and ends != ("sealed", "sealed"):
            raise ValueError(f"Axon: a ring has no ends; leave out ends or ring, got ends={self.ends!r}")

    def _check_excitable(self) -> None:
        if all(section.insulated for section in self.sections):
            raise ValueError("Axon: every section is an insulator; at least one needs a membrane")
        if self.ring and any(section.insulated or section.myelin for section in self.sections):
            raise ValueError("Axon: a ring takes no insulators and no myelin; leave its ends sealed")

    @cached_property
    def membranes(self) -> tuple[Membrane, ...]:
        """The different membranes, in order."""
        return tuple(dict.fromkeys({id(s.membrane): s.membrane for s in self.sections}.values()))

    @property
    def total_length(self) -> float:
        """Greatest distance from x = 0, um: the length of an axon that does not branch."""
        assert self.length is not None
        return self.length

    @property
    def main_length(self) -> float:
        """Distance from x = 0 to the end that the first branch at every fork leads to, um."""
        if not self.parents:
            return self.total_length
        end = self.path()[-1]
        return self.starts[end] + float(self.sections[end].length)

    @cached_property
    def starts(self) -> tuple[float, ...]:
        """Distance from x = 0 at which every section begins, um."""
        if not self.parents:
            return tuple(accumulate((float(s.length) for s in self.sections[:-1]), initial=0.0))
        out: list[float] = []
        for parent in self.parents:
            out.append(0.0 if parent is None else out[parent] + float(self.sections[parent].length))
        return tuple(out)

    def parent(self, number: int) -> int | None:
        """The section at whose far end this one begins; None at x = 0."""
        if self.parents:
            return self.parents[number]
        return number - 1 if number else None

    def path(self, section: int | None = None) -> tuple[int, ...]:
        """Sections from x = 0 to the far end of ``section``; by default along the first branch at forks.

        Raises
        ------
        ValueError
            When there is no such section.
        """
        if section is None and not self.parents:
            return tuple(range(len(self.sections)))
        if section is None:
            out, here = [0], 0
            while True:
                children = [i for i in range(here + 1, len(self.sections)) if self.parent(i) == here]
                if not children:
                    return tuple(out)
                here = children[0]
                out.append(here)
        if not 0 <= section < len(self.sections):
            raise ValueError(f"there is no section {section!r}; they are 0..{len(self.sections) - 1}")
        backwards, at = [section], self.parent(section)
        while at is not None:
            backwards.append(at)
            at = self.parent(at)
        return tuple(reversed(backwards))

    def distance(self, name: str, at: Place) -> float:
        """Distance (um) from x = 0 of a place.

        Raises
        ------
        ValueError
            When it lies off the axon; ``name`` says whose place it is.
        """
        if isinstance(at, tuple):
            section, x = at
            if not 0 <= section < len(self.sections) or x > self.sections[section].length * (1 + 1e-12):
                raise ValueError(
                    f"{name} must lie on one of the {len(self.sections)} sections, as (section, distance "
                    f"from its beginning in um), got {at!r}"
                )
            return self.starts[section] + x
        if at > self.main_length * (1 + 1e-12):
            raise ValueError(f"{name} must lie on the axon (0..{self.main_length:g} um), got {at!r}")
        return at

    @property
    def uniform(self) -> bool:
        """Whether one diameter, membrane and temperature hold all along."""
        first = self.sections[0]
        return not self.parents and all(_alike(first, section) for section in self.sections)

    @cached_property
    def myelinated(self) -> bool:
        """Whether some section has myelin of its own or is perfectly insulated."""
        return any(section.insulated or section.myelin is not None for section in self.sections)

    @cached_property
    def nodes(self) -> tuple[int, ...]:
        """Sections that are nodes: excitable and bare, at least three of them with other sections between."""
        if len(self.sections) < 3:
            return ()
        bare = [
            i
            for i, section in enumerate(self.sections)
            if section.membrane.gates and (section.myelin is None or section.myelin.lamellae == 0)
        ]
        own = set(bare)
        stretches = sum(self.parent(i) not in own for i in bare)
        return tuple(bare) if stretches >= 3 else ()

    @cached_property
    def boundaries(self) -> tuple[float, ...]:
        """Distances (um) from x = 0 where one section ends and the next begins."""
        return tuple(dict.fromkeys(x for x in self.starts[1:] if x > 0))

    def compartments(self, dx: float | None = None) -> Compartments:
        """Cut every section into equal compartments no longer than ``dx``.

        The sections of a ring get a multiple of 16 compartments each.

        Parameters
        ----------
        dx : float, optional
            um. By default each section gets its own ``nseg``, or its own ``default_dx``.

        Raises
        ------
        ValueError
            For a ``dx`` that is not > 0 or longer than a section that has no ``nseg``.
        """
        return cut(self, [self._count(number, dx) for number in range(len(self.sections))])

    def _count(self, number: int, dx: float | None) -> int:
        section = self.sections[number]
        if section.insulated:
            return 0
        least = section.nseg or 1
        if dx is None and section.nseg is not None:
            return least
        step = default_dx(section) if dx is None else positive("dx", dx, "um")
        if dx is not None and section.nseg is None and step > section.length * (1 + 1e-9):
            raise ValueError(
                f"dx must not be longer than a section: got {dx!r} um, but section {number} is "
                f"{section.length!r} um long; make dx smaller"
            )
        count = max(least, math.ceil(section.length / step - 1e-9))
        return -(-count // RING_MULTIPLE) * RING_MULTIPLE if self.ring else count

    def __repr__(self) -> str:
        ring = ", ring=True" if self.ring else ""
        ring += f", parents={list(self.parents)!r}" if self.parents else ""
        ring += f", ends={self.ends!r}" if self.ends != ("sealed", "sealed") else ""
        if isinstance(self.sections, _Uniform):
            return (
                f"Axon(length={self.length!r}, diameter={self.diameter!r}, membrane={self.membrane!r}, "
                f"axial_resistivity={self.axial_resistivity!r}, celsius={self.celsius!r}{ring})"
            )
        return f"Axon(sections={list(self.sections)!r}{ring})"


def _alike(one: Section, other: Section) -> bool:
    mine, theirs = ((s.diameter, s.axial_resistivity, s.celsius, s.membrane, s.myelin) for s in (one, other))
    return mine == theirs

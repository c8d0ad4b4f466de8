"""From an axon as one describes it to compartments as the engine wants them.

This is the one place where micrometres become centimetres and densities become totals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.checks import finite, positive
from axon.membranes import Membrane

Array = NDArray[np.float64]

CM_PER_UM = 1e-4
DEFAULT_AXIAL_RESISTIVITY = 35.4  # ohm cm, squid axoplasm, HH 1952
DEFAULT_CELSIUS = 6.3

# The default mesh resolves the length constant at this frequency, that of a spike's rising foot, this finely.
MESH_FREQUENCY_HZ = 1000.0
COMPARTMENTS_PER_LENGTH_CONSTANT = 20
# A ring is solved as pieces side by side, which must come out equally long.
RING_MULTIPLE = 16


@dataclass(frozen=True)
class Section:
    """A stretch of axon with one diameter, membrane and temperature.

    Parameters
    ----------
    length, diameter : float
        um.
    membrane : Membrane
    axial_resistivity : float
        ohm cm; the default is squid axoplasm.
    celsius : float
        degC.

    Raises
    ------
    ValueError
        For a length, diameter or resistivity that is not > 0, a temperature that is not finite,
        or a membrane that is none.
    """

    length: float
    diameter: float
    membrane: Membrane
    axial_resistivity: float = DEFAULT_AXIAL_RESISTIVITY
    celsius: float = DEFAULT_CELSIUS

    def __post_init__(self) -> None:
        positive("Section.length", self.length, "um")
        positive("Section.diameter", self.diameter, "um")
        positive("Section.axial_resistivity", self.axial_resistivity, "ohm cm")
        finite("Section.celsius", self.celsius, "degC")
        if not isinstance(self.membrane, Membrane):
            raise ValueError(f"Section.membrane must be a Membrane, got {self.membrane!r}")


class _Uniform(tuple):
    """Marks the single section that an Axon made from its own scalars."""


@dataclass(frozen=True, repr=False)
class Axon:
    """A cable: one uniform piece, or several sections joined end to end.

    A uniform axon is given by its numbers, ``Axon(length=..., diameter=..., membrane=...)``; any other by
    ``Axon(sections=[...])``. Its two ends are sealed, or joined to each other when ``ring``.

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

    Raises
    ------
    ValueError
        For numbers that cannot be meant, or a mixture of the two ways.
    """

    length: float | None = None  # um; the total when sections are given
    diameter: float | None = None
    membrane: Membrane | None = None
    axial_resistivity: float | None = None
    celsius: float | None = None
    sections: Sequence[Section] = ()
    ring: bool = False

    def __post_init__(self) -> None:
        if self.sections and not isinstance(self.sections, _Uniform):
            self._check_sections()
            return
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

    def _check_sections(self) -> None:
        sections = tuple(self.sections)
        for section in sections:
            if not isinstance(section, Section):
                raise ValueError(f"Axon.sections must hold Section objects, got {section!r}")
        total = sum(section.length for section in sections)
        scalars = (self.diameter, self.membrane, self.axial_resistivity, self.celsius)
        if any(value is not None for value in scalars) or self.length not in (None, total):
            raise ValueError(
                "Axon: give either sections, or length, diameter and membrane of a uniform axon, not both; "
                "to vary a section use dataclasses.replace on the Section"
            )
        object.__setattr__(self, "sections", sections)
        object.__setattr__(self, "length", total)

    @property
    def total_length(self) -> float:
        """Length of the whole axon, um."""
        assert self.length is not None
        return self.length

    @property
    def uniform(self) -> bool:
        """Whether one diameter, membrane and temperature hold all along."""
        first = self.sections[0]
        return all(_alike(first, section) for section in self.sections)

    @property
    def boundaries(self) -> tuple[float, ...]:
        """Positions (um) where one section ends and the next begins."""
        ends = np.cumsum([section.length for section in self.sections])
        return tuple(float(x) for x in ends[:-1])

    def compartments(self, dx: float | None = None) -> Compartments:
        """Cut every section into equal compartments no longer than ``dx``.

        The sections of a ring get a multiple of 16 compartments each.

        Parameters
        ----------
        dx : float, optional
            um. By default each section gets its own ``default_dx``.

        Raises
        ------
        ValueError
            For a ``dx`` that is not > 0 or longer than a section.
        """
        counts = []
        for number, section in enumerate(self.sections):
            step = default_dx(section) if dx is None else positive("dx", dx, "um")
            if dx is not None and step > section.length * (1 + 1e-9):
                raise ValueError(
                    f"dx must not be longer than a section: got {dx!r} um, but section {number} is "
                    f"{section.length!r} um long; make dx smaller"
                )
            count = max(1, math.ceil(section.length / step - 1e-9))
            counts.append(-(-count // RING_MULTIPLE) * RING_MULTIPLE if self.ring else count)
        return _cut(self, counts)

    def __repr__(self) -> str:
        ring = ", ring=True" if self.ring else ""
        if isinstance(self.sections, _Uniform):
            return (
                f"Axon(length={self.length!r}, diameter={self.diameter!r}, membrane={self.membrane!r}, "
                f"axial_resistivity={self.axial_resistivity!r}, celsius={self.celsius!r}{ring})"
            )
        return f"Axon(sections={list(self.sections)!r}{ring})"


def _alike(one: Section, other: Section) -> bool:
    return (one.diameter, one.axial_resistivity, one.celsius, one.membrane) == (
        other.diameter,
        other.axial_resistivity,
        other.celsius,
        other.membrane,
    )


@dataclass(frozen=True, eq=False)
class Compartments:
    """An axon cut up: arrays with one value per compartment, in order of position.

    Attributes
    ----------
    position : (n,) um
        Centres.
    length, diameter : (n,) um
    resistivity : (n,) ohm cm
    area : (n,) cm2
        Of membrane.
    capacitance : (n,) nF
    axial_conductance : (n - 1,) uS, or (n,) for a ring
        Between the centres of each compartment and the next; the last of a ring joins it to the first.
    celsius : (n,) degC
    section : (n,) int
        Which section a compartment belongs to.
    membrane : (n,) int
        Index into ``membranes``.
    membranes : tuple of Membrane
        The different ones.
    ring : bool
    """

    position: Array
    length: Array
    diameter: Array
    resistivity: Array
    area: Array
    capacitance: Array
    axial_conductance: Array
    celsius: Array
    section: NDArray[np.intp]
    membrane: NDArray[np.intp]
    membranes: tuple[Membrane, ...]
    ring: bool

    def __len__(self) -> int:
        return len(self.position)

    def nearest(self, x: float) -> int:
        """Index of the compartment whose centre is nearest to ``x`` (um)."""
        return int(np.argmin(np.abs(self.position - x)))

    def patches(self) -> tuple[list[tuple[Membrane, float]], NDArray[np.intp]]:
        """The different (membrane, celsius) along the axon, and which one each compartment is."""
        if len(self.membranes) == 1 and np.ptp(self.celsius) == 0:
            return [(self.membranes[0], float(self.celsius[0]))], np.zeros(len(self), np.intp)
        kinds, which = np.unique(self.membrane + 1j * self.celsius, return_inverse=True)
        return [(self.membranes[int(k.real)], float(k.imag)) for k in kinds], np.reshape(which, -1)

    def shares(self, x: float, order: int = 2) -> tuple[NDArray[np.intp], Array]:
        """Compartments that a point source at ``x`` (um) feeds, and its shares, which add up to 1.

        The shares keep the source's moments, so that far from it a point source costs no order of accuracy:
        between two centres they are linear for ``order`` 2 and cubic over four for 4, where those four are
        alike; a sealed end mirrors them.
        """
        right = int(np.searchsorted(self.position, x))
        if order == 4 and len(self) >= 4:
            places = self._mirrored(np.arange(right - 2, right + 2))
            step, width = self.length[places[0]], self.diameter[places[0]]
            if (self.length[places] == step).all() and (self.diameter[places] == width).all():
                left = self.position[right - 1] if right > 0 else self.position[0] - step
                weights = _cubic_shares((x - left) / step)
                if 2 <= right <= len(self) - 2:
                    return places, weights
                unique = np.unique(places)
                return unique, np.array([weights[places == place].sum() for place in unique])
        if right == 0 or right == len(self):
            only = min(right, len(self) - 1)
            return np.array([only]), np.array([1.0])
        left = right - 1
        share = (x - self.position[left]) / (self.position[right] - self.position[left])
        if share == 0.0:
            return np.array([left]), np.array([1.0])
        return np.array([left, right]), np.array([1.0 - share, share])

    def _mirrored(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Compartment numbers beyond the ends folded back at a sealed end, or carried on round a ring."""
        n = len(self)
        if self.ring:
            return places % n
        return np.where(places < 0, -1 - places, np.where(places >= n, 2 * n - 1 - places, places))


def _cubic_shares(s: float) -> Array:
    """Lagrange's weights of the points -1, 0, 1, 2 at ``s``."""
    return np.array(
        [
            -s * (s - 1) * (s - 2) / 6,
            (s + 1) * (s - 1) * (s - 2) / 2,
            -(s + 1) * s * (s - 2) / 2,
            (s + 1) * s * (s - 1) / 6,
        ]
    )


def _cut(axon: Axon, counts: list[int]) -> Compartments:
    repeat = np.repeat
    n_of = np.array(counts)
    length = repeat([s.length / n for s, n in zip(axon.sections, counts, strict=True)], n_of)
    diameter = repeat([float(s.diameter) for s in axon.sections], n_of)
    resistivity = repeat([float(s.axial_resistivity) for s in axon.sections], n_of)
    index = repeat(np.arange(len(counts)), n_of)
    starts = repeat(np.cumsum([0.0] + [float(s.length) for s in axon.sections[:-1]]), n_of)
    within = np.concatenate([np.arange(n) for n in counts])
    membranes = tuple(dict.fromkeys(s.membrane for s in axon.sections))
    area = math.pi * diameter * length * CM_PER_UM**2
    density = np.array([membranes[membranes.index(s.membrane)].capacitance for s in axon.sections])
    # Axial resistance of half a compartment (Mohm): ohm cm * cm / cm2 * 1e-6.
    half = resistivity * (length / 2) / (math.pi * diameter**2 / 4) / CM_PER_UM * 1e-6
    ahead = np.roll(half, -1) if axon.ring else half[1:]
    behind = half if axon.ring else half[:-1]
    return Compartments(
        position=starts + (within + 0.5) * length,
        length=length,
        diameter=diameter,
        resistivity=resistivity,
        area=area,
        capacitance=density[index] * area * 1e3,  # uF -> nF
        axial_conductance=1.0 / (behind + ahead),
        celsius=repeat([float(s.celsius) for s in axon.sections], n_of),
        section=index,
        membrane=np.array([membranes.index(s.membrane) for s in axon.sections])[index],
        membranes=membranes,
        ring=axon.ring,
    )


def length_constant(section: Section, frequency: float = 0.0, conductance: float = 0.0) -> float:
    """Distance (um) over which a sinusoidal disturbance falls by e in an infinite cable.

    At high frequency it is sqrt(d / (4 pi f Ra C)) whatever the membrane conducts (Hines & Carnevale 2001,
    eq. for lambda_f); at f = 0 it is the familiar sqrt(d / (4 Ra g)).

    Parameters
    ----------
    section : Section
    frequency : float
        Hz.
    conductance : float
        Membrane conductance density, S/cm2.
    """
    omega_c = 2 * math.pi * frequency * section.membrane.capacitance * 1e-6
    admittance = complex(conductance, omega_c)
    if admittance == 0:
        raise ValueError("length_constant needs a frequency > 0 Hz or a conductance > 0 S/cm2, got neither")
    gamma = (4 * section.axial_resistivity * admittance / (section.diameter * CM_PER_UM)) ** 0.5
    return 1.0 / (gamma.real * CM_PER_UM)


def default_dx(section: Section) -> float:
    """Longest compartment (um) that the default mesh uses: a twentieth of the length constant at 1 kHz.

    This is the d_lambda rule (Hines & Carnevale, Neuroscientist 7:123, 2001) at the frequency of a spike's
    rising foot instead of their 100 Hz, and without its odd number of compartments. On the squid axon it
    leaves an error of velocity of 0.02 % (study ``convergence``).
    """
    return length_constant(section, MESH_FREQUENCY_HZ) / COMPARTMENTS_PER_LENGTH_CONSTANT

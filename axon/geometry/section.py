"""What an axon is made of: sections, the myelin around them, and what its ends are joined to."""

from __future__ import annotations

import math
from dataclasses import dataclass

from axon.checks import finite, not_negative, positive
from axon.membranes import Membrane

CM_PER_UM = 1e-4
DEFAULT_AXIAL_RESISTIVITY = 35.4  # ohm cm, squid axoplasm, HH 1952
DEFAULT_CELSIUS = 6.3


@dataclass(frozen=True, kw_only=True)
class Myelin:
    """A sheath around a section, with the periaxonal space between it and the axon's own membrane.

    A section with myelin has two voltages, one across the axon's membrane and one across the sheath (double
    cable: Blight, Neuroscience 15:13, 1985; Halter & Clark, J. Theor. Biol. 148:345, 1991).

    Parameters
    ----------
    lamellae : float
        Turns of myelin, of two membranes each. 0 is a bare space that is open to the bath along its length,
        as around the nodes of McIntyre, Richardson & Grill 2002.
    space : float
        Width of the periaxonal space, um.
    diameter : float
        Outer diameter of the sheath, whose surface its capacitance and conductance belong to, um.
    capacitance : float
        Of one membrane of the sheath, uF/cm2.
    conductance : float
        Of one membrane of the sheath, S/cm2.
    resistivity : float
        Of the fluid in the periaxonal space, ohm cm.

    Raises
    ------
    ValueError
        For numbers that cannot be meant.
    """

    lamellae: float
    space: float
    diameter: float
    capacitance: float = 0.1
    conductance: float = 0.001
    resistivity: float = 70.0

    def __post_init__(self) -> None:
        not_negative("Myelin.lamellae", self.lamellae, "")
        positive("Myelin.space", self.space, "um")
        positive("Myelin.diameter", self.diameter, "um")
        positive("Myelin.capacitance", self.capacitance, "uF/cm2")
        not_negative("Myelin.conductance", self.conductance, "S/cm2")
        positive("Myelin.resistivity", self.resistivity, "ohm cm")

    def through(self, density: float) -> float:
        """What a density of one membrane comes to for all of them in series."""
        return density / (2.0 * self.lamellae)


@dataclass(frozen=True)
class Section:
    """A stretch of axon with one diameter, membrane and temperature.

    Parameters
    ----------
    length, diameter : float
        um; the diameter is that of the axon, without its myelin.
    membrane : Membrane
        Of the axon itself. ``insulator()`` makes a perfectly insulated internode: a resistance and no more.
    axial_resistivity : float
        ohm cm; the default is squid axoplasm.
    celsius : float
        degC.
    myelin : Myelin, optional
        A sheath around the section; none by default.
    nseg : int, optional
        Number of equal compartments, where the mesh is part of a published model. By default it comes from
        ``dx``; with both, whichever is finer.

    Raises
    ------
    ValueError
        For a length, diameter or resistivity that is not > 0, a temperature that is not finite, a membrane
        that is none, myelin thinner than the axon, or an ``nseg`` that is not a whole number >= 1.
    """

    length: float
    diameter: float
    membrane: Membrane
    axial_resistivity: float = DEFAULT_AXIAL_RESISTIVITY
    celsius: float = DEFAULT_CELSIUS
    myelin: Myelin | None = None
    nseg: int | None = None

    def __post_init__(self) -> None:
        positive("Section.length", self.length, "um")
        positive("Section.diameter", self.diameter, "um")
        positive("Section.axial_resistivity", self.axial_resistivity, "ohm cm")
        finite("Section.celsius", self.celsius, "degC")
        if not isinstance(self.membrane, Membrane):
            raise ValueError(f"Section.membrane must be a Membrane, got {self.membrane!r}")
        if self.myelin is not None:
            self._check_myelin(self.myelin)
        if self.nseg is not None and (
            isinstance(self.nseg, bool) or not isinstance(self.nseg, int) or self.nseg < 1
        ):
            raise ValueError(f"Section.nseg must be a whole number >= 1, got {self.nseg!r}")

    def _check_myelin(self, myelin: Myelin) -> None:
        if not isinstance(myelin, Myelin):
            raise ValueError(f"Section.myelin must be a Myelin, got {myelin!r}")
        if myelin.diameter < self.diameter:
            raise ValueError(
                f"Section.myelin must not be thinner than the axon's diameter of {self.diameter:g} um, "
                f"got Myelin.diameter = {myelin.diameter!r}"
            )
        if self.insulated:
            raise ValueError("Section.myelin needs a membrane beneath it, got an insulator")

    @property
    def insulated(self) -> bool:
        """Whether no current crosses the membrane at all: a resistance between its neighbours."""
        return self.membrane.capacitance == 0

    def axial_resistance(self) -> float:
        """Of the axoplasm from one end to the other, MOhm."""
        return _along(self.axial_resistivity, math.pi * self.diameter**2 / 4, self.length)

    def periaxonal_resistance(self) -> float:
        """Of the space under the myelin from one end to the other, MOhm; 0 without myelin."""
        if self.myelin is None:
            return 0.0
        inner, outer = self.diameter / 2, self.diameter / 2 + self.myelin.space
        return _along(self.myelin.resistivity, math.pi * (outer**2 - inner**2), self.length)


def _along(resistivity: float, area: float, length: float) -> float:
    """Resistance (MOhm) of a length (um) of a conductor of the cross-section ``area`` (um2), from ohm cm."""
    return resistivity * length / area / CM_PER_UM * 1e-6


@dataclass(frozen=True, kw_only=True)
class End:
    """What stands at an end of an axon: a conductance to ground, and a capacitance beside it.

    Parameters
    ----------
    conductance : float
        uS; ``inf`` is an end cut open, where the inside is joined to the bath.
    reversal : float
        mV, against which the conductance drives.
    capacitance : float
        nF. It is added to that of the last compartment, half of which lies between: an error of first order
        in dx of what it does from moment to moment, whatever the order of the mesh.

    Raises
    ------
    ValueError
        For a negative or non-finite number (but an infinite conductance).
    """

    conductance: float
    reversal: float = 0.0
    capacitance: float = 0.0

    def __post_init__(self) -> None:
        if self.conductance != math.inf:
            not_negative("End.conductance", self.conductance, "uS")
        finite("End.reversal", self.reversal, "mV")
        not_negative("End.capacitance", self.capacitance, "nF")


ENDS = {"sealed": End(conductance=0.0), "open": End(conductance=math.inf)}

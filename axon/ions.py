"""Ions on both sides of a membrane: Nernst and Goldman potentials, the pump, and the axon at rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import finite, not_negative, positive
from axon.errors import NoRest, unknown_name
from axon.membranes import Channel, Membrane
from axon.membranes.constants import FARADAY, thermal_voltage

Array = NDArray[np.float64]

VALENCES = {"Na": 1, "K": 1, "Li": 1, "Rb": 1, "Cs": 1, "Cl": -1}

# mM. Squid axoplasm and squid blood: A. L. Hodgkin, Proc. R. Soc. B 148:1-37, 1958, and The Conduction of the
# Nervous Impulse, Liverpool 1964. For Cl inside he has 40 to 150; textbooks write 52.
SQUID_INSIDE: Mapping[str, float] = MappingProxyType({"Na": 50.0, "K": 400.0, "Cl": 52.0})
SQUID_OUTSIDE: Mapping[str, float] = MappingProxyType({"Na": 440.0, "K": 20.0, "Cl": 560.0})

# One turn of the pump (Post & Jolly, Biochim. Biophys. Acta 25:118, 1957).
SODIUM_PER_TURN, POTASSIUM_PER_TURN = 3, 2


def nernst(outside: ArrayLike, inside: ArrayLike, celsius: float, valence: int = 1) -> Array:
    """Potential at which an ion is in equilibrium, E = RT/(zF) ln(outside / inside).

    Parameters
    ----------
    outside, inside : array_like
        Concentrations, mM, > 0.
    celsius : float
        degC.
    valence : int
        z; -1 for Cl.

    Returns
    -------
    ndarray
        mV, of the shape of the concentrations.

    Raises
    ------
    ValueError
        For a concentration that is not > 0 or a valence of 0.
    """
    if valence == 0 or int(valence) != valence:
        raise ValueError(f"valence must be a whole number other than 0, got {valence!r}")
    sides = _concentration("outside", outside) / _concentration("inside", inside)
    return np.asarray(thermal_voltage(celsius) / valence * np.log(sides))


def ghk_voltage(
    permeabilities: Mapping[str, float],
    inside: Mapping[str, float],
    outside: Mapping[str, float],
    celsius: float,
) -> float:
    """Potential at which monovalent ions carry no net current (Goldman 1943; Hodgkin & Katz 1949).

    V = RT/F ln((sum P c_out + sum P a_in) / (sum P c_in + sum P a_out)), c over cations and a over anions.

    Parameters
    ----------
    permeabilities : mapping of str to float
        Relative ones will do, for example ``{"K": 1, "Na": 0.04, "Cl": 0.45}``.
    inside, outside : mapping of str to float
        Concentrations, mM, of at least these ions.
    celsius : float
        degC.

    Returns
    -------
    float
        mV.

    Raises
    ------
    ValueError
        For an unknown ion, one without a concentration, or nothing that is permeable.
    """
    numerator, denominator = _goldman_sums(permeabilities, inside, outside)
    if not (numerator > 0 and denominator > 0):
        raise ValueError(
            f"permeabilities must let an ion through that is present on both sides, got {permeabilities!r}"
        )
    return thermal_voltage(celsius) * math.log(numerator / denominator)


def sodium_permeability(
    voltage: float,
    inside: Mapping[str, float],
    outside: Mapping[str, float],
    celsius: float,
    *,
    others: Mapping[str, float] | None = None,
) -> float:
    """P_Na / P_K that puts the Goldman potential at ``voltage``.

    Parameters
    ----------
    voltage : float
        mV.
    inside, outside : mapping of str to float
        Concentrations, mM, of at least Na and K.
    celsius : float
        degC.
    others : mapping of str to float, optional
        Permeabilities of further ions, P / P_K.

    Raises
    ------
    ValueError
        When no ratio >= 0 gives that voltage.
    """
    rest = {"K": 1.0, **(others or {})}
    out, within = _goldman_sums(rest, inside, outside)
    sodium_out, sodium_in = _goldman_sums({"Na": 1.0}, inside, outside)
    ratio = math.exp(finite("voltage", voltage, "mV") / thermal_voltage(celsius))
    slope = sodium_out - ratio * sodium_in
    permeability = (ratio * within - out) / slope if slope != 0 else -1.0
    if permeability < 0:
        limits = sorted(
            thermal_voltage(celsius) * math.log(a / b) for a, b in ((out, within), (sodium_out, sodium_in))
        )
        raise ValueError(
            f"no permeability to Na gives {voltage!r} mV: without any the membrane is at one end of "
            f"{limits[0]:.2f} to {limits[1]:.2f} mV and with Na alone at the other; stay between"
        )
    return permeability


def _concentration(name: str, value: ArrayLike) -> Array:
    array = np.asarray(value, float)
    if not (np.isfinite(array) & (array > 0)).all():
        raise ValueError(f"{name} must be > 0 mM, got {value!r}")
    return array


def _goldman_sums(
    permeabilities: Mapping[str, float], inside: Mapping[str, float], outside: Mapping[str, float]
) -> tuple[float, float]:
    out = within = 0.0
    for ion, given in permeabilities.items():
        if ion not in VALENCES:
            raise ValueError(unknown_name("ion", ion, VALENCES))
        permeability = not_negative(f"permeability to {ion}", given, "(relative)")
        for side, where in (("inside", inside), ("outside", outside)):
            if ion not in where:
                raise ValueError(
                    f"{side} must give the concentration of {ion} (mM), got only {sorted(where)}"
                )
        a = permeability * not_negative(f"{ion} outside", outside[ion], "mM")
        b = permeability * not_negative(f"{ion} inside", inside[ion], "mM")
        out, within = (out + a, within + b) if VALENCES[ion] > 0 else (out + b, within + a)
    return out, within


@dataclass(frozen=True, kw_only=True)
class Pump:
    """The Na+/K+ pump: 3 Na+ out, 2 K+ in and one ATP per turn, so one charge outwards.

    I = I_max (Na_in / (Na_in + sodium))^3 (K_out / (K_out + potassium))^2, the form and the constants of
    Kager, Wadman & Somjen, J. Neurophysiol. 84:495-512, 2000. How strong it is, I_max, follows from the axon
    at rest: there it carries back just what leaks.

    Parameters
    ----------
    sodium, potassium : float
        Concentrations inside and outside at which one site is half occupied, mM.
    stops : float
        Time from which it stands still, as under ouabain or without ATP, ms; 0 is from the beginning.
    """

    sodium: float = 10.0
    potassium: float = 3.5
    stops: float = math.inf

    def __post_init__(self) -> None:
        positive("Pump.sodium", self.sodium, "mM")
        positive("Pump.potassium", self.potassium, "mM")
        if self.stops != math.inf:
            not_negative("Pump.stops", self.stops, "ms")

    def activity(self, sodium_in: ArrayLike, potassium_out: ArrayLike) -> Array:
        """Part of its greatest rate (0..1) at these concentrations (mM, any shape)."""
        na, k = np.asarray(sodium_in, float), np.asarray(potassium_out, float)
        return np.asarray((na / (na + self.sodium)) ** 3 * (k / (k + self.potassium)) ** 2)


@dataclass(frozen=True, kw_only=True)
class Ions:
    """Sodium and potassium inside an axon, in a thin space around it, and in the bath beyond.

    Parameters
    ----------
    sodium_in, potassium_in : float
        At the start, mM. The defaults are those of squid axoplasm (Hodgkin 1964).
    sodium_out, potassium_out : float, optional
        In the bath, and at the start in the space, mM. By default what puts the Nernst potentials where the
        membrane has its reversal potentials. For ``hodgkin_huxley()`` that is 398.9 and 16.3 mM at 6.3 degC;
        with the 440 and 20 mM of squid blood they are +52.4 and -72.1 mV instead of +50 and -77.
    space : float
        Thickness of the space outside, um; infinite when the membrane faces the bath. Behind the Schwann
        cells of the squid it is 0.03 (Frankenhaeuser & Hodgkin, J. Physiol. 131:341-376, 1956).
    exchange : float
        Permeability of the barrier between space and bath, cm/s of membrane; 6e-5 in that paper.
    pump : Pump
    carriers : mapping of str to str, optional
        Which ion, ``"Na"`` or ``"K"``, each channel with gates lets through. By default the one its name
        begins with. What has no gates is a leak, which is divided between the two ions.
    """

    sodium_in: float = SQUID_INSIDE["Na"]
    potassium_in: float = SQUID_INSIDE["K"]
    sodium_out: float | None = None
    potassium_out: float | None = None
    space: float = math.inf
    exchange: float = 6e-5
    pump: Pump = field(default_factory=Pump)
    carriers: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("sodium_in", "potassium_in", "sodium_out", "potassium_out"):
            value = getattr(self, name)
            if value is not None:
                positive(f"Ions.{name}", value, "mM")
        if self.space != math.inf:
            positive("Ions.space", self.space, "um")
        not_negative("Ions.exchange", self.exchange, "cm/s")
        if not isinstance(self.pump, Pump):
            raise ValueError(f"Ions.pump must be a Pump, got {self.pump!r}; Pump(stops=0) is none")
        for channel, ion in (self.carriers or {}).items():
            if ion not in ("Na", "K"):
                raise ValueError(f"Ions.carriers[{channel!r}]: " + unknown_name("ion", str(ion), ("Na", "K")))

    def carrier(self, channel: Channel) -> str:
        """``"Na"`` or ``"K"``: the ion that a channel with gates lets through."""
        known = self.carriers or {}
        if channel.name in known:
            return known[channel.name]
        for ion in ("Na", "K"):
            if channel.name.startswith(ion):
                return ion
        raise ValueError(
            f"channel {channel.name!r} carries which ion? its name begins with neither Na nor K; "
            f'say Ions(carriers={{{channel.name!r}: "Na"}}) or "K"'
        )


@dataclass(frozen=True)
class RestingFluxes:
    """What crosses a membrane at rest, where the pump carries back what leaks.

    Attributes
    ----------
    voltage : float
        The resting potential, mV.
    sodium_in, potassium_in, sodium_out, potassium_out : float
        mM.
    sodium_leak, potassium_leak : float
        The leak conductance, divided, S/cm2.
    pump_current : float
        mA/cm2, outward; a third of the sodium and half of the potassium current.
    pump_maximum : float
        mA/cm2.
    """

    voltage: float
    sodium_in: float
    potassium_in: float
    sodium_out: float
    potassium_out: float
    sodium_leak: float
    potassium_leak: float
    pump_current: float
    pump_maximum: float

    @property
    def atp(self) -> float:
        """Turns of the pump, and so ATP, at rest: pmol/cm2/s."""
        return self.pump_current * 1e9 / FARADAY

    @property
    def sodium_influx(self) -> float:
        """pmol/cm2/s."""
        return SODIUM_PER_TURN * self.atp


def resting_fluxes(
    membrane: Membrane, ions: Ions, celsius: float, gates: Mapping[str, ArrayLike] | None = None
) -> RestingFluxes:
    """Divide the leak between Na+ and K+, and set the pump, so that at rest nothing changes.

    At the membrane's own resting potential the sodium current is -3 times and the potassium current 2 times
    the pump's; the two leaks together are as large as the membrane's. With the reversal potentials of the
    membrane, leaks and pump then carry the very current of its leak at every voltage, as long as no
    concentration changes.

    Parameters
    ----------
    membrane : Membrane
    ions : Ions
    celsius : float
        degC, of the Nernst potentials.
    gates : mapping, optional
        Gates at rest by name; by default their steady state.

    Raises
    ------
    ValueError
        When a concentration outside is not given and the membrane has no channel that tells it, or channels
        for one ion differ in reversal potential.
    NoRest
        When no division of the leak does it.
    """
    v = membrane.resting_potential(celsius)
    thermal = thermal_voltage(celsius)
    channels = ohmic_channels(membrane)
    leak = sum(channel.density(celsius) for channel in channels if not channel.gates)
    inside = {"Na": ions.sodium_in, "K": ions.potassium_in}
    given = {"Na": ions.sodium_out, "K": ions.potassium_out}
    outside = {ion: given[ion] or _outside(membrane, ions, ion, inside[ion], thermal) for ion in inside}
    drive = {ion: v - thermal * math.log(outside[ion] / inside[ion]) for ion in inside}
    open_gates = membrane.steady_gates(v, celsius) if gates is None else gates
    gated = {"Na": 0.0, "K": 0.0}  # mA/cm2
    for channel in channels:
        if channel.gates:
            ion = ions.carrier(channel)
            gated[ion] += float(channel.density(celsius) * channel.open_fraction(open_gates)) * drive[ion]
    share = 3 * drive["K"] - 2 * drive["Na"]
    sodium_leak = (2 * gated["Na"] + 3 * (leak * drive["K"] + gated["K"])) / share if share else math.inf
    pump = -(gated["Na"] + sodium_leak * drive["Na"]) / SODIUM_PER_TURN
    if sodium_leak < 0 or sodium_leak > leak or pump <= 0:
        raise NoRest(
            f"no pump keeps membrane {membrane.name!r} at its {v:.2f} mV with E_Na = "
            f"{v - drive['Na']:.2f} and E_K = {v - drive['K']:.2f} mV: of its leak of {leak:g} S/cm2, "
            f"{sodium_leak:.3g} would have to carry sodium; change concentrations or leak"
        )
    activity = float(ions.pump.activity(ions.sodium_in, outside["K"]))
    return RestingFluxes(
        v,
        inside["Na"],
        inside["K"],
        outside["Na"],
        outside["K"],
        sodium_leak,
        leak - sodium_leak,
        pump,
        pump / activity,
    )


def ohmic_channels(membrane: Membrane) -> tuple[Channel, ...]:
    """The channels of a membrane, all of which must be ohmic."""
    channels = tuple(channel for channel in membrane.channels if isinstance(channel, Channel))
    if len(channels) < len(membrane.channels):
        raise ValueError(
            f"moving ions need ohmic channels, Channel(...), and membrane {membrane.name!r} has others"
        )
    return channels


def _outside(membrane: Membrane, ions: Ions, ion: str, inside: float, thermal: float) -> float:
    """Concentration outside (mM) that the reversal potential of the membrane's channels tells."""
    reversals = {c.reversal for c in ohmic_channels(membrane) if c.gates and ions.carrier(c) == ion}
    name = {"Na": "sodium_out", "K": "potassium_out"}[ion]
    if len(reversals) != 1:
        found = "none" if not reversals else f"{len(reversals)} with different reversal potentials"
        raise ValueError(
            f"Ions.{name} must be given (mM): it is read from the channel for {ion}, and membrane "
            f"{membrane.name!r} has {found}"
        )
    return inside * math.exp(reversals.pop() / thermal)

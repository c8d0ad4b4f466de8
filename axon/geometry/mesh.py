"""How finely an axon is cut by default."""

from __future__ import annotations

import math

from axon.geometry.section import CM_PER_UM, Section

# The default mesh resolves the length constant at this frequency, that of a spike's rising foot, this finely.
MESH_FREQUENCY_HZ = 1000.0
COMPARTMENTS_PER_LENGTH_CONSTANT = 20


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

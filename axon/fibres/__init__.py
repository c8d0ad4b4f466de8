"""Published myelinated fibres: from a fibre's diameter to nodes, paranodes and internodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from axon.checks import finite
from axon.errors import unknown_name
from axon.fibres.building import double_cable_internode, fibre, single_cable_internode
from axon.fibres.gaines import gaines_motor, gaines_sensory
from axon.fibres.lesions import demyelinated, remyelinated
from axon.fibres.mrg import mrg
from axon.fibres.single_cable import HUMAN, MCNEAL, RAT, SWEENEY, single_cable
from axon.geometry import Axon

FIBRES: dict[str, Callable[..., Axon]] = {
    "mrg": mrg,
    "gaines_motor": gaines_motor,
    "gaines_sensory": gaines_sensory,
    "sweeney": single_cable(SWEENEY),
    "frankenhaeuser_huxley": single_cable(MCNEAL),
    "schwarz_eikhof": single_cable(RAT),
    "schwarz_reid_bostock": single_cable(HUMAN),
}

__all__ = [
    "FIBRES",
    "demyelinated",
    "double_cable_internode",
    "fibre",
    "myelinated",
    "remyelinated",
    "single_cable_internode",
]


def myelinated(
    diameter: float,
    model: str = "mrg",
    *,
    nodes: int = 41,
    celsius: float | None = None,
    interpolation: str | None = None,
) -> Axon:
    """A published myelinated fibre, from its first node to its last.

    Parameters
    ----------
    diameter : float
        Of the fibre with its myelin, um.
    model : str
        A name in ``FIBRES``.
    nodes : int
        Number of nodes, at least 2.
    celsius : float, optional
        degC; by default the model's own.
    interpolation : str, optional
        How an MRG fibre's dimensions follow from its diameter: ``"linear"`` (the default), the published rows
        and straight lines between them; ``"musselman"``, the polynomials of Musselman et al. 2021 (ASCENT);
        ``"pena"``, those of Peña et al. 2024 for thin fibres, with their densities at the node.

    Returns
    -------
    Axon
        With the published mesh.

    Raises
    ------
    ValueError
        For a model or interpolation that is not known, a diameter that it does not have, or fewer than two
        nodes.
    """
    key = model.replace("-", "_").lower()
    if key not in FIBRES:
        raise ValueError(unknown_name("fibre", model, FIBRES))
    shape = {} if interpolation is None else {"interpolation": interpolation}
    if shape and key != "mrg":
        raise ValueError(f"interpolation belongs to mrg fibres alone, got {interpolation!r} for {key}")
    axon = FIBRES[key](diameter, nodes=nodes, **shape)
    return axon if celsius is None else _at(axon, finite("celsius", celsius, "degC"))


def _at(axon: Axon, celsius: float) -> Axon:
    """The same at another temperature, every different section changed once."""
    changed = {id(section): replace(section, celsius=celsius) for section in axon.sections}
    return Axon(sections=[changed[id(section)] for section in axon.sections])

"""Published myelinated fibres: from a fibre's diameter to nodes, paranodes and internodes."""

from __future__ import annotations

from collections.abc import Callable

from axon.errors import unknown_name
from axon.fibres.gaines import gaines_motor, gaines_sensory
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


def myelinated(diameter: float, model: str = "mrg", *, nodes: int = 41) -> Axon:
    """A published myelinated fibre, from its first node to its last.

    Parameters
    ----------
    diameter : float
        Of the fibre with its myelin, um.
    model : str
        A name in ``FIBRES``.
    nodes : int
        Number of nodes, at least 2.

    Returns
    -------
    Axon
        At the model's temperature and with its published mesh.

    Raises
    ------
    ValueError
        For a model that is not known, a diameter that it does not have, or fewer than two nodes.
    """
    key = model.replace("-", "_").lower()
    if key not in FIBRES:
        raise ValueError(unknown_name("fibre", model, FIBRES))
    if isinstance(nodes, bool) or not isinstance(nodes, int) or nodes < 2:
        raise ValueError(f"nodes must be a whole number >= 2, got {nodes!r}")
    return FIBRES[key](diameter, nodes=nodes)

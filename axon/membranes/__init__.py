"""What a patch of membrane does: gates, channels, membranes, and one published model per file."""

from __future__ import annotations

from collections.abc import Callable

from axon.errors import unknown_name
from axon.membranes.frankenhaeuser_huxley import frankenhaeuser_huxley
from axon.membranes.gaines import (
    gaines_motor_internode,
    gaines_motor_node,
    gaines_motor_paranode,
    gaines_sensory_internode,
    gaines_sensory_node,
    gaines_sensory_paranode,
)
from axon.membranes.gate import Gate
from axon.membranes.ghk import PermeableChannel
from axon.membranes.hodgkin_huxley import hodgkin_huxley
from axon.membranes.membrane import Channel, Membrane
from axon.membranes.mrg import mrg_internode, mrg_node, mrg_paranode
from axon.membranes.passive import insulator, passive
from axon.membranes.pool import Buffer, Pool
from axon.membranes.rattay_aberham import rattay_aberham
from axon.membranes.schild import schild_1994, schild_1997
from axon.membranes.schwarz_eikhof import schwarz_eikhof
from axon.membranes.schwarz_reid_bostock import schwarz_reid_bostock
from axon.membranes.sundt import sundt
from axon.membranes.sweeney import sweeney
from axon.membranes.tigerholm import tigerholm
from axon.membranes.transporter import Transporter

MODELS: dict[str, Callable[[], Membrane]] = {
    "hodgkin_huxley": hodgkin_huxley,
    "frankenhaeuser_huxley": frankenhaeuser_huxley,
    "sweeney": sweeney,
    "schwarz_eikhof": schwarz_eikhof,
    "schwarz_reid_bostock": schwarz_reid_bostock,
    "mrg_node": mrg_node,
    "gaines_motor_node": gaines_motor_node,
    "gaines_sensory_node": gaines_sensory_node,
    "rattay_aberham": rattay_aberham,
    "sundt": sundt,
    "schild_1994": schild_1994,
    "schild_1997": schild_1997,
    "tigerholm": tigerholm,
    "passive": passive,
}


def model(name: str) -> Membrane:
    """The published membrane called ``name``; dashes and underscores are the same.

    Raises
    ------
    ValueError
        For a name that is not known, with the near ones.
    """
    key = name.replace("-", "_").lower()
    if key not in MODELS:
        raise ValueError(unknown_name("model", name, MODELS))
    return MODELS[key]()


__all__ = [
    "MODELS",
    "Buffer",
    "Channel",
    "Gate",
    "Membrane",
    "PermeableChannel",
    "Pool",
    "Transporter",
    "frankenhaeuser_huxley",
    "gaines_motor_internode",
    "gaines_motor_node",
    "gaines_motor_paranode",
    "gaines_sensory_internode",
    "gaines_sensory_node",
    "gaines_sensory_paranode",
    "hodgkin_huxley",
    "insulator",
    "model",
    "mrg_internode",
    "mrg_node",
    "mrg_paranode",
    "passive",
    "rattay_aberham",
    "schild_1994",
    "schild_1997",
    "schwarz_eikhof",
    "schwarz_reid_bostock",
    "sundt",
    "sweeney",
    "tigerholm",
]

"""How refractory the membrane is, place by place, read from recorded gates: the wake behind a spike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.draw.scene import resting_voltage, section_of

if TYPE_CHECKING:
    from axon.membranes import Membrane
    from axon.run import Run

Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

OUTLINE = 0.5  # the strength at which a picture outlines the wake
DEPOLARISED_BY = 40.0  # mV above rest where a gate shows whether depolarisation opens or closes it


@dataclass(frozen=True, eq=False)
class Wake:
    """The refractory wake of a run: a strength from 0 (as excitable as at rest) to 1 (cannot fire).

    Two things keep a membrane from firing again, and both can be read from its gates:

    - inactivated inward channels: of the channels available at rest, the fraction that is not,
      ``lost = (h_rest - h) / h_rest``, for each gate that depolarisation closes in a channel which also has a
      gate that depolarisation opens, and whose reversal potential lies above rest (h of Na);
    - outward channels still open: ``excess = (n - n_rest) / (1 - n_rest)``, for each gate that depolarisation
      opens in a channel whose reversal potential lies below rest (n of K).

    Both are cut to 0...1, and the strength is ``1 - (1 - lost)(1 - excess)``, over all such gates that were
    recorded. A picture of where excitability is missing, no measurement of the absolute or relative
    refractory period: those are found by stimulating. More excitable than at rest (h above its rest) counts
    as 0.

    Attributes
    ----------
    rest : dict of str to (n_x,) ndarray
        Each contributing gate at rest, at each recorded position.
    span : dict of str to (n_x,) ndarray
        Distance from rest to fully refractory: ``-h_rest``, ``1 - n_rest``; infinite where the gate is
        absent.
    """

    rest: dict[str, Array]
    span: dict[str, Array]

    @classmethod
    def of(cls, run: Run) -> Wake | None:
        """The wake of `run`, or None when none of its recorded gates makes the membrane refractory."""
        rest: dict[str, Array] = {}
        span: dict[str, Array] = {}
        section, resting = section_of(run), resting_voltage(run)
        for index in np.unique(section):
            here = np.flatnonzero(section == index)
            membrane, v = run.axon.sections[index].membrane, float(resting[here[0]])
            for name, (at_rest, distance) in _roles(membrane, v).items():
                if name in run.gates:
                    rest.setdefault(name, np.zeros(len(section)))[here] = at_rest
                    span.setdefault(name, np.full(len(section), np.inf))[here] = distance
        return cls(rest, span) if rest else None

    def strength(self, gates: Mapping[str, Array]) -> Array:
        """Strength of the wake, 0...1.

        Parameters
        ----------
        gates : mapping of str to (..., n_x) ndarray
            Gates at the recorded positions; nan where a membrane lacks the gate.

        Returns
        -------
        (..., n_x) ndarray
        """
        excitable = np.ones_like(gates[next(iter(self.rest))], dtype=float)
        for name, rest in self.rest.items():
            missing = np.nan_to_num((gates[name] - rest) / self.span[name], nan=0.0)
            excitable *= 1.0 - np.clip(missing, 0.0, 1.0)
        return 1.0 - excitable


def _roles(membrane: Membrane, v_rest: float) -> dict[str, tuple[float, float]]:
    """Of each gate that makes `membrane` refractory: value at rest, distance to fully refractory."""
    roles = {}
    for channel in membrane.channels:
        opening = {gate.name for gate in channel.gates if _opens(gate, v_rest)}
        for gate in channel.gates:
            at_rest = float(gate.steady_state(v_rest))
            if channel.reversal > v_rest and opening and gate.name not in opening:
                roles[gate.name] = (at_rest, -at_rest)
            elif channel.reversal < v_rest and gate.name in opening:
                roles[gate.name] = (at_rest, 1.0 - at_rest)
    return roles


def _opens(gate: Any, v_rest: float) -> bool:
    return bool(gate.steady_state(v_rest + DEPOLARISED_BY) > gate.steady_state(v_rest))

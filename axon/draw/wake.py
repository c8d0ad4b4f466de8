"""Where the membrane is refractory, place by place, from recorded gates: the wake behind a spike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from axon.draw.scene import resting_voltage
from axon.measure.excitability import slow_gates, thresholds

if TYPE_CHECKING:
    from axon.membranes import Membrane
    from axon.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

# How strong a picture shows each, and between which strengths it draws their borders.
ABSOLUTE, RELATIVE = 1.0, 0.4
BORDERS = (0.5 * RELATIVE, 0.5 * (RELATIVE + ABSOLUTE))
STATE = 1e-3  # of a gate: what it moves a border by is lost in a pixel
RAISED = 1.0  # mV that a threshold must lie above that at rest; a spike's foot raises it a little ahead


@dataclass(frozen=True, eq=False)
class Wake:
    """The refractory wake of a run as `Run.wake` finds it, for one instant or many: none, relative, absolute.

    From the slow gates follows the threshold of the membrane's fast part (`axon.measure.excitability`).
    Absolutely refractory is where there is none, or where V lies above it because a spike is under way;
    relatively, where it lies more than RAISED above that at rest.

    Attributes
    ----------
    patches : tuple of (columns, membrane, celsius, threshold)
        Recorded positions that share a membrane and a temperature, and its threshold at rest, mV.
    """

    patches: tuple[tuple[np.ndarray[Any, Any], Membrane, float, float], ...]

    @classmethod
    def of(cls, run: Run) -> Wake | None:
        """The wake of `run`, or None where no membrane has a threshold and all its slow gates recorded.

        A membrane that rests beyond the threshold of its fast part has none that tells: in the node of the
        MRG fibre inactivation itself is fast beside a still slower gate, and rest lies where the fibre's
        internodes hold it.
        """
        kinds, which = run.compartments.patches()
        which, resting = which[run.recorded], resting_voltage(run)
        patches = []
        for index, (membrane, celsius) in enumerate(kinds):
            here = np.flatnonzero(which == index)
            if len(here):
                at_rest = _threshold_at_rest(membrane, celsius, float(np.median(resting[here])), run.gates)
                if at_rest is not None:
                    patches.append((here, membrane, celsius, at_rest))
        return cls(tuple(patches)) if patches else None

    def strength(self, gates: Mapping[str, Array], voltage: Array) -> Array:
        """How refractory: 0, RELATIVE or ABSOLUTE.

        Parameters
        ----------
        gates : mapping of str to (..., n_x) ndarray
            Gates at the recorded positions.
        voltage : (..., n_x) ndarray
            mV.

        Returns
        -------
        (..., n_x) ndarray
        """
        out = np.zeros(np.shape(voltage))
        for columns, membrane, celsius, at_rest in self.patches:
            own = {name: np.asarray(gates[name])[..., columns] for name in slow_gates(membrane, celsius)}
            threshold = _thresholds(membrane, celsius, own)
            # -inf: more excitable than at rest, with nothing to cross
            fires = (np.asarray(voltage)[..., columns] > threshold) & np.isfinite(threshold)
            higher = np.where(threshold > at_rest + RAISED, RELATIVE, 0.0)
            out[..., columns] = np.where(np.isposinf(threshold) | fires, ABSOLUTE, higher)
        return out


def _thresholds(membrane: Membrane, celsius: float, gates: Mapping[str, Array]) -> Array:
    """Thresholds (mV) of gates to the nearest `STATE`, each state worked out once."""
    states = np.stack([np.round(gate / STATE) for gate in gates.values()], axis=-1)
    flat = states.reshape(-1, states.shape[-1])
    codes = np.ravel_multi_index(flat.T.astype(np.int64), [round(1 / STATE) + 1] * flat.shape[-1], "clip")
    different, which = np.unique(codes, return_inverse=True)
    few = np.unravel_index(different, [round(1 / STATE) + 1] * flat.shape[-1])
    own = {name: np.asarray(STATE * index, float) for name, index in zip(gates, few, strict=True)}
    return thresholds(membrane, celsius, own)[0][which].reshape(states.shape[:-1])


def _threshold_at_rest(
    membrane: Membrane, celsius: float, rest: float, gates: Mapping[str, Array]
) -> float | None:
    """Threshold (mV) of the fast part at rest, if it lies above the rest and the slow gates were recorded."""
    try:
        slow = slow_gates(membrane, celsius)
    except ValueError:
        return None
    if not all(name in gates for name in slow):
        return None
    steady = {name: np.atleast_1d(value) for name, value in membrane.steady_gates(rest, celsius).items()}
    at_rest = float(thresholds(membrane, celsius, steady)[0][0])
    return at_rest if np.isfinite(at_rest) and at_rest > rest else None

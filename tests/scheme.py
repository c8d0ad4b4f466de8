"""What a step takes from V, written out, for the balances that it keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axon import Run

Array = NDArray[np.float64]


def midtime(run: Run, kinks: set[int]) -> tuple[Array, float]:
    """Voltage at which each step takes the ionic current, mV, and the charge that it moves besides, pC.

    A step of third order looks at those since the last kink. What their third difference moves adds up to
    what it makes of the second at the ends of each smooth stretch.
    """
    assert run.voltage is not None
    v = run.voltage
    out, besides, since = 0.5 * (v[1:] + v[:-1]), 0.0, 0
    for step in range(len(v) - 1 if run.numerics["order_in_dt"] == 3 else 0):
        since = step if step in kinks else since
        if step - 2 >= since:
            out[step] -= np.diff(v[step - 2 : step + 1], 2, axis=0)[0] / 8
        if step - 3 >= since:
            third = np.diff(v[step - 3 : step + 1], 3, axis=0)[0]
            besides += float(run.compartments.capacitance @ third) / 24
    return out, besides

"""Crossings of threshold: written down in the step that makes them, timed when the step after it is known."""

from __future__ import annotations

import math

import numpy as np

from axon.engine import history
from axon.engine.simd import LANES, kernel, store

# The cubic through four voltages crosses near where the parabola through three does: Newton's steps to there,
# and how far off, in steps of time, it may be before it is mistrusted.
_NEWTON, _NEAR = 2, 0.2


@kernel
def crossing(v0, v1, v2, earlier, threshold):
    """Where in a step V crosses ``threshold``, 0..1, from V at its start and end and one step later.

    The cubic through these and V one step before (``earlier``); the parabola where that is not known (nan),
    and the straight line where the third is not. All are in mV, with v0 < threshold <= v1.
    """
    bend = 0.0 if math.isnan(v2) else 0.5 * (v2 - 2 * v1 + v0)
    # V(s) = v0 + (v1 - v0 - bend) s + bend s^2; the root in (0, 1], in the form that survives bend = 0.
    linear, below = v1 - v0 - bend, threshold - v0
    at = 2 * below / (linear + math.sqrt(max(linear * linear + 4 * bend * below, 0.0)))
    if math.isnan(earlier) or math.isnan(v2):
        return at
    # Its term is s (s - 1) (s - 2), which leaves v0, v1 and v2 alone; below, the cubic by falling powers.
    twist = (2 * bend - (v1 - 2 * v0 + earlier)) / 6
    bend -= 3 * twist
    linear += 2 * twist
    better = at
    for _ in range(_NEWTON):
        rest = ((twist * better + bend) * better + linear) * better - below
        better -= rest / ((3 * twist * better + 2 * bend) * better + linear)
    return better if abs(better - at) < _NEAR and 0 < better <= 1 else at


@kernel
def add(spikes, place, step, v0, v1, earlier):
    """Write a crossing down."""
    n = spikes.found[0]
    spikes.place[n], spikes.when[n] = place, step
    spikes.v0[n], spikes.v1[n], spikes.earlier[n] = v0, v1, earlier
    spikes.found[0] = n + 1


@kernel
def note(plan, state, spikes, row, step, before):
    """Write down which lanes of this row crossed threshold."""
    store(state.scratch, 0, before)
    for lane in range(LANES):
        place = row * LANES + lane
        v0, v1 = state.scratch[lane], state.v[place]
        if v0 < plan.threshold and v1 >= plan.threshold:
            earlier = np.nan
            if plan.third and state.valid[lane] > 0.0:
                earlier = history.before(state, place, v0)
            add(spikes, place, step, v0, v1, earlier)


@kernel
def settle(spikes, until, v, threshold):
    """Time the crossings before number ``until``; ``v`` is V one step after each, empty if not known."""
    for n in range(spikes.found[1], until):
        v2 = v[spikes.place[n]] if v.size > 0 else np.nan
        spikes.when[n] += crossing(spikes.v0[n], spikes.v1[n], v2, spikes.earlier[n], threshold)
    spikes.found[1] = until

"""Third order in dt: what a step takes from the steps before it.

A step of Crank-Nicolson evaluates the currents at the mean of the voltages at its two ends, h^2/8 V'' above
V at midtime, and takes h V' at midtime for the change over the step, which is h^3/24 V''' more; a gate sees
one voltage for the whole step. The differences of V over the last three steps give all that is missing:

    u = d1 + d2/2,    h^2 V'' = d2,    h^3 V''' = d3        d1 = V_k - V_(k-1), d2, d3 of these in turn

The step is solved for Y = V* - d2/8, the voltage at midtime, from V_k - d2/8 + d3/48 in place of V_k, and
V_(k+1) = 2 Y - V_k + d2/4: no term more in the equations. What stimuli have in d3 they gave already, as their
mean over the step, and it is taken back (``stimulate.strength``).

A gate makes half a step at each of the two Gauss points of its step, V + d2/24 -+ u/sqrt(12), with A1, B1 and
A2, B2 of half a step,

    x <- A1 A2 x + (p + q A2) B1 + (q + p A1) B2,      p, q = 1/2 -+ 1/sqrt(3),

which is the exponential of its equation over a changing V to fourth order (Magnus, Comm. Pure Appl. Math.
7:649, 1954: p and q give the commutator its due). A current that follows V at once is a gate with A = 0, and
its line through V then comes out exact at midtime to third order.

Where V has a kink, because a stimulus jumps, the differences start anew. Between two steps that costs no
order: three steps are of second order, which adds an error of third order to the whole, and what half a step
of the gates had not seen of the new slope, d2/8, is made up for in the next. A kink inside a step leaves an
error of second order in what follows at once, none in how fast it travels.
"""

from __future__ import annotations

import math

from axon.engine.simd import LANES, inlined, kernel, load, locate, splat, store

STEPS = 3  # that the differences go back
_GAUSS = 1.0 / math.sqrt(12.0)


@kernel
def kinks(state, step):
    """Forget the differences of the lanes whose V goes on in another way from this step on.

    The first step is such a one: before it nothing moved.
    """
    store(state.valid, 3 * LANES, splat(1.0 if step == 0 else 0.0))
    while state.kinks_met[0] < state.kink_step.size and state.kink_step[state.kinks_met[0]] <= step:
        lane, between = state.kink_lane[state.kinks_met[0]], state.kink_between[state.kinks_met[0]]
        for k in range(LANES):
            if lane < 0 or k == lane:
                smooth = state.valid[k] > 0.0 or step == 0
                state.valid[3 * LANES + k] = 1.0 if smooth and between else 0.0
                for order in range(3):
                    state.valid[order * LANES + k] = 0.0
        state.kinks_met[0] += 1


@inlined
def forget(state):
    """What follows goes on in another way in all lanes."""
    for order in range(3):
        store(state.valid, order * LANES, splat(0.0))


@inlined
def step_made(state, smooth):
    """One more step, with a kink in all lanes or without any."""
    for order in range(2, 0, -1):
        store(state.valid, order * LANES, splat(smooth) * load(state.valid, (order - 1) * LANES))
    store(state.valid, 0, splat(smooth))


def made(take, put):
    """``departure`` and ``arrival`` for rows whose numbers ``take`` reads and ``put`` writes."""

    @inlined
    def departure(valid, differences, at, size, v):
        """What a step seems to start from, in place of ``v``."""
        d2, d3 = take(differences, size + at), take(differences, 2 * size + at)
        return v - 0.125 * take(valid, LANES) * d2 + (1.0 / 48.0) * take(valid, 2 * LANES) * d3

    @inlined
    def arrival(valid, differences, at, size, v, y):
        """``v`` at the end of a step from the ``y`` that was solved for; its differences move on."""
        d1, d2 = take(differences, at), take(differences, size + at)
        after = 2.0 * y - v + 0.25 * take(valid, LANES) * d2
        first = after - v
        second = first - d1
        put(differences, at, first)
        put(differences, size + at, second)
        put(differences, 2 * size + at, second - d2)
        return after

    return departure, arrival


departure, arrival = made(load, store)


@kernel
def before(state, place, v):
    """V one step before it was ``v``, which was one step before now."""
    return v - (state.differences[place] - state.differences[state.v.size + place])


@inlined
def find_cells(plan, state, valid_1, valid_2, cells, row, v):
    """Where in the tables V lies at both Gauss points; returns the lanes where one of them is in none.

    Until the tables are wider, V itself is taken there.

    ``valid_1`` and ``valid_2``: 1 or 0 per lane, whether its first and second differences saw no kink.
    """
    at, size = row * LANES, plan.rows * LANES
    d2 = load(state.differences, size + at)
    d1 = load(state.differences, at)
    slope = _GAUSS * valid_1 * d1 + 0.5 * _GAUSS * valid_2 * d2
    # Right after a kink between two steps: for half a step the gates saw V go on as before.
    middle = v + ((1.0 / 24.0) * valid_2 + 0.125 * load(state.valid, 3 * LANES)) * d2
    start, density = plan.table_start, plan.table_density
    off = locate((middle - slope - start) * density, cells, state.cell, state.fraction, at)
    off |= locate((middle + slope - start) * density, cells, state.cell, state.fraction, size + at)
    if off:
        s = (v - start) * density
        locate(s, cells, state.cell, state.fraction, at)
        locate(s, cells, state.cell, state.fraction, size + at)
    return off

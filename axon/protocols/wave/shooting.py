"""Finding waves from nothing: shoot from the rest at many K at once and see which way V escapes.

A trajectory that leaves the rest along its unstable direction escapes to plus or to minus infinity unless K
belongs to a wave; so waves lie where the sign of the escape changes (HH 1952, p. 524). This gives a few
digits and the start of the collocation, which gives all the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axon.membranes.rates import Array
from axon.protocols.wave.equations import WaveEquations
from axon.protocols.wave.mesh import Path

# K (1/ms) searched for waves, range by range as needed: low K are slow to shoot. Axons have 0.05 to 100.
SEARCHED = ((0.05, 1000.0), (0.005, 0.05), (0.0005, 0.005))
_LANES_PER_DECADE = 15
_ZOOM_LANES = 25
_ZOOMS = 2
_START = 0.01  # mV above rest
_RTOL = 1e-6
_MAX_STEPS = 1500
_FEW_STEPS = 400  # enough at low K for membranes so slow that their waves are there
_MARGIN = 10.0  # mV beyond all reversal potentials, where no current can turn V back
_FALLEN, _HALFWAY = 0.7, 0.5  # of the spike's height: it is over, and turning up here begins another
_SEPARATION = 0.02  # of the excursion: where two neighbouring trajectories stop being one

# Dormand & Prince 1980, the 5(4) pair: stages, and the difference of the two answers.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


@dataclass(frozen=True)
class Shots:
    """Trajectories at several K, one lane each.

    Attributes
    ----------
    rates : (lanes,) 1/ms
    escape : (lanes,) int
        -1 for V that ran off downwards, +1 for upwards or turned up again after a spike, 0 for undecided.
    delay : (lanes,)
        Time to the escape in units of the foot's 1/growth; it diverges where a wave is.
    time : (steps, lanes) ms
        Stays at its last value once a lane has escaped.
    states : (steps, size, lanes)
    """

    rates: Array
    escape: NDArray[np.int_]
    delay: Array
    time: Array
    states: Array

    def changes(self) -> list[tuple[int, int]]:
        """Pairs of neighbouring lanes that escape to different sides; undecided ones are left out."""
        decided = np.flatnonzero(self.escape)
        different = np.flatnonzero(np.diff(self.escape[decided]))
        return [(int(decided[i]), int(decided[i + 1])) for i in different]


class _Escape:
    """Tells from the voltages of all lanes which have escaped, step by step.

    V that has fallen from its peak and turns up again halfway is on its way to a second spike, and after that
    may yet end on the other side: waves of several spikes lie close beside the one that is sought.
    """

    def __init__(self, equations: WaveEquations, lanes: int) -> None:
        reversals = equations.membrane.reversals
        self.low, self.high = min(reversals) - _MARGIN, max(reversals) + _MARGIN
        self.rest = equations.rest[0]
        self.peak = np.zeros(lanes)
        self.fallen = np.zeros(lanes, dtype=bool)

    def sides(self, states: Array, lanes: NDArray[np.intp]) -> NDArray[np.int_]:
        """-1, 0 or +1 for the states (size, n) of some lanes (n,)."""
        voltage, slope = states[0], states[1]
        excursion = voltage - self.rest
        self.peak[lanes] = np.maximum(self.peak[lanes], excursion)
        self.fallen[lanes] |= excursion < _FALLEN * self.peak[lanes]
        again = self.fallen[lanes] & (slope > 0) & (excursion > _HALFWAY * self.peak[lanes])
        return np.where((voltage > self.high) | again, 1, np.where(voltage < self.low, -1, 0))


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # of steps that are then rejected
def shoot(equations: WaveEquations, rates: Array, max_steps: int = _MAX_STEPS) -> Shots:
    """Integrate from the foot at every K in `rates` until V has escaped; each lane takes its own steps."""
    feet = [equations.unstable_direction(equations.rest, float(rate))[:2] for rate in rates]
    growth = np.array([growth for growth, _ in feet])
    rest = equations.rest[:, None]
    y = rest + _START * np.stack([direction for _, direction in feet], axis=1)
    t, h = np.zeros(len(rates)), 0.1 / growth
    slope = equations.slope(y, rates)
    lanes = np.arange(len(rates))
    escape = np.zeros(len(rates), dtype=int)
    judge = _Escape(equations, len(rates))
    times, states = [t], [y]
    for _ in range(max_steps):
        rate, now = rates[lanes], states[-1][:, lanes]
        new, new_slope, error = _step(equations, now, slope, h, rate)
        # relative to the distance from rest, so that the foot is as right as the spike
        size = np.abs(new - rest) + 1e-3
        size[1] += rate * size[0]
        strain = np.sqrt(np.mean((error / size) ** 2, axis=0)) / _RTOL
        strain = np.where(np.isfinite(strain), strain, 1e6)
        taken = strain <= 1
        time, state = times[-1].copy(), states[-1].copy()
        time[lanes] += np.where(taken, h, 0.0)
        state[:, lanes] = np.where(taken, new, now)
        times.append(time)
        states.append(state)
        slope = np.where(taken, new_slope, slope)
        h = h * np.clip(0.9 * np.maximum(strain, 1e-12) ** -0.2, 0.2, 5.0)
        escape[lanes] = judge.sides(state[:, lanes], lanes)
        inside = escape[lanes] == 0
        lanes, slope, h = lanes[inside], slope[:, inside], h[inside]
        if not len(lanes):
            break
    return Shots(rates, escape, times[-1] * growth, np.array(times), np.array(states))


def _step(
    equations: WaveEquations, y: Array, slope: Array, h: Array, rate: Array
) -> tuple[Array, Array, Array]:
    """One Dormand-Prince step of each lane: new states, their slopes, and the error."""
    slopes = [slope]
    new = y
    for row in _STAGES:
        new = y + h * sum(a * k for a, k in zip(row, slopes, strict=True))
        slopes.append(equations.slope(new, rate))
    return new, slopes[-1], h * sum(e * k for e, k in zip(_ERROR, slopes, strict=True))


@dataclass(frozen=True)
class Search:
    """Where waves are.

    Attributes
    ----------
    brackets : tuple of (float, float)
        Intervals of K (1/ms), in rising order, that each hold a wave.
    low, high : float
        The K between which there is no other, 1/ms.
    """

    brackets: tuple[tuple[float, float], ...]
    low: float
    high: float


def search(equations: WaveEquations, *, slowest: bool) -> Search:
    """Look for waves at all K. Two of them closer than 1e-4 of each other, at the very fold, are not seen.

    Parameters
    ----------
    equations : WaveEquations
    slowest : bool
        Whether to make sure of the slowest wave, or be content with those where axons usually have them.
    """
    found: tuple[tuple[float, float], ...] = ()
    least = SEARCHED[0][1]
    for low, high in SEARCHED:
        rates = np.geomspace(low, high, int(np.log10(high / low) * _LANES_PER_DECADE))
        shots = shoot(equations, rates, _MAX_STEPS if found or high == SEARCHED[0][1] else _FEW_STEPS)
        decided = np.flatnonzero(shots.escape)
        if not len(decided):
            break
        least = float(rates[decided[0]])
        found = _brackets(equations, shots) + found
        # below the slowest wave V escapes upwards, as without any active current
        if found and (not slowest or shots.escape[decided[0]] > 0):
            break
    return Search(found, least, SEARCHED[0][1])


def _brackets(equations: WaveEquations, shots: Shots) -> tuple[tuple[float, float], ...]:
    for _ in range(3):
        changes = shots.changes()
        if changes or np.count_nonzero(shots.escape) < 3:
            return tuple((float(shots.rates[i]), float(shots.rates[j])) for i, j in changes)
        # two waves may hide between neighbours: look closer where the escape takes longest
        longest = int(np.clip(np.argmax(shots.delay), 1, len(shots.rates) - 2))
        beside = shots.rates[longest - 1], shots.rates[longest + 1]
        shots = shoot(equations, np.geomspace(*beside, _ZOOM_LANES))
    return ()


def zoom(equations: WaveEquations, bracket: tuple[float, float]) -> Path:
    """A guess of the wave in a bracket: the trajectories on its two sides, for as long as they are one."""
    low, high = bracket
    for _ in range(_ZOOMS):
        shots = shoot(equations, np.geomspace(low, high, _ZOOM_LANES))
        left, right = shots.changes()[0]
        low, high = float(shots.rates[left]), float(shots.rates[right])
    one, other = _lane(equations, shots, left), _lane(equations, shots, right)
    both = one.time <= other.time[-1]
    apart = np.abs(other.at(one.time[both])[:, 0] - one.states[both, 0])
    excursion = np.maximum.accumulate(np.abs(one.states[both, 0] - equations.rest[0]))
    together = np.flatnonzero(apart > _SEPARATION * excursion)
    end = int(together[0]) if len(together) else int(both.sum()) - 1
    kept = slice(0, end + 1)
    mesh = np.union1d(one.time[: end + 1 : 3], one.time[end])
    return Path(one.time[kept], one.states[kept], one.slopes[kept], mesh, float(np.sqrt(low * high)))


def _lane(equations: WaveEquations, shots: Shots, lane: int) -> Path:
    time = shots.time[:, lane]
    moved = np.concatenate([[True], np.diff(time) > 0])
    time, states = time[moved], shots.states[moved, :, lane]
    rate = float(shots.rates[lane])
    return Path(time, states, equations.slope(states.T, rate).T, time, rate)

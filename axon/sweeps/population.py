"""A nerve: axons of many diameters and kinds, their velocities, arrivals and compound action potential."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.checks import not_negative, positive
from axon.errors import NoPropagation, unknown_name
from axon.geometry import CM_PER_UM, Axon
from axon.protocols.passage import end_pulse, long_enough, passages
from axon.record import Record
from axon.simulate import simulate
from axon.sweeps.asking import sweep
from axon.sweeps.axons import varied
from axon.sweeps.plans import Zipped
from axon.sweeps.questions import source_of

Array = NDArray[np.float64]

_SITE = 0.6  # of its length, where an axon's spike is recorded: steady, and clear of both ends
_EVERY = 0.01  # ms between samples of a spike
_TAIL = 20.0  # ms, in which a spike and its afterpotential are over
_SHAPES = 5  # diameters at which the spike of a kind is recorded, where its shape depends on the diameter


@dataclass(frozen=True)
class Fibres:
    """Axons of one kind that differ in diameter.

    Parameters
    ----------
    name : str
    axon : Axon or callable
        A uniform axon, of which only the diameter changes; or a function of the diameter (um) that makes one.
    diameters : sequence of float
        um, one for each axon.
    """

    name: str
    axon: Axon | Callable[[float], Axon]
    diameters: Sequence[float]

    def __post_init__(self) -> None:
        if not isinstance(self.axon, Axon) and not callable(self.axon):
            raise ValueError(f"Fibres.axon must be an Axon or a function that makes one, got {self.axon!r}")
        own = tuple(float(positive("Fibres.diameters", float(d), "um")) for d in self.diameters)
        if not own:
            raise ValueError("Fibres.diameters must name at least one diameter, got none")
        object.__setattr__(self, "diameters", own)

    @classmethod
    def drawn(
        cls,
        name: str,
        axon: Axon | Callable[[float], Axon],
        size: int,
        *,
        histogram: tuple[ArrayLike, ArrayLike] | None = None,
        distribution: Any = None,
        seed: int | None = None,
    ) -> Fibres:
        """Fibres whose diameters follow a measured histogram or a distribution.

        Parameters
        ----------
        name, axon
            As for ``Fibres``.
        size : int
            How many.
        histogram : (counts, edges), optional
            How many fibres were found between each edge (um) and the next.
        distribution : optional
            One of SciPy's, or anything with ``ppf``.
        seed : int, optional
            Draws at random; by default the diameters are the evenly spaced quantiles, which follow the
            histogram more closely than any draw.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"size must be a whole number >= 1, got {size!r}")
        if (histogram is None) == (distribution is None):
            raise ValueError("give either a histogram or a distribution of diameters")
        if histogram is not None:
            distribution = _histogram(*histogram)
        part = (np.arange(size) + 0.5) / size
        if seed is not None:
            part = np.random.default_rng(seed).random(size)
        return cls(name, axon, tuple(np.asarray(distribution.ppf(part), float).tolist()))

    def made(self, diameter: float) -> Axon:
        """The axon of one diameter."""
        if isinstance(self.axon, Axon):
            return long_enough(varied(self.axon, {"diameter": diameter}))
        return long_enough(self.axon(diameter))


def _histogram(counts: ArrayLike, edges: ArrayLike) -> Any:
    from scipy.stats import rv_histogram

    n, x = np.asarray(counts, float), np.asarray(edges, float)
    if n.ndim != 1 or x.shape != (n.size + 1,) or (n < 0).any() or not n.any() or (np.diff(x) <= 0).any():
        raise ValueError(
            "histogram must be counts >= 0 and one more edge than counts, increasing, got "
            f"{n.size} counts and {x.size} edges"
        )
    return rv_histogram((n, x), density=False)


@dataclass(frozen=True)
class _Maker:
    """Makes the axon of a point; travels to the workers."""

    kinds: tuple[Fibres, ...]

    def __call__(self, fibre: str, diameter: float) -> Axon:
        return next(kind for kind in self.kinds if kind.name == fibre).made(diameter)

    def identity(self) -> Any:
        return [
            [kind.name, repr(kind.axon) if isinstance(kind.axon, Axon) else source_of(kind.axon)]
            for kind in self.kinds
        ]


class Population:
    """A nerve of one or several kinds of fibres.

    Parameters
    ----------
    fibres : Fibres, several
        Their names must differ.
    """

    def __init__(self, *fibres: Fibres) -> None:
        if not fibres or not all(isinstance(kind, Fibres) for kind in fibres):
            raise ValueError("Population needs Fibres, one or several kinds of them")
        names = [kind.name for kind in fibres]
        if len(set(names)) < len(names):
            raise ValueError(f"Population: the names of its fibres must differ, got {names}")
        self.fibres = fibres

    def __len__(self) -> int:
        return sum(len(kind.diameters) for kind in self.fibres)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{len(kind.diameters)} {kind.name}" for kind in self.fibres)
        return f"<Population: {kinds}>"

    def conduct(
        self,
        *,
        to: str | os.PathLike[str] | None = None,
        executor: str | Executor | None = None,
        workers: int | None = None,
        progress: bool = True,
    ) -> Volley:
        """Simulate every axon of the nerve, side by side, after one strong shock at its beginning.

        Parameters
        ----------
        to, executor, workers, progress
            As for ``sweep``: the velocities are a sweep over ``fibre`` and ``diameter``.

        Returns
        -------
        Volley

        Raises
        ------
        NoPropagation
            When not a single axon conducts.
        """
        fibre = np.concatenate([[kind.name] * len(kind.diameters) for kind in self.fibres])
        diameter = np.concatenate([kind.diameters for kind in self.fibres])
        pairs, where = np.unique(
            np.array(list(zip(fibre, diameter, strict=True)), dtype=[("f", fibre.dtype), ("d", float)]),
            return_inverse=True,
        )
        found = sweep(
            "velocity",
            Zipped(fibre=pairs["f"].tolist(), diameter=pairs["d"].tolist()),
            axon=_Maker(self.fibres),
            to=to,
            executor=executor,
            workers=workers,
            progress=progress,
        )
        if not found.complete:
            raise KeyboardInterrupt
        if found.failed.all():
            raise NoPropagation(f"no axon of the nerve conducts: {found.reason[0]}")
        velocity = found["velocity"][where]
        return Volley(
            fibre=fibre,
            diameter=diameter,
            velocity=velocity,
            weight=np.array([core_conductance(kind.made(d)) for kind in self.fibres for d in kind.diameters]),
            spikes={kind.name: _spikes(kind, velocity[fibre == kind.name]) for kind in self.fibres},
        )


def core_conductance(axon: Axon) -> float:
    """Conductance of the axoplasm per length of its longest section, S cm: pi d**2 / (4 Ra)."""
    section = max(axon.sections, key=lambda one: one.length)
    return math.pi * (section.diameter * CM_PER_UM) ** 2 / 4 / section.axial_resistivity


def _spikes(kind: Fibres, velocity: Array) -> tuple[tuple[float, Array, Array], ...]:
    """Spikes of a kind: diameter (um), time (ms) from the crossing of threshold, V above rest (mV)."""
    there = np.array(kind.diameters)[np.isfinite(velocity)]
    if not there.size:
        return ()
    # A uniform axon's steady spike is the same in time at every diameter
    uniform = isinstance(kind.axon, Axon)
    chosen = np.unique(np.quantile(there, [0.5] if uniform else np.linspace(0, 1, _SHAPES), method="nearest"))
    found = []
    for diameter in chosen:
        axon = kind.made(float(diameter))
        pulse, x = end_pulse(axon), _SITE * axon.total_length
        (first,) = passages([axon], [pulse], threads=1)
        run = simulate(
            axon,
            pulse,
            duration=float(first.numerics["duration"]) + _TAIL,
            record=Record(every=_EVERY, where=[x]),
            progress=False,
        )
        assert run.voltage is not None
        crossing = run.arrivals()[run.compartments.nearest(x)]
        depolarisation = run.voltage[:, 0] - run.voltage[0, 0]
        found.append((float(diameter), run.time - crossing, depolarisation))
    return tuple(found)


@dataclass(frozen=True, eq=False, repr=False)
class Volley:
    """One spike in every axon of a nerve, all started at once.

    Attributes
    ----------
    fibre : (n,) array of str
        Kind of each axon.
    diameter : (n,) um
    velocity : (n,) m/s
        nan where an axon does not conduct.
    weight : (n,) S cm
        Conductance of each axon's core per length, by which its spike counts outside.
    spikes : dict of str
        Per kind, recorded spikes: diameter (um), time (ms), V above rest (mV).
    """

    fibre: NDArray[Any]
    diameter: Array
    velocity: Array
    weight: Array
    spikes: dict[str, tuple[tuple[float, Array, Array], ...]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.velocity)

    def __repr__(self) -> str:
        silent = int(np.isnan(self.velocity).sum())
        low, high = float(np.nanmin(self.velocity)), float(np.nanmax(self.velocity))
        return f"<Volley of {len(self)} axons, {silent} silent, {low:.3g} to {high:.3g} m/s>"

    def arrivals(self, distance: float) -> Array:
        """When each axon's spike arrives at a distance (mm) from the shock, ms; nan where it does not."""
        return not_negative("distance", distance, "mm") / self.velocity  # mm / (m/s) = ms

    def histogram(
        self, bins: int | ArrayLike = 20, *, fibre: str | None = None
    ) -> tuple[NDArray[Any], Array]:
        """How many axons conduct how fast: counts, and edges in m/s; of all kinds or of one."""
        mine = np.isfinite(self.velocity) & self._of(fibre)
        counts, edges = np.histogram(self.velocity[mine], bins)
        return counts, edges

    def compound(
        self,
        distance: float,
        *,
        separation: float | None = None,
        every: float = 0.02,
        fibre: str | None = None,
    ) -> tuple[Array, Array]:
        """The compound action potential at a distance: every axon's spike, after its own conduction time.

        In a nerve in oil or air the axons' longitudinal currents return through a thin layer of fluid, and
        the potential there is -r_e sum(V_k / r_k), with the resistances per length r_e of the layer, small
        against r_k of the cores (the core-conductor model; Plonsey & Barr, Bioelectricity). Given here is the
        sum of V_k / r_k over the sum of all 1 / r_k: times -r_e sum(1 / r_k) it is the potential outside.

        Parameters
        ----------
        distance : float
            mm from the shock.
        separation : float, optional
            mm to a second electrode further on: the difference of the two, as a bipolar recording sees it. By
            default one electrode against one at rest (monophasic).
        every : float
            ms between samples.
        fibre : str, optional
            The part of one kind alone, on the same scale.

        Returns
        -------
        time : (m,) ms
            From the shock.
        signal : (m,) mV
        """
        longest = max(t[-1] for own in self.spikes.values() for _, t, _ in own)
        last = np.nanmax(self.arrivals(distance)) + longest
        if separation is not None:
            last += np.nanmax(self.arrivals(positive("separation", separation, "mm")))
        time = np.arange(0.0, last + every, positive("every", every, "ms"))
        signal = self._sum(time, distance, fibre)
        if separation is not None:
            signal -= self._sum(time, distance + separation, fibre)
        return time, signal

    def _sum(self, time: Array, distance: float, fibre: str | None) -> Array:
        signal, arrival = np.zeros(time.size), self.arrivals(distance)
        for k in np.flatnonzero(np.isfinite(self.velocity) & self._of(fibre)):
            own = self.spikes[str(self.fibre[k])]
            _, t, v = min(own, key=lambda one: abs(math.log(one[0] / self.diameter[k])))
            first, stop = np.searchsorted(time, [arrival[k] + t[0], arrival[k] + t[-1]])
            signal[first:stop] += self.weight[k] * np.interp(time[first:stop] - arrival[k], t, v)
        return signal / self.weight.sum()

    def _of(self, fibre: str | None) -> NDArray[np.bool_]:
        if fibre is None:
            return np.ones(len(self), bool)
        if fibre not in self.spikes:
            raise ValueError(unknown_name("kind of fibre", fibre, self.spikes))
        return np.asarray(self.fibre == fibre)

"""Conduction velocity with an honest error bar, and the cheapest mesh and step for an accuracy wanted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from axon.checks import positive
from axon.discretise.job import default_dt, order_in_dt
from axon.errors import NoPropagation
from axon.geometry import Axon, default_dx
from axon.measure.velocity import Velocity
from axon.protocols.stimulus import suprathreshold_pulse
from axon.record import Record
from axon.run import Run
from axon.simulate import simulate
from axon.stimuli import Clamp, Stimulus, Synapse

# An observed order this near the theoretical one makes the extrapolation legitimate.
_ORDER_TOLERANCE = 0.25  # of the order
# A fibre's nodes charge within some ten steps of the usual length: of 1, 2 and 4 times that the longest would
# lie beyond the clean series.
_STEP_RATIO, _STEP_RATIO_AT_NODES = 2.0, 1.5
_MESH_RATIO = 2.0
_CLEAN = 5e-7  # of a velocity: smaller differences by steps of third order are of no clean order
_LONGEST = 2000.0  # ms; no axon of interest needs longer
_FINEST = 12  # refinements before giving up on an accuracy
_FAILURES = 2  # of conduction, from the coarsest dt and dx on, that are put down to these


@dataclass(frozen=True)
class MeasuredVelocity:
    """A velocity extrapolated to dt -> 0 and dx -> 0, with what remains uncertain.

    Attributes
    ----------
    value : float
        m/s, extrapolated as far as that is legitimate.
    error : float
        m/s; the root of the sum of the squares of the three that follow.
    step_error, mesh_error, fit_error : float
        m/s: what dt, dx and the fit over the sites leave uncertain.
    step_order, mesh_order : float
        Observed orders; nan where the differences drown in the noise of the fit, which is as good, and of a
        mesh that is part of the model.
    legitimate : bool
        Whether the observed orders confirm that the extrapolation may be believed. If not, the value is the
        finest run's and the errors are the full differences between runs.
    dt, dx, order
        ms, um and order of the finest run; dx is None where the mesh is part of the model and was left alone.
    direction : str
        As for ``Velocity``.
    runs : tuple of (dt, dx, velocity)
        Every run that was made, ms, um and m/s.
    note : str
        What is wrong when the extrapolation is not legitimate.
    """

    value: float
    error: float
    step_error: float
    mesh_error: float
    fit_error: float
    step_order: float
    mesh_order: float
    legitimate: bool
    dt: float
    dx: float | None
    order: int
    direction: str
    runs: tuple[tuple[float, float | None, float], ...] = field(repr=False)
    note: str = ""

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        digits = max(0, 1 - math.floor(math.log10(self.error))) if self.error > 0 else 6
        mesh, orders = f"mesh {self.mesh_error:.1e}", f"{self.step_order:.2f} in dt"
        if self.dx is None:
            mesh = "mesh the model's own"
        else:
            orders += f", {self.mesh_order:.2f} in dx"
        text = (
            f"{self.value:.{digits}f} ± {self.error:.{digits}f} m/s {self.direction} "
            f"(step {self.step_error:.1e}, {mesh}, fit {self.fit_error:.1e}; observed order {orders})"
        )
        return text + (f"; not extrapolated: {self.note}" if not self.legitimate else "")


def measure_velocity(
    axon: Axon,
    stimuli: Stimulus | Iterable[Stimulus] | None = None,
    *,
    duration: float | None = None,
    dt: float | None = None,
    dx: float | None = None,
    order: int | None = None,
    accuracy: float | None = None,
    error: bool = True,
    between: tuple[float, float] | None = None,
    threshold: float = -20.0,
    progress: bool = True,
) -> MeasuredVelocity | Velocity:
    """Measure the conduction velocity, extrapolated to dt -> 0 and dx -> 0, with its error bar.

    Beside the run at (dt, dx) there are four cheaper ones: at 2 dt and 4 dt, and at 2 dx and 4 dx. The first
    of each pair gives Richardson's extrapolation, the second the observed order that justifies it. What dx
    leaves hardly depends on dt, so the coarser meshes are stepped by 2 dt and compared with that run.

    On a myelinated fibre arrivals are those at its nodes, and the steps beside dt are 1.5 and 2.25 times as
    long. Where the mesh is part of the model (sections with ``nseg``, perfect insulators) dx is left alone
    unless it is given, and the velocity is that of this mesh.

    Parameters
    ----------
    axon : Axon
    stimuli : Stimulus or several, optional
        By default ``suprathreshold_pulse(axon)``.
    duration : float, optional
        ms; by default as long as the spike needs, found by a coarse run.
    dt, dx : float, optional
        ms and um of the finest run; by default those of ``simulate``.
    order : {2, 4}, optional
        Order of the mesh; by default 4, or 2 on trees and myelinated fibres.
    accuracy : float, optional
        Relative accuracy wanted, for example 1e-3: the cheapest dt and dx that reach it are found by
        refining from a coarse start whatever limits it. Not together with ``dt`` or ``dx``.
    error : bool
        False makes the one run alone and returns its ``Velocity``.
    between : (float, float), optional
        Positions (um) between which to measure; by default from 40 to 80 % of the spike's way.
    threshold : float
        mV, whose upward crossing is the arrival.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    MeasuredVelocity, or Velocity when ``error`` is False

    Raises
    ------
    NoPropagation
        With the reason.
    ValueError
        For arguments that cannot be meant, or an accuracy that cannot be reached.
    """
    if accuracy is not None:
        positive("accuracy", accuracy, "(relative)")
        if dt is not None or dx is not None:
            raise ValueError("give either accuracy, or dt and dx, not both")
    given = suprathreshold_pulse(axon) if stimuli is None else stimuli
    own = (given,) if isinstance(given, Stimulus) else tuple(given)
    if order is None:
        order = 2 if axon.parents or axon.myelinated else 4
    lab = _Bench(axon, own, duration, order, between, threshold, progress)
    if accuracy is not None:
        return lab.refine(accuracy)
    fine_dt = default_dt(axon) if dt is None else positive("dt", dt, "ms")
    fine_dx = _default_dx(axon) if dx is None else positive("dx", dx, "um")
    if not error:
        return lab.velocity(fine_dt, fine_dx)
    return lab.estimate(fine_dt, fine_dx)


def _default_dx(axon: Axon) -> float | None:
    """The finest mesh (um) that some section gets; None where the mesh is part of the model."""
    if any(section.nseg is not None or section.insulated for section in axon.sections):
        return None
    return min(default_dx(section) for section in axon.sections)


class _Bench:
    """Runs of one axon at different dt and dx, each made once."""

    def __init__(
        self,
        axon: Axon,
        stimuli: tuple[Stimulus, ...],
        duration: float | None,
        order: int,
        between: tuple[float, float] | None,
        threshold: float,
        progress: bool,
    ) -> None:
        self.axon, self.stimuli, self.order = axon, stimuli, order
        self.between, self.threshold, self.progress = between, threshold, progress
        self.record = Record(voltage=None, threshold=threshold)
        self.known: dict[tuple[float, float | None], tuple[Run, Velocity]] = {}
        self.duration = self._needed_duration() if duration is None else positive("duration", duration, "ms")

    def _needed_duration(self) -> float:
        """Long enough for the spike to arrive, from a coarse run that is made longer until it does."""
        last = max((s.start for s in self.stimuli), default=0.0)
        duration = 2.0 * last + 5.0
        dt, dx = 4 * default_dt(self.axon), self._coarsest_dx()
        while True:
            run = self._simulate(dt, dx, duration)
            arrival = run.arrivals()[run.sites()]
            if np.isfinite(arrival).all():
                return float(np.max(arrival)) + 10 * dt
            reached = arrival[np.isfinite(arrival)]
            stalled = not len(reached) or float(np.max(reached)) < 0.7 * duration
            if (stalled and duration > 20.0 + 2 * last) or duration > _LONGEST:
                return duration
            duration *= 2

    def _coarsest_dx(self) -> float | None:
        if _default_dx(self.axon) is None:
            return None
        return min(min(8 * default_dx(section), section.length) for section in self.axon.sections)

    def _simulate(self, dt: float, dx: float | None, duration: float) -> Run:
        run = simulate(
            self.axon,
            self.stimuli,
            duration=duration,
            dt=dt,
            dx=dx,
            order=self.order,
            record=self.record,
            progress=self.progress,
        )
        if not run.complete:  # Ctrl-C: half a run is no measurement
            raise KeyboardInterrupt
        return run

    def velocity(self, dt: float, dx: float | None) -> Velocity:
        """Velocity of the run at (dt, dx)."""
        return self._made(dt, dx)[1]

    def _made(self, dt: float, dx: float | None) -> tuple[Run, Velocity]:
        if (dt, dx) not in self.known:
            run = self._simulate(dt, dx, self.duration)
            self.known[dt, dx] = run, run.velocity(between=self.between)
        return self.known[dt, dx]

    def estimate(self, dt: float, dx: float | None) -> MeasuredVelocity:
        """Extrapolate from the run at (dt, dx) and its coarser companions."""
        ratio = _STEP_RATIO_AT_NODES if self.axon.myelinated else _STEP_RATIO
        if dx is not None:
            self._check_mesh(dx)
        # The coarsest first: where they do not conduct, the finer ones need not be made.
        steps = [self.velocity(ratio**k * dt, dx).value for k in (2, 1, 0)][::-1]
        meshes = [] if dx is None else [self.velocity(ratio * dt, k * dx).value for k in (4, 2, 1)][::-1]
        run, velocity = self._made(dt, dx)
        value = velocity.value
        fit_error = math.hypot(velocity.standard_error, _unevenness(run, velocity, self.between))
        noise = 3 * velocity.standard_error + 1e-10 * value
        third = order_in_dt(self.axon, self.order) == 3
        step = _extrapolate_third(steps, noise, ratio) if third else _extrapolate(steps, (2,), noise, ratio)
        mesh = _Extrapolation(0.0, 0.0, math.nan, self.order, True)
        if meshes:
            mesh = _extrapolate(meshes, self._mesh_orders(), noise, _MESH_RATIO)
        wrong = [
            f"the runs at {name}, {r:.3g} {name}, {r**2:.3g} {name} show order {part.order:.2f} "
            f"instead of {part.expected}"
            for name, part, r in (("dt", step, ratio), ("dx", mesh, _MESH_RATIO))
            if not part.legitimate
        ]
        return MeasuredVelocity(
            value=value + step.correction + mesh.correction,
            error=math.sqrt(step.error**2 + mesh.error**2 + fit_error**2),
            step_error=step.error,
            mesh_error=mesh.error,
            fit_error=fit_error,
            step_order=step.order,
            mesh_order=mesh.order,
            legitimate=not wrong,
            dt=dt,
            dx=dx,
            order=self.order,
            direction=velocity.direction,
            runs=tuple((*key, self.known[key][1].value) for key in sorted(self.known, key=_finest_first)),
            note="; ".join(wrong),
        )

    def _mesh_orders(self) -> tuple[int, ...]:
        """Orders in dx that the runs may show: second where a join, clamp or synapse costs the fourth."""
        rough = any(isinstance(stimulus, Clamp | Synapse) for stimulus in self.stimuli)
        return (self.order, 2) if rough or not self.axon.uniform else (self.order,)

    def refine(self, accuracy: float) -> MeasuredVelocity:
        """Start coarse and halve whatever limits the accuracy until it is reached."""
        dt, dx = 4 * default_dt(self.axon), self._coarsest_dx()
        if dx is not None:
            dx = min(dx / 2, min(section.length for section in self.axon.sections) / 4)
        for trial in range(_FINEST):
            try:
                found = self.estimate(dt, dx)
            except NoPropagation:
                if trial >= _FAILURES:  # it is no matter of dt and dx
                    raise
                dt, dx = dt / 2, None if dx is None else dx / 2
                continue
            wanted = accuracy * found.value
            if found.error <= wanted:
                return found
            if found.fit_error > wanted:
                raise ValueError(
                    f"an accuracy of {accuracy:g} is out of reach: the velocity varies by "
                    f"{found.fit_error / found.value:.1e} over the sites measured; use a longer axon or a "
                    "window further from the stimulus (between=...)"
                )
            if dx is None or found.step_error >= found.mesh_error:
                dt /= 2
            else:
                dx /= 2
        mesh = "" if dx is None else f", dx = {dx:g} um"
        raise ValueError(f"an accuracy of {accuracy:g} was not reached at dt = {dt:g} ms{mesh}")

    def _check_mesh(self, dx: float) -> None:
        """Whether there is room for coarser meshes; one that is part of the model is never coarsened."""
        free = [s.length for s in self.axon.sections if s.nseg is None and not s.insulated]
        shortest = min(free, default=math.inf)
        if _MESH_RATIO**2 * dx > shortest:
            raise ValueError(
                f"dx must leave room for runs at 2 dx and 4 dx in the shortest section of {shortest:g} um, "
                f"got {dx:g} um; use at most {shortest / 4:g} um"
            )


@dataclass(frozen=True)
class _Extrapolation:
    correction: float
    error: float
    order: float
    expected: int
    legitimate: bool


def _finest_first(setting: tuple[float, float | None]) -> tuple[float, float]:
    dt, dx = setting
    return dt, 0.0 if dx is None else dx


def _extrapolate(
    values: list[float], orders: tuple[int, ...], noise: float, refinement: float
) -> _Extrapolation:
    """Richardson's extrapolation from runs at h, r h and r^2 h, if they fall as one of the orders.

    What is left is bounded as if it fell no faster than what was taken out: the change that the extrapolated
    value makes from (r h, r^2 h) to (h, r h) is then r**order - 1 times the error of the latter. The next
    term of the series falls faster, so the bound is generous.
    """
    near, far = values[0] - values[1], values[1] - values[2]
    if max(abs(near), abs(far)) <= noise:
        return _Extrapolation(0.0, max(abs(near), noise), math.nan, orders[0], True)
    ratio = far / near if near else math.inf
    observed = math.log(ratio, refinement) if ratio > 0 and math.isfinite(ratio) else math.nan
    for order in orders:
        if abs(observed - order) <= _ORDER_TOLERANCE * order:
            gain = refinement**order - 1
            change = abs((values[0] + near / gain) - (values[1] + far / gain))
            return _Extrapolation(near / gain, max(change / gain, noise), observed, order, True)
    return _Extrapolation(0.0, max(abs(near), abs(far)), observed, orders[0], False)


def _extrapolate_third(values: list[float], noise: float, refinement: float) -> _Extrapolation:
    """The same for errors of third order in dt: what is stated covers what is left whatever is taken out.

    Where steps are long the next term shows: errors fall faster, and may change sign on the way. Then nothing
    is taken out. What is stated would fall as the power 2.5.
    """
    near, far = values[0] - values[1], values[1] - values[2]
    noise = max(noise, _CLEAN * values[0])
    if max(abs(near), abs(far)) <= noise:
        return _Extrapolation(0.0, max(abs(near), noise), math.nan, 3, True)
    ratio = far / near if near else math.inf
    observed = math.log(ratio, refinement) if ratio > 0 and math.isfinite(ratio) else math.nan
    if not observed >= (1 - _ORDER_TOLERANCE) * 3:
        return _Extrapolation(0.0, max(abs(near), abs(far)), observed, 3, False)
    correction = near / (refinement**3 - 1) if observed < 3.5 else 0.0
    return _Extrapolation(correction, max(abs(near) / (refinement**2.5 - 1), noise), observed, 3, True)


def _unevenness(run: Run, velocity: Velocity, between: tuple[float, float] | None) -> float:
    """Half the difference (m/s) between the velocities over the two halves of the sites: its drift.

    Of two ways the sum: on each the spike by itself leaves the stimulus behind.
    """
    if velocity.direction != "both":
        return _drift(run, velocity)
    ways = (
        run.velocity(between=between, direction="orthodromic"),
        run.velocity(between=between, direction="antidromic"),
    )
    return sum(_drift(run, way) for way in ways)


def _drift(run: Run, way: Velocity) -> float:
    first, last = way.first_position, way.last_position
    if (first < last) != (way.direction == "orthodromic"):  # over the join of a ring
        return 0.0
    low, high = sorted((first, last))
    middle = (low + high) / 2
    try:
        halves = [run.velocity(between=part).value for part in ((low, middle), (middle, high))]
    except NoPropagation:
        return 0.0
    return abs(halves[0] - halves[1]) / 2

"""Runs that go on: to a later end, with another axon, or once more through a stretch of time."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.checks import finite
from axon.discretise.job import Job, prepare
from axon.discretise.slots import slots
from axon.errors import AxonError
from axon.geometry import Axon, Compartments
from axon.record import Record
from axon.run import Run, load
from axon.simulate import run_one
from axon.stimuli import Stimulus

Array = NDArray[Any]
State = Mapping[str, Array]


def resume(
    run: Run | str | os.PathLike[str],
    *,
    until: float,
    to: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Run:
    """Carry a run on to a later end, as if it had never stopped: the same to the last bit.

    It goes on from its last checkpoint: that is the end of a run that was finished or stopped by Ctrl-C, and
    of a killed one the last that reached the file.

    Parameters
    ----------
    run : Run or path
        Of ``simulate``. Of ``simulate_many`` one that kept checkpoints, and then the same but for rounding:
        axons side by side are solved in another order.
    until : float
        The new end, ms.
    to : path, optional
        Write to this file while it runs, which may be the file of ``run`` itself: that stays as it is until
        all of it is in the new one. In memory by default.
    progress : bool
        Show a progress bar where standard error is a terminal.

    Raises
    ------
    ValueError
        When the run has got further than ``until``.
    AxonError
        When it holds no checkpoint.
    """
    before = run if isinstance(run, Run) else load(run, lazy=True)
    dt = float(before.numerics["dt"])
    state = _state(before, None)
    last, reach = int(state["step"]), before.record.reach(dt)
    if reach:  # the last samples hang on what comes: go back to where they do not, or to the beginning
        state = _state(before, max(last - 2 * reach, int(before.checkpoints["step"][0])))
    if _steps(finite("until", until, "ms"), dt) < max(last, int(before.numerics["steps"])):
        reached = float(before.numerics["duration"])
        raise ValueError(f"until must be after the end of the run at {reached:g} ms, got {until!r}")
    job = _job(before, before.axon, before.stimuli, before.record, until, state)
    return _run(before, job, before.record, to=to, before=before, progress=progress)


def window(
    run: Run | str | os.PathLike[str],
    between: tuple[float, float],
    *,
    record: Record | None = None,
    progress: bool = True,
) -> Run:
    """Compute a stretch of a run once more, to look at it as closely as one likes.

    Parameters
    ----------
    run : Run or path
        One that holds checkpoints; the nearest before the stretch is where it starts from.
    between : (float, float)
        Beginning and end of the stretch, ms.
    record : Record, optional
        What to keep; by default voltage, gates and currents everywhere at every time step.

    Returns
    -------
    Run
        That begins and ends with the stretch; what it samples is what ``run`` would have sampled.

    Raises
    ------
    ValueError
        When the stretch does not lie within the run.
    AxonError
        When no checkpoint lies before it.
    """
    source = run if isinstance(run, Run) else load(run, lazy=True)
    dt, end = float(source.numerics["dt"]), float(source.numerics["duration"])
    first, last = (finite("between", t, "ms") for t in between)
    if not 0 <= first < last <= end * (1 + 1e-9):
        raise ValueError(f"between must be two times within the run (0..{end:g} ms), got {between}")
    if record is None:
        record = Record(every=dt, gates=True, currents=True, threshold=source.record.threshold)
    state = _reached(source, round(first / dt), progress)
    job = _job(source, source.axon, source.stimuli, record, last, state)
    return _run(source, job, record, progress=progress)


def fork(
    run: Run | str | os.PathLike[str],
    *,
    at: float,
    change: Callable[[Axon], Axon],
    stimuli: Stimulus | Iterable[Stimulus] | None = None,
    until: float | None = None,
    record: Record | None = None,
    to: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Run:
    """Let a run take another course: from ``at`` on its axon is another one.

    The state at ``at`` is computed from the nearest checkpoint before it, bit for bit that of the run. Where
    the changed axon has other compartments it is interpolated along the axon; a gate that was not there
    begins at its steady state.

    Parameters
    ----------
    run : Run or path
        One that holds checkpoints.
    at : float
        When the axon changes, ms.
    change : callable
        From the axon to the changed one; ``lambda squid: axon.cut(squid, 20_000)``.
    stimuli : optional
        From then on, on the clock of the run; by default the same.
    until : float, optional
        End of the new run, ms; by default that of ``run``.
    record : Record, optional
        By default as of ``run``.
    to : path, optional
        As for ``simulate``.

    Returns
    -------
    Run
        That begins at ``at``.

    Notes
    -----
    Gates live half a step before the voltage, so that for them the change comes half a step earlier.

    Raises
    ------
    ValueError
        When ``at`` or ``until`` cannot be meant, or a run with noise would get another mesh or channels.
    AxonError
        When no checkpoint lies before ``at``.
    """
    source = run if isinstance(run, Run) else load(run, lazy=True)
    dt, end = float(source.numerics["dt"]), float(source.numerics["duration"])
    if not 0 <= finite("at", at, "ms") <= end * (1 + 1e-9):
        raise ValueError(f"at must be a time within the run (0..{end:g} ms), got {at!r}")
    until = end if until is None else finite("until", until, "ms")
    record = source.record if record is None else record
    state = _reached(source, round(at / dt), progress)
    axon = change(source.axon)
    if not isinstance(axon, Axon):
        raise ValueError(f"change must return an Axon, got {axon!r}")
    own = source.stimuli if stimuli is None else stimuli
    given = (own,) if isinstance(own, Stimulus) else tuple(own)
    new = axon.compartments(source.numerics["dx"])
    job = _job(source, axon, given, record, until, _moved(state, source.compartments, new, source.numerics))
    if job.steps <= job.first:
        raise ValueError(f"until must be after the change at {at:g} ms, got {until!r}")
    return _run(source, job, record, to=to, progress=progress)


def _steps(t: float, dt: float) -> int:
    return math.ceil(t / dt - 1e-9)


def _job(
    run: Run, axon: Axon, stimuli: tuple[Stimulus, ...], record: Record, until: float, state: State
) -> Job:
    how = run.numerics
    job = prepare(
        axon, stimuli, until, how["dt"], how["dx"], how["order"], record, state["v"], how.get("noise")
    )
    job.start = state
    return job


def _run(run: Run, job: Job, record: Record, **how: Any) -> Run:
    numerics = run.numerics
    return run_one(
        job, numerics["order"], record, noise=numerics.get("noise"), seed=numerics.get("seed", 0), **how
    )


def _state(run: Run, step: int | None) -> State:
    """The last checkpoint at or before ``step``, or the last of all."""
    if not run.checkpoints or not len(run.checkpoints["step"]):
        raise AxonError(
            "this run holds no checkpoint to go on from; simulate it again, "
            "of many axons at once with Record(checkpoints=...)"
        )
    steps = np.asarray(run.checkpoints["step"])
    number = len(steps) if step is None else int(np.searchsorted(steps, step, side="right"))
    if not number:
        first, wanted = (k * float(run.numerics["dt"]) for k in (int(steps[0]), step or 0))
        raise AxonError(f"the first checkpoint of this run is at {first:g} ms, after {wanted:g} ms")
    return {name: np.asarray(array[number - 1]) for name, array in run.checkpoints.items()}


def _reached(run: Run, step: int, progress: bool) -> State:
    """The state after ``step``, computed from the checkpoint before it; crossings so far are left behind."""
    state = _state(run, step)
    if int(state["step"]) < step:
        nothing = Record(voltage=None, threshold=run.record.threshold)
        job = _job(run, run.axon, run.stimuli, nothing, step * run.numerics["dt"], state)
        job.steps = step
        state = _state(_run(run, job, nothing, progress=progress), step)
    return {**state, "rising": np.full_like(state["rising"], np.nan)}


def _moved(state: State, old: Compartments, new: Compartments, numerics: Mapping[str, Any]) -> State:
    """A state on the compartments and membranes of another axon."""
    same = np.array_equal(old.position, new.position) and np.array_equal(old.parent, new.parent)
    if same and old.membranes == new.membranes and np.array_equal(old.membrane, new.membrane):
        return state
    if "noise" in numerics:
        raise ValueError("a run with noise can only be forked to an axon with the same mesh and channels")
    if not same and (old.branched or new.branched):
        raise ValueError(
            "an axon that branches can only be forked to one with the same compartments; "
            "change whole sections"
        )
    moved = {name: array for name, array in state.items() if name != "cells"}
    for name, array in state.items():
        if not same and array.shape == (len(old),):
            there = ~np.isnan(array)
            if there.any():
                moved[name] = np.interp(new.position, old.position[there], array[there])
            else:
                moved[name] = np.full(len(new), np.nan)
    moved["gates"] = _moved_gates(state["gates"], old, new, moved["v"])
    return moved


def _moved_gates(gates: Array, old: Compartments, new: Compartments, v: Array) -> Array:
    known: dict[tuple[str, str], tuple[Array, Array]] = {}
    for key, place, values in _gates_of(old, gates):
        x, y = known.get(key, (np.zeros(0), np.zeros(0)))
        at = np.concatenate([x, old.position[place]])
        order = np.argsort(at)
        known[key] = at[order], np.concatenate([y, values])[order]
    kinds, which = new.patches()
    moved = np.zeros((len(new), max(len(slots(membrane)) for membrane, _ in kinds)))
    for k, (membrane, celsius) in enumerate(kinds):
        here = np.flatnonzero(which == k)
        for j, slot in enumerate(slots(membrane)):
            if slot.gate is None:
                moved[here, j] = 1.0 if slot.role == "open" else 0.0
            elif (slot.channel.name, slot.gate.name) in known:
                moved[here, j] = np.interp(new.position[here], *known[slot.channel.name, slot.gate.name])
            else:
                moved[here, j] = slot.gate.steady_state(v[here], celsius)
    return moved


def _gates_of(
    compartments: Compartments, gates: Array
) -> Iterable[tuple[tuple[str, str], NDArray[np.intp], Array]]:
    """Every gate of every membrane by its channel's and its own name: where it is, and its values there."""
    kinds, which = compartments.patches()
    for k, (membrane, _) in enumerate(kinds):
        here = np.flatnonzero(which == k)
        for j, slot in enumerate(slots(membrane)):
            if slot.gate is not None:
                yield (slot.channel.name, slot.gate.name), here, gates[here, j]

"""sweep(): one question, many points, one file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np

from axon.checks import positive
from axon.geometry import Axon
from axon.progress import Progress, stop_on_interrupt
from axon.provenance import provenance
from axon.stimuli import Pulse
from axon.storage.stack import NAMES
from axon.sweeps.axons import unit_of
from axon.sweeps.boundary import Boundary
from axon.sweeps.execution import Crew, execute
from axon.sweeps.packed import QUESTIONS, packed
from axon.sweeps.plans import Plan, plan_of
from axon.sweeps.points import Point, Row, digest, key_of
from axon.sweeps.questions import Function, Question, run_name
from axon.sweeps.result import Sweep
from axon.sweeps.sheet import Sheet


class _Stopped(Exception):
    """Ctrl-C was pressed while points were being answered."""


def sweep(
    question: str | Callable[..., Any],
    over: Plan | Mapping[str, Iterable[Any]],
    *,
    axon: Axon | Callable[..., Axon] | None = None,
    stimulus: Pulse | None = None,
    fixed: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    to: str | os.PathLike[str] | None = None,
    keep_runs: bool = False,
    executor: str | Executor | None = None,
    workers: int | None = None,
    time_limit: float | None = None,
    retry: bool = False,
    seed: int = 0,
    progress: bool = True,
) -> Sweep:
    """Ask one question of many axons.

    Parameters
    ----------
    question : str or callable
        ``"velocity"``, ``"threshold"``, ``"refractory"`` or ``"block"``, which are asked of many axons side
        by side in the lanes of the engine; or a function that takes the parameters by name and returns a
        number, a mapping of names to numbers, or a ``Run`` (whose velocity is then the answer). What a
        function raises makes its point a failed row with that reason. One that takes ``seed`` gets a seed of
        its own at every point, which depends on the point and on ``seed`` alone.
    over : mapping or plan
        Parameters and their values, every combination of which is a point; or a ``Grid``, ``Zipped``,
        ``Random``, ``LatinHypercube``, ``Sobol`` or ``Boundary``.
    axon : Axon or callable, optional
        For our questions: the uniform axon whose ``diameter``, ``celsius``, ``axial_resistivity``,
        ``length``, ``capacitance``, ``model`` and channels (``"Na.conductance"``) points replace, or a
        function of the parameters that makes an axon. A uniform one is as long as a steady velocity needs,
        unless ``length`` or ``at`` is among the parameters. By default Hodgkin and Huxley's.
    stimulus : Pulse, optional
        For our questions; points replace its ``amplitude``, ``pulse_start``, ``pulse_duration`` and ``at``.
        By default one at x = 0 that starts a spike.
    fixed : mapping, optional
        Parameters that are the same at every point, and settings of our questions: ``dt``, ``dx``, ``order``,
        ``crossing``, ``accuracy`` (threshold, refractory), ``conditioning`` and ``ceiling`` (refractory).
    units : mapping of str to str, optional
        Of parameters and answers of a function.
    to : path, optional
        The sweep's file, written as answers come. If it exists, only what it lacks is computed: killed
        anywhere, the same call goes on. Whether it is the same is told by a hash of the function's source
        (not of what it calls), its defaults, ``fixed``, the axon and the numerics.
    keep_runs : bool
        Keep the runs that a function returns, in a folder ``<to>.runs`` that the workers must see. In the
        file the run of row 12 stands at ``runs/12``; and where the voltages of all have one shape (the same
        ``nseg`` or ``dx`` and duration), they stand at ``voltage`` (point, time, position) as well, without
        being copied.
    executor : {"threads", "processes"} or Executor, optional
        Who computes: any ``concurrent.futures.Executor``, such as Dask's ``client.get_executor()`` (which
        dask-jobqueue brings to SLURM) or mpi4py's ``MPIPoolExecutor``. By default processes for a function
        that can be handed to another process, else threads.
    workers : int, optional
        How many threads or processes; by default one per processor. Answers do not depend on it.
    time_limit : float, optional
        s that one point may take; one that takes longer is a failed row.
    retry : bool
        Ask points again that had failed.
    seed : int
        >= 0; of the random numbers of all points.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    Sweep
        Not ``complete`` when Ctrl-C stopped it; file and result then hold what was computed.

    Raises
    ------
    ValueError
        For arguments that cannot be meant, before anything runs.
    FileFormatError
        When ``to`` holds another sweep.
    AxonError
        When the executor cannot be used; the file keeps what was computed.

    Examples
    --------
    >>> import axon
    >>> squid = axon.Axon(length=1e5, diameter=476, membrane=axon.hodgkin_huxley(), celsius=18.5)
    >>> found = axon.sweep("velocity", {"diameter": [119, 476]}, axon=squid)
    >>> print(found["velocity"].round(2))
    [ 9.37 18.73]
    """
    plan = plan_of(over)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed must be a whole number >= 0, got {seed!r}")
    limit = None if time_limit is None else positive("time_limit", time_limit, "s")
    runs = _folder(to) if keep_runs else None
    asked = question_of(question, axon, stimulus, fixed or {}, units or {}, int(seed), runs)
    twice = sorted(set(plan.names) & set(fixed or {}))
    if twice:
        raise ValueError(f"{twice[0]!r} cannot be fixed and varied at once")
    taken = [name for name in plan.names if runs is not None and name in NAMES]
    if taken:
        raise ValueError(f"a parameter cannot be called {taken[0]!r}: kept runs have a column of that name")
    asked.check(plan.names)
    crew = Crew(asked, executor, workers, limit)
    sheet = Sheet(to, _facts(asked, plan, fixed or {}, units or {}, int(seed)), retry=retry)
    survey = _Survey(plan, crew, sheet, runs, progress)
    return survey.conducted()


def question_of(
    question: Any,
    axon: Any,
    stimulus: Any,
    fixed: Mapping[str, Any],
    units: Mapping[str, str],
    seed: int,
    runs: Path | None,
) -> Question:
    """The question that a name or a function stands for."""
    if isinstance(question, str):
        if units:
            raise ValueError("units is for the answers of a function; those of our questions have theirs")
        if runs is not None:
            raise ValueError("keep_runs is for a function that returns runs; our questions keep none")
        return packed(question, axon, stimulus, fixed)
    if not callable(question):
        raise ValueError(f"question must be a function or one of {', '.join(QUESTIONS)}, got {question!r}")
    if axon is not None or stimulus is not None:
        raise ValueError("axon and stimulus are for our questions; give a function its own through fixed")
    return Function(question, fixed, units, seed, runs)


def _folder(to: Any) -> Path:
    if to is None:
        raise ValueError("keep_runs needs a file (to=...), beside which the runs are kept")
    return Path(f"{os.path.realpath(to)}.runs")


def _facts(
    question: Question, plan: Plan, fixed: Mapping[str, Any], units: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """What the file says of the sweep as a whole."""
    ours = not isinstance(question, Function)
    named = {name: units.get(name, unit_of(name) if ours else "1") for name in plan.names}
    return {
        "question": question.name,
        "identity": digest([question.identity(), sorted(plan.names)]),
        "plan": plan.facts(),
        "fixed": {name: _short(value) for name, value in fixed.items()},
        "parameters": named,
        "units": dict(question.units),
        "seed": seed,
    }


def _short(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else f"{value!r:.500}"


class _Survey:
    """A plan driven to its end."""

    def __init__(self, plan: Plan, crew: Crew, sheet: Sheet, runs: Path | None, progress: bool) -> None:
        self.plan, self.crew, self.sheet, self.runs = plan, crew, sheet, runs
        self.progress, self.computed, self.failed = progress, 0, 0
        self.began = time.perf_counter()

    def conducted(self) -> Sweep:
        total = self._total()
        complete = False
        try:
            with Progress(total, enabled=self.progress, unit="points") as bar, stop_on_interrupt() as stop:
                self.bar, self.stop = bar, stop
                try:
                    self.plan.drive(self.ask)
                    complete = True
                except _Stopped:
                    pass
        finally:
            self.crew.dismiss()
            self._keep(complete)
        return self._result(complete)

    def _total(self) -> int:
        points = self.plan.points()
        if isinstance(self.plan, Boundary):
            return len(points)
        if len({key_of(point) for point in points}) < len(points):
            raise ValueError(
                "over holds the same point twice; to ask it several times add a parameter such as "
                "trial=range(10), which gives each its own seed"
            )
        self.sheet.refuse_strangers(points)
        return len(points)

    def ask(self, points: list[Point]) -> list[Row]:
        """The rows of points: from the file, or computed now."""
        missing = self.sheet.ask(points)
        self.bar.advance(len(points) - len(missing))
        if missing:
            execute(self.crew, missing, self.stop, self._take)
        if self.stop.is_set():
            raise _Stopped
        return self.sheet.found(points)

    def _take(self, points: list[Point], rows: list[Row]) -> None:
        self.computed += len(rows)
        if self.runs is not None:
            self._link(points)
        self.sheet.put(points, rows)
        self.failed += sum(1 for row in rows if row.reason)
        if self.failed:
            self.bar.note(f"{self.failed} failed")
        self.bar.advance(len(rows))

    def _link(self, points: Iterable[Point]) -> None:
        assert self.runs is not None
        for point in points:
            if (self.runs / run_name(point)).exists():
                self.sheet.runs[key_of(point)] = f"{self.runs.name}/{run_name(point)}"

    def _keep(self, complete: bool) -> None:
        """The last word of the file; a sweep that was complete already is left as it is."""
        if self.runs is not None:
            self._link(self.sheet.points)
        if self.computed or not self.sheet.finished:
            self.sheet.write(complete=complete, stacked=True)

    def _result(self, complete: bool) -> Sweep:
        points = [point for point in self.sheet.points if key_of(point) in self.sheet.rows]
        columns = {name: values for name, (values, _) in self.sheet.columns(points).items()}
        facts = self.sheet.facts
        answers = self.sheet.answer_names(points)
        return Sweep(
            question=facts["question"],
            parameters={name: columns[name] for name in facts["parameters"]},
            answers={name: columns[name] for name in answers},
            units={**facts["parameters"], **{name: facts["units"].get(name, "1") for name in answers}},
            failed=columns["failed"].astype(bool),
            reason=columns["reason"],
            seconds=columns["seconds"],
            seed=columns["seed"],
            plan=facts["plan"],
            fixed=facts["fixed"],
            provenance=provenance(),
            complete=complete,
            computed=self.computed,
            elapsed=time.perf_counter() - self.began,
        )

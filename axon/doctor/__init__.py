"""A doctor for runs: what is wrong with the numbers, and what to change.

Every check is a function of the run that yields findings: in plain words, with a number and what to do. What
a run did not record is not checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

from axon.doctor import data, mesh, window
from axon.doctor.finding import Finding
from axon.errors import AxonError, FileFormatError
from axon.run import Run, load

__all__ = ["Finding", "check"]

SECONDS_PER_STEP = 1e-8  # of a compartment, about


def check(run: Run | str | os.PathLike[str], *, patience: float = 5.0) -> list[Finding]:
    """Look a run over: file, data, mesh, time step, rest, ends, stimulus, sampling and charge.

    Parameters
    ----------
    run : Run or path
    patience : float
        s; parts of a run are computed once more, at half the time step and to see whether the data follow
        from the model, if that takes no longer. With 0 nothing is.

    Returns
    -------
    list of Finding
        Empty for a good run.
    """
    if not isinstance(run, Run):
        try:
            run = load(run)
        except FileFormatError as error:
            return [Finding("file", str(error))]
    found = list(data.broken(run))
    if found:
        return found  # what follows would measure the damage
    checks: list[Callable[[Run], Iterator[Finding]]] = [
        data.cut_short,
        data.away_from_rest,
        data.sampled_too_seldom,
        data.charge_not_conserved,
        mesh.coarse_for_length_constant,
        mesh.coarse_for_spike,
        mesh.slow_for_gates,
    ]
    steps = float(run.numerics["compartments"]) * float(run.numerics["steps"])
    if 2 * steps * SECONDS_PER_STEP < patience:
        checks.append(mesh.slow_by_measurement)
    if steps * SECONDS_PER_STEP < patience:
        checks.append(data.not_of_this_model)
    for one in checks:
        with suppress(AxonError):  # no spike, no rest, no checkpoint: nothing to check there
            found += one(run)
    if not any(one.kind == "rest" for one in found):  # what drifts is uneven everywhere
        with suppress(AxonError):
            found += window.uneven(run)
    return found

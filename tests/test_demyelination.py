"""Myelin that is lost and regrown: what is built, and where conduction fails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from axon import (
    Axon,
    NoThreshold,
    Pulse,
    Record,
    demyelinated,
    find_failing_loss,
    myelinated,
    remyelinated,
    simulate,
    suprathreshold_pulse,
)

FIBRE = myelinated(10, nodes=21)
PATCH = (10,)


def arrivals(fibre: Axon) -> np.ndarray:
    run = simulate(fibre, suprathreshold_pulse(fibre), duration=3, dt=0.002, record=Record(voltage=None))
    return run.arrivals()[run.sites()]


def test_thinned_myelin_has_fewer_lamellae_and_is_thinner_there_alone() -> None:
    thin = demyelinated(FIBRE, [2, 3], 0.75)
    changed = [
        i for i, pair in enumerate(zip(FIBRE.sections, thin.sections, strict=True)) if pair[0] != pair[1]
    ]
    assert changed == [*range(23, 33), *range(34, 44)]
    before, after = FIBRE.sections[25].myelin, thin.sections[25].myelin
    assert before is not None and after is not None
    assert after.lamellae == before.lamellae / 4 and after.space == before.space
    assert_allclose(after.diameter - 6.9, (before.diameter - 6.9) / 4)


def test_nothing_lost_changes_nothing() -> None:
    assert demyelinated(FIBRE, PATCH, 0.0) == FIBRE


def test_spike_is_late_behind_thinned_myelin_and_never_comes_when_little_is_left() -> None:
    whole, thin, bare = (arrivals(demyelinated(FIBRE, PATCH, lost)) for lost in (0.0, 0.95, 0.995))
    own = np.diff(whole)[10]
    assert 2.0 < np.diff(thin)[10] / own < 3.0
    assert_allclose(np.diff(thin)[15:18], np.diff(whole)[15:18], rtol=0.02)  # beyond, all is as before
    assert np.isfinite(bare[:9]).all() and not np.isfinite(bare[12:]).any()


def test_failing_loss_separates_runs_that_conduct_from_runs_that_fail() -> None:
    found = find_failing_loss(FIBRE, PATCH, accuracy=0.05, dt=0.002, progress=False)
    assert 0.98 < found.conducts < found.fails < 0.995
    assert (1 - found.conducts) / (1 - found.fails) <= 1.05
    assert all(conducted == (lost <= found.conducts) for lost, conducted in found.runs)
    wide = find_failing_loss(FIBRE, range(9, 12), accuracy=0.05, dt=0.002, progress=False)
    assert wide.fails < found.conducts  # of several internodes less may be lost


def test_remyelination_restores_conduction_with_short_internodes() -> None:
    healed = remyelinated(FIBRE, PATCH, pieces=3)
    assert len(healed.nodes) == 23
    assert_allclose(healed.total_length, FIBRE.total_length, rtol=1e-12)
    old, new = FIBRE.sections[10 * 11 + 3].myelin, healed.sections[10 * 11 + 3].myelin
    assert old is not None and new is not None and new.lamellae == old.lamellae / 3
    across = np.diff(arrivals(healed)[[10, 13]])[0] / np.diff(arrivals(FIBRE)[[10, 11]])[0]
    assert 1.1 < across < 2.0  # slower than before, but it conducts


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: demyelinated(FIBRE, [20], 0.5), "internodes must be numbers from 0 to 19 .*got 20"),
        (lambda: demyelinated(FIBRE, [0], 1.0), "lost must be 0 to less than 1.*got 1.0"),
        (lambda: demyelinated(myelinated(10, "sweeney"), [0], 0.5), "no myelin to thin .* insulator"),
        (lambda: remyelinated(FIBRE, [1], pieces=1), "pieces must be a whole number >= 2, got 1"),
        (lambda: remyelinated(FIBRE, [1], lamellae=0.0), "lamellae must be > 0"),
        (lambda: remyelinated(FIBRE, [1], pieces=300), "length must be more than"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_fibre_that_does_not_conduct_has_no_failing_loss() -> None:
    with pytest.raises(NoThreshold, match="stronger stimulus"):
        find_failing_loss(FIBRE, PATCH, Pulse(amplitude=0.01, duration=0.1), dt=0.002, progress=False)

"""A run as a value: where things are in it, equality, saving and loading."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from axon import (
    Axon,
    Clamp,
    FileFormatError,
    NoPropagation,
    Pulse,
    Record,
    Run,
    Section,
    hodgkin_huxley,
    load,
    passive,
    simulate,
)

SQUID = Axon(length=20_000, diameter=476, membrane=hodgkin_huxley(), celsius=18.5)
PULSE = Pulse(amplitude=30_000, start=0.1, duration=0.2)
RUN = simulate(SQUID, PULSE, duration=3, dt=0.01, dx=250, record=Record(gates=True, currents=True))


def test_a_run_remembers_what_was_asked() -> None:
    assert RUN.axon == SQUID and RUN.stimuli == (PULSE,)
    assert RUN.record == Record(gates=True, currents=True)
    assert set(RUN.provenance) == {"axon_version", "created", "command", "git_commit", "platform"}
    assert RUN.provenance["axon_version"] == version("axon")


def test_arrays_have_the_shapes_they_say() -> None:
    n_t, n_x = len(RUN.time), len(RUN.position)
    assert (n_t, n_x) == (61, 80)
    for array in (RUN.voltage, *RUN.gates.values(), *RUN.currents.values()):
        assert array is not None and array.shape == (n_t, n_x)
    assert len(RUN.spike_time) == len(RUN.spike_position) == len(RUN.spike_compartment) == 80
    assert_array_equal(RUN.position, RUN.compartments.position)


def test_at_is_the_index_of_the_nearest_recorded_position() -> None:
    assert [RUN.at(x) for x in (0, 249, 251, 20_000, 99_999)] == [0, 0, 1, 79, 79]
    with pytest.raises(ValueError, match="this run recorded no positions; simulate with"):
        simulate(SQUID, PULSE, duration=0.1, dx=250, record=Record(voltage=None)).at(3)


def test_arrivals_are_the_first_crossings_of_every_compartment() -> None:
    arrivals = RUN.arrivals()
    assert arrivals.shape == (80,)
    assert_array_equal(np.sort(arrivals), RUN.spike_time)
    assert np.all(np.diff(arrivals[5:]) > 0)
    assert np.all(np.isnan(RUN.arrivals(spike=1)))


def test_local_velocity_is_distance_over_delay() -> None:
    x, v = RUN.local_velocity()
    delay = np.diff(RUN.arrivals())
    assert_allclose(v[20:60], 0.25 / delay[20:60], rtol=1e-10, atol=0)  # 250 um in ms -> m/s
    assert_allclose(x, 0.5 * (RUN.position[1:] + RUN.position[:-1]), rtol=1e-12, atol=0)


def test_velocity_does_not_depend_on_what_was_recorded() -> None:
    for record in (Record(voltage=None), Record(every=1.0, where=[0])):
        run = simulate(SQUID, PULSE, duration=3, dt=0.01, dx=250, record=record)
        assert run.velocity() == RUN.velocity()


def test_no_spike_is_no_propagation() -> None:
    quiet = simulate(SQUID, duration=0.5, dx=500)
    with pytest.raises(NoPropagation) as caught:
        quiet.velocity()
    assert caught.value.reason


def test_runs_are_equal_bit_for_bit_or_not_at_all() -> None:
    again = replace(RUN, voltage=RUN.voltage.copy(), gates=dict(RUN.gates))
    assert again == RUN
    nudged = RUN.voltage.copy()
    nudged[3, 4] = np.nextafter(nudged[3, 4], 0)
    for other in (
        replace(RUN, voltage=nudged),
        replace(RUN, voltage=RUN.voltage.astype(np.float32)),
        replace(RUN, voltage=None),
        replace(RUN, gates={}),
        replace(RUN, stimuli=()),
        replace(RUN, complete=False),
        replace(RUN, numerics={**RUN.numerics, "dt": 0.02}),
        replace(RUN, provenance={**RUN.provenance, "command": "another"}),
    ):
        assert other != RUN
    assert RUN != "run"


def test_repr_tells_what_is_inside() -> None:
    assert repr(RUN) == "<Run of 3 ms on 80 compartments: 80 crossings, 61 samples at 80 positions>"
    assert repr(replace(RUN, complete=False)).endswith("positions, incomplete>")


def runs_of_every_kind() -> dict[str, Run]:
    mixed = Axon(sections=[Section(1_000, 100, hodgkin_huxley()), Section(500, 50, passive())])
    ring = Axon(length=4_000, diameter=476, membrane=hodgkin_huxley(), ring=True)
    how = {"duration": 0.5, "dt": 0.01, "dx": 250}
    return {
        "everything": RUN,
        "spikes alone": simulate(SQUID, PULSE, duration=3, dt=0.01, dx=250, record=Record(voltage=None)),
        "single precision": simulate(SQUID, PULSE, record=Record(voltage="float32", where=[0, 3_000]), **how),
        "nan where there is no gate": simulate(mixed, Clamp(voltage=-30.0), record=Record(gates=True), **how),
        "ring": simulate(ring, PULSE, order=4, **how),
        "quiet, default mesh": simulate(SQUID, duration=0.1),
        "gates without voltage": simulate(SQUID, record=Record(voltage=None, gates="m"), **how),
    }


@pytest.mark.parametrize(
    ("name", "run"), runs_of_every_kind().items(), ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_saved_run_loads_equal_bit_for_bit(name: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    run.save(path)
    again = load(path)
    assert again == run
    again.save(tmp_path / "again.h5")
    assert load(tmp_path / "again.h5") == run


def test_measuring_a_loaded_run_gives_the_same(tmp_path: Path) -> None:
    RUN.save(tmp_path / "run.h5")
    again = load(tmp_path / "run.h5")
    assert again.velocity() == RUN.velocity()
    assert_array_equal(again.arrivals(), RUN.arrivals())


def test_a_loaded_model_can_be_simulated_again(tmp_path: Path) -> None:
    RUN.save(tmp_path / "run.h5")
    again = load(tmp_path / "run.h5")
    numerics = {name: again.numerics[name] for name in ("duration", "dt", "dx", "order")}
    repeated = simulate(again.axon, again.stimuli, record=again.record, **numerics)
    assert_array_equal(repeated.voltage, RUN.voltage)


def test_a_run_streamed_to_a_file_equals_the_one_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    record = Record(gates=True, currents=True)
    streamed = simulate(SQUID, PULSE, duration=3, dt=0.01, dx=250, record=record, to=path)
    assert_array_equal(np.asarray(streamed.voltage), RUN.voltage)
    again = load(path)
    for name in ("voltage", "time", "position", "spike_time", "spike_compartment"):
        assert_array_equal(getattr(again, name), getattr(RUN, name))
    assert_array_equal(again.gates["h"], RUN.gates["h"])
    assert again.complete and again.velocity() == RUN.velocity()


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises((FileFormatError, FileNotFoundError)):
        load(tmp_path / "nowhere.h5")
    (tmp_path / "foreign.h5").write_text("not a run")
    with pytest.raises(FileFormatError):
        load(tmp_path / "foreign.h5")

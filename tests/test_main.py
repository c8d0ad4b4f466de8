"""The `axon` command: every verb, every option, every complaint."""

from __future__ import annotations

import importlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
from PIL import Image

import axon
from axon.__main__ import main

SQUID = (
    "run hodgkin-huxley --length 100000 --diameter 476 --celsius 18.5 --axial-resistivity 35.4 --duration 10"
)
SMALL = "run --length 4000 --duration 1 --celsius 18.5 --quiet"  # some 20 ms once compiled


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        return json.loads(self.out)


Command = Callable[[str], Outcome]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs one command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> Outcome:
        capfd.readouterr()
        try:
            code = main(line.split())
        except SystemExit as stop:  # argparse ends --help and its own complaints this way
            code = int(stop.code or 0)
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def squid_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the issue's own command line, with gates."""
    path = tmp_path_factory.mktemp("squid") / "squid.h5"
    assert main([*SQUID.split(), "--gates", "--quiet", "-o", str(path)]) == 0
    return path


def assert_complaint(outcome: Outcome, *words: str) -> None:
    """One line on standard error that starts with `axon: ` and has these words; exit code 2."""
    assert outcome.code == 2
    assert re.fullmatch(r"axon: [^\n]+\n", outcome.err), outcome.err
    for word in words:
        assert word in outcome.err


# The verbs


def test_run_writes_the_file_and_prints_stimulus_and_velocity(command: Command, tmp_path: Path) -> None:
    outcome = command(f"{SQUID} -o a.h5")
    assert outcome.code == 0
    stimulus, size, summary = outcome.out.splitlines()
    assert re.fullmatch(r"samples [\d.]+ MB before compression", size)
    assert re.match(r"stimulus [\d.e+]+ nA for 0.2 ms from 0.5 ms at 0 um \(scaled", stimulus)
    found = re.match(
        r"a\.h5: (18\.\d+) m/s orthodromic, fit error \S+, \d+ sites from \S+ to \S+ mm; took", summary
    )
    assert found
    assert 18.71 < float(found[1]) < 18.75
    assert axon.load(tmp_path / "a.h5").complete


def test_velocity_agrees_with_the_file_and_the_steady_wave(command: Command, squid_file: Path) -> None:
    facts = command(f"velocity {squid_file} --json").facts
    assert 18.71 < facts["velocity"] < 18.75
    with h5py.File(squid_file) as file:
        assert file["velocity"][()] == facts["velocity"]
        assert file["velocity"].attrs["standard_error"] == facts["standard_error"]
    assert facts["direction"] == "orthodromic"
    text = command(f"velocity {squid_file}").out
    assert float(text.split()[0]) == pytest.approx(facts["velocity"], abs=1e-4)
    assert text.count("\n") == 1


def test_run_prints_one_json_object(command: Command) -> None:
    facts = command(f"{SQUID} -o a.h5 --json").facts
    assert facts["file"] == "a.h5" and facts["complete"] is True
    assert facts["velocity"] == command("velocity a.h5 --json").facts["velocity"]
    assert facts["stimulus"]["amplitude"] > 4481  # threshold in this axon at 6.3 degC, nA
    assert facts["seconds"] > 0


def test_inspect_tells_what_a_run_holds(command: Command, squid_file: Path) -> None:
    text = command(f"inspect {squid_file}").out
    for words in (
        "squid.h5",
        "hodgkin_huxley: 100000 um x 476 um, 35.4 ohm cm, 18.5 degC",
        "Pulse(",
        "dt ",
        "dx ",
        "voltage: 201 x ",
        "gates/m: 201 x ",
        "upward crossings of -20 mV",
        "m/s orthodromic",
        "axon_version",
    ):
        assert words in text


def test_inspect_prints_one_json_object(command: Command, squid_file: Path) -> None:
    facts = command(f"inspect {squid_file} --json").facts
    run = axon.load(squid_file)
    assert facts["bytes"] == squid_file.stat().st_size
    assert facts["recorded"]["voltage"]["shape"] == list(run.voltage.shape)
    assert facts["spikes"]["crossings"] == run.spike_time.size
    assert facts["velocity"]["velocity"] == float(run.velocity())


@pytest.mark.parametrize(("name", "magic"), [("a.gif", b"GIF8"), ("a.html", b"<")])
def test_animate_writes_a_movie(command: Command, squid_file: Path, name: str, magic: bytes) -> None:
    outcome = command(f"animate {squid_file} -o {name} --quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{name}: ")
    assert Path(name).read_bytes().lstrip().startswith(magic)


def test_animate_puts_several_runs_on_one_clock(command: Command, squid_file: Path) -> None:
    line = f"animate {squid_file} {squid_file} -o a.gif --panels voltage --labels here,there --fps 10 --quiet"
    assert command(f"{line} --seconds 0.5").code == 0
    with Image.open("a.gif") as film:
        assert (film.n_frames, film.size) == (5, (640, 524))
    assert command(f"{line} --pixels 40").code == 0
    assert_complaint(command(f"{line} --pixels 40 --seconds 1"), "not allowed with")


def test_view_writes_a_page_beside_the_run_and_opens_it(
    command: Command, squid_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    Path("b.h5").write_bytes(squid_file.read_bytes())
    outcome = command("view b.h5 --quiet")
    assert (outcome.code, outcome.err, opened) == (0, "", [])
    assert outcome.out.startswith("b.html: ")
    facts = command("view b.h5 --quiet --open --json -o c.html").facts
    assert facts == {"file": "c.html", "bytes": Path("b.html").stat().st_size}
    assert opened == [Path("c.html").resolve().as_uri()]


def test_plot_writes_a_page(command: Command, squid_file: Path) -> None:
    facts = command(f"plot {squid_file} -o a.png --json").facts
    assert facts == {"file": "a.png", "bytes": Path("a.png").stat().st_size}
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")


def test_models_are_listed_with_a_line_each(command: Command) -> None:
    lines = command("models").out.splitlines()
    names = [line.split()[0] for line in lines]
    assert set(names) == {*axon.membranes.MODELS, *axon.fibres.FIBRES}
    assert "1952" in lines[0]
    assert lines[names.index("mrg")].split()[1:6] == ["56.2", "m/s", "at", "10", "um,"]
    assert list(command("models --json").facts) == names


def test_models_name_prints_the_validation_card(command: Command) -> None:
    lines = command("models sundt").out.splitlines()
    assert lines[0].startswith("sundt: C fibre")
    assert "here" in lines[4] and "paper" in lines[4] and "another program" in lines[4]
    facts = command("models sundt --json").facts
    assert facts["here"]["velocity at 1 um"]["value"] == pytest.approx(0.4955, abs=1e-4)
    unknown = command("models sunt")
    assert unknown.code == 2 and "sundt" in unknown.err


def test_models_name_of_a_membrane_says_what_it_is_made_of(command: Command) -> None:
    lines = command("models mrg-node").out.splitlines()
    assert lines[0].startswith("mrg_node: Mammalian node")
    assert "Na    3 S/cm2, reverses at 50 mV, m3 h" in lines and lines[-1].endswith("axon models mrg")
    assert list(command("models passive --json").facts["channels"]) == ["leak"]


def test_output_that_nobody_reads_any_more_is_no_error() -> None:
    code = "import sys; from axon.__main__ import main; sys.exit(main(['models']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_models_measure_measures_the_card_now(command: Command) -> None:
    facts = command("models schwarz-eikhof --measure --json --quiet").facts
    assert facts["here"]["rest"]["value"] == pytest.approx(-78.0, abs=0.01)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with one toy study."""
    (tmp_path / "studies").mkdir()
    study = tmp_path / "studies" / "two_and_two.py"
    study.write_text('"""Is it four?\n\nYes."""\nimport sys\nprint("ran", sys.argv[1:])\nsys.exit(3)\n')
    return tmp_path


def test_study_lists_what_the_checkout_has(command: Command, checkout: Path) -> None:
    assert command("study").out == "two_and_two  Is it four?\n"
    assert command("study --json").facts == {"two_and_two": "Is it four?"}


def test_study_runs_by_name_and_passes_its_exit_code_on(command: Command, checkout: Path) -> None:
    assert command("study two-and-two --quick") == Outcome(3, "ran ['--quick']\n", "")
    assert command("study two_and_two").out == "ran []\n"


def test_study_complains_of_an_unknown_name_and_of_a_place_without_studies(
    command: Command, checkout: Path
) -> None:
    assert_complaint(command("study two_and_too"), "'two_and_too'", "did you mean 'two_and_two'")
    (checkout / "studies").rename(checkout / "elsewhere")
    assert_complaint(command("study"), "studies", "checkout")


# The options of `axon run`


@pytest.mark.parametrize(
    ("option", "look"),
    [
        ("--length 5000", lambda facts: facts["axon"]["length"] == 5000),
        ("--diameter 300", lambda facts: facts["axon"]["sections"][0]["diameter"] == 300),
        ("--celsius 12", lambda facts: facts["axon"]["sections"][0]["celsius"] == 12),
        ("--axial-resistivity 70", lambda facts: facts["axon"]["sections"][0]["axial_resistivity"] == 70),
        ("--dx 80", lambda facts: facts["axon"]["compartments"] == 50),
        ("--dt 0.004", lambda facts: facts["numerics"]["dt"] == 0.004),
        ("--duration 2", lambda facts: facts["recorded"]["time"]["greatest"] == 2.0),
        ("--amplitude 12345", lambda facts: "amplitude=12345" in facts["stimuli"][0]),
        ("--pulse-start 0.25", lambda facts: "start=0.25" in facts["stimuli"][0]),
        ("--pulse-duration 0.125", lambda facts: "duration=0.125" in facts["stimuli"][0]),
        ("--at 1500", lambda facts: "at=1500" in facts["stimuli"][0]),
        ("--currents", lambda facts: {"currents/Na", "currents/K"} <= set(facts["recorded"])),
        ("--gates", lambda facts: {"gates/m", "gates/h", "gates/n"} <= set(facts["recorded"])),
    ],
)
def test_option_changes_the_run(command: Command, option: str, look: Callable[[Any], bool]) -> None:
    for line, expected in ((SMALL, False), (f"{SMALL} {option}", True)):
        assert command(f"{line} -o a.h5").code == 0
        assert look(command("inspect a.h5 --json").facts) is expected


def test_model_is_named_with_dashes_or_underscores(command: Command) -> None:
    stored = []
    for name in ("hodgkin-huxley", "hodgkin_huxley", "passive"):
        assert command(f"{SMALL.replace('run', f'run {name}')} -o a.h5").code == 0
        stored.append(command("inspect a.h5 --json").facts["axon"]["sections"][0]["membrane"])
    assert stored == ["hodgkin_huxley", "hodgkin_huxley", "passive"]


def test_amplitude_given_is_not_called_a_default(command: Command) -> None:
    assert "scaled" in command(f"{SMALL} -o a.h5").out
    assert "scaled" not in command(f"{SMALL} --amplitude 100 -o a.h5").out


def test_run_without_a_spike_says_so_and_velocity_is_an_error(command: Command) -> None:
    outcome = command(f"{SMALL} --amplitude 1 -o a.h5")
    assert outcome.code == 0 and "no propagation" in outcome.out
    assert command("inspect a.h5 --json").facts["velocity"]["velocity"] is None
    assert_complaint(command("velocity a.h5"))


# What a user gets wrong


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--diameter -476", ("diameter", "> 0 um", "-476")),
        ("--diameter nan", ("diameter", "nan")),
        ("--length 0", ("length", "> 0 um")),
        ("--dx 5000", ("dx", "5000", "4000")),
        ("--at 4001", ("4001", "4000")),
        ("--at 4001 --amplitude 5000", ("4001", "4000")),
        ("--at -1", ("at", "-1")),
        ("--duration -1", ("duration", "-1")),
        ("--duration nan", ("duration", "nan")),
        ("--pulse-duration 0", ("duration", "> 0 ms")),
        ("--pulse-start -1", ("start", "-1")),
        ("--dt 0", ("dt", "0")),
        ("--dt 2", ("duration", "2 ms")),
        ("--dt 0.8", ("dt", "0.8", "too large")),
        ("--amplitude 1e12", ("mV at t = ", "weaker stimulus")),
        ("--celsius inf", ("celsius", "inf")),
        ("--axial-resistivity -35", ("axial_resistivity", "-35")),
        ("--amplitude nan", ("amplitude", "nan")),
        ("--amplitude much", ("--amplitude", "much")),
        ("--diametre 4 --nothing", ("--diametre",)),
    ],
)
def test_bad_number_is_one_line_and_leaves_no_file(
    command: Command, tmp_path: Path, options: str, words: tuple[str, ...]
) -> None:
    assert_complaint(command(f"{SMALL} {options} -o a.h5"), *words)
    assert list(tmp_path.iterdir()) == []


def test_unknown_model_lists_the_near_names(command: Command, tmp_path: Path) -> None:
    outcome = command("run hodgkin-huxly -o a.h5")
    assert_complaint(outcome, "unknown model 'hodgkin-huxly'", "did you mean 'hodgkin_huxley'")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["", "fly", "run", "velocity", "animate a.h5", "inspect a.h5 --bright"])
def test_command_line_that_cannot_be_read_is_one_line(command: Command, line: str) -> None:
    assert_complaint(command(line), "--help")


@pytest.mark.parametrize("path", ["nowhere/a.h5", "folder", "file/a.h5"])
def test_output_that_cannot_be_written_is_noticed_before_simulating(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(sys.modules["axon.simulate"], "simulate", None)  # calling it would be a TypeError
    assert_complaint(command(f"{SMALL} -o {path}"), path)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write everywhere")
def test_folder_without_permission_is_noticed(command: Command, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert_complaint(command(f"{SMALL} -o a.h5"), "a.h5", "Permission denied")


def test_verbs_that_draw_notice_an_unwritable_path(command: Command, squid_file: Path) -> None:
    for verb, name in (("animate", "nowhere/a.gif"), ("plot", "nowhere/a.png"), ("view", "nowhere/a.html")):
        assert_complaint(command(f"{verb} {squid_file} -o {name}"), name)


@pytest.mark.parametrize("line", ["animate {} -o a.avi", "plot {} -o a.bmp"])
def test_ending_that_is_not_known_lists_those_that_are(
    command: Command, tmp_path: Path, squid_file: Path, line: str
) -> None:
    assert_complaint(
        command(line.format(squid_file)), line.split(".")[-1], ".gif" if "avi" in line else ".png"
    )
    assert list(tmp_path.iterdir()) == []


def test_mp4_without_its_extra_says_what_to_install(
    command: Command, squid_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert_complaint(command(f"animate {squid_file} -o a.mp4"), "imageio-ffmpeg")


@pytest.fixture(params=["missing", "text", "foreign", "newer", "truncated", "folder"])
def bad_file(request: pytest.FixtureRequest, tmp_path: Path, squid_file: Path) -> Path:
    """A path where there is no run that this version can read."""
    path = tmp_path / f"{request.param}.h5"
    if request.param == "text":
        path.write_text("not a run")
    elif request.param == "foreign":
        with h5py.File(path, "w") as file:
            file["other"] = np.arange(3)
    elif request.param == "newer":
        path.write_bytes(squid_file.read_bytes())
        with h5py.File(path, "a") as file:
            file.attrs["format_version"] = 10**6
    elif request.param == "truncated":
        path.write_bytes(squid_file.read_bytes()[:-1000])
    elif request.param == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize("line", ["velocity {}", "inspect {}", "animate {} -o a.gif", "plot {} -o a.png"])
def test_file_that_is_no_run_is_one_line(command: Command, bad_file: Path, line: str) -> None:
    assert_complaint(command(line.format(bad_file)), bad_file.name)
    assert not Path("a.gif").exists() and not Path("a.png").exists()


def test_full_disk_is_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits stand in for a full disk")
    limit = 20_000  # bytes; the run wants some hundred thousand
    outcome = subprocess.run(
        [sys.executable, "-m", "axon", *SMALL.split(), "-o", "a.h5"],
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert_complaint(Outcome(outcome.returncode, outcome.stdout, outcome.stderr), "a.h5")
    assert list(tmp_path.iterdir()) == []


# Progress and Ctrl-C


@pytest.mark.parametrize("option", ["", "--quiet"])
def test_quiet_means_no_progress_bar(
    command: Command, squid_file: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    asked = []

    def listening(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, progress: bool, **more: Any) -> Any:
            asked.append(progress)
            return function(*arguments, progress=False, **more)

        return call

    for module, name in (("axon.simulate", "simulate"), ("axon.draw", "animate")):
        home = importlib.import_module(module)
        monkeypatch.setattr(home, name, listening(getattr(home, name)))
    command(f"{SMALL.removesuffix('--quiet')} {option} -o a.h5")
    command(f"animate a.h5 {option} -o a.gif")
    assert asked == [not option, not option]


@pytest.fixture
def terminal() -> Iterator[tuple[int, Callable[[bytes], bytes]]]:
    """A terminal to write to, and a function that reads on until some words have come."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    termios = pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    seen = b""

    def until(words: bytes) -> bytes:
        nonlocal seen
        while words not in seen:
            ready, _, _ = select.select([ours], [], [], 30)
            assert ready, f"{words!r} did not come within 30 s, but {seen!r}"
            seen += os.read(ours, 1000)
        return seen

    yield theirs, until
    os.close(ours)
    os.close(theirs)


def test_ctrl_c_keeps_what_was_computed_and_says_so(
    tmp_path: Path, squid_file: Path, terminal: tuple[int, Callable[[bytes], bytes]]
) -> None:
    screen, until = terminal
    line = "run --length 10000 --celsius 18.5 --dt 0.0001 --duration 100000 -o a.h5"  # an hour
    process = subprocess.Popen(
        [sys.executable, "-m", "axon", *line.split()], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=screen
    )
    try:
        until(b"%")  # the progress bar shows that it steps
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert re.search(rb"axon: interrupted; a\.h5 holds the run up to [\d.]+ ms\r\n", until(b" ms\r\n"))
    assert code == 130
    run = axon.load(tmp_path / "a.h5")
    assert not run.complete
    assert 0 < run.time[-1] < 100000
    assert run.voltage is not None and np.all(np.isfinite(run.voltage))


def test_ctrl_c_before_the_first_step_is_one_line_and_leaves_no_file(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["axon.simulate"], "simulate", interrupted)
    outcome = command(f"{SMALL} -o a.h5")
    assert (outcome.code, outcome.err) == (130, "axon: interrupted\n")
    assert not Path("a.h5").exists()

"""The page in a real browser: controls work, numbers shown are the run's, nothing is amiss on the console."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented import CURRENTS
from test_studies import load_study

import axon
from axon.draw.viewer.packing import digits

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")

# What lets Chromium start as root, without a screen, and keeps it from calling home.
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
]
SWITCHES += ["--disable-background-networking", "--disable-component-update"]
WIDE = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()


class Page:
    """A page that is open, with what its console said and what it asked the network for."""

    def __init__(self, browser: Any, file: Path, **context: Any) -> None:
        self.complaints: list[str] = []
        self.tab = browser.new_page(**{"viewport": WIDE, "color_scheme": "light", **context})
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self._asked(request.url))
        self.file = file.resolve().as_uri()
        self.tab.goto(self.file)
        self.tab.wait_for_selector("html[data-ready]")

    def _asked(self, url: str) -> None:
        if url != self.file and not url.startswith(("data:", "blob:")):
            self.complaints.append(f"asked for {url}")

    def words(self, selector: str) -> str:
        return str(self.tab.inner_text(selector)).replace("−", "-")

    def scrub(self, row: int) -> None:
        self.tab.locator("#scrub").fill(str(row))

    def look(self, view: str) -> None:
        """Switch to a view and wait until its plots and tables stand."""
        self.tab.click(f'[data-view="{view}"]')
        self.tab.wait_for_selector(f'[data-view="{view}"][aria-pressed="true"]')
        self.tab.wait_for_timeout(100)

    def table(self, name: str = "places") -> list[list[str]]:
        rows = self.tab.locator(f"#{name} tbody tr").all()
        return [
            [cell.replace("−", "-").strip() for cell in row.locator("td").all_inner_texts()] for row in rows
        ]

    def numbers(self, name: str = "places") -> list[list[float]]:
        """The numbers in the cells of a table, its first column left out."""
        return [
            [float(cell.split()[0]) for cell in row[1:] if re.match(r"-?\d", cell)]
            for row in self.table(name)
        ]

    @property
    def row(self) -> int:
        return int(self.tab.input_value("#scrub"))

    def over(self, plot: str) -> Any:
        return self.tab.locator(f"#{plot} .u-over")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[axon.Run, Path]:
    """The run that the refractory-wake study shows in its viewer, and that viewer."""
    module = load_study("refractory_wake")
    path = tmp_path_factory.mktemp("view") / "viewer.html"
    module.viewer({}, path)
    return module.scene(module.VIEWED), path


@pytest.fixture
def page(browser: Any, study: tuple[axon.Run, Path]) -> Iterator[Page]:
    page = Page(browser, study[1])
    yield page
    page.tab.close()
    assert page.complaints == []


def shown(values: Any, step: float) -> Any:
    """Numbers as the page shows them."""
    return np.round(values, digits(step))


def columns(run: axon.Run, page: Page) -> list[int]:
    """The recorded positions whose traces the page shows."""
    return [run.at(1e3 * float(row[0].split()[0])) for row in page.table()]


def test_scrubbed_to_a_time_it_shows_the_numbers_of_the_run(page: Page, study: Any) -> None:
    run, _ = study
    places = columns(run, page)
    assert len(places) == 3
    for row in (0, 20, 61, len(run.time) - 1):
        page.scrub(row)
        assert float(page.words("#clock").split()[0]) == pytest.approx(run.time[row], abs=1e-9)
        assert page.words("#clock").endswith(" ms")
        for cells, column in zip(page.table(), places, strict=True):
            assert cells[1] == f"{shown(run.voltage[row, column], 0.01):.2f} mV"
            spikes = run.spike_time[run.spike_compartment == run.compartments.nearest(run.position[column])]
            assert cells[2] == ", ".join(f"{t:.4f}" for t in spikes)


def test_it_plays_pauses_and_changes_speed(page: Page) -> None:
    page.tab.click("#play")
    page.tab.wait_for_function("Number(document.getElementById('scrub').value) > 5")
    assert page.words("#play") == "pause"
    page.tab.keyboard.press("Space")
    page.tab.locator("#play").blur()
    stopped = page.row
    page.tab.wait_for_timeout(150)
    assert page.row == stopped and page.words("#play") == "play"
    slow = float(page.tab.input_value("#speed"))
    page.tab.keyboard.press("+")
    assert float(page.tab.input_value("#speed")) < slow
    page.tab.select_option("#speed", index=0)
    page.tab.keyboard.press("Home")
    page.tab.click("#play")  # as fast as it goes: it comes round to the start again and again
    page.tab.wait_for_function("k => Number(document.getElementById('scrub').value) > k", arg=stopped)


def test_picture_moves_with_the_time(page: Page) -> None:
    pictures = set()
    for row in (20, 40, 60):
        page.scrub(row)
        page.tab.wait_for_timeout(60)
        pictures.add(page.tab.locator("#along .plot").screenshot())
    assert len(pictures) == 3


def test_every_control_has_a_key(page: Page, study: Any) -> None:
    run, _ = study
    page.scrub(30)
    for key, row in (
        ("ArrowRight", 31),
        ("ArrowLeft", 30),
        ("Shift+ArrowRight", 40),
        ("End", len(run.time) - 1),
    ):
        page.tab.keyboard.press(key)
        assert page.row == row
    page.tab.keyboard.press("2")
    page.tab.wait_for_selector('[data-view="gates"][aria-pressed="true"]')
    page.tab.keyboard.press("d")
    assert page.tab.get_attribute("html", "data-paper") == "dark"
    page.tab.keyboard.press("x")
    page.tab.wait_for_function("document.querySelectorAll('#places tbody tr').length === 2")


def test_pointing_at_the_image_reads_the_run(page: Page, study: Any) -> None:
    run, _ = study
    box = page.over("whole").bounding_box()
    for across, down in ((0.1, 0.2), (0.52, 0.55), (0.9, 0.97)):
        page.tab.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        found = re.fullmatch(r"voltage at (\S+) mm, (\S+) ms: (\S+) mV", page.words("#pointed"))
        assert found is not None
        x, t, v = map(float, found.groups())
        assert x == pytest.approx(across * 100, abs=0.5) and t == pytest.approx(down * run.time[-1], abs=0.06)
        row, column = int(np.argmin(abs(run.time - t))), run.at(1e3 * x)
        assert v == pytest.approx(shown(run.voltage[row, column], 0.01), abs=1e-9)


def test_a_click_on_the_image_places_a_trace_and_it_can_be_taken_away(page: Page, study: Any) -> None:
    run, _ = study
    box = page.over("whole").bounding_box()
    page.tab.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    page.tab.wait_for_function("document.querySelectorAll('#places tbody tr').length === 4")
    assert columns(run, page)[3] == run.at(60_000)
    assert "60" in page.tab.locator("#over .u-legend").inner_text()
    page.scrub(50)
    assert page.numbers()[3][0] == shown(run.voltage[50, run.at(60_000)], 0.01)
    page.tab.locator("#places tbody tr").nth(0).get_by_label("take this trace away").click()
    page.tab.wait_for_function("document.querySelectorAll('#places tbody tr').length === 3")
    assert page.tab.locator("#whole .place").count() == 3


def test_pointing_at_lines_reads_them_and_a_click_goes_to_that_time(page: Page, study: Any) -> None:
    run, _ = study
    page.scrub(60)
    box = page.over("along").bounding_box()
    page.tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    x, v = re.search(r"([\d.]+) mm\s*voltage\s*(-?[\d.]+) mV", page.words("#along .u-legend")).groups()
    assert float(v) == shown(run.voltage[60, run.at(1e3 * float(x))], 0.01)
    box = page.over("over").bounding_box()
    page.tab.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 20)
    assert run.time[page.row] == pytest.approx(0.25 * run.time[-1], abs=0.05)


@pytest.mark.parametrize("view", ["gates", "currents"])
def test_views_show_the_recorded_quantities(page: Page, study: Any, view: str) -> None:
    run, _ = study
    page.look(view)
    page.scrub(45)
    recorded = getattr(run, view)
    assert [name.strip() for name in page.words("#places thead").split("\t")[1:-2]] == list(recorded)
    for numbers, column in zip(page.numbers(), columns(run, page), strict=True):
        for number, values in zip(numbers, recorded.values(), strict=False):
            assert number == pytest.approx(values[45, column], abs=0.51e-4)


def test_view_of_phases_shades_them_and_lists_them(page: Page, study: Any) -> None:
    run, _ = study
    page.look("phases")
    place = 1e3 * float(re.search(r"at ([\d.]+) mm", page.words("#over figcaption"))[1])
    for cells, phase in zip(page.table("phases"), axon.phases(run, at=place), strict=True):
        assert cells[0] == phase.name
        times = ["–" if t is None else f"{t:.3f}" for t in (phase.start, phase.end, phase.duration)]
        assert cells[1:4] == times
        assert cells[4] == (phase.dominant or "")


def test_image_can_show_every_quantity(page: Page, study: Any) -> None:
    run, _ = study
    options = page.tab.locator("#image option").all_inner_texts()
    assert options == ["voltage", *(f"gate {g}" for g in run.gates), *(f"{c} current" for c in run.currents)]
    box = page.over("whole").bounding_box()
    page.tab.select_option("#image", label="gate h")
    page.tab.wait_for_timeout(150)
    page.tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    x, t, h = map(float, re.fullmatch(r"h at (\S+) mm, (\S+) ms: (\S+)", page.words("#pointed")).groups())
    row, column = int(np.argmin(abs(run.time - t))), run.at(1e3 * x)
    assert h == pytest.approx(shown(run.gates["h"][row, column], 1e-4), abs=1e-9)


def test_spikes_and_velocities_are_listed(page: Page, study: Any) -> None:
    run, _ = study
    assert page.words("#crossings").startswith(f"{len(run.spike_time)} ")
    assert page.words("#velocities").strip() == str(run.velocity())
    assert page.words("#velocity").split()[0] == f"{float(run.velocity()):.4g}"


def test_wake_is_shaded(page: Page, study: Any) -> None:
    run, _ = study
    page.scrub(50)
    page.tab.wait_for_timeout(60)
    purple = page.tab.evaluate(
        """() => {
            const canvas = document.querySelector("#along canvas"), ink = canvas.getContext("2d");
            const { data } = ink.getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let k = 0; k < data.length; k += 4) {
                count += data[k] > data[k + 1] + 25 && data[k + 2] > data[k + 1] + 10;
            }
            return count / (data.length / 4);
        }"""
    )
    share = np.mean(run.wake().absolute[50] | run.wake().relative[50])
    assert 0.4 * share < purple < share


@pytest.mark.parametrize("width", [360, 820, 1600])
def test_plots_fill_the_window_and_nothing_sticks_out(page: Page, width: int) -> None:
    page.tab.set_viewport_size({"width": width, "height": 800})
    page.tab.wait_for_timeout(150)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
    for plot in ("whole", "along", "over"):
        holder = page.tab.locator(f"#{plot} .plot").bounding_box()["width"]
        assert page.tab.locator(f"#{plot} .uplot").bounding_box()["width"] == pytest.approx(holder, abs=1)


def test_on_a_phone_a_tap_places_a_trace(browser: Any, study: Any) -> None:
    phone = {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 3,
    }
    page = Page(browser, study[1], **phone)
    box = page.over("whole").bounding_box()
    page.tab.touchscreen.tap(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    page.tab.wait_for_function("document.querySelectorAll('#places tbody tr').length === 4")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390
    page.tab.close()
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_follows_the_system_and_the_button(browser: Any, study: Any, scheme: str) -> None:
    page = Page(browser, study[1], color_scheme=scheme)

    def lightness() -> float:
        colour = page.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 765

    assert (lightness() > 0.9) == (scheme == "light")
    page.tab.click("#paper")
    assert (lightness() > 0.9) != (scheme == "light")
    page.tab.close()
    assert page.complaints == []


def test_a_thousand_positions_at_two_thousand_times_load_in_a_second(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axon.draw.viewer.spikes.PHASE_PLACES", 4)  # a second of the test for each ten more
    time, position = np.linspace(0.0, 5.0, 2000), (np.arange(1000) + 0.5) * 40.0
    rows = np.abs(time[:, None] - CURRENTS.time).argmin(axis=1)
    near = np.abs(position[:, None] - CURRENTS.position).argmin(axis=1)

    def enlarged(values: Any) -> Any:
        return values[np.ix_(rows, near)] + 0.003 * np.sin(time)[:, None] * np.cos(position / 500.0)

    run = replace(
        CURRENTS,
        numerics={**CURRENTS.numerics, "dx": 40.0},
        time=time,
        position=position,
        voltage=enlarged(CURRENTS.voltage),
        gates={name: np.clip(enlarged(gate), 0, 1) for name, gate in CURRENTS.gates.items()},
        currents={name: enlarged(current) for name, current in CURRENTS.currents.items()},
    )
    path = axon.view(run, tmp_path / "a.html")
    assert path.stat().st_size < 5_000_000
    ready = []
    for _ in range(3):  # the machine may have been busy with something else
        page = Page(browser, path)
        ready.append(float(page.tab.get_attribute("html", "data-ready")))
        page.tab.close()
        assert page.complaints == []
    assert min(ready) < 1000.0

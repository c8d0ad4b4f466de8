"""The house of axon: which floor each module stands on, and that imports go only downwards."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import axon

ROOT = Path(axon.__file__).parent

# From the ground up. A module or folder imports only from floors below its own, a folder also from itself.
FLOORS = (
    {"errors", "provenance", "progress", "engine"},
    {"checks"},
    {"membranes", "stimuli", "storage"},
    {"geometry", "ions", "measure", "schedule"},
    {"fibres", "shapes"},
    {"record"},
    {"discretise", "model"},
    {"run"},
    {"describe", "compare", "export", "action_potential"},
    {"stepping"},
    {"simulate"},
    {"onward"},
    {"protocols", "draw", "study", "doctor"},
    {"sweeps", "cards"},
    {"commands"},
    {"__main__"},
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
FRONT_DOOR = "__init__"  # names everything lazily, stands on no floor, and nothing may import it

# The only room that may import each of these.
OWNED = {
    "numba": "engine",
    "llvmlite": "engine",
    "h5py": "storage",
    "matplotlib": "draw",
    "PIL": "draw",
    "imageio_ffmpeg": "draw",
    "morphio": "shapes",
}

SOURCES = sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    """The part of the house a file belongs to: the folder or module directly under axon/."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of every import in a file, at module level and inside functions alike."""
    package = ("axon", *path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            # `from axon import run` names a module of the house only in the alias
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def breaches(path: Path) -> list[str]:
    """What a file imports that its floor does not allow, one line each."""
    room, found = room_of(path), []
    for line, name in imported(path):
        top, *rest = name.split(".")
        where = f"{path.relative_to(ROOT.parent)}:{line} imports {name}"
        if top in OWNED and OWNED[top] != room:
            found.append(f"{where}: only {OWNED[top]} may")
        if top != "axon" or room == FRONT_DOOR or rest[0] == room:
            continue
        if rest[0] not in LEVEL:
            found.append(f"{where}: not a module of the house; import from the module that defines it")
        elif LEVEL[rest[0]] >= LEVEL[room]:
            found.append(f"{where}: not on a floor below {room}")
    return found


def test_every_module_stands_on_a_floor_and_every_floor_has_its_modules() -> None:
    assert {room_of(path) for path in SOURCES} - {FRONT_DOOR} == set(LEVEL)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_from_lower_floors(path: Path) -> None:
    assert breaches(path) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("errors.py", "from axon.run import Run"),
        ("stimuli.py", "from axon import measure"),
        ("run.py", "def late():\n    from axon.draw.still import plot_run"),
        ("measure/velocity.py", "from ..geometry import Axon"),
        ("geometry.py", "import axon.record"),
        ("geometry.py", "import axon.nowhere"),
        ("simulate.py", "import numba.typed"),
        ("run.py", "def late():\n    import h5py"),
        ("storage.py", "import matplotlib.pyplot as plt"),
    ],
)
def test_breach_is_noticed(file: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path / "axon")
    path = tmp_path / "axon" / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert len(breaches(path)) == 1


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if room_of(p) not in ("__main__", "commands")], ids=lambda p: p.name
)
def test_library_neither_prints_nor_exits(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert {ast.unparse(call.func) for call in calls}.isdisjoint({"print", "exit", "sys.exit", "os._exit"})


def test_import_is_light() -> None:
    heavy = ["numba", "matplotlib", "h5py", "scipy", "rich", "PIL", "xarray"]
    code = f"import sys, axon; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_resolves() -> None:
    assert axon.__all__
    for name in axon.__all__:
        assert getattr(axon, name) is not None

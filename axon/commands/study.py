"""List the studies of a checkout, or run one of them."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from axon.commands.common import answer, table
from axon.errors import unknown_name


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="which study; without it, a list")
    parser.add_argument("--quick", action="store_true", help="the small version")


def command(arguments: argparse.Namespace) -> int:
    found = studies_here()
    if arguments.name is None:
        questions = {name: first_docstring_line(path) for name, path in found.items()}
        answer(arguments, questions, *table(questions))
        return 0
    name = arguments.name.replace("-", "_").removesuffix(".py")
    if name not in found:
        raise ValueError(unknown_name("study", arguments.name, found))
    command = [sys.executable, str(found[name]), *(["--quick"] if arguments.quick else [])]
    return subprocess.run(command, check=False).returncode


def studies_here() -> dict[str, Path]:
    folder = Path("studies")
    if not folder.is_dir():
        raise FileNotFoundError(0, "no such folder here; run `axon study` in a checkout of axon", str(folder))
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}


def first_docstring_line(path: Path) -> str:
    import ast

    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n")[0]

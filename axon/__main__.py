"""The `axon` command: the verbs of `axon.commands`, from a shell.

A user's error is one line on standard error and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NoReturn

from axon.commands import VERBS
from axon.commands.common import INTERRUPTED
from axon.errors import AxonError
from axon.progress import as_json_lines

USER_ERROR = 2


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"axon: {one_line(message)}; see `{self.prog} --help`\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one `axon` command line and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        with as_json_lines(sys.stderr) if arguments.json else nullcontext():
            code = int(arguments.verb(arguments) or 0)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads, as `head` does, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, AxonError, OSError, MemoryError, ImportError) as error:
        print(f"axon: {one_line(complaint(error))}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("axon: interrupted", file=sys.stderr)
        return INTERRUPTED


def complaint(error: Exception) -> str:
    """What went wrong, in the user's words: an OSError without its number, the file in front."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); use a longer dx or a shorter duration"
    return str(error)


def one_line(text: str) -> str:
    return " ".join(text.split())


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = Parser(
        prog="axon", description="Spikes travelling down axons: simulated, measured, stored and drawn."
    )
    verbs = top.add_subparsers(dest="command", required=True, metavar="VERB", parser_class=Parser)
    for name in VERBS:
        verb = importlib.import_module(f"axon.commands.{name}")
        text = (verb.__doc__ or "").strip()
        one = verbs.add_parser(name, help=text, description=text)
        one.set_defaults(verb=verb.command)
        one.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object; while it runs, one a second on standard error",
        )
        verb.arguments(one)
    return top


if __name__ == "__main__":
    sys.exit(main())

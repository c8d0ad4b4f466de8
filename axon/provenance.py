"""Where a run came from: versions, command, machine, commit."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path


@cache
def axon_version() -> str:
    """Version of the installed package, or ``"unknown"`` where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return version("axon")
    except PackageNotFoundError:
        return "unknown"


@cache
def git_commit() -> str:
    """Commit of the checkout that the package runs from, ``""`` outside one."""
    folder = Path(__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return ""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


@lru_cache(maxsize=1)
def _command(argv: tuple[str, ...]) -> str:
    """The command line, as one would type it."""
    if not argv or not argv[0]:
        return ""
    program = Path(argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return " ".join([name, *argv[1:]])


@lru_cache(maxsize=1)
def _moment(seconds: int) -> str:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


@cache
def _platform() -> str:
    return f"{platform.platform()}, Python {platform.python_version()}"


def provenance() -> dict[str, str]:
    """What a run file says of its origin: axon_version, created, command, git_commit, platform."""
    return {
        "axon_version": axon_version(),
        "created": _moment(int(time.time())),
        "command": _command(tuple(sys.argv)),
        "git_commit": git_commit(),
        "platform": _platform(),
    }

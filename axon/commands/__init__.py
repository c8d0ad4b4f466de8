"""The verbs of the `axon` command, one file each.

A verb's file has a docstring that says what the verb does (its help), ``arguments(parser)`` and
``command(arguments)``, which returns an exit code or None for 0. What it needs is imported when it runs.
"""

from __future__ import annotations

# In the order in which `axon --help` lists them.
VERBS = (
    "run",
    "resume",
    "sweep",
    "velocity",
    "inspect",
    "check",
    "diff",
    "export",
    "view",
    "animate",
    "plot",
    "models",
    "study",
    "warmup",
)

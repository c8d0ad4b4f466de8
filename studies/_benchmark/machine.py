"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from axon.engine.simd import LANES

CPU_INFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def machine() -> dict[str, Any]:
    """Processor, caches, system and versions; what the system does not tell is left out."""
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "caches": caches(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("axon", "numpy", "numba", "llvmlite")},
        "lanes": LANES,
        "others_at_work": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def processor() -> str:
    """The processor's name and its widest vectors."""
    if not CPU_INFO.exists():
        return platform.processor() or platform.machine()
    lines = CPU_INFO.read_text().splitlines()
    facts = dict(tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    widest = [name for name in ("avx512f", "avx2", "avx") if name in facts.get("flags", "").split()]
    family = [f"{word} {facts[word]}" for word in ("cpu family", "model") if word in facts]
    return ", ".join([facts.get("model name", platform.machine()), *family, *widest[:1]])


def caches() -> dict[str, int]:
    """Bytes of each data cache of a processor."""
    found = {}
    for folder in sorted(CACHES.glob("index*")):
        level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = int(size.rstrip("K")) * 1024
    return found

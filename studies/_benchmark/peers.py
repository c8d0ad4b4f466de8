"""The simulators that the benchmark measures beside axon, each at the same work in its best honest setting.

Every peer gets the same axons: the squid membrane of Hodgkin & Huxley 1952 with the paper's leak, at rest at
-65 mV, and a current pulse into x = 0. Timed is its time loop alone, on the processor's clock: building,
compiling, initialising and reading results out are free. A peer that cannot be imported is listed, with why.
"""

from __future__ import annotations

from importlib.metadata import version

from _benchmark import arbor, brian, jaxley, neuron
from _benchmark.problem import Peer

LOOKS = {"neuron": neuron.look, "arbor": arbor.look, "brian2": brian.look, "jaxley": jaxley.look}
SLOW = ("brian2", "jaxley")  # they compile each problem anew


def find_peers(*, slow: bool) -> tuple[list[Peer], dict[str, str]]:
    """The peers that can be imported here, and why the others cannot; the slow ones only if wanted."""
    found: list[Peer] = []
    missing: dict[str, str] = {}
    for package, look in LOOKS.items():
        try:
            release = version(package)
            if package in SLOW and not slow:
                missing[package] = "installed, but left out of the quick version"
            else:
                found += look(release)
        except ImportError:
            missing[package] = "not installed"
        except Exception as error:  # one that breaks while it imports is news for the table, not its end
            missing[package] = f"installed, but does not import: {error}"
    return found, missing

"""The simulators that the benchmark measures beside axon, each at the same work in its best honest setting.

Every peer gets the same axons: the squid membrane of Hodgkin & Huxley 1952 with the paper's leak, at rest at
-65 mV, and a current pulse into x = 0. Timed is its time loop alone, on the processor's clock: building,
compiling, initialising and reading results out are free. A peer that cannot be imported is listed, with why.
"""

from __future__ import annotations

from importlib.metadata import version

from _benchmark import arbor, brian, jaxley, neuron
from _benchmark.problem import Peer


def find_peers() -> tuple[list[Peer], dict[str, str]]:
    """The peers that can be imported here, and why the others cannot."""
    found: list[Peer] = []
    missing: dict[str, str] = {}
    looks = {"neuron": neuron.look, "arbor": arbor.look, "brian2": brian.look, "jaxley": jaxley.look}
    for package, look in looks.items():
        try:
            found += look(version(package))
        except ImportError:
            missing[package] = "not installed"
        except Exception as error:  # one that breaks while it imports is news for the table, not its end
            missing[package] = f"installed, but does not import: {error}"
    return found, missing

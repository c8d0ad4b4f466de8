"""What every test relies on: no display, no deadlines on a shared machine, the same examples each time."""

from __future__ import annotations

import os

os.environ["MPLBACKEND"] = "Agg"

from hypothesis import settings

# derandomize: a test that passed yesterday and fails today is due to the change, not to the draw
settings.register_profile("axon", deadline=None, derandomize=True, database=None)
settings.load_profile("axon")

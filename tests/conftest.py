"""What every test relies on: no display, Ctrl-C, no deadlines, the same examples each time."""

from __future__ import annotations

import os
import signal

os.environ["MPLBACKEND"] = "Agg"
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a script leaves it to what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)

from hypothesis import settings

# derandomize: a test that passed yesterday and fails today is due to the change, not to the draw
settings.register_profile("axon", deadline=None, derandomize=True, database=None)
settings.load_profile("axon")

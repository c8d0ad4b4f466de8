"""Whether the velocity is measured where the spike travels steadily."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from axon.doctor.finding import Finding
from axon.run import Run

TOLERANCE = 5e-3  # relative difference of velocity from the middle of the window
FEWEST = 4  # sites in each third


def uneven(run: Run) -> Iterator[Finding]:
    """The velocity in the first and the last third of the window against that in the middle one."""
    velocity = run.velocity()
    if run.numerics.get("noise") or velocity.direction == "both":
        return
    sites = run.sites()
    x, arrival = run.compartments.position[sites], run.arrivals()[sites]
    ends = velocity.first_position, velocity.last_position
    low, high = min(ends), max(ends)
    if any(low < boundary < high for boundary in run.axon.boundaries) and not run.axon.nodes:
        return
    inside = (x >= low) & (x <= high) & np.isfinite(arrival)
    x, arrival = x[inside], arrival[inside]
    thirds = [np.arange(len(x)) * 3 // max(len(x), 1) == k for k in range(3)]
    if min(np.count_nonzero(third) for third in thirds) < FEWEST:
        return
    first, middle, last = (1e-3 / np.polyfit(x[third], arrival[third], 1)[0] for third in thirds)
    if ends[0] > ends[1]:
        first, last = last, first
    third = (ends[1] - ends[0]) / 3
    for edge, part, rest in (
        (ends[0], first, (ends[0] + third, ends[1])),
        (ends[1], last, (ends[0], ends[1] - third)),
    ):
        change = part / middle - 1
        if abs(change) > TOLERANCE:
            kind, cause, cure = _disturbance(run, edge)
            faster = f"{100 * abs(change):.1f} % {'faster' if change > 0 else 'slower'}"
            yield Finding(
                kind,
                f"near {edge:.4g} um the spike is {faster} than in the middle of the window where velocity "
                f"is measured: {cause}; measure between {min(rest):.4g} and {max(rest):.4g} um, or {cure}",
            )


def _disturbance(run: Run, edge: float) -> tuple[str, str, str]:
    """What lies nearest to an edge of the window: its kind, what it does, and what helps."""
    length = run.axon.main_length
    places = [run.compartments.distance(stimulus.at) for stimulus in run.stimuli]
    stimulus = min(places, key=lambda x: abs(x - edge), default=np.inf)
    end = min((0.0, length), key=lambda x: abs(x - edge))
    if abs(stimulus - edge) <= abs(end - edge):
        return "stimulus", f"the stimulus at {stimulus:.4g} um reaches into it", "stimulate further away"
    return "end", f"the end of the axon at {end:.4g} um is felt", f"make the axon longer than {length:g} um"

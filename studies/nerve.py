"""What does an electrode on a nerve see of all its axons?

Question
    A nerve holds myelinated fibres of many diameters and still more thin ones without myelin. One shock
    starts a spike in each. When do they arrive, and what does their sum look like from outside, near and far?

Theory
    Each axon's spike comes after distance / velocity, and counts outside by the conductance of its core,
    pi d**2 / (4 Ra): the compound action potential is a sum of delayed spikes. Delays spread in proportion
    to the distance. So the first arrival is distance / (greatest velocity); the standard deviation of the
    arrivals is proportional to distance; and the area under the sum does not change with distance, since
    each spike keeps its own. Where spikes of one phase spread over much more than their width and still
    overlap, the height falls as 1 / distance. Velocity is proportional to diameter in fibres
    with myelin (Hursh 1939, Am. J. Physiol. 127:131) and to its square root in those without, exactly.

Method
    Fibres of McIntyre, Richardson & Grill 2002, 6 to 16 um with an assumed histogram, and of Sundt, Gamper &
    Jaffe 2015 with diameters lognormal about 0.9 um (assumed); 37 degC, 100 ohm cm in the latter. Diameters
    at evenly spaced quantiles; every axon is simulated (`axon.Population`) at its default step.

Expected answer
    - Myelinated: 5 to 6.5 m/s per um. Without myelin: exponent 0.5 within 1e-3, and 0.495 m/s at 1 um
      (NEURON, converged to 0.5 %; see model_cards).
    - Standard deviation of arrivals at 100 mm is 5 times that at 20 mm, exactly; the area of each part
      changes by less than 0.5 % between those distances.
    - Height of the unmyelinated part over distance: an exponent of -1 if spikes had one phase only. Theirs
      have an undershoot, with which the early ones meet the peaks of the late ones; so it falls faster, as
      sensory potentials do along a nerve by this phase cancellation (Kimura et al. 1986, Neurology 36:647).
      Much further on the thickest axons run ahead one by one, each as high as ever, and the height stays.
      The few axons of the quick version are apart from the beginning, and are not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import lognorm

import axon
from axon import study
from axon.draw import COLOURS, context, save
from axon.draw import figure as empty_figure

COUNTS = (4, 9, 12, 10, 7, 5, 4, 3, 2, 1)  # myelinated fibres, of each um from 6 to 16
EDGES = np.arange(6.0, 17.0)
THIN = lognorm(0.2, scale=0.9)  # um
NEAR, FAR = 20.0, 100.0  # mm
DISTANCES = (5.0, 20.0, 100.0)
MAGNIFIED = 20
SUNDT_1_UM = 0.495  # m/s


def nerve(quick: bool) -> axon.Population:
    """The fibres of the nerve."""
    thin = axon.Axon(length=1e4, diameter=1.0, membrane=axon.sundt(), axial_resistivity=100, celsius=37)
    thick = partial(axon.myelinated, model="mrg", nodes=31)
    return axon.Population(
        axon.Fibres.drawn("myelinated", thick, 8 if quick else 160, histogram=(COUNTS, EDGES)),
        axon.Fibres.drawn("unmyelinated", thin, 16 if quick else 400, distribution=THIN),
    )


def velocities(volley: axon.Volley) -> dict[str, Any]:
    """How the velocities go with diameter."""
    thick = volley.fibre == "myelinated"
    d, v = volley.diameter, volley.velocity
    (slope, offset), covariance = np.polyfit(d[thick], v[thick], 1, cov=True)
    exponent, level = np.polyfit(np.log(d[~thick]), np.log(v[~thick]), 1)
    return {
        "slope_myelinated": study.compared(
            slope,
            5.75,
            "m/s/um",
            tolerance=0.75,
            standard_error=float(np.sqrt(covariance[0, 0])),
            source="5 to 6.5 m/s per um (Hursh 1939: 6)",
        ),
        "exponent_unmyelinated": study.compared(exponent, 0.5, "1", tolerance=1e-3, source="cable theory"),
        "unmyelinated_at_1_um": study.compared(
            np.exp(level), SUNDT_1_UM, "m/s", tolerance=0.005 * SUNDT_1_UM, source="NEURON, converged"
        ),
    }


def volleys(volley: axon.Volley, quick: bool) -> dict[str, Any]:
    """What the arrivals and the compound action potential do with distance."""
    near, far = (np.std(volley.arrivals(x)) for x in (NEAR, FAR))
    found: dict[str, Any] = {
        "spread_far_over_near": study.compared(
            far / near, FAR / NEAR, "1", tolerance=1e-9, source="delays go with distance"
        )
    }
    for kind in volley.spikes:
        areas = [np.trapezoid(*volley.compound(x, fibre=kind)[::-1]) for x in (NEAR, FAR)]
        found[f"area_far_over_near_{kind}"] = study.compared(
            areas[1] / areas[0], 1.0, "1", tolerance=5e-3, source="each spike keeps its area"
        )
    if quick:
        return found
    height = {x: volley.compound(x, fibre="unmyelinated")[1].max() for x in (NEAR, 2 * NEAR, FAR, 2 * FAR)}
    found["height_exponent_unmyelinated"] = study.compared(
        np.log2(height[2 * NEAR] / height[NEAR]), -1.0, "1", source="spikes of one phase, many overlapping"
    )
    found["height_exponent_far_away"] = float(np.log2(height[2 * FAR] / height[FAR]))
    return found


def run(quick: bool = False) -> dict[str, Any]:
    """Velocities, arrivals and compound action potentials; ``quick`` takes fewer axons."""
    volley = nerve(quick).conduct()
    found = {**velocities(volley), **volleys(volley, quick)}
    first = np.nanmin(volley.arrivals(FAR))
    return {
        **found,
        "axons": len(volley),
        "fibre": volley.fibre.tolist(),
        "diameter_um": volley.diameter,
        "velocity_m_per_s": volley.velocity,
        "distance_mm": DISTANCES,
        "compound": [seen(volley, x) for x in DISTANCES],
        "answer": (
            f"of {len(volley)} axons the fastest arrives at {FAR:g} mm after {first:.2f} ms, the slowest "
            f"after {np.nanmax(volley.arrivals(FAR)):.0f} ms: {found['slope_myelinated']['value']:.2f} m/s "
            f"per um with myelin, {found['unmyelinated_at_1_um']['value']:.3f} m/s at 1 um without, where it "
            f"goes as diameter^{found['exponent_unmyelinated']['value']:.4f}"
        ),
    }


def seen(volley: axon.Volley, distance: float) -> dict[str, Any]:
    """The compound action potential at a distance, whole and of the axons without myelin, for the picture."""
    time, whole = volley.compound(distance)
    _, thin = volley.compound(distance, fibre="unmyelinated")
    kept = np.unique(np.geomspace(1, len(time) - 1, 800).astype(int))
    signals = {"whole_mV": whole, "unmyelinated_mV": thin}
    return {"time_ms": time[kept].round(4), **{name: own[kept].round(5) for name, own in signals.items()}}


def figure(answer: dict[str, Any], path: Path) -> None:
    """Diameters, velocities, and what electrodes see at three distances, over the logarithm of time."""
    with context():
        page = empty_figure(190, 110)
        left, right = page.subfigures(1, 2, squeeze=False, width_ratios=[1, 1.4])[0]
        by_diameter, by_velocity = left.subplots(2, 1)
        draw_histogram(by_diameter, answer, "diameter_um", "diameter (µm)", np.geomspace(0.4, 20, 40))
        draw_histogram(by_velocity, answer, "velocity_m_per_s", "velocity (m/s)", np.geomspace(0.2, 120, 40))
        by_diameter.legend(loc="upper right")
        axes = right.subplots(len(DISTANCES), 1, sharex=True)
        for ax, distance, trace in zip(axes, answer["distance_mm"], answer["compound"], strict=True):
            t = np.asarray(trace["time_ms"])
            thin = MAGNIFIED * np.asarray(trace["unmyelinated_mV"])
            ax.plot(t, thin, color=COLOURS["vermillion"], linewidth=0.9, label=f"unmyelinated x {MAGNIFIED}")
            ax.plot(t, trace["whole_mV"], color=COLOURS["black"], linewidth=0.9, label="all")
            ax.set_title(f"{distance:g} mm from the shock")
            ax.set_xscale("log")
            ax.set_xlim(0.03, 400)
            ax.xaxis.set_major_formatter("{x:g}")
        axes[0].legend(loc="upper right")
        axes[1].set_ylabel("compound action potential (mV)")
        axes[-1].set_xlabel("time (ms)")
        save(page, path)


def draw_histogram(ax: Any, answer: dict[str, Any], name: str, label: str, bins: Any) -> None:
    values, fibre = np.asarray(answer[name]), np.asarray(answer["fibre"])
    for kind, colour in (("myelinated", "blue"), ("unmyelinated", "vermillion")):
        ax.hist(values[fibre == kind], bins, color=COLOURS[colour], label=kind)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(xlabel=label, ylabel="axons")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

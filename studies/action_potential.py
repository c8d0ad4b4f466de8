"""Why has the action potential its shape: what are its phases, and which channels make each of them?

Question
    A spike that travels down the squid axon rises, overshoots 0 mV, falls below rest and creeps back. When
    does each of these phases begin and end, what do the gates do in it, and which channel carries the charge?

Theory
    A spike of unchanging shape solves HH 1952, eq. 30, an ordinary differential equation: the travelling wave
    (`axon.travelling_wave`) gives every number of its shape without a time step. Three things could be called
    its threshold: where the voltage bends most (d2V/dt2 greatest); where dV/dt plotted over V bends most
    (Sekerli et al., IEEE Trans. Biomed. Eng. 51:1665, 2004); and where the net ionic current turns inward, so
    that the membrane no longer loads its neighbours but is itself on the way up. Up to there the charge
    comes along the axon.

Axon
    That of HH 1952: a = 238 um, R2 = 35.4 ohm cm, leak reversal 10.613 mV above nominal rest; 10 cm, measured
    at 5 cm, where a spike has its final shape. The same membrane with all its potentials moved rests at -64,
    -70 and -80 mV.

Expected answer
    ================================  =====================  ===========================================
    peak, trough at 18.5 degC         90.57834, -9.670755    mV above -65; travelling wave to 12 digits
    peak, trough at 6.3 degC          102.980801, -10.940676 the same
    threshold, half-width, slopes     measured on the exact travelling wave
    net Na+ entry per impulse         4.33 pmol/cm2          HH 1952, part III, 18.5 degC, by hand
    net K+ loss per impulse           4.26 pmol/cm2          the same
    ================================  =====================  ===========================================

    Na channels carry most while the voltage rises and overshoots, K channels from the fall on. The foot of
    a travelling spike is exponential, a straight line of dV/dt over V that later bends only downwards: by
    that measure it has no threshold. Moving all potentials moves nothing but where 0 mV lies in the spike.
    A recording every 0.05 ms, ten samples in the half-width, gives the numbers of one at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import BPoly

import axon
from axon import study
from axon.action_potential import phases
from axon.draw.phases import plot_phases
from axon.measure.phases import Phases
from axon.measure.spike import SpikeShape, spike_shape
from axon.membranes.shift import shifted

AT = 50_000.0  # um, mid-axon
REST = -65.0  # mV, nominal
WAVE = {18.5: (90.57834, -9.670755), 6.3: (102.980801, -10.940676)}  # degC: mV above REST
ENTRY_1952, LOSS_1952 = 4.33, 4.26  # pmol/cm2
RESTS = (-64.0, -70.0, -80.0)  # mV
PMOL_PER_NC = 1 / 96.48533212  # Faraday's constant
DURATION = {18.5: 16.0, 6.3: 36.0}  # ms: until the membrane has recovered
CARRIERS = {
    "rising": "Na",
    "overshoot": "Na",
    "falling": "K",
    "undershoot": "K",
    "recovery": "K",
}
EXACT, PAPER = "travelling wave", "HH 1952, by hand"


def squid(celsius: float, rest: float = REST) -> axon.Axon:
    """The axon of HH 1952, 10 cm of it, with its potentials moved so that it nominally rests there (mV)."""
    membrane = axon.hodgkin_huxley()
    if rest != REST:
        membrane = shifted(membrane, rest - REST)
    return axon.Axon(length=100_000, diameter=476, membrane=membrane, axial_resistivity=35.4, celsius=celsius)


@cache
def spike(celsius: float, rest: float = REST, every: float = 0.0025) -> axon.Run:
    """A spike that passes mid-axon, recorded there."""
    cable = squid(celsius, rest)
    record = axon.Record(every=every, where=[AT], gates=True, threshold=-20.0 + rest - REST)
    pulse = axon.suprathreshold_pulse(cable)
    return axon.simulate(cable, pulse, duration=DURATION[celsius], order=4, record=record)


@cache
def exact(celsius: float, method: str) -> SpikeShape:
    """The shape of the travelling wave, whose slope and curvature are known wherever its voltage is."""
    wave = axon.travelling_wave(squid(celsius))
    membrane = squid(celsius).sections[0].membrane
    current = membrane.current(wave.voltage, wave.gates)  # mA/cm2
    bend = wave.rate * (wave.slope + 1e3 * current / membrane.capacitance)  # mV/ms2: HH 1952, eq. 30
    curve = BPoly.from_derivatives(wave.time, np.column_stack([wave.voltage, wave.slope, bend]))
    time = np.arange(wave.time[0], DURATION[celsius] - 4.0, 0.002)
    net = np.interp(time, wave.time, current)
    return spike_shape(time, curve(time), rest=wave.rest, method=method, ionic_current=net)


def beside(
    value: float | None, expected: float | None, part: float, unit: str, source: str = EXACT
) -> dict[str, Any]:
    """A number beside the expected one, of which it may differ by this part."""
    assert value is not None and expected is not None
    return study.compared(value, expected, unit, tolerance=part * abs(expected), source=source)


def shape(celsius: float) -> dict[str, Any]:
    """Every number of the shape beside that of the exact wave."""
    found, wave = phases(spike(celsius)).shape, exact(celsius, "curvature")
    inward = phases(spike(celsius), method="inward_current").shape
    peak, trough = WAVE[celsius]
    assert found.undershoot is not None
    return {
        "peak": beside(found.peak - REST, peak, 1e-4, "mV"),
        "trough": beside(found.rest - found.undershoot - REST, trough, 1e-3, "mV"),
        "half_width": beside(found.half_width, wave.half_width, 1e-3, "ms"),
        "steepest_rise": beside(found.maximal_rise, wave.maximal_rise, 1e-3, "mV/ms"),
        "steepest_fall": beside(found.maximal_fall, wave.maximal_fall, 1e-3, "mV/ms"),
        "undershoot_lasts": beside(found.undershoot_duration, wave.undershoot_duration, 1e-3, "ms"),
        "threshold_by_curvature": beside(found.threshold, wave.threshold, 2e-3, "mV"),
        "threshold_by_inward_current": beside(
            inward.threshold, exact(celsius, "inward_current").threshold, 2e-3, "mV"
        ),
    }


def moved_ions(found: Phases, channel: str) -> float:
    """Ions that crossed with a channel's current beyond what crosses at rest, outwards, pmol/cm2."""
    membrane = squid(18.5).sections[0].membrane
    at_rest = membrane.currents(found.shape.rest, membrane.steady_gates(found.shape.rest))[channel]
    charge = 0.0  # nC/cm2
    for phase in found.rows[1:]:
        assert phase.duration is not None
        charge += phase.charge[channel] - 1e3 * float(at_rest) * phase.duration
    return charge * PMOL_PER_NC


def ions() -> dict[str, Any]:
    """Sodium that enters and potassium that leaves with one impulse."""
    found = phases(spike(18.5))
    entry, loss = -moved_ions(found, "Na"), moved_ions(found, "K")
    return {
        "sodium_entry": beside(entry, ENTRY_1952, 0.01, "pmol/cm2", PAPER),
        "potassium_loss": beside(loss, LOSS_1952, 0.01, "pmol/cm2", PAPER),
    }


def table(celsius: float) -> list[dict[str, Any]]:
    """The phases as rows of numbers."""
    found = phases(spike(celsius), method="inward_current")
    return [
        {
            "phase": phase.name,
            "from_ms": phase.start,
            "lasts_ms": phase.duration,
            "dominant": phase.dominant,
            "charge_nC_per_cm2": phase.charge,
            "charge_from_outside_nC_per_cm2": phase.outside_charge,
            "gates_at_end": {name: gate.end for name, gate in phase.gates.items()},
            "largest_conductance_mS_per_cm2": {
                name: 1e3 * conductance.highest for name, conductance in phase.conductances.items()
            },
        }
        for phase in found
    ]


def carriers(celsius: float) -> dict[str, Any]:
    """In how many of the phases the expected channel dominates."""
    found = phases(spike(celsius), method="inward_current")
    right = sum(found[name].dominant == channel for name, channel in CARRIERS.items())
    source = ", ".join(f"{channel} {name}" for name, channel in CARRIERS.items())
    return study.compared(right, len(CARRIERS), "1", tolerance=0, source=source)


def other_rests() -> dict[str, Any]:
    """The same spike on membranes that rest elsewhere: amplitude and half-width must not move."""
    here = phases(spike(18.5)).shape
    answer = {}
    for rest in RESTS:
        there = phases(spike(18.5, rest)).shape
        name = f"rest_{-rest:g}"
        source = "the membrane at -65 mV"
        answer[f"{name}_amplitude"] = beside(there.amplitude, here.amplitude, 1e-6, "mV", source)
        answer[f"{name}_half_width"] = beside(there.half_width, here.half_width, 1e-6, "ms", source)
    return answer


def sparse() -> dict[str, Any]:
    """The spike recorded every 0.05 ms beside the one recorded at every step."""
    coarse, fine = (phases(spike(18.5, every=every)).shape for every in (0.05, 0.0025))
    source = "recorded at every step"
    return {
        "sparse_peak": beside(coarse.peak - REST, fine.peak - REST, 2e-4, "mV", source),
        "sparse_half_width": beside(coarse.half_width, fine.half_width, 2e-4, "ms", source),
        "sparse_steepest_rise": beside(coarse.maximal_rise, fine.maximal_rise, 5e-3, "mV/ms", source),
    }


def run(quick: bool = False) -> dict[str, Any]:
    """Shapes, phases and ions of one impulse; ``quick`` leaves out 6.3 degC and the membranes moved."""
    answer: dict[str, Any] = {}
    for celsius in (18.5,) if quick else (18.5, 6.3):
        answer |= {f"{name}_{celsius:g}_degC": entry for name, entry in shape(celsius).items()}
        answer[f"dominant_channels_{celsius:g}_degC"] = carriers(celsius)
        answer[f"phases_{celsius:g}_degC"] = table(celsius)
    answer |= ions() | sparse()
    if not quick:
        answer |= other_rests()
    bent = phases(spike(18.5), method="phase_plane").shape
    answer["threshold_by_phase_plane"] = bent.missing.get("threshold", bent.threshold)
    return answer | {"answer": in_words(answer)}


def in_words(answer: dict[str, Any]) -> list[str]:
    """The table of phases, and the answer below."""
    found = phases(spike(18.5), method="inward_current")
    shape, entry, loss = found.shape, answer["sodium_entry"]["value"], answer["potassium_loss"]["value"]
    assert shape.threshold is not None and shape.half_width is not None
    return [
        *str(found).splitlines(),
        "",
        f"answer: up to {shape.threshold:.1f} mV the spike is brought along the axon; then sodium makes it "
        f"rise and overshoot, {entry:.2f} pmol/cm2 of it, and from the fall on potassium ends it, {loss:.2f} "
        f"pmol/cm2; {shape.half_width:.4f} ms wide at half of its {shape.amplitude:.2f} mV",
    ]


def figure(answer: dict[str, Any], path: Path) -> None:
    """Voltage with its phases, gates, conductances and currents."""
    plot_phases(spike(18.5), path=path, method="inward_current")


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

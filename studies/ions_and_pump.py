"""Which ions hold the rest, what does a spike cost, and how does an axon tire, and die without its pump?

Question
    A spike is paid for with ions that a pump must carry back. Which permeabilities make the resting
    potential? How much sodium does a spike let in, against the least that could charge the membrane, and how
    much ATP is that per metre of axon? How does a long train wear an axon down, how long does it take to
    recover, and how long does it last when the pump stands still?

Theory
    Goldman, Hodgkin and Katz: V = RT/F ln((K_o + a Na_o) / (K_i + a Na_i)) with a = P_Na / P_K, so that
    a = (r K_i - K_o) / (Na_o - r Na_i) with r = exp(VF/RT) puts rest at V.
    The least sodium that makes a spike of amplitude dV is C dV / F; what sodium and potassium carry against
    each other comes on top, and the more so the longer they overlap, that is in the cold. Entry is per area
    and the same for every diameter; the concentrations change with area over volume, 4 / d. One turn of the
    pump takes 3 Na+ out and 2 K+ in and costs one ATP.
    Between spikes and without a pump the membrane follows its slow ions: charge ties potassium to sodium,
    V is where the steady current vanishes, and dNa/dt = -(I_Na + 3 I_pump) / (F d/4) is one equation whose
    solution is an integral. Its end without a pump is an equilibrium, E_Na = E_K = V = RT/F ln(sum of
    cations outside / inside).

Method
    HH 1952 with the concentrations of squid axoplasm, and outside those that give +50 and -77 mV. Costs: a
    spike in the middle of a long cable, 1 and 476 um thick, at 6.3 and 18.5 degC. Train, recovery and death:
    a space-clamped stretch of an axon of 1 um at 6.3 degC, pulses of 150 uA/cm2 for 0.1 ms. It is dead when
    such a pulse no longer makes a crossing of -20 mV. Expected: the integral above, up to the
    concentrations at which the ordinary engine, with reversal potentials held there, finds no spike.

Expected answer
    - P_Na / P_K = 0.0184 for -64 mV and 0.0043 for -70 mV with the blood and axoplasm of squid at 6.3 degC.
      1 : 0.04 : 0.45 for K, Na and Cl gives -60 mV (Hodgkin & Katz 1949; textbooks, at 20 degC).
    - HH 1952 compute 4.33 pmol/cm2 Na+ in and 4.26 K+ out for the propagated spike at 18.5 degC; 3.5 is
      measured (Keynes & Lewis 1951). Some four times C dV / F, the factor that Attwell & Laughlin (2001) took
      over into energy budgets and Alle, Roth & Geiger (2009) found to be 1.3 in mammalian axons. At 6.3 degC
      the gates are 3.8 times slower, and the overlap longer.
    - A spike raises K+ in the space of 30 nm under the Schwann cells by some 1.6 mM, which decays with a
      time constant of 30 to 100 ms (Frankenhaeuser & Hodgkin 1956).
    - A spike costs the axon of 500 um a millionth of its potassium (Hodgkin 1964), one of 1 um 500 times as
      much. ATP per metre goes with the diameter, but for the 0.3 % by which the spike of the thin one changes
      its own concentrations.
    - Recovery and death when the integral says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from _ions.drawing import figure
from numpy.typing import NDArray

import axon
from axon import study
from axon.ions import (
    SQUID_INSIDE,
    SQUID_OUTSIDE,
    Ions,
    Pump,
    RestingFluxes,
    ghk_voltage,
    nernst,
    resting_fluxes,
    sodium_permeability,
    thermal_voltage,
)
from axon.membranes.ghk import FARADAY
from axon.protocols.ion_run import IonRun, SpikeCost, spike_cost
from axon.protocols.ions import simulate_ions

Array = NDArray[np.floating]

HH = axon.hodgkin_huxley()
COLD, WARM, ROOM = 6.3, 18.5, 20.0  # degC
THICK, THIN = 476.0, 1.0  # um
STEP = 0.02  # ms, of the long runs
STRENGTH, WIDTH = 150.0, 0.1  # uA/cm2, ms
RATE, TRAIN, START = 20.0, 20_000.0, 100.0  # Hz, ms, ms
RECOVERY = 90_000.0  # ms
DEAD = 120_000.0  # ms


def resting() -> dict[str, Any]:
    """Permeability ratios of resting potentials, and the Goldman potential of the classical ratio."""
    expected = {-64.0: 0.0184, -70.0: 0.0043}
    ratios = {v: sodium_permeability(v, SQUID_INSIDE, SQUID_OUTSIDE, COLD) for v in expected}
    classical = ghk_voltage({"K": 1, "Na": 0.04, "Cl": 0.45}, SQUID_INSIDE, SQUID_OUTSIDE, ROOM)
    a = np.logspace(-4, 2, 121)
    return {
        "permeability_ratio_-64_mV": study.compared(
            ratios[-64.0], expected[-64.0], "1", tolerance=1e-4, source="Goldman equation, by hand"
        ),
        "permeability_ratio_-70_mV": study.compared(
            ratios[-70.0], expected[-70.0], "1", tolerance=1e-4, source="Goldman equation, by hand"
        ),
        "rest_of_1_0.04_0.45": study.compared(
            classical, -60.0, "mV", tolerance=1.0, source="Hodgkin & Katz 1949, in textbooks"
        ),
        "goldman_ratio": a,
        "goldman_mV": [ghk_voltage({"K": 1, "Na": x}, SQUID_INSIDE, SQUID_OUTSIDE, COLD) for x in a],
    }


def propagated(diameter: float, celsius: float, quick: bool) -> tuple[IonRun, SpikeCost]:
    """One spike down a long cable, and what it costs in the middle."""
    length = (40_000 if quick else 60_000) * np.sqrt(diameter / THICK)
    cable = axon.Axon(length=length, diameter=diameter, membrane=HH, celsius=celsius)
    pulse = axon.suprathreshold_pulse(cable)
    duration = 40.0 if celsius < 10 else 15.0
    run = simulate_ions(cable, pulse, duration=duration, record=axon.Record(every=0.02, where=[length / 2]))
    return run, spike_cost(run)


def costs(quick: bool) -> dict[str, Any]:
    """Sodium and ATP per spike, cold and warm, thick and thin."""
    cold, warm = propagated(THICK, COLD, quick)[1], propagated(THICK, WARM, quick)[1]
    thin = propagated(THIN, COLD, quick)[1]
    ratio = thin.atp_per_metre / cold.atp_per_metre
    part = warm.potassium_loss * 1e-12 / (THICK / 4 * 1e-4 * SQUID_INSIDE["K"] * 1e-6)
    return {
        "sodium_entry_18.5_degC": study.compared(
            warm.sodium_entry, 4.33, "pmol/cm2", tolerance=0.1, source="HH 1952, computed"
        ),
        "potassium_loss_18.5_degC": study.compared(
            warm.potassium_loss, 4.26, "pmol/cm2", tolerance=0.15, source="HH 1952, computed"
        ),
        "sodium_entry_measured": study.compared(
            warm.sodium_entry, 3.5, "pmol/cm2", source="Keynes & Lewis 1951, measured"
        ),
        "excess_18.5_degC": study.compared(
            warm.excess, 4.0, "1", tolerance=0.8, source="squid axon, after Attwell & Laughlin 2001"
        ),
        "atp_per_metre_thin_over_thick": study.compared(
            ratio, THIN / THICK, "1", tolerance=5e-3 * THIN / THICK, source="area"
        ),
        "part_of_potassium_lost_per_spike": study.compared(
            part, 1e-6, "1", tolerance=0.2e-6, source="Hodgkin 1964, 500 um"
        ),
        "excess_6.3_degC": cold.excess,
        "sodium_entry_6.3_degC_pmol_per_cm2": cold.sodium_entry,
        "minimum_6.3_degC_pmol_per_cm2": cold.minimum,
        "minimum_18.5_degC_pmol_per_cm2": warm.minimum,
        "atp_per_spike_per_metre": {
            "476_um_6.3_degC": cold.atp_per_metre,
            "476_um_18.5_degC": warm.atp_per_metre,
            "1_um_6.3_degC": thin.atp_per_metre,
            "1_um_18.5_degC": warm.atp_per_metre * THIN / THICK,
        },
    }


def around(quick: bool) -> dict[str, Any]:
    """Potassium in the thin space after a spike."""
    length = 40_000.0 if quick else 60_000.0
    cable = axon.Axon(length=length, diameter=THICK, membrane=HH, celsius=WARM)
    run = simulate_ions(
        cable,
        axon.suprathreshold_pulse(cable),
        duration=120.0,
        dt=0.005,
        ions=Ions(space=0.03),
        record=axon.Record(every=0.1, where=[length / 2]),
    )
    rise = run.potassium_out[:, 0] - run.potassium_out[0, 0]
    tail = (run.time > 20) & (run.time < 60)
    decay = -1 / np.polyfit(run.time[tail], np.log(rise[tail]), 1)[0]
    return {
        "potassium_rise_in_space": study.compared(
            rise.max(), 1.6, "mM", tolerance=0.4, source="Frankenhaeuser & Hodgkin 1956"
        ),
        "decay_in_space": study.compared(
            decay, 50.0, "ms", tolerance=15.0, source="30 nm / 6e-5 cm/s; published 30 to 100 ms"
        ),
    }


def stretch() -> axon.Axon:
    """A stretch of thin axon, short enough to have one voltage."""
    return axon.Axon(length=5, diameter=THIN, membrane=HH, celsius=COLD)


def pulses(start: float, interval: float = 1.0, count: int = 1) -> axon.Train:
    """The test pulse, repeated."""
    amplitude = STRENGTH * 1e3 * float(stretch().compartments().area[0])
    return axon.Train(amplitude=amplitude, start=start, duration=WIDTH, interval=interval, count=count)


class SlowFlow:
    """The sodium inside when all else follows it at once.

    Parameters
    ----------
    rest : RestingFluxes
    cations : float
        Sum of Na+ and K+ inside, mM, which charge keeps constant.
    working : bool
        Whether the pump is.
    """

    def __init__(self, rest: RestingFluxes, cations: float, working: bool) -> None:
        self.rest, self.cations, self.working = rest, cations, working

    def reversals(self, sodium: float) -> tuple[float, float]:
        """E_Na and E_K, mV."""
        rest = self.rest
        e_na, e_k = nernst([rest.sodium_out, rest.potassium_out], [sodium, self.cations - sodium], COLD)
        return float(e_na), float(e_k)

    def pump(self, sodium: float) -> float:
        """mA/cm2."""
        return (
            float(self.working)
            * self.rest.pump_maximum
            * float(Pump().activity(sodium, self.rest.potassium_out))
        )

    def membrane(self, sodium: float) -> axon.Membrane:
        """HH's membrane with reversal potentials held where they are now; its leak includes the pump."""
        e_na, e_k = self.reversals(sodium)
        rest = self.rest
        leak = rest.sodium_leak + rest.potassium_leak
        e_leak = (rest.sodium_leak * e_na + rest.potassium_leak * e_k - self.pump(sodium)) / leak
        return axon.hodgkin_huxley(g_leak=leak, e_na=e_na, e_k=e_k, e_leak=e_leak)

    def rate(self, sodium: float) -> float:
        """dNa/dt, mM/ms."""
        membrane, (e_na, _) = self.membrane(sodium), self.reversals(sodium)
        v = membrane.resting_potential()
        g = membrane.conductances(membrane.steady_gates(v))["Na"] + self.rest.sodium_leak
        current = float(g) * (v - e_na) + 3 * self.pump(sodium)
        return -current / (FARADAY * THIN / 4 * 1e-4)  # mA/cm2 over C/mol cm, = mM/ms

    def time(self, start: float, end: float) -> float:
        """How long the sodium takes from ``start`` to ``end`` (mM), ms."""
        from scipy.integrate import quad

        return float(quad(lambda sodium: 1 / self.rate(sodium), start, end, limit=100)[0])


def tiring() -> dict[str, Any]:
    """A train of 20 Hz for 20 s, and the recovery after it."""
    from scipy.optimize import brentq

    train = pulses(START, 1000 / RATE, round(TRAIN * RATE / 1000))
    end = START + TRAIN
    seldom, often = axon.Record(every=1.0), axon.Record(every=0.1)
    each = simulate_ions(stretch(), train, duration=end, dt=STEP, record=axon.Record(every=2 * STEP))
    alone = simulate_ions(stretch(), train, duration=end + RECOVERY, dt=STEP, record=seldom)
    probes = pulses(end + 2_000, 8_000, 11)
    probed = simulate_ions(stretch(), (train, probes), duration=end + RECOVERY, dt=STEP, record=often)
    sodium = alone.sodium_in[:, 0]
    first = int(np.searchsorted(alone.time, end + 1_000))
    flow = SlowFlow(alone.rest, float(sodium[first] + alone.potassium_in[first, 0]), True)
    half = (sodium[first] + alone.rest.sodium_in) / 2
    halved = float(alone.time[first:][sodium[first:] < half][0] - alone.time[first])
    times = START + np.arange(train.count) * train.interval
    later = probes.start + np.arange(probes.count) * probes.interval
    within, space, bath = alone.amounts("Na")
    total = within + space + bath
    return {
        "recovery_half_time": study.compared(
            halved * 1e-3,
            flow.time(float(sodium[first]), float(half)) * 1e-3,
            "s",
            tolerance=0.02 * halved * 1e-3,
            source="integral of the slow flow",
        ),
        "sodium_drift": study.compared(
            float(np.abs(total / total[0] - 1).max()), 0.0, "1", tolerance=1e-12, source="mass"
        ),
        "train_s": [START * 1e-3, end * 1e-3],
        "train_Hz": RATE,
        "point_of_no_return_mM": brentq(flow.rate, 200.0, 400.0),
        "sodium_after_train_mM": float(sodium.max()),
        "potassium_after_train_mM": float(alone.potassium_in.min()),
        "pump_after_train": float(alone.pump_current[first, 0] / alone.rest.pump_current),
        "peak_time_s": np.concatenate([times, later]) * 1e-3,
        "peak_mV": np.concatenate([peaks(each, times), peaks(probed, later)]),
        "sodium_time_s": alone.time[::400] * 1e-3,
        "sodium_mM": sodium[::400],
        "potassium_mM": alone.potassium_in[::400, 0],
    }


def peaks(run: IonRun, times: Array) -> Array:
    """Greatest voltage (mV) in the 12 ms after each time: the top of the parabola through three samples."""
    start = np.searchsorted(run.time, times)
    stop = np.searchsorted(run.time, times + 12)
    v = run.voltage[:, 0]
    top = np.array([i + int(v[i:j].argmax()) for i, j in zip(start, stop, strict=True)])
    slope, bend = (v[top + 1] - v[top - 1]) / 2, v[top + 1] - 2 * v[top] + v[top - 1]
    return v[top] - slope**2 / (2 * bend)


def dying(quick: bool) -> dict[str, Any]:
    """The axon whose pump stands still from the beginning."""
    ions = Ions(pump=Pump(stops=0.0))
    run = simulate_ions(stretch(), duration=DEAD, dt=STEP, ions=ions, record=axon.Record(every=10.0))
    early = int(np.searchsorted(run.time, 1_000.0))
    cations = float(run.sodium_in[early, 0] + run.potassium_in[early, 0])
    flow = SlowFlow(run.rest, cations, False)
    limit = last_excitable(flow, 1e-2)
    expected = run.time[early] + flow.time(float(run.sodium_in[early, 0]), limit)
    died = last_spike(ions, 0.5 * expected, 1.2 * expected, 250.0 if quick else 60.0)
    linear = (limit - run.rest.sodium_in) / flow.rate(run.rest.sodium_in)
    final = thermal_voltage(COLD) * np.log((run.rest.sodium_out + run.rest.potassium_out) / cations)
    stopped = float(run.voltage[int(np.searchsorted(run.time, 300.0)), 0] - run.rest.voltage)
    shift = flow.membrane(float(run.sodium_in[int(np.searchsorted(run.time, 300.0)), 0])).resting_potential()
    return {
        "time_to_death": study.compared(
            died * 1e-3,
            expected * 1e-3,
            "s",
            tolerance=0.02 * expected * 1e-3,
            source="integral of the slow flow",
        ),
        "time_to_death_at_constant_flux": study.compared(
            died * 1e-3, linear * 1e-3, "s", source="(Na at death - Na at rest) x volume / resting influx"
        ),
        "potential_of_the_dead_axon": study.compared(
            float(run.voltage[-1, 0]), final, "mV", tolerance=0.05, source="equilibrium, cations balance"
        ),
        "worth_of_the_pump": study.compared(
            stopped, shift - run.rest.voltage, "mV", tolerance=0.02, source="steady current of the membrane"
        ),
        "sodium_at_death_mM": limit,
        "thick_axon_dies_after_h": died / 3.6e6 * THICK / THIN,
        "death_time_s": run.time[::25] * 1e-3,
        "death_mV": run.voltage[::25, 0],
        "death_sodium_reversal_mV": run.sodium_reversal[::25, 0],
        "death_potassium_reversal_mV": run.potassium_reversal[::25, 0],
    }


def last_excitable(flow: SlowFlow, accuracy: float) -> float:
    """Sodium inside (mM) up to which the pulse makes a spike, reversal potentials held."""
    low, high = 50.0, 400.0
    record = axon.Record(voltage=None)
    patch = stretch()
    while high - low > accuracy * low:
        tried = np.linspace(low, high, 10)[1:-1]
        cells = [
            axon.Axon(length=5, diameter=THIN, membrane=flow.membrane(float(na)), celsius=COLD)
            for na in tried
        ]
        runs = axon.simulate_many(cells, pulses(1.0), duration=12.0, dt=STEP, dx=patch.length, record=record)
        edges = [low, *tried, high]
        first = [*(bool(len(run.spike_time)) for run in runs), False].index(False)
        low, high = edges[first], edges[first + 1]
    return (low + high) / 2


def last_spike(ions: Ions, low: float, high: float, accuracy: float) -> float:
    """Last time (ms) at which the pulse makes a spike, each in a run of its own."""
    record = axon.Record(every=1e3)
    while high - low > accuracy:
        middle = (low + high) / 2
        run = simulate_ions(
            stretch(), pulses(middle), duration=middle + 12, dt=STEP, ions=ions, record=record
        )
        low, high = (middle, high) if (run.spike_time > middle).any() else (low, middle)
    return (low + high) / 2


def run(quick: bool = False) -> dict[str, Any]:
    """Rest, costs, the space outside, the train and the death; ``quick`` takes shorter cables."""
    rest = resting_fluxes(HH, Ions(), COLD)
    answer = {
        **resting(),
        **costs(quick),
        **around(quick),
        **tiring(),
        **dying(quick),
        "resting_sodium_influx_pmol_per_cm2_s": rest.sodium_influx,
        "resting_pump_current_uA_per_cm2": rest.pump_current * 1e3,
        "concentrations_outside_mM": {"Na": rest.sodium_out, "K": rest.potassium_out},
    }
    cost = answer["atp_per_spike_per_metre"]
    return answer | {
        "answer": (
            f"a spike lets in {answer['sodium_entry_18.5_degC']['value']:.2f} pmol/cm2 Na+ at 18.5 degC, "
            f"{answer['excess_18.5_degC']['value']:.1f} times the least possible, and "
            f"{answer['excess_6.3_degC']:.1f} times at 6.3 degC; a metre costs "
            f"{cost['476_um_18.5_degC']:.2g} ATP in the axon of 476 um and {cost['1_um_18.5_degC']:.2g} in "
            f"one of 1 um; that one, its pump stopped, dies after {answer['time_to_death']['value']:.0f} s"
        )
    }


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

"""What are the smooth curves made of, and how thin can an axon be before chance speaks?

Question
    A channel is open or closed. What is left of that in a patch, in an axon, in the time at which a spike
    arrives; and where does the noise of the channels themselves make spikes, or lose them?

Theory
    N independent channels that each open with probability p(V, t): mean N p, variance N p (1 - p); the
    autocovariance is a sum of exponentials with the eigenvalues of the channel's chain, for n^4 at constant
    V  N [(n^2 + n (1 - n) e^(-s / tau))^4 - n^8]. Fluctuations about the smooth equations shrink as
    1 / sqrt(N). A spike that goes by independent stretches of membrane gathers jitter as the root of the way.

Axon
    Hodgkin & Huxley's membrane at 6.3 degC with channels of 20 pS: 60 Na and 18 K per um2, exact Markov
    populations; 35.4 ohm cm.

Expected answer
    ========================================  =============================================================
    mean and variance in voltage clamp        binomial within 4 standard errors at 20 voltages
    autocovariance of K                       as above within 4 standard errors
    exponent of deviation in N                -1/2, over four decades
    exponent of jitter in distance            1/2
    failures in axons below 0.5 um            less than 1 % (Faisal & Laughlin, PLoS Comput. Biol. 3:e79,
                                              2007)
    spontaneous spikes, more than 0.02 /s     below 0.15 to 0.3 um (Faisal, White & Laughlin, Curr. Biol.
                                              15:1143, 2005), the rarer the thicker the axon
    jitter                                    of the order of milliseconds over millimetres (Faisal &
                                              Laughlin 2007)
    ========================================  =============================================================

    The last two are told, not judged: they were computed with other channels, lengths and temperatures, and
    the rate of spontaneous spikes grows with the length of the axon and falls steeply with warmth (here none
    was seen at 18.5 degC in 1.5 s of 1 mm of 0.15 um axon, which at 6.3 degC makes ten a second).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import axon
from axon import study

Array = NDArray[np.float64]

HH = axon.hodgkin_huxley()
NUMBER = np.array([60, 18])  # Na and K channels per um2
SQUARE = axon.Axon(length=1, diameter=1 / np.pi, membrane=HH)  # 1 um2
VOLTAGES = np.linspace(-90.0, 65.0, 20)  # mV
SEED = 20_05
FAISAL_2005, FAISAL_2007 = "Faisal, White & Laughlin 2005", "Faisal & Laughlin 2007"


def steady(v: float) -> Array:
    """Open probabilities of Na and K after a long time at ``v`` (mV)."""
    gates = HH.steady_gates(v)
    return np.array([gates["m"] ** 3 * gates["h"], gates["n"] ** 4])


def clamped(v: float, trials: int, **how: Any) -> list[axon.Run]:
    """Trials of one square micrometre held at ``v`` (mV) from the start."""
    clamp = axon.Clamp(voltage=v)
    return axon.simulate_many([SQUARE] * trials, clamp, dx=1, noise="markov", progress=False, **how)


@cache
def opening(trials: int) -> tuple[Array, Array, Array]:
    """Channels open after a jump from rest to -20 mV: time, (trials, time, 2), smooth curve (time, 2)."""
    record = axon.Record(voltage=None, gates=("Na", "K"), every=0.05)
    runs = clamped(-20.0, trials, duration=8.0, dt=0.025, seed=SEED, record=record)
    found = np.array([[run.gates[name][:, 0] for name in ("Na", "K")] for run in runs])
    time = runs[0].time - 0.0125  # channels are kept half a step before
    rest, p = HH.resting_potential(), {}
    for name, gate in HH.gates.items():
        end, begin = float(gate.steady_state(-20.0)), float(gate.steady_state(rest))
        p[name] = end + (begin - end) * np.exp(-np.maximum(time, 0) / float(gate.time_constant(-20.0, 6.3)))
    smooth = np.stack([p["m"] ** 3 * p["h"], p["n"] ** 4], axis=1)
    return time, np.rint(found.transpose(0, 2, 1) * NUMBER), smooth * NUMBER


def binomial(trials: int) -> dict[str, Any]:
    """Mean and variance of open channels over trials at 20 voltages, and their distance from the law."""
    record = axon.Record(voltage=None, gates=("Na", "K"), every=30)
    table, worst = [], np.zeros(2)
    for i, v in enumerate(VOLTAGES):
        how = {"duration": 30.0, "dt": 0.1, "seed": SEED + i, "record": record}
        runs = clamped(float(v), trials, initial_voltage=float(v), **how)
        found = np.array([[run.gates[name][-1, 0] for name in ("Na", "K")] for run in runs]) * NUMBER
        p = steady(float(v))
        law = NUMBER * p * (1 - p)
        mean, variance = found.mean(axis=0), found.var(axis=0, ddof=1)
        # The law's own fourth moment gives the error of a variance; 1 / trials where hardly any is ever open.
        fourth = 3 * law**2 + law * (1 - 6 * p * (1 - p))
        z = np.array(
            [
                np.abs(mean - NUMBER * p) / (np.sqrt(law / trials) + 1 / trials),
                np.abs(variance - law) / (np.sqrt((fourth - law**2) / trials) + 1 / trials),
            ]
        )
        worst = np.maximum(worst, z.max(axis=1))
        table.append({"voltage_mV": v, "mean": mean, "variance": variance, "law": law})
    return {"table": table, "worst": worst}


def autocovariance(duration: float) -> dict[str, Any]:
    """Of the open K channels at -30 mV: lags (ms), found, by theory, and its error."""
    record = axon.Record(voltage=None, gates=("K",), every=0.5)
    patch = axon.Axon(length=10, diameter=10 / np.pi, membrane=HH)
    how: dict[str, Any] = {"duration": duration, "dt": 0.1, "dx": 10, "noise": "markov", "seed": SEED}
    run = axon.simulate(
        patch, axon.Clamp(voltage=-30.0), initial_voltage=-30.0, record=record, progress=False, **how
    )
    number = 100 * NUMBER[1]
    n = float(HH.gates["n"].steady_state(-30.0))
    tau = float(HH.gates["n"].time_constant(-30.0, 6.3))
    y = run.gates["K"][:, 0] - n**4
    lags = np.arange(0, 30, 2)
    found = np.array([np.mean(y[: len(y) - lag] * y[lag:]) for lag in lags]) * number

    def theory(s: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((n**2 + n * (1 - n) * np.exp(-s / tau)) ** 4 - n**8)

    # Bartlett: the error of an autocovariance from one long record of a process with this memory
    memory = 1 + 2 * np.sum((theory(0.5 * np.arange(1, 400)) / theory(np.zeros(1))) ** 2)
    error = theory(np.zeros(1))[0] * np.sqrt(2 * memory / len(y))
    return {"lag_ms": 0.5 * lags, "found": found, "theory": theory(0.5 * lags), "error": error}


def convergence(trials: int) -> dict[str, Any]:
    """Deviation of V from the smooth spike (mV, root of the mean square) against the number of channels."""
    area = 10.0 ** np.arange(1.0, 5.01, 0.5)  # um2
    how: dict[str, Any] = {"duration": 12.0, "dt": 0.01, "dx": 1.0, "progress": False}
    deviation, errors, height = [], [], 0.0
    for i, size in enumerate(area):
        patch = axon.Axon(length=1, diameter=size / np.pi, membrane=HH)
        kick = axon.Pulse(amplitude=2e-3 * size, start=0.5, duration=0.2)  # 0.2 mA/cm2
        smooth = axon.simulate(patch, kick, **how)
        runs = axon.simulate_many([patch] * trials, kick, **how, noise="markov", seed=SEED + i)
        assert smooth.voltage is not None
        each = [np.mean((np.asarray(run.voltage) - smooth.voltage) ** 2) for run in runs]
        deviation.append(float(np.sqrt(np.mean(each))))
        errors.append(float(np.std(each) / np.sqrt(trials) / np.mean(each) / 2))
        height = float(np.ptp(smooth.voltage))
    slope = exponent(area, np.array(deviation), np.array(errors))
    return {
        "channels": area * NUMBER[0],
        "deviation_mV": deviation,
        "slope": slope,
        "least_of_height": deviation[-1] / height,
    }


def exponent(x: Array, y: Array, relative_error: Array) -> tuple[float, float]:
    """Exponent of y in x, by weighted least squares on logarithms, and its standard error."""
    weight = 1 / np.maximum(relative_error, 1e-3)
    fit, covariance = np.polyfit(np.log(x), np.log(y), 1, w=weight, cov="unscaled")
    return float(fit[0]), float(np.sqrt(covariance[0, 0]))


def spontaneous(seconds: dict[float, float]) -> dict[str, Any]:
    """Spikes that nobody asked for, per second, in 1 mm of axon: diameter (um) and rate, with its error."""
    rates, errors = [], []
    for i, (diameter, duration) in enumerate(seconds.items()):
        thin = axon.Axon(length=1000, diameter=diameter, membrane=HH)
        runs = axon.simulate_many(
            [thin] * 2,
            [(), ()],
            duration=1e3 * duration / 2,
            dt=0.025,
            dx=5 * np.sqrt(diameter / 0.1),
            noise="markov",
            seed=SEED + i,
            record=axon.Record(voltage=None),
            progress=False,
        )
        middle = runs[0].compartments.nearest(500.0)
        count = sum(int((run.spike_compartment == middle).sum()) for run in runs)
        rates.append(count / duration)
        errors.append(np.sqrt(max(count, 1)) / duration)
    return {"diameter_um": list(seconds), "rate_per_s": rates, "error": errors}


@cache
def propagated(diameter: float, trials: int) -> dict[str, Any]:
    """Spikes started at x = 0 of a thin axon: jitter over distance, failures, spread of velocity."""
    length = 4000.0 * np.sqrt(diameter / 0.5)  # um: about the same time of travel
    thin = axon.Axon(length=length, diameter=diameter, membrane=HH)
    kick = axon.Pulse(amplitude=0.4 * diameter**1.5, start=0.5, duration=0.5)
    how: dict[str, Any] = {"duration": 22.0, "dt": 0.02, "dx": length / 200, "progress": False}
    record = axon.Record(voltage=None)
    runs = axon.simulate_many([thin] * trials, kick, **how, noise="markov", seed=SEED, record=record)
    x = runs[0].compartments.position
    arrivals = np.array([run.arrivals() for run in runs])
    arrived = np.isfinite(arrivals[:, -1])
    near, far = int(0.1 * len(x)), len(x) - int(0.05 * len(x))
    way = x[near + 10 : far : 10] - x[near]
    delay = arrivals[arrived][:, near + 10 : far : 10] - arrivals[arrived][:, near][:, None]
    # Quartiles: a spike that noise itself makes ahead of the one that is followed is no jitter.
    low, high = np.percentile(delay, [25, 75], axis=0)
    jitter = (high - low) / 1.349
    speed = 1e-3 * way[-1] / delay[:, -1]
    slow, fast = np.percentile(speed, [25, 75])
    return {
        "diameter_um": diameter,
        "way_um": way,
        "jitter_ms": jitter,
        "failures": int((~arrived).sum()),
        "trials": trials,
        "velocity_m_per_s": float(np.median(speed)),
        "velocity_spread": float((fast - slow) / 1.349 / np.median(speed)),
        "growth": exponent(way, jitter, np.full(len(way), 1.2 / np.sqrt(2 * trials))),
    }


def critical(found: dict[str, Any]) -> float:
    """Diameter (um) at which the rate falls to 0.02 /s, from the three thickest axons that fired."""
    rate = np.array(found["rate_per_s"])
    last = np.flatnonzero(rate > 0)[-3:]
    diameter, rate = np.array(found["diameter_um"])[last], rate[last]
    slope, level = np.polyfit(diameter, np.log(rate), 1, w=rate / np.array(found["error"])[last])
    return float((np.log(0.02) - level) / slope)


def run(quick: bool = False) -> dict[str, Any]:
    """All numbers; ``quick`` makes fewer trials of the thinner axons."""
    trials = 12 if quick else 60
    law, memory, limit = (
        binomial(80 if quick else 400),
        autocovariance(4e3 if quick else 4e4),
        convergence(20),
    )
    time, counts, smooth = opening(200)
    apart = (counts.mean(axis=0) - smooth) / np.sqrt(np.maximum(smooth * (1 - smooth / NUMBER), 0.1) / 200)
    seconds = {0.1: 0.3, 0.15: 0.6} if quick else {0.1: 1.0, 0.15: 2.0, 0.2: 4.0, 0.25: 8.0, 0.3: 8.0}
    own = spontaneous(seconds)
    sent = [propagated(d, trials) for d in ((0.2, 0.5) if quick else (0.2, 0.5, 1.0))]
    growth = float(np.mean([one["growth"][0] for one in sent]))
    failures = sum(one["failures"] for one in sent[:2])
    thin = sent[0]
    rate = own["rate_per_s"]
    return {
        "mean_from_smooth_curve": within(np.abs(apart).max(), "smooth equations"),
        "mean_in_clamp": within(law["worst"][0], "binomial law"),
        "variance_in_clamp": within(law["worst"][1], "binomial law"),
        "autocovariance": within(
            (np.abs(memory["found"] - memory["theory"]) / memory["error"]).max(), "eigenvalues of the chain"
        ),
        "exponent_in_channels": study.compared(
            limit["slope"][0], -0.5, "1", tolerance=0.06, source="theory", standard_error=limit["slope"][1]
        ),
        "deviation_at_most_channels": study.compared(
            limit["least_of_height"], 0.0, "1", tolerance=0.01, source="smooth equations"
        ),
        "exponent_of_jitter": study.compared(
            growth, 0.5, "1", tolerance=0.35 if quick else 0.15, source="theory"
        ),
        "failures_below_half_um": study.compared(
            failures / (2 * trials), 0.0, "1", tolerance=0.1 if quick else 0.01, source=FAISAL_2007
        ),
        "jitter_at_2_mm": study.compared(
            float(thin["jitter_ms"][-3:].mean()), 1.0, "ms", source=f"{FAISAL_2007}, order of"
        ),
        "diameter_of_spontaneous_spikes": study.compared(
            critical(own), 0.25, "um", source=f"{FAISAL_2005}, 0.15 to 0.3"
        ),
        "spontaneous": own,
        "propagated": sent,
        "convergence": limit,
        "binomial": law["table"],
        "autocovariance_of_K": memory,
        "answer": (
            f"{rate[0]:.0f} spikes a second of their own in 1 mm of {own['diameter_um'][0]:g} um axon, "
            f"{rate[-1]:.2g} at {own['diameter_um'][-1]:g} um; {failures} failures among {2 * trials} spikes "
            f"in axons of 0.2 and 0.5 um; jitter {1e3 * thin['jitter_ms'][-1]:.0f} us after "
            f"{thin['way_um'][-1] / 1e3:.1f} mm of {thin['diameter_um']:g} um axon, velocity "
            f"{thin['velocity_m_per_s']:.3f} m/s with a spread of {100 * thin['velocity_spread']:.1f} %"
        ),
    }


def within(worst: float, source: str) -> dict[str, Any]:
    """The largest distance from theory, in standard errors, of which four are allowed."""
    return study.compared(float(worst), 0.0, "1", tolerance=4.0, source=f"{source}, standard errors")


def figure(answer: dict[str, Any], path: Path) -> None:
    """Six pictures: channels in steps, binomial variance, memory, convergence, own spikes, jitter."""
    import matplotlib.pyplot as plt

    na, k = "#0072B2", "#D55E00"  # Okabe & Ito, told apart by every eye
    drawn, axes = plt.subplots(2, 3, figsize=(12, 6.8), layout="constrained")
    draw_opening(axes[0, 0], na, k)
    draw_binomial(axes[0, 1], answer, na, k)
    draw_memory(axes[0, 2], answer, k)
    draw_convergence(axes[1, 0], answer)
    draw_spontaneous(axes[1, 1], answer)
    draw_jitter(axes[1, 2], answer)
    for panel in axes.flat:
        panel.spines[["top", "right"]].set_visible(False)
    drawn.savefig(path, dpi=110)
    plt.close(drawn)


def draw_opening(panel: Any, na: str, k: str) -> None:
    time, counts, smooth = opening(200)
    for j, (name, colour) in enumerate([("Na", na), ("K", k)]):
        panel.step(time, counts[0, :, j], color=colour, lw=0.8, alpha=0.6, where="post")
        panel.plot(time, counts[:, :, j].mean(axis=0), color=colour, lw=2, label=f"{name}, mean of 200")
        panel.plot(time, smooth[:, j], "k--", lw=1, label="Hodgkin & Huxley" if j else None)
    panel.set(xlabel="time after the jump to −20 mV (ms)", ylabel="open channels in 1 µm²", ylim=(0, 16))
    panel.set_title("One trial goes in steps, the mean is smooth")
    panel.legend(frameon=False, loc="upper left", ncols=2)


def draw_binomial(panel: Any, answer: dict[str, Any], na: str, k: str) -> None:
    table = answer["binomial"]
    v = [row["voltage_mV"] for row in table]
    fine = np.linspace(-90, 65, 200)
    law = np.array([NUMBER * steady(x) * (1 - steady(x)) for x in fine])
    for j, (name, colour) in enumerate([("Na", na), ("K", k)]):
        panel.plot(fine, law[:, j], color=colour, lw=1, label=f"{name}, $Np(1-p)$")
        panel.plot(v, [row["variance"][j] for row in table], "os"[j], color=colour, ms=4)
    panel.set(
        xlabel="clamped voltage (mV)", ylabel="variance of open channels", yscale="log", ylim=(1e-3, 20)
    )
    panel.set_title("Variance follows the binomial law")
    panel.legend(frameon=False)


def draw_memory(panel: Any, answer: dict[str, Any], k: str) -> None:
    memory = answer["autocovariance_of_K"]
    lag, found = np.array(memory["lag_ms"]), np.array(memory["found"])
    panel.errorbar(lag, found, memory["error"], fmt="s", color=k, ms=4, lw=1, label="found")
    panel.plot(lag, memory["theory"], "k--", lw=1, label="eigenvalues of the chain")
    panel.set(xlabel="lag (ms)", ylabel="autocovariance / N, K at −30 mV")
    panel.set_title("Memory of the K channels")
    panel.legend(frameon=False)


def draw_convergence(panel: Any, answer: dict[str, Any]) -> None:
    limit = answer["convergence"]
    number, deviation = np.array(limit["channels"]), np.array(limit["deviation_mV"])
    panel.loglog(number, deviation, "o", color="#009E73", label="spikes of a patch, 20 trials each")
    panel.loglog(number, deviation[4] * np.sqrt(number[4] / number), "k--", lw=1, label=r"$1/\sqrt{N}$")
    panel.set(xlabel="Na channels N", ylabel="rms deviation from smooth V (mV)")
    panel.set_title("Many channels are the smooth equations")
    panel.legend(frameon=False, loc="lower left")


def draw_spontaneous(panel: Any, answer: dict[str, Any]) -> None:
    own = answer["spontaneous"]
    rate = np.array(own["rate_per_s"])
    seen = rate > 0
    d = np.array(own["diameter_um"])
    panel.errorbar(d[seen], rate[seen], np.array(own["error"])[seen], fmt="o-", color="#CC79A7", lw=1)
    for x, most in zip(d[~seen], np.array(own["error"])[~seen], strict=True):
        panel.plot(x, 3 * most, "v", color="#CC79A7")
    panel.axhline(0.02, color="k", ls=":", lw=1)
    panel.axvspan(0.15, 0.3, color="0.9", label="0.02 /s in Faisal et al. 2005", zorder=0)
    panel.set(xlabel="diameter (µm)", ylabel="spontaneous spikes / s in 1 mm", yscale="log", ylim=(0.01, 300))
    panel.set_title("Thin axons fire by themselves")
    panel.legend(frameon=False, loc="upper right")


def draw_jitter(panel: Any, answer: dict[str, Any]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    colours = ("#E69F00", "#56B4E9", "#0072B2")
    for one, colour in zip(answer["propagated"], colours, strict=False):
        way, jitter = np.array(one["way_um"]) / 1e3, 1e3 * np.array(one["jitter_ms"])
        panel.loglog(way, jitter, "o-", ms=3, lw=1, color=colour, label=f"{one['diameter_um']:g} µm")
    panel.loglog(way, jitter[-1] * np.sqrt(way / way[-1]), "k--", lw=1, label="root of the way")
    for axis, ticks in ((panel.xaxis, (0.2, 0.5, 1, 2, 4)), (panel.yaxis, (5, 10, 20, 50, 100, 200))):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(NullLocator())
    panel.set(xlabel="way (mm)", ylabel="jitter of arrival (µs)")
    panel.set_title("Jitter grows along the axon")
    panel.legend(frameon=False)


def main(argv: Sequence[str] | None = None) -> None:
    print(study.conduct(__file__, __doc__, run, {"figure.png": figure}, argv))


if __name__ == "__main__":
    main()

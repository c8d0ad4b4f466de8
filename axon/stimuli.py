"""What is done to an axon, where and when."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from axon.checks import Place, finite, not_negative, place, positive
from axon.errors import unknown_name

Array = NDArray[np.floating]

# Shapes of a synapse's conductance, and after how many time constants a hundredth of it is left.
_CLOSED = {"exponential": 4.605170185988092, "alpha": 7.638352067993813}
_SHAPES = tuple(_CLOSED)


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A rectangular current pulse injected into the axon at one point.

    Parameters
    ----------
    amplitude : float
        nA; positive depolarises.
    start, duration : float
        ms. A duration of ``inf`` is a step that stays on.
    at : float or (int, float)
        Position along the axon, um; on a tree also (section, um from its beginning).
    """

    amplitude: float
    start: float = 0.0
    duration: float
    at: Place = 0.0

    def __post_init__(self) -> None:
        finite("Pulse.amplitude", self.amplitude, "nA")
        not_negative("Pulse.start", self.start, "ms")
        if self.duration != np.inf:
            not_negative("Pulse.duration", self.duration, "ms")
        object.__setattr__(self, "at", place("Pulse.at", self.at))

    @property
    def jumps(self) -> tuple[float, ...]:
        """Times (ms) at which the current jumps."""
        return (self.start, self.start + self.duration)

    def charge(self, t: Array) -> Array:
        """Charge (pC) injected from the beginning up to the times ``t`` (ms, any shape)."""
        # As np.clip does, at once.
        return self.amplitude * np.minimum(np.maximum(np.asarray(t, float) - self.start, 0.0), self.duration)


@dataclass(frozen=True, kw_only=True)
class Train:
    """Equal rectangular current pulses at equal intervals.

    Parameters
    ----------
    amplitude : float
        nA; positive depolarises.
    start, duration : float
        Of the first pulse, ms.
    interval : float
        From the start of one pulse to the start of the next, ms; not shorter than ``duration``.
    count : int
        Number of pulses, at least 1.
    at : float or (int, float)
        Position along the axon, um; on a tree also (section, um from its beginning).
    """

    amplitude: float
    start: float = 0.0
    duration: float
    interval: float
    count: int
    at: Place = 0.0

    def __post_init__(self) -> None:
        finite("Train.amplitude", self.amplitude, "nA")
        not_negative("Train.start", self.start, "ms")
        not_negative("Train.duration", self.duration, "ms")
        positive("Train.interval", self.interval, "ms")
        object.__setattr__(self, "at", place("Train.at", self.at))
        if isinstance(self.count, bool) or not isinstance(self.count, Integral) or self.count < 1:
            raise ValueError(f"Train.count must be a whole number >= 1, got {self.count!r}")
        if self.interval < self.duration:
            raise ValueError(
                f"Train.interval must not be shorter than its duration of {self.duration!r} ms, "
                f"got {self.interval!r}"
            )

    @property
    def jumps(self) -> tuple[float, ...]:
        """Times (ms) at which the current jumps."""
        starts = (self.start + k * self.interval for k in range(self.count))
        return tuple(time for start in starts for time in (start, start + self.duration))

    def charge(self, t: Array) -> Array:
        """Charge (pC) injected from the beginning up to the times ``t`` (ms, any shape)."""
        since = np.asarray(t, float) - self.start
        begun = np.clip(np.floor(since / self.interval), 0, self.count - 1)
        current = np.clip(since - begun * self.interval, 0.0, self.duration)
        return self.amplitude * (begun * self.duration + current)


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """A current that rises in proportion to time, and ends at its greatest.

    Parameters
    ----------
    amplitude : float
        Reached at the end, nA; positive depolarises.
    start, duration : float
        ms; the rate of rise is ``amplitude / duration``.
    at : float or (int, float)
        Position along the axon, um; on a tree also (section, um from its beginning).
    """

    amplitude: float
    start: float = 0.0
    duration: float
    at: Place = 0.0

    def __post_init__(self) -> None:
        finite("Ramp.amplitude", self.amplitude, "nA")
        not_negative("Ramp.start", self.start, "ms")
        positive("Ramp.duration", self.duration, "ms")
        object.__setattr__(self, "at", place("Ramp.at", self.at))

    @property
    def jumps(self) -> tuple[float, ...]:
        """Times (ms) at which the current jumps: at its end."""
        return (self.start + self.duration,)

    def charge(self, t: Array) -> Array:
        """Charge (pC) injected from the beginning up to the times ``t`` (ms, any shape)."""
        since = np.clip(np.asarray(t, float) - self.start, 0.0, self.duration)
        return self.amplitude * since**2 / (2.0 * self.duration)


@dataclass(frozen=True, kw_only=True)
class Synapse:
    """A ligand-gated synapse: a conductance that opens at ``onset`` and closes by itself.

    The current it lets into the axon is g(t) (reversal - V), so it depends on the voltage: excitatory with a
    reversal above threshold (near 0 mV), inhibitory with one near rest, where it acts by shunting.

    ==================  ===========================================================
    ``shape``           g(t), with s = (t - onset) / tau >= 0
    ==================  ===========================================================
    ``"exponential"``   conductance * exp(-s)
    ``"alpha"``         conductance * s * exp(1 - s), greatest at onset + tau
    ==================  ===========================================================

    Parameters
    ----------
    conductance : float
        At its greatest, uS.
    reversal : float
        mV.
    onset, tau : float
        ms. A ``tau`` of ``inf`` with the exponential shape is a conductance that opens and stays open.
    shape : {"exponential", "alpha"}
    at : float or (int, float)
        Position along the axon, um; on a tree also (section, um from its beginning).
    """

    conductance: float
    reversal: float
    onset: float = 0.0
    tau: float
    shape: str = "exponential"
    at: Place = 0.0

    def __post_init__(self) -> None:
        not_negative("Synapse.conductance", self.conductance, "uS")
        finite("Synapse.reversal", self.reversal, "mV")
        not_negative("Synapse.onset", self.onset, "ms")
        if self.shape not in _SHAPES:
            raise ValueError(unknown_name("Synapse.shape", str(self.shape), _SHAPES))
        if self.tau != np.inf or self.shape == "alpha":
            positive("Synapse.tau", self.tau, "ms")
        object.__setattr__(self, "at", place("Synapse.at", self.at))

    @property
    def start(self) -> float:
        """The onset, ms, by the name it has in other stimuli."""
        return self.onset

    @property
    def jumps(self) -> tuple[float, ...]:
        """Times (ms) at which the conductance jumps."""
        return (self.onset,) if self.shape == "exponential" else ()

    @property
    def duration(self) -> float:
        """How long the conductance is above a hundredth of its greatest, ms."""
        return self.tau * _CLOSED[self.shape]

    def opened(self, t: Array) -> Array:
        """Conductance (uS) at the times ``t`` (ms, any shape)."""
        since = np.asarray(t, float) - self.onset
        late = np.maximum(since, 0.0) / self.tau
        g = np.exp(-late) if self.shape == "exponential" else late * np.exp(1.0 - late)
        return np.where(since >= 0, self.conductance * g, 0.0)

    def conducted(self, t: Array) -> Array:
        """Conductance summed over time (uS ms) from the beginning up to the times ``t`` (ms, any shape)."""
        since = np.maximum(np.asarray(t, float) - self.onset, 0.0)
        if self.tau == np.inf:
            return self.conductance * since
        late = since / self.tau
        if self.shape == "exponential":
            return self.conductance * self.tau * -np.expm1(-late)
        return self.conductance * self.tau * np.e * (-np.expm1(-late) - late * np.exp(-late))


@dataclass(frozen=True, kw_only=True)
class Clamp:
    """A voltage clamp: the membrane potential of one compartment is imposed exactly.

    The edges of the clamp are moved to the nearest time step. While it lasts, the compartment nearest to
    ``at`` holds ``voltage`` to the last bit and its neighbours feel just that.

    Parameters
    ----------
    voltage : float
        mV.
    start, duration : float
        ms; a duration of ``inf`` never lets go.
    at : float or (int, float)
        Position along the axon, um; on a tree also (section, um from its beginning).
    """

    voltage: float
    start: float = 0.0
    duration: float = np.inf
    at: Place = 0.0

    def __post_init__(self) -> None:
        finite("Clamp.voltage", self.voltage, "mV")
        not_negative("Clamp.start", self.start, "ms")
        if self.duration != np.inf:
            not_negative("Clamp.duration", self.duration, "ms")
        object.__setattr__(self, "at", place("Clamp.at", self.at))

    def level(self, step: NDArray[np.int64], dt: float) -> Array:
        """Imposed voltage (mV) at the steps ``step`` (time ``step * dt``); nan where the clamp is off."""
        first = round(self.start / dt)
        last = np.inf if self.duration == np.inf else round((self.start + self.duration) / dt)
        return np.where((step >= first) & (step < last), float(self.voltage), np.nan)


Stimulus = Pulse | Train | Ramp | Synapse | Clamp

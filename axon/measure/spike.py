"""The shape of one action potential: threshold, peak, half-width, rates, undershoot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from numpy.typing import ArrayLike

from axon.checks import finite, positive
from axon.errors import unknown_name
from axon.measure.curve import Curve
from axon.measure.landmarks import Landmarks, chosen_peak

MARGIN = 0.01  # of the amplitude: so near to rest is at rest
LEVEL = -20.0  # mV; a spike is an upward crossing of it

METHODS = {
    "curvature": "where d2V/dt2 is greatest",
    "inward_current": "where the net ionic current turns inward",
    "phase_plane": "where dV/dt over V bends upwards most",
}


@dataclass(frozen=True)
class SpikeShape:
    """The shape of one action potential. What was not reached is None, and ``missing`` says why.

    Attributes
    ----------
    rest : float
        Potential that amplitude and undershoot count from, mV.
    method : str
        How the threshold was found; a key of ``METHODS``.
    onset : float or None
        When the voltage left rest for good, ms: it rose through 1 % of the amplitude.
    threshold, threshold_time : float or None
        mV and ms.
    peak, peak_time : float
        mV and ms.
    amplitude : float
        From rest to peak, mV.
    half_width, half_time : float or None
        Time spent above rest + amplitude / 2, and when that begins, ms.
    maximal_rise, maximal_fall : float or None
        Steepest slopes before and after the peak, mV/ms, both positive.
    undershoot : float or None
        Depth of the afterhyperpolarisation below rest, mV, positive.
    trough_time : float or None
        Of its lowest point, ms.
    undershoot_duration : float or None
        From the fall through rest to the return within 1 % of the amplitude, ms.
    missing : mapping of str to str
        Why an attribute is None.
    """

    rest: float
    method: str
    peak: float
    peak_time: float
    amplitude: float
    onset: float | None = None
    threshold: float | None = None
    threshold_time: float | None = None
    half_width: float | None = None
    half_time: float | None = None
    maximal_rise: float | None = None
    maximal_fall: float | None = None
    undershoot: float | None = None
    trough_time: float | None = None
    undershoot_duration: float | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "missing", MappingProxyType(dict(self.missing)))

    def __str__(self) -> str:
        return "\n".join(f"{name:<20}{text}" for name, text in self._lines())

    def _lines(self) -> list[tuple[str, str]]:
        def said(name: str, unit: str, decimals: int = 2) -> str:
            value = getattr(self, name)
            return f"not reached: {self.missing[name]}" if value is None else f"{value:.{decimals}f} {unit}"

        at = "" if self.threshold_time is None else f" at {self.threshold_time:.4f} ms"
        return [
            ("rest", said("rest", "mV")),
            ("threshold", f"{said('threshold', 'mV')}{at} ({METHODS[self.method]})"),
            ("peak", f"{said('peak', 'mV')} at {self.peak_time:.4f} ms"),
            ("amplitude", said("amplitude", "mV")),
            ("half-width", said("half_width", "ms", 4)),
            ("steepest rise", said("maximal_rise", "mV/ms", 1)),
            ("steepest fall", said("maximal_fall", "mV/ms", 1)),
            ("undershoot", said("undershoot", "mV")),
            ("undershoot lasts", said("undershoot_duration", "ms", 3)),
        ]


def spike_shape(
    time: ArrayLike,
    voltage: ArrayLike,
    *,
    rest: float,
    spike: int = 0,
    level: float = LEVEL,
    method: str = "curvature",
    ionic_current: ArrayLike | None = None,
    kinks: Sequence[float] = (),
    margin: float = MARGIN,
) -> SpikeShape:
    """Measure one action potential of a trace, between the samples by a quintic spline.

    Parameters
    ----------
    time, voltage : array_like, (n,)
        ms and mV.
    rest : float
        Resting potential, mV.
    spike : int
        Which spike of the trace, from 0; -1 is the last.
    level : float
        mV; every stretch above it that has a peak of its own is a spike.
    method : str
        How the threshold is found on the way up:

        - ``"curvature"``: where d2V/dt2 is greatest, between rest and the steepest rise;
        - ``"inward_current"``: where the net ionic current last turns from outward to inward before the
          steepest rise, so that the membrane itself takes over from the stimulus or the neighbours (HH 1952,
          part III); needs ``ionic_current``;
        - ``"phase_plane"``: where dV/dt as a function of V bends upwards most, the maximum of
          d2(dV/dt)/dV2 (method II of Sekerli et al., IEEE Trans. Biomed. Eng. 51:1665, 2004). A spike that
          arrives with an exponential foot may bend nowhere; it then has no such threshold.
    ionic_current : array_like, (n,), optional
        Net outward ionic current, in any unit.
    kinks : sequence of float
        Times (ms) of the edges of a stimulus applied here.
    margin : float
        Part of the amplitude that still counts as at rest.

    Returns
    -------
    SpikeShape

    Raises
    ------
    NoSpike
        When the trace never rises above ``level``, has no such spike, or ends while it rises.
    ValueError
        For an unknown method, one that lacks its current, or a trace too sparse for a half-width.
    """
    check_method(method, ionic_current is not None)
    finite("rest", rest, "mV")
    positive("margin", margin, "(part of the amplitude)")
    curve = Curve(time, voltage, kinks)
    current = None if ionic_current is None else Curve(time, ionic_current, kinks)
    return shape_of(Landmarks(curve, rest, chosen_peak(curve, spike, level), margin), method, current)


def shape_of(spike: Landmarks, method: str, current: Curve | None) -> SpikeShape:
    """The shape of a spike from its landmarks; see `spike_shape`."""
    breach = spike.threshold(method, current)
    half, rise, fall, trough = spike.half_way, spike.steepest_rise, spike.steepest_fall, spike.trough
    lasted = None if spike.back is None or spike.fallen is None else spike.back - spike.fallen
    return SpikeShape(
        rest=spike.rest,
        method=method,
        peak=spike.peak.height,
        peak_time=spike.peak.time,
        amplitude=spike.amplitude,
        onset=spike.onset,
        threshold=None if breach is None else spike.curve(breach),
        threshold_time=breach,
        half_width=None if half is None else half[1] - half[0],
        half_time=None if half is None else half[0],
        maximal_rise=None if rise is None else rise[1],
        maximal_fall=None if fall is None else -fall[1],
        undershoot=None if trough is None else spike.rest - trough[1],
        trough_time=None if trough is None else trough[0],
        undershoot_duration=lasted,
        missing=spike.missing,
    )


def check_method(method: str, has_current: bool) -> None:
    """Raise ``ValueError`` for a way to find the threshold that does not exist or lacks its current."""
    if method not in METHODS:
        raise ValueError(unknown_name("method", method, METHODS))
    if method == "inward_current" and not has_current:
        raise ValueError(
            'method "inward_current" needs the ionic currents, and they are not known; '
            'record the gates (gates=True) or the currents, or use method="curvature"'
        )

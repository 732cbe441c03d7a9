"""Time series as stability analysis takes them: gaps and outliers found, drift removed, and all of it stated."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Kind = Literal["phase", "frequency"]
Drift = Literal["none", "linear", "quadratic", "endpoint"]
_WINDOW = 11  # points of the running median that outliers are measured from


@dataclass(frozen=True)
class Treatment:
    """What was done to a series before it was analysed.

    `gaps` and `outliers` are indices of values that are not used; `drift` the frequency drift taken away:
    (per s) for linear and endpoint, (per s, per s²) for quadratic: y = y0 + drift[0] t + drift[1] t².
    """

    gaps: tuple[int, ...] = ()
    outliers: tuple[int, ...] = ()
    outlier_threshold: float | None = None
    drift_removal: Drift = "none"
    drift: tuple[float, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The same in sentences; none where nothing was done."""
        told = []
        if self.gaps:
            told.append(f"{len(self.gaps)} values are missing; differences that span one are left out.")
        if self.outliers:
            told.append(
                f"{len(self.outliers)} values are farther than {self.outlier_threshold:g} robust standard"
                " deviations from the running median and are left out."
            )
        if self.drift_removal != "none":
            names = {"linear": "A linear", "quadratic": "A quadratic", "endpoint": "A linear (three-point)"}
            told.append(
                f"{names[self.drift_removal]} frequency drift of {self.drift[0]:.3g} per s was removed."
            )
        return tuple(told)


@dataclass(frozen=True)
class Series:
    """A phase record ready for analysis: `phase` (n,) in s (or unit of the values times s), every `interval` s.

    `missing` marks what is not there: phase points (n,) where `kind` is phase, the n − 1 steps between them
    where it is frequency. Phases there are filled in and only the total deviation uses them.
    """

    phase: Reals
    interval: float
    kind: Kind
    missing: Flags
    treatment: Treatment = Treatment()

    @property
    def frequency(self) -> Reals:
        """The frequency values (n − 1,), NaN where missing."""
        y = np.diff(self.phase) / self.interval
        gone = self.missing if self.kind == "frequency" else self.missing[1:] | self.missing[:-1]
        return np.where(gone, np.nan, y)


def series(
    values: ArrayLike,
    interval: float,
    kind: Kind = "frequency",
    *,
    outliers: float | None = None,
    drift: Drift = "none",
) -> Series:
    """Return values (n,), taken every `interval` s without dead time, as a series to analyse.

    `kind` phase: x(t) in s; frequency: y, fractional or in any unit (deviations then have that unit). NaN and
    infinite values are gaps. `outliers` is a threshold in robust standard deviations (1.4826 MAD) from a
    running median of 11 values; None keeps all. Raises UsageError for fewer than 3 values.
    Source of the drift estimators: Riley, NIST SP1065 (2008).
    """
    given = np.array(values, dtype=float).ravel()
    if not interval > 0:
        raise UsageError(f"The interval between values is {interval:g} s.", "Give a time above 0.")
    gone = ~np.isfinite(given)
    if len(given) - int(gone.sum()) < 3:
        raise UsageError("Fewer than 3 values: there is no stability to tell.", "Take more data.")
    gaps = tuple(np.flatnonzero(gone).tolist())
    given = _filled(given, gone)
    far: tuple[int, ...] = ()
    if outliers is not None:
        strange = find_outliers(given, outliers) & ~gone
        far, gone = tuple(np.flatnonzero(strange).tolist()), gone | strange
        given = _filled(given, gone)
    given, removed = _without_drift(given, gone, interval, kind, drift)
    if kind == "frequency":
        # Deviations do not see a mean frequency, and without it the running sum keeps its digits.
        given = given - float(given[~gone].mean())
        given = np.concatenate(([0.0], np.cumsum(given))) * interval
    return Series(given, interval, kind, gone, Treatment(gaps, far, outliers, drift, removed))


def find_outliers(values: ArrayLike, threshold: float = 6.0) -> Flags:
    """Return which values (n,) lie farther than `threshold` · 1.4826 MAD from a running median of 11 values.

    The running median follows drifts and steps, the MAD is that of the distances: neither is moved by outliers
    of less than about a third of the data. Sources: Hampel, JASA 69, 383 (1974); Riley, NIST SP1065 (2008).
    """
    from scipy.ndimage import median_filter

    given = np.asarray(values, dtype=float)
    apart = np.abs(given - median_filter(given, size=min(_WINDOW, len(given)), mode="nearest"))
    near = apart[apart > 0]
    scale = 1.4826 * float(np.median(near)) if near.size else 0.0
    return np.asarray(apart > threshold * scale) if scale > 0 else np.zeros(len(given), dtype=bool)


def _filled(values: Reals, gone: Flags) -> Reals:
    if not gone.any():
        return values
    at = np.arange(len(values))
    return np.interp(at, at[~gone], values[~gone])


def _without_drift(
    values: Reals, gone: Flags, interval: float, kind: Kind, drift: Drift
) -> tuple[Reals, tuple[float, ...]]:
    if drift == "none":
        return values, ()
    count = len(values)
    if drift == "endpoint":
        return _endpoint(values, interval, kind)
    order = 1 if drift == "linear" else 2
    t = (np.arange(count) - (count - 1) / 2) / max(
        count - 1, 1
    )  # of order one, so that powers are well behaved
    degree = order + (1 if kind == "phase" else 0)
    coefficients = np.polynomial.polynomial.polyfit(t[~gone], values[~gone], degree)
    span = (count - 1) * interval
    slopes = np.polynomial.Polynomial(coefficients)
    y = slopes.deriv() if kind == "phase" else slopes
    scale = span if kind == "phase" else 1.0
    found = [float(y.deriv(k)(0.0)) / (scale * span**k * (1 if k == 1 else 2)) for k in range(1, order + 1)]
    return values - slopes(t), tuple(found)


def _endpoint(values: Reals, interval: float, kind: Kind) -> tuple[Reals, tuple[float, ...]]:
    phase = (
        values if kind == "phase" else np.concatenate(([0.0], np.cumsum(values - values.mean()))) * interval
    )
    last = len(phase) - 1
    middle = last // 2
    first, second = middle * interval, (last - middle) * interval
    slopes = (phase[middle] - phase[0]) / first, (phase[last] - phase[middle]) / second
    rate = float(2 * (slopes[1] - slopes[0]) / (first + second))
    t = np.arange(len(values)) * interval
    return values - (rate * t**2 / 2 if kind == "phase" else rate * t), (rate,)

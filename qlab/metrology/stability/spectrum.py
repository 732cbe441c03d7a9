"""Power spectral densities, one-sided, with χ² confidence bands: Welch's and Thomson's multitaper method."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.curves import Curve
from qlab.metrology.stability.freedom import interval as chi2_interval
from qlab.metrology.stability.series import Flags, Reals

Method = Literal["welch", "multitaper"]
_SOURCES = {
    "welch": "Welch, IEEE TAU 15, 70 (1967)",
    "multitaper": "Thomson, Proc. IEEE 70, 1055 (1982)",
}


@dataclass(frozen=True)
class Spectrum:
    """A one-sided power spectral density S1(f) (k,): its integral over f ≥ 0 is the variance.

    `frequency` in Hz, `density` in unit²/Hz, `low` to `high` the band of probability `confidence` from χ² with
    `freedom` (k,) degrees. `bandwidth`: equivalent noise bandwidth (Hz); `correlated`: how many neighbouring
    bins count as one independent one. The name says one-sided because clocks and spins differ by this factor 2.
    """

    frequency: Reals
    density: Reals
    low: Reals
    high: Reals
    freedom: Reals
    unit: str
    method: Method
    bandwidth: float
    correlated: float
    confidence: float
    statements: tuple[str, ...] = ()

    @property
    def density_unit(self) -> str:
        """The unit of the density."""
        return "1/Hz" if self.unit == "1" else f"({self.unit})^2/Hz"

    def curve(self, *, amplitude: bool = False) -> Curve:
        """Return it as a curve; `amplitude` gives the square root, in unit/√Hz. Without the bin at f = 0."""
        shown = slice(1, None)
        value, low, high = (
            np.sqrt(v[shown]) if amplitude else v[shown] for v in (self.density, self.low, self.high)
        )
        name, unit = ("amplitude", f"{self.unit}/sqrt(Hz)") if amplitude else ("power", self.density_unit)
        return Curve(
            f"S1_{name}", f"one-sided {name} spectral density", self.frequency[shown], value, low, high,
            x_label="frequency", x_unit="Hz", unit=unit, confidence=self.confidence,
            definition="∫₀^∞ S1(f) df = variance", source=_SOURCES[self.method], statements=self.statements,
        )  # fmt: skip


def spectrum(
    values: ArrayLike,
    interval: float,
    *,
    method: Method = "welch",
    segment: int | None = None,
    time_bandwidth: float = 4.0,
    confidence: float = 0.683,
    unit: str = "1",
) -> Spectrum:
    """Return the one-sided power spectral density of values (n,) taken every `interval` s.

    welch: Hann windows of `segment` values (default n/8), half overlapping, each without its mean; segments
    with a gap (NaN) are left out. multitaper: 2·time_bandwidth − 1 Slepian tapers over the whole record, gaps
    interpolated; resolution 2·time_bandwidth/(n·interval). Both state what they did with gaps.
    Sources: Welch, IEEE TAU 15, 70 (1967); Thomson, Proc. IEEE 70, 1055 (1982); Percival and Walden (1993).
    """
    given = np.asarray(values, dtype=float).ravel()
    gone: Flags = ~np.isfinite(given)
    if len(given) - int(gone.sum()) < 8 or not interval > 0:
        raise UsageError("Fewer than 8 values or no interval: there is no spectrum.", "Take more data.")
    if method == "multitaper":
        parts, told = _multitaper(given, gone, time_bandwidth)
    else:
        parts, told = _welch(given, segment or max(len(given) // 8, 8))
    length, power, freedom, bandwidth, correlated = parts
    density = power * 2 * interval
    degrees = np.full(len(density), freedom)
    density[0] /= 2
    degrees[0] /= 2
    if length % 2 == 0:
        density[-1] /= 2
        degrees[-1] /= 2
    factors = {f: chi2_interval(1.0, f, confidence) for f in set(degrees.tolist())}
    low, high = (density * np.array([factors[f][side] for f in degrees.tolist()]) for side in (0, 1))
    return Spectrum(
        np.asarray(np.fft.rfftfreq(length, interval), dtype=float), density, low, high, degrees, unit, method,
        bandwidth / interval, correlated, confidence, told,
    )  # fmt: skip


_Parts = tuple[
    int, Reals, float, float, float
]  # length, mean |FFT|², freedom, bandwidth (1/step), correlated


def _welch(values: Reals, length: int) -> tuple[_Parts, tuple[str, ...]]:
    length = min(length, len(values))
    step = max(length // 2, 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    square = float(np.dot(window, window))
    starts = np.arange(0, len(values) - length + 1, step)
    pieces = np.lib.stride_tricks.sliding_window_view(values, length)[starts]
    whole: Flags = np.asarray(np.isfinite(pieces).all(axis=1))
    pieces = pieces[whole]
    if not len(pieces):
        raise UsageError(
            f"No {length} values in a row are without a gap.", "Choose shorter segments, or multitaper."
        )
    pieces = (pieces - pieces.mean(axis=1, keepdims=True)) * window
    power = np.mean(np.abs(np.fft.rfft(pieces, axis=1)) ** 2, axis=0) / square
    count = len(pieces)
    inflation = 1.0
    for j in range(1, min(-(-length // step), count)):
        shared = float(np.dot(window[j * step :], window[: length - j * step])) / square
        inflation += 2 * (1 - j / count) * shared**2
    left_out = int((~whole).sum())
    told = (f"{left_out} of {len(whole)} segments have gaps and are left out.",) if left_out else ()
    bandwidth = square / float(window.sum()) ** 2
    correlated = length * float(np.sum(window**4)) / square**2
    return (length, power, 2 * count / inflation, bandwidth, correlated), told


def _multitaper(values: Reals, gone: Flags, time_bandwidth: float) -> tuple[_Parts, tuple[str, ...]]:
    from scipy.signal.windows import dpss

    count = len(values)
    told: tuple[str, ...] = ()
    missing = int(np.count_nonzero(gone))
    if missing:
        at = np.arange(count)
        there = ~np.asarray(gone, dtype=bool)
        values = np.interp(at, at[there], values[there])
        told = (f"{missing} missing values were interpolated.",)
    tapers = np.atleast_2d(dpss(count, time_bandwidth, max(int(2 * time_bandwidth) - 1, 1)))
    lines = np.fft.rfft((values - values.mean()) * tapers, axis=1)
    power = np.mean(np.abs(lines) ** 2, axis=0)
    many = len(tapers)
    correlated = count * float(np.sum(np.sum(tapers**2, axis=0) ** 2)) / many
    return (count, power, 2.0 * many, 2 * time_bandwidth / count, correlated), told

"""A tone in a long record of counts: its frequency, amplitude and phase by maximum likelihood, and their bounds.

For a record y_i = level + a cos(2 pi f t_i + phase) + noise, i < M, evenly `step` apart, the least-squares values are
those of maximum likelihood for white noise, and the Cramer-Rao bounds are sigma_f = sqrt(6)/(pi step M^(3/2)) sigma/a,
sigma_a = sqrt(2/M) sigma (Rife and Boorstyn, IEEE TIT 20, 591 (1974); M large, f away from 0 and the Nyquist
frequency by more than a few 1/(M step)).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.metrology.curves import Curve

Floats = NDArray[np.float64]
RIFE = "Rife and Boorstyn, IEEE Trans. Inf. Theory 20, 591 (1974)"
SHOWN = 4000  # places of a spectrum that is drawn


@dataclass(frozen=True)
class Tone:
    """A tone found in a record: values with one standard deviation; frequency in Hz, phase at t = 0 in rad.

    `sigma` is the noise of one sample, `bound_frequency` the Cramer-Rao bound of the frequency for it, `signal` the
    amplitude over its own error, and `chance` how likely white noise alone has as high a line anywhere.
    """

    frequency: float
    frequency_error: float
    amplitude: float
    amplitude_error: float
    phase: float
    phase_error: float
    level: float
    sigma: float
    bound_frequency: float
    signal: float
    chance: float


def frequency_bound(samples: float, step: float, ratio: float) -> float:
    """Return the Cramer-Rao bound of a tone's frequency in Hz; `ratio` is its amplitude over the noise of a sample."""
    return float(math.sqrt(6) / (math.pi * step * ratio * samples**1.5))


def aliased(frequency: float, step: float) -> float:
    """Return |f - round(f step)/step|: where a tone of f Hz shows in a record sampled each `step` s."""
    return abs(frequency - round(frequency * step) / step)


def unfolded(alias: float, step: float, near: float) -> float:
    """Return the frequency that shows at `alias` and lies closest to `near` Hz."""
    whole = round(near * step)
    found = [n / step + side * alias for n in (whole - 1, whole, whole + 1) for side in (1, -1)]
    return min(found, key=lambda f: abs(f - near))


def find_tone(record: Floats, step: float, low: float = 0.0, high: float = math.inf) -> Tone:
    """Return the strongest tone of a record (M,) sampled each `step` s, between `low` and `high` Hz.

    A zero-padded periodogram says where it is; Gauss-Newton on all samples says exactly. Raises UsageError for a
    record of fewer than 16 samples or without any variation.
    """
    y = np.asarray(record, dtype=float)
    count = len(y)
    if count < 16 or not np.ptp(y) > 0:
        raise UsageError("This record is too short, or has no variation.", "Record more.")
    # Two samples for each independent frequency; the top is then within a quarter of one.
    padded = 1 << math.ceil(math.log2(2 * count))
    power = np.abs(np.fft.rfft(y - y.mean(), padded)) ** 2
    frequency = np.arange(len(power)) / (padded * step)
    # Close to 0 and to the Nyquist frequency a tone cannot be told from its mirror image.
    margin = 1.5 / (count * step)
    inside = (frequency >= max(low, margin)) & (frequency <= min(high, frequency[-1] - margin))
    if not inside.any():
        raise UsageError("There is no frequency to look at.", "Widen the range.")
    best = int(np.argmax(np.where(inside, power, -1.0)))
    return _refined(y, step, float(frequency[best]), float(inside.sum()) * count / padded)


def _refined(y: Floats, step: float, frequency: float, places: float) -> Tone:
    count = len(y)
    # Times from the middle: frequency and phase are then independent, and the phase is exact to the last digit.
    t = (np.arange(count) - (count - 1) / 2) * step
    design = np.empty((count, 4))
    design[:, 0] = 1.0
    values, covariance = np.zeros(4), np.zeros((4, 4))
    for _ in range(12):
        turn = 2 * np.pi * frequency * t
        design[:, 1], design[:, 2] = np.cos(turn), np.sin(turn)
        linear = design[:, :3]
        level, c, s = np.linalg.solve(linear.T @ linear, linear.T @ y)
        design[:, 3] = 2 * np.pi * t * (s * design[:, 1] - c * design[:, 2])
        covariance = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
        rest = y - linear @ np.array([level, c, s])
        change = float((covariance @ (design.T @ rest))[3])
        values = np.array([level, c, s, frequency])
        frequency += float(np.clip(change, -0.5 / (count * step), 0.5 / (count * step)))
        if abs(change) < 1e-4 * math.sqrt(max(float(covariance[3, 3] * (rest @ rest)), 0.0) / count):
            break
    sigma = math.sqrt(float(rest @ rest) / (count - 4))
    error = sigma * np.sqrt(np.diag(covariance))
    level, c, s, _ = values
    amplitude = math.hypot(c, s)
    phase_middle = math.atan2(-s, c)
    early = 2 * np.pi * frequency * (count - 1) / 2 * step
    phase_error = math.hypot(error[1] / max(amplitude, 1e-300), 2 * np.pi * (count - 1) / 2 * step * error[3])
    # The periodogram of white noise is exponential: M a^2/(4 sigma^2) of its mean.
    height = count * amplitude**2 / (4 * sigma**2)
    chance = -math.expm1(places * math.log1p(-math.exp(-height))) if height < 700 else 0.0
    return Tone(
        float(frequency), float(error[3]), amplitude, float(error[1]), math.remainder(phase_middle - early, 2 * np.pi),
        phase_error, float(level), sigma, frequency_bound(count, step, amplitude / sigma), amplitude / float(error[1]),
        chance,
    )  # fmt: skip


def tone_spectrum(record: Floats, step: float, window: str = "none") -> tuple[Floats, Floats]:
    """Return frequencies (Hz) and amplitudes of a record's spectrum; a tone's line is as high as its amplitude.

    `window` "none" is the narrowest, "hann" leaks least.
    """
    y = np.asarray(record, dtype=float)
    weight = np.hanning(len(y)) if window == "hann" else np.ones(len(y))
    height = 2 * np.abs(np.fft.rfft((y - y.mean()) * weight)) / weight.sum()
    return np.asarray(np.fft.rfftfreq(len(y), step)[1:], dtype=np.float64), np.asarray(height[1:])


def spectrum_curve(record: Floats, step: float, tone: Tone | None, window: str = "none") -> Curve:
    """Return the amplitude spectrum to be drawn, its noise floor, and the least amplitude that shows.

    Of many frequencies that share a place the highest line is drawn, so that none is lost.
    """
    frequency, height = tone_spectrum(record, step, window)
    if len(frequency) > SHOWN:
        # The neighbourhood of the tone is drawn line by line, the rest in columns.
        edges = np.linspace(0, len(frequency), SHOWN + 1).astype(int)
        top = np.array([a + int(np.argmax(height[a:b])) for a, b in pairwise(edges)])
        if tone is not None:
            middle = int(np.argmin(np.abs(frequency - tone.frequency)))
            top = np.union1d(top, np.arange(max(0, middle - 40), min(len(frequency), middle + 41)))
        frequency, height = frequency[top], height[top]
    count = len(record)
    sigma = float(np.std(record)) if tone is None else tone.sigma
    # A line of white noise alone: Rayleigh, mean sigma sqrt(pi/M), 68 % between 0.59 and 1.91 of sigma sqrt(2/M).
    spread = sigma * math.sqrt(2 / count)
    curve = Curve(
        name="spectrum", label="amplitude spectrum", x=frequency, y=height,
        low=np.maximum(height - spread, height * 0.3), high=height + spread, x_label="frequency", x_unit="Hz",
        unit="photons", logarithmic=False,
        definition=f"2|FFT|/M of {count} readouts, window: {window}; of many lines in one place the highest",
        source=RIFE,
    )  # fmt: skip
    ends = np.array([frequency[0], frequency[-1]])
    rms = 2 * sigma / math.sqrt(count)
    curve = curve.with_limit("photon noise (rms of a line)", ends, np.full(2, rms), RIFE)
    # One false line in 20 records: exp(-h) M/2 = 0.05.
    least = 2 * sigma / math.sqrt(count) * math.sqrt(math.log(count / 2 / 0.05))
    return curve.with_limit("line that noise exceeds in 5 % of records", ends, np.full(2, least), RIFE)

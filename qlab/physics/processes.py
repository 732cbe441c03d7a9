"""Random processes: Ornstein-Uhlenbeck, telegraph, 1/f, white and random-walk noise, seeded, with exact statistics.

Each generator takes a seed and a stream, and gives the same numbers for the same two. S1 is a one-sided spectrum
in unit^2/Hz of the frequency f in Hz.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError

Floats = NDArray[np.float64]
ALIASES = 200  # of a spectrum beyond the sampling rate that an average over a sample still sees


def generator(seed: int, stream: int) -> np.random.Generator:
    """Return the random numbers of one stream of a seed."""
    return np.random.Generator(np.random.Philox(key=[seed, stream]))


def ornstein_uhlenbeck(
    sigma: float, tau_c: float, step: float, count: int, *, seed: int, stream: int = 0, paths: int = 1
) -> Floats:
    """Return stationary paths (paths, count) with covariance sigma^2 exp(-|t|/tau_c), sampled every `step` s.

    Exact for any step: x' = x exp(-step/tau_c) + sigma sqrt(1 - exp(-2 step/tau_c)) xi.
    """
    from scipy.signal import lfilter

    _check(sigma=sigma, tau_c=tau_c, step=step, count=count)
    if tau_c == 0 or count == 0:
        return sigma * generator(seed, stream).standard_normal((paths, count))
    kept = math.exp(-step / tau_c)
    xi = generator(seed, stream).standard_normal((paths, count))
    xi[:, 1:] *= math.sqrt(-math.expm1(-2 * step / tau_c))
    return np.asarray(sigma * lfilter([1.0], [1.0, -kept], xi, axis=1))


def telegraph(
    up: float, down: float, step: float, count: int, *, seed: int, stream: int = 0, paths: int = 1
) -> Floats:
    """Return stationary paths (paths, count) of +1 and -1, sampled every `step` s.

    `up` is the rate (1/s) from -1 to +1, `down` that from +1 to -1. Mean (up - down)/(up + down), covariance
    4 up down/(up + down)^2 exp(-(up + down)|t|). Exact for any step.
    """
    _check(up=up, down=down, step=step, count=count)
    total = up + down
    if total == 0:
        raise UsageError("A telegraph that never switches has no mean.", "Give a rate above 0.")
    share, kept = up / total, math.exp(-total * step)
    draw = generator(seed, stream).random((paths, count))
    # With probability `kept` the state stays what it was; else it is drawn anew.
    fresh = draw >= kept
    state = np.where((draw - kept) / max(1 - kept, 1e-300) < share, 1.0, -1.0)
    if count:
        fresh[:, 0] = True
        state[:, 0] = np.where(draw[:, 0] < share, 1.0, -1.0)
    last = np.maximum.accumulate(np.where(fresh, np.arange(count), 0), axis=1)
    return np.asarray(np.take_along_axis(state, last, axis=1))


def white(s1: float, step: float, count: int, *, seed: int, stream: int = 0, paths: int = 1) -> Floats:
    """Return averages over `step` s of white noise with the one-sided spectrum `s1`; (paths, count)."""
    _check(s1=s1, step=step, count=count)
    return math.sqrt(s1 / (2 * step)) * generator(seed, stream).standard_normal((paths, count))


def random_walk(
    s1_times_f2: float, step: float, count: int, *, seed: int, stream: int = 0, paths: int = 1
) -> Floats:
    """Return averages over `step` s of a walk with S1(f) = s1_times_f2/f^2 that starts at 0; (paths, count).

    The walk's variance grows by 2 pi^2 s1_times_f2 a second. Exact: end and average of each step are drawn
    together.
    """
    _check(s1_times_f2=s1_times_f2, step=step, count=count)
    scale = math.sqrt(2 * math.pi**2 * s1_times_f2 * step)
    ends, inside = generator(seed, stream).standard_normal((2, paths, count))
    start = np.cumsum(ends, axis=1) - ends
    return np.asarray(scale * (start + ends / 2 + inside / math.sqrt(12)))


def flicker(
    s1_times_f: float, step: float, count: int, *, seed: int, stream: int = 0, paths: int = 1
) -> Floats:
    """Return averages over `step` s of noise with S1(f) = s1_times_f/f; (paths, count).

    The spectrum begins at 1/(8 count step): slower parts would be constants of the record.
    """
    _check(s1_times_f=s1_times_f)
    return from_spectrum(lambda f: s1_times_f / f, step, count, seed=seed, stream=stream, paths=paths)


def from_spectrum(
    s1: Callable[[Floats], Floats],
    step: float,
    count: int,
    *,
    seed: int,
    stream: int = 0,
    paths: int = 1,
    longer: int = 8,
) -> Floats:
    """Return averages over `step` s of Gaussian noise with a one-sided spectrum s1(f); (paths, count).

    What an average over a sample lets through, aliases included, is put on the Fourier components of a record
    `longer` times as long (Timmer & Koenig, A&A 300, 707 (1995)), of which a part is returned.
    """
    _check(step=step, count=count)
    if count == 0:
        return np.zeros((paths, 0))
    size = 1 << (longer * count - 1).bit_length()
    f = np.arange(1, size // 2 + 1) / (size * step)
    seen = np.zeros(len(f))
    rate = 1 / step
    for k in range(-ALIASES, ALIASES + 1) if len(f) <= 1 << 12 else range(-20, 21):
        shifted = np.abs(f + k * rate)
        seen += s1(np.maximum(shifted, f[0])) * np.sinc(shifted * step) ** 2
    if not np.isfinite(seen).all() or seen.min() < 0:
        raise UsageError("The spectrum is negative or not finite.", "Check it at all frequencies above 0.")
    rng = generator(seed, stream)
    amplitude = np.sqrt(seen / (size * step)) / 2  # of cosine and sine, two-sided, variance S1 df/2
    spectrum = np.zeros((paths, size // 2 + 1), dtype=complex)
    draws = rng.standard_normal((2, paths, len(f)))
    spectrum[:, 1:] = amplitude * (draws[0] + 1j * draws[1])
    spectrum[:, -1] = math.sqrt(2) * spectrum[:, -1].real
    return np.asarray(np.fft.irfft(spectrum, n=size, axis=1)[:, :count] * size)


def sum_of_ou(low: float, high: float, s1_times_f: float, per_decade: int = 3) -> tuple[Floats, Floats]:
    """Return (sigmas, tau_cs) of independent OU processes whose spectra add to about s1_times_f/f.

    Between `low` and `high` Hz to 5 %: corner frequencies evenly spaced in log f, equal variances.
    """
    _check(low=low, high=high, s1_times_f=s1_times_f)
    if not 0 < low < high:
        raise UsageError("A band from low to high frequency is needed.", "Give 0 < low < high.")
    decades = math.log10(high / low) + 4  # two more at either end, so that the band itself is even
    count = max(2, math.ceil(decades * per_decade)) + 1
    corners = np.geomspace(low / 100, high * 100, count)
    # S1 = 4 sigma^2 tau/(1 + (2 pi f tau)^2); the sum over d(ln tau) is sigma^2/(f d(ln tau)).
    sigma = math.sqrt(s1_times_f * math.log(corners[1] / corners[0]))
    return np.full(count, sigma), 1 / (2 * np.pi * corners)


def _check(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (math.isfinite(value) and value >= 0) or (name == "step" and value == 0):
            raise UsageError(f"Noise cannot have {name} = {value}.", "It is finite and not negative.")

"""Power-law noise S1_y(f) = Σ h_α f^α: its coefficients from a spectrum, its deviations, and samples of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.stability.deviations import estimator_of
from qlab.metrology.stability.series import Reals
from qlab.metrology.stability.spectrum import Spectrum

ALPHAS = (2, 1, 0, -1, -2)


@dataclass(frozen=True)
class PowerLaws:
    """Coefficients `h` of the one-sided S1_y(f) = Σ h[α] f^α, with one standard deviation each in `error`.

    A coefficient at 0 is one that the data do not show: its error is then an upper limit.
    Unit: unit²·Hz^(−1−α).
    """

    h: dict[int, float]
    error: dict[int, float]

    def density(self, frequency: ArrayLike) -> Reals:
        """Return S1_y at frequencies (k,) in Hz."""
        f = np.asarray(frequency, dtype=float)
        return np.asarray(sum((h * f ** float(a) for a, h in self.h.items()), np.zeros_like(f)))


def fit_power_laws(measured: Spectrum, alphas: Sequence[int] = ALPHAS) -> PowerLaws:
    """Return the power-law coefficients of a spectrum, none negative, by maximum likelihood.

    The bins are χ² distributed; the likelihood is climbed by Fisher scoring with non-negative least squares.
    Errors from the Fisher information, with neighbouring bins counted as `measured.correlated` to one.
    Source: Whittle likelihood, Percival and Walden (1993), chapter 6.
    """
    from scipy.optimize import nnls

    # The lowest bins carry the window's leakage of the mean.
    first = max(1, round(2 * measured.correlated))
    inside = slice(first, -1 if len(measured.frequency) > first + 2 else None)
    f, s = measured.frequency[inside], measured.density[inside]
    weight = np.sqrt(measured.freedom[inside] / 2)
    columns = np.stack([f ** float(a) for a in alphas], axis=1)
    scale = 1 / np.array([float(np.mean(c / s)) for c in columns.T])
    shapes = columns * scale
    model, h = s, np.zeros(len(alphas))
    for _ in range(100):
        new, _ = nnls(shapes * (weight / model)[:, None], s * weight / model)
        model = np.maximum(shapes @ new, 1e-12 * s)
        if np.allclose(new, h, rtol=1e-9, atol=0):
            break
        h = new
    information = (shapes * (weight / model)[:, None]).T @ (shapes * (weight / model)[:, None])
    information /= measured.correlated
    active = h > 0
    error = 1 / np.sqrt(np.diag(information))
    if active.any():
        error[active] = np.sqrt(np.diag(np.linalg.pinv(information[np.ix_(active, active)])))
    named = [dict(zip(alphas, (v * scale).tolist(), strict=True)) for v in (h, error)]
    return PowerLaws(*named)


def power_law_deviation(
    h: Mapping[int, float], tau: ArrayLike, estimator: str = "adev", *, cutoff: float = math.inf
) -> Reals:
    """Return the deviation (k,) at tau (k,) of S1_y(f) = Σ h[α] f^α up to the frequency `cutoff` (Hz).

    For adev, oadev, mdev, tdev, hdev, ohdev; the phase noises α = 1, 2 need a cutoff (1/(2·interval) for samples)
    much above 1/τ. Modified ones are for many samples per τ, taken at 2·cutoff.
    Sources: IEEE Std 1139-2008, table B.2; Riley, NIST SP1065 (2008); physics.md P20.
    """
    chosen = estimator_of(estimator)
    t = np.asarray(tau, dtype=float)
    if any(h.get(a, 0) for a in (1, 2)) and not math.isfinite(cutoff):
        raise UsageError("Phase noise without a cutoff has an infinite variance.", "Give `cutoff` in Hz.")
    kind = "mod" if chosen.modified else "hadamard" if chosen.order == 3 else "allan"
    total = np.zeros_like(t)
    for alpha, value in h.items():
        if value:
            total = total + value * _one(kind, alpha, t, cutoff)
    return np.asarray(np.sqrt(total) * (t / math.sqrt(3) if chosen.time else 1))


def _one(kind: str, alpha: int, t: Reals, cutoff: float) -> Reals:
    pi2, ln = math.pi**2, math.log
    flat = np.ones_like(t)
    if alpha == 2:
        per = {"allan": 3 / (4 * pi2), "hadamard": 5 / (6 * pi2), "mod": 0.0}[kind]
        return np.asarray(3 / (8 * pi2 * t**3) if kind == "mod" else per * cutoff / t**2)
    if alpha == 1:
        # Euler's constant from the cosine integral; Hadamard by the same route.
        logarithm = np.log(2 * np.pi * cutoff * t) + 0.5772156649015329
        by_kind = {
            "allan": (3 * logarithm - ln(2)) / (4 * pi2),
            "hadamard": (10 * logarithm + ln(3) - 6 * ln(2)) / (12 * pi2),
            "mod": 3 * ln(256 / 27) / (8 * pi2) * flat,
        }
        return np.asarray(by_kind[kind] / t**2)
    table = {
        0: {"allan": 0.5 / t, "hadamard": 0.5 / t, "mod": 0.25 / t},
        -1: {
            "allan": 2 * ln(2) * flat,
            "hadamard": 0.5 * ln(256 / 27) * flat,
            "mod": (27 / 8 * ln(3) - 4 * ln(2)) * flat,
        },
        -2: {"allan": 2 * pi2 / 3 * t, "hadamard": pi2 / 3 * t, "mod": 11 * pi2 / 20 * t},
    }
    if alpha not in table:
        raise UsageError(f"There is no closed form for f^{alpha} noise.", "Use deviation_from_psd.")
    return np.asarray(table[alpha][kind])


def deviation_from_psd(
    frequency: ArrayLike,
    density: ArrayLike,
    tau: ArrayLike,
    estimator: str = "adev",
    *,
    interval: float = 0.0,
) -> Reals:
    """Return the deviation (k,) at tau (k,) of a sampled one-sided S1_y(f): frequency, density (n,).

    σ² = ∫ S1_y(f) |H(f)|² df by trapezoids over the given frequencies, which have to resolve 1/τ; modified ones
    need the sampling `interval` (s). Allan |H|² = 2 sin⁴(πfτ)/(πfτ)², Hadamard (8/3) sin⁶(πfτ)/(πfτ)², modified:
    Allan's times [sin(πfτ)/(m sin(πfτ0))]². Source: IEEE Std 1139-2008; Riley, NIST SP1065 (2008).
    """
    chosen = estimator_of(estimator)
    f = np.asarray(frequency, dtype=float)
    s = np.asarray(density, dtype=float)
    f, s = f[f > 0], s[f > 0]
    found = []
    for t in np.atleast_1d(np.asarray(tau, dtype=float)):
        found.append(math.sqrt(float(np.trapezoid(s * transfer(f, float(t), estimator, interval), f))))
        if chosen.time:
            found[-1] *= float(t) / math.sqrt(3)
    return np.array(found)


def transfer(frequency: Reals, tau: float, estimator: str = "adev", interval: float = 0.0) -> Reals:
    """Return |H(f)|² (n,) with σ_y² = ∫ S1_y |H|² df for a deviation of frequency; see deviation_from_psd."""
    chosen = estimator_of(estimator)
    u = np.pi * frequency * tau
    power, scale = (6, 8 / 3) if chosen.order == 3 else (4, 2.0)
    response = scale * np.sin(u) ** power / u**2
    if chosen.modified:
        if not interval > 0:
            raise UsageError("A modified deviation averages samples.", "Give their `interval` in s.")
        m = round(tau / interval)
        fine = np.sin(np.pi * frequency * interval)
        response = response * (np.sin(u) / (m * np.where(fine == 0, 1, fine))) ** 2
    return np.asarray(response)


def sample_power_law(
    count: int, interval: float, h: Mapping[int, float], random: np.random.Generator
) -> Reals:
    """Return `count` frequency values (count,) every `interval` s with S1_y(f) = Σ h[α] f^α for f ≪ 1/interval.

    Filtered white noise, (1 − z⁻¹)^(α/2). Source: Kasdin and Walter, IEEE FCS (1992), 274; any real α.
    """
    total = np.zeros(count)
    size = 1 << (2 * count - 1).bit_length()
    for alpha, value in h.items():
        k = np.arange(1, count)
        response = np.concatenate(([1.0], np.cumprod((k - 1 - alpha / 2) / k)))
        sigma = math.sqrt(value / (2 * interval * (2 * math.pi * interval) ** alpha))
        white = random.normal(0, sigma, count)
        total += np.fft.irfft(np.fft.rfft(response, size) * np.fft.rfft(white, size), size)[:count]
    return total

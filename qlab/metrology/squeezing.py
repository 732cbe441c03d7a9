"""Spin squeezing from a state or from measured moments: Kitagawa–Ueda and Wineland, as separate numbers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.metrology.field import Measured


@dataclass(frozen=True)
class Squeezing:
    """Squeezing of N spins 1/2: variance ratios, below 1 where squeezed, with one standard deviation.

    `kitagawa_ueda` ξ_S² = 4·min var(J⊥)/N; `wineland` ξ_R² = N·min var(J⊥)/|⟨J⟩|², the gain in phase variance
    over the standard limit; `contrast` 2|⟨J⟩|/N; `direction` (3,) of least variance.
    Sources: Kitagawa and Ueda, PRA 47, 5138 (1993); Wineland, PRA 50, 67 (1994).
    """

    kitagawa_ueda: Measured
    wineland: Measured
    contrast: Measured
    direction: tuple[float, ...] = ()

    @property
    def decibels(self) -> Measured:
        """10·log10 of Wineland's parameter: negative where squeezed."""
        value = self.wineland.value
        return Measured(10 * math.log10(value), 10 / math.log(10) * self.wineland.error / value)


def squeezing_from_moments(mean: ArrayLike, covariance: ArrayLike, particles: float) -> Squeezing:
    """Return the squeezing of a mean spin ⟨J⟩ (3,) with symmetric covariance (3, 3) of J, ħ = 1; no errors."""
    j, c = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
    length = float(np.linalg.norm(j))
    if not length > 0:
        raise UsageError(
            "Without a mean spin there is no direction to squeeze across.", "Prepare a mean spin."
        )
    # Two directions across the mean spin, then the 2 × 2 block of the covariance there.
    across = np.linalg.svd(j[None] / length)[2][1:]
    values, vectors = np.linalg.eigh(across @ c @ across.T)
    least = float(values[0])
    return Squeezing(
        Measured(4 * least / particles), Measured(particles * least / length**2),
        Measured(2 * length / particles), tuple((vectors[:, 0] @ across).tolist()),
    )  # fmt: skip


def squeezing_of_state(state: ArrayLike, particles: int) -> Squeezing:
    """Return the squeezing of a symmetric state of N spins: vector (N+1,) or matrix (N+1, N+1), m = N/2 … −N/2."""
    given = np.asarray(state, dtype=complex)
    spins = collective_spins(particles)
    if given.ndim == 1:
        moved = [s @ given for s in spins]
        mean = np.array([np.vdot(given, m).real for m in moved])
        second = np.array([[np.vdot(a, b).real for b in moved] for a in moved])
    else:
        mean = np.array([np.trace(given @ s).real for s in spins])
        second = np.array([[np.trace(given @ (a @ b + b @ a)).real / 2 for b in spins] for a in spins])
    return squeezing_from_moments(mean, second - np.outer(mean, mean), particles)


def collective_spins(particles: int) -> NDArray[np.complex128]:
    """Return J_x, J_y, J_z (3, N+1, N+1) of N spins 1/2 in the symmetric states, m from N/2 down to −N/2."""
    j = particles / 2
    m = j - np.arange(particles + 1)
    up = np.diag(np.sqrt(j * (j + 1) - m[1:] * (m[1:] + 1)), 1)
    return np.array([(up + up.T) / 2, (up - up.T) / 2j, np.diag(m)], dtype=complex)


def squeezing_from_samples(
    squeezed: ArrayLike,
    mean_spin: Measured,
    particles: float,
    *,
    detection_variance: Measured | None = None,
) -> Squeezing:
    """Return the squeezing of measured values of J along the squeezed direction (n,), with errors.

    `mean_spin`: |⟨J⟩| with its error, from a contrast measurement; `detection_variance`: known noise of the
    detector (units of J²), taken away and its error added. Variance error √((κ − (n−3)/(n−1))/n)·s² with the
    measured kurtosis κ. Source: Wineland, PRA 50, 67 (1994); Cramér (1946), section 27.4.
    """
    j = np.asarray(squeezed, dtype=float).ravel()
    count = len(j)
    if count < 4:
        raise UsageError(f"{count} values do not tell a variance.", "Take 4 or more.")
    away = j - j.mean()
    var = float(np.sum(away**2)) / (count - 1)
    kurtosis = float(np.mean(away**4)) / var**2 if var > 0 else 3.0
    error = var * math.sqrt(max(kurtosis - (count - 3) / (count - 1), 0.0) / count)
    if detection_variance is not None:
        var -= detection_variance.value
        error = math.hypot(error, detection_variance.error)
    if var <= 0:
        raise UsageError("The detector's noise is all that was seen.", "Check the detection variance.")
    length, spread = mean_spin.value, mean_spin.error
    wineland = particles * var / length**2
    return Squeezing(
        Measured(4 * var / particles, 4 * error / particles),
        Measured(wineland, wineland * math.hypot(error / var, 2 * spread / length)),
        Measured(2 * length / particles, 2 * spread / particles),
    )

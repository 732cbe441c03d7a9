"""Classical Fisher information of a measured curve, and the Cramér–Rao bound that follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]
_SMALL_CHANGE = 1e-4  # of the curve's height: error of the central difference ~1e-8, of rounding ~1e-12


class CurveModel(Protocol):
    """What a fit model is here: a curve over x for named values."""

    def evaluate(self, x: Reals, theta: Mapping[str, float]) -> Reals:
        """Return the curve at x; same shape as x."""
        ...


@dataclass(frozen=True)
class Bound:
    """A Cramér–Rao bound: `covariance` (k, k) of any unbiased estimate, and the rank of the information.

    Where the rank is less than k, what the data do not determine has infinite variance.
    """

    names: tuple[str, ...]
    covariance: Reals
    rank: int

    @property
    def sigma(self) -> dict[str, float]:
        """The least standard deviations by name."""
        return dict(zip(self.names, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))


def jacobian(model: CurveModel, x: ArrayLike, theta: Mapping[str, float], names: Sequence[str]) -> Reals:
    """Return dy/dθ by central differences; shape (points, names), in units of y per unit of each value.

    Each step is chosen so that the curve changes by about 1e-4 of its height, whatever the units.
    """
    points = np.asarray(x, dtype=float)
    return np.stack([_derivative(model, points, theta, name) for name in names], axis=-1)


def _derivative(model: CurveModel, x: Reals, theta: Mapping[str, float], name: str) -> Reals:
    value = float(theta[name])
    curve = model.evaluate(x, theta)
    size = float(np.ptp(curve)) or float(np.max(np.abs(curve))) or 1.0
    step = 1e-3 * abs(value) or 1.0
    slope = np.zeros_like(x)
    for _ in range(40):
        sides = [model.evaluate(x, {**theta, name: value + s}) for s in (step, -step)]
        change = sides[0] - sides[1]
        slope = change / (2 * step)
        ratio = float(np.max(np.abs(change))) / (2 * size * _SMALL_CHANGE)
        if 0.2 < ratio < 5:
            break
        # Far from linear the change saturates: go down in decades, up as far as a dead parameter allows.
        step *= float(np.clip(1 / ratio if ratio > 0 else 1e3, 1e-2, 1e3))
        if step > 1e3 * max(abs(value), 1e9):
            break
    return np.asarray(slope)


def gaussian_information(slopes: ArrayLike, error: ArrayLike) -> Reals:
    """Return F = Jᵀ diag(1/σ²) J for independent normal errors; slopes (n, k), error (n,), result (k, k).

    Source: Kay, Fundamentals of Statistical Signal Processing I, eq. 3.31 (covariance not depending on θ).
    """
    scaled = np.asarray(slopes, dtype=float) / np.asarray(error, dtype=float)[:, None]
    return np.asarray(scaled.T @ scaled)


def poisson_information(slopes: ArrayLike, mean: ArrayLike) -> Reals:
    """Return F = Jᵀ diag(1/μ) J for Poisson counts of mean μ(θ); slopes dμ/dθ (n, k), mean (n,). Exact.

    Points of mean 0 carry no information here unless their mean changes, which is a boundary: left out.
    """
    expected = np.asarray(mean, dtype=float)
    weight = np.where(expected > 0, 1 / np.where(expected > 0, expected, 1), 0.0)
    return np.asarray(np.asarray(slopes, dtype=float).T @ (weight[:, None] * np.asarray(slopes, dtype=float)))


def binomial_information(slopes: ArrayLike, probability: ArrayLike, shots: ArrayLike) -> Reals:
    """Return F = Jᵀ diag(M/(p(1−p))) J for M shots of probability p(θ); slopes dp/dθ (n, k). Exact."""
    p = np.asarray(probability, dtype=float)
    variance = p * (1 - p)
    weight = np.where(variance > 1e-14, np.asarray(shots) / np.where(variance > 1e-14, variance, 1), 0.0)
    return np.asarray(np.asarray(slopes, dtype=float).T @ (weight[:, None] * np.asarray(slopes, dtype=float)))


def cramer_rao(information: ArrayLike, names: Sequence[str] = (), *, cutoff: float = 1e-12) -> Bound:
    """Return the inverse of a Fisher information (k, k), with its rank.

    Eigenvalues of the information, scaled to unit diagonal, below `cutoff` of the largest count as zero;
    parameters with a part in such a direction get an infinite variance.
    Source: Cramér–Rao, cov ≥ F⁻¹; for singular F Stoica and Marzetta, IEEE TSP 49, 87 (2001).
    """
    matrix = np.asarray(information, dtype=float)
    count = len(matrix)
    named = tuple(names) or tuple(str(i) for i in range(count))
    size = np.sqrt(np.diag(matrix))
    scale = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    kept = values > cutoff * max(float(values.max()), 0.0)
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    lost = (np.abs(vectors[:, ~kept]) > 1e-6).any(axis=1)
    covariance = inverse / np.outer(scale, scale)
    covariance[lost, :] = covariance[:, lost] = 0.0
    covariance[lost, lost] = np.inf
    return Bound(named, covariance, int(kept.sum()))

"""Classical Fisher information of a measured curve, and the Cramér–Rao bound that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qlab.metrology.slopes import CurveModel, Reals, jacobian

__all__ = [
    "Bound", "CurveModel", "Reals", "binomial_information", "cramer_rao", "gaussian_information", "jacobian",
    "poisson_information",
]  # fmt: skip


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

"""How many photons two modes hold: the joint number distribution of Gaussian states, and what detectors make of it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]


def number_distribution(mean: Floats, covariance: Floats, most: int) -> Floats:
    """Return P(n_a, n_b) for n < `most` of a two-mode Gaussian state; (most, most), vacuum covariance 1/2.

    From <z_a^n_a z_b^n_b> = prod 2/(1 - z) det(A)^(-1/2) exp(-d^T A^(-1) d), A = (1 + z)/(1 - z) + 2V on each mode
    (the Wigner function times that of z^n), by a discrete Fourier transform; exact but for what lies beyond `most`.
    """
    # Between the roots of unity: z = 1, where A is infinite, is never met.
    z = np.exp(2j * np.pi * (np.arange(most) + 0.5) / most)
    first, second = z[:, None], z[None, :]
    diagonal = [(1 + w) / (1 - w) for w in (first, first, second, second)]
    root, exponent = _root_and_exponent(diagonal, 2 * covariance, mean)
    generating = 4 / ((1 - first) * (1 - second)) * np.exp(-exponent) / root
    turn = np.exp(-1j * np.pi * np.arange(most) / most)
    found = np.fft.fft2(generating) / most**2 * turn[:, None] * turn[None, :]
    return np.asarray(np.clip(found.real, 0.0, None))


def _root_and_exponent(diagonal: list[Complex], added: Floats, mean: Floats) -> tuple[Complex, Complex]:
    """Return sqrt(det A) and d^T A^(-1) d for A = diag + `added`, by elimination.

    The real part of A is positive, hence that of every pivot: the product of principal roots is the root that is
    continuous from the vacuum's.
    """
    size = len(mean)
    rows: list[list[Complex]] = [
        [diagonal[i] + added[i, i] if i == j else np.asarray(added[i, j] + 0j) for j in range(size)]
        for i in range(size)
    ]
    side: list[Complex] = [np.asarray(value + 0j) for value in mean]
    root: Complex = np.ones(1, dtype=complex)
    exponent: Complex = np.zeros(1, dtype=complex)
    for k in range(size):
        pivot = rows[k][k]
        root = root * np.sqrt(pivot)
        exponent = exponent + side[k] ** 2 / pivot
        for i in range(k + 1, size):
            share = rows[i][k] / pivot
            side[i] = side[i] - share * side[k]
            for j in range(k + 1, size):
                rows[i][j] = rows[i][j] - share * rows[k][j]
    return root, exponent


def enough(mean: float, variance: float) -> int:
    """Return a power of two beyond which photons of such mean and variance are not met: ten deviations and 24."""
    return int(2 ** np.ceil(np.log2(mean + 10 * np.sqrt(variance) + 24)))


def with_dark_counts(shares: Floats, dark: float) -> Floats:
    """Return P(n_a, n_b), stacked (..., n, m), with Poisson dark counts (mean `dark`) added at each port."""
    if dark <= 0:
        return shares
    extra = int(np.ceil(dark + 10 * np.sqrt(dark) + 6))
    weights = np.exp(-dark) * np.cumprod([1.0, *(dark / np.arange(1, extra))])
    for axis in (-1, -2):
        grown = np.zeros([*shares.shape[:axis], shares.shape[axis] + extra - 1, *shares.shape[axis:][1:]])
        turned = np.moveaxis(grown, axis, 0)
        for k, weight in enumerate(weights):
            turned[k : k + shares.shape[axis]] += weight * np.moveaxis(shares, axis, 0)
        shares = grown
    return shares


def none_seen(mean: Floats, covariance: Floats) -> Floats:
    """Return the probability that modes of Gaussian states hold no photon; mean (..., 2n), covariance (..., 2n, 2n)."""
    wide = covariance + np.eye(mean.shape[-1]) / 2
    away = np.linalg.solve(wide, mean[..., None])[..., 0]
    return np.asarray(np.exp(-np.sum(mean * away, axis=-1) / 2) / np.sqrt(np.linalg.det(wide)))


def parity(mean: Floats, covariance: Floats) -> Floats:
    """Return <(-1)^n> of one mode of Gaussian states: pi W(0); mean (..., 2), covariance (..., 2, 2)."""
    away = np.linalg.solve(covariance, mean[..., None])[..., 0]
    return np.asarray(np.exp(-np.sum(mean * away, axis=-1) / 2) / (2 * np.sqrt(np.linalg.det(covariance))))

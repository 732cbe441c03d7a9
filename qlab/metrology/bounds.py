"""Bounds on the mean square error when something is known beforehand: van Trees and Ziv–Zakai."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.fisher import Reals


@dataclass(frozen=True)
class Prior:
    """A density over one parameter: `theta` (n,) evenly spaced, `density` (n,) of unit integral."""

    theta: Reals
    density: Reals

    @property
    def step(self) -> float:
        """The spacing of theta."""
        return float(self.theta[1] - self.theta[0])

    @property
    def variance(self) -> float:
        """The variance of the prior: what is reached without measuring."""
        mean = self.average(self.theta)
        return self.average((self.theta - mean) ** 2)

    @property
    def information(self) -> float:
        """I_p = ∫ p′²/p dθ, in 1/(unit of θ)²."""
        slope = np.gradient(self.density, self.theta, edge_order=2)
        there = self.density > 0
        ratio = np.where(there, slope**2 / np.where(there, self.density, 1), 0.0)
        return _integral(ratio, self.theta)

    @property
    def edge(self) -> float:
        """The density at the ends over its maximum. Van Trees needs it to vanish."""
        return float(max(self.density[0], self.density[-1]) / self.density.max())

    def average(self, values: ArrayLike) -> float:
        """Return ∫ p(θ) v(θ) dθ for v (n,) over the same theta."""
        return _integral(self.density * np.asarray(values, dtype=float), self.theta)


def prior(theta: ArrayLike, density: ArrayLike) -> Prior:
    """Return a normalised prior from values (n,) over evenly spaced theta (n,), n ≥ 5."""
    at, p = np.asarray(theta, dtype=float), np.asarray(density, dtype=float)
    even = len(at) >= 5 and np.allclose(np.diff(at), at[1] - at[0], rtol=1e-6)
    if not even or (p < 0).any() or not p.sum() > 0:
        raise UsageError("This is no prior.", "Give a density, never negative, over 5 or more even steps.")
    return Prior(at, p / _integral(p, at))


def van_trees(given: Prior, information: ArrayLike) -> float:
    """Return 1/(⟨F⟩ + I_p): the least mean square error of any estimate, biased or not.

    `information` F(θ) (n,) over the prior's theta, classical, or quantum for the quantum bound. For a prior that
    vanishes at its ends (see `Prior.edge`). Unit: (unit of θ)².
    Sources: van Trees (1968), section 2.4; Gill and Levit, Bernoulli 1, 59 (1995); physics.md P43.
    """
    return 1 / (given.average(information) + given.information)


def van_trees_matrix(average_information: ArrayLike, prior_information: ArrayLike) -> Reals:
    """Return (⟨F⟩ + I_p)⁻¹ (k, k) for several parameters, as `van_trees`."""
    return np.linalg.inv(
        np.asarray(average_information, dtype=float) + np.asarray(prior_information, dtype=float)
    )


def ziv_zakai(
    given: Prior, error_probability: Callable[[Reals, Reals], ArrayLike], *, valley_filling: bool = True
) -> float:
    """Return the Ziv–Zakai bound on the mean square error, in (unit of θ)².

    ½∫dh h·V{∫ 2 min[p(θ), p(θ+h)] P_e(θ, θ+h) dθ}, P_e the least error of telling two equally likely values apart;
    `error_probability(a, b)` takes arrays of one shape. V fills valleys: the largest value at any longer distance.
    Tighter than van Trees where an estimate can be off by a whole fringe.
    Source: Bell et al., IEEE TIT 43, 624 (1997); quantum: Tsang, PRL 108, 230401 (2012).
    """
    p, step, count = given.density, given.step, len(given.theta)
    inner = np.zeros(count)
    for shift in range(count):
        here, there = slice(0, count - shift), slice(shift, count)
        least = np.minimum(p[here], p[there])
        failing = np.asarray(error_probability(given.theta[here], given.theta[there]), dtype=float)
        inner[shift] = 2 * float(np.sum(least * failing)) * step
    if valley_filling:
        inner[:] = np.maximum.accumulate(inner[::-1])[::-1]
    distance: Reals = np.arange(count, dtype=float) * step
    return 0.5 * _integral(distance * inner, distance)


def helstrom_error(fidelity: ArrayLike) -> Reals:
    """Return ½(1 − √(1 − F)): the least error of telling two states of fidelity F = |⟨ψ|φ⟩|² apart.

    Exact for pure states, a lower bound on the error for mixed ones. Source: Helstrom (1976); Fuchs (1999).
    """
    return np.asarray(0.5 * (1 - np.sqrt(np.clip(1 - np.asarray(fidelity, dtype=float), 0, 1))))


def gaussian_error(a: Reals, b: Reals, sigma: float) -> Reals:
    """Return the least error of telling two means apart by one normal value of this σ: erfc(|a − b|/(2√2σ))/2."""
    from scipy.special import erfc

    return np.asarray(0.5 * erfc(np.abs(a - b) / (2 * math.sqrt(2) * sigma)))


def canonical_phase_variance(particles: int) -> float:
    """Return tan²(π/(N + 2)): the least Holevo variance (rad²) of a phase that may be anything, with N particles.

    V_H = 1/|⟨e^{iφ}⟩|² − 1; the best single-mode N-photon (N-qubit) state and canonical measurement.
    Sources: Luis and Peřina, PRA 54, 4564 (1996); Berry and Wiseman, PRL 85, 5098 (2000); physics.md P42.
    """
    return math.tan(math.pi / (particles + 2)) ** 2


def _integral(values: Reals, at: Reals) -> float:
    return float(np.trapezoid(values, at))

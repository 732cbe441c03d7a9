"""Gaussian states of light and mechanics: means and covariances under squeezing, beam splitters, loss, measurement.

Quadratures x = (a + a+)/sqrt(2), p = (a - a+)/(i sqrt(2)) in the order x1, p1, x2, p2 ...; the vacuum has the
covariance 1/2 (Weedbrook, RMP 84, 621 (2012), there with 1).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError

Floats = NDArray[np.float64]
UNPHYSICAL = -1e-9
MOST_SQUEEZING = 8.0  # r, 70 dB: beyond it rounding of the large quadrature drowns the small one


@dataclass(frozen=True)
class GaussianState:
    """`mean` (2n,) and `covariance` (2n, 2n) of n modes. Operations return new states."""

    mean: Floats
    covariance: Floats

    def __post_init__(self) -> None:
        size = len(self.mean)
        if size == 0 or size % 2 or self.covariance.shape != (size, size):
            raise UsageError(
                "A Gaussian state has two quadratures for each of its modes.", "Give 2n, (2n, 2n)."
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.covariance).all()):
            raise UsageError("A Gaussian state is not finite.", "Check squeezing and displacements.")
        scale = float(np.abs(self.covariance).max())
        if np.abs(self.covariance - self.covariance.T).max() > 1e-9 * scale:
            raise UsageError("The covariance is not symmetric.", "Check it.")
        if np.linalg.eigvalsh(self.covariance + 0.5j * form(size // 2)).min() < UNPHYSICAL * max(scale, 1.0):
            raise UsageError("The covariance lies below the uncertainty relation.", "Vacuum is 1/2.")

    @property
    def modes(self) -> int:
        """The number of modes."""
        return len(self.mean) // 2

    def transformed(self, matrix: Floats) -> "GaussianState":
        """Return the state after a symplectic matrix (2n, 2n) on its quadratures."""
        return GaussianState(matrix @ self.mean, _even(matrix @ self.covariance @ matrix.T))

    def displaced(self, mode: int, alpha: complex) -> "GaussianState":
        """Return the state displaced by alpha in one mode."""
        mean = self.mean.copy()
        mean[self._at(mode)] += math.sqrt(2) * np.array([alpha.real, alpha.imag])
        return GaussianState(mean, self.covariance)

    def squeezed(self, mode: int, r: float, angle: float = 0.0) -> "GaussianState":
        """Return the state squeezed: the variance at `angle` is that of before times exp(-2r)."""
        if not abs(r) <= MOST_SQUEEZING:
            raise UsageError(f"Squeezing by r = {r} is beyond all numbers.", "One r is 8.7 dB.")
        turn = _turn(angle)
        return self.transformed(self._in(mode, turn @ np.diag([math.exp(-r), math.exp(r)]) @ turn.T))

    def rotated(self, mode: int, phase: float) -> "GaussianState":
        """Return the state after exp(-i phase n) in one mode."""
        return self.transformed(self._in(mode, _turn(phase).T))

    def mixed(self, first: int, second: int, transmission: float = 0.5) -> "GaussianState":
        """Return the state after a beam splitter: a -> sqrt(T) a + sqrt(1-T) b, b -> sqrt(T) b - sqrt(1-T) a."""
        _share(transmission)
        if first == second:
            raise UsageError("A beam splitter mixes two different modes.", "Give two.")
        t, r = math.sqrt(transmission), math.sqrt(1 - transmission)
        matrix = np.eye(len(self.mean))
        a, b = self._at(first), self._at(second)
        matrix[a, a] = matrix[b, b] = t * np.eye(2)
        matrix[a, b], matrix[b, a] = r * np.eye(2), -r * np.eye(2)
        return self.transformed(matrix)

    def lossy(self, mode: int, efficiency: float, thermal: float = 0.0) -> "GaussianState":
        """Return the state after a share 1 - efficiency of one mode is lost to a bath of `thermal` photons."""
        _share(efficiency)
        if not thermal >= 0:
            raise UsageError("A bath has no negative number of photons.", "Give 0 or more.")
        shrink = self._in(mode, math.sqrt(efficiency) * np.eye(2))
        added = np.zeros_like(self.covariance)
        added[self._at(mode), self._at(mode)] = (1 - efficiency) * (thermal + 0.5) * np.eye(2)
        return GaussianState(shrink @ self.mean, _even(shrink @ self.covariance @ shrink.T) + added)

    def homodyne(self, mode: int, angle: float = 0.0) -> tuple[float, float]:
        """Return mean and variance of the quadrature x cos(angle) + p sin(angle)."""
        along = np.array([math.cos(angle), math.sin(angle)])
        at = self._at(mode)
        return float(along @ self.mean[at]), float(along @ self.covariance[at, at] @ along)

    def numbers(self) -> tuple[Floats, Floats]:
        """Return the mean photon numbers (n,) and their covariance (n, n), exactly (Wick)."""
        n = self.modes
        blocks = self.covariance.reshape(n, 2, n, 2).swapaxes(1, 2)
        means = self.mean.reshape(n, 2)
        average = (np.einsum("iiaa->i", blocks) + (means**2).sum(axis=1) - 1) / 2
        spread = (blocks**2).sum(axis=(2, 3)) / 2 + np.einsum("ia,ijab,jb->ij", means, blocks, means)
        return average, spread - np.eye(n) / 4

    def parity(self) -> float:
        """Return the mean of (-1)^n over all modes: the Wigner function at the origin times pi^n."""
        inverse = np.linalg.solve(self.covariance, self.mean)
        return float(math.exp(-self.mean @ inverse / 2) * self.purity())

    def purity(self) -> float:
        """Return Tr rho^2."""
        return float(1 / (2**self.modes * math.sqrt(np.linalg.det(self.covariance))))

    def _at(self, mode: int) -> slice:
        if not 0 <= mode < self.modes:
            raise UsageError(f"There is no mode {mode}.", f"There are {self.modes}, counted from 0.")
        return slice(2 * mode, 2 * mode + 2)

    def _in(self, mode: int, block: Floats) -> Floats:
        matrix = np.eye(len(self.mean))
        matrix[self._at(mode), self._at(mode)] = block
        return matrix


def vacuum(modes: int) -> GaussianState:
    """Return the vacuum of n modes."""
    if modes < 1:
        raise UsageError("There is no light without a mode.", "Give at least one.")
    return GaussianState(np.zeros(2 * modes), np.eye(2 * modes) / 2)


def thermal(photons: float) -> GaussianState:
    """Return one mode with a thermal number of photons."""
    if not 0 <= photons < math.inf:
        raise UsageError("A thermal state has no such number of photons.", "Give 0 or more.")
    return GaussianState(np.zeros(2), (photons + 0.5) * np.eye(2))


def form(modes: int) -> Floats:
    """Return the symplectic form [r_i, r_j] = i form_ij, (2n, 2n)."""
    return np.kron(np.eye(modes), np.array([[0.0, 1.0], [-1.0, 0.0]]))


def _even(matrix: Floats) -> Floats:
    return np.asarray((matrix + matrix.T) / 2)


def _turn(angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s], [s, c]])


def _share(value: float) -> None:
    if not 0 <= value <= 1:
        raise UsageError(f"{value} is no share of the light.", "It lies between 0 and 1.")

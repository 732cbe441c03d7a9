"""N spins as one: coherent states and one-axis twisting in the Dicke space, model card M5.

H = chi Jz^2 on the spins that point along x; then a turn about x by the angle that is analysed, and Jz is counted.
Without loss and single-spin noise the state has N + 1 amplitudes. Kitagawa and Ueda, PRA 47, 5138 (1993); Wineland et
al., PRA 50, 67 (1994).
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from qlab.errors import UsageError
from qlab.physics.levels import Complex, Floats
from qlab.physics.quantum import qutip

if TYPE_CHECKING:
    from qutip import Qobj

MOST_SPINS = 5000


@dataclass(frozen=True)
class CollectiveSpin:
    """N spins 1/2 in their symmetric space. `dephasing` is the single-spin loss of coherence, exp(-kappa), in all.

    `collective` is the rms of a turn about z that all spins share, rad.
    """

    spins: int = 100
    dephasing: float = 0.0
    collective: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.spins <= MOST_SPINS:
            raise UsageError(f"{self.spins} spins cannot be simulated.", f"Take 1 to {MOST_SPINS} of them.")
        if not (self.dephasing >= 0 and self.collective >= 0):
            raise UsageError("Noise is 0 or more.", "Check dephasing and collective.")

    @property
    def m(self) -> Floats:
        """The values of Jz, ascending, (N + 1,)."""
        return np.asarray(np.arange(self.spins + 1) - self.spins / 2, dtype=np.float64)

    def hamiltonian(self, chi: float = 1.0) -> "Qobj":
        """Return chi Jz^2 in rad/s, index 0 = the largest Jz."""
        jz = qutip().jmat(self.spins / 2, "z")
        return chi * jz * jz

    def coherent(self) -> Complex:
        """Return the amplitudes of all spins along x; (N + 1,)."""
        k = np.arange(1, self.spins + 1)
        log = np.concatenate([[0.0], np.cumsum(np.log((self.spins - k + 1) / k))]) / 2
        return np.asarray(np.exp(log - self.spins * math.log(2) / 2), dtype=complex)

    def twisted(self, twist: float) -> Complex:
        """Return the amplitudes after exp(-i twist Jz^2), twist = chi t; (N + 1,)."""
        return np.asarray(self.coherent() * np.exp(-1j * twist * self.m**2))

    def moments(self, twist: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return <Jx>, Var Jz, Var Jy and the covariance of Jy and Jz after twisting, single-spin dephasing included.

        Closed forms (Kitagawa and Ueda 1993) with mu = 2 chi t; each pair of spins keeps exp(-2 kappa) of what it
        shares across z, each single one exp(-kappa). A shared turn adds <Jx^2> to Jy.
        """
        n, mu = self.spins, 2 * np.asarray(twist, dtype=float)
        single = math.exp(-self.dephasing)
        jx = n / 2 * np.cos(mu / 2) ** (n - 1) * single
        pair = n * (n - 1) / 8 * single**2
        jy2 = n / 4 + pair * (1 - np.cos(mu) ** max(n - 2, 0))
        jx2 = n / 4 + pair * (1 + np.cos(mu) ** max(n - 2, 0))
        across = n * (n - 1) / 4 * np.sin(mu / 2) * np.cos(mu / 2) ** max(n - 2, 0) * single
        turned = math.exp(-(self.collective**2) / 2)
        mixed = math.exp(-2 * self.collective**2)
        jy2 = (jx2 + jy2) / 2 - (jx2 - jy2) / 2 * mixed
        return jx * turned, np.full_like(mu, n / 4), jy2, across * turned

    def best_angle(self, twist: Floats) -> Floats:
        """Return the turn about x that brings the quietest quadrature onto z, in rad."""
        _, z, y, c = self.moments(twist)
        # After a turn by a, Jz becomes Jz cos a + Jy sin a with the variance (z+y)/2 + (z-y)/2 cos 2a + c sin 2a.
        return np.asarray(0.5 * np.arctan2(-2 * c, y - z))

    def variance(self, twist: Floats, angle: Floats) -> Floats:
        """Return the variance of Jz after a turn about x by `angle`."""
        _, z, y, c = self.moments(twist)
        return np.asarray((z + y) / 2 + (z - y) / 2 * np.cos(2 * angle) + c * np.sin(2 * angle))

    def kitagawa(self, twist: Floats) -> Floats:
        """Return xi_S^2 = 4 min Var J_perp/N (Kitagawa and Ueda)."""
        return 4 * self.variance(twist, self.best_angle(twist)) / self.spins

    def wineland(self, twist: Floats) -> Floats:
        """Return xi_R^2 = N min Var J_perp/<J>^2 (Wineland)."""
        jx = self.moments(twist)[0]
        return np.asarray(self.spins * self.variance(twist, self.best_angle(twist)) / jx**2)

    def turn(self, state: Complex, angle: float, phase: float = 0.0) -> Complex:
        """Return amplitudes (N + 1, ...) after a turn by `angle` about the axis cos(phase) x + sin(phase) y."""
        values, vectors = _turns(self.spins)
        shape = (-1, *[1] * (state.ndim - 1))
        about_z = np.exp(-1j * phase * self.m).reshape(shape)
        turned = _real_times(vectors.T, about_z.conj() * state)
        turned = _real_times(vectors, np.exp(-1j * angle * values).reshape(shape) * turned)
        return np.asarray(about_z * turned)


def _real_times(matrix: Floats, state: Complex) -> Complex:
    """Return matrix @ state for a real matrix, in half the work of a complex one."""
    return np.asarray(matrix @ state.real + 1j * (matrix @ state.imag))


@cache
def _turns(spins: int) -> tuple[Floats, Floats]:
    """Return eigenvalues (N + 1,) and eigenvectors of Jx between the values of Jz, ascending."""
    from scipy.linalg import eigh_tridiagonal

    j = spins / 2
    m = np.arange(spins) - j
    values, vectors = eigh_tridiagonal(np.zeros(spins + 1), np.sqrt(j * (j + 1) - m * (m + 1)) / 2)
    return np.asarray(values), np.asarray(vectors)


def best_twist(spins: int) -> float:
    """Return chi t of the least Wineland parameter of one-axis twisting without noise."""
    from scipy.optimize import minimize_scalar

    if spins < 2:
        raise UsageError(f"{spins} spins cannot be squeezed.", "Take at least 2.")
    system = CollectiveSpin(spins)
    guess = 3 ** (1 / 6) * spins ** (-2 / 3)
    found = minimize_scalar(
        lambda twist: float(system.wineland(np.asarray(twist))), bounds=(guess / 4, 3 * guess), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    return float(found.x)

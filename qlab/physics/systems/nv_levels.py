"""The levels of an NV centre's electron and nitrogen: their energies, their names and the lines between them."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.physics.constants import (
    A_PARALLEL_14N,
    A_PARALLEL_15N,
    A_PERPENDICULAR_14N,
    A_PERPENDICULAR_15N,
    GAMMA_14N,
    GAMMA_15N,
    P_14N,
    TWO_PI,
)
from qlab.physics.levels import Complex, Floats
from qlab.physics.quantum import qutip

SPINS = (1, 0, -1)  # m_S in the order of the basis
# m_I of either nitrogen in the order of the basis, and what couples it: A, A_perp, P in Hz, gamma_n in Hz/T.
PROJECTIONS: dict[int, tuple[float, ...]] = {14: (1, 0, -1), 15: (0.5, -0.5)}
COUPLINGS = {
    14: {"A_parallel": A_PARALLEL_14N, "A_perpendicular": A_PERPENDICULAR_14N, "quadrupole": P_14N},
    15: {"A_parallel": A_PARALLEL_15N, "A_perpendicular": A_PERPENDICULAR_15N, "quadrupole": 0.0},
}
GAMMA_N = {14: GAMMA_14N, 15: GAMMA_15N}


def couplings(
    nitrogen: int, equivalent: int = 1, parallel: float = 0.0, perpendicular: float = 0.0
) -> dict[str, float]:
    """Return A_parallel, A_perpendicular and quadrupole in Hz: of an NV centre's nitrogen, or of others as given.

    Several equivalent nuclei have no quadrupole coupling, see `totals`.
    """
    known = dict(COUPLINGS[nitrogen])
    if parallel or perpendicular:
        known |= {"A_parallel": parallel, "A_perpendicular": perpendicular}
    return known if equivalent == 1 else {**known, "quadrupole": 0.0}


def totals(nitrogen: int, count: int) -> list[tuple[tuple[float, ...], float]]:
    """Return the projections of each total spin of `count` equivalent nuclei, the largest first, and its share.

    The share is that of its states among all, (2I + 1) times how many ways lead to I.
    """
    single = PROJECTIONS[nitrogen][0]
    ways: dict[float, int] = {0: 1}
    for _ in range(count):
        grown: dict[float, int] = {}
        for total, many in ways.items():
            steps = round(2 * min(total, single)) + 1
            for step in range(steps):
                grown[total + single - step] = grown.get(total + single - step, 0) + many
        ways = grown
    states = len(PROJECTIONS[nitrogen]) ** count
    return [
        (tuple(total - step for step in range(round(2 * total) + 1)), many * (2 * total + 1) / states)
        for total, many in sorted(ways.items(), reverse=True)
    ]


@dataclass(frozen=True)
class Levels:
    """The eigenstates of a Hamiltonian (rad/s) of electron (x) nucleus, basis m_S, m_I from above."""

    matrix: Complex
    projections: tuple[float, ...]

    @cached_property
    def named(self) -> tuple[Floats, Floats, Complex, Floats]:
        """Energies (k,), the (m_S, m_I) of each level (k, 2) and its share of it (k,), Sx between them (k, k)."""
        energies, vectors = np.linalg.eigh(self.matrix)
        weights = np.abs(vectors) ** 2
        product = _assign(weights)
        basis = np.array([(m_s, m_i) for m_s in SPINS for m_i in self.projections])
        names, share = basis[product], weights[product, np.arange(len(product))]
        drive = vectors.conj().T @ spins(len(self.projections))[0] @ vectors
        return energies, names, drive, share

    def transition(self, m_s: int, m_i: float) -> float:
        """Return the frequency of m_S = 0 -> m_s with the nucleus in m_i, in Hz, by exact diagonalisation."""
        energies, names, _, _ = self.named
        upper = np.flatnonzero((names[:, 0] == m_s) & (names[:, 1] == m_i))[0]
        lower = np.flatnonzero((names[:, 0] == 0) & (names[:, 1] == m_i))[0]
        return float(energies[upper] - energies[lower]) / TWO_PI

    @cached_property
    def manifolds(self) -> tuple[NDArray[np.int64], Floats]:
        """The eigenstates of each m_S, (3, nuclear states), and the electron's least share of its own m_S."""
        _, vectors = np.linalg.eigh(self.matrix)
        count = len(self.projections)
        share = (np.abs(vectors) ** 2).reshape(3, count, -1).sum(axis=1)
        rows = np.array([np.sort(np.argsort(-share[m])[:count]) for m in range(3)])
        return rows, np.asarray([share[m, rows[m]].min() for m in range(3)])

    def spectrum(self, m_s: int) -> tuple[Floats, Floats]:
        """Return the frequencies in Hz of all lines of m_S = 0 -> m_s and their strengths |<f|Sx|i>|^2.

        Exact: eigenstates of electron and nucleus, the nucleus unpolarised.
        """
        energies, _, drive, _ = self.named
        rows, _ = self.manifolds
        upper, lower = rows[SPINS.index(m_s)], rows[SPINS.index(0)]
        strength = np.abs(drive[np.ix_(upper, lower)]) ** 2
        apart = (energies[upper][:, None] - energies[lower][None, :]) / TWO_PI
        return apart.ravel(), strength.ravel()


@cache
def spins(levels: int) -> tuple[Complex, ...]:
    """Return Sx, Sy, Sz of the electron and Ix, Iy, Iz of a nucleus of so many levels, 3 levels square."""
    qt = qutip()

    electron = [qt.tensor(op, qt.qeye(levels)).full() for op in qt.spin_J_set(1)]
    # QuTiP has no spin 0.
    nucleus = qt.spin_J_set((levels - 1) / 2) if levels > 1 else [qt.Qobj([[0]])] * 3
    return (*electron, *(qt.tensor(qt.qeye(3), op).full() for op in nucleus))


def _assign(weights: Floats) -> NDArray[np.int64]:
    """Return the product state of each eigenstate: the assignment with the largest total overlap; shape (k,)."""
    from scipy.optimize import linear_sum_assignment

    product, state = linear_sum_assignment(-weights)
    names = np.empty(len(state), dtype=np.int64)
    names[state] = product
    return names

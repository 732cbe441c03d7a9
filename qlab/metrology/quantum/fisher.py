"""Quantum Fisher information: symmetric logarithmic derivatives, pure and mixed states, several parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.metrology.fisher import Bound, Reals, cramer_rao

Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class QuantumFisher:
    """A quantum Fisher information: `matrix` (k, k), the `slds` (k, d, d), the `state` (d, d) and its `rank`.

    The rank is the number of eigenvalues above the cutoff: the information jumps where it changes, so look at
    it. `outside` is the largest weight of a derivative within the kernel, which no smooth path of states has.
    """

    matrix: Reals
    slds: Complexes
    state: Complexes
    rank: int
    outside: float

    def bound(self, names: Sequence[str] = (), repetitions: float = 1.0) -> Bound:
        """Return the quantum Cramér–Rao bound of this many repetitions. Source: Helstrom (1976)."""
        return cramer_rao(self.matrix * repetitions, names)

    @property
    def curvature(self) -> Reals:
        """The mean Uhlmann curvature D (k, k), antisymmetric: D_ij = Im Tr(ρ L_i L_j).

        Where it is 0 all parameters reach the quantum Cramér–Rao bound together (on many copies).
        Source: Ragy, Jarzyna and Demkowicz-Dobrzański, PRA 94, 052108 (2016); Carollo, J. Stat. Mech. (2019) 094010.
        """
        return np.asarray(np.einsum("ab,ibc,jca->ij", self.state, self.slds, self.slds).imag)

    @property
    def incompatibility(self) -> float:
        """R = ‖i F⁻¹ D‖∞ in [0, 1]: the Holevo bound is at most (1 + R) times the SLD bound. NaN for singular F."""
        if len(self.matrix) == 1:
            return 0.0
        if cramer_rao(self.matrix).rank < len(self.matrix):
            return float("nan")
        return float(np.max(np.abs(np.linalg.eigvals(np.linalg.solve(self.matrix, self.curvature)))))


def quantum_fisher(state: Any, derivatives: Any, *, cutoff: float = 1e-12) -> QuantumFisher:
    """Return the quantum Fisher information of ρ (d, d) with derivatives ∂ρ/∂θ_i (k, d, d) or one (d, d).

    F_ij = Re Tr(ρ L_i L_j), L_i = Σ 2⟨a|∂_iρ|b⟩/(p_a + p_b)|a⟩⟨b| over pairs with p_a + p_b above `cutoff` times the
    largest p. Arrays or QuTiP objects. Unit: 1/(unit of θ)².
    Sources: Paris, Int. J. Quant. Inf. 7, 125 (2009); Liu et al., J. Phys. A 53, 023001 (2020).
    """
    rho, changes = _matrix(state), _stack(derivatives)
    if not np.allclose(rho, rho.conj().T, atol=1e-9) or abs(np.trace(rho) - 1) > 1e-6:
        raise UsageError("The state is not a density matrix.", "Give a Hermitian matrix of trace 1.")
    p, v = np.linalg.eigh(rho)
    floor = cutoff * float(p[-1])
    inner = v.conj().T @ changes @ v
    both = p[:, None] + p[None, :]
    kept = both > floor
    slds = np.where(kept, 2 * inner / np.where(kept, both, 1), 0)
    outside = float(np.max(np.abs(np.where(kept, 0, inner)), initial=0.0))
    matrix = np.einsum("a,iab,jba->ij", p, slds, slds).real
    back = v @ slds @ v.conj().T
    return QuantumFisher(np.asarray((matrix + matrix.T) / 2), back, rho, int((p > floor).sum()), outside)


def pure_state_fisher(state: Any, derivatives: Any) -> QuantumFisher:
    """Return the quantum Fisher information of a normalised vector |ψ⟩ (d,) with derivatives (k, d) or (d,).

    F_ij = 4 Re(⟨∂_iψ|∂_jψ⟩ − ⟨∂_iψ|ψ⟩⟨ψ|∂_jψ⟩); L_i = 2 ∂_i(|ψ⟩⟨ψ|).
    """
    psi = _vector(state)
    changes = np.atleast_2d(np.asarray(derivatives, dtype=complex))
    overlap = changes.conj() @ psi
    matrix = 4 * (changes.conj() @ changes.T - np.outer(overlap, overlap.conj())).real
    slds = 2 * (np.einsum("ka,b->kab", changes, psi.conj()) + np.einsum("a,kb->kab", psi, changes.conj()))
    return QuantumFisher(np.asarray(matrix), slds, np.outer(psi, psi.conj()), 1, 0.0)


def generator_fisher(state: Any, generators: Any, *, cutoff: float = 1e-12) -> QuantumFisher:
    """Return the quantum Fisher information of exp(−iθG) ρ exp(iθG) for generators G (k, d, d) or one, at θ = 0."""
    rho, gens = _matrix(state), _stack(generators)
    return quantum_fisher(rho, -1j * (gens @ rho - rho @ gens), cutoff=cutoff)


def measurement_fisher(state: Any, derivatives: Any, effects: Any, *, cutoff: float = 1e-14) -> Reals:
    """Return the classical Fisher information (k, k) of measuring effects E_x (n, d, d): F = Σ ∂p ∂p/p.

    Never more than the quantum one. Outcomes of probability below `cutoff` are left out.
    """
    rho, changes, povm = _matrix(state), _stack(derivatives), _stack(effects)
    p = np.einsum("xab,ba->x", povm, rho).real
    dp = np.einsum("xab,iba->xi", povm, changes).real
    kept = p > cutoff
    return np.asarray(dp[kept].T @ (dp[kept] / p[kept, None]))


def evolved(
    generator: ArrayLike, change: ArrayLike, state: ArrayLike, time: float
) -> tuple[Complexes, Complexes]:
    """Return exp(A t) v and its derivative by θ for a generator A(θ) (n, n) with ∂A/∂θ, exactly (no step size).

    For vectors v (n,): states with A = −iH, or density matrices stacked by columns with a Liouvillian. The
    derivative comes from the exponential of the block matrix [[A, ∂A], [0, A]].
    Source: Van Loan, IEEE TAC 23, 395 (1978).
    """
    from scipy.linalg import expm

    a, da = np.asarray(generator, dtype=complex), np.asarray(change, dtype=complex)
    n = len(a)
    block = np.zeros((2 * n, 2 * n), dtype=complex)
    block[:n, :n] = block[n:, n:] = a
    block[:n, n:] = da
    whole = expm(block * time)
    v = np.asarray(state, dtype=complex)
    return whole[:n, :n] @ v, whole[:n, n:] @ v


def state_derivatives(
    family: Callable[[Reals], ArrayLike], theta: Sequence[float], *, step: float = 1e-3
) -> tuple[Complexes, Complexes]:
    """Return ρ(θ) and ∂ρ/∂θ_i (k, d, d) of a family of states, by sixth-order differences of relative `step`.

    For models without an exact derivative; where there is a generator use `evolved`. Error of order step⁶.
    """
    at = np.asarray(theta, dtype=float)
    rho = np.asarray(family(at), dtype=complex)
    found = []
    for i in range(len(at)):
        h = step * max(abs(float(at[i])), 1.0)
        unit = np.eye(len(at))[i] * h
        sides = [np.asarray(family(at + k * unit)) - np.asarray(family(at - k * unit)) for k in (1, 2, 3)]
        found.append((45 * sides[0] - 9 * sides[1] + sides[2]) / (60 * h))
    return rho, np.array(found)


def _matrix(state: Any) -> Complexes:
    given = np.asarray(state.full() if hasattr(state, "full") else state, dtype=complex)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    return np.outer(given, given.conj()) if given.ndim == 1 else given


def _vector(state: Any) -> Complexes:
    given = np.asarray(state.full() if hasattr(state, "full") else state, dtype=complex).ravel()
    return np.asarray(given / np.linalg.norm(given))


def _stack(matrices: Any) -> Complexes:
    if hasattr(matrices, "full"):
        matrices = [matrices]
    if isinstance(matrices, (list, tuple)):
        return np.array([m.full() if hasattr(m, "full") else m for m in matrices], dtype=complex)
    given = np.asarray(matrices, dtype=complex)
    return given[None] if given.ndim == 2 else given

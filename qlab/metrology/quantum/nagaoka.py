"""The Nagaoka–Hayashi bound: what several parameters can reach together with measurements on single copies."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.fisher import Reals, cramer_rao
from qlab.metrology.quantum.fisher import Complexes, quantum_fisher


@dataclass(frozen=True)
class NagaokaBound:
    """The Nagaoka–Hayashi bound on Tr(W·cov): `value`, not below the Holevo bound.

    Any measurement of one copy at a time obeys it; for a qubit some reaches it. `method` says how
    it was found: "closed" (a qubit) or "sdp" (cvxpy).
    """

    value: float
    method: Literal["closed", "sdp"]


def nagaoka_hayashi_bound(
    state: Any, derivatives: Any, weight: ArrayLike | None = None, *, method: Literal["auto", "sdp"] = "auto"
) -> NagaokaBound:
    """Return the Nagaoka–Hayashi bound of ρ (d, d) with derivatives (k, d, d) and weights W (k, k) (default: identity).

    min Tr[(W ⊗ ρ) L] over Hermitian X_i with Tr(X_i ∂_jρ) = δ_ij and blocks L_ij = L_ji, Hermitian, with
    L ≥ X Xᵀ. For a qubit (Tr √(√W F⁻¹ √W))², F the quantum Fisher information; else a semidefinite
    programme, with the extra `sdp`. Raises UsageError without it, and for a singular F.
    Sources: Nagaoka (1989); Hayashi (1999); Conlon et al., npj Quantum Inf. 7, 110 (2021), eq. 3; Gill and Massar,
    PRA 61, 042312 (2000).
    """
    fisher = quantum_fisher(state, derivatives)
    k, d = len(fisher.matrix), len(fisher.state)
    w = np.eye(k) if weight is None else np.asarray(weight, dtype=float)
    if cramer_rao(fisher.matrix).rank < k:
        raise UsageError(
            "These parameters cannot be told apart: their quantum Fisher information is singular.",
            "Leave one of them out, or change the probe.",
        )
    values, vectors = np.linalg.eigh(w)
    if values[0] <= 0:
        raise UsageError("The weights are not positive.", "Give a positive definite matrix.")
    if k == 1:
        return NagaokaBound(float(w[0, 0] / fisher.matrix[0, 0]), "closed")
    if method == "auto" and d == 2:
        root = (vectors * np.sqrt(values)) @ vectors.T
        shares = np.linalg.eigvalsh(root @ np.linalg.inv(fisher.matrix) @ root)
        return NagaokaBound(float(np.sqrt(np.maximum(shares, 0)).sum() ** 2), "closed")
    changes = (fisher.state @ fisher.slds + fisher.slds @ fisher.state) / 2
    return NagaokaBound(_sdp(fisher.state, changes, w), "sdp")


def _sdp(rho: Complexes, changes: Complexes, weight: Reals) -> float:
    try:
        import cvxpy
    except ImportError:
        raise UsageError("This bound needs cvxpy.", "Install qlab-metrology[sdp].") from None
    k, d = len(weight), len(rho)
    x = [cvxpy.Variable((d, d), hermitian=True) for _ in range(k)]
    blocks = {(i, j): cvxpy.Variable((d, d), hermitian=True) for i in range(k) for j in range(i, k)}
    rows = [[blocks[min(i, j), max(i, j)] for j in range(k)] + [x[i]] for i in range(k)]
    whole = cvxpy.bmat([*rows, [*x, np.eye(d)]])
    unbiased = [
        cvxpy.real(cvxpy.trace(x[i] @ changes[j])) == float(i == j) for i in range(k) for j in range(k)
    ]
    cost = sum(
        weight[i, j] * cvxpy.real(cvxpy.trace(rho @ blocks[min(i, j), max(i, j)]))
        for i in range(k)
        for j in range(k)
    )
    problem = cvxpy.Problem(cvxpy.Minimize(cost), [whole >> 0, *unbiased])
    try:
        return float(problem.solve(solver=cvxpy.CLARABEL))
    except cvxpy.error.SolverError:
        raise UsageError(
            "The semidefinite programme did not converge.", "Scale the parameters alike."
        ) from None

"""The Holevo Cramér–Rao bound: what several parameters can reach together on many copies."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.fisher import Reals, cramer_rao
from qlab.metrology.quantum.fisher import Complexes, quantum_fisher

Method = Literal["auto", "dual", "sdp"]


@dataclass(frozen=True)
class HolevoBound:
    """The Holevo bound on Tr(W·cov): `value`, with the certified lower end `certified` ≤ true ≤ `value`.

    `sld` is the bound Tr(W F⁻¹) that ignores incompatibility (sld ≤ value ≤ 2·sld). `method` says how it was
    found: "dual" (our own convex solver, certified by duality) or "sdp" (cvxpy).
    """

    value: float
    certified: float
    sld: float
    method: Literal["dual", "sdp"]


def holevo_bound(
    state: Any, derivatives: Any, weight: ArrayLike | None = None, *, method: Method = "auto"
) -> HolevoBound:
    """Return the Holevo bound of ρ (d, d) with derivatives (k, d, d) and weights W (k, k) (default: identity).

    C_H = min_X Tr(W Re Z) + ‖√W Im Z √W‖₁, Z_ij = Tr(ρ X_i X_j), over Hermitian X with Tr(X_i ∂_jρ) = δ_ij.
    auto and dual: our own solver; the trace norm is a maximum over antisymmetric K, ‖K‖ ≤ 1, and for each K the
    rest is a linear system, so that the gap is known. sdp: the semidefinite programme, with the extra `sdp`.
    Sources: Holevo (1982); Albarelli, Friel and Datta, PRL 123, 200503 (2019); Nagaoka (1989).
    """
    fisher = quantum_fisher(state, derivatives)
    count = len(fisher.matrix)
    w = np.eye(count) if weight is None else np.asarray(weight, dtype=float)
    if cramer_rao(fisher.matrix).rank < count:
        raise UsageError(
            "These parameters cannot be told apart: their quantum Fisher information is singular.",
            "Leave one of them out, or change the probe.",
        )
    values, vectors = np.linalg.eigh(w)
    if values[0] <= 0:
        raise UsageError("The weights are not positive.", "Give a positive definite matrix.")
    root = (vectors * np.sqrt(values)) @ vectors.T
    sld = float(np.trace(w @ np.linalg.inv(fisher.matrix)))
    gram, slopes = _coordinates(fisher.state, _stacked(derivatives))
    if method == "sdp":
        value = _sdp(gram, slopes, w)
        return HolevoBound(value, value, sld, "sdp")
    upper, lower = _dual(gram, slopes, root)
    return HolevoBound(upper, lower, sld, "dual")


def _stacked(derivatives: Any) -> Complexes:
    listed = [derivatives] if hasattr(derivatives, "full") else derivatives
    given = [d.full() if hasattr(d, "full") else np.asarray(d) for d in listed]
    return np.asarray(given if given[0].ndim == 2 else [np.asarray(derivatives)], dtype=complex)


def _coordinates(rho: Complexes, changes: Complexes) -> tuple[Complexes, Reals]:
    # Hermitian operators as real vectors, in coordinates in which Re Tr(ρ X Y) is the identity. What lies in the
    # kernel of ρ on both sides has no weight there and drops out.
    d = len(rho)
    basis = np.zeros((d * d, d, d), dtype=complex)
    at = 0
    for a in range(d):
        basis[at, a, a] = 1
        at += 1
        for b in range(a + 1, d):
            basis[at, a, b] = basis[at, b, a] = 1
            basis[at + 1, a, b], basis[at + 1, b, a] = 1j, -1j
            at += 2
    gram = np.einsum("ab,ibc,jca->ij", rho, basis, basis, optimize=True)
    slopes = np.einsum("iab,jba->ji", basis, changes, optimize=True).real
    values, vectors = np.linalg.eigh(gram.real)
    kept = values > 1e-11 * values[-1]
    white = vectors[:, kept] / np.sqrt(values[kept])
    return white.T @ gram @ white, slopes @ white


def _dual(gram: Complexes, slopes: Reals, root: Reals) -> tuple[float, float]:
    """Return (upper, lower) of min |y|² + ‖y A yᵀ‖₁ with y slopesᵀ = root, A = Im gram."""
    from scipy.optimize import minimize, minimize_scalar

    a, n = gram.imag, len(root)
    low_index = np.tril_indices(n, -1)

    def antisymmetric(k: Reals) -> Reals:
        matrix = np.zeros((n, n))
        matrix[low_index] = k
        matrix = matrix - matrix.T
        u, s, vt = np.linalg.svd(matrix)
        return np.asarray((u * np.minimum(s, 1.0)) @ vt)

    def primal(k: Reals) -> tuple[float, Reals]:
        y = _quadratic(antisymmetric(k), a, slopes, root)
        return float(np.sum(y * y) + np.sum(np.linalg.svd(y @ a @ y.T, compute_uv=False))), y

    def lower(k: Reals) -> float:
        matrix = antisymmetric(k)
        y = _quadratic(matrix, a, slopes, root)
        return float(np.sum(y * y) + np.sum(matrix * (y @ a @ y.T)))

    size = len(low_index[0])
    if size == 0:
        value = lower(np.zeros(0))
        return value, value
    if size == 1:
        ends = (-1.0, 1.0)
        inner = minimize_scalar(
            lambda k: -lower(np.array([k])), bounds=ends, method="bounded", options={"xatol": 1e-11}
        )
        tried = [np.array([k]) for k in (*ends, float(inner.x))]
    else:
        tried = _ascend(lower, size, minimize)
    best = max(tried, key=lower)
    upper = min(primal(k)[0] for k in tried)
    return max(upper, lower(best)), lower(best)


def _ascend(lower: Any, size: int, minimize: Any) -> list[Reals]:
    # g is concave in K; the starts are the corners of the ball along each pair of parameters, and its middle.
    starts = [np.zeros(size), *(s * np.eye(size)[i] * 0.9 for i in range(size) for s in (-1, 1))]
    first = max(starts, key=lower)
    found = minimize(lambda k: -lower(k), first, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
    refined = minimize(
        lambda k: -lower(k),
        found.x,
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000},
    )
    return [first, found.x, refined.x]


def _quadratic(k: Reals, a: Reals, slopes: Reals, root: Reals) -> Reals:
    """Return the y (n, r) of least |y|² + Σ K·(y A yᵀ) with y slopesᵀ = root."""
    n, r = len(k), len(a)
    # K and A are antisymmetric: their Kronecker product is symmetric, its eigenvalues lie in [−1, 1].
    # Where one of them is −1 the cost is flat along it: the whole saddle-point system finds the least there too.
    size = n * r
    system = np.zeros((size + n * n, size + n * n))
    system[:size, :size] = np.eye(size) + np.kron(k, a)
    system[size:, :size] = np.kron(np.eye(n), slopes)
    system[:size, size:] = system[size:, :size].T
    right = np.concatenate((np.zeros(size), root.ravel()))
    return np.asarray(np.linalg.lstsq(system, right, rcond=1e-12)[0][:size].reshape(n, r))


def _sdp(gram: Complexes, slopes: Reals, weight: Reals) -> float:
    try:
        import cvxpy
    except ImportError:
        raise UsageError(
            "The semidefinite programme needs cvxpy.", "Install qlab-metrology[sdp], or use method='dual'."
        ) from None
    n, r = len(weight), len(gram)
    values, vectors = np.linalg.eigh(gram)
    factor = (vectors * np.sqrt(np.clip(values, 0, None))).conj().T  # gram = factor† factor
    v = cvxpy.Variable((n, n), symmetric=True)
    x = cvxpy.Variable((r, n))
    block = cvxpy.bmat([[v, (factor @ x).H], [factor @ x, np.eye(r)]])
    problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.trace(weight @ v)), [block >> 0, slopes @ x == np.eye(n)])
    try:
        return float(problem.solve(solver=cvxpy.CLARABEL))
    except cvxpy.error.SolverError:
        raise UsageError("The semidefinite programme did not converge.", "Use method='dual'.") from None

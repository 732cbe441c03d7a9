"""Batched propagators of piecewise-constant generators: each distinct segment exponentiated once.

Everything here works on stacks: the last two axes are a matrix, the others are the batch. Superoperators act
on row-stacked density matrices, rho[i, j] at index i*d + j.
"""

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.complex128]

# Padé [13/13] coefficients and the largest 1-norm for which it is exact to rounding (Higham 2005, table 2.3).
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_THETA = 5.371920351148152
WORST_CONDITION = 1e6


def expm(generators: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return exp(A) for each matrix of a stack; shape (..., n, n).

    Scaling and squaring with a Padé approximant, all matrices at once; each is squared as often as its own
    norm asks for. Backward error of the order of the unit roundoff (Higham, SIAM J. Matrix Anal. 26, 1179).
    """
    shape = generators.shape
    flat = np.ascontiguousarray(generators.reshape(-1, *shape[-2:]))
    if not np.all(np.isfinite(flat)):
        raise ValueError("a generator has entries that are not finite")
    norms = np.abs(flat).sum(axis=-2).max(axis=-1)
    with np.errstate(divide="ignore"):
        squarings = np.maximum(0, np.ceil(np.log2(norms / _THETA))).astype(int)
    out = np.empty_like(flat)
    for count in np.unique(squarings):
        chosen = squarings == count
        result = _pade(flat[chosen] / 2.0**count)
        for _ in range(count):
            result = result @ result
        out[chosen] = result
    return out.reshape(shape)


def _pade(a: NDArray[np.generic]) -> NDArray[np.generic]:
    b = _PADE
    identity = np.eye(a.shape[-1], dtype=a.dtype)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    u = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * identity)
    v = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * identity
    solved: NDArray[np.generic] = np.linalg.solve(v - u, v + u)
    return solved


def durations(generator: NDArray[np.generic], times: NDArray[np.float64], vectors: Stack) -> Stack:
    """Return exp(A t) v for every time of a sweep in which only the duration changes.

    `generator` (..., n, n), `times` (t,), `vectors` (..., n); returns (..., t, n). One eigendecomposition
    serves all times; where its eigenvectors are ill-conditioned (an exceptional point, a Jordan block) the
    stack is exponentiated time by time instead.
    """
    values, basis = np.linalg.eig(generator)
    inverse, usable = _inverse(basis)
    amplitudes = np.einsum("...ij,...j->...i", inverse, vectors)
    phases = np.exp(values[..., None, :] * times[:, None])
    result: Stack = np.einsum("...ij,...tj->...ti", basis, phases * amplitudes[..., None, :])
    if not np.all(usable):
        exact = expm(generator[..., None, :, :] * times[:, None, None])
        careful: Stack = np.einsum("...tij,...j->...ti", exact, vectors)
        result = np.where(usable[..., None, None], result, careful)
    return result


def _inverse(basis: Stack) -> tuple[Stack, NDArray[np.bool_]]:
    usable = np.linalg.cond(basis) < WORST_CONDITION
    safe = np.where(usable[..., None, None], basis, np.eye(basis.shape[-1]))
    return np.linalg.inv(safe), usable


def liouvillian(hamiltonian: Stack, jumps: NDArray[np.generic]) -> Stack:
    """Return the Lindblad superoperator of H (rad/s) and collapse operators sqrt(rate)*jump.

    `hamiltonian` (..., d, d), `jumps` (k, d, d) or (..., k, d, d); returns (..., d*d, d*d) for row-stacked
    density matrices: drho/dt = -i[H, rho] + sum_k (c rho c+ - {c+ c, rho}/2).
    """
    d = hamiltonian.shape[-1]
    identity = np.eye(d)
    decay = np.einsum("...kba,...kbc->...ac", jumps.conj(), jumps) / 2
    effective = -1j * hamiltonian - decay
    left = np.einsum("...ab,cd->...acbd", effective, identity)
    right = np.einsum("ab,...cd->...acbd", identity, effective.conj())
    feeding = np.einsum("...kab,...kcd->...acbd", jumps, jumps.conj())
    total = left + right + feeding
    return np.asarray(total).reshape(*total.shape[:-4], d * d, d * d)


def steady_state(generators: Stack) -> Stack:
    """Return the stationary density matrix of each Liouvillian of a stack; shape (..., d, d).

    Solves L rho = 0 with the row of rho[0, 0] replaced by the trace. Raises ValueError where the state is not
    unique or the residual is not small.
    """
    n = generators.shape[-1]
    d = int(np.sqrt(n))
    scale = np.abs(generators).max(axis=(-2, -1), keepdims=True)
    matrix = generators / np.where(scale == 0, 1, scale)
    bordered = matrix.copy()
    bordered[..., 0, :] = np.eye(d).reshape(-1)
    rhs = np.zeros((*generators.shape[:-2], n, 1), dtype=complex)
    rhs[..., 0, 0] = 1.0
    try:
        solution = np.linalg.solve(bordered, rhs)
    except np.linalg.LinAlgError as error:
        raise ValueError("the steady state is not unique: nothing relaxes part of the system") from error
    residual = np.abs(matrix @ solution).max()
    if not residual < 1e-8:
        raise ValueError(f"the steady state is not unique or ill-conditioned (residual {residual:.1e})")
    return np.asarray(solution[..., 0].reshape(*generators.shape[:-2], d, d))

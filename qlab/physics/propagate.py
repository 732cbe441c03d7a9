"""Batched propagators of piecewise-constant generators: each distinct segment exponentiated once.

Everything here works on stacks: the last two axes are a matrix, the others are the batch. Superoperators act
on row-stacked density matrices, rho[i, j] at index i*d + j, or, real, on their parts in a Hermitian basis.
"""

from functools import cache
from typing import Any

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
# Beyond it a steady state has fewer than about five digits; one that is not unique has none.
WORST_STEADY_CONDITION = 1e11
CHUNK = 512  # matrices exponentiated together: few enough to stay in the processor's cache


def expm(generators: NDArray[Any]) -> NDArray[Any]:
    """Return exp(A) for each matrix of a stack; shape (..., n, n).

    Scaling and squaring with a Padé approximant, many matrices at once; each is squared as often as its own
    norm asks for. Backward error of the order of the unit roundoff (Higham, SIAM J. Matrix Anal. 26, 1179).
    """
    shape = generators.shape
    flat = np.ascontiguousarray(generators.reshape(-1, *shape[-2:]))
    if not np.all(np.isfinite(flat)):
        raise ValueError("a generator has entries that are not finite")
    norms = np.abs(flat).sum(axis=-2).max(axis=-1, initial=0.0)
    with np.errstate(divide="ignore"):
        squarings = np.maximum(0, np.ceil(np.log2(norms / _THETA))).astype(int)
    out = np.empty_like(flat)
    for count in np.unique(squarings):
        alike = np.flatnonzero(squarings == count)
        for start in range(0, len(alike), CHUNK):
            chosen = alike[start : start + CHUNK]
            result = _pade(flat[chosen] / 2.0**count)
            for _ in range(count):
                result = result @ result
            out[chosen] = result
    return out.reshape(shape)


def _pade(a: NDArray[Any]) -> NDArray[Any]:
    b = _PADE
    diagonal = np.arange(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    u = a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2
    u[..., diagonal, diagonal] += b[1]
    u = a @ u
    v = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2
    v[..., diagonal, diagonal] += b[0]
    return np.linalg.solve(v - u, v + u)


def durations(generator: NDArray[Any], times: NDArray[np.float64], vectors: Stack) -> Stack:
    """Return exp(A t) v for every time of a sweep in which only the duration changes.

    `generator` (..., n, n), `times` (t,), `vectors` (..., n); returns (..., t, n). One eigendecomposition
    serves all times; where its eigenvectors are ill-conditioned (an exceptional point, a Jordan block) the
    stack is exponentiated time by time instead.
    """
    values, basis = np.linalg.eig(generator)
    inverse, usable = _inverse(basis)
    amplitudes = np.einsum("...ij,...j->...i", inverse, vectors)
    phases = np.exp(values[..., None, :] * times[:, None])
    result = np.asarray(
        np.einsum("...ij,...tj->...ti", basis, phases * amplitudes[..., None, :]), dtype=complex
    )
    if not np.all(usable):
        bad = generator[~usable]
        exact = expm(bad[:, None] * times[:, None, None])
        start = np.broadcast_to(vectors, generator.shape[:-1])[~usable]
        result[~usable] = np.einsum("stij,sj->sti", exact, start)
    return result


def _inverse(basis: Stack) -> tuple[Stack, NDArray[np.bool_]]:
    usable = np.linalg.cond(basis) < WORST_CONDITION
    safe = np.where(usable[..., None, None], basis, np.eye(basis.shape[-1]))
    inverse = np.asarray(np.linalg.inv(safe), dtype=complex)
    return inverse, usable


def liouvillian(hamiltonian: Stack, jumps: NDArray[Any]) -> Stack:
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


@cache
def hermitian_basis(d: int) -> Stack:
    """Return the unitary (d*d, d*d) whose rows take a row-stacked matrix to its parts in a Hermitian basis.

    The first d parts are the populations; those of a density matrix are real, and so is a Liouvillian between
    them, B @ L @ B+.
    """
    rows = [np.diag(unit) for unit in np.eye(d, dtype=complex)]
    for i in range(d):
        for j in range(i):
            symmetric = np.zeros((d, d), dtype=complex)
            symmetric[i, j] = symmetric[j, i] = np.sqrt(0.5)
            skew = np.zeros((d, d), dtype=complex)
            skew[i, j], skew[j, i] = 1j * np.sqrt(0.5), -1j * np.sqrt(0.5)
            rows += [symmetric, skew]
    basis = np.array(rows).reshape(d * d, d * d).conj()
    basis.flags.writeable = False
    return basis


def real_form(generators: Stack) -> NDArray[np.float64]:
    """Return Liouvillians (..., d*d, d*d) between the parts of density matrices in the Hermitian basis."""
    basis = hermitian_basis(int(np.sqrt(generators.shape[-1])))
    return np.ascontiguousarray((basis @ generators @ basis.conj().T).real)


def steady_state(generators: Stack) -> Stack:
    """Return the stationary density matrix of each Liouvillian of a stack; shape (..., d, d).

    Raises ValueError where the state is not unique.
    """
    d = int(np.sqrt(generators.shape[-1]))
    parts = stationary(real_form(generators), d)
    return np.asarray(parts @ hermitian_basis(d).conj()).reshape(*generators.shape[:-2], d, d)


def stationary(generators: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    """Return what stationary states are in the Hermitian basis, for Liouvillians in it; shape (..., d*d).

    Solves L rho = 0 with its first row replaced by the trace. Raises ValueError where that has no one solution.
    """
    size = np.abs(generators).sum(axis=-1).max(axis=-1)
    bordered = generators / np.where(size == 0, 1, size)[..., None, None]
    bordered[..., 0, :] = np.arange(d * d) < d
    try:
        inverse = np.linalg.inv(bordered)
    except np.linalg.LinAlgError as error:
        raise ValueError("the steady state is not unique: nothing relaxes part of the system") from error
    condition = np.abs(inverse).sum(axis=-1).max() * np.abs(bordered).sum(axis=-1).max()
    if not condition < WORST_STEADY_CONDITION:
        raise ValueError(f"the steady state is not unique or ill-conditioned (condition {condition:.1e})")
    return np.asarray(inverse[..., 0])

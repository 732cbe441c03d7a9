"""Superoperators: Lindblad generators on row-stacked density matrices, and their real Hermitian-basis form.

Row-stacked: rho[i, j] at index i*d + j. Real: on the parts of rho in a Hermitian basis, populations first.
"""

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.complex128]
Floats = NDArray[np.float64]


def liouvillian(hamiltonian: Stack, jumps: NDArray[Any]) -> Stack:
    """Return the Lindblad superoperator of H (rad/s) and collapse operators sqrt(rate)*jump.

    `hamiltonian` (..., d, d), `jumps` (k, d, d) or (..., k, d, d); returns (..., d*d, d*d) for row-stacked
    density matrices: drho/dt = -i[H, rho] + sum_k (c rho c+ - {c+ c, rho}/2).
    """
    d = hamiltonian.shape[-1]
    effective = -1j * hamiltonian
    lead = hamiltonian.shape[:-2]
    if jumps.shape[-3]:
        effective = effective - (jumps.conj().swapaxes(-1, -2) @ jumps).sum(axis=-3) / 2
        flat = jumps.reshape(*jumps.shape[:-2], d * d)
        feeding = (flat.swapaxes(-1, -2) @ flat.conj()).reshape(*jumps.shape[:-3], d, d, d, d)
        lead = np.broadcast_shapes(lead, jumps.shape[:-3])
        total = np.empty((*lead, d, d, d, d), dtype=complex)
        total[...] = feeding.swapaxes(-3, -2)
    else:
        total = np.zeros((*lead, d, d, d, d), dtype=complex)
    for i in range(d):
        total[..., :, i, :, i] += effective
        total[..., i, :, i, :] += effective.conj()
    return total.reshape(*lead, d * d, d * d)


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


@cache
def _adjoint_basis(d: int) -> Stack:
    adjoint = np.ascontiguousarray(hermitian_basis(d).conj().T)
    adjoint.flags.writeable = False
    return adjoint


def real_form(generators: Stack) -> Floats:
    """Return Liouvillians (..., d*d, d*d) between the parts of density matrices in the Hermitian basis."""
    d = math.isqrt(generators.shape[-1])
    return np.ascontiguousarray((hermitian_basis(d) @ generators @ _adjoint_basis(d)).real)


def parts(matrices: Stack) -> Floats:
    """Return the real parts of Hermitian matrices (..., d, d) in the Hermitian basis; shape (..., d*d)."""
    d = matrices.shape[-1]
    flat = matrices.reshape(*matrices.shape[:-2], d * d)
    return np.ascontiguousarray((flat @ hermitian_basis(d).T).real)


def matrices(real_parts: Floats) -> Stack:
    """Return the Hermitian matrices (..., d, d) of real parts (..., d*d); the inverse of `parts`."""
    d = math.isqrt(real_parts.shape[-1])
    return np.asarray(real_parts @ hermitian_basis(d).conj()).reshape(*real_parts.shape[:-1], d, d)


@cache
def _commutators(d: int) -> Floats:
    """Real generators of each Hermitian basis matrix as a Hamiltonian; (d*d, d**4)."""
    basis = hermitian_basis(d).conj().reshape(-1, d, d)
    none = np.zeros((0, d, d))
    made = real_form(liouvillian(np.ascontiguousarray(basis), none)).reshape(d * d, -1)
    made.flags.writeable = False
    return made


SMALL = 5  # levels up to which the table of commutators costs less than two products


def generators(hamiltonian: Stack, jumps: Stack) -> Floats:
    """Return Lindblad generators in the Hermitian basis, (..., d*d, d*d), of Hamiltonians (..., d, d).

    One set of jumps (k, d, d) for all, or (..., k, d, d). Linear in H: stacks cost one product of matrices.
    """
    d = hamiltonian.shape[-1]
    if d > SMALL:
        return real_form(liouvillian(hamiltonian, jumps))
    turning = (parts(hamiltonian) @ _commutators(d)).reshape(*hamiltonian.shape[:-2], d * d, d * d)
    if not jumps.shape[-3]:
        return turning
    still = np.zeros((d, d), dtype=complex)
    return turning + real_form(liouvillian(still, jumps))

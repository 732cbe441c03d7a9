"""Sectors: the parts of a problem that never meet, and the part of Liouville space that a readout can see."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qlab.physics.given import Complex, Floats
from qlab.physics.superoperator import generators, parts

Indices = NDArray[np.int64]


def linked(operators: Sequence[Complex]) -> NDArray[np.bool_]:
    """Return which levels any of the operators connects, (d, d), symmetric, each level with itself."""
    d = operators[0].shape[-1]
    pattern = np.eye(d, dtype=bool)
    for operator in operators:
        pattern |= (
            (operator != 0).any(axis=tuple(range(operator.ndim - 2))) if operator.ndim > 2 else operator != 0
        )
    return np.asarray(pattern | pattern.T)


def sectors(pattern: NDArray[np.bool_]) -> list[Indices]:
    """Return the sets of indices that a symmetric pattern (n, n) connects, in order of their first."""
    found: list[Indices] = []
    left = np.ones(len(pattern), dtype=bool)
    while left.any():
        inside = _reached(pattern, int(np.flatnonzero(left)[0]))
        found.append(np.flatnonzero(inside))
        left &= ~inside
    return found


def _reached(pattern: NDArray[np.bool_], start: int) -> NDArray[np.bool_]:
    inside = np.asarray(pattern[start])
    count = 0
    while (now := int(np.count_nonzero(inside))) != count:
        count = now
        inside = np.asarray(pattern[inside].any(axis=0))
    return inside


def hilbert_sectors(
    hamiltonians: Sequence[Complex], jumps: Complex, ends: Sequence[Complex]
) -> list[Indices]:
    """Return the sets of levels that evolve apart, for a state and an observable given as `ends`.

    Where Hamiltonians and jumps are block-diagonal, the diagonal blocks of the state evolve on their own. If
    one of the ends has nothing outside them, the rest cannot be seen.
    """
    pattern = linked([*hamiltonians, jumps] if jumps.shape[-3] else hamiltonians)
    if pattern.all():
        return [np.arange(len(pattern))]
    apart = sectors(pattern)
    if len(apart) == 1:
        return apart
    inside = np.zeros_like(pattern)
    for sector in apart:
        inside[np.ix_(sector, sector)] = True
    if any(not np.any(end[..., ~inside]) for end in ends):
        return apart
    return [np.arange(len(pattern))]


def seen_parts(hamiltonians: Sequence[Complex], jumps: Complex, readout: Floats) -> Indices:
    """Return the indices in the Hermitian basis that a readout (d*d,) can ever see, and the populations.

    Followed backwards from the readout through the pattern of the generators, which is that of a generic
    Hamiltonian with the same zeros, so that no cancellation of numbers can hide a path.
    """
    d = hamiltonians[0].shape[-1]
    rng = np.random.Generator(np.random.Philox(1))
    pattern = np.eye(d * d, dtype=bool)
    still = np.zeros((d, d), dtype=complex)
    generic = [_generic(h, rng) for h in hamiltonians]
    for h in generic:
        pattern |= generators(h, np.zeros((0, d, d), dtype=complex)) != 0
    if jumps.shape[-3]:
        pattern |= np.abs(generators(still, jumps)).reshape(-1, d * d, d * d).max(axis=0) != 0
    inside = np.asarray(readout.reshape(-1, d * d).any(axis=0))
    inside[:d] = True
    count = -1
    while (now := int(np.count_nonzero(inside))) != count:
        count = now
        inside = inside | pattern[inside].any(axis=0)
    return np.flatnonzero(inside)


def _generic(h: Complex, rng: np.random.Generator) -> Complex:
    lead = tuple(range(h.ndim - 2))
    d = h.shape[-1]
    real, imaginary = (h.real != 0).any(axis=lead), (h.imag != 0).any(axis=lead)
    made = np.triu(rng.uniform(1, 2, (d, d)) * real + 1j * rng.uniform(1, 2, (d, d)) * imaginary)
    return np.asarray(made + np.triu(made, 1).conj().T)


def block_parts(states: Complex, sector: Indices) -> Floats:
    """Return a sector's block of Hermitian matrices (..., d, d) in its Hermitian basis."""
    return parts(np.ascontiguousarray(states[..., sector[:, None], sector]))

"""Steady states along a line H0 + x H1: one small eigendecomposition, then a rational function of x."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.given import Floats, hermitian, jumps
from qlab.physics.propagate import WORST_CONDITION, WORST_STEADY_CONDITION
from qlab.physics.sectors import seen_parts
from qlab.physics.superoperator import generators, parts

NOT_UNIQUE = UsageError(
    "The steady state is not unique: nothing relaxes part of the system.",
    "Add relaxation between all levels.",
)


def steady_expectation(
    hamiltonian: Any, collapse: Any, observable: Any, slope: Any = None, values: Any = None
) -> Floats:
    """Return Tr(O rho) in the steady state of H + x*slope at each x of `values`; shape (x,).

    All of H, slope and O are (d, d), Qobj or arrays, H in rad/s, jumps sqrt(rate)*jump. With no slope there is
    one value, shape (). Raises UsageError where the state is not unique or too ill-conditioned to be told.
    """
    h = hermitian(hamiltonian, "The Hamiltonian")
    d = h.shape[-1]
    tilt = np.zeros_like(h) if slope is None else hermitian(slope, "The slope", d)
    x = np.zeros(1) if values is None else np.asarray(values, dtype=float)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise UsageError("The values of the sweep are no list of finite numbers.", "Check the sweep.")
    readout = parts(hermitian(observable, "The observable", d))
    relaxing = jumps(collapse, d)
    kept = seen_parts([h, tilt], relaxing, readout)
    none = np.zeros((0, d, d), dtype=complex)
    base = generators(h, relaxing)[kept[:, None], kept]
    lean = generators(tilt, none)[kept[:, None], kept]
    made = rational(base, lean, readout[kept], d)(x) if x.size else np.zeros(0)
    return made if values is not None else made[0]


def rational(base: Floats, lean: Floats, readout: Floats, populations: int) -> Callable[[Floats], Floats]:
    """Return the function x -> readout . rho(x), with (base + x lean) rho = 0 and populations summing to 1.

    `base` and `lean` (..., n, n) real generators whose first rows are the populations, `readout` (n,); the
    function takes (x,) and returns (..., x). Only the rows that the slope touches, r of them, are
    decomposed (Woodbury): M = lean A^-1 there has r eigenvalues m, and what is sought is a sum of
    x/(1 + x m). Where M is ill-conditioned it is solved for each x instead.
    """
    n = base.shape[-1]
    scale = np.abs(base).sum(axis=-1).max(axis=-1)[..., None, None]
    scale = np.where(scale == 0, 1.0, scale)

    def function(x: Floats) -> Floats:
        middle = float(x[len(x) // 2]) if len(x) == 1 else float(x.min() + x.max()) / 2
        bordered = (base + middle * lean) / scale
        bordered[..., 0, :] = np.arange(n) < populations
        try:
            inverse = np.linalg.inv(bordered)
        except np.linalg.LinAlgError as error:
            raise NOT_UNIQUE from error
        condition = np.abs(inverse).sum(axis=-1).max() * np.abs(bordered).sum(axis=-1).max()
        if not condition < WORST_STEADY_CONDITION:
            raise NOT_UNIQUE
        touched = np.flatnonzero(np.any(lean != 0, axis=(*range(lean.ndim - 2), -1)))
        touched = touched[touched > 0]
        rest = inverse[..., 0]
        still = (rest @ readout)[..., None]
        if not len(touched):
            return np.broadcast_to(still, (*still.shape[:-1], len(x))).copy()
        rows = lean[..., touched, :] / scale
        columns = inverse[..., touched]
        small = rows @ columns
        source = (rows @ rest[..., None])[..., 0]
        seen = readout @ columns
        shift = x - middle
        return still - _resolvent(small, source, seen, shift)

    return function


def _resolvent(small: Floats, source: Floats, seen: Floats, shift: Floats) -> Floats:
    """Return s * seen . (1 + s M)^-1 . source for each shift s; (..., s)."""
    values, vectors = np.linalg.eig(small)
    if np.linalg.cond(vectors).max() < WORST_CONDITION:
        right = np.linalg.solve(vectors, source[..., None].astype(complex))[..., 0]
        weight = (seen[..., None, :] @ vectors)[..., 0, :] * right
        below = 1 + shift[:, None] * values[..., None, :]
        if not np.abs(below).min() > 1 / WORST_STEADY_CONDITION:
            raise NOT_UNIQUE
        made = (shift[:, None] * (weight[..., None, :] / below)).sum(axis=-1)
        return np.asarray(made.real)
    whole: NDArray[Any] = np.eye(small.shape[-1]) + shift[:, None, None] * small[..., None, :, :]
    try:
        found = np.linalg.solve(whole, np.broadcast_to(source[..., None, :, None], (*whole.shape[:-1], 1)))
    except np.linalg.LinAlgError as error:
        raise NOT_UNIQUE from error
    return np.asarray(shift * (found[..., 0] @ seen[..., None])[..., 0])

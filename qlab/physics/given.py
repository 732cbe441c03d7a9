"""What callers give: operators as arrays or Qobj, checked before anything is computed with them."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError

Complex = NDArray[np.complex128]
Floats = NDArray[np.float64]
# How far, relative to its largest element, a Hamiltonian may be from Hermitian: rounding, no more.
HERMITIAN = 1e-10
TRACE = 1e-8
NEGATIVE = -1e-9


def array(operator: Any) -> Complex:
    """Return an operator or a stack of them as a complex array; a Qobj gives its full matrix."""
    if hasattr(operator, "full"):
        operator = operator.full()
    return np.ascontiguousarray(operator, dtype=complex)


def square(operator: Any, what: str, d: int | None = None) -> Complex:
    """Return matrices (..., d, d). Raises UsageError where they are not square, finite, or of dimension d."""
    made = array(operator)
    if made.ndim < 2 or made.shape[-1] != made.shape[-2] or made.shape[-1] == 0:
        raise UsageError(f"{what} has shape {made.shape}.", "Give square matrices, at least 1 x 1.")
    if d is not None and made.shape[-1] != d:
        raise UsageError(
            f"{what} has {made.shape[-1]} levels, the others have {d}.",
            "Build all operators on the same space.",
        )
    if not math.isfinite(made.view(np.float64).sum()) and not np.isfinite(made).all():
        raise UsageError(f"{what} has entries that are not finite.", "Check the numbers it is made of.")
    return made


def hermitian(operator: Any, what: str, d: int | None = None) -> Complex:
    """Return Hermitian matrices (..., d, d). Raises UsageError where they are not."""
    made = square(operator, what, d)
    adjoint = made.conj().swapaxes(-1, -2)
    if not np.array_equal(made, adjoint):
        size = np.abs(made).max(axis=(-2, -1))
        if np.any(np.abs(made - adjoint).max(axis=(-2, -1)) > HERMITIAN * size):
            raise UsageError(
                f"{what} is not Hermitian.", "Add the Hermitian conjugate, or use jumps for loss."
            )
    return made


def jumps(operators: Any, d: int) -> Complex:
    """Return collapse operators sqrt(rate)*jump as (..., k, d, d); none at all is k = 0."""
    if isinstance(operators, np.ndarray):
        made = operators.astype(complex)
    elif isinstance(operators, Iterable) and not hasattr(operators, "full"):
        listed = [array(operator) for operator in operators]
        if any(x.shape != listed[0].shape for x in listed):
            raise UsageError("The collapse operators differ in dimension.", "Build them on the same space.")
        made = np.array(listed) if listed else np.zeros((0, d, d), dtype=complex)
    else:
        made = array(operators)[None]
    if made.ndim < 3:
        raise UsageError(f"Collapse operators of shape {made.shape} are no list.", "Give a list of matrices.")
    if made.shape[-3] == 0:
        return np.zeros((0, d, d), dtype=complex)
    return square(made, "A collapse operator", d)


def density(state: Any, d: int | None = None) -> Complex:
    """Return a state, a ket (d,) or a density matrix (..., d, d), as density matrices.

    Raises UsageError where it is not of trace 1, not Hermitian, or not positive.
    """
    made = array(state)
    if made.ndim == 1 or (made.ndim == 2 and made.shape[1] == 1 and made.shape[0] > 1):
        ket = made.reshape(-1)
        made = np.multiply.outer(ket, ket.conj())
    made = hermitian(made, "The state", d)
    traces = np.trace(made, axis1=-2, axis2=-1).real
    if np.any(np.abs(traces - 1) > TRACE):
        raise UsageError(f"The state has trace {float(traces.flat[0]):.6g}.", "Normalise it to 1.")
    diagonal = np.diagonal(made, axis1=-2, axis2=-1).real
    flat = np.count_nonzero(made) == np.count_nonzero(diagonal)
    if (diagonal if flat else np.linalg.eigvalsh(made)).min() < NEGATIVE:
        raise UsageError("The state has a negative eigenvalue.", "Give a density matrix.")
    return made


def seconds(value: Any, what: str = "A duration") -> Floats:
    """Return durations, () or (t,), in s. Raises UsageError where one is negative or not finite."""
    made = np.asarray(value, dtype=float)
    if made.ndim > 1:
        raise UsageError(f"{what} has shape {made.shape}.", "Give one number or a list of them.")
    if made.size == 0:
        raise UsageError(f"{what} has no values.", "Give at least one.")
    if not np.isfinite(made).all() or made.min() < 0:
        raise UsageError(f"{what} is negative or not finite.", "Durations are 0 or more, in s.")
    return made

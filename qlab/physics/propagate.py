"""Batched propagators of piecewise-constant generators: each distinct segment exponentiated once.

Everything here works on stacks: the last two axes are a matrix, the others are the batch. Superoperators act
on row-stacked density matrices, rho[i, j] at index i*d + j, or, real, on their parts in a Hermitian basis.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.exponential import expm
from qlab.physics.superoperator import Floats, Stack, hermitian_basis, liouvillian, real_form

__all__ = [
    "durations",
    "expm",
    "hermitian_basis",
    "liouvillian",
    "pairings",
    "propagators",
    "real_form",
    "stationary",
    "steady_state",
]

WORST_CONDITION = 1e6
# Beyond it a steady state has fewer than about five digits; one that is not unique has none.
WORST_STEADY_CONDITION = 1e11
# Times that miss an even grid by less than this part of a step are on it.
EVEN = 1e-9
WORST_PHASE = 1e-6  # rad that rounding may turn what has not decayed
GONE = 40.0  # exp(-GONE) is nothing


def durations(generator: NDArray[Any], times: NDArray[np.float64], vectors: Stack) -> Stack:
    """Return exp(A t) v for every time of a sweep in which only the duration changes.

    `generator` (..., n, n), `times` (t,), `vectors` (..., n); returns (..., t, n). One eigendecomposition
    serves all times; where its eigenvectors are ill-conditioned (an exceptional point, a Jordan block) the
    stack is exponentiated time by time instead.
    """
    if not (np.isfinite(generator).all() and np.isfinite(times).all()):
        raise UsageError("A generator or a duration is not finite.", "Check rates and durations.")
    values, basis = np.linalg.eig(generator)
    inverse, usable = _inverse(basis)
    amplitudes = np.einsum("...ij,...j->...i", inverse, vectors)
    values = _known(values, times)
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


def _known(values: Stack, times: Floats) -> Stack:
    """Return eigenvalues with what is zero but for rounding set to zero.

    Raises UsageError where rounding of the others shows within the longest time, before they have decayed.
    """
    rounding = np.finfo(float).eps * np.abs(values).max(axis=-1, keepdims=True)
    known = np.where(np.abs(values) <= 16 * values.shape[-1] * rounding, 0, values)
    longest = float(np.abs(times).max(initial=0.0))
    if np.any((rounding * longest > WORST_PHASE) & (known != 0) & (known.real * longest > -GONE)):
        raise UsageError(
            "A generator times its duration is so large that rounding would eat the result.",
            "Shorten the duration, or work in a frame that turns with the fast phases.",
        )
    return known


def _inverse(basis: Stack) -> tuple[Stack, NDArray[np.bool_]]:
    usable = np.linalg.cond(basis) < WORST_CONDITION
    safe = np.where(usable[..., None, None], basis, np.eye(basis.shape[-1]))
    inverse = np.asarray(np.linalg.inv(safe), dtype=complex)
    return inverse, usable


def even_step(times: Floats) -> float | None:
    """Return the step of times first + k*step, or None where they are not on such a grid."""
    if len(times) < 3:
        return float(times[-1] - times[0]) if len(times) == 2 else None
    step = (times[-1] - times[0]) / (len(times) - 1)
    grid = times[0] + step * np.arange(len(times))
    return float(step) if np.abs(times - grid).max() <= EVEN * abs(step) else None


def pairings(
    generator: NDArray[Any],
    times: Floats,
    left: NDArray[Any],
    right: NDArray[Any],
    weights: Floats | None = None,
    small: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Return left . exp(A t) . right for every time of a sweep; shape (..., t), or (t,) averaged with `weights`.

    `generator` (..., n, n), `left` and `right` (..., n), `times` (t,), `weights` (...). Evenly spaced times cost
    one or two exponentials and about 2 sqrt(t) products: baby steps on the right, giant steps on the left. Others
    are told apart by one eigendecomposition, or, where that is ill-conditioned, exponentiated one by one.
    `small` is exp(A step), where it is known already; the times then are finite and have an `even_step`.
    """
    if small is None:
        if not np.isfinite(times).all():
            raise UsageError("A duration is not finite.", "Check the sweep.")
        step = even_step(times)
        if step is None or step == 0:
            return _scattered(generator, times, left, right, weights)
        small = expm(generator * step)
    if times[0] != 0:
        right = (expm(generator * times[0]) @ right[..., None])[..., 0]
    batch = np.broadcast_shapes(generator.shape[:-2], left.shape[:-1], right.shape[:-1])
    babies = 1 << max(0, (len(times).bit_length() + 1) // 2)
    giants = -(-len(times) // babies)
    columns, power = _powers(np.ascontiguousarray(small.swapaxes(-1, -2)), right, babies, batch)
    rows, _ = _powers(np.ascontiguousarray(power.swapaxes(-1, -2)), left, giants, batch)
    if weights is None:
        made = rows @ columns.swapaxes(-1, -2)
        return np.asarray(made.reshape(*batch, -1)[..., : len(times)])
    n = small.shape[-1]
    columns = columns * np.broadcast_to(weights, batch)[..., None, None]
    summed = np.tensordot(rows.reshape(-1, giants, n), columns.reshape(-1, babies, n), axes=((0, 2), (0, 2)))
    return np.asarray(summed.reshape(-1)[: len(times)])


def _powers(
    step: NDArray[Any], vectors: NDArray[Any], count: int, batch: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the rows v step^k for k < count by doubling, (*batch, count, n), and the power that comes next."""
    made = np.empty((*batch, count, step.shape[-1]), dtype=np.result_type(step, vectors))
    made[..., 0, :] = vectors
    done = 1
    while done < count:
        more = min(done, count - done)
        np.matmul(made[..., :more, :], step, out=made[..., done : done + more, :])
        done += more
        step = step @ step
    return made, step


def _scattered(
    generator: NDArray[Any],
    times: Floats,
    left: NDArray[Any],
    right: NDArray[Any],
    weights: Floats | None,
) -> NDArray[Any]:
    real = not any(np.iscomplexobj(x) for x in (generator, left, right))
    batch = np.broadcast_shapes(generator.shape[:-2], left.shape[:-1], right.shape[:-1])
    states = durations(
        np.broadcast_to(generator, (*batch, *generator.shape[-2:])),
        times,
        np.broadcast_to(right, (*batch, right.shape[-1])).astype(complex),
    )
    made = (states @ np.broadcast_to(left, (*batch, left.shape[-1]))[..., None])[..., 0]
    if weights is not None:
        share = np.broadcast_to(weights, batch)
        made = np.tensordot(share, made, axes=share.ndim)
    return np.asarray(made.real if real else made)


def propagators(generator: NDArray[Any], times: Floats) -> NDArray[Any]:
    """Return exp(A t) for every time of a sweep; shape (..., t, n, n).

    Evenly spaced times are powers of one exponential, found by doubling; others are exponentiated together.
    """
    step = even_step(times)
    if step is None or step == 0:
        distinct, which = np.unique(times, return_inverse=True)
        made = expm(generator[..., None, :, :] * distinct[:, None, None])
        return np.asarray(made[..., which.reshape(-1), :, :])
    n = generator.shape[-1]
    offset, power = expm(generator * np.array([times[0], step]).reshape(2, *[1] * generator.ndim))
    made = np.empty((*generator.shape[:-2], len(times), n, n), dtype=offset.dtype)
    made[..., 0, :, :] = offset
    done = 1
    while done < len(times):
        more = min(done, len(times) - done)
        np.matmul(power[..., None, :, :], made[..., :more, :, :], out=made[..., done : done + more, :, :])
        done += more
        power = power @ power
    return made


def steady_state(generators: Stack) -> Stack:
    """Return the stationary density matrix of each Liouvillian of a stack; shape (..., d, d).

    Raises UsageError where the state is not unique.
    """
    d = int(np.sqrt(generators.shape[-1]))
    parts = stationary(real_form(generators), d)
    return np.asarray(parts @ hermitian_basis(d).conj()).reshape(*generators.shape[:-2], d, d)


def stationary(generators: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    """Return what stationary states are in the Hermitian basis, for Liouvillians in it; shape (..., d*d).

    Solves L rho = 0 with its first row replaced by the trace. Raises UsageError where that has no one solution.
    """
    size = np.abs(generators).sum(axis=-1).max(axis=-1)
    bordered = generators / np.where(size == 0, 1, size)[..., None, None]
    bordered[..., 0, :] = np.arange(d * d) < d
    try:
        inverse = np.linalg.inv(bordered)
    except np.linalg.LinAlgError as error:
        raise _no_rest("nothing relaxes part of the system") from error
    condition = np.abs(inverse).sum(axis=-1).max() * np.abs(bordered).sum(axis=-1).max()
    if not condition < WORST_STEADY_CONDITION:
        raise _no_rest(f"it is ill-conditioned ({condition:.1e})")
    return np.asarray(inverse[..., 0])


def _no_rest(why: str) -> UsageError:
    return UsageError(f"The steady state is not unique: {why}.", "Add relaxation between all levels.")

"""Matrix exponentials of whole stacks: scaling and squaring with one Taylor polynomial, many matrices at once."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError

Floats = NDArray[np.float64]

# The polynomial of degree 20 in seven products, and the largest 1-norm for which its backward error is below the
# unit roundoff (Al-Mohy & Higham, SIAM J. Sci. Comput. 33, 488 (2011), table 3.1).
_THETA = 1.4382525968043369
_STEP = 5
_COEFFICIENTS = np.array([1 / math.factorial(k) for k in range(4 * _STEP + 1)])
_ROWS = _COEFFICIENTS[:-1].reshape(4, _STEP)
# Elements exponentiated together: few enough to stay in the processor's cache.
CHUNK = 6000
# Each squaring doubles the rounding error. After this many only what has come to rest is still known.
MOST_SQUARINGS = 30
REST = 4e-15


def expm(generators: NDArray[Any]) -> NDArray[Any]:
    """Return exp(A) for each matrix of a stack, real or complex; shape (..., n, n).

    Paterson-Stockmeyer evaluation; each matrix is scaled and squared as often as its own norm asks for, at most
    until it no longer changes. Raises UsageError where entries are not finite, and where they turn so often
    that rounding would show.
    """
    shape = generators.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise UsageError(f"A generator of shape {shape} is not square.", "Give matrices (..., n, n).")
    flat = generators.reshape(math.prod(shape[:-2]), *shape[-2:])
    if not flat.size:
        return np.array(generators)
    norms = _norms(flat)
    largest = float(norms.max())
    if not math.isfinite(largest):
        raise UsageError("A generator times its duration is not finite.", "Check rates and durations.")
    squarings = np.zeros(len(flat), dtype=int)
    if largest > _THETA:
        squarings = np.maximum(np.ceil(np.log2(np.maximum(norms, 1e-300) / _THETA)), 0).astype(int)
    size = max(1, CHUNK // flat[0].size)
    if len(flat) <= size:
        return _squared(flat, squarings).reshape(shape)
    out = np.empty(flat.shape, dtype=np.result_type(flat, float))
    if squarings.min() == squarings.max():
        for start in range(0, len(flat), size):
            part = slice(start, start + size)
            out[part] = _squared(flat[part], squarings[part])
        return out.reshape(shape)
    order = np.argsort(squarings, kind="stable")
    for start in range(0, len(flat), size):
        chosen = order[start : start + size]
        out[chosen] = _squared(flat[chosen], squarings[chosen])
    return out.reshape(shape)


def _norms(flat: NDArray[Any]) -> Floats:
    """Return the Frobenius norms: above every operator norm that the error bound asks for, and quick."""
    rows = np.ascontiguousarray(flat, dtype=np.result_type(flat, float)).reshape(len(flat), -1)
    real = rows.view(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.sqrt((real * real) @ np.ones(real.shape[1]))


def _squared(a: NDArray[Any], squarings: NDArray[np.int64]) -> NDArray[Any]:
    least, most = int(squarings.min()), int(squarings.max())
    if most == 0:
        return _taylor(a)
    result = _taylor(a * np.exp2(-squarings)[:, None, None])
    endless = np.flatnonzero(squarings > MOST_SQUARINGS)
    resting = [_settled(result[index]) for index in endless]
    for done in range(min(most, MOST_SQUARINGS)):
        if done < least:
            result = result @ result
        else:
            left = squarings > done
            result[left] = result[left] @ result[left]
    for index, matrix in zip(endless, resting, strict=True):
        result[index] = matrix
    return result


def _settled(matrix: NDArray[Any]) -> NDArray[Any]:
    """Square a matrix until it is at rest; one that does not come to rest cannot be known to any useful digit."""
    for _ in range(MOST_SQUARINGS):
        squared = matrix @ matrix
        if np.abs(squared - matrix).max() <= REST * len(matrix):
            return np.asarray(squared)
        matrix = squared
    raise UsageError(
        "A generator times its duration is so large that rounding would eat the result.",
        "Shorten the duration, or work in a frame that turns with the fast phases.",
    )


def _taylor(a: NDArray[Any]) -> NDArray[Any]:
    count, n, _ = a.shape
    powers = np.empty((_STEP, count, n, n), dtype=np.result_type(a, float))
    powers[0] = np.eye(n)
    powers[1] = a
    for k in range(2, _STEP):
        np.matmul(powers[k - 1], a, out=powers[k])
    top = powers[_STEP - 1] @ a
    parts = (_ROWS @ powers.reshape(_STEP, -1)).reshape(4, count, n, n)
    result = parts[3] + _COEFFICIENTS[-1] * top
    for k in (2, 1, 0):
        result = parts[k] + top @ result
    return np.asarray(result)

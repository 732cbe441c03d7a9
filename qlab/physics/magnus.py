"""Magnus integrators of fourth order: propagators of generators that change smoothly, with an error that is told.

dY/dt = A(t) Y, A(t) = base + sum_k f_k(t) parts_k. One step takes A at its two Gauss points:
Omega = h (A1 + A2)/2 - sqrt(3) h^2 [A1, A2]/12 (Blanes, Casas, Oteo & Ros, Phys. Rep. 470, 151 (2009)).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.exponential import expm

Floats = NDArray[np.float64]
_GAUSS = np.sqrt(3) / 6
MOST_STEPS = 1 << 16


@dataclass(frozen=True)
class Propagated:
    """A propagator (..., n, n), the largest error that an element may have, and how many steps it took."""

    propagator: NDArray[Any]
    error: float
    steps: int


def exponents(
    base: NDArray[Any], parts: NDArray[Any], early: Floats, late: Floats, step: Floats
) -> NDArray[Any]:
    """Return Omega of each step: `early`, `late` (..., k) the f_k at its Gauss points, `step` (...) in s.

    `base` (n, n) or broadcastable, `parts` (k, n, n); returns (..., n, n).
    """
    n = base.shape[-1]
    flat = parts.reshape(len(parts), n * n)
    mean = (((early + late) / 2) @ flat).reshape(*early.shape[:-1], n, n)
    swing = ((late - early) @ flat).reshape(*early.shape[:-1], n, n)
    h = np.asarray(step)[..., None, None]
    average = base + mean
    # [A1, A2] = [average - swing/2, average + swing/2] = [average, swing].
    commutator = average @ swing - swing @ average
    return np.asarray(h * average - np.sqrt(3) / 12 * h**2 * commutator)


def product(steps: NDArray[Any]) -> NDArray[Any]:
    """Return the product of propagators (..., s, n, n), the first rightmost; shape (..., n, n)."""
    while (count := steps.shape[-3]) > 1:
        even = count - count % 2
        paired = steps[..., 1:even:2, :, :] @ steps[..., 0:even:2, :, :]
        steps = np.concatenate([paired, steps[..., even:, :, :]], axis=-3) if count % 2 else paired
    return np.asarray(steps[..., 0, :, :])


def propagate(
    base: NDArray[Any],
    parts: NDArray[Any],
    shapes: Callable[[Floats], Floats],
    seconds: float,
    *,
    tolerance: float = 1e-10,
    steps: int = 8,
) -> Propagated:
    """Return the propagator of base + sum_k f_k(t) parts_k over `seconds`, with an estimate of its error.

    `base` (n, n): -iH or a Lindblad generator; `parts` (k, n, n); `shapes` takes times (t,) and returns (t, k).
    Steps are halved until two results differ by less than 15 times the tolerance (Richardson for order 4).
    Raises UsageError where the tolerance is not met within 65,536 steps.
    """
    if not np.isfinite(seconds) or seconds < 0:
        raise UsageError(f"A duration of {seconds} s cannot be played.", "Durations are 0 or more.")
    base, parts = np.asarray(base), np.asarray(parts)
    if base.ndim != 2 or parts.shape[1:] != base.shape:
        raise UsageError(f"Parts of shape {parts.shape} do not fit {base.shape}.", "Give (k, n, n).")
    before: NDArray[Any] | None = None
    error = np.inf
    while steps <= MOST_STEPS:
        now = _once(base, parts, shapes, seconds, steps)
        if before is not None:
            error = float(np.abs(now - before).max()) / 15
            if error <= tolerance:
                return Propagated(now, error, steps)
        before = now
        steps *= 2
    raise UsageError(
        f"The waveform cannot be followed to {tolerance:.0e}: {error:.0e} is left.", "Shorten or smooth it."
    )


def _once(
    base: NDArray[Any], parts: NDArray[Any], shapes: Callable[[Floats], Floats], seconds: float, steps: int
) -> NDArray[Any]:
    h = seconds / steps
    middle = (np.arange(steps) + 0.5) * h
    early, late = shapes(middle - _GAUSS * h), shapes(middle + _GAUSS * h)
    return product(expm(exponents(base, parts, early, late, np.full(steps, h))))


def held(base: NDArray[Any], parts: NDArray[Any], samples: Floats, period: float) -> NDArray[Any]:
    """Return the propagator of samples (s, k), each held for `period` s, as an AWG puts them out: exact.

    Equal samples in a row are one segment.
    """
    samples = np.asarray(samples, dtype=float)
    if samples.ndim != 2 or samples.shape[1] != len(parts) or not np.isfinite(samples).all():
        raise UsageError(f"Samples of shape {samples.shape} are no finite (s, k).", "Give one row a sample.")
    changed = np.flatnonzero(np.any(samples[1:] != samples[:-1], axis=1)) + 1
    starts = np.concatenate([[0], changed])
    lengths = np.diff(np.concatenate([starts, [len(samples)]]))
    n = base.shape[-1]
    segments = base + (samples[starts] @ np.asarray(parts).reshape(len(parts), -1)).reshape(-1, n, n)
    return product(expm(segments * (lengths * period)[:, None, None]))


def interpolated(samples: Floats, period: float) -> Callable[[Floats], Floats]:
    """Return samples (s, k), taken every `period` s from t = 0, as a smooth function of time (cubic spline)."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(period * np.arange(len(samples)), samples, axis=0)
    return lambda t: np.asarray(spline(t))

"""Signals: a generator with a periodic part, base + cos(theta) tilt, in the frame in which it stands still.

Over one period the propagator is found by Magnus steps; its eigenvectors, followed through the period, are the
Floquet frame P(theta), a short Fourier series. In it the evolution from t1 to t2 is exp(exponents (t2 - t1)), and
whatever is played at a phase theta of the signal, once found on a few phases, is known at all.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.exponential import expm
from qlab.physics.magnus import exponents, product

Floats = NDArray[np.float64]
Stack = NDArray[Any]
TOLERANCE = 1e-11  # of a Fourier coefficient
MISSED = 1e-10  # of a Magnus propagator, before it is extrapolated
MOST_PHASES = 1024
WORST_FRAME = 1e7
_GAUSS = np.sqrt(3) / 6


@dataclass(frozen=True)
class Series:
    """A matrix as a Fourier series in theta: `coefficients` (h, ..., n, n) of exp(i `orders` theta)."""

    orders: NDArray[np.int64]
    coefficients: Stack

    def at(self, theta: Floats) -> Stack:
        """Return the matrix at each phase (k,); shape (k, ..., n, n)."""
        turns = np.exp(1j * np.multiply.outer(theta, self.orders))
        flat = self.coefficients.reshape(len(self.orders), -1)
        return np.asarray((turns @ flat).reshape(len(theta), *self.coefficients.shape[1:]))


def series(samples: Stack) -> Series | None:
    """Return the Fourier series of samples (k, ..., n, n) on k even phases, or None where k does not resolve it."""
    count = len(samples)
    found = np.fft.fft(samples, axis=0) / count
    size = np.abs(found).reshape(count, -1).max(axis=1)
    orders = np.fft.fftfreq(count, 1 / count).astype(int)
    scale = max(1.0, float(size.max()))
    if size[np.abs(orders) >= count // 2 - 1].max() > TOLERANCE * scale:
        return None
    kept = np.flatnonzero(size > TOLERANCE * 1e-2 * scale)
    return Series(orders[kept], np.ascontiguousarray(found[kept]))


def through(base: Stack, tilt: Stack, omega: float, theta: Floats, seconds: float) -> Stack:
    """Return the propagators over `seconds` that start at each phase theta (k,); shape (k, ..., n, n).

    `base` and `tilt` (..., n, n). Magnus steps are halved until two results agree, then extrapolated (Richardson).
    """
    n, lead = base.shape[-1], base.shape[:-2]
    steps, before = max(2, int(np.ceil(abs(omega) * seconds / 0.4))), None
    flat_base, flat_tilt = base.reshape(-1, n, n), tilt.reshape(-1, n, n)
    while steps <= 1 << 15:
        h = seconds / steps
        middle = theta[:, None] + omega * h * (np.arange(steps) + 0.5)
        early, late = (np.cos(middle + sign * _GAUSS * omega * h)[..., None] for sign in (-1, 1))
        made = np.stack(
            [
                product(expm(exponents(b, t[None], early, late, np.full(early.shape[:-1], h))))
                for b, t in zip(flat_base, flat_tilt, strict=True)
            ],
            axis=1,
        ).reshape(len(theta), *lead, n, n)
        if before is not None and np.abs(made - before).max() <= 15 * MISSED:
            return np.asarray(made + (made - before) / 15)
        before, steps = made, 2 * steps
    raise UsageError("The signal changes too fast to be followed.", "Check its frequency and amplitude.")


@dataclass(frozen=True)
class Frame:
    """The frame in which base + cos(omega t + phase) tilt stands still: `exponents` (..., n) and P(theta), P^-1."""

    exponents: Stack
    into: Series  # P^-1
    out: Series  # P

    def pulse(self, base: Stack, tilt: Stack, omega: float, seconds: float) -> Series:
        """Return what another generator does for `seconds` from phase theta on, seen from the frame."""
        count = 8
        while count <= MOST_PHASES:
            theta = 2 * np.pi * np.arange(count) / count
            bare = through(base, tilt, omega, theta, seconds)
            found = series(self.into.at(theta + omega * seconds) @ bare @ self.out.at(theta))
            if found is not None:
                return found
            count *= 2
        raise UsageError("The signal is too strong for the pulses to be resolved.", "Lower its amplitude.")


def frame(base: Stack, tilt: Stack, omega: float) -> Frame:
    """Return the Floquet frame of generators (..., n, n).

    Raises UsageError where their eigenvectors are ill-conditioned (an exceptional point).
    """
    if not np.isfinite(omega) or omega <= 0:
        raise UsageError(f"A signal cannot turn at {omega} rad/s.", "Its frequency is positive and finite.")
    count = 16
    while count <= MOST_PHASES:
        found = _frame(base, tilt, omega, count)
        if found is not None:
            return found
        count *= 2
    raise UsageError("The signal is too strong or too slow to be resolved.", "Check its amplitude.")


def _frame(base: Stack, tilt: Stack, omega: float, count: int) -> Frame | None:
    theta = 2 * np.pi * np.arange(count) / count
    piece = 2 * np.pi / omega / count
    small = through(base, tilt, omega, theta, piece)
    whole = np.empty((count + 1, *base.shape), dtype=complex)
    whole[0] = np.eye(base.shape[-1])
    for k in range(count):
        whole[k + 1] = small[k] @ whole[k]
    values, vectors = np.linalg.eig(whole[count])
    if not np.linalg.cond(vectors).max() < WORST_FRAME:
        raise UsageError(
            "Between the pulses the evolution is at an exceptional point: it has no frame.",
            "Change a rate or a frequency a little.",
        )
    rates = np.log(values) * omega / (2 * np.pi)
    rates = np.minimum(rates.real, 0) + 1j * rates.imag
    columns = (
        whole[:count]
        @ vectors
        * np.exp(-rates * (theta / omega)[(slice(None), *[None] * rates.ndim)])[..., None, :]
    )
    # The logarithm leaves a whole number of omega open: the one that makes the frame turn least is taken.
    strength = (np.abs(np.fft.fft(columns, axis=0)) ** 2).sum(axis=-2)
    turns = np.fft.fftfreq(count, 1 / count)[np.argmax(strength, axis=0)]
    columns = columns * np.exp(-1j * np.multiply.outer(theta, turns))[..., None, :]
    out, into = series(columns), series(np.linalg.inv(columns))
    if out is None or into is None:
        return None
    return Frame(rates + 1j * omega * turns, into, out)

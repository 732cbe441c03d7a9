"""Sums of complex exponentials over the points of a sweep, for many traces at once; fast at even steps."""

import numpy as np
from numpy.typing import NDArray

from qlab.fits.starts import even

Reals = NDArray[np.float64]
Complexes = NDArray[np.complex128]
_FINE = 16
_MANY = 64  # points from which two short tables and a product pay


def _tables(rate: Complexes, x: Reals, step: float) -> tuple[Complexes, Complexes]:
    """Return exp(rate·x) of every 16th point, and exp(rate·step·i), i < 16; shapes (..., coarse), (..., 16)."""
    coarse = -(-len(x) // _FINE)
    first = np.exp(rate * (x[0] + step * _FINE * np.arange(coarse)))
    return first, np.exp(rate * (step * np.arange(_FINE)))


def ramp(rate: Complexes, x: Reals) -> Complexes:
    """Return exp(rate·x) for rates (..., 1) over x (n,)."""
    step = even(x)
    if step == 0 or len(x) < _MANY:
        return np.asarray(np.exp(rate * x))
    first, fine = _tables(rate, x, step)
    product = first[..., :, None] * fine[..., None, :]
    return np.asarray(product.reshape(*product.shape[:-2], -1)[..., : len(x)])


def summed(rate: Complexes, coefficients: Complexes, x: Reals) -> Reals:
    """Return Re Σ_l c_kl·exp(rate_l·x), (k, ..., n), for rates (l, ..., 1) and coefficients c (k, l, ..., 1)."""
    step, lines, kinds = even(x), len(rate), len(coefficients)
    lead = rate.shape[1:-1]
    flat, factors = rate.reshape(lines, -1, 1), coefficients.reshape(kinds, lines, -1, 1)
    if step == 0 or len(x) < _MANY:
        found = np.einsum("klr,lrn->krn", factors[..., 0], np.exp(flat * x)).real
        return np.asarray(found.reshape(kinds, *lead, len(x)))
    first, fine = _tables(flat, x, step)
    left = factors * first
    # The real part of a product of complex numbers is one product of real matrices of twice the inner size.
    wide = np.concatenate([left.real, -left.imag], axis=1).transpose(2, 0, 3, 1)
    tall = np.concatenate([fine.real, fine.imag], axis=0).transpose(1, 0, 2)
    rows = wide.shape[0]
    product = wide.reshape(rows, kinds * first.shape[-1], 2 * lines) @ tall
    whole = product.reshape(rows, kinds, first.shape[-1] * _FINE)[..., : len(x)]
    return np.asarray(whole.swapaxes(0, 1).reshape(kinds, *lead, len(x)))

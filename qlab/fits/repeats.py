"""Errors that are the scatter of a few repetitions: what a fit may make of them."""

import numpy as np
from numpy.typing import NDArray

from qlab.grid import Grid

Reals = NDArray[np.float64]
_FEW = 6.0  # degrees of freedom up to which the scatter of one point alone is worth nothing as a weight
_PLENTY = 1e4


def errors_for_fit(grid: Grid) -> Reals:
    """Return the errors of a gridded signal as a fit should take them; the grid's shape.

    Those of counts and fractions as they are; those that are the scatter of repetitions drawn towards their
    common size, and wider by what their own uncertainty costs (see `moderated`).
    """
    return grid.error if grid.signal.rule != "mean" else moderated(grid.error, grid.rows)


def moderated(error: Reals, repetitions: NDArray[np.int64]) -> Reals:
    """Return better errors of means whose errors are their own scatter; shapes (...), NaN where not measured.

    The variance s² of a point from n repetitions is known to √(2/(n−1)) only: as a weight it favours points that
    scattered little by chance, and the errors of a fit come out too small by √(ν/(ν−4)), ν = n − 1. So each s² is
    drawn towards what all have in common, by as much as the scatter of log s² among the points says that they
    have something in common, and what is left of that factor is made good.
    Source: Smyth, Stat. Appl. Genet. Mol. Biol. 3, 3 (2004), section 6.
    """
    error = np.asarray(error, dtype=float)
    own = np.asarray(repetitions, dtype=float) - 1
    known = np.isfinite(error) & (error > 0) & (own >= 1)
    if known.sum() < 4:
        return error
    # Points may have been repeated unequally often: what is alike is the variance of one repetition.
    variance, freedom = error[known] ** 2 * (own[known] + 1), own[known]
    common, strength = _common(variance, freedom)
    whole = freedom + strength
    drawn = variance if strength == 0 else (freedom * variance + strength * common) / whole
    factor = np.where(whole > _FEW, whole / np.maximum(whole - 4, 1e-9), 1.0)
    found = error.copy()
    found[known] = np.sqrt(drawn * factor / (own[known] + 1))
    return found


def _common(variance: Reals, freedom: Reals) -> tuple[float, float]:
    """Return the variance that all have in common, and how many degrees of freedom that knowledge is worth."""
    from scipy.special import digamma, polygamma

    half = freedom / 2
    logs = np.log(variance) - digamma(half) + np.log(half)
    excess = float(np.var(logs, ddof=1) - polygamma(1, half).mean())
    pooled = float(freedom @ variance / freedom.sum())
    # Where so few repetitions cannot tell one error from another, all are taken as equal.
    if float(polygamma(1, _PLENTY / 2)) >= excess or freedom.max() <= 1:
        return pooled, _PLENTY
    strength = 2 * _inverse_trigamma(excess)
    if freedom.min() + strength <= _FEW:
        return pooled, _PLENTY if freedom.max() <= _FEW else 0.0
    return float(np.exp(logs.mean() + digamma(strength / 2) - np.log(strength / 2))), strength


def _inverse_trigamma(value: float) -> float:
    from scipy.optimize import brentq
    from scipy.special import polygamma

    return float(brentq(lambda x: float(polygamma(1, x)) - value, 1e-6, _PLENTY))

"""Equivalent degrees of freedom of stability variances, and the confidence intervals that follow from them."""

import math

import numpy as np

from qlab.metrology.stability.estimators import Estimator
from qlab.metrology.stability.series import Reals

_EXACT = 4096  # lags summed one by one; beyond, the smooth parts are integrated
_FINE = 1e5  # phase averaging finer than this changes a flicker logarithm by less than a percent
_TOTAL = {0: (1.50, 0.0), -1: (1.17, 0.22), -2: (0.93, 0.36)}
_FEW_PARTS = 20
_TOTAL_BIAS = {0: 0.0, -1: 0.481, -2: 0.750}


def degrees_of_freedom(estimator: Estimator, alpha: int, factor: int, count: int) -> float:
    """Return the equivalent degrees of freedom of a variance of `count` phase points at averaging `factor`.

    2⟨V⟩²/var V for Gaussian noise S_y ~ f^α: the estimate is distributed nearly as χ²_edf/edf. From the
    autocovariance of the terms, summed (integrated where there are more than 4096 lags) instead of tabulated.
    Sources: Greenhall and Riley, 35th PTTI (2003), 267; total: Riley, NIST SP1065 (2008).
    """
    if estimator.total:
        return total_degrees_of_freedom(alpha, factor, count)
    d, m = estimator.order, factor
    smoothing = 1 if estimator.modified else m
    stride = m if estimator.overlapping else 1  # starts per averaging time
    length = m / smoothing + m * d
    terms = 1 + math.floor(stride * (count - length) / m)
    if terms < 1:
        return float("nan")
    if alpha == 2 and not estimator.modified:
        return terms / _white_phase_sum(d, stride, terms)
    fine = float(min(smoothing, _FINE)) if alpha == 1 or smoothing <= 1000 else math.inf
    last = min(terms - 1, (d + 1) * stride)
    lags, weights = _lags(last, stride, d)
    correlation = _autocovariance(lags / stride, fine, alpha, d) / _autocovariance(
        np.zeros(1), fine, alpha, d
    )
    inverse = 1 + 2 * float(np.sum(weights * (1 - lags / terms) * correlation**2))
    return terms / inverse


def total_degrees_of_freedom(alpha: int, factor: int, count: int) -> float:
    """Return b·(T/τ) − c for frequency noises at T/τ up to 20; else what the overlapping Allan variance has.

    Reflecting the ends adds something only where τ is a good part of T. At a few samples per τ the formula, which
    is for continuous data, would promise twice too much.
    """
    parts = (count - 1) / factor
    if alpha > 0 or parts > _FEW_PARTS:
        plain = Estimator("oadev", "", "")
        return max(degrees_of_freedom(plain, alpha, factor, count), 1.0)
    b, c = _TOTAL[max(alpha, -2)]
    return max(b * parts - c, 1.0)


def total_bias(alpha: int, factor: int, count: int) -> float:
    """Return ⟨total variance⟩/⟨Allan variance⟩ = 1 − a·τ/T. Source: Riley, NIST SP1065 (2008), after Howe."""
    return 1 - _TOTAL_BIAS.get(max(alpha, -2), 0.0) * factor / (count - 1)


def interval(variance: float, freedom: float, confidence: float) -> tuple[float, float]:
    """Return the variances between which the true one lies with this probability, equal tails, from χ².

    edf·s²/χ²((1+c)/2) to edf·s²/χ²((1−c)/2). Source: Riley, NIST SP1065 (2008).
    """
    from scipy.special import gammaincinv

    if not freedom > 0 or not math.isfinite(variance):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    upper, lower = (2 * float(gammaincinv(freedom / 2, p)) for p in (1 - tail, tail))
    return freedom * variance / upper, freedom * variance / lower if lower > 0 else math.inf


def _white_phase_sum(d: int, stride: int, terms: int) -> float:
    # White phase: terms correlate only where they share a phase point, whole averaging times apart.
    total = 1.0
    for k in range(1, d + 1):
        left = 1 - k * stride / terms
        if left > 0:
            total += 2 * left * (math.comb(2 * d, d - k) / math.comb(2 * d, d)) ** 2
    return total


def _lags(last: int, stride: int, d: int) -> tuple[Reals, Reals]:
    if last <= _EXACT:
        return np.arange(1, last + 1, dtype=float), np.ones(last)
    # Sharp near whole averaging times (flicker phase), smooth between: dense there, trapezoids elsewhere.
    near = np.unique(np.round(np.geomspace(1, max(stride / 2, 2), 300)))
    at = np.concatenate([k * stride + side * near for k in range(d + 2) for side in (-1, 1)])
    at = np.concatenate([at, np.arange(d + 2) * float(stride), [1.0, float(last)]])
    lags = np.unique(at[(at >= 1) & (at <= last)])
    steps = np.diff(lags)
    weights = np.zeros(len(lags))
    weights[:-1] += steps / 2
    weights[1:] += steps / 2
    # A sum over whole lags is the trapezoid integral plus half of both ends.
    weights[0] += 0.5
    weights[-1] += 0.5
    return lags, weights


def _autocovariance(t: Reals, fine: float, alpha: int, d: int) -> Reals:
    total = math.comb(2 * d, d) * _phase_covariance(t, fine, alpha)
    for k in range(1, d + 1):
        sides = _phase_covariance(t - k, fine, alpha) + _phase_covariance(t + k, fine, alpha)
        total = total + (-1) ** k * math.comb(2 * d, d - k) * sides
    return np.asarray(total)


def _phase_covariance(t: Reals, fine: float, alpha: int) -> Reals:
    if math.isinf(fine):
        return _generalised(t, alpha + 2)  # the limit of the second difference below
    step = 1 / fine
    return fine**2 * (
        2 * _generalised(t, alpha) - _generalised(t - step, alpha) - _generalised(t + step, alpha)
    )


def _generalised(t: Reals, alpha: int) -> Reals:
    t = np.abs(t)
    order = 3 - alpha
    sign = {2: -1, 1: 1, 0: 1, -1: -1, -2: -1, -3: 1, -4: 1}[alpha]
    if order % 2:
        return np.asarray(sign * t**order)
    return np.asarray(sign * t**order * np.log(np.where(t > 0, t, 1.0)))

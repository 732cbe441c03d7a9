"""Errors of what is computed from a fit."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from qlab.record import FitResult


def propagated(function: Callable[[Mapping[str, float]], float], fit: FitResult) -> float | None:
    """Return the standard deviation of a function of a fit's values, to first order in their covariance.

    sigma^2 = g^T C g, with the gradient g by central differences of a tenth of each value's own error. None where
    the fit has no covariance or the function is not finite nearby.
    """
    covariance = np.asarray(fit.covariance, dtype=float)
    if covariance.size == 0:
        return None
    values = fit.values
    gradient = np.empty(len(fit.free))
    for i, name in enumerate(fit.free):
        step = 0.1 * math.sqrt(covariance[i, i])
        if step == 0:
            gradient[i] = 0.0
            continue
        ahead = function({**values, name: values[name] + step})
        behind = function({**values, name: values[name] - step})
        gradient[i] = (ahead - behind) / (2 * step)
    variance = float(gradient @ covariance @ gradient)
    return math.sqrt(variance) if math.isfinite(variance) and variance >= 0 else None

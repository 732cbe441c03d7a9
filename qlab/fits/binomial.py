"""Residuals of shares of shots, with which least squares is maximum likelihood."""

import numpy as np
from numpy.typing import NDArray

from qlab.fits.model import FitModel

Reals = NDArray[np.float64]
NEAR = 1e-6  # between curve and share: the deviance is its own second order there


def deviance(curve: Reals, share: Reals, error: Reals) -> Reals:
    """Return the signed root of the binomial deviance of shares (n,) about a curve (..., n).

    Weights read off the data favour the points that lie outwards by chance, which makes a fringe look deeper than it
    is; these come from the curve. The shots behind a point follow from its error, sqrt(q(1 - q)/n) with
    q = (n share + 1)/(n + 2), as grids have it. Source: McCullagh and Nelder, Generalized Linear Models, section 4.4.
    """
    shots = tries(share, error)
    p = np.clip(curve, 1e-9, 1 - 1e-9)
    apart = p - share
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(share > 0, share * np.log1p(apart / share), 0.0)
        missed = np.where(share < 1, (1 - share) * np.log1p(-apart / (1 - share)), 0.0)
    whole = np.sqrt(np.maximum(-2 * (hit + missed), 0.0) * shots)
    close = np.abs(apart) * np.sqrt(shots / (p * (1 - p)))
    size = np.where(np.abs(apart) > NEAR, whole, close)
    # Outside of 0 and 1 a curve is wrong by as much as it goes too far.
    beyond = (curve - p) / error
    return np.asarray(np.sign(apart) * size + beyond)


def tries(share: Reals, error: Reals) -> Reals:
    """Return how many shots stand behind shares with these errors; (n,)."""
    shots = 1 / np.maximum(error, 1e-12)
    for _ in range(60):
        likely = (shots * share + 1) / (shots + 2)
        shots = np.maximum(likely * (1 - likely) / np.maximum(error, 1e-12) ** 2, 1.0)
    return np.asarray(shots)


def share_errors(y: Reals, error: Reals, residual: Reals) -> Reals:
    """Return the errors of shares y as the curve expects them, sqrt(q(1 - q)/n), q of the curve; shapes (..., n).

    `residual` (curve - y)/error. With them least squares has no bias to first order in 1/n: a step of Fisher's
    scoring. Source: McCullagh and Nelder, Generalized Linear Models, section 2.5.
    """
    with np.errstate(all="ignore"):
        curve = np.clip(np.nan_to_num(y + residual * error, nan=0.5), 0.0, 1.0)
        shots = tries(y, error)
        likely = (shots * curve + 1) / (shots + 2)
        return np.asarray(np.where(np.isfinite(error), np.sqrt(likely * (1 - likely) / shots), error))


def of_shots(model: FitModel, share: Reals) -> bool:
    """Tell whether shares are fitted as shares: within 0 and 1, by a model that does not do so by itself."""
    plain = type(model).residual is FitModel.residual and not model.quadratures
    return plain and bool(np.all((share >= 0) & (share <= 1)))

"""Errors from what a model knows of its noise: the scatter of all points together, instead of each on its own."""

import numpy as np
from numpy.typing import NDArray

from qlab.fits.fit import Fit
from qlab.fits.model import FitModel
from qlab.grid import Grid

Reals = NDArray[np.float64]
ROUNDS = 4  # of weighting; two are nearly there
ENOUGH = 20  # degrees of freedom in all, below which the scatter says too little


def errors_by_model(model: FitModel, grid: Grid, fit: Fit) -> Reals | None:
    """Return the errors of a gridded mean as the model expects them, the grid's shape; None where it does not know.

    The scatter of n repetitions knows an error to 1/√(2(n−1)) only, and where the noise is skewed it goes with the
    mean: points that lie low by chance weigh more, and the fit is drawn after them. The model says how each source
    of noise runs along x (`FitModel.spread`); how strong each is follows from the scatter of all points.
    """
    if grid.signal.rule != "mean" or len(grid.axes) != 1 or not fit.parameters:
        return None
    x = grid.axes[0][1]
    shapes = model.spread(x, fit.values)
    if shapes is None:
        return None
    shapes = np.atleast_2d(np.asarray(shapes, dtype=float))
    freedom = np.asarray(grid.rows, dtype=np.float64) - 1
    known = (freedom > 0) & np.isfinite(grid.error) & np.isfinite(shapes).all(axis=0)
    if freedom[known].sum() < ENOUGH or not known.any():
        return None
    seen: Reals = np.asarray(grid.error**2 * grid.rows, dtype=np.float64)
    variance = sizes(shapes[:, known], seen[known], freedom[known]) @ shapes
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, np.sqrt(variance / grid.rows), grid.error)


def sizes(shapes: Reals, seen: Reals, freedom: Reals) -> Reals:
    """Return how strong each source of noise is, (k,), none negative: seen = sizes @ shapes, (k, n) and (n,).

    `seen` are variances from the scatter with so many degrees of `freedom`; each is uncertain in proportion to what
    is expected of it, hence the rounds.
    """
    from scipy.optimize import nnls

    found = np.zeros(len(shapes))
    expected = np.full(len(seen), float(np.average(seen, weights=freedom)))
    for _ in range(ROUNDS):
        if not expected.mean() > 0:
            return found
        weight = np.sqrt(freedom) / expected
        scale = np.maximum(np.abs(shapes * weight).max(axis=1), 1e-300)
        found = nnls((shapes * weight).T / scale, seen * weight)[0] / scale
        expected = np.maximum(found @ shapes, 1e-3 * expected.mean())
    return np.asarray(found)

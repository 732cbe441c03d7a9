"""Levenberg and Marquardt's search over many small least-squares problems at once."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Rows = NDArray[np.int64]


class Problems(Protocol):
    """Many least-squares problems: what a search asks of them. `values` (k, p) belong to the problems `rows`."""

    @property
    def together(self) -> bool:
        """Whether residuals and slopes come at the price of one."""
        ...

    def residual(self, values: Reals, rows: Rows) -> Reals:
        """Return the residuals; shape (k, points)."""
        ...

    def normal(self, values: Reals, rows: Rows, residual: Reals) -> tuple[Reals, Reals]:
        """Return JᵀJ (k, p, p) and Jᵀr (k, p) at values whose residuals are known."""
        ...

    def whole(self, values: Reals, rows: Rows) -> tuple[Reals, Reals, Reals]:
        """Return residuals, JᵀJ and Jᵀr; asked for where `together`."""
        ...


_LONGEST = 1e12  # damping beyond which no step is left


@dataclass
class Search:
    """The state of a search: where each problem stands, its sum of squares, and whether it has settled."""

    values: Reals  # (rows, p)
    chi2: Reals  # (rows,)
    settled: NDArray[np.bool_]  # (rows,)


def minimise(
    problems: Problems, start: Reals, low: Reals, high: Reals, *, tolerance: float = 1e-6, steps: int = 60
) -> Search:
    """Minimise the sum of squares of many problems, each from its own start, within bounds.

    Shapes: start, low, high (rows, p). A problem has settled when the next Gauss–Newton step would lower its sum
    of squares by less than `tolerance` of it. A value at its bound is held there while the slope points outwards;
    where low equals high it never moves.
    """
    count, p = start.shape
    values, every = np.clip(start, low, high), np.arange(count)
    curvature, slope = np.zeros((count, p, p)), np.zeros((count, p))
    stale = np.full(count, not problems.together)
    if problems.together:
        current, curvature, slope = problems.whole(values, every)
    else:
        current = problems.residual(values, every)
    chi2 = np.einsum("kn,kn->k", current, current)
    damping, raised = np.full(count, 1e-3), np.full(count, 4.0)
    settled = ~np.isfinite(chi2)
    for _ in range(steps):
        rows = np.flatnonzero(~settled)
        if not len(rows):
            break
        renew = rows[stale[rows]]
        if len(renew):
            curvature[renew], slope[renew] = problems.normal(values[renew], renew, current[renew])
            stale[renew] = False
        step, gain = _step(curvature[rows], slope[rows], values[rows], low[rows], high[rows], damping[rows])
        trial = np.clip(values[rows] + step, low[rows], high[rows])
        ahead: tuple[Reals, Reals] | None = None
        if problems.together:
            there, *rest = problems.whole(trial, rows)
            ahead = rest[0], rest[1]
        else:
            there = problems.residual(trial, rows)
        reached = np.einsum("kn,kn->k", there, there)
        with np.errstate(invalid="ignore"):
            better = reached <= chi2[rows]
        won, lost = rows[better], rows[~better]
        small = gain <= tolerance * np.maximum(chi2[rows], 1e-300)
        sure = (better & (damping[rows] < 1.0)) | (damping[rows] >= 1e6)
        settled[rows[small & sure]] = True
        values[won], chi2[won] = trial[better], reached[better]
        if ahead is not None:
            curvature[won], slope[won] = ahead[0][better], ahead[1][better]
        else:
            current[won] = there[better]
            stale[won] = True
        damping[won], raised[won] = np.maximum(damping[won] / 9.0, 1e-9), 4.0
        damping[lost] *= raised[lost]
        raised[lost] *= 2.0
        settled |= damping > _LONGEST
    return Search(values, chi2, settled)


def _step(
    curvature: Reals, slope: Reals, values: Reals, low: Reals, high: Reals, damping: Reals
) -> tuple[Reals, Reals]:
    """Return the damped step (k, p), and by how much the sum of squares would fall, (k,)."""
    held = ((values <= low) & (slope > 0)) | ((values >= high) & (slope < 0)) | (low >= high)
    diagonal = np.einsum("kii->ki", curvature)
    held |= ~(diagonal > 0)
    size = np.sqrt(np.where(held, 1.0, diagonal))
    moving = ~held
    scaled = curvature / (size[:, :, None] * size[:, None, :])
    scaled = np.where(moving[:, :, None] & moving[:, None, :], scaled, 0.0)
    pull = np.where(moving, slope / size, 0.0)
    index = np.arange(curvature.shape[1])
    scaled[:, index, index] = np.where(held, 1.0, 1.0 + damping[:, None] + 1e-13)
    finite = np.isfinite(scaled).all(axis=(1, 2)) & np.isfinite(pull).all(axis=1)
    scaled[~finite], pull[~finite] = np.eye(len(index)), 0.0
    step = -np.linalg.solve(scaled, pull[..., None])[..., 0]
    return step / size, -np.einsum("ki,ki->k", step, pull)

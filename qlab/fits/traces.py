"""Many weighted least-squares problems of one model over the same points: residuals, slopes, covariance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.fits.levenberg import minimise
from qlab.fits.model import FitModel, Variable

Reals = NDArray[np.float64]
Rows = NDArray[np.int64]
_FAR = 1e6  # what a residual counts where the curve is not finite


@dataclass(frozen=True)
class Traces:
    """A model, traces over the same points, and which of its variables move.

    Shapes: x (n,); y and error (traces, m), m = n (2n for `quadratures`); an infinite error marks a point that
    was not measured. `held` values are numbers or one a trace. The search sees the square in place of the value
    of a `squared` variable; below 0 the curve is continued as an odd reflection, as `solve.Problem` says.
    """

    model: FitModel
    x: Reals
    y: Reals
    error: Reals
    free: tuple[Variable, ...]
    held: Mapping[str, float | Reals]

    def __len__(self) -> int:
        return len(self.y)

    def theta(self, values: Reals, rows: Rows) -> dict[str, Reals]:
        """Return all values by name from the free ones (rows, p), each (rows, 1)."""
        found = {
            name: np.broadcast_to(np.asarray(value, dtype=float), (len(self),))[rows][:, None]
            for name, value in self.held.items()
        }
        for i, variable in enumerate(self.free):
            column = values[:, i : i + 1]
            found[variable.name] = np.sign(column) * np.sqrt(np.abs(column)) if variable.squared else column
        return found

    def residual(self, values: Reals, rows: Rows) -> Reals:
        """Return (curve − y)/error of the traces `rows` at values (rows, p); shape (rows, m)."""
        if not len(rows):
            return np.empty((0, self.y.shape[1]))
        for i, variable in enumerate(self.free):
            negative = values[:, i] < 0
            if variable.squared and negative.any():
                found = np.empty((len(rows), self.y.shape[1]))
                found[~negative] = self.residual(values[~negative], rows[~negative])
                at_zero, mirrored = values[negative].copy(), values[negative].copy()
                at_zero[:, i], mirrored[:, i] = 0.0, -mirrored[:, i]
                reflected = 2 * self.residual(at_zero, rows[negative])
                found[negative] = reflected - self.residual(mirrored, rows[negative])
                return found
        return self._tame(self._plain(values, rows))

    def _plain(self, values: Reals, rows: Rows) -> Reals:
        theta = self.theta(values, rows)
        if self.model.batched:
            return self.model.residual(self.x, self.y[rows], self.error[rows], theta)
        found = np.empty((len(rows), self.y.shape[1]))
        for i, row in enumerate(rows):
            own = {name: float(value[i, 0]) for name, value in theta.items()}
            found[i] = self.model.residual(self.x, self.y[row], self.error[row], own)
        return found

    @staticmethod
    def _tame(residual: Reals) -> Reals:
        flat = residual.ravel()
        if np.isfinite(flat @ flat):
            return residual
        return np.clip(np.nan_to_num(residual, nan=_FAR, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)

    def scale(self, values: Reals, rows: Rows) -> Reals:
        """Return the size of change that matters for each value; shape (rows, p)."""
        given = self.model.scales(self.x, self.theta(values, rows)) if self.model.batched else {}
        sizes = np.abs(values)
        for i, variable in enumerate(self.free):
            if variable.name in given:
                sizes[:, i] = np.broadcast_to(given[variable.name], (len(rows), 1))[:, 0]
        if not self.model.batched:
            for k, row in enumerate(rows):
                one = {n: float(v[0, 0]) for n, v in self.theta(values[k : k + 1], rows[k : k + 1]).items()}
                given = self.model.scales(self.x, one)
                sizes[k] = [given.get(v.name, sizes[k, i]) for i, v in enumerate(self.free)]
                del row
        return np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0)

    def bounds(self) -> tuple[Reals, Reals]:
        """Return the lowest and the highest values (squares of squared variables); each (p,)."""
        low = np.array([-np.inf if v.squared else v.minimum for v in self.free])
        return low, np.array([v.maximum**2 if v.squared else v.maximum for v in self.free])

    def jacobian(self, values: Reals, rows: Rows, residual: Reals | None = None) -> Reals:
        """Return the slopes of the residuals; shape (rows, p, m).

        In closed form where the model has one; else by central differences, or, where `residual` at the values
        is given, by forward ones, which is enough to search with.
        """
        closed = self._closed(values, rows)
        if closed is not None:
            return closed
        low, high = self.bounds()
        scale = self.scale(values, rows)
        found = np.empty((len(rows), len(self.free), self.y.shape[1]))
        for i in range(len(self.free)):
            size = scale[:, i]
            room_down, room_up = values[:, i] - low[i], high[i] - values[:, i]
            if residual is not None:
                step = np.where(room_up > 1e-6 * size, 1e-6 * size, -1e-6 * size)
                found[:, i] = (self._moved(values, rows, i, step) - residual) / step[:, None]
                continue
            room = np.minimum(room_down, room_up)
            step = np.where(room > 1e-4 * size, 1e-4 * size, np.maximum(1e-2 * room, 1e-9 * size))
            sides = self._moved(values, rows, i, step), self._moved(values, rows, i, -step)
            found[:, i] = (sides[0] - sides[1]) / (2 * step[:, None])
        return found

    def _moved(self, values: Reals, rows: Rows, i: int, step: Reals) -> Reals:
        moved = values.copy()
        moved[:, i] += step
        return self.residual(moved, rows)

    def _closed(self, values: Reals, rows: Rows) -> Reals | None:
        if not self.together:
            return None
        known = self.model.slopes(self.x, self.theta(values, rows))
        return None if known is None else self._weighted(known[1], self._weight[rows])

    def _weighted(self, slopes: Mapping[str, Reals], weight: Reals) -> Reals:
        found = np.empty((len(weight), len(self.free), self.y.shape[1]))
        for i, variable in enumerate(self.free):
            np.multiply(slopes[variable.name], weight, out=found[:, i])
        flat = found.ravel()
        if not np.isfinite(flat @ flat):
            found = np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)
        return found

    @cached_property
    def _weight(self) -> Reals:
        return np.asarray(1 / self.error)

    @cached_property
    def together(self) -> bool:
        """Whether the model knows its slopes in closed form for all free variables."""
        if not self.model.batched or any(v.squared for v in self.free):
            return False
        theta = {v.name: np.array([[self.model.known(v.name)]]) for v in self.free}
        theta |= {name: np.reshape(np.asarray(v, dtype=float), (-1, 1)) for name, v in self.held.items()}
        with np.errstate(all="ignore"):
            known = self.model.slopes(self.x, theta)
        return known is not None and all(v.name in known[1] for v in self.free)

    def normal(self, values: Reals, rows: Rows, residual: Reals) -> tuple[Reals, Reals]:
        """Return JᵀJ (rows, p, p) and Jᵀr (rows, p), as `levenberg.Problems` asks."""
        jacobian = self.jacobian(values, rows, residual)
        return jacobian @ jacobian.transpose(0, 2, 1), (jacobian @ residual[..., None])[..., 0]

    def whole(self, values: Reals, rows: Rows) -> tuple[Reals, Reals, Reals]:
        """Return residuals, JᵀJ and Jᵀr from one call of the model."""
        residual, jacobian = self.linear(values, rows)
        return residual, jacobian @ jacobian.transpose(0, 2, 1), (jacobian @ residual[..., None])[..., 0]

    def linear(self, values: Reals, rows: Rows) -> tuple[Reals, Reals]:
        """Return the residuals (rows, m) and their slopes (rows, p, m)."""
        if not self.together:
            return self.residual(values, rows), self.jacobian(values, rows)
        known = self.model.slopes(self.x, self.theta(values, rows))
        assert known is not None  # noqa: S101 - narrows the type: only asked where `together`
        weight = self._weight[rows]
        return self._tame((known[0] - self.y[rows]) * weight), self._weighted(known[1], weight)

    def settle(
        self, owner: Rows, begin: Reals, tolerance: float, *, steps: int = 60, held: int = -1
    ) -> tuple[Reals, Reals]:
        """Search from many starts, start i for trace `owner[i]`; return where they end (starts, p), and chi².

        `held`: the free variable that stays where each start has it.
        """
        low, high = (np.repeat(bound[None], len(begin), axis=0) for bound in self.bounds())
        if held >= 0:
            low[:, held] = high[:, held] = begin[:, held]
        own = (
            self
            if len(owner) == len(self) and np.array_equal(owner, np.arange(len(self)))
            else self._of(owner)
        )
        found = minimise(own, begin, low, high, tolerance=tolerance, steps=steps)
        return found.values, found.chi2

    def _of(self, owner: Rows) -> "Traces":
        held = {
            name: np.broadcast_to(np.asarray(v, dtype=float), (len(self),))[owner]
            for name, v in self.held.items()
        }
        return replace(self, y=self.y[owner], error=self.error[owner], held=held)


def inverse(jacobian: Reals, scale: Reals) -> tuple[Reals, NDArray[np.bool_]]:
    """Return the inverses of JᵀJ (rows, p, p), and which variables the points do not determine (rows, p).

    Shapes: jacobian (rows, p, m), scale (rows, p). Where a variable does nothing at all its row is infinite;
    where two do the same, the one that matters most in the weakest direction is named.
    """
    norm = np.sqrt(np.einsum("kpm,kpm->kp", jacobian, jacobian))
    dead = norm * scale <= 1e-12
    unit = jacobian / np.where(dead, 1.0, norm)[..., None]
    normal = unit @ unit.transpose(0, 2, 1)
    index = np.arange(normal.shape[1])
    normal[:, index, index] = 1.0
    normal[dead.any(axis=1)] = np.eye(len(index))
    lost = dead.copy()
    try:
        found = np.linalg.inv(normal)
        doubtful = ~(np.abs(found[:, index, index]) < 1e9).all(axis=1) | (found[:, index, index] < 0.5).any(
            axis=1
        )
    except np.linalg.LinAlgError:
        found, doubtful = np.empty_like(normal), np.ones(len(normal), dtype=bool)
    for k in np.flatnonzero(doubtful):
        _, singular, right = np.linalg.svd(unit[k].T, full_matrices=False)
        found[k] = (right.T / np.maximum(singular, 1e-12 * singular[0]) ** 2) @ right
        for vector in right[singular < 1e-6 * singular[0]]:
            lost[k, int(np.argmax(np.abs(vector)))] = True
    found = found / (norm[:, :, None] * norm[:, None, :] + 1e-300)
    found[dead.any(axis=1)] = np.inf
    return found, lost


def given_squares_at_zero(covariance: Reals, free: tuple[Variable, ...], values: Reals) -> Reals:
    """Return the covariance (p, p) where squares that came out negative were put to 0.

    The other values were fitted with them held there: theirs is the covariance of that fit, and that of a square
    at 0 is its own of the free fit. Over many data sets both kinds of end together scatter as they say.
    """
    at_zero = [i for i, v in enumerate(free) if v.squared and values[i] == 0]
    if not at_zero or not np.isfinite(covariance).all():
        return covariance
    others = [i for i in range(len(covariance)) if i not in at_zero]
    shared = covariance[np.ix_(others, at_zero)]
    own = covariance[np.ix_(at_zero, at_zero)]
    given = np.zeros_like(covariance)
    given[np.ix_(others, others)] = covariance[np.ix_(others, others)] - shared @ np.linalg.solve(
        own, shared.T
    )
    given[np.ix_(at_zero, at_zero)] = own
    return given

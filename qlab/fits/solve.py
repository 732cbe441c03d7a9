"""One weighted least-squares problem: the variables that move, the solver, the covariance."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.fits.model import Curve, FitModel, Variable

Reals = NDArray[np.float64]
_FAR = 1e6  # what a residual counts where the curve is not finite


@dataclass(frozen=True)
class Problem:
    """A model, the points, and which of its variables move.

    The solver sees u = (value − start)/scale, with the square in place of the value of a `squared` variable:
    all are then of order one, whatever their units, and the curve is smooth in them down to zero.
    """

    model: FitModel
    x: Curve
    y: Curve
    error: Curve
    free: tuple[Variable, ...]
    held: Mapping[str, float]

    def curve(self, theta: Mapping[str, float]) -> Curve:
        """Return the curve; a negative entry of a squared variable stands for a negative square.

        There the curve is continued as an odd reflection, f(−z) = 2 f(0) − f(z): the true value being 0, the
        fitted square then scatters evenly around it and the other parameters stay unbiased.
        """
        for variable in self.free:
            if variable.squared and theta[variable.name] < 0:
                mirrored = {**theta, variable.name: -theta[variable.name]}
                return 2 * self.curve({**theta, variable.name: 0.0}) - self.curve(mirrored)
        return self.model.evaluate(self.x, theta)

    def theta(self, squares: Reals) -> dict[str, float]:
        """Return all values by name, from the free ones (squares of the squared ones); shape (free,)."""
        values = dict(self.held)
        for variable, value in zip(self.free, squares, strict=True):
            values[variable.name] = float(np.sign(value) * np.sqrt(abs(value)) if variable.squared else value)
        return values

    def residual(self, squares: Reals) -> Reals:
        """Return (curve − y)/error; shape (points,)."""
        with np.errstate(all="ignore"):
            difference = (self.curve(self.theta(squares)) - self.y) / self.error
        return np.clip(np.nan_to_num(difference, nan=_FAR, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)

    @cached_property
    def constant_chi2(self) -> float:
        """Chi-squared of the best constant: what a trace without any signal gives."""
        weight = 1 / self.error**2
        return float(np.sum(weight * (self.y - np.average(self.y, weights=weight)) ** 2))


@dataclass(frozen=True)
class Solution:
    """Where the solver ended: the values (squares of the squared variables), and what follows from them."""

    problem: Problem
    values: Reals
    scale: Reals

    @property
    def theta(self) -> dict[str, float]:
        """All values by name."""
        return self.problem.theta(self.values)

    @cached_property
    def residual(self) -> Reals:
        """(curve − y)/error at the solution; shape (points,)."""
        return self.problem.residual(self.values)

    @cached_property
    def chi2(self) -> float:
        """The sum of squared residuals."""
        return float(np.sum(self.residual**2))

    @cached_property
    def _jacobian(self) -> Reals:
        low, high = _bounds(self.problem.free)
        columns = []
        for i, size in enumerate(self.scale):
            # Near a bound the curve is not defined on both sides.
            room = min(self.values[i] - low[i], high[i] - self.values[i])
            step = np.zeros(len(self.values))
            step[i] = 1e-4 * size if room > 1e-4 * size else max(1e-2 * room, 1e-9 * size)
            sides = [self.problem.residual(self.values + s) for s in (step, -step)]
            columns.append((sides[0] - sides[1]) / (2 * step[i]))
        return np.stack(columns, axis=1)

    @cached_property
    def _inverse(self) -> tuple[Reals, tuple[str, ...]]:
        names, jacobian = [v.name for v in self.problem.free], self._jacobian
        norm = np.linalg.norm(jacobian, axis=0)
        dead = norm * self.scale <= 1e-12
        if dead.any():
            lost = tuple(name for name, gone in zip(names, dead, strict=True) if gone)
            return np.full((len(names), len(names)), np.inf), lost
        _, singular, right = np.linalg.svd(jacobian / norm, full_matrices=False)
        weak = right[singular < 1e-6 * singular[0]]
        inverse = (right.T / np.maximum(singular, 1e-12 * singular[0]) ** 2) @ right
        lost = tuple(dict.fromkeys(names[int(np.argmax(np.abs(vector)))] for vector in weak))
        return inverse / np.outer(norm, norm), lost

    @property
    def covariance(self) -> Reals:
        """The inverse of the Fisher information of the values; shape (free, free).

        Where a square came out negative and was put to 0, the others were fitted with it held there: their
        covariance is that of this fit, its own that of the free one. Over many data sets both kinds of end
        together scatter as they say.
        """
        full = self._inverse[0]
        at_zero = [i for i, v in enumerate(self.problem.free) if v.squared and self.values[i] == 0]
        if not at_zero or not np.isfinite(full).all():
            return full
        others = [i for i in range(len(full)) if i not in at_zero]
        shared = full[np.ix_(others, at_zero)]
        own = full[np.ix_(at_zero, at_zero)]
        given = np.zeros_like(full)
        given[np.ix_(others, others)] = full[np.ix_(others, others)] - shared @ np.linalg.solve(own, shared.T)
        given[np.ix_(at_zero, at_zero)] = own
        return given

    @property
    def undetermined(self) -> tuple[str, ...]:
        """The variables that these points say nothing about."""
        return self._inverse[1]

    @property
    def at_bound(self) -> tuple[str, ...]:
        """The variables that ended at the edge of what is allowed."""
        low, high = _bounds(self.problem.free)
        with np.errstate(invalid="ignore"):
            near = np.minimum(1e-3 * np.sqrt(np.diag(self.covariance)), 1e-2 * self.scale)
            touching = (self.values - low < near) | (high - self.values < near)
        return tuple(v.name for v, hit in zip(self.problem.free, touching, strict=True) if hit)


def solve(problem: Problem, start: Mapping[str, float], *, tolerance: float = 1e-8) -> Solution:
    """Minimise chi² from one start (lmfit, trust region within bounds); never raises on data.

    `tolerance` is the relative change of chi² that ends the search.
    """
    import lmfit

    first = np.array([start[v.name] ** 2 if v.squared else start[v.name] for v in problem.free])
    first, low, high = _inside(problem.free, first)
    scale = _scales(problem, first)
    parameters = lmfit.Parameters()
    for i in range(len(first)):
        parameters.add(
            f"u{i}", value=0.0, min=(low[i] - first[i]) / scale[i], max=(high[i] - first[i]) / scale[i]
        )

    def residual(current: lmfit.Parameters) -> Reals:
        moved = np.array([current[f"u{i}"].value for i in range(len(first))])
        return problem.residual(first + scale * moved)

    minimizer = lmfit.Minimizer(residual, parameters, calc_covar=False)
    try:
        found = minimizer.minimize(
            method="least_squares", x_scale="jac", max_nfev=60 * (len(first) + 1),
            ftol=tolerance, xtol=1e-8, gtol=1e-8,
        )  # fmt: skip
        values = first + scale * np.array([found.params[f"u{i}"].value for i in range(len(first))])
    except (ValueError, np.linalg.LinAlgError, lmfit.minimizer.AbortFitException):
        values = first
    return Solution(problem, values, scale)


def _bounds(free: tuple[Variable, ...]) -> tuple[Reals, Reals]:
    low = np.array([-np.inf if v.squared else v.minimum for v in free])
    return low, np.array([v.maximum**2 if v.squared else v.maximum for v in free])


def _inside(free: tuple[Variable, ...], values: Reals) -> tuple[Reals, Reals, Reals]:
    low, high = _bounds(free)
    bounded = np.isfinite(low) & np.isfinite(high)
    with np.errstate(invalid="ignore"):
        room = np.where(bounded, 1e-3 * (high - low), 1e-9 * np.maximum(np.abs(values), 1e-12))
    return np.clip(values, low + room, high - room), low, high


def _scales(problem: Problem, values: Reals) -> Reals:
    given = problem.model.scales(problem.x, problem.theta(values))
    sizes = [given.get(v.name, abs(value)) for v, value in zip(problem.free, values, strict=True)]
    return np.array([s if np.isfinite(s) and s > 0 else 1.0 for s in sizes])

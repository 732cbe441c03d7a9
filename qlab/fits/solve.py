"""One weighted least-squares problem: the variables that move, the solver, the covariance."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.fits.judge import Evidence
from qlab.fits.model import Curve, FitModel, Variable
from qlab.fits.traces import Traces, given_squares_at_zero, inverse

Reals = NDArray[np.float64]
_FIRST = np.zeros(1, dtype=np.int64)


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

    def theta(self, squares: Reals) -> dict[str, float]:
        """Return all values by name, from the free ones (squares of the squared ones); shape (free,)."""
        return named(self.free, self.held, squares)

    def residual(self, squares: Reals) -> Reals:
        """Return (curve − y)/error; shape (points,).

        A negative entry of a squared variable stands for a negative square: there the curve is continued as an
        odd reflection, f(−z) = 2 f(0) − f(z). The true value being 0, the fitted square then scatters evenly
        around it and the other parameters stay unbiased.
        """
        return np.asarray(self.one.residual(squares[None], _FIRST)[0])

    @cached_property
    def one(self) -> Traces:
        """The same problem as the only one of many."""
        return Traces(self.model, self.x, self.y[None], self.error[None], self.free, self.held)

    @cached_property
    def constant_chi2(self) -> float:
        """Chi-squared of the best constant: what a trace without any signal gives."""
        return float(constant_chi2(self.y, self.error, quadratures=self.model.quadratures))


def named(free: tuple[Variable, ...], held: Mapping[str, float], squares: Reals) -> dict[str, float]:
    """Return all values by name, from what is held and the free ones (squares of the squared ones)."""
    values = dict(held)
    for variable, value in zip(free, squares, strict=True):
        values[variable.name] = float(np.sign(value) * np.sqrt(abs(value)) if variable.squared else value)
    return values


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
    def _inverse(self) -> tuple[Reals, NDArray[np.bool_]]:
        jacobian = self.problem.one.jacobian(self.values[None], _FIRST)
        found, lost = inverse(jacobian, self.scale[None])
        return found[0], lost[0]

    @cached_property
    def covariance(self) -> Reals:
        """The inverse of the Fisher information of the values; shape (free, free)."""
        return given_squares_at_zero(self._inverse[0], self.problem.free, self.values)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which variables these points say nothing about; shape (free,)."""
        return self._inverse[1]

    @property
    def at_edge(self) -> NDArray[np.bool_]:
        """Which variables ended at the edge of what is allowed; shape (free,)."""
        return np.asarray(
            at_edge(self.problem.one, self.values[None], self.covariance[None], self.scale[None])[0]
        )

    def evidence(self, *, absolute: bool) -> Evidence:
        """Return what a judge needs; `absolute`: the errors of the points were measured."""
        problem = self.problem
        return Evidence(
            problem.model, problem.x, problem.free, {n: np.array([v]) for n, v in self.theta.items()},
            self.values[None], self.covariance[None], self.lost[None], self.at_edge[None], self.residual[None],
            np.array([len(problem.y)]), np.array([problem.constant_chi2]), np.array([absolute]),
        )  # fmt: skip


def solve(problem: Problem, start: Mapping[str, float], *, tolerance: float = 1e-8) -> Solution:
    """Minimise chi² from one start (lmfit, trust region within bounds); never raises on data.

    `tolerance` is the relative change of chi² that ends the search.
    """
    import lmfit

    first = np.array([start[v.name] * (abs(start[v.name]) if v.squared else 1.0) for v in problem.free])
    low, high = problem.one.bounds()
    first = inside(first, low, high)
    scale = problem.one.scale(first[None], _FIRST)[0]
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


def inside(values: Reals, low: Reals, high: Reals) -> Reals:
    """Return values (..., p) moved a little off the bounds, where a search can start."""
    bounded = np.isfinite(low) & np.isfinite(high)
    with np.errstate(invalid="ignore"):
        room = np.where(bounded, 1e-3 * (high - low), 1e-9 * np.maximum(np.abs(values), 1e-12))
    return np.clip(values, low + room, high - room)


def at_edge(traces: Traces, values: Reals, covariance: Reals, scale: Reals) -> NDArray[np.bool_]:
    """Return which values ended at the edge of what is allowed; shapes (rows, p), covariance (rows, p, p)."""
    low, high = traces.bounds()
    with np.errstate(invalid="ignore"):
        near = np.minimum(1e-3 * np.sqrt(np.einsum("kpp->kp", covariance)), 1e-2 * scale)
        return np.asarray((values - low < near) | (high - values < near))


def constant_chi2(y: Reals, error: Reals, *, quadratures: bool = False) -> Reals:
    """Return chi² of the best constant for each row of y and error (..., m); each half of its own for both parts."""
    if quadratures:
        half = y.shape[-1] // 2
        parts = ((y[..., :half], error[..., :half]), (y[..., half:], error[..., half:]))
        return np.asarray(sum(constant_chi2(*part) for part in parts))
    weight = 1 / error**2
    total = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    mean = (weight * y).sum(axis=-1, keepdims=True) / total
    return np.asarray((weight * (y - mean) ** 2).sum(axis=-1))

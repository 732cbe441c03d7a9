"""A fit as it comes out of the engine: its result, and on demand its likelihood profile and bootstrap."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from qlab.errors import UsageError
from qlab.fits.solve import Solution
from qlab.fits.traces import Traces
from qlab.record import FitResult

Reals = NDArray[np.float64]
_SHARE = 0.682689492137  # of a normal distribution within one standard deviation


@dataclass(frozen=True)
class Profile:
    """The likelihood profile of one parameter: at each of `values` (k,) all others are fitted again.

    `rise` (k,) is how much chi² lies above its least value, in units of the noise; `low` and `high` are where it
    is 1, the 68.3 % interval (infinite where it is not reached).
    """

    name: str
    values: Reals
    rise: Reals
    low: float
    high: float


@dataclass(frozen=True)
class Bootstrap:
    """Fits of many traces drawn as the fitted one could have been: `values` by name, each (n,)."""

    values: dict[str, Reals]

    def interval(self, name: str, share: float = _SHARE) -> tuple[float, float]:
        """Return the central interval that holds this share of the values."""
        low, high = np.quantile(self.values[name], [(1 - share) / 2, (1 + share) / 2])
        return float(low), float(high)

    def error(self, name: str) -> float:
        """Return half the 68.3 % interval: a standard deviation that single wild values do not carry away."""
        low, high = self.interval(name)
        return (high - low) / 2


class Fit(FitResult):
    """A fit result that still has its points; what is stored of it is the plain result."""

    _solution: Solution | None = PrivateAttr(default=None)
    _absolute: bool = PrivateAttr(default=True)

    @classmethod
    def of(cls, result: FitResult, solution: Solution | None = None, *, absolute: bool = True) -> "Fit":
        """Return a result together with where its search ended."""
        made = cls.model_construct(**{name: getattr(result, name) for name in FitResult.model_fields})
        made.__pydantic_private__ = {"_solution": solution, "_absolute": absolute}
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FitResult) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        return hash((self.model, self.signal, self.chi2))

    def __reduce__(self) -> tuple[Any, ...]:
        # Between processes only the plain result travels.
        return FitResult.model_validate, (self.model_dump(),)

    def profile(self, name: str, *, reach: float = 3.0, count: int = 25) -> Profile:
        """Return the likelihood profile of a free parameter over ± `reach` of its standard deviations.

        The range widens until chi² has risen by 1 on both sides, or stays at a bound. UsageError where the
        parameter is not free, or the fit has no covariance. Source: Venzon & Moolgavkar, Appl. Stat. 37, 87 (1988).
        """
        solution = self._have(name)
        index = self.free.index(name)
        squared = solution.problem.free[index].squared
        low, high = (bound[index] for bound in solution.problem.one.bounds())
        low = max(low, 0.0) if squared else low
        sigma = np.sqrt(solution.covariance[index, index] * self._inflation(solution))
        centre, values, rise = solution.values[index], np.zeros(0), np.zeros(0)
        for _ in range(6):
            values = np.clip(np.linspace(centre - reach * sigma, centre + reach * sigma, count), low, high)
            values = np.unique(np.append(values, centre))
            rise = self._rise(solution, index, values)
            ends = (rise[0] < 1 and values[0] > low, rise[-1] < 1 and values[-1] < high)
            if not any(ends):
                break
            reach *= 2
        # From -1 to 1: the signed root of the rise is nearly straight, and so interpolates well.
        root = np.sqrt(np.maximum(rise, 0)) * np.where(values < centre, -1, 1)
        limits = [_crossing(values, root, -1.0), _crossing(values, root, 1.0)]
        if squared:
            values, limits = np.sqrt(values), [float(np.sqrt(max(v, 0.0))) for v in limits]
        return Profile(name, values, rise, *limits)

    def bootstrap(self, n: int = 200, *, seed: int = 0) -> Bootstrap:
        """Fit n traces drawn from the fitted curve with the noise of the points, and return their values.

        Where the errors of the points were measured the noise is normal with them; else residuals are drawn with
        replacement. Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 9.
        """
        solution = self._have()
        problem, rng = solution.problem, np.random.default_rng(seed)
        curve = problem.y + solution.residual * problem.error
        size = (n, len(problem.y))
        if self._absolute:
            noise = rng.normal(0, 1, size)
        else:
            swollen = np.sqrt(len(problem.y) / max(self.degrees_of_freedom, 1))
            noise = swollen * rng.choice(solution.residual - solution.residual.mean(), size)
        drawn = Traces(
            problem.model, problem.x, curve + noise * problem.error,
            np.broadcast_to(problem.error, size), problem.free, problem.held,
        )  # fmt: skip
        values = _again(drawn, np.repeat(solution.values[None], n, axis=0))
        named = drawn.theta(values, np.arange(n))
        return Bootstrap({name: np.maximum(v[:, 0], 0) if self._squared(name) else v[:, 0]
                          for name, v in named.items() if name in self.free})  # fmt: skip

    def _squared(self, name: str) -> bool:
        solution = self._solution
        return solution is not None and any(v.squared for v in solution.problem.free if v.name == name)

    def _have(self, name: str = "") -> Solution:
        if self._solution is None:
            raise UsageError("This fit has no points beside it.", "Fit the run again: `run.fit(...)`.")
        if name and name not in self.free:
            raise UsageError(f"{name!r} is not free in this fit.", f"There are: {', '.join(self.free)}.")
        if not self.covariance:
            raise UsageError("The data do not determine this fit.", self.message)
        return self._solution

    def _inflation(self, solution: Solution) -> float:
        return 1.0 if self._absolute else solution.chi2 / max(self.degrees_of_freedom, 1)

    def _rise(self, solution: Solution, index: int, values: Reals) -> Reals:
        problem, count = solution.problem, len(values)
        many = Traces(
            problem.model, problem.x, np.repeat(problem.y[None], count, axis=0),
            np.repeat(problem.error[None], count, axis=0), problem.free, problem.held,
        )  # fmt: skip
        start = np.repeat(solution.values[None], count, axis=0)
        start[:, index] = values
        ended = _again(many, start, index)
        residual = many.residual(ended, np.arange(count))
        chi2 = np.einsum("km,km->k", residual, residual)
        return np.asarray((chi2 - min(solution.chi2, chi2.min())) / self._inflation(solution))


def _again(traces: Traces, start: Reals, held: int = -1) -> Reals:
    with np.errstate(all="ignore"):
        return traces.settle(np.arange(len(start)), start, 1e-8, held=held)[0]


def _crossing(values: Reals, root: Reals, level: float) -> float:
    beyond = np.flatnonzero(root <= level) if level < 0 else np.flatnonzero(root >= level)
    if not len(beyond):
        return float(np.sign(level) * np.inf)
    outer = beyond[-1] if level < 0 else beyond[0]
    inner = outer + 1 if level < 0 else outer - 1
    step = root[inner] - root[outer]
    share = (level - root[outer]) / step if step else 0.0
    return float(values[outer] + share * (values[inner] - values[outer]))

"""A posterior over one parameter that keeps up with its data: the grid closes in as the answer does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlab.bayes.grid import GridPosterior, grid_prior
from qlab.bayes.likelihood import Likelihood, Reals, Theta
from qlab.errors import UsageError

_SEEN = 1e-9  # the share of the highest density below which a value is given up
_STEPS = 8  # grid steps in a standard deviation before the grid closes in


@dataclass
class Following:
    """The posterior of `name` between `low` and `high`, evenly likely at first, on `count` grid points.

    `nuisance`: what else is not known exactly, by name, in standard deviations (−2, −1, 0, 1, 2 say), normal; it is
    carried along and averaged over. A likelihood gets values of the shape (count, ...), `name` along the first axis.
    `add` takes outcomes in. Where few grid points are left under the posterior the grid is laid anew over the
    values that are still possible and all outcomes are taken in again: exact, however many humps there are.
    """

    name: str
    low: float
    high: float
    count: int = 1501
    nuisance: Mapping[str, Reals] = field(default_factory=dict)
    posterior: GridPosterior = field(init=False)
    _data: list[tuple[Likelihood, Any, float]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._lay(self.low, self.high)

    def _lay(self, low: float, high: float) -> None:
        axes = {self.name: np.linspace(low, high, self.count), **self.nuisance}

        def density(theta: Theta) -> Reals:
            return np.asarray(-0.5 * sum((theta[n] ** 2 for n in self.nuisance), np.zeros(())))

        self.posterior = grid_prior(axes, density)

    def __len__(self) -> int:
        return len(self._data)

    @property
    def axis(self) -> Reals:
        """The grid, (count,)."""
        return self.posterior.axes[self.name]

    @property
    def mean(self) -> float:
        """The mean of the posterior."""
        return self.posterior.mean[self.name]

    @property
    def sigma(self) -> float:
        """The standard deviation of the posterior."""
        return self.posterior.sigma[self.name]

    def add(self, likelihood: Likelihood, setting: Any, outcome: float) -> None:
        """Take in an outcome. UsageError where no value could have given it."""
        self._data.append((likelihood, setting, outcome))
        self.posterior = self.posterior.update(lambda theta: likelihood.log(theta, setting, outcome))
        self._close_in()

    def _close_in(self) -> None:
        for _ in range(20):
            axis, mass = self.axis, self.posterior.marginal(self.name)
            seen = np.flatnonzero(mass > _SEEN * mass.max())
            first, last = max(int(seen[0]) - 2, 0), min(int(seen[-1]) + 2, len(axis) - 1)
            fine = self.sigma > _STEPS * (axis[1] - axis[0])
            if fine or last - first > 0.7 * len(axis):
                return
            # Wider than what is seen: an edge must not cut off what another outcome may bring back.
            reach = 0.25 * (axis[last] - axis[first])
            low, high = max(axis[first] - reach, self.low), min(axis[last] + reach, self.high)
            self._lay(low, high)
            theta = self.posterior.theta
            total = sum(given.log(theta, setting, outcome) for given, setting, outcome in self._data)
            self.posterior = self.posterior.update(np.asarray(total, dtype=float))

    def likely(self, share: float = 1e-6) -> tuple[dict[str, Reals], Reals]:
        """Return the values that are still likely, by name, and their probabilities: what a choice has to weigh."""
        mass = self.posterior.marginal(self.name)
        kept = mass > share * mass.max()
        if not kept.any():
            raise UsageError("Nothing is likely any more.", "Widen the prior, or look at the model.")
        return {self.name: self.axis[kept]}, mass[kept] / mass[kept].sum()

"""A posterior over one parameter that keeps up with its data: the grid closes in as the answer does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlab.bayes.grid import GridPosterior, cell_widths, grid_prior
from qlab.bayes.likelihood import Likelihood, Reals, Theta
from qlab.errors import UsageError

_SEEN = 1e-9  # the share of the highest density below which a value is given up
_STEPS = 8  # grid steps in a standard deviation of the highest hump before the grid closes in


@dataclass
class Following:
    """The posterior of `name` between `low` and `high`, evenly likely at first, on `count` grid points.

    `nuisance`: what else is not known exactly, by name, in standard deviations (−2, −1, 0, 1, 2 say), normal; it is
    carried along and averaged over. A likelihood gets values of the shape (count, ...), `name` along the first axis.
    `add` takes outcomes in. Where few grid points are left under the highest hump the grid is laid anew over the
    values that are still possible, with even steps and holes where nothing is, and all outcomes are taken in again:
    exact, however many humps there are and however far apart.
    """

    name: str
    low: float
    high: float
    count: int = 1501
    nuisance: Mapping[str, Reals] = field(default_factory=dict)
    posterior: GridPosterior = field(init=False)
    _step: float = field(init=False, repr=False)
    _data: list[tuple[Likelihood, Any, float]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._lay([(self.low, self.high)])

    def _lay(self, pieces: list[tuple[float, float]]) -> None:
        """Lay the grid over these pieces of the axis, with the same step in each: every point stands for as much."""
        step = sum(high - low for low, high in pieces) / (self.count - 1)
        counts = [max(round((high - low) / step) + 1, 2) for low, high in pieces]
        axis = np.concatenate([np.linspace(*ends, n) for ends, n in zip(pieces, counts, strict=True)])
        self._step = step

        def density(theta: Theta) -> Reals:
            given = np.asarray(-0.5 * sum((theta[n] ** 2 for n in self.nuisance), np.zeros(())))
            # A point beside a hole stands for itself, not for half of the hole.
            widths = np.log(np.maximum(cell_widths(axis), step) / step)
            return given - widths.reshape(-1, *[1] * (theta[self.name].ndim - 1))

        self.posterior = grid_prior({self.name: axis, **self.nuisance}, density)

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
            humps = self._humps(axis, mass)
            highest = mass[max(humps, key=lambda hump: mass[hump].max())]
            # A normal hump with n steps in its standard deviation is spread over 2√π·n points.
            if highest.sum() ** 2 > 2 * np.sqrt(np.pi) * _STEPS * (highest**2).sum():
                return
            pieces = self._pieces(axis, humps)
            if sum(high - low for low, high in pieces) > 0.7 * self._step * len(axis):
                return
            self._lay(pieces)
            theta = self.posterior.theta
            total = sum(given.log(theta, setting, outcome) for given, setting, outcome in self._data)
            self.posterior = self.posterior.update(np.asarray(total, dtype=float))

    def _humps(self, axis: Reals, mass: Reals) -> list[slice]:
        """Return the runs of neighbouring grid points that are not given up."""
        seen = np.flatnonzero(mass > _SEEN * mass.max())
        apart = (np.diff(seen) > 1) | (np.diff(axis[seen]) > 1.5 * self._step)
        ends = np.flatnonzero(apart)
        firsts, lasts = seen[np.concatenate(([0], ends + 1))], seen[np.concatenate((ends, [-1]))]
        return [slice(int(a), int(b) + 1) for a, b in zip(firsts, lasts, strict=True)]

    def _pieces(self, axis: Reals, humps: list[slice]) -> list[tuple[float, float]]:
        """Return what the grid has to cover: wider than what is seen, for what another outcome may bring back."""
        pieces: list[tuple[float, float]] = []
        for hump in humps:
            reach = 0.25 * (axis[hump.stop - 1] - axis[hump.start]) + 2 * self._step
            low = max(float(axis[hump.start] - reach), self.low)
            high = min(float(axis[hump.stop - 1] + reach), self.high)
            if pieces and low <= pieces[-1][1]:
                pieces[-1] = (pieces[-1][0], max(high, pieces[-1][1]))
            else:
                pieces.append((low, high))
        return pieces

    def likely(self, share: float = 1e-6) -> tuple[dict[str, Reals], Reals]:
        """Return the values that are still likely, by name, and their probabilities: what a choice has to weigh."""
        mass = self.posterior.marginal(self.name)
        kept = mass > share * mass.max()
        if not kept.any():
            raise UsageError("Nothing is likely any more.", "Widen the prior, or look at the model.")
        return {self.name: self.axis[kept]}, mass[kept] / mass[kept].sum()

"""A posterior on a grid: exact, for one to three parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from qlab.bayes.likelihood import Reals, Theta
from qlab.errors import UsageError


@dataclass(frozen=True)
class GridPosterior:
    """Probabilities over a grid of values: `axes` by name, `log_mass` of the grid's shape, normalised.

    `log_evidence` is log p(data) so far. Immutable: `update` returns the next one.
    """

    axes: Mapping[str, Reals]
    log_mass: Reals
    log_evidence: float = 0.0

    @property
    def theta(self) -> Theta:
        """The values at each grid point, each of the grid's shape."""
        return dict(zip(self.axes, np.meshgrid(*self.axes.values(), indexing="ij"), strict=True))

    @property
    def mass(self) -> Reals:
        """The probabilities of the grid points; their sum is 1."""
        return np.exp(self.log_mass)

    def update(self, log_likelihood: ArrayLike | Callable[[Theta], Reals]) -> "GridPosterior":
        """Return the posterior after an outcome of this log-likelihood (the grid's shape, or a function of theta)."""
        new = log_likelihood(self.theta) if callable(log_likelihood) else np.asarray(log_likelihood, float)
        log_mass = self.log_mass + new
        top = float(np.max(log_mass))
        if not np.isfinite(top):
            raise UsageError(
                "No value on the grid can give these data.", "Widen the prior, or look at the model."
            )
        total = top + float(np.log(np.sum(np.exp(log_mass - top))))
        return replace(self, log_mass=log_mass - total, log_evidence=self.log_evidence + total)

    def marginal(self, name: str) -> Reals:
        """Return the probabilities (n,) of the values of one axis."""
        at = list(self.axes).index(name)
        return np.asarray(self.mass.sum(axis=tuple(i for i in range(self.log_mass.ndim) if i != at)))

    def density(self, name: str) -> Reals:
        """Return the marginal density (n,) over one axis, per unit of it."""
        return self.marginal(name) / cell_widths(self.axes[name])

    @property
    def mean(self) -> dict[str, float]:
        """The mean values."""
        return {name: float(np.dot(self.marginal(name), axis)) for name, axis in self.axes.items()}

    @property
    def covariance(self) -> Reals:
        """The covariance (k, k), in the order of the axes."""
        mass = self.mass.ravel()
        apart = np.stack([v.ravel() - self.mean[name] for name, v in self.theta.items()])
        return np.asarray((apart * mass) @ apart.T)

    @property
    def sigma(self) -> dict[str, float]:
        """The standard deviations."""
        return dict(zip(self.axes, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    @property
    def entropy(self) -> float:
        """The Shannon entropy of the grid probabilities, in nats."""
        mass = self.mass
        return -float(np.sum(np.where(mass > 0, mass * self.log_mass, 0.0)))

    def interval(self, name: str, level: float = 0.683) -> tuple[float, float]:
        """Return the credible interval with equal tails; between grid points the cumulative is linear."""
        axis, mass = self.axes[name], self.marginal(name)
        edges = np.concatenate((axis[:1], (axis[1:] + axis[:-1]) / 2, axis[-1:]))
        cumulative = np.concatenate(([0.0], np.cumsum(mass)))
        ends = np.interp([(1 - level) / 2, (1 + level) / 2], cumulative / cumulative[-1], edges)
        return float(ends[0]), float(ends[1])

    def highest(self, name: str, level: float = 0.683) -> tuple[tuple[float, float], ...]:
        """Return the credible region of highest density: one interval per hump."""
        axis, mass, density = self.axes[name], self.marginal(name), self.density(name)
        order = np.argsort(density)[::-1]
        inside = np.zeros(len(axis), dtype=bool)
        inside[order[: int(np.searchsorted(np.cumsum(mass[order]), level)) + 1]] = True
        edges = np.concatenate((axis[:1], (axis[1:] + axis[:-1]) / 2, axis[-1:]))
        steps = np.diff(np.concatenate(([0], inside.astype(int), [0])))
        return tuple(
            (float(edges[a]), float(edges[b]))
            for a, b in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True)
        )


def grid_prior(
    axes: Mapping[str, ArrayLike], log_density: Callable[[Theta], Reals] | None = None
) -> GridPosterior:
    """Return a prior over increasing values by name; flat in every axis where no log-density is given."""
    named = {name: np.asarray(values, dtype=float) for name, values in axes.items()}
    if not named or any(len(v) < 2 or not (np.diff(v) > 0).all() for v in named.values()):
        raise UsageError("A grid needs two or more increasing values per axis.", "Look at the axes.")
    log_mass = np.zeros(())
    for values in named.values():
        log_mass = np.add.outer(log_mass, np.log(cell_widths(values)))
    flat = GridPosterior(named, log_mass)
    if log_density is not None:
        log_mass = log_mass + log_density(flat.theta)
    top = float(np.max(log_mass))
    return GridPosterior(named, log_mass - top - float(np.log(np.sum(np.exp(log_mass - top)))))


def cell_widths(axis: Reals) -> Reals:
    """Return the width (n,) that each of n values stands for; half at both ends (trapezoids)."""
    steps = np.diff(axis)
    return np.asarray((np.concatenate((steps, [0.0])) + np.concatenate(([0.0], steps))) / 2)

"""A posterior as weighted particles: for several parameters, and for estimates while data come in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qlab.bayes.likelihood import Reals, Theta
from qlab.errors import UsageError

LogDensity = Callable[[Theta], Reals]
_SHRINK = 0.98  # Liu and West's a


@dataclass
class ParticlePosterior:
    """Weighted values by name, (n,) each, that follow the data as `update` is called.

    When fewer than `threshold`·n particles still count they are drawn anew. "move" (default) then takes
    Metropolis steps on the exact posterior, whose past likelihoods are kept: right for any shape, with several
    humps too. "liu-west" draws around the particles, shrunk to their mean: no past needed, for one hump only.
    Sources: Liu and West (2001); Gilks and Berzuini, JRSS B 63, 127 (2001); Granade, NJP 14, 103013 (2012).
    """

    values: dict[str, Reals]
    log_prior: LogDensity
    random: np.random.Generator
    kernel: Literal["move", "liu-west"] = "move"
    threshold: float = 0.5
    moves: int = 3
    log_evidence: float = 0.0
    resamplings: int = 0
    weights: Reals = field(init=False)
    _past: list[LogDensity] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.weights = np.full(len(self), 1 / len(self))

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def effective(self) -> float:
        """The effective number of particles, 1/Σw²."""
        return 1 / float(np.dot(self.weights, self.weights))

    @property
    def mean(self) -> dict[str, float]:
        """The mean values."""
        return {name: float(np.dot(self.weights, v)) for name, v in self.values.items()}

    @property
    def covariance(self) -> Reals:
        """The covariance (k, k), in the order of the values."""
        points = np.stack(list(self.values.values()))
        apart = points - (points @ self.weights)[:, None]
        return np.asarray((apart * self.weights) @ apart.T)

    @property
    def sigma(self) -> dict[str, float]:
        """The standard deviations."""
        return dict(zip(self.values, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    def interval(self, name: str, level: float = 0.683) -> tuple[float, float]:
        """Return the credible interval with equal tails."""
        order = np.argsort(self.values[name])
        cumulative = np.cumsum(self.weights[order]) - self.weights[order] / 2
        ends = np.interp([(1 - level) / 2, (1 + level) / 2], cumulative, self.values[name][order])
        return float(ends[0]), float(ends[1])

    def update(self, log_likelihood: LogDensity) -> None:
        """Take in one outcome (or many): a function that gives its log-likelihood (n,) for values by name."""
        log_weights = np.log(np.maximum(self.weights, 1e-300)) + log_likelihood(self.values)
        top = float(np.max(log_weights))
        if not np.isfinite(top):
            raise UsageError("No particle can give these data.", "Widen the prior, or look at the model.")
        weights = np.exp(log_weights - top)
        self.log_evidence += top + float(np.log(weights.sum()))
        self.weights = weights / weights.sum()
        if self.kernel == "move":
            self._past.append(log_likelihood)
        if self.effective < self.threshold * len(self):
            self._resample()

    def _resample(self) -> None:
        spread, mean = self.covariance, np.array(list(self.mean.values()))
        count = len(self)
        # Systematic resampling: one random number, least scatter of the copies.
        at = (np.arange(count) + self.random.random()) / count
        chosen = np.minimum(np.searchsorted(np.cumsum(self.weights), at), count - 1)
        points = np.stack(list(self.values.values()))[:, chosen]
        self.weights = np.full(count, 1 / count)
        self.resamplings += 1
        root = _root(spread)
        if self.kernel == "liu-west":
            kicks = root @ self.random.normal(size=points.shape)
            points = mean[:, None] + _SHRINK * (points - mean[:, None]) + np.sqrt(1 - _SHRINK**2) * kicks
            inside = np.isfinite(self.log_prior(self._named(points)))
            old = np.stack(list(self.values.values()))[:, chosen]
            self.values = self._named(np.where(inside, points, old))
            return
        self._move(points, root)

    def _move(self, points: Reals, root: Reals) -> None:
        level = self._posterior(points)
        # Steps as long as the whole posterior and short ones: with several humps the whole is too wide.
        scales = (2.38 / np.sqrt(len(points)), 0.3, 0.05)
        for k in range(self.moves):
            proposed = points + scales[k % 3] * (root @ self.random.normal(size=points.shape))
            new = self._posterior(proposed)
            taken = np.log(self.random.random(len(new))) < new - level
            points, level = np.where(taken, proposed, points), np.where(taken, new, level)
        self.values = self._named(points)

    def _posterior(self, points: Reals) -> Reals:
        named = self._named(points)
        total = np.array(self.log_prior(named), dtype=float)
        for past in self._past:
            total = total + past(named)
        return total

    def _named(self, points: Reals) -> dict[str, Reals]:
        return dict(zip(self.values, points, strict=True))


def uniform_particles(
    bounds: Mapping[str, tuple[float, float]],
    count: int,
    random: np.random.Generator,
    *,
    kernel: Literal["move", "liu-west"] = "move",
) -> ParticlePosterior:
    """Return `count` particles, evenly likely between (low, high) of each name."""  # fmt: skip
    values = {name: random.uniform(low, high, count) for name, (low, high) in bounds.items()}
    volume = float(np.prod([high - low for low, high in bounds.values()]))

    def log_prior(theta: Theta) -> Reals:
        inside = np.all([(theta[n] >= low) & (theta[n] <= high) for n, (low, high) in bounds.items()], axis=0)
        return np.where(inside, -np.log(volume), -np.inf)

    return ParticlePosterior(values, log_prior, random, kernel)


def normal_particles(
    mean: Mapping[str, float], sigma: Mapping[str, float], count: int, random: np.random.Generator
) -> ParticlePosterior:
    """Return `count` particles from independent normal priors of these means and standard deviations."""
    values = {name: random.normal(mean[name], sigma[name], count) for name in mean}

    def log_prior(theta: Theta) -> Reals:
        terms = [
            ((theta[n] - mean[n]) / sigma[n]) ** 2 + 2 * np.log(sigma[n]) + np.log(2 * np.pi) for n in mean
        ]
        return np.asarray(-0.5 * np.sum(terms, axis=0))

    return ParticlePosterior(values, log_prior, random)


def _root(covariance: ArrayLike) -> Reals:
    values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=float))
    return np.asarray(vectors * np.sqrt(np.clip(values, 0, None)))

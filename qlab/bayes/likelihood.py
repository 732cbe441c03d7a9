"""Likelihoods of what an experiment counts, from the probabilities that its model gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]
Theta = Mapping[str, Reals]
Response = Callable[[Theta, Any], Reals]  # (values by name, each (n,); a setting) -> (n,)
_LEAST = 1e-12  # a probability that a model calls impossible: one wrong bit must not end an estimate


class Likelihood(Protocol):
    """Gives log p(outcome | θ, setting) for many θ at once."""

    def log(self, theta: Theta, setting: Any, outcome: float) -> Reals:
        """Return the log-likelihood (n,) of values (n,) by name."""
        ...


@dataclass(frozen=True)
class Binomial:
    """`outcome` ones out of `shots`, of probability(θ, setting): log C(M, k) p^k (1−p)^(M−k)."""

    probability: Response
    shots: int = 1

    def log(self, theta: Theta, setting: Any, outcome: float) -> Reals:
        """Return the log-likelihood (n,)."""
        from scipy.special import gammaln

        p = np.clip(self.probability(theta, setting), _LEAST, 1 - _LEAST)
        m, k = self.shots, outcome
        ways = float(gammaln(m + 1) - gammaln(k + 1) - gammaln(m - k + 1))
        return np.asarray(ways + k * np.log(p) + (m - k) * np.log1p(-p))

    def outcomes(self, theta: Theta, setting: Any) -> Reals:
        """Return p(outcome | θ) for all outcomes 0 … shots: (outcomes, n)."""
        return np.exp([self.log(theta, setting, k) for k in range(self.shots + 1)])

    def moments(self, theta: Theta, setting: Any) -> tuple[Reals, Reals]:
        """Return mean and variance of the outcome, (n,) each."""
        p = np.clip(self.probability(theta, setting), 0, 1)
        return self.shots * p, np.asarray(self.shots * p * (1 - p))


@dataclass(frozen=True)
class Poisson:
    """A count of mean(θ, setting): log μ^k e^{−μ}/k!."""

    mean: Response

    def log(self, theta: Theta, setting: Any, outcome: float) -> Reals:
        """Return the log-likelihood (n,)."""
        from scipy.special import gammaln

        mu = np.maximum(self.mean(theta, setting), _LEAST)
        return np.asarray(outcome * np.log(mu) - mu - float(gammaln(outcome + 1)))

    def outcomes(self, theta: Theta, setting: Any) -> Reals:
        """Return p(outcome | θ) for the counts that matter (all but 1e-6): (outcomes, n)."""
        mu = self.mean(theta, setting)
        low, high = float(np.min(mu)), float(np.max(mu))
        first = max(int(low - 6 * np.sqrt(low) - 3), 0)
        last = int(high + 6 * np.sqrt(high) + 8)
        return np.exp([self.log(theta, setting, k) for k in range(first, last + 1)])


@dataclass(frozen=True)
class SpinPhotons:
    """Photons of `shots` readouts of a spin that is dark with probability(θ, setting).

    Each shot gives a Poisson number, of mean `bright` or `dark`. One shot exactly, p Pois(a1) + (1−p) Pois(a0); the
    sum of many as normal with its own mean and variance M[μ + p(1−p)(a0−a1)²], good from about 20 photons on.
    Where `bright` and `dark` were scaled to a reference of so many counts, its noise is added: (Mμ)²/reference.
    """

    probability: Response
    bright: float | Reals
    dark: float | Reals
    shots: int = 1
    reference: float = np.inf

    def log(self, theta: Theta, setting: Any, outcome: float) -> Reals:
        """Return the log-likelihood (n,)."""
        p = np.clip(self.probability(theta, setting), 0, 1)
        if self.shots == 1:
            bright, dark = (_poisson(outcome, a) for a in (self.bright, self.dark))
            return np.asarray(np.log(np.maximum((1 - p) * bright + p * dark, _LEAST)))
        mean, variance = self.moments(theta, setting)
        apart = outcome - mean
        return np.asarray(-0.5 * (apart**2 / variance + np.log(2 * np.pi * variance)))

    def moments(self, theta: Theta, setting: Any) -> tuple[Reals, Reals]:
        """Return mean and variance of the photons of all shots, (n,) each."""
        p = np.clip(self.probability(theta, setting), 0, 1)
        mean = (1 - p) * self.bright + p * self.dark
        variance = self.shots * (mean + p * (1 - p) * (self.bright - self.dark) ** 2)
        return self.shots * mean, variance + (self.shots * mean) ** 2 / self.reference


@dataclass(frozen=True)
class Normal:
    """A value of mean(θ, setting) with a known standard deviation `sigma`."""

    mean: Response
    sigma: float

    def log(self, theta: Theta, setting: Any, outcome: float) -> Reals:
        """Return the log-likelihood (n,)."""
        apart = (outcome - self.mean(theta, setting)) / self.sigma
        return np.asarray(-0.5 * apart**2 - np.log(self.sigma * np.sqrt(2 * np.pi)))


def _poisson(k: float, mean: float | Reals) -> Reals:
    from scipy.special import gammaln, xlogy

    return np.asarray(np.exp(xlogy(k, mean) - mean - gammaln(k + 1)))


class _Curve(Protocol):
    def evaluate(self, x: Reals, theta: Any) -> Reals:
        """Return the curve at x."""
        ...


@dataclass(frozen=True)
class CurveResponse:
    """The curve of a fit model or of an experiment as a response: setting = x; what is not estimated is `fixed`.

    `scale` turns the curve into what the likelihood wants (counts per point, say).
    """

    model: _Curve
    fixed: Mapping[str, float] = field(default_factory=dict)
    scale: float = 1.0

    def __call__(self, theta: Theta, setting: Any) -> Reals:
        """Return scale · curve(x = setting) for each of n values, (n,)."""
        first = next(iter(theta.values()))
        x = np.array([float(setting)])
        flat = {name: np.ravel(np.asarray(v, dtype=float)) for name, v in theta.items()}
        found = np.empty(np.size(first))
        for i in range(len(found)):
            one = {**self.fixed, **{name: float(v[i]) for name, v in flat.items()}}
            found[i] = self.model.evaluate(x, one)[0]
        return np.asarray(self.scale * found.reshape(np.shape(first)))


def ramsey_probability(
    theta: Theta, setting: ArrayLike, *, visibility: float = 1.0, T2: float = np.inf, phase: float = 0.0
) -> Reals:
    """Return ½(1 + V e^{−t/T2} cos(2π f t + φ)): `frequency` (Hz) in theta, the setting is t (s) or (t, φ)."""
    given = np.atleast_1d(np.asarray(setting, dtype=float))
    t, extra = float(given[0]), float(given[1]) if len(given) > 1 else 0.0
    contrast = visibility * np.exp(-t / T2)
    return np.asarray(0.5 * (1 + contrast * np.cos(2 * np.pi * theta["frequency"] * t + phase + extra)))

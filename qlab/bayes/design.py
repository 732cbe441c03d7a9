"""What to measure next: expected information gain, and rules that cost nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from qlab.bayes.likelihood import Reals, Theta
from qlab.bayes.particles import ParticlePosterior
from qlab.errors import UsageError


class Foreseeing(Protocol):
    """A likelihood that can list its outcomes."""

    def outcomes(self, theta: Theta, setting: Any) -> Reals:
        """Return p(outcome | θ), (outcomes, n)."""
        ...


@dataclass(frozen=True)
class Choice:
    """The setting to use next, what it is expected to tell (nats), and the gains (k,) of all candidates."""

    setting: Any
    gain: float
    gains: Reals


def expected_information_gain(
    likelihood: Foreseeing, theta: Theta, weights: ArrayLike, settings: Sequence[Any]
) -> Reals:
    """Return the mutual information of outcome and θ (k,) in nats for each candidate setting.

    H(Σ w p) − Σ w H(p) over all outcomes, with values (n,) by name of weights (n,): particles or grid points.
    Source: Lindley, Ann. Math. Stat. 27, 986 (1956).
    """
    w = np.asarray(weights, dtype=float).ravel()
    flat = {name: np.ravel(v) for name, v in theta.items()}
    gains = np.empty(len(settings))
    for i, setting in enumerate(settings):
        p = likelihood.outcomes(flat, setting)
        gains[i] = _entropy(p @ w).sum() - float(np.dot(_entropy(p).sum(axis=0), w))
    return gains


def normal_information_gain(mean: ArrayLike, variance: ArrayLike, weights: ArrayLike) -> Reals:
    """Return about what outcomes of many counts tell (k,) in nats: ½ ln(1 + Var_θ(μ)/⟨v⟩).

    Mean and variance (k, n) of the outcome of each setting for values of weights (n,). Exact for a normal mean in
    normal noise of one variance; what a variance that depends on θ tells by itself is left out.
    Source: Shannon (1948), section 24.
    """
    w, mu = np.asarray(weights, dtype=float), np.asarray(mean, dtype=float)
    spread = (mu * mu) @ w - (mu @ w) ** 2
    return np.asarray(0.5 * np.log1p(np.maximum(spread, 0) / (np.asarray(variance, dtype=float) @ w)))


def choose(
    likelihood: Foreseeing,
    theta: Theta,
    weights: ArrayLike,
    settings: Sequence[Any],
    costs: ArrayLike | None = None,
) -> Choice:
    """Return the candidate of most expected gain, per cost (k,) (its time, in s) where costs are given."""  # fmt: skip
    if not len(settings):
        raise UsageError("There is nothing to choose from.", "Give candidate settings.")
    gains = expected_information_gain(likelihood, theta, weights, settings)
    per = gains if costs is None else gains / np.asarray(costs, dtype=float)
    best = int(np.argmax(per))
    return Choice(settings[best], float(gains[best]), gains)


def particle_guess_time(
    posterior: ParticlePosterior, name: str = "frequency", longest: float = np.inf
) -> float:
    """Return t = 1/(2π|f1 − f2|) in s for two particles drawn at random (Hz): the particle guess heuristic.

    As long as the posterior is wide it is short, and grows as it narrows. Source: Wiebe, PRL 112, 190501 (2014).
    """
    values, weights = posterior.values[name], posterior.weights
    for _ in range(20):
        a, b = posterior.random.choice(values, 2, p=weights)
        if a != b:
            return float(min(1 / (2 * np.pi * abs(a - b)), longest))
    return longest


def _entropy(p: Reals) -> Reals:
    return np.asarray(np.where(p > 0, -p * np.log(np.where(p > 0, p, 1)), 0.0))

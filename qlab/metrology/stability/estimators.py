"""The variances themselves: second and third differences of phase, overlapping, modified and total."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.metrology.stability.series import Flags, Reals, Series


@dataclass(frozen=True)
class Estimator:
    """One kind of deviation: the order of its phase difference, and how terms are formed from it.

    Sources: Riley, NIST SP1065 (2008); IEEE Std 1139.
    """

    name: str
    label: str
    formula: str
    order: int = 2
    overlapping: bool = True
    modified: bool = False
    time: bool = False
    total: bool = False

    @property
    def points(self) -> int:
        """How many averaging factors of phase steps one term spans."""
        return self.order + (1 if self.modified else 0)

    def largest(self, count: int) -> int:
        """Return the largest averaging factor that `count` phase points allow."""
        if self.total:
            return max((count - 1) // 2, 0)
        # A modified term takes 3m points, the last of them at 3m − 1.
        return count // self.points if self.modified else (count - 1) // self.points


ESTIMATORS = {
    e.name: e
    for e in (
        Estimator("adev", "Allan deviation", "σ² = ⟨(x₂ − 2x₁ + x₀)²⟩/(2τ²)", overlapping=False),
        Estimator("oadev", "overlapping Allan deviation", "σ² = ⟨(x₂ − 2x₁ + x₀)²⟩/(2τ²), all starts"),
        Estimator("mdev", "modified Allan deviation", "σ² = ⟨(x̄₂ − 2x̄₁ + x̄₀)²⟩/(2τ²)", modified=True),
        Estimator("tdev", "time deviation", "σ_x = τ·MDEV/√3", modified=True, time=True),
        Estimator("hdev", "Hadamard deviation", "σ² = ⟨(x₃ − 3x₂ + 3x₁ − x₀)²⟩/(6τ²)", 3, overlapping=False),
        Estimator("ohdev", "overlapping Hadamard deviation", "σ² = ⟨(x₃ − 3x₂ + 3x₁ − x₀)²⟩/(6τ²), all starts", 3),
        Estimator("totdev", "total deviation", "σ² = ⟨(x*₊ − 2x* + x*₋)²⟩/(2τ²), data reflected", total=True),
    )
}  # fmt: skip
WEIGHT = {2: 2.0, 3: 6.0}


@dataclass(frozen=True)
class Variance:
    """A variance at one averaging factor, from `terms` terms of the `possible` that full data would give."""

    value: float
    terms: int
    possible: int


def variance(data: Series, estimator: Estimator, factor: int) -> Variance:
    """Return the variance at averaging time factor · interval (the square of the deviation).

    Terms that touch missing values are left out, except for the total variance, which uses the filled record.
    NaN where there is no term.
    """
    tau = factor * data.interval
    if estimator.total:
        d = _reflected(data.phase, factor)
        return Variance(float(np.mean(d**2)) / (2 * tau**2), len(d), len(d))
    d = difference(data.phase, factor, estimator.order)
    if estimator.modified:
        d = moving_mean(d, factor)
    there = present(data, factor, estimator)
    if not estimator.overlapping:
        d, there = d[::factor], None if there is None else there[::factor]
    possible = len(d)
    if there is not None:
        d = d[there]
    if not len(d):
        return Variance(float("nan"), 0, possible)
    value = float(np.dot(d, d)) / len(d) / (WEIGHT[estimator.order] * tau**2)
    return Variance(value * tau**2 / 3 if estimator.time else value, len(d), possible)


def difference(phase: Reals, factor: int, order: int) -> Reals:
    """Return the phase differences of this order with steps of `factor` points, from every start."""
    d = phase
    for _ in range(order):
        d = d[factor:] - d[:-factor]
    return d


def moving_mean(values: Reals, width: int) -> Reals:
    """Return the means of `width` neighbouring values, (n − width + 1,)."""
    # Without their mean the running sum stays small and keeps its digits.
    mean = values.mean() if len(values) else 0.0
    total = np.concatenate(([0.0], np.cumsum(values - mean)))
    return mean + (total[width:] - total[:-width]) / width


def present(data: Series, factor: int, estimator: Estimator) -> Flags | None:
    """Return which overlapping terms have all their data; None where nothing is missing."""
    if not data.missing.any():
        return None
    gone = data.missing
    if data.kind == "phase" and not estimator.modified:
        count = len(gone) - estimator.order * factor
        touched = np.zeros(max(count, 0), dtype=bool)
        for k in range(estimator.order + 1):
            touched |= gone[k * factor : k * factor + count]
        return ~touched
    span = estimator.points * factor
    if data.kind == "frequency" and estimator.modified:
        span -= 1  # 3m points are 3m − 1 steps
    total: NDArray[np.int64] = np.concatenate(([0], np.cumsum(gone)))
    return np.asarray(total[span:] == total[: len(total) - span])


def _reflected(phase: Reals, factor: int) -> Reals:
    # Both ends reflected through themselves; N − 2 second differences centred on the inner points.
    before = 2 * phase[0] - phase[factor - 1 : 0 : -1]
    after = 2 * phase[-1] - phase[-2 : -factor - 1 : -1]
    extended = np.concatenate((before, phase, after))
    return difference(extended, factor, 2)

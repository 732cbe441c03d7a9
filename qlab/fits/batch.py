"""The fits of many traces: arrays of values and errors, and the whole result of any one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.fits.judge import Evidence, Verdict, residual_tests
from qlab.fits.model import FitModel
from qlab.fits.report import Outcome, errors_of, failure, report
from qlab.record import FitResult

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Fits(Sequence[FitResult]):
    """The fits of many traces over the same x, a row for each.

    `values`, `errors`: arrays (traces,) by name of all parameters, in the units of x and y (NaN where a trace
    could not be fitted; errors NaN where held). `success` (traces,), `messages` say whether to believe each.
    `fits[i]` is the whole result of one, derived values included.
    """

    model: FitModel
    evidence: Evidence
    held: Mapping[str, Reals]
    verdicts: tuple[Verdict, ...]
    fitted: Flags
    signal: str = ""
    units: tuple[str, str] = ("1", "1")

    def __len__(self) -> int:
        return len(self.verdicts)

    def __iter__(self) -> Iterator[FitResult]:
        return (self[i] for i in range(len(self)))

    @property
    def messages(self) -> tuple[str, ...]:
        """What is to be said of each; empty where there is nothing."""
        return tuple(v.message for v in self.verdicts)

    @cached_property
    def success(self) -> Flags:
        """Which may be believed, (traces,)."""
        return np.array([v.believable for v in self.verdicts], dtype=bool)

    @property
    def free(self) -> tuple[str, ...]:
        """The names of the free parameters, in the order of the covariance."""
        return tuple(v.name for v in self.evidence.free)

    @property
    def values(self) -> dict[str, Reals]:
        """All values by name, each (traces,)."""
        return {n: np.where(self.fitted, v, np.nan) for n, v in self.evidence.theta.items()}

    @cached_property
    def covariance(self) -> Reals:
        """The covariance of the free parameters; shape (traces, free, free)."""
        with np.errstate(all="ignore"):
            scaled = self.evidence.covariance * self.evidence.inflation[:, None, None]
            found, _ = errors_of(self.evidence.free, self.evidence.values, scaled)
        told = np.array([not v.empty for v in self.verdicts], dtype=bool)
        return np.where(told[:, None, None], found, np.nan)

    @property
    def errors(self) -> dict[str, Reals]:
        """Standard deviations by name, each (traces,)."""
        sigma = np.sqrt(np.einsum("kpp->kp", self.covariance))
        missing = np.full(len(self), np.nan)
        known = {name: sigma[:, i] for i, name in enumerate(self.free)}
        return {name: known.get(name, missing) for name in self.evidence.theta}

    @property
    def chi2(self) -> Reals:
        """The sum of squared residuals of each trace, (traces,)."""
        return self.evidence.chi2

    @property
    def degrees_of_freedom(self) -> NDArray[np.int64]:
        """Points less free parameters, (traces,)."""
        return self.evidence.freedom

    def __getitem__(self, index: int) -> FitResult:  # type: ignore[override]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        if not self.fitted[index]:
            return failure(self.model, self.signal, self.verdicts[index].message)
        found = self.evidence
        one = replace(found, residual=found.residual[[index]], count=found.count[[index]])
        outcome = Outcome(
            self.model, found.free, {n: float(v[index]) for n, v in self.held.items()}, found.values[index],
            found.covariance[index] * found.inflation[index], float(self.chi2[index]),
            int(found.freedom[index]), self.verdicts[index], residual_tests(one)[0],
        )  # fmt: skip
        return report(outcome, self.signal, self.units)

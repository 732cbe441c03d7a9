"""Deviations over averaging time with noise types, degrees of freedom and confidence intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.curves import Curve
from qlab.metrology.stability.estimators import ESTIMATORS, Estimator, Variance, variance
from qlab.metrology.stability.freedom import degrees_of_freedom, interval, total_bias
from qlab.metrology.stability.noise import Noise, identify
from qlab.metrology.stability.series import Drift, Kind, Reals, Series, Treatment, series

Taus = Literal["octave", "decade", "all"] | Sequence[float]
_SOURCE = "Riley, NIST SP1065 (2008); Greenhall and Riley, 35th PTTI (2003)"


@dataclass(frozen=True)
class Deviations:
    """Deviations (k,) at averaging times `tau` (k,) in s, between `low` and `high` with probability `confidence`.

    `terms` were used of the `possible` that full data would give, worth `freedom` equivalent degrees of freedom
    under the `noise` told at each tau. The unit is that of the frequency values (s for a time deviation).
    """

    kind: str
    label: str
    tau: Reals
    deviation: Reals
    low: Reals
    high: Reals
    terms: tuple[int, ...]
    possible: tuple[int, ...]
    freedom: Reals
    noise: tuple[Noise, ...]
    confidence: float
    unit: str
    treatment: Treatment

    @property
    def statements(self) -> tuple[str, ...]:
        """What a reader has to know: what was done to the data, and what the intervals assume."""
        told = list(self.treatment.sentences)
        carried = sum(n.method == "carried" for n in self.noise)
        if carried:
            told.append(
                f"At {carried} averaging times the intervals take the noise to be that of the next shorter time:"
                " there are too few data to tell it, or they would tell a bluer one."
            )
        if self.kind == "totdev" and (self.treatment.gaps or self.treatment.outliers):
            told.append("The total deviation uses all of the record: missing values were interpolated.")
        return tuple(told)

    def curve(self) -> Curve:
        """Return them as a curve that can be plotted."""
        return Curve(
            self.kind, self.label, self.tau, self.deviation, self.low, self.high, unit=self.unit,
            confidence=self.confidence, definition=ESTIMATORS[self.kind].formula, source=_SOURCE,
            statements=self.statements,
        )  # fmt: skip


def deviations(
    values: ArrayLike | Series,
    interval: float = 1.0,
    estimator: str = "oadev",
    *,
    kind: Kind = "frequency",
    taus: Taus = "octave",
    confidence: float = 0.683,
    outliers: float | None = None,
    drift: Drift = "none",
    unit: str = "1",
) -> Deviations:
    """Return the deviations of values (n,) taken every `interval` s, with confidence intervals.

    `estimator`: adev, oadev, mdev, tdev, hdev, ohdev, totdev. `kind`: phase (s) or frequency. `taus`: octave
    (1, 2, 4 ...), decade (1, 2, 4, 10 ...), all, or times in s (rounded to multiples of the interval). Gaps are
    NaN; `outliers` and `drift` as in `series`, all of it stated in the result. A total deviation is divided by
    its known bias. Intervals: χ² with equal tails, with the noise told from the data (lag-1 autocorrelation).
    Sources: Riley, NIST SP1065 (2008); Greenhall and Riley, 35th PTTI (2003), 267.
    """
    chosen = estimator_of(estimator)
    given = values if isinstance(values, Series) else None
    data = given or series(values, interval, kind, outliers=outliers, drift=drift)  # type: ignore[arg-type]
    factors = averaging_factors(taus, data.interval, chosen.largest(len(data.phase)))
    return estimate(data, chosen, factors, lambda m: variance(data, chosen, m), confidence, unit)


def estimator_of(name: str) -> Estimator:
    """Return the estimator of this name. Raises UsageError with the names there are."""
    if name not in ESTIMATORS:
        raise UsageError(f"There is no deviation {name!r}.", f"Choose one of {', '.join(ESTIMATORS)}.")
    return ESTIMATORS[name]


def averaging_factors(taus: Taus, interval: float, largest: int) -> tuple[int, ...]:
    """Return the averaging factors m = τ/interval up to the largest that the record allows."""
    if largest < 1:
        return ()
    if not isinstance(taus, str):
        asked = {round(float(t) / interval) for t in taus}
        return tuple(m for m in sorted(asked) if 1 <= m <= largest)
    if taus == "all":
        return tuple(range(1, largest + 1))
    if taus == "octave":
        return tuple(1 << k for k in range(largest.bit_length()) if 1 << k <= largest)
    if taus == "decade":
        wanted = (b * 10**k for k in range(len(str(largest))) for b in (1, 2, 4))
        return tuple(m for m in wanted if m <= largest)
    raise UsageError(f"{taus!r} are no averaging times.", "Give octave, decade, all, or times in s.")


def estimate(
    data: Series,
    chosen: Estimator,
    factors: Sequence[int],
    of: Callable[[int], Variance],
    confidence: float = 0.683,
    unit: str = "1",
    noise_of: Callable[[int], Noise | None] | None = None,
) -> Deviations:
    """Return deviations with intervals from variances that somebody has: `of(m)` at averaging factor m."""
    lowest = -2 if chosen.order == 2 else -4
    tell = noise_of or (lambda m: identify(data, m, lowest=lowest))
    count = len(data.phase)
    rows: list[tuple[Any, ...]] = []
    noise = Noise(0, "carried")
    for m in factors:
        found = of(m)
        if found.terms < 1:
            continue
        noise = _never_bluer(tell(m), noise, first=not rows)
        freedom = degrees_of_freedom(chosen, noise.alpha, m, count) * found.terms / found.possible
        value = found.value / (total_bias(noise.alpha, m, count) if chosen.total else 1.0)
        low, high = interval(value, max(freedom, 1.0), confidence)
        rows.append((m * data.interval, value, low, high, found.terms, found.possible, freedom, noise))
    columns = list(zip(*rows, strict=True)) or [()] * 8
    tau, value_, low_, high_, _, _, freedom_ = (np.array(c, dtype=float) for c in columns[:7])
    return Deviations(
        chosen.name, chosen.label, tau, np.sqrt(value_), np.sqrt(low_), np.sqrt(high_),
        tuple(columns[4]), tuple(columns[5]), freedom_, tuple(columns[7]), confidence,
        "s" if chosen.time and unit == "1" else unit, data.treatment,
    )  # fmt: skip


def _never_bluer(told: Noise | None, before: Noise, *, first: bool) -> Noise:
    # Among power laws the redder one dominates at the longer time. Averages that say otherwise are too few, or
    # folded (decimated flicker phase looks white): to believe them would make the interval too narrow.
    if told is None or (not first and told.alpha > before.alpha):
        return Noise(before.alpha, "carried")
    return told

"""Whether fits may be believed, and in words why not: the same for one trace and for a thousand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.fits.model import FitModel, Variable

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
_SURE = 4.5  # standard deviations by which residuals must miss randomness


@dataclass(frozen=True)
class Evidence:
    """What the ends of many fits say, a row for each trace.

    `theta` all values by name (rows,); `values` the free ones (rows, p), squares of squared ones; `covariance`
    (rows, p, p) for errors as given; `lost`, `at_edge` (rows, p); `residual` (rows, m), 0 where not measured;
    `count` (rows,) points; `constant_chi2` (rows,) of the best constant; `absolute` (rows,): errors were measured.
    """

    model: FitModel
    x: Reals
    free: tuple[Variable, ...]
    theta: Mapping[str, Reals]
    values: Reals
    covariance: Reals
    lost: Flags
    at_edge: Flags
    residual: Reals
    count: NDArray[np.int64]
    constant_chi2: Reals
    absolute: Flags

    @property
    def chi2(self) -> Reals:
        """The sums of squared residuals, (rows,)."""
        return np.asarray(np.einsum("km,km->k", self.residual, self.residual))

    @property
    def freedom(self) -> NDArray[np.int64]:
        """The degrees of freedom, (rows,)."""
        return self.count - len(self.free)

    @property
    def inflation(self) -> Reals:
        """By what to multiply the covariance: 1, or reduced chi² where errors come from the scatter; (rows,)."""
        return np.where(self.absolute, 1.0, self.chi2 / np.maximum(self.freedom, 1))


def verdicts(found: Evidence) -> list[tuple[bool, str]]:
    """Return (believable, what to say) for each row."""
    with np.errstate(all="ignore"):
        flat = ~_stands_out(found) if found.model.feature else np.zeros(len(found.values), dtype=bool)
        uncertain = _uncertain(found)
        correlated = np.array([max(t.values()) > _SURE for t in residual_tests(found)], dtype=bool)
        excess = np.abs(found.chi2 - found.freedom) > 5 * np.sqrt(2 * np.maximum(found.freedom, 1))
    said: list[tuple[bool, str]] = []
    for k in range(len(found.values)):
        if flat[k]:
            message = f"No {found.model.feature} above the noise: the trace is compatible with a constant."
            said.append((False, message))
            continue
        faults: list[str] = []
        if found.lost[k].any():
            faults.append(f"The data do not determine {_labels(found, found.lost[k])}.")
        if found.at_edge[k].any():
            faults.append(f"{_labels(found, found.at_edge[k])} ended at the edge of what is allowed.")
        if uncertain[k].any():
            faults.append(f"The error of {_labels(found, uncertain[k])} is larger than the value.")
        faults += found.model.doubts(found.x, {n: float(v[k]) for n, v in found.theta.items()})
        if found.absolute[k] and excess[k]:
            faults += _quality(found, k)
        if correlated[k]:
            faults.append("The residuals are not random: another model may describe the data.")
        said.append((not faults, " ".join(faults)))
    return said


def _labels(found: Evidence, chosen: Sequence[bool] | Flags) -> str:
    return ", ".join(v.label or v.name for v, hit in zip(found.free, chosen, strict=True) if hit)


def _stands_out(found: Evidence) -> Flags:
    from scipy.special import chdtrc

    gain = found.constant_chi2 - found.chi2
    gain = gain / np.where(found.absolute, 1.0, np.maximum(found.chi2 / np.maximum(found.freedom, 1), 1e-300))
    extra = max(len(found.free) - 1, 1)
    # Every independent frequency (about one per point) was a chance to find something in mere noise.
    return np.asarray(chdtrc(extra, np.maximum(gain, 0.0)) * found.count < 1e-3)


def _uncertain(found: Evidence) -> Flags:
    variance = np.einsum("kpp->kp", found.covariance) * found.inflation[:, None]
    essential = np.array([v.essential for v in found.free], dtype=bool)
    return np.asarray(essential & ~found.lost & ~(np.sqrt(variance) < np.abs(found.values)))


def _quality(found: Evidence, k: int) -> list[str]:
    freedom = int(found.freedom[k])
    if freedom <= 0:
        return []
    residual = found.residual[k]
    chi2 = float(residual @ residual)
    excess, reduced = (chi2 - freedom) / np.sqrt(2 * freedom), chi2 / freedom
    if excess > 5 and reduced > 1.2:
        worst = int(np.argmax(np.abs(residual)))
        rest = (chi2 - residual[worst] ** 2 - freedom) / np.sqrt(2 * freedom)
        if abs(residual[worst]) > 5 and rest < 4:
            where = found.x[worst % len(found.x)]
            return [f"One point, at {where:.6g}, lies {abs(residual[worst]):.0f} σ off."]
        return [f"The curve does not describe the data (reduced χ² = {reduced:.3g})."]
    if excess < -5 and reduced < 0.5:
        return [f"The points scatter much less than their errors (reduced χ² = {reduced:.2g})."]
    return []


def residual_tests(found: Evidence) -> list[dict[str, float]]:
    """Return, for each row, how many standard deviations neighbouring residuals agree more than by chance.

    `autocorrelation`: of the lag-one correlation, corrected for the free values; `runs`: of the number of runs of
    one sign (Wald and Wolfowitz, Ann. Math. Stat. 11, 147 (1940)). Both 0 below 20 points.
    """
    residual, count = found.residual, np.maximum(found.count, 2)
    total = np.einsum("km,km->k", residual, residual)
    lag = np.einsum("km,km->k", residual[:, 1:], residual[:, :-1]) / np.where(total > 0, total, 1.0)
    correlation = (lag + len(found.free) / count) * np.sqrt(count)
    above = (residual > 0).sum(axis=1)
    below = (residual < 0).sum(axis=1)
    signs = np.sign(residual)
    if not signs.all():
        # A point that was not measured neither ends a run nor begins one.
        last = np.maximum.accumulate(np.where(signs != 0, np.arange(signs.shape[1]), 0), axis=1)
        signs = np.take_along_axis(signs, last, axis=1)
    runs = 1 + ((signs[:, 1:] * signs[:, :-1]) < 0).sum(axis=1)
    size = np.maximum(above + below, 2)
    expected = 1 + 2 * above * below / size
    spread = np.sqrt(np.maximum((expected - 1) * (expected - 2) / (size - 1), 1e-12))
    few = np.where((above > 5) & (below > 5), (expected - runs) / spread, 0.0)
    told = (found.count >= 20) & (total > 0)
    return [
        {"autocorrelation": float(c), "runs": float(r)}
        for c, r in zip(np.where(told, correlation, 0.0), np.where(told, few, 0.0), strict=True)
    ]

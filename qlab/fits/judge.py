"""Whether fits may be believed, and in words why not: the same for one trace and for a thousand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.fits.model import FitModel, Variable

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
_SURE = 4.5  # standard deviations by which residuals must miss randomness
_UNLIKELY = 1e-3  # the share of right fits whose chi² may be called too large
_TOO_GOOD = 1e-5  # and of those called too small


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

    @cached_property
    def chi2(self) -> Reals:
        """The sums of squared residuals, (rows,)."""
        return np.asarray(np.einsum("km,km->k", self.residual, self.residual))

    @property
    def freedom(self) -> NDArray[np.int64]:
        """The degrees of freedom, (rows,)."""
        return self.count - len(self.free)

    @cached_property
    def inflation(self) -> Reals:
        """By what to multiply the covariance: 1, or reduced chi² where errors come from the scatter; (rows,)."""
        return np.where(self.absolute, 1.0, self.chi2 / np.maximum(self.freedom, 1))


@dataclass(frozen=True)
class Verdict:
    """Whether a fit may be believed, and what to say of it; `empty`: there was nothing to be fitted."""

    believable: bool
    message: str
    empty: bool = False


_GOOD = Verdict(True, "")


def verdicts(found: Evidence) -> list[Verdict]:
    """Return the verdict on each row."""
    with np.errstate(all="ignore"):
        flat = ~_stands_out(found) if found.model.feature else np.zeros(len(found.values), dtype=bool)
        uncertain = _uncertain(found)
        correlated = np.max(list(_chances(found).values()), axis=0) > _SURE
        above, below = _tails(found)
        misfit = np.minimum(above / _UNLIKELY, below / _TOO_GOOD) < 1
    doubtful = found.lost.any(axis=1) | found.at_edge.any(axis=1) | uncertain.any(axis=1) | correlated
    doubtful |= found.absolute & misfit
    names, rows = tuple(found.theta), np.transpose(list(found.theta.values())).tolist()
    said: list[Verdict] = []
    for k, row in enumerate(rows):
        if flat[k]:
            message = f"No {found.model.feature} above the noise: the trace is compatible with a constant."
            said.append(Verdict(False, message, empty=True))
            continue
        faults = found.model.doubts(found.x, dict(zip(names, row, strict=True)))
        if doubtful[k]:
            faults = _faults(
                found, k, uncertain[k], faults, misfit=bool(misfit[k]), correlated=bool(correlated[k])
            )
        said.append(Verdict(not faults, " ".join(faults)) if faults else _GOOD)
    return said


def _faults(
    found: Evidence, k: int, uncertain: Flags, doubts: list[str], *, misfit: bool, correlated: bool
) -> list[str]:
    """Return in words what is wrong with row k, what the model itself doubts among it."""
    faults: list[str] = []
    if found.lost[k].any():
        faults.append(f"The data do not determine {_labels(found, found.lost[k])}.")
    if found.at_edge[k].any():
        faults.append(f"{_labels(found, found.at_edge[k])} ended at the edge of what is allowed.")
    if uncertain.any():
        faults.append(f"The error of {_labels(found, uncertain)} is larger than the value.")
    faults += doubts
    if found.absolute[k] and misfit:
        faults += _quality(found, k)
    if correlated:
        faults.append("The residuals are not random: another model may describe the data.")
    return faults


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


def _tails(found: Evidence) -> tuple[Reals, Reals]:
    """Return how often a right fit has a chi² as large, and as small, as each; (rows,)."""
    from scipy.special import chdtr, chdtrc

    freedom = np.maximum(found.freedom, 1)
    chi2 = np.where(found.freedom > 0, found.chi2, freedom)
    return np.asarray(chdtrc(freedom, chi2)), np.asarray(chdtr(freedom, chi2))


def _quality(found: Evidence, k: int) -> list[str]:
    freedom = int(found.freedom[k])
    residual = found.residual[k]
    chi2 = float(residual @ residual)
    reduced = chi2 / freedom
    if reduced < 1:
        return [f"The points scatter much less than their errors (reduced χ² = {reduced:.2g})."]
    worst = int(np.argmax(np.abs(residual)))
    rest = (chi2 - residual[worst] ** 2 - freedom) / np.sqrt(2 * freedom)
    if abs(residual[worst]) > 5 and rest < 4:
        where = found.x[worst % len(found.x)]
        return [f"One point, at {where:.6g}, lies {abs(residual[worst]):.0f} σ off."]
    return [f"The curve does not describe the data (reduced χ² = {reduced:.3g})."]


def residual_tests(found: Evidence) -> list[dict[str, float]]:
    """Return, for each row, how many standard deviations its residuals are off chance, by the name of the test."""
    made = _chances(found)
    return [{name: float(value[k]) for name, value in made.items()} for k in range(len(found.residual))]


def _chances(found: Evidence) -> dict[str, Reals]:
    """Return how many standard deviations neighbouring residuals agree more than by chance; (rows,) each.

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
    return {"autocorrelation": np.where(told, correlation, 0.0), "runs": np.where(told, few, 0.0)}

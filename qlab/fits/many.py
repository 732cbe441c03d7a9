"""Many traces of one kind fitted at once: a thousand cost little more than a few."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.fits.judge import Evidence, residual_tests, verdicts
from qlab.fits.levenberg import minimise
from qlab.fits.model import FitModel, Variable
from qlab.fits.points import check_names, scatter, settled, split, why_not
from qlab.fits.report import Outcome, errors_of, failure, report
from qlab.fits.search import ALIKE, expected_errors
from qlab.fits.solve import at_edge, constant_chi2, inside
from qlab.fits.traces import Traces, given_squares_at_zero, inverse
from qlab.record import FitResult

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
_AT_ONCE = 60_000  # points worked on together: what stays in the cache


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
    messages: tuple[str, ...]
    success: Flags
    fitted: Flags
    signal: str = ""
    units: tuple[str, str] = ("1", "1")

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[FitResult]:
        return (self[i] for i in range(len(self)))

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
        scaled = self.evidence.covariance * self.evidence.inflation[:, None, None]
        found, _ = errors_of(self.evidence.free, self.evidence.values, scaled)
        return np.where(self.fitted[:, None, None], found, np.nan)

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
            return failure(self.model, self.signal, self.messages[index])
        found = self.evidence
        one = replace(found, residual=found.residual[[index]], count=found.count[[index]])
        outcome = Outcome(
            self.model, found.free, {n: float(v[index]) for n, v in self.held.items()}, found.values[index],
            found.covariance[index] * found.inflation[index], float(self.chi2[index]),
            int(found.freedom[index]), bool(self.success[index]), self.messages[index], residual_tests(one)[0],
        )  # fmt: skip
        return report(outcome, self.signal, self.units)


def fit_many(
    model: FitModel,
    x: ArrayLike,
    y: ArrayLike,
    error: ArrayLike | None = None,
    *,
    fixed: Mapping[str, ArrayLike] | None = None,
    start: Mapping[str, ArrayLike] | None = None,
    counting: bool = True,
    signal: str = "",
    units: tuple[str, str] = ("1", "1"),
) -> Fits:
    """Fit many traces over the same points; the same answers, errors and verdicts as `fit_curve` for each.

    Shapes: x (n,), y (traces, n), error None, a number, (n,) or (traces, n); NaN where not measured. `fixed` and
    `start` give a number or one a trace; `start` has to name every free parameter, and then no other start is
    tried. Raises UsageError for wrong shapes and names; never on data.
    """
    check_names(model, fixed, start)  # type: ignore[arg-type]
    xs = np.ravel(np.asarray(x, dtype=float))
    ys = np.atleast_2d(np.asarray(y, dtype=complex if model.quadratures else float))
    if ys.ndim != 2 or ys.shape[1] != len(xs):
        raise UsageError(f"x has {len(xs)} points, y the shape {ys.shape}.", "Give y as (traces, points).")
    es = np.broadcast_to(np.asarray(np.nan if error is None else error, dtype=float), ys.shape)
    kept = np.isfinite(xs)
    order = np.flatnonzero(kept)[np.argsort(xs[kept], kind="stable")]
    xs, ys, es = xs[order], ys[:, order], es[:, order]
    free, _ = split(model, dict.fromkeys(fixed or {}, 0.0))
    held = {
        name: np.broadcast_to(np.asarray(value, dtype=float), (len(ys),))
        for name, value in (split(model, {})[1] | dict(fixed or {})).items()
    }
    missing = [v.name for v in free if start and v.name not in start]
    if missing:
        raise UsageError(f"The starting values lack {', '.join(missing)}.", "Give them all, or none.")
    job = _Job(settled(model, xs), free, counting and model.counts)
    size = max(8, _AT_ONCE // max(ys.shape[1] * (2 if model.quadratures else 1), 1))
    with np.errstate(all="ignore"):
        parts = []
        for first in range(0, len(ys), size):
            rows = slice(first, first + size)
            begin = None if not start else {
                n: np.broadcast_to(np.asarray(v, dtype=float), (len(ys),))[rows] for n, v in start.items()
            }  # fmt: skip
            parts.append(job.fit(xs, ys[rows], es[rows], {n: v[rows] for n, v in held.items()}, begin))
    return _joined(job.model, parts, held, signal, units)


def _joined(
    model: FitModel,
    parts: list[tuple[Evidence, list[str], Flags, Flags]],
    held: Mapping[str, Reals],
    signal: str,
    units: tuple[str, str],
) -> Fits:
    found = [part[0] for part in parts]
    names = ("values", "covariance", "lost", "at_edge", "residual", "count", "constant_chi2", "absolute")
    whole = replace(
        found[0],
        theta={n: np.concatenate([e.theta[n] for e in found]) for n in found[0].theta},
        **{name: np.concatenate([getattr(e, name) for e in found]) for name in names},
    )
    messages = tuple(message for part in parts for message in part[1])
    success, fitted = (np.concatenate([part[i] for part in parts]) for i in (2, 3))
    return Fits(model, whole, held, messages, success, fitted, signal, units)


@dataclass(frozen=True)
class _Job:
    """What is common to all traces."""

    model: FitModel
    free: tuple[Variable, ...]
    counting: bool

    def fit(
        self, x: Reals, y: Reals, error: Reals, held: Mapping[str, Reals], start: Mapping[str, Reals] | None
    ) -> tuple[Evidence, list[str], Flags, Flags]:
        seen = np.isfinite(y)
        usable = seen & np.isfinite(error) & (error > 0)
        absolute = usable.any(axis=1)
        typical = self._typical(y, seen, error, usable, absolute)
        ys = np.where(seen, y, 0)
        es = np.where(usable, error, typical[:, None])
        es = np.where(seen, es, np.inf)
        if self.model.quadratures:
            ys, es = np.concatenate([ys.real, ys.imag], axis=1), np.concatenate([es, es], axis=1)
            seen = np.concatenate([seen, seen], axis=1)
        why = self._why_not(x, ys, seen)
        good = np.array([not reason for reason in why], dtype=bool)
        # A row that cannot be fitted is carried along as a flat one.
        ys, es = np.where(good[:, None], ys, 0.0), np.where(good[:, None], es, 1.0)
        traces = Traces(self.model, x, np.asarray(ys, dtype=float), es, self.free, held)
        values, rivals = self._search(traces, start, typical)
        counted = absolute & (traces.y >= 0).all(axis=1) if self.counting else np.zeros(len(y), dtype=bool)
        traces, values = self._reweighted(traces, values, counted)
        values = self._without_negative_squares(traces, values)
        evidence = self._evidence(traces, values, absolute, seen)
        said = verdicts(evidence)
        success, messages = np.zeros(len(y), dtype=bool), list(why)
        for k, (believable, message) in enumerate(said):
            if good[k]:
                success[k] = believable and not rivals.get(k)
                messages[k] = rivals[k] if believable and k in rivals else message
        return evidence, messages, success, good

    def _typical(self, y: Reals, seen: Flags, error: Reals, usable: Flags, absolute: Flags) -> Reals:
        if usable.all():
            return np.median(error, axis=1)
        found = np.ones(len(y))
        for k in range(len(y)):
            if absolute[k]:
                found[k] = np.median(error[k, usable[k]])
            elif seen[k].any():
                found[k] = scatter(y[k, seen[k]])
        return found

    def _why_not(self, x: Reals, y: Reals, seen: Flags) -> list[str]:
        whole = seen.all(axis=1)
        alike = why_not(self.model, x, np.arange(2.0), self.free) if whole.any() else ""
        flat = np.ptp(y, axis=1) == 0
        half = seen[:, : len(x)]
        return [
            alike if whole[k] and not flat[k]
            else "No point was measured." if not half[k].any()
            else why_not(self.model, x[half[k]], y[k, seen[k]], self.free)
            for k in range(len(y))
        ]  # fmt: skip

    def _search(
        self, traces: Traces, start: Mapping[str, Reals] | None, typical: Reals
    ) -> tuple[Reals, dict[int, str]]:
        """Return the best end of each trace, and in words other ends that are as good."""
        if start:
            begin = np.stack([start[v.name] for v in self.free], axis=-1)
            return _settle(traces, np.arange(len(traces)), self._inner(begin, traces), 1e-6), {}
        owner, begin = self._starts(traces, typical)
        rough = _settle(traces, owner, self._inner(begin, traces), 1e-3, steps=12)
        chi2 = _chi2(traces, rough, owner)
        lowest = np.full(len(traces), np.inf)
        np.minimum.at(lowest, owner, chi2)
        hopeful = chi2 <= 1.05 * lowest[owner] + 10
        owner, ended = owner[hopeful], rough[hopeful]
        ended = _settle(traces, owner, ended, 1e-6)
        return self._best(traces, owner, ended)

    def _inner(self, begin: Reals, traces: Traces) -> Reals:
        squared = np.array([v.squared for v in self.free], dtype=bool)
        return inside(np.where(squared, begin**2, begin), *traces.bounds())

    def _starts(self, traces: Traces, typical: Reals) -> tuple[NDArray[np.int64], Reals]:
        """Return starting values (starts, p) and to which trace each belongs, the likeliest first."""
        tried = self.model.candidates(traces.x) if self.model.batched else None
        if tried is None or not np.isfinite(traces.error).all():
            return self._guesses(traces)
        relative = np.median(traces.error / typical[:, None], axis=0)
        scaled = traces.y / typical[:, None]
        found, worth = tried.starts_of_many(scaled, relative)
        for variable in self.free:
            if variable.unit == "y":
                found[variable.name] = found[variable.name] * typical[:, None]
        default = {v.name: np.full(worth.shape, self.model.known(v.name)) for v in self.free}
        stacked = np.stack([found.get(v.name, default[v.name]) for v in self.free], axis=-1)
        return np.nonzero(worth)[0], stacked[worth]

    def _guesses(self, traces: Traces) -> tuple[NDArray[np.int64], Reals]:
        owner, begin = [], []
        for k in range(len(traces)):
            seen = np.isfinite(traces.error[k])
            half = seen[: len(traces.x)]
            guesses: list[dict[str, float]] = [{}]
            if seen.any():
                guesses = self.model.guess(traces.x[half], traces.y[k, seen], traces.error[k, seen]) or [{}]
            for guess in guesses:
                owner.append(k)
                begin.append([guess.get(v.name, self.model.known(v.name)) for v in self.free])
        return np.array(owner, dtype=np.int64), np.array(begin, dtype=float)

    def _best(self, traces: Traces, owner: NDArray[np.int64], ended: Reals) -> tuple[Reals, dict[int, str]]:
        chi2 = _chi2(traces, ended, owner)
        values = np.empty((len(traces), len(self.free)))
        rivals: dict[int, str] = {}
        first = np.searchsorted(owner, np.arange(len(traces)))
        values[:] = ended[first]
        shared = np.flatnonzero(np.bincount(owner, minlength=len(traces)) > 1)
        for k in shared:
            own = np.flatnonzero(owner == k)
            best = own[0]
            for other in own[1:]:
                if chi2[other] < chi2[best] - 1.0:
                    best = other
            values[k] = ended[best]
            close = [o for o in own if o != best and chi2[o] <= chi2[best] + ALIKE]
            if close:
                said = self._rival(traces, k, ended[best], ended[close])
                if said:
                    rivals[int(k)] = said
        return values, rivals

    def _rival(self, traces: Traces, k: int, best: Reals, others: Reals) -> str:
        row = np.array([k])
        jacobian = traces.jacobian(best[None], row)
        sigma = np.sqrt(np.diag(inverse(jacobian, traces.scale(best[None], row))[0][0]))
        for other in others:
            for i, variable in enumerate(self.free):
                if variable.essential and abs(other[i] - best[i]) > 5 * sigma[i]:
                    shown = other[i] if not variable.squared else np.sqrt(max(other[i], 0.0))
                    return (
                        f"Quite another {variable.label or variable.name} ({shown:.4g}) fits almost as well."
                    )
        return ""

    def _reweighted(self, traces: Traces, values: Reals, counted: Flags) -> tuple[Traces, Reals]:
        rows = np.flatnonzero(counted)
        if not len(rows):
            return traces, values
        error = traces.error.copy()
        error[rows] = expected_errors(traces.y[rows], error[rows], traces.residual(values[rows], rows))
        error = np.where(np.isfinite(traces.error), error, np.inf)
        again = replace(traces, error=error)
        values[rows] = _settle(again, rows, values[rows], 1e-6)
        return again, values

    def _without_negative_squares(self, traces: Traces, values: Reals) -> Reals:
        for i, variable in enumerate(self.free):
            if not variable.squared:
                continue
            rows = np.flatnonzero(values[:, i] < 0)
            if len(rows):
                begin = values[rows]
                begin[:, i] = 0.0
                values[rows] = _settle(traces, rows, begin, 1e-6, zero=i)
        return values

    def _evidence(self, traces: Traces, values: Reals, absolute: Flags, seen: Flags) -> Evidence:
        rows = np.arange(len(traces))
        scale = traces.scale(values, rows)
        covariance, lost = inverse(traces.jacobian(values, rows), scale)
        if any(v.squared for v in self.free):
            for k in rows:
                covariance[k] = given_squares_at_zero(covariance[k], self.free, values[k])
        return Evidence(
            self.model, traces.x, self.free,
            {name: value[:, 0] for name, value in traces.theta(values, rows).items()},
            values, covariance, lost, at_edge(traces, values, covariance, scale),
            traces.residual(values, rows), seen.sum(axis=1),
            constant_chi2(traces.y, traces.error, quadratures=self.model.quadratures), absolute,
        )  # fmt: skip


def _settle(
    traces: Traces, owner: NDArray[np.int64], begin: Reals, tolerance: float, steps: int = 60, zero: int = -1
) -> Reals:
    low, high = (np.repeat(bound[None], len(begin), axis=0) for bound in traces.bounds())
    if zero >= 0:
        low[:, zero] = high[:, zero] = 0.0
    found = minimise(
        lambda values, rows: traces.residual(values, owner[rows]),
        lambda values, rows, residual: traces.normal(values, owner[rows], residual),
        begin, low, high, tolerance=tolerance, steps=steps,
    )  # fmt: skip
    return found.values


def _chi2(traces: Traces, values: Reals, owner: NDArray[np.int64]) -> Reals:
    residual = traces.residual(values, owner)
    return np.asarray(np.einsum("km,km->k", residual, residual))

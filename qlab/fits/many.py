"""Many traces of one kind fitted at once: a thousand cost little more than a few."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.fits.batch import Fits
from qlab.fits.binomial import of_shots, share_errors
from qlab.fits.judge import Evidence, Verdict, verdicts
from qlab.fits.model import FitModel, Variable
from qlab.fits.points import check_names, counted, scatter, settled, split, why_not
from qlab.fits.search import ALIKE, TIE, another, expected_errors
from qlab.fits.solve import at_edge, constant_chi2, inside
from qlab.fits.traces import Rows, Traces, given_squares_at_zero, inverse

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
_AT_ONCE = 25_000  # points worked on together: what stays in the cache


def fit_many(
    model: FitModel,
    x: ArrayLike,
    y: ArrayLike,
    error: ArrayLike | None = None,
    *,
    fixed: Mapping[str, ArrayLike] | None = None,
    start: Mapping[str, ArrayLike] | None = None,
    counting: bool = True,
    shares: bool = False,
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
    job = _Job(settled(model, xs), free, counting and model.counts, shares)
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
    parts: list[tuple[Evidence, list[Verdict], Flags]],
    held: Mapping[str, Reals],
    signal: str,
    units: tuple[str, str],
) -> Fits:
    found = [part[0] for part in parts]
    names = ("values", "covariance", "lost", "at_edge", "residual", "count", "constant_chi2", "absolute")
    joined: dict[str, Any] = {name: np.concatenate([getattr(e, name) for e in found]) for name in names}
    joined["theta"] = {n: np.concatenate([e.theta[n] for e in found]) for n in found[0].theta}
    whole = replace(found[0], **joined)
    said = tuple(verdict for part in parts for verdict in part[1])
    return Fits(model, whole, held, said, np.concatenate([part[2] for part in parts]), signal, units)


@dataclass(frozen=True)
class _Job:
    """What is common to all traces."""

    model: FitModel
    free: tuple[Variable, ...]
    counting: bool
    shares: bool

    def fit(
        self, x: Reals, y: Reals, error: Reals, held: Mapping[str, Reals], start: Mapping[str, Reals] | None
    ) -> tuple[Evidence, list[Verdict], Flags]:
        seen = np.isfinite(y)
        usable = seen & np.isfinite(error) & (error > 0)
        absolute = np.asarray(usable.any(axis=1))
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
        traces, values = self._reweighted(traces, values, absolute)
        values = self._without_negative_squares(traces, values)
        evidence = self._evidence(traces, values, absolute, seen)
        said = [
            Verdict(False, reason, empty=True) if reason
            else Verdict(False, rivals[k]) if found.believable and k in rivals else found
            for k, (reason, found) in enumerate(zip(why, verdicts(evidence), strict=True))
        ]  # fmt: skip
        return evidence, said, good

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
        whole = np.asarray(seen.all(axis=1))
        alike = why_not(self.model, x, np.arange(2.0), self.free) if whole.any() else ""
        flat = np.asarray(np.ptp(y, axis=1) == 0)
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
        rows = np.arange(len(traces))
        if start:
            begin = np.stack([start[v.name] for v in self.free], axis=-1)
            return traces.settle(rows, self._inner(begin, traces), 1e-5)[0], {}
        owner, begin, promise = self._starts(traces, typical)
        begin = self._inner(begin, traces)
        # The likeliest start of each trace to its end; another only where it could fall as low.
        first = np.searchsorted(owner, rows)
        ended, chi2 = traces.settle(rows, begin[first], 1e-6)
        hopeful = ~(promise > chi2[owner] + ALIKE)
        hopeful[first] = False
        if not hopeful.any():
            return ended, {}
        others, ends, sums = self._others(traces, owner[hopeful], begin[hopeful], chi2)
        order = np.argsort(np.concatenate([rows, others]), kind="stable")
        return self._best(
            traces, np.concatenate([rows, others])[order], np.concatenate([ended, ends])[order],
            np.concatenate([chi2, sums])[order],
        )  # fmt: skip

    def _others(self, traces: Traces, owner: Rows, begin: Reals, reached: Reals) -> tuple[Rows, Reals, Reals]:
        """Return the ends (with their owners and chi²) of starts that come near the chi² that was reached."""
        ended, chi2 = traces.settle(owner, begin, 1e-3, steps=12)
        lowest = reached.copy()
        np.minimum.at(lowest, owner, chi2)
        keep = (chi2 <= 1.05 * lowest[owner] + 10) & ~self._same(traces, owner, ended, chi2)
        owner, ended = owner[keep], ended[keep]
        ended, chi2 = traces.settle(owner, ended, 1e-6)
        return owner, ended, chi2

    def _same(self, traces: Traces, owner: Rows, ended: Reals, chi2: Reals) -> Flags:
        """Say which ends are those of an earlier start of the same trace."""
        scale = traces.scale(ended, owner)
        found = np.zeros(len(owner), dtype=bool)
        for back in range(1, int(np.bincount(owner).max())):
            near = np.abs(ended[back:] - ended[:-back]) < 0.02 * scale[back:]
            alike = near.all(axis=1) & (owner[back:] == owner[:-back]) & (chi2[back:] > chi2[:-back] - 0.1)
            found[back:] |= alike & ~found[:-back]
        return found

    def _inner(self, begin: Reals, traces: Traces) -> Reals:
        squared = np.array([v.squared for v in self.free], dtype=bool)
        return inside(np.where(squared, begin**2, begin), *traces.bounds())

    def _starts(self, traces: Traces, typical: Reals) -> tuple[Rows, Reals, Reals]:
        """Return to which trace each start belongs, its values (starts, p), and its promise; the likeliest first."""
        tried = self.model.tried(traces.x) if self.model.batched else None
        if tried is None or not np.isfinite(traces.error).all():
            return self._guesses(traces)
        relative = np.median(traces.error / typical[:, None], axis=0)
        scaled = traces.y / typical[:, None]
        found, real, promise = tried.starts_of_many(scaled, relative)
        for variable in self.free:
            if variable.unit == "y":
                found[variable.name] = found[variable.name] * typical[:, None]
        default = {v.name: np.full(real.shape, self.model.known(v.name)) for v in self.free}
        stacked = np.stack([found.get(v.name, default[v.name]) for v in self.free], axis=-1)
        real[:, 0] = True
        return np.nonzero(real)[0], stacked[real], promise[real]

    def _guesses(self, traces: Traces) -> tuple[Rows, Reals, Reals]:
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
        return np.array(owner, dtype=np.int64), np.array(begin, dtype=float), np.full(len(owner), -np.inf)

    def _best(self, traces: Traces, owner: Rows, ended: Reals, chi2: Reals) -> tuple[Reals, dict[int, str]]:
        first = np.searchsorted(owner, np.arange(len(traces)))
        best = first.copy()
        number = np.bincount(owner, minlength=len(traces))
        for later in range(1, int(number.max())):
            rows = np.flatnonzero(number > later)
            other = first[rows] + later
            best[rows] = np.where(chi2[other] < chi2[best[rows]] - TIE, other, best[rows])
        values = ended[best].copy()
        close = np.flatnonzero((chi2 <= chi2[best][owner] + ALIKE) & (best[owner] != np.arange(len(owner))))
        return values, self._rivals(traces, owner[close], values, ended[close])

    def _rivals(self, traces: Traces, owner: Rows, values: Reals, others: Reals) -> dict[int, str]:
        """Return in words, by trace, what else fits almost as well."""
        if not len(owner):
            return {}
        best = values[owner]
        covariance, _ = inverse(traces.jacobian(best, owner), traces.scale(best, owner))
        essential = np.array([v.essential for v in self.free], dtype=bool)
        far = essential & (np.abs(others - best) > 5 * np.sqrt(np.einsum("kpp->kp", covariance)))
        return {
            int(owner[k]): another(self.free[int(np.argmax(far[k]))], others[k][int(np.argmax(far[k]))])
            for k in np.flatnonzero(far.any(axis=1))[::-1]
        }

    def _reweighted(self, traces: Traces, values: Reals, absolute: Flags) -> tuple[Traces, Reals]:
        if self.shares and of_shots(self.model, traces.y):
            expected, rows = share_errors, np.flatnonzero(absolute)
        elif self.counting:
            expected, rows = expected_errors, np.flatnonzero(absolute & counted(traces.y, traces.error))
        else:
            return traces, values
        if not len(rows):
            return traces, values
        error = traces.error.copy()
        error[rows] = expected(traces.y[rows], error[rows], traces.residual(values[rows], rows))
        error = np.where(np.isfinite(traces.error), error, np.inf)
        again = replace(traces, error=error)
        values[rows] = again.settle(rows, values[rows], 1e-6)[0]
        return again, values

    def _without_negative_squares(self, traces: Traces, values: Reals) -> Reals:
        for i, variable in enumerate(self.free):
            if not variable.squared:
                continue
            rows = np.flatnonzero(values[:, i] < 0)
            if len(rows):
                begin = values[rows]
                begin[:, i] = 0.0
                values[rows] = traces.settle(rows, begin, 1e-6, held=i)[0]
        return values

    def _evidence(self, traces: Traces, values: Reals, absolute: Flags, seen: Flags) -> Evidence:
        rows = np.arange(len(traces))
        scale = traces.scale(values, rows)
        residual, jacobian = traces.linear(values, rows)
        covariance, lost = inverse(jacobian, scale)
        if any(v.squared for v in self.free):
            for k in rows:
                covariance[k] = given_squares_at_zero(covariance[k], self.free, values[k])
        return Evidence(
            self.model, traces.x, self.free,
            {name: value[:, 0] for name, value in traces.theta(values, rows).items()},
            values, covariance, lost, at_edge(traces, values, covariance, scale),
            residual, seen.sum(axis=1),
            constant_chi2(traces.y, traces.error, quadratures=self.model.quadratures), absolute,
        )  # fmt: skip

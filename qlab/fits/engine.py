"""The engine: fit a curve or a run's grid with a model by name, and say honestly how it went."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.fits.binomial import of_shots, share_errors
from qlab.fits.fit import Fit
from qlab.fits.judge import Verdict, residual_tests, verdicts
from qlab.fits.model import FitModel
from qlab.fits.points import Points, check_names, counted, measured, settled, split, why_not
from qlab.fits.repeats import errors_for_fit
from qlab.fits.report import Outcome, failure, report
from qlab.fits.search import best_end, expected_errors, without_negative_squares
from qlab.fits.solve import Problem, Solution, solve
from qlab.fits.spread import errors_by_model
from qlab.grid import Grid
from qlab.record import FitResult, Record, Signal

Reals = NDArray[np.float64]


def counted_as(signal: Signal) -> tuple[bool, bool]:
    """Return `counting` and `shares` of `fit_curve` and `fit_many` for a signal: how its errors follow from counts."""
    return signal.rule != "mean", signal.rule == "fraction" and signal.scale == 1


def load_model(name: str, context: Mapping[str, float] | None = None) -> FitModel:
    """Return the installed fit model of this name for a context; UsageError where there is none."""
    from qlab import registry

    model: FitModel = registry.load("fits", name)(context=dict(context or {}))
    return model


def fit_grid(
    record: Record,
    grid: Grid,
    model: str | FitModel = "",
    *,
    fixed: Mapping[str, float] | None = None,
    start: Mapping[str, float] | FitResult | None = None,
) -> Fit:
    """Fit the gridded signal of a run, by default with the run's own model and context.

    Unmeasured points (NaN) are left out. Raises UsageError where no model is named; never on data.
    """
    name = model or record.fit
    if not name:
        raise UsageError(f"The experiment {record.experiment} names no fit.", "Name a model to fit with.")
    chosen = load_model(name, record.fit_context) if isinstance(name, str) else name
    if len(grid.axes) != 1:
        said = f"A curve is fitted along one axis; this signal has {len(grid.axes)}."
        return Fit.of(failure(chosen, grid.signal.name, said))
    axis, x = grid.axes[0]
    counting, shares = counted_as(grid.signal)
    made = fit_curve(
        chosen, x, grid.value, errors_for_fit(grid), signal=grid.signal.name, fixed=fixed, start=start,
        units=(axis.unit, grid.signal.unit), counting=counting, shares=shares,
    )  # fmt: skip
    errors = errors_by_model(chosen, grid, made)
    if errors is None:
        return made
    return fit_curve(
        chosen, x, grid.value, errors, signal=grid.signal.name, fixed=fixed, start=made if made.success else start,
        units=(axis.unit, grid.signal.unit), counting=False,
    )  # fmt: skip


def fit_curve(
    model: FitModel,
    x: ArrayLike,
    y: ArrayLike,
    error: ArrayLike | None,
    *,
    signal: str = "",
    fixed: Mapping[str, float] | None = None,
    start: Mapping[str, float] | FitResult | None = None,
    units: tuple[str, str] = ("1", "1"),
    counting: bool = True,
    shares: bool = False,
) -> Fit:
    """Fit a curve and return values with absolute errors; never raises on data.

    Shapes: x, y, error (n,); `error` is one standard deviation (None or all NaN: taken from the scatter).
    `fixed` holds parameters, `start` replaces starting values, `units` are those of x and y. Where `start` is an
    earlier fit of the same model (of fewer points, say), the search begins there, and looks elsewhere only if
    what it finds is not to be believed.
    `counting`: the errors follow from the counts themselves, so one more pass rescales them to what the
    curve expects (error² ∝ expected counts) lest points that counted few by chance weigh more. Errors that do
    not grow with y are not touched. `shares`: y are shares of shots with binomial errors, and it is those that the
    pass makes those of the curve.
    Raises UsageError where `fixed` or `start` names no parameter of the model.
    """
    given = _given(model, start)
    check_names(model, fixed, given)
    if model.axis_unit and units[0] not in {"1", model.axis_unit}:
        said = f"{model.title} is a curve over an axis in {model.axis_unit}; this one is in {units[0]}."
        return Fit.of(failure(model, signal, said + " Choose another model."))
    free, held = split(model, fixed or {})
    points = measured(x, y, error, model)
    if isinstance(points, str):
        return Fit.of(failure(model, signal, points))
    if why := why_not(model, points.x, points.y, free):
        return Fit.of(failure(model, signal, why))
    problem = Problem(settled(model, points.x), points.x, points.y, points.error, free, held)
    again: Callable[[Reals, Reals, Reals], Reals] | None = None
    if points.absolute and shares and of_shots(model, points.y):
        again = share_errors
    elif points.absolute and counting and model.counts and bool(counted(points.y, points.error)):
        again = expected_errors
    # Wild data overflow on the way; what comes of it is judged at the end.
    with np.errstate(all="ignore"):
        if isinstance(start, FitResult) and given:
            warm = _finish(solve(problem, given), "", points, signal, units, again)
            if warm.success:
                return warm
            given = {}
        solution, rival = best_end(problem, given)
        return _finish(solution, rival, points, signal, units, again)


def _given(model: FitModel, start: Mapping[str, float] | FitResult | None) -> dict[str, float]:
    if not isinstance(start, FitResult):
        return dict(start or {})
    if start.model != model.name or not start.success:
        return {}
    # A square that came out 0 must be free to leave it.
    squared = {v.name for v in model.parameters if v.squared}
    errors = start.errors
    known = {v.name for v in model.parameters}
    return {
        n: errors[n] if n in squared and v == 0 and errors[n] > 0 else v
        for n, v in start.values.items()
        if n in known
    }


def _finish(
    solution: Solution,
    rival: str,
    points: Points,
    signal: str,
    units: tuple[str, str],
    again: Callable[[Reals, Reals, Reals], Reals] | None,
) -> Fit:
    if again is not None:
        problem = solution.problem
        expected = again(problem.y, problem.error, solution.residual)
        solution = replace(solution, problem=replace(problem, error=expected))
        solution = solve(solution.problem, solution.theta)
    solution = without_negative_squares(solution)
    problem = solution.problem
    evidence = solution.evidence(absolute=points.absolute)
    verdict = verdicts(evidence)[0]
    if verdict.believable and rival:
        verdict = Verdict(False, rival)
    outcome = Outcome(
        problem.model, problem.free, dict(problem.held), solution.values,
        solution.covariance * evidence.inflation[0], solution.chi2, len(problem.y) - len(problem.free),
        verdict, residual_tests(evidence)[0],
    )  # fmt: skip
    return Fit.of(report(outcome, signal, units), solution, absolute=points.absolute)

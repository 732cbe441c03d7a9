"""The engine: fit a curve or a run's grid with a model by name, and say honestly how it went."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.fits.model import FitModel, Variable
from qlab.fits.report import failure, report
from qlab.fits.search import best_end, expected_errors, without_negative_squares
from qlab.fits.solve import Problem, Reals, solve
from qlab.grid import Grid
from qlab.record import FitResult, Record


def load_model(name: str, context: Mapping[str, float] | None = None) -> FitModel:
    """Return the installed fit model of this name for a context; UsageError where there is none."""
    from qlab import registry

    model: FitModel = registry.load("fits", name)(context=dict(context or {}))
    return model


def fit_grid(
    record: Record, grid: Grid, model: str = "", *, fixed: Mapping[str, float] | None = None
) -> FitResult:
    """Fit the gridded signal of a run, by default with the run's own model and context.

    Unmeasured points (NaN) are left out. Raises UsageError where no model is named; never on data.
    """
    name = model or record.fit
    if not name:
        raise UsageError(f"The experiment {record.experiment} names no fit.", "Name a model to fit with.")
    chosen = load_model(name, record.fit_context)
    if len(grid.axes) != 1:
        said = f"A curve is fitted along one axis; this signal has {len(grid.axes)}."
        return failure(chosen, grid.signal.name, said)
    axis, x = grid.axes[0]
    return fit_curve(
        chosen, x, grid.value, grid.error, signal=grid.signal.name, fixed=fixed,
        units=(axis.unit, grid.signal.unit), counting=grid.signal.rule != "mean",
    )  # fmt: skip


def fit_curve(
    model: FitModel,
    x: ArrayLike,
    y: ArrayLike,
    error: ArrayLike | None,
    *,
    signal: str = "",
    fixed: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
    units: tuple[str, str] = ("1", "1"),
    counting: bool = True,
) -> FitResult:
    """Fit a curve and return values with absolute errors; never raises on data.

    Shapes: x, y, error (n,); `error` is one standard deviation (None or all NaN: taken from the scatter).
    `fixed` holds parameters, `start` replaces starting values, `units` are those of x and y.
    `counting`: the errors follow from the counts themselves, so one more pass rescales them to what the
    curve expects (error² ∝ expected counts) lest points that counted few by chance weigh more.
    Raises UsageError where `fixed` or `start` names no parameter of the model.
    """
    known = {v.name for v in model.parameters}
    for name in (*(fixed or {}), *(start or {})):
        if name not in known:
            raise UsageError(
                f"The model {model.name} has no parameter {name!r}.",
                f"There are: {', '.join(sorted(known))}.",
            )
    free, held = _split(model, fixed or {})
    points = _points(x, y, error)
    if isinstance(points, str):
        return failure(model, signal, points)
    # Wild data overflow on the way; what comes of it is judged at the end.
    with np.errstate(all="ignore"):
        return _fit(model, points, free, held, start or {}, signal, units, counting=counting)


def _fit(
    model: FitModel,
    points: tuple[Reals, Reals, Reals, bool],
    free: tuple[Variable, ...],
    held: dict[str, float],
    start: Mapping[str, float],
    signal: str,
    units: tuple[str, str],
    *,
    counting: bool,
) -> FitResult:
    xs, ys, es, absolute = points
    if len(np.unique(xs)) <= len(free):
        said = f"{len(np.unique(xs))} points are too few for {len(free)} free parameters."
        return failure(model, signal, said)
    if np.ptp(ys) == 0 and model.feature:
        return failure(model, signal, f"All points are equal: no {model.feature}, or a dead detector.")
    solution, rival = best_end(Problem(model, xs, ys, es, free, held), start)
    if counting and absolute and np.all(ys >= 0):
        expected = expected_errors(solution)
        solution = replace(solution, problem=replace(solution.problem, error=expected))
    solution = solve(solution.problem, solution.theta)
    solution = without_negative_squares(solution)
    return report(solution, rival, signal, units, absolute=absolute)


def _points(x: ArrayLike, y: ArrayLike, error: ArrayLike | None) -> tuple[Reals, Reals, Reals, bool] | str:
    xs, ys = np.ravel(np.asarray(x, dtype=float)), np.ravel(np.asarray(y, dtype=float))
    es = np.full(len(ys), np.nan) if error is None else np.ravel(np.asarray(error, dtype=float))
    if not len(xs) == len(ys) == len(es):
        raise UsageError(
            f"x, y and error have {len(xs)}, {len(ys)} and {len(es)} points.", "Give equally many."
        )
    measured = np.isfinite(xs) & np.isfinite(ys)
    if not measured.any():
        return "No point was measured."
    usable = measured & np.isfinite(es) & (es > 0)
    absolute = bool(usable.any())
    # A point without an error of its own (a single repetition) gets the typical one.
    order = np.argsort(xs[measured], kind="stable")
    xs, ys, es, usable = (part[measured][order] for part in (xs, ys, es, usable))
    es = np.where(usable, es, np.median(es[usable]) if absolute else _scatter(ys))
    return xs, ys, es, absolute


def _scatter(y: Reals) -> float:
    # From how far each point lies off the line through its neighbours: blind to what is smooth.
    if len(y) >= 5:
        off = np.abs(y[2:] - 2 * y[1:-1] + y[:-2])
        if np.median(off) > 0:
            return float(np.median(off) / (0.6745 * np.sqrt(6)))
    return float(np.std(y)) or 1.0


def _split(model: FitModel, fixed: Mapping[str, float]) -> tuple[tuple[Variable, ...], dict[str, float]]:
    free: list[Variable] = []
    held: dict[str, float] = {}
    for variable in model.parameters:
        name = variable.name
        if name in fixed:
            held[name] = float(fixed[name])
        elif f"fix_{name}" in model.context:
            held[name] = float(model.context[f"fix_{name}"])
        elif variable.free or model.context.get(f"free_{name}", 0.0):
            free.append(variable)
        else:
            held[name] = model.known(name)
    return tuple(free), held

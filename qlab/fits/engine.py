"""The engine: fit a curve or a run's grid with a model by name, and say honestly how it went."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.fits.judge import verdict
from qlab.fits.model import FitModel, Variable
from qlab.fits.solve import Problem, Reals, Solution, hold_at_zero, solve
from qlab.run import FitParameter, FitResult, Grid, Record

_TIE = 1.0  # starts whose chi² differ by less are alike: the likelier one, named first, wins
_ALIKE = 6.0  # an end of chi² this little above the best is no worse an explanation (2.4 σ)


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
        return _failure(chosen, grid.signal.name, said)
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
        return _failure(model, signal, points)
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
        return _failure(model, signal, said)
    if np.ptp(ys) == 0 and model.feature:
        return _failure(model, signal, f"All points are equal: no {model.feature}, or a dead detector.")
    solution, rival = _best(Problem(model, xs, ys, es, free, held), start)
    if counting and absolute and np.all(ys >= 0):
        expected = _expected_errors(solution)
        solution = replace(solution, problem=replace(solution.problem, error=expected))
    solution = solve(solution.problem, solution.theta)
    solution, limits = _hold_what_vanishes(solution)
    return _report(solution, limits, rival, signal, units, absolute=absolute)


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


def _best(problem: Problem, given: Mapping[str, float]) -> tuple[Solution, str]:
    guesses: list[dict[str, float]] = problem.model.guess(problem.x, problem.y, problem.error)
    rough: list[Solution] = []
    for guess in guesses or [{}]:
        start = {v.name: guess.get(v.name, problem.model.known(v.name)) for v in problem.free}
        start.update({name: float(value) for name, value in given.items() if name in start})
        rough.append(solve(problem, start, tolerance=3e-3))
    lowest = min(found.chi2 for found in rough)
    # A rough end may still fall a little: finish every start that could win, the likelier one on a tie.
    hopeful = [s for s in rough if s.chi2 < 1.05 * lowest + 10]
    ended = [solve(problem, s.theta, tolerance=1e-7) for s in hopeful[:3]] if len(hopeful) > 1 else hopeful
    best = ended[0]
    for found in ended[1:]:
        if found.chi2 < best.chi2 - _TIE:
            best = found
    return best, _rival(best, ended)


def _rival(best: Solution, ended: list[Solution]) -> str:
    sigma = np.sqrt(np.diag(best.covariance))
    for other in ended:
        if other is best or other.chi2 > best.chi2 + _ALIKE:
            continue
        for variable, here, there, error in zip(
            best.problem.free, best.values, other.values, sigma, strict=True
        ):
            if variable.essential and abs(there - here) > 5 * error:
                return f"Quite another {variable.label or variable.name} ({there:.4g}) fits almost as well."
    return ""


def _expected_errors(solution: Solution) -> Reals:
    problem = solution.problem
    with np.errstate(all="ignore"):
        curve = np.nan_to_num(problem.curve(solution.theta), nan=0.0)
        # For a count over a fixed exposure error² = y·unit; a point of no counts was given one count's error.
        unit = np.where(
            problem.y > 0, problem.error**2 / np.where(problem.y > 0, problem.y, 1), problem.error
        )
    return np.asarray(np.sqrt(np.maximum(curve, 0.1 * unit) * unit))


def _hold_what_vanishes(solution: Solution) -> tuple[Solution, dict[str, float]]:
    limits: dict[str, float] = {}
    for variable in solution.problem.free:
        names = [v.name for v in solution.problem.free]
        if not variable.squared or variable.name not in names:
            continue
        index = names.index(variable.name)
        square, sigma = solution.values[index], float(np.sqrt(solution.covariance[index, index]))
        # Within one standard deviation of zero, a square says nothing but a limit.
        if not square > sigma:
            limits[variable.name] = float(np.sqrt(sigma))
            held = hold_at_zero(solution, variable.name)
            solution = solve(held, solution.theta)
    return solution, limits


def _report(
    solution: Solution,
    limits: Mapping[str, float],
    rival: str,
    signal: str,
    units: tuple[str, str],
    *,
    absolute: bool,
) -> FitResult:
    problem = solution.problem
    freedom = len(problem.x) - len(problem.free)
    covariance = solution.covariance
    if not absolute:
        covariance = covariance * solution.chi2 / max(freedom, 1)
    theta = solution.theta
    believable, message = verdict(solution, absolute=absolute)
    if believable and rival:
        believable, message = False, rival
    slope = np.array([0.5 / theta[v.name] if v.squared else 1.0 for v in problem.free])
    ours = np.nan_to_num(covariance * np.outer(slope, slope), nan=np.inf, posinf=np.inf)
    errors = dict(zip((v.name for v in problem.free), np.sqrt(np.diag(ours)), strict=True)) | dict(limits)
    parameters = [
        FitParameter(
            name=v.name, label=v.label, value=theta[v.name], unit=_unit(v.unit, units),
            error=float(errors[v.name]) if np.isfinite(errors.get(v.name, np.nan)) else None,
        )
        for v in problem.model.parameters
    ]  # fmt: skip
    parameters += _derived(solution, covariance, units)
    for name, limit in limits.items():
        message = f"{message} {name} is compatible with 0 and held there (below about {limit:.2g}).".strip()
    return FitResult(
        model=problem.model.name, signal=signal, success=believable, message=message,
        parameters=tuple(parameters), free=tuple(v.name for v in problem.free),
        covariance=tuple(tuple(float(c) for c in row) for row in ours),
        chi2=solution.chi2, degrees_of_freedom=freedom, context=dict(problem.model.context),
    )  # fmt: skip


def _derived(
    solution: Solution, covariance: NDArray[np.float64], units: tuple[str, str]
) -> list[FitParameter]:
    problem, names = solution.problem, solution.problem.model.derive(solution.theta)
    sigma = np.sqrt(np.diag(covariance))
    gradients: dict[str, list[float]] = {name: [] for name in names}
    for i in range(len(problem.free)):
        step = np.zeros(len(sigma))
        value = abs(solution.values[i])
        step[i] = 1e-3 * (min(sigma[i], value) if value > 0 else sigma[i]) if np.isfinite(sigma[i]) else 0.0
        sides = [problem.model.derive(problem.theta(solution.values + s)) for s in (step, -step)]
        for name, rows in gradients.items():
            known = step[i] > 0 and all(name in side for side in sides)
            rows.append((sides[0][name][0] - sides[1][name][0]) / (2 * step[i]) if known else np.nan)
    found = []
    for name, (value, unit, label) in names.items():
        gradient = np.array(gradients[name])
        variance = float(gradient @ covariance @ gradient) if np.isfinite(gradient).all() else np.nan
        error = float(np.sqrt(variance)) if np.isfinite(variance) and variance >= 0 else None
        found.append(
            FitParameter(
                name=name, label=label, value=value, error=error, unit=_unit(unit, units), derived=True
            )
        )
    return found


def _unit(unit: str, units: tuple[str, str]) -> str:
    x, y = units
    plain = {"x": x, "y": y}
    if unit in plain:
        return plain[unit]
    if unit == "1/x":
        return {"s": "Hz", "Hz": "s", "1": "1"}.get(x, f"1/{x}")
    if unit == "y/x":
        return y if x == "1" else f"{y}/{x}"
    return unit


def _failure(model: FitModel, signal: str, message: str) -> FitResult:
    context: dict[str, Any] = dict(model.context)
    return FitResult(model=model.name, signal=signal, success=False, message=message, context=context)

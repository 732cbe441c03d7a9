"""What a solution becomes: a FitResult with errors, derived values, units and a verdict."""

from typing import Any

import numpy as np

from qlab.fits.judge import verdict
from qlab.fits.model import FitModel
from qlab.fits.solve import Reals, Solution
from qlab.record import FitParameter, FitResult
from qlab.units import format_quantity


def report(
    solution: Solution,
    rival: str,
    signal: str,
    units: tuple[str, str],
    *,
    absolute: bool,
) -> FitResult:
    """Return what a solution says: values with absolute errors, goodness of fit, and whether to believe it.

    A squared variable v = √z has the error that z ± σ_z gives, upwards or down to 0 whichever is further:
    σ_z/(2v) far from 0, v where 0 is within one σ_z, √σ_z at 0.
    `rival` names another explanation in words.
    """
    problem = solution.problem
    freedom = len(problem.x) - len(problem.free)
    covariance = solution.covariance
    if not absolute:
        covariance = covariance * solution.chi2 / max(freedom, 1)
    theta = solution.theta
    believable, message = verdict(solution, absolute=absolute)
    if believable and rival:
        believable, message = False, rival
    sigma = np.sqrt(np.diag(covariance))
    slope = np.array([
        max(np.sqrt(z + s) - np.sqrt(z), np.sqrt(z) - np.sqrt(max(z - s, 0))) / s if v.squared else 1.0
        for v, z, s in zip(problem.free, solution.values, sigma, strict=True)
    ])  # fmt: skip
    ours = np.nan_to_num(covariance * np.outer(slope, slope), nan=np.inf, posinf=np.inf)
    errors = dict(zip((v.name for v in problem.free), np.sqrt(np.diag(ours)), strict=True))
    parameters = [
        FitParameter(
            name=v.name, label=v.label, value=theta[v.name], unit=_unit(v.unit, units),
            error=float(errors[v.name]) if np.isfinite(errors.get(v.name, np.nan)) else None,
        )
        for v in problem.model.parameters
    ]  # fmt: skip
    parameters += _derived(solution, covariance, units)
    for variable in problem.free:
        if variable.squared and theta[variable.name] == 0:
            shown = format_quantity(float(errors[variable.name]), _unit(variable.unit, units), digits=2)
            message += f" The {variable.label} is compatible with 0 (below about {shown})."
    return FitResult(
        model=problem.model.name, signal=signal, success=believable, message=message.strip(),
        parameters=tuple(parameters), free=tuple(v.name for v in problem.free),
        # Where the data leave something open there is no covariance: infinities help nobody in a file.
        covariance=tuple(tuple(row) for row in ours.tolist()) if np.isfinite(ours).all() else (),
        chi2=solution.chi2, degrees_of_freedom=freedom, context=dict(problem.model.context),
    )  # fmt: skip


def _derived(solution: Solution, covariance: Reals, units: tuple[str, str]) -> list[FitParameter]:
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


def failure(model: FitModel, signal: str, message: str) -> FitResult:
    """Return a fit that was not possible, with the reason."""
    context: dict[str, Any] = dict(model.context)
    return FitResult(model=model.name, signal=signal, success=False, message=message, context=context)

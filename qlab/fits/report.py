"""What a solution becomes: a FitResult with errors, derived values, units and a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qlab.fits.judge import Verdict
from qlab.fits.model import FitModel, Variable
from qlab.fits.solve import Reals, named
from qlab.record import FitParameter, FitResult
from qlab.units import format_quantity


@dataclass(frozen=True)
class Outcome:
    """Where a fit ended and what was judged of it.

    `values` (free,) are squares of squared variables, `covariance` (free, free) is that of the values with the
    errors that count in the end; `tests` are of the residuals, by name. Of a trace with nothing in it to be fitted
    the report has no errors: its values are where a search in noise ended.
    """

    model: FitModel
    free: tuple[Variable, ...]
    held: Mapping[str, float]
    values: Reals
    covariance: Reals
    chi2: float
    freedom: int
    verdict: Verdict
    tests: Mapping[str, float]

    @property
    def theta(self) -> dict[str, float]:
        """All values by name."""
        return named(self.free, self.held, self.values)


def errors_of(free: tuple[Variable, ...], values: Reals, covariance: Reals) -> tuple[Reals, Reals]:
    """Return the covariance of the parameters themselves and how each follows its square; (..., free).

    A squared variable v = √z has the error that z ± σ_z gives, upwards or down to 0 whichever is further:
    σ_z/(2v) far from 0, v where 0 is within one σ_z, √σ_z at 0. Shapes: values (..., free).
    """
    sigma = np.sqrt(np.einsum("...pp->...p", covariance))
    squared = np.array([v.squared for v in free], dtype=bool)
    with np.errstate(all="ignore"):
        z = np.where(squared, np.maximum(values, 0), 1.0)
        reach = np.maximum(np.sqrt(z + sigma) - np.sqrt(z), np.sqrt(z) - np.sqrt(np.maximum(z - sigma, 0)))
        slope = np.where(squared, reach / sigma, 1.0)
        ours = covariance * slope[..., :, None] * slope[..., None, :]
    return np.nan_to_num(ours, nan=np.inf, posinf=np.inf), slope


def report(outcome: Outcome, signal: str, units: tuple[str, str]) -> FitResult:
    """Return what an outcome says: values with absolute errors, goodness of fit, and whether to believe it."""
    model, free, theta = outcome.model, outcome.free, outcome.theta
    ours, _ = errors_of(free, outcome.values, outcome.covariance)
    if outcome.verdict.empty:
        ours = np.full_like(ours, np.inf)
    errors = dict(zip((v.name for v in free), np.sqrt(np.diag(ours)), strict=True))
    parameters = [
        FitParameter(
            name=v.name, label=v.label, value=theta[v.name], unit=unit_of(v.unit, units),
            error=float(errors[v.name]) if np.isfinite(errors.get(v.name, np.nan)) else None,
        )
        for v in model.parameters
    ]  # fmt: skip
    parameters += _derived(outcome, units)
    message = outcome.verdict.message
    for variable in free:
        if variable.squared and theta[variable.name] == 0:
            shown = format_quantity(float(errors[variable.name]), unit_of(variable.unit, units), digits=2)
            message += f" The {variable.label} is compatible with 0 (below about {shown})."
    return FitResult(
        model=model.name, signal=signal, success=outcome.verdict.believable, message=message.strip(),
        parameters=tuple(parameters), free=tuple(v.name for v in free),
        # Where the data leave something open there is no covariance: infinities help nobody in a file.
        covariance=tuple(tuple(row) for row in ours.tolist()) if np.isfinite(ours).all() else (),
        chi2=outcome.chi2, degrees_of_freedom=outcome.freedom, context=dict(model.context),
        tests=dict(outcome.tests),
    )  # fmt: skip


def _derived(outcome: Outcome, units: tuple[str, str]) -> list[FitParameter]:
    model, covariance = outcome.model, outcome.covariance
    names = model.derive(outcome.theta)
    if not names:
        return []
    sigma = np.sqrt(np.diag(covariance))
    gradients: dict[str, list[float]] = {name: [] for name in names}
    for i in range(len(outcome.free)):
        step = np.zeros(len(sigma))
        value = abs(outcome.values[i])
        step[i] = 1e-3 * (min(sigma[i], value) if value > 0 else sigma[i]) if np.isfinite(sigma[i]) else 0.0
        sides = [model.derive(named(outcome.free, outcome.held, outcome.values + s)) for s in (step, -step)]
        for name, rows in gradients.items():
            known = step[i] > 0 and all(name in side for side in sides)
            rows.append((sides[0][name][0] - sides[1][name][0]) / (2 * step[i]) if known else np.nan)
    found = []
    for name, (value, unit, label) in names.items():
        gradient = np.array(gradients[name])
        variance = float(gradient @ covariance @ gradient) if np.isfinite(gradient).all() else np.nan
        known = np.isfinite(variance) and variance >= 0 and not outcome.verdict.empty
        error = float(np.sqrt(variance)) if known else None
        found.append(
            FitParameter(
                name=name, label=label, value=value, error=error, unit=unit_of(unit, units), derived=True
            )
        )
    return found


def unit_of(unit: str, units: tuple[str, str]) -> str:
    """Return the unit of a parameter ("x", "y", "1/x" stand for those of the axis and the signal, `units`)."""
    x, y = units
    plain = {"x": x, "y": y}
    if unit in plain:
        return plain[unit]
    if unit == "1/x":
        return {"s": "Hz", "Hz": "s", "1": "1"}.get(x, f"1/{x}")
    if unit.startswith("y/x"):
        return y if x == "1" else f"{y}/{x}{unit[3:].replace('^', '')}"
    return unit


def failure(model: FitModel, signal: str, message: str) -> FitResult:
    """Return a fit that was not possible, with the reason."""
    context: dict[str, Any] = dict(model.context)
    return FitResult(model=model.name, signal=signal, success=False, message=message, context=context)

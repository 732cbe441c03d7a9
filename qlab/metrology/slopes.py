"""Derivatives of a curve by its parameters: in closed form, by a complex step, or by refined differences."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]
_LEVELS = 5  # of Richardson's extrapolation


class CurveModel(Protocol):
    """What a fit model is here: a curve over x for named values. It may also have `slopes`, as a fit model does."""

    def evaluate(self, x: Reals, theta: Mapping[str, Any]) -> Reals:
        """Return the curve at x; same shape as x."""
        ...


def jacobian(model: CurveModel, x: ArrayLike, theta: Mapping[str, float], names: Sequence[str]) -> Reals:
    """Return dy/dθ; shape (points, names), in units of y per unit of each value.

    Exact where the model has its slopes in closed form, and where its curve is analytic: a step of 1e-30 along the
    imaginary axis has no cancellation and no size to choose. Where a curve is neither (absolute values, solvers of
    real matrices) Richardson's extrapolation of differences, good to about 1e-9 of the slope.
    Sources: Squire and Trapp, SIAM Rev. 40, 110 (1998); Richardson, Phil. Trans. A 226, 299 (1927).
    """
    points = np.asarray(x, dtype=float)
    closed = _closed(model, points, theta)
    columns = [closed[n] if n in closed else _derivative(model, points, theta, n) for n in names]
    return np.stack([np.broadcast_to(column, points.shape) for column in columns], axis=-1)


def _closed(model: CurveModel, x: Reals, theta: Mapping[str, float]) -> Mapping[str, Reals]:
    slopes = getattr(model, "slopes", None)
    known = slopes(x, theta) if slopes is not None else None
    return {} if known is None else known[1]


def _derivative(model: CurveModel, x: Reals, theta: Mapping[str, float], name: str) -> Reals:
    refined, error = _refined(model, x, theta, name)
    exact = _complex_step(model, x, theta, name)
    # A curve that is not analytic gives a number too, and a wrong one.
    if exact is not None and np.allclose(
        exact, refined, rtol=1e-5, atol=1e-6 * np.abs(refined).max() + error
    ):
        return exact
    return refined


def _complex_step(model: CurveModel, x: Reals, theta: Mapping[str, float], name: str) -> Reals | None:
    step = 1e-30 * (abs(theta[name]) or 1.0)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            curve = np.asarray(model.evaluate(x, {**theta, name: theta[name] + 1j * step}))
            still = np.asarray(model.evaluate(x, theta))
    except (TypeError, ValueError, np.exceptions.ComplexWarning, np.linalg.LinAlgError):
        return None
    if not np.iscomplexobj(curve) or np.iscomplexobj(still):
        return None
    found = np.asarray(curve.imag / step)
    return found if np.isfinite(found).all() else None


def _refined(model: CurveModel, x: Reals, theta: Mapping[str, float], name: str) -> tuple[Reals, float]:
    """Return the slope by extrapolated central differences, and what its last refinement changed."""
    value = float(theta[name])

    def slope(step: float) -> Reals:
        sides = [model.evaluate(x, {**theta, name: value + s}) for s in (step, -step)]
        return np.asarray((sides[0] - sides[1]) / (2 * step))

    step = _step(model, x, theta, name)
    table = [slope(step)]
    best, least = table[0], float("inf")
    for level in range(1, _LEVELS):
        row = [slope(step / 2**level)]
        for k, before in enumerate(table):
            row.append(row[-1] + (row[-1] - before) / (4 ** (k + 1) - 1))
        change = float(np.abs(row[-1] - table[-1]).max())
        if change < least:
            best, least = row[-1], change
        table = row
    return best, least


def _step(model: CurveModel, x: Reals, theta: Mapping[str, float], name: str) -> float:
    """Return a step that changes the curve by about a percent of its height, whatever the units."""
    value, curve = float(theta[name]), model.evaluate(x, theta)
    size = float(np.ptp(np.abs(curve))) or float(np.max(np.abs(curve))) or 1.0
    # From below: a step that is too wide jumps over a narrow line on both sides, as if nothing depended on it.
    step = 1e-9 * abs(value) or 1e-9
    for _ in range(40):
        change = model.evaluate(x, {**theta, name: value + step}) - model.evaluate(
            x, {**theta, name: value - step}
        )
        ratio = float(np.max(np.abs(change))) / (2 * size * 1e-2)
        if 0.2 < ratio < 5:
            break
        # Up as far as a dead parameter allows; where the change saturates, down again.
        step *= float(np.clip(1 / ratio if ratio > 0 else 1e3, 1e-2, 1e3))
        if step > 1e3 * max(abs(value), 1e9):
            break
    return step

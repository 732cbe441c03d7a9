"""The points of traces as a fit takes them: measured ones in order, each with an error."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.fits.model import FitModel, Variable

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Measured points in order of x: x (n,), y and error (n,), or (2n,) for both parts of complex ones.

    `absolute`: the errors were measured, not taken from the scatter.
    """

    x: Reals
    y: Reals
    error: Reals
    absolute: bool


def measured(x: ArrayLike, y: ArrayLike, error: ArrayLike | None, model: FitModel) -> Points | str:
    """Return the measured points in order of x, or in words why there are none.

    A complex y of a `quadratures` model becomes its real and imaginary parts, each with the given error.
    Raises UsageError where the shapes differ, or where y is complex and the model is not.
    """
    xs, given = np.ravel(np.asarray(x, dtype=float)), np.ravel(np.asarray(y))
    if np.iscomplexobj(given) and not model.quadratures:
        raise UsageError(
            f"The model {model.name} is real, the data are complex.", "Fit a part or the modulus."
        )
    ys = given.astype(complex) if model.quadratures else given.astype(float)
    es = np.full(len(ys), np.nan) if error is None else np.ravel(np.asarray(error, dtype=float))
    if not len(xs) == len(ys) == len(es):
        raise UsageError(
            f"x, y and error have {len(xs)}, {len(ys)} and {len(es)} points.", "Give equally many."
        )
    seen = np.isfinite(xs) & np.isfinite(ys)
    if not seen.any():
        return "No point was measured."
    usable = seen & np.isfinite(es) & (es > 0)
    absolute = bool(usable.any())
    order = np.argsort(xs[seen], kind="stable")
    xs, ys, es, usable = (part[seen][order] for part in (xs, ys, es, usable))
    # A point without an error of its own (a single repetition) gets the typical one.
    es = np.where(usable, es, np.median(es[usable]) if absolute else scatter(ys))
    if model.quadratures:
        ys, es = np.concatenate([ys.real, ys.imag]), np.concatenate([es, es])
    return Points(xs, np.asarray(ys, dtype=float), es, absolute)


def scatter(y: NDArray[np.generic]) -> float:
    """Return the noise of a curve, from how far each point lies off the line through its neighbours."""
    if np.iscomplexobj(y):
        return float(np.hypot(scatter(y.real), scatter(y.imag)) / np.sqrt(2))
    values = np.asarray(y, dtype=float)
    if len(values) >= 5:
        off = np.abs(values[2:] - 2 * values[1:-1] + values[:-2])
        if np.median(off) > 0:
            return float(np.median(off) / (0.6745 * np.sqrt(6)))
    return float(np.std(values)) or 1.0


def counted(y: Reals, error: Reals) -> NDArray[np.bool_]:
    """Say of which rows (..., m) the errors follow from the counts: none negative, error² grows with the counts.

    Equal errors, or ones that know nothing of y, are not those of counts, whatever the caller believes.
    """
    finite = np.isfinite(error)
    square = np.where(finite, error, 0.0) ** 2
    number = np.maximum(finite.sum(axis=-1, keepdims=True), 1)
    away, off = (
        np.where(finite, part - np.where(finite, part, 0.0).sum(axis=-1, keepdims=True) / number, 0.0)
        for part in (y, square)
    )
    size = np.sqrt((away**2).sum(axis=-1) * (off**2).sum(axis=-1))
    varied = np.sqrt((off**2).mean(axis=-1)) > 1e-9 * square.mean(axis=-1)
    return np.asarray((y >= 0).all(axis=-1) & varied & ((away * off).sum(axis=-1) > 0.5 * size))


def why_not(model: FitModel, x: Reals, y: Reals, free: tuple[Variable, ...]) -> str:
    """Return in words why points cannot be fitted at all; empty where they can. x (n,), y measured ones."""
    distinct = len(np.unique(x)) * (2 if model.quadratures else 1)
    if distinct <= len(free):
        return f"{distinct} points are too few for {len(free)} free parameters."
    if np.ptp(y) == 0 and model.feature:
        return f"All points are equal: no {model.feature}, or a dead detector."
    return ""


def settled(model: FitModel, x: Reals) -> FitModel:
    """Return the model with what the points themselves give in its context; what was given stands."""
    extra = model.settle(x)
    return replace(model, context={**extra, **model.context}) if extra else model


def split(model: FitModel, fixed: Mapping[str, float]) -> tuple[tuple[Variable, ...], dict[str, float]]:
    """Return the free variables, and the values of those that are held."""
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


def check_names(model: FitModel, *given: Mapping[str, float] | None) -> None:
    """Raise UsageError for a name that is no parameter of the model."""
    known = {v.name for v in model.parameters}
    for name in (n for names in given for n in names or {}):
        if name not in known:
            raise UsageError(
                f"The model {model.name} has no parameter {name!r}.",
                f"There are: {', '.join(sorted(known))}.",
            )

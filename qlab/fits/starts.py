"""Starting values read off the data: shapes scanned over a grid, their amplitudes solved linearly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.fits.scanning import NEVER, Basis, shaped

Reals = NDArray[np.float64]
Read = Callable[[Reals], Mapping[str, Reals]]


def _nothing(coefficients: Reals) -> NDArray[np.bool_]:
    return np.zeros(coefficients.shape[:-1], dtype=bool)


@dataclass(frozen=True)
class Candidates:
    """Shapes to try for starting values, and how the best become starting values.

    `values`: the shape parameters by name, each (k,). `columns` (k, c, n): what is solved linearly; the first
    column is the constant. `read` turns coefficients (..., c) into parameter values by name; `wrong` says which
    coefficients (..., c) cannot be. Two candidates are one where their `position` (k,) differs by less than
    `apart`; the best `count` are kept. `prior` (k,) is added to chi². `loss`: what share of the fall of chi² the
    best candidate may miss because the truth lies between two of them.
    """

    values: Mapping[str, Reals]
    columns: Reals
    position: Reals
    apart: float
    count: int
    read: Read
    wrong: Callable[[Reals], NDArray[np.bool_]] = _nothing
    prior: Reals = field(default_factory=lambda: np.zeros(1))
    loss: float = 0.4
    _bases: dict[bytes, Basis] = field(default_factory=dict, repr=False, compare=False)

    def starts(self, y: Reals, error: Reals) -> list[dict[str, float]]:
        """Return starting values for one trace; y and error (n,)."""
        chi2, coefficients = project(self.columns, y, error)
        chi2 = chi2 + np.where(self.wrong(coefficients), NEVER, 0.0) + self.prior
        picked = best_distinct(chi2, self.position, self.apart, self.count)
        read = self.read(coefficients[picked])
        return [
            {name: float(v[i]) for name, v in self.values.items()} | {n: float(v[j]) for n, v in read.items()}
            for j, i in enumerate(picked)
        ]

    def starts_of_many(self, y: Reals, error: Reals) -> tuple[dict[str, Reals], NDArray[np.bool_], Reals]:
        """Return starting values of many traces, each (traces, count), which of them there are, and their promise.

        Shapes: y (traces, n), error (n,), the typical one. The same scan as `starts`, at equal weights for all
        traces. The promise is the least chi² that a fit from there could reach.
        """
        basis = self._basis(error)
        wrong = None if self.wrong is _nothing else self.wrong
        found = basis.scan(y / error, self.count, self.apart, self.prior, wrong, self.loss)
        named = {**shaped(self.values, found), **self.read(found.coefficients)}
        return {n: np.asarray(v, dtype=float) for n, v in named.items()}, found.real, found.promise

    def _basis(self, error: Reals) -> Basis:
        key = error.tobytes()
        if key not in self._bases:
            self._bases.clear()
            self._bases[key] = Basis.of(self.columns / error, self.position)
        return self._bases[key]


_remembered: dict[tuple[Any, bytes], Candidates | None] = {}


def remembered(key: Any, x: Reals, make: Callable[[Reals], Candidates | None]) -> Candidates | None:
    """Return what `make` makes of x, kept for the next fit over the same points; the last three are kept."""
    whole = (key, np.ascontiguousarray(x, dtype=float).tobytes())
    if whole not in _remembered:
        found = make(x)
        while len(_remembered) > 2:
            _remembered.pop(next(iter(_remembered)), None)
        _remembered[whole] = found
        return found
    return _remembered[whole]


def project(columns: Reals, y: Reals, error: Reals) -> tuple[Reals, Reals]:
    """Solve y ≈ Σ_c coefficient_c · column_c for every candidate at once.

    Shapes: columns (k, c, n), y and error (n,); returns chi² (k,) and coefficients (k, c).
    """
    scaled = columns / error
    target = y / error
    normal = np.einsum("kcn,kdn->kcd", scaled, scaled)
    size = np.sqrt(np.maximum(np.einsum("kcc->kc", normal), 1e-300))
    normal = normal / (size[:, :, None] * size[:, None, :])
    # A little ridge keeps a candidate with two equal columns solvable; it never wins.
    normal += 1e-10 * np.eye(columns.shape[1])
    right = np.einsum("kcn,n->kc", scaled, target) / size
    coefficients = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
    chi2 = float(target @ target) - np.einsum("kc,kc->k", coefficients, right)
    return chi2, coefficients / size


def project_shapes(shapes: Reals, y: Reals, error: Reals) -> tuple[Reals, Reals, Reals]:
    """Solve y ≈ offset + amplitude · shape for each shape (k, n): chi², offset, amplitude, each (k,)."""
    chi2, found = project(with_constant(shapes), y, error)
    return chi2, found[:, 0], found[:, 1]


def with_constant(*shapes: Reals) -> Reals:
    """Return columns (k, 1 + shapes, n): the constant, then each shape (k, n)."""
    return np.stack([np.ones_like(shapes[0]), *shapes], axis=1)


def best_distinct(score: Reals, position: Reals, apart: float, count: int) -> list[int]:
    """Return indices of the lowest scores whose positions lie at least `apart` from each other."""
    chosen: list[int] = []
    for index in np.argsort(score):
        if all(abs(position[index] - position[other]) >= apart for other in chosen):
            chosen.append(int(index))
            if len(chosen) == count:
                break
    return chosen


@lru_cache(maxsize=64)
def _sampling(points: bytes) -> tuple[float, float, int, tuple[float, float]]:
    x = np.unique(np.frombuffer(points))
    if len(x) < 2:
        return 1.0, 1.0, len(x), (float(x[0]), float(x[0])) if len(x) else (0.0, 0.0)
    return float(np.median(np.diff(x))), float(x[-1] - x[0]), len(x), (float(x[0]), float(x[-1]))


@lru_cache(maxsize=64)
def _even(points: bytes) -> float:
    x = np.frombuffer(points)
    if len(x) < 3:
        return 0.0
    step = (x[-1] - x[0]) / (len(x) - 1)
    off = np.abs(x - x[0] - step * np.arange(len(x))).max()
    return float(step) if off <= 1e-12 * max(abs(x[0]), abs(x[-1])) else 0.0


def even(x: Reals) -> float:
    """Return the step of x where all steps are equal to rounding, else 0."""
    return _even(np.ascontiguousarray(x, dtype=float).tobytes())


def spacing(x: Reals) -> float:
    """Return the typical distance of neighbouring points, and 1 where there is none."""
    return _sampling(np.ascontiguousarray(x, dtype=float).tobytes())[0]


def span(x: Reals) -> float:
    """Return the range of x, and 1 where it has none."""
    return _sampling(np.ascontiguousarray(x, dtype=float).tobytes())[1]


def ends(x: Reals) -> tuple[float, float]:
    """Return the least and the largest x."""
    return _sampling(np.ascontiguousarray(x, dtype=float).tobytes())[3]


def spacing_and_count(x: Reals) -> tuple[float, int]:
    """Return the typical distance of neighbouring points, and how many different points there are."""
    known = _sampling(np.ascontiguousarray(x, dtype=float).tobytes())
    return known[0], known[2]


def frequencies(x: Reals, *, per_cycle: float = 4.0, limit: int = 1500) -> Reals:
    """Return trial frequencies from a quarter of a cycle over the range up to half the sampling rate."""
    width, top = span(x), 0.5 / spacing(x)
    count = int(np.clip(per_cycle * width * top, 8, limit))
    return np.linspace(0.25 / width, max(top, 1 / width), count)


def levels(level: Reals, amplitude: Reals) -> tuple[Reals, Reals]:
    """Turn offset and amplitude of level·(1 − contrast·P) into level and contrast within their bounds."""
    contrast = np.where(level > 0, -amplitude / np.where(level > 0, level, 1.0), 0.0)
    return np.maximum(level, 1e-12), np.clip(contrast, 0.005, 0.95)


def dips(coefficients: Reals) -> dict[str, Reals]:
    """Read level and contrast off the coefficients (..., 2) of the constant and of P in level·(1 − contrast·P)."""
    level, contrast = levels(coefficients[..., 0], coefficients[..., 1])
    return {"level": level, "contrast": contrast}


def no_dip(coefficients: Reals) -> NDArray[np.bool_]:
    """Say which coefficients (..., 2) are no dip: negative, or deeper than the light there is."""
    level, amplitude = coefficients[..., 0], coefficients[..., 1]
    return np.asarray((amplitude > 0) | (-amplitude > level))


def heights(coefficients: Reals) -> dict[str, Reals]:
    """Read offset and amplitude off the coefficients (..., 2) of the constant and of a shape."""
    return {"offset": coefficients[..., 0], "amplitude": coefficients[..., 1]}


def grid_of(*axes: Sequence[float] | NDArray[Any]) -> list[Reals]:
    """Return the flattened product of several axes."""
    return [np.ravel(part) for part in np.meshgrid(*axes, indexing="ij")]

"""Starting values read off the data: shapes scanned over a grid, their amplitudes solved linearly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


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
    columns = np.stack([np.ones_like(shapes), shapes], axis=1)
    chi2, found = project(columns, y, error)
    return chi2, found[:, 0], found[:, 1]


def best_distinct(score: Reals, position: Reals, apart: float, count: int) -> list[int]:
    """Return indices of the lowest scores whose positions lie at least `apart` from each other."""
    chosen: list[int] = []
    for index in np.argsort(score):
        if all(abs(position[index] - position[other]) >= apart for other in chosen):
            chosen.append(int(index))
            if len(chosen) == count:
                break
    return chosen


def spacing(x: Reals) -> float:
    """Return the typical distance of neighbouring points, and 1 where there is none."""
    steps = np.diff(np.unique(x))
    return float(np.median(steps)) if len(steps) else 1.0


def span(x: Reals) -> float:
    """Return the range of x, and 1 where it has none."""
    width = float(np.ptp(x)) if len(x) else 0.0
    return width if width > 0 else 1.0


def frequencies(x: Reals, *, per_cycle: float = 4.0, limit: int = 1500) -> Reals:
    """Return trial frequencies from a quarter of a cycle over the range up to half the sampling rate."""
    width, top = span(x), 0.5 / spacing(x)
    count = int(np.clip(per_cycle * width * top, 8, limit))
    return np.linspace(0.25 / width, max(top, 1 / width), count)


def levels(level: float, amplitude: float) -> tuple[float, float]:
    """Turn offset and amplitude of level·(1 − contrast·P) into level and contrast within their bounds."""
    contrast = -amplitude / level if level > 0 else 0.0
    return max(level, 1e-12), float(np.clip(contrast, 0.005, 0.95))


def grid_of(*axes: Sequence[float] | Reals) -> list[Reals]:
    """Return the flattened product of several axes."""
    return [np.ravel(part) for part in np.meshgrid(*axes, indexing="ij")]

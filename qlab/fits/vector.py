"""Vector magnetometry: the eight lines of four NV axes, fitted with one field vector by exact diagonalisation."""

import math
from itertools import permutations, product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.physics.constants import D_NV, GAMMA_NV
from qlab.physics.systems.nv_axes import electron_lines, lines

Floats = NDArray[np.float64]
COARSE, KEPT, LOOKS = 240, 12, 6  # points of a first look at the spectrum; fields looked at closer, how often


class NVVector(FitModel):
    """Count rate under a swept carrier: level·(1 − Σ_a c_a Σ w L(x − f)), f from H(B, D) of electron and nucleus.

    The four axes are [111], [1−1−1], [−11−1], [−1−11] of the crystal's frame, in which B is given. A spectrum alone
    cannot tell 48 fields apart (permutations and signs of the components): the one nearest to the context's
    `near_x`, `near_y`, `near_z` (T) is taken. L is a Lorentzian, or a Voigt line where the context has
    `sigma_detuning` (Hz); context also `nitrogen`. x: carrier in Hz.
    Source: Maertz et al., Appl. Phys. Lett. 96, 092504 (2010); Schloss et al., PR Applied 10, 034044 (2018).
    """

    name: ClassVar[str] = "nv_vector"
    title: ClassVar[str] = "Field vector from four NV axes"
    formula: ClassVar[str] = "level·(1 − Σ_a c_a Σ w L(x − f_a(B, D)))"
    feature: ClassVar[str] = "resonance line"
    axis_unit: ClassVar[str] = "Hz"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("Bx", "T", "field along x", default=2e-3),
        Variable("By", "T", "field along y", default=1e-3),
        Variable("Bz", "T", "field along z", default=3e-3),
        Variable("D", "Hz", "zero-field splitting D", minimum=0.0, essential=True, default=D_NV),
        Variable("E", "Hz", "strain splitting E", free=False),
        Variable("fwhm", "Hz", "line width (FWHM)", minimum=0.0, essential=True, default=6e5),
        *(
            Variable(
                f"contrast_{a}",
                "1",
                f"contrast of a transition, axis {a}",
                minimum=0.0,
                maximum=1.0,
                default=0.03,
            )
            for a in range(1, 5)
        ),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the rate at carrier x (Hz)."""
        field = np.array([theta["Bx"], theta["By"], theta["Bz"]], dtype=float)
        where, strength = lines(
            field, float(theta["D"]), float(theta["E"]), int(self.known("nitrogen")) or 15
        )
        half, sigma = max(float(theta["fwhm"]) / 2, 1e-300), self.known("sigma_detuning")
        total = np.zeros(np.shape(x))
        for axis in range(len(where)):
            seen = strength[axis].ravel() > 1e-4
            found, share = where[axis].ravel()[seen], strength[axis].ravel()[seen]
            total += theta[f"contrast_{axis + 1}"] * (share @ voigt(x - found[:, None], half, sigma))
        return np.asarray(theta["level"] * (1 - total))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Look for the field, coarse to fine, that puts eight equal lines where the spectrum dips."""
        order = np.argsort(x)
        level = float(np.quantile(y, 0.8))
        depth = np.maximum(1 - y[order] / level, -3 * float(np.median(error)) / level)
        near = np.array([self.known(f"near_{axis}") for axis in "xyz"])
        found = []
        for field, D in _fields(x[order], depth, near):
            close = _equivalent(field, near)
            dip = max(float(np.quantile(depth, 0.97)), 1e-4)
            found.append({
                **dict(zip(("Bx", "By", "Bz"), map(float, close), strict=True)), "D": D, "E": self.known("E"),
                "fwhm": 3 * float(np.median(np.diff(x[order]))), "level": level,
                **{f"contrast_{a}": min(dip, 0.3) for a in range(1, 5)},
            })  # fmt: skip
        return found

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the line's width, as a frequency and as a field."""
        del x
        part = 0.3 * float(theta["fwhm"])
        return {"D": part, "fwhm": part, **dict.fromkeys(("Bx", "By", "Bz"), part / GAMMA_NV)}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """Every axis has to have a line in the sweep; where lines merge, directions are told apart badly."""
        field = np.array([theta["Bx"], theta["By"], theta["Bz"]], dtype=float)
        found, strength = lines(
            field, float(theta["D"]), float(theta["E"]), int(self.known("nitrogen")) or 15
        )
        where = (found * strength).sum(axis=2)
        outside = int(((where < x.min()) | (where > x.max())).sum())
        return [f"{outside} of the eight lines lie outside the sweep."] if outside else []


def voigt(distance: Floats, half: float, sigma: float) -> Floats:
    """Return a Lorentzian of half width `half` and height 1, convolved with a normal distribution of rms `sigma`.

    Far out by its expansion L + sigma^2 L''/2, which is good to 1e-4 of the line's tail there.
    """
    square = distance**2 + half**2
    line = half**2 / square
    if sigma <= 0:
        return np.asarray(line)
    from scipy.special import wofz

    made = line + sigma**2 * half**2 * (3 * distance**2 - half**2) / square**3
    near = np.abs(distance) < 8 * (half + sigma)
    scaled = (distance[near] + 1j * half) / (sigma * math.sqrt(2))
    made[near] = math.sqrt(math.pi / 2) * half / sigma * wofz(scaled).real
    return np.asarray(made)


def _equivalent(field: Floats, near: Floats) -> Floats:
    """Return the field closest to `near` among those whose spectrum is the same."""
    signs = np.array(list(product((1, -1), repeat=3)))
    all48 = np.concatenate([field[list(order)] * signs for order in permutations(range(3))])
    # Without any hint: the one whose components are positive and fall.
    distance = np.linalg.norm(all48 - near, axis=1) if np.any(near) else -all48 @ np.array([1.0, 0.1, 0.01])
    return np.asarray(all48[int(np.argmin(distance))])


def _fields(x: Floats, depth: Floats, near: Floats) -> list[tuple[Floats, float]]:
    """Return the likeliest (field, D), best first; fields within the 48th of all that is told apart.

    Looked for everywhere, and closer where the field is said to be `near`.
    """
    span = float(x[-1] - x[0])
    D = float(np.clip((x[0] + x[-1]) / 2, D_NV - 5e6, D_NV + 5e6))
    largest = 0.5 * span / GAMMA_NV * math.sqrt(3)
    sizes = np.arange(0.04, 1.0, 0.02) * largest
    tried = (sizes[:, None, None] * _directions(11)).reshape(-1, 3)
    rng = np.random.default_rng(0)
    if np.any(near):
        cloud = near + 0.15 * np.linalg.norm(near) * rng.normal(size=(600, 3))
        tried = np.concatenate([tried, cloud])
    # Each field has a D of its own: that of a wrong match of lines and axes would lead the right one astray.
    offset = np.zeros(len(tried))
    width = 0.012 * span
    for step in range(LOOKS):
        score, at = _scores(x, depth, tried, D, offset, width)
        offset = offset + np.clip(at, -width / 4, width / 4)
        reach = width / GAMMA_NV
        # Those kept lie apart: a wrong match is a hill of its own, and may be the higher one yet.
        best = _apart(tried, score, reach, KEPT if step < LOOKS - 1 else 3)
        if step == LOOKS - 1:
            break
        kept = tried[best]
        tried = np.concatenate([kept, *(field + reach * rng.normal(size=(60, 3)) for field in kept)])
        offset = np.concatenate([offset[best], np.repeat(offset[best], 60)])
        width = max(width / 2, 1.5 * span / len(x))
    return [(tried[i], D + float(offset[i])) for i in best]


def _apart(fields: Floats, score: Floats, reach: float, count: int) -> list[int]:
    """Return the best few that lie further than `reach` T from each other, up to symmetry."""
    alike = -np.sort(-np.abs(fields), axis=1)
    chosen: list[int] = []
    for i in np.argsort(-score):
        if all(np.linalg.norm(alike[i] - alike[j]) > reach for j in chosen):
            chosen.append(int(i))
        if len(chosen) == count:
            break
    return chosen


def _directions(count: int) -> Floats:
    """Return unit vectors of falling positive components, (n, 3), a few degrees apart."""
    first, second = np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, count), indexing="ij")
    chosen = second <= first
    made = np.column_stack([np.ones(int(chosen.sum())), first[chosen], second[chosen]])
    return np.asarray(made / np.linalg.norm(made, axis=1)[:, None])


def _scores(
    x: Floats, depth: Floats, fields: Floats, D: float, offset: Floats, width: float
) -> tuple[Floats, Floats]:
    """Return how much of the dips equal lines of a width explain for each field, (n,), and by how much D is off.

    `offset` (n,) is by how much the D of each field is known to be off; more of it is looked for.
    """
    grid = np.linspace(x[0], x[-1], max(COARSE, int(2 * (x[-1] - x[0]) / width)))
    kernel = np.exp(-(((grid[:, None] - x) / width) ** 2))
    seen = kernel @ depth / kernel.sum(axis=1)
    seen = seen - np.median(seen)
    score, more = np.empty(len(fields)), np.zeros(len(fields))
    step = grid[1] - grid[0]
    for start in range(0, len(fields), 500):
        # A little of D moves all lines alike.
        where = electron_lines(fields[start : start + 500], D).reshape(-1, 8)
        where = where + offset[start : start + 500, None]
        shape = np.exp(-(((grid - where[..., None]) / (1.5 * width)) ** 2)).sum(axis=1)
        length = np.linalg.norm(shape, axis=1)
        tried = np.array([shape[:, 1:-1] @ np.roll(seen, s)[1:-1] for s in (-1, 0, 1)]) / length
        score[start : start + 500] = tried.max(axis=0)
        more[start : start + 500] = -step * (np.argmax(tried, axis=0) - 1)
    return score, more

"""Powers of x: polynomials and power laws."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import span


class Polynomial(FitModel):
    """A polynomial about the middle of the points: y = Σ_k c_k (x − centre)^k, a parabola by default.

    Context `free_c3` = 1 (… `free_c5`) frees a higher power, `--fix c2=0` holds one. `centre` is kept with the
    result.
    """

    name: ClassVar[str] = "polynomial"
    title: ClassVar[str] = "Polynomial"
    formula: ClassVar[str] = "Σ_k c_k (x − centre)^k"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("c0", "y", "value at the centre"),
        Variable("c1", "y/x", "slope at the centre"),
        Variable("c2", "y/x^2", "quadratic coefficient"),
        Variable("c3", "y/x^3", "cubic coefficient", free=False),
        Variable("c4", "y/x^4", "quartic coefficient", free=False),
        Variable("c5", "y/x^5", "quintic coefficient", free=False),
    )

    def settle(self, x: Curve) -> dict[str, float]:
        """Return the middle of the points."""
        return {"centre": float(np.mean([np.min(x), np.max(x)]))}

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the polynomial at x."""
        away = x - self.known("centre")
        return np.asarray(sum(theta[f"c{k}"] * away**k for k in range(6)))

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the polynomial and the powers."""
        away = x - self.known("centre")
        return self.evaluate(x, theta), {f"c{k}": away**k for k in range(6)}

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Solve the coefficients that are free by default, which is the answer already for a parabola."""
        away = (x - self.known("centre")) / span(x)
        matrix = np.stack([away**k for k in range(3)], axis=1) / error[:, None]
        found = np.linalg.lstsq(matrix, y / error, rcond=None)[0]
        return [{f"c{k}": float(found[k] / span(x) ** k) for k in range(3)}]

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return changes of the height of the curve over the range."""
        size = np.asarray(sum(np.abs(theta[f"c{k}"]) * span(x) ** k for k in range(6)))
        size = np.where(size > 0, size, 1.0)
        return {f"c{k}": size / span(x) ** k for k in range(6)}


class PowerLaw(FitModel):
    """A power law: y = amplitude·(x/reference)^exponent + offset, for x > 0; the offset is held at 0 by default.

    `reference` is the geometric mean of the points, where amplitude and exponent are known independently; it is
    kept with the result.
    """

    name: ClassVar[str] = "power_law"
    title: ClassVar[str] = "Power law"
    formula: ClassVar[str] = "amplitude·(x/reference)^exponent + offset"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("amplitude", "y", "value at the reference", essential=True),
        Variable("exponent", "1", "exponent", minimum=-12.0, maximum=12.0),
        Variable("offset", "y", "offset", free=False),
    )

    def settle(self, x: Curve) -> dict[str, float]:
        """Return the geometric mean of the points."""
        positive = x[x > 0]
        return {"reference": float(np.exp(np.mean(np.log(positive)))) if len(positive) else 1.0}

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the power law at x > 0."""
        with np.errstate(all="ignore"):
            power = (np.maximum(x, 1e-300) / (self.known("reference") or 1.0)) ** theta["exponent"]
        return np.asarray(theta["offset"] + theta["amplitude"] * power)

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the power law and its derivatives."""
        reduced = np.maximum(x, 1e-300) / (self.known("reference") or 1.0)
        power = reduced ** theta["exponent"]
        wave = theta["amplitude"] * power
        return np.asarray(theta["offset"] + wave), {
            "amplitude": power, "exponent": wave * np.log(reduced), "offset": np.ones_like(power)
        }  # fmt: skip

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan the exponent, solving the amplitude."""
        reduced = np.maximum(x, 1e-300) / (self.known("reference") or 1.0)
        exponents = np.arange(-6, 6.01, 0.25)
        shapes = reduced ** exponents[:, None] / error
        size = np.maximum(np.einsum("kn,kn->k", shapes, shapes), 1e-300)
        heights = shapes @ (y / error) / size
        best = int(np.argmax(heights**2 * size))
        return [{"amplitude": float(heights[best]), "exponent": float(exponents[best])}]

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the height for heights, and for the exponent what changes the curve by a tenth."""
        del x
        size = np.maximum(np.abs(theta["amplitude"]), 1e-300)
        return {"amplitude": size, "offset": size, "exponent": 0.1}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A power law says nothing of x ≤ 0."""
        del theta
        return ["A power law needs x > 0: leave out the other points."] if np.min(x) <= 0 else []

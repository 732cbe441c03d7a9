"""A straight line."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import span


class StraightLine(FitModel):
    """A straight line: y = offset + slope·x."""

    name: ClassVar[str] = "line"
    title: ClassVar[str] = "Straight line"
    formula: ClassVar[str] = "offset + slope·x"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("slope", "y/x", "slope"),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the line at x."""
        return np.asarray(theta["offset"] + theta["slope"] * x)

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Return the weighted least-squares line, which is the answer already."""
        weight = 1 / error**2
        centre, height = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = float(np.sum(weight * (x - centre) ** 2))
        slope = float(np.sum(weight * (x - centre) * (y - height))) / spread if spread > 0 else 0.0
        return [{"slope": slope, "offset": float(height - slope * centre)}]

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the line, and x and 1."""
        return self.evaluate(x, theta), {"slope": x, "offset": np.ones_like(x)}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return changes of the height of the line over the range."""
        size = np.abs(theta["offset"]) + np.abs(theta["slope"]) * span(x)
        size = np.where(size > 0, size, 1.0)
        return {"slope": size / span(x), "offset": size}

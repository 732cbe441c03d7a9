"""A straight line."""

from typing import ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import span


class StraightLine(FitModel):
    """A straight line: y = offset + slope·x."""

    name: ClassVar[str] = "line"
    title: ClassVar[str] = "Straight line"
    formula: ClassVar[str] = "offset + slope·x"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("slope", "y/x", "slope"),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the line at x."""
        return theta["offset"] + theta["slope"] * x

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Return the weighted least-squares line, which is the answer already."""
        weight = 1 / error**2
        centre, height = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = float(np.sum(weight * (x - centre) ** 2))
        slope = float(np.sum(weight * (x - centre) * (y - height))) / spread if spread > 0 else 0.0
        return [{"slope": slope, "offset": float(height - slope * centre)}]

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return changes of the height of the line over the range."""
        size = abs(theta["offset"]) + abs(theta["slope"]) * span(x)
        return {"slope": (size or 1.0) / span(x), "offset": size or 1.0}

"""What a fit model is: a curve with named parameters, starting values from the data, derived values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Theta = Mapping[str, float]
Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Variable:
    """One parameter of a model: its unit, its name for people, its bounds, and whether it is free by default."""

    name: str
    unit: str = "1"  # "x" and "y" stand for the unit of the axis and of the signal, "1/x" for its inverse
    label: str = ""
    minimum: float = -np.inf
    maximum: float = np.inf
    free: bool = True
    default: float = 0.0


@dataclass(frozen=True)
class FitModel:
    """A curve y(x; theta). Subclasses give `name`, `title`, `parameters`, `evaluate` and `guess`."""

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    parameters: ClassVar[tuple[Variable, ...]] = ()
    context: Mapping[str, float] = field(default_factory=dict)

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the curve at x; same shape as x."""
        raise NotImplementedError

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Return one or more sets of starting values read off the data, the likeliest first."""
        raise NotImplementedError

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return derived values as name -> (value, unit, label); their errors are propagated."""
        del theta
        return {}

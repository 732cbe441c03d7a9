"""What a fit model is: a curve with named parameters, starting values from the data, derived values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qlab.fits.starts import Candidates, remembered

Theta = Mapping[str, Any]  # numbers; for `batched` models also arrays (traces, 1), one number for each trace
Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Variable:
    """One parameter of a model: its unit, its name for people, its bounds, and whether it is free by default.

    `essential`: the fit means nothing where its relative error exceeds 1 (an amplitude, a decay time).
    `squared`: the curve depends on its square only, so that the square is what can be fitted near zero.
    """

    name: str
    unit: str = "1"  # "x" and "y" stand for the unit of the axis and of the signal; also "1/x" and "y/x"
    label: str = ""
    minimum: float = -np.inf
    maximum: float = np.inf
    free: bool = True
    default: float = 0.0
    essential: bool = False
    squared: bool = False


@dataclass(frozen=True)
class FitModel:
    """A curve y(x; theta). Subclasses give `name`, `title`, `parameters`, `evaluate` and `guess` or `candidates`.

    `context` holds what is known of the run (fixed numbers, SI units). A parameter that is not free takes its
    value from the context entry of its name, else its default; the entries `fix_NAME` (a value to hold) and
    `free_NAME` (not 0) change which parameters are free.
    A `batched` model takes arrays for the values of theta, which broadcast against x (points,), and returns
    (traces, points): then many traces are fitted at once.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    feature: ClassVar[str] = ""  # what a flat trace lacks ("fringe"); empty where a flat trace is a result
    axis_unit: ClassVar[str] = ""  # the unit that x has to have ("s", "Hz"); empty where any will do
    batched: ClassVar[bool] = False
    quadratures: ClassVar[bool] = False  # the curve is complex; both its parts are measured
    counts: ClassVar[bool] = True  # may describe counts, whose errors follow from the curve itself
    parameters: ClassVar[tuple[Variable, ...]] = ()
    context: Mapping[str, float] = field(default_factory=dict)

    def evaluate(self, x: Curve, theta: Theta) -> Any:
        """Return the curve at x; same shape as x (complex for `quadratures`)."""
        raise NotImplementedError

    def residual(self, x: Curve, y: Curve, error: Curve, theta: Theta) -> Curve:
        """Return (curve − y)/error; shape (points,), or (traces, points) for values that are arrays.

        For `quadratures` y and error hold the real parts, then the imaginary parts: twice as many as x.
        """
        curve = self.evaluate(x, theta)
        if self.quadratures:
            curve = np.concatenate([curve.real, curve.imag], axis=-1)
        return np.asarray((curve - y) / error)

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]] | None:
        """Return the curve and its derivatives by name, where they are known in closed form; else None."""
        del x, theta
        return None

    def candidates(self, x: Curve) -> Candidates | None:
        """Return the shapes to try for starting values; None where `guess` finds them in its own way."""
        del x
        return None

    def tried(self, x: Curve) -> Candidates | None:
        """Return the candidates, kept from the last fit over the same points."""
        return remembered((type(self), tuple(sorted(self.context.items()))), x, self.candidates)

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Return one or more sets of starting values read off the data, the likeliest first."""
        found = self.tried(x)
        if found is None:
            raise NotImplementedError
        return found.starts(y, error)

    def settle(self, x: Curve) -> dict[str, float]:
        """Return context entries that the points themselves give (a centre); kept with the result."""
        del x
        return {}

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return derived values as name -> (value, unit, label); their errors are propagated.

        While they are, a negative value of a `squared` parameter stands for a negative square.
        """
        del theta
        return {}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the sizes of change that matter, for parameters whose own size does not say it."""
        del x, theta
        return {}

    def spread(self, x: Curve, theta: Theta) -> Curve | None:
        """Return how the variance of one repetition runs along x, (sources, points); None where nothing is known.

        One row for each independent source of noise, of any size: how large each is, the data tell (see
        `qlab.fits.spread`).
        """
        del x, theta
        return None

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """Return reasons, in plain words, why fitted values should not be believed for these x."""
        del x, theta
        return []

    def known(self, name: str) -> float:
        """Return a number of the context, else the default of the parameter of that name, else 0."""
        if name in self.context:
            return float(self.context[name])
        return next((v.default for v in self.parameters if v.name == name), 0.0)

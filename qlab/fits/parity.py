"""The parity of entangled particles against phase."""

from typing import ClassVar

from qlab.fits.binomial import deviance
from qlab.fits.damped_cosine import Fringe
from qlab.fits.model import Curve, Theta, Variable


class ParityFringe(Fringe):
    """A fringe of the share of even shots: y = level·[1 + visibility·cos(2πx/period + phase)], by binomial likelihood.

    The contrast of the parity is 2·level·visibility. x: phase in rad; N particles have the period 2π/N, which is held.
    Source: Bollinger et al., PRA 54, R4649 (1996).
    """

    name: ClassVar[str] = "parity_fringe"
    title: ClassVar[str] = "Parity fringe"
    counts: ClassVar[bool] = False
    parameters: ClassVar[tuple[Variable, ...]] = Fringe.parameters

    def residual(self, x: Curve, y: Curve, error: Curve, theta: Theta) -> Curve:
        """Return the signed roots of the deviance."""
        return deviance(self.evaluate(x, theta), y, error)

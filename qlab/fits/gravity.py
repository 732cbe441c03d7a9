"""The fringe of an atom interferometer in a chirp of its lasers: where it stands still, atoms fall with g."""

import math
from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, span, with_constant


class GravityFringe(FitModel):
    """y = level·[1 − contrast·cos((k·shift − 2πx)·scale)], x the chirp beyond k·g₀/2π in Hz/s.

    `shift` is g − g₀ in m/s². Context: `k` (rad/m), `scale` (s², (T + 2τ)(T + 4τ/π)), `nominal` g₀ (m/s²). Of the
    fringes, 2π/(k·scale) apart, the one next to g₀ is meant. Source: Peters, Metrologia 38, 25 (2001); physics.md P25.
    """

    name: ClassVar[str] = "gravity_fringe"
    title: ClassVar[str] = "Gravimeter fringe"
    formula: ClassVar[str] = "level·[1 − C·cos((k·δg − 2πx)·(T+2τ)(T+4τ/π))]"
    feature: ClassVar[str] = "fringe"
    axis_unit: ClassVar[str] = "Hz/s"
    batched: ClassVar[bool] = True
    counts: ClassVar[bool] = False
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("shift", "m/s2", "g − g₀"),
        Variable("contrast", "1", "contrast", minimum=0.0, maximum=1.1, default=0.5, essential=True),
        Variable("level", "y", "level", minimum=0.0, default=0.5),
    )

    def _phase(self, x: Curve, shift: Any) -> Any:
        return (self.known("k") * shift - 2 * np.pi * x) * self.known("scale")

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the share of excited atoms at chirp x (Hz/s)."""
        turn = np.cos(self._phase(x, theta["shift"]))
        return np.asarray(theta["level"] * (1 - theta["contrast"] * turn))

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the fringe and its derivatives."""
        phase = self._phase(x, theta["shift"])
        turn = np.cos(phase)
        whole = 1 - theta["contrast"] * turn
        rising = theta["level"] * theta["contrast"] * np.sin(phase) * self.known("k") * self.known("scale")
        return np.asarray(theta["level"] * whole), {
            "shift": rising,
            "contrast": -theta["level"] * turn,
            "level": whole,
        }

    def candidates(self, x: Curve) -> Candidates:
        """Scan one fringe around g₀, solving level and contrast."""
        fringe = 2 * math.pi / (self.known("k") * self.known("scale"))
        shift = np.linspace(-fringe / 2, fringe / 2, 48, endpoint=False)
        shape = -np.cos(self._phase(x, shift[:, None]))
        return Candidates({"shift": shift}, with_constant(shape), shift, fringe / 10, 2, _read, _upside_down)

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return g."""
        return {"gravity": (self.known("nominal") + theta["shift"], "m/s2", "gravity g")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of a fringe."""
        del x, theta
        return {"shift": 0.3 / (self.known("k") * self.known("scale")), "contrast": 0.2, "level": 0.2}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """Less than half a fringe does not tell where it stands still."""
        del theta
        if span(x) * self.known("scale") < 0.5:
            return ["The scan covers less than half a fringe: widen it."]
        return []


def _read(coefficients: Curve) -> dict[str, Curve]:
    level = np.where(coefficients[..., 0] > 0, coefficients[..., 0], 1e-12)
    return {"level": level, "contrast": coefficients[..., 1] / level}


def _upside_down(coefficients: Curve) -> Any:
    return coefficients[..., 1] < 0

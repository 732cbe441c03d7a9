"""The fringe of a Mach–Zehnder interferometer with known light, by any of its readouts."""

import math
from typing import Any, ClassVar

import numpy as np

from qlab.fits.binomial import deviance
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.physics.systems.interferometer import READOUTS, Interferometer


class MachZehnder(FitModel):
    """What a readout shows at the phase scale·x + phase, exact for coherent, squeezed and NOON light with loss.

    Context: `photons`, `squeezing` (dB), `noon` (N, 0 for Gaussian light), `readout` (0 parity, 1 clicks, 2 difference,
    3 homodyne), `angle`, `dark` (counts in a shot). x: phase asked of the shifter, rad. Arms and phase noise are
    held: with one readout they look much as the efficiency of the detectors does. Source: physics.md M10.
    """

    name: ClassVar[str] = "mach_zehnder"
    title: ClassVar[str] = "Mach–Zehnder fringe of known light"
    formula: ClassVar[str] = "⟨readout⟩ at scale·x + φ₀"
    feature: ClassVar[str] = "fringe"
    axis_unit: ClassVar[str] = "rad"
    counts: ClassVar[bool] = False
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("phase", "rad", "phase at x = 0"),
        Variable("scale", "1", "scale of the phase shifter", minimum=0.2, maximum=5.0, default=1.0),
        Variable(
            "efficiency", "1", "detector efficiency", minimum=1e-4, maximum=1.0, default=0.9, essential=True
        ),
        Variable("arm_a", "1", "efficiency of arm a", minimum=0.0, maximum=1.0, free=False, default=1.0),
        Variable("arm_b", "1", "efficiency of arm b", minimum=0.0, maximum=1.0, free=False, default=1.0),
        Variable("spread", "rad", "phase noise, rms", minimum=0.0, free=False),
    )

    def system(self, theta: Theta) -> Interferometer:
        """Return the interferometer."""
        return Interferometer(
            photons=self.known("photons"), squeezing=self.known("squeezing"), noon=int(self.known("noon")),
            arms=(float(theta["arm_a"]), float(theta["arm_b"])), spread=abs(float(theta["spread"])),
            efficiency=float(np.clip(theta["efficiency"], 0.0, 1.0)), dark=self.known("dark"),
            angle=self.context.get("angle", math.pi / 2),
        )  # fmt: skip

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the mean of the readout at x (rad)."""
        readout = READOUTS[int(self.known("readout"))]
        return self.system(theta).signal(theta["scale"] * x + theta["phase"], readout)

    def residual(self, x: Curve, y: Curve, error: Curve, theta: Theta) -> Curve:
        """Return those of shares of shots (parity, clicks), or (curve − y)/error."""
        if self.known("readout") < 2:
            return deviance(self.evaluate(x, theta), y, error)
        return super().residual(x, y, error, theta)

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan phase and efficiency; of phases that fit alike the one nearest to 0 is meant."""
        held = {v.name: self.known(v.name) for v in self.parameters}
        fringe = math.pi / max(self.known("noon"), 1.0)
        found = []
        for efficiency in (0.9, 0.6, 0.3):
            for phase in np.linspace(-fringe, fringe, 25)[:-1]:
                theta = {**held, "phase": float(phase), "efficiency": efficiency}
                chi2 = float(np.sum(((y - self.evaluate(x, theta)) / error) ** 2))
                found.append((chi2, {name: theta[name] for name in ("phase", "scale", "efficiency")}))
        return [theta for _, theta in sorted(found, key=lambda pair: pair[0])[:3]]

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of a fringe and a few percent."""
        del x, theta
        return {"phase": 0.3 / max(self.known("noon"), 1.0), "scale": 0.05, "efficiency": 0.1, "spread": 0.05}

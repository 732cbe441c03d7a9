"""One-axis twisting: the Wineland parameter against the time of twisting."""

import math
from typing import ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.physics.constants import TWO_PI
from qlab.physics.systems.collective import CollectiveSpin


class OneAxisTwisting(FitModel):
    """Squeezing in dB: y = 10 lg{N [Var(t, a) + s²/2]/⟨Jx⟩²}, Var and ⟨Jx⟩ exact for χ Jz² on N spins along x.

    x: twisting time in s. The turn a about x was chosen for `asked_chi`; s is the detection noise in each state, in
    atoms; Γ shakes the phase of all spins alike (coherence exp(−Γt)). Context: `atoms` N, `asked_chi` (Hz).
    Source: Kitagawa and Ueda, PRA 47, 5138 (1993); Wineland et al., PRA 50, 67 (1994).
    """

    name: ClassVar[str] = "one_axis_twisting"
    title: ClassVar[str] = "One-axis twisting"
    formula: ClassVar[str] = "10 lg{N·[Var(t,a) + s²/2]/⟨Jx⟩²}"
    feature: ClassVar[str] = "squeezing"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("chi", "Hz", "twisting rate χ/2π", minimum=0.0, essential=True),
        Variable("detection_noise", "1", "detection noise s", minimum=0.0, squared=True),
        Variable("dephasing", "1/x", "collective dephasing Γ", minimum=0.0, free=False),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the squeezing in dB after twisting for x (s)."""
        atoms = int(self.known("atoms"))
        angle = CollectiveSpin(atoms).best_angle(TWO_PI * self.known("asked_chi") * x)
        noise = theta["detection_noise"]
        added = noise * abs(noise) / 2
        y = np.empty_like(x)
        for i, time in enumerate(x):
            shaken = math.sqrt(max(2 * theta["dephasing"] * float(time), 0.0))
            spin = CollectiveSpin(atoms, collective=shaken)
            twist = np.asarray(TWO_PI * theta["chi"] * time)
            mean = float(spin.moments(twist)[0])
            quiet = max(float(spin.variance(twist, angle[i])) + added, 1e-12)
            y[i] = 10 * math.log10(atoms * quiet / max(mean**2, 1e-12))
        return y

    def spread(self, x: Curve, theta: Theta) -> Curve:
        """Return the variance of a variance in dB: 2 + kurtosis, over the number of shots; (1, points).

        Far beyond the best twist the state wraps around the sphere and its tails grow long. The shared shaking is left
        out: it changes the tails little. The length of the spin scatters much less than its quiet quadrature.
        """
        atoms = int(self.known("atoms"))
        spin = CollectiveSpin(atoms)
        angle = spin.best_angle(TWO_PI * self.known("asked_chi") * x)
        added = theta["detection_noise"] ** 2 / 2
        made = np.empty(len(x))
        for i, time in enumerate(x):
            state = spin.turn(spin.twisted(TWO_PI * theta["chi"] * float(time)), float(angle[i]))
            share = np.abs(state) ** 2
            second, fourth = (float(share @ spin.m**k) for k in (2, 4))
            made[i] = 2 + (fourth - 3 * second**2) / (second + added) ** 2
        return made[None]

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan rates around the one that was asked for."""
        asked = self.known("asked_chi")
        tried = []
        for share in (0.5, 0.7, 0.85, 0.95, 1.0, 1.05, 1.15, 1.3, 1.6):
            for noise in (0.3, 1.5, 5.0):
                theta = {"chi": share * asked, "detection_noise": noise, "dephasing": self.known("dephasing")}
                chi2 = float(np.sum(((y - self.evaluate(x, theta)) / error) ** 2))
                tried.append((chi2, theta))
        return [theta for _, theta in sorted(tried, key=lambda pair: pair[0])[:3]]

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return a percent of the rate and an atom."""
        del x, theta
        return {"chi": 0.01 * self.known("asked_chi"), "detection_noise": 1.0}

"""Dispersive readout: the error of assignment against the length of the window."""

from typing import ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.physics.constants import TWO_PI
from qlab.physics.dispersive import Resonator


class ReadoutError(FitModel):
    """Error of assignment: y(T) = p + (1 − 2p)·½[½erfc(z0/√2) + P(0|1)].

    z0 = m/σ with m half the distance of the integrated clouds and σ = 1/(2√(κT)); P(0|1) averages the same over the
    moment of a decay with T1 within the window. Symmetric probe: the threshold is midway. `separation` is the settled
    distance of the fields times √η, in square roots of a photon; p mixes up the prepared states.
    Context: `linewidth` κ/2π and `shift` χ/2π in Hz. x: window in s. Source: Gambetta et al., PRA 76, 012325 (2007).
    """

    name: ClassVar[str] = "readout_error"
    title: ClassVar[str] = "Assignment error of dispersive readout"
    formula: ClassVar[str] = "p + (1−2p)·½[½erfc(m/(√2σ)) + ⟨½erfc(m₁/(√2σ))⟩]"
    feature: ClassVar[str] = "dependence on the window"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("separation", "1", "separation √η·|α₁−α₀|", minimum=0.0, essential=True),
        Variable("T1", "s", "T1", minimum=0.0, essential=True),
        Variable("preparation", "1", "preparation error p", minimum=0.0, maximum=0.5),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the error of assignment for windows x (s)."""
        from scipy.special import erfc

        kappa = TWO_PI * self.known("linewidth")
        pull = TWO_PI * self.known("shift")
        probe = Resonator(kappa, np.array([-pull, pull]), 1.0, 1.0)
        apart = probe.settled[1] - probe.settled[0]
        scale = theta["separation"] / abs(apart)
        axis = np.exp(-1j * np.angle(apart))
        nodes, weights = np.polynomial.legendre.leggauss(48)
        y = np.empty_like(x)
        rate = 1 / max(theta["T1"], 1e-12)
        for i, window in enumerate(x):
            sigma = probe.noise(float(window))
            # Nodes crowd early, where a decay matters most for short T1.
            moments = window * (nodes + 1) / 2
            ends = np.concatenate([moments, [2 * window]])
            excited = probe.integrate(np.ones(len(ends), dtype=np.int64), ends[None, :], float(window))
            ground = probe.mean_field(0, float(window))
            centre = (ground + excited[-1]) / 2
            along = ((excited - centre) * axis).real * scale / sigma
            missed = 0.5 * erfc(along / np.sqrt(2))
            density = rate * np.exp(-rate * moments) * weights * window / 2
            zeros = float(density @ missed[:-1]) + float(np.exp(-rate * window) * missed[-1])
            y[i] = (missed[-1] + zeros) / 2
        return np.asarray(theta["preparation"] + (1 - 2 * theta["preparation"]) * y)

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan separation and T1, the preparation error from the lowest point."""
        del error
        floor = float(np.clip(np.min(y) / 2, 1e-4, 0.2))
        return [
            {"separation": s, "T1": t, "preparation": floor}
            for s in (0.3, 1.0, 3.0)
            for t in (3 * float(x.max()), 30 * float(x.max()))
        ]

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return a small share for the preparation error, which may be 0."""
        del x, theta
        return {"preparation": 0.01}

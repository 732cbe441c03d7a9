"""The line of a Rabi pulse on a clock transition."""

from typing import ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import best_distinct, grid_of, project_shapes, span
from qlab.physics.constants import TWO_PI
from qlab.physics.noise import gauss_hermite
from qlab.physics.propagate import expm


class ClockLine(FitModel):
    """A Rabi line: y = floor + contrast·⟨P(δ)⟩, without decay P = Ω²/(Ω²+δ²)·sin²(π√(Ω²+δ²)·T), δ = x − centre.

    x: offset of the oscillator in Hz. Context: `duration` T of the pulse in s, `lifetime` of the excited state in s
    (0 or absent: none), `laser_noise`, the rms in Hz by which the oscillator differs from shot to shot. With decay P
    follows from the Bloch equations. For ΩT = 1/2 the line is 0.7987/T wide (Ludlow et al., RMP 87, 637 (2015); P16).
    """

    name: ClassVar[str] = "clock_line"
    title: ClassVar[str] = "Rabi line of a clock transition"
    formula: ClassVar[str] = "floor + C·Ω²/(Ω²+δ²)·sin²(π√(Ω²+δ²)T)"
    feature: ClassVar[str] = "line"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("centre", "Hz", "line centre"),
        Variable("rabi_frequency", "Hz", "Rabi frequency Ω", minimum=0.0, essential=True),
        Variable("contrast", "1", "contrast", minimum=0.0, essential=True, default=0.9),
        Variable("floor", "1", "floor"),
    )

    def _shape(self, offset: Curve, rabi: Curve | float) -> Curve:
        rate2 = rabi**2 + offset**2
        duration = self.known("duration")
        return np.asarray((rabi * np.pi * duration * np.sinc(np.sqrt(rate2) * duration)) ** 2)

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the share of excited atoms at offsets x (Hz)."""
        z, weights = gauss_hermite(7)
        offset = np.add.outer(x - theta["centre"], self.known("laser_noise") * z)
        lifetime = self.known("lifetime")
        rabi = theta["rabi_frequency"]
        shape = self._decaying(offset, rabi, lifetime) if lifetime > 0 else self._shape(offset, rabi)
        return np.asarray(theta["floor"] + theta["contrast"] * (shape @ weights))

    def _decaying(self, offset: Curve, rabi: float, lifetime: float) -> Curve:
        """Return the excitation by the Bloch equations, (u, v, w, 1), with decay of the excited state."""
        rate = 1 / lifetime
        bloch = np.zeros((*offset.shape, 4, 4))
        bloch[..., 0, 1], bloch[..., 1, 0] = TWO_PI * offset, -TWO_PI * offset
        bloch[..., 1, 2], bloch[..., 2, 1] = -TWO_PI * rabi, TWO_PI * rabi
        bloch[..., 0, 0] = bloch[..., 1, 1] = -rate / 2
        bloch[..., 2, 2] = bloch[..., 2, 3] = -rate
        turned = expm(bloch * self.known("duration"))
        return np.asarray((1 - turned[..., 2, 2] + turned[..., 2, 3]) / 2)

    def spread(self, x: Curve, theta: Theta) -> Curve:
        """Return the variance of projection, p(1 − p), and that of a laser that wanders from shot to shot."""
        step = 0.01 / self.known("duration")
        here, ahead, behind = (self.evaluate(x + d, theta) for d in (0.0, step, -step))
        share = np.clip(here, 1e-3, 1 - 1e-3)
        slope, bend = (ahead - behind) / (2 * step), (ahead - 2 * here + behind) / step**2
        wander = self.known("laser_noise")
        return np.array([share * (1 - share), (slope * wander) ** 2 + (bend * wander**2) ** 2 / 2])

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan centre and Rabi frequency, solving height and floor."""
        width = 0.5 / self.known("duration")
        count = int(np.clip(8 * span(x) / width, 40, 800))
        centre, rabi = grid_of(np.linspace(x.min(), x.max(), count), width * np.array([0.5, 0.8, 1.0, 1.3]))
        shape = self._shape(x - centre[:, None], rabi[:, None])
        chi2, floor, height = project_shapes(shape, y, error)
        chi2 = chi2 + np.where(height < 0, 1e3 * len(x), 0.0)
        return [
            {
                "centre": centre[i],
                "rabi_frequency": rabi[i],
                "contrast": max(height[i], 1e-3),
                "floor": floor[i],
            }
            for i in best_distinct(chi2, centre, width, 3)
        ]

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the duration of a π pulse at this Rabi frequency."""
        return {"pi_time": (0.5 / max(theta["rabi_frequency"], 1e-100), "s", "π pulse duration")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return a tenth of the width for the centre, a percent for the floor."""
        del x, theta
        return {"centre": 0.05 / self.known("duration"), "floor": 0.01, "contrast": 0.1}

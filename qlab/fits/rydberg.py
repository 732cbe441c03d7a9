"""Transparency of a warm Rydberg vapour, split by a radio field."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.lines import line_doubts
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import span
from qlab.physics.systems.rydberg import RydbergLadder, field_of


class RydbergLines(FitModel):
    """y = level·exp[−depth·A(x)], A the absorption of a weak probe by four levels, averaged over velocities.

    x: detuning of the coupling laser in Hz, or, with context `probe` 1, of the probe. Context: `temperature` (K, 0 for
    atoms at rest), `radio_detuning` (Hz), `probe_wavelength`, `coupling_wavelength` (m), `dipole` (e·a₀) for the field.
    Source: Sedlacek et al., Nat. Phys. 8, 819 (2012); physics.md M9, P28.
    """

    name: ClassVar[str] = "rydberg_lines"
    title: ClassVar[str] = "Rydberg transparency in a radio field"
    formula: ClassVar[str] = "level·exp[−depth·A(x; Ω_c, Ω_RF, γ)]"
    feature: ClassVar[str] = "resonance line"
    axis_unit: ClassVar[str] = "Hz"
    counts: ClassVar[bool] = False
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "centre"),
        Variable("radio", "Hz", "Rabi frequency of the field Ω_RF/2π", minimum=0.0, squared=True),
        Variable("coupling", "Hz", "Rabi frequency of the coupling Ω_c/2π", minimum=0.0, essential=True),
        Variable("dephasing", "Hz", "dephasing γ/2π", minimum=1e3, default=2e5),
        Variable("level", "y", "level without atoms", essential=True),
        Variable("depth", "1", "optical depth", minimum=0.0, free=False, default=1.0),
    )

    def system(self, theta: Theta) -> RydbergLadder:
        """Return the ladder; a negative `radio` stands for a negative square."""
        probe, coupling = (
            self.known("probe_wavelength") or 780.241209686e-9,
            self.known("coupling_wavelength") or 480e-9,
        )
        return RydbergLadder(
            coupling=float(theta["coupling"]), radio=_signed_root(float(theta["radio"])),
            dephasing=max(float(theta["dephasing"]), 1.0), radio_detuning=self.known("radio_detuning"),
            temperature=self.context.get("temperature", 300.0), wavelengths=(probe, coupling),
        )  # fmt: skip

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the transmitted light at detuning x (Hz)."""
        away, rest = x - theta["frequency"], np.zeros_like(x)
        probe, coupling = (away, rest) if self.known("probe") else (rest, away)
        return np.asarray(
            theta["level"] * self.system(theta).transmission(probe, coupling, float(theta["depth"]))
        )

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan splitting, coupling and dephasing around the middle of what is high, solving the level."""
        height = np.maximum(y - np.quantile(y, 0.3), 0.0) ** 2
        middle = float((height * x).sum() / max(float(height.sum()), 1e-300))
        found = []
        for centre in (middle, float(np.mean(x))):
            for radio in span(x) * np.array([0.0, 0.05, 0.1, 0.18, 0.27, 0.38, 0.5, 0.65]):
                for coupling in (1.5e6, 4e6, 9e6):
                    theta = {"frequency": centre, "radio": float(radio), "coupling": coupling, "dephasing": 2e5,
                             "level": 1.0, "depth": self.known("depth")}  # fmt: skip
                    shape = self.evaluate(x, theta)
                    level = float((shape * y / error**2).sum() / (shape**2 / error**2).sum())
                    chi2 = float((((level * shape - y) / error) ** 2).sum())
                    free = {k: v for k, v in theta.items() if k != "depth"}
                    found.append((chi2, {**free, "level": level}))
        return [theta for _, theta in sorted(found, key=lambda pair: pair[0])[:3]]

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the field where the dipole moment is known."""
        if not self.known("dipole") > 0:
            return {}
        return {"electric_field": (field_of(theta["radio"], self.known("dipole")), "V/m", "electric field")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the coupling for frequencies."""
        del x
        width = 0.2 * theta["coupling"]
        return {"frequency": width, "radio": width, "coupling": width, "dephasing": 1e5, "depth": 0.1}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The lines have to lie in the sweep."""
        width = theta["coupling"] / 2
        sides = [line_doubts(x, theta["frequency"] + side * theta["radio"] / 2, width) for side in (-1, 1)]
        return (sides[0] + sides[1])[:1]


def _signed_root(value: float) -> Any:
    """Return a Rabi frequency whose square has the sign of the value."""
    return value if value >= 0 else 1j * -value

"""Electromagnetically induced transparency: the absorption of a probe beside a coupling field."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.decay import sizes
from qlab.fits.lines import line_doubts
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, grid_of, heights, span, with_constant


class Transparency(FitModel):
    """EIT: y = offset + amplitude·Re{γ/[γ − iΔ + (Ω²/4)/(γ₂ − i(Δ − δ))]}, Δ = x − frequency.

    γ = fwhm/2 of the probed line, γ₂ = `dark_width`/2 of the dark state, Ω the Rabi frequency of the coupling field
    and δ (held at 0) where its two-photon resonance stands from the line; all in Hz. `amplitude` is the absorption
    without coupling; negative for transmission. The same formula reaches from EIT (Ω < γ) to the Autler–Townes
    doublet (Ω > γ). Source: Fleischhauer, Imamoğlu, Marangos, RMP 77, 633 (2005), eq. 11.
    """

    name: ClassVar[str] = "eit"
    title: ClassVar[str] = "Electromagnetically induced transparency"
    formula: ClassVar[str] = "offset + amplitude·Re{γ/[γ − iΔ + Ω²/4/(γ₂ − i(Δ−δ))]}"
    feature: ClassVar[str] = "resonance line"
    axis_unit: ClassVar[str] = "Hz"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "centre of the line"),
        Variable("fwhm", "Hz", "width of the line (FWHM)", minimum=0.0, essential=True),
        Variable("coupling", "Hz", "Rabi frequency of the coupling Ω", minimum=0.0, essential=True),
        Variable("dark_width", "Hz", "width of the dark state 2γ₂", minimum=0.0),
        Variable("detuning", "Hz", "detuning of the coupling δ", free=False),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the absorption at probe frequency x (Hz)."""
        half = np.maximum(theta["fwhm"] / 2, 1e-300)
        delta = x - theta["frequency"]
        dark = theta["dark_width"] / 2 - 1j * (delta - theta["detuning"])
        dark = np.where(np.abs(dark) > 1e-12 * half, dark, 1e-12 * half)
        absorbed = (half / (half - 1j * delta + theta["coupling"] ** 2 / 4 / dark)).real
        return np.asarray(theta["offset"] + theta["amplitude"] * absorbed)

    def candidates(self, x: Curve) -> Candidates:
        """Scan centre, widths and coupling, solving offset and amplitude."""
        centres = np.linspace(float(np.min(x)), float(np.max(x)), 33)
        centre, width, ratio, dark = grid_of(
            centres, np.geomspace(span(x) / 20, span(x), 6), [0.15, 0.4, 1.0, 2.5, 6.0], [0.01, 0.1]
        )
        theta = {
            "frequency": centre[:, None], "fwhm": width[:, None], "coupling": (ratio * width)[:, None],
            "dark_width": (dark * width)[:, None], "detuning": self.known("detuning"), "offset": 0.0, "amplitude": 1.0,
        }  # fmt: skip
        values = {"frequency": centre, "fwhm": width, "coupling": ratio * width, "dark_width": dark * width}
        position = centre / span(x) + 0.7 * np.log(ratio) + 0.31 * np.log(width)
        return Candidates(values, with_constant(self.evaluate(x, theta)), position, 0.05, 4, heights)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the width of the line for frequencies, the height for heights."""
        del x
        width = 0.2 * theta["fwhm"]
        dark = 0.2 * np.maximum(theta["dark_width"], 0.01 * theta["fwhm"])
        return {**sizes(theta), "frequency": width, "coupling": width, "dark_width": dark, "detuning": width}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep, or a window narrower than a step, is not measured by it."""
        window = theta["dark_width"] + theta["coupling"] ** 2 / max(theta["fwhm"], 1e-300)
        return line_doubts(x, theta["frequency"], min(window, theta["fwhm"] + theta["coupling"]))

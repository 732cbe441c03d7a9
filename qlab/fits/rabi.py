"""Rabi oscillations of a hyperfine triplet or doublet."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.sampling import alias_doubts
from qlab.fits.starts import (
    best_distinct,
    frequencies,
    grid_of,
    levels,
    project,
    project_shapes,
    span,
)
from qlab.fits.two_level import (
    HYPERFINE_14N,
    HYPERFINE_15N,
    NITROGEN_14,
    NITROGEN_15,
    gaussian_nodes,
    line_offsets,
    rabi_transfer,
)


class _RabiLines(FitModel):
    """Rabi oscillations averaged over the lines of a nucleus."""

    projections: ClassVar[tuple[float, ...]] = NITROGEN_14
    feature: ClassVar[str] = "oscillation"
    axis_unit: ClassVar[str] = "s"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("rabi_frequency", "Hz", "Rabi frequency Ω", minimum=0.0, essential=True),
        Variable("detuning", "Hz", "detuning |Δ|", minimum=0.0, squared=True),
        Variable("contrast", "1", "contrast", minimum=0.0, maximum=1.0, essential=True, default=0.3),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
        Variable("hyperfine", "Hz", "hyperfine splitting A", minimum=0.0, free=False, default=HYPERFINE_14N),
        Variable("sigma_detuning", "Hz", "static detuning σ", minimum=0.0, free=False, squared=True),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the mean signal after a pulse of duration x (s)."""
        offsets = line_offsets(theta["hyperfine"], self.known("asymmetry"), self.projections)
        shifts, weights = gaussian_nodes(theta["sigma_detuning"], float(np.max(x)))
        delta = theta["detuning"] - offsets[:, None] - shifts
        transfer = rabi_transfer(self._slowed(theta["rabi_frequency"]), delta, x)
        mean = np.einsum("mg...,g->...", transfer, weights / len(offsets))
        return np.asarray(theta["level"] * (1 - theta["contrast"] * mean))

    def _slowed(self, rabi: Curve) -> Curve:
        """Return the rate at which the spin flops: the other transition, far off, takes Ω³/(8 D²) of it."""
        distance = self.known("other_line")
        loss = rabi**2 / (8 * distance**2) if distance else 0.0
        return np.asarray(rabi * (1 - np.where(abs(distance) > 2 * rabi, loss, 0.0)))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Find the dominant frequencies, then scan how each splits into Rabi frequency and detuning."""
        trial = frequencies(x)
        phase = 2 * np.pi * np.outer(trial, x)
        chi2, _ = project(np.stack([np.ones_like(phase), np.cos(phase), np.sin(phase)], axis=1), y, error)
        peaks = trial[best_distinct(chi2, trial, 1.5 / span(x), 3)]
        # The strongest peak need not be the central line: look as far as the outer ones.
        reach = max(min(self.known("hyperfine"), 2.5 / span(x)), 0.8 / span(x))
        fine = np.arange(-reach, reach, 0.25 / span(x))
        rates = np.ravel(peaks[:, None] + fine)
        rate, angle = grid_of(rates[rates > 0], np.arctan(np.linspace(0, 3.5, 15)))
        rabi, detuning = rate * np.cos(angle), rate * np.sin(angle)
        offsets = line_offsets(self.known("hyperfine"), self.known("asymmetry"), self.projections)[:, 0]
        shape = np.mean(
            [rabi_transfer(rabi[:, None], (detuning - o)[:, None], x[None, :]) for o in offsets], axis=0
        )
        chi2, offset, amplitude = project_shapes(shape, y, error)
        # A dip deeper than the light there is, or a negative one, is no Rabi oscillation.
        chi2 = chi2 + np.where((amplitude > 0) | (-amplitude > offset), 1e3 * len(x), 0.0)
        picked = best_distinct(chi2, detuning / np.maximum(rabi, 1e-300), 0.45, 4)
        starts = []
        for i in picked:
            level, contrast = levels(offset[i], amplitude[i])
            starts.append({
                "rabi_frequency": float(rabi[i]), "detuning": float(detuning[i]),
                "contrast": float(contrast), "level": float(level),
            })  # fmt: skip
        return starts

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return effective rate √(Ω²+Δ²), transfer Ω²/(Ω²+Δ²) and π time 1/(2Ω) of the central line."""
        rabi, detuning = max(theta["rabi_frequency"], 1e-100), theta["detuning"]
        # A negative detuning stands for a negative square here: the error reaches to both sides of 0.
        total = max(rabi**2 + detuning * abs(detuning), 1e-300)
        return {
            "effective_rate": (float(np.sqrt(total)), "Hz", "effective rate √(Ω²+Δ²)"),
            "transfer": (rabi**2 / total, "1", "largest transfer Ω²/(Ω²+Δ²)"),
            "pi_time": (0.5 / rabi, "s", "π pulse duration"),
        }

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of a cycle over the range for the rates (the square of the detuning)."""
        cycle = 0.2 / span(x)
        return {"rabi_frequency": cycle, "detuning": 2 * cycle * np.maximum(theta["rabi_frequency"], cycle)}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """An oscillation faster than half the sampling rate may be any of its aliases."""
        if theta["rabi_frequency"] * span(x) < 0.25:
            return ["The sweep shows less than a quarter of an oscillation: take longer pulses."]
        return alias_doubts(x, float(np.hypot(theta["rabi_frequency"], theta["detuning"])), self.parameters)


class RabiHyperfine(_RabiLines):
    """Rabi oscillations averaged over three lines: y = level·(1 − contrast·P(t)).

    P(t) = mean over lines m and static detunings ξ ~ N(0, σ²) of Ω²/(Ω²+δ²) sin²(π √(Ω²+δ²) t), with
    δ = detuning − m A − (m² − 2/3) q − ξ. x: pulse duration in s; rates in Hz. Only |detuning| shows (exactly
    so for q = 0): its square is fitted, and a negative one becomes 0.
    Context: `hyperfine` A, `asymmetry` q, `sigma_detuning` σ, `other_line` D, the distance of the other
    transition of m_S = 0, which is driven too (all Hz). Source: Rabi formula, physics.md P05.
    """

    name: ClassVar[str] = "rabi_hyperfine"
    title: ClassVar[str] = "Rabi oscillations of a hyperfine triplet"
    formula: ClassVar[str] = "level·(1 − contrast·⟨Ω²/(Ω²+δ²) sin²(π√(Ω²+δ²) t)⟩)"


class RabiDoublet(_RabiLines):
    """Rabi oscillations averaged over the two lines of 15N, at Δ ± A/2; all else as `rabi_hyperfine`."""

    name: ClassVar[str] = "rabi_doublet"
    title: ClassVar[str] = "Rabi oscillations of a 15N doublet"
    formula: ClassVar[str] = "level·(1 − contrast·⟨Ω²/(Ω²+δ²) sin²(π√(Ω²+δ²) t)⟩)"
    projections: ClassVar[tuple[float, ...]] = NITROGEN_15
    parameters: ClassVar[tuple[Variable, ...]] = tuple(
        replace(v, default=HYPERFINE_15N) if v.name == "hyperfine" else v for v in _RabiLines.parameters
    )

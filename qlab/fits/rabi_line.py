"""The line of a square pulse over a swept carrier: pulsed ODMR, and the Rabi line of a clock."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from qlab.fits.lines import line_centres, line_doubts
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, dips, grid_of, heights, no_dip, span, with_constant
from qlab.fits.two_level import (
    HYPERFINE_14N,
    HYPERFINE_15N,
    NITROGEN_14,
    NITROGEN_15,
    gaussian_nodes,
    line_offsets,
    rabi_transfer,
)


class RabiLineTriplet(FitModel):
    """Pulsed ODMR: three lines of a square pulse over a swept carrier, y = level·(1 − contrast·P(x)).

    P(x) = mean over lines m and ξ ~ N(0, σ²) of Ω²/(Ω²+δ²) sin²(π √(Ω²+δ²) t_p), with
    δ = x − light_shift − f_m − ξ and f_m = frequency + m A + (m² − 2/3) q: the line appears at
    frequency + light_shift, and `frequency` is the resonance without the light shift. Hz and s.
    Context: `rabi_frequency` Ω, `pulse_duration` t_p (absent: 1/(2Ω)), `asymmetry` q, `light_shift`,
    `sigma_detuning` (where to start). Source: Rabi formula, physics.md P05 and P16.
    """

    name: ClassVar[str] = "rabi_line_triplet"
    title: ClassVar[str] = "Pulsed ODMR triplet"
    formula: ClassVar[str] = "level·(1 − contrast·⟨Ω²/(Ω²+δ²) sin²(π√(Ω²+δ²) t_p)⟩), δ = x − f_m"
    feature: ClassVar[str] = "resonance line"
    axis_unit: ClassVar[str] = "Hz"
    batched: ClassVar[bool] = True
    projections: ClassVar[tuple[float, ...]] = NITROGEN_14
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "resonance frequency", minimum=0.0, essential=True),
        Variable(
            "hyperfine", "Hz", "hyperfine splitting A", minimum=0.0, essential=True, default=HYPERFINE_14N
        ),
        Variable("contrast", "1", "contrast", minimum=0.0, maximum=1.0, essential=True, default=0.3),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
        Variable("sigma_detuning", "Hz", "static detuning σ", minimum=0.0, squared=True),
    )

    @property
    def _rabi(self) -> float:
        return self.known("rabi_frequency") or 0.5e6

    @property
    def _duration(self) -> float:
        return self.known("pulse_duration") or 0.5 / self._rabi

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the signal at carrier x (Hz)."""
        offsets = line_offsets(theta["hyperfine"], self.known("asymmetry"), self.projections)
        shifts, weights = gaussian_nodes(theta["sigma_detuning"], self._duration)
        delta = x - self.known("light_shift") - theta["frequency"] - offsets[:, None] - shifts
        transfer = rabi_transfer(self._rabi, delta, self._duration)
        mean = np.einsum("mg...,g->...", transfer, weights / len(offsets))
        return np.asarray(theta["level"] * (1 - theta["contrast"] * mean))

    def candidates(self, x: Curve) -> Candidates:
        """Scan the centre at the expected splitting, solving level and contrast."""
        hyperfine = self.known("hyperfine")
        sigma = self.known("sigma_detuning") or 0.1 * self._rabi
        # The broadening is imitated by a wider line here; the fit has the real one.
        centre = line_centres(x, float(np.hypot(self._rabi, sigma)))
        shape = np.zeros((len(centre), len(x)))
        offsets = np.ravel(line_offsets(hyperfine, self.known("asymmetry"), self.projections))
        for offset in offsets:
            delta = x - self.known("light_shift") - centre[:, None] - offset
            shape += rabi_transfer(self._rabi, delta, self._duration) / len(offsets)
        alike = np.ones(len(centre))
        values = {"frequency": centre, "hyperfine": hyperfine * alike, "sigma_detuning": sigma * alike}
        return Candidates(values, with_constant(shape), centre, hyperfine / 2, 3, dips, no_dip)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of the pulse's width for all frequencies (its square for the spread)."""
        del x, theta
        width = 0.3 * self._rabi
        return {"frequency": width, "hyperfine": width, "sigma_detuning": width**2}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep or narrower than a step is not measured by it."""
        width = float(np.hypot(0.8 / self._duration, 2.35 * theta["sigma_detuning"]))
        return line_doubts(x, theta["frequency"] + self.known("light_shift"), width)


class RabiLineDoublet(RabiLineTriplet):
    """Pulsed ODMR with 15N: two lines of a square pulse at f ± A/2; all else as `rabi_line_triplet`."""

    name: ClassVar[str] = "rabi_line_doublet"
    title: ClassVar[str] = "Pulsed ODMR doublet"
    projections: ClassVar[tuple[float, ...]] = NITROGEN_15
    parameters: ClassVar[tuple[Variable, ...]] = tuple(
        replace(v, default=HYPERFINE_15N) if v.name == "hyperfine" else v for v in RabiLineTriplet.parameters
    )


class RabiLine(FitModel):
    """The line of one square pulse: y = offset + amplitude·Ω²/(Ω²+δ²)·sin²(π√(Ω²+δ²) t_p), δ = x − frequency.

    Rabi spectroscopy of a clock or an ion: its FWHM is 0.7987/t_p for a π pulse. `area` = 2 Ω t_p is the pulse
    area in π (1: a π pulse), held at 1 by default. Source: Ludlow RMP 87 637 (2015); physics.md P16.
    """

    name: ClassVar[str] = "rabi_line"
    title: ClassVar[str] = "Rabi line (sinc²)"
    formula: ClassVar[str] = "offset + amplitude·Ω²/(Ω²+δ²)·sin²(π√(Ω²+δ²) t_p)"
    feature: ClassVar[str] = "resonance line"
    axis_unit: ClassVar[str] = "Hz"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "resonance frequency"),
        Variable("duration", "s", "pulse duration", minimum=0.0, essential=True),
        Variable("area", "1", "pulse area over π", minimum=0.05, maximum=6.0, free=False, default=1.0),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the line at x."""
        duration = np.maximum(theta["duration"], 1e-300)
        rabi = theta["area"] / (2 * duration)
        return np.asarray(
            theta["offset"] + theta["amplitude"] * rabi_transfer(rabi, x - theta["frequency"], duration)
        )

    def candidates(self, x: Curve) -> Candidates:
        """Scan centre and duration, solving offset and amplitude."""
        durations = 0.8 / np.geomspace(span(x) / 60, span(x) / 2, 10)
        centre, duration = grid_of(line_centres(x, span(x) / 40), durations)
        rabi = self.known("area") / (2 * duration[:, None])
        shape = rabi_transfer(rabi, x - centre[:, None], duration[:, None])
        values = {"frequency": centre, "duration": duration}
        return Candidates(values, with_constant(shape), centre, span(x) / 20, 3, heights)

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return Rabi frequency, and the full width of a π pulse."""
        duration = max(theta["duration"], 1e-300)
        return {
            "rabi_frequency": (theta["area"] / (2 * duration), "Hz", "Rabi frequency"),
            "fwhm": (0.798685355 / duration, "Hz", "width of a π pulse (FWHM)"),
        }

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the width for the frequency, of the whole for the rest."""
        del x
        size = np.maximum(np.maximum(np.abs(theta["amplitude"]), 1e-6 * np.abs(theta["offset"])), 1e-300)
        return {"frequency": 0.3 / np.maximum(theta["duration"], 1e-300), "amplitude": size, "offset": size}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep or narrower than a step is not measured by it."""
        return line_doubts(x, theta["frequency"], 0.8 / max(theta["duration"], 1e-300))

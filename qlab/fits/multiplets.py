"""Hyperfine multiplets over a swept carrier: lines of one shape and width, as far apart as the nucleus says."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from qlab.fits.lines import line_centres, line_doubts
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, dips, no_dip, spacing, span, with_constant
from qlab.fits.two_level import (
    HYPERFINE_14N,
    HYPERFINE_15N,
    HYPERFINE_BORON_VACANCY,
    NITROGEN_14,
    NITROGEN_15,
    line_offsets,
)


class _Multiplet(FitModel):
    """Lines of one shape: y = level·(1 − contrast·Σ_m s_m L(x − f_0 − m A − (m² − ⟨m²⟩) q)), s_m ≤ 1 a strength."""

    feature: ClassVar[str] = "resonance line"
    axis_unit: ClassVar[str] = "Hz"
    batched: ClassVar[bool] = True
    projections: ClassVar[tuple[float, ...]] = NITROGEN_14
    strengths: ClassVar[tuple[float, ...]] = (1.0, 1.0, 1.0)
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "resonance frequency", minimum=0.0, essential=True),
        Variable(
            "hyperfine", "Hz", "hyperfine splitting A", minimum=0.0, essential=True, default=HYPERFINE_14N
        ),
        Variable("fwhm", "Hz", "line width (FWHM)", minimum=0.0, essential=True),
        Variable("contrast", "1", "contrast of a line", minimum=0.0, maximum=1.0, essential=True),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
    )

    def profile(self, distance: Curve, fwhm: Curve) -> Curve:
        """Return one line of height 1 at a distance (Hz) from its centre."""
        raise NotImplementedError

    def rough(self, distance: Curve, fwhm: Curve) -> Curve:
        """Return about the same line quickly: what a scan for starting values needs."""
        return self.profile(distance, fwhm)

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the signal at carrier x (Hz)."""
        centres = theta["frequency"] + line_offsets(
            theta["hyperfine"], self.known("asymmetry"), self.projections
        )
        lines = self.profile(x - centres, np.maximum(theta["fwhm"], 1e-300))
        return np.asarray(theta["level"] * (1 - theta["contrast"] * np.tensordot(self.strengths, lines, 1)))

    def candidates(self, x: Curve) -> Candidates:
        """Scan centre and width at the expected splitting, solving level and contrast."""
        hyperfine = self.known("hyperfine")
        widths = np.geomspace(max(spacing(x), span(x) / 400), span(x) / 3, 7)
        trials = [line_centres(x, width) for width in widths]
        centre = np.concatenate(trials)
        width = np.concatenate([np.full(len(t), w) for t, w in zip(trials, widths, strict=True)])
        shape = np.zeros((len(centre), len(x)))
        offsets = np.ravel(line_offsets(hyperfine, self.known("asymmetry"), self.projections))
        for offset, strength in zip(offsets, self.strengths, strict=True):
            shape += strength * self.rough(x - centre[:, None] - offset, width[:, None])
        values = {"frequency": centre, "hyperfine": np.full(len(centre), hyperfine), "fwhm": width}
        return Candidates(values, with_constant(shape), centre, hyperfine / 2, 3, dips, no_dip)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the width of a line for all frequencies."""
        del x
        return dict.fromkeys(("frequency", "hyperfine", "fwhm"), 0.3 * theta["fwhm"])

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep or narrower than a step is not measured by it."""
        return line_doubts(x, theta["frequency"], theta["fwhm"])


class LorentzianTriplet(_Multiplet):
    """CW ODMR: three Lorentzian lines, or Voigt lines where the context has `sigma_detuning` (Hz).

    L(d) = γ²/(d² + γ²), γ = fwhm/2; convolved with N(0, σ²): L(d) = √(π/2) (γ/σ) Re w((d + iγ)/(σ√2)). So
    `fwhm` and `contrast` are those of the homogeneous line, before the static detuning broadens it.
    x: carrier in Hz. Source: Dréau PRB 84 195204 (2011); Faddeeva w: DLMF 7.19.
    """

    name: ClassVar[str] = "lorentzian_triplet"
    title: ClassVar[str] = "Lorentzian hyperfine triplet"
    formula: ClassVar[str] = "level·(1 − contrast·Σ_m γ²/((x−f_m)²+γ²))"

    def profile(self, distance: Curve, fwhm: Curve) -> Curve:
        """Return a Lorentzian, or a Voigt line with the static detuning of the context."""
        half, sigma = np.asarray(fwhm) / 2, self.known("sigma_detuning")
        if sigma <= 0:
            return np.asarray(half**2 / (distance**2 + half**2))
        from scipy.special import wofz

        scaled = (distance + 1j * half) / (sigma * np.sqrt(2))
        return np.asarray(np.sqrt(np.pi / 2) * half / sigma * wofz(scaled).real)

    def rough(self, distance: Curve, fwhm: Curve) -> Curve:
        """Return a Lorentzian about as wide and high as the broadened line."""
        square, spread = fwhm**2 / 4, (1.18 * self.known("sigma_detuning")) ** 2
        return np.asarray(square / (distance**2 + square + spread))


class GaussianTriplet(_Multiplet):
    """CW or weakly driven ODMR: three Gaussian lines, L(d) = exp(−4 ln 2 d²/fwhm²). x: carrier in Hz."""

    name: ClassVar[str] = "gaussian_triplet"
    title: ClassVar[str] = "Gaussian hyperfine triplet"
    formula: ClassVar[str] = "level·(1 − contrast·Σ_m exp(−4 ln2 (x−f_m)²/fwhm²))"

    def profile(self, distance: Curve, fwhm: Curve) -> Curve:
        """Return a Gaussian of height 1."""
        return np.asarray(np.exp(-4 * np.log(2) * (distance / np.asarray(fwhm)) ** 2))


_OF_15N = tuple(
    replace(v, default=HYPERFINE_15N) if v.name == "hyperfine" else v for v in _Multiplet.parameters
)


class LorentzianDoublet(LorentzianTriplet):
    """CW ODMR with 15N: two Lorentzian (or Voigt) lines at f ± A/2, of one width and contrast."""

    name: ClassVar[str] = "lorentzian_doublet"
    title: ClassVar[str] = "Lorentzian hyperfine doublet"
    projections: ClassVar[tuple[float, ...]] = NITROGEN_15
    strengths: ClassVar[tuple[float, ...]] = (1.0, 1.0)
    parameters: ClassVar[tuple[Variable, ...]] = _OF_15N


class GaussianDoublet(GaussianTriplet):
    """Weakly driven ODMR with 15N: two Gaussian lines at f ± A/2, of one width and contrast."""

    name: ClassVar[str] = "gaussian_doublet"
    title: ClassVar[str] = "Gaussian hyperfine doublet"
    projections: ClassVar[tuple[float, ...]] = NITROGEN_15
    strengths: ClassVar[tuple[float, ...]] = (1.0, 1.0)
    parameters: ClassVar[tuple[Variable, ...]] = _OF_15N


class LorentzianSeptet(LorentzianTriplet):
    """CW ODMR of a boron vacancy in hBN: three 14N make seven Lorentzian (or Voigt) lines of 1 : 3 : 6 : 7 : 6 : 3 : 1.

    `contrast` is that of the middle line. Source: Gottscholl et al., Nat. Mater. 19, 540 (2020).
    """

    name: ClassVar[str] = "lorentzian_septet"
    title: ClassVar[str] = "Lorentzian hyperfine septet"
    projections: ClassVar[tuple[float, ...]] = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
    strengths: ClassVar[tuple[float, ...]] = tuple(ways / 7 for ways in (1, 3, 6, 7, 6, 3, 1))
    parameters: ClassVar[tuple[Variable, ...]] = tuple(
        replace(v, default=HYPERFINE_BORON_VACANCY) if v.name == "hyperfine" else v
        for v in _Multiplet.parameters
    )

"""Resonance lines over a swept carrier: CW and pulsed ODMR triplets, and a single line."""

from typing import ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import best_distinct, grid_of, levels, project_shapes, spacing, span
from qlab.fits.two_level import HYPERFINE_14N, gaussian_nodes, line_offsets, rabi_transfer


def _line_centres(x: Curve, width: float) -> Curve:
    count = int(np.clip(4 * span(x) / width, 40, 240))
    return np.linspace(float(np.min(x)), float(np.max(x)), count)


def _line_doubts(x: Curve, frequency: float, width: float) -> list[str]:
    if not np.min(x) <= frequency <= np.max(x):
        return ["The line found lies outside the sweep."]
    if width < spacing(x):
        return ["The line is narrower than one step of the sweep: take smaller steps."]
    return []


class _Triplet(FitModel):
    """Three equal lines of one shape: y = level·(1 − contrast·Σ_m L(x − f_0 − m A − (m² − 2/3) q))."""

    feature: ClassVar[str] = "resonance line"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "resonance frequency", minimum=0.0, essential=True),
        Variable(
            "hyperfine", "Hz", "hyperfine splitting A", minimum=0.0, essential=True, default=HYPERFINE_14N
        ),
        Variable("fwhm", "Hz", "line width (FWHM)", minimum=0.0, essential=True),
        Variable("contrast", "1", "contrast of a line", minimum=0.0, maximum=1.0, essential=True),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
    )

    def profile(self, distance: Curve, fwhm: float | Curve) -> Curve:
        """Return one line of height 1 at a distance (Hz) from its centre."""
        raise NotImplementedError

    def rough(self, distance: Curve, fwhm: Curve) -> Curve:
        """Return about the same line quickly: what a scan for starting values needs."""
        return self.profile(distance, fwhm)

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the signal at carrier x (Hz)."""
        centres = theta["frequency"] + line_offsets(theta["hyperfine"], self.known("asymmetry"))
        lines = self.profile(x - centres[:, None], max(theta["fwhm"], 1e-300))
        return np.asarray(theta["level"] * (1 - theta["contrast"] * lines.sum(axis=0)))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan centre and width at the expected splitting, solving level and contrast."""
        hyperfine = self.known("hyperfine")
        widths = np.geomspace(max(spacing(x), span(x) / 400), span(x) / 3, 7)
        offsets = line_offsets(hyperfine, self.known("asymmetry"))
        trials = [_line_centres(x, width) for width in widths]
        centre = np.concatenate(trials)
        width = np.concatenate([np.full(len(t), w) for t, w in zip(trials, widths, strict=True)])
        shape = np.zeros((len(centre), len(x)))
        for offset in offsets:
            shape += self.rough(x - centre[:, None] - offset, width[:, None])
        chi2, level, amplitude = project_shapes(shape, y, error)
        chi2 = chi2 + np.where((amplitude > 0) | (-amplitude > level), 1e3 * len(x), 0.0)
        starts = []
        for i in best_distinct(chi2, centre, hyperfine / 2, 3):
            height, contrast = levels(level[i], amplitude[i])
            starts.append({
                "frequency": centre[i], "hyperfine": hyperfine, "fwhm": width[i],
                "contrast": contrast, "level": height,
            })  # fmt: skip
        return starts

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return the width of a line for all frequencies."""
        del x
        return dict.fromkeys(("frequency", "hyperfine", "fwhm"), 0.3 * theta["fwhm"])

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep or narrower than a step is not measured by it."""
        return _line_doubts(x, theta["frequency"], theta["fwhm"])


class LorentzianTriplet(_Triplet):
    """CW ODMR: three Lorentzian lines, or Voigt lines where the context has `sigma_detuning` (Hz).

    L(d) = γ²/(d² + γ²), γ = fwhm/2; convolved with N(0, σ²): L(d) = √(π/2) (γ/σ) Re w((d + iγ)/(σ√2)). So
    `fwhm` and `contrast` are those of the homogeneous line, before the static detuning broadens it.
    x: carrier in Hz. Source: Dréau PRB 84 195204 (2011); Faddeeva w: DLMF 7.19.
    """

    name: ClassVar[str] = "lorentzian_triplet"
    title: ClassVar[str] = "Lorentzian hyperfine triplet"
    formula: ClassVar[str] = "level·(1 − contrast·Σ_m γ²/((x−f_m)²+γ²))"

    def profile(self, distance: Curve, fwhm: float | Curve) -> Curve:
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


class GaussianTriplet(_Triplet):
    """CW or weakly driven ODMR: three Gaussian lines, L(d) = exp(−4 ln 2 d²/fwhm²). x: carrier in Hz."""

    name: ClassVar[str] = "gaussian_triplet"
    title: ClassVar[str] = "Gaussian hyperfine triplet"
    formula: ClassVar[str] = "level·(1 − contrast·Σ_m exp(−4 ln2 (x−f_m)²/fwhm²))"

    def profile(self, distance: Curve, fwhm: float | Curve) -> Curve:
        """Return a Gaussian of height 1."""
        return np.asarray(np.exp(-4 * np.log(2) * (distance / np.asarray(fwhm)) ** 2))


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
        centres = theta["frequency"] + line_offsets(theta["hyperfine"], self.known("asymmetry"))
        shifts, weights = gaussian_nodes(theta["sigma_detuning"], self._duration)
        delta = x - self.known("light_shift") - centres[:, None, None] - shifts[:, None]
        transfer = rabi_transfer(self._rabi, delta, self._duration)
        mean = np.einsum("mgn,g->n", transfer, weights / len(centres))
        return np.asarray(theta["level"] * (1 - theta["contrast"] * mean))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan the centre at the expected splitting, solving level and contrast."""
        hyperfine = self.known("hyperfine")
        sigma = self.known("sigma_detuning") or 0.1 * self._rabi
        # The broadening is imitated by a wider line here; the fit has the real one.
        width = float(np.hypot(self._rabi, sigma))
        centre = _line_centres(x, width)
        shape = np.zeros((len(centre), len(x)))
        for offset in line_offsets(hyperfine, self.known("asymmetry")):
            delta = x - self.known("light_shift") - centre[:, None] - offset
            shape += rabi_transfer(self._rabi, delta, self._duration) / 3
        chi2, level, amplitude = project_shapes(shape, y, error)
        chi2 = chi2 + np.where((amplitude > 0) | (-amplitude > level), 1e3 * len(x), 0.0)
        starts = []
        for i in best_distinct(chi2, centre, hyperfine / 2, 3):
            height, contrast = levels(level[i], amplitude[i])
            starts.append({
                "frequency": centre[i], "hyperfine": hyperfine, "sigma_detuning": sigma,
                "contrast": contrast, "level": height,
            })  # fmt: skip
        return starts

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return a fraction of the pulse's width for all frequencies (its square for the spread)."""
        del x, theta
        width = 0.3 * self._rabi
        return {"frequency": width, "hyperfine": width, "sigma_detuning": width**2}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep or narrower than a step is not measured by it."""
        width = float(np.hypot(0.8 / self._duration, 2.35 * theta["sigma_detuning"]))
        return _line_doubts(x, theta["frequency"] + self.known("light_shift"), width)


class Lorentzian(FitModel):
    """A Lorentzian peak (amplitude > 0) or dip: y = offset + amplitude·γ²/((x−f)² + γ²), γ = fwhm/2."""

    name: ClassVar[str] = "lorentzian"
    title: ClassVar[str] = "Lorentzian line"
    formula: ClassVar[str] = "offset + amplitude·γ²/((x−f)²+γ²), γ = fwhm/2"
    feature: ClassVar[str] = "resonance line"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "x", "centre"),
        Variable("fwhm", "x", "line width (FWHM)", minimum=0.0, essential=True),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the line at x."""
        half = max(theta["fwhm"] / 2, 1e-300)
        return np.asarray(theta["offset"] + theta["amplitude"] / (1 + ((x - theta["frequency"]) / half) ** 2))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan centre and width, solving offset and amplitude."""
        widths = np.geomspace(max(spacing(x), span(x) / 400), span(x) / 2, 8)
        centre, width = grid_of(_line_centres(x, span(x) / 40), widths)
        shape = 1 / (1 + (2 * (x - centre[:, None]) / width[:, None]) ** 2)
        chi2, offset, amplitude = project_shapes(shape, y, error)
        return [
            {"frequency": centre[i], "fwhm": width[i], "amplitude": amplitude[i], "offset": offset[i]}
            for i in best_distinct(chi2, centre, span(x) / 20, 3)
        ]

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return the width for frequencies and the height for heights."""
        del x
        size = max(abs(theta["amplitude"]), 1e-6 * abs(theta["offset"]), 1e-300)
        return {
            "frequency": 0.3 * theta["fwhm"], "fwhm": 0.3 * theta["fwhm"], "amplitude": size, "offset": size
        }  # fmt: skip

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the contrast −amplitude/offset where there is a background to compare with."""
        if theta["offset"] <= 0:
            return {}
        return {"contrast": (-theta["amplitude"] / theta["offset"], "1", "contrast")}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep or narrower than a step is not measured by it."""
        return _line_doubts(x, theta["frequency"], theta["fwhm"])

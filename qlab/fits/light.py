"""Curves of optics: saturation, the Hong–Ou–Mandel dip, a knife's edge across a beam, a beam's radius."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.decay import sizes
from qlab.fits.lines import line_centres, line_doubts
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, dips, grid_of, heights, no_dip, spacing, span, with_constant

_TWO_ROOT_LN2 = 2 * np.sqrt(np.log(2))


class Saturation(FitModel):
    """Saturation by optical power: y = amplitude·x/(x + saturation) + slope·x + offset.

    `slope` is the background that grows with the power; `offset`, the dark level, is held at 0 by default.
    """

    name: ClassVar[str] = "saturation"
    title: ClassVar[str] = "Saturation curve"
    formula: ClassVar[str] = "amplitude·x/(x + saturation) + slope·x + offset"
    feature: ClassVar[str] = "rise"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("saturation", "x", "saturation power", minimum=0.0, essential=True),
        Variable("amplitude", "y", "saturated level", essential=True),
        Variable("slope", "y/x", "background slope"),
        Variable("offset", "y", "dark level", free=False),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the level at power x."""
        whole = x + theta["saturation"]
        share = np.where(whole > 0, x / np.where(whole > 0, whole, 1.0), 0.0)
        return np.asarray(theta["amplitude"] * share + theta["slope"] * x + theta["offset"])

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan the saturation power, solving level and background."""
        trials = np.geomspace(max(spacing(x) / 10, span(x) / 1e3), 10 * span(x), 40)
        held = self.context.get("fix_slope")
        best: tuple[float, dict[str, float]] = (np.inf, {})
        for trial in trials:
            columns = [x / (x + trial)] if held is not None else [x / (x + trial), x]
            matrix = np.stack(columns, axis=1) / error[:, None]
            target = (y - self.known("offset") - (held or 0.0) * x) / error
            found = np.linalg.lstsq(matrix, target, rcond=None)[0]
            chi2 = float(np.sum((matrix @ found - target) ** 2))
            if chi2 < best[0] and found[0] > 0:
                best = (
                    chi2,
                    {"saturation": trial, "amplitude": found[0], "slope": float([*found, held or 0.0][1])},
                )
        return [best[1] or {"saturation": span(x) / 2, "amplitude": float(np.max(y)), "slope": 0.0}]

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the saturated level for heights."""
        size = np.maximum(np.abs(theta["amplitude"]), 1e-300)
        return {"amplitude": size, "offset": size, "slope": size / span(x)}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The sweep has to reach saturation, and to begin below it."""
        if theta["saturation"] > 2 * np.max(x):
            return ["The sweep does not reach saturation: take more power."]
        if theta["saturation"] < np.min(np.where(x > 0, x, np.inf)):
            return ["The sweep begins beyond saturation: take less power."]
        return []


class HongOuMandel(FitModel):
    """The Hong–Ou–Mandel dip: y = level·[1 − visibility·exp(−σ²(x − centre)²)], σ = 2√(ln 2)/fwhm.

    Coincidences over the delay, in time or path; for two independent Gaussian spectra σ is their common rms width
    in rad per unit of x. Source: HOM, PRL 59, 2044 (1987); physics.md P33.
    """

    name: ClassVar[str] = "hom_dip"
    title: ClassVar[str] = "Hong–Ou–Mandel dip"
    formula: ClassVar[str] = "level·[1 − V·exp(−σ²(x−x₀)²)]"
    feature: ClassVar[str] = "dip"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("centre", "x", "centre"),
        Variable("fwhm", "x", "width (FWHM)", minimum=0.0, essential=True),
        Variable("contrast", "1", "visibility V", minimum=0.0, maximum=1.1, default=0.8, essential=True),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the coincidences at delay x."""
        reduced = _TWO_ROOT_LN2 * (x - theta["centre"]) / np.maximum(theta["fwhm"], 1e-300)
        return np.asarray(theta["level"] * (1 - theta["contrast"] * np.exp(-reduced * reduced)))

    def candidates(self, x: Curve) -> Candidates:
        """Scan centre and width, solving level and visibility."""
        widths = np.geomspace(max(spacing(x), span(x) / 200), span(x) / 1.5, 9)
        centre, width = grid_of(line_centres(x, span(x) / 30), widths)
        shape = np.exp(-((_TWO_ROOT_LN2 * (x - centre[:, None]) / width[:, None]) ** 2))
        values = {"centre": centre, "fwhm": width}
        return Candidates(values, with_constant(shape), centre, span(x) / 20, 2, dips, no_dip)

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return σ."""
        return {"sigma": (_TWO_ROOT_LN2 / max(theta["fwhm"], 1e-300), "1/x", "σ, in rad")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the width for lengths."""
        del x
        return {"centre": 0.3 * theta["fwhm"], "fwhm": 0.3 * theta["fwhm"], "contrast": 0.2}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A dip outside the sweep or narrower than a step is not measured by it."""
        return line_doubts(x, theta["centre"], theta["fwhm"])


class KnifeEdge(FitModel):
    """A knife's edge across a Gaussian beam: y = offset + amplitude·½[1 + erf(√2 (x − centre)/radius)].

    `radius` is that of the intensity at 1/e². Source: ISO 11146.
    """

    name: ClassVar[str] = "knife_edge"
    title: ClassVar[str] = "Knife edge across a Gaussian beam"
    formula: ClassVar[str] = "offset + amplitude·½[1 + erf(√2(x−x₀)/w)]"
    feature: ClassVar[str] = "edge"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("centre", "x", "centre of the beam"),
        Variable("radius", "x", "beam radius w (1/e²)", minimum=0.0, essential=True),
        Variable("amplitude", "y", "whole power", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the power that passes with the edge at x."""
        from scipy.special import erf

        reduced = np.sqrt(2) * (x - theta["centre"]) / np.maximum(theta["radius"], 1e-300)
        return np.asarray(theta["offset"] + theta["amplitude"] * 0.5 * (1 + erf(reduced)))

    def candidates(self, x: Curve) -> Candidates:
        """Scan centre and radius, solving offset and power."""
        radii = np.geomspace(max(spacing(x), span(x) / 200), span(x) / 1.5, 9)
        centre, radius = grid_of(line_centres(x, span(x) / 20), radii)
        theta = {"centre": centre[:, None], "radius": radius[:, None], "amplitude": 1.0, "offset": 0.0}
        values = {"centre": centre, "radius": radius}
        return Candidates(values, with_constant(self.evaluate(x, theta)), centre, span(x) / 20, 2, heights)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the radius for lengths."""
        del x
        return {**sizes(theta), "centre": 0.3 * theta["radius"], "radius": 0.3 * theta["radius"]}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """An edge outside the sweep or sharper than a step is not measured by it."""
        return line_doubts(x, theta["centre"], theta["radius"])


class BeamRadius(FitModel):
    """The radius of a Gaussian beam along its axis: w(x) = waist·√(1 + ((x − centre)/rayleigh)²).

    With context `wavelength` (in the unit of x) the beam quality M² = π waist²/(λ rayleigh) follows.
    """

    name: ClassVar[str] = "beam_radius"
    title: ClassVar[str] = "Radius of a Gaussian beam"
    formula: ClassVar[str] = "waist·√(1 + ((x−x₀)/z_R)²)"
    feature: ClassVar[str] = "waist"
    batched: ClassVar[bool] = True
    counts: ClassVar[bool] = False
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("waist", "y", "waist radius", minimum=0.0, essential=True),
        Variable("centre", "x", "position of the waist"),
        Variable("rayleigh", "x", "Rayleigh length", minimum=0.0, essential=True),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the radius at x."""
        away = (x - theta["centre"]) / np.maximum(theta["rayleigh"], 1e-300)
        return np.asarray(theta["waist"] * np.sqrt(1 + away * away))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Fit a parabola to the square of the radius."""
        away = (x - x.mean()) / span(x)
        weight = 1 / np.maximum(2 * np.abs(y) * error, 1e-300)
        matrix = np.stack([away**k for k in range(3)], axis=1) * weight[:, None]
        c0, c1, c2 = np.linalg.lstsq(matrix, y**2 * weight, rcond=None)[0]
        bend = max(c2, 1e-3 * abs(c0))
        centre = float(np.clip(-c1 / (2 * bend), -1, 1))
        waist2 = max(c0 - bend * centre**2, 0.05 * float(np.min(y**2)), 1e-300)
        return [{
            "waist": float(np.sqrt(waist2)), "centre": float(x.mean() + centre * span(x)),
            "rayleigh": float(np.sqrt(waist2 / bend) * span(x)),
        }]  # fmt: skip

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the beam quality where the wavelength is known."""
        if not self.known("wavelength") > 0:
            return {}
        quality = np.pi * theta["waist"] ** 2 / (self.known("wavelength") * max(theta["rayleigh"], 1e-300))
        return {"M2": (float(quality), "1", "beam quality M²")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the Rayleigh length for the position."""
        del x
        return {"centre": 0.2 * theta["rayleigh"]}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The sweep has to show the waist and how the beam widens."""
        if not np.min(x) <= theta["centre"] <= np.max(x):
            return ["The waist lies outside the sweep."]
        if theta["rayleigh"] > span(x):
            return ["The sweep is shorter than the Rayleigh length."]
        return []

"""Single lines over a swept frequency, and pairs of lines of one width."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.decay import sizes
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, ends, grid_of, heights, spacing, span, with_constant

_LN2 = np.log(2)


def line_centres(x: Curve, width: float) -> Curve:
    """Return where to look for a line of about this width."""
    count = int(np.clip(4 * span(x) / width, 40, 240))
    return np.linspace(float(np.min(x)), float(np.max(x)), count)


def line_doubts(x: Curve, frequency: float, width: float) -> list[str]:
    """Return what is doubtful about a line at a frequency with this full width."""
    first, last = ends(x)
    if not first <= frequency <= last:
        return ["The line found lies outside the sweep."]
    if width < spacing(x):
        return ["The line is narrower than one step of the sweep: take smaller steps."]
    return []


def lorentzian_shape(reduced: Curve) -> tuple[Curve, Curve]:
    """Return 1/(1 + r²) and its derivative, for a distance r in half widths."""
    shape = 1 / (1 + reduced * reduced)
    return shape, -2 * reduced * shape * shape


def gaussian_shape(reduced: Curve) -> tuple[Curve, Curve]:
    """Return exp(−ln 2 r²) and its derivative, for a distance r in half widths."""
    shape = np.exp(-_LN2 * reduced * reduced)
    return shape, -2 * _LN2 * reduced * shape


class _Line(FitModel):
    """One line of a shape: y = offset + amplitude·L((x − f)/(fwhm/2))."""

    feature: ClassVar[str] = "resonance line"
    batched: ClassVar[bool] = True
    loss: ClassVar[float] = 0.4  # of the scan of starting values: more for shapes with less of a tail
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "x", "centre"),
        Variable("fwhm", "x", "line width (FWHM)", minimum=0.0, essential=True),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def shape(self, reduced: Curve) -> tuple[Curve, Curve]:
        """Return the line of height 1 and its derivative, at a distance in half widths."""
        raise NotImplementedError

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the line at x."""
        reduced = (x - theta["frequency"]) / np.maximum(theta["fwhm"] / 2, 1e-300)
        return np.asarray(theta["offset"] + theta["amplitude"] * self.shape(reduced)[0])

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the line and its derivatives."""
        half = np.maximum(theta["fwhm"] / 2, 1e-300)
        reduced = (x - theta["frequency"]) / half
        shape, slope = self.shape(reduced)
        steep = theta["amplitude"] / half * slope
        return np.asarray(theta["offset"] + theta["amplitude"] * shape), {
            "frequency": -steep,
            "fwhm": -0.5 * steep * reduced,
            "amplitude": shape,
            "offset": np.broadcast_to(1.0, shape.shape),
        }

    def candidates(self, x: Curve) -> Candidates:
        """Scan centre and width, solving offset and amplitude."""
        widths = np.geomspace(max(spacing(x), span(x) / 400), span(x) / 2, 8)
        # A quarter of the width apart, centres miss three hundredths of the fall of chi²: wide lines need fewer.
        every = line_centres(x, span(x) / 40)
        kept = [every[:: max(int(w / 4 / (every[1] - every[0])), 1)] for w in widths]
        centre, width = np.concatenate(kept), np.repeat(widths, [len(c) for c in kept])
        shape = self.shape((x - centre[:, None]) / (width[:, None] / 2))[0]
        values = {"frequency": centre, "fwhm": width}
        return Candidates(values, with_constant(shape), centre, span(x) / 20, 3, heights, loss=self.loss)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the width for frequencies and the height for heights."""
        del x
        return {**sizes(theta), "frequency": 0.3 * theta["fwhm"], "fwhm": 0.3 * theta["fwhm"]}

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the contrast −amplitude/offset where there is a background to compare with."""
        if theta["offset"] <= 0:
            return {}
        return {"contrast": (-theta["amplitude"] / theta["offset"], "1", "contrast")}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A line outside the sweep or narrower than a step is not measured by it."""
        return line_doubts(x, theta["frequency"], theta["fwhm"])


class Lorentzian(_Line):
    """A Lorentzian peak (amplitude > 0) or dip: y = offset + amplitude·γ²/((x−f)² + γ²), γ = fwhm/2."""

    name: ClassVar[str] = "lorentzian"
    title: ClassVar[str] = "Lorentzian line"
    formula: ClassVar[str] = "offset + amplitude·γ²/((x−f)²+γ²), γ = fwhm/2"
    loss: ClassVar[float] = 0.2

    def shape(self, reduced: Curve) -> tuple[Curve, Curve]:
        """Return 1/(1 + r²)."""
        return lorentzian_shape(reduced)


class Gaussian(_Line):
    """A Gaussian peak (amplitude > 0) or dip: y = offset + amplitude·exp(−4 ln 2 (x−f)²/fwhm²)."""

    name: ClassVar[str] = "gaussian"
    title: ClassVar[str] = "Gaussian line"
    formula: ClassVar[str] = "offset + amplitude·exp(−4 ln2 (x−f)²/fwhm²)"

    def shape(self, reduced: Curve) -> tuple[Curve, Curve]:
        """Return exp(−ln 2 r²)."""
        return gaussian_shape(reduced)


class _Pair(_Line):
    """Two lines of one width: y = offset + amplitude·[L(x − f + s/2) + ratio·L(x − f − s/2)].

    f the middle, s > 0 the splitting, `ratio` the height of the upper line over that of the lower.
    """

    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "x", "middle of the pair"),
        Variable("splitting", "x", "splitting", minimum=0.0, essential=True),
        Variable("fwhm", "x", "line width (FWHM)", minimum=0.0, essential=True),
        Variable("amplitude", "y", "amplitude of the lower line", essential=True),
        Variable("ratio", "1", "upper over lower amplitude", minimum=0.0, default=1.0, essential=True),
        Variable("offset", "y", "offset"),
    )

    def _sides(self, x: Curve, theta: Theta) -> list[tuple[Curve, Curve, Curve]]:
        half = np.maximum(theta["fwhm"] / 2, 1e-300)
        found = []
        for side in (-0.5, 0.5):
            reduced = (x - theta["frequency"] - side * theta["splitting"]) / half
            found.append((reduced, *self.shape(reduced)))
        return found

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the pair at x."""
        (_, one, _), (_, other, _) = self._sides(x, theta)
        return np.asarray(theta["offset"] + theta["amplitude"] * (one + theta["ratio"] * other))

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the pair and its derivatives."""
        half, height = np.maximum(theta["fwhm"] / 2, 1e-300), theta["amplitude"]
        (r1, one, d1), (r2, other, d2) = self._sides(x, theta)
        d2 = theta["ratio"] * d2
        both = one + theta["ratio"] * other
        return np.asarray(theta["offset"] + height * both), {
            "frequency": -height / half * (d1 + d2),
            "splitting": 0.5 * height / half * (d1 - d2),
            "fwhm": -0.5 * height / half * (r1 * d1 + r2 * d2),
            "amplitude": both,
            "ratio": height * other,
            "offset": np.broadcast_to(1.0, both.shape),
        }

    def candidates(self, x: Curve) -> Candidates:
        """Scan middle, splitting and width, solving offset and the amplitude of two equal lines."""
        widths = np.geomspace(max(spacing(x), span(x) / 100), span(x) / 4, 5)
        splittings = np.linspace(span(x) / 40, 0.8 * span(x), 24)
        middles = np.linspace(float(np.min(x)), float(np.max(x)), 41)
        middle, splitting, width = grid_of(middles, splittings, widths)
        shape = sum(
            self.shape((x - (middle + side * splitting)[:, None]) / (width[:, None] / 2))[0]
            for side in (-0.5, 0.5)
        )
        values = {"frequency": middle, "splitting": splitting, "fwhm": width}
        position = middle + 3.0 * splitting
        return Candidates(values, with_constant(np.asarray(shape)), position, span(x) / 10, 3, heights)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the width for frequencies, the height for heights."""
        width = 0.3 * theta["fwhm"]
        return {**super().scales(x, theta), "splitting": width, "ratio": 0.3}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """Both lines have to lie in the sweep, and apart."""
        found = [
            said
            for side in (-0.5, 0.5)
            for said in line_doubts(x, theta["frequency"] + side * theta["splitting"], theta["fwhm"])
        ]
        if theta["splitting"] < 0.3 * theta["fwhm"]:
            found.append("The two lines are not resolved: a single line may describe the data as well.")
        return found[:1]


class LorentzianPair(_Pair):
    """Two Lorentzian lines of one width, anywhere: an ODMR pair, an Autler–Townes doublet."""

    name: ClassVar[str] = "lorentzian_pair"
    title: ClassVar[str] = "Pair of Lorentzian lines"
    formula: ClassVar[str] = "offset + amplitude·[L(x−f+s/2) + ratio·L(x−f−s/2)]"

    def shape(self, reduced: Curve) -> tuple[Curve, Curve]:
        """Return 1/(1 + r²)."""
        return lorentzian_shape(reduced)


class GaussianPair(_Pair):
    """Two Gaussian lines of one width, anywhere."""

    name: ClassVar[str] = "gaussian_pair"
    title: ClassVar[str] = "Pair of Gaussian lines"
    formula: ClassVar[str] = "offset + amplitude·[G(x−f+s/2) + ratio·G(x−f−s/2)]"

    def shape(self, reduced: Curve) -> tuple[Curve, Curve]:
        """Return exp(−ln 2 r²)."""
        return gaussian_shape(reduced)


class AutlerTownes(LorentzianPair):
    """An Autler–Townes doublet: two Lorentzian lines whose splitting is the Rabi frequency of the second field.

    On resonance Ω = splitting; off resonance by δ the splitting is √(Ω² + δ²). A probe that is scanned instead of
    the coupling sees the splitting times λ_coupling/λ_probe: give that ratio as context `scan_factor`, and as
    context `dipole` (C m) the dipole moment for the field E = hΩ/dipole.
    Source: Sedlacek et al., Nat. Phys. 8, 819 (2012); physics.md P28.
    """

    name: ClassVar[str] = "autler_townes"
    title: ClassVar[str] = "Autler–Townes doublet"
    axis_unit: ClassVar[str] = "Hz"

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the Rabi frequency, and the field where the dipole moment is known."""
        rabi = theta["splitting"] / (self.known("scan_factor") or 1.0)
        found = {"rabi_frequency": (rabi, "Hz", "Rabi frequency Ω/2π")}
        if self.known("dipole") > 0:
            found["electric_field"] = (6.62607015e-34 * rabi / self.known("dipole"), "V/m", "electric field")
        return found

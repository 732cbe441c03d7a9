"""Decays: the stretched exponential of T1 and echo measurements."""

from typing import ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import best_distinct, grid_of, project_shapes, spacing, span


class StretchedDecay(FitModel):
    """A stretched exponential: y = offset + amplitude·exp(−(x/T)^p).

    Rising curves have a negative amplitude. The exponent is free; context `fix_exponent` = 1 holds it (T1).
    Source: Kohlrausch form as used for T1 (p = 1) and Hahn echo (p = 1 to 3), Barry RMP 92 015004 (2020).
    """

    name: ClassVar[str] = "stretched_decay"
    title: ClassVar[str] = "Stretched exponential decay"
    formula: ClassVar[str] = "offset + amplitude·exp(−(x/T)^p)"
    feature: ClassVar[str] = "decay"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("time", "x", "decay time T", minimum=0.0, essential=True),
        Variable("exponent", "1", "exponent p", minimum=0.2, maximum=6.0, default=1.0),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the decay at x ≥ 0."""
        reduced = np.maximum(x, 0.0) / max(theta["time"], 1e-300)
        with np.errstate(over="ignore"):
            decay = np.exp(-(reduced ** theta["exponent"]))
        return np.asarray(theta["offset"] + theta["amplitude"] * decay)

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan time and exponent, solving offset and amplitude."""
        longest = max(float(np.max(x)), spacing(x))
        trials = np.geomspace(0.3 * spacing(x), 5 * longest, 40)
        exponents = [self.context["fix_exponent"]] if "fix_exponent" in self.context else [1.0, 1.5, 2.5]
        times, powers = grid_of(trials, exponents)
        reduced = np.maximum(x, 0.0) / times[:, None]
        with np.errstate(over="ignore"):
            chi2, offset, amplitude = project_shapes(np.exp(-(reduced ** powers[:, None])), y, error)
        picked = best_distinct(chi2, np.log(times), 1.0, 2)
        return [
            {"time": times[i], "exponent": powers[i], "amplitude": amplitude[i], "offset": offset[i]}
            for i in picked
        ]

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return the height of the decay for both heights."""
        del x
        size = max(abs(theta["amplitude"]), 1e-6 * abs(theta["offset"]), 1e-300)
        return {"amplitude": size, "offset": size}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A decay within one step, or far beyond the range, is not measured by these points."""
        if theta["time"] < spacing(x):
            return ["The decay is shorter than one step of the sweep: take shorter times."]
        if theta["time"] > 5 * span(x):
            return ["The decay is much longer than the sweep: take longer times."]
        return []

"""A damped cosine that loses coherence in two ways: fast noise exponentially, slow noise as a Gaussian."""

import math
from typing import ClassVar

import numpy as np

from qlab.fits.damped_cosine import DampedCosine
from qlab.fits.model import Curve, Theta, Variable


class CosineOfTwoDecays(DampedCosine):
    """y = offset + amplitude·exp(−x/T2 − (2πσx)²/2)·cos(2πfx + phase).

    T2 is what jumps and fast noise leave, σ (Hz) the rms of a detuning that stays while the fringe lasts. Derived:
    T2*, the 1/e time of the product. Source: Ithier et al., PRB 72, 134519 (2005), sec. IV.
    """

    name: ClassVar[str] = "cosine_of_two_decays"
    title: ClassVar[str] = "Damped cosine, exponential and Gaussian"
    formula: ClassVar[str] = "offset + amplitude·exp(−x/T2 − (2πσx)²/2)·cos(2πfx + phase)"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "1/x", "frequency", minimum=0.0, essential=True),
        Variable("T2", "x", "exponential decay time T2", minimum=0.0),
        Variable("sigma", "1/x", "slow detuning σ", minimum=0.0, squared=True),
        Variable("amplitude", "y", "amplitude", minimum=0.0, essential=True),
        Variable("phase", "rad", "phase"),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the damped cosine at x ≥ 0."""
        slow = 2 * np.pi * theta["sigma"] * x
        with np.errstate(over="ignore", under="ignore"):
            envelope = np.exp(-x / np.maximum(theta["T2"], 1e-300) - slow**2 / 2)
        turn = np.cos(2 * np.pi * theta["frequency"] * x + theta["phase"])
        return np.asarray(theta["offset"] + theta["amplitude"] * envelope * turn)

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the curve and its derivatives."""
        time, slow = np.maximum(theta["T2"], 1e-300), 2 * np.pi * x
        envelope = np.exp(-np.minimum(x / time + (slow * theta["sigma"]) ** 2 / 2, 700.0))
        angle = slow * theta["frequency"] + theta["phase"]
        cosine = envelope * np.cos(angle)
        falling, wave = -theta["amplitude"] * envelope * np.sin(angle), theta["amplitude"] * cosine
        return np.asarray(theta["offset"] + wave), {
            "frequency": falling * slow,
            "T2": wave * x / time**2,
            "sigma": -wave * slow**2 * theta["sigma"],
            "amplitude": cosine,
            "phase": falling,
            "offset": np.ones_like(cosine),
        }

    def candidates(self, x: Curve) -> None:
        """Starts come from a plain damped cosine: see `guess`."""
        del x

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Take what a plain damped cosine finds, its decay shared between both ways."""
        starts = []
        for start in DampedCosine(self.context).guess(x, y, error)[:2]:
            time = start.pop("decay_time")
            for share in (0.2, 0.8):
                sigma = math.sqrt(2 * share) / (2 * math.pi * time)
                starts.append({**start, "T2": time / (1 - share), "sigma": sigma})
        return starts

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return T2*: x/T2 + (2πσx)²/2 = 1."""
        rate = 1 / max(theta["T2"], 1e-300)
        square = 2 * math.pi**2 * theta["sigma"] * abs(theta["sigma"])
        # The smaller root written so that no square at all is a limit, and a slightly negative one harmless.
        root = math.sqrt(max(rate**2 + 4 * square, 0.0))
        return {"T2_star": (2 / (rate + root), "x", "T2*, the 1/e time")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return a fraction of a cycle over the range for frequency and phase, the sizes of the signal for it."""
        made = super().scales(x, {**theta, "decay_time": theta["T2"]})
        return {**made, "sigma": 0.02 / max(float(np.ptp(x)), 1e-300)}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The limits of sampling are those of any fringe."""
        return super().doubts(x, {**theta, "decay_time": self.derive(theta)["T2_star"][0]})

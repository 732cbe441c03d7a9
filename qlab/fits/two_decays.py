"""A damped cosine that loses coherence in two ways: fast noise exponentially, slow noise as a Gaussian."""

import math
from typing import ClassVar

import numpy as np

from qlab.fits.damped_cosine import DampedCosine, waves
from qlab.fits.model import Curve, Theta, Variable
from qlab.fits.starts import Candidates, frequencies, grid_of, span, with_constant


class CosineOfTwoDecays(DampedCosine):
    """y = offset + amplitude·exp[−(1 − s)·x/T2* − s·(x/T2*)²]·cos(2πfx + phase).

    T2* is the 1/e time of the whole envelope, s the share of slow noise in it at that time. Both are told apart by
    the data, where the two decay times by themselves are nearly exchangeable. s may scatter beyond 0 and 1: bounds
    there would pull T2*. Derived: T2 of jumps and fast noise, T2*/(1 − s), and the rms σ of a detuning that stays
    while the fringe lasts, √(2s)/(2πT2*). Context `lead`: how much longer than x the coherence is at stake, with
    pulses of finite length. Source: Ithier et al., PRB 72, 134519 (2005), sec. IV.
    """

    name: ClassVar[str] = "cosine_of_two_decays"
    title: ClassVar[str] = "Damped cosine, exponential and Gaussian"
    formula: ClassVar[str] = "offset + amplitude·exp(−(1−s)·x/T − s·(x/T)²)·cos(2πfx + phase)"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "1/x", "frequency", minimum=0.0, essential=True),
        Variable("T2_star", "x", "T2*, the 1/e time", minimum=0.0),
        Variable("slow_share", "1", "share of slow noise s", minimum=-1.0, maximum=2.0, default=0.5),
        Variable("amplitude", "y", "amplitude", minimum=0.0, essential=True),
        Variable("phase", "rad", "phase"),
        Variable("offset", "y", "offset"),
    )

    def _reduced(self, x: Curve, theta: Theta) -> Curve:
        return np.asarray((np.abs(x) + self.known("lead")) / np.maximum(theta["T2_star"], 1e-300))

    def _loss(self, x: Curve, theta: Theta) -> Curve:
        reduced = self._reduced(x, theta)
        share = theta["slow_share"]
        with np.errstate(over="ignore", invalid="ignore"):
            # A share beyond 0..1 lets the envelope rise somewhere; never so far that numbers overflow.
            return np.asarray(np.clip(reduced * (1 - share + share * reduced), -50.0, 700.0))

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the damped cosine and its derivatives."""
        plain = {**theta, "decay_time": theta["T2_star"], "exponent": np.asarray(1.0)}
        curve, found = super().slopes(x, plain)
        wave = curve - theta["offset"]
        share, reduced = theta["slow_share"], self._reduced(x, theta)
        del found["decay_time"]
        found.pop("exponent", None)
        found["T2_star"] = (
            wave * reduced * (1 - share + 2 * share * reduced) / np.maximum(theta["T2_star"], 1e-300)
        )
        found["slow_share"] = wave * reduced * (1 - reduced)
        return curve, found

    def candidates(self, x: Curve) -> Candidates:
        """Scan frequency and T2*, solving both quadratures and the offset."""
        trial, time = grid_of(frequencies(x, limit=700), span(x) * np.array([0.15, 0.4, 1.0, 2.5]))
        half = np.full_like(trial, 0.5)
        loss = self._loss(x, {"T2_star": time[:, None], "slow_share": half[:, None]})
        phase = 2 * np.pi * trial[:, None] * x
        columns = with_constant(np.exp(-loss) * np.cos(phase), np.exp(-loss) * np.sin(phase))
        values = {"frequency": trial, "T2_star": time, "slow_share": half}
        return Candidates(values, columns, trial, 0.7 / span(x), 3, waves, loss=0.15)

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the exponential decay time and the rms of the slow detuning."""
        time, share = max(theta["T2_star"], 1e-300), theta["slow_share"]
        slow = math.sqrt(2 * max(share, 0.0)) / (2 * math.pi * time)
        return {
            "T2": (time / max(1 - share, 1e-12), "x", "exponential decay time T2"),
            "sigma": (slow, "1/x", "slow detuning σ"),
        }

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The limits of sampling are those of any fringe."""
        return super().doubts(x, {**theta, "decay_time": theta["T2_star"]})

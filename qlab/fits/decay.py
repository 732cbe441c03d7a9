"""Decays: the stretched exponential of T1 and echo measurements, and the pair of exponentials."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, grid_of, heights, spacing, span, with_constant


def _decay_doubts(x: Curve, time: float) -> list[str]:
    if time < spacing(x):
        return ["The decay is shorter than one step of the sweep: take shorter times."]
    if time > 5 * span(x):
        return ["The decay is much longer than the sweep: take longer times."]
    return []


def sizes(theta: Theta) -> dict[str, Any]:
    """Return the height of the feature as the scale of offset and amplitude."""
    size = np.maximum(np.maximum(np.abs(theta["amplitude"]), 1e-6 * np.abs(theta["offset"])), 1e-300)
    return {"amplitude": size, "offset": size}


class StretchedDecay(FitModel):
    """A stretched exponential: y = offset + amplitude·exp(−(x/T)^p).

    Rising curves have a negative amplitude. The exponent is free; context `fix_exponent` = 1 holds it (T1).
    Source: Kohlrausch form as used for T1 (p = 1) and Hahn echo (p = 1 to 3), Barry RMP 92 015004 (2020).
    """

    name: ClassVar[str] = "stretched_decay"
    title: ClassVar[str] = "Stretched exponential decay"
    formula: ClassVar[str] = "offset + amplitude·exp(−(x/T)^p)"
    feature: ClassVar[str] = "decay"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("time", "x", "decay time T", minimum=0.0, essential=True),
        Variable("exponent", "1", "exponent p", minimum=0.2, maximum=6.0, default=1.0),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the decay at x ≥ 0."""
        reduced = np.maximum(x, 0.0) / np.maximum(theta["time"], 1e-300)
        with np.errstate(over="ignore"):
            decay = np.exp(-(reduced ** theta["exponent"]))
        return np.asarray(theta["offset"] + theta["amplitude"] * decay)

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the decay and its derivatives."""
        reduced = np.maximum(x, 0.0) / np.maximum(theta["time"], 1e-300)
        loss = np.minimum(reduced ** theta["exponent"], 700.0)
        decay = np.exp(-loss)
        falling = theta["amplitude"] * loss * decay
        return np.asarray(theta["offset"] + theta["amplitude"] * decay), {
            "time": falling * theta["exponent"] / np.maximum(theta["time"], 1e-300),
            "exponent": -falling * np.log(np.maximum(reduced, 1e-300)),
            "amplitude": decay,
            "offset": np.ones_like(decay),
        }

    def candidates(self, x: Curve) -> Candidates:
        """Scan time and exponent, solving offset and amplitude."""
        longest = max(float(np.max(x)), spacing(x))
        trials = np.geomspace(0.3 * spacing(x), 5 * longest, 40)
        exponents = [self.context["fix_exponent"]] if "fix_exponent" in self.context else [1.0, 1.5, 2.5]
        times, powers = grid_of(trials, exponents)
        with np.errstate(over="ignore"):
            shapes = np.exp(-((np.maximum(x, 0.0) / times[:, None]) ** powers[:, None]))
        values = {"time": times, "exponent": powers}
        return Candidates(values, with_constant(shapes), np.log(times), 1.0, 2, heights)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the height of the decay for both heights."""
        del x
        return sizes(theta)

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A decay within one step, or far beyond the range, is not measured by these points."""
        return _decay_doubts(x, theta["time"])


class ExponentialPair(FitModel):
    """Two exponentials: y = offset + amplitude·[(1 − share)·exp(−x/T_fast) + share·exp(−x/T_slow)].

    Relaxation through two channels (spin-1 T1, quasiparticles, charge states). `slow_ratio` = T_slow/T_fast > 1
    keeps the two apart.
    """

    name: ClassVar[str] = "exponential_pair"
    title: ClassVar[str] = "Pair of exponential decays"
    formula: ClassVar[str] = "offset + amplitude·[(1−s)·exp(−x/T) + s·exp(−x/(rT))]"
    feature: ClassVar[str] = "decay"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("time", "x", "fast decay time T", minimum=0.0, essential=True),
        Variable("slow_ratio", "1", "slow over fast time", minimum=1.2, maximum=1e4, default=8.0),
        Variable(
            "share", "1", "share of the slow decay", minimum=0.0, maximum=1.0, default=0.5, essential=True
        ),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the decay at x ≥ 0."""
        fast = np.maximum(theta["time"], 1e-300)
        one, other = (np.exp(-np.maximum(x, 0.0) / t) for t in (fast, fast * theta["slow_ratio"]))
        mixed = (1 - theta["share"]) * one + theta["share"] * other
        return np.asarray(theta["offset"] + theta["amplitude"] * mixed)

    def candidates(self, x: Curve) -> Candidates:
        """Scan both times, solving offset and both amplitudes."""
        fast, ratio = grid_of(np.geomspace(spacing(x), span(x), 20), [3.0, 8.0, 25.0])
        shapes = [np.exp(-np.maximum(x, 0.0) / t[:, None]) for t in (fast, fast * ratio)]
        values = {"time": fast, "slow_ratio": ratio}
        return Candidates(values, with_constant(*shapes), np.log(fast), 0.8, 3, _shares, _opposed)

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the slow time."""
        return {"slow_time": (theta["time"] * theta["slow_ratio"], "x", "slow decay time")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the height of the decay for both heights, and a part of the whole for the share."""
        del x
        return {**sizes(theta), "share": 0.3}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A decay within one step, or far beyond the range, is not measured by these points."""
        slow = theta["time"] * theta["slow_ratio"]
        return _decay_doubts(x, theta["time"]) or _decay_doubts(x, slow)


def _shares(coefficients: Curve) -> dict[str, Curve]:
    total = coefficients[..., 1] + coefficients[..., 2]
    share = np.where(total != 0, coefficients[..., 2] / np.where(total != 0, total, 1.0), 0.5)
    return {"offset": coefficients[..., 0], "amplitude": total, "share": np.clip(share, 0.02, 0.98)}


def _opposed(coefficients: Curve) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(coefficients[..., 1] * coefficients[..., 2] < 0)

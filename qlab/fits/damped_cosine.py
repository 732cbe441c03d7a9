"""Cosines: damped ones of free phase, one or two together, and the fringe of an interferometer."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.decay import sizes
from qlab.fits.fringes import DampedCosineDoublet, DampedCosineTriplet
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.sampling import alias_doubts
from qlab.fits.starts import Candidates, frequencies, grid_of, spacing, span, with_constant
from qlab.fits.turning import ramp

__all__ = ["BeatingCosine", "DampedCosine", "DampedCosineDoublet", "DampedCosineTriplet", "Fringe"]


def waves(coefficients: Curve) -> dict[str, Curve]:
    """Read offset, amplitude and phase off the coefficients (..., 3) of constant, cosine and sine."""
    cosine, sine = coefficients[..., 1], coefficients[..., 2]
    return {
        "offset": coefficients[..., 0], "amplitude": np.hypot(cosine, sine), "phase": np.arctan2(-sine, cosine)
    }  # fmt: skip


class DampedCosine(FitModel):
    """A damped cosine of free phase: y = offset + amplitude·exp(−(x/T)^p)·cos(2π f x + phase).

    f in 1/x, T in x, phase in rad; p is held at 2 by default (context `fix_exponent`, `free_exponent`).
    """

    name: ClassVar[str] = "damped_cosine"
    title: ClassVar[str] = "Damped cosine"
    formula: ClassVar[str] = "offset + amplitude·exp(−(x/T)^p)·cos(2πfx + phase)"
    feature: ClassVar[str] = "oscillation"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "1/x", "frequency", minimum=0.0, essential=True),
        Variable("decay_time", "x", "decay time T", minimum=0.0),
        Variable("exponent", "1", "exponent p", minimum=0.5, maximum=4.0, free=False, default=2.0),
        Variable("amplitude", "y", "amplitude", minimum=0.0, essential=True),
        Variable("phase", "rad", "phase"),
        Variable("offset", "y", "offset"),
    )

    def _loss(self, x: Curve, theta: Theta) -> Curve:
        reduced = np.abs(x) / np.maximum(theta["decay_time"], 1e-300)
        with np.errstate(over="ignore"):
            if np.all(np.asarray(theta["exponent"]) == 2):
                return np.asarray(reduced * reduced)
            return np.asarray(reduced ** theta["exponent"])

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the damped cosine at x."""
        turn = np.cos(2 * np.pi * theta["frequency"] * x + theta["phase"])
        return np.asarray(theta["offset"] + theta["amplitude"] * np.exp(-self._loss(x, theta)) * turn)

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the damped cosine and its derivatives."""
        loss = np.minimum(self._loss(x, theta), 700.0)
        turn = ramp(2j * np.pi * np.atleast_1d(theta["frequency"]), x) * np.exp(1j * theta["phase"])
        envelope = np.exp(-loss)
        cosine = envelope * turn.real
        falling = -theta["amplitude"] * envelope * turn.imag
        wave = theta["amplitude"] * cosine
        losing = wave * loss
        found = {
            "frequency": falling * (2 * np.pi * x),
            "decay_time": losing * (theta["exponent"] / np.maximum(theta["decay_time"], 1e-300)),
            "amplitude": cosine,
            "phase": falling,
            "offset": np.broadcast_to(1.0, cosine.shape),
        }
        if self.known("free_exponent"):
            found["exponent"] = -losing * np.log(np.maximum(loss, 1e-300)) / theta["exponent"]
        return theta["offset"] + wave, found

    def candidates(self, x: Curve) -> Candidates:
        """Scan frequency and decay time, solving both quadratures and the offset."""
        trial, time = grid_of(frequencies(x, limit=700), span(x) * np.array([0.15, 0.5, 2.0]))
        phase = 2 * np.pi * trial[:, None] * x
        envelope = np.exp(-((np.abs(x) / time[:, None]) ** self.known("exponent")))
        columns = with_constant(envelope * np.cos(phase), envelope * np.sin(phase))
        values = {"frequency": trial, "decay_time": time}
        return Candidates(values, columns, trial, 0.7 / span(x), 3, waves, loss=0.2)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of a cycle over the range for frequency and phase."""
        return {**sizes(theta), "frequency": 0.1 / span(x), "phase": 0.5}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The same limits of sampling as for a Ramsey fringe."""
        if theta["decay_time"] < 2 * spacing(x):
            return ["The oscillation decays within two steps of the sweep: take smaller steps."]
        return alias_doubts(x, theta["frequency"], self.parameters)


class BeatingCosine(FitModel):
    """Two damped cosines of one decay: y = offset + A·exp(−(x/T)^p)·[cos(2π f₁ x + φ) + ratio·cos(2π f₂ x + φ)].

    f₁ = frequency − splitting/2, f₂ = frequency + splitting/2: charge parity of a transmon, a strongly coupled
    nucleus. p is held at 1 by default.
    """

    name: ClassVar[str] = "beating_cosine"
    title: ClassVar[str] = "Beating of two damped cosines"
    formula: ClassVar[str] = "offset + A·exp(−(x/T)^p)·[cos(2πf₁x+φ) + ratio·cos(2πf₂x+φ)]"
    feature: ClassVar[str] = "oscillation"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "1/x", "mean frequency", minimum=0.0, essential=True),
        Variable("splitting", "1/x", "splitting", minimum=0.0, essential=True),
        Variable("decay_time", "x", "decay time T", minimum=0.0, essential=True),
        Variable("exponent", "1", "exponent p", minimum=0.5, maximum=4.0, free=False, default=1.0),
        Variable("amplitude", "y", "amplitude", minimum=0.0, essential=True),
        Variable("ratio", "1", "upper over lower amplitude", minimum=0.0, default=1.0, essential=True),
        Variable("phase", "rad", "phase"),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the beating at x."""
        with np.errstate(over="ignore"):
            envelope = np.exp(-((np.abs(x) / np.maximum(theta["decay_time"], 1e-300)) ** theta["exponent"]))
        lower, upper = (
            np.cos(2 * np.pi * (theta["frequency"] + side * theta["splitting"]) * x + theta["phase"])
            for side in (-0.5, 0.5)
        )
        return np.asarray(theta["offset"] + theta["amplitude"] * envelope * (lower + theta["ratio"] * upper))

    def candidates(self, x: Curve) -> Candidates:
        """Scan mean frequency, splitting and decay time, solving the quadratures of two equal cosines."""
        top = min(20.0 / span(x), 0.25 / spacing(x))
        splittings = np.arange(0.5 / span(x), top, 0.5 / span(x))
        trial, splitting, time = grid_of(
            frequencies(x, per_cycle=2.0, limit=160), splittings, span(x) * np.array([0.3, 1.5])
        )
        envelope = 2 * np.exp(-((np.abs(x) / time[:, None]) ** self.known("exponent")))
        envelope = envelope * np.cos(np.pi * splitting[:, None] * x)
        phase = 2 * np.pi * trial[:, None] * x
        values = {"frequency": trial, "splitting": splitting, "decay_time": time}
        columns = with_constant(envelope * np.cos(phase), envelope * np.sin(phase))
        position = trial + 0.37 * splitting
        return Candidates(values, columns, position, 0.25 / span(x), 4, waves)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of a cycle over the range for frequencies and phase."""
        cycle = 0.1 / span(x)
        return {**sizes(theta), "frequency": cycle, "splitting": cycle, "phase": 0.5, "ratio": 0.3}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """Frequencies have to lie below half the sampling rate, and apart by what the range resolves."""
        if theta["splitting"] < 0.5 / span(x):
            return ["The sweep shows less than half a beat: take longer times, or fit one frequency."]
        return alias_doubts(x, theta["frequency"] + theta["splitting"] / 2, self.parameters)


class Fringe(FitModel):
    """The fringe of an interferometer: y = level·[1 + visibility·cos(2π x/period + phase)].

    x: phase, delay, chirp rate or any other control. A period that is known is held: `--fix period=6.283185` for
    x in rad.
    """

    name: ClassVar[str] = "fringe"
    title: ClassVar[str] = "Interferometer fringe"
    formula: ClassVar[str] = "level·[1 + visibility·cos(2πx/period + phase)]"
    feature: ClassVar[str] = "fringe"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("period", "x", "period", minimum=0.0, essential=True),
        Variable("visibility", "1", "visibility", minimum=0.0, maximum=1.2, essential=True),
        Variable("phase", "rad", "phase"),
        Variable("level", "y", "level", minimum=0.0),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the fringe at x."""
        turn = np.cos(2 * np.pi * x / np.maximum(theta["period"], 1e-300) + theta["phase"])
        return np.asarray(theta["level"] * (1 + theta["visibility"] * turn))

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]]:
        """Return the fringe and its derivatives."""
        period = np.maximum(theta["period"], 1e-300)
        turn = 2 * np.pi * x / period + theta["phase"]
        cosine, falling = np.cos(turn), -theta["level"] * theta["visibility"] * np.sin(turn)
        whole = 1 + theta["visibility"] * cosine
        return np.asarray(theta["level"] * whole), {
            "period": falling * (-2 * np.pi * x / period**2),
            "visibility": theta["level"] * cosine,
            "phase": falling,
            "level": whole,
        }

    def candidates(self, x: Curve) -> Candidates:
        """Scan the period, solving both quadratures and the level."""
        held = self.context.get("fix_period", 0.0)
        trial = np.array([1 / held]) if held > 0 else frequencies(x, per_cycle=6.0)
        phase = 2 * np.pi * trial[:, None] * x
        columns = with_constant(np.cos(phase), np.sin(phase))
        return Candidates({"period": 1 / trial}, columns, trial, 0.7 / span(x), 3, _visible, loss=0.1)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of a cycle over the range for the period and the phase."""
        return {"period": 0.1 * np.asarray(theta["period"]) ** 2 / span(x), "phase": 0.5, "visibility": 0.3}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A fringe finer than two steps, or much wider than the sweep, is not measured by it."""
        if theta["period"] > 4 * span(x):
            return ["The sweep shows less than a quarter of a fringe: take a wider one."]
        return alias_doubts(x, 1 / max(theta["period"], 1e-300), self.parameters)


def _visible(coefficients: Curve) -> dict[str, Curve]:
    found = waves(coefficients)
    level = np.maximum(found["offset"], 1e-12)
    return {
        "level": level, "visibility": np.clip(found["amplitude"] / level, 0.005, 1.1), "phase": found["phase"]
    }  # fmt: skip

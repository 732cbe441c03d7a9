"""Ramsey fringes: the hyperfine triplet with finite pulses, and the plain damped cosine."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qlab.fits import three_level
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import (
    best_distinct,
    frequencies,
    grid_of,
    levels,
    project,
    project_shapes,
    spacing,
    span,
)
from qlab.fits.two_level import HYPERFINE_14N, line_offsets, ramsey_pulses


class DampedCosineTriplet(FitModel):
    """Ramsey fringes of three 14N lines between two finite π/2 pulses: y = level·(1 − contrast·P(τ)).

    P(τ) = mean_m {M_m + Re[C_m exp(i 2π(fringe + Δ_m)τ) exp(−((τ + d_m)/T2*)^p)]}, for ideal pulses
    mean_m ½{1 + exp(−(τ/T2*)^p) cos 2π(fringe + Δ_m)τ}. Signs: Δ_m = Δ − m A − (m² − 2/3) q with
    Δ = `frequency` = f_drive − f_0, f_0 the mean of the three lines; H/h = −(Δ_m/2)σ_z + (Ω/2)(cos φ σ_x +
    sin φ σ_y), index 0 excited, and φ = +2π·fringe·τ on the second pulse. Hence the fringes run at
    |fringe + Δ − m A − (m² − 2/3) q|: driving above resonance makes them faster. M_m, C_m, d_m are exact for
    square pulses at the detuning Δ_m + `pulse_shift` (see two_level.ramsey_pulses).
    Context: `fringe_frequency`, `rabi_frequency` Ω (Hz; 0 or absent: ideal pulses), `pulse_duration` (s;
    absent: 1/(4Ω)), `asymmetry` q, `pulse_shift` (Hz, added to the detuning during the pulses only: minus
    the light shift of the line), `other_line` (Hz, 2(D − f): the pulses are then those of a spin 1 whose
    other transition is driven too, light shift included, and `pulse_shift` is not used).
    x: free precession in s. Source: physics.md P06; Barry RMP 92 015004 (2020).
    """

    name: ClassVar[str] = "damped_cosine_triplet"
    title: ClassVar[str] = "Ramsey fringes of a hyperfine triplet"
    formula: ClassVar[str] = "level·(1 − contrast·⟨M_m + Re C_m exp(i2π(fringe+Δ−mA)τ − (τ/T2*)^p)⟩)"
    feature: ClassVar[str] = "fringe"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "resonance offset Δ"),
        Variable(
            "hyperfine", "Hz", "hyperfine splitting A", minimum=0.0, essential=True, default=HYPERFINE_14N
        ),
        Variable("T2_star", "s", "T2*", minimum=0.0, essential=True),
        Variable("exponent", "1", "exponent p", minimum=0.5, maximum=4.0, free=False, default=2.0),
        Variable("contrast", "1", "contrast", minimum=0.0, maximum=1.0, essential=True, default=0.3),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
    )

    def _detunings(self, theta: Theta) -> NDArray[np.float64]:
        return theta["frequency"] - line_offsets(theta["hyperfine"], self.known("asymmetry"))

    def _pulses(
        self, delta: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.complex128], NDArray[np.complex128]]:
        rabi = self.known("rabi_frequency")
        duration = self.context.get("pulse_duration", 0.25 / rabi if rabi > 0 else 0.0)
        other = self.known("other_line")
        if rabi > 0 and duration > 0 and abs(other) > 2 * rabi:
            return three_level.ramsey_pulses(rabi, duration, delta, other)
        return ramsey_pulses(rabi, duration, delta + self.known("pulse_shift"))

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the signal after a free precession x (s)."""
        delta = self._detunings(theta)
        mean, coherence, delay = self._pulses(delta)
        reduced = (x + delay[:, None]) / max(theta["T2_star"], 1e-300)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = reduced * reduced if theta["exponent"] == 2 else reduced ** theta["exponent"]
        loss = np.where(loss.real < 700, loss, 700)
        turn = 2j * np.pi * np.multiply.outer(self.known("fringe_frequency") + delta, x)
        oscillation = (coherence[:, None] * np.exp(turn - loss)).real
        transfer = np.mean(mean[:, None] + oscillation, axis=0)
        return np.asarray(theta["level"] * (1 - theta["contrast"] * transfer))

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan offset and T2*, solving level and contrast; the smaller offset first where two fit alike."""
        hyperfine = self.known("hyperfine")
        fringe, top, rabi = self.known("fringe_frequency"), 0.5 / spacing(x), self.known("rabi_frequency")
        reach = min(abs(fringe) + top, 2 * rabi if rabi > 0 else np.inf) + hyperfine
        offsets = np.linspace(-reach, reach, int(np.clip(6 * reach * span(x), 30, 1500)))
        lines = line_offsets(hyperfine, self.known("asymmetry"))
        mean, coherence, _ = self._pulses(np.ravel(offsets[:, None] - lines))
        mean, coherence = mean.reshape(-1, 3), coherence.reshape(-1, 3)
        common = np.exp(2j * np.pi * np.outer(offsets + fringe, x))
        turning = coherence @ np.exp(-2j * np.pi * np.outer(lines, x))
        fringes = (common * turning).real / 3
        shapes, scores = [], []
        times = span(x) * np.array([0.12, 0.35, 1.0, 3.0])
        exponent = self.known("exponent")
        for time in times:
            shape = mean.mean(axis=1)[:, None] + fringes * np.exp(-((np.abs(x) / time) ** exponent))
            chi2, heights, depths = project_shapes(shape, y, error)
            shapes.append((heights, depths))
            scores.append(chi2 + np.where((depths > 0) | (-depths > heights), 1e3 * len(x), 0.0))
        table = np.array(scores)
        best_time = np.argmin(table, axis=0)
        # The mirror image of an offset fits alike where pulses are short: prefer the resonance nearby.
        score = table[best_time, np.arange(len(offsets))] + np.abs(offsets) / reach
        starts = []
        for i in best_distinct(score, offsets, 0.7 / span(x), 4):
            level, contrast = levels(*(float(part[i]) for part in shapes[best_time[i]]))
            starts.append({
                "frequency": offsets[i], "hyperfine": hyperfine, "T2_star": times[best_time[i]],
                "contrast": contrast, "level": level,
            })  # fmt: skip
        return starts

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return a fraction of a cycle over the range for the frequencies."""
        del theta
        return {"frequency": 0.1 / span(x), "hyperfine": 0.1 / span(x)}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """Fringes above half the sampling rate are aliased; a decay within a step is not resolved."""
        rates = np.abs(self.known("fringe_frequency") + self._detunings(theta))
        found = []
        if rates.max() > 0.5 / spacing(x):
            found.append("The fringes are faster than half the sampling rate (aliased): take smaller steps.")
        if theta["T2_star"] < 2 * spacing(x):
            found.append("The fringes decay within two steps of the sweep: take smaller steps.")
        return found


class DampedCosine(FitModel):
    """A damped cosine of free phase: y = offset + amplitude·exp(−(x/T)^p)·cos(2π f x + phase).

    f in 1/x, T in x, phase in rad; p is held at 2 by default (context `fix_exponent`, `free_exponent`).
    """

    name: ClassVar[str] = "damped_cosine"
    title: ClassVar[str] = "Damped cosine"
    formula: ClassVar[str] = "offset + amplitude·exp(−(x/T)^p)·cos(2πfx + phase)"
    feature: ClassVar[str] = "oscillation"
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "1/x", "frequency", minimum=0.0, essential=True),
        Variable("decay_time", "x", "decay time T", minimum=0.0),
        Variable("exponent", "1", "exponent p", minimum=0.5, maximum=4.0, free=False, default=2.0),
        Variable("amplitude", "y", "amplitude", minimum=0.0, essential=True),
        Variable("phase", "rad", "phase"),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the damped cosine at x."""
        with np.errstate(over="ignore"):
            envelope = np.exp(-((np.abs(x) / max(theta["decay_time"], 1e-300)) ** theta["exponent"]))
        turn = np.cos(2 * np.pi * theta["frequency"] * x + theta["phase"])
        return np.asarray(theta["offset"] + theta["amplitude"] * envelope * turn)

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Scan frequency and decay time, solving both quadratures and the offset."""
        trial, time = grid_of(frequencies(x, limit=700), span(x) * np.array([0.15, 0.5, 2.0]))
        phase = 2 * np.pi * trial[:, None] * x
        envelope = np.exp(-((np.abs(x) / time[:, None]) ** self.known("exponent")))
        columns = np.stack([np.ones_like(phase), envelope * np.cos(phase), envelope * np.sin(phase)], axis=1)
        chi2, found = project(columns, y, error)
        starts = []
        for i in best_distinct(chi2, trial, 0.7 / span(x), 3):
            offset, cosine, sine = found[i]
            starts.append({
                "frequency": trial[i], "decay_time": time[i], "amplitude": float(np.hypot(cosine, sine)),
                "phase": float(np.arctan2(-sine, cosine)), "offset": offset,
            })  # fmt: skip
        return starts

    def scales(self, x: Curve, theta: Theta) -> dict[str, float]:
        """Return a fraction of a cycle over the range for frequency and phase."""
        size = max(theta["amplitude"], 1e-6 * abs(theta["offset"]), 1e-300)
        return {"frequency": 0.1 / span(x), "phase": 0.5, "amplitude": size, "offset": size}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The same limits of sampling as for a Ramsey fringe."""
        if theta["frequency"] > 0.5 / spacing(x) * 1.001:
            return ["The oscillation is faster than half the sampling rate (aliased): take smaller steps."]
        if theta["decay_time"] < 2 * spacing(x):
            return ["The oscillation decays within two steps of the sweep: take smaller steps."]
        return []

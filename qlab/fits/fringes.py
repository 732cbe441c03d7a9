"""Ramsey fringes of a hyperfine triplet or doublet between finite pulses."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qlab.fits import three_level
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.sampling import alias_doubts
from qlab.fits.starts import Candidates, dips, no_dip, spacing, span, with_constant
from qlab.fits.turning import summed
from qlab.fits.two_level import (
    HYPERFINE_14N,
    HYPERFINE_15N,
    NITROGEN_14,
    NITROGEN_15,
    line_offsets,
    ramsey_pulses,
)


@dataclass(frozen=True)
class _Parts:
    """The sums over the lines, before the envelope: the wave and what changes it; (..., n) each.

    `mean` is the transfer without fringes; it changes with the offset by `mean_slope`, with the splitting by
    −`mean_spread`.
    """

    wave: Curve
    by_offset: Curve
    by_spread: Curve
    by_time: Curve
    mean: Curve
    mean_slope: Curve | float = 0.0
    mean_spread: Curve | float = 0.0


class _Fringes(FitModel):
    """Ramsey fringes of the lines of a nucleus between two finite π/2 pulses."""

    projections: ClassVar[tuple[float, ...]] = NITROGEN_14
    feature: ClassVar[str] = "fringe"
    axis_unit: ClassVar[str] = "s"
    batched: ClassVar[bool] = True
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

    def detunings(self, theta: Theta) -> NDArray[np.float64]:
        """Return the detuning of each line, (lines, ..., 1), Hz."""
        offsets = line_offsets(theta["hyperfine"], self.known("asymmetry"), self.projections)
        return np.asarray(theta["frequency"] - offsets)

    def pulses(
        self, delta: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.complex128], NDArray[np.complex128]]:
        """Return what both pulses do at a detuning: mean, coherence and delay, as `two_level.ramsey_pulses`."""
        rabi = self.known("rabi_frequency")
        duration = self.context.get("pulse_duration", 0.25 / rabi if rabi > 0 else 0.0)
        other = self.known("other_line")
        if rabi > 0 and duration > 0 and abs(other) > 2 * rabi:
            return three_level.ramsey_pulses(rabi, duration, delta, other)
        return ramsey_pulses(rabi, duration, delta + self.known("pulse_shift"))

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the signal after a free precession x (s)."""
        delta = self.detunings(theta)
        mean, coherence, delay = self.pulses(delta)
        # The spread of detunings acts during part of the pulses too: an early start, and a little phase.
        reduced = (x + delay) / np.maximum(theta["T2_star"], 1e-300)
        with np.errstate(over="ignore", invalid="ignore"):
            two = np.all(np.asarray(theta["exponent"]) == 2)
            loss = reduced * reduced if two else reduced ** theta["exponent"]
        loss = np.where(loss.real < 700, loss, 700)
        turn = 2j * np.pi * (self.known("fringe_frequency") + delta) * x
        transfer = np.mean(mean + (coherence * np.exp(turn - loss)).real, axis=0)
        return np.asarray(theta["level"] * (1 - theta["contrast"] * transfer))

    def slopes(self, x: Curve, theta: Theta) -> tuple[Curve, dict[str, Curve]] | None:
        """Return the signal and its derivatives, for the Gaussian decay (p = 2); else None."""
        if not np.all(np.asarray(theta["exponent"]) == 2):
            return None
        delta, time = self.detunings(theta), np.maximum(theta["T2_star"], 1e-300)
        m = np.array(self.projections).reshape(-1, *[1] * (delta.ndim - 1))
        fringes = self._sharp(x, delta, m) if self._ideal else self._blunt(x, delta, m, time)
        envelope = np.exp(-((x / time) ** 2)) / len(m)
        level, contrast = theta["level"], theta["contrast"]
        transfer = fringes.mean + fringes.wave * envelope
        depth = -level * contrast
        steep = depth * envelope
        return np.asarray(level * (1 - contrast * transfer)), {
            "frequency": depth * fringes.mean_slope + steep * fringes.by_offset,
            "hyperfine": -(depth * fringes.mean_spread + steep * fringes.by_spread),
            "T2_star": steep * (2 / time**3) * fringes.by_time,
            "contrast": -level * transfer,
            "level": 1 - contrast * transfer,
        }

    @property
    def _ideal(self) -> bool:
        return self.known("rabi_frequency") <= 0 or self.context.get("pulse_duration", 1.0) <= 0

    def _sharp(self, x: Curve, delta: Curve, m: Curve) -> "_Parts":
        """Return the fringes after pulses that take no time."""
        turn = np.asarray(2j * np.pi * (self.known("fringe_frequency") + delta), dtype=complex)
        still = np.full(delta.shape, 0.5 + 0j)
        turned = 2j * np.pi * still
        wave, by_offset, by_spread = summed(turn, np.stack([still, turned, m * turned]), x)
        return _Parts(wave, x * by_offset, x * by_spread, x * x * wave, np.array(0.5))

    def _blunt(self, x: Curve, delta: Curve, m: Curve, time: Any) -> "_Parts":
        """Return the fringes after pulses of a finite strength."""
        mean, coherence, delay = self.pulses(delta)
        step = 1e-4 * self.known("rabi_frequency")
        ahead, behind = self.pulses(delta + step), self.pulses(delta - step)
        mean_slope, slope, delay_slope = ((a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True))
        # ((x + d)/T)² = x²/T² + a part linear in x, which turns with the wave, and a constant one.
        turn = 2j * np.pi * (self.known("fringe_frequency") + delta) - 2 * delay / time**2
        fixed = np.exp(-((delay / time) ** 2))
        still = coherence * fixed
        moved = slope * fixed - 2 * still * delay * delay_slope / time**2
        turned = still * (2j * np.pi - 2 * delay_slope / time**2)
        kinds = np.stack([still, moved, turned, m * moved, m * turned, still * delay, still * delay**2])
        wave, shift, shift_x, spread, spread_x, early, early_2 = summed(turn, kinds, x)
        return _Parts(
            wave, shift + x * shift_x, spread + x * spread_x, x * x * wave + 2 * x * early + early_2,
            mean.mean(axis=0), mean_slope.mean(axis=0), (m * mean_slope).mean(axis=0),
        )  # fmt: skip

    def candidates(self, x: Curve) -> Candidates:
        """Scan offset and T2*, solving level and contrast; the smaller offset first where two fit alike."""
        hyperfine = self.known("hyperfine")
        fringe, top, rabi = self.known("fringe_frequency"), 0.5 / spacing(x), self.known("rabi_frequency")
        reach = min(abs(fringe) + top, 2 * rabi if rabi > 0 else np.inf) + hyperfine
        # Pulses that take no time cannot tell an offset from its mirror image: the one nearby is meant.
        lowest = -fringe if self._ideal and abs(fringe) < reach and self.known("asymmetry") == 0 else -reach
        count = int(np.clip(3 * (reach - lowest) * span(x), 30, 1500))
        offsets = np.linspace(lowest, reach, count)
        lines = np.ravel(line_offsets(hyperfine, self.known("asymmetry"), self.projections))
        mean, coherence, _ = self.pulses(np.ravel(offsets[:, None] - lines))
        mean, coherence = mean.reshape(-1, len(lines)), coherence.reshape(-1, len(lines))
        common = np.exp(2j * np.pi * np.outer(offsets + fringe, x))
        turning = coherence @ np.exp(-2j * np.pi * np.outer(lines, x))
        fringes = (common * turning).real / len(lines)
        times = span(x) * np.array([0.12, 0.35, 1.0, 3.0])
        level, exponent = mean.mean(axis=1)[:, None], self.known("exponent")
        shapes = np.concatenate([level + fringes * np.exp(-((np.abs(x) / t) ** exponent)) for t in times])
        every = np.tile(offsets, len(times))
        values = {
            "frequency": every, "hyperfine": np.full(len(every), hyperfine),
            "T2_star": np.repeat(times, len(offsets)),
        }  # fmt: skip
        # The mirror image of an offset fits alike where pulses are short: prefer the resonance nearby.
        return Candidates(
            values,
            with_constant(shapes),
            every,
            0.7 / span(x),
            4,
            dips,
            no_dip,
            np.abs(every) / reach,
            loss=0.3,
        )

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of a cycle over the range for the frequencies."""
        del theta
        return {"frequency": 0.1 / span(x), "hyperfine": 0.1 / span(x)}

    def _told_apart(self, x: Curve, offset: float) -> bool:
        """Say whether the programmed fringe tells an offset from its alias, which lies three times as far off."""
        fringe, rate = self.known("fringe_frequency"), 1 / spacing(x)
        aliases = (abs(side * rate - 2 * fringe - offset) for side in (-1, 1))
        return fringe != 0 and min(aliases) > 3 * abs(offset)

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """Fringes above half the sampling rate are aliased; a decay within a step is not resolved."""
        middle, spread = self.known("fringe_frequency") + theta["frequency"], self.known("asymmetry")
        mean_square = sum(m * m for m in self.projections) / len(self.projections)
        fastest = max(
            abs(middle - m * theta["hyperfine"] - (m * m - mean_square) * spread) for m in self.projections
        )
        found = alias_doubts(x, fastest, self.parameters, told_apart=self._told_apart(x, theta["frequency"]))
        if theta["T2_star"] < 2 * spacing(x):
            found.append("The fringes decay within two steps of the sweep: take smaller steps.")
        return found


class DampedCosineTriplet(_Fringes):
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


class DampedCosineDoublet(_Fringes):
    """Ramsey fringes of the two 15N lines at Δ ± A/2, with one T2*; all else as `damped_cosine_triplet`."""

    name: ClassVar[str] = "damped_cosine_doublet"
    title: ClassVar[str] = "Ramsey fringes of a 15N doublet"
    formula: ClassVar[str] = "level·(1 − contrast·⟨M_m + Re C_m exp(i2π(fringe+Δ−mA)τ − (τ/T2*)^p)⟩), m = ±½"
    projections: ClassVar[tuple[float, ...]] = NITROGEN_15
    parameters: ClassVar[tuple[Variable, ...]] = tuple(
        replace(v, default=HYPERFINE_15N) if v.name == "hyperfine" else v for v in _Fringes.parameters
    )

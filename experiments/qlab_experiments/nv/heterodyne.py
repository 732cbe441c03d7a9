"""Figures of merit of a heterodyne record: frequency, field, and how close they come to the bounds."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qlab.fits.ac import ACFringe
from qlab.metrology.tone import RIFE, Tone, frequency_bound, unfolded
from qlab.physics.constants import GAMMA_NV, TWO_PI
from qlab.record import Figure
from qlab.runs import Run
from qlab_experiments.nv.decoupling import PULSES, train_context

if TYPE_CHECKING:
    from qlab_experiments.nv.qdyne import Qdyne

SCHMITT = "Schmitt et al., Science 356, 832 (2017)"
BACK, ON, SIDE = math.pi, 2 * math.pi, -math.pi / 2  # phases of the last pulse
LARGEST_TURN = 2.2  # rad; beyond it the calibration turns round, and one ratio means two fields
PHASES = 64


class Harmonics:
    """What a train makes of a free-running signal of amplitude B: its mean turned back, its first harmonic beside."""

    def __init__(self, experiment: "Qdyne", frequency: float) -> None:
        p = experiment.parameters
        context = {**train_context(p), "frequency": frequency, "random": 0.0}
        self.models = {
            side: [ACFringe({**context, "last": side, "phase": TWO_PI * k / PHASES}) for k in range(PHASES)]
            for side in (BACK, SIDE)
        }
        self.frequency, self.blocks, self.spacing = frequency, p.repeats, np.array([experiment.spacing])
        frame = self.models[SIDE][0].toggled(self.spacing, self.blocks)
        self.turn = (
            TWO_PI * GAMMA_NV * float(np.linalg.norm(frame.response(TWO_PI * frequency), axis=-1).mean())
        )

    def over(self, side: float, amplitude: float) -> NDArray[np.float64]:
        """Return K at even phases of a signal of `amplitude` T, (PHASES,)."""
        return np.array(
            [
                model.kept(model.toggled(self.spacing, self.blocks), self.frequency, amplitude)[0]
                for model in self.models[side]
            ]
        )

    def ratio(self, amplitude: float) -> float:
        """Return the first harmonic beside over the mean turned back: 2 J1/J0 of the turn for ideal pulses."""
        return self.first(amplitude) / float(self.over(BACK, amplitude).mean())

    def first(self, amplitude: float) -> float:
        """Return the amplitude of the first harmonic of K beside."""
        return float(2 * abs(np.fft.rfft(self.over(SIDE, amplitude))[1]) / PHASES)

    def amplitude(self, ratio: float) -> tuple[float, float]:
        """Return the field in T that gives a ratio, and its derivative by it; NaN where none within one turn does."""
        from scipy.optimize import brentq

        largest = LARGEST_TURN / self.turn
        if not 0 < ratio < self.ratio(largest):
            return math.nan, math.nan
        found = float(brentq(lambda b: self.ratio(b) - ratio, 0.0, largest, xtol=1e-13))
        step = 1e-3 * largest
        return found, 2 * step / (self.ratio(found + step) - self.ratio(found - step))


def heterodyne_figures(experiment: "Qdyne", run: Run, tone: Tone) -> tuple[Figure, ...]:
    """Return the figures of a record in which a tone was found."""
    frequency = unfolded(tone.frequency, experiment.cycle, experiment.parameters.frequency)
    count = len(experiment.readouts(run))
    lasted = count * experiment.cycle
    harmonics = Harmonics(experiment, frequency)
    amplitude, error = calibrated(run, tone, harmonics)
    # The sharpest record of one spin: every readout tells +1 or −1, K its mean.
    first = harmonics.first(amplitude) if math.isfinite(amplitude) else math.nan
    kept = math.exp(
        -PULSES * experiment.parameters.repeats * experiment.spacing / experiment.parameters.expected_T2
    )
    found = [
        Figure(name="frequency", label="signal frequency", value=frequency, error=tone.frequency_error, unit="Hz",
               definition="the frequency nearest to the expected one that shows at this line", source=SCHMITT),
        Figure(name="alias", label="line in the spectrum", value=tone.frequency, error=tone.frequency_error, unit="Hz",
               definition="|f − round(fT)/T|, by maximum likelihood over all readouts", source=RIFE),
        Figure(name="frequency_error", label="error of the frequency", value=tone.frequency_error, unit="Hz",
               definition=f"standard deviation after {lasted:.3g} s; it falls as time^(−3/2)", source=RIFE),
        Figure(name="cramer_rao", label="Cramér–Rao bound", value=tone.bound_frequency, unit="Hz", source=RIFE,
               definition="√6/(πT)·(σ/a)·M^(−3/2), of the line and the noise recorded", limit_of="frequency_error"),
        Figure(name="resolution", label="resolution", value=1 / lasted, unit="Hz",
               definition="1/(MT): what two lines have to be apart"),
        Figure(name="line", label="line over its error", value=tone.signal,
               definition=f"amplitude over its standard deviation; by chance: one in {1 / max(tone.chance, 1e-99):.2g}",
               source=RIFE),
    ]  # fmt: skip
    if math.isfinite(amplitude):
        found += [
            Figure(name="amplitude", label="signal field", value=amplitude, error=error, unit="T", source=SCHMITT,
                   definition="from the line over the calibration, which is 2J1/J0 of the turn for ideal pulses"),
            Figure(name="standard_quantum_limit", label="standard quantum limit", unit="Hz", source=RIFE,
                   value=frequency_bound(count, experiment.cycle, first * kept), limit_of="frequency_error",
                   definition="the same bound for one spin with a perfect readout; its Heisenberg limit is the same"),
        ]  # fmt: skip
    return tuple(found)


def calibrated(run: Run, tone: Tone, harmonics: Harmonics) -> tuple[float, float]:
    """Return the field in T and its error: the line over half the difference of the calibration's two levels."""
    levels = []
    for turn in (BACK, ON):
        rows = np.isclose(run["turn"], turn)
        photons, shots = float(run["counts"][rows].sum()), float(run["shots"][rows].sum())
        levels.append((photons / shots, photons / shots**2) if shots else (math.nan, math.nan))
    half = (levels[0][0] - levels[1][0]) / 2
    variance = (levels[0][1] + levels[1][1]) / 4
    ratio = tone.amplitude / half if half > 0 else math.nan
    amplitude, slope = harmonics.amplitude(ratio)
    relative = (
        math.hypot(tone.amplitude_error / tone.amplitude, math.sqrt(variance) / half)
        if half > 0
        else math.nan
    )
    return amplitude, abs(slope) * ratio * relative

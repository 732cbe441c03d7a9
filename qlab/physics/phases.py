"""What a sequence gives under an oscillation that it is not locked to: at every phase, and on the mean over them."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qlab.physics.constants import GAMMA_NV, TWO_PI
from qlab.pulses import Timeline

Floats = NDArray[np.float64]
PHASE = "sample.phase"  # the setpoint by which a system learns the phase at the start of a shot


@dataclass(frozen=True)
class OverPhases:
    """A timeline with each point at `count` even phases of the signal, one after the other."""

    timeline: Timeline
    count: int

    def mean(self, values: Floats) -> Floats:
        """Return the mean over the phases of what the wide timeline gave: (points x count, ...) to (points, ...)."""
        return np.asarray(values.reshape(-1, self.count, *values.shape[1:]).mean(axis=1))


def over_phases(timeline: Timeline, amplitude: float) -> OverPhases | None:
    """Return a timeline over the phases of a signal of `amplitude` T, enough of them for 1e-6; None where none acts."""
    pulses = [event for event in timeline.events if event.kind == "play"]
    if amplitude == 0 or len(pulses) < 2:
        return None
    # A field that is refocused turns the spin by at most 2/pi of what it does to one that is not.
    span = float((pulses[-1].stop - pulses[0].start).max()) * 1e-12
    turn = TWO_PI * GAMMA_NV * amplitude * span * (2 / math.pi if len(pulses) > 2 else 1)
    order = 1
    while (turn / 2) ** order / math.factorial(order) > 1e-6 and order < 60:
        order += 1
    count = 2 * order + 1
    rows = np.repeat(np.arange(len(timeline)), count)
    wide = timeline.take(rows)
    phase = np.tile(TWO_PI * np.arange(count) / count, len(timeline))
    return OverPhases(replace(wide, setpoints={**wide.setpoints, PHASE: phase}), count)


def at_phase(values: Floats, theta: Floats) -> Floats:
    """Return what a periodic function, known at even phases (count,), is at phases theta; shape of theta."""
    harmonics = np.fft.rfft(values) / len(values)
    kept = max(1, 1 + int(np.flatnonzero(np.abs(harmonics) > 1e-7)[-1])) if np.any(harmonics) else 1
    z = np.exp(1j * theta)
    total = np.zeros_like(z)
    for harmonic in harmonics[kept - 1 : 0 : -1]:
        total = (total + 2 * harmonic) * z
    return np.asarray(np.clip(total.real + harmonics[0].real, 0.0, 1.0))

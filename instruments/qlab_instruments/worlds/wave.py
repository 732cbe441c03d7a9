"""A signal that runs on through all shots: its phase at each."""

import numpy as np
from numpy.typing import NDArray

from qlab.physics.constants import TWO_PI

Floats = NDArray[np.float64]


class Wave:
    """An oscillation of `frequency` Hz whose phase diffuses: its line has a FWHM of `linewidth` Hz."""

    def __init__(self, frequency: float, phase: float, linewidth: float) -> None:
        self.frequency, self.phase, self.linewidth = frequency, phase, linewidth
        self._walked, self._until = 0.0, 0.0

    def begin(self) -> None:
        """Start at the given phase."""
        self._walked, self._until = 0.0, 0.0

    def phases(self, start: float, cycle: float, shots: int, rng: np.random.Generator) -> Floats:
        """Return the phase at the start of each shot of a row, rad; `start` and `cycle` in s."""
        moments = start + cycle * np.arange(shots)
        # Whole turns are left out before they cost digits.
        turns = np.mod(self.frequency * start, 1.0) + np.mod(self.frequency * cycle * np.arange(shots), 1.0)
        theta = TWO_PI * turns + self.phase
        if self.linewidth > 0:
            steps = np.full(shots, cycle)
            steps[0] = max(start - self._until, 0.0)
            walk = self._walked + np.cumsum(rng.normal(size=shots) * np.sqrt(TWO_PI * self.linewidth * steps))
            self._walked, self._until = float(walk[-1]), float(moments[-1])
            theta = theta + walk
        return np.asarray(theta)

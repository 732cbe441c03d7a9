"""Dispersive readout: the resonator's field beside each level, jumps within the window, and the noise of the chain.

In the frame of the probe d(alpha)/dt = -(kappa/2 + i Delta_k) alpha - i epsilon (Gambetta et al., PRA 77, 012112
(2008)). What is integrated is the mean field of the window; a chain of efficiency eta adds noise of
sigma = 1/(2 sqrt(eta kappa T)) in each quadrature (Clerk et al., RMP 82, 1155 (2010)).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.levels import Complex, Floats

NODES = 48  # of a moment within the window


@dataclass(frozen=True)
class Resonator:
    """A probed resonator: `kappa` its decay rate in 1/s, `detunings` (levels,) f_k - f_probe in rad/s.

    `drive` epsilon in rad/s, `efficiency` of the chain.
    """

    kappa: float
    detunings: Floats
    drive: float
    efficiency: float

    def __post_init__(self) -> None:
        if not (0 < self.kappa < math.inf and 0 < self.efficiency <= 1 and math.isfinite(self.drive)):
            raise UsageError(
                "A resonator has a finite linewidth above 0, an efficiency of 0 to 1 and a finite drive.",
                "Check its numbers.",
            )

    @property
    def rates(self) -> Complex:
        """kappa/2 + i Delta_k, (levels,), 1/s."""
        return np.asarray(self.kappa / 2 + 1j * self.detunings)

    @property
    def settled(self) -> Complex:
        """The field that a level leads to after long, (levels,), in square roots of a photon."""
        return np.asarray(-1j * self.drive / self.rates)

    def field(self, level: int, times: Floats) -> Complex:
        """Return alpha(t) beside a level that stays, from an empty resonator; shape of `times`."""
        return np.asarray(self.settled[level] * -np.expm1(-self.rates[level] * times))

    def mean_field(self, level: int, window: float) -> complex:
        """Return the mean of alpha over a window from switching the probe on, for a level that stays."""
        turned = self.rates[level] * window
        return complex(self.settled[level] * (1 + np.expm1(-turned) / turned))

    def noise(self, window: float) -> float:
        """Return the standard deviation of each quadrature of the mean field."""
        return 1 / (2 * math.sqrt(self.efficiency * self.kappa * window))

    def integrate(self, levels: NDArray[np.int64], down: Floats, window: float) -> Complex:
        """Return the mean field of shots that start in `levels` (shots,) and step down at times `down` (steps, shots).

        `down` is ascending along its first axis; times beyond the window do not happen.
        """
        stays = np.array([self.mean_field(level, window) for level in range(len(self.detunings))])
        found = stays[levels]
        falls = down[0] < window
        # Few fall within the window; the others see the field of one level alone.
        found[falls] = self._falling(levels[falls], down[:, falls], window)
        return np.asarray(found, dtype=np.complex128)

    def _falling(self, levels: NDArray[np.int64], down: Floats, window: float) -> Complex:
        level = levels.copy()
        field = np.zeros(len(levels), dtype=complex)
        total = np.zeros(len(levels), dtype=complex)
        now = np.zeros(len(levels))
        for moment in (*down, np.full(len(levels), math.inf)):
            until = np.minimum(moment, window)
            rate, goal = self.rates[level], self.settled[level]
            span = until - now
            lost = -np.expm1(-rate * span)
            total = total + goal * span + (field - goal) * lost / rate
            field = field + (goal - field) * lost
            now = until
            level = np.where(moment < window, np.maximum(level - 1, 0), level)
        return np.asarray(total / window, dtype=np.complex128)

    def falls(self, level: int, window: float, lifetime: float) -> tuple[Floats, Floats]:
        """Return when a level falls within a window, (2, n) as `integrate` takes it, and how likely each is, (n,).

        Level k falls at the rate k/lifetime, two steps at most; 48 nodes of Gauss and Legendre for each of them.
        """
        never = np.array([math.inf])
        if level == 0:
            return np.array([never, never]), np.ones(1)
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        rate = level / lifetime
        first = window * (nodes + 1) / 2
        density = rate * np.exp(-rate * first) * weights * window / 2
        if level == 1:
            down = np.array([np.append(first, never), np.full(NODES + 1, math.inf)])
            return down, np.append(density, math.exp(-rate * window))
        moments, shares = [np.array([never, never])], [np.array([math.exp(-rate * window)])]
        for moment, share in zip(first, density, strict=True):
            later, likely = self.falls(level - 1, window - moment, lifetime)
            moments.append(np.array([np.full(len(likely), moment), moment + later[0]]))
            shares.append(share * likely)
        return np.concatenate(moments, axis=1), np.concatenate(shares)

    def seen(
        self, level: int, window: float, lifetime: float, axis: float, threshold: float
    ) -> tuple[complex, float]:
        """Return the mean of what is integrated beside a level that may fall, and how often it lies above a threshold.

        `axis` (rad) is the direction of the IQ plane that is judged, `threshold` in square roots of a photon.
        """
        from scipy.special import erfc

        down, shares = self.falls(level, window, lifetime)
        fields = self.integrate(np.full(len(shares), level), down, window)
        along = (fields * np.exp(-1j * axis)).real
        above = erfc((threshold - along) / (math.sqrt(2) * self.noise(window))) / 2
        return complex(shares @ fields), float(shares @ above)


def assignment_error(separation: float) -> float:
    """Return how often a threshold midway misjudges two Gaussian blobs `separation` standard deviations apart.

    erfc(d/(2 sqrt 2))/2 (Gambetta et al., PRA 76, 012325 (2007); physics.md P38).
    """
    if not separation >= 0:
        raise UsageError(f"Blobs cannot be {separation} standard deviations apart.", "Give 0 or more.")
    return 0.5 * math.erfc(separation / (2 * math.sqrt(2)))

"""The optical cycle of the NV centre as a rate model of seven levels: model card M3.

Levels: ground m_S = 0, ground m_S = +-1 (taken together), the same two excited, and the metastable singlet; with the
two projections of m_S = +-1 kept apart that makes 7. Tetienne et al., New J. Phys. 14, 103033 (2012).
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qlab.errors import UsageError
from qlab.physics.levels import Floats
from qlab.physics.propagate import expm
from qlab.physics.quantum import qutip

if TYPE_CHECKING:
    from qutip import Qobj

GROUND, EXCITED, SINGLET = (0, 1, 2), (3, 4, 5), 6  # m_S = 0, -1, +1 in each of the first two


@dataclass(frozen=True)
class OpticalCycle:
    """Rates in 1/s: `radiative` kr, `crossing_bright` k47 (from m_S = 0), `crossing_dark` k57 (from +-1), `back_bright`
    k71, `back_dark` k72 to each of +-1. `pump` is that of the laser, beta = pump/radiative its strength.

    `mixing` is a microwave's rate between m_S = 0 and one of +-1, `efficiency` the share of photons detected.
    """

    radiative: float = 65.9e6
    crossing_bright: float = 7.9e6
    crossing_dark: float = 53.3e6
    back_bright: float = 0.98e6
    back_dark: float = 0.73e6
    efficiency: float = 0.005
    mixing: float = 0.0

    def __post_init__(self) -> None:
        wrong = [name for name, value in vars(self).items() if not 0 <= value < math.inf]
        if wrong:
            raise UsageError(f"A rate of the optical cycle is wrong: {wrong[0]}.", "Rates are 0 or more.")

    def arrows(self, pump: float) -> list[tuple[float, int, int]]:
        """Return (rate, from, to) of every arrow under a pump rate in 1/s."""
        made = []
        for ground, excited in zip(GROUND, EXCITED, strict=True):
            bright = ground == 0
            made.append((pump, ground, excited))
            made.append((self.radiative, excited, ground))
            made.append((self.crossing_bright if bright else self.crossing_dark, excited, SINGLET))
            made.append((self.back_bright if bright else self.back_dark, SINGLET, ground))
        return [*made, (self.mixing, 0, 1), (self.mixing, 1, 0)]

    def rate_matrix(self, pump: float) -> Floats:
        """Return M (7, 7) of dp/dt = M p."""
        matrix = np.zeros((7, 7))
        for rate, start, end in self.arrows(pump):
            matrix[end, start] += rate
            matrix[start, start] -= rate
        return matrix

    def hamiltonian(self) -> "Qobj":
        """Return zero: nothing here is coherent."""
        return qutip().qzero(7)

    def collapse_operators(self, pump: float) -> "list[Qobj]":
        """Return one sqrt(rate)|f><i| for each arrow."""
        qt = qutip()
        return [
            math.sqrt(rate) * qt.basis(7, end) * qt.basis(7, start).dag()
            for rate, start, end in self.arrows(pump) if rate > 0
        ]  # fmt: skip

    def steady(self, pump: float) -> Floats:
        """Return the settled populations; (7,)."""
        if not pump > 0:
            raise UsageError("Without light there is no one settled state.", "Give a pump rate above 0.")
        matrix = self.rate_matrix(pump)
        # The largest rate makes the bordered system well conditioned.
        matrix = matrix / np.abs(matrix).max()
        matrix[0] = 1.0
        return np.asarray(np.linalg.solve(matrix, np.eye(7)[0]))

    def brightness(self, populations: Floats) -> Floats:
        """Return detected photons per second; populations (..., 7)."""
        return np.asarray(self.efficiency * self.radiative * populations[..., list(EXCITED)].sum(axis=-1))

    def polarisation(self, pump: float) -> float:
        """Return the share of m_S = 0 after settled light and the emptying of the excited and metastable levels."""
        dark = expm(self.rate_matrix(0.0) * 20e-6)
        left = dark @ self.steady(pump)
        return float(left[0] / left[list(GROUND)].sum())

    def response(self, start: int, pump: float, times: Floats) -> Floats:
        """Return the photon rate at `times` after light is switched on a spin in a ground level (0, 1 or 2)."""
        initial = np.eye(7)[start]
        matrices = expm(self.rate_matrix(pump) * np.asarray(times, dtype=float)[:, None, None])
        return self.brightness(matrices @ initial)

    def readout_contrast(self, pump: float, window: float) -> float:
        """Return 1 - (photons from m_S = -1)/(photons from 0) within a window from switching the light on."""
        counted = []
        for start in (0, 1):
            augmented = np.zeros((8, 8))
            augmented[:7, :7] = self.rate_matrix(pump)
            augmented[7, list(EXCITED)] = self.efficiency * self.radiative
            counted.append(float(expm(augmented[None] * window)[0, 7, start]))
        return 1 - counted[1] / counted[0]

    def cw_contrast(self, pump: float) -> float:
        """Return the depth of the line of continuous ODMR: 1 - brightness with mixing over that without."""
        from dataclasses import replace

        still = replace(self, mixing=0.0)
        return 1 - float(self.brightness(self.steady(pump)) / still.brightness(still.steady(pump)))

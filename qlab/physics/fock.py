"""Few photons in two modes: interferometers in the number basis, with loss as Kraus operators.

Levels (n_a, n_b) with n_a + n_b <= N, ordered by total, then by n_a; a beam splitter keeps the total and loss lowers
it, so that nothing is ever cut off.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics import given
from qlab.physics.exponential import expm

Complex = NDArray[np.complex128]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TwoModes:
    """Two modes that hold at most `photons` photons together."""

    photons: int

    def __post_init__(self) -> None:
        if self.photons < 0 or self.photons != int(self.photons):
            raise UsageError(f"There cannot be {self.photons} photons.", "Give a whole number, 0 or more.")

    @cached_property
    def levels(self) -> NDArray[np.int64]:
        """(n_a, n_b) of each level; shape (d, 2)."""
        return np.array([(k, total - k) for total in range(self.photons + 1) for k in range(total + 1)])

    def index(self, a: int, b: int) -> int:
        """Return the level with a and b photons."""
        if a < 0 or b < 0 or a + b > self.photons:
            raise UsageError(f"{a} and {b} photons do not fit in {self.photons}.", "Allow for more photons.")
        total = a + b
        return total * (total + 1) // 2 + a

    def number_state(self, a: int, b: int) -> Complex:
        """Return |a, b>; shape (d,)."""
        made = np.zeros(len(self.levels), dtype=complex)
        made[self.index(a, b)] = 1
        return made

    def noon(self, photons: int) -> Complex:
        """Return (|N, 0> + |0, N>)/sqrt(2); for no photons at all that is the vacuum."""
        if photons == 0:
            return self.number_state(0, 0)
        return np.asarray((self.number_state(photons, 0) + self.number_state(0, photons)) / math.sqrt(2))

    @cached_property
    def lowering(self) -> tuple[Complex, Complex]:
        """The operators a and b; (d, d) each."""
        made = np.zeros((2, len(self.levels), len(self.levels)), dtype=complex)
        for k, (a, b) in enumerate(self.levels):
            if a:
                made[0, self.index(a - 1, b), k] = math.sqrt(a)
            if b:
                made[1, self.index(a, b - 1), k] = math.sqrt(b)
        return made[0], made[1]

    def beam_splitter(self, transmission: float = 0.5, phase: float = 0.0) -> Complex:
        """Return the unitary exp(theta (e^{i phase} a+ b - h.c.)), cos^2(theta) = transmission; (d, d)."""
        if not 0 <= transmission <= 1:
            raise UsageError(f"{transmission} is no transmission.", "It lies between 0 and 1.")
        a, b = self.lowering
        theta = math.acos(math.sqrt(transmission))
        hop = np.exp(1j * phase) * a.conj().T @ b
        return np.asarray(expm(theta * (hop - hop.conj().T)))

    def shifted(self, rho: Complex, phase: float, spread: float = 0.0) -> Complex:
        """Return rho after a phase in mode a, with a Gaussian spread (rms, rad) of it."""
        n = self.levels[:, 0]
        gap = n[:, None] - n[None, :]
        return np.asarray(rho * np.exp(-1j * phase * gap - spread**2 * gap**2 / 2))

    def kraus(self, mode: int, efficiency: float) -> Complex:
        """Return the Kraus operators of loss in a mode, sqrt((1-eta)^l/l!) eta^{n/2} a^l; (l, d, d)."""
        if not 0 <= efficiency <= 1 or mode not in (0, 1):
            raise UsageError("Loss has an efficiency from 0 to 1, in mode 0 or 1.", "Check both.")
        lower, n = self.lowering[mode], self.levels[:, mode]
        fade = np.where(n == 0, 1.0, efficiency ** (n / 2))
        made, power = [], np.eye(len(n), dtype=complex)
        for lost in range(self.photons + 1):
            size = math.sqrt((1 - efficiency) ** lost / math.factorial(lost))
            made.append(size * fade[:, None] * power)
            power = lower @ power
        return np.array(made)

    def lossy(self, rho: Complex, mode: int, efficiency: float) -> Complex:
        """Return rho after loss in a mode."""
        operators = self.kraus(mode, efficiency)
        return np.asarray((operators @ rho @ operators.conj().swapaxes(-1, -2)).sum(axis=0))

    def probabilities(self, rho: Complex) -> Floats:
        """Return the probability of each photon-number pair, in the order of `levels`."""
        state = given.density(rho, len(self.levels))
        return np.clip(np.diagonal(state, axis1=-2, axis2=-1).real, 0.0, 1.0)

    def parity(self, rho: Complex, mode: int = 1) -> float:
        """Return the mean of (-1)^n of a mode."""
        return float(self.probabilities(rho) @ (-1.0) ** self.levels[:, mode])

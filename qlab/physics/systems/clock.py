"""Clock atoms on their transition, driven by a local oscillator: model card M6.

H = (Omega/2) sigma_x - (2 pi (nu_LO - nu_0)/2) sigma_z; sqrt(1/T1) sigma_-, sqrt(1/(2 Tphi)) sigma_z. Frequencies are
counted from the nominal clock frequency: an optical frequency itself has no digits left for a millihertz.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qlab.errors import UsageError
from qlab.physics.constants import TWO_PI
from qlab.physics.levels import Block, Complex, Floats, Light
from qlab.physics.quantum import qutip

if TYPE_CHECKING:
    from qutip import Qobj


@dataclass(frozen=True)
class ClockAtoms:
    """Atoms on a clock transition. `shift` (Hz) is how far their resonance lies above the nominal frequency."""

    nominal: float = 518.295836590863e12  # Hz, 171Yb
    shift: float = 0.0
    T1: float = math.inf
    Tphi: float = math.inf
    sigma_detuning: float = 0.0
    tau_c: float = math.inf
    drive_gain: float = 1.0
    dark_rate: float = 0.0
    contrast: float = 1.0  # of what the camera says

    def __post_init__(self) -> None:
        wrong = [name for name, value in vars(self).items() if math.isnan(value)]
        wrong += [name for name in ("nominal", "T1", "Tphi", "tau_c") if not vars(self)[name] > 0]
        if wrong:
            raise UsageError(f"Clock atoms cannot have this {wrong[0]}.", "Check the numbers of their truth.")

    @property
    def level_names(self) -> tuple[str, ...]:
        """What the levels are called."""
        return ("excited", "ground")

    def hamiltonian(self, rabi: float = 0.0, offset: float = 0.0) -> "Qobj":
        """Return H in rad/s in the frame of the oscillator; index 0 = excited. `rabi` and `offset` in Hz."""
        qt = qutip()
        return TWO_PI * (rabi / 2 * qt.sigmax() - (offset - self.shift) / 2 * qt.sigmaz())

    def collapse_operators(self) -> "list[Qobj]":
        """Return sqrt(rate)*jump of decay and dephasing."""
        qt = qutip()
        return [qt.Qobj(jump) for jump in self._jumps()]

    def _jumps(self) -> Complex:
        made = []
        if math.isfinite(self.T1):
            made.append(np.array([[0, 0], [math.sqrt(1 / self.T1), 0]], dtype=complex))
        if math.isfinite(self.Tphi):
            made.append(math.sqrt(1 / (2 * self.Tphi)) * np.diag([1.0, -1.0]).astype(complex))
        return np.array(made, dtype=complex).reshape(-1, 2, 2)

    def blocks(self) -> tuple[Block, ...]:
        """Return the one block: excited and ground state."""
        energies = TWO_PI * np.array([self.shift, 0.0])
        drive = np.array([[0, 1], [0, 0]], dtype=complex)
        order = np.array([1, 0])
        return (Block(1.0, energies, order, drive, order, self._jumps(), np.array([0.0, 1.0]), order),)

    def light(self, power: float) -> Light:
        """There is no light but the drive."""
        del power
        return Light(np.zeros((0, 2, 2), dtype=complex), np.zeros(2))

    def rabi(self, amplitude: Floats, setpoints: Mapping[str, Floats]) -> Floats:
        """Return the Rabi angular frequency of an asked amplitude in Hz."""
        del setpoints
        return np.asarray(TWO_PI * amplitude * self.drive_gain)


def projection_noise(
    nominal: float, interrogation: float, contrast: float, atoms: float, cycle: float
) -> float:
    """Return sigma_y(1 s) = 1/(2 pi nu0 T C sqrt(N)) sqrt(Tc): the limit of uncorrelated atoms, Ramsey.

    Source: Itano et al., PRA 47, 3554 (1993); Ludlow et al., RMP 87, 637 (2015), sec. III; physics.md P15.
    """
    if not (nominal > 0 and 0 < interrogation <= cycle < math.inf and 0 < contrast <= 1 and atoms > 0):
        raise UsageError(
            "A clock has atoms, a contrast of 0 to 1, and an interrogation that is a part of its cycle.",
            "Check the numbers.",
        )
    return math.sqrt(cycle / atoms) / (TWO_PI * nominal * interrogation * contrast)


def dick_limit(white: float, flicker: float, duty: float, cycle: float, walk: float = 0.0) -> float:
    """Return the Dick effect at 1 s of Ramsey with short pulses: sigma^2 = sum_m sinc^2(m d) S1_y(m/Tc).

    `white` h0, `flicker` h_1, `walk` h_2 of the oscillator's one-sided spectrum, `duty` d = T/Tc. White noise sums to
    (h0/2)(1/d - 1). Source: Santarelli et al., IEEE UFFC 45, 887 (1998); physics.md P17.
    """
    if not (0 < duty <= 1 and 0 < cycle < math.inf and min(white, flicker, walk) >= 0) or math.isnan(
        white + flicker + walk
    ):
        raise UsageError("The Dick effect needs a duty of 0 to 1 and noise of 0 or more.", "Check them.")
    m = np.arange(1, 200_001)
    weight = np.sinc(m * duty) ** 2
    slow = float(np.sum(weight * (flicker * cycle / m + walk * (cycle / m) ** 2)))
    return math.sqrt(white / 2 * (1 / duty - 1) + slow)


def lock_variance(gain: float) -> float:
    """Return the variance of the laser's frequency in units of that of one measurement: g/(2 - g), 0 < g < 2.

    Of an integrating lock y -> y - g (y + e) with white e. Source: physics.md P18.
    """
    if not 0 < gain < 2:
        raise UsageError(f"A lock with a gain of {gain:g} does not hold.", "Take one between 0 and 2.")
    return gain / (2 - gain)

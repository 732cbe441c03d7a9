"""A flux-tunable transmon with its readout resonator: model card M13, readout model R3.

H/h = 4 E_C (n - n_g)^2 - E_J(Phi) cos(theta) + f_r a+ a + g (n/n_01)(a + a+). The charge basis gives the transmon, the
exact diagonalisation of both the dressed levels. Koch et al., PRA 76, 042319 (2007); Blais et al., RMP 93, 025005
(2021).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qlab.errors import UsageError
from qlab.physics.constants import TWO_PI
from qlab.physics.dispersive import Resonator
from qlab.physics.levels import Block, Complex, Floats, Light
from qlab.physics.quantum import qutip

if TYPE_CHECKING:
    from qutip import Qobj

CHARGES = 20  # charge states on either side of 0: levels below the tenth are exact to 1e-12
LEVELS = 3  # of the transmon, in pulses and readout
LADDER = 6  # levels of the transmon that dress the resonator
PHOTONS = 8  # Fock states of the resonator when it is dressed


@dataclass(frozen=True)
class Transmon:
    """A transmon and its resonator as a pure function of their process parameters; Hz, s, flux in flux quanta.

    `EJ` is the Josephson energy at zero flux, `asymmetry` (EJ1 - EJ2)/(EJ1 + EJ2), `flux_noise` the rms of slow flux
    noise in flux quanta, `efficiency` that of the readout chain for the quadrature that carries the signal.
    """

    EJ: float = 15e9
    EC: float = 0.25e9
    flux: float = 0.0
    asymmetry: float = 0.0
    charge: float = 0.0
    resonator: float = 7.0e9
    coupling: float = 100e6
    kappa: float = 2e6  # linewidth of the resonator, Hz
    T1: float = math.inf
    Tphi: float = math.inf
    excited: float = 0.0  # thermal population of |1>
    flux_noise: float = 0.0
    tau_c: float = math.inf
    efficiency: float = 0.5
    drive_gain: float = 1.0
    photons_per_volt2: float = 0.0  # that a resonant probe puts into the resonator
    calibration_dbm: float = 0.0
    dark_rate: float = 0.0

    def __post_init__(self) -> None:
        wrong = [name for name, value in vars(self).items() if math.isnan(value)]
        wrong += [
            n for n in ("EJ", "EC", "resonator", "kappa", "T1", "Tphi", "tau_c") if not vars(self)[n] > 0
        ]
        wrong += [] if 0 < self.efficiency <= 1 else ["efficiency"]
        wrong += [] if 0 <= self.excited < 0.5 else ["excited"]
        if wrong:
            raise UsageError(f"A transmon cannot have this {wrong[0]}.", "Check the numbers of its truth.")

    def josephson_energy(self, flux: float) -> float:
        """Return E_J(Phi)/h = E_J sqrt(cos^2(pi Phi) + d^2 sin^2(pi Phi)) in Hz."""
        angle = math.pi * flux
        return self.EJ * math.hypot(math.cos(angle), self.asymmetry * math.sin(angle))

    def _bare(self, flux: float) -> tuple[Floats, Floats]:
        """Return energies (41,) in Hz and the charge operator between the levels (41, 41)."""
        n = np.arange(-CHARGES, CHARGES + 1)
        h = np.diag(4 * self.EC * (n - self.charge) ** 2.0)
        hop = np.full(2 * CHARGES, -self.josephson_energy(flux) / 2)
        energies, vectors = np.linalg.eigh(h + np.diag(hop, 1) + np.diag(hop, -1))
        # Signs such that each raising element of the charge is positive.
        for k in range(len(n) - 1):
            if vectors[:, k + 1] @ (n * vectors[:, k]) < 0:
                vectors[:, k + 1] *= -1
        return energies, vectors.T @ (n[:, None] * vectors)

    def spectrum(self, levels: int = LEVELS) -> Floats:
        """Return the lowest bare levels above the ground state, in Hz; shape (levels,)."""
        energies = self._bare(self.flux)[0]
        return np.asarray(energies[:levels] - energies[0])

    def anharmonicity(self) -> float:
        """Return f12 - f01 of the bare transmon, in Hz (negative)."""
        level = self.spectrum(3)
        return float(level[2] - 2 * level[1])

    @property
    def level_names(self) -> tuple[str, ...]:
        """What the levels are called."""
        return ("|0⟩", "|1⟩", "|2⟩")

    def hamiltonian(self, photons: int = PHOTONS, levels: int = LADDER) -> "Qobj":
        """Return H in rad/s on transmon (x) resonator in the laboratory frame, without drive."""
        qt = qutip()
        energies, charge = self._bare(self.flux)
        coupling = charge[:levels, :levels] / charge[0, 1]
        a = qt.destroy(photons)
        transmon = qt.Qobj(np.diag(energies[:levels] - energies[0]))
        h = qt.tensor(transmon, qt.qeye(photons)) + self.resonator * qt.tensor(qt.qeye(levels), a.dag() * a)
        return TWO_PI * (h + self.coupling * qt.tensor(qt.Qobj(coupling), a + a.dag()))

    def collapse_operators(self, levels: int = LEVELS) -> "list[Qobj]":
        """Return sqrt(rate)*jump of relaxation, heating and dephasing on the transmon alone; each (levels, levels)."""
        qt = qutip()
        return [qt.Qobj(jump) for jump in self._jumps(levels)]

    def _jumps(self, levels: int = LEVELS) -> Complex:
        # One jump for each step of the ladder: they emit at frequencies that differ by the anharmonicity.
        up = self.excited / (1 - self.excited)
        made = []
        for k in range(1, levels):
            for rate, final, initial in ((k / self.T1, k - 1, k), (up * k / self.T1, k, k - 1)):
                if rate > 0:
                    jump = np.zeros((levels, levels), dtype=complex)
                    jump[final, initial] = math.sqrt(rate)
                    made.append(jump)
        if math.isfinite(self.Tphi):
            made.append(math.sqrt(2 / self.Tphi) * np.diag(np.arange(levels)).astype(complex))
        return np.array(made, dtype=complex).reshape(-1, levels, levels)

    @cached_property
    def _dressed(self) -> tuple[Floats, Floats]:
        return self._dress(self.flux)

    def _dress(self, flux: float) -> tuple[Floats, Floats]:
        """Return dressed transmon levels with an empty resonator, and its frequency beside each level; Hz, (3,)."""
        energies, charge = self._bare(flux)
        ladder = np.diag(np.sqrt(np.arange(1.0, PHOTONS)), 1)
        h = np.kron(np.diag(energies[:LADDER] - energies[0]), np.eye(PHOTONS))
        h += self.resonator * np.kron(np.eye(LADDER), np.diag(np.arange(PHOTONS)))
        h += self.coupling * np.kron(charge[:LADDER, :LADDER] / charge[0, 1], ladder + ladder.T)
        values, vectors = np.linalg.eigh(h)
        share = vectors**2
        named = [[int(np.argmax(share[k * PHOTONS + n])) for n in (0, 1)] for k in range(LEVELS)]
        if len({state for pair in named for state in pair}) < 2 * LEVELS:
            raise UsageError(
                "The transmon and its resonator share their levels at this flux: readout is not dispersive there.",
                "Move the flux, the resonator or the coupling.",
            )
        level = np.array([values[empty] for empty, _ in named])
        return level - level[0], np.array([values[one] - values[empty] for empty, one in named])

    def qubit_frequency(self) -> float:
        """Return the dressed f01 with an empty resonator, in Hz."""
        return float(self._dressed[0][1])

    def resonator_frequencies(self) -> Floats:
        """Return the resonator's frequency beside |0>, |1>, |2>, in Hz; shape (3,)."""
        return self._dressed[1]

    def probed(self, frequency: float, amplitude: float) -> Resonator:
        """Return the resonator with a probe tone of a frequency (Hz) and amplitude (V)."""
        kappa = TWO_PI * self.kappa
        # The drive that gives so many photons in a resonator probed at its centre.
        drive = math.sqrt(self.photons_per_volt2) * amplitude * kappa / 2
        return Resonator(kappa, TWO_PI * (self.resonator_frequencies() - frequency), drive, self.efficiency)

    def dispersive_shift(self) -> float:
        """Return chi: half of what |1> moves the resonator relative to |0>, in Hz."""
        low, high = self._dressed[1][:2]
        return float(high - low) / 2

    def flux_slope(self) -> float:
        """Return df01/dPhi in Hz per flux quantum."""
        return self._slope

    @cached_property
    def _slope(self) -> float:
        step = 1e-5
        return float(self._dress(self.flux + step)[0][1] - self._dress(self.flux - step)[0][1]) / (2 * step)

    @property
    def sigma_detuning(self) -> float:
        """Rms of the slow detuning that the flux noise makes, rad/s."""
        return TWO_PI * abs(self.flux_slope()) * self.flux_noise if self.flux_noise else 0.0

    def free_decay_time(self) -> float:
        """Return T2*, the 1/e time of the Ramsey envelope exp(-t/T2 - (sigma t)^2/2), in s."""
        up = self.excited / (1 - self.excited)
        # |1> is left at (1 + 2 up)/T1 (down, and up to |2>), |0> at up/T1.
        linear = 1 / self.Tphi + (1 + 3 * up) / (2 * self.T1)
        square = self.sigma_detuning**2 / 2
        if square == 0:
            return 1 / linear if linear else math.inf
        return float((-linear + math.sqrt(linear**2 + 4 * square)) / (2 * square))

    def blocks(self) -> tuple[Block, ...]:
        """Return the one block of three dressed levels."""
        drive = np.diag(np.sqrt(np.arange(1.0, LEVELS)), -1).astype(complex)
        ladder = np.arange(LEVELS)
        initial = np.zeros(LEVELS)
        ratio = self.excited / (1 - self.excited)
        initial[:] = ratio**ladder / np.sum(ratio**ladder)
        energies = TWO_PI * self._dressed[0]
        return (Block(1.0, energies, ladder, drive, ladder, self._jumps(), initial, ladder),)

    def light(self, power: float) -> Light:
        """There is no light."""
        del power
        return Light(np.zeros((0, LEVELS, LEVELS), dtype=complex), np.zeros(LEVELS))

    def rabi(self, amplitude: Floats, setpoints: Mapping[str, Floats]) -> Floats:
        """Return the Rabi angular frequency in rad/s of an asked amplitude in Hz at the source's power."""
        power = setpoints.get("microwave.power", np.full(1, self.calibration_dbm))
        return np.asarray(TWO_PI * amplitude * self.drive_gain * 10 ** ((power - self.calibration_dbm) / 20))


def perturbative_shift(coupling: float, detuning: float, anharmonicity: float) -> tuple[float, float]:
    """Return chi (Hz) = (g^2/Delta) alpha/(Delta + alpha) and n_crit = Delta^2/(4 g^2), Delta = f_q - f_r in Hz.

    Second order in g; `Transmon.dispersive_shift` is exact. Source: Koch (2007); Blais (2021); physics.md P36.
    """
    if not all(math.isfinite(v) and v != 0 for v in (coupling, detuning, detuning + anharmonicity)):
        raise UsageError(
            "Perturbation theory needs a coupling, and levels that do not meet those of the resonator.",
            "Use `Transmon.dispersive_shift`, which is exact.",
        )
    chi = coupling**2 / detuning * anharmonicity / (detuning + anharmonicity)
    return chi, detuning**2 / (4 * coupling**2)


def purcell_time(coupling: float, detuning: float, kappa: float) -> float:
    """Return the Purcell limit of T1 in s, Delta^2/(kappa g^2), all three given in Hz (kappa as a linewidth)."""
    if not (0 < kappa < math.inf and math.isfinite(detuning) and 0 < abs(coupling) < math.inf):
        raise UsageError("The Purcell limit needs a linewidth and a coupling above 0.", "Check them.")
    return detuning**2 / (TWO_PI * kappa * coupling**2)

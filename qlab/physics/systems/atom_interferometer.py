"""A three-pulse atom interferometer (card M7): finite pulses, falling and warm atoms, vibration."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.physics.noise import gauss_hermite

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
SLICES = 8  # of each pulse in which the changing detuning turns the phase by more than LEVEL
LEVEL = 1e-6  # rad
NODES = 25  # of the velocity
RUBIDIUM_D2 = 780.241209686e-9  # m, 87Rb


def two_photon(wavelength: float = RUBIDIUM_D2) -> float:
    """Return k_eff = 4 pi/lambda of two opposite beams, in rad/m (P25)."""
    return 4 * math.pi / wavelength


@dataclass(frozen=True)
class ThreePulse:
    """pi/2 - T - pi - T - pi/2, the pi/2 pulse lasting `pulse` s, the pi pulse twice that; `rabi` in rad/s.

    `velocity` is the rms velocity along the beams in m/s, `k` in rad/m, `T` s the free time between pulses.
    Source: Kasevich and Chu, PRL 67, 181 (1991); Cheinet, IEEE TIM 57, 1141 (2008); physics.md M7.
    """

    T: float
    pulse: float
    rabi: float
    k: float = two_photon()
    velocity: float = 0.0

    @property
    def scale(self) -> float:
        """D phase/d(k g - 2 pi chirp) = (T + 2 tau)(T + 4 tau/pi), in s^2."""
        return (self.T + 2 * self.pulse) * (self.T + 4 * self.pulse / math.pi)

    def phase(self, gravity: float, chirp: Floats) -> Floats:
        """Return (k g - 2 pi chirp)(T + 2 tau)(T + 4 tau/pi) in rad; g in m/s^2, chirp in Hz/s."""
        return np.asarray((self.k * gravity - 2 * math.pi * np.asarray(chirp)) * self.scale)

    def fringe(self, slope: Floats) -> tuple[Floats, Floats, Floats]:
        """Return (level, in-phase, quadrature) of the excited share against the phase p of the last pulse; (points,).

        P = level + inphase cos p + quadrature sin p for pulses of this length and area, where the two-photon detuning
        runs as slope t (slope = k g - 2 pi chirp in rad/s^2) beside the Doppler shift, averaged over it. Only the two
        paths that meet again interfere: the phase of the others, k v T, differs by many turns within any cloud.
        """
        z, weights = gauss_hermite(NODES) if self.velocity > 0 else (np.zeros(1), np.ones(1))
        doppler = self.k * self.velocity * z
        slope = np.asarray(slope, dtype=float)[:, None]
        second = self.pulse + self.T
        third = second + 2 * self.pulse + self.T
        split, mirror, join = (
            self._pulse(slope, doppler, start, seconds)
            for start, seconds in ((0.0, self.pulse), (second, 2 * self.pulse), (third, self.pulse))
        )
        # Ground and excited state turn by -/+ half the detuning's integral; what both gaps share is Doppler alone.
        early, late = (slope * (start - self.T / 2) * self.T / 2 for start in (second, third))
        amplitude = {
            (a, b): mirror[b][a] * split[a][0] * np.exp(1j * ((2 * a - 1) * early + (2 * b - 1) * late))
            for a in (0, 1)
            for b in (0, 1)
        }
        # The last pulse moves ground atoms up with exp(-i p) and keeps excited ones.
        up, stay = join[1][0], join[1][1]
        lower, upper = amplitude[1, 0] * up, amplitude[0, 1] * stay
        alone = np.abs(amplitude[0, 0] * up) ** 2 + np.abs(amplitude[1, 1] * stay) ** 2
        level = (alone + np.abs(lower) ** 2 + np.abs(upper) ** 2) @ weights
        beat = 2 * (lower * upper.conj()) @ weights
        return np.asarray(level), np.asarray(beat.real), np.asarray(beat.imag)

    def _pulse(self, slope: Floats, doppler: Floats, start: float, seconds: float) -> list[list[Complex]]:
        """Return the matrix of a pulse that begins at `start`, [to][from] with ground 0 and excited 1."""
        made = [[np.ones_like(slope + doppler, dtype=complex), np.zeros_like(slope + doppler, dtype=complex)]]
        made.append([made[0][1], made[0][0]])
        slices = SLICES if np.abs(slope).max() * seconds**2 > LEVEL else 1
        step = seconds / slices
        for i in range(slices):
            detuning = slope * (start + (i + 0.5) * step) + doppler
            rate = np.hypot(self.rabi, detuning)
            c, s = np.cos(rate * step / 2), np.sin(rate * step / 2) / np.where(rate > 0, rate, 1.0)
            # H = (detuning/2)(|g><g| - |e><e|) + (rabi/2)(|e><g| + h.c.)
            swap, keep = -1j * s * self.rabi, c - 1j * s * detuning
            made = [
                [keep * made[0][j] + swap * made[1][j] for j in (0, 1)],
                [swap * made[0][j] + keep.conj() * made[1][j] for j in (0, 1)],
            ]
        return made

    def transfer(self, frequency: Floats) -> Floats:
        """Return |H|^2 = 16 sin^4(w T/2) of laser phase noise at `frequency` Hz, pulses short (P26)."""
        return np.asarray(16 * np.sin(np.pi * np.asarray(frequency) * (self.T + 2 * self.pulse)) ** 4)

    def vibration_phase(self, density: float) -> float:
        """Return the rms phase of a shot that vibration makes, k sqrt(S_a T^3/3), in rad.

        `density` is sqrt(S1_a), one-sided and white, in m/s^2/sqrt(Hz); the mirror is weighed with a triangle.
        """
        return self.k * density * math.sqrt((self.T + 2 * self.pulse) ** 3 / 3)

    def projection_limit(self, atoms: float, contrast: float) -> float:
        """Return the shot-noise limit of one shot, 1/(C sqrt(N) k scale), in m/s^2 (P25)."""
        return 1 / (contrast * math.sqrt(atoms) * self.k * self.scale)

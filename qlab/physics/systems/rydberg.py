"""A ladder of four levels in a warm vapour (card M9): transparency, and how a radio field splits it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.physics.constants import TWO_PI

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
PLANCK, BOHR, CHARGE = 6.62607015e-34, 5.29177210544e-11, 1.602176634e-19
BOLTZMANN, RUBIDIUM = 1.380649e-23, 1.443160648e-25  # J/K, kg (87Rb)


@dataclass(frozen=True)
class RydbergLadder:
    """|1> -probe- |2> -coupling- |3> -radio field- |4>, both lasers from opposite sides; all rates and widths in Hz.

    `coupling` and `radio` are Rabi frequencies over 2 pi, `decay` that of |2>, `dephasing` the half width that transit,
    decay and laser noise give the coherences of |3> and |4>, `radio_detuning` the field above its transition,
    `temperature` in K, wavelengths in m. The probe is weak: to first order in its field the four-level equations have a
    solution in closed form, and so has its average over the velocities.
    Source: Fleischhauer, RMP 77, 633 (2005); Sedlacek, Nat. Phys. 8, 819 (2012); physics.md M9.
    """

    coupling: float = 4e6
    radio: float = 0.0  # an imaginary one stands for a negative square, which fits pass through
    radio_detuning: float = 0.0
    decay: float = 6.0666e6
    dephasing: float = 0.15e6
    temperature: float = 300.0
    wavelengths: tuple[float, float] = (780.241209686e-9, 480.0e-9)
    mass: float = RUBIDIUM

    @property
    def speed(self) -> float:
        """The rms velocity along the beams, m/s."""
        return math.sqrt(BOLTZMANN * self.temperature / self.mass)

    def response(self, probe: ArrayLike, coupling: ArrayLike, velocity: ArrayLike = 0.0) -> Complex:
        """Return 1/[D1 + (Oc^2/4)/(D2 + (Or^2/4)/D3)] in s for detunings in Hz of atoms of one velocity (m/s)."""
        first, second, third = self._detuned(np.asarray(probe), np.asarray(coupling), np.asarray(velocity))
        c, r = ((TWO_PI * value) ** 2 / 4 for value in (self.coupling, self.radio))
        return np.asarray(1 / (first + c / (second + r / third)))

    def _detuned(self, probe: Floats, coupling: Floats, velocity: Floats) -> tuple[Complex, Complex, Complex]:
        one, other = (TWO_PI / w for w in self.wavelengths)
        near = TWO_PI * probe - one * velocity
        both = near + TWO_PI * coupling + other * velocity
        narrow = TWO_PI * self.dephasing
        first = np.asarray(TWO_PI * self.decay / 2 - 1j * near, dtype=complex)
        second = np.asarray(narrow - 1j * both, dtype=complex)
        return first, second, second - 1j * TWO_PI * self.radio_detuning

    def averaged(self, probe: ArrayLike, coupling: ArrayLike) -> Complex:
        """Return the response averaged over a Maxwell distribution; broadcast shape of the detunings (Hz).

        The response is a quotient of a quadratic and a cubic in v: three poles, each a plasma dispersion function.
        """
        from scipy.special import wofz

        probe, coupling = np.broadcast_arrays(
            np.asarray(probe, dtype=float), np.asarray(coupling, dtype=float)
        )
        if self.temperature <= 0:
            return self.response(probe, coupling)
        # In units of the rms velocity the coefficients are of one size.
        one, other = (TWO_PI / w * self.speed for w in self.wavelengths)
        first, second, third = self._detuned(probe, coupling, np.zeros_like(probe))
        c, r = ((TWO_PI * value) ** 2 / 4 for value in (self.coupling, self.radio))
        a, b = 1j * one, 1j * (one - other)
        # (second + b v)(third + b v) + r, and D1 times it + c D3.
        top = [np.full_like(second, b * b), b * (second + third), second * third + r]
        bottom = [
            a * top[0],
            first * top[0] + a * top[1],
            first * top[1] + a * top[2] + c * b,
            first * top[2] + c * third,
        ]
        companion = np.zeros((*probe.shape, 3, 3), dtype=complex)
        companion[..., 0, :] = -np.stack([bottom[k] / bottom[0] for k in (1, 2, 3)], axis=-1)
        companion[..., 1, 0] = companion[..., 2, 1] = 1
        poles = np.linalg.eigvals(companion)
        whole = np.zeros(probe.shape, dtype=complex)
        for k in range(3):
            pole = poles[..., k]
            others = (pole - poles[..., (k + 1) % 3]) * (pole - poles[..., (k + 2) % 3])
            residue = ((top[0] * pole + top[1]) * pole + top[2]) / (bottom[0] * others)
            # <1/(v - z)> = i sqrt(pi/2) w(z/sqrt 2) above the real axis, and minus that of -z below it.
            above = np.where(pole.imag > 0, 1.0, -1.0)
            whole = whole + residue * above * 1j * math.sqrt(math.pi / 2) * wofz(above * pole / math.sqrt(2))
        return whole

    def absorption(self, probe: ArrayLike, coupling: ArrayLike) -> Floats:
        """Return the absorption over that of the resonant probe without coupling; detunings in Hz."""
        from dataclasses import replace

        alone = replace(self, coupling=0.0, radio=0.0).averaged(0.0, 0.0).real
        return np.asarray(self.averaged(probe, coupling).real / alone)

    def transmission(self, probe: ArrayLike, coupling: ArrayLike, depth: float) -> Floats:
        """Return exp(-depth absorption), `depth` the optical depth of the resonant probe without coupling."""
        return np.asarray(np.exp(-depth * self.absorption(probe, coupling)))


def field_of(rabi: float, dipole: float) -> float:
    """Return the field in V/m of a Rabi frequency (Hz) on a dipole moment in e a0: E = h f/d (P28)."""
    return PLANCK * rabi / (dipole * CHARGE * BOHR)


def rabi_of(field: float, dipole: float) -> float:
    """Return the Rabi frequency in Hz of a field (V/m) on a dipole moment in e a0."""
    return field * dipole * CHARGE * BOHR / PLANCK


def projection_limit(dipole: float, atoms: float, dephasing: float) -> float:
    """Return h/(d sqrt(N T2)) in V/m/sqrt(Hz), T2 = 1/(2 pi dephasing), d in e a0.

    Source: Fan et al., J. Phys. B 48, 202001 (2015).
    """
    return field_of(1.0, dipole) / math.sqrt(atoms / (TWO_PI * dephasing))

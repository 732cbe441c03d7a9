"""The NV centre: ground-state spin 1 in a vector field with 14N or 15N hyperfine coupling, optically pumped and read.

By its numbers also another spin 1: no nuclei (neutral SiV), or several equivalent ones (the boron vacancy in hBN: 3).

Model card M2 with the optical part of CW-ODMR: H/h = D Sz^2 + E (Sx^2 - Sy^2) + gamma B.S + A Sz Iz
+ A_perp (Sx Ix + Sy Iy) + P Iz^2 - gamma_n B.I; pumping and optical dephasing after Dreau, PRB 84, 195204 (2011).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from qlab.errors import UsageError
from qlab.physics.constants import (
    A_PARALLEL_14N,
    A_PERPENDICULAR_14N,
    D_NV,
    GAMMA_NV,
    P_14N,
    TWO_PI,
)
from qlab.physics.levels import Block, Complex, Floats, Light
from qlab.physics.quantum import qutip
from qlab.physics.systems.nv_blocks import blocks
from qlab.physics.systems.nv_levels import GAMMA_N, PROJECTIONS, SPINS, Levels, spins, totals
from qlab.physics.tones import Tone

if TYPE_CHECKING:
    from qutip import Qobj

LOWER, UPPER = -1, 1
MOST_NUCLEI = 6  # equivalent ones


@dataclass(frozen=True)
class NVCentre:
    """An NV centre as a pure function of its process parameters. Frequencies in Hz, times in s, fields in T.

    `T1` is the decay time of every population difference (the rates between all three levels are 1/(3 T1)),
    `Tphi` that of single-quantum coherence by fast noise, `noise_hz` and `tau_c` the rms and the correlation
    time of the slow Ornstein-Uhlenbeck detuning. `nitrogen` is 14 or 15; `COUPLINGS` has the constants of either.
    `gamma` in Hz/T. `equivalent` nuclei are coupled alike; of more than one the quadrupole coupling has to be 0, so
    that each value of their total spin is a nucleus of its own: exactly, and with few levels.
    `power` arguments are in W. `signal_*` is an AC field of the sample along the axis (T, Hz, rad); `coil_gain` the
    field along the axis that the test coil makes for each tesla asked of it. A field across the axis turns the
    nucleus in m_S = 0 away from it: with `mixed_nucleus` every pair of nuclear states that the drive connects is a
    line of its own, as strong as the drive connects them. Right for weak continuous driving, where no nuclear
    coherence lives; not for pulses, for which such a field is refused.
    """

    field: tuple[float, float, float] = (0.0, 0.0, 0.0)
    D: float = D_NV
    E: float = 0.0
    gamma: float = GAMMA_NV
    A_parallel: float = A_PARALLEL_14N
    A_perpendicular: float = A_PERPENDICULAR_14N
    quadrupole: float = P_14N
    nitrogen: int = 14
    equivalent: int = 1
    T1: float = math.inf
    Tphi: float = math.inf
    noise_hz: float = 0.0
    tau_c: float = math.inf
    drive_gain: float = 1.0
    calibration_dbm: float = 0.0
    polarisation: float = 1.0
    fluorescence_contrast: float = 0.35
    saturated_rate: float = 250e3
    saturation_power: float = 1e-3
    pump_rate: float = 5e6
    optical_dephasing: float = 8e7
    background_rate: float = 0.0
    dark_rate: float = 0.0
    signal_amplitude: float = 0.0
    signal_frequency: float = 1e6
    signal_phase: float = 0.0
    coil_gain: float = 1.0
    mixed_nucleus: bool = False

    @property
    def sigma_detuning(self) -> float:
        """Rms of the detuning noise, rad/s."""
        return TWO_PI * self.noise_hz

    def __post_init__(self) -> None:
        numbers = {name: value for name, value in vars(self).items() if name != "field"}
        wrong = [name for name, value in numbers.items() if math.isnan(value)]
        wrong += [name for name in ("T1", "Tphi", "tau_c", "saturation_power") if not numbers[name] > 0]
        rates = (
            "noise_hz",
            "saturated_rate",
            "pump_rate",
            "optical_dephasing",
            "background_rate",
            "dark_rate",
            "signal_amplitude",
            "signal_frequency",
        )
        wrong += [name for name in rates if not 0 <= numbers[name] < math.inf]
        wrong += [name for name in ("polarisation", "fluorescence_contrast") if not 0 <= numbers[name] <= 1]
        wrong += [] if self.nitrogen in PROJECTIONS else ["nitrogen"]
        wrong += [] if 0 <= self.equivalent <= MOST_NUCLEI else ["equivalent"]
        wrong += ["quadrupole"] if self.equivalent > 1 and self.quadrupole != 0 else []
        wrong += [] if all(math.isfinite(b) for b in self.field) else ["field"]
        if wrong:
            raise UsageError(f"An NV centre cannot have this {wrong[0]}.", "Check the numbers of its truth.")

    def hamiltonian(self) -> "Qobj":
        """Return H in rad/s on electron (x) nuclei; 9 x 9 (15N: 6 x 6), basis m_S, m_I from above."""
        qt = qutip()
        size = len(PROJECTIONS[self.nitrogen])
        nuclei = [
            [
                qt.tensor(*(op if n == k else qt.qeye(size) for n in range(self.equivalent)))
                for op in qt.spin_J_set((size - 1) / 2)
            ]
            for k in range(self.equivalent)
        ]
        still = qt.qeye([size] * self.equivalent) if self.equivalent else qt.qeye(1)
        empty = [0 * still] * 3
        total = [sum((one[axis] for one in nuclei), empty[axis]) for axis in range(3)]
        # With several the quadrupole coupling is 0.
        h = self._coupled(
            [qt.tensor(s, still) for s in qt.spin_J_set(1)], [qt.tensor(qt.qeye(3), i) for i in total]
        )
        return TWO_PI * h

    @property
    def level_names(self) -> tuple[str, ...]:
        """What the levels of a block are called."""
        return ("mₛ = +1", "mₛ = 0", "mₛ = −1")

    @property
    def projections(self) -> tuple[float, ...]:
        """The values of m_I, of all equivalent nuclei together."""
        return self.manifolds[0][0].projections

    def _coupled(self, electron: Any, nucleus: Any) -> Any:
        """Return H/h in Hz of the three components of the electron's spin and of a nucleus's."""
        (sx, sy, sz), (ix, iy, iz), (bx, by, bz) = electron, nucleus, self.field
        h = self.D * sz @ sz + self.E * (sx @ sx - sy @ sy) + self.gamma * (bx * sx + by * sy + bz * sz)
        h = h + self.A_parallel * sz @ iz + self.A_perpendicular * (sx @ ix + sy @ iy)
        return h + self.quadrupole * iz @ iz - GAMMA_N[self.nitrogen] * (bx * ix + by * iy + bz * iz)

    def collapse_operators(self) -> "list[Qobj]":
        """Return sqrt(rate)*jump of spin-lattice relaxation and fast dephasing on the electron; each 3 x 3."""
        qt = qutip()

        return [qt.Qobj(jump) for jump in self._jumps]

    @cached_property
    def _jumps(self) -> Complex:
        rate = 1 / (3 * self.T1)
        hops = [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)] if rate > 0 else []
        jumps = np.zeros((len(hops) + math.isfinite(self.Tphi), 3, 3), dtype=complex)
        for jump, (final, initial) in zip(jumps, hops, strict=False):
            jump[final, initial] = math.sqrt(rate)
        if math.isfinite(self.Tphi):
            jumps[-1] = math.sqrt(2 / self.Tphi) * np.diag(SPINS)
        return jumps

    @cached_property
    def manifolds(self) -> tuple[tuple[Levels, float], ...]:
        """The eigenstates of electron and nuclei for each total spin of these, the largest first, and its share."""
        made = []
        for projections, share in totals(self.nitrogen, self.equivalent):
            known = spins(len(projections))
            made.append(
                (Levels(np.asarray(TWO_PI * self._coupled(known[:3], known[3:])), projections), share)
            )
        return tuple(made)

    def transition(self, m_s: int, m_i: float) -> float:
        """Return the frequency of m_S = 0 -> m_s with the nucleus in m_i, in Hz, by exact diagonalisation."""
        return self.manifolds[0][0].transition(m_s, m_i)

    def resonance(self, m_s: int = LOWER) -> float:
        """Return the mean of the hyperfine lines of m_S = 0 -> m_s, in Hz."""
        return sum(
            share / len(levels.projections) * levels.transition(m_s, m_i)
            for levels, share in self.manifolds
            for m_i in levels.projections
        )

    def hyperfine(self, m_s: int = LOWER) -> float:
        """Return the spacing of the hyperfine lines (14N: half the distance of the outer two), in Hz (positive)."""
        top = self.projections[0]
        if top == 0:
            return 0.0
        return abs(self.transition(m_s, top) - self.transition(m_s, -top)) / (2 * top)

    def asymmetry(self, m_s: int = LOWER) -> float:
        """Return how far the middle line lies below the mid-point of the outer two, in Hz (second order)."""
        if self.nitrogen != 14 or self.equivalent != 1:
            return 0.0
        outer = self.transition(m_s, 1) + self.transition(m_s, -1)
        return outer / 2 - self.transition(m_s, 0)

    def spectrum(self, m_s: int = LOWER) -> tuple[Floats, Floats]:
        """Return the frequencies in Hz of all lines of m_S = 0 -> m_s and their strengths, which sum to 1."""
        found = [(*levels.spectrum(m_s), share / len(levels.projections)) for levels, share in self.manifolds]
        lines = np.concatenate([each for each, _, _ in found])
        strengths = np.concatenate([strength * share for _, strength, share in found])
        return lines, strengths / strengths.sum()

    def blocks(self) -> tuple[Block, ...]:
        """Return one block of three electron levels for each nuclear projection.

        Raises UsageError where the field mixes the levels of the NV axis: the blocks hold to first order in it.
        """
        tesla = math.hypot(*self.field)
        return tuple(
            replace(block, weight=block.weight * share)
            for levels, share in self.manifolds
            for block in blocks(levels, self._jumps, tesla, mixed=self.mixed_nucleus)
        )

    def light(self, power: float) -> Light:
        """Return the optical pumping into m_S = 0, the dephasing and the photon rates under `power` W."""
        saturation = power / self.saturation_power
        share = saturation / (1 + saturation)
        pump = self.pump_rate * share
        # Pumping in both directions leaves `polarisation` in m_S = 0.
        back = pump * (1 - self.polarisation) / (2 * self.polarisation)
        jumps = np.zeros((5, 3, 3), dtype=complex)
        jumps[0, 1, 0] = jumps[1, 1, 2] = math.sqrt(pump)
        jumps[2, 0, 1] = jumps[3, 2, 1] = math.sqrt(back)
        jumps[4] = math.sqrt(2 * self.optical_dephasing * share) * np.diag(SPINS)
        dim = 1 - self.fluorescence_contrast
        rate = self.saturated_rate * share * np.array([dim, 1.0, dim])
        return Light(jumps, rate + self.background_rate * saturation)

    def rabi(self, amplitude: Floats, setpoints: Mapping[str, Floats]) -> Floats:
        """Return the Rabi angular frequency in rad/s of an asked amplitude in Hz at the source's power."""
        power = setpoints.get("microwave.power", np.full(1, self.calibration_dbm))
        gain = 10 ** ((power - self.calibration_dbm) / 20)  # 0 at -inf dBm: the source is off
        return np.asarray(TWO_PI * amplitude * self.drive_gain * gain)

    def tones(self, setpoints: Mapping[str, Floats]) -> tuple[Tone, ...]:
        """Return the AC fields along the axis, in rad/s: that of the sample and that of the test coil.

        The phase of the sample's at the start of a shot is the setpoint `sample.phase`, else `signal_phase`; the
        coil's, from `generator.amplitude` (T), `frequency`, `phase` and `on`, starts anew with each shot.
        """
        known = {name: np.asarray(values, dtype=float) for name, values in setpoints.items()}

        def asked(name: str) -> Floats:
            return known.get(f"generator.{name}", np.zeros(1))

        own = Tone(
            np.array([TWO_PI * self.gamma * self.signal_amplitude]),
            np.array([TWO_PI * self.signal_frequency]),
            known.get("sample.phase", np.array([self.signal_phase])),
        )
        strength = TWO_PI * self.gamma * self.coil_gain * asked("amplitude") * (asked("on") > 0)
        return own, Tone(np.asarray(strength), np.asarray(TWO_PI * asked("frequency")), asked("phase"))

    def free_decay_time(self) -> float:
        """Return T2*, the 1/e time of the noiseless Ramsey envelope, in s."""
        return self._envelope_time(self._free_exponent)

    def echo_decay_time(self) -> float:
        """Return T2, the 1/e time of the noiseless Hahn-echo envelope in the total time, in s."""
        return self._envelope_time(lambda t: 4 * self._free_exponent(t / 2) - self._free_exponent(t))

    def _free_exponent(self, t: float) -> float:
        if math.isinf(self.tau_c):
            return (self.sigma_detuning * t) ** 2 / 2
        x = t / self.tau_c
        kubo = math.expm1(-x) + x if x > 1e-3 else x**2 / 2 - x**3 / 6 + x**4 / 24 - x**5 / 120
        return (self.sigma_detuning * self.tau_c) ** 2 * kubo

    def _envelope_time(self, exponent: Any) -> float:
        from scipy.optimize import brentq

        linear = 1 / self.Tphi + 2 / (3 * self.T1)
        if linear == 0 and self.sigma_detuning == 0:
            return math.inf
        return float(brentq(lambda t: exponent(t) + linear * t - 1, 1e-15, 1e9, xtol=1e-18, rtol=1e-12))

"""Ions in a trap (card M4): the Mølmer–Sørensen gate, a wait with dephasing, an analysis pulse, and what is counted."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.physics.noise import gauss_hermite
from qlab.physics.systems.collective import CollectiveSpin

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
NODES = 41  # of the common phase: parities that it turns by up to 5 rad rms are averaged to 1e-6


@dataclass(frozen=True)
class SidebandGate:
    """H = g Jx (a e^{i delta t} + h.c.): `coupling` g and `detuning` delta in rad/s, on for `time` s.

    The mode starts with `thermal` quanta and heats by `heating` quanta per s. Exact: U = D(alpha Jx) exp(-i Phi Jx^2).
    Source: Sørensen and Mølmer, PRA 62, 022311 (2000); physics.md M4.
    """

    coupling: float
    detuning: float
    time: float
    thermal: float = 0.0
    heating: float = 0.0

    @property
    def twist(self) -> float:
        """Phi = (g^2/delta)(t - sin(delta t)/delta), pi/2 for a GHZ state."""
        d, t = self.detuning, self.time
        if d == 0:
            return 0.0
        return self.coupling**2 / d * (t - math.sin(d * t) / d)

    @property
    def left(self) -> float:
        """|alpha|, the displacement of the mode for Jx = 1 that is left at the end; 0 for a closed loop."""
        d, t = self.detuning, self.time
        return self.coupling * t if d == 0 else abs(2 * self.coupling / d * math.sin(d * t / 2))

    @property
    def blur(self) -> float:
        """What spin coherences between Jx values m apart lose to the mode: exp(-blur m^2)."""
        d, t = self.detuning, self.time
        # A kick at a moment turns the spins by what the loop still encloses afterwards.
        path = (
            self.coupling**2 * t**3 / 3
            if d == 0
            else 2 * (self.coupling / d) ** 2 * (t - math.sin(d * t) / d)
        )
        return self.left**2 * (self.thermal + 0.5) + self.heating * path


def closed_gate(detuning: float) -> SidebandGate:
    """Return the gate of one closed loop for a GHZ state of any N, delta in rad/s: g = delta/2, t = 2 pi/delta."""
    return SidebandGate(detuning / 2, detuning, 2 * math.pi / detuning)


@dataclass(frozen=True)
class IonChain:
    """N ions as one spin of N/2, all down (dark) at first; `rho` (N + 1, N + 1) between the values of Jz, ascending."""

    ions: int
    rho: Complex

    @property
    def spin(self) -> CollectiveSpin:
        """The spin."""
        return CollectiveSpin(self.ions)

    def turned(self, angle: float, phase: float = 0.0) -> "IonChain":
        """Return the chain after a turn by `angle` about cos(phase) x + sin(phase) y."""
        half = self.spin.turn(self.rho, angle, phase)
        return IonChain(self.ions, self.spin.turn(half.conj().T, angle, phase).conj().T)

    def entangled(self, gate: SidebandGate) -> "IonChain":
        """Return the chain after a Mølmer–Sørensen gate."""
        m = self.spin.m
        to_x = self.spin.turn(np.eye(self.ions + 1, dtype=complex), -math.pi / 2, math.pi / 2)
        along = to_x @ self.rho @ to_x.conj().T  # Jx is diagonal here
        apart = m[:, None] - m
        twisted = np.exp(-1j * gate.twist * (m[:, None] ** 2 - m**2) - gate.blur * apart**2)
        return IonChain(self.ions, to_x.conj().T @ (along * twisted) @ to_x)

    def phased(self, phase: float) -> "IonChain":
        """Return the chain after exp(-i phase Jz)."""
        turn = np.exp(-1j * phase * self.spin.m)
        return IonChain(self.ions, turn[:, None] * self.rho * turn.conj())


@dataclass(frozen=True)
class Look:
    """How each ion is looked at after a wait: bright with the probability (1 + `lift` + `length` sigma_n)/2.

    n lies at `polar` from z and at `azimuth` (points,) around it. Waiting shrinks and lifts what is measured in the
    Heisenberg picture, on every ion alike: sigma_x,y by exp(-t/T2), sigma_z to exp(-t/T1) sigma_z - (1 - exp(-t/T1)).
    """

    azimuth: Floats
    polar: float
    length: float
    lift: float

    @classmethod
    def after(cls, wait: float, angle: float, phase: Floats, rate: float, T1: float) -> "Look":
        """Return the look through a turn by `angle` about an axis at `phase`, after `wait` s of dephasing and decay."""
        kept = math.exp(-wait / T1) if T1 > 0 else 1.0
        across = math.sin(angle) * math.exp(-rate * wait) * math.sqrt(kept)
        along = math.cos(angle) * kept
        # What is on z afterwards was along -sin(phase) x + cos(phase) y before, by the sine of the angle.
        return cls(
            phase + math.pi / 2,
            math.atan2(across, along),
            math.hypot(across, along),
            -math.cos(angle) * (1 - kept),
        )

    def read(self, miss: float, false: float) -> "Look":
        """Return the look by a detector that calls a bright ion dark (`miss`) or a dark one bright (`false`)."""
        scale = 1 - miss - false
        return Look(self.azimuth, self.polar, scale * self.length, scale * self.lift + false - miss)

    def counts(self, chain: IonChain, common: float = 0.0) -> Floats:
        """Return the probabilities of 0..N bright ions at each azimuth, (points, N + 1).

        `common` is the rms of a phase that all ions share, another one in each shot.
        """
        z, weights = gauss_hermite(NODES) if common > 0 else (np.zeros(1), np.ones(1))
        m = chain.spin.m
        # Turning by -polar about the axis across azimuth brings n onto z.
        to_n = chain.spin.turn(np.eye(chain.ions + 1, dtype=complex), -self.polar, math.pi / 2)
        angles = self.azimuth[:, None] + common * z
        gap = m[:, None] - m
        phases = np.einsum("pkij,k->pij", np.exp(1j * angles[..., None, None] * gap), weights)
        shares = np.einsum("ai,pij,aj->pa", to_n, phases * chain.rho, to_n.conj()).real
        return np.asarray(np.clip(shares, 0.0, 1.0) @ _relabelled(chain.ions, self.length, self.lift))


def _relabelled(ions: int, length: float, lift: float) -> Floats:
    """Return the probability of k bright ions for j that point up; (j, k)."""
    up, down = np.clip([(1 + lift + length) / 2, (1 + lift - length) / 2], 0.0, 1.0)
    table = np.zeros((ions + 1, ions + 1))
    for j in range(ions + 1):
        table[j] = np.convolve(_binomial(j, float(up)), _binomial(ions - j, float(down)))
    return table


def _binomial(count: int, chance: float) -> Floats:
    return np.array([math.comb(count, k) * chance**k * (1 - chance) ** (count - k) for k in range(count + 1)])


def all_down(ions: int) -> IonChain:
    """Return N ions in the dark state."""
    rho = np.zeros((ions + 1, ions + 1), dtype=complex)
    rho[0, 0] = 1
    return IonChain(ions, rho)


def parity(counts: Floats) -> Floats:
    """Return the mean of (-1)^k of bright ions; counts (..., N + 1)."""
    return np.asarray(counts @ (-1.0) ** np.arange(counts.shape[-1]))


def depolarised_fisher(ions: int, share: float) -> float:
    """Return F_Q of a `share` p of a GHZ state in white noise, p^2 N^2/(p + (1 - p) 2^(1 - N)) (P24)."""
    return share**2 * ions**2 / (share + (1 - share) * 2.0 ** (1 - ions))


def thermal_flop(rabi: float, eta: float, quanta: float, time: Floats, most: int = 400) -> Floats:
    """Return the excitation by a resonant carrier pulse on a thermal mode (P29); rabi in rad/s, time in s.

    Omega_n = Omega exp(-eta^2/2) L_n(eta^2). Source: Wineland et al., J. Res. NIST 103, 259 (1998).
    """
    from scipy.special import eval_laguerre

    n = np.arange(most)
    weights = (quanta / (quanta + 1)) ** n / (quanta + 1)
    rates = rabi * math.exp(-(eta**2) / 2) * eval_laguerre(n, eta**2)
    return np.asarray(np.sin(np.multiply.outer(np.asarray(time), rates) / 2) ** 2 @ weights)

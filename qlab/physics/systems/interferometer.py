"""A Mach–Zehnder interferometer (card M10): coherent, squeezed or NOON light, loss, phase noise, four ways to look."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.counting import enough, none_seen, number_distribution, parity, with_dark_counts
from qlab.physics.fock import TwoModes
from qlab.physics.gaussian import GaussianState, form, vacuum
from qlab.physics.noise import gauss_hermite

Floats = NDArray[np.float64]
Readout = Literal["parity", "clicks", "difference", "homodyne"]
READOUTS: tuple[Readout, ...] = ("parity", "clicks", "difference", "homodyne")
FEW, MANY = (
    7,
    31,
)  # nodes of the phase noise, where it is small against the narrowest fringe and where it is not
DECIBEL = math.log(10) / 20  # r for 1 dB


@dataclass(frozen=True)
class Interferometer:
    """Light in two arms with the phase between them, exp(-i phase (n_a - n_b)/2), and detectors behind both ports.

    Gaussian light: a coherent state of `photons` into port a, vacuum squeezed by `squeezing` dB into port b; port b
    is dark at phase 0. With `noon` N > 0 the arms hold (|N,0> + |0,N>)/sqrt(2) instead. `arms` are the efficiencies
    of both arms, `efficiency` that of each detector, `dark` its dark counts in a shot, `spread` the rms of the phase
    from shot to shot in rad. Source: physics.md M10; Demkowicz-Dobrzański, Progress in Optics 60, 345 (2015).
    """

    photons: float = 1.0
    squeezing: float = 0.0
    noon: int = 0
    arms: tuple[float, float] = (1.0, 1.0)
    spread: float = 0.0
    efficiency: float = 1.0
    dark: float = 0.0
    angle: float = math.pi / 2  # rad, of the homodyne detector at port b

    @property
    def inside(self) -> float:
        """The mean number of photons that enter the arms together."""
        return float(self.noon) if self.noon else self.photons + math.sinh(self.squeezing * DECIBEL) ** 2

    @property
    def halfway(self) -> GaussianState:
        """The Gaussian state in the arms after their loss, at phase 0."""
        if self.noon:
            raise UsageError("A NOON state is not Gaussian.", "Look at photon numbers.")
        state = (
            vacuum(2).displaced(0, math.sqrt(self.photons)).squeezed(1, self.squeezing * DECIBEL, math.pi / 2)
        )
        return state.mixed(0, 1).lossy(0, self.arms[0]).lossy(1, self.arms[1])

    def outputs(self, phase: Floats) -> tuple[Floats, Floats]:
        """Return means (..., 4) and covariances (..., 4, 4) of the light that both detectors see."""
        state = self.halfway
        c, s = np.cos(phase / 2), np.sin(phase / 2)
        turn = np.zeros((*np.shape(phase), 4, 4))
        turn[..., 0, 0], turn[..., 0, 1], turn[..., 1, 0], turn[..., 1, 1] = c, s, -s, c
        turn[..., 2, 2], turn[..., 2, 3], turn[..., 3, 2], turn[..., 3, 3] = c, -s, s, c
        splitter = np.kron(np.array([[1.0, -1.0], [1.0, 1.0]]) / math.sqrt(2), np.eye(2))
        whole = math.sqrt(self.efficiency) * splitter @ turn
        covariance = whole @ state.covariance @ np.swapaxes(whole, -1, -2)
        return whole @ state.mean, covariance + (1 - self.efficiency) / 2 * np.eye(4)

    def shares(self, phase: float) -> Floats:
        """Return the probability of each pair of counts (n_a, n_b); (k, k), dark counts included."""
        if self.noon:
            return with_dark_counts(self._noon_shares(np.asarray(phase)), self.dark)
        nodes, weights = self._nodes(np.asarray(float(phase)))
        mean, covariance = self.outputs(nodes)
        numbers = [GaussianState(m, v).numbers() for m, v in zip(mean, covariance, strict=True)]
        most = max(enough(float(n.max()), float(np.diag(v).max())) for n, v in numbers)
        found = sum(
            w * number_distribution(m, v, most) for w, m, v in zip(weights, mean, covariance, strict=True)
        )
        return with_dark_counts(np.asarray(found), self.dark)

    def signal(self, phase: Floats, readout: Readout) -> Floats:
        """Return what a readout shows on average at phases (...).

        parity: share of shots with an odd count at b; clicks: share with a click at b (for NOON light at b alone);
        difference: mean of n_b - n_a; homodyne: mean of x cos(angle) + p sin(angle) at b.
        """
        return self._moments(np.asarray(phase, dtype=float), readout)[0]

    def noise(self, phase: Floats, readout: Readout) -> Floats:
        """Return the standard deviation of one shot of a readout at phases (...)."""
        mean, square = self._moments(np.asarray(phase, dtype=float), readout)
        return np.asarray(np.sqrt(np.maximum(square - mean**2, 0.0)))

    def resolution(self, phase: Floats, readout: Readout) -> Floats:
        """Return the phase error of one shot by error propagation, noise over slope, in rad; (...).

        Infinite where the fringe is level: at a dark port both vanish, and only beside it their quotient is known.
        """
        step = 1e-4 / max(self.inside, 1.0) ** 0.5
        slope = (self.signal(phase + step, readout) - self.signal(phase - step, readout)) / (2 * step)
        level = np.abs(slope) * step < 1e-12
        return np.asarray(
            np.where(level, np.inf, self.noise(phase, readout) / np.where(level, 1.0, np.abs(slope)))
        )

    def quantum_fisher(self) -> float:
        """Return the quantum Fisher information on the phase of the light behind the lossy arms, without phase noise.

        NOON: N^2 2 (eta_a eta_b)^N/(eta_a^N + eta_b^N) (P31). Gaussian: 2 dV (4 V x V - W x W)^-1 dV + dm V^-1 dm,
        for no loss |alpha|^2 e^{2r} + sinh^2 r (P32). Source: Monras, arXiv:1303.3682; Pinel, PRA 88, 040102 (2013).
        """
        if self.noon:
            a, b = (eta**self.noon for eta in self.arms)
            return self.noon**2 * 2 * a * b / (a + b) if a + b > 0 else 0.0
        state = self.halfway
        half = np.array([[0.0, 1.0], [-1.0, 0.0]]) / 2
        turn = np.zeros((4, 4))
        turn[:2, :2], turn[2:, 2:] = half, -half
        v = state.covariance
        slope, moved = turn @ v + v @ turn.T, turn @ state.mean
        matrix = 4 * np.kron(v, v) - np.kron(form(2), form(2))
        spread = 2 * slope.ravel() @ np.linalg.pinv(matrix, rcond=1e-11, hermitian=True) @ slope.ravel()
        return float(spread + moved @ np.linalg.solve(v, moved))

    def shot_noise_fisher(self) -> float:
        """Return the information of as much coherent light in these arms: n 2 eta_a eta_b/(eta_a + eta_b)."""
        a, b = self.arms
        return self.inside * 2 * a * b / (a + b) if a + b > 0 else 0.0

    def _moments(self, phase: Floats, readout: Readout) -> tuple[Floats, Floats]:
        """Return mean and mean square of one shot."""
        if self.noon:
            return self._noon_moments(phase, readout)
        nodes, weights = self._nodes(phase)
        mean, covariance = self.outputs(nodes)
        first, square = self._gaussian_moments(mean, covariance, readout)
        return np.asarray(first @ weights), np.asarray(square @ weights)

    def _gaussian_moments(self, mean: Floats, v: Floats, readout: Readout) -> tuple[Floats, Floats]:
        if readout == "homodyne":
            along = np.array([math.cos(self.angle), math.sin(self.angle)])
            first = mean[..., 2:] @ along
            return first, first**2 + np.einsum("a,...ab,b->...", along, v[..., 2:, 2:], along)
        if readout == "difference":
            sign = np.array([-1.0, -1.0, 1.0, 1.0])
            signed, moved = v * sign, sign * mean
            trace = np.trace(signed, axis1=-2, axis2=-1)
            first = (trace + np.sum(mean * moved, axis=-1)) / 2
            twice = np.sum(signed * np.swapaxes(signed, -1, -2), axis=(-2, -1))
            spread = twice / 2 + np.einsum("...a,...ab,...b->...", moved, v, moved) - 0.5
            return first, first**2 + spread + 2 * self.dark
        if readout == "parity":
            chance = (1 - parity(mean[..., 2:], v[..., 2:, 2:]) * math.exp(-2 * self.dark)) / 2
        else:
            chance = 1 - none_seen(mean[..., 2:], v[..., 2:, 2:]) * math.exp(-self.dark)
        return chance, chance

    def _nodes(self, phase: Floats) -> tuple[Floats, Floats]:
        """Return phases (..., nodes) of single shots and their weights (nodes,)."""
        if self.spread <= 0:
            return phase[..., None], np.ones(1)
        z, weights = gauss_hermite(FEW if self.spread * math.sqrt(self.inside) < 0.3 else MANY)
        return phase[..., None] + self.spread * z, weights

    def _noon_shares(self, phase: Floats) -> Floats:
        """Return P(n_a, n_b) before dark counts; (..., N + 1, N + 1)."""
        waves = _noon_waves(self.noon, *(eta * self.efficiency for eta in self.arms))
        order = np.arange(-self.noon, self.noon + 1)
        turns = np.exp(1j * np.multiply.outer(phase, order) - (self.spread * order) ** 2 / 2)
        return np.asarray(np.clip(np.tensordot(turns, waves, axes=1).real, 0.0, 1.0))

    def _noon_moments(self, phase: Floats, readout: Readout) -> tuple[Floats, Floats]:
        if readout == "homodyne":
            raise UsageError(
                "A NOON state has no mean field: a homodyne detector sees no fringe.",
                "Count photons instead.",
            )
        shares = with_dark_counts(self._noon_shares(phase), self.dark)
        n = np.arange(shares.shape[-1])
        if readout == "difference":
            values = (n[None, :] - n[:, None]).astype(float)
        elif readout == "parity":
            values = np.broadcast_to(n % 2, (len(n), len(n))).astype(float)
        else:
            values = ((n[None, :] > 0) & (n[:, None] == 0)).astype(float)
        return (shares * values).sum(axis=(-2, -1)), (shares * values**2).sum(axis=(-2, -1))

    def clicks(self, phase: float) -> Floats:
        """Return the probabilities of a click at neither port, at a alone, at b alone, at both; (4,)."""
        if self.noon:
            return clicks_of(self.shares(phase))
        nodes, weights = self._nodes(np.asarray(float(phase)))
        mean, v = self.outputs(nodes)
        quiet = math.exp(-self.dark)
        dark_a = none_seen(mean[..., :2], v[..., :2, :2]) @ weights * quiet
        dark_b = none_seen(mean[..., 2:], v[..., 2:, 2:]) @ weights * quiet
        neither = none_seen(mean, v) @ weights * quiet**2
        return np.array([neither, dark_b - neither, dark_a - neither, 1 - dark_a - dark_b + neither])

    def with_losses(self, arm_a: float, arm_b: float) -> "Interferometer":
        """Return the interferometer with other arms."""
        return replace(self, arms=(arm_a, arm_b))


def clicks_of(shares: Floats) -> Floats:
    """Return the probabilities of a click at neither port, at a alone, at b alone, at both, from those of counts."""
    none, b_alone, a_alone = shares[0, 0], shares[0, 1:].sum(), shares[1:, 0].sum()
    return np.array([none, a_alone, b_alone, 1 - none - a_alone - b_alone])


@lru_cache(maxsize=256)
def _noon_waves(photons: int, arm_a: float, arm_b: float) -> NDArray[np.complex128]:
    """Return the Fourier series of P(n_a, n_b) over the phase, orders -N..N; (2N + 1, N + 1, N + 1)."""
    space = TwoModes(photons)
    ket = space.noon(photons)
    rho = space.lossy(space.lossy(np.outer(ket, ket.conj()), 0, arm_a), 1, arm_b)
    splitter = space.beam_splitter()  # port b is dark at phase 0, as with Gaussian light
    count = 2 * photons + 1
    seen = np.zeros((count, photons + 1, photons + 1))
    for k in range(count):
        shifted = space.shifted(rho, 2 * math.pi * k / count)
        shares = space.probabilities(splitter @ shifted @ splitter.conj().T)
        seen[k, space.levels[:, 0], space.levels[:, 1]] = shares
    waves = np.fft.fft(seen, axis=0) / count
    # exp(+2 pi i k m/count) belongs to order m, those above N to m - count.
    return np.asarray(np.fft.fftshift(waves, axes=0))

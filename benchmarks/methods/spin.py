"""The spins of the cases: an NV centre in the frame of its drive, bare or with 14N, and a two-level system."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.methods.case import Computed

TAU = 2 * np.pi


@dataclass(frozen=True)
class Spin:
    """Levels in the frame of the drive: `dimension` 2 (excited, ground), 3 (m_S = 1, 0, -1), or 9 with 14N."""

    dimension: int
    rabi: float = 10e6
    detuning: float = 1e6
    coherence: float = 50e-6

    @cached_property
    def _nucleus(self) -> Computed:
        return np.eye(3 if self.dimension == 9 else 1)

    def _on_spin(self, matrix: Computed) -> Computed:
        return np.kron(matrix, self._nucleus).astype(complex)

    @cached_property
    def free(self) -> Computed:
        """H without drive, rad/s."""
        if self.dimension == 2:
            return TAU * self.detuning * np.diag([1, 0]).astype(complex)
        spin, one = np.diag([1.0, 0, -1]), np.eye(3)
        made = self._on_spin(TAU * np.diag([112e6, 0, self.detuning]))
        if self.dimension == 9:
            made = made + TAU * (-2.14e6 * np.kron(spin, spin) - 4.945e6 * np.kron(one, spin @ spin))
        return made

    def drive(self, phase: float = 0.0) -> Computed:
        """The drive at the Rabi frequency, rad/s."""
        size = self.dimension if self.dimension == 2 else 3
        up, low = (0, 1) if size == 2 else (2, 1)
        raising = np.zeros((size, size), dtype=complex)
        raising[up, low] = np.exp(-1j * phase)
        made = TAU * self.rabi / 2 * (raising + raising.conj().T)
        return self._on_spin(made)

    @cached_property
    def order(self) -> Computed:
        """What a magnetic field along the axis couples to."""
        return self._on_spin(np.diag([1.0, 0]) if self.dimension == 2 else np.diag([1.0, 0, -1]))

    @cached_property
    def jumps(self) -> list[Computed]:
        """Pure dephasing."""
        return [np.sqrt(2 / self.coherence) * self.order]

    @cached_property
    def bright(self) -> Computed:
        """The projector on the state that is prepared and read."""
        return self._on_spin(np.diag([0.0, 1.0]) if self.dimension == 2 else np.diag([0.0, 1.0, 0.0]))

    @cached_property
    def start(self) -> Computed:
        """The state at the start: bright, the nucleus mixed."""
        return self.bright / len(self._nucleus)

    @property
    def half(self) -> float:
        """How long a pi/2 pulse takes, s."""
        return 1 / (4 * self.rabi)

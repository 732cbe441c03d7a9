"""Levels: what the engine needs to know of a system, written in the eigenbasis of its static Hamiltonian."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Block:
    """One independent set of levels (for instance one nuclear projection), with its share of the ensemble.

    `energies` (d,) rad/s in the laboratory frame; `quanta` (d,) how many quanta of the drive a level holds;
    `drive` (d, d) the raising part of the drive for a Rabi frequency of 1 rad/s: H = (Omega/2)(drive e^{-i phi}
    + h.c.); `order` (d,): a detuning x of the noise adds x*order to the energies; `jumps` (k, d, d) collapse
    operators sqrt(rate)*|f><i| or diagonal; `initial` (d,) populations before the first pulse; `labels` (d,)
    the outcome that a projective readout finds in each level.
    """

    weight: float
    energies: Floats
    quanta: NDArray[np.int64]
    drive: Complex
    order: NDArray[np.int64]
    jumps: Complex
    initial: Floats
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Light:
    """What a laser does to the levels: its jumps (k, d, d), and the photons per second from each level (d,)."""

    jumps: Complex
    brightness: Floats


class LevelSystem(Protocol):
    """A model card as the engine sees it. Pure: no hidden truth, no seed, no clock."""

    @property
    def sigma_detuning(self) -> float:
        """Rms of the detuning noise, rad/s."""
        ...

    @property
    def tau_c(self) -> float:
        """Correlation time of the detuning noise, s (inf: quasi-static)."""
        ...

    @property
    def dark_rate(self) -> float:
        """Detector counts per second without any light."""
        ...

    def blocks(self) -> tuple[Block, ...]:
        """Return the independent blocks; their weights sum to 1."""
        ...

    def light(self, power: float) -> Light:
        """Return what a laser of `power` W does."""
        ...

    def rabi(self, amplitude: Floats, setpoints: Mapping[str, Floats]) -> Floats:
        """Return the Rabi angular frequency (rad/s) that a drive amplitude (asked Rabi frequency, Hz) gives.

        `amplitude` and each setpoint (points,); one value where all points share it.
        """
        ...

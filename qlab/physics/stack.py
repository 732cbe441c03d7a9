"""Stacks: blocks that differ only in their energies and drive, propagated together."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qlab.physics.levels import Block, Complex, Floats
from qlab.physics.propagate import liouvillian, real_form


@dataclass(frozen=True)
class BlockStack:
    """Blocks b of one kind: `weights` (b,), `energies` (b, d), `drive` (b, d, d); the rest as of `one`."""

    one: Block
    weights: Floats
    energies: Floats
    drive: Complex

    @property
    def dimension(self) -> int:
        """The number of levels d of a block."""
        return len(self.one.energies)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """The coherence order of each element of a density matrix, (d, d)."""
        return np.asarray(self.one.order[:, None] - self.one.order[None, :])

    @cached_property
    def quanta(self) -> NDArray[np.int64]:
        """By how many quanta of the drive the two levels of each element differ, (d, d)."""
        return np.asarray(self.one.quanta[:, None] - self.one.quanta[None, :])

    @cached_property
    def _parts(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Liouvillians of the energies (b, ...), of the drive (b, ...), of one quantum and of the noise."""
        none = np.zeros((0, self.dimension, self.dimension))
        diagonal = np.eye(self.dimension) * self.energies[:, :, None]
        # Only differences of energies matter; centring keeps the numbers small.
        diagonal = diagonal - np.eye(self.dimension) * self.energies[:, :1, None]
        drive = (self.drive + self.drive.conj().swapaxes(-1, -2)) / 2
        number, order = (np.diag(v).astype(complex) for v in (self.one.quanta, self.one.order))
        made = [real_form(liouvillian(h.astype(complex), none)) for h in (diagonal, drive, number, order)]
        return made[0], made[1], made[2], made[3]

    @property
    def number(self) -> Floats:
        """By what a generator falls for each rad/s of the carrier; (d*d, d*d)."""
        return self._parts[2]

    def generators(self, carrier: Floats, rabi: Floats, detunings: Floats, jumps: Complex) -> Floats:
        """Return Liouvillians in the Hermitian basis in the frame of the carrier.

        `carrier` and `rabi` (m,), `detunings` (n,), all rad/s; returns (m, b, n, d*d, d*d).
        """
        energies, drive, number, order = self._parts
        flat = np.zeros((self.dimension, self.dimension), dtype=complex)
        relaxation = real_form(liouvillian(flat, jumps))
        still = energies + relaxation - carrier[:, None, None, None] * number
        still = still + rabi[:, None, None, None] * drive
        return np.asarray(still[:, :, None] + detunings[:, None, None] * order)


def stacks(blocks: tuple[Block, ...]) -> Iterator[BlockStack]:
    """Yield the blocks in stacks of one kind."""
    left = list(blocks)
    while left:
        alike = [block for block in left if _of_one_kind(block, left[0])]
        left = [block for block in left if not any(block is other for other in alike)]
        yield BlockStack(
            alike[0],
            np.array([block.weight for block in alike]),
            np.array([block.energies for block in alike]),
            np.array([block.drive for block in alike]),
        )


def _of_one_kind(a: Block, b: Block) -> bool:
    names = ("quanta", "order", "jumps", "initial", "labels")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)

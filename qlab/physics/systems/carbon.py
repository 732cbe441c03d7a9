"""An NV centre with one 13C nucleus beside it: the hyperfine doublet, and the modulation of echoes (ESEEM).

H/h of the carbon in the level m_S: -gamma_13C B.I + m_S (A_par Iz + A_perp Ix). Along the axis the coupling moves with
m_S; the part across turns the nucleus, and about different axes in the levels of the electron, which an echo does not
undo. Childress et al., Science 314, 281 (2006); model card M1.
"""

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qlab.errors import UsageError
from qlab.physics.constants import TWO_PI
from qlab.physics.levels import Block, Complex, Floats, Light
from qlab.physics.quantum import qutip
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.nv_levels import SPINS

if TYPE_CHECKING:
    from qutip import Qobj

GAMMA_13C = 10.7084e6  # Hz/T
SPIN = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2


@dataclass(frozen=True)
class NVWithCarbon(NVCentre):
    """An NV centre coupled to a 13C by `carbon_parallel` A_zz and `carbon_perpendicular` A_zx, both in Hz.

    The coupling acts through m_S alone (secular in the electron); a flip of the electron by T1 or by light leaves the
    nucleus where it was, without a phase of its own.
    """

    carbon_parallel: float = 0.0
    carbon_perpendicular: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.carbon_parallel) and math.isfinite(self.carbon_perpendicular)):
            raise UsageError("The coupling of a 13C is not finite.", "Check the numbers of its truth.")

    @cached_property
    def _carbon(self) -> tuple[Floats, Complex]:
        """Energies (3, 2) in rad/s and eigenvectors (3, 2, 2) of the carbon in each m_S."""
        m = np.array(SPINS)[:, None, None]
        still = -GAMMA_13C * np.tensordot(np.array(self.field), SPIN, axes=1)
        coupled = self.carbon_parallel * SPIN[2] + self.carbon_perpendicular * SPIN[0]
        energies, vectors = np.linalg.eigh(TWO_PI * (still + m * coupled))
        return np.asarray(energies), np.asarray(vectors)

    def hamiltonian(self) -> "Qobj":
        """Return H in rad/s on electron (x) nitrogen (x) carbon."""
        qt = qutip()
        still = -GAMMA_13C * np.tensordot(np.array(self.field), SPIN, axes=1)
        coupled = self.carbon_parallel * SPIN[2] + self.carbon_perpendicular * SPIN[0]
        alone = super().hamiltonian()
        one = qt.qeye(alone.dims[0][1:])
        carbon = qt.tensor(qt.qeye(3), one, qt.Qobj(TWO_PI * still))
        carbon = carbon + qt.tensor(qt.jmat(1, "z"), one, qt.Qobj(TWO_PI * coupled))
        return qt.tensor(alone, qt.qeye(2)) + carbon

    @property
    def _turns(self) -> bool:
        """Whether anything turns the carbon: a coupling or a field across the axis."""
        return self.carbon_perpendicular != 0 or self.field[0] != 0 or self.field[1] != 0

    def blocks(self) -> tuple[Block, ...]:
        """Return one block of six levels for each projection of the nitrogen, in the eigenbasis of the carbon.

        Where nothing turns the carbon it only shifts the lines: two blocks of three levels, for either projection.
        """
        if not self._turns:
            shift = TWO_PI * (self.carbon_parallel * np.array(SPINS) - GAMMA_13C * self.field[2])
            return tuple(
                replace(block, weight=block.weight / 2, energies=block.energies + m * shift)
                for block in super().blocks()
                for m in (0.5, -0.5)
            )
        energies, _ = self._carbon
        return tuple(
            Block(
                weight=block.weight,
                energies=np.repeat(block.energies, 2) + energies.ravel(),
                quanta=np.repeat(block.quanta, 2),
                drive=np.kron(block.drive, np.ones((2, 2))) * self._overlap,
                order=np.repeat(block.order, 2),
                jumps=self._split(block.jumps),
                initial=np.repeat(block.initial, 2) / 2,
                labels=np.repeat(block.labels, 2),
            )
            for block in super().blocks()
        )

    def light(self, power: float) -> Light:
        """Return what the laser does, the carbon looking on."""
        made = super().light(power)
        if not self._turns:
            return made
        return Light(self._split(made.jumps), np.repeat(made.brightness, 2))

    @cached_property
    def _overlap(self) -> Complex:
        """<k in m_S|k' in m_S'> of the carbon, (6, 6)."""
        flat = self._carbon[1].transpose(1, 0, 2).reshape(2, 6)
        return np.asarray(flat.conj().T @ flat)

    def _split(self, jumps: Complex) -> Complex:
        """Return jumps of the six levels: dephasing as it is, each flip by the share of the carbon's overlap."""
        made = []
        for jump in jumps:
            grown = np.kron(jump, np.ones((2, 2))) * self._overlap
            if np.count_nonzero(jump - np.diag(np.diag(jump))) == 0:
                made.append(np.diag(np.repeat(np.diag(jump), 2)))
                continue
            for final, initial in zip(*np.nonzero(np.abs(grown) > 1e-15), strict=True):
                single = np.zeros((6, 6), dtype=complex)
                single[final, initial] = abs(grown[final, initial])
                made.append(single)
        return np.array(made, dtype=complex).reshape(-1, 6, 6)


def with_carbon(centre: NVCentre, parallel: float, perpendicular: float) -> NVCentre:
    """Return the centre with a 13C coupled by so many Hz beside it; the same one where there is no coupling."""
    if parallel == 0 and perpendicular == 0:
        return centre
    numbers = {f.name: getattr(centre, f.name) for f in fields(NVCentre)}
    return replace(NVWithCarbon(**numbers), carbon_parallel=parallel, carbon_perpendicular=perpendicular)

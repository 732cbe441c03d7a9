"""Three levels of the electron at a time: the blocks in which an NV centre is propagated."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.levels import Block, Complex, Floats
from qlab.physics.systems.nv_levels import SPINS, Levels

# Below this share of its own product state a level has no m_S of its own any more: light, noise and drive would
# act on it differently from what the blocks say.
PURE = 0.95
NEGLIGIBLE_LINE = 1e-5


def _mixed_blocks(levels: Levels, jumps: Complex, tesla: float) -> tuple[Block, ...]:
    """Return a block for each nuclear state in m_S = 0 and each that the drive leads it to on either side."""
    energies, _, drive, _ = levels.named
    rows, share = levels.manifolds
    if share.min() < PURE:
        raise UsageError(
            f"At this field ({tesla * 1e3:.4g} mT) m_S is no good quantum number.",
            "Keep away from level crossings, and from strong fields across the axis.",
        )
    plus, zero, minus = rows
    made: list[Block] = []
    for initial in zero:
        sides = []
        for side in (plus, minus):
            strength = np.abs(drive[side, initial]) ** 2
            sides.append((side, strength / strength.sum(), math.sqrt(2 * float(strength.sum()))))
        for up, up_share in zip(sides[0][0], sides[0][1], strict=True):
            for low, low_share in zip(sides[1][0], sides[1][1], strict=True):
                weight = float(up_share * low_share) / len(zero)
                if weight < NEGLIGIBLE_LINE:
                    continue
                level = energies[[up, initial, low]]
                quanta = np.sign(level - level[1]).astype(np.int64)
                raising = np.zeros((3, 3), dtype=complex)
                for at, total in ((0, sides[0][2]), (2, sides[1][2])):
                    raising[(at, 1) if quanta[at] > 0 else (1, at)] = total
                made.append(_block(weight, level, quanta, raising, jumps))
    total = sum(block.weight for block in made)
    return tuple(replace(block, weight=block.weight / total) for block in made)


def _block(
    weight: float, level: Floats, quanta: NDArray[np.int64], raising: Complex, jumps: Complex
) -> Block:
    return Block(
        weight=weight,
        energies=level,
        quanta=quanta,
        drive=raising,
        order=np.array(SPINS),
        jumps=jumps,
        initial=np.full(3, 1 / 3),
        labels=np.array([1, 0, 1]),
    )


def blocks(levels: Levels, jumps: Complex, tesla: float, *, mixed: bool) -> tuple[Block, ...]:
    """Return one block of three electron levels for each nuclear projection, all of one weight.

    Raises UsageError where the field mixes the levels of the NV axis: the blocks hold to first order in it.
    """
    energies, names, drive, share = levels.named
    if mixed and share.min() < PURE:
        return _mixed_blocks(levels, jumps, tesla)
    if share.min() < PURE:
        raise UsageError(
            f"At this field ({tesla * 1e3:.4g} mT) the levels of the NV axis mix; "
            "this simulation holds only where they do not.",
            "Keep away from zero field, from level crossings, and from strong fields across the axis.",
        )
    made = []
    for m_i in levels.projections:
        rows = [np.flatnonzero((names[:, 0] == m_s) & (names[:, 1] == m_i))[0] for m_s in SPINS]
        level = energies[rows]
        # Above the ground-state crossing m_S = -1 lies below m_S = 0, which then is what a quantum raises.
        quanta = np.sign(level - level[1]).astype(np.int64)
        raising = np.zeros((3, 3), dtype=complex)
        for side in (0, 2):
            upper, lower = (side, 1) if quanta[side] > 0 else (1, side)
            among = drive[names[:, 0] == SPINS[side], rows[1]]
            # Off axis the nucleus is turned a little with the electron: a pulse faster than the hyperfine
            # coupling does not mind, and drives with all that leads to the level of the electron. The Rabi
            # frequency that people quote is that of the lower transition in an axial field.
            turn = np.exp(1j * np.angle(drive[rows[upper], rows[lower]]))
            raising[upper, lower] = turn * math.sqrt(2) * np.linalg.norm(among)
        made.append(_block(1 / len(levels.projections), level, quanta, raising, jumps))
    return tuple(made)

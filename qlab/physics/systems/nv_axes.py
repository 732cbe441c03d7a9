"""The four axes that an NV centre can have in the crystal, and the lines that a field gives along each."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from qlab.physics.constants import D_NV, GAMMA_NV
from qlab.physics.systems.nv_levels import COUPLINGS, GAMMA_N, PROJECTIONS, spins

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
AXES = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / math.sqrt(3)


@cache
def axis_frame(axis: int) -> Floats:
    """Return the rotation (3, 3) from the crystal's frame to one with z along an axis (0 to 3)."""
    z = AXES[axis]
    x = np.cross([0.0, 0.0, 1.0], z)
    x /= np.linalg.norm(x)
    made = np.array([x, np.cross(z, x), z])
    made.flags.writeable = False
    return made


_FRAMES = np.array([axis_frame(axis) for axis in range(len(AXES))])


def lines(field: Floats, D: float = D_NV, E: float = 0.0, nitrogen: int = 15) -> tuple[Floats, Floats]:
    """Return all lines of each axis in Hz and their strengths, both (4, 2, lines), the lower transition first.

    `field` (3,) in T in the crystal's frame. The same as `NVCentre.spectrum` along each axis, all of them at once:
    exact diagonalisation of electron and nucleus; the strengths of a transition sum to 1.
    """
    still, zeeman, sx = _operators(nitrogen)
    along = _FRAMES @ np.asarray(field, dtype=float)
    h = still[0] + D * still[1] + E * still[2] + np.tensordot(along, zeeman, 1)
    energies, vectors = np.linalg.eigh(h)
    count = h.shape[-1] // 3
    share = (np.abs(vectors) ** 2).reshape(len(AXES), 3, count, -1).sum(axis=2)
    rows = np.sort(np.argsort(-share, axis=2)[:, :, :count], axis=2)  # the eigenstates of m_S = +1, 0, -1
    drive = np.abs(vectors.conj().swapaxes(-1, -2) @ sx @ vectors) ** 2
    where, strength = np.empty((len(AXES), 2, count**2)), np.empty((len(AXES), 2, count**2))
    for axis, (plus, zero, minus) in enumerate(rows):
        for side, upper in enumerate((minus, plus)):
            where[axis, side] = (energies[axis, upper][:, None] - energies[axis, zero]).ravel()
            found = drive[axis][np.ix_(upper, zero)]
            strength[axis, side] = (found / found.sum()).ravel()
    # A transition is named by m_S along the axis: for a field against it, lower and upper change places.
    turned = (where * strength).sum(axis=2)
    order = np.argsort(turned, axis=1)[:, :, None]
    return np.take_along_axis(where, order, 1), np.take_along_axis(strength, order, 1)


@cache
def _operators(nitrogen: int) -> tuple[Complex, Complex, Complex]:
    """Return coupling, Sz^2 and Sx^2 - Sy^2 in Hz (3, n, n), the moments in Hz/T along x, y, z (3, n, n), and Sx."""
    sx, sy, sz, ix, iy, iz = spins(len(PROJECTIONS[nitrogen]))
    c = COUPLINGS[nitrogen]
    coupling = (
        c["A_parallel"] * sz @ iz + c["A_perpendicular"] * (sx @ ix + sy @ iy) + c["quadrupole"] * iz @ iz
    )
    still = np.array([coupling, sz @ sz, sx @ sx - sy @ sy])
    moments = GAMMA_NV * np.array([sx, sy, sz]) - GAMMA_N[nitrogen] * np.array([ix, iy, iz])
    return still, np.asarray(moments, dtype=np.complex128), sx


def electron_lines(fields: Floats, D: float = D_NV, E: float = 0.0) -> Floats:
    """Return the lines of the electron alone, Hz: (n, 4, 2) for fields (n, 3) in T; for a first look at many fields."""
    sx = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / math.sqrt(2)
    sy = np.array([[0, -1j, 0], [1j, 0, -1j], [0, 1j, 0]]) / math.sqrt(2)
    sz = np.diag([1.0, 0.0, -1.0])
    along = np.einsum("axi,ni->nax", _FRAMES, np.atleast_2d(fields))
    h = (
        D * sz @ sz
        + E * (sx @ sx - sy @ sy)
        + GAMMA_NV * np.einsum("nax,xij->naij", along, np.array([sx, sy, sz]))
    )
    energies = np.linalg.eigvalsh(h)
    return np.asarray(energies[..., 1:] - energies[..., :1])

"""The four axes that an NV centre can have in the crystal, and the lines that a field gives along each."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from qlab.physics.constants import D_NV, GAMMA_NV
from qlab.physics.systems.nv import COUPLINGS, LOWER, UPPER, NVCentre

Floats = NDArray[np.float64]
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


def lines(field: Floats, D: float = D_NV, E: float = 0.0, nitrogen: int = 15) -> Floats:
    """Return the lines of each axis in Hz: (4, 2, nuclear projections), lower and upper transition, by m_I.

    `field` (3,) in T in the crystal's frame. Exact diagonalisation of electron and nucleus (`NVCentre.transition`).
    """
    made = []
    for axis in range(len(AXES)):
        x, y, z = axis_frame(axis) @ np.asarray(field, dtype=float)
        # A transition is named by m_S along the axis: for a field against it, lower and upper change places.
        centre = NVCentre((float(x), float(y), float(z)), D=D, E=E, nitrogen=nitrogen, **COUPLINGS[nitrogen])
        both = [[centre.transition(m, i) for i in centre.projections] for m in (LOWER, UPPER)]
        made.append(sorted(both, key=sum))
    return np.array(made)


def electron_lines(fields: Floats, D: float = D_NV, E: float = 0.0) -> Floats:
    """Return the lines of the electron alone, Hz: (n, 4, 2) for fields (n, 3) in T; for a first look at many fields."""
    sx = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / math.sqrt(2)
    sy = np.array([[0, -1j, 0], [1j, 0, -1j], [0, 1j, 0]]) / math.sqrt(2)
    sz = np.diag([1.0, 0.0, -1.0])
    along = np.einsum("axi,ni->nax", np.array([axis_frame(a) for a in range(4)]), np.atleast_2d(fields))
    h = (
        D * sz @ sz
        + E * (sx @ sx - sy @ sy)
        + GAMMA_NV * np.einsum("nax,xij->naij", along, np.array([sx, sy, sz]))
    )
    energies = np.linalg.eigvalsh(h)
    return np.asarray(energies[..., 1:] - energies[..., :1])

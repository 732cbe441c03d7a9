"""A ladder of four levels in a warm vapour: QuTiP's steady state of every velocity."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qlab.physics.constants import TWO_PI
from qlab.physics.quantum import qutip
from qlab.physics.systems.rydberg import Complex, RydbergLadder

WEAK = 1e-4  # of the decay: the probe's Rabi frequency, to whose first order the closed form is exact
REACH = 6.0  # rms velocities
TOLERANCE = 1e-8


class SolvedLadder(RydbergLadder):
    """`RydbergLadder` with its response from `qutip.steadystate` of the four-level Lindblad equation.

    |3> and |4> leave to |1> at twice `dephasing`, as atoms do that fly through the beams: their coherences then decay
    at `dephasing`. The average over velocities is a quadrature where the closed form has plasma dispersion functions.
    """

    def averaged(self, probe: ArrayLike, coupling: ArrayLike) -> Complex:
        """Return the response averaged over a Maxwell distribution, in s; detunings in Hz."""
        from scipy.integrate import quad_vec

        first, second = np.broadcast_arrays(np.asarray(probe, float), np.asarray(coupling, float))
        pairs = list(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True))
        if self.temperature <= 0:
            return np.array([self._solved(*pair, 0.0) for pair in pairs]).reshape(first.shape)

        def weighed(v: float) -> Any:
            seen = np.array([self._solved(*pair, v * self.speed) for pair in pairs])
            return np.exp(-(v**2) / 2) / np.sqrt(2 * np.pi) * seen

        # Narrow features lie where an atom of that velocity meets both lasers.
        one = TWO_PI / self.wavelengths[0] * self.speed
        other = TWO_PI / self.wavelengths[1] * self.speed - one
        meet = {0.0, *(TWO_PI * p / one for p, _ in pairs), *(-TWO_PI * (p + c) / other for p, c in pairs)}
        cuts = sorted(cut for cut in meet if -REACH < cut < REACH)[:: max(len(meet) // 8, 1)]
        # In units of the line: the tolerance is of what it is at its height.
        unit = TWO_PI * self.decay

        def integrand(v: float) -> Any:
            return weighed(v) * unit

        found, _ = quad_vec(
            integrand,
            -REACH,
            REACH,
            epsabs=TOLERANCE,
            epsrel=TOLERANCE,
            points=[c for c in cuts if c],
            limit=2000,
        )
        return np.asarray(found / unit, dtype=complex).reshape(first.shape)

    def _solved(self, probe: float, coupling: float, velocity: float) -> complex:
        """Return i rho_12/(Omega/2) of atoms of one velocity under a weak probe, in s."""
        qt = qutip()
        one, other = (TWO_PI / w for w in self.wavelengths)
        near = TWO_PI * probe - one * velocity
        both = near + TWO_PI * coupling + other * velocity
        unit = TWO_PI * self.decay
        levels = [qt.basis(4, i) for i in range(4)]
        shifts = (near, both, both + TWO_PI * self.radio_detuning)
        h = sum((-s / unit * level.proj() for s, level in zip(shifts, levels[1:], strict=True)), qt.qzero(4))
        for i, rabi in enumerate((WEAK, TWO_PI * self.coupling / unit, TWO_PI * self.radio / unit)):
            step = levels[i] * levels[i + 1].dag()
            h = h + rabi / 2 * (step + step.dag())
        out = np.sqrt(2 * TWO_PI * self.dephasing / unit)
        jumps = [
            levels[0] * levels[1].dag(),
            out * levels[0] * levels[2].dag(),
            out * levels[0] * levels[3].dag(),
        ]
        # Of the methods it is the quickest for so few levels, a hundred times.
        state = qt.steadystate(h, jumps, method="svd")
        return complex(1j * state[1, 0] / (WEAK / 2)) / unit

"""Three light pulses on falling atoms, each solved by QuTiP with its running detuning."""

from typing import Any

import numpy as np

from qlab.physics.judge import safe_options
from qlab.physics.quantum import qutip
from qlab.physics.systems.atom_interferometer import Complex, Floats, ThreePulse


class SolvedThreePulse(ThreePulse):
    """`ThreePulse` with the Schrödinger equation of every pulse, slope and velocity solved by QuTiP."""

    def _pulse(self, slope: Floats, doppler: Floats, start: float, seconds: float) -> list[list[Complex]]:
        qt = qutip()
        ground, excited = qt.basis(2, 0), qt.basis(2, 1)
        gap = (ground.proj() - excited.proj()) / 2
        drive = self.rabi / 2 * (excited * ground.dag() + ground * excited.dag())
        shape = np.broadcast_shapes(slope.shape, doppler.shape)
        made = np.empty((2, 2, *shape), dtype=complex)
        for at in np.ndindex(shape):
            run = float(np.broadcast_to(slope, shape)[at])
            still = run * start + float(np.broadcast_to(doppler, shape)[at])
            parts: list[Any] = [seconds * (drive + still * gap)]
            if run:
                # In units of the pulse, so that the solver's first step is not absurd.
                parts.append([seconds**2 * run * gap, qt.coefficient(lambda t: t)])
            turn = qt.propagator(qt.QobjEvo(parts), 1.0, options=safe_options(1.0))
            made[(slice(None), slice(None), *at)] = turn.full()
        return [[made[0, 0], made[0, 1]], [made[1, 0], made[1, 1]]]

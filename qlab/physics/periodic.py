"""Beyond the rotating-wave approximation: drives as they are in the laboratory, by Floquet frames.

With an indicator of when that is needed: the counter-rotating part shifts a resonance by Omega^2/(4 omega) (Bloch &
Siegert, Phys. Rev. 57, 522 (1940)) and adds wiggles of the order Omega/(4 omega) to the populations.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from qlab.errors import UsageError
from qlab.physics import given
from qlab.physics.given import Floats
from qlab.physics.signals import frame
from qlab.physics.superoperator import generators, parts

# Wiggles beyond this are seen in a measurement; below it the rotating frame is as good and quicker.
VISIBLE = 1e-3


@dataclass(frozen=True)
class Counterrotation:
    """What the rotating-wave approximation leaves out: the shift in rad/s, the wiggle, and whether it shows."""

    shift: float
    wiggle: float
    needed: bool


def counterrotation(rabi: float, omega: float) -> Counterrotation:
    """Return how far the rotating-wave approximation errs for a Rabi and a drive frequency, both in rad/s."""
    if not (np.isfinite(rabi) and np.isfinite(omega)) or omega <= 0:
        raise UsageError("A drive has a finite Rabi frequency and a positive frequency.", "Check them.")
    wiggle = abs(rabi) / (4 * omega)
    return Counterrotation(rabi**2 / (4 * omega), wiggle, wiggle > VISIBLE)


def driven_expectation(
    hamiltonian: Any,
    drive: Any,
    omega: float,
    times: Any,
    start: Any,
    observable: Any,
    collapse: Any = (),
    *,
    phase: float = 0.0,
) -> Floats:
    """Return Tr(O rho(t)) under H + drive*cos(omega t + phase) at `times` (t,), exactly, from t = 0.

    All in the laboratory frame, rad/s. However long the times, one period is all that is integrated.
    """
    rho = given.density(start)
    d = rho.shape[-1]
    h = given.hermitian(hamiltonian, "The Hamiltonian", d)
    tilt = given.hermitian(drive, "The drive", d)
    readout = parts(given.hermitian(observable, "The observable", d))
    moments = np.atleast_1d(given.seconds(times))
    none = np.zeros((0, d, d), dtype=complex)
    if not np.isfinite(phase):
        raise UsageError("The phase of the drive is not finite.", "Check it.")
    still = frame(generators(h, given.jumps(collapse, d)), generators(tilt, none), omega)
    inside = still.into.at(np.array([phase]))[0] @ parts(rho)
    states = inside * np.exp(still.exponents * moments[:, None])
    made = (still.out.at(omega * moments + phase) @ states[..., None])[..., 0]
    return np.asarray((made @ readout).real)

"""Square pulses on one transition of a spin 1 whose other transition is driven too, far off resonance."""

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Complexes = NDArray[np.complex128]


def pulse(rabi: float, duration: float, detuning: Reals, other: float) -> Complexes:
    """Return the propagators of a square pulse of phase 0; shape (..., 3, 3), levels driven, 0, other.

    H/h = diag(−δ, 0, D + δ) + (Ω/2)(|driven><0| + |other><0| + h.c.): δ the detuning from the driven line, D the
    distance of the drive from the middle of both, doubled, 2(D_zfs − f). Hz and s.
    """
    h = np.zeros((*np.shape(detuning), 3, 3))
    h[..., 0, 0], h[..., 2, 2] = -detuning, other + detuning
    for i, j in ((0, 1), (1, 0), (1, 2), (2, 1)):
        h[..., i, j] = rabi / 2
    energies, states = np.linalg.eigh(h)
    phases = np.exp(-2j * np.pi * energies * duration)
    return np.asarray(np.einsum("...ij,...j,...kj->...ik", states, phases, states))


def ramsey_pulses(
    rabi: float, duration: float, detuning: Reals, other: float
) -> tuple[Reals, Complexes, Complexes]:
    """Return (mean, coherence, delay) of two equal square pulses, as `two_level.ramsey_pulses` does.

    The transfer out of level 0 after a free precession τ is mean + Re[coherence exp(i(2π δ τ + φ))]; the light
    shift, the slower flop and the leakage to the other level are in it. The coherence of the other level turns
    too fast to be seen and is left out.
    """

    def parts(shift: float) -> tuple[Reals, Complexes]:
        u = pulse(rabi, duration, detuning + shift, other)
        kept = u[..., 1, 1] ** 2
        returned = u[..., 1, 0] * u[..., 0, 1]
        leaked = u[..., 1, 2] * u[..., 2, 1]
        mean = 1 - np.abs(kept) ** 2 - np.abs(returned) ** 2 - np.abs(leaked) ** 2
        return mean, -2 * kept.conj() * returned

    mean, coherence = parts(0.0)
    step = 1e-4 * rabi
    change = (parts(step)[1] - parts(-step)[1]) / (2 * step)
    visible = np.abs(coherence) > 1e-9
    delay = np.where(visible, change / np.where(visible, coherence, 1), 0) / (2j * np.pi)
    return mean, coherence, delay

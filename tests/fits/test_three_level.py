"""Pulses on a spin 1 whose other transition is driven too, against the exponential of the whole matrix."""

import numpy as np
import pytest
from scipy.linalg import expm

from qlab.fits.three_level import pulse, ramsey_pulses
from qlab.fits.two_level import ramsey_pulses as two_level_pulses

RABI, DURATION, OTHER = 10e6, 25e-9, 112e6
DETUNING = np.array([-2.1e6, 0.3e6, 2.2e6])


def whole(delta, tau, phase):
    """Play both pulses and the free time with 3 x 3 exponentials; return the transfer out of level 0."""
    free = np.diag([-delta, 0.0, OTHER + delta]).astype(complex)

    def driven(angle):
        h = free.copy()
        h[0, 1] = h[2, 1] = RABI / 2 * np.exp(-1j * angle)
        h[1, 0] = h[1, 2] = RABI / 2 * np.exp(1j * angle)
        return expm(-2j * np.pi * h * DURATION)

    state = driven(phase) @ expm(-2j * np.pi * free * tau) @ driven(0.0) @ np.array([0, 1, 0])
    return 1 - abs(state[1]) ** 2


def test_the_fringe_is_that_of_the_whole_matrix_without_the_fast_beat():
    mean, coherence, _ = ramsey_pulses(RABI, DURATION, DETUNING, OTHER)
    for i, delta in enumerate(DETUNING):
        # Averaged over one turn of the other level, its coherence drops out.
        taus = 1e-6 + np.arange(64) / 64 / (OTHER + delta)
        exact = np.array([whole(delta, t, 0.7 - 2 * np.pi * delta * t) for t in taus])
        told = mean[i] + (coherence[i] * np.exp(0.7j)).real
        assert exact.mean() == pytest.approx(told, abs=2e-5)


def test_far_away_the_other_level_does_not_matter():
    near = two_level_pulses(RABI, DURATION, DETUNING)
    far = ramsey_pulses(RABI, DURATION, DETUNING, 1e14)
    for one, other in zip(near, far, strict=True):
        assert np.allclose(one, other, atol=1e-7 * np.abs(one).max())


def test_a_pulse_is_unitary():
    u = pulse(RABI, DURATION, DETUNING, OTHER)
    assert np.allclose(u @ u.conj().swapaxes(1, 2), np.eye(3), atol=1e-12)

"""The Dick effect: physics.md, and a simulated clock."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.metrology import dick_effect
from qlab.metrology.stability import deviations, sample_power_law


def test_p17_white_oscillator():
    found = dick_effect(lambda f: np.full_like(f, 1e-30), 1.0, 1.0, interrogation=0.4)
    assert found == pytest.approx(8.66025404e-16, rel=1e-4)


def test_a_sensitivity_function_is_the_same_clock():
    g = np.zeros(10_000)
    g[:4000] = 1.0
    density = {"flicker": lambda f: 1e-30 / f}["flicker"]
    assert dick_effect(density, 1.0, 1.0, sensitivity=g) == pytest.approx(
        dick_effect(density, 1.0, 1.0, interrogation=0.4), rel=1e-3
    )


def test_simulated_sampling_of_flicker_noise():
    """Means over 4 of each 10 samples against means over all: what the servo cannot see is the Dick effect."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(8):
        y = sample_power_law(1 << 17, 0.1, {-1: 1.0}, rng)[: 10 * 13_000].reshape(-1, 10)
        error = y[:, :4].mean(axis=1) - y.mean(axis=1)
        found.append(deviations(error, 1.0, taus=[64.0]).deviation[0] ** 2)
    g = np.zeros(10)
    g[:4] = 1.0
    fine = dick_effect(lambda f: 1 / f, 1.0, 64.0, sensitivity=np.repeat(g, 50))
    assert np.sqrt(np.mean(found)) == pytest.approx(fine, rel=0.1)


def test_a_clock_that_never_looks_is_refused():
    with pytest.raises(UsageError):
        dick_effect(lambda f: f, 1.0, 1.0)
    with pytest.raises(UsageError, match="no mean"):
        dick_effect(lambda f: f, 1.0, 1.0, sensitivity=[1.0, -1.0])

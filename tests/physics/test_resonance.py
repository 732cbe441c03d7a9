"""Steady states along a line against qutip.steadystate, P39, and where there is none."""

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.resonance import steady_expectation
from tests.physics.judge import matrix


@pytest.mark.parametrize("seed", range(6))
def test_random_lines_agree_with_steadystate(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 6))
    h, slope, seen = matrix(rng, d), matrix(rng, d), matrix(rng, d)
    jumps = list(matrix(rng, d, 2, hermitian=False) * 0.5)
    values = np.linspace(-2, 2, 7)
    found = steady_expectation(h, jumps, seen, slope, values)
    for k, x in enumerate(values):
        exact = qt.steadystate(qt.Qobj(h + x * slope), [qt.Qobj(c) for c in jumps])
        assert found[k] == pytest.approx(float(np.real(qt.expect(qt.Qobj(seen), exact))), abs=1e-9)


def test_a_driven_line_with_spectators():
    # Four levels by rates, one driven transition: what no coherence reaches is left out, and nothing changes.
    jumps = []
    for f, i, rate in ((0, 1, 1.0), (2, 0, 0.7), (0, 2, 0.5), (3, 2, 0.2), (1, 3, 2.0), (1, 0, 0.1)):
        c = np.zeros((4, 4))
        c[f, i] = np.sqrt(rate)
        jumps.append(c)
    h = np.zeros((4, 4))
    h[0, 1] = h[1, 0] = 0.8
    slope, seen = np.diag([0, -1.0, 0, 0]), np.diag([0, 0, 1.0, 2.0])
    values = np.linspace(-30, 30, 11)
    found = steady_expectation(h, jumps, seen, slope, values)
    for k, x in enumerate(values):
        exact = qt.steadystate(qt.Qobj(h + x * slope), [qt.Qobj(c) for c in jumps])
        assert found[k] == pytest.approx(float(np.real(qt.expect(qt.Qobj(seen), exact))), abs=1e-10)
    assert found[0] != pytest.approx(found[5], abs=1e-3)


def test_p39_and_a_slope_that_is_nothing():
    omega, gamma, delta = (2 * np.pi * f for f in (2.0, 6.0, 3.0))
    h = np.array([[-delta, omega / 2], [omega / 2, 0]])
    lower = np.sqrt(gamma) * np.array([[0, 0], [1, 0]])
    assert steady_expectation(h, [lower], np.diag([1.0, 0])) == pytest.approx(0.05, rel=1e-10)
    flat = steady_expectation(h, [lower], np.diag([1.0, 0]), np.zeros((2, 2)), np.array([1.0, 2.0]))
    assert flat == pytest.approx([0.05, 0.05], rel=1e-10)
    assert steady_expectation(h, [lower], np.eye(2), np.eye(2), np.zeros(0)).shape == (0,)


def test_no_steady_state_is_an_error():
    h = np.array([[0, 1], [1, 0]])
    for jumps in ([], [np.diag([1.0, -1.0])]):
        with pytest.raises(UsageError, match="not unique"):
            steady_expectation(0 * h, jumps, np.diag([1.0, 0]))
    with pytest.raises(UsageError, match="not unique"):  # of a free spin every mixture with H rests
        steady_expectation(h, [], np.diag([1.0, 0]), np.diag([1.0, 0]), np.linspace(-1, 1, 3))
    with pytest.raises(UsageError, match="finite"):
        steady_expectation(h, [h], np.eye(2), h, np.array([np.nan]))

"""Propagators against QuTiP and scipy, where they are hard as well as where they are easy (S8)."""

import numpy as np
import pytest
import qutip as qt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm as scipy_expm

from qlab.errors import UsageError
from qlab.physics.propagate import durations, expm, hermitian_basis, liouvillian, real_form, steady_state


def problem(seed):
    """A random Lindblad problem of 2 to 4 segments: d, Hamiltonians, jumps, durations, a start."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 7))

    def matrix(*shape):
        return rng.normal(size=(*shape, d, d)) + 1j * rng.normal(size=(*shape, d, d))

    count = int(rng.integers(2, 5))
    h = matrix(count)
    h = (h + h.conj().swapaxes(-1, -2)) * rng.uniform(0.2, 3)
    jumps = matrix(int(rng.integers(1, 4))) * rng.uniform(0.05, 0.5)
    start = matrix()
    start = start @ start.conj().T
    return d, h, jumps, rng.uniform(0.05, 1.0, count), start / np.trace(start)


@pytest.mark.parametrize("seed", range(50))
def test_s8_piecewise_constant_problems_agree_with_mesolve(seed):
    d, h, jumps, seconds, start = problem(seed)
    rho = start.reshape(-1)
    state = qt.Qobj(start)
    for hamiltonian, duration in zip(h, seconds, strict=True):
        rho = expm(liouvillian(hamiltonian, jumps) * duration) @ rho
        ops = [qt.Qobj(c) for c in jumps]
        options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000, "store_final_state": True}
        state = qt.mesolve(qt.Qobj(hamiltonian), state, [0, duration], ops, options=options).final_state
    mine = rho.reshape(d, d)
    assert np.abs(mine - state.full()).max() < 1e-8
    assert abs(np.trace(mine) - 1) < 1e-12
    assert np.linalg.eigvalsh((mine + mine.conj().T) / 2).min() > -1e-10


@pytest.mark.parametrize("seed", range(50, 60))
def test_durations_and_the_real_form_agree_with_scipy(seed):
    d, h, jumps, _, start = problem(seed)
    generator = liouvillian(h, jumps)
    times = np.array([0.0, 1e-3, 0.4, 2.0])
    found = durations(generator, times, np.broadcast_to(start.reshape(-1), (len(h), d * d)))
    basis = hermitian_basis(d)
    real = real_form(generator)
    for k in range(len(h)):
        for t, time in enumerate(times):
            exact = scipy_expm(generator[k] * time) @ start.reshape(-1)
            assert np.abs(found[k, t] - exact).max() < 1e-11
            assert (
                np.abs(basis.conj().T @ (expm(real[k] * time) @ (basis @ start.reshape(-1))) - exact).max()
                < 1e-11
            )
    assert np.abs(basis @ basis.conj().T - np.eye(d * d)).max() < 1e-14


def test_durations_at_exceptional_points():
    # A driven, decaying two-level system is critically damped at Omega = Gamma/4: its generator has a Jordan block.
    gamma = 1.0
    lower = np.array([[0, 0], [1, 0]], dtype=complex) * np.sqrt(gamma)
    x = np.array([[0, 1], [1, 0]], dtype=complex)
    generator = np.array(
        [liouvillian(o / 2 * x, lower[None]) for o in (gamma / 4, gamma / 4 * (1 + 1e-14), 3.0)]
    )
    jordan = np.zeros((4, 4), dtype=complex) + np.diag(np.ones(3), 1) - np.eye(4)
    stack = np.concatenate([generator, jordan[None]])
    times = np.linspace(0, 20, 7)
    start = np.array([0.25, 0.5j, -0.5j, 0.75])
    found = durations(stack, times, np.broadcast_to(start, (4, 4)))
    for k in range(4):
        for t, time in enumerate(times):
            assert np.abs(found[k, t] - scipy_expm(stack[k] * time) @ start).max() < 1e-9


def test_steady_state_agrees_with_qutip():
    for seed in range(10):
        _, h, jumps, _, _ = problem(seed)
        found = steady_state(liouvillian(h, jumps))
        for k in range(len(h)):
            exact = qt.steadystate(qt.Qobj(h[k]), [qt.Qobj(c) for c in jumps]).full()
            assert np.abs(found[k] - exact).max() < 1e-8


def test_steady_state_of_the_optical_bloch_equations():
    # physics.md P39: 2 MHz drive, 6 MHz linewidth, 3 MHz detuning give rho_ee = 0.05.
    omega, gamma, delta = (2 * np.pi * f for f in (2.0, 6.0, 3.0))
    h = np.array([[-delta, omega / 2], [omega / 2, 0]], dtype=complex)
    lower = np.sqrt(gamma) * np.array([[0, 0], [1, 0]], dtype=complex)
    assert steady_state(liouvillian(h, lower[None]))[0, 0].real == pytest.approx(0.05, rel=1e-10)


@pytest.mark.parametrize(
    "jumps",
    [
        np.zeros((0, 3, 3)),
        np.diag([1.0, 0.0, -1.0])[None],  # dephasing alone leaves every population as it is
        np.eye(3)[[1, 0, 2]][None] * [[1.0], [1.0], [0.0]],  # two levels mix, the third stands apart
    ],
)
def test_steady_state_refuses_what_is_not_unique(jumps):
    h = np.diag([0.3, 0.0, -1.7]).astype(complex)
    with pytest.raises(UsageError, match="not unique"):
        steady_state(liouvillian(h, jumps.astype(complex))[None])


def test_not_finite_generators_are_refused():
    for bad in (np.nan, np.inf):
        with pytest.raises(UsageError, match="not finite"):
            expm(np.full((2, 3, 3), bad))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.floats(0, 30), st.integers(0, 10_000))
def test_expm_of_any_size(d, size, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(3, d, d)) + 1j * rng.normal(size=(3, d, d))
    a = 1j * (a + a.conj().swapaxes(-1, -2)) * size
    assert np.abs(expm(a) - np.array([scipy_expm(x) for x in a])).max() < 1e-11 * (1 + size)

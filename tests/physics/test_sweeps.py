"""Sweeps over stacks, durations and repetitions against mesolve; hostile input."""

import numpy as np
import pytest
import qutip as qt
from scipy.linalg import expm as scipy_expm

from qlab.errors import UsageError
from qlab.physics.exponential import expm
from qlab.physics.sweeps import Repeat, Step, expectation
from tests.physics.judge import density, matrix, solve, value


def problem(seed, d):
    rng = np.random.default_rng(seed)
    jumps = list(matrix(rng, d, 2, hermitian=False) * 0.25)
    return rng, jumps, density(rng, d), matrix(rng, d)


@pytest.mark.parametrize("d", [2, 3, 5])
@pytest.mark.parametrize(
    "times", [np.linspace(0, 2, 9), np.linspace(0.3, 1.1, 6), np.array([0, 0.1, 0.7, 1.9])]
)
def test_a_swept_duration_between_pulses(d, times):
    rng, jumps, rho, observable = problem(d, d)
    pulse, free = matrix(rng, d), matrix(rng, d)
    found = expectation([Step(pulse, 0.3), Step(free, times), Step(pulse, 0.2)], rho, observable, jumps)
    first = solve(pulse, rho, 0.3, jumps)
    for k, t in enumerate(times):
        state = solve(pulse, solve(free, first, t, jumps), 0.2, jumps)
        assert found[k] == pytest.approx(value(observable, state), abs=2e-9)


def test_an_echo_sweeps_two_durations_and_a_stack_sweeps_the_drive():
    rng, jumps, rho, observable = problem(7, 3)
    drive, free = matrix(rng, 3), matrix(rng, 3)
    amplitudes = np.array([0.2, 0.9])
    stack = free + amplitudes[:, None, None] * drive
    times = np.array([0.0, 0.25, 0.5, 0.75])
    steps = [Step(free, times), Step(stack, 0.4), Step(free, times)]
    found = expectation(steps, rho, observable, jumps)
    assert found.shape == (2, 4)
    weights = np.array([0.3, 0.7])
    averaged = expectation(steps, rho, observable, jumps, weights=weights)
    exact = np.empty((2, 4))
    for a in range(2):
        for k, t in enumerate(times):
            state = solve(stack[a], solve(free, rho, t, jumps), 0.4, jumps)
            exact[a, k] = value(observable, solve(free, state, t, jumps))
    assert np.abs(found - exact).max() < 2e-9
    assert np.abs(averaged - weights @ exact).max() < 2e-9


def test_repeated_blocks_are_powers():
    rng, jumps, rho, observable = problem(9, 2)
    pulse, free = matrix(rng, 2), matrix(rng, 2)
    times = np.array([0.1, 0.2, 0.3])
    found = expectation(
        [Step(pulse, 0.1), Repeat(5, (Step(free, times), Repeat(2, (Step(pulse, 0.2),)), Step(free, times)))],
        rho, observable, [0.3 * c for c in jumps],
    )  # fmt: skip
    weak = [0.3 * c for c in jumps]
    for k, t in enumerate(times):
        state = solve(pulse, rho, 0.1, weak)
        for _ in range(5):
            state = solve(free, solve(pulse, solve(free, state, t, weak), 0.4, weak), t, weak)
        assert found[k] == pytest.approx(value(observable, state), abs=5e-9)
    nothing = expectation([Repeat(0, (Step(free, times),))], rho, observable)
    assert nothing == pytest.approx(np.full(3, np.trace(rho @ observable).real), abs=1e-12)


def test_sectors_that_never_meet_give_what_the_whole_gives():
    # NV with 14N: three nuclear projections; a superposition of them in the state cannot be seen.
    spin, one = np.diag([1.0, 0, -1]), np.eye(3)
    drive = np.kron(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0]]), one)
    free = np.kron(spin @ spin, one) * 5 + np.kron(spin, spin) * 1.7 + np.kron(one, spin @ spin)
    nucleus = np.full((3, 3), 0.2) + np.diag([0.1, 0.2, 0.1])
    rho = np.kron(np.diag([0.1, 0.8, 0.1]), nucleus)
    observable = np.kron(np.diag([0, 1.0, 0]), one)
    jumps = [0.4 * np.kron(spin, one), 0.2 * np.kron(np.eye(3, k=1), one)]
    times = np.linspace(0, 3, 5)
    half = Step(free + 2 * drive, 0.4)
    found = expectation([half, Step(free, times), half], rho, observable, jumps)
    for k, t in enumerate(times):
        state = solve(free, solve(free + 2 * drive, rho, 0.4, jumps), t, jumps)
        state = solve(free + 2 * drive, state, 0.4, jumps)
        assert found[k] == pytest.approx(value(observable, state), abs=1e-9)


def test_qobj_is_the_language():
    times = np.linspace(0, 1, 5)
    found = expectation([Step(qt.sigmax() * 3, times)], qt.basis(2, 0), qt.sigmaz(), [0.5 * qt.destroy(2)])
    exact = qt.mesolve(qt.sigmax() * 3, qt.basis(2, 0), times, [0.5 * qt.destroy(2)], e_ops=[qt.sigmaz()],
                       options={"atol": 1e-12, "rtol": 1e-10}).expect[0]  # fmt: skip
    assert np.abs(found - exact).max() < 1e-9


def test_at_an_exceptional_point_odd_times_are_exact_too():
    lower = np.array([[0, 0], [1.0, 0]])
    h = np.array([[0, 1], [1, 0]]) / 8  # Omega = Gamma/4: critically damped
    times = np.array([0.0, 0.3, 1.7, 9.0])
    found = expectation([Step(h, times)], np.array([1.0, 0]), np.diag([1.0, 0]), [lower])
    for k, t in enumerate(times):
        exact = solve(h, np.diag([1.0, 0]), t, [lower])
        assert found[k] == pytest.approx(exact.full()[0, 0].real, abs=1e-9)


def test_long_and_no_times():
    lower = 10 * np.array([[0, 0], [1.0, 0]])
    h = np.array([[0, 1], [1, 0]]) * 3.0
    times = np.array([0.0, 1e9, 3e9])
    steady = qt.steadystate(qt.Qobj(h), [qt.Qobj(lower)]).full()[0, 0].real
    found = expectation([Step(h, times)], np.array([1.0, 0]), np.diag([1.0, 0]), [lower])
    assert found == pytest.approx([1, steady, steady], abs=1e-9)
    even = expectation([Step(h, np.linspace(0, 2e9, 5))], np.array([1.0, 0]), np.diag([1.0, 0]), [lower])
    assert even[1:] == pytest.approx(np.full(4, steady), abs=1e-9)
    with pytest.raises(UsageError, match="rounding"):
        expectation([Step(h, 1e12)], np.array([1.0, 0]), np.diag([1.0, 0]))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"h": np.array([[0, 1], [0, 0]])}, "not Hermitian"),
        ({"h": np.full((2, 2), np.nan)}, "not finite"),
        ({"h": np.eye(3)}, "levels"),
        ({"h": np.zeros((0, 0))}, "square matrices"),
        ({"h": np.zeros(2)}, "square matrices"),
        ({"t": -1.0}, "negative"),
        ({"t": np.inf}, "not finite"),
        ({"t": np.array([])}, "no values"),
        ({"t": np.zeros((2, 2))}, "shape"),
        ({"rho": np.diag([1.0, 0.5])}, "trace"),
        ({"rho": np.array([[0.5, 0.9], [0.9, 0.5]])}, "negative"),
        ({"rho": np.array([1.0, 1.0])}, "trace"),
        ({"o": np.array([[0, 1], [0, 0]])}, "not Hermitian"),
        ({"c": [np.eye(3)]}, "levels"),
        ({"c": [np.eye(2), np.eye(3)]}, "differ"),
        ({"c": [np.full((2, 2), np.inf)]}, "not finite"),
        ({"w": np.ones(3)}, "Weights"),
    ],
)
def test_what_cannot_be_played_is_refused(change, what):
    given = {"h": np.eye(2), "t": 1.0, "rho": np.diag([1.0, 0]), "o": np.eye(2), "c": [], "w": None, **change}
    with pytest.raises(UsageError, match=what) as caught:
        expectation([Step(given["h"], given["t"])], given["rho"], given["o"], given["c"], weights=given["w"])
    assert caught.value.hint


def test_sweeps_that_do_not_fit_are_refused():
    two, three = np.array([0.0, 1.0]), np.array([0.0, 1.0, 2.0])
    start, seen = np.array([1.0, 0]), np.eye(2)
    with pytest.raises(UsageError, match="lengths"):
        expectation([Step(np.eye(2), two), Step(np.eye(2), three)], start, seen)
    with pytest.raises(UsageError, match="stacks"):
        expectation([Step(np.zeros((2, 2, 2)), 1.0), Step(np.zeros((3, 2, 2)), 1.0)], start, seen)
    with pytest.raises(UsageError, match="no steps"):
        expectation([], start, seen)
    with pytest.raises(UsageError, match="repeated"):
        expectation([Repeat(-1, (Step(np.eye(2), 1.0),))], start, seen)


def test_exponentials_of_stiff_and_defective_matrices():
    rng = np.random.default_rng(3)
    rates = rng.random((4, 4)) * 10.0 ** rng.integers(0, 5, (4, 4))
    np.fill_diagonal(rates, 0.0)
    rates -= np.diag(rates.sum(axis=0))
    for t in (0.0, 1e-9, 1.0, 1e6, 1e15):
        made = expm(rates[None] * t)[0]
        assert np.abs(made.sum(axis=0) - 1).max() < 1e-8
        if t <= 1e-9:
            assert np.abs(made - scipy_expm(rates * t)).max() < 1e-12
    jordan = np.diag(np.ones(3), 1) * 50 - np.eye(4) * 2
    assert np.abs(expm(jordan) - scipy_expm(jordan)).max() < 1e-9 * np.abs(scipy_expm(jordan)).max()
    assert expm(np.zeros((0, 3, 3))).shape == (0, 3, 3)
    with pytest.raises(UsageError, match="square"):
        expm(np.zeros((2, 3)))

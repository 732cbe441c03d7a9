"""Magnus steps, periodic drives beyond the rotating wave, and exact derivatives, against QuTiP."""

import numpy as np
import pytest
import qutip as qt
from scipy.linalg import expm as scipy_expm

from qlab.errors import UsageError
from qlab.physics.frechet import Varied, frechet, with_derivatives
from qlab.physics.magnus import held, interpolated, propagate
from qlab.physics.periodic import counterrotation, driven_expectation
from qlab.physics.propagate import liouvillian
from tests.physics.judge import TIGHT, density, matrix

X, Z = np.array([[0, 1.0], [1, 0]]), np.diag([1.0, -1.0])
LOWER = np.array([[0, 0], [1.0, 0]])


def pulse(t):
    return np.exp(-((t - 1.5) ** 2) / 0.3)


def test_a_smooth_pulse_and_its_told_error():
    exact = qt.propagator([qt.Qobj(0.7 * Z), [qt.Qobj(3 * X), pulse]], 3.0,
                          options={**TIGHT, "max_step": 0.05}).full()  # fmt: skip
    errors = {}
    for tolerance in (1e-4, 1e-7, 1e-10):
        made = propagate(
            -0.7j * Z, np.array([-3j * X]), lambda t: pulse(t)[:, None], 3.0, tolerance=tolerance
        )
        errors[made.steps] = np.abs(made.propagator - exact).max()
        assert made.error <= tolerance
        assert errors[made.steps] < 3 * made.error + 2e-10
        assert np.abs(made.propagator @ made.propagator.conj().T - np.eye(2)).max() < 1e-12
    assert len(errors) == 3


def test_open_systems_and_sampled_waveforms():
    base = liouvillian((0.7 * Z).astype(complex), 0.4 * LOWER[None])
    part = liouvillian(3 * X.astype(complex), np.zeros((0, 2, 2)))
    exact = qt.mesolve([qt.Qobj(0.7 * Z), [qt.Qobj(3 * X), pulse]], qt.basis(2, 0), [0, 3.0],
                       [qt.Qobj(0.4 * LOWER)], options={**TIGHT, "max_step": 0.05}).states[-1].full()  # fmt: skip
    start = np.diag([1.0, 0]).reshape(-1)
    samples = pulse(np.arange(0, 3.0001, 0.005))[:, None]
    smooth = propagate(base, part[None], interpolated(samples, 0.005), 3.0)
    assert np.abs((smooth.propagator @ start).reshape(2, 2) - exact).max() < 1e-7
    # Held samples are exact for what an AWG plays: segment by segment.
    steps = pulse(np.repeat(np.arange(0, 3, 0.25), 2))[:, None]
    product = np.eye(4)
    for value in steps[:, 0]:
        product = scipy_expm((base + value * part) * 0.1) @ product
    assert np.abs(held(base, part[None], steps, 0.1) - product).max() < 1e-12


def test_what_cannot_be_followed_is_refused():
    with pytest.raises(UsageError, match="cannot be followed"):
        propagate(-1j * Z, np.array([-1j * X]), lambda t: np.sin(1e9 * t**2)[:, None], 10.0, tolerance=1e-13)
    with pytest.raises(UsageError, match="cannot be played"):
        propagate(-1j * Z, np.array([-1j * X]), lambda t: pulse(t)[:, None], -1.0)
    with pytest.raises(UsageError, match="finite"):
        propagate(-1j * Z, np.array([-1j * X]), lambda t: np.nan * t[:, None], 1.0)
    with pytest.raises(UsageError, match="fit"):
        propagate(-1j * Z, np.zeros((1, 3, 3)), lambda t: pulse(t)[:, None], 1.0)
    with pytest.raises(UsageError, match="Samples"):
        held(-1j * Z, np.array([-1j * X]), np.zeros((4, 2)), 0.1)


@pytest.mark.parametrize("rabi", [0.05, 0.8])
def test_a_drive_in_the_laboratory_frame(rabi):
    times = np.linspace(0, 40, 17)
    found = driven_expectation(Z / 2, rabi * X, 1.05, times, np.array([0, 1.0]), np.diag([1.0, 0]),
                               [0.1 * LOWER], phase=0.3)  # fmt: skip
    exact = qt.mesolve([qt.Qobj(Z / 2), [qt.Qobj(rabi * X), lambda t: np.cos(1.05 * t + 0.3)]], qt.basis(2, 1),
                       times, [qt.Qobj(0.1 * LOWER)], e_ops=[qt.Qobj(np.diag([1.0, 0]))], options=TIGHT)  # fmt: skip
    assert np.abs(found - exact.expect[0]).max() < 1e-9


def test_bloch_siegert_and_the_indicator():
    # The resonance lies where the averaged transfer is largest: Omega^2/(4 omega) above the bare splitting.
    rabi, omega = 0.2, 1.0
    told = counterrotation(rabi, omega)
    assert told.needed
    assert not counterrotation(rabi / 100, omega).needed
    times = np.linspace(0, 6000, 6001)
    window = np.hanning(len(times)) / np.hanning(len(times)).sum()

    def transfer(drive):
        # Over the phase of the drive, whose wiggles would pull the peak.
        return np.mean(
            [
                window
                @ driven_expectation(
                    Z / 2, rabi * X, drive, times, np.array([0, 1.0]), np.diag([1.0, 0]), phase=phase
                )
                for phase in np.arange(4) * np.pi / 2
            ]
        )

    drives = omega + np.linspace(-0.06, 0.08, 11)
    curve = np.polynomial.Polynomial.fit(drives, [transfer(w) for w in drives], 6)
    fine = np.linspace(drives[0], drives[-1], 20_001)
    assert fine[np.argmax(curve(fine))] - omega == pytest.approx(told.shift, rel=0.03)
    with pytest.raises(UsageError, match="frequency"):
        counterrotation(1.0, 0.0)
    with pytest.raises(UsageError, match="positive and finite"):
        driven_expectation(Z, X, np.inf, [1.0], np.array([1.0, 0]), Z)


def test_p40_fisher_information_without_a_step_size():
    rho, slopes = with_derivatives(
        [Varied(Z / 2, [Z / 2], 50.0, [np.sqrt(0.1) * LOWER])], np.full((2, 2), 0.5)
    )
    values, vectors = np.linalg.eigh(rho)
    turned = vectors.conj().T @ slopes[0] @ vectors
    fisher = (2 * np.abs(turned) ** 2 / (values[:, None] + values)).sum()
    assert fisher == pytest.approx(16.8448675, rel=1e-8)
    plus = np.full((2, 2), 0.5)
    p, dp = np.trace(plus @ rho).real, np.trace(plus @ slopes[0]).real
    assert dp**2 / p + dp**2 / (1 - p) == pytest.approx(1.16693153, rel=1e-7)


def test_derivatives_of_a_sequence_are_those_of_mesolve():
    rng = np.random.default_rng(2)
    h, slopes, jump = matrix(rng, 3, 2), matrix(rng, 3, 2, 2), matrix(rng, 3, hermitian=False) * 0.3
    start = density(rng, 3)

    def final(theta):
        state = qt.Qobj(start)
        for k, seconds in enumerate((0.4, 0.7)):
            now = qt.Qobj(h[k] + np.tensordot(theta[:2], slopes[k], axes=1))
            ops = [np.exp(theta[2] / 2) * qt.Qobj(jump)]
            state = qt.mesolve(now, state, [0, seconds], ops, options=TIGHT).states[-1]
        return state.full()

    none = np.zeros((1, 3, 3))
    steps = [
        Varied(h[k], np.concatenate([slopes[k], none]), seconds, [jump], [[0.0], [0.0], [1.0]])
        for k, seconds in enumerate((0.4, 0.7))
    ]
    rho, found = with_derivatives(steps, start)
    assert np.abs(rho - final(np.zeros(3))).max() < 1e-10
    for k in range(3):
        step = 1e-3 * np.eye(3)[k]
        far = (final(2 * step) - final(-2 * step)) / 4e-3
        near = (final(step) - final(-step)) / 2e-3
        assert np.abs(found[k] - (4 * near - far) / 3).max() < 1e-7


def test_frechet_of_stacks_and_hostile_directions():
    rng = np.random.default_rng(4)
    a, e = rng.normal(size=(3, 4, 4)), rng.normal(size=(2, 3, 4, 4))
    whole, made = frechet(a, e)
    step = 1e-4
    for k in range(2):
        for i in range(3):
            wide, near = (
                (scipy_expm(a[i] + s * e[k, i]) - scipy_expm(a[i] - s * e[k, i])) / (2 * s)
                for s in (2 * step, step)
            )
            assert np.abs(made[k, i] - (4 * near - wide) / 3).max() < 1e-8
    assert np.abs(whole - np.array([scipy_expm(x) for x in a])).max() < 1e-12
    assert frechet(a, np.zeros((0, 3, 4, 4)))[1].shape == (0, 3, 4, 4)
    with pytest.raises(UsageError, match="fit"):
        frechet(a, e[..., :3])
    with pytest.raises(UsageError, match="no steps"):
        with_derivatives([], np.full((2, 2), 0.5))

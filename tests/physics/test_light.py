"""Gaussian states and few photons against QuTiP's Fock space, P31, P32 and the Hong-Ou-Mandel dip."""

import math

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.fock import TwoModes
from qlab.physics.gaussian import GaussianState, thermal, vacuum

CUT = 40
A = qt.destroy(CUT)


def quadrature(angle):
    return (A * np.exp(-1j * angle) + A.dag() * np.exp(1j * angle)) / np.sqrt(2)


def lossy(rho, efficiency):
    """Loss by the master equation of a bath at zero temperature."""
    time = -math.log(efficiency)
    options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000}
    return qt.mesolve(0 * A, rho, [0, time], [A], options=options).states[-1]


def test_one_mode_against_fock_space():
    r, phi, alpha = 0.4, 0.7, 0.8 - 0.5j
    squeeze = (r / 2 * (np.exp(-2j * phi) * A**2 - np.exp(2j * phi) * A.dag() ** 2)).expm()
    ket = qt.displace(CUT, alpha) * squeeze * qt.basis(CUT, 0)
    ket = (-0.3j * A.dag() * A).expm() * ket
    rho = lossy(ket.proj(), 0.7)
    mine = vacuum(1).squeezed(0, r, phi).displaced(0, alpha).rotated(0, 0.3).lossy(0, 0.7)
    for angle in (0.0, 0.9, 2.0):
        q = quadrature(angle)
        mean = qt.expect(q, rho)
        assert mine.homodyne(0, angle) == pytest.approx((mean, qt.expect(q * q, rho) - mean**2), abs=1e-7)
    n = A.dag() * A
    means, spread = mine.numbers()
    assert means[0] == pytest.approx(qt.expect(n, rho), abs=1e-7)
    assert spread[0, 0] == pytest.approx(qt.expect(n * n, rho) - qt.expect(n, rho) ** 2, abs=1e-6)
    parity = qt.Qobj(np.diag((-1.0) ** np.arange(CUT)))
    assert mine.parity() == pytest.approx(qt.expect(parity, rho), abs=1e-7)
    assert mine.purity() == pytest.approx((rho * rho).tr().real, abs=1e-7)


def test_two_modes_against_fock_space():
    cut = 14
    a, b = qt.tensor(qt.destroy(cut), qt.qeye(cut)), qt.tensor(qt.qeye(cut), qt.destroy(cut))
    theta = math.acos(math.sqrt(0.6))
    ket = qt.tensor(qt.coherent(cut, 0.6), (0.3 / 2 * (qt.destroy(cut) ** 2 - qt.create(cut) ** 2)).expm()
                    * qt.basis(cut, 0))  # fmt: skip
    ket = (theta * (b.dag() * a - a.dag() * b)).expm().dag() * ket
    mine = vacuum(2).displaced(0, 0.6).squeezed(1, 0.3).mixed(0, 1, 0.6)
    means, spread = mine.numbers()
    na, nb = a.dag() * a, b.dag() * b
    exact = [qt.expect(na, ket), qt.expect(nb, ket)]
    # a -> sqrt(T) a + sqrt(1-T) b in the Heisenberg picture, whichever way the unitary is written.
    assert sorted(means) == pytest.approx(sorted(exact), abs=1e-5)
    assert spread[0, 1] == pytest.approx(qt.expect(na * nb, ket) - exact[0] * exact[1], abs=1e-5)
    parity = qt.Qobj(np.diag((-1.0) ** np.arange(cut)))
    assert mine.parity() == pytest.approx(qt.expect(qt.tensor(parity, parity), ket), abs=1e-5)


def test_p32_coherent_and_squeezed_light():
    state = vacuum(2).displaced(0, 10.0).squeezed(1, 1.0, np.pi / 2).mixed(0, 1)
    _, spread = state.numbers()
    # A pure state's information on the phase of (n_a - n_b)/2 is the variance of n_a - n_b.
    assert spread[0, 0] + spread[1, 1] - 2 * spread[0, 1] == pytest.approx(740.286708, rel=1e-8)
    # In two arms: a small phase off the dark fringe, read by the difference at the output.
    dark = state.rotated(0, np.pi / 4).rotated(1, -np.pi / 4).mixed(0, 1)
    step = 1e-5
    lit = state.rotated(0, np.pi / 4 + step / 2).rotated(1, -np.pi / 4 - step / 2).mixed(0, 1)
    means, spread = dark.numbers()
    slope = (np.subtract(*lit.numbers()[0]) - np.subtract(*means)) / step
    noise = np.sqrt(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
    assert noise / abs(slope) == pytest.approx(0.0391603011, rel=1e-3)


def information(rho, n):
    slope = -1j * (n[:, None] - n) * rho
    values, vectors = np.linalg.eigh(rho)
    turned = vectors.conj().T @ slope @ vectors
    total = values[:, None] + values
    return (2 * np.abs(turned[total > 1e-12]) ** 2 / total[total > 1e-12]).sum()


def test_p31_noon_states_with_loss():
    space = TwoModes(3)
    ket = space.noon(3)
    rho = np.outer(ket, ket.conj())
    n = space.levels[:, 0]
    assert information(space.lossy(rho, 0, 0.8), n) == pytest.approx(6.0952381, rel=1e-8)
    both = space.lossy(space.lossy(rho, 0, 0.8), 1, 0.8)
    assert information(both, n) == pytest.approx(4.608, rel=1e-8)
    assert np.trace(both) == pytest.approx(1, abs=1e-12)


def test_few_photons_against_qutip():
    space, cut = TwoModes(4), 5
    a, b = qt.tensor(qt.destroy(cut), qt.qeye(cut)), qt.tensor(qt.qeye(cut), qt.destroy(cut))
    theta, phase = math.acos(math.sqrt(0.3)), 0.8
    hop = np.exp(1j * phase) * a.dag() * b
    rho = ((theta * (hop - hop.dag())).expm() * qt.tensor(qt.basis(cut, 2), qt.basis(cut, 2))).proj()
    rho = (-0.4j * a.dag() * a).expm() * rho * (0.4j * a.dag() * a).expm()
    time = -math.log(0.6)
    rho = qt.mesolve(0 * a, rho, [0, time], [a], options={"atol": 1e-13, "rtol": 1e-11}).states[-1]
    ket = space.beam_splitter(0.3, phase) @ space.number_state(2, 2)
    mine = space.lossy(space.shifted(np.outer(ket, ket.conj()), 0.4), 0, 0.6)
    seen = space.probabilities(mine)
    full = rho.full()
    rows = [k * cut + l for k, l in space.levels]
    assert np.abs(mine - full[np.ix_(rows, rows)]).max() < 1e-9
    assert space.parity(mine) == pytest.approx((seen * (-1.0) ** space.levels[:, 1]).sum(), abs=1e-12)


def test_two_photons_leave_together():
    space = TwoModes(2)
    out = np.abs(space.beam_splitter() @ space.number_state(1, 1)) ** 2
    assert out[space.index(1, 1)] == pytest.approx(0, abs=1e-14)
    assert out[space.index(2, 0)] == pytest.approx(0.5, abs=1e-14)


def test_limits_and_hostile_light():
    empty = TwoModes(0)
    assert empty.beam_splitter() == pytest.approx(np.eye(1))
    assert empty.noon(0) == pytest.approx([1])
    gone = TwoModes(2).lossy(np.diag([0, 0, 0, 0, 0, 1.0]).astype(complex), 0, 0.0)
    assert gone[0, 0] == pytest.approx(1)
    assert thermal(2.5).numbers()[0] == pytest.approx([2.5])
    assert vacuum(1).lossy(0, 0.0, 1.5).numbers()[0] == pytest.approx([1.5])
    for attempt in (
        lambda: TwoModes(-1),
        lambda: TwoModes(2).number_state(2, 1),
        lambda: TwoModes(1).beam_splitter(1.5),
        lambda: TwoModes(1).kraus(0, -0.1),
        lambda: TwoModes(1).probabilities(np.eye(3)),
        lambda: vacuum(0),
        lambda: vacuum(1).lossy(0, 2.0),
        lambda: vacuum(1).lossy(0, 0.5, -1.0),
        lambda: vacuum(1).squeezed(1, 0.1),
        lambda: vacuum(2).mixed(1, 1),
        lambda: vacuum(1).displaced(0, complex("nan")),
        lambda: vacuum(1).squeezed(0, 1e3),
        lambda: thermal(-1.0),
        lambda: GaussianState(np.zeros(2), np.eye(2) / 4),
        lambda: GaussianState(np.zeros(2), np.array([[1, 0.5], [0, 1.0]])),
        lambda: GaussianState(np.zeros(3), np.eye(3)),
    ):
        with pytest.raises(UsageError):
            attempt()

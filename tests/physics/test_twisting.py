"""Collective spins against QuTiP's matrices, PIQS with single-spin dephasing, and the public checks."""

import numpy as np
import pytest
import qutip as qt
from qutip import piqs

from qlab.physics.systems.collective import CollectiveSpin, best_twist


def test_p22_one_axis_twisting():
    spin, twist = CollectiveSpin(20), best_twist(20)
    assert twist == pytest.approx(0.134157366, rel=1e-3)
    assert float(spin.wineland(np.asarray(twist))) == pytest.approx(0.197896569, rel=1e-4)
    assert 10 * np.log10(float(spin.wineland(np.asarray(twist)))) == pytest.approx(-7.03561734, abs=1e-3)
    assert float(spin.kitagawa(np.asarray(twist))) == pytest.approx(0.140435456, rel=1e-3)


def test_twists_and_turns_are_those_of_qutip():
    count, twist = 12, 0.21
    jx, jy, jz = qt.jmat(count / 2)
    spin = CollectiveSpin(count)
    theirs = (-1j * twist * jz * jz).expm() * qt.spin_coherent(count / 2, np.pi / 2, 0)
    for angle, phase in ((0.4, 0.0), (1.3, -np.pi / 2), (2.0, 0.7)):
        turned = (-1j * angle * (np.cos(phase) * jx + np.sin(phase) * jy)).expm() * theirs
        np.testing.assert_allclose(
            spin.turn(spin.twisted(twist), angle, phase)[::-1], turned.full()[:, 0], atol=1e-12
        )
    quiet = (-1j * float(spin.best_angle(np.asarray(twist))) * jx).expm() * theirs
    assert float(spin.variance(np.asarray(twist), spin.best_angle(np.asarray(twist)))) == pytest.approx(
        qt.variance(jz, quiet), rel=1e-10
    )
    assert (spin.hamiltonian(2.0) - 2 * jz * jz).norm() < 1e-12


def test_closed_forms_with_single_spin_dephasing_are_those_of_piqs():
    count, chi, rate, time = 6, 1.0, 0.6, 0.3
    system = piqs.Dicke(count, dephasing=rate)
    jx, jy, jz = piqs.jspin(count)
    system.hamiltonian = chi * jz * jz
    state = qt.mesolve(
        system.liouvillian(),
        piqs.css(count),
        [0, time],
        [],
        options={"atol": 1e-13, "rtol": 1e-11, "nsteps": 10**6},
    ).final_state
    # The rate g of PIQS multiplies D[sz/2]: each coherence decays as exp(-g t/2).
    made = CollectiveSpin(count, dephasing=rate * time / 2)
    mean, _, y, across = (float(v) for v in made.moments(np.asarray(chi * time)))
    assert mean == pytest.approx(qt.expect(jx, state), abs=1e-7)
    assert y == pytest.approx(qt.expect(jy * jy, state), abs=1e-7)
    assert across == pytest.approx(qt.expect(jy * jz + jz * jy, state).real / 2, abs=1e-7)


def test_a_shared_phase_is_averaged_exactly():
    spin, noisy = CollectiveSpin(8), CollectiveSpin(8, collective=0.3)
    z, weights = np.polynomial.hermite_e.hermegauss(40)
    weights /= weights.sum()
    state = spin.twisted(0.15)[:, None] * np.exp(-1j * np.multiply.outer(spin.m, 0.3 * z))
    angle = float(noisy.best_angle(np.asarray(0.15)))
    shares = np.abs(spin.turn(state, angle)) ** 2 @ weights
    assert float(noisy.variance(np.asarray(0.15), np.asarray(angle))) == pytest.approx(
        shares @ spin.m**2, rel=1e-10
    )


def test_limits():
    assert float(CollectiveSpin(50).wineland(np.asarray(0.0))) == pytest.approx(1)
    with pytest.raises(Exception, match="0 spins"):
        CollectiveSpin(0)

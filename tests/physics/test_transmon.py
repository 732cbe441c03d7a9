"""The transmon against the public checks, an independently written Hamiltonian, and QuTiP's own readout field."""

import numpy as np
import pytest
import qutip as qt

from qlab.physics.dispersive import Resonator, assignment_error
from qlab.physics.engine import play
from qlab.physics.systems.transmon import Transmon, perturbative_shift, purcell_time
from qlab.pulses import Acquire, Align, Delay, Play, Program, compile_program

TAU = 2 * np.pi


def test_p35_spectrum():
    made = Transmon(EJ=15e9, EC=0.25e9)
    assert made.spectrum(2)[1] == pytest.approx(5.21416357e9, abs=1e4)
    assert made.anharmonicity() == pytest.approx(-0.282935431e9, abs=1e4)


def test_p36_dispersive_shift():
    chi, critical = perturbative_shift(100e6, -1.5e9, -250e6)
    assert chi == pytest.approx(-0.952380952e6, rel=1e-6)
    assert critical == pytest.approx(56.25, rel=1e-6)
    assert purcell_time(100e6, -1.5e9, 1e6) == pytest.approx(35.8098622e-6, rel=1e-5)


def test_p38_assignment_error():
    assert assignment_error(4.0) == pytest.approx(0.0227501319, rel=1e-5)


def test_dressed_levels_are_those_of_qutip():
    made = Transmon(EJ=14e9, EC=0.3e9, flux=0.15, asymmetry=0.2, resonator=7.1e9, coupling=80e6)
    # Charge basis written anew, in QuTiP, as one operator.
    n = qt.charge(20)
    hop = qt.tunneling(41, 1)
    angle = np.pi * 0.15
    junction = 14e9 * np.sqrt(np.cos(angle) ** 2 + 0.04 * np.sin(angle) ** 2)
    bare, states = (4 * 0.3e9 * n * n - junction / 2 * hop).eigenstates()
    charge = np.array([[n.matrix_element(a, b).real for b in states[:6]] for a in states[:6]])
    a = qt.destroy(8)
    h = qt.tensor(qt.qdiags(bare[:6] - bare[0], 0), qt.qeye(8)) + 7.1e9 * qt.tensor(qt.qeye(6), a.dag() * a)
    h = h + 80e6 * qt.tensor(qt.Qobj(charge / abs(charge[0, 1])), a + a.dag())
    values, vectors = h.eigenstates()
    shares = np.abs(np.array([v.full()[:, 0] for v in vectors])) ** 2
    of = lambda k, photons: values[int(np.argmax(shares[:, 8 * k + photons]))]  # noqa: E731
    assert made.qubit_frequency() == pytest.approx(of(1, 0) - of(0, 0), abs=10)
    pulled = [of(k, 1) - of(k, 0) for k in (0, 1)]
    np.testing.assert_allclose(made.resonator_frequencies()[:2], pulled, rtol=0, atol=10)
    np.testing.assert_allclose(made.hamiltonian().eigenenergies() / TAU, values, rtol=0, atol=20)


def test_readout_field_is_that_of_a_damped_oscillator():
    kappa, pull, drive, seconds = TAU * 2e6, TAU * 0.7e6, TAU * 0.3e6, 0.4e-6
    ours = Resonator(kappa, np.array([pull]), drive, 1.0).field(0, np.array([seconds]))[0]
    a = qt.destroy(12)
    h = pull * a.dag() * a + drive * (a + a.dag())
    state = qt.mesolve(
        h, qt.fock_dm(12, 0), [0, seconds], [np.sqrt(kappa) * a], options={"atol": 1e-12, "rtol": 1e-10}
    ).final_state
    assert abs(qt.expect(a, state) - ours) < 1e-7


def test_a_decay_within_the_window_is_integrated_exactly():
    made = Resonator(TAU * 2e6, np.array([-4e6, 4e6]), 1e7, 0.5)
    window, moment = 1e-6, 0.37e-6
    ours = made.integrate(np.array([1]), np.array([[moment]]), window)[0]
    steps = 200_000
    field, total, dt = 0j, 0j, window / steps
    for k in range(steps):
        rate = made.rates[1 if (k + 0.5) * dt < moment else 0]
        middle = field + dt / 2 * (-rate * field - 1j * made.drive)
        field += dt * (-rate * middle - 1j * made.drive)
        total += middle * dt
    assert abs(total / window - ours) < 1e-5 * abs(ours)


def test_pulses_of_three_levels_against_mesolve():
    made = Transmon(flux=0.1, T1=4e-6, Tphi=6e-6, excited=0.02)
    f01 = made.qubit_frequency()
    body = Play("mw", 20e-9, 20e6) + Delay(0.5e-6) + Play("mw", 20e-9, 20e6, 0.7) + Align()
    timeline = compile_program(
        Program(body + Acquire("digitizer", 1e-9, "iq", "iq"), setpoints={"microwave.frequency": f01 + 0.4e6})
    )
    ours = play(made, timeline).probability[0]
    b = qt.destroy(3)
    level = made._dressed[0]
    h0 = qt.qdiags(TAU * (level - np.arange(3) * (f01 + 0.4e6)), 0)
    steps = [np.diag(np.sqrt(r), 1) for r in ([1 / 4e-6, 0], [0, 2 / 4e-6])]
    up = 0.02 / 0.98
    jumps = [qt.Qobj(m) for m in steps] + [np.sqrt(up) * qt.Qobj(m.T) for m in steps]
    jumps.append(np.sqrt(2 / 6e-6) * b.dag() * b)
    weights = (up ** np.arange(3)) / np.sum(up ** np.arange(3))
    state = qt.qdiags(weights, 0)
    safe = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 10**6}
    for seconds, phase, rabi in ((20e-9, 0.0, 20e6), (0.5e-6, 0.0, 0.0), (20e-9, 0.7, 20e6)):
        drive = TAU * rabi / 2 * (b * np.exp(1j * phase) + b.dag() * np.exp(-1j * phase))
        state = qt.mesolve(
            h0 + drive, state, [0, seconds], jumps, options={**safe, "max_step": seconds / 4}
        ).final_state
    np.testing.assert_allclose(ours, state.diag(), rtol=0, atol=1e-7)

"""Falling atoms against a Schrödinger equation in time, the Rydberg ladder against QuTiP; P25, P26, P28."""

import math

import numpy as np
import pytest
import qutip as qt
from scipy.integrate import quad, solve_ivp

from qlab.physics.systems.atom_interferometer import ThreePulse, two_photon
from qlab.physics.systems.rydberg import RydbergLadder, field_of, rabi_of

TWO_PI = 2 * math.pi


def driven(T, pulse, rabi, slope, doppler, last=0.0, between=(0.0, 0.0)):
    """Return the excited share at the end of three pulses, by integrating the amplitudes in time."""
    marks = np.cumsum([0, pulse, T, 2 * pulse, T, pulse])

    def motion(t, y, on, phase):
        detuning = slope * t + doppler
        g, e = y
        return [
            -0.5j * (detuning * g + on * np.exp(1j * phase) * e),
            -0.5j * (on * np.exp(-1j * phase) * g - detuning * e),
        ]

    y = np.array([1, 0], dtype=complex)
    for k in range(5):
        on, phase = (rabi if k % 2 == 0 else 0.0), (last if k == 4 else 0.0)
        y = solve_ivp(
            motion, marks[k : k + 2], y, args=(on, phase), rtol=1e-10, atol=1e-12, method="DOP853"
        ).y[:, -1]
        if k % 2:
            turn = np.exp(-0.5j * between[k // 2])
            y = y * np.array([turn, turn.conj()])
    return abs(y[1]) ** 2


def test_the_fringe_of_falling_atoms():
    # Pulses as long as a tenth of the free time, a chirp that is far off: the scale has to be right.
    made = ThreePulse(T=1e-3, pulse=1e-4, rabi=math.pi / 2 / 1e-4)
    slopes = np.array([-900.0, -250.0, 0.0, 400.0, 1.1e3]) * 1e3
    level, cosine, sine = made.fringe(slopes)
    for last in (0.0, 0.8):
        mine = level + cosine * math.cos(last) + sine * math.sin(last)
        exact = []
        for slope in slopes:
            # Paths that do not meet again differ by the Doppler phase of both gaps: averaged out here by hand.
            turns = [
                driven(made.T, made.pulse, made.rabi, slope, 0.0, last, (f, f))
                for f in np.arange(4) * math.pi / 2
            ]
            exact.append(np.mean(turns))
        np.testing.assert_allclose(mine, exact, atol=2e-4)


def test_finite_pulses_scale_the_phase():
    made = ThreePulse(T=1e-3, pulse=5e-5, rabi=math.pi / 2 / 5e-5)
    assert made.scale == pytest.approx((1e-3 + 1e-4) * (1e-3 + 2e-4 / math.pi))
    step = 2e3  # rad/s^2, deep in the linear part
    level, _, sine = made.fringe(np.array([-step, step]))
    assert (sine[1] - sine[0]) / (2 * step) == pytest.approx(made.scale / 2, rel=5e-5)
    # A short-pulse formula would be off by 16 %.
    assert (sine[1] - sine[0]) / step != pytest.approx(1e-6, rel=0.1)
    np.testing.assert_allclose(level, 0.5, atol=1e-6)


def test_warm_atoms_lose_contrast():
    made = ThreePulse(T=1e-3, pulse=1e-5, rabi=math.pi / 2 / 1e-5, velocity=5e-3)
    mine = made.fringe(np.zeros(1))
    z = np.random.default_rng(2).normal(size=120)
    exact = np.zeros(2)
    for v in 5e-3 * z:
        delta = made.k * v
        # cos and sin of the sum over both gaps leave the two that meet: average over the phase of a gap.
        for k, last in enumerate((0.0, math.pi)):
            exact[k] += np.mean([
                ideal(made, delta, last, f) for f in np.arange(4) * math.pi / 2
            ]) / len(z)  # fmt: skip
    contrast = exact[1] - exact[0]
    assert -2 * mine[1][0] == pytest.approx(contrast, abs=0.06)
    assert 0.3 < contrast < 0.95


def ideal(made, delta, last, turn):
    """Three pulses on an atom with a constant detuning as 2x2 exponentials."""

    def pulse(seconds, phase=0.0):
        h = delta / 2 * qt.sigmaz() + made.rabi / 2 * (
            math.cos(phase) * qt.sigmax() - math.sin(phase) * qt.sigmay()
        )
        return (-1j * seconds * h).expm()

    free = (-0.5j * turn * qt.sigmaz()).expm()
    end = pulse(made.pulse, last) * free * pulse(2 * made.pulse) * free * pulse(made.pulse) * qt.basis(2, 0)
    return abs(end.full()[1, 0]) ** 2


def test_p25_p26_and_vibration():
    k = two_photon()
    assert k == pytest.approx(16105751, rel=1e-7)
    short = ThreePulse(T=0.1, pulse=1e-12, rabi=1.0)
    assert float(short.phase(9.80665, np.zeros(1))[0]) == pytest.approx(1579434.63, rel=1e-8)
    assert k * 9.80665 / TWO_PI / 1e6 == pytest.approx(25.1374828, rel=1e-8)
    assert short.projection_limit(1e6, 0.5) == pytest.approx(1.24179245e-08, rel=1e-8)
    assert ThreePulse(T=0.05, pulse=1e-12, rabi=1.0).transfer(np.array([13.0]))[0] == pytest.approx(
        10.084248, rel=1e-7
    )
    # White acceleration through 16 sin^4(wT/2)/w^4, one-sided: k^2 S T^3/3.
    weight = quad(lambda f: 16 * math.sin(math.pi * f * 0.1) ** 4 / (TWO_PI * f) ** 4, 1e-6, 400, limit=2000)[
        0
    ]
    assert short.vibration_phase(2e-7) == pytest.approx(k * 2e-7 * math.sqrt(weight), rel=1e-4)


def steady_coherence(system, probe, coupling, strength=1e-3):
    """Return the steady coherence of |2><1| over i times half the probe's Rabi frequency, from all four levels."""
    levels = [qt.basis(4, k) for k in range(4)]

    def hop(k, rabi):
        return TWO_PI * rabi / 2 * (levels[k] * levels[k + 1].dag() + levels[k + 1] * levels[k].dag())

    energies = np.array([0, probe, probe + coupling, probe + coupling + system.radio_detuning]) * TWO_PI
    h = hop(0, strength) + hop(1, system.coupling) + hop(2, system.radio) - qt.Qobj(np.diag(energies))
    jumps = [math.sqrt(TWO_PI * system.decay) * levels[0] * levels[1].dag()]
    # A population that leaves to |1> at twice the half width dephases at the half width.
    jumps += [math.sqrt(2 * TWO_PI * system.dephasing) * levels[0] * levels[k].dag() for k in (2, 3)]
    rho = qt.steadystate(h, jumps).full()
    return rho[1, 0] / (-0.5j * TWO_PI * strength)


@pytest.mark.parametrize("detunings", [(0.0, 0.0), (0.0, 3.1), (1.2, -0.7), (-4.0, 5.0)])
def test_the_ladder_is_that_of_four_levels(detunings):
    # In MHz and microseconds, so that the numbers are of one size.
    system = RydbergLadder(4.2, 3.0, 0.6, 6.07, 0.2, temperature=0.0)
    mine = system.response(*detunings)
    assert mine == pytest.approx(steady_coherence(system, *detunings), rel=1e-4)
    np.testing.assert_allclose(system.averaged(*detunings), mine)


def test_the_average_over_velocities():
    system = RydbergLadder(radio=7e6, radio_detuning=2e6)
    v = np.linspace(-7, 7, 400_001) * system.speed
    weights = np.exp(-(v**2) / 2 / system.speed**2)
    weights /= weights.sum()
    for probe, coupling in ((0.0, 0.0), (0.0, 3.5e6), (2e6, -9e6)):
        exact = (system.response(probe, coupling, v) * weights).sum()
        assert complex(system.averaged(probe, coupling)) == pytest.approx(exact, rel=1e-7)


def test_p28_and_the_splitting_in_a_vapour():
    assert field_of(10e6, 1443.45) == pytest.approx(0.541430551, rel=1e-8)
    assert rabi_of(0.541430551, 1443.45) == pytest.approx(10e6, rel=1e-8)
    x = np.linspace(-20e6, 20e6, 40_001)
    system = RydbergLadder(coupling=2e6, radio=20e6, dephasing=5e4)

    def apart(y):
        half = len(x) // 2
        return x[half + np.argmax(y[half:])] - x[np.argmax(y[:half])]

    # Far apart lines: Omega where the coupling is scanned, wavelength ratio times it where the probe is.
    assert apart(system.transmission(0.0, x, 1.0)) == pytest.approx(20e6, rel=0.01)
    assert apart(system.transmission(x, 0.0, 1.0)) == pytest.approx(20e6 * 480 / 780.241, rel=0.01)
    off = RydbergLadder(coupling=2e6, radio=15e6, radio_detuning=8e6, dephasing=5e4)
    assert apart(off.transmission(0.0, x, 1.0)) == pytest.approx(17e6, rel=0.015)

"""Photon counting against QuTiP's Fock space, P31 to P33, and pairs counted out one by one."""

import itertools
import math

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.counting import number_distribution, with_dark_counts
from qlab.physics.gaussian import vacuum
from qlab.physics.systems.interferometer import DECIBEL, READOUTS, Interferometer
from qlab.physics.systems.pairs import PhotonPairs, spectral_width

CUT = 18
OPTIONS = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000}


def in_fock_space(ket, phase, arms, efficiency):
    """Return P(n_a, n_b) of light in two arms, loss by master equations, the second splitter as exp(theta ...)."""
    a, b = qt.tensor(qt.destroy(CUT), qt.qeye(CUT)), qt.tensor(qt.qeye(CUT), qt.destroy(CUT))
    zero = 0 * a
    rho = ket.proj()
    for mode, eta in zip((a, b), arms, strict=True):
        rho = qt.mesolve(zero, rho, [0, -math.log(eta)], [mode], options=OPTIONS).states[-1]
    turn = (-0.5j * phase * (a.dag() * a - b.dag() * b)).expm()
    splitter = (math.pi / 4 * (a.dag() * b - b.dag() * a)).expm()
    rho = splitter * turn * rho * turn.dag() * splitter.dag()
    for mode in (a, b):
        rho = qt.mesolve(zero, rho, [0, -math.log(efficiency)], [mode], options=OPTIONS).states[-1]
    return np.real(np.diag(rho.full())).reshape(CUT, CUT)


def squeezed_light():
    a, b = qt.tensor(qt.destroy(CUT), qt.qeye(CUT)), qt.tensor(qt.qeye(CUT), qt.destroy(CUT))
    r = 2.0 * DECIBEL
    # p of b is squeezed: exp(r (b+^2 - b^2)/2).
    ket = (0.9 * (a.dag() - a)).expm() * (-r / 2 * (b**2 - b.dag() ** 2)).expm()
    ket = ket * qt.tensor(qt.basis(CUT, 0), qt.basis(CUT, 0))
    # Port a into both arms with equal signs, port b with opposite ones.
    return (-math.pi / 4 * (a.dag() * b - b.dag() * a)).expm() * ket


def noon_light(n):
    return (
        qt.tensor(qt.basis(CUT, n), qt.basis(CUT, 0)) + qt.tensor(qt.basis(CUT, 0), qt.basis(CUT, n))
    ).unit()


@pytest.mark.parametrize("light", ["squeezed", "noon"])
def test_counts_behind_the_interferometer_are_those_of_fock_space(light):
    arms, efficiency, phase = (0.9, 0.7), 0.8, 0.6
    if light == "squeezed":
        system = Interferometer(0.81, 2.0, arms=arms, efficiency=efficiency)
        exact = in_fock_space(squeezed_light(), phase, arms, efficiency)
    else:
        system = Interferometer(noon=3, arms=arms, efficiency=efficiency)
        exact = in_fock_space(noon_light(3), phase, arms, efficiency)
    mine = system.shares(phase)
    most = min(8, len(mine))
    np.testing.assert_allclose(mine[:most, :most], exact[:most, :most], atol=2e-6)
    n = np.arange(CUT)
    at = np.array([phase])
    assert system.signal(at, "parity")[0] == pytest.approx(exact[:, 1::2].sum(), abs=2e-6)
    assert system.signal(at, "difference")[0] == pytest.approx(
        float((exact * (n - n[:, None])).sum()), abs=1e-5
    )
    square = float((exact * (n - n[:, None]) ** 2).sum()) - float((exact * (n - n[:, None])).sum()) ** 2
    assert system.noise(at, "difference")[0] ** 2 == pytest.approx(square, abs=1e-4)
    seen = exact[0, 1:].sum() if light == "noon" else exact[:, 1:].sum()
    assert system.signal(at, "clicks")[0] == pytest.approx(seen, abs=2e-6)
    four = [exact[0, 0], exact[1:, 0].sum(), exact[0, 1:].sum(), exact[1:, 1:].sum()]
    np.testing.assert_allclose(system.clicks(phase), four, atol=2e-6)


def test_homodyne_against_fock_space():
    a, b = qt.tensor(qt.destroy(CUT), qt.qeye(CUT)), qt.tensor(qt.qeye(CUT), qt.destroy(CUT))
    turn = (-0.5j * 0.6 * (a.dag() * a - b.dag() * b)).expm()
    ket = (math.pi / 4 * (a.dag() * b - b.dag() * a)).expm() * turn * squeezed_light()
    p = -(b - b.dag()) / (1j * math.sqrt(2))  # this splitter turns port b round
    mean = qt.expect(p, ket)
    system, at = Interferometer(0.81, 2.0), np.array([0.6])
    assert system.signal(at, "homodyne")[0] == pytest.approx(mean, abs=1e-5)
    assert system.noise(at, "homodyne")[0] ** 2 == pytest.approx(qt.expect(p * p, ket) - mean**2, abs=1e-5)


def test_phase_noise_and_dark_counts_are_averages_over_shots():
    quiet = Interferometer(5.0, 4.0, arms=(0.9, 0.8), efficiency=0.7)
    noisy = Interferometer(5.0, 4.0, arms=(0.9, 0.8), efficiency=0.7, spread=0.2, dark=0.1)
    z = np.random.default_rng(1).normal(size=40_000)
    for readout in READOUTS:
        one = quiet.signal(0.4 + 0.2 * z, readout)
        dark = {
            "parity": lambda p: (1 - (1 - 2 * p) * math.exp(-0.2)) / 2,
            "clicks": lambda p: 1 - (1 - p) * math.exp(-0.1),
        }
        one = dark.get(readout, lambda p: p)(one)
        error = one.std() / 200
        assert noisy.signal(np.array([0.4]), readout)[0] == pytest.approx(one.mean(), abs=4 * error)
    noon = Interferometer(noon=4, spread=0.15)
    assert 1 - 2 * noon.signal(np.zeros(1), "parity")[0] == pytest.approx(
        math.exp(-((4 * 0.15) ** 2) / 2), rel=1e-9
    )
    shares = with_dark_counts(np.array([[1.0]]), 0.3)
    assert shares[1, 2] == pytest.approx(math.exp(-0.6) * 0.3 * 0.3**2 / 2)


@pytest.mark.parametrize(("one", "both"), [(6.0952381, 4.608)])
def test_p31_noon_light_with_loss(one, both):
    assert Interferometer(noon=3, arms=(0.8, 1.0)).quantum_fisher() == pytest.approx(one, rel=1e-7)
    assert Interferometer(noon=3, arms=(0.8, 0.8)).quantum_fisher() == pytest.approx(both, rel=1e-7)


def test_p32_coherent_and_squeezed_light():
    system = Interferometer(100.0, 1 / DECIBEL)
    assert system.quantum_fisher() == pytest.approx(740.286708, rel=1e-8)
    assert system.resolution(np.array([math.pi / 2]), "difference")[0] == pytest.approx(
        0.0391603011, rel=1e-6
    )


def test_information_of_lossy_light_is_that_of_fock_space():
    a, b = qt.tensor(qt.destroy(CUT), qt.qeye(CUT)), qt.tensor(qt.qeye(CUT), qt.destroy(CUT))
    rho = squeezed_light().proj()
    for mode, eta in ((a, 0.9), (b, 0.6)):
        rho = qt.mesolve(0 * a, rho, [0, -math.log(eta)], [mode], options=OPTIONS).states[-1]
    generator = (a.dag() * a - b.dag() * b) / 2
    values, vectors = np.linalg.eigh(rho.full())
    slope = vectors.conj().T @ (-1j * (generator * rho - rho * generator)).full() @ vectors
    total = values[:, None] + values
    kept = total > 1e-10
    exact = (2 * np.abs(slope[kept]) ** 2 / total[kept]).sum()
    assert Interferometer(0.81, 2.0, arms=(0.9, 0.6)).quantum_fisher() == pytest.approx(exact, rel=1e-4)


def test_no_readout_beats_the_light():
    phase = np.linspace(-3, 3, 181)
    for system in (
        Interferometer(8.0, 6.0, arms=(0.9, 0.8)),
        Interferometer(8.0),
        Interferometer(noon=4, arms=(0.9, 0.8)),
    ):
        for readout in READOUTS:
            if system.noon and readout in {"homodyne", "difference"}:
                continue
            best = system.resolution(phase, readout).min()
            assert best >= (1 - 1e-6) / math.sqrt(system.quantum_fisher())
    # Coherent light by homodyne at the dark port, and NOON light by parity, miss nothing.
    assert Interferometer(8.0).resolution(np.array([1e-3]), "homodyne")[0] == pytest.approx(
        1 / math.sqrt(8), rel=1e-4
    )
    assert Interferometer(noon=4).resolution(np.array([0.3]), "parity")[0] == pytest.approx(0.25, rel=1e-4)
    with pytest.raises(UsageError):
        Interferometer(noon=2).signal(phase, "homodyne")


def test_the_distribution_of_bright_light_sums_to_one():
    state = vacuum(2).displaced(0, 7.0).squeezed(1, 1.2, 0.3).mixed(0, 1, 0.4)
    shares = number_distribution(state.mean, state.covariance, 256)
    means, spread = state.numbers()
    n = np.arange(256)
    assert shares.sum() == pytest.approx(1, abs=1e-9)
    assert float(shares.sum(axis=1) @ n) == pytest.approx(means[0], rel=1e-8)
    assert float((shares * np.outer(n, n)).sum()) - means[0] * means[1] == pytest.approx(
        spread[0, 1], rel=1e-6
    )


def counted_out(pairs, delay):
    """Return the chance of a coincidence of up to three pairs in a pulse, photon by photon."""
    r, overlap = pairs.reflectivity, pairs.alike(np.asarray(delay))
    fates = {}  # (photons at a, at b) of one pair
    for one, other in itertools.product((True, False), repeat=2):
        chance = math.prod(p if on else 1 - p for p, on in zip(pairs.paths, (one, other), strict=True))
        if one and other:
            ends = {(2, 0): r * (1 - r) * (1 + overlap), (0, 2): r * (1 - r) * (1 + overlap)}
            ends[1, 1] = 1 - sum(ends.values())
        elif one or other:
            ends = {(1, 0): 1 - r if one else r, (0, 1): r if one else 1 - r}
        else:
            ends = {(0, 0): 1.0}
        for end, share in ends.items():
            fates[end] = fates.get(end, 0.0) + chance * share
    total = 0.0
    for count in range(4):
        weight = math.exp(-pairs.mean) * pairs.mean**count / math.factorial(count)
        for ends in itertools.product(fates, repeat=count):
            share = math.prod(fates[end] for end in ends)
            at = [sum(end[k] for end in ends) for k in (0, 1)]
            missed = [
                (1 - eta) ** n * math.exp(-pairs.dark) for eta, n in zip(pairs.detectors, at, strict=True)
            ]
            total += weight * share * (1 - missed[0]) * (1 - missed[1])
    return total


@pytest.mark.parametrize("delay", [0.0, 2e-13, 1e-11])
def test_pairs_are_those_counted_out(delay):
    pairs = PhotonPairs(0.01, 3.7e12, 0.93, 0.45, (0.8, 0.5), (0.6, 0.7), 1e-3)
    assert pairs.coincidence(np.asarray(delay)) == pytest.approx(
        counted_out(pairs, delay), rel=1e-5
    )  # four pairs left out


def test_p33_the_dip_of_a_filter():
    pairs = PhotonPairs(mean=1e-9, sigma=spectral_width(810e-9, 3e-9))
    assert pairs.sigma / 1e12 == pytest.approx(3.65758194, rel=1e-7)
    assert pairs.dip_width() * 1e15 == pytest.approx(455.248645, rel=1e-7)
    assert pairs.visibility() == pytest.approx(1, abs=1e-6)
    # Half the depth at half the width, and all the information there is, near no delay.
    half = pairs.ideal_coincidence(np.array([pairs.dip_width() / 2]))[0]
    assert half == pytest.approx(0.25)
    step, at = 1e-18, 1e-16
    p = pairs.ideal_coincidence(np.array([at - step, at, at + step]))
    slope = (p[2] - p[0]) / (2 * step)
    assert slope**2 / (p[1] * (1 - p[1])) == pytest.approx(pairs.quantum_fisher(), rel=1e-3)
    # More pairs in a pulse fill the dip: by about their number, from below.
    bright = PhotonPairs(mean=0.1, sigma=pairs.sigma, paths=(0.3, 0.3))
    assert 0.75 < bright.visibility() < 0.95

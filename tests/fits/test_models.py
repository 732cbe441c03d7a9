"""Each model's curve against the numbers of physics.md and against independent propagation."""

import numpy as np
import pytest

from qlab.fits.damped_cosine import DampedCosine, DampedCosineTriplet
from qlab.fits.decay import StretchedDecay
from qlab.fits.line import StraightLine
from qlab.fits.lines import Lorentzian
from qlab.fits.multiplets import GaussianTriplet, LorentzianTriplet
from qlab.fits.rabi import RabiHyperfine
from qlab.fits.rabi_line import RabiLineTriplet
from tests.fits import twins

EVERY = (
    DampedCosineTriplet, DampedCosine, RabiHyperfine, LorentzianTriplet, GaussianTriplet, RabiLineTriplet,
    Lorentzian, StretchedDecay, StraightLine,
)  # fmt: skip
UNIT = {"contrast": 1.0, "level": 1.0}


def transfer(model, x, **theta):
    """P of a model y = level·(1 − contrast·P)."""
    full = {v.name: model.known(v.name) for v in model.parameters} | UNIT | theta
    return 1 - model.evaluate(np.atleast_1d(np.asarray(x, dtype=float)), full)


def test_p05_detuned_rabi_flop():
    model = RabiHyperfine(context={"hyperfine": 0.0})
    assert transfer(model, 130e-9, rabi_frequency=5e6, detuning=3e6) == pytest.approx(0.349120099, abs=1e-6)


def test_p06_ramsey_triplet_with_ideal_pulses():
    found = transfer(DampedCosineTriplet(), 0.7e-6, frequency=1e6, hyperfine=2.14e6, T2_star=1.5e-6)
    assert found == pytest.approx(0.541417401, abs=1e-6)


def test_p16_rabi_line_width():
    model = RabiLineTriplet(context={"rabi_frequency": 0.5, "pulse_duration": 1.0})
    x = np.array([1000 + 0.798685355 / 2, 1000.0])
    half, peak = transfer(model, x, frequency=1000.0, hyperfine=0.0, sigma_detuning=0.0)
    assert half / peak == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1.3e6, -2.5e6])
@pytest.mark.parametrize("rabi", [10e6, 4e6])
def test_ramsey_with_finite_pulses_is_exact(offset, rabi):
    tau = np.linspace(0, 4e-6, 101)
    context = {"fringe_frequency": 4e6, "rabi_frequency": rabi, "asymmetry": -7e3, "pulse_shift": 80e3,
               "pulse_duration": 0.25 / rabi + 1e-9}  # fmt: skip
    quiet = twins.ramsey(
        tau, offset, 2.14e6, 0.0, rabi, 4e6, asymmetry=-7e3, shift=80e3, pulse=0.25 / rabi + 1e-9
    )
    found = transfer(DampedCosineTriplet(context), tau, frequency=offset, hyperfine=2.14e6, T2_star=1.0)
    assert found == pytest.approx(quiet, abs=1e-9)


@pytest.mark.parametrize(("sigma", "rabi", "allowed"), [(112.5e3, 10e6, 1e-5), (300e3, 5e6, 4e-3)])
def test_static_noise_during_the_pulses_is_in_the_ramsey_model(sigma, rabi, allowed):
    tau = np.linspace(0, 4e-6, 101)
    noisy = twins.ramsey(tau, 0.2e6, 2.14e6, sigma, rabi, 4e6)
    model = DampedCosineTriplet({"fringe_frequency": 4e6, "rabi_frequency": rabi})
    time = 1 / (np.sqrt(2) * np.pi * sigma)
    found = transfer(model, tau, frequency=0.2e6, hyperfine=2.14e6, T2_star=time)
    assert found == pytest.approx(noisy, abs=allowed)


def test_driving_above_resonance_makes_the_fringes_faster():
    tau = np.linspace(0, 2e-6, 400)
    model = DampedCosineTriplet({"fringe_frequency": 4e6})
    found = transfer(model, tau, frequency=0.5e6, hyperfine=0.0, T2_star=1.0)
    assert found == pytest.approx(0.5 + 0.5 * np.cos(2 * np.pi * 4.5e6 * tau), abs=1e-9)


@pytest.mark.parametrize("detuning", [0.0, 3e6, 20e6])
def test_rabi_against_propagation(detuning):
    t = np.linspace(0, 3e-6, 101)
    lines = [np.full(len(t), d) for d in twins.line_detunings(detuning, 2.14e6, 5e3)]
    model = RabiHyperfine({"hyperfine": 2.14e6, "sigma_detuning": 400e3, "asymmetry": 5e3})
    found = transfer(model, t, rabi_frequency=8e6, detuning=detuning)
    assert found == pytest.approx(twins.driven(lines, 400e3, 8e6, t), abs=1e-7)


def test_pulsed_odmr_against_propagation_with_its_light_shift():
    f = np.linspace(2.808e9, 2.820e9, 151)
    centres = [2.814e9 + m * 2.14e6 + (m * m - 2 / 3) * -9e3 for m in (-1, 0, 1)]
    model = RabiLineTriplet({"rabi_frequency": 0.5e6, "light_shift": 12e3, "asymmetry": -9e3})
    found = transfer(model, f, frequency=2.814e9, hyperfine=2.14e6, sigma_detuning=112e3)
    assert found == pytest.approx(twins.driven([f - 12e3 - c for c in centres], 112e3, 0.5e6, 1e-6), abs=1e-8)


def test_voigt_triplet_is_the_average_over_static_detuning():
    f = np.linspace(2.806e9, 2.822e9, 121)
    theta = {"frequency": 2.814e9, "hyperfine": 2.14e6, "fwhm": 0.6e6, "contrast": 0.1, "level": 1.0}
    xi, weight = twins.static_noise(200e3, 201)
    plain = LorentzianTriplet()
    expected = sum(
        w * plain.evaluate(f, {**theta, "frequency": 2.814e9 + d}) for d, w in zip(xi, weight, strict=True)
    )
    found = LorentzianTriplet({"sigma_detuning": 200e3}).evaluate(f, theta)
    assert found == pytest.approx(expected, abs=1e-8)


def test_line_shapes_have_their_width_and_height():
    theta = {"frequency": 5.0, "hyperfine": 1e9, "fwhm": 2.0, "contrast": 0.2, "level": 1.0}
    for model in (LorentzianTriplet(), GaussianTriplet()):
        assert model.evaluate(np.array([5.0, 6.0]), theta) == pytest.approx([0.8, 0.9], abs=1e-9)
    single = {"frequency": 5.0, "fwhm": 2.0, "amplitude": 3.0, "offset": 1.0}
    assert Lorentzian().evaluate(np.array([5.0, 6.0]), single) == pytest.approx([4.0, 2.5])


@pytest.mark.parametrize("kind", EVERY)
def test_models_say_who_they_are(kind):
    model = kind()
    assert model.name
    assert model.title
    assert model.formula
    names = [v.name for v in model.parameters]
    assert len(set(names)) == len(names)
    theta = {n: model.known(n) for n in names}
    for x in (np.linspace(0, 4e-6, 21), np.linspace(2.86e9, 2.88e9, 21)):
        assert np.isfinite(model.evaluate(x, theta | {n: 1e-9 for n in names if theta[n] == 0})).all()

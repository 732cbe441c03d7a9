"""Hard traces never raise, and a fit that must not be believed says so."""

import warnings

import numpy as np
import pytest

from qlab.fits.damped_cosine import DampedCosine, DampedCosineTriplet
from qlab.fits.decay import StretchedDecay
from qlab.fits.engine import fit_curve
from qlab.fits.line import StraightLine
from qlab.fits.lines import Lorentzian
from qlab.fits.multiplets import GaussianTriplet, LorentzianTriplet
from qlab.fits.rabi import RabiHyperfine
from qlab.fits.rabi_line import RabiLineTriplet
from tests.fits import twins

TAU = np.linspace(0, 4e-6, 201)
CARRIER = np.linspace(2.808e9, 2.820e9, 121)
RAMSEY = DampedCosineTriplet({"fringe_frequency": 4e6, "rabi_frequency": 10e6})
PULSED = RabiLineTriplet({"rabi_frequency": 0.5e6, "pulse_duration": 1e-6})
MODELS = [
    (RAMSEY, TAU), (DampedCosine(), TAU), (RabiHyperfine({"sigma_detuning": 1e5}), TAU), (PULSED, CARRIER),
    (LorentzianTriplet(), CARRIER), (LorentzianTriplet({"sigma_detuning": 1e5}), CARRIER),
    (GaussianTriplet(), CARRIER), (Lorentzian(), CARRIER), (StretchedDecay(), TAU),
]  # fmt: skip
NAMED = pytest.mark.parametrize(("model", "x"), MODELS, ids=lambda v: getattr(v, "name", ""))


def fringes(tau, T2_star=2e-6, offset=0.1e6):
    theta = {
        "frequency": offset,
        "hyperfine": 2.14e6,
        "T2_star": T2_star,
        "exponent": 2.0,
        "contrast": 0.28,
        "level": 1.0,
    }
    return RAMSEY.evaluate(tau, theta)


def noisy(curve, seed=0):
    return twins.measure(curve, np.random.default_rng(seed))


def flagged(result):
    assert not result.success
    assert len(result.message) > 15
    return result.message


@NAMED
@pytest.mark.parametrize("seed", range(3))
def test_mere_noise_is_no_signal(model, x, seed):
    message = flagged(fit_curve(model, x, *noisy(np.ones(len(x)), seed)))
    assert "above the noise" in message


@NAMED
def test_degenerate_data(model, x):
    n, nan = len(x), np.nan
    rng = np.random.default_rng(1)
    cases = {
        "empty": ([], [], []),
        "one point": (x[:1], [1.0], [0.1]),
        "three points": (x[:3], [1.0, 0.9, 1.0], [0.1] * 3),
        "all NaN": (x, np.full(n, nan), np.full(n, nan)),
        "flat": (x, np.ones(n), np.full(n, 0.03)),
        "dead detector": (x, np.zeros(n), np.full(n, 0.03)),
        "one x": (np.full(n, x[3]), rng.normal(1, 0.03, n), np.full(n, 0.03)),
        "infinite": (x, np.full(n, np.inf), np.full(n, 0.03)),
        "few counts": (x, rng.poisson(0.05, n) * 1.0, np.ones(n)),
    }
    for name, data in cases.items():
        result = fit_curve(model, *data)
        assert not result.success, name
        assert result.message, name


@NAMED
def test_wild_data_never_raise(model, x):
    rng = np.random.default_rng(2)
    n = len(x)
    for y in (
        rng.normal(0, 1, n), rng.normal(-5, 1, n), rng.standard_cauchy(n), np.linspace(0, 1e9, n),
        np.where(np.arange(n) == n // 2, 1e12, 1.0), np.arange(n) % 2.0, np.full(n, 1e-300),
        rng.normal(1e15, 1, n), np.exp(np.linspace(0, 100, n)), np.where(x > x.mean(), 1.0, 0.0),
    ):  # fmt: skip
        result = fit_curve(model, x, y, np.full(n, 0.03))
        assert isinstance(result.success, bool)
        result.model_dump_json()
    y = rng.standard_cauchy(n)
    for error in (np.full(n, 1e-9), np.full(n, 1e9), np.zeros(n), None, np.full(n, -1.0)):
        assert fit_curve(model, x, y, error).message
    for points in (4, 5, 6, 7, 9):
        fit_curve(model, x[:points], rng.normal(1, 0.1, points), np.full(points, 0.1))


def test_missing_points_are_left_out():
    y, error = noisy(fringes(TAU))
    y[::7] = np.nan
    error[3::11] = np.nan
    result = fit_curve(RAMSEY, TAU, y, error)
    assert result.success, result.message
    assert result.degrees_of_freedom == np.isfinite(y).sum() - 5
    assert result.values["frequency"] == pytest.approx(0.1e6, abs=5 * result.errors["frequency"])


def test_aliased_fringes_are_flagged():
    tau = np.linspace(0, 20e-6, 101)
    assert "alias" in flagged(fit_curve(RAMSEY, tau, *noisy(fringes(tau, 10e-6))))


def test_a_programmed_fringe_tells_an_offset_from_its_alias():
    """A little more than two points in a period are enough where the drive is known to be near the resonance."""
    model = DampedCosineTriplet({"fringe_frequency": 4e6, "hyperfine": 2.14e6, "rabi_frequency": 10e6})
    tau = np.linspace(0, 6e-6, 121)
    for offset, believed in ((0.9e6, True), (-0.9e6, True), (3.2e6, False)):
        theta = {
            "frequency": offset,
            "hyperfine": 2.14e6,
            "T2_star": 4e-6,
            "contrast": 0.3,
            "level": 1.0,
            "exponent": 2.0,
        }
        result = fit_curve(model, tau, *noisy(model.evaluate(tau, theta)))
        assert result.success == believed, (offset, result.message)
        if believed:
            assert result.values["frequency"] == pytest.approx(offset, abs=4 * result.errors["frequency"])


def test_a_decay_within_a_step_is_flagged():
    tau = np.linspace(0, 40e-6, 201)
    flagged(fit_curve(RAMSEY, tau, *noisy(fringes(tau, 0.15e-6))))
    t = np.linspace(0, 1e-3, 101)
    message = flagged(fit_curve(StretchedDecay(), t, *noisy(0.7 + 0.3 * np.exp(-t / 2e-6))))
    assert message


def test_a_decay_beyond_the_sweep_is_flagged():
    t = np.linspace(0, 1e-3, 201)
    flagged(fit_curve(StretchedDecay({"fix_exponent": 1.0}), t, *noisy(0.7 + 0.3 * np.exp(-t / 20e-3))))


def test_the_wrong_model_is_flagged():
    t = np.linspace(0, 1e-6, 201)
    theta = {
        "rabi_frequency": 10e6,
        "detuning": 0.0,
        "contrast": 0.28,
        "level": 1.0,
        "hyperfine": 0.0,
        "sigma_detuning": 0.0,
    }
    y, error = noisy(RabiHyperfine().evaluate(t, theta))
    for model in (Lorentzian(), StretchedDecay(), StraightLine()):
        flagged(fit_curve(model, t, y, error))
    f = CARRIER
    double = 1 - 0.15 * sum(0.4e6**2 / ((f - c) ** 2 + 0.4e6**2) for c in (2.8105e9, 2.817e9))
    flagged(fit_curve(LorentzianTriplet(), f, *noisy(double)))


def test_an_outlier_is_named():
    y, error = noisy(fringes(TAU))
    y[120] += 40 * error[120]
    message = flagged(fit_curve(RAMSEY, TAU, y, error, counting=False))
    assert "One point" in message
    assert "2.4e-06" in message


def test_a_drifting_level_is_flagged():
    y, error = noisy(fringes(TAU) * np.linspace(0.95, 1.05, len(TAU)))
    flagged(fit_curve(RAMSEY, TAU, y, error))


def test_a_line_outside_the_sweep_is_flagged():
    theta = {"frequency": 2.85e9, "hyperfine": 2.14e6, "contrast": 0.28, "level": 1.0, "sigma_detuning": 1e5}
    flagged(fit_curve(PULSED, CARRIER, *noisy(PULSED.evaluate(CARRIER, theta))))


def test_overestimated_errors_are_said():
    y, error = noisy(fringes(TAU))
    assert "scatter much less" in flagged(fit_curve(RAMSEY, TAU, y, 2 * error))


def test_no_warning_reaches_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model, x in MODELS:
            fit_curve(model, x, np.random.default_rng(0).normal(1, 0.1, len(x)), np.full(len(x), 0.1))
